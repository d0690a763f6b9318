"""How many children and schools are found on the way from the files to the questions."""

import pandas as pd

from vsh_eval.contracts import produces
from vsh_eval.returns.checks.joins import helped_children
from vsh_eval.returns.checks.schools import SCHOOL_TERMS
from vsh_eval.returns.checks.years import OF_AGE
from vsh_eval.returns.folder import Returns

_ATTENDED = "(FROM attendance SELECT DISTINCT pupil_id, academic_year) a"
_SCHOOLS = "FROM {table} SELECT count(DISTINCT urn)"


def flow(returns: Returns) -> pd.DataFrame:
    """Count pupils, children with a social worker and schools, step by step.

    Parameters
    ----------
    returns : Returns
        From `open_returns`.

    Returns
    -------
    DataFrame
        ``table`` (pupils, children, schools), ``step`` (a code), ``pupils`` (persons, once in all
        years; NA for schools) and ``urns`` (schools; NA for persons). Exact counts, internal.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from vsh_eval.contracts import RETURNS
    >>> from vsh_eval.returns import open_returns
    >>> with TemporaryDirectory() as folder:
    ...     for table in RETURNS.values():
    ...         file = Path(folder, f"{table.name}.csv")
    ...         _ = file.write_text(",".join(table.column_names))
    ...     flow(open_returns(Path(folder)))["step"].tolist()[:2]
    ['pupils', 'pupils_of_age']
    """
    children = helped_children("episodes", returns.years or ())
    on_roll = "FROM enrolments SELECT pupil_id"
    counted = {
        "pupils": "FROM enrolments SELECT count(DISTINCT pupil_id)",
        "pupils_of_age": f"FROM enrolments SELECT count(DISTINCT pupil_id) WHERE {OF_AGE}",
        "pupils_attended": f"FROM enrolments e SEMI JOIN {_ATTENDED} ON e.pupil_id = a.pupil_id "
        f"AND e.academic_year = a.academic_year SELECT count(DISTINCT pupil_id) WHERE {OF_AGE}",
        "pupils_measured": f"FROM attainment SELECT count(DISTINCT pupil_id) "
        f"WHERE pupil_id IN ({on_roll})",
        "children": f"FROM ({children}) SELECT count(*)",
        "children_enrolled": f"FROM ({children}) SELECT count(*) WHERE pupil_id IN ({on_roll})",
        "children_attended": f"FROM ({children}) SELECT count(*) WHERE pupil_id IN ({on_roll}) "
        "AND pupil_id IN (FROM attendance SELECT pupil_id)",
        "schools": _SCHOOLS.format(table="schools"),
        "schools_enrolled": _SCHOOLS.format(table="enrolments"),
        "schools_attended": _SCHOOLS.format(table="attendance"),
        "schools_trained": _SCHOOLS.format(table="training"),
    }
    rows = []
    for step, sql in counted.items():
        kind, n = step.split("_")[0], int(returns.connection.execute(sql).fetchall()[0][0])
        rows.append((kind, step, *((pd.NA, n) if kind == "schools" else (n, pd.NA))))
    return pd.DataFrame(rows, columns=["table", "step", "pupils", "urns"]).astype(
        {"pupils": "Int64", "urns": "Int64"}
    )


@produces("coverage", ("time_period", "term", "schools", "schools_lacking"), gate="facts")
def coverage(returns: Returns) -> pd.DataFrame:
    """Count the schools that should have sessions of a term, and those that have none.

    Parameters
    ----------
    returns : Returns
        From `open_returns`.

    Returns
    -------
    DataFrame
        ``time_period``, ``term``, ``schools`` (with sessions in that year, neither opened nor
        closed within it) and ``schools_lacking`` (of them, without any of that term). Counts of
        schools; nothing of a pupil.
    """
    return returns.connection.execute(
        f"FROM ({SCHOOL_TERMS}) SELECT academic_year AS time_period, term, count(*) AS schools, "
        "CAST(count_if(missing) AS BIGINT) AS schools_lacking GROUP BY ALL ORDER BY ALL"
    ).df()


@produces("terms_missed", ("time_period", "terms", "schools"), gate="facts")
def terms_missed(returns: Returns) -> pd.DataFrame:
    """Count the schools by how many terms of a year they lack.

    Parameters
    ----------
    returns : Returns
        From `open_returns`.

    Returns
    -------
    DataFrame
        ``time_period``, ``terms`` (lacking; 0: none) and ``schools``.
    """
    each = (
        f"FROM ({SCHOOL_TERMS}) SELECT academic_year AS time_period, urn, "
        "count_if(missing) AS terms GROUP BY ALL"
    )
    return returns.connection.execute(
        f"FROM ({each}) SELECT time_period, terms, count(*) AS schools GROUP BY ALL ORDER BY ALL"
    ).df()
