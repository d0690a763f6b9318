"""What runs the room's SQL: DuckDB, a Spark session, or an object with the same five methods.

- `Engine`, `sql_text`: what is asked of an engine, and the one SQL text (`base`).
- `DuckDbEngine` (`duckdb_engine`), `SparkEngine` (`spark_engine`).
- `open_engine`: the engine that reads the tables of a connection.
"""

from collections.abc import Mapping
from typing import Any

import duckdb

from vsh_eval.cohort.engines.base import SUMMED_TOGETHER, Engine, Temporary, sql_file, sql_text
from vsh_eval.cohort.engines.duckdb_engine import DuckDbEngine
from vsh_eval.cohort.engines.spark_engine import SparkEngine, spark_session
from vsh_eval.contracts import RETURNS, ContractError, require_one_of, row_count


def open_engine(
    connection: Any,
    *,
    engine: str = "duckdb",
    remote: str = "",
    tables: Mapping[str, str] | None = None,
) -> Engine:
    """Return the engine that reads the tables of a connection.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection, pyspark.sql.SparkSession or Engine
        An engine is returned as it is. Spark is handed the tables of a DuckDB connection, apart
        from those of ``tables``, in memory; no file is written.
    engine : {"duckdb", "spark"}
        What runs the SQL.
    remote : str
        Where Spark Connect listens, if Spark is not given (`spark_session`).
    tables : mapping of str to str, optional
        Where Spark itself finds tables of the returns (`SparkEngine`).

    Raises
    ------
    ContractError
        If the engine is not known or cannot read the connection, pyspark is not installed, or
        Spark finds not as many rows of a table as DuckDB, which is what was checked.

    Examples
    --------
    >>> type(open_engine(duckdb.connect())).__name__
    'DuckDbEngine'
    """
    require_one_of(engine, ("duckdb", "spark"), name="engine")
    if isinstance(connection, Engine):
        return connection
    if engine == "spark" and hasattr(connection, "catalog"):
        return SparkEngine(connection, tables)
    if not isinstance(connection, duckdb.DuckDBPyConnection):
        raise ContractError(
            f"connection is a {type(connection).__name__}, must be an open DuckDB connection, or a "
            "Spark session where engine is 'spark'; open one with duckdb.connect."
        )
    if engine == "spark":
        return _handed_over(connection, spark_session(remote), tables or {})
    return DuckDbEngine(connection)


def _handed_over(
    connection: duckdb.DuckDBPyConnection, session: Any, tables: Mapping[str, str]
) -> SparkEngine:
    """Give Spark the tables of a connection that it does not find itself."""
    spark, here = SparkEngine(session, tables), DuckDbEngine(connection)
    for name in RETURNS:
        if name in tables:
            _require_same_rows(name, spark, here)
        elif here.columns(name):
            rows = connection.table(name).to_arrow_table()
            session.createDataFrame(rows).createOrReplaceTempView(name)
        else:
            spark.drop(name)
    return spark


def _require_same_rows(name: str, spark: Engine, here: Engine) -> None:
    """Refuse a table of Spark's that is not the one that was checked."""
    rows, checked = (
        int(engine.run(f"SELECT COUNT(*) AS n FROM {name}")["n"].iloc[0])  # noqa: S608 - RETURNS
        for engine in (spark, here)
    )
    if rows != checked:
        raise ContractError(
            f"spark.tables has {row_count(rows)} of {name}, must have the {checked:,} that the "
            "returns have, which were checked; name the table that the returns were made of."
        )
