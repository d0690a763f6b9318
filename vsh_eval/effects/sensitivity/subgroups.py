"""For whom, by which training, at which dose, on what else? Exploratory, and labelled so."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import ContractError, InfeasibleError
from vsh_eval.effects.estimators.estimate import adjust
from vsh_eval.effects.rows import ESTIMATE_COLUMNS
from vsh_eval.effects.sample.exposure import Kind, dose
from vsh_eval.effects.specification import Specification, Study, tabulate

GROUPS = (names.CIN, names.CPP, names.CLA, names.PREVIOUS, names.EVER_CWSW)
OUTCOMES = ("eyfsp_gld", "phonics_expected", "ks2_rwm_expected", "ks4_attainment8", "ks4_progress8")
FEWEST_PUPILS = 30
"""Cohort pupils in trained school-years below which a group or outcome is not estimated."""
BANDS = ("low", "middle", "high")
PARALLEL, FIRST_TRAINING, DOSE_PARALLEL = "parallel", "first_training", "dose_parallel"
"""What must hold beside, by subgroup."""
SUBGROUP_COLUMNS = ("subgroup", "value", *ESTIMATE_COLUMNS, "assumption", "reason")

_Item = tuple[Specification, Mapping[str, Any]]


def subgroups(study: Study) -> pd.DataFrame:
    """Estimate for parts of the schools, groups of children, doses and other outcomes.

    Parameters
    ----------
    study : Study
        The question. Groups, doses and outcomes need its panel; doses its training log. Its own
        group and metric are left out of `GROUPS` and `OUTCOMES`.

    Returns
    -------
    DataFrame
        `SUBGROUP_COLUMNS`, one simple row a part: subgroup (programme, tier, phase, group, dose,
        outcome), value (of a dose: the band and its limits, as ``low:0:2.5``), the estimates
        contract with role ``exploratory`` and `p_adjusted` by Benjamini and Hochberg over all of
        them, assumption (a code: what must hold beside), reason (a `Message`). A part that cannot
        be estimated has a row with status ``x`` that says why.

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
    table = tabulate(
        study,
        [
            *_first_kinds(study, "programme"),
            *_first_kinds(study, "tier"),
            *_phases(study),
            *(_item("group", g, group=g, fewest_pupils=FEWEST_PUPILS) for g in GROUPS
              if g != study.group),
            (Specification(change=with_dose, part_by="band"),
             {"subgroup": "dose", "value": "any", "assumption": DOSE_PARALLEL}),
            *(_item("outcome", m, metric=m, fewest_pupils=FEWEST_PUPILS) for m in OUTCOMES
              if m != study.metric),
        ],
        role="exploratory",
        columns=SUBGROUP_COLUMNS,
    )  # fmt: skip
    split = table["subgroup"].eq("dose") & table["part"].notna()
    table["value"] = table["value"].mask(split, table["part"])
    return adjust(table)[list(SUBGROUP_COLUMNS)]


def _item(subgroup: str, value: str, **specification: Any) -> _Item:
    labels = {"subgroup": subgroup, "value": value, "assumption": PARALLEL}
    return Specification(**specification), labels


def _first_kinds(study: Study, kind: Kind) -> Iterator[_Item]:
    try:
        first = study.first_kind(kind)
    except ContractError:
        values = ["any"]
    else:
        values = sorted(set(first[first.ne("")]))
    for value in values:
        labels = {"subgroup": kind, "value": value, kind: value, "assumption": FIRST_TRAINING}
        yield Specification(first=(kind, value)), labels


def _phases(study: Study) -> Iterator[_Item]:
    present = set(study.school_gaps["phase"].astype(str))
    for phase in [*names.PHASES, *sorted(present - set(names.PHASES))]:
        if phase in present:
            yield _item("phase", phase, phase=phase)


def with_dose(study: Study, data: pd.DataFrame) -> pd.DataFrame:
    """Give school-years their dose and its band.

    Parameters
    ----------
    study : Study
        With panel and training log.
    data : DataFrame
        Of an `AnalysisSample`.

    Returns
    -------
    DataFrame
        With dose (staff trained so far per 100 pupils) and band (``low``, ``middle`` or ``high``
        with its limits after colons, '' where untrained or not known). Fewer bands where doses
        hardly differ.

    Raises
    ------
    ContractError, InfeasibleError
        As `dose`; also where no dose is known.
    """
    keys = pd.MultiIndex.from_frame(data[["unit", "time_period"]].astype({"unit": str}))
    given = dose(study.training, study.panel, metric=study.metric).reindex(keys).to_numpy(float)
    treated = data["cohort"].gt(0) & data["time"].ge(data["cohort"])
    known = treated & np.isfinite(given) & (given > 0)
    if known.sum() < len(BANDS):
        raise InfeasibleError("staff_not_recorded")
    cuts = np.unique(np.round(np.quantile(given[known], [1 / 3, 2 / 3]), 1))
    chosen = BANDS if len(cuts) == 2 else (BANDS[0], BANDS[2])
    ends = ["", *(f"{cut:g}" for cut in cuts), ""]
    labels = np.array(
        [f"{name}:{ends[place]}:{ends[place + 1]}" for place, name in enumerate(chosen)]
    )
    place = np.searchsorted(cuts, given, side="left")
    band = np.where(known, labels[np.clip(place, 0, len(labels) - 1)], "")
    return data.assign(dose=given, band=band)
