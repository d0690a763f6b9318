"""Curves over a quantity: power by the size of an effect, reach from the greatest need on."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from vsh_eval import names, registry
from vsh_eval.contracts import require_columns
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import Figure, remark, stacked, wrapped
from vsh_eval.release.rows import Row, is_shown, part_of, records, value_of
from vsh_eval.release.text import charts
from vsh_eval.release.text.labels import (
    column_label,
    lower_first,
    metric_in_text,
    upper_first,
    value_label,
    year_label,
)
from vsh_eval.release.text.phrases import FOUR_IN_FIVE, amount, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POWER = ("effect", "share_found", "share_found_lower", "share_found_upper")
_NOT_BANDS = (names.TOTAL, "not_known")
_TOP = 124
"""Height of the concentration curve in per cent: the names of the bands stand above it."""
_COLUMNS = {
    "pupils": ("pupils", "pupils_reached", charts.CHILDREN),
    "schools": ("schools", "schools_trained", charts.SCHOOLS),
}
_EVEN = 0.5
"""Percentage points from the line of equality that are not worth a word."""


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
        for at, (effect, text) in enumerate(marks):
            axes.axvline(effect, color=palette.TEXT, lw=1.4, zorder=1)
            # The curve rises from the lower left to the upper right: words stand in the corners.
            high, end = np.interp(effect, effects, shares) < 50, effect > 0.6 * max(effects)
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
    effects: Sequence[float],
    shares: Sequence[float],
    sesoi: float,
    estimates: SafeTable | None,
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
            text = charts.THE_ESTIMATE.format(estimate=number(value, signed=True))
            marks.append((min(abs(value), max(effects)), text))
    return marks


def draw_concentration(safe: SafeTable, *, by: str, year: int, counted: str = "pupils") -> Figure:
    """Draw what share of those reached is in the neediest schools, band after band.

    Parameters
    ----------
    safe : SafeTable
        A ``reach`` table by bands, the greatest need first.
    by : str
        The bands' column: deprivation or baseline_gap.
    year : int
        The academic year.
    counted : {"pupils", "schools"}
        What is shared out.

    Returns
    -------
    Figure
        A point a band, never a school, and the line of equality. Where a band is not shown,
        neither is the curve, and the chart says so.

    Raises
    ------
    ContractError
        If no row fits.
    """
    whole, part, noun = _COLUMNS[counted]
    data = part_of(safe, time_period=year, phase=names.TOTAL)
    require_columns(data.frame, [by, whole, part], name="the reach table")
    rows = [row for row in records(data) if row[by] not in _NOT_BANDS]
    curve = _shares(rows, whole, part)
    bands = [value_label(by, row[by]) for row in rows]
    with stacked(data, height=5.2, right=0.35, bottom=0.75) as page:
        axes = page.panels[0]
        axes.plot([0, 100], [0, 100], color=palette.QUIET, lw=1.6, ls=(0, (4, 3)))
        remark(axes, charts.EQUAL_SHARES, (0.97, 6), along="x", below=False)
        if curve:
            _draw_curve(axes, *zip(*curve, strict=True))
            _name_bands(axes, curve, bands)
        else:
            remark(axes, upper_first(charts.NOT_SHOWN), (0.4, 55), along="x", below=False)
        axes.set(xlim=(0, 100), ylim=(0, _TOP))
        axes.set(xticks=range(0, 101, 20), yticks=range(0, 101, 20))
        axes.set_xlabel(charts.CURVE_X.format(noun=noun))
        page.name_axis(charts.CURVE_Y.format(noun=noun))
        title = charts.CURVE_TITLE.format(noun=noun, year=year_label(year))
        need = lower_first(column_label(by))
        return page.figure(
            f"concentration_{by}_{counted}",
            [by, whole, part],
            alt=[charts.CURVE_OF.format(title=title), *_curve_in_text(curve, bands, noun)],
            caption=[f"{title}.", charts.CURVE_CAPTION.format(by=need)],
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


def _shares(rows: Sequence[Row], whole: str, part: str) -> list[tuple[float, float]]:
    """Return the cumulative shares of all and of those reached, with the origin."""
    if len(rows) < 2 or not all(is_shown(row, whole, part) for row in rows):
        return []
    sides = [[float(row[column]) for row in rows] for column in (whole, part)]
    if not all(sum(side) > 0 for side in sides):
        return []
    across, up = ([100 * v / sum(side) for v in accumulate(side)] for side in sides)
    return [(0.0, 0.0), *zip(across, up, strict=True)]


def _name_bands(axes: "Axes", curve: Sequence[tuple[float, float]], bands: Sequence[str]) -> None:
    """Write each band above its part of the curve, and the share at each of its ends."""
    for x, y in curve[1:-1]:
        axes.axvline(x, color=palette.SHADE, lw=1.4, zorder=0)
        axes.annotate(
            amount(y, "%", decimals=0),
            (x, y),
            xytext=(-8, 8) if y >= x else (8, -8),
            textcoords="offset points",
            ha="right" if y >= x else "left",
            va="bottom" if y >= x else "top",
            fontweight="bold",
            color=palette.DARK_BLUE,
        )
    for band, ((left, _), (right, _)) in zip(bands, pairwise(curve), strict=True):
        text = wrapped(band, max(7, int((right - left) / 2)))
        middle = (left + right) / 2
        axes.text(middle, _TOP - 1, text, ha="center", va="top", fontsize=11.5, linespacing=1.1)


def _curve_in_text(
    curve: Sequence[tuple[float, float]], bands: Sequence[str], noun: str
) -> list[str]:
    if not curve:
        return [charts.CURVE_HIDDEN]
    above = max((y - x for x, y in curve[1:-1]), key=abs, default=0.0)
    opening = charts.CURVE_ON_LINE
    if abs(above) > _EVEN:
        size = amount(abs(above), charts.POINTS, decimals=0)
        side = charts.ABOVE if above > 0 else charts.BELOW
        opening = charts.CURVE_OFF_LINE.format(size=size, side=side)
    sentences = [opening]
    for band, ((left, low), (x, y)) in zip(bands, pairwise(curve), strict=True):
        share, reached = (amount(v, "%", decimals=0) for v in (x - left, y - low))
        sentences.append(
            charts.CURVE_BAND.format(band=band, share=share, noun=noun, reached=reached)
        )
    return sentences
