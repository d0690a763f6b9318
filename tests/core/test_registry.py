from dataclasses import replace

import pytest

from vsh_eval import academic_year, names, registry
from vsh_eval.contracts import ContractError


@pytest.fixture
def added():
    """Add a metric for one test."""
    entry = replace(registry.metric("persistent_absence"), name="tried_absence", label="Tried")
    registry.register(entry)
    yield entry
    registry._metrics.pop(entry.name)


def test_an_unknown_metric_is_refused_with_the_known_ones():
    with pytest.raises(ContractError, match=r"'absnce', must be one of overall_abs.*register"):
        registry.metric("absnce")


def test_a_metric_added_is_known_everywhere(added):
    assert registry.metric("tried_absence") is added
    assert added in registry.of_topic("attendance")
    assert registry.breaks_of("tried_absence") == ()


def test_a_name_is_registered_once(added):
    with pytest.raises(ContractError, match="'tried_absence' is registered already"):
        registry.register(added)


@pytest.mark.parametrize("entry", registry.METRICS.values(), ids=lambda entry: entry.name)
def test_every_metric_says_what_it_counts(entry):
    assert all((entry.label, entry.numerator, entry.denominator, entry.population, entry.source))
    assert (entry.unit, entry.gap_unit, entry.scale) in (
        ("%", "percentage points", 100.0),
        ("points", "points", 1.0),
    )
    assert entry.year_groups
    assert (entry.counts == "points") == (entry.unit == "points")
    assert entry.name not in names.GROUP_LABELS


@pytest.mark.parametrize("entry", registry.BREAKS, ids=lambda entry: str(entry.time_period))
def test_every_break_is_of_known_metrics_in_a_real_year(entry):
    assert set(entry.metrics) <= set(registry.METRICS)
    assert academic_year.parse(entry.time_period) == entry.time_period
    assert entry.note.endswith(".")
    assert entry.source


def test_topics_share_the_metrics_out():
    topics = [registry.of_topic("attendance"), registry.of_topic("attainment")]
    assert sum(map(len, topics)) == len(registry.METRICS)


def test_breaks_come_in_order_and_by_year():
    found = [entry.time_period for entry in registry.breaks_of("overall_absence")]
    assert found == sorted(found)
    assert [b.kind for b in registry.breaks_of("overall_absence", [201920, 202324])] == ["no_data"]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("overall_absence", (201819, 202021, 202122)),
        ("ks2_rwm_expected", (201819, 202122)),
        ("ks4_attainment8", (201819, 202122)),
    ],
)
def test_comparable_years_leave_out_no_data_and_grades_not_examined(metric, expected):
    assert registry.comparable_years(metric, academic_year.span(201819, 202122)) == expected
