"""What a gap goes with, as bars, and what it would have been had the mix of children stayed."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError
from vsh_eval.registry import Metric
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.figures import alt, palette
from vsh_eval.release.figures.base import (
    Figure,
    Series,
    canvas,
    draw_series,
    draw_years,
    label_ends,
    mark_breaks,
    mark_hidden,
    name_axis,
    span_of,
    to_png,
)
from vsh_eval.release.figures.tall import ROW, signed, tall_canvas, write
from vsh_eval.release.rows import is_shown, one_row, part_of, records, status_of, value_of
from vsh_eval.release.text.labels import metric_in_text, phase_in_text, upper_first, year_label
from vsh_eval.release.text.phrases import amount, limits, number, symbol_notes, together

Row = dict[str, Any]
_FACTORS = ("phase", "sen", "fsm6", "sex")
_WORDS = {
    "gap": "The gap",
    "composition": "Goes with who the children are",
    "rates": "Between children alike",
    "composition_phase": "Of which phase of school",
    "composition_sen": "Of which SEN",
    "composition_fsm6": "Of which free school meals",
    "composition_sex": "Of which sex",
}


def draw_decomposition(
    safe: SafeTable,
    *,
    metric: str,
    year: int,
    phase: str = names.TOTAL,
    group: str | None = None,
) -> Figure:
    """Draw how much of a gap goes with who the children are, and how much does not.

    Parameters
    ----------
    safe : SafeTable
        A ``decomposition`` table, decomposed.
    metric, phase : str
        Which gap.
    year : int
        The academic year, for example 202425.
    group : str, optional
        Needed where the table holds more than one group compared.

    Returns
    -------
    Figure
        A bar for the gap; below it one that begins at nought for the composition and one that
        goes on from there for the rest. Single characteristics are lighter bars where shown.

    Raises
    ------
    ContractError
        If no row, or more than one, fits, or the parts are hidden.
    """
    where = {"metric": metric, "time_period": year, "phase": phase, "group": group}
    data, row = part_of(safe, **where), one_row(safe, **where)
    if not is_shown(row, "gap", "composition", "rates"):
        raise ContractError(
            f"the parts of the gap in {metric} in {year} are not shown ({status_of(row)}), must be "
            "there to be drawn; say so with decomposition_sentence instead."
        )
    entry = registry.metric(metric)
    bars = _bars(row)
    with tall_canvas(ROW * 1.25 * len(bars), data.stamp, head=0.12) as (figure, axes):
        _draw_bars(axes, bars)
        axes.set_xlabel(upper_first(entry.gap_unit))
        png = to_png(figure, data.stamp)
    where_said = f" {phase_in_text(phase)}" if phase_in_text(phase) else ""
    title = f"What the gap in {metric_in_text(metric)}{where_said} goes with, {year_label(year)}"
    shown = [name for name in ("gap", *_part_names()) if is_shown(row, name)]
    return Figure(
        png=png,
        alt=alt.of_estimates(
            f"Bar chart: {title}",
            [_told_bar(name, row, entry) for name in shown],
            data.stamp,
        ),
        caption=f"{title}. In brackets: 95% interval. It says what goes together, not what causes "
        "what.",
        data=data,
        name=f"decomposition_{metric}_{phase}",
        columns=tuple(dict.fromkeys(["gap", *(c for n in shown for c in _with_limits(n, row))])),
    )


def draw_standardised(
    safe: SafeTable, *, metric: str, phase: str = names.TOTAL, group: str | None = None
) -> Figure:
    """Draw the gap over the years beside the gap had the mix of children stayed.

    Parameters
    ----------
    safe : SafeTable
        A ``decomposition`` table, standardised.
    metric, phase : str
        Which gap.
    group : str, optional
        Needed where the table holds more than one group compared.

    Returns
    -------
    Figure
        Two lines; where they part, the mix of children has moved the gap.

    Raises
    ------
    ContractError
        If no row fits, or a year occurs twice.
    """
    data = part_of(safe, metric=metric, phase=phase, group=group)
    rows = records(data)
    years = span_of([int(row["time_period"]) for row in rows])
    if len({int(row["time_period"]) for row in rows}) < len(rows):
        raise ContractError(
            "standardised_gap has more than one row a year, must have one; name the group that "
            "singles the series out."
        )
    entry, baseline = registry.metric(metric), year_label(rows[0]["baseline"])
    drawn = [
        _series(rows, years, "gap", "Gap"),
        _series(rows, years, "standardised_gap", f"Had the mix of {baseline} stayed"),
    ]
    with canvas(stamp=data.stamp) as (figure, (axes,)):
        _draw_lines(axes, drawn, metric, years)
        notes = mark_breaks(axes, metric, years, drawn=drawn)
        symbols = _mark_missing(axes, rows, years, metric)
        label_ends(axes, _ends(drawn))
        draw_years(axes, years)
        name_axis(axes, f"Gap in {metric_in_text(metric)} ({entry.gap_unit})")
        png = to_png(figure, data.stamp)
    where_said = f" {phase_in_text(phase)}" if phase_in_text(phase) else ""
    title = f"Gap in {metric_in_text(metric)}{where_said}, and had the mix of children stayed"
    return Figure(
        png=png,
        alt=alt.of_estimates(
            f"Line chart: {title}", _told_years(rows, entry.gap_unit, baseline), data.stamp
        ),
        caption=" ".join([f"{title}. Shaded: 95% interval.", *together(notes), *symbols]),
        data=data,
        name=f"standardised_{metric}_{phase}",
        columns=(
            *("time_period", "gap", "standardised_gap"),
            *("standardised_gap_lower", "standardised_gap_upper"),
        ),
    )


def _part_names() -> tuple[str, ...]:
    return ("composition", *(f"composition_{factor}" for factor in _FACTORS), "rates")


def _bars(row: Row) -> list[tuple[str, float, float, str]]:
    """Return each bar's name, its ends, and what it says."""
    gap, part = value_of(row, "gap"), value_of(row, "composition")
    bars = [("gap", 0.0, gap, _with_interval("gap", row))]
    bars.append(("composition", 0.0, part, _with_interval("composition", row)))
    end = 0.0
    for factor in _FACTORS:
        name = f"composition_{factor}"
        if is_shown(row, name) and value_of(row, name) != 0:
            bars.append((name, end, end + value_of(row, name), signed(value_of(row, name))))
            end += value_of(row, name)
    bars.append(("rates", part, gap, _with_interval("rates", row)))
    return bars


