"""Who is newly counted: the cohort's entrants, and how the children attended the year before."""

from collections.abc import Collection

import pandas as pd

from vsh_eval import academic_year, names
from vsh_eval.cohort.engines import Engine

NEW_ENTRANT_KEYS = ("unit_id", "time_period", "phase", "group")
_PRIOR = ("prior_pupils", "prior_missed", "prior_possible", "entrants_missed", "entrants_possible")
NEW_ENTRANT_COLUMNS = (*NEW_ENTRANT_KEYS, "pupils", "entrants", *_PRIOR, *names.RECORD_KEYS)
YEAR_BEFORE = "cohort_year_before"
"""What the next year must know of a year's pupils, under their keys."""


def keep_no_year_before(engine: Engine) -> None:
    """Keep an empty ``cohort_year_before``: before the first year nothing is known of anyone."""
    columns = ("pupil", "counted", "possible", "missed")
    engine.give(YEAR_BEFORE, pd.DataFrame({name: pd.Series(dtype="int64") for name in columns}))


def build_new_entrants(
    cells: pd.DataFrame, *, years: Collection[int], attended: Collection[int]
) -> pd.DataFrame:
    """Put the cells into their columns, and leave out what the year before cannot tell.

    Parameters
    ----------
    cells : pandas.DataFrame
        unit_id, time_period, phase, group_code (1 to 5, the order of ``names.LEAF_GROUPS``),
        pupils, entrants, prior_pupils, prior_missed, prior_possible, entrants_missed,
        entrants_possible, key_n, key_y.
    years : collection of int
        The academic years of the run.
    attended : collection of int
        Those with absence data.

    Returns
    -------
    pandas.DataFrame
        One row per school, year and leaf group with pupils of overall absence. ``pupils`` counts
        their enrolments (a mover counts at each school); ``entrants`` those who were not in the
        cohort (in need or on a protection plan) in the academic year before;
        ``prior_pupils``, ``prior_missed`` and ``prior_possible`` are the same pupils' own
        enrolments with sessions, sessions missed and possible sessions of that year, wherever they
        learnt; ``entrants_missed`` and ``entrants_possible`` the part of the entrants. Whole
        numbers. ``key_n`` and ``key_y`` add up the record keys of the pupils and of the entrants.
        ``entrants`` and ``key_y`` are missing where the year before is not of the run, the
        sessions also where it has no absence data; nobody with sessions then is zero.

    Examples
    --------
    >>> cell = {"unit_id": "1", "phase": "primary", "group_code": 3, "pupils": 4, "entrants": 1,
    ...         "prior_pupils": 3, "prior_missed": 30, "prior_possible": 900,
    ...         "entrants_missed": 5, "entrants_possible": 300,
    ...         "key_n": 9, "key_y": 2}
    >>> cells = pd.DataFrame([cell | {"time_period": year} for year in (202021, 202122)])
    >>> years = (201920, 202021, 202122)
    >>> table = build_new_entrants(cells, years=years, attended=(202021, 202122))
    >>> table[["time_period", "group", "entrants", "prior_missed"]].values.tolist()
    [[202021, 'cin', 1, <NA>], [202122, 'cin', 1, 30]]
    """
    group = cells["group_code"].map(dict(enumerate(names.LEAF_GROUPS, start=1)))
    counts = dict.fromkeys(("pupils", "entrants", *_PRIOR, *names.RECORD_KEYS), "Int64")
    table = cells.assign(group=group).astype(
        {"time_period": "int64", **counts, **dict.fromkeys(("unit_id", "phase", "group"), "str")}
    )
    after, after_attended = ([academic_year.after(y) for y in then] for then in (years, attended))
    table.loc[~table["time_period"].isin(after), ["entrants", "key_y"]] = pd.NA
    table.loc[~table["time_period"].isin(after_attended), list(_PRIOR)] = pd.NA
    return table[list(NEW_ENTRANT_COLUMNS)].sort_values(list(NEW_ENTRANT_KEYS), ignore_index=True)
