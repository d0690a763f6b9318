"""How absence is spread over the pupils of a cell: its mean and two tails are met exactly.

A cell's rates are three pieces, under 10 %, 10 to 50 % and over 50 % of sessions missed, of the
published sizes; within each the rate follows a truncated exponential. A shift of a cell's mean
moves every rate of it and leaves none outside 0 to 1, so an effect planted in the mean stays whole.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsh_eval.numerics.arrays import Floats

_EDGES = np.array([0.0, 0.1, 0.5])
_WIDTHS = np.array([0.1, 0.4, 0.5])
_SLOPES = np.linspace(-60, 60, 24_001)
_SLOPES = np.where(np.abs(_SLOPES) < 1e-4, 1e-4, _SLOPES)
_MEANS = 1 / _SLOPES - 1 / np.expm1(_SLOPES)
# Means of the three pieces: what they are where the cell allows it, and how far each may give way.
# Half of the lowest piece is a flat one, so that as many are just under 10 % as just over.
_LOWER, _MIDDLE_USUAL, _UPPER = 0.05, (0.17, 0.24), 0.70
_FURTHEST, _GRID = 0.95, 1000
_LOWER_RANGE, _MIDDLE_RANGE, _UPPER_RANGE = (0.008, 0.075), (0.112, 0.42), (0.53, 0.95)


@dataclass(frozen=True, slots=True)
class RateDistribution:
    """Rates of several cells.

    Attributes
    ----------
    cuts : ndarray, shape (cells, 3)
        Rank at which each piece begins.
    shares : ndarray, shape (cells, 3)
        Share of pupils in each piece.
    slopes : ndarray, shape (cells, 3)
        Slope of the truncated exponential within each piece.
    """

    cuts: Floats
    shares: Floats
    slopes: Floats

    @property
    def room(self) -> Floats:
        """Mean of r (1 - r) over the rates r of each cell: how far its mean can be moved."""
        many = self.cuts.shape[0]
        cell = np.repeat(np.arange(many), _GRID)
        rate = rate_at(self, cell, np.tile((np.arange(_GRID) + 0.5) / _GRID, many))
        return (rate * (1 - rate)).reshape(many, _GRID).mean(axis=1)


def rate_distribution(mean: Floats, *, persistent: Floats, severe: Floats) -> RateDistribution:
    """Find the distribution with a mean and two tails.

    Parameters
    ----------
    mean : ndarray, shape (cells,)
        Mean rate, 0 to 1. A cell with a missing mean has no distribution.
    persistent, severe : ndarray, shape (cells,)
        Share of pupils who miss 10 % and 50 % or more.

    Returns
    -------
    RateDistribution
        Its mean is ``mean`` to 1e-6 wherever three pieces of these sizes can have it.

    Examples
    --------
    >>> mean, persistent, severe = np.array([[0.109], [0.343], [0.033]])
    >>> cell = rate_distribution(mean, persistent=persistent, severe=severe)
    >>> rates = rate_at(cell, np.zeros(9999, dtype=int), (np.arange(9999) + 0.5) / 9999)
    >>> round(float(rates.mean()), 4), round(float((rates >= 0.1).mean()), 3)
    (0.109, 0.343)
    """
    shares = np.stack([1 - persistent, persistent - severe, severe], axis=-1)
    low, middle, high = np.moveaxis(shares, -1, 0)
    usual = np.clip((mean - high * _UPPER - low * _LOWER) / middle, *_MIDDLE_USUAL)
    lower = np.clip((mean - high * _UPPER - middle * usual) / low, *_LOWER_RANGE)
    between = np.clip((mean - high * _UPPER - low * lower) / middle, *_MIDDLE_RANGE)
    upper = np.clip((mean - low * lower - middle * between) / high, *_UPPER_RANGE)
    within = (np.stack([lower, between, upper], axis=-1) - _EDGES) / _WIDTHS
    slopes = np.interp(within, _MEANS[::-1], _SLOPES[::-1])
    cuts = np.concatenate([np.zeros_like(shares[..., :1]), shares[..., :2].cumsum(-1)], axis=-1)
    return RateDistribution(cuts, shares, slopes)


def rate_at(cells: RateDistribution, cell: NDArray[np.integer], rank: Floats) -> Floats:
    """Return the rate of pupils by their rank in their cell.

    Parameters
    ----------
    cells : RateDistribution
        The cells.
    cell : ndarray of int, shape (pupils,)
        Each pupil's cell.
    rank : ndarray, shape (pupils,)
        Rank from 0, the lowest absence, to 1.

    Returns
    -------
    ndarray, shape (pupils,)
        Share of sessions missed, 0 to 1.
    """
    piece = (rank >= cells.cuts[cell, 1]).astype(np.intp) + (rank >= cells.cuts[cell, 2])
    slope = cells.slopes[cell, piece]
    within = np.clip((rank - cells.cuts[cell, piece]) / cells.shares[cell, piece], 0, 1)
    return _EDGES[piece] - _WIDTHS[piece] * np.log1p(within * np.expm1(-slope)) / slope


def moved(rate: Floats, *, by: Floats, room: Floats) -> Floats:
    """Move the mean of the cells that rates come from, those in the middle the furthest.

    Each rate r becomes r + k r (1 - r), k = by / room: no rate leaves 0 to 1, their order stays,
    and the mean of the cell moves by ``by`` exactly, because ``room`` is the cell's mean of
    r (1 - r). Beyond k = 0.95 either way a cell does not move.

    Parameters
    ----------
    rate : ndarray, shape (pupils,)
        Rate of each pupil.
    by : ndarray, shape (pupils,)
        How far the mean of its cell is to move.
    room : ndarray, shape (pupils,)
        `RateDistribution.room` of its cell.

    Returns
    -------
    ndarray, shape (pupils,)

    Examples
    --------
    >>> moved(np.array([0.0, 0.5]), by=np.array([-0.05]), room=np.array([0.125])).tolist()
    [0.0, 0.4]
    """
    return rate + np.clip(by / room, -_FURTHEST, _FURTHEST) * rate * (1 - rate)
