"""Sensitivity to trends against published intervals, solvers and libraries."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from tests.effects.absorbed import regress
from tests.effects.conftest import cells_of
from vsh_eval import effects
from vsh_eval.contracts import ContractError, DesignError
from vsh_eval.effects.estimators.long_differences import long_differences
from vsh_eval.effects.rows import SAMPLE_COLUMNS
from vsh_eval.effects.sensitivity.honest_did import EventPath, of_path, path_of, refuse_singular
from vsh_eval.numerics.inference.honest import RelativeMagnitudes, truncated_quantile
from vsh_eval.numerics.inference.significance import t_critical
from vsh_eval.numerics.inference.smoothness import Smoothness, folded_quantile


def questioned(index, estimate, covariance, *, weights=None, **options):
    """Question an event study that was printed elsewhere; the mean of all years by default."""
    late = sum(event >= 0 for event in index)
    weights = np.full(late, 1 / late) if weights is None else np.array(weights)
    sample = dict.fromkeys(SAMPLE_COLUMNS, np.nan)
    path = EventPath(tuple(index), np.array(estimate), covariance, weights, "given", sample)
    return of_path(path, **options)


@pytest.fixture(scope="module")
def medicaid():
    """The event study of HonestDiD's own page: insurance and Medicaid, states treated in 2014."""
    moderndid = pytest.importorskip("moderndid")
    states = moderndid.load_ehec().to_pandas()
    states = states[states["year"].lt(2016) & ~states["yexp2"].eq(2015)]
    wide = states.pivot_table(index="stfips", columns="year", values="dins").to_numpy()
    treated = states.groupby("stfips")["yexp2"].first().eq(2014).to_numpy()
    years = [0, 1, 2, 3, 4, 6, 7]
    regressors = np.zeros((7, *wide.shape))
    regressors[np.arange(7), :, years] = treated
    found = regress(wide, regressors, np.ones(wide.shape), np.zeros(len(wide), dtype=np.int64))
    deviations = found.deviations()
    return [-6, -5, -4, -3, -2, 0, 1], found.coefficient, deviations @ deviations.T


@pytest.fixture(scope="module")
def benzarti(shared_data):
    """Benzarti and Carloni's event study, which comes with HonestDiD."""
    folder = shared_data / "reference"
    beta = pd.read_csv(folder / "BCdata_EventStudy_beta.csv")
    sigma = pd.read_csv(folder / "BCdata_EventStudy_sigma.csv", header=None)
    return beta["betahat"].to_numpy(), sigma.to_numpy()


def test_relative_magnitudes_are_those_of_r(medicaid):
    """R's first stage rests on 1,000 draws: two prints of its own page differ by 0.00035."""
    rows = questioned(*medicaid, bounds=[0.5, 1, 1.5, 2], weights=[1.0, 0.0])
    assert rows["lower"].tolist() == pytest.approx([0.0241, 0.0171, 0.00859, -0.00107], abs=5e-4)
    assert rows["upper"].tolist() == pytest.approx([0.0673, 0.0720, 0.0796, 0.0883], abs=5e-4)
    assert rows["excludes_zero"].tolist() == [True, True, True, False]
    assert rows["breakdown"].tolist() == pytest.approx([1.9] * 4, abs=0.051)


def test_the_mean_of_two_years_is_that_of_stata(medicaid):
    row = questioned(*medicaid, bounds=[2.0]).iloc[0]
    assert (row["lower"], row["upper"]) == pytest.approx((-0.008, 0.117), abs=1.1e-3)


def test_smoothness_is_that_of_r(medicaid):
    printed = [(0.0259, 0.0607), (0.0132, 0.0787), (0.00286, 0.0907), (-0.00714, 0.101),
               (-0.0171, 0.111), (-0.0271, 0.121)]  # fmt: skip
    bounds = [0.0, 0.01, 0.02, 0.03, 0.04, 0.05]
    rows = questioned(*medicaid, method="smoothness", bounds=bounds, weights=[1.0, 0.0])
    for (lower, upper), (_, row) in zip(printed, rows.iterrows(), strict=True):
        assert row["lower"] == pytest.approx(lower, abs=1e-4)
        assert row["upper"] == pytest.approx(upper, abs=5e-4)


