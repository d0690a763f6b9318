import pytest


def test_pupils_move_up_a_year_group_and_on_to_secondary(borough):
    rows = borough.tables["enrolments"].drop_duplicates(["pupil_id", "academic_year"], keep="last")
    rows = rows.sort_values(["pupil_id", "academic_year"])
    follows = rows["pupil_id"].eq(rows["pupil_id"].shift(-1))
    step = rows["year_group"].shift(-1) - rows["year_group"]
    assert (step[follows] == 1).all()
    assert rows["year_group"].min() == -1
    assert rows["year_group"].max() == 11
    phase = rows.merge(borough.tables["schools"][["urn", "phase"]])
    ages = phase.groupby("phase")["year_group"].agg(["min", "max"])
    assert ages.loc["primary"].tolist() == [-1, 6]
    assert ages.loc["secondary"].tolist() == [7, 11]
    leavers = set(rows.query("academic_year == 202223 and year_group == 6")["pupil_id"])
    joiners = rows.query("academic_year == 202324 and year_group == 7")["pupil_id"]
    assert joiners.isin(leavers).mean() > 0.8


def test_rolls_are_those_of_ordinary_schools(borough):
    rows = borough.tables["enrolments"].query("academic_year == 202324 and year_group >= 0")
    roll = rows.merge(borough.tables["schools"][["urn", "phase"]]).groupby(["phase", "urn"]).size()
    mean = roll.groupby("phase").mean()
    assert mean["primary"] == pytest.approx(200, abs=25)
    assert mean["secondary"] == pytest.approx(900, abs=130)


def test_movers_split_their_terms_between_two_schools(borough):
    tables = borough.tables
    pupil_year = ["pupil_id", "academic_year"]
    rows = tables["attendance"]
    schools = rows.groupby(pupil_year)["urn"].nunique()
    assert 0.015 < (schools == 2).mean() < 0.03
    assert schools.max() == 2
    assert not rows.duplicated([*pupil_year, "term"]).any()
    terms = rows.groupby(pupil_year).size()
    assert (terms == 3).all()
    moved = rows.set_index(pupil_year).loc[schools[schools == 2].index[0]]
    assert moved["urn"].nunique() == 2


def test_special_needs_come_and_stay(borough):
    rows = borough.tables["enrolments"].drop_duplicates(["pupil_id", "academic_year"])
    rank = rows["sen"].map({"N": 0, "K": 1, "E": 2})
    step = rank.groupby(rows["pupil_id"]).diff().dropna()
    assert set(step) <= {0.0, 1.0}
    assert (step > 0).any()
