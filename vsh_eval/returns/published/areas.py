"""The areas of the published tables: codes, names, the region each lies in, and neighbours."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import ContractError, require_columns
from vsh_eval.returns.published.reading import read_text
from vsh_eval.returns.reorganised import RECODED

AREA_COLUMNS = ("unit_id", "name", "old_la_code", "level", "region_id", "region_name")
NEIGHBOUR_COLUMNS = ("unit_id", "neighbour_id", "rank", "closeness")
_RANKS = range(1, 11)

LONDON = "E12000007"
LONDON_PARTS = ("E13000001", "E13000002")
"""Inner and Outer London: published beside London, so counting all three counts it twice."""

LEVELS = {"National": names.NATIONAL, "Regional": names.REGION, "Local authority": names.LA}
"""DfE's geographic levels, and ours."""

_CODES = {names.NATIONAL: "country_code", names.REGION: "region_code", names.LA: "new_la_code"}
_NAMES = {names.NATIONAL: "country_name", names.REGION: "region_name", names.LA: "la_name"}


def with_units(table: pd.DataFrame, *, origin: str) -> pd.DataFrame:
    """Give each row of a DfE file its level and the ONS code of its area.

    Parameters
    ----------
    table : DataFrame
        Rows with DfE's geographic columns, as text.
    origin : str
        The file's name, used in errors.

    Returns
    -------
    DataFrame
        The rows with ``level`` and ``unit_id`` added.

    Raises
    ------
    ContractError
        If a geographic level is unknown or an area has no code.
    """
    strange = sorted(set(table["geographic_level"]) - set(LEVELS))
    if strange:
        raise ContractError(
            f"{origin}: geographic_level is {strange[0]!r}, must be one of {', '.join(LEVELS)}; "
            "take out the rows of other levels."
        )
    level = table["geographic_level"].replace(LEVELS)
    unit_id = _of_level(table, level, _CODES)
    if unit_id.eq("").any():
        raise ContractError(
            f"{origin}: {int(unit_id.eq('').sum())} rows have no code for their area, must have an "
            "ONS code; download the file again."
        )
    # An area that has both its codes in a file is one series under the later one.
    recoded = {old: new for old, new in RECODED.items() if new in set(unit_id)}
    return table.assign(level=level, unit_id=unit_id.replace(recoded))


def areas_of(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """List every area of some files once, as last written.

    Parameters
    ----------
    tables : iterable of DataFrame
        Rows from `with_units`, with ``time_period``.

    Returns
    -------
    DataFrame
        ``AREA_COLUMNS``, sorted by ``unit_id``. A reorganised authority keeps its own code. London
        boroughs, and Inner and Outer London themselves, lie in the region London: a region row
        whose ``region_id`` is not its own is a part of that region. England has no region ('').
    """
    rows = pd.concat(list(tables), ignore_index=True)
    last = rows.sort_values("time_period", kind="stable").drop_duplicates("unit_id", keep="last")
    in_london = last["region_code"].isin(LONDON_PARTS)
    listed = pd.DataFrame(
        {
            "unit_id": last["unit_id"],
            "name": _of_level(last, last["level"], _NAMES),
            "old_la_code": last["old_la_code"].where(last["level"].eq(names.LA), ""),
            "level": last["level"],
            "region_id": last["region_code"].mask(in_london, LONDON),
            "region_name": last["region_name"].mask(in_london, "London"),
        }
    )
    return listed.sort_values("unit_id", ignore_index=True)


def read_neighbours(path: Path, *, areas: pd.DataFrame) -> pd.DataFrame:
    """Read the ten statistical neighbours of each authority in DfE's children's services model.

    Parameters
    ----------
    path : Path
        A wide CSV with ``old_la_code`` and, for ranks 1 to 10, ``SN_1`` (code) and ``SN_1P``
        (closeness).
    areas : DataFrame
        Areas of the release, for their ONS codes.

    Returns
    -------
    DataFrame
        ``NEIGHBOUR_COLUMNS``, one row a pair, sorted by unit and rank (1 is the closest). A pair
        with an authority that the release does not know is left out; ranks stay as published.

    Raises
    ------
    ContractError
        If a column is missing.
    """
    wide = read_text(path)
    pairs = [f"SN_{rank}{end}" for rank in _RANKS for end in ("", "P")]
    require_columns(wide, ["old_la_code", *pairs], name=path.name)
    local = areas.loc[areas["old_la_code"].ne("")]
    codes = dict(zip(local["old_la_code"], local["unit_id"], strict=True))
    long = pd.concat(
        [
            pd.DataFrame(
                {
                    "unit_id": wide["old_la_code"].map(codes),
                    "neighbour_id": wide[f"SN_{rank}"].str.strip().map(codes),
                    "rank": rank,
                    "closeness": wide[f"SN_{rank}P"].str.strip(),
                }
            )
            for rank in _RANKS
        ]
    )
    return long.dropna().sort_values(["unit_id", "rank"], ignore_index=True)


def no_neighbours() -> pd.DataFrame:
    """Return the table of neighbours where no file was given: its columns and no row."""
    kinds = dict.fromkeys(NEIGHBOUR_COLUMNS, "str") | {"rank": "int64"}
    return pd.DataFrame(columns=list(kinds)).astype(kinds)


def _of_level(table: pd.DataFrame, level: pd.Series, columns: dict[str, str]) -> pd.Series:
    """Take from each row the column that belongs to its level."""
    chosen = np.select(
        [level.eq(name).to_numpy() for name in columns],
        [table[column].to_numpy(dtype=object) for column in columns.values()],
        default="",
    )
    return pd.Series(chosen, index=table.index, dtype="str")
