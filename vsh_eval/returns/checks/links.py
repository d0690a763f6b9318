"""Checks between tables: everybody and every school that is named must exist."""

from collections.abc import Iterator

from vsh_eval import registry
from vsh_eval.returns.checks.inspection import Answer, Check, Inspection
from vsh_eval.returns.columns import literal

_SCHOOLED = ("enrolments", "attendance", "suspensions", "attainment", "training")
_PUPILS = ("attendance", "suspensions", "attainment")
_KNOWN_URNS = "(FROM schools SELECT urn UNION FROM school_links SELECT urn)"


def _schools_known(inspection: Inspection) -> Iterator[Answer]:
    for table in inspection.present(*_SCHOOLED):
        rows = inspection.count(
            f"FROM {table} t ANTI JOIN {_KNOWN_URNS} k ON t.urn = k.urn "
            "SELECT count(*) WHERE t.urn IS NOT NULL"
        )
        yield Answer(table, rows, inspection.rows[table], ("urn",))


def _successors_known(inspection: Inspection) -> Iterator[Answer]:
    for table in inspection.present("school_links"):
        rows = inspection.count(
            f"FROM {table} t ANTI JOIN {_KNOWN_URNS} k ON t.successor_urn = k.urn "
            "SELECT count(*) WHERE t.successor_urn IS NOT NULL"
        )
        yield Answer(table, rows, inspection.rows[table], ("successor_urn",))


def _links_lead_on(inspection: Inspection) -> Iterator[Answer]:
    for table in inspection.present("school_links"):
        rows = inspection.count(
            "WITH RECURSIVE walk AS (FROM school_links SELECT urn AS first, successor_urn AS here "
            "UNION FROM walk JOIN school_links l ON walk.here = l.urn "
            "SELECT first, l.successor_urn) FROM walk SELECT count_if(first = here)"
        )
        yield Answer(table, rows, inspection.rows[table], ("urn", "successor_urn"))


def _one_successor(inspection: Inspection) -> Iterator[Answer]:
    for table in inspection.present("school_links"):
        rows = inspection.count(
            f"FROM (FROM {table} SELECT count(*) AS n GROUP BY urn "
            "HAVING count(DISTINCT successor_urn) > 1) SELECT sum(n)"
        )
        yield Answer(table, rows, inspection.rows[table], ("urn", "successor_urn"))


def _pupils_enrolled(inspection: Inspection) -> Iterator[Answer]:
    for table in inspection.present(*_PUPILS):
        rows = inspection.count(
            f"FROM {table} t ANTI JOIN enrolments e "
            "ON t.pupil_id = e.pupil_id AND t.academic_year = e.academic_year "
            "SELECT count(*) WHERE t.pupil_id IS NOT NULL AND t.academic_year IS NOT NULL"
        )
        yield Answer(table, rows, inspection.rows[table], ("pupil_id", "academic_year"))


def _episodes_enrolled(inspection: Inspection) -> Iterator[Answer]:
    of_rows = inspection.rows["episodes"]
    rows = inspection.count(
        "FROM episodes t ANTI JOIN enrolments e ON t.pupil_id = e.pupil_id "
        "SELECT count(*) WHERE t.pupil_id IS NOT NULL"
    )
    nobody = rows == of_rows
    detail = ", and not one is: the two tables use different identifiers" if nobody else ""
    yield Answer("episodes", rows, of_rows, ("pupil_id",), detail, "fail" if nobody else None)


def _enrolments_attended(inspection: Inspection) -> Iterator[Answer]:
    ages = registry.metric("overall_absence").year_groups
    gone = ", ".join(map(str, sorted(registry.years_without_data("overall_absence"))))
    rows = inspection.count(
        "FROM enrolments t ANTI JOIN attendance a "
        "ON t.pupil_id = a.pupil_id AND t.academic_year = a.academic_year "
        "SELECT count(*) WHERE t.pupil_id IS NOT NULL "
        f"AND t.year_group BETWEEN {min(ages)} AND {max(ages)} AND t.academic_year NOT IN ({gone}) "
        "AND t.academic_year IN (FROM attendance SELECT academic_year)"
    )
    yield Answer("enrolments", rows, inspection.rows["enrolments"], ("pupil_id", "academic_year"))


def _year_group_of_measure(inspection: Inspection) -> Iterator[Answer]:
    known = registry.returned_measures()
    pairs = ", ".join(
        f"({literal(entry.name)}, {group})" for entry in known for group in entry.year_groups
    )
    measures = ", ".join(literal(entry.name) for entry in known)
    rows = inspection.count(
        "FROM attainment t JOIN (FROM enrolments SELECT pupil_id, academic_year, "
        "max(year_group) AS year_group GROUP BY pupil_id, academic_year) p "
        "ON t.pupil_id = p.pupil_id AND t.academic_year = p.academic_year "
        f"SELECT count_if((t.measure, p.year_group) NOT IN ({pairs}) "
        f"AND t.measure IN ({measures}))"
    )
    yield Answer("attainment", rows, inspection.rows["attainment"], ("measure",))


CHECKS = (
    Check(
        "schools_known",
        "links",
        "In {table}, urn must be in schools, or in school_links if it has a successor",
        "add the school to schools, or its link to school_links",
        _schools_known,
    ),
    Check(
        "successors_known",
        "links",
        "In {table}, successor_urn must be in schools, or lead on to one that is",
        "add the successor to schools",
        _successors_known,
    ),
    Check(
        "links_lead_on",
        "links",
        "In {table}, links must not lead back to the school they start from",
        "remove the link that points to an older number",
        _links_lead_on,
    ),
    Check(
        "one_successor",
        "links",
        "In {table}, a school should have one successor",
        "keep the link to the school that most pupils went to",
        _one_successor,
        "warn",
    ),
    Check(
        "pupils_enrolled",
        "links",
        "In {table}, a pupil must be one of enrolments in the same academic_year",
        "add the enrolment, which says the pupil's year group, or leave the rows out",
        _pupils_enrolled,
    ),
    Check(
        "episodes_enrolled",
        "links",
        "In {table}, a child should be one of enrolments",
        "make sure that both tables use one identifier; children who are under five or at school "
        "elsewhere are rightly missing",
        _episodes_enrolled,
        "warn",
    ),
    Check(
        "enrolments_attended",
        "links",
        "In {table}, a pupil aged 5 to 15 should have attendance in the same academic_year",
        "see which school's registers are missing, as pupils without sessions do not count",
        _enrolments_attended,
        "warn",
    ),
    Check(
        "year_group_of_measure",
        "links",
        "In {table}, measure should belong to the pupil's year_group in enrolments",
        "correct the year group if it is wrong, as the other rows do not count",
        _year_group_of_measure,
        "warn",
    ),
)
