"""What the rooms' messages say: one sentence a code, with its remedy where there is one.

A message carries years, limits and names. A number of schools is never among the words: it could
tell who was trained. A rule's own limit may be.
"""

import string
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from vsh_eval import academic_year
from vsh_eval.contracts import Message
from vsh_eval.release.text.phrases.labels import (
    COHORT_RULE_LABELS,
    GROUP_LABELS,
    PHASE_LABELS,
    PROGRAMME_LABELS,
    lower_first,
    metric_in_text,
    upper_first,
)
from vsh_eval.release.text.phrases.numbers import amount, decimals_for, listed, number
from vsh_eval.release.text.safe_text import sentence as sealed
from vsh_eval.release.text.safe_text import sentences as sealed_all

_NEED_ONE = "and an estimate needs at least one; add schools trained later or never."

REASONS: Mapping[str, str] = MappingProxyType(
    {
        # Which school-years can bear an estimate
        "nobody_trained": "no school with data was trained by {last}, the last year, and an "
        "estimate needs at least {least}; record every training with its date in the training "
        "log, or wait for a year after training.",
        "too_few_trained": "too few schools with data were trained by {last}, and an estimate "
        "needs at least {least}, because no result may rest on one or two of them; wait until "
        "more are trained, or evaluate together with other authorities.",
        "all_trained_early": "every trained school was trained by {first}, the first year with "
        "data, so there is no year before training to compare with, and an estimate needs at "
        "least {least} that have one; begin the years earlier.",
        "nearly_all_trained_early": "nearly every trained school was trained by {first}, the "
        "first year with data, so there is no year before training to compare with, and an "
        "estimate needs at least {least} that have one; begin the years earlier.",
        "too_few_on_both_sides": "too few trained schools have children to count both before and "
        "after training, and an estimate needs at least {least}; begin the years earlier, or wait "
        "for a year after training.",
        "too_few_schools": "too few schools are left, and an estimate needs at least {least} for "
        "an interval that can be trusted; add years or phases, or evaluate together with other "
        "authorities.",
        "all_trained_in_one_year": "all schools were trained in the same year, {year}, so that no "
        f"untrained school is left in any year after training, {_NEED_ONE}",
        "no_untrained_school": "no untrained school is left in any year after training, "
        f"{_NEED_ONE}",
        "same_gap_everywhere": "the gap is the same in every school and year, and only what "
        "varies can be compared; check how the outcome was recorded in the returns.",
        "no_school_year": "no school-year is left, must be at least one; the panel may not hold "
        "this outcome, or no year of it can be compared.",
        "no_school_year_left": "no school-year is left, must be at least one; check that the "
        "tables name the schools in the same way.",
        "no_weight": "no school-year has children to count, and an estimate needs some.",
        "outcome_absent": "the returns hold no results for {metric} in these schools and years, "
        "and an estimate needs them before and after training; add them to the returns, or name "
        "another outcome in the protocol.",
        "no_gap": "no school has results for {metric} of {group} and of their peers in a year that "
        "can be compared, and an estimate needs both; add years, or name another group or "
        "outcome.",
        "primary_hidden": "the primary estimate rests on too few schools or children to be shown, "
        "and the others are held against it; evaluate together with other authorities.",
        # What an estimator needs
        "nobody_trained_in_years": "no school is trained within the years used; extend the years "
        "or the programmes.",
        "no_pupils_before": "no trained school has cohort pupils before its training, must have "
        "at least one year; begin the years earlier.",
        "nothing_imputed": "no trained school-year can be imputed, must be at least one; it needs "
        "a year of the school before training and an untrained school in its year.",
        "no_part_named": "no part of the trained school-years is known.",
        "one_trained_school": "only one trained school carries it, so its error cannot be "
        "estimated.",
        "no_variation": "the outcomes do not vary, so there is no error to estimate.",
        "influence_function_error": "its standard error is from the influence function, because "
        "one school cannot be left out.",
        "no_trained_school_in_every_year": "no trained school has children to count in every "
        "year, and this estimator needs at least one; read the primary estimate, which takes "
        "schools that lack some years.",
        "no_never_trained_school_in_every_year": "no never-trained school has children to count "
        "in every year, and a comparison with schools never trained needs at least one; compare "
        "with those not yet trained.",
        "library_finds_no_comparison": "Callaway and Sant'Anna's estimator finds no comparison it "
        "can make among these schools and years; read the primary estimate.",
        "past_too_short": "too few schools have two years without training, and without them what "
        "lasts in a school's gap cannot be told from chance; begin the years earlier.",
        "no_overlap": "too few schools, or too little overlap, to compare.",
        "training_not_identified": "training cannot be told apart from school and year effects: "
        "no school is trained within the years used, or all are from the same year on; add "
        "untrained schools.",
        "training_not_identified_in_every_year": "training cannot be told apart from school and "
        "year effects among schools with data in every year: none is trained within the years, or "
        "all are in the same year; add schools.",
        "no_school_in_every_year": "no school has data in all {years} years, must be at least "
        "one; use fewer years.",
        "no_year_around_training": "no year around training is carried by two trained schools "
        "that have data in their last year before it, must be at least one; add years or schools.",
        "no_year_before_reference": "there must be a year of training and two years before it; "
        "begin the years earlier.",
        "singular_covariance": "too few schools for so many {of}, or outcomes that do not vary; "
        "use fewer years.",
        "lead_of_one_school": "no year before training is carried by two trained schools; begin "
        "the years earlier.",
        "no_two_years_before": "no trained school has two years before training; begin the years "
        "earlier.",
        "fewer_schools_than_leads": "there are fewer schools than years before training.",
        "one_assignment_only": "every school was trained in the same year as all others it could "
        "change places with, so that there is only one way to assign the years.",
        "no_assignment_with_error": "no random assignment of the years of training gives an "
        "estimate with an error, must be at least two; the outcomes may not vary, or too few "
        "schools have data.",
        "too_few_carry_it": "too few trained schools carry the estimate, must be at least "
        "{least}; with one, no inference from these data is possible.",
        # What a check needs
        "table_not_as_needed": "the tables do not hold what is needed here; `vsh-eval check` says "
        "what the returns lack.",
        "no_panel": "no panel was given, so other outcomes cannot be made; give panel.",
        "no_log_or_panel": "dose needs the training log and the panel; give training and panel.",
        "all_years_left_out": "all years with data are covid years, so that none is left.",
        "no_year_left_out": "no year with data is a covid year; the primary estimate is this.",
        "too_few_children": "trained schools have fewer than {least} children for {group}, which "
        "is too few for an estimate.",
        "too_few_results": "trained schools have fewer than {least} children with results for "
        "{metric}, which is too few for an estimate.",
        "no_kind_named": "the training log names no {kind}, must name at least one.",
        "nobody_began_with": "no school began with {value}, must be at least one.",
        "staff_not_recorded": "the number of staff trained is not recorded for the trained "
        "schools; record staff_trained in the training log.",
        "peers_not_counted": "the school gaps do not say how many peers there are.",
        "cohort_not_need_and_plan": "the cohort is not children in need and on a plan together.",
        "not_counted": "the panel does not hold {outcome}; count it where pupils are known and "
        "give it.",
        "nothing_to_undo": "the primary test finds no effect, so there is nothing to undo.",
        "no_drift_known": "the years before training bear no estimate of a trend.",
        "too_few_years_before": "no trained school has data both in the {years} years before "
        "training and earlier, must be at least one; begin the years earlier.",
        "too_few_assignments": "there are too few ways to assign the years of training for any p "
        "value below alpha.",
        "no_school_can_be_left_out": "no school can be left out without losing the estimate.",
        "one_year_of_training": "all trained schools were trained in one year, so that none is "
        "left without it.",
        "one_programme": "all training began with one programme, so that none is left without it.",
        "one_rule_only": "the panel was built under one cohort rule; build it under another and "
        "give both.",
        # What a check's number means
        "joint_test": "a test of several years together: it has a p value and no one estimate",
        "drift_adds": "a trend that differs by {slope:size} a year is not excluded and adds "
        "{bias:size}",
        "survives_first_year": "in the first year after training the result survives trend "
        "differences up to {breakdown:.1f} times the largest seen before training",
        "survives_all_years": "averaged over all years the result survives trend differences up "
        "to {breakdown:.1f} times the largest seen before training",
        "survives_straight": "the result survives trends whose slope changes by {breakdown:.2g} a "
        "year",
        "undone_first_year": "in the first year after training the result does not survive trend "
        "differences of a tenth of the largest seen before training",
        "undone_all_years": "averaged over all years the result does not survive trend "
        "differences of a tenth of the largest seen before training",
        "undone_straight": "the result does not survive even a trend on one straight line",
        "p_by_reassignment": "the primary estimate, p by random reassignment",
        "interval_without_end": "with so few trained schools its interval has no end",
        "weights_not_known": "its weights cannot be taken apart: no school has data in every year",
        "weight_on_trained": "{share:.0%} of its weight compares with schools that were trained "
        "already",
        "excluded": "an effect of {sesoi:g} or more, either way, is excluded",
        "not_excluded": "an effect of {sesoi:g} or more, either way, is not excluded",
        # What the training cost
        "no_training_log": "there is no training log",
        "training_not_in_log": "the training log holds no training of the trained schools",
        "cost_not_recorded": "the cost is recorded for {share:.0%} of the trainings, must be for "
        "{least:.0%}",
        "no_interval": "the effect has no interval",
        "interval_contains_zero": "the effect's interval contains zero",
        "effect_not_established": "the evidence does not establish an effect of training",
        "gap_widened": "the gap widened, so that nothing was regained",
        # What a rule's number is
        "mde_and_sesoi": "minimum detectable effect, and the smallest effect of interest",
        "breakdown": "relative size of trend breaks up to which the average of all years survives",
        "drift": "largest drift a year that the years before training do not exclude",
        "entrants": "largest difference from earlier children, in their absence of the year "
        "before, that is not excluded",
        "entrants_of_absence": "asked where the outcome is overall absence",
        "peers_p": "p value of the effect on the level of the other pupils",
        "second_estimate": "the estimate against untrained schools that had the same past",
        "chosen_by_lot": "drawn at random",
        "chosen_by_gap": "chosen because of their gap",
        "chosen_by_volunteers": "schools volunteered",
        "chosen_by_unknown": "not known: name it as protocol.chosen_by in the params file",
        "not_registered": "not registered",
        "registered": "registered, unchanged",
        "deviates_or_late": "deviates, or was registered after the last year of data had ended",
        "pooled_leads_p": "smallest p value of the pooled years before training, adjusted for "
        "their number ({leads})",
        "too_few_authorities": "{authorities} of the authorities can be in the pool, which needs "
        "{least}; ask further authorities for their bundles.",
        "pretrend_p": "p value of the joint test of the years before training",
        "largest_difference": "largest standardised difference before training",
        "share_excluded": "share of schools excluded on the way to the estimate",
        "share_as_far": "p value: the share of authorities of about its size, this one "
        "counted, that moved as far",
        # The sample flow
        "panel": "school-years of comparable years",
        "used": "school-years that can bear the estimate",
        "no_data": "no gap or no weight",
        "no_exposure": "not in the exposure table",
        "covariate": "{covariates} is not known",
        "trained_before": "trained by {year}, the first year used",
        "no_year_before": "no cohort pupils before training",
        # Published tables
        "offer_start_missing": "the params do not name published.offer_start, must name the first "
        "academic year of this authority's offer; no public list says it.",
        "offer_not_started": "the params do not say when this authority's offer began.",
        "no_treated_unit": "the authority does not have an outcome in every year used; choose an "
        "outcome that is published for it.",
        "no_year_with_outcome": "no year has an outcome for the authority and for half of the "
        "others, must be at least {least}; choose an outcome that is less often suppressed.",
        "too_few_years_before_start": "of {years} years with data {before} lie before the start, "
        "{start}, and at least {least} must, and one after; choose another start or outcome.",
        "too_few_donors": "{donors} authorities of its pool have an outcome in every year used, "
        "must be at least {least}; widen the donors.",
        "too_few_placebos": "fewer placebos than a test at this level needs.",
        # Notes on the sample
        "trained_after_last_year": "schools trained after {year} count as not yet trained.",
        "trained_in_year_without_data": "schools trained in a year without data count from the "
        "next year with data.",
        "year_effects_one_phase": "year effects are common: all schools are of one phase.",
        "year_effects_too_few_phases": "year effects are common: fewer than two phases have "
        "{schools} or more schools, {untrained} or more of them untrained in every year.",
        "year_effects_by_phase": "year effects are estimated phase by phase: every phase has "
        "{schools} or more schools, {untrained} or more of them untrained in every year.",
        # Cautions
        "nobody_left_untrained": "every school was trained by {year}, so {year} and later years "
        "carry no estimate: there is no school not yet trained to compare with. Schools that were "
        "trained later or never would put that right.",
        "few_schools": "few schools: read the randomisation test beside the interval.",
        "few_trained": "few schools were trained (under {limit}): the interval excludes zero too "
        "readily, so believe it only where the randomisation test agrees.",
        "covid_years_only": "all years with data are covid years ({first} to {last}), so nothing "
        "here shows what the training does in ordinary years; add years before or after them.",
    }
)
"""Why something cannot be estimated, what a number means, and what was done, by code."""

