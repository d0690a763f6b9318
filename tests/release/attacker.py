"""The reader who subtracts: what can be worked out from a release, and authorities to try it on.

The attacker knows the rule, every rounded leaf (hidden ones too), which numbers are hidden and even
why. What is left is the whole numbers that fit: bounds by integer programming.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp

from vsh_eval import academic_year, names
from vsh_eval.release.cube import RoundedCube

YEARS = (202223, 202324)
PHASES = ("primary", "secondary", "special")
MEMBERS = {leaf: (leaf,) for leaf in names.LEAF_GROUPS} | dict(names.GROUP_SUMS)


@dataclass
class Attacker:
    """Whole numbers nobody told, and what is known of them."""

    known: dict = field(default_factory=dict)
    facts: list = field(default_factory=list)

    def number(self, name, low=0, high=10_000):
        self.known[name] = (low, high)

    def fact(self, parts, low=-np.inf, high=np.inf):
        """Sum of coefficient x number lies between low and high."""
        self.facts.append((parts, low, high))

    def bounds(self, parts):
        """Smallest and largest value that a sum of coefficient x number can have."""
        order = {name: at for at, name in enumerate(self.known)}
        matrix = np.zeros((len(self.facts), len(order)))
        for row, (terms, _, _) in enumerate(self.facts):
            for name, weight in terms.items():
                matrix[row, order[name]] += weight
        target = np.zeros(len(order))
        for name, weight in parts.items():
            target[order[name]] += weight
        low, high = np.array(list(self.known.values()), dtype=float).T
        limits = [
            LinearConstraint(matrix, [f[1] for f in self.facts], [f[2] for f in self.facts])
        ] * bool(self.facts)
        ends = []
        for sign in (1, -1):
            found = milp(
                sign * target,
                constraints=limits,
                bounds=Bounds(low, high),
                integrality=np.ones(len(order)),
            )
            if not found.success:
                raise AssertionError("what the attacker knows contradicts itself")
            ends.append(round(sign * found.fun))
        return tuple(ends)

    def candidates(self, parts):
        """How many whole numbers cannot be excluded."""
        low, high = self.bounds(parts)
        return high - low + 1


def window(rounded, *, base=5, threshold=10):
    """True counts that the rule rounds to a multiple: 0-4, 1-9, 10-14, 11-19 ..."""
    if rounded == 0:
        return 0, base - 1
    low, high = rounded - base + 1, rounded + base - 1
    if rounded == threshold:
        low = threshold
    return low, high


def nearest(count, base=5):
    return int(base * ((count + base / 2) // base))


def nearest_window(rounded, base=5):
    return max(rounded - base // 2, 0), rounded + base // 2


COUNTED = ("persistent_absence", "severe_absence")


def attack(cube: RoundedCube, year):
    """Everything a reader can know of one year, all metrics at once, and why numbers are hidden."""
    cells = cube._exact
    cells = cells[(cells["time_period"] == year) & cells["metric"].isin(COUNTED)]
    phases = [phase for phase in cells["phase"].unique() if phase != names.TOTAL]
    reader = Attacker()
    for row in cells.to_dict("records"):
        leaf = (row["group"], row["phase"])
        if leaf[0] in names.LEAF_GROUPS and leaf[1] in phases:
            reader.number(("n", *leaf), *window(int(row["pupils"])))
            reader.number((row["metric"], *leaf), *window(int(row["numerator"])))
    for leaf in [name[1:] for name in reader.known if name[0] == "n"]:
        for whole, part in (("n", COUNTED[0]), COUNTED):
            reader.fact({(whole, *leaf): 1, (part, *leaf): -1}, low=0)
    rows = cells.to_dict("records")
    for row in rows:
        _learn_from_hiding(reader, row, *parts(row, phases))
    return reader, rows, phases


def parts(row, phases):
    """The leaves of a cell's children, numerator and rest, as sums of the attacker's numbers."""
    where = phases if row["phase"] == names.TOTAL else [row["phase"]]
    leaves = [(leaf, at) for leaf in MEMBERS[row["group"]] for at in where]
    n = {("n", *leaf): 1 for leaf in leaves}
    y = {(row["metric"], *leaf): 1 for leaf in leaves}
    return n, y, {**n, **dict.fromkeys(y, -1)}


def _learn_from_hiding(reader, row, n, y, rest):
    """A shown number says that the true ones pass; a hidden one that something fails.

    Where the rounded numbers fail by themselves, hiding says nothing of the true ones. Elsewhere
    the attacker is told which of the true ones fails.
    """
    true_n, true_y = row["true_pupils"], row["true_numerator"]
    if row["pupils_status"] == "":
        reader.fact(n, low=10)
    elif row["pupils"] >= 10 and true_n < 10:
        reader.fact(n, high=9)
    if row["status"] == "":
        reader.fact(y, low=10)
        reader.fact(rest, low=10)
    elif min(row["numerator"], row["pupils"] - row["numerator"]) >= 10:
        if true_y < 10:
            reader.fact(y, high=9)
        if true_n - true_y < 10:
            reader.fact(rest, high=9)


def sensitive(cube, year):
    """Yield, for every true number of 1 to 9, its cell, the number and its bounds."""
    reader, rows, phases = attack(cube, year)
    for row in rows:
        n, y, rest = parts(row, phases)
        true_n, true_y = int(row["true_pupils"]), int(row["true_numerator"])
        wanted = [("y", y, true_y), ("N-y", rest, true_n - true_y)]
        if row["metric"] == COUNTED[0]:
            wanted.append(("N", n, true_n))
        for what, terms, true in wanted:
            if 1 <= true <= 9:
                yield (row["metric"], row["group"], row["phase"], what), true, reader.bounds(terms)


def authority(leaves, *, share=0.35, severe=0.3, seed=0, schools=6, years=YEARS, phases=PHASES):
    """Make a returns panel whose leaves hold the numbers of children given.

    ``leaves`` has the shape (groups, phases, years); a share of the children is persistently
    absent, a share of these severely. Children are spread over the schools of their phase.
    """
    rng = np.random.default_rng(seed)
    leaves = np.asarray(leaves)
    rows = []
    for (group, phase, year), count in np.ndenumerate(leaves):
        home = np.arange(count) % schools  # spread evenly, so that no school is over 80%
        x = rng.integers(330, 371, count)
        kind = rng.random(count)
        y = np.where(kind < share * severe, 0.6, np.where(kind < share, 0.2, 0.04)) * x
        y = np.round(y + rng.integers(0, 4, count))
        for school in range(min(schools, count)):
            mine = home == school
            rows += _school_rows(
                f"{phases[phase]}{school:02d}",
                years[year],
                phases[phase],
                names.LEAF_GROUPS[group],
                x[mine],
                y[mine],
            )
    return pd.DataFrame(rows, columns=list(names.PANEL_COLUMNS)).astype(
        {"pupils": "Int64", "denominator": "Int64"}
    )


def _school_rows(unit, year, phase, group, x, y):
    one = np.ones(len(x))
    values = {
        "overall_absence": (y, x),
        "persistent_absence": ((10 * y >= x) * 1.0, one),
        "severe_absence": ((2 * y >= x) * 1.0, one),
    }
    key = ("returns", "2025-11", "any_time_in_year", names.SCHOOL, unit, year, phase, group)
    for metric, (top, bottom) in values.items():
        sums = (top.sum(), bottom.sum(), (top**2).sum(), (top * bottom).sum(), (bottom**2).sum())
        yield (*key, metric, len(x), *sums, np.nan, "")


def random_leaves(seed, *, size=1.0, years=2, phases=3):
    """Numbers of children as a small authority has them: a few here, a thousand peers there."""
    rng = np.random.default_rng(seed)
    mean = size * np.array([8, 9, 30, 25, 400.0])[:, None, None]
    mean = mean * np.array([1.0, 0.8, 0.15, 0.1, 0.05])[None, :phases, None]
    return rng.poisson(mean * np.ones((1, 1, years)))


def next_year(year):
    return academic_year.after(year)
