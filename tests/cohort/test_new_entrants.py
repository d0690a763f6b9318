"""Who is newly counted, and how they attended the year before: equal to the oracle, row by row."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cohort import oracle
from tests.cohort.invented import PERIODS, random_returns
from tests.cohort.tables import attendance, build, enrolment, episode, school, suspension
from vsh_eval.cohort import NEW_ENTRANT_COLUMNS

RULES = ("any_time_in_year", "at_31_march", "ever_6")


def cells_of(table):
    keys = list(NEW_ENTRANT_COLUMNS[:4])
    assert not table.duplicated(keys).any()
    return {
        tuple(row[key] for key in keys): [
            None if pd.isna(row[name]) else row[name] for name in NEW_ENTRANT_COLUMNS[4:]
        ]
        for row in table.to_dict("records")
    }


@settings(max_examples=2, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    rule=st.sampled_from(RULES),
    basis=st.sampled_from(("episode", "plan")),
    years=st.sampled_from((PERIODS, PERIODS[:2], PERIODS[::3], PERIODS[1:])),
)
def test_it_equals_the_oracle(seed, rule, basis, years):
    tables = random_returns(seed)
    built = build(tables, years=years, cohort={"rule": rule, "basis": basis})
    assert cells_of(built.new_entrants) == oracle.new_entrants(
        tables, years=years, rule=rule, basis=basis
    )


def test_it_equals_the_oracle_on_more_pupils_and_counts_those_of_overall_absence():
    tables = random_returns(2026, pupils=80)
    built = build(tables, years=PERIODS)
    found = built.new_entrants
    assert cells_of(found) == oracle.new_entrants(tables, years=PERIODS, rule="any_time_in_year")
    assert tuple(found.columns) == NEW_ENTRANT_COLUMNS
    assert {str(found[name].dtype) for name in NEW_ENTRANT_COLUMNS[4:]} == {"Int64"}
    assert found["entrants"].isna().any()
    assert found["entrants"].gt(0).any()
    assert found["prior_missed"].gt(0).any()
    keys = list(NEW_ENTRANT_COLUMNS[:4])
    absence = built.panel.query("metric == 'overall_absence'").set_index(keys)["pupils"]
    pd.testing.assert_series_equal(
        found.set_index(keys)["pupils"].sort_index(), absence.sort_index()
    )


@pytest.fixture
def two_children():
    """P1 in need in both years; P2 in the second only, who came from a school not in the table."""
    return {
        "schools": [school("100")],
        "enrolments": [
            *(enrolment(pupil, year) for pupil in ("P1", "P2") for year in (202223, 202324)),
            enrolment("P2", 202223, "999"),
        ],
        "attendance": [
            attendance("P1", 202223, possible=100, auth=9, unauth=1),
            attendance("P2", 202223, "999", possible=60, auth=3, unauth=0),
            attendance("P1", 202324),
            attendance("P2", 202324),
        ],
        "episodes": [
            episode("P1", "2022-11-01", "2023-11-01"),
            episode("P2", "2023-10-01", "2023-12-01"),
        ],
    }


def test_by_hand(two_children):
    table = build(two_children, years=(202223, 202324)).new_entrants.set_index(
        ["time_period", "group"]
    )
    first, second = table.loc[(202223, "cin")], table.loc[(202324, "cin")]
    assert first["pupils"] == 1
    assert first["entrants":"entrants_possible"].isna().all()
    assert second["pupils":"entrants_possible"].tolist() == [2, 1, 2, 13, 160, 3, 60]


def test_a_child_not_at_school_the_year_before_has_no_sessions_and_may_yet_be_no_entrant(
    two_children,
):
    rows = [row for row in two_children["attendance"] if row[:2] != ("P1", 202223)]
    table = build({**two_children, "attendance": rows}, years=(202223, 202324)).new_entrants
    row = table.set_index(["time_period", "group"]).loc[(202324, "cin")]
    assert row["pupils":"entrants_possible"].tolist() == [2, 1, 1, 3, 60, 3, 60]


def moved(tables, years=(202324,)):
    panel = build(tables, years=years).panel
    rows = panel[panel["metric"] == "school_move"]
    return {(r.unit_id, r.time_period): (r.pupils, r.numerator) for r in rows.itertuples()}


def test_a_move_counts_at_both_schools_and_a_successor_is_no_move():
    tables = {
        "schools": [school("100"), school("101"), school("200")],
        "school_links": [("100", "101", None)],
        "enrolments": [
            enrolment("P1", urn="100"),
            enrolment("P1", urn="101"),
            enrolment("P2", urn="101"),
            enrolment("P2", urn="200"),
            enrolment("P3", urn="200"),
            enrolment("P3", urn="999"),
        ],
    }
    assert moved(tables) == {("101", 202324): (2, 1.0), ("200", 202324): (2, 1.0)}


def test_a_year_in_which_nobody_has_two_schools_says_nothing_of_moves():
    tables = {
        "schools": [school("100"), school("200")],
        "enrolments": [
            enrolment("P1", 202223),
            enrolment("P2", 202223, "200"),
            enrolment("P1"),
            enrolment("P1", urn="200"),
            enrolment("P2", urn="200"),
        ],
    }
    assert moved(tables, (202223, 202324)) == {("100", 202324): (1, 1.0), ("200", 202324): (2, 1.0)}


def test_a_suspension_elsewhere_is_another_school():
    tables = {
        "schools": [school("100"), school("200")],
        "enrolments": [enrolment("P1"), enrolment("P2")],
        "suspensions": [suspension("P1", urn="200")],
    }
    assert moved(tables) == {("100", 202324): (2, 1.0), ("200", 202324): (1, 1.0)}
