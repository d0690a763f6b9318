"""Power of tests before training against a drift, and what is left where they see nothing.

Shapes: A leads.
"""

from collections.abc import Callable

import numpy as np
from scipy import optimize

from vsh_eval.numerics.arrays import Floats
from vsh_eval.numerics.inference.significance import ALPHA

Power = Callable[..., float]

_DRAWS = 100_000


def individual_power(
    mean: Floats, covariance: Floats, *, df: float = np.inf, seed: int = 0
) -> float:
    """Return the probability that any lead differs significantly from zero by itself.

    Parameters
    ----------
    mean : array (A,)
        Expected leads.
    covariance : array (A, A)
        Their covariance.
    df : float
        Degrees of freedom of each lead's critical value; the leads are taken as normal.
    seed : int
        Of the integration over the box of insignificant leads.

    Examples
    --------
    >>> round(individual_power(np.zeros(2), np.eye(2)), 4)
    0.0975
    """
    from scipy import stats

    error = np.sqrt(np.diag(covariance))
    box = stats.t.ppf(1 - ALPHA / 2, df) * np.ones(len(mean))
    inside = stats.multivariate_normal.cdf(
        box,
        mean=mean / error,
        cov=covariance / np.outer(error, error),
        lower_limit=-box,
        abseps=1e-6,
        releps=1e-6,
        maxpts=100_000,
        rng=np.random.default_rng(seed),
    )
    return float(1 - inside)


def joint_power(mean: Floats, covariance: Floats, *, df: float = np.inf, seed: int = 0) -> float:
    """Return the probability that Hotelling's test refutes "all leads are zero".

    Notes
    -----
    Non-central F on ``(A, df - A + 1)`` degrees of freedom, non-centrality ``mean' V^-1 mean``;
    chi-squared where `df` is infinite. `seed` is not used; it makes the two powers alike.

    Examples
    --------
    >>> round(joint_power(np.zeros(2), np.eye(2), df=60.0), 6)
    0.05
    """
    from scipy import stats

    _ = seed
    size = float(mean @ np.linalg.solve(covariance, mean))
    number, left = len(mean), df - len(mean) + 1
    if np.isinf(df):
        return float(stats.ncx2.sf(stats.chi2.ppf(1 - ALPHA, number), number, size))
    if left < 1:
        return float("nan")
    critical = stats.f.ppf(1 - ALPHA, number, left)
    return float(stats.ncf.sf(critical, number, left, size) if size > 0 else ALPHA)


def slope_for(
    detects: Power,
    drift: Floats,
    covariance: Floats,
    power: float,
    *,
    df: float = np.inf,
    seed: int = 0,
) -> float:
    """Return the slope at which a test detects a drift with the power asked for.

    Parameters
    ----------
    detects : callable
        `individual_power` or `joint_power`.
    drift : array (A,)
        What a slope of one does to the leads.
    covariance, df, seed
        As for `detects`.
    power : float
        Above the test's size.

    Returns
    -------
    float
        Zero where even no drift is detected as often; NaN where the drift moves no lead.

    Examples
    --------
    >>> slope = slope_for(individual_power, np.array([-1.0]), np.array([[1.0]]), 0.5)
    >>> round(slope, 2)
    1.96
    """
    options = {"df": df, "seed": seed}
    unit = np.sqrt(float(drift @ np.linalg.solve(covariance, drift)))
    if not unit > 0 or np.isnan(detects(0.0 * drift, covariance, **options)):
        return float("nan")

    def short(size: float) -> float:
        return detects(size / unit * drift, covariance, **options) - power

    if short(0.0) >= 0:
        return 0.0
    high = 1.0
    while short(high) < 0:
        high *= 2
    return float(optimize.brentq(short, 0.0, high, xtol=1e-6, rtol=1e-7) / unit)


def mean_given_passed(
    mean: Floats,
    covariance: Floats,
    shifted: float,
    with_effect: Floats,
    *,
    joint: bool,
    df: float = np.inf,
    seed: int = 0,
) -> float:
    """Return the expected error of the effect in samples whose leads show nothing.

    Parameters
    ----------
    mean, covariance : array (A,), (A, A)
        Of the leads.
    shifted : float
        Expected error of the effect in all samples.
    with_effect : array (A,)
        Covariance of the effect with the leads.
    joint : bool
        Whether the test is Hotelling's (else each lead by itself).

    Notes
    -----
    ``shifted + with_effect' V^-1 (E[lead | passed] - mean)``, the conditional mean of the leads by
    100,000 draws.

    Examples
    --------
    >>> options = {"joint": False, "df": np.inf}
    >>> round(mean_given_passed(np.zeros(1), np.eye(1), 0.0, np.ones(1), **options), 2) + 0.0
    0.0
    """
    from scipy import stats

    generator = np.random.default_rng(seed)
    root = np.linalg.cholesky(covariance)
    leads = mean + generator.standard_normal((_DRAWS, len(mean))) @ root.T
    if joint:
        wald = np.einsum("na,na->n", leads @ np.linalg.inv(covariance), leads)
        number = len(mean)
        limit = (
            stats.chi2.ppf(1 - ALPHA, number)
            if np.isinf(df)
            else number * df / (df - number + 1) * stats.f.ppf(1 - ALPHA, number, df - number + 1)
        )
        passed = wald <= limit
    else:
        limit = stats.t.ppf(1 - ALPHA / 2, df) * np.sqrt(np.diag(covariance))
        passed = (np.abs(leads) <= limit).all(axis=1)
    if not passed.any():
        return float("nan")
    pull = np.linalg.solve(covariance, leads[passed].mean(axis=0) - mean)
    return float(shifted + with_effect @ pull)
