"""One line for what is folded: right whichever way a gap lies and moves."""

import pytest

from tests.release.made import NAN, gap_rows, safe
from vsh_eval import release
from vsh_eval.release.rows import intervals_overlap
from vsh_eval.release.text.phrases import MINUS

ABSENCE = "overall_absence"


def gap(metric=ABSENCE, **changes):
    row = gap_rows().iloc[-1].to_dict() | {"metric": metric, "time_period": 202425}
    row |= {"gap": 8.4, "gap_lower": 6.8, "gap_upper": 9.9, "group_pupils": 1600, "status": ""}
    return row | changes


def change(metric=ABSENCE, **changes):
    row = {"metric": metric, "phase": "total", "time_period": 202425, "baseline": 201819}
    row |= {"change": 1.6, "change_lower": 0.1, "change_upper": 3.1, "status": ""}
    return row | changes


def said(row, moved, metric=ABSENCE):
    return release.gap_in_short(safe([row]), safe([moved]), metric=metric, year=202425)


@pytest.mark.parametrize(
    ("row", "moved", "words"),
    [
        ({}, {}, "higher by 8.4 percentage points in 2024/25; the gap widened by 1.6 since 2018"),
        ({}, {"change": -1.6, "change_lower": -3.1, "change_upper": -0.1}, "narrowed by 1.6"),
        ({}, {"change_lower": -0.4}, "; no clear change since 2018/19."),
        ({}, {"change_lower": NAN, "change_upper": NAN}, "cannot be told from chance."),
        ({}, {"change": NAN, "status": "c"}, "; a change since 2018/19 is not given."),
        ({"gap_lower": -1.0}, {}, f"no clear gap ({MINUS}1.0 to 9.9 percentage points) in 2024/25"),
        ({"gap": NAN, "status": "c"}, {}, "Overall absence: the gap of 2024/25 is not shown."),
    ],
)  # fmt: skip
def test_a_gap_in_short_says_what_is_shown_and_no_more(row, moved, words):
    assert words in said(gap(**row), change(**moved))


def test_better_when_higher_turns_the_words_round():
    name = "ks4_attainment8"
    row = gap(name, gap=-30.2, gap_lower=-33.2, gap_upper=-27.2)
    moved = change(name, change=-3.0, change_lower=-5.0, change_upper=-1.0)
    assert said(row, moved, name) == (
        "Attainment 8: lower by 30.2 points in 2024/25; the gap widened by 3.0 since 2018/19."
    )


def test_years_that_cannot_be_compared_have_no_change_and_the_baseline_has_none():
    name = "eyfsp_gld"
    row = gap(name, gap=-26.8, gap_lower=-35.5, gap_upper=-18.0)
    assert "a change since 2018/19 is not given" in said(row, change(name), name)
    assert said(gap(), change(baseline=202425)).endswith("in 2024/25.")
    table = safe([change(phase="primary")])
    alone = release.gap_in_short(safe([gap()]), table, metric=ABSENCE, year=202425)
    assert alone.endswith("in 2024/25.")


def phases(**second):
    rows = [
        gap(phase="secondary", gap=16.2, gap_lower=13.0, gap_upper=19.0),
        gap(phase="special", gap=2.3, gap_lower=0.1, gap_upper=4.5, **second),
        gap(phase="alternative_provision", gap=40.0, group_pupils=15),
        gap(phase="total"),
    ]
    return safe(rows)


def test_the_widest_phase_is_one_with_pupils_enough():
    about = {"over": "phase", "metric": ABSENCE, "year": 202425}
    assert release.widest_sentence(phases(), **about) == (
        "Overall absence, 2024/25: of the phases with 30 or more pupils the gap was widest in "
        "secondary schools (+16.2 percentage points) and narrowest in special schools (+2.3 "
        "percentage points)."
    )
    few = release.widest_sentence(phases(group_pupils=20), **about)
    assert "fewer than two phases with 30 or more pupils are shown" in few


def test_overlapping_groups_are_not_ranked_for_sure():
    rows = [gap(group="cin"), gap(group="cpp", gap=12.7, gap_lower=9.0, gap_upper=16.0)]
    words = release.widest_sentence(safe(rows), over="group", metric=ABSENCE, year=202425)
    assert "widest for children on a child protection plan (+12.7" in words
    assert words.endswith("The intervals of the two overlap, so the order may be chance.")
    assert not intervals_overlap([{"gap_lower": NAN, "gap_upper": 1.0}] * 2, "gap")


def test_balance_is_said_with_the_largest_difference():
    rows = {"variable": ["baseline_outcome", "pct_fsm"], "standardised_difference": [0.02, -0.3]}
    assert release.balance_sentence(safe(rows)) == (
        "Trained and untrained schools differed before training; largest difference: pupils on "
        "free school meals (%), 0.30 standard deviations."
    )
    alike = release.balance_sentence(safe({**rows, "standardised_difference": [0.02, -0.1]}))
    assert "schools were alike" in alike
    none = release.balance_sentence(safe({**rows, "standardised_difference": [NAN, NAN]}))
    assert "cannot be shown" in none
