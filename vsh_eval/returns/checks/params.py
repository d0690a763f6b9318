"""What the params say that the data must bear out, before anything runs."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from vsh_eval.returns.checks.inspection import Answer, Inspection, listed
from vsh_eval.returns.folder import ONS_CODE, READING
from vsh_eval.returns.reorganised import formed_of, same_area


def authority(inspection: Inspection) -> Iterator[Answer]:
    """See whether the schools are those of the authority."""
    code = inspection.expected.authority
    if not code:
        return
    authorities = inspection.ask(
        f"FROM {READING}.schools SELECT la_code, count(*) AS n WHERE la_code IS NOT NULL "
        "GROUP BY la_code ORDER BY n DESC, la_code"
    )
    others = [(other, n) for other, n in authorities if other not in same_area(code)]
    rows, of_rows = sum(n for _, n in others), sum(n for _, n in authorities)
    detail = f" ({code}), and some are of {listed(other for other, _ in others[:3])}"
    which = ", ".join(f"{other}: {n}" for other, n in others)
    if not all(re.fullmatch(ONS_CODE, other) for other, _ in others):
        detail += " (a code of another form cannot be compared, so such schools count)"
    formed = formed_of(code)
    if formed and {other for other, _ in others} & {*formed.before}:
        detail += (
            f" ({code} was formed on {formed.day.day} {formed.day:%B %Y}: of schools that closed "
            "before, those count that a link leads on to one of its own)"
        )
    elsewhere = rows == of_rows and all(re.fullmatch(ONS_CODE, other) for other, _ in others)
    result = "fail" if elsewhere else "warn" if rows else None
    yield Answer("schools", rows, of_rows, ("la_code",), detail, result, which)


def covariates(inspection: Inspection) -> Iterator[Answer]:
    """See whether the protocol's covariates are numeric columns of the schools."""
    yield _named("schools", inspection.expected.covariates, inspection.returns.covariates)


def programmes(inspection: Inspection) -> Iterator[Answer]:
    """See whether the programmes asked for were trained at all."""
    held = [row[0] for row in inspection.ask("FROM training SELECT DISTINCT programme ORDER BY 1")]
    answer = _named("training", inspection.expected.programmes, held)
    some = answer.rows < answer.of_rows or not held
    yield answer._replace(columns=("programme",), result="warn" if answer.rows and some else None)


def baseline(inspection: Inspection) -> Iterator[Answer]:
    """See whether the year that changes are counted from has attendance."""
    year = inspection.expected.baseline
    if year is None:
        return
    rows = inspection.count("FROM attendance SELECT count(*) WHERE academic_year = ?", [year])
    yield Answer("attendance", int(rows == 0), 1, ("academic_year",))


def _named(table: str, requested: Iterable[str], held: Iterable[str]) -> Answer:
    """Compare the names that the params give with those of the data, and say the nearest."""
    requested, known = tuple(requested), [name for name in held if name is not None]
    lacking = [name for name in requested if name not in known]
    near = [match for name in lacking for match in get_close_matches(name, known, 1)]
    instead = f"nearest: {listed(near)}" if near else f"there: {listed(known) or 'none'}"
    detail = f", and {listed(lacking)} is not ({instead})" if lacking else ""
    return Answer(table, len(lacking), len(requested), tuple(lacking) or requested, detail)
