"""Charts on who the children are, told with their numbers."""

import pytest

from tests.release.made import NAN
from tests.release.make_up_rows import by_value, decomposed, hidden_parts, standardised
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.release import draw_breakdown, draw_decomposition, draw_standardised

METRIC = "overall_absence"
ALL = {
    "breakdown": lambda s: draw_breakdown(by_value(stamp=s), metric=METRIC, year=202425),
    "decomposition": lambda s: draw_decomposition(decomposed(stamp=s), metric=METRIC, year=202425),
    "standardised": lambda s: draw_standardised(standardised(stamp=s), metric=METRIC),
}


@pytest.mark.parametrize("name", ALL)
def test_a_chart_is_the_same_each_time_stamped_and_of_its_own_data(name):
    plain, again, stamped = ALL[name](""), ALL[name](""), ALL[name]("SYNTHETIC")
    assert plain.png == again.png != stamped.png
    assert stamped.alt == f"{plain.alt} Marked: SYNTHETIC."
    assert set(plain.columns) <= set(plain.data.frame.columns)


@pytest.mark.parametrize("draw", [draw_breakdown, draw_decomposition])
def test_nothing_but_a_safe_table_is_drawn(draw):
    with pytest.raises(DisclosureError, match="must be a SafeTable"):
        draw(by_value().frame, metric=METRIC, year=202425)


def test_a_breakdown_tells_both_levels_and_what_is_hidden():
    figure = draw_breakdown(by_value(), metric=METRIC, year=202425)
    assert "Girls 15.8% against 6.4%, gap +9.4" in figure.alt
    assert "SEN support not shown" in figure.alt
    assert "not recorded" not in figure.alt
    assert "c = suppressed" in figure.caption


def test_a_value_that_stands_twice_is_refused():
    twice = by_value({("sex", "girls"): (9.0, 6.0), ("sex", "boys"): (8.0, 6.0)}, value="boys")
    with pytest.raises(ContractError, match="occurs twice"):
        draw_breakdown(twice, metric=METRIC, year=202425)


def test_a_decomposition_tells_every_part_with_its_interval():
    figure = draw_decomposition(decomposed(), metric=METRIC, year=202425)
    for said in (
        "The gap: 9.1 percentage points",
        "Goes with who the children are: 2.3 percentage points (95% interval 1.3 to 3.3)",
        "Of which SEN: 1.4 percentage points",
        "Between children alike: 6.8 percentage points",
    ):
        assert said in figure.alt
    assert "not what causes what" in figure.caption
    without = decomposed(factors=(NAN,) * 4, composition_lower=NAN)
    assert "Of which" not in draw_decomposition(without, metric=METRIC, year=202425).alt


def test_hidden_parts_are_not_drawn():
    with pytest.raises(ContractError, match="decomposition_sentence"):
        draw_decomposition(hidden_parts(), metric=METRIC, year=202425)


def test_a_standardised_gap_tells_the_ends_and_how_far_apart_they_get():
    figure = draw_standardised(standardised(), metric=METRIC)
    assert (
        "In 2024/25 the gap was 9.1 percentage points, and 8.0 had the mix of 2018/19" in figure.alt
    )
    assert "never more than 1.1 percentage points apart" in figure.alt
    single = draw_standardised(
        standardised(gaps=(NAN, NAN, 9.1), kept=(NAN, NAN, 8.0)), metric=METRIC
    )
    assert single.alt.count("the gap was") == 1
    hidden = draw_standardised(
        standardised(gaps=(NAN,) * 3, kept=(NAN,) * 3, status="c"), metric=METRIC, phase="total"
    )
    assert "No year is shown" in hidden.alt
    assert "c = suppressed" in hidden.caption
    with pytest.raises(ContractError, match="more than one row a year"):
        draw_standardised(standardised(time_period=202425), metric=METRIC)


def test_phases_are_named():
    figure = draw_standardised(standardised(phase="secondary"), metric=METRIC, phase="secondary")
    assert "in secondary schools" in figure.caption
    figure = draw_decomposition(
        decomposed(phase="primary"), metric=METRIC, year=202425, phase="primary"
    )
    assert "in primary schools" in figure.caption
