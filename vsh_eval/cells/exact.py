"""An authority's own panel: schools summed to groups, phases and the total of phases."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.cells.level import FloatArray, Level, quotient
from vsh_eval.cells.shield import EXACT, Shield
from vsh_eval.numerics.levels import proportions, ratios
from vsh_eval.panel import PanelSlice, member_of
from vsh_eval.registry import Metric, years_without_data

_SCHOOL_SUMS = ("numerator", "denominator", "pupils")
_PRODUCTS = ("sum_yy", "sum_xy", "sum_xx")


@dataclass(frozen=True, slots=True)
class ExactCells:
    """One metric's sums in one phase, schools x years x leaf groups.

    Attributes
    ----------
    metric : Metric
        The registry's entry.
    phase : str
        A phase, or total.
    years : tuple of int
        The academic years of the cells, every year of the panel's range.
    unit_id : str
        The authority's code.
    y, x, pupils : FloatArray, shape (schools, years, leaf groups)
        The schools' sums.
    products : tuple of FloatArray, shape (years, leaf groups) each
        Sums of y y, x y and x x over all pupils.
    record_keys : tuple of int array, shape (years, leaf groups) each
        Sums of record keys of all pupils, and of those in the numerator.
    available : bool array, shape (years,)
        Whether the metric has data in the year at all.
    shield : Shield
        What protects each level that is measured.
    """

    metric: Metric
    phase: str
    years: tuple[int, ...]
    unit_id: str
    y: FloatArray
    x: FloatArray
    pupils: FloatArray
    products: tuple[FloatArray, FloatArray, FloatArray]
    record_keys: tuple[NDArray[np.int64], NDArray[np.int64]]
    available: NDArray[np.bool_]
    shield: Shield = EXACT

    @property
    def keys(self) -> dict[str, NDArray[Any]]:
        """The area, year and phase of each cell."""
        return {
            "geographic_level": np.full(len(self.years), names.LA, dtype=object),
            "unit_id": np.full(len(self.years), self.unit_id, dtype=object),
            "time_period": np.array(self.years, dtype=np.int64),
            "phase": np.full(len(self.years), self.phase, dtype=object),
        }

    def cells_of(self, year: int) -> NDArray[np.intp]:
        """Return, for each cell, the cell of the same phase in a given year."""
        return np.full(len(self.years), self.years.index(year), dtype=np.intp)

    def measure(self, group: str) -> Level:
        """Return a group's level in each year, clustered by school."""
        member = member_of(group)
        by_school = self.pupils @ member
        sums = ratios.PupilSums(
            *((part * member).T for part in (self.pupils.sum(axis=0), *self.products))
        )
        estimate = ratios.ratio(self.y @ member, self.x @ member, sums)
        # A year without data has no count at all: NaN, never zero.
        known = np.where(self.available, 1.0, np.nan)
        pupils = by_school.sum(axis=0) * known
        numerator = (self.y @ member).sum(axis=0) * known
        denominator = (self.x @ member).sum(axis=0) * known
        certain = self._certain(numerator, denominator)
        lower, upper = level_limits(self.metric, estimate, numerator, denominator)
        level = Level(
            pupils=pupils,
            schools=estimate.clusters * known,
            numerator=numerator,
            denominator=denominator,
            level=estimate.value,
            lower=lower,
            upper=upper,
            std_error=np.where(certain, np.nan, estimate.std_error),
            df=estimate.df,
            largest_share=quotient(by_school.max(axis=0, initial=0.0), pupils),
            fixed=np.zeros(len(self.years), dtype=bool),
            certain=certain,
            status=self._status(denominator),
            present=np.ones(len(self.years), dtype=bool),
            estimate=estimate,
            sum_yy=self.products[0] @ member,
            key_n=self.record_keys[0] @ member.astype(np.int64),
            key_y=self.record_keys[1] @ member.astype(np.int64),
        )
        return self.shield.level(level, self.metric, group)

    def _certain(self, numerator: FloatArray, denominator: FloatArray) -> NDArray[np.bool_]:
        """Return where none or all of the children count, so that schools cannot vary."""
        if self.metric.counts != "children":
            return np.zeros(numerator.shape, dtype=bool)
        return (denominator > 0) & ((numerator == 0) | (numerator == denominator))

    def _status(self, denominator: FloatArray) -> NDArray[np.object_]:
        """Return x where the metric has no data in the year, z where the group is empty."""
        status = np.where(denominator > 0, "", names.NOT_APPLICABLE).astype(object)
        status[~self.available] = names.UNAVAILABLE
        return status


