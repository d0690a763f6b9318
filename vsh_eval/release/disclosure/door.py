"""The one door: nothing leaves the authority that `protect` has not made safe."""

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import DisclosureError, require_one_of
from vsh_eval.release.disclosure.bands import band_of, protect_bands
from vsh_eval.release.disclosure.barrier_tables import BARRIER_SHOWN, protect_barriers
from vsh_eval.release.disclosure.beside_tables import (
    EFFECT_SIZE_SHOWN,
    SESSIONS_SHOWN,
    protect_effect_sizes,
    protect_sessions,
)
from vsh_eval.release.disclosure.between_schools import protect_between_schools
from vsh_eval.release.disclosure.breakdown_cube import RoundedBreakdowns
from vsh_eval.release.disclosure.breakdown_tables import BREAKDOWN_SHOWN, protect_breakdown
from vsh_eval.release.disclosure.change_tables import CHANGE_SHOWN, protect_changes
from vsh_eval.release.disclosure.counts import protect_design, protect_findings
from vsh_eval.release.disclosure.cube import RoundedCube
from vsh_eval.release.disclosure.decomposition_tables import protect_decomposition, shown_columns
from vsh_eval.release.disclosure.estimates_gate import protect_estimates
from vsh_eval.release.disclosure.guarded import Guarded
from vsh_eval.release.disclosure.leaf_tables import (
    GAP_SHOWN,
    LEVEL_SHOWN,
    exact,
    protect_gaps,
    protect_levels,
)
from vsh_eval.release.disclosure.offer import protect_equity, protect_offer
from vsh_eval.release.disclosure.part_tables import PART_SHOWN, protect_parts
from vsh_eval.release.disclosure.reach import protect_reach
from vsh_eval.release.disclosure.rules import Rule
from vsh_eval.release.disclosure.safe import _SEAL, SafeTable
from vsh_eval.release.disclosure.trend_tables import TREND_SHOWN, protect_trends

_FROM_LEAVES = MappingProxyType(
    {
        "levels": (protect_levels, LEVEL_SHOWN),
        "gaps": (protect_gaps, GAP_SHOWN),
        "changes": (protect_changes, CHANGE_SHOWN),
        "trends": (protect_trends, TREND_SHOWN),
        "effect_sizes": (protect_effect_sizes, EFFECT_SIZE_SHOWN),
        "sessions": (protect_sessions, SESSIONS_SHOWN),
        "parts": (protect_parts, PART_SHOWN),
    }
)
_FROM_COUNTS: MappingProxyType[str, Callable[[pd.DataFrame, Rule], Guarded]] = MappingProxyType(
    {
        "estimates": protect_estimates,
        "findings": protect_findings,
        "design": protect_design,
        "between_schools": protect_between_schools,
        "offer": protect_offer,
        "equity": protect_equity,
    }
)
_BY_MAKE_UP = ("breakdown", "decomposition", "barriers")
KINDS = (*_FROM_LEAVES, *_BY_MAKE_UP, *_FROM_COUNTS, "reach", "published", "released", "facts")
"""The kinds of table that `protect` knows."""

PEOPLE = frozenset(
    {"pupil_id", "pupil", "upn", "uln", "pseudonym", "person_id", "child_id", "la_child_id", "dob"}
)
SCHOOLS = frozenset({"urn", "laestab", "school", "school_id", "school_name"})
"""Columns that could carry a child or name a school; none may be in any table that leaves."""

_AREAS = frozenset({*_FROM_LEAVES, *_BY_MAKE_UP, "between_schools", "published", "released"})
_VALUES = ("level_value", "group_level", "reference_level", "gap", "change", "estimate", "rate")
_KEYS = (
    *("role", "geographic_level", "unit_id", "time_period", "baseline", "programme", "tier"),
    *("phase", "metric", "group", "reference", "estimator", "comparison", "aggregation"),
    *("cohort", "index", "source", "vintage", "cohort_rule", "breakdown", "value"),
    *("check", "variant", "subgroup", "measure", "covid_years", "weights", "year_before"),
    *("year_effects", "of", "part", "barrier"),
)


def protect(
    table: pd.DataFrame,
    rule: Rule,
    *,
    kind: str,
    cube: RoundedCube | RoundedBreakdowns | None = None,
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
        ``trends``, ``effect_sizes``, ``sessions``, ``parts``: worked out from the levels and gaps
        so shown.
        ``between_schools``: how much schools differ, where ten or more stand behind it.
        ``breakdown``: gaps by one characteristic at a time, recomputed from the leaves of
        ``round_breakdowns``. ``decomposition``: decomposed, matched and standardised gaps, one
        rounded part beside the gap that ``cube`` shows. ``barriers``: shares of children with SEN
        or free school meals, from ``round_breakdowns``.
        ``estimates``: rows refused unless enough schools and children carry them.
        ``reach``, ``findings``, ``design``: counts rounded and small ones hidden.
        ``offer``: trained schools shared out; ``equity``: an index over all schools.
        ``published``: figures that are public already, unchanged, with their symbols.
        ``released``: a table read back from a release, unchanged; symbols become missing numbers.
        ``facts``: settings, dates, versions: no counts of children.
    cube : RoundedCube or RoundedBreakdowns, optional
        From `round_leaves`, of the panel that the table was measured on; for ``breakdown`` and
        ``barriers`` from `round_breakdowns`, of the composition.
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
    >>> from vsh_eval.release.disclosure.rules import rule_named
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


def _guard(
    table: pd.DataFrame, rule: Rule, kind: str, cube: RoundedCube | RoundedBreakdowns | None
) -> Guarded:
    if kind in _BY_MAKE_UP:
        _refuse_twice(table)
        return _by_make_up(table, rule, kind, cube)
    if isinstance(cube, RoundedBreakdowns):
        raise DisclosureError(
            f"{kind} came with the rounded leaves of breakdowns, must come with those of the "
            "panel; make them with round_leaves(panel, rule)."
        )
    if kind in _FROM_LEAVES:
        _refuse_twice(table)
        return _from_leaves(table, rule, kind, cube)
    if kind == "reach":
        return (protect_bands if band_of(table) else protect_reach)(table, rule, cube)
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


def _by_make_up(
    table: pd.DataFrame, rule: Rule, kind: str, cube: RoundedCube | RoundedBreakdowns | None
) -> Guarded:
    """Show gaps by characteristics, or gaps taken apart by them."""
    if kind == "decomposition":
        if rule.exact:
            return exact(table, shown_columns(table))
        if isinstance(cube, RoundedBreakdowns):
            cube = None
        return protect_decomposition(table, _fitting(cube, rule, kind))
    if rule.exact:
        return exact(table, BARRIER_SHOWN if kind == "barriers" else BREAKDOWN_SHOWN)
    if not isinstance(cube, RoundedBreakdowns) or cube.rule != rule:
        raise DisclosureError(
            f"{kind} came without its rounded leaves, must have them; make them "
            "with round_breakdowns(composition, rule, cube=...) by the rule of the release."
        )
    return (protect_barriers if kind == "barriers" else protect_breakdown)(table, cube)


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
