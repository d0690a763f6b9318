"""The one door: nothing leaves the authority that `protect` has not made safe."""

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import DisclosureError, require_one_of
from vsh_eval.release.change_tables import CHANGE_SHOWN, protect_changes
from vsh_eval.release.counts import protect_design, protect_findings
from vsh_eval.release.cube import RoundedCube
from vsh_eval.release.estimates_gate import protect_estimates
from vsh_eval.release.guarded import Guarded
from vsh_eval.release.leaf_tables import (
    GAP_SHOWN,
    LEVEL_SHOWN,
    exact,
    protect_gaps,
    protect_levels,
)
from vsh_eval.release.reach import protect_reach
from vsh_eval.release.rules import Rule
from vsh_eval.release.safe import _SEAL, SafeTable

_FROM_LEAVES = MappingProxyType(
    {
        "levels": (protect_levels, LEVEL_SHOWN),
        "gaps": (protect_gaps, GAP_SHOWN),
        "changes": (protect_changes, CHANGE_SHOWN),
    }
)
_FROM_COUNTS: MappingProxyType[str, Callable[[pd.DataFrame, Rule], Guarded]] = MappingProxyType(
    {
        "estimates": protect_estimates,
        "findings": protect_findings,
        "design": protect_design,
    }
)
KINDS = (*_FROM_LEAVES, *_FROM_COUNTS, "reach", "published", "released", "facts")
"""The kinds of table that `protect` knows."""

PEOPLE = frozenset(
    {"pupil_id", "pupil", "upn", "uln", "pseudonym", "person_id", "child_id", "la_child_id", "dob"}
)
SCHOOLS = frozenset({"urn", "laestab", "school", "school_id", "school_name"})
"""Columns that could carry a child or name a school; none may be in any table that leaves."""

_AREAS = frozenset({"levels", "gaps", "changes", "published", "released"})
_VALUES = ("level_value", "group_level", "reference_level", "gap", "change", "estimate", "rate")
_KEYS = (
    *("role", "geographic_level", "unit_id", "time_period", "baseline", "programme", "tier"),
    *("phase", "metric", "group", "reference", "estimator", "comparison", "aggregation"),
    *("cohort", "index", "source", "vintage", "cohort_rule"),
)


def protect(
    table: pd.DataFrame,
    rule: Rule,
    *,
    kind: str,
    cube: RoundedCube | None = None,
    stamp: str = "",
) -> SafeTable:
    """Make a table safe to leave, or refuse it.

    Parameters
    ----------
    table : DataFrame
        True numbers, as the rooms before hand them over.
    rule : Rule
        The disclosure rule: ``rule_named("strict10")``; with ``"none"`` everything passes as it is
        and is stamped as internal.
    kind : str
        ``levels``, ``gaps``, ``changes``: recomputed from the rounded leaves of ``cube``; a table
        whose ``source`` is ``published`` passes as ``published``.
        ``estimates``: rows refused unless enough schools and children carry them.
        ``reach``, ``findings``, ``design``: counts rounded and small ones hidden.
        ``published``: figures that are public already, unchanged, with their symbols.
        ``released``: a table read back from a release, unchanged; symbols become missing numbers.
        ``facts``: settings, dates, versions: no counts of children.
    cube : RoundedCube, optional
        From `round_leaves`, of the panel that the table was measured on.
    stamp : str
        What outputs must say about the data, for example SYNTHETIC.

    Returns
    -------
    SafeTable
        Hidden numbers are missing and the row's ``status`` is ``c``.

    Raises
    ------
    ContractError
        If the kind is unknown or a column is missing.
    DisclosureError
        If a column could carry a child or a school, a key stands twice, a count is negative or a
        numerator above its N, levels or gaps of returns come without their cube, a published
        number is missing without a symbol, or facts count children.

    Examples
    --------
    >>> from vsh_eval.release.rules import rule_named
    >>> found = pd.DataFrame({"check": ["terms"], "table": ["attendance"], "result": ["warn"],
    ...                       "rows": [3], "of_rows": [1201]})
    >>> protect(found, rule_named("strict10"), kind="findings").frame[["rows", "status"]]
       rows status
    0  <NA>      c
    """
    require_one_of(kind, KINDS, name="kind of table")
    _refuse_columns(table, kind)
    guarded = _guard(table, rule, kind, cube)
    stamps = [text for text in (stamp, rule.stamp) if text]
    frame = guarded.frame.reset_index(drop=True)
    return SafeTable(frame, kind, " | ".join(stamps), guarded.notes, guarded.audit, _SEAL)


