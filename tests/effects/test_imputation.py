"""The primary estimator on tables: rows, leads, bands, what is dropped and what is refused."""

import numpy as np
import pandas as pd
import pytest

from tests.effects.conftest import cells_of
from vsh_eval import effects
from vsh_eval.contracts import ContractError, DesignError

NUMBERS = ["estimate", "std_error", "df", "ci_lower", "ci_upper", "p_value"]


def of(rows, aggregation):
    return rows[rows["aggregation"].eq(aggregation)].reset_index(drop=True)


def test_the_fixture_of_the_simulation_note(fixture_cells):
    simple = effects.estimators.impute(fixture_cells).iloc[0]
    assert simple["estimate"] == pytest.approx(-4.948955, abs=1e-6)
    assert simple["std_error"] == pytest.approx(0.483698, abs=1e-6)
    assert simple["df"] == 4
    half = 2.7764451 * 0.483698
    assert simple["ci_lower"] == pytest.approx(-4.948955 - half, abs=1e-5)
    assert simple["ci_upper"] == pytest.approx(-4.948955 + half, abs=1e-5)
    assert (simple["schools_treated"], simple["schools_comparison"]) == (2, 3)
    # sessions after training: 9 and 11 units of 350, of the first and the second school
    assert simple["largest_share"] == pytest.approx(12 / 23)


def test_the_rows_keep_to_their_columns_and_order(cells):
    rows = effects.estimators.impute(cells)
    assert tuple(rows.columns) == effects.rows.ROW_COLUMNS
    order = rows["aggregation"].drop_duplicates().tolist()
    assert order == ["simple", "cohort", "calendar", "event", "att_gt"]
    assert of(rows, "cohort")["index"].tolist() == [4, 5]
    assert of(rows, "calendar")["index"].tolist() == [4, 5, 6]
    assert of(rows, "event")["index"].tolist() == [-2, -1, 0, 1, 2]
    cells_named = of(rows, "att_gt")[["cohort", "index"]].to_numpy().tolist()
    assert cells_named == [[4, 4], [4, 5], [4, 6], [5, 5], [5, 6]]


def test_parts_average_to_the_whole(cells):
    rows = effects.estimators.impute(cells)
    after = cells[cells["cohort"].gt(0) & cells["time"].ge(cells["cohort"])]
    whole = rows.loc[0, "estimate"]
    by_cohort = after.groupby("cohort")["weight"].sum().to_numpy()
    by_year = after.groupby("time")["weight"].sum().to_numpy()
    by_event = after.groupby(after["time"] - after["cohort"])["weight"].sum().to_numpy()
    events = of(rows, "event").query("index >= 0")["estimate"]
    assert np.average(of(rows, "cohort")["estimate"], weights=by_cohort) == pytest.approx(whole)
    assert np.average(of(rows, "calendar")["estimate"], weights=by_year) == pytest.approx(whole)
    assert np.average(events, weights=by_event) == pytest.approx(whole)
    assert of(rows, "cohort")["pupils"].sum() == after["pupils"].sum() == rows.loc[0, "pupils"]


def test_bands_contain_the_pointwise_intervals(cells):
    rows = effects.estimators.impute(cells)
    assert (rows["band_lower"] <= rows["ci_lower"]).all()
    assert (rows["band_upper"] >= rows["ci_upper"]).all()
    event = of(rows, "event")
    assert (event["band_lower"] < event["ci_lower"]).all()
    assert rows.loc[0, "band_lower"] == rows.loc[0, "ci_lower"]
    pd.testing.assert_frame_equal(rows, effects.estimators.impute(cells))


def test_a_lead_equals_the_imputation_of_an_earlier_adoption():
    table = cells_of(4, schools=30, absent=0.0, cohorts=(0, 5))
    lead = of(effects.estimators.impute(table, leads=1), "event").set_index("index").loc[-1]
    placebo = table[~(table["cohort"].eq(5) & table["time"].ge(5))]
    placebo = placebo.assign(cohort=placebo["cohort"].replace(5, 4))
    simple = effects.estimators.impute(placebo, leads=0).iloc[0]
    assert lead["estimate"] == pytest.approx(simple["estimate"])
    assert lead["std_error"] == pytest.approx(simple["std_error"])


@pytest.mark.parametrize(("cohorts", "leads"), [((0, 2), 0), ((0, 3), 1), ((0, 4, 5), 2)])
def test_as_many_leads_as_three_quarters_of_the_schools_bear(cohorts, leads):
    fitted = effects.estimators.fit_imputation(cells_of(1, absent=0.0, cohorts=cohorts))
    assert (of(fitted.rows, "event")["index"] < 0).sum() == leads


