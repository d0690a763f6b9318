"""Charts: laws that hold for all of them, and that each form draws the table's numbers."""

import math
import re
import subprocess
import sys
import warnings
from functools import cache
from itertools import pairwise
from unittest.mock import patch

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex
from matplotlib.text import Text

from tests.release.made import (
    AUTHORITY,
    NAN,
    POWER_CURVE,
    YEARS,
    arm_rows,
    estimate_row,
    event_rows,
    gap_rows,
    reach_rows,
    safe,
)
from tests.release.make_up_rows import by_value, decomposed, hidden_parts
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.release import figures
from vsh_eval.release.figures import base, palette
from vsh_eval.release.figures.lines import draw_series

METRIC, A8 = "overall_absence", "ks4_attainment8"
MINUS = chr(0x2212)
ENDS = (201819, 202425)
LATEST = {"metric": METRIC, "year": 202425}
PROGRAMMES = ("any", "elsa", "attachment_trauma", "emotion_coaching", "safeguarding")
HIDDEN = dict.fromkeys(
    [f"{name}{end}" for name in ("gap", "group_level") for end in ("", "_lower", "_upper")],
    NAN,
) | {"status": "c"}  # fmt: skip


def areas():
    """Return an authority, England, its region and two neighbours, one hidden in a year."""
    shifts = {AUTHORITY: ("la", 0), "E92000001": ("national", -2), "E12000002": ("region", -1),
              "E06000050": ("la", 1), "E08000003": ("la", -3)}  # fmt: skip
    usual = np.array([12.1, NAN, 12.9, 15.8, 17.0, 17.4, 18.4])
    rows = pd.concat(
        [
            gap_rows(group=usual + shift).assign(unit_id=unit, geographic_level=level)
            for unit, (level, shift) in shifts.items()
        ],
        ignore_index=True,
    )
    once = rows["time_period"].eq(202122) & rows["unit_id"].isin([AUTHORITY, "E06000050"])
    rows.loc[once, list(HIDDEN)] = list(HIDDEN.values())
    return rows


def sizes(*groups, pupils=(270, NAN, 280, 275, 290, 295, 1285), **changes):
    return [
        {"unit_id": AUTHORITY, "time_period": year, "phase": "total", "metric": METRIC,
         "group": group, "pupils": count, "status": "x" if math.isnan(count) else ""} | changes
        for group in groups
        for year, count in zip(YEARS, pupils, strict=True)
    ]  # fmt: skip


def course(**changes):
    """Return an authority and its weighted average, which part in the last year."""
    own, effect = (
        np.array([9.1, 12.0, 11.5, 11.6, 11.9, 9.2]),
        np.array([0, -0.3, -0.3, -1.9, -2.3, -5]),
    )
    half, years = np.array([2.1, 2.0, 1.4, 2.9, 3.5, 3.4]), [y for y in YEARS if y != 201920]
    return {"metric": METRIC, "comparison": "neighbours", "time_period": years, "outcome": own,
            "donor_mean": own - effect - 1.9, "synthetic": own - effect, "distance": effect,
            "placebo_lower": -half,
            "placebo_upper": half, "before": [y < 202223 for y in years],
            "status": ""} | changes  # fmt: skip


BOUNDS = [
    {"metric": METRIC, "variant": target, "bound": size, "ci_lower": -3 - size,
     "ci_upper": size - 1.2, "status": ""}
    for target in ("first year", "all years")
    for size in (0.0, 1.0, 2.0)
]  # fmt: skip
BANDS = [
    {"deprivation": band, "phase": "total", "time_period": 202425, "group": "cwsw",
     "share_schools": reached / 2, "share_pupils": reached, "status": ""}
    for band, reached in (("most_deprived_third", 80.0), ("middle_third", 60.0),
                          ("least_deprived_third", 40.0), ("total", 60.0))
]  # fmt: skip
CELLS = [
    {"phase": phase, "deprivation": band, "share_pupils": 40.0, "pupils_not_reached": 1234,
     "schools": schools, "status": ""}
    for phase in ("primary", "total")
    for band, schools in (("most_deprived_third", 20), ("not_known", 3), ("total", 23))
]  # fmt: skip
CHECKS = [
    estimate_row(check="", variant="", verdict=""),
    estimate_row(role="robustness", check="leave_out", verdict="differs", estimate=0.4,
                 variant="without the one school that leaves most", ci_lower=-0.2, ci_upper=1.0),
    estimate_row(role="robustness", check="pretrend", variant="left out", verdict="agrees"),
    estimate_row(role="robustness", check="early_placebo", variant="as if begun two years earlier",
                 variant_code="trained_early", verdict="agrees", estimate=0.3, ci_lower=-0.9,
                 ci_upper=1.5),
]  # fmt: skip
HIDDEN_PRIMARY = estimate_row(
    check="", variant="", verdict="", status="c", estimate=NAN, ci_lower=NAN, ci_upper=NAN
)
FOREST = [
    estimate_row(estimate=-0.04, ci_lower=-0.6, ci_upper=0.5),
    estimate_row(role="robustness", estimator="callaway_santanna", ci_lower=NAN, ci_upper=NAN),
    estimate_row(role="robustness", estimator="same_past", estimate=-0.9),
    estimate_row(role="secondary", metric="ks4_attainment8", estimate=0.4),
    estimate_row(role="secondary", metric="severe_absence", estimate=NAN, status="c"),
]
SPECIFICATIONS = [
    estimate_row(rank=rank, preregistered=rank == 2, estimate=estimate, ci_lower=estimate - 1,
                 ci_upper=estimate + 1, group=group, reference="peers", covid_years="with",
                 weights="sessions of the year", year_effects="common")
    for rank, (estimate, group) in enumerate([(-2.0, "cin"), (-1.5, "cwsw"), (0.5, "ever_cwsw")], 1)
]  # fmt: skip

