"""Academic years: written 2023/24, stored as the integer 202324 (DfE's ``time_period``).

An academic year runs from 1 September to 31 August.
"""

import re
from collections.abc import Iterator
from datetime import date

from vsh_eval.contracts import ContractError

_WRITTEN = re.compile(r"^(?P<first>\d{4})(?:[/-]?(?P<second>\d{2}))$")


def parse(text: str | int) -> int:
    """Read an academic year written as 2023/24, 2023-24 or 202324.

    Parameters
    ----------
    text : str or int
        The year as written in a return or a params file.

    Returns
    -------
    int
        The year as DfE's ``time_period``, for example 202324.

    Raises
    ------
    ContractError
        If the text is not one of the three forms, or its two years do not follow each other.

    Examples
    --------
    >>> parse("2023/24"), parse("2023-24"), parse(202324)
    (202324, 202324, 202324)
    """
    match = _WRITTEN.match(str(text).strip())
    if match and (int(match["first"]) + 1) % 100 == int(match["second"]):
        return from_start(int(match["first"]))
    raise ContractError(
        f"academic year is {text!r}, must be two years that follow each other; "
        "write it as 2023/24, 2023-24 or 202324."
    )


def from_start(year: int) -> int:
    """Return the academic year that starts in September of a calendar year.

    Examples
    --------
    >>> from_start(2023), from_start(1999)
    (202324, 199900)
    """
    return year * 100 + (year + 1) % 100


def start(period: int) -> int:
    """Return the calendar year in which an academic year starts.

    Examples
    --------
    >>> start(202324)
    2023
    """
    return period // 100


def label(period: int) -> str:
    """Write an academic year as people read it.

    Examples
    --------
    >>> label(202324)
    '2023/24'
    """
    return f"{period // 100}/{period % 100:02d}"


def last_day(period: int) -> date:
    """Return the last day of an academic year.

    Examples
    --------
    >>> last_day(202425)
    datetime.date(2025, 8, 31)
    """
    return date(start(period) + 1, 8, 31)


def of_date(day: date) -> int:
    """Return the academic year a date falls in (1 September starts a new one).

    Examples
    --------
    >>> of_date(date(2024, 8, 31)), of_date(date(2024, 9, 1))
    (202324, 202425)
    """
    return from_start(day.year if day.month >= 9 else day.year - 1)


def after(period: int, years: int = 1) -> int:
    """Return the academic year some years later (earlier if negative).

    Examples
    --------
    >>> after(202324), after(202324, -5)
    (202425, 201819)
    """
    return from_start(start(period) + years)


def span(first: int, last: int) -> Iterator[int]:
    """Yield every academic year from first to last, both included.

    Examples
    --------
    >>> list(span(202122, 202324))
    [202122, 202223, 202324]
    """
    return (from_start(year) for year in range(start(first), start(last) + 1))
