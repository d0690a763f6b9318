"""Days and academic years as integers, for arrays of many dates."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

_FIRST, _LAST = 1990, 2060


@cache
def _septembers() -> NDArray[np.int64]:
    """Days since 1970 of every first of September from 1990 on."""
    days = np.array([f"{year}-09-01" for year in range(_FIRST, _LAST)], dtype="datetime64[D]")
    return days.astype(np.int64)


def september(start: NDArray[np.integer] | int) -> NDArray[np.int64]:
    """Return the first day of the academic years that start in calendar years.

    Examples
    --------
    >>> september(2021).astype("datetime64[D]")
    np.datetime64('2021-09-01')
    """
    return _septembers()[np.asarray(start) - _FIRST]


def start_of(day: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the calendar year in which the academic year of each day starts.

    Examples
    --------
    >>> start_of(september(2021) + [-1, 0]).tolist()
    [2020, 2021]
    """
    return np.searchsorted(_septembers(), day, side="right") - 1 + _FIRST


def dates(day: NDArray[np.integer]) -> NDArray[np.datetime64]:
    """Return days since 1970 as the dates a table holds."""
    return np.asarray(day).astype("datetime64[D]").astype("datetime64[us]")
