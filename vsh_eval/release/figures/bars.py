"""Bars and dots in rows: reach, where an authority stands, what a gap goes with."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError, require_columns
from vsh_eval.registry import Metric
from vsh_eval.release.disclosure.safe_table import SafeTable, join
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import (
    SMALL,
    Figure,
    Page,
    Series,
    at_two_widths,
    draw_bars,
    draw_intervals,
    draw_points,
    symbols_sentence,
    wrapped,
)
from vsh_eval.release.figures.heat import since_training
from vsh_eval.release.figures.intervals import Entry, heights_of, rows_of
from vsh_eval.release.figures.lines import draw_years, several
from vsh_eval.release.rows import (
    Row,
    interval_of,
    is_shown,
    one_row,
    part_of,
    records,
    status_of,
    value_of,
    with_limits,
)
from vsh_eval.release.text.pages.context import (
    Place,
    Standing,
    compared_in_text,
    counting_sentence,
    standing,
)
from vsh_eval.release.text.phrases import charts
from vsh_eval.release.text.phrases.labels import (
    column_label,
    group_in_text,
    lower_first,
    metric_in_text,
    upper_first,
    value_label,
    year_label,
)
from vsh_eval.release.text.phrases.numbers import amount, limits, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WHO = ("group", "reference")
_SIDES = ("group_level", "reference_level")
_LINES = palette.LINES[:2]
_PARTS = tuple(f"composition_{factor}" for factor in names.FACTORS)
_COLOURS = {"gap": palette.DARK_GREY, "composition": palette.TURQUOISE, "rates": palette.DARK_BLUE}
_THICK, _THIN, _TALL = 0.26, 0.16, 0.24
"""Inches: the thickness of a bar, of one that is part of another, the height of the tallest."""
_SHARES = ("share_schools", "share_pupils")
_SHORT = 0.85
"""Inches of a narrow chart's column of shares."""
_TITLED, _SHIFTS = 0.6, (-0.08, 0.08)
"""Inches: the space of a title, and how far the two sides of a row stand apart."""


@dataclass(frozen=True, slots=True)
class _Bar:
    """One bar: the column it stands for, and where it begins and ends."""

    column: str
    start: float
    end: float

    @property
    def is_part(self) -> bool:
        return self.column in _PARTS


# --- The reach of training.


@at_two_widths
def draw_rollout(safe: SafeTable, **where: Any) -> Figure:
    """Draw how many schools each programme trained for the first time, year by year.

    Parameters
    ----------
    safe : SafeTable
        A ``reach`` table: time_period, programme, schools_first_trained, share_schools.
    **where
        Columns and values to select by, for example ``tier="any"``; None is no condition.

    Returns
    -------
    Figure
        A row of bars a programme, its number over each bar; at the right the share of schools
        trained up to the last year. Years before the last one without any training are left out.

    Raises
    ------
    ContractError
        If no row fits, or a programme has two rows a year.
    """
    data = since_training(part_of(safe, **where), "share_schools")
    rows = records(data)
    series = several(rows, "schools_first_trained", "programme")
    shares, years = several(rows, "share_schools", "programme"), series[0].years
    entries = [
        Entry(one.label, _per_cent(share.values[-1]), bold=not at)
        for at, (one, share) in enumerate(zip(series, shares, strict=True))
    ]
    with rows_of(data, [entries], head=0.62, foot=0.4, numbers=_SHORT) as page:
        _draw_timeline(page.panels[0], series, heights_of(entries))
        draw_years(page.panels[0], years)
        last = year_label(years[-1])
        right = palette.width() - (_SHORT if palette.is_narrow() else 1.23)
        heads = ((0.13, charts.ROLLOUT_AXIS), (right, charts.ROLLOUT_SHARE.format(year=last)))
        for left, text in heads:
            page.write(left, 0.1, wrapped(text, 30 if left < 1 else 12), fontsize=11.5)
        return page.figure(
            "rollout",
            ["time_period", "programme", "schools_first_trained", "share_schools"],
            alt=[
                alt.over_years(charts.ROLLOUT_OF, years),
                *(
                    alt.named(
                        one.label, charts.ROLLOUT_ROW.format(count=_total(one), share=entry.value)
                    )
                    for one, entry in zip(series, entries, strict=True)
                ),
            ],
            caption=[charts.ROLLOUT_CAPTION],
        )


def _total(one: Series) -> str:
    return number(sum(one.numbers), decimals=0)


def _per_cent(value: float) -> str:
    return charts.NOT_SHOWN if math.isnan(value) else amount(value, "%", decimals=0)


