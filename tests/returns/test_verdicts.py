"""What findings mean for each question, and how much each join finds."""

import pandas as pd
import pytest

from tests.returns.tiny import TINY, added, changed, header_only
from vsh_eval.returns import check, coverage, flow, joins, judge, terms_missed
from vsh_eval.returns.checks import CHECKS
from vsh_eval.returns.checks.joins import JOINS
from vsh_eval.returns.checks.published import SENTENCES
from vsh_eval.returns.checks.verdicts import QUESTIONS, RULES

GOOD = ("can", "can", "can")


def verdicts(findings: pd.DataFrame) -> tuple[str, ...]:
    return tuple(judge(findings).drop_duplicates("question")["verdict"])


# What is changed, and the verdict on attendance gap, attainment gap and impact.
JUDGED = {
    "nothing": (TINY, GOOD),
    "moved within a term": (added("attendance", "0070005,2021/22,summer,000101,10,0,0"), GOOD),
    "no training": (header_only("training"), ("can", "can", "cannot")),
    "no attainment": (header_only("attainment"), ("can", "cannot", "can")),
    "programme unknown": (changed("training", "elsa", "yoga"), ("can", "can", "cannot")),
    "spell too long": (changed("episodes", "CPP,2022-02-01", "CPP,2018-02-01"), ("care", "care",
        "care")),
    "sessions exceeded": (changed("attendance", "140,20,50", "140,91,50"), ("cannot", "can",
        "cannot")),
    "value outside": (changed("attainment", "61.5", "95"), ("can", "cannot", "can")),
}  # fmt: skip


@pytest.mark.parametrize(("tables", "expected"), JUDGED.values(), ids=JUDGED)
def test_a_finding_counts_where_its_table_does(opened, tables, expected):
    assert verdicts(check(opened(tables))) == expected


def test_reasons_are_the_rules_of_the_worst_findings_without_their_remedies(opened):
    tables = {
        **changed("training", "elsa", "yoga"),
        "episodes": TINY["episodes"].replace("CPP,2022-02-01", "CPP,2018-02-01"),
    }
    judged = judge(check(opened(tables))).set_index("question")["reason"]
    assert judged["impact"] == (
        "In training, programme must be a declared one (attachment_trauma, elsa, "
        "emotion_coaching, relational_restorative and safeguarding), and 'yoga' is not among them"
    )
    assert judged["attendance_gap"] == (
        "In episodes, spells of need and protection should not stay open for more than 5 years or "
        "beyond school age"
    )


def test_every_rule_is_of_a_check_and_the_last_ones_take_what_is_left():
    known = {*SENTENCES, *(name for checks in CHECKS.values() for name in checks)}
    assert {rule.check for rule in RULES} - {""} <= known
    assert {(rule.result, rule.check) for rule in RULES} >= {("fail", ""), ("warn", "")}
    assert set(JOINS) <= known
    assert set().union(*QUESTIONS.values()) == set(TINY) - {"suspensions"}


def test_a_join_says_what_was_found_of_what_was_sought(opened):
    found = joins(check(opened(changed("episodes", "0070003", "0070009"))))
    row = found.set_index("check").loc["episodes_enrolled"]
    assert tuple(row[["found", "of", "share", "least"]]) == (1, 2, 0.5, 0.6)
    attended = found.set_index("check").loc["enrolments_attended"]
    assert tuple(attended[["found", "of"]]) == (9, 9)


def test_children_and_schools_are_counted_step_by_step(opened):
    steps = flow(opened()).set_index("step")
    assert steps["pupils"].dropna().to_dict() == {
        "pupils": 5, "pupils_of_age": 5, "pupils_attended": 5, "pupils_measured": 4,
        "children": 2, "children_enrolled": 2, "children_attended": 2,
    }  # fmt: skip
    assert steps["urns"].dropna().to_dict() == {
        "schools": 2, "schools_enrolled": 3, "schools_attended": 3, "schools_trained": 2,
    }  # fmt: skip


def test_schools_are_counted_by_the_terms_they_lack(opened):
    lines = TINY["attendance"].splitlines(keepends=True)
    cut = "".join(line for line in lines if "2021/22,summer,000102" not in line)
    returns = opened({**TINY, "attendance": cut})
    assert terms_missed(returns).to_numpy().tolist() == [
        [202122, 0, 2],
        [202122, 1, 1],
        [202223, 0, 2],
    ]
    lacking = coverage(returns).query("schools_lacking > 0")
    assert lacking.to_numpy().tolist() == [[202122, "summer", 3, 1]]


def test_a_school_that_opens_or_closes_within_a_year_lacks_no_term(opened):
    tables = changed("schools", "E06000049,2019-09-01,", "E06000049,2022-01-01,")
    lines = TINY["attendance"].splitlines(keepends=True)
    cut = "".join(line for line in lines if "2021/22,autumn,000101" not in line)
    assert (terms_missed(opened({**tables, "attendance": cut}))["terms"] == 0).all()


def test_sums_of_a_whole_year_have_every_term(opened):
    whole = TINY["attendance"].replace(",autumn,", ",year,")
    lines = [line for line in whole.splitlines(keepends=True) if "spring" not in line]
    tables = {
        **TINY,
        "attendance": "".join(x for x in lines if "summer" not in x),
    }
    assert (coverage(opened(tables))["schools_lacking"] == 0).all()
