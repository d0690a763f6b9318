"""How a run stands to its registration, in sentences."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol

import pandas as pd

from vsh_eval import academic_year

REGISTERED = "registered"
DEVIATES = "registered, deviates"
AFTER_RESULTS = "registered after results"
NOT_REGISTERED = "not registered"
STATUSES = (REGISTERED, DEVIATES, AFTER_RESULTS, NOT_REGISTERED)
_SHORT = 12
"""Characters of a hash that are shown."""


class _Entry(Protocol):
    """What is read of an entry of a registration."""

    @property
    def kind(self) -> str: ...
    @property
    def date(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def results_seen(self) -> str: ...
    @property
    def sha256(self) -> str: ...


def registration_sentences(
    status: str, entries: Sequence[_Entry], deviations: pd.DataFrame, *, last_year: int
) -> tuple[str, ...]:
    """Say how a run stands to its registration, when it was registered, and each deviation.

    Parameters
    ----------
    status : str
        `REGISTERED`, `DEVIATES`, `AFTER_RESULTS` or `NOT_REGISTERED`.
    entries : sequence
        The history, the registration first; empty where there is none.
    deviations : DataFrame
        key, registered, used.
    last_year : int
        The run's last academic year of data.

    Examples
    --------
    >>> registration_sentences(NOT_REGISTERED, (), pd.DataFrame(), last_year=202425)
    ('Protocol: not registered, so every result is exploratory.',)
    """
    if not entries:
        return ("Protocol: not registered, so every result is exploratory.",)
    return tuple(_sentences(status, entries, deviations, last_year))


def _sentences(
    status: str, entries: Sequence[_Entry], deviations: pd.DataFrame, last_year: int
) -> Iterator[str]:
    first, last = entries[0], entries[-1]
    how = {
        REGISTERED: "and followed" if len(entries) == 1 else "and followed as amended",
        DEVIATES: "and deviated from, so every result is exploratory",
        AFTER_RESULTS: "with results already in hand, so every result is exploratory",
    }[status]
    yield f"Protocol: registered on {_day(first.date)} {how}; hash {last.sha256[:_SHORT]}."
    yield _relative_to_the_data(first, last_year)
    for entry in entries:
        if entry.kind == "amendment":
            yield f"Amended on {_day(entry.date)}: {entry.reason.rstrip('.')}."
        if entry.results_seen:
            yield (
                f"Warning: a run up to {entry.results_seen} was there at the {entry.kind} of "
                f"{_day(entry.date)}."
            )
    for row in deviations.itertuples():
        yield f"Deviation: {row.key} is {row.used}, registered as {row.registered}."


def _relative_to_the_data(first: _Entry, last_year: int) -> str:
    ended = academic_year.last_day(last_year)
    when = "ended before" if ended < date.fromisoformat(first.date) else "had not ended by"
    return f"The last year of data, {academic_year.label(last_year)}, {when} that day."


def _day(written: str) -> str:
    day = date.fromisoformat(written)
    return f"{day.day} {day:%B %Y}"
