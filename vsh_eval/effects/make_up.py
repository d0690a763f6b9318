"""Whether the children who are counted changed with training."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import DesignError, require_columns, require_one_of
from vsh_eval.effects.attempts import NOUGHT, Attempt, Primary, tried
from vsh_eval.effects.estimate import LOG_COHORT
from vsh_eval.effects.gate import Prepared
from vsh_eval.effects.outcomes import group_sums
from vsh_eval.effects.rows import ESTIMATE_COLUMNS
from vsh_eval.effects.study import Study
from vsh_eval.effects.variations import log_of, simple

LOG_PEERS = "log_reference_size"
PLAN_SHARE = "plan_share"
ENTRIES = "entries"
PRIOR = "prior_attendance"
ENTRANTS_PRIOR = "entrants_attendance"
_LABELS = {
    LOG_COHORT: "how many children are in the cohort (log)",
    LOG_PEERS: "how many children it is compared with (log)",
    PLAN_SHARE: "share of the cohort on a child protection plan",
    ENTRIES: "children who newly entered the cohort",
    PRIOR: "the cohort's absence in earlier years",
    ENTRANTS_PRIOR: "the absence of its newly entered children in the year before",
}
_CELL = ["unit_id", "phase", "time_period"]
_OUTCOMES = {
    ENTRIES: ("entrants", "pupils", "pupils"),
    PRIOR: ("prior_missed", "prior_possible", "prior_pupils"),
    ENTRANTS_PRIOR: ("entrants_missed", "entrants_possible", "entrants"),
}
"""Of each outcome: what is counted, of what (also the weight), and the children it is about."""


def composition_outcomes(
    make_up: pd.DataFrame, *, group: str = names.CWSW
) -> dict[str, pd.DataFrame]:
    """Turn the count of who is newly counted into outcomes for `Study.composition`.

    Parameters
    ----------
    make_up : DataFrame
        unit_id, time_period, phase, leaf group, pupils, entrants, prior_pupils, prior_missed,
        prior_possible, entrants_missed, entrants_possible: counts by school, year and group, as
        the cohort room hands them on (``make_up``).
    group : str
        The cohort: a leaf group or a sum of them.

    Returns
    -------
    dict of str to DataFrame
        By name, each as `prepare` takes it (unit_id, phase, time_period, metric, outcome, weight,
        pupils), outcomes in %. ``entries``: 100 entrants / pupils, weight pupils.
        ``prior_attendance``: the cohort's own level of absence in the year before, 100
        prior_missed / prior_possible, weight prior_possible. ``entrants_attendance``: the same of
        the entrants alone. A school-year without the number below the line has no row, nor has
        one of which the year before is not known.

    Raises
    ------
    ContractError
        If a column is missing or the group is not known.

    Notes
    -----
    The level is the cohort's own and not a gap to its peers: the children are the question, and a
    school's peers would bring in whether the school changed. From the second trained year on the
    year before lies within training, so `composition_tests` leaves those school-years out of
    ``prior_attendance``: an effect of training must not look like other children. Entrants were
    not in the cohort then, so that theirs are kept.

    Examples
    --------
    >>> one = {"unit_id": "1", "time_period": 202223, "phase": "primary", "pupils": 4,
    ...        "entrants": 1, "prior_pupils": 4, "prior_missed": 100, "prior_possible": 1000,
    ...        "entrants_missed": 10, "entrants_possible": 250}
    >>> table = pd.DataFrame([one | {"group": "cin"}, one | {"group": "cpp", "entrants": 3}])
    >>> {name: found["outcome"].tolist() for name, found in composition_outcomes(table).items()}
    {'entries': [50.0], 'prior_attendance': [10.0], 'entrants_attendance': [4.0]}
    """
    counts = sorted({name for parts in _OUTCOMES.values() for name in parts})
    require_columns(make_up, [*_CELL, "group", *counts], name="make_up")
    require_one_of(group, (*names.LEAF_GROUPS, *names.GROUP_SUMS), name="group")
    rows = make_up[make_up["group"].isin(names.GROUP_SUMS.get(group, (group,)))]
    rows = rows.astype(dict.fromkeys(counts, "float64"))
    sums = rows.groupby(_CELL)[counts].sum(min_count=1).reset_index()
    return {name: _outcome(sums, name, *parts) for name, parts in _OUTCOMES.items()}


def _outcome(sums: pd.DataFrame, name: str, part: str, whole: str, children: str) -> pd.DataFrame:
    known = sums[sums[part].notna() & sums[whole].gt(0)]
    return known[_CELL].assign(
        metric=name,
        outcome=100 * known[part] / known[whole],
        weight=known[whole],
        pupils=known[children].astype("int64"),
    )


def composition_attempts(study: Study, prepared: Prepared) -> list[Attempt]:
    """Make the composition tests: the same estimator on who is counted.

    Size of the cohort and of its peers (logarithms, weighted by the school's mean cohort pupils
    before anyone was trained, which cannot itself have changed), the share of the cohort on a
    child protection plan, and what `study.composition` holds (`composition_outcomes`).
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
    attempts += [_attempt(name, partial(_given, study, name)) for name in study.composition]
    for name in (ENTRIES, PRIOR):
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


def _given(study: Study, name: str) -> Mapping[Any, Any]:
    table = study.composition[name]
    if name == PRIOR:
        table = _before_it_worked(table, study.adopted())
    return simple(study.prepared(table), alpha=study.alpha)


def _before_it_worked(table: pd.DataFrame, adopted: pd.Series) -> pd.DataFrame:
    """Leave out school-years whose year before was one of training already."""
    first = table["unit_id"].astype(str).map(adopted).fillna(names.NEVER)
    return table[first.eq(names.NEVER) | table["time_period"].le(first)]


def _not_in_the_panel(name: str) -> Mapping[Any, Any]:
    raise DesignError(
        f"the panel does not hold {_LABELS[name]}; count it where pupils are known and give it."
    )
