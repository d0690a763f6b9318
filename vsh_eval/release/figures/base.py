"""What every chart shares: canvas, axis of years, breaks, names beside lines, the stamp."""

import io
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from vsh_eval import academic_year, registry
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.figures import palette
from vsh_eval.release.figures.palette import Line

LEFT, RIGHT, TOP, BOTTOM = 0.62, 1.86, 0.68, 0.42
"""Margins in inches: the right one holds the names of the lines, the top one two lines of text."""
STAMP_STRIP = 0.34
"""Inches added on top where a stamp has to stand."""
_LABEL_SIZE = 11.5
_WRAP = 17


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A finished chart with everything a reader who cannot see it needs.

    Attributes
    ----------
    png : bytes
        The image, 150 dots an inch, the same bytes for the same table.
    alt : str
        What the chart shows, with its numbers.
    caption : str
        Title, what is drawn, and the breaks and symbols in it.
    data : SafeTable
        The rows that are drawn.
    name : str
        A file name without ending.
    columns : tuple of str
        The columns of ``data`` that are drawn.
    areas : mapping
        Names of the areas in ``data``, by ``unit_id``.
    """

    png: bytes = field(repr=False)
    alt: str
    caption: str
    data: SafeTable
    name: str
    columns: tuple[str, ...] = ()
    areas: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Series:
    """Values over years: NaN where a year has none."""

    label: str
    values: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]


@contextmanager
def canvas(
    panels: int = 1,
    *,
    height: float = 4.0,
    right: float = RIGHT,
    left: float = LEFT,
    bottom: float = BOTTOM,
    stamp: str = "",
) -> Iterator[tuple[Canvas, list[Axes]]]:
    """Give an empty figure in the house style, its panels one below the other.

    Parameters
    ----------
    panels : int
        How many.
    height : float
        Inches a panel, margins included.
    right, left, bottom : float
        Margins in inches.
    stamp : str
        Gets a strip of its own on top, so that it covers nothing.
    """
    with palette.chart_style():
        strip = STAMP_STRIP if stamp else 0.0
        total = height * panels + strip
        figure = Canvas(figsize=(palette.WIDTH, total))
        FigureCanvasAgg(figure)
        axes = [
            figure.add_axes(
                (
                    left / palette.WIDTH,
                    1 - (strip + height * (place + 1) - bottom) / total,
                    1 - (left + right) / palette.WIDTH,
                    (height - TOP - bottom) / total,
                )
            )
            for place in range(panels)
        ]
        for panel in axes:
            panel.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
        yield figure, axes


def to_png(figure: Canvas, stamp: str) -> bytes:
    """Write the image, stamped where the data are not real, without metadata."""
    if stamp:
        figure.text(
            0.985,
            1 - 0.1 / figure.get_figheight(),
            stamp,
            ha="right",
            va="top",
            fontsize=10.5,
            fontweight="bold",
            color=palette.DARK_PINK,
            bbox={"boxstyle": "square,pad=0.3", "fc": "white", "ec": palette.DARK_PINK, "lw": 1.2},
        )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def name_axis(axes: Axes, text: str) -> None:
    """Write what the vertical axis measures above it, where it is read first."""
    figure = axes.get_figure(root=True)
    height = 4.0 if figure is None else figure.get_size_inches()[1]
    if figure is not None:
        figure.text(
            0.02,
            axes.get_position().y1 + 0.2 / height,
            "\n".join(textwrap.wrap(text, 56)),
            va="bottom",
            ha="left",
            fontsize=12.5,
        )


def span_of(years: Sequence[int]) -> tuple[int, ...]:
    """Return every academic year from the first to the last, those without data included."""
    return tuple(academic_year.span(min(years), max(years)))


def draw_years(axes: Axes, years: Sequence[int]) -> None:
    """Label the axis of years, as many as have room, the last one always."""
    count = len(years)
    figure = axes.get_figure(root=True)
    width = palette.WIDTH if figure is None else figure.get_size_inches()[0]
    room = axes.get_position().width * width / max(count, 1)
    step = max(1, math.ceil(0.76 / room))
    labels = [
        academic_year.label(year) if (count - 1 - place) % step == 0 else ""
        for place, year in enumerate(years)
    ]
    axes.set_xticks(range(count), labels)
    axes.set_xlim(-0.5, count - 0.5)


def mark_breaks(
    axes: Axes, metric: str, years: Sequence[int], *, drawn: Sequence[Series] = ()
) -> list[str]:
    """Mark the years in which a metric has no data or means something else.

    Parameters
    ----------
    axes : Axes
        Its vertical limits are final.
    metric : str
        Whose breaks.
    years : sequence of int
        The academic years of the axis.
    drawn : sequence of Series
        What the words must not cover.

    Returns
    -------
    list of str
        One note a break, those of changed definitions with their letter.
    """
    notes: list[str] = []
    letters = iter("abcdefgh")
    for entry in registry.breaks_of(metric, years):
        place = years.index(entry.time_period)
        if entry.kind != "definition":
            around = [v for one in drawn for v in one.values[max(place - 1, 0) : place + 2]]
            _mark_year(axes, place, entry.kind.replace("_", " "), _free_height(axes, around))
            notes.append(entry.note)
        elif place > 0:
            letter = next(letters)
            _mark_start(axes, place - 0.5, letter)
            notes.append(f"{letter}: {entry.note}")
    return notes


def _free_height(axes: Axes, values: Sequence[float]) -> float:
    """Return where words stand furthest from any value, as a share of the axes' height."""
    bottom, top = axes.get_ylim()
    shares = [(v - bottom) / (top - bottom) for v in values if not math.isnan(v)]
    heights = [0.22 + 0.06 * step for step in range(10)]
    return max(heights, key=lambda height: min((abs(s - height) for s in shares), default=1.0))


