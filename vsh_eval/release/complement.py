"""Hides a second mean where one hidden mean could be worked out from its total.

A rounded count that is found by subtraction still has five possible values. A mean that is found by
subtraction is the mean of a few children, so means need what counts do not.
"""

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.release.hiding import traits
from vsh_eval.release.rules import Rule

_GROUPS = (names.CIN, names.CPP)
"""The parts of ``cwsw``; with it they are the groups that are shown side by side."""
_REASON = "complement"


def complement(cells: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Hide further means until no hidden one follows from those shown.

    Parameters
    ----------
    cells : DataFrame
        The judged cells of a cube: keys, true_pupils, level, status, reason.
    rule : Rule
        With an exact rule nothing is hidden.

    Returns
    -------
    DataFrame
        The cells. Of a total's parts (phases of the total phase, ``cin`` and ``cpp`` of ``cwsw``)
        none is hidden, or at least two with the threshold of children between them, or the total
        is hidden too. Metrics that count children are left as they are: what is shown of them
        follows from rounded counts.
    """
    if rule.exact:
        return cells
    means = ~traits(cells["metric"]).counted
    before = (cells["status"] != "").to_numpy()
    hidden = before.copy()
    pupils = cells["true_pupils"].to_numpy("float64")
    families = _families(cells[means])
    while any(_hide_one_more(family, hidden, pupils, rule) for family in families):
        pass
    more = hidden & ~before
    return cells.assign(
        reason=cells["reason"].mask(more, _REASON),
        status=cells["status"].mask(more, names.CONFIDENTIAL),
        level=cells["level"].mask(more),
    )


def _families(cells: pd.DataFrame) -> list[tuple[int, np.ndarray]]:
    """Return every total with its parts, as positions of rows."""
    families = []
    for _, block in cells.groupby(["time_period", "group", "metric"], sort=False):
        families += _family(block, (block["phase"] == names.TOTAL).to_numpy())
    triple = cells[cells["group"].isin((*_GROUPS, names.CWSW))]
    for _, block in triple.groupby(["time_period", "phase", "metric"], sort=False):
        families += _family(block, (block["group"] == names.CWSW).to_numpy())
    return families


def _family(block: pd.DataFrame, total: np.ndarray) -> list[tuple[int, np.ndarray]]:
    places = block.index.to_numpy()
    return [(int(places[total][0]), places[~total])] if total.any() and not total.all() else []


def _hide_one_more(
    family: tuple[int, np.ndarray], hidden: np.ndarray, pupils: np.ndarray, rule: Rule
) -> bool:
    """Hide the smallest shown part of a total that tells a hidden one; say whether it did."""
    total, parts = family
    parts = parts[pupils[parts] > 0]
    unseen = parts[hidden[parts]]
    enough = len(unseen) > 1 and pupils[unseen].sum() >= rule.threshold
    if hidden[total] or len(unseen) == 0 or enough:
        return False
    shown = parts[~hidden[parts]]
    hidden[shown[np.argmin(pupils[shown])] if len(shown) else total] = True
    return True
