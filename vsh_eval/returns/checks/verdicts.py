"""What the findings mean for each question: the rules as data, and their judgement."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import pandas as pd

from vsh_eval.returns.checks.inspection import Result

Verdict = Literal["can", "care", "cannot"]
VERDICT_COLUMNS = ("question", "verdict", "reason")
_GAPS = "schools school_links enrolments episodes"
QUESTIONS: Mapping[str, frozenset[str]] = {
    "attendance_gap": frozenset(f"{_GAPS} attendance".split()),
    "attainment_gap": frozenset(f"{_GAPS} attainment".split()),
    "impact": frozenset(f"{_GAPS} attendance training".split()),
}
"""Each question and the tables that its answer is made of."""


class Rule(NamedTuple):
    """What a finding means for the questions that rest on its table.

    Attributes
    ----------
    result : {"warn", "fail"}
        What the check came to.
    check : str
        The check; '' for every one.
    verdict : {"can", "care", "cannot"}
        What the data can bear.
    """

    result: Result
    check: str
    verdict: Verdict


RULES: tuple[Rule, ...] = (
    Rule("fail", "", "cannot"),
    Rule("warn", "rows_there", "cannot"),
    Rule("warn", "offer_named", "cannot"),
    Rule("warn", "one_school_a_term", "can"),
    Rule("warn", "years_usable", "can"),
    Rule("warn", "covariates_numeric", "can"),
    Rule("warn", "", "care"),
)
"""In order: the first that fits a finding says what it means, and the worst is the verdict.

A failure stops the run; a table without rows leaves its question without an answer, and so does a
params file for published tables that names no offer; three warnings are of what is left out, or is
as it should be; every other one may move the result."""
_WORST: tuple[str, ...] = ("cannot", "care", "can")


def judge(findings: pd.DataFrame) -> pd.DataFrame:
    """Say what the returns can bear, question by question.

    Parameters
    ----------
    findings : DataFrame
        From `check`.

    Returns
    -------
    DataFrame
        ``question``, ``verdict`` (can, care or cannot) and ``reason``, the rule of a finding that
        has led to it: one row a reason, the questions in the order of `QUESTIONS`, and one row
        with a blank reason where there is none.

    Examples
    --------
    >>> findings = pd.DataFrame({"check": ["keys_unique"], "table": ["training"],
    ...     "result": ["fail"], "rule": ["In training, a row must be the only one"]})
    >>> judge(findings)[["question", "verdict"]].values.tolist()
    [['attendance_gap', 'can'], ['attainment_gap', 'can'], ['impact', 'cannot']]
    """
    known = zip(*(findings[name] for name in ("table", "check", "result", "rule")), strict=True)
    faults: list[tuple[str, str, str]] = [
        (table, _meaning(check, result), rule)
        for table, check, result, rule in known
        if result != "pass"
    ]
    rows: list[tuple[str, str, str]] = []
    for question, tables in QUESTIONS.items():
        here = [(meaning, rule) for table, meaning, rule in faults if table in tables]
        verdict = min((meaning for meaning, _ in here), key=_WORST.index, default="can")
        reasons = [rule for meaning, rule in here if meaning == verdict != "can"] or [""]
        rows += [(question, verdict, reason) for reason in reasons]
    return pd.DataFrame(rows, columns=list(VERDICT_COLUMNS))


def _meaning(check: str, result: str) -> Verdict:
    return next(
        rule.verdict for rule in RULES if rule.result == result and rule.check in ("", check)
    )
