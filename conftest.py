"""Which tests share a process where several run side by side (``pytest -n logical``)."""

from pathlib import PurePosixPath
from typing import Any

import pytest

WHOLE_RUNS = ("test_yearly.py", "test_report_in_browser.py")
"""Files that share one finished run."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: the notebooks and the whole runs."""
    items.sort(key=lambda item: (item.path.suffix != ".ipynb", item.path.name not in WHOLE_RUNS))


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
    return "whole runs" if file.name in WHOLE_RUNS else str(file)
