"""Fixtures that every room's tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def _secret():
    """Stand for the secret of an authority whose returns are real."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VSH_EVAL_SECRET", "a secret that only the tests know")
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real published files, where there is one."""
    folder = Path(os.environ.get("VSH_EVAL_SHARED", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(
            "published DfE files are not here; set VSH_EVAL_SHARED to the folder that holds them"
        )
    return folder
