import struct

import numpy as np
import pytest

from tests.release.made import YEARS, safe
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.release import draw_synthetic
from vsh_eval.release.figures import palette

METRIC = "overall_absence"
SEEN = [year for year in YEARS if year != 201920]


def course(**changes):
    own = np.array([9.1, 12.0, 11.5, 11.6, 11.9, 9.2])
    effect = np.array([0.0, -0.3, -0.3, -1.9, -2.3, -5.0])
    half = np.array([2.1, 2.0, 1.4, 2.9, 3.5, 3.4])
    columns = {
        "metric": METRIC,
        "comparison": "neighbours",
        "time_period": SEEN,
        "outcome": own,
        "synthetic": own - effect,
        "effect": effect,
        "placebo_lower": -half,
        "placebo_upper": half,
        "before": [year < 202223 for year in SEEN],
        "status": "",
    }
    return columns | changes


def drawn(*, stamp="", **changes):
    return draw_synthetic(
        safe(course(**changes), stamp=stamp), metric=METRIC, authority="Cheshire East"
    )


def test_it_tells_both_gaps_and_the_years_beyond_chance():
    figure = drawn()
    minus = chr(0x2212)
    assert "In 2024/25 the gap was 9.2 percentage points, of the mixture 14.2" in figure.alt
    assert f"2022/23 {minus}1.9; 2023/24 {minus}2.3; 2024/25 {minus}5.0." in figure.alt
    assert "Further from nought than 95% of authorities of about its size: 2024/25." in figure.alt
    assert "the offer starts in 2022/23" in figure.caption
    assert "schools closed to most in March 2020" in figure.caption
    assert set(figure.columns) <= set(figure.data.frame.columns)
    assert figure.name == "synthetic_overall_absence_neighbours"


def test_a_distance_within_chance_is_told_as_such():
    alt = drawn(effect=np.full(6, 0.5)).alt
    assert "than 95% of authorities of about its size: in no year." in alt


def test_without_enough_placebos_nothing_is_said_about_chance():
    nothing = np.full(6, np.nan)
    figure = drawn(placebo_lower=nothing, placebo_upper=nothing)
    assert "Further from nought" not in figure.alt
    assert drawn(stamp="X", placebo_lower=nothing, placebo_upper=nothing).alt.endswith("Marked: X.")


def test_it_is_the_same_bytes_in_the_house_width_and_stamped():
    first, second, stamped = drawn(), drawn(), drawn(stamp="SYNTHETIC")
    assert first.png == second.png != stamped.png
    assert struct.unpack(">I", first.png[16:20])[0] == round(palette.WIDTH * 150)
    assert stamped.alt == f"{first.alt} Marked: SYNTHETIC."


def test_nothing_but_a_safe_table_with_rows_is_drawn():
    with pytest.raises(DisclosureError, match="must be a SafeTable"):
        draw_synthetic(course(), metric=METRIC, authority="Cheshire East")
    with pytest.raises(ContractError, match="no row of the released table"):
        draw_synthetic(safe(course()), metric="severe_absence", authority="Cheshire East")
