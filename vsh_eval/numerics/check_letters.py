"""The check letter of a unique pupil number (UPN)."""

import numpy as np

ALPHABET = "ABCDEFGHJKLMNPQRTUVWXYZ"
"""The 23 check letters, without I, O and S; a temporary UPN ends in one of them too."""


def check_letters(digits: np.ndarray) -> np.ndarray:
    """Return the letter that a UPN begins with, from the twelve signs that follow it.

    Parameters
    ----------
    digits : ndarray of int, shape (n, 12)
        The signs 2 to 13: digits, and for the last letter of a temporary UPN its place in
        `ALPHABET`, from 0.

    Returns
    -------
    ndarray of str, shape (n,)
        The letter at place ``sum(i * digit_i, i = 2..13) mod 23`` of `ALPHABET`.

    Notes
    -----
    Source: DfE, Unique pupil numbers (UPNs): a guide for schools and local authorities.

    Examples
    --------
    >>> check_letters(np.array([[8, 0, 1, 2, 0, 0, 0, 0, 1, 0, 0, 1]])).tolist()
    ['H']
    """
    return np.array(list(ALPHABET))[digits @ np.arange(2, 14) % len(ALPHABET)]
