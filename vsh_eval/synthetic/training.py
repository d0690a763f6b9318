"""The invented training log: who was trained in what, when, how much and at what cost."""

import numpy as np
import pandas as pd

from vsh_eval import academic_year, names
from vsh_eval.numerics.arrays import Ints
from vsh_eval.synthetic.days import dates, september, start_of
from vsh_eval.synthetic.plan import Plan
from vsh_eval.synthetic.schools import Schools

PROGRAMMES = names.PROGRAMMES
# For each programme, in the order of the dictionary: share of first trainings, chance of being for
# the whole school (universal), hours a person, chances of the audiences in the dictionary's order.
_FIRST_SHARE = (0.22, 0.28, 0.22, 0.16, 0.12)
_UNIVERSAL = (0.1, 0.7, 0.7, 0.6, 0.3)
_HOURS = (36.0, 6.0, 9.0, 12.0, 3.0)
_AUDIENCE = (
    (0.75, 0.05, 0.05, 0.0, 0.15),
    (0.70, 0.15, 0.10, 0.05, 0.0),
    (0.80, 0.10, 0.05, 0.0, 0.05),
    (0.65, 0.25, 0.05, 0.0, 0.05),
    (0.15, 0.20, 0.60, 0.05, 0.0),
)
_AGAIN = (0.55, 0.4)
"""Chance of a second programme, and of a third once there is a second."""
_HOUR_COST, _FEE, _COST_BLANK = 24.0, 350.0, 0.04
_BY_OCTOBER = 61  # days from 1 September to 31 October, both included
_YEAR_END = 330  # the last day courses start, about 27 July


def training_table(plan: Plan, schools: Schools, rng: np.random.Generator) -> pd.DataFrame:
    """Return the ``training`` return.

    A school that is first treated in a year was first trained in it by 31 October, or in the year
    before from November on; in the first adoption year only the former, so that no training is
    older than that September. More than half the trained schools take a second programme, some a
    third.

    Returns
    -------
    pandas.DataFrame
        One row a school, programme, tier, start date and audience; ``cost`` in pounds, blank for a
        few. No row where no school is trained.
    """
    school = np.flatnonzero(schools.adopted > 0)
    first = _first_days(plan, schools.adopted[school], rng)
    order = rng.permuted(np.tile(np.arange(len(PROGRAMMES)), (school.size, 1)), axis=1)
    _put_first(order, rng)
    second = rng.uniform(size=school.size) < _AGAIN[0]
    third = second & (rng.uniform(size=school.size) < _AGAIN[1])
    later = first + rng.integers(60, 500, school.size)
    latest = later + rng.integers(60, 400, school.size)
    at = np.concatenate([school, school[second], school[third]])
    day = np.concatenate([first, later[second], latest[third]])
    programme = np.concatenate([order[:, 0], order[second, 1], order[third, 2]])
    within = day < september(academic_year.start(plan.last) + 1)
    return _table(schools, at[within], day[within], programme[within], rng)


def _first_days(plan: Plan, adopted: Ints, rng: np.random.Generator) -> Ints:
    """Draw the day each school was first trained, as days since 1970."""
    autumn = (rng.uniform(size=adopted.size) < 0.55) | (
        adopted == min(plan.adoption_years, default=0)
    )
    start = np.where(autumn, adopted // 100, adopted // 100 - 1)
    offset = np.where(
        autumn,
        rng.integers(0, _BY_OCTOBER, adopted.size),
        rng.integers(_BY_OCTOBER, _YEAR_END, adopted.size),
    )
    return september(start) + offset


def _put_first(order: Ints, rng: np.random.Generator) -> None:
    """Swap each school's first programme with one drawn by its share of first trainings."""
    wanted = rng.choice(len(PROGRAMMES), size=len(order), p=_FIRST_SHARE)
    rows = np.arange(len(order))
    where = (order == wanted[:, None]).argmax(axis=1)
    order[rows, where] = order[:, 0]
    order[:, 0] = wanted


def _table(
    schools: Schools, school: Ints, day: Ints, programme: Ints, rng: np.random.Generator
) -> pd.DataFrame:
    many = school.size
    universal = rng.uniform(size=many) < np.array(_UNIVERSAL)[programme]
    reach = np.array(_AUDIENCE)[programme].cumsum(axis=1)
    audience = (rng.uniform(size=many)[:, None] >= reach[:, :-1]).sum(axis=1)
    teachers = np.maximum(4, schools.intake[school] / 3)
    staff = 1 + rng.poisson(np.where(universal, 0.9 * teachers, 1.2))
    hours = np.array(_HOURS)[programme] * rng.choice([0.5, 1.0, 1.0, 1.5], size=many)
    cost = (_FEE + _HOUR_COST * hours * staff).round(2)
    cost[rng.uniform(size=many) < _COST_BLANK] = np.nan
    start = start_of(day)
    table = pd.DataFrame(
        {
            "urn": schools.urn(school, start),
            "programme": pd.Series(np.array(PROGRAMMES)[programme], dtype="str"),
            "tier": pd.Series(np.where(universal, *names.TIERS), dtype="str"),
            "start_date": dates(day),
            "staff_trained": staff.astype(np.int64),
            "hours": hours,
            "audience": pd.Series(np.array(names.AUDIENCES)[audience], dtype="str"),
            "cost": cost,
        }
    )
    return table.sort_values(["start_date", "urn", "programme"], ignore_index=True)
