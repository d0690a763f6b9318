"""Coordinate descent: which leaves go up so that all totals come closest, within limits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]

_PAIRS_TRIED = 500


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """Limits on the leaves that are raised: ``weights @ raised <= most``.

    A limit that cannot be kept is left as near as it can be; no later turn makes it worse.
    """

    weights: NDArray[np.float64]
    most: NDArray[np.float64]

    def nearest(self, wish: Flags) -> Flags:
        """Turn wished leaves back, the most helpful first, until the limits are kept."""
        raised = wish.copy()
        while self.weights.size:
            room, steps = self._room_and_steps(raised)
            broken = np.maximum(steps - room[:, None], 0).sum(axis=0)
            best = int(broken.argmin())
            if broken[best] >= np.maximum(-room, 0).sum():
                break
            raised[best] = ~raised[best]
        return raised

    def single(self, raised: Flags) -> Flags:
        """Say which leaves may be turned."""
        room, steps = self._room_and_steps(raised)
        return (steps <= np.maximum(room, 0)[:, None]).all(axis=0)

    def pairs(self, raised: Flags, first: Counts, second: Counts) -> Flags:
        """Say which pairs of leaves may be turned together."""
        room, steps = self._room_and_steps(raised)
        return (steps[:, first] + steps[:, second] <= np.maximum(room, 0)[:, None]).all(axis=0)

    def _room_and_steps(self, raised: Flags) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        room = self.most - self.weights @ raised.astype(np.float64)
        return room, self.weights * np.where(raised, -1, 1).astype(np.float64)


def descend(raised: Flags, pull: Counts, gram: Counts, limits: Limits, *, base: int) -> Flags:
    """Turn leaves, one or two at a time, while the totals come closer.

    Parameters
    ----------
    raised : ndarray of bool, shape (leaves,)
        Where to start.
    pull : ndarray of int64, shape (leaves,)
        Half the slope of the totals' squared errors in each leaf's error.
    gram : ndarray of int64, shape (leaves, leaves)
        In how many totals two leaves meet.
    limits : Limits
        What no turn may break.
    base : int
        How far a turn moves a leaf.

    Returns
    -------
    ndarray of bool, shape (leaves,)
        Where no single turn and no pair of turns helps.
    """
    if not raised.size:
        return raised
    raised, pull = raised.copy(), pull.copy()
    own = base * base * np.diagonal(gram)
    while True:
        step = np.where(raised, -base, base)
        gain = 2 * step * pull + own
        allowed = np.where(limits.single(raised), gain, 0)
        turn = [int(allowed.argmin())]
        if allowed[turn[0]] >= 0:
            turn = _best_pair(raised, gain, step, gram, limits)
        if not turn:
            return raised
        for leaf in turn:
            pull += step[leaf] * gram[:, leaf]
            raised[leaf] = ~raised[leaf]


def _best_pair(
    raised: Flags, gain: Counts, step: Counts, gram: Counts, limits: Limits
) -> list[int]:
    """Return the two leaves whose turn together brings the totals closest, if any does."""
    first, second = np.triu_indices(gain.size, k=1)
    both = gain[first] + gain[second] + 2 * step[first] * step[second] * gram[first, second]
    better = np.flatnonzero(both < 0)
    better = better[np.argsort(both[better], kind="stable")][:_PAIRS_TRIED]
    may = np.flatnonzero(limits.pairs(raised, first[better], second[better]))
    return [int(first[better[may[0]]]), int(second[better[may[0]]])] if may.size else []
