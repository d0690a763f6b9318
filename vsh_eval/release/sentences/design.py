"""Sentences about a design before any effect is looked at: false alarms and what would be seen."""

from collections.abc import Sequence

from vsh_eval import registry
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.labels import metric_in_text
from vsh_eval.release.rows import is_shown, one_row
from vsh_eval.release.wording import amount, decimals_for, number

ILLUSTRATIVE = (
    "The year in which the offer is taken to begin is an assumption of the params: no public list "
    "says when an authority's offer began. Unless the authority named it, this is an illustration."
)
"""Stands beside every estimate of an authority's offer."""
_FALSE_ALARMS = {
    "as it should be": "So the method keeps its promise on these data.",
    "too few": "So false alarms are rarer than promised and the intervals are wider than they need "
    "be: what they exclude is excluded safely.",
    "too many": "So false alarms are more frequent than promised: read an interval that only just "
    "excludes nought as not excluding it, and read the randomisation test beside it.",
}


def protocol_sentences(sentences: Sequence[str]) -> tuple[str, ...]:
    """Say how the run stands to its registration, what that means for a reader first.

    Parameters
    ----------
    sentences : sequence of str
        How the run stands; the first says whether it was registered.

    Returns
    -------
    tuple of str
        The same sentences without the word they all begin with.

    Examples
    --------
    >>> protocol_sentences(["Protocol: not registered, so every result is exploratory."])
    ('The protocol is not registered, so every result is exploratory.',)
    """
    first = sentences[0].removeprefix("Protocol: ")
    verb = "was" if first.startswith("registered") else "is"
    return (f"The protocol {verb} {first}", *sentences[1:])


def offer_least_sentence(safe: SafeTable, *, metric: str, sesoi: float) -> str:
    """Say what published tables could show of an authority's offer, before what they show.

    Parameters
    ----------
    safe : SafeTable
        One row of facts: mde, in the metric's gap unit.
    metric : str
        The outcome.
    sesoi : float
        The smallest effect of interest.

    Returns
    -------
    str
        One sentence, and where it holds a second one that small effects would be missed.
    """
    row = one_row(safe)
    if not is_shown(row, "mde"):
        return "What an effect would have to be to be seen cannot be told from these tables."
    unit, least = registry.metric(metric).gap_unit, float(row["mde"])
    said = (
        f"From these tables an effect on the gap in {metric_in_text(metric)} would be seen four "
        f"times in five if it were {amount(least, unit)} or more."
    )
    if least <= sesoi:
        return said
    return (
        f"{said} One of {amount(sesoi, unit, decimals=decimals_for(sesoi))}, the smallest of "
        "interest, would probably be missed."
    )


def false_alarm_sentence(safe: SafeTable) -> str:
    """Say how often the method finds an effect that is not there.

    Parameters
    ----------
    safe : SafeTable
        One row of facts: runs, share, lower, upper, alpha and verdict, from an A/A run.

    Returns
    -------
    str
        Two sentences.

    Raises
    ------
    ContractError
        If the table has not one row.
    """
    row = one_row(safe)
    share, lower, upper, alpha = (
        100 * float(row[column]) for column in ("share", "lower", "upper", "alpha")
    )
    return (
        f"Tried where the answer is known: the same schools, their years of training dealt out by "
        f"lot {number(float(row['runs']), decimals=0)} times, so that there is nothing to find. "
        f"An effect was 'found' in {number(share)}% of these runs (95% interval {number(lower)} to "
        f"{number(upper)}%), where {number(alpha, decimals=0)}% is promised. "
        f"{_FALSE_ALARMS[str(row['verdict'])]}"
    )


def planted_sentence(safe: SafeTable, *, metric: str, sesoi: float) -> str:
    """Say how often planted effects are found, that of interest first.

    Parameters
    ----------
    safe : SafeTable
        Rows of facts: effect, power (share of the runs that find it) by size of effect.
    metric : str
        The outcome.
    sesoi : float
        The smallest effect of interest.

    Returns
    -------
    str
        Which share of the runs finds the effect nearest to the smallest of interest, and from
        which effect on four in five do.
    """
    curve = safe.frame.sort_values("effect")
    unit = registry.metric(metric).gap_unit
    near = curve.iloc[(curve["effect"] - sesoi).abs().to_numpy().argmin()]
    seen = curve[curve["power"].ge(0.8)]
    planted = (
        f"An effect of {amount(float(near['effect']), unit)} on the gap in "
        f"{metric_in_text(metric)}, planted in these very data, is found in "
        f"{number(100 * float(near['power']), decimals=0)}% of the runs"
    )
    if seen.empty:
        return f"{planted}; none of the effects tried is found four times in five."
    return f"{planted}; from {amount(float(seen['effect'].iloc[0]), unit)} on, four in five do."
