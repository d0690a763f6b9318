"""Get information about pupils, own extracts: the traps of the files, each with its right value."""

import zipfile

import pytest

from tests.returns.formats.made import counts
from vsh_eval.contracts import ContractError
from vsh_eval.returns.formats import extracts, gip
from vsh_eval.returns.formats.reading import Options
from vsh_eval.settings import Extracts

ANN, BEN, CAL = "H801200001001", "A950000178301", "X00180001701A"


def download(folder, name, *rows, header=None):
    """Write a download with the stored header, the columns of `rows` filled, others blank."""
    path = folder / name
    names = header or sorted({column for row in rows for column in row})
    lines = [",".join(names), *(",".join(row.get(n, "") for n in names) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def values(reading):
    table = reading.tables["attainment"]
    return dict(
        zip(zip(table["pupil_id"], table["measure"], strict=True), table["value"], strict=True)
    )


def stored_header(shared_data, name):
    return (shared_data / "headers" / f"giap_{name}.csv").read_text().strip().split(",")


def ks2(upn, **more):
    base = {"ACADYR": "2022/2023", "UPN": upn, "URN": "100000", "NATRES": "1", "ENDKS": "1"}
    return {**base, "RWMEXP": "", **more}


def test_key_stage_2_with_its_stored_header(tmp_path, shared_data):
    reading = {"READSCORE": "104", "MATSCORE": "N", "READPROGSCORE_EM": "1.5", "INREADPROG": "1",
               "READPROGSCORE_EM_ADJUSTED": "1.2"}  # fmt: skip
    rows = [
        ks2(ANN, RWMEXP="1", READEXP="1", WRITTAEXP="1", MATEXP="1", **reading),
        ks2(BEN, RWMEXP="0", READEXP="0", ELIGRWM="1", ELIGREAD="0", WRITTAEXP="0", READSCORE="0"),
        ks2(BEN, RWMEXP="1", NATRES="0", READSCORE="100"),
        ks2(CAL, RWMEXP="1", ENDKS="0"),
    ]
    path = download(tmp_path, "ks2.csv", *rows, header=stored_header(shared_data, "ks2_results"))
    found = gip.read([path], options=Options())
    assert values(found) == {
        (ANN, "ks2_rwm_expected"): 1,
        (ANN, "ks2_reading_expected"): 1,
        (ANN, "ks2_writing_expected"): 1,
        (ANN, "ks2_maths_expected"): 1,
        (ANN, "ks2_reading_score"): 104,
        (ANN, "ks2_reading_progress"): 1.2,
        (BEN, "ks2_rwm_expected"): 0,
        (BEN, "ks2_writing_expected"): 0,
    }
    assert counts(found) == {"results_no_value": 2}
    assert set(found.tables["attainment"]["academic_year"]) == {202223}


def test_key_stage_4_phonics_and_eyfsp_with_their_stored_headers(tmp_path, shared_data):
    ks4 = {"ACADYR": "2023/2024", "UPN": ANN, "URN": "100001", "NATRES": "1", "ENDKS": "1",
           "ATT8": "41.5", "P8SCORE": "-0.31", "INP8CALC": "0", "L2BASICS_94": "1",
           "L2BASICS_95": "0"}  # fmt: skip
    ks4 = {f"KS4_{name}": value for name, value in ks4.items()}
    check = {"Phonics_ACADYR": "2023/2024", "Phonics_URN": "100000", "Phonics_NCYEARACTUAL": "1"}
    checks = [
        {**check, "Phonics_UPN": ANN, "Phonics_PHONICS_OUTCOME": "Wa"},
        {**check, "Phonics_UPN": BEN, "Phonics_PHONICS_OUTCOME": "Wt"},
        {**check, "Phonics_UPN": CAL, "Phonics_PHONICS_OUTCOME": "L"},
        {**check, "Phonics_UPN": CAL, "Phonics_PHONICS_OUTCOME": "Wa", "Phonics_NCYEARACTUAL": "2"},
    ]
    profile = {"FSP_ACADYR": "2023/2024", "FSP_UPN": BEN, "FSP_URN": "100000", "FSP_GLD": "1"}
    paths = [
        download(tmp_path, f"{name}.csv", *rows, header=stored_header(shared_data, name))
        for name, rows in (
            ("ks4_results", [ks4]),
            ("phonics_results", checks),
            ("eyfsp_results", [profile]),
        )
    ]
    found = gip.read(paths, options=Options())
    assert values(found) == {(ANN, "ks4_attainment8"): 41.5, (ANN, "ks4_basics_94"): 1,
                             (ANN, "ks4_basics_95"): 0, (ANN, "phonics_expected"): 1,
                             (BEN, "phonics_expected"): 0, (BEN, "eyfsp_gld"): 1}  # fmt: skip


def test_the_stored_headers_that_are_not_needed_are_named(tmp_path, shared_data):
    names = ("ks1_results", "mtc_results", "pp_search_results")
    paths = [download(tmp_path, f"{n}.csv", header=stored_header(shared_data, n)) for n in names]
    found = gip.read(paths, options=Options())
    assert [(n.code, n.details["file"]) for n in found.notes] == [
        ("download_not_needed", f"{name}.csv") for name in names
    ]


@pytest.mark.parametrize("term", ["spring", "summer", "autumn"])
def test_autumn_census_downloads_are_passed_over(tmp_path, shared_data, term):
    row = {"AcademicYear": "2023/2024", "CensusTerm": term.title(), "UPN": ANN, "URN": "100000",
           "FormerUPN": BEN, "NCyearActual": "R", "Sex": "F", "EVERFSM_6": "1",
           "SENProvision": "S"}  # fmt: skip
    name = f"census_{term}_results"
    path = download(tmp_path, f"{name}.csv", row, header=stored_header(shared_data, name))
    found = gip.read([path], options=Options())
    if term == "autumn":
        assert found.tables == {}
        assert counts(found) == {"autumn_census_passed_over": 1}
    else:
        assert found.tables["enrolments"].iloc[0].to_dict() == {
            "pupil_id": ANN,
            "academic_year": 202324,
            "urn": "100000",
            "year_group": 0,
            "fsm6": 1,
            "sex": "F",
            "sen": "E",
        }
    assert found.references["former_upns"].to_numpy().tolist() == [[BEN, ANN]]


def test_a_comma_within_a_value_moves_the_row_which_is_left_out(tmp_path):
    path = tmp_path / "ks4.tab"
    path.write_text(
        "KS4_ACADYR\tKS4_UPN\tKS4_SURNAME\tKS4_ATT8\n"
        f'2022/2023\t{ANN}\tO"Neil\t41.5\n2022/2023\t{BEN}\tde\tVere\t30\n'
    )
    found = gip.read([path], options=Options())
    assert values(found) == {(ANN, "ks4_attainment8"): 41.5}
    assert counts(found) == {"rows_of_another_length": 1}


def test_of_several_results_the_latest_version_counts_and_two_of_one_are_none(tmp_path):
    def row(upn, score, version):
        return {"KS4_ACADYR": "2022/23", "KS4_UPN": upn, "KS4_ATT8": score, "KS4_VERSION": version}

    rows = [
        row(ANN, "40", "Provisional"),
        row(ANN, "42", "Final"),
        row(ANN, "42", "Final"),
        row(BEN, "10", "Final"),
        row(BEN, "20", "Final"),
    ]
    path = download(tmp_path, "ks4.csv", *rows)
    archive = tmp_path / "npd_results.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.write(path, "ks4_results.csv")
        made.writestr("__MACOSX/._ks4_results.csv", b"\0\5\26")
    found = gip.read([archive], options=Options())
    assert values(found) == {(ANN, "ks4_attainment8"): 42}
    assert counts(found) == {"results_of_a_pupil_differ": 1}


def extract(path, table, **columns):
    section = Extracts(files=(str(path),), table=table, columns=columns)
    return extracts.read([path], options=Options(section, "E10000002"))


@pytest.mark.parametrize("month", ["oct14", "oct15", "oct21", "jan22"])
def test_attendance_extracts_with_their_stored_headers(tmp_path, shared_data, month):
    header = shared_data / "headers" / f"la_mi_attendance_original_{month}.csv"
    names = header.read_text().strip().split(",")
    row = {"Estab": "100000", "UPN": ANN, "TermlySessionsPossible": "140", "/": "100", "T": "0"}
    row |= {"T_Reason_I": "9", "I": "9", "T_Reason_N": "3", "N": "3", "T_Reason_C": "2", "C": "2"}
    row |= {"TermlySessionsAuthorised": "4", "TermlySessionsUnauthorised": "1", "X": "5", "B": "6"}
    path = download(tmp_path, "mi_2020-21_summer.csv", row, header=names)
    found = extract(
        path, "attendance", pupil_id="UPN", urn="Estab", sess_possible="TermlySessionsPossible"
    )
    # The totals of these extracts are too low, so absence is the sum of the codes.
    expected = [ANN, 202021, "summer", "100000", 140, 11, 3]
    assert found.tables["attendance"].iloc[0].tolist() == expected


def test_results_extracts_name_measures_as_columns(tmp_path, shared_data):
    header = (shared_data / "headers" / "la_mi_ks4_original_sep20.csv").read_text().strip()
    row = {"UPN": ANN, "School URN": "100000", "Attainment 8 score": "41.5"}
    path = download(tmp_path, "ks4_2019-20.csv", row, header=header.split(","))
    found = extract(
        path,
        "attainment",
        pupil_id="UPN",
        urn="School URN",
        ks4_attainment8="Attainment 8 score",
        ks4_progress8="Pupil progress 8 score",
    )
    assert found.tables["attainment"].to_numpy().tolist() == [
        [ANN, 201920, "100000", "ks4_attainment8", 41.5]
    ]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"pupil_id": "UPN", "urn": "School"}, "lacks school"),
        ({"pupil_id": "UPN", "urn": "URN"}, "has no column for academic_year, term"),
        ({"pupil_id": "UPN", "colour": "URN"}, "columns names colour"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(tmp_path, columns, said):
    path = download(tmp_path, "attendance.csv", {"UPN": ANN, "URN": "100000"})
    with pytest.raises(ContractError, match=said):
        extract(path, "attendance", **columns)
