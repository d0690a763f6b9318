"""What the page on the training offer says: how far, for whom, how much, at what cost.

Every function says which numbers are hidden, which were never recorded, and what cannot be said;
it raises `ContractError` where its table has not the one row of the year. ``safe`` is a table of
reach by programme, tier and phase, ``log`` what the training log records; ``year`` is an academic
year such as 202425.
"""

from collections.abc import Sequence
from typing import Any

from vsh_eval import names
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import Row, is_shown, one_row, records, status_of
from vsh_eval.release.text.findings.finding import Finding, indicative, not_shown
from vsh_eval.release.text.phrases.labels import (
    column_label,
    group_in_text,
    lower_first,
    schools_of,
    upper_first,
    value_label,
    year_label,
)
from vsh_eval.release.text.phrases.numbers import amount, listed, number, rounded
from vsh_eval.release.text.safe_text import sentence, sentences
from vsh_eval.release.text.words import rows

ANY = "any"
_NEED = rows("sentences", "need")


@sentences
def offer_sentences(safe: SafeTable, *, year: int) -> tuple[str, ...]:
    """Say how far the offer has come, since when it grew, and how many it does not reach."""
    row = _whole(safe, year)
    if is_shown(row, "schools_trained") and row["schools_trained"] == 0:
        later = int(row["first_year"]) > year
        more = f"; the first training was in {year_label(row['first_year'])}" if later else ""
        return f"By {year_label(year)} no school had been trained{more}.", _not_reached(row)
    reached = reach_sentence(safe, year=year)
    return reached, _growth(safe, row), _not_reached(row)


def _growth(safe: SafeTable, row: Row) -> str:
    """Say what the first year was and how much reach has grown since."""
    year, first = int(row["time_period"]), int(row["first_year"])
    if first == year:
        return f"{year_label(year)} is the first year of the offer: there is no growth yet."
    opening = f"The offer began in {year_label(first)}; no school was trained before it."
    if not is_shown(row, "growth_share_schools"):
        return f"{opening} Its growth since then is not shown: the first year's reach is hidden."
    start = amount(_whole(safe, first)["share_schools"], "%", decimals=0)
    grown = float(row["growth_share_schools"])
    if rounded(grown) == 0:
        return f"{opening} Its reach is about what it was that year, {start} of schools."
    since = "grown since" if grown > 0 else "shrunk since, as schools opened or closed"
    return f"{opening} In that year reach was {start} of schools; it has {since}."


def _not_reached(row: Row) -> str:
    """Say how many children are in trained schools and how many are not."""
    group, year = group_in_text(str(row["group"])), year_label(row["time_period"])
    if not is_shown(row, "pupils_reached", "pupils_not_reached"):
        return not_shown(f"how many {group} were in trained schools", row)
    reached, rest = float(row["pupils_reached"]), float(row["pupils_not_reached"])
    if rest == 0:
        return f"All {number(reached, decimals=0)} {group} of {year} were in trained schools."
    if reached == 0:
        return f"None of the {number(rest, decimals=0)} {group} of {year} were in a trained school."
    return (
        f"About {number(reached, decimals=0)} {group} were in trained schools in {year}, "
        f"{number(rest, decimals=0)} were not.{indicative(row['pupils'])}"
    )


@sentence
def reach_sentence(safe: SafeTable, *, year: int) -> str:
    """Say how many schools and children the training has reached."""
    row = _whole(safe, year)
    if not is_shown(row, "share_schools"):
        return not_shown("the share of schools trained in at least one programme", row)
    counted = ""
    if is_shown(row, "schools_trained", "schools"):
        some, every = (number(row[name], decimals=0) for name in ("schools_trained", "schools"))
        counted = f" ({some} of {every})"
    text = (
        f"By {year_label(year)}, {amount(row['share_schools'], '%', decimals=0)} of "
        f"schools{counted} had been trained in at least one programme"
    )
    if not is_shown(row, "share_pupils"):
        return f"{text}."
    share = amount(row["share_pupils"], "%", decimals=0)
    return f"{text}; {share} of {group_in_text(str(row['group']))} were in one of them."


@sentence
def passed_by_sentence(safe: SafeTable, *, year: int) -> str:
    """Say where most of the children are whom the offer does not reach."""
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
    unseen = {
        column: [row for row in parts if not is_shown(row, "pupils_not_reached")]
        for column, parts in margins.items()
    }
    text = [_most(row, column, everyone, margins[column]) for column, row in most.items()]
    hidden = unseen["phase"]
    places = listed([_within(row, "phase") for row in hidden]) if hidden else ""
    return (
        f"Of about {number(everyone, decimals=0)} children not reached in {year_label(year)}, "
        f"{'; '.join(text)}.{f' For {places} the number is not shown.' if places else ''}"
    )


def _most(row: Row, column: str, everyone: float, parts: Sequence[Row]) -> str:
    """Name the part with the most children, and say that it is where no hidden part can be more."""
    shown = [float(p["pupils_not_reached"]) for p in parts if is_shown(p, "pupils_not_reached")]
    most, by = max(shown), lower_first(column_label(column))
    text = f"about {number(most, decimals=0)} are in {_within(row, column)}"
    if len(shown) < len(parts) and everyone - sum(shown) >= most:
        return f"{text}, while the others by {by} are not all shown"
    return f"{text}, the most by {by}"


def _within(row: Row, column: str) -> str:
    """Name the schools of a row within a sentence."""
    value = str(row[column])
    if column == "phase":
        return schools_of(value)
    if value == "not_known":
        return "schools of which it is not known"
    name = lower_first(value_label(column, value))
    return f"the {_of_schools(name)}" if column != "area" else name


