"""What stands in the estimates where an effect cannot be estimated."""

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.effects.attempts import without_counts
from vsh_eval.effects.rows import ESTIMATE_COLUMNS


def not_estimable(metric: str, *, role: str = "primary", reason: str = "") -> pd.DataFrame:
    """Return the one row that says of an outcome that its effect cannot be estimated.

    Parameters
    ----------
    metric : str
        The outcome.
    role : str
        Of the estimate that is missing.
    reason : str
        Why, in one sentence; numbers of schools are left out of it, so that it may be released.

    Returns
    -------
    DataFrame
        The estimates contract and `reason`: one simple row without numbers, status ``x``.

    Examples
    --------
    >>> not_estimable("overall_absence")[["metric", "estimate", "status"]].values.tolist()
    [['overall_absence', nan, 'x']]
    """
    row = dict.fromkeys(ESTIMATE_COLUMNS, np.nan) | {
        "role": role,
        "metric": metric,
        "programme": "any",
        "tier": "any",
        "phase": names.TOTAL,
        "estimator": "imputation",
        "comparison": "not_yet_treated",
        "aggregation": "simple",
        "index": 0,
        "status": names.UNAVAILABLE,
        "reason": without_counts(reason),
    }
    whole = ("schools_treated", "schools_comparison", "pupils")
    return pd.DataFrame([row]).astype(dict.fromkeys(whole, "Int64"))
