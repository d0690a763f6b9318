"""Field cases: inputs of public reports that went wrong, each with what is right.

By their numbers in a list of 25. Here are those that take a whole command; the others are rows of
the tests of a room: 2, 3, 13, 14, 16 and 18 of `test_checks`, 5 of `test_settings`, 6 of
`test_refusals`, 8 of `test_egress` and 19 of `test_open_data`.
"""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml

import vsh_eval
from tests.pipeline.project import PUBLISHED, TWO_YEARS
from tests.returns import published_example as example
from tests.returns.tiny import TINY, changed, write
from vsh_eval.contracts import DisclosureError
from vsh_eval.effects.estimators import bacon
from vsh_eval.pipeline import catalogue, yearly
from vsh_eval.pipeline.execution import engine
from vsh_eval.pipeline.workspace import Run
from vsh_eval.release.files import egress
from vsh_eval.returns.published import read_published
from vsh_eval.settings import load

MIXED_LINE_ENDS = {**TINY, "episodes": TINY["episodes"].replace("\n", "\r\n", 3)}
UNDATED = {**TINY, "school_links": "urn,successor_urn,date\n000099,000101,\n"}
CANNOT = "Attendance gap: the data are not good enough"
GOOD = "Impact of the training: the data are good enough."
# The exit code, what is said, the tables and the params.
CHECKED = {
    "1 every row has another basis than the params": (
        1, ("set cohort.basis to the one that the rows have", CANNOT), TINY,
        {"cohort": {"basis": "plan"}}),
    "4 ids that differ in their case": (
        1, ("write capitals and leading zeros alike",
            "  1            2    50.0%    60%  Children with a social worker, found on roll."),
        {**{name: text.replace("0070003", "A0070003") for name, text in TINY.items()},
         "episodes": TINY["episodes"].replace("0070003", "a0070003")}, {}),
    "12 schools of another authority": (
        0, ("some are of E06000050", "E06000050: 1", "the data are good enough, with care"),
        changed("schools", "secondary,E06000049", "secondary,E06000050"), {}),
    "15 links without a date": (0, (GOOD,), UNDATED, {}),
    "15 links with the dates of GIAS": (
        0, (GOOD,), changed("school_links", "2019-09-01", "01-09-2019"), {}),
    "17 line ends of two kinds": (0, (GOOD,), MIXED_LINE_ENDS, {}),
    "18 a baseline before the data": (
        1, ("name a year of the data in the params under years.baseline",), TINY,
        {"years": {"first": "2020/21", "last": "2022/23", "baseline": "2020/21"}}),
    "22 published tables beside peers": (
        2, ("cohort.reference is peers, must be all where source.kind is published",), TINY,
        PUBLISHED | {"cohort": {"rule": "at_31_march", "reference": "peers"}}),
    "and one programme in place of a list": (
        0, (GOOD,), TINY, {"exposure": {"programmes": "elsa"}}),
}  # fmt: skip


@pytest.mark.parametrize(("code", "words", "tables", "params"), CHECKED.values(), ids=CHECKED)
def test_a_case_is_judged_before_anything_runs(code, words, tables, params, project):
    write(project.folder / "returns", tables)
    project.write("ours", TWO_YEARS | params)
    said = project.say("check", "params/ours.yaml")
    assert said.code == code
    assert [one for one in words if one not in said.out + said.err] == []
    assert len(said.lines) <= 1
    assert list(project.outputs.iterdir()) == []


def test_and_bacon_has_no_missing_number_where_a_cohort_starts_in_a_year_without_data():
    """Years 1, 2 and 4: the cohorts of 3 and 4 begin to differ from the others together."""
    table = pd.DataFrame(
        {
            "unit": np.repeat(list("abcd"), 3),
            "time": [1, 2, 4] * 4,
            "cohort": np.repeat([3, 4, 2, 0], 3),
            "outcome": [1.0, 2, 4, 2, 2, 3, 5, 7, 9, 4, 4, 5],
            "weight": 1.0,
        }
    )
    pairs = bacon(table)
    assert pairs.notna().all(axis=None)
    assert pairs["weight"].sum() == pytest.approx(1)
    together = bacon(table.replace({"cohort": {3: 4}}))
    both = [(found["weight"] * found["estimate"]).sum() for found in (pairs, together)]
    assert both[0] == pytest.approx(both[1])


# --- 7, 10, 11: published files


