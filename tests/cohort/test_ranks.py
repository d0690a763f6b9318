"""Percentile ranks within the authority and year."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from tests.cohort.tables import build, enrolment, episode, school
from vsh_eval.contracts import ContractError


def measured(*rows, group=6, measure="ks2_reading_score"):
    """Pupils P0, P1, ... with a value each, at schools 100 and 200 in turn."""
    urns = [("100", "200")[place % 2] for place in range(len(rows))]
    return {
        "schools": [school("100"), school("200", la="E06000050")],
        "enrolments": [
            enrolment(f"P{place}", urn=urn, group=group) for place, urn in enumerate(urns)
        ],
        "attainment": [
            (f"P{place}", 202324, urn, measure, value)
            for place, (urn, value) in enumerate(zip(urns, rows, strict=True))
        ],
    }


def panel(tables, **options):
    return build(tables, **options).panel


def mean(rows):
    return rows["numerator"].sum() / rows["denominator"].sum()


def test_ranks_by_hand_with_ties():
    # 90 is rank 1, the two of 100 share 2.5, 110 is 4: (rank - 0.5) / 4.
    found = panel(measured(100, 110, 100, 90)).set_index("unit_id")
    assert set(found["metric"]) == {"ks2_reading_rank"}
    assert found["numerator"].to_dict() == {"100": 100.0, "200": 100.0}  # 50 + 50, 87.5 + 12.5
    assert found["sum_yy"].to_dict() == {"100": 5000.0, "200": 87.5**2 + 12.5**2}


@settings(max_examples=2, deadline=None)
@given(values=st.lists(st.integers(80, 120), min_size=1, max_size=30))
def test_ranks_are_scipys_and_average_fifty(values):
    found = panel(measured(*values))
    share = 100 * (rankdata(values) - 0.5) / len(values)
    assert found["numerator"].sum() == pytest.approx(share.sum(), abs=0.005 * len(values) + 1e-9)
    assert mean(found) == pytest.approx(50, abs=0.005 + 1e-9)
    assert found["sum_yy"].sum() == pytest.approx((share**2).sum(), rel=1e-3, abs=0.01)


def test_another_scale_of_grades_never_changes_a_rank():
    values = [80, 91, 91, 104, 120, 98]
    squared = [value**2 / 160 for value in values]
    one, other = (
        panel(measured(*each, group=11, measure="ks4_attainment8")) for each in (values, squared)
    )
    assert set(one["metric"]) == {"ks4_attainment8", "ks4_attainment8_rank"}
    ranks = [
        each.query("metric == 'ks4_attainment8_rank'")["numerator"].tolist()
        for each in (one, other)
    ]
    assert ranks[0] == ranks[1]


def test_a_gap_index_of_ten_is_all_of_one_group_above_all_of_the_other():
    tables = measured(*([80] * 50 + [120] * 50))
    tables["episodes"] = [episode(f"P{place}", "2023-10-01") for place in range(50)]
    found = panel(tables)
    low, high = (mean(found.query("group == @group")) for group in ("cin", "peers"))
    assert 0.2 * (low - high) == pytest.approx(-10)


def test_only_pupils_who_are_counted_are_ranked():
    tables = measured(90, 100, 110)
    tables["enrolments"][2] = enrolment("P2", group=5)
    tables["enrolments"].append(enrolment("P3", group=6))
    tables["attainment"] += [
        ("P3", 202324, "999", "ks2_reading_score", 80.0),
        ("P4", 202324, "100", "ks2_reading_score", 80.0),
    ]
    assert panel(tables).set_index("unit_id")["numerator"].to_dict() == {"100": 25.0, "200": 75.0}


def test_two_results_of_a_pupil_are_refused_without_naming_the_pupil():
    tables = measured(90, 100)
    tables["enrolments"].append(enrolment("P0", urn="200", group=6))
    tables["attainment"].append(("P0", 202324, "200", "ks2_reading_score", 95.0))
    with pytest.raises(ContractError, match="ks2_reading_score has two results or more of 1") as at:
        panel(tables)
    assert "P0" not in str(at.value)


def test_no_rank_in_a_year_without_assessments():
    tables = measured(90)
    tables["enrolments"] = [enrolment("P0", 202021, group=6)]
    tables["attainment"] = [("P0", 202021, "100", "ks2_reading_score", 90.0)]
    assert panel(tables, years=(202021,)).empty
