"""Random-effects imputation: what untreated cells of schools with the same past had.

Where `imputation.fit` compares each school with itself, this compares it with untreated schools
that had the same past: what a school's earlier years say of a later one is shrunk by how much of
a gap lasts. Shapes: S schools, T years, J strata, P phases (each with its own noise).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from vsh_eval.numerics.arrays import Flags, Floats, Ints
from vsh_eval.numerics.estimators.imputation import Fit, by_stratum, solve

MOST_AUTOCORRELATION = 0.95
"""Above it a lasting deviation is not told from a school's own level."""
_SCHOOL, _SCHOOL_YEAR, _NOISE = (0.0, 10.0), (0.0, 3.0), (0.01, 10.0)
"""Bounds of the variances, in the spread of the untreated outcomes."""
_TOLERANCE = 1e-11


@dataclass(frozen=True, slots=True)
class Variances:
    """How schools' untreated outcomes vary about the year effects, in the outcome's unit.

    Attributes
    ----------
    school : float
        Standard deviation of schools' lasting levels.
    noise : array (P,)
        By phase, standard deviation of a cell of one child (of size 1) that fades with the years.
    autocorrelation : float
        Of that part, from one calendar year to the next.
    school_year : float
        Standard deviation of what belongs to one cell alone, whatever its size.
    """

    school: float
    noise: Floats
    autocorrelation: float
    school_year: float


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a panel, as the covariance needs them.

    Attributes
    ----------
    outcome : array (S, T)
        Anything where a cell has no data.
    size : array (S, T)
        Children or what stands for them, 0 where a cell has no data; only its ratios matter.
    untreated : array (S, T) of bool
        Cells with data before adoption.
    stratum, phase : array (S,) of int
        0 to J-1, schools that share year effects; 0 to P-1, schools whose noise is alike.
    years : array (T,)
        Calendar years.
    """

    outcome: Floats
    size: Floats
    untreated: Flags
    stratum: Ints
    phase: Ints
    years: Ints


def fit(cells: Cells, variances: Variances) -> Fit:
    """Fit year effects by generalised least squares, and how a school's past predicts.

    Parameters
    ----------
    cells : Cells
        The panel.
    variances : Variances
        Held as they are given.

    Returns
    -------
    Fit
        `imputation.estimate` makes estimates of it, the delete-one-school jackknife included; the
        variances are the same in every leave-one-out.

    Notes
    -----
    ``y_st = gamma_jt + alpha_s + u_st + v_st`` with ``Var(alpha_s) = school^2``,
    ``Cov(u_st, u_st') = noise_p^2 autocorrelation^|t - t'| / sqrt(n_st n_st')`` and
    ``Var(v_st) = school_year^2``. With V_s the covariance of a school's untreated cells and C_s
    that of all its cells with them, without v, a cell's untreated outcome is imputed by
    ``gamma + C_s V_s^-1 (y_s - gamma)``, the best linear unbiased prediction. With
    autocorrelation and school_year 0 and school without bound it is `imputation.fit` of weight n.

    Examples
    --------
    >>> y = np.array([[1.0, 2.0, 9.0], [3.0, 4.0, 6.0]])
    >>> free = np.array([[True, True, False], [True, True, True]])
    >>> one = np.zeros(2, dtype=np.int64)
    >>> cells = Cells(y, np.ones((2, 3)), free, one, one, np.arange(3))
    >>> fitted = fit(cells, Variances(2.0, np.ones(1), 0.0, 0.0))
    >>> float((fitted.outcome - fitted.residual)[0, 2].round(3))
    4.222
    """
    lasting, precision, _ = _covariances(cells, variances)
    information = np.einsum("jtt->jt", by_stratum(precision, cells.stratum))
    return solve(
        np.where(cells.size > 0, cells.outcome, 0.0),
        cells.untreated.astype(np.float64),
        cells.stratum,
        prediction=lasting @ precision,
        precision=precision,
        scale=np.where(information > 0, np.sqrt(information), 1.0),
    )


def covariance(cells: Cells, variances: Variances) -> Floats:
    """Return the covariance of all cells of each school about the year effects, (S, T, T).

    Parameters
    ----------
    cells : Cells
        The panel; a cell without data (size 0) has no noise of children.
    variances : Variances
        Of the model of `fit`.

    Examples
    --------
    >>> one = np.zeros(1, dtype=np.int64)
    >>> cells = Cells(np.zeros((1, 2)), np.full((1, 2), 4.0), np.ones((1, 2), bool), one, one,
    ...               np.arange(2))
    >>> covariance(cells, Variances(1.0, np.full(1, 6.0), 0.5, 2.0))
    array([[[14. ,  5.5],
            [ 5.5, 14. ]]])
    """
    return _lasting(cells, variances) + variances.school_year**2 * np.eye(len(cells.years))


def restricted_likelihood(cells: Cells, variances: Variances) -> tuple[float, Floats]:
    """Return the restricted log likelihood of the untreated cells, and its gradient.

    Parameters
    ----------
    cells : Cells
        The panel.
    variances : Variances
        Where it is asked for; the noise must be above 0.

    Returns
    -------
    float
        Without the constant ``-(N - rank) / 2 log(2 pi)``.
    array (3 + P,)
        Derivatives by school^2, school_year^2, autocorrelation and each phase's noise^2.

    Notes
    -----
    ``-1/2 [sum_s log|V_s| + log|A| + sum_s r_s' V_s^-1 r_s]``, A the normal matrix of the year
    effects that an untreated cell has and r the residuals from them. With
    ``Q_s = e_s e_s' - V_s^-1 + V_s^-1 A^-1 V_s^-1`` and ``e_s = V_s^-1 r_s`` its derivative is
    ``1/2 sum_s tr(Q_s dV_s)``. Patterson and Thompson (1971).

    Examples
    --------
    >>> one = np.zeros(3, dtype=np.int64)
    >>> cells = Cells(np.array([[1.0], [2.0], [3.0]]), np.ones((3, 1)), np.ones((3, 1), bool),
    ...               one, one, np.arange(1))
    >>> round(restricted_likelihood(cells, Variances(0.0, np.ones(1), 0.0, 0.0))[0], 4)
    -1.5493
    """
    _, precision, determinants = _covariances(cells, variances)
    outcome = np.where(cells.untreated, cells.outcome, 0.0)
    normal = by_stratum(precision, cells.stratum)
    reached = np.einsum("jtt->jt", normal) > 0
    whole = normal + np.einsum("jt,tu->jtu", ~reached, np.eye(len(cells.years)))
    inverse = np.linalg.inv(whole)
    right = by_stratum(np.einsum("stu,su->st", precision, outcome), cells.stratum)
    effect = np.einsum("jtu,ju->jt", inverse, right)[cells.stratum]
    residual = np.where(cells.untreated, outcome - effect, 0.0)
    scaled = np.einsum("stu,su->st", precision, residual)
    value = determinants.sum() + np.linalg.slogdet(whole)[1].sum() + (scaled * residual).sum()
    slope = scaled[:, :, None] * scaled[:, None, :] - precision
    slope += precision @ inverse[cells.stratum] @ precision
    return -0.5 * float(value), 0.5 * _gradient(cells, variances, slope)


def reml(cells: Cells) -> Variances:
    """Estimate the variances from the untreated cells by restricted maximum likelihood.

    Parameters
    ----------
    cells : Cells
        The panel; schools with two untreated cells or more tell what lasts from what does not.

    Returns
    -------
    Variances
        Bounded: the autocorrelation by 0 and 0.95, the noise away from 0. Noise 1 and all else 0
        where the untreated outcomes do not vary.

    Notes
    -----
    `restricted_likelihood` is maximised by L-BFGS-B with its own gradient from two starts by
    moments, one with little chance of the school-year and one with much, as it may have two
    summits; one evaluation takes S matrices of T by T.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> y = rng.normal(0, 2, (400, 1)) + rng.normal(0, 1, (400, 6))
    >>> one = np.zeros(400, dtype=np.int64)
    >>> cells = Cells(y, np.ones((400, 6)), np.ones((400, 6), bool), one, one, np.arange(6))
    >>> round(reml(cells).school, 1)
    2.0
    """
    phases = int(cells.phase.max()) + 1
    spread, products = _moments(cells)
    if not spread > 0:
        return Variances(0.0, np.ones(phases), 0.0, 0.0)
    typical = spread / float((1.0 / cells.size[cells.untreated]).mean())
    units = np.array([spread, spread, 1.0, *[typical] * phases])
    lasting = float(np.clip(products / spread, 0.05, 0.9))
    starts = [
        [lasting, share * (1 - lasting), fading, *[(1 - share) * (1 - lasting)] * phases]
        for share, fading in ((0.1, 0.3), (0.6, 0.8))
    ]

    def loss(scaled: Floats) -> tuple[float, Floats]:
        value, gradient = restricted_likelihood(cells, _variances(scaled * units))
        return -value, -gradient * units

    bounds = [_SCHOOL, _SCHOOL_YEAR, (0.0, MOST_AUTOCORRELATION), *[_NOISE] * phases]
    options = {"ftol": _TOLERANCE}
    optima = [
        minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        for start in starts
    ]
    return _variances(min(optima, key=lambda one: one.fun).x * units)


def _variances(squares: Floats) -> Variances:
    """Read variances in the order of the gradient."""
    school, school_year, autocorrelation, *noise = squares
    return Variances(
        float(np.sqrt(school)), np.sqrt(noise), float(autocorrelation), float(np.sqrt(school_year))
    )


def _moments(cells: Cells) -> tuple[float, float]:
    """Return the untreated outcomes' variance about year means, and their mean product."""
    present = cells.untreated.astype(np.float64)
    count = by_stratum(present, cells.stratum)
    outcome = np.where(cells.untreated, cells.outcome, 0.0)
    mean = by_stratum(outcome, cells.stratum) / np.where(count > 0, count, 1.0)
    left = np.where(cells.untreated, outcome - mean[cells.stratum], 0.0)
    squares, number = (left**2).sum(), present.sum(axis=1)
    pairs = (number * (number - 1)).sum()
    products = ((left.sum(axis=1) ** 2).sum() - squares) / max(pairs, 1.0)
    rounding = 1e-12 * max(float(np.abs(outcome).max()), 1.0)
    spread = float(squares / present.sum())
    return spread if np.sqrt(spread) > rounding else 0.0, float(products)


def _fading(cells: Cells, autocorrelation: float) -> tuple[Floats, Floats]:
    """Return the faded part's covariance at noise 1 (S, T, T), and its derivative."""
    size = np.where(cells.size > 0, cells.size, np.inf)
    scale = 1.0 / np.sqrt(size[:, :, None] * size[:, None, :])
    apart = np.abs(cells.years[:, None] - cells.years[None, :]).astype(np.float64)
    slope = apart * np.power(autocorrelation, np.maximum(apart - 1, 0.0))
    return scale * np.power(autocorrelation, apart), scale * slope


def _lasting(cells: Cells, variances: Variances) -> Floats:
    """Return the covariance of cells without what belongs to one cell alone, (S, T, T)."""
    fading, _ = _fading(cells, variances.autocorrelation)
    return variances.school**2 + variances.noise[cells.phase, None, None] ** 2 * fading


def _covariances(cells: Cells, variances: Variances) -> tuple[Floats, Floats, Floats]:
    """Return all cells' covariance with untreated ones, their inverse one, its log determinant.

    Shapes (S, T, T), (S, T, T), (S,); the first without what belongs to one cell alone.
    """
    lasting, unit = _lasting(cells, variances), np.eye(len(cells.years))
    both = cells.untreated[:, :, None] & cells.untreated[:, None, :]
    covariance = np.where(both, lasting + variances.school_year**2 * unit, unit)
    precision = np.where(both, np.linalg.inv(covariance), 0.0)
    return lasting, precision, np.linalg.slogdet(covariance)[1]


def _gradient(cells: Cells, variances: Variances, slope: Floats) -> Floats:
    """Turn the derivative by each covariance (S, T, T) into that by the parameters."""
    fading, fade = _fading(cells, variances.autocorrelation)
    noise = variances.noise[cells.phase] ** 2
    by_school = (slope * fading).sum(axis=(1, 2))
    by_phase = np.bincount(cells.phase, by_school, minlength=len(variances.noise))
    return np.array([
        slope.sum(),
        np.einsum("stt->", slope),
        noise @ (slope * fade).sum(axis=(1, 2)),
        *by_phase,
    ])  # fmt: skip
