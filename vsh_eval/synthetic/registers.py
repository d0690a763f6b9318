"""From expected absence to the ``attendance`` return, and to the truth about the planted effect."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval.synthetic.attendance import Attendance
from vsh_eval.synthetic.calibration import absence_levels
from vsh_eval.synthetic.plan import Plan
from vsh_eval.synthetic.pupils import TERMS, Pupils, pupil_ids
from vsh_eval.synthetic.schools import Schools

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TERM_WOBBLE = 0.3
TRUTH_COLUMNS = (
    "metric",
    "aggregation",
    "index",
    "planted",
    "effect",
    "schools",
    "pupils",
    "sessions",
)


def attendance_table(
    plan: Plan,
    schools: Schools,
    pupils: Pupils,
    attendance: Attendance,
    rng: np.random.Generator,
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
    codes = schools.urn_index(who.school, who.start)[line]
    return pd.DataFrame(
        {
            "pupil_id": pupil_ids(pupils).array.take(who.pupil[line]),
            "academic_year": who.time_period[line],
            "term": pd.array(list(TERMS), dtype="str").take(term),
            "urn": schools.urns().array.take(codes),
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
    return out[list(TRUTH_COLUMNS)].astype({"metric": "str", "aggregation": "str"})


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
