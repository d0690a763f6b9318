"""Suspensions: a pupil whom the return does not name has none; a year it lacks is not nought."""

from tests.cohort.tables import attendance, build, enrolment, episode, school, suspension
from vsh_eval.metrics import levels

THREE = ("suspension_rate", "pupils_suspended", "permanent_exclusion")


def cells(tables, **options):
    panel = build(tables, **options).panel
    rows = panel.loc[panel["metric"].isin(THREE)]
    keys = zip(rows["metric"], rows["unit_id"], rows["group"], strict=True)
    sums = rows[["pupils", "numerator", "denominator", "sum_yy", "sum_xy", "sum_xx"]]
    return dict(zip(keys, map(tuple, sums.to_numpy("float64").tolist()), strict=True))


def borough(*rows, enrolled=("P1", "P2", "P3", "P4")):
    return {
        "schools": [school("100"), school("200", "secondary")],
        "enrolments": [enrolment(pupil) for pupil in enrolled],
        "suspensions": list(rows),
        "episodes": [episode("P1", "2023-10-01"), episode("P2", "2023-10-01")],
    }


def test_sums_of_a_cell_by_hand():
    found = cells(borough(suspension("P1", times=3), suspension("P3", times=0, excluded=2)))
    # In need: P1 with three, P2 with none; peers: P3 excluded twice, which is one child, and P4.
    assert found == {
        ("suspension_rate", "100", "cin"): (2, 3, 2, 9, 3, 2),
        ("pupils_suspended", "100", "cin"): (2, 1, 2, 1, 1, 2),
        ("permanent_exclusion", "100", "cin"): (2, 0, 2, 0, 0, 2),
        ("suspension_rate", "100", "peers"): (2, 0, 2, 0, 0, 2),
        ("pupils_suspended", "100", "peers"): (2, 0, 2, 0, 0, 2),
        ("permanent_exclusion", "100", "peers"): (2, 1, 2, 1, 1, 2),
    }


def test_pupils_of_every_age_count_and_the_rate_can_exceed_a_hundred():
    tables = borough(suspension("P1", times=7)) | {
        "enrolments": [enrolment("P1", group=13), enrolment("P2", group=-1)]
    }
    built = build(tables)
    level = levels(built.panel, groups=("cin",), metrics=("suspension_rate",), unit_id="E1")
    total = level.loc[level["phase"] == "total"].iloc[0]
    assert total["level_value"] == 350.0
    assert total["unit"] == "suspensions per 100 pupils"


def test_without_the_table_or_the_year_there_are_no_rows_never_nought():
    assert cells(borough(), leave_out=("suspensions",)) == {}
    elsewhen = borough(suspension("P1", 202223)) | {
        "enrolments": [enrolment("P1"), enrolment("P1", 202223)]
    }
    panel = build(elsewhen, years=(202223, 202324)).panel
    assert set(panel.loc[panel["metric"].isin(THREE), "time_period"]) == {202223}


def test_a_suspension_where_the_pupil_has_no_enrolment_makes_one_there():
    found = cells(borough(suspension("P1", urn="200"), enrolled=("P1",)))
    assert found["pupils_suspended", "200", "cin"][:3] == (1, 1, 1)
    assert found["pupils_suspended", "100", "cin"][:3] == (1, 0, 1)


def test_every_row_of_suspensions_has_its_reason():
    tables = borough(
        suspension("P1"), suspension("P2", urn="999"), suspension("P9"), suspension("P1", 202223)
    )
    flow = build(tables).flow.query("table == 'suspensions'")
    assert dict(zip(flow["step"], flow["rows"], strict=True)) == {
        "read": 4,
        "outside_years": 1,
        "no_enrolment_in_year": 1,
        "unknown_school": 1,
        "counted": 1,
    }


def test_part_of_a_year_never_stands_beside_a_whole_one():
    years = (202122, 202223, 202324)
    lacking = {(202223, "spring"), (202324, "summer")}
    present = [
        attendance(pupil, year, term=term)
        for pupil in ("P1", "P2", "P3")
        for year in years
        for term in ("autumn", "spring", "summer")
        # One stray row is not a term.
        if (year, term) not in lacking or pupil == "P1"
    ]
    tables = borough(*(suspension("P1", year) for year in years)) | {
        "enrolments": [enrolment(pupil, year) for pupil in ("P1", "P2", "P3") for year in years],
        "attendance": present,
        "attainment": [("P6", 202223, "100", "ks2_rwm_expected", 1.0)],
    }
    tables["enrolments"].append(enrolment("P6", 202223, group=6))
    tables["enrolments"] += [enrolment("P3", year, "200") for year in years]  # a move a year
    built = build(tables, years=years)
    of_attainment = built.panel["metric"] == "ks2_rwm_expected"
    assert set(built.panel.loc[of_attainment, "time_period"]) == {202223}
    assert set(built.panel.loc[~of_attainment, "time_period"]) == {202122}
    assert "school_move" in set(built.panel["metric"])
    dropped = built.flow.query("step == 'no_data_in_year'")
    assert dropped.set_index("table")["rows"].to_dict() == {
        "attendance": len([row for row in present if row[1] != 202122]), "suspensions": 2,
    }  # fmt: skip
    shown = levels(built.panel, groups=("cin",), unit_id="E1")
    partial = shown[(shown["time_period"] == 202223) & (shown["metric"] != "ks2_rwm_expected")]
    assert {"overall_absence", *THREE} <= set(partial["metric"])
    assert set(partial["status"]) == {"x"}


def test_years_that_all_lack_the_same_term_stand_beside_one_another():
    years = (202223, 202324)
    tables = borough(*(suspension("P1", year) for year in years)) | {
        "enrolments": [enrolment("P1", year) for year in years],
        "attendance": [attendance("P1", year) for year in years],
    }
    # 2019/20 is no year of absence, whatever its return holds.
    only = tables | {"attendance": [*tables["attendance"], attendance("P1", 201920, term="spring")]}
    assert set(build(only, years=(201920, *years)).panel["time_period"]) == set(years)
