"""What the pages on the cohort and on gaps say: laws that hold whichever way the numbers fall."""

import re
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.release.made import AUTHORITY, NAN, gap_rows, safe
from vsh_eval import registry
from vsh_eval.release.text.findings.finding import OF_GAP, OF_LEVEL, Finding
from vsh_eval.release.text.pages import cohort, gaps
from vsh_eval.release.text.phrases.numbers import MINUS, rounded

ABSENCE, YEAR = "overall_absence", 202425
ABOUT = {"metric": ABSENCE, "year": YEAR}
KEYS = {
    "unit_id": AUTHORITY, "time_period": YEAR, "baseline": 202223, "phase": "total",
    "metric": ABSENCE, "group": "cwsw", "reference": "peers", "group_pupils": 640, "status": "",
}  # fmt: skip
HIDDEN = {"status": "c"}


def around(name, value, half=1.0):
    return {name: value, f"{name}_lower": value - half, f"{name}_upper": value + half}


GAP = KEYS | around("gap", 11.6) | {"group_level": 18.4, "reference_level": 6.8, "ratio": 2.71}
CHANGE = KEYS | around("change", 1.2, 0.9)
TREND = KEYS | around("trend", 0.3, 0.2) | {
    "first_year": 201617, "years": 7, "group_trend": 0.5, "reference_trend": 0.2, "reason": "",
}  # fmt: skip
PART = KEYS | {"whole": 2.5, "share": NAN, "of": "change"}
DAYS = KEYS | around("days", 17.1) | {"sessions": 34.2, "sessions_possible": 360.0}
SIZE = KEYS | around("effect_size", -0.8, 0.3) | {
    "metric": "ks4_attainment8", "measured_by": "hedges_g", "months": -9.0, "months_lower": -12.0,
    "months_upper": -6.0, "gap_index": NAN,
}  # fmt: skip
SPREAD = KEYS | around("tau", 3.0) | {
    "schools": 54, "mean_gap": 5.5, "i_squared": 21.0, "prediction_lower": -0.8,
    "prediction_upper": 11.9, "reason": "",
}  # fmt: skip
LEVEL = KEYS | {"level_value": 18.44, "lower": 17.1, "upper": 19.7, "pupils": 640}


def parts(own, theirs, **changes):
    rows = [PART | around("value", v) | {"part": p} | changes
            for p, v in (("group", own), ("reference", theirs))]  # fmt: skip
    return safe(rows)


def change(value, half=0.9, **changes):
    return safe([CHANGE | around("change", value, half) | changes])


numbers = st.floats(-50, 50).map(lambda value: round(value, 3))
halves = st.floats(0.01, 40).map(lambda value: round(value, 3))


@given(value=numbers, half=halves, words=st.sampled_from([OF_GAP, OF_LEVEL]))
def test_a_movement_has_a_direction_only_where_its_interval_leaves_zero_out(value, half, words):
    finding = Finding.of(around("x", value, half), "x", "points")
    told = finding.moved(words)
    clear = abs(value) > half
    assert (words.rose in told) == (clear and value > 0)
    assert (words.fell in told) == (clear and value < 0)
    assert ("no clear change" in told) == (not clear)
    assert MINUS not in told
    for way, end in {words.more: value + half, words.less: half - value}.items():
        assert clear or (way in told) == (rounded(end, finding.decimals) > 0)


@given(value=numbers)
def test_a_movement_without_interval_is_described_and_not_claimed(value):
    told = Finding.of({"x": value}, "x", "points").moved(OF_GAP)
    assert OF_GAP.rose not in told
    assert OF_GAP.fell not in told
    assert ("about the same" in told) == (round(abs(value), 1) == 0)


TWO = {"baseline": 202223, "time_period": 202324}
COMPARABLE = [
    m for m in registry.METRICS if len(registry.comparable_years(m, {*TWO.values()})) == 2
]


