"""Two-way fixed effects against statsmodels, the imputation against Gardner's two stages."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from tests.effects.absorbed import regress
from tests.effects.conftest import cells_of
from vsh_eval import effects
from vsh_eval.contracts import DesignError


def dense(cells, regressors, by_stratum=False):
    """Fit with a dummy for every school and year, errors clustered by school."""
    year = cells["time"].astype(str) + (cells["phase"] if by_stratum else "")
    years = pd.get_dummies(year, dtype=float)
    drop = year.groupby(cells["phase"]).first() if by_stratum else year.iloc[:1]
    design = pd.concat(
        [pd.get_dummies(cells["unit"], dtype=float), years.drop(columns=drop), regressors], axis=1
    )
    fitted = sm.WLS(cells["outcome"], design, weights=cells["weight"]).fit(
        cov_type="cluster", cov_kwds={"groups": cells["unit"].astype("category").cat.codes}
    )
    number, width = design.shape
    counted = regressors.shape[1] + years.shape[1]
    scale = np.sqrt((number - width) / (number - counted))
    names = regressors.columns
    return fitted.params[names], fitted.bse[names] * scale


@pytest.mark.parametrize("by_stratum", [False, True])
def test_two_way_is_a_regression_on_dummies(cells, by_stratum):
    table = cells.assign(stratum=cells["phase"]) if by_stratum else cells
    row = effects.estimators.two_way_fixed_effects(table).iloc[0]
    treated = (cells["cohort"].gt(0) & cells["time"].ge(cells["cohort"])).astype(float)
    estimate, error = dense(cells, treated.rename("treated").to_frame(), by_stratum)
    assert row["estimate"] == pytest.approx(estimate["treated"], abs=1e-9)
    assert row["std_error"] == pytest.approx(error["treated"], rel=1e-9)
    assert row["df"] == cells["unit"].nunique() - 1
    assert row["schools_treated"] == cells.loc[treated.gt(0), "unit"].nunique()


def test_gardners_two_stages_are_the_imputation():
    library = pytest.importorskip("diff_diff")
    cells = cells_of(2, schools=40, absent=0.0).assign(weight=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = library.TwoStageDiD().fit(
            cells, outcome="outcome", unit="unit", time="time", first_treat="cohort"
        )
    ours = effects.estimators.impute(cells).loc[0, "estimate"]
    assert ours == pytest.approx(found.overall_att, abs=1e-9)


def test_regressors_that_are_alike_have_no_coefficient(cells):
    from vsh_eval.effects.grid import checked, grid

    laid_out = grid(checked(cells))
    treated = laid_out.treated.astype(float)
    found = regress(
        laid_out.outcome, np.stack([treated, 2 * treated]), laid_out.weight, laid_out.stratum
    )
    assert np.isnan(found.coefficient).all()
    assert found.influence.shape == (2, 40)


def test_what_cannot_be_told_apart_is_refused(cells):
    with pytest.raises(DesignError, match="training not identified"):
        effects.estimators.two_way_fixed_effects(cells[cells["cohort"].eq(0)])
    with pytest.raises(DesignError, match="training not identified"):
        effects.estimators.two_way_fixed_effects(cells[cells["cohort"].eq(4)])


def test_one_trained_school_has_no_interval(cells):
    lonely = cells[cells["cohort"].eq(0) | cells["unit"].eq("s001")]
    rows = effects.estimators.two_way_fixed_effects(lonely)
    assert rows.loc[0, "status"] == "x"
    assert np.isnan(rows.loc[0, "std_error"])
