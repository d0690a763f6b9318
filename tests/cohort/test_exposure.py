"""From which academic year a school counts as trained."""

import pandas as pd
import pytest

from vsh_eval import names
from vsh_eval.cohort import build_exposure, training_log
from vsh_eval.contracts import ContractError

URNS = pd.DataFrame({"urn": ["1", "2", "3", "old2"], "unit_id": ["1", "2", "3", "2"]})


def log(*rows):
    columns = ["urn", "programme", "tier", "start_date"]
    table = pd.DataFrame(list(rows), columns=columns)
    return training_log(table.assign(start_date=pd.to_datetime(table["start_date"])), URNS)


def adopted(table, programme="any", tier="any"):
    part = table.loc[(table["programme"] == programme) & (table["tier"] == tier)]
    return dict(zip(part["unit_id"], part["adopted"], strict=True))


@pytest.mark.parametrize(
    ("date", "first_full_year", "same_year"),
    [
        ("2021-08-31", 202122, 202021),
        ("2021-09-01", 202122, 202122),
        ("2021-10-31", 202122, 202122),
        ("2021-11-01", 202223, 202122),
        ("2021-12-31", 202223, 202122),
        ("2022-01-01", 202223, 202122),
        ("2000-02-29", 200001, 199900),
    ],
)
def test_the_year_of_adoption_at_the_edges(date, first_full_year, same_year):
    training = log(("1", "elsa", "targeted", date))
    full = build_exposure(training, units=["1"], rule="first_full_year")
    same = build_exposure(training, units=["1"], rule="same_year")
    assert adopted(full) == {"1": first_full_year}
    assert adopted(same) == {"1": same_year}
    assert full["first_date"].unique().tolist() == [pd.Timestamp(date)]


def test_a_school_never_trained_is_nought_and_never_missing():
    table = build_exposure(log(("1", "elsa", "targeted", "2021-09-01")), units=["1", "2"])
    assert adopted(table) == {"1": 202122, "2": names.NEVER}
    assert table["adopted"].dtype == "int64"
    assert table.loc[table["adopted"] == 0, "first_date"].isna().all()


def test_one_row_a_school_for_all_each_programme_and_each_tier():
    training = log(
        ("1", "elsa", "targeted", "2021-09-10"),
        ("1", "safeguarding", "universal", "2019-09-10"),
        ("3", "safeguarding", "targeted", "2023-11-10"),
    )
    table = build_exposure(training, units=["1", "2", "3"])
    pairs = table[["programme", "tier"]].drop_duplicates().to_numpy().tolist()
    assert pairs == [
        ["any", "any"],
        ["elsa", "any"],
        ["safeguarding", "any"],
        ["any", "targeted"],
        ["any", "universal"],
    ]
    assert not table.duplicated(["unit_id", "programme", "tier"]).any()
    assert len(table) == 15
    assert adopted(table) == {"1": 201920, "2": 0, "3": 202425}
    assert adopted(table, "elsa") == {"1": 202122, "2": 0, "3": 0}
    assert adopted(table, tier="targeted") == {"1": 202122, "2": 0, "3": 202425}


def test_programmes_and_tier_of_the_settings_restrict_the_first_row_only():
    training = log(
        ("1", "elsa", "targeted", "2021-09-10"),
        ("1", "safeguarding", "universal", "2019-09-10"),
    )
    by_programme = build_exposure(training, units=["1"], programmes=("elsa",))
    assert adopted(by_programme) == {"1": 202122}
    assert adopted(by_programme, "safeguarding") == {"1": 201920}
    by_tier = build_exposure(training, units=["1"], tier="universal")
    assert adopted(by_tier) == {"1": 201920}
    assert adopted(by_tier, "elsa") == {"1": 202122}
    neither = build_exposure(training, units=["1"], programmes=("elsa",), tier="universal")
    assert adopted(neither) == {"1": 0}


def test_training_of_a_predecessor_is_the_stable_schools():
    training = log(
        ("old2", "elsa", "targeted", "2017-09-10"), ("2", "elsa", "targeted", "2021-09-10")
    )
    assert adopted(build_exposure(training, units=["2"])) == {"2": 201718}


def test_nothing_trained_yet_leaves_everybody_at_nought():
    table = build_exposure(log(), units=["1", "2"])
    assert adopted(table) == {"1": 0, "2": 0}
    assert str(table["first_date"].dtype).startswith("datetime64")


def test_a_known_programme_that_has_not_begun_is_no_error_a_slip_is():
    training = log(
        ("1", "elsa", "targeted", "2021-09-10"), ("1", "our_own", "targeted", "2021-10-10")
    )
    table = build_exposure(training, units=["1"], programmes=("emotion_coaching", "our_own"))
    assert adopted(table) == {"1": 202122}
    with pytest.raises(ContractError, match="exposure programme is 'esla', must be one of"):
        build_exposure(training, units=["1"], programmes=("esla",))


@pytest.mark.parametrize("option", [{"rule": "next_day"}, {"tier": "middle"}])
def test_an_unknown_rule_or_tier_is_refused(option):
    with pytest.raises(ContractError, match="must be one of"):
        build_exposure(log(), units=["1"], **option)


def test_the_log_has_the_contracts_columns_and_gaps_are_plain():
    training = pd.DataFrame(
        {
            "urn": ["old2", "9"],
            "programme": ["elsa", "elsa"],
            "tier": ["targeted", "targeted"],
            "start_date": pd.to_datetime(["2021-09-01", "2021-09-01"]),
            "staff_trained": pd.array([3, None], dtype="Int64"),
            "audience": [None, "dsl"],
        }
    )
    table = training_log(training, URNS)
    assert table.columns.tolist() == [
        "unit_id", "programme", "tier", "audience", "start_date", "time_period",
        "staff_trained", "hours", "cost",
    ]  # fmt: skip
    (row,) = table.to_dict("records")
    assert (row["unit_id"], row["audience"], row["time_period"]) == ("2", "", 202122)
    assert row["staff_trained"] == 3.0
    assert pd.isna(row["hours"])
    assert pd.isna(row["cost"])


def test_a_programme_called_any_is_refused():
    with pytest.raises(ContractError, match="programme called 'any'"):
        log(("1", "any", "targeted", "2021-09-10"))
