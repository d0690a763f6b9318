"""Tables as people save them: encodings, separators, titles, rows, and what is broken."""

import zipfile

import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval.contracts import ContractError
from vsh_eval.returns.formats import coded, rows

TABLE = "School,Café,Day\nOak,é \u2013 x,01/02/2024\n"


def read(path, *known):
    """Return the first table of a file."""
    return rows.frame(rows.sheets(path, known=known or ("A",))[0])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encoding_separator_and_line_end_never_change_a_table(write, encoding, separator, end):
    text = TABLE.replace(",", separator).replace("\n", end)
    table = read(write("a.csv", text.encode(encoding)), "School", "Day")
    assert table.reset_index().to_dict("list") == {
        "row": [2], "school": ["Oak"], "café": ["é \u2013 x"], "day": ["01/02/2024"]
    }  # fmt: skip


def test_rows_are_those_that_a_spreadsheet_shows(write):
    text = 'Log of the year\n\nA,Note\nOak,"two\nlines"\n\n1,2,3\nElm,\n,\n'
    table = read(write("a.csv", text))
    assert table.index.tolist() == [4, 7]
    assert table["note"].isna().tolist() == [False, True]


def test_sep_in_the_first_line_is_the_separator(write):
    table = read(write("a.csv", "sep=;\nA;B\n1,5;2\n"))
    assert table.to_numpy().tolist() == [["1,5", "2"]]
    assert table.index.tolist() == [3]


def test_a_workbook_is_read_as_a_csv_would_hold_it(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Notes").write(0, 0, "how to fill this in")
        page = book.add_worksheet()
        page.write_row(1, 0, ["URN", "Hours", "Day", "Formula", "Error"])
        page.write_row(3, 0, [100001, 2.5])
        day = pd.Timestamp("2024-02-01")
        page.write_datetime(3, 2, day, book.add_format({"num_format": "dd/mm/yyyy"}))
        page.write_formula(3, 3, '=HYPERLINK("x")', value="shown")
        page.write(3, 4, "#N/A")
    table = read(path, "URN")
    assert table.loc[4].tolist()[:4] == ["100001", "2.5", "2024-02-01", "shown"]
    assert table["error"].isna().all()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "has no header line"),
        ("A\n\0\n", "is not a text file"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(write, content, said):
    with pytest.raises(ContractError, match=said):
        read(write("a.csv", content))


def test_a_column_that_stands_twice_is_refused_where_it_is_asked_for(write):
    (sheet,) = rows.sheets(write("a.csv", "A,A,B\n1,2,3\n"), known=("A",))
    assert sheet.held(("b",)) == "b"
    with pytest.raises(ContractError, match="names the column a of its header more than once"):
        sheet.held(("a",))


def test_rows_of_another_length_are_left_out_and_said(write):
    (sheet,) = rows.sheets(write("a.csv", 'A,B\n1,2\n1,2,3\n4\n5,6\n"never closed'), known=("A",))
    assert rows.frame(sheet)["a"].tolist() == ["1", "5"]
    (said,) = rows.ragged_note(sheet)
    assert (said.details["rows"], said.details["first_row"]) == (3, 3)


def test_a_cell_of_ten_megabytes_is_a_cell(write):
    table = read(write("a.csv", "A,B\n" + "1,2\n" * 300_000 + "x" * 10_000_000 + ",1\n"))
    assert (len(table), len(table["a"].iloc[-1])) == (300_001, 10_000_000)


@pytest.mark.parametrize("member", ["../a.csv", "/etc/a.csv", "C:\\a.csv", "x\\..\\..\\a.csv"])
@pytest.mark.parametrize("name", ["a.zip", "a.xlsx"])
def test_an_archive_that_names_a_file_outside_itself_is_refused(tmp_path, member, name):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr(member, "A,B\n1,2\n")
    with pytest.raises(ContractError, match="names a member outside itself"):
        read(tmp_path / name)


def test_an_archive_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    assert rows._LARGEST_MEMBER == 1 << 30
    monkeypatch.setattr(rows, "_LARGEST_MEMBER", 1 << 20)
    path = tmp_path / "a.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member,
    ):
        member.write(bytes(1 << 21))
    with pytest.raises(ContractError, match="must be 1 GiB at most"):
        read(path)


@given(st.binary(max_size=300))
@settings(max_examples=40, deadline=None)
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "a.csv"
    path.write_bytes(b"UPN,A\n" + content)
    try:
        table = read(path, "UPN")
    except ContractError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert table.index.name == "row"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-02-01", "2024-02-01"),
        ("01/02/2024", "2024-02-01"),
        ("1.2.2024", "2024-02-01"),
        ("01-02-2024 00:00", "2024-02-01"),
        ("2024-02-01T10:12:28Z", "2024-02-01"),
        ("2024-Oct-16 00:00:00", "2024-10-16"),
        ("31/02/2024", None),
        ("02/01/20251", None),
        ("45323", None),
        ("01/02/24", None),
        ("1/13/2024", None),
    ],
)
def test_days(text, day):
    (found,) = coded.column(coded.day, pd.Series([text]))
    assert (None if pd.isna(found) else found.strftime("%Y-%m-%d")) == day
