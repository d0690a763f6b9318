"""What is compared, before any effect: schools by arm, and how balanced the arms are."""

from collections.abc import Sequence

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


@produces("balance", BALANCE_COLUMNS, gate="sample")
def balance_table(
    sample: AnalysisSample,
    schools: pd.DataFrame | None = None,
    *,
    covariates: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Compare schools that were trained with those that were not, before anyone was.

    Parameters
    ----------
    sample : AnalysisSample
        From `select_sample`.
    schools : DataFrame, optional
        unit_id and further numeric columns to compare.
    covariates : sequence of str, optional
        Columns of `schools`; by default all numeric ones.

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
    ``(mean_1 - mean_0) / sqrt((sd_1^2 + sd_0^2) / 2)``, each school counted once; the baseline is
    the years before anyone was trained. Above 0.25 in size regression alone cannot be trusted to
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
    values = pd.DataFrame(
        {
            "baseline_outcome": weighted / before.groupby("unit")["weight"].sum(),
            "baseline_pupils": cells.groupby("unit")["base_pupils"].first(),
        },
        index=trained.index,
    )
    for name, column in _further(sample, schools, covariates).items():
        values[name] = column.reindex(values.index)
    return pd.DataFrame([_difference(str(name), values[name], trained) for name in values])


def _further(
    sample: AnalysisSample, schools: pd.DataFrame | None, covariates: Sequence[str] | None
) -> dict[str, pd.Series]:
    if schools is None:
        by_unit = sample.data.groupby("unit")
        return {name: by_unit[name].first() for name in covariates or sample.covariates}
    require_columns(schools, ["unit_id", *(covariates or ())], name="schools")
    table = schools.set_index(schools["unit_id"].astype(str))
    numeric = table.drop(columns="unit_id").select_dtypes("number").columns
    return {name: table[name].astype(float) for name in covariates or numeric}


def _difference(name: str, values: pd.Series, trained: pd.Series) -> dict[str, str | float | int]:
    one, other = values[trained].dropna(), values[~trained].dropna()
    spread = np.sqrt((one.var() + other.var()) / 2)
    difference = (one.mean() - other.mean()) / spread if spread > 0 else np.nan
    return {
        "variable": name,
        "trained_mean": one.mean(),
        "comparison_mean": other.mean(),
        "trained_sd": one.std(),
        "comparison_sd": other.std(),
        "standardised_difference": difference,
        "trained_schools": len(one),
        "comparison_schools": len(other),
    }
