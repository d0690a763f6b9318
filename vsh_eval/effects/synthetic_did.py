"""One unit against a mixture of others: synthetic DiD, judged by placebos in space."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval.contracts import require_one_of
from vsh_eval.effects.synthetic_fit import (
    Fit,
    fit_units,
    leave_one_out,
    placebo_fits,
    placebo_table,
)
from vsh_eval.effects.synthetic_panel import Balanced, Donors, balanced, with_cohort
from vsh_eval.effects.synthetic_rows import by_ratio, estimate_rows
from vsh_eval.numerics import placebos
from vsh_eval.numerics.synthetic import Method, Solver

Statistic = Literal["estimate", "ratio"]
METHODS: tuple[Method, ...] = ("synthetic_did", "synthetic_control")


@dataclass(frozen=True, slots=True)
class Synthetic:
    """A synthetic comparison with what it is made of and judged by.

    Attributes
    ----------
    rows : DataFrame
        One row an estimate (`rows.ROW_COLUMNS`).
    weights : DataFrame
        cohort, unit, weight: the donors with a weight, the largest first.
    period_weights : DataFrame
        cohort, time, weight: of the years before.
    path : DataFrame
        cohort, time, outcome, synthetic, effect, before: both courses; the synthetic one of
        synthetic DiD is moved to the level of the years before.
    placebos : DataFrame
        unit, estimate, rmspe_before, rmspe_after, scale, compared: the same estimate where nothing
        happened; multiplied by `scale` it is comparable with the treated unit's. Rank, interval,
        band and `mde` all come from those `compared`: the nearest in size where sizes are known.
    leave_one_out : DataFrame
        unit, estimate: without each donor of weight 0.05 or more; empty for several treated units.
    rmspe_before : float
        Of the treated unit, in the outcome's unit.
    mde : float
        Smallest effect that the test at `alpha` finds with 80 % power, from the same placebos.
    dropped : DataFrame
        unit, reason.
    notes : tuple of str
        What a reader must know, in sentences.
    """

    rows: pd.DataFrame
    weights: pd.DataFrame
    period_weights: pd.DataFrame
    path: pd.DataFrame
    placebos: pd.DataFrame
    leave_one_out: pd.DataFrame
    rmspe_before: float
    mde: float
    dropped: pd.DataFrame
    notes: tuple[str, ...]


def synthetic_did(
    data: pd.DataFrame,
    *,
    unit: str | None = None,
    start: int | None = None,
    donors: Donors = None,
    alpha: float = 0.05,
    solver: Solver = "reference",
    seed: int = 0,
) -> pd.DataFrame:
    """Estimate an effect by synthetic difference-in-differences.

    Parameters
    ----------
    data : DataFrame
        One row per unit and time: unit, time, outcome; cohort (first treated time, 0 = donor)
        unless `unit` is given; optional pupils (children behind a unit), by which placebos of
        units of other sizes are made comparable and the `numerics.placebos.NEAREST` in size are
        chosen. Missing outcomes are unknown, not nought.
    unit : str, optional
        The treated unit; by default every unit with a cohort.
    start : int, optional
        Its first treated time; by default its cohort.
    donors : sequence or mapping, optional
        Units to compare with: one list, or one for each unit, whose placebos then have their own.
        By default every unit that is never treated.
    alpha : float
        Significance level of intervals and bands.
    solver : {"reference", "exact"}
        How the treated units' weights are found: by the steps of the R package synthdid, for parity
        with published numbers, or as the exact minimum. Placebos are always solved exactly.
    seed : int
        Of the placebo draws, where several units are treated.

    Returns
    -------
    DataFrame
        Rows by `aggregation`: simple (index 0), cohort (where there are several), event (periods
        with data since treatment; negative: distance before). `std_error` is the spread of the
        placebos, `df` their number less one; `p_value` the rank of the estimate among them;
        `ci_*` the effects that this test does not reject, so that they exclude nought exactly where
        `p_value` is at most `alpha`; `band_*` simultaneous over the event
        rows after treatment. `schools_*` count units. With fewer placebos than a test needs a row
        keeps its estimate, has no interval and status ``x``.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If rows stand twice, a cohort varies within a unit, fewer than two periods lie before
        treatment, or fewer than two donors have every outcome.

    Notes
    -----
    Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), American Economic Review 111(12),
    algorithms 1 and 4; several cohorts averaged by treated unit-periods (their appendix A). Periods
    without data are taken out. Inference by placebos in space needs no assumption about
    how a unit's years hang together, as placebos hang together the same way.

    Examples
    --------
    >>> table = pd.DataFrame([
    ...     (name, year, 10.0 + year * slope - 2 * (name == "a" and year > 3), 4 * (name == "a"))
    ...     for name, slope in zip("abcdefgh", (1.0, 1.2, 0.9, 1.1, 0.8, 1.0, 1.3, 0.7))
    ...     for year in range(1, 6)], columns=["unit", "time", "outcome", "cohort"])
    >>> synthetic_did(table).loc[0, ["estimate", "p_value"]].astype(float).round(2).tolist()
    [-2.0, 0.12]
    """
    return fit_synthetic(
        with_cohort(data, unit=unit, start=start),
        method="synthetic_did",
        donors=donors,
        alpha=alpha,
        solver=solver,
        seed=seed,
    ).rows


def fit_synthetic(
    data: pd.DataFrame,
    *,
    method: Method,
    statistic: Statistic | None = None,
    donors: Donors = None,
    alpha: float = 0.05,
    solver: Solver = "exact",
    seed: int = 0,
) -> Synthetic:
    """Make a synthetic comparison and keep its weights, courses and placebos.

    Parameters
    ----------
    data : DataFrame
        As for `synthetic_did`, with cohort.
    method : {"synthetic_did", "synthetic_control"}
        The estimator.
    statistic : {"estimate", "ratio"}, optional
        What the simple row is ranked by: the estimate (default for synthetic DiD), or the ratio of
        the root mean squared distances after and before (default for synthetic control).
    donors, alpha, solver, seed
        As for `synthetic_did`.

    Returns
    -------
    Synthetic

    Raises
    ------
    ContractError, DesignError
        As for `synthetic_did`.
    """
    require_one_of(method, METHODS, name="method")
    panel = balanced(data, donors=donors)
    own = fit_units(panel, panel.cohorts, method, solver)
    others = placebo_fits(panel, method, seed)
    table = placebo_table(panel, others, alpha=alpha)
    near = table[table["compared"]]
    ranked = statistic or ("estimate" if method == "synthetic_did" else "ratio")
    scale = near["scale"].to_numpy(np.float64)
    rows = estimate_rows(panel, own, [others[unit] for unit in near["unit"]], scale, alpha=alpha)
    if ranked == "ratio":
        rows = by_ratio(rows, own, near, panel, alpha=alpha)
    return Synthetic(
        rows=rows,
        weights=_weights(panel, own),
        period_weights=_period_weights(panel, own),
        path=_path(panel, own),
        placebos=table,
        leave_one_out=leave_one_out(panel, own, method),
        rmspe_before=own.rmspe(before=True),
        mde=placebos.detectable(near["estimate"].to_numpy(np.float64) * scale, alpha=alpha),
        dropped=panel.dropped,
        notes=panel.notes,
    )


def _weights(panel: Balanced, own: Fit) -> pd.DataFrame:
    first_unit = {first: unit for unit, first in panel.cohorts.items()}
    parts = [
        pd.DataFrame(
            {
                "cohort": first,
                "unit": [u for u in panel.pools[first_unit[first]] if u not in panel.cohorts],
                "weight": one.weights,
            }
        )
        for first, one in own.mixtures.items()
    ]
    table = pd.concat(parts, ignore_index=True)
    carried = table[table["weight"] > 0]
    return carried.sort_values(
        ["cohort", "weight", "unit"], ascending=[True, False, True], ignore_index=True
    )


def _period_weights(panel: Balanced, own: Fit) -> pd.DataFrame:
    rows = [
        (first, time, float(weight))
        for first, one in own.mixtures.items()
        for time, weight in zip(panel.times, one.period_weights, strict=False)
    ]
    return pd.DataFrame(rows, columns=["cohort", "time", "weight"])


def _path(panel: Balanced, own: Fit) -> pd.DataFrame:
    rows = []
    for first, one in own.mixtures.items():
        units = [unit for unit, cohort in panel.cohorts.items() if cohort == first]
        course = panel.rows(units).mean(axis=0)
        for time, outcome, effect in zip(panel.times, course, one.effects, strict=True):
            rows.append((first, time, outcome, outcome - effect, effect, time < first))
    columns = ["cohort", "time", "outcome", "synthetic", "effect", "before"]
    return pd.DataFrame(rows, columns=columns)
