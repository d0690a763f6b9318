"""Lines over the academic years: levels, gaps, numbers of children, an authority's path."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vsh_eval import academic_year, names, registry
from vsh_eval.contracts import ContractError
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import (
    Figure,
    Series,
    at_two_widths,
    draw_intervals,
    label_ends,
    mark_hidden,
    remark,
    stacked,
    symbols_sentence,
    wrapped,
)
from vsh_eval.release.figures.palette import Line
from vsh_eval.release.rows import Row, is_shown, part_of, records, status_of, value_of, with_limits
from vsh_eval.release.text.pages.cohort import moves_of, written_move
from vsh_eval.release.text.phrases import charts
from vsh_eval.release.text.phrases.labels import (
    group_in_text,
    lower_first,
    metric_in_text,
    value_label,
    year_label,
)
from vsh_eval.release.text.phrases.numbers import (
    amount,
    decimals_of_ratio,
    number,
    together,
    usual_decimals,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROOM = 0.12
"""Share of the height kept free at an end that is not zero."""
_WORDS = 0.5
"""Inches kept free at the top for words of two lines."""
_SYNTHETIC = Line(palette.DARK_GREY, "s", (0, (5, 1.6)), palette.DARK_GREY)
_AVERAGE = Line(palette.QUIET, "^", (0, (1.4, 1.4)), palette.QUIET)
_CHANCE = "#D5D7D8"


# --- The form: a panel of lines over the academic years.


@dataclass(frozen=True, slots=True)
class Panel:
    """What a panel of lines shows.

    Attributes
    ----------
    series : sequence of Series
        Its lines, all over the same academic years.
    metric : str
        Whose breaks of the given ``kinds`` are marked.
    start : float
        What the vertical axis holds in any case.
    rule : str or None
        The name of a line at ``start``; None for no line.
    unit, decimals, signed : str, int, bool
        How the last values are written; the unit only where it is a per cent sign.
    lines : sequence of Line
        How each series is drawn.
    """

    series: Sequence[Series]
    metric: str
    kinds: Sequence[str] = ("no_data", "not_comparable", "definition")
    start: float = 0.0
    rule: str | None = None
    unit: str = ""
    decimals: int = 1
    signed: bool = False
    lines: Sequence[Line] = palette.LINES

    @property
    def years(self) -> tuple[int, ...]:
        """The academic years of the axis."""
        return self.series[0].years

    @property
    def apart(self) -> list[int]:
        """The places of years that may not be compared with the others."""
        breaks = registry.breaks_of(self.metric, self.years)
        apart = {entry.time_period for entry in breaks if entry.kind == "not_comparable"}
        return [place for place, year in enumerate(self.years) if year in apart]


def draw_panel(
    axes: "Axes",
    panel: Panel,
    *,
    hidden: Sequence[Row] = (),
    numbers: Sequence[float] = (),
    more_ends: Sequence[tuple[str, float, str]] = (),
) -> list[str]:
    """Draw lines with their intervals, breaks, hidden years and names; return a note a break.

    Parameters
    ----------
    axes : Axes
        Where.
    panel : Panel
        What.
    hidden : sequence of mapping
        Rows of years that have a symbol in place of a value.
    numbers : sequence of float
        What else stands in the panel and needs room.
    more_ends : sequence of (text, height, colour)
        Names beside the panel of what else stands in it.
    """
    for one, line in zip(panel.series, panel.lines, strict=False):
        draw_series(axes, one, line, hollow=panel.apart)
    known = [*numbers, *(v for one in panel.series for v in one.numbers)]
    _fit(axes, known, panel)
    if panel.rule is not None:
        axes.axhline(panel.start, color=palette.TEXT, lw=1.2, zorder=1)
        above = sum(value - panel.start for value in known) >= 0
        # At the left end, unless words on its first years stand there.
        at = 1.0 if "not_comparable" in panel.kinds and 0 in panel.apart else 0.0
        remark(axes, panel.rule, (at, panel.start), along="x", below=above)
    notes = mark_breaks(axes, panel)
    symbols = {panel.years.index(int(row["time_period"])): status_of(row) for row in hidden}
    mark_hidden(axes, symbols)
    label_ends(axes, [*_ends(panel), *more_ends])
    draw_years(axes, panel.years)
    return notes


def draw_series(axes: "Axes", series: Series, line: Line, *, hollow: Sequence[int] = ()) -> None:
    """Draw values with their intervals; a year without a value is a gap in the line.

    Parameters
    ----------
    axes : Axes
        Where; the years are 0, 1, 2 ...
    series : Series
        The values.
    line : Line
        How.
    hollow : sequence of int
        Places of years shown but not to be compared: an empty marker that no line joins.
    """
    import seaborn as sns

    look: dict[str, Any] = {"color": line.colour, "marker": line.marker, "estimator": None}
    values = [math.nan if at in hollow else value for at, value in enumerate(series.values)]
    runs = _runs(values)
    for run in runs:
        lower, upper = ([side[at] for at in run] for side in (series.lower, series.upper))
        axes.fill_between(run, lower, upper, color=line.colour, alpha=0.16, lw=0)
        if len(run) == 1:
            draw_intervals(axes, run, lower, upper, upright=True, colour=line.colour, width=1.6)
    sns.lineplot(
        x=[at for run in runs for at in run],
        y=[values[at] for run in runs for at in run],
        units=[place for place, run in enumerate(runs) for _ in run],
        linestyle=line.dash,
        markeredgewidth=0,
        ax=axes,
        **look,
    )
    empty = [at for at in hollow if not math.isnan(series.values[at])]
    if empty:
        look |= {"markerfacecolor": "white", "markeredgecolor": line.colour}
        values = [series.values[at] for at in empty]
        sns.lineplot(x=empty, y=values, linestyle="none", mew=1.6, ax=axes, **look)


def _runs(values: Sequence[float]) -> list[list[int]]:
    """Return the places of values that stand next to one another.

    Examples
    --------
    >>> _runs([1.0, 2.0, float("nan"), 3.0])
    [[0, 1], [3]]
    """
    runs: list[list[int]] = []
    for place, value in enumerate(values):
        if math.isnan(value):
            continue
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _fit(axes: "Axes", numbers: Sequence[float], panel: Panel) -> None:
    """Give a panel room for its numbers, and none below a zero that nothing crosses."""
    low, high = min([panel.start, *numbers]), max([panel.start, *numbers])
    room = _ROOM * (high - low or 1.0)
    below = 0.0 if panel.rule is None and low == 0 else room
    # Above the rule stand its name and the letters of breaks.
    bottom, top = low - below, high + (1.5 * room if panel.rule and high == panel.start else room)
    if panel.apart:
        free = 1 - _WORDS / (axes.bbox.height / axes.figure.dpi)
        top = max(top, bottom + (high - bottom) / free)
    axes.set_ylim(bottom, top)


def _ends(panel: Panel) -> list[tuple[str, float, str]]:
    """Return the name and the last value of each line, where it ends."""
    ends = []
    for one, line in zip(panel.series, panel.lines, strict=False):
        text = charts.NOT_SHOWN
        if not math.isnan(one.last):
            text = number(one.last, decimals=panel.decimals, signed=panel.signed)
            text += "%" if panel.unit == "%" else ""
            if (last := one.shown[-1][0]) != panel.years[-1]:
                text = charts.VALUE_IN_YEAR.format(value=text, year=year_label(last))
        height = 0.0 if math.isnan(one.last) else one.last
        label = charts.LABEL_AND_VALUE.format(label=one.label, value=text)
        ends.append((label, height, line.text_colour))
    return ends


def draw_years(axes: "Axes", years: Sequence[int]) -> None:
    """Label the axis of years, as many as have room, the last one always."""
    count = len(years)
    room = axes.get_position().width * palette.width() / max(count, 1)
    step = max(1, math.ceil(0.76 / room))
    labels = [
        year_label(year) if (count - 1 - place) % step == 0 else ""
        for place, year in enumerate(years)
    ]
    axes.set_xticks(range(count), labels)
    axes.set_xlim(-0.5, count - 0.5)


def mark_breaks(axes: "Axes", panel: Panel) -> list[str]:
    """Mark the years in which a metric has no data or means something else.

    Years without data say so; years that may not be compared are named at the top, where nothing
    is drawn; a new definition has a letter at its first year.

    Parameters
    ----------
    axes : Axes
        Its vertical limits are final.
    panel : Panel
        Whose breaks, and of which kinds.

    Returns
    -------
    list of str
        One note a break, those of changed definitions with their letter.
    """
    notes: list[str] = []
    letters = iter("abcdefgh")
    for entry in registry.breaks_of(panel.metric, panel.years):
        place = panel.years.index(entry.time_period)
        if entry.kind not in panel.kinds or (entry.kind == "definition" and place == 0):
            continue
        if entry.kind == "definition":
            letter = next(letters)
            axes.axvline(place - 0.5, color=palette.QUIET, lw=1, ls=(0, (1.5, 2.5)), zorder=1)
            _write_letter(axes, place - 0.5, letter)
            notes.append(alt.named(letter, entry.note))
            continue
        axes.axvspan(place - 0.5, place + 0.5, color=palette.SHADE, lw=0, zorder=0)
        if entry.kind == "no_data":
            rule = [] if panel.rule is None else [panel.start]
            _write_upright(axes, place, charts.BREAKS[entry.kind], rule)
        notes.append(entry.note)
    apart = panel.apart if "not_comparable" in panel.kinds else []
    for run in _runs([0.0 if at in apart else math.nan for at in range(len(panel.years))]):
        words = wrapped(charts.BREAKS["not_comparable"], 10)
        top: dict[str, Any] = _MARK | {"va": "top", "transform": axes.get_xaxis_transform()}
        shade = {"boxstyle": "square,pad=0.1", "fc": palette.SHADE, "ec": "none"}
        axes.text(fmean(run), 0.99, words, bbox=shade, **top)  # a letter's line may cross them
    return notes


_MARK: dict[str, Any] = {
    "ha": "center",
    "va": "center",
    "fontsize": 10,
    "color": palette.QUIET,
    "zorder": 5,
}


def _write_upright(axes: "Axes", place: int, text: str, values: Sequence[float]) -> None:
    """Write words up a year, in the middle unless they would cover its values."""
    bottom, top = axes.get_ylim()
    shares = [(value - bottom) / (top - bottom) for value in values]
    half = 0.043 * len(text) / (axes.bbox.height / axes.figure.dpi)

    def fits(height: float) -> tuple[float, float]:
        free = min((abs(share - height) - half for share in shares), default=1.0)
        return min(free, 0.08), -abs(height - 0.5)

    height = max((half + (1 - 2 * half) * step / 20 for step in range(21)), key=fits)
    frame = axes.get_xaxis_transform()
    axes.text(place, height, text, transform=frame, rotation=90, **_MARK)


def _write_above(axes: "Axes", place: float, text: str) -> None:
    """Write words over a year, outside the panel."""
    where: dict[str, Any] = _MARK | {
        "va": "bottom",
        "xycoords": axes.get_xaxis_transform(),
        "xytext": (0, 3),
        "textcoords": "offset points",
    }
    axes.annotate(text, (place, 1.0), **where)


def _write_letter(axes: "Axes", place: float, letter: str) -> None:
    frame = {"boxstyle": "circle,pad=0.16", "fc": "white", "ec": palette.QUIET, "lw": 0.8}
    where = {"xycoords": axes.get_xaxis_transform()}
    axes.annotate(letter, (place, 1.0), bbox=frame, **where, **_MARK | {"zorder": 6})


# --- From rows to lines.


def span_of(rows: Sequence[Row]) -> tuple[int, ...]:
    """Return every academic year from the first to the last, those without data included."""
    years = [int(row["time_period"]) for row in rows]
    return tuple(academic_year.span(min(years), max(years)))


def series_of(rows: Sequence[Row], years: Sequence[int], column: str, label: str) -> Series:
    """Arrange a column over the years, with its limits where there are any.

    Raises
    ------
    ContractError
        If a year occurs twice.
    """
    by_year = {int(row["time_period"]): row for row in rows}
    if len(by_year) < len(rows):
        raise ContractError(
            f"{column} of {label} has more than one row a year, must have one; select the phase, "
            "tier, group or area with where(...) first."
        )
    of_years = [by_year.get(year, {}) for year in years]
    values, low, high = (
        tuple(value_of(row, name) for row in of_years) for name in with_limits(column)
    )
    return Series(label, values, low, high, tuple(years))


def several(rows: Sequence[Row], column: str, by: str) -> list[Series]:
    """Arrange a column over the years, a line for each value of another column."""
    years = span_of(rows)
    return [
        series_of([row for row in rows if row[by] == value], years, column, value_label(by, value))
        for value in dict.fromkeys(row[by] for row in rows)
    ]


def require_few(series: Sequence[Series]) -> None:
    """Refuse more lines than can be told apart."""
    if len(series) > palette.MOST_CATEGORIES:
        raise ContractError(
            f"{len(series)} groups were to be drawn, must be at most {palette.MOST_CATEGORIES}; "
            "select groups of the levels table first."
        )


def unexplained(rows: Sequence[Row], column: str, metric: str) -> list[Row]:
    """Return the rows without a value, but for the years that a break leaves without data."""
    explained = registry.years_without_data(metric)
    missing = [row for row in rows if not is_shown(row, column)]
    return [row for row in missing if int(row["time_period"]) not in explained]


# --- The charts.


@at_two_widths
def draw_levels(safe: SafeTable, *, metric: str) -> Figure:
    """Draw the level of the group and of those it is compared with, over the years.

    Parameters
    ----------
    safe : SafeTable
        A ``gaps`` table of one area and one comparison: group_level and reference_level, each with
        its limits.
    metric : str
        What is drawn, all phases together.

    Returns
    -------
    Figure
        Two lines with their intervals; years without data are gaps, breaks are marked, hidden
        values carry their symbol.

    Raises
    ------
    ContractError
        If no row fits, or a year occurs twice.
    """
    data = part_of(safe, metric=metric, phase=names.TOTAL)
    rows, entry = records(data), registry.metric(metric)
    title, years, columns = entry.label, span_of(rows), ["group_level", "reference_level"]
    who = [value_label("group", rows[0][side]) for side in ("group", "reference")]
    series = [series_of(rows, years, *one) for one in zip(columns, who, strict=True)]
    places = usual_decimals(metric, rows[0].get("source"))
    panel = Panel(series, metric, unit=entry.unit, decimals=places)
    hidden = unexplained(rows, columns[0], metric)
    with stacked(data) as page:
        notes = draw_panel(page.panels[0], panel, hidden=hidden)
        page.name_axis(charts.with_unit(entry.label, entry.unit))
        opening = alt.over_years(charts.LINE_CHART_OF.format(title=title), years)
        return page.figure(
            f"levels_{metric}_{names.TOTAL}",
            ["time_period", *with_limits(*columns)],
            alt=[opening, *alt.of_levels(series, entry, decimals=places)],
            caption=[
                charts.BY_YEAR.format(title=title),
                *_notes(series, notes),
                symbols_sentence(hidden, columns[0]),
            ],
        )


_COMPARED = MappingProxyType(
    {
        "gap": (charts.GAP_NAME, charts.NO_GAP, 0.0, charts.GAP_TITLE, alt.of_gap),
        "ratio": (charts.RATIO_NAME, charts.EQUAL_LEVELS, 1.0, charts.RATIO_TITLE, alt.of_ratio),
    }
)
"""How two levels are compared: the measure's name, the line of no gap, its title, its course."""


