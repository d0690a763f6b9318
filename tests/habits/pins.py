"""Copies the pins of constraints.txt into ``[tool.uv]`` of pyproject.toml."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"constraint-dependencies = \[\n.*?\n\]\n", re.DOTALL)


def pins() -> list[str]:
    """Return the pins of constraints.txt, in its order."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def block() -> str:
    """Write the pins as the list that ``uv run`` reads."""
    quoted = (f"    '{pin}'," if '"' in pin else f'    "{pin}",' for pin in pins())
    return "constraint-dependencies = [\n" + "\n".join(quoted) + "\n]\n"


if __name__ == "__main__":
    project = ROOT / "pyproject.toml"
    project.write_text(BLOCK.sub(block(), project.read_text(encoding="utf-8")), encoding="utf-8")
