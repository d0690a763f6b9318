"""What runs the SQL: DuckDB here, anything else that offers the same four steps elsewhere.

The text itself lies in ``sql/``, one file a table. It keeps to what DuckDB and Spark SQL share,
so no engine has its own version: integer years in place of date ranges, ``CASE``, ``COALESCE``,
``SUM``, every sum cast to ``BIGINT`` (DuckDB's integer sums are wider and would reach pandas
as floats).
"""

from importlib import resources
from string import Formatter
from typing import Protocol, runtime_checkable

import duckdb
import pandas as pd

from vsh_eval.contracts import ContractError, require_one_of


@runtime_checkable
class Engine(Protocol):
    """What the room asks of an engine. A Spark session plugs in by offering the same."""

    def run(self, sql: str) -> pd.DataFrame:
        """Return the rows of a query; 64-bit integers stay integers."""
        ...

    def keep(self, name: str, sql: str) -> None:
        """Work out a query once and keep its rows under a name."""
        ...

    def give(self, name: str, table: pd.DataFrame) -> None:
        """Make a small table known under a name."""
        ...

    def drop(self, name: str) -> None:
        """Forget what was kept or given under a name; nothing happens if there is none."""
        ...

    def columns(self, name: str) -> tuple[str, ...]:
        """Return the columns of a table, none where there is no such table."""
        ...


class DuckDbEngine:
    """DuckDB: what is kept are temporary tables of the connection.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Open; may be read-only. Its own tables are never changed.

    Examples
    --------
    >>> engine = DuckDbEngine(duckdb.connect())
    >>> engine.keep("seven", "SELECT 7 AS n")
    >>> int(engine.run("SELECT n FROM seven")["n"].iloc[0])
    7
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run(self, sql: str) -> pd.DataFrame:
        """Return the rows of a query."""
        return self._connection.sql(sql).df()

    def keep(self, name: str, sql: str) -> None:
        """Work out a query once and keep its rows under a name."""
        self._connection.execute(f"CREATE OR REPLACE TEMPORARY TABLE {name} AS {sql}")

    def give(self, name: str, table: pd.DataFrame) -> None:
        """Make a small table known under a name."""
        seen = f"{name}_given"
        self._connection.register(seen, table)
        try:
            self.keep(name, f"FROM {seen}")
        finally:
            self._connection.unregister(seen)

    def drop(self, name: str) -> None:
        """Forget what was kept or given under a name."""
        self._connection.execute(f"DROP TABLE IF EXISTS temp.{name}")

    def columns(self, name: str) -> tuple[str, ...]:
        """Return the columns of a table, none where there is no such table."""
        try:
            return tuple(self._connection.table(name).columns)
        except duckdb.CatalogException:
            return ()


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
            "engine is 'spark', but Spark does not come with this package; pass an object with the "
            "methods of vsh_eval.cohort.Engine, or set engine: duckdb."
        )
    if not isinstance(connection, duckdb.DuckDBPyConnection):
        raise ContractError(
            f"connection is a {type(connection).__name__}, must be an open DuckDB connection; "
            "open one with duckdb.connect."
        )
    return DuckDbEngine(connection)


def sql_text(name: str, /, **integers: int) -> str:
    """Return one of the room's SQL texts with its parameters filled in.

    Only whole numbers can be filled in, so no value of a return ever becomes part of a query.

    Parameters
    ----------
    name : str
        The file in ``sql/`` without its ending.
    **integers : int
        One for each ``{parameter}`` of the text.

    Raises
    ------
    ContractError
        If a parameter is missing, not asked for, or not a whole number.

    Examples
    --------
    >>> "academic_year = 202324" in sql_text("intake_enrolments", period=202324)
    True
    """
    text = resources.files("vsh_eval.cohort").joinpath(f"sql/{name}.sql").read_text("utf-8")
    asked = {field for _, field, _, _ in Formatter().parse(text) if field is not None}
    if asked != set(integers):
        raise ContractError(
            f"SQL text {name} was given {sorted(integers)}, must be given {sorted(asked)}; "
            "name each of its parameters."
        )
    for parameter, value in integers.items():
        if type(value) is not int:
            raise ContractError(
                f"SQL parameter {parameter} is {value!r}, must be a whole number; "
                "no other value is ever put into a query."
            )
    return text.format(**integers)