@at_two_widths
def draw_gap(safe: SafeTable, *, metric: str, measure: str = "gap") -> Figure:
    """Draw the gap over the years, signed or as a ratio, with the line of equal levels.

    Parameters
    ----------
    safe : SafeTable
        A ``gaps`` table of one area and one comparison.
    metric : str
        What is drawn, all phases together.
    measure : {"gap", "ratio"}
        Group minus reference, or the group's level over the reference's.

    Returns
    -------
    Figure
        The measure with its interval, years without data as gaps, a line at 0 (at 1 of a ratio).

    Raises
    ------
    ContractError
        If no row fits, or a year occurs twice.
    """
    data = part_of(safe, metric=metric, phase=names.TOTAL)
    rows, entry = records(data), registry.metric(metric)
    years, (label, rule, start, title_is, course) = span_of(rows), _COMPARED[measure]
    one, hidden = series_of(rows, years, measure, label), unexplained(rows, measure, metric)
    places = usual_decimals(metric, rows[0].get("source"))
    if measure == "ratio":
        places = decimals_of_ratio(one.last)
    panel = Panel([one], metric, start=start, rule=rule, decimals=places)
    with stacked(data) as page:
        notes = draw_panel(page.panels[0], panel, hidden=hidden)
        page.name_axis(charts.gap_axis(metric) if measure == "gap" else charts.RATIO_AXIS)
        title = title_is.format(
            measure=metric_in_text(metric),
            group=group_in_text(rows[0]["group"]),
            reference=group_in_text(rows[0]["reference"]),
        )
        opening = charts.LINE_CHART_OF_THE.format(title=lower_first(title))
        return page.figure(
            f"{measure}_{metric}_{names.TOTAL}",
            ["time_period", *with_limits(measure)],
            alt=[alt.over_years(opening, years), *course(one, entry, decimals=places)],
            caption=[f"{title}.", *_notes([one], notes), symbols_sentence(hidden, measure)],
        )


