"""The children in need census: samples, what changed by year, laws, and files that are broken."""

from pathlib import Path
from xml.etree.ElementTree import fromstring, tostring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.returns.formats.made import (
    NOTHING,
    OTHER_UPN,
    UPN,
    census,
    counts,
    details,
    identifiers,
    plan,
    protection,
    referral,
    rows,
)
from vsh_eval.contracts import ContractError
from vsh_eval.returns.formats.social_care import cin_census

WHOLE = identifiers() + referral(end="2022-02-01", inner=plan() + protection())
READ = [
    (UPN, "CIN", "2021-05-01", "2022-02-01", "episode"),
    (UPN, "CIN", "2021-06-01", "2021-09-01", "plan"),
    (UPN, "CPP", "2021-07-01", "2021-12-01", "episode"),
]


def read(*paths):
    return cin_census.read(paths, options=NOTHING)


# --- Samples of Data to Insight and LIIA, counted by hand


def test_a_census_of_2022_has_a_referral_a_plan_and_a_protection_plan(samples):
    found = read(samples("cin_census_xml/BAR_cin_2022.xml"))
    assert rows(found) == [
        ("A123456789123", "CIN", "1970-10-06", "1971-02-27", "episode"),
        ("A123456789123", "CIN", "1971-01-24", "1971-01-26", "plan"),
        ("A123456789123", "CPP", "1970-02-17", "1971-03-14", "episode"),
    ]
    former = found.references["former_upns"].to_numpy().tolist()
    assert former == [["X98765432123B", "A123456789123"]]
    assert counts(found) == {"upn_check_letter": 1}


def test_text_between_elements_a_wrong_year_and_sex_as_a_number_do_no_harm(samples):
    found = read(samples("cin_census_xml/CIN_Census_2024.xml"))
    assert [row[:3] for row in rows(found)] == [
        ("A123456789123", "CIN", "2022-10-06"),
        ("A123456789123", "CIN", "2023-01-24"),
        ("A123456789123", "CPP", "2022-02-17"),
    ]
    assert details(found, "census_header_differs")["year"] == 2024
    assert details(found, "elements_of_another_year")["names"] == ("Sex",)
    assert counts(found)["children_not_of_school_age"] == 1


def test_referrals_with_no_further_action_are_counted_and_begin_no_episode(samples):
    found = read(samples("cin_census_xml/fake_CIN_data.xml"))
    assert rows(found) == []
    assert details(found, "referrals_without_action") == {
        "file": "", "rows": 402, "of_rows": 402
    }  # fmt: skip
    assert counts(found)["upn_check_letter"] == 332 - 12, "12 UPNs have the right letter"


def test_the_csv_tables_mix_forms_of_dates(samples):
    folder = samples("cin_census_csv")
    found = read(*folder.glob("*.csv"))
    table = found.tables["episodes"]
    assert len(table) == 101
    assert table["start_date"].notna().all()
    first = (samples("cin_census_csv/CINdetails.csv")).read_text().splitlines()[1]
    assert "13/07/2020" in first
    assert ("A850728973744", "CIN", "2020-07-13", "2021-06-11", "episode") in rows(found)


# --- What is read


@pytest.mark.parametrize(
    "root", ["Message", 'Message xmlns="urn:cin"', 'Message xmlns:x="http://www.w3.org/x"']
)
def test_a_namespace_changes_nothing(write, root):
    assert rows(read(write("a.xml", census(WHOLE, root=root)))) == READ


@pytest.mark.parametrize("year", range(2017, 2027))
def test_every_census_year_is_known(write, year):
    sex = "<Sex>M</Sex>" if year >= 2025 else "<GenderCurrent>1</GenderCurrent>"
    child = identifiers(more=sex) + referral(end="2022-02-01")
    found = read(write("a.xml", census(child, year=year)))
    assert rows(found) == READ[:1]
    assert counts(found) == {}


