"""What the page on robustness says and draws, whichever way the checks fall."""

import numpy as np
import pytest

from tests.release.made import NAN, POWER_CURVE, estimate_row, safe
from vsh_eval.release.text.findings.checks import CHECK_NAMES
from vsh_eval.release.text.findings.value import value_sentence
from vsh_eval.release.text.pages.design import (
    false_alarm_sentence,
    offer_least_sentence,
    planted_sentence,
)
from vsh_eval.release.text.pages.robustness import (
    drift_sentence,
    honest_sentence,
    mind_headline,
    mind_sentences,
    specifications_sentence,
    two_way_sentence,
)
from vsh_eval.release.text.phrases.numbers import MINUS


def check_row(check, verdict="agrees", **changes):
    """Return a row of the robustness table."""
    return estimate_row(
        **{
            "role": "robustness",
            "check": check,
            "question": "?",
            "variant": f"variant of {check}",
            "variant_code": "",
            "reason_code": "",
            "amount": NAN,
            "verdict": verdict,
            "rule": "by its rule",
            "reason": "",
            "df": 119.0,
            **changes,
        }
    )


def every_check(verdict="agrees"):
    """Return one row a check, as the room of effects makes them."""
    drift = {"estimator": "drift", "estimate": 0.9, "p_value": NAN, "ci_lower": NAN}
    return [
        check_row("pretrend", verdict, estimate=NAN, ci_lower=NAN, ci_upper=NAN, p_value=0.4),
        check_row("pretrend", verdict, variant="drift", reason_code="drift_adds", amount=0.3,
                  ci_upper=NAN, **drift),
        check_row("trend_breaks", verdict, variant_code="trend_breaks_all_years",
                  estimator="honest", amount=1.1 if verdict == "agrees" else 0.4,
                  reason="the mean of all years survives trend differences up to 1.1 times"),
        check_row("early_placebo", verdict, estimate=0.1),
        check_row("own_levels", verdict, variant_code="peers_level", estimate=0.1),
        check_row("own_levels", "agrees", variant_code="cohort_level", estimate=-1.3),
        check_row("chance", verdict, estimator="randomisation", ci_lower=NAN, ci_upper=NAN),
        check_row("leave_out", verdict, variant="without one", estimate=-1.0),
        check_row("leave_out", "agrees", variant="without another", estimate=-2.0),
        check_row("estimators", verdict, variant="another estimator", estimate=-1.1),
        check_row("covid_years", verdict, estimate=-1.2),
        check_row("definitions", verdict, estimate=-1.5),
        check_row("composition", verdict, metric="log_cohort_size", variant="how many (log)"),
        check_row("composition", "not testable", metric="entries", estimate=NAN, reason="none"),
        check_row("equivalence", verdict, reason_code="not_excluded"),
    ]  # fmt: skip


def page(rows, **primary):
    first = check_row("", verdict="", variant="", **{"role": "primary", **primary})
    return safe([first, *rows])


def changed(place, **changes):
    """Return one row a check, one of them changed or with a row more at the end."""
    rows = every_check()
    return [*rows[:place], rows[place] | changes, *rows[place + 1 :]]


AGREE, NOTHING = every_check(), {"p_value": 0.4, "ci_upper": 0.3}
BREAK = check_row("trend_breaks", "differs", variant_code="trend_breaks_first_year", amount=0.2)
ZERO_TOO = check_row("estimators", estimate=-1.1, ci_lower=-3.0, ci_upper=0.7)
NO_YEAR = {"verdict": "not testable", "estimate": NAN, "reason": "no covid year is in the data."}
OTHER = check_row("estimators", "differs", variant="another estimator", estimate=2.0)
UNTESTED = [check_row(c, "not testable", estimate=NAN, reason="why not") for c in CHECK_NAMES]
NO_ESTIMATE = dict.fromkeys(["estimate", "ci_lower", "ci_upper", "p_value"], NAN)
# The rows, the primary row's changes, words of the headline and of the first or any sentence.
PAGES = {
    "all agree": (AGREE, {}, ["11 of 11 kinds of check agree", "not proof"], []),
    "one differs": (
        [*AGREE[:9], OTHER, *AGREE[10:]], {},
        ["1 of 11 kinds of check raises a doubt about the result.", "10 of 11 kinds of check"],
        ["**g: Other estimators that say something else.** Raises a doubt.",
         "'another estimator'"]),
    "all differ": (
        every_check("differs"), {}, [],
        ["must not be believed", "although nobody was trained yet",
         "part of the change lies with them", "no larger than chance gives"]),
    "the first year does not judge breaks of trends": ([*AGREE, BREAK], {}, ["11 of 11"], []),
    "the headline does": (
        [*changed(2, amount=0.4), BREAK], {}, ["raises a doubt"], ["**b: "]),
    "a drift that is not excluded": (
        changed(1, verdict="differs"), {}, [],
        ["Leaves a doubt.", "do not exclude a trend of 0.3 percentage points a year"]),
    "a path that was seen": (
        [changed(0, verdict="differs")[0], *changed(1, verdict="differs")[1:]], {}, [],
        ["must not be believed."]),
    "estimators that find nothing": (
        [*AGREE, ZERO_TOO], {}, [],
        ["1 of 2 hold zero too.", f"Estimates are all about {MINUS}1.1 percentage points."]),
    "the primary test finds nothing": (
        AGREE, NOTHING, ["The primary test detects no effect"],
        ["nothing that such a break could undo", "none is claimed here, and none is denied"]),
    "no estimate": (UNTESTED, NO_ESTIMATE, ["There is no estimate"], ["could not be tested"]),
    "a check that could not be made": (
        changed(10, **NO_YEAR), {}, ["1 could not be made"],
        ["The reason: no covid year is in the data."]),
}  # fmt: skip