@at_two_widths
def draw_trained_and_untrained(safe: SafeTable, *, metric: str) -> Figure:
    """Draw the pooled gap of trained and of untrained schools over the years.

    Parameters
    ----------
    safe : SafeTable
        A ``gaps_by_arm`` table.
    metric : str
        Whose gap.

    Returns
    -------
    Figure
        A line an arm with its interval, from zero; an upright line where the first schools count
        as trained, and below each year how many do.

    Raises
    ------
    ContractError
        If no row fits.
    """
    data = part_of(safe, metric=metric)
    rows, entry = records(data), registry.metric(metric)
    years, begun = span_of(rows), {}
    series, lines = [], []
    for arm, line in zip(("trained", "untrained"), palette.LINES, strict=False):
        own = [row for row in rows if row["arm"] == arm]
        if own:
            series.append(series_of(own, years, "gap", _arm_label(own)))
            lines.append(line)
        if arm == "trained":
            begun = {int(row["time_period"]): value_of(row, "schools_trained") for row in own}
    decimals, hidden = usual_decimals(metric), unexplained(rows, "gap", metric)
    panel = Panel(series, metric, rule=charts.NO_GAP, decimals=decimals, lines=lines)
    with stacked(data, height=4.6, bottom=0.86) as page:
        axes = page.panels[0]
        notes = draw_panel(axes, panel, hidden=hidden)
        starts = [year for year, schools in begun.items() if schools > 0]
        if starts:
            at = years.index(starts[0]) - 0.5
            axes.axvline(at, color=palette.TEXT, lw=1.6, zorder=1)
            remark(axes, charts.FIRST_TRAINED, (at, 0.0), along="y", below=False)
        _count_below(axes, [begun.get(year, math.nan) for year in years])
        page.name_axis(charts.gap_axis(metric))
        title = charts.ARMS_TITLE.format(
            measure=metric_in_text(metric),
            group=group_in_text(rows[0]["group"]),
            reference=group_in_text(rows[0]["reference"]),
        )
        opening = charts.ARMS_OF.format(measure=metric_in_text(metric))
        return page.figure(
            f"gap_by_arm_{metric}",
            [
                *("arm", "time_period", "schools", "schools_trained", "group_pupils"),
                *with_limits("group_level", "reference_level", "gap"),
            ],
            alt=[alt.over_years(opening, years), *alt.of_gaps(series, entry, decimals=decimals)],
            caption=[
                f"{title}.",
                charts.ARMS_CAPTION,
                *_notes(series, notes),
                symbols_sentence(hidden, "gap"),
            ],
        )


