"""Linear contrasts of estimates that share schools: a slope over years, a part of a whole.

A contrast of R_1 ... R_T with weights c_t has the influence values sum c_t e_st, school by school,
so what recurs (a school in every year, the children it keeps) is counted and never assumed away.

Cells come in blocks of one length: the years of one area and phase are a block.
"""

import numpy as np
from numpy.typing import NDArray

from vsh_eval.numerics.levels.ratios import Estimate, FloatArray, correlation, total_error

Limits = tuple[FloatArray, FloatArray, FloatArray]


def school_error(influence: FloatArray, clusters: FloatArray) -> FloatArray:
    """Return sqrt(G / (G - 1) sum e_s^2), the error that G schools give; NaN under two.

    Parameters
    ----------
    influence : FloatArray, shape (schools, cells)
        The schools' influence values.
    clusters : FloatArray, shape (cells,)
        Schools that have pupils in the cell.

    Examples
    --------
    >>> school_error(np.array([[0.3], [0.0], [-0.3]]), np.array([3.0])).round(3)
    array([0.52])
    """
    return np.sqrt((influence**2).sum(axis=0) * _factor(clusters))


def slope_weights(times: FloatArray, used: NDArray[np.bool_]) -> FloatArray:
    """Return the weights that make values over time a least-squares slope.

    Parameters
    ----------
    times : FloatArray, shape (times,)
        When each cell of a block was measured.
    used : bool array, shape (blocks, times)
        Which cells count.

    Returns
    -------
    FloatArray, shape (blocks, times)
        (t - mean t) / sum (t - mean t)^2 over the cells used, 0 elsewhere; NaN in a block with
        fewer than two cells.

    Examples
    --------
    >>> weights = slope_weights(np.array([2021.0, 2022.0, 2023.0]), np.array([[True, True, True]]))
    >>> weights, weights @ np.array([5.0, 7.0, 9.0])
    (array([[-0.5,  0. ,  0.5]]), array([2.]))
    """
    count = used.sum(axis=1, keepdims=True)
    enough = count >= 2
    mean = (times * used).sum(axis=1, keepdims=True) / np.where(enough, count, 1)
    away = np.where(used, times - mean, 0.0)
    squares = (away**2).sum(axis=1, keepdims=True)
    return np.where(enough, away / np.where(enough, squares, 1), np.nan)


def combine(estimate: Estimate, weights: FloatArray) -> Estimate:
    """Return a weighted sum of the cells of each block.

    Parameters
    ----------
    estimate : Estimate
        Of blocks x times cells, block after block.
    weights : FloatArray, shape (blocks, times)
        A cell with weight 0 does not count, whatever it holds.

    Returns
    -------
    Estimate
        One cell a block. `clusters` and `pupils` are those of the cell that has fewest. Where that
        is one school, the standard error is the sum of the cells' errors: the most that any
        covariance can make it.

    Examples
    --------
    >>> from vsh_eval.numerics.levels.ratios import ratio
    >>> y, x = np.array([[2.0, 3.0], [5.0, 5.0], [8.0, 7.0]]), np.full((3, 2), 20.0)
    >>> change = combine(ratio(y, x), np.array([[-1.0, 1.0]]))
    >>> change.value.round(3), change.df
    (array([0.]), array([2.]))
    """
    shape = weights.shape
    used = weights != 0
    missing = ((np.isnan(estimate.value).reshape(shape) | np.isnan(weights)) & used).any(axis=1)
    value = (np.nan_to_num(estimate.value).reshape(shape) * weights).sum(axis=1)
    influence = np.einsum("sbt,bt->sb", estimate.influence.reshape(-1, *shape), weights)
    clusters, pupils, df = (
        np.where(used, part.reshape(shape), np.inf).min(axis=1)
        for part in (estimate.clusters, estimate.pupils, estimate.df)
    )
    several = clusters >= 2
    widest = (np.abs(weights) * np.where(used, estimate.std_error.reshape(shape), 0.0)).sum(axis=1)
    known = np.nan_to_num(influence)
    one = np.where(clusters == 1, widest, np.nan)
    drawn = np.nan_to_num(estimate.noise).reshape(-1, *shape)
    noise = np.nan_to_num(np.einsum("sbt,bt->sb", drawn, weights))
    std_error = np.where(several, total_error(school_error(known, clusters), noise), one)
    return Estimate(
        np.where(missing, np.nan, value),
        np.where(missing, np.nan, std_error),
        np.where(several, clusters - 1, np.where(clusters == 1, df, np.nan)),
        clusters,
        pupils,
        known,
        np.full((1, shape[0]), np.nan),
        noise,
    )


