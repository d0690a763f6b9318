"""Every stored sample of authorities' files, and every quirk of them: its counts, or the refusal.

Samples that have a test of their own beside their family are not here again.
"""

import zipfile

import pytest

from tests.returns.formats.made import UPN, census, counts, identifiers, referral
from vsh_eval.contracts import ContractError
from vsh_eval.returns.formats import Options
from vsh_eval.returns.formats.families import _read
from vsh_eval.settings import AnnexA, Extracts, SessionMarks, TrainingLog

CHECK_LETTER = {"upn_check_letter": 1}
SAMPLES = {
    "CIN of 2021": ("cin_census", "cin_census_xml/CIN_Census_2021.xml", 3, CHECK_LETTER),
    "CIN that names the year 100": (
        "cin_census",
        "cin_census_xml/CIN_header_issues_100.xml",
        3,
        CHECK_LETTER | {"census_header_differs": 0},
    ),
    "CIN of authority 2887Q": (
        "cin_census",
        "cin_census_xml/CIN_la_issues_2887Q.xml",
        3,
        CHECK_LETTER,
    ),
    "GIAS archive": ("gias", "gias/dfe-schools.zip", 1, {}),
    **{
        f"SSDA903 {table} alone": ("ssda903", f"ssda903/{table}.csv", None, "holds no episodes")
        for table in ("DoLo", "oc2", "sw_episodes", "uasc", "header")
    },
    "SSDA903 episodes alone": ("ssda903", "ssda903/episodes.csv", None, "holds no header"),
    "SEND Annex A": (
        "annex_a",
        "send_annex_a/fake_sen.xlsx",
        None,
        "has no header line with one of Child Unique ID",
    ),
    "GIAS header without a school": (
        "gias",
        "gias/gias_header_2021.csv",
        None,
        "holds no school of authority",
    ),
    **{
        f"{name} is no {family}": (family, f"csv_encodings/{name}.csv", None, "has no header line")
        for family in ("gias", "training", "cin_census")
        for name in (
            "class_import_duplicates",
            "class_import_malformed",
            "class_import_valid_with_bom",
            "cohort_import_invalid_iso_8859_1_encoding",
            "cohort_import_valid_iso_8859_1_encoding",
        )
    },
    **{
        f"census extract of {month} without ever-6": (
            "extracts",
            f"headers/la_mi_census_original_{month}.csv",
            None,
            "has no column for academic_year, fsm6 of enrolments",
        )
        for month in ("jan17", "jan18", "jan19", "jan20", "jan21", "jan22")
    },
}


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
DETAILS = "pupilonrolltableid,NativeId,attendancereason"
KS4 = "KS4_ACADYR\tKS4_UPN\tKS4_URN\tKS4_NATRES\tKS4_ATT8\n"
CARE = "CHILD,UPN,DOB,DECOM,LS,DEC"
QUIRKS = {
    **{
        f"ReferralNFA {written!r} begins no episode": (
            "cin_census",
            {"2022.xml": census(identifiers() + referral(nfa=written))},
            ("episodes", []),
        )
        for written in ("1", "true")
    },
    **{
        f"ReferralNFA {written!r} begins one": (
            "cin_census",
            {"2022.xml": census(identifiers() + referral(nfa=written))},
            ("episodes", [UPN, "CIN"]),
        )
        for written in ("0", "false", "")
    },
    "a UPN in small letters": (
        "cin_census",
        {"2022.xml": census(identifiers(upn=UPN.lower()) + referral())},
        ("episodes", [UPN, "CIN"]),
    ),
    "SSDA903 as LIIA cleans it: ISO days, YEAR and LA": (
        "ssda903",
        {"all.csv": f"{CARE},YEAR,LA\n1,{UPN},2011-05-01,2021-05-01,C2,2021-06-01,2022,BAR\n"},
        ("episodes", [UPN, "CLA"]),
    ),
    "SSDA903 with a reason for no UPN": (
        "ssda903",
        {"2022.csv": f"{CARE}\n1,UN4,05/05/2011,01/05/2021,C2,\n"},
        ("episodes", []),
    ),
    "codes of GIAS without their zeros": (
        "gias",
        {"gias.csv": f"{GIAS}\n100000.0,2,1.0,Oak,Primary,E06000049\n"},
        ("schools", ["100000", "Oak", "primary", "E06000049"]),
    ),
    "a link written one way, split": (
        "gias_links",
        {"links.csv": LINKS + "2,1,Predecessor - Split School\n"},
        ("school_links", ["1", "2"]),
    ),
    "a link that is no succession": (
        "gias_links",
        {"links.csv": LINKS + "2,1,Sixth Form Centre Link\n"},
        ("school_links", []),
    ),
    "results in a tab-separated file of an archive": (
        "gip",
        {"npd_results.zip": {"ks4_results.tab": f"{KS4}2021/2022\t{UPN}\t100000\t1\t41.5\n"}},
        ("attainment", [UPN, 202122, "100000", "ks4_attainment8", 41.5]),
    ),
    "a quote in results is a sign": (
        "gip",
        {"ks4.tab": f'{KS4}2021/2022\t{UPN}\t100000\t1\t41.5\n2021/2022\t"A\t1\t1\t2\n'},
        ("attainment", ['"A', 202122, "1", "ks4_attainment8", 2.0]),
    ),
    "sessions by the older name of their column": (
        "school_census",
        {
            "2025_spring_la_pupilonroll.csv": f"{ROLL}\n1,8014000,{UPN},,140.0\n",
            "2025_spring_la_termlysessiondetailsonroll.csv": (
                f"{DETAILS},absencesessions\n1,8014000,I,4.0\n1,8014000,O,3\n1,8014000,Q,2\n"
            ),
        },
        ("attendance", [UPN, 202425, "autumn", "8014000", 140, 4, 3]),
    ),
    "an exclusion by the older name of its category": (
        "school_census",
        {
            "2024_spring_la_pupilonroll.csv": f"{ROLL}\n1,8014000,{UPN},,140\n",
            "2024_spring_la_termlyexclusionsonroll.csv": (
                "pupilonrolltableid,NativeId,startdate,category\n"
                "1,8014000,2023-Oct-16 00:00:00,FIXD\n"
            ),
        },
        ("suspensions", [UPN, 202324, "8014000", 1, 0]),
    ),
    "an id that two censuses give to two pupils": (
        "school_census",
        {
            "2024_spring_la_pupilonroll.csv": f"{ROLL},termlysessionsauthorised\n1,1,{UPN},,9,1\n",
            "2024_summer_la_pupilonroll.csv": f"{ROLL},termlysessionsauthorised\n1,1,B,,8,2\n",
        },
        ("attendance", ["B", 202324, "spring", "1", 8, 2, 0]),
    ),
    "year to date: a whole year alone": (
        "ytd_attendance",
        {
            "pupils.csv": "UPN,academic_term,unique_reference_number,possible_sessions,"
            "authorised_absent_sessions,unauthorised_absent_sessions\n"
            f"{UPN},2024/2025,100000,380,12,3\n"
        },
        ("attendance", [UPN, 202425, "year", "100000", 380, 12, 3]),
    ),
    "marks of COVID sub-codes, one of them declared": (
        "session_marks",
        {"m.csv": f"School,UPN,WeekStart,WeekMarks\n1,{UPN},2021-01-04,;([/\\]/\\//\n"},
        ("attendance", [UPN, 202021, "spring", "1", 7, 1, 0]),
    ),
    "a course that runs for months starts on its first day": (
        "training",
        {"log.csv": "School URN,Course,Course start,End\n100000,ELSA,03/10/2018,05/06/2019\n"},
        ("training", ["100000", "elsa", "targeted"]),
    ),
    "a course in free text has no day": (
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
        assert rows.iloc[0, : len(first)].tolist() == first
