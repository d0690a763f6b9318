"""A finding in one short line: what a reader learns who does not open what is folded behind it."""

from typing import Literal

from vsh_eval import names, registry
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.rows import (
    Row,
    interval_of,
    intervals_overlap,
    is_shown,
    one_row,
    part_of,
    records,
    title_of,
)
from vsh_eval.release.text.gaps import INDICATIVE_BELOW
from vsh_eval.release.text.labels import (
    group_in_text,
    phase_in_text,
    year_label,
)
from vsh_eval.release.text.phrases import amount, decimals_for, limits, number, usual_decimals


def gap_in_short(
    gaps: SafeTable, changes: SafeTable, *, metric: str, year: int, phase: str = names.TOTAL
) -> str:
    """Say in one line how wide a gap is and whether it moved.

    Parameters
    ----------
    gaps : SafeTable
        A ``gaps`` table of one group and area.
    changes : SafeTable
        A ``changes`` table of the same; a year up to the baseline has no change.
    metric, phase : str
        Which gap.
    year : int
        The academic year, for example 202425.

    Returns
    -------
    str
        The measure, its gap with the year, and since when it widened, narrowed or showed no clear
        change; a gap whose interval contains nought has no direction.

    Raises
    ------
    ContractError
        If no row of the gaps, or more than one, fits.
    """
    row = one_row(gaps, metric=metric, time_period=year, phase=phase)
    start = f"{title_of(metric, phase)}:"
    if not is_shown(row, "gap"):
        return f"{start} the gap of {year_label(year)} is not shown."
    gap, unit, ends = float(row["gap"]), registry.metric(metric).gap_unit, interval_of(row, "gap")
    decimals = decimals_for(gap, *(ends or ()), least=usual_decimals(metric))
    if ends and ends[0] <= 0 <= ends[1]:
        size = f"no clear gap ({limits(*ends, decimals=decimals)} {unit})"
    else:
        side = "higher" if gap > 0 else "lower"
        size = f"{side} by {amount(abs(gap), unit, decimals=decimals)}"
    asked = {"metric": metric, "time_period": year, "phase": phase}
    moved = records(changes.where(**asked))
    return f"{start} {size} in {year_label(year)}{_moved(moved[0], metric) if moved else ''}."


def _moved(row: Row, metric: str) -> str:
    """Say whether the gap moved, with a semicolon before it; '' for the baseline year itself."""
    years = (int(row["baseline"]), int(row["time_period"]))
    since = f"since {year_label(years[0])}"
    if years[1] <= years[0]:
        return ""
    if not is_shown(row, "change") or len(registry.comparable_years(metric, set(years))) < 2:
        return f"; a change {since} is not given"
    change, ends = float(row["change"]), interval_of(row, "change")
    if ends is None:
        return f"; a change {since} cannot be told from chance"
    if ends[0] <= 0 <= ends[1]:
        return f"; no clear change {since}"
    entry, decimals = registry.metric(metric), decimals_for(change, least=usual_decimals(metric))
    worse = change > 0 if entry.lower_is_better else change < 0
    size = number(abs(change), decimals=decimals)
    return f"; the gap {'widened' if worse else 'narrowed'} by {size} {since}"


def widest_sentence(
    safe: SafeTable, *, over: Literal["phase", "group"], metric: str, year: int
) -> str:
    """Say in which phase, or for which group, a gap is widest and narrowest.

    Parameters
    ----------
    safe : SafeTable
        A ``gaps`` table of one area and reference, and of one group or phase.
    over : {"phase", "group"}
        What is compared; all phases together are left out.
    metric : str
        Which gap.
    year : int
        The academic year, for example 202425.

    Returns
    -------
    str
        One sentence on those with 30 pupils or more, a second one where their intervals overlap;
        where fewer than two are shown, a sentence that says so.

    Raises
    ------
    ContractError
        If no row fits.
    """
    rows = [
        row
        for row in records(part_of(safe, metric=metric, time_period=year))
        if row[over] != names.TOTAL
        and is_shown(row, "gap", "group_pupils")
        and float(row["group_pupils"]) >= INDICATIVE_BELOW
    ]
    kind = "phase" if over == "phase" else "group"
    start = f"{title_of(metric, names.TOTAL)}, {year_label(year)}:"
    if len(rows) < 2:
        return (
            f"{start} fewer than two {kind}s with {INDICATIVE_BELOW} or more pupils are shown, so "
            "they are not ranked."
        )
    first, *_, last = sorted(rows, key=lambda row: -abs(float(row["gap"])))
    unit = registry.metric(metric).gap_unit
    decimals = usual_decimals(metric)
    told = [
        f"{_place(row, over)} ({amount(float(row['gap']), unit, decimals=decimals, signed=True)})"
        for row in (first, last)
    ]
    chance = " The intervals of the two overlap, so the order may be chance."
    return (
        f"{start} of the {kind}s with {INDICATIVE_BELOW} or more pupils the gap was widest "
        f"{told[0]} and narrowest {told[1]}."
        f"{chance if intervals_overlap([first, last], 'gap') else ''}"
    )


def _place(row: Row, over: str) -> str:
    value = str(row[over])
    return phase_in_text(value) if over == "phase" else f"for {group_in_text(value)}"
