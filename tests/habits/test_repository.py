"""What the repository promises about itself."""

import re
import subprocess
import tomllib
from pathlib import Path, PureWindowsPath

import pytest

from tests.habits.pins import block, pins
from vsh_eval.settings import DEVICES

ROOT = Path(__file__).resolve().parents[2]


def tracked():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("this is not a git work tree")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_both_front_doors_have_the_same_pins():
    assert block() in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_every_direct_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    names = {re.split(r"[\[<>=!~ ;]", line)[0].lower() for line in asked}
    pinned = {re.split(r"[\[<>=!~ ;]", line)[0].lower() for line in pins()}
    assert names - pinned == set()


def test_no_registry_is_named():
    hosts = re.compile(r"https?://[\w.-]*(pypi|pythonhosted|npmjs|debian)[\w.-]*", re.IGNORECASE)
    named = [p.name for p in tracked() if hosts.search(p.read_bytes().decode("utf-8", "ignore"))]
    assert named == []


def test_no_data_key_or_output_is_tracked():
    forbidden = {".csv", ".parquet", ".xlsx", ".xml", ".duckdb", ".key", ".lock"}
    found = [p.name for p in tracked() if p.suffix in forbidden or p.parts[-2] == "outputs"]
    assert [name for name in found if name != ".gitkeep"] == []


def test_every_file_can_be_had_on_windows():
    names = [path.relative_to(ROOT) for path in tracked()]
    parts = {part for name in names for part in name.parts}
    assert [part for part in parts if re.search(r'[<>:"\\|?*]|[. ]$', part)] == []
    assert [part for part in parts if PureWindowsPath(part).stem.casefold() in DEVICES] == []
    assert len({str(name).casefold() for name in names}) == len(names)
    assert max(len(str(name)) for name in names) <= 150  # of Windows's 260, the rest for the folder


def test_ci_runs_the_readmes_test_command():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "grep -m 1 -- '-m pytest' README.md" in script
    assert ".venv/bin/pyrefly check" in script
    # The script takes the line apart at its last &&: what installs, and what tests.
    line = re.search(r"^.*-m pytest.*$", readme, re.MULTILINE)[0]
    assert "-m pytest" in line.rpartition(" && ")[2]
    assert "pip install" in line.rpartition(" && ")[0]


def test_the_template_of_params_shows_every_key():
    from vsh_eval.settings import Settings, load

    written = set(load(ROOT / "params" / "returns.yaml").model_dump())
    assert written == set(Settings.model_fields)
    shown = (ROOT / "params" / "returns.yaml").read_text(encoding="utf-8")
    synthetic_only = {"schools", "effect", "seed"}
    for section, field in Settings.model_fields.items():
        assert section in shown
        nested = getattr(field.annotation, "model_fields", {})
        assert [key for key in nested if key not in shown and key not in synthetic_only] == []
