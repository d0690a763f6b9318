"""What a check is, and what it looks at."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple

from vsh_eval import academic_year, registry
from vsh_eval.contracts import RETURNS
from vsh_eval.returns.columns import quoted
from vsh_eval.returns.folder import READING, Returns

Result = Literal["pass", "warn", "fail"]
Stage = Literal["tables", "values", "rows", "links", "years"]

STAGES: tuple[Stage, ...] = ("tables", "values", "rows", "links", "years")
"""The order of checking; a later stage may assume what an earlier one checks."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """The returns under inspection, and what the run expects of them.

    Attributes
    ----------
    returns : Returns
        The opened folder.
    programmes : frozenset of str
        The programmes that training may name.
    today : date
        The day of the inspection.
    rows : mapping of str to int
        Rows of each table; 0 where an optional table is missing.
    """

    returns: Returns
    programmes: frozenset[str]
    today: date
    rows: Mapping[str, int]

    def ask(self, sql: str, parameters: Iterable[Any] = ()) -> list[tuple]:
        """Run SQL that counts; a check never fetches a pupil's row."""
        return self.returns.connection.execute(sql, list(parameters)).fetchall()

    def count(self, sql: str, parameters: Iterable[Any] = ()) -> int:
        """Return the one number that an SQL text counts, 0 where it counts nothing."""
        return int(self.ask(sql, parameters)[0][0] or 0)

    def present(self, *tables: str) -> tuple[str, ...]:
        """Return those of the tables that the folder holds (all it holds, if none is named)."""
        return tuple(name for name in tables or RETURNS if name in self.returns.tables)

    def years(self) -> tuple[int, ...]:
        """Return the academic years wanted; where none were asked for, those of the attendance."""
        if self.returns.years is not None:
            return self.returns.years
        first, last = self.ask("FROM attendance SELECT min(academic_year), max(academic_year)")[0]
        return () if first is None else tuple(academic_year.span(first, last))

    def collected(self, metric: str) -> tuple[int, ...]:
        """Return the wanted years for which a metric was collected at all."""
        gone = registry.years_without_data(metric)
        return tuple(year for year in self.years() if year not in gone)


class Answer(NamedTuple):
    """What a check found in one table.

    Attributes
    ----------
    table : str
        The table.
    rows : int
        Rows (or, in the stage of the years, years) that the finding concerns; 0 is a pass.
    of_rows : int
        Out of how many.
    columns : tuple of str
        The columns concerned.
    detail : str
        Follows the rule in the message: years or words of the school tables, never a pupil's.
    result : {"pass", "warn", "fail"} or None
        Where it differs from what the check's severity says.
    """

    table: str
    rows: int
    of_rows: int
    columns: tuple[str, ...] = ()
    detail: str = ""
    result: Result | None = None


Examine = Callable[[Inspection], Iterator[Answer]]


@dataclass(frozen=True, slots=True)
class Check:
    """One rule of the returns.

    Attributes
    ----------
    name : str
        Its name in the findings: what must hold, in two or three words.
    stage : Stage
        When it runs.
    rule : str
        What must hold; ``{table}`` and ``{columns}`` are filled in.
    remedy : str
        What an authority's analyst can do about it.
    examine : callable
        Yields one `Answer` a table.
    severity : {"warn", "fail"}
        Whether the run may go on.
    """

    name: str
    stage: Stage
    rule: str
    remedy: str
    examine: Examine
    severity: Literal["warn", "fail"] = "fail"

    def findings(self, inspection: Inspection) -> Iterator[dict[str, Any]]:
        """Yield one row of the findings a table, passed or not."""
        for answer in self.examine(inspection):
            result = answer.result or (self.severity if answer.rows else "pass")
            rule = self.rule.format(table=answer.table, columns=listed(answer.columns))
            advice = "" if result == "pass" else f"{answer.detail}; {self.remedy}"
            yield {
                "check": self.name,
                "table": answer.table,
                "result": result,
                "rows": answer.rows,
                "of_rows": answer.of_rows,
                "message": f"{rule}{advice}.",
                "column": ", ".join(answer.columns),
            }


def where(table: str, condition: str, *columns: str) -> Examine:
    """Make the examination that counts a table's rows where an SQL condition holds."""

    def examine(inspection: Inspection) -> Iterator[Answer]:
        for name in inspection.present(table):
            rows = inspection.count(f"FROM {name} SELECT count_if({condition})")
            yield Answer(name, rows, inspection.rows[name], columns)

    return examine


def any_column(inspection: Inspection, table: str, conditions: Mapping[str, str]) -> Answer:
    """Count a table's rows where any column's condition holds, and name those columns.

    Where none holds, all columns that were looked at are named.
    """
    counts = ", ".join(f"count_if({condition})" for condition in conditions.values())
    either = " OR ".join(f"coalesce({condition}, false)" for condition in conditions.values())
    rows, *each = inspection.ask(f"FROM {READING}.{table} SELECT count_if({either}), {counts}")[0]
    wrong = tuple(column for column, n in zip(conditions, each, strict=True) if n)
    return Answer(table, rows, inspection.rows[table], wrong or tuple(conditions))


def bit(table: str, column: str, bits: str) -> str:
    """Write the condition that a column's bit is set in the reading schema."""
    return f"{quoted(bits)} & {1 << RETURNS[table].column_names.index(column)} <> 0"


def untaken(measure: registry.Measure) -> frozenset[int]:
    """Return the years in which nothing that is made from a measure of attainment was taken."""
    return frozenset.intersection(*map(registry.years_without_data, measure.metrics))


def listed(words: Iterable[str]) -> str:
    """Write words as a list in a sentence.

    Examples
    --------
    >>> listed(["sex", "sen", "fsm6"])
    'sex, sen and fsm6'
    """
    *first, last = list(words) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def labels(years: Iterable[int]) -> str:
    """Write academic years as a list in a sentence.

    Examples
    --------
    >>> labels([202122, 202324])
    '2021/22 and 2023/24'
    """
    return listed(academic_year.label(year) for year in years)
