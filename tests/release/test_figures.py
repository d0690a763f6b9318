import math
import struct
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text

from tests.release.made import (
    AUTHORITY,
    NAN,
    YEARS,
    estimate_row,
    event_rows,
    gap_rows,
    reach_rows,
    safe,
)
from vsh_eval import names
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.release import (
    draw_context,
    draw_event_study,
    draw_forest,
    draw_gap,
    draw_levels,
    draw_reach,
)
from vsh_eval.release.figures import base, context, palette

METRIC = "overall_absence"


def context_rows():
    others = [
        gap_rows(group=np.array([12.1, NAN, 12.9, 15.8, 17.0, 17.4, 18.4]) + shift).assign(
            unit_id=unit, geographic_level=level
        )
        for unit, level, shift in (
            ("E92000001", "national", -2.0),
            ("E12000002", "region", -1.0),
            ("E06000050", "la", 1.0),
            ("E08000003", "la", -3.0),
        )
    ]
    return pd.concat([gap_rows(), *others])


ALL = {
    "levels": lambda s: draw_levels(safe(gap_rows(), stamp=s), metric=METRIC),
    "gap": lambda s: draw_gap(safe(gap_rows(), stamp=s), metric=METRIC, ratio=True),
    "events": lambda s: draw_event_study(safe(event_rows(), stamp=s), metric=METRIC),
    "forest": lambda s: draw_forest(
        safe([estimate_row(), estimate_row(estimator="twfe")], stamp=s)
    ),
    "reach": lambda s: draw_reach(safe(reach_rows(), stamp=s)),
    "context": lambda s: draw_context(
        safe(context_rows(), stamp=s), metric=METRIC, authority=AUTHORITY
    ),
}


def chunks(png):
    place, found = 8, []
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        found.append(png[place + 4 : place + 8].decode())
        place += 12 + length
    return found


@pytest.mark.parametrize("name", ALL)
def test_a_chart_is_the_same_bytes_each_time_and_carries_no_metadata(name):
    first, second = ALL[name](""), ALL[name]("")
    assert first.png == second.png
    assert first.png.startswith(b"\x89PNG")
    assert set(chunks(first.png)) <= {"IHDR", "pHYs", "IDAT", "IEND", "sRGB"}
    width = struct.unpack(">I", first.png[16:20])[0]
    assert width == round(palette.WIDTH * 150)


@pytest.mark.parametrize("name", ALL)
def test_a_stamp_is_in_the_image_and_in_the_alternative_text(name):
    plain, stamped = ALL[name](""), ALL[name]("SYNTHETIC")
    assert stamped.alt == f"{plain.alt} Marked: SYNTHETIC."
    assert stamped.png != plain.png
    assert stamped.data.stamp == "SYNTHETIC"


@pytest.mark.parametrize("name", ALL)
def test_the_columns_drawn_are_in_the_data(name):
    figure = ALL[name]("")
    assert figure.columns
    assert set(figure.columns) <= set(figure.data.frame.columns)


@pytest.mark.parametrize(
    "draw",
    [
        lambda frame: draw_levels(frame, metric=METRIC),
        lambda frame: draw_gap(frame, metric=METRIC),
        lambda frame: draw_event_study(frame, metric=METRIC),
        draw_forest,
        draw_reach,
        lambda frame: draw_context(frame, metric=METRIC, authority=AUTHORITY),
    ],
)
def test_nothing_but_a_safe_table_is_drawn(draw):
    with pytest.raises(DisclosureError, match="must be a SafeTable"):
        draw(gap_rows())


def test_levels_are_told_with_their_numbers_and_the_missing_year():
    figure = draw_levels(safe(gap_rows()), metric=METRIC)
    assert "rose from 12.1% in 2018/19 to 18.4% in 2024/25" in figure.alt
    assert "The gap was 11.6 percentage points in 2024/25, 7.4 percentage points" in figure.alt
    assert "Nothing is shown for 2019/20." in figure.alt
    assert "schools closed to most in March 2020" in figure.caption
    assert "c: The attendance codes changed on 19 August 2024." in figure.caption


def test_a_falling_and_a_level_line_are_told_as_such():
    rows = gap_rows(group=[12, NAN, 12, 12, 12, 12, 9], reference=[5, NAN, 5, 5, 5, 5, 5])
    alt = draw_levels(safe(rows), metric=METRIC).alt
    assert "fell from 12.0% in 2018/19 to 9.0% in 2024/25" in alt
    assert "was the same, 5.0%, in 2018/19 and 2024/25" in alt


