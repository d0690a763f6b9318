"""The primary estimator: what the gap would have been, imputed from untrained school-years."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsh_eval.contracts import InfeasibleError, require_columns
from vsh_eval.effects.grid import Floats, Grid, checked, grid
from vsh_eval.effects.rows import linear_rows, messages, with_inference
from vsh_eval.numerics.estimators import imputation as numeric
from vsh_eval.numerics.inference import bands

MOST_LEADS = 3
"""Placebo leads at most: each takes a year away from what the gap is imputed from."""
AGGREGATIONS = ("simple", "cohort", "calendar", "event", "att_gt")
ALL = "all"
"""The part that is the whole."""


@dataclass(frozen=True, slots=True)
class Imputation:
    """Estimates by imputation with what later questions need.

    Attributes
    ----------
    rows : DataFrame
        One row an estimate (`rows.ROW_COLUMNS`).
    event_covariance : DataFrame
        Jackknife covariance of the event rows, leads included, by event time.
    leave_one_out : DataFrame
        unit, estimate: the simple estimate without each school. Internal: never released.
    """

    rows: pd.DataFrame
    event_covariance: pd.DataFrame
    leave_one_out: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Targets:
    """What is averaged: names of the targets and their weights (K, S, T)."""

    labels: list[tuple[str, int, int]]
    weights: Floats


def impute(
    data: pd.DataFrame, *, leads: int | None = None, seed: int = 0, draws: int = 10_000
) -> pd.DataFrame:
    """Estimate the effect of training on the treated by imputation.

    Parameters
    ----------
    data : DataFrame
        One row per school-year: unit, time, cohort (first treated year, 0 = never), outcome,
        weight (the target's, and the fit's unless `fit_weight` is there); optional stratum (year
        effects by stratum) and pupils (counted). Absent rows are school-years without pupils.
    leads : int, optional
        Placebo leads; by default the most, up to 3, that three quarters of the treated schools can
        bear (a school bears as many as it has years with data before the first of them).
    seed, draws : int
        Of the draws that make the bands simultaneous.

    Returns
    -------
    DataFrame
        Rows by `aggregation`: simple (index 0), cohort, calendar, event (years since adoption,
        counted in years with data; negative: leads), att_gt (with `cohort`). `std_error` is the
        delete-one-school jackknife, `df` schools less one; `ci_*` pointwise, `band_*`
        simultaneous within an aggregation, both in the outcome's unit. A row with status ``x``
        has no interval and says why in `reason`.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If no treated school-year can be imputed, or the table is not one row per school-year.

    Notes
    -----
    ``y_st = alpha_s + beta_t`` by weighted least squares on untreated cells; the estimate is the
    weighted mean of ``y_st - alpha_s - beta_t`` over treated ones. Leads are the same with
    adoption moved that many years earlier, so that their years take no part in the fit.
    Borusyak, Jaravel and Spiess (2024), Review of Economic Studies 91(6).

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": list("aaabbbccc"), "time": [1, 2, 3] * 3, "cohort": [3] * 6 + [0] * 3,
    ...     "outcome": [5.0, 6, 4, 7, 9, 7, 8, 9, 10], "weight": 1.0})
    >>> impute(table).loc[0, "estimate"].round(3)
    np.float64(-2.75)
    """
    return fit_imputation(data, leads=leads, seed=seed, draws=draws).rows


def fit_imputation(
    data: pd.DataFrame, *, leads: int | None = None, seed: int = 0, draws: int = 10_000
) -> Imputation:
    """Estimate by imputation and keep the covariance, the leave-one-outs and what was dropped.

    Parameters, errors and method are those of `impute`.

    Returns
    -------
    Imputation

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": list("aaabbbccc"), "time": [1, 2, 3] * 3, "cohort": [3] * 6 + [0] * 3,
    ...     "outcome": [5.0, 6, 4, 7, 9, 7, 8, 9, 10], "weight": 1.0})
    >>> len(fit_imputation(table).leave_one_out)
    3
    """
    cells = grid(checked(data))
    fitted = _fit(cells, cells.treated)
    return imputed(cells, fitted, leads=leads, seed=seed, draws=draws)


def imputed(
    cells: Grid, fitted: numeric.Fit, *, leads: int | None, seed: int, draws: int
) -> Imputation:
    """Average the imputed effects by cohort, year and time since adoption, with inference.

    Parameters
    ----------
    cells : Grid
        Schools by years.
    fitted : Fit
        Of the untrained school-years.
    leads, seed, draws
        As for `impute`.

    Raises
    ------
    DesignError
        If no treated school-year can be imputed.
    """
    target = np.where(cells.treated & numeric.imputable(fitted), cells.weight, 0.0)
    if not target.any():
        raise _nothing_imputed(cells)
    main = _targets(cells, target)
    lead_targets = leads_borne(cells, target) if leads is None else leads
    blocks = [(main, numeric.estimate(fitted, main.weights))]
    placebo = _placebo(cells, lead_targets) if lead_targets else None
    blocks += [] if placebo is None else [placebo]
    rows, deviations = _rows(cells, blocks)
    critical = {}
    for name in AGGREGATIONS[1:]:
        together = rows["aggregation"].eq(name) & rows["schools_treated"].ge(2)
        critical[name] = bands.max_t_critical(
            deviations[together], float(rows.loc[together, "df"].min()), draws=draws, seed=seed
        )
    size = float(np.abs(cells.outcome).max())
    events = rows["aggregation"].eq("event").to_numpy()
    labels = rows.loc[events, "index"].to_list()
    estimates = blocks[0][1]
    return Imputation(
        rows=with_inference(rows, critical, size=size),
        event_covariance=pd.DataFrame(
            deviations[events] @ deviations[events].T, index=labels, columns=labels
        ),
        leave_one_out=pd.DataFrame({"unit": cells.units, "estimate": estimates.leave_one_out[0]})[
            estimates.contributes[0]
        ].reset_index(drop=True),
    )


def impute_parts(data: pd.DataFrame, *, by: str | None = None) -> pd.DataFrame:
    """Estimate the effect by imputation, on all treated school-years or on parts of them.

    Parameters
    ----------
    data : DataFrame
        As for `impute`.
    by : str, optional
        Column that names the part of each treated school-year; '' for none. The fit is the same
        for every part.

    Returns
    -------
    DataFrame
        `rows.ROW_COLUMNS` and `part`, one row a part (``all`` without `by`), sorted by part;
        aggregation is ``simple``. A part without an imputable school-year has no row.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If no treated school-year can be imputed.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": list("aaabbbccc"), "time": [1, 2, 3] * 3, "cohort": [3] * 6 + [0] * 3,
    ...     "outcome": [5.0, 6, 4, 7, 9, 7, 8, 9, 10], "weight": 1.0})
    >>> impute_parts(table)[["part", "estimate"]].round(3).values.tolist()
    [['all', -2.75]]
    """
    if by is not None:
        require_columns(data, [by], name="the table of school-years")
    rows = checked(data)
    cells = grid(rows)
    fitted, target = imputable_target(cells)
    named = np.full(target.shape, ALL, dtype=object)
    if by is not None:
        named[:] = ""
        unit = np.searchsorted(cells.units.astype(str), rows["unit"].astype(str).to_numpy())
        year = np.searchsorted(cells.times, rows["time"].to_numpy(np.int64))
        named[unit, year] = rows[by].astype(str).to_numpy(object)
    labels = [label for label in np.unique(named[target > 0].astype(str)) if label]
    if not labels:
        raise InfeasibleError("no_part_named", by=by or "")
    weights = np.stack([np.where(named == label, target, 0.0) for label in labels])
    estimates = numeric.estimate(fitted, weights)
    part_rows = linear_rows(
        cells,
        [("simple", 0, 0)] * len(labels),
        target=weights,
        implied=estimates.implied_weight,
        estimate=estimates.estimate,
        deviations=estimates.deviations(),
    )
    size = float(np.abs(cells.outcome).max())
    return with_inference(part_rows, {}, size=size).assign(part=labels)


def imputable_target(cells: Grid) -> tuple[numeric.Fit, Floats]:
    """Fit the untrained school-years and weigh the trained ones that they can impute, (S, T).

    Raises
    ------
    DesignError
        If there is none.
    """
    fitted = _fit(cells, cells.treated)
    target = np.where(cells.treated & numeric.imputable(fitted), cells.weight, 0.0)
    if not target.any():
        raise _nothing_imputed(cells)
    return fitted, target


def _fit(cells: Grid, treated: npt.NDArray[np.bool_]) -> numeric.Fit:
    return numeric.fit(cells.outcome, cells.fit_weight, treated, cells.stratum)


def _targets(cells: Grid, target: Floats) -> _Targets:
    """Name the sets of treated cells that are averaged; sets without weight are left out."""
    times = np.broadcast_to(cells.times[None, :], target.shape)
    cohorts = np.broadcast_to(cells.cohorts[:, None], target.shape)
    used = target > 0
    sets = [(("simple", 0, 0), used)]
    sets += [(("cohort", 0, int(g)), cohorts == g) for g in np.unique(cohorts[used])]
    sets += [(("calendar", 0, int(t)), times == t) for t in np.unique(times[used])]
    sets += [(("event", 0, int(e)), cells.event == e) for e in np.unique(cells.event[used])]
    pairs = np.unique(np.stack([cohorts[used], times[used]], axis=1), axis=0)
    sets += [(("att_gt", int(g), int(t)), (cohorts == g) & (times == t)) for g, t in pairs.tolist()]
    return _Targets(
        labels=[label for label, _ in sets],
        weights=np.stack([np.where(inside, target, 0.0) for _, inside in sets]),
    )


def leads_borne(cells: Grid, target: Floats) -> int:
    """Return the most leads that three quarters of the treated schools can bear."""
    treated = target.any(axis=1)
    before = (cells.fit_weight > 0) & (cells.event < 0)
    for leads in range(MOST_LEADS, 0, -1):
        bearing = (before & (cells.event < -leads)).any(axis=1) & treated
        if 4 * bearing.sum() >= 3 * treated.sum():
            return leads
    return 0


def _placebo(cells: Grid, leads: int) -> tuple[_Targets, numeric.Estimates] | None:
    """Impute the last years before adoption from the years before those."""
    inside = cells.ever[:, None] & (cells.event >= -leads) & (cells.event < 0)
    fitted = _fit(cells, cells.treated | inside)
    target = np.where(inside & numeric.imputable(fitted), cells.weight, 0.0)
    events = np.unique(cells.event[target > 0])
    if events.size == 0:
        return None
    weights = np.stack([np.where(cells.event == event, target, 0.0) for event in events])
    labels = [("event", 0, int(event)) for event in events]
    return _Targets(labels, weights), numeric.estimate(fitted, weights)


def _rows(
    cells: Grid, blocks: list[tuple[_Targets, numeric.Estimates]]
) -> tuple[pd.DataFrame, Floats]:
    """Put the estimates of all blocks into rows, with each school's scaled deviation."""
    parts = [_block_rows(cells, targets, estimates) for targets, estimates in blocks]
    rows = pd.concat(parts, ignore_index=True)
    deviations = np.concatenate([estimates.deviations() for _, estimates in blocks])
    rank = rows["aggregation"].map({name: i for i, name in enumerate(AGGREGATIONS)})
    order = np.lexsort((rows["index"], rows["cohort"], rank))
    return rows.iloc[order].reset_index(drop=True), deviations[order]


def _block_rows(cells: Grid, targets: _Targets, estimates: numeric.Estimates) -> pd.DataFrame:
    rows = linear_rows(
        cells,
        targets.labels,
        target=targets.weights,
        implied=estimates.implied_weight,
        estimate=estimates.estimate,
        deviations=estimates.deviations(),
    )
    codes = np.where(estimates.jackknifed, "", "influence_function_error")
    return rows.assign(reason=messages(codes, rows))


def _nothing_imputed(cells: Grid) -> InfeasibleError:
    """Return why no treated school-year can be imputed."""
    if not cells.ever.any():
        return InfeasibleError("nobody_trained_in_years")
    before = ((cells.fit_weight > 0) & ~cells.treated).any(axis=1) & cells.ever
    return InfeasibleError("no_untrained_school" if before.any() else "no_pupils_before")
