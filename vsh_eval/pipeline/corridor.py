"""From a run's source to its panel: the one place where returns and cohort meet."""

from collections.abc import Mapping

import pandas as pd

from vsh_eval import cohort, names, returns
from vsh_eval.contracts import produces
from vsh_eval.pipeline import workspace
from vsh_eval.pipeline.records import closed, secret
from vsh_eval.pipeline.workspace import Run
from vsh_eval.returns import published

_JOINED = {
    **dict.fromkeys((*names.PANEL_SUMS, *names.RECORD_KEYS), "sum"),
    **dict.fromkeys((*names.MOMENT_PRODUCTS, "schools"), "sum"),
    "largest": "max",
}
"""How the cells of two authorities' codes become those of one authority."""


@produces("flow", ("table", "step", "rows", "pupils"), gate="sample")
def children_kept(flow: pd.DataFrame) -> pd.DataFrame:
    """Return what each step of matching kept and left out, where it counts children."""
    return flow.dropna(subset="pupils")


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
    ContractError
        If there is no secret, or closed years were counted otherwise.

    Notes
    -----
    Years that are published already come from `closed.closed_tables`; only new ones are counted.
    """
    if run.settings.source.kind == "published":
        return _of_published(run)
    return _of_returns(run)


def _of_returns(run: Run) -> Mapping[str, pd.DataFrame]:
    opened = workspace.open_source(run)
    returns.require_sound(_findings(run, opened))
    published_already = closed.closed_tables(run)
    built = cohort.build_cohort(
        cohort.open_engine(
            opened.connection, engine=run.settings.engine, **run.settings.spark.model_dump()
        ),
        years=run.settings.years.all(),
        secret=secret.secret_of(run.settings, invented=run.invented),
        cohort=run.settings.cohort,
        exposure=run.settings.exposure,
        other_rule_metrics=(run.settings.protocol.primary,),
        closed=closed.years_of(published_already),
    )
    code = run.settings.authority.code
    counted = {
        "panel": built.panel,
        "other_rule_panel": built.other_rule_panel,
        "composition": _of_the_authority(built.composition, code),
        "moments": _of_the_authority(built.moments, code),
        "spread": _of_the_authority(built.spread, code),
        "make_up": built.new_entrants,
    }
    return {
        **closed.joined(counted, published_already, built.urns),
        "schools": built.schools,
        "exposure": built.exposure,
        "training": built.training,
        "flow": built.flow,
        "areas": pd.DataFrame(
            {"unit_id": [code], "name": [run.settings.authority.name], "level": [names.LA]}
        ),
        **_published_tables(run),
    }


def _findings(run: Run, opened: returns.Returns) -> pd.DataFrame:
    """Return what the checks find: what notebook 01 of the run has found, else found now.

    A run's folder is emptied when a file of its returns has changed, so what 01 found still holds.
    """
    file = run.internal / "findings.parquet"
    if file.is_file():
        return pd.read_parquet(file)
    return returns.check(opened, workspace.expected(run.settings))


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


def _published_tables(run: Run) -> Mapping[str, pd.DataFrame]:
    """Read DfE's tables that stand beside an authority's own, empty where none are named."""
    if run.settings.published.folder is None:
        panel = pd.DataFrame(columns=list(names.PANEL_COLUMNS))
        areas = pd.DataFrame(columns=["unit_id", "name", "level", "role"])
    else:
        panel, areas, _ = _of_published(run).values()
    return {"published_panel": panel, "published_areas": areas}


def _of_published(run: Run) -> Mapping[str, pd.DataFrame]:
    files = workspace.open_published(run)
    requested = files.panel["time_period"].isin(run.settings.years.all())
    return {
        "panel": files.panel[requested].reset_index(drop=True),
        "areas": context_areas(files, run.settings.authority.code),
        "neighbours": files.neighbours,
    }


def context_areas(files: published.Published, code: str) -> pd.DataFrame:
    """Select the areas an authority is read beside: England, its region, its neighbours.

    Parameters
    ----------
    files : Published
        The published files.
    code : str
        The authority's ONS code.

    Returns
    -------
    DataFrame
        The rows of ``areas``, with ``role``: authority, neighbour, region or england.
    """
    neighbours = files.neighbours
    near = set(neighbours.loc[neighbours["unit_id"] == code, "neighbour_id"])
    areas = files.areas.copy()
    region = areas.loc[areas["unit_id"] == code, "region_id"].iloc[0]
    roles = pd.Series("", index=areas.index)
    roles[areas["level"] == names.NATIONAL] = "england"
    roles[areas["unit_id"] == region] = "region"
    roles[areas["unit_id"].isin(near)] = "neighbour"
    roles[areas["unit_id"] == code] = "authority"
    return areas.assign(role=roles)[roles != ""].reset_index(drop=True)