@pytest.fixture
def cumberland(project):
    """An authority that was formed on 1 April 2023, in an invented release."""
    for path in (project.folder / "published").rglob("*.csv"):
        table = pd.read_csv(path, dtype="str", keep_default_na=False)
        if "new_la_code" in table:
            ours = table["new_la_code"].eq("E06000050")
            table = table[~(ours & table["time_period"].lt("202324"))]
            table = table.replace({"new_la_code": {"E06000050": "E06000063"}})
            table.to_csv(path, index=False)
    return PUBLISHED | {"authority": {"code": "E06000063", "name": "Cumberland"}}


@pytest.mark.parametrize(
    ("baseline", "code", "words"),
    [
        ("2019/20", 1, "a year in which E06000063 has overall_absence; name one of 2023/24"),
        ("2023/24", 0, "formed on 1 April 2023, and figures of E10000006 are those of another"),
    ],
)  # fmt: skip
def test_case_7_a_new_authority_has_no_figures_from_before(
    cumberland, project, baseline, code, words
):
    years = {"first": "2018/19", "last": "2024/25", "baseline": baseline}
    project.write("new", {**cumberland, "years": years})
    said = project.say("check", "params/new.yaml")
    assert said.code == code
    assert words in said.out + said.err
    assert code or "Impact of the training: the data are not good enough" in said.out


@pytest.fixture(scope="module")
def downloaded(tmp_path_factory):
    return read_published(example.write(tmp_path_factory.mktemp("downloaded")))


@pytest.mark.parametrize(("encoding", "delimiter"), [("cp1252", ";"), ("utf-16", "\t")])
def test_cases_10_and_11_what_a_spreadsheet_saved_is_read_as_it_was_downloaded(
    tmp_path, downloaded, encoding, delimiter
):
    """The name of an area with an en dash is what a file in a Windows encoding stumbles over."""
    for path in example.write(tmp_path).rglob("*.csv"):
        table = pd.read_csv(path, dtype="str", keep_default_na=False)
        table = table.replace("Inner London", "Inner\u2013London")
        table.to_csv(path, sep=delimiter, encoding=encoding, index=False)
    found = read_published(tmp_path)
    pd.testing.assert_frame_equal(found.panel, downloaded.panel)
    assert "Inner\u2013London" in set(found.areas["name"]) | set(found.areas["region_name"])


# --- 8, 9, 20, 21, 23 to 25: the machine


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


def test_cases_20_and_21_an_unattended_run_ignores_personal_settings(
    hostile, project, monkeypatch, tmp_path
):
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


def test_case_9_a_user_without_a_home_folder_and_a_passwd_entry_can_run(project, tmp_path):
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
    # A slow machine says so while matplotlib makes its first list of fonts.
    assert [line for line in said.stderr.splitlines() if "font cache" not in line] == []
    assert said.returncode == 0
    assert "Done: open outputs/tiny-draft/release/01_returns.html" in said.stdout


def test_case_23_the_folders_of_params_and_data_may_be_on_no_page(project, tmp_path):
    """They may lie anywhere, also outside the project."""
    params = tmp_path / "elsewhere" / "private" / "tiny.yaml"
    params.parent.mkdir(parents=True)
    source = {"kind": "returns", "folder": "../data"}
    params.write_text(yaml.safe_dump({**TWO_YEARS, "source": source, "name": "tiny"}))
    run = Run(load(params), params, project.outputs / "tiny", interactive=False)
    run.released.mkdir(parents=True)
    for place in (params, tmp_path / "elsewhere" / "data" / "schools.csv"):
        (run.released / "index.html").write_text(f"<p>Read {place}.</p>")
        with pytest.raises(DisclosureError, match="machine path"):
            egress.check(run.released, identifiers=[], rule=run.rule, paths=yearly._paths(run))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "run.lock: no space left on device; make room on the disk, and run again."),
        (errno.EROFS, "run.lock: read-only file system; run in a folder that can be written to."),
        (errno.EACCES, "run.lock: permission denied; run as a user who may write there, or in a"),
        (errno.EIO, "run.lock: input/output error; see that it is there and can be written to"),
    ],
)
def test_cases_24_and_25_what_the_machine_does_not_allow_is_one_sentence(
    number, words, project, checked_little, monkeypatch
):
    """A full disk, or outputs that are read only: nothing of the last run is touched."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(project.outputs / "run.lock"))

    monkeypatch.setattr(yearly, "_one_at_a_time", refuse)
    said = project.say("run", "params/tiny.yaml")
    assert (said.code, said.out, len(said.lines)) == (3, "", 1)
    assert said.err.startswith(f"vsh-eval: {words}")