POOL = [
    estimate_row(role="primary", variant=variant, name=name, target="gap", weight=weight,
                 authorities=k, estimate=estimate, ci_lower=estimate - 1, ci_upper=estimate + 1,
                 next_lower=further, next_upper=-further)
    for variant, name, weight, k, estimate, further in (
        ("own", "Invented Abbey", 0.4, 1, -1.2, NAN), ("own", "Invented Bay", 0.6, 1, -2.1, NAN),
        ("own", "Invented Combe", NAN, 1, -0.4, NAN), ("included", "", NAN, 2, -1.7, -9.0),
        ("every", "", NAN, 3, -1.3, -5.0), ("without", "Invented Bay", NAN, 1, -1.2, NAN))
]  # fmt: skip

CHARTS = {
    "levels": (gap_rows(), figures.draw_levels, {"metric": METRIC}),
    "gap": (gap_rows(), figures.draw_gap, {"metric": METRIC}),
    "ratio": (gap_rows(), figures.draw_gap, {"metric": METRIC, "measure": "ratio"}),
    "arms": (arm_rows(), figures.draw_trained_and_untrained, {"metric": METRIC}),
    "sizes": (sizes("cin", "cla", "cwsw"), figures.draw_sizes,
              {"metric": METRIC, "cohort": "cwsw"}),
    "synthetic": (course(), figures.draw_synthetic, {"metric": METRIC, "authority": "Poole"}),
    "standing": (areas(), figures.draw_standing, {"metric": METRIC, "authority": AUTHORITY}),
    "rollout": (reach_rows(PROGRAMMES), figures.draw_rollout, {}),
    "heat": (reach_rows(PROGRAMMES), figures.draw_reach_heat, {}),
    "missed": (CELLS, figures.draw_reach_heat, {"by": "phase", "over": "deprivation",
               "share": "share_pupils", "missed": "pupils_not_reached"}),
    "need": (BANDS, figures.draw_reach_by_need, {"by": "deprivation", "year": 202425}),
    "power": (POWER_CURVE, figures.draw_power,
              {"metric": METRIC, "sesoi": 0.5, "estimates": safe([estimate_row()])}),
    "events": (event_rows(), figures.draw_event_study, {"metric": METRIC}),
    "forest": (FOREST, figures.draw_forest, {}),
    "pool": (POOL, figures.draw_pool, {"metric": METRIC}),
    "robustness": (CHECKS, figures.draw_robustness, {"metric": METRIC}),
    "bounds": (BOUNDS, figures.draw_honest, {"metric": METRIC}),
    "specifications": (SPECIFICATIONS, figures.draw_specifications, {"metric": METRIC}),
    "decomposition": (decomposed().frame, figures.draw_decomposition, LATEST),
    "breakdown": (by_value().frame, figures.draw_breakdown, LATEST),
}  # fmt: skip


def draw(name, rows=None, *, stamp="SYNTHETIC", **changes):
    usual, function, arguments = CHARTS[name]
    return function(safe(usual if rows is None else rows, stamp=stamp), **arguments | changes)


def pages_of(name, rows=None, **changes):
    """Draw a chart and return it with its pages: the narrow one, then the wide one."""
    pages, finish = [], base.Page._svg
    with patch.object(base.Page, "_svg", lambda self: pages.append(self) or finish(self)):
        figure = draw(name, rows, **changes)
    return figure, pages


def draw_open(name, rows=None, **changes):
    """Draw a chart and return it with its panels and the page that they stand on."""
    figure, pages = pages_of(name, rows, **changes)
    return figure, pages[-1].panels, pages[-1].canvas


