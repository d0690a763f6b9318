"""An authority among others: England, its region, its statistical neighbours, a panel each."""

import math
import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from vsh_eval import names, registry
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import (
    STAMP_STRIP,
    Figure,
    Series,
    draw_series,
    span_of,
    to_png,
)
from vsh_eval.release.figures.grid import LETTERS, Grid, grid
from vsh_eval.release.figures.palette import Line
from vsh_eval.release.rows import part_of
from vsh_eval.release.text.context import (
    Place,
    Standing,
    compared_in_text,
    counting_sentence,
    standing,
    told,
)
from vsh_eval.release.text.labels import upper_first, year_label
from vsh_eval.release.text.phrases import listed, number, symbol_notes, together

_OWN = Line(palette.DARK_BLUE, "o", "solid", palette.DARK_BLUE)
_OTHER = Line("#7A8286", "s", (0, (3, 1.2)), palette.TEXT)
"""Grey, yet with a contrast of 3 to 1; told apart without colour by dash and marker."""
_TITLE_WRAP = 20
_HEADER_WRAP = 58
_LONG_NAME = 20
"""Letters that fit a line, and that fit beside the other keys."""
_ROOM, _SYMBOLS = 0.14, 0.17
"""Shares of a panel's height kept free, and kept for a row of symbols."""


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
    found = standing(
        data, metric=metric, authority=authority, labels=labels, phase=phase, measure=measure
    )
    years = span_of(found.years)
    about = compared_in_text(found, phase)
    others = (*found.wider, *found.neighbours)
    titles = [_title(found, place) for place in others]
    with grid(
        len(others) or 1,
        title_lines=max((title.count("\n") + 1 for title in titles), default=1),
        header=_header_height(found, about),
        years=years,
        stamp=data.stamp,
    ) as drawn:
        symbols = _draw(drawn, found, others, titles, years)
        notes = _mark_breaks(drawn, metric, years)
        _head(drawn, found, about, years, data.stamp)
        png = to_png(drawn.figure, data.stamp)
    title = f"{upper_first(about)}: {found.authority.name} beside {_named(found)}"
    return Figure(
        png=png,
        alt=alt.of_series(
            f"Small line charts, one an area. {title}",
            [_series(found, place, years) for place in (found.authority, *found.wider)],
            years,
            found.unit,
            "",
            metric=metric,
            decimals=found.decimals,
        )
        + f" {told(found, about)}"
        + (f" Marked: {data.stamp}." if data.stamp else ""),
        caption=" ".join(
            part
            for part in (
                f"{title}.",
                _key(found),
                *together(notes),
                *(f"{note}." for note in symbol_notes(symbols)),
                counting_sentence(data, metric=metric),
            )
            if part
        ),
        data=data,
        name=f"context_{metric}_{measure}",
        columns=("unit_id", "time_period", measure),
        areas=dict(labels or {}),
    )


def _named(found: Standing) -> str:
    """Name the areas beside the authority."""
    parts = [place.name for place in found.wider]
    if found.neighbours:
        parts.append(f"{len(found.neighbours)} statistical neighbours")
    return listed(parts) if parts else "none"


def _key(found: Standing) -> str:
    interval = any(
        not math.isnan(found.authority.value(year, f"{found.measure}_lower"))
        for year in found.years
    )
    first = "widest gap" if found.measure == "gap" else "least favourable"
    order = (
        f" Neighbours in order, the {first} of {year_label(found.year)} first."
        if found.neighbours
        else ""
    )
    return (
        f"Blue: {found.authority.name}{', shaded its 95% interval' if interval else ''}; grey, "
        f"dashed: the area named, with its number in {year_label(found.year)}.{order}"
    )


def _series(found: Standing, place: Place, years: Sequence[int]) -> Series:
    parts = (
        tuple(place.value(year, f"{found.measure}{ending}") for year in years)
        for ending in ("", "_lower", "_upper")
    )
    return Series(place.name, *parts)


def _title(found: Standing, place: Place) -> str:
    """Write an area's name and its number, or the symbol of a number that is not shown."""
    last = found.last(place)
    shown = place.status(found.year) if math.isnan(last) else number(last, decimals=found.decimals)
    return "\n".join(textwrap.wrap(f"{place.name}  {shown}", _TITLE_WRAP))


def _draw(
    drawn: Grid,
    found: Standing,
    others: Sequence[Place],
    titles: Sequence[str],
    years: Sequence[int],
) -> list[str]:
    """Draw each panel; return the symbols that stand in them."""
    breaks = registry.breaks_of(found.metric.name, years)
    apart = [any(b.time_period == y and b.kind == "not_comparable" for b in breaks) for y in years]
    own = _series(found, found.authority, years)
    alone = Series(own.label, own.values, (math.nan,) * len(years), (math.nan,) * len(years))
    symbols: set[str] = set()
    strips = _strips(found, years)
    _set_heights(drawn.panels[0], found, years, rows=len(strips))
    for place, axes, title in zip(others, drawn.panels, titles, strict=False):
        other = _series(found, place, years)
        bare = Series(other.label, other.values, alone.lower, alone.upper)
        draw_series(axes, bare, _OTHER, hollow=apart)
        draw_series(axes, own, _OWN, hollow=apart)
        axes.set_title(title, loc="left", fontsize=LETTERS, pad=3, linespacing=1.1)
        for one, line in ((place, _OTHER), (found.authority, _OWN)):
            hidden = _hidden(found, one, years)
            _mark_hidden(axes, hidden, line, height=0.02 + _SYMBOLS * strips.get(line, 0))
            symbols |= set(hidden.values())
    return sorted(symbols)


