"""Slope charts: both levels in a first and a last year, a small panel each."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError, require_one_of
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import STAMP_STRIP, Figure, spread, to_png
from vsh_eval.release.figures.grid import LETTERS, Grid, grid
from vsh_eval.release.rows import part_of, records, status_of, value_of
from vsh_eval.release.text.labels import group_in_text, upper_first, value_label, year_label
from vsh_eval.release.text.phrases import amount, listed, number, symbol_notes, usual_decimals

Row = dict[str, Any]
_SIDES = ("group", "reference")
_TITLE_WRAP, _HEADER_WRAP = 20, 60
_ROOM = 0.14
"""Share of the height kept free above and below."""
_MOST = 9


@dataclass(frozen=True, slots=True)
class _Slope:
    """One panel: a title and the rows of the first and of the last year."""

    title: str
    ends: tuple[Row, Row]

    def values(self, side: str) -> list[float]:
        return [value_of(row, f"{side}_level") for row in self.ends]


def draw_slopes(
    safe: SafeTable,
    *,
    over: str,
    years: tuple[int, int],
    phase: str = names.TOTAL,
    metric: str | None = None,
    group: str | None = None,
    area: str | None = None,
) -> Figure:
    """Draw both levels in two years, joined by a line, a panel for each measure or each group.

    Parameters
    ----------
    safe : SafeTable
        A ``gaps`` table.
    over : {"metric", "group"}
        What the panels are, in the table's order; left out is what shows nothing and what cannot
        be compared between the two years.
    years : (int, int)
        The two academic years, for example 201819 and 202425.
    phase : str
        Which phase.
    metric, group, area : str, optional
        Needed where the table holds more than one of what the panels are not.

    Returns
    -------
    Figure
        Two lines a panel on the same axes throughout: the group's and, dashed, that of those it is
        compared with, the numbers at both ends. It shows where the levels began and ended, not the
        path between.

    Raises
    ------
    ContractError
        If no row fits, a panel has two rows a year, there are more than nine panels, or none of
        them has a number.
    """
    require_one_of(over, ("metric", "group"), name="over")
    data = part_of(safe, phase=phase, time_period=years, metric=metric, group=group, unit_id=area)
    slopes = _slopes(records(data), over, years)
    reference_is = group_in_text(str(slopes[0].ends[1]["reference"]))
    about = _about(slopes, over)
    header = "\n".join(textwrap.wrap(about, _HEADER_WRAP))
    titles = ["\n".join(textwrap.wrap(slope.title, _TITLE_WRAP)) for slope in slopes]
    head = 0.2 * (header.count("\n") + 1) + 0.62
    with grid(
        len(slopes),
        title_lines=max(title.count("\n") + 1 for title in titles),
        header=head,
        years=years,
        stamp=data.stamp,
    ) as drawn:
        _draw(drawn, slopes, titles)
        who = "Group named above" if over == "group" else upper_first(_group_of(slopes))
        _head(drawn, header, (who, upper_first(reference_is)), data.stamp)
        png = to_png(drawn.figure, data.stamp)
    notes = [
        f"{entry.note}"
        for name in dict.fromkeys(str(slope.ends[1]["metric"]) for slope in slopes)
        for entry in registry.breaks_of(name)
        if entry.kind == "definition" and years[0] < entry.time_period <= years[1]
    ]
    hidden = sorted({status_of(row) for slope in slopes for row in slope.ends if _is_hidden(row)})
    caption = [
        f"{about}, {year_label(years[0])} and {year_label(years[1])}.",
        "The lines join two years and do not show the path between.",
        *dict.fromkeys(notes),
        *(f"{note}." for note in symbol_notes(hidden)),
    ]
    return Figure(
        png=png,
        alt=_told(about, slopes, years, data.stamp),
        caption=" ".join(caption),
        data=data,
        name=f"slopes_{over}_{slopes[0].ends[1]['metric' if over == 'group' else 'group']}_{phase}",
        columns=(over, "time_period", "group_level", "reference_level", "gap"),
    )


def _slopes(rows: Sequence[Row], over: str, years: tuple[int, int]) -> list[_Slope]:
    found = []
    for key in dict.fromkeys(str(row[over]) for row in rows):
        own = [row for row in rows if row[over] == key]
        by_year = {int(row["time_period"]): row for row in own}
        if len(by_year) < len(own):
            raise ContractError(
                f"{over} {key} has more than one row a year, must have one; name the metric, the "
                "group, the reference and the area that single it out."
            )
        ends = (by_year.get(years[0], {}), by_year.get(years[1], {}))
        if all(ends) and _may_stand_together(ends) and not all(_is_hidden(row) for row in ends):
            found.append(_Slope(value_label(over, key), ends))
    if not found or len(found) > _MOST:
        raise ContractError(
            f"{len(found)} {over}s have numbers in {years[0]} or {years[1]}, must be 1 to {_MOST}; "
            "choose two years and what is compared."
        )
    return found


def _may_stand_together(ends: tuple[Row, Row]) -> bool:
    """Say whether the measure means the same in both years."""
    years = {int(row["time_period"]) for row in ends}
    return len(registry.comparable_years(str(ends[1]["metric"]), years)) == len(years)


def _is_hidden(row: Row) -> bool:
    return any(math.isnan(value_of(row, f"{side}_level")) for side in _SIDES)


def _draw(drawn: Grid, slopes: Sequence[_Slope], titles: Sequence[str]) -> None:
    known = [v for slope in slopes for side in _SIDES for v in slope.values(side)]
    known = [v for v in known if not math.isnan(v)]
    low, high = min(0.0, *known), max(0.0, *known)
    room = _ROOM * (high - low or 1.0)
    drawn.panels[0].set_ylim(low - (room if low < 0 else 0.0), high + room)
    for axes, slope, title in zip(drawn.panels, slopes, titles, strict=True):
        axes.set_title(title, loc="left", fontsize=LETTERS, fontweight="bold", pad=4)
        for side, line in zip(_SIDES, palette.LINES, strict=False):
            axes.plot(
                [0, 1],
                slope.values(side),
                color=line.colour,
                marker=line.marker,
                ls=line.dash,
                mew=0,
            )
        _write_ends(axes, slope)


def _write_ends(axes: Axes, slope: _Slope) -> None:
    """Write the numbers beside both ends, kept apart, and the symbol where one is hidden."""
    bottom, top = axes.get_ylim()
    size = LETTERS * 1.15 / 72 / 1.16 * (top - bottom)
    for place, row in enumerate(slope.ends):
        if _is_hidden(row):
            axes.text(place, bottom, status_of(row), ha="center", va="bottom", fontsize=LETTERS)
        levels = [value_of(row, f"{side}_level") for side in _SIDES]
        shown = [at for at, level in enumerate(levels) if not math.isnan(level)]
        heights = (
            spread([levels[at] for at in shown], [size] * len(shown), bottom=bottom, top=top)
            if shown
            else []
        )
        for at, height in zip(shown, heights, strict=True):
            axes.text(
                place + (0.09 if place else -0.09),
                height,
                number(levels[at], decimals=usual_decimals(str(slope.ends[1]["metric"]))),
                ha="left" if place else "right",
                va="center",
                fontsize=LETTERS - 1,
                color=palette.LINES[at].text_colour,
            )


def _head(drawn: Grid, header: str, words: tuple[str, str], stamp: str) -> None:
    """Write what is drawn, and the two lines' names beside samples of them."""
    total = float(drawn.figure.get_figheight())
    top = total - (STAMP_STRIP if stamp else 0.0)
    drawn.figure.text(0.02, (top - 0.06) / total, header, va="top", ha="left", fontsize=12.5)
    lines = header.count("\n") + 1
    handles = [
        Line2D(
            [],
            [],
            color=line.colour,
            marker=line.marker,
            ls=line.dash,
            mew=0,
            label=textwrap.shorten(text, 58, placeholder=" ..."),
        )
        for text, line in zip(words, palette.LINES, strict=False)
    ]
    drawn.figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.01, (top - 0.06 - 0.2 * lines) / total),
        ncols=1,
        fontsize=LETTERS,
        handlelength=2.6,
        labelspacing=0.25,
        borderpad=0.2,
    )


