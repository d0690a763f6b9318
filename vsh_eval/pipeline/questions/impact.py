"""The question of impact as notebooks 06 and 07 put it, and what they say where it has no answer.

A design that cannot bear an estimate is a finding, not a failure: `Impact` then says why, and
`explain_if_infeasible` puts that sentence where a part of a page would have stood.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Literal

import numpy as np
import pandas as pd

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError, InfeasibleError, Message, message_of, produces
from vsh_eval.effects import estimators, evidence, inference, rows, sensitivity, value
from vsh_eval.effects.estimators.two_way import TYPE_COLUMNS
from vsh_eval.effects.sample import (
    FLOW_COLUMNS,
    AnalysisSample,
    DesignPower,
    balance_table,
    design_mde,
    pool_mde,
    refuse_no_variation,
    school_flow,
    wait_ratios,
    years_needed,
)
from vsh_eval.effects.sample.selection import EXCLUSION_COLUMNS
from vsh_eval.effects.sensitivity.checks import ROBUSTNESS_COLUMNS
from vsh_eval.effects.sensitivity.specification_curve import SPECIFICATION_COLUMNS
from vsh_eval.effects.specification import Specification, Study, tabulate
from vsh_eval.metrics.training.arms import ARM_RELEASED, gaps_by_arm
from vsh_eval.numerics.inference.significance import (
    ALPHA,
    POWER,
    exaggeration,
    minimum_detectable,
    power_at,
)
from vsh_eval.panel import Comparison, Panel, opened, shielded, within_school_gaps
from vsh_eval.pipeline.records.protocol import studied
from vsh_eval.pipeline.workspace import Run
from vsh_eval.release.pages.show import show_text
from vsh_eval.release.text.findings import checks, reasons, subgroups
from vsh_eval.release.text.findings.evidence import rules_in_words
from vsh_eval.release.text.findings.value import costs_in_words
from vsh_eval.release.text.phrases.fixed import phrase
from vsh_eval.settings import Protocol

LEVELS = ("group", "reference")
"""The two levels that a gap is the difference of."""
POWER_COLUMNS = (
    *("metric", "question", "more_years", "authorities", "mde", "power", "exaggeration"),
    "caution",
)
FALSE_ALARM_COLUMNS = (
    *("metric", "runs", "found", "share", "share_lower", "share_upper", "alpha", "error_ratio"),
    "verdict",
)
WAITS, LONGEST_WAIT = (5, 10), 40
"""More years of data that are asked about; after the last one waiting counts as no way."""
POOLS, AUTHORITIES = (2, 4, 8), 153
"""Numbers of authorities that are asked about; England's authorities."""
POWER_CURVE_COLUMNS = ("effect", "share_found", "share_found_lower", "share_found_upper")
PRETREND_COLUMNS = ("p_value", "reason")
ATTRIBUTION_COLUMNS = (
    *("target", "role", "metric", "estimator", "aggregation", "index", "estimate", "std_error"),
    *("df", "bias", "schools_treated", "schools_comparison", "pupils", "status"),
)
BOUND_COLUMNS = (
    *("variant", "bound", "estimate", "std_error", "ci_lower", "ci_upper", "breakdown"),
    *rows.SAMPLE_COLUMNS,
)
"""What `Impact.bounds` adds to the labels of an estimate."""
BOUNDS = (0.0, 0.5, 1.0, 1.5, 2.0)
"""Sizes of trend differences that the page on robustness shows, relative to the largest before."""
_TARGETS: tuple[tuple[str, Literal["average"] | int], ...] = (
    ("first year", 0),
    ("all years", "average"),
)


@contextmanager
def explain_if_infeasible(what: str, *, known: Message | None = None) -> Generator[None]:
    """Show why a part of a page cannot be made, where it cannot, and go on.

    Parameters
    ----------
    what : str
        The part, by the code of its phrase.
    known : Message, optional
        A reason that the page has given already.
    """
    try:
        yield
    except InfeasibleError as error:
        show_text(reasons.not_given(phrase(what), error.message, known=known))


