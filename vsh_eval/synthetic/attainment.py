"""Invented results at the end of key stages 2 and 4."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr

from vsh_eval.synthetic.calibration import yearly_levels
from vsh_eval.synthetic.plan import Plan
from vsh_eval.synthetic.pupil_years import PupilYears, standardised
from vsh_eval.synthetic.pupils import Pupils, pupil_ids
from vsh_eval.synthetic.schools import Schools

Floats = NDArray[np.float64]

KS2, KS4 = "ks2_rwm_expected", "ks4_attainment8"
_YEAR_GROUP = {KS2: 6, KS4: 11}
_HIGHEST = {KS2: 100.0, KS4: 90.0}

# What moves a pupil's attainment within its group, in standard deviations.
_ABSENCE, _FSM, _SUPPORT, _WITH_PLAN = -0.35, -0.35, -0.8, -1.6
# School means around the published ones, as proportions: all pupils', and the cohort's own.
_LEVEL_SD, _GAP_SD = 0.04, 0.03
# Spread of Attainment 8 within a group: its variance is m (1 - m) / (1 + _TIGHTNESS) of 90 squared.
_TIGHTNESS = 4.6


def attainment_table(
    plan: Plan, schools: Schools, pupils: Pupils, years: PupilYears, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the ``attainment`` return.

    Parameters
    ----------
    plan, schools, pupils, years
        The authority so far.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    pandas.DataFrame
        ``ks2_rwm_expected`` (0 or 1) for year 6, none in 2019/20 and 2020/21, and
        ``ks4_attainment8`` (0 to 90, two decimals) for year 11. A mover's result counts where the
        pupil was in the summer.
    """
    parts = [_results(measure, plan, schools, pupils, years, rng) for measure in (KS2, KS4)]
    return pd.concat(parts, ignore_index=True)


def _results(
    measure: str,
    plan: Plan,
    schools: Schools,
    pupils: Pupils,
    years: PupilYears,
    rng: np.random.Generator,
) -> pd.DataFrame:
    levels = yearly_levels(measure, plan.years) / _HIGHEST[measure]
    who = years.where(
        (years.year_group == _YEAR_GROUP[measure])
        & (years.last_term == 2)
        & (levels[years.group, years.column] > 0)
    )
    own = rng.normal(0, _GAP_SD, len(schools))[who.school]
    own += np.where(who.treated(schools), plan.attainment_effect / _HIGHEST[measure], 0.0)
    mean = levels[who.group, who.column] + rng.normal(0, _LEVEL_SD, len(schools))[who.school]
    mean = np.clip(mean + np.where(who.cohort, own, 0.0), 0.02, 0.98)
    rank = _rank(pupils, who, rng)
    reached = rank >= 1 - mean if measure == KS2 else _points(mean, rank)
    return pd.DataFrame(
        {
            "pupil_id": pupil_ids(pupils).array.take(who.pupil),
            "academic_year": who.time_period,
            "urn": schools.urns().array.take(schools.urn_index(who.school, who.start)),
            "measure": pd.array([measure], dtype="str").take(np.zeros(len(who), dtype=np.intp)),
            "value": reached.astype(np.float64),
        }
    )


def _rank(pupils: Pupils, who: PupilYears, rng: np.random.Generator) -> Floats:
    """Rank of pupils in their group, 0 the lowest attainment."""
    sen = pupils.sen_in(who.pupil, who.year_group)
    score = _ABSENCE * who.latent + np.sqrt(1 - _ABSENCE**2) * rng.standard_normal(len(who))
    score += _FSM * pupils.fsm6[who.pupil] + np.array([0, _SUPPORT, _WITH_PLAN])[sen]
    return ndtr(standardised(score, who.group))


def _points(mean: Floats, rank: Floats) -> Floats:
    """Attainment 8 at a rank: a beta distribution with the group's mean."""
    points = betaincinv(mean * _TIGHTNESS, (1 - mean) * _TIGHTNESS, rank)
    return (_HIGHEST[KS4] * points).round(2)
