"""Charts of how far the training offer has come."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from vsh_eval import names
from vsh_eval.contracts import ContractError, require_columns
from vsh_eval.release.disclosure.safe import SafeTable, require_safe
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import (
    STAMP_STRIP,
    Figure,
    Series,
    canvas,
    draw_series,
    draw_years,
    label_ends,
    name_axis,
    span_of,
    to_png,
)
from vsh_eval.release.rows import part_of, records, value_of
from vsh_eval.release.text.labels import column_label, lower_first, value_label
from vsh_eval.release.text.phrases import number

_PANEL_HEIGHT = 1.95
_PLOT_HEIGHT = 1.05


def draw_reach(
    safe: SafeTable,
    *,
    share: str = "share_schools",
    by: str = "programme",
    phase: str | None = names.TOTAL,
    tier: str | None = "any",
    **where: Any,
) -> Figure:
    """Draw what share of schools or pupils each programme has reached, over the years.

    Parameters
    ----------
    safe : SafeTable
        A ``reach`` table: time_period, the column ``by``, the share (a percentage, 0 to 100) and
        optionally tier, phase and others to select by.
    share : str
        The column drawn, for example share_schools or share_pupils.
    by : str
        The column whose values are the lines.
    phase, tier : str, optional
        Selected where the table has such a column.
    **where
        Further columns and values to select by; None is no condition.

    Returns
    -------
    Figure
        Up to four lines with their names beside them; of more, one small panel each with the
        others in grey.

    Raises
    ------
    ContractError
        If no row fits, or a line has more than one row a year.
    """
    offered = {"phase": phase, "tier": tier}
    chosen = {c: v for c, v in offered.items() if c in require_safe(safe).frame and c != by} | where
    data = part_of(safe, **chosen)
    require_columns(data.frame, ["time_period", by, share], name="the reach table")
    rows = records(data)
    years = span_of([int(row["time_period"]) for row in rows])
    series = [_line(rows, by, value, share, years) for value in dict.fromkeys(r[by] for r in rows)]
    measured = column_label(share)
    if len(series) <= palette.MOST_CATEGORIES:
        png = _together(series, years, measured, data.stamp)
    else:
        png = _apart(series, years, measured, data.stamp)
    title = f"{measured} reached by the training, by {column_label(by).lower()} and academic year"
    return Figure(
        png=png,
        alt=alt.of_reach(f"Line chart of the {lower_first(title)}", series, years, data.stamp),
        caption=f"{title}. A school counts from its first training on.",
        data=data,
        name=f"reach_{by}_{share}",
        columns=("time_period", by, share),
    )


def wrapped(text: str, width: int) -> str:
    r"""Break a label into lines of at most so many letters.

    Examples
    --------
    >>> wrapped("Attachment and Trauma", 12)
    'Attachment\nand Trauma'
    """
    return "\n".join(textwrap.wrap(text, width))


def _line(
    rows: Sequence[dict[str, Any]], by: str, value: Any, share: str, years: Sequence[int]
) -> Series:
    own = [row for row in rows if row[by] == value]
    by_year = {int(row["time_period"]): row for row in own}
    if len(by_year) < len(own):
        raise ContractError(
            f"{by} {value} has more than one row a year, must have one; name the phase, tier and "
            "group that single it out."
        )
    nothing = (math.nan,) * len(years)
    values = tuple(value_of(by_year.get(year, {}), share) for year in years)
    return Series(value_label(by, value), values, nothing, nothing)


def _ending(one: Series, colour: str) -> tuple[str, float, str]:
    value = next((v for v in reversed(one.values) if not math.isnan(v)), math.nan)
    if math.isnan(value):
        return f"{one.label}\nnot shown", 0.0, colour
    return f"{one.label}\n{number(value, decimals=0)}%", value, colour


def _together(series: Sequence[Series], years: Sequence[int], measured: str, stamp: str) -> bytes:
    with canvas(stamp=stamp) as (figure, (axes,)):
        for one, line in zip(series, palette.LINES, strict=False):
            draw_series(axes, one, line)
        axes.set_ylim(0, 105)
        ends = [
            _ending(one, line.text_colour) for one, line in zip(series, palette.LINES, strict=False)
        ]
        label_ends(axes, ends)
        draw_years(axes, years)
        name_axis(axes, f"{measured} (%)")
        return to_png(figure, stamp)


def _apart(series: Sequence[Series], years: Sequence[int], measured: str, stamp: str) -> bytes:
    """Give each line a panel of its own, two beside each other, the others in grey."""
    deep = math.ceil(len(series) / 2)
    strip = STAMP_STRIP if stamp else 0.0
    height = _PANEL_HEIGHT * deep + 0.55 + strip
    with palette.chart_style():
        figure = Canvas(figsize=(palette.WIDTH, height))
        FigureCanvasAgg(figure)
        panels = [
            figure.add_axes(
                (
                    0.085 + 0.485 * (place % 2),
                    1 - (0.95 + strip + _PANEL_HEIGHT * (place // 2) + _PLOT_HEIGHT) / height,
                    0.375,
                    _PLOT_HEIGHT / height,
                )
            )
            for place in range(len(series))
        ]
        for place, axes in enumerate(panels):
            _draw_panel(axes, series, place, years)
        figure.text(0.02, 1 - (0.1 + strip) / height, f"{measured} (%)", va="top", fontsize=12.5)
        return to_png(figure, stamp)


def _draw_panel(axes: Axes, series: Sequence[Series], place: int, years: Sequence[int]) -> None:
    for other in series:
        axes.plot(range(len(years)), other.values, color=palette.FOCUS[1], lw=1.2)
    own = series[place]
    axes.plot(
        range(len(years)), own.values, color=palette.FOCUS[0], marker="o", ms=4.5, lw=2.2, mew=0
    )
    end = _ending(own, palette.FOCUS[0])
    axes.text(
        len(years) - 0.8,
        end[1],
        end[0].rsplit("\n", 1)[1],
        va="center",
        fontsize=11,
        fontweight="bold",
        color=palette.FOCUS[0],
    )
    axes.set_ylim(0, 105)
    axes.set_yticks([0, 50, 100])
    draw_years(axes, years)
    axes.set_xticks(
        [0, len(years) - 1],
        [value_label("time_period", years[0]), value_label("time_period", years[-1])],
    )
    title = wrapped(own.label, 26)
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=palette.FOCUS[0], pad=5)
