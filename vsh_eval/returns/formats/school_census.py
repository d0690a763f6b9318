"""School census: the tables that COLLECT exports, one CSV file a table, census and source.

Layouts: columns are found by name, and a table that a census does not have is not needed. What
changed: ``gender`` became ``sex`` (autumn 2023); ``absencesessions`` became ``sessions``, of all
codes (autumn 2020); the totals of authorised and unauthorised sessions ended with autumn 2024;
``FIXD`` became ``SUSP`` (autumn 2020). Source: DfE, School census guides 2015 to 2026.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import pandas as pd

from vsh_eval.contracts import ContractError, Message
from vsh_eval.returns.formats import coded, places
from vsh_eval.returns.formats.attendance import codes
from vsh_eval.returns.formats.reading import Options, Reading, counted, note
from vsh_eval.returns.formats.rows import Sheet, connect, load, select, sheets

_ROLLS: Mapping[str, str] = {
    "onroll": "pupilonrolltableid",
    "offroll": "pupilnolongeronrolltableid",
}
TABLES: Mapping[str, tuple[str, str]] = {
    "pupilonroll": ("pupils", "onroll"),
    "pupilnolongeronroll": ("pupils", "offroll"),
    "termlysessiondetailsonroll": ("details", "onroll"),
    "termlysessiondetailsoffroll": ("details", "offroll"),
    "summerhalfterm2sessiondetailsonroll": ("details_6", "onroll"),
    "summerhalfterm2sessiondetailsoffroll": ("details_6", "offroll"),
    "termlyexclusionsonroll": ("exclusions", "onroll"),
    "termlyexclusionsoffroll": ("exclusions", "offroll"),
    "fsmperiod": ("fsm", "onroll"),
    "fsmperiodsonroll": ("fsm", "onroll"),
    "schoolcensus": ("schoolcensus", ""),
}
"""What is read of each table of COLLECT, and of which roll; every other table is left alone."""

_ARREARS: Mapping[str, str] = {"spring": "autumn", "summer": "spring", "autumn": "summer"}
"""The term whose sessions a census collects: one term in arrears, in the year that began before."""

_CENSUS_DAY: Mapping[str, tuple[int, int]] = {
    "autumn": (10, 1),
    "spring": (1, 15),
    "summer": (5, 15),
}
_LAST_TOTALS = (2024, "autumn")
"""The last census with totals of authorised and unauthorised sessions."""
_SUMS = ("sess_possible", "sess_authorised", "sess_unauthorised")
_HISTORY = 6


def read(paths: Sequence[Path], *, options: Options) -> Reading:
    r"""Read exports of COLLECT.

    Parameters
    ----------
    paths : sequence of Path
        Files whose names, or whose folder's, hold year, term and table, such as
        ``2025_spring_la_pupilonroll.csv``; CSV, Parquet or a zip archive of them.
    options : Options
        ``references``: ``establishments``, by which a school's LAESTAB leads to its URN. COLLECT's
        own table ``schoolcensus`` goes before it.

    Returns
    -------
    Reading
        ``attendance``: a pupil's sessions a term and school, on roll and off roll together.
        Absence is the totals up to autumn 2024, and afterwards the sum of the codes of the list of
        that term; a blank total is the sum of the codes. The second half of the summer term is
        added, but for pupils aged 15 or more when the year began, as in DfE's statistics.
        ``enrolments``: pupils on roll on a census day; year group, SEN and sex are those of the
        spring census, else autumn, else summer. ``suspensions``: suspensions (also of a lunchtime)
        and permanent exclusions that began in the year. Reference ``former_upns``.

    Raises
    ------
    ContractError
        If a file is a school's own XML, its name lacks year, term or table, or a census without
        totals has no session details.

    Notes
    -----
    ``fsm6`` is 1 where a period of free school meals of any census given overlaps the six years
    before the census day. Where the censuses given reach back less, a note says so; without a table
    of free school meals there are no ``enrolments``. Year groups M and X are those of the age.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "2024_spring_la_pupilonroll.csv")
    ...     _ = path.write_text("pupilonrolltableid,NativeId,upn,dob,termlysessionspossible,"
    ...         "termlysessionsauthorised,termlysessionsunauthorised\n"
    ...         "1,8014000,H801200001001,2014-Jan-21 00:00:00,140.0,3.0,1.0\n")
    ...     read([path], options=Options()).tables["attendance"].values.tolist()
    [['H801200001001', 202324, 'autumn', '8014000', 140, 3, 1]]
    """
    notes: list[Message] = []
    with connect() as connection:
        _create(connection)
        for sheet, (year, term, table) in _named(paths):
            kind, roll = TABLES[table]
            notes += load(connection, kind, sheet, _sql(kind, roll, sheet, year, term))
        _require_numbers(connection)
        _require_details(connection)
        notes += _pupils(connection, options)
        tables = {
            "enrolments": _enrolments(connection),
            "attendance": _attendance(connection),
            "suspensions": _suspensions(connection),
        }
        notes += _notes(connection)
        former = connection.execute(
            "FROM pupils SELECT DISTINCT former AS former_upn, upn WHERE former <> upn ORDER BY ALL"
        ).df()
    given = {name: table for name, table in tables.items() if table is not None and len(table)}
    return Reading(given, tuple(notes), {"former_upns": former})


def _named(paths: Sequence[Path]) -> Iterator[tuple[Sheet, tuple[int, str, str]]]:
    """Yield each table that is read, with its census year, term and name."""
    known = ("nativeid", *_ROLLS.values(), "schoolcensustableid")
    for path in paths:
        if path.suffix.lower() == ".xml":
            raise ContractError(
                f"{path.name} is a school's own census in XML, must be a table that COLLECT "
                "exports; ask for its table exports, which hold every school, or read the "
                "school's sessions as source.files.extracts."
            )
        inside = path.suffix.lower() == ".zip"
        if not inside and _census_of(path, path.name) is None:
            continue
        for sheet in sheets(path, known=known):
            census = _census_of(path, sheet.name)
            if census:
                yield sheet, census


def _census_of(path: Path, name: str) -> tuple[int, str, str] | None:
    """Return year, term and table of a file's name; None where the table is not needed."""
    stem = Path(name).stem.casefold()
    word = re.split(r"[^a-z0-9]+", stem)[-1]
    table = next((known for known in TABLES if known == word), None)
    where = f"{path.parent.name}/{stem}".casefold()
    year = re.search(r"(?<!\d)20\d\d(?!\d)", stem) or re.search(r"(?<!\d)20\d\d(?!\d)", where)
    term = re.search("|".join(_ARREARS), stem) or re.search("|".join(_ARREARS), where)
    if not year or not term:
        raise ContractError(
            f"{name} names no census, must hold the year and the term; rename it as COLLECT's "
            "exports are named, for example 2025_spring_la_pupilonroll.csv."
        )
    return (int(year[0]), term[0], table) if table else None


