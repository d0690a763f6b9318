"""How wide the gap is among girls and boys, by SEN status, free school meals and key stage."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, groupby

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.cells.level import Contrast, FloatArray, difference, log_ratio, worst_status
from vsh_eval.cells.tables import Columns, same_text, table
from vsh_eval.columns import released
from vsh_eval.contracts import ContractError, produces, require_one_of
from vsh_eval.metrics.characteristics.clusters import Moments, Schools, SchoolTables, school_tables
from vsh_eval.metrics.characteristics.linearised import by_leaf, slopes_of_level
from vsh_eval.metrics.characteristics.strata import Strata, strata_of, validate_composition
from vsh_eval.metrics.characteristics.strata_levels import as_one_school, two_levels
from vsh_eval.metrics.gaps import GAP_COLUMNS, gap_columns
from vsh_eval.numerics.inference.significance import ALPHA, t_critical
from vsh_eval.numerics.levels.ratios import total_error
from vsh_eval.panel import Comparison, Panel, PanelSlice
from vsh_eval.registry import Metric

BREAKDOWN_COLUMNS = (*GAP_COLUMNS[:4], "breakdown", "value", *GAP_COLUMNS[4:])
DIFFERENCE_COLUMNS = (
    *GAP_COLUMNS[:4],
    *("metric", "breakdown", "value", "other", "group", "reference", "comparisons", "difference"),
    *("difference_lower", "difference_upper", "difference_std_error", "df", "gap_unit", "status"),
)
_TEXTS = (
    *("geographic_level", "unit_id", "phase", "metric", "breakdown", "value", "other"),
    *("group", "reference", "unit", "gap_unit", "status"),
)


@produces("breakdown", released(BREAKDOWN_COLUMNS))
def gaps_by(
    composition: Panel, moments: Moments | None, comparison: Comparison, *, by: str
) -> pd.DataFrame:
    """Measure the gap within each value of one characteristic, all phases together.

    Parameters
    ----------
    composition, moments, comparison
        As for `decompose`.
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
    >>> by_sex = gaps_by(composition, None, Comparison("cwsw", "peers"), by="sex")
    >>> by_sex[["value", "group_level", "reference_level", "gap"]]
       value  group_level  reference_level   gap
    0  girls         40.0             10.0  30.0
    1   boys         30.0             15.0  15.0
    """
    require_one_of(by, names.BREAKDOWNS, name="by")
    sliced = validate_composition(composition, comparison, [by])
    tables = school_tables(moments, sliced)
    blocks = [
        _block(strata, (by, value), comparison, schools)
        for value, strata, schools in _by_value(sliced, by, tables)
    ]
    return table(blocks or [_empty()], BREAKDOWN_COLUMNS, sliced=sliced)


@produces("differences", released(DIFFERENCE_COLUMNS))
def differences_by(
    composition: Panel, moments: Moments, comparison: Comparison, *, by: str
) -> pd.DataFrame:
    """Measure how much wider the gap is among children of one value than among those of another.

    Parameters
    ----------
    composition, moments, comparison, by
        As for `gaps_by`.

    Returns
    -------
    DataFrame
        `DIFFERENCE_COLUMNS`, one row for each metric, year and pair of values: ``difference`` is
        the gap among ``value`` less that among ``other``, in `gap_unit`. ``comparisons`` is the
        number of pairs of that year whose gaps are both there; the interval allows for all of them
        (Bonferroni). Where either gap is not there the difference is NaN and the status says why.

    Raises
    ------
    ContractError, VintageError, CohortRuleError
        As `gaps_by`.

    Notes
    -----
    Both gaps come from the same schools, so the schools' influence values are subtracted school by
    school before they are squared: ``Var = S / (S - 1) sum_s (e_s - f_s)^2``, e and f those of the
    two gaps, S the fewest schools that any of the four levels has; t with S - 1 degrees of freedom.
    The sum needs only the sums over schools of products of strata (`clusters.Clusters.joint`).

    Examples
    --------
    >>> DIFFERENCE_COLUMNS[5:8]
    ('breakdown', 'value', 'other')
    """
    require_one_of(by, names.BREAKDOWNS, name="by")
    sliced = validate_composition(composition, comparison, [by])
    by_value = _by_value(sliced, by, school_tables(moments, sliced))
    blocks = [
        block
        for _, of_metric in groupby(by_value, key=lambda one: one[1].metric.name)
        for block in _difference_blocks(list(of_metric), by, comparison)
    ]
    return table(blocks or [_empty(DIFFERENCE_COLUMNS)], DIFFERENCE_COLUMNS, sliced=sliced)


@dataclass(frozen=True, slots=True)
class _Gap:
    """The gap among the children of one value, year by year, with its slopes in schools' sums."""

    value: str
    gap: Contrast
    status: NDArray[np.object_]
    load: FloatArray