@cache
def drawn_once(name):
    """Draw a chart of its usual rows; return it, its pages and its alternative text in full."""
    whole, shorten = [], base._shortened
    recorded = patch.object(base, "_shortened", lambda said: whole.append(said) or shorten(said))
    with recorded:
        figure, pages = pages_of(name)
    return figure, pages, " ".join(whole[-1])


def usual(name):
    """Return the chart of the usual rows with its panels and the page that they stand on."""
    figure, pages, _ = drawn_once(name)
    return figure, pages[-1].panels, pages[-1].canvas


@pytest.fixture
def at_any_length(monkeypatch):
    """Let alternative texts say everything, to see what they would."""
    monkeypatch.setattr(base, "_MOST_ALT", 10_000)


# --- Laws of all charts


def test_every_chart_is_under_the_laws():
    drawn = {function.__name__ for _, function, _ in CHARTS.values()}
    assert drawn == {name for name in dir(figures) if name.startswith("draw_")}


@pytest.mark.parametrize("name", CHARTS)
def test_the_same_table_gives_the_same_bytes_and_leaves_the_style_alone(name):
    style, open_figures = dict(mpl.rcParams), plt.get_fignums()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = draw(name)
    figure, _, _ = usual(name)
    assert (figure.svg, figure.narrow) == (again.svg, again.narrow)
    for drawing, inches in ((figure.svg, palette.WIDE), (figure.narrow, palette.NARROW)):
        assert re.match(rb'<svg [^>]* viewBox="0 0 (\S+)', drawing)[1] == b"%g" % (72 * inches)
        assert b"<metadata" not in drawing
    assert set(figure.columns) <= set(figure.data.frame.columns)
    assert figure.columns
    assert figure.caption.endswith(".")
    assert (dict(mpl.rcParams), plt.get_fignums()) == (style, open_figures)


def test_a_stamp_is_drawn():
    plain, (stamped, _, _) = draw("gap", stamp=""), usual("gap")
    for drawing, without in ((stamped.svg, plain.svg), (stamped.narrow, plain.narrow)):
        assert drawing.count(b">SYNTHETIC</text>") == 1
        assert b"SYNTHETIC" not in without
    assert stamped.alt == plain.alt


@pytest.mark.parametrize("name", CHARTS)
def test_an_alternative_text_is_short_and_says_where_the_rest_is(name):
    alt = usual(name)[0].alt
    assert 40 < len(alt) <= 300
    assert alt.endswith(".")


def test_an_alternative_text_leaves_to_the_table_what_has_no_room():
    first, second, last = "A" * 150 + ".", "B" * 120 + ".", "C" * 60 + "."
    rest = " All numbers are in the table below."
    assert base._shortened([first, last]) == f"{first} {last}"
    assert base._shortened([first, second, last]) == f"{first} {second}"
    assert base._shortened([first, 2 * second, last]) == f"{first}{rest}"
    assert base._shortened([first, last, second]) == f"{first} {last}{rest}"


def test_a_drawing_for_a_small_screen_is_made_of_the_same_numbers_and_its_width_ends_with_it():
    _, (narrow, wide) = pages_of("levels")
    lines = [[list(line.get_ydata()) for line in page.panels[0].lines] for page in (narrow, wide)]
    np.testing.assert_equal(*lines)
    assert palette.width() == palette.WIDE


@pytest.mark.parametrize("name", CHARTS)
def test_nothing_but_a_safe_table_with_rows_is_drawn(name):
    usual, function, arguments = CHARTS[name]
    with pytest.raises(DisclosureError, match="must be a SafeTable"):
        function(pd.DataFrame(usual), **arguments)
    if "metric" in arguments and name != "power":
        with pytest.raises(ContractError, match="no row of the"):
            draw(name, metric="severe_absence" if name != "forest" else "ks2_rwm_expected")


@pytest.mark.parametrize("name", CHARTS)
def test_words_stand_within_the_page_and_are_large_enough(name):
    # At 320 pixels a narrow chart of 302 points is 312 pixels wide: 10 points are 10 pixels.
    for page in drawn_once(name)[1]:
        panels, canvas = page.panels, page.canvas
        of_axes = [(*one.get_xticklabels(), *one.get_yticklabels()) for one in panels]
        ticks = {id(label) for labels in of_axes for label in labels}
        for text in canvas.findobj(Text):
            if not text.get_text() or id(text) in ticks or not text.get_visible():
                continue
            box = text.get_window_extent()
            assert box.x0 >= -1, text
            assert box.x1 <= canvas.bbox.width + 1, text
            assert box.y0 >= -1, text
            assert box.y1 <= canvas.bbox.height + 1, text
            assert text.get_fontsize() >= 10 or text.get_text() == "SYNTHETIC", text


def test_charts_load_only_where_they_are_drawn():
    code = "import sys, vsh_eval.release; print({'seaborn', 'matplotlib'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "set()"


