"""An invented authority: every table of the returns, the truth in them, and its folder."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args
from uuid import uuid4

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import yaml

from vsh_eval.contracts import RETURNS, ContractError, require_one_of
from vsh_eval.synthetic.attainment import attainment_table
from vsh_eval.synthetic.attendance import (
    attendance_table,
    invent_attendance,
    suspensions_table,
    truth_table,
)
from vsh_eval.synthetic.plan import NO_ATTENDANCE, Plan
from vsh_eval.synthetic.pupil_years import pupil_years
from vsh_eval.synthetic.pupils import enrolments_table, follow, invent_pupils
from vsh_eval.synthetic.schools import invent_schools, links_table, schools_table
from vsh_eval.synthetic.social_care import episodes_table, invent_social_care, membership
from vsh_eval.synthetic.social_care_returns import write_social_care
from vsh_eval.synthetic.training import training_table


@dataclass(frozen=True, slots=True)
class Authority:
    """An invented authority's returns.

    Attributes
    ----------
    tables : mapping of str to pandas.DataFrame
        Every table of `vsh_eval.contracts.RETURNS`, optional ones and columns included.
    truth : pandas.DataFrame
        The effect that was planted, see `invent`.
    """

    tables: Mapping[str, pd.DataFrame]
    truth: pd.DataFrame


def invent(plan: Plan) -> Authority:
    """Invent an authority.

    Levels, trends, tails and group sizes follow figures published for England (`calibration`);
    schools, pupils and every link between them are drawn. Nothing in it is about a real child.

    Parameters
    ----------
    plan : Plan
        What it is to be like.

    Returns
    -------
    Authority
        The same plan gives the same tables, byte for byte; plans that differ in ``effect`` alone
        differ in attendance alone. ``truth`` holds, by metric (overall, persistent and severe
        absence) and aggregation (``simple``, ``cohort``, ``calendar``), the effect in percentage
        points that the treated cohort's expected absence carries, weighted by possible sessions:

            effect = 100 x sum X (rate with - rate without) / sum X

        over cohort pupils of year groups 1 to 11 in treated school-years. It differs from
        ``plan.effect`` by chance, and where a mean would leave 1 to 95 %. It has no rows where no
        school is treated.

    Examples
    --------
    >>> authority = invent(Plan(schools=10, first=202122, adoption=(202324,)))
    >>> sorted(authority.tables)  # doctest: +NORMALIZE_WHITESPACE
    ['attainment', 'attendance', 'enrolments', 'episodes', 'school_links', 'schools',
     'suspensions', 'training']
    >>> authority.tables["attendance"].columns.tolist()  # doctest: +NORMALIZE_WHITESPACE
    ['pupil_id', 'academic_year', 'term', 'urn', 'sess_possible', 'sess_authorised',
     'sess_unauthorised']
    """
    # One stream a room of chance: a change to one leaves the draws of the others alone.
    seeds = np.random.SeedSequence(plan.seed).spawn(11)
    streams = iter([np.random.default_rng(seed) for seed in seeds])
    schools = invent_schools(plan, next(streams))
    training = training_table(plan, schools, next(streams))
    pupils = invent_pupils(plan, schools, next(streams))
    places, home = follow(plan, schools, pupils, next(streams))
    care = invent_social_care(plan, schools, pupils, home, next(streams))
    years = pupil_years(plan, schools, places, membership(plan, pupils, care), next(streams))
    attendance = invent_attendance(plan, schools, pupils, years, next(streams))
    tables = {
        "schools": schools_table(plan, schools),
        "school_links": links_table(schools),
        "enrolments": enrolments_table(schools, pupils, places),
        "attendance": attendance_table(plan, schools, pupils, attendance, next(streams)),
        "suspensions": suspensions_table(plan, schools, pupils, years, next(streams)),
        "attainment": attainment_table(plan, schools, pupils, years, next(streams), next(streams)),
        "episodes": episodes_table(plan, pupils, care),
        "training": training,
    }
    return Authority(tables=tables, truth=truth_table(plan, schools, attendance))


FileFormat = Literal["parquet", "csv"]
MARKER = "SYNTHETIC.txt"
TRUTH = "truth.csv"

Layout = Literal["tables", "returns"]

_FORMATS, _LAYOUTS = get_args(FileFormat), get_args(Layout)
_FILES, _PARAMS = "files", "params.yaml"
_OURS = {MARKER, TRUTH, _FILES, _PARAMS} | {
    f"{table}.{ending}" for table in RETURNS for ending in _FORMATS
}


def synthesise(
    folder: Path,
    plan: Plan,
    *,
    format: FileFormat = "parquet",
    layout: Layout = "tables",
    faults: float = 0.0,
) -> Path:
    """Invent an authority and write its returns.

    Parameters
    ----------
    folder : Path
        Where to; made if it does not exist, replaced if it was made by this function.
    plan : Plan
        What the authority is to be like.
    format : {"parquet", "csv"}
        One file a table. CSV writes dates as ISO and blanks as nothing.
    layout : {"tables", "returns"}
        ``returns``: the files that an authority would hold, in the folder ``files`` (see
        `as_returns` and `social_care_returns`), and ``params.yaml``, which reads them and gives
        the run the folder's name.
    faults : float
        The share of children, schools or rows of these files that each of `faults.FAULTS` touches.

    Returns
    -------
    Path
        The folder: the tables, ``truth.csv`` (the effect that was planted) and ``SYNTHETIC.txt``,
        which says that all of it is invented. It is written apart and renamed into place, so it
        is never there in part; the same plan gives the same bytes.

    Raises
    ------
    ContractError
        If the folder is a file, or holds anything this function did not write; if faults are asked
        for tables that are ready, or are no share.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     made = synthesise(Path(parent) / "returns", Plan(schools=10, first=202223, adoption=(
    ...         202324,)), format="csv")
    ...     sorted(path.name for path in made.iterdir())[:3]
    ['SYNTHETIC.txt', 'attainment.csv', 'attendance.csv']
    """
    require_one_of(format, _FORMATS, name="format")
    require_one_of(layout, _LAYOUTS, name="layout")
    from vsh_eval.synthetic.faults import put_into

    if faults and layout != "returns":
        raise ContractError("faults are of files, must have --as returns; add it.")
    if not 0 <= faults <= 1:
        raise ContractError(f"faults is {faults}, must be a share from 0 to 1; write 0.05 for 5%.")
    _refuse_others(folder)
    authority = invent(plan)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.parent / f".{folder.name}-{uuid4().hex}"
    try:
        temporary.mkdir()
        if layout == "returns":
            _write_returns(temporary, authority, plan, name=folder.name)
            put_into(temporary / _FILES, faults, seed=plan.seed)
        else:
            _write_tables(temporary, authority, format)
        authority.truth.to_csv(temporary / TRUTH, index=False)
        (temporary / MARKER).write_text(_notice(plan), encoding="utf-8")
        _replace(folder, temporary)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _refuse_others(folder: Path) -> None:
    """Refuse a folder that holds what is not ours to replace."""
    if folder.exists() and not folder.is_dir():
        raise ContractError(f"{folder.name} is a file, must be a folder; choose another name.")
    contents = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    foreign = sorted(contents - _OURS)
    if contents and (foreign or MARKER not in contents):
        raise ContractError(
            f"folder {folder.name} holds {foreign[0] if foreign else sorted(contents)[0]}, must be "
            "empty or hold invented returns only; choose another folder."
        )


def _replace(folder: Path, temporary: Path) -> None:
    """Put the finished folder in place; the old one goes only once the new one is there."""
    if not folder.exists():
        temporary.rename(folder)
        return
    old = temporary.with_name(f"{temporary.name}-old")
    folder.rename(old)
    try:
        temporary.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old)


def _write_tables(folder: Path, authority: Authority, kind: FileFormat) -> None:
    for name, table in authority.tables.items():
        path = folder / f"{name}.{kind}"
        columns = pa.Table.from_pandas(_with_days(table), preserve_index=False)
        if kind == "parquet":
            pyarrow.parquet.write_table(columns, path, compression="zstd")
        else:
            options = pyarrow.csv.WriteOptions(quoting_style="needed")
            pyarrow.csv.write_csv(columns, path, write_options=options)


def _write_returns(folder: Path, authority: Authority, plan: Plan, *, name: str) -> None:
    """Write the files that an authority would hold, and the params of that name that read them."""
    from vsh_eval.synthetic.as_returns import upns_of, write_files

    (folder / _FILES).mkdir()
    files = write_files(folder / _FILES, authority)
    episodes = authority.tables["episodes"]
    episodes = episodes.assign(pupil_id=upns_of(episodes["pupil_id"]))
    files |= write_social_care(folder / _FILES, episodes)
    params = {
        "name": re.sub("[^a-z0-9]+", "-", name.lower()).strip("-") or "invented",
        "authority": {"code": plan.la_code, "name": plan.name},
        "source": {
            "kind": "returns",
            "files": {family: f"{_FILES}/{where}" for family, where in files.items()},
        },
        "years": {
            "first": plan.first,
            "last": plan.last,
            "baseline": min(year for year in plan.years if year not in NO_ATTENDANCE),
        },
    }
    (folder / _PARAMS).write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


def _with_days(table: pd.DataFrame) -> pd.DataFrame:
    """Write dates as days, without a time of day."""
    dates = table.select_dtypes("datetime").columns
    days = {
        column: pd.array(table[column].dt.date, dtype=pd.ArrowDtype(pa.date32()))
        for column in dates
    }
    return table.assign(**days)


def _notice(plan: Plan) -> str:
    return (
        f"SYNTHETIC: the returns of {plan.name} ({plan.la_code}) are invented.\n"
        "No child, school or member of staff in these files exists. Levels and trends follow\n"
        "figures published for England; everything else is drawn at random.\n\n"
        f"{plan}\n"
    )
