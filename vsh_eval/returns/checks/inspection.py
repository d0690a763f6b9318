"""What a check is, what it looks at, and the usual ways of looking."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from vsh_eval import academic_year, registry
from vsh_eval.contracts import RETURNS, Column
from vsh_eval.returns.folder import READING, Returns

Result = Literal["pass", "warn", "fail"]
Stage = Literal["tables", "values", "rows", "links", "years", "params"]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the params expect of the returns; the defaults are those of a params file.

    Attributes
    ----------
    authority : str
        The authority's ONS code; '' where it is not known.
    basis : {"episode", "plan"}
        How children in need are counted.
    programmes : tuple of str
        The programmes of training that the params name; empty: all of the offer.
    covariates : tuple of str
        The columns of schools that the protocol names.
    baseline : int or None
        The academic year that changes are counted from, such as 202122; None: not known.
    """

    authority: str = ""
    basis: Literal["episode", "plan"] = "episode"
    programmes: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    baseline: int | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """The returns under inspection, and what the run expects of them.

    Attributes
    ----------
    returns : Returns
        The opened folder.
    expected : Expected
        What the params expect.
    rows : mapping of str to int
        Rows of each table; 0 where an optional table is missing.
    answers : dict of str to list of tuple
        What has been counted, by its SQL.
    """

    returns: Returns
    expected: Expected
    rows: Mapping[str, int]
    answers: dict[str, list[tuple]] = field(default_factory=dict)

    def ask(self, sql: str, parameters: Iterable[Any] = ()) -> list[tuple]:
        """Run SQL that counts; a check never fetches a pupil's row."""
        return self.returns.connection.execute(sql, list(parameters)).fetchall()

    def added(self, *queries: str) -> tuple[int, ...]:
        """Return the numbers of one row, added up over several SQL texts; each is run once."""
        for sql in queries:
            if sql not in self.answers:
                self.answers[sql] = self.ask(sql)
        rows = [self.answers[sql][0] for sql in queries]
        return tuple(sum(int(n or 0) for n in column) for column in zip(*rows, strict=True))

    def years_of(self, table: str) -> tuple[int, ...]:
        """Return the academic years that a table holds.

        What is of one year is counted year by year, so that memory holds one year's pupils.
        """
        held = f"FROM {table} SELECT DISTINCT academic_year WHERE academic_year IS NOT NULL"
        if held not in self.answers:
            self.answers[held] = self.ask(held)
        return tuple(sorted(year for (year,) in self.answers[held]))

    def count(self, sql: str, parameters: Iterable[Any] = ()) -> int:
        """Return the one number that an SQL text counts, 0 where it counts nothing."""
        return int(self.ask(sql, parameters)[0][0] or 0)

    def counts(self, sql: str) -> tuple[int, ...]:
        """Return the numbers of the one row that an SQL text counts, 0 where it counts nothing."""
        return tuple(int(n or 0) for n in self.ask(sql)[0])

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
        without_data = registry.years_without_data(metric)
        return tuple(year for year in self.years() if year not in without_data)


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
        Where it differs from what the rule says.
    which : str
        For the analyst alone: the schools and terms concerned; never a pupil.
    """

    table: str
    rows: int
    of_rows: int
    columns: tuple[str, ...] = ()
    detail: str = ""
    result: Result | None = None
    which: str = ""


def missing_of(
    table: str,
    wanted: Sequence[Any],
    held: Collection[Any],
    columns: tuple[str, ...],
    text: Callable[[list[Any]], str],
) -> Answer:
    """Return what a table lacks of what is wanted of it; `text` says what is missing."""
    missing = [one for one in wanted if one not in held]
    return Answer(table, len(missing), len(wanted), columns, f", and {text(missing)}")


Examine = Callable[[Inspection], Iterator[Answer]]


@dataclass(frozen=True, slots=True)
class Check:
    """One rule of the returns.

    Attributes
    ----------
    sentence : str
        What must or should hold; and, after the semicolon, what an authority's analyst can do.
        ``{table}`` and ``{columns}`` are filled in.
    examine : callable
        Yields one `Answer` a table.
    """

    sentence: str
    examine: Examine

    def findings(self, name: str, inspection: Inspection) -> Iterator[dict[str, Any]]:
        """Return one row of the findings a table, passed or not."""
        return worded(self.sentence, name, self.examine(inspection))


def worded(sentence: str, name: str, answers: Iterable[Answer]) -> Iterator[dict[str, Any]]:
    """Yield one row of the findings an answer, passed or not, in the words of a check."""
    rule, remedy = sentence.split("; ", 1)
    severity: Result = "fail" if " must " in rule else "warn"
    for answer in answers:
        result = answer.result or (severity if answer.rows else "pass")
        advice = "" if result == "pass" else f"{answer.detail}; {remedy}"
        holds = rule.format(table=answer.table, columns=listed(answer.columns))
        yield {
            "check": name,
            "table": answer.table,
            "result": result,
            "rows": answer.rows,
            "of_rows": answer.of_rows,
            "message": f"{holds}{advice}.",
            "column": ", ".join(answer.columns),
            "rule": f"{holds}{answer.detail}" if advice else holds,
            "which": answer.which,
        }


def counted(sql: str, tables: str, columns: str) -> Examine:
    """Make the examination of some tables by SQL that counts rows; ``{table}`` is filled in."""

    def examine(inspection: Inspection) -> Iterator[Answer]:
        for table in inspection.present(*tables.split()):
            rows = inspection.count(sql.format(table=table))
            yield Answer(table, rows, inspection.rows[table], tuple(columns.split()))

    return examine


def where(table: str, condition: str, columns: str) -> Examine:
    """Make the examination that counts a table's rows where an SQL condition holds."""
    return counted(f"FROM {{table}} SELECT count_if({condition})", table, columns)