def test_lines_are_told_apart_without_colour_and_stand_out_from_white():
    assert len({line.marker for line in palette.LINES}) == palette.MOST_CATEGORIES
    assert len({str(line.dash) for line in palette.LINES}) == palette.MOST_CATEGORIES
    for line in palette.LINES:
        assert palette.contrast(line.colour, "#FFFFFF") >= 3
        assert palette.contrast(line.text_colour, "#FFFFFF") >= 4.5


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=4))
def test_names_beside_lines_never_cover_each_other(heights):
    placed = sorted(base.spread(heights, [20.0] * len(heights), bottom=0.0, top=100.0))
    assert all(b - a >= 20 - 1e-9 for a, b in pairwise(placed))
    assert placed[0] >= 10 - 1e-9
    assert placed[-1] <= 90 + 1e-9


# --- What is drawn is what the table holds


def points_of(axes):
    return [
        tuple(map(float, at))
        for drawn in axes.collections
        if isinstance(drawn, PathCollection)
        for at in drawn.get_offsets()
    ]


def intervals_of(axes, along):
    """Return the ends of the intervals drawn, along the x or the y axis."""
    return [
        tuple(float(end[along]) for end in segment)
        for drawn in axes.collections
        if isinstance(drawn, LineCollection)
        for segment in drawn.get_segments()
        if len(segment)
    ]


def test_a_pool_is_drawn_below_its_authorities_and_what_is_left_out_hollow():
    figure, (axes,), _ = draw_open("pool")
    hollow = [
        float(at[0])
        for drawn in axes.collections
        if isinstance(drawn, PathCollection) and to_hex(drawn.get_facecolor()[0]) == "#ffffff"
        for at in drawn.get_offsets()
    ]
    assert hollow == [-0.4]
    assert sorted(x for x, _ in points_of(axes)) == [-2.1, -1.7, -1.3, -1.2, -0.4]
    height = dict(points_of(axes))
    assert height[-1.7] > max(height[x] for x in (-2.1, -1.2, -0.4))
    assert (-9.0, 9.0) in intervals_of(axes, 0)
    assert figure.alt.index("All in the pool") < figure.alt.index("Invented Abbey")
    alike = [row | {"authorities": 2} if row["variant"] == "every" else row for row in POOL]
    assert "All authorities" not in draw("pool", alike).alt
    assert "Hollow" in figure.caption
    assert "Thin line" in figure.caption
    two = [row for row in POOL if row["name"] != "Invented Combe" and row["variant"] != "every"]
    none_drawn = draw("pool", [row | {"next_lower": NAN, "next_upper": NAN} for row in two]).caption
    assert "Hollow" not in none_drawn
    assert "Thin line" not in none_drawn


def drawn_by(axes, colour):
    """Return every value of a colour's lines, by place."""
    return {
        float(x): float(y)
        for line in axes.lines
        if line.get_color() == colour and line.get_marker() not in ("", "None")
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    }


def test_a_line_holds_the_tables_values_and_its_band_their_limits():
    _, (axes,), _ = usual("levels")
    rows = gap_rows()
    for side, line in zip(("group", "reference"), palette.LINES, strict=False):
        shown = rows[f"{side}_level"].dropna()
        assert drawn_by(axes, line.colour) == pytest.approx(shown.to_dict())
    corners = {
        (float(x), round(float(y), 6))
        for band in axes.collections
        for path in band.get_paths()
        for x, y in path.vertices
    }
    limits = {(float(x), round(v, 6)) for x, v in rows["group_level_upper"].dropna().items()}
    assert limits <= corners


@pytest.mark.parametrize("alone", [0, 1])
def test_a_hidden_value_breaks_the_line_and_a_year_apart_is_hollow(alone):
    values = (1.0, NAN, 2.0, 3.0, 4.0)
    series = base.Series("x", values, tuple(v - 1 for v in values), tuple(v + 1 for v in values))
    with base.stacked(safe(gap_rows())) as page:
        (axes,) = page.panels
        draw_series(axes, series, palette.LINES[0], hollow=[4] if alone else [])
    runs = [list(line.get_xdata()) for line in axes.lines]
    assert runs == ([[0], [2, 3], [4]] if alone else [[0], [2, 3, 4]])
    assert (axes.lines[-1].get_markerfacecolor() == "white") is bool(alone)
    assert intervals_of(axes, 1) == [(0.0, 2.0)]


def test_an_axis_holds_every_limit_and_begins_at_zero_where_it_can():
    low = gap_rows("ks4_progress8", group=[-1.4, NAN, NAN, -1.7, -1.6, -1.6, NAN],
                   reference=[0.1, NAN, NAN, 0.0, 0.0, -0.1, NAN])  # fmt: skip
    _, (axes,), _ = draw_open("levels", low, metric="ks4_progress8")
    assert axes.get_ylim()[0] < -2.7
    assert axes.get_ylim()[1] > 1.1
    _, (axes,), _ = usual("levels")
    assert axes.get_ylim()[0] == 0


