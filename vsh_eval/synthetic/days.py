"""Days since 1970 and academic years as integers, for arrays of many dates."""

import numpy as np
from numpy.typing import NDArray

_TO_SEPTEMBER = 8
"""Months from the new year to September."""


def september(start: NDArray[np.integer] | int) -> NDArray[np.int64]:
    """Return the first day of the academic years that start in calendar years.

    Examples
    --------
    >>> september(2021).astype("datetime64[D]")
    np.datetime64('2021-09-01')
    """
    months = 12 * (np.asarray(start) - 1970) + _TO_SEPTEMBER
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def start_of(day: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the calendar year in which the academic year of each day starts.

    Examples
    --------
    >>> start_of(september(2021) + [-1, 0]).tolist()
    [2020, 2021]
    """
    months = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return (months - _TO_SEPTEMBER) // 12 + 1970


def dates(day: NDArray[np.integer]) -> NDArray[np.datetime64]:
    """Return days since 1970 as the dates a table holds."""
    return np.asarray(day).astype("datetime64[D]").astype("datetime64[us]")
