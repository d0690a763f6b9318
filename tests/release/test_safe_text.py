"""Nothing but text made from safe tables, settings and codes gets onto a page."""

import inspect

import pytest

from tests.release.made import gap_rows, safe
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.release.text.pages import characteristics, cohort, context, gaps, offer
from vsh_eval.release.text.phrases.fixed import PHRASES, caption_of, phrase
from vsh_eval.release.text.safe_text import SafeText, paragraphs, require_safe_text

PAGES = (characteristics, cohort, context, gaps, offer)
FIELDS = {"year": 202425, "metric": "overall_absence", "measure": "overall_absence",
          "column": "deprivation"}  # fmt: skip


def test_a_safe_text_cannot_be_made_or_changed_by_hand():
    with pytest.raises(DisclosureError):
        SafeText("3 children")
    said = gaps.gap_sentence(safe(gap_rows()), metric="overall_absence", year=202425)
    for changed in (said + " 3", f"{said}", said.upper(), " ".join([said])):
        with pytest.raises(DisclosureError):
            require_safe_text(changed)
    assert require_safe_text(paragraphs(said, phrase("no_clear_change"))).count("\n\n") == 1
    with pytest.raises(DisclosureError):
        paragraphs(said, "3 children")


@pytest.mark.parametrize("module", PAGES, ids=lambda module: module.__name__)
def test_every_sentence_of_a_page_is_sealed_and_takes_no_number_but_years(module):
    made = [
        function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if name.endswith(("_sentence", "_sentences")) and function.__module__ == module.__name__
    ]
    assert made
    assert all(hasattr(function, "__wrapped__") for function in made)
    for function in made:
        for name, parameter in inspect.signature(function).parameters.items():
            assert parameter.annotation is not float
            assert parameter.annotation is not int or name in ("year", "first", "last")


@pytest.mark.parametrize("code", PHRASES)
def test_every_phrase_can_be_said(code):
    fields = {name: value for name, value in FIELDS.items() if f"{{{name}}}" in PHRASES[code]}
    said = caption_of(phrase(code, **fields))
    assert "{" not in said
    assert said[0].isupper()


def test_a_phrase_takes_codes_and_years_only():
    with pytest.raises(ContractError, match="no field pupils"):
        phrase("barriers", pupils=3)
    with pytest.raises(ContractError, match="academic year"):
        phrase("barriers", year=345)
    with pytest.raises(ContractError, match="without its field"):
        phrase("barriers")
    with pytest.raises(ContractError):
        phrase("cohort_by_phase", metric="7 children")
    with pytest.raises(DisclosureError):
        caption_of("Seven children")
