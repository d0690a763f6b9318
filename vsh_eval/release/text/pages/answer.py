"""The first page: one answer, what it rests on, and what to decide now."""

from collections.abc import Iterator
from typing import NamedTuple

from vsh_eval import names, registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import Row, is_shown, records, value_of
from vsh_eval.release.text.findings.evidence import both_estimates
from vsh_eval.release.text.findings.finding import Finding
from vsh_eval.release.text.findings.subgroups import part_name
from vsh_eval.release.text.phrases.labels import (
    INTERVAL,
    group_in_text,
    lower_first,
    metric_in_text,
    value_label,
    year_label,
)
from vsh_eval.release.text.phrases.numbers import (
    amount,
    amount_given,
    decimals_for,
    limits,
    listed,
    number,
)
from vsh_eval.release.text.safe_text import sentence, sentences
from vsh_eval.release.text.words import words

LEAST_DIFFERENCE = 10.0
"""Percentage points by which a part is reached less where the next training should go there."""
_NO_ANSWER = words("evidence", "statement", "answer")
_DECISIONS = words("evidence", "statement", "decision")


class Question(NamedTuple):
    """What the answer is about: the outcome, whose gap, and the smallest effect of interest."""

    metric: str
    group: str
    reference: str
    sesoi: float


@sentence
def answer_sentence(
    evidence: SafeTable, impact: SafeTable, sessions: SafeTable | None, *, question: Question
) -> str:
    """Give the answer in one sentence: in days of school where the outcome is absence.

    Parameters
    ----------
    evidence : SafeTable
        An ``evidence`` table.
    impact : SafeTable
        An ``estimates`` table: the primary simple row and the effects on both levels.
    sessions : SafeTable or None
        The rows of the outcome in the last year, with sessions_possible; None where no sessions
        are counted.
    question : Question
        What the answer is about.

    Returns
    -------
    str
        One sentence. Days a child a year are estimate / 100 x possible sessions / 2.
    """
    statement, metric = statement_of(evidence), metric_in_text(question.metric)
    if statement in _NO_ANSWER:
        return _NO_ANSWER[statement].format(metric=metric)
    unit = registry.metric(question.metric).gap_unit
    if statement == "no_effect_of_interest":
        size = amount_given(question.sesoi, unit)
        return f"The training changed the gap in {metric} by less than {size}, if at all."
    if statement == "whole_school_moved":
        return _levels(impact, question)
    row = both_estimates(impact, metric=question.metric)[0]
    possible = _possible(sessions)
    if possible is None:
        moved = "smaller" if statement.startswith("narrowed") else "larger"
        size, interval = _size(row, 1.0, unit)
        return (
            f"In trained schools the gap in {metric} was {size} {moved} than expected without "
            f"training ({interval})."
        )
    size, interval = _size(row, possible / 200, "")
    more = "fewer" if float(row["estimate"]) < 0 else "more"
    return (
        f"Measured against {group_in_text(question.reference)}, {group_in_text(question.group)} in "
        f"trained schools missed about {size} {more} days of school a year than expected without "
        f"training ({interval})."
    )


def _size(row: Row, scale: float, unit: str) -> tuple[str, str]:
    """Write the size of an estimate and its interval, both turned so that the size is above 0.

    Numbers under 10 keep one decimal.
    """
    value, lower, upper = (scale * float(row[c]) for c in ("estimate", "ci_lower", "ci_upper"))
    if value < 0:
        value, lower, upper = -value, -upper, -lower
    places = 0 if value >= 10 else 1
    return (
        amount(value, unit, decimals=places),
        f"{INTERVAL} {limits(lower, upper, decimals=places)}",
    )


def _possible(sessions: SafeTable | None) -> float | None:
    """Return the possible sessions of a child and year, None where they are not shown."""
    rows = [] if sessions is None else records(sessions)
    if not rows or not is_shown(rows[0], "sessions_possible"):
        return None
    return float(rows[0]["sessions_possible"])


def _levels(impact: SafeTable, question: Question) -> str:
    """Say what happened to both levels in trained schools."""
    unit = registry.metric(question.metric).gap_unit
    parts = []
    for group in (question.group, question.reference):
        own = {"subgroup": "own_level", "part": part_name("group", group)}
        row = next((r for r in records(impact) if all(r.get(key) == own[key] for key in own)), None)
        if row is None or not is_shown(row, "estimate", "ci_lower", "ci_upper"):
            parts.append(f"that of {group_in_text(group)} is not shown")
            continue
        size, interval = _size(row, 1.0, unit)
        way = "lower" if float(row["estimate"]) < 0 else "higher"
        parts.append(f"that of {group_in_text(group)} was {size} {way} ({interval})")
    return (
        f"In trained schools {metric_in_text(question.metric)} changed for all pupils, compared "
        f"with what was expected without training: {listed(parts)}."
    )


