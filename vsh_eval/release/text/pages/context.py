"""Where an authority stands among England, its region and its statistical neighbours, in words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError, require_one_of
from vsh_eval.registry import Metric
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import Row, part_of, records, value_of
from vsh_eval.release.text.findings.finding import difference
from vsh_eval.release.text.phrases.fixed import phrase
from vsh_eval.release.text.phrases.labels import group_in_text, metric_in_text, year_label
from vsh_eval.release.text.phrases.numbers import (
    amount,
    in_brackets,
    listed,
    number,
    rounded,
    usual_decimals,
)
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
        The other authorities.
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
    def in_order(self) -> list[Place]:
        """Return every area, the least favourable first, those not shown last."""

        def order(place: Place) -> tuple[bool, float, str]:
            against = self.against(self.last(place))
            hidden = math.isnan(against)
            return hidden, 0.0 if hidden else -against, place.name

        return sorted((self.authority, *self.wider, *self.neighbours), key=order)

    def kind_of(self, place: Place) -> str:
        """Return whether a place is the authority, one of the wider areas or a neighbour."""
        if place is self.authority:
            return "authority"
        return "wider" if place in self.wider else "neighbours"

    @property
    def unit(self) -> str:
        """The unit of the numbers compared."""
        return self.metric.gap_unit if self.measure == "gap" else self.metric.unit

    @property
    def decimals(self) -> int:
        """Decimals at which the areas differ: those of the measure, two for small shares."""
        places = (self.authority, *self.wider, *self.neighbours)
        known = [abs(v) for place in places for v in self.values(place) if not math.isnan(v)]
        source = next(iter(self.authority.by_year.values())).get("source")
        usual = usual_decimals(self.metric.name, source)
        return 2 if max(known, default=_SMALL) < _SMALL else usual

    @property
    def sign(self) -> int:
        """-1 where the wider a gap is the further it is below zero, and all are; else 1."""
        shown = [v for place in self.in_order if not math.isnan(v := self.last(place))]
        turned = self.measure == "gap" and not self.metric.lower_is_better
        return -1 if turned and max(shown, default=0.0) < 0 else 1

    def written(self, value: float, unit: str = "") -> str:
        """Write a number that is compared, a gap below zero without its sign."""
        return amount(self.sign * value, unit, decimals=self.decimals)

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
    metric : str
        What is compared, over all phases.
    measure : {"gap", "group_level"}
        The column compared.

    Raises
    ------
    ContractError
        If no row fits, an area has two rows a year, or the authority has none.
    """
    require_one_of(measure, ("gap", "group_level"), name="measure")
    rows = records(part_of(safe, metric=metric, phase=names.TOTAL))
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
    return Standing(
        registry.metric(metric),
        measure,
        own,
        tuple(p for level in (names.NATIONAL, names.REGION) for p in _of_level(places, level)),
        tuple(local.values()),
        years,
        max(known or years),
    )


@sentence
def context_sentence(
    safe: SafeTable,
    *,
    metric: str,
    authority: str,
    labels: Mapping[str, str] | None = None,
    measure: str = "gap",
) -> str:
    """Say how far an authority is from England and its region, and its rank among its neighbours.

    Parameters as for `standing`. Two sentences on the last comparable year in which the authority
    is shown, the second on its rank; ties at the decimals shown share the better rank.
    """
    position = standing(safe, metric=metric, authority=authority, labels=labels, measure=measure)
    about, own = compared_in_text(position), position.last(position.authority)
    if math.isnan(own):
        return f"The {about} in {position.authority.name} is not shown in any year."
    distances = [_distance(position, place) for place in position.wider]
    reference = str(position.authority.by_year[position.year]["reference"])
    below = f" (lower than for {group_in_text(reference)})" if position.sign < 0 else ""
    opening = (
        f"In {year_label(position.year)} the {about} in {position.authority.name} was "
        f"{position.written(own, position.unit)}{below}"
    )
    first = f"{opening}{f': {listed(distances)}' if distances else ''}."
    return " ".join(part for part in (first, _rank(position)) if part)


def compared_in_text(position: Standing) -> str:
    """Name what is compared, as it stands after "the"."""
    group = str(next(iter(position.authority.by_year.values()))["group"])
    measured = metric_in_text(position.metric.name)
    of_whom = f" of {group_in_text(group)}"
    if position.measure == "gap":
        return f"gap in {measured}{of_whom}"
    # A score with a name of its own (Attainment 8) is an average of the group.
    named = f"average {measured}" if measured[0].isupper() else measured.removeprefix("the ")
    return f"{named}{of_whom}"


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


