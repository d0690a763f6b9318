"""A reader who knows the cell key method: integer programming, and how likely each number is.

The reader knows V, D, the rules and, of every hidden cell, which of its numbers is the cause. What
is sought is whole numbers (`number`); a cell is a sum of them (`cell`) with what the reader saw.
"""

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from vsh_eval.release.disclosure.cell_keys import ENDS, MOST

THRESHOLD = 10
CHANGES = np.arange(-MOST, MOST + 1)
CHANCE = np.diff(np.concatenate([[0], ENDS])) / 2.0**32
"""How likely each change of a number is."""
IMPOSSIBLE = -1e9
WIDTH = 20
STEPS = np.arange(-2, 3)
ANY, SHOWN, ROUNDED, SMALL, ENOUGH, TEN = "any", "shown", "rounded", "small", "enough", "ten"
"""What the reader saw of a cell: nothing; the perturbed number; the same to the nearest five; `c`
because of it; `c` but not because of it; nothing but that true and perturbed number are enough."""


def chance(change):
    """Return how likely a change is."""
    return float(CHANCE[change + MOST]) if abs(change) <= MOST else 0.0


def weight(seen, shown, true):
    """Return how likely it is to see what was seen where a number is the true one."""
    if true < 0 or (seen in (SHOWN, ROUNDED, ENOUGH, TEN) and true < THRESHOLD):
        return 0.0
    if seen == SHOWN:
        return chance(shown - true)
    if seen == ROUNDED:
        return sum(chance(value - true) for value in range(shown - 2, shown + 3))
    under = float(CHANCE[true + CHANGES < THRESHOLD].sum())
    if seen == SMALL:
        return 1.0 if true < THRESHOLD else under
    return 1.0 - under if seen == ENOUGH else 1.0


def window(seen, shown):
    """Return the least and the largest number that could have been seen so."""
    if seen in (SHOWN, ROUNDED):
        far = MOST + (2 if seen == ROUNDED else 0)
        return max(THRESHOLD, shown - far), shown + far
    if seen == SMALL:
        return 0, THRESHOLD + MOST - 1
    return (THRESHOLD if seen in (ENOUGH, TEN) else 0), np.inf


class Reader:
    """Whole numbers nobody told, and the cells made of them."""

    def __init__(self):
        self.true, self.cells, self.seen, self._limits = [], [], [], None
        self._at = {}

    def number(self, true):
        """Add a number that is sought and return its place."""
        self.true.append(int(true))
        return len(self.true) - 1

    def cell(self, terms, seen=ANY, shown=0):
        """Add a sum of numbers and what was seen of it, and return its place.

        The same sum seen twice has the same children, hence the same noise: it is one look.
        """
        terms = {at: by for at, by in terms.items() if by}
        same = frozenset(terms.items())
        if same in self._at:
            if self.seen[self._at[same]][0] == ANY:
                self.seen[self._at[same]] = seen, int(shown)
            return self._at[same]
        self._at[same] = len(self.cells)
        self.cells.append(terms)
        self.seen.append((seen, int(shown)))
        assert weight(seen, int(shown), self.truth(terms)) > 0, (seen, shown, self.truth(terms))
        self._limits = None
        return len(self.cells) - 1

    def forget(self):
        """Take what comes next for new looks, with noise of their own."""
        self._at = {}

    def truth(self, terms):
        return sum(factor * self.true[place] for place, factor in terms.items())

    @property
    def matrix(self):
        entries = [(row, at, by) for row, cell in enumerate(self.cells) for at, by in cell.items()]
        rows, columns, factors = zip(*entries, strict=True)
        return csr_matrix((factors, (rows, columns)), shape=(len(self.cells), len(self.true)))

    def bounds(self, cell):
        """Return the least and the largest value a cell can have, by integer programming."""
        if self._limits is None:
            ends = np.array([window(*seen) for seen in self.seen], dtype=float)
            self._limits = self.matrix, LinearConstraint(self.matrix, ends[:, 0], ends[:, 1])
        matrix, limits = self._limits
        target = matrix[cell].toarray().ravel()
        ends = []
        for sign in (1, -1):
            found = milp(
                sign * target,
                constraints=limits,
                bounds=Bounds(0, 1e6),
                integrality=np.ones(len(target)),
            )
            if found.status == 3:  # unbounded: nothing at all is known
                ends.append(sign * -np.inf)
            elif not found.success:
                raise AssertionError("what the reader knows contradicts itself")
            else:
                ends.append(round(sign * found.fun))
        return tuple(ends)

    def likelihoods(self, targets, rng, *, chains=64, sweeps=120):
        """Return how likely each value 0 to 63 of some cells is, all numbers alike beforehand.

        Gibbs sampling: each number in turn is drawn given all others, from what was seen of the
        cells it is in. A large negative number of a cell is impossible.
        """
        coefficients = self.matrix.toarray().astype(np.int64)
        lowest = np.array([_lowest(*seen) for seen in self.seen])
        logs = np.array([_logs(*seen) for seen in self.seen])
        values = np.repeat((coefficients @ np.array(self.true))[:, None], chains, axis=1)
        inside = [np.flatnonzero(coefficients[:, at]) for at in range(len(self.true))]
        counts = np.zeros((len(targets), 64))
        for sweep in range(sweeps):
            for at, cells in enumerate(inside):
                factor = coefficients[cells, at]
                moved = values[cells][:, :, None] + factor[:, None, None] * STEPS
                place = np.clip(moved - lowest[cells][:, None, None], 0, WIDTH - 1)
                found = logs[cells[:, None, None], place].sum(axis=0)
                found += rng.gumbel(size=found.shape)
                values[cells] += factor[:, None] * STEPS[found.argmax(axis=1)]
            if 3 * sweep >= sweeps:
                now = np.clip(values[targets], 0, 63)
                np.add.at(counts, (np.arange(len(targets))[:, None], now), 1)
        return counts / counts.sum(axis=1, keepdims=True)


def _lowest(seen, shown):
    if seen == SHOWN:
        return shown - MOST - 1
    if seen == ROUNDED:
        return shown - MOST - 3
    return THRESHOLD - 1 if seen in (ENOUGH, TEN) else -1


def _logs(seen, shown):
    chances = np.array([weight(seen, shown, _lowest(seen, shown) + step) for step in range(WIDTH)])
    return np.where(chances > 0, np.log(np.maximum(chances, 1e-300)), IMPOSSIBLE)
