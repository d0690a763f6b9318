"""Whether the children who are counted changed with training."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import DesignError
from vsh_eval.effects.attempts import NOUGHT, Attempt, Primary, tried
from vsh_eval.effects.gate import Prepared
from vsh_eval.effects.outcomes import group_sums
from vsh_eval.effects.rows import ESTIMATE_COLUMNS
from vsh_eval.effects.study import Study
from vsh_eval.effects.variations import log_of, simple

LOG_COHORT = "log_cohort_size"
LOG_PEERS = "log_reference_size"
PLAN_SHARE = "plan_share"
_LABELS = {
    LOG_COHORT: "how many children are in the cohort (log)",
    LOG_PEERS: "how many children it is compared with (log)",
    PLAN_SHARE: "share of the cohort on a child protection plan",
    "entries": "children who newly entered the cohort",
    "prior_attendance": "the cohort's absence in earlier years",
}


def composition_attempts(study: Study, prepared: Prepared) -> list[Attempt]:
    """Make the composition tests: the same estimator on who is counted.

    Size of the cohort and of its peers (logarithms, weighted by the school's mean cohort pupils
    before anyone was trained, which cannot itself have changed), the share of the cohort on a
    child protection plan, and what `study.composition` holds.
    """
    data = prepared.data
    attempts = [
        _attempt(
            LOG_COHORT,
            lambda: _sized(data.assign(outcome=log_of(data["pupils"])), study.alpha),
        ),
        _attempt(LOG_PEERS, partial(_peers, study)),
        _attempt(PLAN_SHARE, partial(_plans, study)),
    ]
    attempts += [
        _attempt(name, partial(_given, study, table)) for name, table in study.composition.items()
    ]
    for name in ("entries", "prior_attendance"):
        if name not in study.composition:
            attempts.append(_attempt(name, partial(_not_in_the_panel, name)))
    return attempts


def composition_tests(study: Study) -> pd.DataFrame:
    """Ask in several ways whether the children who are counted changed with training.

    Parameters
    ----------
    study : Study
        The question.

    Returns
    -------
    DataFrame
        The estimates contract, one simple row a test, role ``robustness``; a test that cannot be
        made has status ``x``. Logarithms: 0.1 is about ten per cent more children than imputed;
        shares in percentage points. `evidence` adjusts the p values for their number (Holm).

    Raises
    ------
    ContractError, DesignError
        As `prepare`.
    """
    prepared = study.prepared()
    nothing = Primary(estimate=float("nan"), p_value=float("nan"), row={})
    rows = [tried(a, study, nothing) for a in composition_attempts(study, prepared)]
    return pd.DataFrame(rows).reindex(columns=list(ESTIMATE_COLUMNS))


def _attempt(name: str, make: Any) -> Attempt:
    return Attempt("j", _LABELS.get(name, name.replace("_", " ")), NOUGHT, make, metric=name)


def _sized(data: pd.DataFrame, alpha: float) -> Mapping[Any, Any]:
    return simple(data.assign(weight=data["base_pupils"]), alpha=alpha)


def _peers(study: Study) -> Mapping[Any, Any]:
    if "reference_pupils" not in study.school_gaps:
        raise DesignError("the school gaps do not say how many peers there are.")
    gaps = study.school_gaps.assign(outcome=log_of(study.school_gaps["reference_pupils"]))
    return _sized(study.prepared(gaps).data, study.alpha)


def _plans(study: Study) -> Mapping[Any, Any]:
    parts = names.GROUP_SUMS.get(study.group, (study.group,))
    if names.CPP not in parts or len(parts) == 1:
        raise DesignError("the cohort is not children in need and on a plan together.")
    if study.panel is None:
        raise DesignError("no panel was given, so that the plans cannot be counted; give panel.")
    rows = study.panel[study.panel["metric"].eq(study.metric)]
    of = [group_sums(rows, group)["pupils"] for group in (names.CPP, study.group)]
    share = 100 * of[0].reindex(of[1].index, fill_value=0.0) / of[1].where(of[1] > 0)
    keyed = study.school_gaps.set_index(["unit_id", "phase", "time_period"])
    gaps = keyed.assign(outcome=share.reindex(keyed.index)).reset_index()
    return simple(study.prepared(gaps.dropna(subset=["outcome"])), alpha=study.alpha)


def _given(study: Study, table: pd.DataFrame) -> Mapping[Any, Any]:
    return simple(study.prepared(table), alpha=study.alpha)


def _not_in_the_panel(name: str) -> Mapping[Any, Any]:
    raise DesignError(
        f"the panel does not hold {_LABELS[name]}; count it where pupils are known and give it."
    )
