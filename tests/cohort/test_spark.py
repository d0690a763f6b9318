"""What Spark is handed, reads itself and refuses; `tests.proofs.spark` says if it counts alike."""

import pytest

from tests.cohort.tables import connect, episode, one_pupil
from vsh_eval.cohort import open_engine
from vsh_eval.contracts import ContractError

pytest.importorskip("pyspark", reason="pyspark is not installed: pip install -e '.[spark]'")


@pytest.fixture(scope="module")
def session():
    from tests.proofs.spark import spark_session

    return spark_session()


@pytest.fixture
def returns():
    return connect(one_pupil(episode("P1", "2023-10-01")))


def test_it_is_handed_the_tables_and_reads_those_that_are_named(session, returns, tmp_path):
    file = tmp_path / "attendance"
    returns.execute(f"COPY attendance TO '{file}' (FORMAT parquet)")
    tables = {"attendance": f"parquet.`{file}`"}
    spark, duckdb = open_engine(returns, engine="spark", tables=tables), open_engine(returns)
    for name in ("schools", "enrolments", "attendance", "episodes", "training", "school_links"):
        here, there = (engine.run(f"TABLE {name}") for engine in (duckdb, spark))
        assert here.astype(object).equals(there.astype(object)), name
        assert duckdb.columns(name) == spark.columns(name)


def test_a_table_that_was_not_checked_is_refused(session, returns):
    columns = "pupil_id STRING, status STRING, start_date DATE, end_date DATE"
    rows = session.createDataFrame([("P1", "CIN", None, None)] * 2, columns)
    rows.createOrReplaceTempView("twice")
    with pytest.raises(ContractError, match="2 rows of episodes, must have the 1 that"):
        open_engine(returns, engine="spark", tables={"episodes": "twice"})


def test_a_column_of_another_type_and_a_place_without_a_table_are_refused(session):
    session.createDataFrame([("2023/24",)], "academic_year STRING").createOrReplaceTempView("text")
    with pytest.raises(ContractError, match="academic_year of attendance as string, must have it"):
        open_engine(session, engine="spark", tables={"attendance": "text"})
    for place in ("nowhere", "parquet.`/no/such/folder`"):
        with pytest.raises(ContractError, match="Spark finds no table there; name one"):
            open_engine(session, engine="spark", tables={"attendance": place})


def test_what_was_kept_is_forgotten_and_its_memory_given_back(session):
    engine = open_engine(session, engine="spark")
    engine.keep("seven", "SELECT 7 AS n")
    engine.keep("seven", "SELECT n + 1 AS n FROM seven")
    assert engine.run("SELECT n FROM seven")["n"].tolist() == [8]
    engine.drop("seven")
    engine.drop("seven")
    assert engine.columns("seven") == ()
    assert session._jsparkSession.sharedState().cacheManager().isEmpty()
