"""The tables of the returns: which there are, how they are read, what their headers say."""

import codecs
import csv
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import duckdb
import pandas as pd
import pyarrow as pa

from vsh_eval.contracts import RETURNS, ContractError, Table, row_count
from vsh_eval.returns.columns import as_text, literal, quoted

Format = Literal["csv", "parquet", "files"]

_CHUNK = 1 << 20
_LOOK_FOR_HEADER = 20
_DELIMITERS: Mapping[str, str] = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, slots=True)
class Source:
    """One table's file (or folder of Parquet parts), ready to be read.

    Attributes
    ----------
    table : Table
        The contract of the table.
    path : Path
        The file, or the table's name where it is made of the authority's files.
    format : {"csv", "parquet", "files"}
        How it is stored.
    size : str
        Its length for a message, such as ``1,204 lines``.
    relation : str
        The SQL that reads it.
    columns : mapping of str to str
        Each column of the file and the SQL of its text (blank is NULL).
    stored : mapping of str to str
        Of Parquet, each column's DuckDB type.
    """

    table: Table
    path: Path
    format: Format
    size: str
    relation: str
    columns: Mapping[str, str]
    stored: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The file and its length, as a message names it."""
        return f"{self.path.name} ({self.size})"


def find(folder: Path) -> dict[str, Path]:
    """Find the file of every table that the folder holds.

    Parameters
    ----------
    folder : Path
        The folder of the returns: ``<table>.csv``, ``<table>.parquet`` or a folder ``<table>`` of
        Parquet parts.

    Returns
    -------
    dict of str to Path
        One path a table that is there, in the contract's order.

    Raises
    ------
    ContractError
        If the folder is missing, or a table is there twice.
    """
    if not folder.is_dir():
        raise ContractError(
            f"folder {folder.resolve().name!r} of the returns does not exist; "
            "name the folder that holds schools.csv and the other tables."
        )
    paths: dict[str, Path] = {}
    for table in RETURNS:
        here = _candidates(folder, table)
        if len(here) > 1:
            raise ContractError(
                f"{table} is there as {' and as '.join(path.name for path in here)}, must be "
                "there once; move the one that is out of date elsewhere."
            )
        if here:
            paths[table] = here[0]
    return paths


def require_tables(given: Collection[str], folder: Path | None) -> None:
    """Refuse returns that lack a table of the contract.

    Raises
    ------
    ContractError
        Naming the tables.
    """
    missing = [t.name for t in RETURNS.values() if t.required and t.name not in given]
    if not missing:
        return
    if folder is None:
        raise ContractError(
            f"source.files gives no {', '.join(missing)}; name the files that hold them, or give "
            "them as tables that are ready in source.folder."
        )
    raise ContractError(
        f"folder {folder.resolve().name!r} lacks {', '.join(missing)}; every return "
        f"needs a file named after it, for example {missing[0]}.csv or {missing[0]}.parquet."
    )


def _candidates(folder: Path, table: str) -> list[Path]:
    files = [folder / f"{table}.csv", folder / f"{table}.parquet"]
    parts = folder / table
    here = [path for path in files if path.is_file()]
    if any(parts.rglob("*.parquet")):
        here.append(parts)
    return here


def open_source(path: Path, *, table: Table, connection: duckdb.DuckDBPyConnection) -> Source:
    """Describe one table's file and refuse it if its shape is wrong.

    Raises
    ------
    ContractError
        In one sentence, if the file cannot be read, is not UTF-8, names a column twice or lacks a
        required column. A message never quotes a line of the file.
    """
    is_csv = path.suffix == ".csv" and path.is_file()
    source = _csv(path, table) if is_csv else _parquet(path, table, connection)
    _require_header(source)
    return source


def _csv(path: Path, table: Table) -> Source:
    lines, mixed = _count_lines(path)
    header = _header(path)
    label = f"{path.name} ({lines:,} lines)"
    twice = sorted(name for name, n in Counter(map(str.casefold, header)).items() if n > 1 and name)
    if twice:
        # Without a header line the first pupil would stand here, so only known names are said.
        known = [repr(name) for name in twice if name in table.column_names]
        raise ContractError(
            f"{label} names the column {known[0] if known else ''} more than once, must name each "
            "once in its first line; rename or remove the others, or add the line of names if it "
            "is missing.".replace("  ", " ")
        )
    if mixed:
        _refuse_uneven_lines(path, len(header), label)
    # DuckDB reads line ends of two kinds in one file only where it counts no values a line.
    lenient = "strict_mode=false, " if mixed else ""
    declared = ", ".join(f"c{i}: 'VARCHAR'" for i in range(len(header)))
    relation = (
        f"read_csv({literal(_without_wildcards(path))}, auto_detect=false, header=true, {lenient}"
        "delim=',', "
        f"quote='\"', escape='\"', columns={{{declared}}})"
    )
    columns = {name: as_text(f"c{i}") for i, name in enumerate(header) if name}
    return Source(table, path, "csv", f"{lines:,} lines", relation, columns)


def _count_lines(path: Path) -> tuple[int, bool]:
    """Count a file's lines, and say whether they end in two ways; refuse it if it is not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, with_return, wrong, last = 0, 0, 0, b"\n"
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise ContractError(
                f"{path.name} is UTF-16, must be UTF-8; save it as 'CSV UTF-8 (comma delimited)'."
            )
        file.seek(0)
        while chunk := file.read(_CHUNK):
            if not wrong:
                wrong = _first_wrong_line(chunk, decoder, lines)
            lines += chunk.count(b"\n")
            with_return += chunk.count(b"\r\n") + (last + chunk[:1] == b"\r\n")
            last = chunk[-1:]
    mixed = 0 < with_return < lines
    lines += last != b"\n"
    if wrong:
        raise ContractError(
            f"{path.name} ({lines:,} lines) is not UTF-8, first seen in line {wrong:,}, must be; "
            "save it as 'CSV UTF-8 (comma delimited)'."
        )
    return lines, mixed


