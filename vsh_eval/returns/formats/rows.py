"""Files of rows: CSV of any separator and encoding, Parquet, workbooks, zip archives of these.

Every cell is text here, and every column is found by its name and never by its position.
"""

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path, PurePosixPath
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv

from vsh_eval.contracts import ContractError, Message
from vsh_eval.returns.columns import as_text, quoted
from vsh_eval.returns.formats.reading import note

compute: Any = pyarrow.compute  # its functions are made when it is imported
_SAMPLE = 1 << 16
_CHUNK = 1 << 22
_BLOCKS = (1 << 20, 1 << 27)
"""Bytes read at a time: the second only for a file with a cell larger than the first."""
_TITLE_LINES = 20
_LARGEST_MEMBER = 1 << 30
_SEPARATORS = ",;\t|"
_ENCODINGS = ("utf-8", "cp1252", "latin-1")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_ENDINGS = (".csv", ".txt", ".tab", ".tsv", ".parquet")
_ERRORS = r"^#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)$"
_BLANK = " \t\r\n\u00a0"
_SIGNS = re.compile(r"[\W_]+")
"""What stands between the letters and digits of a name."""

Data = Path | bytes

# Arrow's other pools keep what they have freed, several times what a return needs.
pa.set_memory_pool(pa.system_memory_pool())


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of a file: its columns by key, and its rows, which can be read again.

    Attributes
    ----------
    name : str
        The file, and its member or worksheet where it has several.
    header : tuple of str
        The columns as they are written.
    first_row : int
        The row of the file that the first row of data stands in, from 1, as a spreadsheet counts.
    open : callable
        Gives a RecordBatchReader of text columns named by `keys`; blank cells are ''. Called with
        True it also gives rows without any value.
    ragged : list of int
        The rows that had too many or too few values and were left out, once the sheet is read.
    """

    name: str
    header: tuple[str, ...]
    first_row: int
    open: Callable[[bool], pa.RecordBatchReader]
    ragged: list[int] = field(default_factory=list)

    @property
    def keys(self) -> tuple[str, ...]:
        """The `key` of each column; one that stands twice has ``#2`` the second time."""
        return _unique(self.header)

    def held(self, names: Iterable[str]) -> str | None:
        """Return the first of some keys that the sheet has.

        Raises
        ------
        ContractError
            If it names that column twice.
        """
        keys = set(self.keys)
        column = next((name for name in names if name in keys), None)
        if f"{column}#2" in keys:
            raise ContractError(
                f"{self.name} names the column {column} of its header more than once, must name it "
                "once; rename or remove the others."
            )
        return column

    def text(self, *names: str) -> str:
        """Write the SQL of a column's text, blank as NULL: the first of the keys it has."""
        held = self.held(names)
        return "CAST(NULL AS VARCHAR)" if held is None else as_text(quoted(held))


def key(name: object) -> str:
    r"""Return what a column's name is matched by: its letters and digits, or else its signs.

    Examples
    --------
    >>> key("LA (code)"), key("date_of_birth "), key("/"), key("\\\\")
    ('lacode', 'dateofbirth', '/', '\\\\')
    """
    written = str(name)
    return _SIGNS.sub("", written.casefold()) or written.strip()


def connect() -> duckdb.DuckDBPyConnection:
    """Open a database in memory that writes nothing to a disk, asks no network and frees memory."""
    return duckdb.connect(
        ":memory:",
        config={
            "temp_directory": "",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allocator_background_threads": "true",
        },
    )


def select(columns: Mapping[str, str]) -> str:
    """Write the SQL that makes columns of a sheet."""
    selected = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in columns.items())
    return f"FROM sheet SELECT {selected}"


def load(
    connection: duckdb.DuckDBPyConnection, table: str, sheet: Sheet, sql: str
) -> tuple[Message, ...]:
    """Add to a table what SQL makes of a sheet, which it knows as ``sheet``, as it is read.

    Returns
    -------
    tuple of Message
        How many rows were left out for their length, if any.

    Raises
    ------
    ContractError
        If the file turns out to be broken on the way.
    """
    connection.register("sheet", sheet.open(False))  # noqa: FBT003
    there = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [table])
    start = f"INSERT INTO {table} BY NAME" if there.fetchall()[0][0] else f"CREATE TABLE {table} AS"
    try:
        connection.execute(f"{start} {sql}").fetchall()
    except duckdb.ProgrammingError:
        raise
    except (duckdb.Error, pa.ArrowException, UnicodeError):
        raise broken(sheet.name) from None
    finally:
        connection.unregister("sheet")
    return ragged_note(sheet)


