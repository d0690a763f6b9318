"""Critical values that make a set of intervals hold together (simultaneous bands)."""

import numpy as np

from vsh_eval.numerics.arrays import Floats
from vsh_eval.numerics.inference.significance import ALPHA, t_critical


def max_t_critical(deviations: Floats, df: float, *, draws: int = 10_000, seed: int = 0) -> float:
    """Return the critical value of the largest of several correlated t statistics.

    Parameters
    ----------
    deviations : array (K, S)
        Scaled deviations whose cross-product is the covariance of K estimates.
    df : float
        Degrees of freedom of the covariance.
    draws, seed : int
        Draws of the multivariate t and what starts them.

    Returns
    -------
    float
        At least the pointwise critical value; NaN where no estimate varies.

    Notes
    -----
    The ``1 - alpha`` quantile of ``max_k |Z_k| / sqrt(chi2_df / df)``, Z normal with the
    estimates' correlation.

    Examples
    --------
    >>> one = max_t_critical(np.array([[1.0, -1.0]]), 30.0)
    >>> two = max_t_critical(np.array([[1.0, 0.0], [0.0, 1.0]]), 30.0)
    >>> bool(2.0 < one < 2.1 < two < 2.5)
    True
    """
    pointwise = float(t_critical(df))
    size = np.sqrt((deviations**2).sum(axis=1))
    varying = size > 0
    if not varying.any() or np.isnan(pointwise):
        return float("nan")
    if varying.sum() == 1:
        return pointwise
    standardised = deviations[varying] / size[varying, None]
    values, vectors = np.linalg.eigh(standardised @ standardised.T)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    generator = np.random.default_rng(seed)
    normal = generator.standard_normal((draws, root.shape[1])) @ root.T
    spread = np.sqrt(generator.chisquare(df, draws) / df)
    largest = np.abs(normal).max(axis=1) / spread
    return max(pointwise, float(np.quantile(largest, 1 - ALPHA)))


def multiplier_critical(influence: Floats, df: float, *, draws: int = 999, seed: int = 0) -> float:
    """Return the critical value of a multiplier bootstrap's largest deviation.

    Parameters
    ----------
    influence : array (K, S)
        Influence of each school on K estimates.
    df : float
        Degrees of freedom, for the pointwise value that the band is never narrower than.
    draws, seed : int
        Bootstrap draws and what starts them.

    Returns
    -------
    float
        At least the pointwise critical value; NaN where no estimate varies.

    Notes
    -----
    Rademacher multipliers; each estimate's draws are scaled by their interquartile range over
    the normal's, as in Callaway and Sant'Anna (2021), algorithm 1.

    Examples
    --------
    >>> psi = np.random.default_rng(1).standard_normal((3, 200))
    >>> bool(2.0 < multiplier_critical(psi, 199.0) < 2.8)
    True
    """
    pointwise = float(t_critical(df))
    varying = (influence**2).sum(axis=1) > 0
    if not varying.any() or np.isnan(pointwise):
        return float("nan")
    generator = np.random.default_rng(seed)
    signs = generator.integers(0, 2, (draws, influence.shape[1])) * 2.0 - 1.0
    drawn = signs @ influence[varying].T
    upper, lower = np.quantile(drawn, [0.75, 0.25], axis=0)
    scale = (upper - lower) / _NORMAL_QUARTILES
    largest = np.abs(drawn / np.where(scale > 0, scale, np.inf)).max(axis=1)
    return max(pointwise, float(np.quantile(largest, 1 - ALPHA)))


_NORMAL_QUARTILES = 1.3489795003921634
"""Interquartile range of the standard normal."""