def test_years_are_labelled_as_people_write_them_the_last_one_always():
    _, (axes,), _ = usual("levels")
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert labels == ["2018/19", "", "2020/21", "", "2022/23", "", "2024/25"]


def test_below_each_year_stands_how_many_schools_are_trained_and_a_line_where_they_begin():
    _, (axes,), _ = usual("arms")
    labels = [label.get_text().split("\n") for label in axes.get_xticklabels()]
    assert [count for _, count in labels] == ["0", "", "0", "24", "60", "110", "136"]
    solid = [line for line in axes.lines if line.get_linewidth() == 1.6]
    assert [list(line.get_xdata()) for line in solid] == [[2.5, 2.5]]
    alone = arm_rows().query("arm == 'untrained'")
    assert "Trained" not in draw("arms", alone).alt


def words_in(axes):
    return [text.get_text() for text in axes.texts]


def test_words_on_years_cover_no_point():
    rows = gap_rows(A8, group=[20.0, 24.0, 18.0, 17.0, 22.0, 17.0, 22.0])
    _, (axes,), _ = draw_open("levels", rows, metric=A8)
    (apart,) = [text for text in axes.texts if text.get_text() == "not\ncomparable"]
    lowest = axes.transData.inverted().transform((0, apart.get_window_extent().y0))[1]
    assert lowest > rows[["group_level_upper", "reference_level_upper"]].max(axis=None)
    _, (axes,), _ = usual("levels")
    assert words_in(axes).count("no data") == 1
    assert math.isnan(gap_rows()["group_level"][1])


def test_a_ratio_is_drawn_around_equal_levels():
    _, (axes,), _ = usual("ratio")
    assert drawn_by(axes, palette.DARK_BLUE) == pytest.approx(
        gap_rows()["ratio"].dropna().to_dict()
    )
    assert "equal" in words_in(axes)


def test_a_cohort_that_moves_by_more_than_a_tenth_is_marked_at_its_year():
    figure, (axes,), _ = usual("sizes")
    (mark,) = [text for text in axes.texts if "%" in text.get_text()]
    assert (mark.get_text(), mark.xy) == ("+336%", (6, 1.0))
    assert mark.get_window_extent().y0 >= axes.bbox.y1
    assert not any("Children with a" in word for word in words_in(axes))
    assert "number of children with a social worker changed by 10% or more" in figure.caption
    calm, (axes,), _ = draw_open("sizes", sizes("cin", pupils=(270, NAN, *[280] * 5)), cohort="cin")
    assert not any("%" in word for word in words_in(axes))
    assert "10%" not in calm.caption


def test_areas_stand_in_order_with_their_intervals_and_what_is_hidden_last():
    rows = areas()
    rows.loc[rows["unit_id"].eq("E08000003"), [*HIDDEN]] = [*HIDDEN.values()]
    figure, (axes,), _ = draw_open("standing", rows, labels={AUTHORITY: "Poole"})
    words = [w for w in words_in(axes) if not w.startswith("(")]
    assert words == ["E06000050", "12.6", "Poole", "11.6", "E12000002", "10.6", "England", "9.6",
                     "E08000003", "c"]  # fmt: skip
    drawn = dict(sorted((y, x) for x, y in points_of(axes) if not math.isnan(x)))
    assert drawn == pytest.approx({0.23: 12.6, 0.69: 11.6, 1.15: 10.6, 1.61: 9.6})
    assert len(intervals_of(axes, 0)) == 4
    assert "c = suppressed" in figure.caption
    assert "Poole: 11.6. The others shown: 9.6 to 12.6." in figure.alt
    listed = figure.data.frame["unit_id"].tolist()
    assert listed == ["E06000050", AUTHORITY, "E12000002", "E92000001", "E08000003"]


def test_the_interval_of_an_authority_stands_without_an_error_it_is_not_made_of():
    of_schools = [estimate_row(df=58.0), estimate_row(role="robustness", df=5.0)]
    assert {"std_error", "df"} <= set(draw("forest", of_schools).columns)
    among = [row | {"estimator": "synthetic_did"} for row in of_schools]
    assert not {"std_error", "df"} & set(draw("forest", among).columns)


def test_a_strip_without_intervals_says_that_there_are_none():
    bare = areas().assign(gap_lower=NAN, gap_upper=NAN)
    figure, (axes,), _ = draw_open("standing", bare)
    assert intervals_of(axes, 0) == []
    assert "no interval can be given" in figure.caption


