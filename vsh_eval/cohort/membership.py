"""Who is counted in which year, in which group.

The rules stand in ``sql/intake_episodes.sql`` and ``sql/membership.sql``; this module gives them
their parameters and tells the engine which metric counts which pupils in which year.
"""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from vsh_eval import academic_year, registry
from vsh_eval.cohort.engine import Engine, sql_text
from vsh_eval.contracts import terms_lacking
from vsh_eval.settings import Cohort

FROM_ATTENDANCE = (
    "overall_absence",
    "authorised_absence",
    "unauthorised_absence",
    "persistent_absence",
    "severe_absence",
)
"""Metrics worked out from sessions."""
FROM_SUSPENSIONS = ("suspension_rate", "pupils_suspended", "permanent_exclusion")
"""Metrics worked out from suspensions."""
FROM_ENROLMENTS = ("school_move",)
"""Metrics worked out from enrolments; every other one is of the attainment return."""
ATTENDANCE, SUSPENSIONS, ENROLMENTS = "attendance", "suspensions", "enrolments"
_ORIGINS = (
    (ATTENDANCE, FROM_ATTENDANCE),
    (SUSPENSIONS, FROM_SUSPENSIONS),
    (ENROLMENTS, FROM_ENROLMENTS),
)


def keep_spans(engine: Engine, cohort: Cohort) -> None:
    """Keep the first and last year in which each episode counts, as ``cohort_spans``.

    Parameters
    ----------
    engine : Engine
        Holding ``episodes`` and the pupils' keys.
    cohort : vsh_eval.settings.Cohort
        Rule and basis.
    """
    text = sql_text(
        "intake_episodes",
        snapshot=int(cohort.rule == "at_31_march"),
        plan=int(cohort.basis == "plan"),
    )
    engine.keep("cohort_spans", text)


def keep_membership(engine: Engine, period: int, cohort: Cohort) -> None:
    """Keep the standing of every pupil known to social care, as ``cohort_membership``.

    Parameters
    ----------
    engine : Engine
        Holding ``cohort_spans``.
    period : int
        The academic year, for example 202324.
    cohort : vsh_eval.settings.Cohort
        Rule and look-back.
    """
    text = sql_text(
        "membership",
        year=academic_year.start(period),
        look_back=cohort.look_back,
        ever=int(cohort.rule == "ever_6"),
    )
    engine.keep("cohort_membership", text)


def metrics_known() -> pd.DataFrame:
    """Return the registry's metrics and the return each comes from.

    Returns
    -------
    pandas.DataFrame
        code (from 1 on), metric, origin ("attendance", "suspensions", "enrolments", "attainment",
        or "rank" for what is ranked from attainment), part (its place in ``FROM_ATTENDANCE``,
        ``FROM_SUSPENSIONS`` or ``FROM_ENROLMENTS`` from 1 on, else 0), measure (what attainment
        calls it; the metric's own name elsewhere), children (1 if the metric's y is a child or no
        child, else 0).

    Examples
    --------
    >>> metrics_known().query("origin == 'rank'")[["metric", "measure"]].values.tolist()[0]
    ['ks2_reading_rank', 'ks2_reading_score']
    """
    rows = [
        (code, name, *_origin(entry), entry.ranks or name, int(entry.counts == "children"))
        for code, (name, entry) in enumerate(registry.METRICS.items(), start=1)
    ]
    columns = ["code", "metric", "origin", "part", "measure", "children"]
    return pd.DataFrame(rows, columns=columns)


def _origin(entry: registry.Metric) -> tuple[str, int]:
    """Return the return a metric comes from, and its place among that return's metrics."""
    for origin, metrics in _ORIGINS:
        if entry.name in metrics:
            return origin, metrics.index(entry.name) + 1
    return ("rank" if entry.ranks else "attainment"), 0


def metrics_counted(
    years: Sequence[int], *, without: Mapping[str, Collection[int]] | None = None
) -> pd.DataFrame:
    """Return which year groups each metric counts in which academic year.

    Parameters
    ----------
    years : sequence of int
        The academic years of the run.
    without : mapping of str to collection of int, optional
        By origin, the years of which the returns hold nothing or only a part.

    Returns
    -------
    pandas.DataFrame
        The columns of `metrics_known` but children, with time_period and year_group. A year in
        which a metric has no data has no row.

    Examples
    --------
    >>> table = metrics_counted((201819, 201920))
    >>> table.query("metric == 'overall_absence'")["time_period"].unique().tolist()
    [201819]
    """
    left_out = without or {}
    rows = [
        (name, period, group)
        for name, entry in registry.METRICS.items()
        for period in years
        if period not in left_out.get(_origin(entry)[0], ())
        and period not in registry.years_without_data(name)
        for group in entry.year_groups
    ]
    counted = pd.DataFrame(rows, columns=["metric", "time_period", "year_group"])
    known = metrics_known().drop(columns="children")
    return known.merge(counted.astype({"metric": "str"}), on="metric")


def years_without(engine: Engine, years: Sequence[int]) -> dict[str, set[int]]:
    """Return the years that a metric cannot be worked out for, by the return it comes from.

    Parameters
    ----------
    engine : Engine
        Holding ``attendance`` and ``cohort_suspended``.
    years : sequence of int
        The academic years of the run.

    Returns
    -------
    dict of str to set of int
        "attendance": years that lack a term which another year of the run has
        (`contracts.terms_lacking`). "enrolments": the same. "suspensions": those, and the years
        without one suspension: a return that does not hold the year says nothing, and nothing is
        not nought.
    """
    held = engine.run(sql_text("terms_held"))
    held = held[held["time_period"].isin(_collected(years))]
    counts = zip(held["time_period"], held["term"], held["registrations"], strict=True)
    partly = set(terms_lacking({(int(year), str(term)): int(n) for year, term, n in counts}))
    reported = engine.run("SELECT DISTINCT academic_year AS time_period FROM cohort_suspended")
    silent = set(years) - set(reported["time_period"].astype("int64"))
    return {ATTENDANCE: partly, ENROLMENTS: partly, SUSPENSIONS: partly | silent}


def _collected(years: Sequence[int]) -> list[int]:
    """Return the years in which attendance was collected in full."""
    gone = registry.years_without_data(FROM_ATTENDANCE[0])
    return [year for year in years if year not in gone]
