import pytest

from tests.release.made import AUTHORITY, NAN, estimate_row, gap_rows, reach_rows, safe
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.release import (
    change_sentence,
    estimate_sentence,
    gap_sentence,
    level_sentence,
    mde_sentence,
    reach_sentence,
)
from vsh_eval.release.text.phrases import MINUS

ABSENCE = "overall_absence"


def level_table(**changes):
    row = {
        "time_period": 202425,
        "phase": "secondary",
        "metric": ABSENCE,
        "group": "cwsw",
        "level_value": 18.44,
        "lower": 17.1,
        "upper": 19.7,
        "pupils": 640,
        "status": "",
    }
    return safe([row | changes])


def change_table(metric=ABSENCE, **changes):
    row = {
        "time_period": 202425,
        "baseline": 201819,
        "phase": "total",
        "metric": metric,
        "group": "cwsw",
        "change": 1.2,
        "change_lower": 0.3,
        "change_upper": 2.1,
        "status": "",
    }
    return safe([row | changes])


def test_a_level_has_its_interval_and_its_phase():
    said = level_sentence(level_table(), metric=ABSENCE, year=202425, phase="secondary")
    assert said == (
        "Overall absence among children with a social worker in secondary schools was 18.4% in "
        "2024/25 (95% interval 17.1 to 19.7)."
    )


def test_a_level_of_few_pupils_is_called_indicative_and_one_without_interval_has_none():
    table = level_table(pupils=25, lower=NAN)
    said = level_sentence(table, metric=ABSENCE, year=202425, phase="secondary")
    assert said.endswith("18.4% in 2024/25. This rests on about 25 pupils and is indicative only.")


def test_a_hidden_level_is_said_to_be_hidden():
    table = level_table(level_value=NAN, status="c")
    said = level_sentence(table, metric=ABSENCE, year=202425, phase="secondary")
    assert "in 2024/25 is not shown because it is suppressed to protect children's" in said


def test_a_gap_says_both_levels_the_interval_and_the_ratio():
    said = gap_sentence(safe(gap_rows()), metric=ABSENCE, year=202425, area=AUTHORITY)
    assert said == (
        "In 2024/25 overall absence among children with a social worker was 18.4%, against 6.8% "
        "for pupils without a social worker: 11.6 percentage points higher (95% interval 10.6 to "
        "12.6), 2.71 times as high."
    )


def test_a_share_that_reaches_a_standard_is_called_so():
    rows = gap_rows("ks2_rwm_expected", group=[37.0] * 7, reference=[65.0] * 7)
    said = gap_sentence(safe(rows), metric="ks2_rwm_expected", year=202425)
    assert said.startswith("In 2024/25 the share reaching the expected standard in reading,")


def test_a_gap_below_nought_is_lower_with_its_limits_turned_round():
    rows = gap_rows("ks4_attainment8", group=[17.3] * 7, reference=[46.0] * 7, pupils=20)
    said = gap_sentence(safe(rows), metric="ks4_attainment8", year=202425)
    assert "was 17.3 points, against 46.0 points" in said
    assert "28.7 points lower (95% interval 27.7 to 29.7)" in said
    assert said.endswith("about 20 pupils and is indicative only.")


def test_a_gap_whose_interval_contains_nought_is_not_said_to_be_higher():
    rows = gap_rows(group=[7.1] * 7, reference=[6.8] * 7)
    said = gap_sentence(safe(rows), metric=ABSENCE, year=202425)
    assert f"a gap of 0.3 percentage points (95% interval {MINUS}0.7 to 1.3), too uncertain" in said
    assert "higher (" not in said
    assert "times as high" not in said


def test_a_gap_without_interval_or_ratio_is_still_said():
    rows = gap_rows().assign(gap_lower=NAN, ratio=NAN)
    said = gap_sentence(safe(rows), metric=ABSENCE, year=202425)
    assert said.endswith(": 11.6 percentage points higher.")


