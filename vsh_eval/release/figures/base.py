"""What every chart shares: the page and its panels, words on it, names beside lines, the stamp."""

import io
import math
import textwrap
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from itertools import accumulate, pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any

from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.figures import palette
from vsh_eval.release.figures.palette import Line
from vsh_eval.release.rows import Row, is_shown, status_of
from vsh_eval.release.text.phrases import charts
from vsh_eval.release.text.phrases.numbers import symbol_notes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure as Canvas

LEFT, RIGHT, TOP, BOTTOM = 0.62, 1.86, 0.68, 0.42
"""Margins in inches: the right one holds the names of the lines, the top one two lines of text."""
_NARROW_RIGHT = 1.34
"""The right margin of a narrow chart: names take more lines there."""
_NARROW_LETTERS, _MORE_LINES = 36, 0.42
"""Letters a line of what a narrow chart's axes measure, and inches of its further lines."""
SMALL = 10.5
"""Points, the least on any chart; as many pixels on a screen 320 pixels wide."""
_STAMP_STRIP = 0.2
"""Inches added on top where a stamp has to stand."""
_LABEL_SIZE, _LETTER = 11.5, 7.8
"""Points: the names beside lines, and the room that one of their letters takes."""
_MOST_ALT = 300
"""Characters of an alternative text; further numbers are in the table below the chart."""


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A finished chart with everything a reader who cannot see it needs.

    Attributes
    ----------
    svg : bytes
        The image with its words as text, the same bytes for the same table.
    alt : str
        What the chart shows, with its foremost numbers: at most 300 characters.
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
    narrow : bytes
        The same for a screen 320 pixels wide.
    """

    svg: bytes = field(repr=False)
    alt: str
    caption: str
    data: SafeTable
    name: str
    columns: tuple[str, ...] = ()
    areas: Mapping[str, str] = field(default_factory=dict)
    narrow: bytes = field(default=b"", repr=False)


def at_two_widths[**P](draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Have a chart drawn twice: for a page, and for a screen 320 pixels wide."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with palette.narrow():
            narrow = draw(*args, **kwargs).svg
        return replace(draw(*args, **kwargs), narrow=narrow)

    return drawn


@dataclass(frozen=True, slots=True)
class Series:
    """Values over years: NaN where a year has none."""

    label: str
    values: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    years: tuple[int, ...] = ()

    @property
    def last(self) -> float:
        """The last value there is, NaN without any."""
        return next((v for v in reversed(self.values) if not math.isnan(v)), math.nan)

    @property
    def numbers(self) -> list[float]:
        """Every value and limit there is."""
        return [v for v in (*self.values, *self.lower, *self.upper) if not math.isnan(v)]

    @property
    def shown(self) -> list[tuple[int, float]]:
        """The years that have a value, with it."""
        return [(y, v) for y, v in zip(self.years, self.values, strict=True) if not math.isnan(v)]


@dataclass(frozen=True, slots=True)
class Box:
    """Where a panel stands, in inches from the page's top left corner."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Page:
    """A chart that is being drawn: its panels, and words outside them."""

    canvas: "Canvas"
    panels: Sequence["Axes"]
    data: SafeTable

    def write(self, left: float, top: float, text: str, **style: Any) -> None:
        """Write words, in inches from the top left corner."""
        size: dict[str, Any] = {"va": "top", "fontsize": 12.5} | style
        self.canvas.text(left / palette.width(), self.height_of(top), text, **size)

    def mark(self, left: float, top: float, line: Line) -> None:
        """Draw a line's marker, in inches from the top left corner."""
        from matplotlib.lines import Line2D

        x, y = [left / palette.width()], [self.height_of(top)]
        sample = Line2D(x, y, color=line.colour, marker=line.marker, ms=9, mew=0, ls="none")
        self.canvas.add_artist(sample)

    def height_of(self, top: float) -> float:
        """Return inches from the top as a share of the page's height, the stamp's strip apart."""
        return 1 - (top + _strip(self.data)) / self.canvas.get_figheight()

    def name_axis(self, text: str, panel: int = 0) -> None:
        """Write what a panel's vertical axis measures above it, where it is read first."""
        top = self.panels[panel].get_position().y1 + 0.2 / self.canvas.get_figheight()
        letters, size = (_NARROW_LETTERS, 11) if palette.is_narrow() else (56, 12.5)
        self.canvas.text(0.02, top, wrapped(text, letters), va="bottom", fontsize=size)

    def figure(
        self,
        name: str,
        columns: Sequence[str],
        *,
        alt: Sequence[str],
        caption: Sequence[str],
        areas: Mapping[str, str] | None = None,
    ) -> Figure:
        """Finish the chart: image, words and data.

        Parameters
        ----------
        name : str
            A file name without ending.
        columns : sequence of str
            The columns drawn; those that the table lacks are left out.
        alt : sequence of str
            What kind of chart it is of what, then its numbers, the foremost first; no full stops.
            '' is left out, and what has no room in 300 characters is left to the table.
        caption : sequence of str
            Sentences with their full stops. '' is left out.
        areas : mapping, optional
            Names of the areas by ``unit_id``.
        """
        return Figure(
            svg=self._svg(),
            alt=_shortened([f"{sentence}." for sentence in alt if sentence]),
            caption=" ".join(sentence for sentence in caption if sentence),
            data=self.data,
            name=name,
            columns=tuple(column for column in columns if column in self.data.frame),
            areas=dict(areas or {}),
        )

    def _svg(self) -> bytes:
        """Return the image, stamped where the data are not real, without metadata."""
        for axes in self.panels if palette.is_narrow() else ():
            axes.set_xlabel(wrapped(axes.get_xlabel(), _NARROW_LETTERS), fontsize=SMALL)
        if self.data.stamp:
            size = 10 if palette.is_narrow() else 8
            style: dict[str, Any] = {"color": palette.DARK_PINK, "fontsize": size}
            top = 1 - 0.06 / self.canvas.get_figheight()
            self.canvas.text(0.985, top, self.data.stamp, ha="right", va="top", **style)
        buffer = io.BytesIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        self.canvas.savefig(buffer, format="svg", metadata=nothing)
        written = buffer.getvalue()
        # What stands before the picture names an address of its grammar, which no page should.
        return written[written.index(b"<svg") :]


