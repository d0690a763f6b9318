"""Proportions known by their counts alone, as in published tables: Wilson, Newcombe, log ratio.

They take children as independent. Children of one school are alike, so an authority's own returns,
which know the school, are measured by `vsh_eval.numerics.levels.ratios` instead.
"""

import numpy as np

from vsh_eval.numerics.arrays import Floats as FloatArray
from vsh_eval.numerics.inference.significance import ALPHA


def wilson(
    successes: FloatArray, trials: FloatArray, *, alpha: float = ALPHA
) -> tuple[FloatArray, FloatArray]:
    """Return Wilson's score limits of a proportion.

    Parameters
    ----------
    successes, trials : FloatArray
        Counts of children. A missing count, or no trials, has the limits NaN.
    alpha : float
        One less the coverage, for example 0.05.

    Returns
    -------
    tuple of FloatArray
        Lower and upper limit, proportions within 0 and 1.

    Notes
    -----
    (p + z^2/2n -/+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n).
    Wilson (1927), *JASA* 22, 209-212.

    Examples
    --------
    >>> lower, upper = wilson(np.array([15.0]), np.array([148.0]), alpha=0.05)
    >>> lower.round(4), upper.round(4)
    (array([0.0624]), array([0.1605]))
    """
    from statsmodels.stats.proportion import proportion_confint

    counted = np.where(trials > 0, trials, np.nan)
    lower, upper = proportion_confint(successes, counted, alpha=alpha, method="wilson")
    return np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)


def binomial_std_error(successes: FloatArray, trials: FloatArray) -> FloatArray:
    """Return the standard error sqrt(p (1 - p) / n) of a proportion; NaN without trials.

    Examples
    --------
    >>> binomial_std_error(np.array([50.0]), np.array([100.0]))
    array([0.05])
    """
    n = np.where(trials > 0, trials, np.nan)
    share = successes / n
    return np.sqrt(share * (1 - share) / n)


def difference_limits(
    first: tuple[FloatArray, FloatArray, FloatArray],
    second: tuple[FloatArray, FloatArray, FloatArray],
    *,
    correlation: FloatArray | float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """Return the limits of first minus second from the limits of each (MOVER).

    Parameters
    ----------
    first, second : tuple of FloatArray
        Value, lower and upper limit of each. A value taken as fixed is its own limits.
    correlation : FloatArray or float
        Of the two estimates; 0 takes them as independent.

    Returns
    -------
    tuple of FloatArray
        Lower and upper limit of the difference; NaN where a part is missing. With Wilson's limits
        and no correlation this is Newcombe's score interval.

    Notes
    -----
    L = d - sqrt((p1 - l1)^2 + (u2 - p2)^2 - 2 r (p1 - l1)(u2 - p2)) and
    U = d + sqrt((u1 - p1)^2 + (p2 - l2)^2 - 2 r (u1 - p1)(p2 - l2)).
    Newcombe (1998), *Statistics in Medicine* 17, 873-890, method 10; Zou and Donner (2008),
    *Statistics in Medicine* 27, 1693-1702. Without r, where the same children are in both and
    differ in the same direction each time, it is too wide, not too narrow.

    Examples
    --------
    >>> fixed = (np.array([0.1]),) * 3
    >>> group = (np.array([0.3]), np.array([0.25]), np.array([0.36]))
    >>> lower, upper = difference_limits(group, fixed)
    >>> lower.round(2), upper.round(2)
    (array([0.15]), array([0.26]))
    """
    value_1, lower_1, upper_1 = first
    value_2, lower_2, upper_2 = second
    gap = value_1 - value_2
    lower = gap - _side(value_1 - lower_1, upper_2 - value_2, correlation)
    upper = gap + _side(upper_1 - value_1, value_2 - lower_2, correlation)
    return lower, upper


def log_share_std_error(successes: FloatArray, trials: FloatArray) -> FloatArray:
    """Return the standard error of the logarithm of a proportion, sqrt(1/s - 1/n).

    The log ratio of two proportions has the root of the sum of the two squared; a reference taken
    as fixed adds nothing. NaN where there are no trials or no successes.

    Notes
    -----
    Katz, Baptista, Azen and Pike (1978), *Biometrics* 34, 469-474.

    Examples
    --------
    >>> log_share_std_error(np.array([20.0]), np.array([100.0])).round(4)
    array([0.2])
    """
    some = np.where((successes > 0) & (successes <= trials), successes, np.nan)
    return np.sqrt(1 / some - 1 / np.where(some > 0, trials, np.nan))


def _side(first: FloatArray, second: FloatArray, correlation: FloatArray | float) -> FloatArray:
    """Join two half-widths; rounding may not make the square negative."""
    square = first**2 + second**2 - 2 * correlation * first * second
    return np.sqrt(np.maximum(square, 0.0))