@sentence
def estimates_sentence(impact: SafeTable, *, metric: str, evidence: SafeTable | None = None) -> str:
    """Give both estimates of the effect on the gap with their intervals, each with its comparison.

    Parameters
    ----------
    impact : SafeTable
        An ``estimates`` table.
    metric : str
        The outcome.
    evidence : SafeTable, optional
        The evidence statement on them.

    Returns
    -------
    str
        One sentence; '' where the primary estimate has no interval that is shown.
    """
    rows = both_estimates(impact, metric=metric)
    if not rows or not is_shown(rows[0], "estimate", "ci_lower", "ci_upper"):
        return ""
    ways = (
        "when each school is compared with itself over time",
        "when it is compared with untrained schools that had the same past",
    )
    pairs = zip(rows, ways, strict=False)
    parts = [f"{Finding.of_estimate(row).with_interval()} {way}" for row, way in pairs]
    unattributed = evidence is not None and statement_of(evidence) == "not_attributable"
    what = "difference of" if unattributed else "effect on"
    return f"Estimated {what} the gap in {metric_in_text(metric)}: {listed(parts)}."


_PLAN = words("sentences", "plan")
"""What to do about the plan of the evaluation."""


@sentences
def published_decisions() -> Iterator[str]:
    """Say what to decide where DfE's tables are all that is asked for."""
    yield (
        "**Do not stop or extend the offer because of this page.** It compares whole authorities; "
        "run the evaluation on your own returns and training log."
    )


@sentences
def decision_sentences(
    evidence: SafeTable,
    power: SafeTable | None,
    findings: SafeTable | None,
    needs: SafeTable | None,
    *,
    question: Question,
    plan: str,
    plan_year: int,
) -> Iterator[str]:
    """Say what to decide now, by fixed rules.

    Parameters
    ----------
    evidence : SafeTable
        An ``evidence`` table.
    power : SafeTable or None
        The first row is what is detected now (mde); rows with more_years above 0 or with
        authorities above 1 what would be then.
    findings : SafeTable or None
        The checks of the returns: result (pass, warn, fail).
    needs : SafeTable or None
        Schools trained by band of deprivation in the last year, all phases together, the greatest
        first: deprivation, share_schools.
    question : Question
        What the answer is about.
    plan : {"not_registered", "late", "deviates"}
        How the settings stand to a registered plan, where the rule on it is not passed.
    plan_year : int
        The first academic year after the data that has not ended yet.

    Returns
    -------
    tuple of str
        One or more texts in Markdown, each a decision in bold and its reason (`halves`).
    """
    statement = statement_of(evidence)
    verdicts = {str(row["rule"]): str(row["verdict"]) for row in records(evidence)}
    yield _DECISIONS[statement]
    if "chosen_by" in verdicts and verdicts["chosen_by"] != "pass":
        yield (
            "**Choose the next schools at random.** Where more schools want the training than "
            "there are places, chance decides fairly, and only then can a change be put down to "
            "training."
        )
    if verdicts.get("registered") != "pass":
        yield _PLAN[plan].format(year=year_label(plan_year))
    # Neither helps an estimate that cannot be put down to training: a pool leaves it out.
    if statement == "inconclusive" and power is not None:
        yield from _wait(power, question)
        yield from _pool(power, question)
    if needs is not None:
        yield from _spread(needs)
    if findings is not None:
        yield from _mend(findings)


def halves(decision: str) -> tuple[str, str]:
    """Part a text of `decision_sentences` into what to decide and why.

    Examples
    --------
    >>> halves("**Weigh the cost.** The gap did not become smaller.")
    ('Weigh the cost.', 'The gap did not become smaller.')
    """
    what, _, why = decision.removeprefix("**").partition("** ")
    return what, why


