"""The reader of a whole release: every table beside every other one, by integer programming.

`joint` reads the cube's levels, the gaps by characteristic and the barriers of one year together:
boys and girls, pupils with and without free meals, and the phases are the same children. The other
attacks each take one more table, as it is released, and count what cannot be excluded.
"""

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from tests.release.attacker import MEMBERS, nearest_window
from vsh_eval import names
from vsh_eval.release.disclosure.sides import multiplier

NUMBER, SHARE = "N", "persistent_absence"
BY_PHASE = "phase"
MOST = 20_000
"""Multiples of five that a leaf may have."""
SHOWN_BY_VALUE = ("cwsw", "peers")
"""Groups whose gaps are released by characteristic."""


class Joint:
    """Whole numbers nobody told, and the facts that bind them."""

    def __init__(self):
        self.at, self.ends, self.facts, self._limits = {}, [], [], None

    def number(self, name, low=0, high=5 * MOST):
        self.at[name] = len(self.at)
        self.ends.append((low, high))

    def fact(self, terms, low=-np.inf, high=np.inf):
        self.facts.append((terms, low, high))
        self._limits = None

    def bounds(self, terms):
        if self._limits is None:
            found = [
                (row, self.at[name], weight)
                for row, (facts, _, _) in enumerate(self.facts)
                for name, weight in facts.items()
            ]
            rows, columns, weights = zip(*found, strict=True)
            shape = len(self.facts), len(self.at)
            matrix = csr_matrix((weights, (rows, columns)), shape=shape)
            self._limits = LinearConstraint(
                matrix, [f[1] for f in self.facts], [f[2] for f in self.facts]
            )
        target = np.zeros(len(self.at))
        for name, weight in terms.items():
            target[self.at[name]] += weight
        ends = []
        for sign in (1, -1):
            found = milp(
                sign * target,
                constraints=self._limits,
                bounds=Bounds(*np.array(self.ends, dtype=float).T),
                integrality=np.ones(len(target)),
            )
            if not found.success:
                raise AssertionError("what the reader knows contradicts itself")
            ends.append(round(sign * found.fun))
        return tuple(ends)


