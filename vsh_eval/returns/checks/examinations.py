"""What the checks look at that is more than one line of SQL."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import partial

from vsh_eval import academic_year, names, registry
from vsh_eval.contracts import RETURNS, TERMS, WHOLE_YEAR, Column, by_term, terms_lacking
from vsh_eval.returns.checks import joins
from vsh_eval.returns.checks.inspection import (
    Answer,
    Inspection,
    by_column,
    counted,
    each_of,
    labels,
    listed,
    missing_of,
    untaken,
    where,
)
from vsh_eval.returns.checks.years import attained, attended
from vsh_eval.returns.columns import literal

_NEEDED = ("schools", "enrolments", "attendance", "episodes")
"""Without rows of these there is no cohort; without training there is no effect to ask about."""
_FORMS: Mapping[str, str] = {
    "integer": "whole numbers",
    "number": "plain numbers",
    "date": "dates of the calendar in the column's one format",
    "academic_year": "academic years such as 2023/24",
}
_PLACEHOLDERS = ("null", "none", "na", "n/a", "nan", "#n/a", "unknown", "-", "0")
_LONGEST_PLACEHOLDER = max(map(len, _PLACEHOLDERS))
_ONE_DAY_SHARE = {"training": 0.5, "episodes": 0.1}
_FEWEST_DATES = 10
_ABSENCE = "overall_absence"
_FEW = 0.05
"""The share of rows, or of pupils' years, that may be wrong; above it they are so throughout."""
LONG_OPEN = 5
"""Years after which an open spell of help is more likely one that nobody closed."""
_SOME_LONG_OPEN = 0.05
_LAST_YEAR_GROUP = 13
_SOME_SUSPENDED = 200
"""Pupils among whom a year without one suspension is more likely a year without a return."""


def rows_there(inspection: Inspection) -> Iterator[Answer]:
    """See whether each table has rows; no school need have a link."""
    for table in inspection.present():
        if table == "school_links":
            continue
        empty = "fail" if table in _NEEDED else "warn"
        rows = inspection.rows[table]
        yield Answer(table, 0, rows, result="pass" if rows else empty)


def _blank(column: Column) -> str | None:
    return None if column.nullable or not column.required else "blank_bits & {bit} <> 0"


def _unreadable(column: Column) -> str | None:
    return None if column.kind == "text" else "unread_bits & {bit} <> 0"


def _not_allowed(column: Column) -> str | None:
    words = ", ".join(map(literal, column.allowed))
    return f"{column.name} NOT IN ({words})" if words else None


def _outside(column: Column) -> str | None:
    if column.minimum is None:
        return None
    above = "" if column.maximum is None else f" OR {column.name} > {column.maximum:g}"
    return f"({column.name} < {column.minimum:g}{above})"


def _shortened(column: Column) -> str | None:
    # A spreadsheet writes 1.2E+11; no identifier has a plus sign after an E.
    name, spoilt = column.name, ", ".join(map(literal, _PLACEHOLDERS))
    if not name.endswith(("pupil_id", "urn")):
        return None
    return (
        f"CASE WHEN contains({name}, '+') THEN contains({name}, 'E+') OR contains({name}, 'e+') "
        f"WHEN strlen({name}) <= {_LONGEST_PLACEHOLDER} THEN lower({name}) IN ({spoilt}) "
        "ELSE false END"
    )


def _range(column: Column) -> str:
    if column.maximum is None:
        return f"{column.minimum:g} or more"
    return f"{column.minimum:g} to {column.maximum:g}"


filled = by_column(_blank)
readable = by_column(
    _unreadable,
    lambda wrong: f", that is as {listed(dict.fromkeys(_FORMS[c.kind] for c in wrong))}",
)
allowed = by_column(
    _not_allowed, lambda wrong: f" ({listed(f'{c.name}: {", ".join(c.allowed)}' for c in wrong)})"
)
in_range = by_column(_outside, lambda wrong: f" ({listed(f'{c.name} {_range(c)}' for c in wrong)})")
whole_identifiers = by_column(_shortened)


def episodes_identified(inspection: Inspection) -> Iterator[Answer]:
    """See whether episodes name their child; a few that do not are left out."""
    of_rows = inspection.rows["episodes"]
    rows = inspection.count("FROM episodes SELECT count_if(pupil_id IS NULL)")
    many = "fail" if rows > _FEW * of_rows else None
    yield Answer("episodes", rows, of_rows, ("pupil_id",), result=many)


