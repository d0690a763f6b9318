"""What every comparison checks before it counts: one source, one vintage, one cohort rule."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import academic_year, names, registry
from vsh_eval.contracts import (
    ContractError,
    require_columns,
    require_one_of,
    require_one_vintage,
)

RETURNS = "returns"
PUBLISHED = "published"
PUBLISHED_GROUPS = (names.CIN, names.CPP, names.CLA, names.CWSW, names.ALL)
"""The groups DfE's tables give, with the one sum that can be made of them."""

GROUPS = (*names.LEAF_GROUPS, *names.GROUP_SUMS)


@dataclass(frozen=True, slots=True)
class Entry:
    """A panel that may be compared.

    Attributes
    ----------
    panel : DataFrame
        Its rows for the metrics asked for.
    source : {"returns", "published"}
        Whether the rows are schools to be summed or areas as published.
    vintage, cohort_rule : str
        The one value of each.
    years : tuple of int
        Every academic year from the panel's first to its last.
    metrics : tuple of Metric
        The metrics asked for, in the order of the registry.
    """

    panel: pd.DataFrame
    source: str
    vintage: str
    cohort_rule: str
    years: tuple[int, ...]
    metrics: tuple[registry.Metric, ...]


def enter(
    panel: pd.DataFrame,
    *,
    groups: Sequence[str],
    metrics: Sequence[str] | None = None,
    alpha: float = 0.05,
) -> Entry:
    """Check a panel, the groups and the metrics before anything is counted.

    Raises
    ------
    ContractError
        If the panel is empty, lacks a column or mixes sources, a group or a metric is unknown, a
        group is not published, or alpha is not between 0 and 1.
    VintageError, CohortRuleError
        If the panel holds rows of two vintages or two cohort rules.
    """
    require_columns(panel, names.PANEL_COLUMNS, name="panel")
    if not 0 < alpha < 1:
        raise ContractError(
            f"alpha is {alpha!r}, must be between 0 and 1; write 0.05 for intervals of 95%."
        )
    if panel.empty:
        raise ContractError("panel has no rows, must have at least one; check years and metrics.")
    for group in groups:
        require_one_of(group, GROUPS, name="group")
    source = _one_source(panel)
    require_one_vintage(panel)
    if source == RETURNS:
        _check_returns(panel, groups)
    else:
        _check_published(panel, groups)
    wanted = _metrics(panel, metrics)
    years = panel["time_period"]
    return Entry(
        panel=panel[panel["metric"].isin([entry.name for entry in wanted])],
        source=source,
        vintage=str(panel["vintage"].iloc[0]),
        cohort_rule=str(panel["cohort_rule"].iloc[0]),
        years=tuple(academic_year.span(int(years.min()), int(years.max()))),
        metrics=wanted,
    )


def leaves_of(group: str) -> tuple[str, ...]:
    """Return the leaf groups that make a group; a leaf group makes itself.

    Examples
    --------
    >>> leaves_of("cwsw"), leaves_of("peers")
    (('cin', 'cpp'), ('peers',))
    """
    return names.GROUP_SUMS.get(group, (group,))


def member_of(group: str) -> NDArray[np.float64]:
    """Return 1 for each leaf group that is part of a group, else 0.

    Examples
    --------
    >>> member_of("cwsw").tolist()
    [0.0, 1.0, 1.0, 0.0, 0.0]
    """
    leaves = leaves_of(group)
    return np.array([float(leaf in leaves) for leaf in names.LEAF_GROUPS])


def require_returns(entry: Entry, purpose: str, *, why: str = "have no schools") -> None:
    """Refuse a published panel where schools or pupils are needed.

    Parameters
    ----------
    entry : Entry
        The panel.
    purpose : str
        What it is needed for.
    why : str
        What published tables lack for it.

    Raises
    ------
    ContractError
        If the panel is published.
    """
    if entry.source != RETURNS:
        raise ContractError(
            f"source is {entry.source!r}, must be 'returns' for {purpose}; published tables {why}."
        )


def require_baseline(entry: Entry, baseline: int) -> None:
    """Refuse a baseline year that is not of the panel's range.

    Raises
    ------
    ContractError
        If it is not.
    """
    if baseline not in entry.years:
        raise ContractError(
            f"baseline is {baseline}, must be one of the panel's academic years "
            f"{academic_year.label(entry.years[0])} to {academic_year.label(entry.years[-1])}."
        )


def comparable(metric: registry.Metric, years: Sequence[int]) -> np.ndarray:
    """Return, year by year, whether a metric has data that may be compared."""
    usable = registry.comparable_years(metric.name, set(years))
    return np.isin(np.asarray(years), np.asarray(usable, dtype=np.int64))


def _one_source(panel: pd.DataFrame) -> str:
    sources = sorted(panel["source"].dropna().unique())
    if len(sources) > 1:
        raise ContractError(
            f"source is both {sources[0]!r} and {sources[1]!r}, must be one value within a "
            "comparison; select the rows of one source first."
        )
    return require_one_of(str(sources[0]), (RETURNS, PUBLISHED), name="source")


def _check_returns(panel: pd.DataFrame, groups: Sequence[str]) -> None:
    """Refuse rows that would be counted twice or not at all."""
    for column, allowed in (
        ("level", (names.SCHOOL,)),
        ("group", names.LEAF_GROUPS),
        ("phase", names.PHASES),
    ):
        found = panel[column].unique()
        for value in found:
            require_one_of(str(value), allowed, name=f"{column} in a panel of returns")
    for column in ("pupils", "numerator", "denominator"):
        missing = int(panel[column].isna().sum())
        if missing:
            raise ContractError(
                f"{column} is missing in {missing} rows of the panel of returns, must be a number "
                "in every row; leave out cells without pupils."
            )
    if names.ALL in groups and names.PEERS not in set(panel["group"]):
        raise ContractError(
            "group 'all' needs the peers, and the panel has no rows of them; build the panel with "
            "every enrolled pupil."
        )


def _check_published(panel: pd.DataFrame, groups: Sequence[str]) -> None:
    """Refuse groups that DfE does not publish and rows given twice."""
    for group in groups:
        if group not in PUBLISHED_GROUPS:
            raise ContractError(
                f"group is {group!r}, but published tables only have 'all' to compare with and "
                f"the groups {', '.join(PUBLISHED_GROUPS[:-1])}; choose one of these."
            )
    twice = int(panel.duplicated(list(names.PANEL_KEYS)).sum())
    if twice:
        raise ContractError(
            f"panel has {twice} rows twice, must have one row for each unit, year, phase, group "
            "and metric; remove the duplicates."
        )


def _metrics(panel: pd.DataFrame, wanted: Sequence[str] | None) -> tuple[registry.Metric, ...]:
    """Return the metrics asked for, or those of the panel, in the order of the registry."""
    chosen = {str(name) for name in (panel["metric"].unique() if wanted is None else wanted)}
    for name in chosen:
        registry.metric(name)
    return tuple(entry for entry in registry.METRICS.values() if entry.name in chosen)