def _arm_label(rows: Sequence[Row]) -> str:
    """Name the schools of an arm with their number in the last year."""
    arm, schools = value_label("arm", rows[-1]["arm"]), value_of(rows[-1], "schools")
    if math.isnan(schools):
        return arm
    return charts.ARM_AND_SCHOOLS.format(arm=arm, schools=number(schools, decimals=0))


def _count_below(axes: "Axes", numbers: Sequence[float]) -> None:
    """Write a number below each year's label, and what they count below all of them."""
    labels = [label.get_text() for label in axes.get_xticklabels()]
    below = ["" if math.isnan(value) else number(value, decimals=0) for value in numbers]
    if palette.is_narrow():
        below = [count if label else "" for label, count in zip(labels, below, strict=True)]
    both = zip(labels, below, strict=True)
    axes.set_xticks(range(len(labels)), [f"{label}\n{count}" for label, count in both])
    axes.set_xlabel(charts.TRAINED_SO_FAR)


@at_two_widths
def draw_sizes(safe: SafeTable, *, metric: str, cohort: str) -> Figure:
    """Draw the number of children of each group over the years, all phases together.

    Parameters
    ----------
    safe : SafeTable
        A ``levels`` table of the cohort and at most four groups; groups that are sums of others
        are drawn only where there are no others.
    metric : str
        The measure whose children are counted: a child who moved counts at each school.
    cohort : str
        The group whose jumps are marked.

    Returns
    -------
    Figure
        A line a group, from zero; a year in which the measure has no data is a gap. A year in which
        the cohort changed by 10 % or more says so above the panel.

    Raises
    ------
    ContractError
        If no row fits, a group has two rows a year, or there are more than four groups.
    """
    whole = part_of(safe, metric=metric, phase=names.TOTAL)
    groups = list(dict.fromkeys(map(str, whole.frame["group"])))
    data = whole.where(group=[g for g in groups if g not in names.GROUP_SUMS] or groups)
    of_cohort = [row for row in records(whole) if row["group"] == cohort]
    rows, title = records(data), charts.SIZES_TITLE
    series, hidden = several(rows, "pupils", "group"), unexplained(rows, "pupils", metric)
    require_few(series)
    panel = Panel(series, metric, kinds=["no_data"], decimals=0)
    with stacked(data, height=4.6) as page:
        axes = page.panels[0]
        notes = draw_panel(axes, panel, hidden=hidden)
        moves = moves_of(series_of(of_cohort, panel.years, "pupils", cohort).shown)
        for move in moves:
            _write_above(axes, panel.years.index(move.year), written_move(move))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        page.name_axis(title)
        published = any(row.get("source") == "published" for row in rows)
        return page.figure(
            f"sizes_{metric}",
            ["time_period", "group", "pupils"],
            alt=[
                charts.LINE_CHART.format(title=title),
                *(alt.named(one.label, alt.counts(one)) for one in series),
            ],
            caption=[
                charts.BY_YEAR.format(title=title),
                "" if published else charts.MOVED_COUNTS_TWICE,
                charts.MOVES_MARKED.format(group=group_in_text(cohort)) if moves else "",
                *(charts.SHADED.format(note=note) for note in notes),
                symbols_sentence(hidden, "pupils"),
            ],
        )


