"""The wild cluster bootstrap against refitting by hand, a library, and its own size."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from tests.effects.absorbed import regress
from tests.effects.conftest import cells_of
from tests.effects.wild_regression import of_regression
from tests.proofs.wild_size import draw
from vsh_eval import effects
from vsh_eval.contracts import DesignError
from vsh_eval.effects.grid import checked, grid
from vsh_eval.numerics.estimators import imputation as numeric
from vsh_eval.numerics.inference import wild


@pytest.fixture(scope="module")
def few():
    cells = cells_of(3, schools=20, absent=0.1)
    return cells.assign(stratum=cells["phase"])


def drawn_statistics(scores, schools, null, draws=4):
    """The statistics of a bootstrap's first draws, and the multipliers behind them."""
    bootstrap = wild.WildBootstrap(scores, draws=draws, seed=1)
    level, cross, tilt = bootstrap._squares
    error = np.sqrt(level - 2 * null * cross + null**2 * tilt)
    multipliers = wild.multipliers(schools, draws, seed=1)
    return (bootstrap._shift - null * bootstrap._slope) / error, multipliers


def two_way(table):
    """The two-way fixed effects regression of a table of school-years."""
    cells = grid(checked(table))
    treated = cells.treated[None].astype(float)
    return cells, regress(cells.outcome, treated, cells.fit_weight, cells.stratum)


@pytest.mark.parametrize("null", [0.0, 1.7])
def test_two_way_draws_are_those_of_refitting(few, null):
    cells, found = two_way(few)
    statistics, multipliers = drawn_statistics(of_regression(found), 20, null)
    year = few["time"].astype(str) + few["phase"]
    years = pd.get_dummies(year, dtype=float)
    effects_only = pd.concat(
        [
            pd.get_dummies(few["unit"], dtype=float),
            years.drop(columns=year.groupby(few["phase"]).first()),
        ],
        axis=1,
    )
    treated = (few["cohort"].gt(0) & few["time"].ge(few["cohort"])).astype(float)
    null_fit = sm.WLS(few["outcome"] - null * treated, effects_only, weights=few["weight"]).fit()
    number = dict(zip(cells.units, range(20), strict=True))
    design = effects_only.assign(treated=treated)
    for statistic, multiplier in zip(statistics, multipliers, strict=True):
        flipped = null_fit.resid * multiplier[few["unit"].map(number)]
        again = sm.WLS(
            null * treated + null_fit.fittedvalues + flipped, design, weights=few["weight"]
        ).fit(cov_type="cluster", cov_kwds={"groups": few["unit"].map(number)})
        rows, width = design.shape
        scale = np.sqrt(20 / 19 * (rows - 1) / (rows - width))
        expected = (again.params["treated"] - null) / again.bse["treated"] * scale
        assert statistic == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("null", [0.0, 1.7])
def test_imputation_draws_are_those_of_refitting(few, null):
    cells = grid(checked(few))

    def fit(outcome):
        fitted = numeric.fit(outcome, cells.fit_weight, cells.treated, cells.stratum)
        target = np.where(cells.treated & numeric.imputable(fitted), cells.weight, 0.0)
        return fitted, target, numeric.estimate(fitted, target[None])

    fitted, target, estimates = fit(cells.outcome)
    scores = wild.of_imputation(fitted, target, estimates)
    statistics, multipliers = drawn_statistics(scores, 20, null)
    expected = fitted.outcome - fitted.residual + null * cells.treated
    for statistic, multiplier in zip(statistics, multipliers, strict=True):
        again = fit(expected + multiplier[:, None] * (cells.outcome - expected))[2]
        error = np.sqrt((again.influence[0] ** 2).sum())
        assert statistic == pytest.approx((again.estimate[0] - null) / error, rel=1e-8)


def test_the_estimates_are_those_of_the_estimators(few):
    row = effects.inference.wild_bootstrap(few, draws=99).iloc[0]
    assert row["estimate"] == pytest.approx(effects.estimators.impute(few).loc[0, "estimate"])
    assert row["statistic"] == pytest.approx(row["estimate"] / row["std_error"])
    assert (row["schools"], row["schools_treated"], row["weights"]) == (20, 13, "rademacher")


