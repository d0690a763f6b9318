"""Sentences about estimates: what training did to the gap, and what the design could have seen."""

from typing import Any

from vsh_eval import names, registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import Row, is_shown, one_row, records, value_of
from vsh_eval.release.text.gaps import indicative, not_shown
from vsh_eval.release.text.labels import (
    is_missing,
    metric_in_text,
    phase_in_text,
    programme_in_text,
    year_label,
)
from vsh_eval.release.text.phrases import amount, decimals_for, limits, number, usual_decimals
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
def trained_and_untrained_sentence(safe: SafeTable, *, metric: str, since: int = 0) -> str:
    """Say how the pooled gap went in trained and in untrained schools, between the same two years.

    Parameters
    ----------
    safe : SafeTable
        A ``gaps_by_arm`` table.
    metric : str
        Whose gap.
    since : int
        The academic year to begin with, or the first one after it that both show.

    Returns
    -------
    str
        Two sentences; one where the schools have no two comparable years that show both.
    """
    gaps: dict[str, dict[int, float]] = {"trained": {}, "untrained": {}}
    for row in records(safe.where(metric=metric)):
        if is_shown(row, "gap") and row["comparable"]:
            gaps[str(row["arm"])][int(row["time_period"])] = value_of(row, "gap")
    both = sorted(year for year in gaps["trained"] if year in gaps["untrained"] and year >= since)
    about = f"the gap in {metric_in_text(metric)}"
    if len(both) < 2:
        return f"How {about} moved in trained and in untrained schools cannot be shown."
    first, last = both[0], both[-1]
    decimals, unit = usual_decimals(metric), registry.metric(metric).gap_unit
    went = [
        f"from {number(own[first], decimals=decimals)} to "
        f"{amount(own[last], unit, decimals=decimals)} in {arm} schools"
        for arm, own in gaps.items()
    ]
    return (
        f"Between {year_label(first)} and {year_label(last)} {about} went {went[0]}, and "
        f"{went[1]}. This is what happened; whether training made the difference is a "
        "further question, because the schools may differ in other ways."
    )


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
