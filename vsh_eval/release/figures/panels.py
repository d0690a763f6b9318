"""Small multiples, three a row on the same axes: an authority among others, slopes, programmes."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vsh_eval import names, registry
from vsh_eval.contracts import require_columns
from vsh_eval.release.disclosure.safe_table import SafeTable, require_safe
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import (
    Box,
    Figure,
    Page,
    Series,
    mark_hidden,
    page_of,
    set_ticks,
    stacked,
    symbols_sentence,
    wrapped,
)
from vsh_eval.release.figures.lines import (
    Panel,
    draw_lines,
    draw_panel,
    draw_series,
    hidden_in,
    mark_breaks,
    series_of,
    several,
    span_of,
    unexplained,
)
from vsh_eval.release.figures.palette import Line
from vsh_eval.release.rows import part_of, records
from vsh_eval.release.text import charts
from vsh_eval.release.text.context import (
    Place,
    Standing,
    compared_in_text,
    counting_sentence,
    standing,
    standing_in_words,
)
from vsh_eval.release.text.labels import (
    column_label,
    lower_first,
    upper_first,
    year_label,
)
from vsh_eval.release.text.phrases import (
    amount,
    listed,
    number,
    together,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 3
_LETTERS = 11.5
_LEFT, _RIGHT, _BETWEEN = 0.56, 0.1, 0.16
_PLOT, _LINE, _YEARS, _PAD = 1.16, 0.2, 0.34, 0.12
"""Inches: a panel's height, a line of its title, the names of the years, free space."""
_TITLE_WIDTH, _HEADER_WIDTH, _KEYS_WIDTH = 20, 58, 44
"""Letters a line."""
_ROOM, _SYMBOLS = 0.14, 0.17
"""Shares of a panel's height kept free, and kept for a row of symbols."""
_OWN = Line(palette.DARK_BLUE, "o", "solid", palette.DARK_BLUE)
_OTHER = Line("#7A8286", "s", (0, (3, 1.2)), palette.TEXT)
"""Grey, yet with a contrast of 3 to 1; told apart without colour by dash and marker."""


# --- The form.


@contextmanager
def small_multiples(
    data: SafeTable,
    titles: Sequence[str],
    *,
    header: str,
    keys: Sequence[tuple[str, Line | None]] = (),
    years: Sequence[int],
) -> Iterator[Page]:
    """Give small panels that share both axes, three a row, below a header and its keys.

    Parameters
    ----------
    data : SafeTable
        The rows to be drawn.
    titles : sequence of str
        A panel's name each.
    header : str
        What all of them measure.
    keys : sequence of (text, Line or None)
        What the lines are; None is the shade of a year without data.
    years : sequence of int
        The academic years of the horizontal axis; the first and the last are named, under the
        lowest panel of each column.
    """
    import matplotlib as mpl

    lines = [wrapped(title, _TITLE_WIDTH) for title in titles]
    heading = wrapped(header, _HEADER_WIDTH)
    beside = sum(len(text) for text, _ in keys) <= _KEYS_WIDTH
    key_rows = min(1, len(keys)) if beside else len(keys)
    below_heading = 0.08 + 0.22 * (heading.count("\n") + 1)
    head = below_heading + 0.24 * key_rows + 0.18
    width = (palette.WIDTH - _LEFT - _RIGHT - (_COLUMNS - 1) * _BETWEEN) / _COLUMNS
    boxes, top = [], head
    for place in range(max(1, len(lines))):
        column = place % _COLUMNS
        if column == 0:
            above = [text.count("\n") + 1 for text in lines[place : place + _COLUMNS]]
            top += _PAD + _LINE * max(above, default=1) + (_PLOT if place else 0.0)
        boxes.append(Box(_LEFT + column * (width + _BETWEEN), top, width, _PLOT))
    height = top + _PLOT + _YEARS
    small: dict[Any, float] = {"lines.markersize": 4.2, "lines.linewidth": 1.9}
    with page_of(data, boxes, height=height) as page, mpl.rc_context(small):
        _share_axes(page.panels, years)
        for axes, text in zip(page.panels, lines, strict=False):
            axes.set_title(text, loc="left", fontsize=_LETTERS, pad=3, linespacing=1.1)
        page.write(0.13, 0.06, heading)
        if keys:
            _draw_keys(page, keys, top=below_heading, columns=len(keys) if beside else 1)
        yield page


def _share_axes(panels: Sequence["Axes"], years: Sequence[int]) -> None:
    first = panels[0]
    for place, axes in enumerate(panels):
        if place:
            axes.sharex(first)
            axes.sharey(first)
        left = place % _COLUMNS == 0
        axes.tick_params(labelleft=left, labelbottom=False, length=0, labelsize=_LETTERS)
    set_ticks(first.yaxis, 3)
    first.set_xticks([0, len(years) - 1])
    first.set_xlim(-0.5, len(years) - 0.5)
    below: dict[str, Any] = {"xytext": (0, -4), "textcoords": "offset points", "va": "top"}
    for axes in panels[-_COLUMNS:]:
        for place, year, side in ((0.0, years[0], "left"), (1.0, years[-1], "right")):
            at, text = (place, 0.0), year_label(year)
            axes.annotate(text, at, xycoords="axes fraction", ha=side, fontsize=_LETTERS, **below)


