"""Tables as people and systems save them: CSV of any encoding and delimiter, and workbooks."""

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path

import pandas as pd

from vsh_eval.contracts import ContractError

WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_ENCODINGS = ("utf_8", "cp1252", "iso8859_1", "utf_16", "utf_16_le", "utf_16_be")
_DELIMITERS = (",", "\t", ";", "|")
_LOOK_FOR_HEADER = 20
_DATE = (
    r"^(?:(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"
    r"|(?P<d2>\d{1,2})[/.-](?P<m2>\d{1,2})[/.-](?P<y2>\d{4}))(?:[ T]\d{1,2}:\d{2}.*)?$"
)
_ERRORS = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)")


def key(name: object) -> str:
    """Return what a column's name is matched by: its letters and digits.

    Examples
    --------
    >>> key("Date of Birth "), key("date_of_birth"), key("Establishment - URN")
    ('dateofbirth', 'dateofbirth', 'establishmenturn')
    """
    return "".join(sign for sign in str(name).casefold() if sign.isalnum())


def read(
    path: Path, *, known: Collection[str] = (), sheet: str | None = None, empty: bool = False
) -> pd.DataFrame:
    r"""Read a table as text.

    Parameters
    ----------
    path : Path
        A CSV or other delimited file, or a workbook (by its suffix).
    known : collection of str
        Names of columns that the table may have. Of the first twenty rows the one with most of
        them is the header; without any, the first row that is not empty is.
    sheet : str, optional
        The sheet of a workbook; the first one where it is not named.
    empty : bool
        Whether a table may hold nothing; it then has no columns.

    Returns
    -------
    DataFrame
        Every column as str, blanks (no-break spaces, Excel's ``#N/A``) NA, dates of a workbook as
        yyyy-mm-dd. The columns have the file's names without blanks around them, unnamed columns
        left out. The index, ``row``, is the row in the file: the first line is 1.

    Raises
    ------
    ContractError
        In one sentence, if it cannot be read, has no header, names a column twice, or a row has
        more values than the header has names.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "log.csv")
    ...     _ = path.write_bytes("Log of 2024;\nSchool;Käse\nOak; 3 \n".encode("cp1252"))
    ...     read(path, known=("School",)).reset_index().values.tolist()
    [[3, 'Oak', '3']]
    """
    rows = _workbook(path, sheet) if path.suffix.lower() in WORKBOOKS else _delimited(path, known)
    return _table(rows, path, known, empty=empty)


def renamed(
    table: pd.DataFrame, layout: Collection[tuple[str, Sequence[str]]], *, file: str
) -> pd.DataFrame:
    """Return the columns of a layout by our names; NA where the table has none of its names.

    Parameters
    ----------
    table : DataFrame
        From `read`.
    layout : collection of (str, sequence of str)
        Our name, and the names that the column has had. They are matched by `key`.
    file : str
        For the message.

    Raises
    ------
    ContractError
        If two columns of the table are one of the layout.

    Examples
    --------
    >>> renamed(pd.DataFrame({"U P N": ["A"]}), [("upn", ("UPN",)), ("born", ("DoB",))], file="x")
      upn born
    0   A  NaN
    """
    by_key: dict[str, list[str]] = {}
    for name in table.columns:
        by_key.setdefault(key(name), []).append(name)
    columns: dict[str, pd.Series] = {}
    for ours, theirs in layout:
        here = [
            name
            for theirs_key in dict.fromkeys(map(key, theirs))
            for name in by_key.get(theirs_key, [])
        ]
        if len(here) > 1:
            raise ContractError(
                f"{file} has {' and '.join(map(repr, here))}, which are one column; remove the one "
                "that is out of date."
            )
        blank = pd.Series(pd.NA, index=table.index, dtype="str")
        columns[ours] = table[here[0]] if here else blank
    return pd.DataFrame(columns, index=table.index)


