"""Invented schools: their phases, sizes, neighbourhoods, and what sets each apart."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import academic_year
from vsh_eval.numerics.arrays import Floats, Ints
from vsh_eval.synthetic.calibration import STAGES
from vsh_eval.synthetic.plan import Plan


class _Phase(NamedTuple):
    """What the schools of a phase are like."""

    share: float
    """Of all schools."""
    cohort: float
    """Mean cohort pupils a school and year."""
    shape: float
    """Shape of their gamma spread (small: very unequal)."""
    intake: float
    """Mean pupils a year group joins with."""
    level_sd: float
    """Standard deviation of school means around the phase, as a proportion of sessions."""
    title: str


_PHASES = {
    "primary": _Phase(0.80, 4.5, 1.5, 28.6, 0.008, "Primary School"),
    "secondary": _Phase(0.14, 14.0, 2.5, 180.0, 0.015, "High School"),
    "special": _Phase(0.03, 16.0, 4.0, 8.5, 0.02, "Special School"),
    "all_through": _Phase(0.015, 16.0, 2.5, 60.0, 0.015, "All-through School"),
    "alternative_provision": _Phase(0.015, 10.0, 4.0, 13.0, 0.03, "Pupil Referral Unit"),
}
PHASES = tuple(_PHASES)

GAP_SD = 0.018
"""Standard deviation of the schools' own gaps, as a proportion of sessions."""

_FIRST_URN = 900_001  # real URNs are below 200000
_WORDS = (
    ("Alder", "Ash", "Beech", "Birch", "Cedar", "Elder", "Elm", "Hazel", "Larch", "Maple", "Oak"),
    ("bank", "bridge", "brook", "dale", "field", "ford", "gate", "hill", "lea", "mead", "wood"),
)


@dataclass(frozen=True, slots=True)
class Schools:
    """What each school is like; every array has one element a stable school.

    Attributes
    ----------
    phase : ndarray of str
        Phase of education.
    intake : ndarray
        Expected pupils a year group.
    place : ndarray
        Position in the borough, 0 (well off) to 1 (deprived); schools near each other share pupils.
    fsm6, idaci : ndarray
        Expected share of pupils on free school meals, and deprivation of the neighbourhood.
    cohort : ndarray
        Expected cohort pupils a year.
    level, gap : ndarray
        The school's own absence level and own gap, as proportions around its phase.
    adopted : ndarray of int
        Academic year of adoption, 0 where the school is never trained.
    converted : int
        Index of the school that becomes an academy.
    conversion : int
        Calendar year of the September in which it does.
    """

    phase: NDArray[np.str_]
    intake: Floats
    place: Floats
    fsm6: Floats
    idaci: Floats
    cohort: Floats
    level: Floats
    gap: Floats
    adopted: Ints
    converted: int
    conversion: int

    def __len__(self) -> int:
        """Return the number of stable schools."""
        return self.phase.size

    def of_phase(self, *phases: str) -> NDArray[np.intp]:
        """Return the indices of the schools of some phases."""
        return np.flatnonzero(np.isin(self.phase, phases))

    def stage(self, school: Ints, year_group: Ints) -> NDArray[np.intp]:
        """Return where pupils are taught, as an index of `calibration.STAGES`."""
        fixed = np.array([STAGES.index(p) if p in STAGES else -1 for p in self.phase])[school]
        return np.where(fixed >= 0, fixed, (year_group >= 7).astype(np.intp))

    def urn(self, school: Ints, start: Ints) -> pd.api.extensions.ExtensionArray:
        """Return each school's URN in a year that starts in September."""
        moved = (school == self.converted) & (start >= self.conversion)
        return self.urns().array.take(np.where(moved, len(self), school))

    def urns(self) -> pd.Series:
        """Every URN: one a school, and last the successor's of the school that converted."""
        numbers = [str(_FIRST_URN + place) for place in range(len(self) + 1)]
        return pd.Series(numbers, dtype="str")


def invent_schools(plan: Plan, rng: np.random.Generator) -> Schools:
    """Draw the schools of an authority.

    Parameters
    ----------
    plan : Plan
        What the authority is to be like.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    Schools
        About 80 % primary, 14 % secondary and a few special, all-through and alternative
        provision; the trained ones are spread over phases and adoption years as evenly as counts
        allow.
    """
    phase = np.repeat(PHASES, phase_counts(plan.schools))
    many = phase.size
    place = rng.uniform(size=many)
    fsm6 = np.clip(0.10 + 0.34 * place + rng.normal(0, 0.05, many), 0.02, 0.8)
    intake = np.array([_PHASES[p].intake for p in phase]) * rng.lognormal(-0.03, 0.25, many)
    level_sd = np.array([_PHASES[p].level_sd for p in phase])
    adopted = adoption_years(plan, phase, rng)
    converted, conversion = _conversion(plan, phase, adopted)
    return Schools(
        phase=phase,
        intake=np.maximum(intake, 3),
        place=place,
        fsm6=fsm6,
        idaci=np.clip(0.17 + 0.5 * (fsm6 - 0.24) + rng.normal(0, 0.03, many), 0.01, 0.9),
        cohort=_cohort(plan, phase, fsm6, rng),
        level=_centred(rng.normal(0, level_sd), phase),
        gap=_centred(rng.normal(0, GAP_SD, many), phase),
        adopted=adopted,
        converted=converted,
        conversion=conversion,
    )


