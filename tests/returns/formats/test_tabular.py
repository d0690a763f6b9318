"""Tables as people save them: encodings, delimiters, titles, rows, and what is broken."""

import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval.contracts import ContractError
from vsh_eval.returns.formats import tabular

TABLE = "School,Café,Day\nOak,é \u2013 x,01/02/2024\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encoding_delimiter_and_line_end_never_change_a_table(write, encoding, delimiter, end):
    text = TABLE.replace(",", delimiter).replace("\n", end)
    table = tabular.read(write("a.csv", text.encode(encoding)), known=("School", "Day"))
    assert table.reset_index().to_dict("list") == {
        "row": [2], "School": ["Oak"], "Café": ["é \u2013 x"], "Day": ["01/02/2024"]
    }  # fmt: skip


def test_rows_are_those_of_the_file(write):
    text = 'Log of the year\n\nSchool,Note\nOak,"two\nlines"\n\nElm,\n'
    table = tabular.read(write("a.csv", text), known=("School",))
    assert table.index.tolist() == [4, 7]
    assert table["Note"].isna().tolist() == [False, True]


def test_sep_in_the_first_line_is_the_delimiter(write):
    table = tabular.read(write("a.csv", "sep=;\nA;B\n1,5;2\n"))
    assert table.to_numpy().tolist() == [["1,5", "2"]]
    assert table.index.tolist() == [3]


def test_a_workbook_is_read_as_a_csv_would_hold_it(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["URN", "Hours", "Day", "Formula", "Error"])
        page.write_row(1, 0, [100001, 2.5])
        day = pd.Timestamp("2024-02-01")
        page.write_datetime(1, 2, day, book.add_format({"num_format": "dd/mm/yyyy"}))
        page.write_formula(1, 3, '=HYPERLINK("x")', value="shown")
        page.write(1, 4, "#N/A")
    table = tabular.read(path)
    assert table.loc[2].tolist()[:4] == ["100001", "2.5", "2024-02-01", "shown"]
    assert table["Error"].isna().all()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty, must hold a header"),
        ("A,B\n1,2\n1,2,3\n", "has more values in row 3 than its header has names"),
        ("A,A\n1,2\n", "names a column of its header more than once"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(write, content, said):
    with pytest.raises(ContractError, match=said):
        tabular.read(write("a.csv", content))


def test_a_cell_of_ten_megabytes_is_refused_in_one_sentence(write):
    with pytest.raises(ContractError, match="cannot be read from row 2 on"):
        tabular.read(write("a.csv", "A,B\n" + "x" * 10_000_000 + ",1\n"))


@given(st.binary(max_size=300))
@settings(max_examples=80, deadline=None)
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "a.csv"
    path.write_bytes(content)
    try:
        table = tabular.read(path, known=("UPN",))
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
        ("31/02/2024", None),
        ("02/01/20251", None),
        ("45323", None),
        ("01/02/24", None),
    ],
)
def test_dates(text, day):
    (found,) = tabular.dates(pd.Series([text]))
    assert (None if pd.isna(found) else found.strftime("%Y-%m-%d")) == day
