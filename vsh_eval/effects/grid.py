"""From a long table of school-years to arrays of schools by years, once checked."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsh_eval import academic_year
from vsh_eval.contracts import DesignError, InfeasibleError, require_columns, row_count
from vsh_eval.names import NEVER
from vsh_eval.numerics.arrays import Floats, Ints

CELL_COLUMNS = ("unit", "time", "cohort", "outcome", "weight")
"""What every estimator needs of a school-year."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Schools by years.

    Attributes
    ----------
    units, times, cohorts : arrays
        Names of the S schools, the T years in order, and each school's year of adoption
        (0 = never), as the table had them.
    onset : array (S,)
        Position of the first treated year; T for a school not treated in these years.
    stratum, phase : array (S,)
        0 to J-1, and 0 to P-1; the same where the table names no phase.
    years : array (T,)
        Calendar years in which the academic years begin; `times` where the table has no
        time_period.
    outcome, weight, fit_weight, pupils : arrays (S, T)
        0 where a school-year has no data; `pupils` NaN throughout where the table has none.
    """

    units: npt.NDArray[np.object_]
    times: Ints
    cohorts: Ints
    onset: Ints
    stratum: Ints
    phase: Ints
    years: Ints
    outcome: Floats
    weight: Floats
    fit_weight: Floats
    pupils: Floats

    @property
    def event(self) -> Ints:
        """Used years since adoption, (S, T); negative before it and for schools never treated."""
        return np.arange(len(self.times))[None, :] - self.onset[:, None]

    @property
    def ever(self) -> npt.NDArray[np.bool_]:
        """Schools treated within these years, (S,)."""
        return self.onset < len(self.times)

    @property
    def treated(self) -> npt.NDArray[np.bool_]:
        """School-years at or after adoption, (S, T)."""
        return (self.event >= 0) & self.ever[:, None]


def checked(data: pd.DataFrame) -> pd.DataFrame:
    """Return the school-years that have data, or refuse the table.

    Parameters
    ----------
    data : DataFrame
        unit, time, cohort (0 = never), outcome, weight and what else there is. Rows of weight 0
        are school-years without data and are left out.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        On no rows, a missing or infinite value, a negative weight or year of adoption, a year that
        is no whole number, a duplicate, schools whose names differ only in kind (1 and "1"), or a
        year of adoption or stratum that changes within a school.
    """
    require_columns(data, CELL_COLUMNS, name="the table of school-years")
    weights = [name for name in ("weight", "fit_weight") if name in data]
    for column in ("unit", "time", "cohort", *weights):
        missing = int(data[column].isna().sum())
        if missing:
            raise DesignError(
                f"{column} is missing in {missing} school-years, must be given in all; "
                f"{'write 0 for never trained' if column == 'cohort' else 'remove or fill them'}."
            )
    for column in weights:
        refuse_unlike(data, column, lowest=0, remedy="use sums of possible sessions or of pupils")
    for column in ("time", "cohort"):
        refuse_unlike(
            data,
            column,
            whole=True,
            lowest=0 if column == "cohort" else None,
            remedy="write years as whole numbers, and 0 for never trained",
        )
    cells = data[data[weights].gt(0).all(axis=1)]
    if cells.empty:
        raise InfeasibleError("no_weight")
    if cells["outcome"].isna().any():
        raise DesignError(
            f"outcome is missing in {int(cells['outcome'].isna().sum())} school-years of positive "
            "weight, must be given; remove them or set their weight to 0."
        )
    refuse_unlike(cells, "outcome", remedy="remove those school-years or set their weight to 0")
    _refuse_inconsistent(cells)
    return cells


def refuse_unlike(
    data: pd.DataFrame,
    column: str,
    *,
    remedy: str,
    lowest: float | None = None,
    whole: bool = False,
) -> None:
    """Refuse a column with values that are no finite number, too low, or no whole number.

    Raises
    ------
    DesignError
        Naming the column, the first such value, the rule and the remedy.

    Examples
    --------
    >>> refuse_unlike(pd.DataFrame({"cohort": [0, np.inf]}), "cohort", remedy="write 0")
    Traceback (most recent call last):
    ...
    vsh_eval.contracts.DesignError: cohort is inf in 1 row, must be a finite number; write 0.
    """
    values = data[column].to_numpy(np.float64)
    wrong, rule = ~np.isfinite(values), "a finite number"
    if not wrong.any() and whole:
        wrong, rule = values != np.floor(values), "a whole number"
    if not wrong.any() and lowest is not None:
        wrong, rule = values < lowest, f"{lowest:g} or more"
    if wrong.any():
        raise DesignError(
            f"{column} is {values[wrong][0]:g} in {row_count(int(wrong.sum()))}, must be {rule}; "
            f"{remedy}."
        )


def _refuse_inconsistent(cells: pd.DataFrame) -> None:
    """Refuse duplicates, and what should be constant within a school but is not."""
    twice = int(cells.duplicated(["unit", "time"]).sum())
    if twice:
        raise DesignError(
            f"{twice} school-years are there twice, must be there once; "
            "give one row per school and year of one metric."
        )
    units = cells["unit"].drop_duplicates()
    same = len(units) - units.astype("str").nunique()
    if same:
        raise DesignError(
            f"unit names {same} schools that differ only in kind, such as 1 and '1', must be all "
            "text or all numbers; convert the column."
        )
    for column in ("cohort", *(["stratum"] if "stratum" in cells else [])):
        changing = units_changing(cells, "unit", column)
        if changing:
            raise DesignError(
                f"{column} changes within {changing} schools, must be constant in each; "
                "training that is given once is not taken back."
            )


def units_changing(cells: pd.DataFrame, unit: str, column: str) -> int:
    """Count the units in which a column takes more than one value.

    Examples
    --------
    >>> units_changing(pd.DataFrame({"unit": list("aab"), "cohort": [1, 2, 3]}), "unit", "cohort")
    1
    """
    units, values = (pd.factorize(cells[name], use_na_sentinel=False)[0] for name in (unit, column))
    most = int(values.max(initial=0)) + 1
    pairs = np.unique(units * most + values)
    return int((np.bincount(pairs // most) > 1).sum())


def grid(cells: pd.DataFrame) -> Grid:
    """Lay checked school-years out as arrays; years are numbered by the years that have data."""
    units, row = np.unique(cells["unit"].to_numpy(object).astype(str), return_inverse=True)
    times, column = np.unique(cells["time"].to_numpy(np.int64), return_inverse=True)
    cohorts = np.zeros(len(units), dtype=np.int64)
    cohorts[row] = cells["cohort"].to_numpy(np.int64)
    onset = np.where(cohorts == NEVER, len(times), np.searchsorted(times, cohorts))
    years = times.copy()
    if "time_period" in cells:
        years[column] = [academic_year.start(int(period)) for period in cells["time_period"]]

    def numbered(name: str) -> Ints:
        values = np.zeros(len(units), dtype=np.int64)
        if name in cells:
            names = cells[name].to_numpy(object).astype(str)
            values[row] = np.unique(names, return_inverse=True)[1]
        return values

    def laid_out(name: str) -> Floats:
        values = np.zeros((len(units), len(times)))
        values[row, column] = cells[name].to_numpy(float)
        return values

    weight = laid_out("weight")
    return Grid(
        units=units.astype(object),
        times=times,
        cohorts=cohorts,
        onset=onset.astype(np.int64),
        stratum=numbered("stratum"),
        phase=numbered("phase" if "phase" in cells else "stratum"),
        years=years,
        outcome=laid_out("outcome"),
        weight=weight,
        fit_weight=laid_out("fit_weight") if "fit_weight" in cells else weight,
        pupils=laid_out("pupils") if "pupils" in cells else np.full(weight.shape, np.nan),
    )
