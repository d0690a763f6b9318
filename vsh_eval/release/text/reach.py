"""Sentences about the training offer: how far, for whom, how deep, at what cost.

They say which numbers are hidden, which were never recorded, and what cannot be told.
"""

from typing import Any

from vsh_eval import names
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.rows import Row, is_shown, one_row, records, status_of
from vsh_eval.release.text.gaps import indicative, not_shown, reach_sentence
from vsh_eval.release.text.labels import (
    column_label,
    group_in_text,
    lower_first,
    schools_of,
    value_label,
    year_label,
)
from vsh_eval.release.text.phrases import amount, limits, listed, number

ANY = "any"
_NEED = {
    "deprivation": ("deprivation is greatest", "deprivation is least"),
    "baseline_gap": (
        "the gap was widest before anyone was trained",
        "the gap was narrowest before anyone was trained",
    ),
}
_UNKNOWN = {
    "deprivation": "too few schools carry a measure of deprivation; give the table schools a "
    "column of numbers such as pct_fsm6",
    "baseline_gap": "too few schools have children of both groups in years before the first "
    "training, or their gaps differ no more than chance would make them",
}


def offer_sentences(safe: SafeTable, *, year: int) -> tuple[str, ...]:
    """Say how far the offer has come, since when it grew, and how many it does not reach.

    Parameters
    ----------
    safe : SafeTable
        A ``reach`` table by programme, tier and phase.
    year : int
        The academic year, for example 202425.

    Returns
    -------
    tuple of str
        The headline, and one or two sentences it rests on.

    Raises
    ------
    ContractError
        If no row fits.
    """
    row = _whole(safe, year)
    if is_shown(row, "schools_trained") and row["schools_trained"] == 0:
        later = int(row["first_year"]) > year
        more = f"; the first training was in {year_label(row['first_year'])}" if later else ""
        return (
            f"By {year_label(year)} no school had been trained{more}.",
            _not_reached(row),
        )
    return (
        reach_sentence(safe, year=year, group=str(row["group"])),
        _growth(row),
        (_not_reached(row)),
    )


def _growth(row: Row) -> str:
    """Say what the first year was and how much reach has grown since."""
    year, first = int(row["time_period"]), int(row["first_year"])
    if first == year:
        return f"{year_label(year)} is the first year of the offer: there is no growth to tell yet."
    opening = f"The offer began in {year_label(first)}; no school was trained before it."
    if not is_shown(row, "growth_share_schools"):
        return f"{opening} Its growth since then is not shown: the first year's reach is hidden."
    start = amount(row["share_schools"] - row["growth_share_schools"], "%", decimals=0)
    grown = float(row["growth_share_schools"])
    if round(grown) == 0:
        return f"{opening} Its reach is about what it was that year, {start} of schools."
    verb = "grown" if grown > 0 else "shrunk, as schools opened or closed,"
    points = "percentage point" if round(abs(grown)) == 1 else "percentage points"
    return (
        f"{opening} From {start} of schools in that year, reach has {verb} by "
        f"{number(abs(grown), decimals=0)} {points}."
    )


def _not_reached(row: Row) -> str:
    """Say how many children are in trained schools and how many are not."""
    group, year = group_in_text(str(row["group"])), year_label(row["time_period"])
    if not is_shown(row, "pupils_reached", "pupils"):
        return not_shown(f"how many {group} were in trained schools", row)
    reached, rest = float(row["pupils_reached"]), float(row["pupils"] - row["pupils_reached"])
    if rest == 0:
        return f"All {number(reached, decimals=0)} {group} of {year} were in trained schools."
    if reached == 0:
        return f"None of the {number(rest, decimals=0)} {group} of {year} were in a trained school."
    return (
        f"About {number(reached, decimals=0)} {group} were in trained schools in {year}, "
        f"{number(rest, decimals=0)} were not.{indicative(row['pupils'])}"
    )


