"""How much of a gap goes with who the children are: decomposed, matched and standardised."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.cells.level import Contrast, FloatArray, Level, difference, worst_status
from vsh_eval.cells.tables import Columns, interval, table
from vsh_eval.columns import CELL, LAST, PUPILS, with_ends, with_interval
from vsh_eval.contracts import ContractError, produces
from vsh_eval.metrics.characteristics import kitagawa
from vsh_eval.metrics.characteristics.clusters import Moments, Schools, SchoolTables, school_tables
from vsh_eval.metrics.characteristics.kitagawa import added, divide
from vsh_eval.metrics.characteristics.linearised import of_part, phases_of, std_error, with_limits
from vsh_eval.metrics.characteristics.strata import (
    Slopes,
    Strata,
    Sums,
    strata_of,
    validate_composition,
)
from vsh_eval.metrics.characteristics.strata_levels import keys_of, two_levels
from vsh_eval.numerics.levels import ratios
from vsh_eval.panel import Comparison, Panel, PanelSlice, comparable

_FIRST = (*CELL, *PUPILS)
DECOMPOSITION_COLUMNS = (
    *(*_FIRST, "group_level", "reference_level"),
    *with_interval("gap", "composition", "rates"),
    *with_interval(*(f"composition_{factor}" for factor in names.FACTORS)),
    *("strata", "group_alone", "reference_alone", "df", *LAST),
)
DECOMPOSITION_RELEASED = (
    *(*_FIRST, "gap", *with_ends("composition", "rates")),
    *(*(f"composition_{factor}" for factor in names.FACTORS), *LAST),
)
MATCHED_COLUMNS = (
    *(*_FIRST, "matched_pupils", "coverage"),
    *with_interval("matched_group_level", "matched_level", "matched_gap"),
    *("gap", "df", *LAST),
)
MATCHED_RELEASED = (
    *(*_FIRST, "matched_group_level", *with_ends("matched_level")),
    *("gap", *with_ends("matched_gap"), *LAST),
)
STANDARDISED_COLUMNS = (
    *(*_FIRST, "baseline", "group_level", "reference_level", "gap"),
    *("standardised_group_level", "standardised_reference_level"),
    *(*with_interval("standardised_gap"), "group_coverage", "reference_coverage", "df", *LAST),
)
STANDARDISED_RELEASED = (*_FIRST, "baseline", "gap", *with_ends("standardised_gap"), *LAST)
MATCHED_BY = ("phase", "fsm6", "sen")
"""What pupils of the reference share with those of the group that they are matched with."""


@produces("decomposition", DECOMPOSITION_RELEASED)
def decompose(composition: Panel, moments: Moments | None, comparison: Comparison) -> pd.DataFrame:
    """Split a gap into what goes with who the children are and what does not (Kitagawa).

    Parameters
    ----------
    composition : DataFrame or ProtectedTable
        The authority's strata of pupils (`vsh_eval.names.COMPOSITION_COLUMNS`).
    moments : Moments or None
        How far the same pupils' schools differ, and how many they are. None takes pupils as
        independent, which makes intervals too narrow.
    comparison : Comparison
        Group and reference, metrics and authority.

    Returns
    -------
    DataFrame
        `DECOMPOSITION_COLUMNS`, one row for each metric, phase (and the total of phases) and year.
        In the unit of the gap: ``gap`` = ``composition`` + ``rates``, and ``composition`` is the
        sum of ``composition_phase``, ``_sen``, ``_fsm6`` and ``_sex``, each with its interval.
        ``strata`` counts the strata in which the group has pupils; ``group_alone`` and
        ``reference_alone`` are the shares (0 to 1) of the one's denominator in strata where the
        other has nobody. Where either group is empty (z) or the metric has no data (x), NaN.

    Raises
    ------
    ContractError
        If a table is against its contract, or two of them count different pupils.
    VintageError, CohortRuleError
        If two vintages or cohort rules stand side by side.

    Notes
    -----
    Over strata of phase x sen x fsm6 x sex, with shares p, q of the denominators and rates R, S of
    group and reference:

        composition = sum (p - q) (R + S) / 2        rates = sum (p + q) / 2 (R - S)

    A stratum in which one of the two has nobody takes the other's rate there, so that it counts as
    composition and never as a difference in rates. Factors: Shapley values, free of any order
    (`kitagawa.by_factor`). Intervals: delta method, clustered by school
    (`linearised`), t with G - 1 degrees of freedom, G being the schools of the
    group that is in fewer; that of the gap is the one of `gaps`.
    A composition part says what goes together; it does not say what causes what.

    References
    ----------
    Kitagawa (1955), *JASA* 50, 1168-1194.

    Examples
    --------
    Half of the cohort has SEN support and a fifth of the peers; rates are 20 and 40 % against 10
    and 30 %:

    >>> row = {"source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...        "level": "la", "unit_id": "E1", "time_period": 202425, "phase": "primary",
    ...        "metric": "persistent_absence", "sex": "F", "fsm6": 0, "year_group": 4,
    ...        "rate": None, "status": ""}
    >>> cells = [("cin", "N", 20, 4), ("cin", "K", 20, 8), ("peers", "N", 400, 40),
    ...          ("peers", "K", 100, 30)]
    >>> composition = pd.DataFrame([
    ...     row | {"group": g, "sen": s, "pupils": n, "numerator": y, "denominator": n,
    ...            "sum_yy": y, "sum_xy": y, "sum_xx": n} for g, s, n, y in cells])
    >>> parts = decompose(composition, None, Comparison("cwsw", "peers")).iloc[-1]
    >>> parts[["gap", "composition", "rates", "composition_sen"]].astype(float).round(6).tolist()
    [16.0, 6.0, 10.0, 6.0]
    """
    return _composed(
        composition, moments, comparison, _decomposed, DECOMPOSITION_COLUMNS, factors=names.FACTORS
    )


@produces("matched", MATCHED_RELEASED)
def matched_gap(
    composition: Panel, moments: Moments | None, comparison: Comparison
) -> pd.DataFrame:
    """Measure the gap against the reference's pupils of the same phase, free meals and SEN.

    Parameters
    ----------
    composition, moments, comparison
        As for `decompose`.

    Returns
    -------
    DataFrame
        `MATCHED_COLUMNS`, one row for each metric, phase (and the total of phases) and year.
        ``matched_level``: the reference's level if it were made up as the group is;
        ``matched_group_level``: of the group's pupils who have a match (``matched_pupils``);
        ``matched_gap``: the difference of the two; ``coverage``: their share of the group's
        denominator, 0 to 1; ``gap``: the plain gap of all. Where nobody has a match, or a
        group is empty, NaN and the status z; x where the metric has no data.

    Raises
    ------
    ContractError
        If a table is against its contract, or two of them count different pupils.
    VintageError, CohortRuleError
        If two vintages or cohort rules stand side by side.

    Notes
    -----
    Direct standardisation: matched level = sum w S over the strata both have, w being the group's
    denominators there, S the reference's rates. So matched gap = sum (y - x S) / sum x over the
    matched pupils of the group. Interval: delta method, clustered by school as for `decompose`,
    the group's make-up and the reference's rates both uncertain.

    Examples
    --------
    >>> row = {"source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...        "level": "la", "unit_id": "E1", "time_period": 202425, "phase": "primary",
    ...        "metric": "persistent_absence", "sex": "F", "fsm6": 0, "year_group": 4,
    ...        "rate": None, "status": ""}
    >>> cells = [("cin", "N", 20, 4), ("cin", "K", 20, 8), ("peers", "N", 400, 40),
    ...          ("peers", "K", 100, 30)]
    >>> composition = pd.DataFrame([
    ...     row | {"group": g, "sen": s, "pupils": n, "numerator": y, "denominator": n,
    ...            "sum_yy": y, "sum_xy": y, "sum_xx": n} for g, s, n, y in cells])
    >>> matched = matched_gap(composition, None, Comparison("cwsw", "peers")).iloc[-1]
    >>> matched[["gap", "matched_level", "matched_gap"]].astype(float).round(6).tolist()
    [16.0, 20.0, 10.0]
    """
    return _composed(
        composition, moments, comparison, _matched, MATCHED_COLUMNS, factors=MATCHED_BY
    )


@produces("standardised", STANDARDISED_RELEASED)
def standardised_gap(
    composition: Panel, moments: Moments | None, comparison: Comparison
) -> pd.DataFrame:
    """Measure every year's gap with the make-up both groups had in the baseline year.

    Parameters
    ----------
    composition, moments, comparison
        As for `decompose`; the comparison's baseline is the year whose composition stays.

    Returns
    -------
    DataFrame
        `STANDARDISED_COLUMNS`, one row for each metric, phase (and the total of phases) and year.
        ``standardised_gap``, the plain ``gap``, and the two standardised levels.
        ``group_coverage`` and ``reference_coverage``: the share (0 to 1) of the baseline's
        denominator in strata that still have pupils; the rest is spread over those. Where a group
        is empty in the year, or was in the baseline year, NaN and z; x where the metric has no
        data.

    Raises
    ------
    ContractError
        If the baseline is not a year of the table, or what `decompose` refuses.
    VintageError, CohortRuleError
        If two vintages or cohort rules stand side by side.

    Notes
    -----
    standardised level = sum p(baseline) R(year) over strata of phase x sen x fsm6 x sex. The
    baseline's make-up is taken as it was, so its own chance is not part of the interval. Where the
    gap moves and the standardised gap does not, the mix of children moved.

    Examples
    --------
    >>> row = {"source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...        "level": "la", "unit_id": "E1", "phase": "primary", "sex": "F", "fsm6": 0,
    ...        "metric": "persistent_absence", "year_group": 4, "rate": None, "status": ""}
    >>> cells = [(201819, "cin", "N", 30, 6), (201819, "cin", "K", 10, 4),
    ...          (202425, "cin", "N", 10, 2), (202425, "cin", "K", 30, 12),
    ...          (201819, "peers", "N", 500, 50), (202425, "peers", "N", 500, 50)]
    >>> composition = pd.DataFrame([
    ...     row | {"time_period": t, "group": g, "sen": s, "pupils": n, "numerator": y,
    ...            "denominator": n, "sum_yy": y, "sum_xy": y, "sum_xx": n}
    ...     for t, g, s, n, y in cells])
    >>> standardised = standardised_gap(
    ...     composition, None, Comparison("cwsw", "peers", baseline=201819)
    ... )
    >>> standardised.loc[(standardised["phase"] == "total") & (standardised["status"] == ""),
    ...           ["time_period", "gap", "standardised_gap"]].round(6).values.tolist()
    [[201819.0, 15.0, 15.0], [202425.0, 25.0, 15.0]]
    """
    baseline = comparison.baseline

    def measure(block: _Block) -> Columns:
        if baseline is None:
            raise ContractError("baseline is missing, must be an academic year; name one.")
        return _standardised(block, block.strata.years.index(baseline))

    return _composed(
        composition, moments, comparison, measure, STANDARDISED_COLUMNS, factors=names.FACTORS
    )


@dataclass(frozen=True, slots=True)
class _Block:
    """One metric's strata in one phase, with both groups' levels and their gap.

    ``schools`` is None where pupils count as independent.
    """

    strata: Strata
    phase: str
    comparison: Comparison
    schools: Schools | None
    levels: tuple[Level, Level]
    gap: Contrast

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether both levels may be shown."""
        return np.isfinite(self.gap.value)

    def noise(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Return what is added to a statistic of the group, and its standard deviations."""
        return self.strata.shield.statistic(self.levels[0], self.strata.metric, name)

    @property
    def gap_noise(self) -> tuple[FloatArray, FloatArray]:
        """Return what was added to the gap, and its standard deviations."""
        exact = [divide(added(s.y), added(s.x)) for s in self.sums]
        rows = (
            np.zeros((0, len(self.known))) if self.gap.estimate is None else self.gap.estimate.noise
        )
        return np.where(self.known, self.gap.value - (exact[0] - exact[1]), np.nan), rows

    @property
    def sums(self) -> tuple[Sums, Sums]:
        """Both groups' sums."""
        group, reference = (self.strata.of_group(name) for name in self.comparison.pair)
        return group, reference

    def limits(
        self,
        value: FloatArray,
        error: tuple[FloatArray, FloatArray],
        noise: tuple[FloatArray, FloatArray],
    ) -> Contrast:
        """Put an interval around a statistic and what is added to it; NaN where hidden."""
        total = ratios.total_error(error[0], noise[1])
        shown = np.where(self.known, value + noise[0], np.nan)
        df = self.gap.df if len(noise[1]) else error[1]
        return with_limits(self.strata, shown, (total, df), self.comparison.pair)


def _composed(
    composition: Panel,
    moments: Moments | None,
    comparison: Comparison,
    measure: Callable[[_Block], Columns],
    columns: Sequence[str],
    *,
    factors: Sequence[str],
) -> pd.DataFrame:
    """Measure every metric's strata, phase by phase, and join the blocks to one table.

    ``measure`` gives the columns of a block and ``measured``: where there is a number.
    """
    sliced = validate_composition(composition, comparison, factors)
    tables = school_tables(moments, sliced)
    blocks = [
        _without_number({**_first(block), **measure(block)})
        for block in _blocks(sliced, factors, comparison, tables)
    ]
    return table(blocks, columns, sliced=sliced)


def _without_number(columns: Columns) -> Columns:
    """Mark rows as not applicable that could not be measured although both groups have pupils."""
    status = columns["status"]
    alone = (status == "") & ~columns["measured"]
    return {**columns, "status": np.where(alone, names.NOT_APPLICABLE, status)}


def _blocks(
    sliced: PanelSlice, factors: Sequence[str], comparison: Comparison, tables: SchoolTables | None
) -> Iterator[_Block]:
    for metric in strata_of(sliced, factors):
        clusters = tables.of(metric.metric.name) if tables else None
        for phase, strata in phases_of(metric):
            schools = Schools(clusters, phase) if clusters else None
            levels = two_levels(strata, comparison.pair, schools)
            gap = difference(*levels, metric=strata.metric, same_pupils=True)
            yield _Block(strata, phase, comparison, schools, levels, gap)


def _first(block: _Block) -> dict[str, NDArray]:
    """Return the columns that say whose gap it is, and how many pupils are in it."""
    strata = block.strata
    group, reference = block.levels
    return {
        **keys_of(strata, block.phase, block.comparison),
        "group_pupils": group.pupils,
        "reference_pupils": reference.pupils,
        "df": block.gap.df,
        "comparable": comparable(strata.metric, list(strata.years)),
        "status": worst_status(group.status, reference.status),
    }


def _decomposed(block: _Block) -> Columns:
    """Return the parts of the gap; the gap is that of the levels shown, and its parts add up."""
    scale, pair = block.strata.metric.scale, block.comparison.pair
    mix = kitagawa.mix_of(*block.sums)
    parts = {
        f"composition_{factor}": part
        for factor, part in zip(block.strata.factors, kitagawa.by_factor(mix), strict=True)
    }
    noise = {name: block.noise(name) for name in parts}
    of_all = (
        np.sum([values for values, _ in noise.values()], axis=0),
        np.concatenate([rows for _, rows in noise.values()]),
    )
    in_gap = block.gap_noise
    parts |= {"composition": kitagawa.composition(mix), "rates": kitagawa.rates(mix)}
    noise |= {
        "composition": of_all,
        "rates": (in_gap[0] - of_all[0], np.concatenate([in_gap[1], of_all[1]])),
    }
    columns: dict[str, NDArray] = {**interval("gap", block.gap, scale=scale)}
    for name, part in parts.items():
        exact = of_part(block.strata, part, pair, block.schools)
        contrast = block.limits(exact.value, (exact.std_error, exact.df), noise[name])
        columns |= interval(name, contrast, scale=scale)
    columns["measured"] = block.known
    for name, value in (
        ("group_level", scale * block.levels[0].level),
        ("reference_level", scale * block.levels[1].level),
        ("strata", added((mix.p > 0).astype(np.float64))),
        ("group_alone", added(mix.p * mix.only_p)),
        ("reference_alone", added(mix.q * mix.only_q)),
    ):
        columns[name] = np.where(block.known, value, np.nan)
    return columns


def _matched(block: _Block) -> Columns:
    """Return the group's level and that of the reference's pupils made up as the group is."""
    strata, scale = block.strata, block.strata.metric.scale
    group, reference = block.sums
    both = (group.x > 0) & (reference.x > 0)
    x, rate = np.where(both, group.x, 0.0), divide(reference.y, reference.x)
    y = np.where(both, group.y, 0.0)
    size = added(x)
    own, expected = divide(added(y), size), divide(added(x * rate), size)
    per_child = np.where(both, divide(np.ones_like(x), _wide(size, x)), 0.0)
    weight = divide(x, _wide(size, x))
    in_y = divide(weight, reference.x)
    of_reference = Slopes(in_y, -in_y * rate)
    of_own = Slopes(per_child, -per_child * _wide(own, x))
    of_expected = Slopes(np.zeros_like(x), per_child * (rate - _wide(expected, x)))
    of_gap = Slopes(of_own.y, of_own.x - of_expected.x)
    in_own, in_expected = block.noise("matched_group_level"), block.noise("matched_level")
    in_gap = (in_own[0] - in_expected[0], np.concatenate([in_own[1], in_expected[1]]))
    columns: dict[str, NDArray] = {}
    for name, value, mine, reference_slopes, noise in (
        ("matched_group_level", own, of_own, None, in_own),
        ("matched_level", expected, of_expected, of_reference, in_expected),
        ("matched_gap", own - expected, of_gap, -of_reference, in_gap),
    ):
        levels = [(block.comparison.group, mine)]
        levels += [(block.comparison.reference, reference_slopes)] if reference_slopes else []
        error = std_error(strata, levels, block.schools, own_rates=False)
        shown = block.limits(np.where(size > 0, value, np.nan), error, noise)
        columns |= interval(name, shown, scale=scale)
    columns["measured"] = known = np.isfinite(columns["matched_gap"])
    for name, value in (
        ("matched_pupils", added(np.where(both, group.pupils, 0.0))),
        ("coverage", divide(size, added(group.x))),
        ("gap", scale * block.gap.value),
    ):
        columns[name] = np.where(known, value, np.nan)
    return columns


def _standardised(block: _Block, baseline: int) -> Columns:
    """Return the gap with the baseline's composition: the gap shown and how far it moves."""
    strata, metric = block.strata, block.strata.metric
    standardised = [_at_baseline_mix(side, baseline) for side in block.sums]
    levels = [np.where(cover > 0, value, np.nan) for value, _, cover in standardised]
    slopes = [(name, k[1]) for name, k in zip(block.comparison.pair, standardised, strict=True)]
    slopes[1] = (slopes[1][0], -slopes[1][1])
    error = std_error(strata, slopes, block.schools)
    moved, in_gap = block.noise("standardised_gap"), block.gap_noise
    noise = (moved[0] + in_gap[0], np.concatenate([moved[1], in_gap[1]]))
    gap = block.limits(levels[0] - levels[1], error, noise)
    columns: dict[str, NDArray] = {**interval("standardised_gap", gap, scale=metric.scale)}
    columns["measured"] = known = np.isfinite(columns["standardised_gap"])
    for name, value in (
        ("group_level", metric.scale * block.levels[0].level),
        ("reference_level", metric.scale * block.levels[1].level),
        ("gap", metric.scale * block.gap.value),
        ("standardised_group_level", metric.scale * levels[0]),
        ("standardised_reference_level", metric.scale * levels[1]),
        ("group_coverage", standardised[0][2]),
        ("reference_coverage", standardised[1][2]),
    ):
        columns[name] = np.where(known, value, np.nan)
    year = strata.years[baseline]
    columns["baseline"] = np.full(len(strata.years), year, dtype=np.int64)
    columns["comparable"] = comparable(metric, strata.years) & comparable(metric, [year])
    return columns


def _at_baseline_mix(side: Sums, baseline: int) -> tuple[FloatArray, Slopes, FloatArray]:
    """Return the level with the baseline's make-up, its slopes, and the share still there."""
    whole = side.x[baseline]
    on_support = np.where(side.x > 0, whole[None], 0.0)
    size = added(on_support)
    weight = divide(on_support, size.reshape(-1, *[1] * whole.ndim))
    rate = divide(side.y, side.x)
    in_y = divide(weight, side.x)
    cover = divide(size, np.full_like(size, whole.sum()))
    return added(weight * rate), Slopes(in_y, -in_y * rate), cover


def _wide(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Give an array of years the axes of strata."""
    return np.broadcast_to(values.reshape(-1, *[1] * (like.ndim - 1)), like.shape)