def test_p_values_are_diff_diffs(few):
    library = pytest.importorskip("diff_diff")
    cells = few.assign(treated=(few["cohort"].gt(0) & few["time"].ge(few["cohort"])).astype(int))
    linalg = pytest.importorskip("diff_diff.utils")
    design = pd.concat(
        [
            pd.get_dummies(cells["unit"], dtype=float),
            pd.get_dummies(cells["time"], dtype=float).iloc[:, 1:],
            cells["treated"].astype(float),
        ],
        axis=1,
    ).to_numpy()
    fitted = sm.OLS(cells["outcome"].to_numpy(), design).fit()
    assert library.__version__
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = linalg.wild_bootstrap_se(
            X=design,
            y=cells["outcome"].to_numpy(),
            residuals=fitted.resid,
            cluster_ids=cells["unit"].to_numpy(),
            coefficient_index=design.shape[1] - 1,
            n_bootstrap=1999,
            weight_type="rademacher",
            seed=3,
        )
    ours = of_regression(two_way(few.assign(weight=1.0).drop(columns="stratum"))[1])
    assert ours.estimate == pytest.approx(fitted.params[-1])
    assert wild.WildBootstrap(ours, draws=1999).p_value() == pytest.approx(theirs.p_value, abs=0.04)


def test_the_interval_holds_what_the_test_does_not_refute(few):
    bootstrap = wild.WildBootstrap(of_regression(two_way(few)[1]), draws=1999)
    for end, inward in zip(bootstrap.interval(), (1, -1), strict=True):
        width = 1e-3 * bootstrap.error * inward
        assert bootstrap.p_value(end + width) > 0.05 >= bootstrap.p_value(end - width) - 0.002


def test_draws_are_seeded_and_labels_do_not_matter(few):
    first = effects.inference.wild_bootstrap(few, draws=499, seed=5)
    pd.testing.assert_frame_equal(first, effects.inference.wild_bootstrap(few, draws=499, seed=5))
    shuffled = few.sample(frac=1.0, random_state=1)
    pd.testing.assert_frame_equal(
        first, effects.inference.wild_bootstrap(shuffled, draws=499, seed=5)
    )
    moved = few.assign(outcome=10 * few["outcome"] + 3)
    assert effects.inference.wild_bootstrap(moved, draws=499, seed=5).loc[
        0, "p_value"
    ] == pytest.approx(first.loc[0, "p_value"])


def test_below_twelve_schools_webbs_weights_are_drawn():
    cells = cells_of(8, schools=10, absent=0.0)
    assert effects.inference.wild_bootstrap(cells, draws=99).loc[0, "weights"] == "webb"
    drawn = wild.multipliers(10, 20_000)
    assert drawn.mean() == pytest.approx(0.0, abs=0.01)
    assert (drawn**2).mean() == pytest.approx(1.0, abs=0.01)


def test_a_side_that_is_never_refuted_is_infinite():
    cells = cells_of(8, schools=5, absent=0.0, cohorts=(0, 4, 4, 0, 0))
    row = effects.inference.wild_bootstrap(cells, draws=199).iloc[0]
    assert row["p_value"] > 0.05
    assert np.isinf(row["ci_lower"]) or np.isinf(row["ci_upper"])


def test_with_enough_trained_schools_the_size_is_kept():
    rejected = []
    for seed in range(120):
        outcome, weight, onset = draw(np.random.default_rng(seed), 40, 24)
        treated = np.arange(weight.shape[1]) >= onset[:, None]
        fitted = numeric.fit(outcome, weight, treated, np.zeros(40, dtype=np.int64))
        target = np.where(treated & numeric.imputable(fitted), weight, 0.0)
        scores = wild.of_imputation(fitted, target, numeric.estimate(fitted, target[None]))
        rejected.append(wild.WildBootstrap(scores, draws=199, seed=seed).p_value() <= 0.05)
    assert stats.binomtest(sum(rejected), 120, 0.05).pvalue > 0.01


def test_what_cannot_be_tested_is_refused(few):
    cells = few.drop(columns="stratum")
    lonely = cells[cells["cohort"].eq(0) | cells["unit"].eq("s001")]
    with pytest.raises(DesignError, match="too few carry it"):
        effects.inference.wild_bootstrap(lonely)
    with pytest.raises(DesignError, match="no variation"):
        effects.inference.wild_bootstrap(cells.assign(outcome=2.0))
    with pytest.raises(DesignError):
        effects.inference.wild_bootstrap(cells[cells["cohort"].eq(0)])
    with pytest.raises(DesignError, match="no untrained school"):
        effects.inference.wild_bootstrap(cells[cells["cohort"].eq(4)])
