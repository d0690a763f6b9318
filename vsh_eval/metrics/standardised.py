"""The gap of every year as it would have been had the mix of children stayed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval.contracts import ContractError
from vsh_eval.metrics.clusters import Moments
from vsh_eval.metrics.composed import FIRST, LAST, Asked, Block, composed
from vsh_eval.metrics.door import comparable
from vsh_eval.metrics.kitagawa import added, divide
from vsh_eval.metrics.linearised import std_error, with_limits
from vsh_eval.metrics.measured import FloatArray
from vsh_eval.metrics.strata import FACTORS, Slopes, Sums
from vsh_eval.metrics.tables import Columns, interval

STANDARDISED_COLUMNS = (
    *FIRST,
    "baseline",
    *("group_level", "reference_level", "gap"),
    *("standardised_group_level", "standardised_reference_level"),
    *("standardised_gap", "standardised_gap_lower", "standardised_gap_upper"),
    *("standardised_gap_std_error", "group_coverage", "reference_coverage"),
    *LAST,
)


def standardised_gap(
    composition: pd.DataFrame,
    *,
    group: str,
    reference: str,
    baseline: int,
    moments: Moments | None = None,
    metrics: Sequence[str] | None = None,
    unit_id: str = "",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Measure every year's gap with the make-up both groups had in the baseline year.

    Parameters
    ----------
    composition, group, reference, moments, metrics, unit_id, alpha
        As for `decompose`.
    baseline : int
        The academic year whose make-up is kept, for example 201819.

    Returns
    -------
    DataFrame
        `STANDARDISED_COLUMNS`, one row for each metric, phase (and the total of phases) and year.
        ``standardised_gap`` beside ``gap``, with the two standardised levels.
        ``group_coverage`` and ``reference_coverage``: the share (0 to 1) of the baseline's
        denominator in strata that still have pupils; the rest is spread over those. Where a group
        is empty in the year, or was in the baseline year, NaN and z; x where the metric has no
        data.

    Raises
    ------
    ContractError
        If the baseline is not a year of the table, or what `decompose` refuses.
    VintageError, CohortRuleError
        If two vintages or cohort rules stand side by side.

    Notes
    -----
    standardised level = sum p(baseline) R(year) over strata of phase x sen x fsm6 x sex. The
    baseline's make-up is taken as it was, so its own chance is not part of the interval. Where the
    gap moves and the standardised gap does not, the mix of children moved.

    Examples
    --------
    >>> row = {"source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...        "level": "la", "unit_id": "E1", "phase": "primary", "sex": "F", "fsm6": 0,
    ...        "metric": "persistent_absence", "year_group": 4, "rate": None, "status": ""}
    >>> cells = [(201819, "cin", "N", 30, 6), (201819, "cin", "K", 10, 4),
    ...          (202425, "cin", "N", 10, 2), (202425, "cin", "K", 30, 12),
    ...          (201819, "peers", "N", 500, 50), (202425, "peers", "N", 500, 50)]
    >>> composition = pd.DataFrame([
    ...     row | {"time_period": t, "group": g, "sen": s, "pupils": n, "numerator": y,
    ...            "denominator": n, "sum_yy": y, "sum_xy": y, "sum_xx": n}
    ...     for t, g, s, n, y in cells])
    >>> found = standardised_gap(composition, group="cwsw", reference="peers", baseline=201819)
    >>> found.loc[(found["phase"] == "total") & (found["status"] == ""),
    ...           ["time_period", "gap", "standardised_gap"]].round(6).values.tolist()
    [[201819.0, 15.0, 15.0], [202425.0, 25.0, 15.0]]
    """
    years = sorted({int(year) for year in composition["time_period"]})
    if baseline not in years:
        raise ContractError(
            f"baseline is {baseline}, must be one of {', '.join(map(str, years))}; choose a year "
            "that the composition holds."
        )

    def measure(block: Block) -> Columns:
        return _measure(block, block.strata.years.index(baseline))

    return composed(
        composition,
        measure,
        STANDARDISED_COLUMNS,
        factors=FACTORS,
        asked=Asked(group, reference, moments, metrics, unit_id, alpha),
    )


def _measure(block: Block, baseline: int) -> Columns:
    strata, metric = block.strata, block.strata.metric
    sides = [strata.of_group(name) for name in block.groups]
    levels, errors, covers = [], [], []
    for side in sides:
        value, slopes, cover = _kept(side, baseline)
        levels.append(np.where(cover > 0, value, np.nan))
        errors.append(slopes)
        covers.append(cover)
    error = std_error(
        strata,
        [(block.groups[0], errors[0]), (block.groups[1], -errors[1])],
        block.schools,
    )
    gap = levels[0] - levels[1]
    found = with_limits(strata, gap, error, block.groups, alpha=block.alpha)
    columns: dict[str, NDArray] = {**interval("standardised_gap", found, scale=metric.scale)}
    columns["measured"] = known = np.isfinite(columns["standardised_gap"])
    own = [metric.scale * divide(added(side.y), added(side.x)) for side in sides]
    for name, value in (
        ("group_level", own[0]),
        ("reference_level", own[1]),
        ("gap", own[0] - own[1]),
        ("standardised_group_level", metric.scale * levels[0]),
        ("standardised_reference_level", metric.scale * levels[1]),
        ("group_coverage", covers[0]),
        ("reference_coverage", covers[1]),
    ):
        columns[name] = np.where(known, value, np.nan)
    year = strata.years[baseline]
    columns["baseline"] = np.full(len(strata.years), year, dtype=np.int64)
    columns["comparable"] = comparable(metric, strata.years) & comparable(metric, [year])
    return columns


def _kept(side: Sums, baseline: int) -> tuple[FloatArray, Slopes, FloatArray]:
    """Return the level with the baseline's make-up, its slopes, and the share still there."""
    whole = side.x[baseline]
    kept = np.where(side.x > 0, whole[None], 0.0)
    size = added(kept)
    weight = divide(kept, size.reshape(-1, *[1] * whole.ndim))
    rate = divide(side.y, side.x)
    in_y = divide(weight, side.x)
    cover = divide(size, np.full_like(size, whole.sum()))
    return added(weight * rate), Slopes(in_y, -in_y * rate), cover