def test_a_timeline_has_a_bar_for_each_year_as_high_as_the_schools_it_brought_in():
    rows = [
        row | {"schools_first_trained": 3 * (place % len(YEARS))}
        for place, row in enumerate(reach_rows())
    ]
    _, (axes,), _ = draw_open("rollout", rows)
    counts = [3 * place for place in range(1, len(YEARS))] * 2
    heights = [-bar.get_height() for bar in axes.patches]
    assert [h / max(heights) * max(counts) for h in heights] == pytest.approx(counts)
    numbers = [word for word in words_in(axes) if word.isdigit()]
    assert numbers == [str(count) for count in counts]
    assert [word for word in words_in(axes) if "%" in word] == ["60%", "60%"]


def test_the_bars_of_need_are_the_shares_of_schools_and_of_children():
    figure, (axes,), _ = usual("need")
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == [40, 30, 20, 30, 80, 60, 40, 60]
    assert "40%, 80%" in words_in(axes)
    hidden = [BANDS[0] | {"share_schools": NAN, "share_pupils": NAN, "status": "c"}, *BANDS[1:]]
    figure, (axes,), _ = draw_open("need", hidden)
    assert "c, c" in words_in(axes)
    assert "c = suppressed" in figure.caption
    every = [BANDS[0] | hidden[0] | {"deprivation": row["deprivation"]} for row in BANDS[:3]]
    _, (axes,), _ = draw_open("need", [*every, BANDS[3]])
    assert "60%" not in " ".join(words_in(axes))


def test_a_heat_table_of_bands_has_the_children_missed_and_the_schools_in_no_band():
    figure, (axes,), _ = usual("missed")
    assert words_in(axes) == ["40%\n1,234 not\nreached"] * 6
    assert "Schools in no band: 3." in figure.caption
    within = [row for row in CELLS if row["deprivation"] != "not_known"]
    assert "Every school is in a band." in draw("missed", within).caption


@pytest.mark.parametrize("name", ["forest", "robustness"])
def test_rows_hold_estimates_and_intervals_in_their_order(name):
    _, panels, _ = usual(name)
    rows = [row for row in CHARTS[name][0] if row.get("check", "") != "pretrend"]

    def apart(row):
        return row["metric"] == A8 or row.get("variant_code") == "trained_early"

    blocks = [[row for row in rows if apart(row) is wanted] for wanted in (False, True)]
    for axes, block in zip(panels, blocks, strict=True):
        # The primary estimate first, then the second estimator.
        block.sort(key=lambda row: (row["role"] != "primary", row["estimator"] != "same_past"))
        shown = [row for row in block if not math.isnan(row["estimate"])]
        drawn = sorted((y, x) for x, y in points_of(axes))
        assert [x for _, x in drawn] == [row["estimate"] for row in shown]
        ends = [(row["ci_lower"], row["ci_upper"]) for row in shown if row["ci_lower"] < 9]
        assert intervals_of(axes, 0) == ends
    assert ("c" in {text.get_text() for text in panels[0].texts}) is (name == "forest")


def test_placebos_stand_apart_on_the_same_axis():
    _, (estimates, placebos), _ = usual("robustness")
    assert estimates.get_xlim() == placebos.get_xlim()
    assert "Placebos: zero is expected" in {
        text.get_text().replace("\n", " ") for text in placebos.texts
    }


def test_events_and_bounds_stand_upright_with_the_tables_ends():
    _, (axes,), _ = usual("events")
    shown = [row for row in event_rows() if not math.isnan(row["estimate"])]
    assert intervals_of(axes, 1) == [(row["ci_lower"], row["ci_upper"]) for row in shown]
    assert sorted(points_of(axes)) == [(row["index"], row["estimate"]) for row in shown]
    assert [label.get_text() for label in axes.get_xticklabels()][-1] == "+2\n60"
    _, (axes,), _ = usual("bounds")
    assert intervals_of(axes, 1) == [(row["ci_lower"], row["ci_upper"]) for row in BOUNDS]


def test_a_specification_curve_rises_and_marks_the_choices_of_each():
    _, (curve, grid), _ = usual("specifications")
    heights = [y for _, y in points_of(curve)][:3]
    assert heights == sorted(row["estimate"] for row in SPECIFICATIONS)
    assert points_of(curve)[-1] == (1.0, -1.5)
    marks = [segment for drawn in grid.collections for segment in drawn.get_segments()]
    assert sorted(float(segment[0][0]) for segment in marks) == [0.0, 1.0, 2.0]


def test_the_bars_of_a_decomposition_add_up_to_the_gap():
    _, (axes,), _ = usual("decomposition")
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    *parts, composition, rates, gap = bars
    assert gap == pytest.approx((0, 9.1))
    assert composition == pytest.approx((0, 2.3))
    assert rates == pytest.approx((2.3, 9.1))
    assert [a[1] for a in parts] == pytest.approx([-0.2, 1.2, 2.2, 2.3])
    assert all(a[1] == pytest.approx(b[0]) for a, b in pairwise(parts))
    joins = [segment[0][0] for lines in axes.collections for segment in lines.get_segments()]
    assert joins == pytest.approx([end for _, end in bars[:-1]])


