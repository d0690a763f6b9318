"""Session marks and the year-to-date file: hand tables, code lists by day, duplicates, refusals."""

import datetime as dt

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.returns.formats.made import counts
from vsh_eval.contracts import ContractError
from vsh_eval.returns.formats.attendance import codes as attendance_codes
from vsh_eval.returns.formats.attendance import session_marks, ytd_attendance
from vsh_eval.returns.formats.reading import Options
from vsh_eval.settings import SessionMarks

PUPIL = "H801200001001"


def written(folder, text, name="marks.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def sums(reading):
    table = reading.tables["attendance"]
    keys = ["pupil_id", "academic_year", "term", "urn"]
    return {
        tuple(row[:4])[1:]: tuple(row[4:]) for row in table[[*keys, *table.columns[4:]]].to_numpy()
    }


def long(*marks):
    return "UPN,URN,Date,Session,Mark\n" + "".join(f"{PUPIL},100000,{m}\n" for m in marks)


@pytest.mark.parametrize(
    ("day", "code", "meaning"),
    [
        ("2024-08-18", "C1", None),
        ("2024-08-19", "C1", "authorised"),
        ("2024-08-18", "Q", None),
        ("2024-08-19", "Q", "not_possible"),
        ("2024-08-19", "J1", "authorised"),
        ("2024-08-18", "J", "elsewhere"),
        ("2024-08-19", "K", "elsewhere"),
        ("2024-08-19", "Y7", "not_possible"),
        ("2023-01-10", "Y", "not_possible"),
        ("2023-01-10", "D", "not_possible"),
        ("2023-01-10", "H", "authorised"),
        ("2025-01-10", "L", "present"),
        ("2025-01-10", "U", "unauthorised"),
    ],
)
def test_codes_by_the_list_of_the_day(day, code, meaning):
    sql = attendance_codes.means(f"'{code}'", f"DATE '{day}'")
    assert duckdb.sql(f"SELECT {sql}").fetchall() == [(meaning,)]


def test_marks_by_hand(tmp_path):
    marks = long(
        "02/09/2024,AM,/",
        "02/09/2024,PM,C2",
        "03/09/2024,AM,Y3",
        "03/09/2024,PM,O",
        "04/09/2024,AM,-",
        "04/09/2024,PM,K",
        "16/04/2025,AM,I02",  # a school's sub-code of I; spring ends on Easter Sunday, 20 April
        "22/04/2025,PM,N",
        "23/04/2025,PM,%",
        "soon,PM,/",
    )
    found = session_marks.read([written(tmp_path, marks)], options=Options())
    assert sums(found) == {
        (202425, "autumn", "100000"): (4, 1, 1),
        (202425, "spring", "100000"): (1, 1, 0),
        (202425, "summer", "100000"): (1, 0, 1),
    }
    assert counts(found) == {
        "sessions_not_marked": 1,
        "sessions_undated": 1,
        "attendance_codes_unknown": 1,
    }


def test_sub_codes_before_the_new_list_are_their_parents(tmp_path):
    marks = long("03/06/2024,AM,C1", "03/06/2024,PM,Y5", "04/06/2024,AM,J1")
    found = session_marks.read([written(tmp_path, marks)], options=Options())
    assert sums(found) == {(202324, "summer", "100000"): (2, 1, 0)}  # J: an interview, no absence


def test_a_session_marked_twice_counts_once_and_one_marked_differently_not_at_all(tmp_path):
    marks = long("02/09/2024,AM,I", "02/09/2024,PM,/", "03/09/2024,AM,/")
    again = long("02/09/2024,AM,M", "02/09/2024,PM,O", "04/09/2024,AM,/")
    paths = [written(tmp_path, marks, "a.csv"), written(tmp_path, again, "b.csv")]
    found = session_marks.read(paths, options=Options())
    assert sums(found) == {(202425, "autumn", "100000"): (3, 1, 0)}
    assert counts(found) == {"sessions_marked_twice": 2, "sessions_marked_differently": 1}


def test_a_schools_own_ids_and_signs_lead_to_upns_and_codes(tmp_path):
    marks = (
        "Student ID,School,Date,Session Name,Mark\n7,100000,02/09/2024,AM,[\n"
        "7,100000,02/09/2024,PM,I04\n 7 ,100000,03/09/2024,AM,/\n8,100000,02/09/2024,AM,/\n"
    )
    lookup = written(tmp_path, f"Student ID,UPN\n7,{PUPIL.lower()}\n9,\n", "upns.csv")
    section = SessionMarks(
        files=("marks.csv",),
        columns={"pupil_id": "Student ID"},
        codes={"[": "X"},
        lookup={"file": str(lookup), "child_id": "Student ID"},
    )
    found = session_marks.read([written(tmp_path, marks)], options=Options(section))
    assert found.tables["attendance"]["pupil_id"].tolist() == [PUPIL]
    assert sums(found) == {(202425, "autumn", "100000"): (2, 1, 0)}
    assert counts(found) == {"pupils_without_upn": 1}


def test_weeks_of_ten_and_of_fourteen_marks(tmp_path):
    text = (
        "School,UPN,WeekStart,WeekMarks\n"
        f"100000,{PUPIL},2025-04-14,/\\II##NO/L\n"
        f"100000,{PUPIL},2025-04-21,-----/;(G/////\n"
        f"100000,{PUPIL},2025-04-28,/\\/\n"
    )
    found = session_marks.read([written(tmp_path, text)], options=Options())
    # 14 to 18 April is spring: 8 possible, II authorised, NO unauthorised. The week of 21 April is
    # summer: 5 without a mark, ( is not possible, ; is illness, G a holiday.
    assert sums(found) == {
        (202425, "spring", "100000"): (8, 2, 2),
        (202425, "summer", "100000"): (8, 1, 1),
    }
    assert counts(found) == {"sessions_not_marked": 5, "sessions_undated": 1}


def test_the_second_half_of_the_summer_of_year_11_is_left_out(tmp_path):
    text = (
        "UPN,URN,Date,Session,Mark,NCYear\n"
        f"{PUPIL},100000,23/05/2025,AM,/,11\n{PUPIL},100000,02/06/2025,AM,S,11\n"
        f"A950000178301,100000,02/06/2025,AM,S,10\n"
    )
    found = session_marks.read([written(tmp_path, text)], options=Options())
    assert found.tables["attendance"][["pupil_id", "sess_possible"]].to_numpy().tolist() == [
        ["A950000178301", 1],
        [PUPIL, 1],
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (long("02/09/2024,Period 1,/"), "another session than AM or PM in 1 of 1 marks"),
        ("Student ID,Date,Session,Mark\n1,02/09/2024,AM,/\n", "no column of pupil_id, urn"),
    ],
)
def test_what_is_no_register_is_refused(tmp_path, text, said):
    with pytest.raises(ContractError, match=said):
        session_marks.read([written(tmp_path, text)], options=Options())


