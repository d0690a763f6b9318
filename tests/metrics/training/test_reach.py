import numpy as np
import pandas as pd
import pytest

from tests.metrics import invented_offer as invented
from tests.metrics.panels import published_panel, returns_panel
from vsh_eval.contracts import ContractError
from vsh_eval.metrics.training import (
    audience_reach,
    deprivation_bands,
    reach_by_band,
    training_reach,
)

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
    for name, value in ({"programme": "any", "tier": "any", "phase": "total"} | where).items():
        found = found[found[name] == value]
    return found.set_index("time_period")


def test_schools_open_and_trained(log, schools, panel):
    found = reach(log, schools, panel)
    assert found["schools"].tolist() == [3, 3, 3]
    assert found["schools_trained"].tolist() == [2, 2, 2]
    assert found["share_schools"].tolist() == pytest.approx([200 / 3] * 3)


def test_a_school_is_trained_for_the_first_time_once_a_programme(log, schools, panel):
    # School 1 is trained in the same programme again in 2023/24, school 2 has closed by then.
    assert reach(log, schools, panel)["schools_first_trained"].tolist() == [2, 0, 1]
    elsa = reach(log, schools, panel, programme="elsa")
    assert elsa["schools_first_trained"].tolist() == [1, 0, 1]
    assert elsa["schools_first_trained"].cumsum().tolist() == elsa["schools_ever"].tolist()


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


COUNTS = ["schools", "schools_trained", "pupils", "pupils_reached", "pupils_not_reached"]


@pytest.fixture(scope="module")
def listed():
    return invented.schools()


@pytest.fixture(scope="module")
def its_panel(listed):
    return invented.panel(listed)


@pytest.fixture(scope="module")
def its_log(listed):
    return invented.log(listed, programmes=("elsa", "safeguarding"))


def test_bands_add_up_to_the_reach(listed, its_panel, its_log):
    found = reach_by_band(
        its_log, listed, its_panel, deprivation_bands(listed), years=invented.YEARS, group="cwsw"
    )
    whole = training_reach(its_log, listed, its_panel, years=invented.YEARS, group="cwsw")
    whole = whole[(whole["programme"] == "any") & (whole["tier"] == "any")]
    keys = ["time_period", "phase"]
    inner = found[found["deprivation"] != "total"].groupby(keys)[COUNTS].sum()
    margin = found[found["deprivation"] == "total"].set_index(keys)[COUNTS]
    expected = whole.set_index(keys)[COUNTS]
    pd.testing.assert_frame_equal(inner, expected.loc[inner.index], check_dtype=False)
    pd.testing.assert_frame_equal(margin, expected.loc[margin.index], check_dtype=False)


def test_a_school_that_the_bands_lack_is_not_known(listed, its_panel, its_log):
    bands = deprivation_bands(listed)
    some = type(bands)(bands.name, bands.order, bands.units.iloc[1:])
    found = reach_by_band(
        its_log, listed, its_panel, some, years=[202324], group="cwsw", by_phase=False
    ).set_index(["phase", "deprivation"])
    assert found.loc[("total", "not_known"), "schools"] == 1
    assert ("primary", "not_known") not in found.index


def test_audiences_overlap_and_stand_over_all_phases(listed, its_panel, its_log):
    found = audience_reach(its_log, listed, its_panel, years=[202324], group="cwsw")
    rows = found[found["phase"] == "total"].set_index("audience")
    assert list(rows.index) == ["any", "teacher", "leader"]
    for audience in ("teacher", "leader"):
        given = its_log[its_log["audience"] == audience]
        assert rows.loc[audience, "schools_trained"] == given["unit_id"].nunique()
        assert rows.loc[audience, "hours"] == pytest.approx(12 * len(given))
    assert rows.loc["any", "schools_trained"] == its_log["unit_id"].nunique()
    assert set(found.loc[found["phase"] != "total", "audience"]) == {"any"}


def test_an_audience_of_the_authoritys_own_and_none_given(listed, its_panel, its_log):
    own = its_log.assign(audience=["governor", *[""] * (len(its_log) - 1)])
    found = audience_reach(own, listed, its_panel, years=[202324], group="cwsw")
    assert found["audience"].drop_duplicates().tolist() == ["any", "governor", ""]


def test_growth_cost_and_depth_by_hand(listed, its_panel):
    units = listed["unit_id"].iloc[:12]
    log = invented.log(listed, share=0).reindex(range(12))
    log = log.assign(
        unit_id=units.to_numpy(), programme="elsa", tier="targeted", audience="dsl",
        time_period=[202122] * 6 + [202324] * 6, start_date=pd.Timestamp("2022-01-10"),
        staff_trained=2.0, hours=6.0, cost=[100.0] * 11 + [None],
    ).astype({"cost": "float64", "time_period": "int64"})  # fmt: skip
    found = training_reach(log, listed, its_panel, years=invented.YEARS, group="cwsw")
    rows = found[(found["programme"] == "elsa") & (found["tier"] == "any")]
    rows = rows[rows["phase"] == "total"].set_index("time_period")
    assert rows["first_year"].tolist() == [202122] * 4
    assert rows["growth_share_schools"].tolist()[1:] == pytest.approx([0, 0, 12.5])
    assert pd.isna(rows.loc[202021, "growth_share_schools"])
    years = [y for y in invented.YEARS if y >= 202122]
    assert rows.loc[202324, "pupil_years_reached"] == rows.loc[years, "pupils_reached"].sum()
    last = rows.loc[202324]
    assert last["cost_per_school"] == pytest.approx(1100 / 12)
    assert last["cost_per_pupil_year"] == pytest.approx(1100 / last["pupil_years_reached"])
    assert (last["staff_per_school"], last["hours_per_school"]) == (2, 6)


def test_pupil_years_need_every_year_since_the_first_training(listed, its_panel, its_log):
    found = training_reach(its_log, listed, its_panel, years=[202324], group="cwsw")
    assert found["pupil_years_reached"].isna().any()
    assert (found["status"] == "").all()
    gap = its_panel[its_panel["time_period"] != 202223]
    found = training_reach(its_log, listed, gap, years=invented.YEARS, group="cwsw")
    whole = found[(found["programme"] == "any") & (found["phase"] == "total")]
    whole = whole[whole["tier"] == "any"].set_index("time_period")["pupil_years_reached"]
    assert whole.isna().tolist() == [False, False, True, True]
