"""Whole runs that many tests look at, and a stand-in for the notebooks where order matters only."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pandas as pd
import pytest
import yaml

from tests.pipeline.project import INVENTED, PUBLISHED, SMALL, TWO_YEARS, Project
from tests.release import bundles
from tests.returns import published_example as example
from tests.returns import tiny
from vsh_eval.contracts import NotebookFailedError
from vsh_eval.pipeline import catalogue, engine, pages
from vsh_eval.pipeline.workspace import Run

ROOT = Path(__file__).resolve().parents[2]
SIX_YEARS = ("--first", "2018/19", "--last", "2023/24")


@dataclass(frozen=True, slots=True)
class WholeRun(Project):
    """A finished run whose params and returns lie outside its project."""

    params: Path
    returns: Path


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> WholeRun:
    """A small invented authority's returns, evaluated by the real notebooks."""
    folder = tmp_path_factory.mktemp("whole")
    elsewhere = Project.start(folder / "elsewhere")
    (elsewhere.outputs).rmdir()
    made = elsewhere.say("synthesise", "returns", "--schools", 40, *SIX_YEARS, "--csv")
    assert made.code == 0, made.err
    params = elsewhere.write("small", SMALL)
    run = WholeRun(Project.start(folder / "project").folder, params, elsewhere.folder / "returns")
    said = run.say("run", params, "-j", 2)
    assert said.code == 0, said.err
    assert said.out.startswith("Done: open outputs/small/release/index.html\n")
    return run


@pytest.fixture(scope="session")
def published_run(tmp_path_factory) -> Project:
    """An invented release of published files, evaluated by the real notebooks."""
    project = Project.start(tmp_path_factory.mktemp("published"))
    example.write(project.folder / "published")
    project.write("public", PUBLISHED)
    said = project.say("run", "params/public.yaml", "-j", 2)
    assert said.code == 0, said.err
    return project


@pytest.fixture(scope="session")
def cheshire_east(tmp_path_factory, shared_data) -> Path:
    """What the run of DfE's own files that the repository comes with has released."""
    project = Project.start(tmp_path_factory.mktemp("cheshire_east"))
    keys = yaml.safe_load((ROOT / "params" / "published.yaml").read_text(encoding="utf-8"))
    keys["source"]["folder"] = str(shared_data)
    said = project.say("run", project.write(keys.pop("name"), keys), "-j", 2)
    assert said.code == 0, said.err
    return project.outputs / "published" / "release"


@pytest.fixture(scope="session")
def trio(tmp_path_factory) -> Project:
    """The report of three invented authorities, one of which is left out of the pool."""
    project = Project.start(tmp_path_factory.mktemp("trio") / "project")
    said = project.say("pool", *bundles.write_three(project.folder), "-o", "trio")
    assert said.code == 0, said.err
    assert said.out == "Done: open outputs/trio/release/index.html\n"
    return project


@pytest.fixture(scope="session", params=["returns", "published", "cheshire_east"])
def release(request) -> Path:
    """What a whole run of each kind has released; of Cheshire East where DfE's files are here."""
    if request.param == "cheshire_east":
        return request.getfixturevalue("cheshire_east")
    if request.param == "returns":
        run = request.getfixturevalue("whole")
        return run.outputs / "small" / "release"
    return request.getfixturevalue("published_run").outputs / "public" / "release"


@pytest.fixture
def project(tmp_path) -> Project:
    """A project with the returns of the tiny authority, of which nothing has been run."""
    project = Project.start(tmp_path / "project")
    tiny.write(project.folder / "returns")
    project.write("tiny", TWO_YEARS)
    project.write("invented", INVENTED)
    example.write(project.folder / "published")
    project.write("public", PUBLISHED)
    return project


Executed = list[str]


@pytest.fixture
def executed(monkeypatch) -> Executed:
    """Stand in for the notebooks and their pages; returns the names of the notebooks run."""
    names: Executed = []
    monkeypatch.setattr(engine, "execute", standing_in(names))
    monkeypatch.setattr(pages, "render", first_page)
    return names


def first_page(run: Run) -> None:
    """Stand in for the report: what is on its pages is looked at in test_pages."""
    (run.released / pages.INDEX).write_text(f"Run {run.settings.name}", encoding="utf-8")


def standing_in(names: Executed, *, fails: str = "") -> Callable[..., Path]:
    """Return what stands in for `engine.execute`; the notebook ``fails`` stops half-way."""
    number = itertools.count()

    def execute(run: Run, notebook: catalogue.Notebook, *, after_cell=None) -> Path:
        names.append(notebook.name)
        path = run.internal / "notebooks" / f"{notebook.name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        cells = [nbformat.v4.new_markdown_cell(f"# {notebook.question}\n\nRun {next(number)}.")]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        if notebook.name == fails:
            raise NotebookFailedError(notebook.name, "ValueError: it does not add up")
        for name in notebook.makes:
            run.save(name, TABLES.get(name, pd.DataFrame({"time_period": [202223]})))
        run.publish(f"facts_{notebook.name}", run.facts({"Schools": run.settings.name}))
        if after_cell is not None:
            after_cell()
        return path

    return execute


TABLES = {
    "summary": pd.DataFrame(
        [
            ("sentence", "", "It cannot be told.", ""),
            ("sentence", "", "The gap is wide.", ""),
            ("figure", "Gap", "11.6 points", "18.4 to 6.8"),
        ],
        columns=["part", "label", "text", "detail"],
    ),
    "areas": pd.DataFrame(
        [("E06000049", "Cheshire East", "E12000002", "North West", "895")],
        columns=["unit_id", "name", "region_id", "region_name", "old_la_code"],
    ),
}
