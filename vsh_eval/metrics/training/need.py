"""How much need a school has, and schools in bands of equal size by it. Stays internal.

Which school is in which band never leaves; `reach_by_band` and `equity` make aggregates of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vsh_eval import names, registry
from vsh_eval.numerics.levels.heterogeneity import between_schools, shrunken
from vsh_eval.panel import Comparison, leaves_of, require_returns, slice_for

DEPRIVATION, BASELINE_GAP, AREA = "deprivation", "baseline_gap", "area"
DEPRIVATION_COLUMNS = ("pct_fsm6", "pct_fsm", "fsm6", "fsm", "percentagefsm", "idaci", "imd_score")
"""Columns of schools that measure deprivation, the larger the more of it, the first one is used."""
AREA_COLUMNS = ("area", "locality", "ward", "district")
"""Columns of schools that number areas of the authority, the first one is used."""
NOT_KNOWN = "not_known"
_FIFTHS_FROM = 300
_LEAST_SCHOOLS = 10
_MOST_AREAS = 12
_DEPRIVATION_NAMES = {
    3: ("most_deprived_third", "middle_third", "least_deprived_third"),
    5: (
        *("most_deprived_fifth", "second_fifth", "middle_fifth", "fourth_fifth"),
        "least_deprived_fifth",
    ),
}
_GAP_NAMES = ("widest_gap_third", "middle_third", "narrowest_gap_third")


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """Schools in bands.

    Attributes
    ----------
    name : str
        What the bands are of: deprivation, baseline_gap or area; the column of the tables.
    order : tuple of str
        The bands, the greatest need first; empty where nothing is known of any school.
    units : DataFrame
        unit_id, band and need (the larger, the more; NaN where it is not known or not ordered).
    """

    name: str
    order: tuple[str, ...]
    units: pd.DataFrame

    @property
    def known(self) -> bool:
        """Whether there is more than one band to compare."""
        return len([band for band in self.order if band != NOT_KNOWN]) > 1


def deprivation_bands(schools: pd.DataFrame) -> Bands:
    """Put schools into bands of equal size by a measure of deprivation.

    Parameters
    ----------
    schools : DataFrame
        One row a school: unit_id and its covariates. The first of `DEPRIVATION_COLUMNS` that is
        there is taken, the larger the more deprived.

    Returns
    -------
    Bands
        Fifths from 300 schools on, else thirds; schools with equal values share a band; schools
        without a value are in `not_known`. No bands where there is no such covariate or fewer than
        ten schools a band.

    Examples
    --------
    >>> schools = pd.DataFrame({"unit_id": [str(n) for n in range(30)], "pct_fsm": range(30)})
    >>> bands = deprivation_bands(schools)
    >>> bands.units.groupby("band").size().tolist(), bands.units["band"].iloc[-1]
    ([10, 10, 10], 'most_deprived_third')
    """
    chosen = next((c for c in DEPRIVATION_COLUMNS if c in schools), "")
    need = schools[chosen] if chosen else pd.Series(np.nan, index=schools.index)
    pieces = 5 if need.notna().sum() >= _FIFTHS_FROM else 3
    units = pd.DataFrame({"unit_id": schools["unit_id"], "need": need.astype("float64")})
    return _banded(DEPRIVATION, units, _DEPRIVATION_NAMES[pieces])


def baseline_gap_bands(
    panel: pd.DataFrame,
    training: pd.DataFrame,
    schools: pd.DataFrame,
    *,
    metric: str,
    group: str,
    reference: str,
) -> Bands:
    """Put schools into thirds by their own gap before anyone was trained.

    Parameters
    ----------
    panel : DataFrame
        A panel of returns.
    training : DataFrame
        The log: the years before its first one are the baseline; of an empty log all years are.
    schools : DataFrame
        The schools to be placed (unit_id).
    metric : str
        The outcome whose gap it is.
    group, reference : str
        The gap is group minus reference within the school.

    Returns
    -------
    Bands
        Thirds, the gap that is worst for the group first. `need` is the school's gap over all
        comparable years of the baseline together, drawn towards the mean of all schools by how
        uncertain it is. Schools without pupils of both groups in the baseline are in `not_known`.
        No bands where fewer than ten schools a third have a gap.

    Raises
    ------
    ContractError
        If the panel is published, a name is unknown, or the groups are equal.

    Notes
    -----
    gap_s = Y / X of the group - Y / X of the reference, sums over the years. Its variance v_s is
    that of the pupils within schools (pooled, of both groups). tau squared is DerSimonian and
    Laird's, and need_s = mean + tau^2 / (tau^2 + v_s) x (gap_s - mean).

    Source: DerSimonian and Laird, Controlled Clinical Trials 7 (1986); Morris, JASA 78 (1983).
    """
    sliced = slice_for(panel, Comparison(group, reference, metrics=(metric,)))
    require_returns(sliced, "gaps within schools")
    before = training["time_period"].min() if len(training) else np.inf
    years = [y for y in registry.comparable_years(metric, sliced.years) if y < before]
    rows = sliced.panel[sliced.panel["time_period"].isin(years)]
    measure = registry.metric(metric)
    gap, variance = _school_gaps(rows, group, reference)
    shrunk = shrink(gap.to_numpy(), variance.to_numpy()) * measure.scale
    worse = shrunk if measure.lower_is_better else -shrunk
    need = pd.Series(worse, index=gap.index).reindex(schools["unit_id"])
    units = pd.DataFrame({"unit_id": schools["unit_id"].to_numpy(), "need": need.to_numpy()})
    return _banded(BASELINE_GAP, units, _GAP_NAMES)


def area_bands(schools: pd.DataFrame) -> Bands:
    """Put schools into the areas their list numbers, or into bands of deprivation.

    Parameters
    ----------
    schools : DataFrame
        One row a school; of its further columns only numbers are kept, so areas are numbers.

    Returns
    -------
    Bands
        By area where one of `AREA_COLUMNS` has 2 to 12 whole values with ten schools each on
        average; else by deprivation.

    Examples
    --------
    >>> schools = pd.DataFrame({"unit_id": [str(n) for n in range(20)], "ward": [1, 2] * 10})
    >>> area_bands(schools).order
    ('area_1', 'area_2')
    """
    column = next((c for c in AREA_COLUMNS if c in schools), "")
    values = schools[column].dropna() if column else pd.Series(dtype="float64")
    codes = sorted(values.unique())
    whole = bool((values == values.round()).all())
    enough = len(values) >= _LEAST_SCHOOLS * len(codes)
    if not (whole and enough and 2 <= len(codes) <= _MOST_AREAS):
        return deprivation_bands(schools)
    band = schools[column].map({code: f"area_{int(code)}" for code in codes})
    units = pd.DataFrame({"unit_id": schools["unit_id"], "band": band.fillna(NOT_KNOWN)})
    order = [f"area_{int(code)}" for code in codes]
    order += [NOT_KNOWN] if band.isna().any() else []
    return Bands(AREA, tuple(order), units.assign(need=np.nan))


def shrink(value: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Draw values towards their mean by how uncertain each is.

    Parameters
    ----------
    value, variance : float arrays, shape (schools,)
        Estimates and their sampling variances.

    Returns
    -------
    float array, shape (schools,)
        All at the mean where they differ no more than chance makes them; as they are where there
        is only one, or no variance.

    Examples
    --------
    >>> shrink(np.array([0.0, 4.0]), np.array([1.0, 1.0])).round(2).tolist()
    [0.25, 3.75]
    """
    if len(value) < 2 or not (variance > 0).all():
        return value
    tau_squared = between_schools(value, variance).tau_squared_dl
    mean = float(np.average(value, weights=1 / (variance + tau_squared)))
    return shrunken(value, variance, mean=mean, tau_squared=tau_squared)[0]