def _draw_keys(
    page: Page, keys: Sequence[tuple[str, Line | None]], *, top: float, columns: int
) -> None:
    """Name the lines beside samples of them."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    samples = [
        Patch(facecolor=palette.SHADE, edgecolor="none")
        if line is None
        else Line2D([], [], color=line.colour, marker=line.marker, ls=line.dash, mew=0)
        for _, line in keys
    ]
    page.canvas.legend(
        samples,
        [text for text, _ in keys],
        loc="upper left",
        bbox_to_anchor=(0.0, page.height_of(top)),
        ncols=columns,
        fontsize=_LETTERS,
        handlelength=2.2,
        columnspacing=1.2,
        handletextpad=0.5,
        labelspacing=0.25,
        borderpad=0.2,
    )


# --- The charts.


def draw_context(
    safe: SafeTable,
    *,
    metric: str,
    authority: str,
    labels: Mapping[str, str] | None = None,
    phase: str = names.TOTAL,
    group: str | None = None,
    measure: str = "gap",
) -> Figure:
    """Draw an authority beside England, its region and each of its neighbours, a panel each.

    Parameters
    ----------
    safe : SafeTable
        A ``gaps`` table with geographic_level la, region and national (any of the last two may
        be absent).
    metric, phase : str
        What is drawn.
    authority : str
        The authority's ``unit_id``; every other authority is a neighbour.
    labels : mapping, optional
        Names of areas by ``unit_id``.
    group : str, optional
        Needed where the table holds more than one group compared.
    measure : {"gap", "group_level"}
        The column drawn.

    Returns
    -------
    Figure
        The authority's line with its interval in every panel, the area's own line beside it, the
        same axes throughout. England and the region come first, then the neighbours from the
        least favourable to the most favourable. Years without data are shaded gaps; what is
        suppressed carries its symbol.

    Raises
    ------
    ContractError
        If no row fits, an area has two rows a year, or the authority has none.
    """
    data = part_of(safe, metric=metric, phase=phase, group=group)
    places = standing(
        data, metric=metric, authority=authority, labels=labels, phase=phase, measure=measure
    )
    years = span_of([{"time_period": year} for year in places.years])
    about = compared_in_text(places, phase)
    others = (*places.wider, *places.neighbours)
    with small_multiples(
        data,
        [_place_title(places, place) for place in others],
        header=charts.with_unit(upper_first(about), places.unit),
        keys=_context_keys(places, years),
        years=years,
    ) as page:
        _draw_places(page.panels, places, others, years)
        notes = mark_breaks(page.panels, metric, years)
        names_of = [place.name for place in places.wider]
        if places.neighbours:
            names_of.append(charts.NEIGHBOURS.format(count=len(places.neighbours)))
        title = charts.CONTEXT_TITLE.format(
            about=upper_first(about),
            authority=places.authority.name,
            others=listed(names_of) if names_of else charts.NOBODY,
        )
        series = [_series(places, place, years) for place in (places.authority, *places.wider)]
        return page.figure(
            f"context_{metric}_{measure}",
            ["unit_id", "time_period", measure],
            alt=[
                alt.over_years(charts.CONTEXT_OF.format(title=title), years),
                *alt.courses(series, years, metric, places.unit, decimals=places.decimals),
                standing_in_words(places, about).removesuffix("."),
            ],
            caption=[
                f"{title}.",
                *_context_key(places),
                *together(notes),
                symbols_sentence(unexplained(records(data), metric), measure),
                counting_sentence(data, metric=metric),
            ],
            areas=labels,
        )


def _context_keys(places: Standing, years: Sequence[int]) -> list[tuple[str, Line | None]]:
    breaks = registry.breaks_of(places.metric.name, years)
    kinds = sorted({charts.BREAKS[b.kind] for b in breaks if b.kind in charts.BREAKS})
    keys: list[tuple[str, Line | None]] = [
        (places.authority.name, _OWN),
        (charts.AREA_NAMED, _OTHER),
    ]
    return [*keys, (charts.OR.join(kinds), None)] if kinds else keys


def _context_key(places: Standing) -> list[str]:
    """Say whose lines they are, and in which order the neighbours stand."""
    year = year_label(places.year)
    ends = [places.authority.value(one, f"{places.measure}_lower") for one in places.years]
    interval = "" if all(map(math.isnan, ends)) else charts.CONTEXT_INTERVAL
    key = charts.CONTEXT_KEY.format(authority=places.authority.name, interval=interval, year=year)
    first = charts.WIDEST if places.measure == "gap" else charts.LEAST_FAVOURABLE
    return [key, charts.CONTEXT_ORDER.format(first=first, year=year) if places.neighbours else ""]


def _series(places: Standing, place: Place, years: Sequence[int]) -> Series:
    return series_of(list(place.by_year.values()), years, places.measure, place.name)


def _place_title(places: Standing, place: Place) -> str:
    """Write an area's name and its number, or the symbol of a number that is not shown."""
    last = places.last(place)
    hidden = math.isnan(last)
    shown = place.status(places.year) if hidden else number(last, decimals=places.decimals)
    return f"{place.name}  {shown}"


