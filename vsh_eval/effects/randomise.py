"""Randomisation inference: how often chance alone would give an effect as large as this."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import DesignError, require_one_of
from vsh_eval.effects.allocations import Allocations, allocations
from vsh_eval.effects.gate import Prepared
from vsh_eval.numerics import permutation

Floats = npt.NDArray[np.float64]
Statistic = Literal["studentised", "plain"]
STATISTICS = ("studentised", "plain")
_TIE = 1e-9
"""Statistics that differ by less than this share are equal, whatever the order of adding up."""


@dataclass(frozen=True, slots=True)
class Randomisation:
    """Where the estimate lies among the estimates that chance alone gives.

    Attributes
    ----------
    rows : DataFrame
        As from `randomise`.
    drawn : array (draws,)
        The statistic of every allocation drawn, NaN where there is none.
    """

    rows: pd.DataFrame
    drawn: Floats


def randomise(
    data: Prepared | pd.DataFrame,
    *,
    draws: int = 999,
    within: str | None = "phase",
    statistic: Statistic = "studentised",
    seed: int = 0,
) -> pd.DataFrame:
    """Deal the years of training out anew and ask how often the effect comes out as large.

    Parameters
    ----------
    data : Prepared or DataFrame
        From `prepare`, or a table as for `impute`.
    draws : int
        Allocations drawn, at least 99.
    within : str or None
        Years change places among schools that are alike in this column; None for all schools.
        ``phase`` counts as None where the table has no such column.
    statistic : {"studentised", "plain"}
        The imputation's simple estimate over its influence-function standard error, or the
        estimate itself.
    seed : int
        Of the draws.

    Returns
    -------
    DataFrame
        One row: estimate (the simple estimate, in the outcome's unit), statistic (of the actual
        allocation), p_value (two-sided), draws, allocations (how many different ones there are;
        infinite beyond the range of a float), smallest_p (the smallest p value there could be),
        schools, within, status, reason. Where the outcomes do not vary there is no p value and
        status is ``x``.

    Raises
    ------
    ContractError
        If a column is missing or the statistic unknown.
    DesignError
        If no school is trained, there is only one allocation, no trained school-year can be
        imputed, or `draws` is below 99.

    Notes
    -----
    ``p = (1 + #{|T*| >= |T|}) / (draws + 1)``. Whole sequences of training are exchanged, and a
    school keeps its outcomes and weights, so the test is exact, with either statistic and any
    number of schools, if training changed nothing in any school and the years had been dealt out
    by lot within the blocks. The studentised statistic stays valid in large samples where training
    changed schools up and down but not on average (Chung and Romano 2013; DiCiccio and Romano
    2017), and is the default. An allocation without an estimate counts as one as large.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(np.arange(30), 6), "time": np.tile(np.arange(1, 7), 30),
    ...     "cohort": np.repeat([0, 4, 5], 60), "outcome": rng.normal(size=180), "weight": 1.0})
    >>> table.loc[table["cohort"].gt(0) & table["time"].ge(table["cohort"]), "outcome"] -= 3
    >>> randomise(table).loc[0, "p_value"]
    np.float64(0.001)
    """
    return fit_randomisation(data, draws=draws, within=within, statistic=statistic, seed=seed).rows


def fit_randomisation(
    data: Prepared | pd.DataFrame,
    *,
    draws: int = 999,
    within: str | None = "phase",
    statistic: Statistic = "studentised",
    seed: int = 0,
) -> Randomisation:
    """Do as `randomise` and keep the statistic of every allocation drawn.

    Parameters, errors and method are those of `randomise`.

    Returns
    -------
    Randomisation

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": list("aabbcc"), "time": [1, 2] * 3, "cohort": [2] * 2 + [0] * 4,
    ...     "outcome": [5.0, 6, 7, 9, 8, 10.5], "weight": 1.0})
    >>> fit_randomisation(table, draws=99).rows.loc[0, "smallest_p"].round(3)
    np.float64(0.333)
    """
    require_one_of(statistic, STATISTICS, name="statistic")
    if draws < 99:
        raise DesignError(f"draws is {draws}, must be at least 99; use 999.")
    design = allocations(data, within=within)
    labels = np.concatenate([design.actual[None], design.draw(draws, seed=seed)])
    found = permutation.batch(design.terms, labels)
    if not np.isfinite(found.estimate[0]):
        raise DesignError(
            "no trained school-year can be imputed, must be at least one; begin the years earlier "
            "or add schools that were trained later or never."
        )
    size = float(np.abs(design.cells.outcome).max())
    values = _statistics(found, statistic, still=1e-12 * max(size, 1e-12))
    reason = ""
    if not np.isfinite(values[0]):
        reason = "the outcomes do not vary, so there is nothing to compare"
    return Randomisation(_row(design, found.estimate[0], values, reason), values[1:])


def _statistics(found: permutation.Batch, statistic: Statistic, *, still: float) -> Floats:
    varies = found.influence_error > still
    if statistic == "plain":
        return np.where(varies, found.estimate, np.nan)
    return found.estimate / np.where(varies, found.influence_error, np.nan)


def _row(design: Allocations, estimate: float, values: Floats, reason: str) -> pd.DataFrame:
    actual, drawn = values[0], values[1:]
    larger = ~(np.abs(drawn) < np.abs(actual) * (1 - _TIE))
    with np.errstate(over="ignore"):
        number = float(np.exp(design.log_number))
    return pd.DataFrame(
        {
            "estimate": [float(estimate)],
            "statistic": [float(actual)],
            "p_value": [np.nan if reason else (1 + larger.sum()) / (len(drawn) + 1)],
            "draws": [len(drawn)],
            "allocations": [number],
            "smallest_p": [max(1 / number, 1 / (len(drawn) + 1))],
            "schools": [len(design.cells.units)],
            "within": [design.within],
            "status": [names.UNAVAILABLE if reason else ""],
            "reason": [reason],
        }
    )
