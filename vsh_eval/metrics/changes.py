"""Whether a gap has changed since the baseline year, and which of the two groups moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import registry
from vsh_eval.cells.level import (
    Contrast,
    FloatArray,
    Level,
    change,
    difference,
    quotient,
    ratio_change,
    times_as_high,
    worst_status,
)
from vsh_eval.cells.tables import Cells, Columns, cells_of, interval, same_text, table
from vsh_eval.columns import CELL, LAST, PUPILS, released, with_ends, with_interval
from vsh_eval.contracts import ContractError, produces
from vsh_eval.panel import Comparison, Panel, comparable, slice_for

CHANGE_COLUMNS = (
    *CELL[:3],
    *("baseline", *CELL[3:], *PUPILS, *(f"baseline_{name}" for name in PUPILS)),
    *("gap", "baseline_gap", *with_interval("change"), "df"),
    *with_interval("group_change", "reference_change"),
    *("ratio", "baseline_ratio", *with_ends("ratio_change"), "direction"),
    *(*LAST[:-1], "definition_changed", "status"),
)


@produces("changes", released(CHANGE_COLUMNS))
def changes(panel: Panel, comparison: Comparison) -> pd.DataFrame:
    """Measure the change of the gap since a baseline year, and each group's own change.

    group_change + (-reference_change) = change: a gap may narrow because the group gained or
    because the reference lost, and the table says which.

    Parameters
    ----------
    panel : DataFrame
        The panel, from an authority's returns (schools) or from published tables (areas).
    comparison : Comparison
        Group and reference, metrics and authority; its baseline is the
        academic year that changes are counted from.

    Returns
    -------
    DataFrame
        `CHANGE_COLUMNS`, one row for each area, metric, phase (and the total of phases) and year;
        gaps and changes in `gap_unit`. `ratio_change` is the year's ratio / the baseline's.
        `direction` is narrowed or widened where the whole interval is on that side, not clear
        where it spans zero, '' where there is no interval or the years cannot be compared; a fall
        narrows where lower is better, a rise where higher is. `comparable` is false where the
        registry bars the year or the baseline from trends; `definition_changed` is true where the
        series was redefined between the two. Where a level is missing in either year the changes
        that need it are NaN and the status says why.

    Raises
    ------
    ContractError
        If the baseline is missing or not in the panel's range, or a name or the panel is against
        its contract.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

    Notes
    -----
    Returns: influence values of the four levels add school by school, so neither groups nor years
    are taken as independent; where one school alone remains, the errors of the two years are
    added, the most their covariance could make. Shares of children join their limits with that
    covariance, as in `gaps`. Published: the years' score intervals are joined as if independent; as
    children who stay in both years tend to keep their place, such an interval is rather too wide
    in that respect.

    Examples
    --------
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": "1", "time_period": [202223, 202223, 202324, 202324],
    ...     "phase": "primary", "group": ["cin", "peers"] * 2, "metric": "overall_absence",
    ...     "pupils": [3, 30] * 2, "numerator": [150.0, 450.0, 130.0, 400.0],
    ...     "denominator": [1000.0, 10000.0] * 2,
    ...     "sum_yy": 0.0, "sum_xy": 0.0, "sum_xx": 0.0, "rate": float("nan"), "status": "",
    ... })
    >>> by_year = changes(panel, Comparison("cwsw", "peers", baseline=202223))
    >>> by_year.loc[3, ["change", "group_change", "reference_change"]].round(2).tolist()
    [-1.5, -2.0, -0.5]
    """
    sliced = slice_for(panel, comparison)
    blocks = [
        _block(Change.of(cells, comparison))
        for cells in cells_of(sliced, unit_id=comparison.unit_id)
    ]
    return table(blocks, CHANGE_COLUMNS, sliced=sliced)


@dataclass(frozen=True, slots=True)
class Change:
    """One metric's gap, its change since a baseline, and what each of the two groups adds to that.

    Attributes
    ----------
    cells : Cells
        The cells.
    group, reference : str
        The gap is group minus reference.
    baseline : int
        The academic year that changes are counted from, 0 where there is none.
    levels : tuple of Level
        Both levels, and both in the baseline year where there is one.
    gap, gap_before : Contrast
        The gap, and that of the baseline year.
    change, group_change, reference_change : Contrast or None
        The gap's change since the baseline and each group's own. None without a baseline.
    status, change_status : str array
        Why a gap, or a change, is missing.
    present : bool array
        Whether the cell belongs in a table.
    comparable, change_comparable : bool array
        Whether the year, or both years, may be compared.
    """

    cells: Cells
    group: str
    reference: str
    baseline: int
    levels: tuple[Level, Level, Level, Level]
    gap: Contrast
    gap_before: Contrast
    change: Contrast | None
    group_change: Contrast | None
    reference_change: Contrast | None
    status: NDArray[np.object_]
    change_status: NDArray[np.object_]
    present: NDArray[np.bool_]
    comparable: NDArray[np.bool_]
    change_comparable: NDArray[np.bool_]

    @classmethod
    def of(cls, cells: Cells, comparison: Comparison) -> Self:
        """Measure a metric's gap and, since a baseline, its change."""
        now, reference = (cells.measure(name) for name in comparison.pair)
        years = cells.keys["time_period"].tolist()
        gap = difference(now, reference, same_pupils=True, metric=cells.metric)
        status = worst_status(now.status, reference.status)
        usable = comparable(cells.metric, years)
        before, reference_before, earlier = now, reference, gap
        moved, changed, both = (None, None, None), status, usable
        if comparison.baseline is not None:
            then = cells.cells_of(comparison.baseline)
            before, reference_before = now.take(then), reference.take(then)
            earlier = difference(before, reference_before, same_pupils=True, metric=cells.metric)
            moved = (
                change(gap, earlier, metric=cells.metric),
                difference(now, before, same_pupils=False, metric=cells.metric),
                difference(reference, reference_before, same_pupils=False, metric=cells.metric),
            )
            changed = reduce(worst_status, (before.status, reference_before.status), status)
            both = usable & comparable(cells.metric, [comparison.baseline] * len(years))
        return cls(
            cells,
            *comparison.pair,
            comparison.baseline or 0,
            (now, reference, before, reference_before),
            gap,
            earlier,
            *moved,
            status,
            changed,
            now.present,
            usable,
            both,
        )


