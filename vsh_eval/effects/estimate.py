"""One outcome's estimates together: the primary one, and what stands beside it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import DesignError, require_columns, require_one_of
from vsh_eval.effects.gate import Prepared
from vsh_eval.effects.imputation import donut, impute
from vsh_eval.effects.rows import ESTIMATE_COLUMNS, ROW_COLUMNS
from vsh_eval.effects.staggered import COMPARISONS, att_gt
from vsh_eval.effects.strata import BY_PHASE, ESTIMATORS

Role = Literal["primary", "secondary", "robustness", "exploratory"]
ROLES = ("primary", "secondary", "robustness", "exploratory")
LOG_COHORT = "log_cohort_size"
_IN_TABLE = ("simple", "cohort", "calendar", "event")


def estimate(
    prepared: Prepared,
    *,
    metric: str,
    role: Role = "primary",
    programme: str = "any",
    tier: str = "any",
    phase: str = names.TOTAL,
    alpha: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """Estimate one outcome by imputation, and beside it by the estimators that check it.

    Parameters
    ----------
    prepared : Prepared
        From `prepare`.
    metric, programme, tier, phase : str
        What the school-years are of; written into the rows.
    role : {"primary", "secondary", "robustness", "exploratory"}
        The role of the imputation's rows. Beside a primary or secondary outcome, with role
        ``robustness``: the donut, Callaway and Sant'Anna (not yet and never treated; doubly robust
        with the prepared covariates) and, where there are several phases, the imputation with
        other year effects: common ones, and every phase its own.
    alpha : float
        Significance level.
    seed : int
        Of the simultaneous bands.

    Returns
    -------
    DataFrame
        The estimates contract (`rows.ESTIMATE_COLUMNS`); years are academic years, event times
        count years with data. An estimator that cannot be made has one simple row without
        numbers and status ``x``. `p_adjusted` is filled by `adjust`.

    Raises
    ------
    DesignError
        If the imputation itself cannot be made.

    Examples
    --------
    >>> from vsh_eval.effects.gate import prepare
    >>> rng = np.random.default_rng(1)
    >>> gaps = pd.DataFrame([
    ...     (str(s), "primary", year, rng.normal(), 100.0, 5)
    ...     for s in range(12) for year in (201819, 202021, 202122)],
    ...     columns=["unit_id", "phase", "time_period", "outcome", "weight", "pupils"])
    >>> trained = pd.DataFrame({"unit_id": [str(s) for s in range(12)],
    ...                         "adopted": [202021] * 4 + [0] * 8})
    >>> rows = estimate(prepare(gaps, trained), metric="overall_absence", role="exploratory")
    >>> rows.loc[rows["aggregation"] == "calendar", "index"].tolist()
    [202021, 202122]
    """
    require_one_of(role, ROLES, name="role")
    labels = {"metric": metric, "programme": programme, "tier": tier, "phase": phase}
    rows = impute(prepared.data, alpha=alpha, seed=seed)
    fits: list[tuple[str, str, Role, pd.DataFrame]] = [
        ("imputation", "not_yet_treated", role, rows)
    ]
    if role in {"primary", "secondary"}:
        fits += _beside(prepared, alpha=alpha, seed=seed)
    tables = [
        _in_contract(
            rows,
            prepared,
            {**labels, "role": as_role, "estimator": estimator, "comparison": comparison},
        )
        for estimator, comparison, as_role, rows in fits
    ]
    return pd.concat(tables, ignore_index=True)


def adjust(estimates: pd.DataFrame) -> pd.DataFrame:
    """Adjust p values for how many questions were asked.

    Parameters
    ----------
    estimates : DataFrame
        The estimates of all outcomes together.

    Returns
    -------
    DataFrame
        `p_adjusted` of the imputation's simple rows: the primary's own p value; Holm's over the
        secondary ones; Benjamini and Hochberg's over the exploratory ones. NaN elsewhere and
        where there is no p value.

    Raises
    ------
    ContractError
        If a column is missing.

    Examples
    --------
    >>> rows = pd.DataFrame({"role": "secondary", "estimator": "imputation",
    ...                      "aggregation": "simple", "p_value": [0.01, 0.04]})
    >>> adjust(rows)["p_adjusted"].tolist()
    [0.02, 0.04]
    """
    from statsmodels.stats.multitest import multipletests

    require_columns(estimates, ["role", "estimator", "aggregation", "p_value"], name="estimates")
    adjusted = estimates.copy()
    adjusted["p_adjusted"] = np.nan
    asked = (
        adjusted["aggregation"].eq("simple")
        & adjusted["estimator"].eq("imputation")
        & adjusted["p_value"].notna()
    )
    for role, method in (("secondary", "holm"), ("exploratory", "fdr_bh")):
        family = asked & adjusted["role"].eq(role)
        if family.any():
            values = adjusted.loc[family, "p_value"].to_numpy(float)
            adjusted.loc[family, "p_adjusted"] = multipletests(values, method=method)[1]
    primary = asked & adjusted["role"].eq("primary")
    adjusted.loc[primary, "p_adjusted"] = adjusted.loc[primary, "p_value"]
    return adjusted


def composition_check(prepared: Prepared, *, alpha: float = 0.05, seed: int = 0) -> pd.DataFrame:
    """Ask whether the number of children in the cohort changed with training.

    No estimator survives newly counted children being different from those counted before, so
    the same imputation is made on the logarithm of a school's cohort pupils.

    Parameters
    ----------
    prepared : Prepared
        From `prepare`. Schools without cohort pupils before anyone was trained have no weight
        and are left out.
    alpha, seed
        As for `impute`.

    Returns
    -------
    DataFrame
        The estimates contract, metric ``log_cohort_size``, role ``robustness``: 0.1 is about ten
        per cent more children than imputed. A row without numbers and status ``x`` where it
        cannot be made.

    Notes
    -----
    Fit and target are weighted by the school's mean cohort pupils before anyone was trained,
    which, unlike the sessions of each year, cannot itself have changed with training.

    Examples
    --------
    >>> from vsh_eval.effects.gate import prepare
    >>> rng = np.random.default_rng(1)
    >>> gaps = pd.DataFrame([
    ...     (str(s), "primary", year, 1.0, 100.0, int(rng.integers(3, 9)))
    ...     for s in range(12) for year in (201819, 202021, 202122)],
    ...     columns=["unit_id", "phase", "time_period", "outcome", "weight", "pupils"])
    >>> trained = pd.DataFrame({"unit_id": [str(s) for s in range(12)],
    ...                         "adopted": [202021] * 4 + [0] * 8})
    >>> composition_check(prepare(gaps, trained)).loc[0, "metric"]
    'log_cohort_size'
    """
    data = prepared.data
    table = data.assign(
        outcome=np.log(data["pupils"].clip(lower=1).astype(float)), weight=data["base_pupils"]
    )
    rows = _or_reason(partial(impute, table, alpha=alpha, seed=seed))
    labels = {
        "metric": LOG_COHORT,
        "programme": "any",
        "tier": "any",
        "phase": names.TOTAL,
        "role": "robustness",
        "estimator": "imputation",
        "comparison": "not_yet_treated",
    }
    return _in_contract(rows, prepared, labels)


def _beside(
    prepared: Prepared, *, alpha: float, seed: int
) -> list[tuple[str, str, Role, pd.DataFrame]]:
    """Estimate by everything that stands beside the primary; what cannot be made says so."""
    table = prepared.data
    constant = table.assign(weight=table["base_pupils"])
    shared = {"alpha": alpha, "seed": seed}
    attempts: list[tuple[str, str, Callable[[], pd.DataFrame]]] = [
        ("donut", "not_yet_treated", partial(donut, table, **shared))
    ]
    for kind in prepared.other_year_effects:
        other = prepared.by_phase(stratified=kind == BY_PHASE).data
        attempts.append((ESTIMATORS[kind], "not_yet_treated", partial(impute, other, **shared)))
    attempts += [
        (
            "callaway_santanna",
            comparison,
            partial(
                att_gt, constant, comparison=comparison, covariates=prepared.covariates, **shared
            ),
        )
        for comparison in COMPARISONS
    ]
    return [
        (estimator, comparison, "robustness", _or_reason(make))
        for estimator, comparison, make in attempts
    ]


def _or_reason(make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Make the rows, or one row that says why there are none."""
    try:
        return make()
    except DesignError as error:
        return _impossible(str(error))


def _impossible(reason: str) -> pd.DataFrame:
    """Return one simple row without numbers."""
    row = dict.fromkeys(ROW_COLUMNS, np.nan) | {
        "aggregation": "simple",
        "cohort": 0,
        "index": 0,
        "schools_treated": 0,
        "schools_comparison": 0,
        "status": names.UNAVAILABLE,
        "reason": reason,
    }
    return pd.DataFrame([row]).astype({"pupils": "Int64"})


def _in_contract(rows: pd.DataFrame, prepared: Prepared, labels: Mapping[str, str]) -> pd.DataFrame:
    """Label rows and name years by academic year; group-time cells stay inside."""
    kept = rows[rows["aggregation"].isin(_IN_TABLE)].reset_index(drop=True)
    years = prepared.periods.set_index("time")["time_period"]
    by_year = kept["aggregation"].isin(["cohort", "calendar"])
    kept["index"] = kept["index"].where(~by_year, kept["index"].map(years)).astype(np.int64)
    return kept.assign(**labels, p_adjusted=np.nan)[list(ESTIMATE_COLUMNS)]
