"""A short run of the proof in tests/proofs/gap_coverage.py, with wide limits."""

import numpy as np
import pytest

from tests.proofs import gap_coverage


@pytest.fixture(scope="module")
def short_run():
    rng = np.random.default_rng(7)
    real = gap_coverage.truth(rng, children=200_000)
    return gap_coverage.coverage(real, rng, fixed=True, draws=300)


def test_intervals_cover_about_as_often_as_they_say(short_run):
    primary = short_run.loc["primary"]
    assert primary["coverage"].between(0.90, 1.0).all()
    assert short_run["bias"].drop(index="severe_absence", level=1).abs().max() < 0.25


def test_small_shares_need_more_than_the_plain_interval(short_run):
    severe = short_run.loc[("primary", "severe_absence", "level")]
    assert severe["coverage"] > severe["plain"]


def test_the_page_has_a_row_for_each_quantity(short_run):
    text = gap_coverage.page({"Short run": short_run}, draws=300)
    assert text.count("\n| total |") + text.count("\n| primary |") == len(short_run)
