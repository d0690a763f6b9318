"""From a run's source to its panel: the one place where returns and cohort meet."""

from collections.abc import Mapping

import pandas as pd

from vsh_eval import cohort, names, returns
from vsh_eval.pipeline import workspace
from vsh_eval.pipeline.workspace import Run
from vsh_eval.returns import published


def build_tables(run: Run) -> Mapping[str, pd.DataFrame]:
    """Build everything that the questions are asked of, from whichever source the run has.

    Parameters
    ----------
    run : Run
        The run; its returns are read into memory, and no pupil row is written anywhere.

    Returns
    -------
    mapping of str to DataFrame
        ``panel`` and ``areas`` always; for returns also ``composition``, ``schools``,
        ``exposure``, ``training`` and ``flow`` (what matching kept and dropped); for published
        tables also ``neighbours``.

    Raises
    ------
    DataError
        If the returns cannot bear the run.
    """
    if run.settings.source.kind == "published":
        return _of_published(run)
    return _of_returns(run)


def _of_returns(run: Run) -> Mapping[str, pd.DataFrame]:
    opened = workspace.open_source(run)
    findings = returns.check(opened, programmes=workspace.declared_programmes(run.settings))
    returns.require_sound(findings)
    built = cohort.build_cohort(
        opened.connection,
        years=_years(run),
        cohort=run.settings.cohort,
        exposure=run.settings.exposure,
        engine=run.settings.engine,
    )
    areas = pd.DataFrame(
        {
            "unit_id": [run.settings.authority.code],
            "name": [run.settings.authority.name],
            "level": [names.LA],
        }
    )
    return {
        "panel": built.panel,
        "composition": built.composition,
        "schools": built.schools,
        "exposure": built.exposure,
        "training": built.training,
        "flow": built.flow,
        "areas": areas,
    }


def _of_published(run: Run) -> Mapping[str, pd.DataFrame]:
    found = workspace.open_published(run)
    years = set(_years(run))
    panel = found.panel[found.panel["time_period"].isin(years)].reset_index(drop=True)
    return {
        "panel": panel,
        "areas": context_areas(found, run.settings.authority.code),
        "neighbours": found.neighbours,
    }


def context_areas(found: published.Published, code: str) -> pd.DataFrame:
    """Select the areas an authority is read beside: England, its region, its neighbours.

    Parameters
    ----------
    found : Published
        The published files.
    code : str
        The authority's ONS code.

    Returns
    -------
    DataFrame
        The rows of ``areas``, with ``role``: authority, neighbour, region or england.
    """
    neighbours = found.neighbours
    near = set(neighbours.loc[neighbours["unit_id"] == code, "neighbour_id"])
    areas = found.areas.copy()
    region = areas.loc[areas["unit_id"] == code, "region_id"].iloc[0]
    roles = pd.Series("", index=areas.index)
    roles[areas["level"] == names.NATIONAL] = "england"
    roles[areas["unit_id"] == region] = "region"
    roles[areas["unit_id"].isin(near)] = "neighbour"
    roles[areas["unit_id"] == code] = "authority"
    return areas.assign(role=roles)[roles != ""].reset_index(drop=True)


def _years(run: Run) -> tuple[int, ...]:
    return run.settings.years.all()
