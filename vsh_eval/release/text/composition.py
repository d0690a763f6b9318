"""Sentences on who the children are and how much of a gap goes with it.

Composition is not cause: every sentence that names a part says what goes together, and
`composition_caveat` says so outright, once a page.
"""

from vsh_eval import names, registry
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.rows import (
    Row,
    interval_of,
    intervals_overlap,
    is_shown,
    one_row,
    part_of,
    records,
)
from vsh_eval.release.text.gaps import indicative, not_shown
from vsh_eval.release.text.labels import (
    group_in_text,
    measure_in_text,
    metric_in_text,
    upper_first,
    where_in_text,
    year_label,
)
from vsh_eval.release.text.phrases import amount, in_brackets, listed, number

_FACTOR_WORDS = {
    "phase": "the phase of school",
    "sen": "special educational needs",
    "fsm6": "free school meals",
    "sex": "sex",
}
_ALIKE = "the same phase, SEN status and free school meals"
_VALUE_WORDS = {
    "girls": "girls",
    "boys": "boys",
    "sex_not_recorded": "children whose sex is not recorded",
    "fsm6": "children who had free school meals in the last six years",
    "not_fsm6": "children who had no free school meals in the last six years",
    "no_sen": "children without SEN",
    "sen_support": "children on SEN support",
    "ehc_plan": "children with an education, health and care plan",
    "early_years": "children in early years",
    "ks1": "children in years 1 to 2",
    "ks2": "children in years 3 to 6",
    "ks3": "children in years 7 to 9",
    "ks4": "children in years 10 to 11",
    "post_16": "young people in years 12 to 14",
}


def composition_caveat() -> str:
    """Say what a composition part does not say.

    Examples
    --------
    >>> composition_caveat().startswith("This says what goes together")
    True
    """
    return (
        "This says what goes together, not what causes what: SEN or free school meals can stem "
        "from the same circumstances that brought a social worker, so no part of a gap is "
        "explained away."
    )


def decomposition_sentence(
    safe: SafeTable, *, metric: str, year: int, phase: str = names.TOTAL, group: str | None = None
) -> str:
    r"""Say how much of a gap goes with who the children are, and how much remains.

    Parameters
    ----------
    safe : SafeTable
        A ``decomposition`` table, decomposed.
    metric, phase : str
        Which gap.
    year : int
        The academic year, for example 202425.
    group : str, optional
        Needed where the table holds more than one group.

    Returns
    -------
    str
        Two sentences, a third where fewer than 100 children stand behind them; where the parts are
        hidden, a sentence that says why. Parts that point the other way are said to widen what
        they do not narrow, never to explain a negative share.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.

    Examples
    --------
    >>> import pandas as pd
    >>> from vsh_eval.release.disclosure.door import protect
    >>> from vsh_eval.release.disclosure.rules import rule_named
    >>> table = pd.DataFrame({"time_period": [202425], "phase": "total", "group": "cwsw",
    ...     "metric": "overall_absence", "reference": "peers", "gap": 9.1, "composition": 2.3,
    ...     "composition_lower": 1.2, "composition_upper": 3.4, "rates": 6.8, "rates_lower": 5.0,
    ...     "rates_upper": 8.6, "group_pupils": 640, "status": ""})
    >>> safe = protect(table, rule_named("strict10"), kind="released")
    >>> from textwrap import wrap
    >>> said = decomposition_sentence(safe, metric="overall_absence", year=202425)
    >>> print(*wrap(said, 90), sep="\n")
    Of the gap of 9.1 percentage points in overall absence in 2024/25, 2.3 (95% interval 1.2
    to 3.4) go with who the children are. The remaining 6.8 (95% interval 5.0 to 8.6) lie
    between children of the same phase, SEN status, free school meals and sex.
    """
    row = one_row(safe, metric=metric, time_period=year, phase=phase, group=group)
    about = f"what the gap in {measure_in_text(metric, phase)} goes with"
    if not is_shown(row, "gap", "composition", "rates"):
        return _hidden(about, row)
    gap, part, rest = (float(row[name]) for name in ("gap", "composition", "rates"))
    unit = registry.metric(metric).gap_unit
    what = f"in {measure_in_text(metric, phase)} in {year_label(year)}"
    alike = "children of the same phase, SEN status, free school meals and sex"
    caution = _small(row)
    if part == 0:
        return (
            f"Nothing of the gap of {amount(abs(gap), unit)} {what} goes with who the children "
            f"are{_limits(row, 'composition')}: it lies between {alike}.{caution}"
        )
    if gap == 0 or part * gap < 0 or rest * gap < 0:
        return f"{_against(row, what, unit, alike)}{caution}"
    sign = 1 if gap > 0 else -1
    named = _named_factors(row, sign)
    return (
        f"Of the gap of {amount(abs(gap), unit)} {what}, {number(abs(part))}"
        f"{_limits(row, 'composition', sign=sign)} {_go(part)} with who the children are{named}. "
        f"The remaining {number(abs(rest))}{_limits(row, 'rates', sign=sign)} "
        f"{'lies' if number(abs(rest)) == '1.0' else 'lie'} between {alike}.{caution}"
    )


