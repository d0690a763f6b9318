"""Which school-years can bear an estimate, and what is excluded on the way, counted by reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError, InfeasibleError, Message, require_columns
from vsh_eval.effects.grid import units_changing
from vsh_eval.effects.sample.exposure import adopted_by_school
from vsh_eval.effects.sample.year_effects import BY_PHASE, COMMON, kind_of, year_effects
from vsh_eval.names import NEVER

FEWEST_SCHOOLS = 10
"""Schools below which no estimate is made."""
FEW_SCHOOLS = 40
"""Schools below which intervals need a second opinion."""
FEW_TRAINED = 10
"""Trained schools below which the interval excludes zero too readily (docs/proofs/wild_size)."""

COVID_YEARS = (201920, 202021, 202122)
"""Academic years in which schools were closed or absence was coded as nothing before or since."""
GAP_COLUMNS = ("unit_id", "phase", "time_period", "outcome", "weight", "pupils")
EXCLUSION_COLUMNS = ("step", "schools", "school_years", "pupils", "reason")
"""The sample flow: what was there, what each step took, and what is used."""
_NEGLIGIBLE = 1e-9


@dataclass(frozen=True, slots=True)
class AnalysisSample:
    """School-years that can bear an estimate, with the account of what was excluded.

    Attributes
    ----------
    data : DataFrame
        One row per school-year: unit, time (1, 2, ... by years with data), time_period, cohort
        (in `time`; 0 = never or after the last year), cohort_period, outcome, weight, pupils,
        base_pupils (mean cohort pupils before anyone was trained, constant, 0 where none),
        stratum (the phase whose year effects a school has, '' where they are common), phase, and
        the covariates.
    exclusions : DataFrame
        `EXCLUSION_COLUMNS`, pupils in pupil-years, reason a `Message`: the first row less the
        others is the last.
    periods : DataFrame
        time, time_period, schools.
    cohorts : DataFrame
        cohort, cohort_period, base_period (last year with data before training), schools.
    covariates : tuple of str
        Columns of `data`.
    notes : tuple of Message
        What was done to come to these school-years; it takes nothing from the estimate.
    cautions : tuple of Message
        What takes from the estimate's weight.
    """

    data: pd.DataFrame
    exclusions: pd.DataFrame
    periods: pd.DataFrame
    cohorts: pd.DataFrame
    covariates: tuple[str, ...]
    notes: tuple[Message, ...]
    cautions: tuple[Message, ...]

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

    def with_year_effects(self, kind: str) -> "AnalysisSample":
        """Return the same school-years with common year effects, or every phase its own."""
        if kind == self.year_effects:
            return self
        stratum = self.data["phase"] if kind == BY_PHASE else ""
        return replace(self, data=self.data.assign(stratum=stratum))


@dataclass(frozen=True, slots=True)
class _State:
    """School-years on their way through the steps of selection."""

    cells: pd.DataFrame
    exclusions: tuple[tuple[str, int, int, int, Message], ...] = ()
    notes: tuple[Message, ...] = ()

    def without(self, lost: pd.Series, step: str, **values: object) -> "_State":
        """Exclude school-years and write down how many and why."""
        if not lost.any():
            return self
        entry = (step, *_size(self.cells, lost), Message(step, **values))
        return replace(self, cells=self.cells[~lost], exclusions=(*self.exclusions, entry))

    def noting(self, code: str, **values: object) -> "_State":
        """Add a note for the reader."""
        return replace(self, notes=(*self.notes, Message(code, **values)))


def select_sample(
    school_gaps: pd.DataFrame,
    exposure: pd.DataFrame,
    *,
    schools: pd.DataFrame | None = None,
    min_schools: int = 3,
    covariates: Sequence[str] = (),
) -> AnalysisSample:
    """Select the school-years that can bear an estimate of what training did.

    Parameters
    ----------
    school_gaps : DataFrame
        One metric's rows: unit_id, phase, time_period, metric, outcome (within-school gap),
        weight, pupils; comparable years only.
    exposure : DataFrame
        unit_id, adopted (0 = never); the rows of any programme and tier, where it holds several.
    schools : DataFrame, optional
        unit_id and the covariates; needed for covariates only.
    min_schools : int
        An adoption cohort of fewer schools is pooled with the next: its school-years before the
        next cohort's year are left out, as they are neither untrained nor of that cohort. The
        last cohort's school-years from training on are left out instead.
    covariates : sequence of str
        Columns of `schools`; a school that lacks one is left out.

    Returns
    -------
    AnalysisSample
        Every step that excludes school-years is in `exclusions`.

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
    >>> sample = select_sample(gaps, trained)
    >>> sample.cohorts[["cohort_period", "base_period", "schools"]].values.tolist()
    [[202021, 201819, 4]]
    """
    covariates = tuple(covariates)
    start = _checked(school_gaps)
    state = _State(start).without(start["outcome"].isna() | ~start["weight"].gt(0), "no_data")
    adopted = adopted_by_school(exposure)
    state = replace(state, cells=state.cells.assign(adopted=state.cells["unit_id"].map(adopted)))
    state = state.without(state.cells["adopted"].isna(), "no_exposure")
    state = _with_covariates(state, schools, covariates)
    if state.cells.empty:
        raise _empty(state)
    before = state.cells
    steps = (_number, _first_year, _after_last_year, _small_cohorts(min_schools), _anchored)
    for step in steps:
        state = step(state)
    cells = _number(state).cells
    _refuse(cells, before, min_schools)
    return _selected(start, replace(state, cells=cells), covariates)


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


def _empty(state: _State) -> InfeasibleError:
    """Return why no school-year is left."""
    if not state.exclusions:
        return InfeasibleError("no_school_year")
    steps = tuple(entry[0] for entry in state.exclusions)
    return InfeasibleError("no_school_year_left", steps=steps)


def _with_covariates(
    state: _State, schools: pd.DataFrame | None, covariates: tuple[str, ...]
) -> _State:
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
        cells[list(covariates)].isna().any(axis=1), "covariate", covariates=covariates
    )


def _refuse(cells: pd.DataFrame, before: pd.DataFrame, min_schools: int) -> None:
    trained = cells["cohort"].ne(NEVER) & cells["time"].ge(cells["cohort"])
    number = cells.loc[trained, "unit_id"].nunique()
    if number < min_schools or number == 0:
        raise _too_few_trained(before, least=max(min_schools, 1))
    schools = int(cells["unit_id"].nunique())
    if schools < FEWEST_SCHOOLS:
        raise InfeasibleError("too_few_schools", schools=schools, least=FEWEST_SCHOOLS)
    after = cells.loc[trained, "time"].unique()
    untrained = cells.loc[~trained, "time"]
    if not np.isin(after, untrained.unique()).any():
        years = cells.loc[cells["cohort"].ne(NEVER), "adopted"].unique()
        if len(years) == 1:
            raise InfeasibleError("all_trained_in_one_year", year=int(years[0]))
        raise InfeasibleError("no_untrained_school")


def _too_few_trained(before: pd.DataFrame, *, least: int) -> InfeasibleError:
    """Return why fewer trained schools than needed have years on both sides of training.

    `before` holds unit_id, time_period and adopted of the school-years before any were excluded
    for the year of training: nobody trained in time, too few schools trained, trained too early,
    or without children to count on one side.
    """
    first, last = int(before["time_period"].min()), int(before["time_period"].max())
    adopted = before.groupby("unit_id")["adopted"].first()
    in_time = adopted[adopted.ne(NEVER) & adopted.le(last)]
    if in_time.empty:
        return InfeasibleError("nobody_trained", last=last, least=least)
    if len(in_time) < least:
        return InfeasibleError("too_few_trained", trained=len(in_time), last=last, least=least)
    if in_time.gt(first).sum() < least:
        code = "all_trained_early" if in_time.le(first).all() else "nearly_all_trained_early"
        return InfeasibleError(code, first=first, least=least)
    return InfeasibleError("too_few_on_both_sides", least=least)


def refuse_no_variation(data: pd.DataFrame) -> None:
    """Refuse school-years that all have the same outcome.

    Parameters
    ----------
    data : DataFrame
        outcome of the school-years selected.

    Raises
    ------
    InfeasibleError
        If they do not vary: an interval would be no wider than zero.
    """
    outcome = data["outcome"]
    if outcome.max() - outcome.min() <= _NEGLIGIBLE * max(outcome.abs().max(), 1.0):
        raise InfeasibleError("same_gap_everywhere")


def redundant_covariates(schools: pd.DataFrame, covariates: Sequence[str]) -> tuple[str, ...]:
    """Return the covariates that can be worked out from those named before them.

    Parameters
    ----------
    schools : DataFrame
        The covariates, without missing values; one row a school or school-year.
    covariates : sequence of str
        Its columns.

    Returns
    -------
    tuple of str
        In the order given; one that is the same in every school is among them.

    Examples
    --------
    >>> table = pd.DataFrame({"fsm": [10.0, 20.0, 25.0], "twice": [20.0, 40.0, 50.0]})
    >>> redundant_covariates(table, ["fsm", "twice"])
    ('twice',)
    """
    design = np.ones((len(schools), 1))
    added: list[str] = []
    for name in covariates:
        values = schools[name].to_numpy(float)
        spread = values.std()
        if spread > _NEGLIGIBLE * max(np.abs(values).max(initial=0.0), 1.0):
            wider = np.column_stack([design, (values - values.mean()) / spread])
            if np.linalg.matrix_rank(wider) > design.shape[1]:
                design = wider
                continue
        added.append(name)
    return tuple(added)


def _selected(start: pd.DataFrame, state: _State, covariates: tuple[str, ...]) -> AnalysisSample:
    cells = state.cells.rename(columns={"unit_id": "unit"})
    years = cells.groupby("time")["time_period"].first()
    cells["cohort_period"] = cells["cohort"].map(years).fillna(NEVER).astype(np.int64)
    years_by = year_effects(cells)
    notes = [*state.notes, years_by.note]
    waiting = cells["adopted"].ne(cells["cohort_period"])
    if waiting.any():
        schools_waiting = int(cells.loc[waiting, "unit"].nunique())
        notes.append(Message("trained_in_year_without_data", schools=schools_waiting))
    cells["base_pupils"] = cells["unit"].map(_base_pupils(cells)).fillna(0.0)
    cells["stratum"] = years_by.stratum
    order = ["unit", "time", "time_period", "cohort", "cohort_period", "outcome", "weight"]
    order += ["pupils", "base_pupils", "stratum", "phase", *covariates]
    entire = ("panel", *_whole(start, "unit_id"), Message("panel"))
    used = ("used", *_whole(cells, "unit"), Message("used"))
    return AnalysisSample(
        data=cells[order].reset_index(drop=True),
        exclusions=pd.DataFrame([entire, *state.exclusions, used], columns=list(EXCLUSION_COLUMNS)),
        periods=_schools_by(cells, ["time", "time_period"]),
        cohorts=_cohorts(cells),
        covariates=covariates,
        notes=tuple(notes),
        cautions=_cautions(cells, covariates),
    )


def _cautions(cells: pd.DataFrame, covariates: tuple[str, ...]) -> tuple[Message, ...]:
    """Return what takes from the weight of an estimate made of these school-years."""
    schools = int(cells["unit"].nunique())
    trained = int(cells.loc[cells["cohort"].ne(NEVER), "unit"].nunique())
    cautions = []
    if cells["cohort"].ne(NEVER).all():
        last = cells.loc[cells["time"].eq(cells["cohort"].max()), "time_period"].iloc[0]
        cautions.append(Message("nobody_left_untrained", year=int(last)))
    if schools < FEW_SCHOOLS:
        cautions.append(Message("few_schools", schools=schools))
    if trained < FEW_TRAINED:
        cautions.append(Message("few_trained", trained=trained, limit=FEW_TRAINED))
    if set(cells["time_period"].astype(int)) <= set(COVID_YEARS):
        cautions.append(Message("covid_years_only", first=COVID_YEARS[0], last=COVID_YEARS[-1]))
    redundant = redundant_covariates(cells, covariates)
    if redundant:
        cautions.append(Message("redundant_covariates_caution", covariates=redundant))
    return tuple(cautions)


def _whole(cells: pd.DataFrame, unit: str) -> tuple[int, int, int]:
    return int(cells[unit].nunique()), len(cells), int(cells["pupils"].sum())


def _schools_by(cells: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Count the schools of each value of the keys."""
    return cells.groupby(keys)["unit"].nunique().reset_index(name="schools")


