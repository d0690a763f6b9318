"""Which barriers to learning meet the cohort more often: SEN, free meals, suspensions, moves.

A share of children with a trait, sum of X in the strata that have it over the sum of X in all, is
the level of a measure whose Y is X where the trait is and zero elsewhere. So its schools' sums of
products are those of X, and it is measured as `gaps` measures any share of children.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from vsh_eval import names, registry
from vsh_eval.cells.level import Level, difference, times_as_high, worst_status
from vsh_eval.cells.tables import Columns, interval, same_text
from vsh_eval.columns import CELL, LAST, PUPILS, released, with_ends, with_interval
from vsh_eval.contracts import ContractError, produces
from vsh_eval.metrics.characteristics.clusters import Clusters, Moments, Schools, school_tables
from vsh_eval.metrics.characteristics.linearised import phases_of
from vsh_eval.metrics.characteristics.strata import Strata, strata_of, validate_composition
from vsh_eval.metrics.characteristics.strata_levels import keys_of, two_levels
from vsh_eval.metrics.gaps import side_columns
from vsh_eval.numerics.levels import proportions
from vsh_eval.panel import Comparison, Panel, opened

BARRIER_COLUMNS = (
    *(*CELL[:4], "barrier", *CELL[5:], *PUPILS, "group_numerator", "reference_numerator"),
    *(*with_ends("group_level"), "group_std_error"),
    *(*with_ends("reference_level"), "reference_std_error"),
    *(*with_interval("gap"), "df", "ratio", *LAST[:-2], "status"),
)
TRAITS: Mapping[str, tuple[str, object]] = {
    "sen_support": ("sen", "K"),
    "ehc_plan": ("sen", "E"),
    "fsm6": ("fsm6", 1),
}
"""Barriers that are traits of the children: the column and the value that count."""

EVENTS = ("pupils_suspended", "permanent_exclusion", "school_move")
"""Barriers that are metrics of their own, where the registry and the composition have them."""

POPULATION = "overall_absence"
"""The metric whose children are counted for SEN and free school meals."""
ONCE = "persistent_absence"
"""Counts each child with possible sessions once, where absence counts sessions."""
_STRATA = ["unit_id", "time_period", "phase", "group", "sen", "fsm6"]


@produces("barriers", released(BARRIER_COLUMNS))
def barriers(composition: Panel, moments: Moments | None, comparison: Comparison) -> pd.DataFrame:
    """Measure how much more often the group meets barriers to learning than the reference.

    Parameters
    ----------
    composition : DataFrame or ProtectedTable
        Sums by authority, phase, year, group, stratum and metric (``names.COMPOSITION_COLUMNS``).
    moments : Moments or None
        How far the same pupils' schools differ, and how many they are. None takes children as
        independent, which makes intervals too narrow.
    comparison : Comparison
        Group, reference and authority.

    Returns
    -------
    DataFrame
        `BARRIER_COLUMNS`, one row for each phase (and the total of phases), year and `barrier`:
        sen_support, ehc_plan, fsm6 (free school meals at any time in six years), and, where the
        composition has them, pupils_suspended, permanent_exclusion and school_move. Levels in %,
        the gap in percentage points, group minus reference; the ratio is without unit. Errors are
        NaN where none or all of the children count. A group without children has NaN and the
        status z; a year in which the population has no data has the status x.

    Raises
    ------
    ContractError
        If a column is missing, a name is unknown, the composition has no row of overall absence,
        or moments are of other pupils.
    VintageError, CohortRuleError
        If two vintages or cohort rules stand side by side.

    Notes
    -----
    Shares of children's enrolments in the authority: a child who moves counts in each school. All
    is clustered by school, as `gaps` is: limits of a share on the logit scale (Wilson's where none
    or all of the children count, or a trait's are all in one school), joined for the gap with
    their covariance. An event has the limits that `gaps` gives to its metric. A trait's share is
    the sum of X where the trait is, over the sum of X, in a metric that counts each child of the
    population once: persistent absence, or the population itself with pupils for X. A barrier is
    not a cause of the gap.

    Examples
    --------
    >>> one = {
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "la", "unit_id": "E06000049", "time_period": 202425, "phase": "primary",
    ...     "metric": "overall_absence", "sex": "F", "year_group": 4, "fsm6": 0,
    ...     "numerator": 1.0, "denominator": 190, "sum_yy": 0.0, "sum_xy": 0.0, "sum_xx": 0.0,
    ...     "rate": float("nan"), "status": "",
    ... }
    >>> rows = [("cin", "N", 40), ("cin", "E", 20), ("peers", "N", 900), ("peers", "E", 50)]
    >>> table = pd.DataFrame([one | {"group": g, "sen": s, "pupils": n} for g, s, n in rows])
    >>> shares = barriers(table, None, Comparison("cwsw", "peers"))
    >>> plan = shares[(shares["barrier"] == "ehc_plan") & (shares["phase"] == "total")].iloc[0]
    >>> plan[["group_level", "reference_level", "gap"]].astype(float).round(1).tolist()
    [33.3, 5.3, 28.1]
    """
    measured = [
        _rows(barrier, comparison) for barrier in _measured(composition, moments, comparison)
    ]
    frame, _ = opened(composition)
    same = {name: frame[name].iloc[0] for name in ("source", "vintage", "cohort_rule")}
    return _ordered(pd.concat([pd.DataFrame(rows) for rows in measured]).assign(**same))


@dataclass(frozen=True, slots=True)
class _Barrier:
    """Both groups' shares of children who meet one barrier, in one phase, year by year."""

    name: str
    strata: Strata
    phase: str
    levels: tuple[Level, Level]


def _measured(
    composition: Panel, moments: Moments | None, comparison: Comparison
) -> Iterator[_Barrier]:
    """Yield each barrier, phase by phase."""
    frame, _ = opened(composition)
    there = set(frame["metric"].unique())
    if POPULATION not in there:
        raise ContractError(
            f"the composition has no row of {POPULATION}, must have some to count children by; "
            "build it with cohort.build_cohort."
        )
    once = ONCE if _counts_each_once(frame) else POPULATION
    events = [name for name in EVENTS if name in there]
    traits = [by for by, _ in TRAITS.values()]
    sliced = validate_composition(composition, comparison.of(once, *events), traits)
    # Without a metric that counts each child once, no moments of children are known.
    tables = school_tables(moments if once == ONCE else None, sliced)
    for name, (by, code) in TRAITS.items():
        strata = next(s for s in strata_of(sliced, ("phase", by)) if s.metric.name == once)
        value = names.BREAKDOWNS[by][code]
        clusters = _with_trait(tables.of(once), by, value) if tables else None
        yield from _by_phase(name, with_trait(strata, by, value), clusters, comparison, trait=True)
    for strata in strata_of(sliced, ("phase",)):
        event = strata.metric.name
        if event in events:
            clusters = tables.of(event) if tables else None
            yield from _by_phase(event, strata, clusters, comparison, trait=False)


def _by_phase(
    name: str, strata: Strata, clusters: Clusters | None, comparison: Comparison, *, trait: bool
) -> Iterator[_Barrier]:
    for phase, part in phases_of(strata):
        schools = Schools(clusters, phase) if clusters else None
        first, second = two_levels(part, comparison.pair, schools)
        if trait:
            first, second = (_scored(level) for level in (first, second))
        yield _Barrier(name, part, phase, (first, second))


def _counts_each_once(composition: pd.DataFrame) -> bool:
    """Say whether `ONCE` has the population's pupils in every stratum."""
    counts = [
        composition[composition["metric"] == name].groupby(_STRATA)["pupils"].sum().astype("int64")
        for name in (POPULATION, ONCE)
    ]
    one, two = counts[0].align(counts[1], fill_value=0)
    return bool((one == two).all())


def with_trait(strata: Strata, by: str, value: str) -> Strata:
    """Return the same children, each counted once, those with a trait being the ones that count.

    Parameters
    ----------
    strata : Strata
        Of a metric of those children, with ``by`` as an axis.
    by, value : str
        The breakdown and the value that is the trait.
    """
    axis = strata.factors.index(by)
    has = np.array([label == value for label in strata.labels[axis]], dtype=float)
    has = has.reshape([-1 if at == axis else 1 for at in range(len(strata.factors))])
    n, (keys, _) = strata.sums["pupils"], strata.record_keys
    all_of_them = dict.fromkeys(("denominator", "sum_xx"), n)
    counted = dict.fromkeys(("numerator", "sum_yy", "sum_xy"), n * has)
    return replace(
        strata,
        metric=registry.metric(ONCE),
        sums={**strata.sums, **all_of_them, **counted},
        record_keys=(keys, keys * has.astype(np.int64)),
    )


def _with_trait(clusters: Clusters, by: str, value: str) -> Clusters:
    """Return the schools of the same children, every product following Y = X where the trait is."""
    cells = clusters.products.shape[-1] // 2
    at = clusters.axes[1:].index(by)
    labels = names.MOMENT_STRATA[names.MAKE_UP]
    has = np.array([label.split("/")[at] == value for label in labels], dtype=float)
    indicator = np.concatenate([np.tile(has, len(names.LEAF_GROUPS)), np.ones(cells)])
    x = clusters.products[..., cells:, cells:]
    return replace(clusters, products=np.tile(x, (2, 2)) * indicator * indicator[:, None])


def _scored(level: Level) -> Level:
    """Return a share with its score interval where all children are in one school."""
    alone = level.schools == 1
    score = proportions.wilson(level.numerator, level.denominator)
    lower, upper = (
        np.where(alone, *pair) for pair in zip(score, (level.lower, level.upper), strict=True)
    )
    return replace(level, lower=lower, upper=upper)


def _rows(barrier: _Barrier, comparison: Comparison) -> Columns:
    """Return one barrier's rows in one phase."""
    (first, second), strata = barrier.levels, barrier.strata
    gap = difference(first, second, metric=strata.metric, same_pupils=True)
    columns = keys_of(strata, barrier.phase, comparison)
    columns |= same_text(len(strata.years), barrier=barrier.name)
    for name, level in (("group", first), ("reference", second)):
        columns |= side_columns(level, name, scale=100.0)
        columns[f"{name}_numerator"] = level.numerator
    return {
        **columns,
        **interval("gap", gap, scale=100.0),
        "df": gap.df,
        "ratio": times_as_high(first, second, strata.metric),
        "status": worst_status(first.status, second.status),
    }


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by area, barrier, phase and year."""
    orders = {"barrier": [*TRAITS, *EVENTS], "phase": [*names.PHASES, names.TOTAL]}
    ranked = {name: pd.Categorical(table[name], order).codes for name, order in orders.items()}
    keys = pd.DataFrame({"unit_id": table["unit_id"], **ranked, "year": table["time_period"]})
    order = keys.reset_index(drop=True).sort_values(list(keys.columns), kind="stable").index
    counts = [f"{of}_{what}" for of in ("group", "reference") for what in ("pupils", "numerator")]
    kinds = dict.fromkeys(counts, "Float64")
    ordered = table.reset_index(drop=True).loc[order, list(BARRIER_COLUMNS)]
    ordered = ordered.astype(kinds).astype(dict.fromkeys(counts, "Int64"))
    return ordered.reset_index(drop=True)
