"""Bad input, one example of each check: a sentence, and nothing else."""

import re

import pytest

from tests.pipeline.project import state
from tests.returns.tiny import PUPILS, TINY, added, changed, header_only, without, write

NO_HEADER = TINY["episodes"].split("\n", 1)[1]
TWICE = "0070001,2021/22,000101,5,F,1,N"

# What is broken, and what the sentence must say: the table, the rule and the remedy.
BROKEN = {
    "no file of a table": (
        without("episodes"),
        ("lacks episodes", "every return needs a file named after it", "episodes.csv"),
    ),
    "no such column": (
        changed("schools", "phase", "stage"),
        ("schools.csv (3 lines)", "lacks the column phase", "its header must name urn"),
    ),
    "column twice": (
        changed("schools", "idaci", "phase"),
        ("schools.csv (3 lines)", "'phase' more than once", "rename or remove the others"),
    ),
    "no header": (
        {**TINY, "episodes": NO_HEADER},
        ("episodes.csv (7 lines)", "lacks the columns pupil_id", "its header must name pupil_id"),
    ),
    "empty file": (
        {**TINY, "training": ""},
        ("training.csv", "no header line", "its first line must name the columns"),
    ),
    "no rows": (
        header_only("attendance"),
        ("table attendance", "must hold rows", "export it again"),
    ),
    "line too short": (
        added("attendance", "0070005,2021/22"),
        ("attendance.csv (29 lines)", "cannot be read from line 29", "export it again"),
    ),
    "quote left open": (
        changed("enrolments", "0070005,2021/22", '"0070005,2021/22'),
        ("enrolments.csv (10 lines)", "closed quotes", "export it again"),
    ),
    "two forms of dates": (
        changed("episodes", "2016-05-01", "01/05/2016"),
        ("episodes.csv", "one format a column", "export the dates again"),
    ),
    "no day of the calendar": (
        changed("episodes", "2016-05-01", "2016-02-31"),
        ("episodes, end_date", "dates of the calendar", "correct them", "(1 of 7)"),
    ),
    "no academic year": (
        changed("attainment", "0070005,2021/22", "0070005,2021/23"),
        ("attainment, academic_year", "such as 2023/24", "correct them", "(1 of 4)"),
    ),
    "word for a number": (
        changed("enrolments", "000101,5,F", "000101,Year 5,F"),
        ("enrolments, year_group", "as whole numbers", "correct them", "(1 of 9)"),
    ),
    "no pupil": (
        changed("suspensions", "0070003", ""),
        ("suspensions", "must have a value in pupil_id", "fill the blanks", "(1 of 1)"),
    ),
    "unknown word": (
        changed("schools", "secondary", "infant"),
        ("schools, phase", "one of the words allowed", "recode the others", "(1 of 2)"),
    ),
    "out of range": (
        changed("attendance", "140,3,0", "140,-3,0"),
        ("attendance, sess_authorised", "range allowed", "correct or blank out", "(1 of 27)"),
    ),
    "impossible result": (
        changed("attainment", "61.5", "400"),
        ("attainment, value", "that its measure can have", "leave out pupils", "(1 of 4)"),
    ),
    "programme not declared": (
        changed("training", "elsa", "yoga"),
        ("training, programme", "'yoga' is not", "declare it in params", "(1 of 2)"),
    ),
    "row twice": (
        added("enrolments", TWICE),
        ("enrolments", "the only one with its pupil_id", "keep one of the rows", "(1 of 10)"),
    ),
    "school twice": (
        added("schools", "000102,Birch High,secondary,E06000049,,,0.34,CW1 2BB"),
        ("schools", "the only one with its urn", "keep one of the rows", "(1 of 3)"),
    ),
    "more missed than possible": (
        changed("attendance", "140,20,50", "60,20,50"),
        ("attendance", "must not exceed sess_possible", "export the sessions again", "(1 of 27)"),
    ),
    "end before start": (
        changed("episodes", "2016-10-01,2017-05-01", "2016-10-01,2015-05-01"),
        ("episodes, start_date and end_date", "must follow each other", "correct the date"),
    ),
    "attendance at an unknown school": (
        changed("attendance", "0070005,2021/22,autumn,000102", "0070005,2021/22,autumn,000777"),
        ("attendance, urn", "must be in schools", "add the school", "(1 of 27)"),
    ),
    "training at an unknown school": (
        changed("training", "000102,safe", "000999,safe"),
        ("training, urn", "must be in schools", "add the school", "(1 of 2)"),
    ),
    "attendance without enrolment": (
        changed("enrolments", "0070005,2021/22,000102,11,F,0,N\n", ""),
        ("attendance", "one of enrolments in the same academic_year", "add the enrolment"),
    ),
}


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


def test_a_folder_that_is_not_there_is_refused(project):
    (project.folder / "returns").rename(project.folder / "elsewhere")
    said = project.say("run", "params/tiny.yaml")
    assert_one_sentence(said, ["folder 'returns'", "does not exist", "name the folder"])
    assert list(project.outputs.iterdir()) == []


def test_a_file_in_another_encoding_is_refused(project):
    path = project.folder / "returns" / "schools.csv"
    path.write_bytes(path.read_bytes().replace(b"Birch", "Bîrch".encode("latin-1")))
    said = project.say("run", "params/tiny.yaml")
    assert_one_sentence(said, ["schools.csv (3 lines)", "is not UTF-8", "save it as"])


def test_a_table_that_is_there_twice_is_refused(project):
    (project.folder / "returns" / "schools.parquet").write_bytes(b"PAR1")
    said = project.say("run", "params/tiny.yaml")
    assert_one_sentence(said, ["schools is there as schools.csv and as", "move the one"])


def test_the_last_good_run_is_left_alone(project, executed):
    assert project.say("run", "params/tiny.yaml").code == 0
    before, number = state(project.outputs), len(executed)
    for name in ("line too short", "row twice"):
        tables, words = BROKEN[name]
        write(project.folder / "returns", tables)
        assert_one_sentence(project.say("run", "params/tiny.yaml"), words)
        assert_one_sentence(project.say("run", "params/tiny.yaml", "--only", "04"), words)
    assert state(project.outputs) == before
    assert len(executed) == number
