"""What the design could see: the minimum detectable effect, before any effect is looked at."""

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError, require_one_of
from vsh_eval.effects.estimators.imputation import impute
from vsh_eval.effects.estimators.same_past import same_past
from vsh_eval.effects.sample.selection import AnalysisSample
from vsh_eval.numerics.inference import minimum_detectable

Estimator = Literal["imputation", "same_past"]
_ESTIMATORS = MappingProxyType({"imputation": partial(impute, leads=0), "same_past": same_past})


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
        Smallest true effect found with the power asked for, in the outcome's unit.
    alpha, power : float
        Size of the test and the power asked for.
    """

    std_error: float
    df: float
    mde: float
    alpha: float
    power: float


def mde(std_error: float, df: float, *, alpha: float = 0.05, power: float = 0.80) -> float:
    """Return the smallest true effect that a two-sided test finds with the power asked for.

    Parameters
    ----------
    std_error : float
        In the outcome's unit.
    df : float
        Degrees of freedom.
    alpha, power : float
        Size of the test and the power wanted.

    Returns
    -------
    float
        In the outcome's unit; NaN below one degree of freedom.

    Raises
    ------
    DesignError
        If alpha is not below 0.5 or power not between 0.5 and 1.

    Notes
    -----
    ``(t(1 - alpha/2, df) + t(power, df)) * std_error``.

    Examples
    --------
    >>> round(mde(1.44, 59), 1)
    4.1
    """
    if not (0 < alpha < 0.5 and 0.5 <= power < 1):
        raise DesignError(
            f"alpha is {alpha} and power {power}, must be below 0.5 and from 0.5 to below 1; "
            "use 0.05 and 0.80."
        )
    return minimum_detectable(std_error, df, alpha=alpha, power=power)


def design_mde(
    data: AnalysisSample | pd.DataFrame,
    *,
    estimator: Estimator = "imputation",
    alpha: float = 0.05,
    power: float = 0.80,
) -> DesignPower:
    """Return what the design can see without showing what it saw.

    Parameters
    ----------
    data : AnalysisSample or DataFrame
        From `select_sample`, or a table as for `impute`.
    estimator : {"imputation", "same_past"}
        The primary estimator, or the second.
    alpha, power : float
        Size of the test and the power wanted.

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
    >>> found.mde == mde(found.std_error, found.df)
    True
    """
    require_one_of(estimator, tuple(_ESTIMATORS), name="estimator")
    table = data.data if isinstance(data, AnalysisSample) else data
    simple = _ESTIMATORS[estimator](table, alpha=alpha, draws=1).iloc[0]
    error, df = float(simple["std_error"]), float(simple["df"])
    return DesignPower(
        std_error=error,
        df=df,
        mde=mde(error, df, alpha=alpha, power=power) if np.isfinite(error) else float("nan"),
        alpha=alpha,
        power=power,
    )
