"""The first page: one answer, by the statement; decisions by rules."""

import pandas as pd
import pytest

from tests.release.made import NAN, estimate_row, safe
from vsh_eval.effects.evidence import RULES, STATEMENTS
from vsh_eval.release.text.pages.annual_report import committee_paragraph, priority_sentences
from vsh_eval.release.text.pages.answer import (
    Question,
    answer_sentence,
    decision_sentences,
    estimates_sentence,
    halves,
    ways_that_help,
)
from vsh_eval.release.text.pages.impact import estimate_sentence

ABSENCE = Question("overall_absence", "cwsw", "peers", 0.5)
PLAN = {"plan": "not_registered", "plan_year": 202627}
SECOND = {"role": "robustness", "estimator": "same_past"}
COHORT, PEERS = "Children with a social worker", "Pupils without a social worker"
YEAR = safe([{"sessions_possible": 340.0}])


def evidence(statement, **verdicts):
    given = dict.fromkeys(RULES, "pass") | verdicts
    return safe([
        {"statement": statement, "confidence": "none", "decided_by": "", "rule": rule,
         "verdict": verdict}
        for rule, verdict in given.items()
    ])  # fmt: skip


def impact(estimate=-2.8, lower=-4.4, upper=-1.2):
    own = {"role": "robustness", "subgroup": "own_level"}
    ends = {"estimate": estimate, "ci_lower": lower, "ci_upper": upper}
    return safe([
        estimate_row(**ends, subgroup="", part=""),
        estimate_row(**SECOND, estimate=-2.1, ci_lower=-3.6, ci_upper=-0.6, subgroup="", part=""),
        estimate_row(**own, part=COHORT, estimate=-3.0, ci_lower=-4.5, ci_upper=-1.5),
        estimate_row(**own, part=PEERS, estimate=-1.1, ci_lower=-1.5, ci_upper=-0.7),
    ])  # fmt: skip


def answered(statement, sessions=YEAR, **ends):
    return answer_sentence(evidence(statement), impact(**ends), sessions, question=ABSENCE)


def test_an_effect_on_absence_is_given_in_days_of_school():
    # 2.8 points of 340 half days are 9.52 half days, which is 4.8 days.
    assert answered("narrowed") == (
        "Measured against pupils without a social worker, children with a social worker in "
        "trained schools missed about 4.8 fewer days of school a year than expected without "
        "training (95% interval 2.0 to 7.5)."
    )
    said = answered("widened", estimate=2.8, lower=1.2, upper=4.4)
    assert "4.8 more days of school a year than expected" in said
    assert "95% interval 2.0 to 7.5" in said


def test_without_sessions_the_answer_is_in_the_gaps_unit():
    said = answered("narrowed", sessions=None)
    assert "the gap in overall absence was 2.8 percentage points smaller" in said
    assert "95% interval 1.2 to 4.4" in said


def test_where_the_whole_school_moved_both_levels_are_the_answer():
    said = answered("whole_school_moved")
    assert "children with a social worker was 3.0 percentage points lower" in said
    assert "pupils without a social worker was 1.1 percentage points lower" in said


@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_statement_has_an_answer_and_a_decision(statement):
    said = answered(statement)
    assert said.endswith(".")
    if statement in {"inconclusive", "not_attributable", "not_estimable"}:
        assert not any(sign.isdigit() for sign in said), "what is not known has no size"
        assert "narrowed" not in said
    first = decision_sentences(evidence(statement), None, None, None, question=ABSENCE, **PLAN)
    assert len(first) == 1
    what, why = halves(first[0])
    assert what.endswith(".")
    assert why


def test_both_estimates_stand_with_what_they_compare():
    said = estimates_sentence(impact(), metric="overall_absence")
    assert "\N{MINUS SIGN}2.8 percentage points (95% interval" in said
    assert "same past" in said
    hidden = safe([estimate_row(estimate=NAN, ci_lower=NAN, ci_upper=NAN, status="x")])
    assert estimates_sentence(hidden, metric="overall_absence") == ""


def test_what_is_said_of_the_plan_is_what_can_still_be_done():
    late = evidence("narrowed", registered="fail")
    said = {
        plan: decision_sentences(
            late, None, None, None, question=ABSENCE, plan=plan, plan_year=202627
        )[1]
        for plan in ("not_registered", "late", "deviates")
    }
    assert "before 2026/27 ends" in said["not_registered"]
    assert said["late"].startswith("**Keep the plan as it is.**")
    assert "--amend" in said["deviates"]


def test_an_estimate_that_is_not_attributable_is_called_no_effect():
    about = {"metric": "overall_absence", "evidence": evidence("not_attributable")}
    assert estimates_sentence(impact(), **about).startswith("Estimated difference of the gap")
    said = estimate_sentence(impact(), **about)
    assert said.endswith(": this cannot be put down to training.")
    assert "narrower" not in said


def power(*rows):
    return safe(pd.DataFrame(rows, columns=["mde", "more_years", "authorities"]))


