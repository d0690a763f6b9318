import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from vsh_eval.numerics.levels.heterogeneity import between_schools, shrunken, solve_q, weighted_q


def made(seed, *, schools=40, tau=3.0):
    rng = np.random.default_rng(seed)
    variances = rng.uniform(1, 30, schools)
    return rng.normal(10, tau, schools) + rng.normal(0, np.sqrt(variances)), variances


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_statsmodels(seed):
    from statsmodels.stats.meta_analysis import combine_effects

    values, variances = made(seed)
    found = between_schools(values, variances)
    by_dl = combine_effects(values, variances, method_re="chi2")
    by_pm = combine_effects(values, variances, method_re="iterated", atol=1e-12)
    assert found.q == pytest.approx(by_dl.q)
    assert found.tau_squared_dl == pytest.approx(max(0.0, by_dl.tau2), rel=1e-9)
    # Its iteration stops at nought where a step goes under it, though there is a solution above.
    if by_pm.tau2 > 0:
        assert found.tau_squared_pm == pytest.approx(by_pm.tau2, rel=1e-4)
    at_solution = weighted_q(values, variances, found.tau_squared_pm)
    assert at_solution == pytest.approx(len(values) - 1)
    assert found.share(found.tau_squared_dl) == pytest.approx(max(0.0, by_dl.i2))


@pytest.mark.parametrize("seed", range(6))
def test_reml_is_the_highest_restricted_likelihood(seed):
    values, variances = made(seed)

    def minus_log(tau_squared):
        weights = 1 / (variances + tau_squared)
        mean = (weights * values).sum() / weights.sum()
        squares = (weights * (values - mean) ** 2).sum()
        return 0.5 * (-np.log(weights).sum() + np.log(weights.sum()) + squares)

    best = minimize_scalar(minus_log, bounds=(0, 200), method="bounded", options={"xatol": 1e-9})
    found = between_schools(values, variances)
    assert found.tau_squared == pytest.approx(best.x, rel=1e-4, abs=1e-4)
    weights = 1 / (variances + found.tau_squared)
    assert found.mean == pytest.approx(np.average(values, weights=weights))


def test_the_q_profile_covers_and_the_prediction_interval_too():
    rng = np.random.default_rng(7)
    inside = predicted = 0
    for seed in range(200):
        values, variances = made(seed, schools=20)
        found = between_schools(values, variances)
        inside += found.tau_squared_lower <= 9.0 <= found.tau_squared_upper
        low, high = found.prediction()
        predicted += low <= rng.normal(10, 3) <= high
    assert 0.92 < inside / 200 < 0.98
    # With 20 schools it takes tau as better known than it is.
    assert 0.86 < predicted / 200 < 0.99


def test_schools_that_do_not_differ_have_no_tau():
    found = between_schools(np.array([5.0, 5.1, 4.9, 5.0]), np.full(4, 4.0))
    numbers = (found.tau_squared, found.tau_squared_dl, found.tau_squared_pm)
    assert numbers == (0, 0, 0)
    assert found.tau_squared_lower == 0
    assert found.share(found.tau_squared) == 0
    assert found.q_p_value > 0.99


@pytest.mark.parametrize("schools", [0, 1])
def test_fewer_than_two_schools_say_nothing(schools):
    found = between_schools(np.ones(schools), np.ones(schools))
    assert found.schools == schools
    assert np.isnan([found.mean, found.tau_squared, *found.prediction()]).all()


def test_two_schools_have_no_prediction():
    assert np.isnan(between_schools(np.array([1.0, 9.0]), np.ones(2)).prediction()).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(-50, 50), st.floats(0.1, 20))
def test_laws(seed, moved, times):
    values, variances = made(seed, schools=8)
    found = between_schools(values, variances)
    other = between_schools(moved + times * values, times**2 * variances)
    close = {"rel": 1e-5, "abs": 1e-5 * times**2}
    assert other.tau_squared == pytest.approx(times**2 * found.tau_squared, **close)
    assert other.mean == pytest.approx(moved + times * found.mean, rel=1e-5, abs=1e-4 * times)
    assert 0 <= found.tau_squared_lower <= found.tau_squared_pm <= found.tau_squared_upper
    target = 7.0
    if weighted_q(values, variances, 0.0) > target:
        assert weighted_q(values, variances, solve_q(values, variances, target)) == pytest.approx(7)


def test_shrunken_values_lie_between_the_value_and_the_mean():
    values, variances = made(5)
    pulled, error = shrunken(values, variances, mean=10.0, tau_squared=9.0)
    assert (np.abs(pulled - 10) < np.abs(values - 10)).all()
    assert (error < np.sqrt(variances)).all()
    flat, none = shrunken(values, variances, mean=10.0, tau_squared=0.0)
    assert (flat == 10).all()
    assert (none == 0).all()