def _hidden(found: Standing, place: Place, years: Sequence[int]) -> dict[int, str]:
    """Return the symbols of numbers that are not shown; a break explains its own years."""
    explained = {
        b.time_period for b in registry.breaks_of(found.metric.name) if b.kind == "no_data"
    }
    return {
        at: place.status(year)
        for at, year in enumerate(years)
        if year not in explained and math.isnan(place.value(year, found.measure))
    }


def _strips(found: Standing, years: Sequence[int]) -> dict[Line, int]:
    """Say in which row above the axis the symbols of either line stand, where any do."""
    others = (*found.wider, *found.neighbours)
    needed = {
        _OTHER: any(_hidden(found, place, years) for place in others),
        _OWN: bool(_hidden(found, found.authority, years)),
    }
    return {line: row for row, line in enumerate(line for line in needed if needed[line])}


def _mark_hidden(axes: Axes, hidden: Mapping[int, str], line: Line, *, height: float) -> None:
    for at, symbol in hidden.items():
        axes.text(
            at,
            height,
            symbol,
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize=LETTERS,
            fontweight="bold" if line is _OWN else "normal",
            color=line.text_colour,
        )


def _set_heights(axes: Axes, found: Standing, years: Sequence[int], *, rows: int) -> None:
    """Give every panel one range, with room for letters above and rows of symbols below."""
    places = (found.authority, *found.wider, *found.neighbours)
    own = _series(found, found.authority, years)
    known = [v for place in places for v in _series(found, place, years).values]
    known = [v for v in (*known, *own.lower, *own.upper) if not math.isnan(v)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    free = 1 - 2.4 * _ROOM - rows * _SYMBOLS
    whole = (high - low or 1.0) / free
    axes.set_ylim(low - whole * (_ROOM * 0.8 + rows * _SYMBOLS), high + whole * _ROOM * 1.6)


def _mark_breaks(drawn: Grid, metric: str, years: Sequence[int]) -> list[str]:
    """Shade years without data or not comparable, draw a line where a definition changed."""
    notes: list[str] = []
    letters = iter("abcdefgh")
    for entry in registry.breaks_of(metric, years):
        at = years.index(entry.time_period)
        if entry.kind != "definition":
            for axes in drawn.panels:
                axes.axvspan(at - 0.5, at + 0.5, color=palette.SHADE, lw=0, zorder=0)
            notes.append(f"Shaded: {entry.note}")
        elif at > 0:
            letter = next(letters)
            for axes in drawn.panels:
                axes.axvline(at - 0.5, color=palette.QUIET, lw=0.9, ls=(0, (1.5, 2.5)), zorder=1)
            for axes in drawn.top_row:
                _write_letter(axes, at - 0.5, letter)
            notes.append(f"{letter}: {entry.note}")
    return notes


def _write_letter(axes: Axes, at: float, letter: str) -> None:
    axes.annotate(
        letter,
        (at, 1.0),
        xycoords=axes.get_xaxis_transform(),
        xytext=(0, -7),
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=10,
        color=palette.QUIET,
        bbox={"boxstyle": "circle,pad=0.14", "fc": "white", "ec": palette.QUIET, "lw": 0.8},
        zorder=5,
    )


def _header_lines(found: Standing, about: str) -> list[str]:
    return textwrap.wrap(f"{upper_first(about)} ({found.unit})", _HEADER_WRAP)


def _header_height(found: Standing, about: str) -> float:
    keys = 0.24 if len(found.authority.name) > _LONG_NAME else 0.0
    return 0.5 + keys + 0.22 * len(_header_lines(found, about))


def _head(drawn: Grid, found: Standing, about: str, years: Sequence[int], stamp: str) -> None:
    """Write what is drawn, and whose lines they are, above the panels."""
    height = drawn.figure.get_size_inches()[1]
    top = 1 - (STAMP_STRIP if stamp else 0.0) / height
    lines = _header_lines(found, about)
    apart = [b.kind for b in registry.breaks_of(found.metric.name, years) if b.kind != "definition"]
    breaks = [" or ".join(kind.replace("_", " ") for kind in sorted(set(apart)))] if apart else []
    drawn.figure.text(0.02, top - 0.06 / height, "\n".join(lines), va="top", fontsize=12.5)
    keys = [
        Line2D([], [], color=line.colour, marker=line.marker, ls=line.dash, mew=0)
        for line in (_OWN, _OTHER)
    ]
    shaded = Patch(facecolor=palette.SHADE, edgecolor="none")
    drawn.figure.legend(
        [*keys, shaded] if breaks else keys,
        [found.authority.name, "the area named", *breaks],
        loc="upper left",
        bbox_to_anchor=(0.0, top - (0.06 + 0.22 * len(lines)) / height),
        ncols=2 if len(found.authority.name) > _LONG_NAME else 3,
        fontsize=LETTERS,
        handlelength=1.9,
        columnspacing=1.2,
        handletextpad=0.5,
    )
