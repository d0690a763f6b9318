"""What a finished run was made of, and whether it still is what it was."""

import hashlib
import json
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vsh_eval.contracts import SettingsError
from vsh_eval.pipeline import catalogue, workspace
from vsh_eval.pipeline.records import closed, secret
from vsh_eval.pipeline.workspace import Run

NAME = "manifest.json"
_PACKAGES = (
    "duckdb",
    "matplotlib",
    "moderndid",
    "nbconvert",
    "numpy",
    "pandas",
    "papermill",
    "scipy",
    "seaborn",
    "statsmodels",
    "vsh-eval",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A released file that is not what the manifest says: missing, changed or added."""

    file: str
    problem: str


def write(run: Run, *, started: datetime) -> Path:
    """Write ``release/manifest.json``: everything but its ``run`` block is reproducible.

    Parameters
    ----------
    run : Run
        A whole run.
    started : datetime
        When it began, in UTC.

    Returns
    -------
    Path
        The manifest.
    """
    standing = run.standing
    settings = json.loads(run.settings.model_dump_json(exclude=workspace.FOLDERS))
    written = {
        "schema": 1,
        "run": {
            "started": started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": workspace.commit(),
        },
        "stamp": run.stamp,
        "settings": settings,
        "params_sha256": sha256(run.params),
        "secret": secret.fingerprint(secret.secret_of(run.settings, invented=run.invented)),
        "restated": {str(year): count for year, count in closed.restated_by(run).items() if count},
        "protocol": {"status": standing.status, "sha256": standing.sha256},
        "software": {
            "python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
        },
        "inputs": [_file(name, file) for name, file in workspace.source_files(run.settings)],
        "notebooks": [
            {
                "name": notebook.name,
                "question": notebook.question,
                "sha256": sha256(catalogue.folder() / f"{notebook.name}.ipynb"),
            }
            for notebook in catalogue.of_kind(run.settings.source.kind)
        ],
        "outputs": list(_outputs(run.released)),
    }
    path = run.released / NAME
    path.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def verify(release: Path) -> tuple[Difference, ...]:
    """Re-hash a finished run's released files against its manifest.

    Parameters
    ----------
    release : Path
        The run's folder, or its ``release`` folder.

    Returns
    -------
    tuple of Difference
        Empty where nothing differs.

    Raises
    ------
    SettingsError
        If there is no manifest.
    """
    folder = release / "release" if (release / "release").is_dir() else release
    path = folder / NAME
    if not path.is_file():
        raise SettingsError(f"{release.name} holds no {NAME}; name the folder of a finished run.")
    recorded = {
        entry["file"]: entry["sha256"]
        for entry in json.loads(path.read_text(encoding="utf-8"))["outputs"]
    }
    rehashed = {entry["file"]: entry["sha256"] for entry in _outputs(folder)}
    problems = {
        **dict.fromkeys(recorded.keys() - rehashed.keys(), "missing"),
        **dict.fromkeys(rehashed.keys() - recorded.keys(), "added"),
        **{
            file: "changed"
            for file in recorded.keys() & rehashed.keys()
            if recorded[file] != rehashed[file]
        },
    }
    return tuple(Difference(file, problem) for file, problem in sorted(problems.items()))


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _outputs(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        if file.name != NAME:
            yield _file(file.relative_to(folder).as_posix(), file)


def _file(name: str, file: Path) -> dict[str, Any]:
    return {"file": name, "bytes": file.stat().st_size, "sha256": sha256(file)}
