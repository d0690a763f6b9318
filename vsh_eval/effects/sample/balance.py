"""What is compared, before any effect: schools by arm, and how balanced the arms are."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from vsh_eval.contracts import produces, require_columns
from vsh_eval.effects.sample.selection import AnalysisSample
from vsh_eval.names import NEVER

TRAINED = "trained"
COMPARISON = "comparison"
DESIGN_COLUMNS = (
    *("arm", "cohort_period", "base_period", "schools", "school_years_before"),
    *("school_years_after", "pupils_before", "pupils_after", "largest_share"),
)
BALANCE_COLUMNS = (
    *("variable", "trained_mean", "comparison_mean", "trained_sd", "comparison_sd"),
    *("standardised_difference", "trained_schools", "comparison_schools"),
)


@produces("design", DESIGN_COLUMNS[:-1], gate="sample")
def design_table(sample: AnalysisSample) -> pd.DataFrame:
    """Count schools and cohort pupils by year of training and arm.

    Parameters
    ----------
    sample : AnalysisSample
        From `select_sample`.

    Returns
    -------
    DataFrame
        One row per adoption cohort (arm ``trained``) and one of schools never trained within the
        years (arm ``comparison``, cohort_period 0): arm, cohort_period, base_period (last year
        with data before training, 0 for the comparison), schools, school_years_before,
        school_years_after (0 for the comparison), pupils_before, pupils_after (pupil-years),
        largest_share (largest school's share of the row's pupil-years).

    Examples
    --------
    >>> from vsh_eval.effects.sample import select_sample
    >>> gaps = pd.DataFrame([
    ...     (str(s), "primary", year, "overall_absence", 5.0 + s, 100.0, 5)
    ...     for s in range(12) for year in (201819, 202021, 202122)],
    ...     columns=["unit_id", "phase", "time_period", "metric", "outcome", "weight", "pupils"])
    >>> trained = pd.DataFrame({"unit_id": [str(s) for s in range(12)],
    ...                         "adopted": [202021] * 4 + [0] * 8})
    >>> table = design_table(select_sample(gaps, trained))
    >>> table[["arm", "schools", "pupils_after"]].values.tolist()
    [['trained', 4, 40], ['comparison', 8, 0]]
    """
    cells = sample.data.assign(
        after=sample.data["cohort"].ne(NEVER) & sample.data["time"].ge(sample.data["cohort"])
    )
    base = sample.cohorts.set_index("cohort")["base_period"]
    rows = []
    for cohort in [*sorted(set(cells["cohort"]) - {NEVER}), NEVER]:
        own = cells[cells["cohort"].eq(cohort)]
        if own.empty:
            continue
        after, pupils = own["after"], own["pupils"]
        rows.append(
            {
                "arm": COMPARISON if cohort == NEVER else TRAINED,
                "cohort_period": int(own["cohort_period"].iloc[0]),
                "base_period": int(base.get(cohort, NEVER)),
                "schools": int(own["unit"].nunique()),
                "school_years_before": int((~after).sum()),
                "school_years_after": int(after.sum()),
                "pupils_before": int(pupils[~after].sum()),
                "pupils_after": int(pupils[after].sum()),
                "largest_share": float(pupils.groupby(own["unit"]).sum().max() / pupils.sum()),
            }
        )
    return pd.DataFrame(rows, columns=list(DESIGN_COLUMNS))


FLOW_COLUMNS = ("step", "schools", "schools_trained", "schools_comparison")


@produces("school_flow", FLOW_COLUMNS, gate="sample")
def school_flow(
    sample: AnalysisSample,
    school_gaps: pd.DataFrame,
    adopted: pd.Series,
    estimate: Mapping[str, Any],
) -> pd.DataFrame:
    """Count schools from all of the authority to those that bear the estimate.

    Parameters
    ----------
    sample : AnalysisSample
        From `select_sample`.
    school_gaps : DataFrame
        What it was selected from: unit_id, time_period.
    adopted : Series
        Each school's year of adoption, 0 = never, by unit_id.
    estimate : mapping
        The primary estimate's schools_treated and schools_comparison.

    Returns
    -------
    DataFrame
        `FLOW_COLUMNS`, one row a step: ``listed`` (schools of the list), ``with_gap`` (that have
        children of the cohort and their peers in a comparable year), ``before_training`` (trained
        schools that have such a year before training, and all others); schools, and of them
        schools_trained (by the last year with data) and schools_comparison (never or later).
        The last row, ``in_estimate``, has those that carry weight in the estimate: the first have
        children of the cohort in a year since training, the others serve as comparison.

    Examples
    --------
    >>> from vsh_eval.effects.sample import select_sample
    >>> gaps = pd.DataFrame([
    ...     (str(s), "primary", year, "overall_absence", 5.0 + s, 100.0, 5)
    ...     for s in range(12) for year in (201819, 202021, 202122)],
    ...     columns=["unit_id", "phase", "time_period", "metric", "outcome", "weight", "pupils"])
    >>> adopted = pd.Series([201819] + [202021] * 4 + [0] * 8, index=[str(s) for s in range(13)])
    >>> trained = adopted.rename("adopted").rename_axis("unit_id").reset_index()
    >>> estimate = {"schools_treated": 4, "schools_comparison": 7}
    >>> school_flow(select_sample(gaps, trained), gaps, adopted, estimate)
                  step  schools  schools_trained  schools_comparison
    0           listed       13                5                   8
    1         with_gap       12                5                   7
    2  before_training       11                4                   7
    3      in_estimate       11                4                   7
    """
    last = int(sample.periods["time_period"].max())
    trained = adopted.between(NEVER + 1, last)
    first_gap = school_gaps.groupby(school_gaps["unit_id"].astype(str))["time_period"].min()
    first_gap = first_gap.reindex(adopted.index)
    there = first_gap.notna()
    steps = {
        "listed": trained,
        "with_gap": trained[there],
        "before_training": trained[there & (~trained | first_gap.lt(adopted))],
    }
    rows = [(step, len(arm), arm.sum(), (~arm).sum()) for step, arm in steps.items()]
    bearing = (estimate["schools_treated"], estimate["schools_comparison"])
    rows.append(("in_estimate", sum(bearing), *bearing))
    return pd.DataFrame(rows, columns=list(FLOW_COLUMNS))


@produces("balance", BALANCE_COLUMNS, gate="sample")
def balance_table(sample: AnalysisSample, schools: pd.DataFrame | None = None) -> pd.DataFrame:
    """Compare schools that were trained with those that were not, before anyone was.

    Parameters
    ----------
    sample : AnalysisSample
        From `select_sample`.
    schools : DataFrame, optional
        unit_id and further numeric columns to compare; the sample's covariates by default.

    Returns
    -------
    DataFrame
        One row per variable (baseline_outcome, baseline_pupils, and the covariates): variable,
        trained_mean, comparison_mean, trained_sd, comparison_sd, standardised_difference,
        trained_schools, comparison_schools. Schools without a value are not counted; a
        difference is NaN where an arm has fewer than two schools or neither varies.

    Raises
    ------
    ContractError
        If `schools` lacks a column.

    Notes
    -----
    ``(mean_1 - mean_0) / sqrt((sd_1^2 + sd_0^2) / 2)``, each school weighted by the cohort's
    possible sessions before anyone was trained, as the estimator weights it; a school without any
    is not counted. Above 0.25 in size regression alone cannot be trusted to
    make the arms balanced (What Works Clearinghouse, standards handbook 5.0).

    Examples
    --------
    >>> from vsh_eval.effects.sample import select_sample
    >>> gaps = pd.DataFrame([
    ...     (str(s), "primary", year, "overall_absence", 5.0 + s, 100.0, 5)
    ...     for s in range(12) for year in (201819, 202021, 202122)],
    ...     columns=["unit_id", "phase", "time_period", "metric", "outcome", "weight", "pupils"])
    >>> trained = pd.DataFrame({"unit_id": [str(s) for s in range(12)],
    ...                         "adopted": [202021] * 4 + [0] * 8})
    >>> balance_table(select_sample(gaps, trained)).loc[0, "standardised_difference"].round(2)
    np.float64(-3.06)
    """
    cells = sample.data
    trained = cells.groupby("unit")["cohort"].first().ne(NEVER)
    before = cells[cells["time"] < cells.loc[cells["cohort"].ne(NEVER), "cohort"].min()]
    weighted = (before["outcome"] * before["weight"]).groupby(before["unit"]).sum()
    weight = before.groupby("unit")["weight"].sum().reindex(trained.index)
    values = pd.DataFrame(
        {
            "baseline_outcome": weighted / weight,
            "baseline_pupils": cells.groupby("unit")["base_pupils"].first(),
        },
        index=trained.index,
    )
    for name, column in _further(sample, schools).items():
        values[name] = column.reindex(values.index)
    return pd.DataFrame([_difference(str(name), values[name], trained, weight) for name in values])


def _further(sample: AnalysisSample, schools: pd.DataFrame | None) -> dict[str, pd.Series]:
    if schools is None:
        by_unit = sample.data.groupby("unit")
        return {name: by_unit[name].first() for name in sample.covariates}
    require_columns(schools, ["unit_id"], name="schools")
    table = schools.set_index(schools["unit_id"].astype(str)).drop(columns="unit_id")
    numeric = table.select_dtypes("number").astype(float)
    return {str(name): column for name, column in numeric.items()}


def _difference(
    name: str, values: pd.Series, trained: pd.Series, weight: pd.Series
) -> dict[str, str | float | int]:
    known = values.notna() & weight.gt(0)
    one, other = (
        _weighted(values[known & arm], weight[known & arm]) for arm in (trained, ~trained)
    )
    spread = np.sqrt((one[1] + other[1]) / 2)
    return {
        "variable": name,
        "trained_mean": one[0],
        "comparison_mean": other[0],
        "trained_sd": np.sqrt(one[1]),
        "comparison_sd": np.sqrt(other[1]),
        "standardised_difference": (one[0] - other[0]) / spread if spread > 0 else np.nan,
        "trained_schools": int((known & trained).sum()),
        "comparison_schools": int((known & ~trained).sum()),
    }


def _weighted(values: pd.Series, weight: pd.Series) -> tuple[float, float]:
    """Return a weighted mean and variance, that of a sample; NaN under one and two values."""
    if values.empty:
        return np.nan, np.nan
    mean = np.average(values, weights=weight)
    spread = np.average((values - mean) ** 2, weights=weight)
    number = len(values)
    return float(mean), float(spread * number / (number - 1)) if number > 1 else np.nan
