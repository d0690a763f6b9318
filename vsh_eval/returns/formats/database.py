"""Tables of the returns from an SQL database, one query each, read and never written."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from vsh_eval.contracts import RETURNS, ContractError
from vsh_eval.returns.formats import coded
from vsh_eval.returns.formats.reading import Options, Reading, note
from vsh_eval.returns.formats.rows import cell_text

SSD = """
SELECT p.pers_upn AS pupil_id, 'CIN' AS status, c.cine_referral_date AS start_date,
       c.cine_close_date AS end_date, 'episode' AS basis
FROM ssd_cin_episodes c JOIN ssd_person p ON p.pers_person_id = c.cine_person_id
WHERE COALESCE(UPPER(SUBSTRING(CAST(c.cine_referral_nfa AS VARCHAR(5)), 1, 1)), 'N')
      NOT IN ('Y', 'T', '1')
UNION ALL
SELECT p.pers_upn, 'CIN', n.cinp_cin_plan_start_date, n.cinp_cin_plan_end_date, 'plan'
FROM ssd_cin_plans n JOIN ssd_person p ON p.pers_person_id = n.cinp_person_id
UNION ALL
SELECT p.pers_upn, 'CPP', k.cppl_cp_plan_start_date, k.cppl_cp_plan_end_date, 'episode'
FROM ssd_cp_plans k JOIN ssd_person p ON p.pers_person_id = k.cppl_person_id
UNION ALL
SELECT p.pers_upn, 'CLA', e.clae_cla_episode_start_date, e.clae_cla_episode_ceased_date, 'episode'
FROM ssd_cla_episodes e JOIN ssd_person p ON p.pers_person_id = e.clae_person_id
WHERE NOT EXISTS (
    SELECT 1 FROM ssd_legal_status l
    WHERE l.lega_person_id = e.clae_person_id
      AND (l.lega_legal_status LIKE 'V3%' OR l.lega_legal_status LIKE 'V4%')
      AND l.lega_legal_status_start_date <= e.clae_cla_episode_start_date
      AND (l.lega_legal_status_end_date IS NULL
           OR l.lega_legal_status_end_date > e.clae_cla_episode_start_date))
"""
SSD_FORMER = """
SELECT i.link_identifier_value AS former_upn, p.pers_upn AS upn
FROM ssd_linked_identifiers i JOIN ssd_person p ON p.pers_person_id = i.link_person_id
WHERE i.link_identifier_type = 'Former Unique Pupil Number'
"""
LAYOUTS: Mapping[str, Mapping[str, str]] = {"ssd": {"episodes": SSD, "former_upns": SSD_FORMER}}
"""The queries of a layout by table: ``ssd`` is Data to Insight's Standard Safeguarding Dataset."""
_READ_ONLY = {
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}
"""What asks a database to refuse every change."""
ANSWERS_WITHIN = 30
"""Seconds in which a server must take a connection, unless its URL says otherwise."""
_TIMEOUT = {
    **dict.fromkeys(("psycopg", "psycopg2", "pymysql", "mysqldb"), "connect_timeout"),
    "mysqlconnector": "connection_timeout",
    "oracledb": "tcp_connect_timeout",
    "pymssql": "login_timeout",
    "pyodbc": "timeout",
}
"""How a driver is told; others, and files, have no such option."""


def read(paths: Sequence[Path], *, options: Options) -> Reading:
    """Run one query a table.

    Parameters
    ----------
    paths : sequence of Path
        None: a database has no files.
    options : Options
        ``section``: the URL, the queries or the layout, and the variable of the password.

    Returns
    -------
    Reading
        The tables of the queries, in their columns; ``pupil_id`` as the department writes UPNs.
        Rows without one are left out and counted.

    Raises
    ------
    ContractError
        In one sentence, if the libraries are not installed, the database cannot be reached or is
        lost, a query fails, or it gives no column of its table. No message repeats the URL or what
        the database says, as both may hold names.

    Notes
    -----
    The connection is opened for reading where the database can promise it (PostgreSQL, MySQL,
    SQLite), and what a query did is rolled back in any case. A server that does not answer is given
    up after `ANSWERS_WITHIN` seconds; a query may take as long as it takes.
    """
    del paths
    section = options.section
    queries = {**LAYOUTS.get(section.layout or "", {}), **section.queries}
    tables, notes = _run(section, queries), []
    former = tables.pop("former_upns", pd.DataFrame(columns=["former_upn", "upn"]))
    for table, rows in tables.items():
        lacking = [c.name for c in RETURNS[table].columns if c.required and c.name not in rows]
        if lacking:
            raise ContractError(
                f"source.files.database.queries.{table} gives no column {', '.join(lacking)}, must "
                "give it; name the column in the SELECT with AS."
            )
        if "pupil_id" in rows:
            upns = coded.column(coded.upn, rows["pupil_id"])
            without = upns.isna().sum()
            if without:
                notes.append(note("rows_without_upn", rows=without, of_rows=len(rows), name=table))
            tables[table] = rows.assign(pupil_id=upns)[upns.notna()].reset_index(drop=True)
    former = former.apply(lambda upns: coded.column(coded.upn, upns)).dropna()
    return Reading(
        tables, tuple(notes), {"former_upns": former[former["upn"] != former["former_upn"]]}
    )


def _run(section, queries: Mapping[str, str]) -> dict[str, pd.DataFrame]:  # noqa: ANN001
    try:
        import sqlalchemy
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError as error:
        raise ContractError(
            "source.files.database needs SQLAlchemy, which is not installed; install "
            "vsh-eval[files]."
        ) from error
    try:
        url = sqlalchemy.make_url(section.url)
        password = os.environ.get(section.password_variable)
        timeout = _TIMEOUT.get(url.get_driver_name())
        given = {timeout: ANSWERS_WITHIN} if timeout and timeout not in url.query else {}
        engine = sqlalchemy.create_engine(
            url.set(password=password) if password else url, connect_args=given
        )
    except (SQLAlchemyError, ImportError, ValueError) as error:
        raise ContractError(
            "source.files.database.url cannot be used, must be an SQLAlchemy URL whose driver is "
            "installed, such as postgresql+psycopg://reader@server/care; correct it in the params "
            "file."
        ) from error
    try:
        with engine.connect() as connection:
            if url.get_backend_name() in _READ_ONLY:
                connection.exec_driver_sql(_READ_ONLY[url.get_backend_name()])
                connection.commit()
            return {table: _query(connection, table, query) for table, query in queries.items()}
    except SQLAlchemyError as error:
        raise ContractError(
            "source.files.database cannot be reached; check the server, the database and the user "
            f"in its url, and the password in {section.password_variable}."
        ) from error
    finally:
        engine.dispose()


def _query(connection, table: str, query: str) -> pd.DataFrame:  # noqa: ANN001
    """Run one query, its values as text."""
    import sqlalchemy
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        # A colon would name a parameter, and a query has none.
        result = connection.execute(sqlalchemy.text(query.replace(":", r"\:")))
        rows = [[None if cell is None else cell_text(cell) for cell in row] for row in result]
        return pd.DataFrame(rows, columns=list(result.keys()), dtype="str")
    except SQLAlchemyError as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise ContractError(
                f"source.files.database was lost while queries.{table} was read, must answer until "
                "all is read; see that the server is up and can be reached, and run again."
            ) from error
        raise ContractError(
            f"source.files.database.queries.{table} cannot be run, must be one SELECT that its "
            "user may make; try it in the database's own tool."
        ) from error
