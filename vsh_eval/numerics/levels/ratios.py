"""Ratios of two sums over schools, with the variance that schools as clusters give them.

A level is R = Y / X, both sums over the schools of a cell. School s moves it by its influence value
e_s = (Y_s - R X_s) / X, and Var(R) = G / (G - 1) sum e_s^2 with G schools and G - 1 degrees of
freedom. A difference of two ratios subtracts the influence values school by school, so the
covariance of two groups, or of two years, of the same schools is counted and never assumed away.

Arrays have the schools on the first axis and the cells on the last.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, stdtrit

from vsh_eval.numerics.arrays import Floats as FloatArray
from vsh_eval.numerics.inference.significance import ALPHA
from vsh_eval.numerics.rounding import significant


@dataclass(frozen=True, slots=True)
class PupilSums:
    """Sums of products over the pupils of each cell, by groups that share no pupil.

    Attributes
    ----------
    pupils : FloatArray, shape (groups, cells)
        Number of pupils.
    yy, xy, xx : FloatArray, shape (groups, cells)
        Sums over the pupils of y squared, x times y and x squared.
    """

    pupils: FloatArray
    yy: FloatArray
    xy: FloatArray
    xx: FloatArray


@dataclass(frozen=True, slots=True)
class Estimate:
    """A ratio, or a contrast of ratios, with what each school contributes to its error.

    Attributes
    ----------
    value : FloatArray, shape (cells,)
        The estimate; NaN where a denominator is zero.
    std_error : FloatArray, shape (cells,)
        Standard error of the value; NaN where it cannot be estimated.
    df : FloatArray, shape (cells,)
        Degrees of freedom: schools less one, or pupils less one where there is one school.
    clusters : FloatArray, shape (cells,)
        Schools with pupils; in a contrast, those of the part that has fewest.
    pupils : FloatArray, shape (cells,)
        Pupils; in a contrast, those of the part that has fewest.
    influence : FloatArray, shape (schools, cells)
        The schools' influence values; zero for a school without pupils in the cell.
    pupil_influence : FloatArray, shape (stand-ins, cells)
        The same for pupils, on stand-ins that have the pupils' second moments.
    noise : FloatArray, shape (draws, cells)
        What disclosure control added to the value: a row is one draw, in standard deviations of
        it, and rows are independent. No rows where the value is exact.
    """

    value: FloatArray
    std_error: FloatArray
    df: FloatArray
    clusters: FloatArray
    pupils: FloatArray
    influence: FloatArray
    pupil_influence: FloatArray
    noise: FloatArray

    def __neg__(self) -> "Estimate":
        turned = ("value", "influence", "pupil_influence", "noise")
        return replace(self, **{name: -getattr(self, name) for name in turned})

    def take(self, cells: ArrayLike) -> "Estimate":
        """Return the estimates of some cells, in the order given."""
        chosen = np.asarray(cells, dtype=np.intp)
        return Estimate(*(np.asarray(getattr(self, f.name))[..., chosen] for f in fields(self)))


def ratio(y: FloatArray, x: FloatArray, sums: PupilSums | None = None) -> Estimate:
    """Estimate R = sum y / sum x, clustered by school.

    Parameters
    ----------
    y, x : FloatArray, shape (schools, cells)
        A school's sums in each cell; x is zero where the school has no pupils there.
    sums : PupilSums, optional
        The pupils' sums of products, for the cells that have one school only. A group that is not
        part of the cell has zeros. Without them such a cell has no standard error.

    Returns
    -------
    Estimate
        Cells with sum x = 0 have the value NaN. Cells with one school take the pupils of that
        school as the sample: Var = n / (n - 1) sum of the pupils' influence values squared.

    Notes
    -----
    Linearisation of a ratio: Cochran, *Sampling Techniques*, 3rd edition, section 6.3 and 9A;
    for one cell this is weighted least squares on a constant with cluster-robust variance.

    Examples
    --------
    >>> school_y = np.array([[2.0], [5.0], [8.0]])
    >>> school_x = np.array([[10.0], [20.0], [30.0]])
    >>> levels = ratio(school_y, school_x)
    >>> levels.value.round(3), levels.std_error.round(4), levels.df
    (array([0.25]), array([0.0144]), array([2.]))
    """
    total_x = x.sum(axis=0)
    value = _divide(y.sum(axis=0), total_x)
    influence = _divide(y - np.nan_to_num(value) * x, total_x, empty=0.0)
    clusters = (x > 0).sum(axis=0).astype(np.float64)
    if sums is None:
        pupils = np.full_like(value, np.nan)
        pupil_influence = np.full((1, *value.shape), np.nan)
    else:
        pupils = sums.pupils.sum(axis=0)
        pupil_influence = _pupil_influence(sums, value, total_x)
    exact = np.zeros((0, *value.shape))
    std_error, df = _errors(influence, clusters, pupil_influence, pupils, exact)
    return Estimate(value, std_error, df, clusters, pupils, influence, pupil_influence, exact)


def difference(first: Estimate, second: Estimate, *, same_pupils: bool) -> Estimate:
    """Subtract two estimates on the same schools, covariances counted.

    Parameters
    ----------
    first, second : Estimate
        Estimates of as many cells, on the same schools in the same order.
    same_pupils : bool
        Whether both stand on the same list of pupils (one year), so that one school's pupils can
        be subtracted pupil by pupil. Across years they cannot.

    Returns
    -------
    Estimate
        First minus second. Where a part has one school only and cannot be subtracted pupil by
        pupil, the standard error is the sum of the two: the most that any covariance can make it.

    Examples
    --------
    >>> x = np.array([[10.0], [20.0], [30.0]])
    >>> group = ratio(np.array([[2.0], [5.0], [8.0]]), x)
    >>> bool(difference(group, group, same_pupils=True).std_error[0] == 0)
    True
    """
    influence = first.influence - second.influence
    clusters = np.minimum(first.clusters, second.clusters)
    pupils = np.minimum(first.pupils, second.pupils)
    value = first.value - second.value
    if same_pupils:
        pupil_influence = first.pupil_influence - second.pupil_influence
        by_pupil = np.maximum(first.clusters, second.clusters) == 1
    else:
        pupil_influence = np.full((1, *value.shape), np.nan)
        by_pupil = np.zeros(value.shape, dtype=bool)
    noise = first.noise - second.noise
    std_error, df = _errors(influence, clusters, pupil_influence, pupils, noise)
    bound = (clusters == 1) & ~by_pupil
    std_error = np.where(bound, first.std_error + second.std_error, std_error)
    df = np.where(bound, np.fmin(first.df, second.df), df)
    return Estimate(value, std_error, df, clusters, pupils, influence, pupil_influence, noise)


def logarithm(estimate: Estimate) -> Estimate:
    """Return the natural logarithm of an estimate by the delta method: influence e_s / R.

    A value of zero or less has the logarithm NaN.

    Examples
    --------
    >>> levels = ratio(np.array([[2.0], [5.0], [8.0]]), np.array([[10.0], [20.0], [30.0]]))
    >>> logarithm(levels).std_error.round(4)
    array([0.0577])
    """
    positive = np.where(estimate.value > 0, estimate.value, np.nan)
    return replace(
        estimate,
        value=np.log(positive),
        std_error=estimate.std_error / positive,
        influence=np.nan_to_num(estimate.influence / positive),
        pupil_influence=estimate.pupil_influence / positive,
        noise=np.nan_to_num(estimate.noise / positive),
    )


def t_interval(
    value: FloatArray, std_error: FloatArray, df: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the limits value -/+ t(df, 1 - alpha / 2) x std_error; NaN where a part is missing.

    Examples
    --------
    >>> lower, upper = t_interval(np.array([0.25]), np.array([0.01]), np.array([2.0]))
    >>> lower.round(3), upper.round(3)
    (array([0.207]), array([0.293]))
    """
    reach = np.asarray(stdtrit(df, 1 - ALPHA / 2), dtype=np.float64) * std_error
    return value - reach, value + reach


