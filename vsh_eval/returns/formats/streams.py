"""Files of rows, streamed into the engine: CSV of any form, Parquet, workbooks, zip archives.

Every cell is text here and every column is found by its name; `tabular` reads small tables.
"""

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from vsh_eval.contracts import ContractError, Message
from vsh_eval.returns.columns import as_text, literal, quoted
from vsh_eval.returns.formats import tabular
from vsh_eval.returns.formats.reading import note

_SAMPLE = 1 << 16
_CHUNK = 1 << 22
_BLOCKS = (1 << 20, 1 << 27)
"""Bytes read at a time: the second only for a file with a cell larger than the first."""
_TITLE_LINES = 20
_LARGEST_MEMBER = 1 << 32
_SEPARATORS = ",;\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TEXT = (".csv", ".txt", ".tab", ".tsv")
_ENDINGS = (*_TEXT, ".parquet")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of a file: its columns by key, and its rows, which can be read again.

    Attributes
    ----------
    name : str
        The file, and its member or worksheet where it has several.
    keys : tuple of str
        The key of each column: see `key`. A name that stands twice has ``#2`` the second time.
    header : tuple of str
        The columns as they are written.
    first_row : int
        The row of the file that the first row of data stands in, from 1.
    open : callable
        Gives a RecordBatchReader of text columns named by `keys`; blank cells are ''.
    ragged : list of int
        The rows that had too many or too few values and were left out, once the sheet is read.
    """

    name: str
    keys: tuple[str, ...]
    header: tuple[str, ...]
    first_row: int
    open: Callable[[], pa.RecordBatchReader]
    ragged: list[int] = field(default_factory=list)


def key(name: str) -> str:
    r"""Return what a column's name is matched by; a name of signs alone is itself.

    Examples
    --------
    >>> key("LA (code)"), key("/"), key("\\\\")
    ('lacode', '/', '\\\\')
    """
    return tabular.key(name) or name.strip()


_DATE_FORMATS = tuple(
    f"{day}{time}"
    for day in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%Y-%b-%d", "%d-%b-%Y", "%d %b %Y", "%d %B %Y")
    for time in ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S")
)
"""How the files of authorities write a day: the day before the month, never after it."""


def day(text: str) -> str:
    """Write the SQL of the day that text means, NULL where it is none.

    Examples
    --------
    >>> duckdb.sql(f"SELECT {day("'2024-Oct-16 00:00:00'")}, {day("'3/9/2024'")}").fetchall()
    [(datetime.date(2024, 10, 16), datetime.date(2024, 9, 3))]
    >>> duckdb.sql(f"SELECT {day("'April (Inset)'")}, {day("'3/9/24'")}").fetchall()
    [(None, None)]
    """
    formats = ", ".join(map(literal, _DATE_FORMATS))
    whole = f"regexp_matches({text}, '\\d{{4}}')"
    return f"CASE WHEN {whole} THEN CAST(try_strptime({text}, [{formats}]) AS DATE) END"


def upn(text: str) -> str:
    """Write the SQL of a UPN without case and blanks; NULL where it says why there is none."""
    bare = f"upper(regexp_replace({text}, '[\\s\\x{{a0}}]', '', 'g'))"
    return f"CASE WHEN NOT regexp_full_match({bare}, 'UN\\d|') THEN {bare} END"


def text_of(sheet: Sheet, *names: str) -> str:
    """Write the SQL of a column's text, blank as NULL: the first of the names that a sheet has."""
    held = next((name for name in names if name in sheet.keys), None)
    return "CAST(NULL AS VARCHAR)" if held is None else as_text(quoted(held))


def connect() -> duckdb.DuckDBPyConnection:
    """Open a database in memory that writes nothing to a disk and asks no network."""
    return duckdb.connect(
        ":memory:",
        config={
            "temp_directory": "",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )


def select(columns: Mapping[str, str]) -> str:
    """Write the SQL that makes columns of a sheet."""
    made = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in columns.items())
    return f"FROM sheet SELECT {made}"


def ragged_note(sheet: Sheet) -> tuple[Message, ...]:
    """Say how many rows of a sheet were left out for their length, and the first of them."""
    if not sheet.ragged:
        return ()
    rows = len(sheet.ragged)
    return (
        note("rows_of_another_length", file=sheet.name, rows=rows, first_row=min(sheet.ragged)),
    )


def load(connection: duckdb.DuckDBPyConnection, table: str, sheet: Sheet, sql: str) -> None:
    """Add to a table what SQL makes of a sheet, which it knows as ``sheet``, as it is read.

    Raises
    ------
    ContractError
        If the file turns out to be broken on the way.
    """
    connection.register("sheet", sheet.open())
    there = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [table])
    start = f"INSERT INTO {table} BY NAME" if there.fetchall()[0][0] else f"CREATE TABLE {table} AS"
    try:
        connection.execute(f"{start} {sql}").fetchall()
    except duckdb.ProgrammingError:
        raise
    except (duckdb.Error, pa.ArrowInvalid, UnicodeError):
        # Its own message would quote the line, so it is not passed on.
        raise ContractError(
            f"{sheet.name} cannot be read, every line must have as many values as the header and "
            "closed quotes; export it again."
        ) from None
    finally:
        connection.unregister("sheet")


