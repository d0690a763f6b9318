"""The pooled gap of schools trained within the data, and of the others."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.panels import invented_pupils, pupils_panel, returns_panel
from vsh_eval.contracts import ContractError
from vsh_eval.metrics import Comparison, gaps
from vsh_eval.metrics.training import gaps_by_arm
from vsh_eval.release.disclosure import protected, release_table, rule_named

ASKED = Comparison("cwsw", "peers", unit_id="E06000999")
SUMS = ("group_pupils", "reference_pupils")


def test_hand_table():
    rows = []
    for year, missed in ((202324, (60, 90, 30)), (202425, (30, 135, 60))):
        for school, y in zip("123", missed, strict=True):
            rows += [
                (school, year, "primary", "cin", "overall_absence", 2, y, 600),
                (school, year, "secondary", "peers", "overall_absence", 20, 300, 6000),
            ]
    # School 1 is trained from the second year; school 2 too late to count; school 3 never.
    exposure = pd.DataFrame({"unit_id": ["1", "2", "3"], "adopted": [202425, 202526, 0]})
    found = gaps_by_arm(returns_panel(rows), exposure, ASKED)
    assert found["arm"].tolist() == ["trained"] * 2 + ["untrained"] * 2
    assert found["phase"].unique().tolist() == ["total"]
    # (60, 30) / 600 - 5%, then (90 + 30, 135 + 60) / 1200 - 5%.
    assert found["gap"].tolist() == pytest.approx([5.0, 0.0, 5.0, 11.25])
    assert found["schools"].tolist() == [1, 1, 2, 2]
    assert found["schools_trained"].tolist() == [0, 1, 0, 0]


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 100), later=st.booleans())
def test_both_arms_add_up_to_all_schools(seed, later):
    panel = pupils_panel(invented_pupils(seed, metric="persistent_absence"))
    rng = np.random.default_rng(seed)
    units = panel["unit_id"].unique()
    years = rng.choice([0, 202324, 202526 if later else 202425], len(units))
    exposure = pd.DataFrame({"unit_id": units, "adopted": years})
    arms, whole = gaps_by_arm(panel, exposure, ASKED), gaps(panel, ASKED)
    whole = whole[whole["phase"] == "total"].set_index("time_period")
    by_year = arms.groupby("time_period")
    for name in SUMS:
        assert by_year[name].sum().tolist() == whole[name].tolist()
    assert by_year["schools"].sum().tolist() == [len(units)] * len(whole)
    pooled = (arms["group_level"] * arms["group_pupils"]).groupby(arms["time_period"]).sum()
    assert (pooled / whole["group_pupils"].astype(float)).tolist() == pytest.approx(
        whole["group_level"].tolist()
    )


def test_an_arm_without_schools_has_no_rows():
    panel = pupils_panel(invented_pupils(1))
    exposure = pd.DataFrame({"unit_id": panel["unit_id"].unique(), "adopted": 202324})
    assert gaps_by_arm(panel, exposure, ASKED)["arm"].unique().tolist() == ["trained"]


def test_a_school_without_exposure_is_refused():
    panel = pupils_panel(invented_pupils(1))
    exposure = pd.DataFrame({"unit_id": panel["unit_id"].unique()[1:], "adopted": 0})
    with pytest.raises(ContractError, match="no row or several for 1 schools"):
        gaps_by_arm(panel, exposure, ASKED)


def test_released_arms_are_made_of_protected_cells():
    """Each arm is protected as an authority of its own would be; few schools are hidden."""
    panel = pupils_panel(invented_pupils(2, schools=14)).assign(key_n=5, key_y=5)
    units = panel["unit_id"].unique()
    rule = rule_named("cellkey")

    def released(trained):
        years = np.where(np.arange(len(units)) < trained, 202324, 0)
        exposure = pd.DataFrame({"unit_id": units, "adopted": years})
        return release_table(
            gaps_by_arm, protected(panel, rule), exposure, ASKED, rule=rule
        ).frame.set_index("arm")

    own = panel[panel["unit_id"].isin(units[:7])]
    alone = release_table(gaps, protected(own, rule), ASKED, rule=rule)
    alone = alone.frame[alone.frame["phase"] == "total"]
    shown = released(7).loc["trained"]
    for name in (*SUMS, "gap", "gap_lower", "gap_upper"):
        assert shown[name].tolist() == alone[name].tolist()
    few = released(2)
    assert few.loc["trained", ["schools", "schools_trained"]].isna().all(axis=None)
    # All schools less the other arm would be the hidden one.
    assert few[["group_level", "gap", "group_pupils"]].isna().all(axis=None)
    assert few["status"].eq("c").all()
