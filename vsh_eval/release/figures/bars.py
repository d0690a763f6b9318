"""Bars and dots in rows: what a gap goes with, and both levels by characteristic."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError
from vsh_eval.registry import Metric
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import (
    Figure,
    Page,
    draw_intervals,
    draw_points,
    symbols_sentence,
)
from vsh_eval.release.figures.intervals import Entry, heights_of, rows_of
from vsh_eval.release.rows import Row, is_shown, one_row, part_of, records, status_of, value_of
from vsh_eval.release.text import charts
from vsh_eval.release.text.labels import (
    column_label,
    group_in_text,
    metric_in_text,
    upper_first,
    value_label,
)
from vsh_eval.release.text.phrases import amount, limits, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIDES = ("group_level", "reference_level")
_LINES = palette.LINES[:2]
_PARTS = ("composition_phase", "composition_sen", "composition_fsm6", "composition_sex")
_COLOURS = {"gap": palette.DARK_GREY, "composition": palette.TURQUOISE, "rates": palette.DARK_BLUE}
_THICK, _THIN = 0.26, 0.16
"""Inches: the thickness of a bar, and of one that is part of another."""


@dataclass(frozen=True, slots=True)
class _Bar:
    """One bar: the column it stands for, and where it begins and ends."""

    column: str
    start: float
    end: float

    @property
    def is_part(self) -> bool:
        return self.column in _PARTS


def draw_decomposition(
    safe: SafeTable,
    *,
    metric: str,
    year: int,
    phase: str = names.TOTAL,
    group: str | None = None,
) -> Figure:
    """Draw how much of a gap goes with who the children are, and how much does not.

    Parameters
    ----------
    safe : SafeTable
        A ``decomposition`` table, decomposed.
    metric, phase : str
        Which gap.
    year : int
        The academic year, for example 202425.
    group : str, optional
        Needed where the table holds more than one group compared.

    Returns
    -------
    Figure
        A waterfall: a bar for the gap; below it one that begins at zero for the composition, its
        single characteristics as lighter bars where shown, and one that goes on from there for the
        rest. Thin lines join the end of a bar to the start of the next.

    Raises
    ------
    ContractError
        If no row, or more than one, fits, or the parts are hidden.
    """
    where = {"metric": metric, "time_period": year, "phase": phase, "group": group}
    data, row = part_of(safe, **where), one_row(safe, **where)
    if not is_shown(row, "gap", "composition", "rates"):
        raise ContractError(
            f"the parts of the gap in {metric} in {year} are not shown ({status_of(row)}), must be "
            "there to be drawn; say so with text.characteristics.decomposition_sentence."
        )
    entry, bars = registry.metric(metric), _bars(row)
    entries = [
        Entry(
            column_label(bar.column),
            number(value_of(row, bar.column), signed=True),
            "" if bar.is_part else _interval(row, bar.column),
            bold=not bar.is_part,
        )
        for bar in bars
    ]
    with rows_of(data, [entries]) as page:
        _draw_waterfall(page.panels[0], bars, heights_of(entries))
        page.panels[0].set_xlabel(upper_first(entry.gap_unit))
        measure = charts.in_phase(metric_in_text(metric), phase)
        title = charts.of_year(charts.DECOMPOSITION_TITLE.format(measure=measure), year)
        shown = [c for c in ("gap", "composition", *_PARTS, "rates") if is_shown(row, c)]
        return page.figure(
            f"decomposition_{metric}_{phase}",
            [end for column in shown for end in (column, f"{column}_lower", f"{column}_upper")],
            alt=[
                charts.DECOMPOSITION_OF.format(title=title),
                *(_part_in_text(row, column, entry) for column in shown),
            ],
            caption=[charts.DECOMPOSITION_CAPTION.format(title=title)],
        )


def _interval(row: Row, name: str) -> str:
    ends = (f"{name}_lower", f"{name}_upper")
    return limits(*(value_of(row, end) for end in ends)) if is_shown(row, *ends) else ""


def _bars(row: Row) -> list[_Bar]:
    """Return the bars, each part beginning where the one before it ends."""
    gap, composition = value_of(row, "gap"), value_of(row, "composition")
    bars, end = [_Bar("gap", 0.0, gap), _Bar("composition", 0.0, composition)], 0.0
    for name in _PARTS:
        if is_shown(row, name) and value_of(row, name) != 0:
            bars.append(_Bar(name, end, end + value_of(row, name)))
            end = bars[-1].end
    return [*bars, _Bar("rates", composition, gap)]


def _draw_waterfall(axes: "Axes", bars: Sequence[_Bar], heights: Sequence[float]) -> None:
    import seaborn as sns

    for bar, height in zip(bars, heights, strict=True):
        colour = _COLOURS.get(bar.column, palette.TURQUOISE)
        sns.barplot(
            x=[bar.end - bar.start],
            y=[height],
            orient="y",
            native_scale=True,
            errorbar=None,
            left=bar.start,
            width=_THIN if bar.is_part else _THICK,
            color=colour,
            facecolor="white" if bar.is_part else colour,
            edgecolor=colour,
            hatch="////" if bar.is_part else None,
            saturation=1,
            linewidth=1.4,
            zorder=2,
            ax=axes,
        )
    joined = [
        at for at, bar in enumerate(bars) if bar.column in ("composition", "rates") or bar.is_part
    ]
    for at in joined[1:]:
        start = bars[at].start
        before = heights[at - 1]
        axes.vlines(start, before, heights[at], color=palette.QUIET, lw=0.9, zorder=1.5)
    axes.axvline(0, color=palette.TEXT, lw=1.2, zorder=3)
    axes.set_ylim(heights[-1] + heights[0], 0.0)
    axes.set_yticks([])
    ends = [0.0, *(end for bar in bars for end in (bar.start, bar.end))]
    room = 0.05 * (max(ends) - min(ends) or 1.0)
    axes.set_xlim(min(ends) - (room if min(ends) < 0 else 0), max(ends) + room)


def _part_in_text(row: Row, name: str, entry: Metric) -> str:
    interval = _interval(row, name)
    template = charts.PART_WITH_INTERVAL if interval else charts.PART
    return template.format(
        part=column_label(name),
        value=amount(value_of(row, name), entry.gap_unit),
        interval=interval,
    )


def draw_breakdown(safe: SafeTable, *, metric: str, year: int, group: str | None = None) -> Figure:
    """Draw both levels for each value of each characteristic, with the gap between them.

    Parameters
    ----------
    safe : SafeTable
        A ``breakdown`` table of one or more characteristics.
    metric : str
        What is drawn.
    year : int
        The academic year, for example 202425.
    group : str, optional
        Needed where the table holds more than one group compared.

    Returns
    -------
    Figure
        A row a value: two points joined by a line, the gap written beside them. Characteristics
        stand below one another on one axis.

    Raises
    ------
    ContractError
        If no row fits, or a value occurs twice.
    """
    data = part_of(safe, metric=metric, time_period=year, group=group)
    rows, entry = records(data), registry.metric(metric)
    blocks = _blocks(rows)
    written: list[tuple[Entry, Row | None]] = []
    for breakdown, block in blocks.items():
        written.append((Entry(value_label("breakdown", breakdown), bold=True), None))
        written.extend((_gap_entry(row), row) for row in block)
    entries = [one for one, _ in written]
    with rows_of(data, [entries], head=0.78) as page:
        heights = zip(heights_of(entries), (row for _, row in written), strict=True)
        _draw_pairs(page.panels[0], [(height, row) for height, row in heights if row])
        _write_key(page, rows[0])
        label = charts.with_unit(entry.label, entry.unit)
        page.panels[0].set_xlabel(label if len(entry.label) < 40 else entry.unit)
        title = charts.of_year(charts.BREAKDOWN_TITLE.format(measure=entry.label), year)
        return page.figure(
            f"breakdown_{metric}",
            ["value", *_SIDES, "gap", "gap_lower", "gap_upper"],
            alt=[
                charts.BREAKDOWN_OF.format(title=title),
                *(
                    alt.named(
                        value_label("breakdown", breakdown),
                        "; ".join(_value_in_text(row, entry) for row in block),
                    )
                    for breakdown, block in blocks.items()
                ),
            ],
            caption=[
                charts.BREAKDOWN_CAPTION.format(title=title),
                symbols_sentence([row for block in blocks.values() for row in block], "gap"),
            ],
        )


def _blocks(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return each characteristic's rows, without what hardly any child has and nothing is shown."""
    blocks: dict[str, list[Row]] = {}
    for row in rows:
        block = blocks.setdefault(str(row["breakdown"]), [])
        if any(row["value"] == other["value"] for other in block):
            raise ContractError(
                f"value {row['value']!r} occurs twice, must occur once; name the group that "
                "singles the rows out."
            )
        block.append(row)
    return {
        breakdown: [
            row for row in block if row["value"] != "sex_not_recorded" or is_shown(row, "gap")
        ]
        for breakdown, block in blocks.items()
    }


