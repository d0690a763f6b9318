"""A child has one record key for ever, and keys add up; the other number is drawn by lot."""

import hashlib
import hmac

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import frames
from tests.cohort.invented import PERIODS, random_returns
from tests.cohort.tables import SECRET, attendance, build, connect, enrolment, school
from vsh_eval import names
from vsh_eval.cohort import DuckDbEngine, build_cohort
from vsh_eval.cohort.engines import Temporary
from vsh_eval.cohort.record_keys import keep_keys
from vsh_eval.contracts import ContractError

KEYS = list(names.RECORD_KEYS)


ENGINE = DuckDbEngine(duckdb.connect())
IDS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20), max_size=40)


def kept_keys(ids, secret=SECRET):
    """Both numbers of every identifier, in the order of the pupils' numbers."""
    with Temporary(ENGINE) as engine:
        for name in ("enrolments", "attendance", "cohort_suspended", "attainment", "episodes"):
            engine.give(name, pd.DataFrame({"pupil_id": ids}, dtype="str"))
        keep_keys(engine, secret=secret)
        return engine.run("SELECT * FROM cohort_keys ORDER BY pupil")


@settings(max_examples=8, deadline=None)
@given(ids=IDS, secret=st.binary(min_size=16, max_size=100))
def test_a_record_key_depends_on_secret_and_identifier_alone(ids, secret):
    keys = kept_keys(ids, secret)
    assert dict(zip(keys["pupil_id"], keys["record_key"], strict=True)) == {
        one: int(
            hmac.new(secret, f"record key|{one}".encode(), hashlib.sha256).hexdigest()[:10], 16
        )
        for one in ids
    }


@settings(max_examples=8, deadline=None)
@given(ids=IDS)
def test_every_pupil_has_one_number_and_every_number_one_pupil(ids):
    keys = kept_keys(ids)
    assert sorted(keys["pupil_id"]) == sorted(set(ids))
    assert keys["pupil"].tolist() == list(range(len(set(ids))))


def test_numbers_are_drawn_anew_and_do_not_follow_the_identifiers():
    ids = [f"P{n:02d}" for n in range(50)]
    one, two = (kept_keys(ids)["pupil_id"].tolist() for _ in range(2))
    assert one != two
    assert ids not in (one, two)


def test_the_largest_sum_of_a_country_fits():
    assert kept_keys(["P1"])["record_key"].dtype == "int64"
    assert 8_000_000 * (2**40 - 1) < 2**63


@pytest.mark.parametrize("secret", [b"", b"short", bytes(15)])
def test_a_short_secret_is_refused(secret):
    with pytest.raises(ContractError, match="must have 16 or more"):
        build_cohort(connect({"schools": [school("100")]}), years=(202324,), secret=secret)


def test_the_key_of_a_union_is_the_sum_of_the_keys():
    first, second = random_returns(1, pupils=20), random_returns(2, pupils=20)
    renamed = {
        name: [(f"Q{row[0]}", *row[1:]) for row in rows] if name not in ("schools", "school_links")
        else rows
        for name, rows in second.items()
    }  # fmt: skip
    both = {
        name: rows if name in ("schools", "school_links") else rows + renamed[name]
        for name, rows in first.items()
    }
    keys = list(names.PANEL_KEYS)
    # Counted in every year, whoever else is in the returns: ranks, moves and gaps in them are not.
    metrics = ("overall_absence", "severe_absence", "ks2_rwm_expected", "ks4_attainment8")
    alone, other, union = (
        table.loc[table["metric"].isin(metrics)].set_index(keys)[[*KEYS, "pupils"]]
        for table in (build(each, years=PERIODS[:1]).panel for each in (first, renamed, both))
    )
    expected = pd.concat([alone, other]).groupby(level=keys).sum()
    pd.testing.assert_frame_equal(union, expected)


def test_another_secret_changes_the_keys_and_nothing_else():
    tables = random_returns(5, pupils=40)
    one = build(tables, years=PERIODS[3:])
    two = build_cohort(connect(tables), years=PERIODS[3:], secret=bytes(16))
    for name in ("panel", "composition", "new_entrants"):
        left, right = getattr(one, name), getattr(two, name)
        frames.assert_the_same(left.drop(columns=KEYS), right.drop(columns=KEYS), name)
        assert (left["key_n"] != right["key_n"]).all()


def test_a_mover_counts_twice_in_the_key_and_only_the_absent_in_the_other():
    tables = {
        "schools": [school("100"), school("200")],
        "enrolments": [enrolment("P0000001"), enrolment("P0000001", urn="200"),
                       enrolment("P0000002")],
        "attendance": [
            attendance("P0000001", auth=60, unauth=0),
            attendance("P0000001", urn="200", auth=0, unauth=0),
            attendance("P0000002", auth=0, unauth=0),
        ],
    }  # fmt: skip
    rows = build(tables).panel.query("metric == 'severe_absence'").set_index("unit_id")
    first, second = 323063534695, 1007160687101
    assert rows.loc["100", KEYS].tolist() == [first + second, first]
    assert rows.loc["200", KEYS].tolist() == [first, 0]
