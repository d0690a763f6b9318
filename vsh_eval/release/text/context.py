"""Where an authority stands among England, its region and its statistical neighbours, in words."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError, require_one_of
from vsh_eval.registry import Metric
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.rows import Row, part_of, records, status_of, value_of
from vsh_eval.release.text.labels import group_in_text, metric_in_text, where_in_text, year_label
from vsh_eval.release.text.phrases import amount, listed, number

_ORDINALS = ("", "second ", "third ", "fourth ", "fifth ", "sixth ", "seventh ", "eighth ")
_SMALL = 2.0


@dataclass(frozen=True, slots=True)
class Place:
    """One area: its level, its name, and its rows by academic year."""

    level: str
    name: str
    by_year: Mapping[int, Row]

    def value(self, year: int, column: str) -> float:
        """Return a number of a year, NaN where there is none."""
        return value_of(self.by_year.get(year, {}), column)

    def status(self, year: int) -> str:
        """Return why a year has no number."""
        return status_of(self.by_year.get(year, {}))


@dataclass(frozen=True, slots=True)
class Standing:
    """An authority among others, in the measure asked for.

    Attributes
    ----------
    metric : Metric
        The registry's entry.
    measure : str
        The column compared: ``gap`` or ``group_level``.
    authority : Place
        The authority.
    wider : tuple of Place
        England and the region, where the table holds them.
    neighbours : tuple of Place
        The other authorities, the least favourable in ``year`` first, those not shown last.
    years : tuple of int
        Academic years with a row, in order.
    year : int
        The last comparable year in which the authority is shown; the last of all where it never is.
    """

    metric: Metric
    measure: str
    authority: Place
    wider: tuple[Place, ...]
    neighbours: tuple[Place, ...]
    years: tuple[int, ...]
    year: int

    @property
    def unit(self) -> str:
        """The unit of the numbers compared."""
        return self.metric.gap_unit if self.measure == "gap" else self.metric.unit

    @property
    def decimals(self) -> int:
        """Decimals at which the areas differ: two for progress scores and for small shares."""
        places = (self.authority, *self.wider, *self.neighbours)
        known = [abs(v) for place in places for v in self.values(place) if not math.isnan(v)]
        return 2 if self.metric.lowest < 0 or max(known, default=_SMALL) < _SMALL else 1

    def values(self, place: Place) -> tuple[float, ...]:
        """Return an area's numbers, year by year."""
        return tuple(place.value(year, self.measure) for year in self.years)

    def last(self, place: Place) -> float:
        """Return an area's number in the year that is told."""
        return place.value(self.year, self.measure)

    def against(self, value: float) -> float:
        """Return a number that is higher the less favourable the value is to the group."""
        return value if self.metric.lower_is_better else -value


def standing(
    safe: SafeTable,
    *,
    metric: str,
    authority: str,
    labels: Mapping[str, str] | None = None,
    phase: str = names.TOTAL,
    group: str | None = None,
    measure: str = "gap",
) -> Standing:
    """Arrange a table of gaps around one authority.

    Parameters
    ----------
    safe : SafeTable
        A ``gaps`` table with geographic_level la, region and national (any of the last two may
        be absent).
    metric, phase, group, measure
        As for `context_sentence`.
    authority : str
        The authority's ``unit_id``; every other authority is a neighbour.
    labels : mapping, optional
        Names of areas by ``unit_id``.

    Raises
    ------
    ContractError
        If no row fits, an area has two rows a year, or the authority has none.
    """
    require_one_of(measure, ("gap", "group_level"), name="measure")
    rows = records(part_of(safe, metric=metric, phase=phase, group=group))
    places = _places(rows, labels or {})
    local = {unit: place for unit, place in places.items() if place.level == names.LA}
    if authority not in local:
        raise ContractError(
            f"authority {authority} has no row among {len(local)} authorities, must have "
            "one a year; give the unit_id that the table holds."
        )
    own = local.pop(authority)
    years = tuple(sorted({int(row["time_period"]) for row in rows}))
    known = [y for y in years if not math.isnan(own.value(y, measure))]
    known = [y for y in known if y in registry.comparable_years(metric, known)] or known
    found = Standing(
        registry.metric(metric),
        measure,
        own,
        tuple(p for level in (names.NATIONAL, names.REGION) for p in _of_level(places, level)),
        tuple(local.values()),
        years,
        max(known or years),
    )
    return _ranked(found)


def context_sentence(
    safe: SafeTable,
    *,
    metric: str,
    authority: str,
    labels: Mapping[str, str] | None = None,
    phase: str = names.TOTAL,
    group: str | None = None,
    measure: str = "gap",
) -> str:
    """Say how far an authority is from England and its region, and its rank among its neighbours.

    Parameters
    ----------
    safe : SafeTable
        A ``gaps`` table with the authority, its neighbours, its region and England.
    metric, phase : str
        What is compared.
    authority : str
        The authority's ``unit_id``; every other authority is a neighbour.
    labels : mapping, optional
        Names of areas by ``unit_id``.
    group : str, optional
        Needed where the table holds more than one group.
    measure : {"gap", "group_level"}
        The column compared.

    Returns
    -------
    str
        Two sentences on the last comparable year in which the authority is shown, the second on
        its rank; where it is never shown, one that says so. Ties at the decimals shown share the
        better rank.

    Raises
    ------
    ContractError
        If no row fits, an area has two rows a year, or the authority has none.
    """
    found = standing(
        safe,
        metric=metric,
        authority=authority,
        labels=labels,
        phase=phase,
        group=group,
        measure=measure,
    )
    return told(found, compared_in_text(found, phase))


