"""Fixtures that every room's tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WHOLE_RUNS = ("test_yearly.py", "test_report_in_browser.py")
"""Files that share one finished run."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what shares a folder or a fixture in one process; the longest groups begin first."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item.path)))
    items.sort(key=lambda item: (item.path.suffix != ".ipynb", item.path.name not in WHOLE_RUNS))


def _group(path: Path) -> str:
    if path.suffix == ".ipynb":
        return "notebooks"
    return "whole runs" if path.name in WHOLE_RUNS else str(path)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real published files, where there is one."""
    folder = Path(os.environ.get("VSH_EVAL_SHARED", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(
            "published DfE files are not here; set VSH_EVAL_SHARED to the folder that holds them"
        )
    return folder
