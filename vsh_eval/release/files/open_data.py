"""Released tables as DfE's open data standard asks: tidy CSV with a metadata file beside it."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from vsh_eval import names
from vsh_eval.columns import COUNTS, DESCRIBING, PROPORTIONS, ROLES, YEARS, Role, role_of
from vsh_eval.contracts import ContractError, Gate, require_columns
from vsh_eval.release.disclosure.safe_table import SafeTable, read_back, require_safe
from vsh_eval.release.pages.report import write_whole
from vsh_eval.release.rows import Row, records, status_of
from vsh_eval.release.text.phrases.labels import column_label, is_missing

TIME = ("time_period", "time_identifier")
GEOGRAPHY = (
    "geographic_level",
    "country_code",
    "country_name",
    "region_code",
    "region_name",
    "old_la_code",
    "new_la_code",
    "la_name",
)
_LEVELS = MappingProxyType(
    {names.LA: "Local authority", names.REGION: "Regional", names.NATIONAL: "National"}
)
_COUNTRY = ("E92000001", "England")

TABLE_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "gaps": (
            *("phase", "metric", "group", "reference", "group_pupils", "reference_pupils"),
            *("group_level", "group_level_lower", "group_level_upper"),
            *("reference_level", "reference_level_lower", "reference_level_upper"),
            *("gap", "gap_lower", "gap_upper", "ratio", "ratio_lower", "ratio_upper"),
            *("unit", "cohort_rule", "vintage", "status"),
        ),
        "impact": (
            *("role", "metric", "programme", "tier", "phase", "estimator", "comparison"),
            *("aggregation", "index", "estimate", "std_error", "ci_lower", "ci_upper"),
            *("band_lower", "band_upper", "p_value", "p_adjusted"),
            *("schools_treated", "schools_comparison", "pupils", "status"),
        ),
    }
)
"""Columns fixed for readers outside; every other table is written with the columns it has."""
IMPACT_EXTRAS = (
    *("df", "protocol", "subgroup", "part", "mde", "donors", "placebos"),
    *("left_out", "suppressed", "own_suppressed", "reason"),
)
"""Columns that stand behind the fixed ones of ``impact`` where the run has them."""

_META_COLUMNS = (
    *("col_name", "col_type", "label", "indicator_grouping", "indicator_unit", "indicator_dp"),
    *("filter_hint", "filter_grouping_column", "filter_default"),
)
_FINE = frozenset(
    {
        *("estimate", "std_error", "ci_lower", "ci_upper", "band_lower", "band_upper", "mde"),
        *("value", "limit"),
    }
)
"""Numbers of four decimals, as p values and ratios are; others have two. What a rule is judged by
may be a p value."""
_IN_WHOLE_POINTS = frozenset({"growth_share_schools", "growth_share_pupils"})
_SHOWN = "shown"
"""The status of a row whose numbers are all shown: DfE takes no blank filter."""
_DEFAULTS = (names.TOTAL, "any")
"""Values of a filter that stand for all its other values, as DfE's ``Total`` does."""
_FEWEST_LEVELS = 2
_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]*$")


@dataclass(frozen=True, slots=True)
class Area:
    """An area as DfE's files name it.

    Attributes
    ----------
    name : str
        The area's name.
    region_code, region_name : str
        The region an authority lies in, '' where it is not known.
    old_la_code : str
        The authority's three digits, '' where they are not known.
    """

    name: str
    region_code: str = ""
    region_name: str = ""
    old_la_code: str = ""