def ragged_note(sheet: Sheet) -> tuple[Message, ...]:
    """Say how many rows of a sheet were left out for their length, and the first of them."""
    rows = sheet.ragged
    if not rows:
        return ()
    return (note("rows_of_another_length", file=sheet.name, rows=len(rows), first_row=min(rows)),)


def frame(sheet: Sheet) -> pd.DataFrame:
    """Return a sheet's rows as text: blanks (also no-break spaces, Excel's ``#N/A``) are NA.

    Returns
    -------
    DataFrame
        The columns are named by `key`; the index, ``row``, is the row in the file. Rows without
        any value are left out.

    Raises
    ------
    ContractError
        If the file is broken.
    """
    try:
        table = sheet.open(True).read_all()  # noqa: FBT003
    except (pa.ArrowException, UnicodeError):
        raise broken(sheet.name) from None
    left_out = set(sheet.ragged)
    numbers = range(sheet.first_row, sheet.first_row + table.num_rows + len(left_out))
    named = [name for name in sheet.keys if not re.fullmatch(r"column\d+", name)]
    rows = pd.DataFrame({name: text(table[name]) for name in named})
    rows.index = pd.Index([at for at in numbers if at not in left_out], name="row", dtype="int64")
    return rows.dropna(how="all")


def text(column: pa.ChunkedArray) -> pd.Series:
    """Return a column of text without blanks around it, NA where nothing is left."""
    bare = compute.utf8_trim(column.cast(pa.large_string()), _BLANK)
    blank = compute.or_(compute.equal(bare, ""), compute.match_substring_regex(bare, _ERRORS))
    return compute.if_else(blank, None, bare).to_pandas().astype("str")


def renamed(sheet: Sheet, table: pd.DataFrame, layout: Mapping[str, Iterable[str]]) -> pd.DataFrame:
    """Return the columns of a layout by our names; NA where the sheet has none of its names.

    Parameters
    ----------
    sheet, table : Sheet, DataFrame
        A sheet, and rows of its `frame`.
    layout : mapping of str to iterable of str
        Our name: the names that the column has had, matched by `key`; the first that is there
        counts.
    """
    held = {ours: sheet.held(map(key, theirs)) for ours, theirs in layout.items()}
    blank = pd.Series(pd.NA, index=table.index, dtype="str")
    columns = {ours: table[name] if name else blank for ours, name in held.items()}
    return pd.DataFrame(columns, index=table.index)


def sheets(path: Path, *, known: Sequence[str], unquoted: bool = False) -> list[Sheet]:
    r"""Open a file of rows: CSV (any separator and encoding), Parquet, a workbook, a zip of these.

    Parameters
    ----------
    path : Path
        The file.
    known : sequence of str
        Names that the header may hold, matched by `key`. The header is that line of the first 20
        that holds most of them, so a title line or ``sep=;`` above it does no harm.
    unquoted : bool
        Whether a quote mark is a sign like any other. Some services write so.

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
    ...     _ = path.write_bytes("School log\nURN;Café\n100000;a \n".encode("cp1252"))
    ...     frame(sheets(path, known={"URN"})[0]).reset_index().to_dict("records")
    [{'row': 3, 'urn': '100000', 'café': 'a'}]
    """
    path = Path(path)
    if not path.is_file():
        raise ContractError(f"file {path.name} does not exist; correct its name in source.files.")
    keys = set(map(key, known))
    with_header = [
        sheet
        for name, data in _files(path)
        for sheet in _opened(name, data, keys, unquoted=unquoted)
        if keys & set(sheet.keys)
    ]
    if not with_header:
        raise ContractError(
            f"{path.name} has no header line with one of {', '.join([*dict.fromkeys(known)][:6])}; "
            "name another file, or its columns where its family of source.files takes them."
        )
    return with_header


