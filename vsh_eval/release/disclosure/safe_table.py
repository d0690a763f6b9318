"""The one kind of table that may leave: made by `door.release_table`, asked for by everything else.

Figures, tables, workbook and pages accept a `SafeTable` and nothing else, so that there is one door
and nobody has to remember to lock it.
"""

from collections.abc import Collection
from dataclasses import InitVar, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval.contracts import DisclosureError, Gate, require_columns

_SEAL = object()
"""Held by `door.release_table` alone; a `SafeTable` made without it is refused."""


@dataclass(frozen=True, slots=True, eq=False)
class SafeTable:
    """A protected table, ready to be shown, drawn or written.

    A missing number is written as the row's ``status``, or ``x`` where ``status`` is ``''``.

    Attributes
    ----------
    kind : str
        What its producer says it is: ``gaps``, ``levels``, ``estimates`` ...
    stamp : str
        What every output made from it must say about its data, ``''`` where nothing.
    gate : Gate
        How it was made safe (`vsh_eval.contracts.TableContract`).

    Raises
    ------
    DisclosureError
        If made by anything but `door.release_table`.
    """

    _frame: pd.DataFrame = field(repr=False)
    kind: str
    stamp: str = ""
    gate: Gate = "cells"
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise DisclosureError(
                "SafeTable was made by hand, must come from the door; "
                "call disclosure.release_table(function, ...)."
            )

    @property
    def frame(self) -> pd.DataFrame:
        """The protected table; changing the copy handed out never changes the original."""
        return self._frame.copy(deep=False)

    def where(self, **values: Any) -> "SafeTable":
        """Return the rows in which columns hold the given values.

        Parameters
        ----------
        **values : value or collection of values
            One keyword a column: ``metric="overall_absence"``, ``phase=["primary", "total"]``.

        Returns
        -------
        SafeTable
            A part of a protected table, hence protected; it may have no rows.

        Raises
        ------
        ContractError
            If the table has no such column.
        """
        require_columns(self._frame, list(values), name=f"table of kind {self.kind}")
        keep = np.ones(len(self._frame), dtype=bool)
        for column, wanted in values.items():
            many = isinstance(wanted, Collection) and not isinstance(wanted, str)
            keep &= self._frame[column].isin(list(wanted) if many else [wanted]).to_numpy(bool)
        return self._with(keep)

    def latest(self, by: str) -> "SafeTable":
        """Return, for each value of a column, the rows of its last academic year with numbers.

        Parameters
        ----------
        by : str
            The column, for example ``metric``.

        Returns
        -------
        SafeTable
            Values that have no number in any year are left out.

        Raises
        ------
        ContractError
            If the table lacks the column, ``time_period`` or ``status``.
        """
        require_columns(
            self._frame, [by, "time_period", "status"], name=f"table of kind {self.kind}"
        )
        shown = self._frame["time_period"].where(self._frame["status"] == "")
        last = shown.groupby(self._frame[by]).transform("max")
        return self._with((self._frame["time_period"] == last).to_numpy(bool))

    def _with(self, keep: NDArray[np.bool_]) -> "SafeTable":
        rows = self._frame.take(np.flatnonzero(keep)).reset_index(drop=True)
        return SafeTable(rows, self.kind, self.stamp, self.gate, _SEAL)


def require_safe(table: object) -> SafeTable:
    """Refuse anything but a `SafeTable`, and return it otherwise.

    Raises
    ------
    DisclosureError
        If handed a DataFrame or anything else that did not come through the door.

    Examples
    --------
    >>> require_safe(pd.DataFrame({"pupils": [3]}))
    Traceback (most recent call last):
    ...
    vsh_eval.contracts.DisclosureError: a DataFrame was about to leave, must be a SafeTable; \
call disclosure.release_table(function, ...) first.
    """
    if isinstance(table, SafeTable):
        return table
    raise DisclosureError(
        f"a {type(table).__name__} was about to leave, must be a SafeTable; "
        "call disclosure.release_table(function, ...) first."
    )


def join(first: SafeTable, *others: SafeTable) -> SafeTable:
    """Put the rows of safe tables of one kind under one another.

    Raises
    ------
    DisclosureError
        If they are of different kinds or stamps.
    """
    tables = [require_safe(table) for table in (first, *others)]
    if len({(table.kind, table.stamp) for table in tables}) > 1:
        kinds = ", ".join(sorted({table.kind for table in tables}))
        raise DisclosureError(
            f"tables of {kinds} were about to be joined, must be of one kind and stamp; join those "
            "that one function made."
        )
    rows = pd.concat([table.frame for table in tables], ignore_index=True)
    return SafeTable(rows, first.kind, first.stamp, first.gate, _SEAL)


def read_back(frame: pd.DataFrame, kind: str, stamp: str, gate: Gate) -> SafeTable:
    """Seal a table again that was read from a release; for `vsh_eval.release.files` alone."""
    return SafeTable(frame, kind, stamp, gate, _SEAL)