def programmes(inspection: Inspection) -> Iterator[Answer]:
    """See whether training names declared programmes."""
    known = sorted({*names.PROGRAMMES, *inspection.expected.programmes})
    unknown = inspection.ask(
        "FROM training SELECT programme, count(*) "
        "WHERE NOT list_contains(?, programme) GROUP BY programme ORDER BY programme",
        [known],
    )
    rows = sum(count for _, count in unknown)
    text = listed(repr(word) for word, _ in unknown[:3])
    detail = f" ({listed(known)}), and {text} is not among them" if rows else ""
    yield Answer("training", rows, inspection.rows["training"], ("programme",), detail)


def courses(inspection: Inspection) -> Iterator[Answer]:
    """See whether the log's courses are programmes; its reader leaves out those that are none."""
    held = inspection.returns
    notes = held.notes if held.formats.get("training") == "files" else ()
    lost = [one.details for one in notes if one.code == "programmes_without_synonym"]
    rows, of_rows = (sum(int(str(one[n])) for one in lost) for n in ("rows", "of_rows"))
    for table in inspection.present("training"):
        of_rows = of_rows or inspection.rows[table]
        which = ", ".join(str(one["which"]) for one in lost)
        yield Answer(table, rows, of_rows, ("programme",), which=which)


def measures(inspection: Inspection) -> Iterator[Answer]:
    """See whether attainment names measures of the registry."""
    known = [entry.name for entry in registry.returned_measures()]
    unknown = inspection.ask(
        "FROM attainment SELECT measure, count(*), count(DISTINCT pupil_id) "
        "WHERE NOT list_contains(?, measure) GROUP BY measure ORDER BY measure",
        [known],
    )
    # A shifted column could hold identifiers, so only a word that many pupils share is said.
    text = [f"'{word}'" for word, _, pupils in unknown if pupils >= names.LEAST_PUPILS]
    near = [match for word, *_ in unknown for match in get_close_matches(word, known, 1)]
    detail = (f", and {listed(text[:5])} is not" if text else "") + (
        f" (nearest: {listed(list(dict.fromkeys(near))[:5])})" if near else f" ({listed(known)})"
    )
    rows = sum(count for _, count, _ in unknown)
    yield Answer("attainment", rows, inspection.rows["attainment"], ("measure",), detail)


def covariates(inspection: Inspection) -> Iterator[Answer]:
    """See whether further columns of schools are numbers throughout."""
    wrong = inspection.returns.left_out
    of_rows = len(wrong) + len(inspection.returns.covariates)
    yield Answer("schools", len(wrong), of_rows, wrong or inspection.returns.covariates)


def unique(inspection: Inspection) -> Iterator[Answer]:
    """See whether rows share their keys."""
    for table in inspection.present():
        contract = RETURNS[table]
        must = [
            f"{c.name} IS NOT NULL"
            for c in contract.columns
            if c.name in contract.keys and ((c.required and not c.nullable) or c.name == "pupil_id")
        ]
        years = inspection.years_of(table) if "academic_year" in contract.keys else ()
        of_each = [f"academic_year = {year}" for year in years] or ["true"]
        keys = ", ".join(contract.keys)
        if table == "attendance":
            rows = attended(inspection, years).shared
        else:
            chosen = [" AND ".join([*must, of]) for of in of_each]
            rows = sum(_shared(inspection, table, keys, each) for each in chosen)
        yield Answer(table, rows, inspection.rows[table], contract.keys)


def _shared(inspection: Inspection, table: str, keys: str, chosen: str) -> int:
    """Count the rows that are one too many; different hashes are of different keys."""
    count = f"FROM {table} SELECT count(*) - count(DISTINCT {{}}) WHERE {chosen}"
    return inspection.count(count.format(f"hash({keys})")) and inspection.count(
        count.format(f"row({keys})")
    )


def attainment_values(inspection: Inspection) -> Iterator[Answer]:
    """See whether values are those that their measures can have."""
    outside = {entry: _impossible(entry) for entry in registry.returned_measures()}
    for answer in where("attainment", " OR ".join(outside.values()), "value")(inspection):
        detail = ""
        if answer.rows:
            wrong = [
                entry
                for entry, rule in outside.items()
                if inspection.count(f"FROM attainment SELECT count_if({rule})")
            ]
            detail = f" ({listed(f'{_possible(entry)} for {entry.name}' for entry in wrong)})"
        yield answer._replace(detail=detail)


def _impossible(entry: registry.Measure) -> str:
    allowed = "IN (0, 1)" if entry.whole else f"BETWEEN {entry.lowest:g} AND {entry.highest:g}"
    return f"(measure = {literal(entry.name)} AND value NOT {allowed})"


def _possible(entry: registry.Measure) -> str:
    return "0 or 1" if entry.whole else f"{entry.lowest:g} to {entry.highest:g}"


