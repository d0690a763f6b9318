"""A pupil's year at a school: who, where, in which group; what attendance and results hang on."""

from dataclasses import dataclass, fields

import numpy as np

from vsh_eval import academic_year
from vsh_eval.numerics.arrays import Flags, Floats, Ints
from vsh_eval.synthetic.plan import Plan
from vsh_eval.synthetic.pupils import Places, years_of
from vsh_eval.synthetic.schools import Schools
from vsh_eval.synthetic.social_care import CIN, CPP, Membership

MEMORY = 0.64
"""Correlation of a pupil's latent absence from year to year: about .6 for the rates."""


@dataclass(frozen=True, slots=True)
class PupilYears:
    """Pupils of reception age or older in a year and school, one element each.

    Attributes
    ----------
    pupil, start, school, year_group, first_term, last_term : ndarray of int
        As in `Places`.
    column : ndarray of int
        Index of the year among the plan's.
    group : ndarray of int
        Leaf group in that year, an index of `vsh_eval.names.LEAF_GROUPS`.
    since : ndarray of int
        Calendar year of the academic year in which the present episode began, 0 where none.
    stage : ndarray of int
        Where the pupil is taught, an index of `calibration.STAGES`.
    latent : ndarray of float
        The pupil's latent absence in that year, standard normal.
    """

    pupil: Ints
    start: Ints
    school: Ints
    year_group: Ints
    first_term: Ints
    last_term: Ints
    column: Ints
    group: Ints
    since: Ints
    stage: Ints
    latent: Floats

    def __len__(self) -> int:
        """Return the number of pupil-years."""
        return self.pupil.size

    @property
    def time_period(self) -> Ints:
        """Academic year, for example 202425."""
        return years_of(self.start)

    @property
    def cohort(self) -> Flags:
        """Whether the pupil is in need or on a protection plan."""
        return (self.group == CIN) | (self.group == CPP)

    def treated(self, schools: Schools) -> Flags:
        """Whether the school has been adopted by that year."""
        adopted = schools.adopted[self.school]
        return (adopted > 0) & (self.start >= adopted // 100)

    def where(self, chosen: Flags) -> "PupilYears":
        """Return some of the pupil-years."""
        return PupilYears(*(getattr(self, field.name)[chosen] for field in fields(self)))


def pupil_years(
    plan: Plan, schools: Schools, places: Places, members: Membership, rng: np.random.Generator
) -> PupilYears:
    """Bring together where pupils were and what they were; draw their latent absence.

    Parameters
    ----------
    plan, schools, places, members
        The authority so far.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    PupilYears
        In the order of the places, the nursery left out. Latent absence is remembered from year to
        year, 2019/20 among them.
    """
    rows = np.flatnonzero(places.year_group >= 0)
    pupil, start, school = places.pupil[rows], places.start[rows], places.school[rows]
    column = start - academic_year.start(plan.first)
    latent = _latent(len(plan.years), len(members.group), rng)
    return PupilYears(
        pupil=pupil,
        start=start,
        school=school,
        year_group=places.year_group[rows],
        first_term=places.first_term[rows],
        last_term=places.last_term[rows],
        column=column,
        group=members.group[pupil, column].astype(np.int64),
        since=members.since[pupil, column],
        stage=schools.stage(school, places.year_group[rows]).astype(np.int64),
        latent=latent[column, pupil],
    )


def _latent(years: int, pupils: int, rng: np.random.Generator) -> Floats:
    """Latent absence, shape (years, pupils): what is remembered and what is new."""
    latent = rng.standard_normal((years, pupils))
    for year in range(1, years):
        latent[year] *= np.sqrt(1 - MEMORY**2)
        latent[year] += MEMORY * latent[year - 1]
    return latent


def standardised(score: Floats, cell: Ints) -> Floats:
    """Return scores with mean 0 and variance 1 in each cell; 0 where a cell has one score.

    Examples
    --------
    >>> standardised(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 1])).tolist()
    [-1.0, 1.0, 0.0]
    """
    count = np.maximum(np.bincount(cell), 1)
    centred = score - (np.bincount(cell, score) / count)[cell]
    scale = np.sqrt(np.bincount(cell, centred**2) / count)
    return centred / np.where(scale > 0, scale, 1.0)[cell]
