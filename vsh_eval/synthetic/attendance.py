"""Invented attendance and suspensions, and the truth about the planted effect."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from vsh_eval.contracts import TERMS
from vsh_eval.numerics.arrays import Floats, Ints
from vsh_eval.synthetic.absence_rates import moved, rate_at, rate_distribution
from vsh_eval.synthetic.calibration import STAGES, absence_levels, yearly_levels
from vsh_eval.synthetic.plan import NO_ATTENDANCE, Plan
from vsh_eval.synthetic.pupil_years import PupilYears, standardised
from vsh_eval.synthetic.pupils import OLDEST, Pupils
from vsh_eval.synthetic.schools import Schools

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
        school-year and, in trained schools, by the planted effects on cohort and peers.
    """
    who = years.where(~np.isin(years.time_period, NO_ATTENDANCE))
    levels = absence_levels(plan.years, scale=plan.cohort_scale)
    cell = np.ravel_multi_index((who.group, who.stage, who.column), levels.overall.shape)
    overall, persistent, severe = map(np.ravel, (levels.overall, levels.persistent, levels.severe))
    cells = rate_distribution(overall, persistent=persistent, severe=severe)
    rate, room = rate_at(cells, cell, _rank(pupils, who)), cells.room[cell]
    shift = _school_shift(plan, schools, who, rng) - _milder(plan, schools, who)
    planted = np.where(who.cohort, plan.effect, plan.effect_on_peers) / 100
    effect = np.where(who.treated(schools), planted, 0.0)
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


_TERM_WOBBLE = 0.3
_TRUTH = ["metric", "aggregation", "index", "planted", "effect", "schools", "pupils", "sessions"]


