"""Invented pupils: who they are and which school they go to, from birth to year 11."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import academic_year
from vsh_eval.numerics.arrays import Floats, Ints
from vsh_eval.synthetic.plan import Plan
from vsh_eval.synthetic.schools import Schools

HISTORY = 10
"""Years before the first in which children are followed, so that the look-back is filled."""
OLDEST, YOUNGEST, BORN = 11, -1, -5
"""Year groups: the last of compulsory school, nursery, and a child not yet one year old."""
SEX = ("F", "M", "U")
SEN = ("N", "K", "E")

_MOVERS = 0.025
_NURSERY = 0.45
_STAYS_NEAR = 0.12
# Chance of support and of a plan in mainstream, before the age at which they begin is reckoned.
_SEN_SHARE = (0.152, 0.045)
_SEN_BY_FSM = (0.85, 1.55)
# How much likelier a child is to get a social worker, by free meals and by special needs.
_NEED_FSM = 4.2
_NEED_SEN = (1.0, 2.5, 14.0)
_NEED_SHAPE = 0.6


@dataclass(frozen=True, slots=True)
class Pupils:
    """Pupils, one element each.

    Attributes
    ----------
    entry : ndarray of int
        Calendar year of the September in which the pupil is of reception age.
    primary, secondary : ndarray of int
        School up to year 6 and from year 7, -1 where there is none in the authority.
    provision, provision_from : ndarray of int
        Alternative provision, -1 for nearly all, and the year group it begins in.
    sex : ndarray of int
        An index of `SEX`.
    fsm6 : ndarray of int
    sen, sen_from : ndarray of int
        Special needs in the end (an index of `SEN`) and the year group they are recognised in.
    need : ndarray
        How likely, relative to other pupils, the child is to get a social worker.
    """

    entry: Ints
    primary: Ints
    secondary: Ints
    provision: Ints
    provision_from: Ints
    sex: Ints
    fsm6: Ints
    sen: Ints
    sen_from: Ints
    need: Floats

    def __len__(self) -> int:
        """Return the number of pupils."""
        return self.entry.size

    def ids(self, pupil: Ints) -> pd.api.extensions.ExtensionArray:
        """Return pupils' identifiers, plainly invented: P and a running number."""
        everyone = [f"P{number:07d}" for number in range(1, len(self) + 1)]
        return pd.array(everyone, dtype="str").take(pupil)

    def sen_in(self, pupil: Ints, year_group: Ints) -> Ints:
        """Return special needs in a year group: two years of support come before a plan."""
        code, begun = self.sen[pupil], self.sen_from[pupil]
        before = np.where((code == 2) & (year_group >= begun - 2), 1, 0)
        return np.where(year_group >= begun, code, before)


@dataclass(frozen=True, slots=True)
class Places:
    """Who was where: one element a pupil, academic year and school.

    Attributes
    ----------
    pupil, start, school, year_group : ndarray of int
        ``start`` is the calendar year in which the academic year starts.
    first_term, last_term : ndarray of int
        Terms spent there, 0 to 2; a mover has two places in the year.
    """

    pupil: Ints
    start: Ints
    school: Ints
    year_group: Ints
    first_term: Ints
    last_term: Ints


def invent_pupils(plan: Plan, schools: Schools, rng: np.random.Generator) -> Pupils:
    """Draw the pupils of every birth cohort that is of school age in the plan's years.

    Parameters
    ----------
    plan : Plan
        What the authority is to be like.
    schools : Schools
        The schools they go to.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    Pupils
        In order of entry. Primary leavers go to secondaries in their part of the borough; places
        left over go to pupils new to the authority, and leavers left over leave it.
    """
    starts = range(academic_year.start(plan.first) - OLDEST, academic_year.start(plan.last) + 2)
    joined = [_one_entry(start, schools, rng) for start in starts]
    entry, primary, secondary = (np.concatenate(parts) for parts in zip(*joined, strict=True))
    many = entry.size
    home = np.where(primary >= 0, primary, secondary)
    special = schools.phase[home] == "special"
    fsm6 = (rng.uniform(size=many) < schools.fsm6[home]).astype(np.int64)
    sen = _special_needs(fsm6, special, rng)
    need = rng.gamma(_NEED_SHAPE, size=many) * np.where(fsm6 == 1, _NEED_FSM, 1.0)
    need *= np.array(_NEED_SEN)[sen]
    provision = _provision(schools, entry, secondary, need, rng)
    return Pupils(
        entry=entry,
        primary=primary,
        secondary=secondary,
        provision=provision,
        provision_from=rng.integers(8, 11, many),
        sex=rng.choice(len(SEX), size=many, p=(0.4885, 0.511, 0.0005)),
        fsm6=fsm6,
        sen=sen,
        sen_from=np.where(special, BORN, rng.integers(-1, 6, many)),
        need=need,
    )


