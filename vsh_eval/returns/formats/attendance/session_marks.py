"""Marks of every session, as registers hold them: one row a mark, or a string a week.

Millions of rows are summed while they are read; no mark is held beyond that.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pandas as pd

from vsh_eval.contracts import ContractError, Message
from vsh_eval.returns.columns import as_text, literal, quoted
from vsh_eval.returns.formats import coded, places
from vsh_eval.returns.formats.attendance import codes
from vsh_eval.returns.formats.identity import upns_of
from vsh_eval.returns.formats.reading import Options, Reading, counted, note
from vsh_eval.returns.formats.rows import Sheet, connect, key, load, select, sheets

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "pupil_id": ("upn", "uniquepupilnumber", "pupilupn", "studentupn"),
    "urn": ("urn", "laestab", "schoolurn", "schoolid", "dfenumber", "school", "estab"),
    "date": ("date", "sessiondate", "attendancedate", "markdate"),
    "session": ("session", "sessionname", "ampm", "period"),
    "mark": ("mark", "code", "attendancecode", "attendancemark", "attendancereason"),
    "week_start": ("weekstart", "weekcommencing", "weekbeginning", "weekstartdate"),
    "week_marks": ("weekmarks", "marks", "attendancemarks"),
    "year_group": ("yeargroup", "ncyear", "ncyearactual", "nationalcurriculumyear"),
}
_LONG = ("date", "session", "mark")
_WEEK = ("week_start", "week_marks")
_GROUP = "pupil_id, place, academic_year, term"
_DAYS = 366
_SUMS = ("sess_possible", "sess_authorised", "sess_unauthorised")
_ADDED = (*_SUMS, "marks", "unmarked", "unknown", "undated", "lessons")


def read(paths: Sequence[Path], *, options: Options) -> Reading:
    r"""Read files of session marks.

    Parameters
    ----------
    paths : sequence of Path
        CSV, Parquet, workbooks or zip archives. Long: a UPN, a school, a date, AM or PM and a
        mark a row. By week: a UPN, a school, the first day of the week, and 10 marks (five days)
        or 14 (seven), AM before PM.
    options : Options
        ``section.columns``: which column is ``pupil_id``, ``urn``, ``date``, ``session``,
        ``mark``, ``week_start``, ``week_marks`` or ``year_group``, where the usual names differ.
        ``section.lookup``: the table that leads from a school's own pupil id to the UPN.
        ``section.codes``: a sign of the schools' own and the code it stands for; a code with
        a number that the list of the day lacks (``I02``) is its letter's without being named.
        ``references``: ``establishments``, by which LAESTABs and names of schools are found.

    Returns
    -------
    Reading
        ``attendance``: sums a pupil, academic year, term and school. Possible: all marks but those
        of codes that make a session not possible, of sessions that nobody marked, and of codes
        that the list of the day lacks (all counted in notes). A session marked twice with one
        meaning is one session; with two meanings it is left out and counted. Where ``year_group``
        is there, the second half of the summer term of year 11 and above is left out, as in
        DfE's statistics.

    Notes
    -----
    Layouts: exports of SIMS and the week strings that authorities ask for. What Wonde, Arbor and
    SIMS give through their interfaces is not confirmed by any source, and not read.

    Raises
    ------
    ContractError
        If a column is missing, or the sessions are not AM and PM: lesson marks are no register.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "marks.csv")
    ...     _ = path.write_text("UPN,URN,WeekStart,WeekMarks\n"
    ...                         "H801200001001,100000,02/09/2024,##/\\/\\IINO\n")
    ...     read([path], options=Options()).tables["attendance"].values.tolist()
    [['H801200001001', 202425, 'autumn', '100000', 8, 2, 2]]
    """
    opened = [sheet for path in paths for sheet in sheets(path, known=_known(options))]
    columns = [_held(sheet, options) for sheet in opened]
    notes: list[Message] = []
    with connect() as connection:
        # Else the engine, which does not know how many marks will come, holds them all to join.
        connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
        connection.register("lookup", _lookup(options))
        for number, (sheet, names) in enumerate(zip(opened, columns, strict=True)):
            _interpret(connection, number, sheet, names, getattr(options.section, "codes", {}))
            notes += load(connection, "marks_read", sheet, _summed(number, sheet, names))
        _require_registers(connection)
        again = _marked_again(connection, opened, columns)
        sums = connection.execute(_TOTALS).df()
        notes += [*_notes(connection, len(opened)), *again]
    return _attendance(sums, notes, options)


def _lookup(options: Options) -> pd.DataFrame:
    """Return the UPN of each pupil id; of no one where the files hold the UPN itself."""
    given = getattr(options.section, "lookup", None)
    upns = pd.Series(dtype="str") if given is None else upns_of(given)
    cleaned_upns = coded.column(coded.upn, upns)
    return pd.DataFrame({"id": cleaned_upns.index.astype("str"), "upn": cleaned_upns.to_numpy()})


_UPN = (
    "if((FROM lookup SELECT count(*)) = 0, pupil, "
    f"(FROM lookup SELECT any_value(upn) WHERE id = {as_text('pupil')}))"
)


def _known(options: Options) -> tuple[str, ...]:
    declared = getattr(options.section, "columns", {})
    usual = [name for names in _COLUMNS.values() for name in names]
    return (*declared.values(), *usual)


def _held(sheet: Sheet, options: Options) -> dict[str, tuple[str, ...]]:
    """Return the columns of a sheet by their meaning, the declared ones before the usual."""
    declared = getattr(options.section, "columns", {})
    column_names = {
        meaning: ((key(declared[meaning]),) if meaning in declared else names)
        for meaning, names in _COLUMNS.items()
    }
    held = {meaning for meaning, names in column_names.items() if set(names) & set(sheet.keys)}
    by_week = set(_WEEK) <= held
    needed = ("pupil_id", "urn", *(_WEEK if by_week else _LONG))
    missing = [meaning for meaning in needed if meaning not in held]
    if missing:
        raise ContractError(
            f"{sheet.name} has no column of {', '.join(missing)}, must have it; export it with the "
            "UPN and the school, or name the column in source.files.session_marks.columns."
        )
    return column_names if by_week else {k: v for k, v in column_names.items() if k not in _WEEK}


def _entries(sheet: Sheet, names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the SQL of what an entry of a sheet says, the pupil and the school apart."""
    entries = (*(_WEEK if "week_marks" in names else _LONG), "year_group")
    held = {entry: [name for name in names[entry] if name in sheet.keys] for entry in entries}
    return {
        entry: f"coalesce(sheet.{quoted(columns[0])}, '')" if columns else "''"
        for entry, columns in held.items()
    }


