"""The gap within each school, the outcome that effects are estimated on. Stays internal."""

import numpy as np
import pandas as pd

from vsh_eval import registry
from vsh_eval.metrics.door import enter, leaves_of, require_returns
from vsh_eval.metrics.gaps import require_two_groups

SCHOOL_GAP_COLUMNS = (
    "unit_id",
    "phase",
    "time_period",
    "metric",
    "outcome",
    "weight",
    "pupils",
    "reference_pupils",
)
_SUMS = ["numerator", "denominator", "pupils"]


def school_gaps(panel: pd.DataFrame, *, metric: str, group: str, reference: str) -> pd.DataFrame:
    """Measure the gap within each school and year, so that what shocks a whole school cancels.

    Parameters
    ----------
    panel : DataFrame
        A panel of returns: rows are schools.
    metric : str
        The outcome, by its name in the registry.
    group, reference : str
        The gap is group minus reference; sums such as `cwsw` are made from their parts.

    Returns
    -------
    DataFrame
        `SCHOOL_GAP_COLUMNS`, one row for each school and year in which both groups have pupils,
        sorted. `outcome` is in the metric's gap unit; `weight` is the group's denominator
        (possible sessions for absence, pupils otherwise); `pupils` and `reference_pupils` count
        enrolments. Only years that the registry allows in a trend; no missing values.

    Raises
    ------
    ContractError
        If the panel is published (it has no schools), a name is unknown, or the groups are equal.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

    Notes
    -----
    outcome = scale x (Y / X of the group - Y / X of the reference) of one school in one year.

    Examples
    --------
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": "100001", "time_period": 202425, "phase": "primary",
    ...     "group": ["cin", "cpp", "peers"], "metric": "overall_absence", "pupils": [2, 1, 20],
    ...     "numerator": [60.0, 60.0, 300.0], "denominator": [600.0, 300.0, 6000.0],
    ...     "sum_yy": 0.0, "sum_xy": 0.0, "sum_xx": 0.0, "rate": float("nan"), "status": "",
    ... })
    >>> found = school_gaps(panel, metric="overall_absence", group="cwsw", reference="peers")
    >>> found.loc[0, ["outcome", "weight", "pupils"]].round(4).tolist()
    [8.3333, 900.0, 3.0]
    """
    entry = enter(panel, groups=(group, reference), metrics=[metric])
    require_two_groups(group, reference)
    require_returns(
        entry,
        "gaps within schools",
        why="have no schools, so compare areas with gaps instead",
    )
    measure = registry.metric(metric)
    rows = entry.panel
    rows = rows[rows["time_period"].isin(registry.comparable_years(metric, entry.years))]
    first, second = _sums(rows, group), _sums(rows, reference)
    both = first.join(second.add_suffix("_reference"), how="inner")
    both = both[(both["denominator"] > 0) & (both["denominator_reference"] > 0)]
    level = both["numerator"] / both["denominator"]
    beside = both["numerator_reference"] / both["denominator_reference"]
    return (
        both.assign(
            metric=metric,
            outcome=measure.scale * (level - beside),
            weight=both["denominator"],
            pupils=both["pupils"].astype("int64"),
            reference_pupils=both["pupils_reference"].astype("int64"),
        )
        .reset_index()
        .astype({"unit_id": "str", "phase": "str", "metric": "str"})[list(SCHOOL_GAP_COLUMNS)]
    )


def _sums(rows: pd.DataFrame, group: str) -> pd.DataFrame:
    """Sum a group's parts in each school and year, sorted by school and year."""
    chosen = rows[rows["group"].isin(leaves_of(group))]
    keys = ["unit_id", "phase", "time_period"]
    return chosen.astype(dict.fromkeys(_SUMS, np.float64)).groupby(keys, sort=True)[_SUMS].sum()
