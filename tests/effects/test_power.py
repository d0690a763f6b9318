"""What a design can see, said before what it saw."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.effects.conftest import cells_of, gaps_of
from vsh_eval import effects
from vsh_eval.contracts import ContractError
from vsh_eval.numerics.estimators.same_past import Variances
from vsh_eval.numerics.inference.significance import exaggeration, minimum_detectable


def test_the_minimum_detectable_effects_of_the_simulation_note():
    assert round(minimum_detectable(1.44, 59), 1) == 4.1
    assert round(minimum_detectable(1.00, 119), 1) == 2.8
    assert round(minimum_detectable(0.57, 399), 1) == 1.6


def test_half_power_is_the_critical_value():
    assert minimum_detectable(1.0, 59, power=0.5) == pytest.approx(2.000995, abs=1e-5)


@pytest.mark.parametrize(("effect", "df"), [(0.5, 59), (2.9, 59), (-4.1, 59), (1.5, 4)])
def test_exaggeration_is_that_of_simulated_significant_estimates(effect, df):
    estimate = effect + 1.44 * np.random.default_rng(3).standard_t(df, 1_000_000)
    significant = np.abs(estimate)[np.abs(estimate) > stats.t.ppf(0.975, df) * 1.44]
    expected = significant.mean() / abs(effect)
    assert exaggeration(effect, 1.44, df) == pytest.approx(expected, rel=0.01)


def test_no_exaggeration_without_an_effect_or_an_error():
    assert np.isnan([exaggeration(0, 1, 59), exaggeration(1, 0, 59), exaggeration(1, 1, 1)]).all()
    assert exaggeration(50, 1, 59) == pytest.approx(1)


@settings(max_examples=3, deadline=None)
@given(
    seed=st.integers(0, 1000),
    effect=st.floats(-20, 20),
    estimator=st.sampled_from(["imputation", "same_past"]),
)
def test_the_design_shows_nothing_of_the_effect(seed, effect, estimator):
    table = cells_of(seed, schools=20)
    treated = table["cohort"].gt(0) & table["time"].ge(table["cohort"])
    planted = table.assign(outcome=table["outcome"] + effect * treated)
    blind, seen = (effects.sample.design_mde(t, estimator=estimator) for t in (table, planted))
    assert seen.mde == pytest.approx(blind.mde, rel=1e-8)
    assert {field.name for field in dataclasses.fields(blind)} == {
        "std_error",
        "df",
        "mde",
    }


@pytest.mark.parametrize(
    ("estimator", "rows_of"),
    [("imputation", effects.estimators.impute), ("same_past", effects.estimators.same_past)],
)
def test_it_is_of_the_simple_estimate(estimator, rows_of):
    prepared = effects.sample.select_sample(*gaps_of(6))
    found = effects.sample.design_mde(prepared.data, estimator=estimator)
    simple = rows_of(prepared.data).iloc[0]
    assert (found.std_error, found.df) == (simple["std_error"], simple["df"])
    assert found.mde == minimum_detectable(found.std_error, found.df)


def test_an_unknown_estimator_is_refused():
    with pytest.raises(ContractError, match="estimator is 'twfe'"):
        effects.sample.design_mde(cells_of(1), estimator="twfe")


def test_without_variation_nothing_can_be_said():
    assert np.isnan(effects.sample.design_mde(cells_of(1).assign(outcome=1.0)).mde)


def test_waiting_gives_the_variance_of_the_estimator_on_the_longer_panel():
    """Weights from the estimator itself, a cell at a time; covariance cell by cell."""
    rng = np.random.default_rng(4)
    cells = pd.DataFrame(
        {
            "unit": np.repeat(list("abcde"), 4),
            "time": np.tile(np.arange(1, 5), 5),
            "cohort": np.repeat([3, 4, 4, 0, 0], 4),
            "weight": rng.integers(300, 4000, 20).astype(float),
            "pupils": rng.integers(1, 12, 20),
            "outcome": 0.0,
        }
    )
    last = cells[cells["time"].eq(4)]
    longer = pd.concat([cells, last.assign(time=5), last.assign(time=6)], ignore_index=True)
    held = Variances(school=2.0, noise=np.array([11.0]), autocorrelation=0.6, school_year=1.0)

    def variance(panel):
        weights = [
            effects.estimators.impute(
                panel.assign(outcome=1.0 * (panel.index == one)), leads=0, draws=1
            ).loc[0, "estimate"]
            for one in panel.index
        ]
        rows = list(zip(panel["unit"], panel["time"], panel["pupils"], weights, strict=True))
        return sum(
            v * w * (4.0 + 121 * 0.6 ** abs(t - u) / np.sqrt(n * m) + (t == u))
            for s, t, n, v in rows
            for r, u, m, w in rows
            if s == r
        )

    expected = np.sqrt(variance(longer) / variance(cells))
    (found,) = effects.sample.wait_ratios(cells, [2], variances=held)
    assert found == pytest.approx(expected, rel=1e-9)


def test_waiting_changes_nothing_where_no_school_is_left_to_compare_with():
    cells = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(30), 6),
            "time": np.tile(np.arange(1, 7), 30),
            "cohort": np.repeat([4, 5], 90),
            "outcome": np.random.default_rng(1).normal(size=180),
            "weight": 1.0,
        }
    )
    assert effects.sample.wait_ratios(cells, [5]) == pytest.approx([1.0])
    assert effects.sample.years_needed(cells, 0.99, most=40) is None
