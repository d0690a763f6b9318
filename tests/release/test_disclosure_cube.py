"""The cube: one N for the same children, nothing counted twice, old years as first published."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval import names
from vsh_eval.contracts import CohortRuleError, ContractError, DisclosureError, VintageError
from vsh_eval.release.disclosure.cube import CELL_KEYS, round_leaves
from vsh_eval.release.disclosure.hiding import traits
from vsh_eval.release.disclosure.ledger import LEDGER_COLUMNS, read_ledger
from vsh_eval.release.disclosure.rules import rule_named

from .attacker import PHASES, YEARS, authority, random_leaves

STRICT, NONE = rule_named("strict10"), rule_named("none")
KEYS = list(CELL_KEYS)


@pytest.fixture(scope="module")
def panel():
    return authority(random_leaves(0), seed=0)


@pytest.fixture(scope="module")
def cube(panel):
    return round_leaves(panel, STRICT)


def cells_of(cube, **where):
    rows = cube.cells
    for column, value in where.items():
        rows = rows[rows[column] == value]
    return rows


def only(count, *, group=2, phase=0, year=0, others=50, **kwargs):
    """A panel in which one leaf holds a certain number of children."""
    leaves = np.full((5, 3, 2), others)
    leaves[group, phase, year] = count
    return authority(leaves, **kwargs)


def test_metrics_of_the_same_children_share_one_n(cube):
    wide = cube.frame.pivot_table(index=KEYS[:3], columns="metric", values="pupils")
    assert wide.eq(wide.iloc[:, 0], axis=0).all(axis=None)


def test_every_leaf_of_the_cube_is_there_and_sums_are_sums_of_rounded_leaves(cube):
    assert len(cube.frame) == 5 * len(PHASES) * len(YEARS) * 3
    leaves = cube.frame.groupby(["time_period", "metric"])[["pupils", "numerator"]].sum()
    total = cells_of(cube, group="all", phase="total").set_index(["time_period", "metric"])
    assert (leaves["pupils"] == total["pupils"].loc[leaves.index]).all()
    cwsw = cells_of(cube, group="cwsw").set_index(["time_period", "phase", "metric"])
    parts = cube.cells[cube.cells["group"].isin(["cin", "cpp"])]
    parts = parts.groupby(["time_period", "phase", "metric"])["numerator"].sum(min_count=1)
    counted = cwsw["numerator"].dropna()
    assert (counted == parts.loc[counted.index]).all()


def test_severe_is_part_of_persistent_is_part_of_all(cube):
    wide = cube.frame.pivot_table(index=KEYS[:3], columns="metric", values="numerator")
    n = cube.frame.groupby(KEYS[:3])["pupils"].first().loc[wide.index]
    assert (wide["severe_absence"] <= wide["persistent_absence"]).all()
    assert (wide["persistent_absence"] <= n).all()


def test_a_shown_level_is_the_ratio_of_shown_counts(cube):
    shown = cube.cells[(cube.cells["status"] == "") & cube.cells["numerator"].notna()]
    ratio = 100 * shown["numerator"].astype(float) / shown["pupils"].astype(float)
    assert len(shown) > 10
    assert np.allclose(shown["level"], ratio.round(2))


def test_every_shown_count_describes_ten_children_or_more(cube):
    inside = cube._exact
    shown = inside[inside["pupils_status"] == ""]
    assert (shown["true_pupils"] >= 10).all()
    counted = inside[(inside["status"] == "") & inside["numerator"].notna()]
    assert (counted["true_numerator"] >= 10).all()
    assert (counted["true_pupils"] - counted["true_numerator"] >= 10).all()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_rows_never_matters(panel, cube, seed):
    again = round_leaves(panel.sample(frac=1, random_state=seed), STRICT)
    pd.testing.assert_frame_equal(again.cells, cube.cells)
    pd.testing.assert_frame_equal(again.ledger, cube.ledger)


def test_rates_of_sessions_have_two_decimals_and_no_numerator(cube):
    rates = cells_of(cube, metric="overall_absence")
    assert rates["numerator"].isna().all()
    shown = rates["level"].dropna()
    assert len(shown)
    assert np.allclose(shown, shown.round(2))


@pytest.mark.parametrize("count", [1, 9])
def test_few_children_are_hidden(count):
    cube = round_leaves(only(count), STRICT)
    found = cells_of(cube, group="cin", phase="primary", time_period=YEARS[0])
    assert (found["pupils_status"] == "c").all()
    assert found["level"].isna().all()


@pytest.mark.parametrize(("share", "hidden"), [(0.0, True), (1.0, True), (0.5, False)])
def test_none_or_all_of_the_children_is_hidden(share, hidden):
    cube = round_leaves(authority(np.full((5, 3, 2), 60), share=share), STRICT)
    found = cells_of(cube, group="cin", phase="primary", metric="persistent_absence")
    assert (found["status"] == "c").all() == hidden
    assert (found["pupils_status"] == "").all()


def test_one_school_alone_and_two_schools_are_hidden():
    for schools in (1, 2):
        cube = round_leaves(authority(np.full((5, 3, 2), 60), schools=schools), STRICT)
        assert (cells_of(cube, phase="primary")["pupils_status"] == "c").all()
        assert set(cube._exact.loc[cube._exact["phase"] == "primary", "reason"]) == {"schools"}


def test_a_school_with_more_than_four_fifths_of_the_children_is_hidden():
    panel = authority(np.full((5, 3, 2), 60))
    big = (panel["unit_id"] == "primary00") & (panel["group"] == "cin")
    panel.loc[big & (panel["metric"] != "overall_absence"), ["pupils", "denominator"]] = 260
    panel.loc[big, "pupils"] = 260
    cube = round_leaves(panel, STRICT)
    found = cube._exact[(cube._exact["group"] == "cin") & (cube._exact["phase"] == "primary")]
    assert set(found["pupils_reason"]) == {"dominance"}
    assert found["level"].isna().all()


def test_one_child_who_makes_nearly_all_of_a_rate_is_hidden():
    panel = authority(np.full((5, 3, 2), 60))
    mine = (panel["group"] == "cin") & (panel["phase"] == "primary")
    mine &= panel["metric"] == "overall_absence"
    panel.loc[mine, ["numerator", "sum_yy"]] = 0.0
    one = mine & (panel["unit_id"] == "primary00")
    panel.loc[one, ["numerator", "sum_yy"]] = [180.0, 180.0**2]
    cube = round_leaves(panel, STRICT)
    found = cells_of(cube, group="cin", phase="primary", metric="overall_absence")
    assert (found["status"] == "c").all()
    assert (found["pupils_status"] == "").all()


@pytest.mark.parametrize(("score", "status"), [(40.1, "c"), (None, "")])
def test_mean_scores_are_hidden_where_all_children_have_the_same(score, status):
    rng = np.random.default_rng(0)
    rows = []
    for school in range(8):
        value = np.full(6, score) if score else rng.normal(40, 8, 6).round(1)
        key = (
            "returns",
            "v",
            "any_time_in_year",
            "school",
            str(school),
            202425,
            "secondary",
            "cin",
        )
        sums = (value.sum(), 6, (value**2).sum(), value.sum(), 6.0)
        rows.append((*key, "ks4_attainment8", 6, *sums, np.nan, ""))
    panel = pd.DataFrame(rows, columns=list(names.PANEL_COLUMNS))
    found = cells_of(round_leaves(panel, STRICT), group="cin", phase="secondary")
    assert found["status"].item() == status


def test_years_without_data_have_no_cells(panel):
    moved = panel.assign(time_period=panel["time_period"].replace(YEARS[0], 201920))
    assert set(round_leaves(moved, STRICT).cells["time_period"]) == {YEARS[1]}


def test_metrics_of_other_children_have_their_own_n(panel):
    pupils = panel[panel["metric"] == "persistent_absence"].assign(metric="ks2_rwm_expected")
    half = pupils.assign(pupils=pupils["pupils"] // 2 + 1)
    half = half.assign(numerator=1.0, denominator=half["pupils"])
    cube = round_leaves(pd.concat([panel, half]), STRICT)
    wide = cube.frame.pivot_table(index=KEYS[:3], columns="metric", values="pupils")
    assert (wide["ks2_rwm_expected"] != wide["persistent_absence"]).any()


def test_metrics_of_one_topic_but_other_children_have_their_own_n(panel):
    fewer = panel[panel["metric"] != "severe_absence"]
    some = panel[panel["metric"] == "severe_absence"]
    some = some.assign(pupils=1, denominator=1, numerator=0.0)
    cube = round_leaves(pd.concat([fewer, some]), STRICT)
    wide = cube.frame.pivot_table(index=KEYS[:3], columns="metric", values="pupils")
    assert (wide["severe_absence"] != wide["overall_absence"]).any()
    assert (wide["persistent_absence"] == wide["overall_absence"]).all()


def test_a_rule_that_protects_nothing_shows_true_numbers_and_keeps_no_ledger(panel, cube):
    exact = round_leaves(panel, NONE, ledger=cube.ledger)
    assert (exact.cells["pupils"].astype(float) == exact._exact["true_pupils"]).all()
    assert (exact.cells["status"] == "").all()
    assert exact.ledger.empty


# --- The ledger


def test_the_ledger_holds_published_numbers_only(cube):
    ledger = cube.ledger
    assert list(ledger.columns) == list(LEDGER_COLUMNS)
    assert (ledger["pupils"] % 5 == 0).all()
    assert (ledger["numerator"].dropna() % 5 == 0).all()
    assert ledger.loc[ledger["status"] == "c", "level"].isna().all()


def test_a_release_of_the_same_years_says_the_same_from_a_stored_ledger(panel, cube, tmp_path):
    cube.ledger.to_csv(tmp_path / "ledger.csv", index=False)
    stored = pd.read_csv(tmp_path / "ledger.csv")
    changed = authority(random_leaves(1), seed=1)  # corrected since: other children altogether
    again = round_leaves(changed, STRICT, ledger=stored, seed=5)
    keys = [*KEYS]
    pd.testing.assert_frame_equal(
        again.cells.sort_values(keys, ignore_index=True),
        cube.cells.sort_values(keys, ignore_index=True),
    )


def test_a_phase_that_a_published_year_did_not_have_stays_hidden_there(panel):
    primary = panel[panel["phase"] == "primary"]
    first = round_leaves(primary, STRICT)
    again = round_leaves(panel, STRICT, ledger=first.ledger)
    found = cells_of(again, phase="secondary")
    assert (found["pupils"] == 0).all()
    assert (found["status"] == "c").all()
    total = cells_of(again, phase="total", group="all", metric="overall_absence")
    before = cells_of(first, phase="total", group="all", metric="overall_absence")
    assert total["pupils"].tolist() == before["pupils"].tolist()


def test_a_new_metric_is_rounded_within_the_published_n(panel, cube):
    without = cube.ledger[cube.ledger["metric"] != "severe_absence"]
    again = round_leaves(panel, STRICT, ledger=without)
    severe = again.frame[again.frame["metric"] == "severe_absence"]
    assert (severe["numerator"] <= severe["pupils"]).all()
    assert set(again.ledger["metric"]) == set(cube.ledger["metric"])


def test_a_year_left_out_of_the_ledger_is_restated(panel, cube):
    kept = cube.ledger[cube.ledger["time_period"] != YEARS[1]]
    again = round_leaves(authority(random_leaves(1), seed=1), STRICT, ledger=kept)
    keys = [*KEYS]
    both = again.cells.merge(cube.cells, on=keys, suffixes=("", "_before"))
    same = both["pupils"] == both["pupils_before"]
    assert same[both["time_period"] == YEARS[0]].all()
    assert not same[both["time_period"] == YEARS[1]].all()


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda ledger: pd.concat([ledger, ledger.head(2)]), "twice"),
        (lambda ledger: ledger.assign(pupils=7), "multiples of 5"),
        (lambda ledger: ledger.assign(numerator=-5), "multiples of 5"),
    ],
)
def test_a_broken_ledger_is_refused(cube, broken, message):
    with pytest.raises(DisclosureError, match=message):
        read_ledger(broken(cube.ledger), STRICT)


def test_a_ledger_without_its_columns_is_refused(cube):
    with pytest.raises(ContractError, match="lacks"):
        read_ledger(cube.ledger.drop(columns="level"), STRICT)


# --- What is refused


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"source": "published"}, DisclosureError, "source is 'published'"),
        ({"level": "la"}, DisclosureError, "level is 'la'"),
        ({"group": "cwsw"}, DisclosureError, "group is 'cwsw'"),
        ({"phase": "total"}, DisclosureError, "phase is 'total'"),
        ({"pupils": -1}, DisclosureError, "pupils holds a number"),
        ({"pupils": pd.NA}, DisclosureError, "pupils holds a number"),
        ({"numerator": 0.5}, DisclosureError, "numerator holds a number"),
        ({"numerator": 10_000.0}, DisclosureError, "larger than its number of pupils"),
        ({"unit_id": "1"}, DisclosureError, "twice"),
        ({"metric": "no_such_metric", "unit_id": "1"}, DisclosureError, "twice"),
    ],
)
def test_a_panel_of_anything_but_leaves_of_schools_is_refused(panel, change, error, message):
    with pytest.raises(error, match=message):
        round_leaves(panel.assign(**change), STRICT)


def test_an_empty_panel_a_missing_column_and_two_vintages_are_refused(panel):
    one = panel[panel["metric"] == "overall_absence"].assign(metric="no_such_metric")
    with pytest.raises(ContractError, match="no_such_metric"):
        round_leaves(one, STRICT)
    with pytest.raises(DisclosureError, match="no rows"):
        round_leaves(panel.head(0), STRICT)
    with pytest.raises(DisclosureError, match="no rows"):
        round_leaves(panel.assign(time_period=201920, unit_id=range(len(panel))), STRICT)
    with pytest.raises(ContractError, match="lacks the column sum_yy"):
        round_leaves(panel.drop(columns="sum_yy"), STRICT)
    other = panel.head(1).assign(unit_id="new")
    with pytest.raises(VintageError):
        round_leaves(pd.concat([panel, other.assign(vintage="other")]), STRICT)
    with pytest.raises(CohortRuleError):
        round_leaves(pd.concat([panel, other.assign(cohort_rule="ever_6")]), STRICT)


def test_a_metric_is_known_by_what_it_counts():
    found = traits(pd.Series(["overall_absence", "severe_absence", "ks4_attainment8"]))
    assert found.counted.tolist() == [False, True, False]
    assert found.summed.tolist() == [True, False, False]
    assert found.percent.tolist() == [True, True, False]
    assert found.scale.tolist() == [100.0, 100.0, 1.0]
