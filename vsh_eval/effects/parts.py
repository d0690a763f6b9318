"""Imputed effects of parts of the treated school-years, each with its own interval."""

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError, require_columns
from vsh_eval.effects.grid import Floats, checked, grid
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
    fitted = numeric.fit(cells.outcome, cells.fit_weight, cells.treated, cells.stratum)
    target = np.where(cells.treated & numeric.imputable(fitted), cells.weight, 0.0)
    if not target.any():
        raise DesignError(
            "no trained school-year can be imputed, must be at least one; it needs a year of the "
            "school before training and an untrained school in its year."
        )
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
    found = _rows(made, weights, np.where(weights > 0, cells.pupils, 0.0).sum(axis=(1, 2)))
    size = float(np.abs(cells.outcome).max())
    return with_inference(found, {}, alpha=alpha, size=size).assign(part=labels)


def _rows(made: numeric.Estimates, weights: Floats, pupils: Floats) -> pd.DataFrame:
    treated = weights.sum(axis=2) > 0
    comparison = made.contributes & ~treated
    leaning = np.where(comparison, np.abs(made.implied_weight).sum(axis=2), 0.0)
    shares = [
        part.max(axis=1) / np.where(part.sum(axis=1) > 0, part.sum(axis=1), 1.0)
        for part in (weights.sum(axis=2), leaning)
    ]
    return pd.DataFrame(
        {
            "aggregation": "simple",
            "cohort": 0,
            "index": 0,
            "estimate": made.estimate,
            "std_error": np.sqrt((made.deviations() ** 2).sum(axis=1)),
            "df": (made.schools - 1).astype(float),
            "schools_treated": treated.sum(axis=1),
            "schools_comparison": comparison.sum(axis=1),
            "pupils": pd.Series(pupils, dtype="Float64").round().astype("Int64"),
            "largest_share": np.fmax(*shares),
            "status": "",
            "reason": "",
        }
    )