def test_a_plan_in_a_census_before_2022_is_read_and_said(write):
    found = read(write("a.xml", census(WHOLE, year=2021)))
    assert rows(found) == READ
    names = details(found, "elements_of_another_year")["names"]
    assert names == ("CINPlanDates", "CINPlanEndDate", "CINPlanStartDate")


def test_a_later_year_is_read_and_its_new_elements_are_named(write):
    child = identifiers(more="<Nationality>GB</Nationality>") + referral(end="2022-02-01")
    found = read(write("a.xml", census(child, year=2031)))
    assert rows(found) == READ[:1]
    assert details(found, "census_year_later_than_known")["last"] == 2026
    assert details(found, "unknown_elements")["names"] == ("Nationality",)


def test_the_pre_proceedings_of_2026_are_known(write):
    inner = "<PreProceedingsandFGDM><PPStartDate>2025-11-11</PPStartDate></PreProceedingsandFGDM>"
    found = read(write("a.xml", census(identifiers() + referral(inner=inner), year=2026)))
    assert "unknown_elements" not in counts(found)


def test_children_without_a_upn_are_left_out_and_counted_by_why(write):
    unborn = (
        "<ChildIdentifiers><LAchildID>2</LAchildID>"
        "<ExpectedPersonBirthDate>2022-06-01</ExpectedPersonBirthDate></ChildIdentifiers>"
    )
    young = identifiers("3", "", more="<UPNunknown>UN1</UPNunknown>")
    new = identifiers("4", "un4", more="<UPNunknown>UN4</UPNunknown>")
    nameless = "<ChildIdentifiers><UPNunknown>UN1</UPNunknown></ChildIdentifiers>"
    children = [one + referral() for one in (identifiers(), unborn, young, new, nameless)]
    found = read(write("a.xml", census(*children)))
    assert [row[0] for row in rows(found)] == [UPN]
    assert counts(found) == {
        "children_unborn": 1, "children_not_of_school_age": 2, "children_without_upn": 3
    }  # fmt: skip


def test_a_child_has_the_upn_that_another_year_gives(write):
    before = write("2022.xml", census(identifiers(upn="") + referral(end="2021-09-01")))
    after = write("2023.xml", census(identifiers() + referral("2022-05-01"), year=2023))
    assert [row[0] for row in rows(read(before, after))] == [UPN, UPN]


def test_several_upns_are_one_child_with_former_ones(write):
    more = f"<UPN>{OTHER_UPN}</UPN><FormerUPN>x00180001701a</FormerUPN>"
    found = read(write("a.xml", census(identifiers(more=more) + referral())))
    assert [row[0] for row in rows(found)] == [UPN]
    former = set(found.references["former_upns"].itertuples(index=False, name=None))
    assert former == {(OTHER_UPN, UPN), ("X00180001701A", UPN)}


def test_an_open_spell_is_closed_by_the_census_that_closes_it(write):
    open_still = write("2022.xml", census(identifiers() + referral()))
    closed = census(identifiers() + referral(end="2022-09-09"), year=2023)
    assert rows(read(open_still, write("2023.xml", closed))) == [
        (UPN, "CIN", "2021-05-01", "2022-09-09", "episode")
    ]


def test_a_spell_that_later_censuses_no_longer_list_ended_with_the_last_that_does(write):
    first = write("2022.xml", census(identifiers() + referral(inner=protection(end=""))))
    second = write("2023.xml", census(identifiers() + referral("2023-01-01"), year=2023))
    found = read(first, second)
    assert rows(found) == [
        (UPN, "CIN", "2021-05-01", "2022-03-31", "episode"),
        (UPN, "CIN", "2023-01-01", None, "episode"),
        (UPN, "CPP", "2021-07-01", "2022-03-31", "episode"),
    ]
    assert counts(found)["ended_with_last_return"] == 2


def test_a_referral_that_led_to_action_later_is_an_episode(write):
    first = write("2022.xml", census(identifiers() + referral(nfa="1")))
    second = write("2023.xml", census(identifiers() + referral(nfa="0"), year=2023))
    assert len(rows(read(first, second))) == 1


