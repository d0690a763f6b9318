"""One way to put the question: a sample, an outcome and an estimator make one estimate."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import ContractError, InfeasibleError, Message, message_of
from vsh_eval.effects.estimators.callaway_santanna import ControlGroup, att_gt
from vsh_eval.effects.estimators.imputation import impute_parts
from vsh_eval.effects.estimators.same_past import same_past
from vsh_eval.effects.rows import COUNTS, OVERALL
from vsh_eval.effects.sample.exposure import Kind, adopted_by_school, first_against_untrained
from vsh_eval.effects.sample.exposure import first_kind as first_kind_of
from vsh_eval.effects.sample.selection import AnalysisSample, select_sample
from vsh_eval.panel import within_school_gaps

SESSIONS, PUPILS = "sessions", "pupils_before"
"""Weights: the cohort's possible sessions of the year, or its mean pupils before training."""

Samples = dict[tuple[object, ...], AnalysisSample | ContractError]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The question of an evaluation with everything that its checks need.

    Attributes
    ----------
    school_gaps : DataFrame
        The primary outcome's gaps within schools, as `select_sample` takes them.
    exposure : DataFrame
        unit_id, programme, tier, adopted, first_date.
    metric : str
        The primary outcome.
    group, reference : str
        Whose gap it is.
    panel : DataFrame, optional
        The panel of returns; without it checks on other outcomes are not testable.
    training : DataFrame, optional
        The training log, for dose and cost.
    schools : DataFrame, optional
        unit_id and the covariates.
    covariates : tuple of str
        Columns of `schools` for Callaway and Sant'Anna's estimator.
    min_schools : int
        As for `select_sample`.
    other_gaps : mapping of str to DataFrame
        The same gaps under other cohort rules, by the rule's name.
    composition : mapping of str to DataFrame
        Further outcomes that describe who is counted, by name (for example entries or the
        cohort's earlier absence), as `select_sample` takes them.
    sesoi : float
        Smallest effect of interest in the gap's unit.
    seed : int
        Of everything that is drawn.
    """

    school_gaps: pd.DataFrame
    exposure: pd.DataFrame
    metric: str
    group: str = names.CWSW
    reference: str = names.PEERS
    panel: pd.DataFrame | None = None
    training: pd.DataFrame | None = None
    schools: pd.DataFrame | None = None
    covariates: tuple[str, ...] = ()
    min_schools: int = 3
    other_gaps: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    composition: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    sesoi: float = 0.5
    seed: int = 0

    def sample(
        self, gaps: pd.DataFrame | None = None, exposure: pd.DataFrame | None = None
    ) -> AnalysisSample:
        """Select the school-years of the study's gaps, or of others, that can bear an estimate.

        Raises
        ------
        ContractError, DesignError
            As `select_sample`.
        """
        return select_sample(
            self.school_gaps if gaps is None else gaps,
            self.exposure if exposure is None else exposure,
            schools=self.schools,
            covariates=self.covariates,
            min_schools=self.min_schools,
        )

    def outcome(
        self, level: str = "gap", *, metric: str = "", group: str = "", reference: str = ""
    ) -> pd.DataFrame:
        """Return another outcome from the panel; the study's own where a part is ''.

        Raises
        ------
        ContractError, DesignError
            As `within_school_gaps`; also where there is no panel.
        """
        if self.panel is None:
            raise InfeasibleError("no_panel")
        outcome = metric or self.metric
        if not self.panel["metric"].eq(outcome).any():
            raise InfeasibleError("outcome_absent", metric=outcome)
        gaps = within_school_gaps(
            self.panel,
            metric=outcome,
            group=group or self.group,
            reference=reference or self.reference,
        )
        return gaps if level == "gap" else gaps.assign(outcome=gaps[f"{level}_level"])

    def adopted(self) -> pd.Series:
        """Return each school's year of adoption, 0 = never, by unit_id.

        Raises
        ------
        ContractError, DesignError
            As `adopted_by_school`.
        """
        return adopted_by_school(self.exposure)

    def first_kind(self, kind: Kind) -> pd.Series:
        """Return the programme or tier that each school's training began with.

        Raises
        ------
        ContractError, DesignError
            As `exposure.first_kind`.
        """
        return first_kind_of(self.exposure, self.adopted(), kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """What is estimated, of whom and how; everything not named is as in the study.

    Attributes
    ----------
    metric, group, reference : str
        The outcome; '' for the study's.
    level : {"gap", "group", "reference"}
        The gap, or the own level of either group.
    gaps : callable, optional
        Returns the outcome's school-years from the study instead.
    without_years : tuple of int
        Academic years left out.
    phase : str
        Only schools of this phase, '' for all.
    first : (kind, value), optional
        Schools whose training began with this programme or tier against those not yet trained.
    without_first : str
        Schools whose training began with this programme are left out.
    change : callable, optional
        Takes the study and the selected school-years and returns those that are used.
    part_by : str
        Column whose values split the trained school-years into parts, one row each.
    fewest_pupils : int
        Cohort children in trained school-years below which no estimate is made.
    year_effects : str
        A kind of year effects, '' for the sample's own.
    weights : {"sessions", "pupils_before"}
        Of the school-years.
    estimator : {"imputation", "same_past", "callaway_santanna"}
        The estimator.
    comparison : {"not_yet_treated", "never_treated"}
        Callaway and Sant'Anna's comparison schools.
    covariates : bool
        Whether they adjust for the sample's covariates.
    """

    metric: str = ""
    group: str = ""
    reference: str = ""
    level: Literal["gap", "group", "reference"] = "gap"
    gaps: Callable[[Study], pd.DataFrame] | None = None
    without_years: tuple[int, ...] = ()
    phase: str = ""
    first: tuple[Kind, str] | None = None
    without_first: str = ""
    change: Callable[[Study, pd.DataFrame], pd.DataFrame] | None = None
    part_by: str = ""
    fewest_pupils: int = 0
    year_effects: str = ""
    weights: Literal["sessions", "pupils_before"] = "sessions"
    estimator: Literal["imputation", "same_past", "callaway_santanna"] = "imputation"
    comparison: ControlGroup = "not_yet_treated"
    covariates: bool = False


Ask = Specification | Callable[[], Mapping[str, Any]]
_EXTRA = ("part", "holds")
"""What a row may say beside the columns of its table: which part it is, whether its rule holds."""


def estimated(
    study: Study, specification: Specification, samples: Samples | None = None
) -> pd.DataFrame:
    """Make the simple estimate of a specification.

    Parameters
    ----------
    study : Study
        The question.
    specification : Specification
        How it is put.
    samples : dict, optional
        Samples selected so far, for specifications that share one.

    Returns
    -------
    DataFrame
        `rows.ROW_COLUMNS`: one simple row, or one for each part.

    Raises
    ------
    ContractError, DesignError
        As `select_sample` and the estimator.
    """
    sample = sample_of(study, specification, {} if samples is None else samples)
    sample = sample.with_year_effects(specification.year_effects or sample.year_effects)
    data = sample.data
    if specification.change is not None:
        data = specification.change(study, data)
    _refuse_few_pupils(study, specification, data)
    if specification.weights == PUPILS:
        data = data.assign(weight=data["base_pupils"])
    if specification.estimator == "imputation":
        return impute_parts(data, by=specification.part_by or None)
    if specification.estimator == "same_past":
        rows = same_past(data, draws=1)
    else:
        rows = att_gt(
            data,
            comparison=specification.comparison,
            covariates=sample.covariates if specification.covariates else (),
            seed=study.seed,
            draws=1,
        )
    return rows[rows["aggregation"].eq("simple")]


def tabulate(
    study: Study,
    items: Iterable[tuple[Ask, Mapping[str, Any]]],
    *,
    role: str,
    columns: tuple[str, ...],
    samples: Samples | None = None,
) -> pd.DataFrame:
    """Make one table of many specifications; what cannot be made says why in its row.

    Parameters
    ----------
    study : Study
        The question.
    items : iterable of (Specification or callable, mapping)
        What is asked, each with the labels of its row; a callable returns one row.
    role : str
        Of the estimates.
    columns : tuple of str
        The table's columns: some of the estimates contract, the labels, and `reason`.
    samples : dict, optional
        As for `estimated`.

    Returns
    -------
    DataFrame
        One row an estimate; without numbers, with status ``x`` and a reason, where there is none.
        Also `part`, and `holds` where a callable said whether its rule holds.
    """
    known: Samples = {} if samples is None else samples
    rows = []
    for ask, labels in items:
        specification = ask if isinstance(ask, Specification) else Specification()
        try:
            records = _rows(study, ask, known)
        except ContractError as error:
            records = [{"status": names.UNAVAILABLE, "reason": message_of(error)}]
        contract = {
            **OVERALL,
            "role": role,
            "metric": specification.metric or study.metric,
            "phase": specification.phase or names.TOTAL,
            "estimator": specification.estimator,
            "comparison": specification.comparison,
            "aggregation": "simple",
            "index": 0,
        }
        rows += [{**dict.fromkeys(columns, np.nan), **row, **contract, **labels} for row in records]
    table = pd.DataFrame(rows, columns=[*columns, *_EXTRA])
    return table.astype(dict.fromkeys(COUNTS, "Int64"))


def _rows(study: Study, ask: Ask, samples: Samples) -> list[dict[str, Any]]:
    if not isinstance(ask, Specification):
        return [{"status": "", "reason": Message(), **ask()}]
    rows = estimated(study, ask, samples).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def sample_of(study: Study, specification: Specification, samples: Samples) -> AnalysisSample:
    """Select a specification's sample, once for all that share it.

    Parameters
    ----------
    study : Study
        The question.
    specification : Specification
        How it is put.
    samples : dict
        Samples selected so far; gains this one.

    Raises
    ------
    ContractError, DesignError
        As `select_sample`.
    """
    parts = ("metric", "group", "reference", "level", "gaps", "without_years", "phase", "first",
             "without_first")  # fmt: skip
    key = tuple(getattr(specification, name) for name in parts)
    if key not in samples:
        try:
            samples[key] = study.sample(*_selected(study, specification))
        except ContractError as error:
            samples[key] = error
    selected = samples[key]
    if isinstance(selected, ContractError):
        raise selected
    return selected


def _selected(
    study: Study, specification: Specification
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return the school gaps and, where it is not the study's own, the exposure."""
    gaps = _gaps(study, specification)
    if specification.without_years:
        gaps = _without_years(gaps, specification.without_years)
    if specification.phase:
        gaps = gaps[gaps["phase"].eq(specification.phase)]
    if specification.without_first:
        first = study.first_kind("programme")
        lost = first.index[first.eq(specification.without_first)]
        gaps = gaps[~gaps["unit_id"].astype(str).isin(lost)]
    if specification.first is None:
        return gaps, None
    kind, value = specification.first
    return first_against_untrained(gaps, study.adopted(), study.first_kind(kind), value)


def _gaps(study: Study, specification: Specification) -> pd.DataFrame:
    if specification.gaps is not None:
        return specification.gaps(study)
    outcome = {
        name: getattr(specification, name)
        for name in ("metric", "group", "reference")
        if getattr(specification, name) not in {"", getattr(study, name)}
    }
    if not outcome and specification.level == "gap":
        return study.school_gaps
    return study.outcome(specification.level, **outcome)


def _without_years(gaps: pd.DataFrame, years: tuple[int, ...]) -> pd.DataFrame:
    lost = gaps["time_period"].isin(years)
    if lost.all():
        raise InfeasibleError("all_years_left_out")
    if not lost.any():
        raise InfeasibleError("no_year_left_out")
    return gaps[~lost]


def _refuse_few_pupils(study: Study, specification: Specification, data: pd.DataFrame) -> None:
    if not specification.fewest_pupils:
        return
    trained = data["cohort"].gt(0) & data["time"].ge(data["cohort"])
    if data.loc[trained, "pupils"].sum() < specification.fewest_pupils:
        least = specification.fewest_pupils
        if specification.metric:
            raise InfeasibleError("too_few_results", least=least, metric=specification.metric)
        group = specification.group or study.group
        raise InfeasibleError("too_few_children", least=least, group=group)
