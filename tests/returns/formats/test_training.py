"""The training log: what counts as training, whose school it is, and what is listed instead."""

import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval.contracts import ContractError
from vsh_eval.release.text.findings.files import for_analyst, notes
from vsh_eval.returns.formats.reading import Options, note
from vsh_eval.returns.formats.training import read
from vsh_eval.settings import TrainingLog

GIAS = pd.DataFrame(
    {
        "urn": ["100001", "100002", "100003", "100004", "100005"],
        "laestab": ["8154000", "8154000", "8151100", "8152000", "8152001"],
        "la_code": "E10000023",
        "name": [
            "St. Mary's CofE Primary School",
            "St Mary's Church of England Academy",
            "Ashbank Primary School",
            "Elm School",
            "The Elm School",
        ],
        "opened": pd.to_datetime([None, "2015-04-01", None, None, None]),
        "closed": pd.to_datetime(["2015-03-31", None, None, None, None]),
    }
)
SYNONYMS = {
    "programme": {"ELSA training": "elsa", "Emotion coaching (2 day)": "emotion_coaching"},
    "tier": {"elsa": "targeted", "emotion coaching": "universal"},
}


def workbook(path, rows, *, title=True):
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Notes").write(0, 0, "Who keeps this log")
        page = book.add_worksheet("Log 2022")
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        lines = [["Virtual school: training log"], []] if title else []
        for at, row in enumerate([*lines, *rows]):
            for column, value in enumerate(row):
                if isinstance(value, pd.Timestamp):
                    page.write_datetime(at, column, value, day)
                else:
                    page.write(at, column, value)
    return path


def log(path, *, columns=None, synonyms=SYNONYMS):
    section = TrainingLog(files=(str(path),), columns=columns or {}, synonyms=synonyms)
    return read([path], options=Options(section, "E10000023", {"establishments": GIAS}))


def listed(reading):
    return {n.code: (n.details["rows"], n.details.get("which", "")) for n in reading.notes}


def table(reading):
    columns = ["urn", "programme", "tier", "start_date", "staff_trained"]
    rows = reading.tables["training"][columns]
    return [
        [r.urn, r.programme, r.tier, r.start_date.date().isoformat(), r.staff_trained]
        for r in rows.itertuples()
    ]


def test_a_log_as_it_is_kept(tmp_path):
    started = pd.Timestamp(2022, 10, 3)
    path = workbook(
        tmp_path / "log.xlsx",
        [
            ["School", "Course", "First session", "Completed on", "Status", "Delegate"],
            [100003, "ELSA training", started, "05/06/2023", "Attended", "A. Person"],
            ["Ashbank Primary", "elsa TRAINING", "3/10/2022", "", "attended", "B. Person"],
            ["815/1100", "ELSA training", "2022-10-03", "", "Attended", "b person"],
            ["Ashbank Primary", "ELSA training", started, "", "Booked", "C. Person"],
            ["Ashbank Primary", "ELSA training", "April (Inset)", "", "Attended", "D. Person"],
            ["Ashbank Primry", "ELSA training", started, "", "Attended", "E. Person"],
            ["Elm School", "ELSA training", started, "", "Attended", "F. Person"],
            ["Ashbank Primary", "Fire safety", started, "", "Attended", "G. Person"],
            ["St Marys C of E Primary", "Emotion coaching (2 day)", "01/02/2014", "", "Yes", "H"],
        ],
    )
    found = log(path)
    assert table(found) == [
        ["100001", "emotion_coaching", "universal", "2014-02-01", 1],
        ["100003", "elsa", "targeted", "2022-10-03", 2],
    ]
    assert listed(found) == {
        "bookings_not_attended": (1, "rows 7"),
        "programmes_without_synonym": (1, "Fire safety"),
        "start_unread": (1, "rows 8"),
        "schools_of_log_not_found": (
            2,
            "row 9: Ashbank Primry (perhaps Ashbank Primary School (URN 100003)), "
            "row 10: Elm School (perhaps Elm School (URN 100004))",
        ),
    }
    assert not any("Person" in str(note) for note in found.notes)