def _distance(position: Standing, place: Place) -> str:
    own, other = position.last(position.authority), position.last(place)
    if math.isnan(other):
        return f"{_in_text(place)} is not shown"
    shown = position.written(other)
    # Of the numbers shown, so that a reader who takes them from each other finds the same.
    apart = rounded(own, position.decimals) - rounded(other, position.decimals)
    if apart == 0:
        return f"about the same as in {_in_text(place)} ({shown})"
    less, more = ("narrower", "wider") if position.measure == "gap" else ("lower", "higher")
    size = position.against(apart) if position.measure == "gap" else apart
    rows = [one.by_year[position.year] for one in (position.authority, place)]
    sign = 1 if apart > 0 else -1
    contrast = difference(rows[0], rows[1], position.measure, sign=sign)
    interval = in_brackets(contrast.interval, decimals=position.decimals) if contrast else ""
    return (
        f"{number(abs(apart), decimals=position.decimals)} {more if size > 0 else less}{interval} "
        f"than in {_in_text(place)} ({shown})"
    )


def _in_text(place: Place) -> str:
    """Name an area within a sentence: the North West, but London."""
    points = ("North", "East", "South", "West")
    named = place.level == names.REGION and place.name.split(" ")[0] in points
    return f"the {place.name}" if named else place.name


def _rank(position: Standing) -> str:
    """Say how many of the neighbours do worse, between what they lie, and how sure that is."""
    year = position.year
    shown = _shown(position, year)
    if not shown:
        return "None of its neighbours is shown in that year." if position.neighbours else ""
    better, worse = _counted(position, year)
    least, most = (
        ("narrowest", "widest")
        if position.measure == "gap"
        else ("most favourable", "least favourable")
    )
    from_best = better <= worse
    place = _ORDINALS[min(better if from_best else worse, len(_ORDINALS) - 1)]
    tied = " (shared)" if len(shown) - better - worse else ""
    values = [one.value(year, position.measure) for one in shown]
    ends = (position.written(v) for v in (min(values), max(values))[:: position.sign])
    missing = len(position.neighbours) - len(shown)
    hidden = f"; {missing} more not shown" if missing else ""
    return (
        f"That is the {place}{least if from_best else most}{tied} among it and its {len(shown)} "
        f"statistical neighbours shown, whose values lie between {' and '.join(ends)}{hidden}."
        f"{_range_of_ranks(position, shown, least)}"
    )


def _shown(position: Standing, year: int) -> list[Place]:
    return [p for p in position.neighbours if not math.isnan(p.value(year, position.measure))]


def _counted(position: Standing, year: int) -> tuple[int, int]:
    """Return how many neighbours are better and how many worse, at the decimals shown."""
    measure, places = position.measure, position.decimals
    own = rounded(position.against(position.authority.value(year, measure)), places)
    others = [
        rounded(position.against(place.value(year, measure)), places)
        for place in _shown(position, year)
    ]
    return sum(v < own for v in others), sum(v > own for v in others)


def _range_of_ranks(position: Standing, shown: Sequence[Place], least: str) -> str:
    """Say between which places the authority may stand: by intervals, else by its other years.

    With intervals each neighbour is compared with the authority at a level at which all of the
    comparisons hold together: the places are those that no clear difference rules out. Source:
    Mogstad, Romano, Shaikh and Wilhelm, Review of Economic Studies 91 (2024).
    """
    own = position.authority.by_year[position.year]
    apart = [
        difference(own, place.by_year[position.year], position.measure, comparisons=len(shown))
        for place in shown
    ]
    every = len(shown) + 1
    if any(apart):
        clear = [position.against(one.value) for one in apart if one and not one.is_unclear]
        ends = 1 + sum(v > 0 for v in clear), every - sum(v < 0 for v in clear)
        over = "Allowing for chance (95%)"
    else:
        years = [year for year in position.years if _stands(position, year)]
        if len(years) < 2:
            return ""
        ranks = [1 + _counted(position, year)[0] for year in years]
        ends, every = (min(ranks), max(ranks)), max(len(_shown(position, y)) + 1 for y in years)
        over = f"DfE's tables give no interval here; over the {len(years)} years shown"
    between = f"from {ends[0]} to {ends[1]}" if ends[0] < ends[1] else str(ends[0])
    return f" {over} its place is {between} of {every}, counted from the {least}."


def _stands(position: Standing, year: int) -> bool:
    own = position.authority.value(year, position.measure)
    return not math.isnan(own) and bool(_shown(position, year))