def broken(name: str) -> ContractError:
    """Refuse a file that is no table of rows; what a parser says would quote a line of it."""
    return ContractError(
        f"{name} cannot be read, every line must have as many values as the header and closed "
        "quotes; export or download it again."
    )


def _files(path: Path) -> Iterator[tuple[str, Data]]:
    """Yield a file, or the members of an archive, which are never written to the disk."""
    if path.suffix.lower() != ".zip" and not zipfile.is_zipfile(path):
        yield path.name, path
        return
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            for member in members:
                _refuse_member(path, member)
            if path.suffix.lower() in WORKBOOKS:
                yield path.name, path
                return
            for member in filter(_is_wanted, members):
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
            f"{path.name} holds a member of {member.file_size:,} bytes, must be 1 GiB at most; "
            "unpack it and name the file itself."
        )


def _is_wanted(member: zipfile.ZipInfo) -> bool:
    inside = PurePosixPath(member.filename)
    junk = inside.parts[0] == "__MACOSX" or inside.name.startswith(".")
    return not (member.is_dir() or junk) and inside.suffix.lower() in _ENDINGS


def _opened(name: str, data: Data, known: Collection[str], *, unquoted: bool) -> Iterable[Sheet]:
    ending = PurePosixPath(name).suffix.lower()
    if ending == ".parquet":
        return [_parquet(name, data)]
    if isinstance(data, Path) and ending in WORKBOOKS:
        return _workbook(data, known)
    return [_csv(name, data, known, unquoted=unquoted)]


def _stream(data: Data) -> Any:
    return data.open("rb") if isinstance(data, Path) else io.BytesIO(data)


# --- CSV


def _encoding(name: str, data: Data) -> str:
    """Return how a file's text is encoded: by its mark, else UTF-8 if all of it is, else ANSI."""
    with _stream(data) as file:
        start = file.read(_SAMPLE)
        if start.startswith(_UTF_16):
            return "utf-16"
        if b"\0" in start:
            raise ContractError(
                f"{name} is not a text file, must be; save it as 'CSV UTF-8 (comma delimited)'."
            )
        return next(encoding for encoding in _ENCODINGS if _decodes(file, encoding))


def _decodes(file: Any, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _csv(name: str, data: Data, known: Collection[str], *, unquoted: bool) -> Sheet:
    encoding = _encoding(name, data)
    with io.TextIOWrapper(_stream(data), encoding, errors="replace", newline="") as file:
        start = file.read(_SAMPLE).removeprefix("\ufeff")
    lines = re.split("\r\n|\n|\r", start)[:_TITLE_LINES]
    by_separator = {sign: [[*_split(line, sign)] for line in lines] for sign in _SEPARATORS}
    separator = max(by_separator, key=lambda sign: _best(by_separator[sign], known))
    cells = by_separator[separator]
    at = _header_row(cells, known)
    quoted_cells = not unquoted or lines[at].startswith('"')  # another program has saved it
    if not any(cell.strip() for cell in cells[at]):
        raise ContractError(f"{name} has no header line; its first line must name the columns.")
    header = tuple(cell.strip() for cell in cells[at])
    ragged: list[int] = []
    keys = _unique(header)

    def open_reader(blank: bool) -> pa.RecordBatchReader:  # noqa: FBT001
        ragged.clear()

        def leave_out(row: Any) -> str:
            if row.text.strip(_BLANK + separator):
                ragged.append(row.number)
            return "skip"

        def opened(block: int) -> pa.RecordBatchReader:
            return pyarrow.csv.open_csv(
                str(data) if isinstance(data, Path) else io.BytesIO(data),
                read_options=pyarrow.csv.ReadOptions(
                    column_names=keys,
                    skip_rows=at + 1,
                    encoding=encoding,
                    block_size=block,
                    use_threads=False,  # only then does a row know its number
                ),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=separator,
                    quote_char='"' if quoted_cells else False,
                    newlines_in_values=quoted_cells,
                    ignore_empty_lines=not blank,
                    invalid_row_handler=leave_out,
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(keys, pa.string())
                ),
            )

        try:
            reader = _with_larger_blocks(opened, ragged)
        except (pa.ArrowException, UnicodeError):
            raise broken(name) from None
        return (
            reader
            if blank
            else pa.RecordBatchReader.from_batches(reader.schema, map(_filled, reader))
        )

    return Sheet(name, header, at + 2, open_reader, ragged)


