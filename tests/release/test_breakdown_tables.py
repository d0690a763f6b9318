"""Breakdowns beside the cube: consistent, hidden where they must be, and no leak together."""

import numpy as np
import pandas as pd
import pytest

from tests.release.attacker import MEMBERS, Attacker, attack, window
from tests.release.invented_strata import children, composition_of, moments_of, panel_of
from vsh_eval import metrics, names
from vsh_eval.contracts import ContractError, DisclosureError, VintageError
from vsh_eval.release import RoundedBreakdowns, protect, round_breakdowns, round_leaves, rule_named
from vsh_eval.release.disclosure.breakdown_cube import hides_itself

STRICT = rule_named("strict10")
ASKED = {"group": "cwsw", "reference": "peers"}
COUNTED = ("persistent_absence", "severe_absence")


@pytest.fixture(scope="module")
def pupils():
    return children(4)


@pytest.fixture(scope="module")
def cube(pupils):
    return round_leaves(panel_of(pupils), STRICT)


@pytest.fixture(scope="module")
def rounded(pupils, cube):
    spread = moments_of(pupils).spread
    return round_breakdowns(composition_of(pupils), STRICT, cube=cube, spread=spread)


def shown(pupils, rounded, by, **asked):
    table = metrics.gaps_by(
        composition_of(pupils), by=by, moments=moments_of(pupils), **{**ASKED, **asked}
    )
    return protect(table, STRICT, kind="breakdown", cube=rounded)


def leaves_of(cells):
    keep = cells["group"].isin(names.LEAF_GROUPS)
    return cells[keep]


def test_the_parts_add_up_to_the_cubes_totals(cube, rounded):
    totals = cube._exact[cube._exact["phase"] == names.TOTAL]
    totals = totals.set_index(["group", "time_period", "metric"])
    same = of = 0
    for by in names.BREAKDOWNS:
        cells = leaves_of(rounded.cubes[by]._exact)
        for column in ("pupils", "numerator"):
            sums = cells[cells[column].notna()].groupby(["group", "time_period", "metric"])[column]
            difference = (sums.sum() - totals[column].reindex(sums.sum().index)).abs()
            assert (difference <= 10).all()
            same, of = same + (difference == 0).sum(), of + len(difference)
    assert same / of > 0.9


def test_every_shown_number_is_one_of_the_rounded_leaves(pupils, rounded):
    for by in names.BREAKDOWNS:
        frame = shown(pupils, rounded, by).frame
        assert (frame["phase"] == "total").all()
        assert (frame["breakdown"] == by).all()
        counts = pd.concat([frame["group_pupils"], frame["reference_pupils"]]).dropna().astype(int)
        assert ((counts % 5 == 0) & (counts >= 10)).all()
        counted = frame[frame["metric"].isin(COUNTED) & (frame["status"] == "")]
        children_of = counted["group_level"] * counted["group_pupils"].astype(float) / 100
        assert (np.abs(children_of / 5 - (children_of / 5).round()) < 0.02).all()
        hidden = frame[frame["status"] == "c"]
        assert hidden["gap"].isna().all()


def test_few_children_are_hidden_and_with_a_mean_the_one_that_would_tell_it(pupils, rounded):
    cells = rounded.cubes["sex"]._exact
    unknown = cells[(cells["phase"] == "sex_not_recorded") & (cells["group"] == "cwsw")]
    assert unknown["true_pupils"].between(1, 9).any()
    assert (unknown["status"] == "c").all()
    means = cells[(cells["metric"] == "overall_absence") & (cells["group"] == "cwsw")]
    for _, year in means.groupby("time_period"):
        of = year.set_index("phase")
        if of.loc["sex_not_recorded", "true_pupils"] > 0:
            assert (of["status"] == "c").sum() >= 2


def test_a_hidden_mean_that_cannot_be_worked_out_takes_no_other_with_it():
    """Three children of 33,000: two decimals of the others tell theirs to within 110 points."""
    keys = {"group": "peers", "time_period": 202425, "metric": "overall_absence"}
    cells = pd.DataFrame(
        [
            {"phase": "girls", "true_pupils": 16_000, "status": ""},
            {"phase": "boys", "true_pupils": 16_900, "status": ""},
            {"phase": "sex_not_recorded", "true_pupils": 3, "status": "c"},
            {"phase": "total", "true_pupils": 32_903, "status": ""},
        ]
    ).assign(**keys)
    assert hides_itself(cells).tolist() == [False, False, True, False]
    few = cells.assign(true_pupils=cells["true_pupils"].replace({3: 100}))
    assert not hides_itself(few).any()


@pytest.fixture(scope="module")
def crowded():
    """Children with a plan in one special school; those with support nearly all in another."""
    pupils = children(5, size=3.0)
    own = pupils["group"].isin(["cin", "cpp"])
    pupils.loc[own & (pupils["sen"] == "E"), ["unit_id", "phase"]] = ["2", "special"]
    most = own & (pupils["sen"] == "K") & (np.arange(len(pupils)) % 10 > 0)
    pupils.loc[most, ["unit_id", "phase"]] = ["5", "special"]
    return pupils