def _shortened(sentences: Sequence[str]) -> str:
    """Join as many sentences as have room, two if they can, and say where the others are."""
    whole = " ".join(sentences)
    if len(whole) <= _MOST_ALT:
        return whole
    joined, room = sentences[0], _MOST_ALT - len(charts.MORE_IN_TABLE) - 1
    for sentence in sentences[1:]:
        if len(joined) + 1 + len(sentence) > room:
            break
        joined = f"{joined} {sentence}"
    two = " ".join(sentences[:2])  # a finding is worth more than the way to the table
    if joined == sentences[0] and len(two) <= _MOST_ALT:
        return two
    return f"{joined} {charts.MORE_IN_TABLE}"


def _strip(data: SafeTable) -> float:
    return _STAMP_STRIP if data.stamp else 0.0


@contextmanager
def page_of(data: SafeTable, boxes: Sequence[Box], *, height: float) -> Generator[Page]:
    """Give an empty page in our theme.

    Parameters
    ----------
    data : SafeTable
        The rows to be drawn; their stamp gets a strip of its own on top and covers nothing.
    boxes : sequence of Box
        The panels.
    height : float
        Inches, without that strip.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    with palette.theme():
        total = height + _strip(data) + (_MORE_LINES if palette.is_narrow() else 0)
        canvas = Canvas(figsize=(palette.width(), total))
        FigureCanvasAgg(canvas)
        panels = []
        for box in boxes:
            bottom = total - _strip(data) - box.top - box.height
            across, up = palette.width(), total
            place = (box.left / across, bottom / up, box.width / across, box.height / up)
            panels.append(canvas.add_axes(place))
            set_ticks(panels[-1].yaxis, 5)
        yield Page(canvas, panels, data)


def set_ticks(axis: "Axis", most: int) -> None:
    """Let an axis have round ticks, so many at most."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 5, 10]))


@contextmanager
def stacked(
    data: SafeTable,
    panels: int = 1,
    *,
    height: float = 4.0,
    right: float = RIGHT,
    bottom: float = BOTTOM,
) -> Generator[Page]:
    """Give a page with panels one below the other, each so many inches high with its margins."""
    if palette.is_narrow():
        right = min(right, _NARROW_RIGHT)
    width, inner = palette.width() - LEFT - right, height - TOP - bottom
    boxes = [Box(LEFT, height * place + TOP, width, inner) for place in range(panels)]
    with page_of(data, boxes, height=height * panels) as page:
        yield page


def symbols_sentence(rows: Sequence[Row], *columns: str) -> str:
    """Explain the symbols of numbers that are not shown; '' where all are."""
    symbols = {status_of(row) for row in rows if not is_shown(row, *columns)}
    return "; ".join(symbol_notes(sorted(symbols))) + "." if symbols else ""


