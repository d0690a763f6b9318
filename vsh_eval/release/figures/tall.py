"""Charts as tall as their rows: one panel, names above the marks, numbers at the right."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from vsh_eval.release.figures import palette
from vsh_eval.release.figures.base import STAMP_STRIP
from vsh_eval.release.text.phrases import number

ROW = 0.62
"""Inches a row."""
_FOOT = 0.62


@contextmanager
def tall_canvas(height: float, stamp: str, *, head: float) -> Iterator[tuple[Canvas, Axes]]:
    """Give one panel, as high as its rows need, with room for words at the right."""
    strip = STAMP_STRIP if stamp else 0.0
    total = height + strip + head + _FOOT
    with palette.chart_style():
        figure = Canvas(figsize=(palette.WIDTH, total))
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.035, _FOOT / total, 0.74, height / total))
        axes.set_yticks([])
        axes.grid(visible=False)
        axes.grid(visible=True, axis="x")
        yield figure, axes


def write(
    axes: Axes,
    x: float,
    height: float,
    text: str,
    *,
    weight: str = "normal",
    size: float = 11,
    quiet: bool = False,
) -> None:
    """Write words beside or above a row, x as a share of the axes' width."""
    axes.text(
        x,
        height,
        "\n".join(textwrap.wrap(text, 62)),
        transform=axes.get_yaxis_transform(),
        va="center",
        ha="left",
        fontsize=size,
        fontweight=weight,
        color=palette.QUIET if quiet else palette.TEXT,
        bbox={"fc": "white", "ec": "none", "pad": 0.8},
        zorder=4,
    )


def signed(value: float) -> str:
    """Write a number with its sign, for the column at the right."""
    return number(value, signed=True)


def sentence(notes: Sequence[str]) -> str:
    """Write notes as a sentence with a space before it; nothing where there are none."""
    return f" {'; '.join(notes)}." if notes else ""
