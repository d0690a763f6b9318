from dataclasses import replace
from typing import get_args

import pytest

from vsh_eval import academic_year, names, registry
from vsh_eval.cohort.membership import metrics_known
from vsh_eval.contracts import ContractError
from vsh_eval.registry import known


@pytest.fixture
def added():
    """Add a metric for one test."""
    entry = replace(registry.metric("persistent_absence"), name="tried_absence", label="Tried")
    registry.register(entry)
    yield entry
    known._metrics.pop(entry.name)


def test_an_unknown_metric_is_refused_with_the_known_ones():
    with pytest.raises(ContractError, match=r"'height', must be one of overall_abs.*register"):
        registry.metric("height")
    with pytest.raises(ContractError, match=r"did you mean persistent_absence\?$"):
        registry.metric("persistant_absence")


def test_a_metric_added_is_known_everywhere(added):
    assert registry.metric("tried_absence") is added
    assert added in registry.of_topic("attendance")
    assert registry.breaks_of("tried_absence") == ()


def test_a_name_is_registered_once(added):
    with pytest.raises(ContractError, match="'tried_absence' is registered already"):
        registry.register(added)


DESIGNED = {
    "attendance": (
        "overall_absence authorised_absence unauthorised_absence persistent_absence severe_absence"
    ),
    "suspension": "suspension_rate pupils_suspended permanent_exclusion",
    "moves": "school_move",
    "attainment": (
        "eyfsp_gld phonics_expected "
        "ks2_rwm_expected ks2_reading_expected ks2_writing_expected ks2_maths_expected "
        "ks2_reading_progress ks2_writing_progress ks2_maths_progress "
        "ks2_reading_rank ks2_maths_rank "
        "ks4_attainment8 ks4_progress8 ks4_basics_94 ks4_basics_95 ks4_attainment8_rank"
    ),
}
SCALES = {
    "%": ("percentage points", 100.0),
    "points": ("points", 1.0),
    "percentile points": ("percentile points", 1.0),
    "suspensions per 100 pupils": ("suspensions per 100 pupils", 100.0),
}


@pytest.mark.parametrize("topic", get_args(registry.Topic))
def test_the_registry_has_what_the_design_names_in_the_order_of_the_report(topic):
    designed = DESIGNED[topic].split()
    found = [entry.name for entry in registry.of_topic(topic)]
    assert [name for name in found if name in designed] == designed


@pytest.mark.parametrize("entry", registry.METRICS.values(), ids=lambda entry: entry.name)
def test_every_metric_says_what_it_counts(entry):
    assert all((entry.label, entry.numerator, entry.denominator, entry.population, entry.source))
    assert SCALES[entry.unit] == (entry.gap_unit, entry.scale)
    assert entry.year_groups
    assert entry.lowest < entry.highest
    assert (entry.counts == "points") == entry.unit.endswith("points")
    assert (entry.counts in ("children", "sessions")) == (entry.unit == "%")
    assert entry.lower_is_better == (entry.topic != "attainment")
    assert entry.name not in (*names.LEAF_GROUPS, *names.GROUP_SUMS)
    assert len([e for e in registry.METRICS.values() if e.label == entry.label]) == 1


def test_scores_may_be_negative_and_ranks_lie_between_nought_and_a_hundred():
    progress = [e for e in registry.METRICS.values() if "progress" in e.name]
    assert len(progress) == 4
    assert all(e.lowest == -e.highest and not e.has_ratio for e in progress)
    ranks = [e for e in registry.METRICS.values() if e.ranks]
    assert {(e.lowest, e.highest, e.has_ratio) for e in ranks} == {(0.0, 100.0, False)}
    assert registry.metric("suspension_rate").highest == float("inf")
    assert registry.metric("ks4_attainment8").has_ratio


@pytest.mark.parametrize("entry", registry.METRICS.values(), ids=lambda entry: entry.name)
def test_every_relation_leads_to_a_metric_of_the_same_children(entry):
    for name in (*entry.subset_of, *filter(None, [entry.parts_of])):
        whole = registry.metric(name)
        assert whole is not entry
        assert (whole.origin, whole.year_groups) == (entry.origin, entry.year_groups)
    if entry.parts_of:
        assert registry.metric(entry.parts_of).denominator == entry.denominator


