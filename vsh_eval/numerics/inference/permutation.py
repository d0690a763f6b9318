"""The imputation estimator for many allocations of the years of adoption at once.

What a school adds to the sums of the fit depends only on its own year of adoption, so it is worked
out once for every year there is; an allocation then only picks and adds. A thousand allocations
cost about as much as a few ordinary fits, and give the same numbers.

Shapes: D allocations, G years of adoption, S schools, T years, J strata.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vsh_eval.numerics.arrays import Flags, Floats, Ints
from vsh_eval.numerics.estimators import imputation
from vsh_eval.numerics.estimators.imputation import NULL

_TOUCHED = 1e-12
"""Squares of implied weights below this share of the largest are zero, or rounding."""
_VAST = 1e9
"""Solutions this many times what was asked for are no solutions."""
_AT_ONCE = 20_000
"""Leave-one-outs solved at once, to bound memory."""
_ALLOCATIONS = 2_000
"""Allocations estimated at once, to bound memory."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What every school adds to the sums, for every year in which it might adopt.

    Attributes
    ----------
    outcome, weight, fit_weight : array (S, T)
        The cells.
    onsets : array (G,)
        The years of adoption there are, by position; T for never.
    stratum : array (S,)
        0 to J-1.
    parts : array (G, S, T * (2 T + 4))
        Side by side: normal matrix, contrast matrix (target year by fit year), right-hand side,
        target outcomes, target weights, fit weights of the untreated years.
    """

    outcome: Floats
    weight: Floats
    fit_weight: Floats
    onsets: Ints
    stratum: Ints
    parts: Floats


@dataclass(frozen=True, slots=True)
class Batch:
    """Estimates of many allocations.

    Attributes
    ----------
    estimate : array (D,)
        NaN where no treated cell can be imputed.
    influence_error : array (D,)
        Standard error from the influence functions.
    jackknife_error : array (D,)
        Delete-one-school standard error, the influence function's where a leave-one-out is
        singular; NaN where it was not asked for.
    schools : array (D,)
        Schools that carry the estimate.
    """

    estimate: Floats
    influence_error: Floats
    jackknife_error: Floats
    schools: Ints


def terms(
    outcome: Floats, weight: Floats, fit_weight: Floats, onsets: Ints, stratum: Ints
) -> Terms:
    """Work out what every school adds, for every year in which it might adopt.

    Parameters
    ----------
    outcome, weight, fit_weight : array (S, T)
        Outcome, target weight and fit weight of each cell; weight 0 where there is no data.
    onsets : array (G,)
        Positions of the first treated year; T for never.
    stratum : array (S,)
        Schools of one stratum share year effects.

    Returns
    -------
    Terms

    Examples
    --------
    >>> ones = np.ones((2, 3))
    >>> terms(ones, ones, ones, np.array([1, 3]), np.zeros(2, dtype=np.int64)).parts.shape
    (2, 2, 30)
    """
    schools, years = outcome.shape
    parts = np.empty((len(onsets), schools, years * (2 * years + 4)))
    identity = np.eye(years)
    for place, onset in enumerate(onsets):
        before = np.arange(years) < onset
        fitted = np.where(before, fit_weight, 0.0)
        total = fitted.sum(axis=1, keepdims=True)
        share = fitted / np.where(total > 0, total, 1.0)
        mean = (share * outcome).sum(axis=1, keepdims=True)
        target = np.where(~before & (total > 0), weight, 0.0)
        normal = fitted[:, :, None] * (identity - share[:, None, :])
        contrast = target[:, :, None] * (share[:, None, :] - identity)
        centred = outcome - mean
        parts[place] = np.concatenate(
            [
                normal.reshape(schools, -1),
                contrast.reshape(schools, -1),
                fitted * centred,
                target * centred,
                target,
                fitted,
            ],
            axis=1,
        )
    return Terms(outcome, weight, fit_weight, np.asarray(onsets), stratum, parts)


def batch(given: Terms, labels: Ints, *, jackknife: bool = False) -> Batch:
    """Estimate the effect on the treated for every allocation.

    Parameters
    ----------
    given : Terms
        From `terms`.
    labels : array (D, S)
        Position in `given.onsets` of the year that each school adopts in.
    jackknife : bool
        Whether to leave out every school of every allocation too.

    Returns
    -------
    Batch
        Equal to `imputation.estimate` of each allocation, one by one.

    Notes
    -----
    With n, w, C the sums of the target's outcomes, weights and contrasts, A and b the normal
    equations of the years and m the years that untreated schools reach,
    ``theta = [m'n + (C'm)' A^- b] / m'w`` and the influence of school s is
    ``[m'n_s + m'C_s beta + lambda'(b_s - A_s beta) - m'w_s theta] / m'w``, ``lambda = A^- C'm``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> cells = rng.normal(size=(6, 3)), np.ones((6, 3)), np.ones((6, 3))
    >>> given = terms(*cells, np.array([1, 3]), np.zeros(6, dtype=np.int64))
    >>> batch(given, np.array([[0, 0, 1, 1, 1, 1]])).schools
    array([6])
    """
    pieces = [
        _piece(given, labels[start : start + _ALLOCATIONS], jackknife=jackknife)
        for start in range(0, len(labels), _ALLOCATIONS)
    ]
    joined = [np.concatenate(columns) for columns in zip(*pieces, strict=True)]
    return Batch(*joined)


@dataclass(frozen=True, slots=True)
class _Stratum:
    """One stratum's sums and solutions, (D, ...)."""

    members: Ints
    reached: Flags
    normal: Floats
    right: Floats
    contrast: Floats
    year_effect: Floats
    multiplier: Floats
    own: Floats
    weight: Floats
    linked: Flags


