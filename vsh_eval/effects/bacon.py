"""What two-way fixed effects are made of: Goodman-Bacon's two-by-two comparisons."""

from itertools import combinations

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError
from vsh_eval.effects.grid import Floats, checked
from vsh_eval.names import NEVER

BACON_COLUMNS = (
    "type",
    "treated",
    "comparison",
    "estimate",
    "weight",
    "schools_treated",
    "schools_comparison",
)
TREATED_VS_NEVER = "treated_vs_never"
EARLIER_VS_LATER = "earlier_vs_later"
LATER_VS_EARLIER = "later_vs_earlier"
TREATED_VS_ALWAYS = "treated_vs_always"
ALREADY_TRAINED = (LATER_VS_EARLIER, TREATED_VS_ALWAYS)
"""Types that compare with schools trained already: there growing effects enter with the wrong
sign."""


def bacon(data: pd.DataFrame) -> pd.DataFrame:
    """Take the two-way fixed effects estimate apart into two-by-two comparisons.

    Parameters
    ----------
    data : DataFrame
        unit, time, cohort (0 = never), outcome, weight. The decomposition needs a balanced panel
        and one weight a school: schools without data in every year are left out (`balanced` gives
        the table used) and a school's weight is its mean over the years.

    Returns
    -------
    DataFrame
        One row a comparison: type (``treated_vs_never``, ``earlier_vs_later``,
        ``later_vs_earlier``, ``treated_vs_always``), treated and comparison (year of adoption, 0 =
        never), estimate, weight, schools_treated, schools_comparison. Weights add up to 1, and
        ``(weight * estimate).sum()`` is `two_way_fixed_effects` of ``balanced(data)``.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If no school has data in every year, or there is nothing to compare.

    Notes
    -----
    With n_k a cohort's share of weight, D_k its share of years after adoption and V the variance
    of training within school and year, the weights are, times 1/V:
    ``n_k n_U D_k (1 - D_k)`` against never trained schools; for k before l,
    ``n_k n_l (D_k - D_l)(1 - D_k)`` for k against the not yet trained l, and
    ``n_k n_l D_l (D_k - D_l)`` for l against the trained k. Goodman-Bacon (2021), Journal of
    Econometrics 225(2), theorem 1.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(list("abc"), 3), "time": [1, 2, 3] * 3,
    ...     "cohort": np.repeat([2, 3, 0], 3), "weight": 1.0,
    ...     "outcome": [1.0, 0, 0, 1, 1, 0, 1, 1, 1]})
    >>> bacon(table)[["type", "estimate"]].values.tolist()[:2]
    [['earlier_vs_later', -1.0], ['later_vs_earlier', -1.0]]
    """
    cells = balanced(data)
    mean, share, schools = _cohorts(cells)
    times = mean.columns.to_numpy()
    onset = pd.Series(np.searchsorted(times, share.index), index=share.index)
    onset = onset.mask((share.index == NEVER) | (onset >= len(times)), len(times))
    rows = []
    for one, other in combinations(onset.sort_values(kind="stable").index, 2):
        rows += _pair(mean, share, onset, one, other)
    found = pd.DataFrame(rows, columns=list(BACON_COLUMNS[:5]))
    variance = found["weight"].sum()
    if not variance > 0:
        raise DesignError(
            "training cannot be told apart from school and year effects among schools with data in "
            "every year: none is trained within the years, or all are alike; add schools."
        )
    return found.assign(
        weight=found["weight"] / variance,
        schools_treated=found["treated"].map(schools),
        schools_comparison=found["comparison"].map(schools),
    )


def balanced(data: pd.DataFrame) -> pd.DataFrame:
    """Return the schools with data in every year, each with its mean weight.

    Parameters
    ----------
    data : DataFrame
        unit, time, cohort, outcome, weight.

    Returns
    -------
    DataFrame
        The same columns without `fit_weight` and `stratum`; cohorts after the last year are 0.

    Raises
    ------
    DesignError
        If no school has data in every year.

    Examples
    --------
    >>> table = pd.DataFrame({"unit": list("aab"), "time": [1, 2, 1], "cohort": 0,
    ...                       "outcome": 1.0, "weight": [1.0, 3.0, 1.0]})
    >>> balanced(table)[["unit", "weight"]].values.tolist()
    [['a', 2.0], ['a', 2.0]]
    """
    cells = checked(data)
    years = cells["time"].nunique()
    kept = cells[cells.groupby("unit")["time"].transform("size").eq(years)]
    if kept.empty:
        raise DesignError(
            f"no school has data in all {years} years, must be at least one; use fewer years."
        )
    return kept.drop(columns=["fit_weight", "stratum"], errors="ignore").assign(
        weight=kept.groupby("unit")["weight"].transform("mean"),
        cohort=kept["cohort"].mask(kept["cohort"].gt(kept["time"].max()), NEVER),
    )


def _cohorts(cells: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Return cohorts' mean outcome by year, share of weight, and number of schools."""
    first = cells["time"].min()
    cells = cells.assign(cohort=cells["cohort"].mask(_always(cells, first), first))
    product = cells.assign(product=cells["weight"] * cells["outcome"])
    summed = product.groupby(["cohort", "time"])[["product", "weight"]].sum()
    mean = (summed["product"] / summed["weight"]).rename("mean").reset_index()
    weight = cells.groupby("cohort")["weight"].sum()
    mean = mean.pivot_table(index="cohort", columns="time", values="mean")
    return mean, weight / weight.sum(), cells.groupby("cohort")["unit"].nunique()


def _always(cells: pd.DataFrame, first: int) -> pd.Series:
    return cells["cohort"].ne(NEVER) & cells["cohort"].le(first)


def _pair(
    mean: pd.DataFrame, share: pd.Series, onset: pd.Series, one: int, other: int
) -> list[tuple[str, int, int, float, float]]:
    """Compare two cohorts, `one` trained before `other`: estimates and weights times V."""
    years = mean.shape[1]
    early, late = int(onset[one]), int(onset[other])
    size = float(share[one] * share[other])
    after, later = (years - early) / years, (years - late) / years
    gap = (mean.loc[one] - mean.loc[other]).to_numpy(float)
    rows = []
    if early > 0:
        effect = _difference(gap, slice(early, late), slice(0, early))
        kind = TREATED_VS_NEVER if late == years else EARLIER_VS_LATER
        rows.append((kind, one, other, effect, size * (after - later) * (1 - after)))
    if late < years:
        effect = _difference(-gap, slice(late, years), slice(early, late))
        kind = TREATED_VS_ALWAYS if early == 0 else LATER_VS_EARLIER
        rows.append((kind, other, one, effect, size * later * (after - later)))
    return rows


def _difference(gap: Floats, after: slice, before: slice) -> float:
    return float(gap[after].mean() - gap[before].mean())
