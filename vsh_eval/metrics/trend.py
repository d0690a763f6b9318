"""How fast a gap has moved over all comparable years, and how fast each of the two groups has."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names, registry
from vsh_eval.cells.level import Contrast, FloatArray, Level, difference, worst_status
from vsh_eval.cells.tables import Cells, Columns, cells_of, interval, same_text, table
from vsh_eval.columns import CELL, LAST, released, with_interval
from vsh_eval.contracts import produces
from vsh_eval.metrics.changes import definition_changed, direction
from vsh_eval.numerics.levels import ratios
from vsh_eval.numerics.levels.contrasts import combine, contrast_limits, correlations, slope_weights
from vsh_eval.panel import Comparison, Panel, comparable, slice_for

TREND_COLUMNS = (
    *(*CELL[:3], "first_year", "years", *CELL[3:], *with_interval("trend"), "df"),
    *with_interval("group_trend", "reference_trend"),
    *("direction", "definition_changed", *LAST, "reason"),
)
FEWEST_YEARS = 3
TOO_FEW_YEARS = "too_few_years"
"""The reason of a trend that cannot be made."""


@produces("trends", released(TREND_COLUMNS))
def trend(panel: Panel, comparison: Comparison) -> pd.DataFrame:
    """Fit a straight line to the gap, and to each group's level, over the comparable years.

    group_trend - reference_trend = trend: all three have the same years and weights.

    Parameters
    ----------
    panel, comparison
        As for `gaps`.

    Returns
    -------
    DataFrame
        `TREND_COLUMNS`, one row for each area, metric and phase (and the total of phases).
        `trend` is the change a year in `gap_unit`; `years` is how many years carry the line, from
        `first_year` to `time_period`: those that the registry allows in a trend and in which both
        groups have a level. With fewer than three of them the trend is NaN, the status x (c where
        years are hidden) and the `reason` too_few_years. `direction` is narrowed, widened, not
        clear, or '' where there is no interval; `definition_changed` is true where the series was
        redefined within the span.

    Raises
    ------
    ContractError
        If a name or the panel is against its contract.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

    Notes
    -----
    Least squares with every year alike: sum (t - mean t) gap / sum (t - mean t)^2. Weighting years
    by their precision would give the two groups different lines, whose difference is not the line
    of the gap. Returns: influence values of the years add school by school with these weights, so
    schools and children that recur are counted; t with the schools of the year that has fewest,
    less one. For shares of children the years' own limits are joined with that covariance (MOVER).
    Where one school alone remains, the years' errors are added, the most their covariance could
    make. Published: the years' score intervals joined as if independent; sessions and points have
    none. The interval says how sure the line through these years is, not whether the years ahead
    will follow it.

    Examples
    --------
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": "1", "phase": "primary", "metric": "overall_absence",
    ...     "time_period": [202122, 202122, 202223, 202223, 202324, 202324],
    ...     "group": ["cin", "peers"] * 3, "pupils": [3, 30] * 3,
    ...     "numerator": [150.0, 450.0, 130.0, 440.0, 110.0, 430.0],
    ...     "denominator": [1000.0, 10000.0] * 3,
    ...     "sum_yy": 0.0, "sum_xy": 0.0, "sum_xx": 0.0, "rate": float("nan"), "status": "",
    ... })
    >>> slopes = trend(panel, Comparison("cwsw", "peers")).iloc[-1]
    >>> slopes[["trend", "group_trend", "reference_trend", "years"]].astype(float).round(2).tolist()
    [-1.9, -2.0, -0.1, 3.0]
    """
    sliced = slice_for(panel, comparison)
    blocks = [_block(cells, comparison) for cells in cells_of(sliced, unit_id=comparison.unit_id)]
    return table(blocks, TREND_COLUMNS, sliced=sliced)


def _block(cells: Cells, comparison: Comparison) -> Columns:
    """Return one metric's trends, a row for each block of years."""
    metric, years = cells.metric, np.array(cells.years, dtype=np.int64)
    first, second = (cells.measure(name) for name in comparison.pair)
    gap = difference(first, second, metric=metric, same_pupils=True)
    known = ~np.isnan(gap.value).reshape(-1, len(years))
    used = known & comparable(metric, cells.years)
    count = used.sum(axis=1)
    enough = count >= FEWEST_YEARS
    starts = (years // 100).astype(np.float64)
    weights = np.where(enough[:, None], slope_weights(starts, used), np.nan)
    slopes = {
        name: _slope(side, weights, metric)
        for name, side in (("trend", gap), ("group_trend", first), ("reference_trend", second))
    }
    ends = _ends(used, years)
    moved = slopes["trend"]
    rows = len(count)
    columns: dict[str, NDArray] = {
        **{name: values[:: len(years)] for name, values in cells.keys.items()},
        "time_period": ends[1],
        "first_year": ends[0],
        "years": count,
        **same_text(rows, metric=metric.name),
        **same_text(rows, group=comparison.group, reference=comparison.reference),
        **{
            column: values
            for name, slope in slopes.items()
            for column, values in interval(name, slope, scale=metric.scale).items()
        },
        "df": moved.df,
        "direction": direction(moved.lower, moved.upper, metric, comparable=enough),
        "definition_changed": definition_changed(metric, list(zip(*ends, strict=True))),
        **same_text(rows, unit=metric.unit, gap_unit=metric.gap_unit),
        "comparable": enough,
        "status": _status(enough, first.status, second.status, len(years)),
        "reason": np.where(enough, "", TOO_FEW_YEARS).astype(object),
    }
    present = (first.present & second.present).reshape(-1, len(years)).any(axis=1)
    return {name: values[present] for name, values in columns.items()}


def _slope(level: Level | Contrast, weights: FloatArray, metric: registry.Metric) -> Contrast:
    """Return the weighted sum of the years of one level or gap, with its interval."""
    value = level.level if isinstance(level, Level) else level.value
    shape = weights.shape
    years = value.reshape(shape), level.lower.reshape(shape), level.upper.reshape(shape)
    errors = weights * np.where(weights == 0, 0.0, level.std_error.reshape(shape))
    if level.estimate is None:
        alone = np.broadcast_to(np.eye(shape[1]), (*shape, shape[1]))
        slope, lower, upper = contrast_limits(years, weights, alone)
        std_error = np.sqrt((errors**2).sum(axis=1))
        return Contrast(slope, lower, upper, std_error, np.full_like(slope, np.nan))
    estimate = combine(level.estimate, weights)
    # A share of exactly 0 or 100% has no error, so neither has a line through it.
    std_error = np.where(np.isnan(errors).any(axis=1), np.nan, estimate.std_error)
    if metric.counts == "children":
        together = _together(level.estimate, weights, errors, one_school=estimate.clusters == 1)
        _, lower, upper = contrast_limits(years, weights, together)
    else:
        lower, upper = ratios.t_interval(estimate.value, std_error, estimate.df)
    return Contrast(estimate.value, lower, upper, std_error, estimate.df, estimate)


def _together(
    estimate: ratios.Estimate,
    weights: FloatArray,
    errors: FloatArray,
    *,
    one_school: NDArray[np.bool_],
) -> FloatArray:
    """Return how the years go together: by school, and the most they could in one school."""
    sign = np.sign(weights)
    most = sign[:, :, None] * sign[:, None, :]
    certain = np.isnan(errors)
    # A share of exactly 0 or 100% has the limits of its children, not of its schools.
    apart = certain[:, :, None] | certain[:, None, :]
    alone = np.eye(weights.shape[1], dtype=bool)
    by_school = np.where(apart & ~alone, 0.0, correlations(estimate, weights.shape))
    return np.where(one_school[:, None, None], most, by_school)


def _ends(
    used: NDArray[np.bool_], years: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and last year used, or of all years where none is."""
    some = used.any(axis=1)
    first = np.where(some, years[used.argmax(axis=1)], years[0])
    last = np.where(some, years[::-1][used[:, ::-1].argmax(axis=1)], years[-1])
    return first, last


def _status(
    enough: NDArray[np.bool_],
    group: NDArray[np.object_],
    reference: NDArray[np.object_],
    years: int,
) -> NDArray[np.object_]:
    """Return c where too few years are left because some are hidden, else x."""
    hidden = (worst_status(group, reference) == names.CONFIDENTIAL).reshape(-1, years).any(axis=1)
    missing = np.where(hidden, names.CONFIDENTIAL, names.UNAVAILABLE)
    return np.where(enough, "", missing).astype(object)
