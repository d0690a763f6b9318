import numpy as np
import pandas as pd
import pytest

from tests.metrics.panels import published_panel, returns_panel
from vsh_eval.contracts import ContractError
from vsh_eval.metrics import REACH_COLUMNS, training_reach

YEARS = (202223, 202324, 202425)


@pytest.fixture
def schools():
    return pd.DataFrame(
        {
            "unit_id": ["1", "2", "3", "4"],
            "phase": ["primary", "primary", "secondary", "secondary"],
            "opened": [pd.NaT, pd.NaT, pd.NaT, pd.Timestamp("2024-09-01")],
            "closed": [pd.NaT, pd.Timestamp("2024-08-31"), pd.NaT, pd.NaT],
        }
    )


@pytest.fixture
def log():
    return pd.DataFrame(
        {
            "unit_id": ["1", "1", "2", "3"],
            "programme": ["elsa", "elsa", "safeguarding", "elsa"],
            "tier": ["targeted", "targeted", "universal", "universal"],
            "start_date": pd.to_datetime(["2022-10-01", "2024-01-10", "2023-03-01", "2025-02-01"]),
            "time_period": [202223, 202324, 202223, 202425],
            "staff_trained": [2, 1, 10, 4],
            "hours": [36.0, 18.0, 2.0, np.nan],
            "cost": [np.nan] * 4,
        }
    )


@pytest.fixture
def panel():
    pupils = {
        202223: {"1": 6, "2": 4, "3": 10},
        202425: {"1": 5, "3": 10, "4": 5},
    }
    rows = [
        (school, year, "primary" if school in "12" else "secondary", group, metric, n, n, n * 10)
        for year, counts in pupils.items()
        for school, count in counts.items()
        for group, n in (("cin", count), ("peers", 100))
        for metric in ("overall_absence", "persistent_absence")
    ]
    return returns_panel(rows)


def reach(log, schools, panel, **where):
    found = training_reach(log, schools, panel, years=YEARS, group="cwsw")
    assert tuple(found.columns) == REACH_COLUMNS
    for name, value in ({"programme": "any", "tier": "any", "phase": "total"} | where).items():
        found = found[found[name] == value]
    return found.set_index("time_period")


def test_schools_open_and_trained(log, schools, panel):
    found = reach(log, schools, panel)
    assert found["schools"].tolist() == [3, 3, 3]
    assert found["schools_trained"].tolist() == [2, 2, 2]
    assert found["share_schools"].tolist() == pytest.approx([200 / 3] * 3)


def test_pupils_reached_follow_the_schools(log, schools, panel):
    found = reach(log, schools, panel)
    assert found.loc[202223, ["pupils", "pupils_reached"]].tolist() == [20, 10]
    assert found.loc[202425, ["pupils", "pupils_reached"]].tolist() == [20, 15]
    assert found["share_pupils"].tolist() == pytest.approx([50, np.nan, 75], nan_ok=True)
    assert pd.isna(found.loc[202324, "pupils"])


def test_depth_is_cumulative_and_keeps_schools_closed_since(log, schools, panel):
    found = reach(log, schools, panel)
    assert found["staff_trained"].tolist() == [12, 13, 17]
    assert found["hours"].tolist() == [38, 56, 56]
    assert found.loc[202425, "staff_per_100_pupils"] == pytest.approx(85)
    assert found["cost"].isna().all()


def test_by_programme_tier_and_phase(log, schools, panel):
    elsa = reach(log, schools, panel, programme="elsa", phase="primary")
    assert elsa["schools_trained"].tolist() == [1, 1, 1]
    assert elsa["pupils_reached"].loc[[202223, 202425]].tolist() == [6, 5]
    universal = reach(log, schools, panel, programme="elsa", tier="universal")
    assert universal["schools_trained"].tolist() == [0, 0, 1]
    assert reach(log, schools, panel, programme="safeguarding", tier="targeted").empty


def test_nothing_given_reaches_nobody(log, schools, panel):
    found = reach(log.head(0), schools, panel)
    assert found["schools_trained"].tolist() == [0, 0, 0]
    assert found["share_pupils"].loc[[202223, 202425]].tolist() == [0, 0]
    assert found["staff_trained"].isna().all()


def test_headcount_falls_back_on_the_metric_with_most_pupils(log, schools, panel):
    other = panel[panel["metric"] == "persistent_absence"]
    assert reach(log, schools, other)["pupils"].loc[202223] == 20


def test_unknown_schools_and_published_panels_are_refused(log, schools, panel):
    with pytest.raises(ContractError, match="training names 1 schools that the list"):
        training_reach(log, schools.iloc[1:], panel, years=YEARS, group="cwsw")
    published = published_panel([(202425, "total", "cin", "overall_absence", 10, 1, 9, None, "")])
    with pytest.raises(ContractError, match="published tables have no schools"):
        training_reach(log, schools, published, years=YEARS, group="cwsw")
    with pytest.raises(ContractError, match="training lacks the column cost"):
        training_reach(log.drop(columns="cost"), schools, panel, years=YEARS, group="cwsw")


def test_a_school_with_pupils_is_open_whatever_its_dates_say(log, schools, panel):
    early = schools.assign(closed=pd.Timestamp("2022-08-31"))
    found = reach(log, early, panel)
    assert found["schools"].tolist() == [3, 0, 3]
    assert found["schools_trained"].tolist() == [2, 0, 2]
