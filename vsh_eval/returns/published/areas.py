"""The areas of the published tables: codes, names and the region each lies in."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import ContractError

AREA_COLUMNS = ("unit_id", "name", "old_la_code", "level", "region_id", "region_name")

LONDON = "E12000007"
LONDON_PARTS = ("E13000001", "E13000002")
"""Inner and Outer London: published beside London, so counting all three counts it twice."""

LEVELS = {
    "National": names.NATIONAL,
    "Regional": names.REGION,
    "Local authority": names.LA,
}
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
    return table.assign(level=level, unit_id=unit_id)


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


def _of_level(table: pd.DataFrame, level: pd.Series, columns: dict[str, str]) -> pd.Series:
    """Take from each row the column that belongs to its level."""
    chosen = np.select(
        [level.eq(name).to_numpy() for name in columns],
        [table[column].to_numpy(dtype=object) for column in columns.values()],
        default="",
    )
    return pd.Series(chosen, index=table.index, dtype="str")
