"""Two-way fixed effects, which older evaluations report, and Goodman-Bacon's parts of it."""

from itertools import combinations

import numpy as np
import pandas as pd

from vsh_eval.contracts import InfeasibleError
from vsh_eval.effects.grid import Floats, Grid, checked, grid
from vsh_eval.effects.rows import COUNTS, SAMPLE_COLUMNS, linear_rows, simple_row, with_inference
from vsh_eval.names import NEVER
from vsh_eval.numerics.estimators import imputation as numeric

BACON_COLUMNS = ("type", "treated", "comparison", "estimate", "weight", *COUNTS[:2])
TREATED_VS_NEVER = "treated_vs_never"
EARLIER_VS_LATER = "earlier_vs_later"
LATER_VS_EARLIER = "later_vs_earlier"
TREATED_VS_ALWAYS = "treated_vs_always"
ALREADY_TRAINED = (LATER_VS_EARLIER, TREATED_VS_ALWAYS)
"""Types that compare with schools trained already: there growing effects enter with the wrong
sign."""
_NULL = 1e-10
"""The share of training's variation below which school and year effects say all of it."""
TYPE_COLUMNS = ("variant", "weight", "estimate", "std_error", *SAMPLE_COLUMNS)


def two_way_fixed_effects(data: pd.DataFrame) -> pd.DataFrame:
    """Regress the outcome on training, school effects and year effects.

    Where effects grow or differ between cohorts of adoption this is no mean of effects: schools
    trained earlier serve as comparison for later ones (`bacon` shows how much). It stands beside
    the primary estimate as a reference, never for it.

    Parameters
    ----------
    data : DataFrame
        As for `impute`; `fit_weight` weighs the regression where it is there, else `weight`.

    Returns
    -------
    DataFrame
        One row as from `impute`, aggregation ``simple``. `std_error` clustered by school, `df`
        schools less one.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If training cannot be told apart from school and year effects.

    Notes
    -----
    ``y_st = alpha_s + beta_t + theta D_st + e_st`` by weighted least squares; the sandwich with
    ``G/(G-1) (N-1)/(N-K)``, K the coefficient and the year effects (school effects are nested in
    the clusters).

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(list("abcd"), 2), "time": [1, 2] * 4, "cohort": [2] * 4 + [0] * 4,
    ...     "outcome": [5.0, 4, 7, 7, 8, 9, 6, 8], "weight": 1.0})
    >>> two_way_fixed_effects(table).loc[0, "estimate"].round(6)
    np.float64(-2.0)
    """
    cells = grid(checked(data))
    training = cells.treated.astype(float)
    outcome, own = _within(cells, cells.outcome), _within(cells, training)
    variation = float((cells.fit_weight * own**2).sum())
    if variation <= _NULL * (cells.fit_weight * training).sum():
        raise InfeasibleError("training_not_identified")
    implied = cells.fit_weight * own / variation
    estimate = float((implied * outcome).sum())
    influence = (implied * (outcome - estimate * own)).sum(axis=1)
    rows = linear_rows(
        cells,
        [("simple", 0, 0)],
        target=np.where(cells.treated, cells.weight, 0.0)[None],
        implied=implied[None],
        estimate=np.array([estimate]),
        deviations=np.sqrt(_correction(cells)) * influence[None],
    )
    return with_inference(rows, {}, size=float(np.abs(cells.outcome).max()))


def _within(cells: Grid, values: Floats) -> Floats:
    """Take school and year effects out, (S, T); 0 where a school-year has no data."""
    nobody = np.zeros(values.shape, dtype=bool)
    fitted = numeric.fit(values, cells.fit_weight, nobody, cells.stratum)
    return np.where(cells.fit_weight > 0, fitted.residual, 0.0)