def _sql(kind: str, roll: str, sheet: Sheet, year: int, term: str) -> str:
    """Write the SQL of what is read of a table."""
    month, of_month = _CENSUS_DAY[term]
    columns = {
        "year": str(year),
        "term": f"'{term}'",
        "census": f"DATE '{year}-{month:02d}-{of_month:02d}'",
        "source": "'acad'" if "acad" in re.split(r"[^a-z]+", sheet.name.casefold()) else "'la'",
        "roll": f"'{roll}'",
        "native": coded.identifier(sheet.text("nativeid")),
        "id": coded.identifier(sheet.text(_ROLLS.get(roll, "schoolcensustableid"))),
    }
    names: dict[str, tuple[str, ...]] = _TEXTS[kind]
    columns |= {ours: sheet.text(*theirs) for ours, theirs in names.items()}
    for ours in columns.keys() & {*_DAYS}:
        columns[ours] = coded.day(columns[ours])
    for ours in columns.keys() & {*_UPNS}:
        columns[ours] = coded.upn(columns[ours])
    texts = {ours: columns[ours] for ours in columns if ours in _WHOLE}
    if texts:
        unread = (
            f"({text} IS NOT NULL AND {coded.whole(text)} IS NULL)" for text in texts.values()
        )
        columns["unread"] = " OR ".join(unread)
    columns |= {ours: coded.whole(text) for ours, text in texts.items()}
    if kind == "pupils":
        columns["totals"] = str(all(sheet.held((name,)) for name in _TOTALS)).lower()
    return select(columns)


