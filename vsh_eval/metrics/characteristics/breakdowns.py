"""How wide the gap is among girls and boys, by SEN status, free school meals and key stage."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.cells.level import difference, log_ratio
from vsh_eval.cells.tables import Columns, same_text, table
from vsh_eval.columns import released
from vsh_eval.contracts import produces, require_one_of
from vsh_eval.metrics.characteristics.clusters import Moments, Schools, SchoolTables, school_tables
from vsh_eval.metrics.characteristics.strata import Strata, strata_of, validate_composition
from vsh_eval.metrics.characteristics.strata_levels import as_one_school, two_levels
from vsh_eval.metrics.gaps import GAP_COLUMNS, gap_columns
from vsh_eval.panel import Comparison, Panel, PanelSlice
from vsh_eval.registry import Metric

BREAKDOWN_COLUMNS = (*GAP_COLUMNS[:4], "breakdown", "value", *GAP_COLUMNS[4:])
_TEXTS = (
    *("geographic_level", "unit_id", "phase", "metric", "breakdown", "value"),
    *("group", "reference", "unit", "gap_unit", "status"),
)


@produces("breakdown", released(BREAKDOWN_COLUMNS))
def gaps_by(
    composition: Panel, moments: Moments | None, comparison: Comparison, *, by: str
) -> pd.DataFrame:
    """Measure the gap within each value of one characteristic, all phases together.

    Parameters
    ----------
    composition : DataFrame or ProtectedTable
        The authority's strata of pupils (`vsh_eval.names.COMPOSITION_COLUMNS`).
    moments : Moments or None
        How far the same pupils' schools differ, and how many they are. None takes pupils as
        independent, which makes intervals too narrow.
    comparison : Comparison
        Group and reference, metrics, authority and coverage of the intervals.
    by : {"sex", "fsm6", "sen", "key_stage"}
        The characteristic. Key stages go by national curriculum year: early years up to 0, 1 and
        2, 3 to 6, 7 to 9, 10 and 11, post 16. A metric of one key stage has no rows by key stage.

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
        If ``by`` is unknown, a table is against its contract, or two count different pupils.
    VintageError, CohortRuleError
        If two vintages or cohort rules stand side by side.

    Notes
    -----
    As `gaps`, clustered by school, from sums over schools of products in place of the schools
    themselves (`strata_levels`): rows by school and stratum would be single children. A value that
    every pupil has gives the row of `gaps`.

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
    >>> found = gaps_by(composition, None, Comparison("cwsw", "peers"), by="sex")
    >>> found[["value", "group_level", "reference_level", "gap"]]
       value  group_level  reference_level   gap
    0  girls         40.0             10.0  30.0
    1   boys         30.0             15.0  15.0
    """
    require_one_of(by, names.BREAKDOWNS, name="by")
    sliced = validate_composition(composition, comparison)
    tables = school_tables(moments, sliced)
    blocks = [
        _block(strata, (by, value), comparison, schools)
        for value, strata, schools in _by_value(sliced, by, tables)
    ]
    return table(blocks or [_empty()], BREAKDOWN_COLUMNS, sliced=sliced)


def _by_value(
    sliced: PanelSlice, by: str, tables: SchoolTables | None
) -> Iterator[tuple[str, Strata, Schools | None]]:
    family = next(name for name, axes in names.MOMENT_AXES.items() if by in axes)
    for strata in strata_of(sliced, [by]):
        if by == "key_stage" and _of_one_key_stage(strata.metric):
            continue
        clusters = tables and tables.of(strata.metric.name, family)
        for value in strata.labels[0]:
            schools = clusters and Schools(clusters, names.TOTAL, by, value)
            yield value, strata.only(by, value), schools


def _of_one_key_stage(metric: Metric) -> bool:
    return len({names.BREAKDOWNS["key_stage"][year] for year in metric.year_groups}) == 1


def _block(
    strata: Strata, breakdown: tuple[str, str], comparison: Comparison, schools: Schools | None
) -> Columns:
    """Return one metric's gaps among the pupils of one value."""
    pair, alpha = comparison.pair, comparison.alpha
    first, second = two_levels(strata, pair, schools, alpha=alpha)
    gap = difference(first, second, metric=strata.metric, same_pupils=True, alpha=alpha)
    relative = log_ratio(first, second, same_pupils=True, alpha=alpha)
    cells = as_one_school(strata, comparison.unit_id)
    return {
        **gap_columns(cells, pair, (first, second), gap, relative),
        **same_text(len(gap.value), breakdown=breakdown[0], value=breakdown[1]),
    }


def _empty() -> Mapping[str, NDArray]:
    """Return a block without rows, where no metric can be broken down."""
    kinds = {"time_period": np.int64, "comparable": np.bool_} | dict.fromkeys(_TEXTS, object)
    return {name: np.empty(0, dtype=kinds.get(name, np.float64)) for name in BREAKDOWN_COLUMNS}
