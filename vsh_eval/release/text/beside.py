"""Sentences that set something beside a gap: days, months, a trend, how much schools differ."""

from vsh_eval import names, registry
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.rows import Row, interval_of, is_shown, one_row
from vsh_eval.release.text.gaps import indicative, not_shown
from vsh_eval.release.text.labels import (
    group_in_text,
    measure_in_text,
    upper_first,
    year_label,
)
from vsh_eval.release.text.phrases import amount, decimals_for, in_brackets, number

_MOST_MONTHS = 12
_SCALE = "the Education Endowment Foundation's scale"
_BY = {"hedges_g": "Hedges' g", "cox_index": "Cox's index"}


def days_sentence(
    safe: SafeTable,
    *,
    metric: str,
    year: int,
    phase: str = names.TOTAL,
    group: str | None = None,
    reference: str | None = None,
    area: str | None = None,
) -> str:
    """Say how many days of school a gap in absence is for one child.

    Parameters
    ----------
    safe : SafeTable
        A ``sessions`` table.
    metric, phase : str
        Which gap.
    year : int
        The academic year, for example 202425.
    group, reference, area : str, optional
        Needed where the table holds more than one.

    Returns
    -------
    str
        One sentence; where the gap may be nought, one that says so; where it is hidden, why.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    where = {"metric": metric, "phase": phase, "group": group, "reference": reference}
    row = one_row(safe, **where, time_period=year, unit_id=area)
    what = measure_in_text(metric, phase)
    if not is_shown(row, "days", "sessions", "sessions_possible"):
        return not_shown(f"the gap in {what} in days", row)
    who, whom = group_in_text(row["group"]), group_in_text(row["reference"])
    days, ends = float(row["days"]), interval_of(row, "days")
    if ends and ends[0] <= 0 <= ends[1]:
        return (
            f"In {year_label(year)} the difference in {what} was too uncertain to be counted in "
            f"days: {number(days, signed=True)} days a child{in_brackets(ends)}."
        )
    more, sign = ("more", 1) if days >= 0 else ("fewer", -1)
    interval = in_brackets(interval_of(row, "days", sign=sign))
    sessions = number(abs(float(row["sessions"])))
    possible = number(float(row["sessions_possible"]), decimals=0)
    return (
        f"In {year_label(year)} {who} missed on average {number(abs(days))} {more} days each"
        f"{interval} in {what} than at the rate of {whom}: {sessions} of some {possible} possible "
        f"sessions.{indicative(row.get('group_pupils'))}"
    )


def months_sentence(
    safe: SafeTable,
    *,
    metric: str,
    year: int,
    phase: str = names.TOTAL,
    group: str | None = None,
    reference: str | None = None,
) -> str:
    """Say how large a gap in attainment is, in standard deviations and months, or by gap index.

    Parameters
    ----------
    safe : SafeTable
        An ``effect_sizes`` table.
    metric, year, phase, group, reference
        As for `days_sentence`.

    Returns
    -------
    str
        One sentence, a second one where fewer than 30 pupils stand behind it; where the gap is
        hidden, a sentence that says why.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    where = {"metric": metric, "phase": phase, "group": group, "reference": reference}
    row = one_row(safe, **where, time_period=year)
    what = f"the gap in {measure_in_text(metric, phase)}"
    ranked = row.get("measured_by") == "gap_index"
    name = "gap_index" if ranked else "effect_size"
    if not is_shown(row, name):
        return not_shown(f"the size of {what}", row)
    value = float(row[name])
    start = f"In {year_label(year)} {what}"
    caution = indicative(row.get("group_pupils"))
    if ranked:
        return (
            f"{start} was {number(value, decimals=2)}{_interval(row, name)} by the gap index, "
            f"which runs from {number(-10, decimals=0)} to 10, below nought where the group is "
            f"behind.{caution}"
        )
    better = not registry.metric(metric).lower_is_better
    side = "behind" if (value < 0) == better else "ahead"
    ends = interval_of(row, name, sign=1 if value >= 0 else -1)
    size = f"{number(abs(value), decimals=2)} standard deviations{in_brackets(ends, decimals=2)}"
    if ends and ends[0] <= 0 <= ends[1]:
        return (
            f"{start} was too uncertain to say which group is ahead: "
            f"{number(value, decimals=2)} standard deviations{_interval(row, name)}.{caution}"
        )
    by = _BY.get(str(row.get("measured_by")), "")
    named = f", by {by}" if by else ""
    return f"{start} was {size}{named}{_months(row, side)}.{caution}"


