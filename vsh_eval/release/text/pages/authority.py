"""Sentences about an authority's offer, estimated from published tables."""

from vsh_eval import registry
from vsh_eval.contracts import ContractError
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import Row, is_shown, one_row, part_of, records
from vsh_eval.release.text.findings.finding import not_estimated, than_expected
from vsh_eval.release.text.phrases.labels import metric_in_text, year_label
from vsh_eval.release.text.phrases.numbers import amount, p_equation
from vsh_eval.release.text.safe_text import sentence
from vsh_eval.release.text.words import words

_DONORS = words("sentences", "donors")


@sentence
def authority_sentence(safe: SafeTable, *, metric: str, authority: str, offer_start: int) -> str:
    """Say how far an authority's gap has moved from where weighted donors would have it.

    Parameters
    ----------
    safe : SafeTable
        A ``published`` table of `effects.published.authority_estimates`; the primary simple row
        is read.
    metric : str
        The outcome.
    authority : str
        The authority's name.
    offer_start : int
        First academic year of its offer.

    Returns
    -------
    str
        The estimate with its interval and its rank among placebos, what it means, and the smallest
        effect that would be seen; or why there is none.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    row = one_row(safe, metric=metric, aggregation="simple", role="primary")
    about = f"the effect of {authority}'s offer on the gap in {metric_in_text(metric)}"
    if not is_shown(row, "estimate"):
        return not_estimated(about, row)
    donors = str(row["comparison"])
    if donors not in _DONORS:
        raise ContractError(
            f"comparison is {donors!r}, must be one of {', '.join(_DONORS)}; hand over the table "
            "of authority_estimates."
        )
    unit = registry.metric(metric).gap_unit
    average = f"from a weighted average of {_DONORS[donors]} that moved as it did before"
    return (
        f"Since {year_label(offer_start)} the gap in {metric_in_text(metric)} of {authority} has "
        f"been {than_expected(row, average)}. {_meaning(row, metric)}{_least(row, unit)}"
    )


@sentence
def suppressed_sentence(safe: SafeTable, *, metric: str, authority: str) -> str:
    """Say what suppressed numbers do to the estimate: whom they leave out.

    Parameters
    ----------
    safe : SafeTable
        A ``published`` table of `effects.published.authority_estimates`.
    metric : str
        The outcome.
    authority : str
        The authority's name.

    Returns
    -------
    str
        How many of the authority's numbers are suppressed, what the estimate does with them, and
        how many authorities of its pool are left out.

    Raises
    ------
    ContractError
        If the outcome has no row that carries a role.
    """
    rows = records(part_of(safe, metric=metric, aggregation="simple"))
    carrying = [row for row in rows if row["role"] in {"primary", "secondary"}]
    if len(carrying) != 1:
        raise ContractError(
            f"{len(carrying)} simple rows of {metric} carry a role, must be one; hand over the "
            "table of authority_estimates."
        )
    (row,) = carrying
    pool = str(row["comparison"])
    suppressed = [one for one in (_own_suppressed(row, authority), _left_out(row)) if one]
    if not suppressed:
        return f"No number of {authority} or of {_DONORS[pool]} is suppressed in a year used."
    return " ".join(suppressed)


def _own_suppressed(row: Row, authority: str) -> str:
    own = int(row["own_suppressed"])
    if not own:
        return ""
    what = "number is" if own == 1 else "numbers are"
    left = (
        "no estimate can be made without them"
        if not is_shown(row, "estimate")
        else "the estimate above leaves those years out"
    )
    return f"Of {authority} itself {own} {what} suppressed: {left}."


def _left_out(row: Row) -> str:
    if not is_shown(row, "estimate") or not int(row["left_out"]):
        return ""
    out = int(row["left_out"])
    verb = "is" if out == 1 else "are"
    return (
        f"Of {_DONORS[str(row['comparison'])]} {out} {verb} left out because a year used is hidden "
        "or absent."
    )


def _meaning(row: Row, metric: str) -> str:
    if not is_shown(row, "ci_lower", "ci_upper", "p_value", "placebos"):
        return "Without an interval this says nothing about an effect."
    # The p value counts the authority among those that moved as far: (1 + as far) / (1 + others).
    others, p_value = int(row["placebos"]), float(row["p_value"])
    as_far = round(p_value * (others + 1)) - 1
    chance = (
        f"{as_far or 'None'} of {others} authorities of about its size moved as far without any "
        f"known cause ({p_equation(p_value)})"
    )
    lower, upper = float(row["ci_lower"]), float(row["ci_upper"])
    if lower <= 0 <= upper:
        return f"{chance}: the data do not show an effect, nor that there is none."
    better = upper < 0 if registry.metric(metric).lower_is_better else lower > 0
    moved = "narrower" if better else "wider"
    return (
        f"{chance}: the gap is {moved} than chance alone explains, whatever the cause that began "
        "there at that time."
    )


def _least(row: Row, unit: str) -> str:
    if not is_shown(row, "mde"):
        return ""
    return f" An effect of {amount(float(row['mde']), unit)} had an 80% chance of being detected."
