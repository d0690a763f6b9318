"""Slope charts and numbers of children: what they tell and what they refuse."""

from math import isnan

import pandas as pd
import pytest

from tests.release.made import AUTHORITY, NAN, YEARS, gap_rows, safe
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.release import draw_sizes, draw_slopes

ENDS = (201819, 202425)


def of_groups(*groups, stamp="", **changes):
    frames = [gap_rows(**changes).assign(group=group) for group in groups]
    return safe(pd.concat(frames, ignore_index=True), stamp=stamp)


def of_metrics(*metrics):
    return safe(pd.concat([gap_rows(metric) for metric in metrics], ignore_index=True))


def sizes(*groups, stamp="", pupils=(270, NAN, 280, 275, 290, 295, 285), **changes):
    rows = [
        {"unit_id": AUTHORITY, "time_period": year, "phase": "total", "metric": "overall_absence",
         "group": group, "pupils": count, "status": "x" if isnan(count) else ""} | changes
        for group in groups
        for year, count in zip(YEARS, pupils, strict=True)
    ]  # fmt: skip
    return safe(rows, stamp=stamp)


def slopes(table, over="group", **asked):
    return draw_slopes(table, over=over, years=ENDS, **asked)


def test_a_panel_a_group_tells_both_levels_of_both_years():
    figure = slopes(of_groups("cwsw", "cin"), metric="overall_absence")
    assert (
        "Children in need: level from 12.1% in 2018/19 to 18.4% in 2024/25 and pupils without a "
        "social worker from 4.7% in 2018/19 to 6.8% in 2024/25" in figure.alt
    )
    assert figure.caption.startswith("Overall absence (%) by group, 2018/19 and 2024/25.")
    assert "The attendance codes changed" in figure.caption
    assert set(figure.data.frame["time_period"]) == set(ENDS)
    assert figure.name == "slopes_group_overall_absence_total"


def test_a_panel_a_measure_names_its_units():
    figure = slopes(of_metrics("overall_absence", "ks4_attainment8"), over="metric", group="cwsw")
    assert "Levels of 2 measures (% or points)" in figure.caption
    assert "Attainment 8: level from 12.1 points" in figure.alt


def test_slopes_are_the_same_each_time_and_stamped():
    plain, again = (slopes(of_groups("cwsw", "cin")) for _ in range(2))
    stamped = slopes(of_groups("cwsw", "cin", stamp="SYNTHETIC"))
    assert plain.png == again.png != stamped.png
    assert stamped.alt == f"{plain.alt} Marked: SYNTHETIC."


def test_a_hidden_end_carries_its_symbol_and_an_empty_panel_is_left_out():
    half = gap_rows(group=[NAN] * 6 + [18.4], status="c")
    none = gap_rows(group=[NAN] * 7, reference=[NAN] * 7, status="c").assign(group="cpp")
    figure = slopes(safe(pd.concat([half, none], ignore_index=True)))
    assert "level not shown in both years" in figure.alt
    assert "c = suppressed" in figure.caption
    assert "protection" not in figure.alt


def test_a_measure_that_was_redefined_past_comparing_is_left_out():
    figure = slopes(of_metrics("overall_absence", "eyfsp_gld"), over="metric")
    assert "Levels of 1 measure (%)" in figure.caption
    assert "Good level" not in figure.alt


def test_what_cannot_be_drawn_as_slopes_is_refused():
    with pytest.raises(ContractError, match="more than one row a year"):
        slopes(of_groups("cwsw", "cwsw"))
    with pytest.raises(ContractError, match="0 groups have numbers"):
        slopes(of_groups("cwsw", group=[NAN] * 7, reference=[NAN] * 7))
    with pytest.raises(ContractError, match="over is 'phase'"):
        slopes(of_groups("cwsw"), over="phase")
    with pytest.raises(DisclosureError, match="must be a SafeTable"):
        slopes(of_groups("cwsw").frame)


def test_numbers_of_children_are_told_from_the_first_to_the_last_year():
    figure = draw_sizes(sizes("cin", "cla", stamp="SYNTHETIC"), metric="overall_absence")
    assert "Children in need: 270 in 2018/19, 285 in 2024/25" in figure.alt
    assert figure.alt.endswith("Marked: SYNTHETIC.")
    assert "A child who moved counts at each school." in figure.caption
    assert "Shaded: No full-year absence was collected in 2019/20" in figure.caption
    assert "x = " not in figure.caption


def test_published_numbers_are_of_children_not_of_enrolments():
    public = sizes("cin", source="published")
    assert "moved" not in draw_sizes(public, metric="overall_absence").caption


def test_hidden_numbers_of_children_are_said_to_be_hidden():
    one = sizes("cin", pupils=(NAN,) * 6 + (285,))
    assert "Children in need: 285 in 2024/25" in draw_sizes(one, metric="overall_absence").alt
    none = draw_sizes(sizes("cin", pupils=(NAN,) * 7), metric="overall_absence")
    assert "Children in need: not shown" in none.alt
    assert "x = not available" in none.caption


def test_more_groups_than_colours_and_years_that_stand_twice_are_refused():
    with pytest.raises(ContractError, match="must be at most 4"):
        draw_sizes(sizes("cin", "cpp", "cla", "previous", "cwsw"), metric="overall_absence")
    with pytest.raises(ContractError, match="more than one row a year"):
        draw_sizes(sizes("cin", "cin"), metric="overall_absence")


def test_the_latest_rows_are_each_measures_last_year_with_numbers():
    part = gap_rows("ks4_attainment8", group=[19.0] * 5 + [NAN] * 2, status="c")
    never = gap_rows("severe_absence", group=[NAN] * 7, reference=[NAN] * 7)
    table = safe(pd.concat([gap_rows(), part, never], ignore_index=True)).latest("metric").frame
    assert dict(zip(table["metric"], table["time_period"], strict=True)) == {
        "overall_absence": 202425,
        "ks4_attainment8": 202223,
    }
    with pytest.raises(ContractError, match="programme"):
        safe(gap_rows()).latest("programme")
