"""A gap in attendance in what a family would count: sessions and days a pupil a year."""

import pandas as pd

from vsh_eval import registry
from vsh_eval.contracts import ContractError, require_columns
from vsh_eval.metrics.door import RETURNS
from vsh_eval.metrics.levels import levels

SESSION_COLUMNS = (
    "geographic_level",
    "unit_id",
    "time_period",
    "phase",
    "metric",
    "group",
    "reference",
    "group_pupils",
    "reference_pupils",
    "sessions_possible",
    "gap",
    "gap_lower",
    "gap_upper",
    "gap_std_error",
    "df",
    "sessions",
    "sessions_lower",
    "sessions_upper",
    "days",
    "days_lower",
    "days_upper",
    "unit",
    "gap_unit",
    "source",
    "vintage",
    "cohort_rule",
    "comparable",
    "status",
)
_KEYS = ["geographic_level", "unit_id", "time_period", "phase", "metric", "group"]
_SESSIONS_A_DAY = 2


def sessions_and_days(found: pd.DataFrame, panel: pd.DataFrame) -> pd.DataFrame:
    """Say a gap in absence as sessions (half days) and days missed by a pupil in a year.

    Parameters
    ----------
    found : DataFrame
        Gaps, from `gaps` or `gap_table`. Rows of metrics that do not count sessions are left out.
    panel : DataFrame
        The panel they were measured on.

    Returns
    -------
    DataFrame
        `SESSION_COLUMNS`, one row for each gap. `sessions_possible` is the group's mean of possible
        sessions a pupil in the year; `sessions` = gap / 100 x sessions_possible is how many more
        (or, under zero, fewer) of them a pupil of the group misses than at the reference's rate;
        `days` are half of it. NaN where the gap is, with its status.

    Raises
    ------
    ContractError
        If no row counts sessions, or the table or the panel is against its contract.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

    Notes
    -----
    The possible sessions are taken as known: their mean hardly varies between draws (about 351,
    SD 9, between authorities), so the interval is the gap's in another unit. A pupil who
    moves counts once in each school, with that school's sessions. For attendance only: it is never
    given in months of progress.

    Examples
    --------
    >>> from vsh_eval.metrics.gaps import gaps
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": ["1", "1", "2", "2"], "time_period": 202425,
    ...     "phase": "primary", "group": ["cin", "peers"] * 2, "metric": "overall_absence",
    ...     "pupils": [2, 20, 3, 30], "numerator": [60.0, 300.0, 120.0, 450.0],
    ...     "denominator": [600.0, 6000.0, 900.0, 9000.0],
    ...     "sum_yy": 0.0, "sum_xy": 0.0, "sum_xx": 0.0, "rate": float("nan"), "status": "",
    ... })
    >>> found = sessions_and_days(gaps(panel, group="cwsw", reference="peers"), panel)
    >>> found.loc[0, ["gap", "sessions_possible", "sessions", "days"]].round(2).tolist()
    [7.0, 300.0, 21.0, 10.5]
    """
    require_columns(found, (*_KEYS, "reference", "gap", "gap_lower", "gap_upper"), name="gaps")
    counts = {str(name): registry.metric(str(name)).counts for name in found["metric"].unique()}
    rows = found[found["metric"].map(counts) == "sessions"]
    if rows.empty:
        raise ContractError(
            "the gaps have no metric that counts sessions, must have one such as overall_absence; "
            "give attainment with effect_sizes."
        )
    code = str(rows["unit_id"].iloc[0]) if (rows["source"] == RETURNS).all() else ""
    measured = levels(
        panel,
        groups=list(rows["group"].unique()),
        metrics=list(rows["metric"].unique()),
        unit_id=code,
    )
    possible = measured["denominator"] / measured["pupils"].astype("Float64").astype("float64")
    one_each = measured[_KEYS].assign(sessions_possible=possible)
    joined = rows.merge(one_each, how="left", on=_KEYS, validate="many_to_one")
    for limit in ("", "_lower", "_upper"):
        sessions = joined[f"gap{limit}"] / 100 * joined["sessions_possible"]
        joined[f"sessions{limit}"] = sessions
        joined[f"days{limit}"] = sessions / _SESSIONS_A_DAY
    return joined[list(SESSION_COLUMNS)]
