"""Rows of estimates: the columns every estimator fills, and what stands behind each number."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import Message
from vsh_eval.effects.grid import Floats, Grid
from vsh_eval.numerics.estimators.imputation import contributes
from vsh_eval.numerics.inference.significance import t_critical, t_p_value

_NUMBERS = ("estimate", "std_error", "df", "ci_lower", "ci_upper", "band_lower", "band_upper")
COUNTS = ("schools_treated", "schools_comparison", "pupils")
"""Whole numbers of a table of estimates, NA where there is none."""
ROW_COLUMNS = (
    *("aggregation", "cohort", "index", *_NUMBERS, "p_value"),
    *(*COUNTS, "largest_share", "status", "reason"),
)
"""What an estimator gives for each estimate; `reason` is a `Message`."""

ESTIMATE_COLUMNS = (
    *("role", "metric", "programme", "tier", "phase", "estimator", "comparison", "aggregation"),
    *("index", *_NUMBERS, "p_value", "p_adjusted", *COUNTS, "largest_share", "status"),
)
"""The contract of the estimates table."""
RELEASED_COLUMNS = tuple(name for name in ESTIMATE_COLUMNS if name != "largest_share")
"""Its columns that may be released."""
CHECK_COLUMNS = tuple(n for n in ESTIMATE_COLUMNS if n not in {*_NUMBERS[5:], "p_adjusted"})
"""Its columns in tables of many estimates that are not adjusted for one another."""
SAMPLE_COLUMNS = ("df", *COUNTS, "largest_share")
"""What says how many schools and children an estimate rests on."""
OVERALL = {"programme": "any", "tier": "any", "phase": names.TOTAL}
"""Labels of an estimate for all schools and all training."""
PRIMARY = {**OVERALL, "estimator": "imputation", "comparison": "not_yet_treated"}
"""Labels of an estimate that is made as the primary one."""

_NO_VARIATION = 1e-12


def linear_rows(
    cells: Grid,
    labels: list[tuple[str, int, int]],
    *,
    target: Floats,
    implied: Floats,
    estimate: Floats,
    deviations: Floats,
) -> pd.DataFrame:
    """Put estimates into rows, with the schools and pupils behind each.

    Parameters
    ----------
    cells : Grid
        Schools by years.
    labels : list of (aggregation, cohort, index)
        Names of the K estimates.
    target : array (K, S, T)
        Weight of the trained school-years each estimate is about.
    implied : array (K, S, T)
        Weight of every school-year in the estimate.
    estimate : array (K,)
        The estimates.
    deviations : array (K, S)
        Schools' deviations, whose cross-product is the covariance.

    Returns
    -------
    DataFrame
        What `with_inference` takes. `df` is the schools with any weight less one; `pupils` NA
        where the table has none; `largest_share` the larger of one school's share of the target
        and of the comparison's weight, 0 where there is no comparison.
    """
    weight = target.sum(axis=2)
    treated = weight > 0
    touched = contributes(implied)
    compared = touched & ~treated
    leaning = np.where(compared, np.abs(implied).sum(axis=2), 0.0)
    rows = pd.DataFrame(labels, columns=["aggregation", "cohort", "index"])
    rows["estimate"] = estimate
    rows["std_error"] = np.sqrt((deviations**2).sum(axis=1))
    rows["df"] = touched.sum(axis=1) - 1.0
    rows["schools_treated"] = treated.sum(axis=1)
    rows["schools_comparison"] = compared.sum(axis=1)
    pupils = np.where(target > 0, cells.pupils, 0.0).sum(axis=(1, 2))
    rows["pupils"] = pd.Series(pupils, dtype="Float64").round().astype("Int64")
    rows["largest_share"] = np.fmax(_share(weight), _share(leaning))
    return rows.assign(status="", reason=messages("", rows))


def _share(weight: Floats) -> Floats:
    """Return the largest school's share of each row's total, 0 where there is none."""
    total = weight.sum(axis=1)
    return weight.max(axis=1) / np.where(total > 0, total, 1.0)


def messages(codes: str | Iterable[str], rows: pd.DataFrame) -> pd.Series:
    """Return a message for each of the rows, of one code or of one each.

    Examples
    --------
    >>> messages("no_variation", pd.DataFrame({"estimate": [1.0, 2.0]})).size
    2
    """
    each = [codes] * len(rows) if isinstance(codes, str) else codes
    return pd.Series([Message(str(code)) for code in each], index=rows.index, dtype=object)


def infeasible_row(columns: tuple[str, ...], reason: Message) -> pd.DataFrame:
    """Return one simple row without numbers that says why.

    Examples
    --------
    >>> infeasible_row(("estimate", "status"), Message("no_variation"))["status"].tolist()
    ['x']
    """
    row = dict.fromkeys(columns, np.nan) | {
        "aggregation": "simple",
        "cohort": 0,
        "index": 0,
        "status": names.UNAVAILABLE,
        "reason": reason,
    }
    given = [name for name in COUNTS if name in row]
    return pd.DataFrame([row]).astype(dict.fromkeys(given, "Int64"))


def simple_row(rows: pd.DataFrame) -> dict[str, Any]:
    """Return the row of all trained school-years together."""
    return {str(k): v for k, v in rows[rows["aggregation"].eq("simple")].iloc[0].items()}


def with_inference(rows: pd.DataFrame, critical: dict[str, float], *, size: float) -> pd.DataFrame:
    """Add intervals, bands, p values and status to estimates with standard errors.

    Parameters
    ----------
    rows : DataFrame
        aggregation, estimate, std_error, df, schools_treated, status, reason and what else a row
        has; a status already given is kept.
    critical : dict
        Critical value of the simultaneous band of each aggregation; pointwise where absent.
    size : float
        Largest absolute outcome: a standard error below its rounding is zero.

    Returns
    -------
    DataFrame
        With the columns of `ROW_COLUMNS`. A row that fewer than two trained schools carry, or
        whose outcomes do not vary, keeps its estimate, has no interval and status ``x``.
    """
    status, reason = rows["status"], rows["reason"]
    estimate, error, df = (rows[name].to_numpy(float) for name in ("estimate", "std_error", "df"))
    still = ~(error > _NO_VARIATION * max(size, _NO_VARIATION))
    for fails, why in (
        (rows["schools_treated"] < 2, "one_trained_school"),
        (still, "no_variation"),
    ):
        hidden = status.eq("") & fails
        if hidden.any():
            status = status.mask(hidden, names.UNAVAILABLE)
            reason = reason.mask(hidden, messages(why, rows))
    pointwise = t_critical(df)
    band = rows["aggregation"].map(critical).to_numpy(float)
    band = np.where(np.isnan(band), pointwise, np.fmax(band, pointwise))
    numbers = {
        "std_error": error,
        "df": df,
        "ci_lower": estimate - pointwise * error,
        "ci_upper": estimate + pointwise * error,
        "band_lower": estimate - band * error,
        "band_upper": estimate + band * error,
        "p_value": t_p_value(estimate, error, df),
    }
    shown = status.eq("").to_numpy()
    numbers = {name: np.where(shown, values, np.nan) for name, values in numbers.items()}
    rows = rows.assign(status=status, reason=reason, **numbers)
    return rows.loc[:, list(ROW_COLUMNS)].reset_index(drop=True)
