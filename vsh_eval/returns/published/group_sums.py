"""Groups that are sums of published groups: counts are added, rates made anew from the sums."""

from collections.abc import Sequence
from functools import reduce

import pandas as pd

from vsh_eval import names, registry
from vsh_eval.contracts import (
    ContractError,
    require_columns,
    require_one_of,
    require_one_vintage,
)
from vsh_eval.returns.published.symbols import strongest

_KEYS = [key for key in names.PANEL_KEYS if key != "group"]


def combined(panel: pd.DataFrame, *, group: str = names.CWSW) -> pd.DataFrame:
    """Return the panel's rows of a group that is the sum of others, for example cin + cpp.

    Parameters
    ----------
    panel : DataFrame
        A panel of one vintage and one cohort rule, with every part of the group.
    group : str, default "cwsw"
        A key of ``names.GROUP_SUMS``.

    Returns
    -------
    DataFrame
        The panel's columns, one row for each unit, year, phase and metric that any part has, sorted
        by the panel's keys. Pupils, numerators and denominators are sums of the parts'; ``rate``
        is scale x numerator / denominator in the metric's unit, unrounded, and never an average
        of rates. A number that one part does not show is missing, and ``status`` is the strongest
        symbol of the parts, ``c`` before all others; a part without a row counts as ``x``. A part
        without pupils (``z``, 0 pupils) adds nothing; a sum of such parts is ``z`` itself. A
        part whose rate alone is ``low`` has its counts added as they are.

    Raises
    ------
    ContractError
        If the group is not a sum, the panel lacks a part, or a row stands twice.
    VintageError, CohortRuleError
        If the panel holds two vintages or cohort rules.

    Examples
    --------
    >>> key = dict(source="published", vintage="2024/25 release", cohort_rule="at_31_march",
    ...            level="la", unit_id="E06000049", time_period=202425, phase="total",
    ...            metric="persistent_absence", status="")
    >>> none = dict(sum_yy=None, sum_xy=None, sum_xx=None)
    >>> panel = pd.DataFrame([
    ...     dict(key, group="cin", pupils=600, numerator=270, denominator=600, rate=45.0, **none),
    ...     dict(key, group="cpp", pupils=200, numerator=110, denominator=200, rate=55.0, **none),
    ... ])
    >>> combined(panel)[["group", "pupils", "numerator", "rate"]].to_dict("records")
    [{'group': 'cwsw', 'pupils': 800, 'numerator': 380.0, 'rate': 47.5}]
    """
    require_columns(panel, names.PANEL_COLUMNS, name="panel")
    require_one_of(group, names.GROUP_SUMS, name="group")
    members = names.GROUP_SUMS[group]
    rows = panel.loc[panel["group"].isin(list(members))]
    _refuse_unsummable(panel, rows, members=members, group=group)
    require_one_vintage(rows)
    index = pd.MultiIndex.from_frame(rows[_KEYS].drop_duplicates())
    parts = [_part(rows, member=member, index=index) for member in members]
    status = _status(parts)
    sums = reduce(pd.DataFrame.add, (part[list(names.PANEL_SUMS)] for part in parts))
    nobody = status.eq(names.NOT_APPLICABLE)
    sums[["numerator", "denominator"]] = sums[["numerator", "denominator"]].mask(nobody)
    added = sums.assign(group=group, status=status, rate=_rate(sums, status=status))
    return (
        added.reset_index()[list(names.PANEL_COLUMNS)]
        .sort_values(list(names.PANEL_KEYS), ignore_index=True)
        .astype({"pupils": "Int64", "denominator": "Int64"})
    )


def _refuse_unsummable(
    panel: pd.DataFrame, rows: pd.DataFrame, *, members: Sequence[str], group: str
) -> None:
    absent = [member for member in members if not rows["group"].eq(member).any()]
    if absent:
        raise ContractError(
            f"group {group} is the sum of {', '.join(members)} and the panel has no rows of "
            f"{', '.join(absent)}; it has {', '.join(sorted(panel['group'].unique()))}."
        )
    repeated = int(rows.duplicated([*_KEYS, "group"]).sum())
    if repeated:
        raise ContractError(
            f"panel repeats {repeated} rows of the parts of {group}, must hold each key once; "
            "drop the repeats."
        )


def _part(rows: pd.DataFrame, *, member: str, index: pd.MultiIndex) -> pd.DataFrame:
    """Line one group's rows up with the sum's; no pupils means nothing to add."""
    own = rows.loc[rows["group"].eq(member)].set_index(_KEYS)
    sums = own[list(names.PANEL_SUMS)].astype("float64")
    empty = own["status"].eq(names.NOT_APPLICABLE) & sums["pupils"].eq(0)
    sums.loc[empty, ["numerator", "denominator"]] = 0.0
    part = sums.assign(status=own["status"], empty=empty).reindex(index)
    return part.assign(
        status=part["status"].fillna(names.UNAVAILABLE), empty=part["empty"].eq(other=True)
    )


def _status(parts: Sequence[pd.DataFrame]) -> pd.Series:
    """Keep the strongest symbol of the parts that could not be added whole."""
    symbols = []
    for part in parts:
        whole = part[["pupils", "numerator", "denominator"]].notna().all(axis=1)
        added = part["empty"] | (whole & part["status"].eq(names.LOW))
        symbols.append(part["status"].mask(added, ""))
    nobody = pd.concat([part["empty"] for part in parts], axis=1).all(axis=1)
    return strongest(*symbols).mask(nobody, names.NOT_APPLICABLE)


def _rate(sums: pd.DataFrame, *, status: pd.Series) -> pd.Series:
    metric = sums.index.get_level_values("metric")
    scale = metric.map({name: registry.metric(name).scale for name in metric.unique()})
    shown = status.eq("") & sums["denominator"].gt(0)
    return (sums["numerator"] * scale.to_numpy() / sums["denominator"]).where(shown)
