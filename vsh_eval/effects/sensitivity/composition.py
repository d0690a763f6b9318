"""Whether the children who are counted changed with training."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import InfeasibleError, require_columns, require_one_of
from vsh_eval.effects.rows import ESTIMATE_COLUMNS
from vsh_eval.effects.specification import Specification, Study, tabulate
from vsh_eval.panel import school_sums

LOG_COHORT = "log_cohort_size"
LOG_PEERS = "log_reference_size"
PLAN_SHARE = "plan_share"
ENTRIES = "entries"
PRIOR = "prior_attendance"
ENTRANTS_PRIOR = "entrants_attendance"
_CELL = ["unit_id", "phase", "time_period"]
COUNTED = {
    ENTRIES: ("entrants", "pupils", "pupils"),
    PRIOR: ("prior_missed", "prior_possible", "prior_pupils"),
    ENTRANTS_PRIOR: ("entrants_missed", "entrants_possible", "entrants"),
}
"""Of each outcome: what is counted, of what (also the weight), and the children it is about."""
COMPOSITION_TESTS = (LOG_COHORT, LOG_PEERS, PLAN_SHARE, *COUNTED)
"""Every outcome that says who is counted."""


def composition_outcomes(
    make_up: pd.DataFrame, *, group: str = names.CWSW, reference: str = names.PEERS
) -> dict[str, pd.DataFrame]:
    """Turn the count of who is newly counted into outcomes for `Study.composition`.

    Parameters
    ----------
    make_up : DataFrame
        unit_id, time_period, phase, leaf group, pupils, entrants, prior_pupils, prior_missed,
        prior_possible, entrants_missed, entrants_possible: counts by school, year and group, as
        the cohort room hands them on (``make_up``).
    group, reference : str
        The cohort and those it is compared with: leaf groups or sums of them.

    Returns
    -------
    dict of str to DataFrame
        By name, each as `select_sample` takes it (unit_id, phase, time_period, metric, outcome,
        weight, pupils), outcomes in %. ``entries``: 100 entrants / pupils, weight pupils.
        ``prior_attendance``: the cohort's own level of absence in the year before, 100
        prior_missed / prior_possible, weight prior_possible. ``entrants_attendance``: the same of
        the entrants alone less that of the reference's children, in percentage points, weight
        entrants_possible. A school-year without the number below the line has no row, nor has
        one of which the year before is not known.

    Raises
    ------
    ContractError
        If a column is missing or a group is not known.

    Notes
    -----
    An effect of training must not look like other children. From the second trained year on the
    year before lies within training: `composition_tests` leaves those school-years out of
    ``prior_attendance``. Entrants were not in the cohort then, so that theirs are kept; but they
    were among the reference's children, whom training may help as well, and its own children's
    year before is taken off.

    Examples
    --------
    >>> one = {"unit_id": "1", "time_period": 202223, "phase": "primary", "pupils": 4,
    ...        "entrants": 1, "prior_pupils": 4, "prior_missed": 100, "prior_possible": 1000,
    ...        "entrants_missed": 10, "entrants_possible": 250}
    >>> table = pd.DataFrame([one | {"group": "cin"}, one | {"group": "cpp", "entrants": 3},
    ...                       one | {"group": "peers", "prior_missed": 50}])
    >>> {name: cells["outcome"].tolist() for name, cells in composition_outcomes(table).items()}
    {'entries': [50.0], 'prior_attendance': [10.0], 'entrants_attendance': [-1.0]}
    """
    counts = sorted({name for parts in COUNTED.values() for name in parts})
    require_columns(make_up, [*_CELL, "group", *counts], name="make_up")
    group_sums, others = (_sums(make_up, one, counts) for one in (group, reference))
    outcomes = {name: _outcome(group_sums, name, *parts) for name, parts in COUNTED.items()}
    compared = _outcome(others, PRIOR, *COUNTED[PRIOR])[[*_CELL, "outcome"]]
    both = outcomes[ENTRANTS_PRIOR].merge(compared, on=_CELL, suffixes=("", "_compared"))
    both["outcome"] -= both.pop("outcome_compared")
    return {**outcomes, ENTRANTS_PRIOR: both}


def _sums(make_up: pd.DataFrame, group: str, counts: list[str]) -> pd.DataFrame:
    """Add the leaf groups of a group up, by school and year."""
    require_one_of(group, (*names.LEAF_GROUPS, *names.GROUP_SUMS), name="group")
    rows = make_up[make_up["group"].isin(names.GROUP_SUMS.get(group, (group,)))]
    rows = rows.astype(dict.fromkeys(counts, "float64"))
    return rows.groupby(_CELL)[counts].sum(min_count=1).reset_index()


def _outcome(sums: pd.DataFrame, name: str, part: str, whole: str, children: str) -> pd.DataFrame:
    known = sums[sums[part].notna() & sums[whole].gt(0)]
    return known[_CELL].assign(
        metric=name,
        outcome=100 * known[part] / known[whole],
        weight=known[whole],
        pupils=known[children].astype("int64"),
    )


def composition_specifications(study: Study) -> Iterator[tuple[str, Specification]]:
    """Name the composition tests: the primary estimator on who is counted.

    Size of the cohort and of its peers (logarithms, weighted by the school's mean cohort pupils
    before anyone was trained, which cannot itself have changed), the share of the cohort on a
    child protection plan, and what `study.composition` holds (`composition_outcomes`).

    Parameters
    ----------
    study : Study
        The question.

    Yields
    ------
    tuple of str and Specification
        Outcome and specification.
    """
    yield LOG_COHORT, Specification(change=_log_pupils, weights="pupils_before")
    yield LOG_PEERS, Specification(gaps=_log_peers, weights="pupils_before")
    yield PLAN_SHARE, Specification(gaps=_plan_share)
    given = [ENTRIES, PRIOR]
    for name in (*study.composition, *(n for n in given if n not in study.composition)):
        yield name, Specification(gaps=partial(_given, name))


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
        As `select_sample`.
    """
    study.sample()
    items = [(one, {"metric": name}) for name, one in composition_specifications(study)]
    return tabulate(study, items, role="robustness", columns=ESTIMATE_COLUMNS)[
        list(ESTIMATE_COLUMNS)
    ]