def _piece(given: Terms, labels: Ints, *, jackknife: bool) -> tuple[Floats, Floats, Floats, Ints]:
    strata = [
        _solved(given, labels, np.flatnonzero(given.stratum == number))
        for number in np.unique(given.stratum)
    ]
    total = np.sum([part.weight for part in strata], axis=0)
    total = np.where(total > 0, total, np.nan)
    above = np.zeros(len(labels))
    for part in strata:
        above += part.own + np.einsum("dt,dt->d", part.contrast, part.year_effect)
    theta = above / total
    influence = np.empty(labels.shape)
    leaning = np.empty(labels.shape)
    target = np.empty(labels.shape)
    for part in strata:
        of_stratum = _influence(given, labels, part, theta, total)
        influence[:, part.members], leaning[:, part.members], target[:, part.members] = of_stratum
    largest = np.fmax(leaning.max(axis=1), target.max(axis=1))
    carries = (target > 0) | (leaning > _TOUCHED * largest[:, None])
    schools = carries.sum(axis=1)
    many = np.maximum(schools, 2)
    error = np.sqrt(many / (many - 1) * (influence**2).sum(axis=1))
    left_out = np.full(len(labels), np.nan)
    if jackknife:
        left_out = _jackknife(given, labels, strata, above, total, carries)
        left_out = np.where(np.isfinite(left_out), left_out, error)
    unlinked = ~np.logical_and.reduce([part.linked for part in strata])
    for place in np.flatnonzero(unlinked):
        theta[place], error[place], left_out[place], schools[place] = _one_by_one(
            given, labels[place], jackknife=jackknife
        )
    return theta, error, left_out, schools


