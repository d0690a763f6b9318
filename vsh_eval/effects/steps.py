"""The steps of the gate: each takes school-years away and writes down how many and why."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from vsh_eval import academic_year
from vsh_eval.names import NEVER


@dataclass(frozen=True, slots=True)
class State:
    """School-years on their way through the gate."""

    cells: pd.DataFrame
    losses: tuple[tuple[str, int, int, int, str], ...] = ()
    notes: tuple[str, ...] = ()

    def without(self, lost: pd.Series, step: str, reason: str) -> "State":
        """Leave school-years out and write down what was lost."""
        if not lost.any():
            return self
        entry = (step, *_size(self.cells, lost), reason)
        return replace(self, cells=self.cells[~lost], losses=(*self.losses, entry))

    def noting(self, note: str) -> "State":
        """Add a sentence for the reader."""
        return replace(self, notes=(*self.notes, note))


def number(state: State) -> State:
    """Give the years that have data numbers, and place each school's adoption among them."""
    cells = state.cells
    years = np.unique(cells["time_period"].to_numpy(np.int64))
    time = np.searchsorted(years, cells["time_period"].to_numpy(np.int64)) + 1
    adopted = cells["adopted"].to_numpy(np.int64)
    cohort = np.where(adopted == NEVER, NEVER, np.searchsorted(years, adopted) + 1)
    numbered = cells.assign(time=time, adopted=adopted, cohort=cohort.astype(np.int64))
    return replace(state, cells=numbered)


def first_year(state: State) -> State:
    """Leave out schools that were trained by the first year: they have no year before."""
    first = state.cells["time_period"].min()
    return state.without(
        state.cells["cohort"].eq(1),
        "trained_before",
        f"trained by {academic_year.label(int(first))}, the first year used",
    )


def after_last_year(state: State) -> State:
    """Count schools that are trained after the last year as not yet trained throughout."""
    cells = state.cells
    later = cells["cohort"] > cells["time"].max()
    if not later.any():
        return state
    number = cells.loc[later, "unit_id"].nunique()
    last = academic_year.label(int(cells["time_period"].max()))
    never = cells.assign(
        cohort=cells["cohort"].mask(later, NEVER), adopted=cells["adopted"].mask(later, NEVER)
    )
    return replace(state, cells=never).noting(
        f"{number} schools trained after {last} count as not yet trained."
    )


def small_cohorts(min_schools: int) -> Callable[[State], State]:
    """Make the step that pools cohorts of too few schools with the next."""

    def pooled(state: State) -> State:
        for cohort in sorted(set(state.cells["cohort"]) - {NEVER}):
            members = state.cells["cohort"].eq(cohort)
            if state.cells.loc[members, "unit_id"].nunique() < min_schools:
                state = _pool(state, cohort, min_schools)
        return state

    return pooled


def _pool(state: State, cohort: int, min_schools: int) -> State:
    cells = state.cells
    members = cells["cohort"].eq(cohort)
    number = cells.loc[members, "unit_id"].nunique()
    label = academic_year.label(int(cells.loc[members, "adopted"].min()))
    later = sorted(entry for entry in set(cells["cohort"]) if entry > cohort)
    following = later[0] if later else int(cells["time"].max()) + 1
    between = members & cells["time"].ge(cohort) & cells["time"].lt(following)
    fate = "pooled with the next cohort" if later else "counted until their training only"
    year = cells.loc[cells["cohort"].eq(following), "adopted"].iloc[0] if later else NEVER
    moved = cells.assign(
        cohort=cells["cohort"].mask(members, following if later else NEVER),
        adopted=cells["adopted"].mask(members, year),
    )
    return (
        replace(state, cells=moved)
        .without(
            between,
            "small_cohort",
            f"fewer than {min_schools} schools trained in {label}: {fate}",
        )
        .noting(f"{number} schools trained in {label} are too few for a cohort: {fate}.")
    )


def anchored(state: State) -> State:
    """Leave out trained schools without a year before training."""
    cells = state.cells
    before = cells["cohort"].eq(NEVER) | cells["time"].lt(cells["cohort"])
    anchored = before.groupby(cells["unit_id"]).transform("any")
    return state.without(~anchored, "no_year_before", "no cohort pupils before training")


def _size(cells: pd.DataFrame, flags: pd.Series) -> tuple[int, int, int]:
    """Count the schools that vanish altogether, the school-years and the pupil-years."""
    gone = set(cells.loc[flags, "unit_id"]) - set(cells.loc[~flags, "unit_id"])
    return len(gone), int(flags.sum()), int(cells.loc[flags, "pupils"].sum())
