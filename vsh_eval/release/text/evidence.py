"""Sentences about how far a result can be trusted."""

from vsh_eval.contracts import require_one_of
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.rows import one_row
from vsh_eval.release.text.labels import is_missing
from vsh_eval.release.text.phrases import p_text

_MEANING = {
    "narrowed (robust)": "Narrowed (robust): where schools were trained the gap is narrower than "
    "would be expected without training, and every rule that could speak against it was passed.",
    "narrowed (fragile)": "Narrowed (fragile): where schools were trained the gap is narrower than "
    "would be expected without training, but not every rule that could speak against it was "
    "passed.",
    "inconclusive": "Inconclusive: the data cannot tell whether the training changed the gap, "
    "which is not the same as no effect.",
    "no effect as large as the smallest of interest": "No effect as large as the smallest of "
    "interest: one that large can be ruled out.",
    "not estimable": "Not estimable: these data do not allow an estimate of what the training "
    "changed, which says nothing about the training itself.",
    "widened": "Widened: where schools were trained the gap is wider than would be expected "
    "without training.",
}


def evidence_sentence(statement: str) -> str:
    """Say in plain words what an evidence statement means.

    Parameters
    ----------
    statement : str
        One of those that `vsh_eval.effects.evidence` can make.

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
    return _MEANING[require_one_of(statement, _MEANING, name="statement")]


def pretrend_sentence(safe: SafeTable, *, alpha: float = 0.05) -> str:
    """Say whether schools were on the same path before training.

    Parameters
    ----------
    safe : SafeTable
        One row of facts: p_value (joint test that every lead is nought; NaN where it cannot be
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
        return f"{asked} cannot be tested: {row['reason']}."
    said = f"the joint test of the years before training gives p {_p(float(row['p_value']))}"
    if float(row["p_value"]) < alpha:
        return (
            f"Schools about to be trained were already on another path: {said}. "
            "An effect estimated from such schools must not be believed."
        )
    return (
        f"Before training no different path is seen: {said}. "
        "A small difference could still have been missed."
    )


def _p(value: float) -> str:
    text = p_text(value)
    return text if text.startswith("<") else f"= {text}"
