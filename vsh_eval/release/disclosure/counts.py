"""Tables of counts outside the cube: reach of the offer, findings, and tables of the design."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.contracts import DisclosureError, require_columns
from vsh_eval.release.disclosure.guarded import Guarded
from vsh_eval.release.disclosure.rounding import people, significant
from vsh_eval.release.disclosure.rules import Rule

FloatArray = NDArray[np.float64]
Flags = NDArray[np.bool_]

_TIMES = re.compile(
    r"time_period|adopted|index|baseline|cohort|(cohort|base)_period|event_time|(first_|last_)?year"
)
_SHARE = re.compile(r"^(share|mean|median|std|sd|per|rate|percent|ratio|smd)_|_per_|_(share|rate)$")
_CHILDREN = re.compile(r"(^|_)(pupils?|children|enrolments|cohort_pupils|staff_trained)(_|$)")
_SETTINGS = re.compile(r"(^|_)(schools?|settings|units)(_|$)")

DESIGN_NOTE = (
    "Numbers of pupils are rounded to the nearest 5 and hidden (c) under 10, numbers of schools "
    "under three, and with them what would tell them; other counts are exact, means and shares "
    "have two significant figures."
)
FINDINGS_NOTE = "Numbers of rows are rounded to the nearest 5 and hidden (c) under 10."


def protect_findings(table: pd.DataFrame, rule: Rule) -> Guarded:
    """Show findings with their numbers of rows hidden under the threshold.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If a number of rows is negative.
    """
    require_columns(table, ("check", "table", "result", "rows"), name="findings")
    out, hidden = table.reset_index(drop=True).copy(), Counter[str]()
    rows = counts_of(out, "rows")
    small = (rows > 0) & (rows < rule.threshold)
    if "of_rows" in out:
        whole = counts_of(out, "of_rows")
        small |= (whole > rows) & (whole - rows < rule.threshold) & (rows > 0)
        few = (whole > 0) & (whole < rule.threshold)
        put(out, "of_rows", people(whole, rule), few, hidden, "threshold")
    put(out, "rows", people(rows, rule), small, hidden, "threshold")
    return with_status(out, hidden, (FINDINGS_NOTE,))


def protect_design(table: pd.DataFrame, rule: Rule) -> Guarded:
    """Show arms, balance and losses: counts protected, other numbers to two significant figures.

    Columns named for pupils, children, enrolments or staff count people; those named for schools
    count settings. Where a count of a row is hidden, so are the row's other numbers: a share of
    few is few. Where a step of an account is hidden, so is what the account began with: else the
    step would follow from the rest.

    Raises
    ------
    DisclosureError
        If a count is negative.
    """
    out, hidden = table.reset_index(drop=True).copy(), Counter[str]()
    numbers = [
        str(name)
        for name in out.columns
        if pd.api.types.is_numeric_dtype(out[name]) and not pd.api.types.is_bool_dtype(out[name])
    ]
    numbers = [name for name in numbers if not _TIMES.fullmatch(name)]
    children = [name for name in numbers if _is_count(name, _CHILDREN)]
    settings = [name for name in numbers if name not in children and _is_count(name, _SETTINGS)]
    few_people = {
        name: ~((counts_of(out, name) >= rule.threshold) | np.isnan(counts_of(out, name)))
        for name in children
    }
    few_schools = {name: few_settings(counts_of(out, name), rule) for name in settings}
    nothing = np.zeros(len(out), dtype=np.bool_)
    unseen = np.any([nothing, *few_people.values(), *few_schools.values()], axis=0)
    starts = _starts(out, unseen)
    unseen |= starts
    for name, few in few_people.items():
        put(out, name, people(counts_of(out, name), rule), few | starts, hidden, "threshold")
    for name, few in few_schools.items():
        put(out, name, counts_of(out, name), few | starts, hidden, "schools")
    for name in numbers:
        if name not in children and name not in settings:
            value = floats(out, name)
            value = value if rule.exact else significant(value)
            put(out, name, value, unseen & ~np.isnan(value), hidden, "threshold", whole=False)
    return with_status(out, hidden, (DESIGN_NOTE,))


def _starts(table: pd.DataFrame, unseen: Flags) -> Flags:
    """Mark the first row of every account of steps in which a step is hidden."""
    starts = np.zeros(len(table), dtype=np.bool_)
    if "step" in table:
        accounts = table["table"] if "table" in table else pd.Series("", index=table.index)
        for _, block in table.groupby(accounts.to_numpy(), sort=False):
            if unseen[block.index].any():
                starts[block.index[0]] = True
    return starts


def _is_count(name: str, pattern: re.Pattern[str]) -> bool:
    return bool(pattern.search(name)) and not _SHARE.search(name)


def few_settings(counts: FloatArray, rule: Rule) -> Flags:
    """Mark one or two settings; none is no secret."""
    return (counts > 0) & (counts < rule.min_schools)


def floats(table: pd.DataFrame, column: str) -> FloatArray:
    """Return a column as floats, NaN where it is missing."""
    return table[column].to_numpy("float64", na_value=np.nan)


def counts_of(table: pd.DataFrame, column: str) -> FloatArray:
    """Return a column of counts, and refuse a negative one."""
    counts = floats(table, column)
    if (counts < 0).any():
        raise DisclosureError(f"{column} holds a negative count, must be 0 or more.")
    return counts


def refuse_parts(parts: Sequence[tuple[FloatArray, FloatArray, str]]) -> None:
    """Refuse a part that is larger than its whole."""
    for part, whole, name in parts:
        if (part > whole).any():
            raise DisclosureError(
                f"{name} is larger than the number it is a part of, must be at most that; check "
                "what the table counts."
            )


def rounded_by_phase(table: pd.DataFrame, column: str, rule: Rule) -> FloatArray:
    """Round counts; a total that is the sum of its phases is shown as the sum of them rounded."""
    true = floats(table, column)
    rounded = people(true, rule)
    if "phase" not in table:
        return rounded
    total = (table["phase"] == names.TOTAL).to_numpy(dtype=bool)
    numbers = table.select_dtypes("number").columns.difference(["time_period"])
    keys = [name for name in table.columns.difference(numbers) if name not in ("phase", "status")]
    part = table[keys].assign(everything="", true=true, rounded=rounded)
    sums = part.loc[~total].groupby([*keys, "everything"], dropna=False)[["true", "rounded"]].sum()
    joined = part[[*keys, "everything"]].merge(
        sums.reset_index(), how="left", on=[*keys, "everything"]
    )
    adds_up = total & (joined["true"].to_numpy("float64") == true)
    return np.where(adds_up, joined["rounded"].to_numpy("float64"), rounded)


def put(
    out: pd.DataFrame,
    column: str,
    values: FloatArray,
    unseen: Flags,
    hidden: Counter[str],
    reason: str,
    *,
    whole: bool = True,
) -> None:
    """Put a column's shown values in its place, and count what is hidden of it."""
    hidden[reason] += int(unseen.sum())
    shown = np.where(unseen, np.nan, values)
    out[column] = pd.array(shown, dtype="Float64").astype("Int64") if whole else shown
    symbol = out["status"].fillna("") if "status" in out else pd.Series("", index=out.index)
    out["status"] = symbol.astype("str").mask(unseen, names.CONFIDENTIAL)


def with_status(out: pd.DataFrame, hidden: Counter[str], notes: tuple[str, ...]) -> Guarded:
    """Close a guarded table: its status last, the audit and the notes beside it."""
    last = [name for name in out.columns if name != "status"]
    return Guarded(out[[*last, "status"]], +hidden, notes)
