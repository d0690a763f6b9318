"""Every check has its row, its verdict and the rule behind it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.effects.panels import study_of
from vsh_eval import effects
from vsh_eval.contracts import DesignError
from vsh_eval.effects import attempts, subsets, variations
from vsh_eval.effects.attempts import Attempt, Primary, tried
from vsh_eval.effects.other_estimators import trend_attempts
from vsh_eval.effects.robustness import primary_of
from vsh_eval.release import protect, rule_named


@pytest.fixture(scope="module")
def study():
    return study_of(3, effect=-4.0, schools=36)


@pytest.fixture(scope="module")
def table(study):
    return effects.robustness(study, draws=199)


def row(table, variant):
    found = table[table["variant"].str.contains(variant, regex=False)]
    assert len(found) == 1, variant
    return found.iloc[0]


def test_the_columns_and_the_letters(table):
    assert tuple(table.columns) == attempts.ROBUSTNESS_COLUMNS
    assert sorted(set(table["check"])) == list("abcdefghijk")
    assert table["check"].is_monotonic_increasing
    assert set(table["verdict"]) <= {"agrees", "differs", "not testable"}
    assert set(table["rule"]) <= set(attempts.RULES.values())
    silent = table[table["verdict"].eq("not testable")]
    assert silent["reason"].str.len().gt(10).all()
    assert silent["variant"].tolist() == [
        "another cohort rule", "children who newly entered the cohort",
        "the cohort's absence in earlier years",
    ]  # fmt: skip


def test_a_planted_effect_survives_what_it_should(table):
    said = table.set_index("variant")["verdict"]
    for variant in (
        "the cohort's own level", "placebo: the peers' own level",
        "years of training dealt out by lot within phases", "without the year before training",
        "Sun and Abraham", "reference: all pupils", "without 2019/20 to 2021/22",
        "two one-sided tests",
    ):  # fmt: skip
        assert said[variant] == "agrees", variant


def test_a_leave_out_is_the_estimate_without_them(study, table):
    prepared = study.prepared()
    left = effects.fit_imputation(prepared.data, draws=1).leave_one_out["estimate"]
    assert row(table, "leaves the lowest")["estimate"] == pytest.approx(left.min())
    assert row(table, "leaves the highest")["estimate"] == pytest.approx(left.max())
    early = prepared.data[prepared.data["cohort_period"].ne(202122)]
    assert row(table, "trained in 2021/22")["estimate"] == pytest.approx(
        effects.impute_parts(early)["estimate"][0]
    )
    first = subsets.first_kind(study, "programme")
    gaps = study.school_gaps[~study.school_gaps["unit_id"].map(first).eq("elsa")]
    assert row(table, "began with Emotional Literacy Support")["estimate"] == pytest.approx(
        effects.impute_parts(study.prepared(gaps).data)["estimate"][0]
    )


def test_the_table_passes_the_one_door(table):
    safe = protect(table, rule_named("strict10"), kind="estimates")
    shown = safe.frame
    assert len(shown) == len(table)
    assert shown["verdict"].tolist() == table["verdict"].tolist()
    assert "largest_share" not in shown
    enough = table["schools_treated"].ge(3) & table["estimate"].notna() & table["check"].ne("f")
    assert shown.loc[enough.fillna(False), "estimate"].notna().all()


def test_few_schools_have_a_wild_bootstrap_beside(study, table):
    wild = table[table["estimator"].eq("wild_cluster")].iloc[0]
    assert "fewer than 40 schools" in wild["variant"]
    assert wild["ci_lower"] < wild["estimate"] < wild["ci_upper"]
    assert 0 < wild["p_value"] <= 1


def test_without_an_effect_there_is_nothing_to_undo(study):
    primary = Primary(estimate=-0.2, p_value=0.6, row={})
    asked = trend_attempts(study, study.prepared(), primary)
    rows = [tried(attempt, study, primary) for attempt in asked if attempt.check == "b"]
    assert {row["verdict"] for row in rows} == {"not testable"}
    assert all("nothing to undo" in row["reason"] for row in rows)


def test_the_placebo_uses_no_year_after_training():
    prepared = study_of(1).prepared()
    moved = variations.pretended_early(prepared.data)
    true = prepared.data.set_index(["unit", "time"])["cohort"]
    own = true.reindex(pd.MultiIndex.from_frame(moved[["unit", "time"]])).to_numpy()
    assert ((own == 0) | (moved["time"].to_numpy() < own)).all()
    assert (moved["cohort"].to_numpy() == np.where(own > 0, own - 2, 0)).all()
    with pytest.raises(DesignError, match="data both in the 9 years before training"):
        variations.pretended_early(prepared.data, years=9)


def test_other_rules_and_what_is_counted_are_taken_where_they_are_given(study):
    entries = study.school_gaps.assign(
        outcome=np.random.default_rng(1).normal(size=len(study.school_gaps))
    )
    given = replace(
        study, other_gaps={"at_31_march": study.school_gaps}, composition={"entries": entries}
    )
    found = [
        tried(attempt, given, primary_of(given, given.prepared()))
        for attempt in variations.other_definitions(given)
    ]
    assert [entry["variant"] for entry in found][1] == "cohort: had a social worker on 31 March"
    assert found[1]["verdict"] == "agrees"
    tests = effects.composition_tests(given).set_index("metric")
    assert tests.loc["entries", "status"] == ""
    assert tests.loc["prior_attendance", "status"] == "x"
    assert tests.loc["plan_share", "p_value"] > 0
    sized = effects.composition_check(study.prepared()).iloc[0]
    assert tests.loc["log_cohort_size", "estimate"] == pytest.approx(sized["estimate"])


@pytest.mark.parametrize(
    ("rule", "found", "verdict"),
    [
        ("same", {"estimate": -1.0, "ci_lower": -3.0, "ci_upper": 1.0}, "agrees"),
        ("same", {"estimate": 0.5, "ci_lower": -3.0, "ci_upper": 4.0}, "differs"),
        ("same", {"estimate": -0.1, "ci_lower": -0.3, "ci_upper": 0.1}, "differs"),
        ("nought", {"p_value": 0.2}, "agrees"),
        ("nought", {"p_value": 0.04}, "differs"),
        ("chance", {"p_value": 0.01}, "agrees"),
        ("chance", {"p_value": 0.2}, "differs"),
        ("excluded", {"p_value": 0.01}, "differs"),
        ("excluded", {"p_value": 0.9}, "agrees"),
        ("stands", {"holds": True}, "agrees"),
        ("stands", {"holds": False}, "differs"),
        ("told", {}, "not testable"),
        ("same", {"estimate": -1.0, "status": "x", "reason": "one school"}, "not testable"),
    ],
)
def test_verdicts_follow_the_printed_rule(study, rule, found, verdict):
    primary = Primary(estimate=-2.0, p_value=0.01, row={})
    assert tried(Attempt("g", "one", rule, lambda: found), study, primary)["verdict"] == verdict


def test_without_a_found_effect_the_sign_may_differ(study):
    primary = Primary(estimate=-0.2, p_value=0.6, row={})
    found = {"estimate": 0.5, "ci_lower": -3.0, "ci_upper": 4.0}
    assert tried(Attempt("g", "one", "same", lambda: found), study, primary)["verdict"] == "agrees"


def test_the_breakdown_is_what_the_rules_want(study):
    assert effects.breakdown(study, study.prepared()) >= 0
