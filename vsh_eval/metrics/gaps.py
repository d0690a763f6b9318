"""How high a metric is in each group, and how wide the gap between two groups is."""

from collections.abc import Iterator, Sequence
from itertools import chain, product

import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.cells.level import (
    Contrast,
    Level,
    difference,
    log_ratio,
    relative_limits,
    times_as_high,
    worst_status,
)
from vsh_eval.cells.tables import Cells, Columns, cells_of, interval, same_text, table
from vsh_eval.columns import CELL, LAST, PUPILS, released, with_ends, with_interval
from vsh_eval.contracts import ContractError, produces, require_one_of
from vsh_eval.panel import (
    GROUPS,
    PUBLISHED,
    PUBLISHED_GROUPS,
    Comparison,
    Panel,
    comparable,
    slice_for,
    validate_panel,
)

LEVEL_COLUMNS = (
    *(*CELL[:6], "pupils", "schools", "numerator", "denominator"),
    *("level_value", "lower", "upper", "std_error", "df", "largest_share"),
    *("unit", *LAST[2:]),
)


GAP_COLUMNS = (
    *(*CELL, *PUPILS, "group_schools", "reference_schools"),
    *("group_largest_share", "reference_largest_share"),
    *(*with_ends("group_level"), "group_std_error"),
    *(*with_ends("reference_level"), "reference_std_error"),
    *(*with_interval("gap"), "df", *with_ends("ratio"), "log_ratio_std_error", *LAST),
)


@produces("levels", released(LEVEL_COLUMNS))
def levels(
    panel: Panel, *, groups: Sequence[str], metrics: Sequence[str] | None = None, unit_id: str = ""
) -> pd.DataFrame:
    """Measure each group's level, by year and phase, with its interval.

    Level = scale x sum of numerators / sum of denominators: a ratio of sums, never a mean of
    schools or of pupils.

    Parameters
    ----------
    panel : DataFrame
        The panel, from an authority's returns (schools) or from published tables (areas).
    groups : sequence of str
        Groups to measure; `cwsw`, `ever_cwsw` and `all` are summed from their parts.
    metrics : sequence of str, optional
        Metrics by name; all of the panel's if not given.
    unit_id : str
        The authority's code, for a panel of returns. Published rows keep their own.

    Returns
    -------
    DataFrame
        `LEVEL_COLUMNS`, one row for each area, metric, phase (and the total of phases), group and
        year. `level_value`, `lower`, `upper` and `std_error` are in `unit` (percentages 0 to 100);
        `largest_share` is the largest school's share of the pupils, 0 to 1; `comparable` is false
        where the registry says the year may not be used in a trend.
        A group without pupils has pupils 0, the level NaN and the status z. A metric without data
        in a year has NaN throughout and the status x, never 0. A sum with a suppressed part is c.

    Raises
    ------
    ContractError
        If a group, a metric or the panel is against its contract.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

    Notes
    -----
    Returns: variance clustered by school, t with schools less one degrees of freedom, on the logit
    scale for shares of children; the pupils of the school where there is only one; Wilson where no
    child or every child counts (the standard error is then NaN). Published:
    Wilson for metrics that count children; none for sessions and points, whose spread is not
    published. The published intervals take children as independent and so are rather too narrow.
    Intervals describe the process that produced the cohort, not the children who were in it.

    Examples
    --------
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": ["1", "2"], "time_period": 202425, "phase": "primary",
    ...     "group": "cin", "metric": "overall_absence", "pupils": [2, 3],
    ...     "numerator": [60.0, 90.0], "denominator": [600.0, 900.0],
    ...     "sum_yy": 0.0, "sum_xy": 0.0, "sum_xx": 0.0, "rate": float("nan"), "status": "",
    ... })
    >>> by_group = levels(panel, groups=["cin", "cwsw"])
    >>> by_group.loc[by_group["phase"] == "total", ["group", "pupils", "level_value"]]
      group  pupils  level_value
    2   cin       5         10.0
    3  cwsw       5         10.0
    """
    sliced = validate_panel(panel, groups=groups, metrics=metrics)
    blocks = [
        _level_block(cells, group)
        for cells in cells_of(sliced, unit_id=unit_id)
        for group in groups
    ]
    return table(blocks, LEVEL_COLUMNS, sliced=sliced, groups=groups)


