"""How large a gap is: standard deviations, months, the gap index; sessions and days of absence."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names, registry
from vsh_eval.cells.exact import ExactCells, exact_cells
from vsh_eval.cells.level import Contrast, FloatArray, difference, quotient, worst_status
from vsh_eval.cells.tables import Columns, interval, same_text, table
from vsh_eval.columns import CELL, LAST, PUPILS, released, with_ends, with_interval
from vsh_eval.contracts import ContractError, produces, row_count
from vsh_eval.metrics.gaps import gaps, levels
from vsh_eval.numerics.levels import ratios
from vsh_eval.numerics.levels.effect_size import log_odds_difference, standardised, toolkit_months
from vsh_eval.panel import (
    Comparison,
    Panel,
    PanelSlice,
    comparable,
    leaves_of,
    opened,
    require_returns,
    slice_for,
)

EFFECT_SIZE_COLUMNS = (
    *(*CELL, *PUPILS, "group_level", "reference_level"),
    *(*with_interval("gap"), "pooled_sd", *with_interval("effect_size"), "df", "measured_by"),
    *(*with_ends("months"), *with_interval("gap_index"), *LAST),
)
SESSION_COLUMNS = (
    *(*CELL, *PUPILS, "sessions_possible", *with_interval("gap"), "df"),
    *(*with_ends("sessions", "days", "group_days", "reference_days"), *LAST),
)
_SESSIONS_A_DAY = 2
HEDGES, COX, INDEX = "hedges_g", "cox_index", "gap_index"
"""What `measured_by` can say."""

_INDEX_SCALE = 0.2


@produces("effect_sizes", released(EFFECT_SIZE_COLUMNS))
def effect_sizes(panel: Panel, comparison: Comparison) -> pd.DataFrame:
    """Measure the gap in attainment in standard deviations, months and, for ranks, by gap index.

    Parameters
    ----------
    panel : DataFrame
        A panel of returns, one pupil one x: rows are schools.
    comparison : Comparison
        Group and reference, metrics and authority.

    Returns
    -------
    DataFrame
        `EFFECT_SIZE_COLUMNS`, one row for each metric, phase (and the total of phases) and year.
        `effect_size` is signed as the gap is and has no unit; `measured_by` says how: hedges_g
        for scores, cox_index for shares of children, gap_index for ranks, which have a `gap_index`
        (-10 to 10) and neither effect size nor months. `pooled_sd` is in the metric's `gap_unit`.
        `months` are additional months of progress, positive where the group is ahead, 12 standing
        for 12 or more. Where a group has no pupils, no data, a single school without its pupils'
        spread, or none or all of its children reach a standard, what cannot be made is NaN.

    Raises
    ------
    ContractError
        If a metric is not one of attainment, the panel is published or lacks the sums of squares,
        or a name or the panel is against its contract.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

    Notes
    -----
    Scores: Hedges' g = J gap / S, S the two groups' pooled standard deviation of pupils, given
    nothing (unconditional), J = 1 - 3 / (4 N - 9). S^2 is itself a ratio of two sums over schools,
    so its influence values join those of the gap (delta method) and the interval is clustered by
    school, t as for the gap. Shares of children: Cox's index, J (difference of log odds) / 1.65,
    because a share's own deviation makes the same difference between children look smaller the
    further the standard is from the middle. Both: What Works Clearinghouse, Procedures Handbook
    5.0. Months: EEF, Teaching and Learning Toolkit (`numerics.levels.effect_size.toolkit_months`),
    made for randomised trials' differences; here a way of saying how large a gap is, not what
    caused it.
    Gap index: 0.2 x difference of mean percentile ranks (DfE, SFR 40/2014), group minus reference.

    Examples
    --------
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": ["1", "1", "2", "2"], "time_period": 202425,
    ...     "phase": "secondary", "group": ["cin", "peers"] * 2, "metric": "ks4_attainment8",
    ...     "pupils": [5, 50, 5, 50], "numerator": [100.0, 2250.0, 150.0, 2500.0],
    ...     "denominator": [5, 50, 5, 50], "sum_yy": [3000.0, 120000.0, 6000.0, 145000.0],
    ...     "sum_xy": 0.0, "sum_xx": 1.0, "rate": float("nan"), "status": "",
    ... })
    >>> sizes = effect_sizes(panel, Comparison("cwsw", "peers")).iloc[-1]
    >>> sizes[["gap", "pooled_sd", "effect_size", "months"]].astype(float).round(2).tolist()
    [-22.5, 19.75, -1.13, -12.0]
    """
    frame, _ = opened(panel)
    sliced = slice_for(panel, comparison.of(*_of_attainment(frame, comparison.metrics)))
    blocks = [
        _block(cells, squares, comparison)
        for cells, squares in _with_squares(sliced, comparison.unit_id)
    ]
    return table(blocks, EFFECT_SIZE_COLUMNS, sliced=sliced)


@produces("sessions", released(SESSION_COLUMNS))
def sessions_and_days(panel: Panel, comparison: Comparison) -> pd.DataFrame:
    """Say a gap in absence as sessions (half days) and days missed by a pupil in a year.

    Parameters
    ----------
    panel : DataFrame or ProtectedTable
        The panel; metrics that do not count sessions are left out.
    comparison : Comparison
        Group and reference, metrics and authority.

    Returns
    -------
    DataFrame
        `SESSION_COLUMNS`, one row for each gap. `sessions_possible` is the group's mean of possible
        sessions a pupil in the year; `sessions` = gap / 100 x sessions_possible is how many more
        (or, under zero, fewer) of them a pupil of the group misses than at the reference's rate;
        `days` are half of it. `group_days` are the days that a pupil of the group misses in the
        year, `reference_days` those at the reference's rate of the same possible sessions, so that
        their difference is `days`. NaN where the gap is, with its status.

    Raises
    ------
    ContractError
        If no metric counts sessions, or a name or the panel is against its contract.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

    Notes
    -----
    The possible sessions are taken as known: their mean hardly varies between draws (about 351,
    SD 9, between authorities), so the interval is the gap's in another unit. A pupil who
    moves counts once in each school, with that school's sessions. For attendance only: it is never
    given in months of progress.

    Examples
    --------
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": ["1", "1", "2", "2"], "time_period": 202425,
    ...     "phase": "primary", "group": ["cin", "peers"] * 2, "metric": "overall_absence",
    ...     "pupils": [2, 20, 3, 30], "numerator": [60.0, 300.0, 120.0, 450.0],
    ...     "denominator": [600.0, 6000.0, 900.0, 9000.0],
    ...     "sum_yy": 0.0, "sum_xy": 0.0, "sum_xx": 0.0, "rate": float("nan"), "status": "",
    ... })
    >>> absence = sessions_and_days(panel, Comparison("cwsw", "peers"))
    >>> absence.loc[0, ["gap", "sessions_possible", "sessions", "days"]].round(2).tolist()
    [7.0, 300.0, 21.0, 10.5]
    """
    sliced = slice_for(panel, comparison)
    counted = [m.name for m in sliced.metrics if m.counts == "sessions"]
    if not counted:
        raise ContractError(
            "the panel has no metric that counts sessions, must have one such as overall_absence; "
            "give attainment with effect_sizes."
        )
    joined = gaps(panel, comparison.of(*counted))
    measured = levels(panel, groups=[comparison.group], metrics=counted, unit_id=comparison.unit_id)
    pupils = measured["pupils"].astype("Float64").astype("float64")
    keys = ["geographic_level", "unit_id", "time_period", "phase", "metric", "group"]
    each = measured[keys].assign(sessions_possible=measured["denominator"] / pupils)
    joined = joined.merge(each, how="left", on=keys, validate="many_to_one")
    for limit in ("", "_lower", "_upper"):
        a_year = joined["sessions_possible"] / 100
        joined[f"sessions{limit}"] = joined[f"gap{limit}"] * a_year
        joined[f"days{limit}"] = joined[f"sessions{limit}"] / _SESSIONS_A_DAY
        for who in ("group", "reference"):
            level = joined[f"{who}_level{limit}"]
            joined[f"{who}_days{limit}"] = level * a_year / _SESSIONS_A_DAY
    return joined[list(SESSION_COLUMNS)]


def _of_attainment(panel: pd.DataFrame, metrics: Sequence[str] | None) -> list[str]:
    """Return the metrics asked for, or the panel's, and refuse those without months."""
    if metrics is None:
        of_topic = [entry.name for entry in registry.of_topic("attainment")]
        there = set(panel["metric"].unique()) if "metric" in panel else set()
        metrics = [name for name in of_topic if name in there]
    for name in metrics:
        if registry.metric(name).topic != "attainment":
            raise ContractError(
                f"metric is {name!r}, must be one of attainment: months of progress are made for "
                "attainment only; give attendance with sessions_and_days."
            )
    if not metrics:
        raise ContractError(
            "the panel has no metric of attainment, must have one for an effect size; build the "
            "panel with the attainment return."
        )
    return list(metrics)