@at_two_widths
def draw_synthetic(safe: SafeTable, *, metric: str, authority: str) -> Figure:
    """Draw an authority beside a weighted average of others, and the distance between them.

    Parameters
    ----------
    safe : SafeTable
        A ``trajectory`` table of `effects.published.authority_trajectory`: time_period, outcome,
        donor_mean, synthetic (the same, shifted), distance, placebo_lower, placebo_upper, before.
    metric : str
        Whose gap.
    authority : str
        The authority's name.

    Returns
    -------
    Figure
        Above, the gaps over the years, from zero, the weighted average also as it is before it is
        shifted; below, the distance to the shifted one, over a grey bar of what other authorities
        come to by chance. An upright line stands where the offer started.

    Raises
    ------
    ContractError
        If no row fits.
    """
    data = part_of(safe, metric=metric)
    rows, unit = records(data), registry.metric(metric).gap_unit
    years = span_of(rows)
    start = min(int(row["time_period"]) for row in rows if not bool(row["before"]))
    shift = number(value_of(rows[0], "synthetic") - value_of(rows[0], "donor_mean"), signed=True)
    own, other, average, distance, chance = (
        series_of(rows, years, column, label)
        for column, label in (
            ("outcome", authority),
            ("synthetic", charts.SHIFTED.format(shift=shift)),
            ("donor_mean", charts.SYNTHETIC_NAME),
            ("distance", charts.DISTANCE),
            ("placebo_upper", charts.CHANCE),
        )
    )
    lines = (_SYNTHETIC, _AVERAGE, palette.LINES[0])
    panel = Panel([other, average, own], metric, lines=lines)  # its own gap on top
    with stacked(data, 2, height=3.5) as page:
        above, below = page.panels
        notes = draw_panel(above, panel)
        signed = replace(panel, series=[distance], kinds=(), rule="", signed=True)
        ends = _draw_chance(below, distance, chance)
        halves = [sign * half for half in chance.numbers for sign in (-1, 1)]
        draw_panel(below, signed, numbers=halves, more_ends=ends)
        at = years.index(start) - 0.5
        for axes in page.panels:
            axes.axvline(at, color=palette.TEXT, lw=1.6, zorder=1)
        # The words stand on the side of the line that has more room.
        late = at > (len(years) - 1) / 2
        remark(below, charts.OFFER_FROM_HERE, (at, 1.0), along="y", below=True, before=late)
        page.name_axis(charts.gap_axis(metric))
        page.name_axis(charts.DISTANCE_AXIS.format(unit=unit), 1)
        title = charts.SYNTHETIC_TITLE.format(metric=metric_in_text(metric), authority=authority)
        donors = value_label("comparison", rows[0]["comparison"]).lower()
        opening = alt.over_years(charts.SYNTHETIC_OF.format(title=title), years)
        ended = _distances((own, average, other, distance, chance), start, unit)
        return page.figure(
            f"synthetic_{metric}_{rows[0]['comparison']}",
            [
                *("time_period", "outcome", "donor_mean", "synthetic", "distance"),
                *("placebo_lower", "placebo_upper"),
            ],
            alt=[opening, *ended],
            caption=[
                f"{title}.",
                charts.SYNTHETIC_CAPTION.format(donors=donors, start=year_label(start)),
                charts.SYNTHETIC_SHIFT.format(shift=shift),
                charts.SYNTHETIC_CHANCE,
                *notes,
            ],
        )


