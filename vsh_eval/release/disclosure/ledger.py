"""The ledger: every cell as first published, so that a later release cannot be subtracted from it.

It holds rounded counts, published rates and symbols only, and is stored with the release. A
correction is announced and made for a whole year: leave that year out of the ledger handed in.
"""

import pandas as pd

from vsh_eval.contracts import DisclosureError, require_columns
from vsh_eval.release.disclosure.rules import Rule

LEDGER_KEYS = ("cohort_rule", "time_period", "phase", "group", "metric")
LEDGER_COLUMNS = (*LEDGER_KEYS, "pupils", "pupils_status", "numerator", "level", "status")
_TYPES = {
    "cohort_rule": "str",
    "time_period": "int64",
    "phase": "str",
    "group": "str",
    "metric": "str",
    "pupils": "Int64",
    "numerator": "Int64",
    "level": "float64",
}


def read_ledger(ledger: pd.DataFrame | None, rule: Rule) -> pd.DataFrame:
    """Check a ledger that an earlier release left behind.

    Parameters
    ----------
    ledger : DataFrame or None
        One row a published cell (``LEDGER_COLUMNS``); a blank symbol may have been read as missing.
    rule : Rule
        The rule of this release: the ledger's counts must be multiples of its base.

    Returns
    -------
    DataFrame
        The ledger with its types, empty where there is none. A rule that protects nothing neither
        keeps nor reads a ledger.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If a cell stands in it twice, or a count in it is not rounded.

    Examples
    --------
    >>> from vsh_eval.release.disclosure.rules import rule_named
    >>> len(read_ledger(None, rule_named("strict10")))
    0
    """
    if ledger is None or rule.exact:
        ledger = pd.DataFrame({column: [] for column in LEDGER_COLUMNS})
    require_columns(ledger, LEDGER_COLUMNS, name="ledger")
    read = ledger.loc[:, list(LEDGER_COLUMNS)].astype(_TYPES)
    for column in ("pupils_status", "status"):
        read[column] = read[column].astype("str").where(read[column].notna(), "")
    _refuse(read, rule)
    return read.reset_index(drop=True)


def _refuse(ledger: pd.DataFrame, rule: Rule) -> None:
    again = int(ledger.duplicated(list(LEDGER_KEYS)).sum())
    if again:
        raise DisclosureError(
            f"the ledger holds {again} cells twice, must hold each published cell once; "
            "take the ledger of the last release as it was stored."
        )
    for column in ("pupils", "numerator"):
        counts = ledger[column].dropna()
        unrounded = int(((counts % rule.base != 0) | (counts < 0)).sum())
        if unrounded:
            raise DisclosureError(
                f"the ledger's {column} holds {unrounded} counts that are not multiples of "
                f"{rule.base}, must hold rounded counts only; take the ledger of the last release."
            )


def with_new(ledger: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Return the ledger to store: what was published stays, new years and metrics are added.

    Parameters
    ----------
    ledger : DataFrame
        As first published.
    cells : DataFrame
        Every cell of this release, with the ledger's columns.

    Returns
    -------
    DataFrame
        In the order of the keys.
    """
    block = ["cohort_rule", "time_period", "metric"]
    known = pd.MultiIndex.from_frame(ledger[block])
    new = cells.loc[~pd.MultiIndex.from_frame(cells[block]).isin(known), list(LEDGER_COLUMNS)]
    stored = pd.concat([ledger, new], ignore_index=True) if len(ledger) else new
    return stored.sort_values(list(LEDGER_KEYS), ignore_index=True)
