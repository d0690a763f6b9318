"""One fact has one number: in the sentences of every page, and in every released table."""

import itertools
import re
from collections import defaultdict
from functools import cache

import pandas as pd
import pytest

from tests.whole_runs.released import (
    Sentence,
    Table,
    numbers_in,
    rows_with,
    sentences_of,
    shown_tables,
    tables_of,
    without_numbers,
)
from vsh_eval.columns import ROLES, Role

NOT_IN_A_TABLE = {
    "share of runs that shows power": r"a chance of 80%|80% chance|in 80% of them",
    "size of a test": r"where 5% is promised",
    "smallest effect of interest": r"An effect of 0\.5",
    "number of runs": r"assigned at random [\d,]+ times",
    "rules of the year effects": r"\d+ or more (?:schools|pupils|of them)",
    "base of a rate": r"per 100 (?:children|pupils)",
    "place on a scale": r"from 0 for the lowest to 100|0 = no link with need; 1 = only",
    "checks": r"\d+ checks passed, \d+ gave a warning, \d+ failed|\d+ of \d+ kinds of check",
    "steps of the code": r"steps? \d+(?: to \d+)?",
    "level of an interval": r"\(95%\)",
    "schools less one": r"\d+ degrees of freedom",
    "check of the method by runs": r"found in [\d.]+% of these runs \(95% interval [^)]*\)",
    "neighbours, which the sentence does not name": (
        r"whose values lie between \W?[\d.]+ and \W?[\d.]+"
    ),
    "an area beside others, checked below": r"[\d.]+ (?:narrower|wider|lower|higher)"
    r"(?: \(95% interval [^)]*\))? than in",
    "places among neighbours": r"its \d+ statistical neighbours|from \d+ to \d+ of \d+, counted",
    "p value times its authorities": r"\d+ of (?=\d+ authorities of about its size)",
    "trainings in the log, whose table only page 03 shows": r"for \d+ of \d+ trainings",
    "intervals of the specifications": r"\d+ of \d+ intervals",
    "years on a chart": r"over the \d+ years shown",
    "two gaps set beside each other, checked below": r"differ by .*?\(95% interval [^)]*\)",
}
"""Numbers of the method and counts of a page's own parts, which no table holds."""
COMPARES = re.compile(
    r"widest|the most by|In the most deprived|^Of the gap|neighbours|, against \W?\d|went from"
    r"|(?:fewer|more) than the|when it is compared|is compared with itself|true effect|changed by"
    r"|of this size together|the estimates go from|with a social worker in Cheshire East was"
)
"""A sentence that sets several rows beside each other; every other is about one."""
BESIDE = re.compile(
    r"(?P<apart>[\d.]+) (?:narrower|wider|lower|higher)(?: \(95% interval (?P<lower>-?[\d.]+) to "
    r"(?P<upper>-?[\d.]+)\))? than in [\w ]+ \((?P<other>-?[\d.]+)\)"
)
DIFFERS = re.compile(r"differ by ([\d.]+)[^(]*\(95% interval (-?[\d.]+) to (-?[\d.]+)")


@pytest.fixture(scope="module")
def sentences(release):
    """What the pages say in numbers, what is declared above left out."""
    declared = re.compile("|".join(NOT_IN_A_TABLE.values()))
    said = [
        Sentence(one.page, one.paragraph, declared.sub(" ", one.text))
        for one in sentences_of(release)
    ]
    return [one for one in said if one.numbers]


@pytest.fixture(scope="module")
def files(release):
    return {name: Table(*pair) for name, pair in tables_of(release).items()}


def untraced(sentence, files, shown):
    """Return the numbers of a sentence that the nearest row or table it may mean does not hold."""
    numbers = sentence.numbers
    lost = numbers
    for table in (*(file.about(sentence.paragraph) for file in files.values()), *shown):
        if table.size:
            held = rows_with(table, numbers)
            best = (
                held.any(axis=0) if COMPARES.search(sentence.text) else held[held.sum(1).argmax()]
            )
            here = [number for number, there in zip(numbers, best, strict=True) if not there]
            lost = min(lost, here, key=len)
    return lost


def test_the_numbers_of_a_sentence_stand_in_one_row_of_a_released_table(release, sentences, files):
    shown = shown_tables(release)
    assert sum(len(one.numbers) for one in sentences) >= 30
    lost = {
        f"{one.page}: {one.text}": gone
        for one in sentences
        if (gone := untraced(one, files, shown[one.page]))
    }
    assert lost == {}


def test_a_number_that_no_row_holds_is_found(release, sentences, files):
    """The law must be able to fail: the first number of each sentence is made another one."""
    shown = shown_tables(release)
    found = [
        bool(untraced(wrong, files, shown[one.page]))
        for one in sentences
        if (wrong := with_another_number(one)) is not None
    ]
    assert sum(found) >= 0.4 * len(found)


