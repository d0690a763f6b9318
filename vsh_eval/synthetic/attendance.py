"""Invented attendance: sessions possible, and expected absence with and without the effect."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from vsh_eval.synthetic.absence_rates import moved, rate_at, spread
from vsh_eval.synthetic.calibration import STAGES, absence_levels
from vsh_eval.synthetic.plan import NO_ATTENDANCE, Plan
from vsh_eval.synthetic.pupil_years import PupilYears, standardised
from vsh_eval.synthetic.pupils import OLDEST, TERMS, Pupils
from vsh_eval.synthetic.schools import Schools

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHARED_SD, RESIDUAL_SD = 0.006, 0.010
"""Shocks of a school-year, as proportions: shared by all its pupils, and the cohort's own."""

# Sessions (half days) a term; in the summer term year 11 has one half term of two.
_SESSIONS = np.array([140, 106, 110])
_YEAR_11_SUMMER = 62
_PUPIL_SESSIONS_SD, _SCHOOL_SESSIONS_SD = 4.5, 1.8
# What moves a pupil within its group, in standard deviations of the latent absence.
_FSM, _SUPPORT, _WITH_PLAN, _YEAR_GROUP = 0.40, 0.25, 0.30, 0.08


@dataclass(frozen=True, slots=True)
class Attendance:
    """Attendance of pupil-years, one element each.

    Attributes
    ----------
    who : PupilYears
        Who, where and when; none of 2019/20.
    sessions : ndarray of int, shape (pupil-years, terms)
        Possible sessions; 0 in a term spent elsewhere.
    rate, rate_without : ndarray, shape (pupil-years,)
        Expected absence rate, and what it would be had no effect been planted.
    rounding : ndarray, shape (pupil-years,)
        Uniform numbers that decide how expected sessions become whole ones.
    """

    who: PupilYears
    sessions: Ints
    rate: Floats
    rate_without: Floats
    rounding: Floats

    @property
    def possible(self) -> Ints:
        """Possible sessions of the year."""
        return self.sessions.sum(axis=1)

    def missed(self, rate: Floats) -> Ints:
        """Whole sessions missed in the year at an expected rate: unbiased, chance held fixed."""
        return np.floor(rate * self.possible + self.rounding).astype(np.int64)


def invent_attendance(
    plan: Plan, schools: Schools, pupils: Pupils, years: PupilYears, rng: np.random.Generator
) -> Attendance:
    """Draw the expected absence of every pupil-year.

    Parameters
    ----------
    plan, schools, pupils, years
        The authority so far.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    Attendance
        The mean of each group, stage and year is the published one, moved by the school, by the
        school-year and, for the cohort of trained schools, by the planted effect.
    """
    who = years.where(~np.isin(years.time_period, NO_ATTENDANCE))
    levels = absence_levels(plan.years, scale=plan.cohort_scale)
    cell = np.ravel_multi_index((who.group, who.stage, who.column), levels.overall.shape)
    overall = levels.overall.ravel()
    cells = spread(overall, persistent=levels.persistent.ravel(), severe=levels.severe.ravel())
    rate, room = rate_at(cells, cell, _rank(pupils, who)), cells.room[cell]
    shift = _school_shift(plan, schools, who, rng) - _milder(plan, schools, who)
    effect = np.where(who.cohort & who.treated(schools), plan.effect / 100, 0.0)
    return Attendance(
        who=who,
        sessions=_sessions(schools, who, rng),
        rate=moved(rate, by=shift + effect, room=room),
        rate_without=moved(rate, by=shift, room=room),
        rounding=rng.uniform(size=len(who)),
    )


def _rank(pupils: Pupils, who: PupilYears) -> Floats:
    """Rank of pupils in their group and stage: latent absence and what makes absence likelier."""
    sen = pupils.sen_in(who.pupil, who.year_group)
    score = who.latent + _FSM * pupils.fsm6[who.pupil]
    score += np.array([0, _SUPPORT, _WITH_PLAN])[sen]
    score += _YEAR_GROUP * np.where(who.year_group >= 7, who.year_group - 9, 0)
    return ndtr(standardised(score, who.group * len(STAGES) + who.stage))


def _school_shift(
    plan: Plan, schools: Schools, who: PupilYears, rng: np.random.Generator
) -> Floats:
    """How far the mean of a pupil's group is from the published one in that school and year."""
    shape = (len(schools), len(plan.years))
    shared = rng.normal(0, SHARED_SD, shape)[who.school, who.column]
    residual = rng.normal(0, RESIDUAL_SD, shape)[who.school, who.column]
    adopted = schools.adopted[who.school]
    since = np.where(adopted > 0, who.start - adopted // 100, 0)
    own = schools.gap[who.school] + residual + plan.pretrend / 100 * since
    return schools.level[who.school] + shared + np.where(who.cohort, own, 0.0)


def _milder(plan: Plan, schools: Schools, who: PupilYears) -> Floats:
    """How much less children miss who were newly counted in a school that had been trained."""
    adopted = schools.adopted[who.school]
    new = (adopted > 0) & (who.since >= adopted // 100)
    return np.where(who.cohort & new, plan.milder_entrants / 100, 0.0)


def _sessions(schools: Schools, who: PupilYears, rng: np.random.Generator) -> Ints:
    """Possible sessions by term: the school's own calendar, and a few more or fewer a pupil."""
    usual = np.tile(_SESSIONS, (len(who), 1))
    usual[who.year_group == OLDEST, 2] = _YEAR_11_SUMMER
    calendar = rng.normal(0, _SCHOOL_SESSIONS_SD, (len(schools), who.column.max() + 1, len(TERMS)))
    own = rng.normal(0, _PUPIL_SESSIONS_SD, usual.shape)
    sessions = usual + np.rint(calendar[who.school, who.column] + own).astype(np.int64)
    term = np.arange(len(TERMS))
    here = (who.first_term[:, None] <= term) & (term <= who.last_term[:, None])
    return np.where(here, sessions, 0)
