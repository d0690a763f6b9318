"""English for readers stands in release/text; other code hands on codes and numbers."""

import ast
import re
from pathlib import Path

import pytest

import vsh_eval

PACKAGE = Path(vsh_eval.__file__).parent
EXEMPT = (
    "release/text",  # where it belongs
    "registry",  # a metric is one row of data, its label and notes among them
    "cli.py",  # speaks to whoever types the command
    "settings.py",  # its rules are read by whoever writes the params
)
FOR_ANALYSTS = re.compile(r"Error$|^(warn|echo|print|progress|info|warning|log|reason|Option)$")
"""Calls whose texts are read by the analyst: exceptions, console, log."""
PROSE = re.compile(r"^[A-Z£][^{}]*(\s\S+){3,}.*\.\s*$", re.DOTALL)
"""A sentence: a capital first, four words or more, a full stop at the end."""


def name_of(path):
    return path.relative_to(PACKAGE).as_posix()


EVERY = sorted(PACKAGE.rglob("*.py"))
FILES = [path for path in EVERY if not name_of(path).startswith(EXEMPT)]


def for_analysts(node):
    """Say whether a node is a docstring, an exception or a message to the console."""
    if isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return bool(FOR_ANALYSTS.search(called))
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return docstring or isinstance(node, ast.Raise)


def text_of(node):
    """Return a literal's text, what is filled in as X; '' where it is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if not isinstance(node, ast.JoinedStr):
        return ""
    return "".join(str(part.value) if hasattr(part, "kind") else "X" for part in node.values)


def is_prose(text):
    return text.rstrip().endswith(".") and bool(PROSE.match(text))


def sentences(tree):
    """Return the sentences of a module that a reader of the report could meet."""
    nodes = list(ast.walk(tree))
    skipped = {inner for node in nodes if for_analysts(node) for inner in ast.walk(node)}
    skipped |= {part for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    return [text for node in nodes if node not in skipped and is_prose(text := text_of(node))]


def said_in(path):
    return sentences(ast.parse(path.read_text(encoding="utf-8")))


def test_no_sentence_for_readers_stands_outside_release_text():
    assert {name_of(path): said for path in FILES if (said := said_in(path))} == {}


@pytest.mark.parametrize("exempt", EXEMPT)
def test_no_place_is_exempt_without_need(exempt):
    assert any(said_in(path) for path in EVERY if name_of(path).startswith(exempt))


def test_a_sentence_in_code_is_found():
    code = 'def f(x):\n    """A docstring of four words."""\n    return f"There were {x} here now."'
    assert sentences(ast.parse(code)) == ["There were X here now."]
    assert sentences(ast.parse('raise ValueError("This is for the analyst alone.")')) == []
