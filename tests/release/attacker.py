"""The reader who subtracts: what can be worked out from a release, and authorities to try it on.

The attacker knows the rule, every rounded leaf (hidden ones too), which numbers are hidden and even
why. What is left is the whole numbers that fit: bounds by integer programming.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from vsh_eval import academic_year, names, registry
from vsh_eval.release.disclosure.cube import RoundedCube

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


# --- Every metric that counts children or events, whatever holds it.

SUSPENSION = ("suspension_rate", "pupils_suspended", "permanent_exclusion")
SUBJECTS = ("ks2_reading_expected", "ks2_writing_expected", "ks2_maths_expected")
KEY_STAGE_2 = ("ks2_rwm_expected", *SUBJECTS)
KEY_STAGE_4 = ("ks4_basics_94", "ks4_basics_95")
WITHIN = (
    ("severe_absence", "persistent_absence"),
    ("pupils_suspended", "suspension_rate"),
    *(("ks2_rwm_expected", subject) for subject in SUBJECTS),
    ("ks4_basics_95", "ks4_basics_94"),
)
"""What every reader knows of the numerators: the first is part of the second."""
HOLDS = (*(("ks2_rwm_expected", subject) for subject in SUBJECTS), *[("attendance", "suspension")])
"""What every reader knows of the children: the first are among the second."""


class Reader:
    """One year of a cube as its reader sees it: all metrics at once, and why numbers are hidden."""

    def __init__(self, cube, year):
        cells = cube._exact
        cells = cells[(cells["time_period"] == year) & cells["numerator"].notna()]
        self.rows = {
            (row["metric"], row["group"], row["phase"]): row for row in cells.to_dict("records")
        }
        self.phases = [phase for phase in cells["phase"].unique() if phase != names.TOTAL]
        self.attacker = Attacker()
        self.metrics = set(cells["metric"])
        for (metric, group, phase), row in self.rows.items():
            if group in names.LEAF_GROUPS and phase != names.TOTAL:
                leaf = (group, phase)
                self.attacker.number(("N", population(metric), *leaf), *window(int(row["pupils"])))
                self.attacker.number(("y", metric, *leaf), *window(int(row["numerator"])))
        self._learn_what_everyone_knows()
        for (metric, group, phase), row in self.rows.items():
            self._learn_from_hiding(metric, group, phase, row)
            self._learn_from_pairs(metric, group, phase)

    def sum_of(self, what, name, group, phase):
        where = self.phases if phase == names.TOTAL else [phase]
        return {(what, name, leaf, at): 1 for leaf in MEMBERS[group] for at in where}

    def less(self, whole, part):
        return {**whole, **dict.fromkeys(part, -1)}

    def _learn_what_everyone_knows(self):
        leaves = {name[2:] for name in self.attacker.known}
        for group, phase in leaves:
            for metric in self.metrics:
                if metric != SUSPENSION[0]:
                    n, y = ("N", population(metric), group, phase), ("y", metric, group, phase)
                    self.attacker.fact({n: 1, y: -1}, low=0)
            for what, pairs in (("y", WITHIN), ("N", HOLDS)):
                for part, whole in pairs:
                    small, large = (what, part, group, phase), (what, whole, group, phase)
                    if small in self.attacker.known and large in self.attacker.known:
                        self.attacker.fact({large: 1, small: -1}, low=0)

    def counts(self, metric, group, phase):
        """Yield each count of a cell: its name, its sum of leaves, the true and the rounded one."""
        row = self.rows[metric, group, phase]
        n, true_n = self.sum_of("N", population(metric), group, phase), int(row["true_pupils"])
        y, true_y = self.sum_of("y", metric, group, phase), int(row["true_numerator"])
        rounded_n, rounded_y = int(row["pupils"]), int(row["numerator"])
        yield "N", n, true_n, rounded_n
        yield "y", y, true_y, rounded_y
        if metric != SUSPENSION[0]:
            yield "N-y", self.less(n, y), true_n - true_y, rounded_n - rounded_y

    def between(self, group, phase):
        """Yield each difference of two numerators of children, with their names."""
        for part, whole in WITHIN:
            if whole in self.metrics and part in self.metrics and whole != SUSPENSION[0]:
                first, second = (self.rows[metric, group, phase] for metric in (part, whole))
                terms = self.less(
                    *(self.sum_of("y", metric, group, phase) for metric in (whole, part))
                )
                true = int(second["true_numerator"] - first["true_numerator"])
                yield (part, whole), terms, true, int(second["numerator"] - first["numerator"])

    def _learn_from_hiding(self, metric, group, phase, row):
        (_, n, true_n, rounded_n), *rest = self.counts(metric, group, phase)
        if row["pupils_status"] == "":
            self.attacker.fact(n, low=10)
        elif rounded_n >= 10 and true_n < 10:
            self.attacker.fact(n, high=9)
        for _, terms, true, rounded in rest:
            if row["status"] == "":
                self.attacker.fact(terms, low=10)
            elif min(rounded for *_, rounded in rest) >= 10 and true < 10:
                self.attacker.fact(terms, high=9)

    def _learn_from_pairs(self, metric, group, phase):
        for pair, terms, true, rounded in self.between(group, phase):
            if metric != pair[0]:
                continue
            if all(self.rows[name, group, phase]["status"] == "" for name in pair):
                self.attacker.fact(terms, low=10)
            elif rounded >= 10 > true and all(self._passes(name, group, phase) for name in pair):
                self.attacker.fact(terms, high=9)

    def _passes(self, metric, group, phase):
        """Say whether a number would be shown if nothing lay between it and another."""
        counts = self.counts(metric, group, phase)
        return all(min(true, rounded) >= 10 for *_, true, rounded in counts)

    def sensitive(self):
        """Yield, for every true number of children or events of 1 to 9, its bounds."""
        told = set()
        for metric, group, phase in self.rows:
            found = [*self.counts(metric, group, phase)]
            if metric == next(iter(sorted(self.metrics))):
                found += self.between(group, phase)
            for what, terms, true, _ in found:
                if 1 <= true <= 9 and frozenset(terms.items()) not in told:
                    told.add(frozenset(terms.items()))
                    yield (metric, group, phase, what), true, self.attacker.bounds(terms)


def population(metric):
    """The children a metric is about: those of suspension and of key stage 4 share one number."""
    if metric in SUSPENSION:
        return "suspension"
    if metric in KEY_STAGE_4:
        return "key stage 4"
    return "attendance" if metric.endswith("_absence") else metric


def authority_with(leaves, make, *, seed=0, schools=6, year=YEARS[-1], phases=PHASES):
    """Make a returns panel of one year whose leaves hold the numbers of children given.

    ``make(rng, count)`` gives each metric's values of the children, NaN where a child is not
    counted.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for (group, phase), count in np.ndenumerate(np.asarray(leaves)):
        home = np.arange(count) % schools
        for metric, y in make(rng, count).items():
            for school in range(min(schools, count)):
                mine = y[(home == school) & ~np.isnan(y)]
                if mine.size:
                    key = ("returns", "2025-11", "any_time_in_year", names.SCHOOL)
                    unit = f"{phases[phase]}{school:02d}"
                    n, total, squares = mine.size, mine.sum(), (mine**2).sum()
                    sums = (total, n, squares, total, n, np.nan, "")
                    place = (unit, year, phases[phase], names.LEAF_GROUPS[group], metric, n)
                    rows.append((*key, *place, *sums))
    return pd.DataFrame(rows, columns=list(names.PANEL_COLUMNS)).astype(
        {"pupils": "Int64", "denominator": "Int64"}
    )


