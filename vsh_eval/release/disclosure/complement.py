"""Hides a second mean where one hidden mean could be worked out from its total.

A rounded count that is found by subtraction still has five possible values. A mean that is found by
subtraction is the mean of a few children, so means need what counts do not.

The mean rank of all pupils is 50 by its definition: that total is known even where it is hidden.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vsh_eval import names, registry
from vsh_eval.release.disclosure.hiding import PLACES_OF_RANKS, traits
from vsh_eval.release.disclosure.rules import Rule

_REASON = "complement"
_PARTS = ((names.CWSW, (names.CIN, names.CPP)),)
"""Groups shown side by side: of these a second part is hidden rather than the total."""
_WIDER = (
    (names.EVER_CWSW, (names.CWSW, names.PREVIOUS)),
    (names.EVER_CWSW, (names.CIN, names.CPP, names.PREVIOUS)),
    (names.ALL, (names.CLA, names.EVER_CWSW, names.PEERS)),
    (names.ALL, (names.CLA, names.CWSW, names.PREVIOUS, names.PEERS)),
    (names.ALL, (names.CLA, names.CIN, names.CPP, names.PREVIOUS, names.PEERS)),
)
"""Totals that few tables show: of these the total is hidden, so that its parts may stay."""
_SPLIT = ("overall_absence", ("authorised_absence", "unauthorised_absence"))
"""A rate of sessions with the two that add up to it in every cell."""
TELLS_NOTHING = 10.0
"""Points either side: a mean that can be worked out no closer than this is not worked out."""

_Block = dict[tuple[str, str], int]
"""The row of each phase and group."""


def complement(cells: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Hide further means until no hidden one follows from those shown.

    Parameters
    ----------
    cells : DataFrame
        The judged cells of a cube: keys, true_pupils, level, status, reason; rows numbered from 0.
    rule : Rule
        With an exact rule nothing is hidden.

    Returns
    -------
    DataFrame
        The cells. Of a total's parts (phases of the total phase, groups of a group that is their
        sum) none is hidden, or at least two with the threshold of children between them, or the
        total is hidden too. Of ranks, hiding the total of all pupils does not help; but a part may
        be hidden alone where its mean would be known no closer than ten points either side. Of
        overall, authorised and unauthorised absence none is hidden or at least two. Metrics that
        count children or events are left as they are: what is shown of them follows from rounded
        counts.
    """
    if rule.exact:
        return cells
    before = (cells["status"] != "").to_numpy()
    hidden = before.copy()
    pupils = cells["true_pupils"].to_numpy("float64")
    families = list(_families(cells))
    while sum(_hide_one_more(family, hidden, pupils, rule) for family in families):
        pass
    more = hidden & ~before
    return cells.assign(
        reason=cells["reason"].mask(more, _REASON),
        status=cells["status"].mask(more, names.CONFIDENTIAL),
        level=cells["level"].mask(more),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Family:
    """A total with its parts, as positions of rows.

    ``spare``: the total is hidden rather than a part. ``known``: the total is known without being
    shown. ``same_children``: the parts are sums of the same children, so two of them are enough
    whatever their number.
    """

    total: int
    parts: np.ndarray
    spare: bool = False
    known: bool = False
    same_children: bool = False


def _families(cells: pd.DataFrame) -> Iterator[_Family]:
    """Yield every total of means with its parts."""
    means = np.flatnonzero(~traits(cells["metric"]).whole)
    keys = ("metric", "time_period", "phase", "group")
    columns = [cells[name].to_numpy(dtype=object)[means] for name in keys]
    blocks: dict[tuple[str, int], _Block] = defaultdict(dict)
    for row, metric, year, phase, group in zip(means, *columns, strict=True):
        blocks[metric, year][phase, group] = int(row)
    for (metric, year), block in blocks.items():
        yield from _of_phases(block, known=bool(registry.metric(metric).ranks))
        yield from _of_groups(block, known=bool(registry.metric(metric).ranks))
        whole, halves = _SPLIT
        others = [blocks.get((half, year), {}) for half in halves]
        if metric == whole:
            for place, row in block.items():
                if all(place in other for other in others):
                    parts = np.array([other[place] for other in others])
                    yield _Family(row, parts, same_children=True)


def _of_phases(block: _Block, *, known: bool) -> Iterator[_Family]:
    """Yield each group's total of phases; that of everyone's ranks is known."""
    for (phase, group), total in block.items():
        parts = [row for (at, of), row in block.items() if of == group and at != phase]
        if phase == names.TOTAL and parts:
            yield _Family(total, np.array(parts), known=known and group == names.ALL)


def _of_groups(block: _Block, *, known: bool) -> Iterator[_Family]:
    """Yield in each phase the groups that are sums of others."""
    for phase in dict.fromkeys(phase for phase, _ in block):
        for sums, spare in ((_PARTS, False), (_WIDER, True)):
            for whole, members in sums:
                parts = [block[phase, part] for part in members if (phase, part) in block]
                if (phase, whole) in block and len(parts) == len(members):
                    told = known and whole == names.ALL and phase == names.TOTAL
                    yield _Family(block[phase, whole], np.array(parts), spare, known=told)


def _hide_one_more(family: _Family, hidden: np.ndarray, pupils: np.ndarray, rule: Rule) -> bool:
    """Hide one more of a total and its parts where a hidden one follows; say whether it did."""
    if family.same_children:
        every = np.array([family.total, *family.parts])
        if hidden[every].sum() != 1:
            return False
        parts = family.parts[~hidden[family.parts]]
    else:
        parts = family.parts[pupils[family.parts] > 0]
        if _nothing_follows(family, parts, hidden, pupils, rule):
            return False
        parts = parts[~hidden[parts]]
    if family.known and not len(parts):
        return False
    by_total = not len(parts) or (family.spare and not family.known)
    hidden[family.total if by_total else parts[np.argmin(pupils[parts])]] = True
    return True


def _nothing_follows(
    family: _Family, parts: np.ndarray, hidden: np.ndarray, pupils: np.ndarray, rule: Rule
) -> bool:
    """Say whether the parts that are hidden stay so for a reader of all that is shown."""
    unseen = parts[hidden[parts]]
    few = pupils[unseen].sum()
    if not len(unseen) or (len(unseen) > 1 and few >= rule.threshold):
        return True
    if not family.known:
        return bool(hidden[family.total])
    # The others' means are rounded, and many more children than the hidden ones have them. A part
    # that is all there is has the mean that everyone knows.
    vague = 0.5 * 10.0**-PLACES_OF_RANKS * (pupils[family.total] - few) >= TELLS_NOTHING * few
    return vague or len(parts) == 1
