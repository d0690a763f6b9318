"""Imputation of untreated outcomes from schools' own pasts and year effects, jackknifed.

Year effects are fitted to the untreated cells of an unbalanced panel, a school's treated cells'
untreated outcome is imputed from them and from the school's own untreated cells, and any weighted
mean of (outcome minus imputed) is an estimate. How a school's past tells of its later years is a
matrix: its weighted mean in Borusyak, Jaravel and Spiess's estimator (`fit`), a prediction from
variances in `same_past.fit`. Everything is arithmetic on sums, so leaving a school out needs no
second fit.

Shapes: S schools, T years, J strata (each with its own year effects), K targets (weighted means).
A cell without data has weight 0; its outcome is ignored.
"""

from dataclasses import dataclass

import numpy as np

from vsh_eval.numerics.arrays import Flags, Floats, Ints

NULL = 1e-10
"""Eigenvalues of the scaled normal matrix (all between 0 and 1) below this are zero."""
_RESIDUE = 1e-12
"""Entries of a null vector below this share of its largest are zero."""
_ESTIMABLE = 1e-8
"""A target whose relative component along the null space is above this is not estimable."""
_TOUCHED = 1e-12
"""Implied weights below this share of the largest are zero."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Year effects fitted to the untreated cells, and how schools deviate from them.

    Attributes
    ----------
    outcome : array (S, T)
        The outcome, 0 where a cell has no data.
    weight : array (S, T)
        Weight of the fit on untreated cells, 0 elsewhere.
    stratum : array (S,)
        Row of `year_effect` that a school uses.
    prediction : array (S, T, T)
        Row t says how a school's deviations from the year effects in its untreated cells make the
        deviation imputed in year t; 0 for a school without untreated cells.
    year_effect : array (J, T)
        Relative to an arbitrary origin: only contrasts of linked years mean something.
    normal, inverse, null : array (J, T, T)
        Normal matrix of the years, a generalised inverse, and its null space (columns).
    normal_by_school : array (S, T, T)
        Each school's part of `normal`.
    right_by_school : array (S, T)
        Each school's part of the right-hand side.
    scale : array (J, T)
        Square root of the years' total fit weight (1 where zero).
    """

    outcome: Floats
    weight: Floats
    stratum: Ints
    prediction: Floats
    year_effect: Floats
    normal: Floats
    inverse: Floats
    null: Floats
    normal_by_school: Floats
    right_by_school: Floats
    scale: Floats

    @property
    def deviation(self) -> Floats:
        """The outcome less its year effect, (S, T)."""
        return self.outcome - self.year_effect[self.stratum]

    @property
    def residual(self) -> Floats:
        """The outcome less its year effect and the school's own imputed deviation, (S, T)."""
        deviation = self.deviation
        return deviation - np.einsum("stu,su->st", self.prediction, deviation)


@dataclass(frozen=True, slots=True)
class Estimates:
    """Weighted means of the imputed effects, with what inference needs.

    Attributes
    ----------
    estimate : array (K,)
        The estimates.
    implied_weight : array (K, S, T)
        ``estimate = sum(implied_weight * outcome)``.
    influence : array (K, S)
        Influence of each school; sums to zero.
    leave_one_out : array (K, S)
        The estimate without each school, NaN where it cannot be made.
    contributes : array (K, S)
        Schools with any implied weight.
    """

    estimate: Floats
    implied_weight: Floats
    influence: Floats
    leave_one_out: Floats
    contributes: Flags

    @property
    def schools(self) -> Ints:
        """Number of schools that carry each estimate, (K,)."""
        return self.contributes.sum(axis=1)

    @property
    def jackknifed(self) -> Flags:
        """Whether every leave-one-out of a target could be made, (K,)."""
        return ~np.isnan(self.leave_one_out).any(axis=1)

    def deviations(self) -> Floats:
        """Return each school's scaled deviation, (K, S); its cross-product is the covariance.

        Delete-one-school jackknife, ``sqrt((S-1)/S) (estimate without s - estimate)``; where a
        leave-one-out is singular, the influence function ``-sqrt(S/(S-1)) psi_s`` instead.
        """
        schools = np.maximum(self.schools, 2)[:, None].astype(np.float64)
        jackknife = np.sqrt((schools - 1) / schools) * (self.leave_one_out - self.estimate[:, None])
        influence = -np.sqrt(schools / (schools - 1)) * self.influence
        chosen = np.where(self.jackknifed[:, None], jackknife, influence)
        return np.where(self.contributes, chosen, 0.0)

    def influence_error(self) -> Floats:
        """Return the standard errors from the influence functions, (K,)."""
        schools = np.maximum(self.schools, 2)
        return np.sqrt(schools / (schools - 1) * (self.influence**2).sum(axis=1))


