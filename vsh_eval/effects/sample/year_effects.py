"""Which schools share year effects: those of a phase, or small phases with the nearest one."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import Message

STRATUM_SCHOOLS = 8
"""Schools that a phase must have for year effects of its own."""
STRATUM_COMPARISON = 2
"""Not yet trained schools that it must have in every used year: one can be left out."""

COMMON = "common"
BY_PHASE = "by_phase"
JOINED = "by_phase_joined"
ESTIMATORS = {COMMON: "imputation_common_year", BY_PHASE: "imputation_phase_year"}
"""What the imputation is called where these year effects stand beside the primary ones."""


@dataclass(frozen=True, slots=True)
class YearEffects:
    """Which year effects a set of school-years can bear.

    Attributes
    ----------
    kind : str
        `COMMON`, `BY_PHASE` or `JOINED`.
    stratum : Series
        Of each school-year: the phase whose year effects it has, '' where they are common.
    note : Message
        What is done and why.
    """

    kind: str
    stratum: pd.Series
    note: Message


def year_effects(cells: pd.DataFrame) -> YearEffects:
    """Decide which schools share year effects.

    Parameters
    ----------
    cells : DataFrame
        unit, phase, time, cohort, outcome and weight of the school-years used.

    Returns
    -------
    YearEffects
        A phase is large with `STRATUM_SCHOOLS` schools, and `STRATUM_COMPARISON` of them not yet
        trained in every used year. A large phase has year effects of its own; any other phase has
        those of the large phase whose mean gap before anyone was trained is nearest to its own.
        Common where fewer than two phases are large.

    Notes
    -----
    Means are weighted as the estimate is, over the years before the first training, so that no
    effect can decide what is joined; a phase without school-years then is taken for an average
    one. Both limits were chosen by simulation (docs/adr/0009): a higher one sends
    authorities to common year effects just where phases were trained unequally, and there common
    year effects take the difference between phases for an effect.

    Examples
    --------
    >>> kinds = ["primary"] * 20 + ["secondary"] * 8 + ["special"] * 3
    >>> cells = pd.DataFrame([
    ...     (school, kind, time, 2 * (school % 4 == 0), 2.0 + 9 * (kind != "primary"), 100.0)
    ...     for school, kind in enumerate(kinds) for time in (1, 2)],
    ...     columns=["unit", "phase", "time", "cohort", "outcome", "weight"])
    >>> year_effects(cells).note
    Message('year_effects_joined', schools=8, untrained=2, joined={'special': 'secondary'})
    >>> year_effects(cells[cells["phase"] == "primary"]).kind
    'common'
    """
    schools = cells.groupby("phase")["unit"].nunique()
    if len(schools) == 1:
        return _common(cells, Message("year_effects_one_phase"))
    left = _untrained(cells, schools.index)
    large = schools.index[schools.ge(STRATUM_SCHOOLS) & left.ge(STRATUM_COMPARISON)]
    limits: dict[str, object] = {"schools": STRATUM_SCHOOLS, "untrained": STRATUM_COMPARISON}
    if len(large) < 2:
        return _common(cells, Message("year_effects_too_few_phases", **limits))
    if len(large) == len(schools):
        note = Message("year_effects_by_phase", **limits)
        return YearEffects(BY_PHASE, cells["phase"], note)
    nearest = _nearest(cells, schools.index, large)
    joined = {phase: to for phase, to in sorted(nearest.items()) if phase != to}
    note = Message("year_effects_joined", **limits, joined=joined)
    return YearEffects(JOINED, cells["phase"].map(nearest), note)


def kind_of(cells: pd.DataFrame) -> str:
    """Name the year effects that a table of school-years has, by its phase and stratum.

    Examples
    --------
    >>> kind_of(pd.DataFrame({"phase": ["primary", "special"], "stratum": ["primary"] * 2}))
    'by_phase_joined'
    """
    if cells["stratum"].eq("").all():
        return COMMON
    return BY_PHASE if cells["stratum"].eq(cells["phase"]).all() else JOINED


def _common(cells: pd.DataFrame, why: Message) -> YearEffects:
    return YearEffects(COMMON, pd.Series("", index=cells.index, dtype="str"), why)


def _untrained(cells: pd.DataFrame, phases: pd.Index) -> pd.Series:
    """Return the fewest not yet trained schools that a phase has in any used year.

    A school with one such year says nothing of how years differ, and does not count.
    """
    waiting = cells[cells["cohort"].eq(names.NEVER) | cells["time"].lt(cells["cohort"])]
    linking = waiting[waiting.groupby("unit")["time"].transform("size").gt(1)]
    cases = pd.MultiIndex.from_product([phases, np.unique(cells["time"])])
    left = linking.groupby(["phase", "time"]).size().reindex(cases, fill_value=0)
    return left.groupby(level=0).min()


def _nearest(cells: pd.DataFrame, phases: pd.Index, large: pd.Index) -> dict[str, str]:
    """Return the phase whose year effects each phase has."""
    first = cells.loc[cells["cohort"].ne(names.NEVER), "cohort"].min()
    before = cells[cells["time"] < first]
    sums = (before["outcome"] * before["weight"]).groupby(before["phase"]).sum()
    level = (sums / before.groupby("phase")["weight"].sum()).reindex(phases)
    level = level.fillna(level[large].mean())
    return {
        phase: phase if phase in large else str((level[large] - level[phase]).abs().idxmin())
        for phase in phases
    }
