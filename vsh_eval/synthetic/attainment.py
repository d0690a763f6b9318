"""Invented results: what each pupil's sitting of a stage looks like, and the ``attainment`` return.

The other measures of a stage hang on the sitting: `key_stages` derives them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr

from vsh_eval.synthetic.calibration import yearly_levels
from vsh_eval.synthetic.key_stages import Sitting, early_years, key_stage_2, key_stage_4
from vsh_eval.synthetic.plan import Plan
from vsh_eval.synthetic.pupil_years import PupilYears, standardised
from vsh_eval.synthetic.pupils import Pupils, pupil_ids
from vsh_eval.synthetic.schools import Schools

Floats = NDArray[np.float64]

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


@dataclass(frozen=True, slots=True)
class _Results:
    """Values of one measure, one a pupil-year."""

    measure: str
    who: PupilYears
    value: Floats


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
    found = [_Results(KS2, ks2.who, ks2.reached), _Results(KS4, ks4.who, _points(ks4))]
    for measure in (GLD, PHONICS):
        sitting = _sit(measure, plan, schools, pupils, years, more)
        found += _results(sitting, early_years(measure, sitting))
    found += _results(ks2, key_stage_2(ks2, plan.years, more))
    found += _results(ks4, key_stage_4(ks4, plan.years, more))
    return _table(found, schools, pupils)


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
    return Sitting(who, level, mean, _rank(pupils, who, rng))


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


def _results(
    sitting: Sitting, measures: Iterable[tuple[str, NDArray[np.bool_], Floats]]
) -> list[_Results]:
    return [_Results(name, sitting.who.where(has), value[has]) for name, has, value in measures]


def _table(found: list[_Results], schools: Schools, pupils: Pupils) -> pd.DataFrame:
    """Put the results below one another; a pupil's identifier and URN are looked up once."""
    pupil, period, school, start = (
        np.concatenate([getattr(part.who, field) for part in found])
        for field in ("pupil", "time_period", "school", "start")
    )
    codes = np.repeat(np.arange(len(found)), [len(part.who) for part in found])
    measures = pd.array([part.measure for part in found], dtype="str")
    return pd.DataFrame(
        {
            "pupil_id": pupil_ids(pupils).array.take(pupil),
            "academic_year": period,
            "urn": schools.urns().array.take(schools.urn_index(school, start)),
            "measure": measures.take(codes),
            "value": np.concatenate([part.value for part in found]).astype(np.float64),
        }
    )