def test_a_death_ends_an_open_spell(write):
    child = identifiers(more="<PersonDeathDate>2021-08-08</PersonDeathDate>") + referral()
    assert rows(read(write("a.xml", census(child))))[0][3] == "2021-08-08"


def test_two_children_with_one_upn_are_refused_as_a_pair(write):
    twins = [identifiers("1"), identifiers("2", born="2014-01-01"), identifiers("3", OTHER_UPN)]
    found = read(write("a.xml", census(*(one + referral() for one in twins))))
    assert [row[0] for row in rows(found)] == [OTHER_UPN]
    assert counts(found)["upn_of_two_children"] == 2


def test_a_child_with_two_ids_and_a_birth_date_cut_to_the_month_is_one_child(write):
    both = [identifiers("1", born="2012-05-04"), identifiers("2", UPN.lower(), "2012-05-01")]
    found = read(write("a.xml", census(*(one + referral() for one in both))))
    assert rows(found) == [(UPN, "CIN", "2021-05-01", None, "episode")]


def test_spells_that_nobody_can_place_in_time_are_left_out_and_counted(write):
    spells = [referral(""), referral("31/31/2021"), referral("2021-05-01", "2020-01-01")]
    found = read(write("a.xml", census(identifiers() + "".join(spells) + referral())))
    assert rows(found) == [(UPN, "CIN", "2021-05-01", None, "episode")]
    assert counts(found) == {
        "spells_without_start": 1, "dates_not_read": 1, "spells_end_before_start": 1
    }  # fmt: skip


def test_returns_of_two_authorities_and_lacking_years_are_said(write):
    one = write("a.xml", census(WHOLE, year=2022))
    other = write("b.xml", census(WHOLE, year=2024, lea="935"))
    found = read(one, other)
    assert details(found, "several_authorities")["names"] == ("201", "935")
    assert details(found, "returns_lack_years")["names"] == (2023,)


# --- CSV tables


CSV = {
    "Header.csv": ",Collection,Year,ReferenceDate\n0,CIN,2022,2022-03-31\n",
    "ChildIdentifiers.csv": f",LAchildID,UPN,FormerUPN,UPNunknown,PersonBirthDate\n"
    f"0,1,{UPN},,,2012-05-04\n",
    "CINdetails.csv": ",LAchildID,CINdetailsID,CINreferralDate,CINclosureDate,ReferralNFA\n"
    "0,1,1,01/05/2021,01/02/2022,FALSE\n",
    "CINplanDates.csv": ",LAchildID,CINdetailsID,CINPlanStartDate,CINPlanEndDate\n"
    "0,1,1,2021-06-01,2021-09-01\n",
    "ChildProtectionPlans.csv": ",LAchildID,CPPID,CPPstartDate,CPPendDate\n"
    "0,1,1,2021-07-01,2021-12-01\n",
}  # fmt: skip


def test_the_csv_tables_are_the_same_census_as_the_xml(write):
    paths = [write(f"2022/{name}", text) for name, text in CSV.items()]
    assert rows(read(*paths)) == READ


def test_an_event_a_row_is_the_same_census_whatever_its_columns_order(write):
    lines = [
        "YEAR,LA,UPN,LAchildID,Type,Date,PersonBirthDate,CINreferralDate,CINclosureDate,"
        "ReferralNFA,CINPlanStartDate,CINPlanEndDate,CPPstartDate,CPPendDate",
        f"2022,X,{UPN},1,CIN,,2012-05-01,2021-05-01,2022-02-01,0,2021-06-01,2021-09-01,,",
        f"2022,X,{UPN},1,CPP,,2012-05-01,2021-05-01,2022-02-01,0,,,2021-07-01,2021-12-01",
    ]
    expected = rows(read(write("events.csv", "\n".join(lines))))
    assert expected == READ
    cells = [line.split(",") for line in lines]
    order = list(reversed(range(14)))
    reverse = "\n".join(",".join(row[i] for i in order) for row in cells)
    assert rows(read(write("reverse.csv", reverse))) == expected


