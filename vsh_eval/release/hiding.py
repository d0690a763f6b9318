"""Which cells of the cube may be shown, and why the others may not.

The reasons stay inside the authority: one symbol stands for all of them outside.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names, registry
from vsh_eval.release.rules import Rule

_ALIKE = 1 + 1e-12
"""Scores are sums of decimals: equal ones differ by a rounding error of the machine."""


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """What the registry says of each row's metric."""

    counted: NDArray[np.bool_]
    sessions: NDArray[np.bool_]
    percent: NDArray[np.bool_]
    scale: NDArray[np.float64]


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
    """
    codes, found = pd.factorize(metrics)
    entries = [registry.metric(str(name)) for name in found]
    return Traits(
        counted=np.array([entry.counts == "children" for entry in entries], dtype=bool)[codes],
        sessions=np.array([entry.counts == "sessions" for entry in entries], dtype=bool)[codes],
        percent=np.array([entry.unit == "%" for entry in entries], dtype=bool)[codes],
        scale=np.array([entry.scale for entry in entries], dtype=float)[codes],
    )


def judge(cells: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Decide for every cell what is shown; the reason stays inside."""
    about = traits(cells["metric"])
    counted, scale = about.counted, about.scale
    n, true_n = cells["pupils"].to_numpy("float64"), cells["true_pupils"].to_numpy("float64")
    few = np.minimum(n, true_n) < rule.threshold
    schools = cells["schools"].to_numpy() < rule.min_schools
    dominated = cells["largest"].to_numpy() > rule.dominance * true_n
    of_pupils = np.select(
        [few, schools, dominated], ["threshold", "schools", "dominance"], default=""
    )
    y = cells["numerator"].to_numpy("float64", na_value=np.nan)
    true_y = cells["true_numerator"].to_numpy()
    one_sided = counted & (
        (np.fmin(y, true_y) < rule.threshold) | (np.fmin(n - y, true_n - true_y) < rule.threshold)
    )
    uniform, one_child = _sessions(cells, about, rule)
    of_level = np.select(
        [of_pupils != "", one_sided | (uniform & ~counted), one_child & ~counted],
        [of_pupils, "class", "dominance"],
        default="",
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        level = scale * np.where(counted, y / n, true_y / cells["true_denominator"].to_numpy())
    level = level if rule.exact else np.round(level, 2)
    return cells.assign(
        reason=of_level,
        pupils_reason=of_pupils,
        pupils_status=np.where(of_pupils == "", "", names.CONFIDENTIAL),
        status=np.where(of_level == "", "", names.CONFIDENTIAL),
        level=np.where(of_level == "", level, np.nan),
    )


def _sessions(
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
    return (y == 0) | alike, about.sessions & (squares > (rule.dominance * y) ** 2)
