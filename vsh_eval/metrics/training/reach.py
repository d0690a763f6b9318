"""How far the training offer has reached: share of schools and pupils, depth, growth and cost."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.cells.shield import EXACT, Shield
from vsh_eval.contracts import produces, require_columns
from vsh_eval.metrics.training.log import ANY, LOG_COLUMNS, offers
from vsh_eval.metrics.training.need import AREA, BASELINE_GAP, DEPRIVATION, NOT_KNOWN, Bands
from vsh_eval.metrics.training.places import Places, find_places
from vsh_eval.panel import Panel

REACH_COLUMNS = (
    *("time_period", "programme", "tier", "phase", "group", "schools", "schools_trained"),
    *("share_schools", "pupils", "pupils_reached", "share_pupils", "staff_trained", "hours"),
    *("staff_per_100_pupils", "hours_per_100_pupils", "cost", "pupils_not_reached"),
    *("schools_ever", "schools_first_trained", "pupil_years_reached", "staff_per_school"),
    *("hours_per_school", "cost_per_school", "cost_per_pupil_year", "first_year"),
    *("growth_share_schools", "growth_share_pupils", "status"),
)
AUDIENCE_REACH_COLUMNS = (
    "time_period",
    "audience",
    *(name for name in REACH_COLUMNS if name not in {"time_period", "programme", "tier"}),
)
BAND_REACH_COLUMNS = (
    *("time_period", "phase", "group", "schools", "schools_trained", "share_schools", "pupils"),
    *("pupils_reached", "pupils_not_reached", "share_pupils", "status"),
)
"""Columns of `reach_by_band`; the bands' own column stands after the phase."""
_BANDS = (DEPRIVATION, BASELINE_GAP, AREA)
BAND_REACH_RELEASED = (*BAND_REACH_COLUMNS[:2], *_BANDS, *BAND_REACH_COLUMNS[2:])
_REACHED = ("pupils_reached", "pupils_not_reached")
_DEPTH = ("staff_trained", "hours", "cost")
_CHILDREN = ("pupils", "pupils_reached", "pupils_not_reached", "pupil_years_reached")
_COUNTS = (
    *("schools", "schools_trained", "pupils", "pupils_reached", "pupils_not_reached"),
    *("schools_ever", "schools_first_trained", "pupil_years_reached"),
)


