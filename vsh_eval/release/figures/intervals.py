"""Intervals: estimates in rows, by time or by size, bounds, the specification curve."""

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError, InfeasibleError, require_columns
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import (
    SMALL,
    Box,
    Figure,
    Page,
    at_two_widths,
    draw_intervals,
    draw_points,
    mark_hidden,
    page_of,
    remark,
    set_ticks,
    stacked,
    symbols_sentence,
    wrapped,
)
from vsh_eval.release.figures.palette import Line
from vsh_eval.release.rows import Row, is_shown, part_of, records, status_of, value_of
from vsh_eval.release.text.findings.finding import Finding
from vsh_eval.release.text.pages.pooling import name_of
from vsh_eval.release.text.phrases import charts
from vsh_eval.release.text.phrases.labels import (
    index_label,
    lower_first,
    metric_in_text,
    upper_first,
    value_label,
)
from vsh_eval.release.text.phrases.numbers import limits, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMES, _NUMBERS, _MARGIN = 2.36, 1.36, 0.13
"""Inches: the column of names, that of numbers, the page's edge."""
_NARROW_NAMES, _NARROW_NUMBERS = 1.5, 1.2
"""The same columns of a narrow chart."""
_LETTER, _BOLD_LETTER = 0.0872, 0.098
"""Inches that a letter of a name takes."""
_LINE, _BETWEEN, _LEAST, _FOOT = 0.17, 0.16, 0.46, 0.86
"""Inches: a line of a name, between rows, the least a row has, below a panel."""
_UPRIGHT = 2.0
"""Points: the width of an upright interval."""


# --- The form: rows with a name at the left and a number at the right.


@dataclass(frozen=True, slots=True)
class Entry:
    """A row: its name, and the number and interval that stand at its right."""

    name: str
    value: str = ""
    interval: str = ""
    bold: bool = False

    @property
    def height(self) -> float:
        """Inches."""
        if self.is_heading:
            return self.lines * _LINE + 2 * _BETWEEN
        return max(_LEAST, self.lines * _LINE + _BETWEEN)

    @property
    def written(self) -> str:
        """Its name in lines that fit the column."""
        return wrapped(self.name, int(_names() / (_BOLD_LETTER if self.bold else _LETTER)))

    @property
    def lines(self) -> int:
        """How many its name takes."""
        return self.written.count("\n") + 1

    @property
    def is_heading(self) -> bool:
        """Whether it names the rows below it."""
        return not self.value


def _names() -> float:
    """Return the inches of the column of names."""
    return _NARROW_NAMES if palette.is_narrow() else _NAMES


def heights_of(entries: Sequence[Entry]) -> list[float]:
    """Return the middle of each row, in inches from the first one's upper edge.

    Examples
    --------
    >>> heights_of([Entry("Girls", "+9.6"), Entry("Boys", "+9.5")])
    [0.23, 0.69]
    """
    middles, top = [], 0.0
    for entry in entries:
        shift = _BETWEEN / 2 if entry.is_heading else 0.0
        middles.append(round(top + entry.height / 2 + shift, 6))
        top += entry.height
    return middles


@contextmanager
def rows_of(
    data: SafeTable,
    blocks: Sequence[Sequence[Entry]],
    *,
    head: float = 0.12,
    foot: float = _FOOT,
    numbers: float = _NARROW_NUMBERS,
) -> Generator[Page]:
    """Give a panel a block, as high as its rows need, the names and numbers written.

    Parameters
    ----------
    data : SafeTable
        The rows to be drawn.
    blocks : sequence of sequence of Entry
        The rows; heights on a panel are those of `heights_of`.
    head, foot : float
        Inches above the first panel, and below each.
    numbers : float
        Inches of the column of numbers of a narrow chart.
    """
    left = _MARGIN + _names()
    width = palette.width() - left - (numbers if palette.is_narrow() else _NUMBERS)
    boxes, top = [], head
    for block in blocks:
        height = sum(entry.height for entry in block)
        boxes.append(Box(left, top, width, height))
        top += height + foot
    with page_of(data, boxes, height=top) as page:
        for axes, block, box in zip(page.panels, blocks, boxes, strict=True):
            axes.set_ylim(box.height, 0.0)
            axes.set_yticks([])
            axes.grid(visible=False, axis="y")
            axes.grid(visible=True, axis="x")
            set_ticks(axes.xaxis, 3 if palette.is_narrow() else 5)
            for entry, height in zip(block, heights_of(block), strict=True):
                _write_entry(axes, entry, height, width)
        yield page


