import json
import re
import subprocess
import sys
import zipfile
from datetime import datetime
from importlib.metadata import version

import nbformat
import papermill
import pytest
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError

from tests.pipeline.conftest import standing_in
from tests.pipeline.project import INVENTED, TWO_YEARS, Project, Said, state
from tests.returns import published_example as example
from tests.returns import tiny
from vsh_eval.contracts import DisclosureError, NotebookFailedError
from vsh_eval.pipeline import catalogue, yearly
from vsh_eval.pipeline.execution import dag, engine
from vsh_eval.pipeline.records import manifest, up_to_date
from vsh_eval.release.disclosure import INTERNAL_STAMP, rule_named
from vsh_eval.release.files.egress import check

pytestmark = pytest.mark.usefixtures("checked_little")
EVERY = [notebook.name for notebook in catalogue.of_kind("returns")]
PAGE = "outputs/tiny/release/index.html"


def released(project: Project, name: str):
    return project.outputs / name / "release"


# --- What a run says of its data


OPEN = {**TWO_YEARS, "disclosure": {"preset": "none"}}
STAMPS = {"SYNTHETIC": INVENTED, INTERNAL_STAMP: OPEN, "": TWO_YEARS}


@pytest.mark.parametrize("stamp", STAMPS, ids=lambda stamp: stamp.split()[0] if stamp else "real")
def test_every_output_says_what_the_data_and_the_rule_are(stamp, project, monkeypatch):
    monkeypatch.setattr(engine, "execute", standing_in([]))
    project.write("stamped", STAMPS[stamp])
    assert project.say("run", "params/stamped.yaml").code == 0
    folder = released(project, "stamped")
    assert json.loads((folder / manifest.NAME).read_text())["stamp"] == stamp
    pages = list(folder.glob("*.html"))
    assert len(pages) == 9
    for other in filter(None, STAMPS):
        for page in pages:
            assert (other in page.read_text(encoding="utf-8")) == (other == stamp), page.name
        with zipfile.ZipFile(folder / "workbook.xlsx") as book:
            said = any(other.encode() in book.read(name) for name in book.namelist())
        assert said == (other == stamp)
    if stamp == INTERNAL_STAMP:
        with pytest.raises(DisclosureError, match="must not; nothing was released"):
            check(folder, identifiers=(), rule=rule_named("cellkey"))


def test_another_plan_invents_other_returns(project, executed, monkeypatch):
    """The invented returns of the last run are not those that the new settings ask for."""
    from vsh_eval.pipeline import workspace

    stand_in = standing_in([])

    def execute(run, notebook, *, after_cell=None):
        workspace.source_folder(run)
        return stand_in(run, notebook, after_cell=after_cell)

    monkeypatch.setattr(engine, "execute", execute)
    notice = project.outputs / "invented" / "internal" / "invented_returns" / "SYNTHETIC.txt"
    assert project.say("run", "params/invented.yaml").code == 0
    assert "effect=-1.0" in notice.read_text()
    project.write("invented", {**INVENTED, "source": {**INVENTED["source"], "effect": -3.0}})
    assert project.say("run", "params/invented.yaml").code == 0
    assert "effect=-3.0" in notice.read_text()


def test_other_software_invents_anew(project, executed, monkeypatch):
    """What the last version invented is not what this one would."""
    from vsh_eval.pipeline import workspace

    seen, stand_in = [], standing_in([])

    def execute(run, notebook, *, after_cell=None):
        seen.append((run.internal / "invented_returns").exists())
        workspace.source_folder(run)
        return stand_in(run, notebook, after_cell=after_cell)

    monkeypatch.setattr(engine, "execute", execute)
    assert project.say("run", "params/invented.yaml").code == 0
    first, seen[:] = list(seen), []
    monkeypatch.setattr(dag, "_software", lambda: "another version")
    monkeypatch.setattr(up_to_date, "last_run", lambda *_: None)
    assert project.say("run", "params/invented.yaml").code == 0
    assert seen == first


# --- What runs again, and what does not


def test_a_second_run_runs_nothing_unless_forced_and_forgets_what_a_stopped_one_left(
    project, executed
):
    assert project.say("run", "params/tiny.yaml").out.startswith(f"Done: open {PAGE}\n")
    before = state(project.outputs)
    said = project.say("run", "params/tiny.yaml")
    assert said.out.startswith(f"Nothing has changed since the last run: {PAGE}\n")
    assert executed == EVERY
    assert state(project.outputs) == before

    building = project.outputs / ".tiny.building"
    (building / "release").mkdir(parents=True)
    (building / "release" / "left.txt").write_text("left", encoding="utf-8")
    assert project.say("run", "params/tiny.yaml", "--force").out.startswith(f"Done: open {PAGE}\n")
    assert executed == EVERY * 2
    assert not building.exists()
    assert not (released(project, "tiny") / "left.txt").exists()


