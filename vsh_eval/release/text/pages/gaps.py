"""What the pages on gaps say: how wide a gap is, whether it moved, whose doing, and how much it is.

Every function reads the row of a `SafeTable` that has the measure, the academic year, such as
202425, and all phases together, and raises `ContractError` where there is none, or more than one. A
number that is not shown is said not to be, with the reason.
"""

import math
from dataclasses import replace
from typing import Literal

from vsh_eval import names, registry
from vsh_eval.columns import with_ends
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import (
    Row,
    interval_of,
    is_shown,
    one_row,
    part_of,
    records,
    status_of,
    value_of,
)
from vsh_eval.release.text.findings.finding import (
    INDICATIVE_BELOW,
    NO_INTERVAL,
    OF_LEVEL,
    Finding,
    compared,
    difference,
    indicative,
    movement_of_gap,
    not_comparable,
    not_shown,
    widened,
)
from vsh_eval.release.text.phrases.labels import (
    INTERVAL,
    group_in_text,
    metric_in_text,
    phase_in_text,
    upper_first,
    year_label,
)
from vsh_eval.release.text.phrases.numbers import (
    amount,
    decimals_for,
    decimals_of_ratio,
    limits,
    listed,
    measure_decimals,
    number,
)
from vsh_eval.release.text.safe_text import sentence
from vsh_eval.release.text.words import words

_MOST_MONTHS = 12
_SCALE = "the Education Endowment Foundation's scale"
_MEASURED_BY = {"hedges_g": ", by Hedges' g", "cox_index": ", by Cox's index"}
_REASONS = words("sentences", "gap_unknown")
"""Why a trend, or how far schools differ, cannot be given, by code."""
_NO_ORDER = " No interval can be given for the difference, so chance cannot be ruled out."
_NOT_THE_SUM = (
    " The parts do not add up to the gap, because every number is changed a little to protect "
    "children."
)
_ABSENCE = {"authorised_absence": "authorised", "unauthorised_absence": "unauthorised"}


@sentence
def gap_sentence(safe: SafeTable, *, metric: str, year: int) -> str:
    """Say how wide a gap is, from a table of gaps: both levels, the difference and the ratio."""
    row = one_row(safe, metric=metric, time_period=year, phase=names.TOTAL)
    if not is_shown(row, "gap", "group_level", "reference_level"):
        return not_shown(f"the gap in {metric_in_text(metric)}", row)
    entry, places = registry.metric(metric), measure_decimals(row, "gap")
    group, reference = (
        f"{amount(row[f'{who}_level'], entry.unit, decimals=places)}"
        for who in ("group", "reference")
    )
    gap = Finding.of(row, "gap", entry.gap_unit, least=places)
    return (
        f"In {year_label(year)} {metric_in_text(metric)} among {group_in_text(row['group'])} "
        f"was {group}, against {reference} for "
        f"{group_in_text(row['reference'])}: {_difference(gap, row)}."
        f"{indicative(row.get('group_pupils'))}"
    )


def _difference(gap: Finding, row: Row) -> str:
    """Say a gap as so much higher or lower, or that it is not clear which is higher."""
    if gap.is_unclear:
        size = gap.with_interval(signed=False)
        return f"a gap of {size}, too uncertain to say which is higher"
    ratio = f", {_times(float(row['ratio']))} as high" if is_shown(row, "ratio") else ""
    return f"{gap.size()} {gap.compared()}{gap.brackets(of_size=True)}{ratio}"


def _times(ratio: float) -> str:
    """Write a ratio as people say it.

    Examples
    --------
    >>> _times(2.19), _times(0.72), _times(0.42)
    ('2.2 times', '72%', 'less than half')
    """
    if ratio < 0.5:
        return "less than half"
    if ratio < 1:
        return amount(100 * ratio, "%", decimals=0)
    return f"{number(ratio, decimals=decimals_of_ratio(ratio))} times"


