"""The range of an estimate when suppressed numbers take every value they could have."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsh_eval.contracts import require_columns
from vsh_eval.effects.synthetic_did import Synthetic, fit_synthetic
from vsh_eval.effects.synthetic_fit import fit_units
from vsh_eval.effects.synthetic_panel import Balanced, balanced, with_cohort
from vsh_eval.numerics.synthetic import Method

Floats = npt.NDArray[np.float64]

SIDES = ("lowest", "highest")
_SWEEPS = 4


class SuppressedRange(NamedTuple):
    """The comparison at the values that make its estimate lowest, and highest.

    Attributes
    ----------
    lowest, highest : Synthetic
        The comparison, its placebos kept in the same way.
    numbers : int
        Suppressed numbers of the authority and its donors that were given every value.
    """

    lowest: Synthetic
    highest: Synthetic
    numbers: int


def suppressed_range(
    panel: pd.DataFrame,
    values: pd.DataFrame,
    pools: Mapping[str, tuple[str, ...]],
    *,
    authority: str,
    offer_start: int,
    method: Method = "synthetic_did",
    alpha: float = 0.05,
) -> SuppressedRange | None:
    """Keep whom a suppressed number would leave out, at every value it could have.

    Parameters
    ----------
    panel : DataFrame
        From `effects.authority_panel`.
    values : DataFrame
        From `suppressed_values`.
    pools : mapping
        From `effects.donor_pools`.
    authority, offer_start, method, alpha
        As for `effects.fit_authority`.

    Returns
    -------
    SuppressedRange or None
        None where no number of the authority or of its donors is suppressed in a year used.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If the years or the donors cannot bear it even so.

    Notes
    -----
    Weights depend on the values, so the range has no formula: from the middles, each number is set
    to its lowest and its highest in turn, and left where the estimate is further out, until
    nothing moves. Every estimate found is one that the published numbers allow; a combination
    further out is possible, but no change of a single number to an end leads there. Numbers of
    authorities that are placebos only stand at the middle of their range.
    """
    require_columns(values, ["unit", "time", *SIDES], name="values")
    middle = values.assign(middle=values[list(SIDES)].mean(axis=1))
    filled = panel.merge(middle[["unit", "time", "middle"]], on=["unit", "time"], how="left")
    filled = filled.assign(outcome=filled["outcome"].fillna(filled["middle"]))
    data = with_cohort(filled.drop(columns="middle"), unit=authority, start=offer_start)
    whole = balanced(data, donors=pools)
    cells = _cells(whole, values, (authority, *whole.pools[authority]))
    if not cells:
        return None
    found = []
    for sign in (-1.0, 1.0):
        chosen = _furthest(whole, cells, sign=sign, method=method)
        at = {key: value for (key, _), value in zip(cells, chosen, strict=True)}
        keys = zip(data["unit"], data["time"], strict=True)
        told = pd.Series([at.get(key, np.nan) for key in keys], index=data.index, dtype=float)
        table = data.assign(outcome=told.fillna(data["outcome"]))
        found.append(
            fit_synthetic(table, method=method, statistic="estimate", donors=pools, alpha=alpha)
        )
    return SuppressedRange(found[0], found[1], len(cells))


def _cells(
    panel: Balanced, values: pd.DataFrame, units: tuple[str, ...]
) -> list[tuple[tuple[str, int], tuple[float, float]]]:
    used = values[
        values["unit"].isin(set(units) & set(panel.units))
        & values["time"].isin(panel.times)
        & values["lowest"].lt(values["highest"])
    ]
    return [
        ((str(row.unit), int(str(row.time))), (float(str(row.lowest)), float(str(row.highest))))
        for row in used.itertuples(index=False)
    ]


def _furthest(
    panel: Balanced,
    cells: list[tuple[tuple[str, int], tuple[float, float]]],
    *,
    sign: float,
    method: Method,
) -> list[float]:
    """Return the values at which the estimate is lowest (sign -1) or highest (sign 1)."""
    outcomes = panel.outcomes.copy()
    places = [(panel.units.index(u), panel.times.index(t)) for (u, t), _ in cells]

    def estimate() -> float:
        moved = replace(panel, outcomes=outcomes)
        return sign * fit_units(moved, panel.cohorts, method).average()

    best = estimate()
    for _ in range(_SWEEPS):
        moved = False
        for place, (_, ends) in zip(places, cells, strict=True):
            for end in ends:
                before = outcomes[place]
                if end == before:
                    continue
                outcomes[place] = end
                value = estimate()
                if value > best:
                    best, moved = value, True
                else:
                    outcomes[place] = before
        if not moved:
            break
    return [float(outcomes[place]) for place in places]
