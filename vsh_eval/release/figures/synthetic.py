"""An authority against a mixture of others, and how far chance alone goes."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from vsh_eval import academic_year, registry
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.figures import palette
from vsh_eval.release.figures.base import (
    Figure,
    Series,
    canvas,
    draw_series,
    draw_years,
    label_ends,
    mark_breaks,
    name_axis,
    span_of,
    to_png,
)
from vsh_eval.release.figures.palette import Line
from vsh_eval.release.rows import part_of, records, value_of
from vsh_eval.release.text.labels import metric_in_text, value_label
from vsh_eval.release.text.phrases import amount, number

_SYNTHETIC = Line(palette.DARK_GREY, "s", (0, (5, 1.6)), palette.DARK_GREY)
_AUTHORITY = palette.LINES[0]
_SPREAD = "#D5D7D8"
_COLUMNS = ("time_period", "outcome", "synthetic", "effect", "placebo_lower", "placebo_upper")


def draw_synthetic(
    safe: SafeTable,
    *,
    metric: str,
    authority: str,
    comparison: str | None = None,
    confidence: float = 95,
) -> Figure:
    """Draw an authority beside its synthetic counterpart, and the distance between them.

    Parameters
    ----------
    safe : SafeTable
        A ``published`` table of `effects.authority_course`: time_period, outcome, synthetic,
        effect, placebo_lower, placebo_upper, before.
    metric : str
        Whose gap.
    authority : str
        The authority's name.
    comparison : str, optional
        The donors, where the table holds more than one pool.
    confidence : float
        Share of the placebos that the grey band holds, for the words only.

    Returns
    -------
    Figure
        Above, both gaps over the years; below, their distance, over a grey band of what other
        authorities come to by chance. An upright line stands where it started.

    Raises
    ------
    ContractError
        If no row fits.
    """
    data = part_of(safe, metric=metric, comparison=comparison)
    rows = sorted(records(data), key=lambda row: int(row["time_period"]))
    years = span_of([int(row["time_period"]) for row in rows])
    by_year = {int(row["time_period"]): row for row in rows}
    start = min(int(row["time_period"]) for row in rows if not bool(row["before"]))
    own, other, distance, chance = (
        _series(by_year, years, column, label)
        for column, label in (
            ("outcome", authority),
            ("synthetic", "Mixture of others"),
            ("effect", "Distance"),
            ("placebo_upper", "Chance"),
        )
    )
    unit = registry.metric(metric).gap_unit
    with canvas(2, height=3.5, stamp=data.stamp) as (figure, (above, below)):
        notes = _draw_both(above, own, other, metric, years)
        _draw_distance(below, distance, chance, years)
        for axes in (above, below):
            axes.axvline(years.index(start) - 0.5, color=palette.TEXT, lw=1.6, zorder=1)
        _name_start(below, years.index(start) - 0.5)
        name_axis(above, f"Gap in {metric_in_text(metric)} ({unit})")
        name_axis(below, f"{authority} less the mixture ({unit})")
        png = to_png(figure, data.stamp)
    pool = value_label("comparison", rows[0]["comparison"])
    title = f"Gap in {metric_in_text(metric)}: {authority} and a mixture of others"
    return Figure(
        png=png,
        alt=_alt(title, (own, other, distance, chance), years, start, data.stamp, unit, confidence),
        caption=(
            f"{title}. Donors: {pool.lower()}. Upright line: the offer starts in "
            f"{academic_year.label(start)}. Grey: where {confidence:g}% of authorities of about "
            f"its size lie when nothing happened. {' '.join(notes)}"
        ).strip(),
        data=data,
        name=f"synthetic_{metric}_{rows[0]['comparison']}",
        columns=_COLUMNS,
    )


def _series(
    by_year: dict[int, dict[str, object]], years: Sequence[int], column: str, label: str
) -> Series:
    nothing = (math.nan,) * len(years)
    values = tuple(value_of(by_year.get(year, {}), column) for year in years)
    return Series(label, values, nothing, nothing)


def _draw_both(
    axes: Axes, own: Series, other: Series, metric: str, years: Sequence[int]
) -> list[str]:
    draw_series(axes, other, _SYNTHETIC)
    draw_series(axes, own, _AUTHORITY)
    axes.margins(y=0.16)
    axes.autoscale_view(scalex=False)
    axes.set_ylim(*axes.get_ylim())
    draw_years(axes, years)
    label_ends(
        axes,
        [
            (f"{one.label}\n{number(_last(one))}", _last(one), line.text_colour)
            for one, line in ((own, _AUTHORITY), (other, _SYNTHETIC))
        ],
    )
    return mark_breaks(axes, metric, years, drawn=[own, other])


def _draw_distance(axes: Axes, distance: Series, chance: Series, years: Sequence[int]) -> None:
    """Draw the distance over what chance comes to; a year alone gets a bar."""
    known = [place for place, value in enumerate(chance.values) if not math.isnan(value)]
    for place in known:
        half = chance.values[place]
        axes.fill_between([place - 0.32, place + 0.32], -half, half, color=_SPREAD, lw=0, zorder=0)
    axes.axhline(0, color=palette.TEXT, lw=1.2, zorder=1)
    draw_series(axes, distance, _AUTHORITY)
    axes.margins(y=0.16)
    axes.autoscale_view(scalex=False)
    axes.set_ylim(*axes.get_ylim())
    draw_years(axes, years)
    ends = [(f"Distance\n{_signed(_last(distance))}", _last(distance), _AUTHORITY.text_colour)]
    if known:
        ends.append(("Chance", -chance.values[known[-1]] * _side(distance), palette.QUIET))
    label_ends(axes, ends)


def _name_start(axes: Axes, place: float) -> None:
    axes.annotate(
        "offer from here",
        (place, 1),
        xycoords=("data", "axes fraction"),
        xytext=(5, 0),
        textcoords="offset points",
        va="top",
        fontsize=10.5,
        color=palette.QUIET,
    )


def _side(distance: Series) -> int:
    return 1 if _last(distance) >= 0 else -1


def _last(one: Series) -> float:
    return next((v for v in reversed(one.values) if not math.isnan(v)), 0.0)


def _signed(value: float) -> str:
    return number(value, signed=True)


def _alt(
    title: str,
    series: tuple[Series, Series, Series, Series],
    years: Sequence[int],
    start: int,
    stamp: str,
    unit: str,
    confidence: float,
) -> str:
    own, other, distance, chance = series
    parts = [f"Line charts. {title}, {_span(years)}."]
    after = [
        year
        for year, v in zip(years, own.values, strict=True)
        if year >= start and not math.isnan(v)
    ]
    last = years.index(after[-1])
    parts.append(
        f"In {academic_year.label(years[last])} the gap was {amount(own.values[last], unit)}, of "
        f"the mixture {amount(other.values[last], unit)}."
    )
    beyond = [
        academic_year.label(year)
        for year, value, half in zip(years, distance.values, chance.values, strict=True)
        if year >= start and abs(value) > half
    ]
    apart = "; ".join(
        f"{academic_year.label(year)} {_signed(distance.values[years.index(year)])}"
        for year in after
    )
    parts.append(f"Distance since the offer started: {apart}.")
    if all(math.isnan(half) for half in chance.values):
        return " ".join([*parts, *([f"Marked: {stamp}."] if stamp else [])])
    parts.append(
        f"Further from nought than {confidence:g}% of authorities of about its size: "
        f"{', '.join(beyond) or 'in no year'}."
    )
    return " ".join([*parts, *([f"Marked: {stamp}."] if stamp else [])])


def _span(years: Sequence[int]) -> str:
    return f"{academic_year.label(years[0])} to {academic_year.label(years[-1])}"
