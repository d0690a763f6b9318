import numpy as np
import pandas as pd
import pytest

from tests.metrics.panels import published_panel, pupils_panel, returns_panel
from vsh_eval.contracts import ContractError
from vsh_eval.metrics import EFFECT_SIZE_COLUMNS, effect_sizes, gaps

PAIR = {"group": "cwsw", "reference": "peers"}


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
    table = effect_sizes(pupils_panel(pupils), **PAIR, unit_id="E1")
    assert tuple(table.columns) == EFFECT_SIZE_COLUMNS
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


def test_the_gap_is_that_of_gaps():
    panel = pupils_panel(pupils_of("ks4_attainment8"))
    table, beside = effect_sizes(panel, **PAIR), gaps(panel, **PAIR)
    shared = ["phase", "group_pupils", "group_level", "gap", "gap_lower", "gap_upper", "df"]
    pd.testing.assert_frame_equal(table[shared], beside[shared])


def test_shares_of_children_have_coxs_index():
    panel = pupils_panel(pupils_of("ks2_rwm_expected"))
    found = total(effect_sizes(panel, **PAIR))
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
    found = total(effect_sizes(panel, **PAIR))
    assert found["gap_index"] == pytest.approx(0.2 * found["gap"])
    assert found["gap_index_lower"] == pytest.approx(0.2 * found["gap_lower"])
    assert found["gap_index_upper"] == pytest.approx(0.2 * found["gap_upper"])
    assert found[["effect_size", "months", "months_upper"]].isna().all()
    assert found["measured_by"] == "gap_index"


def test_the_gap_index_is_ten_where_the_groups_do_not_overlap():
    rank = (np.arange(40) + 0.5) / 40 * 100
    pupils = pd.DataFrame(
        {
            "unit_id": np.tile(["1", "2"], 20),
            "time_period": 202425,
            "phase": "secondary",
            "group": np.where(np.arange(40) < 8, "cin", "peers"),
            "metric": "ks4_attainment8_rank",
            "y": rank,
            "x": 1.0,
        }
    )
    assert total(effect_sizes(pupils_panel(pupils), **PAIR))["gap_index"] == pytest.approx(-10)


def test_one_school_has_an_effect_size_with_its_pupils_error():
    found = total(effect_sizes(pupils_panel(pupils_of("ks4_attainment8", schools=1)), **PAIR))
    assert found["effect_size_lower"] < found["effect_size"] < found["effect_size_upper"]


def test_standards_that_none_reach_have_no_effect_size():
    rows = [
        (school, 202425, "primary", group, "ks2_rwm_expected", n, y, n)
        for school in "123"
        for group, n, y in (("cin", 5, 0), ("peers", 50, 30))
    ]
    panel = returns_panel(rows).assign(sum_yy=lambda table: table["numerator"])
    found = total(effect_sizes(panel, **PAIR))
    assert found[["effect_size", "effect_size_lower", "months"]].isna().all()
    assert found["gap"] == pytest.approx(-60)


def test_a_group_without_pupils_is_z():
    pupils = pupils_of("ks4_attainment8")
    found = total(effect_sizes(pupils_panel(pupils[pupils["group"] == "peers"]), **PAIR))
    assert found["status"] == "z"
    assert found[["gap", "effect_size", "months", "pooled_sd"]].isna().all()


@pytest.mark.parametrize(
    ("panel", "metrics", "match"),
    [
        (pupils_panel(pupils_of("ks4_attainment8")), ["overall_absence"], "months of progress"),
        (
            pupils_panel(pupils_of("x").assign(metric="overall_absence")),
            None,
            "no metric of attain",
        ),
        (
            returns_panel([("1", 202425, "secondary", "cin", "ks4_attainment8", 2, 40, 2)]),
            None,
            "sum_yy is missing in 1 rows",
        ),
        (
            published_panel([(202425, "total", "cin", "ks4_attainment8", 9, 99, 9, None, "")]),
            None,
            "source is 'published'",
        ),
    ],
)
def test_what_has_no_effect_size_is_refused(panel, metrics, match):
    pair = PAIR if (panel["source"] == "returns").all() else {"group": "cin", "reference": "all"}
    with pytest.raises(ContractError, match=match):
        effect_sizes(panel, **pair, metrics=metrics)
