import zipfile
from datetime import date

import pandas as pd
import pytest

from tests.release.made import estimate_row, gap_rows, safe, sealed
from tests.release.xlsx import lines, part, rows, sheet_names, table_rows
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.release.files.workbook import write_workbook

MADE = date(2026, 11, 29)


def write(path, tables=None, **changes):
    given = {
        "gaps": safe(gap_rows(status="c"), stamp="SYNTHETIC"),
        "impact": safe([estimate_row()]),
    }
    about = ["Source: Invented Borough, an invented authority", f"Date: {MADE}", "Licence: none"]
    options = {"title": "An evaluation", "made": MADE, "provenance": about, "notes": ["One more."]}
    write_workbook(given if tables is None else tables, path, **(options | changes))
    return path


@pytest.fixture
def book(tmp_path):
    return write(tmp_path / "workbook.xlsx")


def test_the_cover_says_whose_data_these_are_and_the_contents_what_a_sheet_answers(book):
    assert sheet_names(book) == ["Cover", "Contents", "gaps", "impact"]
    cover = lines(book, "Cover")
    assert cover[0] == "An evaluation"
    assert {
        "These data are marked: SYNTHETIC.",
        "One more.",
        "Source: Invented Borough, an invented authority",
        "Date: 2026-11-29",
        "c = suppressed to protect children's confidentiality",
    } <= set(cover)
    assert table_rows(book, "Contents") == [
        ["Worksheet", "Title", "What it answers"],
        ["gaps", "Gaps", "How wide is the gap in each measure, phase and year?"],
        ["impact", "Impact", "What was the effect of training on each gap?"],
    ]
    links = part(book, "xl/worksheets/sheet2.xml")
    assert "location=\"'gaps'!A1\"" in links.replace("&apos;", "'")


def test_a_sheet_says_above_its_table_what_a_reader_needs_to_use_it(book):
    found = lines(book, "gaps")
    assert found[0] == "Gaps (SYNTHETIC)"
    assert found[1:6] == [
        "How wide is the gap in each measure, phase and year?",
        "This worksheet contains one table.",
        "In every row: Kind of area: Authority; Area: E06000049; Cohort rule: had a social worker "
        "at any time in the academic year; Data vintage: 2026",
        "Units: pupils, schools and rows are counted; ratios: group divided by those compared "
        "with; other numbers as the column Unit says",
        "c = suppressed to protect children's confidentiality",
    ]
    assert sum("nearest 5" in line for line in found) == 1
    assert [line.split(":")[0] for line in found[-3:]] == ["Source", "Date", "Licence"]


def test_numbers_are_numbers_and_hidden_ones_symbols(book):
    heads, *values = table_rows(book, "gaps")
    shown = [dict(zip(heads, row, strict=True)) for row in values]
    assert (shown[-1]["Gap"], shown[1]["Gap"]) == (11.6, "c")
    assert (shown[-1]["Academic year"], shown[-1]["Status"]) == ("2024/25", "shown")


def test_words_stand_where_a_number_would_mislead(tmp_path):
    row = {**estimate_row(p_value=0.00001), "measure": "session", "ci_upper": float("inf")}
    year = estimate_row(aggregation="calendar", index=202324.0)
    path = write(tmp_path / "cost.xlsx", {"Cost": safe([row]), "Years": safe([year])})
    said = {value for row in rows(path, "Cost") for value in row}
    assert {"no limit", "<0.001"} <= said
    heads, values = table_rows(path, "Years")
    assert values[heads.index("Year or time")] == "2023/24"


def test_the_file_tells_no_hour_and_no_path_of_its_making(book):
    with zipfile.ZipFile(book) as parts:
        text = "".join(parts.read(name).decode("utf-8", "replace") for name in parts.namelist())
    assert "2026-11-29T12:00:00Z" in text
    assert str(book.parent) not in text
    assert not [file for file in book.parent.iterdir() if file.name.startswith(".")]


def test_two_writings_are_the_same_bytes(book, tmp_path):
    assert write(tmp_path / "again.xlsx").read_bytes() == book.read_bytes()


def test_no_table_a_bad_name_and_an_unsafe_table_are_refused(tmp_path):
    path = tmp_path / "workbook.xlsx"
    with pytest.raises(ContractError, match="tables is empty"):
        write(path, {})
    with pytest.raises(ContractError, match="sheet name is 'a/b'"):
        write(path, {"a/b": safe(gap_rows())})
    with pytest.raises(DisclosureError):
        write(path, {"Gaps": gap_rows()})
    assert not path.exists()


def test_a_table_of_the_readers_own_has_no_question_and_says_so(tmp_path):
    row = {"check": "a", "comparable": True, "share": 0.123456, "result": "", "of": None}
    facts = sealed(pd.DataFrame([row]), "checks", gate="facts")
    path = write(tmp_path / "workbook.xlsx", {"my_checks": facts})
    assert table_rows(path, "Contents")[1] == ["my_checks", "My checks", "not given"]
    assert lines(path, "my_checks")[:2] == ["My checks", "This worksheet contains one table."]
    assert "not given" in table_rows(path, "my_checks")[1]