def trend_sentence(
    safe: SafeTable,
    *,
    metric: str,
    phase: str = names.TOTAL,
    group: str | None = None,
    reference: str | None = None,
    area: str | None = None,
) -> str:
    """Say how fast a gap has moved over the comparable years.

    Parameters
    ----------
    safe : SafeTable
        A ``trends`` table.
    metric, phase, group, reference, area
        As for `days_sentence`.

    Returns
    -------
    str
        "widened by", "narrowed by" or "no clear trend", with each group's own; where there is no
        trend, a sentence that says why.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    where = {"metric": metric, "phase": phase, "group": group, "reference": reference}
    row = one_row(safe, **where, unit_id=area)
    what = f"the gap in {measure_in_text(metric, phase)}"
    if not is_shown(row, "trend"):
        return _no_trend(row, what)
    entry = registry.metric(metric)
    value, unit = float(row["trend"]), entry.gap_unit
    span = f"From {year_label(row['first_year'])} to {year_label(row['time_period'])}"
    counted = f", {int(row['years'])} years that can be compared"
    own = _own_trends(row)
    ends = interval_of(row, "trend", sign=1 if value > 0 else -1)
    if ends is None:
        return (
            f"{span}{counted}, {what} moved by {amount(value, unit, decimals=2, signed=True)} a "
            f"year; no interval can be given, so chance cannot be ruled out.{own}"
        )
    if ends[0] <= 0 <= ends[1]:
        return (
            f"{span}{counted}, {what} showed no clear trend: "
            f"{amount(value, unit, decimals=2, signed=True)} a year{_interval(row, 'trend')}.{own}"
        )
    worse = value > 0 if entry.lower_is_better else value < 0
    return (
        f"{span}{counted}, {what} {'widened' if worse else 'narrowed'} by "
        f"{amount(abs(value), unit, decimals=2)} a year{in_brackets(ends, decimals=2)}.{own}"
    )


def schools_differ_sentence(
    safe: SafeTable,
    *,
    metric: str,
    year: int,
    phase: str = names.TOTAL,
    group: str | None = None,
    reference: str | None = None,
) -> str:
    """Say how much the gap differs between schools, never which.

    Parameters
    ----------
    safe : SafeTable
        A ``between_schools`` table.
    metric, year, phase, group, reference
        As for `days_sentence`.

    Returns
    -------
    str
        Two or three sentences; where too few schools stand behind it, one that says so.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    where = {"metric": metric, "phase": phase, "group": group, "reference": reference}
    row = one_row(safe, **where, time_period=year)
    what = f"the gap in {measure_in_text(metric, phase)}"
    if not is_shown(row, "tau", "mean_gap"):
        reason = str(row.get("reason") or "")
        about = f"how much {what} differs between schools"
        if reason:
            return f"{upper_first(about)} cannot be said for {year_label(year)}: {reason}"
        return not_shown(about, row)
    unit = registry.metric(metric).gap_unit
    tau, mean = float(row["tau"]), float(row["mean_gap"])
    among = f"Among {number(float(row['schools']), decimals=0)} schools in {year_label(year)}"
    if tau == 0:
        return (
            f"{among} {what} differed no more than chance alone would have it; the mean of the "
            f"schools' gaps was {amount(mean, unit)}."
        )
    places = decimals_for(tau, least=1)
    clear = is_shown(row, "tau_lower") and float(row["tau_lower"]) > 0
    verb = "differed" if clear else "may have differed"
    said = (
        f"{among} {what} {verb} beyond chance, with a standard deviation of "
        f"{amount(tau, unit, decimals=places)}{_interval(row, 'tau', decimals=places)} around a "
        f"mean of the schools' gaps of {number(mean)}."
    )
    if is_shown(row, "i_squared"):
        share = amount(float(row["i_squared"]), "%", decimals=0)
        said += f" Of the differences seen between schools {share} is more than chance."
    if is_shown(row, "prediction_lower", "prediction_upper"):
        low, high = (number(float(row[f"prediction_{end}"])) for end in ("lower", "upper"))
        said += (
            f" In one more school like these the gap would be expected between {low} and {high}."
        )
    return said


def _interval(row: Row, name: str, *, decimals: int = 2) -> str:
    return in_brackets(interval_of(row, name), decimals=decimals)


def _months(row: Row, side: str) -> str:
    """Write the months of progress, and their interval."""
    if not is_shown(row, "months"):
        return f" {side}"
    value = abs(int(row["months"]))
    if value == 0:
        return f" {side}, less than a month of progress on {_SCALE}"
    length = _MOST_MONTHS if value >= _MOST_MONTHS else value
    words = f"{length} or more months" if value >= _MOST_MONTHS else f"about {_month(length)}"
    return f": {words} of progress {side} on {_SCALE}{_months_interval(row)}"


def _months_interval(row: Row) -> str:
    if not is_shown(row, "months_lower", "months_upper"):
        return ""
    near, far = sorted(abs(int(row[f"months_{end}"])) for end in ("lower", "upper"))
    if near == far:
        return ""
    top = f"{_MOST_MONTHS} or more" if far >= _MOST_MONTHS else str(far)
    return f" (interval {near} to {top})"


def _month(count: int) -> str:
    return f"{count} month{'' if count == 1 else 's'}"


def _no_trend(row: Row, what: str) -> str:
    reason = str(row.get("reason") or "")
    if reason:
        return f"No trend of {what} can be given: {reason}{'' if reason.endswith('.') else '.'}"
    return not_shown(f"the trend of {what}", {k: v for k, v in row.items() if k != "time_period"})


def _own_trends(row: Row) -> str:
    """Say how each of the two levels moved a year."""
    if not is_shown(row, "group_trend", "reference_trend"):
        return ""
    own, theirs = (
        f"{number(float(row[name]), decimals=2, signed=True)} a year for {group_in_text(row[who])}"
        for name, who in (("group_trend", "group"), ("reference_trend", "reference"))
    )
    return f" The levels moved by {own} and {theirs}."
