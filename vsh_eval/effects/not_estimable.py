"""What stands in the tables where an effect cannot be estimated."""

from typing import Any

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.effects.attempts import (
    CHANCE,
    CHECKS,
    EXCLUDED,
    NOT_TESTABLE,
    NOUGHT,
    ROBUSTNESS_COLUMNS,
    RULES,
    SAME,
    STANDS,
    in_order,
    without_counts,
)
from vsh_eval.effects.rows import COUNTS, ESTIMATE_COLUMNS

_RULE_OF = {
    **dict.fromkeys("acdj", NOUGHT),
    **dict.fromkeys("fghi", SAME),
    "b": STANDS,
    "e": CHANCE,
    "k": EXCLUDED,
}


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
    return pd.DataFrame([row]).astype(dict.fromkeys(COUNTS, "Int64"))


def nothing_to_check(metric: str, *, reason: str = "") -> pd.DataFrame:
    """Return the robustness table of an effect that cannot be estimated.

    Parameters
    ----------
    metric : str
        The outcome.
    reason : str
        As for `not_estimable`.

    Returns
    -------
    DataFrame
        `attempts.ROBUSTNESS_COLUMNS`: one row a check, "not testable", without numbers.

    Examples
    --------
    >>> nothing_to_check("overall_absence")["verdict"].unique().tolist()
    ['not testable']
    """
    plain = not_estimable(metric, role="robustness", reason=reason).iloc[0].to_dict()
    rows: list[dict[str, Any]] = [
        dict.fromkeys(ROBUSTNESS_COLUMNS, np.nan)
        | {str(name): value for name, value in plain.items() if name in ROBUSTNESS_COLUMNS}
        | {
            "check": check,
            "question": question,
            "variant": "every variant",
            "verdict": NOT_TESTABLE,
            "rule": RULES[_RULE_OF[check]],
        }
        for check, question in CHECKS.items()
    ]
    return in_order(rows)
