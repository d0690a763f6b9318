"""What membership and matching kept and dropped: counts of the whole cohort, never of a child."""

from collections.abc import Mapping

import pandas as pd

from vsh_eval import names

COUNTED = 0
OUTSIDE_YEARS = 1
CLOSED_YEAR = 12
REASONS: Mapping[int, str] = {
    OUTSIDE_YEARS: "outside_years",
    2: "no_data_in_year",
    3: "no_enrolment_in_year",
    4: "year_group_not_counted",
    5: "unknown_school",
    6: "nothing_to_count",
    7: "unknown_measure",
    8: "never_enrolled",
    9: "invalid_dates",
    10: "other_basis",
    11: "joined_to_successor",
    CLOSED_YEAR: "closed_year",
    COUNTED: "counted",
}
"""The code of why a row is not counted, by the number the SQL gives; the first that applies."""

READ = "read"
TABLES = (
    *("schools", "training", "attendance", "suspensions", "attainment", "episodes"),
    "membership",
)
"""In the order of the flow."""
FLOW_COLUMNS = ("table", "step", "rows", "pupils")


def build_flow(counts: pd.DataFrame) -> pd.DataFrame:
    """Add up why rows were counted or not, table by table.

    Parameters
    ----------
    counts : pandas.DataFrame
        table, reason (a key of ``REASONS``; a group of pupils in the table "membership"), rows,
        pupils.

    Returns
    -------
    pandas.DataFrame
        table, step, rows, pupils (Int64, missing where a table has no pupils). Each table starts
        with "read" and ends with "counted"; "read" is the sum of the other steps, in rows and in
        pupils. ``pupils`` counts a pupil once a year (once in all for episodes): as counted where
        one of the pupil's rows is, else at the first step that left one out. The table "membership"
        has the pupils counted for attendance by group, ``rows`` being their rows of attendance.
        Counts may be small: internal.

    Examples
    --------
    >>> counts = pd.DataFrame({"table": ["attendance"] * 2, "reason": [0, 3],
    ...     "rows": [6, 1], "pupils": [2, 1]})
    >>> build_flow(counts)[["step", "rows"]].values.tolist()
    [['read', 7], ['no_enrolment_in_year', 1], ['counted', 6]]
    """
    order = [READ, *REASONS.values(), *names.LEAF_GROUPS]
    steps = counts.assign(step=[REASONS.get(reason, reason) for reason in counts["reason"]])
    read = steps[steps["table"] != "membership"].assign(step=READ)
    table = pd.concat([read, steps], ignore_index=True)
    added = table.groupby(["table", "step"], sort=False, as_index=False)[["rows", "pupils"]].sum(
        min_count=1
    )
    added = added.astype({"table": "str", "step": "str", "rows": "int64", "pupils": "Int64"})
    places = {step: place for place, step in enumerate(order)}
    tables = {name: place for place, name in enumerate(TABLES)}
    added = added.assign(_table=added["table"].map(tables), _step=added["step"].map(places))
    added = added.sort_values(["_table", "_step", "step"], ignore_index=True)
    return added[list(FLOW_COLUMNS)]


def schools_flow(schools: pd.DataFrame, urns: pd.DataFrame) -> pd.DataFrame:
    """Count the schools read and those that became another one.

    Parameters
    ----------
    schools : pandas.DataFrame
        The return ``schools``.
    urns : pandas.DataFrame
        ``urn`` and ``unit_id``, from `stable_schools`.

    Returns
    -------
    pandas.DataFrame
        Counts for `build_flow`; "counted" are the stable schools.

    Examples
    --------
    >>> schools = pd.DataFrame({"urn": ["1", "2"]})
    >>> urns = pd.DataFrame({"urn": ["1", "2"], "unit_id": ["2", "2"]})
    >>> schools_flow(schools, urns)["rows"].tolist()
    [1, 1]
    """
    stable = int(urns["unit_id"].nunique())
    return _counts("schools", {11: len(schools) - stable, COUNTED: stable})


def training_flow(training: pd.DataFrame, log: pd.DataFrame) -> pd.DataFrame:
    """Count the training read, and that at schools the schools table lacks.

    Parameters
    ----------
    training : pandas.DataFrame
        The return ``training``.
    log : pandas.DataFrame
        From `training_log`.

    Returns
    -------
    pandas.DataFrame
        Counts for `build_flow`.

    Examples
    --------
    >>> training_flow(pd.DataFrame({"urn": ["1", "9"]}), pd.DataFrame({"unit_id": ["1"]}))[
    ...     "rows"].tolist()
    [1, 1]
    """
    return _counts("training", {5: len(training) - len(log), COUNTED: len(log)})


def _counts(table: str, steps: Mapping[int, int]) -> pd.DataFrame:
    counts = pd.DataFrame({"reason": steps.keys(), "rows": steps.values()})
    return counts.assign(table=table, pupils=pd.Series(pd.NA, counts.index, dtype="Int64"))