VARIANTS: Mapping[str, str] = MappingProxyType(
    {
        "years_before_together": "the years before training, together",
        "drift_not_excluded": "what the largest trend not excluded before training would add",
        "trend_breaks_first_year": "first year: trend differences up to {bound:g} times the "
        "largest before training",
        "trend_breaks_all_years": "trend differences up to {bound:g} times the largest before "
        "training",
        "trend_breaks_straight": "trend differences that stay on one straight line",
        "trained_early": "placebo: as if training began two years earlier",
        "peers_level": "placebo: the peers' own level",
        "cohort_level": "the cohort's own level",
        "reassigned": "years of training reassigned at random within phases",
        "wild_bootstrap": "wild cluster bootstrap, as there are fewer than {limit} schools",
        "without_lowest_school": "without the one school that leaves the lowest estimate",
        "without_highest_school": "without the one school that leaves the highest estimate",
        "without_cohort": "without schools trained in {year}",
        "without_programme": "without one programme",
        "without_first_programme": "without schools that began with {programme}",
        "same_past": "compared with untrained schools that had the same past",
        "against_not_yet_treated": "Callaway and Sant'Anna against schools not yet trained",
        "against_never_treated": "Callaway and Sant'Anna against schools never trained",
        "two_way_fixed_effects": "two-way fixed effects, for reference",
        "without_years": "without {first} to {last}",
        "other_reference": "reference: {reference}",
        "other_rule": "cohort: {rule}",
        "another_rule": "another cohort rule",
        "two_one_sided_tests": "two one-sided tests",
        "every_variant": "every variant",
        "primary": "primary estimate",
    }
)
"""What a check does, by code."""