_TOTALS = ("termlysessionsauthorised", "termlysessionsunauthorised")
_DAYS = ("dob", "entry", "start", "until")
_UPNS = ("upn", "former")
_WHOLE = (
    *(
        f"{name}{half}"
        for name in ("possible", "authorised", "unauthorised")
        for half in ("", "_6")
    ),
    "sessions",
)
_TEXTS: Mapping[str, dict[str, tuple[str, ...]]] = {
    "pupils": {
        "upn": ("upn",),
        "former": ("formerupn",),
        "dob": ("dob",),
        "entry": ("entrydate",),
        "year_group": ("ncyearactual",),
        **{ours: of.headings for ours, of in coded.CHARACTERISTICS.items()},
        "possible": ("termlysessionspossible",),
        "authorised": ("termlysessionsauthorised",),
        "unauthorised": ("termlysessionsunauthorised",),
        "possible_6": ("summerhalfterm2sessionspossible",),
        "authorised_6": ("summerhalfterm2sessionsauthorised",),
        "unauthorised_6": ("summerhalfterm2sessionsunauthorised",),
    },
    "details": {"code": ("attendancereason",), "sessions": ("sessions", "absencesessions")},
    "details_6": {"code": ("attendancereason",), "sessions": ("sessions", "absencesessions")},
    "exclusions": {"start": ("startdate",), "category": ("category",)},
    "fsm": {"start": ("fsmstartdate",), "until": ("fsmenddate",)},
    "schoolcensus": {"urn": ("urn",)},
}
"""Our columns of each table and the names that COLLECT has given them, the latest first."""


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables, so that one that no file gives is there and empty."""
    for kind, names in _TEXTS.items():
        types = {
            **dict.fromkeys(names, "VARCHAR"),
            **{name: "DATE" for name in names if name in _DAYS},
            **{name: "BIGINT" for name in names if name in _WHOLE},
        }
        if types.keys() & {*_WHOLE}:
            types |= {"unread": "BOOLEAN"}
        if kind == "pupils":
            types |= {"totals": "BOOLEAN"}
        columns = ", ".join(f'"{name}" {kind_of}' for name, kind_of in types.items())
        connection.execute(
            f"CREATE TABLE {kind} (year INTEGER, term VARCHAR, census DATE, source VARCHAR, "
            f"roll VARCHAR, native VARCHAR, id VARCHAR, {columns})"
        ).fetchall()


def _require_numbers(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse sessions that are no numbers: a symbol in their place would count as none."""
    wrong = connection.execute(
        "FROM (FROM pupils SELECT year, term, unread UNION ALL FROM details SELECT year, term, "
        "unread UNION ALL FROM details_6 SELECT year, term, unread) "
        "SELECT year, term, count(*) WHERE unread GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    if wrong:
        year, term, rows = wrong[0]
        raise ContractError(
            f"the school census of {term} {year} has sessions that are no whole numbers (rows: "
            f"{rows:,}), must have whole numbers or blanks; export its tables from COLLECT again, "
            "without symbols such as c or X in place of small numbers."
        )


def _require_details(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse a census that has neither totals nor codes of a roll."""
    lacking = connection.execute(
        "FROM (FROM pupils SELECT DISTINCT year, term, roll WHERE possible > 0 "
        f"AND (census > DATE '{_LAST_TOTALS[0]}-12-31' OR NOT totals)) p "
        "ANTI JOIN details d ON p.year = d.year AND p.term = d.term AND p.roll = d.roll "
        "SELECT year, term, roll ORDER BY ALL"
    ).fetchall()
    if lacking:
        year, term, roll = lacking[0]
        raise ContractError(
            f"the school census of {term} {year} has no termlysessiondetails{roll}, must have it, "
            "as it does not hold totals of authorised and of unauthorised sessions; export that "
            "table from COLLECT too."
        )


def _pupils(connection: duckdb.DuckDBPyConnection, options: Options) -> list[Message]:
    """Make ``pupil``: one row a pupil, school, roll and census, with the school's URN."""
    rows, without = connection.execute(
        "FROM pupils SELECT count(*), count_if(upn IS NULL)"
    ).fetchall()[0]
    schools = connection.execute(
        "FROM (FROM pupils SELECT DISTINCT census, source, native) p LEFT JOIN "
        "(FROM schoolcensus SELECT census, source, native, any_value(urn) AS urn GROUP BY ALL) s "
        "USING (census, source, native) SELECT census, source, native, coalesce(urn, native) AS at"
    ).df()
    on = pd.to_datetime(schools["census"])
    urns, before = (
        places.find(schools["at"], day, options)
        # The sessions were those of the school that was there in the term before.
        for day in (on, on - pd.DateOffset(months=2))
    )
    schools = schools.assign(
        urn=urns.fillna(schools["at"]), urn_before=before.fillna(urns).fillna(schools["at"])
    )
    connection.register("schools_found", schools)
    connection.execute(
        # A school that two sources hold, or a pupil it holds twice, counts once.
        "CREATE TABLE pupil AS FROM (FROM pupils p JOIN schools_found s "
        "USING (census, source, native) SELECT p.*, s.urn, s.urn_before WHERE p.upn IS NOT NULL) "
        "SELECT * QUALIFY row_number() OVER (PARTITION BY census, roll, urn, upn, entry "
        "ORDER BY source DESC, possible DESC NULLS LAST, id) = 1"
    ).fetchall()
    pupils = connection.execute("FROM pupil SELECT count(*)").fetchall()[0][0]
    twice = rows - (without or 0) - pupils
    return [
        *counted(of_rows=rows, pupils_without_upn=without, pupils_twice_in_a_census=twice),
        *counted(of_rows=len(schools), schools_not_found=urns.isna().sum()),
    ]


def _of_codes(details: str) -> str:
    """Write the SQL of what the codes of a pupil's record add up to."""
    # The sessions are those of the term before, whose list of codes holds.
    on = "(census - INTERVAL 2 MONTH)::DATE"
    code = codes.code_of("code", on)
    return (
        f"FROM (FROM {details} SELECT *, {codes.means(code, on)} AS meaning "
        "WHERE code IS NOT NULL) "
        "SELECT census, source, roll, native, id, "
        "coalesce(sum(sessions) FILTER (meaning = 'authorised'), 0) AS by_authorised, "
        "coalesce(sum(sessions) FILTER (meaning = 'unauthorised'), 0) AS by_unauthorised, "
        "coalesce(sum(sessions) FILTER (meaning IS NULL), 0) AS by_unknown GROUP BY ALL"
    )


def _attendance(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    for half, details in (("", "details"), ("_6", "details_6")):
        totals = f"census <= DATE '{_LAST_TOTALS[0]}-12-31'"
        connection.execute(
            f"CREATE TABLE sessions{half} AS FROM pupil LEFT JOIN ({_of_codes(details)}) "
            "USING (census, source, roll, native, id) "
            f"SELECT upn, urn_before AS urn, year, term, dob, possible{half} AS possible, "
            f"coalesce(if({totals}, authorised{half}, NULL), by_authorised) AS authorised, "
            f"coalesce(if({totals}, unauthorised{half}, NULL), by_unauthorised) AS unauthorised, "
            f"{totals} AS with_totals, by_authorised, by_unauthorised, by_unknown "
            f"WHERE possible{half} > 0"
        ).fetchall()
    connection.execute(
        "CREATE TABLE every_session AS FROM sessions UNION ALL FROM sessions_6 "
        "WHERE dob > make_date(year - 16, 8, 31) OR dob IS NULL"
    ).fetchall()
    term = " ".join(f"WHEN '{census}' THEN '{of}'" for census, of in _ARREARS.items())
    sums = ", ".join(
        f"CAST(sum(coalesce({name.removeprefix('sess_')}, 0)) AS BIGINT) AS {name}"
        for name in _SUMS
    )
    return connection.execute(
        "FROM every_session SELECT upn AS pupil_id, "
        "CAST((year - 1) * 100 + year % 100 AS BIGINT) AS academic_year, "
        f"CASE term {term} END AS term, urn, {sums} "
        # Without totals, no code at all is no knowledge; with them, a blank is none missed.
        "WHERE with_totals OR by_authorised IS NOT NULL GROUP BY ALL ORDER BY ALL"
    ).df()


_YEAR_GROUP = (
    f"coalesce({coded.year_group('year_group')}, greatest(-2, least(14, "
    "date_diff('month', dob, make_date(started, 8, 31)) // 12 - 4)))"
)


def _enrolments(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame | None:
    """Return pupils on roll; None without any table of free school meals."""
    if not connection.execute("FROM fsm LIMIT 1").fetchall():
        return None
    codes_of = ", ".join(
        f"{of.known(name)} AS {name}" for name, of in coded.CHARACTERISTICS.items()
    )
    connection.execute(
        "CREATE TABLE free_meals AS FROM fsm JOIN pupils USING (census, source, roll, native, id) "
        "SELECT DISTINCT upn, start, until WHERE upn IS NOT NULL AND start IS NOT NULL"
    ).fetchall()
    return connection.execute(
        "FROM (FROM (FROM pupil SELECT *, year - CAST(term <> 'autumn' AS INTEGER) AS started, "
        "CASE term WHEN 'spring' THEN 1 WHEN 'autumn' THEN 2 ELSE 3 END AS place "
        "WHERE roll = 'onroll') "
        "SELECT * REPLACE (coalesce(sen, first_value(sen IGNORE NULLS) OVER (PARTITION BY upn, "
        "started ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) AS sen) "
        "QUALIFY row_number() OVER (PARTITION BY upn, started, urn ORDER BY place, census) = 1) p "
        "SELECT upn AS pupil_id, urn, "
        "CAST(started * 100 + (started + 1) % 100 AS BIGINT) AS academic_year, "
        f"CAST({_YEAR_GROUP} AS BIGINT) AS year_group, "
        f"{codes_of}, "
        "CAST(EXISTS (FROM free_meals f WHERE f.upn = p.upn AND f.start <= p.census "
        f"AND coalesce(f.until, p.census) >= p.census - INTERVAL {_HISTORY} YEAR) AS BIGINT) "
        "AS fsm6 ORDER BY ALL"
    ).df()


def _suspensions(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    started = "(year(start) - CAST(month(start) < 9 AS INTEGER))"
    return connection.execute(
        # A later census may name the same exclusion again.
        "FROM (FROM exclusions e JOIN pupil p USING (census, source, roll, native, id) "
        "SELECT DISTINCT p.upn, p.urn, e.start, e.category "
        "WHERE e.start IS NOT NULL AND e.category IN ('SUSP', 'FIXD', 'LNCH', 'PERM')) "
        f"SELECT upn AS pupil_id, {started} * 100 + ({started} + 1) % 100 AS academic_year, urn, "
        "CAST(count_if(category <> 'PERM') AS BIGINT) AS suspensions, "
        "CAST(count_if(category = 'PERM') AS BIGINT) AS permanent_exclusions "
        "GROUP BY ALL ORDER BY ALL"
    ).df()


def _notes(connection: duckdb.DuckDBPyConnection) -> Iterator[Message]:
    rows, differing, unknown, uncoded = connection.execute(
        "FROM every_session SELECT count(*), count_if(with_totals "
        "AND by_authorised IS NOT NULL AND "
        "(by_authorised <> authorised OR by_unauthorised <> unauthorised)), "
        "count_if(by_unknown > 0), count_if(NOT with_totals AND by_authorised IS NULL)"
    ).fetchall()[0]
    yield from counted(
        of_rows=rows,
        totals_differ_from_codes=differing,
        attendance_codes_of_no_list=unknown,
        sessions_without_codes=uncoded,
    )
    on_roll, blank, dated, first, fsm = connection.execute(
        "FROM pupil SELECT count(*), count_if(sen IS NULL), "
        "(FROM exclusions SELECT count_if(start IS NULL)), min(census), "
        "(FROM fsm SELECT count(*)) WHERE roll = 'onroll'"
    ).fetchall()[0]
    yield from counted(exclusions_undated=dated)
    yield from counted(of_rows=on_roll, sen_blank=blank, no_free_meals=0 if fsm else on_roll)
    if on_roll and fsm:
        yield note("free_meals_since", year=first.year, complete=first.year + _HISTORY)
