"""One group's level in each cell, and the difference of two: the same for all kinds of cells.

Levels are ratios here (proportions or mean points); percentages are made where tables are.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.numerics.arrays import Floats as FloatArray
from vsh_eval.numerics.levels import proportions, ratios
from vsh_eval.registry import Metric

_SEVERITY = (
    names.CONFIDENTIAL,
    names.UNAVAILABLE,
    names.UNRELIABLE,
    names.LOW,
    names.NOT_APPLICABLE,
)


@dataclass(frozen=True, slots=True)
class Level:
    """One group's level, cell by cell; all arrays have as many items as there are cells.

    Attributes
    ----------
    pupils, schools : FloatArray
        Counts; NaN where there is no data or, for schools, where the table is published.
    numerator, denominator : FloatArray
        The two sums; NaN where there is no data or only a rate is published.
    level, lower, upper, std_error : FloatArray
        Numerator / denominator, its interval and standard error.
    df : FloatArray
        Degrees of freedom of the interval; NaN where it is a score interval.
    largest_share : FloatArray
        The largest school's share of the pupils, 0 to 1.
    fixed : bool array
        Whether the level is a published rate without its counts, taken as known.
    certain : bool array
        Whether none or all of the children count, so that schools do not vary at all.
    status : str array
        '' or the symbol of a value that is not there.
    present : bool array
        Whether the cell belongs in a table.
    estimate : Estimate or None
        The schools' influence values; None where the table is published.
    sum_yy : FloatArray
        Sum of the pupils' squared y: whether one child makes most of the numerator.
    key_n, key_y : int array
        Sums of record keys of the pupils, and of those in the numerator; zero where there are none.
    """

    pupils: FloatArray
    schools: FloatArray
    numerator: FloatArray
    denominator: FloatArray
    level: FloatArray
    lower: FloatArray
    upper: FloatArray
    std_error: FloatArray
    df: FloatArray
    largest_share: FloatArray
    fixed: NDArray[np.bool_]
    certain: NDArray[np.bool_]
    status: NDArray[np.object_]
    present: NDArray[np.bool_]
    estimate: ratios.Estimate | None
    sum_yy: FloatArray
    key_n: NDArray[np.int64]
    key_y: NDArray[np.int64]

    def take(self, cells: NDArray[np.intp]) -> "Level":
        """Return some of the cells, in the order given."""
        chosen: dict[str, Any] = {
            field.name: getattr(self, field.name)[cells]
            for field in fields(self)
            if field.name != "estimate"
        }
        return Level(**chosen, estimate=self.estimate and self.estimate.take(cells))

    def limits(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return value, lower and upper limit; a level taken as known is its own limits."""
        return (
            self.level,
            np.where(self.fixed, self.level, self.lower),
            np.where(self.fixed, self.level, self.upper),
        )