def _with_squares(sliced: PanelSlice, unit_id: str) -> Iterator[tuple[ExactCells, ExactCells]]:
    """Yield each metric's cells twice: of y, and of y squared in its place."""
    require_returns(sliced, "effect sizes", why="do not give how much pupils differ")
    missing = int(sliced.panel["sum_yy"].isna().sum())
    if missing:
        raise ContractError(
            f"sum_yy is missing in {row_count(missing)} of the panel of returns, must be a number "
            "in every row; build the panel from pupils' results."
        )
    squared = replace(sliced, panel=sliced.panel.assign(numerator=sliced.panel["sum_yy"]))
    pairs = (exact_cells(each, unit_id=unit_id) for each in (sliced, squared))
    yield from zip(*pairs, strict=True)


def _block(cells: ExactCells, squares: ExactCells, comparison: Comparison) -> Columns:
    """Return one metric's effect sizes, cell by cell."""
    metric, scale = cells.metric, cells.metric.scale
    first, second = (cells.measure(name) for name in comparison.pair)
    gap = difference(first, second, metric=metric, same_pupils=True)
    pupils = first.pupils + second.pupils
    variance = _pooled(cells, squares, comparison.pair, pupils)
    index = effect = _nothing(len(pupils))
    if metric.ranks:
        index, measured_by = _scaled(gap, _INDEX_SCALE), INDEX
    else:
        measured_by = COX if metric.counts == "children" else HEDGES
        effect = _effect(measured_by, first.estimate, second.estimate, variance, pupils)
    forward = -1.0 if metric.lower_is_better else 1.0
    ends = [toolkit_months(forward * limit) for limit in (effect.lower, effect.upper)]
    known = ~np.isnan(gap.value)
    return {
        **cells.keys,
        **same_text(len(pupils), metric=metric.name, measured_by=measured_by),
        **same_text(len(pupils), group=comparison.group, reference=comparison.reference),
        "group_pupils": first.pupils,
        "reference_pupils": second.pupils,
        "group_level": scale * first.level,
        "reference_level": scale * second.level,
        **interval("gap", gap, scale=scale),
        "pooled_sd": scale * np.where(known, _spread(variance, pupils), np.nan),
        **interval("effect_size", effect, scale=1.0),
        "df": gap.df,
        "months": toolkit_months(forward * effect.value),
        "months_lower": np.minimum(*ends),
        "months_upper": np.maximum(*ends),
        **interval("gap_index", index, scale=scale),
        **same_text(len(pupils), unit=metric.unit, gap_unit=metric.gap_unit),
        "comparable": comparable(metric, cells.keys["time_period"].tolist()),
        "status": worst_status(first.status, second.status),
    }


