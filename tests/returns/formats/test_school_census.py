"""School census: the stored exports counted by hand, arrears, both eras of absence, ages, links."""

import pandas as pd
import pytest

from tests.returns.formats.made import counts
from vsh_eval.contracts import ContractError
from vsh_eval.returns.formats.reading import Options
from vsh_eval.returns.formats.school_census import read

ANN, BEN = "H801200001001", "A950000178301"
ON_ROLL = (
    "pupilonrolltableid,NativeId,upn,formerupn,dob,sex,entrydate,ncyearactual,senprovision,"
    "termlysessionspossible"
)
TOTALS = ",termlysessionsauthorised,termlysessionsunauthorised"
HALF_6 = (
    ",summerhalfterm2sessionspossible,summerhalfterm2sessionsauthorised"
    ",summerhalfterm2sessionsunauthorised"
)
DETAILS = "pupilonrolltableid,NativeId,sessions,attendancereason\n"


def ann(possible, *, born="2014-Jan-21", year_group="5", sen="K", more=""):
    return (
        f"1,8154000,{ANN},,{born} 00:00:00,F,2019-Sep-01 00:00:00,{year_group},{sen},"
        f"{possible}{more}\n"
    )


def census(folder, establishments=None, **files):
    folder.mkdir(exist_ok=True)
    paths = []
    for name, text in files.items():
        path = folder / f"{name.removeprefix('of_')}.csv"
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    references = {} if establishments is None else {"establishments": establishments}
    return read(paths, options=Options(references=references))


def rows(reading, table):
    return reading.tables[table].to_numpy().tolist()


@pytest.mark.parametrize(
    ("when", "period", "term"),
    [("2023_spring", 202223, "autumn"), ("2023_summer", 202223, "spring")],
)
def test_a_census_holds_the_sessions_of_the_term_before(tmp_path, when, period, term):
    text = ON_ROLL + TOTALS + "\n" + ann("140.0", more=",9.0,2.0")
    found = census(tmp_path, **{f"of_{when}_la_pupilonroll": text})
    assert rows(found, "attendance") == [[ANN, period, term, "8154000", 140, 9, 2]]


def test_autumn_adds_both_halves_of_the_summer_but_for_pupils_aged_15(tmp_path):
    head = ON_ROLL + TOTALS + HALF_6 + "\n"
    young = ann(60, more=",4,1,55,2,3")
    old = ann(60, born="2008-Aug-31", more=",4,1,55,2,3").replace(ANN, BEN)
    found = census(tmp_path, of_2024_autumn_pupilonroll=head + young + old)
    assert rows(found, "attendance") == [
        [BEN, 202324, "summer", "8154000", 60, 4, 1],
        [ANN, 202324, "summer", "8154000", 115, 6, 4],
    ]


def test_from_spring_2025_absence_is_the_sum_of_its_codes(tmp_path):
    details = DETAILS + "".join(
        f"1,8154000,{n}.0,{code}\n"
        for n, code in ((100, "/"), (9, "I"), (4, "C2"), (3, "N"), (2, "K"), (5, "Y3"), (1, "?"))
    )
    found = census(
        tmp_path,
        of_2025_spring_la_pupilonroll=ON_ROLL + "\n" + ann(120),
        of_2025_spring_la_termlysessiondetailsonroll=details,
    )
    assert rows(found, "attendance") == [[ANN, 202425, "autumn", "8154000", 120, 13, 3]]
    assert counts(found)["attendance_codes_of_no_list"] == 1


def test_blank_totals_are_the_sum_of_the_codes_of_the_list_of_their_term(tmp_path):
    # The autumn census of 2024 names the codes of the new list, its sessions are of summer 2024.
    details = DETAILS + "1,8154000,9,H\n1,8154000,4,U\n1,8154000,6,J\n"
    found = census(
        tmp_path,
        of_2024_autumn_pupilonroll=ON_ROLL + TOTALS + "\n" + ann(60, more=",,"),
        of_2024_autumn_termlysessiondetailsonroll=details,
    )
    assert rows(found, "attendance") == [[ANN, 202324, "summer", "8154000", 60, 9, 4]]


def test_a_census_with_neither_totals_nor_codes_is_refused(tmp_path):
    with pytest.raises(ContractError, match="spring 2025 has no termlysessiondetailsonroll"):
        census(tmp_path, of_2025_spring_pupilonroll=ON_ROLL + "\n" + ann(120))


