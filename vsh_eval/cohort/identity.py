"""One school through academisation and merger, whatever URN it has today."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from vsh_eval.contracts import RETURNS, ContractError, require_columns

_CONTRACT = RETURNS["schools"].column_names


@dataclass(frozen=True, slots=True)
class StableSchools:
    """Schools as they are today, and the way there from every URN they have had.

    Attributes
    ----------
    schools : pandas.DataFrame
        One row per stable school: unit_id, name, phase, la_code, opened, closed, covariates.
    urns : pandas.DataFrame
        ``urn`` and ``unit_id``, one row per URN of the two tables whose school is known.
    """

    schools: pd.DataFrame
    urns: pd.DataFrame


def stable_schools(schools: pd.DataFrame, links: pd.DataFrame) -> StableSchools:
    """Follow every school to its last successor.

    Parameters
    ----------
    schools : pandas.DataFrame
        The return ``schools``; further numeric columns are covariates.
    links : pandas.DataFrame
        The return ``school_links``, may be empty.

    Returns
    -------
    StableSchools
        ``unit_id`` is the last successor's URN. Name, phase, authority and covariates are the
        successor's, and where it has none those of its nearest predecessor. It opened when the
        earliest of its predecessors did (unknown dates left aside) and closed when the successor
        did. Two schools merged into one are one school throughout. A school split among two or
        more successors stays itself, since its pupils cannot be shared out. A successor that
        neither has nor leads to a row in ``schools`` still joins its predecessors.

    Raises
    ------
    ContractError
        If a URN stands twice in ``schools``, or the links lead from a school back to itself.

    Examples
    --------
    >>> day = pd.Timestamp("2019-09-01")
    >>> schools = pd.DataFrame(
    ...     {"urn": ["1", "2"], "name": ["Old", "New"], "phase": "primary", "la_code": "E1",
    ...      "opened": [pd.NaT, day], "closed": [day, pd.NaT]})
    >>> links = pd.DataFrame({"urn": ["1"], "successor_urn": ["2"], "date": [day]})
    >>> stable = stable_schools(schools, links)
    >>> stable.schools[["unit_id", "name"]].values.tolist()
    [['2', 'New']]
    >>> dict(zip(stable.urns["urn"], stable.urns["unit_id"], strict=True))
    {'1': '2', '2': '2'}
    """
    require_columns(schools, _CONTRACT, name="schools")
    require_columns(links, ("urn", "successor_urn"), name="school_links")
    _refuse_repeats(schools)
    successors = _successors(links)
    known = dict.fromkeys([*schools["urn"].astype("str"), *successors, *successors.values()])
    paths = pd.DataFrame(
        [(urn, *_follow(urn, successors)) for urn in known], columns=["urn", "unit_id", "steps"]
    ).astype({"urn": "str", "unit_id": "str", "steps": "int64"})
    rows = _one_row_each(schools.assign(urn=schools["urn"].astype("str")), paths)
    urns = paths.loc[paths["unit_id"].isin(rows["unit_id"]), ["urn", "unit_id"]]
    return StableSchools(schools=rows, urns=urns.sort_values("urn", ignore_index=True))


def _refuse_repeats(schools: pd.DataFrame) -> None:
    repeated = schools.loc[schools["urn"].duplicated(), "urn"]
    if len(repeated):
        raise ContractError(
            f"schools holds URN {repeated.iloc[0]} more than once, must hold each once; "
            "keep the row of today."
        )


def _successors(links: pd.DataFrame) -> dict[str, str]:
    """Return each school's only successor; a school split among several has none."""
    pairs = links[["urn", "successor_urn"]].dropna().astype("str").drop_duplicates()
    only = pairs.loc[~pairs["urn"].duplicated(keep=False)]
    return dict(zip(only["urn"], only["successor_urn"], strict=True))


def _follow(urn: str, successors: Mapping[str, str]) -> tuple[str, int]:
    """Return the last successor and how many links away it is."""
    seen = {urn}
    last = urn
    while last in successors:
        last = successors[last]
        if last in seen:
            raise ContractError(
                f"school_links lead from URN {last} back to itself, must end at a last "
                "successor; correct the links of that school."
            )
        seen.add(last)
    return last, len(seen) - 1


def _one_row_each(schools: pd.DataFrame, paths: pd.DataFrame) -> pd.DataFrame:
    """Return one row per stable school, the nearest value that is known in every column."""
    covariates = [
        column
        for column in schools.columns
        if column not in _CONTRACT and pd.api.types.is_numeric_dtype(schools[column])
    ]
    members = schools.merge(paths, on="urn").sort_values(["unit_id", "steps", "urn"])
    units = members.groupby("unit_id", sort=True)
    rows = units[["name", "phase", "la_code"]].first()
    rows["opened"] = pd.to_datetime(units["opened"].min())
    today = members.loc[members["steps"] == 0].set_index("unit_id")
    rows["closed"] = pd.to_datetime(today["closed"].reindex(rows.index))
    return rows.join(units[covariates].first()).reset_index()
