"""How the interval widens as the paths of trained and other schools may differ more."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from vsh_eval import registry
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.figures import palette
from vsh_eval.release.figures.base import Figure, canvas, name_axis, to_png
from vsh_eval.release.figures.palette import Line
from vsh_eval.release.rows import Row, is_shown, part_of, records, value_of
from vsh_eval.release.text.labels import metric_in_text
from vsh_eval.release.text.phrases import limits, number

_TARGETS = ("first year", "all years")
_NAMES = {"first year": "First year after training", "all years": "All years after training"}


def draw_honest(safe: SafeTable, *, metric: str, confidence: float = 95) -> Figure:
    """Draw the effect's interval for ever larger differences of the paths after training.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table: variant (``first year``, ``all years``), bound (size of the
        differences, as a multiple of the largest before training), ci_lower, ci_upper.
    metric : str
        The outcome.
    confidence : float
        The intervals' confidence in per cent, for the words only.

    Returns
    -------
    Figure
        Upright bars, one a size and target, and the line of no effect.

    Raises
    ------
    ContractError
        If no row fits.
    """
    data = part_of(safe, metric=metric)
    rows = records(data)
    sizes = sorted({float(row["bound"]) for row in rows})
    unit = registry.metric(metric).gap_unit
    targets = [t for t in _TARGETS if any(row["variant"] == t for row in rows)]
    with canvas(right=0.3, height=4.1, bottom=0.98, stamp=data.stamp) as (figure, (axes,)):
        axes.axhline(0, color=palette.TEXT, lw=1.2, zorder=1)
        for place, (target, line) in enumerate(zip(targets, palette.LINES, strict=False)):
            own = [row for row in rows if row["variant"] == target]
            _draw_bars(axes, own, sizes, line, 0.3 * (place - (len(targets) - 1) / 2))
            _name(axes, _NAMES[target], line, place)
        axes.set_xticks(range(len(sizes)), [number(size) for size in sizes])
        axes.set_xlim(-0.6, len(sizes) - 0.4)
        axes.margins(y=0.08)
        axes.set_xlabel("Trend differences up to ... times the largest before training")
        name_axis(axes, f"Effect on the gap in {metric_in_text(metric)} ({unit})")
        png = to_png(figure, data.stamp)
    title = f"The effect on the gap in {metric_in_text(metric)} if the paths had differed"
    marked = f" Marked: {data.stamp}." if data.stamp else ""
    return Figure(
        png=png,
        alt=f"Chart of intervals. {title}. {_told(rows, sizes, targets)}{marked}",
        caption=f"{title}. Bars: {confidence:g}% interval that allows for trend differences of "
        "that size. A bar that crosses the line of nought no longer shows an effect.",
        data=data,
        name=f"honest_{metric}",
        columns=("variant", "bound", "ci_lower", "ci_upper"),
    )


def _draw_bars(
    axes: Axes, rows: Sequence[Row], sizes: Sequence[float], line: Line, shift: float
) -> None:
    for row in rows:
        if not is_shown(row, "ci_lower", "ci_upper"):
            continue
        place = sizes.index(float(row["bound"])) + shift
        low, high = value_of(row, "ci_lower"), value_of(row, "ci_upper")
        axes.plot([place, place], [low, high], color=line.colour, lw=3.4, solid_capstyle="butt")
        axes.plot([place, place], [low, high], color=line.colour, ls="none", marker=line.marker)


def _name(axes: Axes, text: str, line: Line, place: int) -> None:
    axes.plot(
        [0.06 + 0.5 * place],
        [-0.25],
        color=line.colour,
        marker=line.marker,
        transform=axes.transAxes,
        clip_on=False,
    )
    axes.text(
        0.09 + 0.5 * place,
        -0.25,
        text,
        transform=axes.transAxes,
        va="center",
        fontsize=11.5,
        fontweight="bold",
        color=line.text_colour,
    )


def _told(rows: Sequence[Row], sizes: Sequence[float], targets: Sequence[str]) -> str:
    parts = []
    for target in targets:
        own = {float(row["bound"]): row for row in rows if row["variant"] == target}
        told = "; ".join(
            f"up to {number(size)} times, {_interval(own[size])}" for size in sizes if size in own
        )
        parts.append(f"{_NAMES[target]}: {told}.")
    return " ".join(parts)


def _interval(row: Row) -> str:
    if not is_shown(row, "ci_lower", "ci_upper"):
        return "not shown"
    return limits(value_of(row, "ci_lower"), value_of(row, "ci_upper"))
