"""Whether the gap has changed since the baseline year, and which of the two groups moved."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import registry
from vsh_eval.metrics.direction import definition_changed, direction
from vsh_eval.metrics.door import comparable, enter, require_baseline
from vsh_eval.metrics.gaps import require_two_groups
from vsh_eval.metrics.measured import (
    Measured,
    change,
    difference,
    quotient,
    ratio_change,
    times_as_high,
    worst_status,
)
from vsh_eval.metrics.tables import Cells, Columns, cells_of, interval, table

CHANGE_COLUMNS = (
    "geographic_level",
    "unit_id",
    "time_period",
    "baseline",
    "phase",
    "metric",
    "group",
    "reference",
    "group_pupils",
    "reference_pupils",
    "baseline_group_pupils",
    "baseline_reference_pupils",
    "gap",
    "baseline_gap",
    "change",
    "change_lower",
    "change_upper",
    "change_std_error",
    "df",
    "group_change",
    "group_change_lower",
    "group_change_upper",
    "group_change_std_error",
    "reference_change",
    "reference_change_lower",
    "reference_change_upper",
    "reference_change_std_error",
    "ratio",
    "baseline_ratio",
    "ratio_change",
    "ratio_change_lower",
    "ratio_change_upper",
    "direction",
    "unit",
    "gap_unit",
    "source",
    "vintage",
    "cohort_rule",
    "comparable",
    "definition_changed",
    "status",
)


def changes(
    panel: pd.DataFrame,
    *,
    group: str,
    reference: str,
    baseline: int,
    metrics: Sequence[str] | None = None,
    unit_id: str = "",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Measure the change of the gap since a baseline year, and each group's own change.

    group_change + (-reference_change) = change: a gap may narrow because the group gained or
    because the reference lost, and the table says which.

    Parameters
    ----------
    panel : DataFrame
        The panel, from an authority's returns (schools) or from published tables (areas).
    group, reference : str
        The gap is group minus reference.
    baseline : int
        The academic year that changes are counted from, for example 201819; may be any year of
        the panel's range.
    metrics : sequence of str, optional
        Metrics by name; all of the panel's if not given.
    unit_id : str
        The authority's code, for a panel of returns. Published rows keep their own.
    alpha : float
        One less the coverage of the intervals.

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
        If the baseline is not in the panel's range, group and reference are the same, or a name or
        the panel is against its contract.
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
    >>> found = changes(panel, group="cwsw", reference="peers", baseline=202223)
    >>> found.loc[3, ["change", "group_change", "reference_change"]].round(2).tolist()
    [-1.5, -2.0, -0.5]
    """
    entry = enter(panel, groups=(group, reference), metrics=metrics, alpha=alpha)
    require_two_groups(group, reference)
    require_baseline(entry, baseline)
    blocks = [
        _block(cells, group, reference, baseline, alpha=alpha)
        for cells in cells_of(entry, unit_id=unit_id)
    ]
    return table(blocks, CHANGE_COLUMNS, entry=entry)


def _block(cells: Cells, group: str, reference: str, baseline: int, *, alpha: float) -> Columns:
    """Return one metric's changes, cell by cell."""
    sides = cells.measure(group, alpha=alpha), cells.measure(reference, alpha=alpha)
    base = cells.cells_of(baseline)
    years = cells.keys["time_period"].tolist()
    metric = cells.metric
    text = {
        "metric": metric.name,
        "group": group,
        "reference": reference,
        "unit": metric.unit,
        "gap_unit": metric.gap_unit,
    }
    usable = comparable(metric, years) & comparable(metric, [baseline] * len(years))
    columns: dict[str, NDArray] = {
        **cells.keys,
        **{name: np.full(len(years), value, dtype=object) for name, value in text.items()},
        **_moves(*sides, *(side.take(base) for side in sides), metric=metric, alpha=alpha),
        "baseline": np.full(len(years), baseline, dtype=np.int64),
        "comparable": usable,
        "definition_changed": definition_changed(metric, [(baseline, year) for year in years]),
    }
    columns["direction"] = direction(
        columns["change_lower"], columns["change_upper"], metric, comparable=usable
    )
    return {name: values[sides[0].present] for name, values in columns.items()}


def _moves(
    now: Measured,
    beside: Measured,
    before: Measured,
    beside_before: Measured,
    *,
    metric: registry.Metric,
    alpha: float,
) -> dict[str, NDArray]:
    """Return the gaps and ratios of both years and their changes."""
    given: dict[str, Any] = {"metric": metric, "alpha": alpha}
    gap = difference(now, beside, same_pupils=True, **given)
    earlier = difference(before, beside_before, same_pupils=True, **given)
    own = difference(now, before, same_pupils=False, **given)
    theirs = difference(beside, beside_before, same_pupils=False, **given)
    moved = change(gap, earlier, **given)
    sense = 1.0 if metric.has_ratio else np.nan
    relative = ratio_change(now, beside, before, beside_before, alpha=alpha)
    ratio = times_as_high(now, beside, metric)
    ratio_before = times_as_high(before, beside_before, metric)
    statuses = (side.status for side in (now, beside, before, beside_before))
    return {
        "group_pupils": now.pupils,
        "reference_pupils": beside.pupils,
        "baseline_group_pupils": before.pupils,
        "baseline_reference_pupils": beside_before.pupils,
        "gap": metric.scale * gap.value,
        "baseline_gap": metric.scale * earlier.value,
        **interval("change", moved, scale=metric.scale),
        "df": moved.df,
        **interval("group_change", own, scale=metric.scale),
        **interval("reference_change", theirs, scale=metric.scale),
        "ratio": ratio,
        "baseline_ratio": ratio_before,
        "ratio_change": quotient(ratio, ratio_before),
        "ratio_change_lower": sense * np.exp(relative.lower),
        "ratio_change_upper": sense * np.exp(relative.upper),
        "status": reduce(worst_status, statuses),
    }
