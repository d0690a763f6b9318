import pandas as pd
import pytest

from tests.synthetic.measured import groups


def test_every_episode_ends_after_it_starts_and_some_are_open(borough):
    rows = borough.tables["episodes"]
    last_day = pd.Timestamp(2025, 8, 31)
    assert (rows["start_date"] <= last_day).all()
    assert (rows["end_date"].dropna() <= last_day).all()
    closed = rows.dropna(subset="end_date")
    assert (closed["end_date"] >= closed["start_date"]).all()
    assert 0.02 < rows["end_date"].isna().mean() < 0.3


def test_a_child_has_one_referral_at_a_time(borough):
    rows = borough.tables["episodes"].query("status == 'CIN' and basis == 'episode'")
    rows = rows.sort_values(["pupil_id", "start_date"])
    same = rows["pupil_id"].eq(rows["pupil_id"].shift())
    assert (rows["start_date"] > rows["end_date"].shift())[same].all()
    assert same.any()


@pytest.mark.parametrize(
    ("status", "basis"), [("CPP", "episode"), ("CLA", "episode"), ("CIN", "plan")]
)
def test_plans_and_care_lie_within_a_referral(borough, status, basis):
    rows = borough.tables["episodes"]
    far = pd.Timestamp(2100, 1, 1)
    referrals = rows.query("status == 'CIN' and basis == 'episode'")
    inner = rows.query("status == @status and basis == @basis").reset_index()
    both = inner.merge(referrals, on="pupil_id", suffixes=("", "_outer"))
    inside = (both["start_date"] >= both["start_date_outer"]) & (
        both["end_date"].fillna(far) <= both["end_date_outer"].fillna(far)
    )
    assert len(inner) > 50
    assert set(both.loc[inside, "index"]) == set(inner["index"])


def test_plan_dates_are_known_from_2021_22_only(borough):
    rows = borough.tables["episodes"]
    assert rows.query("basis == 'plan'")["start_date"].min() >= pd.Timestamp(2021, 9, 1)
    assert set(rows.query("basis == 'plan'")["status"]) == {"CIN"}
    assert rows.query("basis == 'episode'")["start_date"].min() < pd.Timestamp(2008, 1, 1)


def test_groups_have_the_sizes_the_calibration_counts_on(borough):
    rows = groups(borough).merge(
        borough.tables["enrolments"].drop_duplicates(["pupil_id", "academic_year"])
    )
    share = rows[rows["year_group"] >= 1]["group"].value_counts(normalize=True)
    assert share["peers"] > 0.9
    assert share["cin"] == pytest.approx(0.018, abs=0.004)
    assert share["cpp"] / (share["cpp"] + share["cin"]) == pytest.approx(0.18, abs=0.04)
    assert share["cla"] == pytest.approx(0.004, abs=0.002)
    assert share["previous"] == pytest.approx(0.04, abs=0.01)


def test_some_children_with_episodes_are_not_in_school_yet(borough):
    helped, enrolled = (set(borough.tables[t]["pupil_id"]) for t in ("episodes", "enrolments"))
    assert helped - enrolled
