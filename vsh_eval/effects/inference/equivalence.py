"""Is the effect too small to matter? Two one-sided tests."""

import numpy as np
import pandas as pd
from scipy import stats

from vsh_eval.contracts import DesignError, require_columns


def equivalence_test(
    rows: pd.DataFrame | float,
    std_error: float | None = None,
    df: float = np.inf,
    *,
    margin: float,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Test that effects lie within plus or minus a margin.

    Parameters
    ----------
    rows : DataFrame or float
        Rows with estimate, std_error and df, as every estimator gives; or one estimate.
    std_error, df : float
        Of one estimate; not used with rows.
    margin : float
        Smallest effect of interest, above 0, in the outcome's unit.
    alpha : float
        Size of each one-sided test.

    Returns
    -------
    DataFrame
        The rows (or one) with margin, p_below (of "the effect is -margin or less"), p_above (of
        "margin or more"), p_value (the larger), lower and upper (the ``1 - 2 alpha`` interval),
        equivalent (both are refuted). NaN and False for a row without error.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If the margin is not above 0, or one estimate comes without its standard error.

    Notes
    -----
    ``p_below = P(T > (estimate + margin) / se)``, ``p_above = P(T < (estimate - margin) / se)``.
    Both below alpha is the same as the ``1 - 2 alpha`` interval within the margins. Schuirmann
    (1987), Journal of Pharmacokinetics and Biopharmaceutics 15(6).

    Examples
    --------
    >>> found = equivalence_test(0.1, 0.25, 100, margin=0.6)
    >>> found[["p_value", "equivalent"]].round(4).values.tolist()
    [[0.0241, True]]
    """
    if not margin > 0:
        raise DesignError(
            f"margin is {margin:g}, must be above 0; give the smallest effect that would matter."
        )
    if not isinstance(rows, pd.DataFrame):
        if std_error is None:
            raise DesignError("std_error is missing, must be given with one estimate.")
        rows = pd.DataFrame({"estimate": [rows], "std_error": [std_error], "df": [df]})
    require_columns(rows, ("estimate", "std_error", "df"), name="the rows of estimates")
    estimate, error, degrees = (
        rows[name].to_numpy(float) for name in ("estimate", "std_error", "df")
    )
    usable = (error > 0) & (degrees >= 1)
    error, degrees = np.where(usable, error, np.nan), np.where(usable, degrees, np.nan)
    below = stats.t.sf((estimate + margin) / error, degrees)
    above = stats.t.cdf((estimate - margin) / error, degrees)
    width = stats.t.ppf(1 - alpha, degrees) * error
    return rows.assign(
        margin=margin,
        p_below=below,
        p_above=above,
        p_value=np.maximum(below, above),
        lower=estimate - width,
        upper=estimate + width,
        equivalent=np.maximum(below, above) < alpha,
    )
