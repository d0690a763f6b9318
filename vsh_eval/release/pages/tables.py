"""Safe tables as HTML that anyone can read: caption, scopes, units, symbols explained."""

from collections.abc import Mapping, Sequence
from html import escape

from vsh_eval import names, registry
from vsh_eval.contracts import require_columns
from vsh_eval.release.disclosure.safe_table import SafeTable, require_safe
from vsh_eval.release.rows import Row, records, status_of
from vsh_eval.release.text.phrases.charts import with_unit
from vsh_eval.release.text.phrases.labels import (
    column_label,
    decimals_of,
    interval_label,
    interval_of,
    is_missing,
    value_label,
)
from vsh_eval.release.text.phrases.numbers import (
    MINUS,
    cell_text,
    decimals_of_ratio,
    estimate_decimals,
    limits,
    measure_decimals,
    symbol_notes,
)
from vsh_eval.release.text.phrases.protection import notes_of

_BACKSTAGE = frozenset({"status", "unit", "gap_unit", "source", "vintage", "cohort_rule", "df"})
_MOST_OF_A_LABEL = 60
"""Letters of a text that may be broken into a column of single words."""
_OF_ESTIMATES = frozenset({"ci_lower", "band_lower"})
_IN_GAP_UNITS = frozenset({"gap", "change", "trend", "estimate"})


def table_html(
    safe: SafeTable,
    *,
    caption: str,
    columns: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    decimals: Mapping[str, int] | None = None,
    areas: Mapping[str, str] | None = None,
    notes: bool = True,
) -> str:
    """Write a safe table as HTML.

    Parameters
    ----------
    safe : SafeTable
        Any safe table.
    caption : str
        What the table is about.
    columns : sequence of str, optional
        The columns in order, the first one naming the row; all but units, vintage and the like if
        not given. ``gap_lower`` beside ``gap_upper`` become one column, the interval.
    labels : mapping, optional
        Headings instead of the columns' own.
    decimals : mapping, optional
        Decimal places by column instead of the columns' own.
    areas : mapping, optional
        Names of areas, by ``unit_id``.
    notes : bool
        Whether the notes on protection stand below.

    Returns
    -------
    str
        A box that scrolls and can be reached by keyboard, with the table in it. A number that is
        not shown is the row's symbol, explained below the table. The stamp and the notes on
        protection stand with every table of a notebook and once on a page of the report.

    Raises
    ------
    DisclosureError
        If the table did not come through `vsh_eval.release.disclosure.release_table`.
    ContractError
        If a column is missing.
    """
    rows = [_named(row, areas or {}) for row in records(require_safe(safe))]
    shown = [c for c in safe.frame.columns if c not in _BACKSTAGE] if columns is None else columns
    require_columns(safe.frame, list(shown), name=f"the {safe.kind} table")
    parts = _joined([str(column) for column in shown])
    known = {**_whose_levels(rows), **_units(rows), **(labels or {})}
    heads = [_heading(part, known) for part in parts]
    body = [[_text(part, row, decimals or {}) for part in parts] for row in rows]
    if len({row["unit"] for row in rows if "unit" in row}) > 1 and parts[0] == ("metric",):
        gaps = any(part[0] in _IN_GAP_UNITS for part in parts)
        for line, row in zip(body, rows, strict=True):
            line[0] = with_unit(line[0], _unit_of(row, gaps=gaps))
    numeric = [_is_numeric([line[place] for line in body]) for place in range(len(parts))]
    stamp = f' <span class="stamp">{escape(safe.stamp)}</span>' if safe.stamp else ""
    lines = [
        f'<div class="scroll" role="group" aria-label="{escape(caption)}" tabindex="0">',
        f"<table><caption>{escape(caption)}{stamp}</caption>",
        _head_row(heads, numeric),
        "<tbody>",
        *(_body_row(line, numeric) for line in body),
        "</tbody></table>",
        _below(body, notes_of(safe) if notes else ()),
        "</div>",
    ]
    return "\n".join(line for line in lines if line)


def _named(row: Row, areas: Mapping[str, str]) -> Row:
    """Put the area's name in place of its code."""
    return (
        {**row, "unit_id": areas.get(row["unit_id"], row["unit_id"])} if "unit_id" in row else row
    )


