"""The reader of the proof has teeth, and is left with five values and a doubt by cell keys."""

import numpy as np
import pytest

from tests.proofs._reader import CHANCE, CHANGES, ENOUGH, SHOWN, SMALL, Reader, weight, window
from tests.proofs._run import cells_of_panel, populations, read_cells
from tests.release.invented_strata import children, panel_of

TRUE = (31, 24, 4)


def read(total, *parts):
    """Return a reader of three phases of which the last is hidden, and the hidden cell."""
    reader = Reader()
    numbers = [reader.number(true) for true in TRUE]
    for at, shown in zip(numbers, parts, strict=False):
        reader.cell({at: 1}, SHOWN, shown)
    hidden = reader.cell({numbers[-1]: 1}, SMALL)
    reader.cell(dict.fromkeys(numbers, 1), SHOWN, total)
    return reader, hidden


def test_the_reader_knows_what_was_seen():
    for true in range(30):
        for seen, shown in ((SHOWN, 12), (SMALL, 0), (ENOUGH, 0)):
            low, high = window(seen, shown)
            assert (weight(seen, shown, true) > 0) == (low <= true <= high), (seen, true)
        assert weight(SMALL, 0, true) + weight(ENOUGH, 0, true) == pytest.approx(1)


def test_a_hidden_phase_keeps_five_values_and_a_doubt():
    reader, hidden = read(60, 31, 23)
    low, high = reader.bounds(hidden)
    assert low <= TRUE[-1] <= high
    assert high - low >= 4
    chances = reader.likelihoods([hidden], np.random.default_rng(1))[0]
    assert chances.argmax() in (5, 6, 7)
    # Three independent changes of variance 1, and a number that may not be under nought.
    spread = np.convolve(np.convolve(CHANCE, CHANCE), CHANCE)
    assert chances[6] == pytest.approx(spread.max(), abs=0.06)


def test_many_looks_at_the_same_children_would_tell_them():
    """Redraws do: why one secret is kept for ever and published years are closed."""
    rng = np.random.default_rng(2)
    reader = Reader()
    at = reader.number(14)
    for change in rng.choice(CHANGES, 30, p=CHANCE):
        if 14 + change >= 10:
            reader.forget()  # another secret: the same children, other noise
            cell = reader.cell({at: 1}, SHOWN, 14 + change)
    assert reader.likelihoods([cell], rng)[0, 14] > 0.5


def test_what_contradicts_itself_is_noticed():
    reader = Reader()
    at = reader.number(20)
    cell = reader.cell({at: 1}, SHOWN, 20)
    reader.seen[cell] = (SHOWN, 40)
    reader.cell({at: 1, reader.number(0): 1}, SHOWN, 21)
    with pytest.raises(AssertionError, match="contradicts"):
        reader.bounds(cell)


def test_phases_groups_and_sums_keep_five_values_of_every_small_number():
    cells = cells_of_panel(
        panel_of(children(5, size=0.4, years=(202425,))),
        metrics_=("persistent_absence", "severe_absence"),
    )
    (same,) = populations(cells)
    population = read_cells(cells, same)
    reader, rng = population.reader, np.random.default_rng(3)
    true = {cell: reader.truth(reader.cells[cell]) for _, cell in population.targets}
    small = [cell for cell, value in true.items() if 1 <= value <= 9]
    assert len(small) > 20
    for cell in small[::6]:
        low, high = reader.bounds(cell)
        assert low <= true[cell] <= high
        assert high - low >= 4
    chances = reader.likelihoods(small, rng, sweeps=60)
    own = np.array([chances[row, true[cell]] for row, cell in enumerate(small)])
    assert np.median(own) < 0.35
    # Only nines are surer than one half: the reader is told that they were under ten.
    assert all(true[cell] >= 8 for cell, likely in zip(small, own, strict=True) if likely > 0.5)
