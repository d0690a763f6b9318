"""Two one-sided tests against statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.weightstats import DescrStatsW

from vsh_eval.numerics.inference.significance import equivalence_p_value, t_critical


@given(seed=st.integers(0, 10_000), margin=st.floats(0.05, 2.0))
@settings(max_examples=20, deadline=None)
def test_the_p_values_are_statsmodels(seed, margin):
    sample = np.random.default_rng(seed).normal(0.2, 1.0, 25)
    described = DescrStatsW(sample)
    expected, *_ = described.ttost_mean(-margin, margin)
    found = equivalence_p_value(sample.mean(), described.std_mean, 24, margin=margin)
    assert found == pytest.approx(expected, abs=1e-12)
    lower, upper = described.tconfint_mean(alpha=0.10)
    width = t_critical(24, alpha=0.10) * described.std_mean
    assert (sample.mean() - width, sample.mean() + width) == pytest.approx((lower, upper))
    assert (found < 0.05) == (-margin < lower and upper < margin)


@pytest.mark.parametrize("error", [np.nan, 0.0])
def test_a_missing_error_is_never_equivalence(error):
    assert np.isnan(equivalence_p_value(0.0, error, 9.0, margin=1.0))
