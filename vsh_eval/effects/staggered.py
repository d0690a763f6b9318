"""Callaway and Sant'Anna's estimator beside the primary one, computed by moderndid.

It compares each cohort of adoption with untrained schools between two years, so it needs schools
with cohort pupils in every year used, and one weight a school.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from vsh_eval import names
from vsh_eval.contracts import DesignError, require_columns, require_one_of
from vsh_eval.effects.grid import Grid, checked, grid, units_changing
from vsh_eval.effects.refusals import superfluous, why_superfluous
from vsh_eval.effects.rows import with_inference
from vsh_eval.effects.staggered_rows import AGGREGATED, library_rows
from vsh_eval.numerics import bands
from vsh_eval.numerics.inference import JointTest

Comparison = Literal["not_yet_treated", "never_treated"]
COMPARISONS: tuple[Comparison, ...] = ("not_yet_treated", "never_treated")
BasePeriod = Literal["varying", "universal"]
Method = Literal["dr", "reg", "ipw"]

_CONTROL = {"not_yet_treated": "notyettreated", "never_treated": "nevertreated"}


@dataclass(frozen=True, slots=True)
class GroupTime:
    """Callaway and Sant'Anna's estimates with what later questions need.

    Attributes
    ----------
    rows : DataFrame
        One row an estimate (`rows.ROW_COLUMNS`).
    event_covariance : DataFrame
        Covariance of the event rows by event time, from the influence functions.
    dropped : DataFrame
        reason, schools, school_years: what a balanced panel loses.
    pretest : JointTest
        Wald test that the effects before training are all nought (chi-squared; denominator
        degrees of freedom infinite); NaN where it cannot be made.
    notes : tuple of str
        What the library warned of.
    """

    rows: pd.DataFrame
    event_covariance: pd.DataFrame
    dropped: pd.DataFrame
    pretest: JointTest
    notes: tuple[str, ...]


def att_gt(
    data: pd.DataFrame,
    *,
    comparison: Comparison = "not_yet_treated",
    covariates: Sequence[str] = (),
    alpha: float = 0.05,
    seed: int = 0,
    draws: int = 999,
    base_period: BasePeriod = "varying",
    method: Method = "dr",
) -> pd.DataFrame:
    """Estimate group-time effects and their means as Callaway and Sant'Anna do.

    Parameters
    ----------
    data : DataFrame
        One row per school-year: unit, time, cohort (0 = never), outcome, weight (constant within
        a school); optional pupils. Schools without data in every year are left out.
    comparison : {"not_yet_treated", "never_treated"}
        The schools compared with.
    covariates : sequence of str
        Numeric columns; the first year's value of each school is used.
    alpha : float
        Significance level.
    seed, draws : int
        Of the multiplier bootstrap that makes the bands simultaneous.
    base_period : {"varying", "universal"}
        Years before training compared with the year before each, or all with the last before
        training (that row is then 0 with status ``z``).
    method : {"dr", "reg", "ipw"}
        Doubly robust, outcome regression, or inverse probability weighting.

    Returns
    -------
    DataFrame
        Rows as from `impute`, and the mean over cohorts, calendar years and event times as
        `overall_cohort`, `overall_calendar` and `overall_event`. `std_error` is from the
        influence function, `df` schools less one.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If no trained or no comparison school has data in every year, the weight changes within a
        school, a covariate is missing, or no effect can be estimated.

    Notes
    -----
    Callaway and Sant'Anna (2021), Journal of Econometrics 225(2); moderndid's estimates equal
    those of R's `did`.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(list("abcdef"), 2), "time": [1, 2] * 6,
    ...     "cohort": [2] * 6 + [0] * 6, "weight": 1.0,
    ...     "outcome": [5.0, 3, 7, 6, 6, 3, 8, 9, 9, 11, 7, 7]})
    >>> att_gt(table).loc[0, "estimate"].round(3)
    np.float64(-3.0)
    """
    return fit_att_gt(
        data,
        comparison=comparison,
        covariates=covariates,
        alpha=alpha,
        seed=seed,
        draws=draws,
        base_period=base_period,
        method=method,
    ).rows


def fit_att_gt(
    data: pd.DataFrame,
    *,
    comparison: Comparison = "not_yet_treated",
    covariates: Sequence[str] = (),
    alpha: float = 0.05,
    seed: int = 0,
    draws: int = 999,
    base_period: BasePeriod = "varying",
    method: Method = "dr",
) -> GroupTime:
    """Estimate as `att_gt` does and keep the covariance, the pre-test and what was dropped.

    Parameters, errors and method are those of `att_gt`.

    Returns
    -------
    GroupTime

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(list("abcdef"), 2), "time": [1, 2] * 6,
    ...     "cohort": [2] * 6 + [0] * 6, "weight": 1.0,
    ...     "outcome": [5.0, 3, 7, 6, 6, 3, 8, 9, 9, 11, 7, 7]})
    >>> len(fit_att_gt(table).dropped)
    0
    """
    require_one_of(comparison, _CONTROL, name="comparison")
    require_columns(data, covariates, name="the table of school-years")
    cells, dropped = _balanced(checked(data))
    _refuse(cells, covariates, comparison)
    laid_out = grid(cells)
    result, aggregated, notes = _moderndid(
        _numbered(cells, laid_out, covariates),
        covariates=covariates,
        control_group=_CONTROL[comparison],
        base_period=base_period,
        est_method=method,
    )
    rows, influence = library_rows(laid_out, result, aggregated, comparison)
    units = len(laid_out.units)
    critical = {
        name: bands.multiplier_critical(
            influence[rows["aggregation"].eq(name).to_numpy() & rows["std_error"].gt(0).to_numpy()],
            units - 1.0,
            alpha=alpha,
            draws=draws,
            seed=seed,
        )
        for name in ("cohort", "calendar", "event", "att_gt")
    }
    events = rows["aggregation"].eq("event").to_numpy()
    labels = rows.loc[events, "index"].to_list()
    return GroupTime(
        rows=with_inference(
            rows, critical, alpha=alpha, size=float(np.abs(laid_out.outcome).max())
        ),
        event_covariance=pd.DataFrame(
            influence[events] @ influence[events].T / units**2, index=labels, columns=labels
        ),
        dropped=dropped,
        pretest=_pretest(result),
        notes=notes,
    )


def _balanced(cells: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep schools with data in every year that were not trained before the second of them."""
    times = np.unique(cells["time"])
    years = cells.groupby("unit")["time"].transform("size")
    early = cells["cohort"].ne(names.NEVER) & cells["cohort"].le(times[0])
    lost = {
        "trained by the first year": early,
        "no cohort pupils in some year": ~early & years.ne(len(times)),
    }
    dropped = pd.DataFrame(
        [
            (reason, int(cells.loc[flags, "unit"].nunique()), int(flags.sum()))
            for reason, flags in lost.items()
            if flags.any()
        ],
        columns=["reason", "schools", "school_years"],
    )
    return cells[~early & years.eq(len(times))], dropped