def write_table(safe: SafeTable, folder: Path, name: str, *, areas: Mapping[str, Area]) -> Path:
    """Write a safe table as tidy CSV, and ``<name>.meta.csv`` beside it.

    Parameters
    ----------
    safe : SafeTable
        Any safe table.
    folder : Path
        Where; it must exist.
    name : str
        Small letters, digits, - and _; ``gaps`` and ``impact`` have fixed columns.
    areas : mapping
        Areas by code (``unit_id``). A table with years but without areas is about the one area
        that is given.

    Returns
    -------
    Path
        The CSV. Rates and gaps have at most two decimals, estimates four, and none that are idle
        zeros; a number that is not shown is the row's symbol, a p value that rounds to zero is
        ``low``, an index or a text that does not apply is ``z``. The status of a row whose numbers
        are shown is ``shown``.

    Raises
    ------
    DisclosureError
        If the table did not come through `vsh_eval.release.disclosure.release_table`.
    ContractError
        If the name is against its rule, a column is missing, or an area has no name.
    """
    if not _NAME.match(name):
        raise ContractError(
            f"name is {name!r}, must be small letters, digits, - and _; choose another name."
        )
    rows = records(require_safe(safe))
    have = [str(column) for column in safe.frame.columns]
    own = TABLE_COLUMNS.get(name) or tuple(
        c for c in have if c not in {*TIME, *GEOGRAPHY, "unit_id"}
    )
    if name == "impact":
        own = (*own, *(column for column in IMPACT_EXTRAS if column in have))
    require_columns(safe.frame, own, name=f"table {name}")
    places = [_place(row, areas) for row in rows]
    where = (*TIME, *GEOGRAPHY) if places and places[0] else ()
    if not where and "time_period" in have and "time_period" not in own:
        own = ("time_period", *own)
    columns = (*where, *own)
    lines = [
        [*(place[c] for c in where), *(_cell(column, row) for column in own)]
        for row, place in zip(rows, places, strict=True)
    ]
    path = folder / f"{name}.csv"
    write_whole(path, _csv(columns, lines))
    write_whole(folder / f"{name}.meta.csv", _csv(_META_COLUMNS, _meta(own, safe)))
    return path


def _place(row: Row, areas: Mapping[str, Area]) -> dict[str, str]:
    """Return the row's time and place in DfE's columns; nothing where it has none."""
    if "time_period" not in row or ("unit_id" not in row and len(areas) != 1):
        return {}
    code = str(row["unit_id"]) if "unit_id" in row else next(iter(areas))
    level = str(row.get("geographic_level", names.LA))
    place = {
        "time_period": str(int(row["time_period"])),
        "time_identifier": "Academic year",
        "geographic_level": _LEVELS.get(level, level),
        "country_code": _COUNTRY[0],
        "country_name": _COUNTRY[1],
        **dict.fromkeys(GEOGRAPHY[3:], ""),
    }
    if level == names.NATIONAL:
        return place
    if code not in areas:
        raise ContractError(
            f"area {code} has no name, must have one; add it to the areas that are handed over."
        )
    area = areas[code]
    if level == names.REGION:
        return place | {"region_code": code, "region_name": area.name}
    return place | {
        "region_code": area.region_code or names.UNAVAILABLE,
        "region_name": area.region_name or "Not available",
        "old_la_code": area.old_la_code or names.UNAVAILABLE,
        "new_la_code": code,
        "la_name": area.name,
    }


def _cell(column: str, row: Row) -> str:
    value = row[column]
    if isinstance(value, str):
        return value or _blank(column)
    if is_missing(value):
        return names.NOT_APPLICABLE if column == "index" else status_of(row)
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return str(value)
    written = f"{float(value):.{_decimals(column)}f}"
    # An idle zero says that more is known than is: protected numbers are rounded already.
    written = written.rstrip("0").rstrip(".") if "." in written else written
    if written in ("0", "-0"):
        return names.LOW if role_of(column) is Role.P_VALUE else "0"
    return written


def _blank(column: str) -> str:
    """Return what stands for an empty text."""
    return _SHOWN if column == "status" else names.NOT_APPLICABLE


@cache
def _decimals(column: str) -> int:
    role = role_of(column)
    if role in COUNTS or role in DESCRIBING or column in _IN_WHOLE_POINTS:
        return 0
    stem = column.removesuffix("_lower").removesuffix("_upper")
    fine = column in _FINE or role is Role.P_VALUE or ROLES.get(stem) is Role.RATIO
    return 4 if fine else 2


