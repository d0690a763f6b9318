from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.metrics.panels import PAIR, published_panel, pupils_panel, returns_panel
from vsh_eval.contracts import ContractError
from vsh_eval.metrics import Comparison, heterogeneity
from vsh_eval.metrics.heterogeneity import _school_gaps
from vsh_eval.panel import within_school_gaps


def pupils_of(seed=1, *, schools=150, tau=6.0, spread=15.0, metric="ks4_attainment8", year=202425):
    """Schools with one to twelve cohort pupils each; their true gaps differ by tau."""
    rng = np.random.default_rng(seed)
    gap = rng.normal(-20, tau, schools)
    sizes = {"cin": rng.integers(1, 12, schools), "peers": np.full(schools, 60)}
    parts = []
    for group, size in sizes.items():
        school = np.repeat(np.arange(schools), size)
        mean = 45 + (gap[school] if group == "cin" else np.zeros(len(school)))
        y = np.round(rng.normal(mean, spread), 2)
        parts.append(
            pd.DataFrame({"unit_id": school.astype(str), "group": group, "y": y, "x": 1.0})
        )
    pupils = pd.concat(parts, ignore_index=True)
    return pupils.assign(time_period=year, phase="secondary", metric=metric)


def last(table, phase="total"):
    return table[table["phase"] == phase].iloc[-1]


def test_finds_the_spread_that_was_planted():
    table = heterogeneity(pupils_panel(pupils_of()), replace(PAIR, unit_id="E1"))
    found = last(table)
    assert found["tau_lower"] < 6.0 < found["tau_upper"]
    assert found["tau"] == pytest.approx(6.0, abs=1.5)
    assert found["tau_dl"] == pytest.approx(found["tau"], abs=1.5)
    assert found["tau_pm"] == pytest.approx(found["tau"], abs=1.5)
    assert found["mean_gap_lower"] < -20 < found["mean_gap_upper"]
    assert 0 < found["i_squared_lower"] < found["i_squared"] < found["i_squared_upper"] < 100
    assert found["prediction_lower"] < -20 - 6 < -20 + 6 < found["prediction_upper"]
    assert found["schools"] == 150
    assert found["status"] == ""


def test_a_schools_variance_is_that_of_repeated_draws():
    rng = np.random.default_rng(2)
    school = np.repeat(np.arange(40), 5)
    outcomes = []
    for _ in range(400):
        x = np.full(len(school), 350.0)
        y = x * rng.normal(0.15, 0.1, len(school))
        outcomes.append([y[school == at].sum() / 1750 for at in range(2)])
    pupils = pd.DataFrame({"unit_id": school.astype(str), "group": "cin", "y": y, "x": x}).assign(
        time_period=202324, phase="primary", metric="overall_absence"
    )
    peers = pupils.assign(group="peers", y=pupils["x"] * 0.05 + np.tile([1.0, 0, 0, 0, -1], 40))
    _, found = _school_gaps(pupils_panel(pd.concat([pupils, peers])), PAIR)
    true = 1e4 * np.var(np.array(outcomes)[:, 0])
    assert found["variance"].to_numpy() == pytest.approx(np.full(40, true), rel=0.25)


def test_gaps_are_those_within_schools_and_one_child_has_a_variance():
    panel = pupils_panel(pupils_of(4, schools=30))
    _, found = _school_gaps(panel, PAIR)
    own = within_school_gaps(panel, metric="ks4_attainment8", group="cwsw", reference="peers")
    both = found.merge(own, on="unit_id", suffixes=("", "_within"))
    assert both["outcome"].tolist() == pytest.approx(both["outcome_within"].tolist())
    one, many = (found[found["pupils"] == n]["variance"] for n in (1, 10))
    assert (one > 150).all()
    assert one.min() > 5 * many.max()


def test_few_schools_and_children_who_are_alike_are_said_so():
    two = heterogeneity(pupils_panel(pupils_of(schools=2)), PAIR)
    assert last(two)["reason"] == "too_few_schools"
    alike = [
        (str(school), 202324, "primary", group, "severe_absence", n, y, n)
        for school in range(8)
        for group, n, y in (("cin", 4, 0), ("peers", 90, 2))
    ]
    panel = returns_panel(alike)
    panel = panel.assign(
        sum_yy=panel["numerator"],
        sum_xy=panel["numerator"],
        sum_xx=panel["denominator"].astype(float),
    )
    found = last(heterogeneity(panel, PAIR))
    assert (found["status"], found["schools"], found["reason"]) == ("x", 8, "chance_unknown")
    assert found[["tau", "tau_upper", "i_squared", "mean_gap", "prediction_lower"]].isna().all()


def test_a_small_phase_takes_the_pupils_variance_of_all():
    pupils = pupils_of(5, schools=40)
    small = pupils[pupils["unit_id"].isin(["0", "1", "2"])].groupby(["unit_id", "group"]).head(2)
    both = pd.concat(
        [pupils[~pupils["unit_id"].isin(["0", "1", "2"])], small.assign(phase="special")]
    )
    _, found = _school_gaps(pupils_panel(both), PAIR)
    assert found["variance"].notna().all()
    assert last(heterogeneity(pupils_panel(both), PAIR), "special")["status"] == ""


def test_no_common_school_gives_an_empty_table():
    rows = [
        ("1", 202425, "primary", "cin", "ks4_attainment8", 2, 60, 2),
        ("2", 202425, "primary", "peers", "ks4_attainment8", 2, 90, 2),
    ]
    panel = returns_panel(rows).fillna({"sum_yy": 1.0, "sum_xy": 1.0, "sum_xx": 2.0})
    assert heterogeneity(panel, PAIR).empty


@pytest.mark.parametrize(
    ("panel", "pair", "match"),
    [
        (pupils_panel(pupils_of(schools=4)), Comparison("cwsw", "all"), "share children"),
        (returns_panel([("1", 202425, "primary", "cin", "ks4_attainment8", 2, 6, 2)]), PAIR,
         "sums are missing in 1"),
        (published_panel([(202425, "total", "cin", "ks4_attainment8", 9, 99, 9, None, "")]),
         Comparison("cin", "all"), "must be 'returns' for differences"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused(panel, pair, match):
    with pytest.raises(ContractError, match=match):
        heterogeneity(panel, pair)
