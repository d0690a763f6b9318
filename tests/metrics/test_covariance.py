"""Errors of gaps, changes and trends against leaving schools out, group and reference together."""

import numpy as np
import pytest

from tests.metrics.panels import invented_pupils, pupils_panel
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