def sheets(path: Path, *, known: Collection[str], quoted: bool = True) -> list[Sheet]:
    r"""Open a file of rows: CSV (any separator and encoding), Parquet, a workbook, a zip of these.

    Parameters
    ----------
    path : Path
        The file.
    known : collection of str
        Keys that the header may hold. The header is that line of the first 20 that holds most of
        them, so a title line or ``sep=;`` above it does no harm.
    quoted : bool
        Whether a quote mark opens and closes a value. Some services write without quoting.

    Returns
    -------
    list of Sheet
        One a file, member of an archive or worksheet whose header holds one of `known`.

    Raises
    ------
    ContractError
        In one sentence, if the file cannot be read as what its name says, an archive names a
        member outside itself, or nothing in it has one of the columns.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "export.csv")
    ...     _ = path.write_bytes("School log\nURN;Café\n100000;a\n".encode("cp1252"))
    ...     sheets(path, known={"urn"})[0].open().read_all().to_pylist()
    [{'urn': '100000', 'café': 'a'}]
    """
    path = Path(path)
    if not path.is_file():
        raise ContractError(f"file {path.name} does not exist; correct its name in source.files.")
    found = [
        sheet
        for name, data in _files(path)
        for sheet in _opened(name, data, known, quoted=quoted)
        if set(sheet.keys) & set(known)
    ]
    if not found:
        raise ContractError(
            f"{path.name} has no header line with one of {', '.join(sorted(known)[:6])}; "
            "see whether it belongs to this family of source.files."
        )
    return found