@pytest.mark.parametrize("metric", COMPARABLE)
@pytest.mark.parametrize("value", [3.0, -3.0])
def test_wider_follows_the_measure_and_not_the_sign(metric, value):
    worse = (value > 0) == registry.metric(metric).lower_is_better
    verb = "widened" if worse else "narrowed"
    row = KEYS | TWO | {"metric": metric}
    changes = safe([row | around("change", value)])
    own = safe([row | around("gap", 9.0)])
    trends = safe([TREND | TWO | {"metric": metric} | around("trend", value)])
    about = {"metric": metric, "year": 202324}
    assert f"{verb} by 3.0" in gaps.change_sentence(changes, **about)
    assert f"{verb} by 3.00" in gaps.trend_sentence(trends, metric=metric)
    assert f"the gap {verb} by 3.0" in gaps.gap_in_short(own, changes, **about)


def hidden(row, *names):
    return safe([row | dict.fromkeys(names, NAN) | HIDDEN])


@pytest.mark.parametrize(
    "said",
    [
        lambda: cohort.level_sentence(hidden(LEVEL, "level_value"), **ABOUT),
        lambda: gaps.gap_sentence(hidden(GAP, "gap"), **ABOUT),
        lambda: gaps.change_sentence(hidden(CHANGE, "change"), **ABOUT),
        lambda: gaps.trend_sentence(hidden(TREND, "trend"), metric=ABSENCE),
        lambda: gaps.whose_change_sentence(parts(NAN, 1.0, **HIDDEN), **ABOUT),
        lambda: gaps.days_sentence(hidden(DAYS, "days"), **ABOUT),
        lambda: gaps.months_sentence(
            hidden(SIZE, "effect_size"), metric="ks4_attainment8", year=YEAR
        ),
        lambda: gaps.schools_differ_sentence(hidden(SPREAD, "tau"), **ABOUT),
    ],
)
def test_a_hidden_number_is_said_to_be_hidden_and_no_other_is_said(said):
    text = said()
    assert "is not shown because it is suppressed to protect children's confidentiality" in text
    assert not re.findall(r"\d+\.\d", text)


def test_a_level_has_its_interval_and_a_small_one_its_caveat():
    assert cohort.level_sentence(safe([LEVEL]), **ABOUT) == (
        "Overall absence among children with a social worker was 18.4% in 2024/25 (95% interval "
        "17.1 to 19.7)."
    )
    small = safe([LEVEL | {"pupils": 25, "lower": NAN}])
    assert cohort.level_sentence(small, **ABOUT).endswith(
        "18.4% in 2024/25. This rests on about 25 pupils and is indicative only."
    )


def test_a_gap_says_both_levels_the_interval_and_the_ratio():
    assert gaps.gap_sentence(safe([GAP]), **ABOUT) == (
        "In 2024/25 overall absence among children with a social worker was 18.4%, against 6.8% "
        "for pupils without a social worker: 11.6 percentage points higher (95% interval 10.6 to "
        "12.6), 2.7 times as high."
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (around("gap", -28.7), "28.7 percentage points lower (95% interval 27.7 to 29.7)"),
        (around("gap", 0.3), f"(95% interval {MINUS}0.7 to 1.3), too uncertain to say which"),
        ({"gap_lower": NAN, "ratio": NAN}, ": 11.6 percentage points higher."),
        ({"ratio": 0.42}, ", less than half as high."),
    ],
)  # fmt: skip
def test_a_gap_is_said_whichever_way_it_falls(changes, words):
    assert words in gaps.gap_sentence(safe([GAP | changes]), **ABOUT)


@pytest.mark.parametrize(
    ("status", "why"), [("x", "not available"), ("", "not available"), ("k", "marked k")]
)
def test_a_year_without_data_says_why(status, why):
    said = gaps.gap_sentence(safe(gap_rows(status=status)), metric=ABSENCE, year=201920)
    assert f"in 2019/20 is not shown because it is {why}." in said
    assert ("No full-year absence was collected" in said) == (status != "k")


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.7, 0.9, "As a ratio of the two levels it fell, from 3.2 to 2.4."), (0.7, 1.1, "")],
)
def test_a_ratio_that_clearly_moved_is_said_beside_the_gap(low, high, words):
    moved = {"ratio": 2.4, "baseline_ratio": 3.2, "ratio_change": 0.75,
             "ratio_change_lower": low, "ratio_change_upper": high}  # fmt: skip
    said = gaps.change_sentence(safe([CHANGE | moved]), **ABOUT)
    assert ("As a ratio" in said) == bool(words)
    assert words in said