def fit(outcome: Floats, weight: Floats, treated: Flags, stratum: Ints) -> Fit:
    """Fit school and stratum-by-year effects to the untreated cells.

    Parameters
    ----------
    outcome : array (S, T)
        Outcome of each cell, anything where there is no data.
    weight : array (S, T)
        Fit weight, at least 0; 0 marks a cell without data.
    treated : array (S, T) of bool
        Cells at or after adoption; they take no part in the fit.
    stratum : array (S,) of int
        0 to J-1; schools of one stratum share year effects.

    Returns
    -------
    Fit
        A school without untreated cells has no part in it.

    Notes
    -----
    With weights v_s of school s's untreated cells and V_s their sum,
    ``A = sum_s [diag(v_s) - v_s v_s' / V_s]`` and ``b = sum_s v_s (y_s - ybar_s)`` give the year
    effects ``A^- b``; ``alpha_s = sum_t v_st (y_st - beta_t) / V_s``.

    Examples
    --------
    >>> y = np.array([[1.0, 2.0, 9.0], [3.0, 4.0, 6.0]])
    >>> late = np.array([[False, False, True], [False, False, False]])
    >>> fitted = fit(y, np.ones((2, 3)), late, np.zeros(2, dtype=np.int64))
    >>> float((fitted.outcome - fitted.residual)[0, 2].round(6))
    4.0
    """
    untreated = np.where(treated, 0.0, weight)
    total = untreated.sum(axis=1)
    share = untreated / np.where(total > 0, total, 1.0)[:, None]
    years = by_stratum(untreated, stratum)
    return solve(
        np.where(weight > 0, outcome, 0.0),
        untreated,
        stratum,
        prediction=np.broadcast_to(share[:, None, :], (*share.shape, share.shape[1])),
        precision=untreated[:, :, None] * (np.eye(outcome.shape[1]) - share[:, None, :]),
        scale=np.where(years > 0, np.sqrt(years), 1.0),
    )


def solve(
    outcome: Floats,
    weight: Floats,
    stratum: Ints,
    *,
    prediction: Floats,
    precision: Floats,
    scale: Floats,
) -> Fit:
    """Fit year effects by generalised least squares.

    Parameters
    ----------
    outcome, weight : array (S, T)
        The outcome, 0 without data; the fit weight, 0 but in untreated cells.
    stratum : array (S,) of int
        Schools of one stratum share year effects.
    prediction, precision : array (S, T, T)
        How a school's past makes its imputed deviations (`Fit`); the inverse covariance of its
        untreated cells, 0 elsewhere.
    scale : array (J, T)
        Positive; what an information of the years is judged against.

    Returns
    -------
    Fit
        ``year_effect = (sum_s M_s)^- sum_s M_s y_s`` within each stratum, M_s the precisions.

    Examples
    --------
    >>> y, alike = np.array([[1.0, 2.0], [3.0, 6.0]]), np.stack([np.eye(2)] * 2)
    >>> solve(y, np.ones((2, 2)), np.zeros(2, dtype=np.int64), prediction=0 * alike,
    ...       precision=alike, scale=np.ones((1, 2))).year_effect
    array([[2., 4.]])
    """
    right_by_school = np.einsum("stu,su->st", precision, outcome)
    normal = by_stratum(precision, stratum)
    inverse, null = _generalised_inverse(normal, scale)
    return Fit(
        outcome=outcome,
        weight=weight,
        stratum=stratum,
        prediction=prediction,
        year_effect=np.einsum("jtu,ju->jt", inverse, by_stratum(right_by_school, stratum)),
        normal=normal,
        inverse=inverse,
        null=null,
        normal_by_school=precision,
        right_by_school=right_by_school,
        scale=scale,
    )


