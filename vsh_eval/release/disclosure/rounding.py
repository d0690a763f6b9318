"""Controlled rounding: counts of children to multiples of 5 that keep the totals close.

Each count goes to one of its two adjacent multiples, so a reader who knows the rule is left with at
least five possible numbers behind each. Rounding totals on their own would let the parts be solved
for; here totals are sums of rounded parts and only steer which way the parts go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.contracts import DisclosureError
from vsh_eval.release.disclosure.descent import Limits, descend
from vsh_eval.release.disclosure.rules import Rule

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]


def membership(parts: Sequence[str], sums: Mapping[str, Sequence[str]]) -> Counts:
    """Say which parts make up each part and each sum.

    Parameters
    ----------
    parts : sequence of str
        Names that share no child.
    sums : mapping of str to sequence of str
        Each sum's parts.

    Returns
    -------
    ndarray of int64, shape (len(parts) + len(sums), len(parts))
        1 where the row's name holds the column's part.

    Examples
    --------
    >>> membership(("cin", "cpp"), {"cwsw": ("cin", "cpp")}).tolist()
    [[1, 0], [0, 1], [1, 1]]
    """
    rows = [[int(part == name) for part in parts] for name in parts]
    rows += [[int(part in members) for part in parts] for members in sums.values()]
    return np.array(rows, dtype=np.int64)


GROUP_MEMBERS = membership(names.LEAF_GROUPS, names.GROUP_SUMS)


def margins(size: int) -> Counts:
    """Return the rows that keep each of ``size`` parts and add their total.

    Examples
    --------
    >>> margins(2).tolist()
    [[1, 0], [0, 1], [1, 1]]
    """
    return np.vstack([np.eye(size, dtype=np.int64), np.ones((1, size), dtype=np.int64)])


def add_up[Number: (np.int64, np.float64)](leaves: NDArray[Number]) -> NDArray[Number]:
    """Return every cell of a cube: its leaves, the groups' sums and the total of the phases.

    Parameters
    ----------
    leaves : ndarray, shape (5 groups, phases, years)
        In the order of ``names.LEAF_GROUPS``.

    Returns
    -------
    ndarray, shape (8 groups, phases + 1, years)
        Groups as in ``names.LEAF_GROUPS`` then ``names.GROUP_SUMS``; the last phase is the total.
    """
    by_group = np.tensordot(GROUP_MEMBERS, leaves, axes=1)
    cells = np.tensordot(margins(leaves.shape[1]), by_group, axes=(1, 1)).transpose(1, 0, 2)
    return cells.astype(leaves.dtype)


def bounds(counts: Counts, rule: Rule, *, ceiling: Counts | None = None) -> tuple[Counts, Flags]:
    """Return each count's lower multiple and whether it may go up to the next one.

    A multiple stays where it is. A count under the threshold never reaches it (6 to 9 go to 5), so
    a shown 10 always describes ten children or more. Nothing rises above its ceiling: the rounded
    number of children it is a part of.

    Examples
    --------
    >>> from vsh_eval.release.disclosure.rules import rule_named
    >>> low, may_rise = bounds(np.array([3, 7, 10, 12]), rule_named("strict10"))
    >>> low.tolist(), may_rise.tolist()
    ([0, 5, 10, 10], [True, False, False, True])
    """
    low = counts // rule.base * rule.base
    high = low + rule.base
    barred = (counts < rule.threshold) & (high >= rule.threshold)
    may_rise = (low != counts) & ~barred
    if ceiling is not None:
        low = np.minimum(low, ceiling)
        may_rise &= high <= ceiling
    return low, may_rise


@dataclass(frozen=True, slots=True, eq=False)
class Nest:
    """What a numerator is part of and what is part of it, leaf by leaf.

    Attributes
    ----------
    holders : sequence of tuples of two ndarrays
        The numerators that hold it, rounded before it: true and rounded.
    inside : sequence of ndarrays
        The true numerators inside it, which will be rounded after it.
    """

    holders: Sequence[tuple[Counts, Counts]] = ()
    inside: Sequence[Counts] = ()


_ALONE = Nest()


def round_controlled(
    counts: Counts,
    rule: Rule,
    *,
    ceiling: Counts | None = None,
    whole: tuple[Counts, Counts] | None = None,
    parts: Sequence[Counts] = (),
    nest: Nest = _ALONE,
    fixed: Counts | None = None,
    seed: int = 0,
) -> Counts:
    """Round the leaves of a cube so that its totals stay close.

    Starts at the nearest multiple and turns the leaf, or the pair of leaves, that brings all totals
    (groups, phases, years and their crossings) closest, until none does: coordinate descent on the
    squared errors of the totals, in whole numbers, hence the same on every machine. Wherever a sum
    truly holds fewer than the threshold, so does its rounded sum, as far as the leaves allow: else
    a hidden number that looks large enough would say that it is not. The same goes for the
    children outside the numerator, and for those between a numerator and a shown part of it.

    Parameters
    ----------
    counts : ndarray of int64, shape (5 groups, phases, years)
        Children in each leaf.
    rule : Rule
        Base and threshold.
    ceiling : ndarray of int64, same shape, optional
        Rounded counts of which these are a part.
    whole : tuple of two such ndarrays, optional
        For a numerator: the children it is a part of, true and rounded.
    parts : sequence of such ndarrays, optional
        For a number of children: the true numerators that will be rounded after it.
    nest : Nest, optional
        For a numerator: what it is part of, and what is part of it.
    fixed : ndarray of int64, same shape, optional
        Leaves published before; -1 where there is none.
    seed : int
        Decides between leaves that would do equally well.

    Returns
    -------
    ndarray of int64, same shape
        Multiples of the rule's base, each within base - 1 of its count (fixed ones excepted).

    Raises
    ------
    DisclosureError
        If a count is negative.

    Source: European handbook on statistical disclosure control, chapter 5 (controlled rounding).
    """
    if (counts < 0).any():
        raise DisclosureError("a count of children is negative, must be 0 or more; check the sums.")
    low, may_rise = bounds(counts, rule, ceiling=ceiling)
    if fixed is not None:
        kept = fixed >= 0
        low = np.where(kept, fixed if ceiling is None else np.minimum(fixed, ceiling), low)
        may_rise &= ~kept
    order = np.random.default_rng(seed).permutation(np.flatnonzero(may_rise))
    limits = _joined(
        _limits(counts, low, rule, whole=whole, parts=parts),
        _limits_between(counts, low, rule, nest),
    ).of_leaves(order, counts.shape)
    raised = np.zeros(counts.size, dtype=np.bool_)
    raised[order] = limits.nearest((2 * (counts - low) >= rule.base).ravel()[order])
    error = low.ravel() + rule.base * raised - counts.ravel()
    pull, gram = _pull(error, counts.shape)[order], _gram(counts.shape, order)
    raised[order] = descend(raised[order], pull, gram, limits, base=rule.base)
    return low + rule.base * raised.reshape(counts.shape)


@dataclass(frozen=True, slots=True, eq=False)
class _CellLimits:
    """Cells that truly hold few: how many of their leaves may rise (sign 1) or must (sign -1)."""

    cells: Counts  # one row a limit: group, phase, year
    sign: Counts
    most: Counts

    def of_leaves(self, leaves: Counts, shape: tuple[int, ...]) -> Limits:
        """Write the limits for the leaves that may rise; those that cannot bind are left out."""
        group, phase, year = np.unravel_index(leaves, shape)
        members = (
            GROUP_MEMBERS[np.ix_(self.cells[:, 0], group)]
            * margins(shape[1])[np.ix_(self.cells[:, 1], phase)]
            * (self.cells[:, 2][:, None] == year[None, :])
        )
        weights = self.sign[:, None] * members
        binding = np.maximum(weights, 0).sum(axis=1) > self.most
        return Limits(weights[binding].astype(np.float64), self.most[binding].astype(np.float64))


def _joined(*limits: _CellLimits) -> _CellLimits:
    return _CellLimits(
        np.vstack([each.cells for each in limits]),
        np.concatenate([each.sign for each in limits]),
        np.concatenate([each.most for each in limits]),
    )


def _of_cells(found: Sequence[tuple[Flags, Counts, int]]) -> _CellLimits:
    """Put limits of the same shape as the cube's cells below one another, where they are asked."""
    none = _CellLimits(np.empty((0, 3), np.int64), np.empty(0, np.int64), np.empty(0, np.int64))
    each = []
    for asked, most, sign in found:
        cells = np.argwhere(asked)
        each.append(_CellLimits(cells, np.full(len(cells), sign), most[tuple(cells.T)]))
    return _joined(none, *each)


