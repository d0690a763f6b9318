"""Turns a run's executed notebooks into the report's pages."""

import json
from pathlib import Path

from vsh_eval import release
from vsh_eval.pipeline import catalogue
from vsh_eval.pipeline.workspace import Run

INDEX = "index.html"


def render(run: Run) -> None:
    """Write a page for every notebook, the index and the workbook."""
    run.released.mkdir(parents=True, exist_ok=True)
    for notebook in catalogue.of_kind(run.settings.source.kind):
        render_notebook(run, notebook)
    tables = {
        path.stem: release.read_table(path)
        for path in sorted((run.released / "tables").glob("*.csv"))
        if not path.stem.endswith(".meta")
    }
    authority = run.settings.authority.name
    release.write_workbook(
        tables,
        run.released / "workbook.xlsx",
        title=f"{authority}: children with a social worker, evaluation tables",
        notes=release.workbook_notes(run.rule),
        stamp=run.stamp,
    )
    results = json.loads((run.released / "results.json").read_text(encoding="utf-8"))
    release.render_index(
        run.released / INDEX,
        title=f"{authority}: is the gap closing?",
        results=results,
        pages=[
            (f"{notebook.name}.html", notebook.title, notebook.question)
            for notebook in catalogue.of_kind(run.settings.source.kind)
        ],
        stamp=run.stamp,
        footer=_footer(run),
    )


def render_notebook(run: Run, notebook: catalogue.Notebook) -> Path:
    """Write one executed notebook's page and return it."""
    page = run.released / f"{notebook.name}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    release.render_page(
        run.internal / "notebooks" / f"{notebook.name}.ipynb",
        page,
        title=f"{notebook.title}: {run.settings.authority.name}",
        navigation=_navigation(run),
        stamp=run.stamp,
        footer=_footer(run),
    )
    return page


def render_failure(run: Run, name: str) -> Path:
    """Write the page of a notebook that stopped, labelled as such, and return it."""
    page = run.internal / f"{name}-failed.html"
    release.render_page(
        run.internal / "notebooks" / f"{name}.ipynb",
        page,
        title=f"FAILED: {name}",
        navigation=[],
        stamp="FAILED: this page is not a result",
        footer={},
    )
    return page


def _navigation(run: Run) -> list[tuple[str, str]]:
    notebooks = catalogue.of_kind(run.settings.source.kind)
    return [(INDEX, "Summary"), *((f"{n.name}.html", n.title) for n in notebooks)]


def _footer(run: Run) -> dict[str, str]:
    return {row.item: row.value for row in run.card().frame.itertuples()}
