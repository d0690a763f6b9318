from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval.numerics.levels.ratios import (
    PupilSums,
    correlation,
    difference,
    logarithm,
    logit_interval,
    ratio,
    t_interval,
    total_error,
)
from vsh_eval.numerics.rounding import significant


def pupils(seed, *, schools=25, sizes=(1, 9)):
    """Draw pupils of two groups: school, whether in the group, x and y."""
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), rng.integers(*sizes, schools))
    group = rng.random(len(school)) < 0.4
    x = rng.integers(200, 380, len(school)).astype(float)
    rate = rng.beta(2, 10, len(school)) + 0.05 * group + rng.normal(0, 0.03, schools)[school]
    return school, group, x, np.rint(np.clip(rate, 0, 1) * x)


def by_school(school, values, schools=25):
    return np.bincount(school, weights=values, minlength=schools)[:, None]


def test_hand_table():
    # Three schools: Y = 2, 5, 8 of X = 10, 20, 30, so R = 15/60 and e = -0.5, 0, 0.5 over 60.
    found = ratio(np.array([[2.0], [5.0], [8.0]]), np.array([[10.0], [20.0], [30.0]]))
    assert found.value[0] == 0.25
    assert found.influence[:, 0] == pytest.approx([-0.5 / 60, 0, 0.5 / 60])
    assert found.std_error[0] == pytest.approx(np.sqrt(3 / 2 * 2 * (0.5 / 60) ** 2))
    assert (found.df[0], found.clusters[0]) == (2, 3)


def test_level_equals_weighted_least_squares_with_cluster_robust_errors():
    school, _, x, y = pupils(1)
    found = ratio(by_school(school, y), by_school(school, x))
    fit = sm.WLS(y / x, np.ones_like(x), weights=x).fit(
        cov_type="cluster", cov_kwds={"groups": school}, use_t=True
    )
    # statsmodels also multiplies by (n - 1) / (n - k), which is 1 with one parameter.
    assert found.value[0] == pytest.approx(fit.params[0], rel=1e-12)
    assert found.std_error[0] == pytest.approx(fit.bse[0], rel=1e-10)
    lower, upper = t_interval(found.value, found.std_error, found.df)
    assert [lower[0], upper[0]] == pytest.approx(fit.conf_int(0.05)[0], rel=1e-9)


def test_gap_equals_least_squares_on_a_group_indicator():
    school, group, x, y = pupils(2, sizes=(14, 22))
    first = ratio(by_school(school, y * group), by_school(school, x * group))
    second = ratio(by_school(school, y * ~group), by_school(school, x * ~group))
    assert first.clusters[0] == second.clusters[0] == 25
    found = difference(first, second, same_pupils=True)
    fit = sm.WLS(y / x, sm.add_constant(group.astype(float)), weights=x).fit(
        cov_type="cluster", cov_kwds={"groups": school}, use_t=True
    )
    exact = (len(y) - 2) / (len(y) - 1)
    assert found.value[0] == pytest.approx(fit.params[1], rel=1e-10)
    assert found.std_error[0] == pytest.approx(fit.bse[1] * np.sqrt(exact), rel=1e-9)
    apart = np.hypot(first.std_error, second.std_error)
    assert found.std_error[0] != pytest.approx(apart[0], rel=0.01)


def test_error_is_near_the_jackknife_and_the_school_bootstrap():
    school, group, x, y = pupils(3, schools=60, sizes=(3, 12))
    sums = [by_school(school, part, 60)[:, 0] for part in (y * group, x * group, y, x)]

    def gap(weights):
        a, b, c, d = (weights @ part for part in sums)
        return a / b - c / d

    first = ratio(sums[0][:, None], sums[1][:, None])
    every = ratio(sums[2][:, None], sums[3][:, None])
    error = difference(first, every, same_pupils=True).std_error[0]
    left_out = gap(1 - np.eye(60))
    jackknife = np.sqrt(59 / 60 * ((left_out - left_out.mean()) ** 2).sum())
    rng = np.random.default_rng(4)
    drawn = gap(rng.multinomial(60, np.full(60, 1 / 60), size=9_999).astype(float))
    assert error == pytest.approx(jackknife, rel=0.05)
    assert error == pytest.approx(drawn.std(ddof=1), rel=0.05)