def _notes(series: Sequence[Series], breaks: Sequence[str]) -> list[str]:
    """Say what is shaded, then what broke."""
    shaded = any(not math.isnan(v) for one in series for v in one.lower)
    return [charts.SHADED_INTERVAL if shaded else "", *together(breaks)]


def _draw_chance(axes: "Axes", distance: Series, chance: Series) -> list[tuple[str, float, str]]:
    """Draw what chance comes to in each year; return its name and where it stands."""
    known = [(at, half) for at, half in enumerate(chance.values) if not math.isnan(half)]
    if not known:
        return []
    places, halves = zip(*known, strict=True)
    tall, floors = [2 * half for half in halves], [-half for half in halves]
    axes.bar(places, tall, 0.64, floors, color=_CHANCE, lw=0, zorder=0)
    side = -1 if distance.last >= 0 else 1
    return [(charts.CHANCE, side * halves[-1], palette.QUIET)]


def _distances(series: tuple[Series, ...], start: int, unit: str) -> list[str]:
    """Say where the gaps ended, and in which years they stood further apart than by chance."""
    own, average, other, distance, chance = (
        dict(zip(one.years, one.values, strict=True)) for one in series
    )
    after = [year for year, _ in series[0].shown if year >= start]
    last = after[-1]
    apart = [f"{year_label(year)} {number(distance[year], signed=True)}" for year in after]
    beyond = [year_label(year) for year in after if abs(distance[year]) > chance[year]]
    sentences = [
        charts.SYNTHETIC_LAST.format(
            year=year_label(last),
            own=amount(own[last], unit),
            average=amount(average[last], unit),
            other=amount(other[last], unit),
            shift=number(other[last] - average[last], signed=True),
        ),
        charts.DISTANCES.format(distances="; ".join(apart)),
    ]
    if series[-1].numbers:
        in_years = ", ".join(beyond) or charts.IN_NO_YEAR
        sentences.append(charts.BEYOND_CHANCE.format(years=in_years))
    return sentences
