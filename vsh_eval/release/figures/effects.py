"""Charts of estimates: over the time since training, and side by side."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import (
    STAMP_STRIP,
    Figure,
    canvas,
    mark_hidden,
    name_axis,
    to_png,
)
from vsh_eval.release.rows import is_shown, part_of, records, status_of, value_of
from vsh_eval.release.text.labels import index_label, lower_first, metric_in_text, value_label
from vsh_eval.release.text.phrases import decimals_for, limits, number, symbol_notes

Row = dict[str, Any]
_ROW_HEIGHT = 0.68
_BELOW = 0.85


def draw_event_study(
    safe: SafeTable, *, metric: str, confidence: float = 95, **where: Any
) -> Figure:
    """Draw the estimates by time since training.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table; its rows with aggregation ``event`` are drawn (index = academic
        years since training, estimate, ci_*, band_*).
    metric : str
        The outcome.
    confidence : float
        The intervals' confidence in per cent, for the words only.
    **where
        What singles the estimates out: programme, tier, phase, estimator, comparison, role; None
        is no condition.

    Returns
    -------
    Figure
        Points with their intervals, the simultaneous band behind them, the line of no effect;
        years before training have hollow points.

    Raises
    ------
    ContractError
        If no row fits, or a time since training occurs twice.
    """
    data = part_of(safe, metric=metric, aggregation="event", **where)
    rows = sorted(records(data), key=lambda row: float(row["index"]))
    times = [int(row["index"]) for row in rows]
    if len(set(times)) < len(times):
        raise ContractError(
            "index occurs twice among the event estimates, must occur once; name the programme, "
            "tier, phase and estimator that single them out."
        )
    entry = registry.metric(metric)
    with canvas(right=0.25, height=4.3, bottom=0.72, stamp=data.stamp) as (figure, (axes,)):
        _draw_event(axes, rows, times)
        name_axis(axes, f"Effect on the gap in {metric_in_text(metric)} ({entry.gap_unit})")
        png = to_png(figure, data.stamp)
    symbols = symbol_notes(sorted({status_of(r) for r in rows if not is_shown(r, "estimate")}))
    title = f"Effect of training on the gap in {metric_in_text(metric)}, by years since training"
    bars = f"Bars: {confidence:g}% interval of each estimate."
    band = " Shaded: simultaneous band of all of them." if _has_band(rows) else ""
    hollow = " Hollow points: years before training, where no effect is expected."
    return Figure(
        png=png,
        alt=_event_alt(title, rows, confidence, data.stamp),
        caption=f"{title}. {bars}{band}{hollow}{_sentence(symbols)}",
        data=data,
        name=f"event_study_{metric}",
        columns=_event_columns(rows[0]),
    )


def _event_columns(row: Row) -> tuple[str, ...]:
    wanted = ("aggregation", "index", "estimate", "ci_lower", "ci_upper", "band_lower")
    return tuple(c for c in (*wanted[1:], "band_upper", "schools_treated") if c in row)


def _draw_event(axes: Axes, rows: Sequence[Row], times: Sequence[int]) -> None:
    before = [(t, r) for t, r in zip(times, rows, strict=True) if t < 0]
    after = [(t, r) for t, r in zip(times, rows, strict=True) if t >= 0]
    axes.axhline(0, color=palette.TEXT, lw=1.2, zorder=1)
    axes.axvline(-0.5, color=palette.QUIET, lw=1.2, ls=(0, (1.5, 2.5)), zorder=1)
    for side, hollow in ((before, True), (after, False)):
        places = [t for t, _ in side]
        axes.fill_between(
            places,
            [value_of(r, "band_lower") for _, r in side],
            [value_of(r, "band_upper") for _, r in side],
            color=palette.DARK_BLUE,
            alpha=0.13,
            lw=0,
        )
        _draw_points(axes, side, hollow=hollow)
    hidden = {t: status_of(r) for t, r in zip(times, rows, strict=True) if not _shown(r)}
    mark_hidden(axes, hidden)
    axes.set_xticks(times, [index_label("event", t) for t in times])
    axes.set_xlim(min(*times, -1) - 0.5, max(*times, 0) + 0.5)
    axes.margins(y=0.14)
    axes.autoscale_view(scalex=False)
    axes.set_xlabel("Academic years since training (0 = first year trained)")
    axes.annotate(
        "trained from here",
        (-0.5, 1),
        xycoords=("data", "axes fraction"),
        xytext=(5, -2),
        textcoords="offset points",
        va="top",
        fontsize=10.5,
        color=palette.QUIET,
    )


def _draw_points(axes: Axes, side: Sequence[tuple[int, Row]], *, hollow: bool) -> None:
    for time, row in side:
        if not _shown(row):
            continue
        if is_shown(row, "ci_lower", "ci_upper"):
            ends = (value_of(row, "ci_lower"), value_of(row, "ci_upper"))
            axes.plot([time, time], ends, color=palette.DARK_BLUE, lw=2, solid_capstyle="butt")
        axes.plot(
            [time],
            [value_of(row, "estimate")],
            marker="o",
            ms=8,
            color=palette.DARK_BLUE,
            mfc="white" if hollow else palette.DARK_BLUE,
            mew=2,
        )


def _shown(row: Row) -> bool:
    return is_shown(row, "estimate")


def _has_band(rows: Sequence[Row]) -> bool:
    return any(is_shown(row, "band_lower", "band_upper") for row in rows)


def _event_alt(title: str, rows: Sequence[Row], confidence: float, stamp: str) -> str:
    shown = [row for row in rows if _shown(row)]
    before = [r for r in shown if r["index"] < 0 and is_shown(r, "ci_lower", "ci_upper")]
    crossing = sum(1 for row in before if _contains_nought(row))
    told = []
    if before:
        told.append(f"Before training {crossing} of {len(before)} intervals contain nought")
    told.extend(_told(row, confidence) for row in shown if row["index"] >= 0)
    return alt.of_estimates(f"Chart of the {lower_first(title)}", told, stamp)


def _told(row: Row, confidence: float) -> str:
    years = int(row["index"])
    when = "In the first year trained" if years == 0 else f"After {years} year{'s' * (years > 1)}"
    return f"{when} the estimate is {_with_interval(row, f'{confidence:g}% interval ')}"


def _contains_nought(row: Row) -> bool:
    return value_of(row, "ci_lower") <= 0 <= value_of(row, "ci_upper")


def _with_interval(row: Row, words: str = "") -> str:
    value = value_of(row, "estimate")
    if not is_shown(row, "ci_lower", "ci_upper"):
        return number(value, decimals=decimals_for(value), signed=True)
    lower, upper = value_of(row, "ci_lower"), value_of(row, "ci_upper")
    decimals = decimals_for(value, lower, upper)
    return (
        f"{number(value, decimals=decimals, signed=True)} "
        f"({words}{limits(lower, upper, decimals=decimals)})"
    )


def draw_forest(
    safe: SafeTable,
    *,
    vary: Sequence[str] = ("metric", "estimator"),
    title: str = "Estimates side by side",
    confidence: float = 95,
    **where: Any,
) -> Figure:
    """Draw estimates below one another, with their intervals and the line of no effect.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table; its rows with aggregation ``simple`` are drawn, in their order.
    vary : sequence of str
        The columns that name a row: metric, estimator, comparison, programme, tier, phase ...
    title : str
        What the estimates have in common.
    confidence : float
        The intervals' confidence in per cent, for the words only.
    **where
        Column and value, for example ``role="primary"``; None is no condition.

    Returns
    -------
    Figure
        A panel for each unit; the name and the numbers of an estimate stand above its bar, filled
        where its role is primary.

    Raises
    ------
    ContractError
        If no row fits.
    """
    data = part_of(safe, **{"aggregation": "simple", **where})
    rows = records(data)
    varying = [c for c in vary if len({row.get(c) for row in rows}) > 1] or list(vary)[:1]
    blocks: dict[tuple[str, bool], list[Row]] = {}
    for row in rows:
        entry = registry.metric(str(row["metric"]))
        blocks.setdefault((entry.gap_unit, entry.lower_is_better), []).append(row)
    with _forest_canvas(blocks, data.stamp) as (figure, panels):
        for axes, ((unit, lower_is_better), block) in zip(panels, blocks.items(), strict=True):
            _draw_block(axes, block, varying)
            axes.set_xlabel(_direction(unit, lower_is_better=lower_is_better))
        png = to_png(figure, data.stamp)
    symbols = symbol_notes(sorted({status_of(row) for row in rows if not _shown(row)}))
    told = [
        f"{_row_name(row, varying)}: {_with_interval(row) if _shown(row) else status_of(row)}"
        for row in rows
    ]
    return Figure(
        png=png,
        alt=alt.of_estimates(f"Chart of {len(rows)} estimates: {title}", told, data.stamp),
        caption=f"{title}. Bars: {confidence:g}% interval.{_sentence(symbols)}",
        data=data,
        name="forest_" + "_".join(vary),
        columns=(*vary, *(c for c in ("estimate", "ci_lower", "ci_upper") if c in rows[0])),
    )


@contextmanager
def _forest_canvas(
    blocks: dict[tuple[str, bool], list[Row]], stamp: str
) -> Iterator[tuple[Canvas, list[Axes]]]:
    """Give a panel for each unit, as high as its rows need."""
    strip = STAMP_STRIP if stamp else 0.0
    heights = [_ROW_HEIGHT * len(block) for block in blocks.values()]
    total = strip + sum(heights) + _BELOW * len(heights) + 0.12
    with palette.chart_style():
        figure = Canvas(figsize=(palette.WIDTH, total))
        FigureCanvasAgg(figure)
        panels, top = [], total - strip - 0.12
        for height in heights:
            box = (0.035, (top - height) / total, 0.68, height / total)
            panels.append(figure.add_axes(box))
            top -= height + _BELOW
        yield figure, panels


def _direction(unit: str, *, lower_is_better: bool) -> str:
    ends = ("better", "worse") if lower_is_better else ("worse", "better")
    left, right = "\N{LEFTWARDS ARROW}", "\N{RIGHTWARDS ARROW}"
    return f"{left} went {ends[0]}     {unit}     went {ends[1]} {right}"


def _draw_block(axes: Axes, block: Sequence[Row], vary: Sequence[str]) -> None:
    axes.axvline(0, color=palette.TEXT, lw=1.2, zorder=1)
    axes.grid(visible=False)
    axes.grid(visible=True, axis="x")
    for place, row in enumerate(block):
        height = -float(place)
        _draw_bar(axes, row, height)
        name = textwrap.shorten(_row_name(row, vary), 76, placeholder="\N{HORIZONTAL ELLIPSIS}")
        weight = "bold" if row.get("role") == "primary" else "normal"
        numbers = _with_interval(row) if _shown(row) else status_of(row)
        # The numbers stand beside the bar and the name above it, so that a long name covers none.
        for text, x, above in ((name, 0.0, 0.34), (numbers, 1.03, 0.0)):
            axes.text(
                x,
                height + above,
                text,
                transform=axes.get_yaxis_transform(),
                va="center",
                fontsize=11,
                fontweight=weight,
                bbox={"fc": "white", "ec": "none", "pad": 1},
            )
    axes.set_yticks([])
    axes.set_ylim(-len(block) + 0.6, 0.6)
    axes.margins(x=0.06)


def _draw_bar(axes: Axes, row: Row, height: float) -> None:
    if not _shown(row):
        return
    value = value_of(row, "estimate")
    if is_shown(row, "ci_lower", "ci_upper"):
        ends = (value_of(row, "ci_lower"), value_of(row, "ci_upper"))
        axes.plot(ends, [height, height], color=palette.DARK_BLUE, lw=2.4, solid_capstyle="butt")
    primary = row.get("role") == "primary"
    axes.plot(
        [value],
        [height],
        marker="o" if primary else "D",
        ms=10 if primary else 7,
        color=palette.DARK_BLUE,
        mfc=palette.DARK_BLUE if primary else "white",
        mew=2,
    )


def _row_name(row: Row, vary: Sequence[str]) -> str:
    parts = []
    for column in vary:
        value = str(row.get(column, ""))
        if value not in {"", "any", names.TOTAL}:
            words = value_label(column, value)
            parts.append(f"against {lower_first(words)}" if column == "comparison" else words)
    first, *rest = parts or ["All schools"]
    link = ", " if rest and rest[0].startswith("against ") else ": "
    return link.join([first, ", ".join(rest)]) if rest else first


def _sentence(notes: Sequence[str]) -> str:
    return f" {'; '.join(notes)}." if notes else ""