@sentence
def change_sentence(safe: SafeTable, *, metric: str, year: int, together: bool = False) -> str:
    """Say whether a gap widened or narrowed since the baseline, from a table of changes.

    The words follow the measure's direction, never the sign alone; a change whose interval contains
    zero is no clear change. ``together`` says that trained and untrained schools are one here.
    """
    row = one_row(safe, metric=metric, time_period=year, phase=names.TOTAL)
    what = metric_in_text(metric)
    about, first = f"the change of the gap in {what}", year_label(row["baseline"])
    if not is_shown(row, "change"):
        if is_shown(row, "gap") and "baseline_gap" in row and not is_shown(row, "baseline_gap"):
            return (
                f"{upper_first(about)} cannot be given: the gap of {first}, from which it would be "
                "counted, is not shown."
            )
        return not_shown(about, row)
    years = (int(row["baseline"]), year)
    if apart := not_comparable(metric, years, about):
        return apart
    unit, places = registry.metric(metric).gap_unit, measure_decimals(row, "gap")
    change = Finding.of(row, "change", unit, least=places)
    start = "In all schools together, between" if together else "Between"
    return (
        f"{start} {first} and {year_label(year)} the gap in {what} "
        f"{change.moved(movement_of_gap(metric))}{'' if change.interval else NO_INTERVAL}."
        f"{_ratio_moved(row)}{_rules_changed(metric, years)}{indicative(row.get('group_pupils'))}"
    )


def _ratio_moved(row: Row) -> str:
    """Say how the ratio of the two levels moved, where that is clear."""
    if not is_shown(row, "ratio", "baseline_ratio", *with_ends("ratio_change")):
        return ""
    factor, low, high = (float(row[name]) for name in with_ends("ratio_change"))
    if low <= 1 <= high:
        return ""
    first, last = (
        number(float(row[name]), decimals=decimals_of_ratio(float(row[name])))
        for name in ("baseline_ratio", "ratio")
    )
    verb = "rose" if factor > 1 else "fell"
    return f" As a ratio of the two levels it {verb}, from {first} to {last}."


def _rules_changed(metric: str, years: tuple[int, int]) -> str:
    between = [
        year_label(entry.time_period)
        for entry in registry.breaks_of(metric)
        if entry.kind == "definition" and min(years) < entry.time_period <= max(years)
    ]
    return f" Recording rules changed in {listed(between)}." if between else ""


@sentence
def trend_sentence(safe: SafeTable, *, metric: str) -> str:
    """Say how fast a gap and both levels have moved over the comparable years (table of trends)."""
    row = one_row(safe, metric=metric, phase=names.TOTAL)
    what = f"the gap in {metric_in_text(metric)}"
    if not is_shown(row, "trend"):
        if reason := str(row.get("reason") or "").removesuffix("."):
            return f"No trend of {what} can be given: {_REASONS[reason]}."
        return not_shown(f"the trend of {what}", {"status": status_of(row)})
    unit = registry.metric(metric).gap_unit
    trend = Finding.of(row, "trend", unit, decimals=2)
    levels = ""
    if is_shown(row, "group_trend", "reference_trend"):
        own, reference = (
            f"{amount(float(row[f'{who}_trend']), unit, decimals=2, signed=True)} a year for "
            f"{group_in_text(row[who])}"
            for who in ("group", "reference")
        )
        levels = f" The levels moved by {own} and {reference}."
    years = (int(row["first_year"]), int(row["time_period"]))
    return (
        f"From {year_label(years[0])} to {year_label(years[1])} ({int(row['years'])} years "
        f"used), {what} {trend.moved(movement_of_gap(metric), ' a year')}"
        f"{'' if trend.interval else NO_INTERVAL}.{levels}{_rules_changed(metric, years)}"
    )


@sentence
def whose_change_sentence(safe: SafeTable, *, metric: str, year: int) -> str:
    """Say whether the group moved since the baseline, or the reference (table of parts)."""
    about = {"metric": metric, "time_period": year, "phase": names.TOTAL, "of": "change"}
    rows = {who: one_row(safe, **about, part=who) for who in ("group", "reference")}
    what, baseline = metric_in_text(metric), int(rows["group"]["baseline"])
    if apart := not_comparable(metric, (baseline, year), f"the change of {what}"):
        return apart
    for row in rows.values():
        if not is_shown(row, "value"):
            return not_shown(f"among whom {what} moved", row)
    places, unit = measure_decimals(rows["group"], "value"), registry.metric(metric).gap_unit
    clauses = [
        # The reference's part of a change of the gap is the opposite of its own change.
        f"{Finding.of(row, 'value', unit, least=places, sign=sign).moved(OF_LEVEL)} among "
        f"{group_in_text(row[who])}"
        for (who, row), sign in zip(rows.items(), (1, -1), strict=True)
    ]
    return f"Between {year_label(baseline)} and {year_label(year)} {what} {' and '.join(clauses)}."


