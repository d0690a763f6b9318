"""Who the children are, and the gap: decomposed, matched and standardised gaps made safe.

An exact decomposition would sum to the true gap, and a true gap to one decimal tells the true
numerator of some 150 children, which the rounded leaves protect. So no exact part leaves:

- The gap shown is the released one, a function of rounded leaves, to one decimal.
- One part is released beside it, to one decimal of the gap's unit: what the make-up of the groups
  contributes (composition), the level of peers who are alike, or how far the gap moves when the
  mix of children stays. The other part is the released gap less that one, so that it tells nothing
  more. The true rates' part is not released.
- Limits are widened outwards to one decimal. Their width is that of the difference between
  schools, no sum of which is released.

What is released is one number for a sum over tens of strata whose counts are released nowhere: of
the strata's composition only the margins, one characteristic at a time and rounded, ever leave. The
composition's part moves by (1 - q/p) / 2N with one child's outcome, p and q being the shares of the
child's stratum: for N of 50 or more, a tenth of a point is one equation, good to a few tenths of
a child, for the numerators of at least ten strata. The test attacks with a reader who knows every
number of children in every stratum, every outcome of the peers and the rounded leaves: each number
of children absent, in a phase or with a characteristic, keeps as many values as it had without the
decomposition, or more than five, from N = 50. With the four factors as well (four more equations)
that holds from 100 children; at some 30 it fails, so under 50 nothing is shown (c) and the factors
are shown from 100 only. Scores and sessions are means: the same reader knows them to two decimals
already.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.contracts import require_columns
from vsh_eval.release.disclosure.cube import CELL_KEYS, RoundedCube
from vsh_eval.release.disclosure.guarded import Guarded
from vsh_eval.release.disclosure.leaf_tables import LABELS, WHERE
from vsh_eval.release.disclosure.sides import (
    FloatArray,
    Side,
    hidden_by_reason,
    number_of,
    row_status,
    same_children,
    select,
    whole_numbers,
)

FEWEST = 50
"""Children a group needs for its decomposition to be shown."""
FEWEST_FOR_FACTORS = 100
"""Children a group needs for the factors to be shown."""
FEWEST_MATCHED = 80
"""Children a group needs for a matched gap to be shown: its showing says that at most one in twenty
have no peers alike, and from 80 that is at most four or more, which leaves five numbers."""
FEWEST_STRATA = 10
"""Strata that the group must be spread over."""
LEAST_ALIKE = 0.95
"""Share of the group that must have peers alike."""
LEAST_KEPT = 0.80
"""Share of the baseline's make-up that must still have children."""
FACTORS = ("phase", "sen", "fsm6", "sex")

_FIRST = (
    *WHERE,
    *("phase", "metric", "group", "reference", "group_pupils", "reference_pupils"),
)
_KEPT = frozenset({*_FIRST, *LABELS, "baseline"})
"""Columns that stay where a row is hidden."""
DECOMPOSITION_SHOWN = (
    *_FIRST,
    *("gap", "composition", "composition_lower", "composition_upper"),
    *("rates", "rates_lower", "rates_upper"),
    *(f"composition_{factor}" for factor in FACTORS),
    *LABELS,
)
MATCHED_SHOWN = (
    *_FIRST,
    *("group_level", "matched_level", "matched_level_lower", "matched_level_upper"),
    *("gap", "matched_gap", "matched_gap_lower", "matched_gap_upper"),
    *LABELS,
)
STANDARDISED_SHOWN = (
    *_FIRST,
    *("baseline", "gap", "standardised_gap", "standardised_gap_lower", "standardised_gap_upper"),
    *LABELS,
)
NOTES = (
    "The gap is the one released; what goes with the make-up of the groups is rounded to one "
    "decimal and the rest is the difference of the two. Shown from 50 children in the group "
    "(matched gaps from 80, single characteristics from 100), else hidden (c).",
    "Composition says what goes together, not what causes what: a characteristic can be a "
    "consequence of the same circumstances as the outcome.",
)


