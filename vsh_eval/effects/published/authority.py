"""DfE's published tables: one authority's offer against other authorities' offers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import ContractError, InfeasibleError, require_columns, require_one_of
from vsh_eval.effects.published.synthetic_did import Synthetic, fit_synthetic
from vsh_eval.effects.rows import ESTIMATE_COLUMNS, OVERALL, ROW_COLUMNS, infeasible_row

Pool = Literal["neighbours", "region", "all"]
POOLS: tuple[Pool, ...] = ("neighbours", "region", "all")

EXTRA_COLUMNS = (
    *("donors", "placebos", "mde", "rmspe_before"),
    *("leave_one_out_lower", "leave_one_out_upper", "left_out", "own_suppressed"),
    "reason",
)
"""What an authority's estimates add to the contract, on simple rows: donors with a weight and
placebos compared with (their numbers), the smallest detectable effect, the distance before, the
range of the estimate without each donor, donors left out for a hidden or absent year, the
authority's own suppressed numbers, and why there is no estimate."""
TRAJECTORY_COLUMNS = (
    *("time_period", "outcome", "donor_mean", "synthetic", "distance", "before"),
    *("placebo_lower", "placebo_upper", "status", "metric", "comparison"),
)


def donor_pools(
    areas: pd.DataFrame, neighbours: pd.DataFrame, *, donors: Pool
) -> dict[str, tuple[str, ...]]:
    """Return which authorities each authority is compared with.

    Parameters
    ----------
    areas : DataFrame
        unit_id, level, region_id.
    neighbours : DataFrame
        unit_id, neighbour_id: DfE's ten statistical neighbours.
    donors : {"neighbours", "region", "all"}
        The pool.

    Returns
    -------
    dict
        By authority; empty where it has none.

    Raises
    ------
    ContractError
        If a column is missing or the pool is unknown.

    Examples
    --------
    >>> areas = pd.DataFrame({"unit_id": ["a", "b", "c"], "level": "la", "region_id": list("NNS")})
    >>> donor_pools(areas, pd.DataFrame(), donors="region")
    {'a': ('b',), 'b': ('a',), 'c': ()}
    """
    require_one_of(donors, POOLS, name="donors")
    require_columns(areas, ["unit_id", "level", "region_id"], name="areas")
    local = areas[areas["level"].eq(names.LA)]
    units = local["unit_id"].tolist()
    if donors == "neighbours":
        require_columns(neighbours, ["unit_id", "neighbour_id"], name="neighbours")
        near = neighbours.groupby("unit_id")["neighbour_id"].agg(tuple).to_dict()
        return {unit: near.get(unit, ()) for unit in units}
    regions = local["region_id"] if donors == "region" else [""] * len(units)
    place = dict(zip(units, regions, strict=True))
    return {u: tuple(o for o in units if o != u and place[o] == place[u]) for u in units}


def authority_panel(gaps: pd.DataFrame, *, metric: str) -> pd.DataFrame:
    """Take one published gap of every authority over its comparable years.

    Parameters
    ----------
    gaps : DataFrame
        Published gaps: geographic_level, unit_id, time_period, phase, metric, group, gap,
        group_pupils, comparable.
    metric : str
        Which; that of children with a social worker, all phases together.

    Returns
    -------
    DataFrame
        unit, time (academic year), outcome (missing where suppressed), pupils: what
        `fit_synthetic` takes.

    Raises
    ------
    ContractError
        If a column is missing, or no authority has such a row.
    """
    needed = ["geographic_level", "unit_id", "time_period", "phase", "metric", "group", "gap"]
    require_columns(gaps, [*needed, "group_pupils", "comparable"], name="gaps")
    rows = _comparable(gaps, metric)
    if rows.empty:
        raise ContractError(
            f"gaps have no row of {metric} for {names.CWSW} in phase {names.TOTAL}, must have one "
            "for each authority and year; choose an outcome that is published."
        )
    return pd.DataFrame(
        {
            "unit": rows["unit_id"].astype(str),
            "time": rows["time_period"].astype(np.int64),
            "outcome": rows["gap"].astype(float),
            "pupils": rows["group_pupils"].astype("Float64").to_numpy(float, na_value=np.nan),
        }
    ).reset_index(drop=True)