def _interpret(
    connection: duckdb.DuckDBPyConnection,
    number: int,
    sheet: Sheet,
    names: Mapping[str, tuple[str, ...]],
    own_codes: Mapping[str, str],
) -> None:
    """Work out once what each entry means, as millions of rows hold only some thousands.

    Table ``marks_<number>`` has a row a mark of each entry; ``entries_<number>`` sums them.
    """
    entries = _entries(sheet, names)
    written = f"distinct_{number}"
    load(connection, written, sheet, select(entries).replace("SELECT", "SELECT DISTINCT", 1))
    keys = ", ".join(entries)
    late = (
        f"coalesce(TRY_CAST(year_group AS BIGINT) >= 11, false) AND {codes.in_half_term_6('day')}"
    )
    connection.execute(
        f"CREATE TABLE marks_{number} AS FROM (FROM ({_single_marks(written, entries)}) SELECT *, "
        f"{codes.code_of(_sign(own_codes), 'day')} AS code) "
        f"SELECT {keys}, day, pm, code, {codes.means('code', 'day')} AS meaning, {late} AS late, "
        f"{codes.year_of('day')} AS academic_year, {codes.term_of('day')} AS term"
    ).fetchall()
    offset = "date_diff('day', make_date(academic_year // 100, 8, 1), day) * 2 + pm"
    connection.execute(
        f"CREATE TABLE entries_{number} AS FROM marks_{number} "
        f"SELECT {keys}, academic_year, term, count(*) AS marks, {_COUNTS}, "
        "count_if(day IS NULL) AS undated, count_if(pm IS NULL) AS lessons, "
        f"bitstring_agg({offset}, 0, {2 * _DAYS + 1}) AS sessions GROUP BY ALL"
    ).fetchall()


def _sign(own_codes: Mapping[str, str]) -> str:
    """Write the SQL of a sign, one of the schools' own being the code that it stands for."""
    cases = "".join(f" WHEN {literal(a)} THEN {literal(b)}" for a, b in own_codes.items())
    return f"(CASE sign{cases} ELSE sign END)" if cases else "sign"


