"""Which units and periods can bear a synthetic comparison, and what is left out for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsh_eval.contracts import DesignError, InfeasibleError, Message, require_columns
from vsh_eval.effects.grid import refuse_unlike
from vsh_eval.names import NEVER

Floats = npt.NDArray[np.float64]
Donors = Sequence[str] | Mapping[str, Sequence[str]] | None

LEAST_BEFORE = 2
"""Periods before treatment: one says nothing of the trajectory."""
LEAST_DONORS = 2
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class BalancedPanel:
    """Units by periods without a gap.

    Attributes
    ----------
    outcomes : array (U, T)
        By unit and period.
    units : tuple
        Their names.
    times : tuple of int
        The periods kept, in order.
    cohorts : dict
        First treated period of each treated unit, as it is written in `times`' unit.
    pools : dict
        Donors of each unit: of a treated one those it is compared with, of a donor those its
        placebo is.
    sizes : array (U,) or None
        Mean number of children behind a unit, where the data say it.
    dropped : DataFrame
        unit, reason: units left out.
    notes : tuple of Message
        What a reader must know.
    """

    outcomes: Floats
    units: tuple[str, ...]
    times: tuple[int, ...]
    cohorts: dict[str, int]
    pools: dict[str, tuple[str, ...]]
    sizes: Floats | None
    dropped: pd.DataFrame
    notes: tuple[Message, ...]

    def before(self, cohort: int) -> int:
        """Return how many periods lie before a cohort's first treated one."""
        return sum(time < cohort for time in self.times)

    def rows(self, units: Sequence[str]) -> Floats:
        """Return the outcomes of some units."""
        place = {unit: row for row, unit in enumerate(self.units)}
        return self.outcomes[[place[unit] for unit in units]]


def with_cohort(data: pd.DataFrame, *, unit: str | None, start: int | None) -> pd.DataFrame:
    """Give the data the first treated time of one unit; treated others are left out.

    Parameters
    ----------
    data : DataFrame
        unit, time; cohort where `unit` or `start` is not given.
    unit, start
        As for `synthetic_did`; without both the data are returned as they are.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If the unit has no row, or its start is not known.
    """
    if unit is None and start is None:
        return data
    require_columns(data, ["unit", "time", *([] if unit and start else ["cohort"])], name="data")
    names = data["unit"].astype(str)
    is_unit = names.eq(str(unit)) if unit is not None else data["cohort"].ne(NEVER)
    if not is_unit.any():
        raise DesignError(
            f"unit is {unit!r} and has no row in data, must have one a year; give its name as the "
            "data write it."
        )
    first = int(data.loc[is_unit, "cohort"].iloc[0]) if start is None else start
    elsewhere = data["cohort"].ne(NEVER) & ~is_unit if "cohort" in data else names.eq("") & False
    return data.assign(unit=names, cohort=np.where(is_unit, first, NEVER))[~elsewhere]


def balanced_panel(data: pd.DataFrame, *, donors: Donors) -> BalancedPanel:
    """Make the panel of a synthetic comparison; what cannot bear it is left out and counted.

    Parameters
    ----------
    data : DataFrame
        unit, time, outcome, cohort (first treated time, 0 = donor); optional pupils. A hidden or
        absent outcome is missing.
    donors
        As for `synthetic_did`.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If rows stand twice, a cohort varies within a unit, or too few periods or donors are left.
    """
    table = _checked(data)
    firsts = table.groupby("unit")["cohort"].first()
    cohorts = {str(unit): int(first) for unit, first in firsts.items() if first != NEVER}
    wide = table.pivot_table(
        index="unit", columns="time", values="outcome", dropna=False, aggfunc="first"
    ).astype(float)
    wide, notes = _periods(wide, cohorts)
    others = [unit for unit in wide.index if unit not in cohorts]
    if donors is not None and not isinstance(donors, Mapping):
        listed = {str(name) for name in donors}
        others = [unit for unit in others if unit in listed]
    gaps = wide.isna().any(axis=1)
    cohorts = {u: first for u, first in cohorts.items() if not gaps[u]}
    kept = [*cohorts, *(u for u in others if not gaps[u])]
    dropped = [u for u in others if gaps[u]]
    _refuse(cohorts, wide.columns, kept)
    if dropped:
        notes.append(Message("units_left_out", units=len(dropped)))
    return BalancedPanel(
        outcomes=wide.loc[kept].to_numpy(float),
        units=tuple(kept),
        times=tuple(int(time) for time in wide.columns),
        cohorts=cohorts,
        pools=_pools(donors, cohorts, kept),
        sizes=_sizes(table, kept),
        dropped=pd.DataFrame({"unit": dropped, "reason": "outcome_missing"}),
        notes=tuple(notes),
    )


