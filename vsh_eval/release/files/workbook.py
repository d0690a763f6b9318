"""All tables in one workbook that a screen reader can read: one table a sheet, cover and notes."""

import math
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from vsh_eval import names
from vsh_eval.columns import COUNTS, YEARS, role_of
from vsh_eval.contracts import ContractError
from vsh_eval.release.disclosure.safe_table import SafeTable, require_safe
from vsh_eval.release.pages.report import write_whole
from vsh_eval.release.rows import Row, records
from vsh_eval.release.text.labels import column_label, value_label
from vsh_eval.release.text.page import WORDS, workbook_notes
from vsh_eval.release.text.phrases import is_numeric, symbol_notes, symbol_of
from vsh_eval.release.text.protection import notes_of

_SHEET_NAME = re.compile(r"^[A-Za-z][\w ]{0,30}$")
_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def write_workbook(
    tables: Mapping[str, SafeTable],
    path: Path,
    *,
    title: str,
    notes: Sequence[str] = (),
    stamp: str = "",
) -> None:
    """Write safe tables as an accessible workbook.

    Parameters
    ----------
    tables : mapping
        Safe tables by sheet name (letters, digits, spaces; at most 31).
    path : Path
        The xlsx to write; its folder must exist.
    title : str
        On the cover.
    notes : sequence of str
        For the notes sheet, before the notes of the tables themselves.
    stamp : str
        What the workbook must say about its data; stamps of the tables are added.

    Raises
    ------
    DisclosureError
        If a table did not come through `vsh_eval.release.disclosure.release_table`.
    ContractError
        If there is no table, or a sheet name is against its rule.
    """
    if not tables:
        raise ContractError("tables is empty, must hold a table; hand over the tables to write.")
    safe = {name: require_safe(table) for name, table in tables.items()}
    stamps = dict.fromkeys(s for s in (stamp, *(t.stamp for t in safe.values())) if s)
    general = [*workbook_notes(stamps), *notes]
    every = list(dict.fromkeys([*general, *(note for t in safe.values() for note in notes_of(t))]))
    every = every or [WORDS["no_notes"]]
    general = general or every[:1]
    sheets = {
        name: _sheet(name, table, [every.index(note) + 1 for note in (*general, *notes_of(table))])
        for name, table in safe.items()
    }
    temporary = path.with_name(f".{path.name}.making.xlsx")
    try:
        _produce(temporary, sheets, title, stamps, every)
        write_whole(path, temporary.read_bytes())
    finally:
        temporary.unlink(missing_ok=True)


def _produce(
    path: Path, sheets: Mapping[str, Any], title: str, stamps: Iterable[str], notes: Sequence[str]
) -> None:
    """Let gptables lay the workbook out, dated with no day so that it can be compared."""
    import gptables

    with warnings.catch_warnings():
        # The library's own use of pandas, not ours.
        warnings.filterwarnings("ignore", module="gptables")
        workbook = gptables.produce_workbook(
            filename=str(path),
            sheets=dict(sheets),
            cover=gptables.Cover(
                title=title,
                intro=[WORDS["introduction"], *stamps, WORDS["cover"]],
                about=[WORDS["symbols"], *symbol_notes(names.SYMBOLS)],
            ),
            notes_table=pd.DataFrame(
                {
                    "Note number": [f"note {i}" for i in range(1, len(notes) + 1)],
                    "Note text": list(notes),
                }
            ),
        )
        workbook.set_properties({"title": title, "created": _NO_DATE})
        workbook.close()


def _sheet(name: str, safe: SafeTable, notes: Sequence[int]) -> Any:
    import gptables

    if not _SHEET_NAME.match(name):
        raise ContractError(
            f"sheet name is {name!r}, must be letters, digits and spaces, at most 31, a letter "
            "first; choose another name."
        )
    rows = records(safe)
    columns = [str(column) for column in safe.frame.columns]
    table = pd.DataFrame(
        {column_label(column): [_cell(column, row) for row in rows] for column in columns},
        dtype=object,
    )
    used = sorted({str(v) for column in table for v in table[column] if isinstance(v, str)})
    return gptables.GPTable(
        table=table,
        table_name=re.sub(r"\W+", "_", name).lower(),
        title=f"{name}{f' ({safe.stamp})' if safe.stamp else ''}",
        subtitles=["".join(f"$$note {number}$$" for number in dict.fromkeys(notes))],
        legend=symbol_notes(used),
        instructions=WORDS["instructions"],
        index_columns={},
    )


def _cell(column: str, row: Row) -> object:
    """Return a number, a label or a symbol; no cell is blank."""
    value = row[column]
    if column == "status":
        return str(value) or WORDS["shown"]
    if pd.isna(value):
        return symbol_of(row)
    if isinstance(value, str | bool) or column in YEARS:
        label = WORDS["per_cent"] if value == "%" else value_label(column, value)
        return label if any(letter.isalnum() for letter in label) else WORDS["not_given"]
    if not is_numeric(value):
        return str(value)
    if math.isinf(float(value)):
        return WORDS["no_limit"]
    return int(value) if role_of(column) in COUNTS else round(float(value), 4)
