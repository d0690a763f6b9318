"""The proof on failure modes reads a release: does it see what a reader must not meet?"""

import json
import shutil

import pytest

from tests.proofs.failure_modes import MODES, Mode, look, statements, words

USUAL = MODES[0]


@pytest.fixture
def released(whole, tmp_path):
    """A copy of a small run's release, to be spoilt."""
    return shutil.copytree(whole.outputs / "small" / "release", tmp_path / "release")


def change(path, before, after):
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def test_an_ordinary_release_has_no_fault(released):
    looked = look(released, USUAL, released)
    assert looked.faults == ()
    assert looked.pages == 9
    assert looked.head.startswith("With these schools and years an effect of ")


SPOILT = {
    "a page": (lambda r: (r / "05_attainment_gap.html").unlink(),
        "05_attainment_gap.html is missing"),
    "no number": (lambda r: change(r / "04_attendance_gap.html", "</p>", " nan</p>"), "nan"),
    "a word of Python": (lambda r: change(r / "07_robustness.html", "</p>", " None</p>"), "None"),
    "a name": (lambda r: change(r / "06_impact.html", "</p>", " school_gaps</p>"), "school_gaps"),
    "an empty table": (lambda r: change(r / "08_annual_report.html", "</main>",
        "<table></table></main>"), "table without rows"),
    "nothing under a heading": (lambda r: change(r / "01_returns.html", "</main>",
        "<h2>A</h2>\n<h2>B</h2></main>"), "a heading with nothing under it"),
    "robustness": (lambda r: (r / "tables" / "robustness.csv").unlink(),
        "robustness.csv is missing"),
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILT)
def test_what_a_reader_must_not_meet_is_seen(what, released, whole):
    spoil, said = SPOILT[what]
    spoil(released)
    found = look(released, USUAL, whole.outputs / "small" / "release").faults
    assert any(said in fault for fault in found), found


def test_rows_that_an_ordinary_run_has_are_missed(released, whole):
    for name in ("gaps", "reach"):
        path = released / "tables" / f"{name}.csv"
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join([lines[0], *lines[3:]]) + "\n", encoding="utf-8")
    found = look(released, USUAL, whole.outputs / "small" / "release").faults
    assert sum("lacks" in fault for fault in found) == 2


def test_an_estimate_where_there_can_be_none_is_seen(released):
    mode = Mode("one school", "one", ("at least 3",))
    found = " ".join(look(released, mode, None).faults)
    for said in ("the estimate in results.json is", "the statement is", "not one sentence",
                 "06 begins with", "impact.csv has status", "'at least 3' is not said on 06",
                 "'cannot be estimated from these data' is not said on 08",
                 "'The effect cannot be estimated: ' is not said on 08"):  # fmt: skip
        assert said in found
    path = released / "results.json"
    written = json.loads(path.read_text())
    written["headline"] |= {"estimate": None, "reason": "Too few. And late."}
    path.write_text(json.dumps(written))
    assert "not one sentence" in " ".join(look(released, mode, None).faults)


def test_words_leave_out_code_and_marks():
    page = "<pre>x = nan</pre><div class='statement'>a</div><p>One &amp; <b>two</b>.</p>"
    assert words(page) == "a One & two ."
    assert statements('<div class="statement"><p>a</p><p>b</p></div>') == ["a b"]
