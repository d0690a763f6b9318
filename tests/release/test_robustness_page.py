"""What the page on robustness says and draws, whichever way the checks fall."""

import numpy as np
import pandas as pd
import pytest

from tests.release.made import NAN, estimate_row, safe
from vsh_eval import release
from vsh_eval.contracts import ContractError
from vsh_eval.release import protect, rule_named
from vsh_eval.release.text.robustness import mind_headline, mind_sentences

STRICT = rule_named("strict10")


def check_row(check, verdict="agrees", **changes):
    """Return a row of the robustness table."""
    return estimate_row(
        **{
            "role": "robustness",
            "check": check,
            "question": "?",
            "variant": f"variant of {check}",
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
    drift = {"estimator": "pretrend_power", "estimate": 0.9, "p_value": NAN, "ci_lower": NAN}
    return [
        check_row("a", verdict, estimate=NAN, ci_lower=NAN, ci_upper=NAN, p_value=0.4),
        check_row("a", verdict, variant="drift", reason="a drift of 0.3 a year is seen four times "
                  "in five and would add 0.9", ci_upper=NAN, **drift),
        check_row("b", verdict, variant="first year: differences", estimator="honest",
                  reason="in the first year after training the result survives trend differences "
                  "up to 1.1 times the largest seen before training"),
        check_row("c", verdict, estimate=0.1),
        check_row("d", verdict, variant="placebo: the peers' own level", estimate=0.1),
        check_row("d", "agrees", variant="the cohort's own level", estimate=-1.3),
        check_row("e", verdict, estimator="randomisation", ci_lower=NAN, ci_upper=NAN),
        check_row("f", verdict, variant="without one", estimate=-1.0),
        check_row("f", "agrees", variant="without another", estimate=-2.0),
        check_row("g", verdict, variant="another estimator", estimate=-1.1),
        check_row("h", verdict, estimate=-1.2),
        check_row("i", verdict, estimate=-1.5),
        check_row("j", verdict, metric="log_cohort_size", variant="how many children (log)"),
        check_row("j", "not testable", metric="entries", estimate=NAN, reason="not there"),
        check_row("k", verdict, reason="an effect of 0.5 or more, either way, is not excluded"),
    ]  # fmt: skip


def page(rows, **primary):
    return safe([first_row(**primary), *rows])


def test_when_all_agree_nothing_is_called_proven():
    said = mind_headline(page(every_check()))
    assert "11 of 11 kinds of check agree" in said
    assert "not proof" in said
    sentences = mind_sentences(page(every_check()))
    assert len(sentences) == 11
    assert not any("Speaks against" in sentence for sentence in sentences)


def test_what_differs_comes_first_and_is_named():
    rows = every_check()
    rows[9] = check_row("g", "differs", variant="another estimator", estimate=2.0)
    said = mind_sentences(page(rows))
    assert said[0].startswith("**g: Other estimators that say something else.** Speaks against")
    assert "'another estimator'" in said[0]
    assert "10 of 11" in mind_headline(page(rows))
    assert "1 does not" in mind_headline(page(rows))


def test_when_all_differ_every_sentence_says_so():
    said = mind_sentences(page(every_check("differs")))
    assert sum("Speaks against the estimate." in sentence for sentence in said) == 11
    told = " ".join(said)
    assert "must not be believed" in told
    assert "although nobody was trained yet" in told
    assert "part of the change lies with them" in told
    assert "not more than chance" in told


def test_an_unseen_drift_leaves_a_doubt_only():
    rows = every_check()
    rows[1] = {**rows[1], "verdict": "differs"}
    assert "Leaves a doubt." in mind_sentences(page(rows))[0]


def test_where_the_primary_test_finds_nothing_there_is_nothing_to_undo():
    shown = page(every_check(), p_value=0.4, ci_upper=0.3)
    assert mind_headline(shown).startswith("The primary test finds no effect")
    said = " ".join(mind_sentences(shown))
    assert "nothing that such a break could undo" in said
    assert "none is claimed here, and none is denied" in said


def test_without_an_estimate_no_check_is_made_up():
    rows = [check_row(c, "not testable", estimate=NAN, reason="why not") for c in "abcdefghijk"]
    shown = page(rows, estimate=NAN, ci_lower=NAN, ci_upper=NAN, p_value=NAN)
    assert mind_headline(shown).startswith("There is no estimate")
    assert all("could not be tested" in sentence for sentence in mind_sentences(shown))


def test_a_check_that_could_not_be_made_gives_its_reason():
    rows = every_check()
    rows[10] = check_row("h", "not testable", estimate=NAN, reason="no covid year is in the data.")
    said = mind_sentences(page(rows))
    assert "The reason: no covid year is in the data." in said[0]
    assert "1 could not be made" in mind_headline(page(rows))


def test_leaving_out_one_school_is_hidden_and_its_verdict_shown():
    """The primary estimate less one without a school is that school's own children."""
    rows = pd.DataFrame(
        [
            first_row(schools_treated=60, pupils=800),
            check_row("f", variant="without the one", schools_treated=59, pupils=790),
            check_row("f", variant="without two", schools_treated=58, pupils=700),
            check_row("f", variant="few children", schools_treated=50, pupils=795),
            check_row("f", variant="without a year", schools_treated=40, pupils=500),
            check_row("g", variant="another estimator", schools_treated=59, pupils=790),
        ]
    )
    shown = protect(rows, STRICT, kind="estimates").frame
    assert shown["status"].tolist() == ["", "c", "c", "c", "", ""]
    hidden = shown[shown["status"].eq("c")]
    assert (
        hidden[["estimate", "std_error", "ci_lower", "ci_upper", "p_value"]].isna().all(axis=None)
    )
    assert hidden["verdict"].eq("agrees").all()
    assert shown["schools_treated"].notna().tolist() == [True] + [False] * 5
    alone = protect(rows[1:], STRICT, kind="estimates").frame
    assert alone.loc[alone["check"].eq("f"), "status"].eq("c").all(), "without what to compare"


def test_costs_have_two_figures_and_no_numbers_of_schools():
    row = estimate_row(role="exploratory", measure="cost_per_school", unit="GBP per trained school",
                       estimate=4402.4, std_error=364.8, ci_lower=3732.2, ci_upper=5155.7,
                       reason="")  # fmt: skip
    row.pop("estimator")
    gone = {**row, "measure": "cost_per_unit_regained", "unit": "GBP per session regained",
            "estimate": NAN, "ci_lower": NAN, "ci_upper": NAN, "status": "x",
            "reason": "cannot be estimated: the effect's interval contains nought"}  # fmt: skip
    shown = protect(pd.DataFrame([row, gone]), STRICT, kind="estimates")
    first = shown.frame.iloc[0]
    assert [first["estimate"], first["ci_lower"], first["ci_upper"]] == [4400, 3700, 5200]
    assert shown.frame["schools_treated"].isna().all()
    said = release.value_sentence(shown)
    assert "£4,400 (95% interval £3,700 to £5,200) a trained school" in said
    assert "each session regained cannot be estimated: the effect's interval contains" in said


def test_an_open_upper_limit_of_a_cost_is_said():
    row = estimate_row(measure="cost_per_unit_regained", unit="GBP per session regained",
                       estimate=22.0, ci_lower=9.5, ci_upper=np.inf, reason="")  # fmt: skip
    assert "£22 (95% interval £9.50 to no upper limit)" in release.value_sentence(safe([row]))


def test_the_forest_shows_estimates_of_one_kind_below_the_primary():
    drawn = release.draw_robustness(page(every_check("differs")), metric="overall_absence")
    assert "asked in 8 other ways" in drawn.caption
    assert "Primary estimate" in drawn.alt
    assert "differs" in drawn.alt
    assert drawn.png.startswith(b"\x89PNG")


def test_a_forest_without_its_primary_estimate_is_refused():
    with pytest.raises(ContractError, match="no primary estimate"):
        release.draw_robustness(safe(every_check()), metric="overall_absence")


def bounds():
    rows = [
        check_row("b", variant=variant, bound=size, ci_lower=-3 - size, ci_upper=size - 1.2,
                  breakdown=survives)
        for variant, survives in (("first year", 1.1), ("all years", 0.0))
        for size in (0.0, 1.0, 2.0)
    ]  # fmt: skip
    return safe(rows)


def test_the_bounds_are_drawn_and_told_for_both_targets():
    drawn = release.draw_honest(bounds(), metric="overall_absence")
    assert "First year after training: up to 0.0 times" in drawn.alt
    assert "All years after training" in drawn.alt
    said = release.honest_sentence(bounds())
    assert "up to 1.1 times the largest seen before training" in said
    assert "nothing that trend differences could undo" in said


def test_specifications_are_drawn_with_the_chosen_one_told():
    rows = [
        check_row("", variant="", rank=rank, preregistered=rank == 2, estimate=estimate,
                  ci_lower=estimate - 1, ci_upper=estimate + 1, group=group, reference="peers",
                  covid_years="with", weights="sessions of the year", year_before="with",
                  year_effects="common")
        for rank, (estimate, group) in enumerate([(-2.0, "cin"), (-1.5, "cwsw"), (0.5, "cwsw")], 1)
    ]  # fmt: skip
    drawn = release.draw_specifications(safe(rows), metric="overall_absence")
    assert "under 3 sets of choices" in drawn.caption
    assert "number 2 of 3" in drawn.alt
    assert "2 intervals lie wholly below nought" in drawn.alt


def test_power_and_false_alarms_are_said_before_any_effect():
    curve = safe(
        {
            "effect": [0.0, 0.5, 2.0],
            "share_found": [5.0, 20.0, 90.0],
            "share_found_lower": [3.0, 15.0, 85.0],
            "share_found_upper": [8.0, 25.0, 93.0],
        }
    )
    about = {"metric": "overall_absence", "sesoi": 0.5}
    assert "2.00: 90%" in release.draw_power(curve, **about).alt
    said = release.planted_sentence(curve, **about)
    assert "0.5 percentage points" in said
    assert "found in 20% of the runs; one of 1.8 percentage points is found four times" in said
    none = curve.where(effect=[0.0, 0.5])
    assert "none of the effects tried" in release.planted_sentence(none, **about)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("as it should be", "keeps its promise"),
        ("too few", "excluded safely"),
        ("too many", "read the randomisation test"),
    ],
)
def test_false_alarms_mean_something(verdict, words):
    row = {"runs": [500], "share": [0.034], "lower": [0.02], "upper": [0.05], "alpha": [0.05]}
    said = release.false_alarm_sentence(safe({**row, "verdict": [verdict]}))
    assert "3.4% of these runs" in said
    assert words in said


def test_the_two_way_weights_name_the_forbidden_comparisons():
    rows = [
        check_row("g", variant="treated_vs_never", weight=0.9),
        check_row("g", variant="later_vs_earlier", weight=0.1),
    ]
    assert "10% lies on comparisons with schools that were trained" in release.two_way_sentence(
        safe(rows)
    )


def test_the_drift_that_would_be_seen_is_said():
    said = release.drift_sentence(safe({"slope": [-0.3], "bias": [-1.1]}), metric="overall_absence")
    assert "a drift of 0.3 percentage points a year four times in five" in said
    assert "add 1.1 percentage points" in said


def test_what_published_tables_could_show():
    about = {"metric": "overall_absence", "sesoi": 0.5}
    small, large, none = (
        release.offer_least_sentence(safe({"mde": [mde], "status": ["x"]}), **about)
        for mde in (0.4, 3.9, NAN)
    )
    assert "probably be missed" not in small
    assert "3.9 percentage points or more. One of 0.5" in large
    assert "cannot be told" in none
