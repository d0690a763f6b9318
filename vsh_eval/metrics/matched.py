"""The gap against pupils who are alike: same phase, free school meals and SEN status."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval.metrics.clusters import Moments
from vsh_eval.metrics.composed import FIRST, LAST, Asked, Block, composed
from vsh_eval.metrics.kitagawa import added, divide
from vsh_eval.metrics.linearised import std_error, with_limits
from vsh_eval.metrics.strata import Slopes
from vsh_eval.metrics.tables import Columns, interval

ALIKE = ("phase", "fsm6", "sen")
"""What pupils must share to be alike."""

MATCHED_COLUMNS = (
    *FIRST,
    *("matched_pupils", "coverage"),
    *("group_level", "group_level_lower", "group_level_upper", "group_level_std_error"),
    *("matched_level", "matched_level_lower", "matched_level_upper", "matched_level_std_error"),
    *("matched_gap", "matched_gap_lower", "matched_gap_upper", "matched_gap_std_error"),
    "gap",
    *LAST,
)


def matched_gap(
    composition: pd.DataFrame,
    *,
    group: str,
    reference: str,
    moments: Moments | None = None,
    metrics: Sequence[str] | None = None,
    unit_id: str = "",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Measure the gap against the reference's pupils of the same phase, free meals and SEN.

    Parameters
    ----------
    composition, group, reference, moments, metrics, unit_id, alpha
        As for `decompose`.

    Returns
    -------
    DataFrame
        `MATCHED_COLUMNS`, one row for each metric, phase (and the total of phases) and year.
        ``matched_level``: the reference's level if it were made up as the group is;
        ``group_level``: of the group's pupils who have anybody alike (``matched_pupils``);
        ``matched_gap``: the difference of the two; ``coverage``: their share of the group's
        denominator, 0 to 1; ``gap``: the plain gap of all. Where nobody has anybody alike, or a
        group is empty, NaN and the status z; x where the metric has no data.

    Raises
    ------
    ContractError
        If group and reference are the same, a table is against its contract, or two of them count
        different pupils.
    VintageError, CohortRuleError
        If two vintages or cohort rules stand side by side.

    Notes
    -----
    Direct standardisation: matched level = sum w S over the strata both have, w being the group's
    denominators there, S the reference's rates. So matched gap = sum (y - x S) / sum x over the
    matched pupils of the group. Interval: delta method, clustered by school as for `decompose`,
    the group's make-up and the reference's rates both uncertain.

    Examples
    --------
    >>> row = {"source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...        "level": "la", "unit_id": "E1", "time_period": 202425, "phase": "primary",
    ...        "metric": "persistent_absence", "sex": "F", "fsm6": 0, "year_group": 4,
    ...        "rate": None, "status": ""}
    >>> cells = [("cin", "N", 20, 4), ("cin", "K", 20, 8), ("peers", "N", 400, 40),
    ...          ("peers", "K", 100, 30)]
    >>> composition = pd.DataFrame([
    ...     row | {"group": g, "sen": s, "pupils": n, "numerator": y, "denominator": n,
    ...            "sum_yy": y, "sum_xy": y, "sum_xx": n} for g, s, n, y in cells])
    >>> found = matched_gap(composition, group="cwsw", reference="peers").iloc[-1]
    >>> found[["gap", "matched_level", "matched_gap"]].astype(float).round(6).tolist()
    [16.0, 20.0, 10.0]
    """
    return composed(
        composition,
        _measure,
        MATCHED_COLUMNS,
        factors=ALIKE,
        asked=Asked(group, reference, moments, metrics, unit_id, alpha),
    )


def _measure(block: Block) -> Columns:
    strata, scale = block.strata, block.strata.metric.scale
    group, reference = (strata.of_group(name) for name in block.groups)
    both = (group.x > 0) & (reference.x > 0)
    x, rate = np.where(both, group.x, 0.0), divide(reference.y, reference.x)
    y = np.where(both, group.y, 0.0)
    size = added(x)
    own, alike = divide(added(y), size), divide(added(x * rate), size)
    there = size > 0
    per_child = np.where(both, divide(np.ones_like(x), _wide(size, x)), 0.0)
    weight = divide(x, _wide(size, x))
    in_y = divide(weight, reference.x)
    of_reference = Slopes(in_y, -in_y * rate)
    of_own = Slopes(per_child, -per_child * _wide(own, x))
    of_alike = Slopes(np.zeros_like(x), per_child * (rate - _wide(alike, x)))
    of_gap = Slopes(of_own.y, of_own.x - of_alike.x)
    columns: dict[str, NDArray] = {}
    for name, value, mine, theirs in (
        ("group_level", own, of_own, None),
        ("matched_level", alike, of_alike, of_reference),
        ("matched_gap", own - alike, of_gap, -of_reference),
    ):
        sides = [(block.groups[0], mine)] + ([(block.groups[1], theirs)] if theirs else [])
        error = std_error(strata, sides, block.schools, own_rates=False)
        known = np.where(there, value, np.nan)
        found = with_limits(strata, known, error, block.groups, alpha=block.alpha)
        columns |= interval(name, found, scale=scale)
    levels = [divide(added(side.y), added(side.x)) for side in (group, reference)]
    columns["measured"] = known = np.isfinite(columns["matched_gap"])
    for name, value in (
        ("matched_pupils", added(np.where(both, group.pupils, 0.0))),
        ("coverage", divide(size, added(group.x))),
        ("gap", scale * (levels[0] - levels[1])),
    ):
        columns[name] = np.where(known, value, np.nan)
    return columns


def _wide(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Give an array of years the axes of strata."""
    return np.broadcast_to(values.reshape(-1, *[1] * (like.ndim - 1)), like.shape)
