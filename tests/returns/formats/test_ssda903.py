"""The SSDA903 return: samples, periods of care, both forms, and files that are broken."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.returns.formats.made import NOTHING, OTHER_UPN, UPN, counts, rows
from vsh_eval.contracts import ContractError
from vsh_eval.returns.formats.social_care import spells, ssda903

HEADER = f"CHILD,SEX,DOB,ETHNIC,UPN,MOTHER,MC_DOB\n1,1,04/05/2012,WBRI,{UPN},,\n"
COLUMNS = "CHILD,DECOM,RNE,LS,CIN,PLACE,DEC,REC\n"


def read(*paths):
    return ssda903.read(paths, options=NOTHING)


def episode(start, end="", legal_status="C2", child="1"):
    return f"{child},{start},S,{legal_status},N1,U1,{end},X1\n"


def returned(write, *episodes, folder="2022", header=HEADER):
    return (
        write(f"{folder}/header.csv", header),
        write(f"{folder}/episodes.csv", COLUMNS + "".join(episodes)),
    )


# --- Samples of Data to Insight and LIIA, counted by hand


def test_the_tables_hold_2675_children_and_803_short_breaks(samples):
    folder = samples("ssda903")
    found = read(*(folder / name for name in ("header.csv", "episodes.csv", "uasc.csv", "oc2.csv")))
    lines = [line.split(",") for line in (folder / "episodes.csv").read_text().splitlines()[1:]]
    short = {line[0] for line in lines if line[3] in ("V3", "V4")}
    others = {line[0] for line in lines if line[3] not in ("V3", "V4")}
    assert counts(found)["short_breaks"] == sum(line[3] in ("V3", "V4") for line in lines) == 803
    assert found.tables["episodes"]["pupil_id"].nunique() == len(others)
    assert short - others, "children of whom nothing is left"
    assert counts(found)["upn_check_letter"] == 2675 - 107, "107 UPNs have the right letter"
    assert set(found.tables["episodes"]["status"]) == {"CLA"}


def test_xml_says_pl_and_childid_and_is_read_the_same(samples):
    found = read(samples("ssda903/fake_903_first40.xml"))
    assert counts(found)["short_breaks"] == 17
    assert len(found.tables["episodes"]) == 35
    # Two episodes that follow each other are one period of care.
    assert ("O013219285333", "CLA", "2017-01-06", "2018-03-07", "episode") in rows(found)
    # A short break between two episodes parts them.
    assert [row[2:4] for row in rows(found) if row[0] == "I063784919257"] == [
        ("2017-03-27", "2017-09-30"),
        ("2017-12-20", None),
    ]


def test_a_child_id_with_two_birth_dates_and_two_upns_is_left_out(samples):
    folder = samples("ssda903")
    found = read(folder / "SSDA903_2020_header.csv", folder / "SSDA903_2020_episodes.csv")
    assert rows(found) == []
    assert counts(found)["child_id_of_two_children"] == 2
    assert counts(found)["short_breaks"] == 2


def test_the_form_of_the_samples_is_refused_when_mixed(samples):
    folder = samples("ssda903")
    names = ("header.csv", "episodes.csv", "fake_903_first40.xml")
    with pytest.raises(ContractError, match="of 2018 is given as XML and as CSV, must be given"):
        read(*(folder / name for name in names))


# --- Periods of care


@pytest.mark.parametrize(
    ("episodes", "periods"),
    [
        ([("01/04/2021", "01/06/2021"), ("01/06/2021", "")], [("2021-04-01", None)]),
        ([("01/04/2021", "01/09/2021"), ("01/05/2021", "01/06/2021")], [("2021-04-01",
         "2021-09-01")]),
        ([("01/04/2021", ""), ("01/06/2021", "01/07/2021")], [("2021-04-01", "2021-07-01")]),
        ([("01/04/2021", "01/05/2021"), ("03/05/2021", "")], [("2021-04-01", "2021-05-01"),
         ("2021-05-03", None)]),
        ([("2021-04-01", "2021-05-01")], [("2021-04-01", "2021-05-01")]),
    ],
    ids=["moves", "within another", "unclosed", "apart", "cleaned copy"],
)  # fmt: skip
def test_episodes_become_periods_of_care(write, episodes, periods):
    found = read(*returned(write, *(episode(*one) for one in episodes)))
    assert [row[2:4] for row in rows(found)] == periods


@pytest.mark.parametrize("legal_status", ["V3", "v4 "])
def test_short_breaks_are_left_out(write, legal_status):
    found = read(*returned(write, episode("01/04/2021", "", legal_status)))
    assert rows(found) == []
    assert counts(found)["short_breaks"] == 1


def test_years_are_told_by_their_folder_and_the_later_one_ends_what_it_no_longer_lists(write):
    first = returned(write, episode("01/05/2021"), episode("01/06/2021", child="2"),
                     header=HEADER + f"2,2,01/01/2010,WBRI,{OTHER_UPN},,\n")  # fmt: skip
    second = returned(write, episode("01/05/2021", "09/09/2022"), folder="2023")
    found = read(*first, *second)
    assert [(row[0], *row[2:4]) for row in rows(found)] == [
        (OTHER_UPN, "2021-06-01", "2022-03-31"),
        (UPN, "2021-05-01", "2022-09-09"),
    ]
    assert counts(found)["ended_with_last_return"] == 1


def test_reasons_for_no_upn_are_none(write):
    found = read(*returned(write, episode("01/05/2021"), header=HEADER.replace(UPN, "UN3")))
    assert rows(found) == []
    assert counts(found)["children_without_upn"] == 1


def test_a_date_that_cannot_be_read_is_counted(write):
    found = read(*returned(write, episode("01/05/2021", "02/01/20251"), episode("01/06/2021")))
    assert [row[2:4] for row in rows(found)] == [("2021-06-01", None)]
    assert counts(found)["dates_not_read"] == 1


XML = (
    "<EXPSSDA903><CHILD><HEADER><CHILDID>1</CHILDID><DOB>04/05/2012</DOB>"
    f"<UPN>{UPN}</UPN></HEADER><EPISODE><DECOM>01/05/2021</DECOM><LS>C2</LS><PL>U1</PL><DEC/>"
    "</EPISODE></CHILD></EXPSSDA903>"
)


def test_xml_and_csv_are_the_same_return(write):
    by_xml = rows(read(write("a.xml", XML)))
    assert by_xml == rows(read(*returned(write, episode("01/05/2021"))))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"episodes.csv": COLUMNS + episode("01/05/2021")}, "holds no header"),
        ({"header.csv": HEADER}, "holds no episodes"),
        ({"pupils.csv": "Name,UPN\nA,B\n"}, "pupils.csv has no header line with one of CHILD"),
        ({"a.xml": "<Message/>"}, "a.xml is not an SSDA903 return"),
        ({"a.xml": XML[:90]}, "a.xml cannot be read"),
        ({"a.xml": XML.replace("EPISODE", "Episode")}, "holds no CHILD with an EPISODE"),
        ({"a.xml": "<!DOCTYPE EXPSSDA903 [<!ENTITY a 'b'>]>" + XML}, "declares a document type"),
    ],
)
def test_what_is_no_return_is_refused_in_one_sentence(write, files, said):
    with pytest.raises(ContractError, match=said) as refused:
        read(*(write(name, text) for name, text in files.items()))
    assert UPN not in str(refused.value)
    assert "\n" not in str(refused.value)


# --- A law: the periods cover the days of the episodes and nothing else


DAY = pd.Timestamp("2020-01-01")
spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1, max_size=8)


@given(spans)
@settings(max_examples=25, deadline=None)
def test_the_union_has_the_days_of_its_spells_and_its_spells_do_not_touch(found):
    table = pd.DataFrame(
        {
            "child_id": "1",
            "status": "CLA",
            "start_date": [DAY + pd.Timedelta(days=a) for a, _ in found],
            "end_date": [DAY + pd.Timedelta(days=a + n) for a, n in found],
        }
    )
    joined = spells.union(table)

    def days(of):
        spans = zip(of["start_date"], of["end_date"], strict=True)
        return {day for begin, end in spans for day in pd.date_range(begin, end)}

    assert days(joined) == days(table)
    gaps = joined["start_date"].iloc[1:].to_numpy() - joined["end_date"].iloc[:-1].to_numpy()
    assert (gaps > pd.Timedelta(days=1)).all()
