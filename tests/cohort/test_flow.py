"""What membership and matching kept and dropped."""

from tests.cohort.invented import random_returns
from tests.cohort.tables import (
    attendance,
    build,
    enrolment,
    episode,
    one_pupil,
    school,
    training,
)
from vsh_eval.cohort.flow import FLOW_COLUMNS, READ


def flow(tables, **options):
    return build(tables, **options).flow


def steps(counted, table):
    part = counted.query("table == @table and rows > 0")
    return {row["step"]: (row["rows"], row["pupils"]) for row in part.to_dict("records")}


def test_every_row_of_attendance_has_its_reason():
    tables = {
        "schools": [school("100")],
        "enrolments": [enrolment("P1"), enrolment("P2", group=13), enrolment("P4"),
                       enrolment("P5"), enrolment("P1", 201920)],
        "attendance": [
            attendance("P1"), attendance("P1", term="spring"),
            attendance("P2"),
            attendance("P3"), attendance("P3", term="spring"),
            attendance("P4", urn="999"),
            attendance("P5", possible=0, auth=0, unauth=0),
            attendance("P1", 202223),
            attendance("P1", 201920),
        ],
    }  # fmt: skip
    assert steps(flow(tables, years=(201920, 202324)), "attendance") == {
        "read": (9, 7),
        "outside_years": (1, 1),
        "no_data_in_year": (1, 1),
        "no_enrolment_in_year": (2, 1),
        "year_group_not_counted": (1, 1),
        "unknown_school": (1, 1),
        "nothing_to_count": (1, 1),
        "counted": (2, 1),
    }


def test_every_row_of_attainment_has_its_reason():
    tables = {
        "schools": [school("100")],
        "enrolments": [enrolment("P1", group=6), enrolment("P2", group=5),
                       enrolment("P4", group=6), enrolment("P5", group=6),
                       enrolment("P1", 202021, group=6)],
        "attainment": [
            ("P1", 202324, "100", "ks2_rwm_expected", 1.0),
            ("P2", 202324, "100", "ks2_rwm_expected", 1.0),
            ("P3", 202324, "100", "ks2_rwm_expected", 1.0),
            ("P4", 202324, "999", "ks2_rwm_expected", 1.0),
            ("P5", 202324, "100", "ks2_rwm_expected", None),
            ("P1", 202324, "100", "happiness", 1.0),
            ("P1", 202021, "100", "ks2_rwm_expected", 1.0),
            ("P1", 201819, "100", "ks2_rwm_expected", 1.0),
        ],
    }  # fmt: skip
    found = steps(flow(tables, years=(202021, 202324)), "attainment")
    assert {step: rows for step, (rows, _) in found.items()} == {
        "read": 8,
        "outside_years": 1,
        "no_data_in_year": 1,
        "no_enrolment_in_year": 1,
        "year_group_not_counted": 1,
        "unknown_school": 1,
        "nothing_to_count": 1,
        "unknown_measure": 1,
        "counted": 1,
    }


def test_episodes_training_schools_and_membership_are_counted():
    tables = one_pupil(
        episode("P1", "2023-10-01"),
        episode("P1", "2023-10-01", basis="plan"),
        episode("P1", "2023-10-01", "2023-09-01"),
        episode("P9", "2023-10-01", status="CLA"),
        episode("P9", "2023-10-01", "2023-09-01"),
        episode("P9", "2023-10-01", basis="plan"),
    ) | {
        "schools": [school("100"), school("200")],
        "school_links": [("100", "200", None)],
        "training": [training("100", "2021-09-01"), training("999", "2021-09-01")],
    }
    table = flow(tables)
    assert steps(table, "episodes") == {
        "read": (6, 2),
        "never_enrolled": (3, 1),
        "invalid_dates": (1, 0),
        "other_basis": (1, 0),
        "counted": (1, 1),
    }
    assert steps(table, "membership") == {"cin": (1, 1)}
    table = table.set_index(["table", "step"])
    assert table.loc[("schools", "joined_to_successor"), "rows"] == 1
    assert table.loc[("schools", "counted"), "rows"] == 1
    assert table.loc[("training", "unknown_school"), "rows"] == 1
    assert table.loc["training", "pupils"].isna().all()


def test_each_table_begins_with_read_ends_with_counted_and_adds_up():
    table = flow(random_returns(11, pupils=40), years=(201819, 202021))
    assert tuple(table.columns) == FLOW_COLUMNS
    assert table["table"].unique().tolist() == [
        "schools", "training", "attendance", "suspensions", "attainment", "episodes",
        "membership",
    ]  # fmt: skip
    for name, part in table.groupby("table"):
        if name == "membership":
            continue
        assert part["step"].iloc[0] == READ
        assert part["step"].iloc[-1] == "counted"
        assert part["rows"].iloc[0] == part["rows"].iloc[1:].sum()
        if name not in {"schools", "training"}:  # which have no pupils
            assert part["pupils"].iloc[0] == part["pupils"].iloc[1:].sum()