def test_event_covariance_and_leave_one_out_belong_to_the_rows(cells):
    fitted = effects.estimators.fit_imputation(cells)
    event = of(fitted.rows, "event")
    assert fitted.event_covariance.index.tolist() == event["index"].tolist()
    np.testing.assert_allclose(np.sqrt(np.diag(fitted.event_covariance)), event["std_error"])
    simple, without = fitted.rows.iloc[0], fitted.leave_one_out["estimate"]
    schools = len(without)
    assert schools == simple["df"] + 1
    squares = ((without - simple["estimate"]) ** 2).sum()
    assert np.sqrt((schools - 1) / schools * squares) == pytest.approx(simple["std_error"])
    one = fitted.leave_one_out.iloc[5]
    rest = effects.estimators.impute(cells[cells["unit"].ne(one["unit"])])
    assert rest.loc[0, "estimate"] == pytest.approx(one["estimate"])


def test_year_effects_by_stratum_take_out_trends_by_stratum(cells):
    drift = 3.0 * cells["time"] * cells["phase"].eq("secondary")
    drifting = cells.assign(outcome=cells["outcome"] + drift)
    within = effects.estimators.impute(drifting.assign(stratum=drifting["phase"])).loc[
        0, "estimate"
    ]
    still = effects.estimators.impute(cells.assign(stratum=cells["phase"])).loc[0, "estimate"]
    assert within == pytest.approx(still)
    common = [effects.estimators.impute(table).loc[0, "estimate"] for table in (drifting, cells)]
    assert abs(common[0] - common[1]) > 0.01


def test_fit_weights_are_used_where_given(cells):
    flat = effects.estimators.impute(cells.assign(fit_weight=1.0)).loc[0, "estimate"]
    assert flat != pytest.approx(effects.estimators.impute(cells).loc[0, "estimate"], abs=1e-3)


def test_treated_cells_that_cannot_be_imputed_are_left_out(cells):
    first = cells["unit"].eq("s001") & cells["time"].lt(4)
    everyone = cells["time"].eq(6) & cells["cohort"].eq(0)
    rows = effects.estimators.impute(cells[~first & ~everyone])
    assert 6 not in of(rows, "calendar")["index"].tolist()
    kept = cells[cells["unit"].ne("s001") & cells["time"].lt(6)]
    pd.testing.assert_frame_equal(rows[NUMBERS], effects.estimators.impute(kept)[NUMBERS])


def test_without_never_trained_schools_later_ones_compare():
    rows = effects.estimators.impute(cells_of(2, cohorts=(4, 6)))
    assert of(rows, "calendar")["index"].tolist() == [4, 5]  # nobody is untrained in year 6
    assert rows.loc[0, "status"] == ""


def test_a_row_of_one_trained_school_has_no_interval(cells):
    lonely = cells[cells["cohort"].ne(5) | cells["unit"].eq("s002")]
    cohort = of(effects.estimators.impute(lonely), "cohort").set_index("index")
    assert cohort.loc[5, "status"] == "x"
    assert cohort.loc[5, "reason"].code == "one_trained_school"
    assert np.isfinite(cohort.loc[5, "estimate"])
    assert cohort.loc[5, ["std_error", "ci_lower", "band_upper", "p_value"]].isna().all()
    assert cohort.loc[4, "status"] == ""


def test_outcomes_that_do_not_vary_have_no_interval(cells):
    rows = effects.estimators.impute(cells.assign(outcome=7.0))
    assert rows.loc[0, "estimate"] == pytest.approx(0, abs=1e-9)
    assert (rows["status"] == "x").all()
    assert rows["p_value"].isna().all()
    assert rows.loc[0, "reason"].code == "no_variation"


def test_a_singular_leave_one_out_is_said(cells):
    last = cells["time"].eq(6) & cells["cohort"].eq(0)
    keeper = cells.loc[last, "unit"].iloc[0]
    rows = effects.estimators.impute(cells[~last | cells["unit"].eq(keeper)])
    year = of(rows, "calendar").set_index("index").loc[6]
    assert year["reason"].code == "influence_function_error"
    assert np.isfinite(year["std_error"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(cohort=0), "nobody trained in years"),
        (lambda t: t[t["time"].ge(5)], "no pupils before"),
        (lambda t: t[t["cohort"].eq(4)], "no untrained school"),
        (lambda t: t.assign(weight=0.0), "no weight"),
        (lambda t: pd.concat([t, t.head(2)]), "2 school-years are there twice"),
        (lambda t: t.assign(outcome=t["outcome"].where(t.index > 3)), "outcome is missing in 4"),
        (lambda t: t.assign(cohort=t["cohort"].where(t["cohort"].gt(0))), "write 0 for never"),
        (lambda t: t.assign(cohort=t["cohort"].mask(t.index == 0, 4)), "cohort changes within 1"),
        (lambda t: t.assign(stratum=t["time"].astype(str)), "stratum changes within"),
    ],
)
def test_what_cannot_be_estimated_is_refused_in_a_sentence(cells, change, message):
    with pytest.raises(DesignError, match=message) as caught:
        effects.estimators.impute(change(cells))
    assert str(caught.value).endswith(".")


def test_a_missing_column_is_named(cells):
    with pytest.raises(ContractError, match="lacks the column weight"):
        effects.estimators.impute(cells.drop(columns="weight"))
