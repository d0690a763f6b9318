"""The solver of R's package synthdid, for parity with published numbers."""

import numpy as np

from vsh_eval.numerics.arrays import Floats

FIRST_STEPS, MOST_STEPS = 100, 10_000
"""Steps of the reference algorithm before and after small weights are set to zero."""


def stepwise_weights(sources: Floats, target: Floats, *, ridge: float, stop: float) -> Floats:
    """Return weights as the reference implementation of synthetic DiD finds them, step by step.

    Parameters
    ----------
    sources, target, ridge
        As for `nearest_weights`.
    stop : float
        Ends when a step lowers the objective a period by no more than its square.

    Returns
    -------
    array (N,)
        Near the minimum, not at it: Frank-Wolfe steps, weights under a quarter of the largest set
        to zero after the first 100, then up to 10,000 more. For parity with published numbers.

    Notes
    -----
    Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), American Economic Review 111(12), and
    the R package synthdid (``sc.weight.fw``, ``sparsify_function``).

    Examples
    --------
    >>> stepwise_weights(np.array([[0.0, 4.0]]), np.array([1.0]), ridge=1e-9, stop=1e-5).round(6)
    array([0.75, 0.25])
    """
    count = sources.shape[1]
    even = np.full(count, 1 / count)
    options = {"ridge": ridge, "stop": stop}
    found = _frank_wolfe(sources, target, even, steps=FIRST_STEPS, **options)
    kept = np.where(found <= found.max() / 4, 0.0, found)
    return _frank_wolfe(sources, target, kept / kept.sum(), steps=MOST_STEPS, **options)


def _frank_wolfe(
    sources: Floats, target: Floats, weights: Floats, *, steps: int, ridge: float, stop: float
) -> Floats:
    average = sources @ weights
    last = np.inf
    for step in range(steps):
        slope = (average - target) @ sources + ridge * weights
        best = int(slope.argmin())
        way = -weights
        way[best] += 1.0
        moved = sources[:, best] - average
        curvature = moved @ moved + ridge * (way @ way)
        if not curvature > 0:
            break
        length = min(1.0, max(0.0, -(slope @ way) / curvature))
        weights = weights + length * way
        average = average + length * moved
        error = average - target
        value = (ridge * (weights @ weights) + error @ error) / len(target)
        if step > 0 and not last - value > stop**2:
            break
        last = value
    return weights
