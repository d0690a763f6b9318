"""Whether the last run is still what its params, data and code ask for, seen without running it.

Nothing heavy is imported here: a run of which nothing has changed is seen to be so at once. What
is in doubt (a file that was touched) is left to the tasks of `dag`, which compare contents.
"""

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vsh_eval.pipeline.records import secret

_RECORD = Path("internal", "up_to_date.json")
_NO_PART = {"__pycache__", ".ipynb_checkpoints"}
"""Folders that Python and JupyterLab make beside what is run, also while it runs."""
_PACKAGE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to.

    Attributes
    ----------
    page : Path
        The page to open.
    new : bool
        Whether the report is a new one, which it is too where a run that was stopped at its very
        end had only to be put into place.
    sentences : tuple of str
        How the run stands to its registration.
    """

    page: Path
    new: bool = True
    sentences: tuple[str, ...] = ()


def outputs_folder(params: Path) -> Path:
    """Return ``outputs/`` of the project a params file belongs to, else of the working folder."""
    for parent in params.resolve().parents:
        if (parent / "outputs").is_dir() or (parent / "pyproject.toml").is_file():
            return parent / "outputs"
    return Path.cwd() / "outputs"


def last_run(params: Path) -> Outcome | None:
    """Return the last run of a params file where nothing that it depends on has changed since.

    Parameters
    ----------
    params : Path
        The params file.

    Returns
    -------
    Outcome or None
        None where there is none, something has changed, a run is under way or was stopped, or the
        last run left no record (`keep`).
    """
    name = _name_of(params)
    last_good = outputs_folder(params) / name
    try:
        record = json.loads((last_good / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    under_way = (f".{name}.building", f".{name}.previous", f".{name}.lock")
    if any(last_good.with_name(other).exists() for other in under_way):
        return None
    whole = all((last_good / file).is_file() for file in record["made"])
    known = record["depends_on"]
    now = depends_on(params, folders=known["folders"], secret_file=known["secret_file"])
    if not (whole and known == now):
        return None
    page = last_good / "release" / "index.html"
    return Outcome(page, new=False, sentences=tuple(record["sentences"]))


def depends_on(
    params: Path, *, folders: Iterable[str | Path], secret_file: str | Path | None
) -> dict[str, Any]:
    """Return what a run depends on, in a form that can be compared.

    Parameters
    ----------
    params : Path
        The params file; it and the registration beside it are known by their contents.
    folders : iterable of str or Path
        Folders whose files the run reads: known by name, size and time of change, so that large
        returns need not be read. Their own folders are to be named too; the package's are added.
    secret_file : str, Path or None
        The key file, known in the same way.

    Returns
    -------
    dict
        JSON: hashes of params, registration and what lies in each folder, the fingerprint of the
        environment's secret, and the key file with its state; "" for what is not there.
    """
    written = os.environ.get(secret.VARIABLE, "")
    every = {str(Path(folder).resolve()) for folder in folders} | set(tree_of(_PACKAGE))
    return {
        "params": _content(params),
        "protocol": _content(params.with_name(f"{params.stem}.protocol.json")),
        "secret": secret.fingerprint(written.encode()) if written else "",
        "secret_file": None if secret_file is None else str(secret_file),
        "secret_file_state": "" if secret_file is None else _state(secret_file),
        "folders": {folder: _entries(folder) for folder in sorted(every)},
    }


def keep(
    folder: Path, depends_on: Mapping[str, Any], *, made: Collection[Path], sentences: Iterable[str]
) -> None:
    """Leave the record that `last_run` reads.

    Parameters
    ----------
    folder : Path
        The run's.
    depends_on : mapping
        From `depends_on`, when the run began.
    made : collection of Path
        Files without which the run is not whole.
    sentences : iterable of str
        What the command says of the registration.
    """
    record = {
        "depends_on": depends_on,
        "made": sorted(path.relative_to(folder).as_posix() for path in made),
        "sentences": list(sentences),
    }
    (folder / _RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")


def tree_of(folder: Path | None) -> list[str]:
    """Return a folder, where one is named and there is one, and all folders below it."""
    folders: list[str] = []
    for place, below, _ in os.walk(folder.resolve()) if folder is not None else ():
        below[:] = [name for name in below if name not in _NO_PART]
        folders.append(place)
    return folders


def _name_of(params: Path) -> str:
    """Return a run's name; a params file that cannot be read has none, and `settings` says why."""
    try:
        written = yaml.safe_load(params.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return ""
    name = written.get("name") if isinstance(written, dict) else ""
    return name if isinstance(name, str) and Path(name).name == name else ""


def _entries(folder: str) -> str:
    """Return a hash of what lies in a folder, '' where there is none."""
    try:
        with os.scandir(folder) as entries:
            lines = [
                entry.name if entry.is_dir() else f"{entry.name}|{_state(entry.path)}"
                for entry in entries
                if entry.name not in _NO_PART
            ]
    except OSError:
        return ""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _state(file: str | Path) -> str:
    try:
        state = os.stat(file)
    except OSError:
        return ""
    return f"{state.st_size}|{state.st_mtime_ns}"


def _content(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
