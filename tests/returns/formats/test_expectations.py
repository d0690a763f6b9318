"""What is expected of the files that authorities hold, one list in the order of their description.

They have numbers. Each has rows here (`SAMPLES`: stored files, `QUIRKS`: what a file writes and
the values read, `REFUSED`: the sentence), or a test beside its family, which `BESIDE` names.
"""

import re
import zipfile
from importlib import import_module

import pandas as pd
import pytest

from tests.returns.formats.made import UPN, census, counts, identifiers, protection, referral
from vsh_eval.contracts import RETURNS, ContractError
from vsh_eval.returns.formats import Options
from vsh_eval.returns.formats.families import _read
from vsh_eval.settings import AnnexA, Extracts, SessionMarks, TrainingLog

BESIDE = {
    2: "cin_census: a_census_of_2022_has",
    4: "cin_census: every_census_year_is_known",
    5: "cin_census: the_pre_proceedings_of_2026_are_known",
    6: "cin_census: a_plan_in_a_census_before_2022_is_read_and_said",
    7: "cin_census: children_without_a_upn_are_left_out",
    12: "cin_census: the_csv_tables_are_the_same",
    13: "cin_census: the_csv_tables_mix_forms_of_dates",
    14: "cin_census: an_event_a_row_is_the_same_census",
    15: "cin_census: a_child_with_two_ids_and_a_birth_date_cut",
    16: "annex_a: the_sample_holds_lists_6_to_8",
    17: "annex_a: a_lookup_may_name_its_columns",
    18: "annex_a: a_title_above_the_header_and_numbers_as_ids",
    19: "annex_a: a_later_snapshot_ends_what_it_no_longer_lists",
    22: "database: the_standard_safeguarding_dataset_gives_the_episodes",
    23: "database: sqlite_gives_the_same_episodes",
    24: "ssda903: xml_says_pl_and_childid_and_is_read_the_same",
    26: "ssda903: the_tables_hold_2675_children_and_803",
    27: "ssda903: reasons_for_no_upn_are_none",
    29: "ssda903: episodes_become_periods_of_care",
    30: "school_census: a_file_that_names_no",
    32: "school_census: an_exclusion_that_two_censuses_name_is_one",
    35: "school_census: from_spring_2025_absence_is_the_sum",
    36: "school_census: blank_totals_are_the_sum_of_the_codes",
    37: "school_census: the_stored_exports_have_every",
    38: "school_census: autumn_adds_both_halves_of_the_summer",
    40: "gip: attendance_extracts_with_their_stored",
    41: "gip: attendance_extracts_with_their_stored_headers",
    42: "gip: results_extracts_name_measures_as_columns",
    44: "session_marks: the_stored_header_of_the_year_to_date",
    45: "session_marks: marks_by_hand",
    46: "session_marks: weeks_of_ten_and_of_fourteen_marks",
    47: "session_marks: sub_codes_before_the_new_list",
    48: "session_marks: codes_by_the_list_of_the_day",
    49: "gip: a_comma_within_a_value_moves_the_row",
    50: "gip: key_stage_4_phonics_and_eyfsp_with_their_stored",
    51: "gip: autumn_census_downloads_are_passed_over",
    52: "gip: of_several_results_the_latest_version_counts",
    54: "gias: the_stored_extract_of_2017_and_rows",
    55: "saved_otherwise: a_stored_sample_saved",
    56: "gias: links_run_from_predecessor_to_successor",
    57: "gias: links_in_a_circle_are_left_out",
    58: "training: the_name_of_a_converter_is_the_school_of_the_day",
    59: "gias: links_of_trusts_are_refused",
    60: "training: a_log_as_it_is_kept",
    61: "training: days_with_the_month_first_are_listed",
    62: "identity: check_letters_of_known_upns",
    63: "cin_census: two_children_with_one_upn_are_refused_as_a_pair",
}
"""By number: the family and the beginning of the test beside it, where there are no rows here."""


