"""Which units and periods can bear a synthetic comparison, and what is left out for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError, InfeasibleError, require_columns
from vsh_eval.effects.grid import refuse_unlike
from vsh_eval.numerics.arrays import Floats, Ints

Donors = Mapping[str, Sequence[str]]

LEAST_BEFORE = 2
"""Periods before treatment: one says nothing of the trajectory."""
LEAST_DONORS = 2
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class BalancedPanel:
    """Units by periods without a gap.

    Attributes
    ----------
    outcomes : DataFrame (U, T)
        By unit and period, the treated unit first.
    times : tuple of int
        The periods kept, in order.
    before : int
        Periods before the treated unit's first treated one.
    pools : dict
        Donors of each unit: of the treated one those it is compared with, of a donor those its
        placebo is.
    sizes : array (U,) or None
        Mean number of children behind a unit, where the data say it.
    dropped : tuple of str
        Units left out, as their outcome is hidden or absent in a year used.
    """

    outcomes: pd.DataFrame
    times: tuple[int, ...]
    before: int
    pools: dict[str, tuple[str, ...]]
    sizes: Floats | None
    dropped: tuple[str, ...]

    @property
    def unit(self) -> str:
        """The treated unit."""
        return str(self.outcomes.index[0])

    @property
    def others(self) -> list[str]:
        """The donors."""
        return self.outcomes.index[1:].tolist()

    def rows(self, units: Sequence[str]) -> Floats:
        """Return the outcomes of some units."""
        return self.outcomes.loc[list(units)].to_numpy(float)


def balanced_panel(data: pd.DataFrame, donors: Donors, *, unit: str, start: int) -> BalancedPanel:
    """Make the panel of a synthetic comparison; what cannot bear it is left out and counted.

    Parameters
    ----------
    data : DataFrame
        unit, time, outcome; optional pupils. A hidden or absent outcome is missing.
    donors, unit, start
        As for `fit_synthetic`.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If rows stand twice, the unit has none, or too few periods or donors are left.
    """
    table = _checked(data, unit)
    wide = table.pivot_table(
        index="unit", columns="time", values="outcome", dropna=False, aggfunc="first"
    ).astype(float)
    times = wide.columns.to_numpy(np.int64)
    if start > times.max():
        raise InfeasibleError("no_treated_unit")
    others = wide.drop(index=unit)
    # Periods that the treated unit, or half of the others, do not have are taken out.
    known = others.notna().mean().to_numpy() >= _HALF if len(others) else True
    observed = wide.loc[unit].notna().to_numpy() & known
    times = times[observed]
    wide = wide.loc[:, observed]
    dropped = [u for u in others.index if wide.loc[u].isna().any()]
    wide = wide.loc[[unit, *(u for u in others.index if u not in dropped)]]
    _refuse(times, start, donors=len(wide) - 1)
    return BalancedPanel(
        outcomes=wide,
        times=tuple(times.tolist()),
        before=int((times < start).sum()),
        pools=_pools(donors, wide.index.tolist()),
        sizes=_sizes(table, wide.index.tolist()),
        dropped=tuple(dropped),
    )


def _checked(data: pd.DataFrame, unit: str) -> pd.DataFrame:
    require_columns(data, ["unit", "time", "outcome"], name="data")
    table = data.assign(unit=data["unit"].astype(str))
    if not table["unit"].eq(unit).any():
        raise DesignError(
            f"unit is {unit!r} and has no row in data, must have one a year; give its name as the "
            "data write it."
        )
    twice = int(table.duplicated(["unit", "time"]).sum())
    if twice:
        raise DesignError(
            f"{twice} rows of data stand twice for a unit and time, must stand once; "
            "give one row per unit and time."
        )
    refuse_unlike(table, "time", whole=True, remedy="write years as whole numbers")
    known = table[table["outcome"].notna()]
    refuse_unlike(known, "outcome", remedy="leave out what is not a number")
    return table


def _refuse(times: Ints, start: int, *, donors: int) -> None:
    if not len(times):
        raise InfeasibleError("no_year_with_outcome", least=LEAST_BEFORE + 1)
    before = int((times < start).sum())
    if before < LEAST_BEFORE or before == len(times):
        raise InfeasibleError(
            "too_few_years_before_start",
            years=len(times),
            before=before,
            start=start,
            least=LEAST_BEFORE,
        )
    if donors < LEAST_DONORS:
        raise InfeasibleError("too_few_donors", donors=donors, least=LEAST_DONORS)


def _pools(donors: Donors, units: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return who each unit is compared with: never the treated unit, never itself."""
    unit, *others = units
    wanted = {u: set(map(str, donors.get(u, ()))) for u in units}
    pools = {u: tuple(o for o in others if o in wanted[u] and o != u) for u in units}
    if len(pools[unit]) < LEAST_DONORS:
        raise InfeasibleError(
            "too_few_donors", donors=len(pools[unit]), unit=unit, least=LEAST_DONORS
        )
    return pools


def _sizes(table: pd.DataFrame, units: Sequence[str]) -> Floats | None:
    if "pupils" not in table:
        return None
    return table.groupby("unit")["pupils"].mean().reindex(list(units)).to_numpy(float)
