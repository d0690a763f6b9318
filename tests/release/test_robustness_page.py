"""What the page on robustness says and draws, whichever way the checks fall."""

import numpy as np
import pytest

from tests.release.made import NAN, estimate_row, safe
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


def first_row(**changes):
    return check_row("", verdict="", variant="", **{"role": "primary", **changes})


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
    return safe([first_row(**primary), *rows])


def test_when_all_agree_nothing_is_called_proven():
    said = mind_headline(page(every_check()))
    assert "11 of 11 kinds of check agree" in said
    assert "not proof" in said
    sentences = mind_sentences(page(every_check()))
    assert len(sentences) == 11
    assert not any("Raises a doubt" in sentence for sentence in sentences)


def test_what_differs_comes_first_and_is_named():
    rows = every_check()
    rows[9] = check_row("estimators", "differs", variant="another estimator", estimate=2.0)
    said = mind_sentences(page(rows))
    assert said[0].startswith("**g: Other estimators that say something else.** Raises a doubt.")
    assert "'another estimator'" in said[0]
    headline = mind_headline(page(rows))
    assert headline.startswith("1 of 11 kinds of check raises a doubt about the result.")
    assert "10 of 11 kinds of check agree" in headline


def test_when_all_differ_every_sentence_says_so():
    said = mind_sentences(page(every_check("differs")))
    assert sum("Raises a doubt." in sentence for sentence in said) == 11
    told = " ".join(said)
    assert "must not be believed" in told
    assert "although nobody was trained yet" in told
    assert "part of the change lies with them" in told
    assert "no larger than chance gives" in told


def test_breaks_of_trends_are_judged_by_the_headline_and_not_by_the_first_year():
    rows = every_check()
    rows.append(check_row("trend_breaks", "differs", variant_code="trend_breaks_first_year",
                          amount=0.2))  # fmt: skip
    assert "11 of 11" in mind_headline(page(rows))
    rows[2] = {**rows[2], "amount": 0.4}
    assert mind_sentences(page(rows))[0].startswith("**b: ")


def test_a_drift_that_is_not_excluded_leaves_a_doubt_and_a_path_that_was_seen_ends_the_matter():
    rows = every_check()
    rows[1] = {**rows[1], "verdict": "differs"}
    said = mind_sentences(page(rows))[0]
    assert "Leaves a doubt." in said
    assert "do not exclude a trend of 0.3 percentage points a year" in said
    rows[0] = {**rows[0], "verdict": "differs"}
    said = mind_sentences(page(rows))[0]
    assert said.endswith("must not be believed.")


def test_estimators_that_agree_but_find_nothing_are_counted():
    rows = every_check()
    rows.append(check_row("estimators", estimate=-1.1, ci_lower=-3.0, ci_upper=0.7))
    found = next(one for one in mind_sentences(page(rows)) if one.startswith("**g: "))
    assert "1 of 2 hold zero too." in found
    assert f"Estimates are all about {MINUS}1.1 percentage points." in found


def test_where_the_primary_test_finds_nothing_there_is_nothing_to_undo():
    shown = page(every_check(), p_value=0.4, ci_upper=0.3)
    assert mind_headline(shown).startswith("The primary test detects no effect")
    said = " ".join(mind_sentences(shown))
    assert "nothing that such a break could undo" in said
    assert "none is claimed here, and none is denied" in said


def test_without_an_estimate_no_check_is_made_up():
    rows = [check_row(c, "not testable", estimate=NAN, reason="why not") for c in CHECK_NAMES]
    shown = page(rows, estimate=NAN, ci_lower=NAN, ci_upper=NAN, p_value=NAN)
    assert mind_headline(shown).startswith("There is no estimate")
    assert all("could not be tested" in sentence for sentence in mind_sentences(shown))


def test_a_check_that_could_not_be_made_gives_its_reason():
    rows = every_check()
    rows[10] = check_row(
        "covid_years", "not testable", estimate=NAN, reason="no covid year is in the data."
    )
    said = mind_sentences(page(rows))
    assert "The reason: no covid year is in the data." in said[0]
    assert "1 could not be made" in mind_headline(page(rows))


