"""The decomposition of two-way fixed effects against published weights and its own sum."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effects.conftest import cells_of
from vsh_eval import effects
from vsh_eval.contracts import DesignError


@pytest.fixture(scope="module")
def math_reform(shared_data):
    """Goodman's states and years, which come with the R package bacondecomp."""
    table = pd.read_csv(shared_data / "reference" / "math_reform.csv")
    names = {
        "state": "unit",
        "class": "time",
        "reformyr_math": "cohort",
        "incearn_ln": "outcome",
    }
    table = table.rename(columns=names).assign(weight=1.0)
    return table.assign(cohort=table["cohort"].fillna(0).astype(int))


def test_the_weights_and_means_that_r_prints(math_reform):
    rows = effects.estimators.bacon(math_reform)
    by_type = rows.groupby("type")
    expected = {
        "earlier_vs_later": (0.06353, 0.07117),
        "later_vs_earlier": (0.05265, 0.04117),
        "treated_vs_never": (0.88382, 0.01211),
    }
    assert set(by_type.groups) == set(expected)
    for kind, (weight, mean) in expected.items():
        assert by_type["weight"].sum()[kind] == pytest.approx(weight, abs=5e-6)
        # R's page prints plain means of the estimates of a type.
        assert by_type["estimate"].mean()[kind] == pytest.approx(mean, abs=5e-6)


def test_the_sum_is_the_two_way_estimate(math_reform):
    rows = effects.estimators.bacon(math_reform)
    two_way = effects.estimators.two_way_fixed_effects(math_reform).loc[0, "estimate"]
    assert (rows["weight"] * rows["estimate"]).sum() == pytest.approx(two_way, abs=1e-10)
    assert rows["weight"].sum() == pytest.approx(1.0)


def test_diff_diff_takes_it_apart_alike(math_reform):
    library = pytest.importorskip("diff_diff")
    treated = math_reform["cohort"].gt(0) & math_reform["time"].ge(math_reform["cohort"])
    found = library.BaconDecomposition(weights="exact").fit(
        math_reform.assign(treated=treated.astype(int)),
        outcome="outcome",
        unit="unit",
        time="time",
        first_treat="cohort",
    )
    theirs = found.to_dataframe()
    ours = effects.estimators.bacon(math_reform)
    assert np.sort(ours["weight"]) == pytest.approx(np.sort(theirs["weight"]), abs=1e-10)
    assert np.sort(ours["estimate"]) == pytest.approx(np.sort(theirs["estimate"]), abs=1e-10)


@given(seed=st.integers(0, 1000), always=st.booleans(), never=st.booleans())
@settings(max_examples=4, deadline=None)
def test_the_sum_holds_with_weights_gaps_and_schools_trained_always(seed, always, never):
    cohorts = ((0,) if never else ()) + ((1,) if always else ()) + (3, 4, 5)
    cells = cells_of(seed, schools=25, absent=0.05, cohorts=cohorts)
    rows = effects.estimators.bacon(cells)
    balanced = effects.estimators.balanced(cells)
    two_way = effects.estimators.two_way_fixed_effects(balanced).loc[0, "estimate"]
    assert (rows["weight"] * rows["estimate"]).sum() == pytest.approx(two_way, abs=1e-9)
    assert (rows["weight"] > 0).all()
    assert rows["weight"].sum() == pytest.approx(1.0)
    drawn = set(balanced["cohort"])  # chance may leave a cohort without a school in every year
    assert rows["type"].eq("treated_vs_always").any() == (1 in drawn)
    assert rows["type"].eq("treated_vs_never").any() == (0 in drawn)


def test_growing_effects_make_later_against_earlier_wrong():
    cells = cells_of(2, schools=40, absent=0.0, cohorts=(0, 3, 5)).assign(weight=1.0)
    since = (cells["time"] - cells["cohort"] + 1).clip(lower=0) * cells["cohort"].gt(0)
    rows = effects.estimators.bacon(cells.assign(outcome=1e-6 * cells["outcome"] - since))
    wrong = rows[rows["type"].eq("later_vs_earlier")]
    assert wrong["estimate"].item() == pytest.approx(-1.5 + 2.0, abs=1e-3)
    counts = rows.loc[rows["type"].eq("treated_vs_never"), "schools_treated"]
    assert counts.tolist() == [13, 13]


def test_what_cannot_be_taken_apart_is_refused(cells):
    with pytest.raises(DesignError, match="not identified"):
        effects.estimators.bacon(cells[cells["cohort"].eq(0)])
    with pytest.raises(DesignError, match="not identified"):
        effects.estimators.bacon(cells[cells["cohort"].eq(4)])
    broken = cells[(cells["time"] + cells["unit"].str[1:].astype(int)) % 3 > 0]
    with pytest.raises(DesignError, match="no school in every year"):
        effects.estimators.bacon(broken)
