"""Sentences on the estimate: right whichever way the numbers fall."""

import pytest

from tests.release.made import NAN, arm_rows, estimate_row, gap_rows, safe
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.release.text.gaps import gap_sentence
from vsh_eval.release.text.impact import (
    estimate_sentence,
    mde_sentence,
    trained_and_untrained_sentence,
)
from vsh_eval.release.text.offer import reach_sentence
from vsh_eval.release.text.phrases import MINUS

ABSENCE = "overall_absence"


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
    with pytest.raises(ContractError, match="2 rows of the gaps table have metric = overall"):
        estimate_sentence(table, metric=ABSENCE)
    with pytest.raises(ContractError, match="no row of the gaps table"):
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
    assert "cannot be shown" in trained_and_untrained_sentence(alone, metric=ABSENCE)
