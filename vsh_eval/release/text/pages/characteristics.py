"""What is said on pupils' characteristics and how much of a gap they account for.

Composition is not cause: every sentence that names a part says what goes together, and the phrase
``goes_together`` says so outright, once a page. Keywords as in `vsh_eval.release.text.pages.gaps`.
"""

from collections.abc import Sequence

from vsh_eval import names, registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import Row, interval_of, is_shown, one_row, part_of, records
from vsh_eval.release.text.findings.finding import Finding, compared, indicative, not_shown
from vsh_eval.release.text.pages.gaps import order_clause
from vsh_eval.release.text.phrases.labels import (
    CHARACTERISTICS,
    CHILDREN,
    group_in_text,
    metric_in_text,
    upper_first,
    year_label,
)
from vsh_eval.release.text.phrases.numbers import amount, listed, measure_decimals, number, rounded
from vsh_eval.release.text.safe_text import sentence

_PHASE = "the phase of school"
_SAME = "the same phase, SEN status and free school meals"
_BETWEEN = "children of the same phase, SEN status, free school meals and sex"
_FEW = 100
"""Decompositions of fewer children are indicative."""
_EXTREMES = {False: "The two", True: "The widest and the narrowest"}


@sentence
def decomposition_sentence(safe: SafeTable, *, metric: str, year: int) -> str:
    r"""Say how much of a gap reflects pupils' characteristics, and how much remains.

    Parts that point the other way are said to widen what they do not narrow, never to explain a
    negative share.

    Examples
    --------
    >>> import pandas as pd
    >>> from vsh_eval.contracts import produces
    >>> from vsh_eval.release.disclosure import release_table, rule_named
    >>> table = pd.DataFrame({"time_period": [202425], "phase": "total", "group": "cwsw",
    ...     "metric": "overall_absence", "reference": "peers", "gap": 9.1, "composition": 2.3,
    ...     "composition_lower": 1.2, "composition_upper": 3.4, "rates": 6.8, "rates_lower": 5.0,
    ...     "rates_upper": 8.6, "group_pupils": 640, "status": ""})
    >>> decompose = produces("decomposition", tuple(table))(lambda: table)
    >>> safe = release_table(decompose, rule=rule_named("cellkey"))
    >>> from textwrap import wrap
    >>> said = decomposition_sentence(safe, metric="overall_absence", year=202425)
    >>> print(*wrap(said, 90), sep="\n")
    Of the gap of 9.1 percentage points in overall absence in 2024/25, 2.3 (95% interval 1.2
    to 3.4) reflect pupils' characteristics. The remaining 6.8 (95% interval 5.0 to 8.6) lie
    between children of the same phase, SEN status, free school meals and sex.
    """
    row = one_row(safe, metric=metric, time_period=year, phase=names.TOTAL)
    if not is_shown(row, "gap", "composition", "rates"):
        gap_in = f"the gap in {metric_in_text(metric)}"
        return _hidden(f"how much of {gap_in} reflects pupils' characteristics", row)
    unit = registry.metric(metric).gap_unit
    gap, part, rest = (
        Finding.of(row, name, decimals=1) for name in ("gap", "composition", "rates")
    )
    what = f"in {metric_in_text(metric)} in {year_label(year)}"
    caution = indicative(row.get("group_pupils"), below=_FEW)
    size = amount(abs(gap.value), unit)
    if part.value == 0:
        return (
            f"Nothing of the gap of {size} {what} reflects pupils' characteristics"
            f"{part.brackets()}: it lies between {_BETWEEN}.{caution}"
        )
    if gap.value == 0 or part.value * gap.value < 0 or rest.value * gap.value < 0:
        return f"{_opposite(gap, part, rest, what, unit)}{caution}"
    reflect = "reflects" if part.size() == "1.0" else "reflect"
    lie = "lies" if rest.size() == "1.0" else "lie"
    return (
        f"Of the gap of {size} {what}, {part.size_with_interval()} {reflect} pupils' "
        f"characteristics{_named_factors(row, 1 if gap.value > 0 else -1)}. The remaining "
        f"{rest.size_with_interval()} {lie} between {_BETWEEN}.{caution}"
    )


def _named_factors(row: Row, sign: int) -> str:
    """Name the characteristics that make up the composition part, the largest first."""
    columns = {factor: f"composition_{factor}" for factor in names.FACTORS}
    if not is_shown(row, *columns.values()):
        return ""
    parts = {factor: sign * float(row[column]) for factor, column in columns.items()}
    ordered = sorted(parts.items(), key=lambda item: -item[1])
    more = [f"{number(v)} for {_in_text(f)}" for f, v in ordered if rounded(v, 1) > 0]
    less = [f"{number(-v)} for {_in_text(f)}" for f, v in reversed(ordered) if rounded(v, 1) < 0]
    if not more:
        return ""
    return f" ({listed(more)}{f', less {listed(less)}' if less else ''})"


def _in_text(factor: str) -> str:
    return _PHASE if factor == "phase" else CHARACTERISTICS[factor]["in_text"]


