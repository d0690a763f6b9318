"""Imports what notebooks import, once, in the process that kernels are forked from."""

import atexit
import gc
import importlib
import os
import shutil
import sys
from importlib.util import find_spec

import pandas as pd

from vsh_eval.pipeline.execution.kernels import FOLDER

# pandas looked for a notebook, found none and took what runs it for a terminal.
pd.set_option("display.max_columns", 20)

# statsmodels looks whether it is there and would import it; it starts a thread.
_ABSENT = "polars"
_MODULES = (
    "cvxpy",  # moderndid's, the slower half of its import, and without a thread
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib_inline.config",
    "duckdb",
    "seaborn",
    "statsmodels.stats.api",
    "vsh_eval.effects",
    "vsh_eval.metrics",
    "vsh_eval.pipeline",
    "vsh_eval.release.figures",
    "vsh_eval.release.pages",
    "vsh_eval.release.text",
)

# The debugger, which every kernel has, would say on the run's console that it misses breakpoints.
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
sys.modules.setdefault(_ABSENT, None)  # pyrefly: ignore[no-matching-overload]
try:
    for _name in _MODULES:
        if find_spec(_name.partition(".")[0]):  # cvxpy need not be installed
            importlib.import_module(_name)
finally:
    if sys.modules[_ABSENT] is None:
        del sys.modules[_ABSENT]
# What was imported stays: no kernel looks through it for what could be collected; at the end it is
# collected after all, else DuckDB says that its objects were left.
gc.freeze()
atexit.register(gc.unfreeze)


def _remove(folder: str, server: int) -> None:
    """Remove the kernels' folder, which is still there if what ran the notebooks was killed."""
    if os.getpid() == server:  # and no kernel that was forked from it
        shutil.rmtree(folder, ignore_errors=True)


if FOLDER in os.environ:
    atexit.register(_remove, os.environ[FOLDER], os.getpid())
