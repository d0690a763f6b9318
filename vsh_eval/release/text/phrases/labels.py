"""What columns and their values are called where a reader sees them."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from vsh_eval import academic_year, names, registry
from vsh_eval.columns import COUNTS, PROPORTIONS, ROLES, YEARS, Role, role_of
from vsh_eval.release.text.phrases.check_names import CHECK_LETTERS

MINUS = "\N{MINUS SIGN}"
INTERVAL = "95% interval"
"""What an interval is called wherever one stands."""

GROUP_LABELS = MappingProxyType(
    {
        names.CLA: "Looked-after children",
        names.CPP: "Children on a child protection plan",
        names.CIN: "Children in need",
        names.PREVIOUS: "Children who had a social worker before, but not this year",
        names.PEERS: "Pupils without a social worker",
        names.CWSW: "Children with a social worker",
        names.EVER_CWSW: "Children who have or had a social worker",
        names.ALL: "All pupils",
    }
)

PHASE_LABELS = MappingProxyType(
    {
        "primary": "Primary",
        "secondary": "Secondary",
        "all_through": "All-through",
        "special": "Special",
        "alternative_provision": "Alternative provision",
        "early_years": "Early years",
        "sixteen_plus": "16 plus",
        names.TOTAL: "All phases",
    }
)

COHORT_RULE_LABELS = MappingProxyType(
    {
        "any_time_in_year": "had a social worker at any time in the academic year",
        "at_31_march": "had a social worker on 31 March",
        "ever_6": "had a social worker in the year or the six years before",
    }
)

PROGRAMME_LABELS = MappingProxyType(
    {
        "elsa": "Emotional Literacy Support",
        "attachment_trauma": "Attachment and Trauma",
        "emotion_coaching": "Emotion Coaching",
        "relational_restorative": "Relational and Restorative practice",
        "safeguarding": "Safeguarding",
    }
)

CHARACTERISTICS = MappingProxyType(
    {
        "sex": ("Sex", "sex"),
        "fsm6": ("Free school meals in the last six years", "free school meals"),
        "sen": ("Special educational needs", "special educational needs"),
        "key_stage": ("Key stage", "key stage"),
    }
)
"""A breakdown as a label, and within a sentence."""

CHILDREN = MappingProxyType(
    {
        "girls": ("Girls", "girls"),
        "boys": ("Boys", "boys"),
        "sex_not_recorded": ("Sex not recorded", "children whose sex is not recorded"),
        "fsm6": (
            "Had free school meals",
            "children who had free school meals in the last six years",
        ),
        "not_fsm6": (
            "Had no free school meals",
            "children who had no free school meals in the last six years",
        ),
        "no_sen": ("No SEN", "children without SEN"),
        "sen_support": ("SEN support", "children on SEN support"),
        "ehc_plan": (
            "Education, health and care plan",
            "children with an education, health and care plan",
        ),
        "early_years": ("Early years", "children in early years"),
        "ks1": ("Key stage 1 (years 1 to 2)", "children in years 1 to 2"),
        "ks2": ("Key stage 2 (years 3 to 6)", "children in years 3 to 6"),
        "ks3": ("Key stage 3 (years 7 to 9)", "children in years 7 to 9"),
        "ks4": ("Key stage 4 (years 10 to 11)", "children in years 10 to 11"),
        "post_16": ("Years 12 to 14", "young people in years 12 to 14"),
    }
)
"""The children of one value of a breakdown as a label, and within a sentence."""

SYMBOL_MEANINGS = MappingProxyType(
    {
        names.CONFIDENTIAL: "suppressed to protect children's confidentiality",
        names.LOW: "rounds to zero but is not zero",
        names.UNRELIABLE: "of low reliability",
        names.UNAVAILABLE: "not available",
        names.NOT_APPLICABLE: "not applicable",
    }
)

COLUMN_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "time_period": "Academic year",
        "baseline": "Since",
        "adopted": "Trained from",
        "cohort_period": "Counted as trained from",
        "base_period": "Compared with the year",
        "stored_as": "Stored as",
        "geographic_level": "Kind of area",
        "unit_id": "Area",
        "phase": "Phase",
        "metric": "Measure",
        "group": "Group",
        "reference": "Compared with",
        "level_value": "Level",
        "pupils": "Pupils",
        "schools": "Schools",
        "urns": "School numbers (URN), former ones counted too",
        "school_years": "School-years",
        "group_pupils": "Pupils in the group",
        "reference_pupils": "Pupils compared with",
        "group_level": "This group",
        "reference_level": "Those it is compared with",
        "gap": "Gap",
        "ratio": "Ratio",
        "change": "Change",
        "group_change": "Change of the group",
        "reference_change": "Change of those compared with",
        "trend": "Yearly change of the gap",
        "group_trend": "Yearly change, this group",
        "reference_trend": "Yearly change, those it is compared with",
        "first_year": "From",
        "years": "Years in the line",
        "of": "What is split",
        "part": "Part",
        "whole": "Whole",
        "share": "Share of the whole (%)",
        "barrier": "Barrier",
        "sessions": "More half-days missed",
        "days": "More days missed",
        "group_days": "Days missed by the group",
        "reference_days": "Days missed at the rate of those compared with",
        "sessions_possible": "Possible half-days",
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
        "composition": "Reflects pupils' characteristics",
        "composition_phase": "Reflects phase",
        "composition_sen": "Reflects SEN",
        "composition_fsm6": "Reflects free school meals",
        "composition_sex": "Reflects sex",
        "rates": "Between similar children",
        "matched_group_level": "Level of the group's pupils who have similar ones",
        "matched_level": "Level of similar pupils",
        "matched_gap": "Gap between similar children",
        "standardised_gap": "Gap had the mix of children stayed",
        "unit": "Unit",
        "gap_unit": "Unit of the gap",
        "role": "Role",
        "protocol": "Protocol",
        "subgroup": "Part of what",
        "donors": "Authorities in the weighted average",
        "placebos": "Authorities that show chance",
        "left_out": "Authorities left out because a number is suppressed",
        "suppressed": "Suppressed numbers of the comparison",
        "own_suppressed": "Suppressed numbers of the authority itself",
        "programme": "Programme",
        "tier": "Tier",
        "audience": "Audience",
        "estimator": "Estimator",
        "comparison": "Compared with whom",
        "aggregation": "Summary",
        "index": "Year or time",
        "estimate": "Estimate",
        "std_error": "Standard error",
        "df": "Degrees of freedom",
        "ci": INTERVAL,
        "band": "Simultaneous band",
        "p_value": "p value",
        "p_adjusted": "Adjusted p value",
        "schools_treated": "Trained schools used",
        "schools_comparison": "Comparison schools used",
        "schools_trained": "Schools trained",
        "schools_lacking": "Of them, without that term",
        "term": "Term",
        "terms": "Terms lacking",
        "matched": "Found (%)",
        "least_matched": "Least share (%)",
        "share_schools": "Share of schools (%)",
        "pupils_reached": "Pupils in trained schools",
        "share_pupils": "Share of pupils (%)",
        "pupils_not_reached": "Pupils not reached",
        "schools_ever": "Schools ever trained",
        "schools_first_trained": "Schools trained for the first time",
        "cost_per_school": "Cost per school (£)",
        "cost_per_pupil_year": "Cost per child per year (£)",
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
        "value": "Value",
        "rule": "Rule",
        "verdict": "Verdict",
        "statement": "Answer",
        "confidence": "Confidence",
        "decided_by": "Decided by",
        "reason": "Reason",
        "used": "Used now",
        "reason_code": "Code of the reason",
        "variant_code": "Code of the variant",
        "amount": "Number in the reason",
        "mde": "Effect",
        "more_years": "More years of data",
        "other": "Other children",
        "difference": "Difference of the gaps",
        "comparisons": "Pairs compared",
        "authorities": "Authorities",
        "power": "Power",
        "exaggeration": "Expected exaggeration of a significant estimate",
        "bound": "Times the largest before",
        "effect": "Injected effect",
        "share_found": "Runs that detect it (%)",
        "lower": "Lower limit",
        "upper": "Upper limit",
        "largest_share": "Share of the largest school",
        "cost": "Cost (£)",
        "variable": "What is compared",
        "pupils_before": "Pupil-years before training",
        "pupils_after": "Pupil-years from training on",
        "arm": "Kind of school",
        "trained_sd": "Trained, spread (SD)",
        "comparison_sd": "Comparison, spread (SD)",
        "ratio_change": "Change of the ratio",
        "baseline_ratio": "Ratio in the baseline year",
        "time_identifier": "Kind of year",
        "country_code": "Country code",
        "country_name": "Country",
        "region_code": "Region code",
        "region_name": "Region",
        "old_la_code": "Authority, old code",
        "new_la_code": "Authority code",
        "la_name": "Authority name",
        "name": "Name",
        "cohort": "Year of first training",
        "variant": "Variant",
        "measure": "What is measured",
        "covid_years": "Pandemic years",
        "weights": "Weights",
        "year_effects": "Year effects",
        "deprivation": "Deprivation",
        "area": "Local area",
        "counted": "What is counted",
        "step": "Step",
        "item": "Item",
        "key": "Key",
        "question": "Question",
        "method": "Method",
        "test": "Test",
        "combination": "Programmes",
        "years_missing": "Years missing",
        "registered": "Registered",
        "now": "Now",
        "caution": "Caution",
        "type": "Type",
        "last_year": "To",
        "matched_pupils": "Pupils in the group with a match",
        "baseline_group_pupils": "Pupils in the group, baseline year",
        "baseline_reference_pupils": "Pupils compared with, baseline year",
        "pupil_years_reached": "Pupil-years in trained schools",
        "staff_trained": "Training places taken",
        "numerator": "Numerator",
        "denominator": "Denominator",
        "rate": "Rate",
        "group_schools": "Schools with pupils in the group",
        "reference_schools": "Schools with pupils compared with",
        "trained_schools": "Number of trained schools",
        "comparison_schools": "Number of comparison schools",
        "trainings": "Trainings",
        "draws": "Draws",
        "leads": "Years before training",
        "programmes": "Number of programmes",
        "hours": "Hours",
        "hours_per_school": "Hours per school",
        "hours_per_100_pupils": "Hours per 100 pupils",
        "staff_per_school": "Training places per school",
        "staff_per_100_pupils": "Training places per 100 pupils",
        "concentration": "Concentration index",
        "rank": "Rank",
        "limit": "Limit",
        "tau_dl": "Spread between schools (DerSimonian-Laird)",
        "tau_pm": "Spread between schools (Paule-Mandel)",
        "slope": "Slope",
        "trained_mean": "Trained, mean",
        "comparison_mean": "Comparison, mean",
        "growth_share_pupils": "Growth in pupils since the first year (points)",
        "bias": "Bias",
        "bias_given_passed": "Bias where the test is passed",
        "standardised_difference": "Standardised difference",
        "pooled_sd": "Pooled standard deviation",
        "weight": "Weight",
        "preregistered": "As registered",
        "excludes_zero": "Excludes zero",
        "group_std_error": "Group, standard error",
        "reference_std_error": "Compared with, standard error",
        "log_ratio_std_error": "Logarithm of the ratio, standard error",
        "group_largest_share": "Group, share of the largest school",
        "reference_largest_share": "Compared with, share of the largest school",
        "outcome": "Gap of the authority",
        "donor_mean": "Weighted average of other authorities",
        "synthetic": "The same, shifted to the level before",
        "distance": "Distance from the shifted average",
        "placebo_lower": "Other authorities, lower limit",
        "placebo_upper": "Other authorities, upper limit",
        "before": "Before the offer",
        "coverage": "Share of pupils with a match",
        "group_coverage": "Share of the group with a match",
        "reference_coverage": "Share of those compared with that have a match",
        "group_alone": "Share of the group without a match",
        "reference_alone": "Share of those compared with that have no match",
        "q": "Cochran's Q",
        "q_p_value": "p value of Cochran's Q",
        "statistic": "Test statistic",
        "standardised_group_level": "This group had the mix stayed",
        "standardised_reference_level": "Those it is compared with had the mix stayed",
        "group_numerator": "Pupils counted in the group",
        "reference_numerator": "Pupils counted among those compared with",
        "strata": "Cells of characteristics",
        "leave_one_out_lower": "Estimate leaving one authority out, lowest",
        "leave_one_out_upper": "Estimate leaving one authority out, highest",
        "rmspe_before": "Error before the offer",
        "treated": "Trained in",
        "capped": "Reaches the largest bound",
        "alpha": "Significance level",
        "error_ratio": "Ratio of standard errors",
        "found": "Runs that find an effect",
        "runs": "Runs",
        "school_years_before": "School-years before training",
        "school_years_after": "School-years from training on",
        "size": "Chance of a false alarm",
        "target": "Estimated quantity",
        "more": "More authorities needed",
        "pooled": "In the pool",
        "chosen_by": "How schools were chosen",
        "software": "Version of vsh_eval",
        "earlier": "In last year's release",
        "earlier_gap": "Gap in last year's release",
        "earlier_group_level": "This group in last year's release",
        "earlier_reference_level": "Those it is compared with in last year's release",
        "next": "True effect in one more authority",
        "tau_squared": "Variance between authorities",
        "assumption": "Assumption",
        "years_before": "Years compared before training",
        "years_after": "Years from training on",
    }
)
"""Headings of columns; the ends of an interval are named after their column."""

_INTERVAL_LABELS = {
    "": INTERVAL,
    "ci": INTERVAL,
    "band": "Simultaneous band",
    "placebo": "Range of other authorities",
    "prediction": f"Gap of one more school, {INTERVAL}",
    "leave_one_out": "Estimate leaving one authority out, lowest to highest",
    "next": f"True effect in one more authority, {INTERVAL}",
}
"""Headings of intervals that have no column of their own beside them."""
_ENDINGS = {
    "_lower": "lower limit",
    "_upper": "upper limit",
    "_std_error": "standard error",
}

_OWN_DECIMALS: Mapping[str, int | None] = MappingProxyType(
    dict.fromkeys(("estimate", "ci", "band", "trend", "group_trend", "reference_trend"), 2)
    | dict.fromkeys(("effect_size", "gap_index", "evenness"), 2)
    | dict.fromkeys(("effect", "mde"), 1)
    | dict.fromkeys(("hours", "months", "i_squared", "sessions_possible", "rank"), 0)
    | dict.fromkeys(PROPORTIONS)
    | dict.fromkeys(("value", "limit", "df", "slope", "concentration", "share_found"))
    | dict.fromkeys(("bias", "bias_given_passed", "size", "alpha", "error_ratio", "q", "statistic"))
    | dict.fromkeys(("trained_mean", "comparison_mean", "trained_sd", "comparison_sd"))
    | dict.fromkeys(("next",), 2)
    | dict.fromkeys(("standardised_difference", "tau_squared"))
)
"""Decimals of columns that differ from those of their role; None is three significant figures."""
_ROLE_DECIMALS: Mapping[Role, int] = MappingProxyType(
    dict.fromkeys((*COUNTS, Role.MONEY), 0) | {Role.RATIO: 2, Role.ERROR: 2, Role.P_VALUE: 3}
)

ESTIMATOR_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "imputation": "Each school compared with itself",
        "same_past": "Compared with untrained schools that had the same past",
        "callaway_santanna": "Callaway and Sant'Anna",
        "synthetic_did": "Synthetic difference-in-differences",
        "imputation_common_year": "Each school compared with itself, years common to all phases",
        "two_way_fixed_effects": "Two-way fixed effects",
        "wild_cluster": "Wild cluster bootstrap",
        "honest": "Rambachan and Roth",
        "drift": "Drift before training",
        "bacon": "Two-way fixed effects, taken apart",
        "imputation_phase_year": "Each school compared with itself, each phase its own years",
        "randomisation": "Randomisation inference",
    }
)

RULE_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "pretrend": "Same path before training",
        "drift": "No drift before training that could explain the result",
        "composition": "Children counted did not change with training",
        "entrants": "No difference of newly counted children that could explain the result",
        "peers": "Other pupils' level did not move",
        "agreement": "Both ways of estimating the effect agree",
        "randomisation": "Larger than chance alone would give",
        "chosen_by": "Schools chosen at random",
        "registered": "Plan fixed before the last year of data ended, and followed",
        "losses": "Few schools lost",
        "power": "Smallest effect of interest can be detected",
        "breakdown": "Withstands breaks in the trend",
        "balance": "Schools similar before training",
    }
)
VERDICT_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "pass": "Passed",
        "fail": "Not passed",
        "not testable": "Not tested",
        "for information": "For information",
    }
)

_VALUE_LABELS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "group": GROUP_LABELS,
        "reference": GROUP_LABELS,
        "phase": PHASE_LABELS,
        "programme": {**PROGRAMME_LABELS, "any": "Any programme"},
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
        "arm": {
            "trained": "Trained schools",
            "untrained": "Untrained schools",
            "comparison": "Comparison schools",
        },
        "question": {
            "detectable": "Effect with an 80% chance",
            "even_odds": "Effect with an even chance",
            "of_interest": "Smallest effect of interest",
            "double": "Twice the smallest effect of interest",
            "same_past": "Against untrained schools with the same past",
        },
        "wait": {"same_year": "In the same year", "1_year": "1 year later"},
        "audience": {
            "any": "Any audience",
            "dsl": "Designated safeguarding leads",
            "": "Not given",
        },
        "cohort_rule": COHORT_RULE_LABELS,
        "breakdown": {name: label for name, (label, _) in CHARACTERISTICS.items()},
        "of": {"gap": "Gap", "change": "Change of the gap", "separate": "Shown with the gap"},
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
        "value": {name: label for name, (label, _) in CHILDREN.items()},
        "estimator": ESTIMATOR_LABELS,
        "check": CHECK_LETTERS,
        "comparison": {
            "not_yet_treated": "Schools not yet trained",
            "never_treated": "Schools never trained",
            "neighbours": "Statistical neighbours",
            "region": "Authorities of its region",
            "all": "All authorities",
        },
        "geographic_level": {"la": "Authority", "region": "Region", "national": "England"},
        "aggregation": {
            "simple": "All trained school-years",
            "cohort": "By year of training",
            "calendar": "By academic year",
            "event": "By time since training",
            "att_gt": "By year of training and academic year",
        },
        "verdict": VERDICT_LABELS,
        "chosen_by": {
            "lot": "At random",
            "gap": "Because of their gap",
            "volunteers": "They volunteered",
            "unknown": "Not known",
        },
        "target": {
            "gap": "Effect on the gap",
            "group_level": "Effect on the group's own level",
            "reference_level": "Effect on the level compared with",
            "drift": "Drift a year before training",
        },
        "variant": {
            "treated_vs_never": "Trained schools with schools never trained",
            "earlier_vs_later": "Trained schools with schools trained later",
            "later_vs_earlier": "Trained schools with schools trained already",
            "treated_vs_always": "Trained schools with schools trained throughout",
            "own": "The authority alone",
            "attributable": "All in the pool",
            "every": "All authorities",
            "without": "Without one authority",
        },
        "result": {
            "pass": "Pass",
            "warn": "Warning",
            "fail": "Fail",
            "restated": "Data corrected or completed",
            "counted_otherwise": "Counted in another way",
            "schools_joined": "Schools joined, sums kept",
        },
        "step": {
            **GROUP_LABELS,
            "outside_years": "Outside the years of the run",
            "no_data_in_year": "In a year without data for the measure",
            "no_enrolment_in_year": "Of a pupil without an enrolment that year",
            "year_group_not_counted": "Of a pupil outside the year groups counted",
            "unknown_school": "At a school the schools table lacks",
            "nothing_to_count": "Without a possible session or a value",
            "unknown_measure": "Of a measure the registry does not know",
            "invalid_dates": "Without a start, or ending before it starts",
            "other_basis": "Of the other basis",
            "never_enrolled": "Of a child without an enrolment",
            "joined_to_successor": "Joined to a successor",
            "closed_year": "In a closed year",
            "listed": "Schools of the authority",
            "with_gap": "With children of the cohort and their peers in a comparable year",
            "before_training": "With such a year before training, where trained",
            "in_estimate": "Used in the estimate, with children since training where trained",
            "used": "Kept for the estimate",
        },
        "variable": {
            "baseline_outcome": "Gap before training",
            "baseline_pupils": "Children of the cohort a year",
            "pct_fsm": "Pupils on free school meals (%)",
            "idaci": "Deprivation (IDACI)",
        },
        "rule": RULE_LABELS,
    }
)

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
    for ending, words in _ENDINGS.items():
        if column.endswith(ending) and column not in COLUMN_LABELS:
            return f"{COLUMN_LABELS[column.removesuffix(ending)]}, {words}"
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
