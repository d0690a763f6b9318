"""Nothing leaves but through the door, and what has no record keys is hidden by hand-made rules."""

import numpy as np
import pandas as pd
import pytest

from tests.release.invented_strata import children, panel_of
from vsh_eval import metrics
from vsh_eval.contracts import ContractError, DisclosureError, produces
from vsh_eval.panel import Comparison
from vsh_eval.release.disclosure import (
    INTERNAL_STAMP,
    SafeTable,
    join,
    protected,
    release_table,
    require_safe,
    rule_named,
)

RULE, EXACT = rule_named("cellkey"), rule_named("none")
NAN = float("nan")


def release(gate, *, rule=RULE, **columns):
    """Release a table made by hand."""
    table = pd.DataFrame(columns)

    @produces("by_hand", tuple(set(columns) - {"largest_share"}), gate=gate)
    def producer():
        return table

    return release_table(producer, rule=rule).frame


# --- Refusals.


def test_exact_sums_are_refused_and_protected_ones_pass():
    panel = panel_of(children(1, size=0.3))
    comparison = Comparison("cwsw", "peers", metrics=("persistent_absence",))
    with pytest.raises(DisclosureError, match=r"disclosure\.protected"):
        release_table(metrics.gaps, panel, comparison, rule=RULE)
    safe = release_table(metrics.gaps, protected(panel, RULE), comparison, rule=RULE)
    assert (safe.kind, safe.stamp) == ("gaps", "")
    inside = release_table(metrics.gaps, panel, comparison, rule=EXACT, stamp="SYNTHETIC")
    assert inside.stamp == f"SYNTHETIC | {INTERNAL_STAMP}"
    with pytest.raises(DisclosureError, match="one kind and stamp"):
        join(safe, inside)


def test_a_panel_without_record_keys_cannot_be_protected():
    panel = panel_of(children(1, size=0.3)).drop(columns="key_n")
    with pytest.raises(ContractError, match="key_n"):
        release_table(metrics.gaps, protected(panel, RULE), Comparison("cwsw", "peers"), rule=RULE)


def test_a_function_must_say_what_its_table_is():
    with pytest.raises(DisclosureError, match=r"contracts\.produces"):
        release_table(pd.DataFrame, rule=RULE)


def test_a_safe_table_cannot_be_made_by_hand():
    with pytest.raises(DisclosureError, match="by hand"):
        SafeTable(pd.DataFrame({"pupils": [3]}), "gaps")
    with pytest.raises(DisclosureError, match="must be a SafeTable"):
        require_safe(pd.DataFrame({"pupils": [3]}))


@pytest.mark.parametrize("column", ["pupil_id", "UPN", "urn", "school_name", "dob"])
@pytest.mark.parametrize("gate", ["facts", "sample", "cells"])
def test_columns_of_children_and_schools_are_refused(gate, column):
    with pytest.raises(DisclosureError, match="could carry a child or a school"):
        release(gate, **{column: ["x"]})


def test_a_column_without_a_role_is_refused():
    with pytest.raises(ContractError, match="no role"):
        release("facts", shoe_size=[41])


def test_facts_hold_no_number_of_children():
    with pytest.raises(DisclosureError, match="counts children"):
        release("facts", pupils=[640])


@pytest.mark.parametrize("pupils", [3, 12, 641])
def test_cells_that_are_not_protected_are_refused(pupils):
    with pytest.raises(DisclosureError, match="not protected"):
        release("cells", pupils=[640, pupils])


def test_a_published_figure_without_a_number_or_symbol_is_refused():
    row = {"source": ["published"], "gap": [NAN]}
    assert release("cells", **row, status=["c"])["status"].tolist() == ["c"]
    with pytest.raises(DisclosureError, match="symbol"):
        release("cells", **row, status=[""])


# --- Tables without record keys.


def test_a_sample_hides_rows_of_few_and_rounds_the_rest():
    shown = release(
        "sample",
        pupils=[0, 4, 9, 10, 62],
        schools=[0, 5, 5, 2, 5],
        trained_mean=[NAN, 1.234, 1.234, 1.234, 0.98765],
    )
    assert shown["pupils"].fillna(-1).tolist() == [0, -1, -1, -1, 60]
    assert shown["schools"].fillna(-1).tolist() == [0, -1, -1, -1, 5]
    assert shown["trained_mean"].fillna(-1).round(9).tolist() == [-1, -1, -1, -1, 0.99]
    assert shown["status"].tolist() == ["", "c", "c", "c", ""]


def test_a_sample_hides_rows_that_all_but_few_have():
    shown = release("sample", rows=[95, 100, 0, 60], of_rows=[100, 100, 100, 100])
    assert shown["status"].tolist() == ["c", "", "", ""]


