"""Rows of estimates: the columns every estimator fills, and the inference it adds to them."""

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.numerics.inference import t_critical, t_p_value

ROW_COLUMNS = (
    "aggregation",
    "cohort",
    "index",
    "estimate",
    "std_error",
    "df",
    "ci_lower",
    "ci_upper",
    "band_lower",
    "band_upper",
    "p_value",
    "schools_treated",
    "schools_comparison",
    "pupils",
    "largest_share",
    "status",
    "reason",
)
"""What an estimator gives for each estimate."""

ESTIMATE_COLUMNS = (
    "role",
    "metric",
    "programme",
    "tier",
    "phase",
    "estimator",
    "comparison",
    "aggregation",
    "index",
    "estimate",
    "std_error",
    "df",
    "ci_lower",
    "ci_upper",
    "band_lower",
    "band_upper",
    "p_value",
    "p_adjusted",
    "schools_treated",
    "schools_comparison",
    "pupils",
    "largest_share",
    "status",
)
"""The contract of the estimates table."""
COUNTS = ("schools_treated", "schools_comparison", "pupils")
"""Its whole numbers, NA where there is none."""

_NO_VARIATION = 1e-12
_INTERVAL = ["std_error", "df", "ci_lower", "ci_upper", "band_lower", "band_upper", "p_value"]


def with_inference(
    rows: pd.DataFrame, critical: dict[str, float], *, alpha: float, size: float
) -> pd.DataFrame:
    """Add intervals, bands, p values and status to estimates with standard errors.

    Parameters
    ----------
    rows : DataFrame
        aggregation, estimate, std_error, df, schools_treated, status, reason and what else a row
        has; a status already given is kept.
    critical : dict
        Critical value of the simultaneous band of each aggregation; pointwise where absent.
    alpha : float
        Significance level.
    size : float
        Largest absolute outcome: a standard error below its rounding is nought.

    Returns
    -------
    DataFrame
        With the columns of `ROW_COLUMNS`. A row that fewer than two trained schools carry, or
        whose outcomes do not vary, keeps its estimate, has no interval and status ``x``.
    """
    rows = rows.copy()
    alone = rows["schools_treated"] < 2
    still = ~(rows["std_error"] > _NO_VARIATION * max(size, _NO_VARIATION))
    for fails, reason in (
        (alone, "only one trained school carries it, so its error cannot be estimated"),
        (still, "the outcomes do not vary, so there is no error to estimate"),
    ):
        hidden = fails & rows["status"].eq("")
        rows.loc[hidden, "status"] = names.UNAVAILABLE
        rows.loc[hidden, "reason"] = reason
    pointwise = t_critical(rows["df"].to_numpy(float), alpha=alpha)
    band = rows["aggregation"].map(critical).to_numpy(float)
    band = np.where(np.isnan(band), pointwise, np.fmax(band, pointwise))
    for prefix, width in (("ci", pointwise), ("band", band)):
        rows[f"{prefix}_lower"] = rows["estimate"] - width * rows["std_error"]
        rows[f"{prefix}_upper"] = rows["estimate"] + width * rows["std_error"]
    rows["p_value"] = t_p_value(
        rows["estimate"].to_numpy(float),
        rows["std_error"].to_numpy(float),
        rows["df"].to_numpy(float),
    )
    rows.loc[rows["status"] != "", _INTERVAL] = np.nan
    return rows.loc[:, list(ROW_COLUMNS)].reset_index(drop=True)