_COUNTS = (
    "count_if(meaning NOT IN ('not_possible', 'no_mark') AND NOT late) AS sess_possible, "
    "count_if(meaning = 'authorised' AND NOT late) AS sess_authorised, "
    "count_if(meaning = 'unauthorised' AND NOT late) AS sess_unauthorised, "
    "count_if(meaning = 'no_mark') AS unmarked, "
    "count_if(meaning IS NULL AND day IS NOT NULL) AS unknown"
)


def _single_marks(written: str, entries: Mapping[str, str]) -> str:
    """Write the SQL of one row a mark: what was written, day, pm and sign."""
    if "week_marks" not in entries:
        session = "lower(trim(session))"
        return (
            f"FROM {written} SELECT *, {coded.day('trim(date)')} AS day, "
            f"CASE WHEN {session} LIKE 'a%' OR {session} LIKE 'morn%' OR {session} = '1' THEN 0 "
            f"WHEN {session} LIKE 'p%m%' OR {session} LIKE 'aft%' OR {session} = '2' THEN 1 END "
            "AS pm, coalesce(nullif(trim(mark), ''), '-') AS sign"
        )
    # A code of two signs would move every later mark, so only whole weeks are read.
    whole = "length(week_marks) IN (10, 14)"
    return (
        f"FROM (FROM {written} SELECT *, {coded.day('trim(week_start)')} AS week, "
        f"unnest(range(if({whole}, length(week_marks), 1))) AS i) "
        f"SELECT * EXCLUDE (week, i), if({whole}, week + CAST(i // 2 AS INTEGER), NULL) AS day, "
        "i % 2 AS pm, replace(substring(week_marks, i + 1, 1), ' ', '-') AS sign"
    )


def _joined(number: int, table: str, sheet: Sheet, names: Mapping[str, tuple[str, ...]]) -> str:
    """Write the SQL of a sheet's rows beside what their entries mean."""
    entries = _entries(sheet, names)
    same = " AND ".join(f"e.{entry} = {sql}" for entry, sql in entries.items())
    return f"FROM sheet JOIN {table}_{number} e ON {same}"


def _place(sheet: Sheet, names: Mapping[str, tuple[str, ...]]) -> str:
    held = [next(n for n in names[m] if n in sheet.keys) for m in ("pupil_id", "urn")]
    return f"sheet.{quoted(held[0])} AS pupil, sheet.{quoted(held[1])} AS school"


def _summed(number: int, sheet: Sheet, names: Mapping[str, tuple[str, ...]]) -> str:
    """Write the SQL of the sums of a sheet; identifiers are made plain once a pupil's term."""
    sums = ", ".join(f"CAST(sum(e.{name}) AS BIGINT) AS {name}" for name in _ADDED)
    return (
        f"FROM ({_joined(number, 'entries', sheet, names)} SELECT {_place(sheet, names)}, "
        f"e.academic_year, e.term, {sums}, bit_or(e.sessions) AS sessions GROUP BY ALL) "
        f"SELECT {coded.upn(_UPN)} AS pupil_id, {as_text('school')} AS place, "
        "* EXCLUDE (pupil, school)"
    )


_TOTALS = (
    f"FROM marks_read SELECT {_GROUP}, CAST(sum(sess_possible) AS BIGINT) AS sess_possible, "
    "CAST(sum(sess_authorised) AS BIGINT) AS sess_authorised, "
    "CAST(sum(sess_unauthorised) AS BIGINT) AS sess_unauthorised "
    "WHERE pupil_id IS NOT NULL AND academic_year IS NOT NULL GROUP BY ALL ORDER BY ALL"
)
_REPEATED = (
    f"FROM marks_read SELECT {_GROUP} WHERE academic_year IS NOT NULL AND pupil_id IS NOT NULL "
    "GROUP BY ALL HAVING sum(marks) > bit_count(bit_or(sessions))"
)


def _require_registers(connection: duckdb.DuckDBPyConnection) -> None:
    lessons, marks = connection.execute(
        "FROM marks_read SELECT sum(lessons), sum(marks)"
    ).fetchall()[0]
    if lessons:
        raise ContractError(
            f"session_marks name another session than AM or PM in {int(lessons):,} of "
            f"{int(marks):,} marks, must name one of the two; export the statutory registers, not "
            "the marks of lessons."
        )


