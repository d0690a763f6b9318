"""What every table about the make-up of two groups has: its door, its blocks, its first columns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.metrics.clusters import Moments, Schools, SchoolTables, school_tables
from vsh_eval.metrics.door import Entry, comparable
from vsh_eval.metrics.gaps import require_two_groups
from vsh_eval.metrics.kitagawa import added
from vsh_eval.metrics.linearised import phases_of, slopes_of_level, std_error
from vsh_eval.metrics.measured import worst_status
from vsh_eval.metrics.strata import Strata, enter_composition, strata_of
from vsh_eval.metrics.tables import Columns, table

FIRST = (
    *("geographic_level", "unit_id", "time_period", "phase", "metric", "group", "reference"),
    *("group_pupils", "reference_pupils"),
)
LAST = (*("df", "unit", "gap_unit", "source", "vintage", "cohort_rule", "comparable", "status"),)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which gap is asked for: the arguments that every such table takes."""

    group: str
    reference: str
    moments: Moments | None
    metrics: Sequence[str] | None
    unit_id: str
    alpha: float


@dataclass(frozen=True, slots=True)
class Block:
    """One metric's strata in one phase, with what is needed to measure two groups in them.

    ``schools`` is None where pupils count as independent.
    """

    strata: Strata
    phase: str
    groups: tuple[str, str]
    schools: Schools | None
    alpha: float


def composed(
    composition: pd.DataFrame,
    measure: Callable[[Block], Columns],
    columns: Sequence[str],
    *,
    factors: Sequence[str],
    asked: Asked,
) -> pd.DataFrame:
    """Measure every metric's strata, phase by phase, and join the blocks to one table.

    ``measure`` gives the columns of a block and ``measured``: where there is a number.
    """
    groups, alpha = (asked.group, asked.reference), asked.alpha
    entry = enter_composition(composition, groups=groups, metrics=asked.metrics, alpha=alpha)
    require_two_groups(*groups)
    tables = school_tables(asked.moments, entry)
    blocks = [
        _without_number({**_first(block, asked.unit_id), **measure(block)})
        for block in _blocks(entry, factors, groups, tables, alpha)
    ]
    return table(blocks, columns, entry=entry)


def _without_number(columns: Columns) -> Columns:
    """Mark rows as not applicable that could not be measured although both groups have pupils."""
    status = columns["status"]
    alone = (status == "") & ~columns["measured"]
    return {**columns, "status": np.where(alone, names.NOT_APPLICABLE, status)}


def _blocks(
    entry: Entry,
    factors: Sequence[str],
    groups: tuple[str, str],
    tables: SchoolTables | None,
    alpha: float,
) -> Iterator[Block]:
    for metric in strata_of(entry, factors):
        clusters = tables and tables.of(metric.metric.name)
        for phase, strata in phases_of(metric):
            yield Block(strata, phase, groups, clusters and Schools(clusters, phase), alpha)


def _first(block: Block, unit_id: str) -> dict[str, NDArray]:
    """Return the columns that say whose gap it is, and how many pupils are in it."""
    strata, years = block.strata, block.strata.years
    known = np.where(strata.available, 1.0, np.nan)
    sides = [strata.of_group(name) for name in block.groups]
    texts = {
        "geographic_level": names.LA,
        "unit_id": unit_id,
        "phase": block.phase,
        "metric": strata.metric.name,
        "group": block.groups[0],
        "reference": block.groups[1],
        "unit": strata.metric.unit,
        "gap_unit": strata.metric.gap_unit,
    }
    pupils = [added(side.pupils) for side in sides]
    whole = [(name, slopes_of_level(side)) for name, side in zip(block.groups, sides, strict=True)]
    df = std_error(strata, whole, block.schools)[1]
    return {
        **{name: np.full(len(years), text, dtype=object) for name, text in texts.items()},
        "time_period": np.array(years, dtype=np.int64),
        "group_pupils": pupils[0] * known,
        "reference_pupils": pupils[1] * known,
        "df": df * known,
        "comparable": comparable(strata.metric, list(years)),
        "status": worst_status(*(strata.status(added(side.x)) for side in sides)),
    }