@sentence
def absence_parts_sentence(safe: SafeTable, *, year: int) -> str:
    """Say how much of the gap in overall absence is authorised and how much not (parts)."""
    about = {"metric": "overall_absence", "time_period": year, "phase": names.TOTAL, "of": "gap"}
    rows = [one_row(safe, **about, part=part) for part in _ABSENCE]
    what = "the gap in overall absence"
    for row in rows:
        if not is_shown(row, "value", "whole"):
            return not_shown(f"what {what} is made of", row)
    unit = registry.metric("overall_absence").gap_unit
    whole = Finding.of(rows[0], "whole", unit, decimals=1)
    parts = [Finding.of(row, "value", decimals=1) for row in rows]
    if whole.value == 0 or any(part.value * whole.value < 0 for part in parts):
        clauses = [
            f"{part.with_interval()} {words}"
            for part, words in zip(parts, _ABSENCE.values(), strict=True)
        ]
        return (
            f"In {year_label(year)} {what} of {whole.written()} was made of absence of opposite "
            f"direction: {listed(clauses)}."
        )
    first, second = (
        f"{part.size()}{_with_share(part, row)}" for part, row in zip(parts, rows, strict=True)
    )
    off = abs(round(sum(part.value for part in parts) - whole.value, 1))
    return (
        f"Of {what} of {whole.size()} in {year_label(year)}, {first} are authorised and {second} "
        f"unauthorised absence.{_NOT_THE_SUM if off >= 0.1 else ''}"
    )


def _with_share(part: Finding, row: Row) -> str:
    """Write a part's share of the whole and its interval in one bracket."""
    share = amount(float(row["share"]), "%", decimals=0) if is_shown(row, "share") else ""
    interval = part.brackets(of_size=True).removeprefix(" (").removesuffix(")")
    inside = "; ".join(filter(None, (share, interval)))
    return f" ({inside})" if inside else ""


@sentence
def days_sentence(safe: SafeTable, *, metric: str, year: int) -> str:
    """Say how many days of school a gap in absence is for one child (table of sessions)."""
    row = one_row(safe, metric=metric, time_period=year, phase=names.TOTAL)
    what = metric_in_text(metric)
    if not is_shown(row, "days", "sessions", "sessions_possible"):
        return not_shown(f"the gap in {what} in days", row)
    days = Finding.of(row, "days", decimals=1)
    if days.is_unclear:
        return (
            f"In {year_label(year)} the difference in {what} was too uncertain to be counted in "
            f"days: {days.written(signed=True)} days a child{days.brackets()}."
        )
    sessions, possible = (
        number(abs(float(row[name])), decimals=0) for name in ("sessions", "sessions_possible")
    )
    return (
        f"In {year_label(year)} {group_in_text(row['group'])} missed on average {days.size()} "
        f"{days.compared('more', 'fewer')} days each{days.brackets(of_size=True)} in {what} than "
        f"at the rate of {group_in_text(row['reference'])}: {sessions} of about {possible} "
        f"half-days of a school year.{indicative(row.get('group_pupils'))}"
    )


@sentence
def months_sentence(safe: SafeTable, *, metric: str, year: int) -> str:
    """Say how large a gap in attainment is (table of effect sizes).

    In standard deviations and months of progress, or by the gap index where the measure is a rank.
    """
    row = one_row(safe, metric=metric, time_period=year, phase=names.TOTAL)
    what = f"the gap in {metric_in_text(metric)}"
    ranked = row.get("measured_by") == "gap_index"
    name = "gap_index" if ranked else "effect_size"
    if not is_shown(row, name):
        return not_shown(f"the size of {what}", row)
    start, caution = f"In {year_label(year)} {what}", indicative(row.get("group_pupils"))
    if ranked:
        index = Finding.of(row, name, decimals=2).with_interval(signed=False)
        return (
            f"{start} was {index} by the gap index, which runs from {number(-10, decimals=0)} to "
            f"10, below zero where the group is behind.{caution}"
        )
    size = Finding.of(row, name, "standard deviations", decimals=2)
    if size.is_unclear:
        clauses = size.with_interval(signed=False)
        return f"{start} was too uncertain to say which group is ahead: {clauses}.{caution}"
    better = not registry.metric(metric).lower_is_better
    side = "behind" if (size.value < 0) == better else "ahead"
    by = _MEASURED_BY.get(str(row.get("measured_by")), "")
    return f"{start} was {size.size_with_interval()}{by}{_months(row, side)}.{caution}"


