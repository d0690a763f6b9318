"""An invented authority: every table of the returns, and the truth that was planted in them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vsh_eval.synthetic.attainment import attainment_table
from vsh_eval.synthetic.attendance import invent_attendance
from vsh_eval.synthetic.episodes import episodes_table, invent_social_care, membership
from vsh_eval.synthetic.plan import Plan
from vsh_eval.synthetic.pupil_years import pupil_years
from vsh_eval.synthetic.pupils import enrolments_table, follow, invent_pupils
from vsh_eval.synthetic.registers import attendance_table, truth_table
from vsh_eval.synthetic.schools import invent_schools, links_table, schools_table
from vsh_eval.synthetic.suspensions import suspensions_table
from vsh_eval.synthetic.training import training_table


@dataclass(frozen=True, slots=True)
class Authority:
    """An invented authority's returns.

    Attributes
    ----------
    tables : mapping of str to pandas.DataFrame
        Every table of `vsh_eval.contracts.RETURNS`, optional ones and columns included.
    truth : pandas.DataFrame
        The effect that was planted, see `invent`.
    la_code, name : str
        The authority's code and name.
    """

    tables: Mapping[str, pd.DataFrame]
    truth: pd.DataFrame
    la_code: str
    name: str


def invent(plan: Plan | None = None) -> Authority:
    """Invent an authority.

    Levels, trends, tails and group sizes follow figures published for England (`calibration`);
    schools, pupils and every link between them are drawn. Nothing in it is about a real child.

    Parameters
    ----------
    plan : Plan, optional
        What it is to be like; `Plan()` if not given.

    Returns
    -------
    Authority
        The same plan gives the same tables, byte for byte; plans that differ in ``effect`` alone
        differ in attendance alone. ``truth`` holds, by metric (overall, persistent and severe
        absence) and aggregation (``simple``, ``cohort``, ``calendar``), the effect in percentage
        points that the treated cohort's expected absence carries, weighted by possible sessions:

            effect = 100 x sum X (rate with - rate without) / sum X

        over cohort pupils of year groups 1 to 11 in treated school-years. It differs from
        ``plan.effect`` by chance, and where a mean would leave 1 to 95 %. It has no rows where no
        school is treated.

    Examples
    --------
    >>> authority = invent(Plan(schools=10, first=202122, adoption=(202324,)))
    >>> sorted(authority.tables)  # doctest: +NORMALIZE_WHITESPACE
    ['attainment', 'attendance', 'enrolments', 'episodes', 'school_links', 'schools',
     'suspensions', 'training']
    >>> authority.tables["attendance"].columns.tolist()  # doctest: +NORMALIZE_WHITESPACE
    ['pupil_id', 'academic_year', 'term', 'urn', 'sess_possible', 'sess_authorised',
     'sess_unauthorised']
    """
    plan = plan or Plan()
    # One stream a room of chance: a change to one leaves the draws of the others alone.
    seeds = np.random.SeedSequence(plan.seed).spawn(11)
    streams = iter([np.random.default_rng(seed) for seed in seeds])
    schools = invent_schools(plan, next(streams))
    training = training_table(plan, schools, next(streams))
    pupils = invent_pupils(plan, schools, next(streams))
    places, home = follow(plan, schools, pupils, next(streams))
    care = invent_social_care(plan, schools, pupils, home, next(streams))
    years = pupil_years(plan, schools, places, membership(plan, pupils, care), next(streams))
    attendance = invent_attendance(plan, schools, pupils, years, next(streams))
    tables = {
        "schools": schools_table(plan, schools),
        "school_links": links_table(schools),
        "enrolments": enrolments_table(schools, pupils, places),
        "attendance": attendance_table(plan, schools, pupils, attendance, next(streams)),
        "suspensions": suspensions_table(plan, schools, pupils, years, next(streams)),
        "attainment": attainment_table(plan, schools, pupils, years, next(streams), next(streams)),
        "episodes": episodes_table(plan, pupils, care),
        "training": training,
    }
    return Authority(
        tables=tables,
        truth=truth_table(plan, schools, attendance),
        la_code=plan.la_code,
        name=plan.name,
    )