SOMEWHERE = ("all differ", "estimators that find nothing", "the primary test finds nothing")
"""Cases whose words may stand in any sentence; of the others the doubt comes first."""


@pytest.mark.parametrize("case", PAGES)
def test_headline_and_sentences_follow_the_verdicts(case):
    rows, primary, headline, words = PAGES[case]
    shown = page(rows, **primary)
    said, head = mind_sentences(shown), mind_headline(shown)
    assert len(said) == 11
    assert [one for one in headline if one not in head] == []
    assert [one for one in words if one not in " ".join(said)] == []
    assert case in SOMEWHERE or words[:1] == [one for one in words[:1] if one in said[0]]
    everywhere = {"all differ": "Raises a doubt.", "no estimate": "could not be tested"}
    assert all(everywhere.get(case, "") in one for one in said)
    assert case != "all agree" or not any("Raises a doubt" in one for one in said)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"estimate": NAN, "status": "x", "reason": "the effect's interval contains zero"},
         "per extra school day cannot be estimated: the effect's interval contains"),
        # Two sessions make a day.
        ({"ci_upper": np.inf}, "Training cost about £44 (95% interval £19 to no upper limit) per "),
        ({"ci_lower": 3.5, "ci_upper": 31.0}, "£44 (95% interval £7 to £62)"),
        ({"estimate": 4.5, "ci_lower": 3.5, "ci_upper": 9.5},
         "£9.00 (95% interval £7.00 to £19.00)"),
        ({}, "if the effect is real"),
    ],
)  # fmt: skip
def test_a_cost_is_said_by_the_school_day_or_why_it_cannot_be(changes, said):
    row = estimate_row(measure="cost_per_unit_regained", unit="GBP per session regained",
                       estimate=22.0, ci_lower=9.5, ci_upper=30.0, reason="")  # fmt: skip
    assert said in value_sentence(safe([row | changes]))


def test_the_bounds_are_told_for_both_targets():
    rows = [
        check_row("trend_breaks", variant=variant, bound=size, ci_lower=-3 - size,
                  ci_upper=size - 1.2, breakdown=survives)
        for variant, survives in (("first year", 1.1), ("all years", 0.0))
        for size in (0.0, 1.0, 2.0)
    ]  # fmt: skip
    said = honest_sentence(safe(rows))
    assert said.startswith("Averaged over all years after training the interval contains zero")
    assert "no more than a tenth" in said
    assert "up to 1.1 times the largest difference seen before training" in said


def test_power_and_false_alarms_are_said_before_any_effect():
    curve = safe(POWER_CURVE)
    about, power = {"metric": "overall_absence", "sesoi": 0.5}, safe([{"mde": 1.8}])
    said = planted_sentence(curve, power, **about)
    assert "0.5 percentage points" in said
    assert said.endswith("20% of the runs; one of 1.8 percentage points in 80% of them.")
    none = curve.where(effect=[0.0, 0.5])
    assert planted_sentence(none, power, **about).endswith(
        "none of the effects tried is detected in 80% of them. The calculation further up gives "
        "1.8, which is too low."
    )
    # The interval of the share at 1.4 ends at 65.8%, that at 2.0 begins at 85%.
    for formula in (1.4, 2.0):
        said = planted_sentence(curve, safe([{"mde": formula}]), **about)
        assert said.endswith(f"The calculation further up gives {formula}; rely on the larger.")


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("as_it_should_be", "about as rare as they should be"),
        ("too_few", "excluded safely"),
        ("too_many", "read the randomisation test"),
    ],
)
def test_false_alarms_mean_something(verdict, words):
    row = {"runs": [500], "share": [3.4], "share_lower": [2.0], "share_upper": [5.0],
           "alpha": [0.05]}  # fmt: skip
    said = false_alarm_sentence(safe({**row, "verdict": [verdict]}))
    assert "3.4% of these runs" in said
    assert words in said


def test_the_specifications_of_each_group_have_a_range_and_a_count():
    rows = [
        {"group": group, "estimate": value, "ci_lower": value - 1, "ci_upper": value + 1}
        for group, value in (("cwsw", -3.0), ("cwsw", -0.5), ("cin", -2.0))
    ]
    assert specifications_sentence(safe(rows), metric="overall_absence") == (
        "For children with a social worker the estimates go from \u22123.0 to \u22120.5 percentage "
        "points, and 1 of 2 intervals lie wholly on one side of zero. For children in need the "
        "estimates go from \u22122.0 to \u22122.0 percentage points, and 1 of 1 intervals lie "
        "wholly on one side of zero."
    )


def test_the_two_way_weights_name_the_forbidden_comparisons():
    rows = [
        check_row("estimators", variant="treated_vs_never", weight=0.9),
        check_row("estimators", variant="later_vs_earlier", weight=0.1),
    ]
    assert "10% lies on comparisons with schools that were trained" in two_way_sentence(safe(rows))


def test_the_drift_that_would_be_seen_is_said():
    said = drift_sentence(safe({"slope": [-0.3], "bias": [-1.1]}), metric="overall_absence")
    assert "differed by 0.3 percentage points a year had an 80% chance of being detected" in said
    assert "move the estimate by 1.1 percentage points" in said


def test_what_published_tables_could_show():
    about = {"metric": "overall_absence", "sesoi": 0.5}
    small, large, none = (
        offer_least_sentence(safe({"mde": [mde], "status": ["x"]}), **about)
        for mde in (0.4, 3.9, NAN)
    )
    assert small.endswith("had an 80% chance of being detected.")
    assert "of 3.9 percentage points" in large
    assert "One of 0.5 percentage points, the smallest of interest, had a smaller chance" in large
    assert "cannot be told" in none
