"""Levels and gaps, recomputed from the rounded leaves.

Levels of metrics that count children are ratios of rounded counts; their standard errors are those
of the rounded counts times the design effect, so that an interval tells no more than the level.
Rates of sessions and mean scores are shown to two decimals where the children behind them pass.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vsh_eval import registry
from vsh_eval.contracts import require_columns
from vsh_eval.release.disclosure.cube import CELL_KEYS, RoundedCube
from vsh_eval.release.disclosure.guarded import Guarded
from vsh_eval.release.disclosure.sides import (
    Side,
    hidden_by_reason,
    joint_error,
    multiplier,
    number_of,
    put_bounds,
    put_share_bounds,
    quotient,
    row_status,
    same_children,
    select,
    shown_error,
    whole_numbers,
)

WHERE = ("geographic_level", "unit_id", "time_period")
LABELS = ("unit", "gap_unit", "source", "vintage", "cohort_rule", "comparable", "status")
LEVEL_SHOWN = (
    *WHERE,
    *("phase", "metric", "group", "pupils", "schools", "level_value", "lower", "upper"),
    *LABELS,
)
GAP_SHOWN = (
    *WHERE,
    *("phase", "metric", "group", "reference"),
    *("group_pupils", "reference_pupils", "group_schools", "reference_schools"),
    *("group_level", "group_level_lower", "group_level_upper"),
    *("reference_level", "reference_level_lower", "reference_level_upper"),
    *("gap", "gap_lower", "gap_upper", "ratio", "ratio_lower", "ratio_upper"),
    *LABELS,
)
NOTES = (
    "Numbers of children are rounded to the nearest multiples of 5 that keep the totals close; "
    "rates of children, gaps and intervals are worked out from the rounded numbers, which can move "
    "a rate of few children by several points.",
    "A number is hidden (c) where fewer than 10 children are behind it, or all but fewer than 10, "
    "where fewer than three schools have them, or where one school has more than 80% of them.",
)


def protect_levels(table: pd.DataFrame, cube: RoundedCube) -> Guarded:
    """Show levels as the cube has them.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If the cube was not made from the panel behind the table.
    """
    require_columns(
        table, (*CELL_KEYS, "level_value", "lower", "upper", "std_error", "pupils"), name="levels"
    )
    side = Side.of(table, cube, "group")
    same_children(table["pupils"], side, cube)
    out = table.reset_index(drop=True).copy()
    _show_side(out, table, side, cube, "", "level_value", ("lower", "upper"))
    out["status"] = row_status(table, [side], table["level_value"])
    return Guarded(select(out, LEVEL_SHOWN), hidden_by_reason([side]), NOTES)


def protect_gaps(table: pd.DataFrame, cube: RoundedCube) -> Guarded:
    """Show gaps as differences and ratios of shown levels, where both levels are shown.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If the cube was not made from the panel behind the table.
    """
    require_columns(
        table,
        (*CELL_KEYS, "reference", "gap", "gap_std_error", "group_pupils", "reference_pupils"),
        name="gaps",
    )
    sides = [Side.of(table, cube, "group"), Side.of(table, cube, "reference")]
    out = table.reset_index(drop=True).copy()
    for name, side in zip(("group", "reference"), sides, strict=True):
        same_children(table[f"{name}_pupils"], side, cube)
        level = f"{name}_level"
        _show_side(out, table, side, cube, f"{name}_", level, (f"{level}_lower", f"{level}_upper"))
    group, reference = sides
    out["gap"] = np.round(group.level - reference.level, 2)
    error = shown_error(
        number_of(table, "gap_std_error"),
        group.counted,
        *(joint_error(sides, true=true) for true in (True, False)),
    )
    columns = ("gap", "gap_lower", "gap_upper", "gap_std_error")
    half = error * multiplier(table, columns, group.counted)
    put_bounds(out, "gap", ("gap_lower", "gap_upper"), half)
    _put_ratio(out, table, group, reference)
    out["status"] = row_status(table, sides, table["gap"])
    return Guarded(select(out, GAP_SHOWN), hidden_by_reason(sides), NOTES)


def exact(table: pd.DataFrame, columns: Sequence[str]) -> Guarded:
    """Show true numbers, for internal use only, in the columns a protected table has."""
    return Guarded(select(table, columns))


def _show_side(
    out: pd.DataFrame,
    table: pd.DataFrame,
    side: Side,
    cube: RoundedCube,
    prefix: str,
    level: str,
    limits: tuple[str, str],
) -> None:
    errors = (np.sqrt(side.variances(true=true)) for true in (True, False))
    error = shown_error(number_of(table, f"{prefix}std_error"), side.counted, *errors)
    out[f"{prefix}pupils"] = whole_numbers(side.pupils)
    if f"{prefix}schools" in table:
        schools = number_of(table, f"{prefix}schools")
        # A school that knows its own children must not be left with too few others.
        spread = 2 * schools <= np.nan_to_num(side.pupils)
        shown = np.isfinite(side.pupils) & (schools >= cube.rule.min_schools) & spread
        # The ledger does not hold it: a school less than last time would be one that had one child.
        shown &= ~side.first_published
        out[f"{prefix}schools"] = whole_numbers(np.where(shown, schools, np.nan))
    out[level] = side.level
    half = error * multiplier(table, (level, *limits, f"{prefix}std_error"), side.counted)
    put_bounds(out, level, limits, half)
    of_shares = out[[level]].copy()
    put_share_bounds(of_shares, level, limits, half)
    for limit in limits:
        out[limit] = np.where(side.counted & side.percent, of_shares[limit], out[limit])
    entries = [registry.metric(str(name)) for name in table["metric"]]
    lowest, highest = [e.lowest for e in entries], [e.highest for e in entries]
    for limit in limits:
        out[limit] = np.clip(out[limit].to_numpy("float64"), lowest, highest)


def _put_ratio(out: pd.DataFrame, table: pd.DataFrame, group: Side, reference: Side) -> None:
    if "ratio" not in table:
        return
    meant = [registry.metric(str(name)).has_ratio for name in table["metric"]]
    ratio = np.where(meant, quotient(group.level, reference.level), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = pd.DataFrame(
            {
                name: np.log(number_of(table, column))
                for name, column in (("v", "ratio"), ("l", "ratio_lower"), ("u", "ratio_upper"))
            }
        ).assign(se=number_of(table, "log_ratio_std_error"))
    errors = (
        np.sqrt(group.log_variances(true=true) + reference.log_variances(true=true))
        for true in (True, False)
    )
    error = shown_error(logs["se"].to_numpy(), group.counted, *errors)
    logs["df"] = number_of(table, "df")
    half = error * multiplier(logs, ("v", "l", "u", "se"), group.counted)
    out["ratio"] = np.round(ratio, 3)
    out["ratio_lower"] = np.round(ratio * np.exp(-half), 3)
    out["ratio_upper"] = np.round(ratio * np.exp(half), 3)