def shown_columns(table: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns shown of a decomposed, matched or standardised gap."""
    if "matched_gap" in table:
        return MATCHED_SHOWN
    return STANDARDISED_SHOWN if "standardised_gap" in table else DECOMPOSITION_SHOWN


def protect_decomposition(table: pd.DataFrame, cube: RoundedCube) -> Guarded:
    """Show a decomposed, matched or standardised gap beside the released gap.

    Parameters
    ----------
    table : DataFrame
        From ``metrics.decompose``, ``metrics.matched_gap`` or ``metrics.standardised_gap``.
    cube : RoundedCube
        From `round_leaves`, of the panel of the same children.

    Returns
    -------
    Guarded
        `DECOMPOSITION_SHOWN`, `MATCHED_SHOWN` or `STANDARDISED_SHOWN`; ``c`` where either level is
        hidden, the group has fewer than 50 children (matched: 80) or, decomposed, fewer than ten
        strata; ``u``
        where fewer than 95 % of the group have peers alike, or less than 80 % of the baseline's
        make-up still has children.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If the cube was not made from the panel behind the table.
    """
    needed = (*CELL_KEYS, "reference", "group_pupils", "reference_pupils", "df")
    require_columns(table, needed, name="decomposition")
    table = table.reset_index(drop=True)
    sides = [Side.of(table, cube, column) for column in ("group", "reference")]
    for name, side in zip(("group", "reference"), sides, strict=True):
        same_children(table[f"{name}_pupils"], side, cube)
    few = np.fmin(sides[0].true_pupils, sides[0].rounded_n) < FEWEST
    if "strata" in table:
        few |= number_of(table, "strata") < FEWEST_STRATA
    out = table.copy()
    for name, side in zip(("group", "reference"), sides, strict=True):
        out[f"{name}_pupils"] = whole_numbers(side.pupils)
    gap = np.round(sides[0].level - sides[1].level, 1)
    out["gap"] = gap
    if "matched_gap" in table:
        few |= np.fmin(sides[0].true_pupils, sides[0].rounded_n) < FEWEST_MATCHED
        value, unreliable = (
            _matched(out, table, sides[0]),
            number_of(table, "coverage") < LEAST_ALIKE,
        )
    elif "standardised_gap" in table:
        kept = np.fmin(*(number_of(table, f"{name}_coverage") for name in ("group", "reference")))
        value, unreliable = _standardised(out, table, gap), kept < LEAST_KEPT
    else:
        value, unreliable = _decomposed(out, table, gap, sides[0]), np.zeros(len(table), np.bool_)
    out["status"] = _status(table, sides, value, few, unreliable)
    numbers = [name for name in shown_columns(out) if name in out and name not in _KEPT]
    out.loc[out["status"] != "", numbers] = np.nan
    return Guarded(select(out, shown_columns(out)), hidden_by_reason(sides), NOTES)


def _decomposed(out: pd.DataFrame, table: pd.DataFrame, gap: FloatArray, side: Side) -> FloatArray:
    part = np.round(number_of(table, "composition"), 1)
    rest = np.round(gap - part, 1)
    _put(out, table, "composition", part)
    _put(out, table, "rates", rest)
    many = np.fmin(side.true_pupils, side.rounded_n) >= FEWEST_FOR_FACTORS
    shown = np.where(many, 1.0, np.nan)
    for factor in FACTORS:
        name = f"composition_{factor}"
        out[name] = np.round(number_of(table, name), 1) * shown
    return rest


def _matched(out: pd.DataFrame, table: pd.DataFrame, side: Side) -> FloatArray:
    own, alike = np.round(side.level, 1), np.round(number_of(table, "matched_level"), 1)
    out["group_level"] = own
    _put(out, table, "matched_level", alike)
    _put(out, table, "matched_gap", np.round(own - alike, 1))
    return own - alike


def _standardised(out: pd.DataFrame, table: pd.DataFrame, gap: FloatArray) -> FloatArray:
    moved = np.round(number_of(table, "standardised_gap") - number_of(table, "gap"), 1)
    value = np.round(gap + moved, 1)
    _put(out, table, "standardised_gap", value)
    return value


def _put(out: pd.DataFrame, table: pd.DataFrame, name: str, value: FloatArray) -> None:
    """Put a value and limits around it, widened outwards to one decimal."""
    spread = number_of(table, f"{name}_upper") - number_of(table, f"{name}_lower")
    half = np.ceil(spread / 2 * 10) / 10
    out[name] = value
    out[f"{name}_lower"], out[f"{name}_upper"] = (
        np.round(value - half, 1),
        np.round(value + half, 1),
    )


def _status(
    table: pd.DataFrame,
    sides: list[Side],
    value: FloatArray,
    few: NDArray[np.bool_],
    unreliable: NDArray[np.bool_],
) -> NDArray[np.object_]:
    """Return c where few children or a hidden level stand behind a row, u where few are covered."""
    found = pd.Series(row_status(table, sides, pd.Series(value)), dtype=object)
    there = (found == "").to_numpy()
    found[there & unreliable] = names.UNRELIABLE
    found[there & few] = names.CONFIDENTIAL
    found[there & ~few & ~unreliable & np.isnan(value)] = names.NOT_APPLICABLE
    return found.to_numpy()
