"""The evidence statement follows from printed rules."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.effects.conftest import gaps_of
from vsh_eval import effects
from vsh_eval.contracts import ContractError, DesignError, Message
from vsh_eval.effects.sensitivity import Pretrend
from vsh_eval.numerics.inference import JointTest, t_p_value

NOTHING = Message()
RULES = [
    "registered",
    "power",
    "pretrend",
    "breakdown",
    "randomisation",
    "balance",
    "losses",
    "composition",
]


def primary(estimate, std_error, df=199.0):
    found = t_p_value(np.array([estimate]), np.array([std_error]), np.array([df]))[0]
    return pd.DataFrame(
        {
            "role": ["primary"],
            "aggregation": ["simple"],
            "estimate": [estimate],
            "std_error": [std_error],
            "df": [df],
            "p_value": [found],
        }
    )


def leads(p_value, reason=NOTHING):
    return Pretrend(pd.DataFrame(), JointTest(1.0, 2.0, 100.0, p_value), reason)


def material(**changes):
    whole = {
        "registered": True,
        "balance": pd.DataFrame({"standardised_difference": [0.1, -0.2, np.nan]}),
        "exclusions": pd.DataFrame({"step": ["panel", "no_data", "used"], "schools": [100, 5, 95]}),
        "composition": pd.DataFrame({"aggregation": ["simple", "event"], "p_value": [0.4, 0.01]}),
        "breakdown": 1.5,
        "randomisation_p": 0.01,
    }
    return effects.evidence.Checks(**(whole | changes))


def judged(rows, *, checks=None, p=0.5, mde=0.4, sesoi=0.5, lower_is_better=True):
    return effects.evidence.judge(
        rows,
        pretrend=leads(p),
        mde=mde,
        sesoi=sesoi,
        lower_is_better=lower_is_better,
        checks=checks,
    )


def verdicts(found):
    return found.rules.set_index("rule")["verdict"].to_dict()


def test_everything_passed_is_robust():
    found = judged(primary(-1.5, 0.4), checks=material())
    assert found.rules["rule"].tolist() == RULES
    assert set(verdicts(found).values()) == {"pass"}
    assert found.statement == "narrowed_robust"


@pytest.mark.parametrize(
    ("rule", "checks", "options", "value"),
    [
        ("registered", {"registered": False}, {}, np.nan),
        ("power", {}, {"mde": 0.6}, 0.6),
        ("pretrend", {}, {"p": 0.03}, 0.03),
        ("breakdown", {"breakdown": 0.5}, {}, 0.5),
        ("randomisation", {"randomisation_p": 0.2}, {}, 0.2),
        ("balance", {"balance": pd.DataFrame({"standardised_difference": [-0.4]})}, {}, 0.4),
        (
            "losses",
            {"exclusions": pd.DataFrame({"step": ["panel", "used"], "schools": [100, 89]})},
            {},
            0.11,
        ),
        (
            "composition",
            {"composition": pd.DataFrame({"aggregation": ["simple"], "p_value": [0.04]})},
            {},
            0.04,
        ),
    ],
)
def test_one_rule_failed_is_fragile(rule, checks, options, value):
    found = judged(primary(-1.5, 0.4), checks=material(**checks), **options)
    others = {name: verdict for name, verdict in verdicts(found).items() if name != rule}
    assert verdicts(found)[rule] == "fail"
    assert set(others.values()) == {"pass"}
    shown = found.rules.set_index("rule").loc[rule, "value"]
    assert shown == pytest.approx(value, nan_ok=True)
    assert found.statement == "narrowed_fragile"


@pytest.mark.parametrize("rule", ["registered", "balance", "composition", "breakdown"])
def test_a_rule_without_material_is_not_testable_and_keeps_robust_away(rule):
    found = judged(primary(-1.5, 0.4), checks=material(**{rule: None}))
    assert verdicts(found)[rule] == "not_testable"
    assert found.statement == "narrowed_fragile"


@pytest.mark.parametrize(
    ("trained", "p_value", "verdict", "statement"),
    [
        (9, None, "not_testable", "narrowed_fragile"),
        (9, 0.06, "fail", "narrowed_fragile"),
        (9, 0.04, "pass", "narrowed_robust"),
        (10, 0.04, "pass", "narrowed_robust"),
    ],
)
def test_with_few_trained_schools_chance_decides_and_the_rule_says_so(
    trained, p_value, verdict, statement
):
    rows = primary(-1.5, 0.4).assign(schools_treated=trained)
    found = judged(rows, checks=material(randomisation_p=p_value))
    assert found.statement == statement
    assert verdicts(found)["randomisation"] == verdict
    reason = found.rules.set_index("rule").loc["randomisation", "reason"]
    assert reason == Message("randomisation_p", few_trained=trained < 10, limit=10)


def test_without_any_material_only_the_given_rules_are_judged():
    found = effects.evidence.judge(
        primary(-1.5, 0.4), pretrend=None, mde=float("nan"), sesoi=0.5, lower_is_better=True
    )
    assert set(verdicts(found).values()) == {"not_testable"}
    rules = found.rules.set_index("rule")
    assert rules.loc["registered", "reason"] == Message("not_registered")
    assert found.statement == "narrowed_fragile"


def test_a_pretrend_that_cannot_be_tested_gives_its_reason():
    found = effects.evidence.judge(
        primary(-1.5, 0.4),
        pretrend=leads(float("nan"), Message("fewer_schools_than_leads")),
        mde=0.4,
        sesoi=0.5,
        lower_is_better=True,
    )
    rule = found.rules.set_index("rule").loc["pretrend"]
    assert rule["verdict"] == "not_testable"
    assert rule["reason"].code == "fewer_schools_than_leads"


@pytest.mark.parametrize(
    ("estimate", "std_error", "lower_is_better", "statement"),
    [
        (-1.5, 0.4, True, "narrowed_robust"),
        (1.5, 0.4, True, "widened"),
        (1.5, 0.4, False, "narrowed_robust"),
        (-1.5, 0.4, False, "widened"),
        (-0.6, 0.4, True, "inconclusive"),
        (0.0, 0.1, True, "no_effect"),
        (-0.2, 0.05, True, "no_effect"),
        (-0.4, 0.1, True, "narrowed_robust"),
        (-1.5, np.nan, True, "inconclusive"),
        (np.nan, np.nan, True, "not_estimable"),
    ],
)
def test_the_statement_follows_the_direction_and_the_margin(
    estimate, std_error, lower_is_better, statement
):
    rows = primary(estimate, std_error)
    found = judged(rows, checks=material(), lower_is_better=lower_is_better)
    assert found.statement == statement


def test_equivalence_is_two_one_sided_tests():
    found = judged(primary(0.1, 0.1), sesoi=0.5)
    assert found.equivalence_p == pytest.approx(stats.t.cdf(-4.0, 199))


def test_one_primary_row_and_a_margin_are_needed():
    with pytest.raises(DesignError, match="hold 2 primary simple rows"):
        judged(pd.concat([primary(-1, 0.4)] * 2))
    with pytest.raises(DesignError, match="sesoi is 0, must be above 0"):
        judged(primary(-1, 0.4), sesoi=0)
    with pytest.raises(ContractError, match="lacks the column df"):
        judged(primary(-1, 0.4).drop(columns="df"))


def test_an_empty_composition_is_not_testable():
    empty = pd.DataFrame({"aggregation": [], "p_value": []})
    found = judged(primary(-1.5, 0.4), checks=material(composition=empty))
    assert verdicts(found)["composition"] == "not_testable"


def test_rules_take_the_tables_the_room_makes():
    prepared = effects.sample.select_sample(*gaps_of(1, effect=-5.0))
    rows = effects.estimators.estimate(prepared, metric="overall_absence")
    checks = effects.evidence.Checks(
        balance=effects.sample.balance_table(prepared),
        exclusions=prepared.exclusions,
    )
    found = effects.evidence.judge(
        rows,
        pretrend=effects.sensitivity.pretrend(prepared),
        mde=effects.sample.design_mde(prepared).mde,
        sesoi=0.5,
        lower_is_better=True,
        checks=checks,
    )
    assert verdicts(found)["losses"] == "pass"
    assert found.statement == "narrowed_fragile"
