"""How tables that are not made of protected cells are made safe, by what their producer says.

Columns have one role each (`vsh_eval.columns`); what holds children, schools or a measured number
is read from there, never guessed from a name.
"""

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import pandas as pd

from vsh_eval import columns, names
from vsh_eval.columns import Role
from vsh_eval.contracts import RETURNS, DisclosureError, Gate
from vsh_eval.numerics.arrays import Flags, Floats
from vsh_eval.numerics.rounding import significant
from vsh_eval.panel import PUBLISHED
from vsh_eval.release.disclosure.estimates import counts_of, floats, protect_estimates
from vsh_eval.release.disclosure.rules import Rule

_OF_CHILDREN = frozenset({Role.CHILDREN})
_WITHOUT_PUPILS = frozenset(
    name for name, table in RETURNS.items() if "pupil_id" not in table.column_names
)
_ACCOUNT = "step"
"""A column of an account of steps, of which the first says what it began with."""
_DISPLAYED = ("level_value", "group_level", "reference_level", "gap", "change", "estimate")


def release_cells(table: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Pass what was made of protected cells, and refuse a number of children that was not.

    Raises
    ------
    DisclosureError
        If a number of children is under the threshold or not displayed to the base.
    """
    for name in _with_role(table, _OF_CHILDREN):
        counts = floats(table, name)
        unsafe = (counts < rule.threshold) | (counts % rule.base > 0)
        wrong = unsafe & (counts != 0) & ~np.isnan(counts)
        if wrong.any():
            raise DisclosureError(
                f"{name} holds {int(wrong.sum())} numbers of children that are not protected, must "
                "hold none; make the table of a protected panel."
            )
    return table


def release_published(table: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Pass DfE's figures, and what is worked out from them, with their symbols.

    Raises
    ------
    DisclosureError
        If a row is not of published figures, or a figure is missing without a symbol.
    """
    del rule
    if "source" in table and not table["source"].eq(PUBLISHED).all():
        raise DisclosureError(
            "a table of published figures holds rows of returns, must hold none; make it of DfE's "
            "tables alone."
        )
    out = table.copy()
    if "status" not in out:
        out["status"] = ""
    out["status"] = out["status"].astype("str").where(out["status"].notna(), "")
    values = [name for name in _DISPLAYED if name in out]
    missing = out[values].isna().any(axis=1) if values else pd.Series(data=False, index=out.index)
    if "rate" in out and "numerator" in out:
        # A panel's row has counts or a rate, one of them is enough.
        missing = out["rate"].isna() & out["numerator"].isna()
    unsaid = int((missing & (out["status"] == "")).sum())
    if unsaid:
        raise DisclosureError(
            f"{unsaid} published numbers are missing without a symbol, must have DfE's symbol in "
            "status; keep the symbols when reading the file."
        )
    return out


def release_sample(table: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Hide small counts that have no record keys, round the rest, and what would tell them.

    Numbers of children, and of rows, are displayed to the nearest five; under the threshold they
    are hidden, and with them the other numbers of the row: a share of few is few. Numbers of
    schools are hidden under three. Of a table of the returns that names no pupil, the number of
    rows is one of schools or trainings, which the other pages give as it is. Where a step of an
    account is hidden, so is what the account began with, from which it would follow. Other numbers
    have two significant figures.
    """
    out = table.copy()
    people = [n for n in _with_role(out, {Role.CHILDREN}) + _rows(out) if _is_number(out, n)]
    schools = [n for n in _with_role(out, {Role.SCHOOLS}) if _is_number(out, n)]
    unseen = np.zeros(len(out), dtype=np.bool_)
    of_pupils = _names_pupils(out)
    for name in people:
        counts = counts_of(out, name)
        unseen |= of_pupils & (counts > 0) & (counts < rule.threshold)
    for name in schools:
        counts = counts_of(out, name)
        unseen |= (counts > 0) & (counts < rule.min_schools)
    if {"rows", "of_rows"} <= set(out):
        rows, others = counts_of(out, "rows"), counts_of(out, "of_rows") - counts_of(out, "rows")
        unseen |= of_pupils & (rows > 0) & (others > 0) & (others < rule.threshold)
    unseen |= _starts(out, unseen)
    for name in people:
        counts = counts_of(out, name)
        rounded = rule.base * np.round(counts / rule.base)
        out[name] = _whole(np.where(of_pupils, rounded, counts), unseen)
    return _hidden(out, schools, unseen)


def release_schools(table: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Show statistics of schools where enough of them, and of each kind, stand behind it.

    Two significant figures; why a hidden row has no number would say how few schools it has. No
    school at all, and none of a kind, is nobody to protect: such a row keeps its own symbol.
    """
    out = table.copy()
    schools = counts_of(out, "schools")
    unseen = (schools > 0) & (schools < rule.estimate_schools)
    if "schools_trained" in out:
        trained = counts_of(out, "schools_trained")
        fewest = np.minimum(trained, schools - trained)
        unseen |= (fewest > 0) & (fewest < rule.min_schools)
    if "reason" in out:
        out["reason"] = out["reason"].mask(unseen, "")
    return _hidden(out, _with_role(out, {Role.SCHOOLS}), unseen)


def release_facts(table: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Pass settings, rules, trials and counts of schools: no number of children.

    Raises
    ------
    DisclosureError
        If a column counts children.
    """
    del rule
    people = _with_role(table, _OF_CHILDREN)
    if people:
        raise DisclosureError(
            f"{people[0]} counts children, must not in a table of facts; declare another "
            "gate with vsh_eval.contracts.produces: cells, sample, schools or estimates."
        )
    return table


GATES: MappingProxyType[Gate, Callable[[pd.DataFrame, Rule], pd.DataFrame]] = MappingProxyType(
    {
        "cells": release_cells,
        "estimates": protect_estimates,
        "sample": release_sample,
        "schools": release_schools,
        "published": release_published,
        "facts": release_facts,
    }
)
"""How each kind of table is made safe."""


def _with_role(table: pd.DataFrame, roles: frozenset[Role] | set[Role]) -> list[str]:
    return [str(name) for name in table if columns.ROLES.get(str(name)) in roles]


def _rows(table: pd.DataFrame) -> list[str]:
    return [name for name in ("rows", "of_rows") if name in table]


def _names_pupils(table: pd.DataFrame) -> Flags:
    """Mark the rows that are about pupils: all but those of a table of the returns without them."""
    if "table" not in table:
        return np.ones(len(table), dtype=np.bool_)
    return ~table["table"].isin(_WITHOUT_PUPILS).to_numpy(dtype=np.bool_)


def _measured(table: pd.DataFrame) -> list[str]:
    """Return the columns of measured numbers: neither counts nor what describes a row."""
    others = columns.COUNTS | columns.DESCRIBING
    names = map(str, table)
    return [n for n in names if columns.ROLES.get(n) not in others and _is_number(table, n)]


def _is_number(table: pd.DataFrame, name: str) -> bool:
    kind = table[name]
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)


def _whole(values: Floats, unseen: Flags) -> pd.Series:
    shown = pd.Series(np.where(unseen, np.nan, values), dtype="Float64")
    return shown.astype("Int64")


def _starts(table: pd.DataFrame, unseen: Flags) -> Flags:
    """Mark the first row of every account of steps in which a step is hidden."""
    starts = np.zeros(len(table), dtype=np.bool_)
    if _ACCOUNT in table:
        accounts = table["table"] if "table" in table else pd.Series("", index=table.index)
        for _, block in table.groupby(accounts.to_numpy(), sort=False):
            if unseen[block.index].any():
                starts[block.index[0]] = True
    return starts


def _hidden(out: pd.DataFrame, schools: list[str], unseen: Flags) -> pd.DataFrame:
    """Hide rows' numbers of schools and measured numbers, and round those measured that stay."""
    for name in schools:
        out[name] = _whole(counts_of(out, name), unseen)
    for name in _measured(out):
        out[name] = np.where(unseen, np.nan, significant(floats(out, name)))
    symbol = out["status"].fillna("") if "status" in out else pd.Series("", index=out.index)
    return out.assign(status=symbol.astype("str").mask(unseen, names.CONFIDENTIAL))
