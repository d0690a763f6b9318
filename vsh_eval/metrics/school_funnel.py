"""Each school's gap against what chance would do. Internal: no school's value is ever released."""

import numpy as np
import pandas as pd
from scipy.special import ndtri

from vsh_eval.metrics.school_variances import school_gaps_with_variance
from vsh_eval.numerics.heterogeneity import between_schools, shrunken

FUNNEL_COLUMNS = (
    "unit_id",
    "phase",
    "time_period",
    "metric",
    "outcome",
    "sampling_error",
    "pupils",
    "reference_pupils",
    "mean_gap",
    "tau",
    "shrunken",
    "shrunken_error",
    "warning_lower",
    "warning_upper",
    "action_lower",
    "action_upper",
    "beyond",
)
_WARNING, _ACTION = 0.05, 0.002


def school_funnel(panel: pd.DataFrame, *, metric: str, group: str, reference: str) -> pd.DataFrame:
    """Set each school's gap beside the limits of chance, for the analyst's own eyes.

    Internal: never released. A school's gap is that of a handful of children, and `release.protect`
    takes no table with schools. It serves checks of the data and of `heterogeneity`.

    Parameters
    ----------
    panel : DataFrame
        A panel of returns with the pupils' sums of products: rows are schools.
    metric : str
        The metric, by its name in the registry.
    group, reference : str
        The gap is group minus reference; they may share no children.

    Returns
    -------
    DataFrame
        `FUNNEL_COLUMNS`, one row for each school and comparable year in which both groups have
        pupils, in the metric's gap unit. `shrunken` draws the school's gap towards the mean of its
        phase and year as its few children ask. Warning (95%) and action (99.8%) limits are where
        chance alone would put a school whose true gap is that mean; `beyond` is '', warning or
        action. NaN and '' where chance cannot be judged.

    Raises
    ------
    ContractError
        If the panel is published or lacks the pupils' sums, the groups share children, or a name
        or the panel is against its contract.

    Notes
    -----
    Limits mean -/+ z sqrt(v): Spiegelhalter (2005), *Statistics in Medicine* 24, 1185-1202, without
    his allowance for overdispersion, which tau gives beside them.

    Examples
    --------
    >>> n = np.tile([6, 40], 12)
    >>> y = n * (np.tile([24.0, 46.0], 12) + np.repeat([-14.0, *[1.0] * 11], 2) * (n == 6))
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": np.repeat(np.arange(12), 2).astype(str),
    ...     "time_period": 202425, "phase": "secondary", "group": ["cin", "peers"] * 12,
    ...     "metric": "ks4_attainment8", "pupils": n, "numerator": y, "denominator": n,
    ...     "sum_yy": y**2 / n + 100.0 * n, "sum_xy": y, "sum_xx": n, "rate": float("nan"),
    ...     "status": "",
    ... })
    >>> found = school_funnel(panel, metric="ks4_attainment8", group="cwsw", reference="peers")
    >>> found.groupby("beyond").size().to_dict()
    {'': 11, 'warning': 1}
    """
    _, schools = school_gaps_with_variance(
        panel, group=group, reference=reference, metrics=[metric], alpha=_WARNING
    )
    parts = [_limits(block) for _, block in schools.groupby(["phase", "time_period"], sort=True)]
    empty = pd.DataFrame(columns=list(FUNNEL_COLUMNS))
    return pd.concat(parts, ignore_index=True)[list(FUNNEL_COLUMNS)] if parts else empty


def _limits(block: pd.DataFrame) -> pd.DataFrame:
    """Return one phase and year with its mean, shrunken gaps and limits."""
    known = block["variance"] > 0
    outcome = block["outcome"].to_numpy(np.float64)
    variance = block["variance"].where(known).to_numpy(np.float64)
    found = between_schools(outcome[known], variance[known])
    pulled = shrunken(outcome, variance, mean=found.mean, tau_squared=found.tau_squared)
    error = np.sqrt(variance)
    reach = {"warning": ndtri(1 - _WARNING / 2) * error, "action": ndtri(1 - _ACTION / 2) * error}
    away = np.abs(outcome - found.mean)
    return block.assign(
        sampling_error=error,
        mean_gap=found.mean,
        tau=found.tau_squared**0.5,
        shrunken=pulled[0],
        shrunken_error=pulled[1],
        **{f"{name}_lower": found.mean - half for name, half in reach.items()},
        **{f"{name}_upper": found.mean + half for name, half in reach.items()},
        beyond=np.select(
            [away > reach["action"], away > reach["warning"]], ["action", "warning"], default=""
        ),
    )