def _months(row: Row, side: str) -> str:
    """Write the months of progress and their interval, cut off at a year."""
    if not is_shown(row, "months"):
        return f" {side}"
    value = abs(int(row["months"]))
    if value == 0:
        return f" {side}, less than a month of progress on {_SCALE}"
    words = f"about {value} month{'' if value == 1 else 's'}"
    if value >= _MOST_MONTHS:
        words = f"{_MOST_MONTHS} or more months"
    ends = interval_of(row, "months")
    near, far = sorted(abs(int(end)) for end in ends) if ends else (0, 0)
    top = f"{_MOST_MONTHS} or more" if far >= _MOST_MONTHS else str(far)
    interval = f" (interval {near} to {top})" if near != far else ""
    return f": {words} of progress {side} on {_SCALE}{interval}"


@sentence
def schools_differ_sentence(safe: SafeTable, *, metric: str, year: int) -> str:
    """Say how much the gap differs between schools, never which (table between schools)."""
    row = one_row(safe, metric=metric, time_period=year, phase=names.TOTAL)
    what = f"the gap in {metric_in_text(metric)}"
    if not is_shown(row, "tau", "mean_gap"):
        about = f"how much {what} differs between schools"
        if reason := str(row.get("reason") or ""):
            reason = _REASONS[reason]
            return f"{upper_first(about)} cannot be said for {year_label(year)}: {reason}"
        return not_shown(about, row)
    unit = registry.metric(metric).gap_unit
    mean, spread = float(row["mean_gap"]), float(row["tau"])
    among = f"Among {number(float(row['schools']), decimals=0)} schools in {year_label(year)}"
    if spread == 0:
        return (
            f"{among} {what} differed no more than by chance; the mean of the schools' gaps was "
            f"{amount(mean, unit, decimals=_places(mean))}."
        )
    tau = Finding.of(row, "tau", unit, decimals=_places(spread))
    clear = is_shown(row, "tau_lower") and float(row["tau_lower"]) > 0
    differed = "differed" if clear else "may have differed"
    text = [
        f"{among} {what} {differed} by more than chance, with a standard deviation of "
        f"{tau.with_interval(signed=False)} around a mean of the schools' "
        f"gaps of {number(mean, decimals=_places(mean))}."
    ]
    if is_shown(row, "i_squared"):
        share = amount(float(row["i_squared"]), "%", decimals=0)
        text.append(f"Of the differences seen between schools {share} is more than chance.")
    if (ends := interval_of(row, "prediction")) is not None:
        low, high = (number(end, decimals=_places(end)) for end in ends)
        text.append(
            "In one more school like these the gap would be expected between "
            f"{low} and {high} (95%)."
        )
    return " ".join(text)


def _places(value: float) -> int:
    """Return the decimals of a number that is known to two figures."""
    return 0 if abs(value) >= 10 else decimals_for(value)


@sentence
def gap_in_short(gaps: SafeTable, changes: SafeTable, *, metric: str, year: int) -> str:
    """Say in one line how wide a gap is and whether it moved, for what is folded."""
    about = {"metric": metric, "time_period": year, "phase": names.TOTAL}
    row, entry = one_row(gaps, **about), registry.metric(metric)
    if not is_shown(row, "gap"):
        return f"{entry.label}: the gap of {year_label(year)} is not shown."
    gap = Finding.of(row, "gap", entry.gap_unit, least=measure_decimals(row, "gap"))
    size = f"{gap.compared()} by {gap.size()}"
    if gap.interval and gap.is_unclear:
        size = f"no clear gap ({limits(*gap.interval, decimals=gap.decimals)} {gap.unit})"
    moved = "".join(_moved(one, metric) for one in records(changes.where(**about))[:1])
    return f"{entry.label}: {size} in {year_label(year)}{moved}."


def _moved(row: Row, metric: str) -> str:
    """Say whether the gap moved, with a semicolon before it; '' for the baseline year itself."""
    years = (int(row["baseline"]), int(row["time_period"]))
    since = f"since {year_label(years[0])}"
    if years[1] <= years[0]:
        return ""
    if not is_shown(row, "change") or len(registry.comparable_years(metric, set(years))) < 2:
        return f"; a change {since} is not given"
    places = decimals_for(float(row["change"]), least=measure_decimals(row, "gap"))
    change = Finding.of(row, "change", decimals=places)
    if change.interval is None:
        return f"; a change {since} cannot be told from chance"
    if change.is_unclear:
        return f"; no clear change {since}"
    words = movement_of_gap(metric)
    return f"; the gap {change.compared(words.rose, words.fell)} by {change.size()} {since}"


