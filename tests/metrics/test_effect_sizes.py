from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.metrics.panels import PAIR, invented_pupils, published_panel, pupils_panel, returns_panel
from vsh_eval.contracts import ContractError
from vsh_eval.metrics import Comparison, effect_sizes, gaps, sessions_and_days


def pupils_of(metric, *, schools=30, seed=1):
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), 14)
    cohort = np.tile(np.arange(14) < 4, schools)
    y = np.round(rng.normal(44 - 20 * cohort, 16) + rng.normal(0, 4, schools)[school], 2)
    if metric.startswith("ks2"):
        y = (y > 35).astype(float)
    return pd.DataFrame(
        {
            "unit_id": school.astype(str),
            "time_period": 202425,
            "phase": np.where(school % 3 == 0, "all_through", "secondary"),
            "group": np.where(cohort, np.where(np.arange(len(y)) % 2, "cin", "cpp"), "peers"),
            "metric": metric,
            "y": y,
            "x": 1.0,
        }
    )


def total(table):
    return table[table["phase"] == "total"].iloc[0]


def test_hedges_g_from_the_pupils():
    pupils = pupils_of("ks4_attainment8")
    table = effect_sizes(pupils_panel(pupils), replace(PAIR, unit_id="E1"))
    found = total(table)
    a = pupils.loc[pupils["group"] != "peers", "y"]
    b = pupils.loc[pupils["group"] == "peers", "y"]
    n = len(a) + len(b)
    sd = np.sqrt((a.var() * (len(a) - 1) + b.var() * (len(b) - 1)) / (n - 2))
    assert found["pooled_sd"] == pytest.approx(sd)
    g = (1 - 3 / (4 * n - 9)) * (a.mean() - b.mean()) / sd
    assert found["effect_size"] == pytest.approx(g)
    assert found["effect_size_lower"] < g < found["effect_size_upper"]
    assert found["measured_by"] == "hedges_g"
    assert found["months"] == -12
    assert found["months_lower"] <= found["months"] <= found["months_upper"]
    assert np.isnan(found["gap_index"])
    assert found["df"] == 29


def test_shares_of_children_have_coxs_index():
    panel = pupils_panel(pupils_of("ks2_rwm_expected"))
    found = total(effect_sizes(panel, PAIR))
    p, q = found["group_level"] / 100, found["reference_level"] / 100
    n = found["group_pupils"] + found["reference_pupils"]
    odds = np.log(p / (1 - p)) - np.log(q / (1 - q))
    assert found["measured_by"] == "cox_index"
    assert found["effect_size"] == pytest.approx((1 - 3 / (4 * n - 9)) * odds / 1.65)
    assert found["pooled_sd"] == pytest.approx(
        100
        * np.sqrt(
            (p * (1 - p) * found["group_pupils"] + q * (1 - q) * found["reference_pupils"])
            / (n - 2)
        )
    )


def test_ranks_have_the_gap_index_alone():
    panel = pupils_panel(pupils_of("ks4_attainment8").assign(metric="ks4_attainment8_rank"))
    found = total(effect_sizes(panel, PAIR))
    assert found["gap_index"] == pytest.approx(0.2 * found["gap"])
    assert found["gap_index_lower"] == pytest.approx(0.2 * found["gap_lower"])
    assert found["gap_index_upper"] == pytest.approx(0.2 * found["gap_upper"])
    assert found[["effect_size", "months", "months_upper"]].isna().all()
    assert found["measured_by"] == "gap_index"


def test_one_school_has_an_effect_size_with_its_pupils_error():
    found = total(effect_sizes(pupils_panel(pupils_of("ks4_attainment8", schools=1)), PAIR))
    assert found["effect_size_lower"] < found["effect_size"] < found["effect_size_upper"]


def test_standards_that_none_reach_have_no_effect_size():
    rows = [
        (school, 202425, "primary", group, "ks2_rwm_expected", n, y, n)
        for school in "123"
        for group, n, y in (("cin", 5, 0), ("peers", 50, 30))
    ]
    panel = returns_panel(rows).assign(sum_yy=lambda table: table["numerator"])
    found = total(effect_sizes(panel, PAIR))
    assert found[["effect_size", "effect_size_lower", "months"]].isna().all()
    assert found["gap"] == pytest.approx(-60)


@pytest.mark.parametrize(
    ("panel", "metrics", "match"),
    [
        (pupils_panel(pupils_of("ks4_attainment8")), ("overall_absence", ), "months of progress"),
        (pupils_panel(pupils_of("overall_absence")), None, "no metric of attain"),
        (returns_panel([("1", 202425, "secondary", "cin", "ks4_attainment8", 2, 40, 2)]), None,
         "sum_yy is missing in 1 row"),
        (published_panel([(202425, "total", "cin", "ks4_attainment8", 9, 99, 9, None, "")]), None,
         "source is 'published'"),
    ],
)  # fmt: skip
def test_what_has_no_effect_size_is_refused(panel, metrics, match):
    reference = "peers" if (panel["source"] == "returns").all() else "all"
    with pytest.raises(ContractError, match=match):
        effect_sizes(panel, Comparison("cin", reference, metrics))


def test_sessions_are_those_of_the_groups_pupils():
    pupils = invented_pupils(2)
    panel = pupils_panel(pupils)
    pair = Comparison("cwsw", "all")
    table = sessions_and_days(panel, pair)
    shared = ["phase", "time_period", "gap", "gap_lower", "gap_upper", "df", "group_pupils"]
    pd.testing.assert_frame_equal(table[shared], gaps(panel, pair)[shared])
    row = total(table[table["time_period"] == 202425])
    everyone = pupils[pupils["time_period"] == 202425]
    cohort = everyone[everyone["group"].isin(["cin", "cpp"])]
    assert row["sessions_possible"] == pytest.approx(cohort["x"].mean())
    # Missed by the cohort less what it would miss at the reference's rate.
    rate = everyone["y"].sum() / everyone["x"].sum()
    assert row["sessions"] == pytest.approx(cohort["y"].mean() - rate * cohort["x"].mean())
    for end in ("", "_lower", "_upper"):
        assert row[f"sessions{end}"] == pytest.approx(row[f"gap{end}"] / 100 * cohort["x"].mean())
        assert row[f"days{end}"] == pytest.approx(row[f"sessions{end}"] / 2)
    assert row["group_days"] == pytest.approx(cohort["y"].mean() / 2)
    assert row["reference_days"] == pytest.approx(rate * cohort["x"].mean() / 2)
    assert row["group_days_lower"] < row["group_days"] < row["group_days_upper"]


def test_published_sessions_leave_other_metrics_out():
    rows = [
        (202425, "total", "cin", "overall_absence", 100, 6_000, 35_000, None, ""),
        (202425, "total", "all", "overall_absence", None, None, None, 6.78, ""),
        (202425, "total", "cin", "persistent_absence", 100, 46, 100, None, ""),
        (202425, "total", "all", "persistent_absence", None, None, None, 18.1, ""),
    ]
    table = sessions_and_days(published_panel(rows), Comparison("cin", "all"))
    assert table["metric"].tolist() == ["overall_absence"]
    assert table.loc[0, "sessions"] == pytest.approx(350 * (6_000 / 35_000 - 0.0678))


def test_attainment_has_no_sessions():
    rows = [("1", 202425, "secondary", "cin", "ks4_attainment8", 9, 200, 9)]
    with pytest.raises(ContractError, match="no metric that counts sessions"):
        sessions_and_days(returns_panel(rows), PAIR)
