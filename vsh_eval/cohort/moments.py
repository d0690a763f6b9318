"""How far schools differ from one another: second moments over schools, and no school.

A number made of the strata of an authority's pupils moves with whole schools. How much, follows
from the sums over schools of products of their strata's sums: nothing that is linear in the strata
needs more. The products are made here, where the schools' strata still are (some of them single
children), and leave as sums over schools. A school has one phase, so products across phases are
nought and have no row, and products of all phases are sums.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names, registry
from vsh_eval.cohort.engines import Engine, sql_text
from vsh_eval.cohort.membership import metrics_known

FloatArray = NDArray[np.float64]
Columns = dict[str, NDArray]

FAMILIES = tuple(names.MOMENT_AXES)
GROUPS = (*names.LEAF_GROUPS, *names.GROUP_SUMS)
_STRATA = tuple(label for labels in names.MOMENT_STRATA.values() for label in labels)
_HAS_VALUE = tuple(
    np.array(
        [
            [
                float((by, value) in zip(axes, stratum.split("/"), strict=True))
                or float(by == names.ANY and family == FAMILIES[0])
                for by, value in names.SPREAD_VALUES
            ]
            for stratum in names.MOMENT_STRATA[family]
        ]
    )
    for family, axes in names.MOMENT_AXES.items()
)
"""By family, which stratum's pupils have which of the values; the first counts all pupils too."""
_MEMBER = np.array(
    [
        [float(leaf in names.GROUP_SUMS.get(name, (name,))) for leaf in names.LEAF_GROUPS]
        for name in GROUPS
    ]
)
_IN_CELL = tuple(np.kron(_MEMBER, has_value.T) for has_value in _HAS_VALUE)
"""By family, which cells' pupils are of which group and value, the values of a group together."""


@dataclass(frozen=True, slots=True)
class _Block:
    """The sums of one family, authority, phase and metric, by school and used cell.

    A cell is a group and a stratum: ``cell`` is the group's place times the family's strata, plus
    the stratum's.
    """

    family: int
    area: int
    code: int
    cell: NDArray[np.intp]
    pupils: FloatArray
    y: FloatArray
    x: FloatArray


