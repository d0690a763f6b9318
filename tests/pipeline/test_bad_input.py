"""Bad input ends a run in one sentence and nothing else; what is refused: tests/returns."""

import re

import pytest

from tests.pipeline.project import state
from tests.returns.tiny import PUPILS, TINY, added, changed, without, write
from vsh_eval.returns import checks
from vsh_eval.returns.checks import rules

NO_HEADER = TINY["episodes"].split("\n", 1)[1]
TWICE = "0070001,2021/22,000101,5,F,1,N"

# What is broken, and what the sentence must say: the table, the rule and the remedy.
BROKEN = {
    "no file of a table": (without("episodes"), ("lacks episodes",
        "every return needs a file named after it", "episodes.csv")),
    "no header": ({**TINY, "episodes": NO_HEADER}, ("episodes.csv (7 lines)",
        "lacks the columns pupil_id", "its header must name pupil_id")),
    "line too short": (added("attendance", "0070005,2021/22"), ("attendance.csv (29 lines)",
        "cannot be read from line 29", "export it again")),
    "programme not declared": (changed("training", "elsa", "yoga"), ("training, programme",
        "'yoga' is not", "declare it in params", "(1 of 2)")),
    "row twice": (added("enrolments", TWICE), ("enrolments", "the only one with its pupil_id",
        "keep one of the rows", "(1 of 10)")),
    "attendance without enrolment": (changed("enrolments", "0070005,2021/22,000102,11,F,0,N\n",
        ""), ("attendance", "one of enrolments in the same academic_year", "add the enrolment")),
}  # fmt: skip


def assert_one_sentence(said, words):
    assert said.code == 1
    assert said.out == ""
    [line] = said.lines
    assert line.startswith("vsh-eval: ")
    assert line.endswith(".")
    assert [word for word in words if word not in line] == []
    assert re.search(r"; \w+", line), "a remedy follows the rule"
    assert [pupil for pupil in PUPILS if pupil in line] == []


@pytest.mark.parametrize(("tables", "words"), BROKEN.values(), ids=BROKEN)
def test_broken_returns_are_refused_in_one_sentence_and_nothing_is_written(tables, words, project):
    folder = project.folder / "returns"
    for path in folder.iterdir():
        path.unlink()
    write(folder, tables)
    before = state(project.folder)
    assert_one_sentence(project.say("run", "params/tiny.yaml"), words)
    assert state(project.folder) == before
    assert list(project.outputs.iterdir()) == []


def test_the_last_good_run_is_left_alone(project, executed, monkeypatch):
    monkeypatch.setattr(checks, "CHECKS", rules.CHECKS)
    assert project.say("run", "params/tiny.yaml").code == 0
    before, number = state(project.outputs), len(executed)
    for name in ("line too short", "row twice"):
        tables, words = BROKEN[name]
        write(project.folder / "returns", tables)
        assert_one_sentence(project.say("run", "params/tiny.yaml"), words)
        assert_one_sentence(project.say("run", "params/tiny.yaml", "--only", "04"), words)
    assert state(project.outputs) == before
    assert len(executed) == number
