"""What is looked at school by school: terms that are missing, and URNs that follow others."""

from collections.abc import Iterator

from vsh_eval import academic_year
from vsh_eval.contracts import TERMS, WHOLE_YEAR
from vsh_eval.returns.checks.inspection import Answer, Inspection, listed
from vsh_eval.returns.columns import literal

MOVED_TOGETHER = 0.5
"""The share of a school's pupils who go on to one other school that makes it the same school."""
FEWEST_MOVED = 10
_SHOWN_SCHOOLS = 20
_TERMS = ", ".join(map(literal, TERMS))
_HELD = f"""
    FROM attendance t JOIN (VALUES {", ".join(f"({literal(term)})" for term in TERMS)}) n(term)
        ON t.term = n.term OR t.term = {literal(WHOLE_YEAR)}
    SELECT DISTINCT urn, academic_year, n.term AS term
    WHERE sess_possible > 0 AND urn IS NOT NULL AND academic_year IS NOT NULL
"""
SCHOOL_TERMS = f"""
    WITH held AS ({_HELD}),
    counts AS (FROM held SELECT academic_year, term, count(*) AS schools GROUP BY ALL),
    terms AS (
        FROM counts SELECT academic_year, term
        QUALIFY 2 * schools >= max(schools) OVER (PARTITION BY academic_year)
    ),
    settled AS (
        FROM (FROM held SELECT DISTINCT urn, academic_year) h LEFT JOIN schools s ON h.urn = s.urn
        SELECT h.urn, h.academic_year
        WHERE NOT coalesce(
            opened > make_date(academic_year // 100, 9, 30)
            AND opened <= make_date(academic_year // 100 + 1, 8, 31), false)
        AND NOT coalesce(
            closed >= make_date(academic_year // 100, 9, 1)
            AND closed < make_date(academic_year // 100 + 1, 7, 1), false)
    )
    FROM settled s JOIN terms t ON s.academic_year = t.academic_year
    LEFT JOIN held h ON s.urn = h.urn AND t.academic_year = h.academic_year AND t.term = h.term
    SELECT s.urn, t.academic_year, t.term, h.urn IS NULL AS missing
"""  # noqa: S608
"""Every term that a school should have sessions of: it has some in that year, and did not open or
close within it; and whether it has none. A term that most schools lack is lacking altogether."""
_FOLLOWED = f"""
    WITH spans AS (
        FROM enrolments SELECT urn, min(academic_year) AS first, max(academic_year) AS last
        WHERE urn IS NOT NULL GROUP BY urn
    ),
    ends AS (FROM spans WHERE last < (FROM enrolments SELECT max(academic_year))),
    starts AS (FROM spans WHERE first > (FROM enrolments SELECT min(academic_year))),
    leavers AS (
        FROM enrolments e JOIN ends s ON e.urn = s.urn AND e.academic_year = s.last
        SELECT DISTINCT e.pupil_id, e.urn, s.last
    ),
    later AS (
        FROM leavers l JOIN enrolments e ON l.pupil_id = e.pupil_id AND l.urn <> e.urn
            AND e.academic_year // 100 - l.last // 100 BETWEEN 0 AND 1
        SELECT DISTINCT l.pupil_id, l.urn, l.last, e.urn AS here, e.academic_year AS year
    ),
    stayed AS (FROM later SELECT urn, count(DISTINCT pupil_id) AS pupils GROUP BY urn)
    FROM later l JOIN starts s ON l.here = s.urn AND l.year = s.first
    JOIN stayed y ON l.urn = y.urn
    ANTI JOIN school_links k ON k.urn = l.urn
    SELECT l.urn, l.here, count(DISTINCT l.pupil_id) AS moved, any_value(y.pupils) AS pupils
    GROUP BY l.urn, l.here
    HAVING moved >= {FEWEST_MOVED} AND moved >= {MOVED_TOGETHER} * any_value(y.pupils)
    ORDER BY l.urn, l.here
"""  # noqa: S608
"""Schools without a link whose pupils go on together, as they end, to one that then begins."""


def terms_of_schools(inspection: Inspection) -> Iterator[Answer]:
    """See whether each school has sessions in every term that the others have."""
    terms = inspection.ask(
        f"FROM ({SCHOOL_TERMS}) SELECT academic_year, term, count(*), count_if(missing), "
        "list(urn ORDER BY urn) FILTER (WHERE missing) GROUP BY ALL ORDER BY ALL"
    )
    lacking = [(year, term, urns) for year, term, _, missing, urns in terms if missing]
    text = listed(f"{term} {academic_year.label(year)}" for year, term, _ in lacking[:6])
    which = "; ".join(
        f"{term} {academic_year.label(year)}: {_shown(urns)}" for year, term, urns in lacking
    )
    yield Answer(
        "attendance",
        sum(len(urns) for *_, urns in lacking),
        sum(row[2] for row in terms),
        ("urn", "term"),
        f", and some lack {text}",
        which=which,
    )


def schools_continued(inspection: Inspection) -> Iterator[Answer]:
    """See whether a school's pupils go together to a new number, and no link says so."""
    pairs = inspection.ask(_FOLLOWED)
    which = _shown([f"{urn} to {here} ({moved} of {of} pupils)" for urn, here, moved, of in pairs])
    yield Answer(
        "schools", len(pairs), inspection.rows["schools"], ("urn",), "",
        which=which,
    )  # fmt: skip


def _shown(words: list[str]) -> str:
    more = len(words) - _SHOWN_SCHOOLS
    return ", ".join(words[:_SHOWN_SCHOOLS]) + (f" and {more} more" if more > 0 else "")