def test_changes_over_new_rules_and_over_years_that_cannot_be_compared():
    said = gaps.change_sentence(change(1.2, baseline=201819), **ABOUT)
    assert said.endswith("Recording rules changed in 2020/21, 2021/22 and 2024/25.")
    whole = gaps.change_sentence(change(1.2, baseline=201819), together=True, **ABOUT)
    assert whole == said.replace("Between", "In all schools together, between")
    near = change(1.2, time_period=202324)
    assert "rules" not in gaps.change_sentence(near, metric=ABSENCE, year=202324)
    apart = {"metric": "ks4_attainment8", "baseline": 201819, "time_period": 202021}
    about = {"metric": "ks4_attainment8", "year": 202021}
    said = gaps.change_sentence(change(1.2, **apart), **about)
    assert "2020/21 and 2018/19 cannot be compared. GCSE grades in 2020/21" in said
    assert "cannot be compared" in gaps.whose_change_sentence(parts(1.0, 1.0, **apart), **about)
    own = safe([GAP | apart])
    assert "is not given" in gaps.gap_in_short(own, change(1.2, **apart), **about)


def test_whose_change_it_was_turns_the_references_part_round():
    assert gaps.whose_change_sentence(parts(4.4, -1.9), **ABOUT) == (
        "Between 2022/23 and 2024/25 overall absence rose by 4.4 percentage points (95% interval "
        "3.4 to 5.4) among children with a social worker and rose by 1.9 percentage points (95% "
        "interval 0.9 to 2.9) among pupils without a social worker."
    )


def made_of(first, second, **changes):
    rows = [
        PART | around("value", value, 0.5) | {"of": "gap", "part": name, "whole": first + second}
        | changes
        for name, value in (("authorised_absence", first), ("unauthorised_absence", second))
    ]  # fmt: skip
    return gaps.absence_parts_sentence(safe(rows), year=YEAR)


def test_absence_is_made_of_what_was_authorised_and_what_was_not():
    assert made_of(3.8, 5.7, share=40.0) == (
        "Of the gap in overall absence of 9.5 percentage points in 2024/25, 3.8 (40%; 95% "
        "interval 3.3 to 4.3) are authorised and 5.7 (40%; 95% interval 5.2 to 6.2) unauthorised "
        "absence."
    )
    assert "3.8 (95% interval 3.3 to 4.3) are authorised" in made_of(-3.8, -5.7)
    assert f"opposite direction: {MINUS}1.0 (95%" in made_of(-1.0, 3.0)
    assert "is not shown because" in made_of(NAN, 3.0, **HIDDEN)


def test_days_and_months_are_said_with_what_they_rest_on():
    assert gaps.days_sentence(safe([DAYS]), **ABOUT) == (
        "In 2024/25 children with a social worker missed on average 17.1 more days each (95% "
        "interval 16.1 to 18.1) in overall absence than at the rate of pupils without a social "
        "worker: 34 of about 360 half-days of a school year."
    )
    unclear = safe([DAYS | around("days", 0.5)])
    assert "too uncertain to be counted in days" in gaps.days_sentence(unclear, **ABOUT)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "was 0.80 standard deviations (95% interval 0.50 to 1.10), by Hedges' g: about 9 "
             "months of progress behind on the Education Endowment Foundation's scale (interval 6 "
             "to 12 or more)."),
        (around("effect_size", 0.8, 0.3), "months of progress ahead"),
        ({"months": -12.0, "months_upper": -12.0}, "12 or more months of progress behind"),
        ({"months": -1.0, "months_lower": -1.0, "months_upper": -1.0}, "about 1 month of progress"),
        ({"months": 0.0}, "behind, less than a month of progress"),
        ({"months": NAN}, "by Hedges' g behind."),
        (around("effect_size", -0.8), f"too uncertain to say which group is ahead: {MINUS}0.80"),
        ({"measured_by": "gap_index", "gap_index": -4.9}, f"was {MINUS}4.90 by the gap index"),
    ],
)  # fmt: skip
def test_the_size_of_a_gap_is_said_whichever_way_it_falls(changes, said):
    assert said in gaps.months_sentence(safe([SIZE | changes]), metric="ks4_attainment8", year=YEAR)