def _opposite(gap: Finding, part: Finding, rest: Finding, what: str, unit: str) -> str:
    """Say parts that point in opposite directions."""
    plain = f"The gap {what} was {amount(gap.value, unit)}"
    if rest.value == 0:
        return f"{plain}; all of it reflects pupils' characteristics."
    return (
        f"{plain}. Pupils' characteristics {part.compared('add', 'take away')} "
        f"{amount(abs(part.value), unit)}{part.brackets(of_size=True)}; between {_BETWEEN} the "
        f"difference is {amount(rest.value, unit, signed=True)}{rest.brackets()}."
    )


@sentence
def matched_sentence(safe: SafeTable, *, metric: str, year: int) -> str:
    """Say how wide the gap is against similar pupils (table of matched gaps)."""
    row = one_row(safe, metric=metric, time_period=year, phase=names.TOTAL)
    if not is_shown(row, "gap", "matched_level", "matched_gap"):
        return _hidden(f"the gap in {metric_in_text(metric)} between similar children", row)
    entry, whom = registry.metric(metric), group_in_text(row["reference"])
    matched = Finding.of(row, "matched_gap", entry.gap_unit, decimals=1)
    everyone = Finding.of(row, "gap", entry.gap_unit, decimals=1)
    levels = ("matched_group_level", "matched_level")
    own, reference = (amount(row[name], entry.unit) for name in levels)
    return (
        f"Another way is to match each child with {whom} of {_SAME}, and to leave out those "
        f"without a match: {metric_in_text(metric)} among {group_in_text(row['group'])} was {own} "
        f"against {reference} in {year_label(year)}, {_compared(matched)}"
        f"{matched.brackets(of_size=True)}. Against all {whom} it was {_compared(everyone)}."
        f"{indicative(row.get('group_pupils'), below=_FEW)}"
    )


def _compared(gap: Finding) -> str:
    return "no difference" if gap.is_zero else f"{gap.size()} {gap.compared()}"


@sentence
def standardised_sentence(safe: SafeTable, *, metric: str, year: int) -> str:
    """Say how wide the gap would have been had the mix of children stayed as in the baseline."""
    row = one_row(safe, metric=metric, time_period=year, phase=names.TOTAL)
    what = f"the gap in {metric_in_text(metric)}"
    if not is_shown(row, "gap", "standardised_gap"):
        return _hidden(f"{what} had the mix of children stayed", row)
    unit = registry.metric(metric).gap_unit
    gap, stayed = (Finding.of(row, name, unit, decimals=1) for name in ("gap", "standardised_gap"))
    clauses = f"{stayed.with_interval(signed=False)} instead of {number(gap.value)}"
    if gap.written() == stayed.written():
        clauses = f"the same, {gap.written()}"
    return (
        f"Had the mix of children stayed as in {year_label(row['baseline'])}, {what} in "
        f"{year_label(year)} would have been {clauses}."
        f"{indicative(row.get('group_pupils'), below=_FEW)}"
    )


@sentence
def breakdown_sentence(
    safe: SafeTable, differences: SafeTable, *, metric: str, year: int, breakdown: str
) -> str:
    """Say for which children the gap is widest, with every value that is shown (breakdown).

    `differences` has the difference of each pair of values with its interval: without that of the
    widest and the narrowest no difference is said.
    """
    about = {"metric": metric, "time_period": year, "breakdown": breakdown}
    rows = records(part_of(safe, **about))
    shown = sorted(
        (row for row in rows if is_shown(row, "gap")), key=lambda row: -abs(float(row["gap"]))
    )
    if not shown:
        by = f"by {_in_text(breakdown)}"
        return _hidden(f"the gap in {metric_in_text(metric)} {by}", rows[0])
    widest, *others = shown
    start = (
        f"In {year_label(year)} {metric_in_text(metric)} for {group_in_text(widest['group'])}, "
        f"compared with {group_in_text(widest['reference'])}, was "
        f"{_among(widest, registry.metric(metric).gap_unit)}"
    )
    caution = indicative(
        min((row["group_pupils"] for row in shown if is_shown(row, "group_pupils")), default=None)
    )
    if not others:
        return f"{start}; for the other children it is not shown.{caution}"
    clauses = listed([_among(row) for row in others])
    order = _order(widest, others[-1], records(differences.where(**about)), of=len(shown))
    return f"{start}, against {clauses}.{order}{caution}"


def _among(row: Row, unit: str = "") -> str:
    least = measure_decimals(row, "gap")
    return f"{compared(row, 'gap', unit, least=least)} among {CHILDREN[row['value']]['in_text']}"


def _order(widest: Row, narrowest: Row, pairs: Sequence[Row], *, of: int) -> str:
    """Say how far the widest and the narrowest gap differ; '' where the interval is not there."""
    which = _EXTREMES[of > 2]
    for row in pairs:
        values, ends = (row["value"], row["other"]), interval_of(row, "difference")
        if ends is not None and set(values) == {widest["value"], narrowest["value"]}:
            turned = values[0] != widest["value"]
            same_schools = (-ends[1], -ends[0]) if turned else ends
            return order_clause(widest, narrowest, of=of, which=which, same_schools=same_schools)
    return ""


def _hidden(about: str, row: Row) -> str:
    if row.get("status") == names.UNRELIABLE:
        when = year_label(row["time_period"])
        return (
            f"{upper_first(about)} in {when} is not shown: too few of the children can be compared."
        )
    return not_shown(about, row)