def test_a_breakdown_has_both_points_of_each_value_with_their_intervals():
    sides = ("group_level", "reference_level")
    table = by_value().frame
    table = table.assign(**{f"{s}_lower": table[s] - 1 for s in sides},
                         **{f"{s}_upper": table[s] + 1 for s in sides})  # fmt: skip
    _, (axes,), _ = draw_open("breakdown", table)
    shown = [v for side in sides for v in table[side].dropna()]
    assert intervals_of(axes, 0) == [(v - 1, v + 1) for v in shown]
    assert sorted(x for x, _ in points_of(axes)) == sorted(
        [15.8, 6.4, 17.2, 6.5, 14.5, 5.9, 8.9, 30.1, 9.2]
    )


def test_a_heat_table_holds_the_shares_in_ink_that_can_be_read():
    rows = [row | {"share_schools": 4.0 * place, "time_period": YEARS[place % 5], "programme": by}
            for by in PROGRAMMES[:1] for place, row in enumerate(reach_rows()[:5])]  # fmt: skip
    rows += [row | {"programme": "elsa", "share_schools": NAN, "status": "c"} for row in rows[:1]]
    figure, (axes,), _ = draw_open("heat", rows)
    assert [text.get_text() for text in axes.texts] == ["0", "4", "8", "12", "16", "c"]
    assert "c = suppressed" in figure.caption
    every = [
        row | {"share_schools": float(place)} for place, row in enumerate(reach_rows(PROGRAMMES))
    ]
    _, (axes,), _ = draw_open(
        "heat", [row | {"share_schools": 2.9 * row["share_schools"]} for row in every]
    )
    fills = [to_hex(colour) for colour in axes.collections[0].get_facecolors()]
    inks = [text.get_color() for text in axes.texts]
    assert min(map(palette.contrast, [fill.upper() for fill in fills], inks)) >= 4.5
    assert set(inks) == {"#000000", "#FFFFFF"}
    lightness = [palette.lightness(fill.upper()) for fill in fills]
    assert all(np.diff(lightness) < 0)


# --- What is said


@pytest.mark.parametrize(
    ("name", "phrases"),
    [
        ("levels", ["went from 12.1% in 2018/19 to 18.4% in 2024/25",
                    "Nothing is shown for 2019/20",
                    "The gap was 11.6 percentage points in 2024/25, 7.4 percentage points"]),
        ("gap", ["was 11.6 percentage points in 2024/25, wider than the 7.4", "10.6 to 12.6"]),
        ("ratio", ["The ratio went from 2.6 in 2018/19 to 2.7"]),
        ("arms", ["Trained schools (136): 6.2 in 2018/19, 6.5 in 2024/25.",
                  "(136): 95% interval of the last: 5.5 to 7.5. Untrained schools (104): 95%"]),
        ("sizes", ["Children in need: 270 in 2018/19, 1,285 in 2024/25"]),
        ("synthetic", ["In 2024/25 the gap was 9.2 percentage points, of the weighted average 12.3 "
                       "percentage points, which shifted by +1.9 is 14.2",
                       f"2022/23 {MINUS}1.9; 2023/24 {MINUS}2.3; 2024/25 {MINUS}5.0.",
                       "than 95% of authorities of about its size: 2024/25."]),
        ("standing", ["the widest first, 2024/25", "The others shown: 8.6 to 12.6"]),
        ("rollout", ["in all and as a share of schools", "Emotional Literacy Support: 72, 60%"]),
        ("heat", ["by programme and academic year."]),
        ("need", ["of schools and of children with a social worker reached", "third: 40%, 80%"]),
        ("power", ["2.00: 90%", "The smallest effect of interest is 0.5 percentage points",
                   "Detectable: 1.8. Estimate: 1.4."]),
        ("events", ["Before training 2 of 2 intervals contain zero",
                    f"In the first year trained the estimate is {MINUS}0.6 (95% interval"]),
        ("forest", ["Chart of 5 estimates", "Callaway and Sant'Anna: ",
                    "Severe absence: Each school compared with itself: c",
                    f"{MINUS}0.04 ({MINUS}0.60 to 0.50)"]),
        ("robustness", ["in 1 other way", f"Primary estimate {MINUS}1.4",
                        "f: without the one school that leaves most +0.4", "differs"]),
        ("bounds", [f"Average of all years: up to 0.0 times, {MINUS}3.0 to {MINUS}1.2"]),
        ("specifications", ["under 3 sets of choices", "number 2 of 3",
                            "2 intervals lie wholly below zero"]),
        ("decomposition", ["Gap: 9.1 percentage points", "1.3 to 3.3"]),
        ("breakdown", ["Sex: +9.4 (Girls) to +10.7 (Boys)"]),
    ],
)  # fmt: skip
def test_the_alternative_text_has_the_numbers(name, phrases):
    whole = drawn_once(name)[2]
    for phrase in phrases:
        assert phrase in whole


