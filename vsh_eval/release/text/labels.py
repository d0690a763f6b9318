"""What columns and their values are called where a reader sees them."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from vsh_eval import academic_year, names, registry

MINUS = "\N{MINUS SIGN}"

COLUMN_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "time_period": "Academic year",
        "baseline": "Since",
        "adopted": "Trained from",
        "cohort_period": "Counted as trained from",
        "base_period": "Compared with the year",
        "stored_as": "Stored as",
        "geographic_level": "Level",
        "unit_id": "Area",
        "phase": "Phase",
        "metric": "Measure",
        "group": "Group",
        "reference": "Compared with",
        "level_value": "Level",
        "pupils": "Pupils",
        "schools": "Schools",
        "school_years": "School-years",
        "group_pupils": "Pupils in the group",
        "reference_pupils": "Pupils compared with",
        "group_level": "Level of the group",
        "reference_level": "Level compared with",
        "gap": "Gap",
        "ratio": "Ratio",
        "change": "Change",
        "group_change": "Change of the group",
        "reference_change": "Change of those compared with",
        "trend": "Gap, a year",
        "group_trend": "Group, a year",
        "reference_trend": "Compared with, a year",
        "first_year": "From",
        "years": "Years in the line",
        "of": "What is split",
        "part": "Part",
        "whole": "Whole",
        "share": "Share of the whole (%)",
        "barrier": "Barrier",
        "sessions": "Sessions missed more",
        "days": "Days missed more",
        "sessions_possible": "Possible sessions",
        "effect_size": "Effect size",
        "measured_by": "Measured by",
        "months": "Months of progress",
        "gap_index": "Gap index",
        "mean_gap": "Mean gap of schools",
        "tau": "Spread between schools",
        "i_squared": "Not chance (%)",
        "prediction_lower": "Gap of one more school, lower limit",
        "prediction_upper": "Gap of one more school, upper limit",
        "breakdown": "By",
        "composition": "Goes with who the children are",
        "composition_phase": "Goes with phase",
        "composition_sen": "Goes with SEN",
        "composition_fsm6": "Goes with free school meals",
        "composition_sex": "Goes with sex",
        "rates": "Between children alike",
        "matched_level": "Level of pupils who are alike",
        "matched_gap": "Gap between children alike",
        "standardised_gap": "Gap had the mix of children stayed",
        "unit": "Unit",
        "gap_unit": "Unit of the gap",
        "role": "Role",
        "protocol": "Protocol",
        "subgroup": "Part of what",
        "donors": "Authorities in the mixture",
        "placebos": "Authorities that show chance",
        "left_out": "Authorities left out because a number is suppressed",
        "suppressed": "Suppressed numbers of the comparison",
        "own_suppressed": "Suppressed numbers of the authority itself",
        "programme": "Programme",
        "tier": "Tier",
        "audience": "Audience",
        "estimator": "Estimator",
        "comparison": "Comparison schools",
        "aggregation": "Summary",
        "index": "Year or time",
        "estimate": "Estimate",
        "std_error": "Standard error",
        "df": "Degrees of freedom",
        "ci": "95% interval",
        "band": "Simultaneous band",
        "p_value": "p value",
        "p_adjusted": "Adjusted p value",
        "schools_treated": "Trained schools",
        "schools_comparison": "Comparison schools used",
        "schools_trained": "Schools trained",
        "share_schools": "Share of schools",
        "pupils_reached": "Pupils in trained schools",
        "share_pupils": "Share of pupils",
        "pupils_not_reached": "Pupils not reached",
        "schools_ever": "Schools ever trained",
        "cost_per_school": "Cost per school (£)",
        "cost_per_pupil_year": "Cost per child and year (£)",
        "growth_share_schools": "Growth since the first year (points)",
        "baseline_gap": "Gap before training",
        "need": "Order of schools",
        "evenness": "Index (\N{MINUS SIGN}1 to 1)",
        "with_staff": "with staff",
        "with_hours": "with hours",
        "with_cost": "with cost",
        "with_audience": "with audience",
        "wait": "Second programme",
        "direction": "Direction",
        "comparable": "Comparable",
        "definition_changed": "Definition changed",
        "cohort_rule": "Cohort rule",
        "vintage": "Data vintage",
        "source": "Source",
        "status": "Status",
        "check": "Check",
        "table": "Table",
        "result": "Result",
        "rows": "Rows concerned",
        "of_rows": "Rows in all",
        "message": "What it means",
        "column": "Column",
        "setting": "Setting",
        "value": "Value",
        "rule": "Rule",
        "verdict": "Verdict",
        "reason": "Reason",
        "mde": "Smallest effect that would be seen",
        "power": "Power",
        "bound": "Times the largest before",
        "effect": "Effect planted",
        "share_found": "Runs that find it (%)",
        "lower": "Lower limit",
        "upper": "Upper limit",
        "largest_share": "Share of the largest school",
        "cost": "Cost (£)",
        "variable": "What is compared",
        "pupils_before": "Pupil-years before training",
        "pupils_after": "Pupil-years from training on",
        "arm": "Schools that are",
        "trained_sd": "Trained, spread (SD)",
        "comparison_sd": "Comparison, spread (SD)",
    }
)
"""Headings of columns; any other column is its name in plain words."""

ESTIMATOR_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "imputation": "Imputation",
        "callaway_santanna": "Callaway and Sant'Anna",
        "cs": "Callaway and Sant'Anna",
        "sun_abraham": "Sun and Abraham",
        "twfe": "Two-way fixed effects",
        "synthetic_did": "Synthetic difference-in-differences",
        "synthetic_control": "Synthetic control",
        "donut": "Imputation without the year before",
        "imputation_common_year": "Imputation, years common to all phases",
        "two_way_fixed_effects": "Two-way fixed effects",
        "wild_cluster": "Wild cluster bootstrap",
        "honest": "Rambachan and Roth",
        "pretrend_power": "Power of the test before training",
        "bacon": "Two-way fixed effects, taken apart",
        "imputation_phase_year": "Imputation, each phase its own years",
        "randomisation": "Randomisation inference",
    }
)

_VALUE_LABELS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "group": names.GROUP_LABELS,
        "reference": names.GROUP_LABELS,
        "phase": names.PHASE_LABELS,
        "programme": {**names.PROGRAMME_LABELS, "any": "Any programme"},
        "tier": {"any": "Any tier"},
        "deprivation": {"total": "All schools", "not_known": "Not known"},
        "baseline_gap": {
            "total": "All schools",
            "not_known": "Not known",
            "widest_gap_third": "Third with the widest gap",
            "narrowest_gap_third": "Third with the narrowest gap",
        },
        "area": {"total": "All schools", "not_known": "Not known"},
        "need": {"deprivation": "By deprivation", "baseline_gap": "By gap before training"},
        "wait": {"same_year": "In the same year", "1_year": "1 year later"},
        "audience": {
            "any": "Any audience",
            "dsl": "Designated safeguarding leads",
            "": "Not given",
        },
        "cohort_rule": names.COHORT_RULE_LABELS,
        "breakdown": names.BREAKDOWN_LABELS,
        "of": {"gap": "Gap", "change": "Change of the gap", "beside": "Beside the gap"},
        "part": {"group": "The group's own", "reference": "Of those compared with"},
        "barrier": {
            "sen_support": "SEN support",
            "ehc_plan": "Education, health and care plan",
            "fsm6": "Free school meals in the last six years",
        },
        "measured_by": {
            "hedges_g": "Hedges' g",
            "cox_index": "Cox's index",
            "gap_index": "Gap index",
        },
        "value": names.BREAKDOWN_VALUE_LABELS,
        "estimator": ESTIMATOR_LABELS,
        "check": {letter: letter for letter in "abcdefghijk"},
        "comparison": {
            "not_yet_treated": "Schools not yet trained",
            "never_treated": "Schools never trained",
            "neighbours": "Statistical neighbours",
            "region": "Authorities of its region",
            "all": "All authorities",
            "neighbours_lowest": "Neighbours, lowest possible",
            "neighbours_highest": "Neighbours, highest possible",
            "region_lowest": "Region, lowest possible",
            "region_highest": "Region, highest possible",
            "all_lowest": "All, lowest possible",
            "all_highest": "All, highest possible",
        },
        "geographic_level": {"la": "Authority", "region": "Region", "national": "England"},
        "aggregation": {
            "simple": "All trained school-years",
            "cohort": "By year of training",
            "calendar": "By academic year",
            "event": "By time since training",
            "att_gt": "By year of training and academic year",
        },
        "verdict": {"pass": "Passed", "fail": "Failed", "not testable": "Not tested"},
        "variant": {
            "treated_vs_never": "Trained schools with schools never trained",
            "earlier_vs_later": "Trained schools with schools trained later",
            "later_vs_earlier": "Trained schools with schools trained already",
            "treated_vs_always": "Trained schools with schools trained throughout",
        },
        "result": {"pass": "Pass", "warn": "Warning", "fail": "Fail"},
        "step": names.GROUP_LABELS,
        "variable": {
            "baseline_outcome": "Gap before training",
            "baseline_pupils": "Children of the cohort a year",
            "pct_fsm": "Pupils on free school meals (%)",
            "idaci": "Deprivation (IDACI)",
        },
        "rule": {
            "registered": "Protocol registered beforehand",
            "power": "Power for the smallest effect of interest",
            "pretrend": "Same path before training",
            "breakdown": "Withstands breaks in the trend",
            "randomisation": "Withstands randomisation",
            "balance": "Schools alike before training",
            "losses": "Few schools lost",
            "composition": "Children counted did not change with training",
        },
    }
)

YEAR_COLUMNS = frozenset(
    {"time_period", "baseline", "adopted", "cohort_period", "base_period"}
    | {"first_year", "last_year"}
)
"""Columns of academic years."""
_AS_WRITTEN = frozenset(
    {
        "unit",
        "gap_unit",
        "unit_id",
        "vintage",
        "message",
        "value",
        "reason",
        "column",
        "table",
        "stored_as",
    }
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

    Examples
    --------
    >>> column_label("gap_lower"), column_label("staff_trained")
    ('Gap, lower limit', 'Staff trained')
    """
    if column in COLUMN_LABELS:
        return COLUMN_LABELS[column]
    for ending, words in (
        ("_lower", "lower limit"),
        ("_upper", "upper limit"),
        ("_std_error", "standard error"),
    ):
        if column.endswith(ending):
            return f"{column_label(column.removesuffix(ending))}, {words}"
    return in_words(column)


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
    if column in YEAR_COLUMNS:
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