CHECK_LETTER = {"upn_check_letter": 1}
NO_HEADER = "has no header line"
SAMPLES = {
    "11 CIN of 2021": ("cin_census", "cin_census_xml/CIN_Census_2021.xml", 3, CHECK_LETTER),
    "11 CIN that names the year 100": (
        "cin_census", "cin_census_xml/CIN_header_issues_100.xml", 3,
        CHECK_LETTER | {"census_header_differs": 0}),
    "11 CIN of authority 2887Q": (
        "cin_census", "cin_census_xml/CIN_la_issues_2887Q.xml", 3, CHECK_LETTER),
    "54 GIAS archive": ("gias", "gias/dfe-schools.zip", 1, {}),
    **{f"29 SSDA903 {table} alone": ("ssda903", f"ssda903/{table}.csv", None, said)
       for said, tables in {"holds no episodes": ("DoLo", "uasc", "header"),
                            "holds no header": ("episodes",)}.items()
       for table in tables},
    "21 SEND Annex A": (
        "annex_a", "send_annex_a/fake_sen.xlsx", None, f"{NO_HEADER} with one of Child Unique ID"),
    "54 GIAS header without a school": (
        "gias", "gias/gias_header_2021.csv", None, "holds no school of authority"),
    **{f"60 {name} is no {family}": (family, f"csv_encodings/{name}.csv", None, NO_HEADER)
       for family in ("gias", "training", "cin_census")
       for name in ("class_import_malformed", "class_import_valid_with_bom",
                    "cohort_import_valid_iso_8859_1_encoding")},
    **{f"43 census extract of {month} without ever-6": (
        "extracts", f"headers/la_mi_census_original_{month}.csv", None,
        "has no column for academic_year, fsm6 of enrolments")
       for month in ("jan17", "jan20", "jan22")},
}  # fmt: skip


def sections(tmp_path):
    """Return the sections of families that need one."""
    (tmp_path / "upns.csv").write_text(f"Child Unique ID,UPN\n1,{UPN}\n", encoding="utf-8")
    columns = {"pupil_id": "UPN", "urn": "Estab", "year_group": "NCyearActual", "sex": "Gender"}
    return {
        "annex_a": AnnexA(files=("a",), lookup={"file": str(tmp_path / "upns.csv")}),
        "extracts": Extracts(
            files=("a",), table="enrolments", columns=columns | {"sen": "SENprovision"}
        ),
        "training": TrainingLog(files=("a",), synonyms={"tier": {"elsa": "targeted"}}),
        "session_marks": SessionMarks(files=("a",), codes={"[": "X"}),
    }


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_read_or_refused(samples, tmp_path, name):
    family, file, rows, said = SAMPLES[name]
    options = Options(sections(tmp_path).get(family))
    path = samples(file)
    if rows is None:
        with pytest.raises(ContractError, match=said):
            _read(family, [path], options)
        return
    found = _read(family, [path], options)
    assert len(next(iter(found.tables.values()))) == rows
    assert counts(found) == said


def test_the_side_tables_of_ssda903_change_nothing(samples):
    tables = [samples(f"ssda903/{name}.csv") for name in ("header", "episodes")]
    more = [samples(f"ssda903/{name}.csv") for name in ("DoLo", "oc2", "sw_episodes", "uasc")]
    found = _read("ssda903", [*tables, *more], Options())
    assert len(found.tables["episodes"]) == 1945
    assert counts(found) == {
        "short_breaks": 803,
        "upn_check_letter": 2568,
        "unclosed_episodes": 10,
    }


# --- Quirks that no sample shows: what a file writes, and the values of the first row

