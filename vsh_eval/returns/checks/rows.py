"""Checks of rows: each must be there once and agree with itself."""

from collections.abc import Iterator
from datetime import timedelta

from vsh_eval import registry
from vsh_eval.contracts import RETURNS
from vsh_eval.returns.checks.inspection import Answer, Check, Inspection, listed, where
from vsh_eval.returns.columns import literal

_FIRST_TRAINING_YEAR = 2014
_FIRST_EPISODE_YEAR = 1990
_SPANS = {"schools": ("opened", "closed"), "episodes": ("start_date", "end_date")}
_ONE_DAY_SHARE = {"training": 0.5, "episodes": 0.1}
_FEWEST_DATES = 10


def _unique(inspection: Inspection) -> Iterator[Answer]:
    for table in inspection.present():
        contract = RETURNS[table]
        must = [
            c.name
            for c in contract.columns
            if c.name in contract.keys and c.required and not c.nullable
        ]
        rows = inspection.count(
            f"FROM (FROM {table} SELECT count(*) AS copies "
            f"WHERE {' AND '.join(f'{name} IS NOT NULL' for name in must)} "
            f"GROUP BY {', '.join(contract.keys)}) SELECT sum(copies - 1)"
        )
        yield Answer(table, rows, inspection.rows[table], contract.keys)


def _in_order(inspection: Inspection) -> Iterator[Answer]:
    for table, (start, end) in _SPANS.items():
        yield from where(table, f"{end} < {start}", start, end)(inspection)


def _attainment_values(inspection: Inspection) -> Iterator[Answer]:
    outside = {entry: _outside(entry) for entry in registry.returned_measures()}
    for answer in where("attainment", " OR ".join(outside.values()), "value")(inspection):
        detail = ""
        if answer.rows:
            wrong = [e for e, rule in outside.items() if _holds(inspection, "attainment", rule)]
            detail = f" ({listed(f'{_range(entry)} for {entry.name}' for entry in wrong)})"
        yield answer._replace(detail=detail)


def _outside(entry: registry.Measure) -> str:
    allowed = "IN (0, 1)" if entry.whole else f"BETWEEN {entry.lowest:g} AND {entry.highest:g}"
    return f"(measure = {literal(entry.name)} AND value NOT {allowed})"


def _range(entry: registry.Measure) -> str:
    return "0 or 1" if entry.whole else f"{entry.lowest:g} to {entry.highest:g}"


def _holds(inspection: Inspection, table: str, condition: str) -> bool:
    return inspection.count(f"FROM {table} SELECT count_if({condition})") > 0


def _training_dates(inspection: Inspection) -> Iterator[Answer]:
    last = inspection.today + timedelta(days=365)
    condition = f"year(start_date) < {_FIRST_TRAINING_YEAR} OR start_date > DATE '{last}'"
    yield from where("training", condition, "start_date")(inspection)


def _episode_dates(inspection: Inspection) -> Iterator[Answer]:
    today = f"DATE '{inspection.today}'"
    condition = (
        f"year(start_date) < {_FIRST_EPISODE_YEAR} OR start_date > {today} OR end_date > {today}"
    )
    yield from where("episodes", condition, "start_date", "end_date")(inspection)


def _dates_vary(inspection: Inspection) -> Iterator[Answer]:
    for table, share in _ONE_DAY_SHARE.items():
        dated, most = inspection.ask(
            f"FROM (FROM {table} SELECT count(*) AS n WHERE start_date IS NOT NULL "
            "GROUP BY start_date) SELECT coalesce(sum(n), 0), coalesce(max(n), 0)"
        )[0]
        same = dated >= _FEWEST_DATES and most > share * dated
        yield Answer(table, int(most) if same else 0, inspection.rows[table], ("start_date",))


def _one_school(inspection: Inspection) -> Iterator[Answer]:
    rows = inspection.count(
        "FROM (FROM attendance SELECT count(*) AS n WHERE pupil_id IS NOT NULL "
        "GROUP BY pupil_id, academic_year, term HAVING min(urn) <> max(urn)) SELECT sum(n)"
    )
    yield Answer("attendance", rows, inspection.rows["attendance"], ("urn",))


CHECKS = (
    Check(
        "keys_unique",
        "rows",
        "In {table}, a row must be the only one with its {columns}",
        "keep one of the rows that share them",
        _unique,
    ),
    Check(
        "dates_in_order",
        "rows",
        "In {table}, {columns} must follow each other",
        "correct the date that is wrong, and leave an open end blank",
        _in_order,
    ),
    Check(
        "sessions_add_up",
        "rows",
        "In {table}, sess_authorised and sess_unauthorised together must not exceed sess_possible",
        "export the sessions again from the register of the term",
        where(
            "attendance",
            "sess_authorised + sess_unauthorised > sess_possible",
            "sess_possible",
            "sess_authorised",
            "sess_unauthorised",
        ),
    ),
    Check(
        "attainment_in_range",
        "rows",
        "In {table}, value must be one that its measure can have",
        "give shares a pupil as 0 or 1, not in per cent, and leave out pupils without a result",
        _attainment_values,
    ),
    Check(
        "training_dates_plausible",
        "rows",
        f"In {{table}}, start_date should be in {_FIRST_TRAINING_YEAR} or later and at most a year "
        "ahead",
        "correct the year of the date, if it is wrong",
        _training_dates,
        "warn",
    ),
    Check(
        "episode_dates_plausible",
        "rows",
        f"In {{table}}, dates should be in {_FIRST_EPISODE_YEAR} or later and not in the future",
        "correct the year of the date, and leave an open end blank",
        _episode_dates,
        "warn",
    ),
    Check(
        "dates_vary",
        "rows",
        "In {table}, start_date should be each record's own",
        "see whether the day that so many share is when records were loaded or moved to a new "
        "system",
        _dates_vary,
        "warn",
    ),
    Check(
        "one_school_a_term",
        "rows",
        "In {table}, a pupil is usually registered at one school in a term",
        "nothing needs doing if they moved, as sessions count where they were registered",
        _one_school,
        "warn",
    ),
)