def test_relative_magnitudes_accept_what_moderndid_accepts(benzarti):
    didhonest = pytest.importorskip("moderndid.didhonest.delta.rm.rm")
    beta, sigma = benzarti
    weights = np.array([0.4, 0.3, 0.2, 0.1])
    kept = [1, 2, 3, *range(4, 8)]
    beta, sigma = beta[kept], sigma[np.ix_(kept, kept)]
    ours = RelativeMagnitudes(beta, sigma, before=3, weights=weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = didhonest.compute_conditional_cs_rm(
            beta, sigma, 3, 4, l_vec=weights, m_bar=1.0, grid_points=60, grid_lb=-0.3, grid_ub=0.8
        )
    accepted = ours.accepts(theirs["grid"], 1.0)
    assert 10 < accepted.sum() < 50
    # Only values at the very edge may differ: the first stages draw other numbers.
    assert (accepted != theirs["accept"].astype(bool)).sum() <= 1


@pytest.mark.parametrize("m_bar", [0.5, 1.5])
def test_one_year_after_needs_no_other_years(benzarti, m_bar):
    didhonest = pytest.importorskip("moderndid.didhonest.delta.rm.rm")
    beta, sigma = benzarti[0][:5], benzarti[1][:5, :5]
    ours = RelativeMagnitudes(beta, sigma, before=4, weights=np.ones(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = didhonest.compute_conditional_cs_rm(
            beta, sigma, 4, 1, m_bar=m_bar, grid_points=200, grid_lb=-0.1, grid_ub=0.5
        )
    accepted = ours.accepts(theirs["grid"], m_bar)
    assert (accepted != theirs["accept"].astype(bool)).sum() <= 2


def test_smoothness_is_that_of_diff_diff(benzarti):
    library = pytest.importorskip("diff_diff.honest_did")
    beta, sigma = benzarti
    kept = [2, 3, *range(4, 8)]
    beta, sigma, weights = beta[kept], sigma[np.ix_(kept, kept)], np.full(4, 0.25)
    ours = Smoothness(beta, sigma, before=2, weights=weights).interval(0.01)
    theirs = library._compute_optimal_flci(beta[:2], beta[2:], sigma, weights, 2, 4, 0.01)
    assert ours == pytest.approx(theirs, abs=1e-5)
    assert ours[1] - ours[0] <= theirs[1] - theirs[0] + 1e-9


def random_covariance(rng, size):
    root = rng.normal(size=(size, size + 2))
    return root @ root.T / size


@given(seed=st.integers(0, 10_000), periods=st.integers(1, 4), before=st.integers(1, 3))
@settings(max_examples=3, deadline=None)
def test_the_vertices_give_the_optimum_of_the_linear_programme(seed, periods, before):
    rng = np.random.default_rng(seed)
    beta, sigma = rng.normal(size=before + periods), random_covariance(rng, before + periods)
    weights, m_bar, value = rng.normal(size=periods), float(rng.uniform(0.1, 2)), rng.normal()
    sets = RelativeMagnitudes(beta, sigma, before=before, weights=weights, draws=50)
    steps = np.eye(before + periods + 1)
    steps = np.delete(np.diff(steps, axis=0), before, axis=1)
    pieces = sets._pieces(m_bar)
    for number, change in enumerate(np.repeat(steps[:before], 2, axis=0)):
        largest = m_bar * change * (1 - 2 * (number % 2))
        rows = np.concatenate([steps[before:] - largest, -steps[before:] - largest])
        error = np.sqrt(np.einsum("ij,jk,ik->i", rows, sigma, rows))
        # min eta: rows (beta - effects) <= eta error for some effects with the mean tested
        solved = optimize.linprog(
            np.r_[1.0, np.zeros(periods)],
            A_ub=np.c_[-error, -rows[:, before:]],
            b_ub=-(rows @ beta),
            A_eq=np.r_[0.0, weights][None],
            b_eq=[value],
            bounds=(None, None),
        )
        found = (pieces[number].level - pieces[number].side * value).max()
        assert found == pytest.approx(solved.fun, abs=1e-7)


@given(seed=st.integers(0, 10_000), periods=st.integers(1, 4), before=st.integers(1, 4))
@settings(max_examples=3, deadline=None)
def test_the_largest_bias_is_that_of_the_linear_programme(seed, periods, before):
    rng = np.random.default_rng(seed)
    beta, sigma = rng.normal(size=before + periods), random_covariance(rng, before + periods)
    weights, bound = rng.normal(size=periods), float(rng.uniform(0.1, 1))
    sets = Smoothness(beta, sigma, before=before, weights=weights)
    lengths = sets._lengths(sets._path, bound)
    for at in (0, int(lengths.argmin()), len(lengths) - 1):
        levels = np.delete(np.eye(before + periods + 1), before, axis=1)
        bends = np.diff(levels, n=2, axis=0)
        solved = optimize.linprog(
            -sets._path.loading[at],
            A_ub=np.concatenate([bends, -bends]),
            b_ub=np.full(2 * len(bends), bound),
            bounds=(None, None),
        )
        assert bound * sets._path.reach[at] == pytest.approx(-solved.fun, abs=1e-7)


def test_no_other_estimator_has_a_shorter_interval(benzarti):
    beta, sigma = benzarti
    sets = Smoothness(beta, sigma, before=4, weights=np.full(4, 0.25))
    lower, upper = sets.interval(0.01)
    fixed, moving, late = sets._fixed, sets._moving, sets._late

    def length(chosen):
        loading = fixed + chosen @ moving
        error = np.sqrt(loading @ sigma @ loading)
        return error * folded_quantile(0.01 * (late + np.abs(chosen).sum()) / error)

    best = optimize.minimize(length, np.full(3, 0.1), method="Nelder-Mead",
                             options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 5000})  # fmt: skip
    assert (upper - lower) / 2 <= best.fun + 1e-8


def test_intervals_cover_the_effect_under_the_worst_trend_allowed():
    rng = np.random.default_rng(7)
    sigma = 0.05 * random_covariance(np.random.default_rng(1), 4)
    trend = np.array([-1.0, -1.0, 0.5, 1.0])
    root = np.linalg.cholesky(sigma)
    inside = 0
    for _ in range(100):
        beta = trend + root @ rng.normal(size=4)
        sets = RelativeMagnitudes(beta, sigma, before=2, weights=np.full(2, 0.5), draws=2000)
        inside += bool(sets.accepts(np.zeros(1), 1.0)[0])
    assert inside >= 89


def test_a_truncated_quantile_is_right_in_the_tails():
    lower, upper = np.array([-np.inf, -3.0, 5.0, -8.0]), np.array([np.inf, 1.0, 6.0, -7.0])
    expected = [stats.truncnorm.ppf(0.9, a, b) for a, b in zip(lower, upper, strict=True)]
    assert truncated_quantile(0.9, lower, upper) == pytest.approx(expected, abs=1e-9)
    assert 40 < truncated_quantile(0.9, np.array([40.0]), np.array([np.inf]))[0] < 40.1


@pytest.fixture(scope="module")
def schools():
    return cells_of(4, schools=80, years=8, effect=-4.0, cohorts=(0, 0, 5, 6))


def test_school_years_are_asked_about_through_long_differences(schools):
    rows = effects.sensitivity.honest(schools, bounds=[0.0, 1.0])
    found = long_differences(schools)
    study = found.rows.set_index("index")
    late = [event for event in study.index if event >= 0]
    mean = np.average(study.loc[late, "estimate"], weights=found.target[late])
    assert rows["estimate"].tolist() == pytest.approx([mean, mean])
    error = rows.loc[0, "std_error"]
    assert rows.loc[0, "upper"] - mean == pytest.approx(1.96 * error, rel=5e-3)
    weights = (found.target[late] / found.target[late].sum()).to_numpy()
    plain = np.sqrt(weights @ found.covariance.loc[late, late].to_numpy() @ weights)
    widened = t_critical(study["df"].min()) / t_critical(np.inf)
    assert error == pytest.approx(plain * widened)
    assert rows.loc[1, "lower"] < rows.loc[0, "lower"]
    assert rows.loc[0, "years_before"] == 3
    assert (rows["breakdown"] == rows.loc[0, "breakdown"]).all()


def test_years_that_few_schools_carry_before_are_not_used():
    uneven = cells_of(4, schools=60, years=8, absent=0.0, cohorts=(0, 3, 3, 3, 7))
    path = path_of(long_differences(uneven))
    assert path.index[:1] == (-2,)
    assert path.weights.sum() == pytest.approx(1.0)


def test_the_breakdown_is_the_last_bound_that_excludes_nought():
    def at(*estimate, bounds=(1.0,), **options):
        return questioned([-3, -2, 0], estimate, 0.01 * np.eye(3), bounds=bounds, **options)

    rows = at(0.2, 0.1, 3.0)
    last = float(rows["breakdown"].iloc[0])
    around = at(0.2, 0.1, 3.0, bounds=[last, last + 0.1])
    if not rows["capped"].iloc[0]:
        assert around["excludes_zero"].tolist() == [True, False]
    strong, weak = at(0.01, 0.0, 9.0), at(0.2, 0.1, 0.05)
    assert strong[["breakdown", "capped"]].iloc[0].tolist() == [5.0, True]
    assert weak[["breakdown", "capped"]].iloc[0].tolist() == [0.0, False]
    bent = at(0.2, 0.1, 0.6, method="smoothness")
    bound = float(bent["breakdown"].iloc[0])
    assert 0 < bound < 5 * bent["std_error"].iloc[0]


def test_one_year_asked_about_is_the_mean_with_all_weight_on_it(schools):
    fitted = long_differences(schools)
    average, single = path_of(fitted), path_of(fitted, target=1)
    assert single.weights.tolist() == [0.0, 1.0, *[0.0] * (len(single.weights) - 2)]
    assert average.index == single.index
    assert single.mean[0] == fitted.rows.set_index("index").loc[1, "estimate"]


@pytest.mark.parametrize("bounds", [[-1.0], []])
def test_bounds_below_nought_and_none_at_all_are_refused(schools, bounds):
    with pytest.raises(DesignError, match="must be one number or more, none below 0"):
        effects.sensitivity.honest(schools, bounds=bounds)


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (np.ones((4, 4)), "singular covariance"),
        (np.diag([1.0, 1, 0, 1]), "singular covariance"),
        (np.full((4, 4), np.nan), "is missing"),
    ],
)
def test_a_covariance_that_cannot_be_inverted_is_refused(matrix, said):
    with pytest.raises(DesignError, match=said):
        refuse_singular(matrix, name="leads")


def test_unknown_targets_methods_and_columns_are_refused(schools):
    with pytest.raises(DesignError, match="target is 7"):
        effects.sensitivity.honest(schools, bounds=[1.0], target=7)
    with pytest.raises(ContractError, match="method is 'bounds'"):
        effects.sensitivity.honest(schools, bounds=[1.0], method="bounds")
    with pytest.raises(ContractError, match="lacks the column"):
        effects.sensitivity.honest(schools.drop(columns="cohort"), bounds=[1.0])
    with pytest.raises(DesignError, match="no year before reference"):
        effects.sensitivity.honest(schools[schools["time"].ge(4)], bounds=[1.0])


def test_few_schools_and_constant_outcomes_are_refused(schools):
    still = schools.assign(outcome=5.0)
    with pytest.raises(DesignError):
        effects.sensitivity.honest(still, bounds=[1.0])
    few = cells_of(4, schools=4, years=8, absent=0.0, cohorts=(0, 0, 5, 5))
    with pytest.raises(DesignError, match="singular covariance"):
        effects.sensitivity.honest(few, bounds=[1.0])