_ESTIMATES = tuple(
    name
    for name in dict.fromkeys(
        (
            *rows.ESTIMATE_COLUMNS,
            *ROBUSTNESS_COLUMNS,
            *SPECIFICATION_COLUMNS,
            *value.VALUE_COLUMNS,
            *BOUND_COLUMNS,
            *TYPE_COLUMNS,
            *("subgroup", "group", "part", "value"),
            *("protocol", "variant_code", "reason_code", "amount"),
        )
    )
    if name != "largest_share"
)
"""What may be released of any table of estimates."""


def once[**P](method: Callable[P, Any]) -> Callable[P, Any]:
    """Keep what a method without arguments makes; estimates say how the protocol stands."""

    @wraps(method)
    def cached(*args: P.args, **kwargs: P.kwargs) -> Any:
        question: Any = args[0]
        if method.__name__ not in question.made:
            answer = method(*args, **kwargs)
            if isinstance(answer, pd.DataFrame) and "estimate" in answer:
                answer = answer.assign(protocol=question.mark)
            question.made[method.__name__] = answer
        return question.made[method.__name__]

    return cached


def _estimates[**P](method: Callable[P, Any]) -> Callable[P, Any]:
    """Keep a table of estimates, and say what of it may be released."""
    return produces("estimates", _ESTIMATES, gate="estimates")(once(method))