def test_ids_that_a_spreadsheet_turned_into_decimals_still_join_the_tables(tmp_path):
    details = "pupilonrolltableid,NativeId,sessions,attendancereason\n1.0,8154000.0,3,I\n"
    found = census(
        tmp_path,
        of_2025_spring_pupilonroll=ON_ROLL + "\n" + ann(120),
        of_2025_spring_termlysessiondetailsonroll=details,
    )
    assert rows(found, "attendance") == [[ANN, 202425, "autumn", "8154000", 120, 3, 0]]


def test_a_census_that_lost_a_total_is_refused_and_never_counts_it_as_none_missed(tmp_path):
    one = ON_ROLL + TOTALS.replace(",termlysessionsauthorised", "") + "\n" + ann(120, more=",2")
    with pytest.raises(ContractError, match="spring 2024 has no termlysessiondetailsonroll"):
        census(tmp_path, of_2024_spring_pupilonroll=one)


@pytest.mark.parametrize("symbol", ["c", "X", "<5"])
def test_a_symbol_in_place_of_sessions_is_refused_and_never_counts_as_none(tmp_path, symbol):
    hidden = ON_ROLL + TOTALS + "\n" + ann(120, more=f",{symbol},2")
    with pytest.raises(ContractError, match=r"spring 2024 has sessions .* \(rows: 1\)"):
        census(tmp_path, of_2024_spring_pupilonroll=hidden)


def test_a_file_that_names_no_census_is_refused(tmp_path):
    with pytest.raises(ContractError, match=r"2025_spring_la_pupilonroll\.csv"):
        census(tmp_path, pupilonroll=ON_ROLL + "\n" + ann(120))


def test_on_roll_and_off_roll_of_both_sources_together(tmp_path):
    off = (ON_ROLL + TOTALS + "\n" + ann(40, more=",5,0")).replace("onroll", "nolongeronroll")
    academy = (ON_ROLL + TOTALS + "\n" + ann(100, more=",1,1")).replace("8154000", "8154001")
    found = census(
        tmp_path,
        of_2024_spring_la_pupilonroll=ON_ROLL + TOTALS + "\n" + ann(100, more=",2,0") * 2,
        of_2024_spring_la_pupilnolongeronroll=off,
        of_2024_spring_acad_pupilonroll=academy,
    )
    assert rows(found, "attendance") == [
        [ANN, 202324, "autumn", "8154000", 140, 7, 0],
        [ANN, 202324, "autumn", "8154001", 100, 1, 1],
    ]
    assert counts(found)["pupils_twice_in_a_census"] == 1


def test_enrolments_are_those_of_spring_and_look_six_years_back_for_free_meals(tmp_path):
    meals = "pupilonrolltableid,NativeId,fsmstartdate,fsmenddate\n"
    head = ON_ROLL + TOTALS + "\n"
    ben = ann(140, year_group="X", sen="", more=",0,0").replace(ANN, BEN).replace("1,815", "2,815")
    found = census(
        tmp_path,
        of_2017_spring_pupilonroll=head + ann(140, year_group="R", more=",0,0") + ben,
        of_2017_spring_fsmperiod=meals
        + "1,8154000,2016-Oct-16 00:00:00,2018-Jan-10 00:00:00\n"
        + "2,8154000,2016-Oct-16 00:00:00,2018-Jan-20 00:00:00\n",
        of_2023_autumn_pupilonroll=head + ann(140, year_group="6", sen="E", more=",0,0"),
        of_2024_spring_pupilonroll=head + ann(140, year_group="6", sen="N", more=",0,0") + ben,
    )
    enrolled = found.tables["enrolments"]
    enrolled = enrolled[enrolled["academic_year"] == 202324].set_index("pupil_id")
    assert enrolled.loc[ANN, ["year_group", "fsm6", "sen", "sex"]].tolist() == [6, 0, "N", "F"]
    assert enrolled.loc[BEN, ["year_group", "fsm6", "sen"]].tolist() == [5, 1, "N"]
    note = next(note for note in found.notes if note.code == "free_meals_since")
    assert (note.details["year"], note.details["complete"]) == (2017, 2023)


def test_without_free_meals_there_are_no_enrolments(tmp_path):
    head = ON_ROLL + TOTALS + "\n"
    found = census(tmp_path, of_2024_spring_pupilonroll=head + ann(140, more=",0,0"))
    assert "enrolments" not in found.tables
    assert counts(found)["no_free_meals"] == 1


