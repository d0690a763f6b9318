"""The true leaves of a panel of returns: children, sums and schools, cell by cell."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names, registry
from vsh_eval.contracts import DisclosureError, require_columns, require_one_vintage
from vsh_eval.release.disclosure.hiding import traits
from vsh_eval.release.disclosure.rounding import GROUP_MEMBERS, Counts, add_up

GROUPS = (*names.LEAF_GROUPS, *names.GROUP_SUMS)
SUMS = ("pupils", "numerator", "denominator", "sum_yy", "sum_xy", "sum_xx")
Sums = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Shape:
    """The axes of the cube; schools are rows of (unit, phase, year) on the way there."""

    phases: tuple[str, ...]
    years: tuple[int, ...]
    rows: pd.DataFrame  # unit_id, phase, time_period: one row a school, phase and year
    phase_at: NDArray[np.intp]
    year_at: NDArray[np.intp]

    @property
    def leaves(self) -> tuple[int, int, int]:
        """Groups, phases and years."""
        return len(names.LEAF_GROUPS), len(self.phases), len(self.years)

    def leaf_sums(self, by_school: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add schools (rows x groups) up to leaves (groups x phases x years)."""
        out = np.zeros(self.leaves)
        for group, column in enumerate(by_school.T):
            np.add.at(out[group], (self.phase_at, self.year_at), column)
        return out

    def index(self, metric: str) -> pd.MultiIndex:
        """Return the keys of a metric's cells in the order of `add_up`."""
        axes = [list(GROUPS), [*self.phases, names.TOTAL], list(self.years), [metric]]
        return pd.MultiIndex.from_product(axes, names=["group", "phase", "time_period", "metric"])


def refuse(panel: pd.DataFrame) -> None:
    """Refuse a panel that holds anything but whole children in leaf groups of schools.

    Raises
    ------
    ContractError
        If a column is missing, or two vintages or cohort rules stand side by side.
    DisclosureError
        If it holds totals, an unknown group, a cell twice or a broken count.
    """
    require_columns(panel, names.PANEL_COLUMNS, name="panel")
    require_one_vintage(panel)
    allowed = {
        "source": ("returns",),
        "level": (names.SCHOOL,),
        "group": names.LEAF_GROUPS,
        "phase": names.PHASES,
    }
    for column, values in allowed.items():
        wrong = sorted(set(panel[column]) - set(values))
        if wrong:
            raise DisclosureError(
                f"the panel's {column} is {wrong[0]!r}, must be one of {', '.join(values)}; "
                "hand in the school rows of returns, without sums or totals."
            )
    if panel.duplicated(list(names.PANEL_KEYS)).any():
        raise DisclosureError("a cell stands in the panel twice, must stand once; check the joins.")
    pupils = panel["pupils"].astype("Float64").fillna(-1).to_numpy(dtype="float64")
    about = traits(panel["metric"])
    numerators = panel["numerator"].to_numpy("float64", na_value=np.nan)
    for values, column, what in (
        (pupils, "pupils", "children"),
        (numerators[about.counted], "numerator", "children"),
        (numerators[about.events], "numerator", "events"),
    ):
        if not ((values >= 0) & (values == np.floor(values))).all():
            raise DisclosureError(
                f"the panel's {column} holds a number that is missing, negative or broken, "
                f"must be a whole number of {what}."
            )
    if (numerators > pupils)[about.counted].any():
        raise DisclosureError(
            "a numerator of the panel is larger than its number of pupils, must be a part of it; "
            "check what the metric counts."
        )


def with_data(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of years in which their metric has data, by the registry.

    Raises
    ------
    DisclosureError
        If there is none.
    """
    empty = {
        (entry.time_period, name)
        for entry in registry.BREAKS
        if entry.kind == "no_data"
        for name in entry.metrics
    }
    blocks = zip(panel["time_period"], panel["metric"], strict=True)
    kept = panel.loc[np.array([block not in empty for block in blocks], dtype=np.bool_)]
    if kept.empty:
        raise DisclosureError(
            "the panel has no rows of a year with data, must hold school rows of returns; check "
            "years and metrics."
        )
    return kept


def shape_of(panel: pd.DataFrame, known: pd.DataFrame) -> Shape:
    """Lay out the cube: the phases of panel and ledger, and the panel's years, in order."""
    used = set(panel["phase"]) | (set(known["phase"]) - {names.TOTAL})
    phases = tuple(phase for phase in names.PHASES if phase in used)
    years = tuple(sorted(int(year) for year in panel["time_period"].unique()))
    keys = ["unit_id", "phase", "time_period"]
    rows = panel[keys].drop_duplicates().sort_values(keys, ignore_index=True)
    phase_at = pd.Index(phases).get_indexer(pd.Index(rows["phase"]))
    year_at = pd.Index(years).get_indexer(pd.Index(rows["time_period"]))
    return Shape(phases, years, rows, phase_at, year_at)


def school_sums(rows: pd.DataFrame, shape: Shape) -> Sums:
    """Return the sums of one metric as arrays of schools x leaf groups; no row counts nothing."""
    keys = list(shape.rows.columns)
    at = pd.MultiIndex.from_frame(shape.rows).get_indexer(pd.MultiIndex.from_frame(rows[keys]))
    group = pd.Index(names.LEAF_GROUPS).get_indexer(pd.Index(rows["group"]))
    out: Sums = {}
    for column in SUMS:
        out[column] = np.zeros((len(shape.rows), len(names.LEAF_GROUPS)))
        out[column][at, group] = rows[column].astype("Float64").to_numpy("float64", na_value=np.nan)
    return out


def metric_cells(
    metric: str, sums: Sums, pupils: Counts, numerator: Counts | None, shape: Shape
) -> pd.DataFrame:
    """Return every cell of a metric: rounded counts, and the true sums that decide on hiding."""
    cells = pd.DataFrame(index=shape.index(metric))
    cells["pupils"] = add_up(pupils).ravel()
    cells["numerator"] = pd.NA if numerator is None else add_up(numerator).ravel()
    for column in SUMS:
        cells[f"true_{column}"] = add_up(shape.leaf_sums(sums[column])).ravel()
    schools, largest = _schools(sums["pupils"], shape)
    cells["schools"], cells["largest"] = schools.ravel(), largest.ravel()
    return cells.astype({"pupils": "Int64", "numerator": "Int64"})


def _schools(
    pupils: NDArray[np.float64], shape: Shape
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return how many schools a cell's children attend, and how many attend the largest."""
    groups = len(GROUPS)
    size = (groups, len(shape.phases) + 1, len(shape.years))
    schools, largest = np.zeros(size, dtype=np.int64), np.zeros(size)
    of_groups = pupils @ GROUP_MEMBERS.T
    unit = pd.factorize(shape.rows["unit_id"])[0]
    pair = unit * len(shape.years) + shape.year_at
    pairs, first, at = np.unique(pair, return_index=True, return_inverse=True)
    whole = np.zeros((len(pairs), groups))
    np.add.at(whole, at, of_groups)  # a school that changed its phase is one school in the total
    total = np.full(len(pairs), len(shape.phases))
    for counts, phase, year in (
        (of_groups, shape.phase_at, shape.year_at),
        (whole, total, shape.year_at[first]),
    ):
        for group, column in enumerate(counts.T):
            np.add.at(schools[group], (phase, year), (column > 0).astype(np.int64))
            np.maximum.at(largest[group], (phase, year), column)
    return schools, largest
