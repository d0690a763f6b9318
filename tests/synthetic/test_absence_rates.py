import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval.synthetic.absence_rates import moved, rate_at, rate_distribution
from vsh_eval.synthetic.calibration import ABSENCE_YEARS, absence_levels

RANKS = (np.arange(20_000) + 0.5) / 20_000


def one_cell(mean, persistent, severe):
    return rate_distribution(
        np.array([mean]), persistent=np.array([persistent]), severe=np.array([severe])
    )


def test_mean_and_both_tails_of_every_published_cell_are_met():
    levels = absence_levels(ABSENCE_YEARS)
    mean, persistent, severe = (
        part.ravel() for part in (levels.overall, levels.persistent, levels.severe)
    )
    cells = rate_distribution(mean, persistent=persistent, severe=severe)
    for cell in range(mean.size):
        rates = rate_at(cells, np.full(RANKS.size, cell), RANKS)
        assert rates.mean() == pytest.approx(mean[cell], abs=2e-5)
        assert (rates >= 0.1).mean() == pytest.approx(persistent[cell], abs=2e-4)
        assert (rates >= 0.5).mean() == pytest.approx(severe[cell], abs=2e-4)


@settings(max_examples=50, deadline=None)
@given(
    st.tuples(st.floats(0.02, 0.3), st.floats(0.1, 0.9), st.floats(0.05, 0.6)),
    st.floats(-0.5, 0.5),
)
def test_a_move_shifts_the_mean_and_keeps_rates_ordered_within_bounds(cell, by):
    mean, persistent, severe = cell[0], cell[1], cell[1] * cell[2]
    cells = one_cell(mean, persistent, severe)
    rates = rate_at(cells, np.zeros(RANKS.size, dtype=int), RANKS)
    room = cells.room
    after = moved(rates, by=np.full(RANKS.size, by), room=np.repeat(room, RANKS.size))
    reach = 0.95 * room[0]
    assert np.all((after >= 0) & (after <= 1))
    assert np.all(np.diff(after) >= -1e-12)
    assert after.mean() - rates.mean() == pytest.approx(np.clip(by, -reach, reach), abs=1e-4)


def test_ranks_at_the_ends_have_the_rates_of_the_ends():
    cells = one_cell(0.11, 0.34, 0.03)
    found = rate_at(cells, np.zeros(2, dtype=int), np.array([0.0, 1.0]))
    assert found == pytest.approx([0.0, 1.0])
