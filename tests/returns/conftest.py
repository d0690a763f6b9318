"""Fixtures of the returns' tests: folders of returns that are opened and closed again."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.returns.tiny import TINY, YEARS, write
from vsh_eval.returns import Returns, open_returns

Open = Callable[..., Returns]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Write tables to a new folder and open it."""
    here: list[Returns] = []

    def open_tables(
        tables: Mapping[str, str] = TINY, *, years: tuple[int, ...] | None = YEARS
    ) -> Returns:
        returns = open_returns(write(tmp_path / f"folder{len(here)}", tables), years=years)
        here.append(returns)
        return returns

    yield open_tables
    for returns in here:
        returns.close()