def _one_entry(start: int, schools: Schools, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Pupils of one year of entry: their school up to year 6 and from year 7."""
    whole = schools.of_phase("special", "all_through")
    stays = np.repeat(whole, rng.poisson(schools.intake[whole]))
    primaries = schools.of_phase("primary")
    leavers = np.repeat(primaries, rng.poisson(schools.intake[primaries]))
    secondaries = schools.of_phase("secondary")
    seats = np.repeat(secondaries, rng.poisson(schools.intake[secondaries]))
    # Chance decides who leaves the borough or moves in; of the rest, neighbours go together.
    matched = min(leavers.size, seats.size)
    leavers, seats = rng.permutation(leavers), rng.permutation(seats)
    near = schools.place[leavers[:matched]] + rng.normal(0, _STAYS_NEAR, matched)
    leavers[:matched] = leavers[:matched][np.argsort(near, kind="stable")]
    seats[:matched] = seats[:matched][np.argsort(schools.place[seats[:matched]], kind="stable")]
    nowhere = np.full(abs(leavers.size - seats.size), -1)
    after = seats if seats.size >= leavers.size else np.concatenate([seats, nowhere])
    before = leavers if leavers.size >= seats.size else np.concatenate([leavers, nowhere])
    primary = np.concatenate([stays, before]).astype(np.int64)
    secondary = np.concatenate([stays, after]).astype(np.int64)
    return np.full(primary.size, start, dtype=np.int64), primary, secondary


def _special_needs(fsm6: Ints, special: NDArray[np.bool_], rng: np.random.Generator) -> Ints:
    """Draw special needs in the end: none, support or, always in a special school, a plan."""
    likelier = np.array(_SEN_BY_FSM)[fsm6]
    chance = rng.uniform(size=fsm6.size)
    support, with_plan = _SEN_SHARE
    sen = (chance < (support + with_plan) * likelier).astype(np.int64)
    sen[chance < with_plan * likelier] = 2
    sen[special] = 2
    return sen


def _provision(
    schools: Schools, entry: Ints, secondary: Ints, need: Floats, rng: np.random.Generator
) -> Ints:
    """Alternative provision: the most in need of each year of entry, as many as there are seats."""
    provision = np.full(entry.size, -1, dtype=np.int64)
    units = schools.of_phase("alternative_provision")
    in_secondary = np.isin(secondary, schools.of_phase("secondary"))
    for start in np.unique(entry):
        seats = np.repeat(units, rng.poisson(schools.intake[units]))
        able = np.flatnonzero(in_secondary & (entry == start))
        # The largest of weighted exponential races are a draw without replacement by weight.
        race = rng.exponential(size=able.size) / np.sqrt(need[able])
        chosen = able[np.argsort(race, kind="stable")[: seats.size]]
        provision[chosen] = seats[: chosen.size]
    return provision


def follow(
    plan: Plan, schools: Schools, pupils: Pupils, rng: np.random.Generator
) -> tuple[Places, NDArray[np.int64]]:
    """Follow every pupil through the schools of the plan's years.

    Parameters
    ----------
    plan, schools, pupils : Plan, Schools, Pupils
        The authority so far.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    places : Places
        Ordered by year, pupil and term. About one pupil in forty changes school within the year
        and stays at the new one.
    home : ndarray of int, shape (pupils, history and plan's years)
        The school each child belongs to in September, from birth on; -1 where none.
    """
    first, last = academic_year.start(plan.first), academic_year.start(plan.last)
    primary, secondary = pupils.primary.copy(), pupils.secondary.copy()
    nursery = rng.uniform(size=len(schools)) < _NURSERY
    home = np.full((len(pupils), HISTORY + last - first + 1), -1, dtype=np.int64)
    by_year: list[tuple[Ints, ...]] = []
    for column, start in enumerate(range(first - HISTORY, last + 1)):
        year_group = start - pupils.entry
        school = _school_in(pupils, primary, secondary, year_group)
        home[:, column] = school
        if start >= first:
            enrolled = (school >= 0) & (year_group >= YOUNGEST)
            enrolled &= (year_group > YOUNGEST) | nursery[school]
            here = np.flatnonzero(enrolled)
            goes_to, at_term = _moves(schools, here, school, year_group, rng)
            by_year.append(_places_of(here, start, school, year_group, goes_to, at_term))
            moved = here[goes_to >= 0]
            young = year_group[moved] <= 6
            primary[moved[young]] = goes_to[goes_to >= 0][young]
            secondary[moved[~young]] = goes_to[goes_to >= 0][~young]
    return Places(*(np.concatenate(parts) for parts in zip(*by_year, strict=True))), home


def _school_in(pupils: Pupils, primary: Ints, secondary: Ints, year_group: Ints) -> Ints:
    """Return the school of every pupil, -1 before birth, after year 11 or outside."""
    school = np.where(year_group <= 6, primary, secondary)
    elsewhere = (pupils.provision >= 0) & (year_group >= pupils.provision_from)
    school = np.where(elsewhere, pupils.provision, school)
    return np.where((year_group >= BORN) & (year_group <= OLDEST), school, -1)


def _moves(
    schools: Schools, here: Ints, school: Ints, year_group: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Draw the new school of those who move within the year (-1: stays) and its first term."""
    goes_to = np.full(here.size, -1, dtype=np.int64)
    chance, pick = rng.uniform(size=here.size), rng.uniform(size=here.size)
    at_term = rng.integers(1, 3, here.size)
    ordinary = np.isin(schools.phase[school[here]], ("primary", "secondary"))
    for phase, low, high in (("primary", 0, 6), ("secondary", 7, OLDEST)):
        among = schools.of_phase(phase)
        ages = (year_group[here] >= low) & (year_group[here] <= high)
        moving = np.flatnonzero(ordinary & ages & (chance < _MOVERS))
        new = among[(pick[moving] * among.size).astype(np.intp)]
        goes_to[moving] = np.where(new == school[here[moving]], -1, new)
    return goes_to, at_term


def _places_of(
    here: Ints, start: int, school: Ints, year_group: Ints, goes_to: Ints, at_term: Ints
) -> tuple[Ints, ...]:
    """One year's places, a mover's two next to each other."""
    copies = np.where(goes_to >= 0, 2, 1)
    row = np.repeat(np.arange(here.size), copies)
    second = np.zeros(row.size, dtype=bool)
    second[1:] = row[1:] == row[:-1]
    pupil = here[row]
    moves = goes_to[row] >= 0
    return (
        pupil,
        np.full(row.size, start, dtype=np.int64),
        np.where(second, goes_to[row], school[pupil]),
        year_group[pupil],
        np.where(second, at_term[row], 0),
        np.where(moves & ~second, at_term[row] - 1, 2),
    )


def years_of(start: Ints) -> Ints:
    """Return academic years (202425) from the calendar years they start in."""
    return start * 100 + (start + 1) % 100


def enrolments_table(schools: Schools, pupils: Pupils, places: Places) -> pd.DataFrame:
    """Return the ``enrolments`` return: one row a pupil, year and URN."""
    return pd.DataFrame(
        {
            "pupil_id": pupils.ids(places.pupil),
            "academic_year": years_of(places.start),
            "urn": schools.urn(places.school, places.start),
            "year_group": places.year_group,
            "sex": pd.array(SEX, dtype="str").take(pupils.sex[places.pupil]),
            "fsm6": pupils.fsm6[places.pupil],
            "sen": pd.array(SEN, dtype="str").take(pupils.sen_in(places.pupil, places.year_group)),
        }
    )
