"""Small phases lend their year effects from the large phase most like them."""

from dataclasses import replace

import numpy as np
import pytest

from tests.effects.conftest import gaps_of
from vsh_eval import effects
from vsh_eval.contracts import DesignError

FEW = ("primary",) * 5 + ("secondary",) * 4 + ("special",)


def test_only_small_phases_move_and_effects_do_not_decide():
    gaps, exposure = gaps_of(1, schools=60, phases=FEW)
    gaps.loc[gaps["phase"].ne("primary"), "outcome"] += 30
    prepared = effects.prepare(gaps, exposure)
    found = effects.joined_phases(prepared)
    pairs = set(found.data[["phase", "stratum"]].itertuples(index=False, name=None))
    assert pairs == {("primary", "primary"), ("secondary", "secondary"), ("special", "secondary")}
    assert (prepared.stratified, found.stratified) == (False, True)
    assert found.notes[-1].startswith("Year effects are by phase, phases of few schools joined")
    trained = prepared.data["cohort"].gt(0) & prepared.data["time"].ge(prepared.data["cohort"])
    moved = prepared.data.assign(outcome=prepared.data["outcome"] - 50 * trained)
    again = effects.joined_phases(replace(prepared, data=moved))
    assert (again.data["stratum"] == found.data["stratum"]).all()


def test_it_is_the_fit_with_those_strata():
    gaps, exposure = gaps_of(2, schools=60, phases=FEW)
    found = effects.joined_phases(effects.prepare(gaps, exposure))
    joined = effects.impute_parts(found.data)["estimate"][0]
    renamed = gaps.assign(phase=gaps["unit_id"].map(found.data.groupby("unit")["stratum"].first()))
    own = effects.prepare(renamed, exposure)
    assert own.stratified
    assert joined == pytest.approx(effects.impute_parts(own.data)["estimate"][0])
    assert np.isfinite(joined)


@pytest.mark.parametrize(
    ("phases", "said"),
    [
        (("primary", "secondary"), "2 phases have 20 schools or more and 0 fewer"),
        (("primary",) * 9 + ("special",), "1 phases have 20 schools or more and 1 fewer"),
    ],
)
def test_what_cannot_be_joined_is_said(phases, said):
    prepared = effects.prepare(*gaps_of(1, schools=60, phases=phases))
    with pytest.raises(DesignError, match=said):
        effects.joined_phases(prepared)
