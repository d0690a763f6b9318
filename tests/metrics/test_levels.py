import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from statsmodels.stats.proportion import proportion_confint

from tests.metrics.panels import invented_pupils, pupils_panel, returns_panel
from vsh_eval import names
from vsh_eval.metrics import LEVEL_COLUMNS, levels
from vsh_eval.numerics.ratios import ratio

GROUPS = [*names.LEAF_GROUPS, *names.GROUP_SUMS]

HAND = [
    ("1", 202324, "primary", "cin", "overall_absence", 2, 60, 600),
    ("1", 202324, "primary", "cpp", "overall_absence", 1, 60, 300),
    ("2", 202324, "secondary", "cin", "overall_absence", 4, 300, 1200),
    ("2", 202324, "secondary", "peers", "overall_absence", 50, 900, 15000),
]


def level(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_hand_table():
    found = levels(returns_panel(HAND), groups=["cin", "cwsw", "all"], unit_id="E06000049")
    assert tuple(found.columns) == LEVEL_COLUMNS
    both = level(found, phase="total", group="cwsw")
    assert both["level_value"] == pytest.approx(100 * 420 / 2100)
    assert (both["pupils"], both["schools"], both["numerator"]) == (7, 2, 420)
    assert both["largest_share"] == pytest.approx(4 / 7)
    # e_1 = (120 - 0.2 x 900) / 2100, e_2 = (300 - 0.2 x 1200) / 2100: -60 and 60.
    assert both["std_error"] == pytest.approx(100 * np.sqrt(2 * 2 * (60 / 2100) ** 2))
    assert both["df"] == 1
    assert both["lower"] == 0
    assert both["upper"] == pytest.approx(20 + 12.7062 * both["std_error"], abs=1e-3)
    assert level(found, phase="primary", group="cin")["level_value"] == 10
    assert level(found, phase="total", group="all")["level_value"] == pytest.approx(
        100 * 1320 / 17100
    )
    assert (found["unit_id"] == "E06000049").all()
    assert (found["geographic_level"] == "la").all()


def test_an_empty_group_is_z_with_no_pupils():
    found = level(levels(returns_panel(HAND), groups=["peers"]), phase="primary", group="peers")
    assert (found["status"], found["pupils"], found["schools"]) == ("z", 0, 0)
    assert pd.isna(found[["level_value", "lower", "upper", "std_error", "largest_share"]]).all()


def test_a_year_without_data_is_x_even_where_rows_exist():
    rows = [
        ("1", year, "primary", "cin", "overall_absence", 2, 60, 600)
        for year in (201819, 201920, 202021)
    ]
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
        ("1", 202425, "secondary", "cin", "overall_absence", 2, 60, 600),
        ("1", 202425, "secondary", "cin", "ks4_attainment8", 1, 30.5, 1),
    ]
    found = levels(returns_panel(rows), groups=["cin"])
    assert (
        level(found, metric="ks4_attainment8", time_period=202324, phase="total")["status"] == "x"
    )
    asked = levels(returns_panel(rows), groups=["cin"], metrics=["ks2_rwm_expected"])
    assert asked["status"].tolist() == ["x", "x"]
    assert asked["phase"].tolist() == ["total", "total"]


def test_a_year_whose_grades_were_not_examined_is_kept_and_not_comparable():
    rows = [
        ("1", year, "secondary", "cin", "ks4_attainment8", 3, 60.5, 3) for year in (202021, 202122)
    ]
    found = levels(returns_panel(rows), groups=["cin"])
    assert found["level_value"].notna().all()
    assert found.groupby("time_period")["comparable"].all().to_dict() == {
        202021: False,
        202122: True,
    }


def test_one_school_takes_its_pupils_as_the_sample():
    pupils = invented_pupils(2, schools=1, years=(202425,))
    found = level(levels(pupils_panel(pupils), groups=["cin"]), phase="total")
    mine = pupils[pupils["group"] == "cin"]
    y, x = mine["y"].to_numpy(float)[:, None], mine["x"].to_numpy(float)[:, None]
    expected = ratio(y, x)
    assert found["std_error"] == pytest.approx(100 * expected.std_error[0])
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


def test_points_are_not_bounded():
    rows = [("1", 202425, "secondary", "cin", "ks4_attainment8", 1, 2, 1)]
    rows += [("2", 202425, "secondary", "cin", "ks4_attainment8", 1, 60, 1)]
    found = level(levels(returns_panel(rows), groups=["cin"]), phase="total")
    assert found["lower"] < 0
    assert found["unit"] == "points"


def test_order_is_metric_phase_group_year():
    found = levels(pupils_panel(invented_pupils(3, schools=5)), groups=["cwsw", "cin"])
    assert found["phase"].drop_duplicates().tolist() == ["primary", "secondary", "total"]
    assert found["group"].head(4).tolist() == ["cwsw", "cwsw", "cin", "cin"]
    assert found["time_period"].head(2).tolist() == [202324, 202425]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["overall_absence", "persistent_absence"]))
def test_order_and_splitting_of_rows_never_matter_and_levels_stay_in_range(seed, metric):
    panel = pupils_panel(invented_pupils(seed, schools=4, metric=metric))
    found = levels(panel, groups=GROUPS)
    half = panel.copy()
    sums = [name for name in names.PANEL_SUMS if name != "pupils"]
    half[sums] = half[sums] / 2
    rest = half.assign(pupils=panel["pupils"] // 2)
    half["pupils"] = panel["pupils"] - rest["pupils"]
    parts = pd.concat([half, rest]).sample(frac=1, random_state=seed)
    assert_frame_equal(levels(parts, groups=GROUPS), found, rtol=1e-9)
    assert found["level_value"].dropna().between(0, 100).all()
    assert found["lower"].dropna().between(0, 100).all()
    assert found["upper"].dropna().between(0, 100).all()
    inside = found.dropna(subset=["lower", "level_value"])
    assert (inside["lower"] <= inside["level_value"] + 1e-9).all()
    assert (inside["level_value"] <= inside["upper"] + 1e-9).all()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_sums_of_groups_and_phases_add_up(seed):
    panel = pupils_panel(invented_pupils(seed, schools=5))
    found = levels(panel, groups=GROUPS).set_index(["time_period", "phase", "group"])
    for name in ("pupils", "numerator", "denominator"):
        wide = found[name].astype(float).reset_index()
        by_phase = wide.pivot_table(name, ["time_period", "group"], "phase")
        wide = wide.pivot_table(name, ["time_period", "phase"], "group")
        for group, parts in names.GROUP_SUMS.items():
            assert wide[group].tolist() == wide[list(parts)].sum(axis=1).tolist()
        assert by_phase["total"].tolist() == by_phase.drop(columns="total").sum(axis=1).tolist()
