"""Heat tables: a number in every cell, and the darker the more."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vsh_eval import names
from vsh_eval.contracts import ContractError, require_columns
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.figures import palette
from vsh_eval.release.figures.base import (
    SMALL,
    Box,
    Figure,
    at_two_widths,
    page_of,
    symbols_sentence,
    wrapped,
)
from vsh_eval.release.rows import Row, is_shown, part_of, records, status_of, value_of
from vsh_eval.release.text.phrases import charts
from vsh_eval.release.text.phrases.labels import column_label, lower_first, value_label
from vsh_eval.release.text.phrases.numbers import amount, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW, _TALL_ROW, _HEAD, _FOOT, _LEFT, _RIGHT = 0.52, 0.62, 0.68, 0.1, 2.05, 0.15
"""Inches: a row, one of two lines, the names above, space below, names at the left, the edge."""
_NARROW_LEFT, _NARROW_TALL_ROW, _UPRIGHT_UNDER = 1.34, 0.78, 0.55
"""Inches: the same of a narrow chart; columns under the last have upright names."""

_NOT_KNOWN = "not_known"
_READABLE = 4.5
"""The contrast that WCAG 2.2 asks of letters."""


@at_two_widths
def draw_reach_heat(
    safe: SafeTable,
    *,
    by: str = "programme",
    over: str = "time_period",
    share: str = "share_schools",
    missed: str | None = None,
    **where: Any,
) -> Figure:
    """Draw shares reached as a table of shaded cells.

    Parameters
    ----------
    safe : SafeTable
        A ``reach`` table.
    by, over : str
        The columns whose values are the rows and the columns of the chart. Of years, those before
        the last one without any training are left out.
    share : str
        The percentage in the cells, 0 to 100.
    missed : str, optional
        A column of numbers not reached, written below the shares. Rows in which no share is shown
        are then left out, and the caption says how many schools are in no band.
    **where
        Columns and values to select by; None is no condition.

    Returns
    -------
    Figure
        One hue from white (zero) to dark blue (all); a cell that is not shown holds its symbol,
        one that does not exist is empty.

    Raises
    ------
    ContractError
        If no row fits, or a cell has more than one row.
    """
    data = part_of(safe, **where)
    columns = [by, over, share, *([missed] if missed else [])]
    require_columns(data.frame, columns, name="the reach table")
    if over == "time_period":
        data = since_training(data, share)
    rows = records(data)
    if missed:
        shown = {row[by] for row in rows if is_shown(row, share)}
        rows = [row for row in rows if row[by] in shown] or rows
    down, across = (list(dict.fromkeys(row[column] for row in rows)) for column in (by, over))
    cells = {(row[by], row[over]): row for row in rows}
    if len(cells) < len(rows):
        raise ContractError(
            f"a cell of {by} and {over} has more than one row, must have one; name the phase, tier "
            "and group that single it out."
        )
    narrow = palette.is_narrow()
    tall = _NARROW_TALL_ROW if narrow else _TALL_ROW
    height = (tall if missed else _ROW) * len(down)
    left = _NARROW_LEFT if narrow else _LEFT
    box = Box(left, _HEAD, palette.width() - left - _RIGHT, height)
    with page_of(data, [box], height=_HEAD + height + _FOOT) as page:
        axes = page.panels[0]
        _draw_cells(axes, cells, down, across, share, missed)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        for axis, column, values, letters in (
            (axes.xaxis, over, across, int(13 * box.width / len(across))),
            (axes.yaxis, by, down, int(10.8 * left)),
        ):
            labels = [wrapped(value_label(column, value), max(letters, 7)) for value in values]
            places = [at + 0.5 for at in range(len(values))]
            axis.set_ticks(places, labels, fontsize=SMALL, rotation=0)
        if over == "time_period" and box.width / len(across) < _UPRIGHT_UNDER:
            axes.tick_params(axis="x", rotation=90)
        title = charts.HEAT_TITLE.format(
            share=column_label(share),
            by=lower_first(column_label(by)),
            over=lower_first(column_label(over)),
        )
        shares = {key: value_of(row, share) for key, row in cells.items()}
        return page.figure(
            f"heat_{by}_{over}_{share}",
            columns,
            alt=[
                charts.HEAT_OF.format(title=lower_first(title)),
                *_extremes(shares, across, by, over),
            ],
            caption=[
                charts.HEAT_CAPTION.format(title=title),
                charts.NOT_REACHED_CAPTION if missed else charts.COUNTS_FROM_FIRST,
                _in_no_band(rows, by, over) if missed else "",
                symbols_sentence(rows, share),
            ],
        )


def since_training(data: SafeTable, share: str) -> SafeTable:
    """Keep the years from the last one before any training on."""
    frame = data.frame
    begun = frame.loc[~(frame[share] == 0) & (frame["status"] != names.UNAVAILABLE)]
    begun = begun[begun[share].notna() | (begun["status"] == names.CONFIDENTIAL)]
    years = sorted(int(year) for year in frame["time_period"].unique())
    if begun.empty:
        return data.where(time_period=years[-3:])
    first = int(begun["time_period"].min())
    before = [year for year in years if year < first]
    return data.where(time_period=[*before[-1:], *(year for year in years if year >= first)])


def _draw_cells(
    axes: "Axes",
    cells: Mapping[tuple[Any, Any], Row],
    down: Sequence[Any],
    across: Sequence[Any],
    share: str,
    missed: str | None,
) -> None:
    """Draw the shares that are shown in our blue, and the symbols of those that are not in grey."""
    import numpy as np
    import seaborn as sns
    from matplotlib.colors import ListedColormap, to_hex

    shape = (len(down), len(across))
    values, words = np.full(shape, np.nan), np.full(shape, "", dtype=object)
    for at in np.ndindex(shape):
        row = cells.get((down[at[0]], across[at[1]]))
        if row is None:
            continue
        value = value_of(row, share)
        values[at] = value
        words[at] = status_of(row) if math.isnan(value) else _written(row, value, missed)
    shown, missing = ~np.isnan(values), np.isnan(values) & (words != "")
    blues = sns.blend_palette(["white", palette.DARK_BLUE], as_cmap=True)
    greys = ListedColormap([palette.SHADE])
    look = {"fmt": "", "cbar": False, "linewidths": 1, "linecolor": palette.LIGHT_GREY, "ax": axes}
    text = {"fontsize": SMALL if missed or palette.is_narrow() else 12.5, "linespacing": 1.15}
    for cmap, mask, numbers in (
        (blues, shown, 100 * _shade(values)),
        (greys, missing, np.zeros(shape)),
    ):
        sns.heatmap(
            numbers, mask=~mask, cmap=cmap, vmin=0, vmax=100, annot=words, annot_kws=text, **look
        )
    # Seaborn's own choice of ink leaves numbers on middle blues too pale to be read.
    for label in axes.texts:
        x, y = label.get_position()
        at = (int(y), int(x))
        fill = to_hex(blues(_shade(values[at]))) if shown[at] else palette.SHADE
        label.set_color("#FFFFFF" if palette.contrast(fill, "#FFFFFF") >= _READABLE else "#000000")


def _shade(share: Any) -> Any:
    """Return how dark a share is drawn, 0 to 1: middle blues light enough for black letters."""
    return (share / 100) ** 1.5


def _written(row: Row, share: float, missed: str | None) -> str:
    """Write a share, and below it the number of those not reached where it is asked for."""
    if not missed:
        return number(share, decimals=0)
    text = amount(share, "%", decimals=0)
    if not is_shown(row, missed):
        return text
    text = charts.NOT_REACHED.format(share=text, count=number(value_of(row, missed), decimals=0))
    return wrapped(text, 7 if palette.is_narrow() else 11)


def _in_no_band(rows: Sequence[Row], by: str, over: str) -> str:
    """Say how many schools are in none of the bands across."""
    apart = [row for row in rows if row[over] == _NOT_KNOWN and row[by] == names.TOTAL]
    if not apart or not is_shown(apart[0], "schools"):
        return charts.ALL_IN_BANDS
    count = number(value_of(apart[0], "schools"), decimals=0)
    return charts.IN_NO_BAND.format(count=count)


def _extremes(
    shares: Mapping[tuple[Any, Any], float], across: Sequence[Any], by: str, over: str
) -> list[str]:
    """Name the highest and the lowest cell; of years, those of the last one."""
    of_years = over == "time_period"
    shown = {
        key: value
        for key, value in shares.items()
        if not math.isnan(value) and (key[1] == across[-1] or not of_years)
    }
    if len(set(shown.values())) < 2:
        return []
    when = charts.EXTREME_IN.format(year=value_label(over, across[-1])) if of_years else ""
    sentences = []
    for which, pick in ((charts.HIGHEST, max), (charts.LOWEST, min)):
        row, column = pick(shown, key=lambda key: shown[key])
        place = value_label(by, row)
        if not of_years:
            name = lower_first(value_label(over, column))
            place = charts.TWO_KEYS.format(row=place, column=name)
        value = amount(shown[row, column], "%", decimals=0)
        sentences.append(charts.EXTREME.format(which=which, when=when, place=place, value=value))
    return sentences
