"""DfE's published tables: areas as published, and the one sum that can be made of their groups."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from vsh_eval import names
from vsh_eval.cells.level import FloatArray, Level, quotient, worst_status
from vsh_eval.numerics.inference.significance import ALPHA
from vsh_eval.numerics.levels import proportions
from vsh_eval.panel import PanelSlice
from vsh_eval.registry import Metric, years_without_data

_AREA = ["level", "unit_id", "phase"]
_VALUES = ("pupils", "numerator", "denominator", "rate")
_MOST_DECIMALS = 5

PUPIL_SD: Mapping[str, Mapping[int, float]] = {
    "ks2_reading_progress": {201819: 6.17344, 202122: 6.28920, 202223: 6.28928},
    "ks2_writing_progress": {201819: 5.69416, 202122: 6.03900, 202223: 6.04881},
    "ks2_maths_progress": {201819: 5.38982, 202122: 5.85223, 202223: 5.91446},
    "ks4_progress8": {201819: 1.2826, 202122: 1.4083, 202223: 1.4140, 202324: 1.4159},
}
"""Pupils' standard deviation of a progress score in England, by year.

DfE's limits are score +/- 1.96 SD / sqrt(pupils). It does not print the SD here: these are the
values that give back both published limits of every authority (1,636 pairs of Progress 8, 3,710 of
key stage 2), and no other to the decimals written."""


@dataclass(frozen=True, slots=True)
class PublishedCells:
    """One metric's published rows: areas and phases, each in every year of the panel's range.

    Attributes
    ----------
    metric : Metric
        The registry's sliced.
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

    def measure(self, group: str) -> Level:
        """Return a group's level in each cell, from its counts where they are published."""
        parts = [self.groups[name] for name in _parts(group)]
        # A sum with a hidden part is hidden: pandas would skip the part, NumPy does not.
        pupils, numerator, denominator = (
            np.sum([part[name].to_numpy(np.float64) for part in parts], axis=0)
            for name in ("pupils", "numerator", "denominator")
        )
        counted = ~np.isnan(quotient(numerator, denominator))
        level = self._level(parts, denominator)
        lower, upper, std_error = self._spread(level, numerator, denominator)
        unknown, no_keys = np.full_like(level, np.nan), np.zeros(level.shape, dtype=np.int64)
        given = np.any([part["given"].to_numpy(bool) for part in parts], axis=0)
        return Level(
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
            fixed=~counted & ~np.isnan(level) & self._has_spread,
            certain=np.zeros(level.shape, dtype=bool),
            status=_status(parts, level, denominator),
            # A group that the metric is never published for has no rows, not even empty ones.
            present=given | (self.no_data & given.any()),
            estimate=None,
            sum_yy=unknown,
            key_n=no_keys,
            key_y=no_keys,
        )

    @property
    def _has_spread(self) -> bool:
        """Whether an interval can be had from the counts."""
        return self.metric.counts == "children" or self.metric.name in PUPIL_SD

    def _level(self, parts: list[pd.DataFrame], denominator: FloatArray) -> FloatArray:
        """Return the level from the counts, or the published rate where that is known better.

        Counts of England and the regions are rounded to 10: where the ratio of two such counts
        leaves the published rate's own rounding, the rate's nearest end stands in its place.
        """
        levels = [_level(part, scale=self.metric.scale) for part in parts]
        if len(parts) == 1:
            return levels[0]
        weights = [part["denominator"].to_numpy(np.float64) for part in parts]
        # A part without pupils has no level and adds nothing.
        shares = [np.where(w == 0, 0.0, w * one) for w, one in zip(weights, levels, strict=True)]
        return quotient(np.sum(shares, axis=0), denominator)

    def _spread(
        self, level: FloatArray, numerator: FloatArray, denominator: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the limits and the standard error of a level; NaN where no spread is known."""
        unknown = np.full_like(level, np.nan)
        if self.metric.counts == "children":
            lower, upper = proportions.wilson(numerator, denominator)
            return lower, upper, proportions.binomial_std_error(numerator, denominator)
        if self.metric.name not in PUPIL_SD:
            return unknown, unknown, unknown
        spread = self.index["time_period"].map(PUPIL_SD[self.metric.name]).to_numpy(np.float64)
        std_error = spread / np.sqrt(np.where(denominator > 0, denominator, np.nan))
        # DfE takes 1.96 for the 95% limits.
        reach = round(float(ndtri(1 - ALPHA / 2)), 2) * std_error
        return level - reach, level + reach, np.where(np.isnan(level), np.nan, std_error)


def published_cells(sliced: PanelSlice) -> Iterator[PublishedCells]:
    """Yield every metric's cells; a year without data is x, whatever the table says."""
    for metric in sliced.metrics:
        rows = sliced.panel[sliced.panel["metric"] == metric.name]
        areas = rows[_AREA].drop_duplicates()
        index = areas.merge(pd.DataFrame({"time_period": sliced.years}), how="cross")
        no_data = (
            index["time_period"].isin(years_without_data(metric.name, sliced.years)).to_numpy()
        )
        groups = {
            group: _on_cells(rows[rows["group"] == group], index, no_data)
            for group in (names.CIN, names.CPP, names.CLA, names.ALL)
        }
        yield PublishedCells(metric, index, sliced.years, groups, no_data)


def _level(rows: pd.DataFrame, *, scale: float) -> FloatArray:
    """Return numerator / denominator within the rounding of the published rate, else the rate."""
    counted = quotient(*(rows[c].to_numpy(np.float64) for c in ("numerator", "denominator")))
    rate = rows["rate"].to_numpy(np.float64)
    half = 0.5 * 10.0 ** -_decimals(rate) / scale
    rate = rate / scale
    within = np.clip(counted, rate - half, rate + half)
    # A last binary digit is no reason to change a ratio of exact counts.
    moved = np.abs(within - counted) > 1e-9
    return np.where(np.isnan(counted), rate, np.where(moved, within, counted))


def _decimals(rates: FloatArray) -> int:
    """Return the decimals a column of rates was rounded to.

    Examples
    --------
    >>> _decimals(np.array([30.0, 28.5, np.nan])), _decimals(np.array([30.0, np.nan]))
    (1, 0)
    """
    known = rates[~np.isnan(rates)]
    return next(
        (d for d in range(_MOST_DECIMALS) if np.allclose(known, known.round(d), rtol=0, atol=1e-9)),
        _MOST_DECIMALS,
    )


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
    # Nobody in the group is a count of 0 that a sum can take, though DfE writes a symbol.
    nobody = status.eq(names.NOT_APPLICABLE) & values["pupils"].eq(0)
    sums = ["numerator", "denominator"]
    values[sums] = values[sums].mask(nobody, 0.0)
    status = status.mask(nobody, "")
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
