"""What else stands in the way: how many of the cohort have SEN, are poor, suspended or move."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError, require_columns, require_one_of, require_one_vintage
from vsh_eval.metrics.barriers_by_school import Barrier, by_school, counted_once
from vsh_eval.metrics.clusters import Moments
from vsh_eval.metrics.door import GROUPS, leaves_of
from vsh_eval.metrics.gaps import require_two_groups
from vsh_eval.metrics.measured import quotient
from vsh_eval.numerics import proportions

BARRIER_COLUMNS = (
    "geographic_level",
    "unit_id",
    "time_period",
    "phase",
    "barrier",
    "group",
    "reference",
    "group_pupils",
    "reference_pupils",
    "group_numerator",
    "reference_numerator",
    "group_level",
    "group_level_lower",
    "group_level_upper",
    "group_std_error",
    "reference_level",
    "reference_level_lower",
    "reference_level_upper",
    "reference_std_error",
    "gap",
    "gap_lower",
    "gap_upper",
    "gap_std_error",
    "df",
    "ratio",
    "unit",
    "gap_unit",
    "source",
    "vintage",
    "cohort_rule",
    "status",
)
TRAITS: Mapping[str, tuple[str, object]] = MappingProxyType(
    {"sen_support": ("sen", "K"), "ehc_plan": ("sen", "E"), "fsm6": ("fsm6", 1)}
)
"""Barriers that are traits of the children: the column and the value that count."""

EVENTS = ("pupils_suspended", "permanent_exclusion", "school_move")
"""Barriers that are metrics of their own, where the registry and the composition have them."""

_POPULATION = "overall_absence"
_CELL = ["unit_id", "time_period", "phase"]
_SUMS = ["pupils", "numerator", "denominator"]
_SIDES = ("group", "reference")


def barriers(
    composition: pd.DataFrame,
    *,
    group: str,
    reference: str,
    moments: Moments | None = None,
    population: str = _POPULATION,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Measure how much more often the group meets barriers to learning than the reference.

    Parameters
    ----------
    composition : DataFrame
        Sums by authority, phase, year, group, stratum and metric (``names.COMPOSITION_COLUMNS``).
    group, reference : str
        Whose share is set beside whose.
    moments : Moments, optional
        How far the same pupils' schools differ, and how many they are. Without it children count
        as independent, and intervals are too narrow.
    population : str
        The metric whose children are counted for SEN and free school meals; each of suspensions,
        exclusions and moves has its own.
    alpha : float
        One less the coverage of the intervals.

    Returns
    -------
    DataFrame
        `BARRIER_COLUMNS`, one row for each phase (and the total of phases), year and `barrier`:
        sen_support, ehc_plan, fsm6 (free school meals at any time in six years), and, where the
        composition has them, pupils_suspended, permanent_exclusion and school_move. Levels in %,
        the gap in percentage points, group minus reference; the ratio is without unit. Standard
        errors and degrees of freedom are NaN where children count as independent, and errors where
        none or all of them count. A group without children has NaN and the status z; a year in
        which the population has no data has no row.

    Raises
    ------
    ContractError
        If a column is missing, a name is unknown, the groups are the same, the population has no
        row, or moments are of other pupils.
    VintageError, CohortRuleError
        If two vintages or cohort rules stand side by side.

    Notes
    -----
    Shares of children's enrolments in the authority: a child who moves counts in each school.
    With moments all is clustered by school, as `gaps` is: limits of a share on the logit scale
    (Wilson's where none or all of the children count, or a trait's are all in one school), joined
    for the gap with their covariance. An event has the limits that `gaps` gives to its metric. A
    trait's share is sum of X where the trait is, over the sum of X, in a metric that counts each
    child of the population once: the population itself, or persistent absence. Where the
    composition has neither, and without moments, a share has Wilson's interval and a gap
    Newcombe's, children taken as independent; a reference that contains the group then makes the
    gap's interval rather too wide. A barrier beside the gap is not a cause of it.

    Examples
    --------
    >>> one = {
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "la", "unit_id": "E06000049", "time_period": 202425, "phase": "primary",
    ...     "metric": "overall_absence", "sex": "F", "year_group": 4, "fsm6": 0,
    ...     "numerator": 1.0, "denominator": 190, "sum_yy": 0.0, "sum_xy": 0.0, "sum_xx": 0.0,
    ...     "rate": float("nan"), "status": "",
    ... }
    >>> rows = [("cin", "N", 40), ("cin", "E", 20), ("peers", "N", 900), ("peers", "E", 50)]
    >>> table = pd.DataFrame([one | {"group": g, "sen": s, "pupils": n} for g, s, n in rows])
    >>> found = barriers(table, group="cwsw", reference="peers")
    >>> plan = found[(found["barrier"] == "ehc_plan") & (found["phase"] == "total")].iloc[0]
    >>> plan[["group_level", "reference_level", "gap"]].astype(float).round(1).tolist()
    [33.3, 5.3, 28.1]
    """
    require_columns(composition, names.COMPOSITION_COLUMNS, name="composition")
    for name in (group, reference):
        require_one_of(name, GROUPS, name="group")
    require_two_groups(group, reference)
    require_one_vintage(composition)
    registry.metric(population)
    if not (composition["metric"] == population).any():
        raise ContractError(
            f"the composition has no row of {population}, must have some to count children by; "
            "name a population that it holds."
        )
    parts = [
        _compared(counts, barrier, group, reference, alpha=alpha)
        for barrier, counts in _counts(composition, population)
    ]
    counted = pd.concat(parts, ignore_index=True)
    asked = _asked(composition, population) if moments is not None else []
    if moments is not None and asked:
        found = by_school(composition, asked, (group, reference), moments, alpha=alpha)
        counted = _clustered(counted, found)
    first = composition.iloc[0]
    table = counted.assign(
        geographic_level=names.LA,
        group=group,
        reference=reference,
        unit="%",
        gap_unit="percentage points",
        **{name: first[name] for name in ("source", "vintage", "cohort_rule")},
    )
    return _ordered(table)


