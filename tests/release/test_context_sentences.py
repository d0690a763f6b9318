import pandas as pd
import pytest

from tests.release.made import AUTHORITY, NAN, gap_rows, safe
from vsh_eval.release.text.pages.context import context_sentence, counting_sentence
from vsh_eval.release.text.phrases.fixed import phrase

LAST = (202324, 202425)
MINUS, ALIKE = chr(0x2212), " (95% interval {})"
LABELS = {AUTHORITY: "Cheshire East", "E12000002": "North West", "E12000007": "London",
          "E1": "Devon", "E2": "Kent", "E3": "Essex"}  # fmt: skip


def area(unit, level, gap, *, metric="overall_absence", **changes):
    """Return two years of an area, the gap the same in both."""
    rows = gap_rows(metric).query("time_period in @LAST")
    return rows.assign(
        unit_id=unit, geographic_level=level, gap=gap, group_level=gap + 7, **changes
    )


def said(*areas, metric="overall_absence", **how):
    table = safe(pd.concat(areas))
    return context_sentence(table, metric=metric, authority=AUTHORITY, labels=LABELS, **how)


def own(gap=9.0, **changes):
    return area(AUTHORITY, "la", gap, **changes)


def test_distance_and_rank_are_told_with_their_numbers():
    sentence = said(
        own(),
        area("E92000001", "national", 11.4),
        area("E12000002", "region", 8.5),
        area("E1", "la", 8.0),
        area("E2", "la", 9.5),
        area("E3", "la", 10.5),
    )
    assert sentence == (
        "In 2024/25 the gap in overall absence of children with a social worker in Cheshire East "
        f"was 9.0 percentage points: 2.4 narrower{ALIKE.format('1.0 to 3.8')} than in England "
        f"(11.4) and 0.5 wider{ALIKE.format(f'{MINUS}0.9 to 1.9')} than in the North West (8.5). "
        "That is the second narrowest among it and its 3 statistical neighbours shown, whose "
        "values lie between 8.0 and 10.5. Allowing for chance (95%) its place is from 1 to 4 of 4, "
        "counted from the narrowest."
    )


def test_a_place_is_given_with_the_places_that_no_clear_difference_rules_out():
    gaps = {"E1": 4.0, "E2": 8.5, "E3": 10.5, "E4": 14.0}
    areas = [area(unit, "la", gap) for unit, gap in gaps.items()]
    # Half width of each of the four comparisons: 1.414 x 2.498 / 1.960 = 1.80.
    assert said(own(), *areas).endswith(
        "its place is from 2 to 4 of 5, counted from the narrowest."
    )
    alone = [area("E1", "la", 4.0), area("E2", "la", 14.0)]
    assert said(own(), *alone).endswith("its place is 2 of 3, counted from the narrowest.")


def test_without_intervals_the_places_of_other_years_stand_for_chance():
    bare = {"gap_lower": NAN, "gap_upper": NAN}
    swinging = area("E1", "la", 8.0, **bare).assign(gap=[10.0, 8.0])
    text = said(own(**bare), swinging, area("E2", "la", 12.0, **bare))
    assert text.endswith(
        "DfE's tables give no interval here; over the 2 years shown its place is from 1 to 2 of 3, "
        "counted from the narrowest."
    )


def test_whole_per_cents_are_compared_as_such():
    metric, published = "ks2_rwm_expected", {"source": "published"}
    text = said(
        own(-28.1, metric=metric, **published),
        area("E92000001", "national", -30.4, metric=metric, **published),
        metric=metric,
    )
    assert "was 28 percentage points (lower than for pupils without a social worker): 2 " in text
    assert "than in England (30)" in text


@pytest.mark.parametrize(
    ("gap", "place"),
    [
        (7.0, "the narrowest among"),
        (8.0, "the narrowest (shared) among"),
        (9.0, "the second narrowest among"),
        (9.7, "the second widest among"),
        (12.0, "the widest among"),
    ],
)
def test_rank_is_counted_from_the_nearer_end(gap, place):
    neighbours = [area(f"E{i}", "la", value) for i, value in enumerate((8.0, 9.5, 10.5), start=1)]
    assert f"That is {place}" in said(own(gap), *neighbours)