SIGNS = st.sampled_from(["/", "\\", "I", "O", "B", "X", "#", "L", "U"])


@settings(max_examples=4, deadline=None)
@given(
    marks=st.lists(st.tuples(st.integers(0, 9), st.booleans(), SIGNS), min_size=1, max_size=20),
    split=st.integers(0, 20),
)
def test_files_rows_and_repeats_change_nothing(tmp_path_factory, marks, split):
    folder = tmp_path_factory.mktemp("marks")
    once = {(day, pm): sign for day, pm, sign in marks}
    start = dt.date(2024, 9, 2)
    lines = [
        f"{start + dt.timedelta(days=day)},{'PM' if pm else 'AM'},{sign}"
        for (day, pm), sign in once.items()
    ]
    whole = session_marks.read([written(folder, long(*lines), "whole.csv")], options=Options())
    parts = [long(*lines[:split]), long(*reversed(lines)), long(*lines[split:])]
    paths = [written(folder, part, f"{i}.csv") for i, part in enumerate(parts)]
    found = session_marks.read(paths, options=Options())
    pd.testing.assert_frame_equal(found.tables["attendance"], whole.tables["attendance"])
    possible = sum(sign not in "X#" for sign in once.values())
    authorised, unauthorised = (sum(s in of for s in once.values()) for of in ("I", "OU"))
    assert whole.tables["attendance"].iloc[0, 4:].tolist() == [possible, authorised, unauthorised]


