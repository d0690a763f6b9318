"""What the training log says of the offer: when schools came, and to which programmes."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd

from vsh_eval import academic_year, names
from vsh_eval.contracts import require_columns

ANY = "any"
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


def trained_by_year(training: pd.DataFrame) -> pd.DataFrame:
    """Count schools by the academic year of their first training.

    Parameters
    ----------
    training : DataFrame
        The school-level log, one row an event.

    Returns
    -------
    DataFrame
        programme (and `any`), tier (and `any`), time_period (every year from the log's first to
        its last), schools_new and schools_cumulative. Empty for an empty log.

    Raises
    ------
    ContractError
        If a column is missing.

    Examples
    --------
    >>> log = pd.DataFrame({"unit_id": ["1", "1", "2"], "programme": "elsa", "tier": "targeted",
    ...     "start_date": pd.Timestamp("2023-11-06"), "time_period": [202223, 202324, 202324]})
    >>> trained_by_year(log).query("programme == 'elsa' and tier == 'any'")["schools_new"].tolist()
    [1, 1]
    """
    require_columns(training, LOG_COLUMNS, name="training")
    columns = ["programme", "tier", "time_period", "schools_new", "schools_cumulative"]
    if training.empty:
        return pd.DataFrame({name: [] for name in columns})
    period = training["time_period"]
    years = list(academic_year.span(int(period.min()), int(period.max())))
    parts = []
    for programme, tier, part in offers(training):
        first = part.groupby("unit_id")["time_period"].min()
        new = first.value_counts().reindex(years, fill_value=0)
        parts.append(
            pd.DataFrame(
                {
                    "programme": programme,
                    "tier": tier,
                    "time_period": years,
                    "schools_new": new.to_numpy(np.int64),
                    "schools_cumulative": new.cumsum().to_numpy(np.int64),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def programme_overlap(training: pd.DataFrame) -> pd.DataFrame:
    """Count schools by the combination of programmes they have taken up.

    Parameters
    ----------
    training : DataFrame
        The school-level log, one row an event.

    Returns
    -------
    DataFrame
        combination (programmes in alphabetical order, joined by ' + '), programmes (how many) and
        schools; most schools first. Schools without training are not in the log and not here.

    Raises
    ------
    ContractError
        If a column is missing.

    Examples
    --------
    >>> log = pd.DataFrame({"unit_id": ["1", "1", "2"], "programme": ["elsa", "safeguarding",
    ...     "elsa"], "tier": "targeted", "start_date": pd.Timestamp("2023-11-06"),
    ...     "time_period": 202324})
    >>> programme_overlap(log)
               combination  programmes  schools
    0                 elsa           1        1
    1  elsa + safeguarding           2        1
    """
    require_columns(training, LOG_COLUMNS, name="training")
    pairs = training[["unit_id", "programme"]].drop_duplicates().sort_values("programme")
    by_school = pairs.groupby("unit_id")["programme"]
    found = pd.DataFrame({"combination": by_school.agg(" + ".join), "programmes": by_school.size()})
    return (
        found.value_counts(["combination", "programmes"])
        .rename("schools")
        .reset_index()
        .sort_values(["schools", "programmes", "combination"], ascending=[False, True, True])
        .reset_index(drop=True)
    )


def years_to_second_programme(training: pd.DataFrame) -> pd.DataFrame:
    """Count schools by the years from their first programme to their second.

    Parameters
    ----------
    training : DataFrame
        The school-level log, one row an event.

    Returns
    -------
    DataFrame
        years (0 for the same academic year; missing where there is no second programme) and
        schools, in order. A repeat of the same programme is no second one.

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
    require_columns(training, LOG_COLUMNS, name="training")
    start = training["time_period"] // 100
    first = start.groupby([training["unit_id"], training["programme"]]).min().reset_index()
    order = first.groupby("unit_id")["time_period"].rank(method="first")
    by_school = first.set_index("unit_id")["time_period"]
    earliest = by_school[(order == 1).to_numpy()]
    wait = by_school[(order == 2).to_numpy()].reindex(earliest.index) - earliest
    counted = wait.astype("Int64").value_counts(dropna=False).sort_index()
    return pd.DataFrame({"years": counted.index, "schools": counted.to_numpy(np.int64)})