def _gap_entry(row: Row) -> Entry:
    shown = is_shown(row, "gap")
    value = number(value_of(row, "gap"), signed=True) if shown else status_of(row)
    return Entry(value_label("value", row["value"]), value, _interval(row, "gap"))


def _draw_pairs(axes: "Axes", rows: Sequence[tuple[float, Row]]) -> None:
    """Draw both points of each row, joined where both are there."""
    levels = [[value_of(row, side) for _, row in rows] for side in _SIDES]
    heights = [height for height, _ in rows]
    draw_intervals(axes, heights, *levels, colour=palette.QUIET, width=1.6)
    for values, line in zip(levels, _LINES, strict=True):
        draw_points(axes, values, heights, colour=line.colour, marker=line.marker, size=9)
    known = [value for values in levels for value in values if not math.isnan(value)]
    low, high = min([0.0, *known]), max(known, default=1.0)
    axes.set_xlim(low - 0.03 * (high - low), high + 0.06 * (high - low or 1.0))


def _write_key(page: Page, row: Row) -> None:
    """Name the two points above the rows, each beside its marker, and the column of gaps."""
    for place, (side, line) in enumerate(zip(("group", "reference"), _LINES, strict=True)):
        top = 0.2 + 0.26 * place
        page.mark(0.29, top, line)
        text = upper_first(group_in_text(row[side]))
        style = {"va": "center", "fontsize": 11.5, "fontweight": "bold", "color": line.text_colour}
        page.write(0.45, top, text, **style)
    page.write(5.17, 0.62, column_label("gap"), va="center", fontsize=11.5, fontweight="bold")


def _value_in_text(row: Row, entry: Metric) -> str:
    value = value_label("value", row["value"])
    if not is_shown(row, "gap"):
        return charts.BREAKDOWN_HIDDEN.format(value=value)
    own, other = (amount(row[side], entry.unit) for side in _SIDES)
    gap = number(row["gap"], signed=True)
    return charts.BREAKDOWN_VALUE.format(value=value, group=own, reference=other, gap=gap)
