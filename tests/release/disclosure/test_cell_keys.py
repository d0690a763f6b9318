"""The change of a number is random to a reader, fixed by the children, and unrelated elsewhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsh_eval.release.disclosure.cell_keys import ENDS, MOST, change_of_count, mixed, smooth_change

MANY = 1_000_000
SOME = 200_000
KEYS = st.lists(st.integers(0, 2**50), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("count", "key", "drawn", "change"),
    [
        (9, 1, 3128349371, 1),
        (10, 7, 2895423495, 0),
        (14, 123456789, 158148234, -2),
        (15, 0, 362524150, -1),
        (83, 45678901234567, 1400352878, 0),
        (150, 1099511627775, 1777640972, 0),
        (150, 2199023255551, 2527545346, 0),
        (1601, 876543210987654, 3673876921, 1),
        (40000, 4503599627370495, 427795845, -1),
    ],
)
def test_the_fixture_of_the_specification(count, key, drawn, change):
    keys = np.array([key])
    assert mixed(keys).tolist() == [drawn]
    assert (count + change_of_count(keys)).tolist() == [count + change]


def test_the_table_of_chances_is_that_of_largest_entropy():
    chances = np.diff(np.concatenate([[0], ENDS])) / 2.0**32
    values = np.arange(-MOST, MOST + 1)
    assert chances @ values == pytest.approx(0, abs=1e-8)
    assert chances @ values**2 == pytest.approx(1, abs=1e-6)
    # log p is a straight line in v^2.
    slope = np.log(chances[MOST] / chances[MOST + 1])
    assert np.log(chances[MOST] / chances) == pytest.approx(slope * values**2, rel=1e-3, abs=1e-6)


@given(KEYS, st.sampled_from(["", "overall_absence", "ks4_attainment8"]))
def test_a_key_alone_makes_the_change_whatever_stands_beside_it(keys, salt):
    together, change = np.array(keys), change_of_count(np.array(keys))
    assert [change_of_count(np.array([key]))[0] for key in keys] == change.tolist()
    assert np.abs(change).max() <= MOST
    smooth = smooth_change(together, salt)
    assert (smooth_change(together[::-1], salt)[::-1] == smooth).all()
    if not salt:  # a smooth change is the same step, spread out
        assert np.abs(smooth - change).max() <= 0.5


def random_keys(seed, count=SOME):
    """Return keys of cells of up to two thousand children."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2**40, count) * rng.integers(1, 2000, count)


def test_changes_have_mean_zero_and_variance_one():
    keys = random_keys(1, MANY)
    for values, variance in ((change_of_count(keys), 1), (smooth_change(keys, "x"), 1 + 1 / 12)):
        assert values.mean() == pytest.approx(0, abs=0.005)
        assert values.var() == pytest.approx(variance, abs=0.01)


def correlations(*changes):
    """Return the largest correlation between two changes, or of one with a product of two."""
    first, second, both = changes
    rows = np.vstack([first, second, both, first * second, first * both, second * both])
    matrix = np.corrcoef(rows)
    return np.abs(matrix - np.eye(len(rows)))[:3].max()


def test_the_changes_of_parts_do_not_tell_that_of_the_whole():
    first, second = random_keys(2), random_keys(3)
    assert correlations(*map(change_of_count, (first, second, first + second))) < 0.015


def test_one_child_more_draws_again():
    keys, child = random_keys(4), np.random.default_rng(5).integers(0, 2**40, SOME)
    assert correlations(*map(change_of_count, (keys, keys + child, keys + 1))) < 0.015


def test_each_metric_and_statistic_has_a_change_of_its_own():
    salts = ("overall_absence", "authorised_absence", "overall_absence/composition_sen")
    keys = random_keys(6)
    assert correlations(*(smooth_change(keys, salt) for salt in salts)) < 0.015
