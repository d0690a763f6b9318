"""Gaps by a characteristic against the children themselves, and against schools as clusters."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from tests.metrics.children import children, composition_of, measured, moments_of, panel_of
from vsh_eval import metrics, names
from vsh_eval.contracts import CohortRuleError, ContractError, VintageError

ASKED = {"group": "cwsw", "reference": "peers"}
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
    row = metrics.gaps_by(composition, by=by, metrics=[metric], **ASKED)
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
    found = metrics.gaps_by(composition, by="key_stage", **ASKED)
    assert set(found["value"]) == {"ks1", "ks2", "ks3", "ks4"}
    counted = found[found["metric"] == "overall_absence"].set_index("value")["group_pupils"]
    own = pupils[pupils["group"] != "peers"]["year_group"]
    bands = {"ks1": (1, 2), "ks2": (3, 6), "ks3": (7, 9), "ks4": (10, 11)}
    assert counted.to_dict() == {value: own.between(*years).sum() for value, years in bands.items()}


def test_values_add_up_to_the_gap_of_all(pupils, composition):
    moments = moments_of(pupils)
    whole = metrics.gaps(panel_of(pupils), **ASKED)
    whole = whole[whole["phase"] == "total"].set_index("metric")
    for by in names.BREAKDOWNS:
        found = metrics.gaps_by(composition, by=by, moments=moments, **ASKED)
        assert (found["breakdown"] == by).all()
        sums = found.groupby("metric")[["group_pupils", "reference_pupils"]].sum()
        assert (sums == whole.loc[sums.index, sums.columns]).all().all()


def test_the_columns_are_those_of_gaps_with_the_value():
    found = metrics.gaps_by(composition_of(children()), by="sex", **ASKED)
    extra = [name for name in found.columns if name not in metrics.GAP_COLUMNS]
    assert extra == ["breakdown", "value"]
    assert [name for name in found.columns if name not in extra] == list(metrics.GAP_COLUMNS)
    assert found["group_schools"].isna().all()


def test_schools_that_differ_widen_an_interval_and_never_move_the_gap(pupils, composition):
    plain = metrics.gaps_by(composition, by="sex", **ASKED)
    apart = pupils.assign(y=np.minimum(pupils["x"], pupils["y"] + 20 * (pupils["school"] % 5)))
    asked = {"by": "sex", "metrics": ["overall_absence"], **ASKED}
    wide = metrics.gaps_by(composition_of(apart), moments=moments_of(apart), **asked)
    by_pupil = metrics.gaps_by(composition_of(apart), **asked)
    for side in ("group", "reference"):
        assert (wide[f"{side}_std_error"] > 1.2 * by_pupil[f"{side}_std_error"]).all()
    assert (wide["df"] == wide["group_schools"] - 1).all()
    pd.testing.assert_series_equal(wide["gap"], by_pupil["gap"])
    assert plain["group_schools"].isna().all()
    assert wide["group_schools"].isin([29, 30]).all()


def test_an_empty_value_is_not_applicable_and_a_year_without_data_not_available():
    pupils = children(3, years=(201819, 201920, 202122))
    gone = (pupils["group"] != "peers") & (pupils["sex"] == "M") & (pupils["time_period"] == 202122)
    found = metrics.gaps_by(composition_of(pupils[~gone]), by="sex", **ASKED)
    found = found[found["metric"] == "overall_absence"].set_index(["value", "time_period"])
    assert found.loc[("boys", 202122), "status"] == "z"
    assert np.isnan(found.loc[("boys", 202122), "gap"])
    assert found.loc[("girls", 202122), "status"] == ""
    assert (found.xs(201920, level="time_period")["status"] == "x").all()
    assert found.xs(201920, level="time_period")["group_pupils"].isna().all()


def test_none_of_the_children_keeps_a_score_interval():
    pupils = children(4).assign(y=0)
    found = metrics.gaps_by(
        composition_of(pupils, ["persistent_absence"]),
        by="sex",
        moments=moments_of(pupils),
        **ASKED,
    )
    assert (found["group_level"] == 0).all()
    assert (found["group_level_upper"] > 0).all()
    assert found["gap_std_error"].isna().all()


def test_a_metric_of_one_key_stage_has_no_rows_by_key_stage():
    pupils = children(5).assign(year_group=11, phase="secondary")
    cells = composition_of(pupils, ["overall_absence"]).assign(metric="ks4_attainment8")
    found = metrics.gaps_by(cells, by="key_stage", **ASKED)
    assert found.empty
    assert list(found.columns) == list(metrics.BREAKDOWN_COLUMNS)
    by_sex = metrics.gaps_by(cells, by="sex", **ASKED)
    assert len(by_sex) == 2
    assert found.dtypes.equals(by_sex.dtypes)


@pytest.mark.parametrize(
    ("change", "asked", "error", "message"),
    [
        ({}, {"by": "ethnicity"}, ContractError, "by is 'ethnicity'"),
        ({}, {"by": "sex", "group": "peers"}, ContractError, "must differ"),
        ({"level": "school"}, {"by": "sex"}, ContractError, "level in a table of composition"),
        ({"source": "published"}, {"by": "sex"}, ContractError, "source in a table"),
        ({"sex": "X"}, {"by": "sen"}, ContractError, "sex in the composition is 'X'"),
        ({"vintage": ["a", "b"]}, {"by": "sex"}, VintageError, "vintage is both"),
        ({"cohort_rule": ["a", "b"]}, {"by": "sex"}, CohortRuleError, "cohort_rule is both"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, asked, error, message):
    composition = composition_of(children())
    for name, value in change.items():
        composition[name] = np.resize(value, len(composition))
    with pytest.raises(error, match=message):
        metrics.gaps_by(composition, **{**ASKED, **asked})


def test_moments_of_other_children_are_refused(pupils, composition):
    with pytest.raises(ContractError, match="count different pupils"):
        metrics.gaps_by(composition, by="sex", moments=moments_of(pupils[5:]), **ASKED)
    short = composition.drop(columns="sen")
    with pytest.raises(ContractError, match="sen"):
        metrics.gaps_by(short, by="sex", **ASKED)
