"""Parts of gaps and changes: worked out from what is released, and from nothing else."""

import numpy as np
import pandas as pd
import pytest

from tests.release.test_beside_tables import drawn_panel
from vsh_eval import metrics
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.release import protect, round_leaves, rule_named

STRICT, NONE = rule_named("strict10"), rule_named("none")
PAIR = {"group": "cwsw", "reference": "peers", "unit_id": "E06000049"}
FIRST, LAST = 202122, 202425


def with_parts(panel, *, share=0.5):
    """Split overall absence of a panel into authorised and unauthorised, add suspensions."""
    whole = panel[panel["metric"] == "overall_absence"]
    authorised = (whole["numerator"] * share).round()
    extra = [
        whole.assign(metric="authorised_absence", numerator=authorised),
        whole.assign(metric="unauthorised_absence", numerator=whole["numerator"] - authorised),
    ]
    pupils = whole["pupils"].astype(float)
    events = whole.assign(
        metric="pupils_suspended", numerator=(pupils / 3).round(), denominator=pupils, sum_xx=pupils
    ).assign(sum_yy=lambda t: t["numerator"], sum_xy=lambda t: t["numerator"])
    return pd.concat([panel, *extra, events], ignore_index=True)


@pytest.fixture(scope="module")
def panel():
    return with_parts(drawn_panel())


@pytest.fixture(scope="module")
def cube(panel):
    return round_leaves(panel, STRICT)


@pytest.fixture(scope="module")
def table(panel):
    return metrics.parts(panel, baseline=FIRST, **PAIR)


@pytest.fixture(scope="module")
def shown(table, cube):
    return protect(table, STRICT, kind="parts", cube=cube)


@pytest.fixture(scope="module")
def gaps(panel, cube):
    found = protect(metrics.gaps(panel, **PAIR), STRICT, kind="gaps", cube=cube).frame
    return found.set_index(["metric", "phase", "time_period"])


def by_part(shown, of, **where):
    rows = shown.where(of=of, **where).frame
    return rows.set_index(["metric", "part", "phase", "time_period"]).sort_index()


def test_a_part_of_the_gap_is_the_released_gap_of_its_own_measure(shown, gaps):
    for (_, part, phase, year), row in by_part(shown, "gap").iterrows():
        assert row["value"] == pytest.approx(gaps.loc[(part, phase, year), "gap"])
        assert row["whole"] == pytest.approx(gaps.loc[("overall_absence", phase, year), "gap"])


def test_the_parts_of_the_gap_add_up_within_the_last_decimal(shown):
    rows = by_part(shown, "gap").reset_index()
    sums = rows.groupby(["phase", "time_period"])[["value", "whole"]].agg(
        value=("value", "sum"), whole=("whole", "first")
    )
    assert (sums["value"] - sums["whole"]).abs().max() < 0.035


def test_both_groups_parts_of_a_change_add_up_to_the_released_change(panel, cube, shown):
    changes = metrics.changes(panel, baseline=FIRST, **PAIR)
    released = protect(changes, STRICT, kind="changes", cube=cube).frame
    released = released.set_index(["metric", "phase", "time_period"])["change"]
    rows = by_part(shown, "change", part=["group", "reference"]).reset_index()
    sums = rows.groupby(["metric", "phase", "time_period"])["value"].sum(min_count=2)
    known = sums.dropna()
    assert len(known) > 20
    assert (known - released.reindex(known.index)).abs().max() < 0.025


def test_a_part_of_the_change_is_the_difference_of_two_released_gaps(shown, gaps):
    row = by_part(shown, "change").loc[("overall_absence", "authorised_absence", "total", LAST)]
    then, now = (gaps.loc[("authorised_absence", "total", year), "gap"] for year in (FIRST, LAST))
    assert row["value"] == pytest.approx(now - then)


def test_what_stands_beside_is_a_released_gap_without_a_whole(shown, gaps):
    rows = by_part(shown, "beside")
    for (_, part, phase, year), row in rows.iterrows():
        assert row["value"] == pytest.approx(gaps.loc[(part, phase, year), "gap"])
        assert np.isnan(row["whole"])


def test_intervals_are_those_of_the_released_gaps_and_nought_in_the_baseline(shown, gaps):
    row = by_part(shown, "gap").loc[("overall_absence", "authorised_absence", "total", LAST)]
    gap = gaps.loc[("authorised_absence", "total", LAST)]
    assert row["value_upper"] - row["value"] == pytest.approx(gap["gap_upper"] - gap["gap"])
    still = by_part(shown, "change", time_period=FIRST, part="group")
    assert (still["value_lower"] == still["value"]).all()


def test_shares_are_of_released_numbers_and_none_of_children(shown):
    frame = shown.frame
    known = frame[frame["share"].notna()]
    assert len(known) > 0
    assert (known["share"] - 100 * known["value"] / known["whole"]).abs().max() <= 0.5
    assert set(known["metric"]) <= {
        "overall_absence",
        "authorised_absence",
        "unauthorised_absence",
        "ks4_attainment8",
        "ks4_attainment8_rank",
    }


def test_what_is_hidden_on_either_side_hides_the_part():
    few = with_parts(drawn_panel(7, schools=8, cohort=0.5))
    cube = round_leaves(few, STRICT)
    shown = protect(metrics.parts(few, baseline=FIRST, **PAIR), STRICT, kind="parts", cube=cube)
    hidden = shown.where(status="c").frame
    assert len(hidden) > 0
    assert hidden[["value", "value_lower", "value_upper", "whole", "share"]].isna().all(axis=None)
    assert shown.where(part="reference", of="change", status="").frame["value"].notna().all()


def test_parts_of_another_panel_are_refused(table, cube):
    with pytest.raises(DisclosureError, match="parts are of other levels than the cube has"):
        protect(table.assign(value=table["value"] + 1), STRICT, kind="parts", cube=cube)
    with pytest.raises(DisclosureError, match="must have one"):
        protect(table, STRICT, kind="parts")


def test_a_table_that_is_none_is_refused(table, cube):
    with pytest.raises(ContractError, match="share"):
        protect(table.drop(columns="share"), STRICT, kind="parts", cube=cube)
    with pytest.raises(ContractError, match="of is 'level'"):
        protect(table.assign(of="level"), STRICT, kind="parts", cube=cube)


def test_within_the_authority_true_numbers_pass(table):
    inside = protect(table, NONE, kind="parts").frame
    np.testing.assert_array_equal(inside["value"], table["value"])
