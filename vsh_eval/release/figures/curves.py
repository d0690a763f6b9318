"""Curves over a quantity: power by the size of an effect."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vsh_eval import registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import Figure, at_two_widths, remark, stacked
from vsh_eval.release.rows import is_shown, part_of, records, value_of
from vsh_eval.release.text.phrases import charts
from vsh_eval.release.text.phrases.labels import metric_in_text, upper_first
from vsh_eval.release.text.phrases.numbers import FOUR_IN_FIVE, amount, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POWER = ("effect", "share_found", "share_found_lower", "share_found_upper")


@at_two_widths
def draw_power(
    safe: SafeTable, *, metric: str, sesoi: float, estimates: SafeTable | None = None
) -> Figure:
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
    estimates : SafeTable, optional
        An ``estimates`` table, whose primary estimate is marked by its size.

    Returns
    -------
    Figure
        The curve with the interval of each share, the line of four in five, and upright lines at
        the smallest effect of interest, at the effect that four in five runs detect, and at the
        estimate.

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
        remark(axes, charts.FOUR_IN_FIVE, (1.0, FOUR_IN_FIVE), along="x", below=True)
        marks = _marks(effects, shares, sesoi, estimates)
        # All words of the upper right stand on the left of their lines, where one lies far right.
        end = max(effect for effect, _ in marks) > 0.6 * max(effects)
        for at, (effect, text) in enumerate(marks):
            axes.axvline(effect, color=palette.TEXT, lw=1.4, zorder=1)
            # The curve rises from the lower left to the upper right: words stand in the corners.
            high = np.interp(effect, effects, shares) < 50
            place = (effect, 1.0 - 0.045 * at if high else 0.1 * at - 0.08)
            remark(axes, text, place, along="y", below=bool(high), before=end and not high)
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
                *(upper_first(text) for _, text in marks[1:]),
            ],
            caption=[charts.POWER_CAPTION.format(title=title)],
        )


def _marks(
    effects: Sequence[float], shares: Sequence[float], sesoi: float, estimates: SafeTable | None
) -> list[tuple[float, str]]:
    """Return the effects that are marked on a power curve, with their names."""
    marks = [(sesoi, charts.SMALLEST_OF_INTEREST)]
    if max(shares) >= FOUR_IN_FIVE:
        # The shares come from the same draws, so they never fall and can be read between sizes.
        detectable = float(np.interp(FOUR_IN_FIVE, shares, effects))
        marks.append((detectable, charts.DETECTABLE.format(effect=number(detectable))))
    primary = {"role": "primary", "aggregation": "simple"}
    for row in records(estimates.where(**primary)) if estimates else []:
        if is_shown(row, "estimate"):
            value = value_of(row, "estimate")
            text = charts.THE_ESTIMATE.format(estimate=number(abs(value)))
            marks.append((min(abs(value), max(effects)), text))
    return marks


def _draw_curve(axes: "Axes", x: Sequence[float], y: Sequence[float]) -> None:
    import seaborn as sns

    look = {"color": palette.DARK_BLUE, "marker": "o", "markeredgewidth": 0, "clip_on": False}
    sns.lineplot(x=list(x), y=list(y), estimator=None, ax=axes, **look)
