"""Invented results: how each pupil did at the end of a stage, and the ``attainment`` return.

One measure of a stage decides how a pupil did in it; the others hang on that one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betaincinv, ndtr, ndtri

from vsh_eval import registry
from vsh_eval.numerics.arrays import Flags, Floats
from vsh_eval.synthetic.calibration import yearly_levels
from vsh_eval.synthetic.plan import Plan
from vsh_eval.synthetic.pupil_years import PupilYears, standardised
from vsh_eval.synthetic.pupils import Pupils
from vsh_eval.synthetic.schools import Schools

type Result = tuple[str, PupilYears, Floats]
"""A measure, the pupil-years that have a result in it, and their values."""

GLD, PHONICS = "eyfsp_gld", "phonics_expected"
KS2, KS4 = "ks2_rwm_expected", "ks4_attainment8"
_YEAR_GROUP = {GLD: 0, PHONICS: 1, KS2: 6, KS4: 11}
_HIGHEST = {GLD: 100.0, PHONICS: 100.0, KS2: 100.0, KS4: 90.0}

# What moves a pupil's attainment within its group, in standard deviations.
_ABSENCE, _FSM, _SUPPORT, _WITH_PLAN = -0.35, -0.35, -0.8, -1.6
# School means around the published ones, as proportions: all pupils', and the cohort's own.
_LEVEL_SD, _GAP_SD = 0.04, 0.03
# Spread of Attainment 8 within a group: its variance is m (1 - m) / (1 + _TIGHTNESS) of 90 squared.
_TIGHTNESS = 4.6

SUBJECTS = ("reading", "writing", "maths")
SCORED = ("reading", "maths")
# Spread of a pupil's scaled score and progress within a group; progress as DfE's sigma of 2022/23.
_SCORE_SD = 9.0
_PROGRESS_SD = {"reading": 6.29, "writing": 6.05, "maths": 5.91}
_PROGRESS_8_SD = 1.4
_LOWEST_SCORE, _PASS, _HIGHEST_SCORE = 80, 100, 120
_MOST_PROGRESS, _MOST_PROGRESS_8 = 25.0, 5.0
# Of those who did not reach all three, so many more are drawn, because whoever would then pass in
# each loses the weakest.
_MORE = 1.22
# How much a measure shares with what the pupil's stage hangs on; the rest is its own.
_SUBJECT_SHARED, _PROGRESS_SHARED, _GRADES_SHARED, _PROGRESS_8_SHARED = 0.8, 0.6, 0.9, 0.75
# Grade 4 in English and maths rises by 1.35 points with a point of Attainment 8's share of 90.
_GRADES_SLOPE, _PROGRESS_8_SLOPE = 1.35, 9.0
# Pupils with earlier results from which progress can be reckoned.
_WITH_EARLIER = {KS2: 0.93, KS4: 0.90}


@dataclass(frozen=True, slots=True)
class Sitting:
    """Pupils at the end of a stage: one element each.

    Attributes
    ----------
    plan : Plan
        What the authority is to be like.
    who : PupilYears
        The pupils.
    level, mean : ndarray of float
        The group's published mean, and that of the pupil's school and group, as proportions.
    rank : ndarray of float
        The pupil's place within the group, 0 the lowest and 1 the highest.
    """

    plan: Plan
    who: PupilYears
    level: Floats
    mean: Floats
    rank: Floats

    @property
    def reached(self) -> Flags:
        """Who is in the share that the mean says."""
        return self.rank >= 1 - self.mean

    def published(self, measure: str) -> Floats:
        """Return the published level of a measure for each pupil's group and year."""
        return yearly_levels(measure, self.plan.years)[self.who.group, self.who.column]

    def result(self, measure: str, value: Floats | Flags, of: Flags | None = None) -> Result:
        """Return the values of the years in which a measure was taken, of some pupils."""
        without_data = list(registry.years_without_data(measure))
        has = ~np.isin(self.who.time_period, without_data)
        has = has if of is None else has & of
        return measure, self.who.where(has), value[has].astype(np.float64)


