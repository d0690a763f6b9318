"""The same question asked in other ways: each estimate beside the primary one, with its verdict."""

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from vsh_eval import registry
from vsh_eval.contracts import ContractError
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import STAMP_STRIP, Figure, to_png
from vsh_eval.release.rows import Row, is_shown, part_of, records, value_of
from vsh_eval.release.text.labels import metric_in_text, upper_first, value_label
from vsh_eval.release.text.phrases import limits, number

_ROW_HEIGHT, _BELOW, _ABOVE = 0.6, 0.7, 0.14
PRIMARY = "primary estimate"
_APART = frozenset("abejk")
"""Checks whose intervals mean something else than the primary one's."""


def draw_robustness(safe: SafeTable, *, metric: str, confidence: float = 95) -> Figure:
    """Draw what other ways of asking give, below the primary estimate.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table: the primary simple estimate and rows of the robustness table with
        check, variant, verdict. Rows of another metric or without an estimate and interval are
        left out, and checks that are no estimate of the same kind (a, b, e, j, k).
    metric : str
        The outcome.
    confidence : float
        The intervals' confidence in per cent, for the words only.

    Returns
    -------
    Figure
        One row an estimate, over the shaded interval of the primary one; what differs is hollow
        and says so.

    Raises
    ------
    ContractError
        If there is no primary estimate to hold them against.
    """
    rows = [
        row
        for row in records(part_of(safe, metric=metric))
        if is_shown(row, "estimate", "ci_lower", "ci_upper") and str(row["check"]) not in _APART
    ]
    rows.sort(key=lambda row: row.get("role") != "primary")
    if not rows or rows[0].get("role") != "primary":
        raise ContractError(
            "the robustness table has no primary estimate with an interval, must have one to hold "
            "the others against; put the primary row above."
        )
    data = safe.where(metric=metric)
    strip = STAMP_STRIP if data.stamp else 0.0
    height = _ROW_HEIGHT * len(rows)
    total = strip + _ABOVE + height + _BELOW
    entry = registry.metric(metric)
    with palette.chart_style():
        figure = Canvas(figsize=(palette.WIDTH, total))
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.035, _BELOW / total, 0.68, height / total))
        _draw(axes, rows)
        better = "left" if entry.lower_is_better else "right"
        axes.set_xlabel(f"Effect ({entry.gap_unit}); further {better} is better")
        png = to_png(figure, data.stamp)
    title = (
        f"The effect on the gap in {metric_in_text(metric)}, asked in {len(rows) - 1} other ways"
    )
    return Figure(
        png=png,
        alt=alt.of_estimates(
            f"Chart of estimates. {title}", [_told(row) for row in rows], data.stamp
        ),
        caption=f"{title}. Bars: {confidence:g}% interval. Shaded: that of the primary estimate. "
        "Hollow: differs from it by the rule of its check.",
        data=data,
        name=f"robustness_{metric}",
        columns=("check", "variant", "estimate", "ci_lower", "ci_upper", "verdict"),
    )


def _draw(axes: Axes, rows: Sequence[Row]) -> None:
    axes.grid(visible=False)
    axes.grid(visible=True, axis="x")
    ends = value_of(rows[0], "ci_lower"), value_of(rows[0], "ci_upper")
    axes.axvspan(*ends, color=palette.SHADE, lw=0, zorder=0)
    axes.axvline(0, color=palette.TEXT, lw=1.2, zorder=1)
    for place, row in enumerate(rows):
        height = -float(place)
        low, high = value_of(row, "ci_lower"), value_of(row, "ci_upper")
        axes.plot([low, high], [height] * 2, color=palette.DARK_BLUE, lw=2.4, solid_capstyle="butt")
        hollow = row.get("verdict") == "differs"
        axes.plot(
            [value_of(row, "estimate")],
            [height],
            marker="o" if place == 0 else "D",
            ms=10 if place == 0 else 7,
            color=palette.DARK_BLUE,
            mfc="white" if hollow else palette.DARK_BLUE,
            mew=2,
        )
        words = textwrap.shorten(_name(row), 84, placeholder="\N{HORIZONTAL ELLIPSIS}")
        numbers = _numbers(row) + (" differs" if hollow else "")
        for text, x in ((words, 0.0), (numbers, 1.03)):
            axes.text(
                x,
                height + (0.36 if x == 0 else 0.0),
                text,
                transform=axes.get_yaxis_transform(),
                va="center",
                fontsize=10.5,
                fontweight="bold" if place == 0 or (hollow and x > 0) else "normal",
                bbox={"fc": "white", "ec": "none", "pad": 0.8, "alpha": 0.85},
            )
    axes.set_yticks([])
    axes.set_ylim(-len(rows) + 0.5, 0.7)
    axes.margins(x=0.06)


def _name(row: Row) -> str:
    if row.get("role") == "primary":
        return upper_first(PRIMARY)
    words = str(row["variant"])
    return f"{row['check']}: {words}"


def _numbers(row: Row) -> str:
    interval = limits(value_of(row, "ci_lower"), value_of(row, "ci_upper"))
    return f"{number(value_of(row, 'estimate'), signed=True)} ({interval})"


def _told(row: Row) -> str:
    verdict = str(row.get("verdict") or "")
    said = "" if row.get("role") == "primary" else f", {value_label('verdict', verdict).lower()}"
    return f"{_name(row)} {_numbers(row)}{said}"
