"""Invented social care: episodes that start and end, plans within them, looked-after children."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import academic_year, names
from vsh_eval.numerics.arrays import Floats, Ints
from vsh_eval.synthetic.days import dates, september, start_of
from vsh_eval.synthetic.plan import Plan
from vsh_eval.synthetic.pupils import HISTORY, Pupils
from vsh_eval.synthetic.schools import Schools

LOOK_BACK = 6
"""Years in which an ended episode makes a child one who had a social worker before."""
PLANS_FROM = 2021
"""Plan dates are collected from the academic year that starts in this September."""
CLA, CPP, CIN, PREVIOUS, PEERS = range(len(names.LEAF_GROUPS))
"""Leaf groups as indices of `vsh_eval.names.LEAF_GROUPS`."""

_MEAN_DAYS, _SHORTEST, _LONGEST = 700.0, 21, 2400
# By phase: new episodes a year for one expected cohort pupil, which keep the cohort's size, given
# how long episodes last, that under-fives bring theirs to school and primary pupils to secondary;
# and the year groups a school's children belong to, under-fives included where they come from birth
# on.
_ENTRIES = {
    "primary": (0.80, 12),
    "secondary": (0.40, 5),
    "special": (1.05, 17),
    "all_through": (0.68, 17),
    "alternative_provision": (0.70, 3),
}
_PROTECTED, _PROTECTED_DAYS, _LOOKED_AFTER, _LOOKED_AFTER_DAYS = 0.34, 330.0, 0.14, 1000.0
_ON_A_PLAN = 0.7
_CROWDING = 0.2


@dataclass(frozen=True, slots=True)
class Spells:
    """Stretches of help of one kind, one element each; days since 1970, ``end`` the last day."""

    pupil: Ints
    start: Ints
    end: Ints

    def where(self, chosen: NDArray[np.bool_]) -> "Spells":
        """Return some of the spells."""
        return Spells(self.pupil[chosen], self.start[chosen], self.end[chosen])


@dataclass(frozen=True, slots=True)
class SocialCare:
    """Every spell of help.

    Attributes
    ----------
    cin : Spells
        From referral to closure: every other spell lies within one of these.
    cpp, cla, plans : Spells
        On a protection plan; looked after; on a child in need plan.
    """

    cin: Spells
    cpp: Spells
    cla: Spells
    plans: Spells


def invent_social_care(
    plan: Plan, schools: Schools, pupils: Pupils, home: Ints, rng: np.random.Generator
) -> SocialCare:
    """Draw who gets a social worker, when and for how long.

    Parameters
    ----------
    plan, schools, pupils : Plan, Schools, Pupils
        The authority so far.
    home : ndarray of int, shape (pupils, history and plan's years)
        The school each child belongs to in each September.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    SocialCare
        Spells from ten years before the first year on. A child has one spell at a time; those that
        last longest are cut off at six and a half years.
    """
    cin, cla = _referrals(plan, schools, pupils, home, rng)
    many = cin.pupil.size
    plan_start = np.maximum(cin.start + rng.integers(20, 60, many), september(PLANS_FROM))
    plan_end = cin.end - rng.integers(0, 40, many)
    planned = (rng.uniform(size=many) < _ON_A_PLAN) & (plan_start < plan_end)
    return SocialCare(
        cin=cin,
        cpp=_protection(cin, rng),
        cla=cla,
        plans=Spells(cin.pupil, plan_start, plan_end).where(planned),
    )


def _referrals(
    plan: Plan, schools: Schools, pupils: Pupils, home: Ints, rng: np.random.Generator
) -> tuple[Spells, Spells]:
    """Draw, year by year, new episodes among the children who have none, and care in some."""
    first = academic_year.start(plan.first) - HISTORY
    free_from = np.zeros(len(pupils), dtype=np.int64)
    referrals, care = [], []
    for column in range(home.shape[1]):
        opening = september(first + column)
        able = np.flatnonzero((home[:, column] >= 0) & (free_from <= opening))
        school = home[able, column]
        weight = np.bincount(school, pupils.need[able], minlength=len(schools))
        count = np.bincount(school, minlength=len(schools))
        relative = pupils.need[able] * (count / np.maximum(weight, 1e-9))[school]
        chance = _entry_rate(plan, schools, first + column)[school] * relative
        new = able[rng.uniform(size=able.size) < np.minimum(chance, 0.9)]
        spells, looked_after = _spells(new, opening + rng.integers(0, 365, new.size), rng)
        free_from[new] = spells.end + 1
        referrals.append(spells)
        care.append(looked_after)
    return _joined(referrals), _joined(care)


def _spells(pupil: Ints, start: Ints, rng: np.random.Generator) -> tuple[Spells, Spells]:
    """Draw how long episodes last, and care within some; they stay open as long as it lasts."""
    many = pupil.size
    lasts = _SHORTEST + rng.exponential(_MEAN_DAYS, many).astype(np.int64)
    end = start + np.minimum(lasts, _LONGEST)
    into_care = start + rng.integers(10, 180, many)
    out_of_care = into_care + 30 + rng.exponential(_LOOKED_AFTER_DAYS, many).astype(np.int64)
    out_of_care = np.minimum(out_of_care, start + _LONGEST)
    looked_after = (rng.uniform(size=many) < _LOOKED_AFTER) & (into_care < end)
    end = np.where(looked_after, np.maximum(end, out_of_care), end)
    return Spells(pupil, start, end), Spells(pupil, into_care, out_of_care).where(looked_after)


def _joined(parts: list[Spells]) -> Spells:
    return Spells(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in ("pupil", "start", "end"))
    )


def _entry_rate(plan: Plan, schools: Schools, start: int) -> Floats:
    """Return new episodes a child and year, by school; more after training if planned."""
    entries, year_groups = np.array([_ENTRIES[phase] for phase in schools.phase]).T
    children = schools.intake * year_groups
    # A child with a social worker cannot get another: the larger the cohort, the more are refused.
    usual = schools.cohort * entries / children * plan.cohort_scale**_CROWDING
    if plan.growth_after_training == 0:
        return usual
    trained = (schools.adopted > 0) & (start >= schools.adopted // 100)
    grows = trained & _above_the_middle(schools)
    return usual * np.where(grows, 1 + plan.growth_after_training, 1.0)


def _above_the_middle(schools: Schools) -> NDArray[np.bool_]:
    """Whether each school's own gap is above the median of its phase."""
    above = np.zeros(len(schools), dtype=bool)
    for phase in np.unique(schools.phase):
        members = schools.of_phase(str(phase))
        above[members] = schools.gap[members] > np.median(schools.gap[members])
    return above


def _protection(cin: Spells, rng: np.random.Generator) -> Spells:
    """Protection plans that begin in the first weeks of some episodes and end within them."""
    many = cin.pupil.size
    start = cin.start + rng.integers(10, 75, many)
    end = start + 30 + rng.exponential(_PROTECTED_DAYS, many).astype(np.int64)
    chosen = (rng.uniform(size=many) < _PROTECTED) & (start < cin.end)
    return Spells(cin.pupil, start, np.minimum(end, cin.end)).where(chosen)


@dataclass(frozen=True, slots=True)
class Membership:
    """What each pupil is in each of the plan's years.

    Attributes
    ----------
    group : ndarray of int, shape (pupils, years)
        Leaf group at any time in the academic year, an index of `vsh_eval.names.LEAF_GROUPS`.
    since : ndarray of int, shape (pupils, years)
        Calendar year of the academic year in which the present episode began, 0 where none.
    """

    group: NDArray[np.int8]
    since: Ints


def membership(plan: Plan, pupils: Pupils, care: SocialCare) -> Membership:
    """Return each pupil's leaf group: looked after over protection plan over in need over before.

    Parameters
    ----------
    plan, pupils, care : Plan, Pupils, SocialCare
        The authority so far.

    Returns
    -------
    Membership
        By the rule "at any time in the academic year", look-back six years.
    """
    first, last = academic_year.start(plan.first), academic_year.start(plan.last)
    group = np.full((len(pupils), last - first + 1), PEERS, dtype=np.int8)
    since = np.zeros(group.shape, dtype=np.int64)
    in_order = ((CIN, care.cin), (CPP, care.cpp), (CLA, care.cla))
    years = [(code, s, start_of(s.start), start_of(s.end)) for code, s in in_order]
    for column, start in enumerate(range(first, last + 1)):
        for _, spells, begins, ends in years:
            before = (begins < start) & (ends >= start - LOOK_BACK)
            group[spells.pupil[before], column] = PREVIOUS
        for code, spells, begins, ends in years:
            now = (begins <= start) & (ends >= start)
            group[spells.pupil[now], column] = code
            if code == CIN:
                since[spells.pupil[now], column] = begins[now]
    return Membership(group, since)


def episodes_table(plan: Plan, pupils: Pupils, care: SocialCare) -> pd.DataFrame:
    """Return the ``episodes`` return, as extracted on the last day of the last year.

    Returns
    -------
    pandas.DataFrame
        Rows of basis ``episode`` for every status, and of basis ``plan`` for child in need plans
        from 2021/22 on. Episodes that were open on the day of extraction have no end date; those
        that began later are not there.
    """
    extracted = september(academic_year.start(plan.last) + 1) - 1
    kinds = (
        ("CIN", "episode", care.cin),
        ("CPP", "episode", care.cpp),
        ("CLA", "episode", care.cla),
        ("CIN", "plan", care.plans),
    )
    parts = []
    for status, basis, spells in kinds:
        known = spells.where(spells.start <= extracted)
        end = pd.Series(dates(known.end))
        parts.append(
            pd.DataFrame(
                {
                    "pupil_id": pupils.ids(known.pupil),
                    "status": pd.array([status] * known.pupil.size, dtype="str"),
                    "start_date": dates(known.start),
                    "end_date": end.mask(known.end > extracted),
                    "basis": pd.array([basis] * known.pupil.size, dtype="str"),
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values(["pupil_id", "start_date", "status", "basis"], ignore_index=True)
