"""The corridor: what a notebook sees of its run, and the yearly run of them all.

- `open_run`, `Run`: a run's settings and folders
- `open_source`, `open_published`: its data, read and typed
- `GapPage`: the measures of a page on gaps, and how they are shown
- `ask_impact`, `Impact`, `explain_if_infeasible`: the question of impact, or why it has no answer
- `earlier_of`, `Earlier`: last year's release, and what has changed since
- `ask_offer`, `Offer`, `not_asked`: the same of DfE's published tables
- `ask_pool`, `Pool`: the same of several authorities' bundles
- `yearly`: the unattended run (`run`, `check`); `execution`: how its notebooks are run;
  `records`: what is kept of it (`manifest.verify`); `questions`: what notebooks ask

A module is imported when the first of its names is asked for, so that a notebook starts fast and
a run of which nothing has changed ends at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vsh_eval.pipeline.catalogue import NOTEBOOKS, Notebook
    from vsh_eval.pipeline.questions.gap_page import GapPage, bands_of_need, released_gaps
    from vsh_eval.pipeline.questions.impact import Impact, ask_impact, explain_if_infeasible
    from vsh_eval.pipeline.questions.offer import Offer, ask_offer, not_asked
    from vsh_eval.pipeline.questions.pool import Pool, ask_pool
    from vsh_eval.pipeline.records.earlier import Earlier, earlier_of
    from vsh_eval.pipeline.workspace import (
        Run,
        expected,
        open_published,
        open_run,
        open_source,
        source_folder,
    )

_MODULE_OF = {
    **dict.fromkeys(("NOTEBOOKS", "Notebook"), "catalogue"),
    **dict.fromkeys(("Earlier", "earlier_of"), "records.earlier"),
    **dict.fromkeys(("GapPage", "bands_of_need", "released_gaps"), "questions.gap_page"),
    **dict.fromkeys(("Impact", "ask_impact", "explain_if_infeasible"), "questions.impact"),
    **dict.fromkeys(("Offer", "ask_offer", "not_asked"), "questions.offer"),
    **dict.fromkeys(("Pool", "ask_pool"), "questions.pool"),
    **dict.fromkeys(("Run", "expected", "open_published", "open_run"), "workspace"),
    **dict.fromkeys(("open_source", "source_folder"), "workspace"),
}


def __getattr__(name: str) -> Any:
    """Return a public name, from the module that has it."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
