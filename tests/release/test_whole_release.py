"""A reader with every table of a release, and of two: each leak found is closed and kept here."""

import numpy as np
import pandas as pd
import pytest

from tests.release.attacker import nearest, nearest_window
from tests.release.invented_strata import children, composition_of, moments_of, panel_of
from tests.release.test_disclosure import estimates
from tests.release.whole_release import (
    BY_PHASE,
    NUMBER,
    Joint,
    a_part_left_out,
    fewest,
    joint,
    leaf_of,
    limits_of,
    schools_that_fit,
    sum_of,
    width_of_few,
)
from vsh_eval import metrics, names
from vsh_eval.release import BARRIERS, protect, round_breakdowns, round_leaves, rule_named
from vsh_eval.release.disclosure.alike import nearly_alike
from vsh_eval.release.disclosure.decomposition_tables import FEWEST_MATCHED, LEAST_ALIKE
from vsh_eval.release.disclosure.sides import multiplier

STRICT = rule_named("strict10")
PAIR = {"group": "cwsw", "reference": "peers"}
UNIT = {"unit_id": "E06000999"}
LAST = 202425


def released(pupils, *, ledgers=(None, None)):
    """Return cube, breakdowns and the shown barriers of an authority's children."""
    panel, composition = panel_of(pupils), composition_of(pupils)
    cube = round_leaves(panel, STRICT, ledger=ledgers[0])
    spread = moments_of(pupils).spread
    broken = round_breakdowns(composition, STRICT, cube=cube, ledger=ledgers[1], spread=spread)
    found = metrics.barriers(composition, **PAIR)
    asked = found[(found["phase"] == "total") & found["barrier"].isin(BARRIERS)]
    barriers = protect(asked.reset_index(drop=True), STRICT, kind="barriers", cube=broken).frame
    return panel, cube, broken, barriers


@pytest.fixture(scope="module")
def two():
    """Two releases: a child left, one is on a plan now, one joined, a school closed."""
    years = (202223, 202324)
    before = children(5, size=0.3, years=years)
    after = before.copy()
    cin = after.index[(after["group"] == "cin") & (after["time_period"] == years[1])]
    after.loc[cin[1], "group"] = "cpp"
    closed = after["unit_id"].eq("11") & after["time_period"].eq(years[1])
    after.loc[closed, ["unit_id", "phase"]] = ["9", "primary"]
    after = pd.concat([after.drop(index=cin[0]), after.loc[[cin[2]]]], ignore_index=True)
    after = pd.concat([after, children(6, size=0.3, years=(LAST,))], ignore_index=True)
    first = released(before)
    second = released(after, ledgers=(first[1].ledger, first[2].ledger))
    return first, second


# --- One release: phases, characteristics and barriers are about the same children.


@pytest.fixture(scope="module")
def small():
    return released(children(2, size=0.12, years=(LAST,)))


def test_phases_characteristics_and_barriers_together_leave_five_numbers(small):
    _, cube, broken, barriers = small
    by = ["sex", "fsm6"]
    reader, targets = joint(cube, broken, LAST, barriers=barriers, told_all=True, only=by)
    few = [found for found in targets if found[0][0] == BY_PHASE or found[0][2] in PAIR.values()]
    assert len(few) > 40
    chosen = np.random.default_rng(2).permutation(len(few))[:16]
    assert fewest(reader, [few[at] for at in chosen]) >= 5


