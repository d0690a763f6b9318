"""Sentences about estimates: what training did to the gap, and what the design could have seen."""

from typing import Any

from vsh_eval import names, registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import Row, is_shown, one_row
from vsh_eval.release.text.gaps import indicative, not_shown
from vsh_eval.release.text.labels import (
    is_missing,
    metric_in_text,
    phase_in_text,
    programme_in_text,
)
from vsh_eval.release.text.phrases import amount, decimals_for, limits, number
from vsh_eval.release.text.safe_text import sentence


@sentence
def estimate_sentence(
    safe: SafeTable,
    *,
    metric: str,
    role: str | None = "primary",
    confidence: float = 95,
    **where: Any,
) -> str:
    """Say by how much more the gap changed where schools were trained.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table; the row whose aggregation is ``simple`` is read.
    metric : str
        The outcome.
    role : str or None
        The estimate's role; None is no condition.
    confidence : float
        The interval's confidence in per cent, for the words only.
    **where
        What else singles the row out: programme, tier, phase, estimator, comparison.

    Returns
    -------
    str
        The estimate with its interval, then what it means: faster narrowing, slower narrowing, or
        that the data cannot tell, which is never read as "no effect".

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    row = one_row(safe, metric=metric, aggregation="simple", role=role, **where)
    about = f"the gap in {metric_in_text(metric)}{_narrowed_to(row)}"
    if not is_shown(row, "estimate"):
        said = not_shown(f"the estimate for {about}", row)
        reason = row.get("reason")
        why = "" if reason is None or is_missing(reason) else str(reason).rstrip(".")
        return f"{said} The reason: {why}." if why else said
    unit = registry.metric(metric).gap_unit
    said = (
        f"Where schools were trained, {about} moved by {_estimate(row, unit, confidence)} "
        "beyond what schools not yet trained lead one to expect"
    )
    return f"{said}. {_meaning(row, metric)}{indicative(row.get('pupils'))}"


def _estimate(row: Row, unit: str, confidence: float) -> str:
    value = float(row["estimate"])
    if not is_shown(row, "ci_lower", "ci_upper"):
        return f"{amount(value, unit, signed=True)} (no interval can be given)"
    lower, upper = float(row["ci_lower"]), float(row["ci_upper"])
    decimals = decimals_for(value, lower, upper)
    return (
        f"{amount(value, unit, decimals=decimals, signed=True)} "
        f"({confidence:g}% interval {limits(lower, upper, decimals=decimals)})"
    )


def _meaning(row: Row, metric: str) -> str:
    if not is_shown(row, "ci_lower", "ci_upper"):
        return "Without an interval this says nothing about an effect."
    lower, upper = float(row["ci_lower"]), float(row["ci_upper"])
    if lower <= 0 <= upper:
        return (
            "The interval contains narrowing as well as widening: the data do not show an effect, "
            "and they do not show that there is none."
        )
    better = upper < 0 if registry.metric(metric).lower_is_better else lower > 0
    if better:
        return "So the gap closed faster, or widened less, where schools were trained."
    return "So the gap widened faster, or closed less, where schools were trained."


def _narrowed_to(row: Row) -> str:
    words = ""
    programme = str(row.get("programme", "any"))
    if programme not in {"any", ""}:
        words += f" after {programme_in_text(programme)}"
    tier = str(row.get("tier", "any"))
    if tier not in {"any", ""}:
        words += f" after {tier} training"
    phase = phase_in_text(str(row.get("phase", names.TOTAL)))
    return f"{words} {phase}" if phase else words


@sentence
def mde_sentence(
    safe: SafeTable, *, metric: str, sesoi: float | None = None, power: float | None = None
) -> str:
    """Say what the evaluation could have seen, before what it saw.

    Parameters
    ----------
    safe : SafeTable
        One row per metric: metric, mde (in the metric's gap unit) and, where given, power (a
        proportion or a percentage) and status.
    metric : str
        The outcome.
    sesoi : float, optional
        The smallest effect of interest, in the metric's gap unit.
    power : float, optional
        Singles the row out where the table holds several powers.

    Returns
    -------
    str
        One sentence; with ``sesoi`` a second one on whether that effect would be seen.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    row = one_row(safe, metric=metric, power=power)
    about = f"the smallest effect on the gap in {metric_in_text(metric)} that would be seen"
    if not is_shown(row, "mde"):
        return not_shown(about, row)
    unit, mde = registry.metric(metric).gap_unit, float(row["mde"])
    said = (
        f"With these schools and years an effect on the gap in {metric_in_text(metric)} would be "
        f"seen{_chance(row)} if it were {amount(mde, unit)} or more."
    )
    if sesoi is None:
        return said
    wanted = amount(sesoi, unit, decimals=decimals_for(sesoi))
    if mde <= sesoi:
        return f"{said} That covers the smallest effect of interest, {wanted}."
    return (
        f"{said} An effect of {wanted}, the smallest of interest, would probably be missed, so a "
        "result that is not significant does not mean that there is no effect."
    )


def _chance(row: Row) -> str:
    if not is_shown(row, "power"):
        return ""
    share = float(row["power"])
    percent = share * 100 if share <= 1 else share
    return f" with a chance of {number(percent, decimals=0)}%"
