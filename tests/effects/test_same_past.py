"""The second estimator on tables: rows, sizes, calendar years, selection and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.test_same_past import HELD
from tests.effects.conftest import YEARS, cells_of
from tests.effects.test_imputation import of
from vsh_eval import effects
from vsh_eval.contracts import ContractError, InfeasibleError
from vsh_eval.effects.estimators.same_past import cells_of as same_past_cells
from vsh_eval.effects.estimators.same_past import estimated_variances
from vsh_eval.effects.grid import checked, grid

same_past = effects.estimators.same_past


@pytest.fixture
def fixture_years(fixture_cells):
    return fixture_cells.assign(time_period=fixture_cells["time"].map(dict(enumerate(YEARS, 1))))


def test_the_fixture_of_the_validity_note(fixture_years):
    # the note's noise is of 1 of its 350 sessions
    held = replace(HELD, noise=HELD.noise * np.sqrt(350))
    simple = same_past(fixture_years, variances=held).iloc[0]
    assert simple["estimate"] == pytest.approx(-5.103732, abs=1e-6)
    assert simple["std_error"] == pytest.approx(2.988272, abs=1e-6)
    assert simple["df"] == 4
    assert (simple["schools_treated"], simple["schools_comparison"]) == (2, 3)
    assert simple["ci_upper"] == pytest.approx(-5.103732 + 2.7764451 * 2.988272, abs=1e-5)


def test_children_are_the_size_where_they_are_counted(fixture_years):
    counted = fixture_years.assign(pupils=fixture_years["weight"] / 350)
    simple = same_past(counted, variances=HELD).iloc[0]
    assert simple["estimate"] == pytest.approx(-5.103732, abs=1e-6)
    # a school-year with sessions but without a count is sized by its sessions, as all are then
    gone = counted.assign(pupils=counted["pupils"].where(counted.index > 0))
    held = replace(HELD, noise=HELD.noise * np.sqrt(350))
    assert same_past(gone, variances=held).loc[0, "estimate"] == pytest.approx(-5.103732, abs=1e-6)


def test_a_year_without_data_lies_between(fixture_years):
    held = replace(HELD, noise=HELD.noise * np.sqrt(350))
    near = same_past(fixture_years.drop(columns="time_period"), variances=held).loc[0, "estimate"]
    assert near != pytest.approx(-5.103732, abs=1e-3)
    named = fixture_years.assign(time_period=lambda t: (2017 + t["time"]) * 101 + 1)
    assert same_past(named, variances=held).loc[0, "estimate"] == pytest.approx(near)


def test_the_rows_are_the_primarys_without_leads(cells):
    rows, primary = same_past(cells), effects.estimators.impute(cells, leads=0)
    labels = ["aggregation", "cohort", "index", "schools_treated", "pupils", "status"]
    assert tuple(rows.columns) == effects.rows.ROW_COLUMNS
    pd.testing.assert_frame_equal(rows[labels], primary[labels])
    event = of(rows, "event")
    assert (event["band_lower"] < event["ci_lower"]).all()
    after = cells[cells["cohort"].gt(0) & cells["time"].ge(cells["cohort"])]
    by_cohort = after.groupby("cohort")["weight"].sum().to_numpy()
    whole = np.average(of(rows, "cohort")["estimate"], weights=by_cohort)
    assert whole == pytest.approx(rows.loc[0, "estimate"])


def variances_of(table):
    return estimated_variances(same_past_cells(grid(checked(table))))


def test_a_small_phase_has_the_noise_of_the_largest(cells):
    few = cells["unit"].isin(cells["unit"].unique()[:14:2])
    special = cells.assign(phase=cells["phase"].mask(few, "special"))
    other = cells.assign(phase=cells["phase"].mask(few, cells["phase"].iloc[-1]))
    np.testing.assert_allclose(variances_of(special).noise, variances_of(other).noise)
    one, two = (same_past(table, draws=1).loc[0, "estimate"] for table in (special, other))
    assert one == pytest.approx(two)


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 1000), shift=st.floats(-20, 20), effect=st.floats(-5, 5))
def test_constants_do_not_matter_and_effects_are_added(seed, shift, effect):
    table = cells_of(seed, schools=24)
    trained = table["cohort"].gt(0) & table["time"].ge(table["cohort"])
    rows = same_past(table)
    again = same_past(table.assign(outcome=table["outcome"] + shift + effect * trained))
    np.testing.assert_allclose(again["estimate"], rows["estimate"] + effect, atol=0.02)
    np.testing.assert_allclose(again["std_error"], rows["std_error"], atol=0.02)


def test_schools_chosen_for_a_wide_gap_give_no_effect_that_is_not_there():
    """Half of the schools, those with the widest mean gap in the three years before, are trained.

    A school's gap wanders (0.7 from year to year) about a level of its own, so a wide gap partly
    closes by itself. The primary estimator takes that for an effect of training.
    """
    rng = np.random.default_rng(11)
    schools, years, draws = 80, 6, 15
    found = []
    for _ in range(draws):
        gap = np.zeros((schools, years))
        gap[:, 0] = rng.normal(0, 3, schools)
        for year in range(1, years):
            gap[:, year] = 0.7 * gap[:, year - 1] + rng.normal(0, 3 * np.sqrt(0.51), schools)
        gap += rng.normal(0, 1, (schools, 1))
        widest = gap[:, :3].mean(axis=1) + rng.normal(0, 0.5, schools)
        chosen = widest > np.median(widest)
        table = pd.DataFrame(
            {
                "unit": np.repeat(np.arange(schools), years),
                "time": np.tile(np.arange(1, years + 1), schools),
                "cohort": np.repeat(np.where(chosen, 4, 0), years),
                "outcome": gap.ravel(),
                "weight": 1.0,
            }
        )
        one, two = effects.estimators.impute(table, leads=0, draws=1), same_past(table, draws=1)
        found.append((one.loc[0, "estimate"], *two.loc[0, ["estimate", "ci_lower", "ci_upper"]]))
    primary, second, lower, upper = np.array(found).T
    assert primary.mean() < -1.0
    assert abs(second.mean()) < 3.5 * second.std() / np.sqrt(draws)
    assert ((lower < 0) & (upper > 0)).mean() >= 0.8


def test_outcomes_that_do_not_vary_have_no_interval(cells):
    rows = same_past(cells.assign(outcome=7.0))
    assert rows.loc[0, "estimate"] == pytest.approx(0, abs=1e-9)
    assert rows.loc[0, "reason"].code == "no_variation"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda t: t.assign(cohort=0), "nobody_trained_in_years"),
        (lambda t: t[t["time"].ge(5)], "no_pupils_before"),
        (lambda t: t[t["cohort"].eq(4)], "no_untrained_school"),
        (lambda t: t[t["time"].between(3, 4)].assign(cohort=4), "past_too_short"),
        (lambda t: t[t["unit"].isin(["s000", "s001"])], "past_too_short"),
    ],
)
def test_what_cannot_be_estimated_is_refused_with_its_reason(cells, change, code):
    with pytest.raises(InfeasibleError) as caught:
        same_past(change(cells))
    assert caught.value.message.code == code


def test_a_missing_column_is_named(cells):
    with pytest.raises(ContractError, match="lacks the column weight"):
        same_past(cells.drop(columns="weight"))
