"""How much of a gap goes with who the children are, and how much does not."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval.metrics import kitagawa
from vsh_eval.metrics.clusters import Moments
from vsh_eval.metrics.composed import FIRST, LAST, Asked, Block, composed
from vsh_eval.metrics.linearised import of_part
from vsh_eval.metrics.measured import Contrast, difference
from vsh_eval.metrics.strata import FACTORS
from vsh_eval.metrics.strata_levels import two_levels
from vsh_eval.metrics.tables import Columns, interval


def _with_limits(*stems: str) -> tuple[str, ...]:
    endings = ("", "_lower", "_upper", "_std_error")
    return tuple(f"{stem}{ending}" for stem in stems for ending in endings)


DECOMPOSITION_COLUMNS = (
    *FIRST,
    *("group_level", "reference_level"),
    *_with_limits("gap", "composition", "rates"),
    *_with_limits(*(f"composition_{factor}" for factor in FACTORS)),
    *("strata", "group_alone", "reference_alone"),
    *LAST,
)


def decompose(
    composition: pd.DataFrame,
    *,
    group: str,
    reference: str,
    moments: Moments | None = None,
    metrics: Sequence[str] | None = None,
    unit_id: str = "",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Split a gap into what goes with who the children are and what does not (Kitagawa).

    Parameters
    ----------
    composition : DataFrame
        The authority's strata of pupils (`vsh_eval.names.COMPOSITION_COLUMNS`).
    group, reference : str
        Whose level is compared with whose, as for `gaps`.
    moments : Moments, optional
        How far the same pupils' schools differ, and how many they are. Without it pupils count as
        independent, and intervals are too narrow.
    metrics : sequence of str, optional
        Metrics by name; all of the table's if not given.
    unit_id : str
        The authority's code.
    alpha : float
        One less the coverage of the intervals.

    Returns
    -------
    DataFrame
        `DECOMPOSITION_COLUMNS`, one row for each metric, phase (and the total of phases) and year.
        In the unit of the gap: ``gap`` = ``composition`` + ``rates``, and ``composition`` is the
        sum of ``composition_phase``, ``_sen``, ``_fsm6`` and ``_sex``, each with its interval.
        ``strata`` counts the strata in which the group has pupils; ``group_alone`` and
        ``reference_alone`` are the shares (0 to 1) of the one's denominator in strata where the
        other has nobody. Where either group is empty (z) or the metric has no data (x), NaN.

    Raises
    ------
    ContractError
        If group and reference are the same, a table is against its contract, or two of them count
        different pupils.
    VintageError, CohortRuleError
        If two vintages or cohort rules stand side by side.

    Notes
    -----
    Over strata of phase x sen x fsm6 x sex, with shares p, q of the denominators and rates R, S of
    group and reference:

        composition = sum (p - q) (R + S) / 2        rates = sum (p + q) / 2 (R - S)

    A stratum in which one of the two has nobody takes the other's rate there, so that it counts as
    composition and never as a difference in rates. Factors: Shapley values, free of any order
    (`vsh_eval.metrics.kitagawa.by_factor`). Intervals: delta method, clustered by school
    (`vsh_eval.metrics.linearised`), t with G - 1 degrees of freedom, G being the schools of the
    group that is in fewer; that of the gap is the one of `gaps`.
    A composition part says what goes together; it does not say what causes what.

    References
    ----------
    Kitagawa (1955), *JASA* 50, 1168-1194.

    Examples
    --------
    Half of the cohort has SEN support and a fifth of the peers; rates are 20 and 40 % against 10
    and 30 %:

    >>> row = {"source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...        "level": "la", "unit_id": "E1", "time_period": 202425, "phase": "primary",
    ...        "metric": "persistent_absence", "sex": "F", "fsm6": 0, "year_group": 4,
    ...        "rate": None, "status": ""}
    >>> cells = [("cin", "N", 20, 4), ("cin", "K", 20, 8), ("peers", "N", 400, 40),
    ...          ("peers", "K", 100, 30)]
    >>> composition = pd.DataFrame([
    ...     row | {"group": g, "sen": s, "pupils": n, "numerator": y, "denominator": n,
    ...            "sum_yy": y, "sum_xy": y, "sum_xx": n} for g, s, n, y in cells])
    >>> found = decompose(composition, group="cwsw", reference="peers").iloc[-1]
    >>> found[["gap", "composition", "rates", "composition_sen"]].astype(float).round(6).tolist()
    [16.0, 6.0, 10.0, 6.0]
    """
    return composed(
        composition,
        _measure,
        DECOMPOSITION_COLUMNS,
        factors=FACTORS,
        asked=Asked(group, reference, moments, metrics, unit_id, alpha),
    )


def _measure(block: Block) -> Columns:
    strata, scale = block.strata, block.strata.metric.scale
    sides = [strata.of_group(name) for name in block.groups]
    mix = kitagawa.mix_of(*sides)
    named = {
        "composition": kitagawa.composition(mix),
        "rates": kitagawa.rates(mix),
        **{
            f"composition_{factor}": part
            for factor, part in zip(strata.factors, kitagawa.by_factor(mix), strict=True)
        },
    }
    columns: dict[str, NDArray] = {**interval("gap", _gap(block), scale=scale)}
    for name, part in named.items():
        found = of_part(strata, part, block.groups, block.schools, alpha=block.alpha)
        columns |= interval(name, found, scale=scale)
    columns["measured"] = there = np.isfinite(columns["gap"])
    for name, value in (
        ("group_level", scale * kitagawa.added(mix.p * mix.r)),
        ("reference_level", scale * kitagawa.added(mix.q * mix.s)),
        ("strata", kitagawa.added((mix.p > 0).astype(np.float64))),
        ("group_alone", kitagawa.added(mix.p * mix.only_p)),
        ("reference_alone", kitagawa.added(mix.q * mix.only_q)),
    ):
        columns[name] = np.where(there, value, np.nan)
    return columns


def _gap(block: Block) -> Contrast:
    """Return the gap as `gaps` has it."""
    levels = two_levels(block.strata, block.groups, block.schools, alpha=block.alpha)
    metric = block.strata.metric
    return difference(*levels, metric=metric, same_pupils=True, alpha=block.alpha)
