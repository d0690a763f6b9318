"""What runs the room's SQL: DuckDB, a Spark session, or an object with the same five methods.

- `Engine`, `sql_text`: what is asked of an engine, and the one SQL text (`base`).
- `DuckDbEngine` (`duckdb_engine`), `SparkEngine` (`spark_engine`).
- `open_engine`: the engine that reads the tables of a connection.
"""

import duckdb

from vsh_eval.cohort.engines.base import Engine, Temporary, sql_file, sql_text
from vsh_eval.cohort.engines.duckdb_engine import DuckDbEngine
from vsh_eval.contracts import ContractError, require_one_of

__all__ = ["DuckDbEngine", "Engine", "Temporary", "open_engine", "sql_file", "sql_text"]


def open_engine(connection: object, *, engine: str = "duckdb") -> Engine:
    """Return the engine that reads the tables of a connection.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection or Engine
        An engine is returned as it is.
    engine : {"duckdb", "spark"}
        What kind of connection it is.

    Raises
    ------
    ContractError
        If the engine is not known, or is not the one of the connection.

    Examples
    --------
    >>> type(open_engine(duckdb.connect())).__name__
    'DuckDbEngine'
    """
    require_one_of(engine, ("duckdb", "spark"), name="engine")
    if isinstance(connection, Engine):
        return connection
    if engine == "spark":
        raise ContractError(
            "engine is 'spark', but a run reads its returns into DuckDB; set engine: duckdb in the "
            "params file, or in a program hand over a vsh_eval.cohort.Engine for the connection."
        )
    if not isinstance(connection, duckdb.DuckDBPyConnection):
        raise ContractError(
            f"connection is a {type(connection).__name__}, must be an open DuckDB connection; "
            "open one with duckdb.connect."
        )
    return DuckDbEngine(connection)
