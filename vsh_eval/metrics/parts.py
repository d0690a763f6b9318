"""Why a gap is as wide as it is, and why it moved: the parts that add up to it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval.cells.exact import ExactCells
from vsh_eval.cells.level import Contrast, FloatArray, quotient
from vsh_eval.cells.tables import Columns, cells_of, interval, same_text, table
from vsh_eval.columns import CELL, LAST, released, with_ends, with_interval
from vsh_eval.contracts import ContractError, produces
from vsh_eval.metrics.changes import Change
from vsh_eval.numerics.levels import contrasts, ratios
from vsh_eval.panel import Comparison, Panel, slice_for

PART_COLUMNS = (
    *(*CELL[:3], "baseline", *CELL[3:], "of", "part", "whole", *with_interval("value"), "df"),
    *(*with_ends("share"), *LAST[1:]),
)
GAP, CHANGE, SEPARATE = "gap", "change", "separate"
"""What a part is of."""
GROUP, REFERENCE = "group", "reference"


@produces("parts", released(PART_COLUMNS))
def parts(panel: Panel, comparison: Comparison) -> pd.DataFrame:
    """Split gaps, and their changes since a baseline, into parts that add up to them.

    Parameters
    ----------
    panel, comparison
        As for `gaps`.

    Returns
    -------
    DataFrame
        `PART_COLUMNS`, one row for each area, metric, phase, year, `of` and `part`, values in
        `gap_unit`. `of` is

        - gap: overall absence into authorised_absence and unauthorised_absence;
        - change: the same for the change since the baseline, and for every metric the change into
          the group's own (`part` group) and the reference's (`part` reference: minus the
          reference's change, so that the two add up to the change of the gap);
        - separate: the gaps in suspensions, which are part of no other metric here.

        `whole` is what the parts add up to (NaN where separate), `share` is value / whole x 100,
        missing where the interval of the whole spans zero: a share of what may be nothing says
        nothing. Parts of opposite sign have shares under 0 and over 100. Where a level is missing
        the value is NaN and the status says why.

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
    >>> shares = parts(panel, Comparison("cwsw", "peers"))
    >>> shares.loc[shares["phase"] == "total", ["part", "value", "whole"]].round(2)
                       part  value  whole
    2    authorised_absence   1.33    7.0
    3  unauthorised_absence   5.67    7.0
    """
    sliced = slice_for(panel, comparison)
    measured = [
        Change.of(cells, comparison) for cells in cells_of(sliced, unit_id=comparison.unit_id)
    ]
    blocks = [*_by_group(measured), *_by_metric(measured), *_of_nothing(measured)]
    if not blocks:
        raise ContractError(
            "the metrics have no parts without a baseline, must be overall_absence with "
            "authorised_absence and unauthorised_absence, or of suspension; name a baseline year "
            "to split changes."
        )
    return table([piece.rows() for piece in blocks], PART_COLUMNS, sliced=sliced)


@dataclass(frozen=True, slots=True)
class _Part:
    """One part, cell by cell, of one metric's gap or change."""

    of: str
    part: str
    change: Change
    value: Contrast
    whole: Contrast | None

    def rows(self) -> Columns:
        """Return its rows of the table."""
        change, changed = self.change, self.of == CHANGE
        metric, count = change.cells.metric, len(self.value.value)
        total = np.full(count, np.nan) if self.whole is None else self.whole.value
        columns: dict[str, NDArray] = {
            **change.cells.keys,
            "baseline": np.full(count, change.baseline if changed else 0, dtype=np.int64),
            **same_text(count, metric=metric.name),
            **same_text(count, group=change.group, reference=change.reference),
            **same_text(count, of=self.of, part=self.part, gap_unit=metric.gap_unit),
            "whole": metric.scale * total,
            **interval("value", self.value, scale=metric.scale),
            "df": self.value.df,
            **_share(self.value, self.whole, same_noise=self.part in {GROUP, REFERENCE}),
            "comparable": change.change_comparable if changed else change.comparable,
            "status": change.change_status if changed else change.status,
        }
        return {name: values[change.present] for name, values in columns.items()}


def _by_group(measured: Sequence[Change]) -> Iterator[_Part]:
    """Yield the two groups' parts of every metric's change."""
    for change in measured:
        if change.group_change is not None and change.reference_change is not None:
            yield _Part(CHANGE, GROUP, change, change.group_change, change.change)
            yield _Part(CHANGE, REFERENCE, change, -change.reference_change, change.change)


def _by_metric(measured: Sequence[Change]) -> Iterator[_Part]:
    """Yield the metrics that add up to another as parts of it: kinds of absence of all absence."""
    for whole, part in product(measured, measured):
        if part.cells.metric.parts_of != whole.cells.metric.name or not _together(whole, part):
            continue
        at, name = _places(whole, part), part.cells.metric.name
        yield _Part(GAP, name, whole, part.gap.take(at), whole.gap)
        if part.change is not None:
            yield _Part(CHANGE, name, whole, part.change.take(at), whole.change)


def _of_nothing(measured: Sequence[Change]) -> Iterator[_Part]:
    """Yield the gaps in suspensions, which are parts of nothing."""
    for change in measured:
        if change.cells.metric.topic == "suspension":
            yield _Part(SEPARATE, change.cells.metric.name, change, change.gap, None)


def _together(whole: Change, part: Change) -> bool:
    """Say whether two metrics' cells are of one phase; refuse parts of other possible sessions."""
    mine, other = whole.cells, part.cells
    if not isinstance(mine, ExactCells) or not isinstance(other, ExactCells):
        return True
    if mine.phase != other.phase:
        return False
    if not np.array_equal(mine.x, other.x):
        raise ContractError(
            f"{other.metric.name} has other possible sessions than {mine.metric.name}, must have "
            "the same to be a part of it; build both from one attendance return."
        )
    return True


def _places(whole: Change, part: Change) -> NDArray[np.intp]:
    """Return where the whole's cells are among the part's, -1 where it has no such cell."""
    mine, other = (pd.MultiIndex.from_frame(pd.DataFrame(c.cells.keys)) for c in (whole, part))
    return np.asarray(other.get_indexer(mine), dtype=np.intp)


def _share(part: Contrast, whole: Contrast | None, *, same_noise: bool) -> dict[str, FloatArray]:
    """Return the part in per cent of the whole, where the whole is clearly not zero."""
    empty = np.full(len(part.value), np.nan)
    if whole is None:
        return {"share": empty, "share_lower": empty, "share_upper": empty}
    clear = ~((whole.lower <= 0) & (whole.upper >= 0))
    value, lower, upper = quotient(part.value, whole.value), empty, empty
    if part.estimate is not None and whole.estimate is not None:
        estimate = contrasts.share(part.estimate, whole.estimate, same_noise=same_noise)
        lower, upper = ratios.t_interval(value, estimate.std_error, estimate.df)
    named = {"share": value, "share_lower": lower, "share_upper": upper}
    return {name: np.where(clear, 100 * values, np.nan) for name, values in named.items()}
