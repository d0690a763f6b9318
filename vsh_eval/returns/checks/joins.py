"""Every join that decides who counts: what it seeks, how much must be found, what a loss does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from vsh_eval import academic_year, registry
from vsh_eval.returns.checks.inspection import Answer, Examine, Inspection
from vsh_eval.returns.checks.years import attained, attended

LOOK_BACK = 6
"""Years that make a previous social worker, as in Ever 6."""
BETWEEN_CENSUSES = 0.02
"""The share of rows that may be of pupils who were on roll on no census day of the year."""
_ABSENCE = "overall_absence"
JOIN_COLUMNS = ("check", "table", "found", "of", "share", "least", "consequence")


class Join(NamedTuple):
    """One join of the returns.

    Attributes
    ----------
    tables : str
        The tables whose rows seek another's; each is examined.
    columns : str
        The columns that they seek by.
    counts : callable
        Counts for a table what is sought and what of it is found: pupils, schools or rows; and
        what is sought in years that the other table has, where a year may be missing.
    least : float
        The share to be found; below it the join warns.
    fewest : float
        The share, in years that the other table has, below which the join fails; 0 where only
        finding nothing fails.
    consequence : str
        The code of what a loss does to the results.
    """

    tables: str
    columns: str
    counts: Callable[[Inspection, str], tuple[int, ...]]
    least: float
    fewest: float
    consequence: str


def helped_children(table: str, years: Sequence[int]) -> str:
    """Write the SQL of those with a social worker in some years or the look-back before them.

    Examples
    --------
    >>> helped_children("episodes", ())
    'FROM episodes SELECT DISTINCT pupil_id WHERE pupil_id IS NOT NULL'
    """
    chosen = f"FROM {table} SELECT DISTINCT pupil_id WHERE pupil_id IS NOT NULL"
    if not years:
        return chosen
    first = academic_year.start(academic_year.after(years[0], -LOOK_BACK))
    return (
        f"{chosen} AND start_date <= DATE '{academic_year.last_day(years[-1])}' "
        f"AND coalesce(end_date >= DATE '{first}-09-01', true)"
    )


def _episodes(inspection: Inspection, table: str) -> tuple[int, ...]:
    """Seek the children who had a social worker in the years asked for or the look-back."""
    children = helped_children(table, inspection.years())
    return inspection.added(
        f"FROM ({children}) SELECT count(*), 0",
        f"FROM ({children}) SEMI JOIN enrolments USING (pupil_id) SELECT 0, count(*)",
    )


def _basis(inspection: Inspection, table: str) -> tuple[int, ...]:
    """Seek the basis asked for among the children in need; a blank is an episode, as in cohort."""
    return inspection.counts(
        f"FROM {table} SELECT count(DISTINCT pupil_id), count(DISTINCT pupil_id) "
        f"FILTER (WHERE coalesce(basis, 'episode') = '{inspection.expected.basis}') "
        "WHERE status = 'CIN'"
    )


def _attended(inspection: Inspection, table: str) -> tuple[int, ...]:
    """Seek sessions of the pupils of the ages that count, in years that have or should have any."""
    del table
    without_data = registry.years_without_data(_ABSENCE)
    held = {*inspection.years_of("attendance")} - without_data
    attendance = attended(inspection, sorted(held | {*inspection.years()} - without_data))
    return (
        attendance.enrolled,
        attendance.enrolled_there,
        attended(inspection, sorted(held)).enrolled,
    )


def _enrolled(inspection: Inspection, table: str) -> tuple[int, ...]:
    """Seek the enrolment of every row of the years asked for."""
    requested, of = inspection.returns.years, inspection.rows[table]
    years = [year for year in inspection.years_of(table) if not requested or year in requested]
    if table == "attendance":
        return of, of - attended(inspection, years).not_enrolled
    if table == "attainment":
        return of, of - attained(inspection, years).not_enrolled
    queries = (
        f"FROM {table} t ANTI JOIN (FROM enrolments WHERE academic_year = {year}) e "
        f"ON t.pupil_id = e.pupil_id SELECT 0, -count(*) "
        f"WHERE t.academic_year = {year} AND t.pupil_id IS NOT NULL"
        for year in years
    )
    return inspection.added(f"SELECT {of}, {of}", *queries)


def _known_schools(inspection: Inspection, table: str) -> tuple[int, ...]:
    """Seek the school of every row among the schools and their predecessors."""
    of = inspection.rows[table]
    lost = inspection.count(
        "WITH known AS (FROM schools SELECT urn UNION FROM school_links SELECT urn) "  # noqa: S608
        f"FROM {table} t ANTI JOIN known k ON t.urn = k.urn "
        "SELECT count(*) WHERE t.urn IS NOT NULL"
    )
    return of, of - lost


def _trained(inspection: Inspection, table: str) -> tuple[int, ...]:
    """Seek sessions at every trained school, its predecessor or its successor."""
    return inspection.counts(
        "WITH here AS (FROM attendance SELECT DISTINCT urn), alike AS (FROM here UNION "  # noqa: S608
        "FROM school_links l JOIN here h ON l.successor_urn = h.urn SELECT l.urn UNION "
        "FROM school_links l JOIN here h ON l.urn = h.urn SELECT l.successor_urn) "
        f"FROM (FROM {table} SELECT DISTINCT urn WHERE urn IS NOT NULL) t "
        "SELECT count(*), count_if(urn IN (FROM alike))"
    )


JOINS: Mapping[str, Join] = {
    "episodes_enrolled": Join("episodes", "pupil_id", _episodes, 0.6, 0.2, "pass_for_peers"),
    "basis_there": Join("episodes", "basis", _basis, 0.2, 0.02, "other_cohort"),
    "pupils_enrolled": Join(
        "attendance suspensions attainment", "pupil_id academic_year",
        _enrolled, 1.0, 1 - BETWEEN_CENSUSES, "rows_left_out",
    ),
    "enrolments_attended": Join(
        "enrolments", "pupil_id academic_year", _attended, 0.98, 0.5, "absent_missing"
    ),
    "schools_known": Join(
        "enrolments attendance suspensions attainment training", "urn",
        _known_schools, 1.0, 1.0, "rows_left_out",
    ),
    "training_attended": Join("training", "urn", _trained, 0.9, 0.5, "pass_for_untrained"),
}  # fmt: skip
"""By the name of their check. Many children who have a social worker are under five, over 15 or at
school elsewhere, and many in need never have a plan, so those two shares are low; the other joins
are of the same pupils and schools twice."""


def joined(name: str) -> Examine:
    """Make the examination of a join of `JOINS`: rows are what was sought and not found."""

    def examine(inspection: Inspection) -> Iterator[Answer]:
        join = JOINS[name]
        for table in inspection.present(*join.tables.split()):
            sought, matched, *there = join.counts(inspection, table)
            share = matched / sought if sought else 1.0
            # A year that is missing is a warning, as it is in years_attended.
            enough = matched and matched / min([sought, *there]) >= join.fewest
            result = "pass" if share >= join.least else "warn" if enough else "fail"
            yield Answer(table, sought - matched, sought, tuple(join.columns.split()), "", result)

    return examine


def joins(findings: pd.DataFrame) -> pd.DataFrame:
    """Say how much of each join was found.

    Parameters
    ----------
    findings : DataFrame
        From `check`.

    Returns
    -------
    DataFrame
        One row a join and table: ``check``, ``table``, ``found`` and ``of`` (pupils, pupil-years,
        schools or rows; counts of all, internal), ``share`` and ``least`` (of 1; NA where nothing
        was sought) and ``consequence`` (code of what a loss does).

    Examples
    --------
    >>> findings = pd.DataFrame({"check": ["basis_there", "keys_unique"], "table": "episodes",
    ...     "rows": [1, 0], "of_rows": [4, 9]})
    >>> joins(findings)[["check", "found", "of", "share", "least"]].values.tolist()
    [['basis_there', 3, 4, 0.75, 0.2]]
    """
    of_joins = findings[findings["check"].isin(list(JOINS))].reset_index(drop=True)
    of = of_joins["of_rows"].astype("int64")
    there = of - of_joins["rows"].astype("int64")
    return pd.DataFrame(
        {
            "check": of_joins["check"],
            "table": of_joins["table"],
            "found": there,
            "of": of,
            "share": there / of.where(of > 0),
            "least": [JOINS[name].least for name in of_joins["check"]],
            "consequence": [JOINS[name].consequence for name in of_joins["check"]],
        },
        columns=list(JOIN_COLUMNS),
    )
