"""The concentration curve: how the training is shared out from the neediest schools on."""

import math
from collections.abc import Sequence
from itertools import accumulate

from matplotlib.axes import Axes

from vsh_eval import names
from vsh_eval.contracts import require_columns
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import Figure, canvas, name_axis, to_png
from vsh_eval.release.figures.reach import wrapped
from vsh_eval.release.rows import Row, is_shown, part_of, records
from vsh_eval.release.text.labels import column_label, lower_first, value_label, year_label
from vsh_eval.release.text.phrases import amount

_NOT_BANDS = (names.TOTAL, "not_known")
_TOP = 124
"""Height of the chart in per cent: the names of the bands stand above the curve."""
_COLUMNS = {
    "pupils": ("pupils", "pupils_reached", "children"),
    "schools": ("schools", "schools_trained", "schools"),
}


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
    curve = _curve(rows, whole, part)
    title = f"Where the {noun} reached are, from the greatest need on, {year_label(year)}"
    with canvas(height=5.2, right=0.35, bottom=0.75, stamp=data.stamp) as (figure, (axes,)):
        _frame(axes, noun)
        if curve:
            _draw(axes, curve, [value_label(by, row[by]) for row in rows])
        else:
            axes.text(50, 55, "Not shown", ha="center", va="bottom", color=palette.QUIET)
        name_axis(axes, f"Share of the {noun} reached (%)")
        png = to_png(figure, data.stamp)
    return Figure(
        png=png,
        alt=alt.of_estimates(
            f"Concentration curve: {title}", _told(curve, rows, by, noun), data.stamp
        ),
        caption=f"{title}. By {lower_first(column_label(by))}; above the dashed line the neediest "
        "schools have more than their share.",
        data=data,
        name=f"concentration_{by}_{counted}",
        columns=(by, whole, part),
    )


def _curve(rows: Sequence[Row], whole: str, part: str) -> list[tuple[float, float]]:
    """Return the cumulative shares of all and of those reached, with the origin."""
    if len(rows) < 2 or not all(is_shown(row, whole, part) for row in rows):
        return []
    sides = [[float(row[column]) for row in rows] for column in (whole, part)]
    if not all(sum(side) > 0 for side in sides):
        return []
    across, up = ([100 * v / sum(side) for v in accumulate(side)] for side in sides)
    return [(0.0, 0.0), *zip(across, up, strict=True)]


def _frame(axes: Axes, noun: str) -> None:
    axes.set_xlim(0, 100)
    axes.set_ylim(0, _TOP)
    axes.set_xticks(range(0, 101, 20))
    axes.set_yticks(range(0, 101, 20))
    axes.set_xlabel(f"Share of all {noun}, those in the neediest schools first (%)")
    axes.plot([0, 100], [0, 100], color=palette.QUIET, lw=1.6, ls=(0, (4, 3)))
    axes.text(97, 6, "Dashed: equal shares", color=palette.QUIET, ha="right", fontsize=11.5)


def _draw(axes: Axes, curve: Sequence[tuple[float, float]], bands: Sequence[str]) -> None:
    across, up = zip(*curve, strict=True)
    axes.plot(across, up, color=palette.DARK_BLUE, marker="o", clip_on=False)
    for x, y in curve[1:-1]:
        axes.axvline(x, color=palette.SHADE, lw=1.4, zorder=0)
        axes.annotate(
            f"{y:.0f}%",
            (x, y),
            xytext=(-8, 8) if y >= x else (8, -8),
            textcoords="offset points",
            ha="right" if y >= x else "left",
            va="bottom" if y >= x else "top",
            fontweight="bold",
            color=palette.DARK_BLUE,
        )
    for place, band in enumerate(bands):
        left, right = across[place], across[place + 1]
        width = max(7, int((right - left) / 100 * 50))
        axes.text(
            (left + right) / 2,
            _TOP - 1,
            wrapped(band, width),
            ha="center",
            va="top",
            fontsize=11.5,
            linespacing=1.1,
        )


def _told(
    curve: Sequence[tuple[float, float]], rows: Sequence[Row], by: str, noun: str
) -> list[str]:
    if not curve:
        return ["The curve is not shown: a band is hidden, unknown, or nobody is reached"]
    told, before = [], 0.0
    for place, row in enumerate(rows, start=1):
        (x, y), (left, low) = curve[place], curve[place - 1]
        share, own = (amount(v, "%", decimals=0) for v in (x - left, y - low))
        told.append(f"{value_label(by, row[by])}: {share} of all {noun}, {own} of those reached")
    above = [y - x for x, y in curve[1:-1]]
    most = max(above, key=abs) if above else before
    side = "above" if most > 0 else "below"
    if math.isclose(most, 0, abs_tol=0.5):
        return ["The curve lies on the line of equality", *told]
    size = amount(abs(most), "percentage points", decimals=0)
    return [f"The curve lies up to {size} {side} the line of equality", *told]
