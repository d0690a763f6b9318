"""Intervals, tests and minimum detectable effects from an estimate and its standard error."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from vsh_eval.numerics.arrays import Floats

ALPHA = 0.05
"""Size of every test, and what every interval leaves out: all are 95% intervals."""
POWER = 0.80
"""How often an effect that is called detectable is found."""


def t_critical(df: Floats | float, *, alpha: Floats | float = ALPHA) -> Floats:
    """Return the two-sided critical value of Student's t; NaN below one degree of freedom.

    Examples
    --------
    >>> t_critical(np.array([59.0, 0.0])).round(3)
    array([2.001,   nan])
    """
    degrees = np.asarray(df, dtype=np.float64)
    return np.asarray(special.stdtrit(np.where(degrees >= 1, degrees, np.nan), 1 - alpha / 2))


def t_p_value(estimate: Floats, std_error: Floats, df: Floats) -> Floats:
    """Return the two-sided p value of no effect; NaN without a positive standard error.

    Examples
    --------
    >>> t_p_value(np.array([2.0]), np.array([1.0]), np.array([59.0])).round(3)
    array([0.05])
    """
    usable = (std_error > 0) & (df >= 1)
    ratio = np.abs(estimate) / np.where(usable, std_error, np.nan)
    return np.asarray(2 * special.stdtr(np.where(usable, df, np.nan), -ratio))


def minimum_detectable(std_error: float, df: float, *, power: float = POWER) -> float:
    """Return the smallest true effect that a two-sided test finds with the power asked for.

    Parameters
    ----------
    std_error : float
        Standard error of the estimate, in the outcome's unit.
    df : float
        Degrees of freedom (schools less one).
    power : float
        How often it is to be found.

    Returns
    -------
    float
        In the outcome's unit; NaN below one degree of freedom.

    Notes
    -----
    ``(t(1 - alpha/2, df) + t(power, df)) * std_error``.

    Examples
    --------
    >>> round(minimum_detectable(1.0, 119), 2)
    2.82
    """
    if df < 1:
        return float("nan")
    return float((special.stdtrit(df, 1 - ALPHA / 2) + special.stdtrit(df, power)) * std_error)


def power_at(effect: float, std_error: float, df: float) -> float:
    """Return the chance that a two-sided test detects a true effect, in either direction.

    Parameters
    ----------
    effect, std_error : float
        In the outcome's unit; the sign of the effect does not matter.
    df : float
        Degrees of freedom (schools less one).

    Returns
    -------
    float
        A proportion; NaN below one degree of freedom or without a standard error.

    Notes
    -----
    With ``d = |effect| / se`` and ``c = t(1 - alpha/2, df)``: ``P(T > c - d) + P(T > c + d)``, the
    reverse of `minimum_detectable` but for the second, far smaller part.

    Examples
    --------
    >>> round(power_at(2.82, 1.0, 119), 2)
    0.8
    """
    if not (std_error > 0 and df >= 1):
        return float("nan")
    true = abs(effect) / std_error
    ends = special.stdtrit(df, 1 - ALPHA / 2) + np.array([-true, true])
    return float(special.stdtr(df, -ends).sum())


def exaggeration(effect: float, std_error: float, df: float) -> float:
    """Return how much larger than the true effect a significant estimate is expected to be.

    Parameters
    ----------
    effect : float
        A true effect, not 0, in the outcome's unit; its sign does not matter.
    std_error : float
        Standard error of the estimate, in the same unit.
    df : float
        Degrees of freedom (schools less one).

    Returns
    -------
    float
        Without unit, 1 or more; NaN below two degrees of freedom, without a standard error, or
        for an effect of 0.

    Notes
    -----
    Gelman and Carlin (2014), type M error: with ``d = |effect| / se``, ``c = t(1 - alpha/2, df)``
    and ``T`` of Student's t, ``E(|d + T| given |d + T| > c) / d``. In closed form, as
    ``integral of t f(t) from a = (df + a^2) / (df - 1) f(a)``.

    Examples
    --------
    >>> round(exaggeration(0.5, 1.44, 59), 1)
    7.0
    >>> round(exaggeration(4.1, 1.44, 59), 2)
    1.13
    """
    from scipy import stats

    if not (std_error > 0 and df > 1 and effect):
        return float("nan")
    true = abs(effect) / std_error
    ends = special.stdtrit(df, 1 - ALPHA / 2) + np.array([-true, true])
    tails = special.stdtr(df, -ends)
    beyond = (df + ends**2) / (df - 1) * stats.t.pdf(ends, df)
    return float((true * (tails[0] - tails[1]) + beyond.sum()) / (true * tails.sum()))


def largest_not_excluded(value: float, std_error: float, df: float, *, sign: float = 0.0) -> float:
    """Return the largest true value that a one-sided test does not exclude.

    Parameters
    ----------
    value, std_error, df : float
        What was estimated, its standard error and degrees of freedom.
    sign : float
        Direction asked about: that of its sign; 0 for the worse of both.

    Returns
    -------
    float
        ``sign * value + t(1 - alpha, df) * std_error``, with the value's size where `sign` is 0;
        NaN where there is no value or error.

    Examples
    --------
    >>> round(largest_not_excluded(-0.2, 0.1, 59.0, sign=-1), 2)
    0.37
    """
    towards = abs(value) if sign == 0 else float(np.sign(sign)) * value
    return towards + float(t_critical(df, alpha=2 * ALPHA)) * std_error


def equivalence_p_value(estimate: float, std_error: float, df: float, *, margin: float) -> float:
    """Return the larger p value of two one-sided tests that the effect lies within the margin.

    Parameters
    ----------
    estimate, std_error : float
        In the outcome's unit.
    df : float
        Degrees of freedom.
    margin : float
        Smallest effect of interest, above 0, in the outcome's unit.

    Returns
    -------
    float
        Small where an effect as large as the margin is excluded; NaN without a standard error.

    Notes
    -----
    Schuirmann (1987): the larger of ``P(T > (estimate + margin) / se)`` and
    ``P(T < (estimate - margin) / se)``.

    Examples
    --------
    >>> round(equivalence_p_value(0.0, 0.25, 100, margin=0.5), 4)
    0.0241
    """
    if not (std_error > 0 and df >= 1):
        return float("nan")
    below = special.stdtr(df, -(estimate + margin) / std_error)
    above = special.stdtr(df, (estimate - margin) / std_error)
    return float(max(below, above))


def smallest_adjusted(p_values: Floats) -> float:
    """Return the smallest of some p values, adjusted for their number (Holm); NaN without any.

    Holm's adjustment multiplies the smallest by how many there are, as Bonferroni's does. A test
    without a p value is none of them.

    Examples
    --------
    >>> smallest_adjusted(np.array([0.02, 0.5, 0.3, np.nan]))
    0.06
    """
    known = p_values[~np.isnan(p_values)]
    return min(1.0, len(known) * float(known.min())) if len(known) else float("nan")


@dataclass(frozen=True, slots=True)
class JointTest:
    """A test that several estimates are zero together.

    Attributes
    ----------
    statistic : float
        F statistic; NaN where it cannot be made.
    df_numerator, df_denominator : float
        Degrees of freedom.
    p_value : float
        NaN where the test cannot be made.
    """

    statistic: float
    df_numerator: float
    df_denominator: float
    p_value: float


def joint_test(estimate: Floats, covariance: Floats, df: float) -> JointTest:
    """Test that estimates are all zero, from a covariance that was itself estimated.

    Parameters
    ----------
    estimate : array (K,)
        The estimates.
    covariance : array (K, K)
        Their covariance; its rank is what is tested.
    df : float
        Degrees of freedom of the covariance (schools less one).

    Returns
    -------
    JointTest
        NaN where the rank is 0 or leaves no degrees of freedom.

    Notes
    -----
    Hotelling's T-squared: with ``W = estimate' V^- estimate`` of rank r,
    ``F = (df - r + 1) / (r df) W`` on ``(r, df - r + 1)`` degrees of freedom.

    Examples
    --------
    >>> joint_test(np.array([2.0]), np.array([[1.0]]), 59.0).statistic
    4.0
    """
    error = np.sqrt(np.diag(covariance))
    scale = np.where(error > 0, error, 1.0)
    correlation = covariance / np.outer(scale, scale)
    rank = int(np.linalg.matrix_rank(correlation, tol=1e-10, hermitian=True))
    left = df - rank + 1
    if rank == 0 or left < 1:
        return JointTest(float("nan"), float(rank), float(left), float("nan"))
    standardised = estimate / scale
    inverse = np.linalg.pinv(correlation, rcond=1e-10, hermitian=True)
    wald = float(standardised @ inverse @ standardised)
    statistic = left / (rank * df) * wald
    return JointTest(
        statistic, float(rank), float(left), float(special.fdtrc(rank, left, statistic))
    )
