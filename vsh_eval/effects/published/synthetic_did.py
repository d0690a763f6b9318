"""Synthetic difference-in-differences: one unit against weighted donors, judged by placebos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import Message
from vsh_eval.effects.grid import Floats
from vsh_eval.effects.published.panel import (
    LEAST_DONORS,
    BalancedPanel,
    Donors,
    balanced_panel,
    with_cohort,
)
from vsh_eval.effects.rows import ROW_COLUMNS
from vsh_eval.numerics import placebos
from vsh_eval.numerics.synthetic import Solver, SyntheticUnit, synthetic_unit

MOST_DRAWS = 200
"""Placebo draws where several units are treated; a single one has each donor as a placebo."""
MATERIAL = 0.05
"""Weight from which on a donor is left out once, to see whether the result hangs on it."""


class _Fit(NamedTuple):
    """The treated units of each cohort against their weighted donors."""

    synthetics: dict[int, SyntheticUnit]
    units: dict[int, int]

    def average(self) -> float:
        """Return the mean effect over treated units and periods."""
        values = [one.estimate for one in self.synthetics.values()]
        weights = [
            self.units[first] * (len(one.effects) - one.before)
            for first, one in self.synthetics.items()
        ]
        return float(np.average(values, weights=weights))

    def events(self) -> pd.Series:
        """Return the effect by periods since treatment, those before negative."""
        total: dict[int, tuple[float, int]] = {}
        for first, one in self.synthetics.items():
            for place, effect in enumerate(one.effects):
                value, count = total.get(place - one.before, (0.0, 0))
                total[place - one.before] = (
                    value + self.units[first] * float(effect),
                    count + self.units[first],
                )
        return pd.Series({index: total[index][0] / total[index][1] for index in sorted(total)})

    def rmspe(self, *, before: bool) -> float:
        """Return the root mean squared distance, cohorts weighted by their units."""
        parts = [
            (one.rmspe_before if before else one.rmspe_after) for one in self.synthetics.values()
        ]
        return float(np.sqrt(np.average(np.square(parts), weights=list(self.units.values()))))


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
        cohort, time, outcome, donor_mean, synthetic, effect, before: the unit, the weighted mean
        of its donors, the same shifted to the unit's level of the years before, and outcome less
        synthetic.
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
    notes : tuple of Message
        What a reader must know.
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
    notes: tuple[Message, ...]


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
        chosen. Missing outcomes are unknown, not zero.
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
        `ci_*` the effects that this test does not reject, so that they exclude zero exactly where
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
        donors=donors,
        alpha=alpha,
        solver=solver,
        seed=seed,
    ).rows


def fit_synthetic(
    data: pd.DataFrame,
    *,
    donors: Donors = None,
    alpha: float = 0.05,
    solver: Solver = "exact",
    seed: int = 0,
) -> Synthetic:
    """Make a synthetic comparison and keep its weights, trajectories and placebos.

    Parameters
    ----------
    data : DataFrame
        As for `synthetic_did`, with cohort.
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
    panel = balanced_panel(data, donors=donors)
    own = _fit_units(panel, panel.cohorts, solver)
    others = _placebo_fits(panel, seed)
    table = _placebo_table(panel, others, alpha=alpha)
    near = table[table["compared"]]
    scale = near["scale"].to_numpy(np.float64)
    rows = _estimate_rows(panel, own, [others[unit] for unit in near["unit"]], scale, alpha=alpha)
    return Synthetic(
        rows=rows,
        weights=_weights(panel, own),
        period_weights=_period_weights(panel, own),
        path=_path(panel, own),
        placebos=table,
        leave_one_out=_leave_one_out(panel, own),
        rmspe_before=own.rmspe(before=True),
        mde=placebos.detectable(near["estimate"].to_numpy(np.float64) * scale, alpha=alpha),
        dropped=panel.dropped,
        notes=panel.notes,
    )


def _weights(panel: BalancedPanel, own: _Fit) -> pd.DataFrame:
    first_unit = {first: unit for unit, first in panel.cohorts.items()}
    parts = [
        pd.DataFrame(
            {
                "cohort": first,
                "unit": [u for u in panel.pools[first_unit[first]] if u not in panel.cohorts],
                "weight": one.weights,
            }
        )
        for first, one in own.synthetics.items()
    ]
    table = pd.concat(parts, ignore_index=True)
    carried = table[table["weight"] > 0]
    return carried.sort_values(
        ["cohort", "weight", "unit"], ascending=[True, False, True], ignore_index=True
    )