def test_a_year_without_data_says_why():
    said = gap_sentence(safe(gap_rows()), metric=ABSENCE, year=201920)
    assert said == (
        "The gap in overall absence in 2019/20 is not shown because it is not available. No "
        "full-year absence was collected in 2019/20: schools closed to most in March 2020."
    )


def test_an_unknown_symbol_and_an_empty_status_are_said_too():
    rows = gap_rows(status="k")
    assert "it is marked k." in gap_sentence(safe(rows), metric=ABSENCE, year=201920)
    rows = gap_rows(status="")
    assert "it is not available." in gap_sentence(safe(rows), metric=ABSENCE, year=201920)


@pytest.mark.parametrize(
    ("metric", "change", "limits", "words"),
    [
        (ABSENCE, 1.2, (0.3, 2.1), "widened by 1.2 percentage points (95% interval 0.3 to 2.1)"),
        (
            ABSENCE,
            -1.2,
            (-2.1, -0.3),
            "narrowed by 1.2 percentage points (95% interval 0.3 to 2.1)",
        ),
        ("ks4_attainment8", 3.0, (1.0, 5.0), "narrowed by 3.0 points (95% interval 1.0 to 5.0)"),
        ("ks4_attainment8", -3.0, (-5.0, -1.0), "widened by 3.0 points (95% interval 1.0 to 5.0)"),
        (ABSENCE, 0.4, (-0.5, 1.3), "showed no clear change: +0.4 percentage points"),
        (ABSENCE, -0.5, (NAN, NAN), "ended 0.5 percentage points narrower; no interval can be"),
        (ABSENCE, 0.04, (NAN, NAN), "ended about as wide; no interval can be given, so chance"),
        (
            ABSENCE,
            0.5,
            (0.02, 0.98),
            "widened by 0.50 percentage points (95% interval 0.02 to 0.98)",
        ),
    ],
)
def test_widening_and_narrowing_follow_the_measure_not_the_sign(metric, change, limits, words):
    table = change_table(metric, change=change, change_lower=limits[0], change_upper=limits[1])
    said = change_sentence(table, metric=metric, year=202425)
    assert said.startswith("Between 2018/19 and 2024/25 the gap in ")
    assert words in said


def test_a_change_across_redefinitions_says_so():
    said = change_sentence(change_table(), metric=ABSENCE, year=202425)
    assert said.endswith("The measure was redefined in 2020/21, 2021/22 and 2024/25.")
    near = change_table(baseline=202223, time_period=202324)
    assert "redefined" not in change_sentence(near, metric=ABSENCE, year=202324)


def test_years_that_cannot_be_compared_are_not_compared():
    table = change_table("ks4_attainment8", time_period=202021)
    said = change_sentence(table, metric="ks4_attainment8", year=202021)
    assert "2020/21 and 2018/19 cannot be compared. GCSE grades in 2020/21" in said
    assert "widened" not in said


def test_a_hidden_change_is_said_to_be_hidden():
    table = change_table(change=NAN, status="c")
    assert "is not shown because" in change_sentence(table, metric=ABSENCE, year=202425)


def test_reach_counts_schools_and_shares_pupils():
    said = reach_sentence(safe(reach_rows()), year=202425, programme="elsa")
    assert said == (
        "By 2024/25, 60% of schools (72 of 120) had been trained in Emotional Literacy Support; "
        "68% of children with a social worker were in one of them."
    )
    bare = safe(reach_rows()).frame[["time_period", "programme", "share_schools", "status"]]
    assert reach_sentence(safe(bare), year=202425) == (
        "By 2024/25, 60% of schools had been trained in at least one programme."
    )
    hidden = safe([row | {"share_schools": NAN, "status": "c"} for row in reach_rows()])
    assert "is not shown because" in reach_sentence(hidden, year=202425)
    secondary = safe([row | {"phase": "secondary"} for row in reach_rows()])
    said = reach_sentence(secondary, year=202425, phase="secondary")
    assert "of schools among secondary schools" not in said
    assert "60% of secondary schools" in said