def _wait(power: SafeTable, question: Question) -> Iterator[str]:
    """Say how many more years would do, or that none would."""
    now, waits = _now_and(power, "more_years", above=0)
    if not waits or value_of(now, "mde") <= question.sesoi:
        return
    unit, sample = registry.metric(question.metric).gap_unit, "the schools trained and the children"
    small = amount_given(question.sesoi, unit)
    enough = [row for row in waits if value_of(row, "mde") <= question.sesoi]
    if enough:
        years = value_of(enough[0], "more_years")
        wait, more, bring = ("1 year", "1 more year", "brings")
        if years != 1:
            count = number(years, decimals=0)
            wait, more, bring = (f"{count} years", f"{count} more years", "bring")
        yield (
            f"**Wait {wait}, or look for another way.** If "
            f"{sample} counted stay as they are, {more} of data {bring} the effect with an "
            f"80% chance of being detected from {amount(value_of(now, 'mde'), unit)} down to "
            f"{small}, the smallest of interest."
        )
        return
    best, today = min(waits, key=lambda row: value_of(row, "mde")), value_of(now, "mde")
    opening = f"**Do not wait for more years alone.** If {sample} counted stay as they are,"
    if value_of(best, "mde") >= today:
        yield (
            f"{opening} more years of data do not bring the effect with an 80% chance of being "
            f"detected below today's {amount(today, unit)}, because the years before training say "
            f"less of years that lie further from them; the smallest of interest is {small}."
        )
        return
    yield (
        f"{opening} even {number(value_of(best, 'more_years'), decimals=0)} more years bring the "
        f"effect with an 80% chance of being detected only down to "
        f"{amount(value_of(best, 'mde'), unit)}; the smallest of interest is {small}."
    )


def _pool(power: SafeTable, question: Question) -> Iterator[str]:
    """Say what several authorities of this size could detect together."""
    now, helping = _now_and(ways_that_help(power), "authorities", above=1)
    if not helping or value_of(now, "mde") <= question.sesoi:
        return
    unit, small = registry.metric(question.metric).gap_unit, question.sesoi
    enough = [row for row in helping if value_of(row, "mde") <= small]
    together = [
        f"{number(value_of(row, 'authorities'), decimals=0)} of this size together one of "
        f"{number(value_of(row, 'mde'), decimals=decimals_for(value_of(row, 'mde')))}"
        for row in helping
    ]
    never = "" if enough else " That many authorities do not reach the smallest of interest."
    yield (
        f"**Join with other authorities.** This authority alone has an 80% chance of detecting an "
        f"effect of {amount(value_of(now, 'mde'), unit)}, {listed(together)}.{never}"
    )


def ways_that_help(power: SafeTable) -> SafeTable:
    """Leave out more years, and pools, that detect no smaller effect than one authority now.

    How much authorities differ must be judged from the authorities of the pool, which few cannot;
    and the further a year is from those before training, the less these tell of it.
    """
    useful = {}
    for column, least in (("more_years", 0), ("authorities", 1)):
        now, more = _now_and(power, column, above=least)
        useless = {row[column] for row in more if value_of(row, "mde") >= value_of(now, "mde")}
        useful[column] = sorted(set(power.frame[column]) - useless)
    return power.where(**useful)


def _now_and(power: SafeTable, column: str, *, above: int) -> tuple[Row, list[Row]]:
    """Return what is detected now, and the rows with more of something, the fewest first."""
    first, *others = [row for row in records(power) if is_shown(row, "mde")] or [{}]
    more = [row for row in others if value_of(row, column) > above]
    return first, sorted(more, key=lambda row: value_of(row, column))


def _spread(needs: SafeTable) -> Iterator[str]:
    """Point to the schools of the greatest need where they have been reached less."""
    rows = [
        row
        for row in records(needs)
        if row["deprivation"] not in (names.TOTAL, "not_known") and is_shown(row, "share_schools")
    ]
    if len(rows) < 2:
        return
    shares = [float(row["share_schools"]) for row in (rows[0], rows[-1])]
    if shares[1] - shares[0] < LEAST_DIFFERENCE:
        return
    bands = [lower_first(value_label("deprivation", r["deprivation"])) for r in (rows[0], rows[-1])]
    most, least = (amount(share, "%", decimals=0) for share in shares)
    yield (
        "**Give the most deprived schools more of the next places, drawn at random among them.** "
        f"In the {bands[0]} of schools {most} have been trained, in the {bands[1]} {least}."
    )


def _mend(findings: SafeTable) -> Iterator[str]:
    warned = sum(str(row["result"]) == "warn" for row in records(findings))
    if warned:
        checks = "check" if warned == 1 else "checks"
        yield (
            f"**Correct the data.** {number(warned, decimals=0)} {checks} of the returns found "
            "something to put right: see the page on data quality."
        )


def statement_of(evidence: SafeTable) -> str:
    """Return the code of the evidence statement, which every row of the table has."""
    return str(records(evidence)[0]["statement"])
