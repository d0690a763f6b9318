"""Means of nearly the same children under two cohort rules: only the first of the two is shown.

Asked for a second time by another rule, a year's cohort has a few children more or fewer. The
rounded numbers of both keep their possible values, but the difference of the two sums is the sum of
those few.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.release.disclosure.complement import TELLS_NOTHING, complement
from vsh_eval.release.disclosure.hiding import PLACES, PLACES_OF_RANKS, traits
from vsh_eval.release.disclosure.rules import Rule

_KEYS = ["time_period", "phase", "group", "metric"]
_REASON = "differencing"


def hide_beside_other_rules(
    cells: pd.DataFrame, ledger: pd.DataFrame, cohort_rule: str, rule: Rule
) -> pd.DataFrame:
    """Hide the means that would tell a mean of few children beside one published before.

    Parameters
    ----------
    cells : DataFrame
        The judged cells of a cube.
    ledger : DataFrame
        What was published, under every cohort rule.
    cohort_rule : str
        The rule of ``cells``.
    rule : Rule
        With an exact rule nothing is hidden.

    Returns
    -------
    DataFrame
        The cells. Hidden are means whose number of children lies within twice the threshold of the
        one published under another rule (both are rounded, and a rounded total is off by several),
        unless both means are the same to their decimals, or the two groups are so large that the
        mean of fewer children than the threshold could be told no closer than ten points either
        side. What follows from the hidden ones is hidden with them.
    """
    others = ledger[(ledger["cohort_rule"] != cohort_rule) & (ledger["status"] == "")]
    about = traits(cells["metric"])
    if rule.exact or others.empty or about.whole.all():
        return cells
    shown = (cells["status"] == "").to_numpy() & ~about.whole
    half = 0.5 * 10.0 ** -np.where(about.ranks, PLACES_OF_RANKS, PLACES)
    level, n = _number(cells, "level"), _number(cells, "pupils")
    tells = np.zeros(len(cells), dtype=np.bool_)
    for _, published in others.groupby("cohort_rule"):
        first = published.set_index(_KEYS).reindex(pd.MultiIndex.from_frame(cells[_KEYS]))
        near = np.abs(n - _number(first, "pupils")) < 2 * rule.threshold
        other = np.abs(level - _number(first, "level")) > half
        vague = half * (n + _number(first, "pupils")) >= TELLS_NOTHING * (rule.threshold - 1)
        tells |= shown & near & other & ~vague
    if not tells.any():
        return cells
    hidden = cells.assign(
        reason=cells["reason"].mask(tells, _REASON),
        status=cells["status"].mask(tells, names.CONFIDENTIAL),
        level=cells["level"].mask(tells),
    )
    return complement(hidden, rule)


def _number(cells: pd.DataFrame, column: str) -> NDArray[np.float64]:
    return cells[column].to_numpy("float64", na_value=np.nan)
