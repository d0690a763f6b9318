"""Weighted regression with school and year effects absorbed, clustered by school.

Shapes: S schools, T years, K regressors. A cell without data has weight 0.
"""

from dataclasses import dataclass

import numpy as np

from vsh_eval.numerics.arrays import Floats, Ints
from vsh_eval.numerics.estimators import imputation

_NULL = 1e-10
"""Eigenvalues of the scaled normal matrix (all between 0 and K) below this are zero."""


@dataclass(frozen=True, slots=True)
class Regression:
    """Coefficients, and what each school contributes to them.

    Attributes
    ----------
    coefficient : array (K,)
        NaN where the data do not tell it apart from the others or from the effects.
    implied_weight : array (K, S, T)
        ``coefficient = sum(implied_weight * outcome)``.
    influence : array (K, S)
        Influence of each school; sums to zero.
    residual_regressors : array (K, S, T)
        The regressors with school and year effects taken out, 0 where a cell has no data.
    residual_outcome : array (S, T)
        The outcome with school and year effects taken out.
    effects : Fit
        Of the outcome alone; its normal matrix is the regressors' too.
    correction : float
        ``G/(G-1) (N-1)/(N-K')``, K' the regressors and the year effects; school effects are nested
        in the clusters and not counted.
    """

    coefficient: Floats
    implied_weight: Floats
    influence: Floats
    residual_regressors: Floats
    residual_outcome: Floats
    effects: imputation.Fit
    correction: float

    def deviations(self) -> Floats:
        """Return the schools' scaled influence (K, S); its cross-product is the covariance."""
        return np.sqrt(self.correction) * self.influence


def regress(outcome: Floats, regressors: Floats, weight: Floats, stratum: Ints) -> Regression:
    """Regress an outcome on regressors, school effects and year effects (by stratum).

    Parameters
    ----------
    outcome : array (S, T)
        Anything where there is no data.
    regressors : array (K, S, T)
        The regressors.
    weight : array (S, T)
        At least 0; 0 marks a cell without data.
    stratum : array (S,) of int
        0 to J-1; schools of one stratum share year effects.

    Returns
    -------
    Regression

    Notes
    -----
    Frisch, Waugh and Lovell: with ``x~`` the residual of x on both effects,
    ``b = (sum w x~ x~')^- sum w x~ y`` and ``psi_s = (sum w x~ x~')^- sum_t w x~_st e_st``.

    Examples
    --------
    >>> y = np.array([[1.0, 2.0], [3.0, 7.0], [0.0, 1.0]])
    >>> late = np.array([[[0, 0], [0, 1.0], [0, 0]]])
    >>> regress(y, late, np.ones((3, 2)), np.zeros(3, dtype=np.int64)).coefficient.round(6)
    array([3.])
    """
    effects, residual = _absorb(outcome, weight, stratum)
    cleaned = np.stack([_absorb(one, weight, stratum)[1] for one in regressors])
    flat = cleaned.reshape(len(cleaned), -1)
    weighted = flat * weight.ravel()
    normal = weighted @ flat.T
    raw = np.einsum("kst,st->k", regressors**2, weight)
    scale = np.where(raw > 0, np.sqrt(raw), 1.0)
    values, vectors = np.linalg.eigh(normal / np.outer(scale, scale))
    kept = values > _NULL
    inverse = (vectors * np.where(kept, 1 / np.where(kept, values, 1.0), 0.0)) @ vectors.T
    inverse = inverse / np.outer(scale, scale)
    lost = (np.abs(vectors[:, ~kept]) > np.sqrt(_NULL)).any(axis=1)
    implied = (inverse @ weighted).reshape(cleaned.shape)
    coefficient = np.einsum("kst,st->k", implied, residual)
    left = residual - np.einsum("k,kst->st", coefficient, cleaned)
    return Regression(
        coefficient=np.where(lost, np.nan, coefficient),
        implied_weight=implied,
        influence=np.einsum("kst,st->ks", implied, left),
        residual_regressors=cleaned,
        residual_outcome=residual,
        effects=effects,
        correction=_correction(weight, stratum, int(kept.sum())),
    )


def _absorb(values: Floats, weight: Floats, stratum: Ints) -> tuple[imputation.Fit, Floats]:
    """Take school and year effects out."""
    fitted = imputation.fit(values, weight, np.zeros(weight.shape, dtype=bool), stratum)
    return fitted, np.where(weight > 0, fitted.residual, 0.0)


def _correction(weight: Floats, stratum: Ints, regressors: int) -> float:
    cells = weight > 0
    schools = int(cells.any(axis=1).sum())
    years = sum(int(cells[stratum == one].any(axis=0).sum()) for one in np.unique(stratum))
    number = int(cells.sum())
    return schools / max(schools - 1, 1) * (number - 1) / max(number - regressors - years, 1)
