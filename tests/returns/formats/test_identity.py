"""Who is who: check letters of known UPNs, former UPNs, pairs that are refused."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsh_eval.returns.formats import coded, identity


@pytest.mark.parametrize(
    ("upn", "fits"),
    [
        ("A950000178301", True),
        ("H243278544154", True),
        ("X845212818005", True),
        ("H801200001001", True),
        ("X00180001701A", True),
        ("R247962919251", False),
        ("X428558133462", False),
        ("B207000016049", False),
        ("A123456789123", False),
        ("P207000016049", True),
        ("A12345678912", False),
        ("A12345678912I", False),
    ],
)
def test_check_letters_of_known_upns(upn, fits):
    assert identity.check_letter_fits(pd.Series([upn, None])).tolist() == [fits, True]


@given(st.text(alphabet="abcxyz0123456789", min_size=1, max_size=14))
def test_case_and_blanks_never_change_a_upn(text):
    spaced = pd.Series([" ".join(text), text.upper(), f"\u00a0{text}\t"])
    assert len(set(coded.column(coded.upn, spaced))) == 1


@pytest.mark.parametrize(
    ("pairs", "written", "ambiguous"),
    [
        ([("A", "B"), ("B", "C")], ["C", "C", "C"], 0),
        ([("A", "B"), ("A", "C")], ["A", "B", "C"], 1),
        ([("A", "B"), ("B", "A")], ["A", "B", "C"], 2),
        ([], ["A", "B", "C"], 0),
    ],
    ids=["chain", "two children", "circle", "none"],
)
def test_former_upns_are_followed_where_they_lead_to_one_child(pairs, written, ambiguous):
    tables = {"episodes": pd.DataFrame({"pupil_id": ["A", "B", "C"], "row": [1, 2, 3]})}
    former = pd.DataFrame(pairs, columns=["former_upn", "upn"])
    changed = identity.one_upn_a_child(tables, former)
    assert changed.tables["episodes"]["pupil_id"].tolist() == written
    rows = {note.code: note.details["rows"] for note in changed.notes}
    assert rows.get("former_upn_of_two_children", 0) == ambiguous
