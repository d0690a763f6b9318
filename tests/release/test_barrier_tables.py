"""Barriers: shares of the rounded breakdowns, and nothing that these do not show."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import t as student

from tests.release.invented_strata import children, composition_of, moments_of, panel_of
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


def test_a_group_without_children_looks_like_one_with_a_few(both):
    """Else a hidden row would say that there is a child: four numbers are left of a rounded 0."""
    table, cubes = both
    empty = table.head(1).assign(status="z", group_pupils=pd.array([0], dtype="Int64"))
    found = protect(empty, STRICT, kind="barriers", cube=cubes).frame
    assert found["status"].tolist() == ["c"]
    assert found["group_level"].isna().all()


def test_within_the_authority_true_numbers_pass(both):
    inside = protect(both[0], NONE, kind="barriers").frame
    assert inside["group_level"].tolist() == both[0]["group_level"].tolist()


# --- Schools that differ.


@pytest.fixture(scope="module")
def by_school():
    """Free meals go with the school: the table with moments, without, and the rounded leaves."""
    pupils = children(5)
    poor = pupils["unit_id"].astype(int) % 3 == 1
    pupils.loc[poor & (pupils.index % 4 > 0), "fsm6"] = 1
    composition = composition_of(pupils)
    cubes = round_breakdowns(composition, STRICT, cube=round_leaves(panel_of(pupils), STRICT))
    tables = []
    for moments in (moments_of(pupils), None):
        found = metrics.barriers(composition, moments=moments, **PAIR)
        asked = found[(found["phase"] == "total") & found["barrier"].isin(BARRIERS)]
        tables.append(asked.reset_index(drop=True))
    return *tables, cubes


def released(table, cubes):
    return protect(table, STRICT, kind="barriers", cube=cubes)


def two_figures(values):
    return values.map(lambda value: float(f"{value:.2g}"))


def test_an_interval_is_the_rounded_shares_widened_by_one_decimal(by_school):
    table, _, cubes = by_school
    shown = released(table, cubes).frame
    assert (shown["status"] == "").all()
    t = student.ppf(0.975, table["df"] // 5 * 5)
    spread = {True: [], False: []}
    for side in ("group", "reference"):
        level, n = shown[f"{side}_level"] / 100, shown[f"{side}_pupils"].astype(float)
        true, true_n = table[f"{side}_level"] / 100, table[f"{side}_pupils"].astype(float)
        rounded = 100 * np.sqrt(level * (1 - level) / n)
        exact = 100 * np.sqrt(true * (1 - true) / true_n)
        spread[True].append(exact**2)
        spread[False].append(rounded**2)
        reach = t * two_figures(np.round(table[f"{side}_std_error"] / exact, 1) * rounded)
        for end, sign in (("lower", -1), ("upper", 1)):
            odds = logit(level) + sign * reach / 100 / (level * (1 - level))
            limit = shown[f"{side}_level_{end}"]
            np.testing.assert_allclose(limit, 100 * expit(odds), rtol=0, atol=0.06)
    effect = np.round(table["gap_std_error"] / np.sqrt(sum(spread[True])), 1)
    half = t * two_figures(effect * np.sqrt(sum(spread[False])))
    for end, sign in (("lower", -1), ("upper", 1)):
        limit = shown[f"gap_{end}"]
        np.testing.assert_allclose(limit, shown["gap"] + sign * half, rtol=0, atol=0.06)


def test_what_goes_with_schools_has_a_wider_interval(by_school):
    with_schools, without, cubes = by_school
    widths = []
    for table in (with_schools, without):
        shown = released(table, cubes)
        poor = shown.where(barrier="fsm6").frame
        widths.append((poor["reference_level_upper"] - poor["reference_level_lower"]).to_numpy())
        assert ("independent" in " ".join(shown.notes)) == (table is without)
    assert (widths[0] > 1.5 * widths[1]).all()


def test_shares_stay_as_they_are_without_schools(by_school):
    with_schools, without, cubes = by_school
    kept = ["group_pupils", "group_level", "reference_level", "gap", "ratio", "status"]
    one, two = (released(table, cubes).frame[kept] for table in (with_schools, without))
    pd.testing.assert_frame_equal(one, two)


def test_the_exact_limits_are_not_told(by_school):
    """Only the error's first figures and five schools more or less reach the reader."""
    table, _, cubes = by_school
    other = table.copy()
    for name in ("group", "reference", "gap"):
        stem = name if name == "gap" else f"{name}_level"
        other[[f"{stem}_lower", f"{stem}_upper"]] += 0.37
        other[f"{name}_std_error"] *= 1.0001
    other["df"] = table["df"] // 5 * 5
    pd.testing.assert_frame_equal(released(other, cubes).frame, released(table, cubes).frame)
