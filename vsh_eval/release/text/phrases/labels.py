"""What columns and their values are called where a reader sees them."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from vsh_eval import academic_year, names, registry
from vsh_eval.columns import COUNTS, PROPORTIONS, ROLES, YEARS, Role, role_of
from vsh_eval.release.text.words import rows, words

MINUS = "\N{MINUS SIGN}"
INTERVAL = "95% interval"
"""What an interval is called wherever one stands."""

SYMBOL_MEANINGS = words("labels", "symbol")

COLUMN_LABELS = {**words("labels", "column"), "ci": INTERVAL}
"""Headings of columns; the ends of an interval are named after their column."""

_INTERVAL_LABELS = {
    stem: label.format(interval=INTERVAL) for stem, label in words("labels", "interval").items()
}
"""Headings of intervals that have no column of their own beside them."""
_ENDINGS = words("labels", "ending")

_OWN_DECIMALS: Mapping[str, int | None] = MappingProxyType(
    dict.fromkeys(("estimate", "ci", "band", "trend", "group_trend", "reference_trend"), 2)
    | dict.fromkeys(("effect_size", "gap_index", "evenness"), 2)
    | dict.fromkeys(("effect", "mde"), 1)
    | dict.fromkeys(("hours", "months", "i_squared", "sessions_possible", "rank", "matched"), 0)
    | dict.fromkeys(PROPORTIONS)
    | dict.fromkeys(("value", "limit", "df", "slope", "concentration", "share_found"))
    | dict.fromkeys(("bias", "bias_given_passed", "size", "alpha", "error_ratio", "q", "statistic"))
    | dict.fromkeys(("trained_mean", "comparison_mean", "trained_sd", "comparison_sd"))
    | {"least_matched": 0, "next": 2}
    | dict.fromkeys(("standardised_difference", "tau_squared"))
)
"""Decimals of columns that differ from those of their role; None is three significant figures."""
_ROLE_DECIMALS: Mapping[Role, int] = MappingProxyType(
    dict.fromkeys((*COUNTS, Role.MONEY), 0) | {Role.RATIO: 2, Role.ERROR: 2, Role.P_VALUE: 3}
)


RULE_LABELS = words("evidence", "rule", "label")


def upper_first(text: str) -> str:
    """Write the first letter as a capital and leave the others, as a sentence begins.

    Examples
    --------
    >>> upper_first("the gap in Attainment 8"), upper_first("")
    ('The gap in Attainment 8', '')
    """
    return text[:1].upper() + text[1:]


_VALUES = rows("labels", "value")
GROUP_LABELS, PHASE_LABELS, PROGRAMME_LABELS, COHORT_RULE_LABELS, VERDICT_LABELS = (
    _VALUES[column] for column in ("group", "phase", "programme", "cohort_rule", "verdict")
)
CHARACTERISTICS, CHILDREN = rows("labels", "characteristic"), rows("labels", "children")
_COMPOSITION = {c: upper_first(text) for c, text in words("reasons", "composition").items()}
_VALUE_LABELS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        **_VALUES,
        "breakdown": words("labels", "characteristic", "label"),
        "value": words("labels", "children", "label"),
        "programme": {**PROGRAMME_LABELS, "any": "Any programme"},
        "reference": GROUP_LABELS,
        "step": {**GROUP_LABELS, **_VALUES["step"]},
        "target": {**_COMPOSITION, **_VALUES["target"]},
        "rule": RULE_LABELS,
        "check": words("checks", "check", "letter"),
    }
)

_AS_WRITTEN = frozenset(
    {"unit", "gap_unit", "unit_id", "vintage", "message", "value", "reason", "column", "table"}
    | {"stored_as"}
)


def column_label(column: str) -> str:
    """Return the heading of a column.

    Parameters
    ----------
    column : str
        The column's name; ``*_lower`` and ``*_upper`` are named after their column.

    Returns
    -------
    str
        A heading in plain words, for example ``Gap, lower limit``.

    Raises
    ------
    ContractError
        If `vsh_eval.columns` does not declare the column.

    Examples
    --------
    >>> column_label("gap_lower"), column_label("staff_trained")
    ('Gap, lower limit', 'Training places taken')
    """
    role_of(column)
    for ending, name in _ENDINGS.items():
        if column.endswith(ending) and column not in COLUMN_LABELS:
            return f"{COLUMN_LABELS[column.removesuffix(ending)]}, {name}"
    return COLUMN_LABELS[column]


def interval_label(column: str) -> str:
    """Return the heading of a column's interval, '' being the column ``lower`` to ``upper``.

    Examples
    --------
    >>> interval_label("gap"), interval_label("ci")
    ('Gap, 95% interval', '95% interval')
    """
    return _INTERVAL_LABELS.get(column) or interval_of(column_label(column))


def interval_of(label: str) -> str:
    """Name the interval of what a heading says.

    Examples
    --------
    >>> interval_of("Gap")
    'Gap, 95% interval'
    """
    return f"{label}, {INTERVAL}"


def decimals_of(column: str) -> int | None:
    """Return the decimals a column is shown with, None where it is shown to three figures.

    Raises
    ------
    ContractError
        If `vsh_eval.columns` does not declare the column.

    Examples
    --------
    >>> decimals_of("group_pupils"), decimals_of("gap_lower"), decimals_of("ratio_upper")
    (0, 1, 2)
    >>> decimals_of("gap_std_error"), decimals_of("largest_share")
    (2, None)
    """
    stem = column.removesuffix("_lower").removesuffix("_upper")
    if stem in _OWN_DECIMALS:
        return _OWN_DECIMALS[stem]
    # The ends of an interval of its own (ci, band) have no column they belong to.
    return _ROLE_DECIMALS.get(role_of(stem if stem in ROLES else column), 1)


def value_label(column: str, value: Any) -> str:
    """Return what a reader calls a value of a text column.

    Parameters
    ----------
    column : str
        The column the value stands in.
    value : object
        The value; a missing one and ``''`` become an empty text.

    Returns
    -------
    str
        The label of the registry or of `vsh_eval.names`, else the value in plain words.

    Examples
    --------
    >>> value_label("time_period", 202425), value_label("metric", "overall_absence")
    ('2024/25', 'Overall absence')
    >>> value_label("group", "cwsw"), value_label("estimator", "two_stage")
    ('Children with a social worker', 'Two stage')
    """
    if is_missing(value):
        return ""
    if column == "base_period" and int(value) == names.NEVER:
        return names.NOT_APPLICABLE
    if column in YEARS:
        return year_label(value)
    if column in ("metric", "part", "barrier") and str(value) in registry.METRICS:
        return registry.metric(str(value)).label
    if column == "combination":
        return " + ".join(value_label("programme", one) for one in str(value).split(" + "))
    known = _VALUE_LABELS.get(column, {})
    written = str(value) if column in _AS_WRITTEN else in_words(str(value))
    return known.get(str(value), written)


def year_label(period: Any) -> str:
    """Write an academic year, or ``never`` for the adoption year of an untrained school.

    Examples
    --------
    >>> year_label(202324), year_label(0)
    ('2023/24', 'never')
    """
    return "never" if int(period) == names.NEVER else academic_year.label(int(period))


def index_label(aggregation: str, index: Any) -> str:
    """Write the index of an estimate: a year, or years since training with its sign.

    Examples
    --------
    >>> index_label("calendar", 202324), index_label("event", 2.0), index_label("simple", None)
    ('2023/24', '+2', '')
    """
    if aggregation == "simple" or is_missing(index):
        return ""
    if aggregation == "event":
        years = int(index)
        return f"{MINUS if years < 0 else '+' if years else ''}{abs(years)}"
    return year_label(index) if int(index) > 9999 else str(int(index))


def in_words(name: str) -> str:
    """Write a name with underscores as words, the first letter a capital.

    Examples
    --------
    >>> in_words("not_yet_treated")
    'Not yet treated'
    """
    return upper_first(name.replace("_", " ").strip())


def is_missing(value: Any) -> bool:
    """Say whether a value is None, NaN, NaT or NA."""
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return type(value).__name__ in {"NAType", "NaTType"}


def group_in_text(group: str) -> str:
    """Name a group within a sentence.

    Examples
    --------
    >>> group_in_text("peers")
    'pupils without a social worker'
    """
    return lower_first(value_label("group", group))


def metric_in_text(metric: str) -> str:
    """Name a measure within a sentence; proper names keep their capital.

    Examples
    --------
    >>> metric_in_text("overall_absence"), metric_in_text("ks4_attainment8")
    ('overall absence', 'Attainment 8')
    >>> metric_in_text("suspension_rate"), metric_in_text("ks4_attainment8_rank")
    ('the suspension rate', 'the mean percentile rank in Attainment 8')
    >>> metric_in_text("ks2_rwm_expected")[:40]
    'the share reaching the expected standard'
    """
    label = value_label("metric", metric)
    entry = registry.METRICS.get(metric)
    if entry is not None and (
        entry.ranks or entry.topic == "suspension" or label.startswith("Share ")
    ):
        return f"the {lower_first(label)}"
    if entry is not None and entry.topic == "attainment" and entry.counts == "children":
        return f"the share reaching the {lower_first(label)}"
    return label if any(c.isdigit() for c in label.split(" at ")[0]) else lower_first(label)


def phase_in_text(phase: str) -> str:
    """Name the schools of a phase within a sentence; '' for all phases.

    Examples
    --------
    >>> phase_in_text("secondary"), phase_in_text("total")
    ('in secondary schools', '')
    """
    return "" if phase == names.TOTAL else f"in {schools_of(phase)}"


def schools_of(phase: str) -> str:
    """Name the schools of a phase.

    Examples
    --------
    >>> schools_of("secondary"), schools_of("total"), schools_of("early_years")
    ('secondary schools', 'schools', 'early years settings')
    """
    special = {
        names.TOTAL: "schools",
        "sixteen_plus": "16-plus settings",
        "early_years": "early years settings",
        "alternative_provision": "alternative provision",
    }
    return special.get(phase, f"{lower_first(value_label('phase', phase))} schools")


def lower_first(text: str) -> str:
    """Write the first letter small."""
    return text[:1].lower() + text[1:]