def _draw_timeline(axes: "Axes", series: Sequence[Series], heights: Sequence[float]) -> None:
    """Draw each row's bars on a base line of its own, all to one scale."""
    most = max((value for one in series for value in one.numbers), default=0.0) or 1.0
    axes.grid(visible=False)
    for place, (one, height) in enumerate(zip(series, heights, strict=True)):
        base = height + _TALL / 2 + 0.04
        axes.axhline(base, color=palette.LIGHT_GREY, lw=0.8, zorder=1)
        shown = [(at, value) for at, value in enumerate(one.values) if value > 0]
        if not shown:
            continue
        places, values = zip(*shown, strict=True)
        tall = [-_TALL * value / most for value in values]
        colour = palette.TURQUOISE if place else palette.DARK_BLUE
        draw_bars(axes, places, tall, start=base, width=0.62, colour=colour, upright=True)
        for at, value in shown:
            top = base - _TALL * value / most - 0.015
            text = number(value, decimals=0)
            axes.text(at, top, text, ha="center", va="bottom", fontsize=SMALL)


@at_two_widths
def draw_reach_by_need(safe: SafeTable, *, by: str, year: int) -> Figure:
    """Draw what share of schools, and of children in them, is reached in each band of need.

    Parameters
    ----------
    safe : SafeTable
        A ``reach`` table by bands, the greatest need first.
    by : str
        The bands' column: deprivation or baseline_gap.
    year : int
        The academic year.

    Returns
    -------
    Figure
        Two bars a band, schools above and children of the cohort below, and two for all schools;
        a band that is not shown has its symbol.

    Raises
    ------
    ContractError
        If no row fits, or a band has two rows.
    """
    data = part_of(safe, time_period=year, phase=names.TOTAL)
    require_columns(data.frame, [by, *_SHARES], name="the reach table")
    bands = [row for row in records(data) if row[by] != names.TOTAL]
    if bands and not any(is_shown(row, *_SHARES) for row in bands):
        data = data.where(**{by: [row[by] for row in bands]})
    rows = records(data)
    if len({row[by] for row in rows}) < len(rows):
        raise ContractError(
            f"a band of {by} has more than one row in {year}, must have one; name the group that "
            "singles it out."
        )
    group = group_in_text(rows[0]["group"])
    named_shares = (charts.SCHOOLS_NAMED, upper_first(group))
    entries = [
        Entry(value_label(by, row[by]), charts.BOTH_SHARES.format(*_shares_in_text(row)))
        for row in rows
    ]
    with rows_of(data, [entries], head=0.78) as page:
        axes, heights = page.panels[0], heights_of(entries)
        for share, line, shift in zip(_SHARES, _LINES, _SHIFTS, strict=True):
            shares = [value_of(row, share) for row in rows]
            shifted = [at + shift for at in heights]
            draw_bars(axes, shifted, shares, width=_THIN, colour=line.colour)
        axes.set(xlim=(0, 100), xticks=range(0, 101, 25))
        axes.set_ylim(heights[-1] + heights[0], 0.0)
        axes.set_yticks([])
        axes.set_xlabel(charts.REACHED_AXIS)
        _write_names(page, named_shares)
        need = lower_first(column_label(by))
        title = charts.of_year(charts.NEED_TITLE.format(need=need, group=group), year)
        return page.figure(
            f"reach_by_{by}",
            [by, *_SHARES],
            alt=[
                charts.BAR_CHART.format(title=title),
                *(alt.named(entry.name, entry.value) for entry in entries),
            ],
            caption=[f"{title}.", symbols_sentence(rows, *_SHARES)],
        )


def _shares_in_text(row: Row) -> list[str]:
    return [
        amount(value_of(row, share), "%", decimals=0) if is_shown(row, share) else status_of(row)
        for share in _SHARES
    ]


# --- An authority among others.


