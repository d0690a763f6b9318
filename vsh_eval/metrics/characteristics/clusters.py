"""The schools behind a composition, none of which it names: how they vary, and how many they are.

A number made of strata's sums moves by e_s = sum (a Y_s + b X_s) with school s, a and b being its
slopes in the sums Y and X of each leaf group and stratum. So the sum over schools of e_s^2, or of
the product of two such values, needs only the sums over schools of products of their strata's sums,
which the cohort room makes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.cells.level import FloatArray
from vsh_eval.contracts import ContractError, require_columns, require_one_vintage
from vsh_eval.metrics.characteristics.strata import Slopes, Strata
from vsh_eval.panel import GROUPS, PanelSlice

_RULES = ["vintage", "cohort_rule"]


@dataclass(frozen=True, slots=True)
class Clusters:
    """The schools behind one metric's strata, phase by phase.

    Attributes
    ----------
    axes : tuple of str
        The axes of the strata: ``phase`` and what is crossed.
    products : FloatArray, shape (years, phases, 2 x cells, 2 x cells)
        Sums over schools of products of Y and X (in this order) of every leaf group and stratum.
    schools, largest : FloatArray, shape (years, phases, groups, values)
        Schools with pupils of a group and a value of a breakdown, and the most that one has.
    """

    axes: tuple[str, ...]
    products: FloatArray
    schools: FloatArray
    largest: FloatArray

    def loads(self, strata: Strata, slopes: Slopes) -> FloatArray:
        """Return slopes by leaf group and stratum as one row of weights a year and phase.

        A characteristic that the strata do not tell apart has the same slope in all its values.
        """
        shape = [len(_labels(axis)) for axis in self.axes]
        mine = [axis for axis in self.axes if axis in strata.factors]
        order = (0, 1, *(2 + strata.factors.index(axis) for axis in mine))
        at = [
            [_labels(axis).index(label) for label in strata.labels[strata.factors.index(axis)]]
            if axis in mine
            else range(size)
            for axis, size in zip(self.axes, shape, strict=True)
        ]
        parts = []
        for values in (slopes.y, slopes.x):
            lead = values.shape[:2]
            known = iter(values.transpose(order).shape[2:])
            wide = [next(known) if axis in mine else 1 for axis in self.axes]
            full = np.zeros((*lead, *shape))
            place = np.ix_(*(range(size) for size in lead), *at)
            full[place] = values.transpose(order).reshape(*lead, *wide)
            parts.append(np.moveaxis(full, 2, 1).reshape(lead[0], shape[0], -1))
        return np.concatenate(parts, axis=-1)

    def joint(self, first: FloatArray, second: FloatArray) -> FloatArray:
        """Return the sum over schools of the products of two values, year by year."""
        moved = (self.products @ second[..., None])[..., 0]
        return (first * moved).sum(axis=(1, 2))


@dataclass(frozen=True, slots=True)
class Schools:
    """The schools of one phase, or of all, whose pupils have one value of a breakdown."""

    clusters: Clusters
    phase: str
    breakdown: str = names.ANY
    value: str = names.ANY

    def count(self, group: str) -> tuple[FloatArray, FloatArray]:
        """Return how many schools have pupils of a group, and the most that one school has."""
        at = GROUPS.index(group), names.SPREAD_VALUES.index((self.breakdown, self.value))
        counts, most = (a[:, :, *at] for a in (self.clusters.schools, self.clusters.largest))
        if self.phase == names.TOTAL:
            return counts.sum(axis=1), most.max(axis=1)
        phase = names.PHASES.index(self.phase)
        return counts[:, phase], most[:, phase]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """How far the schools behind a composition differ, and how many they are; no school is named.

    Attributes
    ----------
    products : DataFrame
        ``names.MOMENT_COLUMNS``: sums over schools of products of their strata's sums.
    spread : DataFrame
        ``names.SPREAD_COLUMNS``: schools, and the largest one's pupils, by group and value.
    """

    products: pd.DataFrame
    spread: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class SchoolTables:
    """Both tables about the schools behind a composition, checked against it."""

    products: pd.DataFrame
    spread: pd.DataFrame
    years: tuple[int, ...]

    def of(self, metric: str, by: str = names.MAKE_UP) -> Clusters:
        """Return a metric's schools for one family of strata (``names.MOMENT_AXES``)."""
        rows = self.products[(self.products["metric"] == metric) & (self.products["by"] == by)]
        counted = self.spread[self.spread["metric"] == metric]
        return Clusters(
            ("phase", *names.MOMENT_AXES[by]),
            _products(rows, self.years, names.MOMENT_STRATA[by]),
            *_counts(counted, self.years),
        )


