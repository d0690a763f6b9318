"""Imputed effects of parts of the treated school-years, each with its own interval."""

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError, require_columns
from vsh_eval.effects.grid import Floats, Grid, checked, grid
from vsh_eval.effects.linear_rows import linear_rows
from vsh_eval.effects.rows import with_inference
from vsh_eval.numerics import imputation as numeric

ALL = "all"


def impute_parts(data: pd.DataFrame, *, by: str | None = None, alpha: float = 0.05) -> pd.DataFrame:
    """Estimate the effect by imputation, on all treated school-years or on parts of them.

    Parameters
    ----------
    data : DataFrame
        As for `impute`.
    by : str, optional
        Column that names the part of each treated school-year; '' for none. The fit is the same
        for every part.
    alpha : float
        Significance level of the intervals.

    Returns
    -------
    DataFrame
        `rows.ROW_COLUMNS` and `part`, one row a part (``all`` without `by`), sorted by part;
        aggregation is ``simple``. A part without an imputable school-year has no row.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If no treated school-year can be imputed.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": list("aaabbbccc"), "time": [1, 2, 3] * 3, "cohort": [3] * 6 + [0] * 3,
    ...     "outcome": [5.0, 6, 4, 7, 9, 7, 8, 9, 10], "weight": 1.0})
    >>> impute_parts(table)[["part", "estimate"]].round(3).values.tolist()
    [['all', -2.75]]
    """
    if by is not None:
        require_columns(data, [by], name="the table of school-years")
    rows = checked(data)
    cells = grid(rows)
    fitted, target = imputable_target(cells)
    named = np.full(target.shape, ALL, dtype=object)
    if by is not None:
        named[:] = ""
        unit = np.searchsorted(cells.units.astype(str), rows["unit"].astype(str).to_numpy())
        year = np.searchsorted(cells.times, rows["time"].to_numpy(np.int64))
        named[unit, year] = rows[by].astype(str).to_numpy(object)
    labels = [label for label in np.unique(named[target > 0].astype(str)) if label]
    if not labels:
        raise DesignError(f"{by} names no part of the trained school-years, must name some.")
    weights = np.stack([np.where(named == label, target, 0.0) for label in labels])
    made = numeric.estimate(fitted, weights)
    found = linear_rows(
        cells,
        [("simple", 0, 0)] * len(labels),
        target=weights,
        implied=made.implied_weight,
        estimate=made.estimate,
        deviations=made.deviations(),
    )
    size = float(np.abs(cells.outcome).max())
    return with_inference(found, {}, alpha=alpha, size=size).assign(part=labels)


def imputable_target(cells: Grid) -> tuple[numeric.Fit, Floats]:
    """Fit the untrained school-years and weigh the trained ones that they can impute, (S, T).

    Raises
    ------
    DesignError
        If there is none.
    """
    fitted = numeric.fit(cells.outcome, cells.fit_weight, cells.treated, cells.stratum)
    target = np.where(cells.treated & numeric.imputable(fitted), cells.weight, 0.0)
    if not target.any():
        raise DesignError(
            "no trained school-year can be imputed, must be at least one; it needs a year of the "
            "school before training and an untrained school in its year."
        )
    return fitted, target