def test_a_score_further_below_nought_is_wider():
    sentence = said(
        own(-1.85, metric="ks4_progress8"),
        area("E92000001", "national", -1.6, metric="ks4_progress8"),
        area("E12000007", "region", -1.85, metric="ks4_progress8"),
        area("E1", "la", -1.25, metric="ks4_progress8"),
        metric="ks4_progress8",
    )
    assert "was 1.85 points (lower than for" in sentence
    assert "0.25 wider" in sentence
    assert "whose values lie between 1.25 and 1.25." in sentence
    mixed = said(own(-1.85, metric="ks4_progress8"), area("E1", "la", 0.2, metric="ks4_progress8"),
                 metric="ks4_progress8")  # fmt: skip
    assert f"was {MINUS}1.85 points." in mixed
    assert "about the same as in London" in sentence
    assert "the widest among it and its 1" in sentence


def test_a_level_is_higher_or_lower_and_more_or_less_favourable():
    sentence = said(
        own(),
        area("E92000001", "national", 11.4),
        area("E1", "la", 8.0),
        area("E2", "la", 7.0),
        measure="group_level",
    )
    assert "overall absence of children with a social worker in Cheshire East was 16.0%" in sentence
    assert "2.4 lower" in sentence
    assert "than in England (18.4)" in sentence
    assert "the least favourable among it and its 2" in sentence


def test_who_is_not_shown_is_said():
    hidden = {"status": "c"}
    sentence = said(
        own(),
        area("E92000001", "national", NAN, **hidden),
        area("E1", "la", 8.0),
        area("E2", "la", NAN, **hidden),
    )
    assert "England is not shown" in sentence
    assert "whose values lie between 8.0 and 8.0; 1 more not shown." in sentence
    nobody = said(own(), area("E1", "la", NAN, **hidden))
    assert nobody.endswith("None of its neighbours is shown in that year.")
    assert said(own()).endswith("was 9.0 percentage points.")
    assert "is not shown in any year" in said(own(NAN, **hidden), area("E1", "la", 8.0))


@pytest.mark.parametrize(
    ("metric", "opening"),
    [
        ("ks4_attainment8", "the average Attainment 8 of children with a social worker in "),
        ("ks2_rwm_expected", "the share reaching the expected standard in reading, writing and"),
        ("overall_absence", "the overall absence of children with a social worker in "),
    ],
)
def test_a_level_is_named_as_a_reader_would_say_it(metric, opening):
    level = {"metric": metric, "measure": "group_level"}
    assert f"In 2024/25 {opening}" in said(own(metric=metric), **level)
    never = said(own(NAN, metric=metric, status="c"), **level)
    assert never.startswith(f"T{opening[1:]}")
    assert never.endswith("is not shown in any year.")


def test_the_last_comparable_year_is_told():
    years = gap_rows("ks4_attainment8", group=[20.0, 21.0, 22.0, NAN, NAN, NAN, NAN])
    sentence = context_sentence(safe(years), metric="ks4_attainment8", authority=AUTHORITY)
    assert sentence.startswith("In 2018/19")
    assessed = safe(years[years["time_period"] > 201819])
    sentence = context_sentence(assessed, metric="ks4_attainment8", authority=AUTHORITY)
    assert sentence.startswith("In 2020/21")


def test_what_counts_enrolments_and_what_counts_children_is_named_where_both_stand_together():
    mixed = {"source": "published", "reference": "all"}
    absence = safe(gap_rows().assign(**mixed))
    assert counting_sentence(absence, metric="overall_absence") == phrase("counted_differently")
    assert counting_sentence(safe(gap_rows()), metric="overall_absence") == ""
    two_groups = safe(gap_rows().assign(source="published", reference="cin"))
    assert counting_sentence(two_groups, metric="overall_absence") == ""
    points = safe(gap_rows("ks4_attainment8").assign(**mixed))
    assert counting_sentence(points, metric="ks4_attainment8") == ""
