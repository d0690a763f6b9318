"""A table that is saved otherwise is the same table, whatever family it belongs to."""

import csv
import io
import re
from datetime import datetime
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter

from tests.proofs.fuzz_files import TARGETS
from tests.returns.formats.made import counts
from vsh_eval.returns.formats import Options
from vsh_eval.returns.formats.families import _read

SMALL = {
    f"{one.family} {one.name}": (one.family, {one.name: one.content}, one.section)
    for one in TARGETS
    if one.name.endswith((".csv", ".tab"))
}
STORED = {
    "children in need": ("cin_census", "cin_census_csv/*.csv"),
    "children looked after": ("ssda903", "ssda903/[eh]*.csv"),
    "school census": ("school_census", "school_census_collect/*.csv"),
    "schools": ("gias", "gias/gias_excel_resaved_2024.csv"),
}
DAY = re.compile(r"(\d\d)/(\d\d)/(\d{4})|(\d{4})-(\d\d)-(\d\d)")
ROWS = 60
TITLE = [["Exported by our system"], []]


def moment(cell: str) -> datetime | None:
    """Return the day that a cell holds, if it is one."""
    found = DAY.fullmatch(cell)
    try:
        return found and datetime.strptime(cell, "%d/%m/%Y" if found[1] else "%Y-%m-%d")
    except ValueError:
        return None


def days(form):
    """Write every day in another form."""
    return lambda rows: [[f"{day:{form}}" if (day := moment(c)) else c for c in r] for r in rows]


def spread(rows):
    """Put the columns in the opposite order, among them some that nobody knows, and blank rows."""
    wide = [[*row[::-1], "", "x"] if len(row) == len(rows[0]) else row for row in rows]
    return [[*wide[0][:-2], "", "Our own note"], *wide[1:], [], [""] * len(wide[0])]


def backwards(rows):
    """Put the last row first."""
    return [rows[0], *reversed(rows[1:])]


def header(change):
    """Write the names of the columns otherwise."""
    return lambda rows: [[change(name) for name in rows[0]], *rows[1:]]


def text(rows, separator=",", end="\n", encoding="utf-8", quoting=csv.QUOTE_MINIMAL) -> bytes:
    """Write rows as text."""
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)
    return stream.getvalue().encode(encoding)


def workbook(rows) -> bytes:
    """Write rows as a workbook with a title above, days as days and numbers as numbers."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"default_date_format": "dd/mm/yyyy"}) as book:
        page = book.add_worksheet()
        for at, row in enumerate([*TITLE, *rows]):
            for place, cell in enumerate(row):
                number = int(cell) if re.fullmatch(r"[1-9]\d{0,9}", cell) else None
                page.write(at, place, moment(cell) or number or cell or None)
    return stream.getvalue()


WAYS = {
    "columns in another order, names with blanks, days as dd-Mon-yyyy": lambda r: text(
        spread(days("%d-%b-%Y")(header(lambda n: f" {n.replace('_', ' ').lower()} ")(r)))
    ),
    "names in capitals, days as ISO, all quoted, byte order mark": lambda r: text(
        days("%Y-%m-%d")(header(str.upper)(r)),
        end="\r\n", encoding="utf-8-sig", quoting=csv.QUOTE_ALL,
    ),
    "semicolons and ANSI, after sep= and a title": lambda r: b"sep=;\r\n" + text(
        [*TITLE, *r], ";", "\r\n", "cp1252"
    ),
    "Unicode text, days as dd/mm/yyyy with a time": lambda r: text(
        days("%d/%m/%Y 00:00")(r), "\t", "\r\n", "utf-16"
    ),
    "workbook": workbook,
}  # fmt: skip
ALL_AT_ONCE = {
    "text": lambda r: text(
        [*TITLE, *spread(days("%d/%m/%Y 00:00")(header(str.upper)(backwards(r))))],
        ";", "\r\n", "cp1252",
    ),
    "workbook": lambda r: workbook(spread(r)),
}  # fmt: skip


def rows_of(name: str, content: bytes) -> list[list[str]]:
    """Return the cells of a file as text."""
    separator = "\t" if name.endswith(".tab") else ","
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        decoded = content.decode("cp1252")
    return list(csv.reader(io.StringIO(decoded, newline=""), delimiter=separator))


def read(folder: Path, family: str, files: dict[str, bytes], section=None):
    """Return the tables of a return and what is said of it."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    found = _read(family, sorted(folder.iterdir()), Options(section))
    return found.tables | dict(found.references), counts(found)


@pytest.fixture(scope="module")
def as_it_is(tmp_path_factory):
    """Read a small file as it is, once."""

    @cache
    def read_once(name: str):
        return read(tmp_path_factory.mktemp("2022"), *SMALL[name])

    return read_once


def beginning(path: Path) -> bytes:
    """Return the header and the first rows of a file."""
    return b"".join(path.read_bytes().splitlines(keepends=True)[:ROWS])


def saved(files: dict[str, bytes], save) -> dict[str, bytes]:
    """Save files otherwise, each under a name that fits."""
    ending = ".xlsx" if save in (workbook, ALL_AT_ONCE["workbook"]) else ""
    return {
        (Path(name).stem + ending if ending else name): save(rows_of(name, content))
        for name, content in files.items()
    }


def require_same(found, expected) -> None:
    """Compare all that two readings give."""
    (tables, said), (own_tables, own_said) = found, expected
    assert said == own_said
    assert tables.keys() == own_tables.keys()
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, own_tables[name])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SMALL)
def test_a_table_saved_otherwise_is_the_same_table(tmp_path, as_it_is, name, way):
    family, files, section = SMALL[name]
    found = read(tmp_path / "2022", family, saved(files, WAYS[way]), section)
    require_same(found, as_it_is(name))


@pytest.mark.parametrize("form", ALL_AT_ONCE)
@pytest.mark.parametrize("name", STORED)
def test_a_stored_sample_saved_otherwise_is_the_same_return(tmp_path, shared_data, name, form):
    family, pattern = STORED[name]
    files = {path.name: beginning(path) for path in sorted(shared_data.glob(pattern))}
    found = read(tmp_path / "saved 2022", family, saved(files, ALL_AT_ONCE[form]))
    require_same(found, read(tmp_path / "2022", family, files))