def test_a_log_without_a_row_yet_has_no_training(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("School,Course,Date,Status\n")
    assert table(log(path)) == []


def test_the_day_on_which_somebody_attended_is_no_end(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("School,Course,Date attended\n100003,ELSA,03/10/2022\n")
    found = log(path, columns={"start_date": "Date attended"})
    assert "start_may_be_completion" not in listed(found)


def test_a_synonym_decides_what_a_near_name_only_proposes(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("School,Course,Date\nAshbank Primry,ELSA,03/10/2022\n")
    found = log(path, synonyms={**SYNONYMS, "urn": {"ashbank primry": "100003"}})
    assert table(found)[0][:2] == ["100003", "elsa"]
    assert listed(found) == {"attendance_not_recorded": (1, "")}


def test_the_name_of_a_converter_is_the_school_of_the_day(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("School,Course,Date\n8154000,ELSA,03/10/2014\n8154000,ELSA,03/10/2016\n")
    assert [row[0] for row in table(log(path))] == ["100001", "100002"]


def test_days_with_the_month_first_are_listed_and_never_turned(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("School,Course,Date\n100003,ELSA,10/13/2022\n100003,ELSA,03/10/2022\n")
    found = log(path)
    assert (
        table(found) == [["100003", "elsa", "targeted", "2022-10-03", pd.NA]]
        or len(table(found)) == 1
    )
    assert listed(found)["dates_month_first"] == (1, "rows 2")


def test_a_column_of_completion_is_no_start_unless_it_is_named(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("School,Course,Completed\n100003,ELSA,03/10/2022\n")
    with pytest.raises(ContractError, match="no column for start_date"):
        log(path)
    found = log(path, columns={"start_date": "Completed"})
    assert listed(found)["start_may_be_completion"] == (0, "Completed")


def test_staff_and_cost_add_up_over_rows(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        "School,Course,Date,Staff,Hours,Cost,Role\n100003,ELSA,03/10/2022,2,12,100,SENCo\n"
        "100003,ELSA,03/10/2022,3,14,50,SENCo\n100003,ELSA,03/10/2022,3,14,50,SENCo\n"
        "100003,ELSA,03/10/2022,,,,teacher\n"
    )
    found = log(path, synonyms={**SYNONYMS, "audience": {"SENCo": "leader"}}).tables["training"]
    leaders = found[found["audience"] == "leader"].iloc[0]
    assert [leaders["staff_trained"], leaders["hours"], leaders["cost"]] == [5, 14, 150]
    assert found["staff_trained"].isna().sum() == 1


def test_costs_and_hours_are_read_with_their_units_and_what_is_no_number_is_said(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        "School,Course,Date,Staff,Hours,Cost\n100003,ELSA,03/10/2022,2,1.5 hrs,£386\n"
        '100003,ELSA,04/10/2022,"1,002",12 Hours,"£1,250.50"\n'
        '100003,ELSA,05/10/2022,,half a day,TBC\n100003,ELSA,06/10/2022,1,6,"1,25"\n',
        encoding="utf-8",
    )
    found = log(path)
    numbers = found.tables["training"][["staff_trained", "hours", "cost"]].astype("float64")
    assert numbers.fillna(-1).to_numpy().tolist() == [
        [2, 1.5, 386], [1002, 12, 1250.5], [-1, -1, -1], [1, 6, -1]
    ]  # fmt: skip
    said = [for_analyst(note(n.code, **{**n.details, "family": "training"})) for n in found.notes]
    assert said[-2:] == [
        "Training log, log.csv: Values of hours that are no number are taken as not recorded; "
        "write plain numbers, such as 386 or 1.5 (1 of 4): rows 4.",
        "Training log, log.csv: Values of cost that are no number are taken as not recorded; "
        "write plain numbers, such as 386 or 1.5 (2 of 4): rows 4, 5.",
    ]


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        ("School,Course,Date\n", {"url": "School"}, "columns names url"),
        ("School,What,When\n1,2,3\n", {}, "has no column for programme, start_date"),
        ("School,Course,Date\n100003,ELSA,03/10/2022\n", {}, "no column for tier"),
    ],
)
def test_a_log_that_cannot_be_understood_is_refused(tmp_path, text, columns, said):
    path = tmp_path / "log.csv"
    path.write_text(text)
    synonyms = {"programme": SYNONYMS["programme"]}
    with pytest.raises(ContractError, match=said):
        log(path, columns=columns, synonyms=synonyms)


@pytest.mark.parametrize(
    "cell", ['=HYPERLINK("http://x","y")', "=1+1", "@SUM(A1)", pytest.param("x" * 10**7, id="huge")]
)
def test_formulas_and_huge_cells_are_text(tmp_path, cell):
    path = tmp_path / "log.csv"
    quoted = '"' + cell.replace('"', '""') + '"'
    path.write_text(f"School,Course,Date\n100003,ELSA,03/10/2022\n100003,{quoted},03/10/2022\n")
    try:
        rows = len(table(log(path)))
    except ContractError as error:
        rows = str(error)
    # Only a cell beyond any log is refused.
    assert rows == 1 or (len(cell) > 10**6 and rows.endswith("."))


@settings(max_examples=6, deadline=None)
@given(cells=st.lists(st.text(max_size=12), min_size=3, max_size=3))
def test_any_text_is_read_or_refused_in_a_sentence(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("log") / "log.csv"
    line = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    path.write_text(f"School,Course,Date\n{line}\n", encoding="utf-8")
    try:
        log(path)
    except ContractError as error:
        said = str(error)
    else:
        said = "."
    assert said.endswith(".")


def test_what_is_listed_is_said_to_the_analyst_alone():
    one = note("start_unread", rows=1, of_rows=9, which="rows 8", family="training")
    assert for_analyst(one).endswith("write the day as dd/mm/yyyy (1 of 9): rows 8.")
    assert "rows 8" not in notes([one]).to_csv()
