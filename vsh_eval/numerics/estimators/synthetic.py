"""One treated series against weighted untreated ones: synthetic difference-in-differences."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from vsh_eval.numerics.arrays import Floats

_SLIGHT = 1e-6
"""Penalty, in standard deviations of yearly changes, that only makes weights unique."""
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class SyntheticUnit:
    """A treated series and its synthetic counterpart.

    Attributes
    ----------
    weights : array (N,)
        Of the untreated units.
    period_weights : array (T0,)
        Of the periods before.
    effects : array (T,)
        Treated less synthetic in each period, those before too, in the outcome's unit.
    before : int
        T0, the number of periods before.
    """

    weights: Floats
    period_weights: Floats
    effects: Floats
    before: int

    @property
    def estimate(self) -> float:
        """The mean effect over the periods after."""
        return float(self.effects[self.before :].mean())

    @property
    def rmspe_before(self) -> float:
        """Root mean squared distance before, about its own weighted mean."""
        return float(np.sqrt(np.mean(self.effects[: self.before] ** 2)))


def yearly_noise(untreated: Floats, before: int) -> float:
    """Return the standard deviation of the untreated units' changes between periods before."""
    return float(np.diff(untreated[:, :before], axis=1).std(ddof=1))


def synthetic_unit(untreated: Floats, treated: Floats, before: int) -> SyntheticUnit:
    """Set a treated series against weighted untreated ones that matched it before.

    Parameters
    ----------
    untreated : array (N, T)
        Outcomes of at least two untreated units.
    treated : array (T,)
        The treated unit's outcomes.
    before : int
        Periods before treatment, at least 2 and fewer than T.

    Returns
    -------
    SyntheticUnit

    Notes
    -----
    Arkhangelsky et al. (2021), algorithm 1: unit weights with the penalty
    ``T1^(1/2) T0 noise^2``, period weights with a penalty that only makes them unique; both
    after taking out means: the trajectory is matched, not the level.

    Examples
    --------
    >>> level = np.array([[1.0, 2, 3, 4], [2, 2, 2, 2]])
    >>> round(synthetic_unit(level, np.array([5.0, 6, 7, 5]), 3).estimate, 6)
    -2.75
    """
    after = untreated.shape[1] - before
    noise = max(yearly_noise(untreated, before), _NOTHING)
    sources, target = untreated[:, :before].T, treated[:before]
    penalty = after**0.25 * noise
    weights = _weights(_centred(sources), target - target.mean(), penalty)
    later = untreated[:, before:].mean(axis=1)
    earlier = _centred(untreated[:, :before])
    periods = _weights(earlier, later - later.mean(), _SLIGHT * noise)
    distance = treated - weights @ untreated
    return SyntheticUnit(weights, periods, distance - periods @ distance[:before], before)


def _centred(columns: Floats) -> Floats:
    return columns - columns.mean(axis=0)


def _weights(sources: Floats, target: Floats, penalty: float) -> Floats:
    return nearest_weights(sources, target, ridge=penalty**2 * len(target))


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
    weights, _ = nnls(stacked, wanted, maxiter=50 * count)
    return weights / weights.sum()
