"""Alternative texts: what a chart shows with its numbers, made from the rows drawn."""

import math
from collections.abc import Sequence
from dataclasses import replace

from vsh_eval.registry import Metric, comparable_years
from vsh_eval.release.figures.base import Series
from vsh_eval.release.text.phrases import charts
from vsh_eval.release.text.phrases.labels import year_label
from vsh_eval.release.text.phrases.numbers import amount, limits, listed, number, rounded


def named(name: str, text: str) -> str:
    """Say something of what has a name."""
    return charts.NAMED.format(name=name, text=text)


def over_years(opening: str, years: Sequence[int]) -> str:
    """Name the years of a chart after what it is."""
    first, last = year_label(years[0]), year_label(years[-1])
    span = first if len(years) == 1 else charts.YEARS.format(first=first, last=last)
    return charts.OVER_YEARS.format(opening=opening, years=span)


# Years that may not be compared are drawn and are no part of a course.


def of_levels(series: Sequence[Series], entry: Metric, *, decimals: int) -> list[str]:
    """Say how each of two lines went, what lay between them, and where nothing is shown."""
    own, other = (_comparable(one, entry) for one in series)
    went = [named(one.label, _course(one, entry.unit, decimals=decimals)) for one in (own, other)]
    return [*went, _between(own, other, entry, decimals=decimals), _missing(series)]


def of_gap(gap: Series, entry: Metric, *, decimals: int) -> list[str]:
    """Say how the gap went from its first to its last year."""
    went = charts.THE_GAP.format(course=_gap_course(_comparable(gap, entry), entry, decimals))
    return [went, _last_interval(gap, decimals=decimals), _missing([gap])]


def of_ratio(ratio: Series, entry: Metric, *, decimals: int) -> list[str]:
    """Say how the ratio went from its first to its last year."""
    went = _course(_comparable(ratio, entry), "", decimals=decimals)
    return [charts.THE_RATIO.format(course=went), _missing([ratio])]


def of_gaps(series: Sequence[Series], entry: Metric, *, decimals: int) -> list[str]:
    """Say where each of several gaps began and ended, then the interval of each one's end."""
    ends = [named(one.label, counts(_comparable(one, entry), decimals=decimals)) for one in series]
    intervals = [(one.label, _last_interval(one, decimals=decimals)) for one in series]
    ends_in_text = [named(label, interval) for label, interval in intervals if interval]
    return [*ends, _missing(series), *ends_in_text]


def counts(one: Series, *, decimals: int = 0) -> str:
    """Give the first and the last number."""
    known = [(year_label(year), number(count, decimals=decimals)) for year, count in one.shown]
    if not known:
        return charts.NOT_SHOWN
    ends = known[:1] if len(known) == 1 else [known[0], known[-1]]
    return ", ".join(charts.COUNT_IN_YEAR.format(count=count, year=year) for year, count in ends)


def _course(one: Series, unit: str, *, decimals: int) -> str:
    """Say where a line began and where it ended."""
    if not one.shown:
        return charts.NOT_IN_ANY_YEAR
    (first_year, first), (last_year, last) = one.shown[0], one.shown[-1]
    start, end = (amount(value, unit, decimals=decimals) for value in (first, last))
    years = {"first": year_label(first_year), "last": year_label(last_year)}
    if len(one.shown) == 1:
        return charts.ONE_YEAR.format(value=start, year=years["first"])
    if start == end:
        return charts.SAME_VALUE.format(value=start, **years)
    return charts.COURSE.format(start=start, end=end, **years)


def _comparable(one: Series, entry: Metric) -> Series:
    """Return a line without the years that may not be compared with the others."""
    comparable = set(comparable_years(entry.name, one.years))
    pairs = zip(one.years, one.values, strict=True)
    return replace(one, values=tuple(v if year in comparable else math.nan for year, v in pairs))


def _gap_course(one: Series, entry: Metric, decimals: int) -> str:
    """Give a gap's course with its direction, which the sign alone does not say."""
    if len(one.shown) < 2:
        return _course(one, entry.gap_unit, decimals=decimals)
    (first_year, first), (last_year, last) = one.shown[0], one.shown[-1]
    worse = last > first if entry.lower_is_better else last < first
    start, end = (amount(value, entry.gap_unit, decimals=decimals) for value in (first, last))
    verdict = charts.WIDER if worse else charts.NARROWER
    if start == end or rounded(last - first, decimals) == 0:
        verdict = charts.AS_WIDE if start == end else charts.ABOUT_AS_WIDE
    years = {"first": year_label(first_year), "last": year_label(last_year)}
    return charts.GAP_COURSE.format(end=end, verdict=verdict, start=start, **years)


def _between(first: Series, second: Series, entry: Metric, *, decimals: int) -> str:
    """Give the distance of two lines in the last and the first year that have both."""
    apart = tuple(a - b for a, b in zip(first.values, second.values, strict=True))
    both = replace(first, values=apart).shown
    if not both:
        return ""
    (first_year, start), (last_year, end) = both[0], both[-1]
    value, before = (amount(v, entry.gap_unit, decimals=decimals) for v in (end, start))
    last = {"value": value, "year": year_label(last_year)}
    if first_year == last_year:
        return charts.GAP_LAST.format(**last)
    return charts.GAP_BOTH.format(before=before, first=year_label(first_year), **last)


def _last_interval(gap: Series, *, decimals: int) -> str:
    """Give the interval of the last value there is, '' where it has none."""
    known = [place for place, value in enumerate(gap.values) if not math.isnan(value)]
    if not known or math.isnan(gap.lower[known[-1]]):
        return ""
    interval = limits(gap.lower[known[-1]], gap.upper[known[-1]], decimals=decimals)
    return charts.LAST_INTERVAL.format(interval=interval)


def _missing(series: Sequence[Series]) -> str:
    """Name the years in which nothing is shown, '' where there is none."""
    shown = {year for one in series for year, _ in one.shown}
    missing = [year_label(year) for year in series[0].years if year not in shown]
    return charts.NOTHING_FOR.format(years=listed(missing)) if missing else ""