def test_a_cost_that_cannot_be_estimated_says_why():
    row = estimate_row(measure="cost_per_unit_regained", unit="GBP per session regained",
                       estimate=NAN, ci_lower=NAN, ci_upper=NAN, status="x",
                       reason="the effect's interval contains zero")  # fmt: skip
    said = value_sentence(safe([row]))
    assert "per extra school day cannot be estimated: the effect's interval contains" in said


def test_an_open_upper_limit_of_a_cost_is_said():
    row = estimate_row(measure="cost_per_unit_regained", unit="GBP per session regained",
                       estimate=22.0, ci_lower=9.5, ci_upper=np.inf, reason="")  # fmt: skip
    said = value_sentence(safe([row]))
    # Two sessions make a day.
    assert said.startswith("Training cost about £44 (95% interval £19 to no upper limit) per extra")
    low = value_sentence(safe([row | {"ci_lower": 3.5, "ci_upper": 31.0}]))
    assert "£44 (95% interval £7 to £62)" in low
    cheap = value_sentence(safe([row | {"estimate": 4.5, "ci_lower": 3.5, "ci_upper": 9.5}]))
    assert "£9.00 (95% interval £7.00 to £19.00)" in cheap
    assert "if the effect is real" in said


def bounds():
    rows = [
        check_row("trend_breaks", variant=variant, bound=size, ci_lower=-3 - size,
                  ci_upper=size - 1.2, breakdown=survives)
        for variant, survives in (("first year", 1.1), ("all years", 0.0))
        for size in (0.0, 1.0, 2.0)
    ]  # fmt: skip
    return safe(rows)


def test_the_bounds_are_told_for_both_targets():
    said = honest_sentence(bounds())
    assert said.startswith("Averaged over all years after training the interval contains zero")
    assert "no more than a tenth" in said
    assert "up to 1.1 times the largest difference seen before training" in said


def test_power_and_false_alarms_are_said_before_any_effect():
    curve = safe(
        {
            "effect": [0.0, 0.5, 2.0],
            "share_found": [5.0, 20.0, 90.0],
            "share_found_lower": [3.0, 15.0, 85.0],
            "share_found_upper": [8.0, 25.0, 93.0],
        }
    )
    about, power = {"metric": "overall_absence", "sesoi": 0.5}, safe([{"mde": 1.8}])
    said = planted_sentence(curve, power, **about)
    assert "0.5 percentage points" in said
    assert said.endswith("20% of the runs; one of 1.8 percentage points in 80% of them.")
    none = curve.where(effect=[0.0, 0.5])
    assert planted_sentence(none, power, **about).endswith(
        "none of the effects tried is detected in 80% of them. The formula above gives 1.8, which "
        "is too low."
    )
    # The interval of the share at 1.4 ends at 65.8%, that at 2.0 begins at 85%.
    for formula in (1.4, 2.0):
        said = planted_sentence(curve, safe([{"mde": formula}]), **about)
        assert said.endswith(f"The formula above gives {formula}; rely on the larger.")


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("as_it_should_be", "about as rare as they should be"),
        ("too_few", "excluded safely"),
        ("too_many", "read the randomisation test"),
    ],
)
def test_false_alarms_mean_something(verdict, words):
    row = {
        "runs": [500],
        "share": [3.4],
        "share_lower": [2.0],
        "share_upper": [5.0],
        "alpha": [0.05],
    }
    said = false_alarm_sentence(safe({**row, "verdict": [verdict]}))
    assert "3.4% of these runs" in said
    assert words in said


def test_the_two_way_weights_name_the_forbidden_comparisons():
    rows = [
        check_row("estimators", variant="treated_vs_never", weight=0.9),
        check_row("estimators", variant="later_vs_earlier", weight=0.1),
    ]
    assert "10% lies on comparisons with schools that were trained" in two_way_sentence(safe(rows))


def test_the_drift_that_would_be_seen_is_said():
    said = drift_sentence(safe({"slope": [-0.3], "bias": [-1.1]}), metric="overall_absence")
    assert "differed by 0.3 percentage points a year had an 80% chance of being detected" in said
    assert "add 1.1 percentage points" in said


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
