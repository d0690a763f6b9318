"""A number drawn by lot in place of each pupil's identifier.

Which number is whose is drawn anew for every run and never stored, so nobody, the authority
included, can go back from a number to a child, and no number is the same child in two runs.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd


def pseudonymise(pupil_ids: Iterable[str]) -> pd.DataFrame:
    """Give every pupil a number that means nothing.

    Parameters
    ----------
    pupil_ids : iterable of str
        Identifiers; repeats are counted once.

    Returns
    -------
    pandas.DataFrame
        ``pupil_id`` and ``pupil`` (int64, from 0 on), one row per identifier, in the order of the
        numbers, so that the order says nothing about the identifiers. Empty where there are no
        identifiers.

    Notes
    -----
    The numbers are a random permutation, seeded by the operating system.

    Examples
    --------
    >>> table = pseudonymise(["A1", "B2", "A1"])
    >>> sorted(table["pupil_id"]), table["pupil"].tolist()
    (['A1', 'B2'], [0, 1])
    """
    identifiers = np.array(list(dict.fromkeys(pupil_ids)), dtype=object)
    by_lot = np.random.default_rng().permutation(len(identifiers))
    return pd.DataFrame(
        {
            "pupil_id": pd.Series(identifiers[by_lot], dtype="str"),
            "pupil": np.arange(len(identifiers), dtype="int64"),
        }
    )
