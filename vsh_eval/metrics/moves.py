"""One metric's gap, its change since a baseline, and what each of the two groups adds to that."""

from dataclasses import dataclass
from functools import reduce
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval.contracts import ContractError
from vsh_eval.metrics.door import comparable
from vsh_eval.metrics.from_returns import SchoolCells
from vsh_eval.metrics.measured import Contrast, FloatArray, change, difference, worst_status
from vsh_eval.metrics.tables import Cells


@dataclass(frozen=True, slots=True)
class Moves:
    """What is measured of one metric, cell by cell.

    Attributes
    ----------
    cells : Cells
        The cells.
    group, reference : str
        The gap is group minus reference.
    baseline : int
        The academic year that changes are counted from, 0 where there is none.
    gap : Contrast
        The gap.
    change, own, theirs : Contrast or None
        Its change since the baseline, and the parts of it: the group's own change, and minus the
        reference's. None without a baseline.
    status, change_status : str array
        Why a gap, or a change, is missing.
    present : bool array
        Whether the cell belongs in a table.
    usable, change_usable : bool array
        Whether the year, or both years, may be compared.
    """

    cells: Cells
    group: str
    reference: str
    baseline: int
    gap: Contrast
    change: Contrast | None
    own: Contrast | None
    theirs: Contrast | None
    status: NDArray[np.object_]
    change_status: NDArray[np.object_]
    present: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    change_usable: NDArray[np.bool_]

    @classmethod
    def of(
        cls, cells: Cells, group: str, reference: str, baseline: int | None, *, alpha: float
    ) -> Self:
        """Measure a metric's gap and, since a baseline, its change."""
        given: dict[str, Any] = {"metric": cells.metric, "alpha": alpha}
        now, beside = (cells.measure(name, alpha=alpha) for name in (group, reference))
        years = cells.keys["time_period"].tolist()
        gap = difference(now, beside, same_pupils=True, **given)
        status = worst_status(now.status, beside.status)
        usable = comparable(cells.metric, years)
        moved, changed, both = (None, None, None), status, usable
        if baseline is not None:
            then = cells.cells_of(baseline)
            before, beside_before = now.take(then), beside.take(then)
            earlier = difference(before, beside_before, same_pupils=True, **given)
            moved = (
                change(gap, earlier, **given),
                difference(now, before, same_pupils=False, **given),
                # The earlier year less the later one is what the reference adds to the gap.
                difference(beside_before, beside, same_pupils=False, **given),
            )
            changed = reduce(worst_status, (before.status, beside_before.status), status)
            both = usable & comparable(cells.metric, [baseline] * len(years))
        return cls(
            cells,
            group,
            reference,
            baseline or 0,
            gap,
            *moved,
            status,
            changed,
            now.present,
            usable,
            both,
        )

    def goes_with(self, part: "Moves") -> bool:
        """Say whether another metric is of the same phase and may be a part of this one.

        Raises
        ------
        ContractError
            If it is measured over other schools or other possible sessions.
        """
        mine, other = self.cells, part.cells
        if not isinstance(mine, SchoolCells) or not isinstance(other, SchoolCells):
            return True
        if mine.phase != other.phase:
            return False
        if not np.array_equal(mine.x, other.x):
            raise ContractError(
                f"{other.metric.name} has other possible sessions than {mine.metric.name}, must "
                "have the same to be a part of it; build both from one attendance return."
            )
        return True

    def places_in(self, part: "Moves") -> NDArray[np.intp]:
        """Return where this metric's cells are among another's, -1 where it has no such cell."""
        mine, other = (pd.DataFrame(moves.cells.keys) for moves in (self, part))
        found = pd.MultiIndex.from_frame(other).get_indexer(pd.MultiIndex.from_frame(mine))
        return np.asarray(found, dtype=np.intp)


def taken(contrast: Contrast, places: NDArray[np.intp]) -> Contrast:
    """Return a contrast's cells at some places, missing where the place is -1."""

    def at(values: FloatArray) -> FloatArray:
        return np.where(places >= 0, values[places], np.nan)

    return Contrast(
        at(contrast.value),
        at(contrast.lower),
        at(contrast.upper),
        at(contrast.std_error),
        at(contrast.df),
        contrast.estimate and contrast.estimate.take(places),
    )
