"""How measured cells become tables: one order of rows, one type a column, percentages 0 to 100."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names, registry
from vsh_eval.metrics.door import RETURNS, Entry
from vsh_eval.metrics.from_published import PublishedCells, published_cells
from vsh_eval.metrics.from_returns import SchoolCells, school_cells

Columns = Mapping[str, NDArray[Any]]
Cells = SchoolCells | PublishedCells

_COUNTS = (
    "pupils",
    "schools",
    "group_pupils",
    "reference_pupils",
    "group_schools",
    "reference_schools",
)


def cells_of(entry: Entry, *, unit_id: str) -> list[Cells]:
    """Return the cells of a panel of either source, metric by metric."""
    if entry.source == RETURNS:
        return list(school_cells(entry, unit_id=unit_id))
    return list(published_cells(entry))


def table(
    blocks: Sequence[Columns], columns: Sequence[str], *, entry: Entry, groups: Sequence[str] = ()
) -> pd.DataFrame:
    """Join blocks of cells to one table in the order area, metric, phase, group, year.

    Parameters
    ----------
    blocks : sequence of mapping
        Arrays by column, of one length within a block.
    columns : sequence of str
        The table's columns in order; source, vintage and cohort_rule come from the entry.
    entry : Entry
        The panel that was measured.
    groups : sequence of str
        The order of the groups, where the rows have more than one.
    """
    same = {
        "source": entry.source,
        "vintage": entry.vintage,
        "cohort_rule": entry.cohort_rule,
    }
    joined = pd.DataFrame(
        {
            name: np.concatenate([block[name] for block in blocks])
            for name in columns
            if name not in same
        }
    ).assign(**same)
    for name in _COUNTS:
        if name in joined:
            joined[name] = joined[name].astype("Float64").astype("Int64")
    joined = joined.astype({name: "str" for name in joined if joined[name].dtype == object})
    orders = {
        "geographic_level": (names.NATIONAL, names.REGION, names.LA),
        "metric": tuple(registry.METRICS),
        "phase": tuple(names.PHASE_LABELS),
        "group": tuple(groups),
    }
    keys = pd.DataFrame(
        {
            name: pd.Categorical(joined[name], orders[name]).codes
            if orders.get(name)
            else joined[name]
            for name in ("geographic_level", "unit_id", "metric", "phase", "group", "time_period")
        }
    )
    order = keys.sort_values(list(keys.columns), kind="stable").index
    return joined.loc[order, list(columns)].reset_index(drop=True)