def _limits(
    counts: Counts,
    low: Counts,
    rule: Rule,
    *,
    whole: tuple[Counts, Counts] | None,
    parts: Sequence[Counts],
) -> _CellLimits:
    most = rule.threshold - rule.base
    found = [(_few(counts, rule), (most - add_up(low)) // rule.base, 1)]
    found += [(_few(counts - part, rule), _may_rise_over(part, low, rule), 1) for part in parts]
    if whole is not None:
        true, rounded = whole
        found.append((_few(true - counts, rule), _must_rise_under(rounded, low, rule), -1))
    return _of_cells(found)


def _limits_between(
    counts: Counts,
    low: Counts,
    rule: Rule,
    nest: Nest,
) -> _CellLimits:
    """Limit what lies between a numerator and a part of it, where the part is not hidden anyway."""
    found = []
    for part in nest.inside:
        asked = _few(counts - part, rule) & (add_up(part) >= rule.threshold)
        found.append((asked, _may_rise_over(part, low, rule), 1))
    for true, rounded in nest.holders:
        asked = _few(true - counts, rule) & (add_up(counts) >= rule.threshold)
        found.append((asked, _must_rise_under(rounded, low, rule), -1))
    return _of_cells(found)


def _few(leaves: Counts, rule: Rule) -> Flags:
    cells = add_up(leaves)
    return (cells < rule.threshold) & (cells >= 0)


def _may_rise_over(part: Counts, low: Counts, rule: Rule) -> Counts:
    """How many leaves of a cell may rise if a part is rounded as far up as it can be."""
    part_low, part_may_rise = bounds(part, rule)
    reach = add_up(part_low + rule.base * part_may_rise)
    return (rule.threshold - rule.base + reach - add_up(low)) // rule.base


def _must_rise_under(whole: Counts, low: Counts, rule: Rule) -> Counts:
    """How many leaves of a cell must rise towards their rounded whole, as a negative number."""
    return (rule.threshold - rule.base - add_up(whole) + add_up(low)) // rule.base


def _kernels(shape: tuple[int, ...]) -> tuple[Counts, Counts, Counts]:
    groups, phases, years = GROUP_MEMBERS, margins(shape[1]), margins(shape[2])
    return groups.T @ groups, phases.T @ phases, years.T @ years


def _pull(error: Counts, shape: tuple[int, ...]) -> Counts:
    """Half the slope of the totals' squared errors in each leaf's error."""
    groups, phases, years = _kernels(shape)
    return np.einsum("ga,pb,tc,abc->gpt", groups, phases, years, error.reshape(shape)).ravel()


def _gram(shape: tuple[int, ...], leaves: Counts) -> Counts:
    """How strongly the errors of two leaves meet in the totals."""
    where = np.unravel_index(leaves, shape)
    kernels = zip(_kernels(shape), where, strict=True)
    return np.prod([kernel[np.ix_(at, at)] for kernel, at in kernels], axis=0)


def people(counts: NDArray[np.float64], rule: Rule) -> NDArray[np.float64]:
    """Round counts of people that stand outside the cube.

    Under the threshold to the multiple below, from it to the nearest: so each hidden number that a
    reader could find by subtraction still has ``base`` possible values.

    Examples
    --------
    >>> from vsh_eval.release.disclosure.rules import rule_named
    >>> people(np.array([4.0, 9.0, 12.0, 13.0]), rule_named("strict10")).tolist()
    [0.0, 5.0, 10.0, 15.0]
    """
    multiples = np.asarray(counts, dtype=np.float64) / rule.base
    small = np.asarray(counts) < rule.threshold
    return rule.base * np.where(small, np.floor(multiples), np.floor(multiples + 0.5))


def decimals(errors: NDArray[np.float64], digits: int = 2) -> NDArray[np.float64]:
    """Return the decimals that a number of significant figures takes; 2 where there is no error.

    Examples
    --------
    >>> decimals(np.array([0.0123, 4.56, 123.0, 0.0])).tolist()
    [3.0, 1.0, -1.0, 2.0]
    """
    size = np.abs(np.asarray(errors, dtype=np.float64))
    usable = np.isfinite(size) & (size > 0)
    return np.where(usable, digits - 1 - np.floor(np.log10(np.where(usable, size, 1.0))), 2.0)


def to_decimals(values: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round each value to its own number of decimals; missing values stay missing.

    Examples
    --------
    >>> to_decimals(np.array([1.2345, 1234.5]), np.array([2.0, -1.0])).tolist()
    [1.23, 1230.0]
    """
    values = np.asarray(values, dtype=np.float64)
    up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
    return np.round(values * up / down) / up * down


def significant(values: NDArray[np.float64], digits: int = 2) -> NDArray[np.float64]:
    """Round each value to significant figures; nought and missing values stay.

    Examples
    --------
    >>> significant(np.array([0.012345, 4.56, 123.0, 0.0])).tolist()
    [0.012, 4.6, 120.0, 0.0]
    """
    return to_decimals(values, decimals(values, digits))