def _draw_places(
    panels: Sequence["Axes"], places: Standing, others: Sequence[Place], years: Sequence[int]
) -> None:
    """Draw each panel, the symbols of either line in a row of their own."""
    metric = places.metric.name
    own, *series = (_series(places, place, years) for place in (places.authority, *others))
    symbols, *hidden = (
        hidden_in(list(place.by_year.values()), years, places.measure, metric)
        for place in (places.authority, *others)
    )
    series = [one.without_limits() for one in series]
    rows = int(bool(symbols)) + int(any(hidden))
    _set_heights(panels[0], [v for one in (own, *series) for v in one.numbers], rows=rows)
    above = 0.02 + _SYMBOLS * int(any(hidden))
    for axes, other, of_other in zip(panels, series, hidden, strict=False):
        draw_lines(axes, [other, own], (_OTHER, _OWN), metric, years)
        mark_hidden(axes, of_other, height=0.02, colour=_OTHER.text_colour)
        mark_hidden(axes, symbols, height=above, colour=_OWN.text_colour, bold=True)


def _set_heights(axes: "Axes", numbers: Sequence[float], *, rows: int) -> None:
    """Give every panel one range, with room for letters above and rows of symbols below."""
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    whole = (high - low or 1.0) / (1 - 2.4 * _ROOM - rows * _SYMBOLS)
    axes.set_ylim(low - whole * (_ROOM * 0.8 + rows * _SYMBOLS), high + whole * _ROOM * 1.6)


def draw_reach(
    safe: SafeTable,
    *,
    share: str = "share_schools",
    by: str = "programme",
    phase: str | None = names.TOTAL,
    tier: str | None = "any",
    **where: Any,
) -> Figure:
    """Draw what share of schools or pupils each programme has reached, over the years.

    Parameters
    ----------
    safe : SafeTable
        A ``reach`` table: time_period, the column ``by``, the share (a percentage, 0 to 100) and
        optionally tier, phase and others to select by.
    share : str
        The column drawn, for example share_schools or share_pupils.
    by : str
        The column whose values are the lines.
    phase, tier : str, optional
        Selected where the table has such a column.
    **where
        Further columns and values to select by; None is no condition.

    Returns
    -------
    Figure
        Up to four lines with their names beside them; of more, one small panel each with the
        others in grey.

    Raises
    ------
    ContractError
        If no row fits, or a line has more than one row a year.
    """
    offered = {"phase": phase, "tier": tier}
    columns = require_safe(safe).frame.columns
    chosen = {c: v for c, v in offered.items() if c in columns and c != by} | where
    data = part_of(safe, **chosen)
    require_columns(data.frame, ["time_period", by, share], name="the reach table")
    rows = records(data)
    years = span_of(rows)
    series = several(rows, years, share, by)
    axis = charts.with_unit(column_label(share), "%")
    few = len(series) <= palette.MOST_CATEGORIES
    with stacked(data) if few else _programmes(data, series, years, axis) as page:
        if few:
            panel = Panel(series, years, None, unit="%", decimals=0)
            draw_panel(page.panels[0], panel, numbers=[100.0])
            page.name_axis(axis)
        by_what = lower_first(column_label(by))
        title = charts.REACH_TITLE.format(share=column_label(share), by=by_what)
        opening = charts.LINE_CHART_OF_THE.format(title=lower_first(title))
        return page.figure(
            f"reach_{by}_{share}",
            ["time_period", by, share],
            alt=[
                alt.over_years(opening, years),
                *(alt.named(one.label, alt.course(one, years, "%")) for one in series),
            ],
            caption=[f"{title}.", charts.COUNTS_FROM_FIRST],
        )


@contextmanager
def _programmes(
    data: SafeTable, series: Sequence[Series], years: Sequence[int], axis: str
) -> Iterator[Page]:
    """Give each line a panel of its own, over all of them in grey."""
    import seaborn as sns

    titles = [
        f"{one.label}  "
        + (charts.NOT_SHOWN if math.isnan(one.last) else amount(one.last, "%", decimals=0))
        for one in series
    ]
    points = [(at, v, one.label) for one in series for at, v in enumerate(one.values)]
    points = [point for point in points if not math.isnan(point[1])]
    grey: dict[str, Any] = {"color": palette.LIGHT_GREY, "lw": 1.2, "estimator": None}
    with small_multiples(data, titles, header=axis, years=years) as page:
        page.panels[0].set_ylim(0, 105)
        for axes, own in zip(page.panels, series, strict=True):
            if points:
                places, values, units = zip(*points, strict=True)
                sns.lineplot(x=places, y=values, units=units, ax=axes, **grey)
            draw_series(axes, own, _OWN)
        yield page
