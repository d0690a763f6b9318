"""A project whose notebooks have a stand-in, where only their order and their traces matter."""

import itertools
from collections.abc import Callable
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from tests.pipeline.project import INVENTED, PUBLISHED, TWO_YEARS, Project
from tests.returns import published_example as example
from tests.returns import tiny
from vsh_eval.contracts import NotebookFailedError
from vsh_eval.pipeline import catalogue, pages
from vsh_eval.pipeline.execution import engine
from vsh_eval.pipeline.workspace import Run
from vsh_eval.returns import checks


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
def checked_little(monkeypatch) -> None:
    """Of the checks of the returns leave those of the tables, which refuse or let through."""
    monkeypatch.setattr(checks, "CHECKS", {"tables": checks.CHECKS["tables"]})


@pytest.fixture
def executed(monkeypatch, checked_little) -> Executed:
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
    "summary": pd.DataFrame([("sentence", "", "It cannot be told.", ""), ("sentence", "",
        "The gap is wide.", ""), ("figure", "Gap", "11.6 points", "18.4 to 6.8")], columns=["part",
        "label", "text", "detail"]),
    "areas": pd.DataFrame([("E06000049", "Cheshire East", "E12000002", "North West", "895")],
        columns=["unit_id", "name", "region_id", "region_name", "old_la_code"]),
}  # fmt: skip