def _files(path: Path) -> Iterator[tuple[str, Path | bytes]]:
    """Yield a file, or the members of an archive, which are never written to the disk."""
    if path.suffix.lower() != ".zip":
        yield path.name, path
        return
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                _refuse_member(path, member)
                if _is_wanted(member):
                    yield member.filename, archive.read(member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ContractError(
            f"{path.name} cannot be read as a zip file; fetch or make it again, without a password."
        ) from error


def _refuse_member(path: Path, member: zipfile.ZipInfo) -> None:
    inside = PurePosixPath(member.filename.replace("\\", "/"))
    if inside.is_absolute() or ".." in inside.parts or re.match(r"[A-Za-z]:", member.filename):
        raise ContractError(
            f"{path.name} names a member outside itself, must not; do not use this file, and "
            "fetch it again from where it is published."
        )
    if member.file_size > _LARGEST_MEMBER:
        raise ContractError(
            f"{path.name} holds a member of {member.file_size:,} bytes, must be 4 GiB at most; "
            "unpack it and name the file itself."
        )


def _is_wanted(member: zipfile.ZipInfo) -> bool:
    inside = PurePosixPath(member.filename)
    junk = inside.parts[0] == "__MACOSX" or inside.name.startswith(".")
    return not (member.is_dir() or junk) and inside.suffix.lower() in _ENDINGS


def _opened(
    name: str, data: Path | bytes, known: Collection[str], *, quoted: bool
) -> Iterator[Sheet]:
    ending = PurePosixPath(name).suffix.lower()
    if ending == ".parquet":
        yield _parquet(name, data)
    elif isinstance(data, Path) and ending in tabular.WORKBOOKS:
        yield from _workbook(data, known)
    else:
        yield _csv(name, data, known, quoted=quoted)


def _stream(data: Path | bytes) -> BinaryIO:
    return data.open("rb") if isinstance(data, Path) else io.BytesIO(data)


def _encoding(name: str, data: Path | bytes) -> str:
    """Return how a file's text is encoded: by its mark, else UTF-8 if all of it is, else ANSI."""
    with _stream(data) as file:
        start = file.read(4)
        for mark, encoding in _BOMS:
            if start.startswith(mark):
                return encoding
        file.seek(0)
        sample = file.read(_SAMPLE)
        if b"\0" in sample:
            raise ContractError(
                f"{name} is not a text file, must be; save it as 'CSV UTF-8 (comma delimited)'."
            )
        return next(
            encoding for encoding in ("utf-8", "cp1252", "latin-1") if _decodes(file, encoding)
        )


def _decodes(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _csv(name: str, data: Path | bytes, known: Collection[str], *, quoted: bool) -> Sheet:
    encoding = _encoding(name, data)
    with io.TextIOWrapper(_stream(data), encoding=encoding, newline="") as file:
        lines = file.read(_SAMPLE).splitlines()[: _TITLE_LINES + 1]
    separator = max(_SEPARATORS, key=lambda sign: _best([[*_split(x, sign)] for x in lines], known))
    cells = [[*_split(line, separator)] for line in lines]
    at = _header_row(cells, known)
    if not lines or not any(cell.strip() for cell in cells[at]):
        raise ContractError(f"{name} has no header line; its first line must name the columns.")
    keys = _unique(cells[at])
    ragged: list[int] = []

    def open_reader() -> pa.RecordBatchReader:
        ragged.clear()
        return _csv_reader(name, data, encoding, separator, keys, at + 1, quoted, ragged)

    return Sheet(name, keys, tuple(c.strip() for c in cells[at]), at + 2, open_reader, ragged)


def _split(line: str, separator: str) -> Iterator[str]:
    try:
        yield from next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        yield from line.split(separator)


def _best(rows: Sequence[Sequence[str]], known: Collection[str]) -> tuple[int, int]:
    """Return how well a separator does: known columns in a line, and columns in the first line."""
    most = max((len({key(cell) for cell in row} & set(known)) for row in rows), default=0)
    return most, len(rows[0]) if rows else 0


def _header_row(rows: Sequence[Sequence[object]], known: Collection[str]) -> int:
    """Return the row, of the first, that holds most of the known columns."""
    held = [len({key(str(cell)) for cell in row} & set(known)) for row in rows[:_TITLE_LINES]]
    return held.index(max(held)) if held else 0


def _unique(names: Sequence[object]) -> tuple[str, ...]:
    """Return the key of each column; a second column of one key is told apart, a blank numbered."""
    seen: dict[str, int] = {}
    keys: list[str] = []
    for place, name in enumerate(names):
        its = key(str(name)) or f"column{place + 1}"
        seen[its] = seen.get(its, 0) + 1
        keys.append(its if seen[its] == 1 else f"{its}#{seen[its]}")
    return tuple(keys)


def _csv_reader(
    name: str,
    data: Path | bytes,
    encoding: str,
    separator: str,
    keys: Sequence[str],
    skipped: int,
    quoted: bool,  # noqa: FBT001
    ragged: list[int],
) -> pa.RecordBatchReader:
    def leave_out(row: Any) -> str:
        ragged.append(row.number or 0)
        return "skip"

    def opened(block: int) -> pa.RecordBatchReader:
        return pyarrow.csv.open_csv(
            str(data) if isinstance(data, Path) else io.BytesIO(data),
            read_options=pyarrow.csv.ReadOptions(
                column_names=keys,
                skip_rows=skipped,
                encoding=encoding,
                block_size=block,
                use_threads=False,  # only then does a row know its number
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=separator,
                quote_char='"' if quoted else False,
                newlines_in_values=quoted,
                invalid_row_handler=leave_out,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(keys, pa.string())
            ),
        )

    try:
        return _with_larger_blocks(opened, ragged)
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise ContractError(
            f"{name} cannot be read, every line must have as many values as the header and closed "
            "quotes; export it again."
        ) from error


def _with_larger_blocks(
    opened: Callable[[int], pa.RecordBatchReader], ragged: list[int]
) -> pa.RecordBatchReader:
    """Open a reader whose first block holds whole rows; a later large cell starts it again."""
    small, large = _BLOCKS

    def batches() -> Iterator[pa.RecordBatch]:
        done = 0
        try:
            for batch in first:
                yield batch
                done += batch.num_rows
        except pa.ArrowInvalid as error:
            if "straddling" not in str(error):
                raise
            ragged.clear()
            table = opened(large).read_all().slice(done)
            yield from table.to_batches()

    try:
        first = opened(small)
    except pa.ArrowInvalid as error:
        if "straddling" not in str(error):
            raise
        ragged.clear()
        return opened(large)
    return pa.RecordBatchReader.from_batches(first.schema, batches())


def _parquet(name: str, data: Path | bytes) -> Sheet:
    try:
        source = pyarrow.parquet.ParquetFile(data if isinstance(data, Path) else io.BytesIO(data))
    except (pa.ArrowInvalid, OSError) as error:
        raise ContractError(
            f"{name} cannot be read as Parquet; write it again, or give it as CSV."
        ) from error
    header = tuple(source.schema_arrow.names)
    keys = _unique(header)
    schema = pa.schema([(name, pa.string()) for name in keys])

    def open_reader() -> pa.RecordBatchReader:
        batches = (
            pa.RecordBatch.from_arrays(
                [_as_text(column) for column in batch.columns], schema=schema
            )
            for batch in source.iter_batches()
        )
        return pa.RecordBatchReader.from_batches(schema, batches)

    return Sheet(name, keys, header, 1, open_reader)


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us")).cast(pa.date32())
    return column.cast(pa.string()).fill_null("")


def _workbook(path: Path, known: Collection[str]) -> Iterator[Sheet]:
    titles = tabular.sheets(path)
    for title in titles:
        label = path.name if len(titles) == 1 else f"{path.name} ({title})"
        try:
            yield _page(label, tabular.read(path, known=known, sheet=title).fillna(""))
        except ContractError:
            # A sheet of notes is no table; a file without any table is refused by `sheets`.
            continue


def _page(name: str, page: pd.DataFrame) -> Sheet:
    header = tuple(map(str, page.columns))
    keys = _unique(header)
    first = int(page.index.min()) if len(page) else 2

    def open_reader() -> pa.RecordBatchReader:
        table = pa.Table.from_pandas(
            page.set_axis(keys, axis=1).astype("str"), preserve_index=False
        )
        return table.cast(pa.schema([(name, pa.string()) for name in keys])).to_reader()

    return Sheet(name, keys, header, first, open_reader)