YTD = (
    "academic_term,UPN,unique_reference_number,possible_sessions,present_sessions,"
    "approved_educational_activity_sessions,authorised_absent_sessions,"
    "unauthorised_absent_sessions,child_in_need\n"
)


def ytd(folder, **files):
    paths = [
        written(folder, YTD + "".join(f"{row}\n" for row in rows), f"{name}.csv")
        for name, rows in files.items()
    ]
    return ytd_attendance.read(paths, options=Options())


def test_terms_are_differences_to_the_file_before(tmp_path):
    found = ytd(
        tmp_path,
        ytd_autumn=[f"2024/2025,{PUPIL},100000,140,120,0,15,5,yes"],
        ytd_spring=[f"2024/2025,{PUPIL},100000,250,220,4,20,6,yes"],
        ytd_summer=[
            f"2024/2025,{PUPIL},100000,380,340,4,30,6,yes",
            "2024/2025,A950000178301,100001,120,100,0,12,8,no",
            f"2024/2025,{PUPIL},100000,380,340,4,30,6,yes",
        ],
    )
    assert sums(found) == {
        (202425, "autumn", "100000"): (140, 15, 5),
        (202425, "spring", "100000"): (110, 5, 1),
        (202425, "summer", "100000"): (130, 10, 0),
        (202425, "summer", "100001"): (120, 12, 8),
    }


def test_a_whole_year_alone_has_one_term_and_counts(tmp_path):
    found = ytd(
        tmp_path,
        pupils=[
            f"2024/2025,{PUPIL},100000,380,340,4,30,6,yes",
            "2024/2025,,100000,380,380,0,0,0,no",
            f"2024/25x,{PUPIL},100000,380,380,0,0,1,no",
        ],
    )
    assert sums(found) == {(202425, "year", "100000"): (380, 30, 6)}
    assert counts(found) == {"pupils_without_upn": 1, "rows_unread": 1, "sessions_not_adding_up": 1}


@pytest.mark.parametrize(
    ("name", "row", "said"),
    [
        ("pupils", "2024/2025,{},1,140,140,0,0,0,no", "fewer sessions than a whole year"),
        ("spring", "2024/2025,{},1,250,250,0,0,0,no", "cannot be parted into terms"),
    ],
)
def test_part_of_a_year_never_passes_for_a_whole_one(tmp_path, name, row, said):
    with pytest.raises(ContractError, match=said):
        ytd(tmp_path, **{name: [row.format(PUPIL)]})


def test_the_stored_header_of_the_year_to_date_file(tmp_path, shared_data):
    header = (shared_data / "headers" / "dfe_ytd_attendance_header_UNORDERED.txt").read_text()
    names = header.strip().splitlines()[-1].split(",")
    values = {"academic_term": "2024/2025", "UPN": PUPIL.lower(), "unique_reference_number": "1"}
    values |= {"possible_sessions": "370", "authorised_absent_sessions": "8"}
    values |= {"unauthorised_absent_sessions": "2", "present_sessions": "360"}
    values |= {"approved_educational_activity_sessions": "0"}
    text = ",".join(names) + "\n" + ",".join(values.get(name, "") for name in names) + "\n"
    found = ytd_attendance.read([written(tmp_path, text)], options=Options())
    assert sums(found) == {(202425, "year", "1"): (370, 8, 2)}
    assert found.tables["attendance"]["pupil_id"].tolist() == [PUPIL]
    assert found.notes == ()
