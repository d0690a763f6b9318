"""The question of impact as notebooks 06 and 07 put it, and what they say where it has no answer.

A design that cannot bear an estimate is a finding, not a failure: `Impact` then says why, and
`or_why` puts that sentence where a part of a page would have stood.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval import effects, metrics, names, registry, release
from vsh_eval.contracts import ContractError, DesignError
from vsh_eval.effects.attempts import without_counts
from vsh_eval.effects.refusals import refuse_no_variation
from vsh_eval.pipeline.cautions import account_of, cautions_of
from vsh_eval.pipeline.protocol import studied
from vsh_eval.pipeline.workspace import Run
from vsh_eval.release.text.labels import metric_in_text
from vsh_eval.settings import Protocol

_DOSES = ("Low", "Middle", "High")
LEVELS = ("group", "reference")
"""The two levels that a gap is the difference of."""
BOUNDS = (0.0, 0.5, 1.0, 1.5, 2.0)
"""Sizes of trend differences that the page on robustness shows, relative to the largest before."""
_TARGETS: tuple[tuple[str, Literal["average"] | int], ...] = (
    ("first year", 0),
    ("all years", "average"),
)
_SAMPLE = ("df", "schools_treated", "schools_comparison", "pupils", "largest_share")


@contextmanager
def or_why(what: str, *, known: str = "") -> Iterator[None]:
    """Show why a part of a page cannot be made, where it cannot, and go on.

    Parameters
    ----------
    what : str
        The part, as a sentence begins.
    known : str
        A reason that the head of the page has given already.
    """
    try:
        yield
    except DesignError as error:
        if known and str(error) == known:
            release.show_text(f"{what} cannot be given, for the reason at the head of this page.")
        else:
            release.show_text(f"{what} cannot be given: {without_counts(str(error))}")


@dataclass(frozen=True, slots=True)
class Impact:
    """One run's question of impact.

    Attributes
    ----------
    protocol : Protocol
        What was decided beforehand.
    seed : int
        Of everything that is drawn.
    asked : Study or None
        The question with everything its checks need; None where the outcome is absent.
    gated : Prepared or None
        The school-years that passed the gate; None where none can bear an estimate.
    reason : str
        Why there is no estimate, in one sentence; '' where there is one.
    power : DesignPower or None
        What the design can see; None where it bears no estimate.
    """

    protocol: Protocol
    seed: int
    asked: effects.Study | None
    gated: effects.Prepared | None
    reason: str
    power: effects.DesignPower | None = None

    @property
    def study(self) -> effects.Study:
        """The question.

        Raises
        ------
        DesignError
            If the outcome is absent.
        """
        if self.asked is None:
            raise DesignError(self.reason)
        return self.asked

    @property
    def prepared(self) -> effects.Prepared:
        """The school-years that bear the estimate.

        Raises
        ------
        DesignError
            If none do.
        """
        if self.gated is None:
            raise DesignError(self.reason)
        return self.gated

    @property
    def answer(self) -> str:
        """What the head of a page says where there is no estimate, '' where there is one."""
        if not self.reason:
            return ""
        reason = without_counts(self.reason)
        return f"The effect cannot be estimated: {reason[:1].lower()}{reason[1:]}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What the gate did to come to the schools compared, in sentences that may be released."""
        return () if self.gated is None else account_of(self.gated)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What takes from the estimate's weight, for the head of a page."""
        return () if self.gated is None else cautions_of(self.gated)

    def or_why(self, what: str) -> AbstractContextManager[None]:
        """Show why a part of the page cannot be made, where it cannot; see `or_why`."""
        return or_why(what, known=self.reason)

    def primary(self) -> pd.DataFrame:
        """Estimate the effect on the primary outcome, or say in one row why there is none."""
        return _estimates(self, self.protocol.primary, "primary")

    def secondary(self) -> pd.DataFrame:
        """Estimate the effect on each secondary outcome; a row without numbers where it cannot."""
        tables = [_estimates(self, metric, "secondary") for metric in self.protocol.secondary]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    def own_levels(self) -> pd.DataFrame:
        """Estimate the effect on the cohort's own level and on that of its peers.

        Raises
        ------
        DesignError
            If there is no such estimate.
        """
        self.require()
        rows = []
        for which in LEVELS:
            ready = self.study.prepared(self.study.outcome(which))
            found = effects.impute(ready.data, alpha=self.protocol.alpha, seed=self.seed)
            simple = found[found["aggregation"].eq("simple")]
            code = self.study.group if which == "group" else self.study.reference
            rows.append(simple.assign(subgroup="own_level", group=code, part=_part("group", code)))
        return _labelled(pd.concat(rows, ignore_index=True), self.protocol.primary, "robustness")

    def parts(self) -> pd.DataFrame:
        """Estimate for parts of the schools, groups, doses and outcomes, each with its name.

        Raises
        ------
        DesignError
            If there is no primary estimate.
        """
        self.require()
        found = effects.subgroups(self.study)
        rows = found[["subgroup", "value", "reason"]].astype(str).to_numpy()
        labels = [_part(subgroup, value) for subgroup, value, _ in rows]
        reasons = [
            reason.replace(value, label) if subgroup == "outcome" else reason
            for (subgroup, value, reason), label in zip(rows, labels, strict=True)
        ]
        order = [_DOSES.index(label.split(":")[0]) if ":" in label else 0 for label in labels]
        found = found.assign(part=labels, reason=reasons, order=order)
        place = found["subgroup"].map(
            {kind: i for i, kind in enumerate(found["subgroup"].unique())}
        )
        return found.assign(place=place).sort_values(
            ["place", "order"], kind="stable", ignore_index=True
        ).drop(columns=["place", "order"])  # fmt: skip

    def planted(self) -> pd.DataFrame:
        """Plant effects of known size, that of interest among them, and count what is found.

        Returns
        -------
        DataFrame
            One row a size: effect (in the outcome's gap unit), share_found (per cent of the runs)
            and its interval, share_found_lower and share_found_upper.

        Raises
        ------
        DesignError
            As `effects.planted_power`.
        """
        self.require()
        most = 2 * max(self.detectable().mde, self.protocol.sesoi)
        sizes = sorted({*np.linspace(0, most, 9).tolist(), self.protocol.sesoi})
        found = effects.planted_power(
            self.prepared, effects=tuple(sizes), alpha=self.protocol.alpha, seed=self.seed
        )
        shares = {"power": "share_found"}
        shares |= {end: f"share_found_{end}" for end in ("lower", "upper")}
        curve = found.curve[["effect", *shares]].rename(columns=shares)
        return curve.assign(**{name: 100 * curve[name] for name in shares.values()})

    def checked(self, primary: pd.DataFrame) -> pd.DataFrame:
        """Ask the question again in every way that could change our mind.

        Parameters
        ----------
        primary : DataFrame
            From `primary`.

        Returns
        -------
        DataFrame
            The primary simple estimate, then the robustness table.
        """
        try:
            self.require()
            checks = effects.robustness(self.study)
        except DesignError as error:
            checks = effects.nothing_to_check(self.protocol.primary, reason=str(error))
        first = _simple(primary).to_frame().T.reindex(columns=checks.columns)
        words = ["check", "question", "variant", "verdict", "rule", "reason"]
        first = first.assign(**{name: first[name].astype(object).fillna("") for name in words})
        first = first.assign(check="primary", variant="primary estimate")
        rows = [*first.to_dict("records"), *checks.to_dict("records")]
        return pd.DataFrame(rows, columns=checks.columns).astype(checks.dtypes.to_dict())

    def together(self, *tables: pd.DataFrame) -> pd.DataFrame:
        """Put all estimates of a page into one table; words that a row lacks are ''."""
        table = pd.concat([one for one in tables if len(one)], ignore_index=True)
        words = [name for name in ("subgroup", "part", "group", "value", "reason") if name in table]
        return table.assign(**{name: table[name].astype(object).fillna("") for name in words})

    def require(self) -> None:
        """Go on only where there is an estimate.

        Raises
        ------
        DesignError
            If there is none.
        """
        if self.reason:
            raise DesignError(self.reason)

    def detectable(self) -> effects.DesignPower:
        """Return the smallest effect that the design would see, NaN where it bears none."""
        if self.power is not None:
            return self.power
        nothing = float("nan")
        return effects.DesignPower(nothing, nothing, nothing, self.protocol.alpha, 0.80)

    def pretrend(self) -> effects.Pretrend | None:
        """Test the years before training together; None where there is nothing to test."""
        if self.gated is None:
            return None
        return effects.pretrend(self.gated, alpha=self.protocol.alpha, seed=self.seed)

    def judged(self, estimates: pd.DataFrame, *, registered: bool | None) -> effects.Evidence:
        """Judge the primary estimate by the printed rules; what cannot be made is not testable."""
        entry = registry.metric(self.protocol.primary)
        return effects.evidence(
            estimates,
            pretrend=self.pretrend(),
            mde=self.detectable().mde,
            sesoi=self.protocol.sesoi,
            alpha=self.protocol.alpha,
            lower_is_better=entry.lower_is_better,
            checks=_checks(self, estimates, registered=registered),
        )

    def bounds(self, primary: pd.DataFrame) -> pd.DataFrame:
        """Give the effect's interval for ever larger differences of the paths.

        Parameters
        ----------
        primary : DataFrame
            From `primary`: whose sample stands behind it.

        Returns
        -------
        DataFrame
            Estimates of role robustness: variant (``first year`` or ``all years``), bound (the
            size of the differences), estimate, ci_lower, ci_upper, and breakdown.

        Raises
        ------
        DesignError
            As `effects.honest`.
        """
        tables = []
        for variant, target in _TARGETS:
            found = effects.honest(
                self.prepared.data,
                bounds=BOUNDS,
                target=target,
                alpha=self.protocol.alpha,
                seed=self.seed,
            )
            found = found.rename(columns={"lower": "ci_lower", "upper": "ci_upper"})
            tables.append(found.assign(variant=variant, index=found["bound"], status=""))
        return self._beside(pd.concat(tables, ignore_index=True), primary, "honest")

    def two_way_parts(self, primary: pd.DataFrame) -> pd.DataFrame:
        """Take two-way fixed effects apart by kind of comparison.

        Parameters
        ----------
        primary : DataFrame
            From `primary`: whose sample and precision stand behind it.

        Returns
        -------
        DataFrame
            One row a kind: variant, weight (share, all add up to 1), estimate.

        Raises
        ------
        DesignError
            As `effects.bacon`.
        """
        pairs = effects.bacon(self.prepared.data)
        pairs = pairs.assign(part=pairs["weight"] * pairs["estimate"])
        kinds = pairs.groupby("type", sort=False)[["weight", "part"]].sum()
        kinds = kinds.assign(estimate=kinds["part"] / kinds["weight"], std_error=np.nan)
        rows = kinds.drop(columns="part").rename_axis("variant").reset_index()
        rows["std_error"] = _simple(primary)["std_error"]
        rows = rows.assign(index=0, status="")
        return self._beside(rows.sort_values("weight", ascending=False), primary, "bacon")

    def _beside(self, rows: pd.DataFrame, primary: pd.DataFrame, estimator: str) -> pd.DataFrame:
        sample = _simple(primary)
        rows = rows.assign(**{name: sample[name] for name in _SAMPLE}, estimator=estimator)
        return _labelled(rows.assign(aggregation="simple"), self.protocol.primary, "robustness")


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
    asked = gated = power = None
    reason = ""
    try:
        asked = effects.Study(
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
            alpha=protocol.alpha,
            seed=settings.seed,
            other_gaps=_other_gaps(studied(other, protocol), protocol.primary, **cohort),
            composition=effects.composition_outcomes(studied(make_up, protocol), group=group),
        )
        ready = asked.prepared()
        refuse_no_variation(ready.data)
        power = effects.design_mde(ready, alpha=protocol.alpha)
        gated = ready
    except ContractError as error:
        reason = str(error)
    return Impact(protocol, settings.seed, asked, gated, reason, power)


