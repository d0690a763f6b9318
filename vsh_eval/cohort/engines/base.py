"""What the room asks of whatever runs its SQL, and the SQL itself.

The text lies in ``cohort/sql/``, one file a table. It keeps to what DuckDB and Spark SQL share, so
no engine has its own version: integer years in place of date ranges, ``CASE``, ``COALESCE``,
``SUM``, every sum cast to ``BIGINT`` (DuckDB's integer sums are wider and would reach pandas as
floats).
"""

from functools import cache
from importlib import resources
from string import Formatter
from typing import Protocol, Self, runtime_checkable

import pandas as pd

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError

SUMMED_TOGETHER = {"sessions": ("attendance",), "registered": ("suspensions", "enrolments")}
"""The origins of metrics whose pupils are summed once for all, by the SQL that sums them."""


@runtime_checkable
class Engine(Protocol):
    """What the room asks of an engine. A Spark session plugs in by offering the same."""

    def run(self, sql: str) -> pd.DataFrame:
        """Return the rows of a query; 64-bit integers stay integers."""
        ...

    def keep(self, name: str, sql: str) -> None:
        """Work out a query once and keep its rows under a name."""
        ...

    def give(self, name: str, table: pd.DataFrame) -> None:
        """Make a small table known under a name."""
        ...

    def drop(self, name: str) -> None:
        """Forget what was kept or given under a name; nothing happens if there is none."""
        ...

    def columns(self, name: str) -> tuple[str, ...]:
        """Return the columns of a table, none where there is no such table."""
        ...


class Temporary:
    """An engine that drops all it was given or kept when its block ends, whatever happens.

    Parameters
    ----------
    engine : Engine
        What runs the SQL.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._names: dict[str, None] = {}

    def __enter__(self) -> Self:
        """Begin with nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop everything, the latest first."""
        for name in reversed(self._names):
            self._engine.drop(name)

    def run(self, sql: str) -> pd.DataFrame:
        """Return the rows of a query."""
        return self._engine.run(sql)

    def keep(self, name: str, sql: str) -> None:
        """Work out a query once and keep its rows under a name, until the block ends."""
        self._names[name] = None
        self._engine.keep(name, sql)

    def give(self, name: str, table: pd.DataFrame) -> None:
        """Make a small table known under a name, until the block ends."""
        self._names[name] = None
        self._engine.give(name, table)

    def drop(self, name: str) -> None:
        """Forget what was kept or given under a name."""
        self._engine.drop(name)

    def columns(self, name: str) -> tuple[str, ...]:
        """Return the columns of a table, none where there is no such table."""
        return self._engine.columns(name)


def sql_text(name: str, /, **integers: int) -> str:
    r"""Return one of the room's SQL texts with its parameters filled in.

    Only whole numbers can be filled in, so no value of a return ever becomes part of a query. A
    line with ``{characteristic}`` stands once for each column of ``names.COMPOSITION_STRATA``, one
    with ``{sessions}`` or ``{registered}`` once for each metric that this SQL sums, and one with
    ``{sessions_sum}`` or ``{registered_sum}`` for those of them that do not count children.

    Parameters
    ----------
    name : str
        The file in ``sql/`` without its ending.
    **integers : int
        One for each ``{parameter}`` of the text.

    Raises
    ------
    ContractError
        If a parameter is missing, not asked for, or not a whole number.

    Examples
    --------
    >>> print(*sql_text("intake_enrolments", period=202324).splitlines()[-5:], sep="\n")
    LEFT JOIN cohort_sen sen ON e.sen = sen.code
    LEFT JOIN cohort_fsm6 fsm6 ON e.fsm6 = fsm6.code
    LEFT JOIN cohort_sex sex ON e.sex = sex.code
    LEFT JOIN cohort_year_group year_group ON e.year_group = year_group.code
    WHERE e.academic_year = 202324
    """
    each = _each()
    text = "\n".join(
        line.replace(mark, column)
        for line in sql_file(name).splitlines()
        for mark in [next((mark for mark in each if mark in line), "")]
        for column in each.get(mark, ("",))
    )
    parameters = {field for _, field, _, _ in Formatter().parse(text) if field is not None}
    if parameters != set(integers):
        raise ContractError(
            f"SQL text {name} was given {sorted(integers)}, must be given {sorted(parameters)}; "
            "name each of its parameters."
        )
    for parameter, value in integers.items():
        if type(value) is not int:
            raise ContractError(
                f"SQL parameter {parameter} is {value!r}, must be a whole number; "
                "no other value is ever put into a query."
            )
    return text.format(**integers)


def _each() -> dict[str, tuple[str, ...]]:
    """Return what a line with a mark stands once for each of."""
    marks = {"{characteristic}": names.COMPOSITION_STRATA}
    for table, origins in SUMMED_TOGETHER.items():
        of = [entry for entry in registry.METRICS.values() if entry.origin in origins]
        marks[f"{{{table}}}"] = tuple(entry.name for entry in of)
        marks[f"{{{table}_sum}}"] = tuple(e.name for e in of if e.counts != "children")
    return marks


@cache
def sql_file(name: str) -> str:
    """Return one of the room's SQL texts as it lies in its file."""
    return resources.files("vsh_eval.cohort").joinpath(f"sql/{name}.sql").read_text("utf-8")