def _difference_blocks(
    by_value: list[tuple[str, Strata, Schools | None]], by: str, comparison: Comparison
) -> Iterator[Columns]:
    """Yield one metric's differences, pair by pair of values."""
    gaps = [_gap_of(value, strata, schools, comparison) for value, strata, schools in by_value]
    _, strata, schools = by_value[0]
    count = np.sum([np.isfinite(one.gap.value) for one in gaps], axis=0)
    pairs = count * (count - 1) // 2
    keys = as_one_school(strata, comparison.unit_id).keys
    for one, other in combinations(gaps, 2):
        load = one.load - other.load
        df = np.fmin(one.gap.df, other.gap.df)
        joint = np.sqrt(schools.clusters.joint(load, load) * (df + 1) / df) if schools else df
        # Numbers of two values have noise of their own, so none of it cancels.
        rows = [gap.gap.estimate.noise for gap in (one, other) if gap.gap.estimate]
        error = total_error(np.where(df >= 1, joint, np.nan), np.concatenate(rows))
        width = t_critical(df, alpha=ALPHA / np.maximum(pairs, 1)) * error
        apart, scale = one.gap.value - other.gap.value, strata.metric.scale
        texts = {"breakdown": by, "value": one.value, "other": other.value}
        texts |= {"group": comparison.group, "reference": comparison.reference}
        texts |= {"metric": strata.metric.name, "gap_unit": strata.metric.gap_unit}
        yield {
            **keys,
            **same_text(len(apart), **texts),
            "comparisons": pairs,
            "difference": scale * apart,
            "difference_lower": scale * (apart - width),
            "difference_upper": scale * (apart + width),
            "difference_std_error": scale * error,
            "df": df,
            "status": worst_status(one.status, other.status),
        }


def _gap_of(value: str, strata: Strata, schools: Schools | None, comparison: Comparison) -> _Gap:
    """Measure the gap among the children of one value, and its slopes by leaf group and stratum."""
    if schools is None:
        raise ContractError("moments are missing, must be given; take them from the cohort room.")
    first, second = two_levels(strata, comparison.pair, schools)
    gap = difference(first, second, metric=strata.metric, same_pupils=True)
    group, reference = ((name, slopes_of_level(strata.of_group(name))) for name in comparison.pair)
    slopes = by_leaf(strata, [group, (reference[0], -reference[1])])
    status = worst_status(first.status, second.status)
    return _Gap(value, gap, status, schools.clusters.loads(strata, slopes))


def _by_value(
    sliced: PanelSlice, by: str, tables: SchoolTables | None
) -> Iterator[tuple[str, Strata, Schools | None]]:
    family = next(name for name, axes in names.MOMENT_AXES.items() if by in axes)
    for strata in strata_of(sliced, [by]):
        if by == "key_stage" and _of_one_key_stage(strata.metric):
            continue
        clusters = tables.of(strata.metric.name, family) if tables else None
        for value in strata.labels[0]:
            schools = Schools(clusters, names.TOTAL, by, value) if clusters else None
            yield value, strata.only(by, value), schools


def _of_one_key_stage(metric: Metric) -> bool:
    return len({names.BREAKDOWNS["key_stage"][year] for year in metric.year_groups}) == 1


def _block(
    strata: Strata, breakdown: tuple[str, str], comparison: Comparison, schools: Schools | None
) -> Columns:
    """Return one metric's gaps among the pupils of one value."""
    pair = comparison.pair
    first, second = two_levels(strata, pair, schools)
    gap = difference(first, second, metric=strata.metric, same_pupils=True)
    relative = log_ratio(first, second)
    cells = as_one_school(strata, comparison.unit_id)
    return {
        **gap_columns(cells, pair, (first, second), gap, relative),
        **same_text(len(gap.value), breakdown=breakdown[0], value=breakdown[1]),
    }


def _empty(columns: tuple[str, ...] = BREAKDOWN_COLUMNS) -> Mapping[str, NDArray]:
    """Return a block without rows, where no metric can be broken down."""
    kinds = {"time_period": np.int64, "comparable": np.bool_} | dict.fromkeys(_TEXTS, object)
    return {name: np.empty(0, dtype=kinds.get(name, np.float64)) for name in columns}
