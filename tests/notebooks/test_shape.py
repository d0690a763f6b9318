"""A notebook is prose and calls: the shape that keeps it readable and runnable."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

from vsh_eval.pipeline import NOTEBOOKS

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
FILES = sorted(FOLDER.glob("*.ipynb"))

pytestmark = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def cells(path, kind):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def lines(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


def test_cells_are_short(path):
    longest = max(len(lines(cell)) for cell in cells(path, "code"))
    assert longest <= 15


def test_nothing_is_defined_in_a_notebook(path):
    trees = [ast.parse(cell.source) for cell in cells(path, "code")]
    defined = [
        node.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
    ]
    assert defined == []


def test_one_cell_is_tagged_parameters_and_holds_typed_literals(path):
    tagged = [c for c in cells(path, "code") if "parameters" in c.metadata.get("tags", [])]
    assert len(tagged) == 1
    for line in lines(tagged[0]):
        assert re.fullmatch(r'\w+: str = ".*"  # .+', line)


def test_it_opens_with_its_question_and_headings_do_not_jump(path):
    heads = [
        (len(mark), text)
        for cell in cells(path, "markdown")
        for mark, text in re.findall(r"^(#+) (.+)$", cell.source, re.MULTILINE)
    ]
    assert heads[0][0] == 1
    assert heads[0][1].endswith("?")
    assert [level for level, _ in heads].count(1) == 1
    levels = [level for level, _ in heads]
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_the_question_is_the_catalogues(path):
    first = cells(path, "markdown")[0].source.splitlines()[0].removeprefix("# ")
    entry = next(notebook for notebook in NOTEBOOKS if notebook.name == path.stem)
    assert first == entry.question


def test_it_closes_with_what_it_shows_and_does_not(path):
    assert "does not" in cells(path, "markdown")[-1].source.splitlines()[0]


def test_prose_holds_no_results(path):
    """Numbers of a result come from variables; years and definitions may stand in prose."""
    for cell in cells(path, "markdown"):
        assert not re.search(r"\d+\.\d+", cell.source)
        assert "%" not in cell.source


def test_half_of_it_is_prose(path):
    prose, code = len(cells(path, "markdown")), len(cells(path, "code"))
    assert 0.3 <= prose / (prose + code) <= 0.6


def test_ids_are_fixed_names(path):
    ids = [cell["id"] for cell in nbformat.read(path, as_version=4).cells]
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", cell_id) for cell_id in ids)