def direction(
    lower: FloatArray, upper: FloatArray, metric: registry.Metric, *, comparable: NDArray[np.bool_]
) -> NDArray[np.object_]:
    """Say on which side of zero the interval of a gap's change lies.

    Parameters
    ----------
    lower, upper : FloatArray
        Limits of the change, or of the change a year.
    metric : Metric
        A fall narrows where lower is better, a rise where higher is.
    comparable : bool array
        Whether the years may be compared at all.

    Returns
    -------
    array of str
        narrowed, widened, not clear where the interval spans zero, '' where there is no interval
        or the years cannot be compared.

    Examples
    --------
    >>> ends = np.array([-2.0, -1.0]), np.array([-0.5, 1.0])
    >>> direction(*ends, registry.metric("overall_absence"), comparable=np.array([True, True]))
    array(['narrowed', 'not clear'], dtype=object)
    """
    falls, rises = upper < 0, lower > 0
    narrows, widens = (falls, rises) if metric.lower_is_better else (rises, falls)
    unknown = ~comparable | np.isnan(lower) | np.isnan(upper)
    return np.select(
        [unknown, narrows, widens], ["", "narrowed", "widened"], default="not clear"
    ).astype(object)


def definition_changed(
    metric: registry.Metric, spans: Sequence[tuple[int, int]]
) -> NDArray[np.bool_]:
    """Return whether the series was redefined after the earlier year of each span of two years.

    Examples
    --------
    >>> definition_changed(registry.metric("overall_absence"), [(202223, 202324), (202324, 202425)])
    array([False,  True])
    """
    breaks = [
        entry.time_period for entry in registry.breaks_of(metric.name) if entry.kind == "definition"
    ]
    return np.array(
        [any(min(span) < changed <= max(span) for changed in breaks) for span in spans], dtype=bool
    )


def _block(pair: Change) -> Columns:
    """Return one metric's changes, cell by cell."""
    cells, metric, baseline = pair.cells, pair.cells.metric, pair.baseline
    now, reference, before, reference_before = pair.levels
    if pair.change is None or pair.group_change is None or pair.reference_change is None:
        raise ContractError("baseline is missing, must be an academic year; name one.")
    years = cells.keys["time_period"].tolist()
    relative = ratio_change(*pair.levels)
    sense = 1.0 if metric.has_ratio else np.nan
    ratio = times_as_high(now, reference, metric)
    ratio_before = times_as_high(before, reference_before, metric)
    text = {"group": pair.group, "reference": pair.reference, "metric": metric.name}
    columns: dict[str, NDArray] = {
        **cells.keys,
        **same_text(len(years), **text, unit=metric.unit, gap_unit=metric.gap_unit),
        "group_pupils": now.pupils,
        "reference_pupils": reference.pupils,
        "baseline_group_pupils": before.pupils,
        "baseline_reference_pupils": reference_before.pupils,
        "gap": metric.scale * pair.gap.value,
        "baseline_gap": metric.scale * pair.gap_before.value,
        **interval("change", pair.change, scale=metric.scale),
        "df": pair.change.df,
        **interval("group_change", pair.group_change, scale=metric.scale),
        **interval("reference_change", pair.reference_change, scale=metric.scale),
        "ratio": ratio,
        "baseline_ratio": ratio_before,
        "ratio_change": quotient(ratio, ratio_before),
        "ratio_change_lower": sense * np.exp(relative.lower),
        "ratio_change_upper": sense * np.exp(relative.upper),
        "baseline": np.full(len(years), baseline, dtype=np.int64),
        "comparable": pair.change_comparable,
        "definition_changed": definition_changed(metric, [(baseline, year) for year in years]),
        "status": pair.change_status,
    }
    columns["direction"] = direction(
        columns["change_lower"], columns["change_upper"], metric, comparable=pair.change_comparable
    )
    return {name: values[pair.present] for name, values in columns.items()}
