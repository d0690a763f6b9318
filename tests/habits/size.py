"""Prints how large the repository is: code lines and modules, room by room.

A code line holds code: docstrings, comments and blank lines do not count. Beside them stand the
rows of words, SQL and tables, which are code no less for lying in files of their own.
"""

import ast
import io
import sys
import tokenize
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
ROWS = {".toml": "#", ".sql": "--", ".tsv": "\n"}
"""Files of rows, and what begins a comment in them."""
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def code_lines(source: str) -> int:
    """Count the lines of Python that hold code."""
    docstrings = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None
        for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    held = {
        line
        for token in tokens
        if token.type not in NO_CODE and token.type != tokenize.ENDMARKER
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(held - docstrings)


def sizes(top: str) -> dict[str, list[int]]:
    """Return code lines, rows, modules and all lines of each folder below one of the repository."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for path in sorted((ROOT / top).rglob("*.*")):
        if path.suffix != ".py" and path.suffix not in ROWS:
            continue
        inside = path.relative_to(ROOT / top)
        source = path.read_text(encoding="utf-8")
        room = f"{top}/{inside.parts[0]}" if len(inside.parts) > 1 else top
        code = code_lines(source) if path.suffix == ".py" else 0
        rows = 0 if path.suffix == ".py" else rows_of(source, ROWS[path.suffix])
        sums = (code, rows, int(path.suffix == ".py"), source.count("\n"))
        for place, number in enumerate(sums):
            found[room][place] += number
    return found


def rows_of(source: str, comment: str) -> int:
    """Count the lines of a file of rows that are neither blank nor a comment."""
    lines = (line.strip() for line in source.splitlines())
    return sum(bool(line) and not line.startswith(comment) for line in lines)


if __name__ == "__main__":
    sys.stdout.write(f"{'':24}{'code':>8}{'rows':>8}{'modules':>9}{'lines':>8}\n")
    for top in ("vsh_eval", "tests"):
        rooms = sizes(top)
        total = [sum(column) for column in zip(*rooms.values(), strict=True)]
        for room, (code, rows, modules, lines) in (*rooms.items(), (f"all of {top}", total)):
            sys.stdout.write(f"{room:24}{code:8,}{rows:8,}{modules:9}{lines:8,}\n")
