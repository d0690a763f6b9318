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
    PHASE_LABELS,
    PROGRAMME_LABELS,
    group_in_text,
    metric_in_text,
    upper_first,
)
from vsh_eval.release.text.phrases.numbers import amount, decimals_for, listed, number, p_text
from vsh_eval.release.text.safe_text import sentence as sealed
from vsh_eval.release.text.safe_text import sentences as sealed_all
from vsh_eval.release.text.words import words

REASONS = words("reasons", "reason")
"""Why something cannot be estimated, what a number means, and what was done, by code."""

VARIANTS = words("reasons", "variant")
"""What a check does, by code."""

COMPOSITION = words("reasons", "composition")
"""Outcomes that say who is counted."""
YEAR_EFFECTS = words("reasons", "year_effects")


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
def no_estimate(reason: Message | str) -> str:
    """Say at the head of a page why there is no estimate, '' where there is one.

    Parameters
    ----------
    reason : Message or str
        From a room, or in the words in which a table of estimates holds it.

    Examples
    --------
    >>> no_estimate(Message("same_gap_everywhere"))[:59]
    'The effect cannot be estimated: the gap is the same in ever'
    """
    why = sentence(reason) if isinstance(reason, Message) else reason
    return f"The effect cannot be estimated: {why}" if why else ""


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
        A reason that the page has given already.

    Examples
    --------
    >>> not_given("The cost", Message("no_panel"), known=Message("no_panel"))
    'The cost cannot be given, for the reason given above.'
    """
    if known and reason == known:
        return f"{what} cannot be given, for the reason given above."
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
    known = {"metric": metric_in_text, "group": group_in_text, "reference": group_in_text}
    known |= {"programme": _programme, "value": _programme, "rule": _rule}
    known |= {"covariates": " or ".join, "outcome": _outcome}
    return known[name](value) if name in known else value


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
    covariates = values["covariates"]
    many = len(covariates) > 1
    them = "them" if many else "it"
    return (
        f"{listed(covariates)} {'add' if many else 'adds'} nothing to the other covariates, or "
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
    text = "p value when the years of training are reassigned at random"
    if not values["few_trained"]:
        return text
    return (
        f"{text}, which decides here: few schools were trained (under {values['limit']}), and then "
        "the interval is uncertain"
    )


def _adjusted_p(values: Mapping[str, Any]) -> str:
    return f"p {p_text(values['p'])} when adjusted for the number of tests ({values['tests']})"


def _composition_p(values: Mapping[str, Any]) -> str:
    text = "p value of a change in the children who are counted"
    tests = values.get("tests", 1)
    return f"{text} (smallest of {tests} tests, adjusted for their number)" if tests > 1 else text


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
        "adjusted_p": _adjusted_p,
        "composition_p": _composition_p,
    }
)
"""Messages whose words depend on their values."""
CODES = frozenset({*REASONS, *VARIANTS, *_WORDED})
"""Every code that has words."""
