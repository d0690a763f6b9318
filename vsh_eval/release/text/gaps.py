"""Sentences made from rows of safe tables, right whichever way the numbers fall.

No sentence calls a result that is not significant "no effect", and a number that is hidden is said
to be hidden, with the reason.
"""

from typing import Any

from vsh_eval import names, registry
from vsh_eval.release.disclosure.safe import SafeTable, require_safe
from vsh_eval.release.rows import Row, interval_of, is_shown, one_row, status_of
from vsh_eval.release.text.labels import (
    group_in_text,
    measure_in_text,
    metric_in_text,
    programme_in_text,
    schools_of,
    upper_first,
    where_in_text,
    year_label,
)
from vsh_eval.release.text.phrases import (
    amount,
    decimals_for,
    in_brackets,
    listed,
    number,
    usual_decimals,
)

INDICATIVE_BELOW = 30
"""Rates of fewer pupils move by several points when one child moves."""


def level_sentence(
    safe: SafeTable,
    *,
    metric: str,
    year: int,
    group: str = names.CWSW,
    phase: str = names.TOTAL,
    area: str | None = None,
) -> str:
    """Say how high a measure was.

    Parameters
    ----------
    safe : SafeTable
        A ``levels`` table (time_period, phase, metric, group, level_value, lower, upper, pupils).
    metric, group, phase : str
        Whose level.
    year : int
        The academic year, for example 202425.
    area : str, optional
        The ``unit_id``; needed where the table holds more than one area.

    Returns
    -------
    str
        One sentence, a second one where fewer than 30 pupils stand behind the number; where the
        number is hidden, a sentence that says why.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    row = one_row(safe, metric=metric, time_period=year, group=group, phase=phase, unit_id=area)
    about = f"{metric_in_text(metric)} among {group_in_text(group)}{where_in_text(phase)}"
    if not is_shown(row, "level_value"):
        return not_shown(about, row)
    entry = registry.metric(metric)
    places = usual_decimals(metric)
    level = amount(row["level_value"], entry.unit, decimals=places)
    ends = (float(row["lower"]), float(row["upper"])) if is_shown(row, "lower", "upper") else None
    interval = in_brackets(ends, decimals=places)
    said = f"{upper_first(about)} was {level} in {year_label(year)}{interval}"
    return f"{said}.{indicative(row.get('pupils'))}"


def gap_sentence(
    safe: SafeTable,
    *,
    metric: str,
    year: int,
    phase: str = names.TOTAL,
    group: str | None = None,
    area: str | None = None,
) -> str:
    """Say how wide a gap was, with both levels and the ratio.

    Parameters
    ----------
    safe : SafeTable
        A ``gaps`` table.
    metric, phase : str
        Which gap.
    year : int
        The academic year, for example 202425.
    group, area : str, optional
        Needed where the table holds more than one group or ``unit_id``.

    Returns
    -------
    str
        One sentence, a second one where fewer than 30 pupils stand behind the number; where the
        gap is hidden, a sentence that says why.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    row = one_row(safe, metric=metric, time_period=year, phase=phase, group=group, unit_id=area)
    if not is_shown(row, "gap", "group_level", "reference_level"):
        return not_shown(f"the gap in {measure_in_text(metric, phase)}", row)
    entry, places = registry.metric(metric), usual_decimals(metric)
    own, beside = (
        amount(row[name], entry.unit, decimals=places)
        for name in ("group_level", "reference_level")
    )
    levels = (
        f"In {year_label(year)} {metric_in_text(metric)} among {group_in_text(row['group'])}"
        f"{where_in_text(phase)} was {own}, against {beside} for {group_in_text(row['reference'])}"
    )
    difference = _difference(row, entry.gap_unit, places)
    return f"{levels}: {difference}.{indicative(row.get('group_pupils'))}"


