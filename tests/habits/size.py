"""Prints how large the repository is: code lines and modules, room by room.

A code line holds code: docstrings, comments and blank lines do not count.
"""

import ast
import io
import sys
import tokenize
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
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
    """Return code lines, modules and all lines of each folder below a folder of the repository."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for path in sorted((ROOT / top).rglob("*.py")):
        inside = path.relative_to(ROOT / top)
        source = path.read_text(encoding="utf-8")
        room = f"{top}/{inside.parts[0]}" if len(inside.parts) > 1 else top
        for place, number in enumerate((code_lines(source), 1, source.count("\n"))):
            found[room][place] += number
    return found


if __name__ == "__main__":
    sys.stdout.write(f"{'':24}{'code':>8}{'modules':>9}{'lines':>8}\n")
    for top in ("vsh_eval", "tests"):
        rooms = sizes(top)
        total = [sum(column) for column in zip(*rooms.values(), strict=True)]
        for room, (code, modules, lines) in (*rooms.items(), (f"all of {top}", total)):
            sys.stdout.write(f"{room:24}{code:8,}{modules:9}{lines:8,}\n")
