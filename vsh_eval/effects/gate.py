"""The gate before any estimate: which school-years can bear it, and what is lost on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError, require_columns
from vsh_eval.effects import steps
from vsh_eval.effects.grid import units_changing
from vsh_eval.effects.refusals import (
    nobody_left,
    why_no_comparison,
    why_too_few_schools,
    why_too_few_trained,
)
from vsh_eval.effects.steps import State
from vsh_eval.effects.strata import BY_PHASE, COMMON, common, kind_of, year_effects
from vsh_eval.names import NEVER

FEWEST_SCHOOLS = 10
"""Schools below which no estimate is made."""
FEW_SCHOOLS = 40
"""Schools below which intervals need a second opinion."""
FEW_TRAINED = 10
"""Trained schools below which the interval excludes nought too readily (docs/proofs/wild_size)."""

GAP_COLUMNS = ("unit_id", "phase", "time_period", "outcome", "weight", "pupils")


@dataclass(frozen=True, slots=True)
class Prepared:
    """School-years that passed the gate, with the account of what did not.

    Attributes
    ----------
    data : DataFrame
        One row per school-year: unit, time (1, 2, ... by years with data), time_period, cohort
        (in `time`; 0 = never or after the last year), cohort_period, outcome, weight, pupils,
        base_pupils (mean cohort pupils before anyone was trained, constant, 0 where none),
        stratum (the phase whose year effects a school has, '' where they are common), phase, and
        the covariates.
    losses : DataFrame
        step, schools, school_years, pupils (pupil-years), reason: what was there, what each step
        took, and what is used; the first less the others is the last.
    periods : DataFrame
        time, time_period, schools.
    cohorts : DataFrame
        cohort, cohort_period, base_period (last year with data before training), schools.
    stratified : bool
        Whether year effects are by phase, small phases joined to large ones or not.
    few_schools : bool
        Fewer than 40 schools: read randomisation or a wild bootstrap beside the interval.
    covariates : tuple of str
        Columns of `data`.
    account : tuple of str
        What was done to come to these school-years, in sentences; it takes nothing from the
        estimate.
    cautions : tuple of str
        What takes from the estimate's weight, in sentences.
    """

    data: pd.DataFrame
    losses: pd.DataFrame
    periods: pd.DataFrame
    cohorts: pd.DataFrame
    stratified: bool
    few_schools: bool
    covariates: tuple[str, ...]
    account: tuple[str, ...]
    cautions: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know: the account, then the cautions."""
        return (*self.account, *self.cautions)

    @property
    def schools(self) -> int:
        """Number of schools used."""
        return int(self.data["unit"].nunique())

    @property
    def year_effects(self) -> str:
        """Which year effects: common, by phase, or by phase with small ones joined."""
        return kind_of(self.data)

    @property
    def other_year_effects(self) -> tuple[str, ...]:
        """Year effects that stand beside as a check: common ones, and every phase its own."""
        if len(self.data["phase"].unique()) == 1:
            return ()
        return tuple(kind for kind in (COMMON, BY_PHASE) if kind != self.year_effects)

    def by_phase(self, *, stratified: bool) -> "Prepared":
        """Return the same school-years with common year effects or every phase its own."""
        stratum = self.data["phase"] if stratified else ""
        return replace(self, data=self.data.assign(stratum=stratum), stratified=stratified)