@produces("reach", REACH_COLUMNS)
def training_reach(
    training: pd.DataFrame, schools: pd.DataFrame, panel: Panel, *, years: Sequence[int], group: str
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
        all schools, `pupils_reached` those in trained schools, `pupils_not_reached` the others;
        missing in a year in which the panel has no headcount. `schools_ever` are those trained up
        to the year, closed ones among them: what is spent on a school is spent on these;
        `schools_first_trained` those whose first such training began in the year.
        `pupil_years_reached` adds `pupils_reached` up to the year; missing where a year since the
        first training has no headcount or is not asked for. `first_year` is the first year of such
        training in the phase (0 for never), `growth_*` the change of a share since then in
        percentage points, missing before it. Shares over nothing are NaN.

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
    require_columns(training, (*LOG_COLUMNS, *_DEPTH), name="training")
    places = find_places(training, schools, panel, years=years, group=group)
    log = training.merge(schools[["unit_id", "phase"]], on="unit_id", validate="many_to_one")
    blocks = [
        _block(part, places, phase=phase).assign(programme=programme, tier=tier, phase=phase)
        for programme, tier, part in offers(log)
        for phase in [*places.present, names.TOTAL]
    ]
    rows = pd.concat(blocks, ignore_index=True).assign(group=group)
    if places.shield is not EXACT:
        rows = _in_margins(rows)
    return _tidy(rows, places.shield)[list(REACH_COLUMNS)]


@produces("reach_by_audience", AUDIENCE_REACH_COLUMNS)
def audience_reach(
    training: pd.DataFrame, schools: pd.DataFrame, panel: Panel, *, years: Sequence[int], group: str
) -> pd.DataFrame:
    """Measure the reach of the offer by whom it was given to.

    Parameters
    ----------
    training, schools, panel, years, group
        As for `training_reach`; ``training`` has `audience` as well, '' where it is not given.

    Returns
    -------
    DataFrame
        `AUDIENCE_REACH_COLUMNS`: a row for each year and audience of the log in the order of the
        dictionary, with phase `total`; the audience `any` also phase by phase. Audiences overlap:
        a school in which leaders and teachers were trained counts in both. An audience that the
        log never has is left out.

    Raises
    ------
    ContractError
        As for `training_reach`.
    """
    require_columns(training, (*LOG_COLUMNS, *_DEPTH, "audience"), name="training")
    places = find_places(training, schools, panel, years=years, group=group)
    log = training.merge(schools[["unit_id", "phase"]], on="unit_id", validate="many_to_one")
    given = set(log["audience"])
    further = sorted(given - {*names.AUDIENCES, ""})
    blocks = [
        _block(log, places, phase=phase).assign(audience=ANY, phase=phase)
        for phase in [*places.present, names.TOTAL]
    ]
    blocks += [
        _block(log[log["audience"] == audience], places, phase=names.TOTAL).assign(
            audience=audience, phase=names.TOTAL
        )
        for audience in (*names.AUDIENCES, *further, "")
        if audience in given
    ]
    rows = pd.concat(blocks, ignore_index=True).assign(group=group)
    return _tidy(rows, places.shield)[list(AUDIENCE_REACH_COLUMNS)]


@produces("reach_by_band", BAND_REACH_RELEASED)
def reach_by_band(
    training: pd.DataFrame,
    schools: pd.DataFrame,
    panel: Panel,
    bands: Bands,
    *,
    years: Sequence[int],
    group: str,
    by_phase: bool = True,
) -> pd.DataFrame:
    """Count schools and cohort pupils, reached and not, in each band.

    Parameters
    ----------
    training, schools, panel, years, group
        As for `training_reach`.
    bands : Bands
        Schools in bands; a school that it lacks is in `not_known`.
    by_phase : bool
        Whether every band is counted phase by phase as well.

    Returns
    -------
    DataFrame
        `BAND_REACH_COLUMNS` and a column named for the bands (their names, and `total`): all
        phases by band, every phase over all bands, and phase by band where asked for. The trained
        schools of the bands add up to the total, and so do pupils.

    Raises
    ------
    ContractError
        As for `training_reach`.
    """
    places = find_places(training, schools, panel, years=years, group=group)
    band = bands.units.set_index("unit_id")["band"].reindex(places.units).fillna(NOT_KNOWN)
    present = list(bands.order)
    if present and NOT_KNOWN not in present and (band == NOT_KNOWN).any():
        present.append(NOT_KNOWN)
    trained = places.trained(training)
    blocks = []
    for phase in [*places.present, names.TOTAL]:
        for one in [*(present if by_phase or phase == names.TOTAL else ()), names.TOTAL]:
            here = _within(places.phase, phase) & _within(band.to_numpy(object), one)
            counts = count_reached(trained, places, here)
            blocks.append(counts.assign(phase=phase, group=group, **{bands.name: one}))
    rows = finish(pd.concat(blocks, ignore_index=True), places.shield)
    if bands.name == BASELINE_GAP and places.shield is not EXACT:
        rows = _without_settled_years(rows, bands.name)
    first, *rest = BAND_REACH_COLUMNS
    return rows[[first, "phase", bands.name, *rest[1:]]]


def _without_settled_years(rows: pd.DataFrame, band: str) -> pd.DataFrame:
    """Hide who was reached in years in which all schools of a band are trained, or none.

    These bands rest on children's results, and the band of a school that is known to be trained
    would follow.
    """
    of_band = rows[rows[band] != names.TOTAL]
    settled = of_band["schools_trained"].isin([0]) | of_band["schools_trained"].eq(
        of_band["schools"]
    )
    years = set(of_band.loc[settled, "time_period"])
    unseen = rows["time_period"].isin(years) & rows[band].ne(names.TOTAL)
    reached = ["schools_trained", "share_schools", *_REACHED, "share_pupils"]
    return rows.assign(
        status=rows["status"].mask(unseen, names.CONFIDENTIAL),
        **{name: rows[name].mask(unseen) for name in reached},
    )


def _in_margins(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep who was reached by programme and tier in all phases, and by phase with any training.

    A phase that is hidden would follow from the other phases and their total, and each programme
    would say so again with noise of its own: together they would tell it.
    """
    inside = rows["phase"].ne(names.TOTAL) & (rows["programme"].ne(ANY) | rows["tier"].ne(ANY))
    reached = ["pupils_reached", "pupils_not_reached", "pupil_years_reached"]
    unseen = inside & rows["schools_trained"].gt(0)
    return rows.assign(**{name: rows[name].mask(unseen) for name in reached})


def _within(values: np.ndarray, wanted: str) -> np.ndarray:
    return np.ones(len(values), dtype=bool) if wanted == names.TOTAL else values == wanted


def count_reached(
    trained: NDArray[np.bool_], places: Places, here: NDArray[np.bool_]
) -> pd.DataFrame:
    """Count schools and pupils, all of them and those reached, among some schools, a row a year."""
    among = here[:, None] & np.ones((1, len(places.years)), dtype=bool)
    is_open = places.is_open & among
    reached = np.stack([places.count(among & trained), places.count(among & ~trained)])
    # Either would be all less the other.
    reached[:, np.isnan(reached).any(axis=0)] = np.nan
    return pd.DataFrame(
        {
            "time_period": places.years,
            "schools": is_open.sum(axis=0),
            "schools_trained": (is_open & trained).sum(axis=0),
            "pupils": places.count(among),
            **dict(zip(_REACHED, reached, strict=True)),
            "known": ~np.isnan(places.pupils).all(axis=0) if len(places.units) else True,
        }
    )


def finish(rows: pd.DataFrame, shield: Shield) -> pd.DataFrame:
    """Add shares of schools and pupils, 0 to 100, and the status; give counts their type."""
    people = [name for name in _CHILDREN if name in rows]
    hidden = rows[["pupils", *_REACHED]].isna().any(axis=1) & rows["known"]
    if "pupil_years_reached" in rows:
        hidden |= rows["pupil_years_reached"].isna() & rows["every_year_known"]
    rows = rows.assign(
        share_schools=100 * _per(rows, "schools_trained", "schools"),
        share_pupils=100 * _per(rows, "pupils_reached", "pupils"),
        status=np.where(hidden, names.CONFIDENTIAL, ""),
        **{name: shield.shown_pupils(rows[name].to_numpy(np.float64)) for name in people},
    )
    counts = [name for name in _COUNTS if name in rows]
    return rows.astype(dict.fromkeys(counts, "Float64")).astype(dict.fromkeys(counts, "Int64"))


def _block(part: pd.DataFrame, places: Places, *, phase: str) -> pd.DataFrame:
    """Return the counts and cumulative sums of one offer in one phase, a row a year."""
    here = np.ones(len(places.units), dtype=bool)
    given = part
    if phase != names.TOTAL:
        here = places.phase == phase
        given = part[part["phase"] == phase]
    trained = places.trained(part)
    counts = count_reached(trained, places, here)
    first = given.groupby("unit_id")["time_period"].min().to_numpy(np.int64)
    so_far = given["time_period"].to_numpy(np.int64)[:, None] <= places.years
    ever = trained[here].sum(axis=0).astype(np.float64)
    depth: dict[str, NDArray[Any]] = {
        # A column that the log never gives is unknown, not zero.
        name: so_far.T @ given[name].fillna(0).to_numpy(np.float64)
        if part[name].notna().any()
        else np.full(len(places.years), np.nan)
        for name in _DEPTH
    }
    depth["staff_trained"] = places.shield.adults(depth["staff_trained"])
    first_year = int(given["time_period"].min()) if len(given) else names.NEVER
    begun = places.years >= (first_year or np.inf)
    from_the_first = first_year == names.NEVER or first_year >= places.years.min()
    pupil_years = np.cumsum(np.where(begun, counts["pupils_reached"], 0.0))
    known = np.logical_and.accumulate(counts["known"].to_numpy(bool) | ~begun)
    return counts.assign(
        schools_ever=ever,
        schools_first_trained=(first[:, None] == places.years).sum(axis=0),
        every_year_known=known & from_the_first,
        pupil_years_reached=pupil_years if from_the_first else np.nan,
        first_year=first_year,
        **{name: places.shield.of_schools(values, ever) for name, values in depth.items()},
    )


def _tidy(rows: pd.DataFrame, shield: Shield) -> pd.DataFrame:
    """Add shares, rates and growth, and give each column its type."""
    rates = {
        "staff_per_100_pupils": 100 * _per(rows, "staff_trained", "pupils"),
        "hours_per_100_pupils": 100 * _per(rows, "hours", "pupils"),
        "staff_per_school": _per(rows, "staff_trained", "schools_ever"),
        "hours_per_school": _per(rows, "hours", "schools_ever"),
        "cost_per_school": _per(rows, "cost", "schools_ever"),
        "cost_per_pupil_year": _per(rows, "cost", "pupil_years_reached"),
    }
    rows = finish(rows, shield).assign(**rates)
    return rows.assign(
        growth_share_schools=_growth(rows, "share_schools"),
        growth_share_pupils=_growth(rows, "share_pupils"),
    )


def _per(rows: pd.DataFrame, part: str, whole: str) -> pd.Series:
    """Return part / whole; missing over nothing."""
    bottom = rows[whole].astype("float64")
    return rows[part].astype("float64") / bottom.where(bottom > 0)


def _growth(rows: pd.DataFrame, share: str) -> pd.Series:
    """Return a share less what it was in the offer's first year; missing before that year."""
    keys = [name for name in ("programme", "tier", "audience", "phase") if name in rows]
    first = rows.loc[rows["time_period"] == rows["first_year"], [*keys, share]]
    start = rows[keys].merge(first, how="left", on=keys, validate="many_to_one")[share]
    begun = rows["first_year"].between(1, rows["time_period"])
    return (rows[share] - start.to_numpy()).where(begun)
