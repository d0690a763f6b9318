"""The specification curve: the estimate under every defensible set of choices."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import ContractError
from vsh_eval.effects.estimators.callaway_santanna import COMPARISONS
from vsh_eval.effects.rows import CHECK_COLUMNS
from vsh_eval.effects.sample.selection import COVID_YEARS
from vsh_eval.effects.sample.year_effects import COMMON
from vsh_eval.effects.specification import (
    PUPILS,
    SESSIONS,
    Samples,
    Specification,
    Study,
    sample_of,
    tabulate,
)

CHOICES = ("group", "reference", "covid_years", "weights", "year_effects")
"""The choices that are varied, one column each."""
WITH, WITHOUT = "with", "without"
SPECIFICATION_COLUMNS = ("rank", "preregistered", *CHOICES, *CHECK_COLUMNS, "reason")


def specification_curve(study: Study) -> pd.DataFrame:
    """Estimate under every defensible set of choices, in the order of the estimates.

    Parameters
    ----------
    study : Study
        The question. Other groups and references need its panel.

    Returns
    -------
    DataFrame
        `SPECIFICATION_COLUMNS`, one row a specification, from the lowest estimate up (rank 1, 2,
        ...; NaN and last where it cannot be made, with status ``x`` and the reason):
        preregistered (the primary choices), group, reference, covid_years (with, without),
        weights (sessions, pupils_before), year_effects (common; by_phase, every phase its own;
        by_phase_joined where the sample's are), estimator, comparison, and the columns of an
        estimate. `same_past` joins with the primary year effects, and Callaway and Sant'Anna's
        estimator with the primary group, against schools not yet and never trained.

    Raises
    ------
    ContractError, DesignError
        If the primary estimate cannot be made.

    Notes
    -----
    The specifications are not independent, so their spread is no interval: it shows whether a
    choice carries the result (Simonsohn, Simmons and Nelson 2020).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> gaps = pd.DataFrame([
    ...     (str(s), "primary", year, rng.normal(), 100.0, 5)
    ...     for s in range(12) for year in (201718, 201819, 202021, 202223)],
    ...     columns=["unit_id", "phase", "time_period", "outcome", "weight", "pupils"])
    >>> trained = pd.DataFrame({"unit_id": [str(s) for s in range(12)],
    ...                         "adopted": [202223] * 4 + [0] * 8})
    >>> curve = specification_curve(
    ...     Study(school_gaps=gaps, exposure=trained, metric="overall_absence"))
    >>> int(curve["preregistered"].sum()), curve["estimate"].is_monotonic_increasing
    (1, True)
    """
    samples: Samples = {}
    own = sample_of(study, Specification(), samples).year_effects
    primary = (study.group, study.reference, WITH, SESSIONS, own, "imputation")
    items = []
    for group, reference, covid in _bases(study):
        base = Specification(
            group=group,
            reference=reference,
            without_years=COVID_YEARS if covid == WITHOUT else (),
            year_effects=own,
        )
        for one in _of_base(study, base, samples):
            choices = (group, reference, covid, one.weights, one.year_effects)
            labels = dict(zip(CHOICES, choices, strict=True))
            items.append((one, labels | {"preregistered": (*choices, one.estimator) == primary}))
    table = tabulate(
        study, items, role="robustness", columns=SPECIFICATION_COLUMNS, samples=samples
    )
    table = table.sort_values("estimate", ignore_index=True, kind="stable")
    ranked = np.where(table["estimate"].notna(), np.arange(1, len(table) + 1), np.nan)
    return table.assign(rank=pd.array(ranked, dtype="Int64"))[list(SPECIFICATION_COLUMNS)]


def _bases(study: Study) -> Iterator[tuple[str, str, str]]:
    """Return the choices that change the school-years themselves."""
    groups, references = [study.group], [study.reference]
    if study.panel is not None:
        wider = names.EVER_CWSW if study.group != names.EVER_CWSW else names.CWSW
        groups += [g for g in (wider, names.CIN) if g != study.group]
        references += [r for r in (names.PEERS, names.ALL) if r != study.reference]
    covid = study.school_gaps["time_period"].isin(COVID_YEARS)
    both = bool(covid.any() and not covid.all())
    return product(groups, references, (WITH, WITHOUT) if both else (WITH,))


def _of_base(study: Study, base: Specification, samples: Samples) -> Iterator[Specification]:
    """Cross the choices that use the same school-years; one alone where there are none."""
    try:
        sample = sample_of(study, base, samples)
    except ContractError:
        yield base
        return
    kinds = sorted({sample.year_effects, *sample.other_year_effects})
    for weights in (SESSIONS, PUPILS):
        yield from (replace(base, weights=weights, year_effects=kind) for kind in kinds)
    yield replace(base, estimator="same_past")
    if base.group == study.group:
        for comparison in COMPARISONS:
            yield replace(base, weights=PUPILS, year_effects=COMMON, comparison=comparison,
                          estimator="callaway_santanna")  # fmt: skip