_COLOURS = {"gap": palette.DARK_GREY, "composition": palette.TURQUOISE, "rates": palette.DARK_BLUE}


def _draw_bars(axes: Axes, bars: Sequence[tuple[str, float, float, str]]) -> None:
    axes.axvline(0, color=palette.TEXT, lw=1.2, zorder=3)
    for place, (name, start, end, text) in enumerate(bars):
        height = -float(place)
        single = name not in _COLOURS
        colour = _COLOURS.get(name, palette.TURQUOISE)
        axes.barh(
            height - 0.12,
            end - start,
            left=start,
            height=0.2 if single else 0.4,
            color="white" if single else colour,
            edgecolor=colour,
            hatch="////" if single else None,
            linewidth=1.4,
            zorder=2,
        )
        write(axes, 0.0, height + 0.31, _WORDS[name], weight="normal" if single else "bold")
        value, _, interval = text.partition(" ")
        write(axes, 1.02, height - 0.02, value, weight="normal" if single else "bold")
        if interval:
            write(axes, 1.02, height - 0.3, interval, size=9.5, quiet=True)
    axes.set_ylim(-len(bars) + 0.42, 0.52)
    axes.margins(x=0.05)


def _with_interval(name: str, row: Row) -> str:
    said = signed(value_of(row, name))
    if not is_shown(row, f"{name}_lower", f"{name}_upper"):
        return said
    return f"{said} ({limits(value_of(row, f'{name}_lower'), value_of(row, f'{name}_upper'))})"


def _told_bar(name: str, row: Row, entry: Metric) -> str:
    words = _WORDS[name]
    said = f"{words}: {amount(value_of(row, name), entry.gap_unit)}"
    if not is_shown(row, f"{name}_lower", f"{name}_upper"):
        return said
    between = limits(value_of(row, f"{name}_lower"), value_of(row, f"{name}_upper"))
    return f"{said} (95% interval {between})"


def _with_limits(name: str, row: Row) -> list[str]:
    return [c for c in (name, f"{name}_lower", f"{name}_upper") if c in row]


# --- Lines over the years.


def _series(rows: Sequence[Row], years: Sequence[int], column: str, label: str) -> Series:
    by_year = {int(row["time_period"]): row for row in rows}
    found = [by_year.get(year, {}) for year in years]
    return Series(
        label,
        tuple(value_of(row, column) for row in found),
        tuple(value_of(row, f"{column}_lower") for row in found),
        tuple(value_of(row, f"{column}_upper") for row in found),
    )


def _draw_lines(axes: Axes, drawn: Sequence[Series], metric: str, years: Sequence[int]) -> None:
    apart = {e.time_period for e in registry.breaks_of(metric, years) if e.kind == "not_comparable"}
    for one, line in zip(drawn, palette.LINES, strict=False):
        draw_series(axes, one, line, hollow=[year in apart for year in years])
    axes.axhline(0, color=palette.TEXT, lw=1.2, zorder=1)
    known = [v for s in drawn for v in (*s.values, *s.lower, *s.upper) if not math.isnan(v)]
    low, high = min([0.0, *known]), max([0.0, *known])
    room = 0.12 * (high - low or 1.0)
    axes.set_ylim(low - (room if low < 0 else 0), high + (room if high > 0 or low == 0 else 0))


def _ends(drawn: Sequence[Series]) -> list[tuple[str, float, str]]:
    found = []
    for one, line in zip(drawn, palette.LINES, strict=False):
        last = next((v for v in reversed(one.values) if not math.isnan(v)), math.nan)
        if not math.isnan(last):
            found.append((f"{one.label}\n{number(last)}", last, line.text_colour))
    return found


def _told_years(rows: Sequence[Row], unit: str, baseline: str) -> list[str]:
    """Tell both gaps of the first and the last year shown, and how far apart they ever were."""
    shown = sorted(
        (row for row in rows if is_shown(row, "gap", "standardised_gap")),
        key=lambda row: int(row["time_period"]),
    )
    if not shown:
        return ["No year is shown"]
    told = [
        f"In {year_label(row['time_period'])} the gap was {amount(row['gap'], unit)}, and "
        f"{number(row['standardised_gap'])} had the mix of {baseline} stayed"
        for row in (shown[:1] if len(shown) == 1 else [shown[0], shown[-1]])
    ]
    apart = max(abs(float(row["gap"]) - float(row["standardised_gap"])) for row in shown)
    return [*told, f"The two are never more than {amount(apart, unit)} apart"]


def _mark_missing(axes: Axes, rows: Sequence[Row], years: Sequence[int], metric: str) -> list[str]:
    explained = {e.time_period for e in registry.breaks_of(metric) if e.kind == "no_data"}
    hidden = {
        years.index(int(row["time_period"])): status_of(row)
        for row in rows
        if not is_shown(row, "gap") and row["time_period"] not in explained
    }
    mark_hidden(axes, hidden)
    notes = symbol_notes(sorted(set(hidden.values())))
    return [f"{'; '.join(notes)}."] if notes else []