def test_years_that_may_not_be_compared_are_not_told_as_a_course():
    rows = gap_rows("ks4_attainment8", group=[20, NAN, 9, NAN, NAN, NAN, NAN])
    assert rows["time_period"].iloc[2] == 202021
    alt = draw_levels(safe(rows), metric="ks4_attainment8").alt
    assert "was 20.0 points in 2018/19, the only year shown" in alt
    assert "9.0 points" not in alt


def test_a_gap_below_nought_that_sinks_is_wider_where_higher_is_better():
    rows = gap_rows(
        "ks4_attainment8",
        group=[19.3, 21.5, 22.9, 20.8, 18.5, NAN, 17.3],
        reference=[46.7, 50.2, 50.9, 48.8, 46.3, 45.9, 46.0],
        status="c",
    )
    figure = draw_gap(safe(rows), metric="ks4_attainment8")
    assert f"was {chr(0x2212)}28.7 points in 2024/25, wider than the" in figure.alt
    assert "c = suppressed to protect children's confidentiality" in figure.caption
    assert "not examined" in figure.caption


def test_one_year_and_no_year_are_told_honestly():
    one = safe(gap_rows().query("time_period == 202425"))
    assert "the only year shown" in draw_gap(one, metric=METRIC).alt
    assert "in 2024/25." in draw_levels(one, metric=METRIC).alt
    hidden = gap_rows(group=[NAN] * 7, reference=[NAN] * 7, status="c")
    figure = draw_levels(safe(hidden), metric=METRIC)
    assert "not shown in any year" in figure.alt
    assert "not shown in any year" in draw_gap(safe(hidden), metric=METRIC, ratio=True).alt


def test_levels_of_several_groups_come_from_the_levels_table():
    rows = [
        {
            "time_period": year,
            "phase": "total",
            "metric": METRIC,
            "group": group,
            "level_value": 10.0 + place,
            "lower": 9.0,
            "upper": 14.0,
            "status": "",
        }
        for place, group in enumerate(("cla", "cpp", "cin", "previous", "peers"))
        for year in YEARS[3:]
    ]
    with pytest.raises(ContractError, match="5 groups were to be drawn"):
        draw_levels(safe(rows), metric=METRIC)
    figure = draw_levels(safe(rows).where(group=["cla", "cin"]), metric=METRIC)
    assert "Looked-after children: was the same, 10.0%" in figure.alt
    assert figure.columns == ("time_period", "group", "level_value", "lower", "upper")


def test_two_rows_a_year_are_refused():
    twice = safe(pd.concat([gap_rows(), gap_rows().assign(reference="all")]))
    with pytest.raises(ContractError, match="more than one row a year"):
        draw_gap(twice, metric=METRIC)
    with pytest.raises(ContractError, match="no row of the"):
        draw_gap(twice, metric="severe_absence")


def test_a_year_without_a_value_is_a_gap_in_the_line():
    series = base.Series("x", (1.0, NAN, 2.0, 3.0), (0.5, NAN, 1.0, 2.0), (2.0, NAN, 3.0, 4.0))
    with base.canvas() as (_, (axes,)):
        base.draw_series(axes, series, palette.LINES[0], hollow=[False, False, False, True])
        dashed = [line for line in axes.lines if len(line.get_xdata()) == 4]
    joined, apart = (np.asarray(line.get_ydata(), dtype=float) for line in dashed)
    assert [math.isnan(v) for v in joined] == [False, True, False, True]
    assert [math.isnan(v) for v in apart] == [True, True, True, False]


def test_years_are_labelled_as_people_write_them_the_last_one_always():
    with base.canvas() as (_, (axes,)):
        base.draw_years(axes, list(range(201314, 202122, 101)))
        labels = [text.get_text() for text in axes.get_xticklabels()]
    assert labels[-1] == "2020/21"
    assert "2013/14" not in labels
    assert set(labels) - {""} <= {"2014/15", "2016/17", "2018/19", "2020/21"}


def test_the_event_study_tells_before_and_after():
    figure = draw_event_study(safe(event_rows()), metric=METRIC, confidence=90)
    assert "Before training 2 of 2 intervals contain nought." in figure.alt
    assert "In the first year trained the estimate is" in figure.alt
    assert "After 2 years the estimate is" in figure.alt
    assert "90% interval" in figure.caption
    assert "simultaneous band" in figure.caption
    assert "c = suppressed" in figure.caption
    with pytest.raises(ContractError, match="index occurs twice"):
        draw_event_study(safe(event_rows() * 2), metric=METRIC)


def test_an_event_study_without_intervals_before_training_still_speaks():
    rows = [row | {"ci_lower": NAN, "ci_upper": NAN, "band_lower": NAN} for row in event_rows()]
    figure = draw_event_study(safe(rows), metric=METRIC)
    assert "contain nought" not in figure.alt
    assert "simultaneous" not in figure.caption


