"""What the training log says of the offer: when schools came, and to which programmes."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import produces, require_columns

ANY = "any"
OTHER = "other combinations"
RECORD_COLUMNS = (
    *("programme", "trainings", "with_staff", "with_hours", "with_cost", "with_audience"),
)
LEAST_SCHOOLS = 3
"""Schools with one combination of programmes that it takes to name the combination."""
LOG_COLUMNS = ("unit_id", "programme", "tier", "start_date", "time_period")


def offers(log: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield programme, tier and their rows of the log, any first, without empty combinations."""
    programmes = [ANY, *sorted(log["programme"].unique())]
    tiers = [ANY, *(tier for tier in names.TIERS if tier in set(log["tier"]))]
    for programme, tier in product(programmes, tiers):
        chosen = np.ones(len(log), dtype=bool)
        if programme != ANY:
            chosen &= log["programme"].eq(programme).to_numpy()
        if tier != ANY:
            chosen &= log["tier"].eq(tier).to_numpy()
        if chosen.any() or (programme, tier) == (ANY, ANY):
            yield programme, tier, log[chosen]


@produces("programme_overlap", ("combination", "programmes", "schools"), gate="facts")
def programme_overlap(training: pd.DataFrame, last: int | None = None) -> pd.DataFrame:
    """Count schools by the combination of programmes they have taken up.

    Parameters
    ----------
    training : DataFrame
        The school-level log, one row an event.
    last : int, optional
        The last academic year whose training counts; of every year if not given.

    Returns
    -------
    DataFrame
        combination (programmes in alphabetical order, joined by ' + '), programmes (how many;
        missing for other combinations) and schools; most schools first. Combinations of fewer than
        `LEAST_SCHOOLS` stand together as `other combinations`, with the next smallest where these
        are too few still. Schools without training are not in the log and not here.

    Raises
    ------
    ContractError
        If a column is missing.

    Examples
    --------
    >>> log = pd.DataFrame({"unit_id": ["1", "1", "2", "2", "3", "3", "4", "5", "6"],
    ...     "programme": ["elsa", "safeguarding"] * 3 + ["elsa"] * 3, "tier": "targeted",
    ...     "start_date": pd.Timestamp("2023-11-06"), "time_period": 202324})
    >>> programme_overlap(log)
               combination  programmes  schools
    0                 elsa           1        3
    1  elsa + safeguarding           2        3
    """
    training = _until(training, last)
    pairs = training[["unit_id", "programme"]].drop_duplicates().sort_values("programme")
    by_school = pairs.groupby("unit_id")["programme"]
    uptake = pd.DataFrame(
        {"combination": by_school.agg(" + ".join), "programmes": by_school.size()}
    )
    uptake["combination"] = uptake["combination"].mask(_is_rare(uptake["combination"]), OTHER)
    uptake["programmes"] = uptake["programmes"].astype("Int64").mask(uptake["combination"] == OTHER)
    return (
        uptake.value_counts(["combination", "programmes"], dropna=False)
        .rename("schools")
        .reset_index()
        .sort_values(["schools", "programmes", "combination"], ascending=[False, True, True])
        .reset_index(drop=True)
    )


def _is_rare(combination: pd.Series) -> pd.Series:
    """Mark combinations of too few schools, and more until the marked ones are enough."""
    sizes = combination.value_counts(ascending=True)
    rare = sizes < LEAST_SCHOOLS
    together = sizes.cumsum()
    if 0 < sizes[rare].sum() < LEAST_SCHOOLS:
        rare |= together.shift(fill_value=0) < LEAST_SCHOOLS
    return combination.map(rare).astype(bool)


@produces("years_to_second_programme", ("years", "wait", "schools"), gate="facts")
def years_to_second_programme(training: pd.DataFrame, last: int | None = None) -> pd.DataFrame:
    """Count schools by the years from their first programme to their second.

    Parameters
    ----------
    training, last
        As for `programme_overlap`.

    Returns
    -------
    DataFrame
        years (0 for the same academic year; missing where there is no second programme), wait
        (the same as a name: same_year, 1_year, 2_years ... no_second_programme) and schools, in
        order. A repeat of the same programme is no second one.

    Raises
    ------
    ContractError
        If a column is missing.

    Examples
    --------
    >>> log = pd.DataFrame({"unit_id": ["1", "1", "2"], "programme": ["elsa", "safeguarding",
    ...     "elsa"], "tier": "targeted", "start_date": pd.Timestamp("2023-11-06"),
    ...     "time_period": [202223, 202425, 202324]})
    >>> years_to_second_programme(log)["years"].tolist()
    [2, <NA>]
    """
    training = _until(training, last)
    start = training["time_period"] // 100
    first = start.groupby([training["unit_id"], training["programme"]]).min().reset_index()
    order = first.groupby("unit_id")["time_period"].rank(method="first")
    by_school = first.set_index("unit_id")["time_period"]
    earliest = by_school[(order == 1).to_numpy()]
    wait = by_school[(order == 2).to_numpy()].reindex(earliest.index) - earliest
    counted = wait.astype("Int64").value_counts(dropna=False).sort_index()
    waits = [_named_wait(years) for years in counted.index]
    return pd.DataFrame(
        {"years": counted.index, "wait": waits, "schools": counted.to_numpy(np.int64)}
    ).astype({"wait": "str"})


@produces("training_records", RECORD_COLUMNS, gate="facts")
def training_records(training: pd.DataFrame, last: int | None = None) -> pd.DataFrame:
    """Count trainings and how many of them say whom they reached, how long and at what cost.

    Parameters
    ----------
    training, last
        As for `programme_overlap`.

    Returns
    -------
    DataFrame
        programme (`any` first), trainings, and the number of trainings with a number in
        with_staff, with_hours and with_cost, and with a name in with_audience. Sums of staff,
        hours and cost are at least what was recorded where these fall short of trainings.

    Raises
    ------
    ContractError
        If a column is missing.

    Examples
    --------
    >>> log = pd.DataFrame({"unit_id": ["1", "2"], "programme": "elsa", "tier": "targeted",
    ...     "audience": ["dsl", ""], "start_date": pd.Timestamp("2023-11-06"),
    ...     "time_period": 202324, "staff_trained": [2.0, 1.0], "hours": [6.0, float("nan")],
    ...     "cost": float("nan")})
    >>> training_records(log).loc[0, ["trainings", "with_hours", "with_cost"]].astype(int).tolist()
    [2, 1, 0]
    """
    given = {"with_staff": "staff_trained", "with_hours": "hours", "with_cost": "cost"}
    require_columns(training, (*LOG_COLUMNS, *given.values(), "audience"), name="training")
    training = _until(training, last)
    rows = []
    for programme in [ANY, *sorted(training["programme"].unique())]:
        part = training if programme == ANY else training[training["programme"] == programme]
        counts = {name: int(part[column].notna().sum()) for name, column in given.items()}
        audience = int(part["audience"].fillna("").ne("").sum())
        rows.append(
            {"programme": programme, "trainings": len(part), **counts, "with_audience": audience}
        )
    return pd.DataFrame(rows)


def _until(training: pd.DataFrame, last: int | None) -> pd.DataFrame:
    """Return the training up to a year."""
    require_columns(training, LOG_COLUMNS, name="training")
    return training if last is None else training[training["time_period"].le(last)]


def _named_wait(years: object) -> str:
    if years is pd.NA:
        return "no_second_programme"
    return {"0": "same_year", "1": "1_year"}.get(str(years), f"{years}_years")
