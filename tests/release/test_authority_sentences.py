import pytest

from tests.release.made import NAN, estimate_row, safe
from vsh_eval.contracts import ContractError
from vsh_eval.release.sentences.authority import authority_sentence

MINUS = chr(0x2212)


def said(**changes):
    row = estimate_row(
        estimator="synthetic_did", comparison="neighbours", estimate=-3.08, ci_lower=-5.74,
        ci_upper=-0.42, p_value=0.049, mde=3.89, reason="",
    )  # fmt: skip
    table = safe([row | changes])
    metric = str((row | changes)["metric"])
    return authority_sentence(table, metric=metric, authority="Cheshire East", offer_start=202223)


def test_a_distance_beyond_chance_is_told_with_its_size_and_its_limits():
    assert said() == (
        "Since 2022/23 the gap in overall absence of Cheshire East has been 3.1 percentage points "
        "narrower than a mixture of its statistical neighbours, which moved alike before, would "
        f"have it (difference {MINUS}3.1, 95% interval {MINUS}5.7 to {MINUS}0.4). Of all "
        "authorities, 5% come as far "
        "by chance: the gap is narrower than chance alone makes it, for whatever reason began "
        "there at that time. An effect under 3.9 percentage points would probably be missed."
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ci_upper": 0.3, "p_value": 0.2}, "do not show an effect, nor that there is none"),
        ({"estimate": 3.0, "ci_lower": 1.0, "ci_upper": 5.0}, "the gap is wider than chance"),
        (
            {"metric": "ks4_attainment8", "estimate": 3.0, "ci_lower": 1.0, "ci_upper": 5.0},
            "the gap is narrower than chance",
        ),
        ({"ci_lower": NAN, "ci_upper": NAN}, "Without an interval this says nothing"),
        ({"comparison": "all"}, "a mixture of all other authorities"),
        ({"comparison": "region"}, "a mixture of the authorities of its region"),
    ],
)
def test_the_sentence_follows_the_numbers(changes, words):
    assert words in said(**changes)


def test_without_a_detectable_effect_none_is_told():
    assert "would probably be missed" not in said(mde=NAN)


def test_no_estimate_says_why():
    text = said(estimate=NAN, ci_lower=NAN, ci_upper=NAN, status="x", reason="too few years.")
    assert text.endswith("The reason: too few years.")
    assert "The reason" not in said(estimate=NAN, status="x")


def test_schools_are_no_donors():
    with pytest.raises(ContractError, match="comparison is 'not_yet_treated'"):
        said(comparison="not_yet_treated")
