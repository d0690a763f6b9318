"""Who is newly counted, how they attended the year before, and who has another school."""

import pytest

from tests.cohort import oracle
from tests.cohort.invented import PERIODS, random_returns
from tests.cohort.oracle import entrant_cells
from tests.cohort.tables import attendance, build, enrolment, episode, school, suspension


def test_after_a_year_without_absence_it_equals_the_oracle():
    tables, years = random_returns(2026, pupils=40), PERIODS[1:3]
    found = build(tables, years=years).new_entrants
    expected = oracle.new_entrants(tables, years=years, rule="any_time_in_year")
    assert entrant_cells(found) == expected


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
