"""Cost beside what it bought."""

from dataclasses import replace

import numpy as np
import pytest

from tests.effects.panels import study_of
from vsh_eval import effects


@pytest.fixture(scope="module")
def study():
    return study_of(3, effect=-4.0)


def rows(study, **options):
    return effects.value.cost_effectiveness(study, **options).set_index("measure")


def test_costs_are_divided_by_what_the_estimate_counts(study):
    found = rows(study)
    data = study.sample().data
    treated = data["cohort"].gt(0) & data["time"].ge(data["cohort"])
    total = study.training["cost"].sum()
    effect = effects.estimators.impute_parts(data)["estimate"][0]
    assert found.loc["cost_per_school", "estimate"] == pytest.approx(
        total / data.loc[treated, "unit"].nunique()
    )
    assert found.loc["cost_per_pupil_year", "estimate"] == pytest.approx(
        total / data.loc[treated, "pupils"].sum()
    )
    regained = -effect / 100 * data.loc[treated, "weight"].sum()
    last = found.loc["cost_per_unit_regained"]
    assert last["estimate"] == pytest.approx(total / regained)
    assert last["unit"] == "sessions"
    assert (found["ci_lower"] < found["estimate"]).all()
    assert (found["estimate"] < found["ci_upper"]).all()


def test_the_interval_is_fiellers_where_only_the_effect_varies(study):
    log = study.training.assign(cost=500.0)
    last = rows(replace(study, training=log), draws=9_999).loc["cost_per_unit_regained"]
    data = study.sample().data
    simple = effects.estimators.impute_parts(data).iloc[0]
    scale = last["estimate"] * simple["estimate"]
    expected = [scale / simple["ci_lower"], scale / simple["ci_upper"]]
    assert [last["ci_lower"], last["ci_upper"]] == pytest.approx(expected, rel=0.12)


def test_unrecorded_costs_take_their_programmes_mean_up_to_a_fifth(study):
    log = study.training.copy()
    log.loc[log.index[:2], "cost"] = np.nan
    programme = log.groupby("programme")["cost"].transform("mean")
    expected = log["cost"].fillna(programme).sum() / len(log)
    found = rows(replace(study, training=log), draws=99)
    assert found.loc["cost_per_school", "estimate"] == pytest.approx(expected)
    log.loc[log.index[:8], "cost"] = np.nan
    said = rows(replace(study, training=log), draws=99)
    assert said["status"].eq("x").all()
    assert {r.code for r in said["reason"]} == {"cost_not_recorded"}
    assert said["reason"].iloc[0].details["share"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"training": None}, "no_training_log"),
        ({"programme": "any", "tier": "any"}, "interval_contains_zero"),
    ],
)
def test_what_cannot_be_estimated_says_so(changes, reason):
    found = rows(study_of(1, **changes), draws=99)
    last = found.loc["cost_per_unit_regained"]
    assert last["reason"].code == reason
    assert (last["status"], np.isnan(last["estimate"])) == ("x", True)


def test_a_wider_gap_regains_nothing():
    last = rows(study_of(3, effect=4.0), draws=99).loc["cost_per_unit_regained"]
    assert last["reason"].code == "gap_widened"


def test_trainings_of_other_schools_do_not_count(study):
    other = study.training.assign(unit_id="elsewhere")
    found = rows(replace(study, training=other))
    assert {reason.code for reason in found["reason"]} == {"training_not_in_log"}


def test_one_programmes_cost_is_that_programmes(study):
    gaps_of_programme = replace(study, programme="elsa")
    assert (
        rows(gaps_of_programme, draws=99).loc["cost_per_school", "estimate"]
        != rows(study, draws=99).loc["cost_per_school", "estimate"]
    )
