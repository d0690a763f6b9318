"""The sentences and captions that hold no number: one table, each said by its code."""

from collections.abc import Mapping
from types import MappingProxyType

from vsh_eval import registry
from vsh_eval.contracts import ContractError, require_one_of
from vsh_eval.release.text.phrases.labels import (
    column_label,
    lower_first,
    metric_in_text,
    value_label,
)
from vsh_eval.release.text.safe_text import SafeText, require_safe_text, sentence

PHRASES: Mapping[str, str] = MappingProxyType(
    {
        # Every page
        "run_card": "What is asked, of which data, under which rules",
        "numbers_of_chart": "Numbers of this chart",
        "chart_is_hidden": "None of the numbers of this chart can be shown.",
        # 01 returns
        "returns_tables": "The returns, table by table",
        "notes_of_files": "What the files left open",
        "findings_to_know": "What readers of the results should know",
        "every_check": "Every check and what it found",
        "verdict_reasons": "Why with care, or why not",
        "flow_of_children": "Children, step by step",
        "flow_of_schools": "Schools, step by step",
        "terms_missed": "Schools by the number of terms of a year that they lack",
        "schools_by_term": "Schools with and without sessions, term by term",
        "joins": "How much of each join is found",
        # 02 cohort
        "cohort_by_group": "{metric} by group, {year}",
        "cohort_by_phase": "{metric} of the cohort by phase of education, {year}",
        "barriers": "Barriers, {year}",
        "suspended_or_excluded": "Suspended or excluded, {year}",
        "flow": "What each step kept and left out",
        "flow_by_dfe": "The matching was done by DfE, which publishes its result.",
        "no_barriers_published": "DfE's tables do not cross a social worker with SEN or free "
        "school meals.",
        # 03 training offer
        "reach_by_programme": "Schools and children reached by programme, up to {year}",
        "reach_by_tier": "Schools and children reached by tier, up to {year}",
        "reach_by_audience": "Schools and children reached by audience, up to {year}",
        "reach_by_phase": "Schools and children reached in every phase, up to {year}",
        "reach_by_need": "Schools and children reached by {column}, {year}",
        "coverage": "Schools and children reached by phase and {column}, {year}",
        "equity": "Does the training go where need is greatest? {year}",
        "depth_by_programme": "Staff and hours by programme, up to {year}",
        "log_records": "What the training log records: numbers of trainings",
        "combinations": "Combinations of programmes",
        "waits": "From first to second programme",
        "cost_by_programme": "Cost by programme, up to {year}",
        "reach_not_known": "Reach is known only from the authority's own training log.",
        "cost_not_known": "Costs are known only from the authority's own training log.",
        # 04 and 05 gaps
        "gaps_and_changes": "Gaps in {year} and how they changed",
        "no_published_folder": "A comparison with DfE's tables is not included in this run.",
        "others_whose_change": "The other measures: who moved, the cohort or those it is compared "
        "with",
        "suspensions_last_year": "Suspensions and exclusions, the last year of each",
        "days_a_child": "Days missed per child per year, at the same number of possible days",
        "others_trends_and_days": "The trends and days of the other measures",
        "others_trends": "The trends of the other measures",
        "trends": "How the gap and both levels moved, a year",
        "phases_differ_published": "DfE sorts schools into phases in one way for all pupils and in "
        "another for children in need, and calls a comparison by phase not appropriate: take these "
        "as a rough guide only.",
        "gap_by_phase": "{metric} by phase, {year}",
        "gap_of_groups_and_references": "{metric} of every group against each reference, {year}",
        "no_characteristics_published": "DfE's tables do not cross a social worker with pupils' "
        "characteristics.",
        "no_school_gaps_published": "DfE's tables of children in need are of authorities, not of "
        "schools.",
        "others_schools": "How much schools differ in the other measures",
        "no_spread_published": "DfE's tables give no spread of pupils' results, so this is not "
        "worked out.",
        "rank": "A rank is a place among all pupils of the authority, from 0 for the lowest to "
        "100 for the highest.",
        "every_measure": "Every measure, subjects and passes on their own included",
        "last_gaps": "The last gap of every measure",
        "others_sizes": "The other measures in standard deviations and months",
        "sizes_of_gaps": "The size of the last gap of every measure",
        "no_sen_published": "DfE's tables do not cross a social worker with SEN and free school "
        "meals.",
        "counted_differently": "DfE counts enrolments for all pupils and children matched to the "
        "school census for children in need, and sorts schools into phases in two ways, so the gap "
        "between the two is indicative.",
        "goes_together": "This says what goes together, not what causes what: SEN or free school "
        "meals can stem from the same circumstances that brought a social worker, so no part of a "
        "gap is explained away.",
        # 06 impact and 07 robustness
        "power": "How small an effect is detected now, with more years of data and with others",
        "deviations": "What deviates from what was registered",
        "school_flow": "From all schools of the authority to those that are compared",
        "sample_flow": "Schools, school-years and children kept and left out",
        "design": "Schools and children by year of first training",
        "balance": "Trained and untrained schools before training, weighted as in the estimate",
        "forest": "The effect by each estimator",
        "own_levels": "Effect on each group's own level, in the unit of the gap",
        "by_year": "Effect by year of training, and by academic year",
        "outcomes": "Effect on the gap, outcome by outcome",
        "exploratory": "Exploratory: the effect in parts of the schools, by amount of training, "
        "group and other outcome",
        "rules": "Each rule and its verdict",
        "checks": "Every check, its estimate and its verdict",
        "two_way": "What two-way fixed effects is made of",
        "no_other_donors_asked": "No effect is asked, so there are no estimates with other donors.",
        "part_arms": "The gap in trained and in untrained schools",
        "part_false_alarms": "The trial without any effect",
        "part_power": "The trial with effects of known size",
        "part_sample_flow": "The account of schools kept and left out",
        "part_balance": "The comparison of schools before training",
        "part_forest": "The chart of estimators",
        "part_own_levels": "The effect on each level",
        "part_event": "The chart by years since training",
        "part_by_year": "The table by year of training and by academic year",
        "part_exploratory": "The effect in parts of the schools",
        "part_cost": "The cost",
        "part_checks": "The chart of other ways to estimate it",
        "part_bounds": "How far apart the paths may have been",
        "part_drift": "Which drift the test before training would have detected",
        "part_specifications": "The estimate under all choices",
        "part_two_way": "What two-way fixed effects is made of",
        # 06 published impact
        "part_offer": "The effect of the offer",
        "gaps_of_the_report": "Gaps in the last year of each measure",
        "changes_of_the_report": "Change of the gaps since the baseline year",
        "effect_by_two_estimators": "Estimated effect on the gap, by each way of estimating it",
        "part_trajectory": "The chart of both trajectories",
        "part_donors": "The list of donors",
        "donors": "The donors that carry the estimate",
        "other_donors": "The effect against each set of donors",
        "illustrative": "The year in which the offer is taken to begin is our assumption: no "
        "public list says when an authority's offer began. Unless the authority named it, this is "
        "an illustration.",
        "national_duty": "Since September 2021 every virtual school in England has had a duty "
        "towards children with a social worker: what is compared is this authority's offer with "
        "other authorities' offers, not with no offer, and whatever the duty did everywhere "
        "cannot show.",
        "changes_since": "Gaps over all phases that differ from last year's release",
        "settings_since": "Settings that differ from last year's release",
        # 09 pooled
        "authorities": "Whose results these are",
        "pool_power": "What the authorities detect together",
        "pooled_outcomes": "Effect on the gap over the authorities in the pool, outcome by outcome",
        "without_each": "The effect with each authority left out in turn",
        "authorities_more": "How each authority came to its result",
        "pooled_levels": "Effect on each group's own level, over the authorities in the pool",
        # 08 annual report
        "measure": "{metric}",
        "gap_in": "Gap in {measure}, {year}",
        "effect_of_training": "Effect of training on the gap",
        "change_since": "Change of the gap in {measure} since {year}",
        "no_clear_change": "No clear change",
        "schools_trained_by": "Schools trained by {year}",
        "smallest_detectable": "Smallest effect on the gap that could be detected",
        "power_80": "With a chance of 80%",
        "effect_of_offer": "Distance of the gap from a weighted average of other authorities",
        "effect_not_asked": "DfE's tables do not say which schools were trained, and the params do "
        "not say when this authority's offer began: its effect is not asked.",
    }
)
"""Code and sentence; what stands in braces is a code or a year that is written as its label."""


