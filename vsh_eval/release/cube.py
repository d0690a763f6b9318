"""From a returns panel to the cube of rounded leaves that every shown level comes from.

A leaf is one group of children in one phase and year; its counts are the number of children N and,
for metrics that count children, the numerator. Everything shown is a sum of rounded leaves or a
ratio of two such sums.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names, registry
from vsh_eval.release import ledger as ledgers
from vsh_eval.release.complement import complement
from vsh_eval.release.hiding import judge
from vsh_eval.release.leaves import (
    Shape,
    Sums,
    metric_cells,
    refuse,
    school_sums,
    shape_of,
    with_data,
)
from vsh_eval.release.rounding import Counts, round_controlled
from vsh_eval.release.rules import Rule

CELL_KEYS = ("time_period", "phase", "group", "metric")
NESTED = {"severe_absence": "persistent_absence"}
"""Numerators that are part of another numerator: half of the sessions is more than a tenth."""


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
    >>> from vsh_eval.release.rules import rule_named
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
    if registry.metric(one).topic != registry.metric(two).topic:
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
    rounded: dict[str, Counts] = {}
    for metrics in _populations(by_school, shape):
        counts = np.maximum.reduce([by_school[metric]["pupils"] for metric in metrics])
        leaves = shape.leaf_sums(counts).astype(np.int64)
        fixed = _published(known, metrics, "pupils", shape)
        parts = [
            shape.leaf_sums(by_school[metric]["numerator"]).astype(np.int64)
            for metric in metrics
            if registry.metric(metric).counts == "children"
        ]
        shared = round_controlled(leaves, rule, parts=parts, fixed=fixed, seed=seed)
        rounded |= dict.fromkeys(metrics, shared)
    return rounded


def _round_numerators(
    by_school: Mapping[str, Sums],
    rounded_n: Mapping[str, Counts],
    known: pd.DataFrame,
    shape: Shape,
    rule: Rule,
    seed: int,
) -> dict[str, Counts]:
    rounded: dict[str, Counts] = {}
    counted = [name for name in by_school if registry.metric(name).counts == "children"]
    for metric in sorted(counted, key=lambda name: (name in NESTED, name)):
        ceiling = rounded_n[metric]
        parent = NESTED.get(metric)
        if parent in rounded:
            # A parent without data in a year bounds nothing there.
            has = np.isin(np.arange(len(shape.years)), _years_of(by_school[parent], shape))
            ceiling = np.where(has, np.minimum(ceiling, rounded[parent]), ceiling)
        leaves, children = (
            shape.leaf_sums(by_school[metric][column]).astype(np.int64)
            for column in ("numerator", "pupils")
        )
        rounded[metric] = round_controlled(
            leaves,
            rule,
            ceiling=ceiling,
            whole=(children, rounded_n[metric]),
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
