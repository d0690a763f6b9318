"""What the training cost for what it changed, in words."""

import math

import pandas as pd

from vsh_eval import registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import Row, is_shown, one_row, value_of
from vsh_eval.release.text.findings.reasons import in_words
from vsh_eval.release.text.phrases.labels import INTERVAL
from vsh_eval.release.text.phrases.numbers import number
from vsh_eval.release.text.safe_text import sentence
from vsh_eval.release.text.words import words

UNITS = words("sentences", "cost", "unit")
"""What each cost is for, by what is counted."""
_REGAINED = words("sentences", "cost", "regained")


def costs_in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Word a table of costs: what each is for, and why it cannot be estimated."""
    return in_words(table, "reason").assign(unit=[UNITS[unit] for unit in table["unit"]])


@sentence
def value_sentence(safe: SafeTable) -> str:
    """Say what each unit regained cost, to two significant figures, or why that is not known.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table of one cost: metric, unit, estimate, ci_lower, ci_upper, reason.

    Returns
    -------
    str
        One sentence, two where there is an estimate.
    """
    row = one_row(safe)
    counts = registry.metric(str(row["metric"])).counts
    unit, times = _REGAINED[counts], 2 if counts == "sessions" else 1  # two sessions are a day
    if not is_shown(row, "estimate"):
        reason = str(row.get("reason") or "")
        why = f": {reason}" if reason else ""
        return f"What it cost per {unit} cannot be estimated{why}."
    return (
        f"Training cost about {_pounds(row, times)} per {unit}, if the effect is real: the cost of "
        "what was given, not what would be saved."
    )


def _pounds(row: Row, times: int = 1) -> str:
    """Write a cost and its interval, in whole pounds where it is 10 pounds or more."""
    value, *ends = (times * value_of(row, name) for name in ("estimate", "ci_lower", "ci_upper"))
    places = 0 if value >= 10 else 2
    text = f"£{number(value, decimals=places)}"
    if not is_shown(row, "ci_lower", "ci_upper"):
        return text
    lower, upper = (f"£{number(end, decimals=places)}" for end in ends)
    upper = "no upper limit" if math.isinf(ends[1]) else upper
    return f"{text} ({INTERVAL} {lower} to {upper})"
