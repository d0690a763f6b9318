"""Spark: the engine of an authority, or a country, whose returns lie in a cluster."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from vsh_eval.contracts import RETURNS, Column, ContractError, Table

_WHOLE = ("tinyint", "smallint", "int", "bigint")
_TYPES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "text": ("STRING", ("string", *_WHOLE)),
    "integer": ("BIGINT", _WHOLE),
    "academic_year": ("BIGINT", _WHOLE),
    "number": ("DOUBLE", ("float", "double", "decimal", *_WHOLE)),
    "date": ("DATE", ("date", "timestamp", "timestamp_ntz")),
}
"""By kind of column, the type the SQL counts with, and the types it may be made of."""


class SparkEngine:
    """A Spark session: what is kept are cached temporary views.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        Of this process, of a cluster, or of Spark Connect. Knows the tables of the returns by
        name, apart from those of ``tables``. Its own tables are never changed; temporary views
        named as a table of the returns are replaced.
    tables : mapping of str to str, optional
        Where Spark finds tables of the returns: a name of its catalogue, or a folder as Spark
        writes it, such as ``parquet.`/lake/attendance``` or ``delta.`/lake/episodes```.

    Raises
    ------
    ContractError
        If a table is none of the returns, Spark does not find it, or a column of it has a type
        that cannot be the contract's.
    """

    def __init__(self, session: Any, tables: Mapping[str, str] | None = None) -> None:
        self._session = session
        self._kept: set[str] = set()
        for name, place in (tables or {}).items():
            _typed(session, name, place).createOrReplaceTempView(name)

    def run(self, sql: str) -> pd.DataFrame:
        """Return the rows of a query."""
        return _as_duckdb_would(self._session.sql(sql).toArrow())

    def keep(self, name: str, sql: str) -> None:
        """Work out a query once and keep its rows under a name."""
        rows = self._session.sql(sql).cache()
        rows.count()  # now, so that a view which is replaced cannot be read by its own successor
        self._free(name)
        rows.createOrReplaceTempView(name)
        self._kept.add(name)

    def give(self, name: str, table: pd.DataFrame) -> None:
        """Make a small table known under a name."""
        rows = table.astype(object).where(table.notna(), None)
        columns = ", ".join(f"`{c}` {_kind(table[c])}" for c in table)
        given = self._session.createDataFrame(rows.to_numpy().tolist(), schema=columns)
        given.createOrReplaceTempView(name)

    def drop(self, name: str) -> None:
        """Forget what was kept or given under a name."""
        self._free(name)
        self._session.catalog.dropTempView(name)

    def _free(self, name: str) -> None:
        """Give back the memory of what was kept under a name; dropping its view does not."""
        if name in self._kept:
            self._kept.remove(name)
            # By its name: Spark Connect resolves a query anew whenever it is asked about it.
            self._session.table(name).unpersist()

    def columns(self, name: str) -> tuple[str, ...]:
        """Return the columns of a table, none where there is no such table."""
        known = self._session.catalog.tableExists(name)
        return tuple(self._session.table(name).columns) if known else ()


def spark_session(remote: str = "") -> Any:
    """Return the Spark session of this process, or open one.

    Parameters
    ----------
    remote : str
        Where Spark Connect listens, such as ``sc://host:15002``. Blank: the session that is open,
        else the one that the surroundings name (spark-submit, ``SPARK_REMOTE``), else a local one.

    Raises
    ------
    ContractError
        If pyspark is not installed.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ContractError(
            "engine is 'spark', and pyspark is not installed; install vsh-eval[spark], or set "
            "engine: duckdb in the params file."
        ) from None
    if remote:
        return SparkSession.builder.remote(remote).getOrCreate()
    # Spark's own page shows queries to whoever reaches its port.
    builder = SparkSession.builder.appName("vsh-eval").config("spark.ui.enabled", "false")
    return SparkSession.getActiveSession() or builder.getOrCreate()


def _typed(session: Any, name: str, place: str) -> Any:
    """Return a table of the returns in the contract's types; further columns stay as they are."""
    if name not in RETURNS:
        raise ContractError(
            f"spark.tables names {name}, must name tables of the returns; "
            f"they are {', '.join(RETURNS)}."
        )
    from pyspark.errors import AnalysisException

    try:
        frame = session.table(place)
        types = dict(frame.dtypes)
    except AnalysisException:
        raise ContractError(
            f"spark.tables says that {name} is {place}, and Spark finds no table there; name one "
            "of its catalogue, or a folder as parquet.`/folder` or delta.`/folder`."
        ) from None
    table = RETURNS[name]
    further = [f"`{column}`" for column in types if column not in table.column_names]
    return frame.selectExpr(*_expressions(table, types), *further)


def _expressions(table: Table, types: Mapping[str, str]) -> list[str]:
    """Return what makes each column of the contract; an optional one that is missing is empty."""
    expressions = []
    for column in table.columns:
        wanted, made_of = _TYPES[column.kind]
        if column.name in types:
            _require_type(table.name, column, types[column.name], made_of)
            expressions.append(f"CAST(`{column.name}` AS {wanted}) AS `{column.name}`")
        elif not column.required:
            expressions.append(f"CAST(NULL AS {wanted}) AS `{column.name}`")
    return expressions


def _require_type(table: str, column: Column, type_: str, made_of: tuple[str, ...]) -> None:
    if type_.partition("(")[0] not in made_of:
        raise ContractError(
            f"Spark has {column.name} of {table} as {type_}, must have it as "
            f"{' or '.join(made_of)}; make a view that casts it, and name the view."
        )


def _as_duckdb_would(rows: Any) -> pd.DataFrame:
    """Return an Arrow table in the dtypes of `DuckDbEngine`: dates, and whole numbers with gaps."""
    table = rows.to_pandas(date_as_object=False)
    dates = dict.fromkeys(table.select_dtypes("datetime"), "datetime64[us]")
    gaps = {
        name: pd.array(rows[name].to_pylist(), dtype="Int64")
        for name in rows.column_names
        if str(rows[name].type).startswith("int") and rows[name].null_count
    }
    return table.astype(dates).assign(**gaps)


def _kind(column: pd.Series) -> str:
    return "BIGINT" if pd.api.types.is_integer_dtype(column) else "STRING"