def _period_weights(panel: BalancedPanel, own: _Fit) -> pd.DataFrame:
    rows = [
        (first, time, float(weight))
        for first, one in own.synthetics.items()
        for time, weight in zip(panel.times, one.period_weights, strict=False)
    ]
    return pd.DataFrame(rows, columns=["cohort", "time", "weight"])


def _path(panel: BalancedPanel, own: _Fit) -> pd.DataFrame:
    rows = []
    for first, one in own.synthetics.items():
        units = [unit for unit, cohort in panel.cohorts.items() if cohort == first]
        trajectory = panel.rows(units).mean(axis=0)
        pool = [name for name in panel.pools[units[0]] if name not in panel.cohorts]
        mean = one.weights @ panel.rows(pool)
        parts = zip(panel.times, trajectory, mean, one.effects, strict=True)
        for time, outcome, average, effect in parts:
            rows.append((first, time, outcome, average, outcome - effect, effect, time < first))
    columns = ["cohort", "time", "outcome", "donor_mean", "synthetic", "effect", "before"]
    return pd.DataFrame(rows, columns=columns)


def _fit_units(panel: BalancedPanel, treated: Mapping[str, int], solver: Solver = "exact") -> _Fit:
    """Set each cohort of treated units against its weighted donors."""
    cohorts: dict[int, list[str]] = {}
    for unit, first in treated.items():
        cohorts.setdefault(first, []).append(unit)
    found = {}
    for first, units in sorted(cohorts.items()):
        pool = [name for name in panel.pools[units[0]] if name not in treated]
        found[first] = synthetic_unit(
            panel.rows(pool),
            panel.rows(units).mean(axis=0),
            panel.before(first),
            solver=solver,
            treated_units=len(units),
        )
    return _Fit(found, {first: len(units) for first, units in cohorts.items()})


def _placebo_fits(panel: BalancedPanel, seed: int) -> dict[str, _Fit]:
    """Make the same estimate where nothing happened: each donor once, or draws of as many."""
    donors = [unit for unit in panel.units if unit not in panel.cohorts]
    if len(panel.cohorts) == 1:
        (first,) = panel.cohorts.values()
        able = [unit for unit in donors if len(panel.pools[unit]) >= LEAST_DONORS]
        return {unit: _fit_units(panel, {unit: first}) for unit in able}
    if len(donors) < len(panel.cohorts) + LEAST_DONORS:
        return {}
    rng = np.random.default_rng(seed)
    found = {}
    for draw in range(MOST_DRAWS):
        chosen = rng.choice(donors, size=len(panel.cohorts), replace=False)
        treated = dict(zip(map(str, chosen), panel.cohorts.values(), strict=True))
        found[f"draw {draw + 1}"] = _fit_units(panel, treated)
    return found


def _placebo_table(
    panel: BalancedPanel, others: Mapping[str, _Fit], *, alpha: float
) -> pd.DataFrame:
    """List the placebos: estimate, distances before and after, scale, compared or not."""
    table = pd.DataFrame(
        {
            "unit": list(others),
            "estimate": [fit.average() for fit in others.values()],
            "rmspe_before": [fit.rmspe(before=True) for fit in others.values()],
            "rmspe_after": [fit.rmspe(before=False) for fit in others.values()],
        }
    ).astype({"unit": "str"})
    sizes = _known_sizes(panel, table)
    if sizes is None:
        return table.assign(scale=1.0, compared=True)
    at, own = sizes
    spread = placebos.size_spread(
        table["estimate"].to_numpy(np.float64), at, np.concatenate([at, [own]])
    )
    scale = spread[-1] / spread[:-1] if (spread > 0).all() else np.ones(len(at))
    return table.assign(scale=scale, compared=placebos.nearest_sizes(at, own, alpha=alpha))


def _known_sizes(panel: BalancedPanel, table: pd.DataFrame) -> tuple[Floats, float] | None:
    """Return the placebos' sizes and the unit's own; none where placebos cannot be told by size."""
    if panel.sizes is None or len(panel.cohorts) != 1 or len(table) < LEAST_DONORS:
        return None
    sizes = pd.Series(panel.sizes, index=list(panel.units))
    at = np.asarray(sizes[table["unit"]], dtype=np.float64)
    own = float(sizes[next(iter(panel.cohorts))])
    return (at, own) if (at > 0).all() and own > 0 else None


