"""The corridor: what a notebook sees of its run, and the yearly run of them all.

- `open_run`: a run's settings and folders
- `open_source`, `expected`: its data, read and typed, and what the params ask of them
- `GapPage`: the measures of a page on gaps, and how they are shown
- `ask_impact`, `explain_if_infeasible`: the question of impact, or why it has no answer
- `earlier_of`: last year's release, and what has changed since
- `ask_offer`, `not_asked`: the same of DfE's published tables
- `ask_pool`: the same of several authorities' bundles
- `yearly`: the unattended run (`run`, `check`); `execution`: how its notebooks are run;
  `records`: what is kept of it (`manifest.verify`); `questions`: what notebooks ask

A module is imported when the first of its names is asked for, so that a notebook starts fast and
a run of which nothing has changed ends at once.
"""

from importlib import import_module
from typing import Any

_OFFERED = {
    "catalogue": ("NOTEBOOKS",),
    "workspace": ("expected", "open_run", "open_source"),
    "records.earlier": ("earlier_of",),
    "questions.gap_page": ("GapPage", "bands_of_need", "released_gaps"),
    "questions.impact": ("ask_impact", "explain_if_infeasible"),
    "questions.offer": ("ask_offer", "not_asked"),
    "questions.pool": ("ask_pool",),
}


def __getattr__(name: str) -> Any:
    """Import what is asked for by name."""
    for module, names in _OFFERED.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
