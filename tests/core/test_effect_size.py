import numpy as np
import pytest

from vsh_eval.numerics.levels import ratios
from vsh_eval.numerics.levels.effect_size import (
    log_odds_difference,
    small_sample_factor,
    standardised,
    toolkit_months,
)

TOOLKIT = {  # domain.md section 4, the Toolkit's own table
    0: (0.0, 0.01),
    1: (0.02, 0.09),
    2: (0.10, 0.18),
    3: (0.19, 0.26),
    4: (0.27, 0.35),
    5: (0.36, 0.44),
    6: (0.45, 0.52),
    7: (0.53, 0.61),
    8: (0.62, 0.69),
    9: (0.70, 0.78),
    10: (0.79, 0.87),
    11: (0.88, 0.95),
    12: (0.96, 1.00),
}


@pytest.mark.parametrize(("months", "ends"), TOOLKIT.items())
def test_months_are_those_of_the_toolkit(months, ends):
    low, high = ends
    assert toolkit_months(np.array([low, high])).tolist() == [months, months]
    assert toolkit_months(np.array([-low, -high])).tolist() == [-months, -months]


def test_every_effect_has_months_and_missing_ones_none():
    effects = np.arange(0, 3, 0.001)
    months = toolkit_months(effects)
    assert (np.diff(months) >= 0).all()
    assert months.max() == 12
    assert np.isnan(toolkit_months(np.array([np.nan]))).all()
    assert not np.signbit(toolkit_months(np.array([-0.004]))[0])


def test_the_factor_is_close_to_hedges_own():
    from scipy.special import gammaln

    m = np.array([10.0, 48.0, 500.0])
    exact = np.exp(gammaln(m / 2) - gammaln((m - 1) / 2)) / np.sqrt(m / 2)
    assert small_sample_factor(m + 2) == pytest.approx(exact, rel=5e-4)


def two_groups(seed, schools):
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), 12)
    cohort = np.tile(np.arange(12) < 4, schools)
    y = rng.normal(40 - 12 * cohort, 15) + rng.normal(0, 4, schools)[school]
    return school, cohort, y


def sums(school, kept, values, schools):
    return np.bincount(school[kept], weights=values[kept], minlength=schools)[:, None].astype(float)


def g_of(school, cohort, y, schools):
    one = np.ones_like(y)
    means = [y[cohort].mean(), y[~cohort].mean()]
    levels = [
        ratios.ratio(sums(school, side, y, schools), sums(school, side, one, schools))
        for side in (cohort, ~cohort)
    ]
    away = (y - np.where(cohort, *means)) ** 2
    every = np.ones_like(cohort)
    variance = ratios.ratio(sums(school, every, away, schools), sums(school, every, one, schools))
    gap = ratios.difference(*levels, same_pupils=True)
    return standardised(gap, variance, np.array([float(len(y))]))


def test_the_error_of_g_agrees_with_the_jackknife_of_schools():
    schools = 60
    school, cohort, y = two_groups(2, schools)
    found = g_of(school, cohort, y, schools)
    left = []
    for at in range(schools):
        kept = school != at
        a, b = y[kept & cohort], y[kept & ~cohort]
        n = len(a) + len(b)
        squares = ((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum()
        left.append((1 - 3 / (4 * n - 9)) * (a.mean() - b.mean()) / np.sqrt(squares / (n - 2)))
    jackknife = np.sqrt((schools - 1) / schools * ((left - np.mean(left)) ** 2).sum())
    assert found.std_error[0] == pytest.approx(jackknife, rel=0.03)
    assert found.df[0] == schools - 1


def test_one_school_has_the_textbook_error():
    value = ratios.ratio(np.array([[-20.0]]), np.array([[10.0]]))
    sums_ = ratios.PupilSums(*(np.array([[v]]) for v in (10.0, 80.0, -20.0, 10.0)))
    gap = ratios.ratio(np.array([[-20.0]]), np.array([[10.0]]), sums_)
    variance = ratios.ratio(np.array([[40.0]]), np.array([[10.0]]))
    pupils = np.array([12.0])
    found = standardised(gap, variance, pupils)
    factor = small_sample_factor(pupils) / np.sqrt(4.0 * 12 / 10)
    expected = np.hypot(factor * gap.std_error, found.value / np.sqrt(20))
    assert found.std_error == pytest.approx(expected)
    assert np.isnan(standardised(value, variance, pupils).std_error[0])


def test_pupils_who_are_all_alike_have_no_effect_size():
    gap = ratios.ratio(np.full((3, 1), -4.0), np.full((3, 1), 2.0))
    variance = ratios.ratio(np.zeros((3, 1)), np.full((3, 1), 2.0))
    assert np.isnan(standardised(gap, variance, np.array([12.0])).value[0])


def test_coxs_index_by_hand_and_by_jackknife():
    schools = 60
    school, cohort, y = two_groups(3, schools)
    passed = (y > 35).astype(float)
    one = np.ones_like(y)
    levels = [
        ratios.ratio(sums(school, side, passed, schools), sums(school, side, one, schools))
        for side in (cohort, ~cohort)
    ]
    found = log_odds_difference(*levels, np.array([float(len(y))]))

    def index(kept):
        p, q = passed[kept & cohort].mean(), passed[kept & ~cohort].mean()
        n = kept.sum()
        return (1 - 3 / (4 * n - 9)) * (np.log(p / (1 - p)) - np.log(q / (1 - q))) / 1.65

    assert found.value[0] == pytest.approx(index(np.ones_like(cohort)))
    left = np.array([index(school != at) for at in range(schools)])
    jackknife = np.sqrt((schools - 1) / schools * ((left - left.mean()) ** 2).sum())
    assert found.std_error[0] == pytest.approx(jackknife, rel=0.05)


@pytest.mark.parametrize("reached", [0.0, 4.0])
def test_none_or_all_have_no_log_odds(reached):
    n = np.full((3, 1), 4.0)
    some = ratios.ratio(np.full((3, 1), 2.0), n)
    found = log_odds_difference(ratios.ratio(np.full((3, 1), reached), n), some, np.array([24.0]))
    assert np.isnan([found.value[0], found.std_error[0]]).all()
