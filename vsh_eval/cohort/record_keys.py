"""The number that makes a child's part of the noise: the same child, the same number, for ever.

Record keys are what the cell key method adds up (`names.RECORD_KEYS`): the same children always
have the same sum, whatever table, run or machine counts them, and so the same perturbation. Unlike
pseudonyms they must not change from run to run. The room hands on sums; the sum of a cell of one
child is that child's key, so cells stay in the authority.
"""

import hmac
from collections.abc import Iterable

import pandas as pd

from vsh_eval.contracts import ContractError

SHORTEST_SECRET = 16
_KEY_BYTES = 5
_PURPOSE = "record key|"


def record_keys(pupil_ids: Iterable[str], *, secret: bytes) -> pd.Series:
    """Give every pupil the number that its cells' keys are added up from.

    Parameters
    ----------
    pupil_ids : iterable of str
        Identifiers.
    secret : bytes
        At least 16 bytes; the authority's own, and never another one.

    Returns
    -------
    pandas.Series
        int64, from 0 to 2^40 - 1, in the order given.

    Raises
    ------
    ContractError
        If the secret is shorter than 16 bytes.

    Notes
    -----
    r = the first 5 bytes, big-endian, of HMAC-SHA256(secret, "record key|" + pupil_id). The sum
    over eight million children still fits into 64 bits.

    References
    ----------
    Handbook on Statistical Disclosure Control, 2nd ed., 5.4; RFC 2104 (HMAC).

    Examples
    --------
    >>> record_keys(["P0000001", "P0000002"], secret=bytes(range(32))).tolist()
    [323063534695, 1007160687101]
    """
    if len(secret) < SHORTEST_SECRET:
        raise ContractError(
            f"the secret has {len(secret)} bytes, must have {SHORTEST_SECRET} or more; "
            "let vsh-eval run PARAMS --new-secret write one."
        )
    return pd.Series([_number(text, secret) for text in pupil_ids], dtype="int64")


def _number(identifier: str, secret: bytes) -> int:
    digest = hmac.digest(secret, f"{_PURPOSE}{identifier}".encode(), "sha256")
    return int.from_bytes(digest[:_KEY_BYTES], "big")
