"""What the design could see, now, later and with others, before any effect is looked at."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval.contracts import require_one_of
from vsh_eval.effects.estimators.imputation import imputable_target, impute
from vsh_eval.effects.estimators.same_past import cells_of, estimated_variances, same_past
from vsh_eval.effects.grid import Grid, checked, grid
from vsh_eval.numerics.estimators import imputation as numeric
from vsh_eval.numerics.estimators.same_past import Variances, covariance
from vsh_eval.numerics.inference.significance import minimum_detectable

Estimator = Literal["imputation", "same_past"]
_ESTIMATORS = {"imputation": partial(impute, leads=0), "same_past": same_past}


@dataclass(frozen=True, slots=True)
class DesignPower:
    """What a design can see.

    Attributes
    ----------
    std_error : float
        Standard error of the estimate, in the outcome's unit.
    df : float
        Degrees of freedom (schools less one).
    mde : float
        Smallest true effect found with a power of 80 %, in the outcome's unit.
    """

    std_error: float = float("nan")
    df: float = float("nan")
    mde: float = float("nan")


def design_mde(data: pd.DataFrame, *, estimator: Estimator = "imputation") -> DesignPower:
    """Return what the design can see without showing what it saw.

    Parameters
    ----------
    data : DataFrame
        School-years as for `impute`.
    estimator : {"imputation", "same_past"}
        The primary estimator, or the second.

    Returns
    -------
    DesignPower
        Of the simple estimate; it holds no estimate. NaN where there is no standard error.

    Raises
    ------
    ContractError
        If the estimator is not known.
    DesignError
        As the estimator.

    Notes
    -----
    The jackknife standard error of the estimate, as in the simulation that chose it.
    Adding any constant to all treated outcomes moves the estimate and every leave-one-out alike,
    so the standard error is the same whatever the effect: it can be looked at first.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(np.arange(30), 6), "time": np.tile(np.arange(1, 7), 30),
    ...     "cohort": np.repeat([0, 4, 5], 60), "outcome": rng.normal(size=180), "weight": 1.0})
    >>> found = design_mde(table)
    >>> found.mde == minimum_detectable(found.std_error, found.df)
    True
    """
    require_one_of(estimator, tuple(_ESTIMATORS), name="estimator")
    simple = _ESTIMATORS[estimator](data, draws=1).iloc[0]
    error, df = float(simple["std_error"]), float(simple["df"])
    return DesignPower(error, df, minimum_detectable(error, df))


def wait_ratios(
    data: pd.DataFrame, years: Sequence[int], *, variances: Variances | None = None
) -> list[float]:
    """Return how the standard error of the primary estimate falls if one waits.

    Parameters
    ----------
    data : DataFrame
        School-years as for `same_past`.
    years : sequence of int
        More years of data, each asked by itself.
    variances : Variances, optional
        Of the schools' gaps; by default estimated from the untrained school-years.

    Returns
    -------
    list of float
        Standard error then over standard error now: below 1 where waiting helps.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If no treated school-year can be imputed, or the variances cannot be estimated.

    Notes
    -----
    The schools trained stay those trained now, and every later year has the cohort of the last
    one. The estimate is ``sum w_st y_st`` with weights that hang on the panel's shape alone, so
    with C_s the covariance of a school's years (`numerics.estimators.same_past.covariance`) its
    variance is ``sum_s w_s' C_s w_s``, now and with the years added; later years of a school tell
    less the more they are like those before. The years before training stay as few as they are: the
    ratio does not fall to zero.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(np.arange(30), 4), "time": np.tile(np.arange(1, 5), 30),
    ...     "cohort": np.repeat([0, 3], 60), "outcome": 0.0, "weight": 1.0})
    >>> alone = Variances(school=1.0, noise=np.zeros(1), autocorrelation=0.0, school_year=1.0)
    >>> [round(one, 3) for one in wait_ratios(table, [0, 2, 40], variances=alone)]
    [1.0, 0.866, 0.724]
    """
    ratio = _waiting(data, variances)
    return [ratio(more) for more in years]


def years_needed(data: pd.DataFrame, ratio: float, *, most: int) -> int | None:
    """Return the fewest more years that bring the standard error down to a share of today's.

    Parameters
    ----------
    data
        As for `wait_ratios`, which gives the errors.
    ratio : float
        The share, below 1.
    most : int
        Years after which one stops asking.

    Returns
    -------
    int or None
        None where `most` years do not do.

    Raises
    ------
    ContractError, DesignError
        As `wait_ratios`.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(np.arange(30), 4), "time": np.tile(np.arange(1, 5), 30),
    ...     "cohort": np.repeat([0, 3], 60), "weight": 1.0,
    ...     "outcome": np.random.default_rng(1).normal(size=120)})
    >>> [years_needed(table, share, most=40) for share in (0.9, 0.8, 0.7)]
    [3, 14, None]
    """
    waited = _waiting(data, None)
    needed = 1 + bisect_left(range(1, most + 1), x=True, key=lambda more: waited(more) <= ratio)
    return needed if needed <= most else None


def _waiting(data: pd.DataFrame, variances: Variances | None) -> Callable[[int], float]:
    """Return the function that `wait_ratios` asks."""
    cells = grid(checked(data))
    held = estimated_variances(cells_of(cells)) if variances is None else variances
    now = _variance(cells, held)
    return lambda more: float(np.sqrt(_variance(_continued(cells, more), held) / now))


def _continued(cells: Grid, more: int) -> Grid:
    """Return the panel with its last year repeated."""
    last, later = cells.times[-1], np.arange(1, more + 1)

    def repeated(values: np.ndarray) -> np.ndarray:
        return np.hstack([values, np.repeat(values[:, -1:], more, axis=1)])

    return replace(
        cells,
        times=np.append(cells.times, last + later),
        years=np.append(cells.years, cells.years[-1] + later),
        onset=cells.onset + np.where(cells.ever, 0, more),
        outcome=repeated(cells.outcome),
        weight=repeated(cells.weight),
        fit_weight=repeated(cells.fit_weight),
        pupils=repeated(cells.pupils),
    )


def _variance(cells: Grid, variances: Variances) -> float:
    """Return the variance of the primary estimate of a panel of this shape."""
    fitted, target = imputable_target(cells)
    implied = numeric.implied_weights(fitted, target[None])[0]
    return float(np.einsum("st,stu,su->", implied, covariance(cells_of(cells), variances), implied))


def pool_mde(std_error: float, authorities: int) -> float:
    """Return the smallest effect that authorities of this size detect together.

    Parameters
    ----------
    std_error : float
        Of one authority's estimate, in the outcome's unit.
    authorities : int
        Number of authorities, 2 or more, each with the same standard error.

    Returns
    -------
    float
        In the outcome's unit.

    Notes
    -----
    ``(t(1 - alpha/2, k - 1) + t(power, k - 1)) * std_error / sqrt(k)``, k being the authorities:
    the interval of a pool (Hartung and Knapp) judges its error by how the authorities differ, so
    it has k - 1 degrees of freedom and two authorities detect less than one. The effect is taken to
    be the same in all.

    Examples
    --------
    >>> [round(pool_mde(1.44, k), 1) for k in (2, 4, 8, 60)]
    [14.3, 3.0, 1.7, 0.5]
    """
    return minimum_detectable(std_error / authorities**0.5, authorities - 1.0)