def test_a_changed_setting_runs_everything_again_and_leaves_nothing_old(project, executed):
    assert project.say("run", "params/tiny.yaml").code == 0
    (released(project, "tiny") / "tables" / "impact_of_old.csv").write_text("a\n1\n")
    project.write("tiny", {**TWO_YEARS, "seed": 1})
    assert project.say("run", "params/tiny.yaml").out.startswith(f"Done: open {PAGE}\n")
    assert executed == EVERY * 2
    assert not (released(project, "tiny") / "tables" / "impact_of_old.csv").exists()


# --- What is found before anything is written


@pytest.mark.parametrize(
    ("fault", "commands", "named"),
    [
        ("missing", ("run", "check", "run --only 02"), "folder 'beside' is not there, must hold"),
        ("empty", ("run",), "folder 'beside' holds none of DfE's absence"),
        ("of other authorities", ("run",), "authority.code is 'E99999999', must be an area of the"),
    ],
)
def test_published_files_beside_returns_are_looked_at_before_anything_is_written(
    fault, commands, named, project, executed
):
    """Notebook 02 would find it first, half-way through a run."""
    folder = project.folder / "beside"
    keys = {**TWO_YEARS, "published": {"folder": "../beside"}}
    if fault != "missing":
        folder.mkdir()
    if fault == "of other authorities":
        example.write(folder)
        keys["authority"] = {"code": "E99999999", "name": "Nowhere"}
    params = project.write("tiny", keys)
    before = state(project.folder)
    for command in commands:
        name, *options = command.split()
        said = project.say(name, params, *options)
        assert (said.code, len(said.lines)) == (1, 1)
        assert named in said.err
    assert state(project.folder) == before
    assert list(project.outputs.iterdir()) == []
    assert executed == []


def test_published_files_beside_returns_that_are_whole_are_let_through(project, executed):
    project.write("tiny", {**TWO_YEARS, "published": {"folder": "../published"}})
    assert project.say("run", "params/tiny.yaml").code == 0
    assert executed == EVERY


# --- Drafts


def test_one_notebook_goes_to_the_draft_with_what_it_needs(project, executed):
    said = project.say("run", "params/tiny.yaml", "--only", "04")
    assert said.out.startswith("Done: open outputs/tiny-draft/release/04_attendance_gap.html\n")
    assert executed == ["01_returns", "02_cohort", "04_attendance_gap"]


def test_a_draft_runs_what_is_needed_once(project, executed):
    needed = [name for name in EVERY if not name.startswith(("04", "05"))]
    assert project.say("run", "params/tiny.yaml", "--only", "08").code == 0
    assert sorted(executed) == needed
    assert project.say("run", "params/tiny.yaml", "--only", "06_impact").code == 0
    assert executed[len(needed) :] == ["06_impact"]
    assert [path.name for path in project.outputs.iterdir()] == ["tiny-draft"]


def test_a_draft_is_started_anew_when_the_settings_change(project, executed):
    assert project.say("run", "params/tiny.yaml", "--only", "04").code == 0
    project.write("tiny", {**TWO_YEARS, "seed": 1})
    assert project.say("run", "params/tiny.yaml", "--only", "04").code == 0
    assert executed == ["01_returns", "02_cohort", "04_attendance_gap"] * 2


def test_a_draft_that_stops_says_where_its_page_is(project, monkeypatch):
    monkeypatch.setattr(engine, "execute", standing_in([], fails="02_cohort"))
    said = project.say("run", "params/tiny.yaml", "--only", "04")
    assert said.code == 3
    assert said.lines == [
        "vsh-eval: notebook 02_cohort stopped: ValueError: it does not add up; its page: "
        "outputs/tiny-draft/internal/02_cohort-failed.html"
    ]


# --- What goes wrong


