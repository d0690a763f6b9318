"""Parts of the trained school-years, each with its own interval."""

import numpy as np
import pytest

from tests.effects.conftest import cells_of
from vsh_eval import effects
from vsh_eval.contracts import ContractError, DesignError

SHARED = ["estimate", "std_error", "df", "ci_lower", "p_value", "schools_treated",
          "schools_comparison", "pupils", "largest_share", "status"]  # fmt: skip


def test_the_whole_is_the_primary_estimate():
    cells = cells_of(2, effect=-2.0)
    whole = effects.estimators.impute_parts(cells).iloc[0]
    simple = effects.estimators.impute(cells, draws=1).iloc[0]
    for name in SHARED:
        assert whole[name] == pytest.approx(simple[name], nan_ok=True), name


def test_parts_are_cohorts_where_cohorts_are_named_and_add_up_by_weight():
    cells = cells_of(3, effect=-2.0)
    cells["band"] = cells["cohort"].map({0: "", 4: "early", 5: "late"})
    parts = effects.estimators.impute_parts(cells, by="band").set_index("part")
    cohorts = effects.estimators.impute(cells, draws=1).query("aggregation == 'cohort'")
    np.testing.assert_allclose(parts["estimate"], cohorts["estimate"])
    np.testing.assert_allclose(parts["std_error"], cohorts["std_error"])
    treated = cells[cells["cohort"].gt(0) & cells["time"].ge(cells["cohort"])]
    weight = treated.groupby("band")["weight"].sum()
    whole = effects.estimators.impute_parts(cells)["estimate"][0]
    assert np.average(parts["estimate"], weights=weight[parts.index]) == pytest.approx(whole)


def test_what_is_left_out_and_what_cannot_be_named():
    cells = cells_of(3)
    with pytest.raises(DesignError, match="no part named"):
        effects.estimators.impute_parts(cells.assign(band=""), by="band")
    with pytest.raises(ContractError, match="lacks the column band"):
        effects.estimators.impute_parts(cells, by="band")
    with pytest.raises(DesignError, match="nobody trained in years"):
        effects.estimators.impute_parts(cells.assign(cohort=0))
