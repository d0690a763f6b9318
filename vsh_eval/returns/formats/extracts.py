"""Extracts of an authority's own management information, read through a map of columns."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from vsh_eval import registry
from vsh_eval.contracts import RETURNS, ContractError, Message
from vsh_eval.returns.columns import literal, quoted
from vsh_eval.returns.formats import coded, places
from vsh_eval.returns.formats.attendance import codes
from vsh_eval.returns.formats.reading import Options, Reading, counted
from vsh_eval.returns.formats.rows import Sheet, connect, key, load, select, sheets

_READ_AS: Mapping[str, Callable[[str], str]] = {
    "pupil_id": coded.upn,
    "academic_year": coded.academic_year,
    "term": lambda text: f"lower({text})",
    "year_group": coded.year_group,
    "fsm6": coded.flag,
    **{name: of.sql for name, of in coded.CHARACTERISTICS.items()},
    "value": coded.number,
    **dict.fromkeys(
        (
            *("sess_possible", "sess_authorised", "sess_unauthorised"),
            *("suspensions", "permanent_exclusions"),
        ),
        coded.whole,
    ),
}
_ABSENCE = {"sess_authorised": "authorised", "sess_unauthorised": "unauthorised"}
_MIDDLE = {"autumn": (0, "10-15"), "spring": (1, "02-15"), "summer": (1, "06-15")}
"""A day of each term: calendar years after the academic year's start, month and day."""


def read(paths: Sequence[Path], *, options: Options) -> Reading:
    r"""Read extracts.

    Parameters
    ----------
    paths : sequence of Path
        CSV, Parquet, workbooks or zip archives.
    options : Options
        ``section.table`` and ``section.columns``: which column of the files is which of the table.
        ``academic_year`` and ``term`` may stand in a file's name instead, as in
        ``attendance_2021-22_autumn.csv``: those of the sessions, not of the census that collected
        them. For attainment, a measure may be named as a column. For attendance, absence whose
        column is not named is the sum of the columns named by codes (``I``, ``T_Reason_I``).
        ``references``: ``establishments``, for establishment numbers, LAESTABs and names.

    Returns
    -------
    Reading
        The table. Rows without a UPN are left out and counted, and so are identical rows.

    Raises
    ------
    ContractError
        If a column that the map names, or one that the table needs, is missing.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from vsh_eval.settings import Extracts
    >>> names = {"pupil_id": "UPN", "urn": "Estab", "sess_possible": "TermlySessionsPossible"}
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "attendance_2021-22_autumn.csv")
    ...     _ = path.write_text("Estab,UPN,TermlySessionsPossible,/,\\\\,I,C,O\n"
    ...                         "100000,H801200001001,140,60,60,9,1,10\n")
    ...     section = Extracts(files=(str(path),), table="attendance", columns=names)
    ...     read([path], options=Options(section)).tables["attendance"].values.tolist()
    [['H801200001001', 202122, 'autumn', '100000', 140, 10, 10]]
    """
    section = options.section
    table = RETURNS[section.table]
    names = {ours: key(theirs) for ours, theirs in section.columns.items()}
    measures = {m.name for m in registry.returned_measures()} & set(names)
    unknown = sorted(set(names) - set(table.column_names) - measures)
    if unknown:
        raise ContractError(
            f"source.files.extracts.columns names {unknown[0]}, must name columns of "
            f"{section.table} or, for attainment, measures; correct it."
        )
    notes: list[Message] = []
    with connect() as connection:
        for sheet in (s for path in paths for s in sheets(path, known=[*names.values()])):
            notes_of_sheet: Sequence[Message] = ()
            for columns in _selections(sheet, section.table, names, sorted(measures)):
                notes_of_sheet = load(connection, "extract", sheet, select(columns))
            notes += notes_of_sheet
        rows = connection.execute("FROM extract ORDER BY ALL").df()
    without = rows["pupil_id"].isna()
    notes += counted(of_rows=len(rows), pupils_without_upn=without.sum())
    placed_rows = places.placed_in_january(
        rows[~without].drop_duplicates(ignore_index=True), options
    )
    if "measure" in placed_rows:
        placed_rows = placed_rows.dropna(subset=["value"])
    return Reading({section.table: placed_rows[list(table.column_names)]}, tuple(notes))


def _selections(
    sheet: Sheet, table: str, names: Mapping[str, str], measures: Sequence[str]
) -> Iterator[dict[str, str]]:
    """Yield the columns to read: once, or once a measure that is a column of its own."""
    missing = sorted(theirs for theirs in names.values() if theirs not in sheet.keys)
    if missing:
        raise ContractError(
            f"{sheet.name} lacks {', '.join(missing)}, which source.files.extracts.columns names; "
            "write there the names that stand in its header line."
        )
    columns = {ours: _READ_AS.get(ours, str)(sheet.text(theirs)) for ours, theirs in names.items()}
    for measure in measures:
        del columns[measure]
    columns = {**_from_name(sheet, table), **columns}
    if table == "attendance":
        columns |= _from_codes(sheet, columns)
    if not measures:
        yield _complete(columns, table, sheet)
    for measure in measures:
        value = coded.number(sheet.text(names[measure]))
        own = {**columns, "measure": f"'{measure}'", "value": value}
        yield _complete(own, table, sheet)


def _complete(columns: dict[str, str], table: str, sheet: Sheet) -> dict[str, str]:
    missing = [name for name in RETURNS[table].column_names if name not in columns]
    if missing:
        raise ContractError(
            f"{sheet.name} has no column for {', '.join(missing)} of {table}, must have one; name "
            "it in source.files.extracts.columns, or write academic year and term into the file's "
            "name, for example attendance_2021-22_autumn.csv."
        )
    return columns


def _from_name(sheet: Sheet, table: str) -> dict[str, str]:
    """Return the academic year and the term that a file's name holds."""
    columns: dict[str, str] = {}
    year = re.search(r"(?<!\d)(20\d\d)[-_/]?(?:20)?(\d\d)(?!\d)", sheet.name)
    if year and (int(year[1]) + 1) % 100 == int(year[2]):
        columns["academic_year"] = year[1] + year[2]
    term = re.search("autumn|spring|summer", sheet.name.casefold())
    if term and table == "attendance":
        columns["term"] = f"'{term[0]}'"
    return columns


def _from_codes(sheet: Sheet, columns: Mapping[str, str]) -> dict[str, str]:
    """Return absence as the sum of the columns that are named by codes, by the term's list."""
    if not {"academic_year", "term"} <= set(columns):
        return {}
    days = " ".join(
        f"WHEN '{term}' THEN CAST(concat({columns['academic_year']} // 100 + {later}, '-{day}') AS "
        "DATE)"
        for term, (later, day) in _MIDDLE.items()
    )
    on = f"(CASE {columns['term']} {days} END)"
    held = {name: re.sub(r"^treason", "", name).upper() for name in sheet.keys}
    signs = {name: sign for name, sign in held.items() if sign in codes.CODES["from"]}
    sums: dict[str, str] = {}
    for ours, meaning in _ABSENCE.items():
        parts = [
            f"if({codes.means(literal(sign), on)} = '{meaning}', "
            f"coalesce({coded.whole(quoted(name))}, 0), 0)"
            for name, sign in signs.items()
        ]
        if ours not in columns and parts:
            sums[ours] = f"CAST({' + '.join(parts)} AS BIGINT)"
    return sums
