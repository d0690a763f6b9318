"""What several checks ask of a year's rows, counted in one pass; each sums it over its years."""

from collections.abc import Iterable
from typing import NamedTuple

from vsh_eval import registry
from vsh_eval.contracts import TERMS, WHOLE_YEAR
from vsh_eval.returns.checks.inspection import Inspection
from vsh_eval.returns.columns import literal

MOST_SESSIONS = 400
"""Sessions a pupil's year can hold: 190 days in school are 380, and one who moves has a few more
(The Education (School Day and School Year) (England) Regulations 1999)."""
_AGES = registry.metric("overall_absence").year_groups
OF_AGE = f"year_group BETWEEN {min(_AGES)} AND {max(_AGES)}"
_TERM = " ".join(
    f"WHEN {literal(term)} THEN {1 << bit}" for bit, term in enumerate((*TERMS, WHOLE_YEAR))
)
_ATTENDED = f"""
    WITH pupils AS MATERIALIZED (
        FROM attendance SELECT pupil_id, count(*) AS n, sum(sess_possible) AS sessions,
            min(urn) <> max(urn) AS moved,
            count(*) > bit_count(bit_or(CASE term {_TERM} ELSE 0 END)) AS repeated
        WHERE pupil_id IS NOT NULL AND academic_year = {{year}} GROUP BY pupil_id
    ),
    again AS MATERIALIZED (
        FROM attendance SELECT pupil_id, term, urn WHERE academic_year = {{year}}
        AND pupil_id IN (FROM pupils SELECT pupil_id WHERE moved OR repeated)
    ),
    terms AS (
        FROM again SELECT count(*) AS n GROUP BY pupil_id, term HAVING min(urn) <> max(urn)
    ),
    enrolled AS (
        FROM enrolments SELECT pupil_id,
            bool_or({OF_AGE}) AS of_age
        WHERE pupil_id IS NOT NULL AND academic_year = {{year}} GROUP BY pupil_id
    )
    FROM pupils p FULL JOIN enrolled e ON p.pupil_id = e.pupil_id SELECT
        count_if(p.sessions > {MOST_SESSIONS} AND NOT p.moved),
        count_if(p.sessions > {MOST_SESSIONS} AND p.moved),
        count(p.pupil_id),
        (FROM terms SELECT sum(n)),
        (FROM again SELECT count(*) - count(DISTINCT row(pupil_id, term, urn))
            WHERE term IS NOT NULL AND urn IS NOT NULL),
        sum(p.n) FILTER (WHERE e.pupil_id IS NULL),
        count_if(e.of_age),
        count_if(e.of_age AND p.pupil_id IS NOT NULL)
"""  # noqa: S608
"""Only pupils with two schools, or more rows than terms, are looked at again."""
_ATTAINED = """
    FROM (
        FROM attainment t LEFT JOIN (
            FROM enrolments SELECT pupil_id, max(year_group) AS year_group, true AS there
            WHERE academic_year = {year} GROUP BY pupil_id
        ) p ON t.pupil_id = p.pupil_id
        SELECT t.measure, p.year_group, p.there, count(*) AS n
        WHERE t.academic_year = {year} AND t.pupil_id IS NOT NULL GROUP BY ALL
    )
    SELECT
        sum(n) FILTER (WHERE there AND (measure, year_group) NOT IN ({pairs})
            AND measure IN ({measures})),
        sum(n) FILTER (WHERE there IS NULL)
"""


class Attended(NamedTuple):
    """What the attendance of some years adds up to.

    Attributes
    ----------
    settled_over, moved_over : int
        Pupils' years with too many sessions, at one school and at several.
    pupils : int
        Pupils' years.
    two_schools : int
        Rows of pupils at two schools in a term.
    shared : int
        Rows that are one too many for their keys.
    not_enrolled : int
        Rows of pupils who have no enrolment in the year.
    enrolled, enrolled_there : int
        Pupils' years on roll at the ages whose absence counts, and those of them that have
        attendance.
    """

    settled_over: int
    moved_over: int
    pupils: int
    two_schools: int
    shared: int
    not_enrolled: int
    enrolled: int
    enrolled_there: int


class Attained(NamedTuple):
    """What the attainment of some years adds up to: rows of other ages, and of the not enrolled."""

    other_ages: int
    not_enrolled: int


def attended(inspection: Inspection, years: Iterable[int]) -> Attended:
    """Count the attendance of years; each year is counted once for all checks."""
    none = f"SELECT {', '.join('0' for _ in Attended._fields)}"
    return Attended(*inspection.added(none, *(_ATTENDED.format(year=year) for year in years)))


def attained(inspection: Inspection, years: Iterable[int]) -> Attained:
    """Count the attainment of years; each year is counted once for all checks."""
    known = registry.returned_measures()
    measures = {
        "measures": ", ".join(literal(entry.name) for entry in known),
        "pairs": ", ".join(
            f"({literal(entry.name)}, {group})" for entry in known for group in entry.year_groups
        ),
    }
    queries = (_ATTAINED.format(year=year, **measures) for year in years)
    return Attained(*inspection.added("SELECT 0, 0", *queries))
