import pytest

from tests.metrics.panels import invented_pupils, pupils_panel, returns_panel
from vsh_eval.metrics import SCHOOL_GAP_COLUMNS, gaps, school_gaps

PAIR = {"metric": "overall_absence", "group": "cwsw", "reference": "peers"}


def test_hand_table():
    rows = [
        ("2", 202324, "primary", "cin", "overall_absence", 2, 60, 600),
        ("2", 202324, "primary", "cpp", "overall_absence", 1, 60, 300),
        ("2", 202324, "primary", "peers", "overall_absence", 20, 300, 6000),
        ("1", 202425, "secondary", "cin", "overall_absence", 2, 60, 600),
        ("1", 202425, "secondary", "peers", "overall_absence", 20, 900, 6000),
        ("3", 202425, "primary", "cin", "overall_absence", 2, 60, 600),
        ("4", 202425, "primary", "peers", "overall_absence", 20, 900, 6000),
        ("5", 202425, "primary", "cin", "overall_absence", 0, 0, 0),
        ("5", 202425, "primary", "peers", "overall_absence", 20, 900, 6000),
    ]
    found = school_gaps(returns_panel(rows), **PAIR)
    assert tuple(found.columns) == SCHOOL_GAP_COLUMNS
    assert found["unit_id"].tolist() == ["1", "2"]
    assert found["outcome"].tolist() == pytest.approx([10 - 15, 100 * 120 / 900 - 5])
    assert found["weight"].tolist() == [600, 900]
    assert found["pupils"].tolist() == [2, 3]
    assert found["reference_pupils"].tolist() == [20, 20]
    assert found["phase"].tolist() == ["secondary", "primary"]


def test_only_comparable_years():
    rows = [
        ("1", year, "secondary", group, "ks4_attainment8", 2, 60.5, 2)
        for year in (201819, 201920, 202021, 202122)
        for group in ("cin", "peers")
    ]
    found = school_gaps(
        returns_panel(rows), metric="ks4_attainment8", group="cin", reference="peers"
    )
    assert found["time_period"].tolist() == [201819, 202122]


def test_one_school_is_the_authoritys_gap():
    panel = pupils_panel(invented_pupils(1, schools=1))
    found = school_gaps(panel, **PAIR)
    wide = gaps(panel, group="cwsw", reference="peers")
    assert found["outcome"].tolist() == pytest.approx(
        wide[wide["phase"] == "total"]["gap"].tolist()
    )


def test_all_includes_the_group():
    panel = pupils_panel(invented_pupils(2, schools=4))
    found = school_gaps(panel, metric="overall_absence", group="cwsw", reference="all")
    assert (found["reference_pupils"] > found["pupils"]).all()