@dataclass(frozen=True, slots=True)
class Impact:
    """One run's question of impact.

    Attributes
    ----------
    protocol : Protocol
        What was decided beforehand.
    seed : int
        Of everything that is drawn.
    question : Study or None
        The question with everything its checks need; None where the outcome is absent.
    selected : AnalysisSample or None
        The school-years that can bear an estimate; None where none can.
    reason : Message
        Why there is no estimate; none where there is one.
    power : DesignPower
        What the design can detect; nothing where it bears no estimate.
    mark : str
        How the run stands to its registration: stands in every row of estimates.
    plan : str
        How the run stands to its registration, as `evidence.Checks` asks.
    made : dict
        What has been estimated already: pages ask for it more than once.
    """

    protocol: Protocol
    seed: int
    question: Study | None
    selected: AnalysisSample | None
    reason: Message
    power: DesignPower
    mark: str = ""
    plan: str = "not_registered"
    made: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def study(self) -> Study:
        """The question.

        Raises
        ------
        InfeasibleError
            If there is no estimate.
        """
        if self.question is None or self.reason:
            raise self._infeasible()
        return self.question

    @property
    def sample(self) -> AnalysisSample:
        """The school-years that bear the estimate.

        Raises
        ------
        InfeasibleError
            If none do.
        """
        if self.selected is None:
            raise self._infeasible()
        return self.selected

    @property
    def feasible(self) -> bool:
        """Whether there is an estimate."""
        return not self.reason

    @property
    def answer(self) -> str:
        """What the head of a page says where there is no estimate, '' where there is one."""
        return reasons.no_estimate(self.reason)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to come to the schools compared, in sentences."""
        return () if self.selected is None else reasons.sentences(self.selected.notes)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What takes from the estimate's weight, for the head of a page."""
        return () if self.selected is None else reasons.sentences(self.selected.cautions)

    def require(self) -> None:
        """Go on only where there is an estimate.

        Raises
        ------
        InfeasibleError
            If there is none.
        """
        if self.reason:
            raise self._infeasible()

    def _infeasible(self) -> InfeasibleError:
        return InfeasibleError(self.reason.code, **self.reason.details)

    def explain_if_infeasible(self, what: str) -> AbstractContextManager[None]:
        """Show why a part of the page cannot be made; see `explain_if_infeasible`."""
        return explain_if_infeasible(what, known=self.reason)

    @produces("gaps_by_arm", ARM_RELEASED)
    def gaps_by_arm(
        self, panel: Panel, exposure: pd.DataFrame, comparison: Comparison
    ) -> pd.DataFrame:
        """Measure the primary outcome's gap in trained and in untrained schools of the question.

        Raises
        ------
        InfeasibleError
            If the outcome is absent.
        """
        frame, shield = opened(panel)
        requested = shielded(studied(frame, self.protocol), shield)
        return gaps_by_arm(requested, exposure, comparison.of(self.protocol.primary))

    @produces("sample_flow", EXCLUSION_COLUMNS, gate="sample")
    def exclusions(self) -> pd.DataFrame:
        """Return the sample flow: what was excluded on the way to the estimate, and why.

        Raises
        ------
        InfeasibleError
            If there is no sample.
        """
        return reasons.in_words(self.sample.exclusions, "reason")

    @produces("school_flow", FLOW_COLUMNS, gate="sample")
    def school_flow(self) -> pd.DataFrame:
        """Count schools from all of the authority to those that bear the estimate, by arm.

        Raises
        ------
        InfeasibleError
            If there is no sample.
        """
        simple = _simple(self.primary())
        estimate = {name: simple[name] for name in ("schools_treated", "schools_comparison")}
        return school_flow(self.sample, self.study.school_gaps, self.study.adopted(), estimate)

    @_estimates
    def primary(self) -> pd.DataFrame:
        """Estimate the effect on the primary outcome, or say in one row why there is none."""
        if not self.feasible:
            return _not_estimable(self.protocol.primary, "primary", self.reason)
        return self._estimate(self.sample, self.protocol.primary, "primary")

    @_estimates
    def secondary(self) -> pd.DataFrame:
        """Estimate the effect on each secondary outcome; a row without numbers where it cannot."""
        tables = [self._secondary(metric) for metric in self.protocol.secondary]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    def _secondary(self, metric: str) -> pd.DataFrame:
        try:
            study = self.study
            if study.panel is not None:
                _gaps(study.panel, metric, group=study.group, reference=study.reference)
            ready = study.sample(study.outcome(metric=metric))
            refuse_no_variation(ready.data)
            return self._estimate(ready, metric, "secondary")
        except ContractError as error:
            return _not_estimable(metric, "secondary", message_of(error))

    def _estimate(
        self, ready: AnalysisSample, metric: str, role: Literal["primary", "secondary"]
    ) -> pd.DataFrame:
        return estimators.estimate(ready, metric=metric, role=role, seed=self.seed)

    @_estimates
    def own_levels(self) -> pd.DataFrame:
        """Estimate the effect on the cohort's own level and on that of its peers.

        Raises
        ------
        InfeasibleError
            If there is no such estimate.
        """
        groups = {"group": self.study.group, "reference": self.study.reference}
        items = [
            (Specification(level=level), {"group": groups[level], "subgroup": "own_level"})
            for level in LEVELS
        ]
        columns = (*rows.ESTIMATE_COLUMNS, "group", "subgroup", "reason")
        table = tabulate(self.study, items, role="robustness", columns=columns)
        table["part"] = [subgroups.part_name("group", group) for group in table["group"]]
        return reasons.in_words(table, "reason").drop(columns="holds")

    @_estimates
    def parts(self) -> pd.DataFrame:
        """Estimate for parts of the schools, groups, doses and outcomes, each with its name.

        Raises
        ------
        InfeasibleError
            If there is no primary estimate.
        """
        return subgroups.subgroups_in_words(sensitivity.subgroups(self.study))

    @produces("power_curve", POWER_CURVE_COLUMNS, gate="facts")
    def power_curve(self) -> pd.DataFrame:
        """Inject effects of known size, that of interest among them, and count what is found.

        Returns
        -------
        DataFrame
            `POWER_CURVE_COLUMNS`, one row a size: effect (in the outcome's gap unit), share_found
            (per cent of the runs) and its interval.

        Raises
        ------
        InfeasibleError
            As `inference.injected_effect_power`.
        """
        most = 2 * max(self.power.mde, self.protocol.sesoi)
        sizes, step = np.linspace(0, most, 9, retstep=True)
        apart = np.abs(sizes - self.protocol.sesoi) > step / 2  # else two sizes are written alike
        sizes = sorted([*sizes[apart].tolist(), self.protocol.sesoi])
        injected = inference.injected_effect_power(self.sample.data, effects=sizes, seed=self.seed)
        shares = {"power": "share_found"}
        shares |= {end: f"share_found_{end}" for end in ("lower", "upper")}
        curve = injected[["effect", *shares]].rename(columns=shares)
        per_cent = {name: 100 * curve[name] for name in shares.values()}
        return curve.assign(**per_cent)[list(POWER_CURVE_COLUMNS)]

    @_estimates
    def checked(self) -> pd.DataFrame:
        """Ask the question again in every way that could change our mind.

        Returns
        -------
        DataFrame
            The primary simple estimate, then the robustness table in words.
        """
        try:
            table = sensitivity.robustness(self.study)
        except InfeasibleError as error:
            table = sensitivity.nothing_to_check(self.protocol.primary, reason=error.message)
        worded = checks.checks_in_words(table)
        first = _simple(self.primary()).to_frame().T.reindex(columns=worded.columns)
        words = worded.select_dtypes(["object", "str"]).columns.difference(
            list(rows.ESTIMATE_COLUMNS)
        )
        first = first.assign(**{name: first[name].astype(object).fillna("") for name in words})
        first = first.assign(check="primary", variant=reasons.VARIANTS["primary"])
        records = [*first.to_dict("records"), *worded.to_dict("records")]
        return pd.DataFrame(records, columns=worded.columns).astype(worded.dtypes.to_dict())

    @_estimates
    def specifications(self) -> pd.DataFrame:
        """Estimate under every defensible set of choices.

        Raises
        ------
        InfeasibleError
            If there is no primary estimate.
        """
        return subgroups.specifications_in_words(sensitivity.specification_curve(self.study))

    @_estimates
    def cost(self) -> pd.DataFrame:
        """Put the cost of training beside what it changed.

        Raises
        ------
        InfeasibleError
            If there is no primary estimate.
        """
        established = self.judged().statement in evidence.ESTABLISHED
        return costs_in_words(value.cost_effectiveness(self.study, established=established))

    @_estimates
    def outcomes(self) -> pd.DataFrame:
        """Return the estimates of all outcomes, the secondary ones adjusted (Holm)."""
        tables = [table for table in (self.primary(), self.secondary()) if len(table)]
        return estimators.adjust(pd.concat(tables, ignore_index=True))

    @produces("estimates", _ESTIMATES, gate="estimates")
    def everything(self) -> pd.DataFrame:
        """Return all estimates of the page in one table; words that a row lacks are ''."""
        tables = [self.outcomes()]
        if self.feasible:
            tables += [self.own_levels(), self.parts()]
        table = pd.concat([one for one in tables if len(one)], ignore_index=True)
        words = [name for name in ("subgroup", "part", "group", "value", "reason") if name in table]
        return table.assign(**{name: table[name].astype(object).fillna("") for name in words})

    @produces("power", POWER_COLUMNS, gate="facts")
    def least_detectable(self) -> pd.DataFrame:
        """Return which effects the design detects, now, later and with others.

        Returns
        -------
        DataFrame
            `POWER_COLUMNS`, one row a question: ``detectable``, ``even_odds`` and ``of_interest``
            (the effect detected with a power of 0.8, that with even odds, and the smallest of
            interest); ``same_past`` (that of the second estimator); ``after_n_years`` (the
            schools trained and the cohort staying as they are) and ``k_authorities`` (of this
            size), of both also the fewest that reach the smallest effect of interest, where any
            do. mde in the outcome's gap unit, power, and how much a
            significant estimate exaggerates an effect of this size now; NaN where the design bears
            no estimate.
        """
        design = self.power
        error, df = design.std_error, design.df
        even = minimum_detectable(error, df, power=0.5)
        small = self.protocol.sesoi
        rows = [
            (question, 0, 1, effect, power, exaggeration(effect, error, df))
            for question, effect, power in (
                ("detectable", design.mde, POWER),
                ("even_odds", even, 0.5),
                ("of_interest", small, power_at(small, error, df)),
            )
        ]
        if self.selected is not None:
            rows += [(*row, POWER, float("nan")) for row in self._ahead(self.selected.data, design)]
        table = pd.DataFrame(rows, columns=list(POWER_COLUMNS[1:-1]))
        labels = {"metric": self.protocol.primary, "caution": " ".join(self.cautions)}
        return table.assign(**labels)[list(POWER_COLUMNS)]

    def _ahead(
        self, ready: pd.DataFrame, design: DesignPower
    ) -> Iterator[tuple[str, int, int, float]]:
        """Say what the second estimator, more years and more authorities would detect."""
        with suppress(InfeasibleError):
            second = design_mde(ready, estimator="same_past")
            yield "same_past", 0, 1, second.mde
        share = self.protocol.sesoi / design.mde
        with suppress(InfeasibleError):
            needed = years_needed(ready, share, most=LONGEST_WAIT) if share < 1 else None
            waits = sorted({*WAITS, needed or LONGEST_WAIT})
            for years, ratio in zip(waits, wait_ratios(ready, waits), strict=True):
                yield f"after_{years}_years", years, 1, ratio * design.mde
        together = {k: pool_mde(design.std_error, k) for k in range(2, AUTHORITIES + 1)}
        enough = [k for k, mde in together.items() if mde <= self.protocol.sesoi]
        for k in sorted({*POOLS, *enough[:1]} if share < 1 else POOLS):
            yield f"{k}_authorities", 0, k, together[k]

    @produces("false_alarms", FALSE_ALARM_COLUMNS, gate="facts")
    def false_alarms(self) -> pd.DataFrame:
        """Count false alarms: training assigned at random, so that there is nothing to find.

        Returns
        -------
        DataFrame
            `FALSE_ALARM_COLUMNS`, one row: as `inference.placebo_simulation`, share and its
            interval in per cent of the runs.

        Raises
        ------
        InfeasibleError
            As `inference.placebo_simulation`.
        """
        placebos = inference.placebo_simulation(self.sample.data, seed=self.seed).rename(
            columns={"lower": "share_lower", "upper": "share_upper"}
        )
        per_cent = {name: 100 * placebos[name] for name in ("share", "share_lower", "share_upper")}
        labels = {"metric": self.protocol.primary}
        return placebos.assign(**per_cent, **labels)[list(FALSE_ALARM_COLUMNS)]

    @produces("evidence", evidence.EVIDENCE_COLUMNS, gate="facts")
    def rules(self) -> pd.DataFrame:
        """Return each rule of the evidence statement with its verdict."""
        return rules_in_words(self.judged().table())

    @once
    def pretrend(self) -> sensitivity.Pretrend | None:
        """Test the years before training together; None where there is nothing to test."""
        if self.selected is None:
            return None
        return sensitivity.pretrend(self.selected.data, seed=self.seed)

    @produces("pretrend", PRETREND_COLUMNS, gate="facts")
    def pretrend_test(self) -> pd.DataFrame:
        """Return the joint test of the years before training as one row, or why there is none.

        Raises
        ------
        InfeasibleError
            If there is no sample.
        """
        joint_test = self.pretrend()
        if joint_test is None:
            raise self._infeasible()
        row = (joint_test.test.p_value, joint_test.reason)
        return reasons.in_words(pd.DataFrame([row], columns=list(PRETREND_COLUMNS)), "reason")

    @produces("attribution", ATTRIBUTION_COLUMNS, gate="estimates")
    def attribution(self) -> pd.DataFrame:
        """Return what else than training could have moved the gap, as pools are judged by it.

        Returns
        -------
        DataFrame
            `ATTRIBUTION_COLUMNS`, role ``robustness``, metric the primary outcome. Target
            ``drift``: the yearly drift of the years before training, in the outcome's gap unit a
            year, and as bias what a drift of 1 a year adds to the primary estimate; schools and
            children are the fewest behind a year before training. The other targets: each test of
            who is counted, as `sensitivity.composition_tests` has it. What cannot be made has
            status ``x`` and no numbers.
        """
        labels = {"role": "robustness", "metric": self.protocol.primary, "status": ""}
        labels |= {"estimator": "imputation", "aggregation": "simple", "index": 0}
        trend, before, tests = self._drift(), self.pretrend(), self._composition()
        drift = {**labels, "target": "drift", "status": names.UNAVAILABLE}
        if before is not None and np.isfinite(trend.slope):
            numbers = {"estimate": trend.slope, "std_error": trend.std_error, "df": trend.df}
            drift |= {**before.sample, **numbers, "bias": trend.bias, "status": ""}
        table = pd.DataFrame([drift])
        if tests is not None:
            same = labels | {"target": tests["metric"], "status": tests["status"]}
            table = pd.concat([table, tests.assign(**same)], ignore_index=True)
        return table.reindex(columns=[*ATTRIBUTION_COLUMNS])

    @once
    def _drift(self) -> sensitivity.Drift:
        return sensitivity.drift(self.selected.data) if self.selected else sensitivity.Drift()

    @once
    def _composition(self) -> pd.DataFrame | None:
        return sensitivity.composition_tests(self.study) if self.selected else None

    @once
    def judged(self) -> evidence.Evidence:
        """Judge the primary estimate by the printed rules."""
        estimates = self.primary()
        return evidence.judge(
            estimates,
            sesoi=self.protocol.sesoi,
            lower_is_better=registry.metric(self.protocol.primary).lower_is_better,
            checks=self._material(estimates),
        )

    def _material(self, estimates: pd.DataFrame) -> evidence.Checks:
        """Gather what the rules are judged by; what cannot be made is left out."""
        decided = {"plan": self.plan, "chosen_by": self.protocol.chosen_by}
        if self.selected is None:
            return evidence.Checks(**decided)
        ready, study = self.selected, self.study
        significant = _simple(estimates)["p_value"] < ALPHA
        peers = self.own_levels().set_index("group")["p_value"].get(study.reference)
        return evidence.Checks(
            **decided,
            pretrend=self.pretrend(),
            drift=self._drift(),
            composition=self._composition(),
            peers_p=None if peers is None else float(peers),
            randomisation_p=_or_none(
                lambda: float(inference.randomise(ready.data, seed=self.seed)["p_value"].iloc[0])
            ),
            exclusions=ready.exclusions,
            mde=self.power.mde,
            breakdown=_or_none(lambda: sensitivity.breakdown(study, ready))
            if significant
            else None,
            balance=balance_table(ready, study.schools),
        )

    @_estimates
    def bounds(self) -> pd.DataFrame:
        """Give the effect's interval for ever larger differences of the paths.

        Returns
        -------
        DataFrame
            Estimates of role robustness with `BOUND_COLUMNS`: variant (``first year`` or ``all
            years``), bound (the size of the differences), and the schools behind each.

        Raises
        ------
        InfeasibleError
            As `sensitivity.honest`.
        """
        tables = []
        for variant, target in _TARGETS:
            intervals = sensitivity.honest(
                self.sample.data, bounds=BOUNDS, target=target, seed=self.seed
            ).rename(columns={"lower": "ci_lower", "upper": "ci_upper"})
            tables.append(intervals.assign(variant=variant, index=intervals["bound"]))
        table = pd.concat(tables, ignore_index=True)
        return self._labelled(table[[*BOUND_COLUMNS, "index"]], "honest")

    @_estimates
    def two_way_parts(self) -> pd.DataFrame:
        """Take two-way fixed effects apart by type of comparison.

        Returns
        -------
        DataFrame
            Estimates of role robustness with `estimators.two_way.TYPE_COLUMNS`, one row a type.

        Raises
        ------
        InfeasibleError
            As `estimators.bacon`.
        """
        types = estimators.bacon_by_type(self.sample.data)
        return self._labelled(types.assign(index=0), "bacon")

    def _labelled(self, table: pd.DataFrame, estimator: str) -> pd.DataFrame:
        labels = {**rows.PRIMARY, "role": "robustness", "metric": self.protocol.primary}
        labels |= {"estimator": estimator, "aggregation": "simple", "status": ""}
        return table.assign(**labels)


