"""DfE's published tables: areas as published, and the one sum that can be made of their groups."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.metrics.door import Entry, years_without_data
from vsh_eval.metrics.measured import FloatArray, Measured, quotient, worst_status
from vsh_eval.numerics import proportions
from vsh_eval.registry import Metric

_AREA = ["level", "unit_id", "phase"]
_VALUES = ("pupils", "numerator", "denominator", "rate")


@dataclass(frozen=True, slots=True)
class PublishedCells:
    """One metric's published rows: areas and phases, each in every year of the panel's range.

    Attributes
    ----------
    metric : Metric
        The registry's entry.
    index : DataFrame
        level, unit_id, phase and time_period of each cell.
    years : tuple of int
        The academic years; cells run through them within each area and phase.
    groups : dict of str to DataFrame
        The published rows of each group on these cells: pupils, numerator, denominator, rate,
        status, and whether there is such a row.
    no_data : bool array
        Cells in a year that the registry says has no data.
    """

    metric: Metric
    index: pd.DataFrame
    years: tuple[int, ...]
    groups: dict[str, pd.DataFrame]
    no_data: NDArray[np.bool_]

    @property
    def keys(self) -> dict[str, NDArray[Any]]:
        """The area, year and phase of each cell."""
        renamed = self.index.rename(columns={"level": "geographic_level"})
        return {str(name): renamed[name].to_numpy() for name in renamed}

    def cells_of(self, year: int) -> NDArray[np.intp]:
        """Return, for each cell, the cell of the same area and phase in a given year."""
        cells = np.arange(len(self.index), dtype=np.intp)
        return cells - cells % len(self.years) + self.years.index(year)

    def measure(self, group: str, *, alpha: float) -> Measured:
        """Return a group's level in each cell, from its counts where they are published."""
        parts = [self.groups[name] for name in _parts(group)]
        # A sum with a hidden part is hidden: pandas would skip the part, NumPy does not.
        pupils, numerator, denominator = (
            np.sum([part[name].to_numpy(np.float64) for part in parts], axis=0)
            for name in ("pupils", "numerator", "denominator")
        )
        counted = ~np.isnan(quotient(numerator, denominator))
        level = quotient(numerator, denominator)
        if len(parts) == 1:
            rate = parts[0]["rate"].to_numpy(np.float64) / self.metric.scale
            level = np.where(counted, level, rate)
        lower = upper = std_error = np.full_like(level, np.nan)
        if self.metric.counts == "children":
            lower, upper = proportions.wilson(numerator, denominator, alpha=alpha)
            std_error = proportions.binomial_std_error(numerator, denominator)
        unknown = np.full_like(level, np.nan)
        return Measured(
            pupils=pupils,
            schools=unknown,
            numerator=numerator,
            denominator=denominator,
            level=level,
            lower=lower,
            upper=upper,
            std_error=std_error,
            df=unknown,
            largest_share=unknown,
            fixed=~counted & ~np.isnan(level) & (self.metric.counts == "children"),
            certain=np.zeros(level.shape, dtype=bool),
            status=_status(parts, level, denominator),
            present=np.any([part["given"].to_numpy(bool) for part in parts], axis=0) | self.no_data,
            estimate=None,
        )


def published_cells(entry: Entry) -> Iterator[PublishedCells]:
    """Yield every metric's cells; a year without data is x, whatever the table says."""
    for metric in entry.metrics:
        rows = entry.panel[entry.panel["metric"] == metric.name]
        areas = rows[_AREA].drop_duplicates()
        index = areas.merge(pd.DataFrame({"time_period": entry.years}), how="cross")
        no_data = index["time_period"].isin(years_without_data(metric, entry.years)).to_numpy()
        groups = {
            group: _on_cells(rows[rows["group"] == group], index, no_data)
            for group in (names.CIN, names.CPP, names.CLA, names.ALL)
        }
        yield PublishedCells(metric, index, entry.years, groups, no_data)


def _parts(group: str) -> tuple[str, ...]:
    """Return the published groups that make a group; all pupils are published as they are."""
    return names.GROUP_SUMS[group] if group == names.CWSW else (group,)


def _on_cells(rows: pd.DataFrame, index: pd.DataFrame, no_data: NDArray[np.bool_]) -> pd.DataFrame:
    """Place a group's rows on the cells; a cell without a row is x."""
    keys = list(index.columns)
    given = rows[[*keys, *_VALUES, "status"]].assign(given=True)
    placed = index.merge(given, on=keys, how="left", validate="one_to_one")
    values = placed[list(_VALUES)].astype("float64")
    values.loc[no_data] = np.nan
    status = placed["status"].fillna(names.UNAVAILABLE).mask(no_data, names.UNAVAILABLE)
    return values.assign(status=status.astype(object), given=placed["given"].eq(other=True))


def _status(
    parts: list[pd.DataFrame], level: FloatArray, denominator: FloatArray
) -> NDArray[np.object_]:
    """Return the parts' gravest symbol; z where no pupils, x where no value and no symbol."""
    status = parts[0]["status"].to_numpy(object)
    for part in parts[1:]:
        status = worst_status(status, part["status"].to_numpy(object))
    status = np.where((status == "") & (denominator == 0), names.NOT_APPLICABLE, status)
    return np.where((status == "") & np.isnan(level), names.UNAVAILABLE, status)
