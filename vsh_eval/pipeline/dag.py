"""The notebooks as tasks: in order, each only when something it depends on has changed."""

import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from doit.cmd_base import ModuleTaskLoader
from doit.doit_cmd import DoitMain
from doit.reporter import ZeroReporter
from doit.tools import config_changed, result_dep
from tqdm import tqdm

from vsh_eval.contracts import NotebookFailedError
from vsh_eval.pipeline import catalogue, earlier, engine, workspace
from vsh_eval.pipeline.workspace import Run


def run_notebooks(run: Run, *, jobs: int) -> int:
    """Run every notebook of a run that is out of date.

    Parameters
    ----------
    run : Run
        Its folder is being built.
    jobs : int
        How many notebooks run at a time.

    Returns
    -------
    int
        How many notebooks were run; 0 where nothing had changed.

    Raises
    ------
    NotebookFailedError
        The first notebook that stopped.
    """
    notebooks = catalogue.of_kind(run.settings.source.kind)
    done: list[str] = []
    failed: list[NotebookFailedError] = []
    total = sum(engine.code_cells(notebook) for notebook in notebooks)
    # doit redirects a task's stdout and stderr, so the bar holds on to the true one.
    with tqdm(total=total, unit="cell", file=sys.__stderr__, disable=None, desc="run") as bar:

        def execute(notebook: catalogue.Notebook) -> str | bool:
            bar.set_description(notebook.name)
            try:
                engine.execute(run, notebook, after_cell=bar.update)
            except NotebookFailedError as error:
                failed.append(error)
                return False
            done.append(notebook.name)
            return _digest(run, notebook)

        tasks = {"task_notebook": lambda: _tasks(run, notebooks, execute)}
        code = _doit(run, tasks, jobs=jobs)
    if failed:
        raise failed[0]
    if code:
        raise RuntimeError(f"the notebooks were not all run: doit ended with {code}.")
    return len(done)


def _tasks(
    run: Run,
    notebooks: tuple[catalogue.Notebook, ...],
    execute: Callable[[catalogue.Notebook], str | bool],
) -> Iterator[dict[str, Any]]:
    source = [str(path) for path in sorted(Path(workspace.__file__).parents[1].rglob("*.py"))]
    settings = {
        "fingerprint": workspace.fingerprint(run.settings),
        "last_year": earlier.fingerprint(run),
    }
    for notebook in notebooks:
        before = catalogue.upstream(notebook, notebooks)
        yield {
            "name": notebook.name,
            "actions": [(execute, [notebook])],
            "file_dep": [str(catalogue.folder() / f"{notebook.name}.ipynb"), *source],
            "targets": [str(run.internal / "notebooks" / f"{notebook.name}.ipynb")],
            "uptodate": [
                config_changed(settings),
                *(result_dep(f"notebook:{other.name}") for other in before),
            ],
        }


def _digest(run: Run, notebook: catalogue.Notebook) -> str:
    """Hash what a notebook made, so that those after it know whether it changed."""
    digest = hashlib.sha256()
    for name in notebook.makes:
        for path in (run.internal / f"{name}.parquet", run.released / "tables" / f"{name}.csv"):
            if path.is_file():
                digest.update(path.name.encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _doit(run: Run, tasks: dict[str, Any], *, jobs: int) -> int:
    run.internal.mkdir(parents=True, exist_ok=True)
    config = {
        "dep_file": str(run.internal / "tasks.json"),
        "backend": "json",
        "reporter": ZeroReporter,
        "verbosity": 0,
        "num_process": jobs if jobs > 1 else 0,
        "par_type": "thread",
    }
    kept = sys.stdout, sys.stderr
    try:
        loader = ModuleTaskLoader({"DOIT_CONFIG": config, **tasks})
        return int(DoitMain(loader, config_filenames=()).run(["run"]) or 0)
    finally:
        # Tasks in threads leave doit's redirected streams behind.
        sys.stdout, sys.stderr = kept
