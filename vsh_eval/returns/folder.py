"""The returns, opened: typed tables, and nothing written anywhere."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from re import search
from types import TracebackType
from typing import Self

import duckdb

from vsh_eval import academic_year
from vsh_eval.contracts import (
    RETURNS,
    Column,
    ContractError,
    Message,
    SettingsError,
    Table,
    row_count,
)
from vsh_eval.returns.columns import (
    DATE_PATTERNS,
    SQL_TYPES,
    DateFormat,
    literal,
    quoted,
    stored_otherwise,
    typed,
    written_as,
)
from vsh_eval.returns.files import Format, Source, find, open_source, open_table, require_tables
from vsh_eval.returns.formats import Reading, counted, note, read_files
from vsh_eval.returns.formats.rows import connect
from vsh_eval.returns.reorganised import predecessors, same_area
from vsh_eval.settings import Files

READING = "reading"
"""The schema of the tables with two further columns, ``blank_bits`` and ``unread_bits``.

Bit i stands for the contract's column i: blank in the file, or filled with what cannot be read.
"""

_EVERY_CELL = -1
"""The ``blank_bits`` of a row in which every cell of the file is blank."""

ONS_CODE = r"[EWSN]\d{8}"
"""What an authority's code looks like; others, such as DfE's three digits, cannot be compared."""
OTHERS = """
    WITH RECURSIVE own(urn) AS (
        FROM reading.schools SELECT urn WHERE list_contains($own, la_code) UNION
        SELECT link.urn FROM reading.school_links AS link, reading.schools AS school, own
        WHERE link.successor_urn = own.urn AND link.urn = school.urn
        AND list_contains($before, school.la_code)
    )
    FROM reading.schools SELECT urn
    WHERE NOT list_contains($own, la_code) AND regexp_full_match(la_code, $form)
        AND urn NOT IN (FROM own) AND EXISTS (FROM own)
"""
"""Schools of other authorities, in a folder that has some of the authority's own.

