"""What every room does with the panel: what is compared, its checks, sums of groups."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import academic_year, names, registry
from vsh_eval.cells.shield import EXACT, Shield
from vsh_eval.contracts import (
    ContractError,
    require_columns,
    require_one_of,
    require_one_vintage,
    row_count,
)

RETURNS = "returns"
PUBLISHED = "published"
PUBLISHED_GROUPS = (names.CIN, names.CPP, names.CLA, names.CWSW, names.ALL)
"""The groups DfE's tables give, with the one sum that can be made of them."""

GROUPS = (*names.LEAF_GROUPS, *names.GROUP_SUMS)
SCHOOL_GAP_COLUMNS = (
    *("unit_id", "phase", "time_period", "metric", "outcome", "group_level", "reference_level"),
    *("weight", "pupils", "reference_pupils"),
)
_NEEDED = (*names.PANEL_KEYS, *names.PANEL_SUMS, "rate", "status")
_SUMS = ["numerator", "denominator", "pupils"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which gap is asked for: group minus reference.

    Attributes
    ----------
    group, reference : str
        Whose level is compared with whose. `all` includes the group; published tables have no
        other reference than `all` and the groups they count.
    metrics : tuple of str or None
        Metrics by name; None for all of the panel's.
    baseline : int or None
        The academic year that changes are counted from, for example 201819; None where no change
        is asked for.
    unit_id : str
        The authority's code, for a panel of returns. Published rows keep their own.

    Raises
    ------
    ContractError
        If group and reference are the same.

    Examples
    --------
    >>> Comparison("cwsw", "peers").pair
    ('cwsw', 'peers')
    """

    group: str
    reference: str
    metrics: tuple[str, ...] | None = None
    baseline: int | None = None
    unit_id: str = ""

    def __post_init__(self) -> None:
        if self.group == self.reference:
            raise ContractError(
                f"group and reference are both {self.group!r}, must differ; choose 'peers' or "
                "'all' as the reference."
            )

    @property
    def pair(self) -> tuple[str, str]:
        """Group and reference."""
        return self.group, self.reference

    def of(self, *metrics: str) -> Self:
        """Return the same comparison of some metrics."""
        return replace(self, metrics=metrics)


@dataclass(frozen=True, slots=True, eq=False)
class ProtectedTable:
    """A panel or composition whose cells may only be shown through a shield.

    Attributes
    ----------
    frame : DataFrame
        The exact sums, with record keys.
    shield : Shield
        What protects each cell made of them.
    """

    frame: pd.DataFrame
    shield: Shield


Panel = pd.DataFrame | ProtectedTable
"""What functions of the panel or composition take: exact sums, or the same behind a shield."""


@dataclass(frozen=True, slots=True)
class PanelSlice:
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
    shield : Shield
        What protects each cell; for exact sums and for published figures one that changes nothing.
    """

    panel: pd.DataFrame
    source: str
    vintage: str
    cohort_rule: str
    years: tuple[int, ...]
    metrics: tuple[registry.Metric, ...]
    shield: Shield


def validate_panel(
    panel: Panel, *, groups: Sequence[str], metrics: Sequence[str] | None = None
) -> PanelSlice:
    """Check a panel, the groups and the metrics before anything is counted.

    Raises
    ------
    ContractError
        If the panel is empty or lacks a column, a group or a metric is unknown, the metrics' rows
        mix sources, or a group is not published.
    VintageError, CohortRuleError
        If the metrics' rows are of two vintages or two cohort rules.
    """
    panel, shield = opened(panel)
    protected = () if shield is EXACT else names.RECORD_KEYS
    require_columns(panel, (*_NEEDED, *protected), name="panel")
    if panel.empty:
        raise ContractError("panel has no rows, must have at least one; check years and metrics.")
    for group in groups:
        require_one_of(group, GROUPS, name="group")
    wanted = _metrics(panel, metrics)
    requested = panel[panel["metric"].isin([entry.name for entry in wanted])]
    rows = panel if requested.empty else requested
    source = _one_source(rows)
    require_one_vintage(rows)
    if source == RETURNS:
        _check_returns(rows, groups)
    else:
        _check_published(rows, groups)
    years = panel["time_period"]
    return PanelSlice(
        panel=requested,
        source=source,
        vintage=str(rows["vintage"].iloc[0]),
        cohort_rule=str(rows["cohort_rule"].iloc[0]),
        years=tuple(academic_year.span(int(years.min()), int(years.max()))),
        metrics=wanted,
        shield=EXACT if source == PUBLISHED else shield,
    )


def slice_for(panel: Panel, comparison: Comparison) -> PanelSlice:
    """Check a panel for a comparison, as `validate_panel` does.

    Raises
    ------
    ContractError
        If the baseline is not a year of the panel, or what `validate_panel` refuses.
    """
    panel_slice = validate_panel(panel, groups=comparison.pair, metrics=comparison.metrics)
    if comparison.baseline is not None:
        require_baseline(panel_slice, comparison.baseline)
    return panel_slice


def opened(table: Panel) -> tuple[pd.DataFrame, Shield]:
    """Return a table's exact sums and the shield before them."""
    if isinstance(table, ProtectedTable):
        return table.frame, table.shield
    return table, EXACT


def shielded(table: pd.DataFrame, shield: Shield) -> Panel:
    """Return exact sums with a shield before them: the reverse of `opened`."""
    return table if shield is EXACT else ProtectedTable(table, shield)


def is_published(table: pd.DataFrame) -> bool:
    """Return whether a table has rows and all are of published figures, which are public."""
    return "source" in table and len(table) > 0 and bool(table["source"].eq(PUBLISHED).all())


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


def require_returns(sliced: PanelSlice, purpose: str, *, why: str = "have no schools") -> None:
    """Refuse a published panel where schools or pupils are needed.

    Parameters
    ----------
    sliced : PanelSlice
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
    if sliced.source != RETURNS:
        raise ContractError(
            f"source is {sliced.source!r}, must be 'returns' for {purpose}; published tables {why}."
        )


def require_baseline(sliced: PanelSlice, baseline: int) -> None:
    """Refuse a baseline year that is not of the panel's range.

    Raises
    ------
    ContractError
        If it is not.
    """
    if baseline not in sliced.years:
        raise ContractError(
            f"baseline is {baseline}, must be one of the panel's academic years "
            f"{academic_year.label(sliced.years[0])} to {academic_year.label(sliced.years[-1])}."
        )


def comparable(metric: registry.Metric, years: Sequence[int]) -> np.ndarray:
    """Return, year by year, whether a metric has data that may be compared."""
    usable = registry.comparable_years(metric.name, set(years))
    return np.isin(np.asarray(years), np.asarray(usable, dtype=np.int64))


def within_school_gaps(
    panel: pd.DataFrame, *, metric: str, group: str, reference: str
) -> pd.DataFrame:
    """Measure both levels and the gap within each school and year. Stays internal.

    Whatever shocks a whole school cancels in the gap. The outcomes that effects are estimated on
    are its columns, all on the same cells and weights, so the effect on the gap is exactly the
    effect on the group's level less the effect on the reference's.

    Parameters
    ----------
    panel : DataFrame
        A panel of returns: rows are schools.
    metric : str
        The outcome, by its name in the registry.
    group, reference : str
        The gap is group minus reference; sums such as `cwsw` are made from their parts.

    Returns
    -------
    DataFrame
        `SCHOOL_GAP_COLUMNS`, one row for each school and year in which both groups have pupils,
        sorted. `group_level` and `reference_level` are in the metric's unit, `outcome` is their
        difference; `weight` is the group's denominator (possible sessions for absence, pupils
        otherwise); `pupils` and `reference_pupils` count enrolments. Only years that the registry
        allows in a trend; no missing values.

    Raises
    ------
    ContractError
        If the panel is published (it has no schools), a name is unknown, or the groups are equal.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

    Notes
    -----
    outcome = scale x (Y / X of the group - Y / X of the reference) of one school in one year.

    Examples
    --------
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": "100001", "time_period": 202425, "phase": "primary",
    ...     "group": ["cin", "cpp", "peers"], "metric": "overall_absence", "pupils": [2, 1, 20],
    ...     "numerator": [60.0, 60.0, 300.0], "denominator": [600.0, 300.0, 6000.0],
    ...     "sum_yy": 0.0, "sum_xy": 0.0, "sum_xx": 0.0, "rate": float("nan"), "status": "",
    ... })
    >>> gaps = within_school_gaps(panel, metric="overall_absence", group="cwsw", reference="peers")
    >>> gaps.loc[0, ["outcome", "group_level", "weight", "pupils"]].astype(float).round(2).tolist()
    [8.33, 13.33, 900.0, 3.0]
    """
    pair = Comparison(group, reference).pair
    sliced = validate_panel(panel, groups=pair, metrics=[metric])
    require_returns(
        sliced, "gaps within schools", why="have no schools, so compare areas with gaps instead"
    )
    measure = registry.metric(metric)
    rows = sliced.panel
    rows = rows[rows["time_period"].isin(registry.comparable_years(metric, sliced.years))]
    first, second = (school_sums(rows, name) for name in pair)
    both = first.join(second.add_suffix("_reference"), how="inner")
    both = both[(both["denominator"] > 0) & (both["denominator_reference"] > 0)]
    both = both.assign(
        metric=metric,
        group_level=measure.scale * both["numerator"] / both["denominator"],
        reference_level=measure.scale * both["numerator_reference"] / both["denominator_reference"],
        weight=both["denominator"],
        pupils=both["pupils"].astype("int64"),
        reference_pupils=both["pupils_reference"].astype("int64"),
    )
    both = both.assign(outcome=both["group_level"] - both["reference_level"]).reset_index()
    text = dict.fromkeys(("unit_id", "phase", "metric"), "str")
    return both.astype(text)[list(SCHOOL_GAP_COLUMNS)]


def school_sums(rows: pd.DataFrame, group: str) -> pd.DataFrame:
    """Sum a group's parts in each school and year, by unit_id, phase and time_period.

    Examples
    --------
    >>> rows = pd.DataFrame({"unit_id": "1", "phase": "primary", "time_period": 202425,
    ...     "group": ["cin", "cpp", "peers"], "numerator": 1.0, "denominator": 2.0, "pupils": 3})
    >>> school_sums(rows, "cwsw")["pupils"].tolist()
    [6.0]
    """
    chosen = rows[rows["group"].isin(leaves_of(group))]
    keys = ["unit_id", "phase", "time_period"]
    return chosen.astype(dict.fromkeys(_SUMS, np.float64)).groupby(keys, sort=True)[_SUMS].sum()


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
        codes = panel[column].unique()
        for value in codes:
            require_one_of(str(value), allowed, name=f"{column} in a panel of returns")
    for column in ("pupils", "numerator", "denominator"):
        missing = int(panel[column].isna().sum())
        if missing:
            raise ContractError(
                f"{column} is missing in {row_count(missing)} of the panel of returns, must be a "
                "number in every row; leave out cells without pupils."
            )
    if names.ALL in groups and not panel["group"].eq(names.PEERS).any():
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
            f"panel has {row_count(twice)} twice, must have one row for each unit, year, phase, "
            "group and metric; remove the duplicates."
        )


def _metrics(panel: pd.DataFrame, wanted: Sequence[str] | None) -> tuple[registry.Metric, ...]:
    """Return the metrics asked for, or those of the panel, in the order of the registry."""
    chosen = {str(name) for name in (panel["metric"].unique() if wanted is None else wanted)}
    for name in chosen:
        registry.metric(name)
    return tuple(entry for entry in registry.METRICS.values() if entry.name in chosen)
