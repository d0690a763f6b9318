"""Where an authority stands among England, its region and its statistical neighbours, in words."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError, require_one_of
from vsh_eval.registry import Metric
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import Row, part_of, records, status_of, value_of
from vsh_eval.release.text.fixed import phrase
from vsh_eval.release.text.labels import group_in_text, metric_in_text, where_in_text, year_label
from vsh_eval.release.text.phrases import amount, listed, number
from vsh_eval.release.text.safe_text import sentence

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
        """Return an area's number in the year compared."""
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
        A ``gaps`` table with geographic_level la and, where known, region and national.
    authority : str
        The authority's ``unit_id``; every other authority is a neighbour.
    labels : mapping, optional
        Names of areas by ``unit_id``.
    metric, phase, group : str
        What is compared; the group where the table holds more than one.
    measure : {"gap", "group_level"}
        The column compared.

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
    position = Standing(
        registry.metric(metric),
        measure,
        own,
        tuple(p for level in (names.NATIONAL, names.REGION) for p in _of_level(places, level)),
        tuple(local.values()),
        years,
        max(known or years),
    )
    return _ranked(position)


@sentence
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

    Parameters as for `standing`. Two sentences on the last comparable year in which the authority
    is shown, the second on its rank; ties at the decimals shown share the better rank.
    """
    position = standing(
        safe,
        metric=metric,
        authority=authority,
        labels=labels,
        phase=phase,
        group=group,
        measure=measure,
    )
    return standing_in_words(position, compared_in_text(position, phase))


def compared_in_text(position: Standing, phase: str) -> str:
    """Name what is compared, as it stands after "the"."""
    group = str(next(iter(position.authority.by_year.values()))["group"])
    measured = metric_in_text(position.metric.name)
    of_whom = f" of {group_in_text(group)}{where_in_text(phase)}"
    if position.measure == "gap":
        return f"gap in {measured}{of_whom}"
    # A score with a name of its own (Attainment 8) is an average of the group.
    named = f"average {measured}" if measured[0].isupper() else measured.removeprefix("the ")
    return f"{named}{of_whom}"


def standing_in_words(position: Standing, about: str) -> str:
    """Say where the authority stands, of a measure named in words."""
    own = position.last(position.authority)
    if math.isnan(own):
        return f"The {about} in {position.authority.name} is not shown in any year."
    distances = [_distance(position, place) for place in position.wider]
    opening = (
        f"In {year_label(position.year)} the {about} in {position.authority.name} was "
        f"{amount(own, position.unit, decimals=position.decimals)}"
    )
    first = f"{opening}{f': {listed(distances)}' if distances else ''}."
    return " ".join(part for part in (first, _rank(position)) if part)


@sentence
def counting_sentence(safe: SafeTable, *, metric: str) -> str:
    """Say that enrolments and children are counted differently where both stand together.

    That is in DfE's absence and suspensions against all pupils; '' elsewhere.
    """
    apart = registry.metric(metric).topic in ("attendance", "suspension")
    rows = records(safe) if apart else []
    mixed = any(r.get("source") == "published" and r.get("reference") == names.ALL for r in rows)
    return phrase("counted_differently") if mixed else ""


def _places(rows: list[dict[str, Any]], labels: Mapping[str, str]) -> dict[str, Place]:
    """Gather each area's rows by year; England is named so where no label says otherwise."""
    position: dict[str, Place] = {}
    for unit in dict.fromkeys(str(row["unit_id"]) for row in rows):
        own = [row for row in rows if row["unit_id"] == unit]
        by_year = {int(row["time_period"]): row for row in own}
        if len(by_year) < len(own):
            raise ContractError(
                f"area {unit} has more than one row a year, must have one; name the group."
            )
        level = str(own[0]["geographic_level"])
        name = labels.get(unit, "England" if level == names.NATIONAL else unit)
        position[unit] = Place(level, name, by_year)
    return position


def _of_level(places: Mapping[str, Place], level: str) -> list[Place]:
    return [place for place in places.values() if place.level == level]


def _ranked(position: Standing) -> Standing:
    """Put the neighbours in order, the least favourable first, those not shown last."""

    def order(place: Place) -> tuple[bool, float, str]:
        against = position.against(position.last(place))
        return math.isnan(against), 0.0 if math.isnan(against) else -against, place.name

    return replace(position, neighbours=tuple(sorted(position.neighbours, key=order)))


def _distance(position: Standing, place: Place) -> str:
    own, other = position.last(position.authority), position.last(place)
    if math.isnan(other):
        return f"{_in_text(place)} is not shown"
    shown = number(other, decimals=position.decimals)
    apart = round(own - other, position.decimals)
    if apart == 0:
        return f"about the same as in {_in_text(place)} ({shown})"
    less, more = ("narrower", "wider") if position.measure == "gap" else ("lower", "higher")
    size = position.against(apart) if position.measure == "gap" else apart
    return (
        f"{number(abs(apart), decimals=position.decimals)} {more if size > 0 else less} than in "
        f"{_in_text(place)} ({shown})"
    )


def _in_text(place: Place) -> str:
    """Name an area within a sentence: the North West, but London."""
    points = ("North", "East", "South", "West")
    named = place.level == names.REGION and place.name.split(" ")[0] in points
    return f"the {place.name}" if named else place.name


def _rank(position: Standing) -> str:
    """Say how many of the neighbours do worse, and between what they lie."""
    own = round(position.against(position.last(position.authority)), position.decimals)
    shown = [v for v in map(position.last, position.neighbours) if not math.isnan(v)]
    if not shown:
        return "None of its neighbours is shown in that year." if position.neighbours else ""
    against = [round(position.against(v), position.decimals) for v in shown]
    better, worse = sum(v < own for v in against), sum(v > own for v in against)
    least = "narrowest" if position.measure == "gap" else "most favourable"
    most = "widest" if position.measure == "gap" else "least favourable"
    from_best = better <= worse
    place = _ORDINALS[min(better if from_best else worse, len(_ORDINALS) - 1)]
    tied = " (shared)" if len(against) - better - worse else ""
    ends = (number(v, decimals=position.decimals) for v in (min(shown), max(shown)))
    missing = len(position.neighbours) - len(shown)
    hidden = f"; {missing} more not shown" if missing else ""
    return (
        f"That is the {place}{least if from_best else most}{tied} among it and its {len(shown)} "
        f"statistical neighbours shown, who lie between {' and '.join(ends)}{hidden}."
    )