def ask_impact(run: Run) -> Impact:
    """Put the question of impact to a run: its outcome, schools and years of training.

    Parameters
    ----------
    run : Run
        A run of returns whose panel is there.

    Returns
    -------
    Impact
        Whose `reason` says why, where there can be no estimate.
    """
    settings, protocol = run.settings, run.settings.protocol
    group, reference = settings.cohort.group, settings.cohort.reference
    panel = studied(run.load("panel"), protocol)
    other, make_up = run.load("other_rule_panel"), run.load("make_up")
    exposure, training, schools = (run.load(name) for name in ("exposure", "training", "schools"))
    cohort = {"group": group, "reference": reference}
    question = selected = None
    power = DesignPower()
    reason = Message()
    try:
        question = Study(
            school_gaps=_gaps(panel, protocol.primary, **cohort),
            exposure=exposure,
            metric=protocol.primary,
            group=group,
            reference=reference,
            panel=panel,
            training=training,
            schools=schools,
            covariates=protocol.covariates,
            sesoi=protocol.sesoi,
            seed=settings.seed,
            other_gaps=_other_gaps(studied(other, protocol), protocol.primary, **cohort),
            composition=sensitivity.composition_outcomes(studied(make_up, protocol), **cohort),
        )
        ready = question.sample()
        refuse_no_variation(ready.data)
        power = design_mde(ready.data)
        selected = ready
    except ContractError as error:
        reason = message_of(error)
    standing = run.standing
    marks = standing.mark, standing.plan
    return Impact(protocol, settings.seed, question, selected, reason, power, *marks)


