"""The arithmetic of random-effects imputation: fixture, law, second implementations."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.regression.mixed_linear_model import MixedLM

from tests.core.test_imputation import GAP, ONE, SESSIONS, TREATED, random_panel
from vsh_eval.numerics.estimators import imputation, same_past
from vsh_eval.numerics.estimators.same_past import Cells, Variances

YEARS = np.array([2018, 2019, 2021, 2022, 2023, 2024, 2025])
"""2020 has no data."""
FIXTURE = Cells(GAP, SESSIONS / 350, (SESSIONS > 0) & ~TREATED, ONE, ONE, YEARS)
HELD = Variances(2.0, np.array([11.0]), 0.6, 1.0)


def panel_of(seed, **changes):
    """A random panel: cells, treated."""
    outcome, size, treated, stratum = random_panel(seed)
    phase = (np.arange(len(size)) % 3 == 0).astype(np.int64)
    years = np.array([2017, 2018, 2020, 2021, 2022, 2023])
    cells = Cells(3 * outcome, size, (size > 0) & ~treated, stratum, phase, years)
    return replace(cells, **changes), treated


def simple(cells, treated, variances, target=None):
    fitted = same_past.fit(cells, variances)
    aim = np.where(treated & imputation.imputable(fitted), cells.size, 0)
    return imputation.estimate(fitted, (aim if target is None else target)[None])


def dense(cells, variances):
    """The whole covariance, the untreated cells' design and outcome, school after school."""
    schools, years = cells.size.shape
    school, year = (index.ravel() for index in np.indices((schools, years)))
    same = school[:, None] == school[None, :]
    apart = np.abs(cells.years[year][:, None] - cells.years[year][None, :])
    size = np.where(cells.size > 0, cells.size, 1.0).ravel()
    noise = variances.noise[cells.phase][school]
    faded = noise[:, None] ** 2 * variances.autocorrelation ** apart.astype(float)
    shared = same * (variances.school**2 + faded / np.sqrt(np.outer(size, size)))
    free = cells.untreated.ravel()
    covariance = shared[np.ix_(free, free)] + variances.school_year**2 * np.eye(free.sum())
    design = pd.get_dummies(cells.stratum[school] * years + year).to_numpy(float)
    return shared, covariance, design, free


VARIANCES = st.builds(
    Variances,
    school=st.floats(0, 5),
    noise=st.tuples(st.floats(1, 9), st.floats(1, 9)).map(np.array),
    autocorrelation=st.floats(0, 0.9),
    school_year=st.floats(0, 3),
)


def test_the_fixture_of_the_validity_note():
    fitted = same_past.fit(FIXTURE, HELD)
    effect = [8.922978, 9.462184, 10.681084, 12.330101, 11.789280, 13.007816, 12.387742]
    np.testing.assert_allclose(fitted.year_effect[0], effect, atol=1e-6)
    made = simple(FIXTURE, TREATED, HELD)
    assert made.estimate[0] == pytest.approx(-5.103732, abs=1e-6)
    without = [-2.483543, -6.833832, -5.215401, -6.003486, -4.409799]
    np.testing.assert_allclose(made.leave_one_out[0], without, atol=1e-6)
    assert np.sqrt((made.deviations() ** 2).sum()) == pytest.approx(2.988272, abs=1e-6)


def test_without_shrinkage_or_memory_it_is_the_primary_estimator():
    free = Variances(1e4, np.array([11.0]), 0.0, 0.0)
    made = simple(FIXTURE, TREATED, free)
    assert made.estimate[0] == pytest.approx(-4.948955, abs=1e-6)
    assert np.sqrt((made.deviations() ** 2).sum()) == pytest.approx(0.483698, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), noise=st.floats(0.5, 20))
def test_the_law_holds_on_any_panel(seed, noise):
    cells, treated = panel_of(seed)
    made = simple(cells, treated, Variances(1e3 * noise, np.full(2, noise), 0.0, 0.0))
    fitted = imputation.fit(cells.outcome, cells.size, treated, cells.stratum)
    aim = np.where(treated & imputation.imputable(fitted), cells.size, 0)
    primary = imputation.estimate(fitted, aim[None])
    if (aim > 0).sum() != (treated & imputation.imputable(same_past.fit(cells, HELD_TWO))).sum():
        return  # a year linked to none of a school's: only the random effects can impute it
    known = np.isfinite(primary.leave_one_out[0])
    assert made.estimate[0] == pytest.approx(primary.estimate[0], abs=1e-4)
    np.testing.assert_allclose(
        made.leave_one_out[0, known], primary.leave_one_out[0, known], atol=1e-4
    )
    np.testing.assert_allclose(made.influence, primary.influence, atol=1e-4)


