"""Year effects by phase where some phases have too few schools: joined to the phase most alike."""

from dataclasses import replace

from vsh_eval.contracts import DesignError
from vsh_eval.effects.gate import Prepared
from vsh_eval.effects.strata import STRATUM_SCHOOLS, phase_by_year
from vsh_eval.names import NEVER


def joined_phases(prepared: Prepared) -> Prepared:
    """Return the same school-years with year effects by phase, small phases joined to large ones.

    Parameters
    ----------
    prepared : Prepared
        From `prepare`.

    Returns
    -------
    Prepared
        `stratum` is the school's phase where it has at least 20 schools, else the large phase
        whose mean gap before anyone was trained is nearest to that of the small one.

    Raises
    ------
    DesignError
        If fewer than two phases are large, none is small, or a joined phase has fewer than 5
        untrained schools in some year.

    Notes
    -----
    Means are weighted as the estimate is, over the years before the first training, so that no
    effect can decide what is joined. Simulated in docs/proofs/phase_pooling.md.

    Examples
    --------
    >>> from vsh_eval.effects.gate import prepare
    >>> import pandas as pd
    >>> kinds = ["primary"] * 20 + ["secondary"] * 20 + ["special"] * 4
    >>> gaps = pd.DataFrame([
    ...     (str(s), kind, year, 2.0 + 9 * (kind != "primary"), 100.0, 5)
    ...     for s, kind in enumerate(kinds) for year in (201819, 202021, 202122)],
    ...     columns=["unit_id", "phase", "time_period", "outcome", "weight", "pupils"])
    >>> trained = pd.DataFrame({"unit_id": [str(s) for s in range(44)],
    ...                         "adopted": [202021, 0, 0, 0] * 11})
    >>> found = joined_phases(prepare(gaps, trained)).data
    >>> found.loc[found["phase"] == "special", "stratum"].unique().tolist()
    ['secondary']
    """
    cells = prepared.data
    schools = cells.groupby("phase")["unit"].nunique()
    large = schools.index[schools >= STRATUM_SCHOOLS]
    if len(large) < 2 or len(large) == len(schools):
        raise DesignError(
            f"{len(large)} phases have {STRATUM_SCHOOLS} schools or more and "
            f"{len(schools) - len(large)} fewer, must be at least two and one for phases to be "
            "joined; read common year effects."
        )
    first = cells.loc[cells["cohort"].ne(NEVER), "cohort"].min()
    before = cells[cells["time"] < first]
    sums = (before["outcome"] * before["weight"]).groupby(before["phase"]).sum()
    level = (sums / before.groupby("phase")["weight"].sum()).reindex(schools.index)
    level = level.fillna(level[large].mean())
    nearest = {
        phase: phase if phase in large else (level[large] - level[phase]).abs().idxmin()
        for phase in schools.index
    }
    stratum = cells["phase"].map(nearest)
    possible, why = phase_by_year(cells.assign(phase=stratum))
    if not possible:
        raise DesignError(f"{why}, must be more for phases to be joined; read common year effects.")
    note = "Year effects are by phase, phases of few schools joined to the phase most alike."
    return replace(
        prepared,
        data=cells.assign(stratum=stratum),
        stratified=True,
        notes=(*(n for n in prepared.notes if not n.startswith("Year effects")), note),
    )
