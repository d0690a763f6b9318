"""One outcome's estimates together: the primary one, and what stands beside it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval.contracts import InfeasibleError, produces, require_columns, require_one_of
from vsh_eval.effects.estimators.callaway_santanna import COMPARISONS, att_gt
from vsh_eval.effects.estimators.imputation import impute
from vsh_eval.effects.estimators.same_past import same_past
from vsh_eval.effects.rows import (
    ESTIMATE_COLUMNS,
    OVERALL,
    RELEASED_COLUMNS,
    ROW_COLUMNS,
    infeasible_row,
)
from vsh_eval.effects.sample.selection import AnalysisSample
from vsh_eval.effects.sample.year_effects import ESTIMATORS

Role = Literal["primary", "secondary", "robustness", "exploratory"]
ROLES = ("primary", "secondary", "robustness", "exploratory")
_IN_TABLE = ("simple", "cohort", "calendar", "event")


@produces("estimates", RELEASED_COLUMNS, gate="estimates")
def estimate(
    sample: AnalysisSample, *, metric: str, role: Role = "primary", seed: int = 0
) -> pd.DataFrame:
    """Estimate one outcome by imputation, and beside it by the estimators that check it.

    Parameters
    ----------
    sample : AnalysisSample
        From `select_sample`.
    metric : str
        What the school-years are of; written into the rows.
    role : {"primary", "secondary", "robustness", "exploratory"}
        The role of the imputation's rows. Beside a primary or secondary outcome, with role
        ``robustness``: first `same_past`; where there are several phases, the imputation with
        other year effects, common ones and every phase its own; and Callaway and Sant'Anna (not
        yet and never treated; doubly robust with the sample's covariates).
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
    >>> from vsh_eval.effects.sample import select_sample
    >>> rng = np.random.default_rng(1)
    >>> gaps = pd.DataFrame([
    ...     (str(s), "primary", year, rng.normal(), 100.0, 5)
    ...     for s in range(12) for year in (201819, 202021, 202122)],
    ...     columns=["unit_id", "phase", "time_period", "outcome", "weight", "pupils"])
    >>> trained = pd.DataFrame({"unit_id": [str(s) for s in range(12)],
    ...                         "adopted": [202021] * 4 + [0] * 8})
    >>> sample = select_sample(gaps, trained)
    >>> rows = estimate(sample, metric="overall_absence", role="exploratory")
    >>> rows.loc[rows["aggregation"] == "calendar", "index"].tolist()
    [202021, 202122]
    """
    require_one_of(role, ROLES, name="role")
    labels = {**OVERALL, "metric": metric}
    rows = impute(sample.data, seed=seed)
    fits: list[tuple[str, str, Role, pd.DataFrame]] = [
        ("imputation", "not_yet_treated", role, rows)
    ]
    if role in {"primary", "secondary"}:
        fits += _others(sample, seed=seed)
    tables = [
        _in_contract(
            rows,
            sample,
            {**labels, "role": as_role, "estimator": estimator, "comparison": comparison},
        )
        for estimator, comparison, as_role, rows in fits
    ]
    return pd.concat(tables, ignore_index=True)


def adjust(estimates: pd.DataFrame) -> pd.DataFrame:
    """Adjust p values for how many questions were tested.

    Parameters
    ----------
    estimates : DataFrame
        The estimates of all outcomes together.

    Returns
    -------
    DataFrame
        `p_adjusted` of the simple rows: the primary's own p value; Holm's over the secondary ones;
        Benjamini and Hochberg's over the exploratory ones. NaN elsewhere, in rows of role
        robustness, and where there is no p value.

    Raises
    ------
    ContractError
        If a column is missing.

    Examples
    --------
    >>> rows = pd.DataFrame({"role": "secondary", "aggregation": "simple", "p_value": [0.01, 0.04]})
    >>> adjust(rows)["p_adjusted"].tolist()
    [0.02, 0.04]
    """
    from statsmodels.stats.multitest import multipletests

    require_columns(estimates, ["role", "aggregation", "p_value"], name="estimates")
    adjusted = estimates.copy()
    adjusted["p_adjusted"] = np.nan
    tested = adjusted["aggregation"].eq("simple") & adjusted["p_value"].notna()
    for role, method in (("secondary", "holm"), ("exploratory", "fdr_bh")):
        family = tested & adjusted["role"].eq(role)
        if family.any():
            values = adjusted.loc[family, "p_value"].to_numpy(float)
            adjusted.loc[family, "p_adjusted"] = multipletests(values, method=method)[1]
    primary = tested & adjusted["role"].eq("primary")
    adjusted.loc[primary, "p_adjusted"] = adjusted.loc[primary, "p_value"]
    return adjusted


def _others(sample: AnalysisSample, *, seed: int) -> list[tuple[str, str, Role, pd.DataFrame]]:
    """Estimate by everything that stands beside the primary; what cannot be made says so."""
    table = sample.data
    constant = table.assign(weight=table["base_pupils"])
    others: list[tuple[str, str, Callable[[], pd.DataFrame]]] = [
        ("same_past", "not_yet_treated", partial(same_past, table, seed=seed))
    ]
    for kind in sample.other_year_effects:
        other = sample.with_year_effects(kind).data
        others.append((ESTIMATORS[kind], "not_yet_treated", partial(impute, other, seed=seed)))
    others += [
        (
            "callaway_santanna",
            comparison,
            partial(
                att_gt, constant, comparison=comparison, covariates=sample.covariates, seed=seed
            ),
        )
        for comparison in COMPARISONS
    ]
    return [
        (estimator, comparison, "robustness", _or_infeasible(make))
        for estimator, comparison, make in others
    ]


def _or_infeasible(make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Make the rows, or one row that says why there are none."""
    try:
        return make()
    except InfeasibleError as error:
        return infeasible_row(ROW_COLUMNS, error.message).assign(
            schools_treated=0, schools_comparison=0
        )


def _in_contract(
    rows: pd.DataFrame, sample: AnalysisSample, labels: Mapping[str, str]
) -> pd.DataFrame:
    """Label rows and name years by academic year; group-time cells stay inside."""
    shown = rows[rows["aggregation"].isin(_IN_TABLE)].reset_index(drop=True)
    years = sample.periods.set_index("time")["time_period"]
    by_year = shown["aggregation"].isin(["cohort", "calendar"])
    shown["index"] = shown["index"].where(~by_year, shown["index"].map(years)).astype(np.int64)
    return shown.assign(**labels, p_adjusted=np.nan)[list(ESTIMATE_COLUMNS)]