def imputable(fitted: Fit) -> Flags:
    """Return which cells' untreated outcome the fit can impute, (S, T).

    A cell is imputable if its school has an untreated cell and its year is linked to that school
    through the untreated cells of the stratum.

    Examples
    --------
    >>> late = np.array([[False, True], [False, True]])
    >>> imputable(fit(np.zeros((2, 2)), np.ones((2, 2)), late, np.zeros(2, dtype=np.int64)))
    array([[ True, False],
           [ True, False]])
    """
    null = fitted.null[fitted.stratum]
    contrast = fitted.prediction - np.eye(fitted.outcome.shape[1])
    linked = ~_outside(contrast, null, np.abs(contrast))
    return linked & fitted.weight.any(axis=1)[:, None]


def estimate(fitted: Fit, target: Floats) -> Estimates:
    """Average the imputed effects over one or more sets of treated cells.

    Parameters
    ----------
    fitted : Fit
        The year effects and how schools deviate from them.
    target : array (K, S, T)
        Target weight of each cell, 0 outside the target; only `imputable` cells may carry any.

    Returns
    -------
    Estimates
        NaN for a target without weight.

    Notes
    -----
    With w_s a school's target weights, W their sum and P_s its prediction,
    ``theta = [sum_s N_s + c' beta] / W``, ``N_s = w_s' (y_s - P_s y_s)``,
    ``c = sum_s (P_s' w_s - w_s)``. Without school s:
    ``[N - N_s + (c - c_s)' (A - A_s)^- (b - b_s)] / (W - W_s)``.
    """
    by_school, total = target.sum(axis=2), _total(target)
    contrast, contrasts = _contrasts(fitted, target)
    own = -np.einsum("kst,st->ks", contrast, fitted.outcome)
    years = np.einsum("kjt,jt->k", contrasts, fitted.year_effect)
    theta = (own.sum(axis=1) + years) / total
    implied = _implied_weights(fitted, contrast, contrasts) / total[:, None, None]
    influence = np.einsum("kst,st->ks", implied, fitted.deviation)
    return Estimates(
        estimate=theta,
        implied_weight=implied,
        influence=influence - by_school * (theta / total)[:, None],
        leave_one_out=_leave_one_out(fitted, own, by_school, contrast, contrasts),
        contributes=contributes(implied),
    )


def implied_weights(fitted: Fit, target: Floats) -> Floats:
    """Return the ``implied_weight`` of `estimate` alone, (K, S, T): no school is left out for it.

    Examples
    --------
    >>> late = np.array([[False, True], [False, False]])
    >>> fitted = fit(np.zeros((2, 2)), np.ones((2, 2)), late, np.zeros(2, dtype=np.int64))
    >>> implied_weights(fitted, late[None] * 1.0)
    array([[[-1.,  1.],
            [ 1., -1.]]])
    """
    weights = _implied_weights(fitted, *_contrasts(fitted, target))
    return weights / _total(target)[:, None, None]


def _total(target: Floats) -> Floats:
    """Return the weight of each target (K,), NaN where it has none."""
    total = target.sum(axis=2).sum(axis=1)
    return np.where(total > 0, total, np.nan)


def _contrasts(fitted: Fit, target: Floats) -> tuple[Floats, Floats]:
    """Return how the targets weigh year effects, by school (K, S, T) and stratum (K, J, T)."""
    contrast = np.einsum("stu,kst->ksu", fitted.prediction, target) - target
    return contrast, np.stack([by_stratum(one, fitted.stratum) for one in contrast])


