"""Gaps by a characteristic against the children themselves, and against schools as clusters."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from tests.metrics.children import children, composition_of, measured, moments_of
from tests.metrics.panels import PAIR
from vsh_eval import names
from vsh_eval.contracts import CohortRuleError, ContractError, VintageError
from vsh_eval.metrics.characteristics import gaps_by

VALUES = [(by, code, value) for by in ("sex", "fsm6", "sen") for code, value in
          names.BREAKDOWNS[by].items() if value != "sex_not_recorded"]  # fmt: skip


@pytest.fixture(scope="module")
def pupils():
    return children(1, cohort=300, peers=2500, schools=30)


@pytest.fixture(scope="module")
def composition(pupils):
    return composition_of(pupils)


@pytest.mark.parametrize(("by", "code", "value"), VALUES)
@pytest.mark.parametrize("metric", ["overall_absence", "persistent_absence"])
def test_levels_gap_and_error_are_those_of_the_children(
    pupils, composition, metric, by, code, value
):
    row = gaps_by(composition, None, replace(PAIR, metrics=(metric,)), by=by)
    row = row[row["value"] == value].iloc[0]
    mine = pupils[pupils[by] == code]
    y, x = measured(mine, metric)
    own = (mine["group"] != "peers").to_numpy()
    design = np.column_stack([np.ones(len(mine)), own])
    fit = sm.WLS(y / x, design, weights=x).fit(cov_type="HC0")
    assert row["gap"] == pytest.approx(100 * fit.params[1], abs=1e-10)
    assert row["reference_level"] == pytest.approx(100 * fit.params[0], abs=1e-10)
    n = min(own.sum(), (~own).sum())
    assert row["gap_std_error"] == pytest.approx(100 * fit.bse[1] * np.sqrt(n / (n - 1)), rel=1e-9)
    assert row["group_pupils"] == own.sum()


def test_key_stages_go_by_year_group(pupils, composition):
    found = gaps_by(composition, None, PAIR, by="key_stage")
    assert set(found["value"]) == {"ks1", "ks2", "ks3", "ks4"}
    counted = found[found["metric"] == "overall_absence"].set_index("value")["group_pupils"]
    own = pupils[pupils["group"] != "peers"]["year_group"]
    bands = {"ks1": (1, 2), "ks2": (3, 6), "ks3": (7, 9), "ks4": (10, 11)}
    assert counted.to_dict() == {value: own.between(*years).sum() for value, years in bands.items()}


def test_an_empty_value_is_not_applicable_and_a_year_without_data_not_available():
    pupils = children(3, years=(201819, 201920, 202122))
    gone = (pupils["group"] != "peers") & (pupils["sex"] == "M") & (pupils["time_period"] == 202122)
    found = gaps_by(composition_of(pupils[~gone]), None, PAIR, by="sex")
    found = found[found["metric"] == "overall_absence"].set_index(["value", "time_period"])
    assert found.loc[("boys", 202122), "status"] == "z"
    assert np.isnan(found.loc[("boys", 202122), "gap"])
    assert found.loc[("girls", 202122), "status"] == ""
    assert (found.xs(201920, level="time_period")["status"] == "x").all()
    assert found.xs(201920, level="time_period")["group_pupils"].isna().all()


def test_none_of_the_children_keeps_a_score_interval():
    pupils = children(4).assign(y=0)
    found = gaps_by(
        composition_of(pupils, ["persistent_absence"]), moments_of(pupils), PAIR, by="sex"
    )
    assert (found["group_level"] == 0).all()
    assert (found["group_level_upper"] > 0).all()
    assert found["gap_std_error"].isna().all()


def test_a_metric_of_one_key_stage_has_no_rows_by_key_stage():
    pupils = children(5).assign(year_group=11, phase="secondary")
    cells = composition_of(pupils, ["overall_absence"]).assign(metric="ks4_attainment8")
    found, by_sex = (gaps_by(cells, None, PAIR, by=by) for by in ("key_stage", "sex"))
    assert found.empty
    assert list(found.columns) == list(by_sex.columns)
    assert len(by_sex) == 2
    assert found.dtypes.equals(by_sex.dtypes)


@pytest.mark.parametrize(
    ("change", "by", "error", "message"),
    [
        ({}, "height", ContractError, "by is 'height'"),
        ({"level": "school"}, "sex", ContractError, "level in a table of composition"),
        ({"source": "published"}, "sex", ContractError, "source in a table"),
        ({"sex": "X"}, "sex", ContractError, "sex in the composition is 'X'"),
        ({"vintage": ["a", "b"]}, "sex", VintageError, "vintage is both"),
        ({"cohort_rule": ["a", "b"]}, "sex", CohortRuleError, "cohort_rule is both"),
        ({"sen": None}, "sen", ContractError, "lacks the column sen"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, by, error, message):
    composition = composition_of(children())
    for name, value in change.items():
        if value is None:
            composition = composition.drop(columns=name)
        else:
            composition[name] = np.resize(value, len(composition))
    with pytest.raises(error, match=message):
        gaps_by(composition, None, PAIR, by=by)
