"""Barriers to learning: how many of each group have SEN or free school meals, from rounded leaves.

Each is one value of a characteristic that the rounded breakdowns hold: the rounded number of its
children over the rounded number of all, both of which leave with the gaps by characteristic too.
Where the table knows how far schools differ, an interval is that of the rounded numbers widened by
the design effect, as for gaps (`vsh_eval.release.disclosure.sides.shown_error`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import ContractError, DisclosureError, require_columns, require_one_of
from vsh_eval.numerics import proportions
from vsh_eval.release.disclosure.breakdown_cube import RoundedBreakdowns
from vsh_eval.release.disclosure.guarded import Guarded
from vsh_eval.release.disclosure.leaf_tables import LABELS, WHERE
from vsh_eval.release.disclosure.sides import (
    FloatArray,
    multiplier,
    number_of,
    put_bounds,
    put_share_bounds,
    quotient,
    select,
    shown_error,
    whole_numbers,
)

OF_VALUES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "sen_support": ("sen", "sen_support"),
        "ehc_plan": ("sen", "ehc_plan"),
        "fsm6": ("fsm6", "fsm6"),
    }
)
"""The breakdown and the value that each barrier is."""

BARRIERS = tuple(OF_VALUES)
"""The barriers that `protect_barriers` shows."""

BARRIER_SHOWN = (
    *WHERE,
    *("phase", "barrier", "group", "reference", "group_pupils", "reference_pupils"),
    *("group_level", "group_level_lower", "group_level_upper"),
    *("reference_level", "reference_level_lower", "reference_level_upper"),
    *("gap", "gap_lower", "gap_upper", "ratio"),
    *LABELS,
)
NOTE = (
    "Shares are worked out from rounded numbers of children and hidden (c) where fewer than 10 "
    "children, or all but fewer than 10, are counted, or where the gaps by characteristic hide "
    "their numbers."
)
INDEPENDENT = "Intervals take children as independent and are rather too narrow."
_PAIR = ("group", "reference")


@dataclass(frozen=True, slots=True)
class _Counted:
    """One side's children, row by row: of the value and of all values, rounded and true.

    The true ones stay inside and only set how wide an interval is.
    """

    met: FloatArray
    everyone: FloatArray
    true_met: FloatArray
    true_everyone: FloatArray
    shown: pd.Series

    def variances(self, *, true: bool) -> FloatArray:
        """Return the squared error of a share of independent children, in %."""
        met, n = (self.true_met, self.true_everyone) if true else (self.met, self.everyone)
        return (100 * proportions.binomial_std_error(met, n)) ** 2


def protect_barriers(
    table: pd.DataFrame, cubes: RoundedBreakdowns, *, population: str = "overall_absence"
) -> Guarded:
    """Show how many of both groups have SEN or free school meals, over all phases.

    A share is shown where the gaps by characteristic show the children it counts and those of
    another value, so that it says nothing that they do not, in a later release neither. Where the
    parts of a characteristic do not add up to the total of another one, two totals would stand
    side by side and narrow each other: such a group and year is hidden. A group without children
    is hidden like one with a few.

    Parameters
    ----------
    table : DataFrame
        From ``metrics.barriers``: only rows over all phases of `OF_VALUES`. Suspensions and
        exclusions are measures of their own and leave as gaps.
    cubes : RoundedBreakdowns
        Of the composition that the table was measured on.
    population : str
        The measure whose children were counted.

    Raises
    ------
    ContractError
        If a column is missing, a barrier is another, or the cubes lack the population.
    DisclosureError
        If a row is of a single phase, or about other children than the leaves.
    """
    require_columns(
        table, ("phase", "barrier", "time_period", *_PAIR, "group_pupils"), name="barriers"
    )
    for barrier in table["barrier"].unique():
        require_one_of(str(barrier), tuple(OF_VALUES), name="barrier")
    if (table["phase"] != names.TOTAL).any():
        raise DisclosureError(
            "barriers hold rows of single phases, must be over all phases; a phase and a "
            "characteristic are never crossed."
        )
    out = table.reset_index(drop=True).copy()
    hidden = pd.Series(data=False, index=out.index)
    sides = [_counts(out, cubes, side, population) for side in _PAIR]
    for name, side in zip(_PAIR, sides, strict=True):
        hidden |= ~side.shown
        out[f"{name}_pupils"] = whole_numbers(np.where(side.shown, side.everyone, np.nan))
    shares = _put_independent(out, sides)
    _widen(out, table.reset_index(drop=True), sides)
    out["ratio"] = np.round(quotient(*shares), 2)
    hidden |= out["status"].fillna("").ne("") if "status" in out else False
    out["status"] = np.where(hidden, names.CONFIDENTIAL, "")
    numbers = [c for c in BARRIER_SHOWN if c.startswith(("group_l", "reference_l", "gap", "ratio"))]
    numbers = [c for c in numbers if c != "gap_unit"]
    out.loc[hidden, numbers] = np.nan
    clustered = np.isfinite(number_of(table, "gap_std_error")).any()
    notes = (NOTE,) if clustered else (NOTE, INDEPENDENT)
    return Guarded(select(out, BARRIER_SHOWN), Counter({"children": int(hidden.sum())}), notes)


def _put_independent(out: pd.DataFrame, sides: Sequence[_Counted]) -> list[FloatArray]:
    """Put both shares and their gap, with the limits of independent children; return the shares."""
    ends = []
    for name, side in zip(_PAIR, sides, strict=True):
        limits = proportions.wilson(side.met, side.everyone, alpha=0.05)
        ends.append((quotient(side.met, side.everyone), *limits))
        for end, values in zip(("", "_lower", "_upper"), ends[-1], strict=True):
            out[f"{name}_level{end}"] = np.round(100 * values, 1)
    out["gap"] = np.round(100 * (ends[0][0] - ends[1][0]), 1)
    for end, values in zip(
        ("gap_lower", "gap_upper"), proportions.difference_limits(*ends), strict=True
    ):
        out[end] = np.round(100 * values, 1)
    return [share for share, *_ in ends]


def _widen(out: pd.DataFrame, table: pd.DataFrame, sides: Sequence[_Counted]) -> None:
    """Put limits of schools that differ in their place, wherever the table has their error."""
    of = {f"{name}_level": (side,) for name, side in zip(_PAIR, sides, strict=True)}
    every = np.ones(len(out), dtype=bool)
    for value, mine in {**of, "gap": tuple(sides)}.items():
        error = f"{value.removesuffix('_level')}_std_error"
        limits = (f"{value}_lower", f"{value}_upper")
        simple, rounded = (
            np.sqrt(np.sum([side.variances(true=true) for side in mine], axis=0))
            for true in (True, False)
        )
        shown = shown_error(number_of(table, error), every, simple, rounded)
        half = shown * multiplier(table, (value, *limits, error), every)
        wide = out[[value]].copy()
        put = put_bounds if value == "gap" else put_share_bounds
        put(wide, value, limits, half)
        for limit in limits:
            out[limit] = np.where(np.isfinite(half), np.round(wide[limit], 1), out[limit])


def _counts(table: pd.DataFrame, cubes: RoundedBreakdowns, side: str, population: str) -> _Counted:
    """Return the children of a value, of all values, and whether both may be shown."""
    met, everyone, true_met, true_everyone = (np.full(len(table), np.nan) for _ in range(4))
    shown = pd.Series(data=False, index=table.index)
    agreed = _totals_agree(cubes, population)
    for barrier, (by, value) in OF_VALUES.items():
        rows = (table["barrier"] == barrier).to_numpy()
        if not rows.any():
            continue
        cells = cubes.cubes[by]._exact
        cells = cells[cells["metric"] == population]
        if cells.empty:
            raise ContractError(
                f"the rounded breakdowns have no {population}, must have it to count children by; "
                "round the composition with it."
            )
        wanted = table.loc[rows, [side, "time_period"]].rename(columns={side: "group"})
        whole = cells.groupby(["group", "time_period"])[["pupils", "true_pupils"]].sum()
        at = pd.MultiIndex.from_frame(wanted)
        total = whole.reindex(at)
        mine = cells[cells["phase"] == value].set_index(["group", "time_period"]).reindex(at)
        _same_children(table.loc[rows], side, total["true_pupils"])
        met[rows], everyone[rows] = number_of(mine, "pupils"), number_of(total, "pupils")
        true_met[rows] = number_of(mine, "true_pupils")
        true_everyone[rows] = number_of(total, "true_pupils")
        own = (mine["pupils_status"] == "").to_numpy(dtype=bool)
        values = (cells["pupils_status"] == "").groupby([cells["group"], cells["time_period"]])
        others = values.sum().reindex(at).to_numpy("float64") - own >= 1
        shown[rows] = own & others & agreed.reindex(at, fill_value=False).to_numpy(dtype=bool)
    return _Counted(met, everyone, true_met, true_everyone, shown)


def _totals_agree(cubes: RoundedBreakdowns, population: str) -> pd.Series:
    """Say of each group and year whether all breakdowns' rounded parts add up to one number."""
    totals = []
    for cube in cubes.cubes.values():
        cells = cube._exact[cube._exact["metric"] == population]
        totals.append(cells.groupby(["group", "time_period"])["pupils"].sum())
    every = pd.concat(totals, axis=1).astype("float64")
    return every.max(axis=1) == every.min(axis=1)


def _same_children(table: pd.DataFrame, side: str, true: pd.Series) -> None:
    given = number_of(table, f"{side}_pupils")
    there = np.isfinite(given) & (given > 0)
    strangers = int((there & (true.fillna(-1).to_numpy("float64") != given)).sum())
    if strangers:
        raise DisclosureError(
            f"{strangers} rows are about other children than the rounded breakdowns, must be about "
            "the same; take both from one composition."
        )
