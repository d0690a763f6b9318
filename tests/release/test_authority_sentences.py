import pytest

from tests.release.made import NAN, estimate_row, safe
from vsh_eval.contracts import ContractError
from vsh_eval.release.text.authority import authority_sentence, suppressed_sentence

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
        f"have it (difference {MINUS}3.1, 95% interval {MINUS}5.7 to {MINUS}0.4). Of "
        "authorities of about its size, 5% come as far "
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


def kept(*rows, **changes):
    own = estimate_row(
        estimator="synthetic_did", comparison="neighbours", estimate=-3.08, ci_lower=-6.2,
        ci_upper=0.1, p_value=0.067, mde=4.4, reason="", left_out=0, suppressed=NAN,
        own_suppressed=0,
    )  # fmt: skip
    table = [own | changes, *(own | {"role": "robustness"} | row for row in rows)]
    return suppressed_sentence(safe(table), metric="overall_absence", authority="Cheshire East")


def ends(pool="neighbours", count=2, lowest=(-4.0, -7.0, -1.0), highest=(-2.0, -5.0, 1.0)):
    limits = ("estimate", "ci_lower", "ci_upper")
    return [
        {"comparison": f"{pool}_{end}", "suppressed": count}
        | dict(zip(limits, values, strict=True))
        for end, values in (("lowest", lowest), ("highest", highest))
    ]


def test_nothing_suppressed_is_said():
    assert kept() == (
        "No number of Cheshire East or of its statistical neighbours is suppressed in a year used."
    )


def test_who_is_left_out_and_what_they_could_have_changed_is_told():
    text = kept(*ends(), left_out=1)
    assert text == (
        "Of its statistical neighbours 1 is left out for a hidden or absent year. With the 2 "
        "suppressed numbers kept at every value that they could have, the difference from its "
        f"statistical neighbours lies from {MINUS}4.0 to {MINUS}2.0 percentage points: whether it "
        "is beyond chance hangs on what is suppressed."
    )
    both = kept(*ends(), *ends("all", count=9))
    assert "from its statistical neighbours lies" in both
    assert "the 9 suppressed numbers" in both
    assert "region" not in kept(*ends(), *ends("region"))


@pytest.mark.parametrize(
    ("lowest", "highest", "words"),
    [
        ((-4.0, -7.0, -1.0), (-3.0, -5.0, -1.0), "beyond chance at both ends"),
        ((-4.0, -9.0, 1.0), (-3.0, -7.0, 1.0), "within chance at both ends"),
        ((-4.0, -7.0, -1.0), (4.0, 1.0, 7.0), "hangs on what is suppressed"),
        ((-4.0, NAN, NAN), (4.0, 1.0, 7.0), "without an interval"),
    ],
)
def test_the_verdict_follows_both_ends(lowest, highest, words):
    assert words in kept(*ends(lowest=lowest, highest=highest))


def test_one_number_that_changes_nothing_is_one_value():
    text = kept(*ends(count=1, lowest=(-2.91, -5.0, 1.0), highest=(-2.88, -5.0, 1.0)))
    assert "With the 1 suppressed number kept at every value that it could have" in text
    assert f"is {MINUS}2.9 percentage points" in text


def test_an_authority_with_suppressed_numbers_of_its_own_hears_it_first():
    left_out = kept(own_suppressed=1)
    assert left_out == (
        "Of Cheshire East itself 1 number is suppressed: the estimate above leaves those years out."
    )
    none = kept(
        *ends(),
        own_suppressed=4,
        estimate=NAN,
        ci_lower=NAN,
        ci_upper=NAN,
        status="x",
        left_out=NAN,
    )
    assert none.startswith("Of Cheshire East itself 4 numbers are suppressed: no estimate can be")
    assert "lies from" in none


def test_a_table_without_the_role_is_refused():
    with pytest.raises(ContractError, match="0 simple rows of overall_absence carry a role"):
        kept(role="robustness")
