"""When the last run stands, without anything being loaded or run."""

import subprocess
import sys

import pytest

from tests.pipeline.project import TWO_YEARS, Project
from vsh_eval.pipeline.records import up_to_date

SAID = "Nothing has changed since the last run: outputs/tiny/release/index.html"


def last_run(project):
    return up_to_date.last_run(project.folder / "params" / "tiny.yaml")


def test_a_run_of_which_nothing_has_changed_is_said_again_without_pandas(project, executed):
    assert project.say("run", "params/tiny.yaml").code == 0
    code = (
        "import atexit, sys\n"
        "from vsh_eval import cli\n"
        "slow = {'pandas', 'numpy', 'duckdb', 'papermill', 'matplotlib'}\n"
        "atexit.register(lambda: print('loaded:', sorted(slow & set(sys.modules))))\n"
        "cli.main()\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, "run", "params/tiny.yaml"],
        cwd=project.folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    registration = "Protocol: not registered, so every result is exploratory."
    assert said.stdout.splitlines() == [SAID, registration, "loaded: []"]
    executed.clear()
    path = project.folder / "params" / "tiny.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "# a remark\n", encoding="utf-8")
    assert last_run(project) is None, "a file that was touched is in doubt"
    assert project.say("run", "params/tiny.yaml").out == f"{SAID}\n{registration}\n"
    assert executed == []
    assert last_run(project) is not None, "and known the next time"


@pytest.fixture
def finished(tmp_path):
    """A project with the record that a run leaves."""
    project = Project.start(tmp_path / "project")
    params = project.write("tiny", TWO_YEARS)
    (project.folder / "returns").mkdir()
    (project.folder / "returns" / "attendance.csv").write_text("a\n", encoding="utf-8")
    made = project.outputs / "tiny" / "release" / "manifest.json"
    for place in (made.parent, project.outputs / "tiny" / "internal"):
        place.mkdir(parents=True)
    made.write_text("{}", encoding="utf-8")
    (project.folder / "key").write_text("a secret of sixteen bytes", encoding="utf-8")
    state = up_to_date.depends_on(
        params,
        folders=up_to_date.tree_of(project.folder / "returns"),
        secret_file=project.folder / "key",
    )
    up_to_date.keep(project.outputs / "tiny", state, made=[made], sentences=["It is registered."])
    return project


CHANGES = {
    "a setting": ("params/tiny.yaml", "\nseed: 1\n"),
    "params that are no YAML": ("params/tiny.yaml", "["),
    "a return": ("returns/attendance.csv", "b\n"),
    "a return more": ("returns/more/notes.csv", "a\n"),
    "a registration": ("params/tiny.protocol.json", "{}"),
    "the key file": ("key", "and more"),
    "a stopped run": ("outputs/.tiny.building/left", ""),
    "a run under way": ("outputs/.tiny.lock", "1"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_puts_the_last_run_in_doubt(what, finished):
    before = last_run(finished)
    assert (before.new, before.sentences) == (False, ("It is registered.",))
    name, more = CHANGES[what]
    path = finished.folder / name
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(more)
    assert last_run(finished) is None


def test_another_secret_a_missing_file_and_another_program_put_it_in_doubt(
    finished, monkeypatch, tmp_path
):
    with monkeypatch.context() as patched:
        patched.setenv("VSH_EVAL_SECRET", "another secret than the last run's")
        assert last_run(finished) is None
    with monkeypatch.context() as patched:
        patched.setattr(up_to_date, "_PACKAGE", tmp_path)
        assert last_run(finished) is None
    assert last_run(finished) is not None
    (finished.outputs / "tiny" / "release" / "manifest.json").unlink()
    assert last_run(finished) is None