def phase_counts(schools: int) -> list[int]:
    """Share schools among the phases, by largest remainder.

    Examples
    --------
    >>> dict(zip(PHASES, phase_counts(120)))  # doctest: +NORMALIZE_WHITESPACE
    {'primary': 96, 'secondary': 17, 'special': 3, 'all_through': 2, 'alternative_provision': 2}
    """
    exact = np.array([phase.share for phase in _PHASES.values()]) * schools
    counts = np.floor(exact).astype(int)
    most = np.argsort(-(exact - counts), kind="stable")[: schools - counts.sum()]
    counts[most] += 1
    return counts.tolist()


def adoption_years(plan: Plan, phase: NDArray[np.str_], rng: np.random.Generator) -> Ints:
    """Draw adoption years: equal shares, spread over the phases.

    Parameters
    ----------
    plan : Plan
        ``share_trained`` and ``adoption``.
    phase : ndarray of str, shape (schools,)
        Phase of each school.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    ndarray of int, shape (schools,)
        Academic year of adoption, 0 where a school is never trained.
    """
    adopted = np.zeros(phase.size, dtype=np.int64)
    if plan.share_trained == 0:
        return adopted
    # Chance orders the schools within each phase; every k-th of that order is trained.
    order = np.lexsort((rng.uniform(size=phase.size), phase))
    count = np.floor(np.arange(phase.size + 1) * plan.share_trained + rng.uniform())
    trained = order[np.diff(count) > 0]
    adopted[trained] = np.resize(rng.permutation(plan.adoption_years), trained.size)
    return adopted


def _cohort(plan: Plan, phase: NDArray[np.str_], fsm6: Floats, rng: np.random.Generator) -> Floats:
    """Draw expected cohort pupils: very unequal, more where the place is deprived."""
    mean = np.array([_PHASES[p].cohort for p in phase]) * plan.cohort_scale
    shape = np.array([_PHASES[p].shape for p in phase])
    return mean * rng.gamma(shape) / shape * np.sqrt(fsm6) / np.sqrt(fsm6).mean()


def _centred(own: Floats, phase: NDArray[np.str_]) -> Floats:
    """Let what sets schools apart average out in each phase: the phase is where England is."""
    code = np.unique(phase, return_inverse=True)[1]
    return own - (np.bincount(code, own) / np.bincount(code))[code]


def _conversion(plan: Plan, phase: NDArray[np.str_], adopted: Ints) -> tuple[int, int]:
    """Choose the school that converts, the September after its training if it is trained."""
    primaries = np.flatnonzero(phase == "primary")
    first_year, last_year = academic_year.start(plan.first), academic_year.start(plan.last)
    for year in plan.adoption_years:
        early = primaries[adopted[primaries] == year]
        if early.size and academic_year.start(year) < last_year:
            return int(early[0]), academic_year.start(year) + 1
    return int(primaries[0]), (first_year + last_year + 1) // 2


def schools_table(plan: Plan, schools: Schools) -> pd.DataFrame:
    """Return the ``schools`` return: one row a URN, with two covariates.

    Returns
    -------
    pandas.DataFrame
        Columns of the contract, ``pct_fsm`` (0 to 100) and ``idaci`` (0 to 1). The school that
        converts has two rows: the closed one and its successor.
    """
    row = np.append(np.arange(len(schools)), schools.converted)
    trees, places = _WORDS
    round_of, tree = np.divmod(np.arange(len(schools)), len(trees))
    again, place = np.divmod(round_of, len(places))
    words = [
        f"{trees[i]}{places[j]}" + (f" {k + 1}" if k else "")
        for i, j, k in zip(tree, place, again, strict=True)
    ]
    titles = [f"{words[i]} {_PHASES[str(schools.phase[i])].title} (invented)" for i in row]
    titles[-1] = titles[-1].replace(" (invented)", " Academy (invented)")
    day = pd.Timestamp(schools.conversion, 9, 1)
    opened = pd.Series(pd.NaT, index=range(row.size), dtype="datetime64[us]")
    closed = opened.copy()
    opened.iloc[-1] = day
    closed.iloc[schools.converted] = day - pd.Timedelta(days=1)
    return pd.DataFrame(
        {
            "urn": schools.urns(),
            "name": pd.Series(titles, dtype="str"),
            "phase": pd.Series(schools.phase[row], dtype="str"),
            "la_code": pd.Series([plan.la_code] * row.size, dtype="str"),
            "opened": opened,
            "closed": closed,
            "pct_fsm": (100 * schools.fsm6[row]).round(1),
            "idaci": schools.idaci[row].round(3),
        }
    )


def links_table(schools: Schools) -> pd.DataFrame:
    """Return the ``school_links`` return: the school that became an academy."""
    urns = schools.urns()
    return pd.DataFrame(
        {
            "urn": urns.iloc[[schools.converted]].reset_index(drop=True),
            "successor_urn": urns.iloc[[-1]].reset_index(drop=True),
            "date": pd.Series([pd.Timestamp(schools.conversion, 9, 1)]).astype("datetime64[us]"),
        }
    )