def _counts(composition: pd.DataFrame, population: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each barrier with children and how many of them meet it, by cell and leaf group."""
    keys = [*_CELL, "group", "metric"]
    numbers = composition.astype(dict.fromkeys(_SUMS, np.float64))
    of_population = numbers[numbers["metric"] == population]
    for barrier, (column, value) in TRAITS.items():
        met = of_population["pupils"].where(of_population[column] == value, 0.0)
        counted = of_population.assign(numerator=met, denominator=of_population["pupils"])
        yield barrier, counted.groupby(keys, as_index=False)[_SUMS].sum()
    for barrier in EVENTS:
        rows = numbers[numbers["metric"] == barrier]
        if len(rows):
            yield barrier, rows.groupby(keys, as_index=False)[_SUMS].sum()


def _asked(composition: pd.DataFrame, population: str) -> list[Barrier]:
    """Return each barrier with the metric that it is measured by, where there is one."""
    there = set(composition["metric"])
    found = [Barrier(event, event) for event in EVENTS if event in there]
    once = counted_once(composition, population)
    if once is None:
        return found
    traits = [(name, by, names.BREAKDOWNS[by][code]) for name, (by, code) in TRAITS.items()]
    return [*(Barrier(name, once, (by, value)) for name, by, value in traits), *found]


def _clustered(counted: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Put limits and errors by school in the place of those of independent children."""
    keys = [*_CELL, "barrier"]
    placed = counted[keys].merge(found, how="left", on=keys, indicator=True)
    known = (placed["_merge"] == "both").to_numpy()
    columns = [str(name) for name in found if name not in keys]
    return counted.assign(**{name: placed[name].where(known, counted[name]) for name in columns})


def _compared(
    counts: pd.DataFrame, barrier: str, group: str, reference: str, *, alpha: float
) -> pd.DataFrame:
    """Return a barrier's rows: both shares with their limits, and the gap."""
    totals = counts.assign(phase=names.TOTAL)
    both = pd.concat([counts, totals], ignore_index=True)
    cells = both[_CELL].drop_duplicates(ignore_index=True)
    columns, sides, status = {}, [], np.full(len(cells), "", dtype=object)
    for side, name in zip(_SIDES, (group, reference), strict=True):
        chosen = both[both["group"].isin(leaves_of(name))]
        summed = chosen.groupby(_CELL, as_index=False)[["numerator", "denominator"]].sum()
        placed = cells.merge(summed, how="left", on=_CELL)[["numerator", "denominator"]].fillna(0.0)
        met, children = (placed[column].to_numpy(np.float64) for column in placed)
        level, limits = quotient(met, children), proportions.wilson(met, children, alpha=alpha)
        sides.append((level, *limits))
        status[children == 0] = names.NOT_APPLICABLE
        columns |= {
            f"{side}_pupils": pd.array(children, dtype="Float64").astype("Int64"),
            f"{side}_numerator": pd.array(met, dtype="Float64").astype("Int64"),
            f"{side}_level": 100 * level,
            f"{side}_level_lower": 100 * limits[0],
            f"{side}_level_upper": 100 * limits[1],
            f"{side}_std_error": np.nan,
        }
    lower, upper = proportions.difference_limits(sides[0], sides[1])
    return cells.assign(
        barrier=barrier,
        **columns,
        gap=100 * (sides[0][0] - sides[1][0]),
        gap_lower=100 * lower,
        gap_upper=100 * upper,
        gap_std_error=np.nan,
        df=np.nan,
        ratio=quotient(sides[0][0], sides[1][0]),
        status=status,
    )


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by area, barrier, phase and year."""
    orders = {"barrier": [*TRAITS, *EVENTS], "phase": list(names.PHASE_LABELS)}
    ranked = {name: pd.Categorical(table[name], order).codes for name, order in orders.items()}
    keys = pd.DataFrame({"unit_id": table["unit_id"], **ranked, "year": table["time_period"]})
    order = keys.sort_values(list(keys.columns), kind="stable").index
    return table.loc[order, list(BARRIER_COLUMNS)].reset_index(drop=True)