def test_a_value_in_few_schools_or_nearly_all_in_one_is_hidden(crowded):
    cube, moments = round_leaves(panel_of(crowded), STRICT), moments_of(crowded)
    rounded = round_breakdowns(composition_of(crowded), STRICT, cube=cube, spread=moments.spread)
    cells = rounded.cubes["sen"]._exact.set_index(["phase", "group", "time_period", "metric"])
    for value, reason in (("ehc_plan", "schools"), ("sen_support", "dominance")):
        row = cells.loc[(value, "cwsw", 202425, "persistent_absence")]
        assert row["true_pupils"] > 60
        assert row["reason"] == reason
    assert cells.loc[("no_sen", "cwsw", 202425, "persistent_absence"), "status"] == ""
    frame = shown(crowded, rounded, "sen").frame.set_index(["value", "time_period", "metric"])
    at = (202425, "persistent_absence")
    assert frame.loc[("no_sen", *at), "group_schools"] == 12
    for value in ("ehc_plan", "sen_support"):
        assert frame.loc[(value, *at), "status"] == "c"
        assert pd.isna(frame.loc[(value, *at), "group_schools"])


def test_where_schools_are_not_known_what_one_could_hold_is_hidden(crowded):
    cube = round_leaves(panel_of(crowded), STRICT)
    rounded = round_breakdowns(composition_of(crowded), STRICT, cube=cube)
    cells = rounded.cubes["sen"]._exact.set_index(["phase", "group", "time_period", "metric"])
    row = cells.loc[("ehc_plan", "cwsw", 202425, "persistent_absence")]
    assert row["reason"] == "schools"
    assert cells.loc[("no_sen", "peers", 202425, "persistent_absence"), "status"] == ""


@pytest.mark.parametrize("seed", [1, 2])
def test_the_cube_and_every_breakdown_together_leave_five_candidates(seed):
    pupils = children(seed, size=0.35, years=(202425,))
    cube = round_leaves(panel_of(pupils), STRICT)
    spread = moments_of(pupils).spread
    rounded = round_breakdowns(composition_of(pupils), STRICT, cube=cube, spread=spread)
    reader, _, phases = attack(cube, 202425)
    wanted = list(learn(reader, rounded, phases))
    assert len(wanted) > 20
    rng = np.random.default_rng(seed)
    for place in rng.permutation(len(wanted))[:25]:
        what, true, terms = wanted[place]
        low, high = reader.bounds(terms)
        assert low <= true <= high, what
        assert high - low + 1 >= 5, what


def learn(reader: Attacker, rounded: RoundedBreakdowns, phases):
    """Tell the reader every rounded leaf, what is hidden and why; yield what is sensitive."""
    for by, cube in rounded.cubes.items():
        cells = cube._exact[cube._exact["metric"].isin(COUNTED)]
        learn_leaves(reader, by, cells)
        learn_totals(reader, by, list(dict.fromkeys(cells["phase"])), phases)
        for row in cells.to_dict("records"):
            yield from learn_row(reader, by, row)


def learn_leaves(reader, by, cells):
    alone = single_parts(cells)
    for row in cells[cells["group"].isin(names.LEAF_GROUPS)].to_dict("records"):
        free = (row["group"], row["metric"]) in alone
        for name, column in (("n", "pupils"), (row["metric"], "numerator")):
            ends = (0, 10_000) if free else window(int(row[column]))
            reader.number((name, by, row["phase"], row["group"]), *ends)


def learn_totals(reader, by, values, phases):
    """The children of all values are those of all phases; a numerator is part of its children."""
    for group in names.LEAF_GROUPS:
        for what in ("n", *COUNTED):
            whole = {(what, group, phase): -1 for phase in phases}
            reader.fact({**{(what, by, v, group): 1 for v in values}, **whole}, low=0, high=0)
        for value in values:
            for more, part in (("n", COUNTED[0]), COUNTED):
                reader.fact({(more, by, value, group): 1, (part, by, value, group): -1}, low=0)


def single_parts(cells):
    """Groups whose children all have one value: their part is the total, which is known."""
    some = cells[cells["true_pupils"] > 0].groupby(["group", "metric"]).size()
    return {key for key, count in some.items() if count == 1}


def learn_row(reader, by, row):
    leaves = [(by, row["phase"], leaf) for leaf in MEMBERS[row["group"]]]
    n = {("n", *leaf): 1 for leaf in leaves}
    y = {(row["metric"], *leaf): 1 for leaf in leaves}
    rest = {**n, **dict.fromkeys(y, -1)}
    true_n, true_y = int(row["true_pupils"]), int(row["true_numerator"])
    if row["pupils_status"] == "":
        reader.fact(n, low=10)
    if row["status"] == "":
        reader.fact(y, low=10)
        reader.fact(rest, low=10)
    for terms, rounded_to, true in (
        (n, row["pupils"], true_n),
        (y, row["numerator"], true_y),
        (rest, row["pupils"] - row["numerator"], true_n - true_y),
    ):
        if row["reason"] in {"threshold", "class"} and rounded_to >= 10 and true < 10:
            reader.fact(terms, high=9)
        if 1 <= true <= 9:
            yield (by, row["phase"], row["group"], row["metric"], rounded_to), true, terms