def test_the_joint_reader_finds_what_neither_table_tells_alone():
    """A phase shown as 40 and four key stages as 5 each: all four are nine."""
    stages = ("ks1", "ks2", "ks3", "ks4")
    reader = Joint()
    for by, value in [(BY_PHASE, "primary"), *(("key_stage", stage) for stage in stages)]:
        leaf_of(reader, by, value, "cin")
        multiple = sum_of("multiple", NUMBER, by, [value], ("cin",))
        reader.fact(multiple, *((8, 8) if by == BY_PHASE else (1, 1)))
    phase = sum_of("true", NUMBER, BY_PHASE, ["primary"], ("cin",))
    parts = sum_of("true", NUMBER, "key_stage", stages, ("cin",))
    one = sum_of("true", NUMBER, "key_stage", ["ks3"], ("cin",))
    reader.fact({**phase, **dict.fromkeys(parts, -1)}, 0, 0)
    assert reader.bounds(one) == (9, 9)
    reader.fact(one, high=8)
    with pytest.raises(AssertionError, match="contradicts"):
        reader.bounds(one)


def test_a_hidden_barrier_does_not_say_how_many_children_there_are():
    *_, barriers = released(children(3, size=0.03, years=(LAST,)))
    assert (barriers["status"] == "c").all()
    assert barriers["group_pupils"].isna().all()


def test_barriers_say_nothing_that_the_breakdowns_do_not(two):
    _, cube, broken, barriers = two[0]
    assert {"", "c"} == set(barriers["status"])
    totals = cube.cells[cube.cells["phase"] == "total"].query("metric == 'overall_absence'")
    totals = totals.set_index(["group", "time_period"])["pupils"]
    for row in barriers.to_dict("records"):
        by = "fsm6" if row["barrier"] == "fsm6" else "sen"
        cells = broken.cubes[by].cells.query("metric == 'overall_absence'")
        for side in ("group", "reference"):
            if pd.isna(row[f"{side}_pupils"]):
                continue
            mine = (cells["group"] == row[side]) & (cells["time_period"] == row["time_period"])
            shown = cells[mine].set_index("phase")["pupils_status"].eq("")
            assert shown[row["barrier"]]
            assert shown.sum() >= 2
            assert row[f"{side}_pupils"] == totals[row[side], row["time_period"]]


def test_a_limit_does_not_say_how_many_schools_there_are():
    """The table's own reach is t with schools less one degrees of freedom."""
    told = [
        len(schools_that_fit(12.34, *limits_of(12.34, 1.7, schools))) for schools in range(6, 60)
    ]
    assert min(told) >= 5
    exact = pd.DataFrame({"v": [0.0], "l": [-9.0], "u": [9.0], "se": [4.0], "df": [23.0]})
    names_of = ("v", "l", "u", "se")
    own, counted = (multiplier(exact, names_of, np.array([flag])) for flag in (False, True))
    assert own[0] == pytest.approx(9 / 4 * 2.085963 / 2.068658, abs=1e-4)  # t of 20 over t of 23
    assert counted[0] == pytest.approx(2.085963, abs=1e-4)


def test_a_hidden_trend_does_not_say_in_how_many_years_there_was_a_child(two):
    panel, cube, *_ = two[1]
    table = metrics.trend(panel, **PAIR, **UNIT)
    shown = protect(table, STRICT, kind="trends", cube=cube).frame
    hidden = shown["trend"].isna()
    assert hidden.any()
    assert shown.loc[hidden, ["years", "first_year"]].isna().all(axis=None)
    assert shown.loc[~hidden, "years"].notna().all()


def test_the_pupils_of_schools_that_are_compared_are_not_rounded_again():
    """A phase of 18, one of 13 and one of 1: 20, 15 and nothing beside a total of 30."""
    schools, pupils = [12, 11, 1, 24], [18, 13, 1, 32]
    assert a_part_left_out(nearest(32), [nearest(18), nearest(13)]) == (0, 1)
    table = pd.DataFrame(
        {"phase": ["primary", "secondary", "special", "total"], "schools": schools,
         "group_pupils": pupils, "status": "", "reason": ""}
        | dict.fromkeys(("tau", "tau_lower", "tau_upper", "tau_dl", "tau_pm"), 1.0)
    )  # fmt: skip
    shown = protect(table, STRICT, kind="between_schools").frame
    assert "group_pupils" not in shown
    assert shown["schools"].tolist()[:2] == [10, 10]  # fewer than two children each
    assert pd.isna(shown["schools"][2])


