"""Errors of shares of children who meet a barrier, from how far their schools differ.

A share of children with a trait, sum of X in the strata that have it over the sum of X in all, is
the level of a measure whose Y is X where the trait is and nought elsewhere. So its schools' sums of
products are those of X, and it is measured as `gaps` measures any share of children.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.metrics.clusters import Clusters, Moments, Schools, school_tables
from vsh_eval.metrics.linearised import phases_of
from vsh_eval.metrics.measured import FloatArray, Measured, difference
from vsh_eval.metrics.strata import Strata, enter_composition, strata_of
from vsh_eval.metrics.strata_levels import two_levels
from vsh_eval.numerics import proportions

ONCE = "persistent_absence"
"""Counts each child with possible sessions once, where absence counts sessions."""

_STRATA = ["unit_id", "time_period", "phase", "group", "sen", "fsm6"]


@dataclass(frozen=True, slots=True)
class Barrier:
    """A barrier as a level of a measure that counts each child once.

    Attributes
    ----------
    name : str
        The barrier.
    metric : str
        The measure.
    trait : tuple of str, optional
        The breakdown and its value whose children count; else those that the measure counts.
    """

    name: str
    metric: str
    trait: tuple[str, str] | None = None

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes of the strata that it needs."""
        return ("phase",) if self.trait is None else ("phase", self.trait[0])


def counted_once(composition: pd.DataFrame, population: str) -> str | None:
    """Return the metric that counts a population's children once each; None where there is none.

    Parameters
    ----------
    composition : DataFrame
        Sums by authority, phase, year, group, stratum and metric.
    population : str
        The metric whose children are meant: itself where its denominator is its pupils, else
        `ONCE` where that has the same pupils in every stratum.
    """
    rows = composition[composition["metric"] == population]
    if (rows["denominator"].astype(float) == rows["pupils"].astype(float)).all():
        return population
    same = composition[composition["metric"] == ONCE]
    counts = [part.groupby(_STRATA)["pupils"].sum().astype("int64") for part in (rows, same)]
    one, two = counts[0].align(counts[1], fill_value=0)
    return ONCE if (one == two).all() else None


def by_school(
    composition: pd.DataFrame,
    barriers: Sequence[Barrier],
    groups: tuple[str, str],
    moments: Moments,
    *,
    alpha: float,
) -> pd.DataFrame:
    """Return errors and limits of each barrier's shares and gap, clustered by school.

    Parameters
    ----------
    composition : DataFrame
        The strata; each authority has schools of its own.
    barriers : sequence of Barrier
        What is measured.
    groups : tuple of str
        Group and reference.
    moments : Moments
        How far the same pupils' schools differ, and how many they are.
    alpha : float
        One less the coverage of the intervals.

    Returns
    -------
    DataFrame
        By ``unit_id``, ``time_period``, ``phase`` and ``barrier``: limits and errors in % of both
        shares and of the gap, and the gap's degrees of freedom. NaN where a group is empty.
    """
    parts = []
    for unit, mine in composition.groupby("unit_id", sort=False):
        own = Moments(*(of[of["unit_id"] == unit] for of in (moments.products, moments.spread)))
        found = _of_area(mine, barriers, groups, own, alpha=alpha)
        parts += [part.assign(unit_id=unit) for part in found]
    return pd.concat(parts, ignore_index=True)


def _of_area(
    composition: pd.DataFrame,
    barriers: Sequence[Barrier],
    groups: tuple[str, str],
    moments: Moments,
    *,
    alpha: float,
) -> Iterator[pd.DataFrame]:
    """Yield one authority's errors and limits, by barrier and phase."""
    metrics = list(dict.fromkeys(barrier.metric for barrier in barriers))
    entry = enter_composition(composition, groups=groups, metrics=metrics, alpha=alpha)
    tables = school_tables(moments, entry)
    of_metric = {metric: tables.of(metric) for metric in metrics} if tables else {}
    by_axes = {
        axes: {strata.metric.name: strata for strata in strata_of(entry, axes)}
        for axes in dict.fromkeys(barrier.axes for barrier in barriers)
    }
    for barrier in barriers:
        strata, clusters = by_axes[barrier.axes][barrier.metric], of_metric[barrier.metric]
        if barrier.trait is not None:
            strata, clusters = with_trait(strata, clusters, *barrier.trait)
        for phase, part in phases_of(strata):
            first, second = two_levels(part, groups, Schools(clusters, phase), alpha=alpha)
            if barrier.trait is not None:
                first, second = (_scored(level, alpha=alpha) for level in (first, second))
            yield pd.DataFrame(_columns(part, first, second, alpha=alpha)).assign(
                time_period=part.years, phase=phase, barrier=barrier.name
            )


def with_trait(strata: Strata, clusters: Clusters, by: str, value: str) -> tuple[Strata, Clusters]:
    """Return the same children, those with a trait being the ones that count.

    Parameters
    ----------
    strata : Strata
        Of a metric that counts each child once, with ``by`` as an axis.
    clusters : Clusters
        Its schools.
    by, value : str
        The breakdown and the value that is the trait.

    Returns
    -------
    tuple of Strata and Clusters
        Y is X where the trait is, nought elsewhere, and every product follows.
    """
    axis = strata.factors.index(by)
    has = np.array([label == value for label in strata.labels[axis]], dtype=float)
    has = has.reshape([-1 if at == axis else 1 for at in range(len(strata.factors))])
    x, xx = strata.sums["denominator"], strata.sums["sum_xx"]
    counted = {"numerator": x * has, "sum_yy": xx * has, "sum_xy": xx * has}
    counting = replace(strata.metric, counts="children")
    changed = replace(strata, metric=counting, sums={**strata.sums, **counted})
    return changed, replace(clusters, products=_products(clusters, by, value))


def _products(clusters: Clusters, by: str, value: str) -> FloatArray:
    """Return the sums over schools of products, Y being X in the strata with a value."""
    at = clusters.axes[1:].index(by)
    labels = names.MOMENT_STRATA[names.MAKE_UP]
    has = np.array([label.split("/")[at] == value for label in labels], dtype=float)
    kept = np.concatenate([np.tile(has, len(names.LEAF_GROUPS)), np.ones(_cells(clusters))])
    x = clusters.products[..., _cells(clusters) :, _cells(clusters) :]
    return np.tile(x, (2, 2)) * kept * kept[:, None]


def _cells(clusters: Clusters) -> int:
    return clusters.products.shape[-1] // 2


def _scored(level: Measured, *, alpha: float) -> Measured:
    """Return a share with its score interval where all children are in one school."""
    alone = level.schools == 1
    score = proportions.wilson(level.numerator, level.denominator, alpha=alpha)
    lower, upper = (
        np.where(alone, *pair) for pair in zip(score, (level.lower, level.upper), strict=True)
    )
    return replace(level, lower=lower, upper=upper)


def _columns(
    strata: Strata, first: Measured, second: Measured, *, alpha: float
) -> Mapping[str, FloatArray]:
    """Return limits and errors of two shares and their gap, in %."""
    gap = difference(first, second, metric=strata.metric, same_pupils=True, alpha=alpha)
    found = {"df": gap.df}
    for name, of in (("group_level", first), ("reference_level", second), ("gap", gap)):
        error = f"{name.removesuffix('_level')}_std_error"
        found |= {
            f"{name}_lower": 100 * of.lower,
            f"{name}_upper": 100 * of.upper,
            error: 100 * of.std_error,
        }
    return found
