"""Every message of the rooms has words, and none of them tells a number of schools."""

import re
from pathlib import Path

import pytest

import vsh_eval
from vsh_eval.contracts import ContractError, Message, message_of
from vsh_eval.release.text.findings import reasons
from vsh_eval.release.text.findings.checks import CHECK_NAMES

PACKAGE = Path(vsh_eval.__file__).parent
CODE = re.compile(r"(?:InfeasibleError|Message|messages|without|noting)\(\s*\"([a-z_]+)\"")
DETAILS = {
    "year": 202021, "first": 201718, "last": 202324, "start": 202122, "years": 3, "before": 1,
    "least": 0.5, "schools": 7, "trained": 7, "untrained": 2, "limit": 10, "donors": 7, "units": 7,
    "metric": "overall_absence", "group": "cla", "reference": "peers", "kind": "tier",
    "value": "elsa", "programme": "elsa", "rule": "at_31_march", "outcome": "log_cohort_size",
    "covariates": ("a", "b"), "of": "leads", "by": "band", "slope": 0.5, "bias": 1.0,
    "breakdown": 1.0, "share": 0.5, "sesoi": 0.5, "bound": 1.0, "tests": 3, "few_trained": True,
    "authorities": 1, "leads": 3, "p": 0.04, "pooled": True, "joined": {"special": "primary"},
}  # fmt: skip


def codes():
    """Return every code that the rooms and the runs write out in full."""
    files = [*(PACKAGE / "effects").rglob("*.py"), *(PACKAGE / "pipeline").glob("*.py")]
    return {code for file in files for code in CODE.findall(file.read_text(encoding="utf-8"))}


def test_every_code_has_words():
    assert len(codes()) > 60
    assert codes() <= reasons.CODES


@pytest.mark.parametrize("code", sorted(reasons.CODES))
def test_words_need_no_detail_that_is_not_given_and_tell_no_number_of_schools(code):
    details = DETAILS | ({"kind": "common"} if code == "year_effects" else {})
    said = reasons.sentence(Message(code, **details))
    assert said
    assert "{" not in said
    if code != "too_few_donors" and not code.startswith("year_effects"):
        assert "7" not in said.replace("2017", "")


def test_what_no_page_may_give_is_not_given():
    said = reasons.not_given(
        "The cost", message_of(ContractError("school 100001 is not in the log."))
    )
    assert "100001" not in said
    assert reasons.sentence(Message()) == ""


def test_the_letters_are_one_alphabet():
    assert "".join(name["letter"] for name in CHECK_NAMES.values()) == "abcdefghijk"
