"""The evidence statement follows from printed rules."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effects.conftest import gaps_of
from vsh_eval import effects
from vsh_eval.contracts import ContractError, DesignError, Message
from vsh_eval.effects.evidence import HIGH, MODERATE, NONE, RULES, STATEMENTS, Checks, judge
from vsh_eval.effects.sensitivity import Drift, Pretrend
from vsh_eval.numerics.inference.significance import JointTest, t_p_value

NO_DRIFT = Drift(0.0, 0.02, 199.0)
SAME = (-1.5, 0.4)
NOTHING = (np.nan, np.nan)


def estimates(first, second=None, df=199.0):
    """The simple rows of the primary estimator and, where given, of same_past."""
    rows = []
    for role, estimator, pair in (
        ("primary", "imputation", first),
        ("robustness", "same_past", second),
    ):
        if pair is not None:
            value, error = pair
            p = t_p_value(np.array([value]), np.array([error]), np.array([df]))[0]
            rows.append({
                "role": role, "estimator": estimator, "metric": "overall_absence",
                "aggregation": "simple", "estimate": value, "std_error": error, "df": df,
                "p_value": p,
            })  # fmt: skip
    return pd.DataFrame(rows)


def leads(p_value, reason=None):
    return Pretrend(pd.DataFrame(), JointTest(1.0, 2.0, 100.0, p_value), reason or Message())


def composition(difference=0.0, error=0.1, p_value=0.4):
    """The tests of who is counted, with the newly counted children's difference."""
    return pd.DataFrame({
        "metric": ["entries", "entrants_attendance", "entries"],
        "aggregation": ["simple", "simple", "event"], "estimate": [0.0, difference, 0.0],
        "std_error": [1.0, error, 1.0], "df": 199.0, "p_value": [p_value, 0.9, 0.01],
    })  # fmt: skip


def by_lot(**changes):
    """Everything that the rules are judged by, all of it passed."""
    whole = Checks(
        pretrend=leads(0.5),
        drift=NO_DRIFT,
        composition=composition(),
        peers_p=0.6,
        randomisation_p=0.01,
        chosen_by="lot",
        plan="registered",
        exclusions=pd.DataFrame({"step": ["panel", "no_data", "used"], "schools": [100, 5, 95]}),
        mde=0.4,
        breakdown=1.5,
        balance=pd.DataFrame({"standardised_difference": [0.1, -0.2, np.nan]}),
    )
    return replace(whole, **changes)


def volunteers(**changes):
    return by_lot(chosen_by="volunteers", **changes)


def judged(first=SAME, second=SAME, *, checks=None, sesoi=0.5, lower_is_better=True, few=None):
    rows = estimates(first, second)
    if few is not None:
        rows = rows.assign(schools_treated=few)
    return judge(rows, sesoi=sesoi, lower_is_better=lower_is_better, checks=checks or by_lot())


def verdicts(found):
    return found.rules.set_index("rule")["verdict"].to_dict()


