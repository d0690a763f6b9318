from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval.numerics.levels import proportions, ratios
from vsh_eval.numerics.levels.contrasts import (
    combine,
    contrast_limits,
    correlations,
    school_error,
    share,
    slope_weights,
)
from vsh_eval.numerics.rounding import significant


def estimate(seed, *, schools=12, cells=4):
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 20, (schools, cells)).astype(float)
    y = np.minimum(rng.poisson(0.3 * x), x)
    return ratios.ratio(y, x), y, x


def test_slope_weights_are_those_of_least_squares():
    times = np.array([2016.0, 2017, 2018, 2020, 2021])
    used = np.array([[True, True, True, True, True], [False, True, False, True, True]])
    values = np.array([3.0, 5, 4, 8, 11])
    weights = slope_weights(times, used)
    for row, kept in zip(weights, used, strict=True):
        assert row @ values == pytest.approx(np.polyfit(times[kept], values[kept], 1)[0])
        assert (row[~kept] == 0).all()


def test_fewer_than_two_cells_have_no_slope():
    weights = slope_weights(np.array([1.0, 2, 3]), np.array([[False, True, False], [False] * 3]))
    assert np.isnan(weights).all()
    found = combine(estimate(1, cells=6)[0], weights)
    assert np.isnan([found.value, found.std_error]).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_one_less_another_is_the_difference(seed):
    both, _, _ = estimate(seed, cells=2)
    found = combine(both, np.array([[-1.0, 1.0]]))
    expected = ratios.difference(both.take([1]), both.take([0]), same_pupils=False)
    for field in ("value", "std_error", "df", "clusters", "influence"):
        assert getattr(found, field) == pytest.approx(getattr(expected, field), abs=1e-12)


def test_a_slope_of_schools_agrees_with_the_jackknife():
    rng = np.random.default_rng(3)
    x = rng.integers(20, 60, (80, 4)).astype(float)
    y = x * np.clip(rng.normal(0.2, 0.05, (80, 1)) + rng.normal(0, 0.03, (80, 4)), 0, 1)
    weights = slope_weights(np.arange(4.0), np.ones((1, 4), dtype=bool))
    found = combine(ratios.ratio(y, x), weights)
    slopes = np.array(
        [weights[0] @ (np.delete(y, at, 0).sum(0) / np.delete(x, at, 0).sum(0)) for at in range(80)]
    )
    jackknife = np.sqrt(79 / 80 * ((slopes - slopes.mean()) ** 2).sum())
    assert found.std_error[0] == pytest.approx(jackknife, rel=0.02)


def test_blocks_are_kept_apart_and_unused_cells_do_not_matter():
    both, _, _ = estimate(8, cells=6)
    weights = np.array([[-1.0, 0.0, 1.0], [0.0, -1.0, 1.0]])
    found = combine(both, weights)
    alone = combine(both.take([3, 4, 5]), weights[1:])
    assert found.value[1] == alone.value[0]
    assert found.std_error[1] == alone.std_error[0]
    empty = ratios.ratio(np.zeros((3, 2)), np.array([[1.0, 0.0]] * 3))
    assert combine(empty, np.array([[1.0, 0.0]])).value[0] == 0
    assert np.isnan(combine(empty, np.array([[1.0, 1.0]])).value[0])


def test_one_school_adds_its_errors():
    sums = ratios.PupilSums(*(np.array([[5.0, 6.0]]) for _ in range(4)))
    one = ratios.ratio(np.array([[1.0, 2.0]]), np.array([[5.0, 6.0]]), sums)
    found = combine(one, np.array([[-2.0, 1.0]]))
    assert found.std_error[0] == pytest.approx(2 * one.std_error[0] + one.std_error[1])
    assert found.df[0] == one.df.min()


def test_mover_of_two_cells_is_the_difference_of_limits():
    value, lower, upper = np.array([[0.2, 0.5]]), np.array([[0.1, 0.42]]), np.array([[0.35, 0.6]])
    together = np.array([[[1.0, 0.4], [0.4, 1.0]]])
    found = contrast_limits((value, lower, upper), np.array([[-1.0, 1.0]]), together)
    sides = [tuple(part[:, at] for part in (value, lower, upper)) for at in (1, 0)]
    expected = proportions.difference_limits(*sides, correlation=0.4)
    assert found[1] == pytest.approx(expected[0])
    assert found[2] == pytest.approx(expected[1])


def test_symmetric_limits_give_the_interval_of_the_contrast():
    both, _, _ = estimate(11)
    weights = np.array([[-0.3, -0.1, 0.1, 0.3]])
    found = combine(both, weights)
    reach = 2.0 * both.std_error.reshape(1, 4)
    value = both.value.reshape(1, 4)
    joined = contrast_limits(
        (value, value - reach, value + reach), weights, correlations(both, (1, 4))
    )
    assert joined[0] == pytest.approx(found.value)
    assert joined[2] - joined[0] == pytest.approx(2.0 * found.std_error, rel=1e-6)