def sessions_of_a_year(inspection: Inspection, *, moved: bool) -> Iterator[Answer]:
    """See whether a pupil's year sums to more sessions than a year holds."""
    attendance = attended(inspection, inspection.years_of("attendance"))
    over = attendance.moved_over if moved else attendance.settled_over
    many = "fail" if over > _FEW * attendance.pupils else None
    yield Answer("attendance", over, attendance.pupils, ("sess_possible",), result=many)


at_one_school = partial(sessions_of_a_year, moved=False)
at_two_schools = partial(sessions_of_a_year, moved=True)


def one_school_a_term(inspection: Inspection) -> Iterator[Answer]:
    """See whether a pupil has two schools in a term."""
    rows = attended(inspection, inspection.years_of("attendance")).two_schools
    yield Answer("attendance", rows, inspection.rows["attendance"], ("urn",))


def spells_closed(inspection: Inspection) -> Iterator[Answer]:
    """See whether open spells of need and protection are old, or of people who are no pupils now.

    Placements are left out: a child may be looked after for all of a childhood.
    """
    years = inspection.years()
    if not years:
        return
    last = academic_year.start(years[-1])
    old, of = inspection.counts(
        "FROM episodes e LEFT JOIN (FROM enrolments SEMI JOIN episodes USING (pupil_id) "
        f"SELECT pupil_id, max(year_group + {last} - academic_year // 100) AS group_now "
        "GROUP BY pupil_id) n ON e.pupil_id = n.pupil_id SELECT count_if("
        f"start_date < DATE '{last + 1 - LONG_OPEN}-09-01' OR group_now > {_LAST_YEAR_GROUP}), "
        "count(*) WHERE status IN ('CIN', 'CPP') AND end_date IS NULL AND start_date IS NOT NULL"
    )
    result = "warn" if old > _SOME_LONG_OPEN * of else "pass"
    yield Answer("episodes", old, of, ("start_date", "end_date"), result=result)


def dates_vary(inspection: Inspection) -> Iterator[Answer]:
    """See whether one day is the start of far too many records."""
    for table, share in _ONE_DAY_SHARE.items():
        dated, most = inspection.ask(
            f"FROM (FROM {table} SELECT count(*) AS n WHERE start_date IS NOT NULL "
            "GROUP BY start_date) SELECT coalesce(sum(n), 0), coalesce(max(n), 0)"
        )[0]
        same = dated >= _FEWEST_DATES and most > share * dated
        yield Answer(table, int(most) if same else 0, inspection.rows[table], ("start_date",))


_ALIKE = """
    WITH enrolled AS MATERIALIZED (
        FROM enrolments SELECT DISTINCT pupil_id WHERE pupil_id IS NOT NULL
    ),
    unmatched AS (
        FROM ({sought}) ANTI JOIN enrolled USING (pupil_id)
        SELECT origin, n, ltrim(upper(pupil_id), '0') AS plain
    )
    FROM unmatched SEMI JOIN (FROM enrolled SELECT ltrim(upper(pupil_id), '0') AS plain)
    USING (plain) SELECT origin, sum(n) GROUP BY origin
"""


def identifiers_alike(inspection: Inspection) -> Iterator[Answer]:
    """See whether identifiers without an enrolment have one but for capitals and leading zeros."""
    tables = inspection.present("episodes", "attendance", "suspensions", "attainment")
    # Where every row has an enrolment in its year, no identifier is without one.
    matched = {
        table
        for table, counted in (("attendance", attended), ("attainment", attained))
        if not counted(inspection, inspection.years_of(table)).not_enrolled
    }
    sought = " UNION ALL ".join(
        f"(FROM {table} SELECT {literal(table)} AS origin, pupil_id, count(*) AS n "
        "WHERE pupil_id IS NOT NULL GROUP BY pupil_id)"
        for table in tables
        if table not in matched
    )
    near = dict(inspection.ask(_ALIKE.format(sought=sought)))
    for table in tables:
        yield Answer(table, int(near.get(table, 0)), inspection.rows[table], ("pupil_id",))


def year_group_of_measure(inspection: Inspection) -> Iterator[Answer]:
    """See whether results are of pupils in a year group that takes the measure."""
    rows = attained(inspection, inspection.years_of("attainment")).other_ages
    yield Answer("attainment", rows, inspection.rows["attainment"], ("measure",))


def years_attended(inspection: Inspection) -> Iterator[Answer]:
    """See whether attendance has every year asked for."""
    wanted = inspection.collected(_ABSENCE)
    held = {row[0] for row in inspection.ask("FROM attendance SELECT DISTINCT academic_year")}
    answer = missing_of("attendance", wanted, held, ("academic_year",), _none_has)
    if not wanted:
        answer = answer._replace(detail=", and no such year is asked for")
    yield answer._replace(result="fail") if answer.rows == len(wanted) else answer


def _none_has(years: list[int]) -> str:
    return f"none has {labels(years)}"


