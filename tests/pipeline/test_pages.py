import zipfile

import pytest

from tests.pipeline.conftest import standing_in
from vsh_eval.contracts import NotebookFailedError
from vsh_eval.pipeline import catalogue, pages


@pytest.fixture
def run(project):
    """A run in which every notebook has been run."""
    run = project.run("tiny")
    execute = standing_in([])
    for notebook in catalogue.of_kind("returns"):
        execute(run, notebook)
    return run


def test_every_notebook_has_a_page_and_the_index_leads_to_it(run):
    pages.render(run)
    index = (run.released / "index.html").read_text(encoding="utf-8")
    for notebook in catalogue.of_kind("returns"):
        page = (run.released / f"{notebook.name}.html").read_text(encoding="utf-8")
        assert notebook.question.replace("'", "&#39;") in page.replace("&#x27;", "&#39;")
        assert f'href="{notebook.name}.html"' in index
        assert 'href="index.html"' in page
    assert (run.released / "workbook.xlsx").stat().st_size > 0


def test_the_index_says_the_summary_and_offers_the_tables(run):
    pages.render(run)
    index = (run.released / "index.html").read_text(encoding="utf-8")
    for part in ("It cannot be told.", "The gap is wide.", "Gap", "11.6", "18.4 to 6.8"):
        assert part in index
    assert index.index("It cannot be told.") < index.index("The gap is wide.")
    assert 'href="tables/facts_01_returns.csv"' in index
    assert "Facts 01 returns (CSV)" in index
    assert "facts_01_returns.meta.csv" not in index


def test_a_table_without_a_row_has_no_sheet_and_costs_nothing_else(run):
    run.publish("facts_of_nobody", run.facts({}))
    pages.render(run)
    assert "facts_of_nobody.csv" in (run.released / "index.html").read_text(encoding="utf-8")
    with zipfile.ZipFile(run.released / "workbook.xlsx") as book:
        sheets = book.read("xl/workbook.xml").decode().casefold()
        texts = book.read("xl/sharedStrings.xml").decode()
    assert "facts_01_returns" in sheets
    assert "facts_of_nobody" not in sheets
    assert "Without a row, and so without a sheet: Facts of nobody." in texts


def test_every_page_says_under_which_settings_it_was_made(run):
    pages.render(run)
    for path in run.released.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "20260901" in text
        assert "Cheshire East" in text


def test_a_failed_notebooks_page_stays_inside_and_is_no_result(project):
    run = project.run("tiny")
    with pytest.raises(NotebookFailedError):
        standing_in([], fails="02_cohort")(run, catalogue.NOTEBOOKS[1])
    page = pages.render_failure(run, "02_cohort")
    assert page == run.internal / "02_cohort-failed.html"
    text = page.read_text(encoding="utf-8")
    assert "FAILED: this page is not a result" in text
    assert not run.released.exists()