def test_the_forest_names_what_varies_and_has_a_panel_for_each_unit():
    rows = [
        estimate_row(),
        estimate_row(role="robustness", estimator="callaway_santanna", ci_lower=NAN, ci_upper=NAN),
        estimate_row(role="secondary", metric="ks4_attainment8", estimate=0.4, status=""),
        estimate_row(role="secondary", metric="severe_absence", estimate=NAN, status="c"),
    ]
    figure = draw_forest(safe(rows), title="The effect of training")
    assert "Chart of 4 estimates: The effect of training." in figure.alt
    assert "Overall absence: Callaway and Sant'Anna: " in figure.alt
    assert "Severe absence: Imputation: c" in figure.alt
    assert "c = suppressed" in figure.caption
    only = draw_forest(safe(rows), vary=("metric",), role="primary")
    assert "Overall absence: " in only.alt
    all_any = draw_forest(safe(rows[:1]), vary=("programme",))
    assert "All schools: " in all_any.alt


def test_more_than_four_programmes_get_a_panel_each():
    names = ("any", "elsa", "attachment_trauma", "emotion_coaching", "safeguarding")
    few, many = draw_reach(safe(reach_rows(names[:4]))), draw_reach(safe(reach_rows(names)))
    heights = [struct.unpack(">I", figure.png[20:24])[0] for figure in (few, many)]
    assert heights[1] > heights[0]
    assert "Emotional Literacy Support: rose from 0.0% in 2018/19 to 60.0% in 2024/25" in many.alt
    nothing = [row | {"share_schools": NAN, "status": "c"} for row in reach_rows()]
    assert "not shown in any year" in draw_reach(safe(nothing)).alt
    assert (
        "not shown in any year"
        in draw_reach(safe([r | {"programme": p} for r in nothing[:7] for p in names])).alt
    )


def test_reach_needs_one_row_a_year():
    with pytest.raises(ContractError, match="more than one row a year"):
        draw_reach(safe(reach_rows() * 2))


def test_the_authority_stands_among_others():
    labels = {AUTHORITY: "Cheshire East", "E12000002": "North West"}
    figure = draw_context(safe(context_rows()), metric=METRIC, authority=AUTHORITY, labels=labels)
    assert "Cheshire East: rose from 7.4 percentage points" in figure.alt
    assert "England: rose from 5.4 percentage points" in figure.alt
    assert (
        "2.0 wider than in England (9.6) and 1.0 wider than in the North West (10.6)" in figure.alt
    )
    assert "the second narrowest among it and its 2 statistical neighbours shown" in figure.alt
    assert "who lie between 8.6 and 12.6" in figure.alt
    assert "Blue: Cheshire East, shaded its 95% interval" in figure.caption
    assert "Shaded: No full-year absence was collected in 2019/20" in figure.caption
    assert figure.areas == labels
    level = draw_context(
        safe(context_rows()), metric=METRIC, authority=AUTHORITY, measure="group_level"
    )
    assert "18.4%" in level.alt
    with pytest.raises(ContractError, match="authority E1 has no row among 3"):
        draw_context(safe(context_rows()), metric=METRIC, authority="E1")
    with pytest.raises(ContractError, match="measure is 'ratio'"):
        draw_context(safe(context_rows()), metric=METRIC, authority=AUTHORITY, measure="ratio")
    with pytest.raises(ContractError, match="more than one row a year"):
        draw_context(
            safe(pd.concat([context_rows(), context_rows().assign(reference="all")])),
            metric=METRIC,
            authority=AUTHORITY,
        )


def panels_of(figure):
    """Draw again and return the axes that were drawn."""
    return [axes for axes in figure.axes if axes.get_title(loc="left")]


@pytest.fixture
def drawn(monkeypatch):
    kept = []
    whole = context.to_png
    monkeypatch.setattr(
        context, "to_png", lambda figure, stamp: kept.append(figure) or whole(figure, stamp)
    )
    return kept


