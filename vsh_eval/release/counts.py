"""Tables of counts outside the cube: reach of the offer, findings, and tables of the design."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.contracts import DisclosureError, require_columns
from vsh_eval.release.guarded import Guarded
from vsh_eval.release.rounding import people, significant
from vsh_eval.release.rules import Rule

FloatArray = NDArray[np.float64]
Flags = NDArray[np.bool_]

_TIMES = re.compile(
    r"time_period|adopted|index|baseline|cohort|(cohort|base)_period|event_time|(first_|last_)?year"
)
_SHARE = re.compile(r"^(share|mean|median|std|sd|per|rate|percent|ratio|smd)_|_per_|_(share|rate)$")
_CHILDREN = re.compile(r"(^|_)(pupils?|children|enrolments|cohort_pupils|staff_trained)(_|$)")
_SETTINGS = re.compile(r"(^|_)(schools?|settings|units)(_|$)")

PER_100 = {
    "staff_per_100_pupils": ("staff_trained", "pupils"),
    "hours_per_100_pupils": ("hours", "pupils"),
}
REACH_NOTE = (
    "Numbers of pupils and staff are rounded to the nearest 5 and hidden (c) under 10; shares and "
    "rates per 100 pupils are worked out from the numbers shown."
)
DESIGN_NOTE = (
    "Numbers of pupils are rounded to the nearest 5 and hidden (c) under 10; fewer than three "
    "schools are hidden; other figures have two significant figures."
)
FINDINGS_NOTE = "Numbers of rows are rounded to the nearest 5 and hidden (c) under 10."


def protect_reach(table: pd.DataFrame, rule: Rule) -> Guarded:
    """Show how many schools and pupils the offer reached.

    Pupils are rounded phase by phase and totals are sums of rounded phases. ``pupils_reached`` is
    hidden where it or what is shown for it lies under the threshold, and where all but fewer than
    the threshold are reached; schools
    trained where one or two are, or all but one or two. No school trained means no pupil reached:
    that nought is shown.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If a count is negative, or a part larger than its whole.
    """
    require_columns(table, ("schools", "schools_trained", "pupils", "pupils_reached"), name="reach")
    out, hidden = table.reset_index(drop=True).copy(), Counter[str]()
    schools, trained = _counts(out, "schools"), _counts(out, "schools_trained")
    pupils, reached = _counts(out, "pupils"), _counts(out, "pupils_reached")
    _refuse_parts(((trained, schools, "schools_trained"), (reached, pupils, "pupils_reached")))
    few_schools = _few(schools, rule)
    some_trained = _few(trained, rule) | _few(schools - trained, rule) | few_schools
    shown, shown_reached = _rounded(out, "pupils", rule), _rounded(out, "pupils_reached", rule)
    few_pupils = ~(np.minimum(pupils, shown) >= rule.threshold) | few_schools
    few_reached = ~(np.minimum(reached, shown_reached) >= rule.threshold) & (trained != 0)
    few_reached |= few_pupils
    rest = np.minimum(pupils - reached, shown - shown_reached)
    all_but_few = (pupils > reached) & (rest < rule.threshold)
    _put(out, "schools", schools, few_schools, hidden, "schools")
    _put(out, "schools_trained", trained, some_trained, hidden, "schools")
    _put(out, "pupils", shown, few_pupils, hidden, "threshold")
    unseen = few_reached | all_but_few | some_trained
    _put(out, "pupils_reached", shown_reached, unseen, hidden, "threshold")
    _depth(out, rule, some_trained, hidden)
    _shares(out)
    return _with_status(out, hidden, (REACH_NOTE,))


def _depth(out: pd.DataFrame, rule: Rule, some_trained: Flags, hidden: Counter[str]) -> None:
    """Hide and round staff, hours and cost: one or two schools' training is theirs alone."""
    unseen = some_trained.copy()
    if "staff_trained" in out:
        staff = _counts(out, "staff_trained")
        unseen |= ~((staff >= rule.threshold) | (staff == 0))
        _put(out, "staff_trained", people(staff, rule), unseen, hidden, "threshold")
    for column in ("hours", "cost"):
        if column in out:
            value = _counts(out, column)
            value = value if rule.exact else np.round(value)
            _put(out, column, value, unseen & (value != 0), hidden, "schools", whole=False)


