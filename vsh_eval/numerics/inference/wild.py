"""The wild cluster bootstrap with the null imposed, for estimates that are sums over schools.

Every draw flips or scales whole schools' residuals. For a linear estimator the draw's estimate
and its standard error are sums over schools that can be written down, so no draw fits anything and
any null can be tested from the same draws.

Shapes: S schools, T years, J strata, N draws.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsh_eval.numerics.arrays import Floats, Ints
from vsh_eval.numerics.estimators.imputation import Estimates, Fit
from vsh_eval.numerics.inference.significance import ALPHA

WEBB_BELOW = 12
"""Clusters below which six-point weights are drawn: two-point ones have too few patterns."""
_WEBB = np.sqrt(np.array([0.5, 1.0, 1.5]))
_FARTHEST = 100.0
_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Scores:
    """An estimate as a sum over schools.

    Attributes
    ----------
    estimate : float
        The estimate.
    own : array (S,)
        What each school's residuals, a zero effect imposed, add to the estimate.
    share : array (S,)
        What one unit of effect takes away from `own`; sums to 1.
    implied_weight : array (S, T)
        Weight of every cell in the estimate.
    pulled : array (S, T)
        What a school's residuals, a zero effect imposed, do to the year effects.
    pulled_by_effect : array (S, T)
        What one unit of effect takes away from `pulled`.
    stratum : array (S,)
        Schools of one stratum share year effects.
    """

    estimate: float
    own: Floats
    share: Floats
    implied_weight: Floats
    pulled: Floats
    pulled_by_effect: Floats
    stratum: Ints

    @property
    def influence(self) -> Floats:
        """The schools' influence (S,)."""
        return self.own - self.share * self.estimate


def of_imputation(fitted: Fit, target: Floats, estimates: Estimates) -> Scores:
    """Write the first target of an imputation as a sum over schools.

    Parameters
    ----------
    fitted : Fit
        School and year effects of the untreated cells.
    target : array (S, T)
        Target weight of the treated cells.
    estimates : Estimates
        Of that target, first.
    """
    share = target.sum(axis=1) / target.sum()
    estimate = float(estimates.estimate[0])
    return Scores(
        estimate=estimate,
        own=estimates.influence[0] + share * estimate,
        share=share,
        implied_weight=estimates.implied_weight[0],
        pulled=pull(fitted, fitted.residual),
        pulled_by_effect=np.zeros(target.shape),
        stratum=fitted.stratum,
    )


def pull(fitted: Fit, residual: Floats) -> Floats:
    """Return the year effects that each school's residuals alone would give, (S, T)."""
    right = np.where(fitted.weight > 0, fitted.weight * residual, 0.0)
    return np.einsum("stu,su->st", fitted.inverse[fitted.stratum], right)


def multipliers(schools: int, draws: int, *, seed: int = 0) -> Floats:
    """Draw schools' multipliers (N, S): plus or minus one, or Webb's six below 12 schools.

    Examples
    --------
    >>> np.unique(multipliers(20, 50)).tolist()
    [-1.0, 1.0]
    >>> len(np.unique(multipliers(5, 500)))
    6
    """
    generator = np.random.default_rng(seed)
    signs: Floats = generator.integers(0, 2, (draws, schools)).astype(np.float64) * 2 - 1
    if schools >= WEBB_BELOW:
        return signs
    sizes: Floats = _WEBB[generator.integers(0, len(_WEBB), (draws, schools))]
    return signs * sizes


class WildBootstrap:
    """Draws that test any null effect.

    Parameters
    ----------
    scores : Scores
        The estimate as a sum over schools.
    draws, seed : int
        Number of draws and what starts them.

    Notes
    -----
    Under the null effect h school s's residuals add ``u_s = own_s - h share_s`` to the estimate.
    A draw v gives ``sum_s v_s u_s`` and, the effects fitted anew to the drawn residuals, the
    influence ``v_s u_s - sum_t a_st b_t - share_s sum_r v_r u_r`` with b the years' part; the
    statistic is their ratio, in root sum of squares. Cameron, Gelbach and Miller (2008), Review of
    Economics and Statistics 90(3); MacKinnon, Nielsen and Webb (2023), Journal of Econometrics 232.

    Examples
    --------
    >>> even = np.array([1.0, -1.0] * 10)
    >>> scores = Scores(0.3, even + 0.3 / 20, np.full(20, 1 / 20), np.zeros((20, 2)),
    ...                 np.zeros((20, 2)), np.zeros((20, 2)), np.zeros(20, dtype=np.int64))
    >>> bool(WildBootstrap(scores, draws=999).p_value(0.0) > 0.7)
    True
    """

    def __init__(self, scores: Scores, *, draws: int = 9_999, seed: int = 0) -> None:
        used = (scores.implied_weight != 0).any(axis=1) | (scores.own != 0)
        drawn = multipliers(int(used.sum()), draws, seed=seed)
        own, share = scores.own[used], scores.share[used]
        self._scores = scores
        self.error = float(np.sqrt((scores.influence**2).sum()))
        self._shift = drawn @ own
        self._slope = drawn @ share
        level = drawn * own
        level -= np.outer(self._shift, share) + _years(scores, used, drawn, scores.pulled)
        tilt = drawn * share
        tilt -= np.outer(self._slope, share)
        if scores.pulled_by_effect.any():
            tilt -= _years(scores, used, drawn, scores.pulled_by_effect)
        self._squares = [
            np.einsum("ns,ns->n", one, other)
            for one, other in ((level, level), (level, tilt), (tilt, tilt))
        ]

    def p_value(self, null: float = 0.0) -> float:
        """Return the share of draws at least as far from the null effect as the estimate."""
        level, cross, tilt = self._squares
        variance = level - 2 * null * cross + null**2 * tilt
        drawn = np.abs(self._shift - null * self._slope) / np.sqrt(np.maximum(variance, 1e-300))
        observed = abs(self._scores.estimate - null) / self.error
        return float((1 + (drawn >= observed * (1 - 1e-12)).sum()) / (1 + len(drawn)))

    def interval(self) -> tuple[float, float]:
        """Return the effects that the test does not refute; infinite where it refutes none."""
        return self._bound(-1.0), self._bound(1.0)

    def _bound(self, side: float) -> float:
        reach = 1.0
        while self.p_value(self._scores.estimate + side * reach * self.error) > ALPHA:
            reach *= 2
            if reach > _FARTHEST:
                return side * float("inf")
        near, far = 0.0, reach
        for _ in range(_HALVINGS):
            middle = (near + far) / 2
            if self.p_value(self._scores.estimate + side * middle * self.error) > ALPHA:
                near = middle
            else:
                far = middle
        return float(self._scores.estimate + side * near * self.error)


def _years(scores: Scores, used: npt.NDArray[np.bool_], drawn: Floats, pulled: Floats) -> Floats:
    """Return what the drawn year effects take from each school's score, (N, S)."""
    part = np.zeros(drawn.shape)
    stratum = scores.stratum[used]
    for one in np.unique(stratum):
        inside = stratum == one
        years = drawn[:, inside] @ pulled[used][inside]
        part[:, inside] = years @ scores.implied_weight[used][inside].T
    return part