def test_every_area_has_a_panel_with_the_authority_beside_it(drawn):
    draw_context(safe(context_rows()), metric=METRIC, authority=AUTHORITY)
    panels = panels_of(drawn[0])
    titles = [axes.get_title(loc="left") for axes in panels]
    # England and the region first, then the neighbours, the widest gap of the last year first.
    assert titles == ["England  9.6", "E12000002  10.6", "E06000050  12.6", "E08000003  8.6"]
    assert len({axes.get_ylim() for axes in panels}) == 1
    own = [
        [float(v) for v in line.get_ydata()]
        for axes in panels
        for line in axes.get_lines()
        if line.get_color() == palette.DARK_BLUE and line.get_linestyle() == "-"
    ]
    whole = [line for line in own if len(line) == len(YEARS)]
    expected = gap_rows()["gap"].tolist()
    assert whole == [pytest.approx(expected, nan_ok=True)] * len(panels)
    sizes = [t.get_fontsize() for t in drawn[0].findobj(Text) if t.get_text()]
    assert min(sizes) >= 10
    assert palette.contrast(context._OTHER.colour, "#FFFFFF") >= 3


def test_what_is_suppressed_carries_its_symbol_in_its_own_row(drawn):
    rows = context_rows()
    hidden = rows["time_period"].eq(202122) & rows["unit_id"].isin([AUTHORITY, "E06000050"])
    measures = [
        c for c in rows if c.startswith(("gap", "group_level", "ratio")) and c != "gap_unit"
    ]
    rows.loc[hidden, measures] = NAN
    rows.loc[hidden, "status"] = "c"
    figure = draw_context(safe(rows), metric=METRIC, authority=AUTHORITY)
    symbols = [
        [t.get_position()[1] for t in axes.texts if t.get_text() == "c" and t.get_fontsize() > 11]
        for axes in panels_of(drawn[0])
    ]
    assert [len(found) for found in symbols] == [1, 1, 2, 1]
    assert len(set(symbols[2])) == 2
    assert "c = suppressed to protect children's confidentiality" in figure.caption


def test_an_authority_that_is_never_shown_is_still_drawn_beside_the_others(drawn):
    rows = context_rows()
    own = rows["unit_id"].eq(AUTHORITY)
    measures = [
        c for c in rows if c.startswith(("gap", "group_level", "ratio")) and c != "gap_unit"
    ]
    rows.loc[own, measures] = NAN
    rows.loc[own, "status"] = "c"
    labels = {AUTHORITY: "Bournemouth, Christchurch and Poole"}
    figure = draw_context(safe(rows), metric=METRIC, authority=AUTHORITY, labels=labels)
    assert "in Bournemouth, Christchurch and Poole is not shown in any year." in figure.alt
    assert len(panels_of(drawn[0])) == 4
    alone = draw_context(safe(rows[own]), metric=METRIC, authority=AUTHORITY)
    assert "beside none" in alone.caption


def test_a_definition_that_changed_before_the_first_year_is_not_marked(drawn):
    rows = context_rows().query("time_period >= 202021")
    figure = draw_context(safe(rows), metric=METRIC, authority=AUTHORITY)
    assert "a: Code X was withdrawn" in figure.caption
    assert "outside the 2020/21 rates" not in figure.caption
    assert "no data" not in [text.get_text() for text in drawn[0].legends[0].get_texts()]


def test_published_absence_beside_all_pupils_names_how_each_is_counted():
    rows = context_rows().assign(source="published", reference="all")
    figure = draw_context(safe(rows), metric=METRIC, authority=AUTHORITY)
    assert names.COUNTED_DIFFERENTLY in figure.caption
    own = draw_context(safe(context_rows()), metric=METRIC, authority=AUTHORITY)
    assert names.COUNTED_DIFFERENTLY not in own.caption


def test_an_authority_without_any_number_is_not_named_at_a_made_up_height():
    hidden = gap_rows(group=[NAN] * 7, status="c")
    rows = pd.concat([hidden, context_rows().query("unit_id == 'E92000001'")])
    figure = draw_context(safe(rows), metric=METRIC, authority=AUTHORITY)
    assert f"{AUTHORITY}: not shown in any year" in figure.alt
    alone = draw_context(safe(hidden), metric=METRIC, authority=AUTHORITY)
    assert f"{AUTHORITY}: not shown in any year" in alone.alt


def test_lines_are_told_apart_without_colour_and_stand_out_from_white():
    assert len({line.marker for line in palette.LINES}) == palette.MOST_CATEGORIES
    assert len({str(line.dash) for line in palette.LINES}) == palette.MOST_CATEGORIES
    for line in palette.LINES:
        assert palette.contrast(line.colour, "#FFFFFF") >= 3
        assert palette.contrast(line.text_colour, "#FFFFFF") >= 4.5


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=4))
def test_names_beside_lines_never_cover_each_other(heights):
    sizes = [20.0] * len(heights)
    placed = sorted(base.spread(heights, sizes, bottom=0.0, top=100.0))
    assert all(b - a >= 20 - 1e-9 for a, b in pairwise(placed))
    assert placed[0] >= 10 - 1e-9
    assert placed[-1] <= 90 + 1e-9
