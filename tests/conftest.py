"""Fixtures that every room's tests share."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from vsh_eval.returns.published import Published

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("VSH_EVAL_SHARED", ROOT.parent / "shared" / "data"))
"""The folder of real published files, where there is one."""


@pytest.fixture(scope="session", autouse=True)
def _secret():
    """Stand for the secret of an authority whose returns are real."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VSH_EVAL_SECRET", "a secret that only the tests know")
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip(
            "published DfE files are not here; set VSH_EVAL_SHARED to the folder that holds them"
        )
    return SHARED


@pytest.fixture(scope="session")
def releases(shared_data) -> tuple["Published", "Published"]:
    """The latest release of the real published files, and the one before, read once."""
    from tests.proofs import published_tables

    return published_tables.releases(shared_data)


@pytest.fixture(scope="session")
def published(releases) -> "Published":
    return releases[0]


@pytest.fixture(scope="session")
def published_before(releases) -> "Published":
    return releases[1]
