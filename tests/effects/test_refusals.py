"""No public estimator takes an infinite or negative value where there is none."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

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