def _difference(row: Row, unit: str, places: int) -> str:
    """Say a gap as so much higher or lower, or that no difference is established."""
    gap = float(row["gap"])
    sign, compared = (1, "higher") if gap > 0 else (-1, "lower")
    ends = interval_of(row, "gap")
    decimals = decimals_for(gap, *ends, least=places) if ends else places
    if ends and ends[0] <= 0 <= ends[1]:
        return (
            f"a gap of {amount(gap, unit, decimals=decimals)}"
            f"{in_brackets(ends, decimals=decimals)}, too uncertain to say which is higher"
        )
    size = in_brackets(interval_of(row, "gap", sign=sign), decimals=decimals)
    ratio = f", {number(row['ratio'], decimals=2)} times as high" if is_shown(row, "ratio") else ""
    return f"{amount(abs(gap), unit, decimals=decimals)} {compared}{size}{ratio}"


def change_sentence(
    safe: SafeTable,
    *,
    metric: str,
    year: int,
    phase: str = names.TOTAL,
    group: str | None = None,
    area: str | None = None,
) -> str:
    """Say whether a gap widened or narrowed since the baseline year.

    Parameters
    ----------
    safe : SafeTable
        One row per change: metric, phase, time_period, baseline (the year counted from), change
        (gap of the year minus gap of the baseline year), change_lower, change_upper; optionally
        group, unit_id, group_pupils, status.
    metric, phase : str
        Which gap.
    year : int
        The academic year, for example 202425.
    group, area : str, optional
        Needed where the table holds more than one group or ``unit_id``.

    Returns
    -------
    str
        "widened by", "narrowed by" (by the measure's direction, never by the sign alone), or "no
        clear change" where the interval contains nought.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    row = one_row(safe, metric=metric, time_period=year, phase=phase, group=group, unit_id=area)
    about = f"the change of the gap in {measure_in_text(metric, phase)}"
    if not is_shown(row, "change"):
        before_is_hidden = "baseline_gap" in row and not is_shown(row, "baseline_gap")
        if before_is_hidden and is_shown(row, "gap"):
            return (
                f"{upper_first(about)} cannot be given: the gap of {year_label(row['baseline'])}, "
                "from which it would be counted, is not shown."
            )
        return not_shown(about, row)
    start = (
        f"Between {year_label(row['baseline'])} and {year_label(year)} the gap in "
        f"{measure_in_text(metric, phase)}"
    )
    years = (int(row["baseline"]), year)
    if apart := not_comparable(metric, years, about):
        return apart
    said = f"{start} {_change(row, metric)}."
    return f"{said}{_redefined(metric, years)}{indicative(row.get('group_pupils'))}"


def not_comparable(metric: str, years: tuple[int, int], about: str) -> str:
    """Say that a change is not given because its years cannot be compared; '' where they can.

    Parameters
    ----------
    metric : str
        The measure.
    years : tuple of int
        The baseline year and the year, for example 201819 and 202425.
    about : str
        What is not given, as it stands within a sentence.

    Returns
    -------
    str
        One sentence, then the registry's notes on what changed.

    Examples
    --------
    >>> not_comparable("overall_absence", (202324, 202425), "the change of the gap")
    ''
    """
    if len(registry.comparable_years(metric, set(years))) == len(set(years)):
        return ""
    reasons = [e.note for e in registry.breaks_of(metric, years) if e.kind != "definition"]
    said = f"{upper_first(about)} is not given: {year_label(years[1])} and {year_label(years[0])}"
    return " ".join([f"{said} cannot be compared.", *reasons])


def _redefined(metric: str, years: tuple[int, int]) -> str:
    between = [
        entry.time_period
        for entry in registry.breaks_of(metric)
        if entry.kind == "definition" and min(years) < entry.time_period <= max(years)
    ]
    if not between:
        return ""
    return f" The measure was redefined in {listed([year_label(year) for year in between])}."


def _change(row: Row, metric: str) -> str:
    unit, change = registry.metric(metric).gap_unit, float(row["change"])
    verb, places = _verb(change, metric), usual_decimals(metric)
    ends = interval_of(row, "change", sign=1 if change > 0 else -1)
    if ends is None:
        return _without_interval(change, unit, verb, places)
    decimals = decimals_for(change, *ends, least=places)
    if ends[0] <= 0 <= ends[1]:
        return (
            f"showed no clear change: {amount(change, unit, decimals=decimals, signed=True)}"
            f"{in_brackets(interval_of(row, 'change'), decimals=decimals)} is compatible with "
            "narrowing as well as with widening"
        )
    size = amount(abs(change), unit, decimals=decimals)
    return f"{verb} by {size}{in_brackets(ends, decimals=decimals)}"


def _without_interval(change: float, unit: str, verb: str, places: int) -> str:
    """Say a change that may be chance without claiming a direction."""
    size = amount(abs(change), unit, decimals=places)
    compared = "wider" if verb == "widened" else "narrower"
    moved = "ended about as wide" if round(abs(change), places) == 0 else f"ended {size} {compared}"
    return f"{moved}; no interval can be given, so chance cannot be ruled out"


def _verb(change: float, metric: str) -> str:
    worse = change > 0 if registry.metric(metric).lower_is_better else change < 0
    return "widened" if worse else "narrowed"


def reach_sentence(
    safe: SafeTable,
    *,
    year: int,
    programme: str = "any",
    tier: str = "any",
    phase: str = names.TOTAL,
    group: str = names.CWSW,
) -> str:
    """Say how many schools and pupils the training has reached.

    Parameters
    ----------
    safe : SafeTable
        A ``reach`` table: time_period, programme, and of tier, phase and group what it
        distinguishes; share_schools and, where given, share_pupils (percentages, 0 to 100),
        schools_trained and schools.
    year : int
        The academic year, for example 202425.
    programme, tier, phase : str
        Which training.
    group : str
        Whose pupils the share is of.

    Returns
    -------
    str
        One sentence.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    asked = {"tier": tier, "phase": phase, "group": group}
    present = {
        column: value for column, value in asked.items() if column in require_safe(safe).frame
    }
    row = one_row(safe, time_period=year, programme=programme, **present)
    trained = (
        "in at least one programme" if programme == "any" else f"in {programme_in_text(programme)}"
    )
    if not is_shown(row, "share_schools"):
        return not_shown(f"the share of schools trained {trained}", row)
    counted = ""
    if is_shown(row, "schools_trained", "schools"):
        counted = (
            f" ({number(row['schools_trained'], decimals=0)} of "
            f"{number(row['schools'], decimals=0)})"
        )
    said = (
        f"By {year_label(year)}, {amount(row['share_schools'], '%', decimals=0)} of "
        f"{schools_of(phase)}{counted} had been trained {trained}"
    )
    if not is_shown(row, "share_pupils"):
        return f"{said}."
    share = amount(row["share_pupils"], "%", decimals=0)
    return f"{said}; {share} of {group_in_text(group)} were in one of them."


