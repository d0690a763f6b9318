import pytest

from tests.release.made import NAN, gap_rows, safe
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.release import last_year

LATEST = 202425


def test_the_last_year_is_the_last_with_a_number():
    group = [12.1, NAN, 12.9, 15.8, 17.0, NAN, NAN]
    assert last_year(safe(gap_rows(group=group))) == 202223


def test_where_everything_is_hidden_it_is_the_last_year_of_all():
    hidden = safe(gap_rows(group=[NAN] * 7, status="c"))
    assert last_year(hidden) == LATEST


def test_only_the_rows_asked_for_count():
    import pandas as pd

    old = gap_rows("persistent_absence", group=[30.0, NAN, 31.0, NAN, NAN, NAN, NAN])
    both = safe(pd.concat([gap_rows(), old], ignore_index=True))
    assert last_year(both, metric="persistent_absence") == 202021
    assert last_year(both, metric=["persistent_absence", "overall_absence"]) == LATEST
    assert last_year(both, metric="persistent_absence", phase=None) == 202021


def test_a_table_without_a_status_has_nothing_hidden():
    rows = gap_rows().drop(columns="status")
    assert last_year(safe(rows)) == LATEST


def test_rows_that_are_not_there_have_no_last_year():
    with pytest.raises(ContractError, match="no row of the gaps table has metric = happiness"):
        last_year(safe(gap_rows()), metric="happiness")


def test_a_table_that_did_not_come_through_the_door_is_refused():
    with pytest.raises(DisclosureError):
        last_year(gap_rows())
