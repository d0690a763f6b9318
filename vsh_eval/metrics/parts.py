"""Why a gap is as wide as it is, and why it moved: the parts that add up to it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval.contracts import ContractError
from vsh_eval.metrics.door import enter, require_baseline
from vsh_eval.metrics.gaps import require_two_groups
from vsh_eval.metrics.measured import Contrast, FloatArray, quotient
from vsh_eval.metrics.moves import Moves, taken
from vsh_eval.metrics.tables import Columns, cells_of, interval, same_text, table
from vsh_eval.numerics import contrasts, ratios

PART_COLUMNS = (
    "geographic_level",
    "unit_id",
    "time_period",
    "baseline",
    "phase",
    "metric",
    "group",
    "reference",
    "of",
    "part",
    "whole",
    "value",
    "value_lower",
    "value_upper",
    "value_std_error",
    "df",
    "share",
    "share_lower",
    "share_upper",
    "gap_unit",
    "source",
    "vintage",
    "cohort_rule",
    "comparable",
    "status",
)
WHOLE = "overall_absence"
PARTS = ("authorised_absence", "unauthorised_absence")
"""The metric whose gap is split, and the metrics it is the sum of."""

GAP, CHANGE, BESIDE = "gap", "change", "beside"
OWN, THEIRS = "group", "reference"


def parts(
    panel: pd.DataFrame,
    *,
    group: str,
    reference: str,
    baseline: int | None = None,
    metrics: Sequence[str] | None = None,
    unit_id: str = "",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Split gaps, and their changes since a baseline, into parts that add up to them.

    Parameters
    ----------
    panel : DataFrame
        The panel, from an authority's returns (schools) or from published tables (areas).
    group, reference : str
        The gap is group minus reference.
    baseline : int, optional
        The academic year that changes are counted from; without it only gaps are split.
    metrics : sequence of str, optional
        Metrics by name; all of the panel's if not given. Absence is split where it and both its
        parts are among them.
    unit_id : str
        The authority's code, for a panel of returns. Published rows keep their own.
    alpha : float
        One less the coverage of the intervals.

    Returns
    -------
    DataFrame
        `PART_COLUMNS`, one row for each area, metric, phase, year, `of` and `part`, values in
        `gap_unit`. `of` is

        - gap: overall absence into authorised_absence and unauthorised_absence;
        - change: the same for the change since the baseline, and for every metric the change into
          the group's own (`part` group) and the reference's (`part` reference: minus the
          reference's change, so that the two add up to the change of the gap);
        - beside: the gaps in suspensions, which are part of no other metric here.

        `whole` is what the parts add up to (NaN beside), `share` is value / whole x 100, missing
        where the interval of the whole spans zero: a share of what may be nothing says nothing.
        Parts of opposite sign have shares under 0 and over 100. Where a level is missing the value
        is NaN and the status says why.

    Raises
    ------
    ContractError
        If the baseline is not in the panel's range, group and reference are the same, nothing of
        what is asked for has parts, the parts of absence have other possible sessions than the
        whole, or a name or the panel is against its contract.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

    Notes
    -----
    Overall, authorised and unauthorised absence have the same possible sessions, so the parts' gaps
    add up to the whole's exactly in returns, and within rounding where only rates are published.
    Values and intervals are those of `gaps` and `changes`. The share's interval is t on the
    influence values of a ratio of two gaps (delta method), covariances counted; published tables
    give none.

    Examples
    --------
    >>> one = {
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": ["1", "1", "2", "2"], "time_period": 202425,
    ...     "phase": "primary", "group": ["cin", "peers"] * 2, "pupils": [2, 20, 3, 30],
    ...     "denominator": [600.0, 6000.0, 900.0, 9000.0],
    ...     "sum_yy": 0.0, "sum_xy": 0.0, "sum_xx": 0.0, "rate": float("nan"), "status": "",
    ... }
    >>> sums = {"overall_absence": [60.0, 300.0, 120.0, 450.0],
    ...         "authorised_absence": [20.0, 240.0, 60.0, 360.0],
    ...         "unauthorised_absence": [40.0, 60.0, 60.0, 90.0]}
    >>> panel = pd.concat(
    ...     pd.DataFrame(one | {"metric": metric, "numerator": y}) for metric, y in sums.items()
    ... )
    >>> found = parts(panel, group="cwsw", reference="peers")
    >>> found.loc[found["phase"] == "total", ["part", "value", "whole"]].round(2)
                       part  value  whole
    2    authorised_absence   1.33    7.0
    3  unauthorised_absence   5.67    7.0
    """
    entry = enter(panel, groups=(group, reference), metrics=metrics, alpha=alpha)
    require_two_groups(group, reference)
    if baseline is not None:
        require_baseline(entry, baseline)
    measured = [
        Moves.of(cells, group, reference, baseline, alpha=alpha)
        for cells in cells_of(entry, unit_id=unit_id)
    ]
    blocks = [*_own_and_theirs(measured), *_of_absence(measured), *_beside(measured)]
    if not blocks:
        raise ContractError(
            f"the metrics have no parts without a baseline, must be {WHOLE} with "
            f"{' and '.join(PARTS)}, or of suspension; name a baseline year to split changes."
        )
    return table([piece.rows(alpha) for piece in blocks], PART_COLUMNS, entry=entry)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One part, cell by cell, of one metric's gap or change."""

    of: str
    part: str
    moves: Moves
    value: Contrast
    whole: Contrast | None

    def rows(self, alpha: float) -> Columns:
        """Return its rows of the table."""
        cells, changed = self.moves.cells, self.of == CHANGE
        metric, count = cells.metric, len(self.value.value)
        baseline = self.moves.baseline if changed else 0
        total = np.full(count, np.nan) if self.whole is None else self.whole.value
        columns: dict[str, NDArray] = {
            **cells.keys,
            "baseline": np.full(count, baseline, dtype=np.int64),
            **same_text(count, metric=metric.name),
            **same_text(count, group=self.moves.group, reference=self.moves.reference),
            **same_text(count, of=self.of, part=self.part, gap_unit=metric.gap_unit),
            "whole": metric.scale * total,
            **interval("value", self.value, scale=metric.scale),
            "df": self.value.df,
            **_share(self.value, self.whole, alpha=alpha),
            "comparable": self.moves.change_usable if changed else self.moves.usable,
            "status": self.moves.change_status if changed else self.moves.status,
        }
        return {name: values[self.moves.present] for name, values in columns.items()}


