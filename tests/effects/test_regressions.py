"""Two-way fixed effects and Sun and Abraham against statsmodels and diff-diff."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from tests.effects.conftest import cells_of
from vsh_eval import effects
from vsh_eval.contracts import DesignError
from vsh_eval.numerics.absorbed import regress


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
    row = effects.two_way_fixed_effects(table).iloc[0]
    treated = (cells["cohort"].gt(0) & cells["time"].ge(cells["cohort"])).astype(float)
    estimate, error = dense(cells, treated.rename("treated").to_frame(), by_stratum)
    assert row["estimate"] == pytest.approx(estimate["treated"], abs=1e-9)
    assert row["std_error"] == pytest.approx(error["treated"], rel=1e-9)
    assert row["df"] == cells["unit"].nunique() - 1
    assert row["schools_treated"] == cells.loc[treated.gt(0), "unit"].nunique()


def test_sun_and_abraham_is_a_regression_on_cohorts_and_event_times(cells):
    event = cells["time"] - cells["cohort"]
    name = cells["cohort"].astype(str) + ":" + event.astype(str)
    kept = cells["cohort"].gt(0) & event.ne(-1)
    dummies = pd.get_dummies(name.where(kept), dtype=float)
    estimate, _ = dense(cells, dummies)
    rows = effects.sun_abraham(cells).set_index(["aggregation", "cohort", "index"])
    assert rows.loc[("att_gt", 4, 5), "estimate"] == pytest.approx(estimate["4:1"], abs=1e-9)
    weight = cells[kept].groupby(name[kept])["weight"].sum()
    for at in (-2, 1):
        names = [f"4:{at}", f"5:{at}"]
        mean = np.average(estimate[names], weights=weight[names])
        assert rows.loc[("event", 0, at), "estimate"] == pytest.approx(mean, abs=1e-9)
    after = [label for label in estimate.index if int(label.split(":")[1]) >= 0]
    simple = np.average(estimate[after], weights=weight[after])
    assert rows.loc[("simple", 0, 0), "estimate"] == pytest.approx(simple, abs=1e-9)
    assert rows.loc[("simple", 0, 0), "band_lower"] <= rows.loc[("simple", 0, 0), "ci_lower"]


def test_sun_and_abraham_is_diff_diffs_with_weights_of_one():
    library = pytest.importorskip("diff_diff")
    cells = cells_of(2, schools=40, absent=0.0).assign(weight=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = library.SunAbraham().fit(
            cells, outcome="outcome", unit="unit", time="time", first_treat="cohort"
        )
    rows = effects.sun_abraham(cells)
    ours = rows[rows["aggregation"].eq("event")].set_index("index")
    for event, theirs in found.event_study_effects.items():
        expected = (theirs["effect"], theirs["se"])
        assert tuple(ours.loc[event, ["estimate", "std_error"]]) == pytest.approx(expected)
    simple = rows.iloc[0]
    expected = (found.overall_att, found.overall_se)
    assert (simple["estimate"], simple["std_error"]) == pytest.approx(expected)


def test_gardners_two_stages_are_the_imputation():
    library = pytest.importorskip("diff_diff")
    cells = cells_of(2, schools=40, absent=0.0).assign(weight=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = library.TwoStageDiD().fit(
            cells, outcome="outcome", unit="unit", time="time", first_treat="cohort"
        )
    ours = effects.impute(cells).loc[0, "estimate"]
    assert ours == pytest.approx(found.overall_att, abs=1e-9)


def test_without_never_trained_schools_the_last_cohort_compares():
    cells = cells_of(5, schools=40, cohorts=(3, 5))
    rows = effects.sun_abraham(cells).set_index(["aggregation", "index"])
    assert rows.loc["calendar"].index.tolist() == [3, 4]
    assert rows.loc[("simple", 0), "schools_treated"] == 20


def test_a_cohort_without_its_last_year_before_is_left_out():
    cells = cells_of(5, schools=40, absent=0.0, cohorts=(0, 3, 5))
    hole = cells["cohort"].eq(3) & cells["time"].eq(2)
    rows = effects.sun_abraham(cells[~hole])
    assert rows.loc[rows["aggregation"].eq("cohort"), "index"].tolist() == [5]


def test_without_any_last_year_before_nothing_is_told_apart():
    cells = cells_of(5, schools=40, absent=0.0, cohorts=(0, 3))
    with pytest.raises(DesignError, match="no effect can be told apart"):
        effects.sun_abraham(cells[cells["time"].ge(3) | cells["cohort"].eq(0)])


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
    with pytest.raises(DesignError, match="told apart"):
        effects.two_way_fixed_effects(cells[cells["cohort"].eq(0)])
    with pytest.raises(DesignError, match="told apart"):
        effects.two_way_fixed_effects(cells[cells["cohort"].eq(4)])
    with pytest.raises(DesignError, match="no school is trained"):
        effects.sun_abraham(cells[cells["cohort"].eq(0)])
    with pytest.raises(DesignError):
        effects.sun_abraham(cells[cells["cohort"].eq(4)])
    early = cells[cells["cohort"].ne(5)].assign(cohort=np.where(cells["cohort"].ne(5), 1, 0)[
        cells["cohort"].ne(5)])  # fmt: skip
    with pytest.raises(DesignError):
        effects.sun_abraham(early)


def test_one_trained_school_has_no_interval(cells):
    lonely = cells[cells["cohort"].eq(0) | cells["unit"].eq("s001")]
    for rows in (effects.two_way_fixed_effects(lonely), effects.sun_abraham(lonely)):
        assert rows.loc[0, "status"] == "x"
        assert np.isnan(rows.loc[0, "std_error"])
