"""Small multiples: many small panels with the same axes, in rows of three."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from vsh_eval import academic_year
from vsh_eval.release.figures import palette
from vsh_eval.release.figures.base import STAMP_STRIP

COLUMNS = 3
LETTERS = 11.5
"""Points: as small as on other charts, about 8 pixels high on a screen 320 pixels wide."""
_LEFT, _RIGHT, _BETWEEN = 0.56, 0.1, 0.16
_PLOT, _LINE, _YEARS = 1.16, 0.2, 0.34
_PAD = 0.12


@dataclass(frozen=True, slots=True)
class Grid:
    """A figure and its panels, row by row."""

    figure: Canvas
    panels: tuple[Axes, ...]

    @property
    def top_row(self) -> tuple[Axes, ...]:
        """The panels without one above."""
        return self.panels[:COLUMNS]


@contextmanager
def grid(
    count: int, *, title_lines: int, header: float, years: Sequence[int], stamp: str = ""
) -> Iterator[Grid]:
    """Give panels in the house style, three a row, that share both axes.

    Parameters
    ----------
    count : int
        How many panels.
    title_lines : int
        Lines above each panel.
    header : float
        Inches above the first row.
    years : sequence of int
        The academic years of the horizontal axis; the first and the last are named, under the
        lowest panel of each column.
    stamp : str
        Gets a strip of its own on top, so that it covers nothing.
    """
    rows = math.ceil(count / COLUMNS)
    above = title_lines * _LINE + _PAD
    strip = STAMP_STRIP if stamp else 0.0
    total = strip + header + rows * (above + _PLOT) + _YEARS
    width = (palette.WIDTH - _LEFT - _RIGHT - (COLUMNS - 1) * _BETWEEN) / COLUMNS
    small: dict[Any, float] = {"lines.markersize": 4.2, "lines.linewidth": 1.9}
    with palette.chart_style(), mpl.rc_context(small):
        figure = Canvas(figsize=(palette.WIDTH, total))
        FigureCanvasAgg(figure)
        panels: list[Axes] = []
        for place in range(count):
            row, column = divmod(place, COLUMNS)
            left = _LEFT + column * (width + _BETWEEN)
            bottom = total - strip - header - (row + 1) * (above + _PLOT)
            axes = figure.add_axes(
                (left / palette.WIDTH, bottom / total, width / palette.WIDTH, _PLOT / total),
                sharex=panels[0] if panels else None,
                sharey=panels[0] if panels else None,
            )
            axes.tick_params(labelleft=column == 0, labelbottom=False, length=0, labelsize=LETTERS)
            panels.append(axes)
        panels[0].yaxis.set_major_locator(MaxNLocator(nbins=3, steps=[1, 2, 5, 10]))
        panels[0].set_xticks([0, len(years) - 1])
        panels[0].set_xlim(-0.5, len(years) - 0.5)
        for axes in panels[-COLUMNS:]:
            _name_years(axes, years)
        yield Grid(figure, tuple(panels))


def _name_years(axes: Axes, years: Sequence[int]) -> None:
    """Name the first and the last year, each within the panel's width."""
    ends = {0.0: (years[0], "left"), 1.0: (years[-1], "right")}
    for place, (year, side) in ends.items():
        axes.annotate(
            academic_year.label(year),
            (place, 0.0),
            xycoords="axes fraction",
            xytext=(0, -4),
            textcoords="offset points",
            ha=side,
            va="top",
            fontsize=LETTERS,
        )