def by_stratum(values: Floats, stratum: Ints) -> Floats:
    """Add schools' arrays within strata: (S, ...) to (J, ...).

    Examples
    --------
    >>> by_stratum(np.array([1.0, 2.0, 4.0]), np.array([0, 1, 0]))
    array([5., 2.])
    """
    strata = int(stratum.max()) + 1 if stratum.size else 1
    added = np.zeros((strata, *values.shape[1:]))
    np.add.at(added, stratum, values)
    return added


def invert_on_range(normal: Floats, scale: Floats) -> tuple[Floats, Floats, Flags]:
    """Invert on the range; return the eigenvectors too, and which of them span it.

    Both in the years' own units. The scaling makes "zero" mean the same whatever the size of the
    weights.
    """
    scaled = normal / (scale[..., :, None] * scale[..., None, :])
    values, vectors = np.linalg.eigh(scaled)
    in_range = values > NULL
    vectors = vectors / scale[..., :, None]
    inverse = (
        vectors * np.where(in_range, 1.0 / np.where(in_range, values, 1.0), 0.0)[..., None, :]
    ) @ (np.swapaxes(vectors, -1, -2))
    return inverse, vectors, in_range


def _generalised_inverse(normal: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Invert on the range and return the null space, both in the years' own units."""
    inverse, vectors, in_range = invert_on_range(normal, scale)
    null = vectors * ~in_range[..., None, :]
    # What rounding leaves of a zero would make imputable cells look unlinked.
    largest = np.abs(null).max(axis=-2, keepdims=True)
    return inverse, np.where(np.abs(null) > _RESIDUE * largest, null, 0.0)


def _outside(contrast: Floats, null: Floats, size: Floats) -> Flags:
    """Tell whether contrasts (..., N, T) have a part in the null space (..., T, T).

    `size` (same shape) is what the contrasts were computed from: rounding is judged against it.
    """
    return (np.abs(contrast @ null) > _ESTIMABLE * (size @ np.abs(null))).any(axis=-1)


def _implied_weights(fitted: Fit, contrast: Floats, contrasts: Floats) -> Floats:
    """Return the weights (K, S, T) that turn outcomes into the estimates times their weight."""
    multiplier = np.einsum("jtu,kju->kjt", fitted.inverse, contrasts)[:, fitted.stratum]
    return np.einsum("stu,ksu->kst", fitted.normal_by_school, multiplier) - contrast


def _leave_one_out(
    fitted: Fit, own: Floats, by_school: Floats, contrast: Floats, contrasts: Floats
) -> Floats:
    """Return the estimates without each school (K, S), NaN where a year is no longer linked."""
    stratum = fitted.stratum
    inverse, null = _generalised_inverse(
        fitted.normal[stratum] - fitted.normal_by_school, fitted.scale[stratum]
    )
    right = np.einsum("jtu,ju->jt", fitted.normal, fitted.year_effect)
    years = np.einsum("stu,su->st", inverse, right[stratum] - fitted.right_by_school)
    within = contrasts[:, stratum]
    remaining = within - contrast
    before = np.einsum("kst,st->ks", within, fitted.year_effect[stratum])
    after = np.einsum("kst,st->ks", remaining, years)
    everything = own.sum(axis=1) + np.einsum("kjt,jt->k", contrasts, fitted.year_effect)
    weight = by_school.sum(axis=1)[:, None] - by_school
    possible = weight > _TOUCHED * by_school.sum(axis=1)[:, None]
    size = np.abs(within) + np.abs(contrast)
    lost = _outside(np.swapaxes(remaining, 0, 1), null, np.swapaxes(size, 0, 1)).T
    without = (everything[:, None] - own - before + after) / np.where(possible, weight, 1.0)
    return np.where(possible & ~lost, without, np.nan)


def contributes(implied: Floats) -> Flags:
    """Return the schools (K, S) that carry any implied weight (K, S, T), rounding not counted.

    Examples
    --------
    >>> contributes(np.array([[[0.0, -1.0], [1e-20, 0.0]]])).tolist()
    [[True, False]]
    """
    largest = np.abs(implied).max(axis=2)
    return largest > _TOUCHED * largest.max(axis=1, keepdims=True)