def matched_sentence(
    safe: SafeTable, *, metric: str, year: int, phase: str = names.TOTAL, group: str | None = None
) -> str:
    """Say how wide the gap is against pupils who are alike.

    Parameters
    ----------
    safe : SafeTable
        A ``decomposition`` table, matched.
    metric, year, phase, group
        As for `decomposition_sentence`.

    Returns
    -------
    str
        One sentence, a second one where fewer than 100 children stand behind it; where the gap is
        hidden, a sentence that says why.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    row = one_row(safe, metric=metric, time_period=year, phase=phase, group=group)
    about = f"the gap in {measure_in_text(metric, phase)} between children alike"
    if not is_shown(row, "gap", "matched_level", "matched_gap"):
        return _hidden(about, row)
    entry = registry.metric(metric)
    gap, alike = float(row["gap"]), float(row["matched_gap"])
    against = (
        f"Against {group_in_text(row['reference'])} of {_ALIKE}, {metric_in_text(metric)} among "
        f"{group_in_text(row['group'])}{where_in_text(phase)} was "
        f"{amount(row['group_level'], entry.unit)} against "
        f"{amount(row['matched_level'], entry.unit)} in {year_label(year)}"
    )
    size = _higher(alike, entry.gap_unit)
    all_of_them = group_in_text(row["reference"])
    return (
        f"{against}: {size}{_limits(row, 'matched_gap', sign=1 if alike > 0 else -1)}. "
        f"Against all {all_of_them} it was {_higher(gap, entry.gap_unit)}.{_small(row)}"
    )


def standardised_sentence(
    safe: SafeTable, *, metric: str, year: int, phase: str = names.TOTAL, group: str | None = None
) -> str:
    """Say how wide the gap would have been had the mix of children stayed.

    Parameters
    ----------
    safe : SafeTable
        A ``decomposition`` table, standardised, with the rows of the baseline year.
    metric, year, phase, group
        As for `decomposition_sentence`.

    Returns
    -------
    str
        One sentence, a second one where fewer than 100 children stand behind it; where the gap is
        hidden, a sentence that says why.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    row = one_row(safe, metric=metric, time_period=year, phase=phase, group=group)
    about = f"the gap in {measure_in_text(metric, phase)} had the mix of children stayed"
    if not is_shown(row, "gap", "standardised_gap"):
        return _hidden(about, row)
    unit = registry.metric(metric).gap_unit
    gap, kept = float(row["gap"]), float(row["standardised_gap"])
    start = (
        f"Had the mix of children stayed as in {year_label(row['baseline'])}, the gap in "
        f"{measure_in_text(metric, phase)} in {year_label(year)} would have been "
    )
    if number(gap) == number(kept):
        return f"{start}the same, {amount(gap, unit)}.{_small(row)}"
    interval = _limits(row, "standardised_gap")
    return f"{start}{amount(kept, unit)}{interval} instead of {number(gap)}.{_small(row)}"


