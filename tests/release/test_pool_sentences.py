"""What is said of several authorities together."""

import pandas as pd
import pytest

from tests.release.made import NAN, estimate_row, safe
from vsh_eval.release.text.pages import pooling

METRIC = "overall_absence"
MINUS = chr(0x2212)


def row(variant="included", name="", **changes):
    given = {"target": "gap", "variant": variant, "name": name, "authorities": 8, "q": 9.0}
    given |= {"tau_squared": 0.25, "i_squared": 40.0, "i_squared_lower": 0.0}
    given |= {"i_squared_upper": 70.0, "next_lower": -3.2, "next_upper": 0.4, "weight": NAN}
    return estimate_row(**given | changes)


def test_who_is_left_out_is_named_with_the_reason():
    table = pd.DataFrame(
        {
            "name": ["Invented Abbey", "Invented Bay"],
            "statement": ["inconclusive", "not_attributable"],
            "decided_by": ["", "pretrend"],
            "pooled": ["included", "not_attributable"],
        }
    )
    said = pooling.included_sentence(safe(pooling.authorities_in_words(table)))
    assert said == (
        "2 authorities gave their results; 1 of them make the pool. Shown and left out of it: "
        "Invented Bay (cannot be put down to training, not passed: same path before training)."
    )
    every = pooling.authorities_in_words(table.assign(pooled="included"))
    assert pooling.included_sentence(safe(every)).endswith("and all are in the pool.")


def test_how_much_authorities_differ_is_said_with_what_to_expect_in_one_more():
    said = pooling.between_sentence(safe([row()]), metric=METRIC)
    assert "share beyond chance 40%, 95% interval 0 to 70%" in said
    assert "standard deviation of about 0.5 percentage points" in said
    assert said.endswith(f"the true effect may be {MINUS}3.2 to 0.4.")
    alike = safe([row(tau_squared=0.0, i_squared=0.0, next_lower=NAN, next_upper=NAN)])
    said = pooling.between_sentence(alike, metric=METRIC)
    assert said.startswith("No difference between the authorities' effects is seen beyond chance")
    assert "0 to 70%); that does not show that there is none." in said
    assert said.endswith("With two authorities nothing can be said of a further one.")


def test_all_authorities_are_said_only_where_some_are_left_out():
    rows = [row(), row("every", authorities=9, estimate=-1.0)]
    assert "Over all authorities" in pooling.every_sentence(safe(rows), metric=METRIC)
    same = [row(), row("every")]
    assert pooling.every_sentence(safe(same), metric=METRIC) == ""


def test_leaving_one_out_names_the_authorities_that_move_it_most():
    rows = [
        row("without", "Invented Abbey", estimate=-2.0, ci_lower=-3.0, ci_upper=-1.0),
        row("without", "Invented Bay", estimate=-0.5, ci_lower=-1.5, ci_upper=0.5),
    ]
    said = pooling.without_sentence(safe(rows), metric=METRIC)
    assert f"between {MINUS}2.0 (without Invented Abbey)" in said
    assert f"{MINUS}0.5 percentage points (without Invented Bay)" in said
    assert "in 1 of 2 cases the interval excludes zero" in said
    assert pooling.without_sentence(safe([row()]), metric=METRIC) == ""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (NAN, "England has too few authorities to detect one of 0.5 percentage points."),
        (0.0, "They detect one of 0.5 percentage points."),
        (1.0, "One of 0.5 percentage points needs 1 more authority like these."),
        (12.0, "One of 0.5 percentage points needs 12 more authorities like these."),
    ],
)
def test_how_many_more_authorities_an_effect_needs(more, said):
    power = pd.DataFrame(
        {"question": ["detectable", "of_interest", "double"], "mde": [2.0, 0.5, 1.0],
         "authorities": 4, "more": [0.0, more, 0.0]}
    )  # fmt: skip
    found = pooling.power_sentence(safe(power), metric=METRIC)
    assert "less together than one alone" not in found
    two = pooling.power_sentence(safe(power.assign(authorities=2)), metric=METRIC)
    assert "Two authorities detect less together than one alone" in two
    assert found.startswith("These 4 authorities together have an 80% chance of detecting an")
    assert found.endswith(said)
