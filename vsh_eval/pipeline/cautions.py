"""What a reader must know of a design that bears an estimate, before reading it."""

import re

from vsh_eval import academic_year, effects
from vsh_eval.effects.attempts import without_counts
from vsh_eval.effects.refusals import superfluous, why_superfluous
from vsh_eval.effects.variations import COVID_YEARS

_COUNTED = re.compile(r"^(Only )?\d+ (?=(?:\w+ )?(schools)\b)")


def account_of(prepared: effects.Prepared) -> tuple[str, ...]:
    """Return what the gate did to come to the schools compared, without numbers of schools."""
    return tuple(map(_without_numbers, prepared.account))


def cautions_of(prepared: effects.Prepared) -> tuple[str, ...]:
    """Return what takes from the estimate's weight: the head of a page says it.

    Parameters
    ----------
    prepared : Prepared
        The school-years that bear the estimate.

    Returns
    -------
    tuple of str
        Sentences without numbers of schools: the gate's cautions, then years that all lie in the
        pandemic, and covariates that add nothing.
    """
    noted = map(_without_numbers, prepared.cautions)
    return (*noted, *_pandemic(prepared), *_covariates(prepared))


def _without_numbers(note: str) -> str:
    """Leave the number of schools out of a note.

    Examples
    --------
    >>> _without_numbers("2 schools trained after 2021/22 count as not yet trained.")
    'Schools trained after 2021/22 count as not yet trained.'
    >>> _without_numbers("Only 38 schools: read the randomisation test beside the interval.")
    'Few schools: read the randomisation test beside the interval.'
    """
    shorter = _COUNTED.sub(lambda found: "Few " if found[1] else "", note)
    return without_counts(f"{shorter[:1].upper()}{shorter[1:]}")


def _pandemic(prepared: effects.Prepared) -> tuple[str, ...]:
    years = sorted(set(prepared.data["time_period"].astype(int)))
    if not set(years) <= set(COVID_YEARS):
        return ()
    first, last = (academic_year.label(year) for year in (COVID_YEARS[0], COVID_YEARS[-1]))
    return (
        f"All years with data are covid years ({first} to {last}), so nothing here shows what the "
        "training does in ordinary years; add years before or after them.",
    )


def _covariates(prepared: effects.Prepared) -> tuple[str, ...]:
    said = why_superfluous(superfluous(prepared.data, prepared.covariates))
    if not said:
        return ()
    return (
        f"Of the covariates, {said.removesuffix('.')}. The primary estimate uses no covariates and "
        "stands.",
    )