def prepare(
    school_gaps: pd.DataFrame,
    exposure: pd.DataFrame,
    *,
    schools: pd.DataFrame | None = None,
    programme: str = "any",
    tier: str = "any",
    min_schools: int = 3,
    phases_rule: bool = True,
    covariates: Sequence[str] = (),
) -> Prepared:
    """Pass schools' gaps and their year of first training through the gate.

    Parameters
    ----------
    school_gaps : DataFrame
        One metric's rows: unit_id, phase, time_period, metric, outcome (within-school gap),
        weight, pupils; comparable years only.
    exposure : DataFrame
        unit_id, adopted (0 = never), and programme and tier where it holds several.
    schools : DataFrame, optional
        unit_id and the covariates; needed for covariates only.
    programme, tier : str
        The rows of `exposure` that are meant.
    min_schools : int
        An adoption cohort of fewer schools is pooled with the next: its school-years before the
        next cohort's year are left out, as they are neither untrained nor of that cohort. The
        last cohort's school-years from training on are left out instead.
    phases_rule : bool
        Use year effects by phase, small phases joined to the one most like them, where two phases
        or more can bear their own (`strata.year_effects`); never, where False.
    covariates : sequence of str
        Columns of `schools`; a school that lacks one is left out.

    Returns
    -------
    Prepared
        Every step that loses schools is in `losses`.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        On more than one metric, duplicates, a year of adoption that differs within a school,
        no trained school with years on both sides of training, or fewer than 10 schools.

    Notes
    -----
    Years are numbered by the years that have data, so a year without data is no distance.

    Examples
    --------
    >>> gaps = pd.DataFrame([
    ...     (str(s), "primary", year, "overall_absence", 5.0 + s, 100.0, 5)
    ...     for s in range(12) for year in (201819, 202021, 202122)],
    ...     columns=["unit_id", "phase", "time_period", "metric", "outcome", "weight", "pupils"])
    >>> trained = pd.DataFrame({"unit_id": [str(s) for s in range(12)],
    ...                         "adopted": [202021] * 4 + [0] * 8})
    >>> prepare(gaps, trained).cohorts[["cohort_period", "base_period", "schools"]].values.tolist()
    [[202021, 201819, 4]]
    """
    covariates = tuple(covariates)
    start = _checked(school_gaps)
    state = State(start).without(
        start["outcome"].isna() | ~start["weight"].gt(0), "no_data", "no gap or no weight"
    )
    adopted = adopted_by_school(exposure, programme=programme, tier=tier)
    state = replace(state, cells=state.cells.assign(adopted=state.cells["unit_id"].map(adopted)))
    state = state.without(state.cells["adopted"].isna(), "no_exposure", "not in the exposure table")
    state = _with_covariates(state, schools, covariates)
    if state.cells.empty:
        raise DesignError(_why_empty(state))
    passage = (
        steps.number,
        steps.first_year,
        steps.after_last_year,
        steps.small_cohorts(min_schools),
        steps.anchored,
    )
    asked = state.cells
    for step in passage:
        state = step(state)
    cells = steps.number(state).cells
    _refuse(cells, asked, min_schools)
    return _prepared(start, replace(state, cells=cells), covariates, phases_rule=phases_rule)


def _checked(school_gaps: pd.DataFrame) -> pd.DataFrame:
    require_columns(school_gaps, GAP_COLUMNS, name="school_gaps")
    metrics = school_gaps["metric"].unique() if "metric" in school_gaps else ["the outcome"]
    if len(metrics) > 1:
        raise DesignError(
            f"school_gaps holds {len(metrics)} metrics ({', '.join(map(str, sorted(metrics)))}), "
            "must hold one; select the rows of one metric."
        )
    moving = units_changing(school_gaps, "unit_id", "phase")
    if moving:
        raise DesignError(
            f"phase changes within {moving} schools, must be constant in each; "
            "give a school the phase of its last year."
        )
    twice = int(school_gaps.duplicated(["unit_id", "time_period"]).sum())
    if twice:
        raise DesignError(
            f"{twice} school-years of {metrics[0] if len(metrics) else 'the outcome'} are there "
            "twice, must be there once; give one row per school and year."
        )
    cells = school_gaps.copy()
    cells["unit_id"] = cells["unit_id"].astype(str)
    return cells.sort_values(["unit_id", "time_period"], ignore_index=True)


def _why_empty(state: State) -> str:
    """Say why no school-year is left."""
    if not state.losses:
        return (
            "no school-year is left, must be at least one; the panel may not hold this outcome, "
            "or no year of it can be compared."
        )
    return (
        f"no school-year is left ({'; '.join(entry[-1] for entry in state.losses)}), must be "
        "at least one; check that the tables name the schools alike."
    )


def adopted_by_school(exposure: pd.DataFrame, *, programme: str, tier: str) -> pd.Series:
    """Return each school's year of first training of one kind, 0 = never, by unit_id.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If no row is of this kind, or a school's year differs between rows, is missing or negative.

    Examples
    --------
    >>> table = pd.DataFrame({"unit_id": ["1"], "adopted": [202122]})
    >>> adopted_by_school(table, programme="any", tier="any").to_dict()
    {'1': 202122}
    """
    require_columns(exposure, ["unit_id", "adopted"], name="exposure")
    for column, value in (("programme", programme), ("tier", tier)):
        if column in exposure:
            exposure = exposure[exposure[column] == value]
    if exposure.empty:
        raise DesignError(
            f"exposure has no row of programme {programme!r} and tier {tier!r}, must have one for "
            "every school; name a programme and a tier of the training log."
        )
    pairs = exposure[["unit_id", "adopted"]].drop_duplicates()
    changing = int(pairs["unit_id"].duplicated().sum())
    if changing or pairs["adopted"].isna().any() or (pairs["adopted"] < 0).any():
        raise DesignError(
            f"adopted differs within {changing} schools or is missing or negative, must be one "
            "academic year a school; write 0 for never trained."
        )
    return pairs.set_index(pairs["unit_id"].astype(str))["adopted"].astype(np.int64)


