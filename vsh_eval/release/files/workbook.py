"""All tables in one workbook that a screen reader can read: one table a sheet, cover and contents.

As the Government Analysis Function asks of accessible spreadsheets: a title in A1, one marked-up
table a sheet with one row of unique headings, no merged or blank cells, words instead of colours.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsh_eval import names
from vsh_eval.columns import COUNTS, YEARS, Role, role_of
from vsh_eval.contracts import ContractError
from vsh_eval.release.disclosure.safe_table import SafeTable, require_safe
from vsh_eval.release.pages.report import write_whole
from vsh_eval.release.rows import Row, records, status_of
from vsh_eval.release.text.pages.page import WORDS
from vsh_eval.release.text.phrases.labels import column_label, index_label, is_missing, value_label
from vsh_eval.release.text.phrases.numbers import SMALLEST_P, is_numeric, p_text, symbol_notes
from vsh_eval.release.text.phrases.protection import notes_of
from vsh_eval.release.text.phrases.tables import (
    every_row_line,
    stamped,
    table_question,
    table_title,
    units_line,
)

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

_SHEET_NAME = re.compile(r"^[A-Za-z][\w ]{0,30}$")
_WIDEST = 40
"""Characters of the widest column; longer texts wrap."""
_NARROWEST = 12
_OF_THE_WHOLE = frozenset({
    "time_identifier", "geographic_level", "country_code", "country_name", "region_code",
    "region_name", "old_la_code", "new_la_code", "la_name", "unit_id", "source", "vintage",
    "cohort_rule",
})  # fmt: skip
"""Columns of place and origin, said above a table where they are the same in every row."""


def write_workbook(
    tables: Mapping[str, SafeTable],
    path: Path,
    *,
    title: str,
    made: date,
    provenance: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> None:
    """Write safe tables as an accessible workbook.

    Parameters
    ----------
    tables : mapping
        Safe tables by name (letters, digits, spaces; at most 31), which is their sheet's too.
    path : Path
        The xlsx to write; its folder must exist.
    title : str
        On the cover.
    made : date
        The day that the file's properties give as its making.
    provenance : sequence of str
        Source, date and licence: on the cover and on every sheet.
    notes : sequence of str
        Further lines of the cover.

    Raises
    ------
    DisclosureError
        If a table did not come through `vsh_eval.release.disclosure.release_table`.
    ContractError
        If there is no table, or a sheet name is against its rule.
    """
    from xlsxwriter import Workbook

    if not tables:
        raise ContractError("tables is empty, must hold a table; hand over the tables to write.")
    safe = {name: require_safe(table) for name, table in tables.items()}
    for name in safe:
        _require_sheet_name(name)
    content = BytesIO()
    book = Workbook(content, {"in_memory": True})
    noon = datetime(made.year, made.month, made.day, 12)
    book.set_properties({"title": title, "created": noon})
    stamps = [stamped(stamp) for stamp in dict.fromkeys(t.stamp for t in safe.values()) if stamp]
    _lines(book, book.add_worksheet(WORDS["cover_sheet"]), [
        title, WORDS["cover"], *stamps, *provenance, *notes, WORDS["symbols"],
        *symbol_notes(names.SYMBOLS),
    ])  # fmt: skip
    _contents(book, list(safe))
    for name, table in safe.items():
        _sheet(book, name, table, provenance)
    book.close()
    write_whole(path, content.getvalue())


def _require_sheet_name(name: str) -> None:
    if not _SHEET_NAME.match(name):
        raise ContractError(
            f"sheet name is {name!r}, must be letters, digits and spaces, at most 31, a letter "
            "first; choose another name."
        )


def _contents(book: "Workbook", sheets: Sequence[str]) -> None:
    """List the sheets, each a link, with what it is and what it answers."""
    sheet = book.add_worksheet(WORDS["contents_sheet"])
    _lines(book, sheet, [WORDS["contents_sheet"], WORDS["instructions"]])
    heads = [WORDS["sheet"], WORDS["table_title"], WORDS["table_question"]]
    rows = [
        [name, table_title(name), table_question(name) or WORDS["not_given"]] for name in sheets
    ]
    _table(book, sheet, 2, "contents", heads, rows)
    for place, name in enumerate(sheets, start=3):
        sheet.write_url(place, 0, f"internal:'{name}'!A1", string=name)


def _sheet(book: "Workbook", name: str, safe: SafeTable, provenance: Sequence[str]) -> None:
    """Write a table below the lines that a reader needs to use it."""
    sheet = book.add_worksheet(name)
    rows = records(safe)
    everywhere = _said_once(safe, rows)
    columns = [str(c) for c in safe.frame.columns if str(c) not in everywhere]
    cells = [[_cell(column, row) for column in columns] for row in rows]
    used = {value for line in cells for value in line if isinstance(value, str)}
    texts = [column for column in columns if safe.frame[column].dtype.kind not in "biuf"]
    head = [
        f"{table_title(name)}{f' ({safe.stamp})' if safe.stamp else ''}",
        table_question(name),
        WORDS["instructions"],
        every_row_line(everywhere),
        units_line(columns, texts),
        "; ".join(symbol_notes(sorted(used))),
        *notes_of(safe),
        *provenance,
    ]
    lines = [line for line in head if line]
    _lines(book, sheet, lines)
    _table(book, sheet, len(lines), name, [column_label(column) for column in columns], cells)


def _said_once(safe: SafeTable, rows: Sequence[Row]) -> dict[str, str]:
    """Return the labels that are the same in every row, and are said above the table instead."""
    columns = [str(column) for column in safe.frame.columns if column in _OF_THE_WHOLE]
    same = [column for column in columns if len({row[column] for row in rows}) == 1]
    return {column: str(_cell(column, rows[0])) for column in same}


def _lines(book: "Workbook", sheet: "Worksheet", lines: Sequence[str]) -> None:
    """Write lines into the first column, the first as the sheet's title."""
    sheet.write_string(0, 0, lines[0], book.add_format({"bold": True, "font_size": 14}))
    for place, line in enumerate(lines[1:], start=1):
        sheet.write_string(place, 0, line)


