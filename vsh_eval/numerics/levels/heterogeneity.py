"""How much true values differ between schools, beyond what few children would make them differ.

School s has the value y_s with the sampling variance v_s and the true value theta_s, and these vary
around mu with variance tau^2. With w_s = 1 / (v_s + tau^2) the weighted mean is the estimate of mu.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy.optimize import brentq

from vsh_eval.numerics.inference.significance import ALPHA
from vsh_eval.numerics.levels.ratios import FloatArray

_STEPS = 200
_CLOSE = 1e-10


@dataclass(frozen=True, slots=True)
class Between:
    """How much the true values of schools differ.

    Attributes
    ----------
    schools : int
        Values with a sampling variance.
    mean, mean_std_error : float
        Weighted mean of the true values, and its error.
    tau_squared : float
        Variance of the true values, by restricted maximum likelihood; 0 where the values differ no
        more than few children make them.
    tau_squared_lower, tau_squared_upper : float
        Its Q-profile interval.
    tau_squared_dl, tau_squared_pm : float
        The same variance by DerSimonian and Laird, and by Paule and Mandel.
    typical_variance : float
        The sampling variance of a typical school, from which I^2 follows.
    q, q_p_value : float
        Cochran's Q and its p value for no difference between schools.
    """

    schools: int
    mean: float
    mean_std_error: float
    tau_squared: float
    tau_squared_lower: float
    tau_squared_upper: float
    tau_squared_dl: float
    tau_squared_pm: float
    typical_variance: float
    q: float
    q_p_value: float

    def share(self, tau_squared: float) -> float:
        """Return I^2 = tau^2 / (tau^2 + typical sampling variance), 0 to 1."""
        return tau_squared / (tau_squared + self.typical_variance)

    def prediction(self) -> tuple[float, float]:
        """Return where the true value of one more school would lie; NaN under three schools.

        mean -/+ t(k - 2) sqrt(tau^2 + error^2): Higgins, Thompson and Spiegelhalter (2009),
        *Journal of the Royal Statistical Society A* 172, 137-159.
        """
        if self.schools < 3:
            return float("nan"), float("nan")
        spread = np.hypot(np.sqrt(self.tau_squared), self.mean_std_error)
        reach = float(special.stdtrit(self.schools - 2, 1 - ALPHA / 2) * spread)
        return self.mean - reach, self.mean + reach


def between_schools(values: FloatArray, variances: FloatArray) -> Between:
    """Estimate how much true values differ between schools.

    Parameters
    ----------
    values : FloatArray, shape (schools,)
        What was measured in each school.
    variances : FloatArray, shape (schools,)
        Their sampling variances, above 0.

    Returns
    -------
    Between
        All NaN with fewer than two schools.

    Notes
    -----
    DerSimonian and Laird (1986), *Controlled Clinical Trials* 7, 177-188; restricted maximum
    likelihood and Q-profile: Viechtbauer (2005), *Journal of Educational and Behavioral Statistics*
    30, 261-293, and (2007), *Statistics in Medicine* 26, 37-52; I^2 and the typical variance
    (k - 1) sum w / ((sum w)^2 - sum w^2): Higgins and Thompson (2002), *Statistics in Medicine* 21,
    1539-1558.

    Examples
    --------
    >>> between = between_schools(np.array([1.0, 5.0, 9.0, 4.0]), np.full(4, 2.0))
    >>> round(between.mean, 2), round(between.tau_squared, 2), round(between.tau_squared_dl, 2)
    (4.75, 8.92, 8.92)
    """
    schools = len(values)
    if schools < 2:
        nothing = float("nan")
        return Between(schools, *([nothing] * 10))
    weights = 1 / variances
    q = weighted_q(values, variances, 0.0)
    spread = weights.sum() - (weights**2).sum() / weights.sum()
    low, high = (
        2 * float(special.gammaincinv((schools - 1) / 2, at)) for at in (ALPHA / 2, 1 - ALPHA / 2)
    )
    tau_squared = restricted_likelihood(values, variances)
    joint = 1 / (variances + tau_squared)
    return Between(
        schools=schools,
        mean=float((joint * values).sum() / joint.sum()),
        mean_std_error=float(1 / np.sqrt(joint.sum())),
        tau_squared=tau_squared,
        tau_squared_lower=solve_q(values, variances, high),
        tau_squared_upper=solve_q(values, variances, low),
        tau_squared_dl=max(0.0, float((q - schools + 1) / spread)),
        tau_squared_pm=solve_q(values, variances, schools - 1.0),
        typical_variance=float((schools - 1) / spread),
        q=q,
        q_p_value=float(special.chdtrc(schools - 1, q)),
    )


def weighted_q(values: FloatArray, variances: FloatArray, tau_squared: float) -> float:
    """Return the weighted squared distances from the mean, which fall as tau^2 rises.

    Examples
    --------
    >>> weighted_q(np.array([1.0, 3.0]), np.array([1.0, 1.0]), 0.0)
    2.0
    """
    weights = 1 / (variances + tau_squared)
    mean = (weights * values).sum() / weights.sum()
    return float((weights * (values - mean) ** 2).sum())


def solve_q(values: FloatArray, variances: FloatArray, target: float) -> float:
    """Return the tau^2 at which the weighted squared distances are as given; 0 where none is.

    At k - 1 it is Paule and Mandel's estimate, at quantiles of chi squared a Q-profile limit.

    Examples
    --------
    >>> round(solve_q(np.array([1.0, 5.0, 9.0, 4.0]), np.full(4, 2.0), 3.0), 2)
    8.92
    """

    def above(tau_squared: float) -> float:
        return weighted_q(values, variances, tau_squared) - target

    if above(0.0) <= 0:
        return 0.0
    highest = float(np.var(values) * len(values) / target + variances.max())
    while above(highest) > 0:
        highest *= 2
    return float(brentq(above, 0.0, highest, xtol=1e-12, rtol=1e-12))


def restricted_likelihood(values: FloatArray, variances: FloatArray) -> float:
    """Return tau^2 by restricted maximum likelihood, by Fisher scoring, never under 0.

    Examples
    --------
    >>> round(restricted_likelihood(np.array([1.0, 5.0, 9.0, 4.0]), np.full(4, 2.0)), 2)
    8.92
    """
    tau_squared = solve_q(values, variances, len(values) - 1.0)
    for _ in range(_STEPS):
        weights = 1 / (variances + tau_squared)
        total = weights.sum()
        residual = weights * (values - (weights * values).sum() / total)
        trace = total - (weights**2).sum() / total
        squares = weights**2
        information = squares.sum() - 2 * (weights**3).sum() / total + (squares.sum() / total) ** 2
        step = float(((residual**2).sum() - trace) / information)
        moved = max(0.0, tau_squared + step)
        if abs(moved - tau_squared) <= _CLOSE * (tau_squared + float(variances.mean())):
            return moved
        tau_squared = moved
    return tau_squared


def shrunken(
    values: FloatArray, variances: FloatArray, *, mean: float, tau_squared: float
) -> tuple[FloatArray, FloatArray]:
    """Return the values drawn towards the mean as few children ask, and their standard errors.

    Notes
    -----
    mean + B (value - mean), B = tau^2 / (tau^2 + v); error sqrt(B v). Empirical Bayes; the errors
    take mean and tau^2 as known.

    Examples
    --------
    >>> shrunk = shrunken(np.array([9.0]), np.array([2.0]), mean=5.0, tau_squared=2.0)
    >>> shrunk[0], shrunk[1]
    (array([7.]), array([1.]))
    """
    trust = tau_squared / (tau_squared + variances)
    return mean + trust * (values - mean), np.sqrt(trust * variances)