def _with_covariates(
    state: State, schools: pd.DataFrame | None, covariates: tuple[str, ...]
) -> State:
    if not covariates:
        return state
    if schools is None:
        raise DesignError(
            f"covariates are {', '.join(covariates)} but no schools table is given; give schools."
        )
    require_columns(schools, ["unit_id", *covariates], name="schools")
    values = schools.set_index(schools["unit_id"].astype(str))[list(covariates)]
    cells = state.cells.join(values.astype(float), on="unit_id")
    return replace(state, cells=cells).without(
        cells[list(covariates)].isna().any(axis=1),
        "covariate",
        f"{' or '.join(covariates)} is not known",
    )


def _refuse(cells: pd.DataFrame, asked: pd.DataFrame, min_schools: int) -> None:
    trained = cells["cohort"].ne(NEVER) & cells["time"].ge(cells["cohort"])
    number = cells.loc[trained, "unit_id"].nunique()
    if number < min_schools or number == 0:
        raise DesignError(why_too_few_trained(asked, least=max(min_schools, 1)))
    schools = cells["unit_id"].nunique()
    if schools < FEWEST_SCHOOLS:
        raise DesignError(why_too_few_schools(schools, least=FEWEST_SCHOOLS))
    after = cells.loc[trained, "time"].unique()
    untrained = cells.loc[~trained, "time"]
    if not np.isin(after, untrained.unique()).any():
        raise DesignError(why_no_comparison(cells))


def _prepared(
    start: pd.DataFrame, state: State, covariates: tuple[str, ...], *, phases_rule: bool
) -> Prepared:
    cells = state.cells.rename(columns={"unit_id": "unit"})
    years = cells.groupby("time")["time_period"].first()
    cells["cohort_period"] = cells["cohort"].map(years).fillna(NEVER).astype(np.int64)
    schools = int(cells["unit"].nunique())
    years_by = year_effects(cells) if phases_rule else common(cells)
    account = [*state.notes, years_by.sentence]
    waiting = cells["adopted"].ne(cells["cohort_period"])
    if waiting.any():
        account.append(
            f"{cells.loc[waiting, 'unit'].nunique()} schools trained in a year without data count "
            "from the next year with data."
        )
    cells["base_pupils"] = cells["unit"].map(_base_pupils(cells)).fillna(0.0)
    cells["stratum"] = years_by.stratum
    order = ["unit", "time", "time_period", "cohort", "cohort_period", "outcome", "weight"]
    order += ["pupils", "base_pupils", "stratum", "phase", *covariates]
    entire = ("panel", *_whole(start, "unit_id"), "school-years of comparable years")
    used = ("used", *_whole(cells, "unit"), "school-years that bear the estimate")
    return Prepared(
        data=cells[order].reset_index(drop=True),
        losses=pd.DataFrame(
            [entire, *state.losses, used],
            columns=["step", "schools", "school_years", "pupils", "reason"],
        ),
        periods=cells.groupby(["time", "time_period"], as_index=False).agg(
            schools=("unit", "nunique")
        ),
        cohorts=_cohorts(cells),
        stratified=years_by.kind != COMMON,
        few_schools=schools < FEW_SCHOOLS,
        covariates=covariates,
        account=tuple(account),
        cautions=_cautions(cells),
    )


def _cautions(cells: pd.DataFrame) -> tuple[str, ...]:
    """Say what takes from the weight of an estimate made of these school-years."""
    schools = cells["unit"].nunique()
    trained = cells.loc[cells["cohort"].ne(NEVER), "unit"].nunique()
    few = f"Only {schools} schools: read the randomisation test beside the interval."
    few_trained = (
        f"Few schools were trained (under {FEW_TRAINED}): the interval excludes nought too "
        "readily, so believe it only where the randomisation test agrees."
    )
    return (
        *((nobody_left(cells),) if cells["cohort"].ne(NEVER).all() else ()),
        *((few,) if schools < FEW_SCHOOLS else ()),
        *((few_trained,) if trained < FEW_TRAINED else ()),
    )


def _whole(cells: pd.DataFrame, unit: str) -> tuple[int, int, int]:
    return int(cells[unit].nunique()), len(cells), int(cells["pupils"].sum())


def _base_pupils(cells: pd.DataFrame) -> pd.Series:
    """Return schools' mean cohort pupils over the years before anyone was trained."""
    first = cells.loc[cells["cohort"].ne(NEVER), "cohort"].min()
    before = cells[cells["time"] < first]
    return before.groupby("unit")["pupils"].sum() / before["time"].nunique()


def _cohorts(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the adoption cohorts with the last year with data before each."""
    periods = cells.groupby("time")["time_period"].first()
    trained = cells[cells["cohort"].ne(NEVER)]
    cohorts = trained.groupby(["cohort", "cohort_period"], as_index=False).agg(
        schools=("unit", "nunique")
    )
    cohorts.insert(2, "base_period", (cohorts["cohort"] - 1).map(periods).astype(np.int64))
    return cohorts