def suspensions(rng, count):
    events = rng.negative_binomial(0.4, 0.4, count).astype(float)
    of_age = rng.random(count) < 0.9
    absent = (rng.random(count) < 0.4).astype(float)
    severe = absent * (rng.random(count) < 0.5)
    return {
        "suspension_rate": events,
        "pupils_suspended": np.minimum(events, 1),
        "permanent_exclusion": (rng.random(count) < 0.05) * 1.0,
        "persistent_absence": np.where(of_age, absent, np.nan),
        "severe_absence": np.where(of_age, severe, np.nan),
    }


def key_stage_2(rng, count):
    able = rng.normal(size=count)
    reached = {name: (able + rng.normal(0, 0.5, count) > -0.2) * 1.0 for name in SUBJECTS}
    eligible = {name: rng.random(count) < 0.97 for name in SUBJECTS}
    values = {name: np.where(eligible[name], reached[name], np.nan) for name in SUBJECTS}
    return {"ks2_rwm_expected": np.minimum.reduce(list(values.values())), **values}


def key_stage_4(rng, count):
    able = rng.normal(size=count)
    return {"ks4_basics_94": (able > -0.2) * 1.0, "ks4_basics_95": (able > 0.1) * 1.0}


# --- Means: the reader who knows every number of children and subtracts sums.


