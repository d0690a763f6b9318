"""An authority's pupils by who they are: one metric's sums over years, strata and leaf groups."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names, registry
from vsh_eval.cells.exact import added_keys, record_keys_of
from vsh_eval.cells.level import FloatArray
from vsh_eval.cells.shield import Shield
from vsh_eval.contracts import ContractError, require_columns, require_one_of
from vsh_eval.panel import (
    RETURNS,
    Comparison,
    Panel,
    PanelSlice,
    ProtectedTable,
    member_of,
    opened,
    slice_for,
)


@dataclass(frozen=True, slots=True)
class Sums:
    """One group's sums over its pupils, year by year and stratum by stratum."""

    pupils: FloatArray
    y: FloatArray
    x: FloatArray


@dataclass(frozen=True, slots=True)
class Slopes:
    """Slopes of a statistic in the sums Y and X of strata, of the strata's shape."""

    y: FloatArray
    x: FloatArray

    def __neg__(self) -> "Slopes":
        return Slopes(-self.y, -self.x)


@dataclass(frozen=True, slots=True)
class Strata:
    """One metric's sums, years x leaf groups x one axis a factor.

    Attributes
    ----------
    metric : Metric
        The registry's entry.
    years : tuple of int
        Every academic year of the table's range.
    factors : tuple of str
        The names of the strata's axes.
    labels : tuple of tuple of str
        The values along each of them.
    sums : dict of FloatArray
        `names.PANEL_SUMS` by name, each of shape ``(years, leaf groups, *factors)``.
    record_keys : tuple of int array, same shape each
        Sums of record keys of all pupils, and of those in the numerator.
    available : bool array, shape (years,)
        Whether the metric has data in the year at all.
    shield : Shield
        What protects each level and statistic.
    """

    metric: registry.Metric
    years: tuple[int, ...]
    factors: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    sums: Mapping[str, FloatArray]
    record_keys: tuple[NDArray[np.int64], NDArray[np.int64]]
    available: NDArray[np.bool_]
    shield: Shield

    def of_group(self, group: str) -> Sums:
        """Add the leaf groups of a group up."""
        leaves = np.flatnonzero(member_of(group))
        return Sums(*(self.sums[name][:, leaves].sum(axis=1) for name in names.PANEL_SUMS[:3]))

    def only(self, factor: str, label: str) -> "Strata":
        """Return the strata of one value of a factor; the factor keeps its axis."""
        at = self.factors.index(factor)
        place = [self.labels[at].index(label)]
        sums = {name: np.take(array, place, axis=2 + at) for name, array in self.sums.items()}
        of_all, of_counted = (np.take(keys, place, axis=2 + at) for keys in self.record_keys)
        labels = (*self.labels[:at], (label,), *self.labels[at + 1 :])
        return replace(self, labels=labels, sums=sums, record_keys=(of_all, of_counted))


def validate_composition(
    composition: Panel, comparison: Comparison, factors: Collection[str]
) -> PanelSlice:
    """Check a composition table as `vsh_eval.panel.slice_for` checks a panel.

    Parameters
    ----------
    composition : DataFrame or ProtectedTable
        Sums by authority, phase, year, group, stratum and metric.
    comparison : Comparison
        What is asked of it.
    factors : collection of str
        By what its children are told apart: ``phase`` and breakdowns.

    Raises
    ------
    ContractError
        If a column is missing, a row is not of level la, a stratum is unknown, or what `slice_for`
        refuses.
    VintageError, CohortRuleError
        If the table holds two vintages or two cohort rules.
    """
    composition, shield = opened(composition)
    characteristics = [of for name, of in names.CHARACTERISTICS.items() if name in factors]
    require_columns(composition, [of.column for of in characteristics], name="composition")
    for column, allowed in (("source", (RETURNS,)), ("level", (names.LA,))):
        for value in composition[column].unique():
            require_one_of(str(value), allowed, name=f"{column} in a table of composition")
    for column, values, _ in characteristics:
        unknown = sorted(set(composition[column].unique()) - set(values))
        if unknown:
            raise ContractError(
                f"{column} in the composition is {unknown[0]!r}, must be one of "
                f"{', '.join(map(str, values))}; build it with cohort.build_cohort."
            )
    # The authority stands in for one school: the other rules are those of a panel.
    of_one_school = composition.assign(level=names.SCHOOL)
    return slice_for(ProtectedTable(of_one_school, shield), comparison)


def strata_of(sliced: PanelSlice, factors: Sequence[str]) -> Iterator[Strata]:
    """Yield every metric's strata.

    Parameters
    ----------
    sliced : PanelSlice
        From `validate_composition`.
    factors : sequence of str
        The axes wanted: ``phase`` and breakdowns. An axis holds the values that any metric has.

    Yields
    ------
    Strata
        One a metric. Rows in a year that the registry says has no data are not counted.
    """
    rows = sliced.panel
    coded, labels = {}, []
    for factor in factors:
        named, order = _named(rows, factor)
        there = set(named.unique())
        used = tuple(label for label in order if label in there)
        labels.append(used)
        coded[factor] = pd.Categorical(named, categories=used).codes.astype(np.intp)
    year = np.searchsorted(sliced.years, rows["time_period"].to_numpy(np.int64))
    leaf = pd.Categorical(rows["group"], categories=names.LEAF_GROUPS).codes.astype(np.intp)
    shape = (len(sliced.years), len(names.LEAF_GROUPS), *(len(used) for used in labels))
    place = np.ravel_multi_index((year, leaf, *coded.values()), shape)
    of_metric = rows["metric"].to_numpy(dtype=object)
    values = {name: rows[name].to_numpy(np.float64) for name in names.PANEL_SUMS}
    keys = record_keys_of(rows)
    size = int(np.prod(shape))
    for metric in sliced.metrics:
        without_data = registry.years_without_data(metric.name, sliced.years)
        without = [sliced.years.index(missing) for missing in without_data]
        mine = (of_metric == metric.name) & ~np.isin(year, without)
        sums = {
            name: np.bincount(place[mine], weights=array[mine], minlength=size).reshape(shape)
            for name, array in values.items()
        }
        of_all, of_counted = (
            added_keys(keys[name][mine], place[mine], size).reshape(shape)
            for name in names.RECORD_KEYS
        )
        yield Strata(
            metric,
            sliced.years,
            tuple(factors),
            tuple(labels),
            sums,
            (of_all, of_counted),
            available=np.isin(np.arange(len(sliced.years)), year[mine]),
            shield=sliced.shield,
        )


def _named(rows: pd.DataFrame, factor: str) -> tuple[pd.Series, tuple[str, ...]]:
    """Return what each row's value of a factor is called, and the order of the values."""
    if factor == "phase":
        return rows["phase"].astype("str"), names.PHASES
    of = names.CHARACTERISTICS[factor]
    named = rows[of.column].map(dict(of.codes)).astype("str")
    return named, tuple(dict.fromkeys(of.codes.values()))
