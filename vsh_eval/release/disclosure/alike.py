"""Means of children who are nearly alike: such a mean says of each of them what it says of all.

What hides a share of nearly all or nearly none hides a mean too, where it stands so near an end of
its scale that fewer than ten children can be away from it, or where the children hardly differ.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names, registry
from vsh_eval.release.disclosure.rules import Rule

Flags = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

AWAY = 0.1
"""Share of the scale: a child further from its end than this is away from it."""
HARDLY = 0.2
"""Children differ hardly where their deviation is under this share of that of all pupils."""


def nearly_alike(cells: pd.DataFrame, rule: Rule) -> Flags:
    """Mark the means that would tell of every child, roughly, what the child's own value is.

    Parameters
    ----------
    cells : DataFrame
        Cells of a cube with their true sums. Of sessions and scores only; where `true_sum_xy` or
        `true_sum_xx` is missing every child counts as one.
    rule : Rule
        Its threshold is the number of children that must be able to be away from the end.

    Returns
    -------
    ndarray of bool
        True where fewer children than the threshold can be a tenth of the scale away from its end
        (N x the mean's distance from the end / a tenth of the scale: the lower end or the upper of
        scores and ranks, the upper of shares of sessions; scores about nought have no end), or
        where the standard deviation between the children is under a fifth of that of all pupils of
        the year. Little absence is no secret: sessions are not marked under the mean of all pupils.
        False for metrics of children and events, for empty cells, and where there is nothing to
        compare with.
    """
    entries = [registry.metric(str(name)) for name in cells["metric"]]
    means = np.array([entry.counts not in ("children", "events") for entry in entries])
    found = np.zeros(len(cells), dtype=np.bool_)
    if rule.exact or not means.any():
        return found
    lowest, highest = (
        np.array([getattr(e, end) for e in entries]) for end in ("lowest", "highest")
    )
    sessions = np.array([entry.counts == "sessions" for entry in entries])
    n, x = _of(cells, "true_pupils"), _of(cells, "true_denominator")
    scale = np.array([entry.scale for entry in entries])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = scale * _of(cells, "true_numerator") / x
        above, below = mean - lowest, highest - mean
        room = np.where(sessions, below, np.fmin(above, below))
        can_be_away = n * room / (AWAY * (highest - lowest))
        at_an_end = (lowest >= 0) & (can_be_away < rule.threshold)
        spread = np.sqrt(_squares(cells) / n) / (x / n)
        usual, spread_of_all = _of_all(cells, means)
        hardly = (spread < HARDLY * spread_of_all) & ~(sessions & (mean <= scale * usual))
    found[:] = means & (n > 0) & (at_an_end | hardly)
    return found


def _of(cells: pd.DataFrame, column: str) -> FloatArray:
    return cells[column].to_numpy("float64", na_value=np.nan)


def _squares(cells: pd.DataFrame) -> FloatArray:
    """Return the sum over the children of (own sum - mean x own denominator)^2."""
    y, x, yy = (_of(cells, f"true_{name}") for name in ("numerator", "denominator", "sum_yy"))
    if not {"true_sum_xy", "true_sum_xx"} <= set(cells.columns):
        return np.maximum(yy - y * y / _of(cells, "true_pupils"), 0.0)
    ratio = y / x
    xy, xx = _of(cells, "true_sum_xy"), _of(cells, "true_sum_xx")
    return np.maximum(yy - 2 * ratio * xy + ratio**2 * xx, 0.0)


def _of_all(cells: pd.DataFrame, means: Flags) -> tuple[FloatArray, FloatArray]:
    """Return the mean of all pupils of each cell's year and metric, and the deviation between them.

    NaN where unknown. All phases, or all values of a characteristic, are added up where the cells
    have no total.
    """
    keys = ["time_period", "metric"]
    everyone = cells[means & (cells["group"] == names.ALL).to_numpy()]
    totals = everyone[everyone["phase"] == names.TOTAL]
    whole = totals if len(totals) else everyone
    sums = [name for name in cells.columns if name.startswith("true_")]
    added = whole.groupby(keys)[sums].sum().astype("float64")
    added["mean"] = added["true_numerator"] / added["true_denominator"]
    added["spread"] = np.sqrt(_squares(added) * added["true_pupils"]) / added["true_denominator"]
    at = added.reindex(pd.MultiIndex.from_frame(cells[keys]))
    return at["mean"].to_numpy("float64"), at["spread"].to_numpy("float64")
