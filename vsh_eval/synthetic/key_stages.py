"""Invented measures of each stage, derived from how the pupil did in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from vsh_eval import registry
from vsh_eval.synthetic.calibration import yearly_levels
from vsh_eval.synthetic.pupil_years import PupilYears

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Measure = tuple[str, Flags, Floats]
"""Name, which of the sitting's pupils have a result, and everybody's value."""

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
_WITH_EARLIER = {"ks2": 0.93, "ks4": 0.90}


@dataclass(frozen=True, slots=True)
class Sitting:
    """Pupils at the end of a stage: one element each.

    Attributes
    ----------
    who : PupilYears
        The pupils.
    level, mean : ndarray of float
        The group's published mean, and that of the pupil's school and group, as proportions.
    rank : ndarray of float
        The pupil's place within the group, 0 the lowest and 1 the highest.
    """

    who: PupilYears
    level: Floats
    mean: Floats
    rank: Floats

    @property
    def reached(self) -> Floats:
        """1 where the pupil is in the share that the mean says, else 0."""
        return (self.rank >= 1 - self.mean).astype(np.float64)


def early_years(measure: str, sitting: Sitting) -> Iterator[Measure]:
    """Yield the measure of reception or year 1 for the years in which it was taken.

    Parameters
    ----------
    measure : str
        Good level of development, or phonics.
    sitting : Sitting
        The pupils of its year group.
    """
    yield measure, _taken(measure, sitting), sitting.reached


def key_stage_2(
    sitting: Sitting, years: Sequence[int], rng: np.random.Generator
) -> Iterator[Measure]:
    """Yield each subject's expected standard, scaled score and progress.

    Parameters
    ----------
    sitting : Sitting
        Year 6, with its result in reading, writing and maths together.
    years : sequence of int
        The plan's academic years.
    rng : numpy.random.Generator
        Source of chance.
    """
    together = sitting.reached == 1
    places = {subject: _place(sitting, subject, years, rng) for subject in SUBJECTS}
    passed = _consistent(together, places)
    for subject in SUBJECTS:
        name = f"ks2_{subject}_expected"
        yield name, _taken(name, sitting), passed[subject].astype(np.float64)
    for subject in SCORED:
        taken = _taken(f"ks2_{subject}_rank", sitting)
        yield f"ks2_{subject}_score", taken, _score(*places[subject], passed[subject])
    earlier = rng.uniform(size=len(sitting.who)) < _WITH_EARLIER["ks2"]
    for subject in SUBJECTS:
        name = f"ks2_{subject}_progress"
        level = yearly_levels(name, years)[sitting.who.group, sitting.who.column]
        value = level + _PROGRESS_SD[subject] * _mixed(sitting.rank, _PROGRESS_SHARED, rng)
        value = np.clip(value, -_MOST_PROGRESS, _MOST_PROGRESS).round(2)
        yield name, _taken(name, sitting) & earlier, value


def key_stage_4(
    sitting: Sitting, years: Sequence[int], rng: np.random.Generator
) -> Iterator[Measure]:
    """Yield grade 4 and grade 5 in English and maths, and Progress 8.

    Parameters
    ----------
    sitting : Sitting
        Year 11, with its Attainment 8.
    years : sequence of int
        The plan's academic years.
    rng : numpy.random.Generator
        Source of chance.
    """
    at = (sitting.who.group, sitting.who.column)
    above = sitting.mean - sitting.level
    # One place for both grades, so that whoever has a grade 5 has a grade 4.
    place = ndtr(_mixed(sitting.rank, _GRADES_SHARED, rng))
    for name in ("ks4_basics_94", "ks4_basics_95"):
        share = np.clip(yearly_levels(name, years)[at] / 100 + _GRADES_SLOPE * above, 0.005, 0.98)
        yield name, _taken(name, sitting), (place >= 1 - share).astype(np.float64)
    name = "ks4_progress8"
    earlier = rng.uniform(size=len(sitting.who)) < _WITH_EARLIER["ks4"]
    value = yearly_levels(name, years)[at] + _PROGRESS_8_SLOPE * above
    value += _PROGRESS_8_SD * _mixed(sitting.rank, _PROGRESS_8_SHARED, rng)
    value = np.clip(value, -_MOST_PROGRESS_8, _MOST_PROGRESS_8).round(2)
    yield name, _taken(name, sitting) & earlier, value


def _taken(metric: str, sitting: Sitting) -> Flags:
    """Return who sat it in a year in which it was taken, as the registry knows."""
    gone = registry.years_without_data(metric)
    return ~np.isin(sitting.who.time_period, list(gone))


def _mixed(rank: Floats, shared: float, rng: np.random.Generator) -> Floats:
    """Return a standard normal value that shares so much with the rank."""
    own = np.sqrt(1 - shared**2) * rng.standard_normal(rank.size)
    return shared * ndtri(np.clip(rank, 1e-6, 1 - 1e-6)) + own


def _place(
    sitting: Sitting, subject: str, years: Sequence[int], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the share that reaches the standard in a subject, and the pupil's place in it.

    Whoever reached all three lies above the mark. Of the others as many do as make up the share.
    """
    who, all_three = sitting.who, sitting.mean
    levels = yearly_levels(f"ks2_{subject}_expected", years)[who.group, who.column] / 100
    share = np.clip(levels + all_three - sitting.level, all_three + 0.01, 0.985)
    together = sitting.reached == 1
    within = np.where(
        together,
        (sitting.rank - (1 - all_three)) / all_three,
        sitting.rank / (1 - all_three),
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