@pytest.mark.parametrize(
    ("name", "rows", "changes", "phrase"),
    [
        ("levels", gap_rows(A8, group=[20, NAN, 9, NAN, NAN, NAN, NAN]), {"metric": A8},
         "was 20.0 points in 2018/19, the only year shown"),
        ("gap", gap_rows(A8, group=[19.3, 21.5, 22.9, 20.8, 18.5, NAN, 17.3],
                         reference=[46.7, 50.2, 50.9, 48.8, 46.3, 45.9, 46.0]), {"metric": A8},
         f"was {MINUS}28.7 points in 2024/25, wider than the"),
        ("gap", gap_rows(group=[NAN] * 7, status="c"), {}, "not shown in any year"),
        ("levels", gap_rows(group=[NAN] * 7, status="c"), {}, "not shown in any year"),
        ("sizes", sizes("cin", pupils=(NAN,) * 7), {}, "Children in need: not shown"),
        ("synthetic", course(distance=np.full(6, 0.5)), {}, "of about its size: in no year."),
        ("ratio", gap_rows(group=[NAN] * 7, status="c"), {}, "not shown in any year"),
        ("standing", areas().query("unit_id == @AUTHORITY"), {"labels": {AUTHORITY: "Poole"}},
         "Poole: 11.6."),
        ("rollout", [row | {"share_schools": NAN} for row in reach_rows()], {},
         "36, not shown"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("at_any_length")
def test_odd_tables_are_told_honestly(name, rows, changes, phrase):
    assert phrase in draw(name, rows, **changes).alt


def test_without_enough_placebos_nothing_is_said_about_chance():
    nothing = np.full(6, NAN)
    assert (
        "Further from"
        not in draw("synthetic", course(placebo_lower=nothing, placebo_upper=nothing)).alt
    )


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("levels", "c: The attendance codes changed on 19 August 2024."),
        ("levels", "schools closed to most in March 2020"),
        ("events", "simultaneous band"),
        ("sizes", "A child who moved counts at each school. Above the chart"),
        ("synthetic", "the offer starts in 2022/23"),
        ("synthetic", "shifted by +1.9, to the authority's own height"),
        ("robustness", "At a placebo no effect is expected."),
        ("decomposition", "not what causes what"),
        ("breakdown", "c = suppressed to protect children's confidentiality"),
    ],
)
def test_a_caption_names_breaks_symbols_and_limits(name, phrase):
    assert phrase in usual(name)[0].caption


def test_published_numbers_are_of_children_not_of_enrolments():
    assert "moved" not in draw("sizes", sizes("cin", source="published")).caption


# --- What is refused


@pytest.mark.parametrize(
    ("name", "rows", "changes", "match"),
    [
        ("gap", pd.concat([gap_rows(), gap_rows()]), {}, "more than one row a year"),
        ("sizes", sizes("cin", "cin"), {}, "more than one row a year"),
        ("standing", pd.concat([areas(), areas()]), {}, "more than one row a year"),
        ("rollout", reach_rows() * 2, {}, "more than one row a year"),
        ("need", BANDS * 2, {}, "has more than one row"),
        ("heat", reach_rows() * 2, {}, "has more than one row, must have one"),
        ("events", event_rows() * 2, {}, "index occurs twice"),
        ("breakdown", by_value(value="boys").frame, {}, "occurs twice"),
        ("sizes", sizes("cla", "cpp", "cin", "previous", "peers"), {}, "must be at most 4"),
        ("standing", None, {"authority": "E1"}, "authority E1 has no row among 3"),
        ("decomposition", hidden_parts().frame, {}, "decomposition_sentence"),
        ("robustness", CHECKS[1:], {}, "no primary estimate"),
        ("robustness", [HIDDEN_PRIMARY, *CHECKS[1:]], {}, "cannot bear this estimate: primary hid"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(name, rows, changes, match):
    with pytest.raises(ContractError, match=match):
        draw(name, rows, **changes)


def test_the_latest_rows_are_each_measures_last_year_with_numbers():
    part = gap_rows(A8, group=[19.0] * 5 + [NAN] * 2, status="c")
    never = gap_rows("severe_absence", group=[NAN] * 7, reference=[NAN] * 7)
    table = safe(pd.concat([gap_rows(), part, never], ignore_index=True)).latest("metric").frame
    assert dict(zip(table["metric"], table["time_period"], strict=True)) == {
        METRIC: 202425,
        A8: 202223,
    }
    with pytest.raises(ContractError, match="programme"):
        safe(gap_rows()).latest("programme")
