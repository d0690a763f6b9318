"""What a gap is made of and what stands in the way, right whichever way the numbers fall."""

from math import isnan

import pytest

from tests.release.made import AUTHORITY, NAN, safe
from vsh_eval.release import (
    absence_parts_sentence,
    barriers_sentence,
    size_sentence,
    whose_change_sentence,
)

MINUS = "\N{MINUS SIGN}"
ROW = {
    "unit_id": AUTHORITY, "time_period": 202425, "baseline": 201819, "phase": "total",
    "metric": "overall_absence", "group": "cwsw", "reference": "peers", "share": NAN, "status": "",
}  # fmt: skip


def part(part, value, *, half=1.0, **changes):
    limits = {"value_lower": value - half, "value_upper": value + half}
    return ROW | {"of": "change", "part": part, "value": value, "whole": 2.5} | limits | changes


def whose(own, theirs, **where):
    table = safe([part("group", **own), part("reference", **theirs)])
    return whose_change_sentence(table, metric="overall_absence", year=202425, **where)


@pytest.mark.parametrize(
    ("own", "theirs", "said"),
    [
        ({"value": 4.4}, {"value": -1.9},
         "Between 2018/19 and 2024/25 overall absence rose by 4.4 percentage points (95% interval "
         "3.4 to 5.4) among children with a social worker and rose by 1.9 percentage points (95% "
         "interval 0.9 to 2.9) among pupils without a social worker."),
        ({"value": -4.4}, {"value": 1.9}, "fell by 1.9 percentage points (95% interval 0.9"),
        ({"value": -4.4}, {"value": 1.9}, "fell by 4.4 percentage points (95% interval 3.4"),
        ({"value": 0.5}, {"value": -0.5},
         f"did not clearly change (+0.5, 95% interval {MINUS}0.5 to 1.5) among children"),
        ({"value": 1.7, "value_lower": NAN}, {"value": 0.0, "value_lower": NAN},
         "rose by 1.7 percentage points among children with a social worker and stood still"),
        ({"value": -1.7, "value_lower": NAN}, {"value": -0.5}, "fell by 1.7 percentage points am"),
        ({"value": NAN, "status": "c"}, {"value": 1.0}, "Whose overall absence moved in 2024/25"),
    ],
)  # fmt: skip
def test_whose_level_moved_is_said_whichever_way(own, theirs, said):
    assert said in whose(own, theirs)


def test_years_that_cannot_be_compared_are_not():
    rows = [part(side, 2.0, metric="eyfsp_gld") for side in ("group", "reference")]
    text = whose_change_sentence(safe(rows), metric="eyfsp_gld", year=202425)
    assert "2024/25 and 2018/19 cannot be compared" in text


def made_of(first, second, whole, **changes):
    rows = [
        part(name, value, of="gap", whole=whole, half=0.5, **changes)
        for name, value in (("authorised_absence", first), ("unauthorised_absence", second))
    ]
    return absence_parts_sentence(safe(rows), year=202425)


@pytest.mark.parametrize(
    ("numbers", "change", "said"),
    [
        ((3.8, 5.7, 9.5), {"share": 40.0},
         "Of the gap in overall absence of 9.5 percentage points in 2024/25, 3.8 (40%; 95% "
         "interval 3.3 to 4.3) are authorised and 5.7 (40%; 95% interval 5.2 to 6.2) unauthorised "
         "absence."),
        ((3.8, 5.7, 9.5), {"value_lower": NAN}, "3.8 are authorised and 5.7 unauthorised"),
        ((-3.8, -5.7, -9.5), {}, "Of the gap in overall absence of 9.5 percentage points in"),
        ((-3.8, -5.7, -9.5), {}, "3.8 (95% interval 3.3 to 4.3) are authorised"),
        ((-1.0, 3.0, 2.0), {"share": 40.0},
         f"was made of absence of opposite direction: {MINUS}1.0 authorised (95% interval "
         f"{MINUS}1.5 to {MINUS}0.5) and +3.0 unauthorised (95% interval 2.5 to 3.5)."),
        ((NAN, 3.0, 2.0), {"status": "c"}, "What the gap in overall absence is made of in 2024/25"),
    ],
)  # fmt: skip
def test_the_parts_of_absence_are_said_whichever_way(numbers, change, said):
    assert said in made_of(*numbers, **change)


BARRIER = {
    "unit_id": AUTHORITY, "time_period": 202425, "phase": "total", "group": "cwsw",
    "reference": "peers", "group_pupils": 345, "status": "",
}  # fmt: skip


def barriers(**levels):
    rows = [
        BARRIER
        | {"barrier": name, "group_level": own, "reference_level": other, "gap": own - other}
        | {"status": "c" if isnan(own) else ""}
        for name, (own, other) in levels.items()
    ]
    return barriers_sentence(safe(rows), year=202425)


def test_barriers_are_said_the_widest_first():
    assert barriers(sen_support=(21.7, 13.0), fsm6=(62.3, 25.6)) == (
        "In 2024/25 62.3% of children with a social worker had free school meals in the last six "
        "years, against 25.6% of pupils without a social worker; 21.7% against 13.0% had SEN "
        "support."
    )


def test_a_hidden_barrier_is_said_to_be_hidden():
    text = barriers(sen_support=(21.7, 13.0), ehc_plan=(NAN, NAN))
    assert text.endswith("The share with an education, health and care plan is not shown.")
    assert barriers(ehc_plan=(NAN, NAN)) == (
        "The share with an education, health and care plan is not shown."
    )


def sizes(before, now, **where):
    rows = [
        BARRIER | {"metric": "overall_absence", "time_period": year, "pupils": pupils}
        for year, pupils in ((201819, before), (202425, now))
    ]
    asked = {"metric": "overall_absence", "first": 201819, "last": 202425} | where
    return size_sentence(safe(rows), **asked)


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (300, 345, "In 2024/25 there were 345 children with a social worker in schools, 15% more "
                   "than the 300 of 2018/19."),
        (400, 345, "14% fewer than the 400 of 2018/19."),
        (345, 345, "about as many as in 2018/19 (345)."),
        (NAN, 345, "345 children with a social worker in schools; the number of 2018/19 is not"),
        (300, NAN, "The number of children with a social worker in 2024/25 is not shown."),
    ],
)  # fmt: skip
def test_the_size_of_the_cohort_is_said_with_what_it_was(before, now, said):
    assert said in sizes(before, now)


def test_the_size_of_a_first_year_is_not_compared():
    assert sizes(300, 345, first=202425).endswith("in schools.")
