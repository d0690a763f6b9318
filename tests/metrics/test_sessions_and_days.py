import pandas as pd
import pytest

from tests.metrics.panels import invented_pupils, published_panel, pupils_panel, returns_panel
from vsh_eval.contracts import ContractError
from vsh_eval.metrics import SESSION_COLUMNS, gap_table, gaps, sessions_and_days


def test_sessions_are_those_of_the_groups_pupils():
    pupils = invented_pupils(2)
    panel = pupils_panel(pupils)
    found = gap_table(panel, groups=["cwsw", "cla"], references=["peers", "all"], unit_id="E1")
    table = sessions_and_days(found, panel)
    assert tuple(table.columns) == SESSION_COLUMNS
    assert len(table) == len(found)
    row = table[
        (table["phase"] == "total")
        & (table["group"] == "cwsw")
        & (table["reference"] == "all")
        & (table["time_period"] == 202425)
    ].iloc[0]
    cohort = pupils[pupils["group"].isin(["cin", "cpp"]) & (pupils["time_period"] == 202425)]
    assert row["sessions_possible"] == pytest.approx(cohort["x"].mean())
    assert row["sessions"] == pytest.approx(row["gap"] / 100 * cohort["x"].mean())
    assert row["days"] == pytest.approx(row["sessions"] / 2)
    # Missed by the cohort less what it would miss at the reference's rate.
    everyone = pupils[pupils["time_period"] == 202425]
    rate = everyone["y"].sum() / everyone["x"].sum()
    assert row["sessions"] == pytest.approx(cohort["y"].mean() - rate * cohort["x"].mean())
    assert row["days_lower"] < row["days"] < row["days_upper"]


def test_published_sessions_and_other_metrics():
    rows = [
        (202425, "total", "cin", "overall_absence", 100, 6_000, 35_000, None, ""),
        (202425, "total", "all", "overall_absence", None, None, None, 6.78, ""),
        (202425, "total", "cin", "persistent_absence", 100, 46, 100, None, ""),
        (202425, "total", "all", "persistent_absence", None, None, None, 18.1, ""),
    ]
    panel = published_panel(rows)
    table = sessions_and_days(gaps(panel, group="cin", reference="all"), panel)
    assert table["metric"].tolist() == ["overall_absence"]
    assert table.loc[0, "sessions"] == pytest.approx(350 * (6_000 / 35_000 - 0.0678))


def test_a_missing_gap_stays_missing_with_its_symbol():
    rows = [("1", 202425, "primary", "peers", "overall_absence", 20, 300, 6000)]
    panel = returns_panel(rows)
    table = sessions_and_days(gaps(panel, group="cwsw", reference="peers"), panel)
    assert table[["sessions", "days", "days_upper"]].isna().all(axis=None)
    assert (table["status"] == "z").all()


def test_attainment_has_no_sessions():
    rows = [
        ("1", 202425, "secondary", group, "ks4_attainment8", 9, 200, 9)
        for group in ("cin", "peers")
    ]
    panel = returns_panel(rows)
    with pytest.raises(ContractError, match="no metric that counts sessions"):
        sessions_and_days(gaps(panel, group="cwsw", reference="peers"), panel)
    with pytest.raises(ContractError, match="gaps lacks the column"):
        sessions_and_days(pd.DataFrame({"metric": ["overall_absence"]}), panel)