def log_of(counts: pd.Series) -> pd.Series:
    """Return the logarithm of counts, those under 1 as 1.

    Examples
    --------
    >>> log_of(pd.Series([0, 1])).tolist()
    [0.0, 0.0]
    """
    return pd.Series(np.log(counts.clip(lower=1).astype(float)), index=counts.index)


def _log_pupils(_: Study, data: pd.DataFrame) -> pd.DataFrame:
    return data.assign(outcome=log_of(data["pupils"]))


def _log_peers(study: Study) -> pd.DataFrame:
    if "reference_pupils" not in study.school_gaps:
        raise InfeasibleError("peers_not_counted")
    return study.school_gaps.assign(outcome=log_of(study.school_gaps["reference_pupils"]))


def _plan_share(study: Study) -> pd.DataFrame:
    parts = names.GROUP_SUMS.get(study.group, (study.group,))
    if names.CPP not in parts or len(parts) == 1:
        raise InfeasibleError("cohort_not_need_and_plan")
    if study.panel is None:
        raise InfeasibleError("no_panel")
    rows = study.panel[study.panel["metric"].eq(study.metric)]
    plans, cohort = (school_sums(rows, group)["pupils"] for group in (names.CPP, study.group))
    share = 100 * plans.reindex(cohort.index, fill_value=0.0) / cohort.where(cohort > 0)
    keyed = study.school_gaps.set_index(_CELL)
    return keyed.assign(outcome=share.reindex(keyed.index)).reset_index().dropna(subset=["outcome"])


def _given(name: str, study: Study) -> pd.DataFrame:
    if name not in study.composition:
        raise InfeasibleError("not_counted", outcome=name)
    table = study.composition[name]
    if table.empty:  # such as where no year has the year before it
        raise InfeasibleError("not_counted", outcome=name)
    if name != PRIOR:
        return table
    # Leave out school-years whose year before was one of training already.
    first = table["unit_id"].astype(str).map(study.adopted()).fillna(names.NEVER)
    return table[first.eq(names.NEVER) | table["time_period"].le(first)]