def _gaps(panel: pd.DataFrame, metric: str, *, group: str, reference: str) -> pd.DataFrame:
    """Measure the gaps within schools, or say which of their parts the data do not hold.

    Raises
    ------
    DesignError
        If no school has a gap in a year that can be compared.
    """
    label = metric_in_text(metric)
    if not panel["metric"].eq(metric).any():
        raise DesignError(
            f"the returns hold no results for {label} in these schools and years, and an estimate "
            "needs them before and after training; add them to the returns, or name another "
            "outcome in the protocol."
        )
    gaps = metrics.school_gaps(panel, metric=metric, group=group, reference=reference)
    if gaps.empty:
        whose = names.GROUP_LABELS.get(group, group).lower()
        raise DesignError(
            f"no school has results for {label} of {whose} and of their peers in a year that can "
            "be compared, and an estimate needs both; add years, or name another group or outcome."
        )
    return gaps


def _other_gaps(
    panel: pd.DataFrame, metric: str, *, group: str, reference: str
) -> dict[str, pd.DataFrame]:
    """Measure the gaps under the other cohort rule, by its name; nothing where it has none."""
    try:
        gaps = metrics.school_gaps(panel, metric=metric, group=group, reference=reference)
    except ContractError:
        return {}
    return {str(panel["cohort_rule"].iloc[0]): gaps} if len(gaps) else {}