def not_shown(about: str, row: Row) -> str:
    """Say that a number is not shown, and why.

    Parameters
    ----------
    about : str
        What is not shown, as it stands within a sentence.
    row : dict
        The row: its status, and metric and time_period where it has them.

    Returns
    -------
    str
        One sentence; a second one with the break's note where the year has no such data.

    Examples
    --------
    >>> not_shown("the gap", {"status": "c"})
    "The gap is not shown because it is suppressed to protect children's confidentiality."
    """
    status = status_of(row)
    meaning = names.SYMBOL_MEANINGS.get(status, f"marked {status}")
    when = f" in {year_label(row['time_period'])}" if "time_period" in row else ""
    said = f"{upper_first(about)}{when} is not shown because it is {meaning}."
    if "metric" not in row or "time_period" not in row or status != names.UNAVAILABLE:
        return said
    breaks = registry.breaks_of(str(row["metric"]), [int(row["time_period"])])
    return " ".join([said, *(entry.note for entry in breaks)])


def indicative(pupils: Any) -> str:
    """Return the caveat of a small group, with a space before it; '' where it is not small.

    Examples
    --------
    >>> indicative(25), indicative(640)
    (' This rests on about 25 pupils and is indicative only.', '')
    """
    if not is_shown({"pupils": pupils}, "pupils") or float(pupils) >= INDICATIVE_BELOW:
        return ""
    return (
        f" This rests on about {number(float(pupils), decimals=0)} pupils and is indicative only."
    )
