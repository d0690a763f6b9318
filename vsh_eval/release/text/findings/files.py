"""What the readers of an authority's files say: one sentence a note, with its remedy."""

from collections.abc import Iterable

import pandas as pd

from vsh_eval.contracts import Message, produces
from vsh_eval.release.text.words import words

FAMILIES = words("files", "family")
"""What readers call each family of files."""

NOTES = words("files", "note")
"""The sentence of every note; a number of rows is never among the words."""


@produces("notes_of_files", ("table", "message", "rows", "of_rows"), gate="sample")
def notes(messages: Iterable[Message]) -> pd.DataFrame:
    """Word the notes of the readers, to be released.

    Parameters
    ----------
    messages : iterable of Message
        From `vsh_eval.returns.Returns`.

    Returns
    -------
    DataFrame
        One row a note: ``table`` (the family as readers call it), ``message``, ``rows`` and
        ``of_rows`` (how many it concerns, out of how many; 0 where nothing is counted). Notes that
        differ in their file alone are one row. No file is named.

    Raises
    ------
    KeyError
        If a note has no words.

    Examples
    --------
    >>> note = Message("former_upn_followed", family="identity", file="", rows=2, of_rows=9)
    >>> notes([note]).values.tolist()[0][2:]
    [2, 9]
    """
    rows = [
        (
            FAMILIES[str(message.details["family"])],
            _sentence(message),
            message.details["rows"],
            message.details["of_rows"],
        )
        for message in messages
    ]
    columns = ["table", "message", "rows", "of_rows"]
    table = pd.DataFrame(rows, columns=columns).astype({"rows": "int64", "of_rows": "int64"})
    return table.groupby(["table", "message"], as_index=False, sort=False).sum()


def for_analyst(message: Message) -> str:
    """Word a note for the analyst alone: also its family, file, counts, and which rows it is of.

    Examples
    --------
    >>> for_analyst(Message("former_upn_followed", family="identity", file="", rows=2, of_rows=9))
    "All files together: Rows under a former UPN are read as the child's rows of today (2 of 9)."
    """
    details = message.details
    file = f", {details['file']}" if details["file"] else ""
    counts = ""
    if details["rows"]:
        counts = f"{details['rows']:,}"
        counts = f" ({counts} of {details['of_rows']:,})" if details["of_rows"] else f" ({counts})"
    which = f": {details['which']}" if details.get("which") else ""
    text = _sentence(message).removesuffix(".")
    return f"{FAMILIES[str(details['family'])]}{file}: {text}{counts}{which}."


def _sentence(message: Message) -> str:
    shown = {name: _shown(value) for name, value in message.details.items()}
    return NOTES[message.code].format(**shown)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