def compared_in_text(found: Standing, phase: str) -> str:
    """Name what is compared, as it stands after "the"."""
    group = str(next(iter(found.authority.by_year.values()))["group"])
    measured = metric_in_text(found.metric.name)
    of_whom = f" of {group_in_text(group)}{where_in_text(phase)}"
    if found.measure == "gap":
        return f"gap in {measured}{of_whom}"
    # A score with a name of its own (Attainment 8) is an average of the group.
    named = f"average {measured}" if measured[0].isupper() else measured.removeprefix("the ")
    return f"{named}{of_whom}"


def told(found: Standing, about: str) -> str:
    """Say where the authority stands, of a measure named in words."""
    own = found.last(found.authority)
    if math.isnan(own):
        return f"The {about} in {found.authority.name} is not shown in any year."
    beside = [_distance(found, place) for place in found.wider]
    opening = (
        f"In {year_label(found.year)} the {about} in {found.authority.name} was "
        f"{amount(own, found.unit, decimals=found.decimals)}"
    )
    first = f"{opening}{f': {listed(beside)}' if beside else ''}."
    return " ".join(part for part in (first, _rank(found)) if part)


def counting_sentence(safe: SafeTable, *, metric: str) -> str:
    """Name the difference between enrolment-based and pupil-based rates where both stand together.

    Parameters
    ----------
    safe : SafeTable
        A table of ``gaps``, of any source.
    metric : str
        The measure shown.

    Returns
    -------
    str
        `vsh_eval.names.COUNTED_DIFFERENTLY` for published absence and suspensions beside all
        pupils; empty elsewhere.
    """
    apart = registry.metric(metric).topic in ("attendance", "suspension")
    rows = records(safe) if apart else []
    mixed = any(r.get("source") == "published" and r.get("reference") == names.ALL for r in rows)
    return names.COUNTED_DIFFERENTLY if mixed else ""


def _places(rows: list[dict[str, Any]], labels: Mapping[str, str]) -> dict[str, Place]:
    """Gather each area's rows by year; England is named so where no label says otherwise."""
    found: dict[str, Place] = {}
    for unit in dict.fromkeys(str(row["unit_id"]) for row in rows):
        own = [row for row in rows if row["unit_id"] == unit]
        by_year = {int(row["time_period"]): row for row in own}
        if len(by_year) < len(own):
            raise ContractError(
                f"area {unit} has more than one row a year, must have one; name the group."
            )
        level = str(own[0]["geographic_level"])
        name = labels.get(unit, "England" if level == names.NATIONAL else unit)
        found[unit] = Place(level, name, by_year)
    return found


def _of_level(places: Mapping[str, Place], level: str) -> list[Place]:
    return [place for place in places.values() if place.level == level]


def _ranked(found: Standing) -> Standing:
    """Put the neighbours in order, the least favourable first, those not shown last."""

    def order(place: Place) -> tuple[bool, float, str]:
        against = found.against(found.last(place))
        return math.isnan(against), 0.0 if math.isnan(against) else -against, place.name

    return replace(found, neighbours=tuple(sorted(found.neighbours, key=order)))


def _distance(found: Standing, place: Place) -> str:
    own, other = found.last(found.authority), found.last(place)
    if math.isnan(other):
        return f"{_in_text(place)} is not shown"
    shown = number(other, decimals=found.decimals)
    apart = round(own - other, found.decimals)
    if apart == 0:
        return f"about the same as in {_in_text(place)} ({shown})"
    less, more = ("narrower", "wider") if found.measure == "gap" else ("lower", "higher")
    size = found.against(apart) if found.measure == "gap" else apart
    return (
        f"{number(abs(apart), decimals=found.decimals)} {more if size > 0 else less} than in "
        f"{_in_text(place)} ({shown})"
    )


def _in_text(place: Place) -> str:
    """Name an area within a sentence: the North West, but London."""
    points = ("North", "East", "South", "West")
    named = place.level == names.REGION and place.name.split(" ")[0] in points
    return f"the {place.name}" if named else place.name


def _rank(found: Standing) -> str:
    """Say how many of the neighbours do worse, and between what they lie."""
    own = round(found.against(found.last(found.authority)), found.decimals)
    shown = [v for v in map(found.last, found.neighbours) if not math.isnan(v)]
    if not shown:
        return "None of its neighbours is shown in that year." if found.neighbours else ""
    against = [round(found.against(v), found.decimals) for v in shown]
    better, worse = sum(v < own for v in against), sum(v > own for v in against)
    least = "narrowest" if found.measure == "gap" else "most favourable"
    most = "widest" if found.measure == "gap" else "least favourable"
    from_best = better <= worse
    place = _ORDINALS[min(better if from_best else worse, len(_ORDINALS) - 1)]
    tied = " (shared)" if len(against) - better - worse else ""
    ends = (number(v, decimals=found.decimals) for v in (min(shown), max(shown)))
    missing = len(found.neighbours) - len(shown)
    hidden = f"; {missing} more not shown" if missing else ""
    return (
        f"That is the {place}{least if from_best else most}{tied} among it and its {len(shown)} "
        f"statistical neighbours shown, who lie between {' and '.join(ends)}{hidden}."
    )
