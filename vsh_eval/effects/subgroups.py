"""For whom, by which training, at which dose, on what else? Exploratory, and labelled so."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError, DesignError
from vsh_eval.effects.attempts import without_counts
from vsh_eval.effects.estimate import adjust
from vsh_eval.effects.parts import impute_parts
from vsh_eval.effects.rows import COUNTS, ESTIMATE_COLUMNS
from vsh_eval.effects.study import Study
from vsh_eval.effects.subsets import Kind, dose, first_against_untrained, first_kind

GROUPS = (names.CIN, names.CPP, names.CLA, names.PREVIOUS, names.EVER_CWSW)
OUTCOMES = ("eyfsp_gld", "phonics_expected", "ks2_rwm_expected", "ks4_attainment8", "ks4_progress8")
FEWEST_PUPILS = 30
"""Cohort pupils in trained school-years below which an outcome is not estimated."""
BANDS = ("low", "middle", "high")
_PARALLEL = "untrained schools show what would have happened"
_DOSE = (
    "stronger: schools that took a higher dose would have gained as much from a lower one as the "
    "schools that took it"
)
_FIRST = "untrained schools show what would have happened; later programmes count to the first"
SUBGROUP_COLUMNS = ("subgroup", "value", *ESTIMATE_COLUMNS, "assumption", "reason")


def subgroups(
    study: Study,
    *,
    groups: Sequence[str] = GROUPS,
    outcomes: Sequence[str] = OUTCOMES,
) -> pd.DataFrame:
    """Estimate for parts of the schools, groups of children, doses and other outcomes.

    Parameters
    ----------
    study : Study
        The question. Groups, doses and outcomes need its panel; doses its training log.
    groups : sequence of str
        Groups whose gap to the reference is asked about; the study's own is left out.
    outcomes : sequence of str
        Further metrics of the panel, by the registry's names.

    Returns
    -------
    DataFrame
        `SUBGROUP_COLUMNS`, one simple row a part: subgroup (programme, tier, phase, group, dose,
        outcome), value, the estimates contract with role ``exploratory`` and `p_adjusted` by
        Benjamini and Hochberg over all of them, assumption (what must hold beside), reason. A
        part that cannot be estimated has a row with status ``x`` that says why.

    Raises
    ------
    ContractError
        If a group or metric is unknown.

    Notes
    -----
    A programme's schools are those that began with it; schools that began with another are
    untrained until then and left out from then on. Dose bands are thirds of the trained
    school-years by staff trained so far per 100 pupils. Parts that differ in significance need
    not differ from each other.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> gaps = pd.DataFrame([
    ...     (str(s), "primary", year, rng.normal(), 100.0, 5)
    ...     for s in range(12) for year in (201718, 201819, 202223)],
    ...     columns=["unit_id", "phase", "time_period", "outcome", "weight", "pupils"])
    >>> trained = pd.DataFrame({"unit_id": [str(s) for s in range(12)],
    ...                         "adopted": [202223] * 4 + [0] * 8})
    >>> rows = subgroups(Study(school_gaps=gaps, exposure=trained, metric="overall_absence"))
    >>> rows[["subgroup", "value", "status"]].values.tolist()[2]
    ['phase', 'primary', '']
    """
    for name in outcomes:
        registry.metric(name)
    tables = [
        *_kinds(study, "programme"),
        *_kinds(study, "tier"),
        *_phases(study),
        *(_group(study, group) for group in groups if group != study.group),
        _doses(study),
        *(_outcome(study, name) for name in outcomes if name != study.metric),
    ]
    table = pd.concat(tables, ignore_index=True)
    return adjust(table)[list(SUBGROUP_COLUMNS)].astype(dict.fromkeys(COUNTS, "Int64"))


def _kinds(study: Study, kind: Kind) -> list[pd.DataFrame]:
    try:
        first = first_kind(study, kind)
    except ContractError as error:
        return [_rows(study, kind, "any", partial(_refuse, str(error)))]

    def make(which: str) -> pd.DataFrame:
        gaps, exposure = first_against_untrained(study, first, which)
        return impute_parts(study.prepared(gaps, exposure).data, alpha=study.alpha)

    return [
        _rows(study, kind, which, partial(make, which), assumption=_FIRST, **{kind: which})
        for which in sorted(set(first[first.ne("")]))
    ]


def _phases(study: Study) -> list[pd.DataFrame]:
    def make(phase: str) -> pd.DataFrame:
        gaps = study.school_gaps
        return impute_parts(study.prepared(gaps[gaps["phase"].eq(phase)]).data, alpha=study.alpha)

    present = set(study.school_gaps["phase"].astype(str))
    return [
        _rows(study, "phase", phase, partial(make, phase), phase=phase)
        for phase in [*names.PHASES, *sorted(present - set(names.PHASES))]
        if phase in present
    ]


def _group(study: Study, group: str) -> pd.DataFrame:
    def make() -> pd.DataFrame:
        data = study.prepared(study.outcome(group=group)).data
        _enough(data, names.GROUP_LABELS.get(group, group).lower())
        return impute_parts(data, alpha=study.alpha)

    return _rows(study, "group", group, make)


def _outcome(study: Study, metric: str) -> pd.DataFrame:
    other = replace(study, metric=metric)

    def make() -> pd.DataFrame:
        data = other.prepared(other.outcome()).data
        _enough(data, registry.metric(metric).label)
        return impute_parts(data, alpha=study.alpha)

    return _rows(other, "outcome", metric, make)


def _doses(study: Study) -> pd.DataFrame:
    def make() -> pd.DataFrame:
        return impute_parts(with_dose(study), by="band", alpha=study.alpha)

    return _rows(study, "dose", "any", make, assumption=_DOSE)


def with_dose(study: Study) -> pd.DataFrame:
    """Return the study's school-years with `dose` and `band`.

    Parameters
    ----------
    study : Study
        With panel and training log.

    Returns
    -------
    DataFrame
        Of `Prepared`, with dose (staff trained so far per 100 pupils) and band (low, middle or
        high with its limits, '' where untrained or not known). Fewer bands where doses are alike.

    Raises
    ------
    ContractError, DesignError
        As `prepare` and `dose`; also where no dose is known.
    """
    data = study.prepared().data
    keys = pd.MultiIndex.from_frame(data[["unit", "time_period"]].astype({"unit": str}))
    given = dose(study).reindex(keys).to_numpy(float)
    treated = data["cohort"].gt(0) & data["time"].ge(data["cohort"])
    known = treated & np.isfinite(given) & (given > 0)
    if known.sum() < len(BANDS):
        raise DesignError(
            "the number of staff trained is not recorded for the trained schools; "
            "record staff_trained in the training log."
        )
    cuts = np.unique(np.round(np.quantile(given[known], [1 / 3, 2 / 3]), 1))
    place = np.searchsorted(cuts, given, side="left")
    chosen = BANDS if len(cuts) == 2 else (BANDS[0], BANDS[2])
    limits = [f"to {cuts[0]:g}", *(["to " + format(cuts[1], "g")] if len(cuts) == 2 else [])]
    labels = np.array(
        [
            f"{name}: {limit} staff per 100 pupils"
            for name, limit in zip(chosen, [*limits, f"over {cuts[-1]:g}"], strict=True)
        ]
    )
    band = np.where(known, labels[np.clip(place, 0, len(labels) - 1)], "")
    return data.assign(dose=given, band=band)


def _enough(data: pd.DataFrame, what: str) -> None:
    treated = data["cohort"].gt(0) & data["time"].ge(data["cohort"])
    if data.loc[treated, "pupils"].sum() < FEWEST_PUPILS:
        raise DesignError(
            f"trained schools have fewer than {FEWEST_PUPILS} children for {what}, "
            "which is too few for an estimate."
        )


def _refuse(reason: str) -> pd.DataFrame:
    raise DesignError(reason)


def _rows(
    study: Study,
    subgroup: str,
    value: str,
    make: Callable[[], pd.DataFrame],
    *,
    assumption: str = _PARALLEL,
    **labels: str,
) -> pd.DataFrame:
    """Label the rows of one part, or make one that says why there are none."""
    try:
        found = make()
    except ContractError as error:
        found = pd.DataFrame({"status": [names.UNAVAILABLE], "reason": [str(error)]})
    parts = found["part"].tolist() if "part" in found else [value]
    everything: dict[str, Any] = {
        "subgroup": subgroup,
        "value": [value if part == "all" else part for part in parts],
        "role": "exploratory",
        "metric": study.metric,
        "programme": study.programme,
        "tier": study.tier,
        "phase": names.TOTAL,
        "estimator": "imputation",
        "comparison": "not_yet_treated",
        "aggregation": "simple",
        "index": 0,
        "assumption": assumption,
        "reason": [without_counts(str(reason)) for reason in found["reason"]],
    }
    return found.reindex(columns=list(SUBGROUP_COLUMNS)).assign(**(everything | labels))
