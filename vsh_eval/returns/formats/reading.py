"""What a reader is given, and what it hands back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, SupportsInt

import pandas as pd

from vsh_eval.contracts import Message


@dataclass(frozen=True, slots=True)
class Options:
    """What a reader is given beside its files.

    Attributes
    ----------
    section : FileSet or Database
        The family's own section of the params: columns, synonyms, lookups.
    authority : str
        The authority's nine-character ONS code, '' where unknown.
    references : mapping of str to DataFrame
        What families that were read before have found out, by name (see `Reading`).
    programmes : tuple of str
        The programmes of training that the params declare, beside those of the offer.
    """

    section: Any = None
    authority: str = ""
    references: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    programmes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What the files of a family hold.

    Attributes
    ----------
    tables : mapping of str to DataFrame
        Tables of the contract by name, in its columns; ``pupil_id`` is a normalised UPN until
        `cohort` makes it a pseudonym. Only `returns` and `cohort` see them.
    notes : tuple of Message
        What was left out or could not be known: made with `note`.
    references : mapping of str to DataFrame
        What other families need. ``former_upns``: ``former_upn`` and ``upn`` (both normalised).
        ``establishments``: ``urn``, ``laestab`` (seven digits), ``name`` and what else is known
        of a school, one row a URN.
    """

    tables: Mapping[str, pd.DataFrame]
    notes: tuple[Message, ...] = ()
    references: Mapping[str, pd.DataFrame] = field(default_factory=dict)


def note(
    code: str, *, file: str = "", rows: int = 0, of_rows: int = 0, **details: object
) -> Message:
    """Make a note of a reader.

    Parameters
    ----------
    code : str
        Which sentence of `release.text.findings.files` says it.
    file : str
        The file's name without its folder, '' where it concerns several.
    rows, of_rows : int
        How many rows (children, elements) it concerns, out of how many; 0 where none are counted.
    **details
        Names and years that the sentence needs, never a pupil's.

    Examples
    --------
    >>> note("upn_check_letter", rows=3, of_rows=40).details["rows"]
    3
    """
    return Message(code, file=file, rows=int(rows), of_rows=int(of_rows), **details)


def counted(
    *, file: str = "", of_rows: int = 0, family: str = "", **counts: SupportsInt | None
) -> tuple[Message, ...]:
    """Make a note of each count that is not 0, its name being the code.

    Examples
    --------
    >>> [m.code for m in counted(of_rows=9, rows_unread=0, pupils_without_upn=3)]
    ['pupils_without_upn']
    """
    more = {"family": family} if family else {}
    return tuple(
        note(code, file=file, rows=int(rows), of_rows=of_rows, **more)
        for code, rows in counts.items()
        if rows
    )
