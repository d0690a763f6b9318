"""From a run's source to its panel: the one place where returns and cohort meet."""

from collections.abc import Mapping

import pandas as pd

from vsh_eval import cohort, names, returns
from vsh_eval.pipeline import workspace
from vsh_eval.pipeline.workspace import Run
from vsh_eval.returns import published

OTHER_RULE = {
    "any_time_in_year": "at_31_march",
    "ever_6": "any_time_in_year",
    "at_31_march": "any_time_in_year",
}
"""The cohort rule that stands beside each, to ask whether a result hangs on the rule."""
_JOINED = {
    **dict.fromkeys((*names.PANEL_SUMS, *names.MOMENT_PRODUCTS, "schools"), "sum"),
    "largest": "max",
}
"""How the cells of two authorities' codes become those of one authority."""


def build_tables(run: Run) -> Mapping[str, pd.DataFrame]:
    """Build everything that the questions are asked of, from whichever source the run has.

    Parameters
    ----------
    run : Run
        The run; its returns are read into memory, and no pupil row is written anywhere.

    Returns
    -------
    mapping of str to DataFrame
        ``panel`` and ``areas`` always; for returns also ``composition`` with ``moments``
        and ``spread`` (how far schools differ, and how many there are), ``other_rule_panel`` (the
        primary outcome under another cohort rule), ``make_up`` (who is newly
        counted), ``schools``, ``exposure``, ``training``, ``flow`` (what matching kept and
        dropped), and ``published_panel`` and ``published_areas`` (DfE's tables beside them, empty
        where none are named); for published tables also ``neighbours``.

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
    code = run.settings.authority.code
    areas = pd.DataFrame(
        {
            "unit_id": [code],
            "name": [run.settings.authority.name],
            "level": [names.LA],
        }
    )
    return {
        "panel": built.panel,
        "other_rule_panel": _under_another_rule(run, opened),
        "composition": _of_the_authority(built.composition, code),
        "moments": _of_the_authority(built.moments, code),
        "spread": _of_the_authority(built.spread, code),
        "make_up": built.make_up,
        "schools": built.schools,
        "exposure": built.exposure,
        "training": built.training,
        "flow": built.flow,
        "areas": areas,
        **_published_beside(run),
    }


def _under_another_rule(run: Run, opened: returns.Returns) -> pd.DataFrame:
    """Build the primary outcome's panel under another cohort rule, for the page on robustness."""
    own = run.settings.cohort
    built = cohort.build_cohort(
        opened.connection,
        years=_years(run),
        cohort=own.model_copy(update={"rule": OTHER_RULE[own.rule]}),
        exposure=run.settings.exposure,
        engine=run.settings.engine,
    )
    panel = built.panel
    return panel[panel["metric"].eq(run.settings.protocol.primary)].reset_index(drop=True)


def _of_the_authority(table: pd.DataFrame, code: str) -> pd.DataFrame:
    """Join the cells of all schools returned, whatever code they write for their authority.

    Sums add up, products over schools too; the most pupils that one school has is the larger one.
    """
    if set(table["unit_id"].unique()) <= {code}:
        return table
    numbers = {name: how for name, how in _JOINED.items() if name in table}
    keys = [name for name in table if name not in {*numbers, "rate"}]
    kinds = table.dtypes.to_dict()
    if isinstance(kinds["unit_id"], pd.CategoricalDtype):
        kinds["unit_id"] = pd.CategoricalDtype([code])
    cells = table.assign(unit_id=code).groupby(keys, as_index=False, sort=False, observed=True)
    joined = cells.agg(numbers)
    if "rate" in table:
        joined["rate"] = float("nan")
    return joined[list(table)].astype(kinds)


def _published_beside(run: Run) -> Mapping[str, pd.DataFrame]:
    """Read DfE's tables that stand beside an authority's own, empty where none are named."""
    if run.settings.published.folder is None:
        nothing = pd.DataFrame(columns=list(names.PANEL_COLUMNS))
        return {
            "published_panel": nothing,
            "published_areas": pd.DataFrame(columns=["unit_id", "name", "level", "role"]),
        }
    published_tables = _of_published(run)
    return {
        "published_panel": published_tables["panel"],
        "published_areas": published_tables["areas"],
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
