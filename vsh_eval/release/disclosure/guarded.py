"""What a protection hands back to the door: the table to show and an account of what it hid."""

from collections import Counter
from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Guarded:
    """A protected frame before it is sealed.

    Attributes
    ----------
    frame : DataFrame
        What may be shown.
    hidden : Counter
        Hidden numbers by reason.
    notes : tuple of str
        Sentences for the reader.
    """

    frame: pd.DataFrame
    hidden: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()

    @property
    def audit(self) -> pd.DataFrame:
        """Hidden numbers by reason, the most frequent first."""
        found = self.hidden.most_common()
        return pd.DataFrame(
            {
                "reason": pd.Series([reason for reason, _ in found], dtype="str"),
                "cells": pd.Series([cells for _, cells in found], dtype="int64"),
            }
        )
