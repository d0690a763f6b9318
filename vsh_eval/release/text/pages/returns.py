"""What page 01 and `vsh-eval check` say of the returns: verdicts, joins, flow."""

from collections.abc import Iterator

import pandas as pd

from vsh_eval.contracts import produces
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import records
from vsh_eval.release.text.safe_text import sentences
from vsh_eval.release.text.words import words

QUESTIONS = words("returns", "question")
VERDICTS = words("returns", "verdict")
JOINS = words("returns", "join")
"""What each join seeks, and finds."""
CONSEQUENCES = words("returns", "consequence")
"""What a join that finds too little does to the results."""
STEPS = words("returns", "step")
"""What each step of the flow counts."""


@produces("verdicts", ("question", "verdict", "reason"), gate="facts")
def verdicts(judged: pd.DataFrame) -> pd.DataFrame:
    """Word what the data can bear, question by question, to be released.

    Parameters
    ----------
    judged : DataFrame
        From `vsh_eval.returns.judge`.

    Returns
    -------
    DataFrame
        ``question``, ``verdict`` and ``reason``, one row a reason.

    Examples
    --------
    >>> judged = pd.DataFrame({"question": ["impact"], "verdict": ["can"], "reason": [""]})
    >>> verdicts(judged).values.tolist()
    [['Impact of the training', 'the data are good enough', '']]
    """
    return judged.assign(
        question=judged["question"].map(QUESTIONS), verdict=judged["verdict"].map(VERDICTS)
    )


@sentences
def verdict_sentences(safe: SafeTable) -> tuple[str, ...]:
    """Say the verdict of each question, one sentence each (table of verdicts)."""
    verdicts = dict.fromkeys((row["question"], row["verdict"]) for row in records(safe))
    return tuple(f"{question}: {verdict}." for question, verdict in verdicts)


@produces(
    "joins",
    ("table", "item", "rows", "of_rows", "matched", "least_matched", "message"),
    gate="sample",
)
def joins(joined: pd.DataFrame) -> pd.DataFrame:
    """Word how much of each join was found, to be released.

    Parameters
    ----------
    joined : DataFrame
        From `vsh_eval.returns.joins`.

    Returns
    -------
    DataFrame
        ``table``, ``item`` (what is sought and found), ``rows`` (found), ``of_rows`` (sought),
        ``matched`` and ``least_matched`` (per cent) and ``message`` (what a loss does).

    Examples
    --------
    >>> joined = pd.DataFrame({"check": ["basis_there"], "table": ["episodes"], "found": [3],
    ...     "of": [4], "share": [0.75], "least": [0.2], "consequence": ["other_cohort"]})
    >>> joins(joined)[["item", "matched"]].values.tolist()
    [['Children in need, recorded by the basis that counts (episode or plan)', 75.0]]
    """
    return pd.DataFrame(
        {
            "item": [
                JOINS[check].format(table=table)
                for check, table in zip(joined["check"], joined["table"], strict=True)
            ],
            "table": joined["table"],
            "rows": joined["found"],
            "of_rows": joined["of"],
            "matched": 100 * joined["share"],
            "least_matched": 100 * joined["least"],
            "message": joined["consequence"].map(CONSEQUENCES),
        }
    )


@produces("flow_of_returns", ("table", "step", "pupils", "urns"), gate="sample")
def flow(steps: pd.DataFrame) -> pd.DataFrame:
    """Word the steps on which children and schools are found, to be released.

    Parameters
    ----------
    steps : DataFrame
        From `vsh_eval.returns.flow`: ``table``, ``step``, ``pupils``, ``urns``.
    """
    return steps.assign(step=steps["step"].map(STEPS))


def for_analyst(findings: pd.DataFrame, joined: pd.DataFrame, judged: pd.DataFrame) -> str:
    """Write what was found for the analyst alone, with exact counts, the verdicts last.

    Parameters
    ----------
    findings, joined, judged : DataFrame
        From `vsh_eval.returns`: `check`, `joins` and `judge`.

    Examples
    --------
    >>> judged = pd.DataFrame({"question": ["impact"], "verdict": ["can"], "reason": [""]})
    >>> nothing = pd.DataFrame({"result": [], "rows": [], "of_rows": []})
    >>> print(for_analyst(nothing, nothing, judged))
    0 checks passed.
    Impact of the training: the data are good enough.
    """
    return "\n".join([*_not_passed(findings), *_shares(joined), *_judged(judged)])


def _not_passed(findings: pd.DataFrame) -> Iterator[str]:
    """Write the table of findings that are no pass."""
    passed = findings["result"] == "pass"
    known = findings[~passed]
    if len(known):
        yield f"{'result':6}  {'table':12}  {'rows':>9}  {'of':>11}  what, and what to do"
    for row in known.itertuples():
        yield (f"{row.result:6}  {row.table:12}  {row.rows:>9,}  {row.of_rows:>11,}  {row.message}")
        if row.which:
            yield f"{'':46}{row.which}"
    yield f"{int(passed.sum())} checks passed."


def _shares(joined: pd.DataFrame) -> Iterator[str]:
    """Write how much of each join was found."""
    if len(joined):
        yield f"{'found':>9}  {'of':>11}  {'share':>7}  {'least':>5}  join"
    for row in joined.to_dict("records"):
        matched, of, least = int(row["found"]), int(row["of"]), float(row["least"])
        what = JOINS[str(row["check"])].format(table=row["table"])
        few = of > 0 and matched < least * of
        lost = f" {CONSEQUENCES[str(row['consequence'])]}" if few else ""
        share = f"{matched / of:7.1%}" if of else f"{'':7}"
        yield f"{matched:>9,}  {of:>11,}  {share}  {least:>5.0%}  {what}.{lost}"


def _judged(judged: pd.DataFrame) -> Iterator[str]:
    """Write one verdict a question with its reasons."""
    for question, rows in judged.groupby("question", sort=False):
        reasons = "; ".join(reason for reason in rows["reason"] if reason)
        verdict = VERDICTS[rows["verdict"].iloc[0]]
        yield f"{QUESTIONS[str(question)]}: {verdict}{f' ({reasons})' if reasons else ''}."
