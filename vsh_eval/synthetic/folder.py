"""Write an invented authority to a folder: whole or not at all."""

import shutil
from pathlib import Path
from typing import Literal, get_args
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from vsh_eval.contracts import RETURNS, ContractError, require_one_of
from vsh_eval.synthetic.authority import Authority, invent
from vsh_eval.synthetic.plan import Plan

FileFormat = Literal["parquet", "csv"]
MARKER = "SYNTHETIC.txt"
TRUTH = "truth.csv"

_FORMATS = get_args(FileFormat)
_OURS = {MARKER, TRUTH} | {f"{table}.{ending}" for table in RETURNS for ending in _FORMATS}


def synthesise(
    folder: Path | str, plan: Plan | None = None, *, format: FileFormat = "parquet"
) -> Path:
    """Invent an authority and write its returns.

    Parameters
    ----------
    folder : Path or str
        Where to; made if it does not exist, replaced if it was made by this function.
    plan : Plan, optional
        What the authority is to be like.
    format : {"parquet", "csv"}
        One file a table. CSV writes dates as ISO and blanks as nothing.

    Returns
    -------
    Path
        The folder: the tables, ``truth.csv`` (the effect that was planted) and ``SYNTHETIC.txt``,
        which says that all of it is invented. It is written beside and renamed into place, so it
        is never there in part; the same plan gives the same bytes.

    Raises
    ------
    ContractError
        If the folder is a file, or holds anything this function did not write.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     made = synthesise(Path(parent) / "returns", Plan(schools=10, first=202223, adoption=(
    ...         202324,)), format="csv")
    ...     sorted(path.name for path in made.iterdir())[:3]
    ['SYNTHETIC.txt', 'attainment.csv', 'attendance.csv']
    """
    folder = Path(folder)
    require_one_of(format, _FORMATS, name="format")
    _refuse_others(folder)
    authority = invent(plan)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = folder.parent / f".{folder.name}-{uuid4().hex}"
    try:
        beside.mkdir()
        _write(beside, authority, plan or Plan(), format)
        _replace(folder, beside)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def _refuse_others(folder: Path) -> None:
    """Refuse a folder that holds what is not ours to replace."""
    if folder.exists() and not folder.is_dir():
        raise ContractError(f"{folder.name} is a file, must be a folder; choose another name.")
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    foreign = sorted(found - _OURS)
    if found and (foreign or MARKER not in found):
        raise ContractError(
            f"folder {folder.name} holds {foreign[0] if foreign else sorted(found)[0]}, must be "
            "empty or hold invented returns only; choose another folder."
        )


def _replace(folder: Path, beside: Path) -> None:
    """Put the finished folder in place; the old one goes only once the new one is there."""
    if not folder.exists():
        beside.rename(folder)
        return
    old = beside.with_name(f"{beside.name}-old")
    folder.rename(old)
    try:
        beside.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old)


def _write(folder: Path, authority: Authority, plan: Plan, kind: FileFormat) -> None:
    for name, table in authority.tables.items():
        path = folder / f"{name}.{kind}"
        columns = pa.Table.from_pandas(_with_days(table), preserve_index=False)
        if kind == "parquet":
            pyarrow.parquet.write_table(columns, path, compression="zstd")
        else:
            options = pyarrow.csv.WriteOptions(quoting_style="needed")
            pyarrow.csv.write_csv(columns, path, write_options=options)
    authority.truth.to_csv(folder / TRUTH, index=False)
    (folder / MARKER).write_text(_notice(plan), encoding="utf-8")


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