def correlations(estimate: Estimate, shape: tuple[int, int]) -> FloatArray:
    """Return how the cells of each block go together, from their influence values.

    Parameters
    ----------
    estimate : Estimate
        Of blocks x times cells, block after block.
    shape : tuple of int
        Blocks and times.

    Returns
    -------
    FloatArray, shape (blocks, times, times)
        1 on the diagonal; 0 where a cell's schools do not vary at all, or it has one school only.
        Of two cells it is what their errors and that of their difference say, as in
        `ratios.correlation`: the number of schools is that of the cell that has fewest.

    Examples
    --------
    >>> from vsh_eval.numerics.levels.ratios import ratio
    >>> y, x = np.array([[2.0, 4.0], [5.0, 10.0], [8.0, 16.0]]), np.full((3, 2), 20.0)
    >>> correlations(ratio(y, x), (1, 2)).round(6).tolist()
    [[[1.0, 1.0], [1.0, 1.0]]]
    """
    clusters = estimate.clusters.reshape(shape)
    fewest = np.minimum(clusters[:, :, None], clusters[:, None, :])
    sampling, apart = _products(estimate.influence, shape)
    added, noise_apart = _products(estimate.noise, shape)
    between = np.sqrt(np.maximum(apart, 0.0) * _factor(fewest) + noise_apart)
    error = np.sqrt(sampling * _factor(clusters) + added)
    rho = correlation(error[:, :, None], error[:, None, :], between)
    if len(estimate.noise):
        # Beside noise a correlation has one decimal, as design effects have.
        rho = np.round(rho, 1)
    return np.where(np.eye(shape[1], dtype=bool), 1.0, rho)


def contrast_limits(cells: Limits, weights: FloatArray, together: FloatArray) -> Limits:
    """Return a contrast with limits joined from the limits of its cells (MOVER).

    Parameters
    ----------
    cells : tuple of FloatArray, shape (blocks, times) each
        Value, lower and upper limit. A value taken as fixed is its own limits.
    weights : FloatArray, shape (blocks, times)
        A cell with weight 0 does not count, whatever it holds.
    together : FloatArray, shape (blocks, times, times)
        Correlations of the cells; the identity takes them as independent.

    Returns
    -------
    tuple of FloatArray, shape (blocks,) each
        Value, lower and upper limit; NaN where a cell that counts lacks them.

    Notes
    -----
    L = sum c R - sqrt(sum_i sum_j r_ij d_i d_j) with d_i = c_i (R_i - l_i) where c_i is positive
    and c_i (u_i - R_i) where it is negative; U with the other sides. For weights 1 and -1 it is
    `proportions.difference_limits`. Zou, Huang and Zhang (2009), *Computational Statistics and
    Data Analysis* 53, 1080-1085.

    Examples
    --------
    >>> half = (np.array([[0.2, 0.5]]), np.array([[0.1, 0.4]]), np.array([[0.3, 0.6]]))
    >>> limits = contrast_limits(half, np.array([[-1.0, 1.0]]), np.eye(2)[None])
    >>> [part.round(3).tolist() for part in limits]
    [[0.3], [0.159], [0.441]]
    """
    used = weights != 0
    value, lower, upper = (np.where(used, part, 0.0) for part in cells)
    below, above = weights * (value - lower), weights * (upper - value)
    falls, rises = np.where(weights > 0, below, above), np.where(weights > 0, above, below)
    middle = (weights * value).sum(axis=1)
    reach = [
        np.sqrt(np.maximum(np.einsum("btu,bt,bu->b", together, side, side), 0.0))
        for side in (falls, rises)
    ]
    return middle, middle - reach[0], middle + reach[1]


def share(part: Estimate, whole: Estimate, *, same_noise: bool = True) -> Estimate:
    """Return part / whole by the delta method, covariances counted.

    The two stand on the same schools. NaN where the whole is zero; without a standard error
    where either has one school only.

    Examples
    --------
    >>> from vsh_eval.numerics.levels.ratios import ratio
    >>> x = np.full((3, 1), 20.0)
    >>> whole = ratio(np.array([[2.0], [5.0], [8.0]]), x)
    >>> shares = share(ratio(np.array([[1.0], [2.5], [4.0]]), x), whole)
    >>> float(shares.value[0]), float(shares.std_error[0])
    (0.5, 0.0)
    """
    total = np.where(whole.value != 0, whole.value, np.nan)
    value = part.value / total
    influence = np.nan_to_num((part.influence - value * whole.influence) / total)
    clusters = np.minimum(part.clusters, whole.clusters)
    own, others = part.noise / total, -value * whole.noise / total
    noise = np.nan_to_num(own + others if same_noise else np.concatenate([own, others]))
    error = total_error(school_error(influence, clusters), noise)
    return Estimate(
        value,
        np.where(np.isnan(value), np.nan, error),
        np.where(clusters >= 2, clusters - 1, np.nan),
        clusters,
        np.minimum(part.pupils, whole.pupils),
        influence,
        np.full((1, *value.shape), np.nan),
        noise,
    )


def _products(rows: FloatArray, shape: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Return the sum over rows of each cell's square, and of the square of each difference."""
    values = rows.reshape(-1, *shape)
    products = np.einsum("sbt,sbu->btu", values, values)
    squares = np.einsum("btt->bt", products)
    return squares, squares[:, :, None] + squares[:, None, :] - 2 * products


def _factor(clusters: FloatArray) -> FloatArray:
    """Return G / (G - 1); NaN under two schools."""
    empty = np.full_like(clusters, np.nan)
    several = (clusters >= 2) & np.isfinite(clusters)
    return np.divide(clusters, clusters - 1, out=empty, where=several)
