"""Which families of files there are, and how their tables become one set."""

import glob
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from vsh_eval.contracts import RETURNS, TERMS, WHOLE_YEAR, ContractError, Message
from vsh_eval.returns.formats.identity import one_upn_a_child
from vsh_eval.returns.formats.reading import Options, Reading, note
from vsh_eval.settings import Files, FileSet

FAMILIES: Mapping[str, str] = {
    "gias": "gias",
    "gias_links": "gias",
    "database": "database",
    "school_census": "school_census",
    "ytd_attendance": "attendance.ytd_attendance",
    "session_marks": "attendance.session_marks",
    "gip": "gip",
    "extracts": "extracts",
    "cin_census": "social_care.cin_census",
    "ssda903": "social_care.ssda903",
    "annex_a": "social_care.annex_a",
    "training": "training",
}
"""Each family of `vsh_eval.settings.Files` and its module, in the order in which they are read."""

PARTS: Mapping[str, tuple[str, ...]] = {
    "enrolments": ("academic_year",),
    "attendance": ("academic_year", "term"),
    "suspensions": ("academic_year",),
    "attainment": ("academic_year", "measure"),
    "episodes": ("status",),
}
"""Tables that several families may fill, each its own part; any other comes from one family."""


def read_files(files: Files, *, authority: str = "", programmes: tuple[str, ...] = ()) -> Reading:
    """Read every family of files that the params name.

    Parameters
    ----------
    files : Files
        The section ``source.files`` of the params.
    authority : str
        The authority's ONS code.
    programmes : tuple of str
        The programmes of training that the params declare.

    Returns
    -------
    Reading
        The tables of all families together, in the contract's order; a child has one ``pupil_id``
        in all of them, be it written under a former UPN. Rows that are the same in every column
        are one row. Notes carry their ``family``.

    Raises
    ------
    ContractError
        In one sentence, if a pattern matches no file, a file cannot be read, or two families give
        the same part of a table (see `PARTS`).

    Examples
    --------
    >>> read_files(Files()).tables
    {}
    """
    readings: dict[str, Reading] = {}
    references: dict[str, pd.DataFrame] = {}
    for name, section in files.given().items():
        paths = paths_of(name, section) if isinstance(section, FileSet) else ()
        options = Options(section, authority, references, programmes)
        readings[name] = _read(name, paths, options)
        for key, table in readings[name].references.items():
            both = [references[key], table] if key in references else [table]
            references[key] = pd.concat(both, ignore_index=True)
    tables = {table: _together(table, readings) for table in RETURNS if _givers(table, readings)}
    resolved = one_upn_a_child(tables, references.get("former_upns"))
    return Reading(resolved.tables, (*_notes(readings), *resolved.notes), references)


def paths_of(family: str, section: FileSet) -> tuple[Path, ...]:
    """Return the files of a family, sorted; refuse a pattern without one.

    Examples
    --------
    >>> paths_of("ssda903", FileSet(files=("nowhere/*.csv",)))
    Traceback (most recent call last):
    ...
    vsh_eval.contracts.ContractError: source.files.ssda903 names *.csv in the folder nowhere, \
where there is no such file; correct the name in the params file.
    """
    paths: set[Path] = set()
    for pattern in section.files:
        here = {Path(name) for name in glob.glob(pattern, recursive=True) if Path(name).is_file()}
        if Path(pattern).is_file():
            here = {Path(pattern)}
        if not here:
            written = Path(pattern)
            raise ContractError(
                f"source.files.{family} names {written.name} in the folder {written.parent.name}, "
                "where there is no such file; correct the name in the params file."
            )
        paths |= here
    return tuple(sorted(paths))


def _read(family: str, paths: Sequence[Path], options: Options) -> Reading:
    module = import_module(f"vsh_eval.returns.formats.{FAMILIES[family]}")
    try:
        return module.read(paths, options=options)
    except OSError as error:
        raise ContractError(
            f"source.files.{family} cannot be opened ({Path(str(error.filename)).name}: "
            f"{error.strerror}); ask for the right to read it, or copy it where you may."
        ) from error


def _givers(table: str, readings: Mapping[str, Reading]) -> dict[str, pd.DataFrame]:
    return {name: r.tables[table] for name, r in readings.items() if table in r.tables}


def _together(table: str, readings: Mapping[str, Reading]) -> pd.DataFrame:
    """Join what several families give of a table, each part from one of them."""
    givers = _givers(table, readings)
    seen: dict[object, str] = {}
    for name, rows in givers.items():
        for part in _parts(table, rows):
            if part in seen:
                which = ", ".join(map(str, part)) if isinstance(part, tuple) else table
                raise ContractError(
                    f"{table} is given twice, by source.files.{seen[part]} and "
                    f"source.files.{name} (both {which}), must be given once; leave one of them "
                    "out."
                )
            seen[part] = name
    return pd.concat(list(givers.values()), ignore_index=True).drop_duplicates(ignore_index=True)


def _parts(table: str, rows: pd.DataFrame) -> set[object]:
    columns = [column for column in PARTS.get(table, ()) if column in rows]
    if not columns:
        return {table}
    held = rows[columns].drop_duplicates()
    if "term" in columns:  # sums of a whole year are sums of each of its terms
        whole = held["term"].eq(WHOLE_YEAR)
        terms = held[whole].drop(columns="term").merge(pd.DataFrame({"term": TERMS}), how="cross")
        held = pd.concat([held[~whole], terms])
    return set(held.itertuples(index=False, name=None))


def _notes(readings: Mapping[str, Reading]) -> Iterator[Message]:
    for name, reading in readings.items():
        for message in reading.notes:
            details: dict[str, Any] = {**message.details, "family": name}
            yield note(message.code, **details)