COMPOSITION: Mapping[str, str] = MappingProxyType(
    {
        "log_cohort_size": "how many children are in the cohort",
        "log_reference_size": "how many children it is compared with",
        "plan_share": "share of the cohort on a child protection plan",
        "entries": "children who newly entered the cohort",
        "prior_attendance": "the cohort's absence in earlier years",
        "entrants_attendance": "its new children's absence in the year before, less other pupils'",
    }
)
"""Outcomes that say who is counted."""
YEAR_EFFECTS: Mapping[str, str] = MappingProxyType(
    {
        "common": "common to all phases",
        "by_phase": "by phase, every phase its own",
        "by_phase_joined": "by phase, small ones joined",
    }
)


class _Written(string.Formatter):
    """Fills a template with numbers as readers write them."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == ".0%":
            return amount(100 * value, "%", decimals=0)
        if format_spec == ".1f":
            return number(value)
        if format_spec == "size":
            return number(value, decimals=decimals_for(value))
        return super().format_field(value, format_spec)


_FATES = {True: "pooled with the next cohort", False: "counted until their training only"}
_YEARS = frozenset({"year", "first", "last", "start"})


@sealed
def sentence(message: Message) -> str:
    """Word a message, '' where there is nothing to say.

    Parameters
    ----------
    message : Message
        From a room.

    Returns
    -------
    str
        As it stands within a sentence or a cell: it begins with a small letter.

    Raises
    ------
    KeyError
        If the code has no words.

    Examples
    --------
    >>> sentence(Message("trained_before", year=201718))
    'trained by 2017/18, the first year used'
    >>> sentence(Message("weight_on_trained", share=0.125))[:18]
    '13% of its weight '
    """
    if not message:
        return ""
    if message.code in _WORDED:
        return _WORDED[message.code](message.details)
    template = REASONS.get(message.code) or VARIANTS[message.code]
    values = {name: _shown(name, value) for name, value in message.details.items()}
    return _Written().vformat(template, (), values)


@sealed_all
def sentences(messages: tuple[Message, ...]) -> tuple[str, ...]:
    """Word messages that stand alone, each with a capital.

    Examples
    --------
    >>> sentences((Message("few_schools", schools=38),))
    ('Few schools: read the randomisation test beside the interval.',)
    """
    return tuple(upper_first(sentence(message)) for message in messages)


@sealed
def no_estimate(reason: Message) -> str:
    """Say at the head of a page why there is no estimate, '' where there is one.

    Examples
    --------
    >>> no_estimate(Message("same_gap_everywhere"))[:59]
    'The effect cannot be estimated: the gap is the same in ever'
    """
    return f"The effect cannot be estimated: {sentence(reason)}" if reason else ""


@sealed
def not_given(what: str, reason: Message, *, known: Message | None = None) -> str:
    """Say why a part of a page is not there.

    Parameters
    ----------
    what : str
        The part, as a sentence begins.
    reason : Message
        Why.
    known : Message, optional
        A reason that the head of the page has given already.

    Examples
    --------
    >>> not_given("The cost", Message("no_panel"), known=Message("no_panel"))
    'The cost cannot be given, for the reason at the head of this page.'
    """
    if known and reason == known:
        return f"{what} cannot be given, for the reason at the head of this page."
    return f"{what} cannot be given: {sentence(reason)}"


def in_words(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return a table whose messages are words.

    Parameters
    ----------
    table : DataFrame
        From a room.
    *columns : str
        Those that hold a `Message`; anything else in them is left as it is.
    """
    worded = {
        name: [sentence(v) if isinstance(v, Message) else v for v in table[name]]
        for name in columns
    }
    return table.assign(**worded)