def _school_gaps(rows: pd.DataFrame, group: str, reference: str) -> tuple[pd.Series, pd.Series]:
    """Return each school's gap over all rows together, and its variance from pupils within."""
    levels = [_pooled(rows, part) for part in (group, reference)]
    both = levels[0].add_suffix("_1").join(levels[1].add_suffix("_2"), how="inner")
    return both["level_1"] - both["level_2"], both["variance_1"] + both["variance_2"]


def _pooled(rows: pd.DataFrame, group: str) -> pd.DataFrame:
    """Return level and variance of one group in each school; the spread of pupils is pooled."""
    sums = list(names.PANEL_SUMS)
    chosen = rows[rows["group"].isin(leaves_of(group))]
    total = chosen.astype(dict.fromkeys(sums, np.float64)).groupby("unit_id")[sums].sum()
    total = total[total["denominator"] > 0]
    level = total["numerator"] / total["denominator"]
    squares = total["sum_yy"] - 2 * level * total["sum_xy"] + level**2 * total["sum_xx"]
    spare = float((total["pupils"] - 1).clip(lower=0).sum())
    each = float(squares.clip(lower=0).sum()) / spare if spare else 0.0
    variance = each * total["pupils"] / total["denominator"] ** 2
    return pd.DataFrame({"level": level, "variance": variance})


def _banded(name: str, units: pd.DataFrame, order: Sequence[str]) -> Bands:
    """Cut schools into bands of equal size, the greatest need first; equal values share a band."""
    known = units["need"].notna()
    if known.sum() < _LEAST_SCHOOLS * len(order) or units["need"].nunique() < len(order):
        return Bands(name, (), units.assign(band=NOT_KNOWN))
    rank = units.loc[known, "need"].rank(ascending=False, method="average")
    place = ((rank - 0.5) * len(order) / known.sum()).astype(int).clip(upper=len(order) - 1)
    band = place.map(dict(enumerate(order))).reindex(units.index).fillna(NOT_KNOWN)
    missing = () if known.all() else (NOT_KNOWN,)
    return Bands(name, (*order, *missing), units.assign(band=band))