HELD_TWO = Variances(2.0, np.array([3.0, 2.0]), 0.5, 0.5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), variances=VARIANCES)
def test_dense_generalised_least_squares_and_prediction_give_the_same(seed, variances):
    cells, treated = panel_of(seed)
    shared, covariance, design, free = dense(cells, variances)
    outcome = np.where(cells.size > 0, cells.outcome, 0.0).ravel()
    weighed = np.linalg.solve(covariance, design[free])
    effect = np.linalg.lstsq(design[free].T @ weighed, weighed.T @ outcome[free], rcond=1e-9)[0]
    left = np.linalg.solve(covariance, outcome[free] - design[free] @ effect)
    untreated = (design @ effect + shared[:, free] @ left).reshape(cells.size.shape)
    fitted = same_past.fit(cells, variances)
    aim = np.where(treated & imputation.imputable(fitted), cells.size, 0)
    made = imputation.estimate(fitted, aim[None])
    expected = (aim * (cells.outcome - untreated)).sum() / aim.sum()
    assert made.estimate[0] == pytest.approx(expected, abs=1e-8)
    assert (made.implied_weight[0] * fitted.outcome).sum() == pytest.approx(expected, abs=1e-8)
    assert made.influence.sum() == pytest.approx(0, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), variances=VARIANCES)
def test_downdating_is_refitting_without_the_school(seed, variances):
    cells, treated = panel_of(seed)
    made = simple(cells, treated, variances)
    fitted = same_past.fit(cells, variances)
    aim = np.where(treated & imputation.imputable(fitted), cells.size, 0)
    for school in range(0, len(aim), 3):
        rest = np.arange(len(aim)) != school
        names = ("outcome", "size", "untreated", "stratum", "phase")
        fewer = replace(cells, **{name: getattr(cells, name)[rest] for name in names})
        again = simple(fewer, treated[rest], variances, target=aim[rest])
        possible = imputation.imputable(same_past.fit(fewer, variances)) | (aim[rest] == 0)
        expected = again.estimate[0] if possible.all() else np.nan
        assert made.leave_one_out[0, school] == pytest.approx(expected, abs=1e-8, nan_ok=True)


def test_a_year_or_a_school_without_an_untreated_cell_cannot_be_imputed():
    treated = np.array([[0, 0, 1, 1], [0, 0, 0, 1], [1, 1, 1, 1]], dtype=bool)
    nought = np.zeros(3, dtype=np.int64)
    cells = Cells(np.zeros((3, 4)), np.ones((3, 4)), ~treated, nought, nought, np.arange(4))
    possible = imputation.imputable(same_past.fit(cells, HELD))
    assert possible[0].tolist() == [True, True, True, False]
    assert not possible[2].any()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), variances=VARIANCES)
def test_the_restricted_likelihood_is_the_dense_one(seed, variances):
    cells, _ = panel_of(seed)
    _, covariance, design, free = dense(cells, variances)
    known = design[free][:, design[free].any(axis=0)]
    outcome = cells.outcome.ravel()[free]
    inverse = np.linalg.inv(covariance)
    normal = known.T @ inverse @ known
    left = outcome - known @ np.linalg.solve(normal, known.T @ inverse @ outcome)
    logs = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(normal)[1]
    value, _ = same_past.restricted_likelihood(cells, variances)
    assert value == pytest.approx(-0.5 * (logs + left @ inverse @ left), abs=1e-8)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), variances=VARIANCES)
def test_the_gradient_is_the_slope_of_the_likelihood(seed, variances):
    cells, _ = panel_of(seed)
    squares = [variances.school**2, variances.school_year**2, variances.autocorrelation]
    at = np.array([*squares, *variances.noise**2]) + 0.01
    slopes = []
    for place, step in enumerate([1e-4, 1e-4, 1e-5, 1e-4, 1e-4]):
        one = step * (np.arange(5) == place)
        ahead, behind = (likelihood_at(cells, at + way * one)[0] for way in (1, -1))
        slopes.append((ahead - behind) / (2 * step))
    np.testing.assert_allclose(likelihood_at(cells, at)[1], slopes, atol=1e-3, rtol=1e-4)


def likelihood_at(cells, squares):
    school, school_year, autocorrelation, *noise = squares
    variances = Variances(np.sqrt(school), np.sqrt(noise), autocorrelation, np.sqrt(school_year))
    return same_past.restricted_likelihood(cells, variances)


