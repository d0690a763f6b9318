"""The tools that watch over the code run as tests, so that nobody lands without them.

Types take the longest and have a command of their own, which `.ci/run` gives beside the tests.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
NOTEBOOKS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "notebooks").glob("*.ipynb"))
TEXTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")

TOOLS = {
    "lint": ["ruff", "check", "--no-cache", "."],
    "format": ["ruff", "format", "--no-cache", "--check", "."],
    "import contracts": ["lint-imports", "--no-cache"],
    "spelling": ["codespell", "vsh_eval", "tests", "docs", "params", *TEXTS],
    "stripped notebooks": ["nbstripout", "--verify", "--keep-id", *NOTEBOOKS],
}


@pytest.mark.parametrize("tool", TOOLS)
def test_the_tree_passes(tool):
    command, *arguments = TOOLS[tool]
    said = subprocess.run(
        [str(BIN / command), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout[-4000:] + said.stderr[-4000:]