def with_another_number(sentence):
    """Return a sentence whose longest number has other digits; None where that is short."""
    longest = max(re.findall(r"\d[\d.,]*\d", sentence.text), key=len, default="")
    if len(longest) < 3 or "/" in sentence.text[sentence.text.find(longest) :][:8]:
        return None
    other = longest.translate(str.maketrans("123456789", "234567891"))
    return Sentence(sentence.page, sentence.paragraph, sentence.text.replace(longest, other))


def test_a_sentence_has_the_same_numbers_on_every_page(release):
    said = defaultdict(set)
    for one in sentences_of(release):
        whole = one.text[:1].isupper()  # after a semicolon the measure is said before it
        if whole and numbers_in(one.text) and re.search(r"\d{4}/\d\d", one.text):
            said[without_numbers(one.text)].add(one.text)
    assert {words: texts for words, texts in said.items() if len(texts) > 1} == {}


def test_the_difference_of_two_gaps_is_that_of_the_gaps_said_before_it(release):
    """And lies in its interval, which is worked out for the pair and stands in no table."""
    wrong = []
    for one in sentences_of(release):
        for said, *ends in DIFFERS.findall(one.text.replace("\N{MINUS SIGN}", "-")):
            ((size, places),) = numbers_in(said)
            gaps = [gap for gap, _ in numbers_in(one.paragraph.partition(one.text)[0])]
            apart = [gap + sign * other for gap in gaps for other in gaps for sign in (1, -1)]
            off = min((abs(size - abs(gap)) for gap in apart), default=size)
            if off > 0.5 * 10.0**-places + 1e-9 or not float(ends[0]) <= size <= float(ends[1]):
                wrong.append(one)
    assert wrong == []


def test_the_distance_to_another_area_is_that_of_the_two_numbers_said(release):
    """And lies in its interval, which is worked out for the pair and stands in no table."""
    wrong, said = [], 0
    for one in sentences_of(release):
        text = one.text.replace("\N{MINUS SIGN}", "-")
        for found in BESIDE.finditer(text):
            said += 1
            (own,) = re.findall(r" was (-?[\d.]+)", text[: found.start()])[-1:]
            places = len(found["apart"].partition(".")[2])
            apart = round(abs(float(own) - float(found["other"])), places)
            inside = found["lower"] is None or (
                float(found["lower"]) <= apart <= float(found["upper"])
            )
            if apart != float(found["apart"]) or not inside:
                wrong.append(one)
    assert wrong == []
    assert said or "cheshire_east" not in release.as_posix()


def test_two_tables_agree_wherever_their_rows_are_about_the_same(release):
    """Joined by the filters they share, where these single out a row in both.

    Of numbers alone: a symbol is the row's, and a row may hide a number for another one's sake.
    """
    tables = tables_of(release)
    keys = {name: keys_of(*pair) for name, pair in tables.items()}
    numbers = {name: of_type(meta, "Indicator") for name, (_, meta) in tables.items()}
    alone = cache(lambda name, shared: rows_alone(*tables[name], shared))
    apart, compared = {}, 0
    for pair in itertools.combinations(tables, 2):
        shared = tuple(sorted(set.intersection(*(keys[name] for name in pair))))
        in_both = sorted(set.intersection(*(numbers[name] for name in pair)))
        if shared and in_both:
            both = alone(pair[0], shared).merge(alone(pair[1], shared), on=list(shared))
            compared += len(both) * len(in_both)
            for name in in_both:
                here, there = both[f"{name}_x"], both[f"{name}_y"]
                differs = (here - there).abs() > 0
                if differs.any():
                    first = both.loc[differs].iloc[0]
                    apart[*pair, name] = first[[*shared, f"{name}_x", f"{name}_y"]].to_dict()
    assert compared > 0
    assert apart == {}


def keys_of(data, meta):
    places = {"time_period", "new_la_code", "region_code", "geographic_level"}
    return {
        name
        for name in data
        if name in places
        or (ROLES.get(name) is Role.KEY and name not in of_type(meta, "Indicator"))
    }


def of_type(meta, kind):
    return set(meta.loc[meta["col_type"].eq(kind), "col_name"])


def rows_alone(data, meta, keys):
    """Return the rows about the whole of every filter but the keys that single them out."""
    defaults = meta.set_index("col_name")["filter_default"]
    for name in (keys_of(data, meta) - set(keys)) & set(defaults.index):
        data = data[data[name].eq(defaults[name])]
    single = data[~data.duplicated(list(keys), keep=False)]
    numbers = {
        name: pd.to_numeric(single[name], errors="coerce").astype("float64")
        for name in of_type(meta, "Indicator")
    }
    return single[list(keys)].assign(**numbers)