def _split(line: str, separator: str) -> Iterator[str]:
    try:
        yield from next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        yield from line.split(separator)


def _best(rows: Sequence[Sequence[str]], known: Collection[str]) -> tuple[int, int]:
    """Return how well a separator does: known columns in a line, and columns in the first line."""
    return max(len({key(cell) for cell in row} & set(known)) for row in rows), len(rows[0])


def _header_row(rows: Sequence[Sequence[object]], known: Collection[str]) -> int:
    """Return the row, of the first, that holds most of the known columns."""
    held = [len(set(map(key, row)) & set(known)) for row in rows[:_TITLE_LINES]]
    return held.index(max(held))


def _unique(names: Sequence[object]) -> tuple[str, ...]:
    """Return the key of each column; a second column of one key is told apart, a blank numbered."""
    seen: dict[str, int] = {}
    keys: list[str] = []
    for place, name in enumerate(names):
        its = key(name) or f"column{place + 1}"
        seen[its] = seen.get(its, 0) + 1
        keys.append(its if seen[its] == 1 else f"{its}#{seen[its]}")
    return tuple(keys)


def _filled(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Leave out the rows that hold separators only, as spreadsheets write below a table."""
    empty = pa.scalar(value=True)
    for column in batch.columns:
        empty = compute.and_(empty, compute.equal(column, ""))
        if not compute.any(empty).as_py():
            return batch
    return batch.filter(compute.invert(empty))


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


# --- Parquet and workbooks


def _parquet(name: str, data: Data) -> Sheet:
    from pyarrow import parquet

    try:
        source = parquet.ParquetFile(data if isinstance(data, Path) else io.BytesIO(data))
    except (pa.ArrowException, OSError) as error:
        raise ContractError(
            f"{name} cannot be read as Parquet; write it again, or give it as CSV."
        ) from error
    header = tuple(source.schema_arrow.names)
    schema = _schema(header)

    def open_reader(blank: bool) -> pa.RecordBatchReader:  # noqa: ARG001, FBT001
        batches = (
            pa.RecordBatch.from_arrays([_cells(column) for column in batch.columns], schema=schema)
            for batch in source.iter_batches()
        )
        return pa.RecordBatchReader.from_batches(schema, batches)

    return Sheet(name, header, 1, open_reader)


def _schema(header: Sequence[object]) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in _unique(header)])


def _cells(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us")).cast(pa.date32())
    return column.cast(pa.string()).fill_null("")


def _workbook(path: Path, known: Collection[str]) -> Iterator[Sheet]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        for title in book.sheet_names:
            cells = book.get_sheet_by_name(title).to_python(skip_empty_area=False)
            label = path.name if len(book.sheet_names) == 1 else f"{path.name} ({title})"
            if any(map(any, cells)):
                yield _page(label, [[cell_text(cell) for cell in row] for row in cells], known)
    except (CalamineError, ValueError, OSError) as error:
        raise ContractError(
            f"{path.name} cannot be opened as a workbook; save it again as .xlsx without a "
            "password, or as CSV."
        ) from error


def _page(name: str, cells: list[list[str]], known: Collection[str]) -> Sheet:
    at = _header_row(cells, known)
    schema = _schema(cells[at])
    ragged: list[int] = []

    def open_reader(blank: bool) -> pa.RecordBatchReader:  # noqa: FBT001
        body = [row for row in cells[at + 1 :] if blank or any(row)]
        columns = zip(*body, strict=True) if body else [()] * len(schema)
        return pa.Table.from_arrays(
            [pa.array(column, pa.string()) for column in columns], schema=schema
        ).to_reader()

    return Sheet(name, tuple(name.strip() for name in cells[at]), at + 2, open_reader, ragged)


def cell_text(value: object) -> str:
    """Write a workbook's or a database's value as a CSV would hold it.

    Examples
    --------
    >>> cell_text(3.0), cell_text(datetime(2024, 2, 1)), cell_text(True)
    ('3', '2024-02-01', '1')
    """
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))
    return str(value)