def test_adoption_cohorts_do_not_tell_a_hidden_one():
    rows = [
        estimates(aggregation="simple", schools_treated=24, pupils=32),
        estimates(aggregation="cohort", index=202122, schools_treated=12, pupils=18),
        estimates(aggregation="cohort", index=202223, schools_treated=11, pupils=13),
        estimates(aggregation="cohort", index=202324, schools_treated=1, pupils=1),
    ]
    shown = protect(pd.concat(rows), STRICT, kind="estimates").frame
    whole, *parts = [None if pd.isna(n) else int(n) for n in shown["pupils"]]
    assert whole == nearest(32)
    assert a_part_left_out(whole, parts[:2]) == (0, 9)
    assert shown["schools_treated"].tolist()[:3] == [24, 12, 11]


def test_a_programme_of_all_trained_schools_reaches_the_number_already_shown():
    """20 + 20 of the phases beside another 35: both phases would be 18 or 19."""
    base = {"time_period": LAST, "tier": "any", "group": "cwsw", "status": "", "pupils": 60}
    rows = [("any", "primary", 30, 9, 18), ("any", "secondary", 20, 8, 18),
            ("any", "special", 5, 3, 1), ("any", "total", 55, 20, 37),
            ("elsa", "total", 55, 20, 37), ("tuition", "total", 55, 12, 22)]  # fmt: skip
    columns = ["programme", "phase", "schools", "schools_trained", "pupils_reached"]
    table = pd.DataFrame(rows, columns=columns).assign(**base)
    shown = protect(table, STRICT, kind="reach").frame.set_index(["programme", "phase"])
    assert shown.loc[("elsa", "total"), "pupils_reached"] == 40
    assert shown.loc[("any", "total"), "pupils_reached"] == 40
    assert nearest(37) == 35
    assert nearest_window(35)[1] - 2 * nearest_window(20)[0] == 1  # what 35 would leave of special


def test_a_matched_gap_leaves_five_numbers_of_children_who_have_nobody_alike():
    most_alone = [int((1 - LEAST_ALIKE) * n + 1e-9) for n in range(FEWEST_MATCHED, 400)]
    assert min(most_alone) + 1 >= 5


# --- The class rule covers means.


def cell(metric, values, **changes):
    y, x = np.asarray(values, dtype=float), np.ones(len(values)) * changes.pop("x", 1.0)
    sums = {"numerator": y, "denominator": x, "sum_yy": y * y, "sum_xy": x * y, "sum_xx": x * x}
    row = {"metric": metric, "time_period": LAST, "phase": "total", "group": "cwsw"} | changes
    return row | {"true_pupils": len(y), **{f"true_{k}": v.sum() for k, v in sums.items()}}


@pytest.mark.parametrize(
    ("metric", "values", "x", "alike"),
    [
        ("ks4_attainment8_rank", [1.0, 2.5] * 10, 1.0, True),  # all near the bottom
        ("ks4_attainment8_rank", [97.0, 99.5] * 10, 1.0, True),
        ("ks4_attainment8_rank", [1.0, 60.0] * 10, 1.0, False),
        ("ks4_attainment8", [0.0] * 11 + [20.0], 1.0, True),  # all but one at the bottom
        ("ks4_attainment8", [44.0, 46.0] * 30, 1.0, True),  # all nearly the same
        ("ks4_attainment8", [20.0, 60.0] * 30, 1.0, False),
        ("ks4_progress8", [-0.4, -0.5] * 30, 1.0, True),
        ("ks4_progress8", [-2.0, 1.4] * 30, 1.0, False),
        ("overall_absence", [340.0, 349.0] * 10, 350.0, True),  # all absent nearly always
        ("overall_absence", [3.0, 5.0] * 10, 350.0, False),  # little absence is no secret
        ("persistent_absence", [1.0] * 20, 1.0, False),  # counts have their own rule
    ],
)
def test_a_mean_of_children_who_are_nearly_alike_is_hidden(metric, values, x, alike):
    spread = {"ks4_progress8": [-3.0, 3.0], "overall_absence": [0.0, 60.0]}
    everyone = cell(metric, spread.get(metric, [1.0, 90.0]) * 300, x=x, group=names.ALL)
    table = pd.DataFrame([cell(metric, values, x=x), everyone])
    assert nearly_alike(table, STRICT).tolist() == [alike, False]
    assert not nearly_alike(table, rule_named("none")).any()


