"""The panel equals the oracle to the last integer, and its laws hold."""

import math

import pandas as pd
import pytest

from tests import frames
from tests.cohort import oracle
from tests.cohort.invented import random_returns
from tests.cohort.oracle import COMPOSITION_CELL, PANEL_CELL, as_cells, entrant_cells
from tests.cohort.tables import attendance, build, enrolment, one_pupil, school
from vsh_eval import names
from vsh_eval.cohort import NEW_ENTRANT_COLUMNS, build_panel
from vsh_eval.contracts import ContractError

YEARS = (201819, 202021, 202122)
OF_OTHER_RULE = ("severe_absence", "school_move", "ks2_reading_rank")


@pytest.fixture(
    scope="module",
    params=[
        ("any_time_in_year", "plan", 3),
        ("at_31_march", "episode", 1),
        ("ever_6", "episode", 6),
    ],
    ids=lambda param: param[0],
)
def counted(request):
    """Returns, what is built of them, and the settings, by the cohort rule."""
    options = dict(zip(("rule", "basis", "look_back"), request.param, strict=True))
    tables = random_returns(2026, pupils=40)
    return (
        tables,
        build(tables, years=YEARS, cohort=options, other_rule_metrics=OF_OTHER_RULE),
        {"years": YEARS, **options},
    )


def test_panel_and_composition_equal_the_oracle(counted):
    tables, built, options = counted
    assert as_cells(built.panel, PANEL_CELL) == oracle.panel(tables, **options)
    assert as_cells(built.composition, COMPOSITION_CELL) == oracle.composition(tables, **options)
    never = {"previous"} if options["rule"] == "ever_6" else set()
    assert set(built.panel["group"]) == set(names.LEAF_GROUPS) - never


def test_the_other_rules_panel_is_the_panel_under_that_rule(counted):
    tables, built, options = counted
    (other,) = set(built.other_rule_panel["cohort_rule"])
    assert other != options["rule"]
    panel = oracle.panel(tables, **(options | {"rule": other}))
    expected = {cell: sums for cell, sums in panel.items() if cell[-1] in OF_OTHER_RULE}
    assert as_cells(built.other_rule_panel, PANEL_CELL) == expected


def test_new_entrants_equal_the_oracle_and_are_of_those_of_overall_absence(counted):
    tables, built, options = counted
    found = built.new_entrants
    assert entrant_cells(found) == oracle.new_entrants(tables, **options)
    assert tuple(found.columns) == NEW_ENTRANT_COLUMNS
    assert {str(found[name].dtype) for name in NEW_ENTRANT_COLUMNS[4:]} == {"Int64"}
    assert found["entrants"].isna().any()
    assert found["entrants"].gt(0).any()
    assert found["prior_missed"].gt(0).any()
    keys = list(NEW_ENTRANT_COLUMNS[:4])
    absence = built.panel.query("metric == 'overall_absence'").set_index(keys)["pupils"]
    pd.testing.assert_series_equal(
        found.set_index(keys)["pupils"].sort_index(), absence.sort_index()
    )


def test_composition_added_up_over_strata_is_the_panel_added_up_over_schools(counted):
    built = counted[1]
    keys = ["time_period", "phase", "group", "metric"]
    sums = [*names.PANEL_SUMS, *names.RECORD_KEYS]
    codes = built.schools.set_index("unit_id")["la_code"]
    by_school = built.panel.assign(la=built.panel["unit_id"].map(codes))
    left = by_school.groupby(["la", *keys])[sums].sum()
    right = built.composition.rename(columns={"unit_id": "la"}).groupby(["la", *keys])[sums].sum()
    # Points are added up in hundredths and divided once: their sums of sums agree to rounding.
    pd.testing.assert_frame_equal(left.astype(float), right.astype(float), rtol=1e-12)


def test_columns_and_types_are_the_contracts(counted):
    built = counted[1]
    assert tuple(built.panel.columns) == names.PANEL_COLUMNS
    assert tuple(built.composition.columns) == names.COMPOSITION_COLUMNS
    for table in (built.panel, built.composition):
        assert table["time_period"].dtype == "int64"
        assert {str(table[c].dtype) for c in ("pupils", "denominator", "key_n", "key_y")} == {
            "Int64"
        }
        assert {str(table[c].dtype) for c in ("numerator", "sum_yy", "rate")} == {"float64"}
        assert set(table["source"]) == {"returns"}
        assert set(table["status"]) == {""}
        assert table["rate"].isna().all()
    assert set(built.panel["level"]) == {"school"}
    assert set(built.composition["level"]) == {"la"}
    assert set(built.composition["unit_id"]) == {"E1", "E2"}


def test_sums_of_a_cell_by_hand():
    tables = {
        "schools": [school("100")],
        "enrolments": [enrolment("P1"), enrolment("P2")],
        "attendance": [
            attendance("P1", possible=100, auth=6, unauth=3),
            attendance("P1", term="spring", possible=50, auth=1, unauth=0),
            attendance("P2", possible=80, auth=40, unauth=0),
        ],
    }
    rows = build(tables).panel.set_index("metric")
    row = rows.loc["overall_absence"]
    sums = [row[name] for name in names.PANEL_SUMS]
    assert sums == [2, 50, 230, 10**2 + 40**2, 10 * 150 + 40 * 80, 150**2 + 80**2]
    severe = rows.loc["severe_absence"]
    assert [severe[name] for name in names.PANEL_SUMS] == [2, 1, 2, 1, 1, 2]
    assert rows.loc["authorised_absence", "numerator"] == 47
    assert rows.loc["unauthorised_absence", "numerator"] == 3


