"""Sentences about what has changed since last year's release."""

from collections.abc import Sequence

from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import records
from vsh_eval.release.text.phrases.labels import year_label
from vsh_eval.release.text.phrases.numbers import listed, number
from vsh_eval.release.text.safe_text import sentence
from vsh_eval.release.text.words import words

_WHY = words("sentences", "difference")
_PROTOCOL = words("sentences", "protocol")


@sentence
def nothing_earlier_sentence() -> str:
    """Say that there is no earlier release."""
    return "There is no earlier release that this one can be compared with."


@sentence
def changes_sentence(counts: SafeTable, *, last_year: int, kept_years: Sequence[int] = ()) -> str:
    """Say how many figures differ from last year's release, and why.

    Parameters
    ----------
    counts : SafeTable
        result, rows, years: how many gaps are the same, differ for a reason, are new or gone.
    last_year : int
        The last year of data of the earlier release.
    kept_years : sequence of int
        Years of this run that are closed.
    """
    rows = {str(row["result"]): int(row["rows"]) for row in records(counts)}
    differ = {code: rows[code] for code in _WHY if code in rows}
    compared = sum(differ.values()) + rows.get("same", 0)
    text = (
        f"Last year's release ended with {year_label(last_year)}. Of {_count(compared)} gaps of "
        "the same year, measure and group, "
    )
    parts = [f"{_count(rows_)} differ {_WHY[code]}" for code, rows_ in differ.items()]
    text += f"{listed(parts)}." if parts else "none differs."
    for code, said_of in (("added", "are new"), ("gone", "are no longer there")):
        if code in rows:
            text += f" {_count(rows[code])} {said_of}."
    if kept_years:
        first, last = year_label(min(kept_years)), year_label(max(kept_years))
        years = first if first == last else f"{first} to {last}"
        text += f" Published years stay as they were published: {years}."
    return text


@sentence
def protocol_sentence(code: str) -> str:
    """Say how the protocol goes on from last year's release."""
    return _PROTOCOL[code]


def _count(value: int) -> str:
    return number(value, decimals=0)