def _one_by_one(given: Terms, labels: Ints, *, jackknife: bool) -> tuple[float, float, float, int]:
    """Estimate an allocation whose years are not all linked by the general route."""
    onset = given.onsets[labels]
    treated = np.arange(given.outcome.shape[1]) >= onset[:, None]
    fitted = imputation.fit(given.outcome, given.fit_weight, treated, given.stratum)
    target = np.where(treated & imputation.imputable(fitted), given.weight, 0.0)
    estimates = imputation.estimate(fitted, target[None])
    error = float(np.sqrt((estimates.deviations() ** 2).sum())) if jackknife else float("nan")
    return (
        float(estimates.estimate[0]),
        float(estimates.influence_error()[0]),
        error,
        int(estimates.schools[0]),
    )


def _split(values: Floats, years: int) -> Iterator[Floats]:
    """Take the parts of `Terms.parts` apart along the last axis."""
    lead = values.shape[:-1]
    square = years * years
    yield values[..., :square].reshape(*lead, years, years)
    yield values[..., square : 2 * square].reshape(*lead, years, years)
    for place in range(4):
        start = 2 * square + place * years
        yield values[..., start : start + years]


def _solved(given: Terms, labels: Ints, members: Ints) -> _Stratum:
    """Add one stratum's parts for each allocation and solve for its year effects."""
    years = given.outcome.shape[1]
    chosen = labels[:, members]
    added = np.zeros((len(labels), given.parts.shape[2]))
    for place in range(len(given.onsets)):
        added += (chosen == place).astype(np.float64) @ given.parts[place, members]
    normal, contrast, right, own, weight, fitted = _split(added, years)
    diagonal = np.diagonal(normal, axis1=1, axis2=2)
    reached = diagonal > NULL * np.where(fitted > 0, fitted, 1.0)
    scale = np.where(reached, np.sqrt(np.where(fitted > 0, fitted, 1.0)), 1.0)
    inverse, rank = _inverse(normal, reached, scale)
    wanted = np.einsum("dt,dtu->du", reached.astype(np.float64), contrast)
    # A year that is not reached must not be leant on either, nor may the reached ones fall apart.
    leaning = (np.abs(np.where(reached, 0.0, wanted)) > NULL * weight.max(initial=0.0)).any(axis=1)
    apart = (rank < reached.sum(axis=1) - 1) & (reached.sum(axis=1) > 0)
    wanted = np.where(reached, wanted, 0.0)
    return _Stratum(
        members=members,
        reached=reached,
        normal=normal,
        right=right,
        contrast=wanted,
        year_effect=np.einsum("dtu,du->dt", inverse, np.where(reached, right, 0.0)),
        multiplier=np.einsum("dtu,du->dt", inverse, wanted),
        own=(reached * own).sum(axis=1),
        weight=(reached * weight).sum(axis=1),
        linked=~(leaning | apart),
    )


def _inverse(normal: Floats, reached: Flags, scale: Floats) -> tuple[Floats, Ints]:
    """Invert (D, T, T) on the range within the years reached, and count its rank."""
    both = reached[:, :, None] & reached[:, None, :]
    inverse, _, in_range = imputation.invert_on_range(np.where(both, normal, 0.0), scale)
    return inverse, in_range.sum(axis=1)


