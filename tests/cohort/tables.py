"""Small returns for the cohort's tests, typed as the returns room hands them on."""

from datetime import date

import duckdb
import pandas as pd
import pyarrow as pa

from tests.frames import FIRST_CODES
from vsh_eval.cohort import build_cohort
from vsh_eval.contracts import RETURNS
from vsh_eval.settings import Cohort

SECRET = bytes(range(32))

ARROW_TYPES = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "date": pa.date32(),
    "academic_year": pa.int64(),
}


def connect(tables, *, leave_out=()):
    """Open a database with every table of the contract; rows are tuples in contract order."""
    connection = duckdb.connect()
    for name, contract in RETURNS.items():
        if name in leave_out:
            continue
        rows = rows_of(tables, name)
        columns = {
            column.name: pa.array([row[place] for row in rows], ARROW_TYPES[column.kind])
            for place, column in enumerate(contract.columns)
        }
        connection.register("rows_given", pa.table(columns))
        connection.execute(f"CREATE TABLE {name} AS FROM rows_given")
        connection.unregister("rows_given")
    return connection


def build(tables, *, years=(202324,), cohort=None, leave_out=(), **options):
    """Count returns; the cohort's settings are given as a dict."""
    return build_cohort(
        connect(tables, leave_out=leave_out),
        years=years,
        secret=SECRET,
        cohort=Cohort.model_validate(cohort or {}),
        **options,
    )


def frame(tables, name):
    """The same rows as a plain table of Python objects."""
    return pd.DataFrame(
        rows_of(tables, name), columns=list(RETURNS[name].column_names), dtype="object"
    )


def rows_of(tables, name):
    """Rows with the first code of the last characteristics, where a test does not give them."""
    columns = RETURNS[name].column_names
    return [
        (*row, *(FIRST_CODES[column] for column in columns[len(row) :]))
        for row in tables.get(name, [])
    ]


def day(text):
    return date.fromisoformat(text)


def school(urn, phase="primary", *, la="E06000049", opened=None, closed=None):
    return (urn, f"School {urn}", phase, la, opened, closed)


def enrolment(pupil, year=202324, urn="100", *, group=4, sex="F", fsm6=0, sen="N"):
    return (pupil, year, urn, group, sex, fsm6, sen)


def attendance(pupil, year=202324, urn="100", *, term="autumn", possible=100, auth=5, unauth=2):
    return (pupil, year, term, urn, possible, auth, unauth)


def episode(pupil, start, end=None, status="CIN", basis=None):
    return (pupil, status, day(start), None if end is None else day(end), basis)


def training(urn, start, programme="elsa", tier="targeted", *, audience=None, staff=None):
    return (urn, programme, tier, day(start), staff, None, audience, None)


def one_pupil(*episodes, year=202324, possible=100, auth=5, unauth=2):
    """A school, a pupil "P1" with one term of attendance, and that pupil's episodes."""
    return {
        "schools": [school("100")],
        "enrolments": [enrolment("P1", year)],
        "attendance": [attendance("P1", year, possible=possible, auth=auth, unauth=unauth)],
        "episodes": list(episodes),
    }


def suspension(pupil, year=202324, urn="100", *, times=1, excluded=0):
    return (pupil, year, urn, times, excluded)