def _effect(
    measured_by: str,
    first: ratios.Estimate | None,
    second: ratios.Estimate | None,
    variance: ratios.Estimate,
    pupils: FloatArray,
) -> Contrast:
    """Return the standardised difference of two levels, with its t interval."""
    if first is None or second is None:
        return _nothing(len(pupils))
    if measured_by == COX:
        estimate = log_odds_difference(first, second, pupils)
    else:
        gap = ratios.difference(first, second, same_pupils=True)
        estimate = standardised(gap, variance, pupils)
    limits = ratios.t_interval(estimate.value, estimate.std_error, estimate.df)
    return Contrast(estimate.value, *limits, estimate.std_error, estimate.df, estimate)


def _pooled(
    cells: ExactCells, squares: ExactCells, groups: tuple[str, str], shown: FloatArray
) -> ratios.Estimate:
    """Return the pupils' squared distances from their own group's mean, over all their number.

    The standard deviation that follows is as fine as the shield lets it be.
    """
    away, pupils = np.zeros(cells.y.shape[:2]), np.zeros(cells.y.shape[:2])
    for group in groups:
        at = [names.LEAF_GROUPS.index(leaf) for leaf in leaves_of(group)]
        y, x, yy = (part[:, :, at].sum(axis=2) for part in (cells.y, cells.x, squares.y))
        mean = np.nan_to_num(quotient(y.sum(axis=0), x.sum(axis=0)))
        away += yy - 2 * mean * y + mean**2 * x
        pupils += x
    variance = ratios.ratio(away, pupils)
    spread = _spread(variance, shown)
    rounded = quotient(cells.shield.rounded(spread), spread)
    return replace(
        variance, value=np.where(np.isnan(rounded), variance.value, variance.value * rounded**2)
    )


def _spread(variance: ratios.Estimate, pupils: FloatArray) -> FloatArray:
    """Return the standard deviation, one pupil a group being spent on its mean; NaN if zero."""
    enough = pupils > 2
    squared = np.where(enough, variance.value * pupils / np.where(enough, pupils - 2, 1), 0.0)
    return np.sqrt(np.where(squared > 0, squared, np.nan))


def _scaled(gap: Contrast, by: float) -> Contrast:
    return Contrast(by * gap.value, by * gap.lower, by * gap.upper, by * gap.std_error, gap.df)


def _nothing(cells: int) -> Contrast:
    empty: NDArray[np.float64] = np.full(cells, np.nan)
    return Contrast(empty, empty, empty, empty, empty)
