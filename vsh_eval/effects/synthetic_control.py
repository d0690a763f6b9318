"""Synthetic control: one unit against the mixture of others that matched its level before."""

import pandas as pd

from vsh_eval.effects.synthetic_did import fit_synthetic
from vsh_eval.effects.synthetic_panel import Donors, with_cohort
from vsh_eval.numerics.synthetic import Solver


def synthetic_control(
    data: pd.DataFrame,
    *,
    unit: str | None = None,
    start: int | None = None,
    donors: Donors = None,
    alpha: float = 0.05,
    solver: Solver = "exact",
    seed: int = 0,
) -> pd.DataFrame:
    """Estimate an effect by synthetic control on outcomes alone.

    Parameters
    ----------
    data, unit, start, donors, alpha, seed
        As for `synthetic_did`.
    solver : {"exact", "reference"}
        The exact minimum (the usual synthetic control), or the steps of R's synthdid, whose
        ``sc_estimate`` stops short of it.

    Returns
    -------
    DataFrame
        The rows of `synthetic_did`. The simple row's `p_value` ranks the ratio of the root mean
        squared distances after and before, and `ci_*` are the constant effects which that test does
        not reject; where there is none the row has no interval and status ``x``.

    Raises
    ------
    ContractError, DesignError
        As for `synthetic_did`.

    Notes
    -----
    Abadie, Diamond and Hainmueller (2010), Journal of the American Statistical Association 105.
    With few years before and many donors most units are matched perfectly, and the ratio then says
    little: read synthetic DiD first.

    Examples
    --------
    >>> table = pd.DataFrame([
    ...     (name, year, level + year - 2 * (name == "a" and year > 3), 4 * (name == "a"))
    ...     for name, level in zip("abcd", (10.0, 9.0, 11.0, 14.0))
    ...     for year in range(1, 6)], columns=["unit", "time", "outcome", "cohort"])
    >>> float(synthetic_control(table).loc[0, "estimate"].round(3))
    -2.0
    """
    return fit_synthetic(
        with_cohort(data, unit=unit, start=start),
        method="synthetic_control",
        donors=donors,
        alpha=alpha,
        solver=solver,
        seed=seed,
    ).rows