def test_rows_of_schools_and_trainings_are_neither_rounded_nor_hidden():
    shown = release(
        "sample",
        table=["schools", "school_links", "training", "episodes", "episodes"],
        rows=[61, 1, 62, 62, 4],
    )
    assert shown["rows"].fillna(-1).tolist() == [61, 1, 62, 60, -1]
    assert shown["status"].tolist() == ["", "", "", "", "c"]


def test_a_hidden_step_hides_what_its_account_began_with():
    shown = release(
        "sample",
        table=["a", "a", "b", "b"],
        step=["read", "lost", "read", "lost"],
        pupils=[100, 4, 100, 20],
    )
    assert shown["status"].tolist() == ["c", "c", "", ""]


def test_statistics_of_schools_need_ten_of_them_and_three_of_each_kind():
    shown = release(
        "schools",
        schools=[9, 10, 12, 12, 12, 0, 12],
        schools_trained=[4, 5, 2, 10, 3, 0, 12],
        tau=[*[1.234] * 5, NAN, NAN],
        reason=["few"] * 7,
        status=[*[""] * 5, "x", "z"],
    )
    assert shown["tau"].fillna(-1).round(9).tolist() == [-1, 1.2, -1, -1, 1.2, -1, -1]
    assert shown["status"].tolist() == ["c", "", "c", "c", "", "x", "z"]
    assert (shown["reason"] == np.where(shown["status"] == "c", "", "few")).all()


def estimates(**changes):
    row = {"role": "primary", "estimate": -1.4321, "std_error": 0.61234, "df": 40.7,
           "schools_treated": 30, "schools_comparison": 31, "largest_share": 0.2, "pupils": 803,
           "p_value": 0.02134, "status": ""}  # fmt: skip
    return release("estimates", **{name: [value] for name, value in (row | changes).items()})


def test_an_estimate_has_figures_to_its_error():
    row = estimates().iloc[0]
    assert (row["estimate"], row["std_error"], row["p_value"]) == (-1.43, 0.61, 0.021)
    assert (row["pupils"], row["schools_treated"], row["df"]) == (805, 30, 40)


@pytest.mark.parametrize(
    "changes",
    [
        {"df": 9.9},
        {"df": NAN},
        {"schools_treated": 2},
        {"schools_treated": 4, "schools_comparison": 5},
        {"largest_share": 0.51},
        {"pupils": 9},
    ],
)
def test_an_estimate_that_few_carry_is_hidden(changes):
    row = estimates(**changes).iloc[0]
    assert row["status"] == "c"
    assert row[["estimate", "std_error", "p_value", "pupils", "schools_treated"]].isna().all()


@pytest.mark.parametrize("role", ["robustness", "exploratory"])
def test_another_sample_beside_the_primary_is_not_counted(role):
    row = estimates(role=role).iloc[0]
    assert row["estimate"] == -1.43
    assert row[["pupils", "schools_treated", "schools_comparison", "df"]].isna().all()


def test_leaving_out_a_school_is_hidden_and_its_verdict_shown():
    """The primary estimate less one without a school is that school's own children."""
    table = pd.DataFrame(
        [
            ("primary", "", 60, 800),
            ("robustness", "leave_out", 59, 790),
            ("robustness", "leave_out", 58, 700),
            ("robustness", "leave_out", 50, 795),
            ("robustness", "leave_out", 40, 500),
            ("robustness", "estimators", 59, 790),
        ],
        columns=["role", "check", "schools_treated", "pupils"],
    ).assign(estimate=-1.4, std_error=0.6, df=119.0, schools_comparison=60, verdict="agrees")
    shown = release("estimates", **table)
    assert shown["status"].tolist() == ["", "c", "c", "c", "", ""]
    assert (shown["estimate"].isna() == shown["status"].eq("c")).all()
    assert shown["verdict"].eq("agrees").all()
    assert shown["schools_treated"].notna().tolist() == [True] + [False] * 5
    alone = release("estimates", **table[1:].reset_index(drop=True))
    assert alone["status"].tolist() == [*["c"] * 4, ""], "without what to compare"


def test_costs_have_two_figures_and_no_numbers_of_schools():
    cost = {"measure": "cost_per_school", "ci_lower": 3732.2, "ci_upper": 5155.7}
    row = estimates(estimate=4402.4, std_error=364.8, **cost).iloc[0]
    assert row[["estimate", "ci_lower", "ci_upper"]].tolist() == [4400, 3700, 5200]
    assert row[["schools_treated", "schools_comparison", "pupils", "df"]].isna().all()
    said = estimates(estimate=NAN, status="x", df=NAN, **cost).iloc[0]
    assert said["status"] == "x", "an estimate that there is not says why"


def test_no_rule_but_two():
    with pytest.raises(ContractError, match="cellkey, none"):
        rule_named("strict10")