def _level_block(cells: Cells, group: str) -> Columns:
    """Return one group's rows of the table."""
    level = cells.measure(group)
    metric, scale = cells.metric, cells.metric.scale
    keys = cells.keys
    columns: dict[str, NDArray] = {
        **keys,
        **same_text(len(level.level), metric=metric.name, group=group, unit=metric.unit),
        "pupils": level.pupils,
        "schools": level.schools,
        "numerator": level.numerator,
        "denominator": level.denominator,
        "level_value": scale * level.level,
        "lower": scale * level.lower,
        "upper": scale * level.upper,
        "std_error": scale * level.std_error,
        "df": level.df,
        "largest_share": level.largest_share,
        "comparable": comparable(metric, keys["time_period"].tolist()),
        "status": level.status,
    }
    return {name: values[level.present] for name, values in columns.items()}


@produces("gaps", released(GAP_COLUMNS))
def gaps(panel: Panel, comparison: Comparison) -> pd.DataFrame:
    """Measure the gap, group minus reference, with both levels and their ratio.

    Parameters
    ----------
    panel : DataFrame
        The panel, from an authority's returns (schools) or from published tables (areas).
    comparison : Comparison
        Group and reference, metrics and authority.

    Returns
    -------
    DataFrame
        `GAP_COLUMNS`, one row for each area, metric, phase (and the total of phases) and year. The
        levels are in `unit`, the gap in `gap_unit`, signed, percentages 0 to 100; `ratio` is group
        level / reference level, without unit. Where either group has no pupils or no data, gap and
        ratio are NaN and the status says why (z, x, c).

    Raises
    ------
    ContractError
        If a name or the panel is against its contract.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

    Notes
    -----
    Returns: the schools' influence values subtract school by school, so the covariance of two
    groups in the same schools, or of a group with the total that includes it, is counted; t with
    the degrees of freedom of the group that is in fewer schools. For shares of children the two
    levels' own limits are joined with that covariance (MOVER), which keeps a small share's skew.
    The ratio's interval is made on the log scale the same way. Published: Newcombe's score interval
    for metrics that count children, the rate of all pupils taken as known; none for sessions and
    points.

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
    >>> by_phase = gaps(panel, Comparison("cwsw", "peers"))
    >>> by_phase[["phase", "group_level", "reference_level", "gap", "ratio"]].round(2)
         phase  group_level  reference_level  gap  ratio
    0  primary         12.0              5.0  7.0    2.4
    1    total         12.0              5.0  7.0    2.4
    """
    sliced = slice_for(panel, comparison)
    blocks = [
        block
        for cells in cells_of(sliced, unit_id=comparison.unit_id)
        for block in _gap_blocks(cells, [comparison.pair])
    ]
    return table(blocks, GAP_COLUMNS, sliced=sliced)


@produces("gaps", released(GAP_COLUMNS))
def gap_table(
    panel: Panel,
    *,
    groups: Sequence[str],
    references: Sequence[str],
    in_total: Sequence[str] = (),
    metrics: Sequence[str] | None = None,
    unit_id: str = "",
) -> pd.DataFrame:
    """Measure every gap between some groups and some references, in one table.

    Parameters
    ----------
    panel : DataFrame
        The panel, from an authority's returns (schools) or from published tables (areas).
    groups, references : sequence of str
        Each gap is group minus reference. Pairs that cannot be are left out: a group with itself,
        and groups that a published table does not have.
    in_total : sequence of str
        Further references, compared with over all phases together only; for a panel of returns.
    metrics : sequence of str, optional
        Metrics by name; all of the panel's if not given.
    unit_id : str
        The authority's code, for a panel of returns. Published rows keep their own.

    Returns
    -------
    DataFrame
        `GAP_COLUMNS`, as `gaps` gives them: the rows of each pair that can be, in the order area,
        metric, phase, group, reference, year.

    Raises
    ------
    ContractError
        If no pair can be, or a name or the panel is against its contract.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

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
    >>> by_pair = gap_table(panel, groups=["cin", "cwsw"], references=["peers", "all"])
    >>> by_pair.loc[by_pair["phase"] == "total", ["group", "reference", "gap"]].round(2)
      group reference   gap
    4   cin     peers  7.00
    5   cin       all  6.36
    6  cwsw     peers  7.00
    7  cwsw       all  6.36
    """
    sliced = validate_panel(panel, groups=(), metrics=metrics)
    every = (*references, *in_total)
    pairs = _pairs(groups, every, published=sliced.source == PUBLISHED)
    parted = [pair for pair in pairs if pair[1] in references]
    validate_panel(panel, groups=sorted(set(chain.from_iterable(pairs))), metrics=metrics)
    blocks = [
        block
        for cells in cells_of(sliced, unit_id=unit_id)
        for block in _gap_blocks(cells, pairs if _is_total(cells) else parted)
    ]
    return table(blocks, GAP_COLUMNS, sliced=sliced, groups=groups, references=every)


