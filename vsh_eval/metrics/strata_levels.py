"""Two groups' levels over strata, measured as `gaps` measures them, without any school's sums.

Whatever a gap needs of the schools is the sum over schools of the two levels' squared influence
values and of their product. Two stand-ins that have these three sums take the schools' place; where
schools are not known, or there is one, the pupils' own stand-ins do
(`vsh_eval.numerics.ratios.PupilSums`).
"""

from dataclasses import replace

import numpy as np

from vsh_eval import names
from vsh_eval.contracts import ContractError
from vsh_eval.metrics.clusters import Schools
from vsh_eval.metrics.from_returns import SchoolCells
from vsh_eval.metrics.kitagawa import divide
from vsh_eval.metrics.linearised import by_leaf, slopes_of_level
from vsh_eval.metrics.measured import FloatArray, Measured, quotient
from vsh_eval.metrics.strata import Strata


def two_levels(
    strata: Strata, groups: tuple[str, str], schools: Schools | None, *, alpha: float
) -> tuple[Measured, Measured]:
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
    alpha : float
        One less the coverage of the intervals.
    """
    cells = as_one_school(strata, "")
    plain = [cells.measure(group, alpha=alpha) for group in groups]
    if schools is None:
        gone = np.full(len(strata.years), np.nan)
        first, second = (replace(one, schools=gone, largest_share=gone) for one in plain)
        return first, second
    influence = _stand_ins(strata, groups, schools)
    first, second = (
        _clustered(cells, level, own, schools.count(group), alpha=alpha)
        for level, own, group in zip(plain, influence, groups, strict=True)
    )
    return first, second


def as_one_school(strata: Strata, unit_id: str) -> SchoolCells:
    """Return strata, added up, as the cells of one school, so that they are measured by pupils."""
    every = tuple(range(2, 2 + len(strata.factors)))
    flat = {name: array.sum(axis=every) for name, array in strata.sums.items()}
    y, x, pupils = (flat[name][None] for name in ("numerator", "denominator", "pupils"))
    products = (flat["sum_yy"], flat["sum_xy"], flat["sum_xx"])
    return SchoolCells(
        strata.metric,
        names.TOTAL,
        strata.years,
        unit_id,
        y,
        x,
        pupils,
        products,
        available=strata.available,
    )


def _stand_ins(
    strata: Strata, groups: tuple[str, str], schools: Schools
) -> tuple[FloatArray, FloatArray]:
    """Return two schools' influence values with the second moments of all, for both levels."""
    sides = [(name, slopes_of_level(strata.of_group(name))) for name in groups]
    one, two = (schools.clusters.loads(strata, by_leaf(strata, [side])) for side in sides)
    joint = schools.clusters.joint
    first, both, second = joint(one, one), joint(one, two), joint(two, two)
    root = np.sqrt(np.maximum(first, 0.0))
    along = divide(both, root)
    across = np.sqrt(np.maximum(second - along**2, 0.0))
    return np.stack([root, np.zeros_like(root)]), np.stack([along, across])


def _clustered(
    cells: SchoolCells,
    level: Measured,
    influence: FloatArray,
    count: tuple[FloatArray, FloatArray],
    *,
    alpha: float,
) -> Measured:
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
    lower, upper = cells.limits(estimate, level.numerator, level.denominator, alpha=alpha)
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
