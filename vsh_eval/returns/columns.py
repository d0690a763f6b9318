"""How a column's text becomes typed values, as SQL; one rule a column, none a row."""

from typing import Literal

from vsh_eval.contracts import Kind

DateFormat = Literal["yyyy-mm-dd", "dd/mm/yyyy", "dd-mm-yyyy"]

SQL_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "academic_year": "BIGINT",
}
"""The DuckDB type of each kind of column."""

DATE_PATTERNS: dict[DateFormat, str] = {
    "yyyy-mm-dd": r"\d{4}-\d{2}-\d{2}",
    "dd/mm/yyyy": r"\d{1,2}/\d{1,2}/\d{4}",
    "dd-mm-yyyy": r"\d{1,2}-\d{1,2}-\d{4}",
}
"""The forms of a date that a column may be written in."""

_NO_BREAK_SPACE = "\u00a0"
_WHITESPACE = f" \t\r\n{_NO_BREAK_SPACE}"
_FRACTIONAL = ("FLOAT", "DOUBLE", "DECIMAL")


def literal(text: str) -> str:
    """Write text as an SQL literal.

    Examples
    --------
    >>> literal("St Mary's")
    "'St Mary''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """Write a column's name as an SQL identifier.

    Examples
    --------
    >>> quoted("share of pupils")
    '"share of pupils"'
    """
    return '"' + name.replace('"', '""') + '"'


def as_text(expression: str, source_type: str = "VARCHAR") -> str:
    r"""Write any stored value as the text it would have in a CSV, blank as NULL.

    So a Parquet file and a CSV file go one way from here. Whole numbers lose the ``.0`` that
    software adds where a column has gaps; a moment of time is its day in England.

    Parameters
    ----------
    expression : str
        The SQL of the stored value.
    source_type : str
        Its DuckDB type.

    Examples
    --------
    >>> as_text("x", "DATE")
    'CAST(x AS VARCHAR)'
    """
    if source_type == "TIMESTAMP WITH TIME ZONE":
        return f"CAST(CAST({expression} AT TIME ZONE 'Europe/London' AS DATE) AS VARCHAR)"
    if source_type.startswith("TIMESTAMP"):
        return f"CAST(CAST({expression} AS DATE) AS VARCHAR)"
    if source_type == "BOOLEAN":
        return f"CAST(CAST({expression} AS INTEGER) AS VARCHAR)"
    if source_type.startswith(_FRACTIONAL):
        number = f"CAST({expression} AS DOUBLE)"
        return (
            f"CASE WHEN isnan({number}) THEN NULL "
            f"WHEN {number} = TRY_CAST({number} AS BIGINT) "
            f"THEN CAST(TRY_CAST({number} AS BIGINT) AS VARCHAR) "
            f"ELSE CAST({number} AS VARCHAR) END"
        )
    if source_type == "VARCHAR" or source_type.startswith("ENUM"):
        text = f"CAST({expression} AS VARCHAR)"
        # Trimming a set of characters is slow, so only text that one of them ends is trimmed.
        return (
            f"CASE WHEN regexp_matches({text}, '^[\\s\\x{{a0}}]|[\\s\\x{{a0}}]$') "
            f"THEN nullif(trim({text}, {literal(_WHITESPACE)}), '') "
            f"ELSE nullif({text}, '') END"
        )
    return f"CAST({expression} AS VARCHAR)"


def typed(text: str, kind: Kind, date_format: DateFormat = "yyyy-mm-dd") -> str:
    """Write the SQL that turns a column's text into its value, NULL where it cannot be read.

    Whole numbers may be written with ``.0``. Numbers are finite. Dates may carry a time of
    midnight. An academic year is one of the three forms of `vsh_eval.academic_year.parse`.

    Parameters
    ----------
    text : str
        The SQL of the text, NULL where blank.
    kind : {"text", "integer", "number", "date", "academic_year"}
        The column's kind.
    date_format : {"yyyy-mm-dd", "dd/mm/yyyy", "dd-mm-yyyy"}
        The form of the whole column, for dates.

    Examples
    --------
    >>> typed("t", "text")
    't'
    """
    if kind == "text":
        return text
    if kind == "number":
        number = f"TRY_CAST({text} AS DOUBLE)"
        return f"CASE WHEN isfinite({number}) THEN {number} END"
    if kind == "integer":
        # DuckDB rounds '1.5' to 2, so a whole number must equal its own fraction.
        whole = f"TRY_CAST({text} AS BIGINT)"
        return f"CASE WHEN TRY_CAST({text} AS DOUBLE) = {whole} THEN {whole} END"
    if kind == "date":
        day = without_midnight(text)
        read = (
            f"TRY_CAST({day} AS DATE)"
            if date_format == "yyyy-mm-dd"
            else f"CAST(try_strptime({day}, '%d{date_format[2]}%m{date_format[2]}%Y') AS DATE)"
        )
        return f"CASE WHEN {written_as(text, date_format)} THEN {read} END"
    first, second = f"TRY_CAST({text}[1:4] AS BIGINT)", f"TRY_CAST({text}[-2:] AS BIGINT)"
    return (
        f"CASE WHEN regexp_full_match({text}, '\\d{{4}}[/-]?\\d{{2}}') "
        f"AND ({first} + 1) % 100 = {second} THEN {first} * 100 + {second} END"
    )


def stored_otherwise(name: str, stored_type: str, kind: Kind) -> str:
    """Write the SQL condition that a stored value may not be, to the bit, what `typed` makes of it.

    Parameters
    ----------
    name : str
        The column.
    stored_type : str
        Its DuckDB type.
    kind : {"text", "integer", "number", "date", "academic_year"}
        The column's kind.

    Examples
    --------
    >>> stored_otherwise("start_date", "DATE", "date"), stored_otherwise("value", "VARCHAR", "date")
    ('false', 'true')
    """
    if stored_type != SQL_TYPES[kind]:
        return "true"
    value = quoted(name)
    if kind == "text":
        # Whitespace sorts before '!', and reversing is several times as fast as a pattern. What is
        # not ASCII, or has another control character at an end, is read as text for no need.
        return f"{value} < '!' OR reverse({value}) < '!' OR strlen({value}) <> length({value})"
    if kind == "number":
        return f"NOT isfinite({value})"
    if kind == "academic_year":
        return (
            f"{value} NOT BETWEEN 100000 AND 999999 OR ({value} // 100 + 1) % 100 <> {value} % 100"
        )
    return "false"


def without_midnight(text: str) -> str:
    """Write the SQL that drops a time of midnight, which databases export with a date."""
    return f"regexp_replace({text}, '[ T]00:00(:00([.]0+)?)?$', '')"


def written_as(text: str, date_format: DateFormat) -> str:
    """Write the SQL condition that text has the form of a date format."""
    return f"regexp_full_match({without_midnight(text)}, {literal(DATE_PATTERNS[date_format])})"