@at_two_widths
def draw_standing(
    safe: SafeTable, *, metric: str, authority: str, labels: Mapping[str, str] | None = None
) -> Figure:
    """Draw the last gap of an authority, of England, its region and its neighbours, in order.

    Parameters
    ----------
    safe : SafeTable
        A ``gaps`` table of one group with geographic_level la, region and national (any of the
        last two may be absent).
    metric : str
        What is drawn.
    authority : str
        The authority's ``unit_id``; every other authority is a neighbour.
    labels : mapping, optional
        Names of areas by ``unit_id``.

    Returns
    -------
    Figure
        A row an area, the widest gap first, those not shown last: a point with its interval, its
        name and its number. The authority is large and bold, England and the region are hollow.

    Raises
    ------
    ContractError
        If no row fits, an area has two rows a year, or the authority has none.
    """
    data = part_of(safe, metric=metric, phase=names.TOTAL)
    position = standing(data, metric=metric, authority=authority, labels=labels)
    places, year = position.in_order, position.year
    entries = [_place_entry(position, place) for place in places]
    own = entries[places.index(position.authority)]
    rows = [place.by_year[year] for place in places if year in place.by_year]
    ordered = join(*(data.where(time_period=year, unit_id=row["unit_id"]) for row in rows))
    with rows_of(ordered, [entries], head=_titled()) as page:
        _draw_places(page.panels[0], position, heights_of(entries))
        page.panels[0].set_xlabel(upper_first(position.unit))
        _write_title(
            page, charts.of_year(charts.GAP_IN.format(metric=metric_in_text(metric)), year)
        )
        about = compared_in_text(position)
        title = charts.of_year(charts.STANDING_TITLE.format(about=upper_first(about)), year)
        return page.figure(
            f"standing_{metric}",
            ["unit_id", *with_limits("gap")],
            alt=[
                charts.DOT_CHART.format(title=title),
                alt.named(own.name, own.value),
                _others_in_text(position),
            ],
            caption=[
                f"{title}.",
                charts.STANDING_BARS if any(e.interval for e in entries) else charts.NO_INTERVALS,
                symbols_sentence(rows, "gap"),
                counting_sentence(data, metric=metric),
            ],
            areas=labels,
        )


def _place_entry(position: Standing, place: Place) -> Entry:
    """Write an area's name, and its gap with its interval or the symbol of one not shown."""
    row, bold = place.by_year.get(position.year, {}), place is position.authority
    if not is_shown(row, "gap"):
        return Entry(place.name, status_of(row), bold=bold)
    value = number(value_of(row, "gap"), decimals=position.decimals)
    return Entry(place.name, value, _interval(row, "gap", decimals=position.decimals), bold=bold)


def _others_in_text(position: Standing) -> str:
    """Give the lowest and the highest gap of the other areas; '' where none is shown."""
    others = (*position.wider, *position.neighbours)
    known = [v for v in map(position.last, others) if not math.isnan(v)]
    if not known:
        return ""
    low, high = (number(v, decimals=position.decimals) for v in (min(known), max(known)))
    return alt.named(charts.OTHERS, charts.FROM_TO.format(low=low, high=high))


def _draw_places(axes: "Axes", position: Standing, heights: Sequence[float]) -> None:
    places = position.in_order
    values, lower, upper = (
        [place.value(position.year, name) for place in places] for name in with_limits("gap")
    )
    for kind, (marker, size, hollow) in {
        "authority": ("o", 11, False),
        "wider": ("D", 8, True),
        "neighbours": ("o", 7, False),
    }.items():
        at = [i for i, place in enumerate(places) if position.kind_of(place) == kind]
        x, y = [values[i] for i in at], [heights[i] for i in at]
        colour = palette.QUIET if kind == "neighbours" else palette.DARK_BLUE
        draw_intervals(axes, y, [lower[i] for i in at], [upper[i] for i in at], colour=colour)
        draw_points(axes, x, y, colour=colour, marker=marker, size=size, hollow=hollow)
    known = [v for v in (*values, *lower, *upper) if not math.isnan(v)]
    if any(v <= 0 for v in known) and any(v >= 0 for v in known):
        axes.axvline(0, color=palette.TEXT, lw=1.2, zorder=1)
    axes.margins(x=0.06)


# --- Who the children are.


