"""Runs one notebook: papermill with a kernel of its own folder and an encrypted connection."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import papermill
from nbclient.exceptions import CellTimeoutError
from papermill.engines import Engine, NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from vsh_eval import contracts
from vsh_eval.contracts import NotebookFailedError
from vsh_eval.pipeline import catalogue
from vsh_eval.pipeline.execution.kernels import KernelManager
from vsh_eval.pipeline.workspace import Run, relative

if TYPE_CHECKING:
    from papermill.engines import NotebookExecutionManager

NAME = "vsh"


class _Engine(Engine):
    """Gives each kernel its own working folder (thread-safe, unlike chdir) and encryption."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: "NotebookExecutionManager", kernel_name: str, **kwargs: Any
    ) -> None:
        """Run the cells as papermill does, in the folder and in the manner that this one adds."""
        folder = kwargs.pop("kernel_cwd", None)
        after_cell = kwargs.pop("after_cell", None)
        if after_cell is not None:
            nb_man.cell_complete = _followed(nb_man.cell_complete, after_cell)
        NBClientEngine.execute_managed_notebook(
            nb_man,
            kernel_name,
            resources={"metadata": {"path": folder}},
            config=Config({"KernelManager": {"transport_encryption": "required"}}),
            kernel_manager_class=KernelManager,
            # A kernel that is told to stop says so as an error; what fails shows in the notebook.
            extra_arguments=["--IPKernelApp.log_level=CRITICAL"],
            **kwargs,
        )


def _followed(
    complete: Callable[..., None], after_cell: Callable[[], object]
) -> Callable[..., None]:
    def wrapped(*args: Any, **kwargs: Any) -> None:
        complete(*args, **kwargs)
        after_cell()

    return wrapped


papermill_engines.register(NAME, _Engine)


def execute(
    run: Run, notebook: catalogue.Notebook, *, after_cell: Callable[[], object] | None = None
) -> Path:
    """Run one notebook into ``internal/notebooks`` of a run.

    Parameters
    ----------
    run : Run
        Where its tables come from and go to.
    notebook : Notebook
        The catalogue's entry.
    after_cell : callable, optional
        Called when a cell is done.

    Returns
    -------
    Path
        The executed notebook.

    Raises
    ------
    NotebookFailedError
        If a cell raises, in which case the partly executed notebook is kept, or takes longer than
        ``cell_minutes``, or the kernel dies.
    """
    executed = run.internal / "notebooks" / f"{notebook.name}.ipynb"
    executed.parent.mkdir(parents=True, exist_ok=True)
    executed.unlink(missing_ok=True)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        papermill.execute_notebook(
            catalogue.folder() / f"{notebook.name}.ipynb",
            executed,
            # Relative to where the notebook will lie: it runs there again, and its page names no
            # folder of the machine wherever notebooks and params are kept.
            parameters={
                "params": relative(run.params, executed.parent),
                "run_folder": relative(run.folder, executed.parent),
            },
            engine_name=NAME,
            kernel_name="python3",
            progress_bar=False,
            request_save_on_cell_execute=False,
            kernel_cwd=str(executed.parent),
            execution_timeout=60 * run.settings.cell_minutes,
            after_cell=after_cell,
        )
    except PapermillExecutionError as error:
        # An error of the package is a sentence for its reader; any other needs its kind to be read.
        kind = "" if hasattr(contracts, error.ename) else f"{error.ename}: "
        raise NotebookFailedError(notebook.name, f"{kind}{error.evalue}") from error
    except CellTimeoutError as error:
        raise NotebookFailedError(
            notebook.name,
            f"a cell did not end within cell_minutes ({run.settings.cell_minutes}); see what holds "
            "it up, such as a database that does not answer, or allow more, and run again.",
        ) from error
    except OSError as error:  # no room on the disk
        raise NotebookFailedError(notebook.name, f"{type(error).__name__}: {error}") from error
    except RuntimeError as error:
        raise NotebookFailedError(
            notebook.name, f"{error}; run again, and where it happens again, with more free memory."
        ) from error
    return executed


def code_cells(notebook: catalogue.Notebook) -> int:
    """Return the number of cells of a notebook, for the progress bar."""
    path = catalogue.folder() / f"{notebook.name}.ipynb"
    return len(json.loads(path.read_text(encoding="utf-8"))["cells"])
