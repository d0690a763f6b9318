"""Bringing DfE's published files into one folder, with a manifest of their hashes."""

import json
import shutil
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit

from vsh_eval.contracts import ContractError
from vsh_eval.returns.published.release import PublishedFile, describe, recognise, role_of

MANIFEST = "manifest.json"
USUAL_NAMES = (
    "absence_la.csv",
    "ks2_la.csv",
    "ks4_la.csv",
    "bds_long_0.parquet",
    "sn_model_2025_wide.csv",
)
"""What these files are usually called, asked for where an address has no manifest."""

_TIMEOUT = 60


def fetch(to: Path, *, from_: str | Path) -> list[Path]:
    """Copy or download DfE's published files into a folder.

    Parameters
    ----------
    to : Path
        The folder to fill; made if it is not there. Files of the same name are replaced.
    from_ : str or Path
        A folder, whose recognised files are copied with the folders they are in; or an address
        (http or https): of one CSV or Parquet file, or of a place that holds the files. There,
        the files that a ``manifest.json`` lists are downloaded and checked against its hashes;
        without one, ``USUAL_NAMES`` are tried.

    Returns
    -------
    list of Path
        The files now in the folder, in the order of the manifest ``manifest.json`` beside them
        (name, role, rows, sha256 and vintage of each). Nothing is written unless all are good.

    Raises
    ------
    ContractError
        If nothing recognised is found, a downloaded file is not one of the published files or has
        another hash than its manifest says, or the address does not answer.

    Examples
    --------
    >>> fetch(Path("published"), from_="nowhere")
    Traceback (most recent call last):
    ...
    vsh_eval.contracts.ContractError: folder 'nowhere' is not there, must hold DfE's published \
files; fetch them with vsh-eval fetch-published.
    """
    if urlsplit(str(from_)).scheme in ("http", "https"):
        with TemporaryDirectory() as place:
            _download(str(from_), Path(place))
            return _deliver(recognise(Path(place)), to)
    source = Path(from_)
    if to.resolve().is_relative_to(source.resolve()):
        raise ContractError(
            f"folder {to.name!r} lies in the folder it is to be filled from, must lie outside it; "
            "choose another."
        )
    files = recognise(source)
    if not files:
        raise ContractError(
            f"folder {source.name!r} holds none of DfE's published files, must hold one at least; "
            "unzip the release's data files into it."
        )
    return _deliver(files, to)


def _deliver(files: tuple[PublishedFile, ...], to: Path) -> list[Path]:
    """Copy checked files and write the manifest last, so that a manifest vouches for them all."""
    delivered = []
    for file in files:
        target = to / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.path, target)
        delivered.append(target)
    listed = [
        {
            "file_name": file.name,
            "role": file.role,
            "rows": file.rows,
            "sha256": file.sha256,
            "vintage": file.vintage,
        }
        for file in files
    ]
    (to / MANIFEST).write_text(json.dumps({"files": listed}, indent=2) + "\n", encoding="utf-8")
    return delivered


def _download(address: str, place: Path) -> None:
    """Download the files of an address and refuse whatever is not what it should be."""
    path = PurePosixPath(urlsplit(address).path)
    if path.suffix in (".csv", ".parquet"):
        _save(_get(address), path.name, place)
        return
    base = address.rstrip("/")
    manifest = _get_if_there(f"{base}/{MANIFEST}")
    if manifest is not None:
        for name, sha256 in _listed(manifest):
            _save(_get(f"{base}/{quote(name)}"), name, place, sha256=sha256)
        return
    for name in USUAL_NAMES:
        content = _get_if_there(f"{base}/{name}")
        if content is not None:
            _save(content, name, place)
    if not any(place.iterdir()):
        raise ContractError(
            f"{address} holds no {MANIFEST} and none of {', '.join(USUAL_NAMES)}; "
            "give the address of a file."
        )


def _listed(manifest: bytes) -> Iterator[tuple[str, str]]:
    try:
        entries = json.loads(manifest)["files"]
        for entry in entries:
            yield _plain(str(entry["file_name"])), str(entry["sha256"])
    except ContractError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise ContractError(
            f"{MANIFEST} at the address is not a list of files with file_name and sha256; "
            "give the address of a file."
        ) from error


def _plain(name: str) -> str:
    """Refuse a file name that would leave the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or not path.name:
        raise ContractError(
            f"file name is {name!r}, must be a name within the folder; correct the list of files."
        )
    return name


def _save(content: bytes, name: str, place: Path, *, sha256: str | None = None) -> None:
    target = place / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    role = role_of(target)
    if role is None:
        raise ContractError(
            f"{name} has not the header of any of DfE's published files; check the address."
        )
    if sha256 is not None and describe(target, role=role, name=name).sha256 != sha256:
        raise ContractError(
            f"{name} has another hash than {MANIFEST} says, must be the same bytes; download again."
        )


def _get(address: str) -> bytes:
    content = _get_if_there(address)
    if content is None:
        raise ContractError(f"{address} is not there (404); check the address.")
    return content


def _get_if_there(address: str) -> bytes | None:
    """Ask over http or https and nothing else; None where nothing is there."""
    from urllib import request  # only who fetches needs it, and all that it loads

    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        request.HTTPRedirectHandler(),
        request.HTTPDefaultErrorHandler(),
        request.HTTPErrorProcessor(),
        request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    try:
        with opener.open(address, timeout=_TIMEOUT) as answer:
            return answer.read()
    except HTTPError as error:
        if error.code == HTTPStatus.NOT_FOUND:
            return None
        raise ContractError(f"{address} answers {error.code}; check the address.") from error
    except OSError as error:
        raise ContractError(f"{address} does not answer ({error}); check the address.") from error
