"""How far the trend's slope may change from year to year before an effect vanishes (smoothness).

Rambachan and Roth's fixed-length confidence interval for the restriction that the slope of the
trend difference changes by at most `bound` between neighbouring periods. The best estimator for
every bound lies on one path, the lasso's, so the path is computed once and serves all bounds.

Shapes: A pre-periods (the reference period left out), P post-periods, L points of the path.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from vsh_eval.numerics.arrays import Floats
from vsh_eval.numerics.inference.significance import ALPHA

_POINTS = 400
_FINER = 21
_ROUNDS = 4
_SWEEPS = 5_000
_STILL = 1e-13


@dataclass(frozen=True, slots=True)
class _Path:
    """Estimators on the path: what each weighs, how much it errs and how far it can be biased."""

    penalty: Floats
    loading: Floats
    error: Floats
    reach: Floats


class Smoothness:
    """Fixed-length intervals of a weighted mean of effects under smoothness.

    Parameters
    ----------
    beta, covariance, before, weights
        As for `vsh_eval.numerics.inference.honest.RelativeMagnitudes`.

    Notes
    -----
    The estimator is ``weights @ beta_post - sum_s w_s (beta_s - beta_{s-1})`` over the
    slopes before adoption with ``sum w = sum_t t weights_t``, so that a linear trend does not
    bias it. With ``c = cumsum(w)`` its largest bias is ``bound (sum_j |k_j| + sum_{i<A} |c_i|)``,
    ``k_j = sum_{t>=j} (t-j+1) weights_t``, and the half-length is the ``1 - alpha`` quantile of
    ``|N(bias, error^2)|``, least over c. For a given weight of bias against variance, c solves a
    lasso. Rambachan and Roth (2023), Review of Economic Studies 90(5), section 4.

    Examples
    --------
    >>> sets = Smoothness(np.array([0.2, 0.1, 0.5]), 0.01 * np.eye(3), before=2,
    ...                   weights=np.array([1.0]))
    >>> [round(bound, 2) for bound in sets.interval(0.0)]
    [0.39, 0.81]
    """

    def __init__(self, beta: Floats, covariance: Floats, *, before: int, weights: Floats) -> None:
        self._beta = beta
        periods = np.arange(1, len(weights) + 1)
        self._late = np.abs(
            np.convolve(weights[::-1], periods)[: len(weights)]
        ).sum()  # sum over j of |k_j|
        self._fixed, self._moving = _estimators(before, weights)
        variance = self._moving @ covariance @ self._moving.T
        slope = self._moving @ covariance @ self._fixed
        self._quadratic = variance, slope
        self._covariance = covariance
        strongest = 2 * np.abs(slope).max(initial=0.0)
        self._path = self._trace(strongest * np.linspace(0.0, 1.0, _POINTS) ** 2)

    def interval(self, bound: float) -> tuple[float, float]:
        """Return the shortest interval that covers whatever trend the bound allows."""
        path, length = self._path, self._lengths(self._path, bound)
        best = int(length.argmin())
        for _ in range(_ROUNDS if bound > 0 else 0):
            near = path.penalty[[max(best - 1, 0), min(best + 1, len(length) - 1)]]
            path = self._trace(np.linspace(near[0], near[1], _FINER))
            length = self._lengths(path, bound)
            best = int(length.argmin())
        centre = float(path.loading[best] @ self._beta)
        return centre - float(length[best]), centre + float(length[best])

    def _lengths(self, path: _Path, bound: float) -> Floats:
        return path.error * folded_quantile(bound * path.reach / path.error)

    def _trace(self, penalty: Floats) -> _Path:
        """Follow the lasso's path by coordinate descent, all penalties at once."""
        variance, slope = self._quadratic
        free = len(slope)
        chosen = np.zeros((len(penalty), free))
        if free:
            chosen += np.linalg.lstsq(variance, -slope, rcond=None)[0]
        for _ in range(_SWEEPS):
            moved = 0.0
            for one in range(free):
                pull = slope[one] + chosen @ variance[one] - chosen[:, one] * variance[one, one]
                shrunk = np.sign(-pull) * np.maximum(np.abs(pull) - penalty / 2, 0.0)
                value = shrunk / variance[one, one]
                moved = max(moved, float(np.abs(value - chosen[:, one]).max()))
                chosen[:, one] = value
            if moved <= _STILL * (1.0 + np.abs(chosen).max(initial=0.0)):
                break
        loading = self._fixed + chosen @ self._moving
        error = np.sqrt(np.einsum("li,ij,lj->l", loading, self._covariance, loading))
        return _Path(penalty, loading, error, self._late + np.abs(chosen).sum(axis=1))


def _estimators(before: int, weights: Floats) -> tuple[Floats, Floats]:
    """Return the estimator with all weight on the last slope, and what each ``c_i`` adds."""
    target = float(np.arange(1, len(weights) + 1) @ weights)
    fixed = np.concatenate([np.zeros(before), weights])
    fixed[before - 1] += target
    # The slope before the reference is 0 - beta_A; c_i moves weight to slope i from slope i + 1.
    slopes = np.eye(before) * -1.0 + np.eye(before, k=1)
    moving = np.zeros((before - 1, before + len(weights)))
    moving[:, :before] = slopes[1:] - slopes[:-1]
    return fixed, moving


def folded_quantile(shift: Floats) -> Floats:
    """Return the ``1 - alpha`` quantile of ``|N(shift, 1)|``.

    Examples
    --------
    >>> folded_quantile(np.array([0.0, 1.0, 5.0])).round(3)
    array([1.96 , 2.646, 6.645])
    """
    shift = np.abs(np.asarray(shift, dtype=np.float64))
    value = shift + special.ndtri(1 - ALPHA / 2)
    for _ in range(30):
        excess = special.ndtr(value - shift) - special.ndtr(-value - shift) - (1 - ALPHA)
        density = _normal_density(value - shift) + _normal_density(value + shift)
        step = excess / density
        value = value - step
        if np.abs(step).max(initial=0.0) < 1e-13:
            break
    return value


def _normal_density(values: Floats) -> Floats:
    return np.exp(-(values**2) / 2.0) / np.sqrt(2 * np.pi)
