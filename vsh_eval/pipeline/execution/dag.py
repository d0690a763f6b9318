"""The notebooks as tasks: in order, each only when something it depends on has changed."""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from doit.cmd_base import ModuleTaskLoader
from doit.cmd_run import Run as RunTasks
from doit.reporter import ZeroReporter
from doit.tools import config_changed, result_dep
from tqdm import tqdm

from vsh_eval.contracts import NotebookFailedError
from vsh_eval.pipeline import catalogue, workspace
from vsh_eval.pipeline.execution import engine, log
from vsh_eval.pipeline.records import earlier
from vsh_eval.pipeline.workspace import Run


def run_notebooks(run: Run, *, jobs: int, quiet: bool = False) -> int:
    """Run every notebook of a run that is out of date.

    Parameters
    ----------
    run : Run
        Its folder is being built.
    jobs : int
        How many notebooks run at a time.
    quiet : bool
        Draw no progress bar.

    Returns
    -------
    int
        How many notebooks were run; 0 where nothing had changed.

    Raises
    ------
    NotebookFailedError
        The first notebook that stopped.
    OSError
        If the disk does not take what is written.
    """
    notebooks = catalogue.of_kind(run.settings.source.kind)
    done: list[str] = []
    failed: list[Exception] = []
    total = sum(engine.code_cells(notebook) for notebook in notebooks)
    # doit redirects a task's stdout and stderr, so the bar holds on to the true one.
    hidden = True if quiet else None  # None: drawn on a terminal only
    with tqdm(total=total, unit="cell", file=sys.__stderr__, disable=hidden, desc="run") as bar:

        def execute(notebook: catalogue.Notebook) -> str | bool:
            bar.set_description(notebook.name)
            began = time.monotonic()
            try:
                engine.execute(run, notebook, after_cell=bar.update)
            except (NotebookFailedError, OSError) as error:
                log.LOGGER.error("%s: stopped", notebook.name)
                failed.append(error)
                return False
            log.LOGGER.info("%s: done in %.1f s", notebook.name, time.monotonic() - began)
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
    settings = {
        "fingerprint": workspace.fingerprint(run.settings),
        "software": _software(),
        "last_year": earlier.fingerprint(run),
    }
    for notebook in notebooks:
        before = catalogue.upstream(notebook, notebooks)
        yield {
            "name": notebook.name,
            "actions": [(execute, [notebook])],
            "file_dep": [str(catalogue.folder() / f"{notebook.name}.ipynb")],
            "targets": [str(run.internal / "notebooks" / f"{notebook.name}.ipynb")],
            "uptodate": [
                config_changed(settings),
                *(result_dep(f"notebook:{other.name}") for other in before),
            ],
        }


_SOURCES = (".py", ".toml", ".sql", ".j2", ".css")
"""Endings of the files that decide what a run says."""


@cache
def _software() -> str:
    """Hash the package, so that a change of it runs every notebook again."""
    package = Path(workspace.__file__).parents[1]
    digest = hashlib.sha256()
    files = (path for kind in _SOURCES for path in package.rglob(f"*{kind}"))
    for path in sorted(files):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _digest(run: Run, notebook: catalogue.Notebook) -> str:
    """Hash what a notebook made, so that those after it know whether it changed."""
    digest = hashlib.sha256()
    for name in notebook.makes:
        for path in (run.internal / f"{name}.parquet", run.released / "tables" / f"{name}.csv"):
            if path.is_file():
                digest.update(path.name.encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _is_whole(file: Path) -> bool:
    """Say whether a file of JSON can be read, or is not there."""
    try:
        json.loads(file.read_text(encoding="utf-8") if file.is_file() else "{}")
    except ValueError:
        return False
    return True


def _doit(run: Run, tasks: dict[str, Any], *, jobs: int) -> int:
    run.internal.mkdir(parents=True, exist_ok=True)
    known = run.internal / "tasks.json"
    if not _is_whole(known):  # cut off by a full disk: then every notebook runs again
        known.unlink()
    config = {
        "dep_file": str(known),
        "backend": "json",
        "reporter": ZeroReporter,
        "verbosity": 0,
        "num_process": jobs if jobs > 1 else 0,
        "par_type": "thread",
    }
    streams = sys.stdout, sys.stderr
    try:
        loader = ModuleTaskLoader({"DOIT_CONFIG": config, **tasks})
        return int(RunTasks(task_loader=loader).parse_execute([]) or 0)
    finally:
        # Tasks in threads leave doit's redirected streams behind.
        sys.stdout, sys.stderr = streams
