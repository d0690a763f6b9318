"""Other ways the same years of adoption could have fallen on the same schools."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import gammaln

from vsh_eval.contracts import DesignError, require_columns
from vsh_eval.effects.gate import Prepared
from vsh_eval.effects.grid import Grid, checked, grid
from vsh_eval.numerics import permutation

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Allocations:
    """A design whose years of adoption can be dealt out anew.

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
    within : str
        What the blocks are, '' where all schools are one.
    """

    cells: Grid
    terms: permutation.Terms
    actual: Integers
    blocks: tuple[Integers, ...]
    within: str

    @property
    def log_number(self) -> float:
        """Natural logarithm of the number of different allocations."""
        number = 0.0
        for block in self.blocks:
            counts = np.unique(self.actual[block], return_counts=True)[1]
            number += gammaln(len(block) + 1) - gammaln(counts + 1).sum()
        return float(number)

    def draw(self, draws: int, *, seed: int) -> Integers:
        """Deal the years out anew, (draws, S): each block keeps how many schools adopt when."""
        generator = np.random.default_rng(seed)
        drawn = np.tile(self.actual, (draws, 1))
        for block in self.blocks:
            drawn[:, block] = generator.permuted(drawn[:, block], axis=1)
        return drawn


def allocations(data: Prepared | pd.DataFrame, *, within: str | None) -> Allocations:
    """Lay a design out so that its years of adoption can be dealt out anew.

    Parameters
    ----------
    data : Prepared or DataFrame
        From `prepare`, or a table as for `impute`.
    within : str or None
        Column, constant in each school, within which years are exchanged; None for all schools.
        ``phase`` counts as None where the table has no such column.

    Raises
    ------
    ContractError
        If the column is missing.
    DesignError
        If the table cannot be laid out, no school is trained, or every allocation is the same.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": list("aaabbbccc"), "time": [1, 2, 3] * 3, "cohort": [3] * 3 + [0] * 6,
    ...     "outcome": [5.0, 6, 4, 7, 9, 7, 8, 9, 10], "weight": 1.0})
    >>> round(np.exp(allocations(table, within=None).log_number), 6)
    np.float64(3.0)
    """
    table = data.data if isinstance(data, Prepared) else data
    named = None if within == "phase" and within not in table else within
    if named is not None:
        require_columns(table, [named], name="the table of school-years")
    cells = grid(checked(table))
    if not cells.ever.any():
        raise DesignError(
            "no school is trained within the years used, must be at least one; extend the years "
            "or the programmes."
        )
    onsets, actual = np.unique(cells.onset, return_inverse=True)
    found = Allocations(
        cells=cells,
        terms=permutation.terms(
            cells.outcome, cells.weight, cells.fit_weight, onsets, cells.stratum
        ),
        actual=actual.astype(np.int64),
        blocks=_blocks(table, cells, named),
        within=named or "",
    )
    if found.log_number < np.log(1.5):
        raise DesignError(
            "every school was trained in the same year as all others it could change places with, "
            "so that there is only one way to deal the years out; compare within fewer groups."
        )
    return found


def _blocks(table: pd.DataFrame, cells: Grid, within: str | None) -> tuple[Integers, ...]:
    if within is None:
        return (np.arange(len(cells.units)),)
    names = table["unit"].astype(str)
    kinds = table[within].astype(str).groupby(names).agg(["first", "nunique"])
    changing = int(kinds["nunique"].gt(1).sum())
    if changing:
        raise DesignError(
            f"{within} changes within {changing} schools, must be constant in each; give a school "
            "one."
        )
    of_school = kinds["first"].reindex(cells.units.astype(str)).to_numpy(str)
    return tuple(np.flatnonzero(of_school == kind) for kind in np.unique(of_school))