def _marked_again(
    connection: duckdb.DuckDBPyConnection,
    opened: Sequence[Sheet],
    columns: Sequence[Mapping[str, tuple[str, ...]]],
) -> tuple[Message, ...]:
    """Sum once more, session by session, those pupils' terms that hold a session twice."""
    connection.execute(f"CREATE TABLE repeated AS {_REPEATED}").fetchall()
    if not connection.execute("FROM repeated LIMIT 1").fetchall():
        return ()
    for number, (sheet, names) in enumerate(zip(opened, columns, strict=True)):
        marks = _joined(number, "marks", sheet, names)
        held = f"{_place(sheet, names)}, e.academic_year, e.term, e.day, e.pm, e.meaning, e.late"
        plain = f"{coded.upn(_UPN)} AS pupil_id, {as_text('school')} AS place"
        sql = (
            f"FROM (FROM ({marks} SELECT {held}) SELECT {plain}, * EXCLUDE (pupil, school)) m "  # noqa: S608
            "SEMI JOIN repeated r ON m.pupil_id = r.pupil_id AND m.place IS NOT DISTINCT FROM "
            "r.place AND m.academic_year = r.academic_year AND m.term = r.term"
        )
        load(connection, "each_mark", sheet, sql)
    connection.execute(
        f"CREATE TABLE once AS FROM (FROM each_mark SELECT {_GROUP}, day, pm, count(*) AS marks, "  # noqa: S608
        "min(meaning) AS meaning, max(meaning) AS other, bool_or(late) AS late GROUP BY ALL) "
        "SELECT *, meaning IS DISTINCT FROM other AS differ"
    ).fetchall()
    connection.execute(
        "DELETE FROM marks_read USING repeated r WHERE marks_read.pupil_id = r.pupil_id "
        "AND marks_read.place IS NOT DISTINCT FROM r.place "
        "AND marks_read.academic_year = r.academic_year AND marks_read.term = r.term"
    ).fetchall()
    connection.execute(
        "INSERT INTO marks_read BY NAME FROM (FROM once SELECT * REPLACE "
        f"(if(differ, 'not_possible', meaning) AS meaning)) "
        f"SELECT {_GROUP}, count(*) AS marks, {_COUNTS}, 0 AS undated, 0 AS lessons GROUP BY ALL"
    ).fetchall()
    twice, differ = connection.execute(
        "FROM once SELECT count_if(marks > 1), count_if(differ)"
    ).fetchall()[0]
    return counted(sessions_marked_twice=twice, sessions_marked_differently=differ)


def _notes(connection: duckdb.DuckDBPyConnection, sheets_read: int) -> tuple[Message, ...]:
    marks, unmarked, unknown, undated, nobody = connection.execute(
        "FROM marks_read SELECT sum(marks), sum(unmarked), sum(unknown), sum(undated), "
        "sum(marks) FILTER (pupil_id IS NULL)"
    ).fetchall()[0]
    every = " UNION ".join(
        f"FROM marks_{number} SELECT code WHERE meaning IS NULL AND day IS NOT NULL"
        for number in range(sheets_read)
    )
    named = sorted(row[0] for row in connection.execute(every).fetchall())
    notes = counted(
        of_rows=marks or 0,
        sessions_not_marked=unmarked,
        sessions_undated=undated,
        pupils_without_upn=nobody,
    )
    if unknown:
        listed = ", ".join(code[:4] for code in named[:10])
        more = note("attendance_codes_unknown", rows=unknown, of_rows=marks, codes=listed)
        notes = (*notes, more)
    return notes


def _attendance(sums: pd.DataFrame, notes: Sequence[Message], options: Options) -> Reading:
    months = sums["term"].map({"autumn": 10, "spring": 1, "summer": 5})
    year = sums["academic_year"] // 100 + sums["term"].ne("autumn")
    on = pd.to_datetime(pd.DataFrame({"year": year, "month": months, "day": 15}))
    columns = ["pupil_id", "academic_year", "term", "urn", *_SUMS]
    table, not_found = places.placed(sums.rename(columns={"place": "urn"}), on, options)
    table = table.groupby(columns[:4], as_index=False, sort=True, dropna=False)[list(_SUMS)].sum()
    more = counted(of_rows=len(sums), schools_not_found=not_found)
    return Reading({"attendance": table[columns]}, (*notes, *more))