COUNTED = composition(p_value=0.02)
DRIFTING = Drift(-0.3, 0.15, 199.0)
TABLE = {
    # what is found: primary, same_past, checks, statement, confidence, decided by
    "every rule passed": (SAME, SAME, by_lot(), "narrowed", HIGH, ""),
    "volunteers without drift": (SAME, SAME, volunteers(), "narrowed", MODERATE, ""),
    "another path before": (
        SAME, SAME, by_lot(pretrend=leads(0.03)), "not_attributable", NONE, "pretrend"),
    "another path, nothing found": (
        (0.0, 0.1), (0.0, 0.1), by_lot(pretrend=leads(0.03)), "not_attributable", NONE, "pretrend"),
    "other children": (
        (1.5, 0.4), (1.5, 0.4), by_lot(composition=COUNTED), "not_attributable", NONE,
        "composition"),
    "a drift not excluded": (
        SAME, SAME, volunteers(drift=DRIFTING), "not_attributable", NONE, "drift"),
    "other newly counted children not excluded": (
        SAME, SAME, by_lot(composition=composition(-2.9)), "not_attributable", NONE, "entrants"),
    "newly counted children that differ the other way": (
        SAME, SAME, by_lot(composition=composition(2.9)), "narrowed", HIGH, ""),
    "newly counted children that differ, nothing found": (
        (-0.6, 0.4), (-0.6, 0.4), by_lot(composition=composition(-2.9)), "inconclusive", NONE, ""),
    "newly counted children not compared": (
        SAME, SAME, by_lot(composition=composition(np.nan)), "narrowed", MODERATE, ""),
    "a small drift over few years": (
        SAME, SAME, volunteers(drift=Drift(-0.3, 0.02, 199.0, bias=3.0)), "narrowed", MODERATE, ""),
    "a small drift over many years": (
        SAME, SAME, volunteers(drift=Drift(-0.3, 0.02, 199.0, bias=5.0)), "not_attributable", NONE,
        "drift"),
    "a drift the other way": (SAME, SAME, volunteers(drift=Drift(0.3, 0.15, 199.0)), "narrowed",
                              MODERATE, ""),
    "a drift where lots were drawn": (SAME, SAME, by_lot(drift=DRIFTING), "narrowed", HIGH, ""),
    "a drift that cannot be tested": (
        SAME, SAME, volunteers(drift=Drift()), "not_attributable", NONE, "drift"),
    "other pupils moved": (SAME, SAME, by_lot(peers_p=0.001), "whole_school_moved", HIGH, "peers"),
    "other pupils moved, no gap": (
        (0.0, 0.1), (0.0, 0.1), by_lot(peers_p=0.001), "whole_school_moved", HIGH, "peers"),
    "same past says nothing": (SAME, (-0.5, 0.4), by_lot(), "inconclusive", NONE, "agreement"),
    "same past says the other": (SAME, (1.5, 0.4), by_lot(), "inconclusive", NONE, "agreement"),
    "same past cannot be made": (SAME, None, by_lot(), "inconclusive", NONE, "agreement"),
    "small and clear": (
        (-0.2, 0.05), (-0.2, 0.05), by_lot(), "narrowed_below_interest", HIGH, ""),
    "nothing as large": ((0.0, 0.1), (0.0, 0.1), by_lot(), "no_effect_of_interest", HIGH, ""),
    "nothing, but a drift could hide it": (
        (0.0, 0.1), (0.0, 0.1), volunteers(drift=DRIFTING), "inconclusive", NONE, ""),
    "nothing by one estimator": ((0.0, 0.1), (0.0, 0.6), by_lot(), "inconclusive", NONE, ""),
    "not clear": ((-0.6, 0.4), (-0.6, 0.4), by_lot(), "inconclusive", NONE, ""),
    "no interval": ((-1.5, np.nan), (-1.5, np.nan), by_lot(), "inconclusive", NONE, ""),
    "no estimate": (NOTHING, NOTHING, by_lot(), "not_estimable", NONE, ""),
    "not registered": (SAME, SAME, by_lot(plan="not_registered"), "narrowed", MODERATE, ""),
    "registered too late": (SAME, SAME, by_lot(plan="late"), "narrowed", MODERATE, ""),
    "chance gives as much": (SAME, SAME, by_lot(randomisation_p=0.2), "narrowed", MODERATE, ""),
    "power does not count against": (SAME, SAME, by_lot(mde=4.0), "narrowed", HIGH, ""),
    "breakdown does not gate": (SAME, SAME, by_lot(breakdown=0.0), "narrowed", HIGH, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_the_statement_follows_from_the_rules(case):
    first, second, checks, statement, confidence, decided_by = TABLE[case]
    found = judged(first, second, checks=checks)
    assert (found.statement, found.confidence, found.decided_by) == (
        statement,
        confidence,
        decided_by,
    )
    assert found.rules["rule"].tolist() == list(RULES)


def test_a_metric_that_is_better_high_narrows_upwards():
    assert judged((1.5, 0.4), (1.5, 0.4), lower_is_better=False).statement == "narrowed"


@settings(deadline=None, max_examples=25)
@given(
    value=st.floats(-6, 6),
    other=st.floats(-6, 6),
    error=st.floats(0.05, 3),
    slope=st.floats(-1, 1),
    difference=st.floats(-5, 5),
    peers_p=st.floats(0, 1),
    pretrend_p=st.floats(0, 1),
    chosen_by=st.sampled_from(["lot", "gap", "volunteers", "unknown"]),
)
def test_both_signs_are_graded_alike(
    value, other, error, slope, difference, peers_p, pretrend_p, chosen_by
):
    """Turning every number round turns narrowed into widened and changes nothing else."""
    turned = {"narrowed": "widened", "widened": "narrowed"}
    found = []
    for sign in (1, -1):
        checks = by_lot(
            drift=Drift(sign * slope, 0.1, 199.0),
            composition=composition(sign * difference),
            peers_p=peers_p,
            pretrend=leads(pretrend_p),
            chosen_by=chosen_by,
        )
        found.append(judged((sign * value, error), (sign * other, error), checks=checks))
    first, second = found
    stem, _, rest = first.statement.partition("_")
    expected = "_".join(filter(None, [turned.get(stem, stem), rest]))
    assert second.statement == (expected if stem in turned else first.statement)
    assert first.confidence == second.confidence
    assert verdicts(first) == verdicts(second)
    assert first.statement in STATEMENTS


@pytest.mark.parametrize(
    ("trained", "p_value", "statement"),
    [(9, 0.06, "inconclusive"), (9, None, "inconclusive"), (9, 0.04, "narrowed"),
     (10, 0.06, "narrowed")],
)  # fmt: skip
def test_with_few_trained_schools_chance_decides_and_the_rule_says_so(trained, p_value, statement):
    found = judged(checks=by_lot(randomisation_p=p_value), few=trained)
    assert found.statement == statement
    reason = found.rules.set_index("rule").loc["randomisation", "reason"]
    assert reason == Message("randomisation_p", few_trained=trained < 10, limit=10)


def test_values_and_limits_are_those_of_the_rules():
    found = judged(checks=volunteers()).rules.set_index("rule")
    assert found.loc["drift", "limit"] == pytest.approx(1.5 / 3)
    assert found.loc["drift", "value"] == pytest.approx(1.6525 * 0.02, abs=1e-4), "t(.95, 199)"
    assert found.loc["entrants", "limit"] == pytest.approx(2 * 1.5)
    assert found.loc["entrants", "value"] == pytest.approx(1.6525 * 0.1, abs=1e-4)
    assert found.loc["losses", "value"] == pytest.approx(0.05)
    assert found.loc["balance", "value"] == pytest.approx(0.2)
    assert found.loc["composition", "value"] == pytest.approx(2 * 0.4), "Holm: two tests"
    assert found.loc["agreement", "value"] == pytest.approx(-1.5)
    assert {found.loc[rule, "verdict"] for rule in ("power", "breakdown", "balance")} == {"shown"}


def test_numbers_have_the_figures_of_the_tables_they_come_from():
    # No p value is zero, and an estimate has two figures of its error, here as in its own table.
    checks = by_lot(peers_p=9e-16, randomisation_p=0.00234)
    rules = judged((-2.77123, 0.7654), (-3.03456, 0.6321), checks=checks).rules.set_index("rule")
    named = ["peers", "randomisation", "agreement"]
    assert rules.loc[named, "value"].tolist() == [0.0001, 0.002, -3.03]
    assert rules.loc["drift", "limit"] == pytest.approx(2.77 / 3)


def test_newly_counted_children_are_asked_about_in_their_own_unit_only():
    rows = estimates(SAME, SAME).assign(metric="persistent_absence")
    checks = by_lot(composition=composition(-2.9))
    found = judge(rows, sesoi=0.5, lower_is_better=True, checks=checks)
    assert (found.statement, found.confidence) == ("narrowed", HIGH)
    rule = found.rules.set_index("rule").loc["entrants"]
    assert (rule["verdict"], rule["reason"]) == ("shown", Message("entrants_of_absence"))


def test_power_is_a_rule_only_where_nothing_is_found():
    unclear = (-0.6, 0.4)
    assert verdicts(judged(unclear, unclear, checks=by_lot(mde=1.2)))["power"] == "fail"
    assert verdicts(judged(checks=by_lot(mde=1.2)))["power"] == "shown"


def test_without_any_material_nothing_can_be_put_down_to_training():
    found = judge(estimates(SAME, SAME), sesoi=0.5, lower_is_better=True)
    assert found.statement == "not_attributable"
    rules = found.rules.set_index("rule")
    assert rules.loc["registered", "reason"] == Message("plan_not_registered")
    assert rules.loc["chosen_by", "verdict"] == "not_testable"


def test_a_pretrend_that_cannot_be_tested_gives_its_reason():
    missing = leads(float("nan"), Message("fewer_schools_than_leads"))
    rule = judged(checks=by_lot(pretrend=missing)).rules.set_index("rule").loc["pretrend"]
    assert rule["verdict"] == "not_testable"
    assert rule["reason"].code == "fewer_schools_than_leads"


def test_one_primary_row_and_a_margin_are_needed():
    rows = estimates(SAME, SAME)
    with pytest.raises(DesignError, match="hold 2 primary simple rows"):
        judge(pd.concat([rows] * 2), sesoi=0.5, lower_is_better=True)
    with pytest.raises(DesignError, match="sesoi is 0, must be above 0"):
        judge(rows, sesoi=0, lower_is_better=True)
    with pytest.raises(ContractError, match="lacks the column df"):
        judge(rows.drop(columns="df"), sesoi=0.5, lower_is_better=True)
    with pytest.raises(ContractError, match=r"protocol\.chosen_by is 'luck'"):
        judged(checks=by_lot(chosen_by="luck"))


def test_an_empty_composition_is_not_testable():
    empty = pd.DataFrame({"aggregation": [], "p_value": []})
    found = judged(checks=by_lot(composition=empty))
    assert verdicts(found)["composition"] == "not_testable"
    assert found.confidence == MODERATE


def test_rules_take_the_tables_the_room_makes():
    prepared = effects.sample.select_sample(*gaps_of(1, effect=-5.0))
    rows = effects.estimators.estimate(prepared, metric="overall_absence")
    checks = Checks(
        pretrend=effects.sensitivity.pretrend(prepared.data),
        drift=effects.sensitivity.drift(prepared.data),
        balance=effects.sample.balance_table(prepared),
        exclusions=prepared.exclusions,
        mde=effects.sample.design_mde(prepared.data).mde,
    )
    found = judge(rows, sesoi=0.5, lower_is_better=True, checks=checks)
    assert verdicts(found)["losses"] == "pass"
    assert verdicts(found)["drift"] == "pass"
