"""Invented suspensions and permanent exclusions."""

import numpy as np
import pandas as pd

from vsh_eval.synthetic.calibration import yearly_levels
from vsh_eval.synthetic.plan import Plan
from vsh_eval.synthetic.pupil_years import PupilYears
from vsh_eval.synthetic.pupils import Pupils, pupil_ids
from vsh_eval.synthetic.schools import Schools

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
            "pupil_id": pupil_ids(pupils).array.take(who.pupil),
            "academic_year": who.time_period,
            "urn": schools.urns().array.take(schools.urn_index(who.school, who.start)),
            "suspensions": counts.astype(np.int64),
            "permanent_exclusions": excluded[suspended | excluded].astype(np.int64),
        }
    )
