"""The pupils' characteristics as numbers, so that the SQL names none of them.

Each code of a characteristic has a place: its rank, times what the characteristics before it leave
room for. A pupil's places add up to the number of a combination; a missing code adds nothing.
"""

from functools import cache
from itertools import product

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.cohort.engines import Engine

OWN_CELLS, OTHER_CELLS, COMPOSITION_CELLS = 1, 2, 3
"""Cells of schools, of schools under the other cohort rule, and of authorities and phases.

The cells after them are those of schools by a family of strata (``names.MOMENT_AXES``) each.
"""
_BY_COLUMN = {of.column: of for of in names.CHARACTERISTICS.values()}


def give_characteristics(engine: Engine) -> None:
    """Make places, combinations and strata known to an engine.

    Parameters
    ----------
    engine : Engine
        Is given ``cohort_<column>`` (code, place) of each characteristic,
        ``cohort_characteristics`` (characteristics, year_group) and ``cohort_strata`` (`strata`).
    """
    for column, places in _places().items():
        table = pd.DataFrame({"code": list(places), "place": list(places.values())})
        engine.give(f"cohort_{column}", table.astype({"place": "int32"}))
    every = combinations()[["characteristics", "year_group"]].dropna()
    engine.give("cohort_characteristics", every.astype("int32"))
    engine.give("cohort_strata", strata())


@cache
def combinations() -> pd.DataFrame:
    """Return every combination of characteristics with its number.

    Returns
    -------
    pandas.DataFrame
        ``characteristics`` and the codes, a column each of ``names.COMPOSITION_STRATA``; None
        stands for a missing one.

    Examples
    --------
    >>> combinations().set_index("characteristics").loc[383].tolist()
    ['E', 1, 'F', 4]
    """
    places = [{None: 0, **of} for of in _places().values()]
    rows = [
        (sum(of[code] for of, code in zip(places, codes, strict=True)), *codes)
        for codes in product(*places)
    ]
    columns = ["characteristics", *names.COMPOSITION_STRATA]
    return pd.DataFrame(rows, columns=columns, dtype="object").astype({"characteristics": "int32"})


@cache
def strata() -> pd.DataFrame:
    """Return which stratum a combination of characteristics is in, for each kind of cells.

    Returns
    -------
    pandas.DataFrame
        cells, rule (the cohort rule by which pupils are grouped: 0 the run's own, 1 the other),
        characteristics, stratum: 0 where the cells have none, the combination itself in those of
        authorities, and the place in ``names.MOMENT_STRATA`` in those of a family.

    Examples
    --------
    >>> table = strata()
    >>> table[(table["cells"] == 4) & (table["characteristics"] == 383)].to_numpy().tolist()
    [[4, 0, 383, 12]]
    """
    every = combinations()
    number = every["characteristics"].to_numpy()
    blocks = [
        (OWN_CELLS, 0, number, np.zeros_like(number)),
        (OTHER_CELLS, 1, number, np.zeros_like(number)),
        (COMPOSITION_CELLS, 0, number, number),
    ]
    for cells, (family, axes) in enumerate(names.MOMENT_AXES.items(), start=COMPOSITION_CELLS + 1):
        order = {label: at for at, label in enumerate(names.MOMENT_STRATA[family])}
        named = [
            every[of.column].map(dict(of.codes))
            for of in (names.CHARACTERISTICS[axis] for axis in axes)
        ]
        known = np.logical_and.reduce([of.notna() for of in named])
        labels = ["/".join(of) for of in zip(*(of[known] for of in named), strict=True)]
        blocks.append((cells, 0, number[known], np.array([order[label] for label in labels])))
    columns = ("cells", "rule", "characteristics", "stratum")
    return pd.concat(
        [pd.DataFrame(dict(zip(columns, of, strict=True)), dtype="int32") for of in blocks],
        ignore_index=True,
    )


def with_codes(cells: pd.DataFrame) -> pd.DataFrame:
    """Put the codes of the characteristics in the place of their combination's number."""
    coded = cells.merge(
        combinations(),
        left_on="stratum",
        right_on="characteristics",
        how="left",
        validate="many_to_one",
    )
    return coded.drop(columns=["stratum", "characteristics"])


def _places() -> dict[str, dict[object, int]]:
    """Return the place of every code, by column; the code that counts of two has the higher one."""
    places, step = {}, 1
    for column in names.COMPOSITION_STRATA:
        of = _BY_COLUMN[column]
        ranked = [*of.codes] if of.of_two == "last" else [*of.codes][::-1]
        places[column] = {code: step * rank for rank, code in enumerate(ranked, start=1)}
        step *= len(ranked) + 1
    return places