def remark(
    axes: "Axes",
    text: str,
    at: tuple[float, float],
    *,
    along: str,
    below: bool,
    before: bool | None = None,
) -> None:
    """Write quiet words at a line that runs across or up a panel.

    Parameters
    ----------
    axes : Axes
        The panel.
    text : str
        The words.
    at : (float, float)
        Where they begin: the line's place in the data, and a share of the panel.
    along : {"x", "y"}
        Whether the line runs across, at a height, or up, at a place.
    below : bool
        Whether the words hang from the point.
    before : bool, optional
        Whether they end at the point; by default only at the right end of a line across.
    """
    right = (along == "x" and at[0] > 0.5) if before is None else before
    side: dict[str, Any] = {
        "xycoords": axes.get_yaxis_transform() if along == "x" else axes.get_xaxis_transform(),
        "xytext": (-4 if right else 4, -3 if below else 3),
        "ha": "right" if right else "left",
        "va": "top" if below else "bottom",
    }
    quiet: dict[str, Any] = {"fontsize": SMALL, "color": palette.QUIET}
    if along == "y":  # other lines may cross the words
        quiet["bbox"] = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none"}
    axes.annotate(text, at, textcoords="offset points", **side, **quiet)


def mark_hidden(axes: "Axes", symbols: Mapping[int, str]) -> None:
    """Write the symbol of a value that is not shown above the axis, at its place."""
    style: dict[str, Any] = {"ha": "center", "fontsize": 11, "color": palette.QUIET}
    for place, symbol in symbols.items():
        axes.text(place, 0.03, symbol, transform=axes.get_xaxis_transform(), **style)


def draw_points(
    axes: "Axes",
    x: Sequence[float],
    y: Sequence[float],
    *,
    colour: str = palette.DARK_BLUE,
    marker: str = "o",
    size: float = 8,
    hollow: bool = False,
) -> None:
    """Draw points, ``size`` points across."""
    import seaborn as sns

    fill, edge = ("white", 2) if hollow else (colour, 0)
    look: dict[str, Any] = {"color": fill, "edgecolor": colour, "linewidth": edge, "zorder": 3}
    sns.scatterplot(x=list(x), y=list(y), marker=marker, s=size**2, legend=False, ax=axes, **look)


def draw_bars(
    axes: "Axes",
    places: Sequence[float],
    sizes: Sequence[float],
    *,
    width: float,
    colour: str,
    start: float = 0.0,
    upright: bool = False,
    **look: Any,
) -> None:
    """Draw bars that begin at one value, across unless they are upright."""
    import seaborn as sns

    at, size, base = ("x", "y", "bottom") if upright else ("y", "x", "left")
    bars: dict[str, Any] = {at: list(places), size: list(sizes), base: start, "orient": at}
    style: dict[str, Any] = {"color": colour, "linewidth": 0, "zorder": 2} | look
    sns.barplot(
        **bars, native_scale=True, errorbar=None, width=width, saturation=1, ax=axes, **style
    )


def draw_intervals(
    axes: "Axes",
    places: Sequence[float],
    lower: Sequence[float],
    upper: Sequence[float],
    *,
    upright: bool = False,
    colour: str = palette.DARK_BLUE,
    width: float = 2.4,
) -> None:
    """Draw intervals as they are in the table; one with a missing end is not drawn."""
    draw = axes.vlines if upright else axes.hlines
    draw(list(places), list(lower), list(upper), color=colour, lw=width, zorder=2.2)


def label_ends(axes: "Axes", ends: Sequence[tuple[str, float, str]]) -> None:
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
    height = axes.bbox.height / axes.figure.dpi
    size = SMALL if palette.is_narrow() else _LABEL_SIZE
    room = (1 - axes.get_position().x1) * palette.width() * 72
    letters = int(room / _LETTER * _LABEL_SIZE / size)
    texts = [wrapped(text, letters) for text, _, _ in ends]
    line = size * 1.25 / 72 / height * (top - bottom)
    sizes = [(text.count("\n") + 1) * line for text in texts]
    places = spread([end for _, end, _ in ends], sizes, bottom=bottom, top=top)
    for text, place, (_, _, colour) in zip(texts, places, ends, strict=True):
        style: dict[str, Any] = {"fontsize": size, "fontweight": "bold", "va": "center"}
        frame = axes.get_yaxis_transform()
        axes.text(1.025, place, text, transform=frame, color=colour, linespacing=1.15, **style)


def wrapped(text: str, width: int) -> str:
    r"""Break a label into lines of at most so many letters, its own lines and its words kept.

    Examples
    --------
    >>> wrapped("Attachment and Trauma", 12)
    'Attachment\nand Trauma'
    """
    parts = (textwrap.wrap(part, width, break_long_words=False) for part in text.split("\n"))
    return "\n".join(line for lines in parts for line in lines)


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
