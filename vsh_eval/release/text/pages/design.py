"""Sentences about a design before any effect is looked at: false alarms and what would be seen."""

from collections.abc import Sequence

import numpy as np

from vsh_eval import registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import is_shown, one_row, records, value_of
from vsh_eval.release.text.phrases.labels import (
    INTERVAL,
    is_missing,
    lower_first,
    metric_in_text,
    value_label,
)
from vsh_eval.release.text.phrases.numbers import FOUR_IN_FIVE, amount, amount_given, number
from vsh_eval.release.text.safe_text import sentence, sentences
from vsh_eval.release.text.words import words

_FALSE_ALARMS = words("sentences", "false_alarms")


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
        One sentence, and where it holds a second one that small effects had a smaller chance.
    """
    row = one_row(safe)
    if not is_shown(row, "mde"):
        return "How small an effect could be detected cannot be told from these tables."
    unit, least = registry.metric(metric).gap_unit, float(row["mde"])
    text = (
        f"From these tables an effect of {amount(least, unit)} on the gap in "
        f"{metric_in_text(metric)} had an 80% chance of being detected."
    )
    if least <= sesoi:
        return text
    return (
        f"{text} One of {amount_given(sesoi, unit)}, the smallest of "
        "interest, had a smaller chance, so a result that is not significant does not mean that "
        "there is no effect."
    )


@sentence
def balance_sentence(safe: SafeTable, *, limit: float) -> str:
    """Say in one line whether trained and untrained schools were similar before training.

    Parameters
    ----------
    safe : SafeTable
        A ``design`` table: variable, standardised_difference.
    limit : float
        Standardised difference up to which schools count as similar.

    Returns
    -------
    str
        The largest difference in standard deviations, and of what.
    """
    rows = [row for row in records(safe) if is_shown(row, "standardised_difference")]
    if not rows:
        return "Whether schools were similar before training cannot be shown."
    worst = max(rows, key=lambda row: abs(float(row["standardised_difference"])))
    size = abs(float(worst["standardised_difference"]))
    things = "thing" if len(rows) == 1 else "things"
    similar = f"were similar on the {len(rows)} {things} measured" if size <= limit else "differed"
    return (
        f"Trained and untrained schools {similar} before training; largest difference: "
        f"{lower_first(value_label('variable', worst['variable']))}, "
        f"{number(size, decimals=2)} standard deviations."
    )


@sentence
def false_alarm_sentence(safe: SafeTable) -> str:
    """Say how often the method finds an effect that is not there.

    Parameters
    ----------
    safe : SafeTable
        A ``false_alarms`` table: runs, share with its interval (per cent), alpha and verdict.

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
    share, lower, upper = (float(row[column]) for column in ("share", "share_lower", "share_upper"))
    alpha = 100 * float(row["alpha"])
    return (
        f"The same schools, their years of training assigned at random "
        f"{number(float(row['runs']), decimals=0)} times, so that there is nothing to find: an "
        f"effect was still found in {number(share)}% of these runs ({INTERVAL} {number(lower)} "
        f"to {number(upper)}%), where {number(alpha, decimals=0)}% is expected. "
        f"{_FALSE_ALARMS[str(row['verdict'])]}"
    )


@sentence
def planted_sentence(safe: SafeTable, power: SafeTable, *, metric: str, sesoi: float) -> str:
    """Say how often injected effects are found, that of interest first.

    Parameters
    ----------
    safe : SafeTable
        Rows of facts: effect and share_found (per cent of the runs that find it) with its interval,
        by size.
    power : SafeTable
        A ``power`` table; its first row is the effect that the formula gives 80% for.
    metric : str
        The outcome.
    sesoi : float
        The smallest effect of interest.

    Returns
    -------
    str
        Which share of the runs finds the effect nearest to the smallest of interest, and which
        effect, read between the sizes tried, in 80% of them; a second sentence where the interval
        of the share that finds the formula's effect leaves out 80%.
    """
    curve = safe.frame.sort_values("effect")
    unit = registry.metric(metric).gap_unit
    near = curve.iloc[(curve["effect"] - sesoi).abs().to_numpy().argmin()]
    effects, shares = (curve[name].to_numpy(dtype=float) for name in ("effect", "share_found"))
    injected = (
        f"An effect of {amount(float(near['effect']), unit)} on the gap in "
        f"{metric_in_text(metric)}, added to these data, is detected in "
        f"{number(float(near['share_found']), decimals=0)}% of the runs"
    )
    ends = [curve[f"share_found_{end}"].to_numpy(dtype=float) for end in ("lower", "upper")]
    formula = value_of(records(power)[0], "mde")
    # The shares come from the same draws, so they never fall and can be read between two sizes.
    lower, upper = (float(np.interp(formula, effects, end)) for end in ends)
    apart = lower > FOUR_IN_FIVE or upper < FOUR_IN_FIVE
    given = f" The calculation further up gives {number(formula)}"
    if shares.max() < FOUR_IN_FIVE:
        low = f"{given}, which is too low." if apart else ""
        return f"{injected}; none of the effects tried is detected in 80% of them.{low}"
    seen = float(np.interp(FOUR_IN_FIVE, shares, effects))
    larger = f"{given}; rely on the larger." if apart and number(formula) != number(seen) else ""
    return f"{injected}; one of {amount(seen, unit)} in 80% of them.{larger}"