def dates(texts: pd.Series) -> pd.Series:
    """Read dates written yyyy-mm-dd or dd/mm/yyyy (also with - or . and with a time of day).

    Returns
    -------
    Series of datetime64
        NaT for a blank and for what is neither; what was written and not read is
        ``texts.notna() & dates(texts).isna()``.

    Examples
    --------
    >>> read_as = dates(pd.Series(["2024-02-01", "02/03/2024", "1.4.2024", "02/01/20251", None]))
    >>> read_as.dt.strftime("%d %b").tolist()
    ['01 Feb', '02 Mar', '01 Apr', nan, nan]
    """
    # Returns repeat few dates many times, so that each is read once.
    codes, distinct = pd.factorize(texts)
    read_once = _dates(pd.Series(distinct, dtype="str"))
    missing = pd.Series([pd.NaT], dtype=read_once.dtype)
    return pd.concat([read_once, missing], ignore_index=True).take(codes).set_axis(texts.index)


def _dates(text: pd.Series) -> pd.Series:
    parts = text.str.strip().str.extract(_DATE)
    written = (
        parts["y"].fillna(parts["y2"])
        + "-"
        + parts["m"].fillna(parts["m2"]).str.zfill(2)
        + "-"
        + parts["d"].fillna(parts["d2"]).str.zfill(2)
    )
    return pd.to_datetime(written, format="%Y-%m-%d", errors="coerce").astype("datetime64[s]")


def by_return(paths: Sequence[Path]) -> dict[tuple[str, str], list[Path]]:
    """Group the tables of returns by their folder and the year that the names of files hold.

    Returns
    -------
    dict of (str, str) to list of Path
        By the folder's name and a year (of the file's name, else of the folder's, else '').

    Examples
    --------
    >>> list(by_return([Path("care/header.csv"), Path("care/2023_header.csv")]))
    [('care', ''), ('care', '2023')]
    """
    groups: dict[tuple[Path, str], list[Path]] = {}
    for path in sorted(paths):
        year = year_in(path)
        groups.setdefault((path.parent, year), []).append(path)
    named = sorted(groups.items(), key=lambda item: (item[0][1], item[0][0]))
    out: dict[tuple[str, str], list[Path]] = {}
    for (folder, year), files in named:
        out.setdefault((folder.name, year), []).extend(files)
    return out


