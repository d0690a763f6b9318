"""Sentences about how far a result can be trusted."""

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from vsh_eval.contracts import require_one_of
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import one_row
from vsh_eval.release.text.labels import is_missing, upper_first
from vsh_eval.release.text.phrases import p_text
from vsh_eval.release.text.reasons import in_words
from vsh_eval.release.text.safe_text import sentence

STATEMENT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "narrowed_robust": "narrowed (robust)",
        "narrowed_fragile": "narrowed (fragile)",
        "inconclusive": "inconclusive",
        "no_effect": "no effect as large as the smallest of interest",
        "not_estimable": "not estimable",
        "widened": "widened",
    }
)
"""What each evidence statement is called."""
_MEANING = MappingProxyType(
    {
        "narrowed (robust)": "where schools were trained the gap is narrower than would be "
        "expected without training, and every rule that could speak against it was passed.",
        "narrowed (fragile)": "where schools were trained the gap is narrower than would be "
        "expected without training, but not every rule that could speak against it was passed.",
        "inconclusive": "the data cannot tell whether the training changed the gap, which is not "
        "the same as no effect.",
        "no effect as large as the smallest of interest": "one that large can be ruled out.",
        "not estimable": "these data do not allow an estimate of what the training changed, which "
        "says nothing about the training itself.",
        "widened": "where schools were trained the gap is wider than would be expected without "
        "training.",
    }
)


def rules_in_words(rules: pd.DataFrame) -> pd.DataFrame:
    """Word the table of rules: each verdict, and what its number is.

    Parameters
    ----------
    rules : DataFrame
        rule, verdict (a code), value, limit, reason (a message).
    """
    missing = rules["verdict"].eq("not_testable") & rules["limit"].notna()
    reasons = in_words(rules, "reason")["reason"].str.rstrip(".")
    verdict = rules["verdict"].replace({"not_testable": "not testable"})
    return rules.assign(
        verdict=verdict, reason=reasons.mask(missing, "not computed: " + reasons.astype(str))
    )


@sentence
def evidence_sentence(statement: str) -> str:
    """Say in plain words what an evidence statement means.

    Parameters
    ----------
    statement : str
        One of `STATEMENT_NAMES`, by its name.

    Returns
    -------
    str
        One sentence.

    Raises
    ------
    ContractError
        If the statement is none of them.

    Examples
    --------
    >>> evidence_sentence("widened")
    'Widened: where schools were trained the gap is wider than would be expected without training.'
    """
    meaning = _MEANING[require_one_of(statement, _MEANING, name="statement")]
    return f"{upper_first(statement)}: {meaning}"


@sentence
def pretrend_sentence(safe: SafeTable, *, alpha: float = 0.05) -> str:
    """Say whether schools were on the same path before training.

    Parameters
    ----------
    safe : SafeTable
        One row of facts: p_value (joint test that every lead is zero; NaN where it cannot be
        tested) and reason (why not).
    alpha : float
        Significance level of the test.

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
        asked = "Whether schools were on the same path before training"
        return f"{asked} cannot be tested: {str(row['reason']).rstrip('.')}."
    said = f"the joint test of the years before training gives p {_p(float(row['p_value']))}"
    if float(row["p_value"]) < alpha:
        return (
            f"Schools about to be trained were already on another path: {said}. "
            "An effect estimated from such schools must not be believed."
        )
    return (
        f"No different path is detected before training: {said}. A small difference could still "
        "have been missed (Roth, 2022)."
    )


def _p(value: float) -> str:
    text = p_text(value)
    return text if text.startswith("<") else f"= {text}"