def scores(rng, count):
    """Ranks, points and sessions of children; ranks are worked out over the authority's rows."""
    points = np.round(rng.normal(40, 18, count).clip(0, 90))
    return {
        "ks4_attainment8": points,
        "ks4_progress8": np.round(rng.normal(-0.3, 1.3, count), 2),
        "ks4_attainment8_rank": np.round(rng.uniform(0, 100, count), 2),
    }


def with_mean_of_50(panel, metric):
    """Shift the sums of ranks so that the mean of all pupils is 50, as it is by definition."""
    rows = panel["metric"] == metric
    off = 50 - panel.loc[rows, "numerator"].sum() / panel.loc[rows, "pupils"].sum()
    panel.loc[rows, "numerator"] += off * panel.loc[rows, "pupils"].astype(float)
    return panel


def hidden_means(cube, metric, year):
    """Yield each hidden mean of fewer than ten children: its cell, the mean, and its bounds.

    The reader knows every true number of children, the range of a score, every mean that is shown,
    to its decimals, and that the mean rank of everyone is 50.
    """
    cells = cube._exact
    cells = cells[(cells["metric"] == metric) & (cells["time_period"] == year)]
    cells = cells.set_index(["group", "phase"])
    n, entry = cells["true_pupils"], registry.metric(metric)
    leaves = [leaf for leaf in n.index[n > 0] if _is_leaf(*leaf)]
    known = _means_shown(cells, leaves, entry)
    limits = [(entry.lowest * n.loc[leaf], entry.highest * n.loc[leaf]) for leaf in leaves]
    for cell, row in cells.iterrows():
        if row["status"] != "" and 0 < n.loc[cell] < 10:
            terms = _members(cell, leaves)
            ends = [sign * linprog(sign * terms, *known, bounds=limits).fun for sign in (1, -1)]
            mean = row["true_numerator"] / n.loc[cell]
            yield cell, mean, (ends[0] / n.loc[cell], ends[1] / n.loc[cell])


def _is_leaf(group, phase):
    return group in names.LEAF_GROUPS and phase != names.TOTAL


def _members(cell, leaves):
    group, phase = cell
    return np.array([float(g in MEMBERS[group] and phase in (p, names.TOTAL)) for g, p in leaves])


def _means_shown(cells, leaves, entry):
    """Return the sums that shown means tell, as rows of a matrix and what they are at most."""
    half = 0.05 if entry.ranks else 0.005
    shown = cells[cells["status"] == ""]
    told = [(cell, row["level"], half) for cell, row in shown.iterrows()]
    if entry.ranks:
        told.append(((names.ALL, names.TOTAL), 50.0, 0.0))
    facts, most = [], []
    for cell, mean, within in told:
        for sign in (1, -1):
            facts.append(sign * _members(cell, leaves))
            most.append((sign * mean + within) * cells["true_pupils"].loc[cell] + 1e-6)
    return np.array(facts), most
