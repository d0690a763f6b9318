"""Many allocations at once give what the estimator gives one by one."""

import numpy as np
import pytest

from vsh_eval.numerics.estimators import imputation
from vsh_eval.numerics.inference import permutation


def one_by_one(outcome, weight, fit_weight, onset, stratum):
    treated = np.arange(outcome.shape[1]) >= onset[:, None]
    fitted = imputation.fit(outcome, fit_weight, treated, stratum)
    target = np.where(treated & imputation.imputable(fitted), weight, 0.0)
    made = imputation.estimate(fitted, target[None])
    jackknife = np.sqrt((made.deviations() ** 2).sum())
    return made.estimate[0], made.influence_error()[0], jackknife, made.schools[0]


def drawn(seed, *, schools, years, strata, absent):
    rng = np.random.default_rng(seed)
    weight = rng.integers(1, 12, (schools, years)) * (rng.random((schools, years)) > absent)
    fit_weight = weight * rng.uniform(0.5, 2.0, (schools, years))
    outcome = np.where(weight > 0, rng.normal(5, 2, (schools, years)), 0.0)
    return outcome, weight.astype(float), fit_weight, rng.integers(0, strata, schools)


@pytest.mark.parametrize(
    ("schools", "years", "strata", "onsets", "absent"),
    [
        (40, 6, 1, (3, 4, 6), 0.1),
        (60, 8, 3, (1, 4, 5, 8), 0.2),
        # Nobody is untrained throughout: the last years can be imputed for no school.
        (30, 5, 1, (2, 3, 4), 0.2),
    ],
)
def test_a_batch_equals_the_estimator_one_by_one(schools, years, strata, onsets, absent):
    outcome, weight, fit_weight, stratum = drawn(
        3, schools=schools, years=years, strata=strata, absent=absent
    )
    onsets = np.array(onsets)
    labels = np.random.default_rng(2).integers(0, len(onsets), (30, schools))
    given = permutation.terms(outcome, weight, fit_weight, onsets, stratum)
    found = permutation.batch(given, labels, jackknife=True)
    expected = np.array(
        [one_by_one(outcome, weight, fit_weight, onsets[row], stratum) for row in labels]
    )
    np.testing.assert_allclose(found.estimate, expected[:, 0], rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.influence_error, expected[:, 1], rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.jackknife_error, expected[:, 2], rtol=0, atol=1e-8)
    np.testing.assert_array_equal(found.schools, expected[:, 3])


def dense(outcome, weight, fit_weight, onset, stratum, *, without=None, target=None):
    """Impute by dense least squares, cell by cell; NaN where a target cell cannot be imputed."""
    schools, years = outcome.shape
    treated = np.arange(years) >= onset[:, None]
    school, year = np.indices(outcome.shape)
    design = np.zeros((outcome.size, schools + years * (stratum.max() + 1)))
    design[np.arange(outcome.size), school.ravel()] = 1
    design[np.arange(outcome.size), schools + (stratum[school] * years + year).ravel()] = 1
    fitted = (np.where(treated, 0.0, fit_weight) * (school != without)).ravel()
    root = np.sqrt(fitted)[:, None]
    inverse = np.linalg.pinv(root * design, rcond=1e-9)
    mean = design @ (inverse @ (root[:, 0] * outcome.ravel()))
    possible = np.isclose(design @ (inverse @ (root * design)), design, atol=1e-7).all(axis=1)
    if target is None:
        target = np.where(treated.ravel() & possible, weight.ravel(), 0.0)
    kept = target * (school.ravel() != without)
    if not kept.any() or not possible[kept > 0].all():
        return np.nan, target
    return float(kept @ (outcome.ravel() - mean) / kept.sum()), target


@pytest.mark.parametrize("seed", range(6))
def test_sparse_designs_equal_dense_least_squares_and_a_brute_force_jackknife(seed):
    cells = drawn(seed, schools=9, years=5, strata=2, absent=0.5)
    onsets = np.array((2, 3, 5))
    labels = np.random.default_rng(seed).integers(0, 3, (8, 9))
    found = permutation.batch(
        permutation.terms(*cells[:3], onsets, cells[3]), labels, jackknife=True
    )
    for place, row in enumerate(labels):
        outcome, weight, fit_weight, stratum = cells
        asked = (outcome, weight, fit_weight, onsets[row], stratum)
        whole, target = dense(*asked)
        np.testing.assert_allclose(found.estimate[place], whole, atol=1e-8)
        left = np.array([dense(*asked, without=s, target=target)[0] for s in range(len(row))])
        moved = left - whole
        if np.isfinite(left).all():
            many = found.schools[place]
            expected = np.sqrt((many - 1) / many * (moved**2).sum())
            np.testing.assert_allclose(found.jackknife_error[place], expected, atol=1e-7)
        elif np.isfinite(whole):
            given = found.influence_error[place]
            np.testing.assert_allclose(found.jackknife_error[place], given, rtol=1e-9, atol=1e-12)


def test_an_allocation_without_anything_to_impute_is_missing():
    outcome = np.random.default_rng(1).normal(size=(4, 3))
    ones = np.ones((4, 3))
    given = permutation.terms(outcome, ones, ones, np.array([0, 3]), np.zeros(4, dtype=np.int64))
    found = permutation.batch(given, np.array([[0, 0, 0, 0], [1, 1, 1, 1]]), jackknife=True)
    assert np.isnan(found.estimate).all()


def test_errors_are_made_only_where_asked_for():
    outcome, weight, fit_weight, stratum = drawn(3, schools=10, years=4, strata=1, absent=0)
    given = permutation.terms(outcome, weight, fit_weight, np.array([2, 4]), stratum)
    found = permutation.batch(given, np.array([[0] * 5 + [1] * 5]))
    assert np.isnan(found.jackknife_error).all()
    assert np.isfinite(found.influence_error).all()
