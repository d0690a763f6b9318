import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval.numerics.inference import placebos
from vsh_eval.numerics.inference.significance import ALPHA

some = st.lists(st.floats(-5, 5, allow_subnormal=False), min_size=1, max_size=60).map(np.array)


@settings(max_examples=50, deadline=None)
@given(same=some, value=st.floats(-6, 6))
def test_interval_and_test_say_the_same(same, value):
    """Nought is outside the interval where and only where the test rejects."""
    rejects = placebos.rank_p_value(value, same) <= ALPHA + 1e-12
    assert rejects == (abs(value) > placebos.critical_value(same) - 1e-12) or (
        # A value that ties with the critical placebo counts as one of those as far away.
        abs(abs(value) - placebos.critical_value(same)) < 1e-9
    )


def test_each_of_exchangeable_values_is_rejected_in_its_share():
    values = np.random.default_rng(1).normal(size=200)
    p = [placebos.rank_p_value(v, np.delete(values, i)) for i, v in enumerate(values)]
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05)


def test_too_few_placebos_reject_nothing_and_detect_nothing():
    few = np.arange(1.0, 19.0)
    assert placebos.critical_value(few) == np.inf
    assert placebos.detectable(few) == np.inf
    assert placebos.rank_p_value(99.0, few) > 0.05


def test_the_detectable_effect_is_found_with_its_power():
    same = np.random.default_rng(2).normal(size=2_000)
    effect = placebos.detectable(same)
    critical = placebos.critical_value(same)
    found = np.mean(np.abs(np.concatenate([same, -same]) + effect) >= critical)
    assert found == pytest.approx(0.80, abs=0.002)
    assert effect == pytest.approx(1.96 + 0.84, abs=0.1)


def test_the_spread_by_size_is_recovered():
    rng = np.random.default_rng(3)
    sizes = rng.uniform(100, 3000, 20_000)
    same = rng.normal(0, np.sqrt(0.5 + 800 / sizes))
    found = placebos.size_spread(same, sizes, np.array([100.0, 1000.0, 3000.0]))
    assert found == pytest.approx(np.sqrt([8.5, 1.3, 0.5 + 800 / 3000]), rel=0.05)


def test_placebos_that_do_not_spread_have_no_spread():
    assert placebos.size_spread(np.zeros(4), np.ones(4), np.ones(1)).tolist() == [0.0]


@settings(max_examples=50, deadline=None)
@given(
    sizes=st.lists(st.floats(10, 5000), min_size=1, max_size=150).map(np.array),
    own=st.floats(10, 5000),
)
def test_those_compared_with_are_the_nearest_in_size_and_enough_of_them(sizes, own):
    near = placebos.nearest_sizes(sizes, own)
    distance = np.abs(np.log(sizes / own))
    assert near.sum() >= min(len(sizes), 59)
    if not near.all():
        assert distance[near].max() < distance[~near].min() * (1 + 1e-9)
        assert (distance < distance[near].max()).sum() < 59
        # The third furthest of them stands at the level or under.
        assert 3 / (1 + near.sum()) <= ALPHA + 1e-12


def test_the_unit_of_size_does_not_matter_and_ties_stay_together():
    sizes = np.repeat([100.0, 200.0, 400.0], 40)
    near = placebos.nearest_sizes(sizes, 200.0)
    assert near.sum() == 120, "100 and 400 are as near"
    assert placebos.nearest_sizes(sizes, 180.0).sum() == 80
    assert (placebos.nearest_sizes(7 * sizes, 1260.0) == placebos.nearest_sizes(sizes, 180.0)).all()
