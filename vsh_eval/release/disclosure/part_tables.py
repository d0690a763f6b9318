"""What a gap, and its change, are made of: parts worked out from the released levels and gaps."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval.contracts import DisclosureError, require_columns, require_one_of
from vsh_eval.release.disclosure.cube import CELL_KEYS, RoundedCube
from vsh_eval.release.disclosure.guarded import Guarded
from vsh_eval.release.disclosure.hiding import Traits, traits
from vsh_eval.release.disclosure.leaf_tables import LABELS, NOTES, WHERE
from vsh_eval.release.disclosure.sides import (
    FloatArray,
    Side,
    hidden_by_reason,
    multiplier,
    number_of,
    put_bounds,
    quotient,
    row_status,
    select,
    shown_error,
)

PART_SHOWN = (
    *WHERE,
    *("baseline", "phase", "metric", "group", "reference", "of", "part"),
    *("whole", "value", "value_lower", "value_upper", "share", "share_lower", "share_upper"),
    *LABELS,
)
NOTE = (
    "Parts are those of the released gaps and levels, so they add up within the last decimal; a "
    "share is not given for measures that count children or events."
)
OF = ("gap", "change", "beside")
OWN, THEIRS = "group", "reference"
_CLOSE, _CLOSE_RANKS = 0.05, 0.25
"""Points: more than rounding four levels moves their difference; ranks have one decimal."""


def protect_parts(table: pd.DataFrame, cube: RoundedCube) -> Guarded:
    """Show the parts of gaps and of their changes, where every level behind them is shown.

    A part of the gap is the released gap of the part's own measure; a part of the change the
    difference of two released gaps; the groups' own parts are the released changes of their levels.

    Raises
    ------
    ContractError
        If a column is missing, or ``of`` is unknown.
    DisclosureError
        If the cube was not made from the panel behind the table.
    """
    needed = (*CELL_KEYS, "reference", "baseline", "of", "part", "value", "share", "df")
    require_columns(table, needed, name="parts")
    table = table.reset_index(drop=True)
    for kind in table["of"].unique():
        require_one_of(str(kind), OF, name="of")
    side = table["part"].isin((OWN, THEIRS)).to_numpy()
    change = (table["of"] == "change").to_numpy()
    parted = table.assign(metric=table["metric"].where(side, table["part"]))
    now, before = _sides(parted, cube), _sides(_at_baseline(parted, change), cube)
    used = _used(table, change)
    value = _value(now, before, used)
    about = traits(parted["metric"])
    _refuse_strangers(table, value, (now, before), used, about)
    out = table.copy()
    out["value"] = value
    put_bounds(out, "value", ("value_lower", "value_upper"), _half(table, now, before, used))
    out["whole"] = np.where(
        table["of"] == "beside", np.nan, _whole(table, cube, change, both=np.ones_like(used))
    )
    _put_share(out, about.whole)
    sides = [*now, *before]
    relevant = [one for at, one in enumerate(sides) if used[at].any()]
    out["status"] = _status(table, sides, used)
    hidden = (out["status"] != "").to_numpy()
    numbers = ["whole", "value", "value_lower", "value_upper", "share"]
    out.loc[hidden, [*numbers, "share_lower", "share_upper"]] = np.nan
    return Guarded(select(out, PART_SHOWN), hidden_by_reason(relevant), (*NOTES, NOTE))


def _at_baseline(table: pd.DataFrame, change: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the rows of the year that a change is counted from; others stay."""
    return table.assign(time_period=table["baseline"].where(change, table["time_period"]))


def _sides(table: pd.DataFrame, cube: RoundedCube) -> list[Side]:
    return [Side.of(table, cube, column) for column in ("group", "reference")]


def _used(table: pd.DataFrame, change: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark which of group now, reference now, group before, reference before a row is made of."""
    group = (table["part"] != THEIRS).to_numpy()
    reference = (table["part"] != OWN).to_numpy()
    return np.stack([group, reference, group & change, reference & change])


def _value(now: list[Side], before: list[Side], used: NDArray[np.bool_]) -> FloatArray:
    """Return released levels, those of the reference and of the year before taken away."""
    signs = (1.0, -1.0, -1.0, 1.0)
    levels = [
        np.where(of, sign * side.level, 0.0)
        for of, sign, side in zip(used, signs, (*now, *before), strict=True)
    ]
    return np.round(np.round(levels[0] + levels[1], 2) + np.round(levels[2] + levels[3], 2), 2)


def _whole(
    table: pd.DataFrame, cube: RoundedCube, change: NDArray[np.bool_], *, both: NDArray[np.bool_]
) -> FloatArray:
    """Return the released gap, or its released change, that the parts add up to."""
    both = both.copy()
    both[2:] &= change
    return _value(_sides(table, cube), _sides(_at_baseline(table, change), cube), both)


def _half(
    table: pd.DataFrame, now: list[Side], before: list[Side], used: NDArray[np.bool_]
) -> FloatArray:
    """Return the shown half-width of an interval, none where the table has none."""
    sides = (*now, *before)
    simple, rounded = (
        np.sqrt(
            np.sum(
                [
                    np.where(of, side.variances(true=true), 0.0)
                    for of, side in zip(used, sides, strict=True)
                ],
                axis=0,
            )
        )
        for true in (True, False)
    )
    columns = ("value", "value_lower", "value_upper", "value_std_error")
    error = shown_error(number_of(table, columns[3]), now[0].counted, simple, rounded)
    half = error * multiplier(table, columns, now[0].counted)
    same_year = used[2] | used[3]
    same_year &= (table["time_period"] == table["baseline"]).to_numpy()
    return np.where(same_year, 0.0, half)


def _put_share(out: pd.DataFrame, rounded: NDArray[np.bool_]) -> None:
    """Put the part in per cent of the whole; whether it is clear tells no exact count."""
    share = 100 * quotient(number_of(out, "value"), number_of(out, "whole"))
    silent = np.isnan(number_of(out, "share")) | rounded
    out["share"] = np.round(np.where(silent, np.nan, share))
    for limit in ("share_lower", "share_upper"):
        out[limit] = np.round(np.where(silent, np.nan, number_of(out, limit)))


def _status(table: pd.DataFrame, sides: list[Side], used: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Return each row's symbol, by the levels that it is made of."""
    found = np.full(len(table), "", dtype=object)
    for pattern in {tuple(column) for column in used.T}:
        rows = np.flatnonzero((used == np.array(pattern)[:, None]).all(axis=0))
        chosen = [side for side, of in zip(sides, pattern, strict=True) if of]
        symbols = row_status(table, chosen, table["value"])
        found[rows] = symbols[rows]
    return found


def _refuse_strangers(
    table: pd.DataFrame,
    value: FloatArray,
    years: tuple[list[Side], list[Side]],
    used: NDArray[np.bool_],
    about: Traits,
) -> None:
    """Refuse parts of other levels than the cube's; levels of rounded counts differ as it is."""
    given = number_of(table, "value")
    sides = (*years[0], *years[1])
    known = np.all([side.known | ~of for side, of in zip(sides, used, strict=True)], axis=0)
    close = np.where(about.ranks, _CLOSE_RANKS, _CLOSE)
    apart = ~about.whole & (np.abs(given - value) > close)
    strangers = int((np.isfinite(given) & (~known | apart)).sum())
    if strangers:
        raise DisclosureError(
            f"{strangers} parts are of other levels than the cube has, must be of the same; make "
            "the cube from the panel that the table was measured on."
        )
