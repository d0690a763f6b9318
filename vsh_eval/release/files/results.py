"""The run's results for machines: one JSON file with stable keys, numbers from safe tables only."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vsh_eval.columns import COUNTS, YEARS, role_of
from vsh_eval.contracts import ContractError, require_columns, row_count
from vsh_eval.release.disclosure.safe_table import SafeTable, require_safe
from vsh_eval.release.pages.report import write_whole
from vsh_eval.release.rows import records
from vsh_eval.release.text.phrases.labels import is_missing

SCHEMA = 2
"""Raised when a key changes its meaning or goes."""
_STATED = ("statement", "confidence", "decided_by")


def write_results(
    path: Path,
    *,
    headline: SafeTable | None,
    evidence: SafeTable,
    levels: SafeTable | None = None,
    gaps: SafeTable | None = None,
    protocol: Mapping[str, str | bool | None],
    run: Mapping[str, str] | None = None,
) -> None:
    """Write results.json.

    Parameters
    ----------
    path : Path
        The file to write; its folder must exist.
    headline : SafeTable or None
        One row: the primary estimate; None where a pool of authorities has none.
    evidence : SafeTable
        One row a rule: statement, confidence and decided_by (the same in every row), rule, verdict
        and, where given, reason.
    levels, gaps : SafeTable, optional
        The rows of the last academic year that they hold are written; a pool has none.
    protocol : mapping
        The protocol's status in words and truth values.
    run : mapping, optional
        Name, authority, vintage ... in words.

    Raises
    ------
    DisclosureError
        If a table did not come through `vsh_eval.release.disclosure.release_table`.
    ContractError
        If the headline is not one row, a column is missing, or protocol or run hold a number.
    """
    given = (headline, evidence, levels, gaps)
    tables = [require_safe(table) for table in given if table is not None]
    if headline is not None and len(headline.frame) != 1:
        raise ContractError(
            f"headline has {row_count(len(headline.frame))}, must have one; select the primary "
            "estimate."
        )
    require_columns(evidence.frame, [*_STATED, "rule", "verdict"], name="evidence")
    stamps = dict.fromkeys(table.stamp for table in tables if table.stamp)
    content = {
        "schema": SCHEMA,
        "stamp": " | ".join(stamps),
        "run": _words(run or {}, "run"),
        "headline": None if headline is None else _rows(headline)[0],
        "evidence": _evidence(evidence),
        "levels": _last_year(levels, "levels"),
        "gaps": _last_year(gaps, "gaps"),
        "protocol": _words(protocol, "protocol"),
    }
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(path, f"{text}\n".encode())


def _evidence(safe: SafeTable) -> dict[str, Any]:
    """Say once what every row says, then list the rules."""
    rows = _rows(safe)
    stated = {name: rows[0][name] or "" for name in _STATED}
    return {
        **stated,
        "rules": [{key: value for key, value in row.items() if key not in stated} for row in rows],
    }


def _last_year(safe: SafeTable | None, name: str) -> list[dict[str, Any]]:
    if safe is None:
        return []
    frame = safe.frame
    require_columns(frame, ["time_period"], name=name)
    return [] if frame.empty else _rows(safe.where(time_period=int(frame["time_period"].max())))


def _rows(safe: SafeTable) -> list[dict[str, Any]]:
    return [
        {column: _plain(column, value) for column, value in row.items()} for row in records(safe)
    ]


def _plain(column: str, value: Any) -> str | float | int | bool | None:
    """Return a value as JSON knows it: null where a number is not shown."""
    if is_missing(value):
        return None
    if isinstance(value, str | bool):
        return value
    if type(value).__name__ == "bool":
        return bool(value)
    if not hasattr(value, "__float__"):
        return str(value)
    whole = column in YEARS or role_of(column) in COUNTS
    return int(value) if whole else round(float(value), 6)


def _words(mapping: Mapping[str, str | bool | None], name: str) -> dict[str, str | bool | None]:
    for key, value in mapping.items():
        if not (value is None or isinstance(value, str | bool)):
            raise ContractError(
                f"{name} {key} is {value!r}, must be words or a truth value; put numbers into a "
                "safe table."
            )
    return dict(mapping)
