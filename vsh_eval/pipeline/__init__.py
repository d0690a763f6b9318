"""The corridor: what a notebook sees of its run, and the yearly run of them all.

- `open_run`, `Run`: a run's settings and folders
- `open_source`, `open_published`: its data, read and typed
- `pipeline.yearly`: the unattended run (`run`, `check`); `pipeline.manifest`: `verify`

The modules that run notebooks are not imported here, so that a notebook starts fast.
"""

from vsh_eval.pipeline.catalogue import NOTEBOOKS, Notebook
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
    "Notebook",
    "Run",
    "declared_programmes",
    "open_published",
    "open_run",
    "open_source",
    "source_folder",
]
