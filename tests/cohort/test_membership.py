"""Which group a child is in, by hand, at every edge of the calendar."""

import pytest

from tests.cohort import oracle
from tests.cohort.oracle import PANEL_CELL, as_cells
from tests.cohort.tables import attendance, build, enrolment, episode, one_pupil, school
from vsh_eval.cohort.membership import metrics_counted
from vsh_eval.settings import Cohort

YEAR = 202324


def groups(children, **cohort):
    """The group in 2023/24 of each child, given as its episodes; the oracle must agree."""
    tables = {"schools": [], "enrolments": [], "attendance": [], "episodes": []}
    for number, episodes in enumerate(children):
        pupil, urn = f"P{number}", f"{number:03d}"
        tables["schools"].append(school(urn))
        tables["enrolments"].append(enrolment(pupil, YEAR, urn))
        tables["attendance"].append(attendance(pupil, YEAR, urn))
        tables["episodes"] += [(pupil, *rest) for _, *rest in episodes]
    chosen = Cohort.model_validate(cohort)
    panel = build(tables, years=(YEAR,), cohort=cohort).panel
    assert as_cells(panel, PANEL_CELL) == oracle.panel(
        tables, years=(YEAR,), rule=chosen.rule, basis=chosen.basis, look_back=chosen.look_back
    )
    rows = panel.query("metric == 'overall_absence'").sort_values("unit_id")
    assert rows["pupils"].tolist() == [1] * len(children)
    return rows["group"].tolist()


def check(cases, **cohort):
    """Cases are the first day, the last (None = open) and the group expected."""
    found = groups([[episode("", start, end)] for start, end, _ in cases], **cohort)
    assert dict(zip(cases, found, strict=True)) == {case: case[2] for case in cases}


def test_at_any_time_in_the_academic_year():
    cases = [
        ("2023-01-01", "2023-08-31", "previous"),
        ("2023-01-01", "2023-09-01", "cin"),
        ("2023-09-01", "2023-09-01", "cin"),
        ("2024-08-31", "2024-08-31", "cin"),
        ("2024-09-01", "2024-10-01", "peers"),
        ("2024-09-01", None, "peers"),
        ("2010-01-01", None, "cin"),
        ("2010-01-01", "2030-01-01", "cin"),
        ("2024-02-29", "2024-02-29", "cin"),
        ("2020-02-29", "2020-02-29", "previous"),
        ("2017-09-01", "2017-09-01", "previous"),
        ("2010-01-01", "2017-09-01", "previous"),
        ("2010-01-01", "2017-08-31", "peers"),
        ("2022-12-31", "2024-01-01", "cin"),
    ]
    check(cases)


def test_on_31_march_of_the_academic_year():
    cases = [
        ("2024-01-01", "2024-03-30", "peers"),
        ("2024-01-01", "2024-03-31", "cin"),
        ("2024-03-31", "2024-03-31", "cin"),
        ("2024-04-01", "2024-06-01", "peers"),
        ("2024-04-01", None, "peers"),
        ("2023-04-01", "2024-03-30", "peers"),
        ("2023-03-31", "2024-03-30", "previous"),
        ("2023-01-01", "2023-03-31", "previous"),
        ("2023-09-01", None, "cin"),
        ("2024-02-29", "2024-02-29", "peers"),
        ("2018-03-31", "2018-03-31", "previous"),
        ("2017-04-01", "2018-03-30", "peers"),
        ("2010-01-01", "2018-03-30", "peers"),
        ("2023-12-01", "2024-04-01", "cin"),
    ]
    check(cases, rule="at_31_march")


def test_in_the_year_or_the_six_before():
    cases = [
        ("2017-09-01", "2017-09-01", "cin"),
        ("2010-01-01", "2017-08-31", "peers"),
        ("2024-08-31", None, "cin"),
        ("2024-09-01", None, "peers"),
    ]
    check(cases, rule="ever_6")


def test_now_is_over_the_past_and_the_highest_status_over_the_others():
    need, plan, care = "CIN", "CPP", "CLA"
    children = [
        [episode("", "2019-01-01", "2019-02-01", care), episode("", "2023-10-01", None, plan)],
        [episode("", "2022-01-01", None, need), episode("", "2023-11-01", "2023-12-01", plan)],
        [episode("", "2023-11-01", "2024-05-01", plan), episode("", "2024-05-01", None, care)],
        [episode("", "2019-01-01", "2020-01-01", care), episode("", "2024-01-01", None, need)],
        [episode("", "2019-01-01", "2020-01-01", care)],
    ]
    assert groups(children) == ["cpp", "cpp", "cla", "cin", "previous"]
    assert groups(children, rule="at_31_march") == ["cpp", "cin", "cpp", "cin", "previous"]
    # Of the look-back too; nobody is one of the past.
    assert groups(children, rule="ever_6") == ["cla", "cpp", "cla", "cla", "cla"]


@pytest.mark.parametrize(
    ("asked", "in_need"),
    [("episode", ["cin", "cin", "peers"]), ("plan", ["peers", "peers", "cin"])],
)
def test_the_basis_asked_for_is_of_children_in_need_alone(asked, in_need):
    children = [
        [episode("", "2023-10-01", None, status, basis=written)]
        for status in ("CIN", "CPP", "CLA")
        for written in (None, "episode", "plan")
    ]
    assert groups(children, basis=asked) == in_need + ["cpp"] * 3 + ["cla"] * 3


def test_the_look_back_is_a_setting():
    past = [[episode("", "2021-01-01", "2021-08-31")]]
    assert groups(past, look_back=3) == ["previous"]
    assert groups(past, look_back=2) == ["peers"]


def test_an_episode_that_ends_before_it_starts_makes_nobody_a_member():
    tables = one_pupil(episode("P1", "2022-12-01", "2020-01-01"))
    built = build(tables, years=(YEAR,))
    assert set(built.panel["group"]) == {"peers"}
    step = built.flow.query("table == 'episodes' and step != 'read'")["step"].tolist()
    assert step == ["invalid_dates"]


def test_each_metric_counts_its_own_year_groups_and_years():
    counted = metrics_counted((201819, 201920, 202021), without={})
    absence = counted.query("metric == 'severe_absence'")
    assert set(absence["year_group"]) == set(range(1, 12))
    assert set(absence["time_period"]) == {201819, 202021}
    assert set(counted.query("metric == 'ks2_rwm_expected'")["time_period"]) == {201819}
    assert set(counted.query("metric == 'ks4_attainment8'")["year_group"]) == {11}
