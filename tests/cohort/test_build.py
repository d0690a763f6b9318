"""The room's one door: nothing about a pupil goes out, nothing is left behind."""

import dataclasses

import duckdb
import pandas as pd
import pytest

from tests.cohort.invented import random_returns
from tests.cohort.tables import connect, one_pupil, school, training
from vsh_eval.cohort import DuckDbEngine, build_cohort, pseudonymise
from vsh_eval.contracts import ContractError
from vsh_eval.settings import Exposure

YEARS = (201819, 202021)
KEY = bytes(range(32))
OWN = ["attainment", "attendance", "enrolments", "episodes", "school_links", "schools",
       "suspensions", "training"]  # fmt: skip


class Watched(DuckDbEngine):
    """Notes which tables still hold identifiers each time a year's cells are read."""

    def __init__(self, connection):
        super().__init__(connection)
        self.seen = []
        self._own = connection

    def run(self, sql):
        if "FROM cohort_outcomes" in sql:
            columns = self._own.sql("SELECT table_name, column_name FROM duckdb_columns()")
            self.seen += [row for row in columns.fetchall() if row[0].startswith("cohort_")]
        return super().run(sql)


def tables_of(connection):
    return sorted(name for (name,) in connection.sql("SHOW TABLES").fetchall())


def test_no_identifier_and_no_pseudonym_is_in_any_table_handed_on():
    returns = random_returns(3, pupils=30)
    built = build_cohort(connect(returns), years=YEARS, key=KEY)
    identifiers = {row[0] for row in returns["enrolments"]}
    keys = pseudonymise(identifiers, key=KEY)
    secret = {*identifiers, *keys["pupil"], *(str(number) for number in keys["pupil"])}
    assert len(secret) == 3 * len(identifiers)
    for field in dataclasses.fields(built):
        table = getattr(built, field.name)
        assert not table.empty or field.name == "training"
        assert not {"pupil", "pupil_id"} & set(table.columns)
        for column in table.columns:
            assert not secret & set(table[column].dropna())


def test_identifiers_are_gone_before_anything_is_counted():
    engine = Watched(connect(random_returns(3)))
    build_cohort(engine, years=YEARS)
    held = {name for name, _ in engine.seen}
    assert "cohort_outcomes" in held
    assert "cohort_keys" not in held
    assert "pupil_id" not in {column for _, column in engine.seen}
    assert {c for name, c in engine.seen if name == "cohort_outcomes"} & {"pupil"} == set()


def test_nothing_is_left_in_the_connection():
    connection = connect(random_returns(3))
    build_cohort(connection, years=YEARS)
    assert tables_of(connection) == OWN


def test_nothing_is_left_after_a_failure():
    tables = one_pupil() | {"attainment": [("P1", 202324, "100", "ks2_rwm_expected", 7.0)]}
    connection = connect(tables)
    with pytest.raises(ContractError, match="neither 0 nor 1"):
        build_cohort(connection, years=(202324,))
    assert tables_of(connection) == OWN


def test_a_read_only_database_will_do(tmp_path):
    path = str(tmp_path / "returns.db")
    source = connect(one_pupil())
    source.execute(f"ATTACH '{path}' AS stored")
    source.execute("COPY FROM DATABASE memory TO stored")
    source.execute("DETACH stored")
    source.close()
    with duckdb.connect(path, read_only=True) as connection:
        assert len(build_cohort(connection, years=(202324,)).panel) == 5


def test_optional_tables_may_be_absent():
    connection = connect(one_pupil(), leave_out=("school_links", "suspensions"))
    assert len(build_cohort(connection, years=(202324,)).panel) == 5


@pytest.mark.parametrize("name", ["schools", "attendance", "episodes", "training"])
def test_a_missing_table_is_refused_by_name(name):
    connection = connect(one_pupil(), leave_out=(name,))
    with pytest.raises(ContractError, match=f"table {name} lacks"):
        build_cohort(connection, years=(202324,))


def test_a_missing_column_is_refused_by_name():
    connection = connect(one_pupil())
    connection.execute("ALTER TABLE episodes DROP COLUMN basis")
    with pytest.raises(ContractError, match="table episodes lacks basis"):
        build_cohort(connection, years=(202324,))


def test_years_are_needed_and_checked():
    with pytest.raises(ContractError, match="years is empty"):
        build_cohort(connect(one_pupil()), years=())
    with pytest.raises(ContractError, match="academic year is 202325"):
        build_cohort(connect(one_pupil()), years=(202325,))


def test_an_empty_key_is_refused_not_replaced():
    with pytest.raises(ContractError, match="pseudonym key has 0 bytes"):
        build_cohort(connect(one_pupil()), years=(202324,), key=b"")


def test_years_given_twice_or_backwards_count_once():
    tables = random_returns(3)
    one = build_cohort(connect(tables), years=(201819, 202021))
    two = build_cohort(connect(tables), years=(202021, 201819, 202021))
    pd.testing.assert_frame_equal(one.panel, two.panel)


def test_vintage_and_rule_are_written_on_every_row():
    built = build_cohort(connect(one_pupil()), years=(202324,), vintage="returns 2024-11")
    for table in (built.panel, built.composition):
        assert set(table["vintage"]) == {"returns 2024-11"}
        assert set(table["cohort_rule"]) == {"any_time_in_year"}


def test_exposure_follows_the_settings_and_lists_every_school():
    tables = one_pupil() | {
        "schools": [school("100"), school("200")],
        "training": [training("100", "2021-11-05", staff=4), training("100", "2022-09-05", "elsa",
                     "universal")],
    }  # fmt: skip
    asked = Exposure.model_validate({"rule": "same_year", "tier": "universal"})
    built = build_cohort(connect(tables), years=(202324,), exposure=asked)
    any_any = built.exposure.query("programme == 'any' and tier == 'any'")
    assert dict(zip(any_any["unit_id"], any_any["adopted"], strict=True)) == {
        "100": 202223,
        "200": 0,
    }
    assert built.training["staff_trained"].tolist()[0] == 4.0
    assert built.schools["unit_id"].tolist() == ["100", "200"]


def test_the_tables_cannot_be_swapped_afterwards():
    built = build_cohort(connect(one_pupil()), years=(202324,))
    with pytest.raises(dataclasses.FrozenInstanceError):
        built.panel = built.schools