def joint(cube, breakdowns, year, *, barriers=None, told_all=False, only=None):
    """Return a `Joint` reader of one year, and the true numbers of 1 to 9 with their sums.

    The reader knows the rule of rounding and the number behind every cell that is shown; with
    ``told_all`` every rounded number, hidden ones too, and why each is hidden.
    """
    chosen = {by: breakdowns.cubes[by] for by in (breakdowns.cubes if only is None else only)}
    rows = {by: _rows(table, year) for by, table in {BY_PHASE: cube, **chosen}.items()}
    values = {
        by: [v for v in dict.fromkeys(row["phase"] for row in cells) if v != names.TOTAL]
        for by, cells in rows.items()
    }
    reader, targets = empty_reader(values), []
    for by, cells in rows.items():
        for row in cells:
            where = values[by] if row["phase"] == names.TOTAL else [row["phase"]]
            cell = _Cell(by, where, MEMBERS[row["group"]])
            if by == BY_PHASE or row["group"] in SHOWN_BY_VALUE:
                _read(reader, row, cell, told_all=told_all)
            targets += cell.targets(row)
    for by, group, shown in _totals_of(barriers, year):
        if by in values:
            multiple = sum_of("multiple", NUMBER, by, values[by], MEMBERS[group])
            reader.fact(multiple, shown // 5, shown // 5)
    return reader, targets


def _rows(table, year):
    cells = table._exact
    return cells[(cells["time_period"] == year) & (cells["metric"] == SHARE)].to_dict("records")


def empty_reader(values):
    """Return a reader of empty tables by phase and by characteristic, about the same children."""
    reader = Joint()
    for by, inside in values.items():
        for value in inside:
            for group in names.LEAF_GROUPS:
                leaf_of(reader, by, value, group)
    for by, inside in values.items():
        for group in names.LEAF_GROUPS if by != BY_PHASE else ():
            for what in (NUMBER, SHARE):
                here = sum_of("true", what, by, inside, (group,))
                there = sum_of("true", what, BY_PHASE, values[BY_PHASE], (group,))
                reader.fact({**here, **dict.fromkeys(there, -1)}, 0, 0)
    return reader


class _Cell:
    def __init__(self, by, where, leaves):
        self.n = sum_of("true", NUMBER, by, where, leaves)
        self.y = sum_of("true", SHARE, by, where, leaves)
        self.rest = {**self.n, **dict.fromkeys(self.y, -1)}
        self.rounded_n = sum_of("multiple", NUMBER, by, where, leaves)
        self.rounded_y = sum_of("multiple", SHARE, by, where, leaves)
        self.by = by

    def targets(self, row):
        """Return every true number of 1 to 9: its cell, its sum of leaves and itself."""
        n, y = int(row["true_pupils"]), int(row["true_numerator"])
        found = ((NUMBER, self.n, n), ("y", self.y, y), ("N-y", self.rest, n - y))
        return [
            ((self.by, row["phase"], row["group"], what), terms, true)
            for what, terms, true in found
            if 1 <= true <= 9
        ]


def sum_of(kind, what, by, where, leaves):
    return {(kind, what, by, value, leaf): 1 for value in where for leaf in leaves}


def leaf_of(reader, by, value, group):
    """A true leaf lies within four of its multiple of five, and is ten or more if that is."""
    for what in (NUMBER, SHARE):
        true, multiple, many = (
            (kind, what, by, value, group) for kind in ("true", "multiple", "many")
        )
        reader.number(true)
        reader.number(multiple, 0, MOST)
        reader.number(many, 0, 1)
        reader.fact({true: 1, multiple: -5}, -4, 4)
        reader.fact({true: 1, many: -10}, low=0)
        reader.fact({multiple: 1, many: -MOST}, high=1)
        reader.fact({multiple: 1, many: -2}, low=0)
    for kind in ("true", "multiple"):
        n, y = ((kind, what, by, value, group) for what in (NUMBER, SHARE))
        reader.fact({n: 1, y: -1}, low=0)


def _read(reader, row, cell, *, told_all):
    n, y = int(row["pupils"]), int(row["numerator"])
    seen_n, seen_y = row["pupils_status"] == "", row["status"] == ""
    if seen_n or told_all:
        reader.fact(cell.rounded_n, n // 5, n // 5)
    if seen_y or told_all:
        reader.fact(cell.rounded_y, y // 5, y // 5)
    true_n, true_y = row["true_pupils"], row["true_numerator"]
    _learn(reader, [(cell.n, true_n)], seen=seen_n, tells=told_all and n >= 10)
    both = [(cell.y, true_y), (cell.rest, true_n - true_y)]
    _learn(reader, both, seen=seen_y, tells=told_all and min(y, n - y) >= 10)


def _learn(reader, numbers, *, seen, tells):
    """What is shown is ten or more; what is not, though it looks it, is told to be fewer."""
    for terms, true in numbers:
        if seen:
            reader.fact(terms, low=10)
        elif tells and true < 10:
            reader.fact(terms, high=9)


def _totals_of(barriers, year):
    """Yield each total that a table of barriers shows: breakdown, group, number."""
    if barriers is None:
        return
    for row in barriers[barriers["time_period"] == year].to_dict("records"):
        by = "fsm6" if row["barrier"] == "fsm6" else "sen"
        for side in ("group", "reference"):
            if pd.notna(row[f"{side}_pupils"]):
                yield by, row[side], int(row[f"{side}_pupils"])


def fewest(reader, targets):
    """Return the fewest values left to any target; every true value must be among them."""
    left = []
    for cell, terms, true in targets:
        low, high = reader.bounds(terms)
        if not low <= true <= high:
            raise AssertionError(f"{cell} is {true}, not within {low} to {high}")
        left.append(high - low + 1)
    return min(left, default=10)


# --- One more table each.


def schools_that_fit(shown, lower, upper, *, most=80):
    """Return the numbers of schools that explain a shown mean with its interval.

    The error has two significant figures, the limits two decimals; the reach is the rule's.
    """
    schools = np.arange(3, most)
    degrees = schools - 1.0
    table = pd.DataFrame({"v": 0.0, "l": -1.0, "u": 1.0, "se": 1.0, "df": degrees})
    table["u"] = multiplier(table, ("v", "l", "u", "se"), np.ones(len(table), dtype=bool))
    errors = np.concatenate([np.arange(10, 100) / 10.0**k for k in range(4)])
    reach = table["u"].to_numpy()[:, None] * errors[None, :]
    fits = np.isclose(np.round(shown + reach, 2), upper) & np.isclose(
        np.round(shown - reach, 2), lower
    )
    return schools[fits.any(axis=1)]


def a_part_left_out(whole, parts):
    """Return the least and the most that the part not shown can be, beside nearest fives.

    ``whole`` and ``parts`` are shown numbers, None where nothing is shown.
    """
    if whole is None or any(part is None for part in parts):
        return 0, 9
    ends = [nearest_window(int(part)) for part in parts]
    low, high = nearest_window(int(whole))
    least, most = low - sum(end[1] for end in ends), high - sum(end[0] for end in ends)
    return max(least, 0), min(most, 9)


def width_of_few(first, second, children):
    """Return how closely the mean of a few is known from two means of true numbers of children.

    ``first`` and ``second`` are (N, whether the mean is shown) of two groups of which the second
    lacks the few.
    """
    if not (first[1] and second[1]):
        return float("inf")
    return 2 * 0.005 * (first[0] + second[0]) / children


def limits_of(value, error, schools):
    """Return the limits that the rule shows around a mean of so many schools."""
    table = pd.DataFrame({"v": [0.0], "l": [-1.0], "u": [1.0], "se": [1.0], "df": [schools - 1.0]})
    reach = error * multiplier(table, ("v", "l", "u", "se"), np.array([True]))[0]
    return round(value - reach, 2), round(value + reach, 2)
