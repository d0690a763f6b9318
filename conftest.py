"""Which tests share a process where several run side by side."""

from pathlib import Path

import pytest

WHOLE_RUNS = ("test_yearly.py", "test_report_in_browser.py")
"""Files that share one finished run."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what shares a folder or a fixture in one process; the longest groups begin first."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item.path)))
    items.sort(key=lambda item: (item.path.suffix != ".ipynb", item.path.name not in WHOLE_RUNS))


def _group(path: Path) -> str:
    if path.suffix == ".ipynb":
        return "notebooks"
    return "whole runs" if path.name in WHOLE_RUNS else str(path)
