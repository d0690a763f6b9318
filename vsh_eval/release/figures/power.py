"""How often an effect of each size would be found."""

from matplotlib.axes import Axes

from vsh_eval import registry
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.figures import palette
from vsh_eval.release.figures.base import Figure, canvas, name_axis, to_png
from vsh_eval.release.rows import part_of
from vsh_eval.release.text.labels import metric_in_text
from vsh_eval.release.text.phrases import FOUR_IN_FIVE, amount, number

_DRAWN = ("effect", "share_found", "share_found_lower", "share_found_upper")


def draw_power(safe: SafeTable, *, metric: str, sesoi: float) -> Figure:
    """Draw which share of the runs finds a planted effect, by its size.

    Parameters
    ----------
    safe : SafeTable
        Rows of facts by size of effect: effect, share_found (per cent of the runs), and its
        interval share_found_lower, share_found_upper.
    metric : str
        The outcome.
    sesoi : float
        The smallest effect of interest, in the metric's gap unit.

    Returns
    -------
    Figure
        The curve with the interval of each share, the line of four in five, and an upright line
        at the smallest effect of interest.

    Raises
    ------
    ContractError
        If there is no row.
    """
    data = part_of(safe)
    curve = data.frame.sort_values("effect")
    effect, share, lower, upper = (curve[name].astype(float) for name in _DRAWN)
    unit = registry.metric(metric).gap_unit
    with canvas(right=0.35, height=3.7, bottom=0.72, stamp=data.stamp) as (figure, (axes,)):
        line = palette.LINES[0]
        axes.fill_between(effect, lower, upper, color=line.colour, alpha=0.16, lw=0)
        axes.plot(effect, share, color=line.colour, marker=line.marker)
        axes.set_ylim(0, 104)
        axes.set_xlim(-0.02 * float(effect.max()), max(1.03 * float(effect.max()), 1.15 * sesoi))
        axes.axhline(FOUR_IN_FIVE, color=palette.QUIET, lw=1.2, ls=(0, (5, 3)), zorder=1)
        axes.axvline(sesoi, color=palette.TEXT, lw=1.4, zorder=1)
        _write(axes, (1.0, FOUR_IN_FIVE), "four in five", across=True)
        _write(axes, (sesoi, 1.0), "smallest of interest", across=False)
        axes.set_xlabel(f"Planted effect ({unit})")
        name_axis(axes, "Runs that find the effect (%)")
        png = to_png(figure, data.stamp)
    title = f"How often an effect on the gap in {metric_in_text(metric)} would be found"
    told = "; ".join(
        f"{number(e, decimals=2)}: {number(p, decimals=0)}%"
        for e, p in zip(effect, share, strict=True)
    )
    marked = f" Marked: {data.stamp}." if data.stamp else ""
    return Figure(
        png=png,
        alt=f"Line chart. {title}, by its size in {unit}. {told}. The smallest effect of interest "
        f"is {amount(sesoi, unit)}.{marked}",
        caption=f"{title}. Planted in these data, with years of training dealt out by lot. "
        "Shaded: 95% interval of the share.",
        data=data,
        name=f"power_{metric}",
        columns=_DRAWN,
    )


def _write(axes: Axes, place: tuple[float, float], text: str, *, across: bool) -> None:
    axes.annotate(
        text,
        place,
        xycoords=axes.get_yaxis_transform() if across else axes.get_xaxis_transform(),
        xytext=(-2, 4) if across else (5, -2),
        textcoords="offset points",
        ha="right" if across else "left",
        va="bottom" if across else "top",
        fontsize=10.5,
        color=palette.QUIET,
    )
