from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.panels import invented_pupils, pupils_panel, returns_panel
from vsh_eval.metrics import Comparison, changes, gaps

PAIR = Comparison("cwsw", "peers")


def rows_of(year, metric="overall_absence", *, group=150, reference=450, x=1000):
    return [
        (school, year, "primary", name, metric, pupils, y + int(school), size)
        for school in "123"
        for name, pupils, y, size in (
            ("cin", 10, group, x),
            ("peers", 100, reference, 10 * x),
        )
    ]


def total(table, year):
    found = table[(table["phase"] == "total") & (table["time_period"] == year)]
    assert len(found) == 1
    return found.iloc[0]


def test_says_which_group_moved():
    panel = returns_panel(rows_of(202223) + rows_of(202324, group=130, reference=400))
    table = changes(panel, replace(PAIR, baseline=202223))
    found = total(table, 202324)
    assert found["group_change"] == pytest.approx(-2.0)
    assert found["reference_change"] == pytest.approx(-0.5)
    assert found["change"] == pytest.approx(-1.5)
    assert found["direction"] == "narrowed"
    assert not found["definition_changed"]
    base = total(table, 202223)
    assert base[["change", "change_lower", "change_upper"]].tolist() == [0, 0, 0]
    assert base["ratio_change"] == 1


@pytest.mark.parametrize(
    ("years", "baseline", "comparable", "redefined"),
    [
        ((202223, 202324), 202223, {202223: True, 202324: True}, {202324: False}),
        ((202324, 202425), 202324, {202425: True}, {202324: False, 202425: True}),
        ((202324, 202425), 202425, {202324: True}, {202324: True, 202425: False}),
        ((201819, 202021), 201819, {201920: False, 202021: True}, {202021: True}),
    ],
)
def test_comparability_is_flagged(years, baseline, comparable, redefined):
    panel = returns_panel([row for year in years for row in rows_of(year)])
    table = changes(panel, replace(PAIR, baseline=baseline))
    for year, expected in comparable.items():
        assert bool(total(table, year)["comparable"]) is expected
    for year, expected in redefined.items():
        assert bool(total(table, year)["definition_changed"]) is expected


def test_a_baseline_without_data_gives_x_and_no_direction():
    panel = returns_panel(rows_of(201819) + rows_of(202021, group=300))
    table = changes(panel, replace(PAIR, baseline=201920))
    assert (table["status"] == "x").all()
    assert not table["comparable"].any()
    assert (table["direction"] == "").all()
    assert table[["change", "change_lower", "group_change"]].isna().all(axis=None)


def test_one_school_adds_the_errors_of_the_years():
    pupils = invented_pupils(6, schools=1)
    found = total(changes(pupils_panel(pupils), replace(PAIR, baseline=202324)), 202425)
    wide = gaps(pupils_panel(pupils), PAIR)
    errors = wide[wide["phase"] == "total"]["gap_std_error"]
    assert found["change_std_error"] == pytest.approx(errors.sum())


def test_shares_of_children_keep_an_interval_where_no_child_counts():
    rows = [
        (school, year, "primary", group, "severe_absence", n, y, n)
        for year, few in ((202324, 0), (202425, 2))
        for school in "123"
        for group, n, y in (("cin", 8, few), ("peers", 200, int(school)))
    ]
    found = total(changes(returns_panel(rows), replace(PAIR, baseline=202324)), 202425)
    assert found["change_lower"] < found["change"] < found["change_upper"]
    assert np.isnan(found[["change_std_error", "ratio_change_lower"]].astype(float)).all()


@settings(max_examples=8, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["peers", "all", "cpp"]),
    st.sampled_from(["overall_absence", "persistent_absence"]),
)
def test_own_changes_make_the_change(seed, reference, metric):
    panel = pupils_panel(invented_pupils(seed, schools=4, metric=metric))
    found = changes(panel, Comparison("cin", reference, baseline=202324))
    parts = found["group_change"] - found["reference_change"]
    close = {"rel": 1e-9, "abs": 1e-9, "nan_ok": True}
    assert found["change"].tolist() == pytest.approx(parts.tolist(), **close)
    apart = found["gap"] - found["baseline_gap"]
    assert found["change"].tolist() == pytest.approx(apart.tolist(), **close)
    back = changes(panel, Comparison("cin", reference, baseline=202425))
    first = found[found["time_period"] == 202425]
    other = back[back["time_period"] == 202324]
    assert first["change_lower"].tolist() == pytest.approx(
        (-other["change_upper"]).tolist(), **close
    )
