"""Trends over the comparable years, as lines through the released levels."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from vsh_eval import names, registry
from vsh_eval.contracts import DisclosureError, require_columns
from vsh_eval.numerics.contrasts import slope_weights
from vsh_eval.release.disclosure.cube import RoundedCube
from vsh_eval.release.disclosure.guarded import Guarded
from vsh_eval.release.disclosure.leaf_tables import LABELS, NOTES, WHERE
from vsh_eval.release.disclosure.sides import (
    FloatArray,
    Side,
    direction,
    hidden_by_reason,
    multiplier,
    number_of,
    put_bounds,
    select,
    shown_error,
    whole_numbers,
)

_LINES = ("trend", "group_trend", "reference_trend")
TREND_SHOWN = (
    *WHERE,
    *("first_year", "years", "phase", "metric", "group", "reference"),
    *(f"{line}{end}" for line in _LINES for end in ("", "_lower", "_upper")),
    *("direction", "definition_changed"),
    *LABELS,
    "reason",
)


def protect_trends(table: pd.DataFrame, cube: RoundedCube) -> Guarded:
    """Show trends as lines through the levels that are shown, where every year's are.

    ``direction`` is read off the interval shown.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If the cube was not made from the panel behind the table.
    """
    needed = ("first_year", "years", "reference", "trend", "group_trend", "reference_trend", "df")
    require_columns(table, needed, name="trends")
    table = table.reset_index(drop=True)
    sides = list(_by_year(table, cube))
    weights = _weights(table, sides, cube)
    line = (table["status"] == "").to_numpy() & ~np.isnan(number_of(table, "trend"))
    hidden = line & np.any(
        [
            (weights[:, at] != 0) & ~(group.shown & reference.shown)
            for at, (_, group, reference) in enumerate(sides)
        ],
        axis=0,
    )
    out = table.copy()
    for name, chosen in zip(_LINES, ((1, 2), (1,), (2,)), strict=True):
        value, half = _line(table, name, sides, weights, chosen)
        out[name] = np.round(np.where(line & ~hidden, value, np.nan), 2)
        put_bounds(out, name, (f"{name}_lower", f"{name}_upper"), half)
    out["status"] = np.where(hidden, names.CONFIDENTIAL, table["status"])
    # Where no line is shown they would say in how many years there was a child.
    for name in ("years", "first_year"):
        out[name] = whole_numbers(np.where(line & ~hidden, number_of(table, name), np.nan))
    out["direction"] = direction(out, "trend", table["metric"])
    every = [side for _, *pair in sides for side in pair]
    return Guarded(select(out, TREND_SHOWN), hidden_by_reason(every), NOTES)


def _by_year(table: pd.DataFrame, cube: RoundedCube) -> Iterator[tuple[int, Side, Side]]:
    """Yield the two groups' cells in every year of the cube, row by row of the table."""
    for year in sorted(int(period) for period in cube.cells["time_period"].unique()):
        then = table.assign(time_period=year)
        yield year, Side.of(then, cube, "group"), Side.of(then, cube, "reference")


def _weights(
    table: pd.DataFrame, sides: list[tuple[int, Side, Side]], cube: RoundedCube
) -> FloatArray:
    """Return each year's weight in each row's line, and refuse lines through other years."""
    periods = [year for year, _, _ in sides]
    metrics = table["metric"].to_numpy(dtype=object)
    used = np.zeros((len(table), len(periods)), dtype=bool)
    for metric in set(metrics):
        allowed = np.isin(periods, registry.comparable_years(str(metric), periods))
        used[metrics == metric] = allowed
    for at, (_, *pair) in enumerate(sides):
        for side in pair:
            used[:, at] &= np.nan_to_num(side.true_pupils) > 0
    strangers = int((used.sum(axis=1) != number_of(table, "years")).sum())
    if strangers:
        raise DisclosureError(
            f"{strangers} trends run through other years than the cube of cohort rule "
            f"{cube.cohort_rule!r} has, must run through the same; make the cube from the panel "
            "that the table was measured on."
        )
    weights = slope_weights(np.array(periods, dtype=np.float64) // 100, used)
    return np.nan_to_num(weights)


def _line(
    table: pd.DataFrame,
    name: str,
    sides: list[tuple[int, Side, Side]],
    weights: FloatArray,
    chosen: tuple[int, ...],
) -> tuple[FloatArray, FloatArray]:
    """Return the slope through the shown levels, and the half-width of its interval."""
    value = np.zeros(len(table))
    squares = {True: np.zeros(len(table)), False: np.zeros(len(table))}
    counted = sides[0][1].counted
    for at, year in enumerate(sides):
        used = weights[:, at] != 0
        for side in chosen:
            cells: Side = year[1] if side == 1 else year[2]
            sign = -1.0 if side == 2 and len(chosen) == 2 else 1.0
            value += np.where(used, sign * weights[:, at] * cells.level, 0.0)
            for true in squares:
                variance = weights[:, at] ** 2 * cells.variances(true=true)
                squares[true] += np.where(used, variance, 0.0)
    columns = (name, f"{name}_lower", f"{name}_upper", f"{name}_std_error")
    error = shown_error(
        number_of(table, columns[3]), counted, np.sqrt(squares[True]), np.sqrt(squares[False])
    )
    return value, error * multiplier(table, columns, counted)
