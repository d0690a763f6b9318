"""How measured cells become tables: one order of rows, one type a column, percentages 0 to 100."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names, registry
from vsh_eval.cells.exact import ExactCells, exact_cells
from vsh_eval.cells.level import Contrast, FloatArray
from vsh_eval.cells.published import PublishedCells, published_cells
from vsh_eval.panel import RETURNS, PanelSlice

Columns = Mapping[str, NDArray[Any]]
Cells = ExactCells | PublishedCells

_COUNTS = (
    "pupils",
    "schools",
    "group_pupils",
    "reference_pupils",
    "group_schools",
    "reference_schools",
)

_ORDER = ("geographic_level", "unit_id", "metric", "phase", "group", "reference", "time_period")


def cells_of(sliced: PanelSlice, *, unit_id: str) -> list[Cells]:
    """Return the cells of a panel of either source, metric by metric."""
    if sliced.source == RETURNS:
        return list(exact_cells(sliced, unit_id=unit_id))
    return list(published_cells(sliced))


def interval(name: str, contrast: Contrast, *, scale: float) -> dict[str, FloatArray]:
    """Return the columns of a difference: value, limits and error, in the metric's unit."""
    return {
        name: scale * contrast.value,
        f"{name}_lower": scale * contrast.lower,
        f"{name}_upper": scale * contrast.upper,
        f"{name}_std_error": scale * contrast.std_error,
    }


def same_text(rows: int, **values: str) -> dict[str, NDArray[np.object_]]:
    """Return columns of text that are the same in every row."""
    return {name: np.full(rows, value, dtype=object) for name, value in values.items()}


def table(
    blocks: Sequence[Columns],
    columns: Sequence[str],
    *,
    sliced: PanelSlice,
    groups: Sequence[str] = (),
    references: Sequence[str] = (),
) -> pd.DataFrame:
    """Join blocks of cells to one table in the order area, metric, phase, group, reference, year.

    Parameters
    ----------
    blocks : sequence of mapping
        Arrays by column, of one length within a block.
    columns : sequence of str
        The table's columns in order; source, vintage and cohort_rule come from the slice.
    sliced : PanelSlice
        The panel that was measured.
    groups, references : sequence of str
        The order of the groups and of the references, where the rows have more than one.
    """
    same = {"source": sliced.source, "vintage": sliced.vintage, "cohort_rule": sliced.cohort_rule}
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
        "phase": (*names.PHASES, names.TOTAL),
        "group": tuple(groups),
        "reference": tuple(references),
    }
    keys = pd.DataFrame(
        {
            name: pd.Categorical(joined[name], orders[name]).codes
            if orders.get(name)
            else joined[name]
            for name in _ORDER
            if name in joined
        }
    )
    order = keys.sort_values(list(keys.columns), kind="stable").index
    return joined.loc[order, list(columns)].reset_index(drop=True)
