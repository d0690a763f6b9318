"""What the returns hold, table by table."""

import pandas as pd

from vsh_eval import academic_year
from vsh_eval.contracts import RETURNS, Table, produces
from vsh_eval.returns.folder import Returns

_STARTED = "(year(start_date) - CAST(month(start_date) < 9 AS INTEGER))"
_COLUMNS = (
    "table",
    "stored_as",
    "rows",
    "pupils",
    "urns",
    "first_year",
    "last_year",
    "years_missing",
)


@produces("returns", _COLUMNS, gate="sample")
def profile(returns: Returns) -> pd.DataFrame:
    """Describe every table of the contract with counts of the whole table.

    Parameters
    ----------
    returns : Returns
        From `open_returns`.

    Returns
    -------
    DataFrame
        One row a table: ``table``, ``stored_as`` (csv, parquet or '' if the folder lacks it),
        ``rows``, ``pupils`` and ``urns`` (distinct, NA where the table names none),
        ``first_year`` and ``last_year`` (time periods such as 202324, from ``start_date`` where
        the table has dates; NA where it has neither) and ``years_missing`` (text: the years in
        between without a row). Counts of pupils stay inside until the release has protected them.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from vsh_eval.returns import open_returns
    >>> with TemporaryDirectory() as folder:
    ...     for table in RETURNS.values():
    ...         file = Path(folder, f"{table.name}.csv")
    ...         _ = file.write_text(",".join(table.column_names))
    ...     described = profile(open_returns(Path(folder)))
    >>> described.loc[described["table"] == "attendance", ["stored_as", "rows"]].values.tolist()
    [['csv', 0]]
    """
    described = [_describe(returns, table) for table in RETURNS.values()]
    counts = dict.fromkeys(("rows", "pupils", "urns", "first_year", "last_year"), "Int64")
    return pd.DataFrame(described, columns=list(_COLUMNS)).astype(counts)


def _describe(returns: Returns, table: Table) -> tuple:
    pupils = "count(DISTINCT pupil_id)" if "pupil_id" in table.column_names else "NULL"
    urns = "count(DISTINCT urn)" if "urn" in table.column_names else "NULL"
    year = _academic_year(table)
    rows, n_pupils, n_urns, years = returns.connection.execute(
        f"FROM {table.name} SELECT count(*), {pupils}, {urns}, list(DISTINCT {year})"
    ).fetchall()[0]
    held = sorted(period for period in years or [] if period is not None)
    first, last = (held[0], held[-1]) if held else (None, None)
    gaps = [y for y in academic_year.span(first, last) if y not in held] if first and last else []
    return (
        table.name,
        returns.formats.get(table.name, ""),
        rows,
        n_pupils,
        n_urns,
        first,
        last,
        ", ".join(map(academic_year.label, gaps)),
    )


def _academic_year(table: Table) -> str:
    if "academic_year" in table.column_names:
        return "academic_year"
    if "start_date" in table.column_names:
        return f"({_STARTED} * 100 + ({_STARTED} + 1) % 100)"
    return "NULL"
