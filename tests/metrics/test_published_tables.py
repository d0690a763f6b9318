"""Every line of the notes' published tables, as the package works it out from DfE's files."""

from dataclasses import replace

import numpy as np
import pytest

from tests.proofs._printed_figures import LINES, Figure
from tests.proofs.published_tables import Tables, allowed, read, within, worked_out


@pytest.fixture(scope="module")
def tables(shared_data) -> Tables:
    return read(shared_data)


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.table}: {line.name}")
def test_a_line_is_what_the_files_give(tables, line):
    values = [worked_out(figure, tables) for figure in line.figures]
    wrong = [
        (figure, value)
        for figure, value in zip(line.figures, values, strict=True)
        if not within(figure, value)
    ]
    assert wrong == []


def test_a_figure_that_moved_by_its_last_digit_would_be_seen(tables):
    seen = 0
    for figure in (figure for line in LINES for figure in line.figures):
        value = worked_out(figure, tables)
        unit = 10.0**-figure.decimals
        if np.isnan(value) or allowed(figure) > 0.6 * unit:
            continue
        seen += 1
        # Where the exact number lies half a digit away, either rounding is right.
        towards = np.sign(value - figure.number) or 1.0
        away = replace(figure, printed=f"{figure.number - towards * unit:.{figure.decimals}f}")
        assert not within(away, value)
    assert seen > 500


def test_a_number_that_is_not_published_must_stay_so():
    blank = Figure("level", "ks4_progress8", "cin", 202425, "x")
    assert within(blank, float("nan"))
    assert not within(blank, 0.0)
    assert not within(replace(blank, printed="-1.59"), float("nan"))
