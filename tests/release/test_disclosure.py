"""The door: what passes, what is hidden, what is refused."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.metrics.changes import changes
from vsh_eval.metrics.gaps import gaps
from vsh_eval.metrics.levels import levels
from vsh_eval.release.disclosure.cube import round_leaves
from vsh_eval.release.disclosure.door import KINDS, protect
from vsh_eval.release.disclosure.rules import RULES, Rule, rule_named
from vsh_eval.release.disclosure.safe import SafeTable, require_safe

from .attacker import YEARS, authority, random_leaves

STRICT, NONE = rule_named("strict10"), rule_named("none")
GROUPS = ["cla", "cpp", "cin", "previous", "peers", "cwsw", "ever_cwsw", "all"]


@pytest.fixture(scope="module")
def panel():
    return authority(random_leaves(0, size=2.0), seed=0)


@pytest.fixture(scope="module")
def cube(panel):
    return round_leaves(panel, STRICT)


@pytest.fixture(scope="module")
def true_gaps(panel):
    return gaps(panel, group="cwsw", reference="peers", unit_id="E06000049")


@pytest.fixture(scope="module")
def safe_gaps(true_gaps, cube):
    return protect(true_gaps, STRICT, kind="gaps", cube=cube)


# --- Rules and safe tables


def test_the_rules_are_frozen_and_known_by_name():
    assert set(RULES) == {"strict10", "none"}
    assert not STRICT.exact
    with pytest.raises(dataclasses.FrozenInstanceError):
        STRICT.threshold = 1
    with pytest.raises(ContractError, match="opensafely"):
        rule_named("opensafely")


def test_a_safe_table_cannot_be_made_by_hand():
    with pytest.raises(DisclosureError, match="protect"):
        SafeTable(pd.DataFrame({"pupils": [3]}), "gaps")
    with pytest.raises(DisclosureError, match="protect"):
        SafeTable(pd.DataFrame(), "gaps", "", (), pd.DataFrame(), object())


def test_a_copy_with_another_frame_is_refused_too(safe_gaps):
    with pytest.raises(DisclosureError):
        dataclasses.replace(safe_gaps, _frame=pd.DataFrame({"pupils": [3]}), seal=None)
    assert not hasattr(safe_gaps, "_seal")


def test_the_frame_handed_out_cannot_change_the_table(safe_gaps):
    frame = safe_gaps.frame
    frame["gap"] = -1.0
    assert not (safe_gaps.frame["gap"] == -1.0).any()


def test_rows_of_a_safe_table_are_safe(safe_gaps):
    part = safe_gaps.where(metric="overall_absence", phase=["primary", "total"])
    assert require_safe(part) is part
    assert set(part.frame["phase"]) == {"primary", "total"}
    assert part.stamp == safe_gaps.stamp
    with pytest.raises(ContractError, match="school"):
        safe_gaps.where(school="1")


@pytest.mark.parametrize("thing", [pd.DataFrame({"a": [1]}), None, "text"])
def test_anything_else_is_refused(thing):
    with pytest.raises(DisclosureError, match="must be a SafeTable"):
        require_safe(thing)


# --- Gaps, levels and changes


def shown(frame, column):
    return frame[frame[column].notna()]


def test_a_gap_is_the_difference_and_the_ratio_of_shown_levels(safe_gaps):
    rows = shown(safe_gaps.frame, "gap")
    assert len(rows) > 5
    assert np.allclose(rows["gap"], (rows["group_level"] - rows["reference_level"]).round(2))
    assert np.allclose(rows["ratio"], (rows["group_level"] / rows["reference_level"]).round(3))
    assert (rows["status"] == "").all()
    assert rows[["gap_lower", "gap_upper", "ratio_lower", "ratio_upper"]].notna().all(axis=None)


def test_a_gap_is_shown_only_where_both_levels_are(safe_gaps):
    frame = safe_gaps.frame
    both = frame["group_level"].notna() & frame["reference_level"].notna()
    assert (frame["gap"].notna() == both).all()
    assert (frame.loc[~both, "status"] == "c").all()
    assert (~both).any()


def test_counts_are_rounded_and_internal_columns_stay_inside(safe_gaps, true_gaps):
    frame = safe_gaps.frame
    for column in ("group_pupils", "reference_pupils"):
        assert (frame[column].dropna() % 5 == 0).all()
        assert (frame[column].dropna() >= 10).all()
    assert not {"group_largest_share", "group_std_error", "gap_std_error", "df"} & set(frame)
    assert {"unit", "gap_unit", "comparable", "vintage", "cohort_rule"} <= set(frame)
    assert len(frame) == len(true_gaps)


def test_shown_gaps_are_near_the_true_ones(safe_gaps, true_gaps):
    total = safe_gaps.frame["phase"] == "total"
    near = (safe_gaps.frame["gap"] - true_gaps["gap"])[total].dropna().abs()
    assert len(near) >= 4
    assert near.max() < 8


def test_intervals_lie_round_the_shown_values_with_two_figures_of_error(safe_gaps, true_gaps):
    both = safe_gaps.frame.join(true_gaps[["gap_std_error", "df"]])
    both["half"] = (true_gaps["gap_upper"] - true_gaps["gap_lower"]) / 2
    rows = shown(both[both["metric"] == "overall_absence"], "gap")
    reach = rows["half"] / rows["gap_std_error"]
    error = (rows["gap_upper"] - rows["gap"]) / reach
    for found, true in zip(error, rows["gap_std_error"], strict=True):
        assert found == pytest.approx(float(f"{true:.1e}"), abs=0.011)


def test_an_interval_of_children_follows_from_rounded_counts_and_one_decimal(panel, cube):
    table = levels(panel, groups=GROUPS)
    safe = protect(table, STRICT, kind="levels", cube=cube).frame
    rows = safe
    rows = rows[(rows["metric"] == "persistent_absence") & rows["level_value"].notna()]
    reach = (table["upper"] - table["level_value"]) / table["std_error"]
    p = rows["level_value"] / 100
    simple = 100 * np.sqrt(p * (1 - p) / rows["pupils"].astype(float))
    effect = (rows["upper"] - rows["level_value"]) / reach[rows.index] / simple
    inside = (rows["upper"] < 100) & (rows["lower"] > 0)
    steps = 10 * effect[inside]
    assert len(steps) > 10
    # Two significant figures of the error move the effect by up to 5 per cent.
    assert (np.abs(steps - steps.round()) <= 0.05 * steps + 0.02).all()


def test_levels_have_rounded_pupils_and_percentages_within_bounds(panel, cube):
    safe = protect(levels(panel, groups=GROUPS), STRICT, kind="levels", cube=cube)
    frame = safe.frame
    assert (frame["pupils"].dropna() % 5 == 0).all()
    assert (frame["schools"].dropna() >= 3).all()
    assert frame["lower"].dropna().between(0, 100).all()
    assert not {"numerator", "denominator", "largest_share", "std_error"} & set(frame)
    hidden = frame["level_value"].isna()
    assert (frame["status"].eq("c") == hidden).all()
    assert safe.audit["cells"].sum() == hidden.sum()
    assert set(safe.audit.columns) == {"reason", "cells"}
    assert safe.notes


def test_changes_are_differences_of_shown_gaps(panel, cube, safe_gaps):
    table = changes(panel, group="cwsw", reference="peers", baseline=YEARS[0])
    frame = protect(table, STRICT, kind="changes", cube=cube).frame
    keys = ["phase", "metric"]
    gap = {
        year: safe_gaps.frame[safe_gaps.frame["time_period"] == year].set_index(keys)
        for year in YEARS
    }
    rows = frame[frame["time_period"] == YEARS[1]].set_index(keys)
    expected = (gap[YEARS[1]]["gap"] - gap[YEARS[0]]["gap"]).round(2).loc[rows.index]
    assert rows["change"].notna().sum() > 3
    assert np.allclose(rows["change"], expected, equal_nan=True)
    own = rows["group_change"] - rows["reference_change"]
    assert np.allclose(own[rows["change"].notna()], rows["change"].dropna())
    assert (rows["status"].eq("c") == rows["change"].isna()).all()
    start = frame[(frame["time_period"] == YEARS[0]) & frame["change"].notna()]
    assert (start[["change", "change_lower", "change_upper"]] == 0).all(axis=None)
    assert (start["ratio_change"] == 1).all()
    assert (frame["group_pupils"].dropna() % 5 == 0).all()


def test_the_direction_is_read_off_the_shown_interval(panel, cube):
    table = changes(panel, group="cwsw", reference="peers", baseline=YEARS[0])
    frame = protect(table, STRICT, kind="changes", cube=cube).frame
    falls, rises = frame["change_upper"] < 0, frame["change_lower"] > 0
    said = frame["direction"]
    assert (said[falls & (said != "")] == "narrowed").all()  # every metric here: lower is better
    assert (said[rises & (said != "")] == "widened").all()
    assert (said[frame["change"].isna()] == "").all()
    assert "not clear" in set(said)


def test_changes_with_the_fewest_columns_still_pass(panel, cube):
    table = changes(panel, group="cwsw", reference="peers", baseline=YEARS[0])
    full = protect(table, STRICT, kind="changes", cube=cube).frame
    few = table[
        [
            *("time_period", "baseline", "phase", "metric", "group", "reference"),
            *("change", "change_lower", "change_upper"),
        ]
    ]
    frame = protect(few, STRICT, kind="changes", cube=cube).frame
    pd.testing.assert_series_equal(frame["change"], full["change"])
    sessions = frame["metric"] == "overall_absence"
    width = frame["change_upper"] - frame["change_lower"]
    expected = full["change_upper"] - full["change_lower"]
    assert np.allclose(width[sessions], expected[sessions], rtol=0.06, atol=0.03, equal_nan=True)
    assert "direction" not in frame


def test_gaps_without_ratio_and_schools_still_pass(true_gaps, cube, safe_gaps):
    few = true_gaps.drop(columns=["ratio", "group_schools", "status", "log_ratio_std_error"])
    frame = protect(few, STRICT, kind="gaps", cube=cube).frame
    assert "ratio" not in frame
    pd.testing.assert_series_equal(frame["gap"], safe_gaps.frame["gap"])


def test_a_year_without_data_keeps_its_own_symbol(panel):
    later = panel.assign(time_period=panel["time_period"].replace(YEARS[0], 202021))
    early = panel[panel["time_period"] == YEARS[0]].assign(time_period=201819)
    both = pd.concat([later, early])
    table = gaps(both, group="cwsw", reference="peers")
    frame = protect(table, STRICT, kind="gaps", cube=round_leaves(both, STRICT)).frame
    missing = frame[frame["time_period"] == 201920]
    assert len(missing)
    assert (missing["status"] == "x").all()
    assert missing["gap"].isna().all()


def test_an_empty_group_looks_like_a_small_one():
    leaves = random_leaves(0, size=2.0)
    leaves[2, 0, 0] = 0
    panel = authority(leaves)
    table = levels(panel, groups=["cin"])
    frame = protect(table, STRICT, kind="levels", cube=round_leaves(panel, STRICT)).frame
    empty = frame[(table["pupils"] == 0)]
    assert len(empty)
    assert (empty["status"] == "c").all()


def test_a_table_of_other_children_is_refused(panel, cube):
    part = panel[~panel["unit_id"].str.endswith("01")]
    table = gaps(part, group="cwsw", reference="peers")
    with pytest.raises(DisclosureError, match="other children"):
        protect(table, STRICT, kind="gaps", cube=cube)
    moved = gaps(panel, group="cwsw", reference="peers").assign(time_period=201011)
    moved = moved.drop_duplicates(["time_period", "phase", "metric"])
    with pytest.raises(DisclosureError, match="other children"):
        protect(moved, STRICT, kind="gaps", cube=cube)


def test_returns_without_a_fitting_cube_are_refused(true_gaps, panel):
    with pytest.raises(DisclosureError, match="without a cube"):
        protect(true_gaps, STRICT, kind="gaps")
    with pytest.raises(DisclosureError, match="rounded by rule 'none'"):
        protect(true_gaps, STRICT, kind="gaps", cube=round_leaves(panel, NONE))


def test_a_row_twice_and_a_missing_column_are_refused(true_gaps, cube):
    with pytest.raises(DisclosureError, match="twice"):
        protect(pd.concat([true_gaps, true_gaps.head(1)]), STRICT, kind="gaps", cube=cube)
    with pytest.raises(ContractError, match="gap_std_error"):
        protect(true_gaps.drop(columns="gap_std_error"), STRICT, kind="gaps", cube=cube)


def test_without_protection_true_numbers_pass_with_a_stamp(true_gaps):
    safe = protect(true_gaps, NONE, kind="gaps", stamp="SYNTHETIC")
    assert safe.stamp == "SYNTHETIC | INTERNAL ONLY - NOT FOR RELEASE"
    pd.testing.assert_series_equal(safe.frame["gap"], true_gaps["gap"])
    assert safe.frame["group_pupils"].tolist() == true_gaps["group_pupils"].tolist()


def test_protection_is_the_same_whatever_the_order_of_rows(true_gaps, cube, safe_gaps):
    mixed = true_gaps.sample(frac=1, random_state=1)
    frame = protect(mixed, STRICT, kind="gaps", cube=cube).frame
    keys = ["time_period", "phase", "metric"]
    pd.testing.assert_frame_equal(
        frame.sort_values(keys, ignore_index=True),
        safe_gaps.frame.sort_values(keys, ignore_index=True),
    )


# --- Estimates

ESTIMATE = {
    "role": "primary",
    "metric": "overall_absence",
    "aggregation": "simple",
    "index": 0,
    "estimate": -1.23456,
    "std_error": 0.45678,
    "df": 118.0,
    "ci_lower": -2.1391,
    "ci_upper": -0.33,
    "p_value": 0.00789,
    "p_adjusted": 0.0001,
    "schools_treated": 60,
    "schools_comparison": 59,
    "pupils": 1234,
    "largest_share": 0.04,
    "status": "",
}


def estimates(**changed):
    return pd.DataFrame([ESTIMATE | changed])


def test_an_estimate_is_shown_to_the_figures_of_its_error():
    row = protect(estimates(), STRICT, kind="estimates").frame.iloc[0]
    assert (row["estimate"], row["std_error"]) == (-1.23, 0.46)
    assert (row["ci_lower"], row["ci_upper"]) == (-2.14, -0.33)
    assert (row["p_value"], row["p_adjusted"]) == (0.008, 0.0001)
    assert (row["pupils"], row["schools_treated"], row["status"]) == (1235, 60, "")
    assert "largest_share" not in row.index


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"df": 9.0}, "degrees of freedom"),
        ({"df": np.nan}, "degrees of freedom"),
        ({"schools_treated": 5, "schools_comparison": 4}, "schools"),
        ({"schools_treated": 2}, "arm"),
        ({"schools_comparison": 2}, "arm"),
        ({"largest_share": 0.51}, "dominance"),
        ({"pupils": 9}, "threshold"),
        ({"pupils": np.nan}, "threshold"),
        ({"aggregation": "att_gt", "schools_treated": 1}, "arm"),
    ],
)
def test_an_estimate_that_too_few_carry_is_refused(changed, reason):
    safe = protect(estimates(**changed), STRICT, kind="estimates")
    row = safe.frame.iloc[0]
    assert row["status"] == "c"
    numbers = ["estimate", "std_error", "df", "ci_lower", "p_value", "pupils", "schools_treated"]
    assert row[numbers].isna().all()
    assert safe.audit.to_dict("list") == {"reason": [reason], "cells": [1]}


def test_refusing_one_row_leaves_the_others():
    table = pd.concat([estimates(), estimates(index=1, df=3.0)])
    frame = protect(table, STRICT, kind="estimates").frame
    assert frame["status"].tolist() == ["", "c"]
    assert frame["estimate"].notna().tolist() == [True, False]


def test_an_estimate_that_never_was_keeps_its_symbol():
    row = estimates(estimate=np.nan, std_error=np.nan, df=np.nan, status="x")
    assert protect(row, STRICT, kind="estimates").frame["status"].item() == "x"


def test_an_estimate_without_an_error_goes_by_its_interval_or_two_decimals():
    row = protect(estimates(std_error=np.nan), STRICT, kind="estimates").frame.iloc[0]
    assert row["estimate"] == -1.23
    bare = estimates(std_error=np.nan).drop(columns=["ci_lower", "ci_upper", "status"])
    row = protect(bare, STRICT, kind="estimates").frame.iloc[0]
    assert (row["estimate"], row["status"]) == (-1.23, "")


def test_estimates_without_a_share_are_judged_on_the_rest():
    bare = estimates().drop(columns=["largest_share", "p_adjusted"])
    assert protect(bare, STRICT, kind="estimates").frame["status"].item() == ""


def test_broken_estimates_are_refused_and_internal_ones_pass():
    with pytest.raises(DisclosureError, match="negative"):
        protect(estimates(pupils=-5), STRICT, kind="estimates")
    with pytest.raises(ContractError, match="lacks the column df"):
        protect(estimates().drop(columns="df"), STRICT, kind="estimates")
    with pytest.raises(DisclosureError, match="twice"):
        protect(pd.concat([estimates(), estimates()]), STRICT, kind="estimates")
    inside = protect(estimates(df=1.0), NONE, kind="estimates").frame
    assert inside["estimate"].item() == -1.23456
    assert "largest_share" not in inside


# --- Reach

REACH = {
    "time_period": 202425,
    "programme": "any",
    "tier": "any",
    "phase": "primary",
    "schools": 80,
    "schools_trained": 30,
    "share_schools": 37.5,
    "pupils": 402,
    "pupils_reached": 171,
    "share_pupils": 42.5,
    "staff_trained": 63,
    "hours": 1134.4,
    "staff_per_100_pupils": 15.7,
    "hours_per_100_pupils": 282.2,
    "cost": 18_900.4,
}


def reach(*rows):
    table = pd.DataFrame([REACH | changed for changed in rows])
    return protect(table, STRICT, kind="reach").frame


def test_reach_has_rounded_people_and_shares_of_what_is_shown():
    row = reach({}).iloc[0]
    assert (row["pupils"], row["pupils_reached"], row["staff_trained"]) == (400, 170, 65)
    assert row["share_pupils"] == pytest.approx(42.5)
    assert row["share_schools"] == pytest.approx(37.5)
    assert row["staff_per_100_pupils"] == pytest.approx(100 * 65 / 400)
    assert (row["hours"], row["cost"], row["status"]) == (1130, 18_900, "")


def test_shares_written_as_proportions_stay_proportions():
    row = reach({"share_schools": 0.375, "share_pupils": 0.4254}).iloc[0]
    assert row["share_pupils"] == pytest.approx(0.425)


@pytest.mark.parametrize(
    ("changed", "hidden"),
    [
        ({"pupils": 9, "pupils_reached": 5}, ["pupils", "pupils_reached", "share_pupils"]),
        ({"pupils_reached": 9}, ["pupils_reached", "share_pupils"]),
        ({"pupils_reached": 393}, ["pupils_reached", "share_pupils"]),
        ({"schools_trained": 2}, ["schools_trained", "share_schools", "pupils_reached", "hours"]),
        ({"schools_trained": 79}, ["schools_trained", "share_schools", "cost"]),
        ({"schools": 2, "schools_trained": 0}, ["schools", "pupils"]),
        ({"staff_trained": 9}, ["staff_trained", "hours", "cost", "staff_per_100_pupils"]),
    ],
)
def test_small_reach_is_hidden(changed, hidden):
    row = reach(changed).iloc[0]
    assert row[hidden].isna().all()
    assert row["status"] == "c"


def test_pupils_of_a_year_without_headcount_are_unknown_not_hidden():
    row = reach({"pupils": np.nan, "pupils_reached": np.nan}).iloc[0]
    assert row[["pupils", "pupils_reached", "share_pupils"]].isna().all()
    assert (row["schools_trained"], row["status"]) == (30, "")


def test_a_total_whose_rounded_parts_add_up_to_too_few_is_hidden():
    frame = reach(
        {"phase": "primary", "pupils_reached": 9},
        {"phase": "secondary", "pupils_reached": 4},
        {"phase": "total", "pupils": 2 * REACH["pupils"], "pupils_reached": 13},
    )
    total = frame[frame["phase"] == "total"].iloc[0]
    assert pd.isna(total["pupils_reached"])
    assert pd.isna(total["share_pupils"])


def test_reach_shows_margins_only():
    frame = reach(
        {"phase": "total"},
        {"phase": "total", "programme": "elsa"},
        {"phase": "total", "tier": "targeted"},
        {"phase": "primary"},
        {"phase": "primary", "programme": "elsa"},
        {"phase": "total", "programme": "elsa", "tier": "targeted"},
    )
    assert frame[["phase", "programme", "tier"]].to_numpy().tolist() == [
        ["total", "any", "any"],
        ["total", "elsa", "any"],
        ["total", "any", "targeted"],
        ["primary", "any", "any"],
    ]


def test_a_hidden_phase_of_the_reach_takes_a_second_one_with_it():
    frame = reach(
        {"phase": "primary"},
        {"phase": "secondary", "schools": 12, "schools_trained": 6},
        {"phase": "special", "schools": 8, "schools_trained": 1},
        {"phase": "total", "schools": 100, "schools_trained": 37, "pupils": 1206},
    ).set_index("phase")
    offer = ["schools_trained", "pupils_reached", "staff_trained", "hours", "cost"]
    assert frame.loc[["secondary", "special"], offer].isna().all().all()
    assert frame.loc[["primary", "total"], offer].notna().all().all()


def test_a_hidden_phase_that_is_all_of_the_offer_hides_the_total():
    none = {"schools_trained": 0, "pupils_reached": 0, "staff_trained": 0, "hours": 0, "cost": 0}
    frame = reach(
        {"phase": "primary", **none},
        {"phase": "special", "schools": 8, "schools_trained": 4, "pupils_reached": 9},
        {"phase": "total", "pupils": 804, "schools_trained": 4, "pupils_reached": 12},
    ).set_index("phase")
    assert frame.loc[["special", "total"], ["pupils_reached", "cost"]].isna().all().all()


def test_pupils_of_the_reach_are_those_of_the_cube():
    panel = pd.DataFrame(
        {
            "source": "returns", "vintage": "v", "cohort_rule": "r", "level": "school",
            "unit_id": [str(place) for place in range(7)], "time_period": 202425,
            "phase": "primary", "group": "cin", "metric": "overall_absence", "pupils": 7,
            "numerator": 100.0, "denominator": 2450, "sum_yy": 2000.0, "sum_xy": 35000.0,
            "sum_xx": 857500.0, "rate": np.nan, "status": "",
        }
    )  # fmt: skip
    cube = round_leaves(panel, STRICT)
    table = pd.DataFrame([REACH | {"group": "cin", "pupils": 49, "pupils_reached": 28}])
    frame = protect(table, STRICT, kind="reach", cube=cube).frame
    shown = cube.cells.query("group == 'cin' and phase == 'primary'")["pupils"].item()
    assert frame["pupils"].item() == shown


def test_all_children_reached_and_no_school_trained_are_no_secrets():
    row = reach({"pupils_reached": 402}).iloc[0]
    assert row["pupils_reached"] == 400
    none = {"schools_trained": 0, "pupils_reached": 0, "staff_trained": 0, "hours": 0, "cost": 0}
    row = reach(none).iloc[0]
    assert (row["pupils_reached"], row["share_pupils"], row["hours"]) == (0, 0, 0)
    assert row["status"] == ""


def test_a_total_of_phases_is_the_sum_of_rounded_phases():
    phases = [
        {"phase": "primary", "pupils": 12, "pupils_reached": 12},
        {"phase": "secondary", "pupils": 12, "pupils_reached": 12},
        {"phase": "special", "pupils": 12, "pupils_reached": 12},
        {"phase": "total", "pupils": 36, "pupils_reached": 36},
    ]
    assert reach(*phases)["pupils"].tolist() == [10, 10, 10, 30]
    alone = reach({"phase": "total", "pupils": 36, "pupils_reached": 36})
    assert alone["pupils"].tolist() == [35]
    other = reach(*phases[:3], phases[3] | {"pupils": 37, "pupils_reached": 37})
    assert other["pupils"].tolist() == [10, 10, 10, 35]


def test_reach_without_phases_or_depth_passes():
    columns = ["programme", "schools", "schools_trained", "pupils", "pupils_reached"]
    table = pd.DataFrame([REACH])[columns]
    frame = protect(table, STRICT, kind="reach").frame
    assert frame["pupils"].item() == 400


@settings(max_examples=50, deadline=None)
@given(pupils=st.integers(0, 60), part=st.floats(0, 1))
def test_what_is_shown_of_reach_describes_ten_or_more(pupils, part):
    reached = round(part * pupils)
    row = reach({"pupils": pupils, "pupils_reached": reached}).iloc[0]
    if pd.notna(row["pupils"]):
        assert pupils >= 10
    if pd.notna(row["pupils_reached"]):
        assert reached >= 10
        assert pupils - reached == 0 or pupils - reached >= 10
        assert row["pupils_reached"] <= row["pupils"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"pupils": -1}, "negative"),
        ({"staff_trained": -1}, "negative"),
        ({"pupils_reached": 500}, "pupils_reached is larger"),
        ({"schools_trained": 81}, "schools_trained is larger"),
    ],
)
def test_impossible_reach_is_refused(changed, message):
    with pytest.raises(DisclosureError, match=message):
        reach(changed)


def test_internal_reach_is_exact():
    frame = protect(pd.DataFrame([REACH]), NONE, kind="reach").frame
    assert (frame["pupils"].item(), frame["hours"].item()) == (402, 1134.4)
    assert frame["status"].item() == ""


# --- Findings and design


def findings(rows, of_rows):
    table = pd.DataFrame(
        {"check": "c", "table": "t", "result": "warn", "rows": rows, "of_rows": of_rows}, index=[0]
    )
    return protect(table, STRICT, kind="findings").frame.iloc[0]


@pytest.mark.parametrize(
    ("rows", "of_rows", "seen", "whole"),
    [
        (0, 1200, 0, 1200),
        (1, 1200, None, 1200),
        (9, 1203, None, 1205),
        (12, 1203, 10, 1205),
        (1198, 1203, None, 1205),
        (1203, 1203, 1205, 1205),
        (3, 7, None, None),
    ],
)
def test_rows_of_findings_are_rounded_and_few_are_hidden(rows, of_rows, seen, whole):
    row = findings(rows, of_rows)
    for column, expected in (("rows", seen), ("of_rows", whole)):
        assert pd.isna(row[column]) if expected is None else row[column] == expected
    assert row["status"] == ("c" if seen is None or whole is None else "")


def test_findings_without_a_whole_pass_and_negative_ones_do_not():
    table = pd.DataFrame({"check": ["c"], "table": ["t"], "result": ["pass"], "rows": [44]})
    assert protect(table, STRICT, kind="findings").frame["rows"].item() == 45
    with pytest.raises(DisclosureError, match="negative"):
        protect(table.assign(rows=-1), STRICT, kind="findings")


def design_table():
    return pd.DataFrame(
        {
            "arm": ["2022/23", "2023/24", "never"],
            "adopted": [202223, 202324, 0],
            "schools": [12, 2, 60],
            "pupils": [103, 12, 9],
            "share_pupils": [0.83456, 0.1, 0.07],
            "mean_absence": [12.3456, 11.2, np.nan],
            "balanced": [True, False, True],
        }
    )


def test_design_tables_hide_small_arms_and_the_numbers_beside_them():
    safe = protect(design_table(), STRICT, kind="design")
    frame = safe.frame
    assert frame["schools"].tolist() == [12, pd.NA, 60]
    assert frame["pupils"].tolist() == [105, 10, pd.NA]
    assert frame["share_pupils"].round(2).tolist()[0] == 0.83
    assert frame["mean_absence"].tolist()[0] == 12.0
    assert frame.loc[1:, ["share_pupils", "mean_absence"]].isna().all(axis=None)
    assert frame["adopted"].tolist() == [202223, 202324, 0]
    assert frame["balanced"].tolist() == [True, False, True]
    assert frame["status"].tolist() == ["", "c", "c"]
    assert set(safe.audit["reason"]) == {"schools", "threshold"}


def test_a_symbol_that_was_there_stays_and_internal_design_is_exact():
    table = design_table().assign(status=["x", "", ""])
    assert protect(table, STRICT, kind="design").frame["status"].tolist() == ["x", "c", "c"]
    exact = protect(design_table(), NONE, kind="design").frame
    assert exact["mean_absence"].tolist()[:2] == [12.3456, 11.2]
    assert exact["pupils"].tolist() == [103, 12, 9]


def test_negative_counts_of_a_design_are_refused():
    with pytest.raises(DisclosureError, match="negative"):
        protect(design_table().assign(pupils=-3), STRICT, kind="design")


# --- Published, released, facts


def test_published_figures_pass_unchanged_with_their_symbols():
    table = pd.DataFrame(
        {"source": "published", "gap": [3.25, np.nan], "group_pupils": [7, 2], "status": ["", "c"]}
    )
    for kind in ("published", "gaps"):
        frame = protect(table.assign(unit_id=["a", "b"]), STRICT, kind=kind).frame
        assert frame["group_pupils"].tolist() == [7, 2]
        assert frame["status"].tolist() == ["", "c"]


def test_a_published_number_missing_without_a_symbol_is_refused():
    table = pd.DataFrame({"gap": [np.nan], "status": [None]})
    with pytest.raises(DisclosureError, match="without a symbol"):
        protect(table, STRICT, kind="published")
    row = pd.DataFrame({"rate": [np.nan], "numerator": [np.nan]})
    with pytest.raises(DisclosureError, match="without a symbol"):
        protect(row, STRICT, kind="published")


def test_a_published_rate_or_a_published_count_is_enough():
    table = pd.DataFrame({"rate": [4.7, np.nan], "numerator": [np.nan, 12]})
    assert protect(table, STRICT, kind="published").frame["status"].tolist() == ["", ""]
    assert len(protect(pd.DataFrame({"area": ["a"]}), STRICT, kind="published").frame) == 1


def test_rows_of_returns_do_not_pass_as_published():
    table = pd.DataFrame({"source": ["returns"], "gap": [3.2], "status": [""]})
    with pytest.raises(DisclosureError, match="rows of returns"):
        protect(table, STRICT, kind="published")


def test_a_released_table_is_read_back_with_its_symbols(tmp_path):
    (tmp_path / "gaps.csv").write_text(
        "phase,unit_id,gap,status,note\nprimary,E06000049,c,c,\ntotal,E06000049,3.5,,x\n"
    )
    table = pd.read_csv(tmp_path / "gaps.csv", keep_default_na=False)
    frame = protect(table, STRICT, kind="released").frame
    assert frame["gap"].isna().tolist() == [True, False]
    assert frame["gap"].iloc[1] == 3.5
    assert frame["status"].tolist() == ["c", ""]
    assert frame["phase"].tolist() == ["primary", "total"]


def test_facts_pass_and_carry_no_children():
    safe = protect(pd.DataFrame({"setting": ["seed"], "value": ["1"]}), STRICT, kind="facts")
    assert safe.frame["value"].tolist() == ["1"]
    assert safe.audit.empty


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        *((kind, "pupil_id") for kind in KINDS),
        *((kind, "URN") for kind in KINDS),
        ("gaps", "pseudonym"),
        ("estimates", "unit_id"),
        ("facts", "unit_id"),
        ("facts", "pupils"),
    ],
)
def test_columns_that_could_carry_a_child_or_a_school_are_refused(kind, column):
    with pytest.raises(DisclosureError, match=column):
        protect(pd.DataFrame({column: ["1"]}), STRICT, kind=kind)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ContractError, match="levles"):
        protect(pd.DataFrame(), STRICT, kind="levles")


def test_a_rule_of_ones_own_is_kept_to():
    mild = Rule("mild", threshold=5, base=5, min_schools=1)
    panel = authority(random_leaves(0, size=2.0), seed=0)
    cube = round_leaves(panel, mild)
    frame = protect(levels(panel, groups=GROUPS), mild, kind="levels", cube=cube).frame
    strict = protect(
        levels(panel, groups=GROUPS), STRICT, kind="levels", cube=round_leaves(panel, STRICT)
    ).frame
    assert frame["level_value"].notna().sum() > strict["level_value"].notna().sum()
