"""What would change our mind: the verdicts of the checks in plain words."""

from vsh_eval import registry
from vsh_eval.numerics.inference.significance import ALPHA
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import Row, is_shown, one_row, part_of, records, value_of
from vsh_eval.release.text.findings.checks import AGREES, CHECK_NAMES, DIFFERS, NOT_TESTABLE, Check
from vsh_eval.release.text.phrases import charts
from vsh_eval.release.text.phrases.labels import group_in_text
from vsh_eval.release.text.phrases.numbers import amount, decimals_for, listed, number
from vsh_eval.release.text.safe_text import sentence, sentences
from vsh_eval.release.text.words import words

_HONEST = words("sentences", "target", "sentence")
"""The targets, that of the headline first."""


@sentence
def mind_headline(safe: SafeTable) -> str:
    """Say how many kinds of check speak against the primary estimate.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table: the primary simple estimate and the robustness table.

    Returns
    -------
    str
        One or two sentences; agreement is not called proof.
    """
    if _primary(safe) is None:
        return "There is no estimate, so there is nothing that a check could change our mind about."
    verdicts = [check.verdict for check in _checks(safe)]
    agree, against, silent = (verdicts.count(verdict) for verdict in (AGREES, DIFFERS, ""))
    detected = _effect_detected(safe)
    if not detected:
        start = "The primary test detects no effect; the checks ask whether one was missed."
    elif against:
        doubt = "check raises" if against == 1 else "checks raise"
        start = f"{against} of {len(verdicts)} kinds of {doubt} a doubt about the result."
    else:
        start = "No check raises a doubt about the result, which is not proof that it is right."
    counts = [f"{agree} of {len(verdicts)} kinds of check agree with the primary estimate"]
    if against and not detected:
        counts.append(f"{against} {'does' if against == 1 else 'do'} not")
    if silent:
        counts.append(f"{silent} could not be made")
    return f"{start} {listed(counts)}."


@sentences
def mind_sentences(safe: SafeTable) -> tuple[str, ...]:
    """Say of each kind of check what would change our mind and what was found.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table: the primary simple estimate and the robustness table.

    Returns
    -------
    tuple of str
        One text a check in Markdown: its letter, what would change our mind, then the finding.
        What speaks against the result comes first, then what could not be tested.

    Raises
    ------
    ContractError
        If the table has no row of the primary estimate.
    """
    primary = _primary(safe)
    answers: dict[str, list[str]] = {DIFFERS: [], "": [], AGREES: []}
    for check in _checks(safe):
        if check.code == "trend_breaks" and not check.found and primary:
            answer = "No effect is detected, so there is nothing that such a break could undo."
        elif not check.verdict:
            answer = f"{NOT_TESTABLE}{check.reason if primary else ''}"
        else:
            answer = check.answer
        mark, name = "", CHECK_NAMES[check.code]
        if check.verdict == DIFFERS:
            mark = "Leaves a doubt. " if check.only_a_doubt else "Raises a doubt. "
        answers[check.verdict].append(f"**{name['letter']}: {name['what']}** {mark}{answer}")
    return tuple(text for texts in answers.values() for text in texts)


@sentence
def honest_sentence(safe: SafeTable) -> str:
    """Say how large a difference of the paths the result survives, on average and at first.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table of honest bounds: variant (``first year``, ``all years``) and
        breakdown.

    Returns
    -------
    str
        One sentence a target.
    """
    parts = []
    for variant, opening in _HONEST.items():
        row = next((row for row in records(safe) if row["variant"] == variant), None)
        if row is None:
            continue
        size = float(row["breakdown"])
        parts.append(
            f"{opening} the result still excludes zero if trends differed by up to {number(size)} "
            "times the largest difference seen before training."
            if size > 0
            else f"{opening} the interval contains zero even if trends differed by no more than a "
            "tenth of the largest difference seen before training."
        )
    return " ".join(parts)


@sentence
def drift_sentence(safe: SafeTable, *, metric: str) -> str:
    """Say which drift before training the test would have seen.

    Parameters
    ----------
    safe : SafeTable
        One row of facts: slope (a year) and bias (what the drift would add to the estimate).
    metric : str
        The outcome.

    Returns
    -------
    str
        One sentence.
    """
    row = one_row(safe)
    unit = registry.metric(metric).gap_unit
    slope, bias = abs(float(row["slope"])), abs(float(row["bias"]))
    return (
        f"A trend that differed by {amount(slope, unit, decimals=decimals_for(slope))} a year had "
        f"an 80% chance of being detected before training. Such a trend would move "
        f"the estimate by {amount(bias, unit)} (Roth, 2022)."
    )


@sentence
def specifications_sentence(safe: SafeTable, *, metric: str) -> str:
    """Say how far the estimates of a specification curve go, for each group whose gap it is.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table of a specification curve: group, estimate and its interval.
    metric : str
        The outcome.

    Returns
    -------
    str
        One sentence a group.
    """
    rows = [row for row in records(safe) if is_shown(row, "estimate", "ci_lower", "ci_upper")]
    if not rows:
        return f"{charts.NO_ESTIMATE}."
    unit, ranges = registry.metric(metric).gap_unit, []
    for group in dict.fromkeys(str(row["group"]) for row in rows):
        own = [row for row in rows if row["group"] == group]
        low, high = (pick(float(row["estimate"]) for row in own) for pick in (min, max))
        clear = sum(not float(row["ci_lower"]) <= 0 <= float(row["ci_upper"]) for row in own)
        ranges.append(
            f"For {group_in_text(group)} the estimates go from {number(low, decimals=1)} to "
            f"{amount(high, unit, decimals=1)}, and {clear} of {len(own)} intervals lie wholly on "
            "one side of zero."
        )
    return " ".join(ranges)


@sentence
def two_way_sentence(safe: SafeTable) -> str:
    """Say how much of two-way fixed effects compares with schools that were trained already.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table: variant (kind of comparison) and weight, all adding up to 1.

    Returns
    -------
    str
        One sentence on the weight, one on what it means.
    """
    rows = records(safe)
    already = sum(
        float(row["weight"])
        for row in rows
        if row["variant"] in {"later_vs_earlier", "treated_vs_always"}
    )
    return (
        f"Of the weight in two-way fixed effects {number(100 * already, decimals=0)}% lies on "
        "comparisons with schools that were trained already. Where effects grow over time, these "
        "bias the estimate (Goodman-Bacon, 2021), so it is shown for reference only."
    )


def _checks(safe: SafeTable) -> list[Check]:
    """Gather the rows of each kind of check, in order."""
    rows: dict[str, list[Row]] = {}
    for row in records(safe):
        if row.get("role") != "primary":
            rows.setdefault(str(row["check"]), []).append(row)
    unit, detected = _unit(safe), _effect_detected(safe)
    return [Check(code, rows[code], unit, detected) for code in CHECK_NAMES if code in rows]


def _primary(safe: SafeTable) -> Row | None:
    rows = (row for row in records(safe) if row.get("role") == "primary")
    return next((row for row in rows if is_shown(row, "estimate")), None)


def _effect_detected(safe: SafeTable) -> bool:
    row = _primary(safe)
    return row is not None and is_shown(row, "p_value") and value_of(row, "p_value") < ALPHA


def _unit(safe: SafeTable) -> str:
    row = records(part_of(safe, role="primary"))[0]
    return registry.metric(str(row["metric"])).gap_unit
