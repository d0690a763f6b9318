import pandas as pd
import pytest

from tests.metrics import invented_offer as invented
from vsh_eval.contracts import ContractError
from vsh_eval.metrics import (
    audience_reach,
    deprivation_bands,
    measure_offer,
    programme_overlap,
    reach_by_band,
    training_reach,
    training_records,
    years_to_second_programme,
)

COUNTS = ["schools", "schools_trained", "pupils", "pupils_reached", "pupils_not_reached"]


@pytest.fixture(scope="module")
def listed():
    return invented.schools()


@pytest.fixture(scope="module")
def panel(listed):
    return invented.panel(listed)


@pytest.fixture(scope="module")
def log(listed):
    return invented.log(listed, programmes=("elsa", "safeguarding"))


def test_bands_add_up_to_the_reach(listed, panel, log):
    found = reach_by_band(
        log, listed, panel, deprivation_bands(listed), years=invented.YEARS, group="cwsw"
    )
    whole = training_reach(log, listed, panel, years=invented.YEARS, group="cwsw")
    whole = whole[(whole["programme"] == "any") & (whole["tier"] == "any")]
    keys = ["time_period", "phase"]
    inner = found[found["deprivation"] != "total"].groupby(keys)[COUNTS].sum()
    margin = found[found["deprivation"] == "total"].set_index(keys)[COUNTS]
    expected = whole.set_index(keys)[COUNTS]
    pd.testing.assert_frame_equal(inner, expected.loc[inner.index], check_dtype=False)
    pd.testing.assert_frame_equal(margin, expected.loc[margin.index], check_dtype=False)


def test_a_school_that_the_bands_lack_is_not_known(listed, panel, log):
    bands = deprivation_bands(listed)
    some = type(bands)(bands.name, bands.order, bands.units.iloc[1:])
    found = reach_by_band(
        log, listed, panel, some, years=[202324], group="cwsw", by_phase=False
    ).set_index(["phase", "deprivation"])
    assert found.loc[("total", "not_known"), "schools"] == 1
    assert ("primary", "not_known") not in found.index


def test_audiences_overlap_and_stand_over_all_phases(listed, panel, log):
    found = audience_reach(log, listed, panel, years=[202324], group="cwsw")
    rows = found[found["phase"] == "total"].set_index("audience")
    assert list(rows.index) == ["any", "teacher", "leader"]
    for audience in ("teacher", "leader"):
        given = log[log["audience"] == audience]
        assert rows.loc[audience, "schools_trained"] == given["unit_id"].nunique()
        assert rows.loc[audience, "hours"] == pytest.approx(12 * len(given))
    assert rows.loc["any", "schools_trained"] == log["unit_id"].nunique()
    assert set(found.loc[found["phase"] != "total", "audience"]) == {"any"}


def test_an_audience_of_the_authoritys_own_and_none_given(listed, panel, log):
    own = log.assign(audience=["governor", *[""] * (len(log) - 1)])
    found = audience_reach(own, listed, panel, years=[202324], group="cwsw")
    assert found["audience"].drop_duplicates().tolist() == ["any", "governor", ""]


def test_growth_cost_and_depth_by_hand(listed, panel):
    units = listed["unit_id"].iloc[:12]
    log = invented.log(listed, share=0).reindex(range(12))
    log = log.assign(
        unit_id=units.to_numpy(), programme="elsa", tier="targeted", audience="dsl",
        time_period=[202122] * 6 + [202324] * 6, start_date=pd.Timestamp("2022-01-10"),
        staff_trained=2.0, hours=6.0, cost=[100.0] * 11 + [None],
    ).astype({"cost": "float64", "time_period": "int64"})  # fmt: skip
    found = training_reach(log, listed, panel, years=invented.YEARS, group="cwsw")
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


def test_pupil_years_need_every_year_since_the_first_training(listed, panel, log):
    found = training_reach(log, listed, panel, years=[202324], group="cwsw")
    assert found["pupil_years_reached"].isna().any()
    gap = panel[panel["time_period"] != 202223]
    found = training_reach(log, listed, gap, years=invented.YEARS, group="cwsw")
    whole = found[(found["programme"] == "any") & (found["phase"] == "total")]
    whole = whole[whole["tier"] == "any"].set_index("time_period")["pupil_years_reached"]
    assert whole.isna().tolist() == [False, False, True, True]


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
    found = programme_overlap(log, least=3).set_index("combination")["schools"]
    assert found.to_dict() == {"a": 5, "other combinations": 5}
    assert programme_overlap(log, least=2)["schools"].tolist() == [5, 3, 2]
    assert programme_overlap(log)["schools"].sum() == 10


def test_waits_have_names(log):
    found = years_to_second_programme(log)
    assert set(found["wait"]) <= {"same_year", "1_year", "2_years", "no_second_programme"}
    assert found["schools"].sum() == log["unit_id"].nunique()


def test_records_say_what_is_missing(log):
    some = log.assign(hours=log["hours"].mask(log.index < 4), **{"cost": float("nan")})
    found = training_records(some).set_index("programme")
    assert found.loc["any", ["trainings", "with_hours", "with_cost"]].tolist() == [
        len(log), len(log) - 4, 0,
    ]  # fmt: skip
    assert found.loc[["elsa", "safeguarding"], "trainings"].sum() == len(log)


def test_the_whole_offer_uses_one_banding(listed, panel, log):
    asked = {"years": [202324], "metric": "overall_absence", "group": "cwsw", "reference": "peers"}
    found = measure_offer(log, listed, panel, **asked)
    assert found.coverage is found.by_deprivation
    numbered = listed.assign(ward=[1, 2] * 24)
    assert "area" in measure_offer(log, numbered, panel, **asked).coverage
    with pytest.raises(ContractError, match="training lacks the column audience"):
        measure_offer(log.drop(columns="audience"), listed, panel, **asked)
