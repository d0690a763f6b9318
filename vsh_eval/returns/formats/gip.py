"""Downloads of DfE's Get information about pupils: key stages 2 and 4, phonics, EYFSP, census.

Source: the columns of the service's own output classes. The service writes no quotes, so a comma
or tab within a value moves the rest of its row; such rows are left out and counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd

from vsh_eval.contracts import Message
from vsh_eval.returns.formats import coded, places
from vsh_eval.returns.formats.reading import Options, Reading, counted, note
from vsh_eval.returns.formats.rows import Sheet, connect, load, select, sheets


@dataclass(frozen=True, slots=True)
class Result:
    """One measure in a download.

    Attributes
    ----------
    measure : str
        The measure of the attainment return.
    columns : tuple of str
        The columns that hold it, the first that is there counts.
    kind : {"flag", "number", "phonics"}
        How it is written.
    eligible : str
        A flag that must not be 0 for the pupil to count, '' where there is none.
    """

    measure: str
    columns: tuple[str, ...]
    kind: str = "flag"
    eligible: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """One kind of download: what tells it, and where its columns are.

    Attributes
    ----------
    told_by : str
        A column that only it has.
    prefix : str
        What its columns begin with.
    results : tuple of Result
        The measures it holds; none for a census.
    only : mapping of str to str
        Columns that must have a value, or be blank, for the row to count.
    """

    told_by: str
    prefix: str
    results: tuple[Result, ...] = ()
    only: Mapping[str, str] = field(default_factory=dict)


_PROGRESS = {"reading": "read", "writing": "writ", "maths": "mat"}
DOWNLOADS: Mapping[str, Download] = {
    "ks2": Download(
        "rwmexp",
        "",
        (
            Result("ks2_rwm_expected", ("rwmexp",), eligible="eligrwm"),
            Result("ks2_reading_expected", ("readexp",), eligible="eligread"),
            Result("ks2_writing_expected", ("writtaexp",), eligible="eligwritta"),
            Result("ks2_maths_expected", ("matexp",), eligible="eligmat"),
            Result("ks2_reading_score", ("readscore",), "number"),
            Result("ks2_maths_score", ("matscore",), "number"),
            *(
                Result(
                    f"ks2_{subject}_progress",
                    (f"{short}progscoreemadjusted", f"{short}progscoreem"),
                    "number",
                    f"in{short}prog",
                )
                for subject, short in _PROGRESS.items()
            ),
        ),
        {"natres": "1", "endks": "1"},
    ),
    "ks4": Download(
        "ks4att8",
        "ks4",
        (
            Result("ks4_attainment8", ("ks4att8",), "number"),
            Result("ks4_progress8", ("ks4p8score",), "number", "ks4inp8calc"),
            Result("ks4_basics_94", ("ks4l2basics94",)),
            Result("ks4_basics_95", ("ks4l2basics95",)),
        ),
        {"natres": "1", "endks": "1"},
    ),
    "phonics": Download(
        "phonicsphonicsoutcome",
        "phonics",
        (Result("phonics_expected", ("phonicsphonicsoutcome",), "phonics"),),
        {"ncyearactual": "1"},
    ),
    "eyfsp": Download("fspgld", "fsp", (Result("eyfsp_gld", ("fspgld",)),)),
    "census": Download("censusterm", ""),
}
"""The downloads that are read. Those of key stage 1, multiplication and pupil premium are not."""

_SCORES = (80, 120)


def read(paths: Sequence[Path], *, options: Options) -> Reading:
    r"""Read downloads.

    Parameters
    ----------
    paths : sequence of Path
        CSV or tab-separated files, or the zip archives they come in. Which it is, its columns say.
    options : Options
        ``references``: ``establishments``, for rows with a LAESTAB alone.

    Returns
    -------
    Reading
        ``attainment``: one row a pupil, year and measure. Of several rows of a pupil those
        count that the national result (NATRES) and the end of the key stage (ENDKS) count; then the
        latest version (final, revised, provisional); where they still differ, none does, and
        a note counts them. Pupils who were not eligible, and scores that are no number, have no
        row. Phonics: ``Wa`` is 1; ``Wt``, ``A`` and ``D`` are 0; of year 1 alone.
        ``enrolments``, from census downloads of spring, else summer: in those of autumn the
        service fills EVERFSM_6 with current eligibility, so they are passed over and a note says
        so. Reference ``former_upns``.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "ks4_results.csv")
    ...     _ = path.write_text("KS4_ACADYR,KS4_UPN,KS4_URN,KS4_NATRES,KS4_ATT8,KS4_L2BASICS_94\n"
    ...                         "2022/2023,H801200001001,100000,1,41.5,0\n"
    ...                         "2022/2023,H801200001001,100001,0,12,0\n")
    ...     results = read([path], options=Options()).tables["attainment"]
    >>> results[["urn", "measure", "value"]].values.tolist()
    [['100000', 'ks4_attainment8', 41.5], ['100000', 'ks4_basics_94', 0.0]]
    """
    notes: list[Message] = []
    told_by = (download.told_by for download in DOWNLOADS.values())
    known = (*told_by, "pupilmatchingref", "upn", "toecode", "pupilpremiumfte")
    with connect() as connection:
        connection.execute(
            "CREATE TABLE results (upn VARCHAR, academic_year BIGINT, place VARCHAR, "
            "version INTEGER, measure VARCHAR, value DOUBLE, written VARCHAR, counts BOOLEAN)"
        ).fetchall()
        connection.execute(
            "CREATE TABLE census (upn VARCHAR, former VARCHAR, academic_year BIGINT, term VARCHAR, "
            "place VARCHAR, year_group BIGINT, fsm6 BIGINT"
            f"{''.join(f', {name} VARCHAR' for name in coded.CHARACTERISTICS)})"
        ).fetchall()
        for sheet in (s for path in paths for s in sheets(path, known=known, unquoted=True)):
            kind = _kind(sheet)
            if kind == "census":
                notes += load(connection, "census", sheet, _census_sql(sheet))
            elif kind:
                notes += load(connection, "results", sheet, _results_sql(DOWNLOADS[kind], sheet))
            else:
                notes.append(note("download_not_needed", file=sheet.name))
        notes += _notes(connection)
        tables = {
            "enrolments": places.placed_in_january(_enrolments(connection), options),
            "attainment": places.placed_in_january(_attainment(connection), options),
        }
        former = connection.execute(
            "FROM census SELECT DISTINCT former AS former_upn, upn WHERE former <> upn ORDER BY ALL"
        ).df()
    given = {name: table for name, table in tables.items() if len(table)}
    return Reading(given, tuple(notes), {"former_upns": former})


def _kind(sheet: Sheet) -> str:
    held = (kind for kind, download in DOWNLOADS.items() if download.told_by in sheet.keys)
    return next(held, "")


def _results_sql(download: Download, sheet: Sheet) -> str:
    def of(*names: str) -> str:
        return sheet.text(*(f"{download.prefix}{name}" for name in names))

    version = "CASE upper(left({}, 1)) WHEN 'F' THEN 3 WHEN 'R' THEN 2 WHEN 'P' THEN 1 ELSE 0 END"
    only = [
        f"coalesce(regexp_replace({of(name)}, '\\.0$', ''), '{value}') = '{value}'"
        for name, value in download.only.items()
    ]
    shared = {
        "upn": coded.upn(of("upn")),
        "academic_year": coded.academic_year(of("acadyr")),
        "place": of("urn", "laestab"),
        "version": version.format(of("version")),
        "counts": " AND ".join(only) or "true",
    }
    results = ", ".join(
        f"{{measure: '{result.measure}', written: {sheet.text(*result.columns)}, "
        f"value: CAST({_value(result, sheet.text(*result.columns))} AS DOUBLE), "
        f"eligible: {coded.flag(sheet.text(result.eligible))} IS DISTINCT FROM 0}}"
        for result in download.results
    )
    return (
        f"FROM (FROM ({select(shared | {'result': f'unnest([{results}])'})}) "
        "SELECT * EXCLUDE (result, counts), result.measure, result.value, result.written, "
        "counts AND result.eligible AS counts) SELECT * WHERE written IS NOT NULL"
    )


def _value(result: Result, written: str) -> str:
    if result.kind == "phonics":
        outcome = f"upper({written})"
        return f"CASE WHEN {outcome} = 'WA' THEN 1 WHEN {outcome} IN ('WT', 'A', 'D') THEN 0 END"
    if result.kind == "flag":
        return coded.flag(written)
    read_as = coded.number(written)
    if result.measure.endswith("_score"):
        return f"CASE WHEN {read_as} BETWEEN {_SCORES[0]} AND {_SCORES[1]} THEN {read_as} END"
    return read_as


def _census_sql(sheet: Sheet) -> str:
    return select(
        {
            "upn": coded.upn(sheet.text("upn")),
            "former": coded.upn(sheet.text("formerupn")),
            "academic_year": coded.academic_year(sheet.text("academicyear")),
            "term": f"lower(left({sheet.text('censusterm')}, 2))",
            "place": sheet.text("urn", "laestab"),
            "year_group": coded.year_group(sheet.text("ncyearactual")),
            "fsm6": coded.flag(sheet.text("everfsm6")),
            **{ours: c.known(sheet.text(*c.headings)) for ours, c in coded.CHARACTERISTICS.items()},
        }
    )


def _attainment(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.execute(
        "FROM (FROM results SELECT * WHERE counts AND value IS NOT NULL AND upn IS NOT NULL "
        "AND academic_year IS NOT NULL QUALIFY version = max(version) OVER (PARTITION BY upn, "
        "academic_year, measure)) "
        "SELECT upn AS pupil_id, academic_year, min(place) AS urn, measure, min(value) AS value "
        "GROUP BY upn, academic_year, measure HAVING min(value) = max(value) ORDER BY ALL"
    ).df()


def _enrolments(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    of_pupil = ", ".join(coded.CHARACTERISTICS)
    return connection.execute(
        "FROM census SELECT upn AS pupil_id, academic_year, place AS urn, year_group, fsm6, "
        f"{of_pupil} WHERE term IN ('sp', 'su') AND upn IS NOT NULL "
        "AND academic_year IS NOT NULL QUALIFY row_number() OVER (PARTITION BY upn, academic_year, "
        f"place ORDER BY term, fsm6 DESC NULLS LAST, year_group, {of_pupil}) = 1 ORDER BY ALL"
    ).df()


def _notes(connection: duckdb.DuckDBPyConnection) -> list[Message]:
    results, nobody, unread = connection.execute(
        "FROM results SELECT count(*), count_if(upn IS NULL), "
        "count_if(academic_year IS NULL OR value IS NULL)"
    ).fetchall()[0]
    several = connection.execute(
        "FROM (FROM results SELECT upn, academic_year, measure, value WHERE counts "
        "AND value IS NOT NULL AND upn IS NOT NULL "
        "QUALIFY version = max(version) OVER (PARTITION BY upn, academic_year, measure)) "
        "SELECT upn, academic_year, measure GROUP BY ALL "
        "HAVING min(value) <> max(value)"
    ).fetchall()
    census, autumn, others = connection.execute(
        "FROM census SELECT count(*), count_if(term = 'au'), count_if(upn IS NULL)"
    ).fetchall()[0]
    return [
        *counted(of_rows=results + census, pupils_without_upn=(nobody or 0) + (others or 0)),
        *counted(of_rows=results, results_no_value=unread, results_of_a_pupil_differ=len(several)),
        *counted(of_rows=census, autumn_census_passed_over=autumn),
    ]
