import numpy as np
import pandas as pd
import pytest

from tests.metrics import invented_offer as invented
from tests.metrics.panels import published_panel
from vsh_eval.contracts import ContractError
from vsh_eval.metrics.training import area_bands, baseline_gap_bands, deprivation_bands
from vsh_eval.metrics.training.need import shrink


@pytest.fixture(scope="module")
def schools():
    return invented.schools()


@pytest.fixture(scope="module")
def panel(schools):
    return invented.panel(schools)


def gap_bands(panel, log, schools, **changed):
    asked = {"metric": "overall_absence", "group": "cwsw", "reference": "peers"} | changed
    return baseline_gap_bands(panel, log, schools, **asked)


def test_thirds_hold_the_same_number_of_schools_and_the_neediest_come_first(schools):
    found = deprivation_bands(schools)
    sizes = found.units.groupby("band").size()
    assert sizes.to_dict() == dict.fromkeys(found.order, 16)
    means = found.units.groupby("band")["need"].mean()[list(found.order)]
    assert means.is_monotonic_decreasing
    assert (found.name, found.known) == ("deprivation", True)


def test_many_schools_are_cut_into_fifths():
    found = deprivation_bands(invented.schools(300))
    assert found.units.groupby("band").size().tolist() == [60] * 5


def test_equal_schools_share_a_band_whatever_their_order(schools):
    tied = schools.assign(pct_fsm=schools["pct_fsm"].round(-1))
    bands = deprivation_bands(tied).units.set_index("unit_id")["band"]
    again = deprivation_bands(tied.iloc[::-1]).units.set_index("unit_id")["band"]
    assert bands.equals(again[bands.index])
    assert bands.groupby(tied.set_index("unit_id")["pct_fsm"]).nunique().max() == 1


def test_a_school_without_a_value_is_in_no_band(schools):
    some = schools.assign(pct_fsm=schools["pct_fsm"].mask(schools.index < 3))
    found = deprivation_bands(some)
    assert found.order[-1] == "not_known"
    assert found.units["band"].eq("not_known").sum() == 3


@pytest.mark.parametrize("change", [{"pct_fsm": np.nan}, {"pct_fsm": 20.0}])
def test_nothing_to_order_by_gives_no_bands(schools, change):
    found = deprivation_bands(schools.assign(**change))
    assert found.order == ()
    assert not found.known


def test_the_first_measure_of_deprivation_that_is_there_is_taken(schools):
    need = deprivation_bands(schools.assign(idaci=0.1)).units["need"]
    assert need.equals(schools["pct_fsm"])
    assert not deprivation_bands(schools.drop(columns="pct_fsm")).known


def test_the_baseline_is_before_anyone_was_trained(schools, panel):
    log = invented.log(schools)
    early = panel[panel["time_period"] == 202021]
    whole, alone = gap_bands(panel, log, schools), gap_bands(early, log, schools)
    pd.testing.assert_frame_equal(whole.units, alone.units)
    without = gap_bands(panel, log.head(0), schools)
    assert not without.units["need"].equals(whole.units["need"])


def test_a_school_far_worse_is_in_the_widest_third(schools, panel):
    worst = schools["unit_id"].iloc[20]
    there = panel["unit_id"].eq(worst) & panel["group"].isin(["cin", "cpp"])
    more = panel.assign(
        numerator=panel["numerator"].where(~there, panel["denominator"] * 0.8),
    )
    bands = gap_bands(more, invented.log(schools), schools).units.set_index("unit_id")
    assert bands.loc[worst, "band"] == "widest_gap_third"
    assert bands["need"].idxmax() == worst


def test_where_higher_is_better_the_worst_gap_is_the_lowest(schools):
    pupils = invented.panel(schools, size=25)
    scores = pupils.assign(
        metric="ks2_rwm_expected",
        numerator=(pupils["pupils"].astype(float) * 0.8).round(),
        denominator=pupils["pupils"].astype(float),
    )
    scores = scores.assign(
        sum_yy=scores["numerator"], sum_xy=scores["numerator"], sum_xx=scores["denominator"]
    )
    worst = schools["unit_id"].iloc[11]
    low = scores["unit_id"].eq(worst) & scores["group"].ne("peers")
    scores.loc[low, ["numerator", "sum_yy", "sum_xy"]] = 0.0
    log = invented.log(schools, years=(202324,))
    found = gap_bands(scores, log, schools, metric="ks2_rwm_expected")
    assert found.units.set_index("unit_id")["need"].idxmax() == worst


def test_gaps_that_differ_no_more_than_chance_are_not_ordered(schools, panel):
    alike = panel.assign(numerator=panel["denominator"] * 0.1)
    found = gap_bands(alike, invented.log(schools), schools)
    assert found.order == ()


def test_no_year_before_training_gives_no_bands(schools, panel):
    log = invented.log(schools, years=(202021,))
    assert not gap_bands(panel, log, schools).known
    assert gap_bands(panel, log, schools, metric="ks4_attainment8").order == ()


def test_published_tables_have_no_schools(schools):
    published = published_panel(
        [
            (202324, "total", group, "overall_absence", 10, 1, 9, None, "")
            for group in ("cin", "all")
        ]
    )
    with pytest.raises(ContractError, match="published tables have no schools"):
        gap_bands(published, invented.log(schools), schools, group="cin", reference="all")


def test_shrinking_is_the_textbooks():
    """Morris's hand example: DerSimonian and Laird by their formula, written out."""
    value, variance = np.array([1.0, 3.0, 8.0]), np.array([1.0, 2.0, 4.0])
    weight = 1 / variance
    mean = (weight * value).sum() / weight.sum()
    q = (weight * (value - mean) ** 2).sum()
    tau2 = (q - 2) / (weight.sum() - (weight**2).sum() / weight.sum())
    again = 1 / (variance + tau2)
    centre = (again * value).sum() / again.sum()
    expected = [
        centre + tau2 / (tau2 + v) * (y - centre) for y, v in zip(value, variance, strict=True)
    ]
    assert shrink(value, variance) == pytest.approx(expected)


def test_alike_schools_are_all_at_the_mean():
    found = shrink(np.array([1.0, 1.1, 0.9]), np.array([4.0, 4.0, 4.0]))
    assert found == pytest.approx([1.0] * 3)
    assert shrink(np.array([2.0]), np.array([1.0])).tolist() == [2.0]


def test_areas_are_numbers_of_the_list_of_schools(schools):
    found = area_bands(schools.assign(ward=np.arange(48) % 3 + 1.0))
    assert (found.name, found.order) == ("area", ("area_1", "area_2", "area_3"))
    some = area_bands(schools.assign(ward=[np.nan, *([1.0, 2.0] * 24)[:47]]))
    assert some.order == ("area_1", "area_2", "not_known")


@pytest.mark.parametrize("ward", [1.0, 1.5, np.arange(48.0)])
def test_other_numbers_are_no_areas(schools, ward):
    assert area_bands(schools.assign(ward=ward)).name == "deprivation"
