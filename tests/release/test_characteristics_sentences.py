"""What a governor may read, right whichever way the numbers fall."""

import pytest

from tests.release.made import NAN, safe
from tests.release.make_up_rows import by_value, decomposed, hidden_parts, matched, standardised
from vsh_eval.release.text.pages.characteristics import (
    breakdown_sentence,
    decomposition_sentence,
    matched_sentence,
    standardised_sentence,
)
from vsh_eval.release.text.phrases.fixed import phrase

MINUS = chr(0x2212)
ASKED = {"metric": "overall_absence", "year": 202425}
SAY = [decomposition_sentence, matched_sentence, standardised_sentence]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "Of the gap of 9.1 percentage points in overall absence in 2024/25, 2.3"),
        ({}, "(1.4 for special educational needs, 1.0 for free school meals and 0.1 for sex, "
             "less 0.2 for the phase of school)"),
        ({}, "The remaining 6.8 (95% interval 5.8 to 7.8) lie between children of the same phase"),
        ({"composition": 1.0}, "reflects pupils'"),
        ({"gap": 3.3}, "The remaining 1.0 (95% interval 0.0 to 2.0) lies between"),
        ({"gap": -9.1, "composition": -2.3, "factors": (0.2, -1.4, -1.0, -0.1)},
         "2.3 (95% interval 1.3 to 3.3) reflect pupils' characteristics (1.4 for special"),
        ({"composition": 0.0}, "Nothing of the gap of 9.1 percentage points"),
        ({"composition": -0.8}, "Pupils' characteristics take away 0.8 percentage points"),
        ({"composition": 10.0}, "Pupils' characteristics add 10.0 percentage points"),
        ({"composition": 9.1}, "The remaining 0.0"),
        ({"gap": 0.0}, "The gap in overall absence in 2024/25 was 0.0 percentage points"),
        ({"gap": 0.0, "composition": 0.0}, "Nothing of the gap"),
        ({"factors": (NAN,) * 4}, "1.3 to 3.3) reflect pupils' characteristics. "),
        ({"factors": (0.0,) * 4}, "reflect pupils' characteristics. The remaining"),
        ({"group_pupils": 60}, "This rests on about 60 pupils and is indicative only."),
        ({"composition_lower": NAN}, "2.3 reflect pupils'"),
    ],
)  # fmt: skip
def test_a_decomposition_is_said_whichever_way_it_falls(change, said):
    assert said in decomposition_sentence(decomposed(**change), **ASKED)


def test_a_part_that_is_the_whole_gap_of_the_other_sign_is_said_so():
    text = decomposition_sentence(decomposed(gap=-0.4, composition=0.6), **ASKED)
    assert "add 0.6 percentage points" in text
    assert "the difference is \N{MINUS SIGN}1.0 percentage points" in text


def test_a_matched_gap_stands_beside_the_plain_one():
    text = matched_sentence(matched(), **ASKED)
    assert "of the same phase, SEN status and free school meals" in text
    assert "16.0% against 9.2% in 2024/25, 6.8 percentage points higher" in text
    assert text.endswith(
        "Against all pupils without a social worker it was 9.1 percentage points higher."
    )
    lower = matched(matched_gap=-6.8, matched_gap_lower=-7.8, matched_gap_upper=-5.8)
    assert "6.8 percentage points lower (95% interval 5.8 to 7.8)" in matched_sentence(
        lower, **ASKED
    )
    assert "no difference" in matched_sentence(matched(matched_gap=0.0), **ASKED)


def test_a_standardised_gap_is_said_beside_the_gap():
    text = standardised_sentence(standardised(), **ASKED)
    assert "would have been 8.0 percentage points (95% interval 7.0 to 9.0) instead of 9.1" in text
    same = standardised(kept=(6.5, NAN, 9.1))
    assert "would have been the same, 9.1" in standardised_sentence(same, **ASKED)


@pytest.mark.parametrize("say", SAY)
def test_hidden_numbers_are_said_to_be_hidden(say):
    assert "suppressed to protect" in say(hidden_parts(), **ASKED)
    assert "too few of the children" in say(hidden_parts("u"), **ASKED)


def apart(lower, upper, value="ehc_plan", other="no_sen"):
    row = {"metric": "overall_absence", "time_period": 202425, "value": value, "other": other}
    rows = [row | {"breakdown": by, "difference": (lower + upper) / 2} for by in ("sex", "sen")]
    ends = {"difference_lower": lower, "difference_upper": upper, "status": ""}
    return safe([one | ends for one in rows])


def test_a_breakdown_says_for_whom_the_gap_is_widest():
    girls = {"value": "girls", "other": "boys"}
    text = breakdown_sentence(by_value(), apart(-2.7, 0.1, **girls), breakdown="sex", **ASKED)
    assert text.startswith(
        "In 2024/25 overall absence for children with a social worker, compared with pupils "
        "without a social worker, was 10.7 percentage points higher among boys, against 9.4 higher "
        "among girls."
    )
    assert "The two differ by 1.3 percentage points (95% interval" in text
    assert text.endswith(f"{MINUS}0.1 to 2.7), so their order is not clear.")
    clear = breakdown_sentence(by_value(), apart(8.0, 16.0), breakdown="sen", **ASKED)
    assert "20.9 percentage points higher among children with an education, health and" in clear
    assert "not clear" not in clear
    assert "differ by" not in breakdown_sentence(by_value(), apart(NAN, NAN, **girls),
                                                 breakdown="sex", **ASKED)  # fmt: skip


def test_a_breakdown_of_one_value_or_none():
    one = by_value({("sex", "girls"): (15.8, 6.4), ("sex", "boys"): (NAN, 6.5)}, group_pupils=20)
    nothing = apart(NAN, NAN)
    text = breakdown_sentence(one, nothing, breakdown="sex", **ASKED)
    assert "was 9.4 percentage points higher among girls; for the other children it is" in text
    assert "about 20 pupils" in text
    none = by_value({("key_stage", "ks1"): (NAN, 6.4)})
    assert "by key stage in 2024/25 is not shown" in breakdown_sentence(
        none, nothing, breakdown="key_stage", **ASKED
    )
    bare = by_value({("sex", "girls"): (9.0, 6.0), ("sex", "boys"): (8.0, 6.0)},
                    gap_lower=NAN, group_pupils=None)  # fmt: skip
    assert "not clear" not in breakdown_sentence(bare, nothing, breakdown="sex", **ASKED)


def test_the_caveat_names_no_cause():
    assert "not what causes what" in phrase("goes_together")
