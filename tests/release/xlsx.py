"""Reads a workbook with another library than wrote it."""

import zipfile
from pathlib import Path

from python_calamine import CalamineTable, CalamineWorkbook


def part(path: Path, name: str) -> str:
    """Return one of the files that a workbook is packed from."""
    with zipfile.ZipFile(path) as parts:
        return parts.read(name).decode("utf-8")


def sheet_names(path: Path) -> list[str]:
    """Return the names of the sheets, in order."""
    return CalamineWorkbook.from_path(path).sheet_names


def rows(path: Path, sheet: str) -> list[list]:
    """Return every row of a sheet, from its first cell on; a blank cell is an empty text."""
    book = CalamineWorkbook.from_path(path)
    return book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def lines(path: Path, sheet: str) -> list[str]:
    """Return the lines of text above a sheet's table; of a sheet without a table, every line."""
    table = _table(path, sheet)
    return [str(row[0]) for row in rows(path, sheet)[: table.start[0] - 1 if table else None]]


def table_rows(path: Path, sheet: str) -> list[list]:
    """Return the rows of a sheet's marked-up table, the headings first."""
    table = _table(path, sheet)
    assert table is not None, f"{sheet} has no table"
    return [table.columns, *table.to_python()]


def _table(path: Path, sheet: str) -> CalamineTable | None:
    book = CalamineWorkbook.from_path(path, load_tables=True)
    tables = map(book.get_table_by_name, book.table_names)
    return next((table for table in tables if table.sheet == sheet), None)
