"""Inference with few schools: the wild cluster bootstrap, the null imposed."""

from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval.contracts import InfeasibleError, require_one_of
from vsh_eval.effects.estimators.imputation import imputable_target
from vsh_eval.effects.estimators.two_way import fit_two_way
from vsh_eval.effects.grid import Grid, checked, grid
from vsh_eval.numerics.estimators import imputation as numeric
from vsh_eval.numerics.inference.wild import (
    WEBB_BELOW,
    Scores,
    WildBootstrap,
    of_imputation,
    of_regression,
)

Estimator = Literal["imputation", "two_way_fixed_effects"]

WILD_COLUMNS = (
    *("estimator", "estimate", "std_error", "statistic", "p_value", "ci_lower", "ci_upper"),
    *("schools", "schools_treated", "weights", "draws"),
)
FEWEST_TREATED = 2


def wild_bootstrap(
    data: pd.DataFrame,
    *,
    estimator: Estimator = "imputation",
    null: float = 0.0,
    draws: int = 9_999,
    seed: int = 0,
) -> pd.DataFrame:
    """Test an effect by drawing schools' residuals anew, as few schools demand.

    Parameters
    ----------
    data : DataFrame
        As for `impute`.
    estimator : {"imputation", "two_way_fixed_effects"}
        Whose simple estimate is tested.
    null : float
        The effect tested, in the outcome's unit.
    draws, seed : int
        Bootstrap draws and what starts them.

    Returns
    -------
    DataFrame
        One row: estimator, estimate, std_error (analytic, by school), statistic (estimate less null
        over it), p_value, ci_lower and ci_upper (the effects the test does not refute; infinite
        where it refutes none on that side), schools, schools_treated, weights (``webb`` below 12
        schools, else ``rademacher``), draws.

    Raises
    ------
    ContractError
        If a column is missing or the estimator is not known.
    DesignError
        If fewer than two trained schools carry the estimate, nothing can be estimated, or the
        outcomes do not vary.

    Notes
    -----
    Draw b multiplies each school's residuals, the null effect taken off every trained
    school-year, by one random number; both the estimate and its error are computed anew, effects
    included. ``p = (1 + #{|t_b| >= |t|}) / (1 + draws)``. For two-way fixed effects this is the
    restricted wild cluster bootstrap of Cameron, Gelbach and Miller (2008); for the imputation
    the same on its linear form. With few *trained* schools no bootstrap repairs the size
    (MacKinnon and Webb 2018): see docs/proofs/wild_size.md and read `randomise` beside it.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(np.arange(20), 6), "time": np.tile(np.arange(1, 7), 20),
    ...     "cohort": np.repeat([0, 4], 60), "outcome": rng.normal(size=120), "weight": 1.0})
    >>> found = wild_bootstrap(table, draws=999).iloc[0]
    >>> bool(found["ci_lower"] < found["estimate"] < found["ci_upper"])
    True
    """
    require_one_of(estimator, ("imputation", "two_way_fixed_effects"), name="estimator")
    cells = grid(checked(data))
    scores, treated, correction = (
        _imputation(cells) if estimator == "imputation" else _two_way(cells)
    )
    schools = int(((scores.implied_weight != 0).any(axis=1)).sum())
    if treated < FEWEST_TREATED:
        raise InfeasibleError("too_few_carry_it", trained=treated, least=FEWEST_TREATED)
    error = float(np.sqrt(correction * (scores.influence**2).sum()))
    if not error > 1e-12 * max(float(np.abs(cells.outcome).max()), 1e-12):
        raise InfeasibleError("no_variation")
    bootstrap = WildBootstrap(scores, draws=draws, seed=seed)
    lower, upper = bootstrap.interval()
    weights = "webb" if schools < WEBB_BELOW else "rademacher"
    statistic = (scores.estimate - null) / error
    row = (estimator, scores.estimate, error, statistic, bootstrap.p_value(null), lower, upper)
    return pd.DataFrame([(*row, schools, treated, weights, draws)], columns=list(WILD_COLUMNS))


def _imputation(cells: Grid) -> tuple[Scores, int, float]:
    """Return the imputation's scores, its trained schools, and the error's correction."""
    fitted, target = imputable_target(cells)
    estimates = numeric.estimate(fitted, target[None])
    schools = max(int(estimates.schools[0]), 2)
    return (
        of_imputation(fitted, target, estimates),
        int(target.any(axis=1).sum()),
        schools / (schools - 1),
    )


def _two_way(cells: Grid) -> tuple[Scores, int, float]:
    """Return the regression's scores, its trained schools, and the error's correction."""
    found = fit_two_way(cells)
    treated = int((cells.treated & (cells.fit_weight > 0)).any(axis=1).sum())
    return of_regression(found), treated, found.correction
