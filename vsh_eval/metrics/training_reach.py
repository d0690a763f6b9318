"""How far the training offer has reached: share of schools and pupils, depth and cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import academic_year, names
from vsh_eval.contracts import ContractError, require_columns
from vsh_eval.metrics.door import RETURNS, enter
from vsh_eval.metrics.training_offer import LOG_COLUMNS, offers

REACH_COLUMNS = (
    "time_period",
    "programme",
    "tier",
    "phase",
    "group",
    "schools",
    "schools_trained",
    "share_schools",
    "pupils",
    "pupils_reached",
    "share_pupils",
    "staff_trained",
    "hours",
    "staff_per_100_pupils",
    "hours_per_100_pupils",
    "cost",
)
_DEPTH = ("staff_trained", "hours", "cost")
_HEADCOUNT = "overall_absence"


def training_reach(
    training: pd.DataFrame,
    schools: pd.DataFrame,
    panel: pd.DataFrame,
    *,
    years: Sequence[int],
    group: str,
) -> pd.DataFrame:
    """Measure the share of schools and of cohort pupils that the offer has reached, and its depth.

    Parameters
    ----------
    training : DataFrame
        The school-level log, one row an event.
    schools : DataFrame
        One row a school: unit_id, phase, opened, closed.
    panel : DataFrame
        A panel of returns, which says where the group's pupils are.
    years : sequence of int
        Academic years, for example 202324.
    group : str
        The cohort whose pupils are counted.

    Returns
    -------
    DataFrame
        `REACH_COLUMNS`, one row for each year, programme (and `any`), tier (and `any`) and phase
        (and `total`); combinations of programme and tier that the log never has are left out.
        A school counts as trained in a year if its first such training began in that academic year
        or an earlier one. `schools` are those open at some time in the year, by their dates or by
        their enrolments; shares are 0 to 100;
        `staff_trained`, `hours` and `cost` (GBP) are cumulative and keep what was given to schools
        closed since; NaN where the log never gives them. `pupils` are the group's enrolments in
        all schools, `pupils_reached` those in trained schools; both missing in a year in which the
        panel has no headcount. Shares over nothing are NaN.

    Raises
    ------
    ContractError
        If the panel is published or mixed, a column is missing, or the log names a school that the
        list of schools does not have.

    Notes
    -----
    Enrolments are counted in the rows of overall absence (ages 5 to 15 with a possible session) or,
    where the panel has none, of the metric with most pupils.

    Examples
    --------
    >>> log = pd.DataFrame({"unit_id": ["1"], "programme": ["elsa"], "tier": ["targeted"],
    ...     "start_date": [pd.Timestamp("2023-11-06")], "time_period": [202324],
    ...     "staff_trained": [2], "hours": [36.0], "cost": [900.0]})
    >>> schools = pd.DataFrame({"unit_id": ["1", "2"], "phase": "primary",
    ...     "opened": pd.NaT, "closed": pd.NaT})
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": ["1", "2"], "time_period": 202324, "phase": "primary",
    ...     "group": "cin", "metric": "overall_absence", "pupils": [6, 2],
    ...     "numerator": [60.0, 90.0], "denominator": [2000.0, 700.0],
    ...     "sum_yy": 0.0, "sum_xy": 0.0, "sum_xx": 0.0, "rate": float("nan"), "status": "",
    ... })
    >>> reach = training_reach(log, schools, panel, years=[202324], group="cwsw")
    >>> reach.loc[reach["phase"] == "total", ["programme", "share_schools", "share_pupils"]].head(1)
      programme  share_schools  share_pupils
    1       any           50.0          75.0
    """
    _check(training, schools)
    places = _places(schools, _headcount(panel, group), years)
    log = training.merge(schools[["unit_id", "phase"]], on="unit_id", validate="many_to_one")
    blocks = [
        _block(part, places, phase=phase).assign(programme=programme, tier=tier, phase=phase)
        for programme, tier, part in offers(log)
        for phase in [*places.present, names.TOTAL]
    ]
    return _tidy(pd.concat(blocks, ignore_index=True).assign(group=group))


@dataclass(frozen=True, slots=True)
class _Places:
    """Schools x years: where the cohort is.

    Attributes
    ----------
    units : Index
        Every school of the list or the panel.
    phase : object array, shape (schools,)
        Its phase.
    years : int array, shape (years,)
        The academic years asked for.
    is_open : bool array, shape (schools, years)
        Whether the school is open at some time in the year, by its dates or its enrolments.
    pupils : float array, shape (schools, years)
        The group's enrolments; NaN throughout a year without headcount.
    """

    units: pd.Index
    phase: NDArray[np.object_]
    years: NDArray[np.int64]
    is_open: NDArray[np.bool_]
    pupils: NDArray[np.float64]

    @property
    def present(self) -> list[str]:
        """The phases there are, in the order of the dictionary."""
        return [phase for phase in names.PHASES if phase in set(self.phase)]


def _check(training: pd.DataFrame, schools: pd.DataFrame) -> None:
    require_columns(training, (*LOG_COLUMNS, *_DEPTH), name="training")
    require_columns(schools, ("unit_id", "phase", "opened", "closed"), name="schools")
    unknown = set(training["unit_id"]) - set(schools["unit_id"])
    if unknown:
        raise ContractError(
            f"training names {len(unknown)} schools that the list of schools does not have, must "
            "name listed schools only; add them to schools or link their URNs in school_links."
        )


def _headcount(panel: pd.DataFrame, group: str) -> pd.DataFrame:
    """Return the group's enrolments by school, phase and year; all groups' years are known."""
    entry = enter(panel, groups=(group,))
    if entry.source != RETURNS:
        raise ContractError(
            "source is 'published', must be 'returns' for the reach of training; published tables "
            "have no schools."
        )
    pupils = entry.panel.groupby("metric")["pupils"].sum()
    metric = _HEADCOUNT if _HEADCOUNT in pupils else str(pupils.idxmax())
    rows = entry.panel[entry.panel["metric"] == metric]
    parts = names.GROUP_SUMS.get(group, (group,))
    counted = rows["pupils"].where(rows["group"].isin(parts), 0).astype("int64")
    keys = ["unit_id", "phase", "time_period"]
    return rows[keys].assign(pupils=counted).groupby(keys).sum().reset_index()


def _places(schools: pd.DataFrame, headcount: pd.DataFrame, years: Sequence[int]) -> _Places:
    """Place schools and enrolments on one grid of schools and years."""
    listed = schools.set_index("unit_id")
    units = listed.index.union(pd.Index(headcount["unit_id"].unique()))
    phase = headcount.drop_duplicates("unit_id").set_index("unit_id")["phase"]
    phase = listed["phase"].reindex(units).fillna(phase.reindex(units))
    first_days = [pd.Timestamp(academic_year.start(year), 9, 1) for year in years]
    last_days = [day + pd.DateOffset(years=1, days=-1) for day in first_days]
    dates = {name: pd.to_datetime(listed[name]) for name in ("opened", "closed")}
    is_open = pd.DataFrame(
        {
            year: ~(dates["closed"] < first) & ~(dates["opened"] > last)
            for year, first, last in zip(years, first_days, last_days, strict=True)
        }
    )
    wide = headcount.pivot_table("pupils", "unit_id", "time_period", aggfunc="sum", fill_value=0)
    # A year without any row has no headcount (NaN); a school without a row in it has no pupils.
    pupils = wide.reindex(units, fill_value=0).reindex(columns=list(years))
    enrolled = pupils.to_numpy(np.float64)
    return _Places(
        units=units,
        phase=phase.to_numpy(object),
        years=np.asarray(years, dtype=np.int64),
        # A school with enrolments was open, whatever its dates say; so shares never pass 100.
        is_open=is_open.reindex(units, fill_value=False).to_numpy(bool) | (enrolled > 0),
        pupils=enrolled,
    )


def _block(part: pd.DataFrame, places: _Places, *, phase: str) -> pd.DataFrame:
    """Return the counts and cumulative sums of one offer in one phase, a row a year."""
    first = part.groupby("unit_id")["time_period"].min().reindex(places.units)
    trained = first.to_numpy(np.float64, na_value=np.inf)[:, None] <= places.years
    here = np.ones(len(places.units), dtype=bool)
    given = part
    if phase != names.TOTAL:
        here = places.phase == phase
        given = part[part["phase"] == phase]
    so_far = given["time_period"].to_numpy(np.int64)[:, None] <= places.years
    is_open, pupils = places.is_open[here], places.pupils[here]
    depth = {
        # A column that the log never gives is unknown, not nought.
        name: so_far.T @ given[name].fillna(0).to_numpy(np.float64)
        if part[name].notna().any()
        else np.nan
        for name in _DEPTH
    }
    return pd.DataFrame(
        {
            "time_period": places.years,
            "schools": is_open.sum(axis=0),
            "schools_trained": (is_open & trained[here]).sum(axis=0),
            "pupils": pupils.sum(axis=0),
            "pupils_reached": (pupils * trained[here]).sum(axis=0),
            **depth,
        }
    )


def _tidy(rows: pd.DataFrame) -> pd.DataFrame:
    """Add shares and rates per 100 pupils, and give each column its type."""
    counts = ["schools", "schools_trained", "pupils", "pupils_reached"]
    rows = rows.astype(dict.fromkeys(counts, "Float64")).astype(dict.fromkeys(counts, "Int64"))
    schools, trained, pupils, reached = (rows[name].astype("float64") for name in counts)
    schools, pupils = schools.where(schools > 0), pupils.where(pupils > 0)
    return rows.assign(
        share_schools=100 * trained / schools,
        share_pupils=100 * reached / pupils,
        staff_per_100_pupils=100 * rows["staff_trained"] / pupils,
        hours_per_100_pupils=100 * rows["hours"] / pupils,
    )[list(REACH_COLUMNS)]
