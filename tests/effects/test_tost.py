"""Two one-sided tests against statsmodels."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.weightstats import DescrStatsW

from tests.effects.conftest import cells_of
from vsh_eval import effects
from vsh_eval.contracts import ContractError, DesignError


@given(seed=st.integers(0, 10_000), margin=st.floats(0.05, 2.0))
@settings(max_examples=20, deadline=None)
def test_the_p_values_are_statsmodels(seed, margin):
    sample = np.random.default_rng(seed).normal(0.2, 1.0, 25)
    described = DescrStatsW(sample)
    p_value, below, above = described.ttost_mean(-margin, margin)
    row = effects.inference.equivalence_test(
        sample.mean(), described.std_mean, 24, margin=margin
    ).iloc[0]
    assert row["p_below"] == pytest.approx(below[1], abs=1e-12)
    assert row["p_above"] == pytest.approx(above[1], abs=1e-12)
    assert row["p_value"] == pytest.approx(p_value, abs=1e-12)
    lower, upper = described.tconfint_mean(alpha=0.10)
    assert (row["lower"], row["upper"]) == pytest.approx((lower, upper))
    assert row["equivalent"] == (-margin < lower and upper < margin)


def test_rows_of_an_estimator_keep_their_columns():
    rows = effects.estimators.impute(cells_of(2))
    found = effects.inference.equivalence_test(rows, margin=3.0)
    assert set(rows.columns) < set(found.columns)
    assert len(found) == len(rows)
    hidden = found["status"].ne("")
    assert found.loc[hidden, "p_below"].isna().all()
    assert not found.loc[hidden, "equivalent"].any()
    assert bool(found.loc[0, "equivalent"]) == (
        found.loc[0, "lower"] > -3 and found.loc[0, "upper"] < 3
    )


def test_a_missing_error_is_never_equivalence():
    rows = pd.DataFrame({"estimate": [0.0, 0.0], "std_error": [np.nan, 0.0], "df": [9.0, 9.0]})
    found = effects.inference.equivalence_test(rows, margin=1.0)
    assert found["p_value"].isna().all()
    assert found["equivalent"].tolist() == [False, False]


def test_what_cannot_be_tested_is_refused():
    with pytest.raises(DesignError, match="margin is 0, must be above 0"):
        effects.inference.equivalence_test(0.1, 0.2, margin=0)
    with pytest.raises(DesignError, match="std_error is missing"):
        effects.inference.equivalence_test(0.1, margin=1)
    with pytest.raises(ContractError, match="lacks the column"):
        effects.inference.equivalence_test(pd.DataFrame({"estimate": [1.0]}), margin=1)
