"""Controlled rounding: near every leaf, near every total, and never over a line it must keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vsh_eval import names
from vsh_eval.contracts import DisclosureError
from vsh_eval.release.disclosure import rounding
from vsh_eval.release.disclosure.rules import rule_named

from .attacker import random_leaves

STRICT, NONE = rule_named("strict10"), rule_named("none")
cubes = arrays(np.int64, (5, 2, 2), elements=st.integers(0, 40))


def numerators(counts, shares):
    return np.minimum(counts, np.round(counts * shares)).astype(np.int64)


@pytest.mark.parametrize(
    ("true", "allowed"),
    [
        (0, {0}),
        (1, {0, 5}),
        (4, {0, 5}),
        (5, {5}),
        (6, {5}),
        (9, {5}),
        (10, {10}),
        (11, {10, 15}),
        (14, {10, 15}),
        (15, {15}),
        (499, {495, 500}),
    ],
)
def test_a_leaf_goes_to_an_adjacent_multiple_and_six_to_nine_to_five(true, allowed):
    counts = np.zeros((5, 1, 1), dtype=np.int64)
    counts[2] = true
    assert rounding.round_controlled(counts, STRICT)[2, 0, 0] in allowed


@settings(max_examples=50, deadline=None)
@given(counts=cubes, shares=arrays(np.float64, (5, 2, 2), elements=st.floats(0, 1)))
def test_laws_of_rounded_leaves(counts, shares):
    part = numerators(counts, shares)
    n = rounding.round_controlled(counts, STRICT, parts=[part])
    y = rounding.round_controlled(part, STRICT, ceiling=n, whole=(counts, n))
    for true, rounded in ((counts, n), (part, y)):
        assert (np.abs(rounded - true) <= 4).all()
        assert (rounded % 5 == 0).all()
        assert (rounded[(true >= 6) & (true <= 9)] == 5).all()
        assert (true[rounded >= 10] >= 10).all()
    assert (y <= n).all()


@settings(max_examples=50, deadline=None)
@given(counts=cubes)
def test_no_sum_that_looks_large_enough_holds_fewer_than_ten(counts):
    shown = rounding.add_up(rounding.round_controlled(counts, STRICT))
    assert (rounding.add_up(counts)[shown >= 10] >= 10).all()


@settings(max_examples=25, deadline=None)
@given(counts=cubes, seed=st.integers(0, 3))
def test_the_same_counts_and_seed_give_the_same_leaves(counts, seed):
    first = rounding.round_controlled(counts, STRICT, seed=seed)
    assert (first == rounding.round_controlled(counts, STRICT, seed=seed)).all()


@pytest.mark.parametrize("seed", range(4))
def test_totals_stay_closer_than_with_nearest_allowed_multiples(seed):
    counts = random_leaves(seed, years=8)
    controlled = rounding.round_controlled(counts, STRICT)
    low, may_rise = rounding.bounds(counts, STRICT)
    nearest = low + 5 * (may_rise & (counts - low > 2))
    errors = [np.square(rounding.add_up(r - counts)).sum() for r in (controlled, nearest)]
    assert errors[0] < errors[1]
    assert np.abs(rounding.add_up(controlled - counts)).mean() < 2.5


def test_a_rule_that_protects_nothing_changes_nothing():
    counts = random_leaves(3)
    assert (rounding.round_controlled(counts, NONE) == counts).all()


def test_leaves_published_before_stay_and_the_others_make_up_for_them():
    counts = random_leaves(5)
    fixed = np.full(counts.shape, -1)
    fixed[:, :, 0] = 5 * (counts[:, :, 0] // 5) + 5
    found = rounding.round_controlled(counts, STRICT, fixed=fixed)
    assert (found[:, :, 0] == fixed[:, :, 0]).all()
    assert (np.abs(found - counts)[:, :, 1] <= 4).all()


def test_a_published_numerator_never_exceeds_the_published_number_of_children():
    counts = np.full((5, 1, 1), 12)
    ceiling = np.full((5, 1, 1), 10)
    fixed = np.full((5, 1, 1), 15)
    assert (rounding.round_controlled(counts, STRICT, ceiling=ceiling, fixed=fixed) == 10).all()


def test_a_negative_count_is_refused():
    with pytest.raises(DisclosureError, match="negative"):
        rounding.round_controlled(np.full((5, 1, 1), -1), STRICT)


def test_four_phases_of_three_children_are_not_found_out():
    counts = np.zeros((5, 4, 1), dtype=np.int64)
    counts[2] = 3
    found = rounding.round_controlled(counts, STRICT)
    assert set(found[2, :, 0]) == {0, 5}
    assert found.sum() in {10, 15}


def test_sums_are_the_sums_of_their_parts():
    leaves = random_leaves(1)
    cells = rounding.add_up(leaves)
    at = {name: i for i, name in enumerate((*names.LEAF_GROUPS, *names.GROUP_SUMS))}
    assert (cells[at["cwsw"]] == cells[at["cin"]] + cells[at["cpp"]]).all()
    assert (cells[at["all"], -1] == leaves.sum(axis=(0, 1))).all()
    assert (cells[:, -1] == cells[:, :-1].sum(axis=1)).all()


def test_people_outside_the_cube_keep_five_candidates_under_the_threshold():
    counts = np.arange(0, 60.0)
    shown = rounding.people(counts, STRICT)
    for multiple in (0, 5):
        assert (shown == multiple).sum() == 5
    assert (counts[shown >= 10] >= 10).all()
    assert (np.diff(shown) >= 0).all()


@settings(max_examples=50, deadline=None)
@given(value=st.floats(1e-6, 1e6))
def test_two_significant_figures_are_within_five_per_cent(value):
    found = float(rounding.significant(np.array([value]))[0])
    assert found == pytest.approx(value, rel=0.051)
    assert float(f"{found:.1e}") == pytest.approx(found, rel=1e-9)


def test_missing_values_stay_missing():
    assert np.isnan(rounding.significant(np.array([np.nan]))[0])