def _is_total(cells: Cells) -> bool:
    """Say whether cells are of all phases together; published ones hold every phase."""
    return getattr(cells, "phase", names.TOTAL) == names.TOTAL


def _pairs(
    groups: Sequence[str], references: Sequence[str], *, published: bool
) -> list[tuple[str, str]]:
    """Return the pairs that can be compared, in the order asked for."""
    for name in (*groups, *references):
        require_one_of(name, GROUPS, name="group")
    known = set(PUBLISHED_GROUPS if published else GROUPS)
    pairs = [
        (group, reference)
        for group, reference in product(groups, references)
        if group != reference and {group, reference} <= known
    ]
    if not pairs:
        raise ContractError(
            f"groups {list(groups)} and references {list(references)} make no pair, must make one "
            f"of two different groups that the panel has; choose from {', '.join(sorted(known))}."
        )
    return pairs


def side_columns(level: Level, name: str, *, scale: float) -> dict[str, NDArray]:
    """Return one side's columns of a gap: pupils, schools, level with interval and error."""
    return {
        f"{name}_pupils": level.pupils,
        f"{name}_schools": level.schools,
        f"{name}_largest_share": level.largest_share,
        f"{name}_level": scale * level.level,
        f"{name}_level_lower": scale * level.lower,
        f"{name}_level_upper": scale * level.upper,
        f"{name}_std_error": scale * level.std_error,
    }


def _gap_blocks(cells: Cells, pairs: Sequence[tuple[str, str]]) -> Iterator[Columns]:
    """Yield one metric's gaps, cell by cell, pair by pair; each group is measured once."""
    named = dict.fromkeys(chain.from_iterable(pairs))
    measured = {name: cells.measure(name) for name in named}
    for group, reference in pairs:
        levels = measured[group], measured[reference]
        yield _block(cells, group, reference, levels)


def _block(cells: Cells, group: str, reference: str, levels: tuple[Level, Level]) -> Columns:
    """Return one pair's gaps, cell by cell."""
    first, second = levels
    gap = difference(first, second, metric=cells.metric, same_pupils=True)
    relative = log_ratio(first, second)
    columns = gap_columns(cells, (group, reference), levels, gap, relative)
    return {name: values[first.present] for name, values in columns.items()}


def gap_columns(
    cells: Cells,
    pair: tuple[str, str],
    levels: tuple[Level, Level],
    gap: Contrast,
    relative: Contrast,
) -> dict[str, NDArray]:
    """Return the columns of a gap, cell by cell, from both levels, their difference and log ratio.

    Parameters
    ----------
    cells : Cells
        One metric's cells.
    pair : (str, str)
        Group and reference.
    sides : (Level, Level)
        Their levels.
    gap, relative : Contrast
        Group less reference, and the logarithm of group over reference.
    """
    (group, reference), (first, second) = pair, levels
    metric, scale, keys = cells.metric, cells.metric.scale, cells.keys
    rows = len(gap.value)
    return {
        **keys,
        **same_text(rows, metric=metric.name, group=group, reference=reference),
        **side_columns(first, "group", scale=scale),
        **side_columns(second, "reference", scale=scale),
        **interval("gap", gap, scale=scale),
        "df": gap.df,
        "ratio": times_as_high(first, second, metric),
        **relative_limits(relative, metric),
        **same_text(rows, unit=metric.unit, gap_unit=metric.gap_unit),
        "comparable": comparable(metric, keys["time_period"].tolist()),
        "status": worst_status(first.status, second.status),
    }
