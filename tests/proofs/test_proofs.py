"""Every committed proof names the command that makes it again, and every command works."""

import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest

PROOFS = Path(__file__).resolve().parent
PAGES = PROOFS.parents[1] / "docs" / "proofs"
FEW = {
    "attack": ["--most", "1", "--sizes", "0.1"],
    "beside_coverage": ["--draws", "3", "--long-run", "300"],
    "blind_authorities": ["--authorities", "1"],
    # What the reading of a run finds is tested in tests/pipeline; a run takes a minute.
    "failure_modes": ["--only", "the page alone"],
    "gap_coverage": ["--draws", "4", "--children", "2000"],
    "hard_cases": ["--draws", "2"],
    "interval_check": ["--draws", "12"],
    "newly_counted": ["--authorities", "1", "--schools", "12", "--only", "milder"],
    "notebooks_everywhere": ["--only", "rutland", "--notebooks", "02"],
    "phase_pooling": ["--draws", "2"],
    "placebo_authorities": ["--runs", "3"],
    "planted_effect": ["--draws", "2", "--panel", "3", "--schools", "20"],
    "primary_coverage": ["--draws", "2"],
    "published_tables": [],
    "wild_size": ["--draws", "3"],
}

ON_PUBLISHED_FILES = ("notebooks_everywhere", "placebo_authorities", "published_tables")


def proofs() -> list[str]:
    return sorted(
        path.stem for path in PROOFS.glob("*.py") if not path.stem.startswith(("_", "te"))
    )


def test_every_proof_has_a_page_and_every_page_a_proof():
    assert proofs() == sorted(path.stem for path in PAGES.glob("*.md")) == sorted(FEW)


@pytest.mark.parametrize("name", proofs())
def test_a_page_says_on_top_which_command_makes_it(name: str):
    top = (PAGES / f"{name}.md").read_text(encoding="utf-8").splitlines()[:4]
    assert top[0].startswith("# ")
    assert any(re.search(rf"python -m tests\.proofs\.{name}\b", line) for line in top)


# With so few draws a proof may find its limits missed, and divide by draws that are not there.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", proofs())
def test_a_proof_writes_the_page_that_is_committed_but_for_its_numbers(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
):
    asked = [*FEW[name], "--output", str(tmp_path / "page.md")]
    if name in ON_PUBLISHED_FILES:
        asked += ["--data", str(request.getfixturevalue("shared_data"))]
    committed = PAGES / f"{name}.md"
    before = committed.read_bytes()
    import_module(f"tests.proofs.{name}").main(asked)
    made = (tmp_path / "page.md").read_text(encoding="utf-8").splitlines()
    kept = committed.read_text(encoding="utf-8").splitlines()
    assert [line for line in made if line.startswith(("# ", "## "))] == [
        line for line in kept if line.startswith(("# ", "## "))
    ]
    assert headers(made) == headers(kept)
    assert committed.read_bytes() == before


def headers(lines: list[str]) -> list[str]:
    """Return the first row of every table."""
    return [
        line for line, after in pairwise(lines) if line.startswith("|") and after.startswith("|---")
    ]