@at_two_widths
def draw_decomposition(safe: SafeTable, *, metric: str, year: int) -> Figure:
    """Draw how much of a gap goes with who the children are, and how much does not.

    Parameters
    ----------
    safe : SafeTable
        A ``decomposition`` table of one group; its row over all phases is drawn.
    metric : str
        Which gap.
    year : int
        The academic year, for example 202425.

    Returns
    -------
    Figure
        A waterfall, downwards: the single characteristics where shown, as hatched bars; what they
        come to; the rest, which goes on from there; and the gap, which both add up to. A thin line
        joins the end of each bar to the next.

    Raises
    ------
    ContractError
        If no row, or more than one, fits, or the parts are hidden.
    """
    where = {"metric": metric, "time_period": year, "phase": names.TOTAL}
    data, row = part_of(safe, **where), one_row(safe, **where)
    if not is_shown(row, "gap", "composition", "rates"):
        raise ContractError(
            f"the parts of the gap in {metric} in {year} are not shown ({status_of(row)}), must be "
            "there to be drawn; say so with text.characteristics.decomposition_sentence."
        )
    entry, bars = registry.metric(metric), _bars(row)
    entries = [
        Entry(
            column_label(bar.column),
            number(value_of(row, bar.column), signed=True),
            "" if bar.is_part else _interval(row, bar.column),
            bold=not bar.is_part,
        )
        for bar in bars
    ]
    measured = charts.DECOMPOSITION_TITLE.format(measure=metric_in_text(metric))
    title = charts.of_year(measured, year)
    with rows_of(data, [entries], head=_titled()) as page:
        _draw_waterfall(page.panels[0], bars, heights_of(entries))
        page.panels[0].set_xlabel(upper_first(entry.gap_unit))
        _write_title(page, title)
        shown = [c for c in ("gap", "composition", *_PARTS, "rates") if is_shown(row, c)]
        return page.figure(
            f"decomposition_{metric}",
            with_limits(*shown),
            alt=[
                charts.BAR_CHART.format(title=title),
                *(_part_in_text(row, column, entry) for column in shown if column not in _PARTS),
            ],
            caption=[charts.DECOMPOSITION_CAPTION.format(title=title)],
        )


def _interval(row: Row, name: str, *, decimals: int = 1) -> str:
    ends = interval_of(row, name)
    return limits(*ends, decimals=decimals) if ends else ""


def _bars(row: Row) -> list[_Bar]:
    """Return the bars, each part beginning where the one before it ends."""
    gap, composition = value_of(row, "gap"), value_of(row, "composition")
    bars, end = [], 0.0
    for name in _PARTS:
        if is_shown(row, name) and value_of(row, name) != 0:
            bars.append(_Bar(name, end, end + value_of(row, name)))
            end = bars[-1].end
    return [
        *bars,
        _Bar("composition", 0.0, composition),
        _Bar("rates", composition, gap),
        _Bar("gap", 0.0, gap),
    ]


def _draw_waterfall(axes: "Axes", bars: Sequence[_Bar], heights: Sequence[float]) -> None:
    for bar, height in zip(bars, heights, strict=True):
        colour = _COLOURS.get(bar.column, palette.TURQUOISE)
        hatched = {"facecolor": "white", "hatch": "////"} if bar.is_part else {"facecolor": colour}
        width = _THIN if bar.is_part else _THICK
        look: dict[str, Any] = {"edgecolor": colour, "linewidth": 1.4, **hatched}
        size = [bar.end - bar.start]
        draw_bars(axes, [height], size, start=bar.start, width=width, colour=colour, **look)
    for (bar, height), (_, below) in pairwise(zip(bars, heights, strict=True)):
        axes.vlines(bar.end, height, below, color=palette.QUIET, lw=0.9, zorder=1.5)
    axes.axvline(0, color=palette.TEXT, lw=1.2, zorder=3)
    axes.set_ylim(heights[-1] + heights[0], 0.0)
    axes.set_yticks([])
    ends = [0.0, *(end for bar in bars for end in (bar.start, bar.end))]
    room = 0.05 * (max(ends) - min(ends) or 1.0)
    axes.set_xlim(min(ends) - (room if min(ends) < 0 else 0), max(ends) + room)


def _part_in_text(row: Row, name: str, entry: Metric) -> str:
    value, interval = amount(value_of(row, name), entry.gap_unit), _interval(row, name)
    text = charts.CONFIDENCE_INTERVAL.format(value=value, interval=interval) if interval else value
    return alt.named(column_label(name), text)


