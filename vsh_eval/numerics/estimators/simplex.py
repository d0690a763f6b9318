"""Weights that are not negative and sum to one: the average that comes nearest to a target."""

import numpy as np
from scipy.optimize import nnls

from vsh_eval.numerics.arrays import Floats


def nearest_weights(sources: Floats, target: Floats, *, ridge: float) -> Floats:
    """Return the weights whose average of sources is nearest to the target.

    Parameters
    ----------
    sources : array (T, N)
        A column a source.
    target : array (T,)
        What is to be matched.
    ridge : float
        Penalty on the sum of squared weights, above 0: it makes the weights unique.

    Returns
    -------
    array (N,)
        Not negative, sum 1: the exact minimum of ``|sources w - target|^2 + ridge |w|^2``.

    Notes
    -----
    With ``M`` the sources less the target stacked on ``sqrt(ridge) I``, the minimum of ``|M w|``
    over the simplex is the minimum of ``|M u|^2 + (sum u - 1)^2`` over ``u >= 0``, scaled to sum 1:
    one non-negative least squares problem (Lawson and Hanson 1974, chapter 23).

    Examples
    --------
    >>> nearest_weights(np.array([[0.0, 4.0]]), np.array([1.0]), ridge=1e-9).round(6)
    array([0.75, 0.25])
    """
    count = sources.shape[1]
    stacked = np.vstack(
        [sources - target[:, np.newaxis], np.sqrt(ridge) * np.eye(count), np.ones((1, count))]
    )
    wanted = np.zeros(len(stacked))
    wanted[-1] = 1.0
    found, _ = nnls(stacked, wanted, maxiter=50 * count)
    return found / found.sum()