def authority_estimates(
    gaps: pd.DataFrame,
    areas: pd.DataFrame,
    neighbours: pd.DataFrame,
    *,
    authority: str,
    offer_start: int,
    metrics: Sequence[str],
    donors: Pool = "neighbours",
) -> pd.DataFrame:
    """Estimate what an authority's offer changed, from published tables.

    Parameters
    ----------
    gaps, areas, neighbours : DataFrame
        From `metrics.gaps` on the published panel, and from the published files. An
        authority with a suppressed number in a year used is left out and counted.
    authority, offer_start
        As for `fit_synthetic`.
    metrics : sequence of str
        The outcomes, the primary first, the others secondary.
    donors : {"neighbours", "region", "all"}
        The pool that carries the role; the other pools have role ``robustness``.

    Returns
    -------
    DataFrame
        The estimates contract (`rows.ESTIMATE_COLUMNS`), aggregations simple and event, comparison
        the pool, `schools_*` and `pupils` missing; then `EXTRA_COLUMNS`. Where a
        number of the authority itself is suppressed, its estimate leaves out that year
        (`own_suppressed` counts them). A comparison that
        cannot be made has one simple row without numbers and status ``x``.

    Raises
    ------
    ContractError
        If a column is missing or no authority has such an outcome.
    """
    require_one_of(donors, POOLS, name="donors")
    pools = {name: donor_pools(areas, neighbours, donors=name) for name in POOLS}
    tables = []
    for place, metric in enumerate(metrics):
        outcomes = authority_panel(gaps, metric=metric)
        fit = partial(fit_synthetic, outcomes, unit=authority, start=offer_start)
        role = "primary" if place == 0 else "secondary"
        parts = _comparisons(fit, pools, authority=authority, requested=donors, role=role)
        own = own_suppressed(gaps, metric=metric, authority=authority)
        tables += [rows.assign(metric=metric, own_suppressed=own) for rows in parts]
    table = pd.concat(tables, ignore_index=True).assign(**OVERALL)
    return table[[*ESTIMATE_COLUMNS, *EXTRA_COLUMNS]]


def _comparisons(
    fit: Callable[..., Synthetic],
    pools: Mapping[Pool, dict[str, tuple[str, ...]]],
    *,
    authority: str,
    requested: Pool,
    role: str,
) -> list[pd.DataFrame]:
    """Compare with every pool; one of them carries the role."""
    tables = []
    for pool in POOLS:
        try:
            synthetic = fit(pools[pool])
            rows = _compared(synthetic, donors=pools[pool].get(authority, ()))
        except InfeasibleError as error:
            columns = (*ROW_COLUMNS, *EXTRA_COLUMNS, "p_adjusted")
            rows = infeasible_row(columns, error.message)
        labels = {"estimator": "synthetic_did", "comparison": pool}
        tables.append(rows.assign(role=role if pool == requested else "robustness", **labels))
    return tables


def own_suppressed(gaps: pd.DataFrame, *, metric: str, authority: str) -> int:
    """Count an authority's own suppressed gaps, in years that can be compared."""
    rows = _comparable(gaps, metric)
    hidden = rows["gap"].isna() & rows["status"].eq(names.CONFIDENTIAL)
    return int((rows["unit_id"].eq(authority) & hidden).sum())


def _comparable(gaps: pd.DataFrame, metric: str) -> pd.DataFrame:
    return gaps[
        gaps["geographic_level"].eq(names.LA)
        & gaps["metric"].eq(metric)
        & gaps["phase"].eq(names.TOTAL)
        & gaps["group"].eq(names.CWSW)
        & gaps["comparable"].astype(bool)
    ]


def _compared(synthetic: Synthetic, *, donors: Collection[str]) -> pd.DataFrame:
    """Tabulate a comparison: its rows, and the numbers of `EXTRA_COLUMNS` on the simple one."""
    simple = synthetic.rows["aggregation"].eq("simple")
    others = synthetic.leave_one_out["estimate"]
    numbers = {
        "donors": len(synthetic.weights),
        "placebos": int(synthetic.placebos["compared"].sum()),
        "mde": synthetic.mde if np.isfinite(synthetic.mde) else np.nan,
        "rmspe_before": synthetic.rmspe_before,
        "leave_one_out_lower": others.min(),
        "leave_one_out_upper": others.max(),
        "left_out": len(set(synthetic.dropped) & set(donors)),
    }
    rows = synthetic.rows.assign(**numbers, p_adjusted=np.nan)
    rows.loc[~simple, list(numbers)] = np.nan
    schools = ["schools_treated", "schools_comparison"]
    return rows.assign(**dict.fromkeys(schools, np.nan))


def authority_trajectory(synthetic: Synthetic, *, metric: str, comparison: Pool) -> pd.DataFrame:
    """Tabulate both trajectories over the years, for a figure and the table under it.

    Parameters
    ----------
    synthetic : Synthetic
        From `fit_synthetic`.
    metric, comparison : str
        Written into the rows.

    Returns
    -------
    DataFrame
        metric, comparison, time_period, outcome, donor_mean (the weighted average of the donors),
        synthetic (the same, shifted to the level before), distance (outcome less synthetic),
        placebo_lower, placebo_upper (where the test would see nothing, about zero),
        before, status: areas are published, so nothing in it is to be hidden.
    """
    events = synthetic.rows[synthetic.rows["aggregation"].eq("event")].sort_values("index")
    half = ((events["ci_upper"] - events["ci_lower"]) / 2).to_numpy(np.float64)
    trajectory = synthetic.path.rename(columns={"time": "time_period", "effect": "distance"})
    trajectory = trajectory.assign(placebo_lower=-half, placebo_upper=half, status="")
    return trajectory.assign(metric=metric, comparison=comparison)[list(TRAJECTORY_COLUMNS)]