One that closed under the authority of which this one was formed is its own where a link leads from
it to one of its own.
"""


@dataclass(frozen=True, slots=True)
class Returns:
    """The returns of one authority, typed; in memory, or read in place where they are typed.

    Attributes
    ----------
    connection : DuckDBPyConnection
        Holds a view for every table of the contract, named as the table. An optional column that
        a file lacks is NULL; an optional table that the folder lacks is empty.
    folder : Path or None
        Where the tables are that are ready.
    tables : tuple of str
        The tables that are given, in the contract's order.
    formats : mapping of str to {"csv", "parquet", "files"}
        How each of them is stored; ``files``: made of the files that the authority holds.
    covariates : tuple of str
        The further numeric columns of ``schools``.
    left_out : tuple of str
        Further columns of ``schools`` of which half or more, but not all, are numbers.
    years : tuple of int or None
        The academic years asked for; None takes those of the attendance.
    notes : tuple of Message
        What the readers of the authority's files left out or could not know.
    """

    connection: duckdb.DuckDBPyConnection
    folder: Path | None
    tables: tuple[str, ...]
    formats: Mapping[str, Format]
    covariates: tuple[str, ...]
    left_out: tuple[str, ...]
    years: tuple[int, ...] | None = None
    notes: tuple[Message, ...] = ()

    def close(self) -> None:
        """Let the tables go."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_returns(
    folder: Path | None = None,
    *,
    files: Files | None = None,
    authority: str = "",
    every_school: bool = False,
    years: tuple[int, ...] | None = None,
    programmes: tuple[str, ...] = (),
) -> Returns:
    """Open the returns: tables that are ready (one file a table) and files as they are held.

    Every column is read as text first, so ``007`` stays ``007``; then each becomes its contract's
    type by one rule for the whole column. Blanks and whitespace are NULL. What cannot be read is
    NULL too and is counted by `check`: nothing is repaired, and no row is dropped but those in
    which every cell is blank, which a note counts. Parquet that is stored just as that rule would
    leave it is not loaded: its view reads the file.

    Parameters
    ----------
    folder : Path, optional
        Holds ``<table>.csv`` (UTF-8, comma) or ``<table>.parquet`` or a folder ``<table>`` of
        Parquet parts.
    files : Files, optional
        The authority's files by family; a table of the folder goes before theirs. Together they
        give every table that the contract requires.
    authority : str
        The authority's ONS code, for files and tables that hold several authorities.
    every_school : bool
        Whether rows of other authorities' schools count too. They are else left out of the views,
        where some schools have the authority's code and others another one.
    years : tuple of int, optional
        The academic years that the evaluation asks for, such as ``(202122, 202223)``. They guide
        the checks; rows of other years are kept, as earlier years explain later ones.
    programmes : tuple of str
        The programmes of training that the params declare: a training log may write their codes.

    Returns
    -------
    opened : Returns
        A database that writes no file: VARCHAR, BIGINT, DOUBLE and DATE; an academic year is
        202324.

    Raises
    ------
    ContractError
        In one sentence, where reading cannot go on: a folder, table or required column is
        missing, a table is there twice, a file is not UTF-8 or broken, a column is named twice,
        or a date column has no one format. What a message says is never a pupil's.

    Examples
    --------
    >>> open_returns(Path("nowhere"))
    Traceback (most recent call last):
    ...
    vsh_eval.contracts.ContractError: folder 'nowhere' of the returns does not exist; name the \
folder that holds schools.csv and the other tables.
    """
    wanted = None if years is None else tuple(sorted(set(map(academic_year.parse, years))))
    paths, reading = _files_and_reading(folder, files, authority, programmes)
    connection = connect()
    try:
        sources = dict(_sources(paths, reading, connection))
        date_formats: dict[str, DateFormat] = {
            f"{name}.{column}": form
            for name, source in sources.items()
            for column, form in _date_formats(connection, source).items()
        }
        covariates, left_out = _covariates(connection, sources["schools"])
        blank_rows: list[Message] = []
        for name, table in RETURNS.items():
            further = covariates if name == "schools" else ()
            blank_rows += _create(connection, table, sources.get(name), date_formats, further)
        if authority and not every_school:
            _leave_out_others(connection, authority)
    except BaseException:
        connection.close()
        raise
    return Returns(
        connection=connection,
        folder=None if folder is None else Path(folder),
        tables=tuple(sources),
        formats={name: source.format for name, source in sources.items()},
        covariates=covariates,
        left_out=left_out,
        years=wanted,
        notes=(*reading.notes, *_passed_over(paths, reading), *blank_rows),
    )


def _passed_over(paths: Mapping[str, Path], reading: Reading) -> Iterator[Message]:
    """Note every table of the files in whose place one of the folder was read."""
    for name, path in paths.items():
        if name in reading.tables:
            rows = len(reading.tables[name])
            yield note("ready_table_first", file=path.name, rows=rows, family="folder", table=name)


def identifiers(folder: Path | None, *, files: Files, authority: str) -> frozenset[str]:
    """Return every pupil identifier in the returns, for the egress check to look for.

    Parameters
    ----------
    folder, files, authority
        As for `open_returns`. Only identifiers are read, those of other authorities' schools too.

    Returns
    -------
    frozenset of str
        It stays inside: nothing that leaves may hold one of them.
    """
    paths, reading = _files_and_reading(folder, files, authority)
    with connect() as connection:
        everyone = " UNION ".join(
            f"(FROM {source.relation} SELECT {source.columns['pupil_id']} AS pupil_id)"
            for _, source in _sources(paths, reading, connection)
            if "pupil_id" in source.table.column_names
        )
        rows = connection.execute(f"FROM ({everyone}) WHERE pupil_id IS NOT NULL").fetchall()
    return frozenset(row[0] for row in rows)


def _files_and_reading(
    folder: Path | None, files: Files | None, authority: str, programmes: tuple[str, ...] = ()
) -> tuple[dict[str, Path], Reading]:
    """Return the files of the tables that are ready, and what the authority's files give."""
    paths = {} if folder is None else find(Path(folder))
    reading = read_files(files or Files(), authority=authority, programmes=programmes)
    require_tables({*paths, *reading.tables}, None if folder is None else Path(folder))
    return paths, reading


