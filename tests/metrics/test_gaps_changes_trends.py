"""Laws of gaps, changes and trends alike: errors, signs, one school, none of the children."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.panels import invented_pupils, pupils_panel, returns_panel
from vsh_eval.metrics import Comparison, changes, gaps, trend

YEARS = (202122, 202223, 202324, 202425)
STATISTICS = {
    "gap": (gaps, lambda gap: gap[-1]),
    "change": (changes, lambda gap: gap[-1] - gap[0]),
    "trend": (trend, lambda gap: np.polyfit(range(4), gap, 1)[0]),
}


@pytest.mark.parametrize("metric", ["overall_absence", "persistent_absence"])
@pytest.mark.parametrize("reference", ["peers", "all"])
@pytest.mark.parametrize("name", STATISTICS)
def test_the_covariance_of_years_and_groups_counts(name, reference, metric):
    """All pupils are the group too; the same schools stand in every year."""
    function, statistic = STATISTICS[name]
    pupils = invented_pupils(5, schools=40, years=YEARS, metric=metric)
    table = function(pupils_panel(pupils), Comparison("cwsw", reference, baseline=YEARS[0]))
    found = table[table["phase"].eq("total") & table["time_period"].eq(YEARS[-1])].iloc[0]
    sides = pupils["group"].isin(["cin", "cpp"]), pupils["group"].eq("peers") | (reference == "all")
    by_school = [
        pupils[side].pivot_table(index="unit_id", columns="time_period", values=value,
                                 aggfunc="sum", fill_value=0.0)
        for side in sides for value in ("y", "x")
    ]  # fmt: skip

    def of(weights):
        y, x, other_y, other_x = (weights @ sums.to_numpy() for sums in by_school)
        return statistic(100 * (y / x - other_y / other_x))

    assert found[name] == pytest.approx(of(np.ones(40)))
    left = np.array([of(1 - one) for one in np.eye(40)])
    jackknife = np.sqrt(39 / 40 * ((left - left.mean()) ** 2).sum())
    assert found[f"{name}_std_error"] == pytest.approx(jackknife, rel=0.1)
    half = (found[f"{name}_upper"] - found[f"{name}_lower"]) / 2
    assert half == pytest.approx(2.02 * jackknife, rel=0.12)


PAIRS = [("cwsw", "peers"), ("cwsw", "all"), ("cin", "cpp"), ("ever_cwsw", "all")]
OWN = {"gap": "level", "change": "change", "trend": "trend"}


@pytest.mark.parametrize("name", STATISTICS)
@settings(max_examples=3, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    pair=st.sampled_from(PAIRS),
    metric=st.sampled_from(["overall_absence", "persistent_absence"]),
    schools=st.integers(1, 5),
)
def test_it_turns_its_sign_with_its_groups_and_is_made_of_theirs(name, seed, pair, metric, schools):
    panel = pupils_panel(invented_pupils(seed, schools=schools, years=YEARS[:3], metric=metric))
    one, other = (
        STATISTICS[name][0](panel, Comparison(*groups, baseline=YEARS[0]))
        for groups in (pair, pair[::-1])
    )
    for column, turned in (
        (name, -other[name]),
        (f"{name}_lower", -other[f"{name}_upper"]),
        (f"{name}_std_error", other[f"{name}_std_error"]),
        ("df", other["df"]),
        *([("log_ratio_std_error", other["log_ratio_std_error"])] if name == "gap" else []),
        (name, one[f"group_{OWN[name]}"] - one[f"reference_{OWN[name]}"]),
    ):
        close = pytest.approx(turned.astype(float).to_numpy(), rel=1e-9, abs=1e-9, nan_ok=True)
        assert one[column].astype(float).to_numpy() == close, column


@pytest.mark.parametrize(("name", "weights"), [("change", (1, 0, 0, 1)), ("trend", (3, 1, 1, 3))])
def test_one_school_adds_the_errors_of_its_years(name, weights):
    pair = Comparison("cwsw", "peers", baseline=YEARS[0])
    panel = pupils_panel(invented_pupils(6, schools=1, years=YEARS))
    errors = gaps(panel, pair).query("phase == 'total'")["gap_std_error"].to_numpy()
    found = STATISTICS[name][0](panel, pair).query("phase == 'total'").iloc[-1]
    scale = 1 if name == "change" else 10
    assert found[f"{name}_std_error"] == pytest.approx(np.array(weights) / scale @ errors)


def test_one_school_adds_the_limits_of_its_shares_of_children():
    pair = Comparison("cwsw", "peers")
    pupils = invented_pupils(6, schools=1, years=YEARS, metric="persistent_absence")
    years, line = (
        function(pupils_panel(pupils), pair).query("phase == 'total'") for function in (gaps, trend)
    )
    below, above = years["gap"] - years["gap_lower"], years["gap_upper"] - years["gap"]
    apart = 0.3 * (above.iloc[0] + below.iloc[3]) + 0.1 * (above.iloc[1] + below.iloc[2])
    assert line["trend"].item() - line["trend_lower"].item() == pytest.approx(apart)


@pytest.mark.parametrize("name", STATISTICS)
def test_shares_keep_an_interval_where_no_child_counts_in_a_year(name):
    rows = [
        (school, year, "primary", group, "severe_absence", n, y, n)
        for year, few in zip(YEARS, (2, 1, 2, 0), strict=True)
        for school in "123"
        for group, n, y in (("cin", 8, few), ("peers", 200, int(school)))
    ]
    pair = Comparison("cwsw", "peers", baseline=YEARS[0])
    found = STATISTICS[name][0](returns_panel(rows), pair).query("phase == 'total'").iloc[-1]
    assert np.isnan(found[f"{name}_std_error"])
    assert found[f"{name}_lower"] < found[name] < found[f"{name}_upper"]
    assert name == "trend" or np.isnan(
        found["ratio_lower" if name == "gap" else "ratio_change_lower"]
    )