def _estimates(impact: Impact, metric: str, role: Literal["primary", "secondary"]) -> pd.DataFrame:
    try:
        impact.require()
        ready = impact.prepared
        if metric != impact.protocol.primary:
            study = impact.study
            if study.panel is not None:
                _gaps(study.panel, metric, group=study.group, reference=study.reference)
            other = replace(study, metric=metric)
            ready = other.prepared(other.outcome())
            refuse_no_variation(ready.data)
        return effects.estimate(
            ready, metric=metric, role=role, alpha=impact.protocol.alpha, seed=impact.seed
        )
    except ContractError as error:
        return effects.not_estimable(metric, role=role, reason=str(error))


def _checks(impact: Impact, estimates: pd.DataFrame, *, registered: bool | None) -> effects.Checks:
    """Gather what the rules are judged by; what cannot be made is left out."""
    if impact.gated is None:
        return effects.Checks(registered=registered)
    ready, study = impact.gated, impact.study
    try:
        lot = float(effects.randomise(ready, seed=impact.seed)["p_value"].iloc[0])
    except DesignError:
        lot = None
    survives = None
    if _simple(estimates)["p_value"] < impact.protocol.alpha:
        try:
            survives = effects.breakdown(study, ready)
        except DesignError:
            survives = None
    return effects.Checks(
        registered=registered,
        balance=effects.balance_table(ready, study.schools),
        losses=ready.losses,
        composition=effects.composition_tests(study),
        breakdown=survives,
        randomisation_p=lot,
    )


def _simple(estimates: pd.DataFrame) -> pd.Series:
    rows = estimates[estimates["role"].eq("primary") & estimates["aggregation"].eq("simple")]
    return rows.iloc[0]


def _part(subgroup: str, value: str) -> str:
    """Name a part of the schools or children as a reader knows it."""
    known = {
        "programme": names.PROGRAMME_LABELS,
        "phase": names.PHASE_LABELS,
        "group": names.GROUP_LABELS,
    }.get(subgroup, {})
    if subgroup == "outcome":
        return registry.metric(value).label
    words = value.replace("_", " ")
    return known.get(value, f"{words[:1].upper()}{words[1:]}")


def _labelled(rows: pd.DataFrame, metric: str, role: str) -> pd.DataFrame:
    labels = {"role": role, "metric": metric, "programme": "any", "tier": "any"}
    if "estimator" not in rows:
        labels["estimator"] = "imputation"
    return rows.assign(**labels, phase=names.TOTAL, comparison="not_yet_treated")
