"""Who is counted in which year, in which group.

The rules stand in ``sql/intake_episodes.sql`` and ``sql/membership.sql``; this module gives them
their parameters and tells the engine which metric counts which pupils in which year.
"""

from collections.abc import Sequence

import pandas as pd

from vsh_eval import academic_year, registry
from vsh_eval.cohort.engine import Engine, sql_text
from vsh_eval.settings import Cohort

FROM_ATTENDANCE = (
    "overall_absence",
    "authorised_absence",
    "unauthorised_absence",
    "persistent_absence",
    "severe_absence",
)
"""Metrics worked out from sessions; every other one is a measure of the attainment return."""


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
        metric, origin ("attendance" or "attainment"), children (1 if the metric's y is a child
        or no child, else 0).

    Examples
    --------
    >>> metrics_known().query("origin == 'attainment'")["metric"].tolist()[:2]
    ['ks2_rwm_expected', 'ks4_attainment8']
    """
    rows = [
        (
            name,
            "attendance" if name in FROM_ATTENDANCE else "attainment",
            int(entry.counts == "children"),
        )
        for name, entry in registry.METRICS.items()
    ]
    return pd.DataFrame(rows, columns=["metric", "origin", "children"])


def metrics_counted(years: Sequence[int]) -> pd.DataFrame:
    """Return which year groups each metric counts in which academic year.

    Parameters
    ----------
    years : sequence of int
        The academic years of the run.

    Returns
    -------
    pandas.DataFrame
        metric, origin, time_period, year_group. A year in which a metric has no data has no row.

    Examples
    --------
    >>> table = metrics_counted((201819, 201920))
    >>> table.query("metric == 'overall_absence'")["time_period"].unique().tolist()
    [201819]
    """
    known = metrics_known()
    rows = [
        (name, origin, period, group)
        for name, origin in zip(known["metric"], known["origin"], strict=True)
        for period in years
        if not any(entry.kind == "no_data" for entry in registry.breaks_of(name, (period,)))
        for group in registry.metric(name).year_groups
    ]
    return pd.DataFrame(rows, columns=["metric", "origin", "time_period", "year_group"]).astype(
        {"metric": "str", "origin": "str", "time_period": "int64", "year_group": "int64"}
    )
