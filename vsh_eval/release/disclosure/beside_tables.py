"""What stands beside a gap, worked out from the released gap: effect sizes, sessions and days."""

import numpy as np
import pandas as pd

from vsh_eval import registry
from vsh_eval.contracts import require_columns
from vsh_eval.numerics.effect_size import COX, small_sample_factor, toolkit_months
from vsh_eval.release.disclosure.cube import RoundedCube
from vsh_eval.release.disclosure.guarded import Guarded
from vsh_eval.release.disclosure.leaf_tables import LABELS, NOTES, WHERE, protect_gaps
from vsh_eval.release.disclosure.rounding import significant
from vsh_eval.release.disclosure.sides import (
    FloatArray,
    Side,
    multiplier,
    number_of,
    select,
    shown_error,
)

_PAIR = (*WHERE, "phase", "metric", "group", "reference", "group_pupils", "reference_pupils")
_GAP = ("gap", "gap_lower", "gap_upper")
EFFECT_SIZE_SHOWN = (
    *_PAIR,
    *("group_level", "reference_level", *_GAP, "pooled_sd"),
    *("effect_size", "effect_size_lower", "effect_size_upper", "measured_by"),
    *("months", "months_lower", "months_upper"),
    *("gap_index", "gap_index_lower", "gap_index_upper"),
    *LABELS,
)
SESSIONS_SHOWN = (
    *_PAIR,
    *("sessions_possible", *_GAP),
    *("sessions", "sessions_lower", "sessions_upper", "days", "days_lower", "days_upper"),
    *LABELS,
)
_ENDS = ("", "_lower", "_upper")


def protect_effect_sizes(table: pd.DataFrame, cube: RoundedCube) -> Guarded:
    """Show effect sizes, months and the gap index that follow from the released gaps.

    Hedges' g is the released gap over the pooled deviation to two significant figures; Cox's index
    that of the released shares; the gap index 0.2 x the released difference of ranks.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If the cube was not made from the panel behind the table.
    """
    require_columns(
        table,
        ("pooled_sd", "measured_by", "effect_size", "effect_size_std_error", "df"),
        name="effect sizes",
    )
    table = table.reset_index(drop=True)
    base = protect_gaps(table, cube)
    out = base.frame.copy()
    kind = table["measured_by"].to_numpy(dtype=object)
    sides = [Side.of(table, cube, column) for column in ("group", "reference")]
    shown = out["gap"].notna().to_numpy()
    spread = np.where(shown, significant(number_of(table, "pooled_sd")), np.nan)
    factor = small_sample_factor(sides[0].rounded_n + sides[1].rounded_n)
    gap = number_of(out, "gap")
    with np.errstate(divide="ignore", invalid="ignore"):
        by_spread = factor * gap / spread
    effect = np.where(kind == "hedges_g", by_spread, _cox(sides, factor))
    effect = np.round(np.where(shown & (kind != "gap_index"), effect, np.nan), 2)
    half = _half(table, sides)
    # Of events the released interval of the gap stands in: all of it comes from rounded numbers.
    width = number_of(out, "gap_upper") - number_of(out, "gap_lower")
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.where(sides[0].events, factor * width / 2 / spread, half)
    # Of shares it is another function of the exact counts.
    out["pooled_sd"], out["measured_by"] = np.where(sides[0].counted, np.nan, spread), kind
    for end, sign in zip(_ENDS, (0, -1, 1), strict=True):
        out[f"effect_size{end}"] = np.round(effect + (sign * half if sign else 0.0), 2)
        index = np.where(kind == "gap_index", 0.2 * number_of(out, f"gap{end}"), np.nan)
        out[f"gap_index{end}"] = np.round(index, 2)
    _put_months(out, table["metric"])
    return Guarded(select(out, EFFECT_SIZE_SHOWN), base.hidden, NOTES)


def protect_sessions(table: pd.DataFrame, cube: RoundedCube) -> Guarded:
    """Show sessions and days as the released gap times a whole number of possible sessions.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If the cube was not made from the panel behind the table.
    """
    require_columns(table, ("sessions_possible", "sessions", "days"), name="sessions and days")
    table = table.reset_index(drop=True)
    base = protect_gaps(table, cube)
    out = base.frame.copy()
    shown = out["gap"].notna().to_numpy()
    possible = np.where(shown, np.round(number_of(table, "sessions_possible")), np.nan)
    out["sessions_possible"] = possible
    for end in _ENDS:
        sessions = number_of(out, f"gap{end}") / 100 * possible
        out[f"sessions{end}"] = np.round(sessions, 1)
        out[f"days{end}"] = np.round(sessions / 2, 1)
    return Guarded(select(out, SESSIONS_SHOWN), base.hidden, NOTES)


def _cox(sides: list[Side], factor: FloatArray) -> FloatArray:
    """Return Cox's index of the released shares."""
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = [np.log(side.share / (1 - side.share)) for side in sides]
        return np.where(np.isfinite(odds[0] - odds[1]), factor * (odds[0] - odds[1]) / COX, np.nan)


def _half(table: pd.DataFrame, sides: list[Side]) -> FloatArray:
    """Return the half-width to show: of the rounded counts where the metric counts children."""

    def of_odds(side: Side, *, true: bool) -> FloatArray:
        share, n = (side.true_share, side.true_pupils) if true else (side.share, side.rounded_n)
        with np.errstate(divide="ignore", invalid="ignore"):
            return 1 / (n * share * (1 - share)) / COX**2

    counted = sides[0].counted
    simple, rounded = (
        np.sqrt(np.sum([of_odds(side, true=true) for side in sides], axis=0))
        for true in (True, False)
    )
    error = shown_error(number_of(table, "effect_size_std_error"), counted, simple, rounded)
    columns = ("effect_size", "effect_size_lower", "effect_size_upper", "effect_size_std_error")
    return error * multiplier(table, columns, counted)


def _put_months(out: pd.DataFrame, metrics: pd.Series) -> None:
    """Put the months of the shown effect sizes, ahead of the reference positive."""
    lower_better = [registry.metric(str(name)).lower_is_better for name in metrics]
    forward = np.where(lower_better, -1.0, 1.0)
    value, *ends = (toolkit_months(forward * number_of(out, f"effect_size{end}")) for end in _ENDS)
    out["months"] = value
    out["months_lower"], out["months_upper"] = np.minimum(*ends), np.maximum(*ends)