def passed_by_sentence(safe: SafeTable, *, year: int) -> str:
    """Say where most of the children are whom the offer does not reach.

    Parameters
    ----------
    safe : SafeTable
        A ``reach`` table by phase and one band of schools.
    year : int
        The academic year.

    Returns
    -------
    str
        One or two sentences: by phase, and by band where there are bands.
    """
    band = _band_of(safe)
    rows = [row for row in records(safe) if int(row["time_period"]) == year]
    margins = {
        "phase": [r for r in rows if r[band] == names.TOTAL and r["phase"] != names.TOTAL],
        band: [r for r in rows if r["phase"] == names.TOTAL and r[band] != names.TOTAL],
    }
    whole = next(r for r in rows if r["phase"] == names.TOTAL and r[band] == names.TOTAL)
    if not is_shown(whole, "pupils_not_reached"):
        return not_shown("where the children are who are not reached", whole)
    everyone = float(whole["pupils_not_reached"])
    if everyone == 0:
        return f"No child was in a school without training in {year_label(year)}."
    most = {
        column: max(shown, key=lambda row: float(row["pupils_not_reached"]))
        for column, parts in margins.items()
        if (shown := [row for row in parts if is_shown(row, "pupils_not_reached")])
    }
    if not most:
        return "Where the children are who are not reached is not shown: the parts are too small."
    said = [_most(row, column) for column, row in most.items()]
    hidden = [row for row in margins["phase"] if not is_shown(row, "pupils_not_reached")]
    places = listed([_within(row, "phase") for row in hidden]) if hidden else ""
    return (
        f"Of about {number(everyone, decimals=0)} children not reached in {year_label(year)}, "
        f"{'; '.join(said)}.{f' For {places} the number is not shown.' if places else ''}"
    )


def _most(row: Row, column: str) -> str:
    many = f"about {number(float(row['pupils_not_reached']), decimals=0)}"
    if column == "phase":
        return f"the most by phase, {many}, are in {_within(row, column)}"
    by = lower_first(column_label(column))
    return f"the most by {by}, {many}, are in {_within(row, column)}"


def _within(row: Row, column: str) -> str:
    """Name the schools of a row within a sentence."""
    value = str(row[column])
    if column == "phase":
        return "schools of other phases" if value == "other_phases" else schools_of(value)
    if value == "not_known":
        return "schools of which it is not known"
    name = lower_first(value_label(column, value))
    return f"the {_of_schools(name)}" if column != "area" else name


def _of_schools(name: str) -> str:
    """Write that a third or a fifth is one of schools."""
    for piece in ("third", "fifth"):
        name = name.replace(piece, f"{piece} of schools", 1)
    return name


def depth_sentence(safe: SafeTable, kept: SafeTable, *, year: int) -> str:
    """Say how many staff were trained and for how long, and what the log does not record.

    Parameters
    ----------
    safe : SafeTable
        A ``reach`` table by programme, tier and phase.
    kept : SafeTable
        What the log records, from `vsh_eval.metrics.training_records`.
    year : int
        The academic year.

    Returns
    -------
    str
        Two or three sentences.
    """
    row, log = _whole(safe, year), one_row(kept, programme=ANY)
    if not log["trainings"]:
        return "The log holds no training, so there is no depth to tell."
    said = [_depth_of(row, log, *about) for about in (_STAFF, _HOURS)]
    return " ".join(part for part in said if part)


_STAFF = ("staff_trained", "with_staff", "staff", "members of staff had been trained")
_HOURS = ("hours", "with_hours", "hours", "hours of training had been given")


def _depth_of(row: Row, log: Row, column: str, kept: str, unit: str, verb: str) -> str:
    if not log[kept]:
        return f"The log does not record {unit}."
    if not is_shown(row, column):
        return not_shown(f"the number of {unit}", row)
    each, per = f"{unit}_per_school", f"{unit}_per_100_pupils"
    told = [
        text
        for name, text in (
            (each, "for each school trained"),
            (per, f"per 100 {group_in_text(str(row['group']))}"),
        )
        if is_shown(row, name)
        for text in [f"{number(float(row[name]), decimals=0)} {text}"]
    ]
    counted = f"{number(float(row[column]), decimals=0)} {verb} by {year_label(row['time_period'])}"
    about = "About " if column == "staff_trained" else "In all "
    return f"{about}{counted}{': ' if told else ''}{listed(told) if told else ''}." + _recorded(
        log, kept, unit.capitalize() if unit == "hours" else "Staff", plural=True
    )


def _recorded(log: Row, kept: str, what: str, *, plural: bool) -> str:
    """Say that a sum is a lower limit where some trainings lack the number."""
    if log[kept] == log["trainings"]:
        return ""
    verb = "are" if plural else "is"
    return (
        f" {what} {verb} recorded for {number(float(log[kept]), decimals=0)} of "
        f"{number(float(log['trainings']), decimals=0)} trainings, so the true number is higher."
    )


