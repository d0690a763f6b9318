"""Numbers as readers write them: rounded for display only, units beside them, a real minus sign."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vsh_eval import names, registry
from vsh_eval.columns import YEARS, Role, role_of
from vsh_eval.release.rows import status_of
from vsh_eval.release.text.phrases.labels import (
    INTERVAL,
    MINUS,
    SYMBOL_MEANINGS,
    decimals_of,
    index_label,
    is_missing,
    value_label,
)

FOUR_IN_FIVE = 80
"""Per cent of the runs that must find an effect for it to count as seen."""
SMALLEST_P = 0.001
"""A p value below this is written as being so, never as zero."""
_BINARY = 1 + 1e-12
"""Brings what binary holds just under a half (1.65) to it, and moves nothing that is shown."""
_YEAR = re.compile(r"\b20\d\d/\d\d\b")


def rounded(value: float, decimals: int = 0) -> float:
    """Round as a reader does: a half goes up, away from zero.

    Examples
    --------
    >>> rounded(62.5), rounded(-1.65, 1), rounded(47.4)
    (63.0, -1.7, 47.0)
    """
    return round(float(value) * _BINARY, decimals)


def number(value: float, *, decimals: int = 1, signed: bool = False) -> str:
    """Write a number with thousands separators and a real minus sign.

    Parameters
    ----------
    value : float
        Any finite number.
    decimals : int
        Decimal places.
    signed : bool
        Whether a positive number carries its plus sign.

    Returns
    -------
    str
        The number, a half rounded up (`rounded`); what rounds to zero has no sign.

    Examples
    --------
    >>> number(12345, decimals=0), number(0.31, signed=True), number(-0.01)
    ('12,345', '+0.3', '0.0')
    >>> number(62.5, decimals=0), number(47.5, decimals=0), number(1.65)
    ('63', '48', '1.7')
    >>> number(-1.44) == f"{MINUS}1.4"
    True
    """
    digits = f"{abs(rounded(value, decimals)):,.{decimals}f}"
    if not any(digit in "123456789" for digit in digits):
        return digits
    sign = MINUS if value < 0 else "+" if signed else ""
    return sign + digits


def decimals_for(*values: float, least: int = 1, most: int = 2) -> int:
    """Return the decimals at which no number that is not zero is written as zero.

    Examples
    --------
    >>> decimals_for(1.4, -2.6), decimals_for(-0.8, -0.03), decimals_for(0.0)
    (1, 2, 1)
    """
    for decimals in range(least, most):
        if all(value == 0 or rounded(abs(value), decimals) > 0 for value in values):
            return decimals
    return most


def usual_decimals(metric: str, source: object = "") -> int:
    """Return 2 for scores around zero, which differ in the second decimal, else 1.

    In DfE's published tables (``source``) 0 for what DfE publishes in whole per cent.

    Examples
    --------
    >>> usual_decimals("ks4_progress8"), usual_decimals("ks4_attainment8")
    (2, 1)
    >>> usual_decimals("ks2_rwm_expected"), usual_decimals("ks2_rwm_expected", "published")
    (1, 0)
    """
    entry = registry.metric(metric)
    published = entry.published_decimals if source == "published" else 1
    return 2 if entry.lowest < 0 else published


def decimals_of_ratio(value: float) -> int:
    """Return the decimals of a ratio: two figures, and whole numbers from 10 on.

    Examples
    --------
    >>> decimals_of_ratio(0.42), decimals_of_ratio(2.71), decimals_of_ratio(11.71)
    (2, 1, 0)
    """
    size = abs(value)
    return 0 if size >= 10 else 1 if size >= 1 else 2


def amount(value: float, unit: str, *, decimals: int = 1, signed: bool = False) -> str:
    """Write a number with its unit, which is singular where the number reads 1.

    Examples
    --------
    >>> amount(12.14, "%"), amount(1.4, "percentage points"), amount(46, "points")
    ('12.1%', '1.4 percentage points', '46.0 points')
    >>> amount(0.96, "percentage points", decimals=0)
    '1 percentage point'
    """
    written = number(value, decimals=decimals, signed=signed)
    if unit == "%":
        return f"{written}%"
    if written.lstrip(f"+{MINUS}") == "1":
        unit = unit.replace("points", "point").replace("suspensions", "suspension")
    return f"{written} {unit}".rstrip()


def amount_given(value: float, unit: str) -> str:
    """Write an amount that a person set, with the decimals it was set with.

    Examples
    --------
    >>> amount_given(0.25, "percentage points"), amount_given(1.0, "percentage points")
    ('0.25 percentage points', '1 percentage point')
    """
    return amount(value, unit, decimals=len(f"{value:f}".rstrip("0").partition(".")[2]))


def limits(lower: float, upper: float, *, decimals: int = 1) -> str:
    """Write an interval.

    Examples
    --------
    >>> limits(0.2, 2.61)
    '0.2 to 2.6'
    """
    return f"{number(lower, decimals=decimals)} to {number(upper, decimals=decimals)}"


def in_brackets(interval: tuple[float, float] | None, *, decimals: int = 1) -> str:
    """Write a 95% interval after its number; '' where there is none.

    Parameters
    ----------
    interval : tuple of float or None
        Lower and upper end, as `vsh_eval.release.rows.interval_of` returns them.
    decimals : int
        Decimal places.

    Returns
    -------
    str
        The interval in brackets, with a space before it.

    Examples
    --------
    >>> in_brackets((0.2, 2.61)), in_brackets(None)
    (' (95% interval 0.2 to 2.6)', '')
    """
    return f" ({INTERVAL} {limits(*interval, decimals=decimals)})" if interval else ""


def p_text(value: float) -> str:
    """Write a p value, never as zero.

    Examples
    --------
    >>> p_text(0.0342), p_text(0.00001)
    ('0.034', '<0.001')
    """
    return f"<{SMALLEST_P}" if value < SMALLEST_P else number(value, decimals=3)


def p_equation(value: float) -> str:
    """Write what a p value is or is below.

    Examples
    --------
    >>> p_equation(0.0342), p_equation(0.00001)
    ('p = 0.034', 'p <0.001')
    """
    text = p_text(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def figures(value: float) -> str:
    """Write a number to three figures without idle zeros, whole numbers as they are.

    Examples
    --------
    >>> figures(0.04567), figures(2.84), figures(1234.5), figures(120.0), figures(0.05)
    ('0.0457', '2.84', '1,235', '120', '0.05')
    """
    if value == 0:
        return "0"
    places = 0 if float(value).is_integer() else max(0, 2 - math.floor(math.log10(abs(value))))
    written = number(value, decimals=places)
    return written.rstrip("0").rstrip(".") if "." in written else written


def cell_text(column: str, row: Mapping[str, Any], *, decimals: int | None = None) -> str:
    """Write one cell of a table: a label, a number, or the symbol that says why there is none.

    Parameters
    ----------
    column : str
        The column.
    row : mapping
        The row; its ``status`` is the symbol of a number that is not shown.
    decimals : int, optional
        Decimal places instead of the column's own.

    Returns
    -------
    str
        The text; a missing number is the row's symbol, ``x`` where the row has none.

    Examples
    --------
    >>> cell_text("gap", {"gap": float("nan"), "status": "c"})
    'c'
    >>> cell_text("group_pupils", {"group_pupils": 1235.0, "status": ""})
    '1,235'
    >>> cell_text("change", {"metric": "overall_absence", "change": 0.02})
    '0.02'
    >>> cell_text("value", {"rule": "peers", "value": 0.0001})
    '<0.001'
    >>> cell_text("power", {"power": 0.101}), cell_text("value", {"rule": "losses", "value": 0.004})
    ('10%', '0.4%')
    """
    value = row[column]
    if column == "index":
        aggregation = str(row.get("aggregation", ""))
        return index_label(aggregation, value)
    if is_missing(value):
        return status_of(row)
    if isinstance(value, str | bool) or column in YEARS:
        return value_label(column, value)
    if not is_numeric(value):
        return str(value)
    if decimals is None and (written := _probability_text(column, row)):
        return written
    places = _places(column, row) if decimals is None else decimals
    return figures(float(value)) if places is None else number(float(value), decimals=places)


def _probability_text(column: str, row: Mapping[str, Any]) -> str:
    """Write a p value, or in per cent a power or a share of schools lost; '' for other numbers."""
    value, rule = float(row[column]), row.get("rule")
    if role_of(column) is Role.P_VALUE or (column == "value" and rule in names.P_VALUE_RULES):
        return p_text(value)
    if column == "power" or (column in ("value", "limit") and rule == "losses"):
        return amount(100 * value, "%", decimals=decimals_for(100 * value, least=0, most=1))
    return ""


def _places(column: str, row: Mapping[str, Any]) -> int | None:
    """Return the decimals of a cell that are its column's or its row's own."""
    places = decimals_of(column)
    if column in ("mde", "effect") or (column == "value" and row.get("rule") == "power"):
        return decimals_for(float(row[column]))
    if column == "estimate":
        return (
            decimals_for(float(row[column]))
            if is_missing(row.get("std_error"))
            else estimate_decimals(row)
        )
    if role_of(column) is Role.RATIO:
        return decimals_of_ratio(float(row[column]))
    if places != 1:
        return places
    usual = measure_decimals(row, column)
    return decimals_for(float(row[column]), least=usual) if usual and "metric" in row else usual


def estimate_decimals(row: Mapping[str, Any]) -> int:
    """Return the decimals of an estimate: two figures of its standard error, at most 2.

    Examples
    --------
    >>> estimate_decimals({"std_error": 0.86}), estimate_decimals({"std_error": 1.3})
    (2, 1)
    >>> estimate_decimals({"std_error": 12.0}), estimate_decimals({})
    (0, 2)
    """
    error = row.get("std_error")
    if error is None or is_missing(error) or not float(error) > 0:
        return 2
    return min(2, max(0, 1 - math.floor(math.log10(float(error)))))


def measure_decimals(row: Mapping[str, Any], column: str) -> int:
    """Return the decimals of a row's measure: those of `usual_decimals`, 1 without a measure.

    Examples
    --------
    >>> measure_decimals({"metric": "ks4_progress8"}, "gap"), measure_decimals({}, "gap")
    (2, 1)
    """
    metric = str(row.get("metric", ""))
    if metric not in registry.METRICS or "share" in column:
        return 1
    return usual_decimals(metric, row.get("source"))


def is_numeric(value: Any) -> bool:
    """Say whether a value is a number and not a truth value."""
    return hasattr(value, "__float__") and not isinstance(value, bool)


def together(notes: Sequence[str]) -> list[str]:
    """Make one note of those that differ only in their academic year.

    Examples
    --------
    >>> together(["No check was taken in 2019/20.", "a: New.", "No check was taken in 2020/21."])
    ['No check was taken in 2019/20 and 2020/21.', 'a: New.']
    """
    years: dict[str, list[str]] = {}
    for note in notes:
        years_named = _YEAR.findall(note)
        alone = len(years_named) == 1
        years.setdefault(_YEAR.sub("{}", note) if alone else note, []).extend(
            years_named if alone else ()
        )
    return [
        note.replace("{}", listed(years_named)) if years_named else note
        for note, years_named in years.items()
    ]


def listed(words: list[str]) -> str:
    """Join words as a sentence does.

    Examples
    --------
    >>> listed(["2018/19"]), listed(["a", "b", "c"])
    ('2018/19', 'a, b and c')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def symbol_notes(symbols: Sequence[str]) -> list[str]:
    """Explain the symbols a table holds, in their own order.

    Examples
    --------
    >>> symbol_notes(["x", "c"])[0]
    "c = suppressed to protect children's confidentiality"
    """
    return [
        f"{symbol} = {meaning}" for symbol, meaning in SYMBOL_MEANINGS.items() if symbol in symbols
    ]