def test_a_trend_says_both_levels_where_they_are_known():
    assert gaps.trend_sentence(safe([TREND]), metric=ABSENCE) == (
        "From 2016/17 to 2024/25 (7 years used), the gap in overall absence widened by 0.30 "
        "percentage points a year (95% interval 0.10 to 0.50). The levels moved by +0.50 "
        "percentage points a year for children with a social worker and +0.20 percentage points a "
        "year for pupils without a social worker. "
        "Recording rules changed in 2020/21, 2021/22 and 2024/25."
    )
    bare = safe([TREND | {"group_trend": NAN}])
    assert "levels" not in gaps.trend_sentence(bare, metric=ABSENCE)
    reason = {"trend": NAN, "status": "x", "reason": "too_few_years"}
    said = gaps.trend_sentence(safe([TREND | reason]), metric=ABSENCE)
    assert said.endswith("can be given: a line needs at least three years that can be compared.")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Among 54 schools in 2024/25 the gap in overall absence differed by more than chance"),
        ({}, f"would be expected between {MINUS}0.8 and 12 ("),
        ({"tau": 16.0, "tau_lower": 12.0, "tau_upper": 19.0}, "16 percentage points (95% interval"),
        ({"tau_lower": 0.0}, "may have differed by more than chance"),
        ({"tau": 0.0}, "differed no more than by chance; the mean"),
        ({"tau": NAN, "status": "x", "reason": "too_few_schools"},
         "2024/25: at least three schools"),
    ],
)  # fmt: skip
def test_how_much_schools_differ_is_said_without_naming_one(changes, said):
    assert said in gaps.schools_differ_sentence(safe([SPREAD | changes]), **ABOUT)


def in_phases(**second):
    rows = [
        GAP | around("gap", 16.2, 3.0) | {"phase": "secondary"},
        GAP | around("gap", 2.3, 2.2) | {"phase": "special"} | second,
        GAP | {"phase": "alternative_provision", "gap": 40.0, "group_pupils": 15},
        GAP,
    ]
    return gaps.widest_sentence(safe(rows), over="phase", **ABOUT)


def test_the_widest_gap_is_one_with_pupils_enough_and_its_order_is_tested():
    assert in_phases() == (
        "Overall absence, 2024/25: of the phases with 30 or more pupils the gap was widest in "
        "secondary schools (16.2 percentage points higher) and narrowest in special schools (2.3 "
        "percentage points higher). The two differ by 13.9 percentage points (95% interval 10.2 to "
        "17.6)."
    )
    unclear = in_phases(**around("gap", 12.5, 3.0))
    assert unclear.endswith("so their order is not clear.")
    assert "not ranked" in in_phases(gap=NAN)


def test_the_interval_of_a_difference_allows_for_every_pair_that_it_was_picked_from():
    rows = [GAP | around("gap", size, 2.0) for size in (6.0, 2.0)]
    two = gaps.order_clause(*rows, of=2)
    # sqrt(2^2 + 2^2) = 2.83; for the six pairs of four, 2.83 x 2.638 / 1.960 = 3.81.
    assert two == " The two differ by 4.0 percentage points (95% interval 1.2 to 6.8)."
    four = gaps.order_clause(*rows, of=4, which="They")
    assert four == (
        " They differ by 4.0 percentage points (95% interval 0.2 to 7.8, counting all 6 pairs)."
    )
    behind = [GAP | around("gap", size, 2.0) for size in (-6.0, -2.0)]
    assert gaps.order_clause(*behind, of=2) == two
    assert "chance cannot be ruled out" in gaps.order_clause(GAP | {"gap_lower": NAN}, GAP, of=2)
    near = [GAP | around("gap", size, 2.0) for size in (22.26, 2.34)]
    # A reader takes 2.3 from 22.3.
    assert " The two differ by 20.0 percentage points (95% interval 17.1 to" in gaps.order_clause(
        *near, of=2
    )


