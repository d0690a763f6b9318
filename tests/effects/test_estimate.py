"""One outcome's estimates together, in the contract that release reads."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.effects.conftest import YEARS, gaps_of
from vsh_eval import effects
from vsh_eval.contracts import ContractError, DesignError


@pytest.fixture(scope="module")
def prepared():
    return effects.sample.select_sample(
        *gaps_of(1, effect=-3.0, phases=("primary",) * 9 + ("secondary",))
    )


@pytest.fixture(scope="module")
def rows(prepared):
    return effects.estimators.estimate(prepared, metric="overall_absence")


def simple(rows, estimator, comparison="not_yet_treated"):
    found = rows.query(
        "estimator == @estimator and comparison == @comparison and aggregation == 'simple'"
    )
    return found.iloc[0]


def test_the_contract(rows):
    assert tuple(rows.columns) == effects.rows.ESTIMATE_COLUMNS
    assert rows["estimator"].unique().tolist() == ["imputation", "same_past",
        "imputation_phase_year", "callaway_santanna"]  # fmt: skip
    assert set(rows["aggregation"]) == {"simple", "cohort", "calendar", "event"}
    assert rows.loc[rows["estimator"].eq("imputation"), "role"].eq("primary").all()
    assert rows.loc[rows["estimator"].ne("imputation"), "role"].eq("robustness").all()
    assert (rows["metric"].unique(), rows["tier"].unique()) == (["overall_absence"], ["any"])
    assert rows["programme"].eq("any").all()
    assert rows["phase"].eq("total").all()
    assert rows["index"].dtype == np.int64


def test_years_are_academic_years_and_event_times_are_not(rows):
    own = rows[rows["estimator"].eq("imputation")]
    indices = own.groupby("aggregation")["index"].apply(list)
    assert indices["cohort"] == [202122, 202223]
    assert indices["calendar"] == [202122, 202223, 202324, 202425]
    assert indices["event"] == [-2, -1, 0, 1, 2, 3]
    others = rows[rows["estimator"].eq("callaway_santanna")]
    assert set(others.loc[others["aggregation"].eq("calendar"), "index"]) <= set(YEARS)


def test_each_estimator_is_the_one_it_says(rows, prepared):
    table = prepared.data
    constant = table.assign(weight=table["base_pupils"])
    within = prepared.with_year_effects("by_phase").data
    for made, expected in [
        (simple(rows, "imputation"), effects.estimators.impute(table)),
        (simple(rows, "same_past"), effects.estimators.same_past(table)),
        (simple(rows, "imputation_phase_year"), effects.estimators.impute(within)),
        (simple(rows, "callaway_santanna"), effects.estimators.att_gt(constant)),
        (
            simple(rows, "callaway_santanna", "never_treated"),
            effects.estimators.att_gt(constant, comparison="never_treated"),
        ),
    ]:
        assert made["estimate"] == expected.loc[0, "estimate"]
        assert made["std_error"] == expected.loc[0, "std_error"]


def test_secondary_outcomes_have_checks_and_subgroups_do_not(prepared):
    secondary = effects.estimators.estimate(prepared, metric="severe_absence", role="secondary")
    assert set(secondary["role"]) == {"secondary", "robustness"}
    exploratory = effects.estimators.estimate(prepared, metric="severe_absence", role="exploratory")
    assert set(exploratory["role"]) == {"exploratory"}
    with pytest.raises(ContractError, match="role is 'main'"):
        effects.estimators.estimate(prepared, metric="severe_absence", role="main")


@pytest.mark.parametrize(
    ("phases", "beside"),
    [
        (("primary", ), set()),
        (("primary", "secondary"), {"imputation_common_year"}),
        (("primary", ) * 9 + ("secondary", ), {"imputation_phase_year"}),
        (("primary", ) * 5 + ("secondary", ) * 4 + ("special", ), {"imputation_common_year",
         "imputation_phase_year"}),
    ],
)  # fmt: skip
def test_other_year_effects_are_a_check_where_they_are_not_the_primary_ones(phases, beside):
    prepared = effects.sample.select_sample(*gaps_of(1, schools=60, phases=phases))
    rows = effects.estimators.estimate(prepared, metric="overall_absence")
    own = {"imputation_common_year", "imputation_phase_year"} & set(rows["estimator"])
    assert own == beside
    if "imputation_common_year" in own:
        shared = effects.estimators.impute(prepared.data.assign(stratum=""))
        assert simple(rows, "imputation_common_year")["estimate"] == shared.loc[0, "estimate"]


def test_what_cannot_be_made_beside_the_primary_is_a_row_without_numbers():
    gaps, exposure = gaps_of(3, absent=0.0, cohorts=(2, 4))
    rows = effects.estimators.estimate(
        effects.sample.select_sample(gaps, exposure), metric="overall_absence"
    )
    assert simple(rows, "imputation")["status"] == ""
    never = simple(rows, "callaway_santanna", "never_treated")
    assert never["status"] == "x"
    assert never[["estimate", "std_error", "p_value", "largest_share"]].isna().all()


def test_covariates_reach_callaway_and_santanna():
    gaps, exposure = gaps_of(1, absent=0.0)
    schools = pd.DataFrame(
        {"unit_id": exposure["unit_id"], "size": np.random.default_rng(1).normal(size=60)}
    )
    plain = effects.sample.select_sample(gaps, exposure)
    adjusted = effects.sample.select_sample(gaps, exposure, schools=schools, covariates=["size"])
    rows = [effects.estimators.estimate(p, metric="overall_absence") for p in (plain, adjusted)]
    own = [simple(table, "imputation")["estimate"] for table in rows]
    assert own[0] == own[1]
    beside = [simple(table, "callaway_santanna")["estimate"] for table in rows]
    assert beside[0] != beside[1]


def test_p_values_are_adjusted_by_family():
    rows = pd.DataFrame(
        {
            "role": ["primary", *["secondary"] * 3, *["exploratory"] * 3, "robustness", "primary"],
            "estimator": "imputation",
            "aggregation": ["simple"] * 8 + ["event"],
            "p_value": [0.04, 0.01, 0.03, 0.02, 0.01, 0.03, np.nan, 0.5, 0.01],
        }
    )
    adjusted = effects.estimators.adjust(rows)["p_adjusted"]
    assert adjusted[:6].tolist() == pytest.approx([0.04, 0.03, 0.04, 0.04, 0.02, 0.03])
    assert adjusted[6:].isna().all()
    assert "p_adjusted" not in rows
    with pytest.raises(ContractError, match="lacks the column role"):
        effects.estimators.adjust(rows.drop(columns="role"))


def test_the_primary_itself_is_refused_not_hidden(prepared):
    broken = replace(prepared, data=prepared.data.assign(cohort=0))
    with pytest.raises(DesignError, match="nobody trained in years"):
        effects.estimators.estimate(broken, metric="overall_absence")
