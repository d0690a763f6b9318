"""How far the trend may break after adoption before an effect vanishes (relative magnitudes).

Rambachan and Roth's confidence set for the restriction that no change of the trend difference after
adoption is larger than ``m_bar`` times the largest change before it: the conditional test with a
least favourable first stage (their C-LF). For this restriction the test's linear programme has
few vertices that can be written down, so no solver is needed and any number of values is tested
at once.

Shapes: A pre-periods (the reference period left out), P post-periods, V vertices, N tested values.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from vsh_eval.numerics.arrays import Flags, Floats
from vsh_eval.numerics.inference.significance import ALPHA

DRAWS = 10_000
"""Draws behind the first stage's critical value."""
FIRST_STAGE = 0.1
"""Share of alpha that the first stage spends."""
_POINTS, _FINER = 200, 2
"""Steps in which a line is searched for the ends of an interval, and how often more around them."""
_NOUGHT = 1e-10
"""A variance, or a slope, below this share of its size is zero."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """One polyhedron: the largest change before adoption is a given one, with a given sign.

    The statistic of a tested value is the largest of
    ``(loading @ beta - side * value) / scale`` over the vertices.
    """

    level: Floats
    side: Floats
    covariance: Floats
    critical: float


class RelativeMagnitudes:
    """Confidence sets of a weighted mean of effects under relative magnitudes.

    Parameters
    ----------
    beta : array (A + P,)
        Event-study estimates in order of time, each against the reference period, which lies
        between the A-th and the next and is left out.
    covariance : array (A + P, A + P)
        Their covariance.
    before : int
        A, at least 1.
    weights : array (P,)
        Weights of the post-periods' effects in the mean asked about.
    draws, seed : int
        Of the first stage's critical value.

    Notes
    -----
    With ``h_t = sum_{k >= t} weights_k`` and v the signed largest change before adoption, the
    moments are ``+-(delta_t - delta_{t-1}) - m_bar v <= 0``. The multipliers that profile
    out the other effects are the cone spanned by ``(h+, h-)``, ``(h-, h+)`` and, for every t, the
    pair of both moments of t. Rambachan and Roth (2023), Review of Economic Studies 90(5);
    Andrews, Roth and Pakes (2023), Review of Economic Studies 90(6).

    Examples
    --------
    >>> beta = np.array([0.02, -0.01, 0.5])
    >>> sets = RelativeMagnitudes(beta, 0.01 * np.eye(3), before=2, weights=np.array([1.0]))
    >>> [round(bound, 2) for bound in sets.interval(0.0)]
    [0.3, 0.7]
    """

    def __init__(
        self,
        beta: Floats,
        covariance: Floats,
        *,
        before: int,
        weights: Floats,
        draws: int = DRAWS,
        seed: int = 0,
    ) -> None:
        self._beta = beta
        self._covariance = covariance
        self._before = before
        self._weights = weights
        values, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(np.clip(values, 0.0, None))
        normal = np.random.default_rng(seed).standard_normal((len(beta), draws))
        self._noise = root @ normal

    def accepts(self, values: Floats, m_bar: float) -> Flags:
        """Return which values of the mean effect the restriction and the data allow, (N,)."""
        return self._allowed(self._pieces(m_bar), values)

    def interval(self, m_bar: float) -> tuple[float, float]:
        """Return the lowest and the highest value allowed.

        The line is searched in `_POINTS` steps, then twice more around both ends: the bounds are
        exact to a millionth of the width searched. NaN where nothing is allowed.
        """
        pieces = self._pieces(m_bar)
        centre, reach = self._search(m_bar)
        grid = np.linspace(centre - reach, centre + reach, _POINTS + 1)
        grid = np.union1d(grid, centre)
        inside = np.flatnonzero(self._allowed(pieces, grid))
        if not inside.size:
            return float("nan"), float("nan")
        ends = []
        for at, outward in ((inside[0], -1), (inside[-1], 1)):
            last = grid[at]
            step = grid[at + outward] - last if 0 <= at + outward < len(grid) else outward * reach
            for _ in range(_FINER):
                finer = last + step * np.arange(_POINTS // 2 + 1) / (_POINTS // 2)
                last = finer[np.flatnonzero(self._allowed(pieces, finer))[-1]]
                step /= _POINTS // 2
            ends.append(float(last))
        return ends[0], ends[1]

    def _allowed(self, pieces: list[_Piece], values: Floats) -> Flags:
        return np.any([_accepted(piece, values) for piece in pieces], axis=0)

    def _search(self, m_bar: float) -> tuple[float, float]:
        """Return where the allowed values are looked for: centre and reach to both sides."""
        change = _changes_before(self._before, len(self._beta))
        late = self._beta[self._before :]
        centre = float(self._weights @ late)
        own = self._covariance[self._before :, self._before :]
        error = float(np.sqrt(self._weights @ own @ self._weights))
        noise = np.sqrt(np.diag(change @ self._covariance @ change.T))
        largest = float(np.max(np.abs(change @ self._beta) + 5 * noise))
        steps = np.abs(np.cumsum(self._weights[::-1])[::-1]).sum()
        return centre, 6 * error + m_bar * steps * largest

    def _pieces(self, m_bar: float) -> list[_Piece]:
        changes = _changes_before(self._before, len(self._beta))
        return [self._piece(sign * change, m_bar) for change in changes for sign in (1.0, -1.0)]

    def _piece(self, largest: Floats, m_bar: float) -> _Piece:
        """Write down the vertices of one polyhedron, scaled to the moments' standard errors."""
        periods = len(self._weights)
        step = np.zeros((periods, len(self._beta)))
        step[:, self._before :] = np.eye(periods) - np.eye(periods, k=-1)
        upper, lower = step - m_bar * largest, -step - m_bar * largest
        errors = [
            np.sqrt(np.clip(np.einsum("ti,ij,tj->t", rows, self._covariance, rows), 0.0, None))
            for rows in (upper, lower)
        ]
        share = np.cumsum(self._weights[::-1])[::-1]
        up, down = np.clip(share, 0.0, None), np.clip(-share, 0.0, None)
        multipliers = np.concatenate(
            [
                np.stack([np.r_[up, down], np.r_[down, up]]),
                np.tile(np.eye(periods), (1, 2)) if periods > 1 else np.zeros((0, 2)),
            ]
        )
        multipliers = multipliers / (multipliers @ np.concatenate(errors))[:, None]
        loading = multipliers @ np.concatenate([upper, lower])
        side = (
            multipliers @ np.concatenate([step, -step])[:, self._before :] @ _towards(self._weights)
        )
        # einsum rather than @: so thin a product costs more in threads than in arithmetic.
        least_favourable = np.einsum("vk,kn->vn", loading, self._noise).max(axis=0)
        return _Piece(
            level=loading @ self._beta,
            side=side,
            covariance=loading @ self._covariance @ loading.T,
            critical=float(np.quantile(least_favourable, 1 - FIRST_STAGE * ALPHA)),
        )