def test_an_estimate_is_said_with_its_interval_and_its_meaning():
    said = estimate_sentence(safe([estimate_row()]), metric=ABSENCE)
    assert f"moved by {MINUS}1.4 percentage points" in said
    assert f"(95% interval {MINUS}2.6 to {MINUS}0.2)" in said
    assert said.endswith("closed faster, or widened less, where schools were trained.")


def test_an_estimate_in_the_wrong_direction_is_said_to_be_worse():
    row = estimate_row(estimate=1.4, ci_lower=0.2, ci_upper=2.6)
    assert "widened faster, or closed less" in estimate_sentence(safe([row]), metric=ABSENCE)
    higher = estimate_row(metric="ks4_attainment8", estimate=1.4, ci_lower=0.2, ci_upper=2.6)
    said = estimate_sentence(safe([higher]), metric="ks4_attainment8")
    assert "closed faster, or widened less" in said


def test_not_significant_is_never_no_effect():
    row = estimate_row(ci_upper=0.4)
    said = estimate_sentence(safe([row]), metric=ABSENCE)
    assert "do not show an effect, and they do not show that there is none" in said
    assert "no effect" not in said


def test_an_estimate_names_programme_tier_phase_and_confidence():
    row = estimate_row(programme="elsa", tier="targeted", phase="primary", pupils=12)
    said = estimate_sentence(safe([row]), metric=ABSENCE, confidence=90, programme="elsa")
    assert "after Emotional Literacy Support after targeted training in primary schools" in said
    assert "(90% interval" in said
    assert said.endswith("indicative only.")


def test_an_estimate_without_interval_or_value_claims_nothing():
    row = estimate_row(ci_lower=NAN)
    assert "says nothing about an effect" in estimate_sentence(safe([row]), metric=ABSENCE)
    row = estimate_row(estimate=NAN, status="c")
    said = estimate_sentence(safe([row]), metric=ABSENCE)
    assert said.startswith("The estimate for the gap in overall absence is not shown because")


def test_one_row_must_fit():
    table = safe([estimate_row(), estimate_row(estimator="twfe")])
    with pytest.raises(ContractError, match="2 rows of the released table have metric = overall"):
        estimate_sentence(table, metric=ABSENCE)
    with pytest.raises(ContractError, match="no row of the released table"):
        estimate_sentence(table, metric=ABSENCE, role="secondary")
    with pytest.raises(ContractError, match="lacks the column arm"):
        estimate_sentence(table, metric=ABSENCE, arm="x")
    with pytest.raises(DisclosureError):
        gap_sentence(gap_rows(), metric=ABSENCE, year=202425)
    with pytest.raises(DisclosureError):
        reach_sentence(gap_rows(), year=202425)


def test_what_the_design_could_see_is_said_before_what_it_saw():
    table = safe([{"metric": ABSENCE, "mde": 2.84, "power": 0.8, "status": ""}])
    said = mde_sentence(table, metric=ABSENCE)
    assert said == (
        "With these schools and years an effect on the gap in overall absence would be seen with "
        "a chance of 80% if it were 2.8 percentage points or more."
    )
    missed = mde_sentence(table, metric=ABSENCE, sesoi=0.5)
    assert "An effect of 0.5 percentage points, the smallest of interest, would probably" in missed
    assert mde_sentence(table, metric=ABSENCE, sesoi=3.0).endswith(
        "interest, 3.0 percentage points."
    )
    hidden = safe([{"metric": ABSENCE, "mde": NAN, "status": "c"}])
    assert "is not shown because" in mde_sentence(hidden, metric=ABSENCE)
    bare = safe([{"metric": ABSENCE, "mde": 2.84}])
    assert "would be seen if it were" in mde_sentence(bare, metric=ABSENCE)
