import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from vsh_eval.numerics.levels.proportions import (
    binomial_std_error,
    difference_limits,
    log_share_std_error,
    wilson,
)

CASES = [(56, 70, 48, 80), (9, 10, 3, 10), (0, 12, 5, 30), (10, 10, 0, 20), (55270, 120250, 1, 9)]


def limits(successes, trials, alpha=0.05):
    s, n = np.array([float(successes)]), np.array([float(trials)])
    return s / n, *wilson(s, n, alpha=alpha)


@pytest.mark.parametrize("case", CASES)
def test_newcombe_equals_statsmodels(case):
    found = difference_limits(limits(*case[:2]), limits(*case[2:]))
    expected = confint_proportions_2indep(*case, method="newcomb", compare="diff")
    assert [found[0][0], found[1][0]] == pytest.approx(expected, abs=1e-12)


def test_newcombes_own_example():
    # Newcombe (1998), table II, comparison (a): 56/70 - 48/80, method 10.
    lower, upper = difference_limits(limits(56, 70), limits(48, 80))
    assert [round(lower[0], 4), round(upper[0], 4)] == [0.0524, 0.3339]


def test_a_fixed_reference_shifts_the_interval():
    share, lower, upper = limits(30, 100)
    fixed = (np.array([0.1]),) * 3
    found = difference_limits((share, lower, upper), fixed)
    assert [found[0][0], found[1][0]] == pytest.approx([lower[0] - 0.1, upper[0] - 0.1])


def test_symmetric_limits_join_to_the_t_interval():
    first = (np.array([0.5]), np.array([0.2]), np.array([0.8]))
    second = (np.array([0.4]), np.array([0.0]), np.array([0.8]))
    lower, upper = difference_limits(first, second, correlation=0.25)
    reach = np.sqrt(0.09 + 0.16 - 2 * 0.25 * 0.3 * 0.4)
    assert [lower[0], upper[0]] == pytest.approx([0.1 - reach, 0.1 + reach])


def test_full_correlation_of_equal_limits_leaves_no_width():
    first = (np.array([0.5]), np.array([0.2]), np.array([0.8]))
    lower, upper = difference_limits(first, first, correlation=1.0)
    assert [lower[0], upper[0]] == [0.0, 0.0]


@pytest.mark.parametrize("case", [case for case in CASES if case[0] and case[2]])
def test_log_ratio_equals_statsmodels(case):
    a, n, b, m = (np.array([float(value)]) for value in case)
    error = np.hypot(log_share_std_error(a, n), log_share_std_error(b, m))[0]
    expected = confint_proportions_2indep(*case, method="log", compare="ratio")
    value = np.log(case[0] / case[1] * case[3] / case[2])
    reach = 1.959963984540054 * error
    assert np.exp([value - reach, value + reach]) == pytest.approx(expected, rel=1e-9)


def test_missing_counts_and_no_trials_have_no_limits():
    s, n = np.array([np.nan, 0.0, 3.0]), np.array([10.0, 0.0, np.nan])
    assert np.isnan(wilson(s, n, alpha=0.05)).all()
    assert np.isnan(binomial_std_error(s, n)).all()
    assert np.isnan(log_share_std_error(s, n)).all()