def by_year(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the rows of each ``YEAR`` of a table that names it, else all rows under ''."""
    if "YEAR" not in table:
        yield "", table
        return
    for year, rows in table.groupby(table["YEAR"].fillna("").to_numpy()):
        yield str(year), rows


def collection_year(starts: pd.Series) -> int:
    """Return the year in which the return ends that has the latest of some dates, 0 without one.

    A return of children's social care ends on 31 March.

    Examples
    --------
    >>> collection_year(pd.Series(["2023-03-31"])), collection_year(pd.Series(["01/04/2023"]))
    (2023, 2024)
    """
    last = dates(starts).max()
    return 0 if pd.isna(last) else int(last.year + (last.month > 3))


def year_in(path: Path) -> str:
    """Return the last year that the name of a file, or else of its folder, holds; '' without one.

    Examples
    --------
    >>> year_in(Path("2023/CIN_20240331.xml")), year_in(Path("2023-24/903_2024.csv"))
    ('2023', '2024')
    """
    for name in (path.stem, path.parent.name):
        found = re.findall(r"(?<!\d)(20\d\d)(?!\d)", name)
        if found:
            return found[-1]
    return ""


def as_text(value: object) -> str:
    """Write a workbook's or a database's value as a CSV would hold it.

    Examples
    --------
    >>> as_text(3.0), as_text(datetime(2024, 2, 1)), as_text(True)
    ('3', '2024-02-01', '1')
    """
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))
    return str(value)


def sheets(path: Path) -> list[str]:
    """Return the names of a workbook's sheets, in order."""
    return _open_workbook(path).sheet_names


def _delimited(path: Path, known: Collection[str]) -> Iterator[tuple[int, list[str]]]:
    text = _decoded(path)
    first, _, rest = text.partition("\n")
    declared = re.fullmatch(r"sep=(.)\r?", first.strip("\ufeff"))
    delimiter = declared[1] if declared else _delimiter(text, known)
    skipped = 1 if declared else 0
    reader = csv.reader(io.StringIO(rest if declared else text, newline=""), delimiter=delimiter)
    ended = skipped
    try:
        for row in reader:
            yield ended + 1, row
            ended = reader.line_num + skipped
    except csv.Error as error:
        raise ContractError(
            f"{path.name} cannot be read from row {ended + 1:,} on, must be a table of text with "
            "closed quotes; export it again."
        ) from error


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(raw, cp_isolation=list(_ENCODINGS)).best()
        return raw.decode(best.encoding if best else "cp1252", errors="replace")


def _delimiter(text: str, known: Collection[str]) -> str:
    """Return the delimiter that finds most known names, or else most columns, in the first rows."""
    lines = text.split("\n", _LOOK_FOR_HEADER)[:_LOOK_FOR_HEADER]
    keys = set(map(key, known))

    def found(delimiter: str) -> tuple[int, int]:
        rows = [[key(cell) for cell in line.split(delimiter)] for line in lines]
        return max(len(keys & set(row)) for row in rows), max(map(len, rows))

    return max(_DELIMITERS, key=found)


def _workbook(path: Path, sheet: str | None) -> Iterator[tuple[int, list[str]]]:
    book = _open_workbook(path)
    names = {key(name): name for name in book.sheet_names}
    wanted = book.sheet_names[0] if sheet is None else names.get(key(sheet))
    if wanted is None:
        raise ContractError(
            f"{path.name} has no sheet {sheet!r}, it has {', '.join(book.sheet_names)}; name one "
            "of them."
        )
    for at, row in enumerate(book.get_sheet_by_name(wanted).to_python(skip_empty_area=False), 1):
        yield at, [as_text(value) for value in row]


def _open_workbook(path: Path):  # noqa: ANN202
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        return CalamineWorkbook.from_path(str(path))
    except (CalamineError, ValueError) as error:
        raise ContractError(
            f"{path.name} cannot be opened as a workbook; save it again as .xlsx without a "
            "password, or as CSV."
        ) from error


def _table(
    rows: Iterator[tuple[int, list[str]]], path: Path, known: Collection[str], *, empty: bool
) -> pd.DataFrame:
    head: list[tuple[int, list[str]]] = []
    for row in rows:
        if any(cell.strip() for cell in row[1]):
            head.append(row)
        if len(head) == (_LOOK_FOR_HEADER if known else 1):
            break
    if not head and empty:
        return pd.DataFrame()
    if not head:
        raise ContractError(f"{path.name} is empty, must hold a header and rows; export it again.")
    at = _header_at([row for _, row in head], known)
    names = [name.strip().strip("\u00a0").lstrip("\ufeff") for name in head[at][1]]
    _refuse_repeats(names, path)
    body = [*head[at + 1 :], *((i, r) for i, r in rows if any(cell.strip() for cell in r))]
    wide = next((i for i, row in body if any(c.strip() for c in row[len(names) :])), None)
    if wide is not None:
        raise ContractError(
            f"{path.name} has more values in row {wide:,} than its header has names, must have as "
            "many; a value may hold the delimiter without quotes: export it again."
        )
    index = pd.Index([i for i, _ in body], name="row", dtype="int64")
    columns = {
        name: _clean(pd.Series([row[i] if i < len(row) else "" for _, row in body], index=index))
        for i, name in enumerate(names)
        if name
    }
    return pd.DataFrame(columns, index=index)


def _header_at(rows: list[list[str]], known: Collection[str]) -> int:
    keys = set(map(key, known))
    found = [len(keys & set(map(key, row))) for row in rows]
    return found.index(max(found))


def _refuse_repeats(names: list[str], path: Path) -> None:
    named = [name for name in names if name]
    if len(named) != len(set(named)):
        raise ContractError(
            f"{path.name} names a column of its header more than once, must name each once; rename "
            "or remove the others."
        )


def _clean(texts: pd.Series) -> pd.Series:
    text = texts.astype("str").str.replace("\u00a0", " ").str.strip()
    return text.mask((text == "") | text.str.fullmatch(_ERRORS.pattern))
