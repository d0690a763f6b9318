"""Who is compared with whom, and how alike they were, by hand."""

import numpy as np
import pandas as pd
import pytest

from tests.effects.conftest import gaps_of
from tests.effects.test_gate import small
from vsh_eval import effects
from vsh_eval.contracts import ContractError
from vsh_eval.effects.rows import simple_row


def test_the_design_table_by_hand():
    gaps, exposure = small([202021] * 4 + [202122] * 3)
    gaps.loc[gaps["unit_id"].eq("00"), "pupils"] = 10
    table = effects.sample.design_table(effects.sample.select_sample(gaps, exposure))
    assert table.to_numpy().tolist() == [
        ["trained", 202021, 201819, 4, 8, 8, 50, 50, 0.4],
        ["trained", 202122, 202021, 3, 9, 3, 45, 15, pytest.approx(1 / 3)],
        ["comparison", 0, 0, 5, 20, 0, 100, 0, 0.2],
    ]


def test_the_design_table_adds_up_to_the_panel():
    prepared = effects.sample.select_sample(*gaps_of(4))
    table = effects.sample.design_table(prepared)
    assert table["schools"].sum() == prepared.schools
    years = table["school_years_before"] + table["school_years_after"]
    assert years.sum() == len(prepared.data)
    assert (table["pupils_before"] + table["pupils_after"]).sum() == prepared.data["pupils"].sum()


def test_without_never_trained_schools_there_is_no_comparison_row():
    gaps, exposure = small([202021] * 6 + [202122] * 6)
    table = effects.sample.design_table(effects.sample.select_sample(gaps, exposure))
    assert table["arm"].tolist() == ["trained", "trained"]


def test_standardised_differences_by_hand():
    gaps, exposure = small([202021] * 4)
    prepared = effects.sample.select_sample(gaps, exposure)
    schools = pd.DataFrame({"unit_id": exposure["unit_id"], "fsm": np.arange(12.0), "name": "a"})
    schools.loc[11, "fsm"] = np.nan
    table = effects.sample.balance_table(prepared, schools).set_index("variable")
    assert table.index.tolist() == ["baseline_outcome", "baseline_pupils", "fsm"]
    trained, rest = np.arange(4.0), np.arange(4.0, 11)
    spread = np.sqrt((trained.var(ddof=1) + rest.var(ddof=1)) / 2)
    expected = (trained.mean() - rest.mean()) / spread
    assert table.loc["fsm", "standardised_difference"] == pytest.approx(expected)
    assert table.loc["fsm", ["trained_schools", "comparison_schools"]].tolist() == [4, 7]
    assert np.isnan(table.loc["baseline_pupils", "standardised_difference"])  # all have five


def test_balance_weighs_schools_by_their_sessions_before_anyone_was_trained():
    """The gap is that of the cells the estimator sees; a school of any size counts as it weighs."""
    gaps, exposure = small([202021] * 4)
    gaps = gaps.assign(weight=100.0 + 50.0 * gaps["unit_id"].astype(int))
    prepared = effects.sample.select_sample(gaps, exposure)
    row = effects.sample.balance_table(prepared).set_index("variable").loc["baseline_outcome"]
    before = gaps[gaps["time_period"].lt(202021)]
    trained = before["unit_id"].isin(exposure.loc[exposure["adopted"].gt(0), "unit_id"])
    for arm, own in (("trained", before[trained]), ("comparison", before[~trained])):
        expected = np.average(own["outcome"], weights=own["weight"])
        assert row[f"{arm}_mean"] == pytest.approx(expected)


def test_schools_are_counted_on_their_way_to_the_estimate():
    """Schools without children, without a year before training, and without weight drop out."""
    gaps, exposure = small([202021] * 4)
    gaps = gaps[gaps["unit_id"].ne("11") | gaps["time_period"].eq(201819)]
    never_seen = pd.DataFrame({"unit_id": ["98", "99"], "adopted": [202021, 0]})
    listed = pd.concat([exposure, never_seen], ignore_index=True)
    late = gaps["unit_id"].eq("00") & gaps["time_period"].lt(202021)
    prepared = effects.sample.select_sample(gaps[~late], listed)
    adopted = listed.set_index("unit_id")["adopted"]
    estimate = simple_row(effects.estimators.impute(prepared.data))
    flow = effects.sample.school_flow(prepared, gaps[~late], adopted, estimate).set_index("step")
    columns = ["schools", "schools_trained", "schools_comparison"]
    assert flow.loc["listed", columns].tolist() == [14, 5, 9]
    assert flow.loc["with_gap", columns].tolist() == [12, 4, 8]
    assert flow.loc["before_training", columns].tolist() == [11, 3, 8]
    assert flow.loc["in_estimate", columns].tolist() == [10, 3, 7]


def test_the_baseline_is_the_years_before_anyone_was_trained():
    gaps, exposure = small([202021] * 4)
    after = gaps["time_period"].ge(202021)
    moved = gaps.assign(outcome=gaps["outcome"] + 100.0 * after)
    tables = [
        effects.sample.balance_table(effects.sample.select_sample(g, exposure))
        for g in (gaps, moved)
    ]
    pd.testing.assert_frame_equal(*tables)


def test_prepared_covariates_are_compared_without_the_schools_table():
    gaps, exposure = small([202021] * 4)
    schools = pd.DataFrame({"unit_id": exposure["unit_id"], "fsm": np.arange(12.0)})
    prepared = effects.sample.select_sample(gaps, exposure, schools=schools, covariates=["fsm"])
    table = effects.sample.balance_table(prepared)
    assert table["variable"].tolist() == ["baseline_outcome", "baseline_pupils", "fsm"]
    pd.testing.assert_frame_equal(table, effects.sample.balance_table(prepared, schools))


def test_schools_without_their_numbers_are_refused():
    gaps, exposure = small([202021] * 4)
    with pytest.raises(ContractError, match="schools lacks the column unit_id"):
        effects.sample.balance_table(
            effects.sample.select_sample(gaps, exposure), exposure.drop(columns="unit_id")
        )
