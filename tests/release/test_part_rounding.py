"""Parts of rounded totals: adjacent multiples that add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval.release.disclosure.part_rounding import Whole, round_parts
from vsh_eval.release.disclosure.rounding import bounds
from vsh_eval.release.disclosure.rules import rule_named

STRICT = rule_named("strict10")


def arrays(parts):
    size = 5 * parts
    return st.lists(st.integers(0, 60), min_size=size, max_size=size).map(
        lambda values: np.array(values, dtype=np.int64).reshape(5, parts)
    )


@settings(max_examples=50, deadline=None)
@given(arrays(3), st.lists(st.integers(-3, 3), min_size=5, max_size=5), st.integers(0, 5))
def test_parts_are_adjacent_multiples_that_add_up_where_they_can(counts, off, seed):
    totals = np.maximum(counts.sum(axis=1) // 5 * 5 + 5 * np.array(off), 0)
    rounded = round_parts(counts, totals, STRICT, seed=seed)
    low, may_rise = bounds(counts, STRICT)
    several = (counts > 0).sum(axis=1) > 1
    for group in np.flatnonzero(several):
        assert (rounded[group] % 5 == 0).all()
        assert (np.abs(rounded[group] - counts[group]) < 5).all()
        assert (rounded[group][counts[group] < 10] < 10).all()
        least, most = low[group].sum(), (low + 5 * may_rise)[group].sum()
        assert rounded[group].sum() == np.clip(totals[group], least, most)
    assert (round_parts(counts, totals, STRICT, seed=seed) == rounded).all()


@settings(max_examples=50, deadline=None)
@given(arrays(2), st.lists(st.floats(0, 1), min_size=10, max_size=10))
def test_a_numerator_stays_within_its_children(counts, share):
    part = (counts * np.array(share).reshape(5, 2)).astype(np.int64)
    totals = counts.sum(axis=1) // 5 * 5
    n = round_parts(counts, totals, STRICT)
    y = round_parts(part, part.sum(axis=1) // 5 * 5, STRICT, whole=Whole(counts, n), ceiling=n)
    assert (y <= n).all()


def test_a_total_with_one_part_is_that_part():
    counts = np.zeros((5, 3), dtype=np.int64)
    counts[4, 1] = 61
    assert round_parts(counts, np.array([0, 0, 0, 0, 55]), STRICT)[4].tolist() == [0, 55, 0]


@pytest.mark.parametrize("seed", range(6))
def test_a_small_sum_does_not_look_large_where_an_exchange_helps(seed):
    """Girls of cin 4 and cpp 4 hold 8 together: 5 and 5 would look like ten."""
    counts = np.zeros((5, 2), dtype=np.int64)
    counts[1], counts[2] = (4, 22), (4, 23)
    rounded = round_parts(counts, np.array([0, 25, 25, 0, 0]), STRICT, seed=seed)
    assert rounded.sum(axis=1).tolist() == [0, 25, 25, 0, 0]
    assert rounded[1, 0] + rounded[2, 0] < 10


def test_nobody_outside_a_numerator_does_not_look_like_many():
    """Of 12 girls 11 are absent: 15 less 5 would look like ten present."""
    n, y = np.zeros((5, 2), dtype=np.int64), np.zeros((5, 2), dtype=np.int64)
    n[2], y[2] = (12, 30), (8, 13)
    rounded_n = np.zeros_like(n)
    rounded_n[2] = (15, 30)
    rounded = round_parts(y, np.array([0, 0, 20, 0, 0]), STRICT, whole=Whole(n, rounded_n))
    assert rounded[2].tolist() == [5, 15]