def _or_none(make: Callable[[], float]) -> float | None:
    """Make a number; None where it cannot be made."""
    try:
        return make()
    except InfeasibleError:
        return None


def _gaps(panel: pd.DataFrame, metric: str, *, group: str, reference: str) -> pd.DataFrame:
    """Measure the gaps within schools, or say which of their parts the data do not hold.

    Raises
    ------
    InfeasibleError
        If no school has a gap in a year that can be compared.
    """
    if not panel["metric"].eq(metric).any():
        raise InfeasibleError("outcome_absent", metric=metric)
    gaps = within_school_gaps(panel, metric=metric, group=group, reference=reference)
    if gaps.empty:
        raise InfeasibleError("no_gap", metric=metric, group=group)
    return gaps


def _other_gaps(
    panel: pd.DataFrame, metric: str, *, group: str, reference: str
) -> dict[str, pd.DataFrame]:
    """Measure the gaps under the other cohort rule, by its name; nothing where it has none."""
    try:
        gaps = within_school_gaps(panel, metric=metric, group=group, reference=reference)
    except ContractError:
        return {}
    return {str(panel["cohort_rule"].iloc[0]): gaps} if len(gaps) else {}


def _not_estimable(metric: str, role: str, reason: Message) -> pd.DataFrame:
    table = sensitivity.not_estimable(metric, role=role, reason=reason)
    return reasons.in_words(table, "reason")


def _simple(estimates: pd.DataFrame) -> pd.Series:
    first = estimates[estimates["role"].eq("primary") & estimates["aggregation"].eq("simple")]
    return first.iloc[0]