def _sources(
    paths: Mapping[str, Path], reading: Reading, connection: duckdb.DuckDBPyConnection
) -> Iterator[tuple[str, Source]]:
    """Yield what gives each table, in the contract's order; a table that is ready goes first."""
    for name, table in RETURNS.items():
        if name in paths:
            yield name, open_source(paths[name], table=table, connection=connection)
        elif name in reading.tables:
            yield name, open_table(reading.tables[name], table=table, connection=connection)


def write_tables(returns: Returns, folder: Path) -> Path:
    """Write every table as CSV into a new folder, for the authority's own eyes: they hold pupils.

    The folder can be opened again as tables that are ready.

    Parameters
    ----------
    returns : Returns
        From `open_returns`.
    folder : Path
        A folder that does not exist or is empty, in no folder named release.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    SettingsError
        If the folder is one of a release or holds files already; nothing is written then.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as here:
    ...     for table in RETURNS.values():
    ...         file = Path(here, f"{table.name}.csv")
    ...         _ = file.write_text(",".join(table.column_names))
    ...     written = write_tables(open_returns(Path(here)), Path(here, "new"))
    ...     len(list(written.iterdir()))
    8
    """
    refuse_release(folder)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise SettingsError(
            f"folder {folder.name} holds files, must be empty; name a new folder for the tables."
        )
    building = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    for name in RETURNS:
        file = literal((building / f"{name}.csv").as_posix())
        returns.connection.execute(f"COPY (FROM {name}) TO {file} (FORMAT csv, HEADER true)")
    if folder.is_dir():
        folder.rmdir()
    return building.rename(folder)


def refuse_release(path: Path) -> None:
    """Refuse a place inside a release, where nothing of a pupil may lie.

    Raises
    ------
    SettingsError
        If a folder above it, or it, is named release.

    Examples
    --------
    >>> refuse_release(Path("outputs/demo/release/tables"))
    Traceback (most recent call last):
    ...
    vsh_eval.contracts.SettingsError: tables lies in a folder named release, must not, as it holds \
numbers or rows of pupils; name a place that stays in the authority.
    """
    if "release" in (part.casefold() for part in path.resolve().parts):
        raise SettingsError(
            f"{path.name} lies in a folder named release, must not, as it holds numbers or rows of "
            "pupils; name a place that stays in the authority."
        )


def _read(connection: duckdb.DuckDBPyConnection, source: Source, sql: str) -> list[tuple]:
    """Run SQL over a file; DuckDB's own message would quote the line, so it is not passed on."""
    try:
        return connection.execute(sql).fetchall()
    except duckdb.Error as error:
        line = search(r"CSV Error on Line: (\d+)", str(error))
    where = f" from line {int(line[1]):,} on" if line else ""
    raise ContractError(
        f"{source.label} cannot be read{where}, every line must have as many values as the header "
        "and closed quotes; export it again."
    )


def _date_formats(connection: duckdb.DuckDBPyConnection, source: Source) -> dict[str, DateFormat]:
    """Decide the format of each date column from the whole column."""
    dates = [c for c in source.table.columns if c.kind == "date" and c.name in source.columns]
    if all(source.stored.get(c.name) == "DATE" for c in dates):
        return {c.name: "yyyy-mm-dd" for c in dates}
    texts = ", ".join(f"{source.columns[c.name]} AS t{i}" for i, c in enumerate(dates))
    counts = ", ".join(
        f"count(t{i}), " + ", ".join(f"count_if({written_as(f't{i}', f)})" for f in DATE_PATTERNS)
        for i, _ in enumerate(dates)
    )
    (row,) = _read(
        connection, source, f"FROM (FROM {source.relation} SELECT {texts}) SELECT {counts}"
    )
    each = 1 + len(DATE_PATTERNS)
    return {
        column.name: _date_format(
            source,
            column,
            row[each * i],
            dict(zip(DATE_PATTERNS, row[each * i + 1 : each * (i + 1)], strict=True)),
        )
        for i, column in enumerate(dates)
    }


