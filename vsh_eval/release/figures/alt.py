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


def of_levels(
    series: Sequence[Series], years: Sequence[int], entry: Metric, *, decimals: int
) -> list[str]:
    """Say how each line went, and of two lines what lay between them."""
    sentences = courses(series, years, entry.name, entry.unit, decimals=decimals)
    if len(series) == 2:
        own, other = (_comparable(one, years, entry.name) for one in series)
        sentences.insert(-1, _between(own, other, years, entry, decimals=decimals))
    return sentences


def courses(
    series: Sequence[Series], years: Sequence[int], metric: str, unit: str, *, decimals: int = 1
) -> list[str]:
    """Say how each line went from its first to its last year.

    Parameters
    ----------
    series : sequence of Series
        The lines.
    years : sequence of int
        The academic years of the values.
    metric : str
        What is measured: years that may not be compared are drawn and are no part of a course.
    unit, decimals : str, int
        How values are written.

    Returns
    -------
    list of str
        A sentence a line, and last the years in which nothing is shown ('' for none).
    """
    sentences = [
        named(one.label, course(_comparable(one, years, metric), years, unit, decimals=decimals))
        for one in series
    ]
    return [*sentences, _missing(series, years)]


def of_gap(gap: Series, years: Sequence[int], entry: Metric, *, decimals: int) -> list[str]:
    """Say how the gap went from its first to its last year."""
    compared = _comparable(gap, years, entry.name)
    went = _gap_course(compared, years, entry, decimals=decimals)
    sentences = [charts.THE_GAP.format(course=went)]
    return [*sentences, _last_interval(gap, decimals=decimals), _missing([gap], years)]


def of_ratio(ratio: Series, years: Sequence[int], entry: Metric, *, decimals: int) -> list[str]:
    """Say how the ratio went from its first to its last year."""
    compared = _comparable(ratio, years, entry.name)
    went = course(compared, years, "", decimals=decimals)
    return [charts.THE_RATIO.format(course=went), _missing([ratio], years)]


def of_gaps(
    series: Sequence[Series], years: Sequence[int], entry: Metric, *, decimals: int
) -> list[str]:
    """Say where each of several gaps began and ended, then the interval of each one's end."""
    ends, intervals = [], []
    for one in series:
        compared = _comparable(one, years, entry.name)
        ends.append(named(one.label, counts(compared, years, decimals=decimals)))
        interval = _last_interval(one, decimals=decimals)
        intervals.append(named(one.label, interval) if interval else "")
    return [*ends, _missing(series, years), *intervals]


def course(one: Series, years: Sequence[int], unit: str, *, decimals: int = 1) -> str:
    """Say where a line began and where it ended."""
    known = one.shown(years)
    if not known:
        return charts.NOT_IN_ANY_YEAR
    (first_year, first), (last_year, last) = known[0], known[-1]
    start, end = (amount(value, unit, decimals=decimals) for value in (first, last))
    first_label, last_label = year_label(first_year), year_label(last_year)
    if len(known) == 1:
        return charts.ONE_YEAR.format(value=start, year=first_label)
    if start == end:
        return charts.SAME_VALUE.format(value=start, first=first_label, last=last_label)
    verb = charts.ROSE if last > first else charts.FELL
    return charts.COURSE.format(verb=verb, start=start, first=first_label, end=end, last=last_label)


def counts(one: Series, years: Sequence[int], *, decimals: int = 0) -> str:
    """Give the first and the last number."""
    shown = one.shown(years)
    known = [(year_label(year), number(count, decimals=decimals)) for year, count in shown]
    if not known:
        return charts.NOT_SHOWN
    ends = known[:1] if len(known) == 1 else [known[0], known[-1]]
    return ", ".join(charts.COUNT_IN_YEAR.format(count=count, year=year) for year, count in ends)


def _comparable(one: Series, years: Sequence[int], metric: str) -> Series:
    """Return a line without the years that may not be compared with the others."""
    comparable = set(comparable_years(metric, years))
    pairs = zip(years, one.values, strict=True)
    return replace(one, values=tuple(v if year in comparable else math.nan for year, v in pairs))


def _gap_course(one: Series, years: Sequence[int], entry: Metric, *, decimals: int) -> str:
    """Give a gap's course with its direction, which the sign alone does not say."""
    known = one.shown(years)
    if len(known) < 2:
        return course(one, years, entry.gap_unit, decimals=decimals)
    (first_year, first), (last_year, last) = known[0], known[-1]
    worse = last > first if entry.lower_is_better else last < first
    start, end = (amount(value, entry.gap_unit, decimals=decimals) for value in (first, last))
    verdict = charts.WIDER if worse else charts.NARROWER
    if start == end or rounded(last - first, decimals) == 0:
        verdict = charts.AS_WIDE if start == end else charts.ABOUT_AS_WIDE
    return charts.GAP_COURSE.format(
        end=end,
        last=year_label(last_year),
        verdict=verdict,
        start=start,
        first=year_label(first_year),
    )


def _between(
    first: Series, second: Series, years: Sequence[int], entry: Metric, *, decimals: int
) -> str:
    """Give the distance of two lines in the last and the first year that have both."""
    differences = [a - b for a, b in zip(first.values, second.values, strict=True)]
    both = [(y, d) for y, d in zip(years, differences, strict=True) if not math.isnan(d)]
    if not both:
        return ""
    (first_year, start), (last_year, end) = both[0], both[-1]
    value, before = (amount(v, entry.gap_unit, decimals=decimals) for v in (end, start))
    year = year_label(last_year)
    if first_year == last_year:
        return charts.GAP_LAST.format(value=value, year=year)
    return charts.GAP_BOTH.format(
        value=value, year=year, before=before, first=year_label(first_year)
    )


def _last_interval(gap: Series, *, decimals: int) -> str:
    """Give the interval of the last value there is, '' where it has none."""
    known = [place for place, value in enumerate(gap.values) if not math.isnan(value)]
    if not known or math.isnan(gap.lower[known[-1]]):
        return ""
    ends = gap.lower[known[-1]], gap.upper[known[-1]]
    interval = limits(*ends, decimals=decimals)
    return charts.LAST_INTERVAL.format(interval=interval)


def _missing(series: Sequence[Series], years: Sequence[int]) -> str:
    missing = [
        year_label(year)
        for place, year in enumerate(years)
        if all(math.isnan(one.values[place]) for one in series)
    ]
    return charts.NOTHING_FOR.format(years=listed(missing)) if missing else ""
