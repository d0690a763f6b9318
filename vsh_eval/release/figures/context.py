"""An authority among others: England, its region, its statistical neighbours."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError, require_one_of
from vsh_eval.release import palette
from vsh_eval.release.figures import alt
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
from vsh_eval.release.labels import group_in_text, metric_in_text, phase_in_text
from vsh_eval.release.palette import Line
from vsh_eval.release.rows import part_of, records, value_of
from vsh_eval.release.safe import SafeTable
from vsh_eval.release.wording import number

_STYLES = (
    Line(palette.DARK_BLUE, "o", "solid", palette.DARK_BLUE),
    Line(palette.DARK_GREY, "s", (0, (5, 1.6)), palette.DARK_GREY),
    Line(palette.ORANGE, "^", (0, (1.4, 1.4)), "#B23F07"),
)
_GREY = "#A8ABAD"


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
    """Draw an authority against England and its region, its neighbours in grey behind.

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
        The authority with its interval; England and the region beside it; neighbours in grey.

    Raises
    ------
    ContractError
        If no row fits, or the authority has none.
    """
    require_one_of(measure, ("gap", "group_level"), name="measure")
    data = part_of(safe, metric=metric, phase=phase, group=group)
    rows = records(data)
    years = span_of([int(row["time_period"]) for row in rows])
    lines = _lines(rows, years, measure, {**(labels or {})})
    if authority not in lines["la"]:
        raise ContractError(
            f"authority {authority} has no row among {len(lines['la'])} authorities, must have "
            "one a year; give the unit_id that the table holds."
        )
    own = lines["la"].pop(authority)
    named = [own, *lines["national"].values(), *lines["region"].values()][: len(_STYLES)]
    neighbours = list(lines["la"].values())
    entry = registry.metric(metric)
    unit = entry.gap_unit if measure == "gap" else entry.unit
    measured = f"Gap in {metric_in_text(metric)}" if measure == "gap" else entry.label
    where = phase_in_text(phase)
    of_whom = f"{group_in_text(rows[0]['group'])}{f' {where}' if where else ''}"
    title = f"{measured} of {of_whom}: {own.label} among others"
    with canvas(height=4.3, stamp=data.stamp) as (figure, (axes,)):
        notes = _draw(axes, named, neighbours, metric, years)
        _label(axes, named, neighbours)
        name_axis(axes, f"{measured} ({unit})")
        png = to_png(figure, data.stamp)
    behind = f" Grey: {len(neighbours)} statistical neighbours." if neighbours else ""
    return Figure(
        png=png,
        alt=alt.of_context(f"Line chart. {title}", named, neighbours, years, unit, data.stamp),
        caption=" ".join([f"{title}.{behind}", *notes]),
        data=data,
        name=f"context_{metric}_{measure}",
        columns=("unit_id", "time_period", measure),
        areas=dict(labels or {}),
    )


def _lines(
    rows: Sequence[dict[str, Any]],
    years: Sequence[int],
    measure: str,
    labels: Mapping[str, str],
) -> dict[str, dict[str, Series]]:
    """Arrange the areas by level; England is named so where no label says otherwise."""
    found: dict[str, dict[str, Series]] = {"la": {}, "region": {}, "national": {}}
    for unit in dict.fromkeys(str(row["unit_id"]) for row in rows):
        own = [row for row in rows if row["unit_id"] == unit]
        by_year = {int(row["time_period"]): row for row in own}
        if len(by_year) < len(own):
            raise ContractError(
                f"area {unit} has more than one row a year, must have one; name the group."
            )
        level = str(own[0]["geographic_level"])
        name = labels.get(unit, "England" if level == "national" else unit)
        parts = (
            tuple(value_of(by_year.get(year, {}), f"{measure}{ending}") for year in years)
            for ending in ("", "_lower", "_upper")
        )
        found[level][unit] = Series(name, *parts)
    return found


def _draw(
    axes: Axes,
    named: Sequence[Series],
    neighbours: Sequence[Series],
    metric: str,
    years: Sequence[int],
) -> list[str]:
    for one in neighbours:
        axes.plot(range(len(years)), one.values, color=_GREY, lw=1.1, marker=".", ms=4, mew=0)
    for one, style in reversed(list(zip(named, _STYLES, strict=False))):
        draw_series(axes, one, style)
    axes.margins(y=0.1)
    axes.autoscale_view(scalex=False)
    axes.set_ylim(*axes.get_ylim())
    draw_years(axes, years)
    return mark_breaks(axes, metric, years, drawn=[*named, *neighbours])


def _label(axes: Axes, named: Sequence[Series], neighbours: Sequence[Series]) -> None:
    ends = []
    for one, style in zip(named, _STYLES, strict=False):
        value = _last(one)
        if math.isnan(value):
            continue
        ends.append((f"{one.label}\n{number(value)}", value, style.text_colour))
    last = sorted(v for v in (_last(one) for one in neighbours) if not math.isnan(v))
    if last:
        ends.append(("Neighbours", last[len(last) // 4], palette.QUIET))
    label_ends(axes, ends)


def _last(one: Series) -> float:
    return next((v for v in reversed(one.values) if not math.isnan(v)), math.nan)