def _joined(columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Put a lower and an upper limit that stand beside each other into one column."""
    parts: list[tuple[str, ...]] = []
    for column in columns:
        stem = column.removesuffix("upper")
        if stem != column and f"{stem}lower" in columns:
            continue
        stem = column.removesuffix("lower")
        both = stem != column and f"{stem}upper" in columns
        parts.append((column, f"{stem}upper") if both else (column,))
    return parts


def _whose_levels(rows: Sequence[Row]) -> dict[str, str]:
    """Head levels and days of both groups with whose they are, where all rows have the same two."""
    heads = {}
    for who in ("group", "reference"):
        groups = {str(row[who]) for row in rows if who in row}
        units = {str(row["unit"]) for row in rows if "unit" in row}
        if len(groups) != 1:
            continue
        unit = f" ({units.pop()})" if len(units) == 1 else ""
        label = value_label("group", groups.pop())
        heads |= {f"{who}_level": f"{label}{unit}", f"{who}_days": label}
        heads |= {f"{who}_{what}_lower": interval_of(label) for what in ("level", "days")}
    return heads


def _unit_of(row: Row, *, gaps: bool) -> str:
    """Return the unit of a row's level, and of its gap where a gap is shown and it has another."""
    unit, of_gap = str(row["unit"]), registry.metric(str(row["metric"])).gap_unit
    return f"{unit}; gap in {of_gap}" if gaps and of_gap != unit else unit


def _units(rows: Sequence[Row]) -> dict[str, str]:
    """Head levels and gaps with their unit, where all rows have the same."""
    metrics = {str(row["metric"]) for row in rows if "metric" in row}
    entries = (
        [registry.metric(name) for name in metrics] if metrics <= set(registry.METRICS) else []
    )
    levels, gaps = {one.unit for one in entries}, {one.gap_unit for one in entries}
    gaps |= {str(row["gap_unit"]) for row in rows if "gap_unit" in row}
    heads = {} if len(levels) != 1 else {"level_value": levels.pop()}
    heads |= {} if len(gaps) != 1 else dict.fromkeys(_IN_GAP_UNITS, gaps.pop())
    return {column: with_unit(column_label(column), unit) for column, unit in heads.items()}


def _heading(part: tuple[str, ...], labels: Mapping[str, str]) -> str:
    if part[0] in labels:
        return labels[part[0]]
    if len(part) == 1:
        return column_label(part[0])
    stem = part[0].removesuffix("lower").removesuffix("_")
    return interval_label(stem)


def _text(part: tuple[str, ...], row: Row, decimals: Mapping[str, int]) -> str:
    wanted = decimals.get(part[0])
    if part == ("direction",) and not row["direction"]:  # no interval, or years unlike
        return names.UNAVAILABLE
    if len(part) == 1:
        return cell_text(part[0], row, decimals=wanted)
    lower, upper = (row[column] for column in part)
    if is_missing(lower) or is_missing(upper):
        return status_of(row)
    places = (decimals_of(part[0]) or 1) if wanted is None else wanted
    if wanted is None and places == 1:
        places = measure_decimals(row, part[0])
    if wanted is None and part[0] == "ratio_lower":
        places = decimals_of_ratio(float(row["ratio"]))
    if wanted is None and part[0] in _OF_ESTIMATES:
        places = estimate_decimals(row)
    return limits(float(lower), float(upper), decimals=places)


def _is_numeric(texts: Sequence[str]) -> bool:
    """Say whether a column of texts holds numbers or symbols, so that it is set to the right."""
    filled = [text for text in texts if text]
    return bool(filled) and all(_looks_numeric(text) for text in filled)


def _looks_numeric(text: str) -> bool:
    bare = text.replace(" to ", "").replace(MINUS, "").replace(",", "").replace(".", "")
    return bare.lstrip("+<").rstrip("%").isdigit() or bool(symbol_notes([text]))


def _head_row(heads: Sequence[str], numeric: Sequence[bool]) -> str:
    cells = "".join(
        f'<th scope="col"{_class(right)}>{escape(head)}</th>'
        for head, right in zip(heads, numeric, strict=True)
    )
    return f"<thead><tr>{cells}</tr></thead>"


def _body_row(line: Sequence[str], numeric: Sequence[bool]) -> str:
    first = f'<th scope="row">{escape(line[0]) or "&nbsp;"}</th>'
    rest = "".join(
        f"<td{_class(right, text)}>{escape(text)}</td>"
        for text, right in zip(line[1:], numeric[1:], strict=True)
    )
    return f"<tr>{first}{rest}</tr>"


def _class(right: object, text: str = "") -> str:
    """Say what a cell needs: digits below digits, or room for a sentence on a narrow screen."""
    if right:
        return ' class="number"'
    return ' class="sentence"' if len(text) > _MOST_OF_A_LABEL else ""


def _below(body: Sequence[Sequence[str]], notes: Sequence[str]) -> str:
    symbols = symbol_notes(sorted({text for line in body for text in line}))
    explained = [f"{'; '.join(symbols)}."] if symbols else []
    return "".join(
        f'<p class="{kind}">{escape(note)}</p>'
        for kind, lines in (("note", explained), ("note protection", notes))
        for note in lines
    )
