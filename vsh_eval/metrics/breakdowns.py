"""How wide the gap is among girls and boys, by SEN status, free school meals and key stage."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.contracts import require_one_of
from vsh_eval.metrics.clusters import Moments, Schools, SchoolTables, school_tables
from vsh_eval.metrics.door import Entry
from vsh_eval.metrics.gaps import GAP_COLUMNS, gap_columns, require_two_groups
from vsh_eval.metrics.measured import difference, log_ratio
from vsh_eval.metrics.strata import Strata, enter_composition, strata_of
from vsh_eval.metrics.strata_levels import as_one_school, two_levels
from vsh_eval.metrics.tables import Columns, same_text, table
from vsh_eval.registry import Metric

BREAKDOWN_COLUMNS = (*GAP_COLUMNS[:4], "breakdown", "value", *GAP_COLUMNS[4:])
_TEXTS = (
    *("geographic_level", "unit_id", "phase", "metric", "breakdown", "value"),
    *("group", "reference", "unit", "gap_unit", "status"),
)


def gaps_by(
    composition: pd.DataFrame,
    *,
    by: str,
    group: str,
    reference: str,
    moments: Moments | None = None,
    metrics: Sequence[str] | None = None,
    unit_id: str = "",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Measure the gap within each value of one characteristic, all phases together.

    Parameters
    ----------
    composition : DataFrame
        The authority's strata of pupils (`vsh_eval.names.COMPOSITION_COLUMNS`).
    by : {"sex", "fsm6", "sen", "key_stage"}
        The characteristic. Key stages go by national curriculum year: early years up to 0, 1 and
        2, 3 to 6, 7 to 9, 10 and 11, post 16.
    group, reference : str
        Whose level is compared with whose, as for `gaps`.
    moments : Moments, optional
        How far the same pupils' schools differ, and how many they are. Without it pupils count as
        independent, and intervals are too narrow.
    metrics : sequence of str, optional
        Metrics by name; all of the table's if not given. A metric of one key stage has no rows by
        key stage.
    unit_id : str
        The authority's code.
    alpha : float
        One less the coverage of the intervals.

    Returns
    -------
    DataFrame
        The columns of `gaps` with ``breakdown`` and ``value``, phase ``total``; one row for each
        metric, year and value that any pupil of the table has. Denominator: the sum of x over the
        group's pupils with that value. Where nobody has it, level and gap are NaN and the status is
        z; where the metric has no data, x. Numbers of schools and the largest one's share are
        NA without moments.

    Raises
    ------
    ContractError
        If ``by`` is unknown, group and reference are the same, a table is against its contract, or
        two of them count different pupils.
    VintageError, CohortRuleError
        If two vintages or cohort rules stand side by side.

    Notes
    -----
    As `gaps`, clustered by school, from sums over schools of products in place of the schools
    themselves (`vsh_eval.metrics.strata_levels`): rows by school and stratum would be single
    children, so they are not kept. A value that every pupil has gives the row of `gaps`.

    Examples
    --------
    >>> row = {"source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...        "level": "la", "unit_id": "E1", "time_period": 202425, "phase": "primary",
    ...        "metric": "persistent_absence", "sen": "N", "fsm6": 0, "year_group": 4,
    ...        "rate": None, "status": ""}
    >>> cells = [("cin", "F", 20, 8), ("cin", "M", 20, 6), ("peers", "F", 300, 30),
    ...          ("peers", "M", 300, 45)]
    >>> composition = pd.DataFrame([
    ...     row | {"group": g, "sex": s, "pupils": n, "numerator": y, "denominator": n,
    ...            "sum_yy": y, "sum_xy": y, "sum_xx": n} for g, s, n, y in cells])
    >>> found = gaps_by(composition, by="sex", group="cwsw", reference="peers")
    >>> found[["value", "group_level", "reference_level", "gap"]]
       value  group_level  reference_level   gap
    0  girls         40.0             10.0  30.0
    1   boys         30.0             15.0  15.0
    """
    require_one_of(by, names.BREAKDOWNS, name="by")
    entry = enter_composition(composition, groups=(group, reference), metrics=metrics, alpha=alpha)
    require_two_groups(group, reference)
    tables = school_tables(moments, entry)
    blocks = [
        _block(strata, (by, value), (group, reference), schools, unit_id=unit_id, alpha=alpha)
        for value, strata, schools in _by_value(entry, by, tables)
    ]
    return table(blocks or [_empty()], BREAKDOWN_COLUMNS, entry=entry)


def _by_value(
    entry: Entry, by: str, tables: SchoolTables | None
) -> Iterator[tuple[str, Strata, Schools | None]]:
    family = next(name for name, axes in names.MOMENT_AXES.items() if by in axes)
    for strata in strata_of(entry, [by]):
        if by == "key_stage" and _of_one_key_stage(strata.metric):
            continue
        clusters = tables and tables.of(strata.metric.name, family)
        for value in strata.labels[0]:
            schools = clusters and Schools(clusters, names.TOTAL, by, value)
            yield value, strata.only(by, value), schools


def _of_one_key_stage(metric: Metric) -> bool:
    return len({names.BREAKDOWNS["key_stage"][year] for year in metric.year_groups}) == 1


def _block(
    strata: Strata,
    breakdown: tuple[str, str],
    groups: tuple[str, str],
    schools: Schools | None,
    *,
    unit_id: str,
    alpha: float,
) -> Columns:
    """Return one metric's gaps among the pupils of one value."""
    first, second = two_levels(strata, groups, schools, alpha=alpha)
    gap = difference(first, second, metric=strata.metric, same_pupils=True, alpha=alpha)
    relative = log_ratio(first, second, same_pupils=True, alpha=alpha)
    cells = as_one_school(strata, unit_id)
    return {
        **gap_columns(cells, groups, (first, second), gap, relative),
        **same_text(len(gap.value), breakdown=breakdown[0], value=breakdown[1]),
    }


def _empty() -> Mapping[str, NDArray]:
    """Return a block without rows, where no metric can be broken down."""
    kinds = {"time_period": np.int64, "comparable": np.bool_} | dict.fromkeys(_TEXTS, object)
    return {name: np.empty(0, dtype=kinds.get(name, np.float64)) for name in BREAKDOWN_COLUMNS}
