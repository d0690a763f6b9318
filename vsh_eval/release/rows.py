"""Finding rows of a safe table by what they are about."""

from collections.abc import Mapping
from typing import Any

from vsh_eval import names
from vsh_eval.contracts import ContractError
from vsh_eval.release.disclosure.safe_table import SafeTable, require_safe
from vsh_eval.release.text.phrases.labels import is_missing

Row = Mapping[str, Any]


def part_of(safe: SafeTable, **where: Any) -> SafeTable:
    """Return the rows of a safe table that agree with every condition.

    Parameters
    ----------
    safe : SafeTable
        Any safe table.
    **where
        Column and value, or several values; None is no condition.

    Returns
    -------
    SafeTable
        The rows, in their order.

    Raises
    ------
    DisclosureError
        If the table did not come through `vsh_eval.release.disclosure.release_table`.
    ContractError
        If a column of a condition is missing, or no row agrees.
    """
    conditions = {column: value for column, value in where.items() if value is not None}
    rows = require_safe(safe).where(**conditions)
    if rows.frame.empty:
        raise ContractError(
            f"no row of the {safe.kind} table has {_written(conditions)}, must be at least one; "
            "ask for values that the table holds."
        )
    return rows


def one_row(safe: SafeTable, **where: Any) -> dict[str, Any]:
    """Return the one row that agrees with every condition; None is no condition.

    Raises
    ------
    DisclosureError
        If the table did not come through `vsh_eval.release.disclosure.release_table`.
    ContractError
        If no row agrees, or more than one does.
    """
    rows = records(part_of(safe, **where))
    if len(rows) > 1:
        conditions = {column: value for column, value in where.items() if value is not None}
        raise ContractError(
            f"{len(rows)} rows of the {safe.kind} table have {_written(conditions)}, must be one; "
            "name the metric, phase, group, year and area that single it out."
        )
    return rows[0]


def records(safe: SafeTable) -> list[dict[str, Any]]:
    """Return a safe table's rows, in their order."""
    frame = require_safe(safe).frame
    columns = [str(column) for column in frame.columns]
    return [dict(zip(columns, row, strict=True)) for row in frame.to_numpy(object).tolist()]


def is_shown(row: Row, *columns: str) -> bool:
    """Say whether every one of the numbers is there."""
    return all(not is_missing(row.get(column)) for column in columns)


def value_of(row: Row, column: str) -> float:
    """Return a number of a row, NaN where it is not shown."""
    value = row.get(column)
    return float("nan") if value is None or is_missing(value) else float(value)


def interval_of(row: Row, name: str, *, sign: int = 1) -> tuple[float, float] | None:
    """Return the ends of a number's interval, the lower first; None where either is hidden.

    Parameters
    ----------
    row : mapping
        A row of a safe table.
    name : str
        The number; its interval stands in ``<name>_lower`` and ``<name>_upper``.
    sign : {1, -1}
        With -1 the interval of the number turned round: of a size where the number is negative.

    Returns
    -------
    tuple of float or None
        Lower and upper end, in the number's unit.

    Examples
    --------
    >>> interval_of({"gap_lower": -3.0, "gap_upper": -1.0}, "gap", sign=-1)
    (1.0, 3.0)
    >>> interval_of({"gap_lower": float("nan"), "gap_upper": 1.0}, "gap") is None
    True
    """
    if not is_shown(row, f"{name}_lower", f"{name}_upper"):
        return None
    lower, upper = (sign * float(row[f"{name}_{end}"]) for end in ("lower", "upper"))
    return (lower, upper) if sign > 0 else (upper, lower)


def with_limits(*columns: str) -> list[str]:
    """Return columns, each with those of its interval.

    Examples
    --------
    >>> with_limits("gap")
    ['gap', 'gap_lower', 'gap_upper']
    """
    return [f"{column}{end}" for column in columns for end in ("", "_lower", "_upper")]


def status_of(row: Row) -> str:
    """Return why a row's numbers are not shown: its status, else ``x``."""
    status = row.get("status", "")
    return names.UNAVAILABLE if is_missing(status) or not status else str(status)


def _written(conditions: Mapping[str, Any]) -> str:
    return (
        ", ".join(f"{column} = {value}" for column, value in conditions.items()) or "no condition"
    )


def last_year(safe: SafeTable, **where: Any) -> int:
    """Return the last academic year in which the matching rows hold anything but a symbol.

    Parameters
    ----------
    safe : SafeTable
        A table with ``time_period`` and ``status``.
    **where
        As for `part_of`.

    Returns
    -------
    int
        The year, for example 202425; where every row holds a symbol, the last year of all.

    Raises
    ------
    ContractError
        If no row agrees.
    """
    rows = part_of(safe, **where).frame
    shown = rows[rows["status"] == ""] if "status" in rows else rows
    return int((shown if len(shown) else rows)["time_period"].max())
