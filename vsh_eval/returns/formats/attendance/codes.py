"""What each attendance code means, before and from 19 August 2024.

Sources: DfE, Working together to improve school attendance (the codes from 19 August 2024), School
Attendance (Pupil Registration) (England) Regulations 2024; DfE, School attendance guidance 2022
(the codes before); the code lists of the school census 2015 to 2026.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal

from dateutil.easter import easter

from vsh_eval.returns.columns import literal

Meaning = Literal["present", "elsewhere", "authorised", "unauthorised", "not_possible", "no_mark"]

FROM_2024 = date(2024, 8, 19)
"""The first day of the present list of codes."""

_ALWAYS: Mapping[str, Meaning] = {
    **dict.fromkeys(("/", "\\", "L"), "present"),
    **dict.fromkeys(("B", "P", "V", "W"), "elsewhere"),
    **dict.fromkeys(("C", "E", "I", "M", "R", "S", "T"), "authorised"),
    # A holiday that was agreed: H has no place in the list from 2024, and some still write it.
    **dict.fromkeys(("H", "F"), "authorised"),
    **dict.fromkeys(("G", "N", "O", "U"), "unauthorised"),
    # D: the other school of a pupil registered at two counts the session.
    **dict.fromkeys(("D", "X", "Y", "Z", "#"), "not_possible"),
    # Signs of management systems for a session that nobody marked.
    **dict.fromkeys(("-", "_"), "no_mark"),
    # Sub-codes for coronavirus that Bradford's and others' exports write as signs: I02 and X.
    ";": "authorised",
    **dict.fromkeys(("(", "]"), "not_possible"),
}
CODES: Mapping[str, Mapping[str, Meaning]] = {
    "before": {**_ALWAYS, "J": "elsewhere"},
    "from": {
        **_ALWAYS,
        "K": "elsewhere",
        "J": "elsewhere",
        **dict.fromkeys(("C1", "C2", "J1"), "authorised"),
        **dict.fromkeys(("Q", *(f"Y{n}" for n in range(1, 8))), "not_possible"),
    },
}
"""The meaning of each code in each list. A session counts as possible unless ``not_possible``."""

_FIRST_YEAR, _LAST_YEAR = 2000, 2060


def code_of(mark: str, on: str) -> str:
    """Write the SQL of a mark's statutory code: a school's own sub-code is that of its parent.

    Parameters
    ----------
    mark : str
        The SQL of the mark as written.
    on : str
        The SQL of the day of the session.

    Examples
    --------
    >>> import duckdb
    >>> sql = code_of("'c1'", "DATE '2024-05-01'"), code_of("'C1'", "DATE '2024-09-02'")
    >>> duckdb.sql(f"SELECT {sql[0]}, {sql[1]}").fetchall()
    [('C', 'C1')]
    """
    bare = f"upper(trim({mark}))"
    new = ", ".join(literal(code) for code in CODES["from"] if len(code) > 1)
    parent = f"regexp_extract({bare}, '^([A-Z])\\d+$', 1)"
    statutory = f"{bare} IN ({new}) AND {on} >= DATE '{FROM_2024}'"
    return f"CASE WHEN {parent} = '' OR ({statutory}) THEN {bare} ELSE {parent} END"


def means(code: str, on: str) -> str:
    """Write the SQL of what a code means on a day, NULL where the list of that day lacks it.

    Examples
    --------
    >>> import duckdb
    >>> asked = [("K", "2024-07-01"), ("K", "2024-09-02"), ("J", "2024-07-01"), ("Y", "2022-01-10")]
    >>> [duckdb.sql(f"SELECT {means(f"'{c}'", f"DATE '{d}'")}").fetchall()[0][0] for c, d in asked]
    [None, 'elsewhere', 'elsewhere', 'not_possible']
    """
    lists = {name: _cases(code, of) for name, of in CODES.items()}
    return f"CASE WHEN {on} < DATE '{FROM_2024}' THEN {lists['before']} ELSE {lists['from']} END"


def _cases(code: str, of: Mapping[str, str]) -> str:
    by_meaning: dict[str, list[str]] = {}
    for sign, meaning in of.items():
        by_meaning.setdefault(meaning, []).append(literal(sign))
    cases = " ".join(
        f"WHEN {code} IN ({', '.join(signs)}) THEN {literal(meaning)}"
        for meaning, signs in by_meaning.items()
    )
    return f"CASE {cases} END"


def term_of(on: str) -> str:
    """Write the SQL of the term a day falls in, as the school census has it.

    Autumn: 1 August to 31 December. Spring: to Easter Sunday. Summer: to 31 July.

    Source: DfE, Pupil absence in schools in England: methodology.

    Examples
    --------
    >>> import duckdb
    >>> days = ("2023-12-31", "2024-03-31", "2024-04-01", "2024-08-01")
    >>> [duckdb.sql(f"SELECT {term_of(f"DATE '{d}'")}").fetchall()[0][0] for d in days]
    ['autumn', 'spring', 'summer', 'autumn']
    """
    sundays = ", ".join(f"DATE '{easter(year)}'" for year in range(_FIRST_YEAR, _LAST_YEAR))
    return (
        f"CASE WHEN month({on}) >= 8 THEN 'autumn' "
        f"WHEN {on} <= [{sundays}][year({on}) - {_FIRST_YEAR - 1}] THEN 'spring' ELSE 'summer' END"
    )


def year_of(on: str) -> str:
    """Write the SQL of the academic year of a session, whose autumn term starts on 1 August."""
    start = f"(year({on}) - CAST(month({on}) < 8 AS INTEGER))"
    return f"({start} * 100 + ({start} + 1) % 100)"


def in_half_term_6(on: str) -> str:
    """Write the SQL of whether a day is in the second half of the summer term.

    It follows the week of the last Monday in May, on which schools close.

    Examples
    --------
    >>> import duckdb
    >>> days = ("2024-05-24", "2024-06-03", "2024-08-01")
    >>> [duckdb.sql(f"SELECT {in_half_term_6(f"DATE '{d}'")}").fetchall()[0][0] for d in days]
    [False, True, False]
    """
    mondays = ", ".join(f"DATE '{_last_monday(y)}'" for y in range(_FIRST_YEAR, _LAST_YEAR))
    return f"({on} > [{mondays}][year({on}) - {_FIRST_YEAR - 1}] AND month({on}) < 8)"


def _last_monday(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())
