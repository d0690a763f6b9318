"""The specification curve: the estimate under every defensible set of choices."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import ContractError, DesignError
from vsh_eval.effects.attempts import without_counts
from vsh_eval.effects.gate import Prepared
from vsh_eval.effects.imputation import without_year_before
from vsh_eval.effects.parts import impute_parts
from vsh_eval.effects.rows import COUNTS, ESTIMATE_COLUMNS
from vsh_eval.effects.staggered import COMPARISONS, Comparison, att_gt
from vsh_eval.effects.strata import BY_PHASE, COMMON
from vsh_eval.effects.study import Study
from vsh_eval.effects.variations import COVID_YEARS

SESSIONS = "sessions of the year"
PUPILS = "pupils before training"
CHOICES = ("group", "reference", "covid_years", "weights", "year_before", "year_effects")
"""The choices that are varied, one column each."""
SPECIFICATION_COLUMNS = (
    "rank",
    "preregistered",
    *CHOICES,
    *(name for name in ESTIMATE_COLUMNS if name not in {"band_lower", "band_upper", "p_adjusted"}),
    "reason",
)


class _Choice(NamedTuple):
    group: str
    reference: str
    covid_years: str
    weights: str
    year_before: str
    year_effects: str
    estimator: str = "imputation"
    comparison: Comparison = "not_yet_treated"


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
        weights (sessions of the year, pupils before training), year_before (with, without the
        year before training), year_effects (common; by phase, every phase its own; by phase,
        small ones joined, where the gate joins them), estimator, comparison, and the
        columns of an estimate. Callaway and Sant'Anna's estimator joins with the primary group,
        against schools not yet and never trained.

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
    main = _Choice(
        study.group,
        study.reference,
        "with",
        SESSIONS,
        "with",
        study.prepared().year_effects,
    )
    rows = []
    for base in _bases(study):
        try:
            prepared = _prepared(study, base)
        except ContractError as error:
            rows.append(_row(study, main._replace(**base), main, {"reason": str(error)}))
            continue
        rows += [_tried(study, prepared, c, main) for c in _of_base(study, prepared, base)]
    table = pd.DataFrame(rows).sort_values("estimate", ignore_index=True, kind="stable")
    table["rank"] = np.where(table["estimate"].notna(), np.arange(1, len(table) + 1), np.nan)
    return table[list(SPECIFICATION_COLUMNS)].astype(dict.fromkeys(("rank", *COUNTS), "Int64"))


def _bases(study: Study) -> list[dict[str, str]]:
    """Return the choices that change the school-years themselves."""
    groups, references = [study.group], [study.reference]
    if study.panel is not None:
        wider = names.EVER_CWSW if study.group != names.EVER_CWSW else names.CWSW
        groups += [g for g in (wider, names.CIN) if g != study.group]
        references += [r for r in (names.PEERS, names.ALL) if r != study.reference]
    covid = ["with", "without"] if _has_covid(study) else ["with"]
    return [
        {"group": g, "reference": r, "covid_years": c}
        for g, r, c in product(groups, references, covid)
    ]


def _has_covid(study: Study) -> bool:
    covid = study.school_gaps["time_period"].isin(COVID_YEARS)
    return bool(covid.any() and not covid.all())


def _prepared(study: Study, base: dict[str, str]) -> Prepared:
    same = base["group"] == study.group and base["reference"] == study.reference
    gaps = (
        study.school_gaps
        if same
        else study.outcome(group=base["group"], reference=base["reference"])
    )
    if base["covid_years"] == "without":
        gaps = gaps[~gaps["time_period"].isin(COVID_YEARS)]
    return study.prepared(gaps)


def _of_base(study: Study, prepared: Prepared, base: dict[str, str]) -> Iterator[_Choice]:
    effects = sorted({prepared.year_effects, *prepared.other_year_effects})
    where = (base["group"], base["reference"], base["covid_years"])
    for weights, before, years in product((SESSIONS, PUPILS), ("with", "without"), effects):
        yield _Choice(*where, weights=weights, year_before=before, year_effects=years)
    if base["group"] == study.group:
        for comparison in COMPARISONS:
            yield _Choice(*where, PUPILS, "with", COMMON, "callaway_santanna", comparison)


def _tried(study: Study, prepared: Prepared, choice: _Choice, main: _Choice) -> dict[str, Any]:
    if choice.year_effects != prepared.year_effects:
        prepared = prepared.by_phase(stratified=choice.year_effects == BY_PHASE)
    data = prepared.data
    if choice.weights == PUPILS:
        data = data.assign(weight=data["base_pupils"])
    if choice.year_before == "without":
        data = without_year_before(data)
    make = partial(impute_parts, data, alpha=study.alpha)
    if choice.estimator != "imputation":
        make = partial(att_gt, data, comparison=choice.comparison, alpha=study.alpha, draws=1)
    try:
        found = make()
    except DesignError as error:
        return _row(study, choice, main, {"reason": str(error)})
    return _row(study, choice, main, found[found["aggregation"].eq("simple")].iloc[0].to_dict())


def _row(study: Study, choice: _Choice, main: _Choice, found: Mapping[Any, Any]) -> dict[str, Any]:
    empty = dict.fromkeys(SPECIFICATION_COLUMNS, np.nan) | {"status": names.UNAVAILABLE}
    same = choice == main
    return {
        **empty,
        **{name: value for name, value in found.items() if name in SPECIFICATION_COLUMNS},
        **choice._asdict(),
        "preregistered": same,
        "role": "robustness",
        "metric": study.metric,
        "programme": study.programme,
        "tier": study.tier,
        "phase": names.TOTAL,
        "aggregation": "simple",
        "index": 0,
        "reason": without_counts(str(found.get("reason", ""))),
    }
