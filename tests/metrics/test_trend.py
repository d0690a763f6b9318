from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.frames import one_row
from tests.metrics.panels import PAIR, invented_pupils, published_panel, pupils_panel, returns_panel
from vsh_eval.metrics import Comparison, changes, trend

YEARS = (202122, 202223, 202324, 202425)


def total(table):
    return one_row(table, phase="total")


def rows_of(gaps_by_year, *, metric="overall_absence", step=0.0):
    return [
        (school, year, "primary", group, metric, n, scale * x * share / 100 + int(school), x)
        for at, (year, gap) in enumerate(gaps_by_year.items())
        for school in "1234"
        for group, n, x, scale, share in (
            ("cin", 5, 1_000, 1, 5 + step * at + gap),
            ("peers", 50, 10_000, 1, 5 + step * at),
        )
    ]


def test_the_line_of_a_gap_that_falls_evenly():
    panel = returns_panel(rows_of(dict(zip(YEARS, (12, 11, 10, 9), strict=True)), step=0.5))
    table = trend(panel, replace(PAIR, unit_id="E1"))
    found = total(table)
    assert found["trend"] == pytest.approx(-1)
    assert found["group_trend"] == pytest.approx(-0.5)
    assert found["reference_trend"] == pytest.approx(0.5)
    assert found["direction"] == "narrowed"
    assert (found["first_year"], found["time_period"], found["years"]) == (202122, 202425, 4)
    assert found["definition_changed"]
    assert (found["status"], found["reason"]) == ("", "")


def test_missing_years_keep_their_place_in_time():
    gap = {201617: 10, 201718: 11, 201819: 12, 202021: 14, 202122: 15}
    found = total(trend(returns_panel(rows_of(gap)), PAIR))
    assert found["trend"] == pytest.approx(1)
    assert found["years"] == 5
    assert found["direction"] == "widened"


def test_years_that_may_not_be_compared_do_not_count():
    rows = [
        (school, year, "secondary", group, "ks4_attainment8", 9, 9 * mean + int(school), 9)
        for year, level in ((201819, 20), (201920, 60), (202021, 60), (202122, 23), (202223, 24))
        for school in "123"
        for group, mean in (("cin", level), ("peers", 50))
    ]
    found = total(trend(returns_panel(rows), PAIR))
    assert found["trend"] == pytest.approx(1)
    assert found["years"] == 3


@pytest.mark.parametrize("years", [(202324, 202425), (202324,)])
def test_fewer_than_three_years_have_no_trend(years):
    found = total(trend(returns_panel(rows_of(dict.fromkeys(years, 10))), PAIR))
    assert (found["status"], found["reason"]) == ("x", "too_few_years")
    assert found[["trend", "trend_lower", "group_trend", "trend_std_error"]].isna().all()
    assert found["direction"] == ""
    assert not found["comparable"]


def test_published_trends_by_area():
    rows = [
        (year, phase, group, metric, n, y, n, rate, status)
        for phase in ("total", "primary")
        for year, share in zip(YEARS, (48, 49, 50, 51), strict=True)
        for group, metric, n, y, rate, status in (
            ("cin", "persistent_absence", 1000, 10 * share, None, ""),
            ("all", "persistent_absence", None, None, 20.0, ""),
            ("cin", "overall_absence", 1000, 10 * share, None, ""),
            ("all", "overall_absence", None, None, 7.0, ""),
        )
        if (phase, year) not in {("primary", 202122), ("primary", 202223)}
    ]
    table = trend(published_panel(rows), Comparison("cin", "all"))
    found = total(table[table["metric"] == "persistent_absence"])
    assert found["trend"] == pytest.approx(1)
    error = 100 * np.sqrt((np.array([0.3, 0.1, 0.1, 0.3]) ** 2 * 0.25 / 1000).sum())
    assert found["trend_std_error"] == pytest.approx(error, rel=0.01)
    assert found["trend_upper"] - found["trend"] == pytest.approx(1.96 * error, rel=0.02)
    assert np.isnan(found["reference_trend_lower"])
    sessions = total(table[table["metric"] == "overall_absence"])
    assert sessions["trend"] == pytest.approx(1)
    assert np.isnan(sessions["trend_lower"])
    assert sessions["direction"] == ""
    assert (table[table["phase"] == "primary"]["status"] == "x").all()


@settings(max_examples=3, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["peers", "all"]),
    st.sampled_from(["overall_absence", "persistent_absence"]),
)
def test_three_even_years_have_half_the_change(seed, reference, metric):
    pupils = invented_pupils(seed, schools=4, years=YEARS[:3], metric=metric)
    panel = pupils_panel(pupils.sample(frac=1, random_state=seed))
    table = trend(panel, Comparison("cin", reference))
    moved = changes(panel, Comparison("cin", reference, baseline=YEARS[0]))
    moved = moved[moved["time_period"] == YEARS[2]].reset_index(drop=True)
    assert table["trend"].tolist() == pytest.approx((moved["change"] / 2).tolist(), abs=1e-9)
    several = table["phase"] != "secondary"
    for end in ("lower", "upper"):
        half = (moved.loc[several, f"change_{end}"] / 2).tolist()
        ends = table.loc[several, f"trend_{end}"].tolist()
        assert ends == pytest.approx(half, rel=1e-6, abs=1e-6)