def terms_whole(inspection: Inspection) -> Iterator[Answer]:
    """See whether years of attendance have their three terms."""
    wanted = inspection.collected(_ABSENCE)
    counts = inspection.ask(
        "FROM attendance SELECT academic_year, term, count(*) "
        f"WHERE term IN ({', '.join(map(literal, (*TERMS, WHOLE_YEAR)))}) AND sess_possible > 0 "
        "GROUP BY academic_year, term"
    )
    held = by_term({(year, term): rows for year, term, rows in counts if year in wanted})
    lacking = terms_lacking(held)
    nowhere = [term for term in TERMS if held and term not in {at for _, at in held}]
    columns = ("academic_year", "term")
    if nowhere and not lacking:
        detail = f", and none has {listed(nowhere)}, so that all are parts of years"
        yield Answer("attendance", len(wanted), len(wanted), columns, detail, "warn")
        return
    # A year at either end can be given up in the params; one in between is left out instead.
    ends = {wanted[0], wanted[-1]} & set(lacking) if lacking else set()
    terms = listed(term for term in TERMS if any(term in of for of in lacking.values()))
    detail = f", which {labels(lacking)} does not (lacking: {terms})" + (
        "" if ends else ", so that its absence and suspensions are not shown"
    )
    yield Answer(
        "attendance",
        len(lacking),
        len(wanted),
        columns,
        detail,
        "warn" if lacking and not ends else None,
    )


def years_usable(inspection: Inspection) -> Iterator[Answer]:
    """See whether there are rows of years in which nothing was collected."""
    without_data = ", ".join(map(str, sorted(registry.years_without_data(_ABSENCE))))
    pairs = " OR ".join(
        f"(measure = {literal(entry.name)} AND academic_year = {year})"
        for entry in registry.returned_measures()
        for year in sorted(untaken(entry))
    )
    yield from each_of(
        where("attendance", f"academic_year IN ({without_data})", "academic_year"),
        counted(
            "FROM (FROM {table} SELECT measure, academic_year, count(*) AS n "
            f"GROUP BY measure, academic_year) SELECT sum(n) FILTER (WHERE {pairs})",
            "attainment",
            "measure academic_year",
        ),
    )(inspection)


def years_measured(inspection: Inspection) -> Iterator[Answer]:
    """See whether a measure has every year in which it was taken."""
    held = set(inspection.ask("FROM attainment SELECT DISTINCT measure, academic_year"))
    known = {name for name, _ in held}
    wanted = [
        (entry.name, year)
        for entry in registry.returned_measures()
        if entry.name in known
        for year in inspection.years()
        if year not in untaken(entry)
    ]
    yield missing_of(
        "attainment", wanted, held, ("measure", "academic_year"), partial(_are_missing, wanted)
    )


def _are_missing(wanted: list[tuple[str, int]], missing: list[tuple[str, int]]) -> str:
    """Name the measures by year; years that lack the same ones stand together."""
    years_of: dict[str, list[int]] = {}
    for year in sorted({year for _, year in missing}):
        lacking = [name for name, of in missing if of == year]
        whole = len(lacking) == sum(of == year for _, of in wanted) > 1
        years_of.setdefault("all measures" if whole else listed(lacking), []).append(year)
    named = ", and ".join(f"{lacking} of {labels(years)}" for lacking, years in years_of.items())
    return f"{named} {'is' if len(missing) == 1 else 'are'} missing"


def years_suspended(inspection: Inspection) -> Iterator[Answer]:
    """See whether suspensions have every year asked for."""
    large = inspection.ask(
        "FROM enrolments SELECT academic_year GROUP BY academic_year "
        f"HAVING count(*) >= {_SOME_SUSPENDED} ORDER BY academic_year"
    )
    wanted = [year for (year,) in large if year in inspection.years()]
    for table in inspection.present("suspensions"):
        held = {row[0] for row in inspection.ask(f"FROM {table} SELECT DISTINCT academic_year")}
        # A table without rows is a finding already.
        yield missing_of(table, wanted, held or wanted, ("academic_year",), _none_has)


def episodes_reach_back(inspection: Inspection) -> Iterator[Answer]:
    """See whether closed episodes fill the look-back."""
    years = inspection.years()
    before = [
        academic_year.after(year, -back)
        for year in years[:1]
        for back in range(joins.LOOK_BACK, 0, -1)
    ]
    ended = inspection.ask(
        "FROM episodes SELECT DISTINCT year(end_date) - CAST(month(end_date) < 9 AS INTEGER) "
        "WHERE end_date IS NOT NULL"
    )
    held = {academic_year.from_start(int(start)) for (start,) in ended}
    yield missing_of(
        "episodes", before, held, ("end_date",), lambda years: f"none ends in {labels(years)}"
    )
