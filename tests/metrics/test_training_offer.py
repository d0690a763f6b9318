import pandas as pd
import pytest

from vsh_eval.contracts import ContractError
from vsh_eval.metrics import programme_overlap, trained_by_year, years_to_second_programme


@pytest.fixture
def log():
    rows = [
        ("1", "elsa", "targeted", 202223),
        ("1", "elsa", "targeted", 202324),
        ("1", "safeguarding", "universal", 202425),
        ("2", "safeguarding", "universal", 202223),
        ("2", "elsa", "targeted", 202223),
        ("3", "elsa", "targeted", 202425),
        ("4", "elsa", "universal", 202425),
    ]
    frame = pd.DataFrame(rows, columns=["unit_id", "programme", "tier", "time_period"])
    return frame.assign(start_date=pd.Timestamp("2023-01-01"))


def test_each_school_is_new_once(log):
    found = trained_by_year(log)
    every = found[(found["programme"] == "any") & (found["tier"] == "any")]
    assert every["time_period"].tolist() == [202223, 202324, 202425]
    assert every["schools_new"].tolist() == [2, 0, 2]
    assert every["schools_cumulative"].tolist() == [2, 2, 4]
    elsa = found[(found["programme"] == "elsa") & (found["tier"] == "universal")]
    assert elsa["schools_new"].tolist() == [0, 0, 1]
    assert not ((found["programme"] == "safeguarding") & (found["tier"] == "targeted")).any()


def test_combinations_share_the_schools_out(log):
    found = programme_overlap(log)
    assert found["combination"].tolist() == ["elsa", "elsa + safeguarding"]
    assert found["programmes"].tolist() == [1, 2]
    assert found["schools"].tolist() == [2, 2]


def test_the_second_programme_is_another_one(log):
    found = years_to_second_programme(log)
    assert found["years"].tolist()[:2] == [0, 2]
    assert found["schools"].tolist() == [1, 1, 2]
    assert found["years"].isna().tolist() == [False, False, True]


def test_an_empty_log_gives_empty_tables(log):
    assert trained_by_year(log.head(0)).empty
    assert programme_overlap(log.head(0)).empty
    assert years_to_second_programme(log.head(0)).empty


@pytest.mark.parametrize("read", [trained_by_year, programme_overlap, years_to_second_programme])
def test_a_missing_column_is_named(log, read):
    with pytest.raises(ContractError, match="training lacks the column programme"):
        read(log.drop(columns="programme"))
