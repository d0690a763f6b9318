"""Laws of every public estimator: what is refused, and what changes nothing."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from tests.effects.conftest import cells_of
from vsh_eval.contracts import DesignError
from vsh_eval.effects import estimators, inference, published, sensitivity

TABLE = pd.DataFrame(
    {
        "unit": np.repeat(list("abcdef"), 4),
        "time": [1, 2, 3, 4] * 6,
        "cohort": [3.0] * 12 + [0.0] * 12,
        "outcome": [5.0, 6, 4, 3, 7, 9, 7, 6, 8, 9, 10, 8, 6, 7, 8, 9, 5, 5, 6, 7, 9, 8, 9, 9],
        "weight": 1.0,
    }
)
ESTIMATORS = {
    "impute": estimators.impute,
    "impute_parts": estimators.impute_parts,
    "same_past": estimators.same_past,
    "att_gt": estimators.att_gt,
    "two_way_fixed_effects": estimators.two_way_fixed_effects,
    "bacon": estimators.bacon,
    "long_differences": estimators.long_differences,
    "wild_bootstrap": inference.wild_bootstrap,
    "randomise": inference.randomise,
    "pretrend": sensitivity.pretrend,
    "fit_synthetic": partial(
        published.fit_synthetic, donors=dict.fromkeys("abcdef", "abcdef"), unit="a", start=3
    ),
}
WRONG = {
    "cohort = inf": ("cohort", np.inf, "cohort is inf in 12 rows, must be a finite number"),
    "cohort below 0": ("cohort", -3.0, "cohort is -3 in 12 rows, must be 0 or more"),
    "cohort between years": ("cohort", 2.5, "cohort is 2.5 in 12 rows, must be a whole number"),
    "outcome = inf": ("outcome", np.inf, "outcome is inf in 12 rows, must be a finite number"),
    "outcome = -inf": ("outcome", -np.inf, "outcome is -inf in 12 rows, must be a finite"),
    "weight = inf": ("weight", np.inf, "weight is inf in 12 rows, must be a finite number"),
    "weight below 0": ("weight", -1.0, "weight is -1 in 12 rows, must be 0 or more"),
}


PAIRS = [
    (name, *wrong)
    for name in ESTIMATORS
    for wrong in WRONG.values()
    if name != "fit_synthetic" or wrong[0] == "outcome"  # it asks for no weight and no cohort
]


@pytest.mark.parametrize(("name", "column", "value", "words"), PAIRS)
def test_what_is_no_number_of_its_kind_is_refused(name, column, value, words):
    treated = TABLE["cohort"].eq(3)
    spoilt = TABLE.assign(**{column: TABLE[column].mask(treated, value)})
    with pytest.raises(DesignError, match=words) as refused:
        ESTIMATORS[name](spoilt)
    assert "; " in str(refused.value)


def test_schools_named_by_a_number_and_by_its_text_are_not_one_school():
    units = TABLE["unit"].map({"a": 1, "b": "1"}).fillna(TABLE["unit"])
    with pytest.raises(DesignError, match="unit names 1 schools that differ only in kind"):
        estimators.impute(TABLE.assign(unit=units.astype("object")))


CELLS = cells_of(11, schools=30, absent=0.0)
CELLS["weight"] = CELLS.groupby("unit")["pupils"].transform("mean")
ROWS = {
    "impute": estimators.impute,
    "att_gt": partial(estimators.att_gt, draws=99),
    "two_way_fixed_effects": estimators.two_way_fixed_effects,
    "long_differences": lambda table: estimators.long_differences(table).rows,
}
NUMBERS = ["estimate", "std_error", "df", "ci_lower", "p_value"]


@pytest.mark.parametrize("name", ROWS)
def test_order_names_and_scale_of_weights_do_not_matter(name):
    names = {unit: 7919 * n % 101 for n, unit in enumerate(CELLS["unit"].unique())}
    other = CELLS.sample(frac=1, random_state=1).assign(
        unit=lambda t: t["unit"].map(names), weight=lambda t: 7 * t["weight"]
    )
    found = [ROWS[name](table)[NUMBERS] for table in (CELLS, other)]
    pd.testing.assert_frame_equal(*found, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", ROWS)
def test_a_year_without_data_is_no_distance(name):
    years = {0: 0, 1: 201718, 2: 201819, 3: 202021, 4: 202122, 5: 202223, 6: 202324}
    named = CELLS.assign(time=CELLS["time"].map(years), cohort=CELLS["cohort"].map(years))
    rows, numbered = ROWS[name](named), ROWS[name](CELLS)
    pd.testing.assert_frame_equal(rows[NUMBERS], numbered[NUMBERS])
    if "aggregation" in rows:
        event, calendar = (rows["aggregation"].eq(kind) for kind in ("event", "calendar"))
        assert rows.loc[event, "index"].tolist() == numbered.loc[event, "index"].tolist()
        expected = numbered.loc[calendar, "index"].map(years)
        assert rows.loc[calendar, "index"].tolist() == expected.tolist()
