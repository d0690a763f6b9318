"""Two groups' levels over strata, measured as `gaps` measures them, without any school's sums.

Whatever a gap needs of the schools is the sum over schools of the two levels' squared influence
values and of their product. Two stand-ins that have these three sums take the schools' place; where
schools are not known, or there is one, the pupils' own stand-ins do
(`vsh_eval.numerics.levels.ratios.PupilSums`).
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.cells.exact import ExactCells, level_limits
from vsh_eval.cells.level import FloatArray, Level, quotient
from vsh_eval.cells.tables import same_text
from vsh_eval.contracts import ContractError
from vsh_eval.metrics.characteristics.clusters import Schools
from vsh_eval.metrics.characteristics.kitagawa import divide
from vsh_eval.metrics.characteristics.linearised import by_leaf, slopes_of_level
from vsh_eval.metrics.characteristics.strata import Strata
from vsh_eval.panel import Comparison


def two_levels(
    strata: Strata, groups: tuple[str, str], schools: Schools | None
) -> tuple[Level, Level]:
    """Return two groups' levels over all strata, ready to be subtracted or divided.

    Parameters
    ----------
    strata : Strata
        The sums.
    groups : tuple of str
        Group and reference.
    schools : Schools or None
        The schools of these pupils; None where pupils count as independent: numbers of schools are
        then NaN.
    """
    cells = as_one_school(strata, "")
    plain = [cells.measure(group) for group in groups]
    if schools is None:
        missing = np.full(len(strata.years), np.nan)
        group_levels = [replace(one, schools=missing, largest_share=missing) for one in plain]
    else:
        influence = _stand_ins(strata, groups, schools)
        group_levels = [
            _clustered(cells, level, own, schools.count(group))
            for level, own, group in zip(plain, influence, groups, strict=True)
        ]
    first, second = (
        strata.shield.level(level, strata.metric, group)
        for level, group in zip(group_levels, groups, strict=True)
    )
    return first, second


def as_one_school(strata: Strata, unit_id: str) -> ExactCells:
    """Return strata, added up, as the cells of one school, so that they are measured by pupils."""
    every = tuple(range(2, 2 + len(strata.factors)))
    flat = {name: array.sum(axis=every) for name, array in strata.sums.items()}
    y, x, pupils = (flat[name][None] for name in ("numerator", "denominator", "pupils"))
    products = (flat["sum_yy"], flat["sum_xy"], flat["sum_xx"])
    of_all, of_counted = (keys.sum(axis=every) for keys in strata.record_keys)
    return ExactCells(
        strata.metric,
        names.TOTAL,
        strata.years,
        unit_id,
        y,
        x,
        pupils,
        products,
        (of_all, of_counted),
        available=strata.available,
    )


def keys_of(strata: Strata, phase: str, comparison: Comparison) -> dict[str, NDArray]:
    """Return the columns that say of whom, where and when each number of the strata is."""
    texts = {
        "geographic_level": names.LA,
        "unit_id": comparison.unit_id,
        "phase": phase,
        "metric": strata.metric.name,
        "group": comparison.group,
        "reference": comparison.reference,
        "unit": strata.metric.unit,
        "gap_unit": strata.metric.gap_unit,
    }
    years = np.array(strata.years, dtype=np.int64)
    return {**same_text(len(years), **texts), "time_period": years}


def _stand_ins(
    strata: Strata, groups: tuple[str, str], schools: Schools
) -> tuple[FloatArray, FloatArray]:
    """Return two schools' influence values with the second moments of all, for both levels."""
    slopes = [(name, slopes_of_level(strata.of_group(name))) for name in groups]
    one, two = (schools.clusters.loads(strata, by_leaf(strata, [side])) for side in slopes)
    joint = schools.clusters.joint
    first, both, second = joint(one, one), joint(one, two), joint(two, two)
    root = np.sqrt(np.maximum(first, 0.0))
    along = divide(both, root)
    across = np.sqrt(np.maximum(second - along**2, 0.0))
    return np.stack([root, np.zeros_like(root)]), np.stack([along, across])


def _clustered(
    cells: ExactCells, level: Level, influence: FloatArray, count: tuple[FloatArray, FloatArray]
) -> Level:
    """Return a level of pupils with the errors, limits and counts of its schools."""
    if level.estimate is None:
        raise ContractError("the composition is published, must be of returns; take it from them.")
    clusters, largest = count
    known = np.where(cells.available, 1.0, np.nan)
    by_school = np.sqrt(divide(clusters, clusters - 1) * (influence**2).sum(axis=0))
    many = clusters >= 2
    alone = clusters == 1
    estimate = replace(
        level.estimate,
        std_error=np.where(many, by_school, np.where(alone, level.estimate.std_error, np.nan)),
        df=np.where(many, clusters - 1, np.where(alone, level.estimate.df, np.nan)),
        clusters=clusters,
        influence=influence,
    )
    lower, upper = level_limits(cells.metric, estimate, level.numerator, level.denominator)
    return replace(
        level,
        schools=clusters * known,
        largest_share=quotient(largest, level.pupils),
        lower=lower,
        upper=upper,
        std_error=np.where(level.certain, np.nan, estimate.std_error),
        df=estimate.df,
        estimate=estimate,
    )