def each_of(*examinations: Examine) -> Examine:
    """Make one examination of several, one table each."""

    def examine(inspection: Inspection) -> Iterator[Answer]:
        for examination in examinations:
            yield from examination(inspection)

    return examine


def by_column(
    wrong: Callable[[Column], str | None], detail: Callable[[list[Column]], str] | None = None
) -> Examine:
    """Make the examination of every column of every table.

    Parameters
    ----------
    wrong : callable
        The SQL condition that a value of a column is wrong, where ``{bit}`` is the column's bit in
        the reading schema; None for a column that the rule does not concern.
    detail : callable, optional
        What to say of the columns that have a wrong value (of all, where none has).
    """

    def examine(inspection: Inspection) -> Iterator[Answer]:
        for table in inspection.present():
            columns = RETURNS[table].columns
            conditions = {
                column: condition.format(bit=1 << place)
                for place, column in enumerate(columns)
                if (condition := wrong(column))
            }
            if conditions:
                rows, faulty = _any_of(inspection, table, conditions)
                answer = Answer(table, rows, inspection.rows[table], tuple(c.name for c in faulty))
                yield answer._replace(detail=detail(faulty)) if detail else answer

    return examine


def _any_of(
    inspection: Inspection, table: str, conditions: Mapping[Column, str]
) -> tuple[int, list[Column]]:
    """Count rows where any condition holds, and name the columns of those that do (or all)."""
    each_row = ", ".join(
        f"coalesce({condition}, false) AS w{i}" for i, condition in enumerate(conditions.values())
    )
    wrong = [f"w{i}" for i in range(len(conditions))]
    counts = ", ".join(f"count_if({one})" for one in (" OR ".join(wrong), *wrong))
    rows, *each = inspection.counts(
        f"FROM (FROM {READING}.{table} SELECT {each_row}) SELECT {counts}"
    )
    faulty = [column for column, n in zip(conditions, each, strict=True) if n]
    return rows, faulty or list(conditions)


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
