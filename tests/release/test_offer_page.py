"""What the page on the training offer says and draws, for ordinary authorities and odd ones."""

from functools import cached_property

import numpy as np
import pandas as pd
import pytest

from tests.metrics import invented_offer as invented
from tests.release.made import reach_rows, safe
from vsh_eval.metrics import training
from vsh_eval.release import year_label
from vsh_eval.release.disclosure import protected, release_table, rule_named
from vsh_eval.release.rows import one_row
from vsh_eval.release.text.pages.offer import (
    cost_sentence,
    depth_sentence,
    equity_sentence,
    offer_sentences,
    overlap_sentence,
    passed_by_sentence,
)

RULE = rule_named("cellkey")
LAST = invented.YEARS[-1]
LISTED = invented.schools()
PANEL = invented.panel(LISTED)
SHIELDED = protected(PANEL, RULE)


class Page:
    """Everything the notebook makes of one log, each table once and when it is wanted."""

    def __init__(self, log, *, schools=LISTED):
        self.log, self.schools = log, schools

    def release(self, producer, *arguments, panel=None, **keywords):
        given = () if panel is None else (self.schools, panel)
        about = {} if panel is None else {"years": invented.YEARS, "group": "cwsw"}
        return release_table(producer, self.log, *given, *arguments, rule=RULE, **about, **keywords)

    @cached_property
    def need(self):
        return training.deprivation_bands(self.schools)

    @cached_property
    def wide(self):
        return training.baseline_gap_bands(
            PANEL, self.log, self.schools,
            metric="overall_absence", group="cwsw", reference="peers",
        )  # fmt: skip

    @cached_property
    def reach(self):
        return self.release(training.training_reach, panel=SHIELDED)

    @cached_property
    def coverage(self):
        return self.release(training.reach_by_band, panel=SHIELDED, bands=self.need)

    @cached_property
    def gap(self):
        return self.release(training.reach_by_band, panel=SHIELDED, bands=self.wide, by_phase=False)

    @cached_property
    def equity(self):
        return self.release(training.equity, (self.need, self.wide), panel=PANEL)

    @cached_property
    def kept(self):
        return self.release(training.training_records)

    @cached_property
    def waits(self):
        return self.release(training.years_to_second_programme)

    def said(self):
        """Return every sentence of the page."""
        return [
            *offer_sentences(self.reach, year=LAST),
            depth_sentence(self.reach, self.kept, year=LAST),
            cost_sentence(self.reach, self.kept, year=LAST),
            passed_by_sentence(self.coverage, year=LAST),
            equity_sentence(self.equity, self.coverage, need="deprivation", year=LAST),
            equity_sentence(self.equity, self.gap, need="baseline_gap", year=LAST),
            overlap_sentence(self.waits),
        ]


ORDINARY = invented.log(LISTED, programmes=("elsa", "safeguarding"))
LOGS = {
    "ordinary": ORDINARY,
    "no log": ORDINARY.head(0),
    "no depth": ORDINARY.assign(**invented.NO_DEPTH),
    "all schools": invented.log(LISTED, share=1.0),
    "one school": invented.log(LISTED, share=1 / 48),
    "only the last year": invented.log(LISTED, years=(LAST,)),
    "from the first year": invented.log(LISTED, years=(invented.YEARS[0],)),
    "before the first year": invented.log(LISTED, years=(201920,)),
}


@pytest.fixture(scope="module")
def pages():
    return {name: Page(log) for name, log in LOGS.items()}


@pytest.mark.parametrize("name", LOGS)
def test_every_log_gives_a_page(pages, name):
    page = pages[name]
    for sentence in page.said():
        assert sentence[0].isupper() or sentence[0].isdigit()
        assert sentence.endswith(".")
        for broken in ("nan", "<NA>", "..", "  ", "None "):
            assert broken not in sentence.replace("None of", "")


def test_the_first_lines_answer_the_question(pages):
    headline, growth, left = offer_sentences(pages["ordinary"].reach, year=LAST)
    assert headline.startswith("By 2023/24, 60% of schools (29 of 48) had been trained")
    assert "began in 2021/22; no school was trained before it" in growth
    assert growth.endswith("In that year reach was 10% of schools; it has grown since.")
    assert "were in trained schools in 2023/24" in left
    whole = {"time_period": LAST, "programme": "any", "tier": "any", "phase": "total"}
    row = one_row(pages["ordinary"].reach, **whole)
    assert f"{row['pupils_not_reached']:,.0f} were not." in left


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no log", ["no school had been trained", "so how much cannot be said",
         "so its cost cannot be said"]),
        ("no log", ["either every school is trained or none is", "No school has been trained"]),
        ("no depth", ["does not record staff", "does not record hours",
         "not record what training"]),
        ("all schools", ["100% of schools (48 of 48)", "either every school is trained"]),
        ("all schools", ["No child was in a school without training in 2023/24"]),
        ("one school", ["cost of the offer up to 2023/24 is not shown because it is suppressed"]),
        ("only the last year", ["the first year of the offer: there is no growth yet"]),
        ("from the first year", ["too few schools have children of both groups"]),
        ("before the first year", ["The offer began in 2019/20"]),
    ],
)  # fmt: skip
def test_odd_logs_are_told_in_words(pages, name, words):
    said = " ".join(pages[name].said())
    for word in words:
        assert word in said