def test_years_published_before_stay_as_they_were(pupils, cube, rounded):
    late = pd.concat([pupils, children(9, years=(202526,))], ignore_index=True)
    more = late.drop(late.index[(late["group"] == "cin") & (late["time_period"] == 202425)][:3])
    next_cube = round_leaves(panel_of(more), STRICT, ledger=cube.ledger)
    again = round_breakdowns(
        composition_of(more), STRICT, cube=next_cube, ledger=rounded.ledger, seed=5
    )
    keys = ["time_period", "phase", "group", "metric"]
    for by in names.BREAKDOWNS:
        both = rounded.cubes[by].cells.merge(again.cubes[by].cells, on=keys, suffixes=("", "_2"))
        assert len(both) == len(rounded.cubes[by].cells)
        for column in ("pupils", "level", "status"):
            same = both[column].eq(both[f"{column}_2"]) | both[column].isna()
            assert same.all(), (by, column)
    old = again.ledger[again.ledger["time_period"] < 202526].reset_index(drop=True)
    order = ["breakdown", *keys]
    pd.testing.assert_frame_equal(
        old.sort_values(order, ignore_index=True),
        rounded.ledger.sort_values(order, ignore_index=True),
    )


def test_what_was_published_under_another_cohort_rule_stays_on_record(pupils, rounded):
    ruled = {"cohort_rule": "ever_6"}
    cube = round_leaves(panel_of(pupils).assign(**ruled), STRICT)
    composition = composition_of(pupils).assign(**ruled)
    other = round_breakdowns(composition, STRICT, cube=cube, ledger=rounded.ledger)
    order = ["breakdown", "time_period", "phase", "group", "metric"]
    assert len(other.ledger) == 2 * len(rounded.ledger)
    first = other.ledger[other.ledger["cohort_rule"] != "ever_6"]
    pd.testing.assert_frame_equal(
        first.sort_values(order, ignore_index=True),
        rounded.ledger.sort_values(order, ignore_index=True),
    )


def test_an_exact_rule_shows_true_numbers(pupils):
    exact = rule_named("none")
    cube = round_leaves(panel_of(pupils), exact)
    rounded = round_breakdowns(composition_of(pupils), exact, cube=cube)
    assert rounded.ledger.empty
    table = metrics.gaps_by(composition_of(pupils), by="sex", **ASKED)
    frame = protect(table, exact, kind="breakdown", cube=rounded).frame
    assert (frame["gap"].dropna() == table["gap"].dropna()).all()


def test_what_does_not_fit_is_refused(pupils, cube, rounded):
    table = metrics.gaps_by(composition_of(pupils), by="sex", **ASKED)
    refusals = [
        (table, {"cube": None}, "without its rounded leaves"),
        (table, {"cube": cube}, "without its rounded leaves"),
        (table.assign(phase="primary"), {"cube": rounded}, "no two"),
        (table.assign(breakdown="month"), {"cube": rounded}, "breakdown is 'month'"),
        (pd.concat([table, table]), {"cube": rounded}, "twice"),
    ]
    for rows, asked, message in refusals:
        with pytest.raises(DisclosureError, match=message):
            protect(rows, STRICT, kind="breakdown", **asked)
    with pytest.raises(DisclosureError, match="must come with those of the panel"):
        protect(table, STRICT, kind="gaps", cube=rounded)
    with pytest.raises(ContractError, match="breakdown"):
        protect(table.drop(columns="breakdown"), STRICT, kind="breakdown", cube=rounded)
    other = metrics.gaps_by(composition_of(pupils[:-5]), by="sex", **ASKED)
    with pytest.raises(DisclosureError, match="other children"):
        protect(other, STRICT, kind="breakdown", cube=rounded)
    with pytest.raises(DisclosureError, match="counts other children"):
        round_breakdowns(composition_of(pupils[:-5]), STRICT, cube=cube)
    composition, spread = composition_of(pupils), moments_of(pupils).spread
    for wrong, error, message in (
        (moments_of(pupils[:-5]).spread, DisclosureError, "spread counts other children"),
        (spread.assign(vintage="2027"), VintageError, "vintage is both"),
        (spread.drop(columns="largest"), ContractError, "largest"),
    ):
        with pytest.raises(error, match=message):
            round_breakdowns(composition, STRICT, cube=cube, spread=wrong)
    with pytest.raises(DisclosureError, match="rule"):
        round_breakdowns(composition_of(pupils), rule_named("none"), cube=cube)