def _refuse(cells: pd.DataFrame, covariates: Sequence[str], comparison: Comparison) -> None:
    """Refuse what the library would take silently."""
    times = np.unique(cells["time"])
    trained = cells["cohort"].ne(names.NEVER) & cells["cohort"].le(times[-1] if len(times) else 0)
    if not trained.any():
        raise DesignError(
            "no trained school has children to count in every year, and this estimator needs at "
            "least one; read the primary estimate, which takes schools that lack some years."
        )
    if comparison == "never_treated" and trained.all():
        raise DesignError(
            "no never-trained school has children to count in every year, and a comparison with "
            "schools never trained needs at least one; compare with those not yet trained."
        )
    if units_changing(cells, "unit", "weight"):
        raise DesignError(
            "weight changes within a school, must be constant for this estimator; "
            "use the mean cohort pupils before training."
        )
    for column in covariates:
        missing = int(cells.loc[cells[column].isna(), "unit"].nunique())
        if missing:
            raise DesignError(
                f"covariate {column} is missing in {missing} schools, must be given in all; "
                "leave these schools out and count them, never the covariate."
            )
    nothing = superfluous(cells, covariates)
    if nothing:
        raise DesignError(why_superfluous(nothing))


def _numbered(cells: pd.DataFrame, laid_out: Grid, covariates: Sequence[str]) -> pd.DataFrame:
    """Name units and years by position, as the library wants numbers without gaps."""
    unit = np.searchsorted(laid_out.units.astype(str), cells["unit"].astype(str).to_numpy())
    onset = laid_out.onset[unit]
    numbered = pd.DataFrame(
        {
            "unit": unit + 1,
            "time": np.searchsorted(laid_out.times, cells["time"].to_numpy(np.int64)) + 1,
            "cohort": np.where(onset < len(laid_out.times), onset + 1, names.NEVER),
            "outcome": cells["outcome"].to_numpy(float),
            "weight": cells["weight"].to_numpy(float),
        }
    )
    for number, column in enumerate(covariates):
        numbered[f"x{number}"] = cells[column].to_numpy(float)
    return numbered.sort_values(["unit", "time"], ignore_index=True)


def _moderndid(
    numbered: pd.DataFrame, *, covariates: Sequence[str], **options: str
) -> tuple[Any, dict[str, Any], tuple[str, ...]]:
    """Run the library; its errors become sentences, its warnings notes."""
    import moderndid

    formula = "~ " + " + ".join(f"x{number}" for number in range(len(covariates)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = moderndid.att_gt(
                numbered,
                yname="outcome",
                tname="time",
                idname="unit",
                gname="cohort",
                weightsname="weight",
                xformla=formula if covariates else None,
                cband=False,
                **options,
            )
            aggregated = {
                name: moderndid.aggte(result, type=kind, na_rm=True, cband=False)
                for name, kind in {"simple": "simple", **AGGREGATED}.items()
            }
        except (ValueError, np.linalg.LinAlgError, IndexError, KeyError) as error:
            raise DesignError(
                "Callaway and Sant'Anna's estimator finds no comparison it can make among these "
                "schools and years; read the primary estimate."
            ) from error
    return (
        result,
        aggregated,
        tuple(dict.fromkeys(" ".join(str(entry.message).split()) for entry in caught)),
    )


def _pretest(result: Any) -> JointTest:
    """Return the library's Wald test of the effects before training."""
    before = np.asarray(result.times) < np.asarray(result.groups)
    count = float((before & np.isfinite(np.asarray(result.se_gt, float))).sum())
    if count == 0 or result.wald_stat is None or not np.isfinite(result.wald_stat):
        return JointTest(float("nan"), count, float("inf"), float("nan"))
    statistic = float(result.wald_stat)
    return JointTest(statistic, count, float("inf"), float(stats.chi2.sf(statistic, count)))