def cost_sentence(safe: SafeTable, kept: SafeTable, *, year: int) -> str:
    """Say what the offer has cost: in all, a school reached, a child and year in a trained school.

    Parameters
    ----------
    safe, kept, year
        As for `depth_sentence`.

    Returns
    -------
    str
        One or two sentences; that it is not recorded where the log has no cost.
    """
    row, log = _whole(safe, year), one_row(kept, programme=ANY)
    if not log["trainings"]:
        return "The log holds no training, so there is no cost to tell."
    if not log["with_cost"]:
        return "The log does not record what training cost."
    if not is_shown(row, "cost"):
        return not_shown("the cost of the offer", row)
    told = [
        f"£{number(float(row[name]), decimals=0)} {text}"
        for name, text in (
            ("cost_per_school", "for each school reached"),
            ("cost_per_pupil_year", "for each child and year in a trained school"),
        )
        if is_shown(row, name)
    ]
    total = f"Up to {year_label(year)} the offer cost £{number(float(row['cost']), decimals=0)}"
    return f"{total}{': ' if told else ''}{listed(told) if told else ''}." + _recorded(
        log, "with_cost", "Cost", plural=False
    )


def equity_sentence(safe: SafeTable, shares: SafeTable, *, need: str, year: int) -> str:
    """Say whether training goes where need is greatest.

    Parameters
    ----------
    safe : SafeTable
        An ``equity`` table.
    shares : SafeTable
        The ``reach`` by bands of that need.
    need : str
        deprivation or baseline_gap.
    year : int
        The academic year.

    Returns
    -------
    str
        What the index says of children, with its interval; a second sentence with the shares of
        the first and the last band where both are shown.
    """
    row = one_row(safe, need=need, time_period=year, counted="pupils")
    most, least = _NEED[need]
    about = f"whether training goes where {most}"
    status = status_of(row)
    if status == names.NOT_APPLICABLE:
        return f"It cannot be told {about}: either every school is trained or none is."
    if status == names.UNAVAILABLE and not is_shown(row, "evenness"):
        return f"It cannot be told {about}: {_UNKNOWN[need]}."
    if not is_shown(row, "evenness"):
        return not_shown(about, row)
    if not is_shown(row, "evenness_lower", "evenness_upper"):
        where = most if float(row["evenness"]) > 0 else least
        return f"Only schools where {where} have been trained.{_ends(shares, need, year)}"
    value, lower, upper = (
        float(row[name]) for name in ("evenness", "evenness_lower", "evenness_upper")
    )
    index = f"index {number(value, decimals=2)}, 95% interval {limits(lower, upper, decimals=2)}"
    if lower <= 0 <= upper:
        said = f"There is no clear sign that training goes where {most}, or where it does not"
    else:
        said = f"Training leans towards schools where {most if value > 0 else least}"
    return f"{said} ({index}).{_ends(shares, need, year)}"


def _ends(shares: SafeTable, need: str, year: int) -> str:
    rows = [
        row
        for row in records(shares)
        if int(row["time_period"]) == year
        and row["phase"] == names.TOTAL
        and row[need] not in (names.TOTAL, "not_known")
    ]
    ends = (rows[0], rows[-1]) if len(rows) > 1 else ()
    if not ends or not all(is_shown(row, "share_pupils") for row in ends):
        return ""
    first, last = (amount(float(row["share_pupils"]), "%", decimals=0) for row in ends)
    bands = [_within(row, need) for row in ends]
    return (
        f" In {bands[0]} {first} of these children were in a trained school, in {bands[1]} {last}."
    )


def overlap_sentence(waits: SafeTable) -> str:
    """Say how many schools took up a second programme, and how soon.

    Parameters
    ----------
    waits : SafeTable
        From `vsh_eval.metrics.years_to_second_programme`, protected as ``offer``.

    Returns
    -------
    str
        One sentence.
    """
    rows = records(waits)
    if not rows:
        return "No school has been trained, so no programme builds on another."
    if not all(is_shown(row, "schools") for row in rows):
        return "How many schools took up a second programme is not shown: too few did, or did not."
    everyone = sum(int(row["schools"]) for row in rows)
    second = {str(row["wait"]): int(row["schools"]) for row in rows}
    second.pop("no_second_programme", None)
    took, at_once = sum(second.values()), second.get("same_year", 0)
    trained = f"{number(everyone, decimals=0)} trained schools"
    if not took:
        return f"None of the {trained} took up a second programme."
    soon = f", {number(at_once, decimals=0)} of them in the same academic year" if at_once else ""
    return f"Of {trained}, {number(took, decimals=0)} took up a second programme{soon}."


def _whole(safe: SafeTable, year: int) -> dict[str, Any]:
    return one_row(safe, time_period=year, programme=ANY, tier=ANY, phase=names.TOTAL)


def _band_of(safe: SafeTable) -> str:
    return next(name for name in ("deprivation", "baseline_gap", "area") if name in safe.frame)
