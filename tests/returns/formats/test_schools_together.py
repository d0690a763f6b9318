"""What families of school data may give together, and what they may not."""

import pytest

from vsh_eval.contracts import ContractError
from vsh_eval.returns.formats import read_files
from vsh_eval.settings import Files

PUPIL = "H801200001001"


def ytd(folder, name="pupils.csv"):
    path = folder / name
    path.write_text(
        "academic_term,UPN,unique_reference_number,possible_sessions,authorised_absent_sessions,"
        f"unauthorised_absent_sessions\n2024/2025,{PUPIL},100000,380,8,2\n"
    )
    return str(path)


def marks(folder, day):
    path = folder / "marks.csv"
    path.write_text(f"Learner,URN,Date,Session,Mark\n{PUPIL},100000,{day},AM,/\n")
    return {"files": str(path), "columns": {"pupil_id": "Learner"}}


def test_sums_of_a_year_and_of_its_terms_are_given_once(tmp_path):
    files = {"ytd_attendance": ytd(tmp_path), "session_marks": marks(tmp_path, "15/01/2025")}
    with pytest.raises(ContractError, match="attendance is given twice"):
        read_files(Files.model_validate(files))


def test_sums_of_different_years_stand_side_by_side(tmp_path):
    files = {"ytd_attendance": ytd(tmp_path), "session_marks": marks(tmp_path, "15/01/2024")}
    found = read_files(Files.model_validate(files)).tables["attendance"]
    rows = set(zip(found["academic_year"], found["term"], strict=True))
    assert rows == {(202425, "year"), (202324, "spring")}
