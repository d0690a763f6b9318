"""Where the cohort is: schools x years, with what is open and how many of its pupils are there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import academic_year, names
from vsh_eval.cells.exact import record_keys_of
from vsh_eval.cells.shield import Shield
from vsh_eval.contracts import ContractError, require_columns
from vsh_eval.panel import Panel, PanelSlice, leaves_of, require_returns, validate_panel

HEADCOUNT = "overall_absence"
"""The metric whose pupils are the headcount of the reach."""


@dataclass(frozen=True, slots=True)
class Places:
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
    keys : int array, shape (schools, years)
        Sums of their record keys.
    shield : Shield
        What protects each number of children.
    """

    units: pd.Index
    phase: NDArray[np.object_]
    years: NDArray[np.int64]
    is_open: NDArray[np.bool_]
    pupils: NDArray[np.float64]
    keys: NDArray[np.int64]
    shield: Shield

    @property
    def present(self) -> list[str]:
        """The phases there are, in the order of the dictionary."""
        return [phase for phase in names.PHASES if phase in set(self.phase)]

    def count(self, where: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the pupils of some schools year by year as they may be shown; NaN if not known.

        No school means no pupil: that is no number of children.
        """
        inside = np.where(where, np.nan_to_num(self.pupils), 0.0)
        shown = self.shield.count(
            inside.sum(axis=0),
            np.where(where, self.keys, 0).sum(axis=0),
            schools=(inside > 0).sum(axis=0).astype(np.float64),
            largest=inside.max(axis=0, initial=0.0),
        )
        known = ~np.isnan(self.pupils).all(axis=0) if len(self.units) else np.ones(0, bool)
        return np.where(known, np.where(where.any(axis=0), shown, 0.0), np.nan)

    def trained(self, log: pd.DataFrame) -> NDArray[np.bool_]:
        """Whether a school's first training of the log began in the year or before it."""
        first = log.groupby("unit_id")["time_period"].min().reindex(self.units)
        return first.to_numpy(np.float64, na_value=np.inf)[:, None] <= self.years


def find_places(
    training: pd.DataFrame, schools: pd.DataFrame, panel: Panel, *, years: Sequence[int], group: str
) -> Places:
    """Place schools and enrolments on one grid of schools and years.

    Parameters
    ----------
    training : DataFrame
        The school-level log.
    schools : DataFrame
        One row a school: unit_id, phase, opened, closed.
    panel : DataFrame
        A panel of returns.
    years : sequence of int
        Academic years.
    group : str
        The cohort whose pupils are counted.

    Returns
    -------
    Places

    Raises
    ------
    ContractError
        If the panel is published or mixed, a column is missing, or the log names a school that the
        list of schools does not have.
    """
    require_columns(training, ("unit_id", "time_period"), name="training")
    require_columns(schools, ("unit_id", "phase", "opened", "closed"), name="schools")
    unknown = set(training["unit_id"]) - set(schools["unit_id"])
    if unknown:
        raise ContractError(
            f"training names {len(unknown)} schools that the list of schools does not have, must "
            "name listed schools only; add them to schools or link their URNs in school_links."
        )
    sliced = validate_panel(panel, groups=(group,))
    require_returns(sliced, "the reach of training")
    return _placed(schools, _headcount(sliced, group), years, sliced.shield)


def _headcount(sliced: PanelSlice, group: str) -> pd.DataFrame:
    """Return the group's enrolments by school, phase and year; all groups' years are known."""
    pupils = sliced.panel.groupby("metric")["pupils"].sum()
    metric = HEADCOUNT if HEADCOUNT in pupils else str(pupils.idxmax())
    rows = sliced.panel[sliced.panel["metric"] == metric]
    of_group = rows["group"].isin(leaves_of(group))
    counted = rows["pupils"].where(of_group, 0).astype("int64")
    keyed = np.where(of_group, record_keys_of(rows)["key_n"], 0)
    keys = ["unit_id", "phase", "time_period"]
    return rows[keys].assign(pupils=counted, key=keyed).groupby(keys).sum().reset_index()


def _placed(
    schools: pd.DataFrame, headcount: pd.DataFrame, years: Sequence[int], shield: Shield
) -> Places:
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
    # A year without any row has no headcount (NaN); a school without a row in it has no pupils.
    pupils, keys = (
        headcount.pivot_table(name, "unit_id", "time_period", aggfunc="sum", fill_value=0)
        .reindex(units, fill_value=0)
        .reindex(columns=list(years), fill_value=empty)
        for name, empty in (("pupils", np.nan), ("key", 0))
    )
    enrolled = pupils.to_numpy(np.float64)
    return Places(
        units=units,
        phase=phase.to_numpy(object),
        years=np.asarray(years, dtype=np.int64),
        # A school with enrolments was open, whatever its dates say; so shares never pass 100.
        is_open=is_open.reindex(units, fill_value=False).to_numpy(bool) | (enrolled > 0),
        pupils=enrolled,
        keys=keys.to_numpy(np.int64),
        shield=shield,
    )
