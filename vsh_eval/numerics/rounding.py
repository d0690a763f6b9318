"""To how many figures a number is given."""

import numpy as np

from vsh_eval.numerics.arrays import Floats as FloatArray

_LEAST_P = 0.0001
"""The smallest p value that is given."""


def significant(values: FloatArray) -> FloatArray:
    """Round to two significant figures; zero and missing values stay.

    Examples
    --------
    >>> significant(np.array([0.0345, 12.6, 0.0, np.nan])).tolist()
    [0.034, 13.0, 0.0, nan]
    """
    size = np.where(np.isfinite(values) & (values != 0), np.abs(values), 1.0)
    unit = 10.0 ** (np.floor(np.log10(size)) - 1)
    return np.where(np.isfinite(values), np.round(values / unit) * unit, values)


def decimals(errors: FloatArray) -> FloatArray:
    """Return the decimals that two significant figures take; 2 where there is no error.

    Examples
    --------
    >>> decimals(np.array([0.0123, 4.56, 123.0, 0.0])).tolist()
    [3.0, 1.0, -1.0, 2.0]
    """
    size = np.abs(np.asarray(errors, dtype=np.float64))
    usable = np.isfinite(size) & (size > 0)
    return np.where(usable, 1 - np.floor(np.log10(np.where(usable, size, 1.0))), 2.0)


def to_decimals(values: FloatArray, places: FloatArray) -> FloatArray:
    """Round each value to its own number of decimals; missing values stay missing.

    Examples
    --------
    >>> to_decimals(np.array([1.2345, 1234.5]), np.array([2.0, -1.0])).tolist()
    [1.23, 1230.0]
    """
    values = np.asarray(values, dtype=np.float64)
    up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
    return np.round(values * up / down) / up * down


def rounded_p_values(p_values: FloatArray) -> FloatArray:
    """Round p values to three decimals, to four under 0.001, and never to zero.

    Examples
    --------
    >>> rounded_p_values(np.array([0.04567, 0.00056, 1e-9, np.nan])).tolist()
    [0.046, 0.0006, 0.0001, nan]
    """
    fine = np.maximum(np.round(p_values, 4), _LEAST_P)
    return np.where(p_values < 0.001, fine, np.round(p_values, 3))
