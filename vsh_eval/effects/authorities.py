"""DfE's published tables: one authority's offer against other authorities' offers."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval import academic_year, names
from vsh_eval.contracts import ContractError, DesignError, require_columns, require_one_of
from vsh_eval.effects.authority_rows import EXTRA_COLUMNS, found_rows, impossible_row, range_rows
from vsh_eval.effects.rows import ESTIMATE_COLUMNS
from vsh_eval.effects.suppressed import own_suppressed, suppressed_of
from vsh_eval.effects.suppressed_range import SuppressedRange, suppressed_range
from vsh_eval.effects.synthetic_did import METHODS, Synthetic, fit_synthetic
from vsh_eval.effects.synthetic_panel import with_cohort
from vsh_eval.numerics.synthetic import Method

Pool = Literal["neighbours", "region", "all"]
POOLS: tuple[Pool, ...] = ("neighbours", "region", "all")

NATIONAL_DUTY = (
    "Since September 2021 every virtual school in England has had a duty towards children with a "
    "social worker: what is compared is this authority's offer with other authorities' offers, "
    "not with no offer, and whatever the duty did everywhere cannot show."
)
"""Stands beside every estimate made from published tables."""


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
    place = dict(zip(units, local["region_id"] if donors == "region" else units, strict=True))
    alike = donors == "all"
    return {u: tuple(o for o in units if o != u and (alike or place[o] == place[u])) for u in units}


def authority_panel(
    gaps: pd.DataFrame, *, metric: str, phase: str = names.TOTAL, group: str = names.CWSW
) -> pd.DataFrame:
    """Take one published gap of every authority over its comparable years.

    Parameters
    ----------
    gaps : DataFrame
        Published gaps: geographic_level, unit_id, time_period, phase, metric, group, gap,
        group_pupils, comparable.
    metric, phase, group : str
        Which.

    Returns
    -------
    DataFrame
        unit, time (academic year), outcome (missing where suppressed), pupils: what
        `synthetic_did` takes.

    Raises
    ------
    ContractError
        If a column is missing, or no authority has such a row.
    """
    needed = ["geographic_level", "unit_id", "time_period", "phase", "metric", "group", "gap"]
    require_columns(gaps, [*needed, "group_pupils", "comparable"], name="gaps")
    rows = gaps[
        gaps["geographic_level"].eq(names.LA)
        & gaps["metric"].eq(metric)
        & gaps["phase"].eq(phase)
        & gaps["group"].eq(group)
        & gaps["comparable"].astype(bool)
    ]
    if rows.empty:
        raise ContractError(
            f"gaps have no row of {metric} for {group} in phase {phase}, must have one for each "
            "authority and year; choose an outcome that is published."
        )
    return pd.DataFrame(
        {
            "unit": rows["unit_id"].astype(str),
            "time": rows["time_period"].astype(np.int64),
            "outcome": rows["gap"].astype(float),
            "pupils": rows["group_pupils"].astype("Float64").to_numpy(float, na_value=np.nan),
        }
    ).reset_index(drop=True)


def fit_authority(
    panel: pd.DataFrame,
    pools: dict[str, tuple[str, ...]],
    *,
    authority: str,
    offer_start: int,
    method: Method = "synthetic_did",
    alpha: float = 0.05,
) -> Synthetic:
    """Set one authority against a mixture of others, judged by placebos on all the others.

    Parameters
    ----------
    panel : DataFrame
        From `authority_panel`.
    pools : dict
        From `donor_pools`. Every other authority is a placebo, against a mixture of its own pool:
        ten neighbours alone could never reject anything at 5 %.
    authority : str
        Its ``unit_id``.
    offer_start : int
        First academic year of its offer.
    method : {"synthetic_did", "synthetic_control"}
        The estimator; both are ranked by the estimate, as few years before leave most authorities
        perfectly matched.
    alpha : float
        Significance level.

    Returns
    -------
    Synthetic
        Placebos of authorities of other sizes are made comparable by the number of children, and
        the estimate is ranked among those nearest in size: right for small and large ones alike
        (docs/proofs/placebo_authorities.md).

    Raises
    ------
    DesignError
        If the years or the donors cannot bear it.
    """
    data = with_cohort(panel, unit=authority, start=offer_start)
    try:
        return fit_synthetic(data, method=method, statistic="estimate", donors=pools, alpha=alpha)
    except DesignError as error:
        # On any long table a time is a number; here it is an academic year.
        words = str(error).replace(str(offer_start), academic_year.label(offer_start))
        raise DesignError(words) from error


def authority_estimates(
    gaps: pd.DataFrame,
    areas: pd.DataFrame,
    neighbours: pd.DataFrame,
    *,
    authority: str,
    offer_start: int,
    metrics: Sequence[str],
    donors: Pool = "neighbours",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Estimate what an authority's offer changed, from published tables.

    Parameters
    ----------
    gaps, areas, neighbours : DataFrame
        From `metrics.gaps` on the published panel, and from the published files. Where gaps have
        gained `with_suppressed_values`, every pool that a suppressed number touches has two rows
        more: the lowest and the highest estimate that suppressed numbers allow (synthetic DiD).
    authority, offer_start, alpha
        As for `fit_authority`.
    metrics : sequence of str
        The outcomes, the primary first, the others secondary.
    donors : {"neighbours", "region", "all"}
        The pool that carries the role; the other pools, and synthetic control, stand beside it with
        role ``robustness``.

    Returns
    -------
    DataFrame
        The estimates contract (`rows.ESTIMATE_COLUMNS`), aggregations simple and event, comparison
        the pool, `schools_*` and `pupils` missing; then `authority_rows.EXTRA_COLUMNS`. The rows of
        the range have comparison ``<pool>_lowest`` and ``<pool>_highest``, role ``robustness`` and
        no event rows. Where a number of the authority itself is suppressed, its estimate leaves out
        that year (`own_suppressed` counts them) and only the range keeps it. A comparison that
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
        fit = partial(
            fit_authority, outcomes, authority=authority, offer_start=offer_start, alpha=alpha
        )
        role = "primary" if place == 0 else "secondary"
        parts = _mixtures(fit, pools, authority=authority, asked=donors, role=role)
        values = suppressed_of(gaps, metric=metric)
        if not values.empty:
            keep = partial(
                suppressed_range,
                outcomes,
                values,
                authority=authority,
                offer_start=offer_start,
                alpha=alpha,
            )
            parts += _ranges(keep, pools, authority=authority)
        own = own_suppressed(gaps, metric=metric, authority=authority)
        tables += [rows.assign(metric=metric, own_suppressed=own) for rows in parts]
    everything = {"programme": "any", "tier": "any", "phase": names.TOTAL}
    table = pd.concat(tables, ignore_index=True).assign(**everything)
    return table[[*ESTIMATE_COLUMNS, *EXTRA_COLUMNS]]


def _mixtures(
    fit: Callable[..., Synthetic],
    pools: Mapping[str, dict[str, tuple[str, ...]]],
    *,
    authority: str,
    asked: Pool,
    role: str,
) -> list[pd.DataFrame]:
    """Compare by every method with every pool; one of them carries the role."""
    tables = []
    for method, pool in product(METHODS, POOLS):
        try:
            found = fit(pools[pool], method=method)
            rows = found_rows(found, donors=pools[pool].get(authority, ()))
        except DesignError as error:
            rows = impossible_row(str(error))
        carries = method == METHODS[0] and pool == asked
        labels = {"estimator": method, "comparison": pool}
        tables.append(rows.assign(role=role if carries else "robustness", **labels))
    return tables


def _ranges(
    keep: Callable[..., SuppressedRange | None],
    pools: Mapping[str, dict[str, tuple[str, ...]]],
    *,
    authority: str,
) -> list[pd.DataFrame]:
    """Keep, pool by pool, whom suppressed numbers would leave out."""
    tables = []
    for pool, donors in pools.items():
        try:
            span = keep(donors)
        except DesignError:
            continue  # The pool's own row says why.
        if span is not None:
            rows = range_rows(span, donors=donors.get(authority, ()), pool=pool)
            tables.append(rows.assign(role="robustness", estimator=METHODS[0]))
    return tables


def authority_course(found: Synthetic, *, metric: str, comparison: Pool) -> pd.DataFrame:
    """Tabulate both courses over the years, for a figure and the table under it.

    Parameters
    ----------
    found : Synthetic
        From `fit_authority`.
    metric, comparison : str
        Written into the rows.

    Returns
    -------
    DataFrame
        metric, comparison, time_period, outcome, synthetic, effect (outcome less synthetic),
        placebo_lower, placebo_upper (where the test at `alpha` would see nothing, about nought),
        before, status: areas are published, so nothing in it is to be hidden.
    """
    events = found.rows[found.rows["aggregation"].eq("event")].sort_values("index")
    half = ((events["ci_upper"] - events["ci_lower"]) / 2).to_numpy(np.float64)
    course = found.path.rename(columns={"time": "time_period"}).drop(columns="cohort")
    course = course.assign(placebo_lower=-half, placebo_upper=half, status="")
    return course.assign(metric=metric, comparison=comparison)