def _own_and_theirs(measured: Sequence[Moves]) -> Iterator[_Piece]:
    """Yield the two groups' parts of every metric's change."""
    for moves in measured:
        for part, value in ((OWN, moves.own), (THEIRS, moves.theirs)):
            if value is not None:
                yield _Piece(CHANGE, part, moves, value, moves.change)


def _of_absence(measured: Sequence[Moves]) -> Iterator[_Piece]:
    """Yield authorised and unauthorised absence as parts of overall absence."""
    for whole in measured:
        if whole.cells.metric.name != WHOLE:
            continue
        for part in measured:
            if part.cells.metric.name in PARTS and whole.goes_with(part):
                at = whole.places_in(part)
                name = part.cells.metric.name
                yield _Piece(GAP, name, whole, taken(part.gap, at), whole.gap)
                if part.change is not None:
                    yield _Piece(CHANGE, name, whole, taken(part.change, at), whole.change)


def _beside(measured: Sequence[Moves]) -> Iterator[_Piece]:
    """Yield the gaps in suspensions, which are parts of nothing."""
    for moves in measured:
        if moves.cells.metric.topic == "suspension":
            yield _Piece(BESIDE, moves.cells.metric.name, moves, moves.gap, None)


def _share(part: Contrast, whole: Contrast | None, *, alpha: float) -> dict[str, FloatArray]:
    """Return the part in per cent of the whole, where the whole is clearly not nought."""
    empty = np.full(len(part.value), np.nan)
    if whole is None:
        return {"share": empty, "share_lower": empty, "share_upper": empty}
    clear = ~((whole.lower <= 0) & (whole.upper >= 0))
    value, lower, upper = quotient(part.value, whole.value), empty, empty
    if part.estimate is not None and whole.estimate is not None:
        found = contrasts.share(part.estimate, whole.estimate)
        lower, upper = ratios.t_interval(value, found.std_error, found.df, alpha=alpha)
    named = {"share": value, "share_lower": lower, "share_upper": upper}
    return {name: np.where(clear, 100 * values, np.nan) for name, values in named.items()}
