"""Rows from estimates that are weighted sums of outcomes: counts and concentration behind each."""

import numpy as np
import pandas as pd

from vsh_eval.effects.grid import Floats, Grid
from vsh_eval.numerics.imputation import contributes


def linear_rows(
    cells: Grid,
    labels: list[tuple[str, int, int]],
    *,
    target: Floats,
    implied: Floats,
    estimate: Floats,
    deviations: Floats,
) -> pd.DataFrame:
    """Put estimates into rows, with the schools and pupils behind each.

    Parameters
    ----------
    cells : Grid
        Schools by years.
    labels : list of (aggregation, cohort, index)
        Names of the K estimates.
    target : array (K, S, T)
        Weight of the trained school-years each estimate is about.
    implied : array (K, S, T)
        Weight of every school-year in the estimate.
    estimate : array (K,)
        The estimates.
    deviations : array (K, S)
        Schools' deviations, whose cross-product is the covariance.

    Returns
    -------
    DataFrame
        What `with_inference` takes. `df` is the schools with any weight less one; `pupils` NA
        where the table has none; `largest_share` the larger of one school's share of the target
        and of the comparison's weight, 0 where there is no comparison.
    """
    weight = target.sum(axis=2)
    treated = weight > 0
    touched = contributes(implied)
    compared = touched & ~treated
    leaning = np.where(compared, np.abs(implied).sum(axis=2), 0.0)
    rows = pd.DataFrame(labels, columns=["aggregation", "cohort", "index"])
    rows["estimate"] = estimate
    rows["std_error"] = np.sqrt((deviations**2).sum(axis=1))
    rows["df"] = touched.sum(axis=1) - 1.0
    rows["schools_treated"] = treated.sum(axis=1)
    rows["schools_comparison"] = compared.sum(axis=1)
    pupils = np.where(target > 0, cells.pupils, 0.0).sum(axis=(1, 2))
    rows["pupils"] = pd.Series(pupils, dtype="Float64").round().astype("Int64")
    rows["largest_share"] = np.fmax(_share(weight), _share(leaning))
    return rows.assign(status="", reason="")


def _share(weight: Floats) -> Floats:
    """Return the largest school's share of each row's total, 0 where there is none."""
    total = weight.sum(axis=1)
    return weight.max(axis=1) / np.where(total > 0, total, 1.0)