def _shown(name: str, value: Any) -> Any:
    """Write a message's value for a reader."""
    if name in _YEARS and isinstance(value, int) and value > 100_000:
        return academic_year.label(value)
    known = {"metric": metric_in_text, "group": _group, "reference": _group}
    known |= {"programme": _programme, "value": _programme, "rule": _rule}
    known |= {"covariates": " or ".join, "outcome": _outcome}
    return known[name](value) if name in known else value


def _group(code: str) -> str:
    return lower_first(GROUP_LABELS.get(code, code))


def _programme(code: str) -> str:
    return PROGRAMME_LABELS.get(code, code.replace("_", " "))


def _rule(code: str) -> str:
    return COHORT_RULE_LABELS.get(code, code)


def _outcome(code: str) -> str:
    return COMPOSITION.get(code, code.replace("_", " "))


def _composition(values: Mapping[str, Any]) -> str:
    log = " (log)" if str(values["outcome"]).startswith("log_") else ""
    return f"{_outcome(values['outcome'])}{log}"


def _redundant(values: Mapping[str, Any]) -> str:
    said = values["covariates"]
    many = len(said) > 1
    them = "them" if many else "it"
    return (
        f"{listed(said)} {'add' if many else 'adds'} nothing to the other covariates, or "
        f"{'are' if many else 'is'} the same in every school, so no estimate can be made with "
        f"{them}; leave {them} out of the covariates."
    )