def _table(
    book: "Workbook",
    sheet: "Worksheet",
    first: int,
    name: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> None:
    """Write and mark up a table whose row of headings is the given one."""
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    headed = book.add_format({"text_wrap": True, "valign": "top", "bold": True, "bottom": 1})
    sheet.add_table(first, 0, first + len(rows), len(heads) - 1, {
        "name": f"table_{re.sub(r'\W+', '_', name).lower()}",
        "columns": [{"header": head, "header_format": headed} for head in heads],
        "autofilter": False,
        "style": None,
    })  # fmt: skip
    widths = [_NARROWEST] * len(heads)
    for place, row in enumerate(rows, start=first + 1):
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(place, column, value, wrapped)
                widths[column] = max(widths[column], len(value))
            else:
                sheet.write_number(place, column, value)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, min(width, _WIDEST) + 2)


def _cell(column: str, row: Row) -> str | float:
    """Return a number, a label or a symbol; no cell is blank."""
    value = row[column]
    if column == "status":
        return str(value) or WORDS["shown"]
    if column == "index":
        return index_label(str(row.get("aggregation", "")), value) or names.NOT_APPLICABLE
    if isinstance(value, str | bool) or (column in YEARS and not is_missing(value)):
        return _label(column, value)
    if is_missing(value):
        return status_of(row)
    return _number(column, value) if is_numeric(value) else str(value)


@lru_cache(maxsize=10_000)
def _label(column: str, value: Any) -> str:
    """Return what a reader calls a value; kept, as thousands of rows have the same few."""
    label = WORDS["per_cent"] if value == "%" else value_label(column, value)
    return label if any(letter.isalnum() for letter in label) else WORDS["not_given"]


def _number(column: str, value: Any) -> str | float:
    """Return a number as the file of the same table has it, in words where it has no end."""
    if math.isinf(float(value)):
        return WORDS["no_limit"]
    role = role_of(column)
    if role is Role.P_VALUE and value < SMALLEST_P:
        return p_text(float(value))
    return int(value) if role in COUNTS else round(float(value), 4)
