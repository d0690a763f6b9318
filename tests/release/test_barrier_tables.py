"""Barriers: shares of the rounded breakdowns, and nothing that these do not show."""

import pandas as pd
import pytest

from tests.release.invented_strata import children, composition_of, panel_of
from vsh_eval import metrics
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.release import BARRIERS, protect, round_breakdowns, round_leaves, rule_named

STRICT, NONE = rule_named("strict10"), rule_named("none")
PAIR = {"group": "cwsw", "reference": "peers"}


def tables(seed=4, *, size=1.0):
    pupils = children(seed, size=size)
    composition = composition_of(pupils)
    cube = round_leaves(panel_of(pupils), STRICT)
    found = metrics.barriers(composition, **PAIR)
    asked = found[(found["phase"] == "total") & found["barrier"].isin(BARRIERS)]
    return asked.reset_index(drop=True), round_breakdowns(composition, STRICT, cube=cube)


@pytest.fixture(scope="module")
def both():
    return tables()


@pytest.fixture(scope="module")
def shown(both):
    return protect(both[0], STRICT, kind="barriers", cube=both[1])


def test_a_share_is_that_of_the_rounded_leaves(both, shown):
    cells = both[1].cubes["sen"].cells
    cells = cells[(cells["metric"] == "overall_absence") & (cells["group"] == "cwsw")]
    for row in shown.where(barrier="ehc_plan").frame.to_dict("records"):
        of_year = cells[cells["time_period"] == row["time_period"]].set_index("phase")["pupils"]
        expected = 100 * of_year["ehc_plan"] / of_year.sum()
        assert row["group_level"] == pytest.approx(expected, abs=0.051)
        assert row["group_pupils"] == of_year.sum()


def test_shown_shares_are_near_the_true_ones_inside_their_intervals(both, shown):
    joined = shown.frame.merge(both[0], on=["time_period", "barrier"], suffixes=("", "_true"))
    assert (joined["status"] == "").all()
    for name in ("group_level", "reference_level", "gap"):
        true = joined[f"{name}_true"]
        assert ((joined[f"{name}_lower"] <= true) & (true <= joined[f"{name}_upper"])).all()
    ratio = joined["group_level"] / joined["reference_level"]
    assert (joined["ratio"] - ratio).abs().max() < 0.1


def test_under_ten_on_either_side_nothing_is_shown():
    table, cubes = tables(3, size=0.12)
    found = protect(table, STRICT, kind="barriers", cube=cubes)
    hidden = found.where(status="c").frame
    assert len(hidden) > 0
    columns = ["group_level", "reference_level", "gap", "gap_lower", "ratio"]
    assert hidden[columns].isna().all(axis=None)
    cells = cubes.cubes["sen"]._exact
    true = cells[cells["metric"] == "overall_absence"].set_index(["group", "phase", "time_period"])[
        "true_pupils"
    ]
    for row in found.where(status="", barrier=["sen_support", "ehc_plan"]).frame.itertuples():
        assert true[("cwsw", row.barrier, row.time_period)] >= 10


def test_single_phases_and_other_barriers_are_refused(both):
    table, cubes = both
    with pytest.raises(DisclosureError, match="single phases"):
        protect(table.assign(phase="primary"), STRICT, kind="barriers", cube=cubes)
    with pytest.raises(ContractError, match="barrier is 'pupils_suspended'"):
        protect(
            table.assign(barrier="pupils_suspended").head(1), STRICT, kind="barriers", cube=cubes
        )


def test_other_children_and_missing_leaves_are_refused(both):
    table, cubes = both
    strange = table.assign(group_pupils=table["group_pupils"] + 1)
    with pytest.raises(DisclosureError, match="other children than the rounded breakdowns"):
        protect(strange, STRICT, kind="barriers", cube=cubes)
    with pytest.raises(DisclosureError, match="came without its rounded leaves"):
        protect(table, STRICT, kind="barriers")


def test_leaves_without_the_population_are_refused():
    pupils = children(4)
    composition, cube = composition_of(pupils), round_leaves(panel_of(pupils), STRICT)
    table = metrics.barriers(composition, **PAIR)
    table = table[(table["phase"] == "total") & (table["barrier"] == "fsm6")]
    others = composition[composition["metric"] == "persistent_absence"]
    cubes = round_breakdowns(others, STRICT, cube=cube)
    with pytest.raises(ContractError, match="have no overall_absence"):
        protect(table, STRICT, kind="barriers", cube=cubes)


def test_a_group_without_children_keeps_its_symbol(both):
    table, cubes = both
    empty = table.head(1).assign(status="z", group_pupils=pd.array([0], dtype="Int64"))
    found = protect(empty, STRICT, kind="barriers", cube=cubes).frame
    assert found["status"].tolist() == ["z"]
    assert found["group_level"].isna().all()


def test_within_the_authority_true_numbers_pass(both):
    inside = protect(both[0], NONE, kind="barriers").frame
    assert inside["group_level"].tolist() == both[0]["group_level"].tolist()
