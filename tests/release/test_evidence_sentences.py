import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.release.made import NAN, estimate_row, safe
from vsh_eval.contracts import ContractError, Message
from vsh_eval.effects.evidence import RULES, STATEMENTS, Checks, judge
from vsh_eval.effects.sensitivity import Drift, Pretrend
from vsh_eval.numerics.inference.significance import JointTest, t_p_value
from vsh_eval.release.text.findings.evidence import (
    STATEMENT_NAMES,
    confidence_sentence,
    evidence_sentence,
    pretrend_sentence,
    ruled_out_sentence,
    rules_in_words,
)


def evidence(statement="narrowed", confidence="moderate", decided_by="", **verdicts):
    """A released table of evidence: the same statement in every row."""
    given = dict.fromkeys(RULES, "pass") | verdicts
    return safe([
        {"statement": statement, "confidence": confidence, "decided_by": decided_by, "rule": rule,
         "verdict": verdict}
        for rule, verdict in given.items()
    ])  # fmt: skip


def test_every_statement_has_its_own_sentence():
    assert set(STATEMENT_NAMES) == set(STATEMENTS)
    said = {evidence_sentence(evidence(code)) for code in STATEMENTS}
    assert len(said) == len(STATEMENTS)
    assert all(sentence.endswith(".") for sentence in said)


def test_what_cannot_be_put_down_to_training_names_its_rule():
    said = {evidence_sentence(evidence("not_attributable", decided_by=rule))
            for rule in ("pretrend", "drift", "composition", "entrants")}  # fmt: skip
    assert len(said) == 4
    assert all("must not be read as an effect of training" in sentence for sentence in said)


def test_the_tests_that_were_not_passed_are_named_and_counted():
    table = evidence(chosen_by="fail", registered="not testable", power="for information")
    assert confidence_sentence(table) == (
        "Confidence: moderate. 2 of 12 tests were not passed: schools were not chosen at random "
        "and the plan was not fixed before the last year of data ended."
    )
    assert confidence_sentence(evidence(confidence="high")).startswith("Confidence: high.")
    assert confidence_sentence(evidence("inconclusive", "none")) == ""


@settings(max_examples=60, deadline=None)
@given(
    first=st.sampled_from([-3.0, -0.1, 1.5]),
    second=st.sampled_from([-3.0, -0.1, None]),
    p_values=st.tuples(*[st.sampled_from([0.001, 0.6, None])] * 2),
    chosen_by=st.sampled_from(["lot", "gap", "unknown"]),
    plan=st.sampled_from(["registered", "late", "deviates", "not_registered", "not_all"]),
    mde=st.sampled_from([0.3, 3.0]),
)
def test_whatever_the_rules_say_there_is_a_sentence_that_counts_as_its_table_does(
    first, second, p_values, chosen_by, plan, mde
):
    rows = [
        {"role": role, "estimator": name, "aggregation": "simple", "metric": "overall_absence",
         "estimate": value, "std_error": 0.3, "df": 99.0,
         "p_value": t_p_value(np.array([value]), np.array([0.3]), np.array([99.0]))[0]}
        for role, name, value in (("primary", "imputation", first),
                                  ("robustness", "same_past", second))
        if value is not None
    ]  # fmt: skip
    checks = Checks(
        pretrend=Pretrend(pd.DataFrame(), JointTest(1.0, 2.0, 90.0, 0.5), Message()),
        composition=pd.DataFrame({"aggregation": ["simple"], "p_value": [0.5]}),
        drift=Drift(0.0, 0.01, 99.0), peers_p=p_values[0], randomisation_p=p_values[1],
        chosen_by=chosen_by, plan=plan, mde=mde,
    )  # fmt: skip
    found = judge(pd.DataFrame(rows), sesoi=0.5, lower_is_better=True, checks=checks)
    table = rules_in_words(found.table())
    said = confidence_sentence(safe(table))
    failed = table["verdict"].isin(["fail", "not testable"]) & table["rule"].ne(found.decided_by)
    assert said.startswith("Confidence: ") or found.confidence == "none"
    if found.confidence == "moderate":
        assert said.startswith(f"Confidence: moderate. {failed.sum()} of ")


def test_rules_are_worded_and_what_is_missing_says_so():
    row = {"role": "primary", "estimator": "imputation", "metric": "overall_absence",
           "aggregation": "simple", "estimate": -1.0, "std_error": 0.4, "df": 99.0,
           "p_value": 0.01}  # fmt: skip
    rows = pd.DataFrame([row])
    found = judge(rows, sesoi=0.5, lower_is_better=True, checks=Checks(mde=0.4))
    rules = rules_in_words(found.rules).set_index("rule")
    assert rules.loc["power", "reason"].startswith("minimum detectable effect")
    assert rules.loc["randomisation", "verdict"] == "not testable"
    assert rules.loc["randomisation", "reason"].startswith("not computed: p value")
    assert rules.loc["registered", "reason"] == "not registered"
    assert set(rules["verdict"]) <= {"pass", "fail", "not testable", "for information"}


def test_no_clear_result_is_not_called_no_effect():
    said = evidence_sentence(evidence("inconclusive", "none"))
    assert said.endswith(" is not the same as no effect.")


def test_what_an_unclear_result_rules_out_lies_outside_both_intervals():
    rows = [
        estimate_row(estimate=-1.4, ci_lower=-3.6, ci_upper=0.8),
        estimate_row(
            estimate=-1.0, ci_lower=-2.9, ci_upper=0.9, role="robustness", estimator="same_past"
        ),
    ]
    assert ruled_out_sentence(safe(rows), metric="overall_absence") == (
        "Ruled out: that training made the gap smaller by more than 3.6 percentage points or "
        "larger by more than 0.9 percentage points."
    )


def test_an_unknown_statement_is_refused():
    with pytest.raises(ContractError, match="statement is 'proved', must be one of"):
        evidence_sentence(evidence("proved"))


def row(p_value: float, reason: str = ""):
    return safe([{"p_value": p_value, "reason": reason}])


def test_a_path_of_its_own_makes_the_estimate_unbelievable():
    said = pretrend_sentence(row(0.012))
    assert said.startswith("Schools about to be trained were already on another path: ")
    assert "p = 0.012" in said
    assert said.endswith("must not be believed.")


def test_a_test_that_finds_nothing_is_no_proof():
    said = pretrend_sentence(row(0.66))
    assert said.startswith("No different path is detected before training: ")
    assert said.endswith("A small difference could still have been missed (Roth, 2022).")


@pytest.mark.parametrize(("p_value", "other"), [(0.051, False), (0.049, True)])
def test_the_test_of_the_years_before_is_one_at_five_per_cent(p_value, other):
    assert ("another path" in pretrend_sentence(row(p_value))) is other


def test_what_cannot_be_tested_says_why():
    said = pretrend_sentence(row(NAN, "there is one year before training"))
    assert said == (
        "Whether schools were on the same path before training cannot be tested: there is one "
        "year before training."
    )