@at_two_widths
def draw_breakdown(safe: SafeTable, *, metric: str, year: int) -> Figure:
    """Draw both levels for each value of each characteristic, with the gap between them.

    Parameters
    ----------
    safe : SafeTable
        A ``breakdown`` table of one group and one or more characteristics.
    metric : str
        What is drawn.
    year : int
        The academic year, for example 202425.

    Returns
    -------
    Figure
        A row a value: a point for each level with its interval, the gap written beside them.
        Characteristics stand below one another on one axis.

    Raises
    ------
    ContractError
        If no row fits, or a value occurs twice.
    """
    data = part_of(safe, metric=metric, time_period=year)
    rows, entry = records(data), registry.metric(metric)
    blocks = _blocks(rows)
    written: list[tuple[Entry, Row | None]] = []
    for breakdown, block in blocks.items():
        written.append((Entry(value_label("breakdown", breakdown), bold=True), None))
        written.extend((_gap_entry(row), row) for row in block)
    entries = [one for one, _ in written]
    title = charts.of_year(charts.BREAKDOWN_TITLE.format(measure=entry.label), year)
    with rows_of(data, [entries], head=_titled() + 0.66) as page:
        heights = zip(heights_of(entries), (row for _, row in written), strict=True)
        _draw_pairs(page.panels[0], [(height, row) for height, row in heights if row])
        _write_title(page, title)
        names_of = [upper_first(group_in_text(rows[0][who])) for who in _WHO]
        _write_names(page, names_of, top=_titled())
        head = {"va": "center", "fontsize": 11.5, "fontweight": "bold"}
        page.write(palette.width() - 1.23, _titled() + 0.5, column_label("gap"), **head)
        label = charts.with_unit(entry.label, entry.unit)
        page.panels[0].set_xlabel(label if len(entry.label) < 40 else entry.unit)
        return page.figure(
            f"breakdown_{metric}",
            ["value", *with_limits(*_SIDES, "gap")],
            alt=[
                charts.BREAKDOWN_OF.format(title=title),
                *(
                    alt.named(value_label("breakdown", breakdown), _gaps_in_text(block))
                    for breakdown, block in blocks.items()
                ),
            ],
            caption=[
                charts.BREAKDOWN_CAPTION.format(title=title),
                symbols_sentence([row for block in blocks.values() for row in block], "gap"),
            ],
        )


def _blocks(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return each characteristic's rows, without what hardly any child has and nothing is shown."""
    blocks: dict[str, list[Row]] = {}
    for row in rows:
        block = blocks.setdefault(str(row["breakdown"]), [])
        if any(row["value"] == other["value"] for other in block):
            raise ContractError(
                f"value {row['value']!r} occurs twice, must occur once; select one group with "
                "where(...) first."
            )
        block.append(row)
    return {
        breakdown: [
            row
            for row in block
            if not row["value"].endswith("_not_recorded") or is_shown(row, "gap")
        ]
        for breakdown, block in blocks.items()
    }


def _gap_entry(row: Row) -> Entry:
    shown = is_shown(row, "gap")
    value = number(value_of(row, "gap"), signed=True) if shown else status_of(row)
    return Entry(value_label("value", row["value"]), value, _interval(row, "gap"))


def _draw_pairs(axes: "Axes", rows: Sequence[tuple[float, Row]]) -> None:
    """Draw both points of each row with their intervals, one just above the other."""
    known = []
    for side, line, shift in zip(_SIDES, _LINES, _SHIFTS, strict=True):
        heights = [height + shift for height, _ in rows]
        values, lower, upper = (
            [value_of(row, name) for _, row in rows] for name in with_limits(side)
        )
        draw_intervals(axes, heights, lower, upper, colour=line.colour, width=1.8)
        draw_points(axes, values, heights, colour=line.colour, marker=line.marker, size=7)
        known += [value for value in (*values, *lower, *upper) if not math.isnan(value)]
    low, high = min([0.0, *known]), max(known, default=1.0)
    axes.set_xlim(low - 0.03 * (high - low), high + 0.06 * (high - low or 1.0))


def _titled() -> float:
    """Return the inches of a title, which takes a line more on a narrow chart."""
    return _TITLED + (0.2 if palette.is_narrow() else 0.0)


def _write_title(page: Page, title: str) -> None:
    """Write what the chart is about above it."""
    letters, size = (36, 11) if palette.is_narrow() else (56, 12.5)
    style = {"fontweight": "bold", "linespacing": 1.15, "fontsize": size}
    page.write(0.13, 0.08, wrapped(title, letters), **style)


def _write_names(page: Page, labels: Sequence[str], *, top: float = 0.12) -> None:
    """Name what the two colours stand for above the rows, each beside its marker."""
    for place, (text, line) in enumerate(zip(labels, _LINES, strict=True)):
        at = top + 0.08 + 0.26 * place
        page.mark(0.29, at, line)
        style = {"va": "center", "fontsize": 11.5, "fontweight": "bold", "color": line.text_colour}
        page.write(0.45, at, text, **style)


def _gaps_in_text(block: Sequence[Row]) -> str:
    """Give the lowest and the highest gap of a characteristic's values."""
    known = sorted((row for row in block if is_shown(row, "gap")), key=lambda row: row["gap"])
    texts = [
        charts.BREAKDOWN_VALUE.format(
            value=value_label("value", row["value"]), gap=number(row["gap"], signed=True)
        )
        for row in known
    ]
    if len(texts) < 2:
        return texts[0] if texts else charts.NOT_SHOWN
    return charts.FROM_TO.format(low=texts[0], high=texts[-1])