def test_log_ratio_is_the_delta_method():
    school, group, x, y = pupils(5, sizes=(14, 22))
    first = ratio(by_school(school, y * group), by_school(school, x * group))
    second = ratio(by_school(school, y * ~group), by_school(school, x * ~group))
    found = difference(logarithm(first), logarithm(second), same_pupils=True)
    stacked = first.influence / first.value - second.influence / second.value
    assert found.value[0] == pytest.approx(np.log(first.value[0] / second.value[0]))
    assert found.std_error[0] == pytest.approx(np.sqrt(25 / 24 * (stacked**2).sum()))


def test_one_school_takes_its_pupils_as_the_sample():
    rng = np.random.default_rng(6)
    x, y = rng.integers(200, 380, 8).astype(float), rng.integers(0, 90, 8).astype(float)
    sums = PupilSums(*(np.array([[value]]) for value in (8, y @ y, x @ y, x @ x)))
    found = ratio(np.array([[y.sum()]]), np.array([[x.sum()]]), sums)
    fit = sm.WLS(y / x, np.ones(8), weights=x).fit(
        cov_type="cluster", cov_kwds={"groups": np.arange(8)}
    )
    assert found.std_error[0] == pytest.approx(fit.bse[0], rel=1e-9)
    assert found.df[0] == 7


def test_one_school_with_a_total_that_holds_the_group_counts_the_covariance():
    rng = np.random.default_rng(7)
    x, y = rng.integers(200, 380, 30).astype(float), rng.integers(0, 90, 30).astype(float)
    mine = np.arange(30) < 9

    none = np.zeros(30, dtype=bool)

    def measure(*parts):
        products = (np.ones(30), y * y, x * y, x * x)
        sums = PupilSums(*(np.array([[p[part].sum()] for part in parts]) for p in products))
        some = parts[0] | parts[1]
        return ratio(np.array([[y[some].sum()]]), np.array([[x[some].sum()]]), sums)

    group, every = measure(mine, none), measure(mine, ~mine)
    found = difference(group, every, same_pupils=True)
    own = mine * (y - group.value * x) / x[mine].sum() - (y - every.value * x) / x.sum()
    assert found.std_error[0] == pytest.approx(np.sqrt(9 / 8 * (own**2).sum()), rel=1e-9)


def test_one_school_across_years_gets_the_widest_error_possible():
    sums = PupilSums(*(np.array([[value]]) for value in (4.0, 60.0, 70.0, 100.0)))
    first = ratio(np.array([[14.0]]), np.array([[20.0]]), sums)
    second = ratio(np.array([[12.0]]), np.array([[20.0]]), sums)
    found = difference(first, second, same_pupils=False)
    assert found.std_error[0] == pytest.approx(first.std_error[0] + second.std_error[0])
    assert found.df[0] == 3


def test_a_group_in_one_school_against_many_gets_the_widest_error_possible():
    sums = PupilSums(*(np.array([[value]]) for value in (4.0, 60.0, 70.0, 100.0)))
    x = np.array([[20.0], [30.0]])
    group = ratio(np.array([[14.0], [0.0]]), np.array([[20.0], [0.0]]), sums)
    others = ratio(np.array([[5.0], [9.0]]), x, sums)
    found = difference(group, others, same_pupils=True)
    assert found.std_error[0] == pytest.approx(group.std_error[0] + others.std_error[0])


@pytest.mark.parametrize("count", [0.0, 1.0])
def test_no_pupils_and_one_pupil_have_no_error(count):
    sums = PupilSums(*(np.array([[count]]) for _ in range(4)))
    found = ratio(np.array([[count]]), np.array([[count]]), sums)
    assert np.isnan(found.std_error[0])
    assert np.isnan(found.value[0]) == (count == 0)


def test_take_keeps_schools_and_picks_cells():
    y, x = np.arange(6.0).reshape(3, 2), np.full((3, 2), 10.0)
    found = ratio(y, x).take([1, 1, 0])
    assert found.value == pytest.approx([9 / 30, 9 / 30, 6 / 30])
    assert found.influence.shape == (3, 3)


