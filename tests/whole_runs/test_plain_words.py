"""A reader of 14 can read the pages, and the idioms that were taken out are gone."""

import re

import textstat

from tests.whole_runs.released import NAMES, NUMBER, sentences_of, text_of
from vsh_eval.registry import METRICS
from vsh_eval.release.text.phrases.labels import metric_in_text

GRADE = 9.0
"""US school grade of readers of 14, by the Flesch-Kincaid formula."""
IDIOMS = (
    "beyond what schools not yet trained lead one to expect", "would be seen with a chance of",
    "that could speak against it", "something speaks against the result", "drawn by lot",
    "dealt out by lot", "registered and kept", "The measure was redefined in",
    "Numbers to use further", "The results for machines", "bear the questions", "hold together",
    "stands in their way", "give the total away", "how deeply", "How far has the offer come",
    "The map is a table", "over nought to one", "build on one another",
    "both levels always stand beside", "hangs on both", "who the children are?", "Never which:",
    "Between children alike", "without anything behind it", "for its nought is",
    "What could these schools show", "the method keeps its promise", "at which dose",
    "not from taste", "session regained it cost", "were alike", "In bold stands",
    "pretended two years early", "the smallest of interest is not excluded",
    "Whom has the offer reached", "What goes on record", "ended about as wide", "would have it",
    "come as far by chance", "an assumption of the params", "went better", "went worse",
    "lead one to expect",
)  # fmt: skip
"""Phrases that a governor, a statistician and a user of a screen reader stumbled over."""

FEWEST_WORDS = 100
"""A page with fewer has no grade that means anything."""


MEASURES = re.compile("|".join(sorted(map(metric_in_text, METRICS), key=len, reverse=True)))
"""The official names of measures, which are no choice of ours."""


def plain(sentence):
    """Return a sentence with one word for each number and name; their points end no sentence."""
    return NUMBER.sub("ten", NAMES.sub("year", MEASURES.sub("absence", sentence)))


def prose_of(release):
    """Return the whole sentences of each page: no headings of folds, no labels."""
    said = {}
    for one in sentences_of(release):
        if re.search(r"[.?]$", one.text):
            said.setdefault(one.page, []).append(plain(one.text))
    return {page: " ".join(texts) for page, texts in said.items()}


def test_every_page_can_be_read_at_14(release):
    pages = {page: text for page, text in prose_of(release).items() if _words(text) > FEWEST_WORDS}
    assert len(pages) >= 5
    grades = {page: textstat.flesch_kincaid_grade(text) for page, text in pages.items()}
    assert {page: grade for page, grade in grades.items() if grade > GRADE} == {}


def test_no_idiom_that_was_taken_out_is_on_a_page(release):
    left = {}
    for path in sorted(release.glob("*.html")):
        text = text_of(path).casefold()
        if found := [idiom for idiom in IDIOMS if idiom.casefold() in text]:
            left[path.stem] = found
    assert left == {}


def _words(text):
    return textstat.lexicon_count(text)