def _write_entry(axes: "Axes", entry: Entry, height: float, width: float) -> None:
    frame = axes.get_yaxis_transform()
    style: dict[str, Any] = {"transform": frame, "va": "center", "fontsize": SMALL}
    weight = "bold" if entry.bold else "normal"
    place = -_names() / width
    axes.text(place, height, entry.written, fontweight=weight, linespacing=1.1, **style)
    shift = 0.09 if entry.interval else 0.0
    axes.text(1.05, height - shift, entry.value, fontweight=weight, **style)
    if entry.interval:
        quiet = style | {"fontsize": SMALL - 0.5, "color": palette.QUIET}
        axes.text(1.05, height + shift, f"({entry.interval})", **quiet)


def _entry(row: Row, name: str, *, bold: bool, differs: bool = False) -> Entry:
    """Write an estimate's row, with the symbol where it is not shown."""
    if not is_shown(row, "estimate"):
        return Entry(name, status_of(row), bold=bold)
    value, interval = _written(row)
    if differs:
        value = charts.ESTIMATE_DIFFERS.format(value=value)
    return Entry(name, value, interval, bold=bold or differs)


def _is_primary(row: Row) -> bool:
    return bool(row.get("role") == "primary")


def _written(row: Row) -> tuple[str, str]:
    """Return an estimate and its interval, '' where it has none, with the decimals of both."""
    finding = Finding.of_estimate(row)
    interval = limits(*finding.interval, decimals=finding.decimals) if finding.interval else ""
    return number(finding.value, decimals=finding.decimals, signed=True), interval


def _in_text(row: Row, template: str = charts.VALUE_AND_INTERVAL) -> str:
    """Write an estimate with its interval in brackets."""
    if not is_shown(row, "estimate"):
        return status_of(row)
    value, interval = _written(row)
    return template.format(value=value, interval=interval) if interval else value