def programme_in_text(programme: str) -> str:
    """Name a programme within a sentence.

    Examples
    --------
    >>> programme_in_text("any"), programme_in_text("elsa")
    ('any programme', 'Emotional Literacy Support')
    """
    return "any programme" if programme == "any" else value_label("programme", programme)


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
    if entry is not None and entry.topic == "attainment" and entry.counts == "children":
        return f"the share reaching the {lower_first(label)}"
    if entry is not None and (entry.ranks or entry.topic in ("suspension", "moves")):
        return f"the {lower_first(label)}"
    return label if any(c.isdigit() for c in label.split(" at ")[0]) else lower_first(label)


def phase_in_text(phase: str) -> str:
    """Name the schools of a phase within a sentence; '' for all phases.

    Examples
    --------
    >>> phase_in_text("secondary"), phase_in_text("total")
    ('in secondary schools', '')
    """
    return "" if phase == names.TOTAL else f"in {schools_of(phase)}"


def where_in_text(phase: str) -> str:
    """Name the schools of a phase after what happens there, a space before; '' for all phases.

    Examples
    --------
    >>> where_in_text("secondary"), where_in_text("total")
    (' in secondary schools', '')
    """
    words = phase_in_text(phase)
    return f" {words}" if words else ""


def measure_in_text(metric: str, phase: str) -> str:
    """Name a measure in the schools of a phase within a sentence.

    Examples
    --------
    >>> measure_in_text("overall_absence", "secondary")
    'overall absence in secondary schools'
    """
    return f"{metric_in_text(metric)}{where_in_text(phase)}"


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


def upper_first(text: str) -> str:
    """Write the first letter as a capital and leave the others, as a sentence begins.

    Examples
    --------
    >>> upper_first("the gap in Attainment 8"), upper_first("")
    ('The gap in Attainment 8', '')
    """
    return text[:1].upper() + text[1:]
