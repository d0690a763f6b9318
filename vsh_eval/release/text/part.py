"""Sentences on what a gap and its change are made of, and on what else stands in the way."""

from vsh_eval import names, registry
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.rows import Row, interval_of, is_shown, one_row, part_of, records
from vsh_eval.release.text.gaps import indicative, not_comparable, not_shown
from vsh_eval.release.text.labels import group_in_text, measure_in_text, where_in_text, year_label
from vsh_eval.release.text.phrases import (
    amount,
    decimals_for,
    in_brackets,
    limits,
    listed,
    number,
    usual_decimals,
)

_ABSENCE = {"authorised_absence": "authorised", "unauthorised_absence": "unauthorised"}
_BARRIERS = {
    "sen_support": "SEN support",
    "ehc_plan": "an education, health and care plan",
    "fsm6": "free school meals in the last six years",
}


def whose_change_sentence(
    safe: SafeTable,
    *,
    metric: str,
    year: int,
    phase: str = names.TOTAL,
    group: str | None = None,
    area: str | None = None,
) -> str:
    """Say whether the group moved since the baseline, or those it is compared with.

    Parameters
    ----------
    safe : SafeTable
        A ``parts`` table with changes.
    metric, phase : str
        Which gap.
    year : int
        The academic year, for example 202425.
    group, area : str, optional
        Needed where the table holds more than one group or ``unit_id``.

    Returns
    -------
    str
        One sentence with both groups' own change; where one is hidden, a sentence that says why.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    where = {"metric": metric, "time_period": year, "phase": phase, "group": group}
    own, theirs = (
        one_row(safe, **where, unit_id=area, of="change", part=part)
        for part in ("group", "reference")
    )
    what = measure_in_text(metric, phase)
    if said := not_comparable(metric, (int(own["baseline"]), year), f"the change of {what}"):
        return said
    for row in (own, theirs):
        if not is_shown(row, "value"):
            return not_shown(f"whose {what} moved", row)
    since = f"Between {year_label(own['baseline'])} and {year_label(year)}"
    return (
        f"{since} {what} {_moved(own, metric, sign=1)} among {group_in_text(own['group'])} and "
        f"{_moved(theirs, metric, sign=-1)} among {group_in_text(own['reference'])}."
    )


def absence_parts_sentence(
    safe: SafeTable,
    *,
    year: int,
    phase: str = names.TOTAL,
    group: str | None = None,
    area: str | None = None,
) -> str:
    """Say how much of the gap in overall absence is authorised and how much is not.

    Parameters
    ----------
    safe : SafeTable
        A ``parts`` table with parts of gaps.
    year, phase, group, area
        As for `whose_change_sentence`.

    Returns
    -------
    str
        One sentence; where a part is hidden, a sentence that says why.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    where = {"metric": "overall_absence", "time_period": year, "phase": phase, "group": group}
    rows = [one_row(safe, **where, unit_id=area, of="gap", part=part) for part in _ABSENCE]
    what = f"the gap in overall absence{where_in_text(phase)}"
    for row in rows:
        if not is_shown(row, "value", "whole"):
            return not_shown(f"what {what} is made of", row)
    whole, unit = float(rows[0]["whole"]), registry.metric("overall_absence").gap_unit
    values = [float(row["value"]) for row in rows]
    if whole == 0 or any(value * whole < 0 for value in values):
        told = [
            f"{number(value, signed=True)} {words}{_bracket({**row, 'share': None})}"
            for value, row, words in zip(values, rows, _ABSENCE.values(), strict=True)
        ]
        return (
            f"In {year_label(year)} {what} of {amount(whole, unit)} was made of absence of "
            f"opposite direction: {listed(told)}."
        )
    sign = 1 if whole > 0 else -1
    first, second = (
        f"{number(abs(value))}{_bracket(row, sign=sign)}"
        for value, row in zip(values, rows, strict=True)
    )
    size = amount(abs(whole), unit)
    return (
        f"Of {what} of {size} in {year_label(year)}, {first} are authorised and {second} "
        "unauthorised absence."
    )


def barriers_sentence(safe: SafeTable, *, year: int, group: str | None = None) -> str:
    """Say how many of the group have SEN or free school meals, beside those it is compared with.

    Parameters
    ----------
    safe : SafeTable
        A ``barriers`` table.
    year : int
        The academic year, for example 202425.
    group : str, optional
        Needed where the table holds more than one group.

    Returns
    -------
    str
        One sentence on the barriers that are shown, a second on those that are not.

    Raises
    ------
    ContractError
        If no row fits.
    """
    rows = records(part_of(safe, time_period=year, phase=names.TOTAL, group=group))
    shown = [row for row in rows if is_shown(row, "group_level", "reference_level")]
    hidden = [row for row in rows if row not in shown]
    names_of = [_BARRIERS[row["barrier"]] for row in hidden]
    missing = f" The share with {listed(names_of)} is not shown." if hidden else ""
    if not shown:
        return missing.strip()
    who, whom = (group_in_text(shown[0][side]) for side in ("group", "reference"))
    first, *others = sorted(shown, key=lambda row: -float(row["gap"]))
    told = [
        f"{_level(first, 'group')} of {who} had {_BARRIERS[first['barrier']]}, against "
        f"{_level(first, 'reference')} of {whom}",
        *(
            f"{_level(row, 'group')} against {_level(row, 'reference')} had "
            f"{_BARRIERS[row['barrier']]}"
            for row in others
        ),
    ]
    said = f"In {year_label(year)} {'; '.join(told)}."
    return f"{said}{missing}{indicative(first.get('group_pupils'))}"


def _level(row: Row, side: str) -> str:
    return amount(float(row[f"{side}_level"]), "%")


def _moved(row: Row, metric: str, *, sign: int) -> str:
    """Say a level's change: rose, fell, or did not clearly change."""
    entry, places = registry.metric(metric), usual_decimals(metric)
    value = sign * float(row["value"])
    verb = "rose" if value > 0 else "fell"
    ends = interval_of(row, "value", sign=sign)
    if ends is None:
        if round(abs(value), places) == 0:
            return "stood still"
        return f"{verb} by {amount(abs(value), entry.gap_unit, decimals=places)}"
    decimals = decimals_for(value, *ends, least=places)
    if ends[0] <= 0 <= ends[1]:
        return (
            f"did not clearly change ({number(value, decimals=decimals, signed=True)}, 95% "
            f"interval {limits(*ends, decimals=decimals)})"
        )
    size = interval_of(row, "value", sign=sign if value > 0 else -sign)
    return (
        f"{verb} by {amount(abs(value), entry.gap_unit, decimals=decimals)}"
        f"{in_brackets(size, decimals=decimals)}"
    )


def _bracket(row: Row, *, sign: int = 1) -> str:
    """Write a part's share of the whole and its interval in one bracket."""
    share = amount(float(row["share"]), "%", decimals=0) if is_shown(row, "share") else ""
    ends = interval_of(row, "value", sign=sign)
    interval = f"95% interval {limits(*ends)}" if ends else ""
    inside = "; ".join(text for text in (share, interval) if text)
    return f" ({inside})" if inside else ""
