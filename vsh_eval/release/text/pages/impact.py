"""Sentences about estimates: what training did to the gap, and what the design could have seen."""

from collections.abc import Sequence
from typing import Any

from vsh_eval import names, registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import Row, interval_of, is_shown, one_row, part_of, records, value_of
from vsh_eval.release.text.findings.finding import (
    Finding,
    indicative,
    not_estimated,
    not_shown,
    than_expected,
)
from vsh_eval.release.text.pages.answer import statement_of
from vsh_eval.release.text.phrases.labels import (
    metric_in_text,
    phase_in_text,
    value_label,
    year_label,
)
from vsh_eval.release.text.phrases.numbers import (
    amount,
    amount_given,
    decimals_for,
    number,
    usual_decimals,
)
from vsh_eval.release.text.safe_text import sentence


@sentence
def estimate_sentence(safe: SafeTable, *, metric: str, evidence: SafeTable | None = None) -> str:
    """Say by how much more the gap changed where schools were trained.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table; the primary row whose aggregation is ``simple`` is read.
    metric : str
        The outcome.
    evidence : SafeTable, optional
        The evidence statement on it.

    Returns
    -------
    str
        The estimate with its interval, then what it means: faster narrowing, slower narrowing, or
        that the data cannot tell, which is never read as "no effect". Where the evidence does not
        put it down to training, no more than that.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    row = one_row(safe, metric=metric, aggregation="simple", role="primary")
    about = f"the gap in {metric_in_text(metric)}{_narrowed_to(row)}"
    if not is_shown(row, "estimate"):
        return not_estimated(f"the estimate for {about}", row)
    if evidence is not None and statement_of(evidence) == "not_attributable":
        size = Finding.of_estimate(row).with_interval()
        return f"The estimate for {about} is {size}: this cannot be put down to training."
    text = f"Where schools were trained, {about} was {than_expected(row, 'without training')}"
    return f"{text}. {_meaning(row, metric)}{indicative(row.get('pupils'))}"


def _meaning(row: Row, metric: str) -> str:
    ends = interval_of(row, "ci")
    if ends is None:
        return "Without an interval this says nothing about an effect."
    if ends[0] <= 0 <= ends[1]:
        return (
            "The interval contains narrowing as well as widening: the data do not show an effect, "
            "and they do not show that there is none."
        )
    better = (ends[1] < 0) == registry.metric(metric).lower_is_better
    return f"The whole interval lies on the side of a {'narrower' if better else 'wider'} gap."


def _narrowed_to(row: Row) -> str:
    words = ""
    programme = str(row.get("programme", "any"))
    if programme not in {"any", ""}:
        words += f" after {value_label('programme', programme)}"
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
        if is_shown(row, "gap"):
            gaps[str(row["arm"])][int(row["time_period"])] = value_of(row, "gap")
    shown = set(gaps["trained"]) & set(gaps["untrained"])
    both = [year for year in registry.comparable_years(metric, shown) if year >= since]
    about = f"the gap in {metric_in_text(metric)}"
    if len(both) < 2:
        return (
            f"No two comparable years show {about} in both trained and untrained schools, so the "
            "two cannot be compared."
        )
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
def mde_sentence(safe: SafeTable, *, metric: str, sesoi: float | None = None) -> str:
    """Say what the evaluation could have seen, before what it saw.

    Parameters
    ----------
    safe : SafeTable
        A ``power`` table: metric, mde (in the metric's gap unit), power (a proportion); the first
        row is the one usually quoted, others give even odds, the smallest effect of interest and
        (question ``same_past``) the second estimator.
    metric : str
        The outcome.
    sesoi : float, optional
        The smallest effect of interest, in the metric's gap unit.

    Returns
    -------
    str
        One sentence; with ``sesoi`` another one on the chance of detecting that effect.

    Raises
    ------
    ContractError
        If no row fits.
    """
    first, *others = records(part_of(safe, metric=metric))
    about = f"the smallest effect on the gap in {metric_in_text(metric)} that would be detected"
    if not is_shown(first, "mde"):
        return not_shown(about, first)
    unit, mde = registry.metric(metric).gap_unit, value_of(first, "mde")
    even = next((value_of(row, "mde") for row in others if value_of(row, "power") == _EVEN), None)
    text = (
        f"With these schools and years an effect of {amount(mde, unit)} on the gap in "
        f"{metric_in_text(metric)} had {_chance(first)} of being detected"
        f"{f', and one of {amount(even, unit)} an even chance' if even else ''}."
        f"{_by_the_second(others, unit)}"
    )
    if sesoi is None:
        return text
    wanted = amount_given(sesoi, unit)
    if mde <= sesoi:
        return f"{text} That covers the smallest effect of interest, {wanted}."
    known = [row for row in others if value_of(row, "mde") == sesoi]
    chance = _chance(known[-1]) if known else "a smaller chance"
    return (
        f"{text} An effect of {wanted}, the smallest of interest, had {chance}, so a result that "
        "is not significant does not mean that there is no effect."
    )


_EVEN = 0.5


def _by_the_second(rows: Sequence[Row], unit: str) -> str:
    """Say what the second estimator detects with the usual power."""
    second = [row for row in rows if row.get("question") == "same_past" and is_shown(row, "mde")]
    if not second:
        return ""
    return (
        " Compared with untrained schools that had the same past, the effect with an 80% chance "
        f"was {amount(value_of(second[0], 'mde'), unit)}."
    )


def _chance(row: Row) -> str:
    """Write a power as a chance."""
    if not is_shown(row, "power"):
        return "a fair chance"
    percent = number(100 * value_of(row, "power"), decimals=0)
    article = "an" if percent.startswith("8") or percent in ("11", "18") else "a"
    return f"{article} {percent}% chance"


@sentence
def sample_sentence(safe: SafeTable, *, metric: str) -> str:
    """Say what an estimate rests on: schools and children, its error and degrees of freedom.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table; the primary row whose aggregation is ``simple`` is read.
    metric : str
        The outcome.

    Returns
    -------
    str
        One sentence, '' where there is no estimate.
    """
    row = one_row(safe, metric=metric, aggregation="simple", role="primary")
    if not is_shown(row, "estimate", "schools_treated", "schools_comparison", "pupils"):
        return ""
    treated, compared, pupils = (
        number(value_of(row, name), decimals=0)
        for name in ("schools_treated", "schools_comparison", "pupils")
    )
    text = (
        f"The primary estimate rests on {treated} trained schools that have children of the cohort "
        f"in a year since training ({pupils} pupil-years), compared with {compared} schools that "
        "have no such year"
    )
    if not is_shown(row, "std_error", "df"):
        return f"{text}."
    error, df = value_of(row, "std_error"), value_of(row, "df")
    unit = registry.metric(metric).gap_unit
    return (
        f"{text}; standard error {amount(error, unit, decimals=decimals_for(error))}, Student's t "
        f"with {number(df, decimals=0)} degrees of freedom."
    )


@sentence
def late_years_sentence(safe: SafeTable, *, metric: str, **where: Any) -> str:
    """Say from which year since training on few of the trained schools are left.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table; its rows with aggregation ``event`` are read.
    metric : str
        The outcome.
    **where
        What singles the estimates out: estimator, comparison.

    Returns
    -------
    str
        One sentence, '' where every year rests on as many schools.
    """
    rows = records(part_of(safe, metric=metric, aggregation="event", **where))
    schools = {int(row["index"]): value_of(row, "schools_treated") for row in rows}
    first = schools.get(0, float("nan"))
    late = [year for year, count in sorted(schools.items()) if year > 0 and count < first]
    if not late:
        return ""
    year, last = late[0], late[-1]
    after = "1 year" if year == 1 else f"{year} years"
    few, all_of = (number(schools[at], decimals=0) for at in (last, 0))
    return (
        f"From {after} after training on, the estimates rest on fewer schools, at the end on "
        f"{few} trained schools ({all_of} in the first year): those that were trained first. So a "
        "change there may be a change of schools."
    )


@sentence
def exaggeration_sentence(safe: SafeTable, *, metric: str) -> str:
    """Say how much a significant estimate of such a design exaggerates, by the size of the truth.

    Parameters
    ----------
    safe : SafeTable
        A ``power`` table: mde and exaggeration.
    metric : str
        The outcome.

    Returns
    -------
    str
        One or two sentences, '' where nothing is known.
    """
    unit = registry.metric(metric).gap_unit
    rows = [row for row in records(part_of(safe, metric=metric)) if is_shown(row, "exaggeration")]
    rows.sort(key=lambda row: value_of(row, "mde"))
    if not rows:
        return ""
    times = [
        f"about {number(value_of(row, 'exaggeration'))} times a true effect of "
        f"{amount(value_of(row, 'mde'), unit)}"
        for row in (rows[0], rows[-1])
    ]
    return (
        "Only large estimates are significant in such a design, so a significant one is on average "
        f"too large: {times[0]}, and {times[1]}."
    )
