"""Placebo leads: each and together."""

from dataclasses import replace

import numpy as np
import pytest

from tests.effects.conftest import cells_of
from vsh_eval import effects
from vsh_eval.effects.sensitivity import pretrend_of


def test_the_joint_test_is_made_of_the_leads_and_their_covariance(cells):
    fitted = effects.estimators.fit_imputation(cells)
    found = effects.sensitivity.pretrend(cells)
    leads = found.rows["index"].tolist()
    assert leads == [-2, -1]
    covariance = fitted.event_covariance.loc[leads, leads].to_numpy()
    estimates = found.rows["estimate"].to_numpy(float)
    wald = estimates @ np.linalg.solve(covariance, estimates)
    df = found.rows["df"].min()
    assert found.test.statistic == pytest.approx((df - 1) / (2 * df) * wald)
    assert (found.test.df_numerator, found.test.df_denominator) == (2, df - 1)
    assert not found.reason


def test_a_drift_before_training_is_found():
    table = cells_of(8, schools=60, absent=0.0)
    early = table["cohort"].gt(0) & table["time"].lt(table["cohort"])
    drift = 3.0 * (table["time"] - table["cohort"]) * early
    drifting = table.assign(outcome=table["outcome"] + drift)
    assert effects.sensitivity.pretrend(table).test.p_value > 0.05
    assert effects.sensitivity.pretrend(drifting).test.p_value < 0.001


def test_without_a_second_year_before_training_it_is_not_testable():
    found = effects.sensitivity.pretrend(cells_of(1, cohorts=(0, 2), absent=0.0))
    assert found.rows.empty
    assert np.isnan(found.test.p_value)
    assert found.reason.code == "no_two_years_before"


def test_leads_of_single_schools_are_not_testable(cells):
    lonely = cells[cells["cohort"].eq(0) | cells["unit"].isin(["s001"])]
    found = effects.sensitivity.pretrend(lonely)
    assert found.reason.code == "lead_of_one_school"


def test_fewer_schools_than_leads_are_not_testable(cells):
    fitted = effects.estimators.fit_imputation(cells)
    few = fitted.rows.assign(df=1.0)
    found = pretrend_of(replace(fitted, rows=few))
    assert found.reason.code == "fewer_schools_than_leads"
    assert np.isnan(found.test.p_value)
