"""The authority's secret: from the environment or a key file; a public one where nothing is hidden.

The noise of every released number follows from it (`cohort.record_keys`), so it is made once, kept
for ever and never released.
"""

import base64
import hashlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from vsh_eval.contracts import ContractError, SettingsError

if TYPE_CHECKING:
    from vsh_eval.settings import Settings

VARIABLE = "VSH_EVAL_SECRET"
_SHORTEST = 16
_PUBLIC = b"neither invented nor published figures hide a child"


def secret_of(settings: "Settings", *, invented: bool) -> bytes:
    """Return the secret of a run.

    Parameters
    ----------
    settings : Settings
        The run's; ``disclosure.secret_file`` names the key file.
    invented : bool
        Whether the children are invented.

    Returns
    -------
    bytes
        16 bytes or more; a fixed and public one for invented children, published tables and
        pools of released estimates.

    Raises
    ------
    ContractError
        If real returns have no secret, or it is shorter than 16 bytes.

    Examples
    --------
    >>> from vsh_eval.settings import parse
    >>> years = {"first": "2022/23", "last": "2023/24", "baseline": "2022/23"}
    >>> demo = parse({"name": "demo", "authority": {"code": "E06000999", "name": "Invented"},
    ...               "source": {"kind": "synthetic"}, "years": years})
    >>> len(secret_of(demo, invented=True)) >= 16
    True
    """
    if invented or settings.source.kind in ("published", "pooled"):
        return _PUBLIC
    file = settings.disclosure.secret_file
    if written := os.environ.get(VARIABLE):
        return _long_enough(written.encode(), VARIABLE)
    if file is None:
        raise ContractError(
            f"the run has no secret, must have one for real returns; set {VARIABLE}, or name a "
            "file as disclosure.secret_file and let vsh-eval run PARAMS --new-secret write it."
        )
    if not file.is_file():
        raise ContractError(
            f"disclosure.secret_file {file.name} does not exist, must hold the secret; put back "
            "the one of earlier releases, or let vsh-eval run PARAMS --new-secret write the first."
        )
    return _long_enough(file.read_bytes().rstrip(b"\r\n"), f"disclosure.secret_file {file.name}")


def write_new(settings: "Settings") -> Path:
    """Write a new secret into ``disclosure.secret_file``, for its owner's eyes only.

    Parameters
    ----------
    settings : Settings
        The run's.

    Returns
    -------
    Path
        The key file, of 64 hexadecimal digits.

    Raises
    ------
    SettingsError
        If no file is named, or there is one already.
    """
    file = settings.disclosure.secret_file
    if file is None:
        raise SettingsError(
            "disclosure.secret_file is missing, must name the file of the new secret; add it to "
            "the params, for example secret_file: ../secret.key."
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise SettingsError(
            f"disclosure.secret_file {file.name} exists, must not be written over: released "
            "years hang on it; leave --new-secret out."
        ) from None
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(f"{secrets.token_hex(32)}\n")
    return file


def fingerprint(secret: bytes) -> str:
    """Return what the manifest says of a secret: 8 hex digits, from which it cannot be found.

    Examples
    --------
    >>> fingerprint(bytes(16)) == fingerprint(bytes(16)), len(fingerprint(bytes(16)))
    (True, 8)
    """
    return hashlib.sha256(b"check|" + secret).hexdigest()[:8]


def texts_of(settings: "Settings", *, invented: bool) -> tuple[str, ...]:
    """Return every way in which a secret could be written down, for the check of what leaves.

    Parameters
    ----------
    settings : Settings
        The run's.
    invented : bool
        Whether the children are invented.

    Returns
    -------
    tuple of str
        The secret as text, in hexadecimal digits and in base 64; none where it is public.

    Raises
    ------
    ContractError
        As `secret_of`.
    """
    secret = secret_of(settings, invented=invented)
    if secret == _PUBLIC:
        return ()
    coded = (secret.hex(), base64.b64encode(secret).decode().rstrip("="))
    try:
        return (secret.decode(), *coded)
    except UnicodeDecodeError:
        return coded


def _long_enough(secret: bytes, name: str) -> bytes:
    if len(secret) < _SHORTEST:
        raise ContractError(
            f"{name} holds {len(secret)} bytes, must hold {_SHORTEST} or more; put back the "
            "secret of earlier releases, or, if nothing was released, remove it and let "
            "vsh-eval run PARAMS --new-secret write one."
        )
    return secret
