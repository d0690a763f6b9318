"""Randomisation inference: how often chance alone would give an effect as large as this."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import gammaln

from vsh_eval import names
from vsh_eval.contracts import DesignError, InfeasibleError, Message
from vsh_eval.effects.grid import Floats, Grid, Ints, checked, grid
from vsh_eval.numerics.inference import permutation

_TIE = 1e-9
"""Statistics that differ by less than this share are equal, whatever the order of adding up."""


@dataclass(frozen=True, slots=True)
class Reassignments:
    """A design whose years of adoption can be reassigned at random.

    Attributes
    ----------
    cells : Grid
        The school-years.
    terms : permutation.Terms
        What every school adds, for every year in which it might adopt.
    actual : array (S,)
        Position in `terms.onsets` of each school's own year.
    blocks : tuple of arrays
        Schools among which years are exchanged.
    """

    cells: Grid
    terms: permutation.Terms
    actual: Ints
    blocks: tuple[Ints, ...]

    @property
    def log_number(self) -> float:
        """Natural logarithm of the number of different allocations."""
        number = 0.0
        for block in self.blocks:
            counts = np.unique(self.actual[block], return_counts=True)[1]
            number += gammaln(len(block) + 1) - gammaln(counts + 1).sum()
        return float(number)

    def draw(self, draws: int, *, seed: int) -> Ints:
        """Reassign the years at random, (draws, S); a block keeps how many schools adopt when."""
        generator = np.random.default_rng(seed)
        drawn = np.tile(self.actual, (draws, 1))
        for block in self.blocks:
            drawn[:, block] = generator.permuted(drawn[:, block], axis=1)
        return drawn


def reassignments(data: pd.DataFrame) -> Reassignments:
    """Lay a design out so that its years of adoption can be reassigned at random.

    Parameters
    ----------
    data : DataFrame
        School-years as for `impute`.
        Years change places among schools of one phase; among all where the table has no phase.

    Raises
    ------
    DesignError
        If the table cannot be laid out, no school is trained, or every assignment is the same.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": list("aaabbbccc"), "time": [1, 2, 3] * 3, "cohort": [3] * 3 + [0] * 6,
    ...     "outcome": [5.0, 6, 4, 7, 9, 7, 8, 9, 10], "weight": 1.0})
    >>> round(np.exp(reassignments(table).log_number), 6)
    np.float64(3.0)
    """
    cells = grid(checked(data))
    if not cells.ever.any():
        raise InfeasibleError("nobody_trained_in_years")
    onsets, actual = np.unique(cells.onset, return_inverse=True)
    design = Reassignments(
        cells=cells,
        terms=permutation.terms(
            cells.outcome, cells.weight, cells.fit_weight, onsets, cells.stratum
        ),
        actual=actual.astype(np.int64),
        blocks=tuple(np.flatnonzero(cells.phase == phase) for phase in np.unique(cells.phase)),
    )
    if design.log_number < np.log(1.5):
        raise InfeasibleError("one_assignment_only")
    return design


def randomise(data: pd.DataFrame, *, draws: int = 999, seed: int = 0) -> pd.DataFrame:
    """Reassign the years of training at random and count how often the effect is as large.

    Parameters
    ----------
    data : DataFrame
        School-years as for `impute`.
    draws : int
        Assignments drawn, at least 99.
    seed : int
        Of the draws.

    Returns
    -------
    DataFrame
        One row: estimate (the simple estimate, in the outcome's unit), statistic (of the actual
        assignment: the estimate over its influence-function standard error), p_value (two-sided),
        draws, allocations (how many different ones there are; infinite beyond the range of a
        float), smallest_p (the smallest p value there could be),
        schools, status, reason. Where the outcomes do not vary there is no p value and
        status is ``x``.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If no school is trained, there is only one assignment, no trained school-year can be
        imputed, or `draws` is below 99.

    Notes
    -----
    ``p = (1 + #{|T*| >= |T|}) / (draws + 1)``. Whole sequences of training are exchanged, and a
    school keeps its outcomes and weights, so the test is exact, with any number of schools, if
    training changed nothing in any school and the years had been assigned at random within the
    blocks. A studentised statistic stays valid in large samples where training changed schools up
    and down but not on average (Chung and Romano 2013; DiCiccio and Romano 2017). An assignment
    without an estimate counts as one as large.

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
    if draws < 99:
        raise DesignError(f"draws is {draws}, must be at least 99; use 999.")
    design = reassignments(data)
    labels = np.concatenate([design.actual[None], design.draw(draws, seed=seed)])
    estimates = permutation.batch(design.terms, labels)
    if not np.isfinite(estimates.estimate[0]):
        raise InfeasibleError("nothing_imputed")
    size = float(np.abs(design.cells.outcome).max())
    varies = estimates.influence_error > 1e-12 * max(size, 1e-12)
    values = estimates.estimate / np.where(varies, estimates.influence_error, np.nan)
    reason = Message() if np.isfinite(values[0]) else Message("no_variation")
    return _row(design, estimates.estimate[0], values, reason)


def _row(design: Reassignments, estimate: float, values: Floats, reason: Message) -> pd.DataFrame:
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
            "status": [names.UNAVAILABLE if reason else ""],
            "reason": [reason],
        }
    )
