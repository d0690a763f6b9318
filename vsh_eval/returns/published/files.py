"""Which published files a folder holds, by their headers, and which belong to one release."""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from vsh_eval import academic_year
from vsh_eval.contracts import ContractError, VintageError
from vsh_eval.returns.published.comparators import latest_year, read_comparators

SIGNATURES = MappingProxyType(
    {
        "absence": {"social_care_group", "t_sess_possible"},
        "ks2": {"social_care_group", "t_rwm_eligible_pupils"},
        "ks4": {"social_care_group", "t_att8"},
        "comparators": {"Short Desc", "LA and Regions", "Values"},
        "neighbours": {"old_la_code", "SN_1", "SN_1P"},
    }
)
"""The columns by which a file is recognised, by its role; its name does not matter."""

CINO_ROLES = ("absence", "ks2", "ks4")
FILE_COLUMNS = ("role", "file_name", "rows", "sha256", "vintage", "used")


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A recognised file.

    Attributes
    ----------
    role : str
        A key of ``SIGNATURES``.
    path : Path
        Where it is.
    name : str
        Its name within the folder.
    rows : int
        Rows of data.
    sha256 : str
        Hash of its bytes.
    vintage : str
        The release it belongs to, after its last academic year; '' for neighbours, which have none.
    """

    role: str
    path: Path
    name: str
    rows: int
    sha256: str
    vintage: str


def recognise(folder: Path) -> tuple[PublishedFile, ...]:
    """Find the published files in a folder and the folders inside it.

    Parameters
    ----------
    folder : Path
        Searched for CSV and Parquet files; hidden ones and unknown headers are passed over.

    Returns
    -------
    tuple of PublishedFile
        By role and name; a second copy of the same bytes is left out.

    Raises
    ------
    ContractError
        If the folder is not there, or a recognised file cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ContractError(
            f"folder {folder.name!r} is not there, must hold DfE's published files; "
            "fetch them with vsh-eval fetch-published."
        )
    found: dict[str, PublishedFile] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in Path(name).parts)
        role = None if hidden else role_of(path)
        if role is not None:
            described = describe(path, role=role, name=name)
            found.setdefault(described.sha256, described)
    order = list(SIGNATURES)
    return tuple(sorted(found.values(), key=lambda file: (order.index(file.role), file.name)))


def role_of(path: Path) -> str | None:
    """Return what a file holds by its header, None where it is none of the published files.

    Raises
    ------
    ContractError
        If a file named as Parquet is not Parquet.
    """
    if not path.is_file():
        return None
    header = _header(path)
    return next((role for role, columns in SIGNATURES.items() if columns <= header), None)


def describe(path: Path, *, role: str, name: str) -> PublishedFile:
    """Count, hash and date a recognised file."""
    rows, vintage = _rows_and_vintage(path, role)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return PublishedFile(role, path, name, rows, digest, vintage)


def release_named(year: int) -> str:
    """Name the release whose last academic year this is.

    Examples
    --------
    >>> release_named(202425)
    '2024/25 release'
    """
    return f"{academic_year.label(year)} release"


def choose_release(
    found: Sequence[PublishedFile], vintage: str | None, *, where: str = "the folder"
) -> str:
    """Decide which release is read.

    Parameters
    ----------
    found : sequence of PublishedFile
        From `recognise`.
    vintage : str or None
        A release, as ``2024/25 release`` or ``2024/25``. None takes the newest absence file's (the
        newest file's, where there is no absence).
    where : str
        What the files lie in, as an error names it.

    Returns
    -------
    str
        The release's name.

    Raises
    ------
    ContractError
        If no file of children in need is there.
    VintageError
        If the named release is not there; or, with None, a file would have to come from another
        release than the absence.
    """
    cino = [file for file in found if file.role in CINO_ROLES]
    if not cino:
        raise ContractError(
            f"{where} holds none of DfE's absence, key stage 2 or key stage 4 files of children in "
            "need, must hold one at least; fetch them with vsh-eval fetch-published."
        )
    held = sorted({file.vintage for file in cino})
    if vintage is None:
        absence = [file.vintage for file in cino if file.role == "absence"]
        newest = max(absence or held)
        _refuse_mixture(found, newest)
        return newest
    wanted = release_named(academic_year.parse(vintage.removesuffix(" release")))
    if wanted not in held:
        raise VintageError(
            f"vintage is {wanted!r}, must be a release the folder holds: {', '.join(held)}."
        )
    return wanted


def of_release(found: Sequence[PublishedFile], vintage: str) -> dict[str, PublishedFile]:
    """Return the files of one release by role; neighbours go with every release.

    Raises
    ------
    ContractError
        If two different files claim one role in the release.
    """
    chosen: dict[str, PublishedFile] = {}
    for file in found:
        if file.vintage not in (vintage, ""):
            continue
        if file.role in chosen:
            raise ContractError(
                f"{chosen[file.role].name} and {file.name} are both the {file.role} file of the "
                f"{vintage} and differ; keep one of them in the folder."
            )
        chosen[file.role] = file
    return chosen


def files_table(found: Sequence[PublishedFile], used: Sequence[PublishedFile]) -> pd.DataFrame:
    """List the recognised files, and whether each was read."""
    rows = [
        (file.role, file.name, file.rows, file.sha256, file.vintage, file in used) for file in found
    ]
    return pd.DataFrame(rows, columns=list(FILE_COLUMNS))


def _refuse_mixture(found: Sequence[PublishedFile], newest: str) -> None:
    for role in SIGNATURES:
        vintages = {file.vintage for file in found if file.role == role} - {""}
        if vintages and newest not in vintages:
            other = max(vintages)
            raise VintageError(
                f"the {role} file is of the {other!r} and the newest absence of the {newest!r}, "
                f"must be of one release; add the {role} file of the {newest}, or name the vintage "
                "to read it alone."
            )


def _header(path: Path) -> set[str]:
    if path.suffix == ".parquet":
        try:
            return set(pq.read_schema(path).names)
        except (pa.ArrowInvalid, OSError) as error:
            raise ContractError(
                f"{path.name} is not a Parquet file inside; download it again."
            ) from error
    if path.suffix.casefold() != ".csv":
        return set()
    # A stray file in another encoding is passed over, not stumbled upon.
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        return set(next(csv.reader([stream.readline()]), []))


def _rows_and_vintage(path: Path, role: str) -> tuple[int, str]:
    if role == "comparators":
        year = latest_year(read_comparators(path))
        return _rows(path, "Short Desc"), release_named(year)
    if role == "neighbours":
        return _rows(path, "old_la_code"), ""
    periods = pd.read_csv(path, usecols=["time_period"], dtype="str", encoding="utf-8-sig")
    years = [academic_year.parse(year) for year in periods["time_period"].unique()]
    if not years:
        raise ContractError(f"{path.name} holds no rows; download the file again.")
    return len(periods), release_named(max(years))


def _rows(path: Path, column: str) -> int:
    if path.suffix == ".parquet":
        return pq.read_metadata(path).num_rows
    return len(pd.read_csv(path, usecols=[column], dtype="str", encoding="utf-8-sig"))
