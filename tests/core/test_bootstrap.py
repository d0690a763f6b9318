"""Whole schools are drawn with replacement."""

import numpy as np

from vsh_eval.numerics.inference.bootstrap import resampled_sums


def test_every_draw_is_of_as_many_schools_and_the_spread_is_the_multinomials():
    parts = np.stack([np.ones(50), np.random.default_rng(1).normal(3, 2, 50)], axis=1)
    drawn = resampled_sums(parts, draws=4_000, seed=1)
    assert (drawn[:, 0] == 50).all()
    np.testing.assert_allclose(drawn[:, 1].mean(), parts[:, 1].sum(), rtol=0.01)
    np.testing.assert_allclose(drawn[:, 1].std(), np.sqrt(50) * parts[:, 1].std(), rtol=0.05)