@dataclass(frozen=True, slots=True)
class Contrast:
    """A difference or a ratio, cell by cell, with its interval."""

    value: FloatArray
    lower: FloatArray
    upper: FloatArray
    std_error: FloatArray
    df: FloatArray
    estimate: ratios.Estimate | None = None

    def __neg__(self) -> "Contrast":
        estimate = self.estimate and -self.estimate
        return Contrast(-self.value, -self.upper, -self.lower, self.std_error, self.df, estimate)

    def limits(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return value, lower and upper limit."""
        return self.value, self.lower, self.upper

    def take(self, cells: NDArray[np.intp]) -> "Contrast":
        """Return some of the cells in the order given, missing where the place is -1."""

        def at(values: FloatArray) -> FloatArray:
            return np.where(cells >= 0, values[cells], np.nan)

        return Contrast(
            at(self.value),
            at(self.lower),
            at(self.upper),
            at(self.std_error),
            at(self.df),
            self.estimate and self.estimate.take(cells),
        )


def difference(first: Level, second: Level, *, metric: Metric, same_pupils: bool) -> Contrast:
    """Subtract two levels.

    Schools known: influence values subtract school by school. Published: the errors add, a rate
    without its counts taken as fixed.
    """
    value = first.level - second.level
    if first.estimate is None or second.estimate is None:
        known = first.fixed & second.fixed
        errors = (np.where(side.fixed, 0.0, side.std_error) for side in (first, second))
        std_error = np.where(known, np.nan, np.hypot(*errors))
        lower, upper = proportions.difference_limits(first.limits(), second.limits())
        lower, upper = (np.where(known, np.nan, limit) for limit in (lower, upper))
        return Contrast(value, lower, upper, std_error, np.full_like(value, np.nan))
    estimate = ratios.difference(first.estimate, second.estimate, same_pupils=same_pupils)
    limits = _limits(first, second, estimate, metric=metric)
    std_error = np.where(first.certain | second.certain, np.nan, estimate.std_error)
    return Contrast(value, *limits, std_error, estimate.df, estimate)


def change(now: Contrast, before: Contrast, *, metric: Metric) -> Contrast:
    """Subtract two years' gaps, school by school where schools are known."""
    value = now.value - before.value
    if now.estimate is None or before.estimate is None:
        lower, upper = proportions.difference_limits(now.limits(), before.limits())
        return Contrast(value, lower, upper, np.hypot(now.std_error, before.std_error), now.df)
    estimate = ratios.difference(now.estimate, before.estimate, same_pupils=False)
    limits = _limits(now, before, estimate, metric=metric)
    uncertain = np.isnan(now.std_error) | np.isnan(before.std_error)
    std_error = np.where(uncertain, np.nan, estimate.std_error)
    return Contrast(value, *limits, std_error, estimate.df, estimate)


def _limits(
    first: "Level | Contrast",
    second: "Level | Contrast",
    between: ratios.Estimate,
    *,
    metric: Metric,
) -> tuple[FloatArray, FloatArray]:
    """Return a difference's limits: plain t, or for shares of children their own limits joined.

    Joining keeps the skewness of a small share, counts the covariance, and holds where a share is
    exactly 0 or 1 and schools do not vary at all. With symmetric limits it is the t interval.
    """
    if metric.counts != "children":
        return ratios.t_interval(between.value, between.std_error, between.df)
    shared = ratios.correlation(first.std_error, second.std_error, between.std_error)
    return proportions.difference_limits(first.limits(), second.limits(), correlation=shared)


def log_ratio(first: Level, second: Level) -> Contrast:
    """Return the logarithm of one year's ratio first / second; NaN unless both are above zero."""
    if first.estimate is None or second.estimate is None:
        return _published_log_ratio(first, second)
    logs = (ratios.logarithm(side) for side in (first.estimate, second.estimate))
    estimate = ratios.difference(*logs, same_pupils=True)
    std_error = np.where(first.certain | second.certain, np.nan, estimate.std_error)
    lower, upper = ratios.t_interval(estimate.value, std_error, estimate.df)
    return Contrast(estimate.value, lower, upper, std_error, estimate.df, estimate)


def ratio_change(now: Level, reference: Level, before: Level, reference_before: Level) -> Contrast:
    """Return the logarithm of the year's ratio over the baseline's, with its interval."""
    later, earlier = log_ratio(now, reference), log_ratio(before, reference_before)
    value = later.value - earlier.value
    std_error = np.hypot(later.std_error, earlier.std_error)
    df, unlimited = later.df, np.full_like(value, np.inf)
    if later.estimate is not None and earlier.estimate is not None:
        estimate = ratios.difference(later.estimate, earlier.estimate, same_pupils=False)
        # A level of exactly 0 or 100% has no error on the log scale, so neither has the change.
        std_error = np.where(np.isnan(std_error), np.nan, estimate.std_error)
        df = unlimited = estimate.df
    lower, upper = ratios.t_interval(value, std_error, unlimited)
    return Contrast(value, lower, upper, std_error, df)


def times_as_high(first: Level, second: Level, metric: Metric) -> FloatArray:
    """Return first / second; NaN where a ratio makes no sense: of ranks, or of signed scores."""
    ratio = quotient(first.level, second.level)
    return ratio if metric.has_ratio else np.full_like(ratio, np.nan)


def relative_limits(log: "Contrast", metric: Metric) -> dict[str, FloatArray]:
    """Return the columns of a ratio's interval, NaN where a ratio makes no sense."""
    sense = 1.0 if metric.has_ratio else np.nan
    return {
        "ratio_lower": sense * np.exp(log.lower),
        "ratio_upper": sense * np.exp(log.upper),
        "log_ratio_std_error": sense * log.std_error,
    }


def quotient(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return first / second; NaN where the second is zero."""
    return np.divide(first, second, out=np.full_like(first, np.nan), where=second != 0)


def worst_status(first: NDArray[np.object_], second: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the symbol that weighs more: c, then x, u, low, z, and '' only where both are ''."""
    result = np.where(first == "", second, first)
    for symbol in reversed(_SEVERITY):
        result = np.where((first == symbol) | (second == symbol), symbol, result)
    return result


def _published_log_ratio(first: Level, second: Level) -> Contrast:
    """Return the log ratio of two published levels by Katz's method, fixed ones adding nothing."""
    both = (first.level > 0) & (second.level > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(both, np.log(first.level) - np.log(second.level), np.nan)
    std_error = np.hypot(_log_std_error(first), _log_std_error(second))
    std_error = np.where(both & ~(first.fixed & second.fixed), std_error, np.nan)
    df = np.full_like(value, np.nan)
    lower, upper = ratios.t_interval(value, std_error, np.full_like(value, np.inf))
    return Contrast(value, lower, upper, std_error, df)


def _log_std_error(measured: Level) -> FloatArray:
    """Return the error of log level of counted children; none where fixed, NaN where unknown."""
    counted = proportions.log_share_std_error(measured.numerator, measured.denominator)
    counted = np.where(np.isnan(measured.std_error), np.nan, counted)
    return np.where(measured.fixed, 0.0, counted)
