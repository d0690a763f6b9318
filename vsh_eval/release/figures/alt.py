"""Alternative texts: what a chart shows, told with its numbers, made from the rows drawn."""

import math
from collections.abc import Sequence
from dataclasses import replace

from vsh_eval import academic_year
from vsh_eval.registry import Metric, comparable_years
from vsh_eval.release.figures.base import Series
from vsh_eval.release.text.phrases import amount, limits, listed, usual_decimals


def of_series(
    opening: str,
    series: Sequence[Series],
    years: Sequence[int],
    unit: str,
    stamp: str,
    *,
    metric: str,
    decimals: int = 1,
) -> str:
    """Tell how each line went from its first to its last year, and what lies between them.

    Parameters
    ----------
    opening : str
        What kind of chart it is, of what.
    series : sequence of Series
        The lines; of two, the distance in the last common year is told as well.
    years : sequence of int
        The academic years of the values.
    unit : str
        Unit of the values.
    stamp : str
        Told at the end where the data are not real.
    metric : str
        What is measured: years that may not be compared are drawn and not told as a course.
    decimals : int
        Decimal places of the values.
    """
    parts = [f"{opening}, {_years(years)}."]
    told = [_comparable(one, years, metric) for one in series]
    parts.extend(f"{one.label}: {_course(one, years, unit, decimals=decimals)}." for one in told)
    if len(series) == 2:
        parts.append(_between(told[0], told[1], years, unit, decimals))
    return _finish([*parts, _without(series, years)], stamp)


def of_gap(
    opening: str, series: Sequence[Series], years: Sequence[int], entry: Metric, stamp: str
) -> str:
    """Tell how the gap went from its first to its last year, and the ratio where it is drawn."""
    parts = [
        f"{opening}, {_years(years)}.",
        f"The gap {_gap_course(_comparable(series[0], years, entry.name), years, entry)}.",
    ]
    known = [(place, v) for place, v in enumerate(series[0].values) if not math.isnan(v)]
    if known and not math.isnan(series[0].lower[known[-1][0]]):
        place = known[-1][0]
        lower, upper = series[0].lower[place], series[0].upper[place]
        ends = limits(lower, upper, decimals=usual_decimals(entry.name))
        parts.append(f"95% interval of the last: {ends}.")
    if len(series) > 1:
        ratio = _comparable(series[1], years, entry.name)
        parts.append(f"The ratio {_course(ratio, years, '', decimals=2)}.")
    return _finish([*parts, _without(series[:1], years)], stamp)


def _comparable(one: Series, years: Sequence[int], metric: str) -> Series:
    """Return a line without the years that may not be compared with the others."""
    kept = set(comparable_years(metric, years))
    pairs = zip(years, one.values, strict=True)
    return replace(one, values=tuple(v if year in kept else math.nan for year, v in pairs))


def _gap_course(one: Series, years: Sequence[int], entry: Metric) -> str:
    """Tell a gap's course with its direction, which the sign alone does not tell."""
    known = [(year, v) for year, v in zip(years, one.values, strict=True) if not math.isnan(v)]
    if len(known) < 2:
        return _course(one, years, entry.gap_unit, decimals=usual_decimals(entry.name))
    (first_year, first), (last_year, last) = known[0], known[-1]
    worse = last > first if entry.lower_is_better else last < first
    places = usual_decimals(entry.name)
    start, end = (amount(value, entry.gap_unit, decimals=places) for value in (first, last))
    verdict = "wider than" if worse else "narrower than"
    if start == end or round(abs(last - first), places) == 0:
        verdict = "as wide as" if start == end else "about as wide as"
    return (
        f"was {end} in {academic_year.label(last_year)}, {verdict} the {start} of "
        f"{academic_year.label(first_year)}"
    )


def _course(one: Series, years: Sequence[int], unit: str, *, decimals: int = 1) -> str:
    known = [(year, v) for year, v in zip(years, one.values, strict=True) if not math.isnan(v)]
    if not known:
        return "not shown in any year"
    (first_year, first), (last_year, last) = known[0], known[-1]
    start = amount(first, unit, decimals=decimals)
    if len(known) == 1:
        return f"was {start} in {academic_year.label(first_year)}, the only year shown"
    end = amount(last, unit, decimals=decimals)
    if start == end:
        first_label, last_label = academic_year.label(first_year), academic_year.label(last_year)
        return f"was the same, {start}, in {first_label} and {last_label}"
    verb = "rose" if last > first else "fell"
    return (
        f"{verb} from {start} in {academic_year.label(first_year)} to {end} in "
        f"{academic_year.label(last_year)}"
    )


def _between(first: Series, second: Series, years: Sequence[int], unit: str, decimals: int) -> str:
    gap_unit = "percentage points" if unit == "%" else unit
    both = [
        (year, a - b)
        for year, a, b in zip(years, first.values, second.values, strict=True)
        if not math.isnan(a - b)
    ]
    if not both:
        return ""
    (first_year, start), (last_year, end) = both[0], both[-1]
    size = amount(end, gap_unit, decimals=decimals)
    said = f"The gap was {size} in {academic_year.label(last_year)}"
    if first_year == last_year:
        return f"{said}."
    before = amount(start, gap_unit, decimals=decimals)
    return f"{said}, {before} in {academic_year.label(first_year)}."


def _without(series: Sequence[Series], years: Sequence[int]) -> str:
    missing = [
        academic_year.label(year)
        for place, year in enumerate(years)
        if all(math.isnan(one.values[place]) for one in series)
    ]
    return f"Nothing is shown for {listed(missing)}." if missing else ""


def _years(years: Sequence[int]) -> str:
    if len(years) == 1:
        return academic_year.label(years[0])
    return f"{academic_year.label(years[0])} to {academic_year.label(years[-1])}"


def of_reach(opening: str, series: Sequence[Series], years: Sequence[int], stamp: str) -> str:
    """Tell what share each programme reached by the last year."""
    parts = [f"{opening}, {_years(years)}."]
    parts.extend(f"{one.label}: {_course(one, years, '%')}." for one in series)
    return _finish(parts, stamp)


def of_estimates(opening: str, told: Sequence[str], stamp: str) -> str:
    """Tell estimates one after the other."""
    return _finish([f"{opening}.", *(f"{one}." for one in told)], stamp)


def _finish(parts: Sequence[str], stamp: str) -> str:
    marked = f"Marked: {stamp}." if stamp else ""
    return " ".join(part for part in (*parts, marked) if part)
