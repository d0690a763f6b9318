"""Levels of an authority's own groups: hand tables, and what no data, nobody and one school do."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from tests.frames import one_row
from tests.metrics.panels import invented_pupils, pupils_panel, returns_panel
from vsh_eval.cells.tables import cells_of
from vsh_eval.metrics import levels
from vsh_eval.numerics.levels.ratios import ratio
from vsh_eval.panel import validate_panel

HAND = [
    ("1", 202324, "primary", "cin", "overall_absence", 2, 60, 600),
    ("1", 202324, "primary", "cpp", "overall_absence", 1, 60, 300),
    ("2", 202324, "secondary", "cin", "overall_absence", 4, 300, 1200),
    ("2", 202324, "secondary", "peers", "overall_absence", 50, 900, 15000),
]


def test_hand_table():
    found = levels(returns_panel(HAND), groups=["cin", "cwsw", "all"], unit_id="E06000049")
    both = one_row(found, phase="total", group="cwsw")
    assert both["level_value"] == pytest.approx(100 * 420 / 2100)
    assert (both["pupils"], both["schools"], both["numerator"]) == (7, 2, 420)
    assert both["largest_share"] == pytest.approx(4 / 7)
    # e_1 = (120 - 0.2 x 900) / 2100, e_2 = (300 - 0.2 x 1200) / 2100: -60 and 60.
    assert both["std_error"] == pytest.approx(100 * np.sqrt(2 * 2 * (60 / 2100) ** 2))
    assert both["df"] == 1
    assert both["lower"] == 0
    assert both["upper"] == pytest.approx(20 + 12.7062 * both["std_error"], abs=1e-3)
    assert one_row(found, phase="primary", group="cin")["level_value"] == 10
    whole = one_row(found, phase="total", group="all")
    assert whole["level_value"] == pytest.approx(100 * 1320 / 17100)
    assert set(zip(found["geographic_level"], found["unit_id"], strict=True)) == {
        ("la", "E06000049")
    }


def test_an_empty_group_is_z_with_no_pupils():
    found = one_row(levels(returns_panel(HAND), groups=["peers"]), phase="primary", group="peers")
    assert (found["status"], found["pupils"], found["schools"]) == ("z", 0, 0)
    assert pd.isna(found[["level_value", "lower", "upper", "std_error", "largest_share"]]).all()


def test_a_year_without_data_is_x_even_where_rows_exist():
    years = (201819, 201920, 202021)
    rows = [("1", year, "primary", "cin", "overall_absence", 2, 60, 600) for year in years]
    found = levels(returns_panel(rows), groups=["cin"])
    blank = found[found["time_period"] == 201920]
    assert (blank["status"] == "x").all()
    assert not blank["comparable"].any()
    values = ["pupils", "schools", "numerator", "denominator", "level_value", "lower", "std_error"]
    assert blank[values].isna().all(axis=None)
    assert found["comparable"].sum() == 4


def test_a_year_without_rows_of_a_metric_is_x_while_others_have_it():
    rows = [
        ("1", 202324, "secondary", "cin", "overall_absence", 2, 60, 600),
        ("1", 202425, "secondary", "cin", "ks4_attainment8", 1, 30.5, 1),
    ]
    found = levels(returns_panel(rows), groups=["cin"])
    missing = one_row(found, metric="ks4_attainment8", time_period=202324, phase="total")
    assert missing["status"] == "x"
    absent = levels(returns_panel(rows), groups=["cin"], metrics=["ks2_rwm_expected"])
    assert absent[["phase", "status"]].to_numpy().tolist() == [["total", "x"]] * 2


def test_a_year_whose_grades_were_not_examined_has_a_level_and_is_not_comparable():
    rows = [
        ("1", year, "secondary", "cin", "ks4_attainment8", 3, 60.5, 3) for year in (202021, 202122)
    ]
    found = levels(returns_panel(rows), groups=["cin"])
    assert found["level_value"].notna().all()
    assert found["comparable"].tolist() == [False, True] * 2


def test_one_school_takes_its_pupils_as_the_sample():
    pupils = invented_pupils(2, schools=1, years=(202425,))
    found = one_row(levels(pupils_panel(pupils), groups=["cin"]), phase="total")
    mine = pupils[pupils["group"] == "cin"]
    y, x = mine["y"].to_numpy(float)[:, None], mine["x"].to_numpy(float)[:, None]
    assert found["std_error"] == pytest.approx(100 * ratio(y, x).std_error[0])
    assert found["df"] == len(mine) - 1
    assert found["largest_share"] == 1


def test_none_or_every_child_has_wilsons_limits():
    rows = [
        (school, 202425, "primary", group, "severe_absence", 6, y, 6)
        for school in "12"
        for group, y in (("cin", 0), ("cpp", 6))
    ]
    found = levels(returns_panel(rows), groups=["cin", "cpp"], metrics=["severe_absence"])
    total = found[found["phase"] == "total"].set_index("group")
    for group, count in (("cin", 0), ("cpp", 12)):
        expected = np.array(proportion_confint(count, 12, method="wilson")) * 100
        assert total.loc[group, ["lower", "upper"]].tolist() == pytest.approx(expected)
    assert total["std_error"].isna().all()


@pytest.mark.parametrize(
    ("metric", "values", "bounds"),
    [
        ("ks4_attainment8", (2, 60), (-np.inf, np.inf)),
        ("suspension_rate", (0, 45), (0, np.inf)),
        ("overall_absence", (0, 1), (0, 100)),
    ],
)
def test_limits_stop_where_a_metric_does(metric, values, bounds):
    rows = [
        (str(school), 202425, "secondary", "cin", metric, 1, y, 1)
        for school, y in enumerate(values)
    ]
    found = one_row(levels(returns_panel(rows), groups=["cin"]), phase="total")
    reach = 100 if metric == "suspension_rate" else 1
    assert found["lower"] == bounds[0] or (found["lower"] < 0 and bounds[0] < 0)
    assert found["upper"] == bounds[1] or (found["upper"] > reach and bounds[1] > 100)


def test_record_keys_are_added_in_whole_numbers():
    panel = returns_panel([HAND[0], ("3", *HAND[0][1:])]).assign(
        key_n=np.array([2**61, 1], dtype=np.int64), key_y=np.array([3, 4], dtype=np.int64)
    )
    *_, total = cells_of(validate_panel(panel, groups=["cin"]), unit_id="")
    found = total.measure("cin")
    assert (found.key_n.tolist(), found.key_y.tolist()) == ([2**61 + 1], [7])
