"""Checks of tables and values: there, readable and allowed."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from vsh_eval import registry
from vsh_eval.contracts import RETURNS, Column
from vsh_eval.returns.checks.inspection import (
    Answer,
    Check,
    Inspection,
    any_column,
    bit,
    listed,
)
from vsh_eval.returns.columns import literal

_NEEDED = ("schools", "enrolments", "attendance", "episodes")
"""Without rows of these there is no cohort; without training there is no effect to ask about."""
_FORMS: Mapping[str, str] = {
    "integer": "whole numbers",
    "number": "plain numbers",
    "date": "dates of the calendar in the column's one format",
    "academic_year": "academic years such as 2023/24",
}
_PLACEHOLDERS = ("null", "none", "na", "n/a", "nan", "#n/a", "unknown", "-", "0")
_LONGEST_PLACEHOLDER = max(map(len, _PLACEHOLDERS))
_SHOWN_PUPILS = 10
"""A word of a pupil's table is only said where at least so many pupils have it."""


def _rows_there(inspection: Inspection) -> Iterator[Answer]:
    for table in inspection.present():
        empty = "fail" if table in _NEEDED else "warn"
        rows = inspection.rows[table]
        yield Answer(table, 0, rows, result="pass" if rows else empty)


def _filled(inspection: Inspection) -> Iterator[Answer]:
    for table in inspection.present():
        needed = [c.name for c in RETURNS[table].columns if c.required and not c.nullable]
        yield any_column(
            inspection, table, {name: bit(table, name, "blank_bits") for name in needed}
        )


def _readable(inspection: Inspection) -> Iterator[Answer]:
    for table in inspection.present():
        kinds = {c.name: c.kind for c in RETURNS[table].columns if c.kind != "text"}
        answer = any_column(
            inspection, table, {name: bit(table, name, "unread_bits") for name in kinds}
        )
        forms = listed(dict.fromkeys(_FORMS[kinds[name]] for name in answer.columns))
        yield answer._replace(detail=f", that is as {forms}")


def _allowed(inspection: Inspection) -> Iterator[Answer]:
    for table in inspection.present():
        limited = {c.name: c.allowed for c in RETURNS[table].columns if c.allowed}
        if not limited:
            continue
        answer = any_column(
            inspection,
            table,
            {
                name: f"{name} NOT IN ({', '.join(map(literal, words))})"
                for name, words in limited.items()
            },
        )
        said = listed(f"{name}: {', '.join(limited[name])}" for name in answer.columns)
        yield answer._replace(detail=f" ({said})")


def _in_range(inspection: Inspection) -> Iterator[Answer]:
    for table in inspection.present():
        ranges = {c.name: c for c in RETURNS[table].columns if c.minimum is not None}
        if not ranges:
            continue
        answer = any_column(
            inspection, table, {name: _outside(column) for name, column in ranges.items()}
        )
        said = listed(f"{name} {_range(ranges[name])}" for name in answer.columns)
        yield answer._replace(detail=f" ({said})")


def _outside(column: Column) -> str:
    above = "" if column.maximum is None else f" OR {column.name} > {column.maximum:g}"
    return f"({column.name} < {column.minimum:g}{above})"


def _range(column: Column) -> str:
    if column.maximum is None:
        return f"{column.minimum:g} or more"
    return f"{column.minimum:g} to {column.maximum:g}"


def _identifiers(inspection: Inspection) -> Iterator[Answer]:
    spoilt = ", ".join(map(literal, _PLACEHOLDERS))
    for table in inspection.present():
        columns = [c for c in RETURNS[table].column_names if c.endswith(("pupil_id", "urn"))]
        yield any_column(
            inspection,
            table,
            {
                # A spreadsheet writes 1.2E+11; no identifier has a plus sign after an E.
                name: f"(contains({name}, 'E+') OR contains({name}, 'e+') "
                f"OR (length({name}) <= {_LONGEST_PLACEHOLDER} AND lower({name}) IN ({spoilt})))"
                for name in columns
            },
        )


def _programmes(inspection: Inspection) -> Iterator[Answer]:
    known = sorted(inspection.programmes)
    unknown = inspection.ask(
        "FROM training SELECT programme, count(*) "
        "WHERE NOT list_contains(?, programme) GROUP BY programme ORDER BY programme",
        [known],
    )
    rows = sum(count for _, count in unknown)
    said = listed(repr(word) for word, _ in unknown[:3])
    detail = f" ({listed(known)}), and {said} is not among them" if rows else ""
    yield Answer("training", rows, inspection.rows["training"], ("programme",), detail)


def _measures(inspection: Inspection) -> Iterator[Answer]:
    known = [entry.name for entry in registry.returned_measures()]
    unknown = inspection.ask(
        "FROM attainment SELECT measure, count(*), count(DISTINCT pupil_id) "
        "WHERE NOT list_contains(?, measure) GROUP BY measure ORDER BY measure",
        [known],
    )
    # A shifted column could hold identifiers, so only a word that many pupils share is said.
    said = [f"'{word}'" for word, _, pupils in unknown if pupils >= _SHOWN_PUPILS]
    near = [match for word, *_ in unknown for match in get_close_matches(word, known, 1)]
    detail = (f", and {listed(said[:5])} is not" if said else "") + (
        f" (nearest: {listed(list(dict.fromkeys(near))[:5])})" if near else f" ({listed(known)})"
    )
    rows = sum(count for _, count, _ in unknown)
    yield Answer("attainment", rows, inspection.rows["attainment"], ("measure",), detail)


def _covariates(inspection: Inspection) -> Iterator[Answer]:
    wrong = inspection.returns.left_out
    of_rows = len(wrong) + len(inspection.returns.covariates)
    yield Answer("schools", len(wrong), of_rows, wrong or inspection.returns.covariates)


CHECKS = (
    Check(
        "rows_there",
        "tables",
        "The table {table} must hold rows",
        "export it again, or ask who keeps it",
        _rows_there,
    ),
    Check(
        "values_filled",
        "values",
        "In {table}, every row must have a value in {columns}",
        "fill the blanks where the data are kept",
        _filled,
    ),
    Check(
        "values_readable",
        "values",
        "In {table}, {columns} must be written as the contract says",
        "correct them where the data are kept",
        _readable,
    ),
    Check(
        "values_allowed",
        "values",
        "In {table}, {columns} must be one of the words allowed",
        "recode the others, capitals count",
        _allowed,
    ),
    Check(
        "values_in_range",
        "values",
        "In {table}, {columns} must lie in the range allowed",
        "correct or blank out what cannot be",
        _in_range,
    ),
    Check(
        "identifiers_whole",
        "values",
        "In {table}, {columns} must hold whole identifiers",
        "export the column as text, as a spreadsheet has shortened it (1.2E+11) or a word such as "
        "NULL stands in for a blank",
        _identifiers,
    ),
    Check(
        "programmes_declared",
        "values",
        "In {table}, programme must be a declared one",
        "correct the word, or declare it in params under exposure.programmes",
        _programmes,
    ),
    Check(
        "measures_known",
        "values",
        "In {table}, measure must be one that the registry knows",
        "rename it, or leave its rows out",
        _measures,
    ),
    Check(
        "covariates_numeric",
        "values",
        "In {table}, a further column should hold numbers throughout to be a covariate",
        "blank out its words if it is needed; it is ignored until then",
        _covariates,
        "warn",
    ),
)
