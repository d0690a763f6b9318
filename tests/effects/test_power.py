"""What a design can see, said before what it saw."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.effects.conftest import cells_of, gaps_of
from vsh_eval import effects
from vsh_eval.contracts import DesignError
from vsh_eval.numerics.inference import exaggeration


def test_the_minimum_detectable_effects_of_the_simulation_note():
    assert round(effects.sample.mde(1.44, 59), 1) == 4.1
    assert round(effects.sample.mde(1.00, 119), 1) == 2.8
    assert round(effects.sample.mde(0.57, 399), 1) == 1.6


def test_half_power_is_the_critical_value():
    assert effects.sample.mde(1.0, 59, power=0.5) == pytest.approx(2.000995, abs=1e-5)


@pytest.mark.parametrize(("effect", "df"), [(0.5, 59), (2.9, 59), (-4.1, 59), (1.5, 4)])
def test_exaggeration_is_that_of_simulated_significant_estimates(effect, df):
    estimate = effect + 1.44 * np.random.default_rng(3).standard_t(df, 1_000_000)
    significant = np.abs(estimate)[np.abs(estimate) > stats.t.ppf(0.975, df) * 1.44]
    expected = significant.mean() / abs(effect)
    assert exaggeration(effect, 1.44, df) == pytest.approx(expected, rel=0.01)


def test_no_exaggeration_without_an_effect_or_an_error():
    assert np.isnan([exaggeration(0, 1, 59), exaggeration(1, 0, 59), exaggeration(1, 1, 1)]).all()
    assert exaggeration(50, 1, 59) == pytest.approx(1)


@pytest.mark.parametrize("wrong", [{"alpha": 0.5}, {"alpha": 0}, {"power": 1.0}, {"power": 0.3}])
def test_impossible_tests_are_refused(wrong):
    with pytest.raises(DesignError, match=r"use 0\.05 and 0\.80"):
        effects.sample.mde(1.0, 59, **wrong)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000), effect=st.floats(-20, 20))
def test_the_design_shows_nothing_of_the_effect(seed, effect):
    table = cells_of(seed, schools=20)
    treated = table["cohort"].gt(0) & table["time"].ge(table["cohort"])
    planted = table.assign(outcome=table["outcome"] + effect * treated)
    blind, seen = effects.sample.design_mde(table), effects.sample.design_mde(planted)
    assert seen.mde == pytest.approx(blind.mde, rel=1e-8)
    assert {field.name for field in dataclasses.fields(blind)} == {
        "std_error",
        "df",
        "mde",
        "alpha",
        "power",
    }


def test_it_is_of_the_primary_estimate():
    prepared = effects.sample.select_sample(*gaps_of(6))
    found = effects.sample.design_mde(prepared, power=0.9)
    simple = effects.estimators.impute(prepared.data).iloc[0]
    assert (found.std_error, found.df) == (simple["std_error"], simple["df"])
    assert found.mde == effects.sample.mde(found.std_error, found.df, power=0.9)


def test_without_variation_nothing_can_be_said():
    assert np.isnan(effects.sample.design_mde(cells_of(1).assign(outcome=1.0)).mde)
