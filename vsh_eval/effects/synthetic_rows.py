"""Rows of synthetic comparisons: estimates judged by what placebos come to."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsh_eval import names
from vsh_eval.effects.rows import ROW_COLUMNS
from vsh_eval.effects.synthetic_fit import Fit
from vsh_eval.effects.synthetic_panel import Balanced
from vsh_eval.numerics import placebos
from vsh_eval.numerics.synthetic import yearly_noise

Floats = npt.NDArray[np.float64]

_PERFECT = 1e-3
"""A fit closer than this share of the yearly noise counts as this close."""
_FEW = "fewer placebos than a test at this level needs"
_NO_EFFECT = "no constant effect agrees with the placebos at this level"


def estimate_rows(
    panel: Balanced, own: Fit, others: Sequence[Fit], scale: Floats, *, alpha: float
) -> pd.DataFrame:
    """Return the simple, cohort and event rows, each judged by the same of the placebos.

    Parameters
    ----------
    panel : Balanced
        The panel.
    own : Fit
        The treated units against their mixtures.
    others : sequence of Fit
        The placebos.
    scale : array
        By what each placebo is multiplied to be comparable.
    alpha : float
        Significance level.
    """
    effects = pd.DataFrame([fit.events() for fit in others])
    donors = len(panel.units) - len(panel.cohorts)
    same = np.array([fit.average() for fit in others], dtype=np.float64) * scale
    rows = [_row("simple", 0, own.average(), same, alpha)]
    for cohort, one in own.mixtures.items() if len(own.mixtures) > 1 else ():
        same = np.array([fit.mixtures[cohort].estimate for fit in others], dtype=np.float64) * scale
        rows.append(_row("cohort", cohort, one.estimate, same, alpha))
    events = own.events()
    after = [index for index in events.index if index >= 0]
    band = _band(effects.reindex(columns=after).to_numpy(np.float64), scale, alpha)
    for index, value in events.items():
        courses = effects[index].to_numpy(np.float64) * scale if len(effects) else np.empty(0)
        row = _row("event", int(str(index)), float(value), courses, alpha)
        width = row["half_width"]
        if row["index"] >= 0:
            width = max(width, band * row["std_error"])
        row |= {"band_lower": row["estimate"] - width, "band_upper": row["estimate"] + width}
        rows.append(row)
    out = pd.DataFrame(rows).assign(
        cohort=lambda t: t["index"].where(t["aggregation"].eq("cohort"), 0),
        schools_treated=len(panel.cohorts),
        schools_comparison=donors,
        pupils=pd.array([pd.NA] * len(rows), dtype="Int64"),
        largest_share=max(float(m.weights.max()) for m in own.mixtures.values()),
    )
    for prefix in ("lower", "upper"):
        out[f"band_{prefix}"] = out[f"band_{prefix}"].fillna(out[f"ci_{prefix}"])
    return out[list(ROW_COLUMNS)]


def _row(
    aggregation: str, index: int, estimate: float, same: Floats, alpha: float
) -> dict[str, Any]:
    """Judge an estimate by its placebos; without enough of them it has no interval."""
    width = placebos.critical_value(same, alpha=alpha)
    enough = bool(np.isfinite(width))
    unknown = float("nan")
    return {
        "aggregation": aggregation,
        "index": index,
        "estimate": estimate,
        "std_error": float(same.std()) if len(same) > 1 else unknown,
        "df": float(len(same) - 1) if len(same) > 1 else unknown,
        "ci_lower": estimate - width if enough else unknown,
        "ci_upper": estimate + width if enough else unknown,
        "band_lower": unknown,
        "band_upper": unknown,
        "half_width": width if enough else unknown,
        "p_value": placebos.rank_p_value(estimate, same) if len(same) else unknown,
        "status": "" if enough else names.UNAVAILABLE,
        "reason": "" if enough else _FEW,
    }


def _band(courses: Floats, scale: Floats, alpha: float) -> float:
    """Return in how many standard errors a share of placebos lies throughout."""
    scaled = courses * scale[:, np.newaxis] if len(courses) else courses
    if scaled.size == 0:
        return float("nan")
    error = np.sqrt(np.mean(scaled**2, axis=0))
    furthest = np.max(np.abs(scaled) / np.where(error > 0, error, np.inf), axis=1)
    width = placebos.critical_value(furthest, alpha=alpha)
    return width if np.isfinite(width) else float("nan")


def by_ratio(
    rows: pd.DataFrame, own: Fit, table: pd.DataFrame, panel: Balanced, *, alpha: float
) -> pd.DataFrame:
    """Rank the simple row by the ratio of the distances after and before, and invert that test."""
    donors = panel.rows([unit for unit in panel.units if unit not in panel.cohorts])
    first = min(panel.cohorts.values())
    least = _PERFECT * yearly_noise(donors, panel.before(first))
    before = max(own.rmspe(before=True), least)
    ratios = table["rmspe_after"] / table["rmspe_before"].clip(lower=least)
    after, estimate = own.rmspe(before=False), own.average()
    allowed = placebos.critical_value(ratios.to_numpy(np.float64), alpha=alpha) * before
    within = allowed**2 - (after**2 - estimate**2)
    width = float(np.sqrt(within)) if 0 <= within < np.inf else float("nan")
    simple = rows["aggregation"].eq("simple")
    values = {
        "p_value": placebos.rank_p_value(after / before, ratios.to_numpy(np.float64)),
        "ci_lower": estimate - width,
        "ci_upper": estimate + width,
        "band_lower": estimate - width,
        "band_upper": estimate + width,
    }
    rows = rows.copy()
    for column, value in values.items():
        rows.loc[simple, column] = value
    if np.isnan(width):
        rows.loc[simple, "status"] = names.UNAVAILABLE
        rows.loc[simple & rows["reason"].eq(""), "reason"] = _NO_EFFECT
    return rows