def test_exactly_ten_and_fifty_per_cent_count():
    # possible, missed, persistent, severe; one pupil a school
    cases = [(30, 3, 1, 0), (30, 2, 0, 0), (31, 3, 0, 0), (30, 15, 1, 1), (31, 15, 1, 0)]
    urns = [str(100 + number) for number in range(len(cases))]
    tables = {
        "schools": [school(urn) for urn in urns],
        "enrolments": [enrolment(f"P{urn}", urn=urn) for urn in urns],
        "attendance": [
            attendance(f"P{urn}", urn=urn, possible=possible, auth=missed - 1, unauth=1)
            for urn, (possible, missed, _, _) in zip(urns, cases, strict=True)
        ],
    }
    panel = build(tables).panel.pivot_table("numerator", "unit_id", "metric")
    assert panel["persistent_absence"].tolist() == [case[2] for case in cases]
    assert panel["severe_absence"].tolist() == [case[3] for case in cases]


def test_a_pupil_without_a_possible_session_is_not_counted():
    built = build(one_pupil(possible=0, auth=0, unauth=0))
    assert built.panel.empty
    assert tuple(built.panel.columns) == names.PANEL_COLUMNS
    assert built.composition.empty
    step = built.flow.query("table == 'attendance' and rows == 1 and step != 'read'")["step"]
    assert step.tolist() == ["nothing_to_count"]


def test_the_highest_year_group_and_need_of_two_enrolments_count():
    two = [
        enrolment("P1", group=11, sen="K", fsm6=1, sex="U"),
        enrolment("P1", urn="200", group=12, sen="E", sex="M"),
    ]
    older = one_pupil() | {"enrolments": two}
    assert build(older).panel.empty
    two = [enrolment("P1", group=3, sen="K", fsm6=1, sex="U"),
           enrolment("P1", urn="200", group=2, sen="E", sex="M")]  # fmt: skip
    strata = build(one_pupil() | {"enrolments": two}).composition
    found = strata[["sen", "fsm6", "sex", "year_group"]].drop_duplicates()
    assert found.to_numpy().tolist() == [["E", 1, "M", 3]]


def test_a_pupil_without_a_code_is_counted_and_in_no_stratum_of_it():
    built = build(one_pupil() | {"enrolments": [enrolment("P1", sex=None)]})
    assert set(built.panel["pupils"]) == set(built.composition["pupils"]) == {1}
    assert built.composition["sex"].isna().all()
    assert set(built.moments["by"]) == {names.KEY_STAGE}


def test_no_absence_in_2019_20_and_no_key_stage_2():
    tables = one_pupil(year=201920) | {
        "enrolments": [enrolment("P1", 201920, group=6), enrolment("P2", 201920, group=11)],
        "attainment": [
            ("P1", 201920, "100", "ks2_rwm_expected", 1.0),
            ("P2", 201920, "100", "ks4_attainment8", 40.25),
        ],
    }
    built = build(tables, years=(201920,))
    # Grades given by schools are kept; that they are not comparable is for the next room to heed.
    assert built.panel["metric"].tolist() == ["ks4_attainment8", "ks4_attainment8_rank"]
    dropped = built.flow.query("step == 'no_data_in_year'")
    assert dropped.set_index("table")["rows"].to_dict() == {"attendance": 1, "attainment": 1}


def test_attainment_sums_are_exact_to_a_hundredth():
    values = [0.1] * 10 + [45.55, 33.33]
    pupils = [f"P{n}" for n in range(len(values))]
    tables = {
        "schools": [school("100", "secondary")],
        "enrolments": [enrolment(p, group=11) for p in pupils],
        "attainment": [
            (p, 202324, "100", "ks4_attainment8", v) for p, v in zip(pupils, values, strict=True)
        ],
    }
    row = build(tables).panel.set_index("metric").loc["ks4_attainment8"]
    assert row["numerator"] == 79.88  # adding the floats one by one gives 79.88000000000001
    assert row["sum_xy"] == row["numerator"]
    assert (row["pupils"], row["denominator"], row["sum_xx"]) == (12, 12, 12)
    assert row["sum_yy"] == math.fsum(round(v * 100) ** 2 for v in values) / 10_000


def test_a_measure_that_counts_children_must_be_nought_or_one():
    tables = {
        "schools": [school("100")],
        "enrolments": [enrolment("P1", group=6)],
        "attainment": [("P1", 202324, "100", "ks2_rwm_expected", 100.0)],
    }
    with pytest.raises(ContractError, match=r"ks2_rwm_expected has 1 values in 2023/24") as error:
        build(tables)
    assert "P1" not in str(error.value)


def test_order_of_rows_and_pseudonyms_never_change_a_number():
    tables = random_returns(11, pupils=30)
    backwards = {name: rows[::-1] for name, rows in tables.items()}
    first, second = build(tables, years=YEARS[1:]), build(backwards, years=YEARS[1:])
    for name in ("panel", "composition", "moments", "spread", "new_entrants", "schools", "flow"):
        frames.assert_the_same(getattr(first, name), getattr(second, name), name)


def test_a_metric_the_registry_lacks_is_refused():
    cells = pd.DataFrame(
        [[202324, "1", "primary", 5, "happiness", *[1] * 8]],
        columns=[
            *("time_period", "unit_id", "phase", "group_code", "metric"),
            *(*names.PANEL_SUMS, *names.RECORD_KEYS),
        ],
    )
    with pytest.raises(ContractError, match="metric is 'happiness', must be one of"):
        build_panel(cells, cohort_rule="any_time_in_year")
