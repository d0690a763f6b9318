import re
import zipfile
from html import unescape

import pandas as pd
import pytest

from tests.release.made import estimate_row, gap_rows, safe, sealed
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.release.files.workbook import write_workbook


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "workbook.xlsx"
    tables = {
        "Gaps": safe(gap_rows(status="c"), stamp="SYNTHETIC"),
        "Impact": safe([estimate_row()]),
    }
    write_workbook(tables, path, title="An evaluation", notes=["Made for a test."])
    return path


def part(path, name):
    with zipfile.ZipFile(path) as parts:
        return parts.read(name).decode("utf-8")


def sheet_names(path):
    return re.findall(r'<sheet name="([^"]+)"', part(path, "xl/workbook.xml"))


def cells(path, sheet):
    """Return a sheet's cells by address: text or number."""
    texts = [
        unescape("".join(re.findall(r"<t[^>]*>(.*?)</t>", item, re.DOTALL)))
        for item in re.findall(r"<si>(.*?)</si>", part(path, "xl/sharedStrings.xml"), re.DOTALL)
    ]
    place = sheet_names(path).index(sheet) + 1
    found = re.findall(
        r'<c r="([A-Z]+\d+)"([^>]*)><v>(.*?)</v>', part(path, f"xl/worksheets/sheet{place}.xml")
    )
    return {
        address: texts[int(value)] if 't="s"' in kind else float(value)
        for address, kind, value in found
    }


def table_rows(path, table, sheet):
    """Return the rows of a marked-up table, the head first."""
    ref = re.search(r' ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"', part(path, f"xl/tables/{table}.xml"))
    found = cells(path, sheet)
    letters = sorted({re.sub(r"\d", "", key) for key in found}, key=lambda k: (len(k), k))
    letters = letters[letters.index(ref[1]) : letters.index(ref[3]) + 1]
    return [
        [found.get(f"{letter}{row}") for letter in letters]
        for row in range(int(ref[2]), int(ref[4]) + 1)
    ]


def test_cover_contents_notes_and_one_table_a_sheet(book):
    assert sheet_names(book) == ["Cover", "Contents", "Notes", "Gaps", "Impact"]
    cover = cells(book, "Cover")
    assert cover["A1"] == "An evaluation"
    assert any("suppressed to protect" in text for text in cover.values())
    notes = cells(book, "Notes").values()
    assert "Made for a test." in notes
    assert "These data are marked: SYNTHETIC." in notes
    assert cells(book, "Gaps")["A1"] == "Gaps (SYNTHETIC)"


def test_numbers_are_numbers_hidden_ones_symbols_and_no_cell_of_the_table_is_blank(book):
    with zipfile.ZipFile(book) as parts:
        marked = [name for name in parts.namelist() if name.startswith("xl/tables/")]
    assert len(marked) == 4
    (name,) = [
        n
        for n in marked
        if ' name="gaps"' in part(book, n) or 'displayName="gaps"' in part(book, n)
    ]
    rows = table_rows(book, name.removeprefix("xl/tables/").removesuffix(".xml"), "Gaps")
    assert len(rows) == 8
    assert len(set(rows[0])) == len(rows[0])
    assert all(value not in (None, "") for row in rows for value in row)
    place = rows[0].index("Gap")
    assert rows[-1][place] == 11.6
    assert rows[2][place] == "c"
    assert rows[-1][rows[0].index("Academic year")] == "2024/25"
    assert rows[-1][rows[0].index("Status")] == "shown"


def test_an_endless_limit_is_said_in_words(tmp_path):
    row = {**estimate_row(), "measure": "session", "ci_upper": float("inf")}
    write_workbook({"Cost": safe([row])}, tmp_path / "cost.xlsx", title="Cost")
    assert "no limit" in cells(tmp_path / "cost.xlsx", "Cost").values()


def test_the_file_tells_no_date_and_no_path_of_its_making(book):
    with zipfile.ZipFile(book) as parts:
        text = "".join(parts.read(name).decode("utf-8", "replace") for name in parts.namelist())
    assert "2000-01-01T00:00:00Z" in text
    assert str(book.parent) not in text
    assert not [file for file in book.parent.iterdir() if file.name.startswith(".")]


def test_two_writings_are_the_same_bytes(book, tmp_path):
    again = tmp_path / "again.xlsx"
    tables = {
        "Gaps": safe(gap_rows(status="c"), stamp="SYNTHETIC"),
        "Impact": safe([estimate_row()]),
    }
    write_workbook(tables, again, title="An evaluation", notes=["Made for a test."])
    assert again.read_bytes() == book.read_bytes()


def test_no_table_a_bad_name_and_an_unsafe_table_are_refused(tmp_path):
    path = tmp_path / "workbook.xlsx"
    with pytest.raises(ContractError, match="tables is empty"):
        write_workbook({}, path, title="t")
    with pytest.raises(ContractError, match="sheet name is 'a/b'"):
        write_workbook({"a/b": safe(gap_rows())}, path, title="t")
    with pytest.raises(DisclosureError):
        write_workbook({"Gaps": gap_rows()}, path, title="t")
    assert not path.exists()


def test_without_notes_the_notes_sheet_says_so(tmp_path):
    path = tmp_path / "workbook.xlsx"
    row = {"check": "a", "comparable": True, "share": 0.123456, "result": "", "of": None}
    facts = pd.DataFrame([row])
    write_workbook({"Checks": sealed(facts, "checks", gate="facts")}, path, title="t")
    assert "There are no further notes." in cells(path, "Notes").values()
    assert "not given" in cells(path, "Checks").values()
