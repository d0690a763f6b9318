import pandas as pd
import pytest

from vsh_eval.synthetic import Plan, invent


def first_dates(authority):
    links = authority.tables["school_links"].set_index("successor_urn")["urn"].to_dict()
    log = authority.tables["training"]
    return log.assign(urn=log["urn"].replace(links)).groupby("urn")["start_date"].min()


def adoption(first):
    year = first.dt.year.where(first.dt.month >= 9, first.dt.year - 1)
    return year + ((first.dt.month >= 11) | (first.dt.month < 9))


def test_equal_shares_of_schools_adopt_in_each_year(trained):
    found = adoption(first_dates(trained)).value_counts()
    assert found.to_dict() == {2021: 24, 2022: 24, 2023: 24}


def test_every_phase_has_trained_and_untrained_schools(trained):
    phases = trained.tables["schools"].drop_duplicates("name").set_index("urn")["phase"]
    treated = phases.index.isin(first_dates(trained).index)
    share = pd.Series(treated, index=phases.index).groupby(phases).mean()
    assert share["primary"] == pytest.approx(0.6, abs=0.03)
    assert share["secondary"] == pytest.approx(0.6, abs=0.07)


def test_training_starts_with_the_duty_some_by_october_some_later(trained):
    first = first_dates(trained)
    assert first.min() >= pd.Timestamp(2021, 9, 1)
    assert trained.tables["training"]["start_date"].max() <= pd.Timestamp(2025, 8, 31)
    autumn = first.dt.month.isin([9, 10])
    assert 0.4 < autumn.mean() < 0.9
    later = first[adoption(first) > 2021].dt.month.isin([9, 10]).mean()
    assert 0.25 < later < 0.8


def test_programmes_overlap_and_every_tier_is_used(trained):
    log = trained.tables["training"]
    programmes = log.groupby("urn")["programme"].nunique()
    assert (programmes >= 2).mean() > 0.3
    assert (programmes == 3).any()
    assert log["programme"].nunique() == 5
    assert set(log["tier"]) == {"universal", "targeted"}
    assert log["audience"].nunique() >= 4
    staff = log.groupby("tier")["staff_trained"].mean()
    assert staff["universal"] > 2 * staff["targeted"]
    assert (log["staff_trained"] >= 1).all()
    assert 0 < log["cost"].isna().mean() < 0.15


def test_training_after_the_last_year_is_not_in_the_log():
    log = invent(Plan(schools=60, first=202021, last=202223)).tables["training"]
    assert log["start_date"].max() <= pd.Timestamp(2023, 8, 31)
