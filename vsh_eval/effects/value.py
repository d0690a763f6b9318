"""What the training cost for what it changed, with an interval or a plain "cannot be estimated"."""

from typing import Any

import numpy as np
import pandas as pd

from vsh_eval import names, registry
from vsh_eval.contracts import Message, require_columns
from vsh_eval.effects.estimators.imputation import imputable_target, impute_parts
from vsh_eval.effects.grid import Floats, Grid, checked, grid
from vsh_eval.effects.rows import COUNTS, OVERALL, simple_row
from vsh_eval.effects.sample.selection import AnalysisSample
from vsh_eval.effects.specification import Study
from vsh_eval.numerics.estimators import imputation as numeric
from vsh_eval.numerics.inference.bootstrap import resampled_sums
from vsh_eval.numerics.inference.significance import ALPHA

FEWEST_RECORDED = 0.8
"""Share of trainings whose cost must be recorded; the rest take their programme's mean."""
MEASURE = "cost_per_unit_regained"
VALUE_COLUMNS = (
    *("measure", "unit", "role", "metric", "programme", "tier", "phase"),
    *("estimate", "std_error", "df", "ci_lower", "ci_upper", *COUNTS),
    *("largest_share", "status", "reason"),
)


def cost_effectiveness(
    study: Study, *, established: bool = True, draws: int = 9_999
) -> pd.DataFrame:
    """Put the cost of training beside the change it bought.

    Parameters
    ----------
    study : Study
        With the training log, whose `cost` is in GBP (NaN where not recorded).
    established : bool
        Whether the evidence says which way training moved the gap; else the row has status ``x``.
    draws : int
        Bootstrap draws of schools behind the intervals.

    Returns
    -------
    DataFrame
        `VALUE_COLUMNS`, one row: cost per unit regained; `unit` is what the metric counts (a
        session, child, event or point). estimate, std_error (the draws' interquartile range over
        1.349, infinite draws left out), ci_lower and ci_upper are in GBP. A row that cannot be
        estimated has status ``x`` and the reason: no log, costs of fewer than four trainings in
        five recorded, an effect whose interval contains zero, or one in the unwanted direction.
        What a school or a child cost is no estimate: `vsh_eval.metrics.training.training_reach`.

    Raises
    ------
    ContractError, DesignError
        If the primary estimate cannot be made, or the log lacks a column.

    Notes
    -----
    Costs count up to the last year used, of the schools that carry the estimate; no discounting.
    Regained is ``|effect| / scale x`` the cohort's denominator in trained school-years. Schools are
    drawn with replacement and everything is added anew, the effect by its jackknife deviations:
    ``effect - sum_s (m_s - 1) d_s``; limits are percentiles, open above (infinite) where a draw
    regains nothing. A cost of what was given: it is not what would be saved.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> gaps = pd.DataFrame([
    ...     (str(s), "primary", year, rng.normal(), 100.0, 5)
    ...     for s in range(12) for year in (201718, 201819, 202223)],
    ...     columns=["unit_id", "phase", "time_period", "outcome", "weight", "pupils"])
    >>> trained = pd.DataFrame({"unit_id": [str(s) for s in range(12)],
    ...                         "adopted": [202223] * 4 + [0] * 8})
    >>> log = pd.DataFrame({"unit_id": list("0123"), "programme": "elsa", "tier": "targeted",
    ...                     "time_period": 202223, "cost": [500.0, 700.0, 500.0, 700.0]})
    >>> study = Study(school_gaps=gaps, exposure=trained, metric="overall_absence", training=log)
    >>> cost_effectiveness(study)[["estimate", "reason"]].values.tolist()
    [[nan, Message('interval_contains_zero')]]
    """
    sample = study.sample()
    primary = simple_row(impute_parts(sample.data))
    costs, missing = _costs(study, sample)
    measure = registry.metric(study.metric)
    wanted = 1.0 if not measure.lower_is_better else -1.0
    reason = missing or _no_change(primary, wanted)
    if not (reason or established):
        reason = Message("effect_not_established")
    cells = grid(checked(sample.data))
    parts, effect = _parts(cells, costs, scale=measure.scale, wanted=wanted)
    estimated: dict[str, Any] = {"status": names.UNAVAILABLE, "reason": reason}
    if not reason:
        drawn = resampled_sums(parts, draws=draws, seed=study.seed)
        whole = parts.sum(axis=0)
        estimate = float(whole[0] / _regained(whole[None], effect)[0])
        estimated = {"estimate": estimate, "status": "", "reason": reason}
        estimated |= _spread(_regained(drawn, effect), drawn[:, 0])
    row = _row(study, measure.counts, primary, estimated, parts)
    return pd.DataFrame([row], columns=list(VALUE_COLUMNS)).astype(dict.fromkeys(COUNTS, "Int64"))


