"""Files that tests write, and the samples of authorities' files where they are stored."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def samples(shared_data):
    """Return a sample's path, or skip where it is not stored."""

    def find(name: str) -> Path:
        path = shared_data / name
        if not path.exists():
            pytest.skip(f"the sample {name} is not stored here")
        return path

    return find


@pytest.fixture
def write(tmp_path):
    """Write a text or bytes to a new file and return its path."""

    def write_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file
