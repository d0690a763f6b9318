"""Static two-way fixed effects: the regression that older evaluations report. A reference only."""

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError
from vsh_eval.effects.grid import Grid, checked, grid
from vsh_eval.effects.linear_rows import linear_rows
from vsh_eval.effects.rows import with_inference
from vsh_eval.numerics.absorbed import Regression, regress


def two_way_fixed_effects(data: pd.DataFrame, *, alpha: float = 0.05) -> pd.DataFrame:
    """Regress the outcome on training, school effects and year effects.

    Where effects grow or differ between cohorts of adoption this is no mean of effects: schools
    trained earlier serve as comparison for later ones (`bacon` shows how much). It stands beside
    the primary estimate as a reference, never for it.

    Parameters
    ----------
    data : DataFrame
        As for `impute`; `fit_weight` weighs the regression where it is there, else `weight`.
    alpha : float
        Significance level.

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
    found = fit_two_way(cells)
    rows = linear_rows(
        cells,
        [("simple", 0, 0)],
        target=np.where(cells.treated, cells.weight, 0.0)[None],
        implied=found.implied_weight,
        estimate=found.coefficient,
        deviations=found.deviations(),
    )
    return with_inference(rows, {}, alpha=alpha, size=float(np.abs(cells.outcome).max()))


def fit_two_way(cells: Grid) -> Regression:
    """Fit the regression, or say why training cannot be told apart.

    Raises
    ------
    DesignError
        If no school is trained within the years, or all are in all years.
    """
    found = regress(
        cells.outcome, cells.treated[None].astype(float), cells.fit_weight, cells.stratum
    )
    if np.isnan(found.coefficient[0]):
        raise DesignError(
            "training cannot be told apart from school and year effects: no school is trained "
            "within the years used, or all are from the same year on; add untrained schools."
        )
    return found
