"""How the texts and codes of files become ours, as SQL; NULL where a text is not understood."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import duckdb
import pandas as pd
import pyarrow as pa

from vsh_eval.returns.columns import literal

_DAYS = (
    (r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d"),
    (r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y"),
    (r"\d{4}-[a-zA-Z]{3}-\d{1,2}", "%Y-%b-%d"),
    (r"\d{1,2}[- ][a-zA-Z]{3}[- ]\d{4}", "%d-%b-%Y"),
    (r"\d{1,2} [a-zA-Z]{4,} \d{4}", "%d-%B-%Y"),
)
"""How the files of authorities write a day, / and . being -: the day before the month, always."""


def day(text: str) -> str:
    """Write the SQL of the day that text means, whatever time of day follows it.

    Examples
    --------
    >>> duckdb.sql(f"SELECT {day("'2024-Oct-16 00:00:00'")}, {day("'3/9/2024'")}").fetchall()
    [(datetime.date(2024, 10, 16), datetime.date(2024, 9, 3))]
    >>> duckdb.sql(f"SELECT {day("'April (Inset)'")}, {day("'3/9/24'")}").fetchall()
    [(None, None)]
    """
    bare = f"translate(regexp_replace({text}, '[ T]\\d{{1,2}}:\\d{{2}}.*$', ''), '/.', '--')"
    # A list of formats, of which most do not fit, takes thirty times as long as the one that does.
    forms = " ".join(
        f"WHEN regexp_full_match({bare}, {literal(shape)}) "
        f"THEN try_strptime(replace({bare}, ' ', '-'), {literal(form)})"
        for shape, form in _DAYS
    )
    return f"CAST(CASE {forms} END AS DATE)"


def upn(text: str) -> str:
    """Write the SQL of a UPN without case and blanks; NULL where it says why there is none.

    Examples
    --------
    >>> duckdb.sql(f"SELECT {upn("' h80120 0001001 '")}, {upn("'UN3'")}").fetchall()
    [('H801200001001', None)]
    """
    bare = f"upper(regexp_replace({text}, '[\\s\\x{{a0}}]', '', 'g'))"
    return f"CASE WHEN NOT regexp_full_match({bare}, 'UN\\d|') THEN {bare} END"


def column(read_as: Callable[[str], str], texts: pd.Series) -> pd.Series:
    """Return what a rule of this module makes of a column of texts.

    Examples
    --------
    >>> column(day, pd.Series(["2024-02-01", "soon", None])).dt.strftime("%d %b").tolist()
    ['01 Feb', nan, nan]
    >>> column(upn, pd.Series([" h80120 0001001 ", "UN3"])).tolist()
    ['H801200001001', nan]
    """
    # Days repeat, so each text is looked at once.
    requested = pa.table({"text": pa.array(texts, pa.string(), from_pandas=True)})
    every = requested["text"].combine_chunks().dictionary_encode()
    with _engine().cursor() as connection:
        connection.register("asked", pa.table({"text": every.dictionary}))
        sql = f"FROM asked SELECT {read_as('text')} AS found"
        parsed = connection.sql(sql).to_arrow_table()["found"].take(every.indices)
    if pa.types.is_date(parsed.type):
        return parsed.cast(pa.timestamp("s")).to_pandas().set_axis(texts.index)
    return parsed.to_pandas().astype("str").set_axis(texts.index)


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"threads": 1})


def flag(text: str) -> str:
    """Write the SQL of yes (1) or no (0).

    Examples
    --------
    >>> asked = ("1.0", "y", "False", "x")
    >>> [duckdb.sql(f"SELECT {flag(f"'{t}'")}").fetchall()[0][0] for t in asked]
    [1, 1, 0, None]
    """
    return (
        f"CASE WHEN upper({text}) IN ('1', '1.0', 'Y', 'YES', 'T', 'TRUE') THEN 1 "
        f"WHEN upper({text}) IN ('0', '0.0', 'N', 'NO', 'F', 'FALSE') THEN 0 END"
    )


def identifier(text: str) -> str:
    """Write the SQL of an identifier, without the ``.0`` that a spreadsheet gives one of digits."""
    return f"regexp_replace({text}, '\\.0$', '')"


def whole(text: str) -> str:
    """Write the SQL of a whole number, which may be written with ``.0``."""
    return f"TRY_CAST(TRY_CAST({text} AS DOUBLE) AS BIGINT)"


def number(text: str) -> str:
    """Write the SQL of a finite number."""
    return f"if(isfinite(TRY_CAST({text} AS DOUBLE)), TRY_CAST({text} AS DOUBLE), NULL)"


def academic_year(text: str) -> str:
    """Write the SQL of an academic year written 2023/24, 2023/2024, 2023-24, 202324 or 20232024.

    Examples
    --------
    >>> asked = ("2023/2024", "2023-24", "202324", "2023/25", "2023")
    >>> [duckdb.sql(f"SELECT {academic_year(f"'{t}'")}").fetchall()[0][0] for t in asked]
    [202324, 202324, 202324, None, None]
    """
    bare = identifier(text)
    first = f"TRY_CAST(regexp_extract({bare}, '^(\\d{{4}})[/-]?(?:20)?\\d\\d$', 1) AS BIGINT)"
    second = f"TRY_CAST(right({bare}, 2) AS BIGINT)"
    return f"CASE WHEN ({first} + 1) % 100 = {second} THEN {first} * 100 + {second} END"


def year_group(text: str) -> str:
    """Write the SQL of the national curriculum year: reception 0, nursery -1 and -2.

    Examples
    --------
    >>> asked = ("N2", "r", "11", "X")
    >>> [duckdb.sql(f"SELECT {year_group(f"'{t}'")}").fetchall()[0][0] for t in asked]
    [-1, 0, 11, None]
    """
    return (
        f"CASE WHEN upper({text}) IN ('E1', 'E2', 'N1') THEN -2 WHEN upper({text}) = 'N2' THEN -1 "
        f"WHEN upper({text}) = 'R' THEN 0 ELSE {whole(text)} END"
    )


def sen(text: str) -> str:
    """Write the SQL of SEN provision: E (plan or statement), K (support, also A and P) or N.

    Examples
    --------
    >>> [duckdb.sql(f"SELECT {sen(f"'{t}'")}").fetchall()[0][0] for t in ("S", "K", "A", "N", "?")]
    ['E', 'K', 'K', 'N', None]
    """
    return (
        f"CASE WHEN upper({text}) IN ('E', 'S') THEN 'E' "
        f"WHEN upper({text}) IN ('K', 'A', 'P') THEN 'K' WHEN upper({text}) = 'N' THEN 'N' END"
    )


def sex(text: str) -> str:
    """Write the SQL of a pupil's sex: F, M, or U for anything else."""
    return (
        f"CASE WHEN upper({text}) IN ('F', 'FEMALE') THEN 'F' "
        f"WHEN upper({text}) IN ('M', 'MALE') THEN 'M' ELSE 'U' END"
    )


class Read(NamedTuple):
    """How a characteristic is read that the school census has as a code.

    Attributes
    ----------
    sql : callable
        Writes the SQL of its code here.
    headings : tuple of str
        What DfE's files have called it, the latest first.
    blank : str
        The code of a pupil of whom nothing is written.
    """

    sql: Callable[[str], str]
    headings: tuple[str, ...]
    blank: str

    def known(self, text: str) -> str:
        """Write the SQL of the code, blank or not."""
        return f"coalesce({self.sql(text)}, '{self.blank}')"


CHARACTERISTICS: Mapping[str, Read] = {
    "sex": Read(sex, ("sex", "gender"), "U"),
    "sen": Read(sen, ("senprovision",), "N"),
}
"""By column of the enrolments."""
