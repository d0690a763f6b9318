"""Heat tables: a number in every cell, and the darker the more."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from vsh_eval import names
from vsh_eval.contracts import ContractError, require_columns
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import Figure, canvas, to_png
from vsh_eval.release.figures.reach import wrapped
from vsh_eval.release.rows import Row, part_of, records, status_of, value_of
from vsh_eval.release.text.labels import column_label, lower_first, value_label
from vsh_eval.release.text.phrases import amount, number, symbol_notes

_ROW = 0.52
_HEAD = 0.62
_LEFT = 2.05


def draw_reach_heat(
    safe: SafeTable,
    *,
    by: str = "programme",
    over: str = "time_period",
    share: str = "share_schools",
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
    **where
        Columns and values to select by; None is no condition.

    Returns
    -------
    Figure
        One hue from white (nought) to dark blue (all); a cell that is not shown holds its symbol,
        one that does not exist is empty.

    Raises
    ------
    ContractError
        If no row fits, or a cell has more than one row.
    """
    data = part_of(safe, **where)
    require_columns(data.frame, [by, over, share], name="the reach table")
    if over == "time_period":
        data = _since_training(data, share)
    rows = records(data)
    down, across = (list(dict.fromkeys(row[column] for row in rows)) for column in (by, over))
    cells = {(row[by], row[over]): row for row in rows}
    if len(cells) < len(rows):
        raise ContractError(
            f"a cell of {by} and {over} has more than one row, must have one; name the phase, tier "
            "and group that single it out."
        )
    title = (
        f"{column_label(share)} reached by the training, by {column_label(by).lower()} and "
        f"{column_label(over).lower()}"
    )
    height = _HEAD + _ROW * len(down) + 0.65
    with canvas(height=height, left=_LEFT, right=0.15, bottom=0.1, stamp=data.stamp) as (
        figure,
        (axes,),
    ):
        _draw(axes, cells, down, across, (by, over, share))
        png = to_png(figure, data.stamp)
    return Figure(
        png=png,
        alt=alt.of_estimates(
            f"Heat table of the {lower_first(title)}",
            _told(cells, down, across, by, over, share),
            data.stamp,
        ),
        caption=f"{title}. Per cent; the darker, the more. A school counts from its first "
        f"training on.{_symbols(rows, share)}",
        data=data,
        name=f"heat_{by}_{over}_{share}",
        columns=(by, over, share),
    )


def shade(value: float) -> tuple[str, str]:
    """Return the colour of a cell and of the number in it, which can be read on it.

    Parameters
    ----------
    value : float
        A percentage, 0 to 100.

    Examples
    --------
    >>> shade(0), shade(100)
    (('#FFFFFF', '#000000'), ('#12436D', '#FFFFFF'))
    """
    dark = [int(palette.DARK_BLUE[i : i + 2], 16) for i in (1, 3, 5)]
    part = min(max(value / 100, 0.0), 1.0)
    fill = "#" + "".join(f"{round(255 + part * (one - 255)):02X}" for one in dark)
    return fill, max(("#000000", "#FFFFFF"), key=lambda ink: palette.contrast(fill, ink))


def _symbols(rows: Sequence[Row], share: str) -> str:
    """Explain the symbols that stand in cells."""
    used = sorted({status_of(row) for row in rows if math.isnan(value_of(row, share))})
    return f" {'; '.join(symbol_notes(used))}." if used else ""


def _since_training(data: SafeTable, share: str) -> SafeTable:
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


def _draw(
    axes: Axes,
    cells: Mapping[tuple[Any, Any], Row],
    down: Sequence[Any],
    across: Sequence[Any],
    columns: tuple[str, str, str],
) -> None:
    by, over, share = columns
    axes.set_xlim(0, len(across))
    axes.set_ylim(len(down), 0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    for y, row in enumerate(down):
        for x, column in enumerate(across):
            if (row, column) in cells:
                _cell(axes, (x, y), cells[row, column], share)
    width = 11 if len(across) > 4 else 16
    axes.set_xticks(
        [x + 0.5 for x in range(len(across))],
        [wrapped(value_label(over, value), width) for value in across],
        fontsize=11,
    )
    axes.set_yticks(
        [y + 0.5 for y in range(len(down))],
        [wrapped(value_label(by, value), 22) for value in down],
        fontsize=11.5,
    )


def _cell(axes: Axes, place: tuple[int, int], row: Row, share: str) -> None:
    value = value_of(row, share)
    fill, ink = (palette.SHADE, palette.TEXT) if math.isnan(value) else shade(value)
    text = status_of(row) if math.isnan(value) else number(value, decimals=0)
    axes.add_patch(
        Rectangle((place[0] + 0.03, place[1] + 0.05), 0.94, 0.9, fc=fill, ec=palette.QUIET, lw=0.7)
    )
    axes.text(
        place[0] + 0.5, place[1] + 0.52, text, ha="center", va="center", fontsize=12.5, color=ink
    )


def _told(
    cells: Mapping[tuple[Any, Any], Row],
    down: Sequence[Any],
    across: Sequence[Any],
    by: str,
    over: str,
    share: str,
) -> list[str]:
    """Tell the highest and the lowest cell, then every row."""
    told = []
    values = {key: value_of(row, share) for key, row in cells.items()}
    last = [key for key in values if over != "time_period" or key[1] == across[-1]]
    shown = {key: values[key] for key in last if not math.isnan(values[key])}
    when = f" in {value_label(over, across[-1])}" if over == "time_period" else ""
    if len(set(shown.values())) > 1:
        for word, pick in (("Highest", max), ("Lowest", min)):
            row, column = pick(shown, key=lambda key: shown[key])
            place = value_label(by, row) + (
                "" if when else f", {value_label(over, column).lower()}"
            )
            told.append(f"{word}{when}: {place}, {amount(shown[row, column], '%', decimals=0)}")
    for row in down:
        line = [
            f"{value_label(over, column).lower()} "
            + (
                "not shown"
                if math.isnan(values[row, column])
                else amount(values[row, column], "%", decimals=0)
            )
            for column in across
            if (row, column) in values
        ]
        told.append(f"{value_label(by, row)}: {', '.join(line)}")
    return told
