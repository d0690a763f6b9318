"""Rounds the parts of totals that are rounded already, so that no page shows two totals.

Girls and boys of a group add up to the group, and the cube has rounded the group. Rounded on their
own, the parts would add up to another number, and the two numbers together would tell more of the
true one than either. So the parts go to adjacent multiples of 5 whose sum is the cube's total.
"""

from dataclasses import dataclass

import numpy as np

from vsh_eval import names
from vsh_eval.release.disclosure.rounding import GROUP_MEMBERS, Counts, Flags, bounds
from vsh_eval.release.disclosure.rules import Rule

_SUMS = GROUP_MEMBERS[len(names.LEAF_GROUPS) :]


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """The children that a numerator is a part of, in each part: true and rounded."""

    true: Counts
    rounded: Counts


def round_parts(
    counts: Counts,
    totals: Counts,
    rule: Rule,
    *,
    whole: Whole | None = None,
    ceiling: Counts | None = None,
    seed: int = 0,
) -> Counts:
    """Round the parts of each leaf group to multiples that add up to the group's rounded total.

    Parameters
    ----------
    counts : ndarray of int64, shape (5 groups, parts)
        True numbers of children.
    totals : ndarray of int64, shape (5 groups,)
        The rounded totals of the cube.
    rule : Rule
        Base and threshold.
    whole : Whole, optional
        For a numerator: the children it is a part of.
    ceiling : ndarray of int64, same shape, optional
        Rounded counts that no part may exceed.
    seed : int
        Decides between parts that would do equally well.

    Returns
    -------
    ndarray of int64, same shape
        Each within base - 1 of its count and, under the threshold, under it. They add up to the
        total wherever adjacent multiples can; else they come as near as they can. A total with
        one part only is that part. Where a group's sum truly holds fewer than the threshold, so
        does its rounded sum, as far as an exchange between parts allows.

    Examples
    --------
    >>> from vsh_eval.release.disclosure.rules import rule_named
    >>> counts = np.zeros((5, 2), dtype=np.int64)
    >>> counts[2] = (23, 28)
    >>> round_parts(counts, np.array([0, 0, 55, 0, 0]), rule_named("strict10"))[2].tolist()
    [25, 30]
    """
    top = ceiling if whole is None else whole.rounded
    if ceiling is not None and top is not None:
        top = np.minimum(top, ceiling)
    low, may_rise = bounds(counts, rule, ceiling=top)
    raised = np.zeros(counts.shape, dtype=np.bool_)
    chance = np.random.default_rng(seed).random(counts.shape)
    for group, (wished, free) in enumerate(zip(totals - low.sum(axis=1), may_rise, strict=True)):
        rises = int(np.clip(wished // rule.base, 0, free.sum()))
        # The largest remainders rise; those that may not come last.
        rest = np.where(free, counts[group] - low[group] + chance[group] / 2, -1.0)
        raised[group, np.argsort(-rest, kind="stable")[:rises]] = True
    rounded = _without_tells(counts, low, raised, may_rise, rule, whole)
    alone = (counts > 0).sum(axis=1) == 1
    single = np.where(counts > 0, totals[:, None], 0)
    single = single if top is None else np.minimum(single, top)
    return np.where(alone[:, None], single, rounded)


def _without_tells(
    counts: Counts, low: Counts, raised: Flags, may_rise: Flags, rule: Rule, whole: Whole | None
) -> Counts:
    """Exchange which parts rise while a hidden sum looks large enough to be shown."""

    def tells(choice: Flags) -> int:
        rounded = low + rule.base * choice
        found = _looks_large(counts, rounded, rule)
        if whole is not None:
            found += _looks_large(whole.true - counts, whole.rounded - rounded, rule)
        return found

    raised = raised.copy()
    now = tells(raised)
    while now:
        best, where = now, None
        for group, up, down in _exchanges(raised, may_rise):
            raised[group, [up, down]] = True, False
            then = tells(raised)
            raised[group, [up, down]] = False, True
            if then < best:
                best, where = then, (group, up, down)
        if where is None:
            break
        group, up, down = where
        raised[group, [up, down]] = True, False
        now = best
    return low + rule.base * raised


def _exchanges(raised: Flags, may_rise: Flags) -> list[tuple[int, int, int]]:
    """Return every pair of parts of a group of which one could rise in the other's place."""
    return [
        (group, int(up), int(down))
        for group in range(len(raised))
        for down in np.flatnonzero(raised[group])
        for up in np.flatnonzero(may_rise[group] & ~raised[group])
    ]


def _looks_large(true: Counts, rounded: Counts, rule: Rule) -> int:
    """Count leaves and sums that truly hold fewer than the threshold and look as if not."""
    found = 0
    for members in (np.eye(len(true), dtype=np.int64), _SUMS):
        few = members @ true < rule.threshold
        found += int((few & (members @ rounded >= rule.threshold)).sum())
    return found