def test_logit_interval_is_inside_and_nearly_plain_in_the_middle():
    share, error, df = np.array([0.5, 0.01, 0.0]), np.array([0.01, 0.01, 0.0]), np.full(3, 40.0)
    lower, upper = logit_interval(share, error, df)
    plain = t_interval(share, error, df)
    assert [lower[0], upper[0]] == pytest.approx([plain[0][0], plain[1][0]], abs=1e-4)
    assert 0 < lower[1] < 0.01 < upper[1] < 1
    assert plain[0][1] < 0
    assert np.isnan([lower[2], upper[2]]).all()


def test_correlation_of_missing_errors_is_nought():
    found = correlation(np.array([np.nan, 0.0, 2.0]), np.ones(3), np.array([1.0, 1.0, 1.0]))
    assert found.tolist() == [0.0, 0.0, 1.0]


sums_of_schools = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 300), st.integers(0, 90), st.integers(1, 900)),
    min_size=2,
    max_size=12,
)


@settings(max_examples=50, deadline=None)
@given(sums_of_schools, st.randoms(use_true_random=False))
def test_school_order_and_schools_without_pupils_never_matter(rows, random):
    def measure(listed):
        y, x, y_beside, x_beside = np.array(listed, dtype=float).T[..., None]
        return difference(ratio(y, x), ratio(y_beside, x_beside), same_pupils=True)

    shuffled = [*rows, (0, 0, 0, 0)]
    random.shuffle(shuffled)
    found, again = measure(rows), measure(shuffled)
    for name in ("value", "std_error", "df"):
        assert getattr(found, name) == pytest.approx(getattr(again, name), nan_ok=True, abs=1e-12)


def noisy(seed, *, schools=12, cells=4, draws=(0, 1, 2, 3), of=4):
    """Estimates whose cells have noise of their own, in the rows that are theirs."""
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 20, (schools, cells)).astype(float)
    rows, sd = np.zeros((of, cells)), rng.uniform(0.01, 0.1, cells)
    rows[list(draws), range(cells)] = sd
    return replace(ratio(np.minimum(rng.poisson(0.3 * x) + 1.0, x), x), noise=rows), sd


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_noise_of_other_draws_adds_its_squares_and_the_same_level_cancels(seed):
    one, sd = noisy(seed, cells=2, draws=(0, 1))
    other, other_sd = noisy(seed + 1, cells=2, draws=(2, 3))
    gap = difference(one, other, same_pupils=True)
    assert (gap.noise**2).sum(axis=0) == pytest.approx(sd**2 + other_sd**2)
    exact = replace(one, noise=one.noise[:0]), replace(other, noise=other.noise[:0])
    sampling = difference(*exact, same_pupils=True).std_error
    assert gap.std_error**2 == pytest.approx(significant(sampling) ** 2 + sd**2 + other_sd**2)
    # One level in two gaps: its draw is gone from their difference, and so is its school's part.
    again = difference(gap, difference(one, other, same_pupils=True), same_pupils=False)
    assert not again.noise.any()
    assert again.std_error.tolist() == [0, 0]
    moved = difference(gap, difference(one, -other, same_pupils=True), same_pupils=False)
    assert (moved.noise**2).sum(axis=0) == pytest.approx(4 * other_sd**2)


def test_the_noise_of_a_logarithm_is_relative_and_goes_with_its_sign_and_its_cells():
    found, sd = noisy(3)
    log = logarithm(found)
    assert np.abs(log.noise).sum(axis=0) == pytest.approx(sd / found.value)
    assert (-found).noise.tolist() == (-1 * found.noise).tolist()
    twice = found.take([2, 2])
    assert not difference(twice.take([0]), twice.take([1]), same_pupils=True).noise.any()


def test_exact_estimates_have_no_noise_and_their_errors_all_their_figures():
    found, _ = noisy(4)
    exact = replace(found, noise=found.noise[:0])
    gap = difference(exact, exact.take([1, 0, 3, 2]), same_pupils=True)
    assert gap.noise.shape == (0, 4)
    influence = exact.influence - exact.influence[:, [1, 0, 3, 2]]
    error = np.sqrt(gap.clusters / (gap.clusters - 1) * (influence**2).sum(axis=0))
    assert gap.std_error == pytest.approx(error, rel=1e-14)
    assert total_error(error, np.zeros((0, 4))) is error