def count_moments(
    engine: Engine, units: pd.DataFrame, period: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add the products of a year's strata up over schools, and count the schools.

    Parameters
    ----------
    engine : Engine
        Holding ``cohort_outcomes`` of the year.
    units : pandas.DataFrame
        la_code and phase of every school, in the order of ``unit_number``.
    period : int
        The academic year.

    Returns
    -------
    tuple of pandas.DataFrame
        For `build_moments` and `build_spread`; y in the engine's whole numbers.
    """
    cells = engine.run(sql_text("strata"))
    where = pd.MultiIndex.from_frame(units[["la_code", "phase"]])
    areas = where.drop_duplicates().sort_values()
    of_unit = areas.get_indexer(where)
    number = cells["unit_number"].to_numpy(np.intp)
    in_area = pd.Series(of_unit).groupby(of_unit).cumcount().to_numpy(np.intp)
    blocks = chain(_blocks(cells, of_unit[number], in_area), [_nobody()])
    each = [(_products(block), _counts(block)) for block in blocks]
    moments, spread = (
        _named(_joined(parts), areas).assign(time_period=period)
        for parts in zip(*each, strict=True)
    )
    return moments, spread


def build_moments(cells: pd.DataFrame, *, cohort_rule: str) -> pd.DataFrame:
    """Put the products into their columns.

    Parameters
    ----------
    cells : pandas.DataFrame
        From `count_moments`, of all years.
    cohort_rule : str
        As for `build_panel`.

    Returns
    -------
    pandas.DataFrame
        ``names.MOMENT_COLUMNS``, level "la": one row for each pair of strata (of a family, ``by``)
        and leaf groups that some school has both of, the pair once and each with itself. ``yy``:
        the sum over schools of the stratum's numerator times the other's; ``yx``: its numerator
        times the other's denominator; and so on. Text is categorical: the table is long. Rows of
        the same keys add up.
    """
    per = _per(cells["metric"])
    scaled = {"yy": cells["yy"] / per**2, "yx": cells["yx"] / per, "xy": cells["xy"] / per}
    return _whole(cells.assign(**scaled), names.MOMENT_COLUMNS, cohort_rule)


def build_spread(cells: pd.DataFrame, *, cohort_rule: str) -> pd.DataFrame:
    """Put the counts of schools into their columns.

    Parameters
    ----------
    cells : pandas.DataFrame
        From `count_moments`, of all years.
    cohort_rule : str
        As for `build_panel`.

    Returns
    -------
    pandas.DataFrame
        ``names.SPREAD_COLUMNS``, level "la": one row for each phase, metric, year, leaf group or
        sum of groups, and value of a breakdown (and ``any``) with pupils. ``schools`` have one of
        the ``pupils`` or more; ``largest`` is the most that one school has. Over phases, and over
        authorities, pupils and schools add up, and ``largest`` is the largest.
    """
    whole = dict.fromkeys(("pupils", "schools", "largest"), "int64")
    return _whole(cells.astype(whole), names.SPREAD_COLUMNS, cohort_rule)


def _per(metrics: pd.Series) -> FloatArray:
    """Return how many of the engine's units of y make one, row by row."""
    known = [registry.metric(str(name)).units_of_one for name in metrics.cat.categories]
    return np.array(known, dtype=np.float64)[metrics.cat.codes]


def _whole(cells: pd.DataFrame, columns: tuple[str, ...], cohort_rule: str) -> pd.DataFrame:
    constant = {
        "source": "returns",
        "level": names.LA,
        "vintage": "returns",
        "cohort_rule": cohort_rule,
    }
    same = {
        name: pd.Categorical.from_codes(
            np.zeros(len(cells), dtype=np.int8), categories=pd.Index([value])
        )
        for name, value in constant.items()
    }
    return cells.assign(**same)[list(columns)].astype({"time_period": "int64"})


def _blocks(
    cells: pd.DataFrame, area: NDArray[np.intp], schools: NDArray[np.integer]
) -> Iterator[_Block]:
    """Yield the cells by family, authority, phase and metric, in that order."""
    keys = np.stack([cells["family"].to_numpy(), area, cells["code"].to_numpy()])
    order = np.lexsort(keys[::-1])
    keys = keys[:, order]
    if not len(order):
        return
    starts = np.flatnonzero(np.any(np.diff(keys, axis=1, prepend=-1), axis=0))
    columns = [
        cells[name].to_numpy()[order]
        for name in ("unit_number", "group_code", "stratum", "pupils", "numerator", "denominator")
    ]
    for first, last in zip(starts, [*starts[1:], len(order)], strict=True):
        number, group_code, stratum, *sums = (column[first:last] for column in columns)
        family, of_area, code = (int(key) for key in keys[:, first])
        size = len(names.MOMENT_STRATA[FAMILIES[family - 1]])
        cell = (group_code.astype(np.intp) - 1) * size + stratum
        has = np.zeros(len(names.LEAF_GROUPS) * size, dtype=bool)
        has[cell] = True
        column, row = np.cumsum(has)[cell] - 1, schools[number]
        pupils, y, x = np.zeros((3, row.max() + 1, has.sum()))
        pupils[row, column], y[row, column], x[row, column] = sums
        yield _Block(family - 1, of_area, code, np.flatnonzero(has), pupils, y, x)


def _nobody() -> _Block:
    """Return a block of no cells, so that a year without pupils has its columns too."""
    nothing = np.zeros((0, 0))
    return _Block(0, 0, 1, np.zeros(0, dtype=np.intp), nothing, nothing, nothing)


def _products(block: _Block) -> Columns:
    """Return the products of every pair of strata that some school has both of.

    Whole numbers up to 2^53 are exact as floats, and no sum of products comes near it.
    """
    size, cells = len(names.MOMENT_STRATA[FAMILIES[block.family]]), len(block.cell)
    both = np.hstack([block.x, block.y])
    products = both.T @ both
    one, two = np.nonzero(np.triu(products[:cells, :cells]))
    return {
        **_keys(block, len(one)),
        "by": np.full(len(one), block.family, dtype=np.int8),
        "group": block.cell[one] // size,
        "stratum": _offset(block.family) + block.cell[one] % size,
        "other_group": block.cell[two] // size,
        "other_stratum": _offset(block.family) + block.cell[two] % size,
        "yy": products[cells + one, cells + two],
        "yx": products[cells + one, two],
        "xy": products[one, cells + two],
        "xx": products[one, two],
    }


def _counts(block: _Block) -> Columns:
    """Return pupils, schools and the largest school's pupils by group and value of breakdowns."""
    in_cell = _IN_CELL[block.family][:, block.cell]
    some = in_cell.any(axis=1)
    pupils = block.pupils @ in_cell[some].T
    group, value = np.divmod(np.flatnonzero(some), len(names.SPREAD_VALUES))
    return {
        **_keys(block, len(group)),
        "group": group,
        "value": value,
        "pupils": pupils.sum(axis=0),
        "schools": (pupils > 0).sum(axis=0),
        "largest": pupils.max(axis=0, initial=0.0),
    }


def _keys(block: _Block, rows: int) -> Columns:
    return {name: np.full(rows, getattr(block, name), dtype=np.int32) for name in ("area", "code")}


def _joined(parts: Sequence[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _named(columns: Columns, areas: pd.MultiIndex) -> pd.DataFrame:
    """Return columns with names in place of numbers, the same names in every year."""
    area, value = columns["area"], columns.get("value")
    places = {
        "unit_id": (area, areas.get_level_values("la_code")),
        "phase": (area, areas.get_level_values("phase")),
        "metric": (columns["code"] - 1, metrics_known()["metric"]),
        "by": (columns.get("by"), FAMILIES),
        **{name: (columns.get(name), GROUPS) for name in ("group", "other_group")},
        **{name: (columns.get(name), _STRATA) for name in ("stratum", "other_stratum")},
        "breakdown": (value, [by for by, _ in names.SPREAD_VALUES]),
        "value": (value, [name for _, name in names.SPREAD_VALUES]),
    }
    numbers = {
        name: columns[name]
        for name in (*names.MOMENT_PRODUCTS, "pupils", "schools", "largest")
        if name in columns
    }
    return pd.DataFrame(
        {name: _text(at, words) for name, (at, words) in places.items() if at is not None} | numbers
    )


def _text(at: NDArray[np.integer], words: Collection[str]) -> "pd.Categorical[str]":
    """Return the words at some places; two places may hold one word."""
    known = list(dict.fromkeys(words))
    code = np.array([known.index(word) for word in words], dtype=np.int16)
    return pd.Categorical.from_codes(code[at], categories=pd.Index(known))


def _offset(family: int) -> int:
    """Return where a family's strata begin among those of all families."""
    return sum(len(names.MOMENT_STRATA[name]) for name in FAMILIES[:family])
