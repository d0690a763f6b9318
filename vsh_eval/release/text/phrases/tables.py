"""What every released table is called and answers, and what a worksheet says above its table."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from vsh_eval.columns import COUNTS, PROPORTIONS, ROLES, Role, role_of
from vsh_eval.release.text.phrases.labels import column_label, in_words, upper_first
from vsh_eval.release.text.words import rows

TABLES: Mapping[str, Mapping[str, str]] = {
    **rows("tables", "table"),
    **{
        f"{topic}_{kind}": {
            name: upper_first(text.format(topic=topic)) for name, text in row.items()
        }
        for topic in ("attendance", "attainment")
        for kind, row in rows("tables", "by_topic").items()
    },
}
"""Title and question of every table that the notebooks publish, by its name."""

_UNITS: Mapping[Role, str] = MappingProxyType(
    {
        Role.SHARE: "shares in per cent",
        Role.RATIO: "ratios: group divided by those compared with",
        Role.P_VALUE: "p values from 0 to 1",
        Role.MONEY: "costs in pounds",
    }
)
"""The unit of a role that has one unit in every table."""
_UNIT_COLUMNS = ("unit", "gap_unit")


def table_title(name: str) -> str:
    """Return the title of a released table; a table of the reader's own is called by its name.

    Examples
    --------
    >>> table_title("attendance_make_up"), table_title("my_table")
    ("Attendance gap and pupils' characteristics", 'My table')
    """
    return TABLES[name]["title"] if name in TABLES else in_words(name)


def table_question(name: str) -> str:
    """Return the question that a released table answers, '' for a table of the reader's own.

    Examples
    --------
    >>> table_question("gaps")
    'How wide is the gap in each measure, phase and year?'
    """
    return TABLES[name]["question"] if name in TABLES else ""


def stamped(stamp: str) -> str:
    """Say on a cover what its data are marked as."""
    return f"These data are marked: {stamp}."


def without_rows(tables: Sequence[str]) -> list[str]:
    """Name the tables that have no row, and so no sheet; nothing where every table has one."""
    titles = ", ".join(table_title(name) for name in tables)
    return [f"Without a row, and so without a sheet: {titles}."] if tables else []


def only_the_comparison(tables: Sequence[str]) -> list[str]:
    """Name the tables that are too long to look through; nothing where there are none."""
    titles = ", ".join(table_title(name) for name in tables)
    files = ", ".join(f"tables/{name}.csv" for name in tables)
    text = f"Only the rows of the children asked about and of those compared with them: {titles}."
    return [f"{text} All rows are in {files}."] if tables else []


def every_row_line(labels: Mapping[str, str]) -> str:
    """Say the labels that are the same in every row of a table, '' where there are none.

    Parameters
    ----------
    labels : mapping of str to str
        What a reader calls the value, by column.

    Examples
    --------
    >>> every_row_line({"geographic_level": "Local authority", "la_name": "Invented Borough"})
    'In every row: Kind of area: Local authority; Authority name: Invented Borough'
    """
    constants = "; ".join(f"{column_label(column)}: {label}" for column, label in labels.items())
    return f"In every row: {constants}" if constants else ""


def units_line(columns: Sequence[str], texts: Iterable[str] = ()) -> str:
    """Say in which units a table's numbers stand.

    Parameters
    ----------
    columns : sequence of str
        The table's columns.
    texts : iterable of str
        Those of them that hold texts.

    Returns
    -------
    str
        One line, the numbers in the order of the table's columns.

    Examples
    --------
    >>> units_line(["phase", "pupils", "level_value", "unit"])
    'Units: pupils, schools and rows are counted; other numbers as the column Unit says'
    >>> units_line(["programme", "share_schools", "cost"])
    'Units: shares in per cent; costs in pounds'
    """
    described = frozenset(texts)
    roles = {column: role_of(column, text=column in described) for column in columns}
    units: list[str] = []
    if COUNTS & set(roles.values()):
        units.append("pupils, schools and rows are counted")
    for column, role in roles.items():
        role_there = ROLES.get(column.removesuffix("_lower").removesuffix("_upper"), role)
        if column in PROPORTIONS:
            units.append("proportions from 0 to 1")
        elif role_there in _UNITS:
            units.append(_UNITS[role_there])
    own = [column_label(column) for column in _UNIT_COLUMNS if column in roles]
    if own:
        units.append(f"other numbers as the column {' or '.join(own)} says")
    elif "estimate" in roles:
        units.append(
            "estimates in the unit of the measure: percentage points or points of the score"
        )
    return f"Units: {'; '.join(dict.fromkeys(units)) or 'none, the table holds words'}"
