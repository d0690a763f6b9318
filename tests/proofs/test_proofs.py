"""Every committed proof names the command that makes it again, and every command works."""

import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.proofs import engine_speed, primary_coverage
from vsh_eval.synthetic import Plan, synthesise

PROOFS = Path(__file__).resolve().parent
PAGES = PROOFS.parents[1] / "docs" / "proofs"
SMOKE = {
    "gap_coverage": "--draws 2 --children 3000 --beside 2 --long-run 50 --parts 2",
    "wild_size": "--draws 3",
}
"""A small run of one proof of intervals and one of effects; the reader of `disclosure` is tested in
tests/release, and the other proofs have their own commands."""


def proofs() -> list[str]:
    return sorted(
        path.stem for path in PROOFS.glob("*.py") if not path.stem.startswith(("_", "te"))
    )


def test_every_proof_has_a_page_and_every_page_a_proof():
    assert proofs() == sorted(path.stem for path in PAGES.glob("*.md"))


@pytest.mark.parametrize("name", proofs())
def test_a_page_says_on_top_which_command_makes_it(name: str):
    top = (PAGES / f"{name}.md").read_text(encoding="utf-8").splitlines()[:4]
    assert top[0].startswith("# ")
    assert any(re.search(rf"python -m tests\.proofs\.{name}\b", line) for line in top)


@pytest.mark.parametrize("name", proofs())
def test_every_command_can_be_asked_what_it_takes(name: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as left:
        import_module(f"tests.proofs.{name}").main(["--help"])
    assert left.value.code == 0
    assert "--output" in capsys.readouterr().out


def test_a_part_of_a_proof_does_not_write_over_the_whole_page():
    with pytest.raises(SystemExit) as left:
        primary_coverage.main(["--only", "no effect"])
    assert left.value.code == 2


def test_the_script_that_the_engine_is_timed_against_makes_the_same_cells(tmp_path: Path):
    synthesise(tmp_path / "returns", Plan(schools=12))
    made = engine_speed.plain_pandas(tmp_path / "returns")
    made = made.set_index(["urn", "academic_year", "group"]).astype("float64")
    panel = engine_speed.count(tmp_path / "returns").panel
    panel = panel.astype({"unit_id": "str", "group": "str"})
    columns = ["pupils", "numerator", "denominator", "sum_yy", "sum_xy", "sum_xx"]
    ratios = {"overall_absence": ("missed", "sess_possible", "sum_yy", "sum_xy", "sum_xx")} | {
        f"{degree}_absence": (degree, "pupils", degree, degree, "pupils")
        for degree in ("persistent", "severe")
    }
    for metric, sums in ratios.items():
        cells = panel[panel["metric"].eq(metric)].set_index(["unit_id", "time_period", "group"])
        cells = cells[columns].astype("float64").sort_index()
        assert cells.index.tolist() == made.index.tolist()
        np.testing.assert_array_equal(cells, made[["pupils", *sums]])


def test_the_page_of_the_primary_estimator_has_every_case():
    page = (PAGES / "primary_coverage.md").read_text(encoding="utf-8")
    cases = [(case.name, schools) for case in primary_coverage.CASES for schools in case.sizes]
    assert [case for case in cases if f"| {case[0]} | {case[1]} |" not in page] == []


# With so few draws a proof may find its limits missed, and divide by draws that are not there.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", SMOKE)
def test_a_proof_writes_the_page_that_is_committed_but_for_its_numbers(name: str, tmp_path: Path):
    committed = PAGES / f"{name}.md"
    before = committed.read_bytes()
    import_module(f"tests.proofs.{name}").main(
        [*SMOKE[name].split(), "--output", str(tmp_path / "page.md")]
    )
    new = (tmp_path / "page.md").read_text(encoding="utf-8").splitlines()
    old = before.decode("utf-8").splitlines()
    assert [line for line in new if line.startswith(("# ", "## "))] == [
        line for line in old if line.startswith(("# ", "## "))
    ]
    assert headers(new) == headers(old)
    assert committed.read_bytes() == before


def headers(lines: list[str]) -> list[str]:
    """Return the first row of every table."""
    return [
        line
        for line, after in pairwise(lines)
        if line.startswith("|") and after.startswith(("|---", "| ---"))
    ]
