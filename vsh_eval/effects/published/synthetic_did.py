"""Synthetic difference-in-differences for one treated unit, judged by placebos in space."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import Message
from vsh_eval.effects.grid import Floats
from vsh_eval.effects.published.panel import LEAST_DONORS, BalancedPanel, Donors, balanced_panel
from vsh_eval.effects.rows import ROW_COLUMNS
from vsh_eval.numerics.estimators.synthetic import SyntheticUnit, synthetic_unit
from vsh_eval.numerics.inference import placebos

MATERIAL = 0.05
"""Weight from which on a donor is left out once, to see whether the result hangs on it."""


@dataclass(frozen=True, slots=True)
class Synthetic:
    """A synthetic comparison with what it is made of and judged by.

    Attributes
    ----------
    rows : DataFrame
        The estimates (`rows.ROW_COLUMNS`).
    weights : DataFrame
        unit, weight: the donors that carry any, the heaviest first.
    path : DataFrame
        time, outcome, donor_mean, synthetic, effect, before: the unit, the weighted mean of its
        donors, the same shifted to the unit's level of the years before, and outcome less
        synthetic.
    placebos : DataFrame
        unit, estimate, scale, compared: the same estimate where nothing happened; multiplied by
        `scale` it is comparable with the treated unit's. Rank, interval, band and `mde` all come
        from those `compared`: the nearest in size where sizes are known.
    leave_one_out : DataFrame
        unit, estimate: without each donor of weight 0.05 or more.
    rmspe_before : float
        Of the treated unit, in the outcome's unit.
    mde : float
        Smallest effect that the test finds with 80 % power, from the same placebos.
    dropped : tuple of str
        Units left out, as their outcome is hidden or absent in a year used.
    """

    rows: pd.DataFrame
    weights: pd.DataFrame
    path: pd.DataFrame
    placebos: pd.DataFrame
    leave_one_out: pd.DataFrame
    rmspe_before: float
    mde: float
    dropped: tuple[str, ...]


def fit_synthetic(data: pd.DataFrame, donors: Donors, *, unit: str, start: int) -> Synthetic:
    """Estimate an effect by synthetic difference-in-differences.

    Parameters
    ----------
    data : DataFrame
        One row per unit and time: unit, time, outcome; optional pupils (children behind a unit), by
        which placebos of units of other sizes are made comparable and the
        `numerics.inference.placebos.NEAREST` in size are chosen. Missing outcomes are unknown, not
        zero.
    donors : mapping
        The units that each unit is compared with. Every other unit is a placebo, against donors of
        its own: ten neighbours alone could never reject anything at 5 %.
    unit : str
        The treated unit.
    start : int
        Its first treated time.

    Returns
    -------
    Synthetic
        Its rows by `aggregation`: simple (index 0), event (periods with data since treatment;
        negative: distance before). `std_error` is the spread of the placebos, `df` their number
        less one; `p_value` the rank of the estimate among them; `ci_*` the effects that this test
        does not reject, so that they exclude zero exactly where `p_value` is at most .05;
        `band_*` simultaneous over the event rows after treatment. `schools_*` count units. With
        fewer placebos than a test needs a row keeps its estimate, has no interval and status ``x``.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If rows stand twice, the unit has no row, fewer than two periods lie before treatment, or
        fewer than two donors have every outcome.

    Notes
    -----
    Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), American Economic Review 111(12),
    algorithms 1 and 4. Periods without data are taken out. Inference by placebos in space needs no
    assumption about how a unit's years hang together, as placebos hang together the same way.
    Placebos of other sizes: docs/proofs/placebo_authorities.md.

    Examples
    --------
    >>> table = pd.DataFrame([
    ...     (name, year, 10.0 + year * slope - 2 * (name == "a" and year > 3))
    ...     for name, slope in zip("abcdefgh", (1.0, 1.2, 0.9, 1.1, 0.8, 1.0, 1.3, 0.7))
    ...     for year in range(1, 6)], columns=["unit", "time", "outcome"])
    >>> found = fit_synthetic(table, dict.fromkeys("abcdefgh", "abcdefgh"), unit="a", start=4)
    >>> found.rows.loc[0, ["estimate", "p_value"]].astype(float).round(2).tolist()
    [-2.0, 0.12]
    """
    panel = balanced_panel(data, donors, unit=unit, start=start)
    own = _fit(panel, panel.unit)
    able = [name for name in panel.others if len(panel.pools[name]) >= LEAST_DONORS]
    others = {name: _fit(panel, name) for name in able}
    table = _placebo_table(panel, others)
    near = table[table["compared"]]
    scale = near["scale"].to_numpy(np.float64)
    compared = [others[name] for name in near["unit"]]
    pool, times = panel.pools[panel.unit], list(panel.times)
    weights = pd.DataFrame({"unit": pool, "weight": own.weights})
    outcome = panel.rows([panel.unit])[0]
    return Synthetic(
        rows=_estimate_rows(panel, own, compared, scale),
        weights=weights[weights["weight"] > 0].sort_values(
            ["weight", "unit"], ascending=[False, True], ignore_index=True
        ),
        path=pd.DataFrame(
            {
                "time": times,
                "outcome": outcome,
                "donor_mean": own.weights @ panel.rows(pool),
                "synthetic": outcome - own.effects,
                "effect": own.effects,
                "before": np.arange(len(times)) < panel.before,
            }
        ),
        placebos=table,
        leave_one_out=_leave_one_out(panel, own),
        rmspe_before=own.rmspe_before,
        mde=placebos.detectable(near["estimate"].to_numpy(np.float64) * scale),
        dropped=panel.dropped,
    )


def _fit(panel: BalancedPanel, unit: str) -> SyntheticUnit:
    """Set a unit against its weighted donors."""
    pool = panel.rows(panel.pools[unit])
    return synthetic_unit(pool, panel.rows([unit])[0], panel.before)


def _placebo_table(panel: BalancedPanel, others: Mapping[str, SyntheticUnit]) -> pd.DataFrame:
    """List the placebos: estimate, distances before and after, scale, compared or not."""
    table = pd.DataFrame(
        {"unit": list(others), "estimate": [fit.estimate for fit in others.values()]}
    ).astype({"unit": "str"})
    sizes = _known_sizes(panel, table)
    if sizes is None:
        return table.assign(scale=1.0, compared=True)
    at, own = sizes
    spread = placebos.size_spread(
        table["estimate"].to_numpy(np.float64), at, np.concatenate([at, [own]])
    )
    scale = spread[-1] / spread[:-1] if (spread > 0).all() else np.ones(len(at))
    return table.assign(scale=scale, compared=placebos.nearest_sizes(at, own))


def _known_sizes(panel: BalancedPanel, table: pd.DataFrame) -> tuple[Floats, float] | None:
    """Return the placebos' sizes and the unit's own; none where placebos cannot be told by size."""
    if panel.sizes is None or len(table) < LEAST_DONORS:
        return None
    sizes = pd.Series(panel.sizes, index=panel.outcomes.index)
    at = np.asarray(sizes[table["unit"]], dtype=np.float64)
    own = float(sizes[panel.unit])
    return (at, own) if (at > 0).all() and own > 0 else None


def _leave_one_out(panel: BalancedPanel, own: SyntheticUnit) -> pd.DataFrame:
    """Leave out each donor of some weight, to see whether one of them carries the result."""
    rows, pool = [], panel.pools[panel.unit]
    treated = panel.rows([panel.unit])[0]
    for name, weight in zip(pool, own.weights, strict=True) if len(pool) > LEAST_DONORS else ():
        if weight >= MATERIAL:
            rest = panel.rows([other for other in pool if other != name])
            rows.append((name, synthetic_unit(rest, treated, panel.before).estimate))
    return pd.DataFrame(rows, columns=["unit", "estimate"])


def _estimate_rows(
    panel: BalancedPanel, own: SyntheticUnit, others: Sequence[SyntheticUnit], scale: Floats
) -> pd.DataFrame:
    """Return the simple and event rows, each judged by the same of the placebos."""
    same = np.array([fit.estimate for fit in others], dtype=np.float64) * scale
    rows = [_row("simple", 0, own.estimate, same)]
    shape = len(others), len(own.effects)
    paths = np.array([fit.effects for fit in others]).reshape(shape) * scale[:, None]
    band = _band(paths[:, panel.before :])
    for place, value in enumerate(own.effects):
        index = place - panel.before
        row = _row("event", index, float(value), paths[:, place])
        width = row["half_width"]
        if index >= 0:
            width = max(width, band * row["std_error"])
        row |= {"band_lower": row["estimate"] - width, "band_upper": row["estimate"] + width}
        rows.append(row)
    out = pd.DataFrame(rows).assign(
        cohort=0,
        schools_treated=1,
        schools_comparison=len(panel.others),
        pupils=pd.array([pd.NA] * len(rows), dtype="Int64"),
        largest_share=float(own.weights.max()),
    )
    for prefix in ("lower", "upper"):
        out[f"band_{prefix}"] = out[f"band_{prefix}"].fillna(out[f"ci_{prefix}"])
    return out[list(ROW_COLUMNS)]


def _row(aggregation: str, index: int, estimate: float, same: Floats) -> dict[str, Any]:
    """Judge an estimate by its placebos; without enough of them it has no interval."""
    width = placebos.critical_value(same)
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
        "reason": Message() if enough else Message("too_few_placebos"),
    }


def _band(paths: Floats) -> float:
    """Return in how many standard errors a share of placebos lies throughout."""
    if not paths.size:
        return float("nan")
    error = np.sqrt(np.mean(paths**2, axis=0))
    furthest = np.max(np.abs(paths) / np.where(error > 0, error, np.inf), axis=1)
    width = placebos.critical_value(furthest)
    return width if np.isfinite(width) else float("nan")
