"""How much schools differ, shown where enough of them stand behind it; never a school's value."""

from collections import Counter

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import require_columns
from vsh_eval.release.disclosure.counts import counts_of
from vsh_eval.release.disclosure.guarded import Guarded
from vsh_eval.release.disclosure.leaf_tables import WHERE
from vsh_eval.release.disclosure.rounding import decimals, significant, to_decimals
from vsh_eval.release.disclosure.rules import Rule
from vsh_eval.release.disclosure.sides import number_of, select, whole_numbers

FEWEST_SCHOOLS = 10
"""Schools that a number about their differences needs."""

_ABOUT_TAU = ("tau", "tau_lower", "tau_upper", "tau_dl", "tau_pm")
_ABOUT_GAP = (
    "mean_gap",
    "mean_gap_lower",
    "mean_gap_upper",
    "prediction_lower",
    "prediction_upper",
)
_ABOUT_SHARE = ("i_squared", "i_squared_lower", "i_squared_upper")
BETWEEN_SHOWN = (
    *WHERE,
    *("phase", "metric", "group", "reference", "schools", "group_pupils"),
    *(*_ABOUT_GAP, *_ABOUT_TAU, *_ABOUT_SHARE),
    *("gap_unit", "source", "vintage", "cohort_rule", "comparable", "status", "reason"),
)
NOTE = (
    "How much schools differ is shown where at least 10 schools and 10 children stand behind it, "
    "to two significant figures; no school's value leaves the authority. The number of schools is "
    "rounded to 5 where they have fewer than two of the children each."
)


def protect_between_schools(table: pd.DataFrame, rule: Rule) -> Guarded:
    """Show the spread of schools' gaps to two significant figures.

    How many children the schools have is left out: the cube has rounded them already, and a second
    rounding of nearly the same children would narrow it.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If a count is negative.
    """
    require_columns(
        table, ("schools", "group_pupils", "status", *_ABOUT_TAU), name="between schools"
    )
    if rule.exact:
        return Guarded(select(table, BETWEEN_SHOWN))
    out = table.reset_index(drop=True).copy()
    schools, pupils = counts_of(out, "schools"), counts_of(out, "group_pupils")
    few = (schools < FEWEST_SCHOOLS) | (pupils < rule.threshold)
    error = (number_of(out, "mean_gap_upper") - number_of(out, "mean_gap_lower")) / 4
    places = decimals(error)
    shown = {
        **{name: significant(number_of(out, name)) for name in _ABOUT_TAU},
        **{name: to_decimals(number_of(out, name), places) for name in _ABOUT_GAP},
        **{name: np.round(number_of(out, name)) for name in _ABOUT_SHARE},
    }
    for name, values in shown.items():
        out[name] = np.where(few, np.nan, values)
    # As in the levels: schools with one child each could be told from their number.
    spread = 2 * schools <= pupils
    of_fives = np.maximum(rule.base * np.round(schools / rule.base), FEWEST_SCHOOLS)
    out["schools"] = whole_numbers(np.where(few, np.nan, np.where(spread, schools, of_fives)))
    out["status"] = out["status"].mask(few, names.CONFIDENTIAL)
    # Why a hidden row has no number would say how few schools it has.
    out["reason"] = out["reason"].mask(few, "")
    columns = [name for name in BETWEEN_SHOWN if name != "group_pupils"]
    return Guarded(select(out, columns), Counter({"schools": int(few.sum())}), (NOTE,))