def _leave_one_out(panel: BalancedPanel, own: _Fit) -> pd.DataFrame:
    """Leave out each donor of some weight, to see whether one of them carries the result."""
    rows = []
    if len(panel.cohorts) == 1 and len(panel.pools[next(iter(panel.cohorts))]) > LEAST_DONORS:
        ((unit, first),) = panel.cohorts.items()
        pool = panel.pools[unit]
        (one,) = own.synthetics.values()
        for place, name in enumerate(pool):
            if one.weights[place] >= MATERIAL:
                rest = [other for other in pool if other != name]
                treated = panel.rows([unit])[0]
                again = synthetic_unit(panel.rows(rest), treated, panel.before(first))
                rows.append((name, again.estimate))
    return pd.DataFrame(rows, columns=["unit", "estimate"])


def _estimate_rows(
    panel: BalancedPanel, own: _Fit, others: Sequence[_Fit], scale: Floats, *, alpha: float
) -> pd.DataFrame:
    """Return the simple, cohort and event rows, each judged by the same of the placebos.

    Parameters
    ----------
    panel : BalancedPanel
        The panel.
    own : Fit
        The treated units against their weighted donors.
    others : sequence of Fit
        The placebos.
    scale : array
        By what each placebo is multiplied to be comparable.
    alpha : float
        Significance level.
    """
    effects = pd.DataFrame([fit.events() for fit in others])
    donors = len(panel.units) - len(panel.cohorts)
    same = np.array([fit.average() for fit in others], dtype=np.float64) * scale
    rows = [_row("simple", 0, own.average(), same, alpha)]
    for cohort, one in own.synthetics.items() if len(own.synthetics) > 1 else ():
        same = (
            np.array([fit.synthetics[cohort].estimate for fit in others], dtype=np.float64) * scale
        )
        rows.append(_row("cohort", cohort, one.estimate, same, alpha))
    events = own.events()
    after = [index for index in events.index if index >= 0]
    band = _band(effects.reindex(columns=after).to_numpy(np.float64), scale, alpha)
    for index, value in events.items():
        paths = effects[index].to_numpy(np.float64) * scale if len(effects) else np.empty(0)
        row = _row("event", int(str(index)), float(value), paths, alpha)
        width = row["half_width"]
        if row["index"] >= 0:
            width = max(width, band * row["std_error"])
        row |= {"band_lower": row["estimate"] - width, "band_upper": row["estimate"] + width}
        rows.append(row)
    out = pd.DataFrame(rows).assign(
        cohort=lambda t: t["index"].where(t["aggregation"].eq("cohort"), 0),
        schools_treated=len(panel.cohorts),
        schools_comparison=donors,
        pupils=pd.array([pd.NA] * len(rows), dtype="Int64"),
        largest_share=max(float(m.weights.max()) for m in own.synthetics.values()),
    )
    for prefix in ("lower", "upper"):
        out[f"band_{prefix}"] = out[f"band_{prefix}"].fillna(out[f"ci_{prefix}"])
    return out[list(ROW_COLUMNS)]


def _row(
    aggregation: str, index: int, estimate: float, same: Floats, alpha: float
) -> dict[str, Any]:
    """Judge an estimate by its placebos; without enough of them it has no interval."""
    width = placebos.critical_value(same, alpha=alpha)
    enough = bool(np.isfinite(width))
    unknown = float("nan")
    return {
        "aggregation": aggregation,
        "index": index,
        "estimate": estimate,
        "std_error": float(same.std()) if len(same) > 1 else unknown,
        "df": float(len(same) - 1) if len(same) > 1 else unknown,
        "ci_lower": estimate - width if enough else unknown,
        "ci_upper": estimate + width if enough else unknown,
        "band_lower": unknown,
        "band_upper": unknown,
        "half_width": width if enough else unknown,
        "p_value": placebos.rank_p_value(estimate, same) if len(same) else unknown,
        "status": "" if enough else names.UNAVAILABLE,
        "reason": Message() if enough else Message("too_few_placebos"),
    }


def _band(paths: Floats, scale: Floats, alpha: float) -> float:
    """Return in how many standard errors a share of placebos lies throughout."""
    scaled = paths * scale[:, np.newaxis] if len(paths) else paths
    if scaled.size == 0:
        return float("nan")
    error = np.sqrt(np.mean(scaled**2, axis=0))
    furthest = np.max(np.abs(scaled) / np.where(error > 0, error, np.inf), axis=1)
    width = placebos.critical_value(furthest, alpha=alpha)
    return width if np.isfinite(width) else float("nan")
