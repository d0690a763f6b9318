"""Turns a run's executed notebooks into the report's pages."""

from collections.abc import Mapping
from pathlib import Path

from vsh_eval.pipeline import catalogue
from vsh_eval.pipeline.questions import results
from vsh_eval.pipeline.records import protocol
from vsh_eval.pipeline.workspace import Run
from vsh_eval.release.disclosure import SafeTable
from vsh_eval.release.files.workbook import write_workbook
from vsh_eval.release.pages.report import Card, render_index, render_page
from vsh_eval.release.text.pages.page import (
    WORDS,
    download_label,
    provenance,
    report_title,
    workbook_title,
)
from vsh_eval.release.text.phrases.protection import notes_of
from vsh_eval.release.text.phrases.tables import only_the_comparison, without_rows

INDEX = "index.html"
WORKBOOK = "workbook.xlsx"
MOST_ROWS = 5_000
"""Rows of a sheet that a person can still look through; of more, the workbook has a part."""


def render(run: Run) -> None:
    """Write a page for every notebook, the index and the workbook."""
    run.released.mkdir(parents=True, exist_ok=True)
    for notebook in catalogue.of_kind(run.settings.source.kind):
        render_notebook(run, notebook)
    tables = {
        path.stem: run.published_table(path.stem)
        for path in sorted((run.released / "tables").glob("*.csv"))
        if not path.stem.endswith(".meta")
    }
    _write_workbook(run, tables)
    render_index(
        run.released / INDEX,
        title=_title(run),
        summary=results.summary_of(run.load("summary")),
        cards=[
            Card(f"{notebook.name}.html", notebook.title, notebook.question)
            for notebook in catalogue.of_kind(run.settings.source.kind)
        ],
        downloads=_downloads(tables),
        navigation=_navigation(run),
        stamp=run.stamp,
        footer=_footer(run) | _protection(tables),
    )


def _protection(tables: Mapping[str, SafeTable]) -> dict[str, str]:
    """Say how the numbers of the first page are protected, which are those of two tables."""
    shown = [tables[name] for name in ("gaps", "impact") if name in tables]
    notes = dict.fromkeys(note for table in shown for note in notes_of(table))
    return {WORDS["protection"]: " ".join(notes)} if notes else {}


def _write_workbook(run: Run, tables: Mapping[str, SafeTable]) -> None:
    """Write the tables as one workbook, whose cover names those that lack a sheet or rows."""
    shown = {name: _to_look_through(run, table) for name, table in tables.items()}
    empty = [name for name, table in shown.items() if table.frame.empty]
    in_part = [name for name in shown if len(shown[name].frame) < len(tables[name].frame)]
    today = protocol.current_day()
    write_workbook(
        {name: table for name, table in shown.items() if name not in empty},
        run.released / WORKBOOK,
        title=workbook_title(run.settings.authority.name),
        made=today,
        provenance=provenance(run.settings, invented=run.invented, date=today.isoformat()),
        notes=[*without_rows(empty), *only_the_comparison(in_part)],
    )


def _to_look_through(run: Run, table: SafeTable) -> SafeTable:
    """Return a table, of a long one the children asked about and those they are compared with."""
    cohort = run.settings.cohort
    if len(table.frame) <= MOST_ROWS:
        return table
    if "reference" in table.frame:
        return table.where(group=cohort.group, reference=cohort.reference)
    return table.where(group=(cohort.group, cohort.reference)) if "group" in table.frame else table


def _downloads(tables: Mapping[str, SafeTable]) -> list[tuple[str, str]]:
    return [
        (WORKBOOK, WORDS["workbook"]),
        ("results.json", WORDS["results"]),
        *((f"tables/{name}.csv", download_label(name)) for name in tables),
    ]


def render_notebook(run: Run, notebook: catalogue.Notebook) -> Path:
    """Write one executed notebook's page and return it."""
    page = run.released / f"{notebook.name}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    render_page(
        run.internal / "notebooks" / f"{notebook.name}.ipynb",
        page,
        title=_title(run),
        navigation=_navigation(run),
        stamp=run.stamp,
        footer=_footer(run),
    )
    return page


def render_failure(run: Run, name: str) -> Path:
    """Write the page of a notebook that stopped, labelled as such, and return it."""
    page = run.internal / f"{name}-failed.html"
    render_page(
        run.internal / "notebooks" / f"{name}.ipynb",
        page,
        title=f"FAILED: {name}",
        stamp=WORDS["failed_stamp"],
    )
    return page


def _title(run: Run) -> str:
    return report_title(run.settings.authority.name)


def _navigation(run: Run) -> list[tuple[str, str]]:
    notebooks = catalogue.of_kind(run.settings.source.kind)
    return [(INDEX, WORDS["index"]), *((f"{n.name}.html", n.title) for n in notebooks)]


def _footer(run: Run) -> dict[str, str]:
    card = run.card().frame
    return dict(zip(card["item"].astype(str), card["value"].astype(str), strict=True))
