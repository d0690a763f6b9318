"""Can these returns bear the questions? One check, one rule, one row of findings a table.

To add a check: add its row to ``CHECKS`` in `rules`, with an SQL condition (`where`, `counted`) or,
where that is not enough, a function in `examinations`; and one bad example to
``tests/returns/test_checks.py``. A message has the rule and the remedy, no counts and nothing of a
pupil.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from vsh_eval.contracts import DataError, produces
from vsh_eval.returns.checks.inspection import Expected, Inspection
from vsh_eval.returns.checks.rules import CHECKS
from vsh_eval.returns.folder import Returns, refuse_release

FINDING_COLUMNS = ("check", "table", "result", "rows", "of_rows", "message", "column")
INSIDE = ("rule", "which")
"""Further columns of the findings, which are never released."""


def check(returns: Returns, expected: Expected | None = None) -> pd.DataFrame:
    """Check the returns and say what was found, passes included.

    The stages follow each other: tables, values, rows, links between tables, years. A later stage
    assumes the earlier ones, so it looks only at values that are there and could be read: one
    fault is one finding. Where a table has no rows, nothing later is looked at.

    Parameters
    ----------
    returns : Returns
        From `open_returns`.
    expected : Expected, optional
        What the params expect; their defaults where it is not given.

    Returns
    -------
    DataFrame
        One row a check and table: ``check``, ``table``, ``result`` (pass, warn or fail), ``rows``
        (rows concerned; years, in the checks of years), ``of_rows`` (out of how many),
        ``message`` (rule and remedy, one sentence) and ``column``; and, for the authority alone,
        ``rule`` (the message without its remedy) and ``which`` (schools and terms concerned). A
        table that the folder lacks has no row.

    Examples
    --------
    Files that have headers and nothing else:

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from vsh_eval.contracts import RETURNS
    >>> from vsh_eval.returns import open_returns
    >>> with TemporaryDirectory() as folder:
    ...     for table in RETURNS.values():
    ...         file = Path(folder, f"{table.name}.csv")
    ...         _ = file.write_text(",".join(table.column_names))
    ...     findings = check(open_returns(Path(folder)))
    >>> findings["result"].value_counts().to_dict()
    {'fail': 4, 'warn': 3}
    >>> findings["message"].iloc[0]
    'The table schools must hold rows; export it again, or ask who keeps it.'
    """
    inspection = Inspection(returns=returns, expected=expected or Expected(), rows=_rows(returns))
    findings: list[dict[str, Any]] = []
    for stage, checks in CHECKS.items():
        findings += [
            finding
            for name, entry in checks.items()
            for finding in entry.findings(name, inspection)
        ]
        if stage == "tables" and any(finding["result"] == "fail" for finding in findings):
            break
    return pd.DataFrame(findings, columns=[*FINDING_COLUMNS, *INSIDE])


@produces("findings", FINDING_COLUMNS, gate="sample")
def findings_of(findings: pd.DataFrame) -> pd.DataFrame:
    """Return findings as they were found, to be released."""
    return findings


def write_findings(findings: pd.DataFrame, file: Path) -> Path:
    """Write findings as CSV, exact counts included: for the authority alone.

    Raises
    ------
    SettingsError
        If the file would lie in a folder named release.
    """
    refuse_release(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    findings.drop(columns="rule").to_csv(part, index=False, encoding="utf-8")
    return part.replace(file)


def require_sound(findings: pd.DataFrame) -> None:
    """Go on only if no check failed; warnings pass.

    Parameters
    ----------
    findings : DataFrame
        From `check`.

    Raises
    ------
    DataError
        In one sentence, the first failure (table, rows, rule, remedy) and how many more there
        are; it carries all findings.

    Examples
    --------
    >>> require_sound(pd.DataFrame({"result": ["pass", "warn"]}))
    """
    failed = findings[findings["result"] == "fail"]
    if failed.empty:
        return
    first, more = failed.iloc[0], len(failed) - 1
    rows, of_rows = int(first["rows"]), int(first["of_rows"])
    also = f"; {more} more finding{'s' if more > 1 else ''} failed" if more else ""
    raise DataError(
        f"{first['message'].rstrip('.')} ({rows:,} of {of_rows:,}{also}).",
        findings,
    )


def _rows(returns: Returns) -> dict[str, int]:
    return {
        table: returns.connection.execute(f"FROM {table} SELECT count(*)").fetchall()[0][0]
        for table in returns.tables
    }
