"""Sentences on the estimate: right whichever way the numbers fall."""

import pytest

from tests.release.made import NAN, arm_rows, estimate_row, event_rows, gap_rows, safe
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.release.text.pages.gaps import gap_sentence
from vsh_eval.release.text.pages.impact import (
    estimate_sentence,
    exaggeration_sentence,
    late_years_sentence,
    mde_sentence,
    sample_sentence,
    trained_and_untrained_sentence,
)
from vsh_eval.release.text.pages.offer import reach_sentence
from vsh_eval.release.text.phrases.numbers import MINUS

ABSENCE = "overall_absence"


def test_an_estimate_is_said_with_its_interval_and_its_meaning():
    said = estimate_sentence(safe([estimate_row()]), metric=ABSENCE)
    assert "was 1.4 percentage points narrower than expected without training" in said
    assert f"(difference {MINUS}1.4, 95% interval {MINUS}2.6 to {MINUS}0.2)" in said
    assert said.endswith("The whole interval lies on the side of a narrower gap.")


def test_an_estimate_in_the_wrong_direction_is_said_to_be_worse():
    row = estimate_row(estimate=1.4, ci_lower=0.2, ci_upper=2.6)
    said = estimate_sentence(safe([row]), metric=ABSENCE)
    assert "1.4 percentage points wider than expected" in said
    assert "the side of a wider gap" in said
    higher = estimate_row(metric="ks4_attainment8", estimate=1.4, ci_lower=0.2, ci_upper=2.6)
    said = estimate_sentence(safe([higher]), metric="ks4_attainment8")
    assert "1.4 points narrower than expected" in said
    assert "the side of a narrower gap" in said


def test_not_significant_is_never_no_effect():
    row = estimate_row(ci_upper=0.4)
    said = estimate_sentence(safe([row]), metric=ABSENCE)
    assert "do not show an effect, and they do not show that there is none" in said
    assert "no effect" not in said


def test_an_estimate_names_programme_tier_and_phase():
    row = estimate_row(programme="elsa", tier="targeted", phase="primary", pupils=12)
    said = estimate_sentence(safe([row]), metric=ABSENCE)
    assert "after Emotional Literacy Support after targeted training in primary schools" in said
    assert ", 95% interval" in said
    assert said.endswith("indicative only.")


def test_an_estimate_without_interval_or_value_claims_nothing():
    row = estimate_row(ci_lower=NAN)
    assert "says nothing about an effect" in estimate_sentence(safe([row]), metric=ABSENCE)
    row = estimate_row(estimate=NAN, status="c")
    said = estimate_sentence(safe([row]), metric=ABSENCE)
    assert said.startswith("The estimate for the gap in overall absence is not shown because")


def test_one_row_must_fit():
    table = safe([estimate_row(), estimate_row(estimator="two_way_fixed_effects")])
    with pytest.raises(ContractError, match="2 rows of the gaps table have metric = overall"):
        estimate_sentence(table, metric=ABSENCE)
    with pytest.raises(ContractError, match="no row of the gaps table"):
        estimate_sentence(table, metric="severe_absence")
    with pytest.raises(ContractError, match="lacks the column arm"):
        late_years_sentence(table, metric=ABSENCE, arm="x")
    with pytest.raises(DisclosureError):
        gap_sentence(gap_rows(), metric=ABSENCE, year=202425)
    with pytest.raises(DisclosureError):
        reach_sentence(gap_rows(), year=202425)


def power_rows(sesoi_power=0.07):
    """Return the effect detected with a power of 0.8, that with even odds, and that of interest."""
    rows = [(2.84, 0.8, 1.13), (2.84 * 0.7, 0.5, 1.4), (0.5, sesoi_power, 5.0)]
    columns = ("mde", "power", "exaggeration")
    return [{"metric": ABSENCE, **dict(zip(columns, row, strict=True))} for row in rows]


def test_what_the_design_could_see_is_said_before_what_it_saw():
    said = mde_sentence(safe(power_rows()), metric=ABSENCE)
    assert said == (
        "With these schools and years an effect of 2.8 percentage points on the gap in overall "
        "absence had an 80% chance of being detected, and one of 2.0 percentage points an even "
        "chance."
    )
    missed = mde_sentence(safe(power_rows()), metric=ABSENCE, sesoi=0.5)
    assert "0.5 percentage points, the smallest of interest, had a 7% chance, so a" in missed
    rarer = mde_sentence(safe(power_rows(sesoi_power=0.11)), metric=ABSENCE, sesoi=0.5)
    assert "had an 11% chance" in rarer
    covered = mde_sentence(safe(power_rows()), metric=ABSENCE, sesoi=3.0)
    assert covered.endswith("interest, 3 percentage points.")
    second = {"metric": ABSENCE, "question": "same_past", "mde": 2.53, "power": 0.8}
    both = mde_sentence(safe([*power_rows(), second]), metric=ABSENCE)
    assert both.endswith("same past, the effect with an 80% chance was 2.5 percentage points.")
    hidden = safe([{"metric": ABSENCE, "mde": NAN, "status": "c"}])
    assert "is not shown because" in mde_sentence(hidden, metric=ABSENCE)


def test_a_significant_estimate_is_said_to_exaggerate_small_effects_more():
    said = exaggeration_sentence(safe(power_rows()), metric=ABSENCE)
    assert "about 5.0 times a true effect of 0.5 percentage points" in said
    assert said.endswith("about 1.1 times a true effect of 2.8 percentage points.")
    nothing = safe([{"metric": ABSENCE, "mde": NAN, "exaggeration": NAN}])
    assert exaggeration_sentence(nothing, metric=ABSENCE) == ""


def test_what_an_estimate_rests_on_stands_beside_it():
    said = sample_sentence(safe([estimate_row()]), metric=ABSENCE)
    assert "60 trained schools that have children of the cohort in a year since training" in said
    assert "(800 pupil-years), compared with 60 schools that have no such year; standard" in said
    assert "error 0.6 percentage points, Student's t with 119 degrees" in said
    assert sample_sentence(safe([estimate_row(estimate=NAN)]), metric=ABSENCE) == ""


def test_late_years_are_said_to_rest_on_fewer_schools():
    rows = event_rows()
    rows[-1]["schools_treated"] = 12
    said = late_years_sentence(safe(rows), metric=ABSENCE)
    assert said.startswith("From 2 years after training on")
    assert "12 trained schools (60 in the first year)" in said
    assert late_years_sentence(safe(event_rows()), metric=ABSENCE) == ""


def test_both_kinds_of_school_are_told_between_the_same_years():
    rows = arm_rows()
    assert trained_and_untrained_sentence(safe(rows), metric=ABSENCE).startswith(
        "Between 2018/19 and 2024/25 the gap in overall absence went from 6.2 to 6.5 percentage "
        "points in trained schools, and from 7.4 to 11.6 percentage points in untrained schools. "
    )
    later = trained_and_untrained_sentence(safe(rows), metric=ABSENCE, since=202021)
    assert later.startswith("Between 2020/21 and 2024/25")
    rows.loc[rows["time_period"].lt(202122) & rows["arm"].eq("trained"), "gap"] = NAN
    said = trained_and_untrained_sentence(safe(rows), metric=ABSENCE)
    assert said.startswith("Between 2021/22 and 2024/25")
    alone = safe(rows[rows["arm"].eq("untrained")])
    assert "the two cannot be compared" in trained_and_untrained_sentence(alone, metric=ABSENCE)