def test_where_there_is_nothing_to_compare_with_only_the_ends_count():
    table = pd.DataFrame(
        [cell("ks4_attainment8", [44.0, 46.0] * 30), cell("ks4_attainment8", [0.0, 1.0] * 6)]
    )
    few = [name for name in table if name not in ("true_sum_xy", "true_sum_xx")]
    assert nearly_alike(table, STRICT).tolist() == [False, True]
    assert nearly_alike(table[few], STRICT).tolist() == [False, True]


# --- Two releases under one ledger.


KINDS = {
    "levels": lambda panel: metrics.levels(panel, groups=("cwsw", "cin", "cpp", "peers"), **UNIT),
    "gaps": lambda panel: metrics.gaps(panel, **PAIR, **UNIT),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_old_year_is_shown_as_it_was(two, kind):
    keys = ["time_period", "phase", "metric", "group"]
    shown = [
        protect(KINDS[kind](panel), STRICT, kind=kind, cube=cube).frame for panel, cube, *_ in two
    ]
    old, new = (frame[frame["time_period"] < LAST].set_index(keys) for frame in shown)
    new = new.reindex(old.index)
    same = [name for name in old if name.endswith(("pupils", "level", "level_value", "gap"))]
    assert (new["status"] == old["status"]).all()
    pd.testing.assert_frame_equal(new[same], old[same])
    for name in [name for name in new if name.endswith("schools")]:
        assert old[name].notna().any()
        assert new[name].isna().all()  # one school less would be one that had one child


def test_barriers_of_an_old_year_do_not_flip(two):
    old, new = (release[3] for release in two)
    shown = ["barrier", "time_period", "status", "group_pupils", "group_level", "reference_level"]
    new = new[new["time_period"] < LAST]
    pd.testing.assert_frame_equal(
        old[shown].reset_index(drop=True), new[shown].reset_index(drop=True)
    )


def test_a_second_cohort_rule_does_not_tell_the_mean_of_the_few_between_them():
    pupils = children(7, size=0.4, years=(LAST,))
    first = round_leaves(panel_of(pupils), STRICT)
    cin = pupils.index[pupils["group"] == "cin"]
    fewer = pupils.assign(group=pupils["group"].mask(pupils.index.isin(cin[:4]), "previous"))
    panel = panel_of(fewer).assign(cohort_rule="on_census_day")
    second = round_leaves(panel, STRICT, ledger=first.ledger)
    keys = ["phase", "group", "metric"]

    def mean_of(cube, metric="overall_absence"):
        return cube.cells.set_index(keys).loc[("total", "cin", metric)]

    n = len(cin)
    before, after = mean_of(first), mean_of(second)
    unseen = [(n, before["status"] == ""), (n - 4, after["status"] == "")]
    assert before["status"] == ""
    assert width_of_few(*unseen, 4) > 10
    assert width_of_few((n, True), (n - 4, True), 4) < 1
    alone = mean_of(round_leaves(panel, STRICT))
    assert alone["status"] == ""
    # The same children under another name tell nothing, and rounded counts have no mean.
    again = round_leaves(panel_of(pupils).assign(cohort_rule="other"), STRICT, ledger=first.ledger)
    pd.testing.assert_series_equal(again.cells["status"], first.cells["status"])
    counted = "persistent_absence"
    assert (
        mean_of(second, counted)["status"]
        == mean_of(round_leaves(panel, STRICT), counted)["status"]
    )
