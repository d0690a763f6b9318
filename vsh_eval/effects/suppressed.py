"""What a suppressed number could be: bounds, where published tables know no value."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsh_eval import names, registry
from vsh_eval.contracts import require_columns

Floats = npt.NDArray[np.float64]

MOST = 5
"""DfE suppresses counts of 1 to 5; nought and 6 upwards are shown."""
_ROUNDED = 5
"""Half of the 10 that counts of a region are rounded to."""

_ENDS = ("lowest", "highest")
_KEYS = ["unit_id", "time_period"]
_PANEL = ["level", *_KEYS, "phase", "group", "metric"]
_NUMBERS = ["pupils", "numerator", "denominator"]


def suppressed_values(
    panel: pd.DataFrame,
    gaps: pd.DataFrame,
    areas: pd.DataFrame,
    *,
    metric: str,
    phase: str = names.TOTAL,
    group: str = names.CWSW,
) -> pd.DataFrame:
    """Bound every suppressed gap of the authorities by what its hidden counts could be.

    Parameters
    ----------
    panel : DataFrame
        The published panel: the counts of the groups, by authority and region.
    gaps : DataFrame
        As for `effects.authority_panel`, with reference_level and status.
    areas : DataFrame
        unit_id, region_id.
    metric, phase, group : str
        Which.

    Returns
    -------
    DataFrame
        unit, time, lowest, highest (the gap, in its unit): one row for each suppressed gap in a
        comparable year whose range is known. A gap whose groups are all hidden, or that is not
        available (``x``), has no range and no row.

    Raises
    ------
    ContractError
        If a column is missing or the metric is unknown.

    Notes
    -----
    A hidden count of children whose denominator is shown is 1 to 5. It can be more where DfE hid a
    second number so that the first cannot be worked out: where a region's total, rounded to 10,
    leaves its hidden numbers more than 5 each, the most is what that total leaves. A hidden sum of
    points is anything the children's scores can add up to. Where the denominator is hidden too, the
    group has 1 to 5 children, each with as many sessions as a child of the group that is shown, and
    none or all of the outcome. A group of nobody (``z``, 0 pupils) adds nothing.

    In DfE's outcomes of children in need of 2025 (152 authorities, 2018/19 to 2024/25 without
    2019/20) this touches, of 913 gaps of children with a social worker, 9 in overall absence and
    17 in persistent absence (City of London, Isles of Scilly, Rutland, one year of Kensington and
    Chelsea) and 92 in severe absence (49 authorities, nearly always in child protection plans);
    481 of 762 in key stage 2 reading, writing and maths combined, 135 of 762 in Attainment 8. All
    but 1 to 2 in 100 of the absence gaps have a range, in severe absence mostly of 1 point. Where
    one or two hidden counts of a region can be checked against its total, they are nearly always
    1 to 5 each; in 3 cases a second number must have been hidden.
    """
    require_columns(panel, [*_PANEL, *_NUMBERS, "status"], name="panel")
    needed = ["geographic_level", *_KEYS, "phase", "metric", "group", "gap", "status"]
    require_columns(gaps, [*needed, "reference_level", "comparable"], name="gaps")
    require_columns(areas, ["unit_id", "region_id"], name="areas")
    entry = registry.metric(metric)
    asked = gaps["metric"].eq(metric) & gaps["phase"].eq(phase) & gaps["group"].eq(group)
    hidden = gaps[
        asked
        & gaps["geographic_level"].eq(names.LA)
        & gaps["comparable"].astype(bool)
        & gaps["gap"].isna()
        & gaps["status"].isin([names.CONFIDENTIAL, names.NOT_APPLICABLE])
        & gaps["reference_level"].notna()
    ]
    rows = panel[
        panel["metric"].eq(metric)
        & panel["phase"].eq(phase)
        & panel["group"].isin(_parts(group))
        & panel["level"].isin([names.LA, names.REGION])
    ]
    local = rows[rows["level"].eq(names.LA)]
    whole = local.groupby(_KEYS)["group"].transform("nunique").eq(len(_parts(group)))
    counts = _counts(local[whole], _most(rows, areas), entry)
    found = hidden[[*_KEYS, "reference_level"]].merge(counts, on=_KEYS, how="inner")
    table = pd.DataFrame({"unit": found["unit_id"].astype(str), "time": found["time_period"]})
    for end in _ENDS:
        level = entry.scale * found[f"y_{end}"] / found[f"x_{end}"].where(found[f"x_{end}"] > 0)
        table[end] = level - found["reference_level"]
    known = np.isfinite(table[["lowest", "highest"]]).all(axis=1)
    return table[known].reset_index(drop=True)


def with_suppressed_values(
    gaps: pd.DataFrame, panel: pd.DataFrame, areas: pd.DataFrame
) -> pd.DataFrame:
    """Give the gaps of children with a social worker the range of what is suppressed.

    Parameters
    ----------
    gaps, panel, areas : DataFrame
        As for `suppressed_values`.

    Returns
    -------
    DataFrame
        The gaps with gap_lowest and gap_highest, missing where nothing is suppressed or nothing
        is known of it.

    Raises
    ------
    ContractError
        If a column is missing or a metric is unknown.
    """
    found = [
        suppressed_values(panel, gaps, areas, metric=str(metric)).assign(metric=metric)
        for metric in gaps["metric"].unique()
    ]
    values = pd.concat(
        [pd.DataFrame(columns=["unit", "time", "metric", "lowest", "highest"]), *found]
    ).astype({"time": "int64", "lowest": float, "highest": float})
    names_of = {"unit": "unit_id", "time": "time_period"} | {e: f"gap_{e}" for e in _ENDS}
    keys = {"geographic_level": names.LA, "phase": names.TOTAL, "group": names.CWSW}
    bounds = values.rename(columns=names_of).assign(**keys)
    return gaps.merge(bounds, on=[*_KEYS, "metric", *keys], how="left")


def suppressed_of(gaps: pd.DataFrame, *, metric: str) -> pd.DataFrame:
    """Read back what `suppressed_values` found; empty where gaps have not gained it."""
    if "gap_lowest" not in gaps:
        return pd.DataFrame(columns=["unit", "time", *_ENDS])
    rows = gaps[gaps["metric"].eq(metric) & gaps["gap_lowest"].notna()]
    return pd.DataFrame(
        {
            "unit": rows["unit_id"].astype(str),
            "time": rows["time_period"],
            "lowest": rows["gap_lowest"],
            "highest": rows["gap_highest"],
        }
    ).reset_index(drop=True)


def own_suppressed(gaps: pd.DataFrame, *, metric: str, authority: str) -> int:
    """Count an authority's own suppressed gaps, in years that can be compared."""
    own = gaps[
        gaps["unit_id"].eq(authority)
        & gaps["metric"].eq(metric)
        & gaps["phase"].eq(names.TOTAL)
        & gaps["group"].eq(names.CWSW)
    ]
    comparable = own["comparable"].astype(bool)
    return int((comparable & own["gap"].isna() & own["status"].eq(names.CONFIDENTIAL)).sum())


