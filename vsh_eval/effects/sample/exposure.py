"""Whose training is meant: year of adoption, first programme or tier, and dose of each school."""

from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import DesignError, InfeasibleError, require_columns

Kind = Literal["programme", "tier"]
SEVERAL = "several"
"""Stands for schools that began with more than one on the same day."""


def adopted_by_school(exposure: pd.DataFrame) -> pd.Series:
    """Return each school's year of first training of any kind, 0 = never, by unit_id.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If no row is of any kind, or a school's year differs between rows, is missing or negative.

    Examples
    --------
    >>> table = pd.DataFrame({"unit_id": ["1"], "adopted": [202122]})
    >>> adopted_by_school(table).to_dict()
    {'1': 202122}
    """
    require_columns(exposure, ["unit_id", "adopted"], name="exposure")
    for column in {"programme", "tier"}.intersection(exposure):
        exposure = exposure[exposure[column].eq("any")]
    if exposure.empty:
        raise DesignError(
            "exposure has no row of any programme and tier, must have one for every school; "
            "build it with cohort.build_exposure."
        )
    pairs = exposure[["unit_id", "adopted"]].drop_duplicates()
    changing = int(pairs["unit_id"].duplicated().sum())
    if changing or pairs["adopted"].isna().any() or (pairs["adopted"] < 0).any():
        raise DesignError(
            f"adopted differs within {changing} schools or is missing or negative, must be one "
            "academic year a school; write 0 for never trained."
        )
    return pairs.set_index(pairs["unit_id"].astype(str))["adopted"].astype(np.int64)


def first_kind(exposure: pd.DataFrame, adopted: pd.Series, kind: Kind) -> pd.Series:
    """Return the programme or tier that each school's training began with.

    Parameters
    ----------
    exposure : DataFrame
        unit_id, programme, tier, adopted, and first_date where it is known.
    adopted : Series
        Year of adoption by unit_id, from `adopted_by_school`.
    kind : {"programme", "tier"}
        What is asked for.

    Returns
    -------
    Series
        By unit_id: a programme or tier, ``several`` where more than one began on the same day
        (in the same year, where there are no days), '' for schools never trained.

    Raises
    ------
    InfeasibleError
        If the exposure names no programme or tier.
    """
    other = "tier" if kind == "programme" else "programme"
    if not {"unit_id", "programme", "tier", "adopted"} <= set(exposure.columns):
        raise InfeasibleError("no_kind_named", kind=kind)
    rows = exposure[exposure[kind].ne("any") & exposure[other].eq("any")]
    if rows.empty:
        raise InfeasibleError("no_kind_named", kind=kind)
    rows = rows.assign(unit_id=rows["unit_id"].astype(str))
    own = rows["adopted"].eq(rows["unit_id"].map(adopted)) & rows["adopted"].ne(names.NEVER)
    rows = rows[own]
    when = rows["first_date"] if "first_date" in rows else rows["adopted"]
    earliest = rows[when.eq(when.groupby(rows["unit_id"]).transform("min"))]
    several = earliest["unit_id"].duplicated(keep=False)
    first = earliest[kind].astype(str).mask(several, SEVERAL)
    by_school = first.groupby(earliest["unit_id"]).first()
    return by_school.reindex(adopted.index, fill_value="")


def first_against_untrained(
    gaps: pd.DataFrame, adopted: pd.Series, first: pd.Series, which: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare schools that began with one kind of training with those not yet trained at all.

    Schools that began with another kind are counted as untrained until they begin, and left out
    from then on.

    Parameters
    ----------
    gaps : DataFrame
        School gaps.
    adopted, first : Series
        By unit_id, from `adopted_by_school` and `first_kind`.
    which : str
        The programme or tier.

    Returns
    -------
    tuple of two DataFrame
        School gaps and exposure, as `select_sample` takes them.

    Raises
    ------
    InfeasibleError
        If no school began with it.
    """
    own = first.reindex(adopted.index, fill_value="").eq(which)
    if not own.any():
        raise InfeasibleError("nobody_began_with", value=which)
    ends = gaps["unit_id"].astype(str).map(adopted[~own & adopted.ne(names.NEVER)])
    gaps_used = gaps[ends.isna() | gaps["time_period"].lt(ends)]
    exposure = adopted.where(own, names.NEVER).rename("adopted").rename_axis("unit_id")
    return gaps_used, exposure.reset_index()


def dose(training: pd.DataFrame | None, panel: pd.DataFrame | None, *, metric: str) -> pd.Series:
    """Return the cumulative dose per 100 pupils of every school and year.

    Parameters
    ----------
    training : DataFrame or None
        The training log: unit_id, time_period and staff_trained.
    panel : DataFrame or None
        The panel of returns.
    metric : str
        The metric whose pupils are counted.

    Returns
    -------
    Series
        Staff trained up to and with the year, by unit_id and time_period, for every school-year of
        the panel's metric; 0 before any training, NaN from the first training on whose staff are
        not recorded.

    Raises
    ------
    ContractError
        If the log lacks the column.
    InfeasibleError
        If there is no training log or no panel.
    """
    if training is None or panel is None:
        raise InfeasibleError("no_log_or_panel")
    require_columns(training, ["unit_id", "time_period", "staff_trained"], name="training")
    rows = panel[panel["metric"].eq(metric)]
    keys = ["unit_id", "time_period"]
    size = rows.assign(unit_id=rows["unit_id"].astype(str)).groupby(keys)["pupils"].sum()
    size = size.astype(float)
    log = training.assign(unit_id=training["unit_id"].astype(str))
    given = log.groupby(keys)["staff_trained"].agg(["sum", "size", "count"])
    units = size.index.get_level_values("unit_id").unique()
    years = sorted({*size.index.get_level_values(1), *given.index.get_level_values(1)})
    every = pd.MultiIndex.from_product([units, years], names=keys)
    so_far = given.reindex(every, fill_value=0).groupby("unit_id").cumsum()
    total = so_far["sum"].where(so_far["size"].eq(so_far["count"])).reindex(size.index)
    return (100 * total / size.where(size > 0)).rename("dose")
