"""Errors of anything made of strata's sums: by pupils, from the slopes, widened for schools.

A statistic that is a function of a group's sums Y and X in its strata moves by a y + b x with a
pupil of a stratum, a and b being its slopes in that stratum's Y and X. So its variance needs the
strata's sums of y y, x y and x x and no pupil: n / (n - k) sum (a^2 yy + 2 a b xy + b^2 xx), with n
pupils and k strata that have a rate of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vsh_eval import names
from vsh_eval.metrics.design_effects import Effects
from vsh_eval.metrics.door import member_of
from vsh_eval.metrics.kitagawa import Part, added, divide, total
from vsh_eval.metrics.measured import Contrast, FloatArray
from vsh_eval.metrics.strata import Strata, Sums
from vsh_eval.numerics import ratios


@dataclass(frozen=True, slots=True)
class Slopes:
    """Slopes of a statistic in Y and X of a group's strata, of shape (years, *factors)."""

    y: FloatArray
    x: FloatArray

    def __neg__(self) -> "Slopes":
        return Slopes(-self.y, -self.x)


def slopes(side: Sums, by_share: FloatArray, by_rate: FloatArray) -> Slopes:
    """Turn slopes in shares and rates into slopes in the strata's sums."""
    whole, rate = total(side.x), divide(side.y, side.x)
    share = divide(side.x, whole)
    in_y = divide(by_rate, side.x)
    in_x = divide(by_share - total(share * by_share), whole) - in_y * rate
    return Slopes(in_y, np.where(side.x > 0, in_x, 0.0))


def std_error(
    strata: Strata, sides: Sequence[tuple[str, Slopes]], *, own_rates: bool = True
) -> FloatArray:
    """Return the error of independent pupils, year by year; NaN where a group is too small.

    Parameters
    ----------
    strata : Strata
        The sums.
    sides : sequence of (group, Slopes)
        The statistic's slopes; groups may share pupils, whose slopes add.
    own_rates : bool
        Whether every stratum has a rate of its own, so that k counts them; else k is 1.
    """
    shape = strata.sums["pupils"].shape
    a, b = np.zeros(shape), np.zeros(shape)
    factor = np.ones(shape[:2])
    for group, slope in sides:
        member = member_of(group)
        spread = member.reshape(1, -1, *[1] * (len(shape) - 2))
        a, b = a + spread * slope.y[:, None], b + spread * slope.x[:, None]
        own = strata.of_group(group)
        pupils, used = added(own.pupils), added((own.x > 0) & (slope.y != 0))
        spare = pupils - (np.maximum(used, 1) if own_rates else 1)
        small = np.where(spare > 0, divide(pupils, spare), np.nan)
        factor = np.where(member > 0, np.fmax(factor, small[:, None]), factor)
        factor = np.where((member > 0) & np.isnan(small)[:, None], np.nan, factor)
    yy, xy, xx = (strata.sums[name] for name in names.PANEL_SUMS[3:])
    squares = (a**2 * yy + 2 * a * b * xy + b**2 * xx).sum(axis=tuple(range(2, len(shape))))
    counted = np.where(squares != 0, squares * factor, 0.0).sum(axis=1)
    return np.sqrt(np.maximum(counted, 0.0))


def of_part(
    strata: Strata,
    part: Part,
    groups: tuple[str, str],
    effects: Effects,
    *,
    alpha: float,
    own_rates: bool = True,
) -> Contrast:
    """Return a part of the gap with its interval, widened by the gap's design effect."""
    group, reference = (strata.of_group(name) for name in groups)
    sides = (
        (groups[0], slopes(group, part.by_p, part.by_r)),
        (groups[1], slopes(reference, part.by_q, part.by_s)),
    )
    error = std_error(strata, sides, own_rates=own_rates)
    return with_limits(strata, part.value, error, groups, effects, alpha=alpha)


def with_limits(
    strata: Strata,
    value: FloatArray,
    error: FloatArray,
    groups: tuple[str, str],
    effects: Effects,
    *,
    alpha: float,
) -> Contrast:
    """Put an interval around a value; NaN where either group is empty or has no data."""
    group, reference = (strata.of_group(name) for name in groups)
    there = (added(group.x) > 0) & (added(reference.x) > 0) & strata.available
    pupils = np.minimum(added(group.pupils), added(reference.pupils))
    df = np.fmin(effects.df, np.where(pupils > 1, pupils - 1, np.nan))
    shown = np.where(there, value, np.nan)
    widened = np.where(there, error * np.sqrt(effects.gap), np.nan)
    lower, upper = ratios.t_interval(shown, widened, df, alpha=alpha)
    return Contrast(shown, lower, upper, widened, df)


def phases_of(strata: Strata) -> list[tuple[str, Strata]]:
    """Return the strata of every phase, and of all phases last."""
    at = strata.factors.index("phase")
    single = [(phase, strata.only("phase", phase)) for phase in strata.labels[at]]
    counted = [(p, part) for p, part in single if part.sums["denominator"].sum() > 0]
    return [*counted, (names.TOTAL, strata)]
