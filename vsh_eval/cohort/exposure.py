"""Who was trained, and from which academic year that counts."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from vsh_eval import academic_year, names
from vsh_eval.contracts import ContractError, require_columns, require_one_of

ANY = "any"
_LOG = ("urn", "programme", "tier", "start_date")
_MEASURES = ("staff_trained", "hours", "cost")


def training_log(training: pd.DataFrame, urns: pd.DataFrame) -> pd.DataFrame:
    """Return the training of every stable school.

    Parameters
    ----------
    training : pandas.DataFrame
        The return ``training``: one row per school, programme, tier, date and audience.
    urns : pandas.DataFrame
        ``urn`` and ``unit_id``, from `stable_schools`.

    Returns
    -------
    pandas.DataFrame
        unit_id, programme, tier, audience ('' where not given), start_date, time_period (the
        academic year of the date), staff_trained, hours, cost in GBP (NaN where not given).
        Training at a school that the schools table lacks is left out (the flow counts it).

    Raises
    ------
    ContractError
        If a column is missing, or a programme is called "any".

    Examples
    --------
    >>> training = pd.DataFrame({"urn": ["1"], "programme": ["elsa"], "tier": ["targeted"],
    ...     "start_date": [pd.Timestamp("2021-08-31")]})
    >>> urns = pd.DataFrame({"urn": ["1"], "unit_id": ["2"]})
    >>> training_log(training, urns)[["unit_id", "time_period"]].values.tolist()
    [['2', 202021]]
    """
    require_columns(training, _LOG, name="training")
    if (training["programme"] == ANY).any():
        raise ContractError(
            f"training has a programme called {ANY!r}, which means all programmes here; "
            "give the programme its own name."
        )
    given = training.assign(urn=training["urn"].astype("str"))
    log = given.merge(urns, on="urn")
    for column in ("audience", *_MEASURES):
        if column not in log.columns:
            log[column] = None
    log["audience"] = log["audience"].astype("str").fillna("")
    log[["programme", "tier"]] = log[["programme", "tier"]].astype("str")
    log["start_date"] = pd.to_datetime(log["start_date"])
    log["time_period"] = _academic_years(log["start_date"])
    log[list(_MEASURES)] = log[list(_MEASURES)].astype("float64")
    columns = ["unit_id", "programme", "tier", "audience", "start_date", "time_period", *_MEASURES]
    return log[columns].sort_values(columns, ignore_index=True)


def build_exposure(
    training: pd.DataFrame,
    *,
    units: Sequence[str],
    rule: str = "first_full_year",
    programmes: Literal["all"] | Sequence[str] = "all",
    tier: str = ANY,
) -> pd.DataFrame:
    """Return the academic year from which each school counts as trained.

    Parameters
    ----------
    training : pandas.DataFrame
        From `training_log`.
    units : sequence of str
        Every stable school, trained or not.
    rule : {"first_full_year", "same_year"}
        ``first_full_year``: the academic year of the first training if that began from
        1 September to 31 October, else the next. ``same_year``: always the academic year of the
        first training.
    programmes : "all" or sequence of str
        What counts as training in the row ("any", "any").
    tier : {"any", "universal", "targeted"}
        Which tier counts in the row ("any", "any").

    Returns
    -------
    pandas.DataFrame
        unit_id, programme, tier, adopted (int64 time_period, 0 = never), first_date (NaT =
        never). One row per school for ("any", "any"), for every programme of the log (tier
        "any") and for every tier of the log (programme "any"); only the first heeds
        ``programmes`` and ``tier``. Training before the first year of the run keeps its year.

    Raises
    ------
    ContractError
        If the rule or tier is unknown, or a programme is neither known nor in the log.

    Examples
    --------
    >>> log = training_log(
    ...     pd.DataFrame({"urn": ["1"], "programme": ["elsa"], "tier": ["targeted"],
    ...                   "start_date": [pd.Timestamp("2021-11-01")]}),
    ...     pd.DataFrame({"urn": ["1", "2"], "unit_id": ["1", "2"]}))
    >>> table = build_exposure(log, units=["1", "2"])
    >>> table.loc[table["programme"] == "any", "adopted"].unique().tolist()
    [202223, 0]
    """
    require_one_of(rule, ("first_full_year", "same_year"), name="exposure rule")
    require_one_of(tier, (ANY, *names.TIERS), name="exposure tier")
    counts = _counting(training, programmes=programmes, tier=tier)
    parts = [_first(counts, units=units, rule=rule, programme=ANY, tier=ANY)]
    for programme in sorted(training["programme"].unique()):
        part = training.loc[training["programme"] == programme]
        parts.append(_first(part, units=units, rule=rule, programme=programme, tier=ANY))
    for level in sorted(training["tier"].unique()):
        part = training.loc[training["tier"] == level]
        parts.append(_first(part, units=units, rule=rule, programme=ANY, tier=level))
    return pd.concat(parts, ignore_index=True)


def _counting(
    training: pd.DataFrame, *, programmes: Literal["all"] | Sequence[str], tier: str
) -> pd.DataFrame:
    """Return the training that counts for the row ("any", "any")."""
    if programmes != "all":
        known = {*names.PROGRAMMES, *training["programme"]}
        for programme in programmes:
            require_one_of(programme, known, name="exposure programme")
        training = training.loc[training["programme"].isin(list(programmes))]
    return training if tier == ANY else training.loc[training["tier"] == tier]


def _first(
    training: pd.DataFrame, *, units: Sequence[str], rule: str, programme: str, tier: str
) -> pd.DataFrame:
    schools = pd.Index(sorted(units), name="unit_id").astype("str")
    first = pd.to_datetime(training.groupby("unit_id")["start_date"].min().reindex(schools))
    trained = first.dropna()
    years = _academic_years(trained)
    if rule == "first_full_year":
        # Training from September to October has most of its first academic year before it.
        in_time = trained.dt.month.isin([9, 10])
        years = years.where(in_time, years.map(academic_year.after)).astype("int64")
    return pd.DataFrame(
        {
            "unit_id": schools,
            "programme": pd.Series(programme, index=schools, dtype="str").to_numpy(),
            "tier": pd.Series(tier, index=schools, dtype="str").to_numpy(),
            "adopted": years.reindex(schools, fill_value=names.NEVER).to_numpy(dtype="int64"),
            "first_date": first.to_numpy(),
        }
    ).astype({"programme": "str", "tier": "str"})


def _academic_years(days: pd.Series) -> pd.Series:
    """Return the academic year of every date."""
    return pd.Series(
        [academic_year.of_date(day) for day in days.dt.date], index=days.index, dtype="int64"
    )
