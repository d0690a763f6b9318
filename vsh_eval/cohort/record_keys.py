"""The two numbers of a child: one that means nothing, and one that is the same for ever.

The first, ``pupil``, is drawn by lot anew for every run and never stored, so nobody, the authority
included, can go back from it to a child, and no number is the same child in two runs.

Record keys are what the cell key method adds up (`names.RECORD_KEYS`): the same children always
have the same sum, whatever table, run or machine counts them, and so the same perturbation. Unlike
the first they must not change from run to run. The room hands on sums; the sum of a cell of one
child is that child's key, so cells stay in the authority.
"""

import secrets
from hashlib import sha256

import pandas as pd

from vsh_eval.cohort.engines import Engine, Temporary, sql_text
from vsh_eval.contracts import ContractError

SHORTEST_SECRET = 16
_BLOCK = 64
"""Bytes that SHA-256 takes at once; RFC 2104 fills a shorter secret up and hashes a longer one."""


def keep_keys(engine: Engine, *, secret: bytes) -> None:
    """Keep both numbers of every child named in a return, as ``cohort_keys``.

    Parameters
    ----------
    engine : Engine
        Holding the returns, and the suspensions as ``cohort_suspended``. It does all the work: no
        identifier passes through Python, and the secret is a row of a table, never text of a query.
    secret : bytes
        At least 16 bytes; the authority's own, and never another one.

    Raises
    ------
    ContractError
        If the secret is shorter than 16 bytes.

    Notes
    -----
    ``pupil`` (int32, from 0 on) is the place of the child in the order of the first 60 bits of
    MD5(lot + pupil_id), the lot being 128 bits from the operating system. ``record_key`` (int64,
    from 0 to 2^40 - 1) = the first 5 bytes, big-endian, of HMAC-SHA256(secret, "record key|" +
    pupil_id), both in UTF-8. The sum over eight million children still fits into 64 bits.

    References
    ----------
    Handbook on Statistical Disclosure Control, 2nd ed., 5.4; RFC 2104 (HMAC).

    Examples
    --------
    >>> import duckdb
    >>> from vsh_eval.cohort.engines import DuckDbEngine
    >>> engine = DuckDbEngine(duckdb.connect())
    >>> for name in ("enrolments", "attendance", "cohort_suspended", "attainment", "episodes"):
    ...     engine.give(name, pd.DataFrame({"pupil_id": ["P0000001", "P0000002"]}))
    >>> keep_keys(engine, secret=bytes(range(32)))
    >>> engine.run("SELECT record_key FROM cohort_keys ORDER BY pupil_id")["record_key"].tolist()
    [323063534695, 1007160687101]
    """
    if len(secret) < SHORTEST_SECRET:
        raise ContractError(
            f"the secret has {len(secret)} bytes, must have {SHORTEST_SECRET} or more; "
            "let vsh-eval run PARAMS --new-secret write one."
        )
    with Temporary(engine) as drawn:
        drawn.give("cohort_secret", _secret_row(secret))
        engine.keep("cohort_keys", sql_text("keys"))


def _secret_row(secret: bytes) -> pd.DataFrame:
    """Return the two keys that RFC 2104 makes of a secret, in hexadecimal digits, and a lot."""
    padded = (sha256(secret).digest() if len(secret) > _BLOCK else secret).ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded).hex() for pad in (0x36, 0x5C))
    return pd.DataFrame(
        {"inner_key": [inner], "outer_key": [outer], "lot": [secrets.token_hex(16)]}
    )
