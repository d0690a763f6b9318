"""The sums of every cell, in the columns that all rooms share."""

from collections.abc import Sequence

import pandas as pd

from vsh_eval import names, registry

_INTEGERS = ("pupils", "denominator", *names.RECORD_KEYS)
_FLOATS = ("numerator", "sum_yy", "sum_xy", "sum_xx")
_TEXT = (*(key for key in names.PANEL_KEYS if key != "time_period"), "status")
_STRATA = {
    of.column: "int64" if all(isinstance(code, int) for code in of.codes) else "str"
    for of in names.CHARACTERISTICS.values()
}


def build_panel(cells: pd.DataFrame, *, cohort_rule: str) -> pd.DataFrame:
    """Put the cells of the schools into the panel's columns.

    Parameters
    ----------
    cells : pandas.DataFrame
        time_period, unit_id, phase, group_code (1 to 5, the order of ``names.LEAF_GROUPS``),
        metric, pupils, the five whole sums (y of attainment in hundredths) and the two sums of
        record keys.
    cohort_rule : str
        Who counted as having a social worker.

    Returns
    -------
    pandas.DataFrame
        ``names.PANEL_COLUMNS``, level "school", sorted by its keys. ``pupils`` counts enrolments
        (a mover counts at each school) with x > 0. Empty cells have no row; ``rate`` is missing
        and ``status`` empty throughout.

    Raises
    ------
    ContractError
        If a cell's metric is not in the registry.

    Notes
    -----
    level = scale x numerator / denominator, numerator = sum y, denominator = sum x. Sums of
    hundredths are divided once, after adding, so that they do not depend on the order of rows.

    Examples
    --------
    >>> cells = pd.DataFrame({"time_period": [202324], "unit_id": ["1"], "phase": ["secondary"],
    ...     "group_code": [3], "metric": ["ks4_attainment8"], "pupils": [2], "numerator": [8150],
    ...     "denominator": [2], "sum_yy": [33242500], "sum_xy": [8150], "sum_xx": [2],
    ...     "key_n": [9], "key_y": [9]})
    >>> row = build_panel(cells, cohort_rule="any_time_in_year").iloc[0]
    >>> row["group"], float(row["numerator"]), float(row["sum_yy"])
    ('cin', 81.5, 3324.25)
    """
    return _in_columns(
        cells,
        names.PANEL_COLUMNS,
        keys=names.PANEL_KEYS,
        level=names.SCHOOL,
        cohort_rule=cohort_rule,
    )


def build_composition(cells: pd.DataFrame, *, cohort_rule: str) -> pd.DataFrame:
    """Put the cells of the authority's strata of pupils into the panel's columns.

    Parameters
    ----------
    cells : pandas.DataFrame
        As for `build_panel`, unit_id being the authority's code, with the columns of
        ``names.COMPOSITION_STRATA``.
    cohort_rule : str
        As for `build_panel`.

    Returns
    -------
    pandas.DataFrame
        ``names.COMPOSITION_COLUMNS``, level "la", sorted by its keys and strata. Added up over
        the strata it equals the panel added up over the schools of the authority and phase.

    Raises
    ------
    ContractError
        If a cell's metric is not in the registry.

    Examples
    --------
    >>> cells = pd.DataFrame({"time_period": [202324], "unit_id": ["E1"], "phase": ["primary"],
    ...     "group_code": [5], "metric": ["overall_absence"], "sen": ["N"], "fsm6": [0],
    ...     "sex": ["F"], "year_group": [4], "pupils": [1], "numerator": [3],
    ...     "denominator": [60], "sum_yy": [9], "sum_xy": [180], "sum_xx": [3600],
    ...     "key_n": [7], "key_y": [7]})
    >>> table = build_composition(cells, cohort_rule="any_time_in_year")
    >>> table[["group", "sen", "numerator"]].values.tolist()
    [['peers', 'N', 3.0]]
    """
    return _in_columns(
        cells,
        names.COMPOSITION_COLUMNS,
        keys=(*names.PANEL_KEYS, *names.COMPOSITION_STRATA),
        level=names.LA,
        cohort_rule=cohort_rule,
    )


def _in_columns(
    cells: pd.DataFrame, columns: Sequence[str], *, keys: Sequence[str], **constant: str
) -> pd.DataFrame:
    units = {name: registry.metric(str(name)).units_of_one for name in cells["metric"].unique()}
    group = pd.Categorical(names.LEAF_GROUPS).take(cells["group_code"].to_numpy() - 1)
    # Sorted before its constant columns and its text are made: the panel is long.
    cells = cells.assign(group=group)
    cells = cells.sort_values([key for key in keys if key in cells], ignore_index=True)
    per = cells["metric"].astype("str").map(units).astype("int64")
    table = cells.assign(
        source="returns",
        vintage="returns",
        status="",
        rate=float("nan"),
        numerator=cells["numerator"] / per,
        sum_xy=cells["sum_xy"] / per,
        sum_yy=cells["sum_yy"] / per**2,
        **constant,
    )
    dtypes = {
        "time_period": "int64",
        **_STRATA,
        **dict.fromkeys(_INTEGERS, "Int64"),
        **dict.fromkeys((*_FLOATS, "rate"), "float64"),
        **dict.fromkeys(_TEXT, "str"),
    }
    return table[list(columns)].astype({key: dtypes[key] for key in columns})