def attendance_table(
    plan: Plan, schools: Schools, pupils: Pupils, attendance: Attendance, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the ``attendance`` return: one row a pupil, year, term and URN.

    A year's missed sessions are shared over its terms at rates that differ a little, and split
    into authorised and unauthorised by a habit that stays with the child.

    Returns
    -------
    pandas.DataFrame
        Rows with possible sessions only; ordered by year, pupil and term.
    """
    missed = _by_term(attendance, rng)
    share = _unauthorised_share(plan, pupils, attendance, rng)
    unauthorised = _whole(missed * share[:, None], rng.uniform(size=share.size))
    who = attendance.who
    line, term = np.nonzero(attendance.sessions > 0)
    return pd.DataFrame(
        {
            "pupil_id": pupils.ids(who.pupil[line]),
            "academic_year": who.time_period[line],
            "term": pd.array(list(TERMS), dtype="str").take(term),
            "urn": schools.urn(who.school[line], who.start[line]),
            "sess_possible": attendance.sessions[line, term],
            "sess_authorised": (missed - unauthorised)[line, term],
            "sess_unauthorised": unauthorised[line, term],
        }
    )


def _by_term(attendance: Attendance, rng: np.random.Generator) -> Ints:
    """Missed sessions by term; their sum is the year's, and none is more than was possible."""
    possible = attendance.sessions
    wobble = rng.uniform(-_TERM_WOBBLE, _TERM_WOBBLE, possible.shape)
    wobble -= ((wobble * possible).sum(axis=1) / attendance.possible)[:, None]
    rate = attendance.rate[:, None]
    return _whole(possible * (rate + rate * (1 - rate) * wobble), attendance.rounding)


def _whole(expected: Floats, chance: Floats) -> Ints:
    """Round rows of expected counts to whole ones: each to a neighbour, and so is their sum."""
    running = np.floor(expected.cumsum(axis=1) + chance[:, None]).astype(np.int64)
    return np.diff(running, axis=1, prepend=0)


def _unauthorised_share(
    plan: Plan, pupils: Pupils, attendance: Attendance, rng: np.random.Generator
) -> Floats:
    """Share of a pupil's missed sessions that nobody authorised; its mean is the published one."""
    levels = absence_levels(plan.years, scale=plan.cohort_scale)
    who = attendance.who
    share = (levels.unauthorised / levels.overall)[who.group, who.stage, who.column]
    habit = rng.uniform(size=len(pupils))[who.pupil]
    # A uniform number to the power (1 - m) / m has mean m.
    return habit ** ((1 - share) / share)


def truth_table(plan: Plan, schools: Schools, attendance: Attendance) -> pd.DataFrame:
    """Return the effect that was in fact planted, weighted by possible sessions.

    The effect is the difference between each cohort pupil's expected absence with and without the
    plan's effect, over treated school-years and year groups 1 to 11. Persistent and severe absence
    follow from the same difference.

    Returns
    -------
    pandas.DataFrame
        One row a metric and aggregation: ``simple`` (index 0), ``cohort`` (index the adoption
        year) and ``calendar`` (index the academic year). ``planted`` is the plan's figure, missing
        where none is set; ``effect`` in percentage points; no row where no school is treated.
    """
    who = attendance.who
    chosen = np.flatnonzero(who.cohort & who.treated(schools) & (who.year_group >= 1))
    sessions = attendance.possible
    missed = attendance.missed(attendance.rate)
    missed_without = attendance.missed(attendance.rate_without)
    frame = pd.DataFrame(
        {
            "school": who.school[chosen],
            "adopted": schools.adopted[who.school][chosen],
            "year": who.time_period[chosen],
            "sessions": sessions[chosen],
            "overall_absence": ((attendance.rate - attendance.rate_without) * sessions)[chosen],
            "persistent_absence": _crossing(missed, missed_without, sessions, 10)[chosen],
            "severe_absence": _crossing(missed, missed_without, sessions, 2)[chosen],
        }
    )
    groups = (("simple", frame.assign(all=0), "all"),)
    groups += (("cohort", frame, "adopted"), ("calendar", frame, "year"))
    parts = [
        _summary(part, key, metric).assign(metric=metric, aggregation=aggregation)
        for metric in ("overall_absence", "persistent_absence", "severe_absence")
        for aggregation, part, key in groups
    ]
    out = pd.concat(parts, ignore_index=True)
    out["planted"] = np.where(out["metric"] == "overall_absence", plan.effect, np.nan)
    return out[_TRUTH].astype({"metric": "str", "aggregation": "str"})


def _crossing(missed: Ints, without: Ints, possible: Ints, times: int) -> Ints:
    """1 where a pupil misses 1 / times of its sessions only with the effect, -1 only without."""
    return (times * missed >= possible).astype(np.int64) - (times * without >= possible)


def _summary(frame: pd.DataFrame, key: str, metric: str) -> pd.DataFrame:
    """Effect by one key: over sessions for a rate of sessions, over pupils for a share of them."""
    by = frame.groupby(key)
    out = by.agg(
        total=(metric, "sum"),
        schools=("school", "nunique"),
        pupils=("school", "size"),
        sessions=("sessions", "sum"),
    )
    over = out["sessions"] if metric == "overall_absence" else out["pupils"]
    out["effect"] = 100 * out["total"] / over
    return out.drop(columns="total").rename_axis("index").reset_index()


# How much likelier than on average a suspension is in each stage; the published shares are for all
# stages together. And the chance that a suspended pupil is suspended once more: 2.2 suspensions a
# suspended pupil, as in 2018/19.
_BY_STAGE = np.array([0.25, 2.0, 0.6, 4.0])
_REPEAT, _MOST = 0.55, 40


def suspensions_table(
    plan: Plan, schools: Schools, pupils: Pupils, years: PupilYears, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the ``suspensions`` return: a row for each pupil-year and URN that has any.

    Parameters
    ----------
    plan, schools, pupils, years
        The authority so far.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    pandas.DataFrame
        Counts of suspensions and permanent exclusions; pupils without either have no row.
    """
    chance = rng.uniform(size=(2, len(years)))
    levels = [yearly_levels(measure, plan.years) / 100 for measure in ("suspended", "excluded")]
    expected = [level[years.group, years.column] * _BY_STAGE[years.stage] for level in levels]
    suspended, excluded = chance[0] < expected[0], chance[1] < expected[1]
    who = years.where(suspended | excluded)
    again = rng.geometric(1 - _REPEAT, len(who))
    counts = np.where(suspended[suspended | excluded], np.minimum(again, _MOST), 0)
    return pd.DataFrame(
        {
            "pupil_id": pupils.ids(who.pupil),
            "academic_year": who.time_period,
            "urn": schools.urn(who.school, who.start),
            "suspensions": counts.astype(np.int64),
            "permanent_exclusions": excluded[suspended | excluded].astype(np.int64),
        }
    )