@sentence
def phrase(code: str, **fields: str | int) -> str:
    """Return a sentence or caption of the table.

    Parameters
    ----------
    code : str
        A key of `PHRASES`.
    **fields : str or int
        What its braces name: ``year`` (for example 202425), ``metric`` (of the registry; as
        ``measure`` within a sentence) or ``column`` (of a released table).

    Raises
    ------
    ContractError
        If there is no such phrase, or a field is missing, unknown or not what it must be.

    Examples
    --------
    >>> phrase("gap_by_phase", metric="overall_absence", year=202425)
    'Overall absence by phase, 2024/25'
    """
    template = PHRASES[require_one_of(code, PHRASES, name="phrase")]
    try:
        return template.format(**{name: _written(name, value) for name, value in fields.items()})
    except KeyError as error:
        raise ContractError(
            f"phrase {code} came without its field {error}, must have it; hand it over by name."
        ) from error


@sentence
def nothing_of(caption: str) -> str:
    """Say that a table holds nothing that can be shown."""
    return f"{caption}: there is nothing that can be shown."


def _written(name: str, value: str | int) -> str:
    """Write a field as its label; nothing but codes and years gets through."""
    if name == "year":
        year = int(value)
        if (year // 100 + 1) % 100 != year % 100:
            raise ContractError(f"year is {value}, must be an academic year such as 202425.")
        return value_label("time_period", year)
    if name == "metric":
        return registry.metric(str(value)).label
    if name == "measure":
        return metric_in_text(str(value))
    if name == "column":
        return lower_first(column_label(str(value)))
    raise ContractError(f"phrases have no field {name}, must be year, metric, measure or column.")


def caption_of(text: str) -> SafeText:
    """Return a caption: a safe text as it is, or the phrase whose code it is.

    Raises
    ------
    DisclosureError
        If it is neither.
    """
    if not isinstance(text, SafeText) and text in PHRASES:
        return phrase(text)
    return require_safe_text(text)
