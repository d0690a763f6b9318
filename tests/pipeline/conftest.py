"""Whole runs that many tests look at, and a stand-in for the notebooks where order matters only."""

import itertools
from collections.abc import Callable
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from tests.pipeline.project import INVENTED, PUBLISHED, SMALL, TWO_YEARS, Project
from tests.returns import tiny
from vsh_eval.contracts import NotebookFailedError
from vsh_eval.pipeline import catalogue, engine
from vsh_eval.pipeline.workspace import Run
from vsh_eval.returns.published import example


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> Project:
    """A small invented authority's returns, evaluated by the real notebooks."""
    project = Project.start(tmp_path_factory.mktemp("whole"))
    project.write("small", SMALL)
    years = ("--first", "2017/18", "--last", "2023/24")
    made = project.say("synthesise", "returns", "--schools", 40, *years, "--csv")
    assert made.code == 0, made.err
    said = project.say("run", "params/small.yaml", "-j", 2)
    assert said.code == 0, said.err
    assert said.out.startswith("Done: open outputs/small/release/index.html\n")
    return project


@pytest.fixture(scope="session")
def published_run(tmp_path_factory) -> Project:
    """An invented release of published files, evaluated by the real notebooks."""
    project = Project.start(tmp_path_factory.mktemp("published"))
    example.write(project.folder / "published")
    project.write("public", PUBLISHED)
    said = project.say("run", "params/public.yaml", "-j", 2)
    assert said.code == 0, said.err
    return project


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
    """Stand in for the notebooks: each writes its tables at once; returns the names run."""
    names: Executed = []
    monkeypatch.setattr(engine, "execute", standing_in(names))
    return names


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
            run.save(name, TABLES.get(name, pd.DataFrame({"a": [1]})))
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