def _changes_before(before: int, periods: int) -> Floats:
    """Return the changes between neighbouring periods up to the reference period, (A, A + P)."""
    padded = np.zeros((before, periods))
    padded[:, :before] = -np.eye(before) + np.eye(before, k=1)
    return padded


def _towards(weights: Floats) -> Floats:
    """Return effects (P,) whose weighted mean is 1; the multipliers see their mean only."""
    return weights / (weights @ weights)


def _accepted(piece: _Piece, values: Floats) -> Flags:
    """Test each value by the conditional test after a least favourable first stage."""
    moments = piece.level[None, :] - np.outer(values, piece.side)
    best = moments.argmax(axis=1)
    statistic = moments.max(axis=1)
    variance = np.diag(piece.covariance)[best]
    fixed = variance <= _NOUGHT * np.diag(piece.covariance).max()
    slope = piece.covariance[best] / np.where(fixed, 1.0, variance)[:, None]
    rest = moments - slope * statistic[:, None]
    left = 1.0 - slope
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = rest / left
    lower = np.where(left > _NOUGHT, crossing, -np.inf).max(axis=1)
    upper = np.where(left < -_NOUGHT, crossing, np.inf).min(axis=1)
    upper = np.minimum(upper, piece.critical)
    size = ALPHA * (1 - FIRST_STAGE) / (1 - FIRST_STAGE * ALPHA)
    error = np.sqrt(np.where(fixed, 1.0, variance))
    limit = error * truncated_quantile(1 - size, lower / error, upper / error)
    rejected = statistic > np.where(fixed, 0.0, np.maximum(limit, 0.0))
    return ~(rejected | ((statistic > piece.critical) & (statistic > 0)))


def truncated_quantile(probability: float, lower: Floats, upper: Floats) -> Floats:
    """Return a quantile of standard normals cut to intervals, stable far into the tails.

    Examples
    --------
    >>> truncated_quantile(0.5, np.array([-np.inf, 0.0]), np.array([np.inf, np.inf])).round(3)
    array([0.   , 0.674])
    """
    high = lower > 0
    near = np.where(high, -upper, lower)
    far = np.where(high, -lower, upper)
    share = np.where(high, 1 - probability, probability)
    mixed = np.logaddexp(
        np.log1p(-share) + special.log_ndtr(near), np.log(share) + special.log_ndtr(far)
    )
    quantile = special.ndtri_exp(mixed)
    return np.clip(np.where(high, -quantile, quantile), lower, np.maximum(lower, upper))
