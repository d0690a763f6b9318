"""Errors of anything made of strata's sums, from its slopes: by school, or by pupil.

A statistic that is a function of a group's sums Y and X in its strata moves by e = a Y_s + b X_s
with a school, a and b being its slopes in that stratum's Y and X: its variance is
G / (G - 1) sum e^2 over G schools (`clusters`). Where schools are not known, or a
group is in one school only, pupils stand in for schools: n / (n - k) sum (a^2 yy + 2 a b xy +
b^2 xx), with n pupils and k strata that have a rate of their own.
"""

from collections.abc import Sequence

import numpy as np

from vsh_eval import names
from vsh_eval.cells.level import Contrast, FloatArray
from vsh_eval.metrics.characteristics.clusters import Schools
from vsh_eval.metrics.characteristics.kitagawa import Part, added, divide, total
from vsh_eval.metrics.characteristics.strata import Slopes, Strata, Sums
from vsh_eval.numerics.levels import ratios
from vsh_eval.panel import member_of

GroupSlopes = Sequence[tuple[str, Slopes]]
"""A statistic's groups with its slopes in the strata of each."""


def slopes(side: Sums, by_share: FloatArray, by_rate: FloatArray) -> Slopes:
    """Turn slopes in shares and rates into slopes in the strata's sums."""
    whole, rate = total(side.x), divide(side.y, side.x)
    share = divide(side.x, whole)
    in_y = divide(by_rate, side.x)
    in_x = divide(by_share - total(share * by_share), whole) - in_y * rate
    return Slopes(in_y, np.where(side.x > 0, in_x, 0.0))


def slopes_of_level(side: Sums) -> Slopes:
    """Return the slopes of a group's level Y / X in its strata's sums."""
    whole = total(side.x)
    in_y = np.where(side.x > 0, divide(np.ones_like(whole), whole), 0.0)
    return Slopes(in_y, -in_y * divide(total(side.y), whole))


def by_leaf(strata: Strata, by_group: GroupSlopes) -> Slopes:
    """Return a statistic's slopes in every leaf group; groups may share pupils: slopes add."""
    shape = strata.sums["pupils"].shape
    a, b = np.zeros(shape), np.zeros(shape)
    for group, slope in by_group:
        member = member_of(group).reshape(1, -1, *[1] * (len(shape) - 2))
        a, b = a + member * slope.y[:, None], b + member * slope.x[:, None]
    return Slopes(a, b)


def pupils_error(strata: Strata, by_group: GroupSlopes, *, own_rates: bool = True) -> FloatArray:
    """Return the error of independent pupils, year by year; NaN where a group is too small.

    Parameters
    ----------
    strata : Strata
        The sums.
    by_group : sequence of (group, Slopes)
        The statistic's slopes.
    own_rates : bool
        Whether every stratum has a rate of its own, so that k counts them; else k is 1.
    """
    slope = by_leaf(strata, by_group)
    factor = np.ones(slope.y.shape[:2])
    for group, mine in by_group:
        member = member_of(group)
        own = strata.of_group(group)
        pupils, used = added(own.pupils), added((own.x > 0) & (mine.y != 0))
        spare = pupils - (np.maximum(used, 1) if own_rates else 1)
        small = np.where(spare > 0, divide(pupils, spare), np.nan)
        factor = np.where(member > 0, np.fmax(factor, small[:, None]), factor)
        factor = np.where((member > 0) & np.isnan(small)[:, None], np.nan, factor)
    yy, xy, xx = (strata.sums[name] for name in names.PANEL_SUMS[3:])
    squares = slope.y**2 * yy + 2 * slope.y * slope.x * xy + slope.x**2 * xx
    squares = squares.sum(axis=tuple(range(2, squares.ndim)))
    counted = np.where(squares != 0, squares * factor, 0.0).sum(axis=1)
    return np.sqrt(np.maximum(counted, 0.0))


def std_error(
    strata: Strata, by_group: GroupSlopes, schools: Schools | None, *, own_rates: bool = True
) -> tuple[FloatArray, FloatArray]:
    """Return a statistic's error and degrees of freedom, year by year.

    As for a gap of schools: clustered by school, the group in fewer schools counting; by pupil
    where all are in one school; and where one group is in one school and the other is not, the sum
    of the two groups' own errors, the most that any covariance can make it.
    """
    counted = [added(strata.of_group(group).pupils) for group, _ in by_group]
    by_pupil = pupils_error(strata, by_group, own_rates=own_rates)
    spare = np.min(counted, axis=0) - 1
    of_pupils = np.where(spare > 0, spare, np.nan)
    if schools is None:
        return by_pupil, of_pupils
    counts = [schools.count(group)[0] for group, _ in by_group]
    least, most = np.min(counts, axis=0), np.max(counts, axis=0)
    error = _schools_error(strata, by_group, schools, least)
    df = np.where(least >= 2, least - 1, np.nan)
    alone = most == 1
    error, df = np.where(alone, by_pupil, error), np.where(alone, of_pupils, df)
    apart = (least == 1) & (most > 1)
    if not apart.any():
        return error, df
    parts = [std_error(strata, [side], schools, own_rates=own_rates) for side in by_group]
    bound = np.sum([part[0] for part in parts], axis=0)
    fewest = np.fmin.reduce([part[1] for part in parts])
    return np.where(apart, bound, error), np.where(apart, fewest, df)


def of_part(
    strata: Strata, part: Part, groups: tuple[str, str], schools: Schools | None
) -> Contrast:
    """Return a part of the gap with its interval."""
    group, reference = (strata.of_group(name) for name in groups)
    by_group = (
        (groups[0], slopes(group, part.by_p, part.by_r)),
        (groups[1], slopes(reference, part.by_q, part.by_s)),
    )
    return with_limits(strata, part.value, std_error(strata, by_group, schools), groups)


def with_limits(
    strata: Strata, value: FloatArray, error: tuple[FloatArray, FloatArray], groups: tuple[str, str]
) -> Contrast:
    """Put an interval around a value; NaN where either group is empty or has no data."""
    group, reference = (strata.of_group(name) for name in groups)
    there = (added(group.x) > 0) & (added(reference.x) > 0) & strata.available
    shown, known, df = (np.where(there, part, np.nan) for part in (value, *error))
    return Contrast(shown, *ratios.t_interval(shown, known, df), known, df)


def phases_of(strata: Strata) -> list[tuple[str, Strata]]:
    """Return the strata of every phase, and of all phases last."""
    at = strata.factors.index("phase")
    single = [(phase, strata.only("phase", phase)) for phase in strata.labels[at]]
    counted = [(p, part) for p, part in single if part.sums["denominator"].sum() > 0]
    return [*counted, (names.TOTAL, strata)]


def _schools_error(
    strata: Strata, by_group: GroupSlopes, schools: Schools, count: FloatArray
) -> FloatArray:
    """Return the error clustered by school; NaN where there are fewer than two."""
    loads = schools.clusters.loads(strata, by_leaf(strata, by_group))
    squares = np.maximum(schools.clusters.joint(loads, loads), 0.0)
    factor = np.where(count >= 2, divide(count, count - 1), np.nan)
    return np.sqrt(squares * factor)
