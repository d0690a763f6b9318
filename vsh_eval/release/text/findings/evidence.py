"""Sentences about how far a result can be trusted."""

from types import MappingProxyType
from typing import Any

import pandas as pd

from vsh_eval import registry
from vsh_eval.contracts import require_one_of
from vsh_eval.numerics.inference.significance import ALPHA
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import is_shown, one_row, records
from vsh_eval.release.text.findings.reasons import in_words, no_estimate
from vsh_eval.release.text.phrases.labels import is_missing, upper_first
from vsh_eval.release.text.phrases.numbers import amount, listed, number, p_equation
from vsh_eval.release.text.safe_text import sentence
from vsh_eval.release.text.words import words

STATEMENT_NAMES = words("evidence", "statement", "name")
"""What each evidence statement is called."""
_MEANING = words("evidence", "statement", "meaning")
_DECIDED_BY = words("evidence", "rule", "decided_by")
"""Why a rule keeps an estimate from being read as an effect."""
_NOT_MET = words("evidence", "rule", "not_met")
"""What a rule that is not passed takes from a result."""
_VERDICTS = MappingProxyType({"not_testable": "not testable", "shown": "for information"})


def rules_in_words(rules: pd.DataFrame) -> pd.DataFrame:
    """Word the table of rules: each verdict, and what its number is.

    Parameters
    ----------
    rules : DataFrame
        rule, verdict (a code), value, limit, reason (a message).
    """
    missing = rules["value"].isna() & rules["limit"].notna()
    reasons = in_words(rules, "reason")["reason"].str.rstrip(".")
    return rules.assign(
        verdict=rules["verdict"].replace(dict(_VERDICTS)),
        reason=reasons.mask(missing, "not computed: " + reasons.astype(str)),
    )


@sentence
def evidence_sentence(safe: SafeTable) -> str:
    """Say in plain words what the evidence statement means, and which rule led to it.

    Parameters
    ----------
    safe : SafeTable
        An ``evidence`` table: statement and decided_by (codes, the same in every row).

    Returns
    -------
    str
        Two sentences at least.

    Raises
    ------
    ContractError
        If the statement is not known.
    """
    row = records(safe)[0]
    statement = require_one_of(str(row["statement"]), STATEMENT_NAMES, name="statement")
    text = f"{upper_first(STATEMENT_NAMES[statement])}: {_MEANING[statement]}"
    why = _DECIDED_BY.get(str(row["decided_by"]), "")
    return f"{text} {why}".rstrip()


@sentence
def confidence_sentence(safe: SafeTable) -> str:
    """Say how sure the answer is and which rules were not passed; '' where there is no answer.

    Parameters
    ----------
    safe : SafeTable
        An ``evidence`` table.
    """
    rows = records(safe)
    confidence, decided_by = (str(rows[0][name]) for name in ("confidence", "decided_by"))
    if confidence == "none":
        return ""
    if confidence == "high":
        return "Confidence: high. Every test that applies was passed."
    verdicts = {
        str(row["rule"]): str(row["verdict"])
        for row in rows
        if row["rule"] != decided_by and row["verdict"] != "for information"
    }
    unmet = [_NOT_MET[rule] for rule, verdict in verdicts.items() if verdict != "pass"]
    of = f"{len(verdicts)} {'other tests' if decided_by else 'tests'}"
    return (
        f"Confidence: moderate. {number(len(unmet), decimals=0)} of {of} "
        f"{'was' if len(unmet) == 1 else 'were'} not passed: {listed(unmet)}."
    )


@sentence
def ruled_out_sentence(safe: SafeTable, *, metric: str) -> str:
    """Say what an estimate that is not clear does rule out.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table with the simple rows of the primary estimator and of ``same_past``.
    metric : str
        The outcome.

    Returns
    -------
    str
        One sentence: the effects outside both estimators' 95% intervals; '' where the primary
        interval is not shown.
    """
    rows = both_estimates(safe, metric=metric)
    if not is_shown(rows[0], "ci_lower", "ci_upper"):
        return ""
    ends = [(float(row["ci_lower"]), float(row["ci_upper"])) for row in rows]
    lower, upper = min(low for low, _ in ends), max(high for _, high in ends)
    entry = registry.metric(metric)
    narrower, wider = (-lower, upper) if entry.lower_is_better else (upper, -lower)
    parts = [
        f"{word} by more than {amount(size, entry.gap_unit)}"
        for size, word in ((narrower, "smaller"), (wider, "larger"))
        if size > 0
    ]
    return f"Ruled out: that training made the gap {' or '.join(parts)}."


@sentence
def no_estimate_sentence(safe: SafeTable) -> str:
    """Say why the primary effect cannot be estimated; '' where it is, or where no reason is known.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table with the primary simple row, and its reason where it has one.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    row = one_row(safe, aggregation="simple", role="primary")
    reason = row.get("reason")
    return "" if is_shown(row, "estimate") or is_missing(reason) else no_estimate(str(reason))


def both_estimates(safe: SafeTable, *, metric: str) -> list[dict[str, Any]]:
    """Return the simple row of the primary estimator and, where it was made, of ``same_past``."""
    simple = [
        row for row in records(safe) if row["metric"] == metric and row["aggregation"] == "simple"
    ]
    first = [row for row in simple if row["role"] == "primary"]
    second = [row for row in simple if row["estimator"] == "same_past" and row["role"] != "primary"]
    return first[:1] + [row for row in second[:1] if is_shown(row, "ci_lower", "ci_upper")]


@sentence
def pretrend_sentence(safe: SafeTable) -> str:
    """Say whether schools were on the same path before training.

    Parameters
    ----------
    safe : SafeTable
        One row of facts: p_value (joint test that every lead is zero; NaN where it cannot be
        tested) and reason (why not).

    Returns
    -------
    str
        Two sentences; a test that finds nothing is not read as proof of the same path.

    Raises
    ------
    ContractError
        If the table has not one row.
    """
    row = one_row(safe)
    if is_missing(row["p_value"]):
        question = "Whether schools were on the same path before training"
        return f"{question} cannot be tested: {str(row['reason']).rstrip('.')}."
    test = f"the joint test of the years before training gives {p_equation(float(row['p_value']))}"
    if float(row["p_value"]) < ALPHA:
        return (
            f"Schools about to be trained were already on another path: {test}. "
            "An effect estimated from such schools must not be believed."
        )
    return (
        f"No different path is detected before training: {test}. A small difference could still "
        "have been missed (Roth, 2022)."
    )
