"""Barriers to learning: how many of each group have SEN or free school meals, from rounded leaves.

Each is one value of a characteristic that the rounded breakdowns hold: the rounded number of its
children over the rounded number of all, both of which leave with the gaps by characteristic too.
"""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import ContractError, DisclosureError, require_columns, require_one_of
from vsh_eval.numerics import proportions
from vsh_eval.release.disclosure.breakdown_cube import RoundedBreakdowns
from vsh_eval.release.disclosure.guarded import Guarded
from vsh_eval.release.disclosure.leaf_tables import LABELS, WHERE
from vsh_eval.release.disclosure.sides import number_of, quotient, select, whole_numbers

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
    "children, or all but fewer than 10, are counted. Intervals take children as independent."
)
_PAIR = ("group", "reference")
_KEYS = ("group", "phase", "time_period")


def protect_barriers(
    table: pd.DataFrame, cubes: RoundedBreakdowns, *, population: str = "overall_absence"
) -> Guarded:
    """Show how many of both groups have SEN or free school meals, over all phases.

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
    ends = []
    for side in _PAIR:
        met, everyone, shown = _counts(out, cubes, side, population)
        hidden |= ~shown
        level, lower, upper = (
            quotient(met, everyone),
            *proportions.wilson(met, everyone, alpha=0.05),
        )
        ends.append((level, lower, upper))
        out[f"{side}_pupils"] = whole_numbers(everyone)
        for name, values in zip(("", "_lower", "_upper"), ends[-1], strict=True):
            out[f"{side}_level{name}"] = np.round(100 * values, 1)
    low, high = proportions.difference_limits(ends[0], ends[1])
    out["gap"] = np.round(100 * (ends[0][0] - ends[1][0]), 1)
    out["gap_lower"], out["gap_upper"] = np.round(100 * low, 1), np.round(100 * high, 1)
    out["ratio"] = np.round(quotient(ends[0][0], ends[1][0]), 2)
    empty = (out["status"] != "") if "status" in out else pd.Series(data=False, index=out.index)
    out["status"] = np.where(empty, out.get("status", ""), np.where(hidden, names.CONFIDENTIAL, ""))
    numbers = [c for c in BARRIER_SHOWN if c.startswith(("group_l", "reference_l", "gap", "ratio"))]
    numbers = [c for c in numbers if c != "gap_unit"]
    out.loc[out["status"] != "", numbers] = np.nan
    return Guarded(
        select(out, BARRIER_SHOWN), Counter({"children": int((hidden & ~empty).sum())}), (NOTE,)
    )


def _counts(
    table: pd.DataFrame, cubes: RoundedBreakdowns, side: str, population: str
) -> tuple[np.ndarray, np.ndarray, pd.Series]:
    """Return the rounded children of a value, of all values, and whether both may be shown."""
    met, everyone = (np.full(len(table), np.nan) for _ in range(2))
    shown = pd.Series(data=False, index=table.index)
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
        true = [number_of(mine, "true_pupils"), number_of(total, "true_pupils")]
        rounded = [number_of(mine, "pupils"), number_of(total, "pupils")]
        met[rows], everyone[rows] = rounded
        least = cubes.rule.threshold
        enough = [
            (part >= least) & (whole_of - part >= least)
            for part, whole_of in ((true[0], true[1]), (rounded[0], rounded[1]))
        ]
        shown[rows] = enough[0] & enough[1] & (mine["pupils_status"] == "").to_numpy(dtype=bool)
    return met, everyone, shown


def _same_children(table: pd.DataFrame, side: str, true: pd.Series) -> None:
    given = number_of(table, f"{side}_pupils")
    there = np.isfinite(given) & (given > 0)
    strangers = int((there & (true.fillna(-1).to_numpy("float64") != given)).sum())
    if strangers:
        raise DisclosureError(
            f"{strangers} rows are about other children than the rounded breakdowns, must be about "
            "the same; take both from one composition."
        )
