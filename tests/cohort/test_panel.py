"""The panel equals the oracle to the last integer, and its laws hold."""

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import frames
from tests.cohort import oracle
from tests.cohort.invented import random_returns
from tests.cohort.oracle import COMPOSITION_CELL, PANEL_CELL, as_cells
from tests.cohort.tables import attendance, build, enrolment, one_pupil, school
from vsh_eval import names
from vsh_eval.cohort import build_panel
from vsh_eval.contracts import ContractError

RULES = ("any_time_in_year", "at_31_march", "ever_6")
YEARS = (201819, 201920, 202021)


def rows_of(tables, metric, **options):
    panel = build(tables, **options).panel
    return panel.loc[panel["metric"] == metric].set_index("unit_id")


@settings(max_examples=3, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    rule=st.sampled_from(RULES),
    basis=st.sampled_from(("episode", "plan")),
    look_back=st.sampled_from((1, 3, 6)),
)
def test_panel_and_composition_equal_the_oracle(seed, rule, basis, look_back):
    tables = random_returns(seed)
    options = {"rule": rule, "basis": basis, "look_back": look_back}
    built = build(tables, years=YEARS, cohort=options)
    expected = oracle.panel(tables, years=YEARS, **options)
    assert as_cells(built.panel, PANEL_CELL) == expected
    strata = oracle.composition(tables, years=YEARS, **options)
    assert as_cells(built.composition, COMPOSITION_CELL) == strata


@pytest.mark.parametrize(
    ("rule", "basis"),
    [("any_time_in_year", "plan"), ("at_31_march", "episode"), ("ever_6", "episode")],
)
def test_every_rule_and_basis_equals_the_oracle_on_more_pupils(rule, basis):
    tables = random_returns(2026, pupils=80)
    built = build(tables, years=YEARS, cohort={"rule": rule, "basis": basis})
    expected = oracle.panel(tables, years=YEARS, rule=rule, basis=basis)
    assert as_cells(built.panel, PANEL_CELL) == expected
    groups = {"cla", "cpp", "cin", "peers"} | (set() if rule == "ever_6" else {"previous"})
    assert set(built.panel["group"]) == groups


def test_composition_added_up_over_strata_is_the_panel_added_up_over_schools():
    built = build(random_returns(7, pupils=60), years=YEARS)
    keys = ["time_period", "phase", "group", "metric"]
    sums = [*names.PANEL_SUMS, *names.RECORD_KEYS]
    codes = built.schools.set_index("unit_id")["la_code"]
    by_school = built.panel.assign(la=built.panel["unit_id"].map(codes))
    left = by_school.groupby(["la", *keys])[sums].sum()
    right = built.composition.rename(columns={"unit_id": "la"}).groupby(["la", *keys])[sums].sum()
    # Points are added up in hundredths and divided once: their sums of sums agree to rounding.
    pd.testing.assert_frame_equal(left.astype(float), right.astype(float), rtol=1e-12)


def test_columns_and_types_are_the_contracts():
    built = build(one_pupil())
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
    assert set(built.composition["unit_id"]) == {"E06000049"}


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
    row = rows_of(tables, "overall_absence").loc["100"]
    sums = [row[name] for name in names.PANEL_SUMS]
    assert sums == [2, 50, 230, 10**2 + 40**2, 10 * 150 + 40 * 80, 150**2 + 80**2]
    severe = rows_of(tables, "severe_absence").loc["100"]
    assert [severe[name] for name in names.PANEL_SUMS] == [2, 1, 2, 1, 1, 2]
    assert rows_of(tables, "authorised_absence").loc["100", "numerator"] == 47
    assert rows_of(tables, "unauthorised_absence").loc["100", "numerator"] == 3


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
    row = rows_of(tables, "ks4_attainment8").loc["100"]
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
    first, second = build(tables, years=YEARS), build(backwards, years=YEARS)
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
        build_panel(cells, cohort_rule="any_time_in_year", vintage="returns")
