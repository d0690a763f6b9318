"""Whose training is meant: schools by the programme or tier that their training began with."""

from typing import Literal

import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import DesignError, require_columns
from vsh_eval.effects.gate import adopted_by_school
from vsh_eval.effects.study import Study

Kind = Literal["programme", "tier"]
SEVERAL = "several"
"""Stands for schools that began with more than one on the same day."""


def first_kind(study: Study, kind: Kind) -> pd.Series:
    """Return the programme or tier that each school's training began with.

    Parameters
    ----------
    study : Study
        Its exposure names programmes and tiers.
    kind : {"programme", "tier"}
        What is asked for.

    Returns
    -------
    Series
        By unit_id: a programme or tier, ``several`` where more than one began on the same day
        (in the same year, where there are no days), '' for schools never trained.

    Raises
    ------
    ContractError
        If the exposure lacks a column.
    DesignError
        If the exposure names no programme or tier.
    """
    require_columns(study.exposure, ["unit_id", "programme", "tier", "adopted"], name="exposure")
    other = "tier" if kind == "programme" else "programme"
    rows = study.exposure[study.exposure[kind].ne("any") & study.exposure[other].eq("any")]
    if rows.empty:
        raise DesignError(
            f"exposure names no {kind}, must name at least one; read the training log with its "
            f"{kind}s."
        )
    adopted = study.adopted()
    rows = rows.assign(unit_id=rows["unit_id"].astype(str))
    own = rows["adopted"].eq(rows["unit_id"].map(adopted)) & rows["adopted"].ne(names.NEVER)
    rows = rows[own]
    when = rows["first_date"] if "first_date" in rows else rows["adopted"]
    earliest = rows[when.eq(when.groupby(rows["unit_id"]).transform("min"))]
    several = earliest["unit_id"].duplicated(keep=False)
    first = earliest[kind].astype(str).mask(several, SEVERAL)
    found = first.groupby(earliest["unit_id"]).first()
    return found.reindex(adopted.index, fill_value="")


def first_against_untrained(
    study: Study, first: pd.Series, which: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare schools that began with one kind of training with those not yet trained at all.

    Schools that began with another kind are counted as untrained until they begin, and left out
    from then on.

    Parameters
    ----------
    study : Study
        The question.
    first : Series
        From `first_kind`.
    which : str
        The programme or tier.

    Returns
    -------
    tuple of two DataFrame
        School gaps and exposure, as `prepare` takes them.

    Raises
    ------
    DesignError
        If no school began with it.
    """
    if not first.eq(which).any():
        raise DesignError(f"no school began with {which}, must be at least one.")
    adopted = study.adopted()
    elsewhere = adopted[~first.reindex(adopted.index, fill_value="").eq(which) & adopted.ne(0)]
    gaps = study.school_gaps
    ends = gaps["unit_id"].astype(str).map(elsewhere)
    kept = gaps[ends.isna() | gaps["time_period"].lt(ends)]
    exposure = adopted.where(first.reindex(adopted.index, fill_value="").eq(which), names.NEVER)
    return kept, exposure.rename("adopted").rename_axis("unit_id").reset_index()


def overlap_table(study: Study) -> pd.DataFrame:
    """Count the schools that began with one programme and went on to another.

    Parameters
    ----------
    study : Study
        The question.

    Returns
    -------
    DataFrame
        One row for each pair: first (programme, or ``several``), programme (another, later or at
        the same time), schools (that began with `first`), both (of these, trained in `programme`
        too), share (of them). A large share says that the effect of a first programme is also
        that of the second.

    Raises
    ------
    ContractError, DesignError
        As `first_kind`.
    """
    first = first_kind(study, "programme")
    programmes = sorted(set(study.exposure["programme"].astype(str)) - {"any"})
    rows = []
    for began in sorted(set(first[first.ne("")])):
        own = first.index[first.eq(began)]
        for programme in programmes:
            if programme == began:
                continue
            other = adopted_by_school(study.exposure, programme=programme, tier="any").reindex(own)
            both = int(other.fillna(names.NEVER).ne(names.NEVER).sum())
            rows.append((began, programme, len(own), both, both / len(own)))
    return pd.DataFrame(rows, columns=["first", "programme", "schools", "both", "share"])


def dose(study: Study, *, measure: str = "staff_trained") -> pd.Series:
    """Return the cumulative dose per 100 pupils of every school and year.

    Parameters
    ----------
    study : Study
        With `training` and `panel`.
    measure : {"staff_trained", "hours"}
        What is cumulated over the years up to and with the year.

    Returns
    -------
    Series
        By unit_id and time_period, for every school-year of the panel's metric; 0 before any
        training, NaN from the first training on whose measure is not recorded.

    Raises
    ------
    ContractError
        If the log lacks the column.
    DesignError
        If there is no training log or no panel.
    """
    if study.training is None or study.panel is None:
        raise DesignError("dose needs the training log and the panel; give training and panel.")
    require_columns(study.training, ["unit_id", "time_period", measure], name="training")
    rows = study.panel[study.panel["metric"].eq(study.metric)]
    pupils = rows.assign(unit_id=rows["unit_id"].astype(str)).groupby(["unit_id", "time_period"])[
        "pupils"
    ]
    size = pupils.sum().astype(float)
    log = study.training.assign(unit_id=study.training["unit_id"].astype(str))
    given = log.groupby(["unit_id", "time_period"])[measure].agg(["sum", "size", "count"])
    units = size.index.get_level_values("unit_id").unique()
    years = sorted({*size.index.get_level_values(1), *given.index.get_level_values(1)})
    every = pd.MultiIndex.from_product([units, years], names=["unit_id", "time_period"])
    laid_out = given.reindex(every, fill_value=0)
    so_far = laid_out.groupby("unit_id").cumsum()
    total = so_far["sum"].where(so_far["size"].eq(so_far["count"])).reindex(size.index)
    return (100 * total / size.where(size > 0)).rename("dose")
