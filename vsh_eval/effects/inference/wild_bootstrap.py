"""Inference with few schools: the wild cluster bootstrap, the null imposed."""

import numpy as np
import pandas as pd

from vsh_eval.contracts import InfeasibleError
from vsh_eval.effects.estimators.imputation import imputable_target
from vsh_eval.effects.grid import checked, grid
from vsh_eval.numerics.estimators import imputation as numeric
from vsh_eval.numerics.inference.wild import WEBB_BELOW, WildBootstrap, of_imputation

WILD_COLUMNS = (
    *("estimate", "std_error", "statistic", "p_value", "ci_lower", "ci_upper"),
    *("schools", "schools_treated", "weights", "draws"),
)
FEWEST_TREATED = 2


def wild_bootstrap(data: pd.DataFrame, *, draws: int = 9_999, seed: int = 0) -> pd.DataFrame:
    """Test the simple imputed effect by drawing schools' residuals anew, as few schools demand.

    Parameters
    ----------
    data : DataFrame
        As for `impute`.
    draws, seed : int
        Bootstrap draws and what starts them.

    Returns
    -------
    DataFrame
        One row: estimate, std_error (analytic, by school), statistic (estimate over it), p_value,
        ci_lower and ci_upper (the effects the test does not refute; infinite where it refutes none
        on that side), schools, schools_treated, weights (``webb`` below 12 schools, else
        ``rademacher``), draws.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If fewer than two trained schools carry the estimate, nothing can be estimated, or the
        outcomes do not vary.

    Notes
    -----
    Draw b multiplies each school's residuals by one random number; both the estimate and its error
    are computed anew, effects included. ``p = (1 + #{|t_b| >= |t|}) / (1 + draws)``: the restricted
    wild cluster bootstrap of Cameron, Gelbach and Miller (2008) on the linear form of the
    imputation. With few *trained* schools no bootstrap repairs the size
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
    cells = grid(checked(data))
    fitted, target = imputable_target(cells)
    estimates = numeric.estimate(fitted, target[None])
    scores = of_imputation(fitted, target, estimates)
    treated = int(target.any(axis=1).sum())
    if treated < FEWEST_TREATED:
        raise InfeasibleError("too_few_carry_it", trained=treated, least=FEWEST_TREATED)
    carried = max(int(estimates.schools[0]), 2)
    error = float(np.sqrt(carried / (carried - 1) * (scores.influence**2).sum()))
    if not error > 1e-12 * max(float(np.abs(cells.outcome).max()), 1e-12):
        raise InfeasibleError("no_variation")
    bootstrap = WildBootstrap(scores, draws=draws, seed=seed)
    schools = int((scores.implied_weight != 0).any(axis=1).sum())
    weights = "webb" if schools < WEBB_BELOW else "rademacher"
    row = (scores.estimate, error, scores.estimate / error, bootstrap.p_value())
    row = (*row, *bootstrap.interval(), schools, treated, weights, draws)
    return pd.DataFrame([row], columns=list(WILD_COLUMNS))
