"""Outcomes of schools from the panel: both levels beside the gap, and who was counted."""

import numpy as np
import pandas as pd

from vsh_eval import names, registry
from vsh_eval.contracts import DesignError, require_columns, require_one_of, require_one_vintage

WHICH = ("gap", "group", "reference")
_SUMS = ["numerator", "denominator", "pupils"]
LEVEL_COLUMNS = (
    "unit_id",
    "phase",
    "time_period",
    "metric",
    "group_level",
    "reference_level",
    "weight",
    "pupils",
    "reference_pupils",
)
_KEYS = ["unit_id", "phase", "time_period"]
_NEEDED = ("source", "vintage", "cohort_rule", *_KEYS, "group", "metric", *_SUMS)


def school_levels(panel: pd.DataFrame, *, metric: str, group: str, reference: str) -> pd.DataFrame:
    """Measure both levels of each school and year, on the cells of the within-school gap.

    Parameters
    ----------
    panel : DataFrame
        A panel of returns: rows are schools.
    metric : str
        The outcome, by its name in the registry.
    group, reference : str
        Groups of the panel or sums of them.

    Returns
    -------
    DataFrame
        unit_id, phase, time_period, metric, group_level, reference_level (in the metric's unit),
        weight (the group's denominator), pupils (the group's), reference_pupils; one row for each
        school and comparable year in which both groups have a denominator above 0.

    Raises
    ------
    ContractError
        If a column is missing, the metric unknown or the groups equal.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.
    DesignError
        If the panel has no school rows of this metric.

    Examples
    --------
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": "100001", "time_period": 202425, "phase": "primary",
    ...     "group": ["cin", "cpp", "peers"], "metric": "overall_absence", "pupils": [2, 1, 20],
    ...     "numerator": [60.0, 60.0, 300.0], "denominator": [600.0, 300.0, 6000.0]})
    >>> found = school_levels(panel, metric="overall_absence", group="cwsw", reference="peers")
    >>> found.loc[0, ["group_level", "reference_level", "weight"]].round(2).tolist()
    [13.33, 5.0, 900.0]
    """
    require_columns(panel, _NEEDED, name="panel")
    measure = registry.metric(metric)
    if group == reference:
        raise DesignError(
            f"group and reference are both {group!r}, must be two groups; name another reference."
        )
    rows = panel[panel["metric"].eq(metric) & panel["source"].eq("returns")]
    if rows.empty:
        raise DesignError(
            f"the panel has no school rows of {metric}, must have some; the returns may not hold "
            "it for these years."
        )
    require_one_vintage(rows)
    years = registry.comparable_years(metric, sorted({int(y) for y in rows["time_period"]}))
    rows = rows[rows["time_period"].isin(years)]
    first, second = group_sums(rows, group), group_sums(rows, reference)
    both = first.join(second.add_suffix("_reference"), how="inner")
    both = both[(both["denominator"] > 0) & (both["denominator_reference"] > 0)]
    return both.assign(
        metric=metric,
        group_level=measure.scale * both["numerator"] / both["denominator"],
        reference_level=measure.scale * both["numerator_reference"] / both["denominator_reference"],
        weight=both["denominator"],
        pupils=both["pupils"].astype("int64"),
        reference_pupils=both["pupils_reference"].astype("int64"),
    ).reset_index()[list(LEVEL_COLUMNS)]


def outcome_of(levels: pd.DataFrame, which: str) -> pd.DataFrame:
    """Choose the gap, the group's own level or the reference's own level as the outcome.

    All three have the same cells and weights, so the effect on the gap is exactly the effect on
    the group's level less the effect on the reference's: the triple difference made explicit.

    Parameters
    ----------
    levels : DataFrame
        From `school_levels`.
    which : {"gap", "group", "reference"}
        The outcome.

    Returns
    -------
    DataFrame
        As `prepare` takes it.

    Examples
    --------
    >>> levels = pd.DataFrame({"group_level": [13.0], "reference_level": [5.0]})
    >>> outcome_of(levels, "gap")["outcome"].tolist()
    [8.0]
    """
    require_one_of(which, WHICH, name="which")
    if which == "gap":
        return levels.assign(outcome=levels["group_level"] - levels["reference_level"])
    return levels.assign(outcome=levels[f"{which}_level"])


def group_sums(rows: pd.DataFrame, group: str) -> pd.DataFrame:
    """Sum a group's parts in each school and year, by unit_id, phase and time_period.

    Examples
    --------
    >>> rows = pd.DataFrame({"unit_id": "1", "phase": "primary", "time_period": 202425,
    ...     "group": ["cin", "cpp", "peers"], "numerator": 1.0, "denominator": 2.0, "pupils": 3})
    >>> group_sums(rows, "cwsw")["pupils"].tolist()
    [6.0]
    """
    parts = names.GROUP_SUMS.get(group, (group,))
    chosen = rows[rows["group"].isin(parts)]
    return chosen.astype(dict.fromkeys(_SUMS, np.float64)).groupby(_KEYS, sort=True)[_SUMS].sum()
