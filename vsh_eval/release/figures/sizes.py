"""How many children each group has, over the years."""

import math
from typing import Any

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
    mark_hidden,
    name_axis,
    span_of,
    to_png,
)
from vsh_eval.release.rows import part_of, records, status_of, value_of
from vsh_eval.release.text.labels import phase_in_text, value_label, year_label
from vsh_eval.release.text.phrases import number, symbol_notes


def draw_sizes(
    safe: SafeTable, *, metric: str, phase: str = names.TOTAL, area: str | None = None
) -> Figure:
    """Draw the number of children of each group over the years.

    Parameters
    ----------
    safe : SafeTable
        A ``levels`` table of at most four groups.
    metric : str
        The measure whose children are counted: a child who moved counts at each school.
    phase : str
        Which phase.
    area : str, optional
        Needed where the table holds more than one ``unit_id``.

    Returns
    -------
    Figure
        A line a group, from nought; a year in which the measure has no data is a gap.

    Raises
    ------
    ContractError
        If no row fits, a group has two rows a year, or there are more than four groups.
    """
    data = part_of(safe, metric=metric, phase=phase, unit_id=area)
    rows = records(data)
    years = span_of([int(row["time_period"]) for row in rows])
    series = [_series(rows, group, years) for group in dict.fromkeys(row["group"] for row in rows)]
    if len(series) > palette.MOST_CATEGORIES:
        raise ContractError(
            f"{len(series)} groups were to be drawn, must be at most {palette.MOST_CATEGORIES}; "
            "select groups of the levels table first."
        )
    known = [value for one in series for value in one.values if not math.isnan(value)]
    where = f" {phase_in_text(phase)}" if phase_in_text(phase) else ""
    title = f"Children of each group{where}"
    with canvas(height=4.6, stamp=data.stamp) as (figure, (axes,)):
        for one, line in zip(series, palette.LINES, strict=False):
            draw_series(axes, one, line)
        axes.set_ylim(0.0, 1.12 * max(known, default=1.0) or 1.0)
        without = [e for e in registry.breaks_of(metric, years) if e.kind == "no_data"]
        for place in (years.index(entry.time_period) for entry in without):
            axes.axvspan(place - 0.5, place + 0.5, color=palette.SHADE, lw=0, zorder=0)
        mark_hidden(axes, _hidden(rows, metric, years))
        label_ends(axes, [_end(one, at) for at, one in enumerate(series)])
        draw_years(axes, years)
        name_axis(axes, title)
        png = to_png(figure, data.stamp)
    symbols = symbol_notes(sorted(set(_hidden(rows, metric, years).values())))
    caption = [
        f"{title}, by academic year.",
        *(() if _published(rows) else ("A child who moved counts at each school.",)),
        *(f"Shaded: {entry.note}" for entry in without),
        *(f"{note}." for note in symbols),
    ]
    return Figure(
        png=png,
        alt=alt.of_estimates(
            f"Line chart: {title}", [_told(one, years) for one in series], data.stamp
        ),
        caption=" ".join(caption),
        data=data,
        name=f"sizes_{metric}_{phase}",
        columns=("time_period", "group", "pupils"),
    )


def _series(rows: list[dict[str, Any]], group: str, years: tuple[int, ...]) -> Series:
    own = [row for row in rows if row["group"] == group]
    by_year = {int(row["time_period"]): value_of(row, "pupils") for row in own}
    if len(by_year) < len(own):
        raise ContractError(
            f"group {group} has more than one row a year, must have one; name the metric and the "
            "area that single it out."
        )
    nothing = (math.nan,) * len(years)
    values = tuple(by_year.get(year, math.nan) for year in years)
    return Series(value_label("group", group), values, nothing, nothing)


def _hidden(rows: list[dict[str, Any]], metric: str, years: tuple[int, ...]) -> dict[int, str]:
    """Return the symbols of hidden numbers of children, by place on the axis."""
    explained = {e.time_period for e in registry.breaks_of(metric) if e.kind == "no_data"}
    return {
        years.index(int(row["time_period"])): status_of(row)
        for row in rows
        if math.isnan(value_of(row, "pupils")) and row["time_period"] not in explained
    }


def _published(rows: list[dict[str, Any]]) -> bool:
    return any(row.get("source") == "published" for row in rows)


def _told(one: Series, years: tuple[int, ...]) -> str:
    known = [(year, v) for year, v in zip(years, one.values, strict=True) if not math.isnan(v)]
    if not known:
        return f"{one.label}: not shown"
    (first, start), (last, end) = known[0], known[-1]
    if first == last:
        return f"{one.label}: {number(start, decimals=0)} in {year_label(first)}"
    return (
        f"{one.label}: {number(start, decimals=0)} in {year_label(first)}, "
        f"{number(end, decimals=0)} in {year_label(last)}"
    )


def _end(one: Series, place: int) -> tuple[str, float, str]:
    known = [value for value in one.values if not math.isnan(value)]
    last = known[-1] if known else math.nan
    words = "not shown" if math.isnan(last) else number(last, decimals=0)
    height = 0.0 if math.isnan(last) else last
    return f"{one.label}\n{words}", height, palette.LINES[place].text_colour