LINKS = "URN,LinkURN,LinkType\n"
GIAS = (
    "URN,LA (code),EstablishmentNumber,EstablishmentName,PhaseOfEducation (name),GSSLACode (name)"
)
ROLL = "pupilonrolltableid,NativeId,upn,dob,termlysessionspossible"
TOTALS = "termlysessionsauthorised,termlysessionsunauthorised"
DETAILS = "pupilonrolltableid,NativeId,attendancereason"
KS4 = "KS4_ACADYR\tKS4_UPN\tKS4_URN\tKS4_NATRES\tKS4_ATT8\n"
CARE = "CHILD,UPN,DOB,DECOM,LS,DEC"
SECTION_47 = "<Section47><DateOfInitialCPC>2021-06-02</DateOfInitialCPC></Section47>"
ORDERED = (
    "<CINdetails><CINreferralDate>2021-05-01</CINreferralDate><ReferralSource>5D</ReferralSource>"
    "<CINclosureDate>2022-02-01</CINclosureDate><ReasonForClosure>RC9</ReasonForClosure>"
    "<DateOfInitialCPC>2021-06-03</DateOfInitialCPC><Assessments><FactorsIdentifiedAtAssessment>"
    "<AssessmentFactors>18B</AssessmentFactors><AssessmentFactors>24A</AssessmentFactors>"
    f"</FactorsIdentifiedAtAssessment></Assessments>{SECTION_47}<ReferralNFA>0</ReferralNFA>"
    f"{protection()}</CINdetails>"
)
LIST_6 = "Child Unique ID,Date of Birth,CIN Start Date,CIN Closure Date,Case Status"
LIST_8 = "Child Unique ID,Date of Birth,Date Started to be Looked After,URN of Placement"
QUIRKS = {
    "1, 3, 9 and 10 elements of every place and year": (
        "cin_census",
        {"2023.xml": census(identifiers() + ORDERED, year=2023)},
        ("episodes", [UPN, "CIN", pd.Timestamp(2021, 5, 1), pd.Timestamp(2022, 2, 1), "episode"]),
    ),
    "16 a list of Annex A as CSV": (
        "annex_a",
        {"list_6.csv": f"{LIST_6}\n1,04/05/2012,01/05/2021,,c) Child in need plan\n"},
        ("episodes", [UPN, "CIN", pd.Timestamp(2021, 5, 1)]),
    ),
    "20 a placement has a number of Ofsted's": (
        "annex_a",
        {"list_8.csv": f"{LIST_8}\n1,04/05/2012,01/05/2021,SC123456\n"},
        ("episodes", [UPN, "CLA", pd.Timestamp(2021, 5, 1)]),
    ),
    "34 sex by its older name": (
        "school_census",
        {
            "2023_spring_la_pupilonroll.csv": f"{ROLL},{TOTALS},gender,ncyearactual,senprovision\n"
            f"1,8014000,{UPN},2014-Jan-21 00:00:00,140,,,F,4,K\n",
            "2023_spring_la_fsmperiod.csv": "pupilonrolltableid,NativeId,fsmstartdate,fsmenddate\n"
            "1,8014000,2022-Oct-16 00:00:00,\n",
        },
        ("enrolments", [UPN, 202223, "8014000", 4, "F", 1, "K"]),
    ),
    **{
        f"8 ReferralNFA {written!r} begins no episode": (
            "cin_census",
            {"2022.xml": census(identifiers() + referral(nfa=written))},
            ("episodes", []),
        )
        for written in ("1", "true")
    },
    **{
        f"8 ReferralNFA {written!r} begins one": (
            "cin_census",
            {"2022.xml": census(identifiers() + referral(nfa=written))},
            ("episodes", [UPN, "CIN"]),
        )
        for written in ("0", "false", "")
    },
    "63 a UPN in small letters": (
        "cin_census",
        {"2022.xml": census(identifiers(upn=UPN.lower()) + referral())},
        ("episodes", [UPN, "CIN"]),
    ),
    "25 and 28 SSDA903 as LIIA cleans it: ISO days, YEAR and LA": (
        "ssda903",
        {"all.csv": f"{CARE},YEAR,LA\n1,{UPN},2011-05-01,2021-05-01,C2,2021-06-01,2022,BAR\n"},
        ("episodes", [UPN, "CLA"]),
    ),
    "27 SSDA903 with a reason for no UPN": (
        "ssda903",
        {"2022.csv": f"{CARE}\n1,UN4,05/05/2011,01/05/2021,C2,\n"},
        ("episodes", []),
    ),
    "55 codes of GIAS without their zeros": (
        "gias",
        {"gias.csv": f"{GIAS}\n100000.0,2,1.0,Oak,Primary,E06000049\n"},
        ("schools", ["100000", "Oak", "primary", "E06000049"]),
    ),
    "56 a link written one way, split": (
        "gias_links",
        {"links.csv": LINKS + "2,1,Predecessor - Split School\n"},
        ("school_links", ["1", "2"]),
    ),
    "56 a link that is no succession": (
        "gias_links",
        {"links.csv": LINKS + "2,1,Sixth Form Centre Link\n"},
        ("school_links", []),
    ),
    "49 results in a tab-separated file of an archive": (
        "gip",
        {"npd_results.zip": {"ks4_results.tab": f"{KS4}2021/2022\t{UPN}\t100000\t1\t41.5\n"}},
        ("attainment", [UPN, 202122, "100000", "ks4_attainment8", 41.5]),
    ),
    "49 a quote in results is a sign": (
        "gip",
        {"ks4.tab": f'{KS4}2021/2022\t{UPN}\t100000\t1\t41.5\n2021/2022\t"A\t1\t1\t2\n'},
        ("attainment", ['"A', 202122, "1", "ks4_attainment8", 2.0]),
    ),
    "33 sessions by the older name of their column": (
        "school_census",
        {
            "2025_spring_la_pupilonroll.csv": f"{ROLL}\n1,8014000,{UPN},,140.0\n",
            "2025_spring_la_termlysessiondetailsonroll.csv": (
                f"{DETAILS},absencesessions\n1,8014000,I,4.0\n1,8014000,O,3\n1,8014000,Q,2\n"
            ),
        },
        ("attendance", [UPN, 202425, "autumn", "8014000", 140, 4, 3]),
    ),
    "32 an exclusion by the older name of its category": (
        "school_census",
        {
            "2024_spring_la_pupilonroll.csv": f"{ROLL},{TOTALS}\n1,8014000,{UPN},,140,,\n",
            "2024_spring_la_termlyexclusionsonroll.csv": (
                "pupilonrolltableid,NativeId,startdate,category\n"
                "1,8014000,2023-Oct-16 00:00:00,FIXD\n"
            ),
        },
        ("suspensions", [UPN, 202324, "8014000", 1, 0]),
    ),
    "31 an id that two censuses give to two pupils": (
        "school_census",
        {
            "2024_spring_la_pupilonroll.csv": f"{ROLL},{TOTALS}\n1,1,{UPN},,9,1,0\n",
            "2024_summer_la_pupilonroll.csv": f"{ROLL},{TOTALS}\n1,1,B,,8,2,0\n",
        },
        ("attendance", ["B", 202324, "spring", "1", 8, 2, 0]),
    ),
    "44 year to date: a whole year alone": (
        "ytd_attendance",
        {
            "pupils.csv": "UPN,academic_term,unique_reference_number,possible_sessions,"
            "authorised_absent_sessions,unauthorised_absent_sessions\n"
            f"{UPN},2024/2025,100000,380,12,3\n"
        },
        ("attendance", [UPN, 202425, "year", "100000", 380, 12, 3]),
    ),
    "47 marks of COVID sub-codes, one of them declared": (
        "session_marks",
        {"m.csv": f"School,UPN,WeekStart,WeekMarks\n1,{UPN},2021-01-04,;([/\\]/\\//\n"},
        ("attendance", [UPN, 202021, "spring", "1", 7, 1, 0]),
    ),
    "60 a course that runs for months starts on its first day": (
        "training",
        {"log.csv": "School URN,Course,Course start,End\n100000,ELSA,03/10/2018,05/06/2019\n"},
        ("training", ["100000", "elsa", "targeted"]),
    ),
    "60 a course in free text has no day": (
        "training",
        {"log.csv": "School URN,Course,Course start\n100000,ELSA,April (Inset)\n"},
        ("training", []),
    ),
}


