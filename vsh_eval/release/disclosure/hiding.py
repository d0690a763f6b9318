"""Which cells of the cube may be shown, and why the others may not.

The reasons stay inside the authority: one symbol stands for all of them outside.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names, registry
from vsh_eval.release.disclosure import nested
from vsh_eval.release.disclosure.alike import nearly_alike
from vsh_eval.release.disclosure.rules import Rule

_ALIKE = 1 + 1e-12
"""Scores are sums of decimals: equal ones differ by a rounding error of the machine."""
PLACES, PLACES_OF_RANKS = 2, 1
"""Decimals of a mean.

A mean times the number of its children is their sum, within half a step times that number. It is a
sum of ten or more, and `complement` keeps that of fewer from following, so that it tells one
child's value only to someone who knows all the others. Attainment 8, in whole points, is shown to
two decimals on that ground; its number of children is rounded, and four more or fewer move the sum
by four times the mean. Progress scores lie about nought, where a rounded number of children hides
nothing; but they come in hundredths, so the sum of ten is known ten times more coarsely than one
score. Ranks come in steps of 50 / N, N being the pupils of the authority's year: to two decimals
the sum of ten would be exact under 500 pupils, to one decimal it is only under 50. And as their
mean over all pupils is 50, that decimal keeps a hidden group of few from following from the rest.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """What the registry says of each row's metric.

    ``counted``: its numerator counts children. ``events``: it counts events. ``summed``: it adds up
    what one child alone can make most of, sessions or events. ``signed``: its sum may be nought
    though no child's value is.
    """

    counted: NDArray[np.bool_]
    events: NDArray[np.bool_]
    summed: NDArray[np.bool_]
    percent: NDArray[np.bool_]
    signed: NDArray[np.bool_]
    ranks: NDArray[np.bool_]
    scale: NDArray[np.float64]

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Whether the numerator is a whole number that is rounded before release."""
        return self.counted | self.events


def traits(metrics: pd.Series) -> Traits:
    """Look a column of metrics up in the registry.

    Raises
    ------
    ContractError
        If a metric is unknown.

    Examples
    --------
    >>> traits(pd.Series(["persistent_absence", "ks4_attainment8"])).counted.tolist()
    [True, False]
    >>> traits(pd.Series(["overall_absence", "suspension_rate"])).whole.tolist()
    [False, True]
    """
    codes, found = pd.factorize(metrics)
    entries = [registry.metric(str(name)) for name in found]

    def flags(values: list[bool]) -> NDArray[np.bool_]:
        return np.array(values, dtype=np.bool_)[codes]

    return Traits(
        counted=flags([entry.counts == "children" for entry in entries]),
        events=flags([entry.counts == "events" for entry in entries]),
        summed=flags([entry.counts in ("sessions", "events") for entry in entries]),
        percent=flags([entry.unit == "%" for entry in entries]),
        signed=flags([entry.lowest < 0 for entry in entries]),
        ranks=flags([bool(entry.ranks) for entry in entries]),
        scale=np.array([entry.scale for entry in entries], dtype=float)[codes],
    )


def judge(cells: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Decide for every cell what is shown; the reason stays inside."""
    about = traits(cells["metric"])
    n, true_n = cells["pupils"].to_numpy("float64"), cells["true_pupils"].to_numpy("float64")
    few = np.minimum(n, true_n) < rule.threshold
    schools = cells["schools"].to_numpy() < rule.min_schools
    dominated = cells["largest"].to_numpy() > rule.dominance * true_n
    of_pupils = np.select(
        [few, schools, dominated], ["threshold", "schools", "dominance"], default=""
    )
    y = cells["numerator"].to_numpy("float64", na_value=np.nan)
    true_y = cells["true_numerator"].to_numpy()
    one_sided = about.whole & (np.fmin(y, true_y) < rule.threshold)
    one_sided |= about.counted & (np.fmin(n - y, true_n - true_y) < rule.threshold)
    uniform, one_child = _sums(cells, about, rule)
    uniform |= nearly_alike(cells, rule)
    of_level = np.select(
        [of_pupils != "", one_sided | (uniform & ~about.counted), one_child & ~about.counted],
        [of_pupils, "class", "dominance"],
        default="",
    ).astype(object)
    if not rule.exact:
        _hide_between(of_level, cells, y, rule)
        _hide_events_of_few(of_level, cells, about, rule)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_sums = true_y / cells["true_denominator"].to_numpy()
        level = about.scale * np.where(about.whole, y / n, of_sums)
    if not rule.exact:
        level = np.where(about.ranks, np.round(level, PLACES_OF_RANKS), np.round(level, PLACES))
    return cells.assign(
        reason=of_level,
        pupils_reason=of_pupils,
        pupils_status=np.where(of_pupils == "", "", names.CONFIDENTIAL),
        status=np.where(of_level == "", "", names.CONFIDENTIAL),
        level=np.where(of_level == "", level, np.nan),
    )


def _sums(
    cells: pd.DataFrame, about: Traits, rule: Rule
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find sums in which all children are alike, or one child makes up nearly all of it.

    A child's share of a sum is at most the square root of the sum of squared shares; where that
    root is above the rule's dominance, one child may hold that much.
    """
    if rule.exact:
        nothing = np.zeros(len(cells), dtype=np.bool_)
        return nothing, nothing
    y, x = cells["true_numerator"].to_numpy(), cells["true_denominator"].to_numpy()
    squares, n = cells["true_sum_yy"].to_numpy(), cells["true_pupils"].to_numpy()
    alike = np.where(about.percent, y == x, squares * n <= y * y * _ALIKE)
    # Scores above and below nought may add up to it.
    nothing = (y == 0) & ~about.signed
    return nothing | alike, about.summed & (squares > (rule.dominance * y) ** 2)


def _hide_between(
    reasons: NDArray[np.object_], cells: pd.DataFrame, y: NDArray[np.float64], rule: Rule
) -> None:
    """Hide one of two shares where too few children lie between a numerator and a part of it."""
    true_y = cells["true_numerator"].to_numpy()
    for part, whole in nested.pairs_of_children():
        first, second = _same_cells(cells, part, whole)
        between = np.fmin(y[second] - y[first], true_y[second] - true_y[first])
        few = (between < rule.threshold) & (reasons[first] == "") & (reasons[second] == "")
        hidden = first if nested.yields(part, whole) == part else second
        reasons[hidden[few]] = "class"


def _hide_events_of_few(
    reasons: NDArray[np.object_], cells: pd.DataFrame, about: Traits, rule: Rule
) -> None:
    """Hide events where the share of the children who had one is hidden.

    Where no such share is there, at least (sum)^2 / (sum of squares) children had one.
    """
    y, squares = cells["true_numerator"].to_numpy(), cells["true_sum_yy"].to_numpy()
    alone = about.events & (y * y < rule.threshold * squares)
    for metric in cells.loc[about.events, "metric"].unique():
        for children in nested.inside(str(metric)):
            events, had_one = _same_cells(cells, str(metric), children)
            alone[events] = reasons[had_one] != ""
    reasons[alone & (reasons == "")] = "class"


def _same_cells(
    cells: pd.DataFrame, one: str, other: str
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of two metrics that are about the same cell, side by side."""
    keys = ["time_period", "phase", "group"]
    rows = [np.flatnonzero((cells["metric"] == metric).to_numpy()) for metric in (one, other)]
    index = [pd.MultiIndex.from_frame(cells.iloc[at][keys]) for at in rows]
    at = index[1].get_indexer(index[0])
    return rows[0][at >= 0], rows[1][at[at >= 0]]