def _correction(cells: Grid) -> float:
    there = cells.fit_weight > 0
    schools, number = int(there.any(axis=1).sum()), int(there.sum())
    effects = numeric.by_stratum(there.astype(float), cells.stratum) > 0
    spare = number - 1 - int(effects.sum())
    return schools / max(schools - 1, 1) * (number - 1) / max(spare, 1)


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
        if onset[one] == onset[other]:
            continue  # the data lack the years between the two, so they tell nothing of each other
        rows += _pair(mean, share, onset, one, other)
    comparisons = pd.DataFrame(rows, columns=list(BACON_COLUMNS[:5]))
    variance = comparisons["weight"].sum()
    if not variance > 0:
        raise InfeasibleError("training_not_identified_in_every_year")
    return comparisons.assign(
        weight=comparisons["weight"] / variance,
        schools_treated=comparisons["treated"].map(schools),
        schools_comparison=comparisons["comparison"].map(schools),
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
    complete = cells[cells.groupby("unit")["time"].transform("size").eq(years)]
    if complete.empty:
        raise InfeasibleError("no_school_in_every_year", years=int(years))
    return complete.drop(columns=["fit_weight", "stratum"], errors="ignore").assign(
        weight=complete.groupby("unit")["weight"].transform("mean"),
        cohort=complete["cohort"].mask(complete["cohort"].gt(complete["time"].max()), NEVER),
    )


def bacon_by_type(data: pd.DataFrame) -> pd.DataFrame:
    """Sum the two-by-two comparisons by type, each with the schools and children behind it.

    Parameters
    ----------
    data : DataFrame
        As for `bacon`; `pupils` is counted where it is there.

    Returns
    -------
    DataFrame
        `TYPE_COLUMNS`, the heaviest type first: variant (the type), weight (all add up to 1),
        estimate (their weighted mean), std_error (of the two-way estimate on the same schools),
        df (schools of the type less one), schools_treated, schools_comparison, pupils (in the
        school-years from training on of its trained schools) and largest_share (of one school in
        the weight of either side).

    Raises
    ------
    ContractError, InfeasibleError
        As `bacon`.
    """
    pairs, cells = bacon(data), balanced(data)
    error = simple_row(two_way_fixed_effects(cells))["std_error"]
    cells = _from_first(cells)
    rows = []
    for variant, own in pairs.groupby("type", sort=False):
        weight = float(own["weight"].sum())
        estimate = float((own["weight"] * own["estimate"]).sum() / weight)
        behind = _behind(cells, set(own["treated"]), set(own["comparison"]))
        rows.append((variant, weight, estimate, error, *behind))
    table = pd.DataFrame(rows, columns=list(TYPE_COLUMNS))
    return table.sort_values("weight", ascending=False, ignore_index=True)


def _behind(
    cells: pd.DataFrame, treated: set[int], comparison: set[int]
) -> tuple[float, int, int, float, float]:
    """Return df, schools of either side, pupils and largest share of a type of comparison."""
    arms = [cells[cells["cohort"].isin(cohorts)] for cohorts in (treated, comparison)]
    shares = [own.groupby("unit")["weight"].first() for own in arms]
    after = arms[0][arms[0]["time"].ge(arms[0]["cohort"])]
    schools = len(set(arms[0]["unit"]) | set(arms[1]["unit"]))
    return (
        schools - 1.0,
        len(shares[0]),
        len(shares[1]),
        float(after["pupils"].sum()) if "pupils" in cells else float("nan"),
        max(float(share.max() / share.sum()) for share in shares),
    )


def _cohorts(cells: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Return cohorts' mean outcome by year, share of weight, and number of schools."""
    cells = _from_first(cells)
    product = cells.assign(product=cells["weight"] * cells["outcome"])
    summed = product.groupby(["cohort", "time"])[["product", "weight"]].sum()
    mean = (summed["product"] / summed["weight"]).rename("mean").reset_index()
    weight = cells.groupby("cohort")["weight"].sum()
    mean = mean.pivot_table(index="cohort", columns="time", values="mean")
    return mean, weight / weight.sum(), cells.groupby("cohort")["unit"].nunique()


def _from_first(cells: pd.DataFrame) -> pd.DataFrame:
    """Let schools trained before the data begin be trained from their first year."""
    first = cells["time"].min()
    always = cells["cohort"].ne(NEVER) & cells["cohort"].le(first)
    return cells.assign(cohort=cells["cohort"].mask(always, first))


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