def _about(slopes: Sequence[_Slope], over: str) -> str:
    row = slopes[0].ends[1]
    if over == "group":
        entry = registry.metric(str(row["metric"]))
        return f"{entry.label} ({entry.unit}) by group"
    units = {registry.metric(str(slope.ends[1]["metric"])).unit for slope in slopes}
    count = "1 measure" if len(slopes) == 1 else f"{len(slopes)} measures"
    return f"Levels of {count} ({' or '.join(sorted(units))})"


def _group_of(slopes: Sequence[_Slope]) -> str:
    return group_in_text(str(slopes[0].ends[1]["group"]))


def _told(about: str, slopes: Sequence[_Slope], years: tuple[int, int], stamp: str) -> str:
    parts = [_told_one(slope, years) for slope in slopes]
    return alt.of_estimates(f"Slope charts, a small panel each. {about}", parts, stamp)


def _told_one(slope: _Slope, years: tuple[int, int]) -> str:
    entry = registry.metric(str(slope.ends[1]["metric"]))
    places = usual_decimals(entry.name)
    sides = []
    for side in _SIDES:
        start, end = slope.values(side)
        who = "level" if side == "group" else group_in_text(str(slope.ends[1]["reference"]))
        if math.isnan(start) or math.isnan(end):
            sides.append(f"{who} not shown in both years")
            continue
        sides.append(
            f"{who} from {amount(start, entry.unit, decimals=places)} in {year_label(years[0])} to "
            f"{amount(end, entry.unit, decimals=places)} in {year_label(years[1])}"
        )
    return f"{slope.title}: {listed(sides)}"
