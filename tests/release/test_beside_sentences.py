"""What stands beside a gap, right whichever way the numbers fall."""

import pytest

from tests.release.made import AUTHORITY, NAN, safe
from vsh_eval.release import (
    days_sentence,
    months_sentence,
    schools_differ_sentence,
    trend_sentence,
)

MINUS = "\N{MINUS SIGN}"
ROW = {
    "unit_id": AUTHORITY, "time_period": 202425, "phase": "total", "metric": "overall_absence",
    "group": "cwsw", "reference": "peers", "group_pupils": 640, "status": "",
}  # fmt: skip
DAYS = ROW | {
    "sessions_possible": 360.0, "sessions": 34.2, "days": 17.1, "days_lower": 10.0,
    "days_upper": 24.2,
}  # fmt: skip
SIZE = ROW | {
    "metric": "ks4_attainment8", "measured_by": "hedges_g", "effect_size": -0.8,
    "effect_size_lower": -1.1, "effect_size_upper": -0.5, "months": -9.0, "months_lower": -12.0,
    "months_upper": -6.0, "gap_index": NAN,
}  # fmt: skip
TREND = ROW | {
    "first_year": 201617, "years": 7, "trend": 0.3, "trend_lower": 0.1, "trend_upper": 0.5,
    "group_trend": 0.5, "reference_trend": 0.2, "reason": "",
}  # fmt: skip
SPREAD = ROW | {
    "schools": 54, "mean_gap": 5.5, "tau": 3.0, "tau_lower": 1.2, "tau_upper": 7.8,
    "i_squared": 21.0, "prediction_lower": -0.8, "prediction_upper": 11.9, "reason": "",
}  # fmt: skip


def days(**changes):
    return days_sentence(safe([DAYS | changes]), metric="overall_absence", year=202425)


def months(**changes):
    row = SIZE | changes
    return months_sentence(safe([row]), metric=row["metric"], year=202425)


def trend(**changes):
    row = TREND | changes
    return trend_sentence(safe([row]), metric=row["metric"])


def differ(**changes):
    return schools_differ_sentence(safe([SPREAD | changes]), metric="overall_absence", year=202425)


def test_days_are_said_with_sessions_and_interval():
    assert days() == (
        "In 2024/25 children with a social worker missed on average 17.1 more days each (95% "
        "interval 10.0 to 24.2) in overall absence than at the rate of pupils without a social "
        "worker: 34.2 of some 360 possible sessions."
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"days": -3.0, "sessions": -6.0, "days_lower": -5.0, "days_upper": -1.0},
         "3.0 fewer days each (95% interval 1.0 to 5.0)"),
        ({"days": 1.0, "days_lower": -1.0, "days_upper": 3.0},
         f"be counted in days: +1.0 days a child (95% interval {MINUS}1.0 to 3.0)"),
        ({"days_lower": NAN}, "17.1 more days each in overall absence"),
        ({"days": NAN, "status": "c"}, "is not shown because it is suppressed"),
        ({"phase": "secondary"}, "overall absence in secondary schools than"),
        ({"group_pupils": 20}, "about 20 pupils and is indicative only"),
    ],
)  # fmt: skip
def test_days_are_said_whichever_way_they_fall(change, said):
    row = DAYS | change
    phase = str(row["phase"])
    text = days_sentence(safe([row]), metric="overall_absence", year=202425, phase=phase)
    assert said in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "was 0.80 standard deviations (95% interval 0.50 to 1.10), by Hedges' g: about 9 "
             "months of progress behind on the Education Endowment Foundation's scale (interval 6 "
             "to 12 or more)."),
        ({"effect_size": 0.8, "effect_size_lower": 0.5, "effect_size_upper": 1.1, "months": 9.0,
          "months_lower": 6.0, "months_upper": 11.0}, "about 9 months of progress ahead"),
        ({"months": -12.0, "months_upper": -12.0}, "12 or more months of progress behind"),
        ({"months": -1.0, "months_lower": -1.0, "months_upper": -1.0},
         "about 1 month of progress behind on the Education Endowment Foundation's scale."),
        ({"months": 0.0}, "behind, less than a month of progress"),
        ({"months": NAN}, "by Hedges' g behind."),
        ({"measured_by": "cox_index", "effect_size_lower": NAN, "months_lower": NAN},
         "was 0.80 standard deviations, by Cox's index: about 9 months"),
        ({"effect_size_upper": 0.2}, f"too uncertain to say which group is ahead: {MINUS}0.80"),
        ({"effect_size": NAN, "status": "c"}, "The size of the gap in Attainment 8 in 2024/25 is"),
        ({"measured_by": "gap_index", "gap_index": -4.9, "metric": "ks4_attainment8_rank"},
         f"was {MINUS}4.90 by the gap index, which runs from {MINUS}10 to 10"),
    ],
)  # fmt: skip
def test_the_size_of_a_gap_is_said_whichever_way_it_falls(change, said):
    assert said in months(**change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "From 2016/17 to 2024/25, 7 years that can be compared, the gap in overall absence "
             "widened by 0.30 percentage points a year (95% interval 0.10 to 0.50). The levels "
             "moved by +0.50 a year for children with a social worker and +0.20 a year for pupils "
             "without a social worker."),
        ({"trend": -0.3, "trend_lower": -0.5, "trend_upper": -0.1},
         "narrowed by 0.30 percentage points a year (95% interval 0.10 to 0.50)"),
        ({"metric": "ks4_attainment8", "trend": -0.3, "trend_lower": -0.5, "trend_upper": -0.1},
         "widened by 0.30 points a year"),
        ({"trend_lower": -0.1}, f"showed no clear trend: +0.30 percentage points a year (95% "
                                f"interval {MINUS}0.10 to 0.50)"),
        ({"trend_lower": NAN}, "moved by +0.30 percentage points a year; no interval can be given"),
        ({"trend": NAN, "status": "c"}, "The trend of the gap in overall absence is not shown"),
        ({"trend": NAN, "status": "x", "reason": "there are 2 years, a line needs three"},
         "No trend of the gap in overall absence can be given: there are 2 years"),
    ],
)  # fmt: skip
def test_a_trend_is_said_whichever_way_it_goes(change, said):
    assert said in trend(**change)


def test_a_trend_without_levels_says_nothing_of_them():
    assert "levels" not in trend(group_trend=NAN)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "Among 54 schools in 2024/25 the gap in overall absence differed beyond chance, with "
             "a standard deviation of 3.0 percentage points (95% interval 1.2 to 7.8) around a "
             "mean of the schools' gaps of 5.5. Of the differences seen between schools 21% is "
             f"more than chance. In one more school like these the gap would be expected between "
             f"{MINUS}0.8 and 11.9."),
        ({"tau_lower": 0.0}, "may have differed beyond chance"),
        ({"tau": 0.0}, "differed no more than chance alone would have it; the mean"),
        ({"tau": NAN, "status": "c"}, "is not shown because it is suppressed"),
        ({"tau": NAN, "status": "x", "reason": "fewer than three schools have both groups."},
         "cannot be said for 2024/25: fewer than three schools have both groups."),
    ],
)  # fmt: skip
def test_how_much_schools_differ_is_said_without_naming_one(change, said):
    assert said in differ(**change)


def test_what_is_not_known_of_schools_is_left_out():
    text = differ(i_squared=NAN, prediction_lower=NAN)
    assert "chance." not in text
    assert "one more school" not in text
