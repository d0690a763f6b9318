"""Sentences about several authorities together."""

import pandas as pd

from vsh_eval import registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import Row, interval_of, is_shown, records, value_of
from vsh_eval.release.text.findings.evidence import STATEMENT_NAMES
from vsh_eval.release.text.findings.finding import Finding
from vsh_eval.release.text.phrases.labels import (
    INTERVAL,
    RULE_LABELS,
    lower_first,
    metric_in_text,
    upper_first,
    value_label,
)
from vsh_eval.release.text.phrases.numbers import amount, decimals_for, limits, listed, number
from vsh_eval.release.text.safe_text import sentence

_INCLUDED = "included"


def authorities_in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Word the table of authorities: each statement, what decided it, and whether it is pooled.

    Parameters
    ----------
    table : DataFrame
        statement and decided_by (codes), and pooled: ``included``, or the statement or rule that
        keeps the authority out.
    """
    return table.assign(
        statement=[upper_first(STATEMENT_NAMES[code]) for code in table["statement"]],
        decided_by=[RULE_LABELS.get(code, "") for code in table["decided_by"]],
        pooled=["yes" if code == _INCLUDED else "no" for code in table["pooled"]],
    )


@sentence
def included_sentence(safe: SafeTable) -> str:
    """Say how many authorities gave results, which are left out of the pool, and why.

    Parameters
    ----------
    safe : SafeTable
        The ``authorities`` table.
    """
    rows = records(safe)
    out = [row for row in rows if row["pooled"] == "no"]
    counted = f"{number(len(rows), decimals=0)} authorities gave their results"
    if not out:
        return f"{counted}, and all are in the pool."
    named = listed([f"{row['name']} ({_why(row)})" for row in out])
    return (
        f"{counted}; {number(len(rows) - len(out), decimals=0)} of them make the pool. Shown and "
        f"left out of it: {named}."
    )


def _why(row: Row) -> str:
    """Say why an authority is left out: the statement, and the rule that was not passed."""
    statement = lower_first(str(row["statement"]))
    rule = str(row["decided_by"] or "")
    return f"{statement}, not passed: {lower_first(rule)}" if rule else statement


@sentence
def between_sentence(safe: SafeTable, *, metric: str) -> str:
    """Say how much authorities differ, and what to expect in one more of them.

    Parameters
    ----------
    safe : SafeTable
        A ``pooled`` table, of one variant.
    metric : str
        The primary outcome.

    Returns
    -------
    str
        '' where there is no pool.
    """
    row = _first(safe, metric)
    if row is None:
        return ""
    unit = registry.metric(metric).gap_unit
    share, ends = value_of(row, "i_squared"), interval_of(row, "i_squared")
    range_of = f", {INTERVAL} {limits(*ends, decimals=0)}%" if ends else ""
    if value_of(row, "tau_squared") == 0:
        text = (
            "No difference between the authorities' effects is seen beyond chance (share beyond "
            f"chance 0%{range_of}); that does not show that there is none."
        )
    else:
        spread = value_of(row, "tau_squared") ** 0.5
        text = (
            "The authorities' estimates differ by more than chance would make them (share beyond "
            f"chance {number(share, decimals=0)}%{range_of}): their true effects have a standard "
            f"deviation of about {amount(spread, unit, decimals=decimals_for(spread))}."
        )
    further = interval_of(row, "next")
    if further is None:
        return f"{text} With two authorities nothing can be said of a further one."
    return f"{text} In one more authority like these the true effect may be {limits(*further)}."


@sentence
def every_sentence(safe: SafeTable, *, metric: str) -> str:
    """Give the effect over all authorities, those left out of the pool among them.

    Parameters
    ----------
    safe : SafeTable
        A ``pooled`` table.
    metric : str
        The primary outcome.

    Returns
    -------
    str
        '' where none is left out.
    """
    every = _first(safe.where(variant="every"), metric)
    within = _first(safe.where(variant="included"), metric)
    if every is None or (within is not None and every["authorities"] == within["authorities"]):
        return ""
    return (
        f"Over all authorities, those left out among them, the effect is "
        f"{Finding.of_estimate(every).with_interval()}."
    )


@sentence
def without_sentence(safe: SafeTable, *, metric: str) -> str:
    """Say how far the effect moves when each authority is left out in turn.

    Parameters
    ----------
    safe : SafeTable
        A ``pooled`` table.
    metric : str
        The primary outcome.

    Returns
    -------
    str
        '' where no authority can be left out.
    """
    rows = [
        row
        for row in records(safe.where(variant="without", metric=metric, role="primary"))
        if is_shown(row, "estimate", "p_value")
    ]
    if not rows:
        return ""
    unit = registry.metric(metric).gap_unit
    values = {value_of(row, "estimate"): str(row["name"]) for row in rows}
    least, most = min(values), max(values)
    clear = sum(value_of(row, "ci_lower") * value_of(row, "ci_upper") > 0 for row in rows)
    lowest, highest = number(least, signed=True), amount(most, unit, signed=True)
    return (
        f"Left out in turn, the authorities move the effect between {lowest} "
        f"(without {values[least]}) and {highest} (without {values[most]}); in "
        f"{number(clear, decimals=0)} of {number(len(rows), decimals=0)} cases the interval "
        "excludes zero."
    )


@sentence
def power_sentence(safe: SafeTable, *, metric: str) -> str:
    """Say which effect the pool detects, and how many more authorities would detect smaller ones.

    Parameters
    ----------
    safe : SafeTable
        A ``power`` table of a pool.
    metric : str
        The primary outcome.

    Returns
    -------
    str
        '' where there is no pool.
    """
    rows = {str(row["question"]): row for row in records(safe)}
    if not rows:
        return ""
    unit = registry.metric(metric).gap_unit
    least = amount(value_of(rows["detectable"], "mde"), unit)
    k = number(value_of(rows["detectable"], "authorities"), decimals=0)
    text = (
        f"These {k} authorities together have an 80% chance of detecting an effect of {least} on "
        f"the gap in {metric_in_text(metric)}."
    )
    needed = [_needed(rows[question], unit) for question in ("double", "of_interest")]
    return " ".join([text, *([_TWO] if k == "2" else []), *needed])


_TWO = (
    "Two authorities detect less together than one alone, because how much they differ must be "
    "judged from two."
)


def _needed(row: Row, unit: str) -> str:
    effect, more = value_of(row, "mde"), value_of(row, "more")
    size = amount(effect, unit, decimals=decimals_for(effect))
    if not is_shown(row, "more"):
        return f"England has too few authorities to detect one of {size}."
    if more == 0:
        return f"They detect one of {size}."
    word = "authority" if more == 1 else "authorities"
    return f"One of {size} needs {number(more, decimals=0)} more {word} like these."


def _first(safe: SafeTable, metric: str) -> Row | None:
    """Return the primary overall row, None where it has no estimate."""
    rows = records(safe.where(metric=metric, role="primary", aggregation="simple", target="gap"))
    rows = [row for row in rows if is_shown(row, "estimate") and row["variant"] != "own"]
    return rows[0] if rows else None


def name_of(row: Row) -> str:
    """Name a row of a ``pooled`` table: the authority's name, or what is pooled."""
    return str(row["name"]) or value_label("variant", row["variant"])
