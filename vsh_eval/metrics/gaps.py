"""How wide the gap between two groups is, in points and as a ratio."""

from collections.abc import Iterator, Sequence
from itertools import chain

import pandas as pd
from numpy.typing import NDArray

from vsh_eval.contracts import ContractError
from vsh_eval.metrics.door import comparable, enter
from vsh_eval.metrics.measured import (
    Contrast,
    Measured,
    difference,
    log_ratio,
    relative_limits,
    times_as_high,
    worst_status,
)
from vsh_eval.metrics.tables import Cells, Columns, cells_of, interval, same_text, table

GAP_COLUMNS = (
    "geographic_level",
    "unit_id",
    "time_period",
    "phase",
    "metric",
    "group",
    "reference",
    "group_pupils",
    "reference_pupils",
    "group_schools",
    "reference_schools",
    "group_largest_share",
    "reference_largest_share",
    "group_level",
    "group_level_lower",
    "group_level_upper",
    "group_std_error",
    "reference_level",
    "reference_level_lower",
    "reference_level_upper",
    "reference_std_error",
    "gap",
    "gap_lower",
    "gap_upper",
    "gap_std_error",
    "df",
    "ratio",
    "ratio_lower",
    "ratio_upper",
    "log_ratio_std_error",
    "unit",
    "gap_unit",
    "source",
    "vintage",
    "cohort_rule",
    "comparable",
    "status",
)


def gaps(
    panel: pd.DataFrame,
    *,
    group: str,
    reference: str,
    metrics: Sequence[str] | None = None,
    unit_id: str = "",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Measure the gap, group minus reference, with both levels and the ratio beside it.

    Parameters
    ----------
    panel : DataFrame
        The panel, from an authority's returns (schools) or from published tables (areas).
    group, reference : str
        Whose level is compared with whose. `all` includes the group; published tables have no
        other reference than `all` and the groups they count.
    metrics : sequence of str, optional
        Metrics by name; all of the panel's if not given.
    unit_id : str
        The authority's code, for a panel of returns. Published rows keep their own.
    alpha : float
        One less the coverage of the intervals.

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
        If group and reference are the same, or a name or the panel is against its contract.
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
    >>> found = gaps(panel, group="cwsw", reference="peers")
    >>> found[["phase", "group_level", "reference_level", "gap", "ratio"]].round(2)
         phase  group_level  reference_level  gap  ratio
    0  primary         12.0              5.0  7.0    2.4
    1    total         12.0              5.0  7.0    2.4
    """
    entry = enter(panel, groups=(group, reference), metrics=metrics, alpha=alpha)
    require_two_groups(group, reference)
    blocks = [
        block
        for cells in cells_of(entry, unit_id=unit_id)
        for block in gap_blocks(cells, [(group, reference)], alpha=alpha)
    ]
    return table(blocks, GAP_COLUMNS, entry=entry)


def require_two_groups(group: str, reference: str) -> None:
    """Refuse to compare a group with itself.

    Raises
    ------
    ContractError
        If group and reference are the same.
    """
    if group == reference:
        raise ContractError(
            f"group and reference are both {group!r}, must differ; choose 'peers' or 'all' as the "
            "reference."
        )


def _side(found: Measured, name: str, *, scale: float) -> dict[str, NDArray]:
    """Return one side's columns of a gap: pupils, schools, level with interval and error."""
    return {
        f"{name}_pupils": found.pupils,
        f"{name}_schools": found.schools,
        f"{name}_largest_share": found.largest_share,
        f"{name}_level": scale * found.level,
        f"{name}_level_lower": scale * found.lower,
        f"{name}_level_upper": scale * found.upper,
        f"{name}_std_error": scale * found.std_error,
    }


def gap_blocks(
    cells: Cells, pairs: Sequence[tuple[str, str]], *, alpha: float
) -> Iterator[Columns]:
    """Yield one metric's gaps, cell by cell, pair by pair; each group is measured once."""
    named = dict.fromkeys(chain.from_iterable(pairs))
    measured = {name: cells.measure(name, alpha=alpha) for name in named}
    for group, reference in pairs:
        sides = measured[group], measured[reference]
        yield _block(cells, group, reference, sides, alpha=alpha)


def _block(
    cells: Cells, group: str, reference: str, sides: tuple[Measured, Measured], *, alpha: float
) -> Columns:
    """Return one pair's gaps, cell by cell."""
    first, second = sides
    gap = difference(first, second, metric=cells.metric, same_pupils=True, alpha=alpha)
    relative = log_ratio(first, second, same_pupils=True, alpha=alpha)
    columns = gap_columns(cells, (group, reference), sides, gap, relative)
    return {name: values[first.present] for name, values in columns.items()}


def gap_columns(
    cells: Cells,
    pair: tuple[str, str],
    sides: tuple[Measured, Measured],
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
    sides : (Measured, Measured)
        Their levels.
    gap, relative : Contrast
        Group less reference, and the logarithm of group over reference.
    """
    (group, reference), (first, second) = pair, sides
    metric, scale, keys = cells.metric, cells.metric.scale, cells.keys
    rows = len(gap.value)
    return {
        **keys,
        **same_text(rows, metric=metric.name, group=group, reference=reference),
        **_side(first, "group", scale=scale),
        **_side(second, "reference", scale=scale),
        **interval("gap", gap, scale=scale),
        "df": gap.df,
        "ratio": times_as_high(first, second, metric),
        **relative_limits(relative, metric),
        **same_text(rows, unit=metric.unit, gap_unit=metric.gap_unit),
        "comparable": comparable(metric, keys["time_period"].tolist()),
        "status": worst_status(first.status, second.status),
    }
