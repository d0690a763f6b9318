"""Gaps by who the children are: both levels for each value of each characteristic."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from vsh_eval import registry
from vsh_eval.contracts import ContractError
from vsh_eval.registry import Metric
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import Figure, to_png
from vsh_eval.release.figures.tall import ROW, sentence, signed, tall_canvas, write
from vsh_eval.release.rows import is_shown, part_of, records, status_of, value_of
from vsh_eval.release.text.labels import group_in_text, upper_first, value_label, year_label
from vsh_eval.release.text.phrases import amount, limits, number, symbol_notes

Row = dict[str, Any]
_BETWEEN, _HEAD = 0.42, 0.62
"""Inches: a heading between rows, the key above."""
_GROUP, _REFERENCE = palette.LINES[0], palette.LINES[1]


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
    rows = records(data)
    blocks = _blocks(rows)
    entry = registry.metric(metric)
    heights = _BETWEEN * len(blocks) + ROW * sum(len(block) for _, block in blocks)
    with tall_canvas(heights, data.stamp, head=_HEAD) as (figure, axes):
        _draw_rows(axes, blocks)
        _key(figure, axes, [(group_in_text(rows[0][side])) for side in ("group", "reference")])
        axes.set_xlabel(f"{entry.label} ({entry.unit})" if len(entry.label) < 40 else entry.unit)
        png = to_png(figure, data.stamp)
    title = f"{entry.label} by who the children are, {year_label(year)}"
    drawn = [row for _, block in blocks for row in block]
    symbols = symbol_notes(sorted({status_of(row) for row in drawn if not is_shown(row, "gap")}))
    told = [_told_breakdown(by, block, entry) for by, block in blocks]
    levels = ("group_level", "reference_level", "gap", "gap_lower", "gap_upper")
    return Figure(
        png=png,
        alt=alt.of_estimates(f"Dot chart: {title}", told, data.stamp),
        caption=f"{title}. The number at the right is the gap.{sentence(symbols)}",
        data=data,
        name=f"breakdown_{metric}",
        columns=("value", *(c for c in levels if c in rows[0])),
    )


def _blocks(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Return each characteristic's rows, those that show nothing at all left out."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        block = found.setdefault(str(row["breakdown"]), [])
        if any(row["value"] == other["value"] for other in block):
            raise ContractError(
                f"value {row['value']!r} occurs twice, must occur once; name the group that "
                "singles the rows out."
            )
        block.append(row)
    return [(by, [row for row in block if _is_drawn(row)]) for by, block in found.items()]


def _is_drawn(row: Row) -> bool:
    """Leave out a value that hardly any child has: neither level is there."""
    return row["value"] != "sex_not_recorded" or is_shown(row, "gap")


def _draw_rows(axes: Axes, blocks: Sequence[tuple[str, list[Row]]]) -> None:
    height = 0.0
    for by, block in blocks:
        height -= _BETWEEN
        write(axes, 0.0, height + 0.13, value_label("breakdown", by), weight="bold", size=11.5)
        for row in block:
            height -= ROW
            _draw_pair(axes, row, height + 0.2)
    axes.set_ylim(height, 0.0)
    known = [
        value_of(row, side)
        for _, block in blocks
        for row in block
        for side in ("group_level", "reference_level")
        if is_shown(row, side)
    ]
    low, high = min([0.0, *known]), max(known, default=1.0)
    axes.set_xlim(low - 0.03 * (high - low), high + 0.06 * (high - low or 1.0))


def _draw_pair(axes: Axes, row: Row, height: float) -> None:
    ends = [value_of(row, side) for side in ("group_level", "reference_level")]
    if not any(math.isnan(end) for end in ends):
        axes.plot(ends, [height, height], color=palette.QUIET, lw=1.6, zorder=1)
    for end, line in zip(ends, (_GROUP, _REFERENCE), strict=True):
        axes.plot([end], [height], marker=line.marker, ms=9.5, color=line.colour, mew=0, ls="none")
    write(axes, 0.0, height + 0.23, value_label("value", row["value"]))
    shown = is_shown(row, "gap")
    text = signed(value_of(row, "gap")) if shown else status_of(row)
    write(axes, 1.02, height, text, weight="bold" if shown else "normal")
    if is_shown(row, "gap", "gap_lower", "gap_upper"):
        between = limits(value_of(row, "gap_lower"), value_of(row, "gap_upper"))
        write(axes, 1.02, height - 0.2, f"({between})", size=9.5, quiet=True)


def _key(figure: Canvas, axes: Axes, words: Sequence[str]) -> None:
    """Name the two points above the rows, each beside its marker."""
    total = figure.get_figheight()
    top = axes.get_position().y1
    lines = (_GROUP, _REFERENCE)
    for place, (text, line) in enumerate(zip(words, lines, strict=True)):
        height = top + (0.44 - 0.27 * place) / total
        mark = axes.plot(
            [0.045],
            [height],
            marker=line.marker,
            ms=9.5,
            color=line.colour,
            mew=0,
            ls="none",
            transform=figure.transFigure,
            clip_on=False,
        )
        mark[0].set_in_layout(False)
        figure.text(
            0.07,
            height,
            upper_first(text),
            va="center",
            fontsize=11.5,
            color=line.text_colour,
            fontweight="bold",
        )
    figure.text(0.79, top + 0.17 / total, "Gap", va="center", fontsize=11.5, fontweight="bold")


def _told_breakdown(by: str, block: Sequence[Row], entry: Metric) -> str:
    parts = [
        f"{value_label('value', row['value'])} {amount(row['group_level'], entry.unit)} against "
        f"{amount(row['reference_level'], entry.unit)}, gap {number(row['gap'], signed=True)}"
        if is_shown(row, "gap")
        else f"{value_label('value', row['value'])} not shown"
        for row in block
    ]
    return f"{value_label('breakdown', by)}: {'; '.join(parts)}"
