"""How the codes of the department's files become ours, as SQL; NULL where a code is not known."""


def flag(text: str) -> str:
    """Write the SQL of yes (1) or no (0).

    Examples
    --------
    >>> import duckdb
    >>> asked = ("1.0", "y", "False", "x")
    >>> [duckdb.sql(f"SELECT {flag(f"'{t}'")}").fetchall()[0][0] for t in asked]
    [1, 1, 0, None]
    """
    return (
        f"CASE WHEN upper({text}) IN ('1', '1.0', 'Y', 'YES', 'T', 'TRUE') THEN 1 "
        f"WHEN upper({text}) IN ('0', '0.0', 'N', 'NO', 'F', 'FALSE') THEN 0 END"
    )


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
    >>> import duckdb
    >>> asked = ("2023/2024", "2023-24", "202324", "2023/25", "2023")
    >>> [duckdb.sql(f"SELECT {academic_year(f"'{t}'")}").fetchall()[0][0] for t in asked]
    [202324, 202324, 202324, None, None]
    """
    bare = f"regexp_replace({text}, '\\.0$', '')"
    first = f"TRY_CAST(regexp_extract({bare}, '^(\\d{{4}})[/-]?(?:20)?\\d\\d$', 1) AS BIGINT)"
    second = f"TRY_CAST(right({bare}, 2) AS BIGINT)"
    return f"CASE WHEN ({first} + 1) % 100 = {second} THEN {first} * 100 + {second} END"


def year_group(text: str) -> str:
    """Write the SQL of the national curriculum year: reception 0, nursery -1 and -2.

    Examples
    --------
    >>> import duckdb
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
    >>> import duckdb
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