@pytest.fixture
def failing_notebooks(tmp_path, monkeypatch):
    """A copy of the notebooks in which 01 is short and raises."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for path in catalogue.folder().glob("*.ipynb"):
        (folder / path.name).write_bytes(path.read_bytes())
    path = folder / "01_returns.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [
        *notebook.cells[:2],
        nbformat.v4.new_code_cell("print(params, run_folder)"),
        nbformat.v4.new_code_cell("raise ValueError('the sums do not agree')"),
        nbformat.v4.new_code_cell("never = 'reached'"),
    ]
    nbformat.write(notebook, path)
    monkeypatch.setattr(catalogue, "folder", lambda: folder)


def test_a_notebook_that_raises_is_exit_3_and_its_page_says_where(project, failing_notebooks):
    good = project.outputs / "tiny"
    (good / "release").mkdir(parents=True)
    (good / "release" / "index.html").write_text("the last good run", encoding="utf-8")
    before = state(good)
    said = project.say("run", "params/tiny.yaml")
    page = "outputs/.tiny.building/internal/01_returns-failed.html"
    assert said.code == 3
    assert said.lines == [
        "vsh-eval: notebook 01_returns stopped: ValueError: the sums do not agree; "
        f"its page: {page}"
    ]
    text = (project.folder / page).read_text(encoding="utf-8")
    for words in ("FAILED", "the sums do not agree", "not a result"):
        assert words in text
    assert state(good) == before
    assert not (project.outputs / ".tiny.lock").exists()


def test_a_crash_in_the_middle_leaves_the_last_good_run_and_the_next_goes_on(
    project, executed, monkeypatch
):
    first: list[str] = []
    monkeypatch.setattr(engine, "execute", standing_in(first))
    assert project.say("run", "params/tiny.yaml").code == 0
    good = state(project.outputs / "tiny")

    project.write("tiny", {**TWO_YEARS, "seed": 1})
    second: list[str] = []
    monkeypatch.setattr(engine, "execute", standing_in(second, fails="05_attainment_gap"))
    assert project.say("run", "params/tiny.yaml").code == 3
    assert second == EVERY[:5]
    assert state(project.outputs / "tiny") == good

    third: list[str] = []
    monkeypatch.setattr(engine, "execute", standing_in(third))
    assert project.say("run", "params/tiny.yaml").code == 0
    assert third == EVERY[4:]
    assert state(project.outputs / "tiny") != good
    assert sorted(path.name for path in project.outputs.iterdir()) == ["tiny", "tiny.log"]


def test_a_run_that_the_egress_check_stops_is_never_put_into_place(project, executed, monkeypatch):
    names: list[str] = []
    execute = standing_in(names)

    def leaking(run, notebook, *, after_cell=None):
        path = execute(run, notebook, after_cell=after_cell)
        (run.released / "notes.txt").write_text(f"ask about UPN{tiny.PUPILS[0]}", encoding="utf-8")
        return path

    monkeypatch.setattr(engine, "execute", execute)
    tables = {name: text.replace("00700", "UPN00700") for name, text in tiny.TINY.items()}
    tiny.write(project.folder / "returns", tables)
    assert project.say("run", "params/tiny.yaml").code == 0
    good = state(project.outputs / "tiny")
    project.write("tiny", {**TWO_YEARS, "seed": 1})
    monkeypatch.setattr(engine, "execute", leaking)
    for _ in range(2):
        said = project.say("run", "params/tiny.yaml")
        assert said.code == 1
        assert said.lines == [
            "vsh-eval: notes.txt holds a pupil's identifier, must not; nothing was released: find "
            "out where it comes from and run again."
        ]
        assert state(project.outputs / "tiny") == good


def test_a_run_that_was_killed_while_it_was_put_in_place_is_finished_by_the_next(
    project, executed, monkeypatch
):
    assert project.say("run", "params/tiny.yaml").code == 0
    good = state(project.outputs / "tiny")
    project.write("tiny", {**TWO_YEARS, "seed": 1})
    with monkeypatch.context() as patched:
        patched.setattr(yearly, "_into_place", lambda *_, **__: (_ for _ in ()).throw(MemoryError))
        with pytest.raises(MemoryError):
            project.say("run", "params/tiny.yaml")
    assert state(project.outputs / "tiny") == good
    executed.clear()
    assert project.say("run", "params/tiny.yaml").out.startswith(f"Done: open {PAGE}\n")
    assert executed == []
    settings = json.loads((released(project, "tiny") / manifest.NAME).read_text())["settings"]
    assert settings["seed"] == 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            DeadKernelError("Kernel died"),
            "Kernel died; run again, and where it happens again, with more free memory.",
        ),
        (
            CellTimeoutError.error_from_timeout_and_cell("timed out", 60, {}),  # of four lines
            "a cell did not end within cell_minutes (240); see what holds it up, such as a "
            "database that does not answer, or allow more, and run again.",
        ),
        (
            PapermillExecutionError(1, 1, "", "DesignError", "no school is trained; add one.", []),
            "no school is trained; add one.",  # of the package: no more than its sentence
        ),
    ],
)
def test_a_kernel_that_dies_or_hangs_is_a_failed_notebook_and_no_success(
    project, monkeypatch, error, told
):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr(papermill, "execute_notebook", fails)
    said = project.say("run", "params/tiny.yaml")
    assert said.code == 3
    assert said.lines == [f"vsh-eval: notebook 01_returns stopped: {told}"]
    assert not (project.outputs / "tiny").exists()


def test_what_an_interrupted_change_of_places_left_is_cleared(project, executed):
    previous = project.outputs / ".tiny.previous"
    previous.mkdir()
    (previous / "old").write_text("", encoding="utf-8")
    assert project.say("run", "params/tiny.yaml").code == 0
    assert not previous.exists()
    # Stopped when the new run was in its place already: nothing has to be made, and it is cleared.
    previous.mkdir()
    assert "Done" in project.say("run", "params/tiny.yaml").out
    assert not previous.exists()
    assert "Nothing has changed" in project.say("run", "params/tiny.yaml").out


# --- What is kept, and what is said


def test_the_newest_earlier_runs_are_kept_and_no_more(project, executed):
    project.write("tiny", {**TWO_YEARS, "keep_runs": 1})
    kept = []
    for _ in range(3):
        assert project.say("run", "params/tiny.yaml", "--force").code == 0
        kept.append((project.outputs / "tiny" / "internal" / "fingerprint.json").stat().st_mtime_ns)
    earlier = sorted((project.outputs / ".tiny.earlier").iterdir())
    found = [(run / "internal" / "fingerprint.json").stat().st_mtime_ns for run in earlier]
    assert found == kept[1:2]
    assert not (project.outputs / ".tiny.previous").exists()


def test_the_log_says_what_ran_and_how_it_ended_and_no_value(project, executed, monkeypatch):
    assert project.say("run", "params/tiny.yaml").code == 0
    monkeypatch.setattr(engine, "execute", standing_in([], fails="04_attendance_gap"))
    assert project.say("run", "params/tiny.yaml", "--force").code == 3
    lines = (project.outputs / "tiny.log").read_text(encoding="utf-8").splitlines()
    said = [re.sub(r"^\S+ ", "", re.sub(r"\d+\.\d+ s$", "t", line)) for line in lines]
    began = f"INFO began: tiny.yaml, vsh_eval {version('vsh-eval')}"
    ran = [f"INFO {name}: done in t" for name in EVERY]
    assert said[: len(ran) + 2] == [began, *ran, "INFO done: a new report"]
    assert said[len(ran) + 2] == began
    assert said[-2:] == ["ERROR 04_attendance_gap: stopped", "ERROR stopped: NotebookFailedError"]
    assert "add up" not in "".join(lines)
    assert all(datetime.fromisoformat(line.split()[0]).tzinfo for line in lines)


def test_a_quiet_run_prints_nothing_unless_it_stops(project, executed):
    assert project.say("run", "params/tiny.yaml", "--quiet") == Said(0, "", "")
    assert project.say("run", "params/tiny.yaml", "--quiet") == Said(0, "", "")
    assert project.say("run", "params/none.yaml", "--quiet").lines != []


def test_data_that_change_under_way_stop_the_run_and_the_next_begins_anew(
    project, executed, monkeypatch
):
    assert project.say("run", "params/tiny.yaml").code == 0
    good = state(project.outputs / "tiny")
    stand_in = engine.execute

    def changes(run, notebook, **options):
        if notebook.name == "05_attainment_gap":
            file = next((project.folder / "returns").glob("attendance.*"))
            file.write_bytes(file.read_bytes() + b"\n")
        return stand_in(run, notebook, **options)

    with monkeypatch.context() as patched:
        patched.setattr(engine, "execute", changes)
        said = project.say("run", "params/tiny.yaml", "--force")
    assert said.code == 1
    assert said.lines == [
        "vsh-eval: the params, the data or the software of tiny.yaml changed while the run was "
        "under way, must stay as they are until it ends; run again."
    ]
    assert state(project.outputs / "tiny") == good
    executed.clear()
    assert project.say("run", "params/tiny.yaml").code == 0
    assert executed == EVERY


# --- One at a time


def test_two_runs_at_once_are_refused(project, executed):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        lock = project.outputs / ".tiny.lock"
        lock.write_text(str(other.pid), encoding="utf-8")
        said = project.say("run", "params/tiny.yaml")
        assert said.code == 2
        assert said.lines == [
            f"vsh-eval: run tiny is under way in process {other.pid}; wait for it to end, or give "
            "this one another name."
        ]
        assert lock.read_text(encoding="utf-8") == str(other.pid)
        assert executed == []
        other.communicate(b"\n")
    assert project.say("run", "params/tiny.yaml").code == 0, "that process has ended"
    assert not lock.exists()


def test_a_lock_that_nobody_holds_is_taken_over(project, executed):
    for owner, said in (("", "Done"), ("nobody", "Nothing has changed")):
        (project.outputs / ".tiny.lock").write_text(owner, encoding="utf-8")
        assert project.say("run", "params/tiny.yaml").out.startswith(said)


def test_a_notebook_that_a_full_disk_has_cut_off_has_no_page(project):
    run = project.run("tiny")
    (run.internal / "notebooks").mkdir(parents=True)
    (run.internal / "notebooks" / "01_returns.ipynb").write_text('{"cells": [', encoding="utf-8")
    error = NotebookFailedError("01_returns", "OSError: no space left on device")
    yearly._say_where(run, error)
    assert not hasattr(error, "__notes__")