def _checked(data: pd.DataFrame) -> pd.DataFrame:
    require_columns(data, ["unit", "time", "outcome", "cohort"], name="data")
    table = data.assign(unit=data["unit"].astype(str))
    twice = int(table.duplicated(["unit", "time"]).sum())
    if twice:
        raise DesignError(
            f"{twice} rows of data stand twice for a unit and time, must stand once; "
            "give one row per unit and time."
        )
    moving = int(table.groupby("unit")["cohort"].nunique(dropna=False).gt(1).sum())
    if moving or table["cohort"].isna().any():
        raise DesignError(
            f"cohort differs within {moving} units or is missing, must be one first treated "
            "time a unit; write 0 for a donor."
        )
    for column, lowest in (("time", None), ("cohort", 0)):
        refuse_unlike(table, column, lowest=lowest, whole=True, remedy="write 0 for a donor")
    known = table[table["outcome"].notna()]
    refuse_unlike(known, "outcome", remedy="leave out what is not a number")
    late = table["cohort"] > table["time"].max()
    return table.assign(cohort=table["cohort"].mask(late, NEVER).astype(np.int64))


def _periods(wide: pd.DataFrame, cohorts: Mapping[str, int]) -> tuple[pd.DataFrame, list[Message]]:
    """Take out periods that the treated unit, or half of the others, do not have."""
    own = wide.loc[list(cohorts)]
    others = wide.drop(index=list(cohorts))
    seen = own.notna().all() if len(own) == 1 else own.notna().any()
    known = others.notna().mean() >= _HALF if len(others) else seen
    out = [int(time) for time in wide.columns[~(seen & known)]]
    notes = []
    if out:
        notes.append(Message("years_left_out", years=tuple(out)))
    return wide.loc[:, seen & known], notes


def _refuse(cohorts: Mapping[str, int], times: pd.Index, kept: Sequence[str]) -> None:
    if not cohorts:
        raise InfeasibleError("no_treated_unit")
    if times.empty:
        raise InfeasibleError("no_year_with_outcome", least=LEAST_BEFORE + 1)
    for first in set(cohorts.values()):
        before = int((times < first).sum())
        if before < LEAST_BEFORE or before == len(times):
            raise InfeasibleError(
                "too_few_years_before_start",
                years=len(times),
                before=before,
                start=first,
                least=LEAST_BEFORE,
            )
    donors = len(kept) - len(cohorts)
    if donors < LEAST_DONORS:
        raise InfeasibleError("too_few_donors", donors=donors, least=LEAST_DONORS)


def _pools(
    donors: Donors, cohorts: Mapping[str, int], kept: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return who each unit is compared with: never a treated unit, never itself."""
    open_to_all = [unit for unit in kept if unit not in cohorts]
    if not isinstance(donors, Mapping):
        return {unit: tuple(other for other in open_to_all if other != unit) for unit in kept}
    found = {}
    for unit in kept:
        wanted = {str(name) for name in donors.get(unit, ())}
        found[unit] = tuple(o for o in open_to_all if o in wanted and o != unit)
    for unit in cohorts:
        if len(found[unit]) < LEAST_DONORS:
            raise InfeasibleError(
                "too_few_donors", donors=len(found[unit]), unit=unit, least=LEAST_DONORS
            )
    return found


def _sizes(table: pd.DataFrame, kept: Sequence[str]) -> Floats | None:
    if "pupils" not in table:
        return None
    return table.groupby("unit")["pupils"].mean().reindex(list(kept)).to_numpy(float)
