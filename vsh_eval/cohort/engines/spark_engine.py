"""Spark: the engine of an authority whose returns lie in a cluster; pyspark is its own to bring."""

from typing import Any

import pandas as pd


class SparkEngine:
    """A Spark session: what is kept are cached temporary views.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        Knows the tables of the returns by name. Its own tables are never changed.
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    def run(self, sql: str) -> pd.DataFrame:
        """Return the rows of a query."""
        return self._session.sql(sql).toPandas()

    def keep(self, name: str, sql: str) -> None:
        """Work out a query once and keep its rows under a name."""
        rows = self._session.sql(sql).cache()
        rows.count()  # now, so that a view which is replaced cannot be read by its own successor
        rows.createOrReplaceTempView(name)

    def give(self, name: str, table: pd.DataFrame) -> None:
        """Make a small table known under a name."""
        rows = table.astype(object).where(table.notna(), None)
        columns = ", ".join(f"`{c}` {_kind(table[c])}" for c in table)
        given = self._session.createDataFrame(rows.to_numpy().tolist(), schema=columns)
        given.createOrReplaceTempView(name)

    def drop(self, name: str) -> None:
        """Forget what was kept or given under a name."""
        self._session.catalog.dropTempView(name)

    def columns(self, name: str) -> tuple[str, ...]:
        """Return the columns of a table, none where there is no such table."""
        known = self._session.catalog.tableExists(name)
        return tuple(self._session.table(name).columns) if known else ()


def _kind(column: pd.Series) -> str:
    return "BIGINT" if pd.api.types.is_integer_dtype(column) else "STRING"
