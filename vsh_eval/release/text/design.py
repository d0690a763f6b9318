"""Sentences about a design before any effect is looked at: false alarms and what would be seen."""

from collections.abc import Sequence

import numpy as np

from vsh_eval import registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import is_shown, one_row, records
from vsh_eval.release.text.labels import is_missing, lower_first, metric_in_text, value_label
from vsh_eval.release.text.phrases import FOUR_IN_FIVE, amount, decimals_for, number
from vsh_eval.release.text.safe_text import sentence, sentences

MOST_IMBALANCE = 0.25
"""Standardised difference up to which schools count as balanced before training."""
_FALSE_ALARMS = {
    "as_it_should_be": "So the method keeps its promise on these data.",
    "too_few": "So false alarms are rarer than promised and the intervals are wider than they need "
    "be: what they exclude is excluded safely.",
    "too_many": "So false alarms are more frequent than promised: read an interval that only just "
    "excludes zero as not excluding it, and read the randomisation test beside it.",
}


@sentences
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


@sentence
def caution_sentence(safe: SafeTable) -> str:
    """Say what takes from the estimate's weight, '' where nothing does."""
    caution = records(safe)[0].get("caution", "")
    return "" if is_missing(caution) else str(caution)


@sentence
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


@sentence
def balance_sentence(safe: SafeTable, *, limit: float = MOST_IMBALANCE) -> str:
    """Say in one line whether trained and untrained schools were alike before training.

    Parameters
    ----------
    safe : SafeTable
        A ``design`` table: variable, standardised_difference.
    limit : float
        Standardised difference up to which schools count as alike.

    Returns
    -------
    str
        The largest difference in standard deviations, and of what.
    """
    rows = [row for row in records(safe) if is_shown(row, "standardised_difference")]
    if not rows:
        return "Whether schools were alike before training cannot be shown."
    worst = max(rows, key=lambda row: abs(float(row["standardised_difference"])))
    size = abs(float(worst["standardised_difference"]))
    alike = "were alike" if size <= limit else "differed"
    return (
        f"Trained and untrained schools {alike} before training; largest difference: "
        f"{lower_first(value_label('variable', worst['variable']))}, "
        f"{number(size, decimals=2)} standard deviations."
    )


@sentence
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
        f"Tried where the answer is known: the same schools, their years of training reassigned at "
        f"random {number(float(row['runs']), decimals=0)} times, so that there is nothing to find. "
        f"An effect was 'found' in {number(share)}% of these runs (95% interval {number(lower)} to "
        f"{number(upper)}%), where {number(alpha, decimals=0)}% is promised. "
        f"{_FALSE_ALARMS[str(row['verdict'])]}"
    )


@sentence
def planted_sentence(safe: SafeTable, *, metric: str, sesoi: float) -> str:
    """Say how often injected effects are found, that of interest first.

    Parameters
    ----------
    safe : SafeTable
        Rows of facts: effect and share_found (per cent of the runs that find it), by size.
    metric : str
        The outcome.
    sesoi : float
        The smallest effect of interest.

    Returns
    -------
    str
        Which share of the runs finds the effect nearest to the smallest of interest, and which
        effect, read between the sizes tried, is found four times in five.
    """
    curve = safe.frame.sort_values("effect")
    unit = registry.metric(metric).gap_unit
    near = curve.iloc[(curve["effect"] - sesoi).abs().to_numpy().argmin()]
    effects, shares = (curve[name].to_numpy(dtype=float) for name in ("effect", "share_found"))
    injected = (
        f"An effect of {amount(float(near['effect']), unit)} on the gap in "
        f"{metric_in_text(metric)}, injected into these very data, is found in "
        f"{number(float(near['share_found']), decimals=0)}% of the runs"
    )
    if shares.max() < FOUR_IN_FIVE:
        return f"{injected}; none of the effects tried is found four times in five."
    # The shares come from the same draws, so they never fall and can be read between two sizes.
    seen = float(np.interp(FOUR_IN_FIVE, shares, effects))
    return f"{injected}; one of {amount(seen, unit)} is found four times in five."