def test_statsmodels_mixed_model_has_the_same_likelihood_and_variances():
    rng = np.random.default_rng(4)
    schools, years = 80, 5
    outcome = rng.normal(0, 2, (schools, 1)) + rng.normal(0, 1.5, (schools, years))
    nought = np.zeros(schools, dtype=np.int64)
    cells = Cells(
        outcome, np.ones((schools, years)), np.ones((schools, years), bool), nought, nought,
        1000 * np.arange(years),  # so far apart that nothing of the years lasts
    )  # fmt: skip
    design = np.tile(np.eye(years), (schools, 1))
    other = MixedLM(outcome.ravel(), design, np.repeat(np.arange(schools), years)).fit(reml=True)
    level, noise = np.sqrt(float(other.cov_re[0, 0])), np.sqrt([float(other.scale)])
    value, gradient = same_past.restricted_likelihood(cells, Variances(level, noise, 0.0, 0.0))
    constant = (schools * years - years) / 2 * np.log(2 * np.pi)
    assert value - constant == pytest.approx(other.llf, abs=1e-6)
    np.testing.assert_allclose(gradient[[0, 3]], 0, atol=1e-2)
    found = same_past.reml(cells)
    assert found.school == pytest.approx(level, rel=1e-3)
    # one child a cell: what belongs to the cell and what fades are told apart by nothing
    assert np.hypot(found.noise[0], found.school_year) == pytest.approx(noise[0], rel=1e-3)


def test_reml_finds_the_variances_that_made_the_panel():
    rng = np.random.default_rng(1)
    schools, years = 1500, 8
    size = rng.integers(1, 14, (schools, years)).astype(float)
    noise = rng.normal(size=(schools, years))
    for year in range(1, years):
        noise[:, year] = 0.6 * noise[:, year - 1] + 0.8 * noise[:, year]
    phase = (np.arange(schools) % 2).astype(np.int64)
    outcome = rng.normal(0, 2, (schools, 1)) + rng.normal(0, 1, (schools, years))
    outcome += np.array([9.0, 12.0])[phase][:, None] * noise / np.sqrt(size)
    cells = Cells(outcome, size, np.ones(size.shape, bool), 0 * phase, phase, np.arange(years))
    found = same_past.reml(cells)
    assert found.school == pytest.approx(2.0, rel=0.15)
    np.testing.assert_allclose(found.noise, [9, 12], rtol=0.05)
    assert found.autocorrelation == pytest.approx(0.6, abs=0.05)
    assert found.school_year == pytest.approx(1.0, abs=0.35)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_variances_within_the_bounds_are_likelier(seed):
    cells, _ = panel_of(seed)
    found = same_past.reml(cells)
    best = same_past.restricted_likelihood(cells, found)[0]
    rng = np.random.default_rng(seed)
    for scale in (0.05, 0.5):
        for _ in range(20):
            factor = np.exp(scale * rng.normal(size=5))
            other = Variances(
                max(found.school, 0.1) * factor[0],
                found.noise * factor[1:3],
                min(max(found.autocorrelation, 0.05) * factor[3], 0.95),
                max(found.school_year, 0.1) * factor[4],
            )
            if (other.noise > 0.4).all():
                # A tenth of a log likelihood tells no two sets of variances apart.
                assert same_past.restricted_likelihood(cells, other)[0] <= best + 0.1


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000), shift=st.floats(-50, 50), scale=st.floats(0.01, 100))
def test_what_does_not_matter(seed, shift, scale):
    cells, treated = panel_of(seed)
    found = same_past.reml(cells)
    made = simple(cells, treated, found)
    moved = replace(cells, outcome=cells.outcome + shift)
    sized = replace(cells, size=scale * cells.size)
    order = np.random.default_rng(seed).permutation(len(treated))
    names = ("outcome", "size", "untreated", "stratum", "phase")
    shuffled = replace(cells, **{name: getattr(cells, name)[order] for name in names})
    for other, had in ((moved, treated), (sized, treated), (shuffled, treated[order])):
        again = same_past.reml(other)
        factor = np.sqrt(scale) if other is sized else 1.0
        np.testing.assert_allclose(again.noise, factor * found.noise, rtol=0.02)
        held = replace(found, noise=factor * found.noise)
        repeated = simple(other, had, held)
        assert repeated.estimate[0] == pytest.approx(made.estimate[0], abs=1e-8)
        assert (repeated.deviations() ** 2).sum() == pytest.approx(
            (made.deviations() ** 2).sum(), abs=1e-8
        )


def test_outcomes_that_do_not_vary_have_no_variances():
    cells, treated = panel_of(1)
    still = replace(cells, outcome=np.full(cells.size.shape, 7.0))
    assert same_past.reml(still).school == 0
    made = simple(still, treated, same_past.reml(still))
    assert made.estimate[0] == pytest.approx(0, abs=1e-10)
