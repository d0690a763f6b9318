"""DuckDB: the engine that comes with the package."""

import duckdb
import pandas as pd

_SPARK_FUNCTIONS = """
CREATE OR REPLACE TEMPORARY MACRO sha2(bytes, bits) AS sha256(bytes);
CREATE OR REPLACE TEMPORARY MACRO to_binary(words, form) AS encode(words);
CREATE OR REPLACE TEMPORARY MACRO conv(digits, base, other) AS CAST('0x' || digits AS BIGINT);
"""
"""What the SQL calls as Spark does and DuckDB has under other names, for the arguments used."""


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
        connection.execute(_SPARK_FUNCTIONS)

    def run(self, sql: str) -> pd.DataFrame:
        """Return the rows of a query."""
        return self._connection.execute(sql).df()

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