def _of_schools(name: str) -> str:
    """Write that a third or a fifth is one of schools."""
    for piece in ("third", "fifth"):
        name = name.replace(piece, f"{piece} of schools", 1)
    return name


@sentence
def depth_sentence(safe: SafeTable, log: SafeTable, *, year: int) -> str:
    """Say how many staff were trained and for how long, and what the log does not record."""
    row, logged = _whole(safe, year), one_row(log, programme=ANY)
    if not logged["trainings"]:
        return f"The log holds no training up to {year_label(year)}, so how much cannot be said."
    when = year_label(year)
    per = f"per 100 {group_in_text(str(row['group']))}"
    staff, hours = (
        _recorded(
            row,
            logged,
            column,
            f"{opening} by {when}",
            name,
            (
                (f"{unit}_per_school", "", "for each school trained"),
                (f"{unit}_per_100_pupils", "", per),
            ),
        )
        for column, unit, name, opening in (
            ("staff_trained", "staff", "staff", "About {} training places had been taken by staff"),
            ("hours", "hours", "hours", "In all {} hours of training had been given"),
        )
    )
    return f"{staff} {hours}"


@sentence
def cost_sentence(safe: SafeTable, log: SafeTable, *, year: int) -> str:
    """Say what the offer has cost: in all, per school reached, per child per year reached."""
    row, logged = _whole(safe, year), one_row(log, programme=ANY)
    if not logged["trainings"]:
        return f"The log holds no training up to {year_label(year)}, so its cost cannot be said."
    opening = f"Up to {year_label(year)} the offer cost £{{}}"
    return _recorded(
        row,
        logged,
        "cost",
        opening,
        "cost",
        (
            ("cost_per_school", "£", "for each school reached"),
            ("cost_per_pupil_year", "£", "per child per year in a trained school"),
        ),
    )


def _recorded(
    row: Row,
    logged: Row,
    column: str,
    opening: str,
    what: str,
    rates: tuple[tuple[str, str, str], ...],
) -> str:
    """Say a sum over trainings and its rates; a lower limit where some trainings lack it."""
    known, trainings = logged[f"with_{what}"], logged["trainings"]
    if not known:
        return f"The log does not record {'what training cost' if what == 'cost' else what}."
    if not is_shown(row, column):
        about = "the cost of the offer" if what == "cost" else f"the number of {what}"
        until = f"{about} up to {year_label(row['time_period'])}"
        return not_shown(until, {"status": status_of(row)})
    clauses = [
        f"{pounds}{number(float(row[name]), decimals=0)} {words}"
        for name, pounds, words in rates
        if is_shown(row, name)
    ]
    text = opening.format(number(float(row[column]), decimals=0))
    text = f"{text}: {listed(clauses)}." if clauses else f"{text}."
    if known == trainings:
        return text
    some, every = (number(float(count), decimals=0) for count in (known, trainings))
    are = "is" if what == "cost" else "are"
    return (
        f"{text} {upper_first(what)} {are} recorded for {some} of {every} trainings, so in truth "
        f"{'it is' if what == 'cost' else 'they are'} more."
    )


@sentence
def equity_sentence(safe: SafeTable, shares: SafeTable, *, need: str, year: int) -> str:
    """Say whether training goes where need is greatest."""
    row = one_row(safe, need=need, time_period=year, counted="pupils")
    most, least = _NEED[need]["most"], _NEED[need]["least"]
    about = f"whether training goes where {most}"
    status = status_of(row)
    if status == names.NOT_APPLICABLE:
        return f"It cannot be said {about}: either every school is trained or none is."
    if status == names.UNAVAILABLE and not is_shown(row, "evenness"):
        return f"It cannot be said {about}: {_NEED[need]['unknown']}."
    if not is_shown(row, "evenness"):
        return not_shown(about, row)
    if not is_shown(row, "evenness_lower", "evenness_upper"):
        where = most if float(row["evenness"]) > 0 else least
        return f"Only schools where {where} have been trained.{_ends(shares, need, year)}"
    index = Finding.of(row, "evenness", decimals=2)
    clauses = f"index {index.written()}, {index.brackets().removeprefix(' (')}"
    text = f"Training goes more to schools where {index.compared(most, least)}"
    if index.is_unclear:
        text = f"There is no clear sign that training goes where {most}, or where it does not"
    return f"{text} ({clauses}.{_ends(shares, need, year)}"


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


@sentence
def overlap_sentence(waits: SafeTable) -> str:
    """Say how many schools took up a second programme, and how soon."""
    rows = records(waits)
    if not rows:
        return "No school has been trained, so no programme builds on another."
    if not all(is_shown(row, "schools") for row in rows):
        return "How many schools took up a second programme is not shown: too few did, or did not."
    everyone = sum(int(row["schools"]) for row in rows)
    second = {str(row["wait"]): int(row["schools"]) for row in rows}
    second.pop("no_second_programme", None)
    took, at_once = sum(second.values()), second.get("same_year", 0)
    trained = f"{number(everyone, decimals=0)} trained school{'s' if everyone > 1 else ''}"
    if not took and everyone == 1:
        return "The only trained school took up no second programme."
    if not took:
        return f"None of the {trained} took up a second programme."
    soon = ""
    if at_once:
        them = "all" if at_once == took else number(at_once, decimals=0)
        soon = f", {them} of them in the same academic year"
    return f"Of {trained}, {number(took, decimals=0)} took up a second programme{soon}."


def _whole(safe: SafeTable, year: int) -> dict[str, Any]:
    return one_row(safe, time_period=year, programme=ANY, tier=ANY, phase=names.TOTAL)


def _band_of(safe: SafeTable) -> str:
    return next(name for name in ("deprivation", "baseline_gap", "area") if name in safe.frame)