def breakdown_sentence(
    safe: SafeTable, *, metric: str, year: int, breakdown: str, group: str | None = None
) -> str:
    """Say for which children the gap is widest, with every value that is shown.

    Parameters
    ----------
    safe : SafeTable
        A ``breakdown`` table.
    metric : str
        Which gap.
    year : int
        The academic year, for example 202425.
    breakdown : {"sex", "fsm6", "sen", "key_stage"}
        By what.
    group : str, optional
        Needed where the table holds more than one group.

    Returns
    -------
    str
        One sentence; where intervals overlap, a second one that says that the order may be chance.
        Where nothing is shown, a sentence that says why.

    Raises
    ------
    ContractError
        If no row fits.
    """
    rows = records(part_of(safe, metric=metric, time_period=year, breakdown=breakdown, group=group))
    shown = [row for row in rows if is_shown(row, "gap")]
    if not shown:
        about = f"the gap in {metric_in_text(metric)} {_by(breakdown)}"
        return _hidden(about, rows[0])
    unit = registry.metric(metric).gap_unit
    what = f"the gap in {metric_in_text(metric)} in {year_label(year)}"
    if len(shown) == 1:
        only = shown[0]
        return (
            f"Among {_VALUE_WORDS[only['value']]} {what} was {amount(only['gap'], unit)}; for the "
            f"other children it is not shown.{indicative(only.get('group_pupils'))}"
        )
    ordered = sorted(shown, key=lambda row: -abs(float(row["gap"])))
    widest, *others = ordered
    told = listed([f"{number(row['gap'])} among {_VALUE_WORDS[row['value']]}" for row in others])
    said = (
        f"{upper_first(what)} was widest among {_VALUE_WORDS[widest['value']]}, "
        f"{amount(widest['gap'], unit)}, against {told}."
    )
    overlap = intervals_overlap(shown, "gap")
    chance = " The intervals overlap, so the order may be chance." if overlap else ""
    fewest = min(
        (row["group_pupils"] for row in shown if is_shown(row, "group_pupils")), default=None
    )
    return f"{said}{chance}{indicative(fewest)}"


def _by(breakdown: str) -> str:
    return f"by {_FACTOR_WORDS.get(breakdown, 'key stage')}"


def _hidden(about: str, row: Row) -> str:
    if row.get("status") == names.UNRELIABLE:
        return (
            f"{upper_first(about)} in {year_label(row['time_period'])} is not shown: too "
            "few of the children can be compared."
        )
    return not_shown(about, row)


def _small(row: Row) -> str:
    """Return the caveat of a group of fewer than 100 children."""
    pupils = row.get("group_pupils")
    if not is_shown(row, "group_pupils") or float(pupils or 0) >= 100:
        return ""
    return f" This rests on about {number(float(pupils or 0), decimals=0)} children."


def _limits(row: Row, name: str, *, sign: int = 1) -> str:
    """Write an interval, with sign -1 as that of a size."""
    return in_brackets(interval_of(row, name, sign=sign))


def _named_factors(row: Row, sign: int) -> str:
    """Name the characteristics that make up the composition part, the largest first."""
    shown = {
        factor: sign * float(row[f"composition_{factor}"])
        for factor in _FACTOR_WORDS
        if is_shown(row, f"composition_{factor}")
    }
    told = [
        f"{number(value)} with {_FACTOR_WORDS[factor]}"
        for factor, value in sorted(shown.items(), key=lambda item: -item[1])
        if round(value, 1) > 0
    ]
    less = [
        f"{number(-value)} with {_FACTOR_WORDS[factor]}"
        for factor, value in sorted(shown.items(), key=lambda item: item[1])
        if round(value, 1) < 0
    ]
    if len(shown) < len(_FACTOR_WORDS) or not told:
        return ""
    return f" ({listed(told)}{f', less {listed(less)}' if less else ''})"


def _against(row: Row, what: str, unit: str, alike: str) -> str:
    """Say parts that point in opposite directions."""
    gap, part, rest = (float(row[name]) for name in ("gap", "composition", "rates"))
    plain = f"The gap {what} was {amount(gap, unit)}"
    if rest == 0:
        return f"{plain}; all of it goes with who the children are."
    return (
        f"{plain}. Who the children are {'adds' if part > 0 else 'takes away'} "
        f"{amount(abs(part), unit)}{_limits(row, 'composition', sign=1 if part > 0 else -1)}; "
        f"between {alike} the difference is {amount(rest, unit, signed=True)}"
        f"{_limits(row, 'rates')}."
    )


def _go(part: float) -> str:
    return "goes" if number(abs(part)) == "1.0" else "go"


def _higher(value: float, unit: str) -> str:
    if round(value, 1) == 0:
        return "no difference"
    return f"{amount(abs(value), unit)} {'higher' if value > 0 else 'lower'}"