def _date_format(
    source: Source, column: Column, filled: int, rows: Mapping[DateFormat, int]
) -> DateFormat:
    """Return the one form of a date column, or refuse one that has several or none."""
    written = {form: n for form, n in rows.items() if n}
    if len(written) > 1:
        counts = " and as ".join(f"{form} in {row_count(n)}" for form, n in written.items())
        raise ContractError(
            f"{source.label} writes {column.name} as {counts}, must keep to one format a column; "
            "export the dates again in one."
        )
    if filled and not written:
        raise ContractError(
            f"{source.label} writes {column.name} neither as {' nor as '.join(rows)} (rows "
            f"with a value: {filled:,}), must keep to one of them; export the dates again."
        )
    forms: list[DateFormat] = [form for form, n in rows.items() if n]
    return forms[0] if forms else "yyyy-mm-dd"


def _covariates(
    connection: duckdb.DuckDBPyConnection, schools: Source
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the further columns of schools that are numeric, and those that almost are."""
    further = [name for name in schools.columns if name not in schools.table.column_names]
    if not further:
        return (), ()
    texts = ", ".join(f"{schools.columns[name]} AS t{i}" for i, name in enumerate(further))
    counts = ", ".join(
        f"count(t{i}), count({typed(f't{i}', 'number')})" for i, _ in enumerate(further)
    )
    (row,) = _read(
        connection, schools, f"FROM (FROM {schools.relation} SELECT {texts}) SELECT {counts}"
    )
    share = {name: row[2 * i + 1] / row[2 * i] for i, name in enumerate(further) if row[2 * i] > 0}
    return (
        tuple(name for name, numbers in share.items() if numbers == 1),
        tuple(name for name, numbers in share.items() if 0.5 <= numbers < 1),
    )


def _create(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    source: Source | None,
    date_formats: Mapping[str, DateFormat],
    covariates: tuple[str, ...],
) -> tuple[Message, ...]:
    """Make a table of the reading schema and the view that everybody else sees.

    Returns
    -------
    tuple of Message
        How many rows without any value were passed over, if any.
    """
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {READING}")
    columns = (*table.columns, *(Column(name, "number", required=False) for name in covariates))
    if source is None:
        empty = ", ".join(f"CAST(NULL AS {SQL_TYPES[c.kind]}) AS {quoted(c.name)}" for c in columns)
        kind, rows = "TABLE", f"SELECT {empty}, 0 AS blank_bits, 0 AS unread_bits LIMIT 0"
    elif _stored_typed(connection, source, columns):
        kind, rows = "VIEW", _in_place(source, columns)
    else:
        kind, rows = "TABLE", _read_as_text(source, columns, date_formats)
    statement = f"CREATE {kind} {READING}.{table.name} AS {rows}"
    if source is None:
        connection.execute(statement)
    else:
        _read(connection, source, statement)
    names = ", ".join(quoted(c.name) for c in columns)
    connection.execute(f"CREATE VIEW {table.name} AS FROM {READING}.{table.name} SELECT {names}")
    if source is None or kind == "VIEW":
        return ()
    delete = f"DELETE FROM {READING}.{table.name} WHERE blank_bits = {_EVERY_CELL}"  # noqa: S608
    blank = connection.execute(delete).fetchall()[0][0]
    family = "identity" if source.format == "files" else "folder"
    return counted(file=source.path.name, family=family, blank_rows=blank)


def _stored_typed(
    connection: duckdb.DuckDBPyConnection, source: Source, columns: tuple[Column, ...]
) -> bool:
    """Whether a file's values are just what reading them as text would make of them."""
    present = [c for c in columns if c.name in source.columns]
    otherwise = [stored_otherwise(c.name, source.stored.get(c.name, ""), c.kind) for c in present]
    otherwise.append(" AND ".join(f"{quoted(c.name)} IS NULL" for c in present))
    if "true" in otherwise:
        return False
    counts = ", ".join(f"coalesce(bool_or({condition}), false)" for condition in otherwise)
    ((*differs,),) = _read(connection, source, f"FROM {source.relation} SELECT {counts}")
    return not any(differs)


def _in_place(source: Source, columns: tuple[Column, ...]) -> str:
    """Write the SQL of a table whose file is read whenever the table is."""
    values = ", ".join(
        quoted(c.name)
        if c.name in source.columns
        else f"CAST(NULL AS {SQL_TYPES[c.kind]}) AS {quoted(c.name)}"
        for c in columns
    )
    present = [(1 << i, c) for i, c in enumerate(source.table.columns) if c.name in source.columns]
    blank = " + ".join(f"{bit} * CAST({quoted(c.name)} IS NULL AS INTEGER)" for bit, c in present)
    return f"FROM {source.relation} SELECT {values}, {blank} AS blank_bits, 0 AS unread_bits"


def _read_as_text(
    source: Source, columns: tuple[Column, ...], date_formats: Mapping[str, DateFormat]
) -> str:
    """Write the SQL that makes a table of a file, every column read as text first."""
    texts = ", ".join(
        f"{source.columns.get(c.name, 'CAST(NULL AS VARCHAR)')} AS t{i}"
        for i, c in enumerate(columns)
    )
    forms: list[DateFormat] = [
        date_formats.get(f"{source.table.name}.{c.name}", "yyyy-mm-dd") for c in columns
    ]
    values = ", ".join(
        f"{typed(f't{i}', c.kind, form)} AS v{i}"
        for i, (c, form) in enumerate(zip(columns, forms, strict=True))
    )
    shown = ", ".join(f"v{i} AS {quoted(c.name)}" for i, c in enumerate(columns))
    bits = ", ".join(_bits(source.table, source))
    known = source.table.column_names
    others = [text for name, text in source.columns.items() if name not in known]
    return (
        f"FROM (FROM (FROM {source.relation} SELECT {texts}, "
        f"coalesce({', '.join([*others, 'NULL'])}) AS other) SELECT *, {values}) "
        f"SELECT {shown}, {bits}"
    )


_CLOSED_INTO_OTHERS = """
    INSERT INTO reading.others WITH RECURSIVE closed(urn) AS (
        FROM reading.others UNION
        SELECT link.urn FROM reading.school_links AS link, closed
        WHERE link.successor_urn = closed.urn
    )
    FROM closed SELECT DISTINCT urn WHERE urn NOT IN (FROM reading.others)
    AND urn NOT IN (SELECT urn FROM reading.schools WHERE urn IS NOT NULL)
    AND urn NOT IN (SELECT link.urn FROM reading.school_links AS link, reading.schools AS school
        WHERE link.successor_urn = school.urn AND link.urn IS NOT NULL
        AND school.urn NOT IN (FROM reading.others))
"""
"""Schools that are in the links alone, whose successors are all of other authorities."""


def _leave_out_others(connection: duckdb.DuckDBPyConnection, authority: str) -> None:
    """Leave other authorities' schools, and what is of them, out of the views."""
    codes = {"own": [*same_area(authority)], "before": [*predecessors(authority)], "form": ONS_CODE}
    others = [row[0] for row in connection.execute(OTHERS, codes).fetchall()]
    if not others:
        return
    connection.execute("CREATE TABLE reading.others (urn VARCHAR)")
    connection.execute("INSERT INTO reading.others SELECT unnest(?)", [others])
    connection.execute(_CLOSED_INTO_OTHERS)
    for name, table in RETURNS.items():
        places = [column for column in ("urn", "successor_urn") if column in table.column_names]
        own = " AND ".join(
            f"({place} IS NULL OR {place} NOT IN (FROM {READING}.others))" for place in places
        )
        if own:
            connection.execute(
                f"CREATE OR REPLACE VIEW {name} AS FROM {READING}.{name} "
                f"SELECT * EXCLUDE (blank_bits, unread_bits) WHERE {own}"
            )


def _bits(table: Table, source: Source) -> Iterator[str]:
    present = [i for i, c in enumerate(table.columns) if c.name in source.columns]
    blank = " + ".join(f"{1 << i} * CAST(t{i} IS NULL AS INTEGER)" for i in present)
    unread = " + ".join(
        f"{1 << i} * CAST(t{i} IS NOT NULL AND v{i} IS NULL AS INTEGER)" for i in present
    )
    every = f"other IS NULL AND {blank} = {sum(1 << i for i in present)}"
    yield f"if({every}, {_EVERY_CELL}, {blank}) AS blank_bits"
    yield f"{unread} AS unread_bits"