def test_a_year_before_any_training_names_the_first_one(pages):
    page = pages["ordinary"]
    headline, left = offer_sentences(page.reach, year=invented.YEARS[0])
    assert headline == (
        f"By 2020/21 no school had been trained; the first training was in {year_label(202122)}."
    )
    assert left.startswith("None of the")


def test_sums_of_a_log_with_gaps_are_lower_limits():
    some = ORDINARY.assign(cost=ORDINARY["cost"].mask(ORDINARY.index < 5))
    page = Page(some)
    said = cost_sentence(page.reach, page.kept, year=LAST)
    assert f"recorded for {len(some) - 5} of {len(some)} trainings" in said
    assert "£" in said
    assert "per child per year" in said


def equity_rows(value, lower, upper, *, status=""):
    return safe(
        [{"time_period": LAST, "need": "deprivation", "counted": "pupils", "evenness": value,
          "evenness_lower": lower, "evenness_upper": upper, "status": status}]
    )  # fmt: skip


BANDS = safe(
    [
        {"time_period": LAST, "phase": "total", "deprivation": band, "pupils": 100,
         "pupils_reached": reached, "share_pupils": float(reached), "status": ""}
        for band, reached in (("most_deprived_third", 80), ("middle_third", 60),
                              ("least_deprived_third", 40), ("total", 60))
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ((0.3, 0.1, 0.5), "goes more to schools where deprivation is greatest"),
        ((-0.3, -0.5, -0.1), "goes more to schools where deprivation is least"),
        ((0.1, -0.1, 0.3),
         "There is no clear sign that training goes where deprivation is greatest"),
    ],
)  # fmt: skip
def test_equity_is_told_by_its_interval(limits, words):
    said = equity_sentence(equity_rows(*limits), BANDS, need="deprivation", year=LAST)
    assert words in said
    assert "In the most deprived third of schools 80% of these children" in said
    assert "in the least deprived third of schools 40%." in said


def test_the_neediest_alone_have_no_interval():
    said = equity_sentence(equity_rows(1.0, np.nan, np.nan), BANDS, need="deprivation", year=LAST)
    assert said.startswith("Only schools where deprivation is greatest have been trained.")


def test_without_bands_the_phases_are_left():
    page = Page(ORDINARY, schools=LISTED.drop(columns="pct_fsm"))
    said = passed_by_sentence(page.coverage, year=LAST)
    assert "the most by phase" in said
    assert "by deprivation" not in said


def test_places_of_areas_and_of_no_band_have_words():
    rows = [
        {"time_period": LAST, "phase": phase, "area": area, "pupils_not_reached": left,
         "status": "c" if np.isnan(left) else ""}
        for phase, area, left in (("total", "total", 100.0), ("primary", "total", np.nan),
                                  ("total", "area_2", 60.0), ("total", "not_known", np.nan))
    ]  # fmt: skip
    said = passed_by_sentence(safe(rows), year=LAST)
    assert "about 60 are in area 2, the most by local area." in said
    rows[2]["pupils_not_reached"] = 40.0  # of two hidden areas one may have more
    said = passed_by_sentence(safe(rows), year=LAST)
    assert "about 40 are in area 2, while the others by local area are not all shown." in said
    assert "For primary schools the number is not shown." in said
    few = safe(rows[:2])
    assert "the parts are too small" in passed_by_sentence(few, year=LAST)
    rows[2] |= {"area": "not_known"}
    assert "schools of which it is not known" in passed_by_sentence(safe(rows[:3]), year=LAST)


def test_a_hidden_index_is_said_to_be_hidden():
    hidden = equity_rows(np.nan, np.nan, np.nan, status="c")
    said = equity_sentence(hidden, BANDS, need="deprivation", year=LAST)
    assert "suppressed to protect children's confidentiality" in said


def test_second_programmes_are_counted():
    rows = [("same_year", 4), ("1_year", 5), ("no_second_programme", 11)]
    waits = safe([{"wait": wait, "schools": schools, "status": ""} for wait, schools in rows])
    assert overlap_sentence(waits) == (
        "Of 20 trained schools, 9 took up a second programme, 4 of them in the same academic year."
    )
    at_once = overlap_sentence(waits.where(wait=["same_year", "no_second_programme"]))
    assert at_once.endswith("4 took up a second programme, all of them in the same academic year.")
    alone = waits.where(wait="no_second_programme")
    assert overlap_sentence(alone) == "None of the 11 trained schools took up a second programme."
    one = safe([{"wait": "no_second_programme", "schools": 1, "status": ""}])
    assert overlap_sentence(one) == "The only trained school took up no second programme."
    few = safe([{"wait": "same_year", "schools": np.nan, "status": "c"}])
    assert "not shown" in overlap_sentence(few)


def test_reach_that_stood_still_or_shrank_is_told():
    table = pd.DataFrame(reach_rows(("any",))).assign(
        group="cwsw", first_year=201819, growth_share_schools=0.0
    )
    table["share_schools"] = table["share_schools"].mask(table["time_period"].eq(201819), 53.0)
    growth = offer_sentences(safe(table), year=LAST)[1]
    assert "about what it was that year" in growth
    growth = offer_sentences(safe(table.assign(growth_share_schools=-3.0)), year=LAST)[1]
    assert growth.endswith(
        "In that year reach was 53% of schools; it has shrunk since, as schools opened or closed."
    )