def _meta(columns: Sequence[str], safe: SafeTable) -> list[list[str]]:
    """Describe the columns but time and place: what filters, what is counted or measured.

    DfE's screener takes no filter of one value, which would choose nothing, so it is not described.
    """
    lines = []
    for column in columns:
        text = not pd.api.types.is_numeric_dtype(safe.frame[column])
        if role_of(column, text=text) in DESCRIBING:
            if safe.frame[column].nunique(dropna=False) < _FEWEST_LEVELS:
                continue
            default = _default(safe.frame[column])
            lines.append([column, "Filter", column_label(column), *[""] * 5, default])
        else:
            unit, decimals = _unit(column, safe.frame), str(_decimals(column))
            lines.append([column, "Indicator", column_label(column), "", unit, decimals, *[""] * 3])
    return lines


def _default(column: pd.Series) -> str:
    """Return the value of a filter to show first, that stands for all of them; '' without one."""
    return next((value for value in _DEFAULTS if column.eq(value).any()), "")


def _unit(column: str, frame: pd.DataFrame) -> str:
    """Return DfE's sign of a unit, '' for counts and where the rows' units differ."""
    role = ROLES.get(column.removesuffix("_lower").removesuffix("_upper"), role_of(column))
    if role is Role.SHARE and column not in PROPORTIONS:
        return "%"
    if role is Role.MONEY:
        return "£"
    if role is Role.DIFFERENCE and "gap_unit" in frame:
        return "pp" if set(frame["gap_unit"]) == {"percentage points"} else ""
    levels = ("level_value", "group_level", "reference_level", "matched_group_level")
    of_group = column.startswith((*levels, "matched_level"))
    return "%" if of_group and "unit" in frame and set(frame["unit"]) == {"%"} else ""


def _csv(head: Sequence[str], lines: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(lines)
    return text.getvalue().encode("utf-8")


def read_table(path: Path, *, gate: Gate, stamp: str = "") -> SafeTable:
    """Read a table of a release back.

    Parameters
    ----------
    path : Path
        A CSV that `write_table` wrote.
    gate : Gate
        How the table was made safe, which the file does not say.
    stamp : str
        What outputs must say about the data.

    Returns
    -------
    SafeTable
        As it was written: symbols are missing numbers again, but ``low`` is a p value of 0; and
        where the table has areas, ``unit_id`` and ``geographic_level`` are as in every other room.

    Raises
    ------
    ContractError
        If the file does not exist.
    """
    if not path.is_file():
        raise ContractError(
            f"table {path.name} does not exist, must be a CSV of a release; run the evaluation "
            "that writes it."
        )
    blanks_stay = {"keep_default_na": False, "encoding": "utf-8"}
    text = pd.read_csv(path, dtype=str, **blanks_stay)
    values = pd.read_csv(path, na_values=list(names.SYMBOLS), **blanks_stay)
    frame = pd.DataFrame({str(name): _column(text[name], values[name]) for name in text.columns})
    if "geographic_level" in frame:
        frame = _with_units(frame)
    return read_back(frame, path.stem, stamp, gate)


def _column(text: pd.Series, values: pd.Series) -> pd.Series:
    """Return numbers, NaN for each symbol, and give a column of anything else its blanks back."""
    name = str(text.name)
    if _is_text(name, values):
        return text.mask(text == _blank(name), "")
    numbers = pd.to_numeric(values)  # of no rows; all others are numbers already
    if role_of(name) is Role.P_VALUE:
        numbers = numbers.mask(text == names.LOW, 0.0)
    return numbers.astype("int64") if name == "time_period" else numbers


def _is_text(name: str, values: pd.Series) -> bool:
    """Whether a column is no column of numbers; one of symbols alone is as its name says."""
    if name.endswith("_code") or name in {"status", "vintage", "unit_id"}:
        return True
    if values.isna().all():
        return role_of(name) in DESCRIBING and name not in YEARS and name != "index"
    return values.dtype.kind not in "if"


def _with_units(frame: pd.DataFrame) -> pd.DataFrame:
    levels = {label: level for level, label in _LEVELS.items()}
    codes = {names.LA: "new_la_code", names.REGION: "region_code", names.NATIONAL: "country_code"}
    level = frame["geographic_level"].map(levels)
    units = pd.Series("", index=frame.index)
    for place, column in codes.items():
        units = units.mask(level == place, frame[column])
    return frame.assign(geographic_level=level, unit_id=units)
