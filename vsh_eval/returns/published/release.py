"""A folder of published files, read as one release; its files are known by their headers."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from vsh_eval import academic_year, names
from vsh_eval.contracts import ContractError, VintageError, require_columns
from vsh_eval.returns.published.areas import areas_of, no_neighbours, read_neighbours
from vsh_eval.returns.published.cino import GROUPS, panel_rows, read_outcomes
from vsh_eval.returns.published.comparators import comparator_rows, latest_year, read_comparators
from vsh_eval.returns.published.reading import header, read_text, years_written
from vsh_eval.returns.reorganised import same_area

SIGNATURES = {
    "absence": {"social_care_group", "t_sess_possible"},
    "ks2": {"social_care_group", "t_rwm_eligible_pupils"},
    "ks4": {"social_care_group", "t_att8"},
    "comparators": {"Short Desc", "LA and Regions", "Values"},
    "neighbours": {"old_la_code", "SN_1", "SN_1P"},
}
"""The columns by which a file is recognised, by its role; its name does not matter."""

CINO_ROLES = ("absence", "ks2", "ks4")


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """One release of DfE's published tables.

    Attributes
    ----------
    panel : DataFrame
        The panel: source ``published``, cohort rule ``at_31_march``, levels national, region and
        la (ONS codes). Groups ``cin``, ``cpp`` and ``cla`` carry DfE's counts and, in ``rate``,
        its rounded rate; group ``all`` carries a rate only, and so do the three in early years
        and suspensions, whose counts no file of the release has. A number that is not shown is
        missing and ``status`` holds its symbol.
    areas : DataFrame
        ``unit_id``, ``name``, ``old_la_code``, ``level``, ``region_id``, ``region_name``. Regions
        include Inner and Outer London, whose ``region_id`` is London's.
    neighbours : DataFrame
        ``unit_id``, ``neighbour_id``, ``rank`` (1 is the closest), ``closeness``.
    vintage : str
        The release, for example ``2024/25 release``.
    """

    panel: pd.DataFrame
    areas: pd.DataFrame
    neighbours: pd.DataFrame
    vintage: str

    def years_of(self, unit_id: str, metric: str = "") -> tuple[int, ...]:
        """Return the academic years for which the release has figures of an authority's children.

        A reorganised authority has none before it came about: those of Cumberland begin with
        2023/24, as before it was a part of Cumbria, which has a code of its own.

        Parameters
        ----------
        unit_id : str
            The area's code.
        metric : str
            A metric; '' for any.

        Raises
        ------
        ContractError
            If the release has no such area; the code to write is named where it is the three-digit
            one, or another code of the same area.
        """
        if unit_id not in set(self.areas["unit_id"]):
            same = self.areas["unit_id"].isin(same_area(unit_id))
            rows = self.areas[same | (self.areas["old_la_code"].eq(unit_id) & (unit_id != ""))]
            here = ", ".join(rows["unit_id"] + " for " + rows["name"])
            raise ContractError(
                f"authority.code is {unit_id!r}, must be an area of the published files"
                + (f": write {here}." if here else ", by its nine-character code in new_la_code.")
            )
        of_children = self.panel["group"].isin(GROUPS.values()) & self.panel["rate"].notna()
        own = of_children & self.panel["unit_id"].eq(unit_id)
        own &= self.panel["metric"].eq(metric) | (metric == "")
        return tuple(sorted(self.panel.loc[own, "time_period"].unique().tolist()))


def read_published(folder: Path, *, vintage: str | None = None) -> Published:
    """Read one release of DfE's outcomes of children in need and their comparators.

    Files are recognised by their headers, whatever their names: absence, key stage 2 and key
    stage 4 of children in need (this layout and the earlier ones), the all-pupil measures of the
    Local Authority Interactive Tool (Parquet or CSV), and statistical neighbours. Releases are
    never mixed, because DfE revises its back series: persistent absence of children in need
    in 2020/21 is 47.2% in one release and 41.6% in another.

    Parameters
    ----------
    folder : Path
        Searched with the folders inside it.
    vintage : str, optional
        The release to read, for example ``2022/23 release``; files of others are left out.
        None takes the newest absence file's release.

    Returns
    -------
    Published
        The panel is sorted by its keys. 2019/20 absence has status ``x``, a group without pupils
        status ``z`` and 0 pupils; national and regional counts are rounded to 10 by DfE.

    Raises
    ------
    ContractError
        If the folder holds no file of children in need; if a file lacks a column, repeats a row, or
        holds a blank or unknown symbol; or if two files claim one role in the release.
    VintageError
        If the named release is not there; or, without a name, some file is only there of another
        release than the newest absence.

    Notes
    -----
    Level = scale x numerator / denominator: sessions missed over possible sessions (%),
    persistent and severe absentees over pupils (%), pupils at the expected standard over eligible
    pupils (%), the sum of Attainment 8 or of progress scores over the pupils who have one (points).
    DfE's absence and suspensions of all pupils count enrolments, those of children in need count
    children: the report says so wherever both stand together.

    Source: DfE, Outcomes for children in need, including children looked after by local
    authorities in England; Local Authority Interactive Tool; children's services statistical
    neighbour model. Open Government Licence v3.0.

    Examples
    --------
    >>> read_published(Path("nowhere"))
    Traceback (most recent call last):
    ...
    vsh_eval.contracts.ContractError: folder 'nowhere' is not there, must hold DfE's published \
files; fetch them with vsh-eval fetch-published.
    """
    files = recognise(folder)
    chosen_vintage = _choose_release(files, vintage, where=f"folder {folder.name!r}")
    chosen = _of_release(files, chosen_vintage)
    outcomes = [
        read_outcomes(chosen[role].path, role=role) for role in CINO_ROLES if role in chosen
    ]
    areas = areas_of(one.table for one in outcomes)
    parts = [panel_rows(one, vintage=chosen_vintage) for one in outcomes]
    if "comparators" in chosen:
        path = chosen["comparators"].path
        parts.append(
            comparator_rows(
                read_comparators(path),
                areas=areas,
                vintage=chosen_vintage,
                origin=path.name,
                first_year=min(int(one.table["time_period"].min()) for one in outcomes),
            )
        )
    panel = pd.concat(parts, ignore_index=True)
    return Published(
        panel=panel.sort_values(list(names.PANEL_KEYS), ignore_index=True),
        areas=areas,
        neighbours=(
            read_neighbours(chosen["neighbours"].path, areas=areas)
            if "neighbours" in chosen
            else no_neighbours()
        ),
        vintage=chosen_vintage,
    )


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
    if not folder.is_dir():
        raise ContractError(
            f"folder {folder.name!r} is not there, must hold DfE's published files; "
            "fetch them with vsh-eval fetch-published."
        )
    by_hash: dict[str, PublishedFile] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in Path(name).parts)
        role = None if hidden else role_of(path)
        if role is not None:
            described = describe(path, role=role, name=name)
            by_hash.setdefault(described.sha256, described)
    order = list(SIGNATURES)
    return tuple(sorted(by_hash.values(), key=lambda file: (order.index(file.role), file.name)))


def role_of(path: Path) -> str | None:
    """Return what a file holds by its header, None where it is none of the published files.

    Raises
    ------
    ContractError
        If a file named as Parquet is not Parquet.
    """
    if not path.is_file():
        return None
    names_of_columns = _header(path)
    return next((role for role, columns in SIGNATURES.items() if columns <= names_of_columns), None)


def describe(path: Path, *, role: str, name: str) -> PublishedFile:
    """Count, hash and date a recognised file."""
    rows, vintage = _rows_and_vintage(path, role)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return PublishedFile(role, path, name, rows, digest, vintage)


def _release_named(year: int) -> str:
    """Name the release whose last academic year this is."""
    return f"{academic_year.label(year)} release"


def _choose_release(files: Sequence[PublishedFile], vintage: str | None, *, where: str) -> str:
    """Name the release to read: the one asked for, or that of the newest absence file."""
    cino = [file for file in files if file.role in CINO_ROLES]
    if not cino:
        raise ContractError(
            f"{where} holds none of DfE's absence, key stage 2 or key stage 4 files of children in "
            "need, must hold one at least; fetch them with vsh-eval fetch-published."
        )
    held = sorted({file.vintage for file in cino})
    if vintage is None:
        absence = [file.vintage for file in cino if file.role == "absence"]
        newest = max(absence or held)
        _refuse_mixture(files, newest)
        return newest
    wanted = _release_named(academic_year.parse(vintage.removesuffix(" release")))
    if wanted not in held:
        raise VintageError(
            f"vintage is {wanted!r}, must be a release the folder holds: {', '.join(held)}."
        )
    return wanted


def _of_release(files: Sequence[PublishedFile], vintage: str) -> dict[str, PublishedFile]:
    """Return the files of one release by role; neighbours go with every release."""
    chosen: dict[str, PublishedFile] = {}
    for file in files:
        if file.vintage not in (vintage, ""):
            continue
        if file.role in chosen:
            raise ContractError(
                f"{chosen[file.role].name} and {file.name} are both the {file.role} file of the "
                f"{vintage} and differ; keep one of them in the folder."
            )
        chosen[file.role] = file
    return chosen


def _refuse_mixture(files: Sequence[PublishedFile], newest: str) -> None:
    for role in SIGNATURES:
        of_role = [file for file in files if file.role == role and file.vintage]
        if of_role and newest not in {file.vintage for file in of_role}:
            file = max(of_role, key=lambda one: one.vintage)
            later = max(file.vintage, newest)
            lacking = role if later == newest else "absence"
            raise VintageError(
                f"{file.name}, the {role} file, is of the {file.vintage} and the newest absence "
                f"file of the {newest}, must be of one release; download the {lacking} file of the "
                f"{later} into the folder too, or take every file of the {later} out of it."
            )


def _header(path: Path) -> set[str]:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        try:
            return set(pq.read_schema(path).names)
        except (pa.ArrowInvalid, OSError) as error:
            raise ContractError(
                f"{path.name} is not a Parquet file inside; download it again."
            ) from error
    if path.suffix.casefold() != ".csv":
        return set()
    return set(header(path))


def _rows_and_vintage(path: Path, role: str) -> tuple[int, str]:
    if role == "comparators":
        year = latest_year(read_comparators(path))
        return _rows(path), _release_named(year)
    if role == "neighbours":
        return _rows(path), ""
    periods = read_text(path)
    require_columns(periods, ["time_period"], name=path.name)
    years = years_written(periods["time_period"], origin=path.name).values()
    if not years:
        raise ContractError(f"{path.name} holds no rows; download the file again.")
    return len(periods), _release_named(max(years))


def _rows(path: Path) -> int:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return pq.read_metadata(path).num_rows
    return len(read_text(path))