def _shares(out: pd.DataFrame) -> None:
    """Work shares and rates out again, from the counts shown."""
    ratios = {
        "share_schools": ("schools_trained", "schools", _scale_of(out, "share_schools")),
        "share_pupils": ("pupils_reached", "pupils", _scale_of(out, "share_pupils")),
        **{name: (*parts, 100.0) for name, parts in PER_100.items()},
    }
    for name, (part, whole, scale) in ratios.items():
        if name in out and part in out:
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = _floats(out, part) / _floats(out, whole)
            out[name] = np.round(scale * np.where(np.isfinite(ratio), ratio, np.nan), 4)


def _scale_of(out: pd.DataFrame, column: str) -> float:
    """Return 100 where the table's shares are percentages, 1 where they are proportions."""
    return 100.0 if column in out and (_floats(out, column) > 1).any() else 1.0


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
    rows = _counts(out, "rows")
    small = (rows > 0) & (rows < rule.threshold)
    if "of_rows" in out:
        whole = _counts(out, "of_rows")
        small |= (whole > rows) & (whole - rows < rule.threshold) & (rows > 0)
        few = (whole > 0) & (whole < rule.threshold)
        _put(out, "of_rows", people(whole, rule), few, hidden, "threshold")
    _put(out, "rows", people(rows, rule), small, hidden, "threshold")
    return _with_status(out, hidden, (FINDINGS_NOTE,))


def protect_design(table: pd.DataFrame, rule: Rule) -> Guarded:
    """Show arms, balance and losses: counts protected, other numbers to two significant figures.

    Columns named for pupils, children, enrolments or staff count people; those named for schools
    count settings. Where a count of a row is hidden, so are the row's other numbers: a share of
    few is few.

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
    unseen = np.zeros(len(out), dtype=np.bool_)
    for name in children:
        counts = _counts(out, name)
        few = ~((counts >= rule.threshold) | np.isnan(counts))
        _put(out, name, people(counts, rule), few, hidden, "threshold")
        unseen |= few
    for name in settings:
        counts = _counts(out, name)
        few = _few(counts, rule)
        _put(out, name, counts, few, hidden, "schools")
        unseen |= few
    for name in numbers:
        if name not in children and name not in settings:
            value = _floats(out, name)
            value = value if rule.exact else significant(value)
            _put(out, name, value, unseen & ~np.isnan(value), hidden, "threshold", whole=False)
    return _with_status(out, hidden, (DESIGN_NOTE,))


def _is_count(name: str, pattern: re.Pattern[str]) -> bool:
    return bool(pattern.search(name)) and not _SHARE.search(name)


def _few(counts: FloatArray, rule: Rule) -> Flags:
    """Mark one or two settings; none is no secret."""
    return (counts > 0) & (counts < rule.min_schools)


def _floats(table: pd.DataFrame, column: str) -> FloatArray:
    return table[column].to_numpy("float64", na_value=np.nan)


def _counts(table: pd.DataFrame, column: str) -> FloatArray:
    counts = _floats(table, column)
    if (counts < 0).any():
        raise DisclosureError(f"{column} holds a negative count, must be 0 or more.")
    return counts


def _refuse_parts(parts: Sequence[tuple[FloatArray, FloatArray, str]]) -> None:
    for part, whole, name in parts:
        if (part > whole).any():
            raise DisclosureError(
                f"{name} is larger than the number it is a part of, must be at most that; check "
                "what the table counts."
            )


def _rounded(table: pd.DataFrame, column: str, rule: Rule) -> FloatArray:
    """Round counts; a total that is the sum of its phases is shown as the sum of them rounded."""
    true = _floats(table, column)
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


def _put(
    out: pd.DataFrame,
    column: str,
    values: FloatArray,
    unseen: Flags,
    hidden: Counter[str],
    reason: str,
    *,
    whole: bool = True,
) -> None:
    hidden[reason] += int(unseen.sum())
    shown = np.where(unseen, np.nan, values)
    out[column] = pd.array(shown, dtype="Float64").astype("Int64") if whole else shown
    symbol = out["status"].fillna("") if "status" in out else pd.Series("", index=out.index)
    out["status"] = symbol.astype("str").mask(unseen, names.CONFIDENTIAL)


def _with_status(out: pd.DataFrame, hidden: Counter[str], notes: tuple[str, ...]) -> Guarded:
    last = [name for name in out.columns if name != "status"]
    return Guarded(out[[*last, "status"]], +hidden, notes)