def _parts(group: str) -> tuple[str, ...]:
    return names.GROUP_SUMS[group] if group == names.CWSW else (group,)


def _most(rows: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Return, by region, year and group, the most a hidden count can be."""
    local = rows[rows["level"].eq(names.LA)].merge(
        areas[["unit_id", "region_id"]].drop_duplicates("unit_id"), on="unit_id"
    )
    local = local.assign(
        hidden=_is_hidden(local) & local["denominator"].notna(),
        wholly=_is_hidden(local) & local["denominator"].isna(),
        absent=local["status"].eq(names.UNAVAILABLE),
    )
    keys = ["region_id", "time_period", "group"]
    sums = local.groupby(keys)[["numerator", "hidden", "wholly", "absent"]].sum().reset_index()
    printed = rows[rows["level"].eq(names.REGION)].rename(columns={"unit_id": "region_id"})
    both = sums.merge(printed[[*keys, "numerator"]], on=keys, how="left", suffixes=("", "_printed"))
    left = both["numerator_printed"] - both["numerator"]
    more = (left - _ROUNDED > MOST * (both["hidden"] + both["wholly"])) & both["absent"].eq(0)
    most = (left + _ROUNDED - (both["hidden"] - 1)).where(more, MOST)
    found = local[["unit_id", "region_id"]].drop_duplicates()
    return found.merge(both.assign(most=most)[[*keys, "most"]], on="region_id")


def _is_hidden(rows: pd.DataFrame) -> pd.Series:
    return rows["status"].eq(names.CONFIDENTIAL) & rows["numerator"].isna()


def _counts(rows: pd.DataFrame, most: pd.DataFrame, entry: registry.Metric) -> pd.DataFrame:
    """Return the sums of the groups that make the level lowest and highest."""
    table = rows.merge(most, on=["unit_id", "time_period", "group"], how="left")
    y, x, pupils = (table[name].astype("Float64").to_numpy(float, na_value=np.nan) for name in (
        "numerator", "denominator", "pupils",
    ))  # fmt: skip
    nobody = (x == 0) | (pupils == 0)
    hidden = _is_hidden(table).to_numpy(bool)
    partly, wholly = hidden & np.isfinite(x), hidden & np.isnan(x)
    # A child of the group that is shown stands for what a hidden child can have of a denominator.
    shown = table.assign(x=x, n=np.where(np.isfinite(x), pupils, np.nan)).groupby(_KEYS)
    each = (shown["x"].transform("sum") / shown["n"].transform("sum")).to_numpy(float)
    x = np.where(nobody, 0.0, np.where(wholly, MOST * each, x))
    y = np.where(nobody, 0.0, y)
    ends = {}
    for end, limit in (("lowest", entry.lowest), ("highest", entry.highest)):
        all_of_it = x * limit / entry.scale
        count = np.minimum(1.0 if end == "lowest" else table["most"].to_numpy(float), x)
        value = np.where(partly, count if entry.counts == "children" else all_of_it, y)
        ends[f"y_{end}"] = np.where(wholly, all_of_it, value)
        ends[f"x_{end}"] = x
    # A sum with an unknown part is unknown.
    grouped = table[_KEYS].assign(**ends).groupby(_KEYS)
    return grouped[list(ends)].agg(lambda part: part.sum(skipna=False)).reset_index()
