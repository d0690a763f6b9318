"""An executed notebook made fit for a page: what did not come through release is refused."""

import re
from collections.abc import Iterator
from typing import Any

from vsh_eval.contracts import DisclosureError
from vsh_eval.release.pages.show import MARK
from vsh_eval.release.text.pages.page import WORDS, step_heading, step_label

_PATHS = re.compile(
    r"(?<![\w:/.<~-])"
    r"(?:(?:~?/(?:[\w.+@-]+/)+|(?:\.\./){2,}(?:[\w.+@-]+/)*)[\w.+@-]*"
    r"|[A-Za-z]:\\(?:[^\s\\\"']+\\?)+)"
)
_FAILED_CELL = "papermill-error-cell-tag"
_HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.MULTILINE)

Notebook = dict[str, Any]


def without_paths(text: str) -> str:
    """Shorten every path of the machine to its last part, one that climbs out of a project too.

    Examples
    --------
    >>> without_paths("no file /home/someone/returns/schools.csv in 2023/24")
    'no file schools.csv in 2023/24'
    >>> without_paths("params = '../../../../team/params/ours.yaml'")
    "params = 'ours.yaml'"
    >>> without_paths("params = '../params/demo.yaml'")
    "params = '../params/demo.yaml'"
    """
    return _PATHS.sub(lambda match: re.split(r"[\\/]", match[0].rstrip("/\\"))[-1], text)


def fit_for_page(notebook: Notebook) -> Notebook:
    """Return a copy of a notebook that holds only what may stand on a page.

    Parameters
    ----------
    notebook : mapping
        An executed notebook (nbformat 4).

    Returns
    -------
    Notebook
        Code with its step number, outputs that came through release, errors without their
        traceback. Printed text and warnings stay behind, and so do paths of the machine and the
        card of the run, which is every page's footer.

    Raises
    ------
    DisclosureError
        If a cell displays something that did not come through `vsh_eval.release`.
    """
    step, section = 0, ""
    cells: list[Notebook] = []
    for cell in notebook["cells"]:
        if _FAILED_CELL in cell["metadata"].get("tags", ()):
            continue
        if cell["cell_type"] == "code":
            if not cell["source"].strip():
                continue
            step += 1
            cells.append(_code(cell, step, section))
        elif cell["cell_type"] == "markdown":
            cells.append(cell.copy())
            section = ([section, *_HEADING.findall(cell["source"])])[-1]
    fit = notebook.copy()
    fit["cells"] = cells
    return fit


def failed_step(fit: Notebook) -> int | None:
    """Return the number of the step that failed, None where none did."""
    for cell in fit["cells"]:
        if any(output["output_type"] == "error" for output in cell.get("outputs", [])):
            return int(cell["metadata"]["step"])
    return None


def code_of(fit: Notebook) -> list[dict[str, str]]:
    """Return every step of a page: its label, with the section it stands in, and its code."""
    return [
        {"label": cell["metadata"]["label"], "source": cell["source"]}
        for cell in fit["cells"]
        if cell["cell_type"] == "code"
    ]


def _code(cell: Notebook, step: int, section: str) -> Notebook:
    fit = cell.copy()
    fit["metadata"] = cell["metadata"].copy()
    fit["metadata"].update(step=step, label=step_label(step, section), failed=step_heading(step))
    fit["source"] = without_paths(cell["source"])
    fit["outputs"] = list(_outputs(cell, step))
    return fit


def _outputs(cell: Notebook, step: int) -> Iterator[Notebook]:
    for output in cell.get("outputs", []):
        kind = output["output_type"]
        if kind == "error":
            yield _error(output)
        elif kind != "stream":
            _require_safe_output(output, step)
            if output["metadata"][MARK].get("table") != "run_card":
                yield output


def _error(output: Notebook) -> Notebook:
    fit = output.copy()
    fit["evalue"] = without_paths(str(output.get("evalue", "")))
    fit["traceback"] = [WORDS["error_above"]]
    return fit


def _require_safe_output(output: Notebook, step: int) -> None:
    if not output.get("metadata", {}).get(MARK, {}).get("safe"):
        raise DisclosureError(
            f"step {step} displays something that did not come through release, must not; display "
            "it with show_figure, show_table, show_text or show_statement."
        )