def test_a_cohort_that_moves_by_more_than_a_tenth_is_named_with_its_years():
    counts = {201819: 480, 202021: 530, 202223: 590, 202324: 597, 202425: 760}
    rows = [LEVEL | {"time_period": year, "pupils": count} for year, count in counts.items()]
    said = cohort.moves_sentence(safe(rows), metric="overall_absence")
    assert said == (
        "The number of children with a social worker changed by 10% or more in a year: from 597 "
        "in 2023/24 to 760 in 2024/25 (+27%). Different children are counted before and after, so "
        "part of any change may be a change in who is counted."
    )
    steady = [row | {"pupils": 600} for row in rows]
    assert cohort.moves_sentence(safe(steady), metric="overall_absence") == ""
    gap = [GAP | {"time_period": y, "group_pupils": n} for y, n in ((202324, 700), (202425, 500))]
    fell = cohort.moves_sentence(safe(gap), metric="overall_absence")
    assert f"from 700 in 2023/24 to 500 in 2024/25 ({MINUS}29%)" in fell


def test_what_dfe_publishes_in_whole_per_cent_is_said_in_whole_per_cent():
    row = GAP | {"metric": "ks2_rwm_expected", "group_level": 36.9, "reference_level": 65.0}
    row |= {"reference": "all", **around("gap", -28.1), "ratio": NAN}
    about = {"metric": "ks2_rwm_expected", "year": YEAR}
    said = gaps.gap_sentence(safe([row | {"source": "published"}]), **about)
    assert "was 37%, against 65% for all pupils: 28 percentage points lower" in said
    assert "36.9%, against 65.0%" in gaps.gap_sentence(safe([row]), **about)


def test_a_gap_in_short_says_no_direction_that_is_not_clear():
    said = gaps.gap_in_short(safe([GAP | around("gap", 0.3)]), change(0.4), **ABOUT)
    assert f"no clear gap ({MINUS}0.7 to 1.3 percentage points) in 2024/25; no clear change" in said
    first = change(1.2, baseline=YEAR)
    assert gaps.gap_in_short(safe([GAP]), first, **ABOUT).endswith("in 2024/25.")


def barriers(**levels):
    rows = [
        KEYS | {"barrier": name, "group_level": own, "reference_level": other, "gap": own - other}
        | {"status": "c" if isnan(own) else ""}
        for name, (own, other) in levels.items()
    ]  # fmt: skip
    return cohort.barriers_sentence(safe(rows), year=YEAR)


def test_barriers_are_said_the_widest_first_and_hidden_ones_named():
    assert barriers(sen_support=(21.7, 13.0), fsm6=(62.3, 25.6), ehc_plan=(NAN, NAN)) == (
        "In 2024/25 62.3% of children with a social worker had free school meals in the last six "
        "years, against 25.6% of pupils without a social worker; 21.7% against 13.0% had SEN "
        "support. The share with an education, health and care plan is not shown."
    )


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (300, 345, "In 2024/25 there were 345 children with a social worker in schools, 15% more "
                   "than the 300 of 2018/19."),
        (400, 345, "14% fewer than the 400 of 2018/19."),
        (345, 345, "about as many as in 2018/19 (345)."),
        (NAN, 345, "the number of 2018/19 is not shown."),
        (300, NAN, "The number of children with a social worker in 2024/25 is not shown."),
    ],
)  # fmt: skip
def test_the_size_of_the_cohort_is_said_with_what_it_was(before, now, said):
    rows = [KEYS | {"time_period": y, "pupils": n} for y, n in ((201819, before), (YEAR, now))]
    table = safe(rows)
    assert said in cohort.size_sentence(table, metric=ABSENCE, first=201819, last=YEAR)


def test_groups_of_the_same_schools_differ_by_the_gap_between_them_or_not_at_all():
    need, care = ({"group": name, "reference": "peers"} for name in ("cin", "cla"))
    rows = [
        GAP | around("gap", 12.0, 2.0) | need,
        GAP | around("gap", 4.0, 3.0) | care,
    ]
    between = GAP | around("gap", 8.0, 1.5) | {"group": "cin", "reference": "cla"}
    asked = {"over": "group", "reference": "peers", **ABOUT}
    said = gaps.widest_sentence(safe([*rows, between]), **asked)
    assert said.endswith("The two differ by 8.0 percentage points (95% interval 6.5 to 9.5).")
    assert gaps.widest_sentence(safe(rows), **asked).endswith(
        "No interval can be given for the difference, so chance cannot be ruled out."
    )
