"""The room's one door: nothing about a pupil goes out, nothing is left behind."""

import dataclasses

import duckdb
import pandas as pd
import pytest

from tests import frames
from tests.cohort.invented import PERIODS, random_returns
from tests.cohort.tables import SECRET, build, connect, one_pupil, school, training
from tests.frames import in_words
from vsh_eval.cohort import DuckDbEngine, build_cohort
from vsh_eval.contracts import ContractError
from vsh_eval.settings import Exposure

YEARS = (201819, 202021)
OWN = ["attainment", "attendance", "enrolments", "episodes", "school_links", "schools",
       "suspensions", "training"]  # fmt: skip


class Watched(DuckDbEngine):
    """Notes what the room's tables hold each time a year's cells are read."""

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


@pytest.fixture(scope="module")
def returns():
    return random_returns(3, pupils=30)


@pytest.fixture(scope="module")
def watched(returns):
    """The engine that noted what it held, its connection, and what was built."""
    connection = connect(returns)
    engine = Watched(connection)
    built = build_cohort(
        engine, years=YEARS, secret=SECRET, other_rule_metrics=("overall_absence",)
    )
    return engine, connection, built


def test_no_identifier_is_in_any_table_handed_on(returns, watched):
    built = watched[-1]
    identifiers = {row[0] for row in returns["enrolments"]}
    for field in dataclasses.fields(built):
        table = getattr(built, field.name)
        assert not table.empty or field.name == "training"
        assert not {"pupil", "pupil_id", "record_key"} & set(table.columns)
        for column in table.columns:
            assert not identifiers & set(table[column].dropna())


def test_only_keys_and_suspensions_hold_identifiers_and_sums_hold_no_pupil(watched):
    held = pd.DataFrame(watched[0].seen, columns=["table", "column"]).drop_duplicates()
    of = held.groupby("column")["table"].agg(set)
    assert {"cohort_outcomes", "cohort_pupils", "cohort_attendance"} <= set(held["table"])
    assert of["pupil_id"] <= {"cohort_keys", "cohort_suspended"}
    assert "cohort_outcomes" not in of["pupil"] | of["record_key"]


def test_nothing_is_left_in_the_connection_whatever_happens(watched):
    assert tables_of(watched[1]) == OWN
    broken = one_pupil() | {"attainment": [("P1", 202324, "100", "ks2_rwm_expected", 7.0)]}
    connection = connect(broken)
    with pytest.raises(ContractError, match="neither 0 nor 1"):
        build_cohort(connection, years=(202324,), secret=SECRET)
    assert tables_of(connection) == OWN


def test_a_read_only_database_will_do(tmp_path):
    path = str(tmp_path / "returns.db")
    source = connect(one_pupil())
    source.execute(f"ATTACH '{path}' AS stored")
    source.execute("COPY FROM DATABASE memory TO stored")
    source.execute("DETACH stored")
    source.close()
    with duckdb.connect(path, read_only=True) as connection:
        assert len(build_cohort(connection, years=(202324,), secret=SECRET).panel) == 5


def test_optional_tables_may_be_absent_and_vintage_and_rule_are_on_every_row():
    built = build(one_pupil(), leave_out=("school_links", "suspensions"))
    assert len(built.panel) == 5
    for table in (built.panel, built.composition):
        assert set(table["vintage"]) == {"returns"}
        assert set(table["cohort_rule"]) == {"any_time_in_year"}


@pytest.mark.parametrize("name", ["schools", "attendance", "episodes", "training"])
def test_a_missing_table_is_refused_by_name(name):
    with pytest.raises(ContractError, match=f"table {name} lacks"):
        build(one_pupil(), leave_out=(name,))


def test_a_missing_column_is_refused_by_name():
    connection = connect(one_pupil())
    connection.execute("ALTER TABLE episodes DROP COLUMN basis")
    with pytest.raises(ContractError, match="table episodes lacks basis"):
        build_cohort(connection, years=(202324,), secret=SECRET)


def test_years_are_needed_and_checked():
    with pytest.raises(ContractError, match="years is empty"):
        build(one_pupil(), years=())
    with pytest.raises(ContractError, match="academic year is 202325"):
        build(one_pupil(), years=(202325,))


def test_years_given_twice_or_backwards_count_once(returns, watched):
    again = build(returns, years=(*YEARS[::-1], YEARS[1]))
    frames.assert_the_same(again.panel, watched[-1].panel)


def test_a_closed_year_is_counted_nowhere_and_known_to_the_year_after():
    tables, years = random_returns(2026, pupils=60), PERIODS[1:]
    closed, metrics = years[:2], ("overall_absence",)
    whole = build(tables, years=years, other_rule_metrics=metrics)
    part = build(tables, years=years, other_rule_metrics=metrics, closed=closed)
    for name in ("panel", "composition", "moments", "spread", "new_entrants"):
        table = getattr(whole, name)
        new = table[~table["time_period"].isin(closed)].reset_index(drop=True)
        assert not new.empty
        frames.assert_the_same(in_words(getattr(part, name)), in_words(new), name)
    frames.assert_the_same(part.other_rule_panel, whole.other_rule_panel)
    steps = part.flow.set_index(["table", "step"])["rows"]
    assert steps["attendance", "closed_year"] > 0
    assert steps["attendance"].iloc[0] == steps["attendance"].iloc[1:].sum()
    nothing = build(tables, years=closed[1:], closed=closed)
    assert nothing.panel.empty
    assert nothing.moments.empty


def test_exposure_follows_the_settings_and_lists_every_school():
    tables = one_pupil() | {
        "schools": [school("100"), school("200")],
        "training": [training("100", "2021-11-05", staff=4), training("100", "2022-09-05", "elsa",
                     "universal")],
    }  # fmt: skip
    asked = Exposure.model_validate({"rule": "same_year", "tier": "universal"})
    built = build(tables, exposure=asked)
    any_any = built.exposure.query("programme == 'any' and tier == 'any'")
    assert dict(zip(any_any["unit_id"], any_any["adopted"], strict=True)) == {
        "100": 202223,
        "200": 0,
    }
    assert built.training["staff_trained"].tolist()[0] == 4.0
    assert built.schools["unit_id"].tolist() == ["100", "200"]