def _redundant_caution(values: Mapping[str, Any]) -> str:
    return (
        f"of the covariates, {_redundant(values).removesuffix('.')}. The primary estimate uses no "
        "covariates and stands."
    )


def _small_cohort(values: Mapping[str, Any]) -> str:
    year, fate = academic_year.label(values["year"]), _FATES[values["pooled"]]
    return f"fewer than {values['least']} schools trained in {year}: {fate}"


def _cohort_too_small(values: Mapping[str, Any]) -> str:
    year, fate = academic_year.label(values["year"]), _FATES[values["pooled"]]
    return f"schools trained in {year} are too few for a cohort: {fate}."


def _joined(values: Mapping[str, Any]) -> str:
    joined: Mapping[str, str] = values["joined"]
    shared = listed(
        [
            f"{listed([_phase(p) for p, to in joined.items() if to == large])} schools share those "
            f"of {_phase(large)} schools"
            for large in sorted(set(joined.values()))
        ]
    )
    return (
        f"year effects are estimated phase by phase; {shared}. A phase has its own where it has "
        f"{values['schools']} or more schools, {values['untrained']} or more of them untrained in "
        "every year; any other shares those of the phase most like it before training."
    )


def _phase(code: str) -> str:
    return PHASE_LABELS.get(code, code).lower()


def _randomisation_p(values: Mapping[str, Any]) -> str:
    said = "p value when the years of training are reassigned at random"
    if not values["few_trained"]:
        return said
    return (
        f"{said}, which decides here: few schools were trained (under {values['limit']}), and then "
        "the interval excludes zero too readily"
    )


def _composition_p(values: Mapping[str, Any]) -> str:
    said = "p value of a change in the children who are counted"
    tests = values.get("tests", 1)
    return f"{said} (smallest of {tests} tests, adjusted for their number)" if tests > 1 else said


_WORDED: Mapping[str, Callable[[Mapping[str, Any]], str]] = MappingProxyType(
    {
        "composition": _composition,
        "redundant_covariates": _redundant,
        "redundant_covariates_caution": _redundant_caution,
        "small_cohort": _small_cohort,
        "cohort_too_small": _cohort_too_small,
        "year_effects_joined": _joined,
        "year_effects": lambda values: f"year effects {YEAR_EFFECTS[values['kind']]}",
        "randomisation_p": _randomisation_p,
        "composition_p": _composition_p,
    }
)
"""Messages whose words depend on their values."""
CODES = frozenset({*REASONS, *VARIANTS, *_WORDED})
"""Every code that has words."""
