"""Curves over a quantity: power by the size of an effect."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vsh_eval import registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import Figure, remark, stacked
from vsh_eval.release.rows import part_of
from vsh_eval.release.text import charts
from vsh_eval.release.text.labels import (
    metric_in_text,
)
from vsh_eval.release.text.phrases import FOUR_IN_FIVE, amount, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POWER = ("effect", "share_found", "share_found_lower", "share_found_upper")


def draw_power(safe: SafeTable, *, metric: str, sesoi: float) -> Figure:
    """Draw which share of the runs detects an injected effect, by its size.

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
    ordered = data.frame.sort_values("effect")
    effects, shares, lower, upper = (ordered[name].astype(float).tolist() for name in _POWER)
    unit = registry.metric(metric).gap_unit
    with stacked(data, right=0.35, height=3.7, bottom=0.72) as page:
        axes = page.panels[0]
        axes.fill_between(effects, lower, upper, color=palette.DARK_BLUE, alpha=0.16, lw=0)
        _draw_curve(axes, effects, shares)
        axes.set_ylim(0, 104)
        axes.set_xlim(-0.02 * max(effects), max(1.03 * max(effects), 1.15 * sesoi))
        axes.axhline(FOUR_IN_FIVE, color=palette.QUIET, lw=1.2, ls=(0, (5, 3)), zorder=1)
        axes.axvline(sesoi, color=palette.TEXT, lw=1.4, zorder=1)
        remark(axes, charts.FOUR_IN_FIVE, (1.0, FOUR_IN_FIVE), along="x", below=False)
        remark(axes, charts.SMALLEST_OF_INTEREST, (sesoi, 1.0), along="y", below=True)
        axes.set_xlabel(charts.POWER_X.format(unit=unit))
        page.name_axis(charts.POWER_Y)
        title = charts.POWER_TITLE.format(metric=metric_in_text(metric))
        points = [
            alt.named(number(effect, decimals=2), amount(share, "%", decimals=0))
            for effect, share in zip(effects, shares, strict=True)
        ]
        return page.figure(
            f"power_{metric}",
            _POWER,
            alt=[
                charts.POWER_OF.format(title=title, unit=unit),
                "; ".join(points),
                charts.POWER_SMALLEST.format(effect=amount(sesoi, unit)),
            ],
            caption=[charts.POWER_CAPTION.format(title=title)],
        )


def _draw_curve(axes: "Axes", x: Sequence[float], y: Sequence[float]) -> None:
    import seaborn as sns

    sns.lineplot(
        x=list(x),
        y=list(y),
        estimator=None,
        color=palette.DARK_BLUE,
        marker="o",
        markeredgewidth=0,
        clip_on=False,
        ax=axes,
    )
