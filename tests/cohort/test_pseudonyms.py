"""Pseudonyms mean nothing: who has which number is drawn by lot."""

from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval.cohort import pseudonymise


@settings(max_examples=20, deadline=None)
@given(ids=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20), max_size=40))
def test_every_pupil_has_one_number_and_every_number_one_pupil(ids):
    table = pseudonymise(ids)
    assert sorted(table["pupil_id"]) == sorted(set(ids))
    assert table["pupil"].tolist() == list(range(len(set(ids))))
    assert str(table["pupil"].dtype) == "int64"


def test_numbers_are_drawn_anew_and_do_not_follow_the_identifiers():
    ids = [f"P{n:02d}" for n in range(50)]
    one, two = (pseudonymise(ids)["pupil_id"].tolist() for _ in range(2))
    assert one != two
    assert ids not in (one, two)
