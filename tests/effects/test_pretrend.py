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


@pytest.mark.parametrize("missing", [(), (4, 5)])
def test_a_steady_drift_is_counted_by_the_calendar_and_explains_all_it_adds(missing):
    """Years without data are years in which the gap drifts on."""
    table = cells_of(8, schools=40, cohorts=(0, 6), absent=0.0)
    table = table.assign(
        time_period=(2010 + table["time"]) * 100 + (11 + table["time"]) % 100,
        outcome=0.5 * table["time"] * table["cohort"].gt(0)
        + np.random.default_rng(8).normal(0, 0.01, len(table)),
    )
    table = table[~table["time"].isin(missing)]
    order = {time: place for place, time in enumerate(sorted(table["time"].unique()), start=1)}
    table = table.assign(
        time=table["time"].map(order),
        cohort=table["cohort"].map(lambda time: order.get(time, 0)),
    )
    found = effects.sensitivity.drift(table)
    assert found.slope == pytest.approx(0.5, rel=0.02)
    simple = effects.estimators.impute(table).iloc[0]
    assert found.slope * found.bias == pytest.approx(simple["estimate"], rel=0.02)


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
