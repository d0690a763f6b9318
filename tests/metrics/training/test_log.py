import pandas as pd
import pytest

from vsh_eval.contracts import ContractError
from vsh_eval.metrics.training import (
    programme_overlap,
    training_records,
    years_to_second_programme,
)


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


def test_combinations_share_the_schools_out(log):
    twice = pd.concat([log, log.assign(unit_id=log["unit_id"] + "b")])
    found = programme_overlap(twice)
    assert found["combination"].tolist() == ["elsa", "elsa + safeguarding"]
    assert found["programmes"].tolist() == [1, 2]
    assert found["schools"].tolist() == [4, 4]


def test_the_second_programme_is_another_one(log):
    found = years_to_second_programme(log)
    assert found["years"].tolist()[:2] == [0, 2]
    assert found["schools"].tolist() == [1, 1, 2]
    assert found["years"].isna().tolist() == [False, False, True]
    assert found["wait"].tolist() == ["same_year", "2_years", "no_second_programme"]


def test_rare_combinations_stand_together():
    sizes = {"a": 5, "b": 3, "a + b": 1, "c": 1}
    rows = [
        (f"{combination}{school}", programme)
        for combination, schools in sizes.items()
        for school in range(schools)
        for programme in combination.split(" + ")
    ]
    log = pd.DataFrame(rows, columns=["unit_id", "programme"]).assign(
        tier="targeted", start_date=pd.Timestamp("2022-01-10"), time_period=202122
    )
    found = programme_overlap(log).set_index("combination")["schools"]
    assert found.to_dict() == {"a": 5, "other combinations": 5}


def test_records_say_what_is_missing(log):
    some = log.assign(
        staff_trained=2.0, hours=[6.0, 3.0, *[float("nan")] * 5], cost=float("nan"), audience=""
    )
    found = training_records(some).set_index("programme")
    given = ["trainings", "with_staff", "with_hours", "with_cost", "with_audience"]
    assert found.loc["any", given].tolist() == [7, 7, 2, 0, 0]
    assert found.loc[["elsa", "safeguarding"], "trainings"].tolist() == [5, 2]


@pytest.mark.parametrize(
    ("made", "count"),
    [(programme_overlap, "schools"), (years_to_second_programme, "schools"),
     (training_records, "trainings")],
)  # fmt: skip
def test_training_after_the_last_year_does_not_count(log, made, count):
    log = log.assign(staff_trained=1.0, hours=1.0, cost=1.0, audience="")
    last = int(log["time_period"].max()) - 1
    expected = made(log[log["time_period"].le(last)])
    assert made(log, last).equals(expected)
    assert made(log, last)[count].sum() < made(log)[count].sum()


def test_an_empty_log_gives_empty_tables(log):
    assert programme_overlap(log.head(0)).empty
    assert years_to_second_programme(log.head(0)).empty


@pytest.mark.parametrize("read", [programme_overlap, years_to_second_programme, training_records])
def test_a_missing_column_is_named(log, read):
    with pytest.raises(ContractError, match=r"training lacks the columns? .*programme"):
        read(log.drop(columns="programme"))
