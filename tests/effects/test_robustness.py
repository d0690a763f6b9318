"""Every check has its row, its verdict and the rule behind it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.effects.panels import study_of
from vsh_eval import effects
from vsh_eval.contracts import InfeasibleError, Message
from vsh_eval.effects.sensitivity import CHECKS, ROBUSTNESS_COLUMNS, RobustnessCheck, checks
from vsh_eval.effects.sensitivity.checks import Primary, pretended_early, run
from vsh_eval.numerics.inference.significance import smallest_adjusted
from vsh_eval.release.disclosure import rule_named
from vsh_eval.release.disclosure.estimates import protect_estimates
from vsh_eval.release.text.findings.checks import checks_in_words


@pytest.fixture(scope="module")
def study():
    return study_of(3, effect=-4.0, schools=36)


@pytest.fixture(scope="module")
def table(study):
    return effects.sensitivity.robustness(study, draws=99)


def row(table, variant, **details):
    found = [v.code == variant and details.items() <= v.details.items() for v in table["variant"]]
    assert sum(found) == 1, variant
    return table[found].iloc[0]


def test_every_check_is_there_in_order_and_what_is_silent_says_why(table):
    assert tuple(table.columns) == ROBUSTNESS_COLUMNS
    assert tuple(table["check"].unique()) == CHECKS
    assert set(table["verdict"]) <= {"agrees", "differs", "not_testable"}
    assert set(table["rule"]) <= set(checks.RULES)
    silent = table[table["verdict"].eq("not_testable")]
    assert [reason.code for reason in silent["reason"]] == [
        "one_rule_only", "not_counted", "not_counted",
    ]  # fmt: skip


def test_a_planted_effect_survives_what_it_should(table):
    for variant, details in [
        ("cohort_level", {}), ("peers_level", {}), ("reassigned", {}), ("without_years", {}),
        ("other_reference", {"reference": "all"}), ("two_one_sided_tests", {}),
    ]:  # fmt: skip
        assert row(table, variant, **details)["verdict"] == "agrees", variant


def test_the_drift_that_is_not_excluded_is_that_of_the_evidence_rule(study, table):
    sample = study.sample()
    estimate = checks.primary_of(study).estimate
    found = effects.sensitivity.drift(sample.data)
    largest = found.largest_not_excluded(sign=np.sign(estimate))
    # What a drift of 1 a year adds: the estimate made of the drift itself.
    data = sample.data
    years = (data["time_period"] // 100).where(data["cohort"].gt(0), 0).astype(float)
    added = effects.estimators.impute_parts(data.assign(outcome=years))["estimate"][0]
    assert found.bias == pytest.approx(added)
    shown = row(table, "drift_not_excluded")
    assert shown["estimate"] == pytest.approx(-max(largest, 0.0) * added)
    small = largest * added <= abs(estimate)
    assert shown["verdict"] == ("agrees" if small else "differs")


def test_a_leave_out_is_the_estimate_without_them(study, table):
    sample = study.sample()
    left = effects.estimators.fit_imputation(sample.data, draws=1).leave_one_out["estimate"]
    assert row(table, "without_lowest_school")["estimate"] == pytest.approx(left.min())
    assert row(table, "without_highest_school")["estimate"] == pytest.approx(left.max())
    early = sample.data[sample.data["cohort_period"].ne(202122)]
    expected = effects.estimators.impute_parts(early)["estimate"][0]
    assert row(table, "without_cohort", year=202122)["estimate"] == pytest.approx(expected)
    first = study.first_kind("programme")
    gaps = study.school_gaps[~study.school_gaps["unit_id"].map(first).eq("elsa")]
    expected = effects.estimators.impute_parts(study.sample(gaps).data)["estimate"][0]
    found = row(table, "without_first_programme", programme="elsa")["estimate"]
    assert found == pytest.approx(expected)


def test_the_table_in_words_passes_the_gate_of_estimates(table):
    worded = checks_in_words(table)
    for name in ("question", "variant", "rule"):
        assert worded[name].str.len().gt(5).all()
    safe = protect_estimates(worded, rule_named("cellkey"))
    assert len(safe) == len(table)
    assert safe["verdict"].tolist() == worded["verdict"].tolist()
    assert "largest_share" not in safe
    enough = table["schools_treated"].ge(3) & table["estimate"].notna()
    enough &= table["check"].ne("leave_out")
    assert safe.loc[enough.fillna(False), "estimate"].notna().all()


def test_trend_breaks_rest_on_the_schools_of_their_own_comparison(study, table):
    data = study.sample().data
    first = row(table, "trend_breaks_first_year")
    trained = data[data["cohort"].gt(0) & data["time"].eq(data["cohort"])]
    base = data[data["time"].eq(data["cohort"] - 1)]["unit"]
    assert first["schools_treated"] == trained["unit"].isin(base).sum()
    assert first["pupils"] == trained.loc[trained["unit"].isin(base), "pupils"].sum()
    weight = trained.loc[trained["unit"].isin(base), "weight"]
    assert first["largest_share"] == pytest.approx(weight.max() / weight.sum())
    assert first["df"] < table.loc[table["check"].eq("equivalence"), "df"].item() + 1


def test_few_schools_have_a_wild_bootstrap_beside(table):
    wild = row(table, "wild_bootstrap", limit=40)
    assert wild["ci_lower"] < wild["estimate"] < wild["ci_upper"]
    assert 0 < wild["p_value"] <= 1


def test_without_an_effect_there_is_nothing_to_undo(study):
    primary = Primary(estimate=-0.2, p_value=0.6, row={})
    wanted = checks._trends(study, study.sample(), primary)
    breaks = run(study, primary, [check for check in wanted if check.check == "trend_breaks"])
    assert set(breaks["verdict"]) == {"not_testable"}
    assert {reason.code for reason in breaks["reason"]} == {"nothing_to_undo"}


def test_the_placebo_uses_no_year_after_training():
    sample = study_of(1).sample()
    moved = pretended_early(sample.data)
    true = sample.data.set_index(["unit", "time"])["cohort"]
    own = true.reindex(pd.MultiIndex.from_frame(moved[["unit", "time"]])).to_numpy()
    assert ((own == 0) | (moved["time"].to_numpy() < own)).all()
    assert (moved["cohort"].to_numpy() == np.where(own > 0, own - 2, 0)).all()
    with pytest.raises(InfeasibleError, match="too few years before"):
        pretended_early(sample.data[sample.data["time"] >= sample.data["cohort"] - 2])


def test_other_rules_and_what_is_counted_are_taken_where_they_are_given(study):
    entries = study.school_gaps.assign(
        outcome=np.random.default_rng(1).normal(size=len(study.school_gaps))
    )
    given = replace(
        study, other_gaps={"at_31_march": study.school_gaps}, composition={"entries": entries}
    )
    primary = checks.primary_of(given)
    found = run(given, primary, list(checks._definitions(given)))
    assert row(found, "other_rule", rule="at_31_march")["verdict"] == "agrees"
    tests = effects.sensitivity.composition_tests(given).set_index("metric")
    assert tests.loc[["entries", "log_cohort_size"], "status"].eq("").all()
    assert tests.loc["prior_attendance", "status"] == "x"
    assert tests.loc["plan_share", "p_value"] > 0


@pytest.mark.parametrize(
    ("rule", "found", "verdict"),
    [
        ("same_estimate", {"estimate": -1.0, "ci_lower": -3.0, "ci_upper": 1.0}, "agrees"),
        ("same_estimate", {"estimate": 0.5, "ci_lower": -3.0, "ci_upper": 4.0}, "differs"),
        ("same_estimate", {"estimate": -0.1, "ci_lower": -0.3, "ci_upper": 0.1}, "differs"),
        ("nothing_found", {"p_value": 0.2}, "agrees"),
        ("nothing_found", {"p_value": 0.04}, "differs"),
        ("same_test", {"p_value": 0.01}, "agrees"),
        ("same_test", {"p_value": 0.2}, "differs"),
        ("not_excluded", {"p_value": 0.01}, "differs"),
        ("not_excluded", {"p_value": 0.9}, "agrees"),
        ("survives", {"holds": True}, "agrees"),
        ("survives", {"holds": False}, "differs"),
        ("drift_small", {}, "not_testable"),
        ("same_estimate", {"estimate": -1.0, "status": "x"}, "not_testable"),
    ],
)
def test_verdicts_follow_the_printed_rule(study, rule, found, verdict):
    primary = Primary(estimate=-2.0, p_value=0.01, row={})
    check = RobustnessCheck("estimators", Message("primary"), lambda: found, rule=rule)
    assert run(study, primary, [check])["verdict"].tolist() == [verdict]


@pytest.mark.parametrize(
    ("p_values", "adjusted", "verdicts"),
    [
        ((0.03, 0.03), [0.06, 0.06], ["agrees", "agrees"]),
        ((0.02, 0.9), [0.04, 0.9], ["differs", "agrees"]),
    ],
)
def test_tests_of_who_is_counted_are_judged_together(study, p_values, adjusted, verdicts):
    primary = Primary(estimate=-2.0, p_value=0.01, row={})
    asked = [
        RobustnessCheck("composition", Message("primary"), lambda p=p: {"p_value": p})
        for p in p_values
    ]
    found = run(study, primary, asked)
    assert found["verdict"].tolist() == verdicts
    assert [reason.details["p"] for reason in found["reason"]] == pytest.approx(adjusted)
    assert min(adjusted) == pytest.approx(smallest_adjusted(np.array(p_values))), "the evidence's"


def test_without_a_found_effect_the_sign_may_differ(study):
    primary = Primary(estimate=-0.2, p_value=0.6, row={})
    found = {"estimate": 0.5, "ci_lower": -3.0, "ci_upper": 4.0}
    check = RobustnessCheck("estimators", Message("primary"), lambda: found)
    assert run(study, primary, [check])["verdict"].tolist() == ["agrees"]


def test_where_all_years_are_covid_years_none_is_left_out(study):
    covid = study.school_gaps["time_period"].isin([202021, 202122])
    alone = replace(study, school_gaps=study.school_gaps[covid])
    primary = Primary(estimate=-0.2, p_value=0.6, row={})
    wanted = [one for one in checks._definitions(alone) if one.check == "covid_years"]
    [reason] = run(alone, primary, wanted)["reason"]
    assert reason.code == "all_years_left_out"