def logit_interval(
    value: FloatArray, std_error: FloatArray, df: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the t interval of a share made on the logit scale, so within 0 and 1.

    Where few children count, the plain interval of a share leaves out the truth too often, all on
    one side. NaN where a part is missing or the share is exactly 0 or 1.

    Notes
    -----
    logit(p) -/+ t(df, 1 - alpha / 2) x std_error / (p (1 - p)), taken back to the share. Korn and
    Graubard (1998), *Survey Methodology* 24, 193-201, compare it with others for clustered data.

    Examples
    --------
    >>> lower, upper = logit_interval(np.array([0.02]), np.array([0.01]), np.array([50.0]))
    >>> lower.round(4), upper.round(4)
    (array([0.0073]), array([0.0538]))
    """
    inside = np.where((value > 0) & (value < 1), value, np.nan)
    lower, upper = t_interval(np.asarray(logit(inside)), std_error / (inside * (1 - inside)), df)
    return np.asarray(expit(lower)), np.asarray(expit(upper))


def correlation(first: FloatArray, second: FloatArray, between: FloatArray) -> FloatArray:
    """Return the correlation of two estimates from their errors and that of their difference.

    Zero where an error is missing or zero.

    Examples
    --------
    >>> correlation(np.array([3.0]), np.array([4.0]), np.array([5.0]))
    array([0.])
    """
    product = 2 * first * second
    shared = _divide(first**2 + second**2 - between**2, product)
    return np.clip(np.nan_to_num(shared), -1.0, 1.0)


def total_error(sampling: FloatArray, noise: FloatArray) -> FloatArray:
    """Return the error of sampling and of disclosure control together.

    Beside noise, the sampling error has two significant figures: the covariance of two levels
    would else be one more exact number about the children.

    Examples
    --------
    >>> total_error(np.array([3.04]), np.array([[4.0]]))
    array([5.])
    >>> total_error(np.array([3.04]), np.zeros((0, 1)))
    array([3.04])
    """
    if not len(noise):
        return sampling
    return np.sqrt(significant(sampling) ** 2 + (noise**2).sum(axis=0))


def _errors(
    influence: FloatArray,
    clusters: FloatArray,
    pupil_influence: FloatArray,
    pupils: FloatArray,
    noise: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return standard errors and degrees of freedom: by school, by pupil where one school only."""
    units = np.where(clusters >= 2, clusters, np.where(clusters == 1, pupils, np.nan))
    squares = np.where(clusters >= 2, (influence**2).sum(axis=0), (pupil_influence**2).sum(axis=0))
    df = np.where(units >= 2, units - 1, np.nan)
    return total_error(np.sqrt(squares * units / df), noise), df


def _pupil_influence(sums: PupilSums, value: FloatArray, total_x: FloatArray) -> FloatArray:
    """Return the influence values of two stand-ins a group, in place of its pupils.

    Any sum of squares of A y - B x over the pupils of a group needs only yy, xy and xx; two
    stand-ins with the same three sums (their Cholesky factor) give the same sum. So pupils can be
    subtracted, and the covariance of a group with a sum that contains it counted, without pupils.
    """
    root = np.sqrt(sums.xx)
    slope = _divide(sums.xy, root, empty=0.0)
    rest = np.sqrt(np.maximum(sums.yy - slope**2, 0.0))
    first = _divide(slope - np.nan_to_num(value) * root, total_x, empty=0.0)
    second = _divide(rest, total_x, empty=0.0)
    return np.concatenate([first, second])


def _divide(top: FloatArray, bottom: FloatArray, *, empty: float = np.nan) -> FloatArray:
    """Divide, with a stated value where the denominator is zero."""
    shape = np.broadcast_shapes(top.shape, bottom.shape)
    return np.divide(top, bottom, out=np.full(shape, empty), where=bottom != 0)
