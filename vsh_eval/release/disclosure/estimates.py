"""Estimates: which may be shown, and to how many figures."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.contracts import DisclosureError, require_columns
from vsh_eval.numerics.arrays import Flags, Floats
from vsh_eval.numerics.rounding import decimals, rounded_p_values, significant, to_decimals
from vsh_eval.release.disclosure.rules import Rule

NEEDED = ("estimate", "std_error", "df", "schools_treated", "schools_comparison", "pupils")
SCHOOLS = ("schools_treated", "schools_comparison")
COUNTS = (*SCHOOLS, "pupils")
_TO_THE_ERROR = ("estimate", "ci_lower", "ci_upper", "band_lower", "band_upper")
_CHANCES = ("p_value", "p_adjusted")
_QUESTION = ("metric", "programme", "tier", "phase", "aggregation", "cohort", "index")
_SAMPLE = frozenset({*COUNTS, "df"})
OVERALL = "simple"
"""The aggregation over all cohorts and years."""
LEFT_OUT = "leave_out"
"""The check of the robustness table that leaves schools out."""


def protect_estimates(table: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Show the estimates that enough schools and children carry.

    Each row is judged on its own numbers, so an effect of one adoption cohort in one year needs
    what an overall effect needs. A requirement that is missing is not met. Of several estimators of
    one effect only the first says how many schools and children it rests on, and rows of role
    robustness or exploratory never do: two samples that differ by one school would tell that
    school's children. For the same reason an estimate that leaves schools out (check leave_out) is
    hidden, and only its verdict shown, unless the rule's ``min_schools`` and ``threshold`` were
    left out; a primary estimate in the same table says of how many. Costs have two significant
    figures. Only the overall effect says on how many children it rests: adoption cohorts, calendar
    years and
    years since training are three divisions of them, and each rounded number would narrow the rest.

    Parameters
    ----------
    table : DataFrame
        Estimates: the columns of `NEEDED`; the question, role, check, largest_share, limits, p
        values, measure and status where it has them.
    rule : Rule
        The disclosure rule.

    Returns
    -------
    DataFrame
        Without largest_share; status ``c`` where a row is refused, unless it has no estimate and
        a symbol of its own that says why.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If a count is negative.
    """
    require_columns(table, NEEDED, name="estimates")
    out = table.reset_index(drop=True).drop(columns="largest_share", errors="ignore")
    numbers = {name: floats(table, name) for name in NEEDED}
    numbers |= {name: counts_of(table, name) for name in COUNTS}
    reason = _reasons(table, numbers, rule)
    reason[(reason == "") & _nearly_the_same(table, numbers, rule)] = "differencing"
    refused = reason != ""
    keys = [name for name in _QUESTION if name in out]
    repeated = out.duplicated(keys).to_numpy() if keys else np.zeros(len(out), dtype=np.bool_)
    if "role" in out:
        repeated = repeated | out["role"].isin(["robustness", "exploratory"]).to_numpy()
    partial = np.zeros(len(out), dtype=np.bool_)
    if "aggregation" in out:
        partial = out["aggregation"].ne(OVERALL).to_numpy(dtype=np.bool_)
    for name, shown in _shown(out, numbers, rule).items():
        unseen = refused | repeated if name in _SAMPLE else refused
        if name == "pupils":
            unseen = unseen | partial
        value = np.where(unseen, np.nan, shown)
        whole = name in COUNTS
        out[name] = pd.array(value, dtype="Float64").astype("Int64") if whole else value
    symbol = out["status"].fillna("") if "status" in out else pd.Series("", index=out.index)
    says_why = ~np.isfinite(numbers["estimate"]) & (symbol != "").to_numpy()
    out["status"] = symbol.astype("str").mask(refused & ~says_why, names.CONFIDENTIAL)
    return out


def _shown(table: pd.DataFrame, numbers: dict[str, Floats], rule: Rule) -> dict[str, Floats]:
    """Return each number as it is shown where its row is not refused."""
    error = numbers["std_error"]
    if "measure" in table:
        costs = {name: significant(floats(table, name)) for name in _TO_THE_ERROR if name in table}
        unsaid = dict.fromkeys(_SAMPLE, np.full(len(table), np.nan))
        return {**unsaid, **costs, "std_error": significant(error)}
    places = decimals(np.where(np.isfinite(error), error, _half_width(table)))
    to_the_error = [name for name in _TO_THE_ERROR if name in table]
    chances = [name for name in _CHANCES if name in table]
    return {
        **{name: to_decimals(floats(table, name), places) for name in to_the_error},
        **{name: rounded_p_values(floats(table, name)) for name in chances},
        **{name: significant(floats(table, name)) for name in ("bias",) if name in table},
        "std_error": significant(error),
        "df": np.floor(numbers["df"]),
        "pupils": rule.base * np.round(numbers["pupils"] / rule.base),
        **{name: numbers[name] for name in SCHOOLS},
    }


def _reasons(table: pd.DataFrame, numbers: dict[str, Floats], rule: Rule) -> NDArray[np.object_]:
    """Return why each row is refused, '' where it is not."""
    treated, comparison = numbers["schools_treated"], numbers["schools_comparison"]
    share = np.zeros(len(table))
    if "largest_share" in table:
        share = np.nan_to_num(floats(table, "largest_share"))
    return np.select(
        [
            ~(numbers["df"] >= rule.min_df),
            ~(treated + comparison >= rule.estimate_schools),
            ~(np.minimum(treated, comparison) >= rule.min_schools),
            share > rule.arm_dominance,
            ~(numbers["pupils"] >= rule.threshold),
        ],
        ["degrees of freedom", "schools", "arm", "dominance", "threshold"],
        default="",
    ).astype(object)


def _nearly_the_same(table: pd.DataFrame, numbers: dict[str, Floats], rule: Rule) -> Flags:
    """Mark the rows that leave out too little of the primary sample to be shown beside it."""
    if "check" not in table:
        return np.zeros(len(table), dtype=np.bool_)
    leaving = table["check"].eq(LEFT_OUT).to_numpy(dtype=np.bool_)
    whole = table["role"].eq("primary").to_numpy(dtype=np.bool_)
    if not whole.any():
        return leaving
    first = int(whole.argmax())
    schools = numbers["schools_treated"][first] - numbers["schools_treated"]
    pupils = numbers["pupils"][first] - numbers["pupils"]
    return leaving & ~((schools >= rule.min_schools) & (pupils >= rule.threshold))


def _half_width(table: pd.DataFrame) -> Floats:
    """Stand in for a standard error that an estimator does not give."""
    if not {"ci_lower", "ci_upper"} <= set(table.columns):
        return np.full(len(table), np.nan)
    return (floats(table, "ci_upper") - floats(table, "ci_lower")) / 4


def floats(table: pd.DataFrame, column: str) -> Floats:
    """Return a column as floats, NaN where it is missing."""
    return table[column].to_numpy("float64", na_value=np.nan)


def counts_of(table: pd.DataFrame, column: str) -> Floats:
    """Return a column of counts, and refuse a negative one."""
    counts = floats(table, column)
    if (counts < 0).any():
        raise DisclosureError(
            f"{column} holds a negative count, must be 0 or more; correct what makes the table."
        )
    return counts
