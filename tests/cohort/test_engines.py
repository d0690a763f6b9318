"""What runs the SQL, and what may be put into it."""

import re
import sys
from importlib import resources

import duckdb
import pandas as pd
import pytest

from vsh_eval.cohort import DuckDbEngine, Engine, open_engine, sql_text
from vsh_eval.contracts import ContractError

TEXTS = {
    path.name.removesuffix(".sql"): path.read_text("utf-8")
    for path in resources.files("vsh_eval.cohort").joinpath("sql").iterdir()
}


def test_sums_reach_pandas_as_whole_numbers():
    engine = DuckDbEngine(duckdb.connect())
    engine.give("numbers", pd.DataFrame({"n": [2**53 + 1, 0]}))
    table = engine.run("SELECT CAST(SUM(n) AS BIGINT) AS n FROM numbers")
    assert str(table["n"].dtype) == "int64"
    assert table["n"].tolist() == [2**53 + 1]


def test_kept_and_given_tables_are_temporary_and_can_be_dropped():
    connection = duckdb.connect()
    engine = DuckDbEngine(connection)
    given = pd.DataFrame({"n": [1, 2], "text": ["a", None]})
    engine.give("given", given)
    engine.keep("kept", "SELECT n + 1 AS n FROM given")
    engine.keep("kept", "SELECT n + 2 AS n FROM given")
    assert engine.run("SELECT n FROM kept ORDER BY n")["n"].tolist() == [3, 4]
    assert engine.columns("given") == ("n", "text")
    temporary = connection.sql("SELECT table_name, temporary FROM duckdb_tables()").fetchall()
    assert sorted(temporary) == [("given", True), ("kept", True)]
    for name in ("kept", "given", "never_there"):
        engine.drop(name)
    assert connection.sql("SHOW TABLES").fetchall() == []
    assert engine.columns("given") == ()


def test_a_connections_own_table_of_that_name_survives():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    engine = DuckDbEngine(connection)
    engine.keep("kept", "SELECT 2 AS n")
    engine.drop("kept")
    engine.drop("kept")
    assert engine.run("SELECT n FROM kept")["n"].tolist() == [1]


def test_another_engine_plugs_in():
    class Session(DuckDbEngine):
        """Stands for a Spark session's adapter."""

    session = Session(duckdb.connect())
    assert isinstance(session, Engine)
    assert open_engine(session, engine="spark") is session


def test_without_pyspark_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(ContractError, match=r"install vsh-eval\[spark\], or set engine: duckdb"):
        open_engine(duckdb.connect(), engine="spark")


def test_an_unknown_engine_or_connection_is_refused():
    with pytest.raises(ContractError, match="engine is 'sas', must be one of duckdb, spark"):
        open_engine(duckdb.connect(), engine="sas")
    with pytest.raises(ContractError, match="connection is a str, must be an open DuckDB"):
        open_engine("returns.db")


@pytest.mark.parametrize("value", ["1; DROP TABLE schools", 1.0, True, None])
def test_only_whole_numbers_become_part_of_a_query(value):
    with pytest.raises(ContractError, match="must be a whole number"):
        sql_text("intake_enrolments", period=value)


def test_parameters_must_be_those_of_the_text():
    with pytest.raises(ContractError, match=r"was given \[\], must be given \['period'\]"):
        sql_text("intake_enrolments")
    with pytest.raises(ContractError, match="must be given"):
        sql_text("panel", period=202324)


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_the_text_keeps_to_what_duckdb_and_spark_share(name):
    words = {word.upper() for word in re.findall(r"\w+", re.sub(r"--.*", "", TEXTS[name]))}
    duckdb_only = {"QUALIFY", "FILTER", "STRUCT_PACK", "LIST", "EXCLUDE", "VARCHAR", "HUGEINT",
                   "MACRO", "ASOF", "POSITIONAL", "PIVOT", "UNPIVOT", "SAMPLE", "ARRAY_AGG",
                   "DATE_DIFF", "STRPTIME", "EPOCH"}  # fmt: skip
    assert words & duckdb_only == set()
    assert "::" not in TEXTS[name]
    assert '"' not in TEXTS[name]
    assert "SUM" not in words or words & {"BIGINT", "INT"}
    joins = re.findall(r"\bON\b(.*)", re.sub(r"--.*", "", TEXTS[name]))
    assert all("<" not in join and ">" not in join for join in joins)
