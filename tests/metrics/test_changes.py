from dataclasses import replace

import pytest

from tests.frames import one_row
from tests.metrics.panels import PAIR, returns_panel
from vsh_eval.metrics import changes


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
    return one_row(table, phase="total", time_period=year)


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
