"""Standardised differences and what the Education Endowment Foundation's Toolkit calls months."""

import numpy as np

from vsh_eval.numerics.levels import ratios
from vsh_eval.numerics.levels.contrasts import school_error
from vsh_eval.numerics.levels.ratios import Estimate, FloatArray

COX = 1.65
"""A difference of log odds divided by this is on the scale of a standardised difference."""

_MONTHS = np.array([2, 10, 19, 27, 36, 45, 53, 62, 70, 79, 88, 96])
"""The smallest size of effect, in hundredths, of 1 to 12 months in the EEF's Toolkit."""


def small_sample_factor(pupils: FloatArray) -> FloatArray:
    """Return Hedges' correction 1 - 3 / (4 N - 9) for N pupils in two groups; NaN under 4.

    Source: Hedges (1981), *Journal of Educational Statistics* 6, 107-128.

    Examples
    --------
    >>> small_sample_factor(np.array([12.0, 1200.0, 3.0])).round(4)
    array([0.9231, 0.9994,    nan])
    """
    enough = np.where(pupils >= 4, pupils, np.nan)
    return 1 - 3 / (4 * enough - 9)


def standardised(gap: Estimate, variance: Estimate, pupils: FloatArray) -> Estimate:
    """Return Hedges' g: a difference of two means over the pupils' pooled standard deviation.

    Parameters
    ----------
    gap : Estimate
        The difference of two means.
    variance : Estimate
        The pupils' squared distances from their own group's mean over the number of pupils of both
        groups: a ratio of two sums over the same schools.
    pupils : FloatArray, shape (cells,)
        Pupils of both groups, N.

    Returns
    -------
    Estimate
        NaN where the pupils do not differ at all. The spread's own error is counted. Where there
        is one school, the gap's error is joined with g^2 / 2 (N - 2), which takes the pupils as
        normal: their fourth moments are not in the panel.

    Notes
    -----
    g = J gap / S, S^2 = variance N / (N - 2), J = 1 - 3 / (4 N - 9); influence values
    J / S (e_gap - gap e_variance / (2 variance)).

    Examples
    --------
    >>> from vsh_eval.numerics.levels.ratios import ratio
    >>> n = np.full((3, 1), 10.0)
    >>> gap = ratio(np.array([[-8.0], [-10.0], [-12.0]]), n)
    >>> variance = ratio(np.array([[40.0], [40.0], [40.0]]), n)
    >>> standardised(gap, variance, np.array([30.0])).value.round(3)
    array([-0.47])
    """
    spread = np.where(variance.value > 0, variance.value, np.nan)
    factor = small_sample_factor(pupils) / np.sqrt(spread * pupils / (pupils - 2))
    value = factor * gap.value
    influence = factor * (gap.influence - gap.value * variance.influence / (2 * spread))
    of_one_school = np.hypot(factor * gap.std_error, value / np.sqrt(2 * (pupils - 2)))
    return _estimate(gap, value, influence, of_one_school, factor * gap.noise)


def log_odds_difference(first: Estimate, second: Estimate, pupils: FloatArray) -> Estimate:
    """Return Cox's index: the difference of two shares' log odds / 1.65, corrected as Hedges' g is.

    Parameters
    ----------
    first, second : Estimate
        Shares of children, as proportions, on the same schools.
    pupils : FloatArray, shape (cells,)
        Pupils of both groups.

    Returns
    -------
    Estimate
        NaN where a share is 0 or 1, whose odds have no logarithm. Where either has one school
        only, the errors are added, the most that any covariance can make them.

    Notes
    -----
    J (logit p1 - logit p2) / 1.65, influence values e / (p (1 - p)). A difference of shares over
    sqrt(p (1 - p)) would shrink as the bar moves away from the middle, though the children differ
    as much as before; of seven indices this one was biased least (Sanchez-Meca, Marin-Martinez and
    Chacon-Moscoso 2003, *Psychological Methods* 8, 448-467; What Works Clearinghouse, Procedures
    Handbook 5.0).

    Examples
    --------
    >>> from vsh_eval.numerics.levels.ratios import ratio
    >>> n = np.full((3, 1), 100.0)
    >>> low, high = ratio(np.full((3, 1), 30.0), n), ratio(np.full((3, 1), 63.0), n)
    >>> log_odds_difference(low, high, np.array([600.0])).value.round(3)
    array([-0.835])
    """
    factor = small_sample_factor(pupils) / COX
    slopes = [_odds_slope(side.value) for side in (first, second)]
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = [np.log(side.value / (1 - side.value)) for side in (first, second)]
        apart = factor * (odds[0] - odds[1])
    value = np.where(np.isnan(slopes[0] + slopes[1]), np.nan, apart)
    influence = factor * (slopes[0] * first.influence - slopes[1] * second.influence)
    bound = factor * (slopes[0] * first.std_error + slopes[1] * second.std_error)
    noise = factor * (slopes[0] * first.noise - slopes[1] * second.noise)
    gap = ratios.difference(first, second, same_pupils=False)
    return _estimate(gap, value, influence, bound, noise)


def toolkit_months(effect: FloatArray) -> FloatArray:
    """Return additional months of progress, signed as the effect is; 12 stands for 12 or more.

    Notes
    -----
    EEF, Teaching and Learning Toolkit: 0 (under 0.02); 1 (0.02 to 0.09); 2 (0.10 to 0.18);
    3 (0.19 to 0.26); 4 (0.27 to 0.35); 5 (0.36 to 0.44); 6 (0.45 to 0.52); 7 (0.53 to 0.61);
    8 (0.62 to 0.69); 9 (0.70 to 0.78); 10 (0.79 to 0.87); 11 (0.88 to 0.95); 12 (from 0.96).
    Effects are rounded to two decimals first; the table mirrors for negative effects. For
    attainment only: attendance has no months.

    Examples
    --------
    >>> toolkit_months(np.array([0.01, 0.096, -0.68, 1.7, np.nan])).tolist()
    [0.0, 2.0, -8.0, 12.0, nan]
    """
    size = np.rint(100 * np.abs(np.nan_to_num(effect)))
    months = np.sign(np.nan_to_num(effect)) * np.searchsorted(_MONTHS, size, side="right")
    return np.where(np.isnan(effect), np.nan, months + 0.0)


def _odds_slope(share: FloatArray) -> FloatArray:
    inside = (share > 0) & (share < 1)
    return np.where(inside, 1 / np.where(inside, share * (1 - share), 1.0), np.nan)


def _estimate(
    gap: Estimate,
    value: FloatArray,
    influence: FloatArray,
    of_one_school: FloatArray,
    noise: FloatArray,
) -> Estimate:
    """Put a standardised difference together, with the degrees of freedom of the gap it is of."""
    known, noise = np.nan_to_num(influence), np.nan_to_num(noise)
    by_school = ratios.total_error(school_error(known, gap.clusters), noise)
    std_error = np.where(gap.clusters >= 2, by_school, of_one_school)
    return Estimate(
        value,
        np.where(np.isnan(value), np.nan, std_error),
        gap.df,
        gap.clusters,
        gap.pupils,
        known,
        np.full((1, *value.shape), np.nan),
        noise,
    )
