"""Who is counted in which year, in which group.

The rules stand in ``sql/intake_episodes.sql`` and ``sql/membership.sql``; this module gives them
their parameters and tells the engine which metric counts which pupils in which year.
"""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from vsh_eval import academic_year, registry
from vsh_eval.cohort.engines import SUMMED_TOGETHER, Engine, sql_file, sql_text
from vsh_eval.contracts import ContractError, terms_lacking
from vsh_eval.settings import Cohort

OTHER_RULE = {
    "any_time_in_year": "at_31_march",
    "ever_6": "any_time_in_year",
    "at_31_march": "any_time_in_year",
}
"""The cohort rule that stands beside each, to ask whether a result hangs on the rule."""
OWN, OTHER = 0, 1
"""The number of the run's own rule, and of the other one, in the SQL."""


def keep_spans(engine: Engine, cohort: Cohort, rule: int) -> None:
    """Keep the first and last year in which each episode counts, as ``cohort_spans_{rule}``.

    Parameters
    ----------
    engine : Engine
        Holding ``episodes`` and the pupils' keys.
    cohort : vsh_eval.settings.Cohort
        Rule and basis.
    rule : {0, 1}
        `OWN` or `OTHER`.
    """
    text = sql_text(
        "intake_episodes",
        snapshot=int(cohort.rule == "at_31_march"),
        plan=int(cohort.basis == "plan"),
    )
    engine.keep(f"cohort_spans_{rule}", text)


def keep_membership(engine: Engine, period: int, rules: Mapping[int, Cohort]) -> None:
    """Keep the groups of every pupil known to social care, as ``cohort_membership``.

    Parameters
    ----------
    engine : Engine
        Holding ``cohort_spans_{rule}`` of both rules.
    period : int
        The academic year, for example 202324.
    rules : mapping of {0, 1} to vsh_eval.settings.Cohort
        Rule and look-back, which both have.
    """
    text = sql_text(
        "membership",
        year=academic_year.start(period),
        look_back=rules[OWN].look_back,
        ever=int(rules[OWN].rule == "ever_6"),
        other_ever=int(rules[OTHER].rule == "ever_6"),
    )
    engine.keep("cohort_membership", text)


def metrics_known() -> pd.DataFrame:
    """Return the registry's metrics and what each is added up from.

    Returns
    -------
    pandas.DataFrame
        code (from 1 on), metric, origin (`registry.Metric`), measure (what attainment calls it;
        the metric's own name elsewhere), measure_code (the measure's number), children (1 if the
        metric's y is a child or no child, else 0).

    Raises
    ------
    ContractError
        If a metric is added up in whole numbers and the SQL has no line for it, or metrics whose
        pupils are summed together count different year groups.

    Examples
    --------
    >>> metrics_known().query("origin == 'rank'")[["metric", "measure"]].values.tolist()[0]
    ['ks2_reading_rank', 'ks2_reading_score']
    """
    lines = " ".join(map(sql_file, SUMMED_TOGETHER)).replace(",", " ").split()
    for entry in registry.METRICS.values():
        if entry.units_of_one == 1 and entry.name not in lines:
            raise ContractError(
                f"metric {entry.name!r} is of {entry.origin}, must have its line in "
                f"{' or '.join(SUMMED_TOGETHER)}.sql of cohort/sql; write there what one pupil "
                "adds to it."
            )
    for origins in SUMMED_TOGETHER.values():
        together = [e for e in registry.METRICS.values() if e.origin in origins]
        if len({frozenset(entry.year_groups) for entry in together}) > 1:
            raise ContractError(
                f"metrics of {' and '.join(origins)} count different year groups, must count the "
                "same ones, as their pupils are summed once for all of them in cohort/sql."
            )
    rows = [
        (code, name, entry.origin, entry.ranks or name, int(entry.counts == "children"))
        for code, (name, entry) in enumerate(registry.METRICS.items(), start=1)
    ]
    known = pd.DataFrame(rows, columns=["code", "metric", "origin", "measure", "children"])
    return known.assign(measure_code=pd.factorize(known["measure"])[0])


def metrics_counted(years: Sequence[int], without: Mapping[str, Collection[int]]) -> pd.DataFrame:
    """Return which year groups each metric counts in which academic year.

    Parameters
    ----------
    years : sequence of int
        The academic years of the run.
    without : mapping of str to collection of int
        By origin, the years of which the returns hold nothing or only a part.

    Returns
    -------
    pandas.DataFrame
        The columns of `metrics_known`, with time_period and year_group. A year in which a metric
        has no data has no row.

    Examples
    --------
    >>> table = metrics_counted((201819, 201920), without={})
    >>> table.query("metric == 'overall_absence'")["time_period"].unique().tolist()
    [201819]
    """
    rows = [
        (name, period, group)
        for name, entry in registry.METRICS.items()
        for period in years
        if period not in without.get(entry.origin, ())
        and period not in registry.years_without_data(name)
        for group in entry.year_groups
    ]
    counted = pd.DataFrame(rows, columns=["metric", "time_period", "year_group"])
    return metrics_known().merge(counted.astype({"metric": "str"}), on="metric")


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
    return {"attendance": partly, "enrolments": partly, "suspensions": partly | silent}


def _collected(years: Sequence[int]) -> list[int]:
    """Return the years in which attendance was collected in full."""
    without_data = registry.years_without_data("overall_absence")
    return [year for year in years if year not in without_data]