def _base_pupils(cells: pd.DataFrame) -> pd.Series:
    """Return schools' mean cohort pupils over the years before anyone was trained."""
    first = cells.loc[cells["cohort"].ne(NEVER), "cohort"].min()
    before = cells[cells["time"] < first]
    return before.groupby("unit")["pupils"].sum() / before["time"].nunique()


def _cohorts(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the adoption cohorts with the last year with data before each."""
    periods = cells.groupby("time")["time_period"].first()
    trained = cells[cells["cohort"].ne(NEVER)]
    cohorts = _schools_by(trained, ["cohort", "cohort_period"])
    cohorts.insert(2, "base_period", (cohorts["cohort"] - 1).map(periods).astype(np.int64))
    return cohorts


def _number(state: _State) -> _State:
    """Give the years that have data numbers, and place each school's adoption among them."""
    cells = state.cells
    years = np.unique(cells["time_period"].to_numpy(np.int64))
    time = np.searchsorted(years, cells["time_period"].to_numpy(np.int64)) + 1
    adopted = cells["adopted"].to_numpy(np.int64)
    cohort = np.where(adopted == NEVER, NEVER, np.searchsorted(years, adopted) + 1)
    numbered = cells.assign(time=time, adopted=adopted, cohort=cohort.astype(np.int64))
    return replace(state, cells=numbered)


def _first_year(state: _State) -> _State:
    """Leave out schools that were trained by the first year: they have no year before."""
    first = state.cells["time_period"].min()
    return state.without(state.cells["cohort"].eq(1), "trained_before", year=int(first))


def _after_last_year(state: _State) -> _State:
    """Count schools that are trained after the last year as not yet trained throughout."""
    cells = state.cells
    later = cells["cohort"] > cells["time"].max()
    if not later.any():
        return state
    number, last = int(cells.loc[later, "unit_id"].nunique()), int(cells["time_period"].max())
    never = cells.assign(
        cohort=cells["cohort"].mask(later, NEVER), adopted=cells["adopted"].mask(later, NEVER)
    )
    return replace(state, cells=never).noting("trained_after_last_year", schools=number, year=last)


def _small_cohorts(min_schools: int) -> Callable[[_State], _State]:
    """Make the step that pools cohorts of too few schools with the next."""

    def pooled(state: _State) -> _State:
        for cohort in sorted(set(state.cells["cohort"]) - {NEVER}):
            members = state.cells["cohort"].eq(cohort)
            if state.cells.loc[members, "unit_id"].nunique() < min_schools:
                state = _pool(state, cohort, min_schools)
        return state

    return pooled


def _pool(state: _State, cohort: int, min_schools: int) -> _State:
    cells = state.cells
    members = cells["cohort"].eq(cohort)
    number, trained = int(cells.loc[members, "unit_id"].nunique()), cells.loc[members, "adopted"]
    later = sorted(entry for entry in set(cells["cohort"]) if entry > cohort)
    following = later[0] if later else int(cells["time"].max()) + 1
    between = members & cells["time"].ge(cohort) & cells["time"].lt(following)
    values = {"year": int(trained.min()), "least": min_schools, "pooled": bool(later)}
    year = cells.loc[cells["cohort"].eq(following), "adopted"].iloc[0] if later else NEVER
    moved = cells.assign(
        cohort=cells["cohort"].mask(members, following if later else NEVER),
        adopted=cells["adopted"].mask(members, year),
    )
    return (
        replace(state, cells=moved)
        .without(between, "small_cohort", **values)
        .noting("cohort_too_small", schools=number, **values)
    )


def _anchored(state: _State) -> _State:
    """Leave out trained schools without a year before training."""
    cells = state.cells
    before = cells["cohort"].eq(NEVER) | cells["time"].lt(cells["cohort"])
    anchored = before.groupby(cells["unit_id"]).transform("any")
    return state.without(~anchored, "no_year_before")


def _size(cells: pd.DataFrame, flags: pd.Series) -> tuple[int, int, int]:
    """Count the schools that vanish altogether, the school-years and the pupil-years."""
    lost_schools = set(cells.loc[flags, "unit_id"]) - set(cells.loc[~flags, "unit_id"])
    return len(lost_schools), int(flags.sum()), int(cells.loc[flags, "pupils"].sum())
