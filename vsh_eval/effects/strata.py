"""Whether phases can have year effects of their own."""

import numpy as np
import pandas as pd

from vsh_eval.names import NEVER

STRATUM_SCHOOLS = 20
"""Schools that every phase must have for phase-by-year effects."""
STRATUM_COMPARISON = 5
"""Not yet trained schools that every phase must have in every used year for them."""


def phase_by_year(cells: pd.DataFrame) -> tuple[bool, str]:
    """Decide whether year effects can be by phase, and say why.

    Parameters
    ----------
    cells : DataFrame
        unit, phase, time, cohort of the school-years used.

    Returns
    -------
    tuple of bool and str
        True where there are two phases or more and every phase has at least 20 schools and, in
        every used year, 5 schools not yet trained (both limits from simulation).

    Examples
    --------
    >>> phase_by_year(pd.DataFrame({"unit": ["a"], "phase": ["primary"], "time": [1],
    ...                             "cohort": [0]}))
    (False, 'all schools are of one phase')
    """
    schools = cells.groupby("phase")["unit"].nunique()
    if len(schools) == 1:
        return False, "all schools are of one phase"
    if schools.min() < STRATUM_SCHOOLS:
        return False, f"a phase has fewer than {STRATUM_SCHOOLS} schools"
    untrained = cells["cohort"].eq(NEVER) | cells["time"].lt(cells["cohort"])
    left = pd.crosstab(cells.loc[untrained, "phase"], cells.loc[untrained, "time"]).reindex(
        index=schools.index, columns=np.unique(cells["time"]), fill_value=0
    )
    if left.to_numpy().min() < STRATUM_COMPARISON:
        return False, f"a phase has fewer than {STRATUM_COMPARISON} untrained schools in some year"
    return True, (
        f"every phase has at least {STRATUM_SCHOOLS} schools and {STRATUM_COMPARISON} untrained "
        "ones in every year"
    )
