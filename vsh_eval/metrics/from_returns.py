"""An authority's own panel: schools summed to groups, phases and the total of phases."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.metrics.door import Entry, member_of
from vsh_eval.metrics.measured import FloatArray, Measured, quotient
from vsh_eval.numerics import proportions, ratios
from vsh_eval.registry import Metric, years_without_data

_SCHOOL_SUMS = ("numerator", "denominator", "pupils")
_PRODUCTS = ("sum_yy", "sum_xy", "sum_xx")


@dataclass(frozen=True, slots=True)
class SchoolCells:
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
    available : bool array, shape (years,)
        Whether the metric has data in the year at all.
    """

    metric: Metric
    phase: str
    years: tuple[int, ...]
    unit_id: str
    y: FloatArray
    x: FloatArray
    pupils: FloatArray
    products: tuple[FloatArray, FloatArray, FloatArray]
    available: NDArray[np.bool_]

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

    def measure(self, group: str, *, alpha: float) -> Measured:
        """Return a group's level in each year, clustered by school."""
        member = member_of(group)
        by_school = self.pupils @ member
        sums = ratios.PupilSums(
            *((part * member).T for part in (self.pupils.sum(axis=0), *self.products))
        )
        estimate = ratios.ratio(self.y @ member, self.x @ member, sums)
        # A year without data has no count at all: NaN, never nought.
        known = np.where(self.available, 1.0, np.nan)
        pupils = by_school.sum(axis=0) * known
        numerator = (self.y @ member).sum(axis=0) * known
        denominator = (self.x @ member).sum(axis=0) * known
        certain = self._certain(numerator, denominator)
        lower, upper = self.limits(estimate, numerator, denominator, alpha=alpha)
        return Measured(
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
        )

    def limits(
        self,
        estimate: ratios.Estimate,
        numerator: FloatArray,
        denominator: FloatArray,
        *,
        alpha: float,
    ) -> tuple[FloatArray, FloatArray]:
        """Return a level's limits: by logit for children, Wilson where none or every one counts."""
        parts = (estimate.value, estimate.std_error, estimate.df)
        if self.metric.counts == "children":
            certain = self._certain(numerator, denominator)
            score = proportions.wilson(numerator, denominator, alpha=alpha)
            clustered = ratios.logit_interval(*parts, alpha=alpha)
            lower, upper = (np.where(certain, *pair) for pair in zip(score, clustered, strict=True))
            return lower, upper
        lower, upper = ratios.t_interval(*parts, alpha=alpha)
        if self.metric.counts == "sessions":
            return np.maximum(lower, 0.0), np.minimum(upper, 1.0)
        if self.metric.counts == "events":
            return np.maximum(lower, 0.0), upper  # one child may have many
        return lower, upper

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


def school_cells(entry: Entry, *, unit_id: str) -> Iterator[SchoolCells]:
    """Yield every metric's cells, phase by phase and the total last.

    A phase in which a metric has no row in any year is left out. Rows in a year that the registry
    says has no data are not counted. Rows that share a school, year, phase, group and metric add.
    """
    panel = entry.panel
    coded = pd.DataFrame(
        {
            "metric": pd.Categorical(panel["metric"]),
            "phase": pd.Categorical(panel["phase"], categories=names.PHASES),
            "school": pd.factorize(panel["unit_id"], sort=True)[0],
            "year": np.searchsorted(entry.years, panel["time_period"].to_numpy(np.int64)),
            "leaf": pd.Categorical(panel["group"], categories=names.LEAF_GROUPS).codes,
            **{name: panel[name].to_numpy(np.float64) for name in (*_SCHOOL_SUMS, *_PRODUCTS)},
        }
    )
    by_metric = dict(tuple(coded.groupby("metric", observed=True, sort=False)))
    for metric in entry.metrics:
        rows = by_metric.get(metric.name, coded.iloc[:0])
        without = [entry.years.index(year) for year in years_without_data(metric.name, entry.years)]
        rows = rows[~rows["year"].isin(without)]
        available = np.isin(np.arange(len(entry.years)), rows["year"].unique())
        parts = rows.groupby("phase", observed=True, sort=True)
        for phase, part in [*parts, (names.TOTAL, rows)]:
            arrays = _arrays(part, len(entry.years))
            yield SchoolCells(
                metric, str(phase), entry.years, unit_id, *arrays, available=available
            )


def _arrays(
    rows: pd.DataFrame, years: int
) -> tuple[FloatArray, FloatArray, FloatArray, tuple[FloatArray, FloatArray, FloatArray]]:
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
    return y, x, pupils, (yy, xy, xx)
