"""A keyed number in place of each pupil's identifier.

The key lives as long as the run and is never stored, so nobody, the authority included, can go
back from a number to a child; and no number is the same in two runs.
"""

import hmac
import secrets
from collections.abc import Iterable

import pandas as pd

from vsh_eval.contracts import ContractError

_KEY_BYTES = 32
_SHORTEST_KEY = 16


def new_key() -> bytes:
    """Draw a key for one run.

    Returns
    -------
    bytes
        32 bytes from the operating system's source of randomness. Do not store them.

    Examples
    --------
    >>> len(new_key())
    32
    """
    return secrets.token_bytes(_KEY_BYTES)


def pseudonymise(pupil_ids: Iterable[str], *, key: bytes) -> pd.DataFrame:
    """Give every pupil a number that means nothing without the key.

    Parameters
    ----------
    pupil_ids : iterable of str
        Identifiers; repeats are counted once.
    key : bytes
        At least 16 bytes, one key for a run.

    Returns
    -------
    pandas.DataFrame
        ``pupil_id`` and ``pupil`` (int64, 0 or more), one row per identifier, in the order of
        the numbers, so that the order says nothing about the identifiers. Empty where there are
        no identifiers.

    Raises
    ------
    ContractError
        If the key is shorter than 16 bytes, or two pupils receive the same number.

    Notes
    -----
    The number is the first 63 bits of HMAC-SHA256(key, identifier). Two of a million pupils
    share a number once in about eighteen million runs; that run is refused.

    References
    ----------
    RFC 2104 (HMAC); FIPS 180-4 (SHA-256).

    Examples
    --------
    >>> table = pseudonymise(["A1", "B2", "A1"], key=bytes(32))
    >>> len(table), table["pupil"].is_unique
    (2, True)
    """
    if len(key) < _SHORTEST_KEY:
        raise ContractError(
            f"pseudonym key has {len(key)} bytes, must have {_SHORTEST_KEY} or more; "
            "leave it out and a random one is drawn."
        )
    identifiers = list(dict.fromkeys(pupil_ids))
    table = pd.DataFrame(
        {
            "pupil_id": pd.Series(identifiers, dtype="str"),
            "pupil": pd.Series([_number(text, key) for text in identifiers], dtype="int64"),
        }
    )
    shared = int(table["pupil"].duplicated().sum())
    if shared:
        raise ContractError(
            f"{shared} of {len(table)} pupils share a pseudonym, must be none; "
            "run again with another key."
        )
    return table.sort_values("pupil", ignore_index=True)


def _number(identifier: str, key: bytes) -> int:
    digest = hmac.digest(key, identifier.encode("utf-8"), "sha256")
    return int.from_bytes(digest[:8], "big") >> 1
