"""Sun and Abraham's event study: effects by cohort and event time in one regression, averaged."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsh_eval.contracts import DesignError
from vsh_eval.effects.grid import Floats, Grid, checked, grid
from vsh_eval.effects.linear_rows import linear_rows
from vsh_eval.effects.long_differences import REFERENCE
from vsh_eval.effects.rows import with_inference
from vsh_eval.names import NEVER
from vsh_eval.numerics import bands
from vsh_eval.numerics.absorbed import Regression, regress

_AVERAGED = ("cohort", "calendar", "event", "att_gt")

_Sets = list[tuple[tuple[str, int, int], npt.NDArray[np.bool_]]]


def sun_abraham(data: pd.DataFrame, *, alpha: float = 0.05, seed: int = 0) -> pd.DataFrame:
    """Estimate effects by cohort and event time in one regression and average them.

    Parameters
    ----------
    data : DataFrame
        As for `impute`; `fit_weight` weighs the regression where it is there, else `weight`, and
        `weight` the averages. Schools trained from the first year on are left out. Where no school
        is untrained throughout, the last cohort serves as comparison until its training.
    alpha : float
        Significance level of intervals and bands.
    seed : int
        Of the draws that make the bands simultaneous.

    Returns
    -------
    DataFrame
        Rows as from `impute`; event times below -1 are leads, -1 is the reference. `std_error`
        clustered by school (weights of the averages taken as given), `df` schools less one.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If no effect can be told apart from school and year effects.

    Notes
    -----
    ``y_st = alpha_s + beta_t + sum_g sum_{e != -1} theta_ge 1[g_s = g, t - g = e] + e_st``; a
    cohort without data in its last year before training has no effect that can be told apart and
    is left out. Sun and Abraham (2021), Journal of Econometrics 225(2).

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(list("abcd"), 3), "time": [1, 2, 3] * 4,
    ...     "cohort": [3] * 6 + [0] * 6, "weight": 1.0,
    ...     "outcome": [5.0, 6, 4, 7, 9, 7, 8, 9, 10, 6, 6, 9]})
    >>> sun_abraham(table).query("aggregation == 'event'")["estimate"].round(6).tolist()
    [-1.0, -4.0]
    """
    cells = grid(_comparable(checked(data)))
    pairs = np.unique(
        np.stack([cells.onset[:, None] + 0 * cells.event, cells.event])[
            :, cells.ever[:, None] & (cells.event != REFERENCE) & (cells.fit_weight > 0)
        ],
        axis=1,
    ).T
    if not len(pairs):
        raise DesignError(
            "no school is trained after the first year used and compared with an untrained one; "
            "extend the years or add schools."
        )
    inside = np.stack(
        [(cells.onset[:, None] == onset) & (cells.event == event) for onset, event in pairs]
    )
    found = regress(cells.outcome, inside.astype(float), cells.fit_weight, cells.stratum)
    told = ~np.isnan(found.coefficient)
    if not (told & (pairs[:, 1] >= 0)).any():
        raise DesignError(
            "no effect can be told apart from school and year effects: trained schools need a "
            "year before training, and untrained schools in the years after it."
        )
    rows, deviations = _averages(cells, inside[told], found, told)
    critical = {
        name: bands.max_t_critical(
            deviations[rows["aggregation"].eq(name).to_numpy()],
            float(rows["df"].min()),
            alpha=alpha,
            seed=seed,
        )
        for name in _AVERAGED
    }
    return with_inference(rows, critical, alpha=alpha, size=float(np.abs(cells.outcome).max()))


def _comparable(cells: pd.DataFrame) -> pd.DataFrame:
    """Leave out schools without a year before; compare with the last cohort if need be."""
    first, last = cells["time"].min(), cells["time"].max()
    cells = cells[cells["cohort"].eq(NEVER) | cells["cohort"].gt(first)]
    untrained = cells["cohort"].eq(NEVER) | cells["cohort"].gt(last)
    if cells.empty or untrained.any():
        return cells
    latest = cells["cohort"].max()
    before = cells[cells["time"].lt(latest)]
    return before.assign(cohort=before["cohort"].mask(before["cohort"].eq(latest), NEVER))


def _averages(
    cells: Grid, inside: npt.NDArray[np.bool_], found: Regression, told: npt.NDArray[np.bool_]
) -> tuple[pd.DataFrame, Floats]:
    """Average the effects by target weight: rows and the schools' deviations (K, S)."""
    weight = np.where(inside, cells.weight, 0.0)
    covered = weight.sum(axis=0) > 0
    sets = [entry for entry in _sets(cells, covered) if entry[1].any()]
    target = np.stack([np.where(flags, cells.weight, 0.0) for _, flags in sets])
    shares = np.einsum("kst,pst->kp", target, inside.astype(float))
    shares /= shares.sum(axis=1, keepdims=True)
    deviations = shares @ found.deviations()[told]
    rows = linear_rows(
        cells,
        [label for label, _ in sets],
        target=target,
        implied=np.einsum("kp,pst->kst", shares, found.implied_weight[told]),
        estimate=shares @ found.coefficient[told],
        deviations=deviations,
    )
    return rows, deviations


def _sets(cells: Grid, covered: npt.NDArray[np.bool_]) -> _Sets:
    """Name the sets of school-years that are averaged, in the order of `impute`'s rows."""
    after = covered & cells.treated
    times = np.broadcast_to(cells.times[None, :], after.shape)
    cohorts = np.broadcast_to(cells.cohorts[:, None], after.shape)
    sets: _Sets = [(("simple", 0, 0), after)]
    sets += [(("cohort", 0, int(g)), after & (cohorts == g)) for g in np.unique(cohorts[after])]
    sets += [(("calendar", 0, int(t)), after & (times == t)) for t in np.unique(times[after])]
    sets += [
        (("event", 0, int(e)), covered & (cells.event == e))
        for e in np.unique(cells.event[covered])
    ]
    pairs = np.unique(np.stack([cohorts[after], times[after]], axis=1), axis=0)
    return sets + [
        (("att_gt", int(g), int(t)), after & (cohorts == g) & (times == t)) for g, t in pairs
    ]