def attainment_table(
    plan: Plan,
    schools: Schools,
    pupils: Pupils,
    years: PupilYears,
    rng: np.random.Generator,
    more: np.random.Generator,
) -> pd.DataFrame:
    """Return the ``attainment`` return.

    Parameters
    ----------
    plan, schools, pupils, years
        The authority so far.
    rng : numpy.random.Generator
        Source of chance of the two measures that the others hang on.
    more : numpy.random.Generator
        Source of chance of the others.

    Returns
    -------
    pandas.DataFrame
        Every measure of `vsh_eval.registry.returned_measures`, in the years in which it was taken:
        shares as 0 or 1, Attainment 8 (0 to 90), scaled scores (80 to 120) and progress with two
        decimals at most. A mover's result counts where the pupil was in the summer. Who reached
        the standard in reading, writing and maths reached it in each; a grade 5 is a grade 4.
    """
    ks2 = _sit(KS2, plan, schools, pupils, years, rng)
    ks4 = _sit(KS4, plan, schools, pupils, years, rng)
    results = [(KS2, ks2.who, ks2.reached.astype(np.float64)), (KS4, ks4.who, _points(ks4))]
    for measure in (GLD, PHONICS):
        sitting = _sit(measure, plan, schools, pupils, years, more)
        results.append(sitting.result(measure, sitting.reached))
    results += [*_key_stage_2(ks2, more), *_key_stage_4(ks4, more)]
    return _table(results, schools, pupils)


def _sit(
    measure: str,
    plan: Plan,
    schools: Schools,
    pupils: Pupils,
    years: PupilYears,
    rng: np.random.Generator,
) -> Sitting:
    levels = yearly_levels(measure, plan.years) / _HIGHEST[measure]
    who = years.where(
        (years.year_group == _YEAR_GROUP[measure])
        & (years.last_term == 2)
        & (levels[years.group, years.column] > 0)
    )
    own = rng.normal(0, _GAP_SD, len(schools))[who.school]
    own += np.where(who.treated(schools), plan.attainment_effect / _HIGHEST[measure], 0.0)
    level = levels[who.group, who.column]
    mean = level + rng.normal(0, _LEVEL_SD, len(schools))[who.school]
    mean = np.clip(mean + np.where(who.cohort, own, 0.0), 0.02, 0.98)
    return Sitting(plan, who, level, mean, _rank(pupils, who, rng))


def _rank(pupils: Pupils, who: PupilYears, rng: np.random.Generator) -> Floats:
    """Rank of pupils in their group, 0 the lowest attainment."""
    sen = pupils.sen_in(who.pupil, who.year_group)
    score = _ABSENCE * who.latent + np.sqrt(1 - _ABSENCE**2) * rng.standard_normal(len(who))
    score += _FSM * pupils.fsm6[who.pupil] + np.array([0, _SUPPORT, _WITH_PLAN])[sen]
    return ndtr(standardised(score, who.group))


def _points(sitting: Sitting) -> Floats:
    """Attainment 8 at a rank: a beta distribution with the group's mean."""
    mean, rank = sitting.mean, sitting.rank
    points = betaincinv(mean * _TIGHTNESS, (1 - mean) * _TIGHTNESS, rank)
    return (_HIGHEST[KS4] * points).round(2)


def _key_stage_2(sitting: Sitting, rng: np.random.Generator) -> Iterator[Result]:
    """Yield each subject's expected standard, scaled score and progress."""
    places = {subject: _place(sitting, subject, rng) for subject in SUBJECTS}
    passed = _consistent(sitting.reached, places)
    for subject in SUBJECTS:
        yield sitting.result(f"ks2_{subject}_expected", passed[subject])
    for subject in SCORED:
        _, who, score = sitting.result(
            f"ks2_{subject}_rank", _score(*places[subject], passed[subject])
        )
        yield f"ks2_{subject}_score", who, score
    earlier = rng.uniform(size=len(sitting.who)) < _WITH_EARLIER[KS2]
    for subject in SUBJECTS:
        name = f"ks2_{subject}_progress"
        own = _PROGRESS_SD[subject] * _mixed(sitting.rank, _PROGRESS_SHARED, rng)
        value = np.clip(sitting.published(name) + own, -_MOST_PROGRESS, _MOST_PROGRESS)
        yield sitting.result(name, value.round(2), earlier)