def level_limits(
    metric: Metric, estimate: ratios.Estimate, numerator: FloatArray, denominator: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return a level's limits: by logit for children, Wilson where none or every one counts."""
    parts = (estimate.value, estimate.std_error, estimate.df)
    if metric.counts == "children":
        lower, upper = ratios.logit_interval(*parts)
        none_or_all = (numerator == 0) | (numerator == denominator)
        if not none_or_all.any():
            return lower, upper
        score = proportions.wilson(numerator, denominator)
        return np.where(none_or_all, score[0], lower), np.where(none_or_all, score[1], upper)
    lower, upper = ratios.t_interval(*parts)
    if metric.counts == "sessions":
        return np.maximum(lower, 0.0), np.minimum(upper, 1.0)
    if metric.counts == "events":
        return np.maximum(lower, 0.0), upper  # one child may have many
    return lower, upper


def exact_cells(sliced: PanelSlice, *, unit_id: str) -> Iterator[ExactCells]:
    """Yield every metric's cells, phase by phase and the total last.

    A phase in which a metric has no row in any year is left out. Rows in a year that the registry
    says has no data are not counted. Rows that share a school, year, phase, group and metric add.
    """
    panel = sliced.panel
    coded = pd.DataFrame(
        {
            "metric": pd.Categorical(panel["metric"]),
            "phase": pd.Categorical(panel["phase"], categories=names.PHASES),
            "school": pd.factorize(panel["unit_id"], sort=True)[0],
            "year": np.searchsorted(sliced.years, panel["time_period"].to_numpy(np.int64)),
            "leaf": pd.Categorical(panel["group"], categories=names.LEAF_GROUPS).codes,
            **{name: panel[name].to_numpy(np.float64) for name in (*_SCHOOL_SUMS, *_PRODUCTS)},
            **record_keys_of(panel),
        }
    )
    by_metric = dict(tuple(coded.groupby("metric", observed=True, sort=False)))
    for metric in sliced.metrics:
        rows = by_metric.get(metric.name, coded.iloc[:0])
        without = [
            sliced.years.index(year) for year in years_without_data(metric.name, sliced.years)
        ]
        rows = rows[~rows["year"].isin(without)]
        available = np.isin(np.arange(len(sliced.years)), rows["year"].unique())
        parts = rows.groupby("phase", observed=True, sort=True)
        for phase, part in [*parts, (names.TOTAL, rows)]:
            arrays = _arrays(part, len(sliced.years))
            yield ExactCells(
                metric,
                str(phase),
                sliced.years,
                unit_id,
                *arrays,
                available=available,
                shield=sliced.shield,
            )


def record_keys_of(rows: pd.DataFrame) -> dict[str, NDArray[np.int64]]:
    """Return the sums of record keys of a panel's rows, zero where there are none."""
    return {
        name: rows[name].fillna(0).to_numpy(np.int64)
        if name in rows
        else np.zeros(len(rows), dtype=np.int64)
        for name in names.RECORD_KEYS
    }


def _arrays(rows: pd.DataFrame, years: int) -> tuple[Any, ...]:
    """Return the sums of some rows as dense arrays: by school, and over all schools."""
    leaves = len(names.LEAF_GROUPS)
    schools, school = np.unique(rows["school"].to_numpy(), return_inverse=True)
    cell = rows["year"].to_numpy() * leaves + rows["leaf"].to_numpy()

    def summed(column: str, index: NDArray[np.intp], size: int) -> FloatArray:
        weights = rows[column].to_numpy(np.float64)
        return np.bincount(index, weights=weights, minlength=size * years * leaves).astype(float)

    place = school * (years * leaves) + cell
    y, x, pupils = (
        summed(name, place, len(schools)).reshape(len(schools), years, leaves)
        for name in _SCHOOL_SUMS
    )
    yy, xy, xx = (summed(name, cell, 1).reshape(years, leaves) for name in _PRODUCTS)
    keys = tuple(
        added_keys(rows[name].to_numpy(np.int64), cell, years * leaves).reshape(years, leaves)
        for name in names.RECORD_KEYS
    )
    return y, x, pupils, (yy, xy, xx), keys


def added_keys(values: NDArray[np.int64], cells: NDArray[np.intp], size: int) -> NDArray[np.int64]:
    """Add record keys up by cell, in integers: they are too large for floats."""
    sums = np.zeros(size, dtype=np.int64)
    np.add.at(sums, cells, values)
    return sums