def _mark_year(axes: Axes, place: int, text: str, height: float) -> None:
    axes.axvspan(place - 0.5, place + 0.5, color=palette.SHADE, lw=0, zorder=0)
    axes.text(
        place,
        height,
        text,
        transform=axes.get_xaxis_transform(),
        rotation=90,
        ha="center",
        va="center",
        fontsize=10,
        color=palette.QUIET,
    )


def _mark_start(axes: Axes, place: float, letter: str) -> None:
    axes.axvline(place, color=palette.QUIET, lw=1, ls=(0, (1.5, 2.5)), zorder=1)
    axes.text(
        place,
        1.0,
        letter,
        transform=axes.get_xaxis_transform(),
        ha="center",
        va="center",
        fontsize=10,
        color=palette.QUIET,
        bbox={"boxstyle": "circle,pad=0.18", "fc": "white", "ec": palette.QUIET, "lw": 0.8},
        zorder=5,
    )


def draw_series(axes: Axes, series: Series, line: Line, *, hollow: Sequence[bool] = ()) -> None:
    """Draw values with their intervals; a year without a value is a gap in the line.

    Parameters
    ----------
    axes : Axes
        Where; the years are 0, 1, 2 ...
    series : Series
        The values.
    line : Line
        How.
    hollow : sequence of bool
        Years shown but not to be compared: an empty marker that no line joins.
    """
    apart = list(hollow) or [False] * len(series.values)
    joined = [math.nan if a else v for v, a in zip(series.values, apart, strict=True)]
    places = range(len(series.values))
    low = [math.nan if a else v for v, a in zip(series.lower, apart, strict=True)]
    high = [math.nan if a else v for v, a in zip(series.upper, apart, strict=True)]
    axes.fill_between(places, low, high, color=line.colour, alpha=0.16, lw=0)
    for place in places:
        if not math.isnan(series.lower[place]) and _stands_alone(joined, place):
            ends = (series.lower[place], series.upper[place])
            axes.plot([place, place], ends, color=line.colour, lw=1.6)
    axes.plot(places, joined, color=line.colour, marker=line.marker, ls=line.dash, mew=0)
    kept = [v if a else math.nan for v, a in zip(series.values, apart, strict=True)]
    axes.plot(places, kept, color=line.colour, marker=line.marker, ls="none", mfc="white", mew=1.6)


def _stands_alone(values: Sequence[float], place: int) -> bool:
    around = [values[i] for i in (place - 1, place + 1) if 0 <= i < len(values)]
    return math.isnan(values[place]) or all(math.isnan(value) for value in around)


def mark_hidden(axes: Axes, symbols: dict[int, str]) -> None:
    """Write the symbol of a value that is not shown above the axis, in its year."""
    for place, symbol in symbols.items():
        axes.text(
            place,
            0.03,
            symbol,
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize=11,
            color=palette.QUIET,
        )


def label_ends(axes: Axes, ends: Sequence[tuple[str, float, str]]) -> None:
    """Name each line beside its end, the names kept apart.

    Parameters
    ----------
    axes : Axes
        Its limits are final.
    ends : sequence of (text, height of the end, colour)
        The second line of a text is its value.
    """
    if not ends:
        return
    bottom, top = axes.get_ylim()
    figure = axes.get_figure(root=True)
    height = 3.0 if figure is None else axes.get_position().height * figure.get_size_inches()[1]
    texts = ["\n".join(_wrapped(text)) for text, _, _ in ends]
    sizes = [
        (text.count("\n") + 1) * _LABEL_SIZE * 1.25 / 72 / height * (top - bottom) for text in texts
    ]
    places = spread([end for _, end, _ in ends], sizes, bottom=bottom, top=top)
    for text, place, (_, _, colour) in zip(texts, places, ends, strict=True):
        axes.text(
            1.025,
            place,
            text,
            transform=axes.get_yaxis_transform(),
            va="center",
            ha="left",
            fontsize=_LABEL_SIZE,
            color=colour,
            linespacing=1.15,
            fontweight="bold",
        )


def _wrapped(text: str) -> list[str]:
    return [line for part in text.split("\n") for line in textwrap.wrap(part, _WRAP)]


def spread(
    heights: Sequence[float], sizes: Sequence[float], *, bottom: float, top: float
) -> list[float]:
    """Move labels up or down until none covers another, each as near its line as it can be.

    Examples
    --------
    >>> spread([1.0, 1.0], [1.0, 1.0], bottom=0.0, top=10.0)
    [0.5, 1.5]
    """
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    steps = [(sizes[a] + sizes[b]) / 2 for a, b in pairwise(order)]
    offsets = list(accumulate(steps, initial=0.0))
    # Less their offsets the names may only rise, so neighbours that would cover share a mean.
    blocks: list[list[float]] = []
    for i, offset in zip(order, offsets, strict=True):
        blocks.append([heights[i] - offset])
        while len(blocks) > 1 and fmean(blocks[-2]) > fmean(blocks[-1]):
            last = blocks.pop()
            blocks[-1].extend(last)
    low = bottom + sizes[order[0]] / 2
    high = max(low, top - sizes[order[-1]] / 2 - offsets[-1])
    risen = [min(max(fmean(block), low), high) for block in blocks for _ in block]
    placed = dict(zip(order, map(sum, zip(risen, offsets, strict=True)), strict=True))
    return [placed[i] for i in range(len(heights))]