def _key_stage_4(sitting: Sitting, rng: np.random.Generator) -> Iterator[Result]:
    """Yield grade 4 and grade 5 in English and maths, and Progress 8."""
    above = sitting.mean - sitting.level
    # One place for both grades, so that whoever has a grade 5 has a grade 4.
    place = ndtr(_mixed(sitting.rank, _GRADES_SHARED, rng))
    for name in ("ks4_basics_94", "ks4_basics_95"):
        share = np.clip(sitting.published(name) / 100 + _GRADES_SLOPE * above, 0.005, 0.98)
        yield sitting.result(name, place >= 1 - share)
    name = "ks4_progress8"
    earlier = rng.uniform(size=len(sitting.who)) < _WITH_EARLIER[KS4]
    value = sitting.published(name) + _PROGRESS_8_SLOPE * above
    value += _PROGRESS_8_SD * _mixed(sitting.rank, _PROGRESS_8_SHARED, rng)
    yield sitting.result(
        name, np.clip(value, -_MOST_PROGRESS_8, _MOST_PROGRESS_8).round(2), earlier
    )


def _mixed(rank: Floats, shared: float, rng: np.random.Generator) -> Floats:
    """Return a standard normal value that shares so much with the rank."""
    own = np.sqrt(1 - shared**2) * rng.standard_normal(rank.size)
    return shared * ndtri(np.clip(rank, 1e-6, 1 - 1e-6)) + own


def _place(sitting: Sitting, subject: str, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the share that reaches the standard in a subject, and the pupil's place in it.

    Whoever reached all three lies above the mark. Of the others as many do as make up the share.
    """
    all_three, together = sitting.mean, sitting.reached
    levels = sitting.published(f"ks2_{subject}_expected") / 100
    share = np.clip(levels + all_three - sitting.level, all_three + 0.01, 0.985)
    within = np.where(
        together, (sitting.rank - (1 - all_three)) / all_three, sitting.rank / (1 - all_three)
    )
    chance = ndtr(_mixed(within, _SUBJECT_SHARED, rng))
    rest = np.minimum(_MORE * (share - all_three) / (1 - all_three), 0.95)
    passed = together | (chance >= 1 - rest)
    # Above the mark, pupils who reached all three come from the whole range, the others from low.
    above = np.where(together, chance, 0.4 * (chance - (1 - rest)) / rest)
    below = chance / (1 - rest)
    return share, np.where(passed, 1 - share + share * above, (1 - share) * below)


def _consistent(together: Flags, places: dict[str, tuple[Floats, Floats]]) -> dict[str, Flags]:
    """Return who reached each subject: never all three without having reached them together."""
    over = np.stack([place - (1 - share) for share, place in places.values()])
    passed = over >= 0
    weakest = over.argmin(axis=0)
    passed[weakest, np.arange(over.shape[1])] &= together | ~passed.all(axis=0)
    passed |= together
    return dict(zip(places, passed, strict=True))


def _score(share: Floats, place: Floats, passed: Flags) -> Floats:
    """Return the scaled score, 100 or more for whoever reached the standard."""
    edge = 1e-6
    distance = ndtri(np.clip(place, edge, 1 - edge)) - ndtri(1 - share)
    score = np.round(_PASS + _SCORE_SD * distance)
    score = np.where(passed, np.maximum(score, _PASS), np.minimum(score, _PASS - 1))
    return np.clip(score, _LOWEST_SCORE, _HIGHEST_SCORE)


def _table(results: list[Result], schools: Schools, pupils: Pupils) -> pd.DataFrame:
    """Put the results below one another; a pupil's identifier and URN are looked up once."""
    pupil, period, school, start = (
        np.concatenate([getattr(who, field) for _, who, _ in results])
        for field in ("pupil", "time_period", "school", "start")
    )
    codes = np.repeat(np.arange(len(results)), [len(who) for _, who, _ in results])
    return pd.DataFrame(
        {
            "pupil_id": pupils.ids(pupil),
            "academic_year": period,
            "urn": schools.urn(school, start),
            "measure": pd.array([measure for measure, *_ in results], dtype="str").take(codes),
            "value": np.concatenate([value for *_, value in results]),
        }
    )