def _limits_of(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """Return the ends of the intervals, NaN where the estimate is not shown."""
    shown: list[Row] = [row if is_shown(row, "estimate") else {} for row in rows]
    lower, upper = ([value_of(row, f"ci_{end}") for row in shown] for end in ("lower", "upper"))
    return lower, upper


def _draw_estimates(
    axes: "Axes",
    rows: Sequence[Row],
    heights: Sequence[float],
    *,
    hollow: Sequence[bool],
    large: Sequence[bool] = (),
) -> None:
    """Draw estimates in rows over the line of no effect, some large: else the primary ones."""
    axes.axvline(0, color=palette.TEXT, lw=1.2, zorder=1)
    draw_intervals(axes, heights, *_limits_of(rows))
    kinds = list(zip(large or map(_is_primary, rows), hollow, strict=True))
    for kind in dict.fromkeys(kinds):
        places = [at for at, one in enumerate(kinds) if one == kind]
        marker, size = ("o", 9.5) if kind[0] else ("D", 7)
        x, y = [value_of(rows[at], "estimate") for at in places], [heights[at] for at in places]
        draw_points(axes, x, y, marker=marker, size=size, hollow=kind[1])
    axes.margins(x=0.06)
    _name_ends(axes, registry.metric(str(rows[0]["metric"])))


def _name_ends(axes: "Axes", entry: registry.Metric) -> None:
    """Write which side is which below the ends of an axis of effects, and its unit."""
    style: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    # Beside a narrow panel there is more room than below it.
    corners = (
        ((0.4, "right"), (0.6, "left")) if palette.is_narrow() else ((0, "left"), (1, "right"))
    )
    for (at, side), text in zip(
        corners, charts.ends(lower_is_better=entry.lower_is_better), strict=True
    ):
        axes.annotate(text, (at, 0.0), xytext=(0, -20), ha=side, va="top", fontsize=SMALL, **style)
    axes.set_xlabel(entry.gap_unit, labelpad=18)


# --- The charts.


@at_two_widths
def draw_forest(
    safe: SafeTable,
    *,
    vary: Sequence[str] = ("metric", "estimator"),
    title: str = charts.FOREST_TITLE,
    **where: Any,
) -> Figure:
    """Draw estimates below one another, with their intervals and the line of no effect.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table; its rows with aggregation ``simple`` are drawn, the primary one
        and the second estimator first, the others in their order.
    vary : sequence of str
        The columns that name a row: metric, estimator, comparison, programme, tier, phase ...
    title : str
        What the estimates have in common.
    **where
        Column and value, for example ``role="primary"``; None is no condition.

    Returns
    -------
    Figure
        A panel for each unit; an estimate's name stands at its left and its numbers at its right,
        filled where its role is primary.

    Raises
    ------
    ContractError
        If no row fits.
    """
    data = part_of(safe, **{"aggregation": "simple", **where})
    rows = sorted(records(data), key=_place)
    varying = [c for c in vary if len({row.get(c) for row in rows}) > 1] or list(vary)[:1]
    blocks: dict[tuple[str, bool], list[Row]] = {}
    for row in rows:
        entry = registry.metric(str(row["metric"]))
        blocks.setdefault((entry.gap_unit, entry.lower_is_better), []).append(row)
    entries = [
        [_entry(row, _row_name(row, varying), bold=_is_primary(row)) for row in block]
        for block in blocks.values()
    ]
    with rows_of(data, entries) as page:
        for axes, block, written in zip(page.panels, blocks.values(), entries, strict=True):
            hollow = [not _is_primary(row) for row in block]
            _draw_estimates(axes, block, heights_of(written), hollow=hollow)
        return page.figure(
            "forest_" + "_".join(vary),
            [*vary, "estimate", "ci_lower", "ci_upper", *_behind(rows)],
            alt=[
                charts.FOREST_OF.format(count=len(rows), title=title),
                *(alt.named(_row_name(row, varying), _in_text(row)) for row in rows),
            ],
            caption=[charts.FOREST_CAPTION.format(title=title), symbols_sentence(rows, "estimate")],
        )


@at_two_widths
def draw_pool(safe: SafeTable, *, metric: str, estimator: str = "imputation") -> Figure:
    """Draw each authority's effect, and below them what they show together.

    Parameters
    ----------
    safe : SafeTable
        A ``pooled`` table.
    metric, estimator : str
        Which effects.

    Returns
    -------
    Figure
        A row an authority, hollow where it is left out of the pool; then the pool, large, over
        a thin line where the true effect in one more authority may lie; then all authorities,
        where any is left out.

    Raises
    ------
    ContractError
        If no row fits.
    """
    where = {"metric": metric, "estimator": estimator, "target": "gap", "aggregation": "simple"}
    data = part_of(safe, **where, variant=list(_IN_POOL))
    rows = sorted(records(data), key=lambda row: _IN_POOL.index(str(row["variant"])))
    counts = [value_of(row, "authorities") for row in rows if row["variant"] != "own"]
    if len(set(counts)) < len(counts):
        rows = [row for row in rows if row["variant"] != "every"]
    large = [row["variant"] == "included" for row in rows]
    hollow = [row["variant"] == "own" and not is_shown(row, "weight") for row in rows]
    entries = [
        _entry(row, name_of(row), bold=is_pool) for row, is_pool in zip(rows, large, strict=True)
    ]
    with rows_of(data, [entries]) as page:
        (axes,) = page.panels
        heights = heights_of(entries)
        further = [(value_of(row, "next_lower"), value_of(row, "next_upper")) for row in rows]
        lower, upper = zip(*further, strict=True)
        draw_intervals(axes, heights, lower, upper, colour=palette.QUIET, width=1.0)
        _draw_estimates(axes, rows, heights, hollow=hollow, large=large)
        title = charts.POOL_TITLE.format(
            metric=metric_in_text(metric),
            estimator=lower_first(value_label("estimator", estimator)),
        )
        foremost = sorted(rows, key=lambda row: row["variant"] == "own")
        return page.figure(
            f"pool_{estimator}",
            ["variant", "name", "estimate", "ci_lower", "ci_upper", "weight"],
            alt=[
                charts.FOREST_OF.format(count=len(rows), title=title),
                *(alt.named(name_of(row), _in_text(row)) for row in foremost),
            ],
            caption=[
                charts.FOREST_CAPTION.format(title=title),
                charts.LEFT_OUT_HOLLOW if any(hollow) else "",
                charts.NEXT_AUTHORITY_THIN if any(map(math.isfinite, lower)) else "",
                symbols_sentence(rows, "estimate"),
            ],
        )


_IN_POOL = ("own", "included", "every")
"""Variants of a ``pooled`` table that are drawn, in order."""

_BEHIND = ("std_error", "df", "schools_treated", "schools_comparison", "pupils")
"""What stands behind an estimate."""


def _behind(rows: Sequence[Row]) -> list[str]:
    # The interval of an authority's effect is of a test among others, not made of these.
    if any(row.get("estimator") == "synthetic_did" for row in rows):
        return []
    return [name for name in _BEHIND if all(is_shown(row, name) for row in rows)]


def _place(row: Row) -> int:
    """Return where a row stands: the primary estimate, then the second estimator."""
    return 0 if _is_primary(row) else 1 if row.get("estimator") == "same_past" else 2


def _row_name(row: Row, vary: Sequence[str]) -> str:
    if row.get("estimator") == "same_past" and "estimator" in vary:
        vary = [column for column in vary if column != "comparison"]  # its name says with whom
    parts = []
    for column in vary:
        value = str(row.get(column, ""))
        if value in {"", names.ANY, names.TOTAL}:
            continue
        words = value_label(column, value)
        if column == "comparison":
            words = charts.AGAINST.format(comparison=lower_first(words))
        parts.append(words)
    first, *rest = parts or [charts.ALL_SCHOOLS]
    if not rest:
        return upper_first(first)
    alone = vary[-1] == "comparison" and len(rest) == 1
    return f"{first}{', ' if alone else ': '}{', '.join(rest)}"


@at_two_widths
def draw_robustness(safe: SafeTable, *, metric: str) -> Figure:
    """Draw what other ways of estimating give, below the primary estimate.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table: the primary simple estimate and rows of the robustness table with
        check, variant, variant_code, verdict. Rows of another metric or without an estimate and
        interval are left out, and checks that are no estimate of the same kind (a, b, e, j, k).
    metric : str
        The outcome.

    Returns
    -------
    Figure
        One row an estimate, over the shaded interval of the primary one; what differs is hollow
        and says so. Placebos, where zero is expected, have a panel of their own.

    Raises
    ------
    ContractError
        If there is no primary estimate to hold them against.
    InfeasibleError
        If there is one that may not be shown.
    """
    data = part_of(safe, metric=metric)
    data = data.where(check=set(data.frame["check"]) - _APART)
    rows = [row for row in records(data) if is_shown(row, "estimate", "ci_lower", "ci_upper")]
    rows.sort(key=lambda row: (row.get("variant_code") in _PLACEBOS, _place(row)))
    if not rows or not _is_primary(rows[0]):
        if any(map(_is_primary, records(data))):
            raise InfeasibleError("primary_hidden")
        raise ContractError(
            "the robustness table has no primary estimate with an interval, must have one to hold "
            "the others against; put the primary row above."
        )
    placebos = [row for row in rows if row.get("variant_code") in _PLACEBOS]
    blocks = [block for block in (rows[: len(rows) - len(placebos)], placebos) if block]
    written = [[_check_entry(row) for row in block] for block in blocks]
    if placebos:
        written[-1].insert(0, Entry(charts.PLACEBOS, bold=True))
    ends = value_of(rows[0], "ci_lower"), value_of(rows[0], "ci_upper")
    with rows_of(data, written) as page:
        for axes, block, entries in zip(page.panels, blocks, written, strict=True):
            heights = heights_of(entries)[len(entries) - len(block) :]
            _draw_estimates(axes, block, heights, hollow=[*map(_differs, block)])
        page.panels[0].axvspan(*ends, color=palette.SHADE, lw=0, zorder=0)
        limits_of_all = [end for axes in page.panels for end in axes.get_xlim()]
        for axes in page.panels:
            axes.set_xlim(min(limits_of_all), max(limits_of_all))
        others = len(rows) - len(placebos) - 1
        ways = charts.ONE_OTHER_WAY if others == 1 else charts.OTHER_WAYS.format(count=others)
        title = charts.ROBUSTNESS_TITLE.format(metric=metric_in_text(metric), ways=ways)
        return page.figure(
            f"robustness_{metric}",
            ["check", "variant", "estimate", "ci_lower", "ci_upper", "verdict"],
            alt=[charts.ROBUSTNESS_OF.format(title=title), *map(_check_in_text, rows)],
            caption=[charts.ROBUSTNESS_CAPTION.format(title=title)],
        )


_APART = frozenset({"pretrend", "trend_breaks", "chance", "composition", "equivalence"})
"""Checks whose intervals mean something else than the primary one's."""
_PLACEBOS = frozenset({"trained_early", "peers_level"})
"""Variants in which no effect is expected."""


def _differs(row: Row) -> bool:
    return bool(row.get("verdict") == "differs")


def _check_entry(row: Row) -> Entry:
    return _entry(row, _check_name(row), bold=_is_primary(row), differs=_differs(row))


def _check_name(row: Row) -> str:
    if _is_primary(row):
        return charts.PRIMARY
    return alt.named(value_label("check", row["check"]), row["variant"])


def _check_in_text(row: Row) -> str:
    text = f"{_check_name(row)} {_in_text(row)}"
    if _is_primary(row):
        return text
    return f"{text}, {value_label('verdict', str(row.get('verdict') or '')).lower()}"


@at_two_widths
def draw_event_study(safe: SafeTable, *, metric: str, **where: Any) -> Figure:
    """Draw the estimates by time since training.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table; its rows with aggregation ``event`` are drawn (index = academic
        years since training, estimate, ci_*, band_*).
    metric : str
        The outcome.
    **where
        What singles the estimates out: programme, tier, phase, estimator, comparison, role; None
        is no condition.

    Returns
    -------
    Figure
        Points with their intervals, the simultaneous band behind them, the line of no effect;
        years before training have hollow points. Below each year stands the number of schools.

    Raises
    ------
    ContractError
        If no row fits, or a time since training occurs twice.
    """
    data = part_of(safe, metric=metric, aggregation="event", **where)
    rows = sorted(records(data), key=lambda row: float(row["index"]))
    times = [int(row["index"]) for row in rows]
    if len(set(times)) < len(times):
        raise ContractError(
            "index occurs twice among the event estimates, must occur once; name the programme, "
            "tier, phase and estimator that single them out."
        )
    with stacked(data, right=0.25, height=4.7, bottom=1.1) as page:
        _draw_events(page.panels[0], rows, times)
        page.name_axis(charts.effect_axis(metric))
        title = charts.EVENTS_TITLE.format(metric=metric_in_text(metric))
        band = any(is_shown(row, "band_lower", "band_upper") for row in rows)
        drawn = ["index", "estimate", "ci_lower", "ci_upper", "band_lower", "band_upper"]
        return page.figure(
            f"event_study_{metric}",
            [*drawn, "authorities", "schools_treated"],
            alt=[charts.EVENTS_OF.format(title=lower_first(title)), *_events_in_text(rows)],
            caption=[
                f"{title}.",
                charts.EVENTS_BARS,
                charts.EVENTS_BAND if band else "",
                charts.EVENTS_HOLLOW,
                symbols_sentence(rows, "estimate"),
            ],
        )


def _draw_events(axes: "Axes", rows: Sequence[Row], times: Sequence[int]) -> None:
    axes.axhline(0, color=palette.TEXT, lw=1.2, zorder=1)
    axes.axvline(-0.5, color=palette.QUIET, lw=1.2, ls=(0, (1.5, 2.5)), zorder=1)
    draw_intervals(axes, times, *_limits_of(rows), upright=True, width=_UPRIGHT)
    for before in (True, False):
        side = [(t, row) for t, row in zip(times, rows, strict=True) if (t < 0) is before]
        places = [t for t, _ in side]
        values, lower, upper = (
            [value_of(row, name) for _, row in side]
            for name in ("estimate", "band_lower", "band_upper")
        )
        axes.fill_between(places, lower, upper, color=palette.DARK_BLUE, alpha=0.13, lw=0)
        draw_points(axes, places, values, hollow=before)
    hidden = {
        t: status_of(r) for t, r in zip(times, rows, strict=True) if not is_shown(r, "estimate")
    }
    axes.set_xticks(times, [_event_label(row) for row in rows])
    axes.set_xlim(min(*times, -1) - 0.5, max(*times, 0) + 0.5)
    axes.margins(y=0.14)
    axes.autoscale_view(scalex=False)
    axes.set_xlabel(charts.EVENTS_X)
    mark_hidden(axes, hidden)
    remark(axes, charts.TRAINED_FROM_HERE, (-0.5, 1.0), along="y", below=True)


def _event_label(row: Row) -> str:
    """Write a year since training, and below it the schools behind its estimate."""
    schools = value_of(row, "schools_treated")
    count = "" if math.isnan(schools) else number(schools, decimals=0)
    return f"{index_label('event', row['index'])}\n{count}"


def _events_in_text(rows: Sequence[Row]) -> list[str]:
    shown = [row for row in rows if is_shown(row, "estimate")]
    before = [
        value_of(row, "ci_lower") <= 0 <= value_of(row, "ci_upper")
        for row in shown
        if row["index"] < 0 and is_shown(row, "ci_lower", "ci_upper")
    ]
    sentences = []
    if before:
        sentences.append(charts.BEFORE_TRAINING.format(count=sum(before), all=len(before)))
    templates = {0: charts.FIRST_YEAR_TRAINED, 1: charts.AFTER_ONE_YEAR}
    for row in shown:
        years = int(row["index"])
        if years >= 0:
            template = templates.get(years, charts.AFTER_YEARS)
            sentences.append(
                template.format(years=years, estimate=_in_text(row, charts.CONFIDENCE_INTERVAL))
            )
    return sentences


@at_two_widths
def draw_honest(safe: SafeTable, *, metric: str) -> Figure:
    """Draw the effect's interval for ever larger differences of the paths after training.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table: variant (``first year``, ``all years``), bound (size of the
        differences, as a multiple of the largest before training), ci_lower, ci_upper.
    metric : str
        The outcome.

    Returns
    -------
    Figure
        Upright bars, one a size and target, and the line of no effect.

    Raises
    ------
    ContractError
        If no row fits.
    """
    data = part_of(safe, metric=metric)
    rows = records(data)
    sizes = sorted({float(row["bound"]) for row in rows})
    targets = {
        words: [row for row in rows if row["variant"] == target]
        for target, words in charts.HONEST_TARGETS.items()
        if any(row["variant"] == target for row in rows)
    }
    with stacked(data, right=0.3, height=4.3, bottom=1.18) as page:
        axes = page.panels[0]
        axes.axhline(0, color=palette.TEXT, lw=1.2, zorder=1)
        for at, (words, own) in enumerate(targets.items()):
            line, shift = palette.LINES[at], 0.3 * (at - (len(targets) - 1) / 2)
            left, top = (0.2, 4.2 + 0.25 * at) if palette.is_narrow() else (0.92 + 2.75 * at, 3.99)
            _draw_bounds(axes, own, sizes, shift=shift, line=line)
            page.mark(left, top, line)
            style = {"fontsize": 11.5, "fontweight": "bold", "color": line.text_colour}
            page.write(left + 0.16, top, words, va="center", **style)
        axes.set_xticks(range(len(sizes)), [number(size) for size in sizes])
        axes.set_xlim(-0.6, len(sizes) - 0.4)
        axes.margins(y=0.08)
        axes.set_xlabel(charts.HONEST_X)
        page.name_axis(charts.effect_axis(metric))
        title = charts.HONEST_TITLE.format(metric=metric_in_text(metric))
        return page.figure(
            f"honest_{metric}",
            ["variant", "bound", "ci_lower", "ci_upper"],
            alt=[
                charts.HONEST_OF.format(title=title),
                *(alt.named(words, _bounds_in_text(own)) for words, own in targets.items()),
            ],
            caption=[charts.HONEST_CAPTION.format(title=title)],
        )


def _draw_bounds(
    axes: "Axes", rows: Sequence[Row], sizes: Sequence[float], *, shift: float, line: Line
) -> None:
    shown = [row for row in rows if is_shown(row, "ci_lower", "ci_upper")]
    places = [sizes.index(float(row["bound"])) + shift for row in shown]
    ends = [[value_of(row, f"ci_{end}") for row in shown] for end in ("lower", "upper")]
    draw_intervals(axes, places, *ends, upright=True, colour=line.colour, width=3.4)
    for values in ends:
        draw_points(axes, places, values, colour=line.colour, marker=line.marker, size=7)


def _bounds_in_text(rows: Sequence[Row]) -> str:
    texts = []
    for row in sorted(rows, key=lambda row: float(row["bound"])):
        interval = charts.NOT_SHOWN
        if is_shown(row, "ci_lower", "ci_upper"):
            interval = limits(value_of(row, "ci_lower"), value_of(row, "ci_upper"))
        size = number(float(row["bound"]))
        texts.append(charts.HONEST_SIZE.format(size=size, interval=interval))
    return "; ".join(texts)


_ROW, _CURVE, _LEFT, _NARROW_LEFT = 0.25, 3.0, 3.4, 2.3
"""Inches of the specification curve: a line of a choice, the curve, the names of the choices."""


@at_two_widths
def draw_specifications(safe: SafeTable, *, metric: str) -> Figure:
    """Draw the estimates in the order of their size, above the choices that each stands for.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table of a specification curve: rank, preregistered, the choices, and
        estimate, ci_lower, ci_upper.
    metric : str
        The outcome.

    Returns
    -------
    Figure
        Above, the estimates with their intervals, the chosen one large; below, a mark wherever an
        estimate makes a choice: of data, then of method. Choices that no estimate varies are left
        out.

    Raises
    ------
    ContractError
        If no row fits or a column is missing.
    """
    data = part_of(safe, metric=metric)
    require_columns(data.frame, ["preregistered", *charts.CHOICES], name="the specification curve")
    shown = data.frame[data.frame["estimate"].notna()].sort_values("estimate", kind="stable")
    # Read back from a file the mark is a word.
    chosen = shown["preregistered"].astype(str).eq("True").tolist()
    kinds = [kind for kind in _choices_varied(shown) if kind]
    left = _choice_names()
    width = palette.width() - left - 0.15
    boxes, top = [Box(left, 0.6, width, _CURVE)], 0.75 + _CURVE
    for kind in kinds:
        below = _ROW * sum(text.count("\n") + 1 for _, _, text in _named_choices(kind))
        boxes.append(Box(left, top, width, below))
        top += below + 0.15
    with page_of(data, boxes, height=top) as page:
        curve, *grids = page.panels
        _draw_curve(curve, shown, chosen)
        for grid, kind in zip(grids, kinds, strict=True):
            _draw_choices(grid, shown, chosen, kind)
        for axes in page.panels:
            axes.set_xlim(-1, len(shown))
        page.name_axis(charts.effect_axis(metric))
        effects = {"metric": metric_in_text(metric), "count": len(shown)}
        title = charts.CURVE_OF_CHOICES.format(**effects)
        return page.figure(
            f"specifications_{metric}",
            ["rank", *charts.CHOICES, "comparison", "estimate", "ci_lower", "ci_upper"],
            alt=[charts.SPECIFICATIONS_OF.format(title=title), *_curve_in_text(shown, chosen)],
            caption=[charts.SPECIFICATIONS_CAPTION.format(title=title)],
        )


def _choices_varied(shown: pd.DataFrame) -> list[dict[str, list[str]]]:
    """Return the choices that are varied with their values: those of data, those of method."""
    kinds = []
    for kind in (charts.OF_DATA, charts.OF_METHOD):
        choices = {name: sorted(set(shown[name].astype(str))) for name in kind}
        kinds.append({name: values for name, values in choices.items() if len(values) > 1})
    return kinds


def _draw_curve(axes: "Axes", shown: pd.DataFrame, chosen: Sequence[bool]) -> None:
    axes.axhline(0, color=palette.TEXT, lw=1.2, zorder=2.5)
    places = range(len(shown))
    low, value, high = (shown[name].tolist() for name in ("ci_lower", "estimate", "ci_upper"))
    draw_intervals(axes, places, low, high, upright=True, colour=palette.LIGHT_GREY, width=1.3)
    draw_points(axes, places, value, size=3)
    for at in (place for place in places if chosen[place]):
        pink: dict[str, Any] = {"colour": palette.DARK_PINK}
        draw_intervals(axes, [at], [low[at]], [high[at]], upright=True, **pink)
        draw_points(axes, [at], [value[at]], marker="D", size=7, **pink)
    axes.set_xticks([])


def _choice_names() -> float:
    """Return the inches of the names of the choices."""
    return _NARROW_LEFT if palette.is_narrow() else _LEFT


def _named_choices(choices: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str | None, str]]:
    """Yield each choice, then each of its values: name, value (None: the choice), its words."""
    letters = int((_choice_names() - _MARGIN) / _LETTER)
    for name, values in choices.items():
        yield name, None, wrapped(charts.CHOICES[name], int(letters * _LETTER / _BOLD_LETTER))
        for value in values:
            yield name, value, wrapped(value_label(name, value), letters)


