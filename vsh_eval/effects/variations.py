"""The same estimate from other school-years: leave-outs, placebos and other outcomes."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from vsh_eval import academic_year, names
from vsh_eval.contracts import ContractError, DesignError
from vsh_eval.effects.attempts import NOUGHT, SAME, Attempt
from vsh_eval.effects.gate import Prepared
from vsh_eval.effects.imputation import fit_imputation
from vsh_eval.effects.parts import impute_parts
from vsh_eval.effects.study import Study
from vsh_eval.effects.subsets import first_kind

COVID_YEARS = (201920, 202021, 202122)
"""Academic years in which schools were closed or absence was coded as nothing before or since."""
EARLY = 2
"""Used years by which the placebo pretends training came early."""


def simple(data: Prepared | pd.DataFrame, *, alpha: float) -> Mapping[Any, Any]:
    """Return the simple estimate of a table of school-years as one row."""
    table = data.data if isinstance(data, Prepared) else data
    return impute_parts(table, alpha=alpha).iloc[0].to_dict()


def without_school(study: Study, prepared: Prepared) -> list[Attempt]:
    """Leave out the school that moves the estimate most to either side."""

    def make(side: str) -> Mapping[Any, Any]:
        left = fit_imputation(prepared.data, leads=0, draws=1).leave_one_out
        left = left[left["estimate"].notna()]
        if left.empty:
            raise DesignError("no school can be left out without losing the estimate.")
        values = left["estimate"].to_numpy()
        extreme = values.argmin() if side == "lowest" else values.argmax()
        kept = prepared.data[prepared.data["unit"].astype(str).ne(str(left["unit"].iloc[extreme]))]
        return simple(kept, alpha=study.alpha)

    return [
        Attempt("f", f"without the one school that leaves the {side} estimate", SAME,
                partial(make, side))
        for side in ("lowest", "highest")
    ]  # fmt: skip


def without_cohort(study: Study, prepared: Prepared) -> list[Attempt]:
    """Leave out the schools of one year of training at a time."""

    def make(period: int) -> Mapping[Any, Any]:
        if len(prepared.cohorts) < 2:
            raise DesignError(
                "all trained schools were trained in one year, so that none is left without it."
            )
        return simple(prepared.data[prepared.data["cohort_period"].ne(period)], alpha=study.alpha)

    return [
        Attempt("f", f"without schools trained in {academic_year.label(period)}", SAME,
                partial(make, period))
        for period in map(int, prepared.cohorts["cohort_period"])
    ]  # fmt: skip


def without_programme(study: Study) -> list[Attempt]:
    """Leave out the schools whose training began with one programme."""
    try:
        first = first_kind(study, "programme")
    except ContractError as error:
        return [Attempt("f", "without one programme", SAME, partial(_refuse, str(error)))]

    def make(programme: str) -> Mapping[Any, Any]:
        theirs = first.index[first.eq(programme)]
        lost = study.school_gaps["unit_id"].astype(str).isin(theirs)
        return simple(study.prepared(study.school_gaps[~lost]), alpha=study.alpha)

    programmes = sorted(set(first[first.ne("")]))
    if len(programmes) < 2:
        reason = "all training began with one programme, so that none is left without it."
        return [Attempt("f", "without one programme", SAME, partial(_refuse, reason))]
    return [
        Attempt("f", f"without schools that began with {_label(name)}", SAME, partial(make, name))
        for name in programmes
    ]


def early_placebo(study: Study, prepared: Prepared) -> list[Attempt]:
    """Pretend that training came two used years early, on years before any training."""

    def make() -> Mapping[Any, Any]:
        return simple(pretended_early(prepared.data), alpha=study.alpha)

    return [Attempt("c", "placebo: training two years early", NOUGHT, make)]


def pretended_early(data: pd.DataFrame, *, years: int = EARLY) -> pd.DataFrame:
    """Move training earlier and leave out the years from the true training on.

    Parameters
    ----------
    data : DataFrame
        Of `Prepared`.
    years : int
        Used years by which it is moved.

    Returns
    -------
    DataFrame
        School-years before training, of schools with a year before the pretended one too, and of
        schools never trained.

    Raises
    ------
    DesignError
        If no trained school has that many years before training and one more.

    Examples
    --------
    >>> table = pd.DataFrame({"unit": ["a"] * 4 + ["b"] * 4, "time": [1, 2, 3, 4] * 2,
    ...                       "cohort": [4] * 4 + [0] * 4})
    >>> pretended_early(table)["cohort"].tolist()
    [2, 2, 2, 0, 0, 0, 0]
    """
    never = data["cohort"].eq(names.NEVER)
    kept = data[never | data["time"].lt(data["cohort"])]
    moved = (kept["cohort"] - years).where(kept["cohort"].ne(names.NEVER), names.NEVER)
    trained = moved.ne(names.NEVER)
    before = (trained & kept["time"].lt(moved)).groupby(kept["unit"]).transform("any")
    after = (trained & kept["time"].ge(moved)).groupby(kept["unit"]).transform("any")
    usable = kept["cohort"].eq(names.NEVER) | (before & after)
    if not (usable & kept["cohort"].ne(names.NEVER)).any():
        raise DesignError(
            f"no trained school has data both in the {years} years before training and earlier, "
            "must be at least one; begin the years earlier."
        )
    return kept.assign(cohort=moved)[usable]


def own_levels(study: Study) -> list[Attempt]:
    """Estimate the effect on the peers' own level and on the cohort's own level."""

    def make(which: str) -> Mapping[Any, Any]:
        return simple(study.prepared(study.outcome(which)), alpha=study.alpha)

    return [
        Attempt("d", "placebo: the peers' own level", NOUGHT, partial(make, "reference")),
        Attempt("d", "the cohort's own level", SAME, partial(make, "group")),
    ]


def without_covid(study: Study) -> list[Attempt]:
    """Leave out the covid years."""

    def make() -> Mapping[Any, Any]:
        covid = study.school_gaps["time_period"].isin(COVID_YEARS)
        if covid.all():
            raise DesignError("all years with data are covid years, so that none is left.")
        if not covid.any():
            raise DesignError("no year with data is a covid year; the primary estimate is this.")
        return simple(study.prepared(study.school_gaps[~covid]), alpha=study.alpha)

    span = " to ".join(academic_year.label(year) for year in (COVID_YEARS[0], COVID_YEARS[-1]))
    return [Attempt("h", f"without {span}", SAME, make)]


def other_definitions(study: Study) -> list[Attempt]:
    """Compare with another reference, and count the cohort by another rule."""

    def reference(other: str) -> Mapping[Any, Any]:
        return simple(study.prepared(study.outcome(reference=other)), alpha=study.alpha)

    def rule(gaps: pd.DataFrame) -> Mapping[Any, Any]:
        return simple(study.prepared(gaps), alpha=study.alpha)

    other = names.ALL if study.reference == names.PEERS else names.PEERS
    attempts = [
        Attempt("i", f"reference: {names.GROUP_LABELS[other].lower()}", SAME,
                partial(reference, other))
    ]  # fmt: skip
    attempts += [
        Attempt("i", f"cohort: {names.COHORT_RULE_LABELS.get(name, name)}", SAME,
                partial(rule, gaps))
        for name, gaps in study.other_gaps.items()
    ]  # fmt: skip
    if not study.other_gaps:
        reason = "the panel was built under one cohort rule; build it under another and give both."
        attempts.append(Attempt("i", "another cohort rule", SAME, partial(_refuse, reason)))
    return attempts


def _label(programme: str) -> str:
    return names.PROGRAMME_LABELS.get(programme, programme.replace("_", " "))


def _refuse(reason: str) -> Mapping[Any, Any]:
    raise DesignError(reason)


def log_of(counts: pd.Series) -> pd.Series:
    """Return the logarithm of counts, those under 1 as 1.

    Examples
    --------
    >>> log_of(pd.Series([0, 1])).tolist()
    [0.0, 0.0]
    """
    return pd.Series(np.log(counts.clip(lower=1).astype(float)), index=counts.index)