def _influence(
    given: Terms, labels: Ints, part: _Stratum, theta: Floats, total: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return one stratum's influence (D, S_j), how much is leant on each school, and its target."""
    draws = len(labels)
    reached = part.reached.astype(np.float64)
    outer = part.multiplier[:, :, None] * part.year_effect[:, None, :]
    squares = part.multiplier[:, :, None] * part.multiplier[:, None, :]
    pairs = reached[:, :, None] * part.year_effect[:, None, :]
    none = np.zeros((draws, given.outcome.shape[1]))
    psi = np.concatenate(
        [
            -outer.reshape(draws, -1),
            pairs.reshape(draws, -1),
            part.multiplier,
            reached,
            -reached * theta[:, None],
            none,
        ],
        axis=1,
    )
    size = squares.shape[1] ** 2
    influence = np.zeros((draws, len(part.members)))
    fitted = np.zeros_like(influence)
    target = np.zeros_like(influence)
    for place in range(len(given.onsets)):
        own = given.parts[place, part.members]
        mine = labels[:, part.members] == place
        weights = own[:, -2 * reached.shape[1] : -reached.shape[1]]
        influence += np.where(mine, psi @ own.T, 0.0)
        fitted += np.where(mine, squares.reshape(draws, -1) @ own[:, :size].T, 0.0)
        target += np.where(mine, reached @ weights.T, 0.0)
    return influence / total[:, None], fitted, target


def _jackknife(
    given: Terms, labels: Ints, strata: list[_Stratum], above: Floats, total: Floats, carries: Flags
) -> Floats:
    """Return the delete-one-school standard errors (D,), NaN where a leave-one-out is singular."""
    theta = above / total
    squares = np.zeros(len(labels))
    for part in strata:
        draws, place = np.nonzero(carries[:, part.members])
        deviation = np.empty(len(draws))
        for start in range(0, len(draws), _AT_ONCE):
            chosen = slice(start, start + _AT_ONCE)
            without = _without(given, labels, part, draws[chosen], place[chosen], (above, total))
            deviation[chosen] = without - theta[draws[chosen]]
        squares += np.bincount(draws, weights=deviation**2, minlength=len(labels))
    schools = carries.sum(axis=1)
    return np.sqrt((schools - 1) / np.maximum(schools, 1) * squares)


def _without(
    given: Terms,
    labels: Ints,
    part: _Stratum,
    draws: Ints,
    place: Ints,
    sums: tuple[Floats, Floats],
) -> Floats:
    """Return the estimates of allocations `draws` without the schools `place` of a stratum."""
    years = given.outcome.shape[1]
    school = part.members[place]
    own = given.parts[labels[draws, school], school]
    normal, contrast, right, outcome, weight, _ = _split(own, years)
    reached = part.reached[draws]
    wanted = part.contrast[draws] - np.where(
        reached, np.einsum("dt,dtu->du", reached.astype(np.float64), contrast), 0.0
    )
    before = np.diagonal(part.normal, axis1=1, axis2=2)[draws]
    left = part.normal[draws] - normal
    after = np.diagonal(left, axis1=1, axis2=2)
    still = reached & (after > NULL * np.where(before > 0, before, 1.0))
    lost = (np.abs(np.where(still, 0.0, wanted)) > 1e-8 * np.abs(wanted).sum(1)[:, None]).any(1)
    scale = np.sqrt(np.where(still, before, 1.0))
    both = still[:, :, None] & still[:, None, :]
    scaled = np.where(both, left / (scale[:, :, None] * scale[:, None, :]), 0.0)
    # Year effects are known up to a constant: fix it by adding its direction to the matrix.
    level = np.where(still, scale, 0.0)
    level /= np.sqrt((level**2).sum(axis=1, keepdims=True)).clip(1e-300)
    scaled += level[:, :, None] * level[:, None, :]
    scaled += np.where(still, 1e-13, 1.0)[:, :, None] * np.eye(years)
    weights = np.where(still, wanted, 0.0) / scale
    known = np.where(still, part.right[draws] - right, 0.0) / scale
    solved = np.linalg.solve(scaled, np.stack([known, weights], axis=2))
    # Where the years fall apart, what is asked for has no answer: it comes out vast.
    lost |= np.abs(solved[:, :, 1]).max(axis=1) > _VAST * np.abs(weights).max(axis=1)
    top = (
        sums[0][draws]
        - np.einsum("dt,dt->d", part.contrast[draws], part.year_effect[draws])
        - (reached * outcome).sum(axis=1)
        + (weights * solved[:, :, 0]).sum(axis=1)
    )
    bottom = sums[1][draws] - (reached * weight).sum(axis=1)
    possible = (bottom > 1e-12 * sums[1][draws]) & ~lost
    return np.where(possible, top / np.where(possible, bottom, 1.0), np.nan)
