"""The one door: a table leaves only as what its producer says it is.

`release_table` runs a function of `metrics` or `effects` and seals what comes back. Nobody names
the kind of a table, and no frame can be sealed by hand.
"""

from collections.abc import Callable
from typing import Any

import pandas as pd

from vsh_eval import columns
from vsh_eval.contracts import DisclosureError, TableContract, contract_of
from vsh_eval.panel import ProtectedTable, is_published
from vsh_eval.release.disclosure.gates import GATES
from vsh_eval.release.disclosure.protected_cells import CellKeyShield
from vsh_eval.release.disclosure.rules import Rule
from vsh_eval.release.disclosure.safe_table import _SEAL, SafeTable

PEOPLE = frozenset(
    {"pupil_id", "pupil", "upn", "uln", "pseudonym", "person_id", "child_id", "la_child_id", "dob"}
)
SCHOOLS = frozenset({"urn", "laestab", "school", "school_id", "school_name"})
"""Columns that could carry a child or name a school; none may be in any table that leaves."""
_JUDGE_BY_ALL = frozenset({"estimates", "sample", "schools"})


def protected(table: pd.DataFrame, rule: Rule) -> ProtectedTable | pd.DataFrame:
    """Put the shield of a rule before a panel or composition of returns.

    Published figures are public, and the rule ``none`` protects nothing: these stay as they are.
    """
    return (
        table if rule.exact or is_published(table) else ProtectedTable(table, CellKeyShield(rule))
    )


def release_table(
    producer: Callable[..., pd.DataFrame],
    *arguments: Any,
    rule: Rule,
    stamp: str = "",
    **keywords: Any,
) -> SafeTable:
    """Run a function and make its table safe to leave, or refuse it.

    Parameters
    ----------
    producer : callable
        A function that says what its table is (`vsh_eval.contracts.produces`).
    *arguments, **keywords
        Its arguments. A panel or composition of returns must come from `protected`, unless the
        rule is ``none``.
    rule : Rule
        The disclosure rule: ``rule_named("cellkey")``; with ``"none"`` everything passes as it is
        and is stamped as internal.
    stamp : str
        What outputs must say about the data, for example SYNTHETIC.

    Returns
    -------
    SafeTable
        The released columns of the contract; hidden numbers are missing, the row's ``status`` c.

    Raises
    ------
    DisclosureError
        If the producer does not say what its table is, exact sums were handed to a function of
        cells, a column could carry a child or a school or has no declared role, or the gate of the
        contract refuses a number.

    Examples
    --------
    >>> from vsh_eval.contracts import produces
    >>> from vsh_eval.release.disclosure.rules import rule_named
    >>> @produces("findings", ("check", "table", "result", "rows", "of_rows"), gate="sample")
    ... def findings() -> pd.DataFrame:
    ...     return pd.DataFrame({"check": ["terms"], "table": ["attendance"], "result": ["warn"],
    ...                          "rows": [3], "of_rows": [1201]})
    >>> release_table(findings, rule=rule_named("cellkey")).frame[["rows", "status"]]
       rows status
    0  <NA>      c
    """
    contract = contract_of(producer)
    if contract.gate == "cells" and not rule.exact:
        _require_protected([*arguments, *keywords.values()], contract)
    table = producer(*arguments, **keywords).reset_index(drop=True)
    _refuse_columns(table, contract)
    released = [name for name in contract.columns if name in table]
    gate = "published" if contract.gate == "cells" and is_published(table) else contract.gate
    if gate == "published" or not rule.exact:
        # These gates judge by columns that stay inside; what the others pass is what is shown.
        table = GATES[gate](table if gate in _JUDGE_BY_ALL else table[released], rule)
    shown = table[[*released, *({"status"} & set(table) - set(released))]]
    stamps = [text for text in (stamp, rule.stamp) if text]
    return SafeTable(shown, contract.name, " | ".join(stamps), contract.gate, _SEAL)


def _require_protected(arguments: list[Any], contract: TableContract) -> None:
    """Refuse a panel or composition of returns that has no shield."""
    for argument in arguments:
        if isinstance(argument, pd.DataFrame) and {"numerator", "metric"} <= set(argument):
            if is_published(argument):
                continue
            raise DisclosureError(
                f"a table of {contract.name} was about to be made of exact sums, must be made of "
                "protected ones; hand over disclosure.protected(panel, rule)."
            )


def _refuse_columns(table: pd.DataFrame, contract: TableContract) -> None:
    """Refuse columns that could carry a child or a school, or whose role nobody declared."""
    released = [name for name in contract.columns if name in table]
    for name in released:
        schools = SCHOOLS if contract.gate == "cells" else {*SCHOOLS, "unit_id"}
        if name.lower() in PEOPLE | schools and not (
            name == "unit_id" and "geographic_level" in table
        ):
            raise DisclosureError(
                f"a table of {contract.name} has the column {name}, must not: it could carry a "
                "child or a school; leave the column out of what may be released."
            )
        columns.role_of(name)
