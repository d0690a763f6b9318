"""Which tests share a process where several run side by side, and what notebooks are tried on."""

import atexit
import os
import tempfile
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
"""Each process of the tests has a core to itself; threads of linear algebra would wait for it."""

WHOLE_RUNS = PurePosixPath("tests/whole_runs")
"""The folder of the tests that share the finished runs."""
collect_ignore = ["notebooks/09_pooled.ipynb"]
"""Whole runs execute it on both kinds of pool: one that can be made and one that cannot."""


def pytest_configure() -> None:
    """Fork the kernels of nbval too; `tests/pipeline/test_kernels.py` compares with cold ones."""
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    KernelProvisionerFactory.provisioners["forked"] = EntryPoint(
        "forked",
        "vsh_eval.pipeline.execution.kernels:ForkedProvisioner",
        KernelProvisionerFactory.GROUP_NAME,
    )
    os.environ[KernelProvisionerFactory.default_provisioner_name_env] = "forked"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: the whole runs and the notebooks."""
    items.sort(
        key=lambda item: (item.path.parent.name != WHOLE_RUNS.name, item.path.suffix != ".ipynb")
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give a notebook the params of a small authority in place of the demo's, as papermill would.

    It is too small for an estimate, which the whole runs have: here the pages that say so are made.
    """
    cell = getattr(item, "cell", None)
    if cell is not None and "parameters" in cell.metadata.get("tags", []):
        params = _small_authorities()
        kind = next((kind for kind in params if kind in item.path.stem), "invented")
        cell.source += f"\nparams = {str(params[kind])!r}"


@cache
def _small_authorities() -> dict[str, Path]:
    """Return params by kind, of a project that lasts as long as the tests."""
    from tests.pipeline.project import INVENTED, PUBLISHED, Project
    from tests.returns import published_example
    from vsh_eval.pipeline import corridor, open_run

    folder = tempfile.TemporaryDirectory(prefix="notebooks-")
    atexit.register(folder.cleanup)
    project = Project.start(Path(folder.name) / "project")
    invented = project.write("invented", INVENTED)
    published_example.write(project.folder / "published")
    public = project.write("public", PUBLISHED | {"published": {"offer_start": "2023/24"}})
    run = open_run(public)
    for name, table in corridor.build_tables(run).items():
        run.save(name, table)  # else 06_published would have 02 run in a kernel of its own
    return {"published": public, "invented": invented}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep what shares a folder or a fixture in one process, in the order of collection."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _together(nodeid)

    config.option.loadscopereorder = False
    return Together(config, log)


def _together(nodeid: str) -> str:
    file = PurePosixPath(nodeid.split("::", maxsplit=1)[0])
    if file.suffix == ".ipynb":
        return "notebooks"
    return str(WHOLE_RUNS if file.parent == WHOLE_RUNS else file)
