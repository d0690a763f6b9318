"""Annex A: the sample with a lookup, snapshots, and what is refused."""

import pytest
import xlsxwriter

from tests.returns.formats.made import OTHER_UPN, UPN, counts, rows
from vsh_eval.contracts import ContractError
from vsh_eval.returns.formats import Options
from vsh_eval.returns.formats.social_care import annex_a
from vsh_eval.settings import AnnexA

LIST_6 = ("Child Unique ID", "Date of Birth", "CIN Start Date", "CIN Closure Date", "Case Status")


def read(*paths, lookup, **columns):
    section = AnnexA.model_validate({"files": "x", "lookup": {"file": str(lookup), **columns}})
    return annex_a.read(paths, options=Options(section=section))


@pytest.fixture
def lookup(write):
    return write("upns.csv", f"Child Unique ID,UPN\n1,{UPN}\n2,{OTHER_UPN}\n")


@pytest.fixture
def workbook(tmp_path):
    def write_workbook(name, *table, sheet="Children in Need", title=()):
        path = tmp_path / name
        with xlsxwriter.Workbook(path) as book:
            book.add_worksheet("Contents")
            page = book.add_worksheet(sheet)
            for at, row in enumerate([*title, LIST_6, *table]):
                page.write_row(at, 0, row)
        return path

    return write_workbook


def test_the_sample_holds_lists_6_to_8(samples, write):
    ids = (12598894, 8140425, 10721552, 5358472, 1761444, 3623204)
    written = "".join(f"{child},A{at:012d}\n" for at, child in enumerate(ids))
    found = read(
        samples("annex_a/Annex_A_2024_Jan.xlsx"),
        lookup=write("upns.csv", f"Child Unique ID,UPN\n{written}"),
    )
    assert rows(found) == [
        ("A000000000000", "CIN", "2010-06-09", None, "episode"),
        ("A000000000001", "CIN", "2006-11-23", None, "episode"),
        ("A000000000002", "CPP", "2020-11-23", "2021-02-16", "episode"),
        ("A000000000003", "CPP", "2021-02-08", None, "episode"),
        ("A000000000004", "CLA", "2009-08-06", None, "episode"),
        ("A000000000005", "CLA", "2008-10-22", "2020-09-22", "episode"),
    ]
    assert counts(found)["children_without_upn"] == 17 - 6, "lists 6, 7 and 8 have 17 children"


def test_a_title_above_the_header_and_numbers_as_ids_do_no_harm(workbook, lookup):
    path = workbook("a.xlsx", (1, "2012-05-04", "2021-05-01", "#N/A", "c) Child in need plan"),
                    title=[("Children in need on 31/12/2021",), ()])  # fmt: skip
    assert rows(read(path, lookup=lookup)) == [(UPN, "CIN", "2021-05-01", None, "episode")]


def test_a_later_snapshot_ends_what_it_no_longer_lists(workbook, lookup):
    first = workbook("1.xlsx", (1, "", "2021-05-01", "", ""), (2, "", "2021-06-01", "", ""))
    second = workbook("2.xlsx", (2, "", "2021-06-01", "2022-02-02", ""))
    found = read(second, first, lookup=lookup)
    assert rows(found) == [
        (OTHER_UPN, "CIN", "2021-06-01", "2022-02-02", "episode"),
        (UPN, "CIN", "2021-05-01", "2021-06-01", "episode"),
    ]
    assert counts(found)["ended_with_last_return"] == 1


def test_a_lookup_may_name_its_columns_and_one_id_with_two_upns_has_none(workbook, write):
    path = workbook("a.xlsx", (1, "", "2021-05-01", "", ""), (2, "", "2021-05-01", "", ""))
    table = write("own.csv", f"Mosaic id;Pupil no\n1;{UPN}\n2;{UPN}\n2;{OTHER_UPN}\n")
    found = read(path, lookup=table, child_id="mosaic ID", upn="Pupil No")
    assert [row[0] for row in rows(found)] == [UPN]


@pytest.mark.parametrize(
    ("lookup_text", "said"),
    [("Id,UPN\n1,2\n", "has no column Child Unique ID"), ("", "has no header line")],
)
def test_a_lookup_that_leads_nowhere_is_refused(workbook, write, lookup_text, said):
    path = workbook("a.xlsx", (1, "", "2021-05-01", "", ""))
    with pytest.raises(ContractError, match=said):
        read(path, lookup=write("upns.csv", lookup_text))


def test_a_missing_lookup_is_refused(workbook, tmp_path):
    path = workbook("a.xlsx", (1, "", "2021-05-01", "", ""))
    with pytest.raises(ContractError, match=r"none\.csv does not exist"):
        read(path, lookup=tmp_path / "none.csv")


def test_a_file_that_is_no_annex_a_is_refused(write, lookup):
    with pytest.raises(ContractError, match="has none of the lists 6, 7 and 8"):
        read(write("other.csv", "Child Unique ID,Team\nA,B\n"), lookup=lookup)
    with pytest.raises(ContractError, match="cannot be opened as a workbook"):
        read(write("other.xlsx", "no workbook"), lookup=lookup)