def school_tables(moments: Moments | None, composition: PanelSlice) -> SchoolTables | None:
    """Check both tables about the schools behind a composition; None where there are none.

    Raises
    ------
    ContractError
        If a column is missing, or they count other pupils than the composition.
    VintageError, CohortRuleError
        If they are of another vintage or cohort rule than the composition.
    """
    if moments is None:
        return None
    products, spread = moments.products, moments.spread
    require_columns(products, names.MOMENT_COLUMNS, name="moments")
    require_columns(spread, names.SPREAD_COLUMNS, name="spread")
    wanted = [metric.name for metric in composition.metrics]
    tables = [
        table[table["metric"].isin(wanted) & table["time_period"].isin(composition.years)]
        for table in (products, spread)
    ]
    rules = [table[_RULES].drop_duplicates() for table in (*tables, composition.panel)]
    require_one_vintage(pd.concat([rule.astype("str") for rule in rules], ignore_index=True))
    _require_same_pupils(tables[1], composition)
    _require_every_phase(tables[0], tables[1])
    return SchoolTables(tables[0], tables[1], composition.years)


def _require_same_pupils(spread: pd.DataFrame, composition: PanelSlice) -> None:
    """Refuse a spread that counts other pupils than the composition does."""
    keys = ["metric", "time_period", "phase", "group"]
    every = spread[(spread["breakdown"] == names.ANY) & spread["group"].isin(names.LEAF_GROUPS)]
    counts = [
        table.astype(dict.fromkeys(("metric", "phase", "group"), "str"))
        .groupby(keys)["pupils"]
        .sum()
        .astype("int64")
        for table in (every, composition.panel)
    ]
    one, two = counts[0].align(counts[1], fill_value=0)
    wrong = int((one != two).sum())
    if wrong:
        raise ContractError(
            f"spread and composition count different pupils in {wrong} of {len(one)} cells, must "
            "count the same; take both from one cohort.build_cohort."
        )


def _require_every_phase(moments: pd.DataFrame, spread: pd.DataFrame) -> None:
    """Refuse moments that lack a phase, year or metric that the spread has."""
    keys = ["metric", "time_period", "phase"]
    there, needed = (
        pd.MultiIndex.from_frame(table[keys].drop_duplicates().astype("str"))
        for table in (moments, spread)
    )
    lacking = needed.difference(there)
    if len(lacking):
        raise ContractError(
            f"moments have no row of {' '.join(map(str, lacking[0]))}, must have some wherever "
            "spread has; take both from one cohort.build_cohort."
        )


def _labels(axis: str) -> tuple[str, ...]:
    if axis == "phase":
        return names.PHASES
    return tuple(dict.fromkeys(names.BREAKDOWNS[axis].values()))


def _codes(values: pd.Series, order: Sequence[str]) -> NDArray[np.intp]:
    """Return the places of words in an order; a word that is not in it is refused."""
    words = values.astype("category").cat
    known = pd.Index(order).get_indexer(pd.Index(words.categories))
    at = words.codes.to_numpy(np.intp)
    codes = np.where(at < 0, -1, np.append(known, -1)[at]).astype(np.intp)
    if (codes < 0).any():
        wrong = values[codes < 0].iloc[0]
        raise ContractError(
            f"{values.name} is {wrong!r}, must be one of {', '.join(order)}; take moments and "
            "spread from cohort.build_cohort."
        )
    return codes


def _products(rows: pd.DataFrame, years: tuple[int, ...], strata: tuple[str, ...]) -> FloatArray:
    """Return the products as full matrices; rows of the same pair add up."""
    cells = len(names.LEAF_GROUPS) * len(strata)
    year = np.searchsorted(years, rows["time_period"].to_numpy(np.int64))
    phase = _codes(rows["phase"], names.PHASES)
    one, two = (
        _codes(rows[group], names.LEAF_GROUPS) * len(strata) + _codes(rows[stratum], strata)
        for group, stratum in (("group", "stratum"), ("other_group", "other_stratum"))
    )
    products = np.zeros((len(years), len(names.PHASES), 2 * cells, 2 * cells))
    apart = np.flatnonzero(one != two)
    for name in names.MOMENT_PRODUCTS:
        left, right = (at + cells * (of == "x") for at, of in zip((one, two), name, strict=True))
        value = rows[name].to_numpy(np.float64)
        np.add.at(products, (year, phase, left, right), value)
        mirrored = (year[apart], phase[apart], right[apart], left[apart])
        np.add.at(products, mirrored, value[apart])
    return products


def _counts(rows: pd.DataFrame, years: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """Return numbers of schools, and the largest school's pupils."""
    values = [f"{by}/{value}" for by, value in names.SPREAD_VALUES]
    named = rows["breakdown"].astype("str") + "/" + rows["value"].astype("str")
    at = (
        np.searchsorted(years, rows["time_period"].to_numpy(np.int64)),
        _codes(rows["phase"], names.PHASES),
        _codes(rows["group"], GROUPS),
        _codes(named.rename("value"), values),
    )
    shape = (len(years), len(names.PHASES), len(GROUPS), len(values))
    schools, largest = np.zeros(shape), np.zeros(shape)
    np.add.at(schools, at, rows["schools"].to_numpy(np.float64))
    np.maximum.at(largest, at, rows["largest"].to_numpy(np.float64))
    return schools, largest
