"""How high a metric is in each group, phase and year."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval.metrics.door import comparable, enter
from vsh_eval.metrics.tables import Cells, Columns, cells_of, table

LEVEL_COLUMNS = (
    "geographic_level",
    "unit_id",
    "time_period",
    "phase",
    "metric",
    "group",
    "pupils",
    "schools",
    "numerator",
    "denominator",
    "level_value",
    "lower",
    "upper",
    "std_error",
    "df",
    "largest_share",
    "unit",
    "source",
    "vintage",
    "cohort_rule",
    "comparable",
    "status",
)


def levels(
    panel: pd.DataFrame,
    *,
    groups: Sequence[str],
    metrics: Sequence[str] | None = None,
    unit_id: str = "",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Measure each group's level, by year and phase, with its interval.

    Level = scale x sum of numerators / sum of denominators: a ratio of sums, never a mean of
    schools or of pupils.

    Parameters
    ----------
    panel : DataFrame
        The panel, from an authority's returns (schools) or from published tables (areas).
    groups : sequence of str
        Groups to measure; `cwsw`, `ever_cwsw` and `all` are summed from their parts.
    metrics : sequence of str, optional
        Metrics by name; all of the panel's if not given.
    unit_id : str
        The authority's code, for a panel of returns. Published rows keep their own.
    alpha : float
        One less the coverage of the intervals.

    Returns
    -------
    DataFrame
        `LEVEL_COLUMNS`, one row for each area, metric, phase (and the total of phases), group and
        year. `level_value`, `lower`, `upper` and `std_error` are in `unit` (percentages 0 to 100);
        `largest_share` is the largest school's share of the pupils, 0 to 1; `comparable` is false
        where the registry says the year may not be used in a trend.
        A group without pupils has pupils 0, the level NaN and the status z. A metric without data
        in a year has NaN throughout and the status x, never 0. A sum with a suppressed part is c.

    Raises
    ------
    ContractError
        If a group, a metric or the panel is against its contract.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

    Notes
    -----
    Returns: variance clustered by school, t with schools less one degrees of freedom, on the logit
    scale for shares of children; the pupils of the school where there is only one; Wilson where no
    child or every child counts (the standard error is then NaN). Published:
    Wilson for metrics that count children; none for sessions and points, whose spread is not
    published. The published intervals take children as independent and so are rather too narrow.
    Intervals describe the process that produced the cohort, not the children who were in it.

    Examples
    --------
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": ["1", "2"], "time_period": 202425, "phase": "primary",
    ...     "group": "cin", "metric": "overall_absence", "pupils": [2, 3],
    ...     "numerator": [60.0, 90.0], "denominator": [600.0, 900.0],
    ...     "sum_yy": 0.0, "sum_xy": 0.0, "sum_xx": 0.0, "rate": float("nan"), "status": "",
    ... })
    >>> found = levels(panel, groups=["cin", "cwsw"])
    >>> found.loc[found["phase"] == "total", ["group", "pupils", "level_value"]]
      group  pupils  level_value
    2   cin       5         10.0
    3  cwsw       5         10.0
    """
    entry = enter(panel, groups=groups, metrics=metrics, alpha=alpha)
    blocks = [
        _block(cells, group, alpha=alpha)
        for cells in cells_of(entry, unit_id=unit_id)
        for group in groups
    ]
    return table(blocks, LEVEL_COLUMNS, entry=entry, groups=groups)


def _block(cells: Cells, group: str, *, alpha: float) -> Columns:
    """Return one group's rows of the table."""
    found = cells.measure(group, alpha=alpha)
    metric, scale = cells.metric, cells.metric.scale
    keys = cells.keys
    columns: dict[str, NDArray] = {
        **keys,
        "metric": np.full(found.level.shape, metric.name, dtype=object),
        "group": np.full(found.level.shape, group, dtype=object),
        "pupils": found.pupils,
        "schools": found.schools,
        "numerator": found.numerator,
        "denominator": found.denominator,
        "level_value": scale * found.level,
        "lower": scale * found.lower,
        "upper": scale * found.upper,
        "std_error": scale * found.std_error,
        "df": found.df,
        "largest_share": found.largest_share,
        "unit": np.full(found.level.shape, metric.unit, dtype=object),
        "comparable": comparable(metric, keys["time_period"].tolist()),
        "status": found.status,
    }
    return {name: values[found.present] for name, values in columns.items()}
