"""A run is the same whatever the user's kernels, start-up files, rc files and home folder are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import vsh_eval
from vsh_eval.pipeline import catalogue
from vsh_eval.pipeline.execution import engine

LOOKS = """
import locale, os, sys, matplotlib, numpy
said = [
    sys.executable, matplotlib.rcParams["text.usetex"], numpy.geterr()["over"],
    sys.flags.utf8_mode, locale.getpreferredencoding(False),
]
print(said)
"""


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """Another kernel of the same name, a start-up file, a style, a locale: all that broke runs."""
    kernel = tmp_path / "jupyter" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(json.dumps({"argv": ["false"], "display_name": "x", "language": "python"}))
    startup = tmp_path / "ipython" / "profile_default" / "startup" / "first.py"
    startup.parent.mkdir(parents=True)
    startup.write_text("import numpy\nnumpy.seterr(all='raise')\n")
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\n")
    for name, value in {
        "JUPYTER_PATH": kernel.parents[2],
        "IPYTHONDIR": startup.parents[2],
        "MATPLOTLIBRC": tmp_path / "matplotlibrc",
        "PYTHONWARNINGS": "error",
        "LC_ALL": "C",
    }.items():
        monkeypatch.setenv(name, str(value))


def test_an_unattended_run_ignores_personal_settings(hostile, project, monkeypatch, tmp_path):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LOOKS)])
    book.metadata["language_info"] = {"name": "python"}
    nbformat.write(book, tmp_path / "looks.ipynb")
    monkeypatch.setattr(catalogue, "folder", lambda: tmp_path)
    done = engine.execute(project.run("tiny"), catalogue.Notebook("looks", ("returns",)))
    [printed] = [
        output["text"]
        for cell in nbformat.read(done, as_version=4).cells
        for output in cell.get("outputs", [])
    ]
    assert printed.strip() == str([sys.executable, False, "warn", 1, "utf-8"])


def test_a_user_without_a_home_folder_and_a_passwd_entry_can_run(project, tmp_path):
    """As in a container that is started with a number for a user."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import pwd\ndef unknown(*_): raise KeyError('uid not found')\npwd.getpwuid = unknown\n"
    )
    package = str(Path(vsh_eval.__file__).parents[1])
    kept = {name: text for name, text in os.environ.items() if name not in ("HOME", "USER")}
    said = subprocess.run(
        [sys.executable, "-m", "vsh_eval", "run", "params/tiny.yaml", "--only", "01"],
        cwd=project.folder,
        env=kept | {"PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), package])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stderr) == (0, "")
    assert "Done: open outputs/tiny-draft/release/01_returns.html" in said.stdout
