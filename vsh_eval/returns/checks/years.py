"""Checks of years: data for every year asked for, and none that may not be used."""

from collections.abc import Iterator

from vsh_eval import academic_year, registry
from vsh_eval.contracts import RETURNS
from vsh_eval.returns.checks.inspection import (
    Answer,
    Check,
    Inspection,
    labels,
    listed,
    uncollected,
)
from vsh_eval.returns.columns import literal

_ABSENCE = "overall_absence"
_LOOK_BACK = 6
"""Years that make a previous social worker, as in Ever 6."""
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
    held = inspection.ask(
        "FROM attendance SELECT academic_year, count(DISTINCT term) "
        f"WHERE term IN ({', '.join(map(literal, terms))}) GROUP BY academic_year "
        "ORDER BY academic_year"
    )
    partly = [year for year, count in held if year in wanted and count < len(terms)]
    yield Answer(
        "attendance",
        len(partly),
        len(wanted),
        ("academic_year", "term"),
        f", which {labels(partly)} does not",
    )


def _years_usable(inspection: Inspection) -> Iterator[Answer]:
    gone = ", ".join(str(entry.time_period) for entry in uncollected(_ABSENCE))
    rows = inspection.count(f"FROM attendance SELECT count_if(academic_year IN ({gone}))")
    yield Answer("attendance", rows, inspection.rows["attendance"], ("academic_year",))
    pairs = " OR ".join(
        f"(measure = {literal(entry.name)} AND academic_year = {gap.time_period})"
        for entry in registry.of_topic("attainment")
        for gap in uncollected(entry.name)
    )
    rows = inspection.count(f"FROM attainment SELECT count_if({pairs})")
    yield Answer("attainment", rows, inspection.rows["attainment"], ("measure", "academic_year"))


def _years_measured(inspection: Inspection) -> Iterator[Answer]:
    held = set(inspection.ask("FROM attainment SELECT DISTINCT measure, academic_year"))
    measures = [m.name for m in registry.of_topic("attainment") if m.name in {m for m, _ in held}]
    wanted = [(name, year) for name in measures for year in inspection.collected(name)]
    missing = [pair for pair in wanted if pair not in held]
    said = listed(f"{name} of {academic_year.label(year)}" for name, year in missing)
    yield Answer(
        "attainment",
        len(missing),
        len(wanted),
        ("measure", "academic_year"),
        f", and {said} is missing",
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
        "In {table}, an academic year should have its three terms",
        "add the missing term, or end the evaluation a year earlier",
        _terms_whole,
        "warn",
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
        "episodes_reach_back",
        "years",
        f"In {{table}}, closed ones should reach {_LOOK_BACK} years back before the first year",
        "export closed episodes too, or some children who had a social worker pass for peers",
        _episodes_reach_back,
        "warn",
    ),
)
