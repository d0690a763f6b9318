"""School gaps of invented authorities, and both estimates of them, for proofs of many draws.

`plain` draws the gaps without pupils' returns, which is fast; `whole_authority` counts an invented
authority pupil by pupil. The model of the first is that of the simulations the primary estimator
was chosen by: cohort children come and go in spells of years, each with a beta-distributed absence
rate remembered from year to year; schools have gaps of their own, and school-years have shocks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr

from vsh_eval import academic_year, cohort, names
from vsh_eval.contracts import RETURNS, require_one_of
from vsh_eval.effects.estimators.imputation import imputable_target
from vsh_eval.effects.estimators.same_past import cells_of
from vsh_eval.effects.grid import Grid, grid
from vsh_eval.effects.sample.year_effects import year_effects
from vsh_eval.numerics.estimators import imputation, same_past
from vsh_eval.panel import within_school_gaps
from vsh_eval.synthetic import invent
from vsh_eval.synthetic.attendance import RESIDUAL_SD, SHARED_SD
from vsh_eval.synthetic.calibration import absence_levels
from vsh_eval.synthetic.plan import NO_ATTENDANCE, Plan
from vsh_eval.synthetic.pupil_years import MEMORY
from vsh_eval.synthetic.schools import GAP_SD, adoption_years
from vsh_eval.synthetic.social_care import CIN, CPP, PEERS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

YEARS = {"first": 201718, "last": 202425}
ADOPTION = (202122, 202223, 202324)
"""The years of training that a plan draws, a fifth of the schools each."""
PHASES = ("primary", "secondary")
METRICS = ("overall_absence", "persistent_absence")

_SECONDARY_SHARE = 0.2
# By phase: mean cohort and the shape of its gamma spread, peers, spread of the schools' levels, and
# spread of one peer's rate.
_COHORT, _SHAPE = np.array([4.5, 14.0]), np.array([1.5, 2.5])
_PEERS = np.array([200, 900])
_LEVEL_SD, _PEER_SD, _PEER_MEMORY = np.array([0.008, 0.015]), np.array([0.065, 0.12]), 0.45
# Mean and spread of a cohort child's rate, which fix how tight its beta distribution is.
_CHILD_MEAN, _CHILD_SD = np.array([0.107, 0.257]), np.array([0.121, 0.220])
_TIGHTNESS = _CHILD_MEAN * (1 - _CHILD_MEAN) / _CHILD_SD**2 - 1
_SHARE_PROTECTED = 0.18
# Share of peers who are persistent absentees, and from which rate on a child is one.
_PEER_PERSISTENT, _PERSISTENT = np.array([0.13, 0.24]), 0.10
# Years a child is counted: geometric, cut off after seven.
_LONGEST = 7
_YEARS_CHANCE = 0.857 ** np.arange(_LONGEST)
_YEARS_CHANCE /= _YEARS_CHANCE.sum()
_MEAN_YEARS = float(_YEARS_CHANCE @ np.arange(1, _LONGEST + 1))
_SESSIONS, _SESSIONS_SD = 351, 9
_LOWEST, _HIGHEST = 0.02, 0.70
_MEANS = np.linspace(0.01, 0.71, 71)
_SCORES = np.linspace(-5, 5, 401)


class GapDraw(NamedTuple):
    """One draw.

    Attributes
    ----------
    gaps : pandas.DataFrame
        One row a school and year that has cohort children: ``unit_id``, ``phase``,
        ``time_period``, ``metric``, ``outcome`` (the gap, percentage points), ``weight`` (what the
        cohort's rate is over: possible sessions, or pupils where the metric counts pupils),
        ``pupils``, ``reference_pupils``, ``adopted`` (0: never).
    truth : float
        The effect in the treated rows, percentage points, weighted by ``weight``; NaN where no row
        is treated.
    own_gap : pandas.Series, optional
        Each school's lasting part of the gap, percentage points, by ``unit_id``.
    peers : numpy.ndarray, optional
        The peers' own level in each row of `gaps`, per cent.
    make_up : callable, optional
        Makes the table that `composition_outcomes` takes: who is counted in the rows of `gaps`, in
        their order, first the cohort (as children in need) and then their peers.
    """

    gaps: pd.DataFrame
    truth: float
    own_gap: pd.Series | None = None
    peers: Floats | None = None
    make_up: Callable[[], pd.DataFrame] | None = None


@dataclass(frozen=True, slots=True)
class _Frame:
    """What does not change from draw to draw: schools x years, and their names."""

    starts: Ints
    phase: Ints
    cohort_level: Floats
    peers_level: Floats
    units: pd.api.extensions.ExtensionArray
    phases: pd.api.extensions.ExtensionArray


class _Children(NamedTuple):
    """Cohort children by year: their cell, years counted before, whether new since training.

    `score`: their latent absence.
    """

    cell: Ints
    counted: Ints
    late: NDArray[np.bool_]
    score: Floats


class _Counted(NamedTuple):
    """What a metric counts of each child, of the peers, and by how much training moved a cell."""

    base: Floats
    hit: Floats
    peers: Floats
    effect: Floats


def draw_school_gaps(
    plan: Plan,
    rng: np.random.Generator,
    *,
    metric: str = "overall_absence",
    milder_before: float = 0.0,
) -> GapDraw:
    """Draw the within-school gaps of absence of one invented authority.

    Parameters
    ----------
    plan : Plan
        What it is to be like; ``seed`` and ``attainment_effect`` are not used.
    rng : numpy.random.Generator
        Source of chance; one generator for all draws of a proof.
    metric : {"overall_absence", "persistent_absence"}
        The outcome. The plan's effect is on overall absence; what it does to the share of
        persistent absentees follows from each child's rate with and without it.
    milder_before : float
        By how many percentage points less children newly counted after training had missed in the
        year before. Their absence in that year has the cohort's level and spread, or less.

    Returns
    -------
    GapDraw
        The rows and the truth. One school in five is a secondary; a school-year without cohort
        children has no row; 2019/20 has none.

    Raises
    ------
    ContractError
        If the metric is another one.

    Examples
    --------
    >>> draw = draw_school_gaps(Plan(schools=20, effect=0.0), np.random.default_rng(1))
    >>> draw.truth
    0.0
    >>> draw.gaps.columns.tolist()  # doctest: +NORMALIZE_WHITESPACE
    ['unit_id', 'phase', 'time_period', 'metric', 'outcome', 'weight', 'pupils',
     'reference_pupils', 'adopted']
    """
    require_one_of(metric, METRICS, name="metric")
    frame = _frame(plan.schools, plan.years)
    adopted = adoption_years(plan, np.array(PHASES)[frame.phase], rng)
    treated = (adopted[:, None] > 0) & (frame.starts >= adopted[:, None] // 100)
    gap = rng.normal(0, GAP_SD, plan.schools)
    peers = frame.peers_level + _level(frame, rng)
    without = peers - frame.peers_level + frame.cohort_level + gap[:, None]
    without += rng.normal(0, RESIDUAL_SD, without.shape)
    without += np.where(
        adopted[:, None] > 0, plan.pretrend / 100 * (frame.starts - adopted[:, None] // 100), 0
    )
    without, mean = (
        np.clip(level, _LOWEST, _HIGHEST)
        for level in (without, without + np.where(treated, plan.effect / 100, 0))
    )
    children = _children(plan, frame, adopted, gap, rng)
    count = _count_sessions if metric == "overall_absence" else _count_persistent
    counted = count(plan, frame, children, (without, mean, peers), rng)
    weight = np.bincount(children.cell, counted.base, minlength=mean.size)
    total = np.bincount(children.cell, counted.hit, minlength=mean.size)
    pupils = np.bincount(children.cell, minlength=mean.size)
    seen = np.flatnonzero(pupils)
    beside = 100 * counted.peers.ravel()[seen]
    outcome = 100 * total[seen] / weight[seen] - beside
    gaps = _table(frame, adopted, seen, outcome, weight[seen], pupils[seen], metric)
    before = without.ravel()[np.maximum(children.cell - 1, 0)]
    before -= np.where(children.late, milder_before / 100, 0.0)
    # A seed of its own: all else stays as it is drawn where nobody asks for the make-up.
    own = rng.bit_generator.seed_seq.spawn(1)[0]
    of_entrants = partial(_entrants_before, frame, children, before, own)
    return GapDraw(
        gaps,
        _truth(np.where(treated, weight.reshape(mean.shape), 0), 100 * counted.effect),
        pd.Series(100 * gap, index=frame.units),
        beside,
        partial(_make_up, gaps, seen, children, counted, of_entrants, frame.starts),
    )


@lru_cache(maxsize=32)
def _frame(schools: int, years: tuple[int, ...]) -> _Frame:
    used = [year for year in years if year not in NO_ATTENDANCE]
    phase = (np.arange(schools) >= round(schools * (1 - _SECONDARY_SHARE))).astype(np.int64)
    levels = absence_levels(used).overall
    cohort = _SHARE_PROTECTED * levels[CPP, :2] + (1 - _SHARE_PROTECTED) * levels[CIN, :2]
    peers = levels[PEERS, :2]
    return _Frame(
        starts=np.array([academic_year.start(year) for year in used]),
        phase=phase,
        cohort_level=cohort[phase],
        peers_level=peers[phase],
        units=pd.array([str(900_001 + place) for place in range(schools)], dtype="str"),
        phases=pd.array(list(PHASES), dtype="str"),
    )


def _level(frame: _Frame, rng: np.random.Generator) -> Floats:
    """Draw what cohort and peers of a school share: its level and a shock each year."""
    own = rng.normal(0, _LEVEL_SD[frame.phase])
    return own[:, None] + rng.normal(0, SHARED_SD, frame.peers_level.shape)


def _count_sessions(
    plan: Plan,
    frame: _Frame,
    children: _Children,
    levels: tuple[Floats, Floats, Floats],
    rng: np.random.Generator,
) -> _Counted:
    """Count sessions missed over possible sessions."""
    without, mean, peers = levels
    possible = np.rint(rng.normal(_SESSIONS, _SESSIONS_SD, children.cell.size))
    missed = _child_rates(plan, frame, children, mean) * possible
    return _Counted(possible, missed, peers + _peer_noise(frame, rng), mean - without)


def _count_persistent(
    plan: Plan,
    frame: _Frame,
    children: _Children,
    levels: tuple[Floats, Floats, Floats],
    rng: np.random.Generator,
) -> _Counted:
    """Count children who miss a tenth or more, the same children with and without training."""
    without, mean, peers = levels
    before, after = (
        (_child_rates(plan, frame, children, level) >= _PERSISTENT).astype(float)
        for level in (without, mean)
    )
    seen = np.bincount(children.cell, minlength=mean.size)
    moved = np.bincount(children.cell, after - before, minlength=mean.size) / np.maximum(seen, 1)
    # A point more of sessions missed makes about two and a half points more persistent absentees.
    share = _PEER_PERSISTENT[frame.phase][:, None] + 2.5 * (peers - frame.peers_level)
    number = _PEERS[frame.phase][:, None]
    others = rng.binomial(number, np.clip(share, 0.01, 0.99)) / number
    return _Counted(np.ones(after.size), after, others, moved.reshape(mean.shape))


def _child_rates(plan: Plan, frame: _Frame, children: _Children, mean: Floats) -> Floats:
    """Return each child's absence rate, milder where it was newly counted after training."""
    expected = mean.ravel()[children.cell] - np.where(children.late, plan.milder_entrants / 100, 0)
    phase = frame.phase[children.cell // frame.starts.size]
    return _rates(phase, np.maximum(expected, _LOWEST), children.score)


def _peer_noise(frame: _Frame, rng: np.random.Generator) -> Floats:
    """Draw the noise of the peers' rate, most of whom are there again the next year."""
    noise = rng.standard_normal(frame.peers_level.shape)
    for year in range(1, noise.shape[1]):
        fresh = np.sqrt(1 - _PEER_MEMORY**2)
        noise[:, year] = _PEER_MEMORY * noise[:, year - 1] + fresh * noise[:, year]
    return noise * (_PEER_SD / np.sqrt(_PEERS))[frame.phase][:, None]


def _children(
    plan: Plan, frame: _Frame, adopted: Ints, gap: Floats, rng: np.random.Generator
) -> _Children:
    """Let cohort children come and go."""
    first = frame.starts[0] - _LONGEST + 1
    entry_years = np.arange(first, frame.starts[-1] + 1)
    shape = _SHAPE[frame.phase]
    size = plan.cohort_scale * (_COHORT[frame.phase] * rng.gamma(shape) / shape)
    rate = np.repeat(size[:, None] / _MEAN_YEARS, entry_years.size, axis=1)
    trained = (adopted[:, None] > 0) & (entry_years >= adopted[:, None] // 100)
    middle = np.array([np.median(gap[frame.phase == code]) for code in (0, 1)])
    grows = trained & (gap > middle[frame.phase])[:, None]
    new = rng.poisson(rate * np.where(grows, 1 + plan.growth_after_training, 1.0))
    entry = np.repeat(np.arange(new.size), new.ravel())
    school, start = np.divmod(entry, entry_years.size)
    lasts = rng.choice(_LONGEST, size=entry.size, p=_YEARS_CHANCE) + 1
    score = rng.standard_normal((entry.size, _LONGEST))
    for year in range(1, _LONGEST):
        score[:, year] *= np.sqrt(1 - MEMORY**2)
        score[:, year] += MEMORY * score[:, year - 1]
    column = _columns(frame, first)[np.minimum(start[:, None] + np.arange(_LONGEST), new.shape[1])]
    child, year = np.nonzero((np.arange(_LONGEST) < lasts[:, None]) & (column >= 0))
    cell = school[child] * frame.starts.size + column[child, year]
    return _Children(cell, year, trained.ravel()[entry][child], score[child, year])


def _columns(frame: _Frame, first: int) -> Ints:
    """Column of each calendar year from ``first`` on, -1 where the year is not used."""
    columns = np.full(int(frame.starts[-1]) - first + 2, -1)
    columns[frame.starts - first] = np.arange(frame.starts.size)
    return columns


@lru_cache(maxsize=1)
def _rate_tables() -> Floats:
    """Beta quantiles by phase, mean and latent score."""
    rank = ndtr(_SCORES)
    return np.stack(
        [
            betaincinv((_MEANS * tight)[:, None], ((1 - _MEANS) * tight)[:, None], rank)
            for tight in _TIGHTNESS
        ]
    )


def _rates(phase: Ints, mean: Floats, score: Floats) -> Floats:
    """Absence rates, read from the tables between their lines; the mean is kept as it is."""
    table = _rate_tables()
    row = (mean - _MEANS[0]) / (_MEANS[1] - _MEANS[0])
    place = np.clip((score - _SCORES[0]) / (_SCORES[1] - _SCORES[0]), 0, _SCORES.size - 1.001)
    low, left = np.minimum(row.astype(np.intp), _MEANS.size - 2), place.astype(np.intp)
    up, right = row - low, place - left
    below = table[phase, low, left] * (1 - right) + table[phase, low, left + 1] * right
    above = table[phase, low + 1, left] * (1 - right) + table[phase, low + 1, left + 1] * right
    return below * (1 - up) + above * up


def _table(
    frame: _Frame,
    adopted: Ints,
    seen: Ints,
    outcome: Floats,
    weight: Floats,
    pupils: Ints,
    metric: str,
) -> pd.DataFrame:
    school, column = np.divmod(seen, frame.starts.size)
    phase = frame.phase[school]
    start = frame.starts[column]
    return pd.DataFrame(
        {
            "unit_id": frame.units.take(school),
            "phase": frame.phases.take(phase),
            "time_period": start * 100 + (start + 1) % 100,
            "metric": metric,
            "outcome": outcome,
            "weight": weight,
            "pupils": pupils,
            "reference_pupils": _PEERS[phase],
            "adopted": adopted[school],
        }
    )


def _entrants_before(
    frame: _Frame, children: _Children, level: Floats, seed: np.random.SeedSequence
) -> Floats:
    """Draw each child's absence rate in the year before, as if it had not been counted then."""
    score = MEMORY * children.score
    score += np.sqrt(1 - MEMORY**2) * np.random.default_rng(seed).standard_normal(score.size)
    phase = frame.phase[children.cell // frame.starts.size]
    return _rates(phase, np.maximum(level, _LOWEST), score)


def _make_up(
    gaps: pd.DataFrame,
    seen: Ints,
    children: _Children,
    counted: _Counted,
    of_entrants: Callable[[], Floats],
    starts: Ints,
) -> pd.DataFrame:
    """Count who is new in each row, and what all missed in the year before, where it is known."""
    years, cells = starts.size, int(seen.max()) + 1
    follows = np.append(False, np.diff(starts) == 1)
    known, new = follows[children.cell % years], children.counted == 0
    # A child's years stand one after another.
    before = np.maximum(np.arange(new.size) - 1, 0)
    again = known & ~new & (children.cell[before] == children.cell - 1)
    possible = np.where(new & known, _SESSIONS, np.where(again, counted.base[before], 0.0))
    missed = np.where(new, of_entrants() * possible, np.where(again, counted.hit[before], 0.0))
    sums = {
        "entrants": new,
        "prior_pupils": possible > 0,
        "prior_missed": missed,
        "prior_possible": possible,
        "entrants_missed": new * missed,
        "entrants_possible": new * possible,
    }
    rows = {
        name: np.bincount(children.cell, of, minlength=cells)[seen] for name, of in sums.items()
    }
    unknown = ~follows[seen % years]
    rows = {name: np.where(unknown, np.nan, of) for name, of in rows.items()} | {
        "entrants": np.where(seen % years > 0, rows["entrants"], np.nan)
    }
    cohort = gaps[["unit_id", "phase", "time_period", "pupils"]].assign(group=names.CIN, **rows)
    level = counted.peers.ravel()[np.maximum(seen - 1, 0)]
    sessions = np.where(unknown, np.nan, gaps["reference_pupils"] * _SESSIONS)
    peers = {"prior_possible": sessions, "prior_missed": level * sessions}
    return pd.concat([cohort, cohort.assign(group=names.PEERS, **peers)], ignore_index=True)


def _truth(weight: Floats, effect: Floats) -> float:
    total = float(weight.sum())
    return float((weight * effect).sum() / total) if total else float("nan")


def plain(
    schools: int,
    rng: np.random.Generator,
    *,
    metric: str = "overall_absence",
    milder_before: float = 0.0,
    **asked: Any,
) -> GapDraw:
    """Draw as a plan says, without effect where it does not say."""
    plan = Plan(schools=schools, **{"effect": 0.0, **YEARS, **asked})
    return draw_school_gaps(plan, rng, metric=metric, milder_before=milder_before)


# --- Whole authorities

NEEDED = ("schools", "school_links", "enrolments", "attendance", "episodes", "training")


def counted(plan: Plan, years: tuple[int, ...]) -> tuple[cohort.CohortTables, float]:
    """Invent an authority and count it, without suspensions and results; the planted effect too."""
    invented = invent(plan)
    truth = invented.truth.set_index(["metric", "aggregation"])["effect"]
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        for name in (*NEEDED, "attainment"):
            rows = invented.tables[name]
            rows = rows.iloc[:0] if name == "attainment" else rows
            connection.register("given", rows[list(RETURNS[name].column_names)])
            connection.execute(f"CREATE TABLE {name} AS FROM given")
            connection.unregister("given")
        built = cohort.build_cohort(connection, years=years, secret=bytes(16))
    return built, float(truth.loc[("overall_absence", "simple")])


def whole_authority(plan: Plan) -> GapDraw:
    """Draw the school gaps of one whole authority, and the truth."""
    tables, truth = counted(plan, tuple(academic_year.span(YEARS["first"], YEARS["last"])))
    gaps = within_school_gaps(
        tables.panel, metric="overall_absence", group="cwsw", reference="peers"
    )
    trained = tables.exposure.query("programme == 'any' and tier == 'any'")
    return GapDraw(gaps.merge(trained[["unit_id", "adopted"]], on="unit_id"), truth)


# --- Estimates


def gridded(gaps: pd.DataFrame, strata: Callable[[pd.DataFrame], pd.Series] | None = None) -> Grid:
    """Lay school gaps out as `select_sample` and `grid` do, in a fifth of the time.

    `strata` says which schools share year effects; by default the package's rule does.
    """
    times = np.unique(gaps["time_period"])
    time = np.searchsorted(times, gaps["time_period"]) + 1
    adopted = gaps["adopted"].to_numpy()
    cells = gaps.assign(
        unit=gaps["unit_id"],
        time=time,
        cohort=np.where(adopted > 0, np.searchsorted(times, adopted) + 1, 0),
    )
    untrained = (cells["cohort"] == 0) | (cells["time"] < cells["cohort"])
    cells = cells[cells["unit"].isin(cells["unit"][untrained])]
    stratum = strata(cells) if strata else year_effects(cells).stratum
    return grid(cells.assign(stratum=stratum))


class Estimate(NamedTuple):
    """The average over all trained school-years that can be imputed."""

    estimate: float
    std_error: float
    df: float


def averaged(cells: Grid, fitted: imputation.Fit) -> Estimate:
    """Return the simple estimate of a fit."""
    target = np.where(cells.treated & imputation.imputable(fitted), cells.weight, 0.0)
    made = imputation.estimate(fitted, target[None])
    error = float(np.sqrt((made.deviations() ** 2).sum()))
    return Estimate(float(made.estimate[0]), error, float(made.schools[0] - 1))


def primary(cells: Grid) -> Estimate:
    """Return the primary estimate."""
    return averaged(cells, imputable_target(cells)[0])


def second(cells: Grid) -> Estimate:
    """Return the estimate of `same_past`."""
    own = cells_of(cells)
    return averaged(cells, same_past.fit(own, same_past.reml(own)))
