"""Pseudonyms mean nothing without the key."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval.cohort import new_key, pseudonymise
from vsh_eval.cohort import pseudonyms as module
from vsh_eval.contracts import ContractError

KEY = bytes(range(32))
IDS = st.lists(st.text(min_size=1, max_size=20), max_size=40)


def as_dict(table):
    return dict(zip(table["pupil_id"], table["pupil"], strict=True))


@settings(max_examples=50, deadline=None)
@given(ids=IDS)
def test_the_same_key_gives_the_same_number_whatever_the_order(ids):
    table = as_dict(pseudonymise(ids, key=KEY))
    assert table == as_dict(pseudonymise(ids[::-1], key=KEY))
    assert set(table) == set(ids)
    assert len(set(table.values())) == len(table)


def test_the_number_is_the_first_63_bits_of_the_hmac():
    full = hmac.new(KEY, "Ä1".encode(), hashlib.sha256).hexdigest()
    assert as_dict(pseudonymise(["Ä1"], key=KEY)) == {"Ä1": int(full[:16], 16) // 2}


def test_another_key_gives_other_numbers_in_another_order():
    ids = [f"P{n}" for n in range(50)]
    one, two = pseudonymise(ids, key=KEY), pseudonymise(ids, key=new_key())
    assert not set(one["pupil"]) & set(two["pupil"])
    assert one["pupil_id"].tolist() != two["pupil_id"].tolist()
    assert one["pupil_id"].tolist() != ids


def test_no_pupils_give_an_empty_table_of_the_same_types():
    table = pseudonymise([], key=KEY)
    assert table.empty
    assert str(table["pupil"].dtype) == "int64"


@pytest.mark.parametrize("key", [b"", b"short", bytes(15)])
def test_a_short_key_is_refused(key):
    with pytest.raises(ContractError, match="must have 16 or more"):
        pseudonymise(["P1"], key=key)


def test_pupils_who_share_a_number_are_refused_without_being_named(monkeypatch):
    monkeypatch.setattr(module, "_number", lambda *_: 7)
    with pytest.raises(ContractError, match="1 of 2 pupils share a pseudonym") as error:
        pseudonymise(["P1", "P2"], key=KEY)
    assert "P1" not in str(error.value)
    assert "P2" not in str(error.value)


def test_keys_are_drawn_anew():
    assert new_key() != new_key()
