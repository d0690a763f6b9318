"""Kitagawa's decomposition as array arithmetic: each part with its slope in every share and rate.

Shares p (group) and q (reference) of strata add up to 1 along the strata's axes, R and S are the
rates in them. Arrays have the years on the first axis and one axis a factor after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np

from vsh_eval.cells.level import FloatArray
from vsh_eval.metrics.characteristics.strata import Sums


@dataclass(frozen=True, slots=True)
class Mix:
    """Who the two groups are and how each of their strata does.

    Attributes
    ----------
    p, q : FloatArray, shape ``(years, *factors)``
        Shares of the group's and the reference's denominators.
    r, s : FloatArray, same shape
        Their rates. A stratum that one of the two does not have takes the other's rate; one that
        neither has, zero.
    only_p, only_q : bool array, same shape
        Whether only the group, only the reference has anybody there.
    """

    p: FloatArray
    q: FloatArray
    r: FloatArray
    s: FloatArray
    only_p: FloatArray
    only_q: FloatArray


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the gap, year by year, with its slopes in shares and rates."""

    value: FloatArray
    by_p: FloatArray
    by_q: FloatArray
    by_r: FloatArray
    by_s: FloatArray


def mix_of(group: Sums, reference: Sums) -> Mix:
    """Return shares and rates of two groups over the same strata."""
    r, s = (divide(side.y, side.x) for side in (group, reference))
    only_p, only_q = (group.x > 0) & (reference.x == 0), (reference.x > 0) & (group.x == 0)
    return Mix(
        p=divide(group.x, total(group.x)),
        q=divide(reference.x, total(reference.x)),
        r=np.where(only_q, s, r),
        s=np.where(only_p, r, s),
        only_p=only_p.astype(np.float64),
        only_q=only_q.astype(np.float64),
    )


def whole(mix: Mix) -> Part:
    """Return the gap: sum p R - sum q S."""
    value = added(mix.p * mix.r) - added(mix.q * mix.s)
    return _part(mix, value, (mix.r, -mix.s), (mix.p, -mix.q))


def rates(mix: Mix) -> Part:
    """Return the rates' part: sum (p + q) / 2 (R - S)."""
    share, between = (mix.p + mix.q) / 2, mix.r - mix.s
    return _part(mix, added(share * between), (between / 2, between / 2), (share, -share))


def composition(mix: Mix) -> Part:
    """Return the composition's part: sum (p - q) (R + S) / 2."""
    mean, more = (mix.r + mix.s) / 2, mix.p - mix.q
    return _part(mix, added(more * mean), (mean, -mean), (more / 2, more / 2))


def by_factor(mix: Mix) -> list[Part]:
    """Split the composition's part among the factors, whatever their order: Shapley values.

    For a set T of factors, v(T) = sum p(t) q(stratum | t) m: the mean of the average rates m where
    T is distributed as in the group and the rest, given T, as in the reference. A factor's part is
    the mean of what it adds over all orders in which factors can be exchanged, and over exchanging
    from the reference to the group and back. The parts add up to the composition's part.

    References
    ----------
    Shorrocks (2013), *Journal of Economic Inequality* 11, 99-126; Das Gupta (1993), US Census
    Bureau P23-186.
    """
    factors = mix.p.ndim - 1
    parts = {chosen: _exchanged(mix, chosen) for chosen in _subsets(factors)}
    contributions = []
    for factor in range(factors):
        pieces = [
            (_weight(len(chosen), factors, inside=factor in chosen), part)
            for chosen, part in parts.items()
        ]
        contributions.append(
            Part(
                *(
                    np.sum([weight * getattr(part, name) for weight, part in pieces], axis=0)
                    for name in ("value", "by_p", "by_q", "by_r", "by_s")
                )
            )
        )
    return contributions


def total(array: FloatArray) -> FloatArray:
    """Add up over the strata, keeping their axes."""
    return array.sum(axis=tuple(range(1, array.ndim)), keepdims=True)


def added(array: FloatArray) -> FloatArray:
    """Add up over the strata."""
    return array.sum(axis=tuple(range(1, array.ndim)))


def divide(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Divide; zero where the denominator is."""
    top, bottom = np.broadcast_arrays(top, bottom)
    return np.divide(top, bottom, out=np.zeros(top.shape), where=bottom != 0)


def _part(
    mix: Mix,
    value: FloatArray,
    by_share: tuple[FloatArray, FloatArray],
    by_rate: tuple[FloatArray, FloatArray],
) -> Part:
    """Return a part; the slope of a borrowed rate belongs to the rate that was borrowed."""
    by_r, by_s = by_rate
    return Part(
        value,
        *by_share,
        np.where(mix.only_q > 0, 0.0, by_r + mix.only_p * by_s),
        np.where(mix.only_p > 0, 0.0, by_s + mix.only_q * by_r),
    )


def _subsets(factors: int) -> Iterator[tuple[int, ...]]:
    for size in range(factors + 1):
        yield from combinations(range(factors), size)


def _weight(size: int, factors: int, *, inside: bool) -> float:
    """Return how much v(T) counts in a factor's Shapley value."""
    without = size - 1 if inside else size
    share = factorial(without) * factorial(factors - 1 - without) / factorial(factors)
    return share if inside else -share


def _exchanged(mix: Mix, chosen: tuple[int, ...]) -> Part:
    """Return half of v(T) from reference to group less half of v(T) from group to reference."""
    mean = (mix.r + mix.s) / 2
    forth = _mean_after(mix.p, mix.q, mean, chosen)
    back = _mean_after(mix.q, mix.p, mean, chosen)
    by_mean = (forth[3] - back[3]) / 4
    return _part(
        mix,
        (forth[0] - back[0]) / 2,
        ((forth[1] - back[2]) / 2, (forth[2] - back[1]) / 2),
        (by_mean, by_mean),
    )


def _mean_after(
    taken: FloatArray, base: FloatArray, mean: FloatArray, chosen: tuple[int, ...]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return sum taken(t) base(stratum | t) mean with its slopes in taken, base and mean.

    Where nobody of the base is at t, the rest is distributed as in those taken.
    """
    rest = tuple(axis for axis in range(1, mean.ndim) if axis - 1 not in chosen)
    of_taken, of_base = (a.sum(axis=rest, keepdims=True) for a in (taken, base))
    nobody = of_base == 0
    within = divide(base, of_base)
    inner = (within * mean).sum(axis=rest, keepdims=True)
    mixed = np.where(nobody, taken, of_taken * within)
    by_taken = np.where(nobody, mean, inner)
    by_base = np.where(nobody, 0.0, divide(of_taken, of_base) * (mean - inner))
    return added(mixed * mean), by_taken, by_base, mixed