@sentence
def widest_sentence(
    safe: SafeTable,
    *,
    over: Literal["phase", "group"],
    metric: str,
    year: int,
    reference: str | None = None,
) -> str:
    """Say in which phase, or for which group, a gap is widest and narrowest (table of gaps).

    Only those with 30 pupils or more are ranked; all phases together, and groups that are sums of
    others, are left out. A second sentence gives the difference between the two with its interval;
    groups are in the same schools, so theirs is said only where the table has the gap between them.
    """
    own = part_of(safe, metric=metric, time_period=year, reference=reference)
    rows = [
        row
        for row in records(own)
        if row[over] != names.TOTAL
        and row[over] not in names.GROUP_SUMS
        and is_shown(row, "gap", "group_pupils")
        and float(row["group_pupils"]) >= INDICATIVE_BELOW
    ]
    start = f"{registry.metric(metric).label}, {year_label(year)}:"
    enough = f"{over}s with {INDICATIVE_BELOW} or more pupils"
    if len(rows) < 2:
        return f"{start} fewer than two {enough} are shown, so they are not ranked."
    first, *_, last = sorted(rows, key=lambda row: -abs(float(row["gap"])))
    order = order_clause(first, last, of=len(rows))
    if over == "group":
        ends = _between_groups(safe, first, last, pairs=math.comb(len(rows), 2))
        order = order_clause(first, last, of=len(rows), same_schools=ends) if ends else _NO_ORDER
    unit = registry.metric(metric).gap_unit
    widest, narrowest = (
        f"{_where(row, over)} ({compared(row, 'gap', unit, least=measure_decimals(row, 'gap'))})"
        for row in (first, last)
    )
    return f"{start} of the {enough} the gap was widest {widest} and narrowest {narrowest}.{order}"


def _between_groups(
    safe: SafeTable, first: Row, last: Row, *, pairs: int
) -> tuple[float, float] | None:
    """Return the interval of the gap from one group to the other, None where it is not there."""
    about = {name: first[name] for name in ("metric", "time_period", "phase")}
    rows = records(safe.where(group=first["group"], reference=last["group"], **about))
    ends = interval_of(rows[0], "gap") if rows else None
    if ends is None:
        return None
    wider, value = widened(pairs), value_of(rows[0], "gap")
    return (value - wider * (value - ends[0]), value + wider * (ends[1] - value))


def _where(row: Row, over: str) -> str:
    value = str(row[over])
    return phase_in_text(value) if over == "phase" else f"for {group_in_text(value)}"


def order_clause(
    first: Row,
    last: Row,
    *,
    of: int,
    which: str = "The two",
    same_schools: tuple[float, float] | None = None,
) -> str:
    """Say how far two gaps picked from several differ, with the interval of the difference.

    Parameters
    ----------
    first, last : mapping
        Their rows, the wider gap first.
    of : int
        From how many gaps the two were picked: the interval allows for every pair of them.
    which : str
        What the two are called.
    same_schools : tuple of float, optional
        The interval of the first less the second, made school by school, where both gaps are of the
        same schools; without it the two are of different schools and vary by themselves.

    Returns
    -------
    str
        A sentence with a space before it.
    """
    pairs, unit = math.comb(of, 2), registry.metric(str(first["metric"])).gap_unit
    sign = 1 if float(first["gap"]) > 0 else -1
    places = measure_decimals(first, "gap")
    apart = difference(first, last, "gap", unit, decimals=places, comparisons=pairs, sign=sign)
    if apart is not None and same_schools is not None:
        lower, upper = same_schools if sign > 0 else (-same_schools[1], -same_schools[0])
        apart = replace(apart, interval=(lower, upper))
    if apart is None or apart.interval is None:
        return _NO_ORDER
    ends = limits(*apart.interval, decimals=apart.decimals)
    counting = f", counting all {pairs} pairs" if pairs > 1 else ""
    unclear = ", so their order is not clear" if apart.is_unclear else ""
    return f" {which} differ by {apart.size()} ({INTERVAL} {ends}{counting}){unclear}."
