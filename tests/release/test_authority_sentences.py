import pytest

from tests.release.made import NAN, estimate_row, safe
from vsh_eval.contracts import ContractError
from vsh_eval.release.text.pages.authority import authority_sentence, suppressed_sentence

MINUS = chr(0x2212)


def said(**changes):
    row = estimate_row(
        estimator="synthetic_did", comparison="neighbours", estimate=-3.08, ci_lower=-5.74,
        ci_upper=-0.42, p_value=0.05, placebos=59, mde=3.89, reason="",
    )  # fmt: skip
    table = safe([row | changes])
    metric = str((row | changes)["metric"])
    return authority_sentence(table, metric=metric, authority="Cheshire East", offer_start=202223)


def test_a_distance_beyond_chance_is_told_with_its_size_and_its_limits():
    assert said() == (
        "Since 2022/23 the gap in overall absence of Cheshire East has been 3.1 percentage points "
        "narrower than expected from a weighted average of its statistical neighbours that moved "
        f"as it did before (difference {MINUS}3.1, 95% interval {MINUS}5.7 to {MINUS}0.4). 2 of 59 "
        "authorities of about its size moved as far without any known cause (p = 0.050): the gap "
        "is narrower than chance alone explains, whatever the cause that began there at that time. "
        "An effect of 3.9 percentage points had an 80% chance of being detected."
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ci_upper": 0.3, "p_value": 0.2}, "do not show an effect, nor that there is none"),
        # (1 + 3) / (1 + 59), the authority among those that moved as far.
        ({"ci_upper": 0.3, "p_value": 0.0667}, "3 of 59 authorities of about its size moved as"),
        ({"p_value": 1 / 60}, "None of 59 authorities of about its size moved as far"),
        ({"estimate": 3.0, "ci_lower": 1.0, "ci_upper": 5.0}, "the gap is wider than chance"),
        (
            {"metric": "ks4_attainment8", "estimate": 3.0, "ci_lower": 1.0, "ci_upper": 5.0},
            "the gap is narrower than chance",
        ),
        ({"ci_lower": NAN, "ci_upper": NAN}, "Without an interval this says nothing"),
        ({"comparison": "all"}, "a weighted average of all other authorities"),
        ({"comparison": "region"}, "a weighted average of the authorities of its region"),
    ],
)
def test_the_sentence_follows_the_numbers(changes, words):
    assert words in said(**changes)


def test_without_a_detectable_effect_none_is_told():
    assert "chance of being detected" not in said(mde=NAN)


def test_no_estimate_says_why():
    text = said(estimate=NAN, ci_lower=NAN, ci_upper=NAN, status="x", reason="too few years.")
    assert text.endswith("The reason: too few years.")
    assert "The reason" not in said(estimate=NAN, status="x")


def test_schools_are_no_donors():
    with pytest.raises(ContractError, match="comparison is 'not_yet_treated'"):
        said(comparison="not_yet_treated")


def kept(**changes):
    own = estimate_row(
        estimator="synthetic_did", comparison="neighbours", estimate=-3.08, ci_lower=-6.2,
        ci_upper=0.1, p_value=0.067, mde=4.4, reason="", left_out=0, own_suppressed=0,
    )  # fmt: skip
    table = safe([own | changes])
    return suppressed_sentence(table, metric="overall_absence", authority="Cheshire East")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "No number of Cheshire East or of its statistical neighbours is suppressed in a year "
         "used."),
        ({"left_out": 1},
         "Of its statistical neighbours 1 is left out because a year used is hidden or absent."),
        ({"own_suppressed": 1},
         "Of Cheshire East itself 1 number is suppressed: the estimate above leaves those "
         "years out."),
        ({"own_suppressed": 4, "estimate": NAN, "status": "x", "left_out": NAN},
         "Of Cheshire East itself 4 numbers are suppressed: no estimate can be made without "
         "them."),
    ],
)  # fmt: skip
def test_what_is_suppressed_is_said(changes, said):
    assert kept(**changes) == said


def test_a_table_without_the_role_is_refused():
    with pytest.raises(ContractError, match="0 simple rows of overall_absence carry a role"):
        kept(role="robustness")
