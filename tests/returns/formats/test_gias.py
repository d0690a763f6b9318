"""GIAS: the stored extracts, links of every kind, and archives that are not to be trusted."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.returns.formats.made import counts
from vsh_eval.contracts import ContractError
from vsh_eval.returns.formats.gias import read
from vsh_eval.returns.formats.reading import Options

HEADER = (
    "URN,LA (code),EstablishmentNumber,EstablishmentName,TypeOfEstablishment (name),"
    "EstablishmentTypeGroup (name),EstablishmentStatus (name),PhaseOfEducation (name),"
    "GSSLACode (name),OpenDate,CloseDate,PercentageFSM\n"
)
ROWS = (
    "100001,815,4000,St Mary\u2019s School,Community school,Local authority maintained schools,"
    "Closed,"
    "Primary,E10000023,,31-03-2015,20.5\n"
    "100002,815,4000,St Mary\u2019s Academy,Academy converter,Academies,Open,Primary,E10000023,"
    "01-04-2015,,21.5\n"
    "100003,815,1100,The Unit,Pupil referral unit,Local authority maintained schools,Open,"
    "Not applicable,E10000023,,,\n"
    "100004,815,6000,Elm Hall,Other independent school,Independent schools,Open,Not applicable,"
    "E10000023,,,\n"
    "100005,816,2000,Elsewhere School,Community school,Local authority maintained schools,Open,"
    "Primary,E06000014,,,\n"
    "100006,815,7000,Oak School,Community special school,Special schools,Open,Not applicable,,"
    ",,\n"
    "100007,815,2001,Planned Primary,Free schools,Free Schools,Proposed to open,Primary,E10000023,"
    ",,\n"
)


def tables(path, authority="", references=None):
    return read([path], options=Options(authority=authority, references=references or {}))


@pytest.fixture
def extract(tmp_path):
    path = tmp_path / "edubasealldata.csv"
    path.write_bytes((HEADER + ROWS).encode("cp1252"))
    return path


def links_from(tmp_path, text, references=None):
    path = tmp_path / "links.csv"
    path.write_text("URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n" + text)
    return tables(path, references=references)


def pairs(reading):
    table = reading.tables["school_links"]
    return set(zip(table["urn"], table["successor_urn"], strict=True))


def test_schools_of_the_authority_in_their_phases(extract):
    found = tables(extract, "E10000023")
    schools = found.tables["schools"].set_index("urn")
    assert schools["phase"].to_dict() == {
        "100001": "primary",
        "100002": "primary",
        "100003": "alternative_provision",
        "100006": "special",  # without an ONS code: that of most rows of authority 815
    }
    assert schools.loc["100001", "name"] == "St Mary\u2019s School"
    assert schools.loc["100001", "closed"] == pd.Timestamp(2015, 3, 31)
    assert schools["pct_fsm"].tolist()[:2] == [20.5, 21.5]
    assert counts(found) == {"establishments_no_school": 2}
    assert len(found.references["establishments"]) == 7
    assert found.references["establishments"]["laestab"].iloc[0] == "8154000"


@pytest.mark.parametrize("blank", HEADER.strip().split(","))
def test_a_column_that_is_blank_in_every_row_is_read_or_refused_in_a_sentence(extract, blank):
    rows = pd.read_csv(extract, encoding="cp1252", dtype="str")
    rows.assign(**{blank: None}).to_csv(extract, index=False, encoding="cp1252")
    if blank in {"URN", "GSSLACode (name)"}:
        with pytest.raises(ContractError, match="no school of authority"):
            tables(extract, "E10000023")
    else:
        schools = tables(extract, "E10000023").tables["schools"]
        assert {"100001", "100003"} & set(schools["urn"])


def test_an_authority_without_a_school_is_refused(extract):
    with pytest.raises(ContractError, match=r"no school of authority 'E06000099'"):
        tables(extract, "E06000099")


def test_links_run_from_predecessor_to_successor_however_written(tmp_path):
    found = links_from(
        tmp_path,
        "2,1,Old,Predecessor - merged,01-04-2015\n"
        "1,2,New,Successor - amalgamated,01/04/2015\n"
        "3,4,New,Successor - Split School,\n"
        "5,6,Centre,Sixth Form Centre Link,01-04-2015\n"
        "7,7,Itself,Successor,01-04-2015\n" + ",,,,\n" * 50,
    )
    assert pairs(found) == {("1", "2"), ("3", "4")}
    assert found.tables["school_links"]["date"].isna().tolist() == [False, True]
    assert counts(found) == {"links_of_other_types": 1, "links_to_itself": 1}


def test_links_in_a_circle_are_left_out(tmp_path):
    found = links_from(
        tmp_path, "1,2,,Successor,\n2,3,,Successor,\n3,1,,Successor,\n9,1,,Successor,\n"
    )
    assert pairs(found) == {("9", "1")}
    assert counts(found) == {"links_in_a_circle": 3}


def test_a_link_without_a_date_has_that_of_the_opening(tmp_path, extract):
    references = tables(extract).references
    found = links_from(tmp_path, "100001,100002,,Successor,\n", references)
    assert found.tables["school_links"]["date"].tolist() == [pd.Timestamp(2015, 4, 1)]


@settings(max_examples=12, deadline=None)
@given(noise=st.binary(max_size=400), zipped=st.booleans())
def test_no_bytes_end_in_anything_but_a_sentence(tmp_path_factory, noise, zipped):
    path = tmp_path_factory.mktemp("fuzz") / ("noise.zip" if zipped else "noise.csv")
    path.write_bytes(noise if zipped else HEADER.encode() + noise)
    try:
        tables(path)
    except ContractError as error:
        said = str(error)
    else:
        said = "."
    assert said.endswith(".")


def test_the_stored_archive_of_2024(shared_data):
    found = tables(shared_data / "gias" / "dfe-schools.zip")
    assert found.tables["schools"]["urn"].tolist() == ["100000"]  # four are independent or nameless
    assert pairs(found) == {("100000", "100004")}
    assert len(found.references["establishments"]) == 5


def test_the_stored_extract_of_2017_and_rows_of_a_later_layout(shared_data):
    found = tables(shared_data / "gias" / "example_schools_data_2017.csv")
    schools = found.tables["schools"].set_index("urn")["phase"]
    assert schools.value_counts().to_dict() == {
        "early_years": 2,
        "alternative_provision": 2,
        "primary": 2,
    }
    assert counts(found) == {"rows_of_another_length": 10}


def test_the_stored_extract_that_a_spreadsheet_saved(shared_data):
    schools = tables(shared_data / "gias" / "gias_excel_resaved_2024.csv").tables["schools"]
    assert len(schools) == 60
    assert schools["opened"].iloc[0] == pd.Timestamp(1993, 5, 29)
    assert schools["pct_fsm"].iloc[0] == 32.7


def test_links_of_trusts_are_refused(shared_data):
    with pytest.raises(ContractError, match="holds groups of schools"):
        tables(shared_data / "gias" / "example_group_links.csv")