def _guard(table: pd.DataFrame, rule: Rule, kind: str, cube: RoundedCube | None) -> Guarded:
    if kind in _FROM_LEAVES:
        _refuse_twice(table)
        return _from_leaves(table, rule, kind, cube)
    if kind == "reach":
        return protect_reach(table, rule, cube)
    if kind == "published":
        return _published(table)
    if kind in {"released", "facts"}:
        return Guarded(_read_back(table) if kind == "released" else table)
    if kind == "estimates":
        _refuse_twice(table)
    return _FROM_COUNTS[kind](table, rule)


def _from_leaves(table: pd.DataFrame, rule: Rule, kind: str, cube: RoundedCube | None) -> Guarded:
    if _is_published(table):
        return _published(table)
    make, shown = _FROM_LEAVES[kind]
    return exact(table, shown) if rule.exact else make(table, _fitting(cube, rule, kind))


def _refuse_columns(table: pd.DataFrame, kind: str) -> None:
    """Refuse columns that could carry a child or name a school."""
    refused = PEOPLE | SCHOOLS
    if kind not in _AREAS:
        refused |= {"unit_id"}
    if kind == "facts":
        refused |= {"pupils", "numerator", "denominator", "group_pupils", "reference_pupils"}
    found = sorted({str(name) for name in table.columns if str(name).lower() in refused})
    if found:
        raise DisclosureError(
            f"a table of kind {kind!r} has the column {found[0]}, must not: it could carry a child "
            "or a school; leave the column out or choose the kind that protects it."
        )


def _refuse_twice(table: pd.DataFrame) -> None:
    keys = [name for name in _KEYS if name in table.columns]
    twice = int(table.duplicated(keys).sum()) if keys else 0
    if twice:
        raise DisclosureError(
            f"{twice} rows stand in the table twice, must stand once; check the joins that made it."
        )


def _is_published(table: pd.DataFrame) -> bool:
    return "source" in table and len(table) > 0 and bool((table["source"] == "published").all())


def _fitting(cube: RoundedCube | None, rule: Rule, kind: str) -> RoundedCube:
    if cube is None:
        raise DisclosureError(
            f"{kind} of returns came without a cube, must have one; make it with "
            "round_leaves(panel, rule)."
        )
    if cube.rule != rule:
        raise DisclosureError(
            f"the cube was rounded by rule {cube.rule.name!r}, must be {rule.name!r}; make it with "
            "the rule of the release."
        )
    return cube


def _published(table: pd.DataFrame) -> Guarded:
    if "source" in table and not _is_published(table) and len(table):
        raise DisclosureError(
            "a table of kind 'published' holds rows of returns, must hold published figures only; "
            "use the kind that protects it."
        )
    out = table.copy()
    if "status" not in out:
        out["status"] = ""
    out["status"] = out["status"].astype("str").where(out["status"].notna(), "")
    values = [name for name in _VALUES if name in out]
    if {"rate", "numerator"} <= set(values) | set(out.columns):
        # A panel's row has counts or a rate, one of them is enough.
        missing = out["rate"].isna() & out["numerator"].isna()
    else:
        missing = (
            out[values].isna().any(axis=1) if values else pd.Series(data=False, index=out.index)
        )
    unsaid = int((missing & (out["status"] == "")).sum())
    if unsaid:
        raise DisclosureError(
            f"{unsaid} published numbers are missing without a symbol, must have DfE's symbol in "
            "status; keep the symbols when reading the file."
        )
    return Guarded(out)


def _read_back(table: pd.DataFrame) -> pd.DataFrame:
    """Turn columns of numbers and symbols back into numbers."""
    out = table.copy()
    symbols = set(names.SYMBOL_MEANINGS)
    for name in out.columns:
        if name == "status" or pd.api.types.is_numeric_dtype(out[name]):
            continue
        text = out[name].astype("str")
        hidden = text.isin(symbols) | out[name].isna()
        numbers = pd.to_numeric(text.mask(hidden), errors="coerce")
        if hidden.any() and not hidden.all() and bool(np.isfinite(numbers[~hidden]).all()):
            out[name] = numbers
    return out
