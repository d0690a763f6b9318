"""Tables of the training log and of equity, made safe."""

from collections import Counter

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import require_columns
from vsh_eval.release.disclosure.counts import counts_of, few_settings, floats, put, with_status
from vsh_eval.release.disclosure.guarded import Guarded
from vsh_eval.release.disclosure.rules import Rule

OFFER_NOTE = "One or two schools are hidden (c), and with them a second row that would tell them."
EQUITY_NOTE = (
    "The index is hidden (c) where fewer than ten schools or three of either kind, or fewer than "
    "ten children, stand behind it."
)
_INDEX = ("concentration", "evenness", "evenness_lower", "evenness_upper")


def protect_offer(table: pd.DataFrame, rule: Rule) -> Guarded:
    """Show tables that share trained schools out: combinations of programmes, years waited.

    Numbers of trainings are shown as they are: they count events of schools, not children. Where
    one row's schools are hidden, so is a second one, the smallest: the schools trained are told
    elsewhere.

    Parameters
    ----------
    table : DataFrame
        Names in text columns; schools or trainings counted in the others.
    rule : Rule
        The disclosure rule.

    Raises
    ------
    DisclosureError
        If a count is negative.
    """
    out, hidden = table.reset_index(drop=True).copy(), Counter[str]()
    nothing = np.zeros(len(out), dtype=np.bool_)
    for column in out.select_dtypes("number").columns.difference(["years", "programmes"]):
        counted = counts_of(out, str(column))
        unseen = few_settings(counted, rule) if column == "schools" else nothing
        shown = np.flatnonzero(~unseen & (counted > 0))
        if unseen.sum() == 1 and len(shown):
            unseen[shown[np.argmin(counted[shown])]] = True
        put(out, str(column), counted, unseen, hidden, "schools")
    return with_status(out, hidden, (OFFER_NOTE,))


def protect_equity(table: pd.DataFrame, rule: Rule) -> Guarded:
    """Show whether training goes where need is greatest, as an index over all schools.

    Parameters
    ----------
    table : DataFrame
        schools, schools_trained, pupils, pupils_reached, the index with its limits, and status.
    rule : Rule
        The disclosure rule; under it the index has two decimals. Counts of pupils are left out.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If a count is negative.
    """
    people = ("pupils", "pupils_reached")
    require_columns(table, ("schools", "schools_trained", *people, *_INDEX), name="equity")
    out, hidden = table.reset_index(drop=True).copy(), Counter[str]()
    schools, trained = counts_of(out, "schools"), counts_of(out, "schools_trained")
    pupils, reached = (counts_of(out, name) for name in people)
    few = (schools < rule.estimate_schools) | ~(pupils >= rule.threshold)
    for arm, children in ((trained, reached), (schools - trained, pupils - reached)):
        few |= (arm < rule.min_schools) | (children < rule.threshold)
    given = np.isfinite(floats(out, "evenness"))
    kept = out.drop(columns=list(people))
    for column in ("schools", "schools_trained"):
        few_here = few_settings(counts_of(kept, column), rule)
        if column == "schools_trained":
            few_here |= few_settings(schools - trained, rule)
        put(kept, column, counts_of(kept, column), few_here, hidden, "schools")
    for column in _INDEX:
        value = floats(kept, column)
        value = value if rule.exact else np.round(value, 2)
        put(kept, column, value, few & given, hidden, "threshold", whole=False)
    symbol = table["status"].to_numpy(object)
    kept["status"] = np.where(kept["status"] == names.CONFIDENTIAL, names.CONFIDENTIAL, symbol)
    return with_status(kept, hidden, (EQUITY_NOTE,))