def _costs(study: Study, sample: AnalysisSample) -> tuple[pd.Series, Message]:
    """Return each trained school's cost by unit, and why it is not known, where it is not."""
    nothing = pd.Series(dtype=float)
    if study.training is None:
        return nothing, Message("no_training_log")
    needed = ["unit_id", "programme", "time_period", "cost"]
    require_columns(study.training, needed, name="training")
    log = study.training.assign(unit_id=study.training["unit_id"].astype(str))
    data = sample.data
    trained = data.loc[data["cohort"].gt(0) & data["time"].ge(data["cohort"]), "unit"].astype(str)
    log = log[log["unit_id"].isin(trained) & log["time_period"].le(data["time_period"].max())]
    if log.empty:
        return nothing, Message("training_not_in_log")
    recorded = log["cost"].notna()
    if recorded.mean() < FEWEST_RECORDED:
        share = float(recorded.mean())
        return nothing, Message("cost_not_recorded", share=share, least=FEWEST_RECORDED)
    like = log.groupby("programme")["cost"].transform("mean").fillna(log["cost"].mean())
    return log["cost"].fillna(like).groupby(log["unit_id"]).sum(), Message()


def _no_change(primary: dict[str, Any], wanted: float) -> Message:
    if primary["status"] or not np.isfinite(primary["ci_lower"]):
        return Message("no_interval")
    if primary["ci_lower"] <= 0 <= primary["ci_upper"]:
        return Message("interval_contains_zero")
    if np.sign(primary["estimate"]) != wanted:
        return Message("gap_widened")
    return Message()


def _parts(
    cells: Grid, costs: pd.Series, *, scale: float, wanted: float
) -> tuple[Floats, tuple[float, float]]:
    """Return what each school adds: cost, weight, deviation; and the effect."""
    fitted, target = imputable_target(cells)
    estimates = numeric.estimate(fitted, target[None])
    inside = target > 0
    deviations = estimates.deviations()[0]
    cost = pd.Series(costs).reindex(cells.units.astype(str)).fillna(0.0).to_numpy(float)
    parts = np.stack(
        [
            np.where(inside.any(axis=1), cost, 0.0),
            target.sum(axis=1),
            deviations - deviations.mean(),
        ],
        axis=1,
    )
    return parts, (wanted * float(estimates.estimate[0]) / scale, -wanted / scale)


def _regained(sums: Floats, effect: tuple[float, float]) -> Floats:
    """Return what the cost is divided by: units regained."""
    return (effect[0] + effect[1] * sums[:, 2]) * sums[:, 1]


def _spread(bottom: Floats, top: Floats) -> dict[str, Any]:
    """Return the bootstrap's standard error and percentile limits."""
    drawn = np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), np.inf)
    finite = drawn[np.isfinite(drawn)]
    limits = np.quantile(drawn, [ALPHA / 2, 1 - ALPHA / 2], method="nearest")
    middle = np.diff(np.quantile(finite, [0.25, 0.75]))[0] / 1.349
    return {"std_error": float(middle), "ci_lower": float(limits[0]), "ci_upper": float(limits[1])}


def _row(
    study: Study, unit: str, primary: dict[str, Any], estimated: dict[str, Any], parts: Floats
) -> dict[str, Any]:
    cost = parts[:, 0]
    share = float(cost.max() / cost.sum()) if cost.sum() > 0 else 0.0
    return {
        **dict.fromkeys(VALUE_COLUMNS, np.nan),
        **{key: primary[key] for key in ("df", *COUNTS)},
        "largest_share": max(share, float(primary["largest_share"])),
        "measure": MEASURE,
        "unit": unit,
        "role": "exploratory",
        "metric": study.metric,
        **OVERALL,
        **estimated,
    }
