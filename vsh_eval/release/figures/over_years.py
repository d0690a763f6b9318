"""Charts of levels and gaps over the academic years."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import (
    Figure,
    Series,
    canvas,
    draw_series,
    draw_years,
    label_ends,
    mark_breaks,
    mark_hidden,
    name_axis,
    span_of,
    to_png,
)
from vsh_eval.release.rows import part_of, records, status_of, title_of, value_of
from vsh_eval.release.text.labels import (
    group_in_text,
    lower_first,
    metric_in_text,
    phase_in_text,
    value_label,
)
from vsh_eval.release.text.phrases import number, symbol_notes, together, usual_decimals

Rows = Sequence[dict[str, Any]]


def draw_levels(
    safe: SafeTable,
    *,
    metric: str,
    phase: str = names.TOTAL,
    group: str | None = None,
    area: str | None = None,
) -> Figure:
    """Draw the level of the group and of those it is compared with, over the years.

    Parameters
    ----------
    safe : SafeTable
        A ``gaps`` table (group_level and reference_level, each with its limits), or a ``levels``
        table (group, level_value, lower, upper) of at most four groups.
    metric, phase : str
        What is drawn.
    group, area : str, optional
        Needed where the table holds more than one group compared or ``unit_id``.

    Returns
    -------
    Figure
        Lines with their intervals; years without data are gaps, breaks are marked, hidden values
        carry their symbol.

    Raises
    ------
    ContractError
        If no row fits, a year occurs twice, or more than four groups are asked for.
    """
    data = part_of(safe, metric=metric, phase=phase, group=group, unit_id=area)
    rows = records(data)
    years = span_of([int(row["time_period"]) for row in rows])
    series = _both_levels(rows, years) if "group_level" in rows[0] else _levels(rows, years)
    if len(series) > palette.MOST_CATEGORIES:
        raise ContractError(
            f"{len(series)} groups were to be drawn, must be at most {palette.MOST_CATEGORIES}; "
            "select groups of the levels table first."
        )
    entry = registry.metric(metric)
    with canvas(stamp=data.stamp) as (figure, (axes,)):
        _draw_all(axes, series, metric, years)
        _from_nought(axes, series)
        notes = mark_breaks(axes, metric, years, drawn=series)
        symbols = _mark_hidden(axes, rows, years, metric)
        label_ends(axes, [_end(s, i, entry.unit, metric) for i, s in enumerate(series)])
        draw_years(axes, years)
        name_axis(axes, f"{entry.label} ({entry.unit})")
        png = to_png(figure, data.stamp)
    caption = _caption(f"{title_of(metric, phase)}, by academic year", series, notes, symbols)
    return Figure(
        png=png,
        alt=alt.of_series(
            f"Line chart of {title_of(metric, phase)}",
            series,
            years,
            entry.unit,
            data.stamp,
            metric=metric,
            decimals=usual_decimals(metric),
        ),
        caption=caption,
        data=data,
        name=f"levels_{metric}_{phase}",
        columns=_columns(rows[0], *_levels_of(rows[0])),
    )


def draw_gap(
    safe: SafeTable,
    *,
    metric: str,
    phase: str = names.TOTAL,
    group: str | None = None,
    area: str | None = None,
    ratio: bool = False,
) -> Figure:
    """Draw the signed gap over the years, with the line of no gap.

    Parameters
    ----------
    safe : SafeTable
        A ``gaps`` table.
    metric, phase : str
        What is drawn.
    group, area : str, optional
        Needed where the table holds more than one group or ``unit_id``.
    ratio : bool
        Whether a second panel shows the relative gap, with the line of equal levels at 1.

    Returns
    -------
    Figure
        Group minus reference with its interval, years without data as gaps.

    Raises
    ------
    ContractError
        If no row fits, or a year occurs twice.
    """
    data = part_of(safe, metric=metric, phase=phase, group=group, unit_id=area)
    rows = records(data)
    years = span_of([int(row["time_period"]) for row in rows])
    entry = registry.metric(metric)
    gap = _series(rows, years, "gap", "Gap")
    relative = _series(rows, years, "ratio", "Ratio") if ratio else None
    with canvas(2 if ratio else 1, height=3.5 if ratio else 4.0, stamp=data.stamp) as (
        figure,
        panels,
    ):
        notes = _draw_gap(panels[0], gap, metric, years)
        symbols = _mark_hidden(panels[0], rows, years, metric)
        name_axis(panels[0], f"Gap in {metric_in_text(metric)} ({entry.gap_unit})")
        if relative is not None:
            _draw_ratio(panels[1], relative, metric, years)
        png = to_png(figure, data.stamp)
    who = f"{group_in_text(rows[0]['group'])} and {group_in_text(rows[0]['reference'])}"
    title = f"Gap in {_gap_in(metric, phase)} between {who}"
    drawn = [gap] if relative is None else [gap, relative]
    return Figure(
        png=png,
        alt=alt.of_gap(f"Line chart of the {lower_first(title)}", drawn, years, entry, data.stamp),
        caption=_caption(title, drawn, notes, symbols),
        data=data,
        name=f"gap_{metric}_{phase}",
        columns=_columns(rows[0], "gap", *(["ratio"] if ratio else [])),
    )


def _gap_in(metric: str, phase: str) -> str:
    where = phase_in_text(phase)
    return f"{metric_in_text(metric)}{f' {where}' if where else ''}"


def _draw_gap(axes: Axes, gap: Series, metric: str, years: Sequence[int]) -> list[str]:
    _draw_all(axes, [gap], metric, years)
    _reference_line(axes, 0.0, "no gap", gap)
    nought = Series("no gap", (0.0,) * len(years), gap.lower, gap.upper)
    notes = mark_breaks(axes, metric, years, drawn=[gap, nought])
    label_ends(axes, [_end(gap, 0, registry.metric(metric).gap_unit, metric)])
    draw_years(axes, years)
    return notes


def _draw_ratio(axes: Axes, relative: Series, metric: str, years: Sequence[int]) -> None:
    _draw_all(axes, [relative], metric, years)
    _reference_line(axes, 1.0, "equal", relative)
    mark_breaks(axes, metric, years, drawn=[relative])
    value = _last(relative)
    label_ends(axes, [(f"Ratio\n{_written(value, 2)}", value, palette.LINES[0].text_colour)])
    draw_years(axes, years)
    name_axis(axes, "Ratio of the two levels")


def _reference_line(axes: Axes, height: float, text: str, series: Series) -> None:
    """Draw the line of no gap and keep it in sight."""
    axes.axhline(height, color=palette.TEXT, lw=1.2, zorder=1)
    known = [v for v in (*series.values, *series.lower, *series.upper) if not math.isnan(v)]
    low, high = min([height, *known]), max([height, *known])
    room = 0.12 * (high - low or 1.0)
    axes.set_ylim(low - room, high + room)
    above = sum(v - height for v in known) >= 0
    axes.annotate(
        text,
        (0.0, height),
        xycoords=("axes fraction", "data"),
        xytext=(4, -4 if above else 4),
        textcoords="offset points",
        va="top" if above else "bottom",
        fontsize=10.5,
        color=palette.QUIET,
    )


def _draw_all(axes: Axes, series: Sequence[Series], metric: str, years: Sequence[int]) -> None:
    apart = {
        entry.time_period
        for entry in registry.breaks_of(metric, years)
        if entry.kind == "not_comparable"
    }
    for one, line in zip(series, palette.LINES, strict=False):
        draw_series(axes, one, line, hollow=[year in apart for year in years])


def _from_nought(axes: Axes, series: Sequence[Series]) -> None:
    known = [v for s in series for v in (*s.values, *s.upper, *s.lower) if not math.isnan(v)]
    top = max(known, default=1.0)
    axes.set_ylim(min(0.0, *known) if known else 0.0, top * 1.12 or 1.0)


def _mark_hidden(axes: Axes, rows: Rows, years: Sequence[int], metric: str) -> list[str]:
    """Mark hidden values; years that a break explains carry its words instead of a symbol."""
    explained = {e.time_period for e in registry.breaks_of(metric) if e.kind == "no_data"}
    value = next(c for c in ("gap", "group_level", "level_value") if c in rows[0])
    hidden = {
        years.index(int(row["time_period"])): status_of(row)
        for row in rows
        if math.isnan(value_of(row, value)) and row["time_period"] not in explained
    }
    mark_hidden(axes, hidden)
    return sorted(set(hidden.values()))


def _both_levels(rows: Rows, years: Sequence[int]) -> list[Series]:
    return [
        _series(rows, years, f"{side}_level", value_label("group", rows[0][side]))
        for side in ("group", "reference")
    ]


def _levels(rows: Rows, years: Sequence[int]) -> list[Series]:
    groups = list(dict.fromkeys(row["group"] for row in rows))
    return [
        _series(
            [row for row in rows if row["group"] == group],
            years,
            "level_value",
            value_label("group", group),
            limits=("lower", "upper"),
        )
        for group in groups
    ]


def _series(
    rows: Rows,
    years: Sequence[int],
    column: str,
    label: str,
    *,
    limits: tuple[str, str] | None = None,
) -> Series:
    """Arrange a column over the years; refuse a year that occurs twice."""
    lower, upper = limits or (f"{column}_lower", f"{column}_upper")
    by_year = {int(row["time_period"]): row for row in rows}
    if len(by_year) < len(rows):
        raise ContractError(
            f"{column} has more than one row a year, must have one; name the group and the area "
            "that single the series out."
        )
    found = [by_year.get(year, {}) for year in years]
    return Series(
        label=label,
        values=tuple(value_of(row, column) for row in found),
        lower=tuple(value_of(row, lower) for row in found),
        upper=tuple(value_of(row, upper) for row in found),
    )


def _last(series: Series) -> float:
    return next((v for v in reversed(series.values) if not math.isnan(v)), math.nan)


def _end(series: Series, place: int, unit: str, metric: str) -> tuple[str, float, str]:
    value = _last(series)
    written = _written(value, usual_decimals(metric))
    shown = f"{written}%" if unit == "%" else written
    height = 0.0 if math.isnan(value) else value
    return f"{series.label}\n{shown}", height, palette.LINES[place].text_colour


def _written(value: float, decimals: int) -> str:
    return "not shown" if math.isnan(value) else number(value, decimals=decimals)


def _caption(
    title: str, series: Sequence[Series], notes: Sequence[str], symbols: Sequence[str]
) -> str:
    """Say what is drawn, then the breaks, then the symbols."""
    parts = [f"{title}."]
    if any(not math.isnan(v) for s in series for v in s.lower):
        parts.append("Shaded: 95% interval.")
    parts.extend(together(notes))
    explained = symbol_notes(list(symbols))
    if explained:
        parts.append(f"{'; '.join(explained)}.")
    return " ".join(parts)


def _levels_of(row: dict[str, Any]) -> tuple[str, ...]:
    return ("group_level", "reference_level") if "group_level" in row else ("level_value",)


def _columns(row: dict[str, Any], *measures: str) -> tuple[str, ...]:
    wanted = ["time_period"]
    for measure in measures:
        ends = (
            ("lower", "upper")
            if measure == "level_value"
            else (f"{measure}_lower", f"{measure}_upper")
        )
        wanted.extend([*(["group"] if measure == "level_value" else []), measure, *ends])
    return tuple(column for column in wanted if column in row)