def test_one_census_in_both_forms_is_refused(write):
    paths = [write(f"2022/{name}", text) for name, text in CSV.items()]
    with pytest.raises(ContractError, match="of 2022 is given as XML and as CSV, must be given"):
        read(*paths, write("a.xml", census(WHOLE)))


def test_another_table_is_refused(write):
    path = write("staff.csv", "Name,Team\nA,B\n")
    with pytest.raises(ContractError, match=r"staff.csv has no header line with one of LAchildID"):
        read(path)


# --- Laws


@given(st.permutations(range(3)), st.randoms(use_true_random=False))
@settings(max_examples=6, deadline=None)
def test_the_order_of_files_and_of_elements_never_changes_a_table(tmp_path_factory, order, rng):
    folder = tmp_path_factory.mktemp("census")
    texts = [
        census(WHOLE, identifiers("2", OTHER_UPN) + referral()),
        census(identifiers("2", OTHER_UPN) + referral(end="2022-10-10"), year=2023),
        census(identifiers() + referral("2023-06-06", inner=plan("2023-07-07", "")), year=2024),
    ]
    paths = []
    for i, text in enumerate(texts):
        tree = fromstring(text)  # noqa: S314 - written above
        for parent in tree.iter():
            if parent.tag in ("CINdetails", "ChildIdentifiers", "Child", "Children"):
                children = list(parent)
                rng.shuffle(children)
                parent[:] = children
        path = Path(folder, f"{i}.xml")
        path.write_bytes(tostring(tree))
        paths.append(path)
    assert rows(read(*(paths[i] for i in order))) == [
        (OTHER_UPN, "CIN", "2021-05-01", "2022-10-10", "episode"),
        *READ[:1],
        (UPN, "CIN", "2021-06-01", "2021-09-01", "plan"),
        (UPN, "CIN", "2023-06-06", None, "episode"),
        (UPN, "CIN", "2023-07-07", None, "plan"),
        *READ[2:],
    ]


# --- Files that are broken, or meant to do harm


BOMB = (
    '<!DOCTYPE Message [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<Message><Children>&b;</Children></Message>"
)
OUTSIDE = '<!DOCTYPE Message [<!ENTITY x SYSTEM "file:///etc/passwd">]><Message>&x;</Message>'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "declares a document type, must not"),
        (OUTSIDE, "declares a document type, must not"),
        (BOMB.encode("utf-16"), "declares a document type, must not"),
        (census(WHOLE)[:-40], "cannot be read from line 1 on, must be whole XML"),
        ("", "cannot be read from line 1 on, must be whole XML"),
        ("LAchildID,UPN\n", "cannot be read from line 1 on, must be whole XML"),
        ("<Message>&x;</Message>", "must be whole XML"),
        ("<html><body/></html>", "is not a children in need census, must be one"),
        (census(WHOLE).replace(">CIN<", ">903<"), "is not a children in need census"),
        (census(WHOLE, year="x", date="y"), "names neither a year nor a reference date"),
        ('<?xml version="1.0" encoding="utf-99"?><Message/>', "must be whole XML"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(write, text, said):
    path = write("a.xml", text)
    with pytest.raises(ContractError, match=r"a\.xml") as refused:
        read(path)
    assert said in str(refused.value)
    assert UPN not in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_whatever_is_done_to_a_file_it_is_read_or_refused(tmp_path_factory, data):
    text = bytearray(census(WHOLE, WHOLE.replace("<LAchildID>1", "<LAchildID>2")).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text) - 1))
        end = min(len(text), at + data.draw(st.integers(0, 30)))
        text[at:end] = data.draw(st.binary(max_size=8))
    path = tmp_path_factory.mktemp("fuzz") / "a.xml"
    path.write_bytes(bytes(text))
    try:
        found = read(path)
    except ContractError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert set(found.tables["episodes"]["status"]) <= {"CIN", "CPP"}
