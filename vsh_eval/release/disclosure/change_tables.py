"""Changes since a baseline year, as differences of shown gaps and shown levels."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vsh_eval import registry
from vsh_eval.contracts import require_columns
from vsh_eval.release.disclosure.cube import CELL_KEYS, RoundedCube
from vsh_eval.release.disclosure.guarded import Guarded
from vsh_eval.release.disclosure.leaf_tables import LABELS, NOTES, WHERE
from vsh_eval.release.disclosure.sides import (
    FloatArray,
    Side,
    direction,
    hidden_by_reason,
    joint_error,
    multiplier,
    number_of,
    put_bounds,
    quotient,
    row_status,
    same_children,
    select,
    shown_error,
    whole_numbers,
)

CHANGE_SHOWN = (
    *WHERE,
    *("baseline", "phase", "metric", "group", "reference"),
    *("group_pupils", "reference_pupils"),
    *("baseline_group_pupils", "baseline_reference_pupils"),
    *("gap", "baseline_gap", "change", "change_lower", "change_upper"),
    *("group_change", "group_change_lower", "group_change_upper"),
    *("reference_change", "reference_change_lower", "reference_change_upper"),
    *("ratio", "baseline_ratio", "ratio_change", "ratio_change_lower", "ratio_change_upper"),
    *("direction", "definition_changed"),
    *LABELS,
)


def protect_changes(table: pd.DataFrame, cube: RoundedCube) -> Guarded:
    """Show changes since a baseline year as differences of shown gaps and shown levels.

    ``direction`` is read off the interval shown. A change is shown where all four levels are.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If the cube was not made from the panel behind the table.
    """
    needed = (*CELL_KEYS, "reference", "baseline", "change", "change_lower", "change_upper")
    require_columns(table, needed, name="changes")
    base = table.assign(time_period=table["baseline"])
    now = [Side.of(table, cube, column) for column in ("group", "reference")]
    before = [Side.of(base, cube, column) for column in ("group", "reference")]
    out = table.reset_index(drop=True).copy()
    for prefix, sides in (("", now), ("baseline_", before)):
        for name, side in zip(("group", "reference"), sides, strict=True):
            column = f"{prefix}{name}_pupils"
            if column in table:
                same_children(table[column], side, cube)
                out[column] = whole_numbers(side.pupils)
    sides = [*now, *before]
    _put_differences(out, table, now, before)
    _put_ratios(out, table, now, before)
    out["status"] = row_status(table, sides, table["change"])
    if "direction" in table:
        said = direction(out, "change", table["metric"])
        out["direction"] = np.where(table["direction"] == "", "", said)
    return Guarded(select(out, CHANGE_SHOWN), hidden_by_reason(sides), NOTES)


def _put_differences(
    out: pd.DataFrame, table: pd.DataFrame, now: Sequence[Side], before: Sequence[Side]
) -> None:
    gap, gap_before = (
        np.round(group.level - reference.level, 2) for group, reference in (now, before)
    )
    own, theirs = (np.round(now[at].level - before[at].level, 2) for at in (0, 1))
    same_year = (table["time_period"] == table["baseline"]).to_numpy(dtype=bool)
    out["gap"], out["baseline_gap"] = gap, gap_before
    for name, value, sides in (
        ("change", np.round(gap - gap_before, 2), (*now, *before)),
        ("group_change", own, (now[0], before[0])),
        ("reference_change", theirs, (now[1], before[1])),
    ):
        out[name] = value
        limits = (f"{name}_lower", f"{name}_upper")
        half = _half(table, name, sides)
        put_bounds(out, name, limits, np.where(same_year, 0.0, half))


def _half(table: pd.DataFrame, name: str, sides: Sequence[Side]) -> FloatArray:
    """Return the shown half-width of an interval, from its standard error where there is one."""
    simple, rounded = (joint_error(sides, true=true) for true in (True, False))
    limits, error = (f"{name}_lower", f"{name}_upper"), f"{name}_std_error"
    if error in table:
        reach = multiplier(table, (name, *limits, error), sides[0].counted)
        return reach * shown_error(number_of(table, error), sides[0].counted, simple, rounded)
    half = (number_of(table, limits[1]) - number_of(table, limits[0])) / 2
    return shown_error(half, sides[0].counted, simple, rounded)


def _put_ratios(
    out: pd.DataFrame, table: pd.DataFrame, now: Sequence[Side], before: Sequence[Side]
) -> None:
    if "ratio_change" not in table:
        return
    meant = [registry.metric(str(name)).has_ratio for name in table["metric"]]
    ratio, ratio_before = (
        np.where(meant, quotient(*(side.level for side in sides)), np.nan)
        for sides in (now, before)
    )
    change = quotient(ratio, ratio_before)
    sides = (*now, *before)
    errors = (np.sqrt(sum(s.log_variances(true=true) for s in sides)) for true in (True, False))
    with np.errstate(divide="ignore", invalid="ignore"):
        wide = number_of(table, "ratio_change_upper") / number_of(table, "ratio_change_lower")
        half = shown_error(np.log(wide) / 2, now[0].counted, *errors)
    out["ratio"], out["baseline_ratio"] = np.round(ratio, 3), np.round(ratio_before, 3)
    out["ratio_change"] = np.round(change, 3)
    out["ratio_change_lower"] = np.round(change * np.exp(-half), 3)
    out["ratio_change_upper"] = np.round(change * np.exp(half), 3)
