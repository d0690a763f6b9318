"""Checks of years: data for every year asked for, and none that may not be used."""

from collections.abc import Iterator

from vsh_eval import academic_year, registry
from vsh_eval.contracts import RETURNS, terms_lacking
from vsh_eval.returns.checks.inspection import (
    Answer,
    Check,
    Inspection,
    labels,
    listed,
    untaken,
)
from vsh_eval.returns.columns import literal

_ABSENCE = "overall_absence"
_LOOK_BACK = 6
"""Years that make a previous social worker, as in Ever 6."""
_SOME_SUSPENDED = 200
"""Pupils among whom a year without one suspension is more likely a year without a return."""
_LOOK_BACK_YEARS = range(_LOOK_BACK, 0, -1)


def _years_attended(inspection: Inspection) -> Iterator[Answer]:
    wanted = inspection.collected(_ABSENCE)
    held = {row[0] for row in inspection.ask("FROM attendance SELECT DISTINCT academic_year")}
    missing = [year for year in wanted if year not in held]
    nothing = len(missing) == len(wanted)
    said = f"none has {labels(missing)}" if wanted else "no such year is asked for"
    yield Answer(
        "attendance",
        len(missing),
        len(wanted),
        ("academic_year",),
        f", and {said}",
        "fail" if nothing else None,
    )


def _terms_whole(inspection: Inspection) -> Iterator[Answer]:
    terms = next(c.allowed for c in RETURNS["attendance"].columns if c.name == "term")
    wanted = inspection.collected(_ABSENCE)
    counts = inspection.ask(
        "FROM attendance SELECT academic_year, term, count(*) "
        f"WHERE term IN ({', '.join(map(literal, terms))}) AND sess_possible > 0 "
        "GROUP BY academic_year, term"
    )
    held = {(year, term): rows for year, term, rows in counts if year in wanted}
    lacking = terms_lacking(held)
    nowhere = [term for term in terms if held and term not in {at for _, at in held}]
    columns = ("academic_year", "term")
    if nowhere and not lacking:
        detail = f", and none has {listed(nowhere)}, so that all are parts of years"
        yield Answer("attendance", len(wanted), len(wanted), columns, detail, "warn")
        return
    # A year at either end can be given up in the params; one in between is left out instead.
    ends = {wanted[0], wanted[-1]} & set(lacking) if lacking else set()
    detail = f", which {labels(lacking)} does not" + (
        "" if ends else ", so that its absence and suspensions are not shown"
    )
    yield Answer(
        "attendance",
        len(lacking),
        len(wanted),
        columns,
        detail,
        "warn" if lacking and not ends else None,
    )


def _years_usable(inspection: Inspection) -> Iterator[Answer]:
    gone = ", ".join(map(str, sorted(registry.years_without_data(_ABSENCE))))
    rows = inspection.count(f"FROM attendance SELECT count_if(academic_year IN ({gone}))")
    yield Answer("attendance", rows, inspection.rows["attendance"], ("academic_year",))
    pairs = " OR ".join(
        f"(measure = {literal(entry.name)} AND academic_year = {year})"
        for entry in registry.returned_measures()
        for year in sorted(untaken(entry))
    )
    rows = inspection.count(f"FROM attainment SELECT count_if({pairs})")
    yield Answer("attainment", rows, inspection.rows["attainment"], ("measure", "academic_year"))


def _years_measured(inspection: Inspection) -> Iterator[Answer]:
    held = set(inspection.ask("FROM attainment SELECT DISTINCT measure, academic_year"))
    known = {name for name, _ in held}
    wanted = [
        (entry.name, year)
        for entry in registry.returned_measures()
        if entry.name in known
        for year in inspection.years()
        if year not in untaken(entry)
    ]
    missing = [pair for pair in wanted if pair not in held]
    said = listed(f"{name} of {academic_year.label(year)}" for name, year in missing)
    yield Answer(
        "attainment",
        len(missing),
        len(wanted),
        ("measure", "academic_year"),
        f", and {said} is missing",
    )


def _years_suspended(inspection: Inspection) -> Iterator[Answer]:
    large = inspection.ask(
        "FROM enrolments SELECT academic_year GROUP BY academic_year "
        f"HAVING count(*) >= {_SOME_SUSPENDED} ORDER BY academic_year"
    )
    wanted = [year for (year,) in large if year in inspection.years()]
    for table in inspection.present("suspensions"):
        held = {row[0] for row in inspection.ask(f"FROM {table} SELECT DISTINCT academic_year")}
        # A table without rows is a finding already.
        missing = [year for year in wanted if year not in held] if held else []
        yield Answer(
            table,
            len(missing),
            len(wanted),
            ("academic_year",),
            f", and none has {labels(missing)}",
        )


def _episodes_reach_back(inspection: Inspection) -> Iterator[Answer]:
    years = inspection.years()
    before = [academic_year.after(year, -back) for year in years[:1] for back in _LOOK_BACK_YEARS]
    ended = inspection.ask(
        "FROM episodes SELECT DISTINCT year(end_date) - CAST(month(end_date) < 9 AS INTEGER) "
        "WHERE end_date IS NOT NULL"
    )
    held = {academic_year.from_start(int(start)) for (start,) in ended}
    missing = [year for year in before if year not in held]
    yield Answer(
        "episodes",
        len(missing),
        len(before),
        ("end_date",),
        f", and none ends in {labels(missing)}",
    )


CHECKS = (
    Check(
        "years_attended",
        "years",
        "In {table}, there should be rows for every academic year asked for in which they were "
        "collected",
        "add the year, or ask for fewer in params under years",
        _years_attended,
        "warn",
    ),
    Check(
        "terms_whole",
        "years",
        "In {table}, an academic year must have its three terms",
        "add the missing term, or leave the year out in params under years, as a part of a year "
        "is never compared with whole ones",
        _terms_whole,
    ),
    Check(
        "years_usable",
        "years",
        "In {table}, there should be no rows of years in which nothing was collected in full",
        "leave them, as they are ignored",
        _years_usable,
        "warn",
    ),
    Check(
        "years_measured",
        "years",
        "In {table}, a measure should have rows for every academic year in which it was taken",
        "add the year's results, or leave the gap: that year is not shown",
        _years_measured,
        "warn",
    ),
    Check(
        "years_suspended",
        "years",
        "In {table}, there should be rows for every academic year asked for",
        "add the year, or leave the gap: nothing is not nought, and that year is not shown",
        _years_suspended,
        "warn",
    ),
    Check(
        "episodes_reach_back",
        "years",
        f"In {{table}}, closed ones should reach {_LOOK_BACK} years back before the first year",
        "export closed episodes too, or some children who had a social worker pass for peers",
        _episodes_reach_back,
        "warn",
    ),
)