def test_more_years_that_help_nothing_are_said_to_and_left_out():
    table = power((4.0, 0, 1), (4.4, 5, 1), (4.9, 40, 1), (2.9, 0, 4))
    decided = decision_sentences(
        evidence("inconclusive"), table, None, None, question=ABSENCE, **PLAN
    )
    never = dict(halves(text) for text in decided)["Do not wait for more years alone."]
    assert "below today's 4.0 percentage points" in never
    assert ways_that_help(table).frame["mde"].tolist() == [4.0, 2.9]


DEPRIVED = "Give the most deprived schools more of the next places, drawn at random among them."


def test_decisions_follow_from_what_is_missing():
    poor = {"deprivation": "most_deprived_third", "share_schools": 30.0, "status": ""}
    rich = {"deprivation": "least_deprived_third", "share_schools": 60.0, "status": ""}
    decided = decision_sentences(
        evidence("inconclusive", chosen_by="not testable", registered="fail"),
        power((4.0, 0, 1), (3.2, 40, 1), (5.6, 0, 2), (2.9, 0, 4)),
        safe([{"result": "warn"}, {"result": "pass"}]),
        safe([poor, rich]),
        question=ABSENCE,
        **PLAN,
    )
    said = dict(halves(text) for text in decided)
    assert list(said) == [
        "Do not stop or extend the offer because of this result.",
        "Choose the next schools at random.",
        "Fix the plan before 2026/27 ends.",
        "Do not wait for more years alone.",
        "Join with other authorities.",
        DEPRIVED,
        "Correct the data.",
    ]
    assert "30% have been trained" in said[DEPRIVED]
    never = said["Do not wait for more years alone."]
    assert "even 40 more years bring" in never
    assert "only down to 3.2 percentage points" in never
    together = said["Join with other authorities."]
    assert "4 of this size together one of 2.9" in together
    assert "2 of this size" not in together, "two together detect less than one alone"
    assert together.endswith("do not reach the smallest of interest.")


@pytest.mark.parametrize(
    ("rows", "waits"),
    [
        (((4.0, 0, 1), (0.6, 5, 1), (0.49, 7, 1), (0.4, 10, 1)), "Wait 7 years"),
        (((4.0, 0, 1), (0.5, 1, 1)), "Wait 1 year,"),
        (((0.4, 0, 1), (0.3, 5, 1), (0.1, 0, 4)), None),
        (((4.0, 0, 1),), None),
    ],
)
def test_the_years_to_wait_are_the_fewest_that_do(rows, waits):
    about = {"question": ABSENCE._replace(sesoi=0.5), **PLAN}
    decided = decision_sentences(evidence("inconclusive"), power(*rows), None, None, **about)
    said = [text for text in decided if "ait " in text]
    assert [text.startswith(f"**{waits}") for text in said] == ([True] if waits else [])
    assert not any("Join" in text for text in decided)
    refused = decision_sentences(evidence("not_attributable"), power(*rows), None, None, **about)
    assert len(refused) == 1, "neither years nor others make it attributable"


LAST = {"year": 202425}


def test_a_gap_that_widened_and_a_phase_reached_least_come_first():
    change = {"metric": "overall_absence", "change": 2.0, "change_lower": 0.5, "change_upper": 3.5,
              "gap": 8.0, "baseline_gap": 6.0, "status": ""}  # fmt: skip
    better = {**change, "metric": "ks4_attainment8"}
    reached = {"time_period": 202425, "programme": "any", "tier": "any", "status": ""}
    reach = safe([
        {**reached, "phase": "total", "share_pupils": 60.0},
        {**reached, "phase": "primary", "share_pupils": 40.0},
        {**reached, "phase": "secondary", "share_pupils": 70.0},
    ])  # fmt: skip
    widened, least = priority_sentences(safe([change, better]), reach, **LAST)
    assert "overall absence" in widened
    assert "Attainment 8" not in widened, "there a positive change narrows the gap"
    assert "primary schools, 40%" in least
    calm = safe([{**change, "change_lower": -0.5}])
    (only,) = priority_sentences(calm, None, **LAST)
    assert only == "None of these gaps clearly widened."
    (only,) = priority_sentences(safe([{**change, "gap": 0.2, "baseline_gap": -1.8}]), None, **LAST)
    assert only == "None of these gaps clearly widened.", "it came nearer to nothing"
    (only,) = priority_sentences(safe([{**change, "change_lower": NAN}]), None, **LAST)
    assert only.endswith("For overall absence no interval can be given.")
    close = reach.where(phase=["total", "secondary"])
    assert len(priority_sentences(calm, close, **LAST)) == 1


def test_the_paragraph_leaves_out_what_is_not_known():
    answer = answered("inconclusive")
    about = {"gap": "", "reach": "", "answer": [answer], "confidence": ""}
    said = committee_paragraph(authority="Poole", **about)
    assert said.startswith("The virtual school of Poole offers training")
    assert "  " not in said
    assert answer in said
    by_lot = committee_paragraph(authority="Poole", by_lot=True, **about)
    assert ("cannot rule out" in said, "cannot rule out" in by_lot) == (True, False)
    of_authorities = committee_paragraph(authority="", **about)
    assert of_authorities.startswith(answer), "nothing is known of the offer"
    assert "compares authorities" in of_authorities