def _refuse_uneven_lines(path: Path, width: int, label: str) -> None:
    """Refuse a file with a line that has not as many values as its header."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        for row in reader:
            if row and len(row) != width:
                raise ContractError(
                    f"{label} cannot be read from line {reader.line_num:,} on, every line must "
                    "have as many values as the header and closed quotes; export it again."
                )


def _first_wrong_line(chunk: bytes, decoder: codecs.IncrementalDecoder, before: int) -> int:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError as error:
        return before + chunk[: error.start].count(b"\n") + 1
    return 0


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            header = next(csv.reader(file), [])
        except csv.Error:
            header = []
    if not any(name.strip() for name in header):
        raise ContractError(
            f"{path.name} has no header line; its first line must name the columns."
        )
    return [name.strip() for name in header]


def _parquet(path: Path, table: Table, connection: duckdb.DuckDBPyConnection) -> Source:
    files = _without_wildcards(path) + ("/**/*.parquet" if path.is_dir() else "")
    relation = f"read_parquet({literal(files)}, union_by_name=true)"
    described: list[tuple] = []
    rows = 0
    try:
        described = connection.execute(f"DESCRIBE FROM {relation}").fetchall()
        rows = connection.execute(f"FROM {relation} SELECT count(*)").fetchall()[0][0]
    except duckdb.Error:
        described = []
    if not described:
        raise ContractError(
            f"{path.name} cannot be read as Parquet; write it again, or give the table as CSV."
        )
    stored = {name: kind for name, kind, *_ in described}
    columns = {name: as_text(quoted(name), kind) for name, kind in stored.items()}
    return Source(table, path, "parquet", row_count(rows), relation, columns, stored)


def open_table(
    rows: pd.DataFrame, *, table: Table, connection: duckdb.DuckDBPyConnection
) -> Source:
    """Describe a table that was made of the authority's files.

    Raises
    ------
    ContractError
        If it lacks a required column.
    """
    here = f"files_{table.name}"
    connection.register(here, pa.Table.from_pandas(rows, preserve_index=False))
    described = connection.execute(f"DESCRIBE FROM {here}").fetchall()
    columns = {name: as_text(quoted(name), kind) for name, kind, *_ in described}
    size = row_count(len(rows))
    source = Source(table, Path(table.name), "files", size, here, columns)
    _require_header(source)
    return source


def _without_wildcards(path: Path) -> str:
    """Write a path so that DuckDB takes it as it is, brackets and stars included."""
    return "".join(f"[{sign}]" if sign in "[*?" else sign for sign in path.as_posix())


def _require_header(source: Source) -> None:
    """Refuse a file without a required column; never quote its header, it may be a pupil's row."""
    required = [column.name for column in source.table.columns if column.required]
    missing = [name for name in required if name not in source.columns]
    if not missing:
        return
    if source.format == "csv":
        _refuse_other_layout(source, required)
    by_spelling = {name.casefold().replace(" ", "_"): name for name in source.columns}
    remedies = [
        f"rename {by_spelling[name]!r} to {name!r}"
        for name in source.table.column_names
        if name in by_spelling and name not in source.columns
    ]
    if not by_spelling.keys() >= set(missing):
        remedies.append(f"its header must name {', '.join(required)}")
    raise ContractError(
        f"{source.label} lacks the column{'s' if len(missing) > 1 else ''} "
        f"{', '.join(missing)}; {', '.join(remedies)}."
    )


def _refuse_other_layout(source: Source, required: Collection[str]) -> None:
    """Say where the header is, or what separates it, if that is why columns are missing."""
    with source.path.open(encoding="utf-8-sig", newline="") as file:
        lines = [
            line.rstrip("\r\n") for _, line in zip(range(_LOOK_FOR_HEADER), file, strict=False)
        ]
    if lines[0].casefold().startswith("sep="):
        raise ContractError(
            f"{source.label} begins with {lines[0]!r}, must begin with the names of its columns "
            "and be separated by commas; save it as 'CSV UTF-8 (comma delimited)'."
        )
    for delimiter, called in _DELIMITERS.items():
        for at, line in enumerate(lines, 1):
            names = {name.strip().strip('"') for name in line.split(delimiter)}
            if not names.issuperset(required):
                continue
            if delimiter != ",":
                raise ContractError(
                    f"{source.label} is separated by {called}, must be by commas; save it as 'CSV "
                    "UTF-8 (comma delimited)'."
                )
            raise ContractError(
                f"{source.label} has its header in line {at}, must have it in line 1; remove the "
                "lines above it."
            )
