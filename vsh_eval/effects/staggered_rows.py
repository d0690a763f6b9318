"""Rows from moderndid's results, with the schools and the influence behind each."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsh_eval import names
from vsh_eval.effects.grid import Floats, Grid, Integers

Flags = npt.NDArray[np.bool_]

AGGREGATED = {"cohort": "group", "calendar": "calendar", "event": "dynamic"}
"""Our aggregations and the library's names for them."""
_REFERENCE = "the year all others are compared with"
_FAILED = "too few schools, or too little overlap, to compare"


def library_rows(
    laid_out: Grid, result: Any, aggregated: dict[str, Any], comparison: str
) -> tuple[pd.DataFrame, Floats]:
    """Put the library's results into rows, with the influence (K, S) behind each."""
    groups = np.asarray(result.groups, dtype=np.int64)
    times = np.asarray(result.times, dtype=np.int64)
    records: list[tuple[str, int, int, float, float]] = [
        ("simple", 0, 0, aggregated["simple"].overall_att, aggregated["simple"].overall_se)
    ]
    influence = [np.asarray(aggregated["simple"].influence_func_overall)]
    for name in AGGREGATED:
        part = aggregated[name]
        labels = [_label(laid_out, name, int(value)) for value in part.event_times]
        records += [
            (name, 0, *entry)
            for entry in zip(labels, part.att_by_event, part.se_by_event, strict=True)
        ]
        influence += list(np.asarray(part.influence_func).T)
    for name in AGGREGATED:
        part = aggregated[name]
        records.append((f"overall_{name}", 0, 0, part.overall_att, part.overall_se))
        influence.append(np.asarray(part.influence_func_overall))
    records += [
        ("att_gt", int(laid_out.times[g - 1]), int(laid_out.times[t - 1]), att, error)
        for g, t, att, error in zip(groups, times, result.att_gt, result.se_gt, strict=True)
    ]
    influence += list(np.asarray(result.influence_func).T)
    rows = pd.DataFrame(
        records, columns=["aggregation", "cohort", "index", "estimate", "std_error"]
    ).astype({"estimate": float, "std_error": float})
    rows["df"] = len(laid_out.units) - 1.0
    reference = rows["estimate"].eq(0) & rows["std_error"].isna()
    failed = rows["estimate"].isna() | (rows["std_error"].isna() & ~reference)
    rows["status"] = np.select([reference, failed], [names.NOT_APPLICABLE, names.UNAVAILABLE], "")
    rows["reason"] = np.select([reference, failed], [_REFERENCE, _FAILED], "")
    universal = str(result.estimation_params["base_period"]).endswith("universal")
    latest = np.maximum(times, groups - 1) if universal else times
    compared = _compared(laid_out, groups, latest, comparison)
    counted = _with_schools(rows, laid_out, groups, times, compared)
    return counted, np.nan_to_num(np.stack(influence))


def _compared(laid_out: Grid, groups: Integers, latest: Integers, comparison: str) -> Flags:
    """Return the comparison schools of each cell (cells, S): untrained in its later year."""
    onset, years = laid_out.onset[None, :] + 1, len(laid_out.times)
    untrained = onset > (years if comparison == "never_treated" else latest[:, None])
    return untrained & (onset != groups[:, None])


def _label(laid_out: Grid, name: str, value: int) -> int:
    """Return the year behind a position; event times are their own label."""
    return value if name == "event" else int(laid_out.times[value - 1])


def _with_schools(
    rows: pd.DataFrame, laid_out: Grid, groups: Integers, times: Integers, compared: Flags
) -> pd.DataFrame:
    """Count the schools and pupils behind each row."""
    treated = laid_out.onset[None, :] + 1 == groups[:, None]
    weight = laid_out.weight[:, 0]
    pupils = laid_out.pupils[:, times - 1].T
    columns = [
        _schools_behind(_cells_of(row, laid_out, groups, times), treated, compared, weight, pupils)
        for row in rows.itertuples()
    ]
    counted = pd.DataFrame(
        columns, columns=["schools_treated", "schools_comparison", "pupils", "largest_share"]
    )
    counted["pupils"] = counted["pupils"].astype("Float64").round().astype("Int64")
    return pd.concat([rows, counted], axis=1)


def _cells_of(row: Any, laid_out: Grid, groups: Integers, times: Integers) -> Flags:
    """Return which group-time cells a row is made of."""
    after = times >= groups
    if row.aggregation == "event":
        return times - groups == row.index
    if row.aggregation == "cohort":
        return after & (laid_out.times[groups - 1] == row.index)
    if row.aggregation == "calendar":
        return after & (laid_out.times[times - 1] == row.index)
    if row.aggregation == "att_gt":
        return (laid_out.times[groups - 1] == row.cohort) & (laid_out.times[times - 1] == row.index)
    return after


def _schools_behind(
    inside: Flags, treated: Flags, compared: Flags, weight: Floats, pupils: Floats
) -> tuple[int, int, float, float]:
    """Count trained and comparison schools, pupils, and the largest share in either arm."""
    trained, untrained = treated[inside], compared[inside]
    shares = [
        (flags * weight).sum(axis=0).max(initial=0.0) / max((flags * weight).sum(), 1e-300)
        for flags in (trained, untrained)
    ]
    return (
        int(trained.any(axis=0).sum()),
        int((untrained.any(axis=0) & ~trained.any(axis=0)).sum()),
        float(np.where(trained, pupils[inside], 0.0).sum()),
        float(max(shares)),
    )
