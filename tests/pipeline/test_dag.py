import pytest

from vsh_eval.pipeline import catalogue
from vsh_eval.pipeline.execution import dag, engine

OF_RETURNS = catalogue.of_kind("returns")
EVERY = [notebook.name for notebook in OF_RETURNS]


def test_published_tables_are_asked_five_questions(project, executed):
    assert dag.run_notebooks(project.run("public"), jobs=1) == 5
    assert executed == [notebook.name for notebook in catalogue.of_kind("published")]


def test_two_at_a_time_keep_the_order_that_the_tables_ask_for(project, executed):
    assert dag.run_notebooks(project.run("tiny"), jobs=2) == 8
    assert sorted(executed) == EVERY
    for notebook in OF_RETURNS:
        for other in catalogue.upstream(notebook, OF_RETURNS):
            assert executed.index(other.name) < executed.index(notebook.name)


def test_what_comes_after_runs_again_only_if_what_came_before_differs(
    project, executed, monkeypatch, tmp_path
):
    """02 is edited; it makes other tables, so whatever reads them runs again, and 01 does not."""
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    for path in catalogue.folder().glob("*.ipynb"):
        (notebooks / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(catalogue, "folder", lambda: notebooks)
    run = project.run("tiny")
    dag.run_notebooks(run, jobs=1)
    executed.clear()
    edited = notebooks / "02_cohort.ipynb"
    edited.write_text(edited.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert dag.run_notebooks(run, jobs=1) == 1
    assert executed == ["02_cohort"], "the tables are the same, so nothing after it runs"


def test_any_other_error_is_no_success(project, monkeypatch):
    def broken(*_, **__):
        raise KeyError("a bug")

    monkeypatch.setattr(engine, "execute", broken)
    with pytest.raises(RuntimeError, match="the notebooks were not all run"):
        dag.run_notebooks(project.run("tiny"), jobs=1)


def test_a_record_of_tasks_that_a_full_disk_cut_off_is_made_anew(project, executed):
    run = project.run("tiny")
    dag.run_notebooks(run, jobs=1)
    record = run.internal / "tasks.json"
    record.write_bytes(record.read_bytes()[:100])
    assert dag.run_notebooks(run, jobs=1) == 8
    assert dag.run_notebooks(run, jobs=1) == 0
