"""The cluster bootstrap: whole schools drawn with replacement, sums added up."""

import numpy as np

from vsh_eval.numerics.arrays import Floats

_AT_ONCE = 1_000
"""Draws counted at once, to bound memory."""


def resampled_sums(parts: Floats, *, draws: int = 9_999, seed: int = 0) -> Floats:
    """Draw schools with replacement and add their parts, many times.

    Parameters
    ----------
    parts : array (S, K)
        What each school adds to K sums.
    draws, seed : int
        How often, and what starts it.

    Returns
    -------
    array (draws, K)
        The sums of each draw of S schools. Any statistic of the sums has its bootstrap
        distribution here.

    Examples
    --------
    >>> drawn = resampled_sums(np.ones((5, 1)), draws=3)
    >>> drawn.ravel().tolist()
    [5.0, 5.0, 5.0]
    """
    schools = len(parts)
    generator = np.random.default_rng(seed)
    sums = np.empty((draws, parts.shape[1]))
    for start in range(0, draws, _AT_ONCE):
        number = min(_AT_ONCE, draws - start)
        chosen = generator.integers(0, schools, (number, schools), dtype=np.int32)
        chosen += np.arange(number, dtype=np.int32)[:, None] * schools
        counts = np.bincount(chosen.ravel(), minlength=number * schools)
        sums[start : start + number] = counts.reshape(number, schools) @ parts
    return sums