@pytest.mark.parametrize("entry", registry.METRICS.values(), ids=lambda entry: entry.name)
def test_one_child_cannot_be_told_from_the_noise(entry):
    """The weight is a third of what one child can add, or more, where that has a sensible end."""
    width = entry.highest - entry.lowest if entry.counts == "points" else 1.0
    if entry.counts != "events" and "progress" not in entry.name:
        assert entry.noise_weight >= width / 4
    assert entry.units_of_one == (100 if entry.topic == "attainment" else 1)
    assert (entry.origin == "rank") == bool(entry.ranks)


def test_a_metric_without_its_line_of_sql_is_refused_and_never_divided_wrongly(added):
    with pytest.raises(
        ContractError, match=r"'tried_absence' is of attendance, must have its line"
    ):
        metrics_known()


def test_metrics_of_one_return_count_the_same_year_groups(monkeypatch):
    entry = replace(registry.metric("severe_absence"), year_groups=(10, 11))
    monkeypatch.setitem(known._metrics, entry.name, entry)
    with pytest.raises(ContractError, match="attendance count different year groups"):
        metrics_known()


def test_returned_measures_are_all_of_attainment_but_the_ranks():
    found = {entry.name: entry for entry in registry.returned_measures()}
    of_attainment = {entry.name: entry.ranks for entry in registry.of_topic("attainment")}
    assert set(found) == {ranks or name for name, ranks in of_attainment.items()}
    assert {name for entry in found.values() for name in entry.metrics} == set(of_attainment)
    assert {"ks2_reading_score", "ks2_maths_score"} < set(found)
    assert (found["ks2_maths_score"].lowest, found["ks2_maths_score"].highest) == (80, 120)
    assert (found["phonics_expected"].whole, found["phonics_expected"].highest) == (True, 1)
    assert found["ks4_progress8"].lowest == -9


def test_a_rank_of_nothing_known_is_refused(added):
    known._metrics[added.name] = replace(
        registry.metric("ks2_maths_rank"), name=added.name, ranks="ks2_science_score"
    )
    with pytest.raises(ContractError, match="'tried_absence' ranks 'ks2_science_score', must"):
        registry.returned_measures()


@pytest.mark.parametrize("entry", registry.BREAKS, ids=lambda entry: str(entry.time_period))
def test_every_break_is_of_known_metrics_in_a_real_year(entry):
    assert set(entry.metrics) <= set(registry.METRICS)
    assert academic_year.parse(entry.time_period) == entry.time_period
    assert entry.note.endswith(".")
    assert entry.source


def test_topics_share_the_metrics_out():
    topics = [registry.of_topic(topic) for topic in get_args(registry.Topic)]
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
        ("pupils_suspended", (201819, 202122)),
        ("eyfsp_gld", (202122,)),
        ("phonics_expected", (201819, 202122)),
        ("ks4_basics_94", (201819, 202122)),
        ("ks4_attainment8_rank", (201819, 202122)),
        ("ks4_progress8", (201819, 202122)),
    ],
)
def test_comparable_years_leave_out_no_data_and_grades_not_examined(metric, expected):
    assert registry.comparable_years(metric, academic_year.span(201819, 202122)) == expected


@pytest.mark.parametrize(
    ("metric", "kind", "expected"),
    [
        ("ks4_progress8", "no_data", [201920, 202021, 202425, 202526]),
        ("ks2_writing_progress", "no_data", [201920, 202021, 202324, 202425]),
        ("ks2_maths_rank", "no_data", [201920, 202021]),
        ("suspension_rate", "not_comparable", [201920, 202021]),
        ("ks4_basics_95", "not_comparable", [201920, 202021]),
        ("eyfsp_gld", "definition", [202122]),
        ("ks4_attainment8", "definition", [201617, 201718, 202122, 202223]),
        ("ks2_rwm_expected", "definition", [201718]),
    ],
)
def test_breaks_are_those_of_the_series(metric, kind, expected):
    found = [entry.time_period for entry in registry.breaks_of(metric) if entry.kind == kind]
    assert found == expected
