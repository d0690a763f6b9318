"""From a returns panel to the cube of rounded leaves that every shown level comes from.

A leaf is one group of children in one phase and year; its counts are the number of children N and,
for metrics that count children or events, the numerator. Everything shown is a sum of rounded
leaves or a ratio of two such sums.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names, registry
from vsh_eval.release.disclosure import ledger as ledgers
from vsh_eval.release.disclosure.complement import complement
from vsh_eval.release.disclosure.hiding import judge
from vsh_eval.release.disclosure.leaves import (
    Shape,
    Sums,
    metric_cells,
    refuse,
    school_sums,
    shape_of,
    with_data,
)
from vsh_eval.release.disclosure.nested import NESTED, inside, rounding_order
from vsh_eval.release.disclosure.other_rules import hide_beside_other_rules
from vsh_eval.release.disclosure.rounding import Counts, Nest, round_controlled
from vsh_eval.release.disclosure.rules import Rule

CELL_KEYS = ("time_period", "phase", "group", "metric")
_WHOLE_NUMBERS = ("children", "events")


@dataclass(frozen=True, slots=True, eq=False)
class RoundedCube:
    """The rounded leaves of one panel, their sums, and what of them may be shown.

    Attributes
    ----------
    rule : Rule
        The rule they were rounded by.
    cohort_rule : str
        Who counts as having a social worker.
    cells : DataFrame
        Every cell, groups' sums and the total of the phases included: the cell's keys, rounded
        ``pupils`` and ``numerator`` (missing where the numerator counts sessions or points),
        the displayed ``level``, and the symbols ``pupils_status`` and ``status``.
    ledger : DataFrame
        What to store with the release and hand to the next one.
    """

    rule: Rule
    cohort_rule: str
    cells: pd.DataFrame = field(repr=False)
    ledger: pd.DataFrame = field(repr=False)
    _exact: pd.DataFrame = field(repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        """The rounded leaves: phase x year x group x metric, ``pupils`` and ``numerator``."""
        leaf = self.cells["group"].isin(names.LEAF_GROUPS) & (self.cells["phase"] != names.TOTAL)
        columns = [*CELL_KEYS, "pupils", "numerator"]
        return self.cells.loc[leaf, columns].reset_index(drop=True)


def round_leaves(
    panel: pd.DataFrame, rule: Rule, *, ledger: pd.DataFrame | None = None, seed: int = 0
) -> RoundedCube:
    """Round the leaves of a panel once; everything shown is derived from them.

    Parameters
    ----------
    panel : DataFrame
        School rows of returns (the panel's contract): leaf groups only, one vintage, one cohort
        rule. A leaf without a row counts no child.
    rule : Rule
        The disclosure rule.
    ledger : DataFrame, optional
        What the last release stored: its years stay as first published, new ones are rounded.
    seed : int
        Decides between roundings that would do equally well. The same panel and seed always give
        the same cube, whatever the order of the rows.

    Returns
    -------
    RoundedCube
        N differs by metric (pupils with possible sessions, pupils at the end of a key stage);
        metrics over the same children share one rounded N.

    Raises
    ------
    ContractError
        If a column is missing, or two vintages or cohort rules stand side by side.
    DisclosureError
        If the panel holds totals, unknown groups, a cell twice, negative or broken counts of
        children, or a numerator above its N.

    Examples
    --------
    >>> from vsh_eval.release.disclosure.rules import rule_named
    >>> row = {"source": "returns", "vintage": "2025", "cohort_rule": "any_time_in_year",
    ...        "level": "school", "time_period": 202425, "phase": "primary", "status": "",
    ...        "metric": "persistent_absence", "denominator": 7, "sum_yy": 4.0, "sum_xy": 4.0,
    ...        "sum_xx": 7.0, "rate": None, "pupils": 7, "numerator": 4.0, "group": "cin"}
    >>> panel = pd.DataFrame([row | {"unit_id": str(school)} for school in range(6)])
    >>> cube = round_leaves(panel, rule_named("strict10"))
    >>> cube.frame.query("group == 'cin'")[["pupils", "numerator"]].values.tolist()
    [[40, 25]]
    """
    refuse(panel)
    panel = with_data(panel)
    old = ledgers.read_ledger(ledger, rule)
    cohort_rule = str(panel["cohort_rule"].iloc[0])
    known = old.loc[old["cohort_rule"] == cohort_rule]
    shape = shape_of(panel, known)
    by_school = {
        str(metric): school_sums(rows, shape) for metric, rows in panel.groupby("metric", sort=True)
    }
    rounded_n = _round_pupils(by_school, known, shape, rule, seed)
    rounded_y = _round_numerators(by_school, rounded_n, known, shape, rule, seed)
    pieces = [
        metric_cells(metric, sums, rounded_n[metric], rounded_y.get(metric), shape)
        for metric, sums in by_school.items()
    ]
    exact = pd.concat(pieces).reset_index()
    blocks = pd.MultiIndex.from_frame(panel[["time_period", "metric"]].drop_duplicates())
    exact = exact.loc[pd.MultiIndex.from_frame(exact[["time_period", "metric"]]).isin(blocks)]
    exact = complement(judge(exact.reset_index(drop=True), rule), rule)
    return sealed(exact, rule, cohort_rule, old)


def sealed(exact: pd.DataFrame, rule: Rule, cohort_rule: str, old: pd.DataFrame) -> RoundedCube:
    """Return judged cells as a cube, years published before as they were.

    Parameters
    ----------
    exact : DataFrame
        From `judge` and `complement`.
    rule : Rule
        The disclosure rule.
    cohort_rule : str
        Who counts as having a social worker.
    old : DataFrame
        The whole ledger: cells published under other cohort rules stay in it.
    """
    known = old.loc[old["cohort_rule"] == cohort_rule]
    exact = hide_beside_other_rules(exact.reset_index(drop=True), old, cohort_rule, rule)
    cells = _as_first_published(exact, known).assign(cohort_rule=cohort_rule)
    shown = cells[[*CELL_KEYS, "pupils", "pupils_status", "numerator", "level", "status"]]
    store = old if rule.exact else ledgers.with_new(old, cells)
    return RoundedCube(rule, cohort_rule, shown, store, cells)


def _populations(by_school: Mapping[str, Sums], shape: Shape) -> list[list[str]]:
    """Group the metrics that are about the same children in every year they have in common."""
    found: list[list[str]] = []
    for metric in by_school:
        home = next(
            (same for same in found if all(_same(by_school, metric, m, shape) for m in same)), None
        )
        if home is None:
            found.append([metric])
        else:
            home.append(metric)
    return found


def _same(by_school: Mapping[str, Sums], one: str, two: str, shape: Shape) -> bool:
    if registry.metric(one).population != registry.metric(two).population:
        return False
    first, second = by_school[one]["pupils"], by_school[two]["pupils"]
    years = [set(shape.year_at[counts.any(axis=1)]) for counts in (first, second)]
    both = np.isin(shape.year_at, list(years[0] & years[1]))
    return bool((first[both] == second[both]).all())


def _published(known: pd.DataFrame, metrics: list[str], column: str, shape: Shape) -> Counts:
    """Return the leaves published before, -1 where their year is new.

    A leaf that a published year did not have stays at nought: adding it would be a correction.
    """
    out = np.full(shape.leaves, -1, dtype=np.int64)
    mine = known.loc[known["metric"].isin(metrics) & known["time_period"].isin(shape.years)]
    out[:, :, np.isin(shape.years, mine["time_period"])] = 0
    mine = mine.loc[mine["group"].isin(names.LEAF_GROUPS) & (mine["phase"] != names.TOTAL)]
    at = tuple(
        pd.Index(axis).get_indexer(pd.Index(mine[key]))
        for axis, key in (
            (names.LEAF_GROUPS, "group"),
            (shape.phases, "phase"),
            (shape.years, "time_period"),
        )
    )
    out[at] = mine[column].fillna(0).astype("int64").to_numpy()
    return out


def _round_pupils(
    by_school: Mapping[str, Sums], known: pd.DataFrame, shape: Shape, rule: Rule, seed: int
) -> dict[str, Counts]:
    """Round the populations, the largest first: none is rounded above one that holds it."""
    rounded: dict[str, Counts] = {}
    larger: list[tuple[NDArray[np.float64], Counts]] = []
    populations = [
        (np.maximum.reduce([by_school[metric]["pupils"] for metric in metrics]), metrics)
        for metrics in _populations(by_school, shape)
    ]
    for counts, metrics in sorted(populations, key=lambda found: (-found[0].sum(), found[1])):
        leaves = shape.leaf_sums(counts).astype(np.int64)
        fixed = _published(known, metrics, "pupils", shape)
        parts = [
            shape.leaf_sums(by_school[metric]["numerator"]).astype(np.int64)
            for metric in metrics
            if registry.metric(metric).counts == "children"
        ]
        shared = round_controlled(
            leaves,
            rule,
            ceiling=_held_by(counts, larger, shape),
            parts=parts,
            fixed=fixed,
            seed=seed,
        )
        rounded |= dict.fromkeys(metrics, shared)
        larger.append((counts, shared))
    return rounded


def _held_by(
    counts: NDArray[np.float64], larger: list[tuple[NDArray[np.float64], Counts]], shape: Shape
) -> Counts | None:
    """Return the least rounded number of the populations that hold this one in each year.

    A population holds another where it has as many children or more of every group in every
    school: the children with results at key stage 2 among those in year 6. A reader who knows that
    knows of both what is known of either.
    """
    ceiling: Counts | None = None
    unbounded = np.iinfo(np.int64).max
    mine = np.bincount(shape.year_at, counts.sum(axis=1), len(shape.years)) > 0
    for others, rounded in larger:
        theirs = np.bincount(shape.year_at, others.sum(axis=1), len(shape.years)) > 0
        both = mine & theirs
        if both.any() and (counts <= others)[both[shape.year_at]].all():
            bound = np.where(both, rounded, unbounded)
            ceiling = bound if ceiling is None else np.minimum(ceiling, bound)
    return ceiling


def _round_numerators(
    by_school: Mapping[str, Sums],
    rounded_n: Mapping[str, Counts],
    known: pd.DataFrame,
    shape: Shape,
    rule: Rule,
    seed: int,
) -> dict[str, Counts]:
    rounded: dict[str, Counts] = {}
    true = {
        name: shape.leaf_sums(sums["numerator"]).astype(np.int64)
        for name, sums in by_school.items()
        if registry.metric(name).counts in _WHOLE_NUMBERS
    }
    of_children = {name for name in true if registry.metric(name).counts == "children"}
    for metric in sorted(true, key=rounding_order):
        counts_children = metric in of_children
        children = shape.leaf_sums(by_school[metric]["pupils"]).astype(np.int64)
        # One child may have many events.
        ceiling = rounded_n[metric] if counts_children else None
        holders = [whole for whole in NESTED.get(metric, ()) if whole in rounded]
        for whole in holders:
            # A whole without data in a year bounds nothing there, nor one that is none.
            has = np.isin(np.arange(len(shape.years)), _years_of(by_school[whole], shape))
            bounds = has & (true[whole] >= true[metric])
            above = np.where(bounds, rounded[whole], np.iinfo(np.int64).max)
            ceiling = above if ceiling is None else np.minimum(ceiling, above)
        rounded[metric] = round_controlled(
            true[metric],
            rule,
            ceiling=ceiling,
            whole=(children, rounded_n[metric]) if counts_children else None,
            nest=Nest(
                [(true[name], rounded[name]) for name in holders if name in of_children],
                [true[name] for name in inside(metric) if name in true and counts_children],
            ),
            fixed=_published(known, [metric], "numerator", shape),
            seed=seed,
        )
    return rounded


def _years_of(sums: Sums, shape: Shape) -> NDArray[np.intp]:
    return np.unique(shape.year_at[sums["pupils"].any(axis=1)])


def _as_first_published(cells: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Put the ledger's cells in the place of this run's, wherever their year was published."""
    block = ["time_period", "metric"]
    old = pd.MultiIndex.from_frame(cells[block]).isin(pd.MultiIndex.from_frame(known[block]))
    cells = cells.assign(first_published=old)
    if not old.any():
        return cells
    columns = ["pupils", "pupils_status", "numerator", "level", "status"]
    keys = list(CELL_KEYS)
    first = cells.loc[old, keys].merge(known[[*keys, *columns]], how="left", on=keys)
    first["pupils"] = first["pupils"].fillna(0)
    for symbol in ("pupils_status", "status"):
        first[symbol] = first[symbol].fillna(names.CONFIDENTIAL)
    out = cells.copy()
    for column in columns:
        out.loc[old, column] = first[column].to_numpy()
    hidden = old & (out["status"] == names.CONFIDENTIAL)
    out.loc[hidden & (out["reason"] == ""), "reason"] = "first published"
    out.loc[old & (out["status"] == ""), "reason"] = ""
    return out
