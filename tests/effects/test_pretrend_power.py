"""The power of the pre-trend test against Roth's page, by simulation, and for our own leads."""

import numpy as np
import pytest
from scipy import stats

from tests.effects.conftest import cells_of
from vsh_eval import effects
from vsh_eval.contracts import ContractError, DesignError
from vsh_eval.numerics.inference import pretest

HE_AND_WANG = np.array(
    [
        [8.9065712, 4.4883136, 1.4587025, 1.2157689, 2.0327645, 1.3225015, 1.9617728],
        [4.4883136, 5.9369169, 2.7500791, 1.3505858, 1.4315459, 1.2067792, 1.3847158],
        [1.4587025, 2.7500791, 3.0386248, 0.9056166, 0.6791299, 1.0167636, 0.7090144],
        [1.2157689, 1.3505858, 0.9056166, 3.9247409, 2.5961180, 1.7326149, 2.2345525],
        [2.0327645, 1.4315459, 0.6791299, 2.5961180, 8.0658970, 5.8753751, 3.7414359],
        [1.3225015, 1.2067792, 1.0167636, 1.7326149, 5.8753751, 7.8815790, 3.6507095],
        [1.9617728, 1.3847158, 0.7090144, 2.2345525, 3.7414359, 3.6507095, 9.7884266],
    ]
) / 1000  # fmt: skip
YEARS = np.array([-3.0, -2, -1])
"""How far the leads of He and Wang lie from their reference."""
EARLY = HE_AND_WANG[:3, :3]


def test_the_slope_that_roth_prints():
    # The page gives this slope a power of 0.4999776; R integrates by simulation.
    slope = 0.05205871
    power = pretest.individual_power(slope * YEARS, EARLY)
    assert power == pytest.approx(0.4999776, abs=1.5e-4)
    found = pretest.slope_for(pretest.individual_power, YEARS, EARLY, 0.5)
    assert found == pytest.approx(slope, rel=2e-4)
    with_mean = HE_AND_WANG[3:, :3].mean(axis=0)
    passed = pretest.mean_given_passed(found * YEARS, EARLY, 2.5 * found, with_mean, joint=False)
    printed = np.mean([0.06490184, 0.12084694, 0.16946498, 0.22453827])
    assert passed == pytest.approx(printed, abs=5e-4)


def test_diff_diff_and_draws_give_the_same_power():
    library = pytest.importorskip("diff_diff.pretrends")
    limit = stats.norm.ppf(0.975)
    slope = pretest.slope_for(pretest.individual_power, YEARS, EARLY, 0.8)
    passed = library._compute_nis_acceptance_prob(slope, YEARS, EARLY, limit)
    assert 1 - passed == pytest.approx(0.8, abs=1e-4)
    drawn = np.random.default_rng(1).multivariate_normal(slope * YEARS, EARLY, 50_000)
    seen = (np.abs(drawn) > limit * np.sqrt(np.diag(EARLY))).any(axis=1)
    assert seen.mean() == pytest.approx(0.8, abs=0.007)


def test_the_joint_power_is_that_of_simulated_tests():
    rng = np.random.default_rng(2)
    covariance, mean, df = np.array([[1.0, 0.4], [0.4, 2.0]]), np.array([1.5, -1.0]), 20
    found = pretest.joint_power(mean, covariance, df=float(df))
    draws = 20_000
    leads = rng.multivariate_normal(mean, covariance, draws)
    scale = stats.wishart.rvs(df, covariance / df, size=draws, random_state=rng)
    squares = np.einsum("na,nab,nb->n", leads, np.linalg.inv(scale), leads)
    statistic = (df - 1) / (2 * df) * squares
    refuted = stats.f.sf(statistic, 2, df - 1) < 0.05
    assert refuted.mean() == pytest.approx(found, abs=0.012)
    normal = pretest.joint_power(mean, covariance)
    size = mean @ np.linalg.solve(covariance, mean)
    assert normal == pytest.approx(stats.ncx2.sf(stats.chi2.ppf(0.95, 2), 2, size))
    assert np.isnan(pretest.joint_power(mean, covariance, df=0.0))


@pytest.fixture(scope="module")
def schools():
    return cells_of(3, schools=60, years=8, cohorts=(0, 5, 6))


def test_the_drift_of_our_leads_is_made_by_the_estimator_itself(schools):
    rows = effects.sensitivity.pretrend_power(schools, test="joint")
    drift = (schools["time"] - schools["cohort"]).where(schools["cohort"].gt(0), 0)
    moved = effects.estimators.impute(schools.assign(outcome=drift.astype(float)))
    fitted = effects.estimators.fit_imputation(schools)
    labels = [-3, -2, -1]
    covariance = fitted.event_covariance.loc[labels, labels].to_numpy()
    table = fitted.rows[fitted.rows["aggregation"].eq("event")].set_index("index")
    event = moved[moved["aggregation"].eq("event")].set_index("index")["estimate"]
    assert rows["leads"].tolist() == [3, 3]
    ratio = (rows["bias"] / rows["slope"]).tolist()
    assert ratio == pytest.approx([moved.loc[0, "estimate"]] * 2)
    df = float(table.loc[labels, "df"].min())
    for row in rows.itertuples():
        power = pretest.joint_power(row.slope * event[labels].to_numpy(), covariance, df=df)
        assert power == pytest.approx(row.power, abs=1e-4)


def test_a_test_with_more_power_leaves_less_bias(schools):
    rows = effects.sensitivity.pretrend_power(schools)
    assert rows["test"].tolist() == ["joint", "joint", "individual", "individual"]
    slopes = rows.groupby("test")["slope"]
    assert (slopes.last() > slopes.first()).all()
    assert rows["size"].iloc[0] == pytest.approx(0.05)
    assert 0.05 < rows["size"].iloc[2] < 0.15


def test_one_lead_makes_both_tests_the_same():
    early = cells_of(3, schools=60, years=8, cohorts=(0, 3))
    rows = effects.sensitivity.pretrend_power(early, power=(0.5,))
    assert rows["leads"].tolist() == [1, 1]
    # The joint test knows that the error is estimated; the other takes the lead as normal.
    assert rows["slope"].iloc[0] == pytest.approx(rows["slope"].iloc[1], rel=0.03)


def test_a_drift_detected_anyway_has_no_slope():
    assert pretest.slope_for(pretest.individual_power, YEARS, EARLY, 0.06) == 0.0
    assert np.isnan(pretest.slope_for(pretest.joint_power, np.zeros(1), np.ones((1, 1)), 0.5))


@pytest.mark.parametrize("power", [0.01, 1.0])
def test_powers_that_no_drift_has_are_refused(schools, power):
    with pytest.raises(DesignError, match="must lie between alpha"):
        effects.sensitivity.pretrend_power(schools, power=(power,))


def test_school_years_without_leads_are_refused(schools):
    with pytest.raises(DesignError, match="no two years before"):
        effects.sensitivity.pretrend_power(cells_of(1, cohorts=(0, 2), absent=0.0))
    with pytest.raises(DesignError, match="lead of one school"):
        effects.sensitivity.pretrend_power(
            schools[schools["cohort"].eq(0) | schools["unit"].eq("s001")]
        )
    with pytest.raises(DesignError, match="singular covariance"):
        effects.sensitivity.pretrend_power(schools.assign(outcome=1.0))
    with pytest.raises(ContractError, match="test is 'wald'"):
        effects.sensitivity.pretrend_power(schools, test="wald")
