"""The corridor: what a notebook sees of its run, and the yearly run of them all.

- `open_run`, `Run`: a run's settings and folders
- `open_source`, `open_published`: its data, read and typed
- `GapPage`: the measures of a page on gaps, and how they are shown
- `ask_impact`, `Impact`, `explain_if_infeasible`: the question of impact, or why it has no answer
- `ask_offer`, `Offer`, `not_asked`: the same of DfE's published tables
- `pipeline.yearly`: the unattended run (`run`, `check`); `pipeline.manifest`: `verify`

The modules that run notebooks are not imported here, so that a notebook starts fast.
"""

from vsh_eval.pipeline.catalogue import NOTEBOOKS, Notebook
from vsh_eval.pipeline.gap_page import GapPage, bands_of_need, released_gaps
from vsh_eval.pipeline.impact import Impact, ask_impact, explain_if_infeasible
from vsh_eval.pipeline.offer import Offer, ask_offer, not_asked
from vsh_eval.pipeline.workspace import (
    Run,
    declared_programmes,
    open_published,
    open_run,
    open_source,
    source_folder,
)

__all__ = [
    "NOTEBOOKS",
    "GapPage",
    "Impact",
    "Notebook",
    "Offer",
    "Run",
    "ask_impact",
    "ask_offer",
    "bands_of_need",
    "declared_programmes",
    "explain_if_infeasible",
    "not_asked",
    "open_published",
    "open_run",
    "open_source",
    "released_gaps",
    "source_folder",
]