@pytest.mark.parametrize("name", QUIRKS)
def test_a_quirk_has_the_right_value(write, tmp_path, name):
    family, files, (table, first) = QUIRKS[name]
    paths = []
    for file, content in files.items():
        if isinstance(content, dict):
            with zipfile.ZipFile(tmp_path / file, "w") as archive:
                for member, text in content.items():
                    archive.writestr(member, text)
            paths.append(tmp_path / file)
        else:
            paths.append(write(file, content))
    found = _read(family, sorted(paths), Options(sections(tmp_path).get(family)))
    rows = found.tables.get(table)
    if not first:
        assert rows is None or rows.empty
    else:
        columns = [name for name in RETURNS[table].column_names if name in rows]
        assert rows[columns].iloc[0, : len(first)].tolist() == first


REFUSED = {
    "39 a school's own census": ("school_census",
        {"9992001_SC1_2025.xml": "<Message><Header/></Message>"},
        "is a school's own census in XML, must be a table that COLLECT exports"),
    "53 a common transfer file": ("gip",
        {"8954000_CTF.xml": "<CTfile><CTFpupilData><Pupil/></CTFpupilData></CTfile>"},
        "has no header line"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_none_of_the_families_is_refused(write, name):
    family, files, said = REFUSED[name]
    with pytest.raises(ContractError, match=said):
        _read(family, [write(*file) for file in files.items()], Options())


def test_every_expectation_has_rows_or_a_test():
    """A test that is named but gone, or a number without either, is missed here."""
    named = [re.match(r"[\d, and]+", name)[0] for name in (*SAMPLES, *QUIRKS, *REFUSED)]
    rows = {int(number) for name in named for number in re.findall(r"\d+", name)}
    assert rows | set(BESIDE) == set(range(1, 64))
    for family, _, begins in (where.partition(": ") for where in BESIDE.values()):
        tests = vars(import_module(f"tests.returns.formats.test_{family}"))
        assert any(name.startswith(f"test_{begins}") for name in tests), begins
