"""The cell key method: the same children always get the same small random change.

A cell's key is the sum of its children's record keys. A number drawn from the key is looked up in a
fixed table of probabilities, so the change of a number is random to a reader and the same in every
table, run and year. The sum is mixed before the lookup: keys of cells that add up add up too, and
without mixing the noise of two parts would tell that of their sum.
"""

import hashlib

import numpy as np

from vsh_eval.numerics.arrays import Floats, Ints

VARIANCE = 1.0
"""Variance of the change of a number of children."""
MOST = 5
"""The largest change of a number of children."""
ENDS = np.array(
    [
        *(6385, 581185, 19615877, 251505536, 1290761892, 3004205404),
        *(4043461760, 4275351419, 4294386111, 4294960911, 4294967296),
    ],
    dtype=np.int64,
)
"""Upper ends, in 2^-32, of the steps of the changes -5 to 5.

Of all distributions on -5 to 5 with mean 0 and variance 1 the one of the largest entropy:
p(v) proportional to exp(-b v^2)."""

_STARTS = np.concatenate([[0], ENDS[:-1]])


def mixed(keys: Ints, salt: str = "") -> Ints:
    """Return a number from 0 to 2^32 - 1 for each key, without pattern.

    Parameters
    ----------
    keys : int array
        Sums of record keys.
    salt : str
        Which noise: '' for numbers of children, else the name of a metric or statistic.

    Notes
    -----
    z = key + first 8 bytes of SHA-256(salt), then splitmix64's finaliser; the upper 32 bits.
    Source: Steele, Lea and Flood (2014), *OOPSLA*, 453-472.

    Examples
    --------
    >>> mixed(np.array([1, 7])).tolist()
    [3128349371, 2895423495]
    """
    start = np.uint64(int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8], "big"))
    with np.errstate(over="ignore"):
        z = np.asarray(keys).astype(np.uint64) + start
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(32)).astype(np.int64)


def change_of_count(keys: Ints) -> Floats:
    """Return the change of each number of children, a whole number from -5 to 5.

    Examples
    --------
    >>> change_of_count(np.array([1, 7, 123456789, 0])).tolist()
    [1.0, 0.0, -2.0, -1.0]
    """
    return np.searchsorted(ENDS, mixed(keys), side="right").astype(np.float64) - MOST


def smooth_change(keys: Ints, salt: str) -> Floats:
    """Return a change without steps, for means; its variance is that of a count plus 1 / 12.

    Examples
    --------
    >>> smooth_change(np.array([1, 7]), "overall_absence").round(6).tolist()
    [-1.927592, -0.387982]
    """
    drawn = mixed(keys, salt)
    step = np.searchsorted(ENDS, drawn, side="right")
    first, last = _STARTS[step], ENDS[step]
    return step - MOST - 0.5 + (drawn + 0.5 - first) / (last - first)