def test_an_exclusion_that_two_censuses_name_is_one(tmp_path):
    exclusions = (
        "pupilonrolltableid,NativeId,startdate,category,reason\n"
        "1,8154000,2023-Nov-07 00:00:00,FIXD,PP\n1,8154000,2023-Nov-09 00:00:00,LNCH,PP\n"
        "1,8154000,2023-Dec-07 00:00:00,PERM,PP\n1,8154000,,SUSP,PP\n"
    )
    head = ON_ROLL + TOTALS + "\n"
    found = census(
        tmp_path,
        of_2024_spring_pupilonroll=head + ann(140, more=",0,0"),
        of_2024_spring_termlyexclusionsonroll=exclusions,
        of_2024_summer_pupilonroll=head + ann(140, more=",0,0"),
        of_2024_summer_termlyexclusionsonroll=exclusions.replace("FIXD", "FIXD"),
    )
    assert rows(found, "suspensions") == [[ANN, 202324, "8154000", 2, 1]]
    assert counts(found)["exclusions_undated"] == 2


def test_laestabs_become_the_urn_of_the_day_and_former_upns_are_handed_on(tmp_path):
    gias = pd.DataFrame(
        {
            "urn": ["100001", "100002"],
            "laestab": "8154000",
            "la_code": "E10000023",
            "name": "St Mary's",
            "opened": pd.to_datetime([None, "2023-04-01"]),
            "closed": pd.to_datetime(["2023-03-31", None]),
        }
    )
    head = ON_ROLL + TOTALS + "\n"
    changed = ann(140, more=",0,0").replace(f"{ANN},", f"{ANN.lower()},{BEN}", 1)
    found = census(
        tmp_path,
        gias,
        of_2023_spring_pupilonroll=head + ann(140, more=",0,0"),
        of_2024_spring_pupilonroll=head + changed,
    )
    assert found.tables["attendance"]["urn"].tolist() == ["100001", "100002"]
    assert found.references["former_upns"].to_numpy().tolist() == [[BEN, ANN]]


@pytest.fixture(scope="module")
def stored(shared_data):
    folder = shared_data / "school_census_collect"
    return folder, read(sorted(folder.glob("*.csv")), options=Options())


def test_the_stored_exports_have_every_pupil_with_sessions(stored):
    folder, found = stored
    attendance = found.tables["attendance"]
    for name, period, half_6 in (("2025_spring", 202425, False), ("2024_autumn", 202324, True)):
        people = pd.concat(
            pd.read_csv(folder / f"{name}_{table}.csv", dtype=str)
            for table in ("pupilonroll", "pupilnolongeronroll")
        )
        possible = pd.to_numeric(people["termlysessionspossible"]).fillna(0)
        if half_6:
            born = pd.to_datetime(people["dob"].str[:11], format="%Y-%b-%d")
            more = pd.to_numeric(people["summerhalfterm2sessionspossible"]).fillna(0)
            possible += more.where(born > "2008-08-31", 0)
        here = attendance[attendance["academic_year"] == period]
        # Pupils whose possible sessions are blank have no register; none has an absence without.
        assert here["pupil_id"].nunique() == people.loc[possible > 0, "upn"].nunique()
        assert here["sess_possible"].sum() == possible.sum()


def test_the_stored_absence_is_the_sum_of_the_codes_of_absence(stored):
    folder, found = stored
    total = 0
    for roll, pupils in (("on", "pupilonroll"), ("off", "pupilnolongeronroll")):
        people = pd.read_csv(folder / f"2025_spring_{pupils}.csv", dtype=str)
        details = pd.read_csv(folder / f"2025_spring_termlysessiondetails{roll}roll.csv", dtype=str)
        there = people.loc[people["termlysessionspossible"].notna(), f"{pupils}tableid"]
        absent = details["attendancereason"].isin(
            ["C", "C1", "C2", "E", "I", "J1", "M", "R", "S", "T", "H"]
        )
        mine = details[f"{pupils}tableid"].isin(there)
        total += pd.to_numeric(details.loc[absent & mine, "sessions"]).sum()
    attendance = found.tables["attendance"]
    spring = attendance[attendance["academic_year"] == 202425]
    assert spring["sess_authorised"].sum() == total