def test_correlations_of_cells_without_variation_are_nought():
    certain = ratios.ratio(np.array([[0.0, 1.0], [0.0, 3.0]]), np.array([[4.0, 4.0], [4.0, 4.0]]))
    assert correlations(certain, (1, 2)).tolist() == [[[1.0, 0.0], [0.0, 1.0]]]


def test_shares_add_up_and_agree_with_the_jackknife():
    rng = np.random.default_rng(4)
    x = rng.integers(20, 60, (90, 1)).astype(float)
    first, second = x * rng.uniform(0.05, 0.1, (90, 1)), x * rng.uniform(0.0, 0.1, (90, 1))
    whole = ratios.ratio(first + second, x)
    parts = [share(ratios.ratio(part, x), whole) for part in (first, second)]
    assert parts[0].value + parts[1].value == pytest.approx(1.0)
    assert parts[0].std_error == pytest.approx(parts[1].std_error)
    left = [
        np.delete(first, at).sum() / (np.delete(first, at).sum() + np.delete(second, at).sum())
        for at in range(90)
    ]
    jackknife = np.sqrt(89 / 90 * ((np.array(left) - np.mean(left)) ** 2).sum())
    assert parts[0].std_error[0] == pytest.approx(jackknife, rel=0.02)


def test_a_share_of_nought_and_of_one_school_is_missing():
    x = np.array([[4.0], [4.0]])
    nought = ratios.ratio(np.zeros((2, 1)), x)
    assert np.isnan(share(nought, nought).value[0])
    one = ratios.ratio(np.array([[1.0]]), np.array([[4.0]]))
    assert np.isnan(share(one, one).std_error[0])
    assert np.isnan(school_error(np.array([[1.0]]), np.array([1.0]))[0])


weights_of_years = st.lists(st.integers(-4, 4), min_size=4, max_size=4).map(
    lambda whole: np.array([whole]) / 4
)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), weights_of_years)
def test_a_contrasts_noise_variance_is_the_sum_of_squared_coefficients(seed, weights):
    exact, _, _ = estimate(seed)
    sd = np.random.default_rng(seed).uniform(0.01, 0.1, 4)
    found = combine(replace(exact, noise=np.diag(sd)), weights)
    added = (weights[0] ** 2 * sd**2).sum()
    assert (found.noise**2).sum() == pytest.approx(added)
    plain = combine(exact, weights)
    assert found.value == pytest.approx(plain.value)
    if (weights != 0).any():
        sampling = significant(plain.std_error)
        assert found.std_error**2 == pytest.approx(sampling**2 + added)
    # Years that share one draw, as a level counted in each of them: coefficients add first.
    shared = combine(replace(exact, noise=sd[:1] * np.ones((1, 4))), weights)
    assert shared.noise[0, 0] == pytest.approx(weights.sum() * sd[0], abs=1e-15)


def test_a_cell_that_does_not_count_adds_no_noise_and_a_share_divides_it():
    x = np.array([[4.0, 0.0], [6.0, 0.0], [5.0, 0.0]])
    both = ratios.ratio(np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]), x)
    noise = np.array([[0.02, np.nan]])
    found = combine(replace(both, noise=noise), np.array([[1.0, 0.0]]))
    assert found.noise.tolist() == [[0.02]]
    part, whole = ratios.ratio(x[:, :1] / 8, x[:, :1]), both.take([0])
    divided = share(replace(part, noise=np.array([[0.01]])), replace(whole, noise=np.array([[0]])))
    assert divided.noise[0, 0] == pytest.approx(0.01 / whole.value[0])
    same = replace(whole, noise=np.array([[0.02]]))
    assert share(same, same).noise[0, 0] == 0
    # Numbers of two metrics are moved by two draws, of which nothing cancels.
    two = share(same, same, same_noise=False)
    assert (two.noise**2).sum() == pytest.approx(2 * (0.02 / whole.value[0]) ** 2)
    assert share(same, same).std_error[0] == 0


def test_noise_of_their_own_keeps_years_apart():
    together, _, _ = estimate(11, cells=1)
    years = together.take([0, 0])
    assert correlations(years, (1, 2))[0, 0, 1] == pytest.approx(1)
    error = years.std_error[0]
    apart = replace(years, noise=error * np.eye(2))
    assert correlations(apart, (1, 2))[0, 0, 1] == pytest.approx(0.5)
    same_draw = replace(years, noise=error * np.ones((1, 2)))
    assert correlations(same_draw, (1, 2))[0, 0, 1] == pytest.approx(1)
