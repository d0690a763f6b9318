"""The colours of the Government Analysis Function, and the one theme that seaborn draws in.

Colour never stands alone: each series also has its own marker and its own dash, and its name
beside the line. The order of the colours is the Analysis Function's; four are the most a chart has.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

DARK_BLUE = "#12436D"
TURQUOISE = "#28A197"
DARK_PINK = "#801650"
ORANGE = "#F46A25"
DARK_GREY = "#3D3D3D"
LIGHT_GREY = "#BFBFBF"
"""Behind what is in focus."""

TEXT = "#0B0C0C"
QUIET = "#505A5F"
SHADE = "#EEEFEF"

FONTS = ("Arial", "Helvetica", "Liberation Sans", "DejaVu Sans")
MOST_CATEGORIES = 4
WIDE, NARROW = 6.4, 4.2
"""Inches: a chart on a page, and one on a screen 320 pixels wide, where a point is a pixel."""
_width: ContextVar[float] = ContextVar("width", default=WIDE)

Dash = str | tuple[float, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Line:
    """How one series is drawn: told apart in grey by marker and dash."""

    colour: str
    marker: str
    dash: Dash
    text_colour: str


LINES = (
    Line(DARK_BLUE, "o", "solid", DARK_BLUE),
    Line(ORANGE, "s", (0, (5, 1.6)), "#B23F07"),
    Line(DARK_PINK, "^", (0, (1.4, 1.4)), DARK_PINK),
    Line(TURQUOISE, "D", (0, (6, 1.6, 1.4, 1.6)), "#17756D"),
)
"""The first is the cohort, the second what it is compared with. Text is a darker shade of the
same colour where the colour itself is too light to be read on white (4.5 to 1)."""

_STYLE: Mapping[Any, Any] = MappingProxyType(
    {
        "font.family": "sans-serif",
        "font.sans-serif": list(FONTS),
        "font.size": 12.5,
        "axes.titlesize": 12.5,
        "axes.labelsize": 12,
        "xtick.labelsize": 11.5,
        "ytick.labelsize": 11.5,
        "text.color": TEXT,
        "axes.labelcolor": TEXT,
        "axes.edgecolor": QUIET,
        "xtick.color": QUIET,
        "ytick.color": QUIET,
        "xtick.labelcolor": TEXT,
        "ytick.labelcolor": TEXT,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "axes.formatter.useoffset": False,
        "grid.color": "#E3E4E5",
        "grid.linewidth": 0.9,
        "xtick.bottom": True,
        "ytick.left": False,
        "xtick.major.size": 3.5,
        "xtick.major.width": 0.8,
        "axes.linewidth": 0.8,
        "lines.linewidth": 2.4,
        "lines.markersize": 7,
        "lines.solid_capstyle": "round",
        "svg.fonttype": "none",
        "svg.hashsalt": "vsh_eval",
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "legend.frameon": False,
    }
)


def width() -> float:
    """Return the inches that a chart is wide where it is being drawn."""
    return _width.get()


def is_narrow() -> bool:
    """Whether what is being drawn is for a small screen."""
    return width() == NARROW


@contextmanager
def narrow() -> Generator[None]:
    """Draw for a small screen.

    Examples
    --------
    >>> with narrow():
    ...     width()
    4.2
    """
    before = _width.set(NARROW)
    try:
        yield
    finally:
        _width.reset(before)


@contextmanager
def theme() -> Generator[None]:
    """Draw within our theme for seaborn, and leave matplotlib as it was.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> with theme():
    ...     mpl.rcParams["svg.fonttype"]
    'none'
    """
    import logging

    import matplotlib as mpl
    import seaborn as sns

    # Fonts of the stack that a machine lacks are expected, not worth a line each in a notebook.
    logger = logging.getLogger("matplotlib.font_manager")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with mpl.rc_context():
            sns.set_theme(
                style="white",
                palette=[line.colour for line in LINES],
                color_codes=False,
                rc=dict(_STYLE),
            )
            yield
    finally:
        logger.setLevel(before)


def lightness(colour: str) -> float:
    """Return the relative luminance of a colour (0 black to 1 white; WCAG 2.2).

    Examples
    --------
    >>> round(lightness("#FFFFFF"), 3), round(lightness("#12436D"), 3)
    (1.0, 0.052)
    """
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours (1 to 21; WCAG 2.2 asks 3 of lines, 4.5 of text).

    Examples
    --------
    >>> contrast("#000000", "#FFFFFF")
    21.0
    """
    high, low = sorted((lightness(first), lightness(second)), reverse=True)
    return round((high + 0.05) / (low + 0.05), 2)
