"""How much the gap differs from school to school: how much, never which."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vsh_eval import names, registry
from vsh_eval.metrics.door import Entry
from vsh_eval.metrics.school_variances import school_gaps_with_variance
from vsh_eval.metrics.tables import table
from vsh_eval.numerics.heterogeneity import Between, between_schools
from vsh_eval.numerics.inference import t_critical

HETEROGENEITY_COLUMNS = (
    "geographic_level",
    "unit_id",
    "time_period",
    "phase",
    "metric",
    "group",
    "reference",
    "schools",
    "group_pupils",
    "mean_gap",
    "mean_gap_lower",
    "mean_gap_upper",
    "tau",
    "tau_lower",
    "tau_upper",
    "tau_dl",
    "tau_pm",
    "i_squared",
    "i_squared_lower",
    "i_squared_upper",
    "prediction_lower",
    "prediction_upper",
    "q",
    "q_p_value",
    "gap_unit",
    "source",
    "vintage",
    "cohort_rule",
    "comparable",
    "status",
    "reason",
)
FEWEST_SCHOOLS = 3

_OF_ENTRY = ("source", "vintage", "cohort_rule")


def heterogeneity(
    panel: pd.DataFrame,
    *,
    group: str,
    reference: str,
    metrics: Sequence[str] | None = None,
    unit_id: str = "",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Measure how much the within-school gap differs between schools, beyond chance.

    Parameters
    ----------
    panel : DataFrame
        A panel of returns with the pupils' sums of products: rows are schools.
    group, reference : str
        The gap is group minus reference; they may share no children.
    metrics : sequence of str, optional
        Metrics by name; all of the panel's if not given.
    unit_id : str
        The authority's code.
    alpha : float
        One less the coverage of the intervals.

    Returns
    -------
    DataFrame
        `HETEROGENEITY_COLUMNS`, one row for each metric, phase (and the total of phases) and
        comparable year in which a school has both groups. `tau` is the standard deviation of the
        schools' true gaps, in `gap_unit` (restricted maximum likelihood; `tau_dl` by DerSimonian
        and Laird, `tau_pm` by Paule and Mandel), with its Q-profile interval; `i_squared` the
        share of the differences seen that is not chance, 0 to 100; the prediction interval is
        where the true gap of one more school would lie. `mean_gap` is the mean of schools, not
        the authority's gap, in which large cohorts weigh more. With fewer than three schools, or
        where chance cannot be judged, numbers are NaN, the status is x and `reason` says why.

    Raises
    ------
    ContractError
        If the panel is published or lacks the pupils' sums, the groups share children, or a name
        or the panel is against its contract.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

    Notes
    -----
    A school's sampling variance is that of its pupils pooled over all schools of the phase and
    year, so that schools with one child count too (`school_variances`). Gaps of a few children are
    far from normal where few children count (severe absence): tau is then a rough guide. In the
    total, differences between phases are part of tau.

    Examples
    --------
    >>> rng = np.random.default_rng(5)
    >>> n = np.tile([5, 40], 12)
    >>> y = n * (np.tile([24.0, 46.0], 12) + rng.normal(0, 6, 24))
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": np.repeat(np.arange(12), 2).astype(str),
    ...     "time_period": 202425, "phase": "secondary", "group": ["cin", "peers"] * 12,
    ...     "metric": "ks4_attainment8", "pupils": n, "numerator": y, "denominator": n,
    ...     "sum_yy": y**2 / n + 150.0 * n, "sum_xy": y, "sum_xx": n, "rate": float("nan"),
    ...     "status": "",
    ... })
    >>> found = heterogeneity(panel, group="cwsw", reference="peers").iloc[-1]
    >>> found[["schools", "mean_gap", "tau", "i_squared"]].astype(float).round(1).tolist()
    [12.0, -21.3, 4.2, 30.2]
    """
    entry, schools = school_gaps_with_variance(
        panel,
        group=group,
        reference=reference,
        metrics=metrics,
        alpha=alpha,
    )
    totals = schools.assign(phase=names.TOTAL)
    cells = pd.concat([schools, totals]).groupby(["metric", "phase", "time_period"], sort=True)
    rows = [_row(block, alpha=alpha) for _, block in cells]
    return _table(rows, entry, unit_id=unit_id, group=group, reference=reference)


def _row(block: pd.DataFrame, *, alpha: float) -> dict[str, object]:
    """Return the row of one metric, phase and year."""
    metric = str(block["metric"].iloc[0])
    known = block[block["variance"] > 0]
    reason = ""
    if len(block) < FEWEST_SCHOOLS:
        reason = f"{len(block)} schools, differences need {FEWEST_SCHOOLS}"
    elif len(known) < len(block):
        reason = "too few children in each school, or children too alike, to judge chance"
    known = known.iloc[:0] if reason else known
    found = between_schools(
        known["outcome"].to_numpy(np.float64), known["variance"].to_numpy(np.float64), alpha=alpha
    )
    return {
        "time_period": int(block["time_period"].iloc[0]),
        "phase": str(block["phase"].iloc[0]),
        "metric": metric,
        "schools": len(block),
        "group_pupils": int(block["pupils"].sum()),
        **_numbers(found, alpha=alpha),
        "gap_unit": registry.metric(metric).gap_unit,
        "status": names.UNAVAILABLE if reason else "",
        "reason": reason,
    }


def _numbers(found: Between, *, alpha: float) -> dict[str, float]:
    """Return the numbers of a row, standard deviations for variances and shares in per cent."""
    lower, upper = found.tau_squared_lower, found.tau_squared_upper
    reach = float("nan")
    if found.schools >= FEWEST_SCHOOLS:
        reach = float(t_critical(found.schools - 1, alpha=alpha)) * found.mean_std_error
    predicted = found.prediction(alpha=alpha)
    return {
        "mean_gap": found.mean,
        "mean_gap_lower": found.mean - reach,
        "mean_gap_upper": found.mean + reach,
        "tau": found.tau_squared**0.5,
        "tau_lower": lower**0.5,
        "tau_upper": upper**0.5,
        "tau_dl": found.tau_squared_dl**0.5,
        "tau_pm": found.tau_squared_pm**0.5,
        "i_squared": 100 * found.share(found.tau_squared),
        "i_squared_lower": 100 * found.share(lower),
        "i_squared_upper": 100 * found.share(upper),
        "prediction_lower": predicted[0],
        "prediction_upper": predicted[1],
        "q": found.q,
        "q_p_value": found.q_p_value,
    }


def _table(
    rows: list[dict[str, object]], entry: Entry, *, unit_id: str, group: str, reference: str
) -> pd.DataFrame:
    same = {"group": group, "reference": reference, "unit_id": unit_id}
    columns = [name for name in HETEROGENEITY_COLUMNS if name not in _OF_ENTRY]
    frame = pd.DataFrame(rows, columns=columns).assign(
        **same, geographic_level=names.LA, comparable=True
    )
    block = {str(name): frame[name].to_numpy() for name in frame}
    return table([block], HETEROGENEITY_COLUMNS, entry=entry)
