"""Inference from placebos: what the same estimate comes to where nothing happened."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from vsh_eval.numerics.arrays import Floats
from vsh_eval.numerics.inference.significance import ALPHA, POWER

NEAREST = 59
"""Placebos of the nearest sizes that an estimate is ranked among: the third of 60 stands at 5 %."""

_TIE = 1e-12
_ROUNDS = 25


def rank_p_value(value: float, placebos: Floats) -> float:
    """Return the share of placebos, the value itself among them, that are as far from zero.

    A placebo without a number counts as one: no missing placebo makes a value rarer.

    Examples
    --------
    >>> rank_p_value(-3.0, np.array([1.0, -2.0, 3.0]))
    0.5
    >>> rank_p_value(-3.0, np.array([np.nan, -2.0, 3.0]))
    0.75
    """
    as_far = ~(np.abs(placebos) < abs(value) * (1 - _TIE))
    return float((1 + as_far.sum()) / (1 + len(placebos)))


def critical_value(placebos: Floats) -> float:
    """Return the distance from zero beyond which `rank_p_value` is no longer above `ALPHA`.

    Returns
    -------
    float
        Infinite where there are fewer than ``1 / ALPHA - 1`` placebos: nothing could be rejected.

    Examples
    --------
    >>> critical_value(np.arange(1.0, 20.0)), critical_value(np.arange(1.0, 19.0))
    (19.0, inf)
    """
    allowed = int(np.floor(ALPHA * (1 + len(placebos)) + _TIE))
    return float(np.sort(np.abs(placebos))[-allowed]) if allowed else float("inf")


def detectable(placebos: Floats) -> float:
    """Return the smallest effect that would be found with a power of `POWER`.

    An effect moves a placebo; it is found where it then lies beyond the critical value. The
    placebos are taken with both signs.

    Returns
    -------
    float
        In their unit; infinite where nothing could be rejected.

    Examples
    --------
    >>> detectable(np.full(39, 1.0))
    2.0
    """
    critical = critical_value(placebos)
    if not np.isfinite(critical):
        return critical
    both = np.concatenate([placebos, -placebos])
    return critical + float(np.quantile(both, POWER, method="higher"))


def nearest_sizes(sizes: Floats, own: float) -> npt.NDArray[np.bool_]:
    """Return which placebos are near enough in size to be compared with.

    Parameters
    ----------
    sizes : array (J,)
        How many children stand behind each placebo, above 0.
    own : float
        How many stand behind what is judged.

    Returns
    -------
    bool array (J,)
        The `NEAREST` by ratio of size, and all that are as near as the last of them; all where
        there are no more.

    Notes
    -----
    Scaling by one variance model (`size_spread`) makes spreads alike on average over all sizes.
    What it leaves, that small units have heavier tails than large ones, a rank among units of
    about the same size does not feel (docs/adr/0011).

    Examples
    --------
    >>> nearest_sizes(np.arange(1.0, 101.0), 80.0).nonzero()[0][[0, -1]] + 1
    array([ 42, 100])
    """
    distance = np.abs(np.log(sizes / own))
    if len(distance) <= NEAREST:
        return np.ones(len(distance), dtype=bool)
    return distance <= np.sort(distance)[NEAREST - 1] * (1 + _TIE)


def size_spread(placebos: Floats, sizes: Floats, at: Floats) -> Floats:
    """Return how widely placebos spread at given sizes, by a variance of ``a + b / size``.

    Parameters
    ----------
    placebos : array (J,)
        Placebo estimates.
    sizes : array (J,)
        How many children stand behind each, above 0.
    at : array (K,)
        Sizes to be answered for.

    Returns
    -------
    array (K,)
        Standard deviations, in the placebos' unit.

    Notes
    -----
    Squares regressed on a constant and 1 / size, not negative, reweighted by the squared fit:
    the heteroskedasticity correction of Ferman and Pinto (2019), Review of Economics and
    Statistics 101(3), without which small units are found too often and large ones never.

    Examples
    --------
    >>> size_spread(np.array([4.0, -4, 1, -1]), np.array([10.0, 10, 160, 160]), np.array([40.0]))
    array([2.])
    """
    design = np.column_stack([np.ones(len(sizes)), 1 / sizes])
    squares = placebos**2
    fitted = np.full(len(squares), max(float(squares.mean()), _TIE))
    coefficients = np.zeros(2)
    for _ in range(_ROUNDS):
        coefficients, _rest = nnls(design / fitted[:, np.newaxis], squares / fitted)
        fitted = np.maximum(design @ coefficients, _TIE * max(float(squares.mean()), _TIE))
    return np.sqrt(np.column_stack([np.ones(len(at)), 1 / at]) @ coefficients)
