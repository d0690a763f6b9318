"""Cost beside what it bought."""

from dataclasses import replace

import numpy as np
import pytest

from tests.effects.panels import study_of
from vsh_eval import effects


@pytest.fixture(scope="module")
def study():
    return study_of(3, effect=-4.0)


def row(study, **options):
    [found] = effects.value.cost_effectiveness(study, **options).to_dict("records")
    return found


def test_a_cost_is_divided_by_what_the_estimate_says_was_regained(study):
    data = study.sample().data
    treated = data["cohort"].gt(0) & data["time"].ge(data["cohort"])
    effect = effects.estimators.impute_parts(data)["estimate"][0]
    regained = -effect / 100 * data.loc[treated, "weight"].sum()
    found = row(study)
    assert found["estimate"] == pytest.approx(study.training["cost"].sum() / regained)
    assert (found["measure"], found["unit"]) == ("cost_per_unit_regained", "sessions")
    assert found["ci_lower"] < found["estimate"] < found["ci_upper"]


def test_the_interval_is_fiellers_where_only_the_effect_varies(study):
    log = study.training.assign(cost=500.0)
    last = row(replace(study, training=log), draws=9_999)
    data = study.sample().data
    simple = effects.estimators.impute_parts(data).iloc[0]
    scale = last["estimate"] * simple["estimate"]
    expected = [scale / simple["ci_lower"], scale / simple["ci_upper"]]
    assert [last["ci_lower"], last["ci_upper"]] == pytest.approx(expected, rel=0.12)


def test_unrecorded_costs_take_their_programmes_mean_up_to_a_fifth(study):
    log = study.training.copy()
    log.loc[log.index[:2], "cost"] = np.nan
    mean = log.groupby("programme")["cost"].transform("mean")
    filled = replace(study, training=log.assign(cost=log["cost"].fillna(mean)))
    found = row(replace(study, training=log), draws=99)
    assert found["estimate"] == pytest.approx(row(filled, draws=99)["estimate"])
    log.loc[log.index[:8], "cost"] = np.nan
    said = row(replace(study, training=log), draws=99)
    assert (said["status"], said["reason"].code) == ("x", "cost_not_recorded")
    assert said["reason"].details["share"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"training": None}, "no_training_log"),
        ({}, "interval_contains_zero"),
    ],
)
def test_what_cannot_be_estimated_says_so(changes, reason):
    last = row(study_of(1, **changes), draws=99)
    assert last["reason"].code == reason
    assert (last["status"], np.isnan(last["estimate"])) == ("x", True)


def test_a_wider_gap_regains_nothing():
    last = row(study_of(3, effect=4.0), draws=99)
    assert last["reason"].code == "gap_widened"


def test_trainings_of_other_schools_do_not_count(study):
    other = study.training.assign(unit_id="elsewhere")
    assert row(replace(study, training=other))["reason"].code == "training_not_in_log"


def test_what_is_no_effect_has_no_cost(study):
    found = row(study, established=False, draws=99)
    assert np.isnan(found["estimate"])
    assert found["reason"].code == "effect_not_established"
