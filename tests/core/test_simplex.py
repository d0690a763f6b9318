import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from tests.effects.stepwise import stepwise_weights
from vsh_eval.numerics.estimators.synthetic import nearest_weights


def drawn(seed, periods=5, units=8):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(periods, units)), rng.normal(size=periods)


def cost(weights, sources, target, ridge):
    return float(((sources @ weights - target) ** 2).sum() + ridge * (weights @ weights))


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    ridge=st.sampled_from([1e-6, 1e-2, 1.0, 100.0]),
    units=st.integers(2, 30),
)
def test_no_step_along_the_simplex_makes_the_exact_mixture_better(seed, ridge, units):
    """At a minimum over the simplex no source has a lower slope than those in use."""
    sources, target = drawn(seed, units=units)
    weights = nearest_weights(sources, target, ridge=ridge)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)
    slope = 2 * sources.T @ (sources @ weights - target) + 2 * ridge * weights
    assert slope[weights > 0] == pytest.approx(slope.min(), abs=1e-6 * (1 + ridge))


def test_the_exact_mixture_is_what_a_general_solver_finds():
    sources, target = drawn(3)
    found = minimize(
        cost, np.full(8, 1 / 8), args=(sources, target, 0.5), method="SLSQP", tol=1e-14,
        bounds=[(0, 1)] * 8, constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
    )  # fmt: skip
    assert nearest_weights(sources, target, ridge=0.5) == pytest.approx(found.x, abs=1e-6)


def test_sources_in_another_order_have_the_same_weights():
    """Even where many mixtures match perfectly, the one of least squares is the one."""
    sources, target = drawn(5, periods=2, units=12)
    order = np.random.default_rng(1).permutation(12)
    weights = nearest_weights(sources, target, ridge=1e-8)
    other = nearest_weights(sources[:, order], target, ridge=1e-8)
    assert other == pytest.approx(weights[order], abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_steps_come_near_the_exact_mixture_and_never_under_it(seed):
    sources, target = drawn(seed)
    exact = cost(nearest_weights(sources, target, ridge=1.0), sources, target, 1.0)
    steps = cost(stepwise_weights(sources, target, ridge=1.0, stop=1e-6), sources, target, 1.0)
    assert exact - 1e-9 <= steps <= exact * 1.01 + 1e-6


def test_the_steps_stay_where_they_cannot_move():
    assert stepwise_weights(np.ones((2, 2)), np.ones(2), ridge=0.0, stop=1e-6).sum() == 1
