"""The sentences and captions that hold no number: one table, each said by its code."""

from vsh_eval import registry
from vsh_eval.contracts import ContractError, require_one_of
from vsh_eval.release.text.phrases.labels import (
    column_label,
    lower_first,
    metric_in_text,
    value_label,
)
from vsh_eval.release.text.safe_text import SafeText, require_safe_text, sentence
from vsh_eval.release.text.words import words

PHRASES = words("phrases", "phrase")
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
