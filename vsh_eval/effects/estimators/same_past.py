"""The second estimator: trained schools against untrained ones that had the same past."""

import numpy as np
import pandas as pd

from vsh_eval.contracts import InfeasibleError
from vsh_eval.effects.estimators.imputation import imputed
from vsh_eval.effects.grid import Grid, Ints, checked, grid
from vsh_eval.numerics.estimators import same_past as numeric

NOISE_SCHOOLS = 8
"""Schools below which a phase's noise is taken to be the largest phase's."""


def same_past(
    data: pd.DataFrame,
    *,
    seed: int = 0,
    draws: int = 10_000,
    variances: numeric.Variances | None = None,
) -> pd.DataFrame:
    """Estimate the effect of training on the treated by random-effects imputation.

    Parameters
    ----------
    data : DataFrame
        As for `impute`; optional also time_period (academic years, so that a year without data
        counts as one), phase (noise by phase) and pupils (the size of a cell; `fit_weight` or
        `weight` stands for it where they are not in every school-year).
    seed, draws : int
        Of the draws that make the bands simultaneous.
    variances : Variances, optional
        Held as given; by default estimated from the untrained school-years.

    Returns
    -------
    DataFrame
        Rows as from `impute`, without leads. A trained school without an untrained year of its
        own, or a year without an untrained school in the stratum, is left out.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        As `impute`, and if too few schools have two untrained years.

    Notes
    -----
    ``y_st = gamma_jt + alpha_s + u_st + v_st`` on untrained school-years, alpha, u and v random:
    schools' levels last, the children's part fades from year to year and is larger the fewer they
    are. The untrained outcome is imputed by the best linear unbiased prediction
    (`numerics.estimators.same_past.fit`), the variances are estimated by REML and held in the
    delete-one-school jackknife. `impute` takes a school's own past at its word; this one trusts it
    as far as pasts lasted in untrained schools, so a bad year or a run of bad years before
    training is not taken for what would have gone on. The two lean on different assumptions and
    bracket the effect (Ding and Li 2019, Political Analysis 27(4), of fixed effects and
    adjustment for earlier outcomes).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(np.arange(30), 6), "time": np.tile(np.arange(1, 7), 30),
    ...     "cohort": np.repeat([0, 4, 5], 60), "outcome": rng.normal(size=180), "weight": 1.0})
    >>> found = same_past(table)
    >>> bool(found.loc[0, "ci_lower"] < 0 < found.loc[0, "ci_upper"])
    True
    """
    laid_out = grid(checked(data))
    cells = cells_of(laid_out)
    held = estimated_variances(cells) if variances is None else variances
    fitted = numeric.fit(cells, held)
    return imputed(laid_out, fitted, leads=0, seed=seed, draws=draws).rows


def cells_of(laid_out: Grid) -> numeric.Cells:
    """Return the panel as the covariance needs it, small phases counted with the largest."""
    there = laid_out.fit_weight > 0
    counted = np.nan_to_num(laid_out.pupils)
    whole = (counted[there] > 0).all()
    return numeric.Cells(
        outcome=laid_out.outcome,
        size=np.where(there, counted if whole else laid_out.fit_weight, 0.0),
        untreated=there & ~laid_out.treated,
        stratum=laid_out.stratum,
        phase=_large_phases(laid_out.phase),
        years=laid_out.years,
    )


def _large_phases(phase: Ints) -> Ints:
    """Return each school's phase, numbered; a small phase is counted with the largest."""
    schools = np.bincount(phase)
    large = np.where(schools[phase] >= NOISE_SCHOOLS, phase, schools.argmax())
    return np.unique(large, return_inverse=True)[1].astype(np.int64)


def estimated_variances(cells: numeric.Cells) -> numeric.Variances:
    """Estimate the variances, or refuse where what lasts cannot be told from what does not.

    Raises
    ------
    DesignError
        If too few schools have two untrained years.
    """
    lasting = int((cells.untreated.sum(axis=1) >= 2).sum())
    years = sum(cells.untreated[cells.stratum == j].any(axis=0).sum() for j in set(cells.stratum))
    spare = int(cells.untreated.sum() - years)
    if lasting < 2 or spare <= 3 + int(cells.phase.max()) + 1:
        raise InfeasibleError("past_too_short", schools=lasting)
    return numeric.reml(cells)