def _draw_choices(
    axes: "Axes", shown: pd.DataFrame, chosen: Sequence[bool], choices: Mapping[str, Sequence[str]]
) -> None:
    """Mark every choice that an estimate makes, those of the protocol wider."""
    top = 0.0
    for name, value, text in _named_choices(choices):
        lines = text.count("\n") + 1
        middle = top + lines / 2
        top += lines
        _write_choice(axes, middle, text, heading=value is None)
        makes = [] if value is None else shown[name].astype(str).eq(value).tolist()
        for own, colour in ((False, palette.DARK_BLUE), (True, palette.DARK_PINK)):
            places = [at for at, one in enumerate(makes) if one and chosen[at] is own]
            width = 3.2 if own else 1.6
            axes.vlines(places, middle - 0.23, middle + 0.23, color=colour, lw=width)
    axes.set_ylim(top, 0)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["bottom"].set_color(palette.SHADE)


def _write_choice(axes: "Axes", height: float, text: str, *, heading: bool) -> None:
    left = _choice_names()
    at = (_MARGIN - left + (0.0 if heading else 0.1)) / (palette.width() - left - 0.15)
    style = {"fontsize": SMALL, "fontweight": "bold" if heading else "normal", "linespacing": 1.1}
    axes.text(at, height, text, transform=axes.get_yaxis_transform(), va="center", **style)


def _curve_in_text(shown: pd.DataFrame, chosen: Sequence[bool]) -> list[str]:
    if shown.empty:
        return [charts.NO_ESTIMATE]
    values = shown["estimate"].astype(float).tolist()
    sentences = [
        charts.ESTIMATES_RANGE.format(
            low=number(values[0], signed=True),
            high=number(values[-1], signed=True),
            below=int((shown["ci_upper"] < 0).sum()),
            above=int((shown["ci_lower"] > 0).sum()),
        )
    ]
    for at in [place for place, one in enumerate(chosen) if one][:1]:
        row = shown.iloc[at]
        interval = limits(float(row["ci_lower"]), float(row["ci_upper"]))
        estimate = charts.VALUE_AND_INTERVAL.format(
            value=number(values[at], signed=True), interval=interval
        )
        sentences.append(
            charts.PROTOCOL_CHOICE.format(estimate=estimate, rank=at + 1, count=len(shown))
        )
    return sentences
